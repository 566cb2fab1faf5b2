"""Who stands to lose how much on whom: exposures, concentration, a guarantor's cover over time, tails of losses.

Money is in any one unit, times are in any one unit of the caller (minutes, months, years).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError
from dcsim.network.arrays import Bools, Floats, amounts, lined_up, quotient


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """Each (..., n, n), of the column on the row: debtor to creditor, obligor to guarantor."""

    gross: Floats
    """Claims as they stand."""
    net: Floats
    """Claims less what the creditor owes the debtor in turn and less collateral, never below zero."""
    contingent: Floats
    """What the column would pay if the row did not: guarantees given, undrawn."""

    @property
    def total(self) -> Floats:
        """Net and contingent."""
        return self.net + self.contingent


def exposures(claims: npt.ArrayLike, cover: npt.ArrayLike = 0.0, collateral: npt.ArrayLike = 0.0) -> Exposures:
    """Gross, net and contingent exposures.

    claims: (..., n, n), what row owes column. cover: same shape, what column guarantees of row's debts, up to the
    lesser of cap and remaining obligation. collateral: same shape, what column holds of row's; it goes first against
    the netted claim, and what is left of it against the cover. Raises UsageError for shapes that do not fit, negative
    or infinite amounts.
    """
    gross = amounts("claims", claims)
    if gross.ndim < 2 or gross.shape[-1] != gross.shape[-2]:
        raise UsageError("claims: must be square")
    contingent = lined_up("cover", cover, gross.shape)
    held = lined_up("collateral", collateral, gross.shape)
    netted = np.maximum(gross - np.swapaxes(gross, -1, -2), 0.0)
    left = np.maximum(held - netted, 0.0)
    return Exposures(gross, np.maximum(netted - held, 0.0), np.maximum(contingent - left, 0.0))


def vendor_exposure(financing: npt.ArrayLike, guarantees: npt.ArrayLike, collected: npt.ArrayLike) -> Floats:
    """A supplier's netted exposure: financing outstanding + guarantees - cash collected; negative if it is ahead."""
    stake = amounts("financing", financing) + amounts("guarantees", guarantees)
    result: Floats = stake - amounts("collected", collected)
    return result


def herfindahl(parts: npt.ArrayLike) -> Floats:
    """Herfindahl-Hirschman index, 0 to 1: the sum of squared shares of parts (..., n); nan where all are zero."""
    listed = amounts("parts", parts)
    return np.asarray((quotient(listed, listed.sum(axis=-1, keepdims=True), np.nan) ** 2).sum(axis=-1))


def effective_number(parts: npt.ArrayLike) -> Floats:
    """1 / HHI: how many equal parts would be as concentrated."""
    return np.asarray(1 / herfindahl(parts))


