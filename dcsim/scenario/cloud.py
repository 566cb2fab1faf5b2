"""Compute rented from clouds beside the leased halls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity, is_quantity
from dcsim.scenario.constant import days, number, share
from dcsim.scenario.fields import AnyPower, Block, Date, Days, Dollars, Factor, Number, Ref, Share, Success, Whole

Frequency = Annotated[Quantity, Number("per_year", minimum=0, maximum=365, constant=True)]


def steps(raw: object) -> object:
    """A bare number holds from the beginning of time."""
    return raw if isinstance(raw, Mapping) and not is_quantity(raw) else {"0001-01-01": raw}


PowerPath = Annotated[
    dict[Date, AnyPower], BeforeValidator(steps, json_schema_input_type=dict[Date, AnyPower] | AnyPower)
]
"""MW from dates on."""


class TakeOrPay(Block):
    """What is paid whether used or not: by contract year, made up for at the end of each."""

    share: Share | None = None
    """Of each year's contracted amount; or"""
    amount: Dollars | None = None
    """so much,"""
    over: Literal["term", "year"] = "term"
    """in all over the term, spread over its years as the contracted MW-days are; or in each contract year."""
    carry_forward: Annotated[Quantity, Number("days", minimum=0, constant=True)] = Field(
        default_factory=lambda: days(0)
    )
    """For how long (whole calendar months from the end of the year) what was paid and not used pays for later use
    above the minimum."""


def _as_list(raw: object) -> object:
    return [raw] if isinstance(raw, str) else raw


def _as_take_or_pay(raw: object) -> object:
    if raw == "all":
        return {"share": 1}
    return raw if isinstance(raw, Mapping) and not is_quantity(raw) else {"share": raw}


class EndsEarly(Block):
    """Who may end the contract with notice; what it obliges to ends with it."""

    by: Annotated[tuple[Literal["provider", "tenant"], ...], BeforeValidator(_as_list)] = ("provider",)
    notice: Days = Field(default_factory=lambda: days(0))
    recalled: Frequency = Field(default_factory=lambda: number(0, "per_year"))
    """How often a year the provider gives notice, once the contract runs; at random, and besides by a shock."""
    surplus_above: AnyPower | None = None
    """The tenant gives notice at the end of a month in which it has more MW than so many beyond its demand, counting
    what is under notice as gone; never if left out."""


class CloudRenewal(Block):
    """What follows the term, again and again: the MW of its last day, unless somebody has given notice."""

    chance: Success = Field(default_factory=lambda: share(1))
    """Asked when the term is over."""
    term: Annotated[Quantity, Number("days", minimum=1, constant=True)]
    """In whole calendar months, at least one."""
    price_times: Factor = Field(default_factory=lambda: number(1))
    """Price, and minimum a MW-day, over those of the term before."""


class Displaced(Block):
    """What the provider loses when the tenant owns: business that would have come to it, at the contract's price."""

    share: Share = Field(default_factory=lambda: share(0))
    """Of owned live MW."""
    margin: Share = Field(default_factory=lambda: share(0))
    """Its margin on that business."""


class Cloud(Block):
    """A contract for compute."""

    provider: Ref
    tenant: Ref | None = None
    """Who rents; may be left out with one tenant."""
    start: Date = Field(alias="from")
    until: Date
    """Last day of the term."""
    mw: PowerPath
    """MW of IT that it stands for, from dates on."""
    price: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] | None = None
    """Per MW and year, a twelfth for each calendar month; or"""
    fee: Annotated[Quantity, Number("usd_m_per_month", minimum=0)] | None = None
    """for the whole, a month; of which the share is paid that is used of its MW."""
    take_or_pay: Annotated[
        TakeOrPay,
        BeforeValidator(_as_take_or_pay, json_schema_input_type=TakeOrPay | Share | Literal["all"]),
    ] = Field(default_factory=TakeOrPay)
    """Share, amount, or `all` (then due month by month); without it only what is used is paid."""
    ends_early: EndsEarly | None = None
    renewal: CloudRenewal | None = None
    displaced_by_owned: Displaced | None = None
    priority: Whole = 0
    """Order of use: lower first."""
