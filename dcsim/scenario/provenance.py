"""Every number of a scenario, with where it comes from."""

from __future__ import annotations

from dcsim.scenario import tree
from dcsim.scenario.bind import walk
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Node

Assumption = tuple[str, str, str, str | None, str | None, str]
"""(path where it was written, value, unit, source, as_of, confidence)."""


def assumptions(spec: ScenarioSpec, raw: Node, resolved: Node) -> list[Assumption]:
    """Every number once, at the path where it was written, in file order.

    Source and date are the number's own, else those of the nearest block around it where it was written. Confidence is
    its own, else its source's; what has no source is a guess.
    """
    rows: dict[str, Assumption] = {}
    for path, quantity, _ in walk(spec):
        parts = tuple(path.split("."))
        try:
            tree.get(resolved, parts)
        except (KeyError, ValueError):
            continue
        declared = tree.declared_at(resolved, path)
        if declared in rows or declared.split(".")[0] in ("defaults", "archetypes") and declared == path:
            continue
        source = quantity.source or tree.nearest(raw, declared, "source")
        as_of = quantity.as_of or tree.nearest(raw, declared, "as_of")
        own = quantity.confidence or tree.nearest(raw, declared, "confidence")
        cited = spec.sources.get(source) if isinstance(source, str) else None
        confidence = own or (cited.confidence if cited is not None else None) or "guess"
        text = lambda value: None if value is None else str(value)  # noqa: E731
        rows[declared] = (declared, quantity.described(), quantity.unit, text(source), text(as_of), str(confidence))
    return list(rows.values())
