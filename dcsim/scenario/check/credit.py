"""Money of a site at medians: does a guarantor do, does its limit reach, does the loan close?"""

from __future__ import annotations

from collections.abc import Iterator

from dcsim import units
from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, warning
from dcsim.scenario.fields import at_least
from dcsim.scenario.financing import Lending
from dcsim.scenario.site import Site
from dcsim.scenario.sizing import debt_capacity, it_mw, middle, whole_years
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import given_milestones, needs_guarantor, rating_floor


def wanted_guarantors(spec: ScenarioSpec) -> Iterator[Problem]:
    """A site whose tenant is too weak for its lenders asks somebody who is not."""
    for id, site in spec.sites.items():
        if not needs_guarantor(spec, site) or "lease_signed" in given_milestones(site):
            continue
        floor = rating_floor(spec, site)
        request = site.guarantee
        if request is None:
            message = f"its lenders ask for {floor}, and {site.tenant} has {_rating(spec, site.tenant)}"
            yield warning(f"sites.{id}", f"{message}: without `guarantee` the site ends unguaranteed")
            continue
        parties = {name: party for name in request.guarantors if (party := spec.parties.get(name)) is not None}
        others = {name: party for name, party in parties.items() if name not in (site.tenant, site.developer)}
        weak = [name for name, party in others.items() if not at_least(party.rating, floor)]
        for name in weak:
            message = f"'{name}' has {_rating(spec, name)}, and the lenders ask for {floor}"
            end = "it is passed over"
            if len(weak) == len(request.guarantors):
                end = "the site ends unguaranteed"
            yield warning(f"sites.{id}.guarantee.from", f"{message}: {end}")


def _rating(spec: ScenarioSpec, id: str) -> str:
    party = spec.parties.get(id)
    return f"rating {party.rating}" if party is not None and party.rating is not None else "no rating"


def limits(spec: ScenarioSpec) -> Iterator[Problem]:
    """A guarantor's whole limit reaches for what a site asks for."""
    for id, site in spec.sites.items():
        request = site.guarantee
        if request is None or not needs_guarantor(spec, site) or "lease_signed" in given_milestones(site):
            continue
        wanted = cover_wanted(spec, site)
        for name in request.guarantors:
            party = spec.parties.get(name)
            terms = party.guarantee if party is not None else None
            if terms is None or terms.limit is None:
                continue
            asked = min(wanted, terms.max_cap.value) if terms.max_cap is not None else wanted
            if asked > terms.limit.value * (1 + 1e-9):
                whole = f"the whole limit of {name}, {units.format(terms.limit.value, 'usd_m')}: it is refused"
                message = f"asks for cover of {units.format(asked, 'usd_m')} at medians, above {whole}"
                yield warning(f"sites.{id}.guarantee.from", message)


def opening_cover(spec: ScenarioSpec) -> Iterator[Problem]:
    """Cover and loans that stand since before the start."""
    used: dict[str, float] = {}
    for id, site in spec.sites.items():
        initial = site.initial
        if initial is None:
            continue
        path = f"sites.{id}.initial"
        if initial.guarantor is not None and initial.cap is None:
            yield error("REQUIRED", f"{path}.cap", "required beside `guarantor`: how much it covers")
        if initial.cap is not None and initial.guarantor is None:
            yield error("REQUIRED", f"{path}.guarantor", "required beside `cap`: who gives the cover")
        if initial.cap is not None and initial.guarantor is not None:
            used[initial.guarantor] = used.get(initial.guarantor, 0.0) + initial.cap.value
        if initial.loan is not None and site.financing is None:
            yield error("REQUIRED", f"sites.{id}.financing", "required beside `initial.loan`: whose loan it is")
    for name, cover in used.items():
        party = spec.parties.get(name)
        limit = party.guarantee.limit if party is not None and party.guarantee is not None else None
        if limit is not None and cover > limit.value:
            message = f"{units.format(limit.value, 'usd_m')} is below the cover in use at the start"
            yield warning(f"parties.{name}.guarantee.limit", f"{message}, {units.format(cover, 'usd_m')}")


