"""Power at a site: a ramp that the utility builds, a region that can connect only so much, bridging power meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail, extend
from dcsim.model.blueprint import half_up, kw
from dcsim.scenario.construction import GridStep

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World


class Region:
    """A grid region in one replication: facility kW that can be connected, growing month by month."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        spec = world.spec.regions[id]
        limited = not world.unlimited and (spec.limit is not None or spec.connects is not None)
        self.spec = spec
        self._before = 0.0
        """MW newly connected at rates that are in force no more."""
        self._a_month = self._rate
        self._months = 1
        self.pool = Pool(world.clock, f"{id} connections", self._capacity() if limited else None)
        self.grows = limited and spec.connects is not None

    @property
    def _rate(self) -> float:
        """MW a month."""
        connects = self.spec.connects
        return self.world.now(connects).value / 12 if connects is not None else 0.0

    def _capacity(self) -> int:
        limit = self.spec.limit
        base = kw(self.world.now(limit).value) if limit is not None else 0
        return base + half_up((self._before + self._a_month * self._months) * 1000)

    def month(self) -> None:
        """A month has begun: a twelfth of a year's connections more."""
        if self._rate != self._a_month:
            self._before += self._a_month * self._months
            self._a_month, self._months = self._rate, 0
        self._months += 1
        self.pool.set_capacity(self._capacity())

    def limits_changed(self) -> None:
        """Another limit is in force at once, another rate from the next 1st of a month on."""
        if self.pool.capacity is not None:
            self.pool.set_capacity(self._capacity())


class Ramp:
    """One step of a site's power: due after its milestones and delay, then asked of the region."""

    def __init__(self, site: Site, spec: GridStep, index: int, bridge: bool = False) -> None:
        self.site = site
        self.spec = spec
        self.index = index
        self.bridge = bridge
        self._kw = kw(spec.mw.value) if spec.mw is not None else None
        self.minutes = site.world.draws.minutes(spec.delay)
        self.ready: int | None = None
        """Minute from which the delay runs."""
        self.trail: Trail | None = None
        self.arrived = False
        self.claim: Claim | None = None

    @property
    def kw(self) -> int:
        """Facility kW that it adds; a share is of all the phases that the file declares."""
        if self._kw is not None:
            return self._kw
        share = self.spec.share.value if self.spec.share is not None else 1.0
        return half_up(share * sum(p.facility_kw for p in self.site.phases.values()))

    def settle(self, needed: int) -> None:
        """It is due: its size no longer changes, and a share takes no more than the phases that stand still need."""
        self._kw = self.kw if self.spec.mw is not None else max(0, min(self.kw, needed))


