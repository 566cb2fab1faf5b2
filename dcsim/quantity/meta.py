"""Reading what stands beside the value or law of a quantity: range, what-if, provenance, kind, loads."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from dcsim import units
from dcsim.errors import printable, suggest
from dcsim.quantity.field import shown
from dcsim.quantity.notes import Notes, Path

META_KEYS: Final = ("range", "whatif", "source", "as_of", "confidence", "kind", "loads", "unit")

_CHOICES = {"confidence": ("high", "medium", "low", "guess"), "kind": ("aleatory", "epistemic")}
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_ROUNDING = 1e-9
"""0.6 and 0.8 have squares that add up to 1 and may well add up to a little more in floating point."""


def read_meta(notes: Notes, raw: Mapping[object, object], path: Path, given: str | None) -> dict[str, Any]:
    """The meta keys of `raw` as fields of a Quantity; null is as if left out."""
    meta: dict[str, Any] = {}
    for key in META_KEYS:
        written, place = raw.get(key), (*path, key)
        if written is None or key == "unit":
            continue
        if key == "range":
            meta[key] = _ends(notes, written, place, given)
        elif key == "loads":
            meta[key] = _loads(notes, written, place)
        elif key == "as_of":
            meta[key] = _date(notes, written, place)
        else:
            meta[key] = _text(notes, written, place, _CHOICES.get(key))
    return meta


def _text(notes: Notes, raw: object, path: Path, choices: tuple[str, ...] | None) -> str | None:
    if not isinstance(raw, str) or not raw.strip():
        notes.add(path, "TYPE", f"expected text, got {units.describe(raw)}")
        return None
    if choices is not None and raw not in choices:
        known = f"{', '.join(choices[:-1])} or {choices[-1]}"
        notes.add(path, "UNKNOWN", f"expected {known}, got '{printable(raw)}'{suggest(raw, choices)}")
    return raw


def _date(notes: Notes, raw: object, path: Path) -> str:
    text = raw.isoformat()[:10] if isinstance(raw, dt.date) else str(raw)
    if not _DATE.fullmatch(text):
        notes.add(path, "DATE", f"expected a date such as 2026-07-01 or 2026-07, got {units.describe(raw)}")
    return text


def _ends(notes: Notes, raw: object, path: Path, given: str | None) -> tuple[float, float] | None:
    """The two ends of `range`, each a value that the field could take."""
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        notes.add(path, "TYPE", f"expected [low, high], got {units.describe(raw)}")
        return None
    low, high = (notes.number(item, (*path, i), notes.field.unit, given) for i, item in enumerate(raw))
    if low is None or high is None:
        return None
    for index, value in enumerate((low, high)):
        if wrong := notes.field.out_of_bounds(value):
            notes.add((*path, index), "RANGE", wrong)
    if low > high:
        notes.add(path, "RANGE", f"low must not be above high, got {shown(low)} and {shown(high)}")
    return low, high


def _loads(notes: Notes, raw: object, path: Path) -> tuple[tuple[str, float], ...]:
    """Loadings by factor name; each may be wrapped as `{value: 0.35, range: …}`."""
    if not isinstance(raw, Mapping):
        notes.add(path, "TYPE", f"expected {{factor: loading, …}}, got {units.describe(raw)}")
        return ()
    loads: dict[str, float] = {}
    for name, written in raw.items():
        place = (*path, str(name))
        wrapped = isinstance(written, Mapping) and {"value"} <= written.keys() <= {"value", *META_KEYS}
        load = notes.number(written["value"] if wrapped else written, place, "number")
        if load is None:
            continue
        if not -1.0 <= load <= 1.0:
            notes.add(place, "RANGE", f"must be between -1 and 1, got {shown(load)}")
        loads[str(name)] = load
    total = math.fsum(load * load for load in loads.values())
    if total > 1.0 + _ROUNDING and all(-1.0 <= load <= 1.0 for load in loads.values()):
        notes.add(path, "RANGE", f"the squares of the loads add up to {shown(total)}, more than 1")
    return tuple(loads.items())
