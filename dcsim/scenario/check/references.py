"""Names of entries elsewhere: parties and what they can do, regions, teams, products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, no_role, unknown, warning
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import Step, circles


def parties_of_sites(spec: ScenarioSpec) -> Iterator[Problem]:
    """Tenant and developer of each site."""
    for id, site in spec.sites.items():
        if site.tenant not in spec.tenants:
            yield unknown(spec, f"sites.{id}.tenant", site.tenant, "tenant", spec.tenants)
        if site.developer not in spec.parties:
            yield unknown(spec, f"sites.{id}.developer", site.developer, "party", spec.parties)


def tenants_as_parties(spec: ScenarioSpec) -> Iterator[Problem]:
    """A tenant's rating stands with the parties."""
    for id in spec.tenants:
        if id not in spec.parties:
            yield warning(f"tenants.{id}", f"'{id}' is no party, so it is unrated: below every lender's floor")


def regions(spec: ScenarioSpec) -> Iterator[Problem]:
    """The grid region of each site."""
    for id, site in spec.sites.items():
        if site.region is not None and site.region not in spec.regions:
            yield unknown(spec, f"sites.{id}.region", site.region, "region", spec.regions)


def lenders(spec: ScenarioSpec) -> Iterator[Problem]:
    """Lenders are parties that lend, each named once."""
    able = [id for id, party in spec.parties.items() if party.lending is not None]
    for id, site in spec.sites.items():
        if site.financing is not None:
            path = f"sites.{id}.financing.lenders"
            if not site.financing.lenders:
                yield error("REQUIRED", path, "expected at least one lender")
            yield from _roles(spec, path, site.financing.lenders, "lender", "lending", able)


def guarantors(spec: ScenarioSpec) -> Iterator[Problem]:
    """Guarantors are parties that guarantee, and nobody guarantees himself."""
    able = [id for id, party in spec.parties.items() if party.guarantee is not None]
    for id, site in spec.sites.items():
        initial, request = site.initial, site.guarantee
        if initial is not None and initial.guarantor is not None:
            path = f"sites.{id}.initial.guarantor"
            yield from _roles(spec, path, [initial.guarantor], "guarantor", "guarantee", able)
        if request is None:
            continue
        if not request.asked:
            yield error("REQUIRED", f"sites.{id}.guarantee.from", "expected at least one guarantor")
        for where, names in (("from", request.guarantors), ("together", tuple(request.together))):
            path = f"sites.{id}.guarantee.{where}"
            yield from _roles(spec, path, names, "guarantor", "guarantee", able)
            for name in names:
                itself = f"'{name}' guarantees itself: it is the"
                if name in (site.tenant, site.lease.lessee):
                    yield error("CYCLE", path, f"{itself} tenant whose rent is guaranteed")
                elif name == site.developer:
                    yield error("CYCLE", path, f"{itself} developer to whom the rent is owed")


def _roles(
    spec: ScenarioSpec, path: str, names: Iterable[str], role: str, block: str, able: list[str]
) -> Iterator[Problem]:
    seen = set()
    for name in names:
        party = spec.parties.get(name)
        if party is None:
            yield unknown(spec, path, name, role, able)
        elif name not in able:
            yield no_role(party, path, name, role, block)
        elif name in seen:
            yield error("DUPLICATE", path, f"'{name}' is named twice")
        seen.add(name)


def teams(spec: ScenarioSpec) -> Iterator[Problem]:
    """Teams of the tenant that steps hold."""
    for id, site in spec.sites.items():
        tenant = spec.tenants.get(site.tenant)
        if tenant is None:
            continue
        path = f"sites.{id}"
        wanted = [(f"{path}.diligence.{name}.team", stream.team) for name, stream in site.diligence.items()]
        wanted.append((f"{path}.negotiation.team", site.negotiation.team))
        halls = [(f"{path}.bring_up", site.bring_up)]
        halls += [(f"{path}.phases.{name}.bring_up", phase.bring_up) for name, phase in site.phases.items()]
        wanted += [(f"{at}.install.team", hall.install.team) for at, hall in halls if hall is not None]
        for at, team in wanted:
            if team not in ("none", *tenant.teams):
                yield unknown(spec, at, team, f"team of {site.tenant}", (*tenant.teams, "none"))


