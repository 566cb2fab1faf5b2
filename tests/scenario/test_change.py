"""`{times: x}` and `{plus: y}` over a value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dcsim.quantity import parse_quantity
from dcsim.scenario.change import ChangeError, both, changed, is_change
from dcsim.scenario.tree import plain

LAW = {"triangular": {"low": 9, "mode": 12, "high": 18, "unit": "months"}}


@pytest.mark.parametrize(
    ("value", "change", "result"),
    [
        (4, {"times": 0.5}, 2),
        (3, {"times": 0.5}, 1.5),
        (4, {"plus": -1}, 3),
        (4, {"plus": 0.5}, 4.5),
        (0.1, {"times": 3}, 0.3),
        (5, {"times": "80 %"}, 4),
        (2, {"times": 3, "plus": 1}, 7),
        (90, {"plus": "6 months"}, {"value": 90, "plus": "6 months"}),
        ("$33.2bn", {"times": 0.5}, "$16.6bn"),
        ("-$5m", {"times": 3}, "-$15m"),
        ("1_000", {"times": 2}, 2000),
        ("48 months", {"plus": "1 year"}, "60 months"),
        ("48 months", {"plus": 90}, {"value": "48 months", "plus": 90}),
        ("0.05 of cost", {"times": 2}, "0.1 of cost"),
        ("2026-10-15", {"plus": 90}, "2027-01-13"),
        ("2026-10-15", {"plus": "6 months"}, "2027-04-16"),  # 182.6 days
        ("2026-10-15", {"plus": "-1 day"}, "2026-10-14"),
        ("day 600", {"plus": "1 week"}, "day 607"),
        ({"after": "start", "delay": 30}, {"plus": 60}, {"after": "start", "delay": 90}),
        ({"after": "start"}, {"plus": "2 months"}, {"after": "start", "delay": "2 months"}),
        ({"value": 4, "range": [2, 6], "whatif": "x"}, {"plus": 2}, {"value": 6, "range": [2, 6], "whatif": "x"}),
        ({"value": "$1.6bn", "range": ["$0.5bn", 3000]}, {"times": 2}, {"value": "$3.2bn", "range": ["$1bn", 6000]}),
        ({"value": 9, "unit": "months"}, {"plus": 90}, {"value": 9, "unit": "months", "plus": 90}),
        ({"constant": 5}, {"plus": 5}, {"constant": 10}),
        ({"value": "2025-10-01", "source": "x"}, {"plus": 10}, {"value": "2025-10-11", "source": "x"}),
        (LAW, {"times": 2, "plus": 90}, {**LAW, "times": 2, "plus": 90}),
        ({**LAW, "times": 2, "plus": 30}, {"times": 1.5}, {**LAW, "times": 3, "plus": 45}),
        ({**LAW, "plus": 30}, {"plus": 12}, {**LAW, "plus": 42}),
        ({**LAW, "plus": 30}, {"plus": "6 months"}, {**LAW, "plus": [30, "6 months"]}),
        ({**LAW, "plus": [30, "6 months"]}, {"times": 2}, {**LAW, "times": 2, "plus": [60, "12 months"]}),
        (["250 MW", 500], {"times": 2}, ["500 MW", 1000]),
        ({"2026-07-01": "2.3 GW", "2027-01-01": 5}, {"times": 0.7}, {"2026-07-01": "1.61 GW", "2027-01-01": 3.5}),
    ],
)
def test_changes(value: Any, change: dict[str, Any], result: Any) -> None:
    before = repr(value)
    found = changed(value, change)
    assert found == result
    numbers = re.compile(r"[0-9.]+")  # whole numbers stay whole: 2 == 2.0, but they do not read the same
    assert sorted(numbers.findall(repr(plain(found)))) == sorted(numbers.findall(repr(result)))
    assert repr(value) == before


@pytest.mark.parametrize(
    ("value", "change", "code"),
    [
        (None, {"times": 2}, "EDIT"),
        (True, {"plus": 1}, "EDIT"),
        ("every_passing", {"times": 2}, "EDIT"),
        ("every_passing", {"plus": 2}, "EDIT"),
        ({"value": "every_passing", "whatif": "x"}, {"times": 2}, "EDIT"),
        ("2026-10-15", {"times": 2}, "EDIT"),
        ("2026-13-15", {"plus": 2}, "DATE"),
        ("9999-12-01", {"plus": "1 year"}, "DATE"),
        ("2026-10-15", {"plus": "5 MW"}, "TYPE"),
        ("14 months", {"plus": "5 MW"}, "TYPE"),
        ("100", {"times": 2}, "TYPE"),
        (5, {"times": "x"}, "TYPE"),
        (5, {"times": "14 months"}, "TYPE"),
        (5, {"plus": "90"}, "TYPE"),
        (5, {"plus": None}, "REQUIRED"),
        (1e308, {"times": 100}, "RANGE"),
        ({"a": 1}, {"times": 2}, "EDIT"),
        ([{"share": 1.0}], {"times": 2}, "EDIT"),
        ({"times": 2}, {"times": 2}, "EDIT"),
    ],
)
def test_changes_that_make_no_sense(value: Any, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ChangeError) as caught:
        changed(value, change)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "value", [100, "14 months", LAW, {"value": 9, "unit": "months"}, {"lognormal": {"mean": 9, "cv": 1}}]
)
def test_a_changed_quantity_means_value_times_plus(value: Any) -> None:
    median = parse_quantity(value, "days").median
    once = changed(changed(value, {"times": 2}), {"plus": "10 days"})
    assert parse_quantity(once, "days").median == pytest.approx(2 * median + 10)
    twice = changed(changed(once, {"plus": 7}), {"times": 3})
    assert parse_quantity(twice, "days").median == pytest.approx(3 * (2 * median + 17))


@pytest.mark.parametrize("first", [{"times": 2}, {"plus": 5}, {"times": 2, "plus": 5}])
@pytest.mark.parametrize("second", [{"times": 3}, {"plus": 7}, {"times": 3, "plus": 7}])
def test_two_changes_in_one(first: dict[str, Any], second: dict[str, Any]) -> None:
    together = both(first, second)
    assert together is not None
    assert changed(11, together) == changed(changed(11, first), second)


def test_two_changes_whose_amounts_do_not_add() -> None:
    assert both({"plus": 5}, {"plus": "6 months"}) is None
    assert both({"plus": "3 months"}, {"plus": "6 months"}) == {"plus": "9 months"}


def test_what_is_a_change() -> None:
    assert is_change({"times": 2})
    assert is_change({"times": 2, "plus": 3})
    assert not is_change({})
    assert not is_change({"chance": 0.1, "times": 2})
    assert not is_change(2)
