"""The money of racks: what is paid for them, when and by whom, and what it costs to keep, put off or cancel them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from dcsim.engine.clock import Stage
from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.assets import Assets
from dcsim.model.blueprint import YEAR, dollars, half_up
from dcsim.model.instalments import Firsts, parts_of
from dcsim.model.meter import Meter
from dcsim.model.supply import Delivery, Lot, Purchase, Title
from dcsim.model.vehicle import Vehicle
from dcsim.model.vendor import Note
from dcsim.network.contracts import Contract
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.world import Month, World


class Hardware:
    """All payments for racks of a replication.

    A deposit is paid at the order, the rest at delivery, by the first of the order's `paid_by` that can take a delivery
    whole: the tenant itself (`cash`), with a loan on the racks (`vendor`), or a vehicle that buys them and leases them
    out. A supplier waits for a vehicle that draws later; if that one then does not, the next in line pays.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.firsts = Firsts(world)
        self.assets = Assets(self)
        self._margins: Counter[str] = Counter()
        spec = world.spec
        self.vehicles = {id: Vehicle(self, id, party.vehicle) for id, party in spec.parties.items() if party.vehicle}
        self._notes: dict[tuple[str, str], Note] = {}
        self._waiting: defaultdict[Phase, list[Title]] = defaultdict(list)
        self._stored: defaultdict[tuple[str, str], Meter] = defaultdict(Meter)
        """Dollars of price in storage, by tenant and product."""
        self._billed: Counter[tuple[str, str]] = Counter()
        if spec.chips.orders:
            world.on_month_end(self._bill_storage)

    def begin(self) -> None:
        """Promises of funders stand, and everybody listens to who pays."""
        world = self.world
        for vehicle in self.vehicles.values():
            vehicle.begin()
        for tenant in world.spec.tenants:
            world.parties[tenant].on("resumed", self._resumed)
            world.parties[tenant].on("default", lambda tenant=tenant: self._tenant_defaulted(tenant))  # type: ignore[misc]

    def _resumed(self) -> None:
        """A tenant pays again."""
        for supplier in self.world.suppliers.values():
            supplier.resume()
        for phase in list(self._waiting):
            if "rent_commencement" in phase.milestones.reached:
                self._soon(phase)
        self.world.chips.orders.resume()

    def pays(self, party: str) -> bool:
        """Whether a party pays what it owes."""
        return self.world.parties[party].stopped is None

    def pay(self, payer: str, payee: str, kind: str, dollars: int, minute: int | None = None) -> bool:
        """Pay at once, if the payer pays at all; what somebody makes itself costs it nothing here."""
        return payer == payee or self.world.money.pay(payer, payee, kind, dollars, minute)

    def drawn(self, user: str, quantity: Quantity, k: int = 0) -> float:
        """A number of an order or a product as its user has it now."""
        now = self.world.now(quantity)
        if quantity.is_constant and now.is_constant:
            return now.value
        return self.world.draws.value(self.world.by(user, quantity), k)

    # Ordering.

    def price(self, product: str, user: str, k: int = 0) -> int:
        """Dollars of a rack that is ordered now."""
        return dollars(self.drawn(user, self.world.spec.chips.products[product].rack_price, k))

    def ordered(self, purchase: Purchase, user: str, k: int) -> None:
        """An order has been placed: its deposit is paid, and the rest is committed."""
        book = self.world.book
        share = self.drawn(user, purchase.spec.deposit, k)
        for delivery in purchase.deliveries:
            delivery.deposit = half_up(share * delivery.price)
        deposit = sum(delivery.deposit for delivery in purchase.deliveries)
        tenant, supplier, minute = purchase.tenant, purchase.supplier, purchase.minute
        self.pay(tenant, supplier, "chip deposit", deposit, minute)
        if tenant == supplier:
            return
        committed = purchase.racks * purchase.price
        book.open(Contract("supply", f"supply:{purchase.id}", tenant, supplier, committed, minute, tenant=tenant))
        if deposit:
            id = f"deposit:{purchase.id}"
            book.open(Contract("supply", id, supplier, tenant, deposit, minute, tenant=tenant))
        self._stake(purchase, minute)

    def _stake(self, purchase: Purchase, minute: int | None = None, deposits: bool = True) -> None:
        """What is at stake: the price still to be paid for what has not come, and the deposits on it."""
        now = self.world.clock.now if minute is None else minute
        ahead = [d for d in purchase.deliveries if not d.arrived]
        paid = sum(d.deposit for d in ahead)
        self._at_stake(f"supply:{purchase.id}", sum(d.price for d in ahead) - paid, now)
        if deposits:
            self._at_stake(f"deposit:{purchase.id}", paid, now)

    def _at_stake(self, id: str, amount: int, minute: int) -> None:
        contract = self.world.book.get(id)
        if contract is not None and contract.closed is None:
            contract.owe(minute, amount)
            if not amount:
                self.world.book.close(id, minute)

    def _credit(self, purchase: Purchase, change: int) -> None:
        """The supplier waits for so much more (negative: less) for what it has delivered."""
        purchase.unpaid += change
        self._claim(f"credit:{purchase.id}", purchase, purchase.unpaid)

    def _claim(self, id: str, purchase: Purchase, amount: int) -> None:
        """What the tenant owes the supplier and does not pay yet, if ever."""
        book, now, tenant, supplier = self.world.book, self.world.clock.now, purchase.tenant, purchase.supplier
        if tenant == supplier:
            return
        claim = book.get(id) or book.open(Contract("vendor_finance", id, tenant, supplier, 0, now, tenant=tenant))
        claim.amount = max(claim.amount, amount)
        claim.owe(now, amount)

    # Delivery.

    def delivered(self, title: Title, lots: list[Lot]) -> None:
        """Racks have come, in these lots: whoever is to pay for them does, or the supplier waits."""
        purchase = title.purchase
        names = (*purchase.spec.paid_by, "cash")
        for at, name in enumerate(names):
            vehicle = self.vehicles.get(name)
            if vehicle is not None and vehicle.late:
                if vehicle.takes(purchase.tenant, title.price):
                    self._wait(title, lots, names[at:])
                    break
            elif self._pays(name, [title]):
                break
        self._stake(purchase)

    def _wait(self, title: Title, lots: list[Lot], names: tuple[str, ...]) -> None:
        """The supplier waits until racks have a phase whose rent runs: lot by lot, as each may have another."""
        purchase = title.purchase
        ends = np.cumsum([lot.racks for lot in lots]) / title.racks
        for lot, part in zip(lots, parts_of(title.deposit, ends.tolist()), strict=True):
            lot.title = Title(purchase, lot.racks, title.minute, part, names)
        self._credit(purchase, title.price - title.deposit)

    def _pays(self, name: str, titles: list[Title], taken: bool = False) -> bool:
        """Whether somebody pays for racks of one purchase now; `taken`: the vehicle has set its capacity aside."""
        world, purchase = self.world, titles[0].purchase
        tenant, supplier = purchase.tenant, purchase.supplier
        price, deposit = sum(t.price for t in titles), sum(t.deposit for t in titles)
        vehicle = self.vehicles.get(name)
        if vehicle is not None:
            if not (vehicle.draws_for(tenant) if taken else vehicle.takes(tenant, price)):
                return False
            vehicle.buy(titles)
        else:
            note = self._note(purchase) if name == "vendor" else None
            loan = note.loan(price, deposit) if note is not None else None
            if name != "cash" and loan is None:
                return False
            if note is not None and loan:
                note.draw(titles, loan)
            if not self.pay(tenant, supplier, "chips", price - deposit):
                return False
            for title in titles:
                self.assets.own(title)
        for party, margin in world.spec.chips.products[purchase.product].margin.items():
            self._margins[party] += half_up(world.draws.value(margin) * price)
        return True

    def _note(self, purchase: Purchase) -> Note | None:
        """The loan on an order; None if it has no terms."""
        spec = purchase.spec.vendor_finance
        if spec is None:
            return None
        key = purchase.order, spec.lender or purchase.supplier
        if key not in self._notes:
            self._notes[key] = Note(self, purchase.order, purchase.tenant, key[1], spec)
        return self._notes[key]

    def assigned(self, phase: Phase, lot: Lot) -> None:
        """Racks have got a phase: a vehicle that waits for its rent is told when that commences."""
        if lot.title.waits and lot.title not in self._waiting[phase]:
            if not self._waiting[phase]:
                phase.milestones.on("rent_commencement", lambda trail: self._soon(phase))
            self._waiting[phase].append(lot.title)

    def _soon(self, phase: Phase) -> None:
        """At the end of this minute, what waits for the phase is paid."""
        clock = self.world.clock
        clock.stage_at(clock.now, Stage.TREASURY, lambda: self._commenced(phase))

    def _commenced(self, phase: Phase) -> None:
        """The rent of a phase runs: what was to be paid for then is, a purchase at a time."""
        groups: defaultdict[tuple[Purchase, tuple[str, ...]], list[Title]] = defaultdict(list)
        for title in self._waiting.pop(phase, ()):
            if title.waits and not title.taken:
                groups[title.purchase, title.waits].append(title)
        for (purchase, names), titles in groups.items():
            if not self._pays(names[0], titles, taken=True):
                if not any(self._pays(name, titles) for name in names[1:]):
                    self._waiting[phase] += titles  # the tenant pays nothing, so nobody does
                    continue
                self.vehicles[names[0]].release(sum(title.price for title in titles))
            for title in titles:
                title.waits = ()
                self._credit(purchase, title.deposit - title.price)

    # What an order costs besides.

    def deferred(self, purchase: Purchase, deliveries: Iterable[Delivery], minutes: int) -> None:
        """Deliveries come later by the tenant's right, for a fee."""
        defer = purchase.spec.rights.defer
        fee = self.drawn(purchase.id, defer.fee) if defer is not None else 0.0
        cost = half_up(fee * sum(d.price for d in deliveries) * minutes / YEAR)
        if purchase.tenant != purchase.supplier:
            now, owed_under = self.world.clock.now, f"supply:{purchase.id}"
            self.world.money.bill(purchase.tenant, purchase.supplier, "deferral fee", cost, now, owed_under)

    def cancelled(self, purchase: Purchase, deliveries: list[Delivery]) -> None:
        """Deliveries do not come, by the tenant's doing: it owes a fee, towards which their deposits count."""
        share = self.drawn(purchase.id, purchase.spec.rights.cancel_fee)
        fee = half_up(share * sum(delivery.price for delivery in deliveries))
        deposit = sum(delivery.deposit for delivery in deliveries)
        self._stake(purchase)
        if fee < deposit:
            self.pay(purchase.supplier, purchase.tenant, "deposit returned", deposit - fee)
        elif not self.pay(purchase.tenant, purchase.supplier, "cancellation fee", fee - deposit) and fee > deposit:
            self._claim(f"cancellation:{purchase.id}", purchase, fee - deposit)

    def supplier_defaulted(self, purchase: Purchase, deliveries: list[Delivery]) -> None:
        """Deliveries do not come, by the supplier's default: their deposits stay owed, and are not paid."""
        contract = self.world.book.get(f"deposit:{purchase.id}")
        lost = sum(delivery.deposit for delivery in deliveries)
        if contract is not None and contract.closed is None:
            contract.owe(self.world.clock.now, lost)
            contract.amount = lost
        self._stake(purchase, deposits=False)

    # Storage.

    def stored(self, lot: Lot, racks: int) -> None:
        """So many racks of a lot come into storage (negative: leave it)."""
        key = lot.purchase.tenant, lot.purchase.product
        self._stored[key].add(self.world.clock.now, racks * lot.purchase.price)

    def _bill_storage(self, month: Month) -> None:
        """The month's storage, by racks and days."""
        for (tenant, product), meter in self._stored.items():
            so_far = half_up(meter.until(month.end))
            held = so_far - self._billed[tenant, product]
            self._billed[tenant, product] = so_far
            rate = self.drawn(f"chips.products.{product}", self.world.spec.chips.products[product].storage)
            self.world.money.bill(tenant, OUTSIDE, "storage", half_up(rate * held / YEAR), month.end - 1)

    # Worth.

    def worth(self, title: Title, racks: int) -> int:
        """Market value of so many of the racks now, dollars: their price, where nothing is said of its fall."""
        world, purchase = self.world, title.purchase
        product = world.spec.chips.products[purchase.product]
        years = (world.clock.now - title.minute) / YEAR
        falls = 0.0 if product.value_falls is None else self.drawn(purchase.id, product.value_falls)
        value = (1 - falls) ** years
        step = self.drawn(purchase.id, product.value_falls_at_successor)
        if step and title.minute < self._succeeded(purchase.product) <= world.clock.now:
            value *= 1 - step
        return half_up(racks * purchase.price * value)

    def fetched(self, titles: Sequence[Title], owed: int) -> list[int]:
        """What each of these racks are sold for, `owed` resting on them together: that, if nothing is said of value."""
        whole = sum(title.price for title in titles)
        prices = accumulate(title.price for title in titles)
        parts = parts_of(owed, [price / whole if whole else 1.0 for price in prices])
        products = self.world.spec.chips.products
        return [
            part if products[title.purchase.product].value_falls is None else self.worth(title, title.racks)
            for title, part in zip(titles, parts, strict=True)
        ]

    def _succeeded(self, product: str) -> int:
        """Minute from which something that replaces a product can be delivered."""
        products = self.world.spec.chips.products
        found = (self.world.available(id) for id, other in products.items() if other.replaces == product)
        return min(found, default=self.world.never)

    # Defaults.

    def _tenant_defaulted(self, tenant: str) -> None:
        """Nothing more comes, and suppliers take back what they were not paid for."""
        chips = self.world.chips
        for purchase in chips.purchases:
            if purchase.tenant == tenant:
                chips.orders.cancel(purchase)
                if purchase.unpaid:
                    self._credit(purchase, -purchase.unpaid)
        waiting = {lot.title: None for lot in chips.lots(tenant) if lot.title.waits}
        self.take_back(tenant, list(waiting))

    def take_back(self, tenant: str, titles: list[Title]) -> None:
        """Who paid for racks, or was not paid, has them again; those in halls leave with the hall."""
        for title in titles:
            title.taken = True
            self.assets.lost(title)
        self.world.chips.take_back(tenant)

    # What came of it, for the tables.

    def margins(self) -> dict[str, int]:
        """Dollars that each party has earned on the price of racks that have been paid for."""
        return dict(self._margins)

    def depreciation(self, tenant: str) -> Ints:
        """Written off on the racks that the tenant owns."""
        return self.assets.depreciation(tenant)

    def book_value(self, tenant: str) -> Ints:
        """Of these racks, at the end of each month."""
        return self.assets.book_value(tenant)

    def lease_cost(self, tenant: str) -> Ints:
        """Due to vehicles on the racks that the tenant leases."""
        months = self.world.money.months
        total = np.zeros(months, np.int64)
        for vehicle in self.vehicles.values():
            leased = vehicle.leased(tenant)
            if leased is not None:
                minutes, due = leased.rent.minutes, leased.rent.dollars
                inside = minutes <= self.world.last_minute
                month = np.searchsorted(self.world.money.ledger.months, minutes[inside], side="right")
                np.add.at(total, month, due[inside])
        return total
