"""What a field asks of its quantity, and whether a law keeps to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dcsim import units
from dcsim.quantity.bounded import Steps
from dcsim.quantity.laws import Constant, Law

ReadColumn = Callable[[str, str], Sequence[object]]
"""Gives the values in a column of a CSV file, or raises UnitError (a code and a message)."""

RESOLUTION_DAYS: Final = 0.5 / 1440
"""Durations below half a minute round to nothing."""

MOST_BEYOND: Final = 0.01
"""A law without an upper end is refused where more than this share lies above the field's maximum."""


@dataclass(frozen=True, slots=True)
class Field:
    """Unit and bounds of a field; see `dcsim.quantity.parse.parse_quantity`."""

    unit: str
    constant: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    whole: bool = False
    worse: Literal["high", "low"] = "high"
    read_column: ReadColumn | None = None

    def out_of_bounds(self, value: float, *, drawn: bool = True) -> str | None:
        """What is wrong with one value; `drawn` False for an end that a law comes near to but never draws."""
        low, high = self.minimum, self.maximum
        strict = self.exclusive and drawn
        below = low is not None and (value < low or (strict and value == low))
        above = high is not None and (value > high or (strict and value == high))
        if not (below or above):
            return None
        if self.unit == "fraction" and low == 0 and high == 1:
            hint = f"; did you mean {shown(value / 100)}?" if 2 <= value <= 100 else ""
            return f"must be {'strictly ' if self.exclusive else ''}between 0 and 1, got {shown(value)}{hint}"
        if below:
            return f"must be {'>' if self.exclusive else '>='} {shown(low or 0.0)}, got {shown(value)}"
        word = "must be below" if strict and value == high else "above"
        return f"{word} the limit {self._maximum()}, got {shown(value)}"

    def misfits(self, law: Law) -> Iterator[str]:
        """What is wrong with a law here: ends out of bounds, parts of racks, less than a minute."""
        single = isinstance(law, Constant)
        low, high = law.bounds()
        if wrong := self.out_of_bounds(low, drawn=law.has_atoms()):
            yield wrong if single else f"its lowest value {wrong}"
        elif math.isinf(high):
            if wrong := self._beyond(law):
                yield wrong
        elif not single and (wrong := self.out_of_bounds(high, drawn=law.has_atoms())):
            yield f"its highest value {wrong}"
        values = law.values if isinstance(law, Steps) else (low,) if single else ()
        if self.whole and (parts := [value for value in values if value != math.floor(value)]):
            yield f"must be a whole number, got {shown(parts[0])}"
        if self.unit == "days" and 0.0 < (typical := law.mean()) < RESOLUTION_DAYS:
            yield f"{'' if single else 'on average '}below the time resolution (one minute), got {typical:.3g} days"

    def _beyond(self, law: Law) -> str | None:
        """What is wrong with a law without an upper end in a field that has one."""
        if self.maximum is None or law.reach() <= self.maximum or (share := law.sf(self.maximum)) <= MOST_BEYOND:
            return None
        return f"lies above the limit {self._maximum()} with probability {100 * share:.2g} %, more than 1 %"

    def _maximum(self) -> str:
        return f"{shown(self.maximum or 0.0)} {units.CANONICAL[self.unit]}".rstrip()


def shown(value: float) -> str:
    """A number in a message."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
