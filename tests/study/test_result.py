"""Quantiles by month and dates that some replications never reach."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from fake_study import DAY, FAKE, FAKE_ONE, FakeScenario, walk

from dcsim.errors import UsageError
from dcsim.stats import quantile, share, wilson
from dcsim.study.dates import estimate_date
from dcsim.study.model import Model
from dcsim.study.run import run_study
from dcsim.tables.layout import EPOCH

SCENARIO = FakeScenario(replications=200, seed=11)  # a tenth of the replications never go live


@pytest.fixture(scope="module")
def result():
    return run_study(SCENARIO, FAKE, workers=1)


def test_quantiles_of_every_month(result):
    frame = result.quantiles("live_mw", [0.1, 0.5, 0.9], tenant="lab")
    assert list(frame.columns) == ["tenant", "month", "quantile", "value", "low", "high", "n", "note"]
    assert len(frame) == 36 * 3
    assert frame["month"].iloc[-1] == pd.Timestamp(2029, 6, 30)
    capacity = result.capacity
    for month in (date(2028, 9, 30), date(2029, 6, 30)):
        values = capacity[(capacity["month"] == pd.Timestamp(month)) & (capacity["tenant"] == "lab")]["live_mw"]
        for q in (0.1, 0.5, 0.9):
            row = frame[(frame["month"] == pd.Timestamp(month)) & (frame["quantile"] == q)].iloc[0]
            expected = quantile(values.to_numpy(), q)
            assert (row["value"], row["low"], row["high"], row["n"]) == (
                expected.value, expected.low, expected.high, 200,
            )  # fmt: skip


def test_quantiles_of_outcomes_by_tenant(result):
    frame = result.quantiles("idle_mw_days", [0.5, 0.995])
    assert list(frame.columns) == ["tenant", "quantile", "value", "low", "high", "n", "note"]
    assert frame["tenant"].tolist() == ["lab", "lab", "rival", "rival"]
    assert frame["note"].iloc[0] == ""
    assert frame["note"].iloc[1].startswith("too few replications for an interval (200; it takes 736")
    assert np.isnan(frame["low"].iloc[1])
    values = result.outcomes.query("tenant == 'lab'")["idle_mw_days"]
    assert frame["value"].iloc[0] == quantile(values, 0.5).value


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("live_mv", "did you mean 'live_mw'"),
        ("date_first_live", "ask date_of"),
        ("cost", "has no value in 200 replications"),
        ("tenant", "not a number|not a result"),
    ],
)
def test_quantiles_refuse(result, column, says):
    with pytest.raises(UsageError, match=says):
        result.quantiles(column)


def reached(result, column):
    dates = result.outcomes.query("tenant == 'lab'")[column]
    return sorted(dates.dropna().dt.date), int(dates.isna().sum())


def test_a_date_at_a_target_is_exact_to_the_day(result):
    dates, never = reached(result, "date_of_100_mw")
    assert never > 0
    estimate = result.date_of("live_mw", 100, quantile=0.5, tenant="lab")
    assert estimate.date == dates[99]
    assert estimate.low < estimate.date < estimate.high
    assert estimate.resolution == "day"
    assert estimate.share_reached == len(dates) / 200
    assert (estimate.share.low, estimate.share.high) == wilson(len(dates), 200)
    assert not estimate.too_few


def test_never_counts_as_after_the_horizon(result):
    dates, _ = reached(result, "date_of_100_mw")
    last = len(dates) / 200
    late = result.date_of("live_mw", 100, quantile=last + 0.005, tenant="lab")
    assert late.date is None
    assert late.low is not None
    assert late.high is None
    assert str(late).startswith(f"not by 2029-06-30 ({late.low} to not by 2029-06-30); reached in ")
    edge = result.date_of("live_mw", 100, quantile=last, tenant="lab")
    assert edge.date == dates[-1]
    assert edge.high is None


def test_a_date_at_another_level_is_that_of_a_month(result):
    estimate = result.date_of("live_mw", 60, quantile=0.5, tenant="lab")
    assert estimate.resolution == "month"
    capacity = result.capacity.query("tenant == 'lab' and live_mw >= 60")
    firsts = sorted(capacity.groupby("replication")["month"].min().dt.date)
    assert estimate.date == firsts[99]
    assert estimate.share_reached == len(firsts) / 200
    assert result.date_of("live_mw", 101, tenant="lab").share.note.startswith("0 of 200, at most")
    assert result.date_of("loi_mw", 100, tenant="lab").date == date(2026, 7, 31)


def test_a_date_column_by_name(result):
    dates, _ = reached(result, "date_first_live")
    assert result.date_of("date_first_live", quantile=0.5, tenant="lab").date == dates[99]


# Replications of one table: 100 MW are live on day 742 and so many days, an owned MW-month costs so much.
TABLE = [(0, 1.0), (10, 3.0), (20, 1.5), (20, None), (30, 0.5)]


def in_table(scenario, seed):
    def replicate(replication, trace):
        days, cost = TABLE[replication]
        outcomes = {"lab": {"owned_cost_per_mw_month": cost}, "rival": {"owned_cost_per_mw_month": None}}
        return replace(walk(replication, days * DAY), outcomes=outcomes)

    return replicate


@pytest.fixture(scope="module")
def table():
    return run_study(FakeScenario(replications=5), Model(in_table), workers=1)


@pytest.mark.parametrize(
    ("days", "cost", "count"),
    [
        (20, 2.0, 2),  # the 1st and the 3rd: the 2nd is dearer, the 4th has no cost, the 5th is late
        (20, 1.5, 2),
        (20, 1.499, 1),
        (19, 2.0, 1),
        (30, 3.0, 4),
        (30, float("inf"), 4),
        (-1, 9.0, 0),
        (30, 0.4, 0),
    ],
)
def test_joint_confidence_of_date_and_cost(table, days, cost, count):
    """By a date, that day included, and at most at a cost, that cost included."""
    by = date(2026, 7, 1) + timedelta(days=742 + days)
    found = table.joint_confidence(100, by, cost, "lab")
    assert (found.value, found.n) == (count / 5, 5)
    assert (found.low, found.high) == (share(count, 5).low, share(count, 5).high)
    assert table.joint_confidence(100, by.isoformat(), cost, tenant="lab") == found


def test_a_level_that_is_no_target_counts_by_month(table):
    """75 MW are live on 2028-06-02, 12, 22, 22 and 2028-07-02, and shown at the ends of those months."""
    chance = [table.joint_confidence(75, by, 9.0, "lab").value for by in ("2028-06-29", "2028-06-30", "2028-07-31")]
    assert chance == [0.0, 3 / 5, 4 / 5]


def test_nobody_live_is_never(table):
    assert table.joint_confidence(12.5, "2029-06-30", 9.0, "rival").value == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"cost": 2.0}, "several tenants, say which one: lab, rival"),
        ({"cost": 2.0, "tenant": "lap"}, "did you mean 'lab'"),
        ({"cost": 2.0, "tenant": "lab", "by": "soon"}, "expected a date such as 2028-01-01, got 'soon'"),
        ({"cost": float("nan"), "tenant": "lab"}, "cost: expected US"),
    ],
)
def test_joint_confidence_refuses(table, call, says):
    with pytest.raises(UsageError, match=says):
        table.joint_confidence(**{"mw": 100, "by": "2028-08-01", **call})


def test_outcomes_that_were_not_kept_have_no_joint_confidence():
    few = run_study(FakeScenario(replications=2), FAKE, workers=1, tables=["capacity"])
    with pytest.raises(UsageError, match="no owned_cost_per_mw_month"):
        few.joint_confidence(100, "2028-08-01", 2.0, "lab")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"measure": "live_mw", "level": 100}, "several tenants, say which one: lab, rival"),
        ({"measure": "live_mw", "level": 100, "tenant": "lap"}, "did you mean 'lab'"),
        ({"measure": "live_nw", "level": 100, "tenant": "lab"}, "did you mean 'live_mw'"),
        ({"measure": "date_first_life", "tenant": "lab"}, "did you mean 'date_first_live'"),
    ],
)
def test_dates_refuse(result, call, says):
    with pytest.raises(UsageError, match=says):
        result.date_of(**call)


def test_a_date_of_few_replications_has_no_interval():
    few = run_study(FakeScenario(replications=4, tenants=("lab",), seed=2), FAKE_ONE, workers=1)
    estimate = few.date_of("live_mw", 100)
    assert estimate.too_few
    assert (estimate.low, estimate.high) == (None, None)
    assert "too few replications for an interval (4; it takes 6)" in str(estimate)


def test_a_date_estimate_by_hand():
    horizon = date(2030, 12, 31)
    days = [(date(2029, 1, 1) - EPOCH).days + index for index in range(30)] + [np.inf] * 70
    estimate = estimate_date(days, 0.3, horizon)
    assert estimate.date == date(2029, 1, 1) + timedelta(days=29)
    assert estimate.high is None
    assert estimate.low == date(2029, 1, 1) + timedelta(days=20)  # the 21st of 100 at P30
    assert estimate.share_reached == 0.3
    assert estimate_date(days, 0.31, horizon).date is None


def test_a_repr_says_what_it_is(result):
    assert "200 replications, complete" in repr(result)
