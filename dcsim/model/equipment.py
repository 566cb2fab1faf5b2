"""Long-lead equipment: makers of limited output, orders, and slots that the developer held already."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.clock import Handle
from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail, extend
from dcsim.model.blueprint import kw
from dcsim.model.forecast import median

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.world import World
    from dcsim.quantity import Quantity


class Maker:
    """Makers of one kind of equipment: they start at most so many units a calendar month, in strict order."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self._made = made = world.spec.equipment[id].made
        self.pool = Pool(world.clock, f"{id} output", None if made is None or world.unlimited else int(made.value))
        self._started: list[Claim] = []

    def order(self, order: Order, units: int) -> list[Claim]:
        """Start the units as output allows; the lead time runs from the start of the last."""

        def granted(claim: Claim) -> None:
            self._started.append(claim)
            if claim is claims[-1]:
                order.started()

        claims = [
            self.pool.request(1, rank=order.phase.rank, who=order.who, granted=granted)
            for _ in range(1 if self.pool.capacity is None else units)
        ]
        return claims

    def limits_changed(self) -> None:
        """Another output a month is in force: what has been started counts against it."""
        if self._made is not None and not self.world.unlimited:
            self.pool.set_capacity(int(self.world.now(self._made).value))

    def month(self) -> None:
        """A month has begun; what was left of the last one's output is gone."""
        for claim in self._started:
            claim.release()
        self._started.clear()


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
        self.begun: int | None = None
        """Minute from which the lead time runs."""
        self.trail: Trail | None = None
        self.arrived = False
        self.cancelled = False
        self._claims: list[Claim] = []
        self._arrives = 0
        self._arrival: Handle | None = None

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
        if self.slot or self.spec.lead_time is not None:
            self.started()
        else:
            self._claims = world.makers[self.id].order(self, self._units)

    @property
    def _units(self) -> int:
        """Units that serve the phase, at its peak."""
        serves = self.equipment.serves
        mw = self.phase.world.now(serves).value if serves is not None else 0.0
        return 1 if mw <= 0 else -(-self.phase.facility_kw // max(1, kw(mw)))

    def started(self) -> None:
        """The last unit is being made, or was when the developer took the slot."""
        world = self.phase.world
        self.begun = world.clock.now
        self._book(self.begun + world.draws.minutes(self._takes))

    def _book(self, minute: int) -> None:
        self._arrives = minute
        self._arrival = self.phase.world.clock.at(minute, self._arrive)

    @property
    def under_way(self) -> bool:
        """Whether it is being made."""
        return self.begun is not None and not self.arrived and not self.cancelled

    def follow_lead_time(self) -> Callable[[], None]:
        """To be asked before the lead time changes: moves the arrival by as many minutes as it then does."""
        world = self.phase.world
        before = world.draws.minutes(self._takes)

        def move() -> None:
            shift = world.draws.minutes(self._takes) - before
            if shift and self._arrival is not None and self._arrival.cancel():
                self._book(max(world.clock.now, self._arrives + shift))

        return move

    def _arrive(self) -> None:
        if self.cancelled:
            return
        assert self.trail is not None
        self.arrived = True
        self.trail = extend(self.trail, self.phase.world.clock.now, "equipment", self.who)
        self.phase.construction.arrived(self)

    def cancel(self) -> None:
        """The phase has ended; what is being made is lost."""
        self.cancelled = True
        for claim in self._claims:
            claim.withdraw()

    @property
    def _takes(self) -> Quantity:
        return self.spec.slot_arrives if self.slot else self.lead

    @property
    def median_minutes(self) -> int:
        """Median from the start of the last unit to the site."""
        return median(self.phase.world.now(self._takes))
