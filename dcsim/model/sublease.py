"""Subleases: halls that stand ready and idle, and live MW beyond demand, are let to others; and the site bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import half_up

if TYPE_CHECKING:
    from dcsim.model.premises import Premises
    from dcsim.model.site import Site
    from dcsim.model.world import Month, World
    from dcsim.scenario.treasury import Sublet


class Lasting:
    """A surplus as it stood at the end of each month."""

    def __init__(self) -> None:
        self._found: list[tuple[int, float]] = []

    def add(self, minute: int, mw: float) -> None:
        """So much was surplus at the end of a month, just before a minute."""
        self._found.append((minute, mw))

    def since(self, minute: int) -> float:
        """MW that were surplus at the end of every month from the last one at or before a minute on; 0 without one."""
        at = max((i for i, (when, _) in enumerate(self._found) if when <= minute), default=None)
        return 0.0 if at is None else min(mw for _, mw in self._found[at:])


class LetCompute:
    """One tenant's live MW beyond its demand, let to others."""

    def __init__(self, world: World, tenant: str, spec: Sublet) -> None:
        self.world = world
        self.tenant = tenant
        self.spec = spec
        self._surplus = Lasting()

    def bill(self, month: Month, surplus: float, average: float, dollars: float) -> None:
        """Rent of the month that is over, in arrears, at so many dollars for each MW.

        No more MW are let than were beyond demand at every month's end from the lag before the month to its end
        (`surplus`), and than were on its average.
        """
        self._surplus.add(month.end, surplus)
        mw = min(average, self._surplus.since(month.first - self.world.draws.minutes(self.spec.lag)))
        if mw > 0 and half_up(mw * dollars):
            self.world.money.pay(OUTSIDE, self.tenant, "sublease", half_up(mw * dollars), month.end - 1)


class Subletting:
    """One tenant's halls, whole calendar months at a time, its sites in file order."""

    def __init__(self, world: World, tenant: str, sites: list[Site]) -> None:
        self.world = world
        self.tenant = tenant
        self.premises = [p for site in sites for p in site.lease.premises.values()]
        self._surplus = Lasting()
        self._idle: dict[str, float] = {}
        """kW idle at the end of the month before, by phase."""

    def bill(self, month: Month) -> None:
        """Rent of the month that is over, in arrears.

        In all no more MW are let than were surplus from the lag before the month to its end; of a phase no more than
        were idle at its beginning and its end.
        """
        surplus = self.world.surplus_mw(self.tenant)
        self._surplus.add(month.end, surplus)
        if surplus <= 0:
            return  # and nothing can be let next month, as it was none at its beginning
        let_kw, income = 0.0, 0.0
        for premises in self.premises:
            before = self._idle.get(premises.phase.who, 0.0)
            idle = self._idle[premises.phase.who] = _idle_kw(premises)
            free = min(before, idle)
            if free <= 0:
                continue
            sublease = premises.lease.spec.sublease
            assert sublease is not None
            since = month.first - self.world.draws.minutes(sublease.lag)
            free = min(free, 1000 * self._surplus.since(since) - let_kw)
            if free > 0:
                let_kw += free
                income += self.world.draws.value(sublease.at) * premises.running * free / premises.phase.kw
        if half_up(income):
            self.world.money.pay(OUTSIDE, self.tenant, "sublease", half_up(income), month.end - 1)


def _idle_kw(premises: Premises) -> float:
    """kW of a phase that its tenant pays for and has assigned no racks to."""
    phase = premises.phase
    if phase.ended or premises.commenced is None or "ready_for_service" not in phase.milestones.reached:
        return 0.0
    return max(0.0, phase.kw - (phase.hall.used_kw if phase.hall is not None else 0.0))


class Bills:
    """What sites cost their tenants month by month beside rent: energy, minimum take, letters of credit; subleases."""

    def __init__(self, world: World) -> None:
        self.sites = list(world.sites.values())
        tenants = dict.fromkeys(site.tenant for site in self.sites if site.spec.lease.sublease is not None)
        self.subletting = [
            Subletting(world, id, [s for s in self.sites if s.tenant == id and s.spec.lease.sublease is not None])
            for id in tenants
        ]
        world.on_month_end(self._bill)

    def _bill(self, month: Month) -> None:
        for site in self.sites:
            site.energy.bill(month)
            if site.lease.security is not None:
                site.lease.security.bill(month.end)
        for subletting in self.subletting:
            subletting.bill(month)
