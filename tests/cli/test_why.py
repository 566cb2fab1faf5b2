"""`dcsim why`: days by cause, one replication link by link, and what a cause less would save."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from dcsim import Result, Scenario, UsageError, load, simulate, why
from dcsim.model.history import CAUSES
from dcsim.scenario.bind import walk as quantities
from dcsim.scenario.spec import ScenarioSpec
from dcsim.study.why import at_quantile, saved_without
from dcsim.study.without import EDITS, edits_without, without

from .conftest import ROOT, WALK, Call


@pytest.fixture(scope="module")
def walk() -> Scenario:
    return load(WALK)


@pytest.fixture(scope="module")
def walked(walk: Scenario) -> Result:
    return simulate(walk)


@pytest.fixture(scope="module")
def quick() -> Scenario:
    return load(ROOT / "scenarios" / "quickstart.yaml").edit({"replications": 40})


@pytest.fixture(scope="module")
def quickly(quick: Scenario) -> Result:
    return simulate(quick, workers=1)


# ---- days by cause ------------------------------------------------------------------------------------------------


def test_the_days_of_the_walk(walk: Scenario, walked: Result) -> None:
    found = why(walked, walk)
    days = {c.cause: (c.days.value, c.planned) for c in found.delays.causes if c.days.value or c.planned}
    assert days == {
        "diligence": (30, 60),
        "team": (60, 0),
        "negotiation": (45, 45),
        "guarantee": (20, 20),
        "financing": (60, 60),
        "equipment": (400, 400),
        "commissioning": (30, 30),
        "chips": (75, 105),
        "bring_up": (22, 22),
    }
    assert found.delays.late is not None
    assert found.delays.late.value == 0
    # 25 MW each: lot 2 waited 10 days for the crew; chips held up lots 3 and 4 by 35 and 75 days.
    energy = {c.cause: c.mw_days for c in found.delays.causes}
    assert energy["crews"] == 250
    assert energy["chips"] == 25 * (35 + 75)
    assert sum(c.share for c in found.delays.causes) == pytest.approx(1)


def test_what_is_critical_in_the_walk(walk: Scenario, walked: Result) -> None:
    shares = {c.name: c.share.value for c in why(walked, walk).critical}
    assert shares["transformer"] == 1
    assert shares["title"] == 1
    assert shares["building"] == 0
    assert "power" not in shares


def test_phases_that_ended_are_left_out_and_told(quick: Scenario, quickly: Result) -> None:
    found = why(quickly, quick, "ridge", replayed=0).delays
    states = quickly.milestones.query("site == 'ridge' and phase == 'p1' and milestone == 'ended'")
    assert found.ended_share == pytest.approx(states["replication"].nunique() / 40)
    assert found.n == 40 - states["replication"].nunique()
    frame = quickly.delays.query("site == 'ridge' and cause == 'grid'")
    kept = frame[~frame["replication"].isin(states["replication"])]
    grid = next(c for c in found.causes if c.cause == "grid")
    assert grid.days.value == pytest.approx(kept["days"].sum() / found.n)
    assert why(quickly, quick, "ridge", replayed=0).critical == ()


def test_an_unknown_site(quick: Scenario, quickly: Result) -> None:
    with pytest.raises(UsageError, match="did you mean 'ridge'"):
        why(quickly, quick, "rigde")


# ---- one replication ----------------------------------------------------------------------------------------------


def test_the_replication_at_a_quantile_is_that_of_the_date(quick: Scenario, quickly: Result) -> None:
    found = at_quantile(quickly, quick, 0.3, "lakeside")
    rows = quickly.milestones.query("site == 'lakeside' and milestone == 'full_live'").set_index("replication")
    order = rows["day"].sort_values(kind="stable")
    assert found.replication == order.index[11]  # the 12th of 40
    assert found.day == rows.loc[found.replication, "date"].date()
    signed = quickly.milestones.query(f"replication == {found.replication} and site == 'lakeside'")
    first = signed.set_index("milestone").loc["loi_signed", "day"]
    assert sum(found.minutes.values()) == round((rows.loc[found.replication, "day"] - first) * 1440)
    assert all(a.end == b.begin for a, b in zip(found.links, found.links[1:], strict=False))


def test_a_site_is_fully_live_with_its_last_phase(blank: Path) -> None:
    scenario = load(blank).edit({"replications": 9})
    result = simulate(scenario, workers=1)
    ends = result.milestones.query("milestone == 'full_live'").groupby("replication")["day"].agg(["max", "count"])
    whole = ends[ends["count"] == 2]["max"].sort_values()
    assert len(whole) >= 3
    found = at_quantile(result, scenario, 0.2, "first-site")
    assert found.replication == whole.index[1]
    # Cut at a horizon between the two phases of the first replication that has both, no replication has both by then.
    early = result.milestones.query(f"milestone == 'full_live' and replication == {whole.index[0]}")["date"].min()
    short = scenario.edit({"horizon": str(early.date()), "replications": int(whole.index[0]) + 1})
    assert at_quantile(simulate(short, workers=1), short, 0.01, "first-site").day is None


def test_a_date_that_is_not_reached_says_so(quick: Scenario, quickly: Result) -> None:
    found = at_quantile(quickly, quick, 0.97, "ridge")
    assert found.day is None
    assert found.state != "live"
    assert found.site == "ridge"
    target = at_quantile(quickly, quick, 0.97)
    assert target.what == "100 MW live (lab)"  # the smallest, as no target is reached at that quantile
    assert target.day is None


def test_a_target_is_explained_by_the_lot_that_reached_it(walk: Scenario, walked: Result) -> None:
    found = at_quantile(walked, walk, 0.5)
    assert found.what == "100 MW live (lab)"
    assert str(found.day) == "2028-07-12"
    half = walk.edit({"tenants.lab.targets": [50]})
    earlier = at_quantile(simulate(half), half, 0.5)
    assert str(earlier.day) == "2028-05-08"
    assert {cause: m // 1440 for cause, m in earlier.minutes.items()}["crews"] == 10
    assert "chips" not in earlier.minutes
    assert earlier.planned["chips"] == 25 * 1440  # the same lot of the plan, delivered on day 640 of 615


# ---- without a cause ----------------------------------------------------------------------------------------------


def follow(model: Any, segments: list[str]) -> bool:
    """Whether a path with wildcards is one of the schema's."""
    if not segments:
        return True
    head, *rest = segments
    if isinstance(model, type) and issubclass(model, BaseModel):
        fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
        return head in fields and follow(fields[head], rest)
    origin = get_origin(model)
    if origin in (dict, tuple):
        return head == "*" and follow(get_args(model)[-1 if origin is dict else 0], rest)
    return any(follow(part, segments) for part in get_args(model) if part is not type(None))


