"""What-ifs: whether their paths lead anywhere, and whether what comes out passes the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dcsim.errors import Problem, ScenarioError
from dcsim.scenario import archetypes, paths, tree
from dcsim.scenario.change import is_change
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Node

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario


def unmatched(spec: ScenarioSpec, filled: Node, raw: Node) -> Iterator[Problem]:
    """Paths that lead nowhere: warnings, as an edit may have taken away what another what-if changes."""
    section = raw.get("what_ifs")
    for name in spec.what_ifs:
        edits = section.get(name) if isinstance(section, Node) else None
        if not isinstance(edits, Node):
            continue
        also = archetypes.normalise(raw)
        for path, value in edits.items():
            try:
                paths.match(filled, str(path), allow_new=not is_change(value), also=also)
            except ScenarioError as error:
                for problem in error.problems:
                    where = f"what_ifs.{name}.{path}"
                    yield Problem("WARN", where, problem.message, edits.key_marks.get(path), "warning")


def what_if_problems(scenario: Scenario, seconds: float = 1.0) -> list[Problem]:
    """What is wrong with the what-ifs of a scenario, found by applying each, all variants of `each` included.

    After so many `seconds` the rest is left to the day it is used.
    """
    from dcsim.scenario import edit

    problems = []
    deadline = time.monotonic() + seconds
    section = scenario.raw.get("what_ifs")
    for name, edits in section.items() if isinstance(section, Mapping) else ():
        mark = tree.key_mark_of(scenario.raw, ("what_ifs", name))
        try:
            for _, variant in edit.expand_each(edits):
                if time.monotonic() < deadline:
                    scenario.edit(variant)
        except ScenarioError as error:
            for problem in error.problems:
                at = f" at {problem.path}" if problem.path else ""
                message = f"does not work{at}: {problem.message}"
                problems.append(Problem(problem.code, f"what_ifs.{name}", message, mark))
    return problems
