"""Chips: what an order must say, where its racks go, and whether they can be made."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario.check.dates import day_of
from dcsim.scenario.check.finding import error, warning
from dcsim.scenario.chips import LeadPolicy, Order
from dcsim.scenario.party import Supply
from dcsim.scenario.site import Phase, Site
from dcsim.scenario.sizing import it_kw, middle, whole
from dcsim.scenario.spec import ScenarioSpec


def sizes_of_orders(spec: ScenarioSpec) -> Iterator[Problem]:
    """How much an order is for, and in how many deliveries."""
    for id, order in spec.chips.orders.items():
        path = f"chips.orders.{id}"
        given = [name for name in ("racks", "amount") if getattr(order, name) is not None]
        if order.per == "phase":
            for name in given:
                yield error("UNKNOWN", f"{path}.{name}", f"an order `per: phase` fills its phase: it takes no '{name}'")
            if order.initial is not None:
                yield error("UNKNOWN", f"{path}.initial", "an order `per: phase` delivers nothing before the start")
        elif not given:
            yield error("REQUIRED", path, "expected `racks` or `amount`, or `per: phase`")
        elif len(given) == 2:
            yield error("UNKNOWN", path, "give one of `racks` and `amount`, not both")
        if isinstance(order.ordered, LeadPolicy) and order.per != "phase":
            yield error("REQUIRED", f"{path}.per", "the `lead` policy looks at a phase: expected `per: phase`")
        if order.deliveries.count is not None and order.deliveries.size is not None:
            yield error("UNKNOWN", f"{path}.deliveries", "give one of `count` and `size`, not both")


def destinations(spec: ScenarioSpec) -> Iterator[Problem]:
    """`allocate.to` names phases of the tenant who orders."""
    for id, order in spec.chips.orders.items():
        for pattern in order.allocate.to:
            path = f"chips.orders.{id}.allocate.to"
            message = _misses(spec, pattern)
            if message is not None:
                yield error("REF", path, message)
            elif not any(matches(pattern, s, site, p) for s, site, p, _ in _phases(spec, order)):
                yield warning(path, f"'{pattern}' names no phase of {_tenant(spec, order)}, who orders")


def _misses(spec: ScenarioSpec, pattern: str) -> str | None:
    """Why a pattern names nothing at all; None if it names a phase."""
    parts = _parts(pattern)
    expected = "expected `sites.*`, `sites.@tag`, `sites.NAME` or `sites.NAME.PHASE`"
    if not 1 <= len(parts) <= 2:
        return f"'{printable(pattern)}' is no site and no phase; {expected}"
    first = parts[0]
    if first.startswith("@"):
        tags = dict.fromkeys(tag for site in spec.sites.values() for tag in site.tags)
        if first[1:] not in tags:
            return f"no site has the tag '{printable(first[1:])}'{suggest(first[1:], tags)}"
    elif first != "*" and first not in spec.sites:
        return f"unknown site '{printable(first)}'{suggest(first, spec.sites) or f'; {expected}'}"
    phases = [name for id, site in spec.sites.items() if _is_site(first, id, site) for name in site.phases]
    if len(parts) == 2 and parts[1] not in ("*", *phases):
        return f"no phase '{printable(parts[1])}' at {first}{suggest(parts[1], phases)}"
    return None


def _parts(pattern: str) -> list[str]:
    parts = pattern.split(".")
    if parts[0] == "sites" and len(parts) > 1:
        parts = parts[1:]
    return [parts[0], parts[2]] if len(parts) == 3 and parts[1] == "phases" else parts


def _is_site(name: str, id: str, site: Site) -> bool:
    return name in ("*", id) or (name.startswith("@") and name[1:] in site.tags)


def matches(pattern: str, id: str, site: Site, phase: str) -> bool:
    """Whether a pattern of `allocate.to` names a phase."""
    parts = _parts(pattern)
    return _is_site(parts[0], id, site) and (len(parts) < 2 or parts[-1] in ("*", phase))


def _tenant(spec: ScenarioSpec, order: Order) -> str:
    return order.tenant or next(iter(spec.tenants))


def _phases(spec: ScenarioSpec, order: Order) -> Iterator[tuple[str, Site, str, Phase]]:
    """Phases of the tenant who orders."""
    for id, site in spec.sites.items():
        if site.tenant == _tenant(spec, order):
            for key, phase in site.phases.items():
                yield id, site, key, phase


def _served(spec: ScenarioSpec, order: Order) -> Iterator[tuple[str, Site, str, Phase]]:
    for id, site, key, phase in _phases(spec, order):
        if any(matches(pattern, id, site, key) for pattern in order.allocate.to):
            yield id, site, key, phase


def _is_live(phase: Phase) -> bool:
    return phase.initial is not None and phase.initial.full_live is not None


def opening_racks(spec: ScenarioSpec) -> Iterator[Problem]:
    """Racks delivered before the start are part of the order, and live where a phase is live."""
    for id, order in spec.chips.orders.items():
        initial = order.initial
        if initial is None or order.per == "phase":
            continue
        path = f"chips.orders.{id}.initial"
        if order.racks is not None and initial.delivered.value > order.racks.value:
            message = f"{initial.delivered.value:g} racks, more than the {order.racks.value:g} of the order"
            yield error("RANGE", f"{path}.delivered", message)
        if not isinstance(order.ordered, LeadPolicy):
            start = (spec.status or spec.start).toordinal()
            if order.ordered.dated and day_of(spec, order.ordered) > start:
                yield error("DATE", f"{path}.delivered", "racks were delivered of an order that comes after the start")
        if initial.to is None:
            continue
        site_id, _, key = initial.to.removeprefix("sites.").partition(".")
        site = spec.sites.get(site_id)
        phase = site.phases.get(key) if site is not None else None
        if site is None or phase is None:
            known = [f"{s}.{p}" for s, other in spec.sites.items() for p in other.phases]
            yield error("REF", f"{path}.to", f"unknown phase '{printable(initial.to)}'{suggest(initial.to, known)}")
        elif not _is_live(phase):
            yield error("REQUIRED", f"{path}.to", f"{initial.to} is not live: it has no `initial.full_live`")
        elif site.tenant != _tenant(spec, order):
            yield error("REF", f"{path}.to", f"{site_id} is a site of {site.tenant}, not of {_tenant(spec, order)}")


def unserved_phases(spec: ScenarioSpec) -> Iterator[Problem]:
    """Some order has racks for each phase, and each phase brings them up."""
    served = {(id, key) for order in spec.chips.orders.values() for id, _, key, _ in _served(spec, order)}
    for id, site in spec.sites.items():
        for key, phase in site.phases.items():
            if "shelve" in (site.decision, phase.decision) or _is_live(phase):
                continue
            path = f"sites.{id}.phases.{key}"
            if phase.bring_up is None:
                if spec.chips.orders:
                    yield warning(path, "without `bring_up` no rack ever goes live here")
            elif (id, key) not in served:
                yield warning(path, "no order of chips goes here, so nothing ever goes live")


def rooms(spec: ScenarioSpec) -> Iterator[Problem]:
    """A lot fits the phase, and whole racks fill it."""
    for id, order in spec.chips.orders.items():
        product = spec.chips.products.get(order.product[-1]) if order.product else None
        if product is None:
            continue
        for site_id, site, key, phase in _served(spec, order):
            if phase.bring_up is None or _is_live(phase):
                continue
            kw, rack = it_kw(site, phase), product.rack_power.value
            room = int(kw / rack + 1e-9)
            path = f"sites.{site_id}.phases.{key}"
            if room * rack < 0.95 * kw:
                message = f"{room} racks of {rack:g} kW leave more than 5 % of {phase.mw} MW empty: never fully live"
                yield warning(f"{path}.mw", message)
            elif order.per == "order" and phase.bring_up.lot.value > room:
                message = f"a lot of {phase.bring_up.lot.value:g} racks has no room in {room}; {id} stays in storage"
                yield warning(f"{path}.bring_up.lot", message)


def burn_in(spec: ScenarioSpec) -> Iterator[Problem]:
    """Some racks pass their burn-in."""
    for id, site in spec.sites.items():
        halls = [(f"sites.{id}.phases.{key}.bring_up", phase.bring_up) for key, phase in site.phases.items()]
        for path, hall in halls:
            rule = hall.dead_on_arrival if hall is not None else None
            if rule is not None and rule.chance.value >= 1:
                yield warning(f"{path}.dead_on_arrival.chance", "no rack ever passes burn-in, so none goes live")


def supplies(spec: ScenarioSpec) -> Iterator[Problem]:
    """Suppliers can make by the horizon what is ordered of them."""
    wanted: dict[str, float] = {}
    for order in spec.chips.orders.values():
        product = spec.chips.products.get(order.product[0]) if order.product else None
        if product is None:
            continue
        if order.per == "phase":
            racks = sum(_fill(site, phase, product.rack_power.value) for _, site, _, phase in _served(spec, order))
        elif order.racks is not None:
            racks = order.racks.value
        else:
            price = middle(product.rack_price)
            racks = order.amount.value / price if order.amount is not None and price > 0 else 0.0
        racks -= order.initial.delivered.value if order.initial is not None else 0.0
        wanted[product.supplier] = wanted.get(product.supplier, 0.0) + racks
    for name, racks in wanted.items():
        party = spec.parties.get(name)
        if party is None or party.supply is None:
            continue
        made = _made_by_horizon(spec, party.supply)
        if racks > made + 0.5:
            message = f"{racks:,.0f} racks are wanted of {name}, which makes {made:,.0f} for them by the horizon"
            yield warning(f"parties.{name}.supply.racks", message)


def _fill(site: Site, phase: Phase, rack_kw: float) -> float:
    if phase.bring_up is None or _is_live(phase) or "shelve" in (site.decision, phase.decision):
        return 0.0
    failures = phase.bring_up.failures
    return int(it_kw(site, phase) / rack_kw + 1e-9) * (1 + (failures.spares.value if failures is not None else 0.0))


def _made_by_horizon(spec: ScenarioSpec, supply: Supply) -> float:
    """Racks at the median share: a month's output at the start and on the 1st of every month."""
    start = spec.status or spec.start
    share = middle(supply.share_for_this_world)
    steps = sorted(supply.racks.items())
    total = 0
    year, month, today = start.year, start.month, start
    while today <= spec.horizon:
        rates = [rate.value for date, rate in steps if date <= today]
        total += whole((rates[-1] if rates else 0.0) * share)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if year > 9999:
            break
        today = today.replace(year=year, month=month, day=1)
    return total


CHECKS = (
    sizes_of_orders,
    destinations,
    opening_racks,
    unserved_phases,
    rooms,
    burn_in,
    supplies,
)
