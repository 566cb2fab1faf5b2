"""`--shock WHAT@DATE`: becomes part of the scenario, so that what is written can be run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcsim import open_results
from dcsim.scenario.scenario import load

from .conftest import WALK, Call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The walk, with a shock that waits to be struck."""
    text = WALK.read_text(encoding="utf-8").partition("\nexpect:")[0]  # what is expected holds without a shock
    shock = "shocks:\n  slow: {when: never, set: {sites.*.negotiation.duration: {plus: 30 days}}}\n"
    path = tmp_path / "walk.yaml"
    path.write_text(f"{text}\n{shock}", encoding="utf-8")
    return path


def close(shown: str) -> str:
    """Day of the plan on which the site closes."""
    return next(line.split()[0] for line in shown.splitlines() if "FINANCIAL CLOSE" in line)


def test_the_plan_of_a_scenario_that_is_struck(call: Call, file: Path) -> None:
    """In the plan talks of 45 days begin on day 60, 30 August 2026: struck before, they take 75, and close is later."""
    plain = call("explain", file)
    struck = call("explain", file, "--shock", "slow@2026-08-01")
    assert (plain.exit_code, struck.exit_code) == (0, 0), struck.stderr
    assert (close(plain.stdout), close(struck.stdout)) == ("185", "215")
    assert close(call("explain", file, "--shock", "slow@2026-12-01").stdout) == "185"


def test_a_struck_run_can_be_run_again(call: Call, file: Path, tmp_path: Path) -> None:
    assert call("run", file, "--quiet", "--out", "plain").exit_code == 0
    done = call("run", file, "--quiet", "--shock", "slow@2026-09-01", "--out", "struck")
    assert done.exit_code == 0, done.stderr
    plain, struck = open_results(tmp_path / "plain"), open_results(tmp_path / "struck")
    assert plain.manifest["scenario"]["hash"] != struck.manifest["scenario"]["hash"]
    written = load(tmp_path / "struck" / "scenario.yaml")
    assert str(written.spec.shocks["slow"].when) == "2026-09-01"
    assert call("run", tmp_path / "struck" / "scenario.yaml", "--quiet", "--out", "again").exit_code == 0
    again = open_results(tmp_path / "again")
    assert again.milestones.equals(struck.milestones)
    assert not again.milestones.equals(plain.milestones)
    assert call("trace", tmp_path / "struck", "--replication", "0").exit_code == 0


def test_a_shock_that_is_not_in_the_file(call: Call, file: Path) -> None:
    developer = load(file).spec.sites["meadow"].developer
    shown = call("trace", file, "--replication", "0", "--json", "--shock", f"default:{developer}@2027-10-01")
    assert shown.exit_code == 0, shown.stderr
    events = json.loads(shown.stdout)["events"]
    assert [(e["entity"], e["detail"]) for e in events if e["kind"] == "default"] == [(developer, "shock")]


def test_why_takes_it_too(call: Call, file: Path) -> None:
    shown = call("why", file, "--shock", "slow@2026-09-01", "--replications", "2")
    assert shown.exit_code == 0, shown.stderr


@pytest.mark.parametrize("command", [("run",), ("explain",), ("why",), ("trace", "--replication", "0"), ("network",)])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slwo@2026-09-01", "error: --shock slwo@2026-09-01: unknown shock 'slwo'; did you mean 'slow'?"),
        ("default:nobody@2026-09-01", "unknown party 'nobody'"),
        ("slow@2026-9-1", "expected a date like 2026-07-01"),
        ("slow", "expected WHAT@DATE"),
    ],
)
def test_a_wrong_one_is_told_before_anything_runs(
    call: Call, file: Path, command: tuple[str, ...], text: str, message: str
) -> None:
    name, *rest = command
    shown = call(name, file, *rest, "--shock", text)
    assert shown.exit_code == 2
    assert message in shown.stderr
    assert shown.stdout == ""


def test_a_finished_run_cannot_be_struck(call: Call, file: Path) -> None:
    assert call("run", file, "--quiet", "--out", "done").exit_code == 0
    for name, *rest in (("trace", "--replication", "0"), ("why",)):
        shown = call(name, "done", *rest, "--shock", "slow@2026-09-01")
        assert shown.exit_code == 2
        assert "a finished run cannot be changed" in shown.stderr


def test_the_network_of_a_scenario_that_is_struck(call: Call, file: Path) -> None:
    """Close is on 1 February 2027 as the walk has it, and a month later where talks take 30 days more."""
    at = ("network", file, "--replication", "0", "--at", "2027-02-15", "--json")
    plain, struck = call(*at), call(*at, "--shock", "slow@2026-09-01")
    assert (plain.exit_code, struck.exit_code) == (0, 0), struck.stderr
    assert '"loan"' in plain.stdout
    assert '"loan"' not in struck.stdout


def test_several_and_after_the_other_edits(call: Call, file: Path) -> None:
    """`--set` renames nothing: the shock that it dates is struck when `--shock` says, and again."""
    shown = call(
        "trace", file, "--replication", "0", "--json", "--set", "shocks.slow.when=2026-08-01",
        "--shock", "slow@2026-09-01", "--shock", "slow@2026-10-01",
    )  # fmt: skip
    events = json.loads(shown.stdout)["events"]
    assert [(e["date"], e["entity"]) for e in events if e["kind"] == "shock"] == [
        ("2026-09-01", "slow"),
        ("2026-10-01", "slow-2"),
    ]


def test_the_help_says_what_may_be_struck(call: Call) -> None:
    assert "downgrade:PARTY:RATING" in call("run", "--help").stdout.replace("\n", " ")
