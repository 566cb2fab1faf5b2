"""Orders of racks: when each is placed, for what and for whom, and when its deliveries are put off or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.errors import ModelError
from dcsim.model.blueprint import DAY, dollars, half_up
from dcsim.model.forecast import median
from dcsim.model.supply import Delivery, Purchase
from dcsim.scenario.chips import LeadPolicy
from dcsim.scenario.chips import Order as OrderSpec

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.chips import Chips
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site


class Orders:
    """All orders of a replication."""

    def __init__(self, chips: Chips) -> None:
        self.chips = chips
        self.world = chips.world
        self.purchases: list[Purchase] = []
        self._targets: dict[str, frozenset[str]] = {}
        self._ids = {id(spec): name for name, spec in self.world.spec.chips.orders.items()}
        self._put_off: list[tuple[str, Callable[[], None]]] = []
        """Orders of tenants that pay nothing for the moment."""

    def begin(self) -> None:
        """Book the orders that do not wait for a phase."""
        for id, spec in self.world.spec.chips.orders.items():
            self._targets[id] = self.phases_of(spec)
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
        for party in dict.fromkeys(product.supplier for product in self.world.spec.chips.products.values()):
            self.world.parties[party].on("default", lambda party=party: self._supplier_defaulted(party))  # type: ignore[misc]

    def phases_of(self, spec: OrderSpec) -> frozenset[str]:
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
        return list(self._ids).index(id(spec))

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

    def _watch_phase(self, id: str, spec: OrderSpec, phase: Phase) -> None:
        policy = spec.ordered
        if isinstance(policy, LeadPolicy):
            now = self.world.now
            before = half_up(now(policy.lead.buffer).value * DAY) + median(now(spec.lead_time))
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
        if phase.ended or phase.hall is None or self._waits(spec, lambda: self._place_for(id, spec, phase)):
            return
        product = self._product(spec)
        if product is None:
            return
        rack_kw = self.world.spec.chips.products[product].rack_power.value
        racks = phase.hall.racks_that_fill(rack_kw, self._on_the_way(phase)) + phase.hall.spares_for(rack_kw)
        if racks > 0:
            self._place(f"{id} {phase.who}", spec, self.world.clock.now, phase, product, racks)

    def _on_the_way(self, phase: Phase) -> float:
        """kW of racks bought to fill a phase that are not there yet."""
        bought = [p for p in self.purchases if p.phase is phase and not p.refresh]
        stored = sum(lot.racks * lot.kw for lot in self.chips.stored[phase.site.tenant] if lot.purchase in bought)
        return stored + sum(p.outstanding * p.rack_kw for p in bought)

    def refresh(self, phase: Phase, spec: OrderSpec, kw: float, k: int) -> float:
        """Order so many kW, as far as whole racks go, of what is sold now; returns the kW ordered."""
        product = self._product(spec)
        if product is None or not self.world.hardware.pays(self.tenant_of(spec)):
            return 0.0
        rack_kw = self.world.spec.chips.products[product].rack_power.value
        racks = int(kw / rack_kw + 1e-9)
        if racks:
            purchase = f"refresh {k} {phase.who}"
            self._place(purchase, spec, self.world.clock.now, phase, product, racks, again=k + 1)
        return racks * rack_kw

    def _product(self, spec: OrderSpec) -> str | None:
        """The last of the order's products that is available when its first delivery is due; else the first.

        None if nobody who makes one of them is left.
        """
        world = self.world
        made = [p for p in spec.product if world.parties[world.spec.chips.products[p].supplier].stands]
        now = world.clock.now + median(world.now(spec.lead_time))
        available = [p for p in made if world.available(p) <= now]
        return available[-1] if available else next(iter(made), None)

    def _waits(self, spec: OrderSpec, place: Callable[[], None]) -> bool:
        """Whether an order has to wait until its tenant pays again."""
        tenant = self.tenant_of(spec)
        if self.world.hardware.pays(tenant):
            return False
        self._put_off.append((tenant, place))
        return True

    def resume(self) -> None:
        """A tenant pays again: what it could not order is ordered."""
        waiting, self._put_off = self._put_off, []
        for tenant, place in waiting:
            if self.world.hardware.pays(tenant):
                place()
            else:
                self._put_off.append((tenant, place))

    # Placing.

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
        if product is None:
            return
        if minute > 0 and phase is None and self._waits(spec, lambda: self._place(id, spec, world.clock.now, None)):
            return
        model = world.spec.chips.products[product]
        user = phase.path if phase is not None else f"chips.orders.{id}"
        price = world.hardware.price(product, user, again)
        if racks is None and spec.racks is not None:
            racks = int(spec.racks.value)
        elif racks is None:
            assert spec.amount is not None
            if price <= 0:
                raise ModelError(f"{id}: {product} costs nothing, so no amount says how many racks")
            racks = dollars(spec.amount.value) // price
        lead = draws.minutes(world.by(user, spec.lead_time), again)
        given = spec.deliveries.first if again == 0 else None  # a refresh comes a lead time after its order
        first = world.when(given) if given is not None else minute + lead
        first = max(first, world.available(product))
        tenant = self.tenant_of(spec)
        purchase = Purchase(
            id, self._name(spec), spec, tenant, product, model.supplier, racks, model.rack_power.value, price, minute,
            phase, (self._rank_of(spec), phase.rank if phase is not None else -1), again,
        )  # fmt: skip
        self.purchases.append(purchase)
        self.chips.racks[tenant].ordered += racks
        every = draws.minutes(world.by(user, spec.deliveries.every))
        slip = world.by(user, spec.deliveries.slip)
        rest = racks
        if spec.initial is not None and phase is None:
            rest -= self.chips.open(purchase)
        whole = again > 0 and spec.deliveries.size is None
        for index, size in enumerate([rest] if whole else _sizes(spec, rest)):
            due = max(0, first + index * every + draws.minutes(slip, again * 1000 + index))
            purchase.deliveries.append(Delivery(purchase, size, due, index))
        world.hardware.ordered(purchase, user, again)
        for delivery in purchase.deliveries:
            world.suppliers[model.supplier].add(delivery)
        world.log("ordered", id, f"{racks} racks of {product}")
        if spec.rights.defer is not None and phase is not None:
            world.on_month(lambda: self._defer(purchase))

    def _name(self, spec: OrderSpec) -> str:
        return self._ids[id(spec)]

    # Putting off and cancelling.

    def _defer(self, purchase: Purchase) -> bool:
        """Postpone by the right in the order; False once nothing is left to postpone."""
        phase, defer = purchase.phase, purchase.spec.rights.defer
        assert phase is not None
        assert defer is not None
        policy = purchase.spec.ordered
        buffer = half_up(self.world.now(policy.lead.buffer).value * DAY) if isinstance(policy, LeadPolicy) else 0
        pending = [d for d in purchase.deliveries if not d.arrived]
        if phase.ended or not pending or (buffer >= 0 and "ready_for_service" in phase.milestones.reached):
            return False
        now, draws = self.world.clock.now, self.world.draws
        limit, notice = draws.minutes(defer.up_to), draws.minutes(defer.notice)
        late = phase.forecasts.rfs - buffer - pending[0].due
        if late > 0 and pending[0].due - now >= notice and pending[0].deferred < limit:
            days = min(late, limit - pending[0].deferred)
            for delivery in pending:
                delivery.due += days
                delivery.deferred += days
            self.world.hardware.deferred(purchase, pending, days)
            self.world.log("deferred", purchase.id, f"{days / DAY:g} days")
        return True

    def phase_ended(self, phase: Phase) -> None:
        """What was ordered for a phase that ended goes elsewhere, or is cancelled."""
        for purchase in self.purchases:
            if purchase.phase is phase and not purchase.spec.rights.redirect:
                self.cancel(purchase)

    def cancel(self, purchase: Purchase) -> None:
        """What has not come does not come any more; the tenant owes the fee."""
        withdrawn = self._withdraw(purchase)
        if withdrawn:
            self.world.hardware.cancelled(purchase, withdrawn)

    def _supplier_defaulted(self, supplier: str) -> None:
        """What it has not delivered does not come any more; deposits are lost."""
        for purchase in self.purchases:
            if purchase.supplier == supplier:
                withdrawn = self._withdraw(purchase)
                if withdrawn:
                    self.world.hardware.supplier_defaulted(purchase, withdrawn)

    def _withdraw(self, purchase: Purchase) -> list[Delivery]:
        withdrawn = [d for d in purchase.deliveries if not d.arrived]
        purchase.deliveries = [d for d in purchase.deliveries if d.arrived]
        for delivery in withdrawn:
            self.world.suppliers[purchase.supplier].withdraw(delivery)
            self.chips.racks[purchase.tenant].cancelled += delivery.racks
        if withdrawn:
            self.world.log("cancelled", purchase.id, f"{sum(d.racks for d in withdrawn)} racks")
        return withdrawn


def _sizes(spec: OrderSpec, racks: int) -> list[int]:
    """Racks of each delivery: `count` of equal size (the first ones take the remainder), or `size` each."""
    if racks <= 0:
        return []
    if spec.deliveries.count is not None:
        count = min(int(spec.deliveries.count.value), racks)
        return [racks // count + (1 if i < racks % count else 0) for i in range(count)]
    size = int(spec.deliveries.size.value) if spec.deliveries.size is not None else racks
    return [min(size, racks - i) for i in range(0, racks, size)]
