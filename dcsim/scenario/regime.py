"""The market's states, and how often parties without a treasury fail."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import number
from dcsim.scenario.fields import Block, Loads, Number

Frequency = Annotated[Quantity, Number("per_year", minimum=0, maximum=365, constant=True)]
Letter = Literal["AAA", "AA", "A", "BBB", "BB", "B", "CCC"]
Chance = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True)]


class Ratings(Block):
    """Chance of default in a year by rating letter (+ and - take the letter's value), and of downgrades."""

    one_year_default: dict[Letter, Chance] = Field(default_factory=dict)
    one_year_downgrade: dict[Letter, Chance] = Field(default_factory=dict)
    """Chance of a downgrade by one letter within a year."""
    loads: Loads = Field(default_factory=dict)
    """Loadings of every party's luck on common factors (a one-factor copula)."""


class Regime(Block):
    """Two states of the market. The edits of `downturn` hold while it lasts."""

    to_downturn: Frequency = Field(default_factory=lambda: number(0, "per_year"))
    """How often a year a normal market turns down."""
    to_normal: Frequency = Field(default_factory=lambda: number(0, "per_year"))
    """How often a year a downturn ends."""
    begins: Literal["normal", "downturn"] = "normal"
    downturn: dict[str, Any] = Field(default_factory=dict)
    """Path -> value, `{times: x}` or `{plus: y}`."""
