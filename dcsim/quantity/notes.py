"""Collecting what is wrong with one quantity while it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dcsim import units
from dcsim.quantity.families import LawError
from dcsim.quantity.field import Field
from dcsim.units import UnitError

Path = tuple[str | int, ...]
Problem = tuple[Path, str, str]
"""Where inside the quantity, a problem code, a message."""


class Notes:
    """The problems found so far, and the reading of single numbers that may add to them."""

    __slots__ = ("field", "problems")

    def __init__(self, field: Field) -> None:
        self.field = field
        self.problems: list[Problem] = []

    def add(self, path: Path, code: str, message: str) -> None:
        """Note one problem."""
        self.problems.append((path, code, message))

    def number(self, raw: object, path: Path, unit: str, given: str | None = None) -> float | None:
        """One number in `unit` (bare ones are in the unit text `given`), or None with a problem noted."""
        try:
            return units.parse(raw, unit, given)
        except UnitError as error:
            self.add(path, error.code, error.message)
            return None

    def given(self, raw: Mapping[object, object], path: Path) -> str | None:
        """The common unit of bare numbers in a mapping, checked here so that it is wrong once and not at each."""
        if "unit" not in raw:
            return None
        written, place = raw["unit"], (*path, "unit")
        if not isinstance(written, str):
            self.add(place, "TYPE", f"expected a unit, got {units.describe(written)}")
            return None
        try:
            units.scale(written, self.field.unit)
        except UnitError as error:
            self.add(place, error.code, error.message)
            return None
        return written

    def faults(self, error: LawError, path: Path, places: Sequence[Path] = ()) -> None:
        """Note what is wrong with a law at `path`, whose listed values stand at `places`."""
        for parameter, code, message in error.faults:
            if isinstance(parameter, int):
                self.add(places[parameter], code, message)
            else:
                self.add(path if parameter is None else (*path, parameter), code, message)
