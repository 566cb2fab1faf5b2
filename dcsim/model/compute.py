"""A tenant's compute month by month: owned live MW first, then clouds, then on demand; the rest is unserved.

A month is settled on its averages: what demand leaves after owned live MW is met by the contracts in their order of
use, then on demand up to its limit. Without demand everything that is live or rented is used. A tenant in default buys
nothing any more: its last month runs to its default.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import TYPE_CHECKING, NamedTuple

from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import DAY, half_up
from dcsim.model.cloud import MONTHS, CloudContract
from dcsim.model.demand import Demand
from dcsim.model.sublease import LetCompute

if TYPE_CHECKING:
    from dcsim.model.world import Month, World


class Rates(NamedTuple):
    """What was in force when a month, or what is settled of it, was over."""

    end: int
    """The minute after its last."""
    running_cost: float
    """Dollars a MW and year."""
    offers: tuple[tuple[float, float | None], ...]
    """MW of each contract in its last minute, and dollars a MW and year."""
    limit: float
    """MW that can be bought on demand."""
    on_demand: float | None
    """Dollars a MW and year of it; None if it follows the contracts."""
    premium: float
    let_at: float | None
    """Dollars a MW and year for which what is owned beyond demand is let; None if it follows the contracts."""
    let_share: float
    """Over that price."""


class Compute:
    """What one tenant owns, rents, wants and gets. MW are averages of a month, unless they are at its end."""

    def __init__(self, world: World, tenant: str) -> None:
        self.world = world
        self.tenant = tenant
        self.party = world.parties[tenant]
        self.spec = spec = world.spec.tenants[tenant]
        self.demand = Demand(world, tenant, spec.demand) if spec.demand is not None else None
        sublet = spec.demand.sublet if spec.demand is not None else None
        self._let = LetCompute(world, tenant, sublet) if sublet is not None else None
        mine = [cloud for cloud in world.clouds.values() if cloud.tenant == tenant]
        self.clouds: list[CloudContract] = sorted(mine, key=lambda cloud: cloud.spec.priority)
        """In the order of their use."""
        self._may_leave = any(c.spec.ends_early and c.spec.ends_early.surplus_above for c in self.clouds)
        self.live_mw: list[float] = []
        self.served_mw: list[float] = []
        """Of demand, or of all there is without one, by month (of the month of a default, up to it)."""
        self.months: list[float] = []
        """How much of each calendar month has been settled: 1 of a whole one."""
        self.on_demand = 0
        """Dollars billed for what was bought on demand."""
        self.operations = 0
        """Dollars billed for running what is owned, energy apart."""
        self.unserved_mw_days = 0.0
        self.on_demand_mw_days = 0.0
        self.rented_price: list[float | None] = []
        """Dollars a MW and year of what the clouds offered at the end of each month, on average; None without any."""
        self.owned_share: dict[int, float | None] = {}
        """Owned live MW over all compute at the end of each year; None without any."""
        self._cloud: list[float] = []
        self._wanted: list[float] = []
        self._unserved: list[float] = []
        self._read = 0.0
        self._last_read: float | None = None
        self._dearest = 0.0
        self._average = 0.0
        """Dollars a MW and year of the contracts, as last known."""
        self._rates: Rates | None = None
        self.party.on("default", self._defaulted)
        if self.demand is not None or self.clouds:
            world.record.history.compute[tenant] = (self._cloud, self._wanted, self._unserved)
        if world.changeable:
            world.on_month(self._month_over)  # before what strikes in the same minute
        world.on_month_end(self._month_end)

    def _month_over(self) -> None:
        self._rates = self._in_force(self.world.clock.now)
        if self.demand is not None:
            self.demand.refresh()

    def _defaulted(self) -> None:
        """The meter is read for the last time."""
        now = self.world.clock.now
        self._last_read = self._meter(now)
        if now > 0:
            self._rates = self._in_force(now)

    def _meter(self, minute: int) -> float:
        """kW-minutes that owned compute has been live."""
        return self.world.record.meters[self.tenant, "live"].until(minute)

    def _in_force(self, end: int) -> Rates:
        world, demand = self.world, self.spec.demand
        spec, sublet = (demand.on_demand, demand.sublet) if demand is not None else (None, None)
        draws = world.draws
        price = None if spec is None or spec.price is None else draws.value(spec.price) * 1e6
        return Rates(
            end,
            draws.value(self.spec.running_cost) * 1e6,
            tuple([cloud.offer(end - 1) for cloud in self.clouds]),
            0.0 if spec is None else world.now(spec.limit).value,
            price,
            1.0 if spec is None else draws.value(spec.premium),
            None if sublet is None or sublet.price is None else draws.value(sublet.price) * 1e6,
            1.0 if sublet is None else draws.value(sublet.at),
        )

    def _rates_of(self, end: int) -> Rates:
        return self._rates if self._rates is not None and self._rates.end == end else self._in_force(end)

    # A month.

    def _month_end(self, month: Month) -> None:
        defaulted = self.party.defaulted
        end = month.end if defaulted is None else min(month.end, defaulted)
        if self.demand is not None:
            if month.end > self.world.clock.now:
                self.demand.refresh()
            self.demand.grow(month.first, month.end)
        if end > month.first:
            self._settle(month, self._rates_of(end))
        else:
            for series in (self.live_mw, self.served_mw, self.months):
                series.append(0.0)
        self._look(month, self._rates_of(month.end))
        if self._may_leave and self.party.stands:
            self._give_notice(month.end - 1)
        if self.demand is not None:
            self.demand.wander(month)

    def _settle(self, month: Month, rates: Rates) -> None:
        """Share out what was wanted, and pay for it."""
        length = rates.end - month.first
        months = length / _calendar_minutes(self.world.blueprint.date_of(month.first))
        read = self._meter(month.end) if self._last_read is None else self._last_read
        live, self._read = (read - self._read) / 1000 / length, read
        wanted = self.demand.mean(month.first, rates.end) if self.demand is not None else None
        left = None if wanted is None else max(0.0, wanted - live)
        served = live if wanted is None else min(live, wanted)
        self.operations += self._pay("operations", rates.running_cost / MONTHS * live * months, rates.end - 1)
        for cloud, (_, price) in zip(self.clouds, rates.offers, strict=True):
            offered = cloud.mw_minutes(rates.end) / length
            used = offered if left is None else min(offered, left)
            served += used
            left = None if left is None else left - used
            cloud.displace(live, months, price)
            cloud.bill(rates.end, used / offered if offered > 0 else 0.0)
        if left is not None:
            bought = min(left, rates.limit)
            self._dearest = max((price for _, price in rates.offers if price is not None), default=self._dearest)
            price = self._dearest if rates.on_demand is None else rates.on_demand
            cost = price * rates.premium / MONTHS * bought * months
            self.on_demand += self._pay("on demand", cost, rates.end - 1)
            served += bought
            self.on_demand_mw_days += bought * length / DAY
            self.unserved_mw_days += (left - bought) * length / DAY
        self.live_mw.append(live)
        self.served_mw.append(served)
        self.months.append(months)

    def _pay(self, kind: str, dollars: float, minute: int) -> int:
        whole = half_up(dollars)
        if whole:
            self.world.money.bill(self.tenant, OUTSIDE, kind, whole, minute)
        return whole

    # The end of a month.

    def _look(self, month: Month, rates: Rates) -> None:
        """Write down how things stand at the end of a month."""
        live = self._live_before(month.end)
        cloud_mw = sum(mw for mw, _ in rates.offers)
        cost = sum(mw * price for mw, price in rates.offers if price is not None)
        self.rented_price.append(cost / cloud_mw if cloud_mw > 0 else None)
        bought = unserved = 0.0
        wanted = float("nan")
        if self.demand is not None:
            wanted = self.demand.level(month.end)
            self._sublet(month, live - wanted, self.rented_price[-1], rates)
            missing = max(0.0, wanted - live - cloud_mw)
            bought = min(missing, rates.limit) if self.party.stands else 0.0
            unserved = missing - bought
        self._cloud.append(cloud_mw)
        self._wanted.append(wanted)
        self._unserved.append(unserved if self.demand is not None else float("nan"))
        date: dt.date = self.world.blueprint.date_of(month.end - 1)
        if date.month == MONTHS and date.day == 31:
            whole = live + cloud_mw + bought
            self.owned_share[date.year] = live / whole if whole > 0 else None

    def _sublet(self, month: Month, surplus: float, rented: float | None, rates: Rates) -> None:
        """Let what is live beyond demand at a month's end, unless the tenant is in default."""
        self._average = self._average if rented is None else rented
        if self._let is not None and self.demand is not None and self.party.stands:
            average = self.live_mw[-1] - self.demand.mean(month.first, month.end)
            price = self._average if rates.let_at is None else rates.let_at
            self._let.bill(month, surplus, average, rates.let_share * price / MONTHS * self.months[-1])

    def _live_before(self, minute: int) -> float:
        """Owned live MW just before a minute, which is now or the next."""
        live = self.world.record.meters[self.tenant, "live"].level / 1000
        for at, tenant, measure, mw in reversed(self.world.record.history.changes):
            if at < minute:
                break
            if tenant == self.tenant and measure == "live":
                live -= mw
        return max(0.0, live)

    # What others ask.

    @property
    def surplus_mw(self) -> float:
        """Owned live MW and what the clouds offer now, beyond demand; halls that wait for chips are no compute."""
        return max(0.0, self._beyond(self.clouds, self.world.clock.now))

    def _beyond(self, clouds: list[CloudContract], minute: int) -> float:
        if self.demand is None:
            return 0.0
        live = self.world.record.meters[self.tenant, "live"].level / 1000
        return live + sum(cloud.mw(minute) for cloud in clouds) - self.demand.at(minute)

    def _give_notice(self, minute: int) -> None:
        """End the contracts that a surplus makes superfluous, the least preferred first."""
        for cloud in reversed(self.clouds):
            early = cloud.spec.ends_early
            if early is None or early.surplus_above is None or cloud.notice is not None:
                continue
            stays = [other for other in self.clouds if other.notice is None]
            above = self.world.now(early.surplus_above).value
            if cloud.stands and cloud.mw(minute) > 0 and self._beyond(stays, minute) > above:
                cloud.give_notice("the tenant")


def _calendar_minutes(date: dt.date) -> int:
    """Minutes of the calendar month of a date."""
    return monthrange(date.year, date.month)[1] * DAY
