"""Loans: who completes, what is left for works, whether the loan closes at medians, what falls due at the end of it."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim import units
from dcsim.errors import Problem
from dcsim.scenario.check.credit import best_cap
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.check.medians import carried, cost_of, lenders_of
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import given_milestones


def completion_guarantors(spec: ScenarioSpec) -> Iterator[Problem]:
    """Whoever guarantees completion is a party."""
    for id, site in spec.sites.items():
        name = site.financing.completion_guarantee if site.financing is not None else None
        if name is not None and name not in spec.parties:
            path = f"sites.{id}.financing.completion_guarantee"
            if name in ("developer", "outside"):
                yield error("REF", path, f"'{name}' is no party; leave it out for the developer's own money")
            else:
                yield unknown(spec, path, name, "party", spec.parties)


def budgets(spec: ScenarioSpec) -> Iterator[Problem]:
    """Something is left for works."""
    for id, site in spec.sites.items():
        loan = site.financing
        if loan is None or loan.cost_includes == "works":
            continue
        fees = max((middle(lender.ltc) * middle(lender.upfront_fee) for lender in lenders_of(spec, site)), default=0.0)
        aside = middle(loan.contingency) + fees
        if aside >= 1 - 1e-9:
            share = units.format(aside, "fraction")
            message = f"contingency and fees take {share} of the cost, and leave nothing for works"
            yield error("RANGE", f"sites.{id}.financing.contingency", message)


def opening_loans(spec: ScenarioSpec) -> Iterator[Problem]:
    """Loans that stand since before the start."""
    for id, site in spec.sites.items():
        initial, path = site.initial, f"sites.{id}.initial"
        if initial is None:
            continue
        for name in ("drawn", "rate"):
            if getattr(initial, name) is not None and initial.loan is None:
                yield error("REQUIRED", f"{path}.loan", f"required beside `{name}`: how large the loan is")
        if initial.loan is None:
            continue
        if site.financing is None:
            yield error("REQUIRED", f"sites.{id}.financing", "required beside `initial.loan`: whose loan it is")
        elif "financial_close" not in given_milestones(site):
            yield error("REQUIRED", f"{path}.financial_close", "required beside `loan`: when it closed")
        if initial.drawn is None:
            continue
        if initial.drawn.value > initial.loan.value:
            drawn, loan = (units.format(value.value, "usd_m") for value in (initial.drawn, initial.loan))
            yield error("RANGE", f"{path}.drawn", f"{drawn} are drawn of a loan of {loan}")
        elif initial.drawn.value < initial.loan.value and _all_at_close(spec, id):
            message = "the lenders' loans are drawn whole at close: this counts only once everything is built"
            yield warning(f"{path}.drawn", message)


def _all_at_close(spec: ScenarioSpec, id: str) -> bool:
    """Whether all is drawn at close, and something is still to be built."""
    site = spec.sites[id]
    lenders = lenders_of(spec, site)
    phases = [phase.initial for phase in site.phases.values()]
    ready = [p is not None and (p.ready_for_service is not None or p.full_live is not None) for p in phases]
    return bool(lenders) and all(lender.drawn == "at_close" for lender in lenders) and not all(ready)


def loans_that_close(spec: ScenarioSpec) -> Iterator[Problem]:
    """At medians, loan and equity cover the cost."""
    for id, site in spec.sites.items():
        loan = site.financing
        lenders = lenders_of(spec, site)
        if loan is None or not lenders or "financial_close" in given_milestones(site):
            continue
        cost = cost_of(site)
        bounds = {"loan to cost": max(middle(lender.ltc) for lender in lenders) * cost}
        sizes = [size for lender in lenders if (size := carried(site, lender)) is not None]
        if len(sizes) == len(lenders):
            bounds["debt service cover"] = max(sizes)
        cap = best_cap(spec, site)
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


def lending_terms(spec: ScenarioSpec) -> Iterator[Problem]:
    """Terms that mean something together."""
    for id, party in spec.parties.items():
        terms, path = party.lending, f"parties.{id}.lending"
        if terms is None:
            continue
        said = terms.model_fields_set
        if "refinancing" in said and terms.tenor is None:
            message = "changes nothing without `tenor`: the loan is repaid over the sizing period, and nothing is left"
            yield warning(f"{path}.refinancing", message)
        if terms.tenor is not None and "refinancing" not in said and _leaves_a_balloon(spec, id, terms.tenor.value):
            message = "leaves a balloon, and nothing is said of its refinancing: it is taken to be certain"
            yield warning(f"{path}.tenor", message)
        if terms.drawn == "at_close" and "commitment_fee" in said and middle(terms.commitment_fee) > 0:
            yield warning(f"{path}.commitment_fee", "changes nothing: drawn at close, nothing is left undrawn")


def _leaves_a_balloon(spec: ScenarioSpec, id: str, tenor: float) -> bool:
    """Whether any site's loan is repaid over a longer time."""
    terms = [(site.financing, site.lease.term.value) for site in spec.sites.values()]
    return any(loan and id in loan.lenders and tenor < min(loan.sizing.over.value, term) for loan, term in terms)


CHECKS = (completion_guarantors, budgets, opening_loans, loans_that_close, lending_terms)
