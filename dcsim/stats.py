"""Estimates from replications, each with its Monte Carlo interval or the word that there is none.

Intervals are two-sided at `confidence` (0.95 unless said otherwise) and assume replications that are independent of
each other. A value that was not reached is `inf`: it takes part in quantiles and shares as what it is, later than all
others, and makes a mean impossible.

Sources: order-statistic intervals, Hahn and Meeker, Statistical Intervals (1991), ch. 5; score interval, Wilson (1927);
exact interval, Clopper and Pearson (1934); sequential relative precision, Law, Simulation Modeling and Analysis, 9.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Sample = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 1000
"""How often a bootstrap draws the replications again."""

FEW_FOR_MEAN: Final = 30
"""Below so many replications a t-interval on skewed results covers less than it says (88 % at 5, 93 % at 30)."""


@dataclass(frozen=True, slots=True)
class TooFew:
    """In place of an interval: there are `n` replications and it takes `needed`."""

    n: int
    needed: int

    def __str__(self) -> str:
        return f"too few replications for an interval ({self.n}; it takes {self.needed})"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number from `n` replications between `low` and `high`.

    Both are None where there are too few replications for an interval, and `note` says so; `note` may also carry a
    warning about an interval that there is. `value`, `low` and `high` may be `inf` for what was not reached.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Order statistics, counted from 1, that enclose a quantile with probability `coverage`.

    The interval is [x_(lower), x_(upper)] and exists only if both ranks do (`defined`).
    """

    lower: int
    upper: int
    coverage: float
    n: int

    @property
    def defined(self) -> bool:
        return self.lower >= 1 and self.upper <= self.n


# ---- quantiles ----------------------------------------------------------------------------------------------------


def quantile_ranks(n: int, q: float, confidence: float = CONFIDENCE) -> Ranks:
    """Equal-tailed distribution-free ranks for quantile `q` of `n` values: binomial points, whatever the law."""
    _check_share(q, "q")
    from scipy.special import bdtr

    tail = (1 - confidence) / 2
    lower = _binomial_point(tail, n, q)
    upper = _binomial_point(1 - tail, n, q) + 1
    below = float(bdtr(lower - 1, n, q)) if lower else 0.0
    return Ranks(lower, upper, float(bdtr(upper - 1, n, q)) - below, n)


def _binomial_point(p: float, n: int, q: float) -> int:
    """The least k with P(Bin(n, q) <= k) >= p."""
    from scipy.special import bdtr

    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if bdtr(middle, n, q) >= p:
            high = middle
        else:
            low = middle + 1
    return low


def needed_for_quantile(q: float, confidence: float = CONFIDENCE) -> int:
    """The least number of replications with an interval for quantile `q`: 36 for P10 and P90, 368 for P99."""
    _check_share(q, "q")
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(q, 1 - q)))


def quantile_index(n: int, q: float) -> int:
    """Position, from 0, of the estimate of quantile `q` among `n` sorted values: the ceil(n q)-th of them.

    It is a value that occurred (no interpolation between a date and "never") and lies within its interval.
    """
    _check_share(q, "q")
    return min(max(math.ceil(n * q - 1e-9), 1), n) - 1


def quantile(values: Sample, q: float, confidence: float = CONFIDENCE) -> Estimate:
    """Quantile `q` of `values`, `inf` allowed, with its order-statistic interval.

    Raises `ValueError` for no values, for NaN, and for a `q` not between 0 and 1.
    """
    return column_quantiles(np.asarray(values, np.float64).reshape(-1, 1), [q], confidence)[0][0]


