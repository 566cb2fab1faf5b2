"""Older scenario files, brought up to the version that is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dcsim.errors import Problem, ScenarioError
from dcsim.scenario import tree
from dcsim.scenario.spec import VERSION
from dcsim.scenario.tree import Node

Migration = Callable[[Node], Node]
"""Makes a tree of one version into one of the next; the tree it gets is not changed."""

MIGRATIONS: Mapping[int, Migration] = {}
"""Version and what brings it to the next; every version from the first to the last but one is in it."""


def migrate(raw: Node, migrations: Mapping[int, Migration] = MIGRATIONS, newest: int = VERSION) -> Node:
    """The scenario as a file of the newest version would have it.

    A missing version, or one that is no whole number, is left for the check of the fields. Raises ScenarioError
    (VERSION) for a version that is newer than this, or that never was.
    """
    version = raw.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        return raw
    mark = tree.mark_of(raw, ("version",))
    if version > newest:
        message = f"scenario version {version} is newer than this dcsim reads ({newest})"
        raise ScenarioError([Problem("VERSION", "version", message, mark)])
    for step in range(version, newest):
        if step not in migrations:
            message = f"there is no scenario version {version}; expected {newest}"
            raise ScenarioError([Problem("VERSION", "version", message, mark)])
        raw = tree.copy(migrations[step](raw))
        tree.put(raw, "version", step + 1, mark=mark, key_mark=raw.key_marks.get("version"))
    return raw
