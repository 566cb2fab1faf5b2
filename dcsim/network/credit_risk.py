"""Default probabilities: hazards that share a market regime or a common shock, copulas, and thresholds to draw by.

Hazards are rates per unit of time, times in the same unit (years, or minutes: the caller's choice). All functions take
numbers or arrays, which broadcast, and return arrays. Rates must not be negative and probabilities lie from 0 to 1:
UsageError otherwise.

Sources: Lando (1998), "On Cox processes and credit risky securities" (hazards conditional on a state); Marshall and
Olkin (1967), "A multivariate exponential distribution"; Li (2000), "On default correlation: a copula function
approach"; Owen (1956), "Tables for computing bivariate normal probabilities".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError
from dcsim.network.arrays import Floats, amounts, quotient

_NODES = 400
"""Of the quadrature over a common factor: exact to about 1e-12 up to loadings of 0.95."""


def hazard(pd: npt.ArrayLike, time: npt.ArrayLike = 1.0) -> Floats:
    """The constant hazard with which default within `time` has probability `pd`: -ln(1 - pd) / time."""
    chance, span = _probability("pd", pd), amounts("time", time)
    if not (span > 0).all():
        raise UsageError("time: must be above zero")
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(-chance) / span)


def default_probability(hazard: npt.ArrayLike, time: npt.ArrayLike) -> Floats:
    """Probability of default within `time` at a constant hazard."""
    return np.asarray(-np.expm1(-amounts("hazard", hazard) * amounts("time", time)))


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Defaults of two parties within the same time."""

    first: Floats
    """Probability that the first defaults."""
    second: Floats
    both: Floats
    correlation: Floats
    """Of the two default indicators; nan where one of them is certain."""


def default_correlation(first: npt.ArrayLike, second: npt.ArrayLike, both: npt.ArrayLike) -> Floats:
    """Correlation of two default indicators from their probabilities; nan where one of them is certain."""
    p, q, r = (_probability("probability", given) for given in (first, second, both))
    return quotient(np.asarray(r - p * q), np.asarray(np.sqrt(p * (1 - p) * q * (1 - q))), np.nan)


def common_shock(first: npt.ArrayLike, second: npt.ArrayLike, common: npt.ArrayLike, time: npt.ArrayLike) -> Joint:
    """Two parties with hazards of their own and one shock, at hazard `common`, that brings down both."""
    own, other, shock = amounts("first", first), amounts("second", second), amounts("common", common)
    one = default_probability(own + shock, time)
    two = default_probability(other + shock, time)
    return _joint(one, two, default_probability(own + other + shock, time))


def regime_pd(
    time: npt.ArrayLike,
    *,
    to_downturn: npt.ArrayLike,
    to_normal: npt.ArrayLike,
    hazard_normal: npt.ArrayLike,
    hazard_downturn: npt.ArrayLike,
    downturn: npt.ArrayLike = 0.0,
) -> Floats:
    """Probability of default within `time` where the hazard follows a market regime.

    The market turns down at rate `to_downturn` and back at rate `to_normal`; it is down at the start with probability
    `downturn`. Closed form of the two transient states of a three-state Markov chain.
    """
    span, fall, rise = amounts("time", time), amounts("to_downturn", to_downturn), amounts("to_normal", to_normal)
    calm, bad = amounts("hazard_normal", hazard_normal), amounts("hazard_downturn", hazard_downturn)
    start = _probability("downturn", downturn)
    # Generator [[-(fall + calm), fall], [rise, -(rise + bad)]], whose eigenvalues centre +- spread are real.
    centre = -(fall + calm + rise + bad) / 2
    lean = (rise + bad - fall - calm) / 2
    spread = np.sqrt(lean**2 + fall * rise)
    slow, fast = np.exp((centre + spread) * span), np.exp((centre - spread) * span)
    mean = (slow + fast) / 2
    # (slow - fast) / (2 spread), without cancellation; its limit is time x slow where the eigenvalues meet.
    apart = quotient(np.asarray(-np.expm1(-2 * spread * span)), np.asarray(2 * spread), 0.0)
    slope = slow * np.where(spread == 0, span, apart)
    survives_calm = mean + (lean + fall) * slope
    survives_bad = mean + (rise - lean) * slope
    return np.asarray(np.clip(1 - (1 - start) * survives_calm - start * survives_bad, 0.0, 1.0))


def regime_joint(
    time: npt.ArrayLike,
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    to_downturn: npt.ArrayLike,
    to_normal: npt.ArrayLike,
    downturn: npt.ArrayLike = 0.0,
) -> Joint:
    """Two parties that are independent but for the regime; first, second: hazards in normal times and in a downturn.

    Given the regime's path hazards add up, so that neither defaults has the closed form of one party with the sum.
    """

    def within(normal: npt.ArrayLike, bad: npt.ArrayLike) -> Floats:
        return regime_pd(
            time,
            to_downturn=to_downturn,
            to_normal=to_normal,
            hazard_normal=normal,
            hazard_downturn=bad,
            downturn=downturn,
        )

    (calm, bad), (other_calm, other_bad) = first, second
    either = within(np.add(calm, other_calm), np.add(bad, other_bad))
    return _joint(within(calm, bad), within(other_calm, other_bad), either)


