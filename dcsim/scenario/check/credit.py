"""Guarantees: does a guarantor do, does its limit reach, do its terms hold together?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dcsim import units
from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.check.medians import cover_wanted, lenders_of, mw_of
from dcsim.scenario.credit import GuaranteeRequest, Terms, terms_of
from dcsim.scenario.fields import at_least, strictest
from dcsim.scenario.site import Site
from dcsim.scenario.sizing import DAYS_OF_YEAR, middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import given_milestones, needs_guarantor, rating_floor
from dcsim.scenario.wording import choices


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
        parties = {name: party for name in request.asked if (party := spec.parties.get(name)) is not None}
        others = {name: party for name, party in parties.items() if name not in (site.tenant, site.developer)}
        weak = [name for name, party in others.items() if not at_least(party.rating, floor)]
        sure = strictest(lender.min_rating for lender in lenders_of(spec, site) if lender.takes_part.value == 1)
        hopeless = [name for name in weak if not at_least(others[name].rating, sure)]
        none_left = request.together or len(hopeless) == len(request.asked)
        for name in weak:
            where = f"sites.{id}.guarantee.{f'together.{name}' if request.together else 'from'}"
            if name in hopeless and none_left:
                message = f"'{name}' has {_rating(spec, name)}, and the lenders ask for {sure}"
                yield error("RANGE", where, f"{message}: no request can ever be granted")
            else:
                message = f"'{name}' has {_rating(spec, name)}, and the lenders ask for {floor}"
                yield warning(where, f"{message}: it is passed over")


def _rating(spec: ScenarioSpec, id: str) -> str:
    party = spec.parties.get(id)
    return f"rating {party.rating}" if party is not None and party.rating is not None else "no rating"


def limits(spec: ScenarioSpec) -> Iterator[Problem]:
    """A guarantor's whole limit reaches for what a site asks for."""
    for id, site in spec.sites.items():
        request = site.guarantee
        if request is None or not needs_guarantor(spec, site) or "lease_signed" in given_milestones(site):
            continue
        for name in request.asked:
            party = spec.parties.get(name)
            guarantee = party.guarantee if party is not None else None
            if guarantee is None or guarantee.limit is None:
                continue
            asked = _cap_asked(spec, site, request, name)
            if asked > guarantee.limit.value * (1 + 1e-9):
                whole = f"the whole limit of {name}, {units.format(guarantee.limit.value, 'usd_m')}: it is refused"
                message = f"asks for cover of {units.format(asked, 'usd_m')} at medians, above {whole}"
                where = f"together.{name}" if request.together else "from"
                yield warning(f"sites.{id}.guarantee.{where}", message)


def terms_that_hold(spec: ScenarioSpec) -> Iterator[Problem]:
    """Terms that say one thing: how large the cap is, and by which one schedule it falls."""
    for id, party in spec.parties.items():
        if party.guarantee is not None:
            path = f"parties.{id}.guarantee.terms"
            yield from _cap_and_schedule(path, party.guarantee.terms)
            yield from _kept_ratings(spec, path, party.guarantee.terms, (id,))
    for id, site in spec.sites.items():
        if site.guarantee is not None and site.guarantee.terms is not None:
            path = f"sites.{id}.guarantee.terms"
            yield from _cap_and_schedule(path, site.guarantee.terms)
            yield from _kept_ratings(spec, path, site.guarantee.terms, site.guarantee.asked)


def _kept_ratings(spec: ScenarioSpec, path: str, terms: Terms, names: tuple[str, ...]) -> Iterator[Problem]:
    """A guarantor has the rating that it must keep."""
    for name in names if terms.replace is not None else ():
        party = spec.parties.get(name)
        if party is not None and terms.replace is not None and not at_least(party.rating, terms.replace.below):
            message = f"'{name}' has {_rating(spec, name)}, below the {terms.replace.below} that it must keep"
            yield error("RANGE", f"{path}.replace.below", message)


def _cap_and_schedule(path: str, terms: Terms) -> Iterator[Problem]:
    cap, falls = terms.cap, terms.step_down
    if cap.basis == "fixed" and cap.amount is None:
        yield error("REQUIRED", f"{path}.cap.amount", "required with `basis: fixed`: how much it covers")
    if cap.basis != "fixed" and cap.amount is not None:
        message = f"an amount goes with `basis: fixed`, and this cap is by {cap.basis}"
        yield error("RANGE", f"{path}.cap.amount", message)
    if falls is None:
        return
    path = f"{path}.step_down"
    if falls.shape == "straight_line" and falls.over is None:
        yield error("REQUIRED", f"{path}.over", "required for a straight line: days until nothing is left")
    if falls.shape != "straight_line" and falls.over is not None:
        yield error("RANGE", f"{path}.over", f"two step-downs overlap: a straight line, and `shape: {falls.shape}`")
    if falls.shape == "steps" and not falls.steps:
        yield error("REQUIRED", f"{path}.steps", "expected at least one step")
    if falls.shape != "steps" and falls.steps:
        yield error("RANGE", f"{path}.steps", f"two step-downs overlap: these steps, and `shape: {falls.shape}`")
    for index, (before, step) in enumerate(pairwise(falls.steps), start=1):
        if step.after.value <= before.after.value:
            days = f"{step.after.value:g} days, not after the {before.after.value:g} of the step before"
            yield error("RANGE", f"{path}.steps.{index}.after", f"overlapping step-downs: {days}")
        if step.share.value >= before.share.value:
            shares = f"{step.share.value:g} of the cap, not below the {before.share.value:g} of the step before"
            yield error("RANGE", f"{path}.steps.{index}.share", f"a step-down must fall: {shares}")


