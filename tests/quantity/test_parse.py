"""What a scenario may write for a number, and what it is told when it may not."""

import math
import pickle
import subprocess
import sys
from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.quantity import LawError, Quantity, QuantityError, is_quantity, make_law, make_steps, parse_quantity
from dcsim.units import UnitError

# ruff: noqa: E501  (a table of what is written and what is answered, one line each)

INF, NAN = math.inf, math.nan
MW = {"minimum": 0, "maximum": 1e6, "exclusive": True}
SHARE = {"minimum": 0, "maximum": 1}
DAYS = {"minimum": 0}


def problems(raw: object, unit: str = "days", **asked: object) -> list[tuple[str, str, str]]:
    with pytest.raises(QuantityError) as caught:
        parse_quantity(raw, unit, **asked)  # type: ignore[arg-type]
    assert caught.value.problems == pickle.loads(pickle.dumps(caught.value)).problems
    return [(".".join(map(str, path)), code, message) for path, code, message in caught.value.problems]


@pytest.mark.parametrize(
    ("raw", "unit", "value"),
    [
        (60, "days", 60),
        ("14 months", "days", 14 * 43_830 / 1440),
        ({"value": "$1.6bn"}, "usd_m", 1600),
        ({"constant": 3}, "count", 3),
        ({"value": 9, "unit": "weeks"}, "days", 63),
        ({"value": "9 days", "unit": "weeks"}, "days", 9),
        ({"triangular": {"low": 4, "mode": 4, "high": 4}}, "days", 4),
        ({"value": 3, "times": 2, "plus": "1 week"}, "days", 13),
        ({"value": 3, "plus": [1, "1 day"]}, "days", 5),
        ({"value": 1, "unit": "weeks", "plus": 2}, "days", 9),
        ({"value": {"value": {"value": 3, "plus": 1}, "times": 2}, "plus": 1}, "days", 9),
        ({"lognormal": {"median": 40, "p90": 80}, "times": 0, "plus": 7}, "days", 7),
        (0, "days", 0),
        (-0.08, "per_year", -0.08),
    ],
)
def test_constants(raw: object, unit: str, value: float) -> None:
    quantity = parse_quantity(raw, unit)
    assert quantity.is_constant
    assert quantity.value == quantity.median == quantity.mean == pytest.approx(value, rel=1e-15)
    assert quantity.unit == unit


def test_laws_and_units() -> None:
    month = 43_830 / 1440
    in_months = make_law("triangular", low=9 * month, mode=12 * month, high=18 * month)
    for raw in (
        {"triangular": {"low": 9, "mode": 12, "high": 18, "unit": "months"}},
        {"triangular": {"low": 9, "mode": 12, "high": 18}, "unit": "months"},
        {"triangular": {"low": "9 months", "mode": 365.25, "high": "1.5 years"}},
        {"triangular": {"low": 9, "mode": "365.25 days", "high": 18}, "unit": "months"},
    ):
        assert parse_quantity(raw, "days").law == in_months
    price = {"triangular": {"low": 112, "mode": 129, "high": 155, "unit": "$/kW-month"}}
    assert parse_quantity(price, "usd_per_kw_month").law == make_law("triangular", low=112, mode=129, high=155)
    cost = {"lognormal": {"median": 11, "p90": 13, "unit": "$m/MW"}}
    assert parse_quantity(cost, "usd_m_per_mw").law == make_law("lognormal", median=11, p90=13)
    # a unit is for what has one: shape, k and cv are pure numbers
    assert parse_quantity({"gamma": {"mean": 2, "cv": 0.5, "unit": "weeks"}}, "days").law == make_law(
        "gamma", mean=14, cv=0.5
    )
    assert parse_quantity({"discrete": {49: 1, "8 weeks": 2}}, "days").law == make_steps("discrete", [(49, 1), (56, 2)])
    assert parse_quantity({"discrete": {7: 1, 8: 2, "unit": "weeks"}}, "days").law == make_steps(
        "discrete", [(49, 1), (56, 2)]
    )
    assert parse_quantity({"empirical": [3, "1 week"]}, "days").law == make_steps("empirical", [(3, 1), (7, 1)])


