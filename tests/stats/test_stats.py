"""Intervals against the exact theory, and by how often they cover."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from dcsim.stats import (
    Estimate,
    TooFew,
    at_most,
    clopper_pearson,
    column_quantiles,
    joint_share,
    mean,
    needed_for_quantile,
    paired_difference,
    quantile,
    quantile_difference,
    quantile_index,
    quantile_ranks,
    relative_precision,
    replications_for,
    share,
    wilson,
)

_DATA = json.loads((Path(__file__).parents[1] / "data" / "theory_cases.json").read_text(encoding="utf-8"))
CASES = {case["id"].split("_")[0]: case for case in _DATA["cases"]}


# ---- quantiles (S1) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CASES["S1"]["ranks"])
def test_ranks(key):
    n, q = (float(part.split("=")[1]) for part in key.split(","))
    expected = CASES["S1"]["ranks"][key]
    ranks = quantile_ranks(int(n), q)
    assert (ranks.lower, ranks.upper, ranks.defined) == (
        expected["lower_order_stat"], expected["upper_order_stat"], expected["defined"],
    )  # fmt: skip
    assert ranks.coverage == pytest.approx(expected["exact_coverage"], rel=1e-9)


@pytest.mark.parametrize(("key", "needed"), CASES["S1"]["min_reps_equal_tailed_95pct_interval_defined"].items())
def test_replications_needed_for_an_interval(key, needed):
    q = float(key.split("=")[1])
    assert needed_for_quantile(q) == needed
    assert quantile_ranks(needed, q).defined
    assert not any(quantile_ranks(n, q).defined for n in range(1, needed))


def test_coverage_of_the_median_is_the_exact_one():
    metric = CASES["S1"]["metrics"][0]
    samples = np.random.default_rng(1).exponential(size=(100, 10_000))
    covered = [
        estimate.low <= math.log(2) <= estimate.high for (estimate,) in column_quantiles(samples, [0.5])
    ]
    assert abs(np.mean(covered) - metric["expected"]) < metric["tolerance"]["R=10000"]


@pytest.mark.parametrize("q", [0.05, 0.1, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("n", [1, 2, 7, 36, 100, 371])
def test_a_quantile_lies_within_its_interval(n, q):
    values = np.random.default_rng(n).normal(size=n)
    estimate = quantile(values, q)
    assert estimate.value in values
    if n < needed_for_quantile(q):
        assert (estimate.low, estimate.high) == (None, None)
        assert estimate.note == str(TooFew(n, needed_for_quantile(q)))
        assert "too few replications" in estimate.note
    else:
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.note == ""


def test_a_quantile_is_the_value_that_so_many_do_not_exceed():
    assert quantile(range(1, 11), 0.5).value == 5
    assert quantile(range(1, 11), 0.9).value == 9
    assert quantile(range(1, 11), 0.91).value == 10
    assert quantile_index(10, 0.1) == 0
    assert quantile_index(100, 0.55) == 54  # although 100 * 0.55 is a little more than 55 in floats


def test_values_never_reached_are_later_than_all_others():
    days = [*range(80), *[math.inf] * 20]
    assert quantile(days, 0.5).value == 49
    assert quantile(days, 0.8).value == 79
    assert quantile(days, 0.8).high == math.inf
    assert quantile(days, 0.8).low < 79
    assert quantile(days, 0.81).value == math.inf


def test_every_column_has_its_own_quantiles():
    matrix = np.arange(200.0).reshape(100, 2)
    columns = column_quantiles(matrix, [0.1, 0.5])
    assert [[estimate.value for estimate in column] for column in columns] == [[18, 98], [19, 99]]
    assert columns[1][1] == quantile(matrix[:, 1], 0.5)


def test_quantiles_refuse_what_has_none():
    with pytest.raises(ValueError, match="no replications"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="not numbers"):
        quantile([1, math.nan], 0.5)
    for q in (0.0, 1.0, -1, 50):
        with pytest.raises(ValueError, match="between 0 and 1"):
            quantile([1.0, 2.0], q)


# ---- shares (S2, F7) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CASES["S2"]["intervals"])
def test_proportions(key):
    count, n = map(int, key.split("/"))
    expected = CASES["S2"]["intervals"][key]
    assert wilson(count, n) == pytest.approx(expected["wilson"], rel=1e-9, abs=1e-15)
    assert clopper_pearson(count, n) == pytest.approx(expected["clopper_pearson"], rel=1e-9, abs=1e-15)


def test_the_ends_of_a_share_are_exact():
    assert wilson(0, 1000)[0] == 0.0
    assert wilson(1000, 1000)[1] == 1.0


def test_what_was_never_seen_is_bounded_not_zero():
    bound = CASES["F7"]["metrics"][1]["expected"]
    assert at_most(10_000) == pytest.approx(bound, rel=1e-9)
    estimate = share(0, 10_000)
    assert estimate.note == "0 of 10000, at most 0.0003"
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(bound, rel=1e-9)
    # Six guarantors that each fail with 5 %: the true chance lies within.
    assert CASES["F7"]["metrics"][0]["expected"] < estimate.high


def test_what_was_always_seen_is_bounded_not_certain():
    estimate = share(1000, 1000)
    assert estimate.low == pytest.approx(1 - at_most(1000))
    assert estimate.high == 1.0
    assert estimate.note == "1000 of 1000, at least 0.997008"


def test_a_share_in_between_has_wilsons_interval():
    assert share(7, 1000) == Estimate(0.007, *wilson(7, 1000), 1000)


@pytest.mark.parametrize(("count", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_shares(count, n):
    with pytest.raises(ValueError, match="not a share"):
        share(count, n)


def test_a_joint_share_counts_replications_in_which_both_are_reached():
    """Of (1, 5), (2, 9), (3, 1) and (never, 0) two are within (3, 5): the first and the third."""
    first, second = [1, 2, 3, math.inf], [5, 9, 1, 0]
    assert joint_share(first, second, (3, 5)) == share(2, 4)
    assert joint_share(first, second, (3, 4.9)) == share(1, 4)
    assert joint_share(first, second, (math.inf, math.inf)) == share(3, 4)


@pytest.mark.parametrize("pair", [([], []), ([1, math.nan], [1, 1]), ([1], [1, 2])])
def test_joint_shares_of_what_is_no_pair(pair):
    with pytest.raises(ValueError, match=r"numbers|same shape"):
        joint_share(*pair, (1, 1))


# ---- means (S4) ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "expected"), [(5, 0.881075), (10, 0.90005), (30, 0.925875), (100, 0.941075)])
def test_coverage_of_the_t_interval_on_skewed_results(n, expected):
    assert CASES["S4"]["simulated_coverage_exponential"][str(n)] == expected
    samples = np.random.default_rng(n).exponential(size=(8000, n))
    estimates = [mean(sample) for sample in samples]
    covered = np.mean([estimate.low <= 1.0 <= estimate.high for estimate in estimates])
    assert covered == pytest.approx(expected, abs=4.5 * math.sqrt(expected * (1 - expected) / 8000))
    assert bool(estimates[0].note) == (n < 30)


def test_a_mean_by_hand():
    estimate = mean([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451051977987 * math.sqrt(2.5) / math.sqrt(5)  # t with 4 degrees of freedom
    assert estimate.value == 3.0
    assert (estimate.low, estimate.high) == pytest.approx((3 - half, 3 + half), rel=1e-12)
    assert "fewer than 30" in estimate.note


def test_one_replication_has_no_interval():
    estimate = mean([7.0])
    assert (estimate.value, estimate.low, estimate.high) == (7.0, None, None)
    assert estimate.note == "too few replications for an interval (1; it takes 2)"


def test_a_mean_of_what_was_not_all_reached_is_refused():
    for values in ([1.0, math.inf], [1.0, math.nan]):
        with pytest.raises(ValueError, match="not all reached"):
            mean(values)
        with pytest.raises(ValueError, match="not all reached"):
            paired_difference(values, values)


def test_pairs_cancel_what_they_share():
    base = np.random.default_rng(1).normal(scale=1000, size=200)
    estimate = paired_difference(base + 1 + np.tile([-0.1, 0.1], 100), base)
    assert estimate.value == pytest.approx(1)
    assert estimate.high - estimate.low < 0.05
    with pytest.raises(ValueError, match="paired"):
        paired_difference([1.0], [1.0, 2.0])


# ---- how many replications (S5) -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "expected"), CASES["S5"]["expected_reps"].items())
def test_replications_for_relative_precision(key, expected):
    cv, gamma = (float(part.split("=")[1]) for part in key.split(","))
    assert replications_for(cv, gamma) == expected


def test_the_stopping_rule():
    steady = np.tile([0.95, 1.05], 50)  # cv 0.05
    assert not relative_precision(steady[:28], 0.5).reached, "never before 30 replications"
    assert relative_precision(steady[:30], 0.05).reached
    fine = relative_precision(steady, 0.001)
    assert not fine.reached
    assert fine.needed == pytest.approx(replications_for(0.05, 0.001), rel=0.02)
    assert fine.half_width == pytest.approx(1.984 * 0.05025 / 10, rel=1e-3)
    assert not relative_precision(np.tile([-1.0, 1.0], 50), 0.1).reached
    assert relative_precision(np.zeros(50), 0.1).reached
    assert not relative_precision([1.0], 0.1).reached


# ---- differences of quantiles -------------------------------------------------------------------------------------


def test_a_shift_of_all_is_known_exactly():
    base = np.random.default_rng(3).exponential(100.0, size=80)
    found = quantile_difference(base + 7, base)
    assert [found.value, found.low, found.high] == pytest.approx([7, 7, 7])
    assert quantile_difference(base, base).value == 0


def test_a_difference_of_medians_is_not_the_median_of_differences():
    base = np.array([1.0, 2.0, 3.0] * 20)
    other = np.array([3.0, 4.0, 1.0] * 20)
    assert quantile_difference(other, base).value == 1  # 3 less 2; the differences are 2, 2 and -2
    assert quantile_difference(other, base, 0.9).value == 1


def test_pairs_make_the_interval_short():
    rng = np.random.default_rng(4)
    luck = rng.normal(1000, 300, size=400)
    other = luck + rng.normal(20, 5, size=400)
    paired = quantile_difference(other, luck)
    unpaired = quantile_difference(rng.permutation(other), luck)
    assert paired.low < 20 < paired.high
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 4


def test_the_interval_covers_as_often_as_it_says():
    """The medians of an exponential and of the same twice: their difference is log 2; of 300 intervals, all but few."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        base = rng.exponential(size=60)
        found = quantile_difference(2 * base, base, resamples=300)
        hits += found.low <= math.log(2) <= found.high
    assert 0.90 <= hits / 300 <= 0.99


def test_what_is_not_reached_is_later_and_an_unknown_difference_is_open():
    base = np.array([10.0] * 30 + [math.inf] * 10)
    late = np.array([10.0] * 15 + [math.inf] * 25)
    found = quantile_difference(late, base)
    assert (found.value, found.high) == (math.inf, math.inf)
    assert found.low == 0
    neither = quantile_difference(late, late)
    assert math.isnan(neither.value)
    assert (neither.low, neither.high) == (-math.inf, math.inf)
    assert quantile_difference(base, base).value == 0


def test_few_replications_have_no_interval_of_a_difference():
    few = quantile_difference([1.0, 2.0, 4.0], [1.0, 1.0, 1.0])
    assert (few.value, few.low, few.high) == (1, None, None)
    assert few.note == "too few replications for an interval (3; it takes 30)"
    for values, base in (([], []), ([1.0], [math.nan]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match=r".+"):
            quantile_difference(values, base)


def test_the_same_question_has_the_same_answer():
    base = np.random.default_rng(6).normal(size=100)
    other = np.random.default_rng(7).normal(size=100)
    assert quantile_difference(other, base) == quantile_difference(other, base)
