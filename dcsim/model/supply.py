"""Racks, purchases and deliveries, and suppliers whose monthly output is shared among their customers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

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
    taken: int = 0
    """Back with who had paid for them."""

    def audit(self, who: str, outstanding: int) -> None:
        """Raises ModelError if a rack is lost or counted twice."""
        if self.ordered != self.delivered + outstanding + self.cancelled:
            raise ModelError(
                f"{who}: racks ordered are not those delivered, outstanding and cancelled: {self}, {outstanding}"
            )
        placed = self.storage + self.bring_up + self.live + self.rma + self.spares + self.retired + self.taken
        if self.delivered != placed or min(vars(self).values()) < 0:
            raise ModelError(f"{who}: racks delivered are not where they should be: {self}")


class Rent(NamedTuple):
    """What a vehicle gets for racks that it leases out."""

    start: int
    end: int
    """Minute in which the lease ends."""
    each: float
    """Dollars a rack and minute."""


@dataclass(eq=False, slots=True)
class Title:
    """Racks of one delivery that are paid for together: whose they are, and what is still owed for them."""

    purchase: Purchase
    racks: int
    minute: int
    """In which they were delivered."""
    deposit: int = 0
    """Dollars of their price paid at the order."""
    waits: tuple[str, ...] = ()
    """Who is to pay once the rent of their phase has commenced, first in line first; empty once they are paid."""
    rent: Rent | None = None
    """If a vehicle owns them."""
    gone: int = 0
    """Racks that have left at the end of their life."""
    taken: bool = False
    """Whether the tenant has lost them to who paid for them."""

    @property
    def price(self) -> int:
        """Dollars."""
        return self.racks * self.purchase.price


@dataclass(eq=False, slots=True)
class Lot:
    """Racks that are stored, assigned and brought up together."""

    racks: int
    kw: float
    """Power of one rack."""
    purchase: Purchase
    delivered: int
    title: Title
    since: int
    """Minute from which they stand idle."""
    number: int = -1
    """Place among the lots of its phase, from 0."""
    used: int = 0
    """Minutes that it has been in service elsewhere."""


@dataclass(eq=False, slots=True)
class Delivery:
    """What a supplier ships in one go."""

    purchase: Purchase
    racks: int
    due: int
    index: int
    deposit: int = 0
    """Dollars of its price paid at the order."""
    allotted: int = 0
    arrived: bool = False
    deferred: int = 0

    @property
    def price(self) -> int:
        """Dollars."""
        return self.racks * self.purchase.price

    @property
    def place(self) -> tuple[int, int, tuple[int, int], int]:
        """Place in a queue: by the minute it is due, then by its order's minute and place in the file."""
        return self.due, self.purchase.minute, self.purchase.rank, self.index


@dataclass(eq=False)
class Purchase:
    """An order that was placed."""

    id: str
    order: str
    """Id of the order in the file."""
    spec: OrderSpec
    tenant: str
    product: str
    supplier: str
    racks: int
    rack_kw: float
    price: int
    """Dollars of a rack."""
    minute: int
    phase: Phase | None
    rank: tuple[int, int]
    """Places of its order and of its phase in the file."""
    again: int = 0
    """How many times its phase has been refreshed, this time included; 0 if it replaces nothing."""
    deliveries: list[Delivery] = field(default_factory=list)
    unpaid: int = 0
    """Dollars of delivered racks that the supplier waits for."""

    @property
    def user(self) -> str:
        """Who draws its price and its lead time."""
        return self.phase.path if self.phase is not None else f"chips.orders.{self.order}"

    @property
    def refresh(self) -> bool:
        """Whether it replaces racks at the end of their life."""
        return self.again > 0

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
        self.limited = spec is not None and not world.unlimited
        self.queue: list[Delivery] = []
        self._held: list[Delivery] = []
        """What would come, if its buyer paid."""

    def add(self, delivery: Delivery) -> None:
        """A delivery has been ordered."""
        if self.limited:
            self.queue.append(delivery)
        else:
            delivery.allotted = delivery.racks
            self._book(delivery)

    def move(self, deliveries: list[Delivery], minutes: int) -> None:
        """Deliveries to come are due so much later; or sooner, though not before now."""
        now = self.world.clock.now
        for delivery in deliveries:
            due = delivery.due + minutes
            delivery.due = due if minutes > 0 else min(delivery.due, max(now, due))
            if delivery.allotted == delivery.racks:
                self._book(delivery)

    def month(self) -> None:
        """Share the month's racks among what is due by its end, backlog first."""
        queue = [d for d in self.queue if self.world.parties[d.purchase.tenant].stopped is None]
        if not queue or self.spec is None:
            return
        now, blueprint = self.world.clock.now, self.world.blueprint
        date = blueprint.date_of(now)
        rates = [self.world.now(rate).value for start, rate in sorted(self.spec.racks.items()) if start <= date]
        output = half_up((rates[-1] if rates else 0.0) * self.world.draws.value(self.spec.share_for_this_world))
        end = blueprint.month_end(now)
        left = self._hand_out([d for d in queue if d.due < now], output)
        self._hand_out([d for d in queue if now <= d.due < end], left)
        for delivery in [d for d in queue if d.allotted == d.racks]:
            self.queue.remove(delivery)
            self._book(delivery)

    def _hand_out(self, due: list[Delivery], output: int) -> int:
        """Give racks to deliveries; returns what is left."""
        rule = self.spec.sharing if self.spec is not None else "first_come"
        quotas = self._quotas(due, output) if rule == "pro_rata" else None
        by_priority = rule == "priority"
        for delivery in sorted(due, key=lambda d: (d.purchase.spec.priority if by_priority else 0, *d.place)):
            take = min(output, delivery.racks - delivery.allotted)
            if quotas is not None:
                take = min(take, quotas[delivery.purchase.tenant])
                quotas[delivery.purchase.tenant] -= take
            delivery.allotted += take
            output -= take
        return output

    def _quotas(self, due: list[Delivery], output: int) -> dict[str, int]:
        """Racks for each tenant, by racks wanted; what is left over goes to the largest remainders."""
        wanted = dict.fromkeys(self.world.spec.tenants, 0)
        for delivery in due:
            wanted[delivery.purchase.tenant] += delivery.racks - delivery.allotted
        total = sum(wanted.values())
        if total <= output:
            return wanted
        quotas = {tenant: output * racks // total for tenant, racks in wanted.items()}
        by_remainder = sorted(wanted, key=lambda tenant: -(output * wanted[tenant] % total))
        for tenant in by_remainder[: output - sum(quotas.values())]:
            quotas[tenant] += 1
        return quotas

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
        if self.world.parties[delivery.purchase.tenant].stopped is not None:
            self._held.append(delivery)  # nothing is shipped to who pays nothing
            return
        delivery.arrived = True
        self.world.chips.delivered(delivery)

    def resume(self) -> None:
        """A tenant pays again: what was held for it comes."""
        held, self._held = self._held, []
        for delivery in held:
            self._deliver(delivery, self.world.clock.now)

    def withdraw(self, delivery: Delivery) -> None:
        """A delivery is cancelled."""
        if delivery in self.queue:
            self.queue.remove(delivery)
