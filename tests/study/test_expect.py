"""Verdicts on what must hold: by hand on small samples, and against the tables of real runs."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dcsim import Result, Scenario, UsageError, load, simulate
from dcsim.scenario.expression import Column, parse_expectation, parse_quantity
from dcsim.stats import mean, quantile, share
from dcsim.study.expect import Judged, judge
from dcsim.study.naming import Place, place_of
from dcsim.study.values import Series, Values

SCENARIOS = Path(__file__).parents[2] / "scenarios"
NEVER = math.inf
NOTHING = math.nan


class Given(Values):
    """Quantities as they are given: the first names are those of `columns`."""

    def __init__(self, alike: bool = False, **columns: list[float]) -> None:
        self.numbers = list(range(len(next(iter(columns.values())))))
        self.spec: Any = SimpleNamespace(start=dt.date(2026, 1, 1), status=None, horizon=dt.date(2030, 12, 31))
        self.columns = columns
        self.__dict__["alike"] = alike

    def of(self, quantity: Any) -> Series:
        name = getattr(quantity, "name", "")
        return Series(np.array(self.columns[name]), "date" if name == "full_live" else None)


def verdict(text: str, alike: bool = False, **columns: list[float]) -> str:
    return judge(Given(alike, **columns), "it", parse_expectation(text)).verdict


# ---- by hand ------------------------------------------------------------------------------------------------------

HUNDRED = [float(i) for i in range(1, 101)]  # P50 is 50 with the interval 40 to 61, the mean 50.5 with 44.7 to 56.3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P50 x <= 61", "pass"),
        ("P50 x < 61", "undecided"),
        ("P50 x <= 60", "undecided"),
        ("P50 x <= 40", "undecided"),
        ("P50 x < 40", "fail"),
        ("P50 x <= 39", "fail"),
        ("P50 x >= 40", "pass"),
        ("P50 x > 40", "undecided"),
        ("P50 x >= 62", "fail"),
        ("P50 x > 61", "fail"),
        ("P50 x = 50", "undecided"),
        ("P50 x = 40", "undecided"),
        ("P50 x = 39", "fail"),
        ("40 <= P50 x <= 61", "pass"),
        ("45 <= P50 x <= 61", "undecided"),
        ("10 <= P50 x <= 39", "fail"),
        ("mean x <= 57", "pass"),
        ("mean x <= 55", "undecided"),
        ("mean x >= 57", "fail"),
        ("P99 x <= 1000", "undecided"),  # too few replications for an interval
        ("chance(x <= 90) >= 0.8", "pass"),
        ("chance(x <= 90) >= 0.9", "undecided"),
        ("chance(x <= 90) >= 0.95", "fail"),
        ("chance(x <= 200) >= 0.96", "pass"),  # 100 of 100: at least 97.0 %
        ("chance(x <= 200) >= 0.98", "undecided"),
        ("chance(x > 200) <= 0.01", "undecided"),  # 0 of 100: at most 3.0 %
        ("chance(20 < x <= 90 and x > 80) >= 0.5", "fail"),
        ("chance(x > 80 and 0 < x <= 1000) >= 0.5", "fail"),
        ("45 <= P50 x <= 39", "fail"),
    ],
)
def test_the_whole_interval_decides(text: str, expected: str) -> None:
    assert verdict(text, x=HUNDRED) == expected
    found = judge(Given(x=HUNDRED), "it", parse_expectation("P50 x <= 60")).estimate
    assert found == quantile(HUNDRED, 0.5)
    assert (found.low, found.high) == (40, 61)


def test_without_luck_the_value_decides() -> None:
    for times in (1, 3):
        for text, expected in (
            ("P50 x = 645", "pass"), ("P99 x <= 645", "pass"), ("P50 x < 645", "fail"), ("mean x > 644", "pass"),
            ("chance(x = 645) >= 1", "pass"), ("chance(x > 645) > 0", "fail"), ("1 <= mean x <= 600", "fail"),
        ):  # fmt: skip
            assert verdict(text, alike=True, x=[645.0] * times) == expected, text
    # All the same here is not all the same everywhere: what is rare may still come.
    assert verdict("chance(x > 0) <= 0.01", alike=False, x=[0.0] * 20) == "undecided"
    assert verdict("chance(x > 0) <= 0.01", alike=True, x=[0.0] * 20) == "pass"


def test_numbers_that_differ_by_rounding_are_the_same() -> None:
    third = 5200.0 * (1 + 1e-13)
    assert verdict("mean x = 5200", alike=True, x=[third]) == "pass"
    assert verdict("mean x <= 5200", alike=True, x=[third]) == "pass"
    assert verdict("mean x < 5200", alike=True, x=[third]) == "fail"
    assert verdict("chance(x > 5200) >= 0.5", alike=True, x=[third]) == "fail"
    assert verdict("mean x = 5200", alike=True, x=[5200.001]) == "fail"


def test_what_is_not_reached_is_later_than_all_and_never_dropped() -> None:
    day = (dt.date(2028, 6, 30) - dt.date(1970, 1, 1)).days
    dates = [float(day)] * 65 + [NEVER] * 35
    assert verdict("P50 full_live(a) <= 2028-06-30", full_live=dates) == "pass"
    assert verdict("P90 full_live(a) <= 2099-06-30", full_live=dates) == "fail"
    assert verdict("mean full_live(a) <= 2099-06-30", full_live=dates) == "fail"
    found = judge(Given(full_live=dates), "it", parse_expectation("mean full_live(a) <= 2099-06-30"))
    assert found.estimate is not None
    assert (found.estimate.value, found.estimate.note) == (NEVER, "no value in 35 of 100 replications")
    for text, count in (("<= 2099-01-01", 65), ("> 2028-06-30", 35), ("<= 2028-06-29", 0)):
        chance = judge(Given(full_live=dates), "it", parse_expectation(f"chance(full_live(a) {text}) >= 0.5"))
        assert chance.estimate == share(count, 100)


def test_what_has_no_number_counts_against_the_expectation() -> None:
    half = [1.0] * 50 + [NOTHING] * 50
    assert verdict("P90 x <= 5", x=half) == "fail"
    assert verdict("P10 x >= 0", x=half) == "fail"
    assert verdict("P10 x <= 5", x=half) == "pass"
    assert verdict("mean x <= 5", x=half) == "fail"
    assert verdict("mean x >= 0", x=half) == "fail"
    for text in ("x <= 5", "x > 5", "x >= 0"):
        found = judge(Given(x=half), "it", parse_expectation(f"chance({text}) >= 0.5")).estimate
        assert found == share(0 if text == "x > 5" else 50, 100)


def test_beside_another_quantity_it_is_the_difference_that_is_judged() -> None:
    x, y = HUNDRED, [2 * value for value in HUNDRED]
    found = judge(Given(x=x, y=y), "it", parse_expectation("P50 x <= 0.6 of y"))
    assert (found.verdict, found.of_difference) == ("pass", True)
    assert found.estimate == quantile([value - 0.6 * 2 * value for value in HUNDRED], 0.5)
    assert verdict("mean x <= 0.4 of y", x=x, y=y) == "fail"
    assert verdict("mean y <= 0.5 of x", x=x, y=y) == "fail"
    assert judge(Given(x=x, y=y), "it", parse_expectation("mean x <= 0.4 of y")).estimate == mean(
        np.array(x) - 0.4 * np.array(y)
    )
    assert verdict("chance(x < y) >= 0.95", x=x, y=y) == "pass"
    assert verdict("chance(x <= y) >= 0.95", x=[NEVER] * 100, y=[NEVER] * 100) == "fail"  # neither is reached


def test_a_date_beside_a_number_is_refused_when_the_run_knows() -> None:
    with pytest.raises(UsageError, match="only 'date_of"):
        verdict("chance(x <= full_live(a)) >= 0.5", x=[1.0] * 3, full_live=[1.0] * 3)


def test_a_date_outside_is_not_decided() -> None:
    found = judge(Given(x=[1.0]), "it", parse_expectation("P50 x@2031 > 0"))
    assert (found.verdict, found.estimate) == ("undecided", None)
    assert found.note == "x@2031 is after the horizon, 2030-12-31"


# ---- against the tables of a run ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(SCENARIOS / "quickstart.yaml").edit(
        {"sites.prairie.tags": ["letters"], "sites.ridge.tags": ["letters"], "replications": 40}
    )


@pytest.fixture(scope="module")
def result(scenario: Scenario) -> Result:
    return simulate(scenario, workers=1)


def by_replication(rows: pd.DataFrame, column: str) -> list[Any]:
    """The column by replication; None where a replication has no row."""
    found = rows.set_index("replication")[column]
    assert found.index.is_unique
    return [found.get(number) for number in range(40)]


def values(result: Result, text: str) -> list[float | None]:
    found = Values(result, result.scenario).of(parse_quantity(text))
    return [None if math.isinf(value) else value for value in found.values.tolist()]


def test_outcomes_and_measures_are_those_of_the_tables(result: Result) -> None:
    assert values(result, "idle_mw_days") == result.outcomes["idle_mw_days"].tolist()
    assert values(result, "lab.idle_mw_days") == result.outcomes["idle_mw_days"].tolist()
    assert values(result, "loans") == result.outcomes["loans_usd_m"].tolist()
    for text, month in (
        ("live_mw@2030-06-30", "2030-06-30"), ("live_mw@2030-06-29", "2030-05-31"), ("live@2030-06", "2030-06-30"),
        ("live_mw@2030", "2030-12-31"), ("lab.live_mw@2032-12-31", "2032-12-31"),
    ):  # fmt: skip
        rows = result.capacity[result.capacity["month"] == pd.Timestamp(month)]
        assert values(result, text) == by_replication(rows, "live_mw"), text
    assert values(result, "live_mw@2030") == values(result, "live_mw_2030")
    assert values(result, "cloudmaker.limit") == [1600.0] * 40


def test_milestones_are_those_of_the_table(scenario: Scenario) -> None:
    # The horizon cuts off one of two phases in some replications.
    result = simulate(scenario.edit({"horizon": "2030-03-31", "expect": None}), workers=1)
    rows = result.milestones[result.milestones["lot"].isna()]

    def of(site: str, phase: str | None, name: str) -> list[float | None]:
        mine = rows[(rows["site"] == site) & (rows["milestone"] == name)]
        return by_replication(mine[mine["phase"].isna() if phase is None else mine["phase"] == phase], "day")

    assert values(result, "day_of(lakeside.lease_signed)") == of("lakeside", None, "lease_signed")
    first, second = of("prairie", "p1", "full_live"), of("prairie", "p2", "full_live")
    assert values(result, "day_of(prairie.p1.full_live)") == first
    pairs = list(zip(first, second, strict=True))
    assert any((a is None) != (b is None) for a, b in pairs)
    both = [None if a is None or b is None else max(a, b) for a, b in pairs]
    assert values(result, "day_of(prairie.full_live)") == both
    firsts = zip(of("prairie", "p1", "first_live"), of("prairie", "p2", "first_live"), strict=True)
    either = [min((day for day in pair if day is not None), default=None) for pair in firsts]
    assert values(result, "day_of(prairie.first_live)") == either
    start = (result.scenario.start - dt.date(1970, 1, 1)).days
    dates = values(result, "full_live(prairie)")
    assert dates == [None if day is None else start + math.floor(day) for day in both]


def test_the_signed_share_counts_sites(result: Result) -> None:
    signed = result.milestones[result.milestones["milestone"] == "lease_signed"]
    count = signed[signed["site"].isin(["prairie", "ridge"])].groupby("replication").size()
    expected = [count.get(number, 0) / 2 for number in range(40)]
    assert values(result, "signed_share(letters)") == expected
    assert set(expected) == {0, 0.5, 1}
    assert values(result, "signed_share(@letters)") == expected


def test_the_library_judges(result: Result) -> None:
    named = result.expectations()
    assert [(judged.id, judged.verdict) for judged in named] == [("something-live", "pass"), ("no-miracle", "pass")]
    live = result.outcomes["live_mw_2030"]
    assert named[0].estimate == share(int((live >= 100).sum()), 40)
    assert result.expect("P50 live_mw@2030 >= 1 GW").verdict == "fail"
    later = result.expect("P50 live_mw@2033-06 >= 1 GW")
    assert (later.verdict, later.note) == ("undecided", "live_mw@2033-06 is after the horizon, 2032-12-31")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mean idle_mw_dais <= 5", "unknown outcome 'idle_mw_dais'; did you mean 'idle_mw_days'?"),
        ("mean lab.lons <= 5", "unknown outcome 'lab.lons'; did you mean 'loans'?"),
        ("mean nothing_at_all@2030 <= 5", "unknown outcome by year 'nothing_at_all@2030'; by year there are live"),
        ("mean live_mw > 3", "'mean live_mw > 3': say when: live_mw@2032-12-31"),
        ("mean cloudmaker.idle_mw_days > 3", "unknown outcome 'cloudmaker.idle_mw_days'"),
        ("mean replication > 3", "unknown outcome 'replication'"),
        ("mean signed_share(tags) > 3", "unknown tag or site 'tags'"),
        ("idle_mw_days > 3", "say which statistic"),
    ],
)
def test_the_library_refuses(result: Result, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        result.expect(text)
    assert says in str(caught.value)


def test_the_manifest_keeps_the_verdicts(result: Result) -> None:
    manifest = json.loads((result.directory / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["expect"]["something-live"] == {
        "expression": "chance(live_mw@2030-12-31 >= 100 MW) >= 0.5", "verdict": "pass", "note": "",
    }  # fmt: skip
    assert manifest == result.manifest


def test_an_outcome_that_no_run_has_is_refused_before_it(scenario: Scenario, tmp_path: Path) -> None:
    wrong = scenario.edit({"expect.x": "mean idle_mw_dais > 3", "replications": 10_000_000})
    with pytest.raises(UsageError, match=r"^expect.x: unknown outcome 'idle_mw_dais'; did you mean 'idle_mw_days'\?$"):
        simulate(wrong, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_not_written_leaves_it_undecided(scenario: Scenario) -> None:
    some = simulate(scenario, replications=3, workers=1, tables=["outcomes"])
    why = "the table capacity was not written"
    assert [(judged.verdict, judged.note) for judged in some.expectations()] == [("undecided", why)] * 2
    assert some.expect("mean idle_mw_days >= 0").verdict in ("pass", "undecided")


def test_money_of_a_party_by_month(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    months = [dt.date(2032, 10, 31), dt.date(2032, 11, 30), dt.date(2032, 12, 31)]
    rows = [
        {"replication": r, "month": month, "party": party, "closing": start - r + 10.0 * i}
        for r in reversed(range(40))
        for party, start in (("elm", 7.0), ("oak", 500.0))
        for i, month in enumerate(months)
    ]
    monkeypatch.setattr(Values, "_table", lambda self, name: pa.Table.from_pylist(rows))
    money = Values(result, result.scenario)
    monkeypatch.setattr(Values, "outcomes", pa.table({"replication": [0], "tenant": ["lab"]}))
    for text, first in (
        ("elm.least_cash", 7), ("elm.ending_cash", 27), ("elm.cash@2032-11-30", 17), ("oak.cash@2032", 520),
    ):  # fmt: skip
        found = money.of(parse_quantity(text))
        assert (found.values.tolist(), found.unit) == ([first - r for r in range(40)], "usd_m"), text
    with pytest.raises(UsageError, match="the money of 'bank' is not followed"):
        money.of(parse_quantity("bank.least_cash"))


def test_what_no_replication_has_is_not_decided(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    empty = pa.table({"replication": range(40), "tenant": ["lab"] * 40, "cost_usd_m": pa.nulls(40, pa.float64())})
    monkeypatch.setattr(Values, "outcomes", empty)
    found = judge(Values(result, result.scenario), "it", parse_expectation("mean cost <= $1m"))
    assert (found.verdict, found.estimate, found.note) == ("undecided", None, "no replication has a number for cost")
    assert not Values(result, result.scenario).has_numbers("cost_usd_m")


def test_a_replication_alone_decides_and_luck_is_noticed(scenario: Scenario) -> None:
    alone = simulate(scenario, replications=1, workers=1)
    assert {judged.verdict for judged in alone.expectations()} <= {"pass", "fail"}
    several = simulate(scenario, replications=4, workers=1)
    assert not Values(several, several.scenario).alike
    walk = simulate(load(SCENARIOS / "walk.yaml"), replications=3, workers=1)
    assert Values(walk, walk.scenario).alike
    assert [judged.verdict for judged in walk.expectations()] == ["pass"] * 3
    assert isinstance(walk.expect("P99 day_of(meadow.full_live) = 742"), Judged)
    assert walk.expect("P99 day_of(meadow.full_live) = 742").verdict == "pass"


def test_a_tenant_a_party_and_a_year_find_their_column() -> None:
    scenario = load(SCENARIOS / "quickstart.yaml")
    columns = [
        "replication", "tenant", "owned_share_2030", "least_cash_usd_m", "owned_cost_usd_m_2031", "broadcom_fund_calls",
        "committed_peak_cloudmaker_usd_m", "live_mw_at_horizon", "unserved_mw_2031",
    ]  # fmt: skip
    spec = scenario.edit({"parties.broadcom-fund": {"rating": "A"}}).spec

    def place(text: str) -> Place:
        asked = parse_quantity(text)
        assert isinstance(asked, Column)
        return place_of(asked, spec, columns)

    for text, column, whose in (
        ("owned_share@2030", "owned_share_2030", "lab"), ("owned_share@2030-12-31", "owned_share_2030", "lab"),
        ("least_cash", "least_cash_usd_m", "lab"), ("lab.least_cash", "least_cash_usd_m", "lab"),
        ("owned_cost@2031", "owned_cost_usd_m_2031", "lab"), ("broadcom-fund.calls", "broadcom_fund_calls", None),
        ("cloudmaker.committed_peak", "committed_peak_cloudmaker_usd_m", None),
    ):  # fmt: skip
        assert place(text) == Place("outcomes", column, whose), text
    assert place("bank.least_cash") == Place("cash", "least_cash", "bank")
    assert place("bank.cash@2030") == Place("cash", "cash", "bank", dt.date(2030, 12, 31))
    with pytest.raises(UsageError, match="has one value a year: write owned_share@2030"):
        place("owned_share")
    with pytest.raises(UsageError, match="by year there are owned_share, owned_cost, unserved"):
        place("nothing@2030")
