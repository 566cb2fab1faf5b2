"""What must hold: whether the names and dates of each expression mean anything in the scenario."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario.check.finding import error, warning
from dcsim.scenario.expression import (
    MEASURES,
    Column,
    Expectation,
    ExpressionError,
    Milestone,
    Precision,
    Quantity,
    SignedShare,
    parse_expectation,
    quantities,
)
from dcsim.scenario.fields import PHASE_MILESTONES, SITE_MILESTONES
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Node


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a quantity of an expression, or (a warning) what it will be taken for."""

    code: str
    message: str
    at: int
    hint: str = ""
    warns: bool = False

    def __str__(self) -> str:
        return f"{self.message} (at character {self.at + 1}){self.hint}"


def expectations(spec: ScenarioSpec, raw: Node) -> Iterator[Problem]:
    """Every expectation, held against the scenario."""
    out = taken_out(spec, raw)
    for id, text in spec.expect.items():
        try:
            expression = parse_expectation(text)
        except ExpressionError:  # told when the field was read
            continue
        for fault in faults(spec, expression, out):
            path = f"expect.{id}"
            yield warning(path, str(fault)) if fault.warns else error(fault.code, path, str(fault))


def taken_out(spec: ScenarioSpec, raw: Node) -> set[str]:
    """Sites that the file has and `enabled: false` takes out."""
    sites = raw.get("sites")
    return {str(name) for name in sites if name not in spec.sites} if isinstance(sites, Mapping) else set()


def faults(
    spec: ScenarioSpec, expression: Expectation | Precision | Quantity, out: Collection[str] = ()
) -> Iterator[Fault]:
    """What can be told of an expression without a run. `out` are sites that are taken out."""
    for quantity in quantities(expression):
        if isinstance(quantity, Milestone):
            yield from _milestone(spec, quantity, out)
        elif isinstance(quantity, SignedShare):
            yield from _signed_share(spec, quantity, out)
        else:
            yield from _column(spec, quantity)


def _milestone(spec: ScenarioSpec, asked: Milestone, out: Collection[str]) -> Iterator[Fault]:
    site = spec.sites.get(asked.site)
    if site is None and asked.site in out:
        yield Fault("WARN", f"'{asked.site}' is taken out (enabled: false), so it never comes", asked.at, warns=True)
    elif site is None:
        yield _unknown("site", asked.site, asked.at, spec.sites)
    elif asked.phase is not None and asked.phase not in site.phases:
        yield _unknown(f"phase of {asked.site}", asked.phase, asked.at, site.phases)


def _signed_share(spec: ScenarioSpec, asked: SignedShare, out: Collection[str]) -> Iterator[Fault]:
    if not sites_of(spec, asked.of):
        if asked.of in out:
            message = f"'{asked.of}' is taken out (enabled: false), so nothing is signed"
            yield Fault("WARN", message, asked.at, warns=True)
            return
        tags = dict.fromkeys(tag for site in spec.sites.values() for tag in site.tags)
        yield _unknown("tag or site", asked.of, asked.at, [*tags, *spec.sites])


def sites_of(spec: ScenarioSpec, name: str) -> list[str]:
    """The sites that carry a tag, or the one of that name."""
    tagged = [id for id, site in spec.sites.items() if name in site.tags]
    return tagged or ([name] if name in spec.sites else [])


def _column(spec: ScenarioSpec, asked: Column) -> Iterator[Fault]:
    if asked.owner is not None and asked.owner not in spec.tenants and asked.owner not in spec.parties:
        if asked.owner in spec.sites:
            name = asked.name if asked.name in (*SITE_MILESTONES, *PHASE_MILESTONES) else "MILESTONE"
            hint = f"; a milestone is asked as date_of({asked.owner}.{name}) or day_of(...)"
            yield Fault("REF", f"'{asked.owner}' is a site, which has no outcomes", asked.at, hint)
        else:
            known = dict.fromkeys([*spec.tenants, *spec.parties, *spec.sites])
            yield _unknown("tenant or party", asked.owner, asked.at, known)
        return
    if asked.name == "limit" and asked.owner in spec.parties and asked.when is None:
        if spec.parties[asked.owner].guarantee is None:
            yield Fault("REF", f"'{asked.owner}' is no guarantor, so it has no limit", asked.at)
        return
    if asked.owner is None and len(spec.tenants) > 1:
        message = f"there are several tenants: say whose {asked.name} ({', '.join(spec.tenants)})"
        yield Fault("REQUIRED", message, asked.at)
    measure = measure_of(asked)
    if measure is not None and asked.owner is not None and asked.owner not in spec.tenants:
        yield Fault("REF", f"'{asked.owner}' is no tenant, and {measure} is counted by tenant", asked.at)
    if asked.when is None:
        if measure is not None:
            yield Fault("REQUIRED", f"say when: {asked.name}@{spec.horizon}", asked.at)
        return
    yield from _moment(spec, asked, measure)


def _moment(spec: ScenarioSpec, asked: Column, measure: str | None) -> Iterator[Fault]:
    """The date after `@` lies within the scenario, and there is a row for it."""
    assert asked.when is not None
    day, start, horizon = asked.when.day, spec.status or spec.start, spec.horizon
    if measure is None and asked.when.kind != "year" and (day.month, day.day) != (12, 31):
        hint = suggest(asked.name, MEASURES) or f"; an outcome has at most one value a year, {asked.name}@{day.year}"
        yield Fault("UNKNOWN", f"unknown measure '{printable(asked.name)}'", asked.at, hint)
        return
    outside = outside_of(spec, asked)
    row = row_of(start, horizon, day)
    if outside:
        yield Fault("WARN", f"{asked}: {day} is {outside}, so it is not decided", asked.at, warns=True)
    elif row is None:
        yield Fault("RANGE", f"{asked}: no month ends from the start, {start}, to {day}", asked.at)
    elif measure is not None and row != day:
        message = f"{asked}: {day} is no month end, and the state at the end of {row} is taken"
        yield Fault("WARN", message, asked.at, warns=True)


def measure_of(asked: Column) -> str | None:
    """The measure of capacity that a name means, with or without its unit (`live@2028-06` is `live_mw`)."""
    names = (asked.name, f"{asked.name}_mw") if asked.when is not None else (asked.name,)
    return next((name for name in names if name in MEASURES), None)


def outside_of(spec: ScenarioSpec, asked: Column) -> str:
    """Where the date after `@` lies, if a run knows nothing of it; empty within start and horizon."""
    if asked.when is None:
        return ""
    start = spec.status or spec.start
    if asked.when.day < start:
        return f"before the {'start' if spec.status is None else 'status date'}, {start}"
    return f"after the horizon, {spec.horizon}" if asked.when.day > spec.horizon else ""


def row_of(start: dt.date, horizon: dt.date, day: dt.date) -> dt.date | None:
    """The last month's end at or before a day; the horizon ends its month. None where no month has ended by then."""
    if day >= horizon:
        return horizon
    end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if end != day:
        end = day.replace(day=1) - dt.timedelta(days=1)
    return end if end >= start else None


def _unknown(kind: str, name: str, at: int, known: Iterable[str]) -> Fault:
    names = list(known)
    hint = suggest(name, names) or (f"; expected {' or '.join(names)}" if 0 < len(names) <= 4 else "")
    return Fault("REF", f"unknown {kind} '{printable(name)}'", at, hint)
