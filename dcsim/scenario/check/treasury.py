"""A tenant's demand and treasury: prices for what it buys, and dates of what it raises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from dcsim.errors import Problem
from dcsim.scenario.check.cloud import tenant_of
from dcsim.scenario.check.dates import day_of
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.fields import When
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec

NO_PRICE = "expected `price`: there is no cloud contract whose price it could follow"


def demands(spec: ScenarioSpec) -> Iterator[Problem]:
    """A path with a first value, and a price for compute on demand."""
    for id, tenant in spec.tenants.items():
        demand = tenant.demand
        if demand is None:
            continue
        path = f"tenants.{id}.demand"
        if not demand.path:
            yield error("REQUIRED", f"{path}.path", "expected MW, or at least one date: MW")
        rents = any(tenant_of(spec, cloud) == id for cloud in spec.cloud.values())
        if demand.on_demand is not None and demand.on_demand.price is None and not rents:
            yield error("REQUIRED", f"{path}.on_demand", NO_PRICE)
        if demand.sublet is not None and demand.sublet.price is None and not rents:
            yield error("REQUIRED", f"{path}.sublet", NO_PRICE)


def raising(spec: ScenarioSpec) -> Iterator[Problem]:
    """Equity is raised on dates to come, from somebody else."""
    for id, tenant in spec.tenants.items():
        treasury = tenant.treasury
        if treasury is None:
            continue
        path = f"tenants.{id}.treasury"
        if treasury.ipo is not None:
            yield from _dated(spec, f"{path}.ipo.date", treasury.ipo.date)
        for index, round in enumerate(treasury.rounds):
            yield from _dated(spec, f"{path}.rounds.{index}.date", round.date)
            if round.by == id:
                yield error("CYCLE", f"{path}.rounds.{index}.by", f"'{id}' invests in itself")
            elif round.by is not None and round.by not in spec.parties:
                yield unknown(spec, f"{path}.rounds.{index}.by", round.by, "party", spec.parties)


def _dated(spec: ScenarioSpec, path: str, when: When) -> Iterator[Problem]:
    if not when.dated:
        message = f"expected a date, `day 600` or a law of dates; it cannot wait for {', '.join(when.after)}"
        yield error("DATE", path, message)
        return
    start = spec.status or spec.start
    day = day_of(spec, when)
    least = when.delay.law.bounds()[0]  # 0 of laws without one
    earliest = day + least - middle(when.delay)
    if day < start.toordinal():
        message = f"{_shown(day)} is before the start, {start}: what it brought belongs to `cash`"
        yield error("RANGE", path, message)
    elif least > 0 and earliest < start.toordinal():
        message = f"it may come before the start, {start} (from {_shown(earliest)} on): then it comes at the start"
        yield warning(path, message)
    elif day >= spec.horizon.toordinal() + 1:
        yield warning(path, f"{_shown(day)} is after the horizon, {spec.horizon}: it never comes")


def _shown(day: float) -> dt.date:
    return dt.date.fromordinal(int(min(max(day, 1), dt.date.max.toordinal())))


def cash(spec: ScenarioSpec) -> Iterator[Problem]:
    """A treasury begins with something, said in one place."""
    for id, tenant in spec.tenants.items():
        if tenant.treasury is None:
            continue
        party = spec.parties.get(id)
        if party is not None and party.cash is not None:
            message = f"the treasury of tenant '{id}' has its cash (`tenants.{id}.treasury.cash`); give one of them"
            yield error("DUPLICATE", f"parties.{id}.cash", message)
        if "cash" not in tenant.treasury.model_fields_set:
            yield warning(f"tenants.{id}.treasury", "without `cash` it begins with nothing, and is short at once")


CHECKS = (demands, raising, cash)
