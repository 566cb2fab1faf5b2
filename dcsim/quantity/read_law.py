"""Reading `NAME: PARAMETERS`, the law inside a quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dcsim import units
from dcsim.errors import suggest
from dcsim.quantity.families import FAMILIES, LawError, make_law, make_steps
from dcsim.quantity.laws import Law
from dcsim.quantity.notes import Notes, Path
from dcsim.units import UnitError

Weighted = list[tuple[float, float, Path]]
"""Values, their weights, and where each stands."""


def read_law(notes: Notes, name: str, raw: object, path: Path, given: str | None) -> Law | None:
    """The law `name` with what stands under it at `path`; None where problems were noted.

    Bare numbers are in the unit text `given`, if any; a `unit` among the parameters goes before it.
    """
    if isinstance(raw, Mapping) and "unit" in raw:
        given = notes.given(raw, path) or given
        raw = {key: value for key, value in raw.items() if key != "unit"}
    before = len(notes.problems)
    try:
        if name in FAMILIES:
            params = _params(notes, name, raw, path, given)
            return make_law(name, **params) if len(notes.problems) == before else None
        read = _discrete if name == "discrete" else _empirical
        values = read(notes, raw, path, given)
    except LawError as error:
        notes.faults(error, path)
        return None
    if len(notes.problems) > before:
        return None
    try:
        return make_steps(name, [(value, weight) for value, weight, _ in values])
    except LawError as error:
        notes.faults(error, path, [place for _, _, place in values])
        return None


def _params(notes: Notes, name: str, raw: object, path: Path, given: str | None) -> dict[str, float]:
    """The parameters of a law that is given by named ones."""
    family = FAMILIES[name]
    if not isinstance(raw, Mapping):
        wanted = ", ".join(f"{key}: …" for key in family.given[0])
        notes.add(path, "TYPE", f"expected {{{wanted}}}, got {units.describe(raw)}")
        return {}
    notes.faults(LawError(family.check_names(map(str, raw))), path)
    params: dict[str, float] = {}
    for key, written in raw.items():
        if key in family.parameters:
            pure = key in family.pure
            unit, common = ("number", None) if pure else (notes.field.unit, given)
            value = notes.number(written, (*path, str(key)), unit, common)
            if value is not None:
                params[str(key)] = value
    return params


def _discrete(notes: Notes, raw: object, path: Path, given: str | None) -> Weighted:
    """`{value: weight, …}`."""
    if not isinstance(raw, Mapping):
        notes.add(path, "TYPE", f"expected {{value: weight, …}}, got {units.describe(raw)}")
        return []
    found: Weighted = []
    for key, written in raw.items():
        place = (*path, key)
        value = notes.number(_number_or_text(key), place, notes.field.unit, given)
        weight = notes.number(written, place, "number")
        if value is not None and value in (other for other, _, _ in found):
            notes.add(place, "DUPLICATE", f"the value {key} stands twice")
        if value is not None and weight is not None:
            found.append((value, weight, place))
    return found


def _empirical(notes: Notes, raw: object, path: Path, given: str | None) -> Weighted:
    """`[value, …]` or `{csv: FILE, column: NAME}`, every value of weight 1."""
    sample: Sequence[object]
    if isinstance(raw, Mapping):
        sample = _column(notes, raw, path)
        if not sample:
            return []
    elif isinstance(raw, list | tuple):
        sample = raw
    else:
        expected = "a list of values or {csv: FILE, column: NAME}"
        notes.add(path, "TYPE", f"expected {expected}, got {units.describe(raw)}")
        return []
    found: Weighted = []
    for position, written in enumerate(sample):
        place = (*path, position)
        if isinstance(written, float) and not math.isfinite(written):
            notes.add(place, "RANGE", f"value {position + 1} is not finite")
            continue
        value = notes.number(written, place, notes.field.unit, given)
        if value is not None:
            found.append((value, 1.0, place))
    return found


def _column(notes: Notes, raw: Mapping[object, object], path: Path) -> list[object]:
    """The cells of a CSV column; empty where problems were noted."""
    for key in raw:
        if key not in ("csv", "column"):
            message = f"empirical takes no {str(key)!r}{suggest(str(key), ('csv', 'column'))}"
            notes.add((*path, str(key)), "UNKNOWN", message)
    file, name = raw.get("csv"), raw.get("column")
    if not isinstance(file, str) or not isinstance(name, str):
        notes.add(path, "REQUIRED", "empirical needs a list of values, or 'csv' and 'column', both texts")
        return []
    if notes.field.read_column is None:
        notes.add(path, "FILE", "files cannot be read here; write the values as a list")
        return []
    try:
        cells = [_number_or_text(cell) for cell in notes.field.read_column(file, name)]
    except UnitError as error:
        notes.add(path, error.code, error.message)
        return []
    if not cells:
        notes.add(path, "REQUIRED", f"column {name!r} of {file} has no values")
    return cells


def _number_or_text(cell: object) -> object:
    """A key or a cell of a CSV file: a number where it reads as one, else what stood there."""
    try:
        return float(cell) if isinstance(cell, str) else cell
    except ValueError:
        return cell
