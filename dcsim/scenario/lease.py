"""The lease: rent by the calendar, dates, security, and what happens when it ends early."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import days, number, share
from dcsim.scenario.fields import AnyPower, Block, Date, Days, Number, Ref, Share

Rent = Annotated[Quantity, Number("usd_per_kw_month", minimum=0)]
DaysOfRent = Annotated[Quantity, Number("days", minimum=0, of="rent")]
"""Written as `3 months of rent`: so many days of the rent then running."""
OfRent = Annotated[Quantity, Number("fraction", minimum=0, maximum=10, of="rent")]
Step = Annotated[Quantity, Number("fraction", minimum=-0.5, maximum=0.5)]


class RampStep(Block):
    """A stretch of the lease on which only part of the rent is due."""

    months: Annotated[Quantity, Number("count", minimum=1, whole=True, constant=True)]
    """Months from rent commencement, or from the step before."""
    share: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True, of="rent")]
    """Share of the rent due."""


class Cpi(Block):
    """Rent follows consumer prices on anniversaries, within bounds."""

    inflation: Step
    """Price inflation a year, drawn for each year."""
    floor: Step = Field(default_factory=lambda: share(-0.5))
    cap: Step = Field(default_factory=lambda: share(0.5))


class DelayCredit(Block):
    """What the developer owes for each day past the outside date."""

    per_day: DaysOfRent = Field(default_factory=lambda: days(1))
    at_most: DaysOfRent | None = None
    """Cap on all of them; none if left out."""


class WalkIf(Block):
    """When the tenant uses its right to walk away; any of them is enough, and without any it always does."""

    market_rent_below: OfRent | None = None
    """Market rent over contract rent below which it walks."""
    surplus_above: AnyPower | None = None
    """MW it has beyond its demand above which it walks."""


class LongStop(Block):
    """The tenant may walk away from a phase that is not ready so many days after its target."""

    after_target: Days
    walk_if: WalkIf | None = None
    """Never, if left out: the right is there and is not used."""


class Security(Block):
    """What the developer holds against unpaid rent."""

    amount: DaysOfRent
    form: Literal["cash", "letter_of_credit"] = "letter_of_credit"
    """A deposit in cash, returned at the end; or a bank's letter, which costs a fee."""
    fee: Share = Field(default_factory=lambda: share(0))
    """Fee of the letter a year, over its amount."""
    issuer: Ref | None = None
    """Party that issues the letter; somebody outside if left out."""


class EarlyTermination(Block):
    """The tenant's right to end the lease for a fee."""

    after: Days
    """Days from rent commencement from which it may be used."""
    fee: DaysOfRent
    surplus_above: AnyPower | None = None
    """Used when it has so many MW beyond its demand; never if left out."""


class Relet(Block):
    """What the developer gets for the hall once the lease has ended."""

    after: Days
    """Days of vacancy."""
    at: OfRent = Field(default_factory=lambda: share(1))
    """Rent of the next tenant, over the contract rent then running."""


class Sublease(Block):
    """MW that the tenant does not need are let to others."""

    lag: Days = Field(default_factory=lambda: days(0))
    """Days from surplus to the subtenant's first rent."""
    at: OfRent = Field(default_factory=lambda: share(1))
    """Rent over the contract rent."""


class Lease(Block):
    """The lease that is signed when negotiation and guarantee are done."""

    lessee: Ref | None = None
    """Who signs and pays the developer, if not the tenant; the tenant pays it the same."""
    rent: Rent = Field(default_factory=lambda: number(0, "usd_per_kw_month"))
    """Rent of the first year per kW of IT and month."""
    escalator: Step = Field(default_factory=lambda: share(0))
    """Yearly step of the rent, on anniversaries of commencement."""
    cpi: Cpi | None = None
    """Consumer prices in place of the fixed escalator."""
    term: Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")] = Field(
        default_factory=lambda: days(5478.75)
    )
    """Base term from rent commencement; whole months."""
    abatement: Annotated[Quantity, Number("count", minimum=0, whole=True, constant=True)] = Field(
        default_factory=lambda: number(0, "count")
    )
    """Months without rent from commencement."""
    ramp: tuple[RampStep, ...] = ()
    """Months on part of the rent, after the abatement."""
    rent_commencement: Date | None = None
    """A fixed date on which rent starts; ready for service if left out."""
    target: Date | None = None
    """Target date of ready for service of every phase; close + plan at medians + float if left out."""
    float_days: Days = Field(default_factory=lambda: days(0), alias="float")
    """Float over the plan in the target date."""
    outside: Days | None = None
    """Days after the target at which the outside date falls, before excused days."""
    excused: tuple[Literal["grid", "permits", "shock"], ...] = ("grid", "permits", "shock")
    """Causes whose late days move the outside date."""
    delay_credit: DelayCredit | None = None
    """What the developer owes past the outside date."""
    long_stop: LongStop | None = None
    security: Security | None = None
    early_termination: EarlyTermination | None = None
    sublease: Sublease | None = None
    relet: Relet | None = None
    """Nothing is let again if left out."""
    market_rent: Rent | None = None
    """What such a hall lets for on the market, for walking away, election and re-letting; the contract rent if left
    out."""
    use_value: OfRent | None = None
    """What the hall is worth to a guarantor who takes the lease over, of the contract rent; the market if left out."""
