"""Parties and what each can do: lend, guarantee, supply."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity, is_quantity, parse_quantity
from dcsim.scenario.fields import (
    Block,
    Date,
    Days,
    Factor,
    FixedDollars,
    Id,
    Number,
    Rating,
    Ref,
    Share,
    Success,
    When,
)

Rate = Annotated[Quantity, Number("fraction", minimum=0, maximum=1)]


@cache
def days(value: float) -> Quantity:
    """A constant duration, for defaults."""
    return parse_quantity(value, "days")


@cache
def share(value: float) -> Quantity:
    """A constant fraction, for defaults."""
    return parse_quantity(value, "fraction", constant=True)


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


class Terms(Block):
    """Terms of a guarantee."""

    covers: Literal["rent", "rent_and_loan"] = "rent"
    """The claims it stands behind."""
    effective: Literal["signing", "financial_close", "rent_commencement"] = "rent_commencement"
    """From when it can be called; before that a failure of the tenant is not covered."""


class Guarantee(Block):
    """Makes a party a guarantor of rents."""

    limit: FixedDollars | None = None
    """The most that it has committed at any time; no limit if left out."""
    max_cap: FixedDollars | None = None
    """The most that it offers one site; then cap over ratio binds the loan."""
    framework: Framework | None = None
    approval: Approval = Field(default_factory=Approval)
    terms: Terms = Field(default_factory=Terms)


class Lending(Block):
    """Makes a party a lender to developers."""

    capacity: FixedDollars | None = None
    """What it can lend in all; no limit if left out."""
    per_tenant: FixedDollars | None = None
    """What it can lend against one tenant."""
    per_guarantor: FixedDollars | None = None
    """What it can lend behind one guarantor."""
    min_rating: Rating | None = None
    """Rating that the tenant, or else the guarantor, must have."""
    rate: Rate = Field(default_factory=lambda: share(0))
    """Interest a year."""
    ltc: Share = Field(default_factory=lambda: share(1))
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
    """Bonds are drawn at close, bank loans as cost is spent."""
    takes_part: Success = Field(default_factory=lambda: share(1))
    """Chance that it lends to these sites at all, drawn once."""


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
    holds: dict[Ref, Factor] = Field(default_factory=dict)
    """Shares of equity in other parties."""
    guarantee: Guarantee | None = None
    lending: Lending | None = None
    supply: Supply | None = None