def several_guarantors(spec: ScenarioSpec) -> Iterator[Problem]:
    """Guarantors who stand together cover the whole, and none of them can take the lease over alone."""
    for id, site in spec.sites.items():
        request = site.guarantee
        if request is None or not request.together:
            continue
        path = f"sites.{id}.guarantee"
        whole = sum(part.value for part in request.together.values())
        if abs(whole - 1) > 1e-9:
            yield error("RANGE", f"{path}.together", f"the shares add up to {whole:g}, not to 1")
        if _usual(spec, request).election == "assume":
            own = request.terms is not None and "election" in request.terms.model_fields_set
            where = f"{path}.terms.election" if own else f"{path}.together"
            yield error("RANGE", where, "several guarantors cannot take one lease over")


def beneficiaries(spec: ScenarioSpec) -> Iterator[Problem]:
    """A guarantee is given to the creditor of what it covers."""
    for id, site in spec.sites.items():
        request = site.guarantee
        if request is None:
            continue
        covers = _usual(spec, request).covers
        path = f"sites.{id}.guarantee"
        lenders = site.financing.lenders if site.financing is not None else ()
        if covers != "rent" and not lenders:
            own = request.terms is not None and "covers" in request.terms.model_fields_set
            where = f"{path}.terms.covers" if own else path
            yield error("REF", where, f"the guarantee covers {_WORDS[covers]}, and the site has no `financing`")
            continue
        name = request.beneficiary
        if name is None:
            continue
        creditors = {"rent": (site.developer,), "loan": lenders, "rent_and_loan": (site.developer, *lenders)}[covers]
        if name not in spec.parties:
            yield unknown(spec, f"{path}.beneficiary", name, "party", spec.parties)
        elif name not in creditors:
            owed = choices(list(creditors)) if creditors else "nobody"
            message = f"'{name}' is not the creditor of {_WORDS[covers]}, which is owed to {owed}"
            yield error("REF", f"{path}.beneficiary", f"{message}: a guarantee is given to the creditor")


_WORDS = {"rent": "the rent", "loan": "the loan", "rent_and_loan": "the rent and the loan"}


def opening_cover(spec: ScenarioSpec) -> Iterator[Problem]:
    """Cover that stands since before the start."""
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
    for name, cover in used.items():
        party = spec.parties.get(name)
        limit = party.guarantee.limit if party is not None and party.guarantee is not None else None
        if limit is not None and cover > limit.value:
            message = f"{units.format(limit.value, 'usd_m')} is below the cover in use at the start"
            yield warning(f"parties.{name}.guarantee.limit", f"{message}, {units.format(cover, 'usd_m')}")


def best_cap(spec: ScenarioSpec, site: Site) -> float | None:
    """US$ million of cover that the most generous guarantor offers; None without limit, or where none is needed."""
    request = site.guarantee
    if request is None or not needs_guarantor(spec, site):
        return None
    able = [name for name in request.asked if (party := spec.parties.get(name)) is not None and party.guarantee]
    caps = [_cap_asked(spec, site, request, name) for name in able]
    return (sum(caps) if request.together else max(caps)) if caps else None


def _cap_asked(spec: ScenarioSpec, site: Site, request: GuaranteeRequest, name: str) -> float:
    """US$ million of cover that a site asks of one guarantor at medians, of what it offers."""
    share = request.together[name].value if name in request.together else 1.0
    terms = _usual(spec, request)
    if terms.cap.basis == "fixed" and terms.cap.amount is not None:
        wanted = terms.cap.amount.value
    elif terms.cap.basis == "remaining_rent":
        wanted = _base_term_rent(site)
    else:
        wanted = cover_wanted(spec, site)
    guarantee = spec.parties[name].guarantee
    most = guarantee.max_cap if guarantee is not None else None
    return share * wanted if most is None else min(share * wanted, most.value)


def _usual(spec: ScenarioSpec, request: GuaranteeRequest) -> Terms:
    """The terms of a site's guarantee: its own, field by field, over those of the first guarantor it asks."""
    party = spec.parties.get(request.asked[0]) if request.asked else None
    usual = party.guarantee.terms if party is not None and party.guarantee is not None else Terms()
    return terms_of(usual, request)


def _base_term_rent(site: Site) -> float:
    """US$ million of rent over the base term, undiscounted."""
    years = site.lease.term.value / DAYS_OF_YEAR
    step = 1 + middle(site.lease.escalator)
    whole = int(years)
    times = sum(step**t for t in range(whole)) + (years - whole) * step**whole
    return middle(site.lease.rent) * mw_of(site) * 12 / 1000 * times


CHECKS = (
    wanted_guarantors,
    limits,
    terms_that_hold,
    several_guarantors,
    beneficiaries,
    opening_cover,
)
