"""A phase of a site: building, equipment, power, commissioning, ready for service; then its hall of racks."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail, days_by_cause, extend, latest, origin
from dcsim.model.blueprint import half_up
from dcsim.model.construction import Construction
from dcsim.model.forecast import Forecasts, forecast_rfs
from dcsim.model.hall import Hall
from dcsim.model.meter import Meter
from dcsim.model.milestones import Milestones
from dcsim.model.step import Step
from dcsim.scenario.construction import PhaseConstruction
from dcsim.scenario.fields import PHASE_MILESTONES, When

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.scenario.site import Phase as PhaseSpec

STARTS = ("financial_close", "notice_to_proceed")
"""Milestones of the site that reach a phase only after the phase gap."""

GIVEN = ("building_complete", "equipment_on_site", "energised", "commissioned", "ready_for_service", "full_live")
"""What `initial` may give, in order."""

NOTHING_TO_BUILD = PhaseConstruction()
"""Of a phase whose site says nothing about construction."""

CAUSE_OF = {
    "building_complete": "construction",
    "equipment_on_site": "equipment",
    "energised": "grid",
    "commissioned": "commissioning",
    "ready_for_service": "construction",
    "full_live": "bring_up",
}


class Phase:
    """One phase in one replication."""

    def __init__(self, site: Site, id: str, spec: PhaseSpec, index: int) -> None:
        self.site = site
        self.world = world = site.world
        self.id = id
        self.who = f"{site.id}.{id}"
        self.path = f"sites.{site.id}.phases.{id}"
        self.index = index
        self.rank = site.rank * 1000 + index
        self.spec = spec
        self.kw = world.blueprint.phase_kw[site.id, id]
        self.facility_kw: int = half_up(self.kw * site.spec.pue.peak.value)
        self.ended: str | None = None
        self.works: PhaseConstruction = spec.construction or NOTHING_TO_BUILD
        self.milestones: Milestones = Milestones(
            (*PHASE_MILESTONES, *STARTS, *self.works.activities, *self.works.equipment), site.milestones
        )
        self.given: dict[str, int] = {}
        self.gap = sum(world.draws.minutes(site.spec.construction.phase_gap, k) for k in range(index))
        self.construction = Construction(self)
        self.commissioning = Step(world, "commissioning", f"{self.who} commissioning")
        self.forecasts = Forecasts(self)
        self.hall = Hall(self) if spec.bring_up is not None else None
        self.target: int | None = None
        self.was_leased = False
        self.end_minute = 0
        self.end_trail = origin(0, self.who)
        self.since_close: dict[str, int] = {}
        """Minutes by cause from the close until it was ready, once it is."""
        self.excused = 0
        self.past_outside = 0
        self._halts: list[tuple[int, int | None]] = []
        """Minutes from and to which it stood still."""
        self._measures: dict[str, float] = {}
        self._history: dict[str, list[tuple[int, float]]] = {"ready": [], "live": []}
        self.meters: defaultdict[str, Meter] = defaultdict(Meter)
        """What each measure of the phase amounts to."""
        self._take_up()

    # The order of things.

    def begin(self) -> None:
        """Wire the phase to the milestones of its site and its own."""
        for name in STARTS:
            self.site.milestones.on(name, lambda trail, name=name: self._after_gap(name, trail))  # type: ignore[misc]
        if "ready_for_service" not in self.given:
            if "building_complete" not in self.given or "equipment_on_site" not in self.given:
                self.construction.begin()
            if "commissioned" not in self.given:
                names = ("building_complete", "equipment_on_site", "energised")
                self.milestones.on_all(names, self._commission)
            self.milestones.on("commissioned", lambda trail: self.reach("ready_for_service", trail))
        self.milestones.on("ready_for_service", self._ready)
        self.milestones.on("notice_to_proceed", self._begun)
        self.milestones.on("energised", lambda trail: self.count("energised", self.kw))
        if self.hall is not None:
            self.hall.begin()

    def _take_up(self) -> None:
        """Facts and forecasts of the file, in order, in place of the steps that lead to them."""
        initial = self.spec.initial
        if initial is None:
            return
        following: int | None = None
        for name in reversed(GIVEN):
            when = getattr(initial, name)
            if when is not None:
                following = self._initial_minute(when)
            if following is not None and (when is not None or name != "full_live"):
                self.given[name] = following

    def state_given(self) -> None:
        """Book what the file gives; what it gives of the site comes first."""
        world = self.world
        for name in GIVEN:
            if name in self.given:
                minute = self.given[name]
                world.clock.at(max(0, minute), lambda name=name, minute=minute: self._state(name, minute))  # type: ignore[misc]

    def _initial_minute(self, when: When) -> int:
        """A past date is a fact; a future one a forecast, which risk drivers may hit."""
        median = self.world.blueprint.minute(when, when.delay.median)
        return median if median <= 0 else max(0, self.world.when(when))

    def given_median(self, name: str) -> int:
        """The date that the file gives, as published."""
        for later in GIVEN[GIVEN.index(name) :]:
            when = getattr(self.spec.initial, later)
            if when is not None:
                return self.world.blueprint.minute(when, when.delay.median)
        return self.given[name]

    def _state(self, name: str, minute: int) -> None:
        if self.ended:
            return
        before = [t for n in (*STARTS, *GIVEN) if (t := self.milestones.get(n)) is not None]
        start = latest(before) if before else self.site.closing() or origin(min(0, minute), self.who)
        trail = extend(start, max(minute, start.minute), CAUSE_OF[name], self.who)
        if name == "full_live":
            if self.hall is not None:
                self.hall.open_live(trail, minute)
        else:
            self.reach(name, trail, minute)

    def _after_gap(self, name: str, trail: Trail) -> None:
        """The phase starts after those before it; the gap is the building's own."""
        gap = self.site.spec.construction.phase_gap
        start = trail.minute + sum(self.world.draws.minutes(gap, k) for k in range(self.index))

        def reached() -> None:
            if not self.ended:
                self.milestones.reach(name, extend(trail, start, "construction", self.who))

        if start <= self.world.clock.now:
            reached()
        else:
            self.world.clock.at(start, reached)

    def _begun(self, trail: Trail) -> None:
        if not self.ended and "ready_for_service" not in self.milestones.reached:
            self.count("building", self.kw)

    def _commission(self, trail: Trail) -> None:
        """All is there: tests, once more if they fail."""
        if self.ended:
            return
        own = self.construction.own_trail(self.milestones)
        self.commissioning.open(extend(own, self.world.clock.now, "equipment", self.construction.last_slot))
        self._test(again=True)

    def _test(self, again: bool) -> None:
        spec = self.works.commissioning
        draws, chance = self.world.draws, self.world.now(spec.retest).value
        retest = again and draws.fails(f"{self.path}.construction.commissioning.retest", chance)
        self.commissioning.work(
            draws.minutes(spec.duration), lambda: self._test(again=False) if retest else self._commissioned()
        )

    def _commissioned(self) -> None:
        assert self.commissioning.trail is not None
        self.reach("commissioned", self.commissioning.trail)

    def _ready(self, trail: Trail) -> None:
        """Ready for service: rent commences, chips or no chips."""
        self.uncount("building")
        self.count("energised", self.kw - self._measures.get("energised", 0))
        self.count("ready", self.kw)
        self.judge_date(trail)
        self.site.lease.ready(self)
        if self.site.spec.lease.rent_commencement is None:
            self.reach("rent_commencement", trail, trail.minute)

    def judge_date(self, trail: Trail) -> None:
        """Minutes past the outside date, which moves by those charged to excused causes beyond the plan's."""
        lease = self.site.spec.lease
        if self.target is None or lease.outside is None:
            return
        close = self.site.milestones.reached["financial_close"].minute
        planned = self.world.blueprint.planned.get(self.who, {})
        self.since_close = charged = days_by_cause(trail_after(trail, close))
        self.excused = sum(max(0, charged.get(cause, 0) - planned.get(cause, 0)) for cause in lease.excused)
        outside = self.target + self.world.draws.minutes(lease.outside) + self.excused
        self.past_outside = max(0, trail.minute - outside)

    # What the site tells the phase.

    def leased(self, minute: int) -> None:
        """The lease is signed; rent may start at a fixed date, ready or not."""
        fixed = self.site.spec.lease.rent_commencement
        if fixed is not None:
            clock = self.world.clock
            at = max(minute, self.world.blueprint.minute_of(fixed))
            trail = extend(self.site.milestones.reached["lease_signed"], at, "policy", self.who)
            clock.at(max(at, clock.now), lambda: self.reach("rent_commencement", trail, at))
        self.was_leased = True
        self.count("leased", self.kw, minute)

    def closed(self, minute: int) -> None:
        """Financial close: the target date is set."""
        self.count("closed", self.kw, minute)
        lease = self.site.spec.lease
        if lease.target is not None:
            self.target = self.world.blueprint.minute_of(lease.target)
        else:
            self.target = forecast_rfs(self) + self.world.draws.minutes(lease.float_days)
        self.site.lease.closed(self)

    def reach(self, name: str, trail: Trail, minute: int | None = None) -> None:
        """A milestone of the phase."""
        if self.ended or name in self.milestones.reached:
            return
        at = self.world.clock.now if minute is None else minute
        self.world.record.milestone(at, self.site.tenant, self.site.id, self.id, None, name)
        self.milestones.reach(name, trail)
        self.forecasts.refresh()

    def stand_still(self, cause: str, who: str) -> None:
        """Building and commissioning stand still until they may go on."""
        if not self._halts or self._halts[-1][1] is not None:
            self._halts.append((self.world.clock.now, None))
        self.construction.stand_still(cause, who)
        self.commissioning.stand_still(cause, who)

    def go_on(self, cause: str, who: str) -> None:
        """That pause is over."""
        self.construction.go_on(cause, who)
        self.commissioning.go_on(cause, who)
        if not self.commissioning.pauses:
            self._halts[-1] = (self._halts[-1][0], self.world.clock.now)

    def halted_since(self, minute: int) -> int:
        """Minutes after `minute` in which building and commissioning stood still."""
        now = self.world.clock.now
        return sum(max(0, (now if end is None else end) - max(start, minute)) for start, end in self._halts)

    def count(self, measure: str, kw: float, minute: int | None = None) -> None:
        """A measure of the phase rises or falls; ending the phase takes all of it back."""
        self._measures[measure] = self._measures.get(measure, 0) + kw
        at = max(0, self.world.clock.now if minute is None else minute)
        self.meters[measure].add(at, kw)
        if measure in self._history:
            self._history[measure].append((at, kw))
        self.world.record.change(at, self.site.tenant, measure, kw)

    def changes(self, measure: str) -> tuple[list[int], list[float]]:
        """(minutes, kW) by which `ready` or `live` rose or fell."""
        found = self._history[measure]
        return [minute for minute, _ in found], [kw for _, kw in found]

    def uncount(self, measure: str) -> None:
        """The phase no longer counts towards a measure."""
        self.count(measure, -self._measures.get(measure, 0))

    def end(self, state: str, why: str, trail: Trail | None) -> None:
        """The phase ends; the site may go on with others."""
        self.ended = state
        now = self.world.clock.now
        self.end_minute = now
        closing = self.closing() or trail or self.site.closing() or origin(now, self.who)
        self.end_trail = extend(closing, now, "policy", self.who)
        self.world.log("ended", self.who, f"{state}: {why}")
        self.construction.cancel()
        self.commissioning.cancel()
        for measure in list(self._measures):
            self.uncount(measure)
        self.site.lease.phase_ended(self)
        if self.hall is not None:
            self.hall.end()
        self.forecasts.end()
        self.site.grid.leave(self)
        self.world.record.milestone(now, self.site.tenant, self.site.id, self.id, None, "ended")
        self.milestones.reach("ended", self.end_trail)

    def closing(self) -> Trail | None:
        """The trail of the first thing under way in the phase, as it would close now."""
        trail = self.closing_before_hall()
        if trail is None and self.hall is not None:
            trail = self.hall.closing()
        if trail is None and "ready_for_service" in self.milestones.reached:
            trail = extend(self.milestones.reached["ready_for_service"], self.world.clock.now, "chips", self.who)
        return trail

    def closing_before_hall(self) -> Trail | None:
        """The same, up to ready for service."""
        if "ready_for_service" in self.milestones.reached:
            return None
        if "ready_for_service" in self.given:
            before = [t for n in (*STARTS, *GIVEN) if (t := self.milestones.get(n)) is not None]
            start = latest(before) if before else origin(0, self.who)
            return extend(start, self.world.clock.now, CAUSE_OF["ready_for_service"], self.who)
        for trail in (self.construction.closing(), self.site.grid.closing(self), self.commissioning.closing()):
            if trail is not None:
                return trail
        return None


def trail_after(trail: Trail, minute: int) -> Trail:
    """The part of a trail after a minute, with its origin there."""
    chain = []
    link: Trail | None = trail
    while link is not None and link.minute > minute:
        chain.append(link)
        link = link.previous
    start = origin(minute, trail.who)
    for part in reversed(chain):
        start = extend(start, part.minute, part.cause, part.who)
    return start
