"""What may happen to the world on the way: at a date, at random, or when a what-if says so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from dcsim.quantity import Quantity
from dcsim.scenario.constant import share
from dcsim.scenario.fields import Block, Chance, Date, Days, Names, Number, Rating, Ref, is_wrapper, problem
from dcsim.units import describe

Frequency = Annotated[Quantity, Number("per_year", minimum=0, maximum=365, constant=True)]


def _which_when(raw: object) -> str:
    if raw == "never":
        return "never"
    if isinstance(raw, dt.date) or (isinstance(raw, str) and re.match(r"\d{4}-\d\d-\d\d", raw)):
        return "date"
    return "rate"


def _read_when(raw: object) -> object:
    """A date or `never` without its wrapper; refuses a text that is none of the three."""
    if isinstance(raw, Mapping) and is_wrapper(raw) and _which_when(raw["value"]) != "rate":
        return raw["value"]
    if isinstance(raw, str) and _which_when(raw) == "rate" and not re.match(r"[\d.+-]", raw):
        raise problem("TYPE", f"expected a rate such as 0.10/year, a date or `never`, got {describe(raw)}")
    return raw


ACTIONS = ("cancel", "set", "downgrade", "default", "stop_paying", "recall", "regime")
"""What a shock may do: one of them."""


class Shock(Block):
    """Something that happens to the world: an edit for a while or for good, or a failure."""

    when: Annotated[
        Annotated[Frequency, Tag("rate")] | Annotated[Date, Tag("date")] | Annotated[Literal["never"], Tag("never")],
        Discriminator(_which_when),
        BeforeValidator(_read_when),
    ]
    """A rate (`0.10/year`), a date, or `never` (waits for a what-if)."""
    lasts: Days | None = Field(default=None, alias="for")
    """How long edits, or a state of the market, stay in force; for good if left out."""
    cancel: Literal["unsigned_letters"] | None = None
    """Every site without a signed lease is cancelled with `chance_each`: letters die in blocks."""
    chance_each: Chance = Field(default_factory=lambda: share(1))
    tenant: Ref | None = None
    """Whose letters; everybody's if left out."""
    edits: dict[str, Any] | None = Field(default=None, alias="set")
    """Path -> value, `{times: x}` or `{plus: y}`, in force from then on (see `dcsim.scenario.in_time`)."""
    downgrade: Ref | None = None
    """A party's rating falls `to`."""
    to: Rating | None = None
    default: Names = ()
    """A party, or several at once, declares that it is insolvent."""
    stop_paying: Names = ()
    """A party, or several at once, no longer pays, and declares nothing."""
    recall: Ref | None = None
    """A cloud's provider gives notice."""
    regime: Literal["normal", "downturn"] | None = None
    """The market changes its state."""
