"""Actuals: what has happened by the status date, put in place of the draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from dcsim.errors import Problem, suggest
from dcsim.quantity import Quantity, parse_quantity
from dcsim.scenario.construction import Activity, EquipmentOrder
from dcsim.scenario.site import Negotiation, Workstream
from dcsim.scenario.spec import Actual, ScenarioSpec

FIRST = -1_000_000
"""Priority of what is under way: it holds its team already."""


def apply_actuals(spec: ScenarioSpec) -> Iterator[Problem]:
    """Replace durations by what is left of them, in place, while the scenario is being built.

    What is finished takes no more time and passed; what has started draws the rest of its duration, given its age at
    the status date. Yields a problem for each path that is nothing that can start, and for dates out of order.
    """
    for path, actual in spec.actuals.items():
        where = f"actuals.{path}"
        status = spec.status or spec.start
        problem = _dates(where, actual, status)
        if problem is not None:
            yield problem
            continue
        block, message = _find(spec, path)
        if message:
            yield Problem("EDIT", where, message)
        elif isinstance(block, Workstream | Negotiation | Activity):
            change = block.__dict__
            change["duration"] = _left(block.duration, actual, status)
            if isinstance(block, Workstream) or block.delay is not None:
                change["delay"] = _nothing()
            change["priority"] = FIRST
            if actual.finished is not None and not isinstance(block, Activity):
                change["fail"] = parse_quantity(0, "fraction")
                if isinstance(block, Workstream):
                    change["remedy"] = parse_quantity(0, "fraction")
        elif isinstance(block, EquipmentOrder):
            id = path.rpartition(".")[2]
            lead = block.lead_time or spec.equipment[id].lead_time.with_binding(path=path, address=path)
            block.__dict__["lead_time"] = _left(lead, actual, status)
            block.__dict__["delay"] = _nothing()
            block.__dict__["slot"] = parse_quantity(0, "fraction")
        else:
            yield Problem("EDIT", where, "only workstreams, negotiations, activities and equipment start and finish")


def _dates(where: str, actual: Actual, status: dt.date) -> Problem | None:
    if actual.finished is not None and actual.finished < actual.started:
        return Problem("RANGE", where, f"finished {actual.finished} is before started {actual.started}")
    for name, date in (("started", actual.started), ("finished", actual.finished)):
        if date is not None and date > status:
            return Problem("RANGE", f"{where}.{name}", f"{date} is after the status date {status}; actuals are facts")
    return None


def _left(duration: Quantity, actual: Actual, status: dt.date) -> Quantity:
    if actual.finished is not None:
        return _nothing()
    return duration.remaining(float((status - actual.started).days))


def _nothing() -> Quantity:
    return parse_quantity(0, "days")


def _find(spec: ScenarioSpec, path: str) -> tuple[Any, str]:
    """The block at a dotted path, or what is wrong with the path."""
    here: Any = spec
    done: list[str] = []
    for part in path.split("."):
        if isinstance(here, BaseModel):
            here = {name: getattr(here, name) for name in type(here).model_fields}
        if not isinstance(here, dict):
            return None, f"there is nothing below {'.'.join(done)}"
        if part not in here:
            return None, f"{'.'.join(done) or 'the scenario'} has no {part!r}{suggest(part, here)}"
        here = here[part]
        done.append(part)
    return here, ""
