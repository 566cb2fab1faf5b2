"""A hall of racks: when it opens, when it has power, what room it has, what is live in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail, extend, latest
from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import dollars, half_up
from dcsim.model.bringup import Route
from dcsim.model.operations import Service
from dcsim.model.step import Step
from dcsim.model.supply import Lot

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.world import World

LIVE_SHARE = 0.95
"""Share of its MW that must ever have been live for a phase to be live."""


class Hall:
    """The racks of a phase."""

    def __init__(self, phase: Phase) -> None:
        spec = phase.spec.bring_up
        assert spec is not None
        self.phase: Phase = phase
        self.world: World = phase.world
        self.spec = spec
        self.path = f"{phase.path}.bring_up"
        self.lot_size = int(spec.lot.value)
        self.crew = self.world.team(phase.site.tenant, spec.install.team)
        self.routes: list[Route] = []
        self.used_kw = 0.0
        self._most_kw = 0.0
        """The most that `used_kw` has been."""
        self.ever_live_kw = 0.0
        self.access: Trail | None = None
        """The trail by which the hall opened for racks."""
        self.power: Trail | None = None
        """The trail by which racks may be powered on."""
        self.works = Step(self.world, "tenant_works", f"{phase.who} tenant works")
        self.works_done: Trail | None = None
        self.last_live: Trail | None = None
        self.service: Service = Service(self)
        self.opening: Lot | None = None
        """Racks delivered before the start, which go live when the file says that the phase is."""
        self.ended = False
        self._spares: dict[float, int] = {}

    def begin(self) -> None:
        """Wire access, tenant works and power-on to their milestones."""
        m, works = self.phase.milestones, self.spec.tenant_works
        if works is not None:
            m.on_all(works.after, self._works_begin)
        m.on("ready_for_service", self._ready)
        if self.spec.early_access.median > 0:
            m.on("building_complete", self._early)

    def _works_begin(self, trail: Trail) -> None:
        works = self.spec.tenant_works
        assert works is not None
        if self.phase.ended or "full_live" in self.phase.given:
            return
        draws = self.world.draws
        self.works.open(trail)
        cost = dollars(draws.value(works.cost) * self.phase.kw / 1000)
        self.world.money.bill(self.phase.site.tenant, OUTSIDE, "tenant works", cost, self.world.clock.now)
        self.works.work(draws.minutes(works.delay) + draws.minutes(works.duration), self._works_done)

    def _works_done(self) -> None:
        self.works_done = self.works.trail
        self._power()

    def _early(self, trail: Trail) -> None:
        """The hall opens some days before forecast RFS; until then it waits for what RFS waits for."""
        phase = self.phase

        def due() -> None:
            now = self.world.clock.now
            waiting = phase.closing_before_hall() if now > trail.minute else None
            self._open(waiting or extend(trail, now, "bring_up", phase.who))

        phase.forecasts.watch(-self.world.draws.minutes(self.spec.early_access), due)

    def _ready(self, trail: Trail) -> None:
        self._open(trail)
        self._power()

    def _open(self, trail: Trail) -> None:
        """Racks may come in."""
        if self.access is None and not self.ended:
            self.access = trail
            for route in list(self.routes):
                route.enter()

    def _power(self) -> None:
        """Power-on waits for ready for service and for the tenant's own works."""
        ready = self.phase.milestones.reached.get("ready_for_service")
        if ready is None or self.ended or (self.spec.tenant_works is not None and self.works_done is None):
            return
        self.power = ready if self.works_done is None else latest((ready, self.works_done))
        for route in list(self.routes):
            route.power_on()

    # Room.

    def racks_that_fill(self, rack_kw: float, promised_kw: float = 0.0) -> int:
        """Racks for which there is still power, beside what is promised to others."""
        return max(0, int((self.phase.kw - self.used_kw - promised_kw) / rack_kw + 1e-9))

    def spares_for(self, rack_kw: float) -> int:
        """Spare racks that belong to a full hall."""
        failures = self.spec.failures
        if failures is None:
            return 0
        edited = bool(self.world.edits.in_force)
        known = None if edited else self._spares.get(rack_kw)  # asked of every hall for every lot that waits
        if known is None:
            share = self.world.now(failures.spares).value
            known = half_up(share * int(self.phase.kw / rack_kw + 1e-9))
            if not edited:
                self._spares[rack_kw] = known
        return known

    def has_room(self, lot: Lot) -> bool:
        """Room for the whole lot under power, or on the spares' shelf."""
        if "full_live" in self.phase.given and "full_live" not in self.phase.milestones.reached:
            return False  # its racks are on their way by the file's word
        missing = lot.racks - self.racks_that_fill(lot.kw)
        return missing <= 0 or (missing <= self.phase.kw / lot.kw and self._shelf_takes(missing, lot.kw))

    def _shelf_takes(self, racks: int, rack_kw: float) -> bool:
        return racks <= self.spares_for(rack_kw) - self.service.stock

    @property
    def filled(self) -> float:
        """Share of the power taken by racks assigned."""
        return self.used_kw / self.phase.kw

    def assign(self, lot: Lot) -> None:
        """A lot is given to this hall: racks beyond its power become spares."""
        racks = self.world.chips.racks[self.phase.site.tenant]
        fit = min(lot.racks, self.racks_that_fill(lot.kw))
        if fit < lot.racks:
            self.service.add_spares(lot, lot.racks - fit)
            lot.racks = fit
            if fit == 0:
                return
        lot.number = len(self.routes)
        self.used_kw += lot.racks * lot.kw
        racks.bring_up += lot.racks
        again = lot.purchase.refresh and lot.purchase.phase is self.phase
        new_kw = 0.0 if again else max(0.0, self.used_kw - self._most_kw)
        self._most_kw = max(self._most_kw, self.used_kw)
        route = Route(self, lot, new_kw)
        self.routes.append(route)
        route.enter()

    # Live.

    def live(self, kw: float, new_kw: float, trail: Trail) -> None:
        """Racks go live. Those in place of others do not prolong the phase's trail: that is the new ones', `new_kw`."""
        phase, now = self.phase, self.world.clock.now
        phase.count("live", kw)
        self.on_hand(-kw)
        if new_kw <= 0:
            return
        self.ever_live_kw += new_kw
        if self.last_live is None:
            phase.reach("first_live", trail)
        self.last_live = trail
        if self.ever_live_kw >= LIVE_SHARE * phase.kw - 1e-6:
            phase.reach("full_live", extend(trail, now, "bring_up", phase.who))

    def on_hand(self, kw: float) -> None:
        """The tenant has so many kW more in racks that are not live. They are the tenant's, not the phase's."""
        self.world.record.change(self.world.clock.now, self.phase.site.tenant, "chips_on_hand", kw)

    def open_live(self, trail: Trail, minute: int) -> None:
        """Everything is live already (or at a date that the file gives)."""
        phase = self.phase
        phase.count("live", phase.kw, minute)
        self.used_kw = self._most_kw = self.ever_live_kw = float(phase.kw)
        self.last_live = trail
        phase.reach("first_live", trail, minute)
        phase.reach("full_live", trail, minute)
        lot, self.opening = self.opening, None
        if lot is not None:
            self.service.enter(lot.racks, lot, minute)
            self.service.complete(lot, minute)

    @property
    def open_routes(self) -> list[Route]:
        """Lots on their way to where no racks have been before."""
        return [route for route in self.routes if route.new_kw > 0 and not route.live]

    @property
    def lots(self) -> list[Lot]:
        """All racks that are here."""
        under_way = [route.lot for route in self.routes if not route.live]
        return [*under_way, *self.service.lots, *([self.opening] if self.opening is not None else [])]

    def closing(self) -> Trail | None:
        """The trail of the last lot, as it would close now; None before the hall is open."""
        now = self.world.clock.now
        open_routes = self.open_routes
        if open_routes:
            closing = open_routes[-1].closing()
            if closing is not None:
                return closing
        if "full_live" in self.phase.milestones.reached:
            return self.last_live
        trail = self.power or self.access
        if trail is None:
            return None
        if not open_routes:
            return extend(trail, now, "chips", self.phase.who)
        return extend(trail, now, "bring_up", self.phase.who)

    def end(self) -> None:
        """The phase has ended: all its racks go back to storage."""
        self.ended = True
        self.works.cancel()
        chips = self.world.chips
        racks = chips.racks[self.phase.site.tenant]
        back: list[Lot] = []
        for route in self.routes:
            back += route.stop()
        for lot in back:
            racks.bring_up -= lot.racks
            self.world.hardware.assets.stood_idle(lot, lot.racks)
        if self.opening is not None:
            back.append(self.opening)
            racks.live -= self.opening.racks
            self.on_hand(self.opening.racks * self.opening.kw)
            self.opening = None
        chips.put_back(self.phase, [*back, *self.service.end()])