PATHS = sorted({(cause, path) for cause, edits in EDITS.items() for path, _ in edits})


@pytest.mark.parametrize(("cause", "path"), PATHS)
def test_every_edit_names_a_field_of_the_schema(cause: str, path: str) -> None:
    assert cause in CAUSES
    assert follow(ScenarioSpec, path.split(".")), path


def test_the_follower_tells_wrong_paths() -> None:
    assert not follow(ScenarioSpec, ["sites", "*", "construction", "grid", "*", "dely"])
    assert not follow(ScenarioSpec, ["sites", "*", "nothing"])


@pytest.mark.parametrize(
    ("cause", "saved"),
    [
        # Chips bind the walk: the last delivery is on day 720 whatever comes before, so most causes save nothing.
        ("team", 0), ("equipment", 0), ("negotiation", 0),
        ("chips", 45),  # all racks wait at the door on day 645: four lots one after the other, 677 + 20 days
        ("bring_up", 22),
    ],
)  # fmt: skip
def test_days_saved_in_the_walk(walk: Scenario, walked: Result, cause: str, saved: float) -> None:
    found = saved_without(walked, walk, cause)
    assert found.days is not None
    assert found.days.value == pytest.approx(saved, abs=0.01)
    assert (found.live, found.live_without) == (1, 1)


def test_days_saved_are_paired(quick: Scenario, quickly: Result) -> None:
    found = saved_without(quickly, quick, "commissioning", workers=1)
    assert found.days is not None
    assert found.days.low is not None
    assert 0 < found.days.low < found.days.value
    other = simulate(without(quick, "commissioning"), workers=1)
    both = [r.milestones.query("milestone == 'full_live'") for r in (quickly, other)]
    a, b = (rows.set_index(["replication", "site", "phase"])["day"] for rows in both)
    each = (a - b).dropna().groupby("replication").mean()
    assert found.days.value == pytest.approx(each.mean())
    assert found.days.n == len(each)


