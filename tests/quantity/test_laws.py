"""Laws against scipy.stats and exact formulas: quantiles, moments, tails; one uniform and many give the same bits."""

import math
import pickle

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.quantity import Law, make_law, make_steps
from dcsim.quantity.families import FAMILIES
from dcsim.quantity.laws import Affine, constant, edited, remaining
from dcsim.quantity.special import LARGEST_U, SMALLEST_U, Z90, Z_LARGEST

U = np.array([SMALLEST_U, 1e-9, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-9, LARGEST_U])

ln_sigma = math.log(2) / 1.2815515655446004
PAIRS: dict[str, tuple[Law, object]] = {
    "uniform": (make_law("uniform", low=2, high=5), scipy.stats.uniform(2, 3)),
    "triangular": (make_law("triangular", low=9, mode=12, high=18), scipy.stats.triang(1 / 3, 9, 9)),
    "triangular, mode low": (make_law("triangular", low=2, mode=2, high=5), scipy.stats.triang(0, 2, 3)),
    "triangular, mode high": (make_law("triangular", low=2, mode=5, high=5), scipy.stats.triang(1, 2, 3)),
    "pert": (make_law("pert", low=2, mode=4, high=12), scipy.stats.beta(1.8, 4.2, 2, 10)),
    "pert, mode low": (make_law("pert", low=2, mode=2, high=12), scipy.stats.beta(1, 5, 2, 10)),
    "lognormal by p90": (make_law("lognormal", median=40, p90=80), scipy.stats.lognorm(ln_sigma, scale=40)),
    "lognormal by cv": (
        make_law("lognormal", mean=3, cv=0.5),
        scipy.stats.lognorm(math.sqrt(math.log(1.25)), scale=3 / math.sqrt(1.25)),
    ),
    "normal": (make_law("normal", mean=12, sd=5), scipy.stats.truncnorm(-12 / 5, math.inf, 12, 5)),
    "normal by cv": (make_law("normal", mean=12, cv=0.1), scipy.stats.truncnorm(-10, math.inf, 12, 1.2)),
    "gamma": (make_law("gamma", mean=3, cv=0.5), scipy.stats.gamma(4, scale=0.75)),
    "gamma, skewed": (make_law("gamma", mean=3, cv=2), scipy.stats.gamma(0.25, scale=12)),
    "erlang": (make_law("erlang", k=2, mean=1), scipy.stats.gamma(2, scale=0.5)),
    "exponential": (make_law("exponential", mean=12), scipy.stats.expon(scale=12)),
    "weibull": (make_law("weibull", shape=1.5, scale=4), scipy.stats.weibull_min(1.5, scale=4)),
    "weibull by mean": (
        make_law("weibull", mean=4, shape=0.7),
        scipy.stats.weibull_min(0.7, scale=4 / math.gamma(1 + 1 / 0.7)),
    ),
    "edited": (
        edited(make_law("triangular", low=9, mode=12, high=18), 1.5, 30),
        scipy.stats.triang(1 / 3, 9 * 1.5 + 30, 9 * 1.5),
    ),
}
LAWS = {name: law for name, (law, _) in PAIRS.items()} | {
    "discrete": make_steps("discrete", [(69, 1), (49, 1), (51, 1)]),
    "empirical": make_steps("empirical", [(x, 1) for x in (3.0, 1.0, 4.0, 1.0, 5.0, 9.0)]),
    "remaining": remaining(make_law("lognormal", median=40, p90=80), 55.0),
    "remaining of steps": remaining(make_steps("discrete", [(10, 1), (20, 2), (30, 1)]), 10.0),
    "constant": constant(3.5),
}


@pytest.mark.parametrize("name", PAIRS)
def test_against_scipy(name: str) -> None:
    law, other = PAIRS[name]
    inner = U[1:-1]
    # scipy works from below for the normal; its far tail is its own rounding
    np.testing.assert_allclose(law.ppf(inner), other.ppf(inner), rtol=1e-6 if "normal" in name else 1e-11, atol=1e-7)
    np.testing.assert_allclose(law.ppf(inner[1:-1]), other.ppf(inner[1:-1]), rtol=1e-11)
    mean, variance = other.stats("mv")
    assert law.mean() == pytest.approx(float(mean), rel=1e-12)
    assert law.variance() == pytest.approx(float(variance), rel=1e-11)
    assert law.median() == pytest.approx(float(other.median()), rel=1e-12)
    for x in (*law.ppf(np.array([0.01, 0.3, 0.8, 0.999])).tolist(), -1.0, 0.0, 1e6):
        assert law.sf(x) == pytest.approx(float(other.sf(x)), rel=1e-9, abs=1e-300)
    low, high = other.support()
    assert law.bounds() == (pytest.approx(low), pytest.approx(high))


