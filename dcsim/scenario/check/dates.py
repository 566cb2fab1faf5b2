"""Dates: the horizon, the opening position's order, what falls after the end, letters that run out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, warning
from dcsim.scenario.chips import LeadPolicy
from dcsim.scenario.fields import Block, When
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import circles, given_milestones, median_days, site_waits

MOST_YEARS = 100

_SITE_ORDER = (
    ("loi_signed", "diligence_complete"),
    ("diligence_complete", "approved"),
    ("approved", "negotiated"),
    ("negotiated", "lease_signed"),
    ("guarantee_signed", "lease_signed"),
    ("lease_signed", "financial_close"),
    ("financial_close", "notice_to_proceed"),
    ("loi_signed", "energy_services"),
)
_PHASE_ORDER = (
    ("building_complete", "commissioned"),
    ("equipment_on_site", "commissioned"),
    ("energised", "commissioned"),
    ("commissioned", "ready_for_service"),
    ("ready_for_service", "full_live"),
)


def horizon(spec: ScenarioSpec) -> Iterator[Problem]:
    """The horizon comes after the start, and the status date between them."""
    if spec.horizon < spec.start:
        yield error("RANGE", "horizon", f"{spec.horizon} is before the start, {spec.start}")
    elif (years := (spec.horizon - spec.start).days / 365.25) > MOST_YEARS:
        yield error("RANGE", "horizon", f"{spec.horizon} is {years:.0f} years after the start; at most {MOST_YEARS}")
    if spec.status is not None and not spec.start <= spec.status <= spec.horizon:
        message = f"{spec.status} is not between start and horizon, {spec.start} and {spec.horizon}"
        yield error("RANGE", "status", message)


def closures(spec: ScenarioSpec) -> Iterator[Problem]:
    """A team's days off end after they begin, once or every year."""
    teams = {f"crews.{name}": team for name, team in spec.crews.items()}
    for id, tenant in spec.tenants.items():
        teams.update({f"tenants.{id}.teams.{name}": team for name, team in tenant.teams.items()})
    for path, team in teams.items():
        for index, closure in enumerate(team.closed):
            at = f"{path}.closed.{index}"
            dates = [isinstance(day, dt.date) for day in (closure.start, closure.until)]
            if any(dates) and not all(dates):
                yield error("DATE", at, "give two dates, or two days of every year (12-20), not one of each")
            elif all(dates) and str(closure.until) < str(closure.start):
                yield error("RANGE", f"{at}.until", f"{closure.until} is before the first day off, {closure.start}")


def letters(spec: ScenarioSpec) -> Iterator[Problem]:
    """A site begins with a letter, or where it stands already."""
    for id, site in spec.sites.items():
        if site.loi is None and not given_milestones(site):
            yield error("REQUIRED", f"sites.{id}.loi", "required where `initial` gives no milestone, and missing")


def opening_order(spec: ScenarioSpec) -> Iterator[Problem]:
    """Milestones that the file gives come in the order of the pipeline."""
    for id, site in spec.sites.items():
        given = _given(site.initial)
        yield from _in_order(spec, f"sites.{id}.initial", given, _SITE_ORDER)
        letter = site.loi.signed if site.loi is not None and "loi_signed" not in given else None
        if letter is not None and letter.dated and given:
            first = min(given, key=lambda name: day_of(spec, given[name]))
            if day_of(spec, letter) > day_of(spec, given[first]):
                begins = f"{_date(day_of(spec, letter))} is after {first}, {_date(day_of(spec, given[first]))}"
                yield warning(f"sites.{id}.loi.signed", f"{begins}, which `initial` gives")
        for key, phase in site.phases.items():
            yield from _in_order(spec, f"sites.{id}.phases.{key}.initial", _given(phase.initial), _PHASE_ORDER)


def _given(block: Block | None) -> dict[str, When]:
    fields = block.__dict__ if block is not None else {}
    return {name: value for name, value in fields.items() if isinstance(value, When) and value.dated}