def column_quantiles(matrix: Floats, qs: Sequence[float], confidence: float = CONFIDENCE) -> list[list[Estimate]]:
    """Quantiles of every column of a (replications x columns) matrix: a list by column of lists by `q`."""
    n = len(matrix)
    if not n:
        raise ValueError("a quantile of no replications was asked for")
    if np.isnan(matrix).any():
        raise ValueError("a quantile of values that are not numbers was asked for")
    ordered = np.sort(matrix, axis=0)
    columns: list[list[Estimate]] = [[] for _ in range(matrix.shape[1])]
    for q in qs:
        ranks = quantile_ranks(n, q, confidence)
        note = "" if ranks.defined else str(TooFew(n, needed_for_quantile(q, confidence)))
        middle = ordered[quantile_index(n, q)].tolist()
        if ranks.defined:
            lows, highs = ordered[ranks.lower - 1].tolist(), ordered[ranks.upper - 1].tolist()
        else:
            lows = highs = [None] * len(middle)
        for column, value, low, high in zip(columns, middle, lows, highs, strict=True):
            column.append(Estimate(value, low, high, n, note))
    return columns


# ---- shares -------------------------------------------------------------------------------------------------------


def wilson(count: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval for a share of `count` in `n`: near its confidence on average."""
    _check_count(count, n)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, square = count / n, z * z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return (0.0 if count == 0 else max(0.0, centre - half)), (1.0 if count == n else min(1.0, centre + half))


def clopper_pearson(count: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's interval for a share of `count` in `n`: at least its confidence, always."""
    _check_count(count, n)
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
    return low, high


def at_most(n: int, confidence: float = CONFIDENCE) -> float:
    """One-sided bound on the chance of what never happened in `n` replications: 1 - (1 - confidence)^(1/n)."""
    _check_count(0, n)
    return -math.expm1(math.log1p(-confidence) / n)


def share(count: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """The share of `count` in `n` replications with Wilson's interval.

    What never happened is no 0 %, and what always did no 100 %: `note` then says "0 of n, at most x", with the exact
    one-sided bound, which is also the interval's open end.
    """
    low, high = wilson(count, n, confidence)
    note = ""
    if count == 0:
        high = at_most(n, confidence)
        note = f"0 of {n}, at most {high:.2g}"
    elif count == n:
        low = 1 - at_most(n, confidence)
        note = f"{n} of {n}, at least {math.floor(low * 1e6) / 1e6:g}"
    return Estimate(count / n, low, high, n, note)


def joint_share(
    first: Sample, second: Sample, most: tuple[float, float], confidence: float = CONFIDENCE
) -> Estimate:
    """The share of replications in which the first value is at most `most[0]` and the second at most `most[1]`.

    `inf` is more than anything, `most` itself included. Entry r of both belongs to replication r. Raises `ValueError`
    for no values, NaN, and samples of different lengths.
    """
    pairs = np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    limits = np.asarray(most, np.float64)
    if not pairs.shape[1] or np.isnan(pairs).any() or np.isnan(limits).any():
        raise ValueError("a joint share takes replications whose values are numbers")
    both = (np.isfinite(pairs) & (pairs <= limits[:, None])).all(axis=0)
    return share(int(both.sum()), pairs.shape[1], confidence)


# ---- means --------------------------------------------------------------------------------------------------------


def mean(values: Sample, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of finite values with Student's interval; below 30 replications the note warns of skewness.

    Raises `ValueError` for no values, and for any that is infinite (a mean of what was reached alone would flatter) or
    not a number.
    """
    sample = np.asarray(values, np.float64)
    n = len(sample)
    if not n:
        raise ValueError("a mean of no replications was asked for")
    if not np.isfinite(sample).all():
        raise ValueError("a mean of values that were not all reached was asked for; take a quantile")
    value = float(sample.mean())
    if n == 1:
        return Estimate(value, None, None, n, str(TooFew(n, 2)))
    half = _student(n, confidence) * float(sample.std(ddof=1)) / math.sqrt(n)
    note = "" if n >= FEW_FOR_MEAN else f"fewer than {FEW_FOR_MEAN} replications: too narrow if results are skewed"
    return Estimate(value, value - half, value + half, n, note)


def paired_difference(values: Sample, base: Sample, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of `values` less `base`, replication by replication, with the paired t-interval.

    Meant for common random numbers: entry r of both belongs to replication r. Raises `ValueError` as `mean` does, and
    for samples of different lengths.
    """
    first, second = np.asarray(values, np.float64), np.asarray(base, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} values cannot be paired with {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a difference of values that were not all reached was asked for")
    return mean(first - second, confidence)


def quantile_difference(
    values: Sample, base: Sample, q: float = 0.5, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Estimate:
    """Quantile `q` of `values` less that of `base`, `inf` allowed, with a paired bootstrap interval.

    Replications are drawn again with their pairs, always the same way, and the interval holds the middle of the
    differences found. Entry r of both belongs to replication r. Where neither quantile is reached the difference is
    NaN, and in a resample it counts as anything: the interval is then open on both sides.

    Raises `ValueError` for no values, NaN, samples of different lengths, and a `q` not between 0 and 1. Source: Efron
    and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    pairs = np.stack([np.asarray(values, np.float64), np.asarray(base, np.float64)])
    n = pairs.shape[1]
    if not n or np.isnan(pairs).any():
        raise ValueError("a difference of quantiles takes replications whose values are numbers")
    at = quantile_index(n, q)

    def difference(drawn: Floats) -> Floats:
        first, second = np.partition(drawn, at, axis=-1)[..., at]
        with np.errstate(invalid="ignore"):
            return np.asarray(first - second, np.float64)

    value = float(difference(pairs))
    if n < FEW_FOR_MEAN:
        return Estimate(value, None, None, n, str(TooFew(n, FEW_FOR_MEAN)))
    generator = np.random.Generator(np.random.Philox(1))
    at_once = max(1, min(resamples, 4_000_000 // n))
    found = np.concatenate(
        [
            difference(pairs[:, generator.integers(n, size=(min(at_once, resamples - done), n))])
            for done in range(0, resamples, at_once)
        ]
    )
    tail = int((1 - confidence) / 2 * resamples)
    low = float(np.sort(np.where(np.isnan(found), -math.inf, found))[tail])
    high = float(np.sort(np.where(np.isnan(found), math.inf, found))[-1 - tail])
    return Estimate(value, low, high, n)


def _student(n: int, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + confidence) / 2))


# ---- how many replications ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Precision:
    """Whether a mean is as precise as asked, its interval's half-width, and about how many replications it takes."""

    reached: bool
    half_width: float
    needed: int
    n: int


def replications_for(cv: float, gamma: float, confidence: float = CONFIDENCE) -> int:
    """About how many replications give a mean to a relative error of `gamma`, at coefficient of variation `cv`.

    (z cv / gamma')^2 with gamma' = gamma / (1 + gamma): the error is relative to the true mean, not to its estimate.
    """
    if not (gamma > 0 and cv >= 0):
        raise ValueError("the precision must be above zero and the variation not below it")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return math.ceil((z * cv * (1 + gamma) / gamma) ** 2)


def relative_precision(values: Sample, gamma: float, confidence: float = CONFIDENCE) -> Precision:
    """Law's stopping rule: t s / sqrt(n) <= gamma' |mean|, and never before 30 replications.

    Ask at counts fixed beforehand; asking after every replication stops too early too often.
    """
    estimate = mean(values, confidence)
    n = estimate.n
    if estimate.low is None or estimate.high is None:
        return Precision(False, math.inf, FEW_FOR_MEAN, n)
    half = (estimate.high - estimate.low) / 2
    size = abs(estimate.value)
    reached = n >= FEW_FOR_MEAN and half <= gamma / (1 + gamma) * size
    if size == 0:
        return Precision(reached, half, max(n, FEW_FOR_MEAN), n)
    cv = half * math.sqrt(n) / _student(n, confidence) / size
    return Precision(reached, half, max(replications_for(cv, gamma, confidence), FEW_FOR_MEAN), n)


def _check_share(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")


def _check_count(count: int, n: int) -> None:
    if n < 1 or not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is not a share of replications")
