"""Chips: when orders are placed, what is stored, and which phases get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.errors import ModelError
from dcsim.model.blueprint import DAY, dollars, half_up
from dcsim.model.forecast import median
from dcsim.model.supply import Delivery, Lot, Purchase, Racks
from dcsim.network.contracts import Contract
from dcsim.scenario.chips import LeadPolicy
from dcsim.scenario.chips import Order as OrderSpec

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World


class Chips:
    """All orders, purchases and stored lots of a replication."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.racks = {tenant: Racks() for tenant in world.spec.tenants}
        self.purchases: list[Purchase] = []
        self.stored: dict[str, list[Lot]] = {tenant: [] for tenant in world.spec.tenants}
        self._allocating: set[str] = set()
        self._targets: dict[str, frozenset[str]] = {}
        self._serves: dict[tuple[int, str], list[Phase]] = {}

    def begin(self) -> None:
        """Book the orders that do not wait for a phase."""
        for id, spec in self.world.spec.chips.orders.items():
            self._targets[id] = self._phases_of(spec)
            policy = spec.ordered
            if isinstance(policy, LeadPolicy):
                continue  # placed phase by phase once the lease is signed
            if policy.dated:
                if spec.per == "phase":
                    continue
                minute = self.world.when(policy)
                if minute <= 0:
                    self._place(id, spec, minute, None)
                else:
                    self.world.clock.at(minute, lambda id=id, spec=spec, m=minute: self._place(id, spec, m, None))  # type: ignore[misc]
            elif spec.per == "order":
                self.world.watch(
                    policy.after, policy.delay, f"chips.orders.{id}",
                    lambda minute, id=id, spec=spec: self._place(id, spec, minute, None),  # type: ignore[misc]
                )  # fmt: skip

    def _phases_of(self, spec: OrderSpec) -> frozenset[str]:
        """`site.phase` of every phase that the order may serve."""
        out = set()
        for pattern in spec.allocate.to:
            parts = pattern.split(".")[1:] if pattern.startswith("sites.") else pattern.split(".")
            for site in self.world.sites.values():
                if parts[0] in ("*", site.id) or (parts[0].startswith("@") and parts[0][1:] in site.spec.tags):
                    for phase in site.phases.values():
                        if len(parts) < 2 or parts[-1] in ("*", phase.id):
                            out.add(phase.who)
        return frozenset(out)

    def tenant_of(self, spec: OrderSpec) -> str:
        """Who orders."""
        return spec.tenant if spec.tenant is not None else next(iter(self.world.spec.tenants))

    def _rank_of(self, spec: OrderSpec) -> int:
        """Place of an order in the file."""
        return next(rank for rank, other in enumerate(self.world.spec.chips.orders.values()) if other is spec)

    # Orders made per phase.

    def site_leased(self, site: Site) -> None:
        """A lease is signed: per-phase orders begin to watch their phases."""
        for id, spec in self.world.spec.chips.orders.items():
            if spec.per != "phase" or self.tenant_of(spec) != site.tenant:
                continue
            for phase in site.phases.values():
                if (
                    phase.ended
                    or phase.who not in self._targets[id]
                    or "full_live" in phase.given
                    or phase.hall is None
                ):
                    continue
                self._watch_phase(id, spec, phase)
        self.allocate(site.tenant)

    def _watch_phase(self, id: str, spec: OrderSpec, phase: Phase) -> None:
        policy = spec.ordered
        if isinstance(policy, LeadPolicy):
            before = half_up(policy.lead.buffer.value * DAY) + median(spec.lead_time)
            after = policy.lead.not_before or ("lease_signed",)
            phase.milestones.on_all(after, lambda trail: self._lead(id, spec, phase, before))
        elif policy.dated:
            minute = max(self.world.clock.now, self.world.when(policy))
            self.world.clock.at(minute, lambda: self._place_for(id, spec, phase))
        else:
            delay = self.world.draws.minutes(self.world.by(phase.path, policy.delay))

            def due(trail: Trail) -> None:
                minute = max(self.world.clock.now, trail.minute + delay)
                self.world.clock.at(minute, lambda: self._place_for(id, spec, phase))

            phase.milestones.on_all(policy.after, due)

    def _lead(self, id: str, spec: OrderSpec, phase: Phase, before: int) -> None:
        if not phase.ended:
            phase.forecasts.watch(-before, lambda: self._place_for(id, spec, phase))

    def _place_for(self, id: str, spec: OrderSpec, phase: Phase) -> None:
        """Order what fills the phase, and its spares, beside what is on its way there."""
        if phase.ended or phase.hall is None:
            return
        product = self._product(spec)
        rack_kw = self.world.spec.chips.products[product].rack_power.value
        racks = phase.hall.racks_that_fill(rack_kw, self._on_the_way(phase)) + phase.hall.spares_for(rack_kw)
        if racks > 0:
            self._place(f"{id} {phase.who}", spec, self.world.clock.now, phase, product, racks)

    def _on_the_way(self, phase: Phase) -> float:
        """kW of racks bought to fill a phase that are not there yet."""
        bought = [p for p in self.purchases if p.phase is phase and not p.refresh]
        stored = sum(lot.racks * lot.kw for lot in self.stored[phase.site.tenant] if lot.purchase in bought)
        return stored + sum(p.outstanding * p.rack_kw for p in bought)

    def refresh(self, phase: Phase, spec: OrderSpec, kw: float, k: int) -> float:
        """Order so many kW, as far as whole racks go, of what is sold now; returns the kW ordered."""
        product = self._product(spec)
        rack_kw = self.world.spec.chips.products[product].rack_power.value
        racks = int(kw / rack_kw + 1e-9)
        if racks:
            purchase = f"refresh {k} {phase.who}"
            self._place(purchase, spec, self.world.clock.now, phase, product, racks, again=k + 1)
        return racks * rack_kw

    def _product(self, spec: OrderSpec) -> str:
        """The last of the order's products that is available when its first delivery is due; else the first."""
        now = self.world.clock.now + median(spec.lead_time)
        available = [p for p in spec.product if self.world.available(p) <= now]
        return available[-1] if available else spec.product[0]

    # Placing and delivering.

    def _place(
        self,
        id: str,
        spec: OrderSpec,
        minute: int,
        phase: Phase | None,
        product: str | None = None,
        racks: int | None = None,
        again: int = 0,
    ) -> None:
        world, draws = self.world, self.world.draws
        product = product or self._product(spec)
        model = world.spec.chips.products[product]
        if racks is None:
            if spec.racks is not None:
                racks = int(spec.racks.value)
            else:
                assert spec.amount is not None
                price = dollars(draws.value(model.rack_price))
                if price <= 0:
                    raise ModelError(f"{id}: {product} costs nothing, so no amount says how many racks")
                racks = dollars(spec.amount.value) // price
        user = phase.path if phase is not None else f"chips.orders.{id}"
        lead = draws.minutes(world.by(user, spec.lead_time), again)
        given = spec.deliveries.first if again == 0 else None  # a refresh comes a lead time after its order
        first = world.when(given) if given is not None else minute + lead
        first = max(first, world.available(product))
        tenant = self.tenant_of(spec)
        rack_kw = model.rack_power.value
        rank = (self._rank_of(spec), phase.rank if phase is not None else -1)
        purchase = Purchase(id, spec, tenant, product, model.supplier, racks, rack_kw, minute, phase, rank, again > 0)
        self.purchases.append(purchase)
        self.racks[tenant].ordered += racks
        every = draws.minutes(world.by(user, spec.deliveries.every))
        slip = world.by(user, spec.deliveries.slip)
        rest = racks
        if spec.initial is not None and phase is None:
            rest -= self._opening(purchase, spec)
        whole = again > 0 and spec.deliveries.size is None
        for index, size in enumerate([rest] if whole else _sizes(spec, rest)):
            due = max(0, first + index * every + draws.minutes(slip, again * 1000 + index))
            delivery = Delivery(purchase, size, due, index)
            purchase.deliveries.append(delivery)
            world.suppliers[model.supplier].add(delivery)
        world.book.open(
            Contract("supply", f"supply:{id}", model.supplier, tenant, racks, minute, tenant=tenant, site=None)
        )
        world.log("ordered", id, f"{racks} racks of {product}")
        if spec.rights.defer is not None and phase is not None:
            self._watch_deferral(purchase)

    def _opening(self, purchase: Purchase, spec: OrderSpec) -> int:
        """Racks delivered before the start: live in a phase, or stored."""
        assert spec.initial is not None
        racks = int(spec.initial.delivered.value)
        book = self.racks[purchase.tenant]
        book.delivered += racks
        if spec.initial.to is not None:
            site, _, phase = spec.initial.to.removeprefix("sites.").partition(".")
            hall = self.world.sites[site].phases[phase].hall
            if hall is not None:
                hall.opening_racks = racks
                hall.opening_purchase = purchase
            book.live += racks
        else:
            book.storage += racks
            self.world.record.change(0, purchase.tenant, "chips_on_hand", racks * purchase.rack_kw)
            self._store(purchase, racks, min(0, purchase.minute))
        return racks

    def _watch_deferral(self, purchase: Purchase) -> None:
        """Each month, postpone what would come long before the forecast hall."""
        self.world.on_month(lambda: self._defer(purchase))

    def _defer(self, purchase: Purchase) -> bool:
        """Postpone by the right in the order; False once nothing is left to postpone."""
        phase, defer = purchase.phase, purchase.spec.rights.defer
        assert phase is not None
        assert defer is not None
        pending = [d for d in purchase.deliveries if not d.arrived]
        if phase.ended or not pending:
            return False
        now, draws = self.world.clock.now, self.world.draws
        limit, notice = draws.minutes(defer.up_to), draws.minutes(defer.notice)
        policy = purchase.spec.ordered
        buffer = half_up(policy.lead.buffer.value * DAY) if isinstance(policy, LeadPolicy) else 0
        late = phase.forecasts.rfs - buffer - pending[0].due
        if late > 0 and pending[0].due - now >= notice and pending[0].deferred < limit:
            days = min(late, limit - pending[0].deferred)
            for delivery in pending:
                delivery.due += days
                delivery.deferred += days
            self.world.log("deferred", purchase.id, f"{days / DAY:g} days")
        return True

    def delivered(self, delivery: Delivery) -> None:
        """Racks are here: cut into lots, stored, and assigned when allocations are made."""
        purchase = delivery.purchase
        book = self.racks[purchase.tenant]
        book.delivered += delivery.racks
        book.storage += delivery.racks
        now = self.world.clock.now
        self.world.record.change(now, purchase.tenant, "chips_on_hand", delivery.racks * purchase.rack_kw)
        self.world.log("delivered", purchase.id, f"delivery {delivery.index + 1}: {delivery.racks} racks")
        self._store(purchase, delivery.racks, now)
        self.allocate(purchase.tenant)

    def _store(self, purchase: Purchase, racks: int, minute: int) -> None:
        size = self._lot_size(purchase)
        while racks > 0:
            take = min(size, racks)
            self.stored[purchase.tenant].append(Lot(take, purchase.rack_kw, purchase, minute))
            racks -= take

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
            targets = self._phases_of(purchase.spec)
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
        for lot in sorted(self.stored[tenant], key=lambda lot: (lot.delivered, lot.purchase.rank)):
            phase = self._destination(lot)
            if phase is None:
                kept.append(lot)
                continue
            assert phase.hall is not None
            self.racks[tenant].storage -= lot.racks
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

    def phase_ended(self, phase: Phase) -> None:
        """Undelivered racks of a phase that ended go elsewhere, or are cancelled."""
        for purchase in self.purchases:
            if purchase.phase is phase and not purchase.spec.rights.redirect:
                open_ones = [d for d in purchase.deliveries if not d.arrived]
                purchase.deliveries = [d for d in purchase.deliveries if d.arrived]
                queue = self.world.suppliers[purchase.supplier].queue
                for delivery in open_ones:
                    if delivery in queue:
                        queue.remove(delivery)
                    self.racks[purchase.tenant].cancelled += delivery.racks
        self.allocate(phase.site.tenant)

    def audit(self) -> None:
        """Raises ModelError if racks are lost."""
        for tenant, racks in self.racks.items():
            racks.audit(tenant, sum(p.outstanding for p in self.purchases if p.tenant == tenant))
            if racks.storage != sum(lot.racks for lot in self.stored[tenant]):
                raise ModelError(f"{tenant}: {racks.storage} racks in storage, but the lots there hold others")


def _sizes(spec: OrderSpec, racks: int) -> list[int]:
    """Racks of each delivery: `count` of equal size (the first ones take the remainder), or `size` each."""
    if racks <= 0:
        return []
    if spec.deliveries.count is not None:
        count = min(int(spec.deliveries.count.value), racks)
        return [racks // count + (1 if i < racks % count else 0) for i in range(count)]
    size = int(spec.deliveries.size.value) if spec.deliveries.size is not None else racks
    return [min(size, racks - i) for i in range(0, racks, size)]
