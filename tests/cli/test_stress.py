"""`dcsim stress`: what it prints, the tables it writes, and wrong calls."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from dcsim.study.looks import Look, Looker

from .conftest import ROOT, WALK, Call

QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"


def test_text(call: Call) -> None:
    shown = call("stress", QUICKSTART, "--default", "lab@2030-01-01", "--replications", "6", "--workers", "1")
    assert shown.exit_code == 0
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[0] == "Three letters of intent"
    assert lines[1:3] == ["lab fails on 2030-01-01; 6 replications, seed 7", "amounts in US$ million"]
    assert lines[3] == "  (the tail takes 72 replications: here it is the worst 1)"
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("  cloudmaker") for line in lines)
    assert any(line.split()[:3] == ["lab", ">", "cloudmaker"] and "guarantee call" in line for line in lines)
    text = " ".join(shown.stdout.split())
    assert "run again with the failure" in text
    assert "within 12 months after the date" in text
    assert "The failed party pays nothing of it" in text


def test_options_reach_it(call: Call) -> None:
    options = ["--recovery", "0.25", "--months", "6", "--default-costs", "0.1", "--no-rerun", "--workers", "1"]
    shown = call("stress", QUICKSTART, "--default", "lab@2030-01-01", "--replications", "3", *options)
    assert shown.exit_code == 0
    text = " ".join(shown.stdout.split())
    assert "within 6 months after the date" in text
    assert "The failed party pays 25 % of it" in text
    assert "run again with the failure" not in text


def test_json_and_tables(call: Call, tmp_path: Path) -> None:
    plain = ["stress", QUICKSTART, "--default", "lab@2030-01-01", "--replications", "5", "--workers", "1", "--no-rerun"]
    shown = call(*plain, "--json", "--out", "t.csv")
    assert shown.stderr == "written: t.csv\n"
    answer = json.loads(shown.stdout)
    assert (answer["date"], answer["replications"], answer["months"], answer["seed"]) == ("2030-01-01", 5, 12, 7)
    (lab,) = answer["failures"]
    hurt = {h["party"]: h["loss"]["value"] for h in lab["hurt"]}
    assert hurt["cloudmaker"] > 0
    assert lab["stalled_mw_years"] is None
    assert len(answer["definitions"]) == 6
    table = pd.read_csv(tmp_path / "t.csv")
    assert dict(zip(table["party"], table["loss_usd_m"], strict=True)) == pytest.approx(hurt)
    assert call(*plain, "--out", "t.parquet").exit_code == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table, check_dtype=False)


def test_all(call: Call) -> None:
    shown = call("stress", QUICKSTART, "--default", "all", "--replications", "4", "--workers", "1")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[1].startswith("each party in turn fails on 2029-12-01; 4 replications, seed 7")
    assert max(map(len, lines)) <= 80
    rows = [line.split()[0] for line in lines if line.startswith("  ")]
    assert rows.index("who") < rows.index("lab")


def test_calls_on_guarantors(call: Call) -> None:
    """Quantiles, and the cover where liquidity is given; of parties without it nothing is said."""
    plain = ["stress", QUICKSTART, "--default", "lab@2030-01-01", "--replications", "5", "--workers", "1", "--no-rerun"]
    shown = call(*plain).stdout
    (row,) = [line for line in shown.splitlines() if line.startswith("  calls on guarantors  ")]
    assert row.split()[3:] == ["P10", "P50", "P90"]
    assert "at hand:" not in shown.partition("what is owed")[0]
    shown = call(*plain, "--set", "parties.cloudmaker.cash=$100m").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("  cloudmaker has 100 at hand:")]
    answer = json.loads(call(*plain, "--set", "parties.cloudmaker.cash=$100m", "--json").stdout)
    (called,) = answer["failures"][0]["called"]
    assert f"{called['cover'][2]:.2f} times these" in line
    assert called["cover"][2] == 100 / called["quantiles"][2]["value"]


def test_a_replication_that_fails_fails_the_command_and_not_the_others(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Looker.look

    def look(self: Looker, replication: int) -> Look:
        if replication == 2:
            raise ZeroDivisionError("no luck")
        return good(self, replication)

    monkeypatch.setattr(Looker, "look", look)
    plain = ["stress", QUICKSTART, "--default", "lab@2030-01-01", "--replications", "5", "--workers", "1", "--no-rerun"]
    shown = call(*plain)
    assert shown.exit_code == 1
    assert shown.stderr == "error: 1 of 5 replications failed, the first of them 2: ZeroDivisionError: no luck\n"
    assert "lab fails on 2030-01-01; 4 replications, seed 7" in shown.stdout
    shown = call(*plain, "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["lost"][0]["replication"]) == (1, 2)


def test_wrong_calls(call: Call, tmp_path: Path) -> None:
    call("run", WALK, "--out", "x", "--quiet")
    for arguments, message in (
        ([QUICKSTART], "--default"),
        ([QUICKSTART, "--default", "labb"], "did you mean 'lab'?"),
        ([QUICKSTART, "--default", "lab@soon"], "expected a date such as 2028-01-01, got 'soon'"),
        ([QUICKSTART, "--default", "lab@2099-01-01"], "2099-01-01 is not within"),
        ([QUICKSTART, "--default", "lab", "--recovery", "2"], "--recovery"),
        ([QUICKSTART, "--default", "lab", "--out", "t.xlsx"], "ends in .csv or .parquet"),
        (["x", "--default", "lab"], "a stress test takes a scenario"),
    ):
        shown = call("stress", *arguments)
        assert shown.exit_code == 2, arguments
        assert message in shown.stderr
        assert shown.stdout == ""
