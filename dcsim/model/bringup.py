"""Bring-up of a lot: received, installed by crews, cabled, powered on, burnt in, live; some racks go back first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dcsim.engine.calendar import Calendar
from dcsim.engine.pool import Claim
from dcsim.engine.trail import Trail, extend, latest
from dcsim.engine.work import Work
from dcsim.model.blueprint import DAY, half_up
from dcsim.model.supply import Lot

if TYPE_CHECKING:
    from dcsim.model.hall import Hall


class Route:
    """The way of one lot through a hall, by callbacks."""

    __slots__ = ("accepted", "claim", "hall", "in_repair", "live", "lot", "new_kw", "rounds", "state", "trail", "work")

    def __init__(self, hall: Hall, lot: Lot, new_kw: float) -> None:
        self.hall = hall
        self.lot = lot
        self.state = "assigned"
        self.trail: Trail | None = None
        self.claim: Claim | None = None
        self.work: Work | None = None
        self.accepted = 0
        self.in_repair = 0
        self.rounds = 0
        self.live = False
        self.new_kw = new_kw
        """Power of the places where no racks have been before."""
        world, phase = hall.world, hall.phase
        record = world.record.milestone
        record(lot.purchase.minute, phase.site.tenant, phase.site.id, phase.id, lot.number, "ordered")
        record(lot.delivered, phase.site.tenant, phase.site.id, phase.id, lot.number, "delivered")

    @property
    def who(self) -> str:
        return f"{self.hall.phase.who} lot {self.lot.number}"

    def enter(self) -> None:
        """Into the hall, once it is open: the wait for the chips is charged to them."""
        hall = self.hall
        if hall.access is None or self.state != "assigned":
            return
        ready = hall.phase.milestones.reached.get("ready_for_service")
        opened = hall.access if ready is None else latest((hall.access, ready))
        self.trail = extend(opened, hall.world.clock.now, "chips", self.lot.purchase.supplier)
        self.state = "received"
        self._do(hall.world.draws.minutes(hall.spec.receive, self.lot.number), self._received)

    def _do(self, minutes: int, then: Callable[[Work | None], None], calendar: Calendar | None = None) -> None:
        assert self.trail is not None
        if minutes == 0:
            then(None)
            return
        self.work = Work(
            self.hall.world.clock, minutes=minutes, cause="bring_up", who=self.who, trail=self.trail, done=then,
            calendar=calendar,
        )  # fmt: skip
        self.work.start()

    def _over(self, work: Work | None) -> bool:
        """Note the end of a step. True if the phase has ended in the same minute: nothing follows."""
        if work is not None:
            self.trail = work.trail
            self.work = None
        return self.hall.ended

    def _received(self, work: Work | None) -> None:
        if self._over(work):
            return
        hall = self.hall
        if hall.crew is None:
            self._install(None)
            return
        self.state = "waiting for a crew"
        self.claim = hall.crew.request(
            1, rank=hall.phase.rank * 10**6 + self.lot.number, who=self.who, granted=self._install
        )

    def _install(self, claim: Claim | None) -> None:
        hall = self.hall
        assert self.trail is not None
        self.trail = extend(self.trail, hall.world.clock.now, "crews", hall.spec.install.team)
        self.state = "install"
        a_day = hall.world.draws.value(hall.spec.install.racks_per_day, self.lot.number)
        minutes = half_up(self.lot.racks / a_day * DAY)
        self._do(minutes, self._installed, hall.crew.calendar if hall.crew is not None else None)

    def _installed(self, work: Work | None) -> None:
        if self._over(work):
            return
        hall, phase = self.hall, self.hall.phase
        if self.claim is not None:
            self.claim.release()
            self.claim = None
        now = hall.world.clock.now
        hall.world.record.milestone(now, phase.site.tenant, phase.site.id, phase.id, self.lot.number, "installed")
        self.state = "cabling"
        self._do(hall.world.draws.minutes(hall.spec.cabling, self.lot.number), self._cabled)

    def _cabled(self, work: Work | None) -> None:
        if self._over(work):
            return
        self.state = "cabled"
        self.power_on()

    def power_on(self) -> None:
        """Burn-in begins with power; the later of the lot's own way and the hall's is what held it up."""
        hall = self.hall
        if self.state != "cabled" or hall.power is None:
            return
        assert self.trail is not None
        self.trail = extend(latest((self.trail, hall.power)), hall.world.clock.now, "bring_up", self.who)
        self.state = "burn-in"
        self._do(hall.world.draws.minutes(hall.spec.burn_in, self.lot.number), self._burnt_in)

    def _burnt_in(self, work: Work | None) -> None:
        if self._over(work):
            return
        self._accept(self.lot.racks)

    def _accept(self, tested: int) -> None:
        """What passes goes live; what is dead goes back, and is tested again when it returns."""
        hall = self.hall
        racks = hall.world.chips.racks[hall.phase.site.tenant]
        dead = 0
        rule = hall.spec.dead_on_arrival
        if rule is not None:
            k = self.lot.number * 64 + min(self.rounds, 63)
            chance = hall.world.now(rule.chance).value
            dead = hall.world.draws.binomial(f"{hall.path}.dead_on_arrival", tested, chance, k)
        good = tested - dead
        assert self.trail is not None
        if good:
            racks.bring_up -= good
            racks.live += good
            self.accepted += good
            hall.world.hardware.assets.stood_idle(self.lot, good)
            hall.live(good * self.lot.kw, self.new_kw * good / self.lot.racks, self.trail)
            hall.service.enter(good, self.lot, hall.world.clock.now)
        if dead:
            assert rule is not None
            self.rounds += 1
            self.state = "repair"
            if self.in_repair == 0:
                racks.bring_up -= dead
                racks.rma += dead
            self.in_repair = dead
            minutes = max(1, hall.world.draws.minutes(rule.returned_in, self.lot.number * 64 + min(self.rounds, 63)))
            self.work = Work(
                hall.world.clock, minutes=minutes, cause="repair", who=self.who, trail=self.trail, done=self._returned
            )
            self.work.start()
            return
        self.state = "live"
        self.live = True
        phase = hall.phase
        now = hall.world.clock.now
        hall.world.record.milestone(now, phase.site.tenant, phase.site.id, phase.id, self.lot.number, "live")
        hall.service.complete(self.lot, now)

    def _returned(self, work: Work) -> None:
        if self._over(work):
            return
        racks = self.hall.world.chips.racks[self.hall.phase.site.tenant]
        back, self.in_repair = self.in_repair, 0
        racks.rma -= back
        racks.bring_up += back
        self._accept(back)

    def closing(self) -> Trail | None:
        """The trail as it would close now."""
        now = self.hall.world.clock.now
        if self.trail is None:
            return None
        if self.work is not None:
            return self.work.trail_at(now)
        if self.state == "waiting for a crew":
            return extend(self.trail, now, "crews", self.hall.spec.install.team)
        if self.state == "cabled":
            other = self.hall.works.closing() or self.hall.phase.closing_before_hall()
            return other if other is not None else extend(self.trail, now, "bring_up", self.who)
        return extend(self.trail, now, "bring_up", self.who)

    def stop(self) -> list[Lot]:
        """The phase has ended: what is not live comes out again; racks in repair come back to storage too."""
        if self.work is not None:
            self.work.cancel()
            self.work = None
        if self.claim is not None:
            self.claim.cancel()
            self.claim = None
        if self.live:
            return []
        self.live = True
        racks = self.hall.world.chips.racks[self.hall.phase.site.tenant]
        if self.in_repair:
            racks.rma -= self.in_repair
            racks.bring_up += self.in_repair
            self.in_repair = 0
        left = self.lot.racks - self.accepted
        self.state = "stopped"
        if left == 0:
            return []
        return [replace(self.lot, racks=left, number=-1)]