def test_meta() -> None:
    quantity = parse_quantity(
        {
            "value": "$1.6bn",
            "range": ["$0.5bn", 3000],
            "whatif": "Guarantor's limit",
            "source": "report",
            "as_of": 2026,
            "confidence": "low",
            "kind": "epistemic",
            "loads": {"market": {"value": 0.35, "range": [0.2, 0.6]}, "cost": -0.8},
        },
        "usd_m",
        worse="low",
    )
    assert quantity.range == (500, 3000)
    assert (quantity.whatif, quantity.source, quantity.as_of) == ("Guarantor's limit", "report", "2026")
    assert (quantity.confidence, quantity.kind, quantity.worse) == ("low", "epistemic", "low")
    assert quantity.loads == (("market", 0.35), ("cost", -0.8))
    # what is said outside goes before what is said inside
    inner = {"value": {"lognormal": {"median": 1, "p90": 2}, "source": "a", "whatif": "w"}, "source": "b", "times": 2}
    outer = parse_quantity(inner, "days")
    assert (outer.source, outer.whatif, outer.median) == ("b", "w", 2)
    assert parse_quantity({"value": 1, "loads": {"a": 0.6, "b": 0.8}}, "days").loads  # squares add up to 1


BAD = [
    # laws
    ({"expnential": {"mean": 12}}, "expnential", "UNKNOWN", "unknown distribution 'expnential'; did you mean 'exponential'?"),
    ({"exponential": {}}, "exponential", "REQUIRED", "exponential needs 'mean'"),
    ({"exponential": {"mean": 12, "sd": 3}}, "exponential.sd", "UNKNOWN", "exponential takes no 'sd'"),
    ({"triangular": {"low": 1, "mode": 2, "hihg": 3}}, "triangular.hihg", "UNKNOWN", "triangular takes no 'hihg'; did you mean 'high'?"),
    ({"triangular": {"low": 1}}, "triangular", "REQUIRED", "triangular needs 'mode' and 'high'"),
    ({"lognormal": {}}, "lognormal", "REQUIRED", "lognormal needs 'median' and 'p90', or 'mean' and 'cv'"),
    ({"lognormal": {"median": 3}}, "lognormal", "REQUIRED", "lognormal needs 'p90'"),
    ({"lognormal": {"median": 3, "cv": 1}}, "lognormal", "UNKNOWN", "lognormal takes 'median' and 'p90', or 'mean' and 'cv', not 'median' and 'cv' together"),
    ({"lognormal": {"median": 3, "p90": 3}}, "lognormal.p90", "RANGE", "p90 must be above the median, got p90 3 and median 3"),
    ({"lognormal": {"median": 0, "p90": 3}}, "lognormal.median", "RANGE", "median must be > 0, got 0"),
    ({"lognormal": {"mean": 3, "cv": -1}}, "lognormal.cv", "RANGE", "cv must be >= 0, got -1"),
    ({"lognormal": {"mean": 3, "cv": 1e200}}, "lognormal", "RANGE", "lognormal(mean 3, cv 1e+200) overflows: its mean or its largest draws are not finite"),
    ({"lognormal": {"median": 3, "p90": 1e308}}, "lognormal", "RANGE", "lognormal(median 3, p90 1e+308) overflows: its mean or its largest draws are not finite"),
    ({"uniform": {"low": -1e308, "high": 1.5e308}}, "uniform", "RANGE", "uniform(low -1e+308, high 1.5e+308) overflows: its mean or its largest draws are not finite"),
    ({"pert": {"low": 4, "mode": 3, "high": 5}}, "pert.low", "RANGE", "low must not be above mode, got low 4 and mode 3"),
    ({"pert": {"low": 2, "mode": 6, "high": 5}}, "pert.mode", "RANGE", "mode must not be above high, got mode 6 and high 5"),
    ({"pert": 3}, "pert", "TYPE", "expected {low: …, mode: …, high: …}, got 3"),
    ({"normal": {"mean": 12, "sd": 6}}, "normal", "RANGE", "normal(12, 6) lies below zero with probability 2.3 %, more than 1 %; use a lognormal or gamma, or a smaller sd"),
    ({"normal": {"mean": 12, "sd": -1}}, "normal.sd", "RANGE", "sd must be >= 0, got -1"),
    ({"normal": {"mean": -1, "sd": 0}}, "normal", "RANGE", "normal(-1, 0) lies below zero with probability 1e+02 %, more than 1 %; use a lognormal or gamma, or a smaller sd"),
    ({"gamma": {"mean": 3, "cv": 1e5}}, "gamma.cv", "RANGE", "cv must be 0 or between 1e-6 and 1000, got 100000"),
    ({"erlang": {"k": 2.5, "mean": 3}}, "erlang.k", "TYPE", "k must be a whole number, got 2.5"),
    ({"erlang": {"k": 0, "mean": 3}}, "erlang.k", "RANGE", "k must be between 1 and 1e12, got 0"),
    ({"exponential": {"mean": 0}}, "exponential.mean", "RANGE", "mean must be > 0, got 0"),
    ({"exponential": {"mean": INF}}, "exponential.mean", "RANGE", "must be finite, got infinity"),
    ({"weibull": {"shape": 1e-9, "scale": 1}}, "weibull.shape", "RANGE", "shape too small: values overflow, got 1e-09"),
    ({"weibull": {"shape": 1e-9, "mean": 1}}, "weibull.shape", "RANGE", "shape too small: values overflow, got 1e-09"),
    ({"weibull": {"shape": 1e300, "scale": 0}}, "weibull.scale", "RANGE", "scale must be > 0, got 0"),
    ({"weibull": {"scale": 1}}, "weibull", "REQUIRED", "weibull needs 'shape'"),
    ({"empirical": []}, "empirical", "REQUIRED", "empirical needs at least one value"),
    ({"empirical": [1, NAN]}, "empirical.1", "RANGE", "value 2 is not finite"),
    ({"empirical": 4}, "empirical", "TYPE", "expected a list of values or {csv: FILE, column: NAME}, got 4"),
    ({"discrete": [1, 2]}, "discrete", "TYPE", "expected {value: weight, …}, got a list"),
    ({"discrete": {}}, "discrete", "REQUIRED", "discrete needs at least one value"),
    ({"discrete": {1: 0.5, 2: 0}}, "discrete.2", "RANGE", "the weight of 2 must be > 0 and finite, got 0"),
    ({"discrete": {1: 0.5, 2: -1}}, "discrete.2", "RANGE", "the weight of 2 must be > 0 and finite, got -1"),
    ({"discrete": {7: 1, "1 week": 1}}, "discrete.1 week", "DUPLICATE", "the value 1 week stands twice"),
    ({"discrete": {1: 1e308, 2: 1e308}}, "discrete", "RANGE", "the weights or values of discrete overflow"),
    # units inside laws
    ({"uniform": {"low": "3 MW", "high": 5}}, "uniform.low", "TYPE", "expected a duration (days), got power '3 MW'"),
    ({"uniform": {"low": 3, "high": 5, "unit": "mont"}}, "uniform.unit", "UNKNOWN", "unknown unit 'mont'; did you mean 'month'?"),
    ({"value": 3, "unit": 5}, "unit", "TYPE", "expected a unit, got 5"),
    # wrappers
    ({}, "", "REQUIRED", "expected a duration (days): a value or a law"),
    ({"times": 2}, "", "EDIT", "'times' and 'plus' change a quantity, and there is none here to change"),
    ({"value": 3, "constant": 3}, "", "UNKNOWN", "give one of 'value' and 'constant', not several"),
    ({"value": 3, "uniform": {"low": 1, "high": 2}}, "", "UNKNOWN", "give one of 'value' and 'uniform', not several"),
    ({"value": 3, "sorce": "a"}, "sorce", "UNKNOWN", "unknown key 'sorce'; did you mean 'source'?"),
    ({"value": 3, 4: "a"}, "", "UNKNOWN", "unknown key 4; keys are text"),
    ({"value": 3, "times": -1}, "times", "RANGE", "must be >= 0, got -1"),
    ({"value": 3, "plus": "5 MW"}, "plus", "TYPE", "expected a duration (days), got power '5 MW'"),
    ({"value": 3, "plus": [1, "5 MW"]}, "plus.1", "TYPE", "expected a duration (days), got power '5 MW'"),
    ({"value": 1e308, "times": 10}, "", "RANGE", "must be finite after the change"),
    ({"value": 3, "range": 5}, "range", "TYPE", "expected [low, high], got 5"),
    ({"value": 3, "range": [5, 2]}, "range", "RANGE", "low must not be above high, got 5 and 2"),
    ({"value": 3, "range": [-1, 2]}, "range.0", "RANGE", "must be >= 0, got -1"),
    ({"value": 3, "confidence": "hihg"}, "confidence", "UNKNOWN", "expected high, medium, low or guess, got 'hihg'; did you mean 'high'?"),
    ({"value": 3, "kind": "luck"}, "kind", "UNKNOWN", "expected aleatory or epistemic, got 'luck'"),
    ({"value": 3, "whatif": 5}, "whatif", "TYPE", "expected text, got 5"),
    ({"value": 3, "as_of": "soon"}, "as_of", "DATE", "expected a date such as 2026-07-01 or 2026-07, got text 'soon'"),
    ({"value": 3, "loads": 5}, "loads", "TYPE", "expected {factor: loading, …}, got 5"),
    ({"value": 3, "loads": {"a": 1.2}}, "loads.a", "RANGE", "must be between -1 and 1, got 1.2"),
    ({"value": 3, "loads": {"a": 0.8, "b": 0.7}}, "loads", "RANGE", "the squares of the loads add up to 1.13, more than 1"),
    # what is no number
    (None, "", "REQUIRED", "required, got null"),
    (INF, "", "RANGE", "must be finite, got infinity"),
    (1e-300, "", "RANGE", "below the time resolution (one minute), got 1e-300 days"),
    ({"exponential": {"mean": 1e-300}}, "", "RANGE", "on average below the time resolution (one minute), got 1e-300 days"),
    (-1, "", "RANGE", "must be >= 0, got -1"),
    ({"uniform": {"low": -1, "high": 2}}, "", "RANGE", "its lowest value must be >= 0, got -1"),
    ({"uniform": {"low": 1, "high": 2}, "plus": -3}, "", "RANGE", "its lowest value must be >= 0, got -2"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "path", "code", "message"), BAD)
