"""Arrays over parties: one network, or many of equal shape along axis 0 (snapshots), checked and lined up."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Bools: TypeAlias = npt.NDArray[np.bool_]
_Scalar = TypeVar("_Scalar", bound=np.generic)
Party = TypeVar("Party", bound=Hashable)

SAME = 1e-12
"""Relative difference below which two amounts count as equal, so that who can just pay does not default by rounding."""


def matrix(edges: Iterable[tuple[Party, Party, float]], parties: Sequence[Party]) -> Floats:
    """Amounts of edges (from, to, amount) as a matrix over `parties`; parallel edges add up.

    Returns shape (n, n), row = from, column = to. Raises UsageError for an edge with a party that is not listed.
    """
    place = {party: i for i, party in enumerate(parties)}
    total = np.zeros((len(parties), len(parties)))
    for source, target, amount in edges:
        for party in (source, target):
            if party not in place:
                raise UsageError(f"an edge names {party!r}, which is not among the parties")
        total[place[source], place[target]] += amount
    return total


def amounts(name: str, values: npt.ArrayLike) -> Floats:
    """Values as floats. Raises UsageError unless all are finite and none is negative."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all() or (array < 0).any():
        raise UsageError(f"{name}: must be finite and not negative")
    return array


def lined_up(name: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Amounts in `shape`, repeated along axes that they lack. Raises UsageError if they do not fit."""
    return _fitted(name, amounts(name, values), shape)


def fractions(name: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Shares from 0 to 1 in `shape`, repeated along axes that they lack. Raises UsageError otherwise."""
    array = lined_up(name, values, shape)
    if (array > 1).any():
        raise UsageError(f"{name}: must be between 0 and 1")
    return array


def flags(name: str, values: npt.ArrayLike | None, shape: tuple[int, ...]) -> Bools:
    """Truth values in `shape`; none set if `values` is None. Raises UsageError if they are not truth values."""
    if values is None:
        return np.zeros(shape, dtype=np.bool_)
    array = np.asarray(values)
    if array.dtype != np.bool_:
        raise UsageError(f"{name}: must be truth values, one for each party")
    return _fitted(name, array, shape)


def snapshots(*given: tuple[npt.ArrayLike | None, int]) -> int | None:
    """Length of a batch: of the first array with more axes than it has for one network; None if there is none.

    given: arrays, each with its number of axes for one network.
    """
    for values, axes in given:
        if values is not None and np.ndim(values) > axes:
            return int(np.shape(values)[0])
    return None


def _fitted(name: str, array: npt.NDArray[_Scalar], shape: tuple[int, ...]) -> npt.NDArray[_Scalar]:
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise UsageError(f"{name}: has shape {array.shape}, expected {shape}") from None


def quotient(above: Floats, below: Floats, otherwise: float) -> Floats:
    """above / below, and `otherwise` where `below` is zero."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    result: Floats = np.divide(above, below, out=np.full(shape, otherwise), where=below != 0)
    return result


class ColumnSum:
    """Adds columns by a number that each carries, always in the same order."""

    def __init__(self, place: Ints, size: int) -> None:
        inside = np.flatnonzero(place >= 0)
        self._order = inside[np.argsort(place[inside], kind="stable")]
        self._present, self._starts = np.unique(place[self._order], return_index=True)
        self._size = size

    def total(self, values: Floats) -> Floats:
        """(S, columns) to (S, size)."""
        total = np.zeros((len(values), self._size))
        if self._present.size:
            total[:, self._present] = np.add.reduceat(values[:, self._order], self._starts, axis=1)
        return total
