"""A site's money at medians, for the checks: its cost, its lenders, what its rent carries, what cover it asks for."""

from __future__ import annotations

from dcsim.scenario.financing import Lending
from dcsim.scenario.site import Site
from dcsim.scenario.sizing import debt_capacity, it_mw, middle, whole_years
from dcsim.scenario.spec import ScenarioSpec


def lenders_of(spec: ScenarioSpec, site: Site) -> list[Lending]:
    """The terms of those listed, as far as they lend."""
    names = site.financing.lenders if site.financing is not None else ()
    parties = [party for name in names if (party := spec.parties.get(name)) is not None]
    return [party.lending for party in parties if party.lending is not None]


def mw_of(site: Site) -> float:
    """MW of IT of the phases that are not shelved by decision."""
    return sum(it_mw(site, phase) for phase in site.phases.values() if "shelve" not in (phase.decision, site.decision))


def cost_of(site: Site) -> float:
    """US$ million, without the interest and fees that come on top of works."""
    return middle(site.financing.cost) * mw_of(site) if site.financing is not None else 0.0


def carried(site: Site, lender: Lending) -> float | None:
    """US$ million that the rent carries; None if the lender does not ask."""
    loan = site.financing
    if lender.dscr is None or loan is None:
        return None
    mw = mw_of(site)
    return debt_capacity(
        rent=middle(site.lease.rent) * mw * 12 / 1000,
        cost=middle(loan.landlord_cost) * mw,
        escalator=middle(site.lease.escalator),
        years=whole_years(min(loan.sizing.over.value, site.lease.term.value)),
        rate=middle(lender.rate),
        dscr=middle(lender.dscr),
        shape=loan.sizing.shape,
    )


def cover_wanted(spec: ScenarioSpec, site: Site) -> float:
    """US$ million of cover that a site asks for: the highest cap over loan, times what could be lent."""
    lenders = lenders_of(spec, site)
    if not lenders:
        return 0.0
    sizes = []
    for lender in lenders:
        by_cost, size = middle(lender.ltc) * cost_of(site), carried(site, lender)
        sizes.append(by_cost if size is None else min(by_cost, size))
    return max(lender.cap_to_loan.value for lender in lenders) * max(sizes)