def test_refused(raw: object, path: str, code: str, message: str) -> None:
    assert problems(raw, **DAYS) == [(path, code, message)]


@pytest.mark.parametrize(
    ("raw", "unit", "asked", "message"),
    [
        (1.2, "fraction", SHARE, "must be between 0 and 1, got 1.2"),
        (80, "fraction", SHARE, "must be between 0 and 1, got 80; did you mean 0.8?"),
        (-0.5, "fraction", SHARE, "must be between 0 and 1, got -0.5"),
        (1, "fraction", SHARE | {"exclusive": True}, "must be strictly between 0 and 1, got 1"),
        (
            {"uniform": {"low": 0.5, "high": 1.5}},
            "fraction",
            SHARE,
            "its highest value must be between 0 and 1, got 1.5",
        ),
        (
            {"lognormal": {"median": 0.5, "p90": 1}},
            "fraction",
            SHARE,
            "lies above the limit 1 with probability 10 %, more than 1 %",
        ),
        (-100, "MW", MW, "must be > 0, got -100"),
        (-0.0, "MW", MW, "must be > 0, got 0"),
        (1e300, "MW", MW, "above the limit 1000000 MW, got 1e+300"),
        (1e6, "MW", MW, "must be below the limit 1000000 MW, got 1000000"),
        ({"discrete": {0: 1, 5: 1}}, "MW", MW, "its lowest value must be > 0, got 0"),
        (2.5, "count", {"whole": True}, "must be a whole number, got 2.5"),
        ({"discrete": {1: 1, 1.5: 1}}, "count", {"whole": True}, "must be a whole number, got 1.5"),
        (
            {"uniform": {"low": 1, "high": 2}},
            "days",
            {"constant": True},
            "must be a constant here, got the law 'uniform'",
        ),
    ],
)
def test_bounds(raw: object, unit: str, asked: dict[str, object], message: str) -> None:
    assert [found[2] for found in problems(raw, unit, **asked)] == [message]


