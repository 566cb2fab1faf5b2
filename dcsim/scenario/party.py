"""Parties and what each can do: lend, guarantee, supply, own chips, put up funds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity, is_quantity
from dcsim.scenario.constant import share
from dcsim.scenario.credit import Guarantee
from dcsim.scenario.fields import Block, Date, Factor, FixedDollars, Id, Number, Rating, Ref, Share
from dcsim.scenario.financing import Lending
from dcsim.scenario.vehicle import FundedBy, Vehicle

Output = Annotated[Quantity, Number("racks_per_month", minimum=0, constant=True, worse="low")]


def _as_steps(raw: object) -> object:
    """A bare number holds from the beginning of time."""
    return raw if isinstance(raw, Mapping) and not is_quantity(raw) else {"0001-01-01": raw}


class Supply(Block):
    """Makes a party a supplier of chips with a limited output."""

    racks: Annotated[dict[Date, Output], BeforeValidator(_as_steps, json_schema_input_type=dict[Date, Output] | Output)]
    """Racks a month: a number, or steps from dates (`{2026-07-01: 4800/month, 2027-01-01: 6500/month}`)."""
    share_for_this_world: Share = Field(default_factory=lambda: share(1))
    """What customers outside the scenario leave of it; drawn once."""
    sharing: Literal["first_come", "pro_rata", "priority"] = "first_come"
    """How a month's racks are shared when they do not reach."""


class Party(Block):
    """A firm. Its blocks say what it can do."""

    name: str | None = None
    """Name as printed; the id if left out."""
    rating: Rating | None = None
    """Credit rating on the S&P scale; unrated is below every floor."""
    group: Id | None = None
    """Group of firms it belongs to."""
    cash: FixedDollars | None = None
    """Cash at the start; for parties whose balance is followed."""
    equity: FixedDollars | None = None
    """Capital that can absorb losses, for stress tests."""
    holds: dict[Ref, Factor] = Field(default_factory=dict)
    """Shares of equity in other parties."""
    size: FixedDollars | None = None
    """A fund's commitments in all."""
    funded_by: FundedBy = Field(default_factory=dict)
    """Who puts up a fund's money, in shares."""
    guarantee: Guarantee | None = None
    lending: Lending | None = None
    supply: Supply | None = None
    vehicle: Vehicle | None = None