@pytest.mark.parametrize("cause", [c for c in CAUSES if c not in ("cash", "default", "policy")])
def test_the_template_without_a_cause_has_none_of_it(cause: str, blank: Path) -> None:
    scenario = load(blank).edit({"replications": 12})
    if cause == "permits":
        scenario = scenario.edit({"sites.first-site.construction.activities.shell.permit": True})
    result = simulate(without(scenario, cause), workers=1, tables=["delays", "milestones"])
    days = result.delays.query(f"cause == '{cause}' and reached")["days"]
    assert result.delays["reached"].any()
    # A board or committee removed leaves nothing; a guarantor asked in vain still takes no time.
    assert days.sum() == 0, days


def test_a_supplier_of_too_little_is_part_of_the_chips(blank: Path) -> None:
    scenario = load(blank).edit({"replications": 4, "parties.chipmaker.supply.racks": 5})
    for edited, late in ((scenario, True), (without(scenario, "chips"), False)):
        days = simulate(edited, workers=1, tables=["delays"]).delays.query("cause == 'chips'")["days"]
        assert (days.sum() > 0) == late


def test_a_driver_adds_no_days_to_what_is_set_to_nothing(quick: Scenario) -> None:
    strike = {"chance": 1, "hits": ["construction.*.*", "construction.commissioning"], "plus": 30}
    scenario = quick.edit({"drivers": {"strike": strike}})
    edited = without(scenario, "commissioning")
    hit = [path for path, q, _ in quantities(edited.spec) if q.drivers]
    assert hit
    assert not [path for path in hit if "commissioning" in path]
    assert any("activities" in path for path in hit)


def test_a_team_keeps_its_calendar(blank: Path) -> None:
    edits = edits_without(load(blank), "crews")
    assert "tenants.lab.teams.install.count" in edits
    assert "crews.fitters" in edits
    assert not [path for path in edits if "deal" in path or "diligence" in path]
    assert without(load(blank), "crews").spec.tenants["lab"].teams["install"].works[-1] == "sat"


def test_causes_that_are_not_there(walk: Scenario) -> None:
    with pytest.raises(UsageError, match="did you mean 'chips'"):
        edits_without(walk, "chip")
    for cause in ("cash", "default", "repair", "tenant_works", "permits"):
        with pytest.raises(UsageError, match="nothing to set to nothing"):
            edits_without(walk, cause)


def test_gates_stay_as_they_are(quick: Scenario) -> None:
    edited = without(quick, "diligence")
    gates: Mapping[str, Any] = edited.spec.sites["ridge"].diligence
    assert gates["power"].fail.value == 0.3
    assert gates["power"].duration.value == 0


# ---- the command --------------------------------------------------------------------------------------------------


def test_the_command_on_a_directory_and_on_a_scenario(call: Call) -> None:
    call("run", WALK, "--out", "x", "--quiet")
    text = call("why", "x").stdout
    assert text == call("why", WALK).stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "team 60 0 +60 9 %" in lines
    assert "all 742 742 0" in lines
    assert "never on it: building" in lines
    assert max(map(len, text.splitlines())) <= 80


def test_the_command_link_by_link(call: Call) -> None:
    text = call("why", WALK, "--quantile", "0.9", "--site", "meadow").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "Replication 0, at P90 of 1: full live of meadow 2028-07-12. The trail of"
    assert "720 2028-06-20 75 chips chipmaker" in lines
    assert "60 2026-08-30 60 team lab diligence" in lines
    assert "all 742 742 0" in lines


def test_the_command_without_a_cause(call: Call, blank: Path) -> None:
    shown = call("why", blank, "--replications", "10", "--without", "commissioning")
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert text.startswith("Without commissioning, with the same luck otherwise: phases that go live either way do so")
    assert "10 replications, each paired with itself" in text
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_wrong_calls(call: Call) -> None:
    call("run", WALK, "--out", "x", "--quiet")
    for arguments, message in (
        (["x", "--replications", "5"], "a finished run cannot be changed"),
        (["x", "--site", "medow"], "did you mean 'meadow'?"),
        ([WALK, "--site", "medow"], "did you mean 'meadow'?"),
        ([WALK, "--without", "chip"], "did you mean 'chips'?"),
        ([WALK, "--quantile", "1"], "'--quantile'"),
        (["."], "is a directory without results"),
    ):
        shown = call("why", *arguments)
        assert shown.exit_code == 2, arguments
        assert message in shown.stderr, arguments
        assert shown.stdout == ""