def test_bounds_that_hold() -> None:
    parse_quantity({"uniform": {"low": 0, "high": 5}}, "MW", minimum=0, exclusive=True)  # 0 is never drawn
    parse_quantity({"lognormal": {"median": 0.1, "p90": 0.2}}, "fraction", minimum=0, maximum=1)
    parse_quantity({"gamma": {"mean": 0.1, "cv": 0.5}}, "fraction", minimum=0, maximum=1)
    assert parse_quantity({"value": 3, "times": 0.5}, "count", whole=True).value == 2  # an edit rounds half up
    assert parse_quantity({"triangular": {"low": 10, "mode": 20, "high": 28}}, "racks_per_day", whole=True).median > 19


def test_all_problems_at_once() -> None:
    raw = {
        "lognormal": {"median": "3 MW", "p90": "10 dys", "p10": 1},
        "sorce": "a",
        "loads": {"a": "x"},
        "range": [1],
        "times": -1,
    }
    assert [path for path, _, _ in problems(raw)] == [
        "sorce", "range", "loads.a", "lognormal.p10", "lognormal.median", "lognormal.p90", "times",
    ]  # fmt: skip
    with pytest.raises(QuantityError, match=r"^range: expected \[low, high\], got a list; times: must be >= 0"):
        parse_quantity({"value": 3, "range": [1], "times": -1}, "days")


