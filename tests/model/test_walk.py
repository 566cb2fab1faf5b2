"""The walk by hand: every date, every MW and every day charged, from the shipped file."""

from pathlib import Path

import pytest
from helpers import Runner, by_cause, run

from dcsim.engine.draws import PlanDraws
from dcsim.model.blueprint import Blueprint
from dcsim.model.world import simulate_plan
from dcsim.scenario.scenario import load
from dcsim.study.run import simulate

WALK = Path(__file__).parents[2] / "scenarios" / "walk.yaml"


@pytest.fixture(scope="module")
def scenario():
    return load(WALK)


@pytest.fixture(scope="module")
def walk(scenario):
    return run(scenario)


def test_dates_of_the_site(walk):
    assert walk.days("meadow") == {
        "loi_signed": 0,
        "diligence_complete": 90,
        "approved": 90,
        "negotiated": 135,
        "guarantee_signed": 155,
        "lease_signed": 155,
        "energy_services": 155,
        "financial_close": 215,
        "notice_to_proceed": 215,
    }


def test_dates_of_the_phase(walk):
    dates = {name: walk.day(f"meadow.all.{name}") for name in (
        "building_complete", "equipment_on_site", "energised", "commissioned", "ready_for_service",
        "rent_commencement", "first_live", "full_live",
    )}  # fmt: skip
    assert dates == {
        "building_complete": 580,
        "equipment_on_site": 615,
        "energised": 515,
        "commissioned": 645,
        "ready_for_service": 645,
        "rent_commencement": 645,
        "first_live": 667,
        "full_live": 742,
    }
    assert str(walk.world.blueprint.date_of(645 * 1440)) == "2028-04-06"


@pytest.mark.parametrize(
    ("lot", "delivered", "installed", "live"),
    [(0, 600, 655, 667), (1, 640, 665, 677), (2, 680, 690, 702), (3, 720, 730, 742)],
)
def test_dates_of_each_lot(walk, lot, delivered, installed, live):
    name = f"meadow.all.{lot}"
    assert [walk.day(f"{name}.{m}") for m in ("ordered", "delivered", "installed", "live")] == [
        200, delivered, installed, live,
    ]  # fmt: skip


def test_live_power_and_idle_power(walk):
    steps = [(666.99, 0), (667, 25), (676.99, 25), (677, 50), (701.99, 50), (702, 75), (741.99, 75), (742, 100)]
    assert [walk.mw("live", day) for day, _ in steps] == [mw for _, mw in steps]
    assert [walk.mw("ready", day) for day in (644.99, 645)] == [0, 100]
    assert [walk.mw("leased", day) for day in (154.99, 155)] == [0, 100]
    idle = sum(walk.mw("ready", day) - walk.mw("live", day) for day in range(645, 742))
    assert idle == 5_200


def test_charged_for_the_last_lot(walk):
    end = walk.phase("meadow.all")
    assert (end.state, end.reached, end.minute) == ("live", True, 742 * 1440)
    assert walk.links("meadow.all") == [
        ("team", 60), ("diligence", 30), ("negotiation", 45), ("guarantee", 20), ("financing", 60), ("equipment", 400),
        ("commissioning", 30), ("chips", 75), ("bring_up", 10), ("bring_up", 5), ("bring_up", 7),
    ]  # fmt: skip


def test_lots_two_and_three_have_their_own_trails(walk):
    first, second, third, fourth = walk.phase("meadow.all").lots
    assert [mw for mw, _ in (first, second, third, fourth)] == [25, 25, 25, 25]
    common = {"team": 60, "diligence": 30, "negotiation": 45, "guarantee": 20, "financing": 60, "equipment": 400}
    common["commissioning"] = 30
    assert by_cause(first[1]) == {**common, "bring_up": 22}
    assert by_cause(second[1]) == {**common, "crews": 10, "bring_up": 22}  # 677: the crew was at lot 1, no chips
    assert by_cause(third[1]) == {**common, "chips": 35, "bring_up": 22}


def test_slack_at_commissioning(scenario):
    """Building has 35 days of slack, the grid 100: so much longer and nothing changes, a day more and all is later."""
    building = "sites.meadow.construction.activities.building.duration"
    grid = "sites.meadow.construction.grid"

    def power(days):
        return [{"share": 1.0, "after": "financial_close", "delay": days}]

    def ready(edits):
        return run(scenario.edit(edits)).day("meadow.all.ready_for_service")

    assert ready({building: 365 + 35}) == ready({grid: power(300 + 100)}) == 645
    assert ready({building: 365 + 36}) == ready({grid: power(300 + 101)}) == 646


def test_the_plan_knows_neither_teams_nor_queues(scenario):
    plan = simulate_plan(Blueprint(scenario))
    charged = by_cause(plan.phases[0].trail)
    assert charged == {
        "diligence": 60,  # power and title side by side; the committee sits on day 60
        "negotiation": 45, "guarantee": 20, "financing": 60, "equipment": 400, "commissioning": 30,
        "chips": 105,
        "bring_up": 22,
    }  # fmt: skip
    assert plan.phases[0].minute == 742 * 1440


def test_every_gate_passes_in_the_plan():
    assert not PlanDraws().fails("anything", 0.5)


def test_through_the_study(scenario):
    result = simulate(scenario, workers=1)
    row = result.outcomes.iloc[0]
    assert row["idle_mw_days"] == 5_200
    assert row["mw_live"] == 100
    assert str(row["date_first_live"])[:10] == "2028-04-28"  # day 667
    assert str(row["date_of_50_mw"])[:10] == "2028-05-08"
    assert str(row["date_of_100_mw"])[:10] == "2028-07-12"
    charged = result.delays.set_index("cause")
    assert charged["days"].to_dict() == {
        "diligence": 30, "team": 60, "negotiation": 45, "guarantee": 20, "financing": 60, "equipment": 400,
        "commissioning": 30, "chips": 75, "bring_up": 22, "crews": 0,
    }  # fmt: skip
    assert charged["reached"].all()
    assert charged["days"].sum() == charged["planned_days"].sum() == 742
    assert charged.loc["crews", "mw_days"] == 25 * 10
    live = result.capacity.set_index("month")["live_mw"]
    assert [live[d] for d in live.index if str(d)[:10] in ("2028-04-30", "2028-05-31", "2028-06-30", "2028-07-31")] == [
        25, 50, 75, 100,
    ]  # fmt: skip


def test_every_replication_of_the_walk_is_the_same(scenario):
    runner = Runner(scenario)
    first, later = runner.run(0).history, runner.run(300).history
    assert (first.milestones, first.changes, first.phases) == (later.milestones, later.changes, later.phases)
