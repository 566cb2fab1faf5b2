"""Clouds: who rents what from whom, until when, and what may end it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from dcsim.errors import Problem
from dcsim.scenario.check.dates import MOST_YEARS
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.cloud import Cloud
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec

EVER = dt.date.min
"""Date of what holds from the beginning of time."""


def parties(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who rents, and from whom."""
    for id, cloud in spec.cloud.items():
        path = f"cloud.{id}"
        if cloud.provider not in spec.parties:
            yield unknown(spec, f"{path}.provider", cloud.provider, "party", spec.parties)
        if cloud.tenant is None:
            if len(spec.tenants) > 1:
                yield error("REQUIRED", f"{path}.tenant", "required with several tenants, and missing")
        elif cloud.tenant not in spec.tenants:
            yield unknown(spec, f"{path}.tenant", cloud.tenant, "tenant", spec.tenants)
        if cloud.provider == tenant_of(spec, cloud):
            yield error("CYCLE", f"{path}.provider", f"'{cloud.provider}' rents from itself")


def tenant_of(spec: ScenarioSpec, cloud: Cloud) -> str:
    """Who rents."""
    return cloud.tenant or next(iter(spec.tenants))


def terms(spec: ScenarioSpec) -> Iterator[Problem]:
    """A contract has a term, some of which lies ahead."""
    for id, cloud in spec.cloud.items():
        path = f"cloud.{id}"
        start = spec.status or spec.start
        if cloud.until < cloud.start:
            yield error("RANGE", f"{path}.until", f"{cloud.until} is before the first day, {cloud.start}")
        elif (years := (cloud.until - cloud.start).days / 365.25) > MOST_YEARS:
            message = f"{cloud.until} is {years:.0f} years after the first day; at most {MOST_YEARS}"
            yield error("RANGE", f"{path}.until", message)
        elif cloud.until < start:
            yield warning(f"{path}.until", f"{cloud.until} is before the start, {start}: nothing is left of it")
        elif cloud.start > spec.horizon:
            yield warning(f"{path}.from", f"{cloud.start} is after the horizon, {spec.horizon}: it never comes")


def paths(spec: ScenarioSpec) -> Iterator[Problem]:
    """MW are offered from the first day on, and no step lies outside the term."""
    for id, cloud in spec.cloud.items():
        path = f"cloud.{id}.mw"
        if not cloud.mw:
            yield error("REQUIRED", path, "expected MW, or at least one date: MW")
        if cloud.until < cloud.start:
            continue
        for date in cloud.mw:
            if date > cloud.until:
                yield warning(f"{path}.{date}", f"{date} is after the last day, {cloud.until}: it never comes")
            elif EVER < date < cloud.start and any(date < other <= cloud.start for other in cloud.mw):
                yield warning(f"{path}.{date}", f"{date} is before the first day, {cloud.start}: it changes nothing")
        if cloud.mw and min(cloud.mw) > cloud.start:
            yield warning(path, f"it offers nothing from its first day, {cloud.start}, to {min(cloud.mw)}")


def prices(spec: ScenarioSpec) -> Iterator[Problem]:
    """A price for each MW, or a fee for the whole."""
    for id, cloud in spec.cloud.items():
        if cloud.price is None and cloud.fee is None:
            message = "expected `price` (a MW and year) or `fee` (for the whole, a month); 0 if it costs nothing"
            yield error("REQUIRED", f"cloud.{id}", message)
        elif cloud.price is not None and cloud.fee is not None:
            yield error("UNKNOWN", f"cloud.{id}.fee", "give one of `price` and `fee`, not both")


def commitments(spec: ScenarioSpec) -> Iterator[Problem]:
    """Take-or-pay is a share or an amount, of something."""
    for id, cloud in spec.cloud.items():
        path, take = f"cloud.{id}.take_or_pay", cloud.take_or_pay
        if take.share is not None and take.amount is not None:
            yield error("UNKNOWN", f"{path}.amount", "give one of `share` and `amount`, not both")
        elif take.share is None and take.amount is None and take.carry_forward.value > 0:
            yield error("REQUIRED", path, "expected `share` or `amount`: without it nothing is carried forward")
        offered = [mw.value for date, mw in cloud.mw.items() if date <= cloud.until]
        if take.amount is None and take.over == "year":
            yield error("REQUIRED", f"{path}.amount", "required with `over: year`, and missing")
        if take.amount is not None and take.over == "term" and middle(take.amount) > 0 and not any(offered):
            yield error("RANGE", f"{path}.amount", "it is spread as the contracted MW are, and there are none")


def notices(spec: ScenarioSpec) -> Iterator[Problem]:
    """Who may end it has a reason to, and notice that fits the term."""
    for id, cloud in spec.cloud.items():
        early = cloud.ends_early
        if early is None:
            continue
        path = f"cloud.{id}.ends_early"
        if not early.by:
            yield error("REQUIRED", f"{path}.by", "expected `provider`, `tenant`, or both")
        term, notice = (cloud.until - cloud.start).days + 1, middle(early.notice)
        if 0 < term < notice:
            yield error("RANGE", f"{path}.notice", f"{notice:g} days are longer than the term, {term} days")
        if early.recalled.value > 0 and "provider" not in early.by:
            yield error("REQUIRED", f"{path}.by", "expected `provider` in it, who recalls")
        if early.surplus_above is not None:
            tenant = spec.tenants.get(tenant_of(spec, cloud))
            if "tenant" not in early.by:
                yield error("REQUIRED", f"{path}.by", "expected `tenant` in it, whose surplus it is")
            elif tenant is not None and tenant.demand is None:
                message = "the tenant says nothing of its `demand`, so it never has a surplus"
                yield error("REQUIRED", f"{path}.surplus_above", message)


CHECKS = (parties, terms, paths, prices, commitments, notices)
