"""Quantiles by month and dates that some replications never reach."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from fake_study import FAKE, FAKE_ONE, FakeScenario

from dcsim.errors import UsageError
from dcsim.stats import quantile, wilson
from dcsim.study.dates import estimate_date
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
