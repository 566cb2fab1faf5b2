"""Owned against rented, by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsim.economics import break_even, by_month, fixed_charge_cover, per_unit, present_value


def test_break_even_is_when_it_stays():
    # Cumulative owned 10 12 14 30 32, rented 5 13 25 29 41: below in months 1 and 2, above in 3, below for good in 4.
    assert break_even([10, 2, 2, 16, 2], [5, 8, 12, 4, 12]) == 4


def test_break_even_at_once_and_never():
    assert break_even([0, 1, 1], [0, 2, 2]) == 1  # from the first month with something rented to compare
    assert break_even([5, 5], [1, 1]) is None
    assert break_even([5, 0], [0, 0]) is None
    assert break_even([], []) is None


def test_equal_counts_as_even():
    assert break_even([3, 1], [2, 2]) == 1


def test_present_value():
    # 110 in a year and 121 in two at 10 %: 100 + 100.
    assert present_value([110, 121], [365.25, 730.5], 0.10) == pytest.approx(200)
    assert present_value([110, 121], [365.25, 730.5], 0) == 231


def test_per_unit():
    assert per_unit([10, 20], [1, 2]) == 10
    assert per_unit([10], [0]) is None


def test_fixed_charge_cover_is_the_worst_year():
    income, charges = [2.0] * 12 + [1.0] * 12, [1.0] * 24
    assert fixed_charge_cover(income, charges) == pytest.approx(1.0)
    assert fixed_charge_cover(income[:13], charges[:13]) == pytest.approx(23 / 12)
    assert fixed_charge_cover(income, [0.0] * 24) is None


def test_a_level_over_months():
    # 2 from minute 5 on, 3 more from 15 on; stretches 0-10 and 10-20: 2 x 5 and 2 x 10 + 3 x 5.
    assert by_month([15, 5], [3, 2], [0, 10, 20]).tolist() == [10, 35]
    assert by_month([-7, 99], [4, 1], [0, 10, 20]).tolist() == [40, 40]
    assert by_month([], [], [0, 10, 20]).tolist() == [0, 0]


@given(
    st.lists(st.tuples(st.integers(-50, 250), st.integers(-9, 9)), max_size=20),
    st.lists(st.integers(0, 200), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_a_level_over_months_minute_by_minute(changes, edges):
    found = by_month([m for m, _ in changes], [d for _, d in changes], edges)
    level = [sum(d for m, d in changes if max(m, edges[0]) <= minute) for minute in range(edges[-1])]
    expected = [sum(level[a:b]) for a, b in pairwise(edges)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