class SiteGrid:
    """Cumulative power of a site, fed to its phases in file order."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        spec = site.spec.construction
        self.ramps = [Ramp(site, step, i) for i, step in enumerate(spec.grid)]
        if spec.bridge is not None:
            self.ramps.append(Ramp(site, spec.bridge, len(self.ramps), bridge=True))
        self.kw = 0
        self._asked = 0
        """Facility kW of the steps that fell due."""
        self._trails: list[tuple[int, Trail]] = []

    def begin(self) -> None:
        """Wire the ramp to its milestones."""
        m, site = self.site.milestones, self.site
        services = site.spec.construction.energy_services
        m.on_all(services.after, lambda trail: self._services(trail, self.world.draws.minutes(services.delay)))
        if not self.ramps:
            m.on("notice_to_proceed", lambda trail: self._feed(10**15, trail))
            return
        for ramp in self.ramps:
            if ramp.spec.after == ("previous",):
                continue
            m.on_all(ramp.spec.after, lambda trail, ramp=ramp: self._start(ramp, trail))  # type: ignore[misc]

    def _services(self, trail: Trail, delay: int) -> None:
        site = self.site
        if site.ended or site.is_given("energy_services"):
            return
        minute = max(trail.minute + delay, self.world.clock.now)

        def reached() -> None:
            if not site.ended:
                site.reach("energy_services", extend(trail, minute, "grid", site.id))

        if minute == self.world.clock.now:
            reached()
        else:
            self.world.clock.at(minute, reached)

    def _start(self, ramp: Ramp, trail: Trail) -> None:
        if self.site.ended:
            return
        ramp.ready = trail.minute
        ramp.trail = trail
        due = max(trail.minute + self.world.draws.minutes(ramp.spec.delay), self.world.clock.now)
        self.world.clock.at(due, lambda: self._due(ramp))

    def _due(self, ramp: Ramp) -> None:
        """The works are done: the region connects whole steps, in turn."""
        if self.site.ended:
            return
        assert ramp.trail is not None
        standing = sum(p.facility_kw for p in self.site.phases.values() if not p.ended)
        ramp.settle(standing if ramp.bridge else standing - self._asked)
        if not ramp.bridge:
            self._asked += ramp.kw
        ramp.trail = extend(ramp.trail, self.world.clock.now, "grid", f"{self.site.id} grid")
        region = self.world.regions.get(self.site.spec.region or "")
        if region is None or ramp.bridge:
            self._arrive(ramp)
            return
        ramp.claim = region.pool.request(
            ramp.kw,
            rank=self.site.rank * 100 + ramp.index,
            who=f"{self.site.id} grid",
            granted=lambda _: self._arrive(ramp),
        )

    def _arrive(self, ramp: Ramp) -> None:
        assert ramp.trail is not None
        self._read_meters()
        ramp.arrived = True
        region = self.site.spec.region or ""
        ramp.trail = extend(ramp.trail, self.world.clock.now, "grid", region)
        self._feed(ramp.kw, ramp.trail)
        following = ramp.index + 1
        if following < len(self.ramps) and self.ramps[following].spec.after == ("previous",):
            self._start(self.ramps[following], ramp.trail)

    def _feed(self, kw_added: int, trail: Trail) -> None:
        """Energise the phases, in file order, that cumulative power now reaches."""
        self.kw += kw_added
        self._trails.append((self.kw, trail))
        self._serve()

    def _serve(self) -> None:
        needed = 0
        for phase in list(self.site.phases.values()):
            if phase.ended:
                continue
            needed += phase.facility_kw
            if needed > self.kw:
                return
            if "energised" in phase.milestones.reached or "energised" in phase.given:
                continue
            trail = next(t for total, t in self._trails if total >= needed)
            now = self.world.clock.now
            phase.reach("energised", extend(trail, now, "grid", f"{self.site.id} grid"))

    def leave(self, phase: Phase) -> None:
        """A phase has ended: what it would have drawn goes to those behind it."""
        self._read_meters()
        if self.site.ended is None and self._trails:
            self._serve()

    def _read_meters(self) -> None:
        """What feeds the phases changes."""
        if self.ramps and self.ramps[-1].bridge:
            self.site.energy.read(self.world.clock.now)

    def bridged(self, phase: Phase) -> bool:
        """Whether bridging power feeds a phase that the grid does not reach yet."""
        if not self.ramps or not self.ramps[-1].bridge or not self.ramps[-1].arrived:
            return False
        needed = 0
        for other in self.site.phases.values():
            needed += other.facility_kw if other.ended is None or other is phase else 0
            if other is phase:
                break
        return sum(ramp.kw for ramp in self.ramps if ramp.arrived and not ramp.bridge) < needed

    def end(self) -> None:
        """The site has ended: it returns its share of the region."""
        for ramp in self.ramps:
            if ramp.claim is not None:
                ramp.claim.cancel()

    def forecast(self, phase: Phase, at: Callable[[str], int]) -> int:
        """When cumulative power reaches the phase, at medians; `at` forecasts milestones of the site."""
        now = self.world.clock.now
        if not self.ramps:
            return max(now, at("notice_to_proceed"))
        needed = 0
        for other in self.site.phases.values():
            if not other.ended:
                needed += other.facility_kw
            if other is phase:
                break
        steps: list[tuple[int, int]] = []
        previous = now
        for ramp in self.ramps:
            if ramp.arrived:
                minute = ramp.trail.minute if ramp.trail is not None else now
            else:
                median = half_up(self.world.now(ramp.spec.delay).median * 1440)
                if ramp.ready is not None:
                    start = ramp.ready
                else:
                    start = previous if ramp.spec.after == ("previous",) else max(at(n) for n in ramp.spec.after)
                minute = max(now, start + median)
            steps.append((minute, ramp.kw))
            previous = minute
        total = 0
        for minute, added in sorted(steps):
            total += added
            if total >= needed:
                return minute
        return self.world.never

    def closing(self, phase: Phase) -> Trail | None:
        """The first step under way, as it would close now."""
        if "energised" in phase.milestones.reached:
            return None
        now = self.world.clock.now
        for ramp in self.ramps:
            if ramp.trail is not None and not ramp.arrived:
                return extend(ramp.trail, now, "grid", f"{self.site.id} grid")
        if self._trails:
            return extend(self._trails[-1][1], now, "grid", f"{self.site.id} grid")
        return None