def loans_that_close(spec: ScenarioSpec) -> Iterator[Problem]:
    """At medians, loan and equity cover the cost."""
    for id, site in spec.sites.items():
        loan = site.financing
        lenders = _lenders(spec, site)
        if loan is None or not lenders or "financial_close" in given_milestones(site):
            continue
        cost = _cost(site)
        bounds = {"loan to cost": max(middle(lender.ltc) for lender in lenders) * cost}
        sizes = [size for lender in lenders if (size := _carried(site, lender)) is not None]
        if len(sizes) == len(lenders):
            bounds["debt service cover"] = max(sizes)
        cap = _best_cap(spec, site)
        ratio = max(lender.cap_to_loan.value for lender in lenders)
        if cap is not None and ratio > 0:
            bounds["the guarantor's cap"] = cap / ratio
        capacities = [lender.capacity.value for lender in lenders if lender.capacity is not None]
        if len(capacities) == len(lenders):
            bounds["what the lenders have"] = sum(capacities)
        binding = min(bounds, key=lambda name: bounds[name])
        covered = bounds[binding] + middle(loan.equity) * cost
        if cost > 0 and covered < cost * (1 - 1e-9):
            loan_text = f"a loan of {units.format(bounds[binding], 'usd_m')} (bound by {binding})"
            share = f"{units.format(covered / cost, 'fraction')} of the cost, {units.format(cost, 'usd_m')}"
            message = f"at medians {loan_text} and the developer's equity cover {share}: the site ends unfinanced"
            yield warning(f"sites.{id}.financing", message)


def _best_cap(spec: ScenarioSpec, site: Site) -> float | None:
    """US$ million of cover that the most generous guarantor offers; None without limit, or where none is needed."""
    if site.guarantee is None or not needs_guarantor(spec, site):
        return None
    parties = [party for name in site.guarantee.guarantors if (party := spec.parties.get(name)) is not None]
    caps = [party.guarantee.max_cap for party in parties if party.guarantee is not None]
    offered = [cap.value for cap in caps if cap is not None]
    return max(offered) if offered and len(offered) == len(caps) else None


def cover_wanted(spec: ScenarioSpec, site: Site) -> float:
    """US$ million of cover that a site asks for at medians: the highest cap over loan, times what could be lent."""
    lenders = _lenders(spec, site)
    if not lenders:
        return 0.0
    sizes = []
    for lender in lenders:
        by_cost, carried = middle(lender.ltc) * _cost(site), _carried(site, lender)
        sizes.append(by_cost if carried is None else min(by_cost, carried))
    return max(lender.cap_to_loan.value for lender in lenders) * max(sizes)


def _lenders(spec: ScenarioSpec, site: Site) -> list[Lending]:
    names = site.financing.lenders if site.financing is not None else ()
    parties = [party for name in names if (party := spec.parties.get(name)) is not None]
    return [party.lending for party in parties if party.lending is not None]


def _mw(site: Site) -> float:
    return sum(it_mw(site, phase) for phase in site.phases.values() if "shelve" not in (phase.decision, site.decision))


def _cost(site: Site) -> float:
    """US$ million."""
    return middle(site.financing.cost) * _mw(site) if site.financing is not None else 0.0


def _carried(site: Site, lender: Lending) -> float | None:
    """US$ million that the rent carries at medians; None if the lender does not ask."""
    loan = site.financing
    if lender.dscr is None or loan is None:
        return None
    mw = _mw(site)
    return debt_capacity(
        rent=middle(site.lease.rent) * mw * 12 / 1000,
        cost=middle(loan.landlord_cost) * mw,
        escalator=middle(site.lease.escalator),
        years=whole_years(min(loan.sizing.over.value, site.lease.term.value)),
        rate=middle(lender.rate),
        dscr=middle(lender.dscr),
    )


CHECKS = (wanted_guarantors, limits, opening_cover, loans_that_close)
