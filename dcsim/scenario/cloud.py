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
    """What is paid whether used or not."""

    share: Share | None = None
    """Of each year's contracted amount; or"""
    amount: Dollars | None = None
    """in all over the term, spread over its years as the contracted MW are."""
    carry_forward: Annotated[Quantity, Number("days", minimum=0, constant=True)] = Field(
        default_factory=lambda: days(0)
    )
    """For how long what was paid and not used counts towards later use above the minimum."""


def _as_take_or_pay(raw: object) -> object:
    if raw == "all":
        return {"share": 1}
    return raw if isinstance(raw, Mapping) and not is_quantity(raw) else {"share": raw}


class EndsEarly(Block):
    """Who may end the contract with notice."""

    by: tuple[Literal["provider", "tenant"], ...] = ("provider",)
    notice: Days = Field(default_factory=lambda: days(0))
    recalled: Frequency = Field(default_factory=lambda: number(0, "per_year"))
    """How often a year the provider gives notice; at random."""


class CloudRenewal(Block):
    """What follows the term."""

    chance: Success = Field(default_factory=lambda: share(1))
    term: Annotated[Quantity, Number("days", minimum=1, constant=True)]
    price_times: Factor = Field(default_factory=lambda: number(1))


class Displaced(Block):
    """What the provider loses when the tenant owns: business that would have come to it."""

    share: Share = Field(default_factory=lambda: share(0))
    """Of owned live MW."""
    margin: Share = Field(default_factory=lambda: share(0))
    """Its margin on that business."""


class Cloud(Block):
    """A contract for compute."""

    provider: Ref
    tenant: Ref | None = None
    """Who rents; may be left out with one tenant."""
    product: Ref | None = None
    """Chip product whose owned MW it is compared with; any if left out."""
    start: Date = Field(alias="from")
    until: Date
    """Last day of the term."""
    mw: PowerPath
    """MW of IT that it stands for, from dates on."""
    price: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] | None = None
    """Per MW and year; or"""
    fee: Annotated[Quantity, Number("usd_m_per_month", minimum=0)] | None = None
    """for the whole, a month."""
    take_or_pay: Annotated[TakeOrPay, BeforeValidator(_as_take_or_pay)] = Field(default_factory=TakeOrPay)
    """Share, amount, or `all`; without it only what is used is paid."""
    ends_early: EndsEarly | None = None
    renewal: CloudRenewal | None = None
    displaced_by_owned: Displaced | None = None
    priority: Whole = 0
    """Order of use: lower first."""