def _in_order(
    spec: ScenarioSpec, path: str, given: Mapping[str, When], order: tuple[tuple[str, str], ...]
) -> Iterator[Problem]:
    """A milestone is not before one that leads to it, through those that are not given too."""
    before: dict[str, set[str]] = {}
    for first, second in order:
        before.setdefault(second, set()).update({first}, before.get(first, set()))
    for later, earlier_ones in before.items():
        for earlier in given:
            if earlier in earlier_ones and later in given:
                day, limit = day_of(spec, given[later]), day_of(spec, given[earlier])
                if day < limit:
                    yield error("DATE", f"{path}.{later}", f"{_date(day)} is before {earlier}, {_date(limit)}")


def day_of(spec: ScenarioSpec, when: When) -> float:
    """The day of something dated, at its median, as a number that dates have (`date.toordinal`)."""
    start = spec.status or spec.start
    return middle(when.delay) + (0 if when.calendar == "date" else start.toordinal())


def _date(day: float) -> str:
    return str(dt.date.fromordinal(int(day))) if 1 <= day < dt.date.max.toordinal() else f"day {day:.0f}"


def after_the_horizon(spec: ScenarioSpec) -> Iterator[Problem]:
    """What is dated after the end never happens."""
    dates: dict[str, float] = {}
    for id, party in spec.parties.items():
        if party.guarantee is not None and party.guarantee.framework is not None:
            dates[f"parties.{id}.guarantee.framework.signed"] = day_of(spec, party.guarantee.framework.signed)
    for id, tenant in spec.tenants.items():
        if tenant.decision.committee is not None:
            dates[f"tenants.{id}.decision.committee.from"] = day_of(spec, tenant.decision.committee.start)
    for id, product in spec.chips.products.items():
        if product.available is not None:
            dates[f"chips.products.{id}.available"] = day_of(spec, product.available)
    for id, order in spec.chips.orders.items():
        if not isinstance(order.ordered, LeadPolicy) and order.ordered.dated:
            dates[f"chips.orders.{id}.ordered"] = day_of(spec, order.ordered)
        if order.deliveries.first is not None:
            dates[f"chips.orders.{id}.deliveries.first"] = day_of(spec, order.deliveries.first)
    for id, site in spec.sites.items():
        path = f"sites.{id}"
        if site.loi is not None and site.loi.signed.dated and not given_milestones(site):
            dates[f"{path}.loi.signed"] = day_of(spec, site.loi.signed)
        if site.lease.target is not None:
            dates[f"{path}.lease.target"] = site.lease.target.toordinal()
        for name, date in site.committed.items():
            dates[f"{path}.committed.{name}"] = date.toordinal()
        for name, when in _given(site.initial).items():
            dates[f"{path}.initial.{name}"] = day_of(spec, when)
        for key, phase in site.phases.items():
            for name, date in phase.committed.items():
                dates[f"{path}.phases.{key}.committed.{name}"] = date.toordinal()
            for name, when in _given(phase.initial).items():
                dates[f"{path}.phases.{key}.initial.{name}"] = day_of(spec, when)
    for id, shock in spec.shocks.items():
        if isinstance(shock.when, dt.date):
            dates[f"shocks.{id}.when"] = shock.when.toordinal()
    for path, day in dates.items():
        if day >= spec.horizon.toordinal() + 1:
            yield warning(path, f"{_date(day)} is after the horizon, {spec.horizon}: it never comes")


def exclusivity(spec: ScenarioSpec) -> Iterator[Problem]:
    """A letter lasts until its lease can be signed, at medians and without queues."""
    for id, site in spec.sites.items():
        loi = site.loi
        if loi is None or loi.exclusivity is None or given_milestones(site):
            continue
        waits = site_waits(spec, id)
        if any(True for _ in circles(waits)):
            continue
        lasts = middle(loi.exclusivity)
        renewed = ""
        if loi.renewal is not None and loi.renewal.at_most.value > 0:
            lasts += loi.renewal.at_most.value * middle(loi.renewal.length)
            renewed = " with every renewal"
        needed = median_days(waits, "lease_signed")
        if lasts < needed:
            message = f"lasts {lasts:g} days{renewed}; the lease takes {needed:g} days at medians, without any queue"
            yield warning(f"sites.{id}.loi.exclusivity", message)


CHECKS = (horizon, closures, letters, opening_order, after_the_horizon, exclusivity)
