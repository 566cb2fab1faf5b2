"""What a model asks of chance, for one replication: values, durations, gates, counts.

Every answer is a function of (seed, name, replication, occurrence) and of the quantity asked for, so the same question
has the same answer however often, in whatever order and in whichever process it is asked. A quantity is drawn under
its `address`; gates and counts under the name the model gives. `k` None is the one draw of the replication, k = 0, 1,
... is the k-th repeat (attempt, month, lot) of the entity that owns the name.

High uniforms are later, dearer or failed throughout: a quantity for which low is worse draws at 1 - u.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Protocol

from dcsim.engine.columns import Columns, Driver, check_days, not_finite, whole_minutes
from dcsim.engine.streams import PAGE, Streams
from dcsim.quantity import Quantity
from dcsim.quantity.counts import binomial_ppf, poisson_ppf
from dcsim.quantity.factors import own_weight
from dcsim.quantity.special import LARGEST_U, SMALLEST_U, special

Outcome = Literal["pass", "remedy", "fail"]
Factors = tuple[tuple[str, float], ...]
"""Addresses of factor members and the loadings on them."""

_TIE = 1e-12
"""Chances written as decimals that are equal may differ by this much after subtractions."""


class Draws(Protocol):
    """One replication's luck."""

    def value(self, q: Quantity, k: int | None = None) -> float:
        """The quantity's value, in its unit."""
        ...

    def minutes(self, q: Quantity, k: int | None = None) -> int:
        """A duration (unit days) in whole minutes, half up; a positive one is at least 1, a negative one 0."""
        ...

    def uniform(self, name: str, k: int | None = None, factors: Factors = ()) -> float:
        """A uniform strictly between 0 and 1; with `factors` correlated with all else that loads on them."""
        ...

    def fails(self, name: str, p: float, k: int | None = None, factors: Factors = ()) -> bool:
        """Whether a gate that fails with chance `p` does: u >= 1 - p."""
        ...

    def outcome(self, name: str, remedy: float, fail: float, k: int | None = None, factors: Factors = ()) -> Outcome:
        """Which of three ways a gate goes: the highest uniforms fail, those below need a remedy, the rest pass."""
        ...

    def poisson(self, name: str, mean: float, k: int | None = None) -> int:
        """A Poisson count, by inverse of one uniform."""
        ...

    def binomial(self, name: str, n: int, p: float, k: int | None = None) -> int:
        """How many of `n` meet a chance of `p`, by inverse of one uniform."""
        ...


class RandomDraws:
    """The draws of one replication, read off the columns of its block. Build with `Sampler.replication`.

    A look-up after the first in a block is a dictionary hit and an index. Quantities are recognised by identity: ask
    with the same object each time, and keep an edited quantity instead of editing it anew.
    """

    __slots__ = ("_columns", "_lane", "_minutes", "_pages", "_uniforms", "_values", "replication")

    def __init__(self, columns: Columns, replication: int) -> None:
        self.replication = replication
        self._columns = columns
        self._lane = replication - columns.first
        self._values = columns.values
        self._minutes = columns.minutes
        self._uniforms = columns.uniforms
        self._pages: dict[tuple[str, int], list[float]] = {}

    def value(self, q: Quantity, k: int | None = None) -> float:
        if k is not None and q.kind == "aleatory" and not q.is_constant:
            return self._repeated(q, k)
        column = self._values.get(id(q))
        if column is None:
            column = self._columns.value_column(q)
        return column[self._lane]

    def minutes(self, q: Quantity, k: int | None = None) -> int:
        if k is not None and q.kind == "aleatory" and not q.is_constant:
            check_days(q)
            return whole_minutes(self._repeated(q, k))
        column = self._minutes.get(id(q))
        if column is None:
            column = self._columns.minute_column(q)
        return column[self._lane]

    def uniform(self, name: str, k: int | None = None, factors: Factors = ()) -> float:
        u = self._uniform(name, k)
        return self._correlated(u, factors) if factors else u

    def fails(self, name: str, p: float, k: int | None = None, factors: Factors = ()) -> bool:
        return self.uniform(name, k, factors) >= 1.0 - p

    def outcome(self, name: str, remedy: float, fail: float, k: int | None = None, factors: Factors = ()) -> Outcome:
        u = self.uniform(name, k, factors)
        if u >= 1.0 - fail:
            return "fail"
        return "remedy" if u >= 1.0 - fail - remedy else "pass"

    def poisson(self, name: str, mean: float, k: int | None = None) -> int:
        return poisson_ppf(self._uniform(name, k), mean)

    def binomial(self, name: str, n: int, p: float, k: int | None = None) -> int:
        return binomial_ppf(self._uniform(name, k), n, p)

    def _uniform(self, name: str, k: int | None) -> float:
        if k is None:
            column = self._uniforms.get(name)
            if column is None:
                column = self._columns.uniform_column(name)
            return column[self._lane]
        page, at = divmod(k, PAGE)
        key = (name, page)
        repeats = self._pages.get(key)
        if repeats is None:
            repeats = self._pages[key] = self._columns.streams.page(name, self.replication, page)
        return repeats[at]

    def _correlated(self, u: float, factors: Factors) -> float:
        """The same arithmetic, in the same order, as Columns uses for a whole column."""
        z = own_weight(factors) * float(special().ndtri(u))
        for address, load in factors:
            z = z + load * float(self._columns.factor_column(address)[self._lane])
        return min(max(float(special().ndtr(z)), SMALLEST_U), LARGEST_U)

    def _repeated(self, q: Quantity, k: int) -> float:
        u = self._uniform(self._columns.address_of(q), k)
        if q.factors:
            u = self._correlated(u, q.factors)
        value = q.law.quantile(u if q.worse == "high" else 1.0 - u)
        if q.drivers:
            times, plus = self._columns.driver_columns(q.drivers)
            value = value * float(times[self._lane]) + float(plus[self._lane])
        if not math.isfinite(value):
            raise not_finite(q)
        return value