def top_share(parts: npt.ArrayLike, count: int = 1) -> Floats:
    """Share of the `count` largest of parts (..., n); nan where all are zero."""
    if count < 1:
        raise UsageError("count: must be at least 1")
    listed = np.sort(amounts("parts", parts), axis=-1)
    return quotient(listed[..., -count:].sum(axis=-1), listed.sum(axis=-1), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Terms of a guarantor's g guarantees: each (g,), a single number, or (S, g) for a batch."""

    amount: npt.ArrayLike
    """The cap before any step-down."""
    signed: npt.ArrayLike
    """From when it counts: signing, or the reservation before it."""
    effective: npt.ArrayLike
    """From when it can be called; a step-down runs from here."""
    ends: npt.ArrayLike = np.inf
    """From when it no longer stands."""
    amortises: npt.ArrayLike = np.inf
    """Time in which the cap falls to zero in a straight line; inf for a flat cap."""

    def cap(self, times: npt.ArrayLike) -> Floats:
        """The cap of each guarantee at each time, (..., g, T), before signing and after the end too."""
        clock, (amount, effective, amortises) = self._over(times, self.amount, self.effective, self.amortises)
        if (amortises <= 0).any():
            raise UsageError("amortises: must be above zero")
        left: Floats = np.clip(1 - np.maximum(clock - effective, 0.0) / amortises, 0.0, 1.0)
        return amount * left

    def standing(self, times: npt.ArrayLike) -> tuple[Bools, Bools]:
        """Whether each is signed, and whether it can be called, at each time: (..., g, T) both."""
        clock, (signed, effective, ends) = self._over(times, self.signed, self.effective, self.ends)
        stands = (clock >= signed) & (clock < ends)
        return stands, stands & (clock >= effective)

    @staticmethod
    def _over(times: npt.ArrayLike, *terms: npt.ArrayLike) -> tuple[Floats, list[Floats]]:
        listed = [np.atleast_1d(np.asarray(term, dtype=np.float64))[..., None] for term in terms]
        if any(np.isnan(term).any() for term in listed):
            raise UsageError("terms: must be numbers")
        return np.atleast_1d(np.asarray(times, dtype=np.float64)), listed


@dataclass(frozen=True, slots=True, eq=False)
class CoverTimeline:
    """A guarantor's cover at given times, each (..., T)."""

    times: Floats
    committed: Floats
    """All that is signed or reserved and has not ended."""
    active: Floats
    """The part that can be called."""
    headroom: Floats
    """Limit less committed; negative above the limit."""
    over_limit: Bools

    @property
    def peak(self) -> Floats:
        """The largest committed cover, (...)."""
        return np.asarray(self.committed.max(axis=-1))

    @property
    def first_over(self) -> Floats:
        """The first of the times at which the limit is exceeded, (...); inf if never."""
        return np.asarray(np.where(self.over_limit, self.times, np.inf).min(axis=-1))

    @property
    def integral(self) -> Floats:
        """Committed cover times time, (...), each value held until the next of the times."""
        return np.asarray((self.committed[..., :-1] * np.diff(self.times)).sum(axis=-1))


def cover_timeline(
    cover: Cover, limit: npt.ArrayLike, times: npt.ArrayLike, remaining: npt.ArrayLike = np.inf
) -> CoverTimeline:
    """Committed and active cover, and headroom under the limit, at rising `times` (T,).

    limit: a single number or (..., T); inf for none. remaining: what is left of each covered obligation, (..., g, T)
    or what broadcasts to it; a guarantee counts with the lesser of it and its cap.
    """
    clock = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if (np.diff(clock) < 0).any():
        raise UsageError("times: must rise")
    stands, callable_ = cover.standing(clock)
    cap = np.minimum(cover.cap(clock), np.asarray(remaining, dtype=np.float64))
    committed = np.where(stands, cap, 0.0).sum(axis=-2)
    active = np.where(callable_, cap, 0.0).sum(axis=-2)
    headroom = np.asarray(limit, dtype=np.float64) - committed
    return CoverTimeline(clock, committed, active, headroom, headroom < 0)


def value_at_risk(losses: npt.ArrayLike, level: float) -> Floats:
    """The lower quantile: the smallest loss that at least a share `level` of the losses (..., N) do not exceed."""
    ordered, rank, _ = _tail(losses, level)
    return np.asarray(ordered[..., rank - 1])


def expected_shortfall(losses: npt.ArrayLike, level: float) -> Floats:
    """Mean of the worst 1 - level of equally likely losses (..., N), splitting the loss at the quantile.

    Acerbi and Tasche (2002), "On the coherence of expected shortfall". At least value_at_risk at the same level.
    """
    ordered, rank, exact = _tail(losses, level)
    at = (rank - exact) * ordered[..., rank - 1]
    return np.asarray((ordered[..., rank:].sum(axis=-1) + at) / (ordered.shape[-1] - exact))


def tail_contributions(losses: npt.ArrayLike, level: float) -> Floats:
    """E[loss of k | total loss >= its value at risk], (k,), of losses (N, k) in N equally likely cases.

    Adds up to the mean total loss at or above the value at risk, which is below the expected shortfall where several
    cases tie at the quantile.
    """
    parts = np.asarray(losses, dtype=np.float64)
    if parts.ndim != 2:
        raise UsageError("losses: must have 2 axes, cases and parts")
    total = parts.sum(axis=1)
    return np.asarray(parts[total >= value_at_risk(total, level)].mean(axis=0))


def _tail(losses: npt.ArrayLike, level: float) -> tuple[Floats, int, float]:
    """Losses in order, the rank of the quantile (from 1), and level x N."""
    listed = np.asarray(losses, dtype=np.float64)
    if not listed.ndim or not listed.shape[-1] or not np.isfinite(listed).all():
        raise UsageError("losses: must be finite numbers, at least one")
    if not 0 < level < 1:
        raise UsageError(f"level: must be between 0 and 1, got {level}")
    # 0.07 x 100 is 7.000000000000001, whose ceiling is not the rank that is meant.
    exact = round(level * listed.shape[-1], 9)
    return np.sort(listed, axis=-1), max(math.ceil(exact), 1), exact
