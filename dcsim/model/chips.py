"""Chips: where a tenant's racks are, what is stored, and which phases get it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.errors import ModelError
from dcsim.model.orders import Orders
from dcsim.model.supply import Delivery, Lot, Purchase, Racks, Title
from dcsim.scenario.chips import Order as OrderSpec

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World

_ANY = 10**18
"""More racks than any lot has."""


class Chips:
    """All racks of a replication."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.racks = {tenant: Racks() for tenant in world.spec.tenants}
        self.stored: dict[str, list[Lot]] = {tenant: [] for tenant in world.spec.tenants}
        self.served: defaultdict[str, float] = defaultdict(float)
        """kW-minutes from the start to the horizon for which racks of a product are live."""
        self.orders = Orders(self)
        self._allocating: set[str] = set()
        self._serves: dict[tuple[int, str], list[Phase]] = {}

    @property
    def purchases(self) -> list[Purchase]:
        """All orders that have been placed."""
        return self.orders.purchases

    def begin(self) -> None:
        """Book the orders that do not wait for a phase."""
        self.world.hardware.begin()
        self.orders.begin()

    def tenant_of(self, spec: OrderSpec) -> str:
        """Who orders."""
        return self.orders.tenant_of(spec)

    def site_leased(self, site: Site) -> None:
        """A lease is signed: racks may come."""
        self.orders.site_leased(site)
        self.allocate(site.tenant)

    # Storage.

    def open(self, purchase: Purchase) -> int:
        """Racks delivered, and paid, before the start: live in a phase, or stored. Returns how many."""
        initial = purchase.spec.initial
        assert initial is not None
        racks = int(initial.delivered.value)
        book = self.racks[purchase.tenant]
        book.delivered += racks
        minute = min(0, purchase.minute)
        title = Title(purchase, racks, 0)
        if initial.to is not None:
            site, _, phase = initial.to.removeprefix("sites.").partition(".")
            there = self.world.sites[site].phases[phase]
            title.minute = min(0, there.given.get("full_live", 0))
            book.live += racks
            if there.hall is not None:
                kw = there.kw / racks  # what the file says of the phase holds
                there.hall.opening = Lot(racks, kw, purchase, minute, title, minute)
        else:
            self.world.record.change(0, purchase.tenant, "chips_on_hand", racks * purchase.rack_kw)
            self._store(Lot(racks, purchase.rack_kw, purchase, minute, title, minute))
        self.world.hardware.assets.own(title)
        return racks

    def delivered(self, delivery: Delivery) -> None:
        """Racks are here: cut into lots, paid, stored, and assigned when allocations are made."""
        purchase, now = delivery.purchase, self.world.clock.now
        self.racks[purchase.tenant].delivered += delivery.racks
        self.world.record.change(now, purchase.tenant, "chips_on_hand", delivery.racks * purchase.rack_kw)
        self.world.log("delivered", purchase.id, f"delivery {delivery.index + 1}: {delivery.racks} racks")
        title = Title(purchase, delivery.racks, now, delivery.deposit)
        lots = self._store(Lot(delivery.racks, purchase.rack_kw, purchase, now, title, now))
        self.world.hardware.delivered(title, lots)
        self.allocate(purchase.tenant)

    def _store(self, lot: Lot) -> list[Lot]:
        """Racks come into storage, cut into lots that fit where they may go."""
        tenant, size = lot.purchase.tenant, self._lot_size(lot.purchase)
        cut = [lot] if lot.racks <= size else [
            replace(lot, racks=min(size, lot.racks - n)) for n in range(0, lot.racks, size)
        ]  # fmt: skip
        self.stored[tenant] += cut
        self.racks[tenant].storage += lot.racks
        self.world.hardware.stored(lot, lot.racks)
        return cut

    def put_back(self, phase: Phase, lots: list[Lot]) -> None:
        """All racks of a phase that has ended come back to storage, but for those that somebody takes back."""
        for lot in lots:
            lot.since = self.world.clock.now
            self._store(lot)
        self.take_back(phase.site.tenant)
        self.orders.phase_ended(phase)
        self.allocate(phase.site.tenant)

    def take_back(self, tenant: str) -> None:
        """Stored racks that the tenant has lost leave."""
        lost = [lot for lot in self.stored[tenant] if lot.title.taken]
        if lost:
            self.stored[tenant] = [lot for lot in self.stored[tenant] if not lot.title.taken]
        for lot in lost:
            self.racks[tenant].taken += lot.racks
            self._leaves(lot)
            self.world.record.change(self.world.clock.now, tenant, "chips_on_hand", -lot.racks * lot.kw)
            self.world.hardware.assets.stood_idle(lot, lot.racks)

    def _leaves(self, lot: Lot) -> None:
        self.racks[lot.purchase.tenant].storage -= lot.racks
        self.world.hardware.stored(lot, -lot.racks)

    def _lot_size(self, purchase: Purchase) -> int:
        """The lot of the phase it was ordered for, else the smallest of those that it may serve."""
        own = purchase.phase
        phases = [own] if own is not None and not own.ended else self._served(purchase)
        sizes = [p.hall.lot_size for p in phases if p.hall is not None]
        return min(sizes) if sizes else max(1, purchase.racks)

    def _served(self, purchase: Purchase) -> list[Phase]:
        """The phases of its tenant that an order may serve, in file order."""
        key = (id(purchase.spec), purchase.tenant)
        if key not in self._serves:
            targets = self.orders.phases_of(purchase.spec)
            mine = [s for s in self.world.sites.values() if s.tenant == purchase.tenant]
            self._serves[key] = [p for s in mine for p in s.phases.values() if p.who in targets]
        return self._serves[key]

    # Allocation.

    def allocate(self, tenant: str) -> None:
        """Assign stored lots in this minute's allocation."""
        if tenant not in self._allocating and self.stored[tenant]:
            self._allocating.add(tenant)
            clock = self.world.clock
            clock.stage_at(clock.now, Stage.ALLOCATION, lambda: self._allocate(tenant), rank=1)

    def _allocate(self, tenant: str) -> None:
        self._allocating.discard(tenant)
        kept = []
        too_large: dict[tuple[Purchase, float], int] = {}
        for lot in sorted(self.stored[tenant], key=lambda lot: (lot.delivered, lot.purchase.rank)):
            alike = lot.purchase, lot.kw
            phase = self._destination(lot) if lot.racks < too_large.get(alike, _ANY) else None
            if phase is None:
                kept.append(lot)
                too_large[alike] = min(lot.racks, too_large.get(alike, _ANY))  # room only shrinks as lots are assigned
                continue
            assert phase.hall is not None
            self._leaves(lot)
            self.world.hardware.assigned(phase, lot)
            phase.hall.assign(lot)
        self.stored[tenant] = kept

    def _destination(self, lot: Lot) -> Phase | None:
        """The phase under lease with room for the whole lot that the order's policy puts first."""
        purchase = lot.purchase
        own = purchase.phase
        if own is not None and not own.ended:
            return own if own.hall is not None and own.hall.has_room(lot) else None
        fits = [
            p
            for p in self._served(purchase)
            if p.hall is not None and p.site.lease_is_signed and not p.ended and p.hall.has_room(lot)
        ]
        if not fits:
            return None
        policy = purchase.spec.allocate.by
        if policy == "earliest_rfs":
            return min(fits, key=lambda p: (p.forecasts.rfs, p.rank))
        if policy == "pro_rata":
            return min(fits, key=lambda p: (p.hall.filled if p.hall is not None else 1.0, p.rank))
        return min(fits, key=lambda p: p.rank)

    # What is where.

    def lots(self, tenant: str) -> Iterator[Lot]:
        """Racks in storage, on their way to be live, and live."""
        yield from self.stored[tenant]
        for site in self.world.sites.values():
            for phase in site.phases.values() if site.tenant == tenant else ():
                if phase.hall is not None:
                    yield from phase.hall.lots

    def idle_lots(self, tenant: str) -> Iterator[tuple[Lot, int]]:
        """Lots in storage or bring-up, and how many of their racks are not live."""
        for lot in self.stored[tenant]:
            yield lot, lot.racks
        for site in self.world.sites.values():
            for phase in site.phases.values() if site.tenant == tenant else ():
                for route in phase.hall.routes if phase.hall is not None and not phase.ended else ():
                    if not route.live:
                        yield route.lot, route.lot.racks - route.accepted

    def audit(self) -> None:
        """Raises ModelError if racks are lost."""
        for tenant, racks in self.racks.items():
            racks.audit(tenant, sum(p.outstanding for p in self.purchases if p.tenant == tenant))
            if racks.storage != sum(lot.racks for lot in self.stored[tenant]):
                raise ModelError(f"{tenant}: {racks.storage} racks in storage, but the lots there hold others")
