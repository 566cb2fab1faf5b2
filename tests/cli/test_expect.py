"""What must hold, at the end of `dcsim run`: the section, the messages, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import ROOT, WALK, Call

QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"


def section(text: str) -> list[str]:
    """The lines about what was expected, in single spaces."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    begin = lines.index("expected found of") + 1
    return lines[begin : lines.index("", begin)]


def test_the_walk_holds(call: Call) -> None:
    shown = call("run", WALK)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert section(shown.stdout) == [
        "ready pass 645 d P50 day_of(meadow.ready_for_service) = 645",
        "all-live pass 742 d P50 day_of(meadow.full_live) = 742",
        "idle-power pass 5,200 MW-days mean idle_mw_days = 5200",
    ]
    assert len(shown.stdout.splitlines()) < 40


def test_what_fails_ends_with_3_and_says_why(call: Call, tmp_path: Path) -> None:
    slower = ("--set", "sites.meadow.bring_up.cabling=6 days")
    shown = call("run", WALK, *slower)
    assert shown.exit_code == 3
    assert section(shown.stdout)[1] == "all-live fail 743 d P50 day_of(meadow.full_live) = 742"
    assert shown.stderr.splitlines() == [
        "expect.all-live: P50 day_of(meadow.full_live) = 742 failed: found 743 d",
        "expect.idle-power: mean idle_mw_days = 5200 failed: found 5,300 MW-days",
    ]
    (directory,) = (tmp_path / "results").iterdir()
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert [kept["verdict"] for kept in manifest["expect"].values()] == ["pass", "fail", "fail"]
    quiet = call("run", WALK, *slower, "--quiet", "--overwrite")
    assert (quiet.exit_code, quiet.stdout) == (3, "")
    assert quiet.stderr == shown.stderr
    dropped = call("run", WALK, *slower, "--set", "expect=null")
    assert (dropped.exit_code, dropped.stderr) == (0, "")
    assert "expected" not in dropped.stdout


def test_what_is_undecided_counts_only_when_strict(call: Call) -> None:
    few = ("run", QUICKSTART, "--replications", "20", "--set", "expect.it=chance(live_mw@2030 >= 100 MW) >= 0.6")
    shown = call(*few, "--out", "a")
    assert shown.exit_code == 0
    assert "it undecided " in "\n".join(section(shown.stdout))
    assert shown.stderr.startswith("expect.something-live: chance(") or shown.stderr.startswith("expect.it: chance(")
    assert "is undecided: found " in shown.stderr
    assert "the interval holds values on both sides at 20 replications" in shown.stderr
    strict = call(*few, "--out", "b", "--strict", "--quiet")
    assert (strict.exit_code, strict.stdout) == (3, "")
    assert "is undecided: found " in strict.stderr
    assert call(*few, "--out", "c", "--quiet").stderr == ""


def test_too_few_replications_are_told(call: Call) -> None:
    shown = call("run", QUICKSTART, "--replications", "20", "--set", "expect={it: P90 live_mw@2030 <= 1 GW}")
    assert shown.exit_code == 0
    assert shown.stderr.rstrip().endswith("too few replications for an interval (20; it takes 36)")


def test_json_has_the_same(call: Call) -> None:
    edits = ("--set", "expect.date=P50 full_live(meadow) <= 2028-07-11", "--set", "expect.late=P50 live_mw@2031 > 0")
    shown = call("run", WALK, *edits, "--json", "--quiet")
    assert shown.exit_code == 3
    found = {row["id"]: row for row in json.loads(shown.stdout)["expect"]}
    assert found["ready"] == {
        "id": "ready", "expression": "P50 day_of(meadow.ready_for_service) = 645", "verdict": "pass", "unit": "days",
        "of_difference": False, "value": 645.0, "low": 645.0, "high": 645.0, "n": 1, "note": "", "found": "645 d",
    }  # fmt: skip
    assert (found["date"]["verdict"], found["date"]["value"]) == ("fail", "2028-07-12")
    late = found["late"]
    assert (late["verdict"], late["value"], late["n"], late["found"]) == ("undecided", None, 0, "nothing")
    assert late["note"] == "live_mw@2031 is after the horizon, 2029-06-30"


