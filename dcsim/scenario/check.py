"""Cross-references and contradictions: a list of small checks, each of which finds its problems on its own."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim.errors import Problem
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Node


def check(spec: ScenarioSpec, filled: Node) -> list[Problem]:
    """All problems and warnings of a scenario that is well formed by itself."""
    return [problem for one in CHECKS for problem in one(spec)]


def horizon_after_start(spec: ScenarioSpec) -> Iterator[Problem]:
    if spec.horizon < spec.start:
        yield Problem("RANGE", "horizon", f"{spec.horizon} is before the start, {spec.start}")


CHECKS = (horizon_after_start,)
