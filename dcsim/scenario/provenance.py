"""Every number of a scenario, with where it comes from."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dcsim.errors import Mark
from dcsim.quantity import Quantity, is_quantity
from dcsim.scenario import archetypes, tree
from dcsim.scenario.bind import walk
from dcsim.scenario.fields import is_wrapper
from dcsim.scenario.in_time import Change
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tree import Loc, Node

Assumption = tuple[str, str, str, str | None, str | None, str]
"""(path where it was written, value, unit, source, as_of, confidence)."""

GUESS = "guess"
"""The confidence of what has no source, and a source that may always be cited."""

_FIRST_DATE = dt.date(1500, 1, 1).toordinal()
"""Days in dates are numbers above this; no duration is that long."""

_NUMBER = re.compile(r"(day )?[-+−]?(US)?\$?\s*[0-9.]")


def assumptions(spec: ScenarioSpec, raw: Node, resolved: Node, in_time: Iterable[Change] = ()) -> list[Assumption]:
    """Every number once, at the path where it was written, in the order of the file; edits in time among them.

    Values are in the canonical unit; laws are written `lognormal(median 60, p90 120)`. Source, date and confidence are
    the number's own, else those of the nearest block around it where it was written (not where it is inherited); a
    confidence that is not given is that of the source cited there; what has no source is a guess.
    """
    raw = archetypes.normalise(raw)
    rows: dict[str, Assumption] = {}
    places: dict[str, Mark | None] = {}
    for path, quantity, _ in walk(spec):
        loc = _written(path, resolved)
        if loc is None:
            continue
        text, unit = shown(quantity)
        declared = tree.declared_at(resolved, loc)
        if declared in rows and rows[declared][1] != text:
            declared = ".".join(map(str, loc))  # an inherited value, changed here
        if declared not in rows:
            rows[declared] = (declared, text, unit, *_provenance(spec, quantity, raw, declared))
            places[declared] = tree.mark_of(resolved, loc)
    for change in in_time:
        if change.written not in rows:
            text, unit = _edit(change)
            cited = _provenance(spec, change.quantity, raw, change.written)
            rows[change.written] = (change.written, text, unit, *cited)
            section, name, rest = change.written.split(".", 2)
            loc = ("shocks", name, "set", rest[4:]) if section == "shocks" else ("regime", "downturn", rest)
            places[change.written] = tree.mark_of(resolved, loc)
    return [rows[path] for path in _in_order(places)]


def _edit(change: Change) -> tuple[str, str]:
    """What an edit in time makes of a number: `* 1.5`, `+ 90`, `* 2 + 30`, or another value."""
    if change.instead is not None:
        return shown(change.instead)
    times = [f"* {_text(change.times)}"] if change.times != 1.0 or not change.plus else []
    plus = [f"{'-' if change.plus < 0 else '+'} {_text(abs(change.plus))}"] if change.plus else []
    return " ".join([*times, *plus]), change.quantity.unit


def _in_order(places: Mapping[str, Mark | None]) -> list[str]:
    """Paths in the order of the file; what stands in none follows what it comes after in the scenario."""
    keys: dict[str, tuple[str, int, int]] = {}
    last = ("", 0, 0)
    for path, mark in places.items():
        last = (mark.file, mark.line, mark.column) if mark is not None else last
        keys[path] = last
    return sorted(keys, key=lambda path: keys[path])


def _written(path: str, resolved: Node) -> Loc | None:
    """Where the tree has the number at a path, which may be written in short; None for a default of the program."""
    here: Any = resolved
    loc: list[str | int] = []
    for part in path.split("."):
        below, found = tree.child(here, part)
        if not found and isinstance(here, Mapping) and is_wrapper(here):
            below, found = tree.child(here["value"], part)
            loc += ["value"] if found else []
        if not found:
            break
        loc.append(part)
        here = below
    else:
        return tuple(loc)
    return tuple(loc) if _is_number(here) else None


def _is_number(value: Any) -> bool:
    """Whether a value says a number by itself, and is no block, no name and no milestone."""
    if isinstance(value, Mapping):
        return is_quantity(value) and (not is_wrapper(value) or _is_number(value["value"]))
    if isinstance(value, str):
        return _NUMBER.match(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


class Cited(NamedTuple):
    """What one block or number says about where it comes from."""

    source: str | None
    as_of: str | None
    confidence: str | None


def _provenance(
    spec: ScenarioSpec, quantity: Quantity, raw: Node, declared: str
) -> tuple[str | None, str | None, str]:
    """Source, date and confidence of a number."""
    levels = [Cited(quantity.source, quantity.as_of, quantity.confidence), *reversed(list(_levels(raw, declared)))]
    source = next((level.source for level in levels if level.source is not None), None)
    nearest = next((level for level in levels if level.source is not None or level.confidence is not None), None)
    entry = spec.sources.get(source) if source is not None else None
    as_of = next((level.as_of for level in levels if level.as_of is not None), entry.as_of if entry else None)
    confidence = nearest.confidence if nearest is not None else None
    if confidence is None and entry is not None:
        confidence = entry.confidence
    return source, as_of, confidence or GUESS


def _levels(raw: Node, declared: str) -> Iterator[Cited]:
    """What each mapping on the way to a path says, from the outside in."""
    here: Any = raw
    for part in [*declared.split("."), None]:
        if isinstance(here, Mapping):
            texts = [here.get(key) for key in ("source", "as_of", "confidence")]
            source, as_of, confidence = (None if isinstance(t, Mapping | list) or t is None else str(t) for t in texts)
            yield Cited(source, as_of, confidence)
        here, found = tree.child(here, part) if part is not None else (None, False)
        if not found:
            return


# Numbers as text.


def shown(quantity: Quantity) -> tuple[str, str]:
    """A quantity in one line, and its unit: `60`, `lognormal(median 60, p90 120)`, `triangular(…) * 1.5 + 30`.

    Days that are dates are written as dates, in the unit `date`.
    """
    is_date = quantity.unit == "days" and quantity.law.bounds()[0] > _FIRST_DATE
    if quantity.is_constant:
        return _text(quantity.value, is_date), "date" if is_date else quantity.unit
    written = quantity.law.written()
    name = quantity.law.name
    text = f"{name}({_parameters(written[name], is_date)})"
    if "times" in written:
        text += f" * {_text(written['times'])}"
    if "plus" in written:
        plus = written["plus"]
        text += f" - {_text(-plus)}" if isinstance(plus, float) and plus < 0 else f" + {_text(plus)}"
    if "age" in written:
        text = f"what is left of {text} after {_text(written['age'])}"
    return text, "date" if is_date else quantity.unit


_MOST_VALUES = 12


def _parameters(raw: object, is_date: bool) -> str:
    if isinstance(raw, Mapping):
        discrete = all(isinstance(key, float) for key in raw)
        if discrete:
            return ", ".join(f"{_text(value, is_date)}: {_text(weight)}" for value, weight in raw.items())
        scales = ("low", "mode", "high", "median", "p90", "mean")
        return ", ".join(f"{key} {_text(value, is_date and key in scales)}" for key, value in raw.items())
    values = [_text(value, is_date) for value in raw] if isinstance(raw, list | tuple) else [_text(raw)]
    if len(values) > _MOST_VALUES:
        return f"{len(values)} values from {values[0]} to {values[-1]}"
    return ", ".join(values)


def _text(value: object, is_date: bool = False) -> str:
    if not isinstance(value, int | float):
        return str(value)
    if is_date and _FIRST_DATE < value < dt.date.max.toordinal():
        return str(dt.date.fromordinal(int(value)))
    return f"{value:.12g}"


