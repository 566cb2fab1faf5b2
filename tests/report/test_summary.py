"""The answers of a run, against counts made by other means, and how they fit a screen."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from dcsim import Result, Scenario, load, simulate
from dcsim.report.summary import summarise
from dcsim.report.terminal import LEAST_YEARS, summary_text
from dcsim.stats import quantile, share

PATH = Path(__file__).resolve().parents[2] / "scenarios" / "quickstart.yaml"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(PATH).edit(
        {
            "replications": 60,
            "sites.lakeside.committed": {"lease_signed": "2027-06-30"},
            "sites.ridge.phases.p1.committed": {"full_live": "2027-01-02"},
            "tenants.lab.targets": [100, 5000],
        }
    )


@pytest.fixture(scope="module")
def result(scenario: Scenario) -> Result:
    return simulate(scenario, workers=1)


@pytest.fixture(scope="module")
def summary(result: Result, scenario: Scenario) -> dict[str, Any]:
    return summarise(result, scenario)


def test_live_mw_is_that_of_the_table(summary: dict[str, Any], result: Result) -> None:
    assert [row["date"] for row in summary["live_mw"]] == [f"{year}-12-31" for year in range(2027, 2033)]
    for row in summary["live_mw"]:
        for name, q in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
            expected = quantile(result.outcomes[f"live_mw_{row['date'][:4]}"], q)
            shown = row[name]["value"], row[name]["low"], row[name]["high"]
            assert shown == (expected.value, expected.low, expected.high)


def test_targets_are_dates_and_never_means_of_those_that_came(summary: dict[str, Any], result: Result) -> None:
    near, far = summary["targets"]
    expected = result.date_of("date_of_100_mw", quantile=0.5)
    assert near["p50"]["date"] == (expected.date.isoformat() if expected.date else None)
    assert near["chance"]["value"] == expected.share_reached
    assert 0 < near["chance"]["value"] < 1
    assert near["p90"]["date"] is None
    assert (far["chance"]["value"], far["p10"]["date"], far["chance"]["note"]) == (0, None, "0 of 60, at most 0.049")


def test_commitments_count_replications_that_never_got_there(summary: dict[str, Any], result: Result) -> None:
    by_milestone = {(row["site"], row["milestone"]): row for row in summary["committed"]}
    lease, live = by_milestone["lakeside", "lease_signed"], by_milestone["ridge", "full_live"]
    rows = result.milestones.query("site == 'lakeside' and milestone == 'lease_signed' and date <= '2027-06-30'")
    assert lease["chance"]["value"] == share(len(rows), 60).value
    assert 0 < lease["chance"]["value"] < 1
    assert (live["phase"], live["date"]) == ("p1", "2027-01-02")
    assert live["chance"]["value"] == 0


def test_end_states_add_up_to_all_mw(summary: dict[str, Any]) -> None:
    assert sum(row["mw"]["value"] for row in summary["end_states"]) == pytest.approx(240)


def test_the_three_causes_are_those_latest_against_the_plan(summary: dict[str, Any], result: Result) -> None:
    ended = result.milestones.query("milestone == 'ended' and phase.notna()")
    gone = set(zip(ended["replication"], ended["site"], ended["phase"], strict=True))
    rows = result.delays
    rows = rows[[k not in gone for k in zip(rows["replication"], rows["site"], rows["phase"], strict=True)]]
    phases = rows.groupby("replication").apply(lambda g: g.groupby(["site", "phase"]).ngroups, include_groups=False)
    sums = rows.assign(late=rows["days"] - rows["planned_days"]).groupby(["replication", "cause"])["late"].sum()
    late = sums.unstack(fill_value=0).div(phases, axis=0).mean().sort_values(ascending=False)
    assert [row["cause"] for row in summary["causes"]] == list(late.index[:3])
    assert [row["late_days"]["value"] for row in summary["causes"]] == pytest.approx(list(late[:3]))
    assert summary["delays"]["late_days"]["value"] == pytest.approx(late.sum())
    assert summary["delays"]["ended_share"] == pytest.approx(len(gone) / 240)


def screen(summary: dict[str, Any]) -> list[str]:
    """What comes before the money, for which one scrolls."""
    return summary_text(summary).partition("  money, US$")[0].splitlines()


def test_the_screen_fits_80_by_40(summary: dict[str, Any]) -> None:
    lines = screen(summary)
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "5,000 MW 0 of 60 not by then not by then not by then\nat most 5 %" in text
    assert "ridge.p1 full live 2027-01-02 0 of 60, at most 5 %" in text


def test_a_screen_of_many_years_tenants_targets_and_commitments(summary: dict[str, Any]) -> None:
    big = copy.deepcopy(summary)
    big["live_mw"] = [
        {**row, "tenant": tenant, "date": f"{year}-12-31"}
        for tenant in ("lab", "rival")
        for year in range(2027, 2047)
        for row in summary["live_mw"][:1]
    ]
    big["targets"] = [{**row, "mw": 100.0 * i} for row in summary["targets"][:1] for i in range(1, 11)]
    big["committed"] = [{**row, "site": f"s{i}"} for row in summary["committed"][:1] for i in range(30)]
    big["warnings"] = ["something that takes a line of its own"] * 2
    lines = screen(big)
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "2046-12-31" in text
    assert "not every year end is shown" in text
    assert "more: outcomes.parquet" in text
    assert "more, each likelier to be kept: milestones.parquet" in text


def test_commitments_give_way_before_more_year_ends_do(summary: dict[str, Any]) -> None:
    big = copy.deepcopy(summary)
    row = summary["live_mw"][0]
    big["live_mw"] = [{**row, "date": f"{year}-12-31"} for year in range(2027, 2039)]
    big["committed"] = [{**summary["committed"][0], "site": f"s{i}"} for i in range(30)]
    lines = screen(big)
    assert len(lines) < 40
    assert sum(line.strip()[4:10] == "-12-31" for line in lines) == 6
    assert sum("lease signed" in line for line in lines) >= 3


def test_every_second_year_end_where_not_all_fit(summary: dict[str, Any]) -> None:
    lines = summary_text(summary, height=30).splitlines()
    shown = [line.split()[0] for line in lines if line.strip()[:4].isdigit() and line.strip()[4:10] == "-12-31"]
    assert shown == ["2028-12-31", "2030-12-31", "2032-12-31"]
    assert len(shown) == LEAST_YEARS


def test_one_replication_has_values_and_no_intervals(scenario: Scenario) -> None:
    one = scenario.edit({"replications": 1})
    text = summary_text(summarise(simulate(one), one))
    assert "P10" not in text
    assert "(" not in text.split("\n\n")[1]


def test_tables_that_were_not_kept_leave_their_parts_out(scenario: Scenario) -> None:
    few = scenario.edit({"replications": 3})
    kept = simulate(few, tables=["capacity"])
    summary = summarise(kept, few)
    assert (summary["live_mw"], summary["targets"], summary["committed"], summary["causes"]) == ([], [], [], [])
    assert summary_text(summary).splitlines()[0] == "Three letters of intent"
    only = summarise(simulate(few, tables=["outcomes"]), few)
    assert len(only["live_mw"]) == 6
    assert only["delays"] is None


def test_much_under_way_at_the_horizon_is_a_warning(scenario: Scenario) -> None:
    short = scenario.edit({"horizon": "2028-06-30", "replications": 40})
    summary = summarise(simulate(short, workers=1), short)
    assert any("still under way at the horizon" in text for text in summary["warnings"])
    assert summary["live_mw"][-1]["date"] == "2028-06-30"


def test_without_chips_the_shells_are_told(scenario: Scenario) -> None:
    """Quickstart with its order switched off: nothing goes live, and halls get ready as ever."""
    shells = scenario.edit({"chips.orders.each-phase.enabled": False, "replications": 12})
    result = simulate(shells, workers=1)
    summary = summarise(result, shells)
    capacity = result.capacity
    for row in summary["ready_mw"]:
        months = capacity["month"].astype(str).str[:10] == row["date"]
        assert row["p50"]["value"] == quantile(capacity[months]["ready_mw"].to_numpy(), 0.5).value
    assert summary["ready_mw"][-1]["p90"]["value"] > 0
    assert "ready MW, end of" in summary_text(summary)


def test_with_chips_they_are_not(summary: dict[str, Any]) -> None:
    assert summary["ready_mw"] == []
    assert "ready MW, end of" not in summary_text(summary)
