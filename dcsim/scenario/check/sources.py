"""Sources that numbers cite, and what stands beside values that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario import tree
from dcsim.scenario.tree import Items, Node
from dcsim.units import describe

GUESS = "guess"
"""A source that may always be cited."""

CONFIDENCES = ("high", "medium", "low", "guess")


def cited(raw: Node) -> Iterator[Problem]:
    """Every `source` names an entry of `sources`, every `confidence` is one; each told where it is written."""
    section = raw.get("sources")
    known = list(section) if isinstance(section, Mapping) else []
    for key, value in raw.items():
        if key != "what_ifs":
            yield from _found(raw, key, value, str(key), known)


def _found(owner: Node, key: object, value: Any, path: str, known: list[str]) -> Iterator[Problem]:
    if isinstance(value, Node):
        for name, below in value.items():
            yield from _found(value, name, below, tree.join(path, name), known)
    elif isinstance(value, Items) and key != "source":
        for index, item in enumerate(value):
            if isinstance(item, Node):
                for name, below in item.items():
                    yield from _found(item, name, below, f"{path}.{index}.{name}", known)
    elif key == "source" and value is not None:
        mark = owner.marks.get(key)
        if not isinstance(value, str):
            yield Problem("TYPE", path, f"expected the id of a source, got {describe(value)}", mark)
        elif value != GUESS and value not in known:
            hint = suggest(value, [*known, GUESS])
            yield Problem("REF", path, f"unknown source '{printable(value[:80])}'{hint}", mark)
    elif key == "confidence" and value is not None and value not in CONFIDENCES:
        hint = suggest(value, CONFIDENCES) if isinstance(value, str) else ""
        message = f"expected high, medium, low or guess, got {describe(value)}{hint}"
        yield Problem("UNKNOWN", path, message, owner.marks.get(key))