class Sampler:
    """Hands out the draws of replications, sharing the columns of a block of 256 among those that lie in it.

    `drivers` are the risk-driver members by address. Ask for replications in rising order: going back to an earlier
    block computes its columns again, to the same numbers. An override of `streams` is honoured from the next
    replication on. Not for several threads at once.
    """

    __slots__ = ("_columns", "_version", "drivers", "streams")

    def __init__(self, streams: Streams, drivers: Mapping[str, Driver] | None = None) -> None:
        self.streams = streams
        self.drivers = drivers or {}
        self._columns: Columns | None = None
        self._version = streams.version

    def replication(self, r: int) -> RandomDraws:
        """The draws of replication `r` (from 0)."""
        columns = self._columns
        if (
            columns is None
            or not columns.first <= r < columns.first + Columns.SIZE
            or self._version != self.streams.version
        ):
            columns = self._columns = Columns(self.streams, r // Columns.SIZE, self.drivers)
            self._version = self.streams.version
        return RandomDraws(columns, r)


class PlanDraws:
    """The plan: every quantity at its median, gates at their likelier side, no drivers, factors at zero.

    A gate fails if that is likelier than not; one that does not fail needs a remedy if that is likelier than passing
    at once; ties pass. Counts are their means, rounded half up; uniforms are one half. This is not the median outcome.
    """

    __slots__ = ("_kept", "_values")

    def __init__(self) -> None:
        self._values: dict[int, float] = {}
        self._kept: list[Quantity] = []  # an identity stays taken as long as its object lives

    def value(self, q: Quantity, k: int | None = None) -> float:
        median = self._values.get(id(q))
        if median is None:
            median = self._values[id(q)] = q.median
            self._kept.append(q)
        return median

    def minutes(self, q: Quantity, k: int | None = None) -> int:
        check_days(q)
        return whole_minutes(self.value(q))

    def uniform(self, name: str, k: int | None = None, factors: Factors = ()) -> float:
        return 0.5

    def fails(self, name: str, p: float, k: int | None = None, factors: Factors = ()) -> bool:
        return p > 0.5

    def outcome(self, name: str, remedy: float, fail: float, k: int | None = None, factors: Factors = ()) -> Outcome:
        if fail > 0.5:
            return "fail"
        return "remedy" if remedy > 1.0 - fail - remedy + _TIE else "pass"

    def poisson(self, name: str, mean: float, k: int | None = None) -> int:
        return math.floor(mean + 0.5)

    def binomial(self, name: str, n: int, p: float, k: int | None = None) -> int:
        return math.floor(n * p + 0.5)
