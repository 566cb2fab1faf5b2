"""`dcsim trace`: every event of a replication, and whether it is the one that a run kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcsim import load, open_results, trace

from .conftest import WALK, Call


def test_the_events_of_the_walk(call: Call) -> None:
    shown = call("trace", WALK, "--replication", "0")
    assert shown.exit_code == 0
    assert shown.stderr == ""
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["90", "2026-09-29", "milestone", "meadow", "approved"] in lines
    assert ["742", "2028-07-12", "milestone", "meadow.all", "full_live"] in lines
    days = [int(line[0]) for line in lines[1:] if len(line) > 3 and line[0].isdigit()]
    assert days == sorted(days)
    assert "meadow.all: 100 MW, live, day 742" in shown.stdout


def test_a_replication_of_a_run_is_the_same_again(call: Call, blank: Path, tmp_path: Path) -> None:
    assert call("run", blank, "--replications", "6", "--out", "x", "--quiet", "--set", "seed=5").exit_code == 0
    shown = call("trace", "x", "--replication", "4")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("identical to replication 4 of the run (outcomes, milestones")
    found = trace(load(tmp_path / "x" / "scenario.yaml"), 4, open_results(tmp_path / "x"))
    assert found.identical
    assert len(found.events("first-site")) == len([row for row in found.history.events if row[2].startswith("first")])


def test_another_replication_is_told_from_it(
    call: Call, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("run", blank, "--replications", "3", "--out", "x", "--quiet")
    scenario = (tmp_path / "x" / "scenario.yaml").read_text()
    changed = scenario.replace("seed: 1\n", "seed: 2\n")
    assert changed != scenario
    (tmp_path / "x" / "scenario.yaml").write_text(changed)
    shown = call("trace", "x", "--replication", "1", "--json")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("NOT replication 1 of the run: ")
    answer = json.loads(shown.stdout)
    assert answer["identical"] is False
    assert "outcomes" in answer["compared"]


def test_json_and_one_site(call: Call) -> None:
    shown = call("trace", WALK, "--replication", "7", "--json", "--site", "meadow")
    assert shown.exit_code == 0
    answer = json.loads(shown.stdout)
    assert answer["replication"] == 7
    assert answer["identical"] is None
    assert {"day": 742.0, "date": "2028-07-12", "kind": "milestone", "entity": "meadow.all", "detail": "full_live"} in (
        answer["events"]
    )
    assert all(event["entity"].startswith("meadow") for event in answer["events"])
    assert answer["phases"] == [{"site": "meadow", "phase": "all", "mw": 100.0, "state": "live", "day": 742.0}]


def test_wrong_calls(call: Call, tmp_path: Path) -> None:
    call("run", WALK, "--out", "x", "--quiet")
    for arguments, message in (
        (["x", "--replication", "1"], "replication 1 is not in these results"),
        (["x", "--replication", "0", "--set", "seed=2"], "a finished run cannot be changed"),
        ([WALK, "--replication", "0", "--site", "medow"], "did you mean 'meadow'?"),
        ([tmp_path, "--replication", "0"], "is a directory without results"),
    ):
        shown = call("trace", *arguments)
        assert shown.exit_code == 2, arguments
        assert message in shown.stderr
        assert shown.stdout == ""
