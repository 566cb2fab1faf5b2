"""Who pays for chips: payers of orders, vehicles and their money, loans on racks, who earns on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dcsim.errors import Problem
from dcsim.quantity import Quantity
from dcsim.scenario.check.finding import error, no_role, unknown, warning
from dcsim.scenario.chips import Order
from dcsim.scenario.fields import at_least
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.units import format


def payers(spec: ScenarioSpec) -> Iterator[Problem]:
    """`paid_by` names cash, vendor or vehicles, each once, and none is paid by itself."""
    vehicles = [id for id, party in spec.parties.items() if party.vehicle is not None]
    for id, order in spec.chips.orders.items():
        path = f"chips.orders.{id}.paid_by"
        if not order.paid_by:
            yield error("REQUIRED", path, "expected at least one payer: `cash`, `vendor` or a vehicle")
        for at, name in enumerate(order.paid_by):
            party = spec.parties.get(name)
            if name in order.paid_by[:at]:
                yield error("DUPLICATE", path, f"'{name}' is named twice")
            elif name == "vendor" and order.vendor_finance is None:
                message = "required, as `vendor` is to pay, and missing"
                yield error("REQUIRED", f"chips.orders.{id}.vendor_finance", message)
            elif party is not None and name not in vehicles:
                yield no_role(party, path, name, "vehicle", "vehicle")
            elif name not in ("cash", "vendor", *vehicles):
                yield unknown(spec, path, name, "payer", ("cash", "vendor", *vehicles))
            elif "cash" in order.paid_by[:at]:
                yield warning(path, f"'{name}' is never asked: it comes after `cash`, which always pays")
        if order.vendor_finance is not None and "vendor" not in order.paid_by:
            yield warning(f"chips.orders.{id}.vendor_finance", "never used: `paid_by` does not name `vendor`")
        yield from _own_dealings(spec, id, order)


def _own_dealings(spec: ScenarioSpec, id: str, order: Order) -> Iterator[Problem]:
    """Nobody buys from, lends to, or leases to itself."""
    path = f"chips.orders.{id}"
    tenant = order.tenant or next(iter(spec.tenants))
    suppliers = [spec.chips.products[name].supplier for name in order.product if name in spec.chips.products]
    for name in order.paid_by:
        if name not in spec.parties or spec.parties[name].vehicle is None:
            continue
        if name in suppliers:
            yield error("CYCLE", f"{path}.paid_by", f"'{name}' would buy from itself: it is the supplier too")
        if name == tenant:
            yield error("CYCLE", f"{path}.paid_by", f"'{name}' would lease to itself: it is the tenant who orders")
    terms = order.vendor_finance
    if terms is not None and terms.lender is not None and terms.lender not in spec.parties:
        yield unknown(spec, f"{path}.vendor_finance.lender", terms.lender, "party", spec.parties)
    if terms is not None and "vendor" in order.paid_by:
        at = f"{path}.vendor_finance.lender"
        if terms.lender == tenant:
            yield error("CYCLE", at, f"'{tenant}' would lend to itself: it is the tenant who orders")
        elif terms.lender is None and tenant in suppliers:
            yield error("REQUIRED", at, f"'{tenant}' supplies itself, so somebody else must lend")


def funds(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who puts up the money of funds and vehicles: parties, in shares that are no more than all of it."""
    for id, party in spec.parties.items():
        yield from _shares(spec, f"parties.{id}.funded_by", id, party.funded_by)
        if party.vehicle is not None:
            yield from _shares(spec, f"parties.{id}.vehicle.funded_by", id, party.vehicle.funded_by)


def _shares(spec: ScenarioSpec, path: str, id: str, shares: Mapping[str, Quantity]) -> Iterator[Problem]:
    for name in shares:
        if name not in spec.parties:
            yield unknown(spec, f"{path}.{name}", name, "party", spec.parties)
        elif name == id:
            yield error("CYCLE", f"{path}.{name}", f"'{id}' puts up its own money")
    yield from _at_most_all(path, shares.values())


def _at_most_all(path: str, shares: Iterable[Quantity]) -> Iterator[Problem]:
    total = sum(middle(part) for part in shares)
    if total > 1 + 1e-9:
        yield error("RANGE", path, f"the shares add up to {total:g}, more than 1")


def vehicles(spec: ScenarioSpec) -> Iterator[Problem]:
    """A vehicle's debt is within its capacity, others stand behind it, and some order is paid by it."""
    for id, party in spec.parties.items():
        vehicle = party.vehicle
        if vehicle is None:
            continue
        path = f"parties.{id}.vehicle"
        debt = sum(tranche.amount.value for tranche in vehicle.tranches.values())
        if vehicle.capacity is not None and debt > vehicle.capacity.value + 1e-6:
            sums = f"{format(debt, 'usd_m')}, more than its capacity of {format(vehicle.capacity.value, 'usd_m')}"
            yield error("RANGE", f"{path}.tranches", f"the tranches add up to {sums}")
        orders = [order for order in spec.chips.orders.values() if id in order.paid_by]
        tenants = dict.fromkeys(order.tenant or next(iter(spec.tenants)) for order in orders)
        for name, tranche in vehicle.tranches.items():
            at, supporter = f"{path}.tranches.{name}.residual_value_by", tranche.residual_value_by
            if supporter is None:
                continue
            if supporter not in spec.parties:
                yield unknown(spec, at, supporter, "party", spec.parties)
            elif supporter == id or supporter in tenants:
                role = "the vehicle that is paid" if supporter == id else "the tenant that leases the chips"
                yield error("CYCLE", at, f"'{supporter}' stands behind itself: it is {role}")
        if not orders:
            yield warning(path, f"no order names '{id}' in `paid_by`, so it buys nothing")
        for tenant in tenants:
            rating = spec.parties[tenant].rating if tenant in spec.parties else None
            if vehicle.min_rating is not None and not at_least(rating, vehicle.min_rating):
                yield warning(f"{path}.min_rating", f"{tenant} is rated {rating or 'nowhere'}, so it never draws")


def products(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who earns on a product, and what its value hangs on."""
    replaced = {product.replaces for product in spec.chips.products.values()}
    for id, product in spec.chips.products.items():
        path = f"chips.products.{id}"
        for name in product.margin:
            if name not in spec.parties:
                yield unknown(spec, f"{path}.margin.{name}", name, "party", spec.parties)
        yield from _at_most_all(f"{path}.margin", product.margin.values())
        if middle(product.value_falls_at_successor) > 0 and id not in replaced:
            yield warning(f"{path}.value_falls_at_successor", f"no product replaces '{id}', so it never comes to that")


def lease_terms(spec: ScenarioSpec) -> Iterator[Problem]:
    """Chips last as long as they are leased."""
    for id, order in spec.chips.orders.items():
        for name in order.product:
            product = spec.chips.products.get(name)
            for payer in order.paid_by:
                party = spec.parties.get(payer)
                if party is None or party.vehicle is None or product is None or product.life is None:
                    continue
                term = party.vehicle.lease.term.value
                if term > product.life.value + 1:
                    message = f"{term:g} days, though '{name}' (order '{id}') lasts {product.life.value:g}"
                    yield warning(f"parties.{payer}.vehicle.lease.term", message)


CHECKS = (
    payers,
    funds,
    vehicles,
    products,
    lease_terms,
)
