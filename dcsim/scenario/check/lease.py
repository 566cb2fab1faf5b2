"""Leases: who signs them, what is left out beside what is said, what can never come about."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.lease import Lease
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec

DAYS_OF_MONTH = 30.4375


def _leases(spec: ScenarioSpec) -> Iterator[tuple[str, str, Lease]]:
    """(site, path, lease) of every site."""
    for id, site in spec.sites.items():
        yield id, f"sites.{id}.lease", site.lease


def _months(lease: Lease) -> int:
    """Whole months of the base term."""
    return max(1, int(lease.term.value / DAYS_OF_MONTH + 0.5))


def parties(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who signs a lease, and who issues the letter of credit for it."""
    known = list(dict.fromkeys([*spec.parties, *spec.tenants]))
    for id, path, lease in _leases(spec):
        site, security = spec.sites[id], lease.security
        if lease.lessee is not None:
            if lease.lessee not in known:
                yield unknown(spec, f"{path}.lessee", lease.lessee, "party", known)
            elif lease.lessee == site.developer:
                yield error("REF", f"{path}.lessee", f"'{lease.lessee}' is the developer, who would pay rent to itself")
        if security is None:
            continue
        if security.issuer is not None:
            if security.issuer not in known:
                yield unknown(spec, f"{path}.security.issuer", security.issuer, "party", known)
            elif security.issuer in (site.tenant, lease.lessee, site.developer):
                message = f"'{security.issuer}' is a party to the lease, and its own letter secures nothing"
                yield error("REF", f"{path}.security.issuer", message)
        if security.form == "cash":
            if security.issuer is not None:
                yield error("RANGE", f"{path}.security.issuer", "a deposit in cash has no issuer")
            if middle(security.fee) > 0:
                yield error("RANGE", f"{path}.security.fee", "a deposit in cash costs no fee")


def terms(spec: ScenarioSpec) -> Iterator[Problem]:
    """The base term is whole months, and what happens in it has room in it."""
    for _, path, lease in _leases(spec):
        months = _months(lease)
        if abs(lease.term.value / DAYS_OF_MONTH - months) > 0.05:
            yield warning(f"{path}.term", f"{lease.term.value:g} days are taken as {months} whole months")
        free = int(lease.abatement.value)
        if free >= months:
            message = f"{free} months without rent in a term of {months}: no rent is ever due"
            yield error("RANGE", f"{path}.abatement", message)
            continue
        for index, step in enumerate(lease.ramp):
            first, free = free + 1, free + int(step.months.value)
            if free > months:
                message = f"covers months {first} to {free}, abatement included, of a term of {months}"
                yield error("RANGE", f"{path}.ramp.{index}.months", message)
                break
        if lease.security is not None and middle(lease.security.amount) > lease.term.value:
            amount = f"{middle(lease.security.amount):g} days of rent"
            message = f"{amount}, more than the whole term of {lease.term.value:g} days"
            yield error("RANGE", f"{path}.security.amount", message)
        early = lease.early_termination
        if early is not None and middle(early.after) >= lease.term.value:
            message = f"{middle(early.after):g} days reach beyond the term, {lease.term.value:g} days: it is never used"
            yield warning(f"{path}.early_termination.after", message)
        if lease.relet is not None and middle(lease.relet.after) >= lease.term.value:
            message = f"{middle(lease.relet.after):g} days reach beyond the term: nothing is let again"
            yield warning(f"{path}.relet.after", message)
        if lease.rent_commencement is not None and lease.rent_commencement > spec.horizon:
            message = f"{lease.rent_commencement} is after the horizon, {spec.horizon}: no rent is due before"
            yield warning(f"{path}.rent_commencement", message)


def growth(spec: ScenarioSpec) -> Iterator[Problem]:
    """Rent grows by a step or by prices, within bounds that leave room."""
    for _, path, lease in _leases(spec):
        cpi = lease.cpi
        if cpi is None:
            continue
        if middle(lease.escalator) != 0:
            yield warning(f"{path}.escalator", "has no effect beside `cpi`")
        if middle(cpi.floor) > middle(cpi.cap):
            message = f"{middle(cpi.floor):g} is above the cap, {middle(cpi.cap):g}"
            yield error("RANGE", f"{path}.cpi.floor", message)


def delay(spec: ScenarioSpec) -> Iterator[Problem]:
    """Delay counts from the outside date; the long-stop comes after it."""
    for _, path, lease in _leases(spec):
        if lease.delay_credit is not None and lease.outside is None:
            yield error("REQUIRED", f"{path}.outside", "required beside `delay_credit`: the date past which it runs")
        stop = lease.long_stop
        if stop is not None and lease.outside is not None and middle(stop.after_target) < middle(lease.outside):
            message = f"{middle(stop.after_target):g} days come before the outside date, {middle(lease.outside):g} days"
            yield warning(f"{path}.long_stop.after_target", message)


def rights(spec: ScenarioSpec) -> Iterator[Problem]:
    """What the tenant decides by market rent or by surplus, where there is one."""
    for id, path, lease in _leases(spec):
        walk = lease.long_stop.walk_if if lease.long_stop is not None else None
        if walk is not None and walk.market_rent_below is not None and lease.market_rent is None:
            ratio = middle(walk.market_rent_below)
            what = "always" if ratio > 1 else "never"
            message = f"without `market_rent` the market lets at the contract rent: it {what} holds"
            yield warning(f"{path}.long_stop.walk_if.market_rent_below", message)
        tenant = spec.tenants.get(spec.sites[id].tenant)
        if tenant is None or tenant.demand is not None:
            continue
        uses = {
            "long_stop.walk_if.surplus_above": walk is not None and walk.surplus_above is not None,
            "early_termination.surplus_above": lease.early_termination is not None,
            "sublease": lease.sublease is not None,
        }
        for name, used in uses.items():
            if used:
                message = f"without `demand` of {spec.sites[id].tenant} there is no surplus: it is never used"
                yield warning(f"{path}.{name}", message)


def power_without_price(spec: ScenarioSpec) -> Iterator[Problem]:
    """What is taken at the least has a price."""
    for id, site in spec.sites.items():
        region = spec.regions.get(site.region or "")
        take = site.construction.energy_services.minimum_take
        if middle(take) > 0 and (region is None or region.energy is None):
            path = f"sites.{id}.construction.energy_services.minimum_take"
            yield warning(path, "its region has no price of `energy`: the minimum take costs nothing")


CHECKS = (parties, terms, growth, delay, rights, power_without_price)
