"""`dcsim compare`: variants side by side on the screen, as JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from dcsim import open_results

from .conftest import ROOT, WALK, Call

QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"


def spaced(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_the_walk_negotiated_slower(call: Call) -> None:
    shown = call("compare", WALK, "--with", "slow:sites.meadow.negotiation.duration=100", "--with", "same:seed=1")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    text = spaced(shown.stdout)
    head = ["One site, no randomness, checked by hand", "1 replication of each, seed 1, the same luck in all"]
    assert text.splitlines()[:2] == head
    assert "slow base variant difference\ndate_of_50_mw 2028-05-08 2028-07-02 +55 d\n" in text
    assert "idle_mw_days 5,200 3,700 -1,500\nno difference: live_mw_2026, " in text
    assert "same\nno difference: live_mw_2026, " in text


@pytest.fixture
def quick(call: Call) -> str:
    shown = call("compare", QUICKSTART, "--with", "drop-ridge", "--with", "no-guarantor", "--replications", "36")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    return spaced(shown.stdout)


def test_variants_side_by_side(quick: str) -> None:
    assert "36 replications of each, seed 7, the same luck in all; dates are medians" in quick
    ridge, _, guarantor = quick.partition("\nno-guarantor base ")
    assert "\ndrop-ridge base variant difference\n" in ridge
    assert "\nmw_shelved 0 80 +80 (+80 to +80)\nmore in 36 of 36, at least 92 %, less in 0 %\n" in ridge
    assert "no difference in any of 36 replications: live_mw_2028" in ridge
    assert "date_of_200_mw" in ridge.partition("no difference")[2]
    assert "no longer reached\nreached in " in guarantor
    assert "; variant: 0 of 36, at most 8 %\nearlier in 0 of 36, at most 8 %, the same in " in guarantor
    assert "leased_mw@2032-12-31" in quick
    assert "!" not in quick


def test_few_replications_are_told(call: Call) -> None:
    shown = call("compare", QUICKSTART, "--with", "drop-ridge", "--replications", "10")
    text = " ".join(shown.stdout.split())
    assert "! paired bootstrap intervals: too few replications for an interval (10; it takes 30)" in text
    assert "! paired t intervals: fewer than 30 replications" in text


def test_chosen_outcomes_and_json(call: Call) -> None:
    chosen = ("--outcome", "live_mw@2029-06", "--outcome", "date_of(ridge.lease_signed)", "--outcome", "loans")
    shown = call("compare", QUICKSTART, "--with", "drop-ridge", "--replications", "30", *chosen, "--json", "--quiet")
    assert shown.exit_code == 0
    data = json.loads(shown.stdout)
    assert (data["seed"], data["replications"], data["warnings"]) == (7, 30, [])
    (variant,) = data["variants"]
    assert variant["name"] == "drop-ridge"
    live, date, loans = variant["changes"]
    assert [change["outcome"] for change in variant["changes"]] == list(chosen[1::2])
    assert (live["unit"], live["better_is"], live["interval"]) == ("MW", "higher", "paired t")
    assert (date["value"], date["reached"], date["statistic"]) == (None, 0, "median")
    assert date["better"]["value"] == 0
    assert (loans["better_is"], loans["better"]) == (None, None)
    assert loans["base"] > loans["value"]


def test_other_files_pair_as_far_as_they_do(call: Call, tmp_path: Path) -> None:
    other = tmp_path / "longer.yaml"
    other.write_text(WALK.read_text().replace("horizon: 2029-06-30", "horizon: 2029-12-31"))
    shown = call("compare", WALK, other, "--set", "sites.meadow.bring_up.cabling=6 days", "--replications", "2")
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "longer" in text
    assert "! longer: it ends on 2029-12-31, not 2029-06-30: what is counted up to then differs" in text


def test_everything_is_kept_where_asked(call: Call, tmp_path: Path) -> None:
    arguments = ("compare", WALK, "--with", "slow:sites.meadow.negotiation.duration={each: [50, 60]}", "--out", "kept")
    shown = call(*arguments, "--quiet")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "")
    assert {path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()} == {
        "base", "slow-duration-50", "slow-duration-60",
    }  # fmt: skip
    assert open_results(tmp_path / "kept" / "slow-duration-60").status == "complete"
    table = pd.read_parquet(tmp_path / "kept" / "comparison.parquet")
    assert set(table["variant"]) == {"slow: duration=50", "slow: duration=60"}
    refused = call(*arguments)
    assert refused.exit_code == 2
    assert "already holds a complete run" in refused.stderr
    assert call(*arguments, "--overwrite", "--quiet").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "nothing to compare with: give another scenario, --with NAME or --with NAME:PATH=VALUE"),
        (("--with", "drop-rige"), "unknown what-if 'drop-rige'; did you mean 'drop-ridge'?"),
        (("--with", "x:sites.rige.decision=shelve"), "no 'rige' under sites; did you mean 'ridge'? (in variant 'x')"),
        (("--with", "drop-ridge", "--with", "drop-ridge"), "two variants are called 'drop-ridge'"),
        (("--with", "drop-ridge", "--set", "sites.rige.decision=shelve"), "did you mean 'ridge'?"),
        (("--with", "drop-ridge", "--outcome", "idle_mw_dais"),
         "unknown outcome 'idle_mw_dais'; did you mean 'idle_mw_days'"),
        (("--with", "drop-ridge", "--outcome", "full_live(rige)"),
         "unknown site 'rige' (at character 1); did you mean 'ridge'?"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_before_any_run(
    call: Call, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.setattr("dcsim.study.compare.simulate", lambda *_, **__: pytest.fail("it ran"))
    shown = call("compare", QUICKSTART, *arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert says in shown.stderr


def test_a_hostile_name_does_not_reach_the_terminal(call: Call) -> None:
    shown = call("compare", WALK, "--with", "x\x1b[31m:seed=2", "--replications", "1")
    assert shown.exit_code == 0, shown.stderr
    assert "\x1b" not in shown.stdout + shown.stderr
