"""Long-lead equipment: makers of limited output, orders, and slots that the developer held already."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail, extend
from dcsim.model.forecast import median

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.world import World


class Maker:
    """Makers of one kind of equipment: they start at most so many units a calendar month, in strict order."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.spec = world.spec.equipment[id]
        made = self.spec.made
        self._monthly = None if made is None or world.unlimited else int(made.value)
        self._left = self._monthly or 0
        self._queue: deque[tuple[Order, int]] = deque()
        self._booked = False

    def order(self, order: Order, units: int) -> None:
        """Start the units as output allows; the lead time runs from the start of the last."""
        if self._monthly is None:
            order.started()
            return
        self._queue.append((order, units))
        self._serve()

    def _serve(self) -> None:
        while self._queue and self._left > 0:
            order, units = self._queue[0]
            if order.cancelled:
                self._queue.popleft()
                continue
            start = min(units, self._left)
            self._left -= start
            if start == units:
                self._queue.popleft()
                order.started()
            else:
                self._queue[0] = (order, units - start)
        if self._queue and not self._booked:
            self._booked = True
            minute = self.world.blueprint.month_end(self.world.clock.now)
            if minute <= self.world.last_minute:
                self.world.clock.at(minute, self._month)

    def _month(self) -> None:
        self._booked = False
        self._left = self._monthly or 0
        self._serve()

    def month(self) -> None:
        """A month has begun; unused output is not carried over."""
        if not self._booked:
            self._left = self._monthly or 0


class Order:
    """Equipment of a phase, ordered; or a slot that the developer held already."""

    def __init__(self, phase: Phase, id: str) -> None:
        self.phase = phase
        self.id = id
        world = phase.world
        self.spec = phase.works.equipment[id]
        self.equipment = world.spec.equipment[id]
        path = f"{phase.path}.construction.equipment.{id}"
        self.slot = not world.draws.fails(f"{path}.slot", 1 - self.spec.slot.value)
        self.who = f"{phase.who} {id}"
        self.lead = self.spec.lead_time or world.by(phase.path, self.equipment.lead_time)
        self.ordered: Trail | None = None
        self.trail: Trail | None = None
        self.arrived = False
        self.cancelled = False

    def begin(self) -> None:
        """Wait for the milestones at which it is ordered."""
        self.phase.milestones.on_all(self.spec.ordered, self._due)

    def _due(self, trail: Trail) -> None:
        if self.cancelled:
            return
        world = self.phase.world
        minute = max(world.clock.now, trail.minute + world.draws.minutes(self.spec.delay))
        world.clock.at(minute, lambda: self._order(extend(trail, minute, "equipment", self.who)))

    def _order(self, trail: Trail) -> None:
        if self.cancelled:
            return
        self.ordered = self.trail = trail
        world = self.phase.world
        if self.slot:
            self._deliver(world.draws.minutes(self.spec.slot_arrives))
            return
        if self.spec.lead_time is not None:
            self.started()
            return
        serves = self.equipment.serves
        units = 1 if serves is None or serves.value <= 0 else -(-self.phase.facility_kw // int(serves.value * 1000))
        world.makers[self.id].order(self, units)

    def started(self) -> None:
        """The maker has started the last unit."""
        self._deliver(self.phase.world.draws.minutes(self.lead))

    def _deliver(self, minutes: int) -> None:
        world = self.phase.world
        world.clock.at(world.clock.now + minutes, self._arrive)

    def _arrive(self) -> None:
        if self.cancelled:
            return
        assert self.trail is not None
        self.arrived = True
        self.trail = extend(self.trail, self.phase.world.clock.now, "equipment", self.who)
        self.phase.construction.arrived(self)

    @property
    def median_minutes(self) -> int:
        """Median from order to site."""
        return median(self.spec.slot_arrives if self.slot else self.lead)
