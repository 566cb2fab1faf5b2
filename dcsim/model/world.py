"""One replication: everything wired together, run, checked, and handed over. It decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

from dcsim.engine.calendar import Calendar
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.draws import Draws, PlanDraws
from dcsim.engine.log import EventLog
from dcsim.engine.pool import Pool
from dcsim.errors import ModelError, UsageError, suggest
from dcsim.model.blueprint import YEAR, Blueprint, half_up
from dcsim.model.chips import Chips
from dcsim.model.cloud import CloudContract
from dcsim.model.compute import Compute
from dcsim.model.credit import Guarantor
from dcsim.model.decision import Policy, Tenant
from dcsim.model.developers import watch_developers
from dcsim.model.edits import Edits
from dcsim.model.ending import audit_books, finish
from dcsim.model.equipment import Maker
from dcsim.model.grid import Region
from dcsim.model.hardware import Hardware
from dcsim.model.hazards import Hazards
from dcsim.model.history import History
from dcsim.model.lender import Lender
from dcsim.model.milestones import Milestones
from dcsim.model.money import Money
from dcsim.model.parties import make_parties
from dcsim.model.record import Record
from dcsim.model.regime import Market
from dcsim.model.shocks import Shocks
from dcsim.model.site import Site
from dcsim.model.sublease import Bills
from dcsim.model.supply import Supplier
from dcsim.model.treasury import Treasury, settle
from dcsim.network.contracts import Book
from dcsim.quantity import Quantity
from dcsim.scenario.fields import When
from dcsim.scenario.scenario import Scenario
from dcsim.scenario.tenant import Team


class Month(NamedTuple):
    """A calendar month that is over."""

    number: int
    """0 for that of the start."""
    first: int
    """Its first minute (the start, in the first)."""
    end: int
    """The minute after its last."""


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class World:
    """A scenario coming to life once, with one replication's draws.

    `unlimited` lifts every shared limit (the plan, which knows no shocks unless `dated_shocks` asks for them).
    `policies` are conversion policies by tenant, in place of the file's. Nothing is booked before `run`.

    Raises UsageError for the policy of a tenant that is not in the scenario.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        draws: Draws,
        replication: int = 0,
        *,
        trace: bool = False,
        unlimited: bool = False,
        dated_shocks: bool | None = None,
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self.blueprint = blueprint
        self.spec = blueprint.scenario.spec
        self.draws = draws
        self.unlimited = unlimited
        self.dated_shocks = not unlimited if dated_shocks is None else dated_shocks
        self.last_minute = blueprint.last_minute
        self.never = blueprint.last_minute + 1000 * YEAR
        self.event_log = EventLog(tracing=trace)
        self.clock = Clock(self.event_log)
        self.record = Record(replication, self.event_log)
        self.book = Book()
        self.money = Money(self)
        self.parties = make_parties(self)
        self.edits = Edits(self)
        self.market = Market(self)
        self.shocks = Shocks(self)
        self.by: Callable[[str, Quantity], Quantity] = blueprint.by
        self._monthly: list[Callable[[], bool | None]] = []
        self._at_month_end: list[Callable[[Month], None]] = []
        self._once_paid: list[Callable[[Month], None]] = []
        self.next_month = self._month_after(0)
        self._begun = False
        spec = self.spec
        for id in policies or ():
            if id not in spec.tenants:
                raise UsageError(f"policies: unknown tenant {id!r}{suggest(id, spec.tenants)}")
        self.treasuries = {id: Treasury(self, id) for id, tenant in spec.tenants.items() if tenant.treasury is not None}
        self.tenants = {id: Tenant(self, id, (policies or {}).get(id)) for id in spec.tenants}
        self.crews = {id: self.pool(id, team) for id, team in spec.crews.items()}
        self.regions = {id: Region(self, id) for id in spec.regions}
        self.makers = {id: Maker(self, id) for id in spec.equipment}
        self.guarantors = {id: Guarantor(self, id) for id, party in spec.parties.items() if party.guarantee}
        self.lenders = {id: Lender(self, id) for id, party in spec.parties.items() if party.lending}
        makers_of_chips = dict.fromkeys(product.supplier for product in spec.chips.products.values())
        self.suppliers = {id: Supplier(self, id) for id in makers_of_chips}
        self.sites = {id: Site(self, id, rank) for rank, id in enumerate(spec.sites)}
        self.bills = Bills(self)
        self.hardware = Hardware(self)
        self.chips = Chips(self)
        self.clouds = {id: CloudContract(self, id) for id in spec.cloud}
        self.compute = {id: Compute(self, id) for id in spec.tenants}
        for id, treasury in self.treasuries.items():
            treasury.compute = self.compute[id]
        self.hazards = Hazards(self)
        watch_developers(self)

    # Running.

    def run(self) -> History:
        """Simulate to the horizon. Raises ModelError if the books do not balance at the end."""
        self.advance(self.last_minute)
        finish(self)
        audit_books(self)
        return self.record.history

    def advance(self, minute: int) -> None:
        """Simulate to the end of `minute` and stand still there; `advance` and `run` go on from it."""
        if not self._begun:
            self._begun = True
            self._begin()
        self.clock.run(minute)

    def _begin(self) -> None:
        for guarantor in self.guarantors.values():
            guarantor.begin()
        self.chips.begin()
        for site in self.sites.values():
            site.begin()
        for cloud in self.clouds.values():
            cloud.begin()
        for treasury in self.treasuries.values():
            treasury.begin()
        self.edits.start()
        self.market.begin()
        self.shocks.begin()
        self.hazards.begin()
        shared = any(supplier.limited for supplier in self.suppliers.values())
        for minute in (0, *self.blueprint.months):
            if minute:
                self.clock.at(minute, self._month)
            if shared:
                self.clock.stage_at(minute, Stage.ALLOCATION, self._share_chips)
        for number, (first, end) in enumerate(pairwise((0, *self.blueprint.months, self.last_minute + 1))):
            month = Month(number, first, end)
            self.clock.stage_at(min(end, self.last_minute), Stage.TREASURY, lambda month=month: self._month_end(month))  # type: ignore[misc]

    def _month_end(self, month: Month) -> None:
        """A calendar month is over: bills in order of asking, treasuries, and then whoever lives on what they paid."""
        for callback in self._at_month_end:
            callback(month)
        treasuries = self.treasuries.values()
        for treasury in treasuries:
            treasury.earn(month)
        settle(treasuries, month)
        for callback in self._once_paid:
            callback(month)
        settle(treasuries, month)  # a tenant may have brought money for somebody's project
        for treasury in treasuries:
            treasury.close(month)

    def on_month_end(self, callback: Callable[[Month], None]) -> None:
        """Call back at the end of every calendar month (00:00 of the 1st, and 23:59 of the horizon)."""
        self._at_month_end.append(callback)

    def once_paid(self, callback: Callable[[Month], None]) -> None:
        """Call back then too, when it is known what tenants have paid of the month."""
        self._once_paid.append(callback)

    def _month(self) -> None:
        """The 1st of a month: limits that grow, forecasts anew, whatever asked to be called monthly."""
        self.next_month = self._month_after(self.clock.now)
        for region in self.regions.values():
            if region.grows:
                region.month()
        for maker in self.makers.values():
            maker.month()
        for site in self.sites.values():
            site.refresh()
        self._monthly = [callback for callback in self._monthly if callback() is not False]

    def _month_after(self, minute: int) -> int:
        """The next 1st of a month at which forecasts are made anew, or the last minute."""
        return min(self.blueprint.month_end(minute), self.last_minute)

    def _share_chips(self) -> None:
        for supplier in self.suppliers.values():
            supplier.month()

    def on_month(self, callback: Callable[[], bool | None]) -> None:
        """Call back on the 1st of each month, until the callback returns False."""
        self._monthly.append(callback)

    # Time.

    def when(self, when: When) -> int:
        """The minute of something dated."""
        return self.blueprint.minute(when, self.draws.value(when.delay))

    def watch(self, names: tuple[str, ...], delay: Quantity, who: str, then: Callable[[int], None]) -> None:
        """Call back a delay after milestones of any sites are reached (`lakeside.lost`, `lakeside.p1.full_live`)."""
        minutes = self.draws.minutes(delay)
        waiting = set(names)

        def one(name: str) -> None:
            waiting.discard(name)
            if not waiting:
                minute = self.clock.now + minutes
                if minute <= self.last_minute:
                    self.clock.at(minute, lambda: then(minute))

        for name in names:
            self._milestones(name, who).on(name.rpartition(".")[2], lambda trail, name=name: one(name))  # type: ignore[misc]

    def _milestones(self, name: str, who: str) -> Milestones:
        parts = name.split(".")
        site = self.sites.get(parts[0])
        if site is None or len(parts) not in (2, 3) or (len(parts) == 3 and parts[1] not in site.phases):
            raise ModelError(f"{who} waits for {name}, which is nothing here")
        return site.milestones if len(parts) == 2 else site.phases[parts[1]].milestones

    # What is in force now.

    def now(self, quantity: Quantity) -> Quantity:
        """A quantity as it stands now, with what shocks and the regime have made of it."""
        return self.edits.now(quantity) if self.edits.in_force else quantity

    @property
    def changeable(self) -> bool:
        """Whether edits in time may come into force at all."""
        return bool(self.blueprint.scenario.in_time)

    def later(self, duration: Quantity) -> int | Callable[[], int]:
        """Minutes of something that starts later: asked then, where edits in time may change them meanwhile."""
        return (lambda: self.draws.minutes(duration)) if self.changeable else self.draws.minutes(duration)

    def surplus_mw(self, tenant: str) -> float:
        """MW live and rented that a tenant has beyond its demand; 0 where it says nothing of its demand."""
        return self.compute[tenant].surplus_mw

    # Teams.

    def pool(self, name: str, team: Team) -> Pool:
        """A team as a pool with its calendar."""
        count = None if self.unlimited else int(team.count.value)
        calendar = None
        if len(team.works) < 7 or team.closed:
            start = self.blueprint.scenario.start
            windows = []
            for closure in team.closed:
                windows += self.blueprint.windows(closure)
            calendar = Calendar(
                start_weekday=start.weekday(), weekdays=[WEEKDAYS.index(day) for day in team.works], closed=windows
            )
        return Pool(self.clock, name, count, calendar)

    def team(self, tenant: str, name: str) -> Pool | None:
        """A team of a tenant; None if nobody is needed."""
        return None if name == "none" else self.tenants[tenant].teams[name]

    def crew(self, name: str) -> Pool | None:
        """A builders' crew; None if nobody is needed."""
        return None if name == "none" else self.crews[name]

    def available(self, product: str) -> int:
        """First minute at which a product can be delivered."""
        spec = self.spec.chips.products[product]
        if spec.available is None:
            return -self.never
        minute = self.when(spec.available)
        joint = spec.joint_development
        return half_up(minute * self.draws.value(joint.delay_times)) if joint is not None else minute

    # The end.

    def log(self, kind: str, entity: str, detail: str) -> None:
        """An event, if anybody traces."""
        self.event_log.add(self.clock.now, kind, entity, detail)


def simulate_replication(
    blueprint: Blueprint,
    draws: Draws,
    replication: int,
    trace: bool = False,
    policies: Mapping[str, Policy] | None = None,
) -> History:
    """One replication of a scenario with its draws. Raises ModelError if something impossible happens."""
    return World(blueprint, draws, replication, trace=trace, policies=policies).run()


def simulate_plan(blueprint: Blueprint, trace: bool = False, policies: Mapping[str, Policy] | None = None) -> History:
    """The plan: all medians, no contention, no drivers, every gate at its likelier side."""
    return World(blueprint, PlanDraws(), 0, trace=trace, unlimited=True, policies=policies).run()


def make_blueprint(scenario: Scenario, policies: Mapping[str, Policy] | None = None) -> Blueprint:
    """The blueprint of a scenario, with the planned minutes of each phase's excused causes after its close."""
    blueprint = Blueprint(scenario)
    if any(site.lease.outside is not None for site in scenario.spec.sites.values()):
        plan = World(blueprint, PlanDraws(), unlimited=True, policies=policies)
        plan.run()
        blueprint.planned = {phase.who: phase.since_close for s in plan.sites.values() for phase in s.phases.values()}
    return blueprint
