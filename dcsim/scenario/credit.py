"""Guarantors of rents and loans: the framework, the limit, the terms, and a site's request."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity
from dcsim.scenario.constant import days, share
from dcsim.scenario.fields import (
    After,
    Block,
    Days,
    FixedDollars,
    Names,
    Number,
    Rating,
    Ref,
    Share,
    Success,
    When,
    Whole,
)

Effective = Literal["signing", "financial_close", "rent_commencement"]
Part = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, exclusive=True, constant=True, of="cover")]


class Approval(Block):
    """What a guarantor does with a request once it has headroom for it."""

    delay: Days = Field(default_factory=lambda: days(0))
    """Days from reserved headroom to the answer."""
    chance: Success = Field(default_factory=lambda: share(1))
    """Chance that the answer is yes."""


class Framework(Block):
    """The agreement that a guarantor signs before it grants any request."""

    signed: When
    """When it is signed, if it comes about."""
    chance: Success = Field(default_factory=lambda: share(1))
    """Chance that it comes about at all."""


class Cap(Block):
    """What bounds the guarantor's payments in all; what it has paid is not made up again."""

    basis: Literal["loan", "remaining_rent", "fixed"] = "loan"
    """The loan (lenders' `cap_to_loan` times it), the rent of the base term, or an amount."""
    amount: FixedDollars | None = None
    """The amount of a fixed cap."""


class CapStep(Block):
    """From a date on, only a share of the cap is left."""

    after: Annotated[Quantity, Number("days", minimum=0, constant=True)]
    """Days from where the step-down counts."""
    share: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True, of="cap")]


class StepDown(Block):
    """How the cap falls: by one schedule."""

    start: Effective = Field(default="rent_commencement", alias="from")
    """What it counts from (of a site with several phases: the first that commences)."""
    over: Annotated[Quantity, Number("days", minimum=0, exclusive=True, constant=True)] | None = None
    """Straight to nothing over so many days."""
    shape: Literal["straight_line", "with_loan", "steps"] = "straight_line"
    """A line, the loan's balance over its highest, or the steps below."""
    steps: tuple[CapStep, ...] = ()
    """One after the other, each lower than the one before."""


class Fee(Block):
    """What the guarantor earns."""

    paid_by: Literal["developer", "tenant"] = "developer"
    rate: Share = Field(default_factory=lambda: share(0))
    """Of the cover then committed, a year: a twelfth each month, in arrears, of its average over the month."""
    warrants: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="cap")] = Field(
        default_factory=lambda: share(0)
    )
    """Worth of the developer's warrants, of the cap at financial close; no cash moves."""


class Call(Block):
    """The clock of a call, in days one after the other."""

    grace: Days = Field(default_factory=lambda: days(0))
    """From the due date to the notice."""
    cure: Days = Field(default_factory=lambda: days(0))
    """From the notice to the demand."""
    pay_within: Days = Field(default_factory=lambda: days(0))
    """From the demand to the payment of all arrears."""


class Replace(Block):
    """What a guarantor's downgrade asks for."""

    below: Rating
    """Rating below which it must be replaced."""
    within: Days
    """Days to find another guarantor, of those whom the site may ask."""
    otherwise: Literal["draw_stop", "lease_end"] = "draw_stop"
    """What follows if none is found: loan draws stop until one is, or the lease ends."""


class Terms(Block):
    """Terms of a guarantee."""

    covers: Literal["rent", "rent_and_loan", "loan"] = "rent"
    """The claims it stands behind: the developer's for rent, the lenders' for the loan; one cap for both."""
    cap: Cap = Field(default_factory=Cap)
    effective: Effective = "rent_commencement"
    """From when it can be called; before that a failure of the tenant is not covered. From rent commencement it covers
    each phase from its own."""
    step_down: StepDown | None = None
    """How the cap falls; it stays if left out."""
    election: Literal["cheaper", "pay", "terminate", "assume"] = "cheaper"
    """What it does when called: pay as due, pay the termination fee, take the lease over; or the cheapest of these."""
    assume_at_discount: Share = Field(default_factory=lambda: share(0))
    """Discount on the rent if it takes the lease over."""
    termination_fee: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="cap")] = Field(
        default_factory=lambda: share(1)
    )
    """Fee for ending the lease, of the stepped cap."""
    discount_rate: Share = Field(default_factory=lambda: share(0))
    """The guarantor's own rate a year, at which it compares."""
    fee: Fee | None = None
    call: Call = Field(default_factory=Call)
    replace: Replace | None = None


class Guarantee(Block):
    """Makes a party a guarantor of rents."""

    limit: FixedDollars | None = None
    """The most that it has committed at any time; no limit if left out."""
    max_cap: FixedDollars | None = None
    """The most that it offers one site; then cap over ratio binds the loan."""
    framework: Framework | None = None
    approval: Approval = Field(default_factory=Approval)
    terms: Terms = Field(default_factory=Terms)


class GuaranteeRequest(After):
    """Asks guarantors to stand behind the rent: one after the other, or several at once."""

    guarantors: Names = Field(default=(), alias="from")
    """Parties with a `guarantee` block, tried in order."""
    together: dict[Ref, Part] = Field(default_factory=dict)
    """Several at once, pari passu: shares of the cover and of each call, 1 in all. Those in `from` then only replace
    one that is downgraded."""
    beneficiary: Ref | None = None
    """To whom it is given; must be the creditor of what is covered: the developer for rent, a lender for a loan (of
    which then only its own part is covered)."""
    patience: Days | None = None
    """Days of queueing for headroom after which the site ends unguaranteed."""
    priority: Whole = 0
    terms: Terms | None = None
    """Terms of this site's guarantee; what is left out is as the (first) guarantor's usual ones say."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Whom it asks first of all: all of those together, else one by one."""
        return tuple(self.together) or self.guarantors


def terms_of(usual: Terms, request: GuaranteeRequest | None) -> Terms:
    """A guarantor's terms, with those of the site's request in place of its own, field by field."""
    own = request.terms if request is not None else None
    if own is None:
        return usual
    return usual.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
