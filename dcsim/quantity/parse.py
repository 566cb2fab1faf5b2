"""Reading a quantity as a scenario writes it: a number, a text with a unit, a law, or a wrapper with meta keys.

    60 · 14 months · {triangular: {low: 9, mode: 12, high: 18, unit: months}, source: guess}
    {value: $1.6bn, range: [$0.5bn, $3bn], whatif: Guarantor's limit}
    {lognormal: {median: 40, p90: 80}, times: 1.5, plus: 30 days}

`times` and `plus` change the value or law that they stand beside: law * times + plus. `plus` may be a list, all added;
its bare numbers are in the field's own unit, whatever `unit` says. `value` may hold any of these forms again, so that
an edit of an edited quantity can be written `{value: <what was there>, times: 2}`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from dcsim import units
from dcsim.errors import printable, suggest
from dcsim.quantity.families import FAMILIES, LAW_NAMES
from dcsim.quantity.field import Field, ReadColumn, shown
from dcsim.quantity.laws import Constant, Law, edited
from dcsim.quantity.laws import constant as constant_law
from dcsim.quantity.meta import META_KEYS, read_meta
from dcsim.quantity.notes import Notes, Path, Problem
from dcsim.quantity.quantity import Quantity
from dcsim.quantity.read_law import read_law

VALUE_KEYS: Final = ("value", "constant")
EDIT_KEYS: Final = ("times", "plus")


class QuantityError(ValueError):
    """What is written is no quantity of its field; `problems` lists all that is wrong with it."""

    problems: list[Problem]

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(map(str, at))}: {message}" if at else message for at, _, message in self.problems)


def is_quantity(raw: object) -> bool:
    """Whether a mapping of a scenario is one quantity, which edits replace whole, and not a block of fields.

    That is one with `value` or `constant`, a law with its parameters, or nothing but `times` and `plus`.
    """
    if not isinstance(raw, Mapping) or not raw:
        return False
    if any(key in raw for key in VALUE_KEYS) or all(key in EDIT_KEYS for key in raw):
        return True
    return any(_is_law(name, raw[name]) for name in LAW_NAMES if name in raw)


def _is_law(name: str, inner: object) -> bool:
    """Whether `name: inner` is a law; an entry of a scenario may happen to be called `normal`."""
    family = FAMILIES.get(name)
    if family is None or not isinstance(inner, Mapping):
        return isinstance(inner, Mapping | list)
    return not inner or any(key in family.parameters for key in inner)


def parse_quantity(
    raw: object,
    unit: str,
    *,
    constant: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    exclusive: bool = False,
    whole: bool = False,
    worse: Literal["high", "low"] = "high",
    read_column: ReadColumn | None = None,
) -> Quantity:
    """The quantity that `raw` writes, in the canonical `unit`.

    `constant` refuses laws. `minimum` and `maximum` hold for a constant and for the ends of a law (`exclusive`: the
    ends themselves are refused where they can be drawn); a law without an upper end may have at most 1 % above
    `maximum`. `whole` wants whole numbers of constants and single values (an edited constant is rounded half up);
    other laws are rounded by whoever draws them. `read_column` reads `{empirical: {csv: FILE, column: NAME}}`.

    Raises QuantityError with every problem found.
    """
    notes = Notes(Field(unit, constant, minimum, maximum, exclusive, whole, worse, read_column))
    law, meta, changed = _read(notes, raw, ())
    if law is not None and not notes.problems:
        if changed and whole and isinstance(law, Constant):
            law = constant_law(math.floor(law.value + 0.5))
        for message in notes.field.misfits(law):
            notes.add((), "RANGE", message)
    if law is None or notes.problems:
        raise QuantityError(notes.problems)
    return Quantity(law, unit, worse=worse, **meta)


def _read(notes: Notes, raw: object, path: Path) -> tuple[Law | None, dict[str, Any], bool]:
    """Law (None: problems were noted), meta, and whether it was changed by an edit."""
    if not isinstance(raw, Mapping):
        value = notes.number(raw, path, notes.field.unit)
        return None if value is None else constant_law(value), {}, False
    before = len(notes.problems)
    bodies = [str(key) for key in raw if key in VALUE_KEYS or key in LAW_NAMES]
    changed = any(key in raw for key in EDIT_KEYS)
    _note_unknown_keys(notes, raw, bodies, path)
    given = notes.given(raw, path)
    meta = read_meta(notes, raw, path, given)
    if len(bodies) != 1:
        if bodies:
            both = " and ".join(f"'{key}'" for key in bodies)
            notes.add(path, "UNKNOWN", f"give one of {both}, not several")
        elif changed:
            notes.add(path, "EDIT", "'times' and 'plus' change a quantity, and there is none here to change")
        elif len(notes.problems) == before:
            notes.add(path, "REQUIRED", f"expected {units.DIMENSION_NAMES[notes.field.unit]}: a value or a law")
        return None, meta, changed
    body, below = bodies[0], (*path, bodies[0])
    inner = raw[body]
    law: Law | None = None
    if body not in VALUE_KEYS:
        if notes.field.constant:
            notes.add(below, "TYPE", f"must be a constant here, got the law '{body}'")
        else:
            law = read_law(notes, body, inner, below, given)
    elif isinstance(inner, Mapping):
        law, under, changed_below = _read(notes, inner, below)
        meta, changed = {**under, **meta}, changed or changed_below
    elif (value := notes.number(inner, below, notes.field.unit, given)) is not None:
        law = constant_law(value)
    return _edit(notes, law, raw, path), meta, changed


def _note_unknown_keys(notes: Notes, raw: Mapping[object, object], bodies: list[str], path: Path) -> None:
    known = (*VALUE_KEYS, *LAW_NAMES, *EDIT_KEYS, *META_KEYS)
    for key, inner in raw.items():
        if not isinstance(key, str):
            notes.add(path, "UNKNOWN", f"unknown key {key}; keys are text")
        elif key not in known:
            is_law = not bodies and isinstance(inner, Mapping | list)
            what, near = ("distribution", LAW_NAMES) if is_law else ("key", known)
            notes.add((*path, key), "UNKNOWN", f"unknown {what} '{printable(key)}'{suggest(key, near)}")


def _edit(notes: Notes, law: Law | None, raw: Mapping[object, object], path: Path) -> Law | None:
    """`law` changed by the `times` and `plus` that stand beside it; None where problems were noted."""
    before = len(notes.problems)
    times = notes.number(raw["times"], (*path, "times"), "number") if "times" in raw else 1.0
    if times is not None and times < 0.0:
        notes.add((*path, "times"), "RANGE", f"must be >= 0, got {shown(times)}")
    added = raw.get("plus", [])
    places: list[tuple[object, Path]] = [(added, (*path, "plus"))]
    if isinstance(added, list | tuple):
        places = [(item, (*path, "plus", index)) for index, item in enumerate(added)]
    amounts = [notes.number(item, place, notes.field.unit) for item, place in places]
    if law is None or times is None or len(notes.problems) > before:
        return None
    law = edited(law, times, math.fsum(amount for amount in amounts if amount is not None))
    if not all(map(math.isfinite, (law.bounds()[0], law.mean(), law.reach()))):
        notes.add(path, "RANGE", "must be finite after the change")
        return None
    return law
