"""The waves of fictitious default: who cannot pay, what they pay instead, who therefore cannot pay, and so on.

The method of `dcsim.network.clearing`, on S networks at a time. A wave's payments solve a piecewise linear system: each
piece has, for every party that is short, the class of its debt in which its next dollar goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dcsim.errors import ModelError
from dcsim.network.arrays import SAME, Bools, Floats, Ints

_HAIR: Final = 1e-9
_MOST_STEPS: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """S networks of n parties with K classes."""

    share: Floats
    """(S, K, n, n): of what row pays in this class, the share that column gets."""
    due: Floats
    """(S, K, n)."""
    leaves: Bools
    """(S, K, n): whether some of this class is owed to the outside, or it is empty."""
    floor: Floats
    """(S, K, n): due in the classes senior to this one."""
    total: Floats
    cash: Floats
    alpha: Floats
    beta: Floats
    failed: Bools
    """(S, n), as those above."""

    def rows(self, pick: Ints) -> Networks:
        """Some of the networks."""
        if len(pick) == len(self.cash):
            return self
        return Networks(*(getattr(self, name)[pick] for name in self.__slots__))

    def split(self, payments: Floats) -> Floats:
        """Payments by class, (S, K, n), of payments (S, n)."""
        return np.clip(payments[:, None, :] - self.floor, 0.0, self.due)

    def inflow(self, payments: Floats) -> Floats:
        """What each receives, (S, n)."""
        each: Floats = np.matmul(self.split(payments)[:, :, None, :], self.share)[:, :, 0, :].sum(axis=1)
        return each

    def left(self, payments: Floats) -> Floats:
        """What each could pay in default, (S, n)."""
        left: Floats = self.alpha * self.cash + self.beta * self.inflow(payments)
        return left


def fictitious_default(nets: Networks) -> tuple[Floats, Ints, Floats]:
    """Payments (S, n), waves (S, n) and the first wave's own shortfall (S,)."""
    payments = nets.total.copy()
    wave = np.where(nets.failed, 1, 0).astype(np.intp)
    short = np.zeros(nets.failed.shape, dtype=np.bool_)
    direct = np.zeros(len(payments))
    rows = np.arange(len(payments))
    round_ = 0
    while rows.size:
        round_ += 1
        part = nets.rows(rows)
        inflow = part.inflow(payments[rows])
        left = part.alpha * part.cash + part.beta * inflow
        # Who was set to fail pays out of what default leaves; the others default if they have less than they owe.
        have = np.where(part.failed, left, part.cash + inflow)
        new = ~short[rows] & (have < part.total * (1 - SAME))
        if round_ == 1:
            direct[rows] = np.where(new, part.total - left, 0.0).sum(axis=1)
        wave[rows] = np.where(new & (wave[rows] == 0), round_, wave[rows])
        more = new.any(axis=1)
        short[rows] |= new
        rows = rows[more]
        if rows.size:
            payments[rows] = _settle(nets.rows(rows), payments[rows], short[rows])
    return payments, wave, direct


def _settle(nets: Networks, payments: Floats, short: Bools) -> Floats:
    """The greatest payments at or below those given if `short` pay what they have and all others in full.

    Each step solves the linear piece in which the payments lie and moves towards its solution, but no further than to
    where the first party's payment leaves its class; from there the next piece goes on.
    """
    payments = payments.copy()
    rows = np.arange(len(payments))
    classes = nets.due.shape[1]
    for _ in range(_MOST_STEPS):
        if not rows.size:
            return payments
        part, now, who = nets.rows(rows), payments[rows], short[rows]
        if classes > 1:  # a plain step skips classes that are lost at once
            now = np.where(who, np.minimum(now, part.left(now)), now)
        # The class in which each is short: the most senior one whose top its payments do not exceed, but by rounding.
        tops = part.floor + part.due
        level = (tops[:, :-1] < (now - SAME * part.total)[:, None, :]).sum(axis=1)
        now = np.minimum(now, np.take_along_axis(tops, level[:, None, :], axis=1)[:, 0])
        floor = np.take_along_axis(part.floor, level[:, None, :], axis=1)[:, 0]
        gap = np.where(who, np.minimum(part.left(now) - now, 0.0), 0.0)
        change, drains = _correction(part, level, who, gap)
        goal = now + change
        leaves = who & (goal < floor) & (now > floor)
        reach = np.divide(now - floor, now - goal, out=np.ones_like(now), where=leaves)
        first = reach.min(axis=1, keepdims=True)
        moved = np.maximum(now + first * (goal - now), np.where(who, floor, now))
        payments[rows] = np.where(leaves & (reach <= first), floor, moved)
        rows = rows[leaves.any(axis=1) | drains]
    raise ModelError(f"clearing payments do not settle in {_MOST_STEPS} steps")


