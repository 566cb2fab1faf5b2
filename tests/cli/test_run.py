"""`dcsim run`: where results go, what the screen says, and how a failed run ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcsim import open_results
from dcsim.cli.run import slug

from .conftest import WALK, Call


def test_the_walk_on_one_screen(call: Call, tmp_path: Path) -> None:
    shown = call("run", WALK)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[0] == "One site, no randomness, checked by hand"
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    text = "\n".join(" ".join(line.split()) for line in lines)
    for expected in (
        "2027-12-31 0\n2028-12-31 100\n2029-06-30 100",
        "50 MW 2028-05-08\n100 MW 2028-07-12",
        "MW by end state, of 100: live 100",
        "team 60 0 +60",
        "all causes 742 742 0",
    ):
        assert expected in text
    (directory,) = (tmp_path / "results").iterdir()
    assert directory.name.startswith("walk-")
    assert lines[-1].strip() == f"tables in results/{directory.name}"
    assert open_results(directory, verify_rows=True).status == "complete"


def test_the_directory_is_named_after_the_edited_scenario(call: Call, tmp_path: Path) -> None:
    assert call("run", WALK, "--quiet").exit_code == 0
    assert call("run", WALK, "--quiet", "--seed", "8").exit_code == 0
    longer = ("--set", "sites.meadow.bring_up.cabling=6 days", "--set", "expect=null")
    edited = call("run", WALK, "--quiet", *longer, "--replications", "2")
    assert (edited.exit_code, edited.stdout, edited.stderr) == (0, "", "")
    found = [open_results(path) for path in (tmp_path / "results").iterdir()]
    assert sorted((r.manifest["seed"], r.replications) for r in found) == [(1, 1), (1, 2), (8, 1)]
    late = next(r for r in found if r.replications == 2)
    days = late.milestones.query("milestone == 'full_live'")["day"].tolist()
    assert days == [743.0, 743.0]


def test_a_complete_run_is_replaced_only_when_asked(call: Call, tmp_path: Path) -> None:
    assert call("run", WALK, "--out", "here", "--quiet").exit_code == 0
    before = (tmp_path / "here" / "manifest.json").read_bytes()
    refused = call("run", WALK, "--out", "here")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: here already holds a complete run; --overwrite replaces it")
    assert (tmp_path / "here" / "manifest.json").read_bytes() == before
    assert call("run", WALK, "--out", "here", "--overwrite", "--quiet", "--replications", "3").exit_code == 0
    assert open_results(tmp_path / "here").replications == 3


def test_a_directory_that_cannot_be_written_is_an_error_without_traceback(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    shown = call("run", WALK, "--out", "file/below")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: cannot write ")
    assert len(shown.stderr.splitlines()) == 1
    occupied = call("run", WALK, "--out", ".")
    assert occupied.exit_code == 2
    assert "something else than results" in occupied.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("walk", "walk"),
        ("../../etc/passwd", "etc-passwd"),
        ("/opt/x", "opt-x"),
        ("..", "scenario"),
        ("C:\\a\nb", "c-a-b"),
        ("Größe 2", "groe-2"),
        ("会社", "scenario"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("a" * 200, "a" * 60),
        ("con\x00", "con"),
    ],
)
def test_a_name_never_becomes_a_path(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_hostile_name_and_title_reach_neither_path_nor_terminal(call: Call, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.yaml"
    text = WALK.read_text(encoding="utf-8").replace("name: walk", 'name: "../../up [bold]x"')
    title = "title: One site, no randomness, checked by hand"
    hostile.write_text(text.replace(title, 'title: "x [red]y[/red] \\u202e\\u200b"'), encoding="utf-8")
    shown = call("run", hostile)
    assert shown.exit_code == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert "x [red]y[/red] \\u202e\\u200b" in shown.stdout
    (directory,) = (tmp_path / "results").iterdir()
    assert directory.name.startswith("up-bold-x-")
    for command in (["explain", hostile], ["why", directory], ["trace", directory, "--replication", "0"]):
        again = call(*command)
        assert again.exit_code == 0, again.stderr
        assert "\u202e" not in again.stdout + again.stderr


def test_json_says_the_same(call: Call) -> None:
    shown = call("run", WALK, "--json", "--quiet")
    assert shown.exit_code == 0
    answer = json.loads(shown.stdout)
    assert answer["scenario"]["name"] == "walk"
    assert [(row["date"], row["p50"]["value"]) for row in answer["live_mw"]] == [
        ("2026-12-31", 0.0), ("2027-12-31", 0.0), ("2028-12-31", 100.0), ("2029-06-30", 100.0),
    ]  # fmt: skip
    dates = {row["mw"]: row["p50"]["date"] for row in answer["targets"]}
    assert dates == {50.0: "2028-05-08", 100.0: "2028-07-12"}
    assert answer["causes"][0]["cause"] == "team"
    assert answer["causes"][0]["late_days"]["value"] == 60.0
    assert answer["replications"] == {"asked": 1, "done": 1, "failed": 0}
    assert answer["warnings"] == []


def test_tables_and_events_as_asked(call: Call, tmp_path: Path) -> None:
    assert call("run", WALK, "--out", "a", "--tables", "outcomes, capacity").exit_code == 0
    names = {path.stem for path in (tmp_path / "a").glob("*.parquet")}
    assert names == {"outcomes", "capacity", "hashes", "assumptions"}
    assert call("run", WALK, "--out", "b", "--trace", "--quiet").exit_code == 0
    assert len(open_results(tmp_path / "b").events) > 50
    wrong = call("run", WALK, "--out", "c", "--tables", "outcome")
    assert wrong.exit_code == 2
    assert "did you mean 'outcomes'?" in wrong.stderr
    assert not (tmp_path / "c").exists()


def test_a_what_if_by_name(call: Call, blank: Path, tmp_path: Path) -> None:
    shown = call("run", blank, "--with", "two-deal-teams", "--replications", "2", "--out", "w", "--quiet")
    assert shown.exit_code == 0, shown.stderr
    assert "deal: 2" in (tmp_path / "w" / "scenario.yaml").read_text()
    wrong = call("run", blank, "--with", "two-deal-team")
    assert wrong.exit_code == 2
    assert "did you mean 'two-deal-teams'?" in wrong.stderr


def test_a_wrong_edit_is_refused_before_anything_is_written(call: Call, tmp_path: Path) -> None:
    for edit in ("sites.meadow.bring_up.cablin=6 days", "sites.meadow.bring_up.cabling", "seed=x", "replications=0"):
        assert call("run", WALK, "--set", edit).exit_code == 2
    assert not (tmp_path / "results").exists()


def test_a_failed_replication_ends_with_1_and_keeps_the_others(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dcsim.model.world as world
    from dcsim.errors import ModelError

    simulate = world.simulate_replication

    def faulty(blueprint: object, draws: object, replication: int, *rest: object) -> object:
        if replication in (2, 5):
            raise ModelError("impossible\x1b")
        return simulate(blueprint, draws, replication, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(world, "simulate_replication", faulty)
    shown = call("run", WALK, "--replications", "8", "--out", "x", "--workers", "1")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: 2 of 8 replications failed")
    assert "its traceback is in x/manifest.json" in shown.stderr
    assert "\x1b" not in shown.stderr + shown.stdout
    text = " ".join(shown.stdout.split())
    assert "6 of 8 replications (failed)" in text
    assert "! 2 of 8 replications failed, the first of them 2:" in text
    result = open_results(tmp_path / "x")
    assert result.status == "failed"
    assert sorted(result.outcomes["replication"]) == [0, 1, 3, 4, 6, 7]


def test_few_replications_have_no_interval_and_it_says_so(call: Call, blank: Path) -> None:
    shown = call("run", blank, "--replications", "20", "--set", "tenants.lab.targets=[40 MW, 1 GW]")
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "too few replications (20) for intervals of P10 and P90, which take 36" in text
    assert "1,000 MW 0 of 20 not by then not by then not by then at most 14 %" in text
    assert max(map(len, shown.stdout.splitlines())) <= 80