def crews(spec: ScenarioSpec) -> Iterator[Problem]:
    """Builders' crews that activities hold."""
    for id, site in spec.sites.items():
        for name, phase in site.phases.items():
            for key, activity in phase.construction.activities.items() if phase.construction is not None else ():
                if activity.team not in ("none", *spec.crews):
                    path = f"sites.{id}.phases.{name}.construction.activities.{key}.team"
                    yield unknown(spec, path, activity.team, "crew", (*spec.crews, "none"))


def equipment(spec: ScenarioSpec) -> Iterator[Problem]:
    """Kinds of equipment that phases order."""
    for id, site in spec.sites.items():
        for name, phase in site.phases.items():
            for key in phase.construction.equipment if phase.construction is not None else ():
                if key not in spec.equipment:
                    path = f"sites.{id}.phases.{name}.construction.equipment.{key}"
                    yield unknown(spec, path, key, "kind of equipment", spec.equipment)


def products(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who makes a product, with whom, and what it replaces."""
    for id, product in spec.chips.products.items():
        path = f"chips.products.{id}"
        if product.supplier not in spec.parties:
            yield unknown(spec, f"{path}.supplier", product.supplier, "party", spec.parties)
        if product.joint_development is not None:
            for name in product.joint_development.partners:
                if name not in spec.parties:
                    yield unknown(spec, f"{path}.joint_development.with", name, "party", spec.parties)
        if product.replaces is not None and product.replaces not in spec.chips.products:
            yield unknown(spec, f"{path}.replaces", product.replaces, "chip product", spec.chips.products)
    successions = {
        id: Step((product.replaces,) if product.replaces in spec.chips.products else ())
        for id, product in spec.chips.products.items()
    }
    for circle in circles(successions):
        yield error("CYCLE", f"chips.products.{circle[0]}.replaces", " replaces ".join([*circle, circle[0]]))


def orders(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who orders, and what."""
    for id, order in spec.chips.orders.items():
        path = f"chips.orders.{id}"
        if order.tenant is None and len(spec.tenants) > 1:
            yield error("REQUIRED", f"{path}.tenant", "required with several tenants, and missing")
        elif order.tenant is not None and order.tenant not in spec.tenants:
            yield unknown(spec, f"{path}.tenant", order.tenant, "tenant", spec.tenants)
        if not order.product:
            yield error("REQUIRED", f"{path}.product", "expected at least one product")
        for name in order.product:
            if name not in spec.chips.products:
                yield unknown(spec, f"{path}.product", name, "chip product", spec.chips.products)


def holdings(spec: ScenarioSpec) -> Iterator[Problem]:
    """Shares held in other parties, of which there are no more than all."""
    held: dict[str, float] = {}
    for id, party in spec.parties.items():
        for name, part in party.holds.items():
            path = f"parties.{id}.holds.{name}"
            if name == id:
                yield error("CYCLE", path, f"'{id}' holds shares of itself")
            elif name not in spec.parties:
                yield unknown(spec, path, name, "party", spec.parties)
            elif (share := middle(part)) > 1:
                yield error("RANGE", path, f"must be between 0 and 1, got {share:g}")
            else:
                held[name] = held.get(name, 0.0) + share
                if held[name] > 1 + 1e-9 >= held[name] - share:
                    yield error("RANGE", path, f"the shares held in '{name}' add up to {held[name]:g}, more than 1")


def shocks(spec: ScenarioSpec) -> Iterator[Problem]:
    """Whose letters a shock cancels."""
    for id, shock in spec.shocks.items():
        if shock.tenant is not None and shock.tenant not in spec.tenants:
            yield unknown(spec, f"shocks.{id}.tenant", shock.tenant, "tenant", spec.tenants)


def drivers(spec: ScenarioSpec) -> Iterator[Problem]:
    """A driver does something to what it hits."""
    for id, driver in spec.drivers.items():
        if driver.times is None and driver.plus is None:
            yield error("REQUIRED", f"drivers.{id}", "expected `times` or `plus`, or both: it changes nothing")


CHECKS = (
    parties_of_sites,
    tenants_as_parties,
    regions,
    lenders,
    guarantors,
    teams,
    crews,
    equipment,
    products,
    orders,
    holdings,
    drivers,
)
