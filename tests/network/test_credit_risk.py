"""Default probabilities and the thresholds to draw by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.special import ndtr, ndtri

from dcsim.errors import UsageError
from dcsim.network.credit_risk import (
    all_default,
    common_shock,
    copula_joint,
    default_correlation,
    default_probability,
    default_time,
    hazard,
    regime_joint,
    regime_pd,
    threshold,
    time_left,
)

RATES = st.floats(0, 3)


def test_hazard(case):
    one = case("D03")
    rate = hazard(one.inputs["PD_1y"])
    one.close(rate, "hazard")
    one.close(default_probability(rate, 5), "PD_5y")
    assert hazard(0.5, 2) == pytest.approx(math.log(2) / 2)
    assert hazard(1.0) == math.inf
    assert default_probability(1e-12, 1) == pytest.approx(1e-12, rel=1e-9, abs=0)  # no cancellation
    for wrong in ({"pd": 1.1}, {"pd": -0.1}, {"pd": math.nan}, {"pd": 0.1, "time": 0}):
        with pytest.raises(UsageError):
            hazard(**wrong)


def test_copula(case):
    one = case("D04")
    for rho, joint in one.expected("joint").items():
        found = copula_joint(*one.inputs["pd"], float(rho))
        one.near(found.both, joint)
        one.near(found.correlation, one.expected("default_correlation")[rho])
    one.close(copula_joint(0.02, 0.10, 0.3).both, "mixed_pd_2_10_rho_0_3")
    # The case's tolerance is wide; the values are exact as far as they are printed.
    assert copula_joint(0.02, 0.02, 0.5).both == pytest.approx(0.0033873, abs=6e-8)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0001, 0.9999), st.floats(0.0001, 0.9999), st.floats(-0.99, 0.99))
def test_copula_is_the_bivariate_normal(p, q, rho):
    h, k = ndtri(p), ndtri(q)

    def density(r):
        return math.exp(-(h * h - 2 * r * h * k + k * k) / (2 * (1 - r * r))) / (2 * math.pi * math.sqrt(1 - r * r))

    # Plackett (1954): the derivative in the correlation is the density.
    exact = p * q + quad(lambda t: density(math.sin(t)) * math.cos(t), 0, math.asin(rho), epsabs=1e-12)[0]
    assert copula_joint(p, q, rho).both == pytest.approx(exact, abs=1e-9)


def test_copula_at_its_edges():
    assert copula_joint(0.5, 0.5, 0.5).both == pytest.approx(1 / 3)
    assert copula_joint(0.5, 0.5, -0.5).both == pytest.approx(1 / 6)
    assert copula_joint(0.5, 0.1, 0.0).both == pytest.approx(0.05)
    assert copula_joint(0.1, 0.5, 0.0).both == pytest.approx(0.05)
    assert copula_joint(0.5, 0.9, 0.0).both == pytest.approx(0.45)
    assert copula_joint([0, 0.1, 1, 0.3], [0.2, 0.3, 0.4, 1], 0.5).both.tolist() == [
        0,
        *copula_joint(0.1, 0.3, 0.5).both.reshape(1),
        0.4,
        0.3,
    ]
    assert copula_joint([0.2, 0.2, 0.7], [0.3, 0.3, 0.6], [1, -1, -1]).both.tolist() == pytest.approx([0.2, 0, 0.3])
    with pytest.raises(UsageError, match="between -1 and 1"):
        copula_joint(0.1, 0.1, 1.01)


def test_all_default():
    for load in (0.0, 0.3, 0.7, 0.95):
        two = all_default([0.02, 0.1], load)
        assert two == pytest.approx(float(copula_joint(0.02, 0.1, load**2).both), abs=1e-11)
    assert all_default([0.02, 0.1], [0.5, -0.4]) == pytest.approx(float(copula_joint(0.02, 0.1, -0.2).both), abs=1e-11)
    assert all_default([0.1, 0.2, 0.3], 0.0) == pytest.approx(0.006)
    # Three equal parties at correlation a half: the orthant probability of normals, 1/8 + 3 asin(1/2) / 4 pi.
    assert all_default([0.5] * 3, math.sqrt(0.5)) == pytest.approx(1 / 8 + 3 * math.asin(0.5) / (4 * math.pi))
    assert all_default([[0.5] * 3, [0.0, 1, 1]], 0.5).shape == (2,)
    with pytest.raises(UsageError, match="above -1 and below 1"):
        all_default([0.1], 1.0)


def test_common_shock(case):
    one = case("D06")
    found = common_shock(one.inputs["l1"], one.inputs["l2"], one.inputs["lc"], one.inputs["t"])
    one.close(found.first, "PD1")
    one.close(found.second, "PD2")
    one.close(found.both, "joint")
    one.close(found.first * found.second, "independent_joint")
    one.close(found.correlation, "default_corr")
    assert common_shock(0.02, 0.03, 0, 5).correlation == pytest.approx(0, abs=1e-12)


def test_regime(case):
    one = case("D08")
    rates = {
        "to_downturn": one.inputs["to_downturn"],
        "to_normal": one.inputs["to_normal"],
        "hazard_normal": one.inputs["h_normal"],
        "hazard_downturn": one.inputs["h_downturn"],
    }
    one.close(regime_pd(5, **rates), "PD_5y")
    one.close(regime_pd(1, **rates), "PD_1y")
    assert regime_pd([0, 1], **rates, downturn=1)[0] == 0
    # Where the eigenvalues meet: no way back, and as bad after the turn as turning and failing together are before.
    meet = regime_pd(2, to_downturn=0.25, to_normal=0, hazard_normal=0.25, hazard_downturn=0.5)
    assert meet == pytest.approx(1 - math.exp(-1) * (1 + 0.25 * 2))
    mixed = 0.7 * regime_pd(2, **rates) + 0.3 * regime_pd(2, **rates, downturn=1)
    assert regime_pd(2, **rates, downturn=0.3) == pytest.approx(float(mixed))


@given(RATES, RATES, RATES, RATES, st.floats(0, 20), st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=40, deadline=None)
def test_regime_is_the_matrix_exponential(fall, rise, calm, bad, time, start):
    generator = np.array([[-(fall + calm), fall], [rise, -(rise + bad)]])
    alive = np.array([1 - start, start]) @ expm(generator * time) @ np.ones(2)
    found = regime_pd(time, to_downturn=fall, to_normal=rise, hazard_normal=calm, hazard_downturn=bad, downturn=start)
    assert found == pytest.approx(1 - alive, abs=1e-10)


def test_regime_makes_defaults_correlated():
    market = {"to_downturn": 0.15, "to_normal": 0.5}
    found = regime_joint(5, (0.01, 0.15), (0.02, 0.30), **market)
    assert found.first == pytest.approx(0.1408718317)
    assert found.correlation > 0.05
    assert regime_joint(5, (0.02, 0.02), (0.1, 0.1), **market).correlation == pytest.approx(0, abs=1e-9)
    # Without a way back, and down from the start, it is the constant hazard.
    constant = regime_joint(5, (0.0, 0.1), (0.0, 0.2), to_downturn=0, to_normal=0, downturn=1)
    assert constant.both == pytest.approx((1 - math.exp(-0.5)) * (1 - math.exp(-1)))


def test_correlation_of_certain_events_is_undefined():
    assert default_correlation(0.5, 0.5, 0.5) == 1
    assert np.isnan(default_correlation(0.0, 0.5, 0.0))


def test_high_uniforms_default_early():
    rate, horizon = 0.3, 2.0
    chance = float(default_probability(rate, horizon))
    u = np.array([0.01, 0.5, 1 - chance - 1e-9, 1 - chance + 1e-9, 0.99])
    times = default_time(threshold(u), [0.0], [rate])
    assert (np.diff(times) < 0).all()
    assert ((times <= horizon) == (u >= 1 - chance)).all()
    for wrong in (0.0, 1.0, math.nan):
        with pytest.raises(UsageError):
            threshold(wrong)


def test_default_time_over_changing_hazards():
    # Nothing until 1, 0.5 a unit of time until 3, nothing until 7, then 2.
    starts, hazards = [0, 1, 3, 7], [0, 0.5, 0, 2]
    assert default_time([0.25, 1, 1.5, 4], starts, hazards).tolist() == [1.5, 3, 7.25, 8.5]
    assert default_time(2, [0, 1], [0.5, 0]) == math.inf
    assert default_time([0.5, 1], [10], [[0.5], [0.25]]).tolist() == [11, 14]
    with pytest.raises(UsageError, match="starts: must be rising"):
        default_time(1, [1, 0], [1, 1])
    with pytest.raises(UsageError, match="one for each start"):
        default_time(1, [0, 1], [1])


@settings(max_examples=50, deadline=None)
@given(st.floats(0.001, 5), st.lists(st.tuples(st.floats(0.01, 3), st.floats(0, 2)), min_size=1, max_size=6))
def test_rescheduling_finds_the_same_time(level, pieces):
    """Asking anew for the time left at each change gives the time that the whole path gives."""
    starts = np.concatenate([[0.0], np.cumsum([length for length, _ in pieces])])[:-1]
    hazards = [rate for _, rate in pieces]
    used, found = 0.0, math.inf
    for i, rate in enumerate(hazards):
        wait = float(time_left(level, used, rate))
        end = starts[i + 1] if i + 1 < len(hazards) else math.inf
        if starts[i] + wait <= end:
            found = starts[i] + wait
            break
        used += rate * (end - starts[i])
    assert float(default_time(level, starts, hazards)) == pytest.approx(found, rel=1e-9)


def test_time_left():
    assert time_left([1, 1, 1], [0.5, 1, 2], [0.25, 0, 0]).tolist() == [2, 0, 0]
    assert time_left(1, 0, 0) == math.inf


def test_shares_of_a_large_portfolio_agree_with_the_copula():
    """A plain simulation of the factor model."""
    rng = np.random.default_rng(8)
    load = 0.6
    latent = load * rng.standard_normal((40_000, 1)) + math.sqrt(1 - load**2) * rng.standard_normal((40_000, 3))
    share = (ndtr(latent) < np.array([0.2, 0.3, 0.4])).all(axis=1).mean()
    assert share == pytest.approx(float(all_default([0.2, 0.3, 0.4], load)), abs=4.5 * math.sqrt(0.1 * 0.9 / 40_000))
