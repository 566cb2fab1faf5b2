"""Lenders, and the developer's loan and equity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import days, number, share
from dcsim.scenario.fields import After, Block, Days, FixedDollars, Names, Number, Rating, Ref, Share, Success, YesNo

Rate = Annotated[Quantity, Number("fraction", minimum=0, maximum=1)]
OfCost = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="cost")]
OfLoan = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="loan")]
Period = Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")]


class Refinancing(Block):
    """What happens to the balloon at the end of the loan's tenor."""

    chance: Success = Field(default_factory=lambda: share(1))
    """Chance that somebody outside refinances it; if nobody does, or rent has stopped, the loan defaults."""
    rate: Rate | None = None
    """Rate of the new loan; that of the old if left out."""


class Lending(Block):
    """Makes a party a lender to developers."""

    capacity: FixedDollars | None = None
    """What it can lend in all, less what it loses in defaults; no limit if left out. A commitment uses it until its
    loan is over: what is repaid is not lent again."""
    per_tenant: FixedDollars | None = None
    """What it can lend against one tenant."""
    per_guarantor: FixedDollars | None = None
    """What it can lend behind one guarantor."""
    min_rating: Rating | None = None
    """Rating that the tenant, or else the guarantor, must have: to close, and to draw."""
    rate: Rate = Field(default_factory=lambda: share(0))
    """Interest a year. While the site is built, a twelfth each month on the balance with which it begins; then a
    twelfth of the year's on the balance with which each year of repayment begins."""
    upfront_fee: OfLoan = Field(default_factory=lambda: share(0))
    """Fee at close, of the loan."""
    commitment_fee: Rate = Field(default_factory=lambda: share(0))
    """Fee a year on what is not drawn yet, a twelfth each month."""
    ltc: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="cost")] = Field(
        default_factory=lambda: share(1)
    )
    """Loan over total cost, at most."""
    dscr: Annotated[Quantity, Number("number", minimum=1)] | None = None
    """Debt service cover that sizes the loan; not asked if left out."""
    cap_to_loan: Annotated[Quantity, Number("fraction", minimum=0, maximum=10, constant=True)] = Field(
        default_factory=lambda: share(1)
    )
    """Guarantee cap over loan that it requires."""
    closing: Days = Field(default_factory=lambda: days(0))
    """Days from the start of underwriting until it can close."""
    drawn: Literal["at_close", "as_spent"] = "as_spent"
    """Bonds are drawn at close and the money is kept until it is spent; bank loans are drawn as cost is spent."""
    tenor: Period | None = None
    """From close to maturity, the end of a month, when what is left falls due; not before all is ready for service.
    The sizing period if left out, and then nothing is left."""
    refinancing: Refinancing = Field(default_factory=Refinancing)
    takes_part: Success = Field(default_factory=lambda: share(1))
    """Chance that it lends to these sites at all, drawn once."""


class Retry(Block):
    """How a loan that could not close is tried again."""

    every: Annotated[Quantity, Number("days", minimum=0, exclusive=True)]
    until: Days
    """Deadline in days after lease signing; then the site is unfinanced."""


class Sizing(Block):
    """How cash flow sizes the loan, and how it is repaid."""

    over: Period = Field(default_factory=lambda: days(5478.75))
    """Period over which debt service is sized, and the loan is repaid once all is ready: whole years, and no longer
    than the base term of the lease."""
    shape: Literal["sculpted", "level"] = "sculpted"
    """Debt service that follows the rent less the landlord's cost, or the same every year."""


class Loss(Block):
    """What lenders lose when a loan defaults, of what it still owes them after the project's own money."""

    covered: Share = Field(default_factory=lambda: share(0))
    """Where a guarantee could be called when rent stopped or the lease ended."""
    uncovered: Share = Field(default_factory=lambda: share(0))
    """Where none could."""


class Financing(After):
    """The developer's loan and equity."""

    lenders: Names
    """Parties with a `lending` block, in order."""
    cost: Annotated[Quantity, Number("usd_m_per_mw", minimum=0)]
    """Cost per MW of IT."""
    cost_includes: Literal["everything", "works"] = "everything"
    """Whether contingency, interest and fees until all is ready for service are within that cost, or come on top."""
    equity: OfCost = Field(default_factory=lambda: share(1))
    """Share of the whole cost, interest and fees included, that the developer can bring."""
    equity_first: YesNo = False
    """Equity is spent before the loan is drawn, instead of beside it."""
    contingency: OfCost = Field(default_factory=lambda: share(0))
    """Set aside for overruns, delay and carry, over the cost above; brought by loan and equity when it is needed."""
    overrun: Annotated[Quantity, Number("fraction", minimum=-0.5, maximum=5, of="cost")] = Field(
        default_factory=lambda: share(0)
    )
    """Works cost more than budgeted by this share."""
    completion_guarantee: Ref | None = None
    """Who pays for the works what the contingency does not reach for; the developer's own money if left out."""
    landlord_cost: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] = Field(
        default_factory=lambda: number(0, "usd_m_per_mw_year")
    )
    sizing: Sizing = Field(default_factory=Sizing)
    retry: Retry | None = None
    loss_given_default: Loss = Field(default_factory=Loss)
