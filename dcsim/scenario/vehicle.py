"""Vehicles that buy chips and lease them out, and lenders who are repaid over time for chips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import days, share
from dcsim.scenario.fields import Block, FixedDollars, Id, Number, Rating, Ref, Share

FundedBy = dict[Ref, Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True)]]
"""Shares of the money, by party; what is left over comes from outside."""
Rate = Annotated[Quantity, Number("fraction", minimum=0, maximum=1)]
Period = Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")]
"""Counted in whole months, at least one."""
DrawsAt = Literal["delivered", "rent_commencement"]


def _as_tuple(raw: object) -> object:
    return (raw,) if isinstance(raw, str) else raw


class Tranche(Block):
    """A layer of a vehicle's debt."""

    amount: FixedDollars
    rate: Rate = Field(default_factory=lambda: share(0))
    residual_value_by: Ref | None = None
    """Who makes good what this layer does not get back when the chips are sold: at the end of the lease, or when the
    tenant defaults."""
    support: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, worse="low")] = Field(
        default_factory=lambda: share(1)
    )
    """Share of that shortfall that is made good."""


class HardwareLease(Block):
    """On what terms the chips are leased to the tenant."""

    term: Period
    residual: Share = Field(default_factory=lambda: share(0))
    """Value of the chips at the end, over their price, down to which the rent writes them off."""
    margin: Rate = Field(default_factory=lambda: share(0))
    """Over the rate of the vehicle's debt, a year."""


class Vehicle(Block):
    """Makes a party an owner of chips that tenants lease."""

    capacity: FixedDollars | None = None
    """What it can buy in all; no limit if left out."""
    funded_by: FundedBy = Field(default_factory=dict)
    tranches: dict[Id, Tranche] = Field(default_factory=dict)
    """Layers of debt, the most senior first; what they do not reach for is equity. All are drawn and repaid in
    proportion."""
    draws_at: Annotated[
        tuple[DrawsAt, ...],
        BeforeValidator(_as_tuple, json_schema_input_type=DrawsAt | tuple[DrawsAt, ...]),
        Field(min_length=1),
    ] = ("delivered",)
    """Money is drawn at the latest of these; until then the supplier waits for it."""
    min_rating: Rating | None = None
    """Rating of the tenant below which it does not draw."""
    lease: HardwareLease


class VendorFinance(Block):
    """The supplier, or a lender, is paid over time for what it delivers."""

    lender: Ref | None = None
    """A party that lends against the chips; the supplier itself if left out."""
    capacity: FixedDollars | None = None
    """What it lends in all on this order; no limit if left out."""
    advance: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(1)
    )
    """Share of the price that is lent at delivery, as far as it is not paid yet."""
    rate: Rate = Field(default_factory=lambda: share(0))
    term: Period = Field(default_factory=lambda: days(1461))
    """Repaid in so many level months after each draw."""
    ltv: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, worse="low")] | None = None
    """Balance over the chips' market value, at most, on the 1st of each month; what is above is paid down at once."""