def copula_joint(first: npt.ArrayLike, second: npt.ArrayLike, correlation: npt.ArrayLike) -> Joint:
    """Two parties with given default probabilities under a Gaussian copula of given correlation (of latent normals).

    The bivariate normal distribution by Owen's T function.
    """
    from scipy.special import ndtr, ndtri, owens_t

    p, q = _probability("first", first), _probability("second", second)
    rho = np.asarray(correlation, dtype=np.float64)
    if not (np.abs(rho) <= 1).all():
        raise UsageError("correlation: must be between -1 and 1")
    p, q, rho = np.broadcast_arrays(p, q, rho)
    sure = (p == 0) | (q == 0) | (p == 1) | (q == 1) | (np.abs(rho) == 1)
    h, k = ndtri(np.where(sure, 0.5, p)), ndtri(np.where(sure, 0.5, q))
    r = np.where(sure, 0.0, rho)
    root = np.sqrt((1 - r) * (1 + r))
    # T(h, a) with a = (k - r h) / (h root); at h = 0 its limit is a of the sign of k, without bound.
    slope_h = np.where(h != 0, quotient(k - r * h, h * root, 0.0), np.copysign(np.inf, k))
    slope_k = np.where(k != 0, quotient(h - r * k, k * root, 0.0), np.copysign(np.inf, h))
    apart = (h * k < 0) | ((h * k == 0) & (h + k < 0))
    both = (ndtr(h) + ndtr(k)) / 2 - owens_t(h, slope_h) - owens_t(k, slope_k) - np.where(apart, 0.5, 0.0)
    both = np.where((h == 0) & (k == 0), 0.25 + np.arcsin(r) / (2 * np.pi), both)
    edge = np.where(rho == 1, np.minimum(p, q), np.where(rho == -1, np.maximum(p + q - 1, 0.0), p * q))
    both = np.where(sure, edge, np.clip(both, np.maximum(p + q - 1, 0.0), np.minimum(p, q)))
    return Joint(p, q, both, default_correlation(p, q, both))


def all_default(pds: npt.ArrayLike, loadings: npt.ArrayLike) -> Floats:
    """Probability that all of n parties default under a Gaussian copula with one factor.

    pds: (..., n). loadings: (n,) or a single number, of each latent normal on the factor, above -1 and below 1; two
    parties correlate by the product of theirs. Gauss-Legendre quadrature over the factor's quantile from -10 to 10.
    """
    from scipy.special import ndtr, ndtri

    chance, load = _probability("pds", pds), np.asarray(loadings, dtype=np.float64)
    if not (np.abs(load) < 1).all():
        raise UsageError("loadings: must be above -1 and below 1")
    factor, density = _common_factor()
    load = np.broadcast_to(load, chance.shape)[..., None]
    given = ndtr((ndtri(chance)[..., None] - load * factor) / np.sqrt(1 - load**2))
    return np.asarray((given.prod(axis=-2) * density).sum(axis=-1))


@cache
def _common_factor() -> tuple[Floats, Floats]:
    """Values of a standard normal factor and their weights."""
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    factor = 10 * node
    return factor, 10 * weight * np.exp(-(factor**2) / 2) / np.sqrt(2 * np.pi)


def threshold(u: npt.ArrayLike) -> Floats:
    """The integrated hazard at which a party defaults, a unit exponential -ln(u) from a uniform u in (0, 1).

    High u is early default: within a time of default probability p the party defaults if and only if u >= 1 - p.
    """
    uniform = np.asarray(u, dtype=np.float64)
    if not ((uniform > 0) & (uniform < 1)).all():
        raise UsageError("u: must be above 0 and below 1")
    return np.asarray(-np.log(uniform))


def time_left(threshold: npt.ArrayLike, used: npt.ArrayLike, hazard: npt.ArrayLike) -> Floats:
    """Time until default if the hazard stays as it is; inf at no hazard, 0 if the threshold is reached.

    used: hazard times time so far. To be asked anew whenever regime, rating or stress change the hazard.
    """
    gap = np.maximum(amounts("threshold", threshold) - amounts("used", used), 0.0)
    with np.errstate(over="ignore"):  # a hazard that is zero but for rounding is one of zero
        wait = quotient(np.asarray(gap), amounts("hazard", hazard), np.inf)
    return np.where(gap == 0, 0.0, wait)


def default_time(threshold: npt.ArrayLike, starts: npt.ArrayLike, hazards: npt.ArrayLike) -> Floats:
    """When the integrated hazard reaches the threshold; inf if never.

    threshold: (...). starts: (K,), rising times from which each of the hazards holds, the last without end.
    hazards: (K,) or (..., K).
    """
    target, start = amounts("threshold", threshold), np.asarray(starts, dtype=np.float64)
    if start.ndim != 1 or not start.size or (np.diff(start) < 0).any():
        raise UsageError("starts: must be rising times, at least one")
    rate = amounts("hazards", hazards)
    if rate.shape[-1:] != start.shape:
        raise UsageError(f"hazards: must be {start.size}, one for each start")
    gained = np.cumsum(rate[..., :-1] * np.diff(start), axis=-1)
    used = np.concatenate([np.zeros((*rate.shape[:-1], 1)), gained], axis=-1)
    # The first piece at whose end the threshold is reached; the last has no end.
    piece = (used[..., 1:] < target[..., None]).sum(axis=-1)
    used, rate = np.broadcast_arrays(used, rate)
    shape = (*piece.shape, start.size)
    chosen = (np.take_along_axis(np.broadcast_to(a, shape), piece[..., None], -1)[..., 0] for a in (used, rate))
    return np.asarray(start[piece] + time_left(target, *chosen))


def _probability(name: str, values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise UsageError(f"{name}: must be between 0 and 1")
    return array


def _joint(first: Floats, second: Floats, either: Floats) -> Joint:
    both = np.maximum(first + second - either, 0.0)
    return Joint(first, second, both, default_correlation(first, second, both))
