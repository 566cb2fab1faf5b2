"""A tenant's demand and treasury."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from dcsim.quantity import Quantity
from dcsim.scenario.cloud import PowerPath
from dcsim.scenario.constant import number, share
from dcsim.scenario.fields import AnyPower, Block, Days, Dollars, Factor, Loads, Number, Share, Success, When

Price = Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0, worse="low")]


class OnDemand(Block):
    """Compute bought by the hour when contracts do not reach."""

    limit: AnyPower
    """MW that can be had."""
    premium: Factor = Field(default_factory=lambda: number(1))
    """Factor on the price below."""
    price: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] | None = None
    """Per MW and year; that of the dearest contract of the time (of the last that ran) if left out."""


class Sublet(Block):
    """Owned live MW beyond demand are let to others, whole calendar months at a time."""

    lag: Days = Field(default_factory=lambda: number(0, "days"))
    """Days for which there must have been so many."""
    at: Annotated[Quantity, Number("fraction", minimum=0, maximum=5, of="price", worse="low")] = Field(
        default_factory=lambda: share(1)
    )
    """What they fetch, over the price below."""
    price: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0, worse="low")] | None = None
    """Per MW and year; the average of what the contracts of the time cost (of the last that ran) if left out."""


class Demand(Block):
    """MW that the tenant could use."""

    path: PowerPath
    """MW at dates; straight between them, level after the last."""
    growth: Factor = Field(default_factory=lambda: number(1))
    """Factor on the growth of the path beyond its first value; one that changes holds for the growth from then on."""
    volatility: Annotated[Quantity, Number("per_year", minimum=0, maximum=5, constant=True)] = Field(
        default_factory=lambda: number(0, "per_year")
    )
    """Standard deviation of its logarithm after a year; it wanders month by month around the path, its median."""
    loads: Loads = Field(default_factory=dict)
    """Correlations of that wandering with common factors, whose high side is low demand."""
    training_share: Share = Field(default_factory=lambda: share(0))
    """Share of the MW that is served which trains and earns nothing."""
    on_demand: OnDemand | None = None
    sublet: Sublet | None = None
    """What rented MW are beyond demand is not let: such a contract can be ended (`ends_early`)."""


class Ipo(Block):
    """Going public: once, or never."""

    date: When
    """A date, a day of the scenario or a law of dates; moved while it has not come, it comes later."""
    amount: Annotated[Quantity, Number("usd_m", minimum=0, worse="low")]
    chance: Success = Field(default_factory=lambda: share(1))
    """Chance that it comes about; asked on its date, with what then is in force."""
    retry: Days | None = None
    """A window that is shut is tried again so many days later; never if left out."""


class Round(Block):
    """A round of equity."""

    date: When
    """A date, a day of the scenario or a law of dates."""
    amount: Annotated[Quantity, Number("usd_m", minimum=0, worse="low")]
    chance: Success = Field(default_factory=lambda: share(1))
    by: str | None = None
    """Party that invests; somebody outside if left out."""


class DefaultClock(Block):
    """From a missed payment to default."""

    grace: Days = Field(default_factory=lambda: number(0, "days"))
    cure: Days = Field(default_factory=lambda: number(0, "days"))


def _rounds(raw: object) -> object:
    return [raw] if isinstance(raw, Mapping) else raw


class Treasury(Block):
    """The tenant's money, month by month: it can run out of it."""

    cash: Dollars = Field(default_factory=lambda: number(0, "usd_m"))
    """At the start."""
    price: Price = Field(default_factory=lambda: number(0, "usd_m_per_mw_year"))
    """Revenue of a MW that serves, a year."""
    price_trend: Annotated[Quantity, Number("per_year", minimum=-1, maximum=1)] = Field(
        default_factory=lambda: number(0, "per_year")
    )
    """Change of that price a year."""
    operating_cost: Annotated[Quantity, Number("fraction", minimum=0, maximum=5, of="revenue")] = Field(
        default_factory=lambda: share(0)
    )
    """People and all else that is no compute, of revenue."""
    fixed_cost: Annotated[Quantity, Number("usd_m_per_month", minimum=0)] = Field(
        default_factory=lambda: number(0, "usd_m_per_month")
    )
    revolver: Dollars = Field(default_factory=lambda: number(0, "usd_m"))
    """Line of credit: drawn at the end of a month in which cash would fall below nothing, repaid first."""
    revolver_rate: Share = Field(default_factory=lambda: share(0))
    """Interest a year on what is drawn, a twelfth a month."""
    ipo: Ipo | None = None
    rounds: Annotated[tuple[Round, ...], BeforeValidator(_rounds)] = ()
    default: DefaultClock = Field(default_factory=DefaultClock)
    discount_rate: Share = Field(default_factory=lambda: share(0))
    """Rate of present values."""
    cost_of_capital: Share = Field(default_factory=lambda: share(0))
    """Charged on owned hardware that is not written off yet."""
