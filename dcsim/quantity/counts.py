"""Counts by inverse of one uniform: Poisson and binomial.

Each gives the least count whose cumulative probability reaches u, in plain arithmetic up to a mean of 64 and by
scipy.special's cumulative functions above.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dcsim.quantity.special import special

_SUMMED = 64.0
_NEGLIGIBLE = 2.0**-60


def poisson_ppf(u: float, mean: float) -> int:
    """The count of a Poisson law of this mean at `u`. Raises ValueError unless 0 <= mean <= 1e15."""
    if not 0.0 <= mean <= 1e15:
        raise ValueError(f"the mean of a Poisson count must be between 0 and 1e15, got {mean}")
    if mean > _SUMMED:
        return _searched(u, mean, math.sqrt(mean), 1.0, lambda k: float(special().pdtr(k, mean)))
    k = 0
    term = total = math.exp(-mean)
    while total < u and (k < mean or term > _NEGLIGIBLE):
        k += 1
        term *= mean / k
        total += term
    return k


def binomial_ppf(u: float, n: int, p: float) -> int:
    """Successes among `n` at chance `p`, at `u`. Raises ValueError unless n >= 0 and 0 <= p <= 1."""
    if n < 0 or not 0.0 <= p <= 1.0:
        raise ValueError(f"a binomial count needs n >= 0 and a chance between 0 and 1, got n {n} and chance {p}")
    if p > 0.5:
        return n - _binomial(1.0 - u, n, 1.0 - p, strict=True)
    return _binomial(u, n, p, strict=False)


def _binomial(u: float, n: int, p: float, *, strict: bool) -> int:
    """The least k with P(X <= k) >= u (`strict`: > u, for the mirrored count), for p <= 1/2."""
    if n == 0 or p == 0.0:
        return 0
    if n * p > _SUMMED:
        sd = math.sqrt(n * p * (1.0 - p))
        return _searched(u, n * p, sd, 1.0 - 2.0 * p, lambda k: 1.0 if k >= n else float(special().bdtr(k, n, p)))
    odds = p / (1.0 - p)
    k = 0
    term = total = math.exp(n * math.log1p(-p))
    while (total < u or (strict and total == u)) and k < n and (k < n * p or term > _NEGLIGIBLE):
        k += 1
        term *= (n - k + 1) / k * odds
        total += term
    return k


def _searched(u: float, mean: float, sd: float, skew: float, cdf: Callable[[int], float]) -> int:
    """The least k >= 0 with cdf(k) >= u, from the normal approximation corrected for skewness: within a few steps.

    `skew` is the third central moment over the variance.
    """
    z = float(special().ndtri(u))
    k = max(math.floor(mean + sd * z + skew * (z * z - 1.0) / 6.0), 0)
    while k > 0 and cdf(k - 1) >= u:
        k -= 1
    while cdf(k) < u:
        k += 1
    return k