@pytest.mark.parametrize("raw", [True, "soon", [1], "2026-01-01", "1:40", "100", "__import__('os').system('id')"])
def test_what_is_no_number_is_a_type_problem(raw: object) -> None:
    assert [code for _, code, _ in problems(raw)] == ["TYPE"]


def test_columns_of_files() -> None:
    def read(file: str, column: str) -> Sequence[object]:
        if file != "a.csv":
            raise UnitError("FILE", f"file {file} not found (relative to the scenario)")
        return {"d": ["3", "2 weeks", 5.0], "bad": ["1", "x", "nan"], "none": []}[column]

    law = parse_quantity({"empirical": {"csv": "a.csv", "column": "d"}}, "days", read_column=read).law
    assert law == make_steps("empirical", [(3, 1), (5, 1), (14, 1)])
    in_weeks = parse_quantity({"empirical": {"csv": "a.csv", "column": "d", "unit": "weeks"}}, "days", read_column=read)
    assert in_weeks.law.bounds() == (14, 35)
    assert [path for path, _, _ in problems({"empirical": {"csv": "a.csv", "column": "bad"}}, read_column=read)] == [
        "empirical.1",
        "empirical.2",
    ]
    for inner, message in [
        ({"csv": "b.csv", "column": "d"}, "file b.csv not found (relative to the scenario)"),
        ({"csv": "a.csv", "column": "none"}, "column 'none' of a.csv has no values"),
        ({"csv": "a.csv"}, "empirical needs a list of values, or 'csv' and 'column', both texts"),
    ]:
        assert problems({"empirical": inner}, read_column=read)[0][2] == message
    found = problems({"empirical": {"csv": "a.csv", "colum": "d"}}, read_column=read)
    assert found[0][2] == "empirical takes no 'colum'; did you mean 'column'?"
    assert problems({"empirical": {"csv": "a.csv", "column": "d"}})[0][1] == "FILE"


