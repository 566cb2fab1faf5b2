"""The lease: rent by the calendar, dates, security, and what happens when it ends early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity, is_quantity
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
    """Price inflation a year, drawn for each calendar year after the start; the median for those before it."""
    floor: Step = Field(default_factory=lambda: share(-0.5))
    cap: Step = Field(default_factory=lambda: share(0.5))


class DelayCredit(Block):
    """What the developer owes for each day past the outside date, once the phase is ready or the tenant has left it."""

    per_day: DaysOfRent = Field(default_factory=lambda: days(1))
    """Days of the phase's first rent."""
    at_most: DaysOfRent | None = None
    """Cap on all of them; none if left out."""


class WalkIf(Block):
    """When the tenant uses its right to walk away; any of them is enough, and without any it always does."""

    market_rent_below: OfRent | None = None
    """Market rent over contract rent below which it walks."""
    surplus_above: AnyPower | None = None
    """MW it has beyond its demand above which it walks."""


class LongStop(Block):
    """The tenant may walk away from a phase that is not ready so many days after its target, without a fee."""

    after_target: Days
    walk_if: WalkIf | None = None
    """Asked then, and on each 1st until the phase is ready. Never, if left out: the right is there and is not used."""


class Security(Block):
    """What the developer may draw on if rent is not paid."""

    amount: DaysOfRent
    """Days of the first year's rent of all phases (`3 months of rent`)."""
    form: Literal["cash", "letter_of_credit"] = "letter_of_credit"
    """Cash left in escrow from signing to the end; or a bank's letter, which costs a fee."""
    fee: Share = Field(default_factory=lambda: share(0))
    """Fee of the letter a year, over its amount; billed each month."""
    issuer: Ref | None = None
    """Party that issues the letter; somebody outside if left out."""


def _as_security(raw: object) -> object:
    """A bare amount is that of a letter of credit without a fee."""
    return raw if isinstance(raw, Security) or (isinstance(raw, Mapping) and not is_quantity(raw)) else {"amount": raw}


class EarlyTermination(Block):
    """The tenant's right to end the lease of a phase for a fee."""

    after: Days
    """Days from the phase's rent commencement from which it may be used."""
    fee: DaysOfRent
    """Days of the rent then running."""
    surplus_above: AnyPower
    """Used when the tenant has more MW than these beyond its demand; asked then, and on each 1st."""


class Relet(Block):
    """What the developer gets for a hall that is ready once its lease has ended, until the base term would have."""

    after: Days
    """Days of vacancy."""
    at: OfRent | None = None
    """Rent of the next tenant, over the contract rent then running; the market rent if left out."""


class Sublease(Block):
    """MW that stand ready and idle are let to others, month by month, as far as the tenant has a surplus."""

    lag: Days = Field(default_factory=lambda: days(0))
    """Days for which there must have been a surplus."""
    at: OfRent = Field(default_factory=lambda: share(1))
    """Rent over the contract rent."""


class Lease(Block):
    """The lease that is signed when negotiation and guarantee are done."""

    lessee: Ref | None = None
    """Who signs and pays the developer, if not the tenant; the tenant pays it the same. It pays out of nothing else:
    when the tenant stops paying, so does the lessee."""
    rent: Rent = Field(default_factory=lambda: number(0, "usd_per_kw_month"))
    """Rent of the first year per kW of IT and month."""
    escalator: Step = Field(default_factory=lambda: share(0))
    """Yearly step of the rent, on anniversaries of commencement."""
    cpi: Cpi | None = None
    """Consumer prices in place of the fixed escalator."""
    term: Annotated[Quantity, Number("days", minimum=1, maximum=36525, constant=True, worse="low")] = Field(
        default_factory=lambda: days(5478.75)
    )
    """Base term of each phase from its own rent commencement, in whole calendar months; then the tenant leaves."""
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
    security: (
        Annotated[Security, BeforeValidator(_as_security, json_schema_input_type=Security | DaysOfRent)] | None
    ) = None
    """A block, or an amount in days of rent."""
    early_termination: EarlyTermination | None = None
    sublease: Sublease | None = None
    relet: Relet | None = None
    """Nothing is let again if left out."""
    market_rent: Rent | None = None
    """What such a hall lets for on the market, for walking away, election and re-letting; the contract's first rent if
    left out."""
    use_value: OfRent | None = None
    """What the hall is worth to a guarantor who takes the lease over, of the contract rent; the market if left out."""
