"""Draws of 256 replications at a time: one column a name, computed when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dcsim.engine.streams import Streams
from dcsim.errors import ModelError
from dcsim.quantity import Quantity
from dcsim.quantity.factors import own_weight
from dcsim.quantity.laws import Law
from dcsim.quantity.special import LARGEST_U, SMALLEST_U, special

Column = NDArray[np.float64]

MINUTES_PER_DAY: Final = 1440

LONGEST: Final = 10**15
"""Minutes that a longer duration is cut to (1.9 billion years): beyond any horizon, and exact in a float."""


def whole_minutes(days: float) -> int:
    """A duration in whole minutes, half up; a positive one is at least 1, a negative one 0, none above LONGEST."""
    if days <= 0.0:
        return 0
    minutes = days * MINUTES_PER_DAY + 0.5
    return min(max(int(minutes), 1), LONGEST) if minutes < LONGEST else LONGEST


class Driver(Protocol):
    """A risk-driver member, as `dcsim.quantity.drivers.DriverMember`."""

    @property
    def chance(self) -> float: ...
    @property
    def times(self) -> Quantity | None: ...
    @property
    def plus(self) -> Quantity | None: ...


class Columns:
    """The columns of one aligned block: replications first .. first + SIZE - 1.

    `values`, `minutes` and `uniforms` are what has been computed, as lists of Python numbers: the first two by the
    identity of the quantity, the last by name. Columns are what single draws would be, bit by bit.
    """

    SIZE: ClassVar[int] = 256

    __slots__ = (
        "_bases",
        "_driven",
        "_factors",
        "_kept",
        "drivers",
        "first",
        "minutes",
        "streams",
        "uniforms",
        "values",
    )

    def __init__(self, streams: Streams, block: int, drivers: Mapping[str, Driver]) -> None:
        self.streams = streams
        self.first = block * self.SIZE
        self.drivers = drivers
        self.values: dict[int, list[float]] = {}
        self.minutes: dict[int, list[int]] = {}
        self.uniforms: dict[str, list[float]] = {}
        self._kept: list[Quantity] = []  # an identity stays taken as long as its object lives
        self._bases: dict[tuple[str, Law, str, tuple[tuple[str, float], ...]], Column] = {}
        self._factors: dict[str, Column] = {}
        self._driven: dict[tuple[str, ...], tuple[Column, Column]] = {}

    def value_column(self, q: Quantity) -> list[float]:
        """The quantity's values, factors and drivers included."""
        if q.is_constant and not q.drivers:
            column = [q.value] * self.SIZE
        else:
            column = self._column(q, self.address_of(q)).tolist()
        self.values[id(q)] = column
        self._kept.append(q)
        return column

    def minute_column(self, q: Quantity) -> list[int]:
        """The quantity's values in whole minutes, as `whole_minutes`. Raises ModelError if its unit is not days."""
        check_days(q)
        if q.is_constant and not q.drivers:
            column = [whole_minutes(q.value)] * self.SIZE
        else:
            days = self._column(q, self.address_of(q))
            rounded = np.minimum(np.floor(days * MINUTES_PER_DAY + 0.5), LONGEST)
            column = np.where(days > 0.0, np.maximum(rounded, 1.0), 0.0).astype(np.int64).tolist()
        self.minutes[id(q)] = column
        self._kept.append(q)
        return column

    def uniform_column(self, name: str) -> list[float]:
        """The once-uniforms of a name."""
        column: list[float] = self.streams.block(name, self.first, self.SIZE).tolist()
        self.uniforms[name] = column
        return column

    def factor_column(self, address: str) -> Column:
        """A factor member's standard normals."""
        column = self._factors.get(address)
        if column is None:
            column = self._factors[address] = special().ndtri(self.streams.block(address, self.first, self.SIZE))
        return column

    def driver_columns(self, addresses: tuple[str, ...]) -> tuple[Column, Column]:
        """What the drivers that happen multiply by, all together, and what they then add."""
        known = self._driven.get(addresses)
        if known is not None:
            return known
        times, plus = np.ones(self.SIZE), np.zeros(self.SIZE)
        for address in addresses:
            driver = self.drivers.get(address)
            if driver is None:
                raise ModelError(f"no risk driver {address!r}")
            happens = self.streams.block(f"{address}.happens", self.first, self.SIZE) >= 1.0 - driver.chance
            if driver.times is not None:
                factor = self._column(driver.times, driver.times.address or f"{address}.times")
                times = times * np.where(happens, factor, 1.0)
            if driver.plus is not None:
                plus = plus + np.where(
                    happens, self._column(driver.plus, driver.plus.address or f"{address}.plus"), 0.0
                )
        self._driven[addresses] = times, plus
        return times, plus

    def address_of(self, q: Quantity) -> str:
        """The name that the quantity is drawn under. Raises ModelError for a law that was never bound to one."""
        address = q.address or q.path
        if not address and not q.is_constant:
            raise ModelError(f"{q} has no address to be drawn under")
        return address

    def _column(self, q: Quantity, address: str) -> Column:
        """Values with factors and drivers."""
        key = (address, q.law, q.worse, q.factors)
        column = self._bases.get(key)  # users of one epistemic quantity share it
        if column is None:
            column = self._bases[key] = self._drawn(q, address)
        if q.drivers:
            times, plus = self.driver_columns(q.drivers)
            with np.errstate(over="ignore"):  # said below, with the name
                column = column * times + plus
        if not bool(np.isfinite(column).all()):
            raise not_finite(q)
        return column

    def _drawn(self, q: Quantity, address: str) -> Column:
        if q.is_constant:
            return np.full(self.SIZE, q.value)
        u = self.streams.block(address, self.first, self.SIZE)
        if q.factors:
            z: Column = own_weight(q.factors) * special().ndtri(u)
            for name, load in q.factors:
                z = z + load * self.factor_column(name)
            u = np.minimum(np.maximum(special().ndtr(z), SMALLEST_U), LARGEST_U)
        return q.law.ppf(u if q.worse == "high" else 1.0 - u)


def check_days(q: Quantity) -> None:
    """Raises ModelError unless the quantity is a duration."""
    if q.unit != "days":
        raise ModelError(f"{q.path or q}: expected a duration, got a quantity in {q.unit}")


def not_finite(q: Quantity) -> ModelError:
    """The error of a draw beyond what a float holds: only drivers can bring a checked law there."""
    return ModelError(f"{q.path or q.address}: {q} and its drivers draw a number that is not finite")