def test_is_quantity() -> None:
    for yes in (
        {"value": 3},
        {"constant": 3, "source": "a"},
        {"times": 2},
        {"times": 2, "plus": 1},
        {"normal": {"mean": 3, "sd": 1}, "loads": {}},
        {"normal": {}},
        {"discrete": {1: 2}},
        {"empirical": [1, 2]},
    ):
        assert is_quantity(yes), yes
    for no in ({}, 3, "3 days", None, [1], {"after": "x"}, {"times": 2, "chance": 0.1}, {"normal": {"rating": "AA"}}):
        assert not is_quantity(no), no


def test_make_law_speaks_for_itself() -> None:
    with pytest.raises(LawError, match="unknown distribution 'lognormall'; did you mean 'lognormal'"):
        make_law("lognormall", median=3, p90=5)
    with pytest.raises(LawError, match=r"^mean must be finite, got not a number; cv must be finite, got infinity$"):
        make_law("gamma", mean=NAN, cv=INF)
    with pytest.raises(LawError, match="value 1 is not finite"):
        make_steps("discrete", [(INF, 1)])


def test_reading_needs_no_numpy() -> None:
    program = """
import sys
from dcsim.quantity import parse_quantity
for law in ({"lognormal": {"median": 1, "p90": 2}}, {"pert": {"low": 1, "mode": 2, "high": 3}},
            {"gamma": {"mean": 1, "cv": 1}}, {"normal": {"mean": 5, "sd": 1}}, {"weibull": {"mean": 5, "shape": 1}}):
    str(parse_quantity(law, "days", minimum=0))
print([name for name in ("numpy", "scipy", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


number = st.floats(0.01, 1e4)
texts = st.sampled_from(["report", "a: b", "true", "it's", 'say "no"', "null", "Löhne", "1e3", "-"])


@st.composite
def written(draw: st.DrawFn) -> dict[str, object]:
    low, mode, high = sorted([draw(number), draw(number), draw(number)])
    raw: dict[str, object] = draw(
        st.sampled_from(
            [
                {"value": mode},
                {"uniform": {"low": low, "high": high}},
                {"triangular": {"low": low, "mode": mode, "high": high}},
                {"pert": {"low": low, "mode": mode, "high": high}},
                {"lognormal": {"median": mode, "p90": mode + high}},
                {"lognormal": {"mean": mode, "cv": low / high}},
                {"normal": {"mean": mode, "sd": mode / 3}},
                {"gamma": {"mean": mode, "cv": low / high}},
                {"erlang": {"k": 3, "mean": mode}},
                {"exponential": {"mean": mode}},
                {"weibull": {"mean": mode, "shape": 1.5}},
                {"weibull": {"shape": 0.5, "scale": mode}},
                {"discrete": {low: 1, high + 1: 2.5}},
                {"empirical": [mode, low, high]},
            ]
        )
    )
    extra = {
        "times": st.sampled_from([1.5, 2]),
        "plus": number,
        "source": texts,
        "whatif": texts,
        "confidence": st.sampled_from(["high", "guess"]),
        "kind": st.just("epistemic"),
        "loads": st.just({"power-works": 0.6, "b": -0.1}),
        "range": st.just([1, 2.5]),
        "as_of": st.just("2026-07"),
    }
    for key in draw(st.lists(st.sampled_from(sorted(extra)), unique=True)):
        raw = {**raw, key: draw(extra[key])}
    return raw


def _same_draws(a: Quantity, b: Quantity) -> bool:
    return [a.law.quantile(u) for u in (0.1, 0.5, 0.9)] == [b.law.quantile(u) for u in (0.1, 0.5, 0.9)]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(written())
def test_what_is_printed_reads_back(raw: dict[str, object]) -> None:
    quantity = parse_quantity(raw, "days")
    again = parse_quantity(quantity.written(), "days")
    assert again == quantity
    assert hash(again) == hash(quantity)
    printed = parse_quantity(yaml.safe_load(str(quantity)), "days")
    assert printed == quantity
    assert _same_draws(printed, quantity)
    assert pickle.loads(pickle.dumps(quantity)) == quantity