def _correction(nets: Networks, level: Ints, short: Bools, gap: Floats) -> tuple[Floats, Bools]:
    """The change (S, n), at most zero, after which the pieces of the short have no gap; (S,) whether that cannot be."""
    if nets.due.shape[1] == 1:
        return _closing(nets, level, short, gap, 1.0), np.zeros(len(gap), dtype=np.bool_)
    passed = np.take_along_axis(nets.share, level[:, None, :, None], axis=1)[:, 0]
    closed = _closed(nets, level, short, passed > 0)
    change = _closing(nets, level, short & ~closed, gap, 1.0)
    # Parties whose pieces leak nothing have no point to stop at: any gap drains them to the end of the piece, as it
    # would if they leaked a hair. But a gap of rounding is none, and they stay, for they have all that they pass on.
    gap = gap + np.matmul(change[:, None, :], passed)[:, 0, :]
    drained = closed & (gap < -SAME * nets.total)
    change += _closing(nets, level, closed, np.where(drained, gap, 0.0), 1 - _HAIR)
    return change, np.asarray(drained.any(axis=1))


def _closing(nets: Networks, level: Ints, short: Bools, gap: Floats, kept: float) -> Floats:
    """The change of the short that closes their gap, if a change is passed on among them to the part `kept`."""
    change = np.zeros_like(gap)
    counts = short.sum(axis=1)
    # One stack of equal systems for each number of short parties, so that a network's rounding is its own.
    for count in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == count)
        who = np.nonzero(short[rows])[1].reshape(len(rows), count)
        line = rows[:, None]
        passed = nets.share[line[:, :, None], level[line, who][:, :, None], who[:, :, None], who[:, None, :]]
        system = np.eye(count) - kept * nets.beta[line, who][:, :, None] * np.swapaxes(passed, 1, 2)
        change[line, who] = np.minimum(_solved(system, gap[line, who]), 0.0)
    return change


def _closed(nets: Networks, level: Ints, short: Bools, passes: Bools) -> Bools:
    """Who of the short (S, n) passes on all of its next dollar to parties from which nothing of it leaves either.

    It happens among classes only: whole debts of a closed ring cannot all be short. passes: (S, n, n), whether the
    row's next dollar goes to the column.
    """
    to_outside = np.take_along_axis(nets.leaves, level[:, None, :], axis=1)[:, 0]
    drains = to_outside | (passes & ~(short & (nets.beta == 1))[:, None, :]).any(axis=2)
    while True:
        more = drains | (passes & drains[:, None, :]).any(axis=2)
        if (more == drains).all():
            return np.asarray(short & ~drains)
        drains = more


def _solved(systems: Floats, right: Floats) -> Floats:
    """Solve a stack of systems (B, d, d) for right-hand sides (B, d)."""
    try:
        return np.asarray(np.linalg.solve(systems, right[..., None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(systems) > 1:
            return np.concatenate([_solved(systems[i : i + 1], right[i : i + 1]) for i in range(len(systems))])
        # A closed ring that is short by rounding alone: the least change is right for it.
        return np.asarray(np.linalg.lstsq(systems[0], right[0], rcond=None)[0][None], dtype=np.float64)
