"""One replication: everything wired together, run, checked, and handed over. It decides nothing itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from dcsim.engine.audit import audit
from dcsim.engine.calendar import Calendar
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.draws import Draws, PlanDraws
from dcsim.engine.log import EventLog
from dcsim.engine.pool import Pool
from dcsim.engine.trail import Trail, extend, links, origin
from dcsim.errors import ModelError, UsageError, suggest
from dcsim.model.blueprint import DAY, YEAR, Blueprint, dollars, half_up
from dcsim.model.chips import Chips
from dcsim.model.credit import Guarantor
from dcsim.model.decision import Policy, Tenant
from dcsim.model.equipment import Maker
from dcsim.model.financing import Lender
from dcsim.model.grid import Region
from dcsim.model.history import History, PhaseEnd, TrailRecord
from dcsim.model.milestones import Milestones
from dcsim.model.phase import Phase
from dcsim.model.record import Record
from dcsim.model.site import Site
from dcsim.model.supply import Supplier
from dcsim.network.contracts import Book
from dcsim.quantity import Quantity
from dcsim.scenario.fields import When
from dcsim.scenario.scenario import Scenario
from dcsim.scenario.tenant import Team

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class World:
    """A scenario coming to life once, with one replication's draws.

    `unlimited` lifts every shared limit (the plan). `policies` are conversion policies by tenant, in place of the
    file's. Nothing is booked before `run`.

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
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self.blueprint = blueprint
        self.spec = blueprint.scenario.spec
        self.draws = draws
        self.unlimited = unlimited
        self.last_minute = blueprint.last_minute
        self.never = blueprint.last_minute + 1000 * YEAR
        self.event_log = EventLog(tracing=trace)
        self.clock = Clock(self.event_log)
        self.record = Record(replication, self.event_log)
        self.book = Book()
        self.by: Callable[[str, Quantity], Quantity] = blueprint.by
        self._monthly: list[Callable[[], bool | None]] = []
        self.next_month = self._month_after(0)
        spec = self.spec
        for id in policies or ():
            if id not in spec.tenants:
                raise UsageError(f"policies: unknown tenant {id!r}{suggest(id, spec.tenants)}")
        self.tenants = {id: Tenant(self, id, (policies or {}).get(id)) for id in spec.tenants}
        self.crews = {id: self.pool(id, team) for id, team in spec.crews.items()}
        self.regions = {id: Region(self, id) for id in spec.regions}
        self.makers = {id: Maker(self, id) for id in spec.equipment}
        self.guarantors = {id: Guarantor(self, id) for id, party in spec.parties.items() if party.guarantee}
        self.lenders = {id: Lender(self, id) for id, party in spec.parties.items() if party.lending}
        makers_of_chips = dict.fromkeys(product.supplier for product in spec.chips.products.values())
        self.suppliers = {id: Supplier(self, id) for id in makers_of_chips}
        self.sites = {id: Site(self, id, rank) for rank, id in enumerate(spec.sites)}
        self.chips = Chips(self)

    # Running.

    def run(self) -> History:
        """Simulate to the horizon. Raises ModelError if the books do not balance at the end."""
        for guarantor in self.guarantors.values():
            guarantor.begin()
        self.chips.begin()
        for site in self.sites.values():
            site.begin()
        self._begin_shocks()
        shared = any(supplier.limited for supplier in self.suppliers.values())
        for minute in (0, *self.blueprint.months):
            if minute:
                self.clock.at(minute, self._month)
            if shared:
                self.clock.stage_at(minute, Stage.ALLOCATION, self._share_chips)
        self.clock.run(self.last_minute)
        self._finish()
        self._audit()
        return self.record.history

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

    # Shocks.

    def _begin_shocks(self) -> None:
        for name, shock in self.spec.shocks.items():
            if shock.when == "never":
                continue
            if isinstance(shock.when, Quantity):
                if shock.when.value > 0 and not self.unlimited:
                    self._next_shock(name, shock.when.value, 0, 0)
            else:
                minute = self.blueprint.minute_of(shock.when)
                if 0 <= minute <= self.last_minute:  # what came before has been survived by what stands here
                    self.clock.stage_at(minute, Stage.SHOCK, lambda name=name: self._pull_back(name, 0))  # type: ignore[misc]

    def _next_shock(self, name: str, rate: float, after: int, k: int) -> None:
        gap = -math.log(self.draws.uniform(f"shocks.{name}.gap", k)) / rate  # high luck is struck sooner
        minute = after + max(1, half_up(gap * YEAR))
        if minute <= self.last_minute:
            self.clock.stage_at(minute, Stage.SHOCK, lambda: self._strike(name, rate, minute, k))

    def _strike(self, name: str, rate: float, minute: int, k: int) -> None:
        self._pull_back(name, k)
        self._next_shock(name, rate, minute, k + 1)

    def _pull_back(self, name: str, k: int) -> None:
        """Letters die in blocks: each unsigned site is cancelled with a chance."""
        shock = self.spec.shocks[name]
        self.log("shock", name, "unsigned letters")
        for site in self.sites.values():
            unsigned = "loi_signed" in site.milestones.reached and not site.lease_is_signed and not site.ended
            if unsigned and shock.tenant in (None, site.tenant):
                self._cancel(site, name, k)

    def _cancel(self, site: Site, name: str, k: int) -> None:
        if self.draws.fails(f"shocks.{name}.{site.id}", self.spec.shocks[name].chance_each.value, k):
            site.end("lost", f"shock {name}")

    # The end.

    def log(self, kind: str, entity: str, detail: str) -> None:
        """An event, if anybody traces."""
        self.event_log.add(self.clock.now, kind, entity, detail)

    def _finish(self) -> None:
        """How every phase ended; what is open closes its trail at 24:00 of the horizon."""
        history = self.record.history
        for site in self.sites.values():
            for phase in site.phases.values():
                history.phases.append(self._phase_end(site, phase))
        for tenant, racks in self.chips.racks.items():
            phases = [p for s in self.sites.values() if s.tenant == tenant for p in s.phases.values()]
            mine = [s for s in self.sites.values() if s.tenant == tenant]
            history.outcomes[tenant] = {
                "racks_ordered": racks.ordered,
                "racks_delivered": racks.delivered,
                "racks_cancelled": racks.cancelled,
                "racks_retired": racks.retired,
                "diligence_usd_m": sum(s.diligence.cost for s in mine) / 1e6,
                "loans_usd_m": sum(s.financing.loan for s in mine if s.financing is not None and not s.ended) / 1e6,
                "cover_usd_m": sum(s.cover.amount for s in mine if s.cover is not None and not s.ended) / 1e6,
                "excused_days": sum(p.excused for p in phases) / DAY,
                "days_past_outside": sum(p.past_outside for p in phases) / DAY,
            }
        history.events = self.event_log.rows

    def _phase_end(self, site: Site, phase: Phase) -> PhaseEnd:
        end = self.last_minute + 1
        full = phase.milestones.reached.get("full_live")
        state = "live" if full is not None else phase.ended or "pending"
        reached = full is not None and (phase.hall is None or not phase.hall.open_routes)
        if phase.ended and full is None:
            trail, minute = phase.end_trail, phase.end_minute
        elif full is not None and reached:
            trail = phase.hall.last_live if phase.hall is not None and phase.hall.last_live is not None else full
            minute = trail.minute
        else:
            closing = phase.closing() or site.closing()
            trail = self._to_the_end(closing or origin(0, phase.who), end)
            minute = end
            if "ready_for_service" not in phase.milestones.reached:
                phase.judge_date(trail)
        lots = []
        if phase.hall is not None and not phase.ended:
            for route in phase.hall.routes:
                if route.new_kw > 0:
                    last = route.trail if route.live and route.trail is not None else route.closing()
                    if last is not None:
                        done = last if route.live else self._to_the_end(last, end)
                        lots.append((route.new_kw / 1000, _trail(done)))
        names = {link.who for link in links(trail)}
        return PhaseEnd(
            tenant=site.tenant,
            site=site.id,
            phase=phase.id,
            mw=phase.kw / 1000,
            state=state,
            reached=reached,
            minute=minute,
            trail=_trail(trail),
            lots=lots,
            activities=phase.construction.critical(names),
        )

    def _to_the_end(self, trail: Trail, end: int) -> Trail:
        """What was open at 23:59 closes at 24:00 with the same cause."""
        if trail.minute == self.last_minute and trail.previous is not None:
            return extend(trail.previous, end, trail.cause, trail.who)
        return extend(trail, end, trail.cause or "policy", trail.who)

    def _audit(self) -> None:
        """Everything is done, waits for something named, or was cancelled; nothing leased or delivered is lost."""
        pools = [
            *(p for t in self.tenants.values() for p in t.teams.values()),
            *self.crews.values(),
            *(r.pool for r in self.regions.values()),
            *(m.pool for m in self.makers.values()),
            *(g.pool for g in self.guarantors.values()),
        ]
        audit(self.clock, pools)
        self.chips.audit()
        for guarantor in self.guarantors.values():
            used = sum(
                s.cover.amount
                for s in self.sites.values()
                if s.cover and s.cover.guarantor is guarantor and not s.ended
            )
            reserved = guarantor.pool.in_use + guarantor.opening
            if used > reserved:
                raise ModelError(f"{guarantor.id}: cover of {used} exceeds what is reserved, {reserved}")
            if guarantor.limit is not None and guarantor.pool.in_use and reserved > guarantor.limit:
                raise ModelError(f"{guarantor.id}: {reserved} is reserved, above its limit of {guarantor.limit}")
        for lender in self.lenders.values():
            capacity = lender.spec.capacity
            loans = list(self.book.standing("loan", lender.id))
            lent = sum(loan.amount for loan in loans)
            if self.unlimited or capacity is None or not any(loan.opened > 0 for loan in loans):
                continue
            if lent > dollars(capacity.value):
                raise ModelError(f"{lender.id} has lent {lent}, more than its capacity")
        leased = sum(kw for _, _, m, kw in self.record.history.changes if m == "leased" and kw > 0)
        standing = ended = 0.0
        for site in self.sites.values():
            if not site.lease_is_signed:
                continue
            for phase in site.phases.values():
                if phase.was_leased:
                    if phase.ended:
                        ended += phase.kw / 1000
                    else:
                        standing += phase.kw / 1000
        if abs(leased - standing - ended) > 1e-6:
            raise ModelError(f"{leased:g} MW were leased, but {standing:g} stand and {ended:g} ended")


def _trail(trail: Trail) -> TrailRecord:
    return tuple((link.minute, link.cause, link.who) for link in links(trail))


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
