"""`dcsim explain` on the walk, whose plan is known by hand, and on a site with laws, gates and two phases."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcsim import UsageError, explain, load
from dcsim.errors import ModelError
from dcsim.study.explain import Plan, SitePlan

from .conftest import ROOT, WALK, Call

DAY = 1440


@pytest.fixture(scope="module")
def walk() -> SitePlan:
    (site,) = explain(load(WALK)).sites
    return site


def steps(site: SitePlan) -> dict[str, tuple[float, float, str, bool]]:
    return {s.name: (s.begin / DAY, s.end / DAY, s.cause, s.critical) for s in site.steps if not s.milestone}


def test_the_steps_of_the_walk_in_the_plan(walk: SitePlan) -> None:
    assert steps(walk) == {
        "title": (0, 30, "diligence", False),
        "power": (0, 60, "diligence", True),
        "negotiation": (60, 105, "negotiation", True),
        "guarantee": (105, 125, "guarantee", True),
        "financing": (125, 185, "financing", True),
        "grid": (185, 485, "grid", False),
        "building": (185, 550, "construction", False),
        "transformer": (185, 585, "equipment", True),
        "commissioning": (585, 615, "commissioning", True),
        "chips from chipmaker": (615, 720, "chips", True),
        "lot 3: install": (720, 730, "bring_up", True),
        "lot 3: cabling": (730, 735, "bring_up", True),
        "lot 3: burn-in": (735, 742, "bring_up", True),
    }
    assert [step.end for step in walk.steps] == sorted(step.end for step in walk.steps)


def test_the_milestones_of_the_walk_follow_what_leads_to_them(walk: SitePlan) -> None:
    days = {s.name: s.end / DAY for s in walk.steps if s.milestone}
    assert days["diligence_complete"] == days["approved"] == 60
    assert days["lease_signed"] == 125
    assert days["financial_close"] == 185
    assert days["ready_for_service"] == 615
    assert days["first_live"] == 637
    assert days["full_live"] == 742
    names = [step.name for step in walk.steps]
    assert names.index("power") < names.index("diligence_complete") < names.index("negotiation")


def test_slack_at_commissioning_is_35_and_100_days(walk: SitePlan) -> None:
    (phase,) = walk.phases
    slack = {s.name: s.minutes / DAY for s in phase.slacks if s.join == "commissioning"}
    assert slack == {"building": 35, "transformer": 0, "grid": 100}
    assert [(lot.mw, (lot.live or 0) / DAY) for lot in phase.lots] == [(25, 637), (25, 662), (25, 702), (25, 742)]


def test_every_number_of_the_walk_cites_the_walk(walk: SitePlan) -> None:
    assert {n.source for n in walk.numbers} == {"walk"}
    assert walk.gates == ()
    building = next(step for step in walk.steps if step.name == "building")
    assert [(n.median, n.unit) for n in building.numbers] == [(365.0, "days")]


def test_what_a_phase_has_from_its_site_has_the_sources_of_the_site() -> None:
    from types import SimpleNamespace

    from dcsim.scenario import archetypes
    from dcsim.scenario.yaml_reader import read_file
    from dcsim.study.steps import Sources

    scenario = SimpleNamespace(filled=archetypes.fill(read_file(WALK))[0], assumptions=load(WALK).assumptions)
    sources = Sources(scenario)  # type: ignore[arg-type]
    assert sources.source("sites.meadow.phases.all.construction.activities.building.duration") == "walk"
    assert sources.source("sites.meadow.phases.all.mw") == "walk"
    assert sources.source("sites.meadow.phases.all.nothing") is None


def test_the_text_says_what_it_is_and_fits(call: Call) -> None:
    shown = call("explain", WALK)
    assert shown.exit_code == 0
    assert "slack at commissioning: building 35 d, grid 100 d" in shown.stdout
    assert "This is the plan, not the median outcome" in " ".join(shown.stdout.split())
    assert "585  2028-02-06  *  transformer" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.fixture(scope="module")
def quickstart() -> Plan:
    return explain(load(ROOT / "scenarios" / "quickstart.yaml"))


def test_every_site_is_shown_with_its_gates(quickstart: Plan) -> None:
    assert [site.site for site in quickstart.sites] == ["lakeside", "prairie", "ridge"]
    ridge = quickstart.sites[2]
    power = next(gate for gate in ridge.gates if gate.name == "power")
    assert (power.likely, power.chance) == ("passes", pytest.approx(0.55))
    assert power.others == "remedy 15 %, fails 30 %"
    held = next(gate for gate in ridge.gates if gate.name.startswith("slot for transformer"))
    assert (held.likely, held.chance, held.others) == ("held", 0.6, "not held 40 %")


def test_work_that_no_trail_shows_is_a_step_too(quickstart: Plan) -> None:
    """Underwriting ends before the lease is signed, and the close goes by the lease's trail."""
    for site in quickstart.sites:
        (step,) = [step for step in site.steps if step.name == "financing"]
        assert (step.end - step.begin) / DAY == 60
        assert not step.critical
        close = next(step.end for step in site.steps if step.milestone and step.name == "financial_close")
        assert step.end < close


def test_a_site_can_be_picked(call: Call, quickstart: Plan) -> None:
    scenario = load(ROOT / "scenarios" / "quickstart.yaml")
    assert explain(scenario, ["ridge"]).sites == (quickstart.sites[2],)
    with pytest.raises(UsageError, match="did you mean 'ridge'"):
        explain(scenario, ["rigde"])
    shown = call("explain", ROOT / "scenarios" / "quickstart.yaml", "--site", "rigde")
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_a_lender_likelier_to_stay_out_does(call: Call) -> None:
    path = ROOT / "scenarios" / "quickstart.yaml"
    shown = call("explain", path, "--site", "ridge", "--set", "parties.bank.lending.takes_part=0.35")
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "lender bank stays out 65 % takes part 35 %" in text
    assert "not ready for service by 2032-12-31: unfinanced" in text


def test_a_gate_likelier_to_fail_ends_the_site_in_the_plan(call: Call) -> None:
    path = ROOT / "scenarios" / "quickstart.yaml"
    shown = call("explain", path, "--site", "ridge", "--set", "sites.ridge.diligence.power.fail=0.6")
    assert shown.exit_code == 0, shown.stderr
    assert "fails 60 %" in shown.stdout
    assert "not ready for service by 2032-12-31: rejected" in shown.stdout


def test_phases_alike_share_lines_and_drivers_are_named_as_left_out(call: Call, blank: Path) -> None:
    shown = call("explain", blank)
    assert shown.exit_code == 0
    assert "all transformer" in shown.stdout
    assert "Left out: driver labour (20 % per region), shock pull-back (0.05 a year)" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_an_impossible_plan_is_a_failure_with_a_name(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    def impossible(*_: object) -> None:
        raise ModelError("nobody knows")

    monkeypatch.setattr("dcsim.model.world.World.run", impossible)
    shown = call("explain", WALK)
    assert (shown.exit_code, shown.stderr) == (1, "error: nobody knows\n")