def test_how_estimates_are_shown() -> None:
    from math import inf

    from dcsim.report.expect import amount_in
    from dcsim.stats import Estimate, share

    day = 21_000.0  # 2027-07-01
    for value, low, high, unit, shown in (
        (0.62, 0.59, 0.65, "fraction", "62 % (59-65)"), (48.0, 36.2, 60.0, "MW", "48 MW (36-60)"),
        (1200.0, 1100.0, 1300.0, "usd_m", "US$1.2bn (1.1-1.3)"), (-50.0, -80.0, 20.0, "usd_m", "-US$50m (-80 to 20)"),
        (day, day - 20, day + 31, "date", "2027-07-01 -20 +31 d"), (inf, day, inf, "date", "never from 2027-07-01"),
        (645.0, 645.0, 645.0, "days", "645 d"), (12.0, None, None, "days", "12 d"),
        (0.123456, 0.1, 0.2, None, "0.1235 (0.1-0.2)"), (0.25, 0.2, 0.3, "usd_m", "US$0.25m (0.2-0.3)"),
        (-3.0, -inf, 4.0, "days", "-3 d (open to 4)"), (inf, inf, inf, "usd_m", "no limit"),
    ):  # fmt: skip
        assert amount_in(Estimate(value, low, high, 100), unit) == shown
    assert amount_in(share(0, 60), "fraction") == "0 of 60, at most 5 %"
    assert amount_in(share(60, 60), "fraction") == "60 of 60, at least 95 %"


def test_a_table_left_out_leaves_it_undecided(call: Call) -> None:
    shown = call("run", WALK, "--tables", "outcomes")
    assert shown.exit_code == 0
    why = "found nothing; the table milestones was not written"
    assert f"expect.ready: P50 day_of(meadow.ready_for_service) = 645 is undecided: {why}" in shown.stderr
    assert "idle-power pass 5,200 MW-days" in "\n".join(section(shown.stdout))


def test_what_cannot_be_is_refused_before_the_run(call: Call, tmp_path: Path) -> None:
    for edit, says in (
        ("expect.x=P50 live_mv@2028-06-30 > 3", "expect.x: unknown measure 'live_mv' (at character 5); did you mean"),
        ("expect.x=P50 full_live(medow) < 2028-01-01", "did you mean 'meadow'?"),
        ("expect.x=mean idle_mw_dais > 3", "error: expect.x: unknown outcome 'idle_mw_dais'; did you mean "),
    ):
        shown = call("run", WALK, "--set", edit)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert says in shown.stderr
    assert not (tmp_path / "results").exists()


def test_check_warns_of_dates_that_are_not_decided(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(WALK.read_text() + "  odd: P50 live_mw@2028-06-15 > 1\n  late: P50 live_mw@2038-06 > 1\n")
    shown = call("check", path)
    assert shown.exit_code == 0
    lines = len(WALK.read_text().splitlines())
    assert shown.stderr.splitlines() == [
        f"warning: {path}:{lines + 1}:8: expect.odd: live_mw@2028-06-15: 2028-06-15 is no month end, "
        "and the state at the end of 2028-05-31 is taken (at character 5) [WARN]",
        f"warning: {path}:{lines + 2}:9: expect.late: live_mw@2038-06: 2038-06-30 is after the horizon, 2029-06-30, "
        "so it is not decided (at character 5) [WARN]",
        "2 warnings",
    ]


def test_a_failed_run_stays_a_failed_run(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import dcsim.model.world as world
    from dcsim.errors import ModelError

    simulate_replication = world.simulate_replication

    def faulty(blueprint: object, draws: object, replication: int, *rest: object) -> object:
        if replication != 1:
            raise ModelError("impossible")
        return simulate_replication(blueprint, draws, replication, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(world, "simulate_replication", faulty)
    shown = call("run", WALK, "--workers", "1", "--out", "a")
    assert shown.exit_code == 1
    assert "is undecided: found nothing; no replication was whole" in shown.stderr
    wrong = ("--set", "expect.x=mean idle_mw_days < 1")
    shown = call("run", WALK, "--workers", "1", "--replications", "2", "--out", "b", *wrong)
    assert shown.exit_code == 1
    assert "expect.x: mean idle_mw_days < 1 failed: found 5,200 MW-days" in shown.stderr
