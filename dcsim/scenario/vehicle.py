"""Vehicles that buy chips and lease them out, and the lenders to whom chips are pledged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import days, share
from dcsim.scenario.fields import Block, FixedDollars, Id, Number, Rating, Ref, Share

FundedBy = dict[Ref, Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True)]]
"""Shares of the money, by party; what is left over comes from outside."""
Rate = Annotated[Quantity, Number("fraction", minimum=0, maximum=1)]
Period = Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")]


class Tranche(Block):
    """A layer of a vehicle's debt."""

    amount: FixedDollars
    rate: Rate = Field(default_factory=lambda: share(0))
    residual_value_by: Ref | None = None
    """Who makes good what the chips fetch too little for this layer at the end of the lease."""


class HardwareLease(Block):
    """On what terms the chips are leased to the tenant."""

    term: Period
    residual: Share = Field(default_factory=lambda: share(0))
    """Value of the chips at the end, over their price, on which the rent is worked out."""
    margin: Rate = Field(default_factory=lambda: share(0))
    """Over the cost of the vehicle's own money, a year."""


class Vehicle(Block):
    """Makes a party an owner of chips that tenants lease."""

    capacity: FixedDollars | None = None
    """What it can buy in all; no limit if left out."""
    funded_by: FundedBy = Field(default_factory=dict)
    tranches: dict[Id, Tranche] = Field(default_factory=dict)
    """Layers of debt, the most senior first; what they do not reach for is equity."""
    draws_at: tuple[Literal["delivered", "rent_commencement"], ...] = ("delivered",)
    """Money is drawn at the latest of these."""
    min_rating: Rating | None = None
    """Rating of the tenant below which it does not draw."""
    lease: HardwareLease


class VendorFinance(Block):
    """The supplier, or a lender, is paid over time for what it delivers."""

    lender: Ref | None = None
    """A party that lends against the chips; the supplier itself if left out."""
    capacity: FixedDollars | None = None
    advance: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(1)
    )
    """Share of the price that is lent at delivery."""
    rate: Rate = Field(default_factory=lambda: share(0))
    term: Period = Field(default_factory=lambda: days(1461))
    """Repaid in level months after each draw."""
    ltv: Annotated[Quantity, Number("fraction", minimum=0, maximum=1)] | None = None
    """Balance over the chips' market value, at most; what is above is paid down at once."""
    value_falls: Annotated[Quantity, Number("fraction", minimum=0, maximum=1)] = Field(default_factory=lambda: share(0))
    """What the chips lose of their market value a year."""
