"""Racks, purchases and deliveries, and suppliers whose monthly output is shared among their customers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dcsim.errors import ModelError
from dcsim.model.blueprint import half_up
from dcsim.scenario.chips import Order as OrderSpec

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.world import World


@dataclass
class Racks:
    """Where a tenant's racks are; every rack delivered is in one place."""

    ordered: int = 0
    delivered: int = 0
    cancelled: int = 0
    storage: int = 0
    bring_up: int = 0
    live: int = 0
    rma: int = 0
    spares: int = 0
    retired: int = 0

    def audit(self, who: str, outstanding: int) -> None:
        """Raises ModelError if a rack is lost or counted twice."""
        if self.ordered != self.delivered + outstanding + self.cancelled:
            raise ModelError(
                f"{who}: racks ordered are not those delivered, outstanding and cancelled: {self}, {outstanding}"
            )
        placed = self.storage + self.bring_up + self.live + self.rma + self.spares + self.retired
        if self.delivered != placed or min(vars(self).values()) < 0:
            raise ModelError(f"{who}: racks delivered are not where they should be: {self}")


@dataclass(eq=False)
class Lot:
    """Racks that are stored, assigned and brought up together."""

    racks: int
    kw: float
    """Power of one rack."""
    purchase: Purchase
    delivered: int
    number: int = -1
    """Place among the lots of its phase, from 0."""


@dataclass(eq=False)
class Delivery:
    """What a supplier ships in one go."""

    purchase: Purchase
    racks: int
    due: int
    index: int
    allotted: int = 0
    arrived: bool = False
    deferred: int = 0


@dataclass(eq=False)
class Purchase:
    """An order that was placed."""

    id: str
    spec: OrderSpec
    tenant: str
    product: str
    supplier: str
    racks: int
    rack_kw: float
    minute: int
    phase: Phase | None
    refresh: bool = False
    """Whether it replaces racks at the end of their life."""
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def outstanding(self) -> int:
        return sum(d.racks for d in self.deliveries if not d.arrived)


class Supplier:
    """A party that makes racks: a month's output, less what customers outside take, is shared among deliveries."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        spec = world.spec.parties[id].supply
        self.spec = spec
        self.share = world.draws.value(spec.share_for_this_world) if spec is not None else 1.0
        self.limited = spec is not None and not world.unlimited
        self.queue: list[Delivery] = []

    def add(self, delivery: Delivery) -> None:
        """A delivery has been ordered."""
        if self.limited:
            self.queue.append(delivery)
        else:
            delivery.allotted = delivery.racks
            self._book(delivery)

    def month(self) -> None:
        """Share the month's racks among what is due by its end, backlog first."""
        if not self.queue or self.spec is None:
            return
        now, blueprint = self.world.clock.now, self.world.blueprint
        date = blueprint.date_of(now)
        rates = [rate.value for start, rate in sorted(self.spec.racks.items()) if start <= date]
        output = half_up((rates[-1] if rates else 0.0) * self.share)
        end = blueprint.month_end(now)
        due = [d for d in self.queue if d.due < end]
        if self.spec.sharing == "pro_rata":
            self._pro_rata(due, output)
        else:
            by_priority = self.spec.sharing == "priority"
            due.sort(key=lambda d: (d.purchase.spec.priority if by_priority else 0, d.due, d.purchase.minute))
            for delivery in due:
                take = min(output, delivery.racks - delivery.allotted)
                delivery.allotted += take
                output -= take
        for delivery in due:
            if delivery.allotted == delivery.racks:
                self.queue.remove(delivery)
                self._book(delivery)

    def _pro_rata(self, due: list[Delivery], output: int) -> None:
        """By racks wanted per tenant, largest remainder; within a tenant the oldest first."""
        wanted: dict[str, int] = {}
        for d in due:
            wanted[d.purchase.tenant] = wanted.get(d.purchase.tenant, 0) + d.racks - d.allotted
        total = sum(wanted.values())
        shares = dict(wanted)
        if total > output:
            exact = {t: output * w / total for t, w in wanted.items()}
            shares = {t: math.floor(x) for t, x in exact.items()}
            rest = output - sum(shares.values())
            for tenant in sorted(exact, key=lambda t: (shares[t] - exact[t], list(wanted).index(t)))[:rest]:
                shares[tenant] += 1
        for delivery in sorted(due, key=lambda d: (d.due, d.purchase.minute)):
            take = min(shares[delivery.purchase.tenant], delivery.racks - delivery.allotted)
            delivery.allotted += take
            shares[delivery.purchase.tenant] -= take

    def _book(self, delivery: Delivery) -> None:
        """It comes whole at the later of now and its due minute."""
        clock = self.world.clock
        minute = max(clock.now, delivery.due)
        if minute <= self.world.last_minute:
            clock.at(minute, lambda: self._deliver(delivery, minute))

    def _deliver(self, delivery: Delivery, minute: int) -> None:
        if delivery.arrived or delivery not in delivery.purchase.deliveries:
            return
        if delivery.due > minute:  # deferred meanwhile
            self._book(delivery)
            return
        delivery.arrived = True
        self.world.chips.delivered(delivery)