def test_moments_by_hand() -> None:
    # PERT(2, 4, 12): mean (2 + 16 + 12)/6 = 5, variance (5 - 2)(12 - 5)/7 = 3, not ((12 - 2)/6)**2 = 2.78
    pert = make_law("pert", low=2, mode=4, high=12)
    assert (pert.mean(), pert.variance()) == (5.0, 3.0)
    triangular = make_law("triangular", low=2, mode=4, high=12)
    assert (triangular.mean(), triangular.variance()) == (6.0, pytest.approx((4 + 16 + 144 - 8 - 24 - 48) / 18))
    discrete = make_steps("discrete", [(100, 5), (500, 3), (1000, 2)])
    assert discrete.mean() == pytest.approx(400)
    assert discrete.variance() == pytest.approx(0.5 * 300**2 + 0.3 * 100**2 + 0.2 * 600**2)
    lognormal = make_law("lognormal", median=40, p90=80)
    assert lognormal.median() == lognormal.quantile(0.5) == 40.0
    assert lognormal.quantile(0.9) == pytest.approx(80.0, rel=1e-15)
    by_cv = make_law("lognormal", mean=3, cv=0.5)
    assert by_cv.mean() == pytest.approx(3, rel=1e-15)
    assert by_cv.variance() == pytest.approx(1.5**2, rel=1e-14)


def test_constants_of_the_normal() -> None:
    assert scipy.stats.norm.ppf(0.9) == Z90
    assert scipy.stats.norm.ppf(LARGEST_U) == Z_LARGEST


@pytest.mark.parametrize("name", LAWS)
def test_one_uniform_or_many_give_the_same_bits(name: str) -> None:
    law = LAWS[name]
    u = np.concatenate([U, np.random.default_rng(1).random(500)])
    column = law.ppf(u)
    assert column.dtype == np.float64
    assert column.tolist() == [law.quantile(x) for x in u.tolist()]
    assert law.ppf(u.reshape(2, -1)).tolist() == column.reshape(2, -1).tolist()
    assert isinstance(law.quantile(0.3), float)
    # nor does it matter which others stand in the vector
    assert law.ppf(u[100:107]).tolist() == column[100:107].tolist()


@pytest.mark.parametrize("name", LAWS)
def test_shape_of_every_law(name: str) -> None:
    law = LAWS[name]
    values = law.ppf(U)
    assert (np.diff(values) >= 0).all()
    low, high = law.bounds()
    assert low <= values[0]
    assert values[-1] <= min(high, law.reach())
    assert law.median() == pytest.approx(law.quantile(0.5), rel=1e-15)
    assert np.isfinite(values).all()
    again = pickle.loads(pickle.dumps(law))
    assert again == law
    assert hash(again) == hash(law)
    assert again.ppf(U).tolist() == values.tolist()
    middle = law.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert law.mean() == pytest.approx(float(middle.mean()), rel=3e-3)
    assert law.variance() == pytest.approx(float(middle.var()), rel=0.1, abs=1e-12)


def test_steps_take_the_lower_of_two_middles() -> None:
    assert make_steps("discrete", [(1, 1), (3, 1)]).median() == 1
    assert make_steps("empirical", [(x, 1) for x in (1, 2, 3)]).median() == 2
    law = make_steps("empirical", [(x, 1) for x in range(10)])
    assert [law.quantile((i + 0.5) / 10) for i in range(10)] == list(range(10))
    assert law.quantile(LARGEST_U) == 9
    thirds = make_steps("discrete", [(49, 1), (51, 1), (69, 1)])
    assert thirds.ppf(np.array([0.33, 0.34, 0.66, 0.67])).tolist() == [49, 51, 51, 69]
    assert [thirds.sf(x) for x in (48, 49, 68, 69)] == pytest.approx([1, 2 / 3, 1 / 3, 0])


def test_one_value_is_a_constant() -> None:
    assert make_law("triangular", low=4, mode=4, high=4) == constant(4)
    assert make_law("uniform", low=0, high=0) == constant(0)
    assert make_law("normal", mean=3, sd=0) == make_law("gamma", mean=3, cv=0) == constant(3)
    assert make_steps("empirical", [(2, 1), (2, 1)]) == constant(2)


