"""Failures among parties that own shares of each other.

Source: Elliott, Golub and Jackson (2014), "Financial networks and contagion". With C[i, j] the share of party j that
party i owns and the rest owned outside, a party's value to its outside owners is A (assets), A = Chat (I - C)^-1, Chat
diagonal with the outside's shares. A party whose value is below its threshold fails, which costs assets of its own;
others' values fall with it, and so on in waves. Starting from no failure gives the fewest failures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError
from dcsim.network.arrays import SAME, Bools, Floats, Ints, amounts, fractions, lined_up, snapshots


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """Shapes (n,), or (S, n) for a batch."""

    values: Floats
    """Of each party to its outside owners, after all failures; may be negative."""
    wave: Ints
    """Round in which a party fails, from 1; 0 if it does not."""

    @property
    def failed(self) -> Bools:
        """Who fails."""
        return np.asarray(self.wave > 0)


def dependency(holdings: npt.ArrayLike) -> Floats:
    """A = Chat (I - C)^-1: the share of the column's assets that ends with the row's outside owners, (..., n, n).

    holdings: C, (..., n, n), shares of the column that the row owns. Raises UsageError unless shares are from 0 to 1,
    nobody owns a share of itself, and each party is owned outside in part.
    """
    owned = amounts("holdings", holdings)
    n = owned.shape[-1]
    if owned.ndim < 2 or owned.shape[-2] != n:
        raise UsageError("holdings: must be square")
    fractions("holdings", owned, owned.shape)
    if owned[..., np.arange(n), np.arange(n)].any():
        raise UsageError("holdings: a party owns itself")
    outside = 1 - owned.sum(axis=-2)
    if (outside <= 0).any():
        raise UsageError("holdings: a party has no owner outside")
    result: Floats = outside[..., :, None] * np.linalg.inv(np.eye(n) - owned)
    return result


def cascade(
    dependency: npt.ArrayLike, assets: npt.ArrayLike, threshold: npt.ArrayLike, failure_cost: npt.ArrayLike
) -> Cascade:
    """Failures in waves: who is below the threshold fails and loses its failure cost, until nobody new does.

    dependency: A, (n, n) or (S, n, n); assets, threshold, failure_cost: (n,) or (S, n). Raises UsageError for shapes
    that do not fit, negative or infinite amounts.
    """
    shares = amounts("dependency", dependency)
    if shares.ndim < 2 or shares.shape[-1] != shares.shape[-2]:
        raise UsageError("dependency: must be square")
    count = snapshots((shares, 2), (assets, 1), (threshold, 1), (failure_cost, 1))
    shape = (1 if count is None else count, shares.shape[-1])
    worth, least, cost = (
        lined_up(name, given, shape)
        for name, given in (("assets", assets), ("threshold", threshold), ("failure_cost", failure_cost))
    )
    wave = np.zeros(shape, dtype=np.intp)
    for round_ in range(1, shape[1] + 2):
        values = np.matmul(shares, np.where(wave > 0, worth - cost, worth)[..., None])[..., 0]
        new = (wave == 0) & (values < least * (1 - SAME))
        if not new.any():
            break
        wave[new] = round_
    return Cascade(values[0], wave[0]) if count is None else Cascade(values, wave)
