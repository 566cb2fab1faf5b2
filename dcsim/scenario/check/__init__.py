"""Cross-references and contradictions: a list of small checks, each of which finds its problems on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice

from dcsim.errors import Problem
from dcsim.scenario.check import (
    chips,
    cloud,
    credit,
    dates,
    expectations,
    financing,
    hardware,
    lease,
    naming,
    order,
    power,
    references,
    shocks,
    sources,
    treasury,
    what_ifs,
)
from dcsim.scenario.check.what_ifs import what_if_problems
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Node
from dcsim.scenario.validate import MOST_PROBLEMS

__all__ = ["CHECKS", "check", "what_if_problems"]

CHECKS: tuple[Callable[[ScenarioSpec], Iterator[Problem]], ...] = (
    *references.CHECKS,
    *naming.CHECKS,
    *order.CHECKS,
    *dates.CHECKS,
    *power.CHECKS,
    *credit.CHECKS,
    *financing.CHECKS,
    *lease.CHECKS,
    *chips.CHECKS,
    *hardware.CHECKS,
    *shocks.CHECKS,
    *cloud.CHECKS,
    *treasury.CHECKS,
)
"""Every check of what the blocks say together."""


def check(spec: ScenarioSpec, filled: Node, raw: Node) -> list[Problem]:
    """All problems and warnings of a scenario whose fields are well formed each by itself.

    `raw` is the tree as written, `filled` the same with archetypes and defaults in every entry. Positions are left to
    the caller, who has them by path.
    """
    found = chain.from_iterable(one(spec) for one in CHECKS)
    rest = chain(sources.cited(raw), what_ifs.unmatched(spec, filled, raw), expectations.expectations(spec, raw))
    return list(islice(chain(found, rest), MOST_PROBLEMS))