def test_edits() -> None:
    law = make_law("lognormal", median=40, p90=80)
    assert edited(law) is law
    twice = edited(edited(law, 2, 10), 3, 1)
    assert isinstance(twice, Affine)
    assert (twice.law, twice.times, twice.plus) == (law, 6, 31)
    assert twice.quantile(0.7) == law.quantile(0.7) * 6 + 31
    assert edited(constant(3), 2, 1) == constant(7)
    assert edited(law, 0, 5) == constant(5)


def test_remaining_work() -> None:
    exponential = make_law("exponential", mean=12)
    np.testing.assert_allclose(remaining(exponential, 30).ppf(U[:-2]), exponential.ppf(U[:-2]), rtol=1e-6, atol=1e-14)
    uniform = remaining(make_law("uniform", low=10, high=20), 14)
    np.testing.assert_allclose(uniform.ppf(np.array([0.25, 0.5])), [1.5, 3.0])
    assert uniform.bounds() == (0, 6)
    early = remaining(make_law("uniform", low=10, high=20), 4)  # nothing is known yet but the days that have passed
    np.testing.assert_allclose(early.ppf(np.array([0.25, 0.5])), [8.5, 11.0])
    assert remaining(make_law("uniform", low=10, high=20), 25) == constant(0)
    assert remaining(constant(30), 12) == constant(18)
    late = remaining(make_law("lognormal", median=40, p90=80), 300)
    assert late.median() > 20  # a fat tail: what has taken long takes longer yet
    assert late.sf(late.quantile(0.3)) == pytest.approx(0.7)


positive = st.floats(1e-3, 1e5)
ratio = st.floats(0.01, 0.99)


@st.composite
def laws(draw: st.DrawFn) -> Law:
    name = draw(st.sampled_from([*FAMILIES, "discrete", "empirical"]))
    match name:
        case "uniform":
            low = draw(positive)
            law = make_law(name, low=low, high=low + draw(positive))
        case "triangular" | "pert":
            low, mode, high = sorted([draw(positive), draw(positive), draw(positive)])
            law = make_law(name, low=low, mode=mode, high=high)
        case "lognormal":
            median = draw(positive)
            law = make_law(name, median=median, p90=median * (1 + draw(st.floats(0.01, 20))))
        case "normal":
            mean = draw(positive)
            law = make_law(name, mean=mean, sd=mean * draw(st.floats(0.001, 0.42)))
        case "gamma":
            law = make_law(name, mean=draw(positive), cv=draw(st.floats(0.01, 5)))
        case "erlang":
            law = make_law(name, k=draw(st.integers(1, 50)), mean=draw(positive))
        case "exponential":
            law = make_law(name, mean=draw(positive))
        case "weibull":
            law = make_law(name, shape=draw(st.floats(0.2, 20)), scale=draw(positive))
        case _:
            values = draw(st.lists(st.tuples(positive, positive), min_size=1, max_size=8, unique_by=lambda p: p[0]))
            law = make_steps(name, [(v, w if name == "discrete" else 1.0) for v, w in values])
    return edited(law, *draw(st.sampled_from([(1.0, 0.0), (1.5, 0.0), (1.0, 30.0), (0.3, 7.0)])))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(laws(), st.lists(st.integers(0, 2**52 - 1), min_size=2, max_size=20))
def test_any_law_rises_stays_in_bounds_and_inverts(law: Law, cells: list[int]) -> None:
    u = np.sort((np.array(cells) + 0.5) * 2.0**-52)
    values = law.ppf(u)
    assert values.tolist() == [law.quantile(x) for x in u.tolist()]
    assert (np.diff(values) >= -1e-13 * np.abs(values[1:])).all()  # scipy's inverses wobble in the last digits
    low, high = law.bounds()
    assert low <= values[0]
    assert values[-1] <= high
    assert values[-1] <= law.reach() * (1 + 1e-12)
    if not law.has_atoms() and law.variance() > 1e-6 * law.mean() ** 2:
        inside = (u > 1e-6) & (u < 1 - 1e-6)
        for x, at in zip(values[inside].tolist(), u[inside].tolist(), strict=True):
            assert law.sf(x) == pytest.approx(1 - at, abs=1e-6)
