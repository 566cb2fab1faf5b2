"""DebtRank: how much of a network's value is in distress because some of it is, before anybody defaults.

A party's distress h is the share of its equity that is lost; it grows by the share of its equity that each debtor's
new distress costs it: h_j(t+1) = min(1, h_j(t) + sum_i W_ij (h_i(t) - h_i(t-1))), h(1) = the shock, h(0) = 0. So every
bit of distress is passed on once, also around loops, as a geometric series that stops at 1. That is the form of
Bardoscia, Battiston, Caccioli and Caldarelli (2015), "DebtRank: a microscopic foundation for shock propagation"; the
older one of Battiston et al. (2012), "DebtRank: too central to fail?", lets a party pass on only its first distress and
so cuts loops. It is here to compare with published numbers.

Distress is marking to market: a debt loses value in proportion to its debtor's equity, so it may be large where
clearing at maturity finds no default at all; and it says nothing of who pays whom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError, UsageError
from dcsim.network.arrays import Floats, amounts, fractions, quotient


@dataclass(frozen=True, slots=True, eq=False)
class Distress:
    """Shapes (n,) and (), or (S, n) and (S,) for a batch."""

    shares: Floats
    """Distress of each party, 0 to 1."""
    debtrank: Floats
    """Value in distress beyond the shock: sum of value x (distress - shock)."""


def impact(liabilities: npt.ArrayLike, equity: npt.ArrayLike, loss_given_default: npt.ArrayLike = 1.0) -> Floats:
    """W: the share of the column's equity that is lost if the row's debt to it is worth nothing but its recovery.

    liabilities: (..., n, n), what row owes column; equity: (..., n); loss_given_default: a share, a single number or
    (n,) by debtor. Not cut at 1: half the distress of a debtor may cost all of a small creditor's equity. A party
    without equity gets zeros: give it a shock of 1.
    """
    owed = amounts("liabilities", liabilities)
    lost = fractions("loss_given_default", loss_given_default, (owed.shape[-1],))
    own = np.maximum(np.asarray(equity, dtype=np.float64), 0.0)
    return quotient(owed * lost[:, None], own[..., None, :], 0.0)


def debtrank(impact: npt.ArrayLike, value: npt.ArrayLike, shock: npt.ArrayLike, *, once: bool = False) -> Distress:
    """Distress and DebtRank after a shock.

    impact: (n, n) or (S, n, n), W of row on column; value: (n,) or (S, n), economic value of each party, usually as
    shares that add up to 1; shock: as value, distress at the start, 0 to 1. once: the 2012 form, in which a party
    passes on its distress in the step after it was first hit, and never again (and W is cut at 1, as there).

    Raises UsageError for shapes that do not fit or values out of range.
    """
    passes = amounts("impact", impact)
    worth = amounts("value", value)
    start = np.asarray(shock, dtype=np.float64)
    if passes.ndim < 2 or passes.shape[-1] != passes.shape[-2]:
        raise UsageError("impact: must be square")
    try:
        shape = np.broadcast_shapes(passes.shape[:-1], worth.shape, start.shape)
    except ValueError:
        raise UsageError("impact, value and shock: their shapes do not fit") from None
    first = fractions("shock", start, shape)
    shares = (_once if once else _series)(np.minimum(passes, 1.0) if once else passes, first)
    return Distress(shares, np.asarray((worth * (shares - first)).sum(axis=-1)))


def _series(passes: Floats, first: Floats) -> Floats:
    """Where the steps lead: h = min(1, first + W' h), which has one solution among those that distress reaches.

    From above: all of them at 1; who is thereby below 1 has the linear equation instead; and so on, at most n times.
    (Steps themselves may go on for ever: a ring that passes on everything fills up by a hair at a time.)
    """
    reached = first > 0
    while True:
        more = reached | ((reached[..., :, None] & (passes > 0)).any(axis=-2))
        if (more == reached).all():
            break
        reached = more
    shares = np.where(reached, 1.0, 0.0)
    below = ~reached
    one = np.eye(passes.shape[-1])
    arrives = np.swapaxes(passes, -1, -2)
    for _ in range(passes.shape[-1] + 1):
        total = first + np.matmul(arrives, shares[..., None])[..., 0]
        new = reached & ~below & (total < 1.0)
        if not new.any():
            return shares
        below = below | new
        linear = below & reached
        system = one - arrives * linear[..., :, None] * linear[..., None, :]
        fixed = np.where(linear, 0.0, shares)
        right = np.where(linear, first + np.matmul(arrives, fixed[..., None])[..., 0], fixed)
        shares = np.clip(np.linalg.solve(system, right[..., None])[..., 0], 0.0, 1.0)
    raise ModelError("distress does not settle")


def _once(passes: Floats, first: Floats) -> Floats:
    shares = first.copy()
    speaks = first > 0
    spoken = speaks.copy()
    while speaks.any():
        heard = np.matmul(np.where(speaks, shares, 0.0)[..., None, :], passes)[..., 0, :]
        shares = np.minimum(1.0, shares + heard)
        speaks = (shares > 0) & ~spoken
        spoken |= speaks
    return shares
