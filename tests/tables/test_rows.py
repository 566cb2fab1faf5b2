"""Rows against numbers worked out by hand: the walk of one site, months at their edges, and sums that come out even."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from fake_study import DAY, FakeScenario, plan, walk
from hypothesis import given
from hypothesis import strategies as st

from dcsim.errors import ModelError
from dcsim.model.history import CAUSES, MEASURES, History, PhaseEnd
from dcsim.tables.layout import EPOCH, Layout, charged
from dcsim.tables.power import PowerRecord, sum_mw
from dcsim.tables.rows import MISSING, rows_of, scalar_names
from dcsim.tables.schema import TABLE_NAMES, run_schemas

SCENARIO = FakeScenario()
LAYOUT = Layout.of(SCENARIO, plan(SCENARIO))


def rows(history, layout=LAYOUT):
    return rows_of(history, layout, run_schemas(layout.outcomes_schema(scalar_names(history, layout))))


def calendar(days):
    return [None if day == MISSING else EPOCH + timedelta(days=int(day)) for day in days]


def test_walk_outcomes():
    table = rows(walk(3))["outcomes"]
    assert table["tenant"] == ["lab", "rival"]
    assert table["replication"].tolist() == [3, 3]
    assert table["live_mw_2027"].tolist() == [0.0, 0.0]
    assert table["live_mw_2028"].tolist() == [100.0, 0.0]
    assert table["live_mw_at_horizon"].tolist() == [100.0, 0.0]
    assert calendar(table["date_first_live"]) == [SCENARIO.start + timedelta(days=667), None]
    assert calendar(table["date_of_12_5_mw"]) == [SCENARIO.start + timedelta(days=667), None]
    assert calendar(table["date_of_50_mw"]) == [SCENARIO.start + timedelta(days=677), None]
    assert calendar(table["date_of_100_mw"]) == [SCENARIO.start + timedelta(days=742), None]
    assert table["mw_live"].tolist() == [100.0, 0.0]
    assert table["mw_pending"].tolist() == [0.0, 0.0]
    assert table["idle_mw_days"].tolist() == [5200.0, 0.0]
    assert table["calls"].tolist() == [0.0, 2.0]
    assert table["cost"][0] == 1.25
    assert np.isnan(table["cost"][1])


def test_walk_delays():
    table = rows(walk(0))["delays"]
    days = dict(zip(table["cause"], table["days"].tolist(), strict=True))
    expected = {
        "team": 60, "diligence": 30, "negotiation": 45, "guarantee": 20, "financing": 60, "equipment": 400,
        "commissioning": 30, "chips": 75, "crews": 0, "bring_up": 22,
    }  # fmt: skip
    assert days == expected
    assert sum(days.values()) == 742
    assert table["cause"] == [cause for cause in CAUSES if cause in expected]
    assert all(table["reached"])
    energy = dict(zip(table["cause"], table["mw_days"].tolist(), strict=True))
    assert energy["chips"] == 25 * (75 + 35)
    assert energy["crews"] == 25 * 10
    assert sum(energy.values()) == 25 * (667 + 677 + 702 + 742)
    assert table["planned_days"].tolist() == table["days"].tolist()


def test_delays_beside_a_plan():
    late = rows(walk(0, shift=3 * DAY + 720))["delays"]
    index = late["cause"].index("bring_up")
    assert late["days"][index] == 25.5
    assert late["planned_days"][index] == 22.0
    unplanned = rows(walk(0), Layout.of(SCENARIO))["delays"]
    assert np.isnan(unplanned["planned_days"]).all()


def test_a_cause_of_the_plan_alone_has_a_row():
    history = walk(0)
    phase = history.phases[0]
    phase.trail = ((0, "", "meadow"), (10 * DAY, "shock", "meadow"))
    phase.lots, phase.reached, phase.state = [], False, "lost"
    table = rows(history)["delays"]
    by_cause = {cause: index for index, cause in enumerate(table["cause"])}
    assert table["days"][by_cause["shock"]] == 10.0
    assert table["mw_days"][by_cause["shock"]] == 1000.0  # no lot was formed: the phase's own MW count
    assert table["planned_days"][by_cause["shock"]] == 0.0
    assert table["days"][by_cause["equipment"]] == 0.0
    assert table["planned_days"][by_cause["equipment"]] == 400.0
    assert not any(table["reached"])


def test_milestones():
    table = rows(walk(0, shift=90))["milestones"]
    assert table["milestone"][:2] == ["loi_signed", "lease_signed"]
    assert table["phase"][:3] == [None, None, "all"]
    assert table["lot"].tolist() == [MISSING, MISSING, MISSING, 0, 1, 2, 3, MISSING]
    assert table["day"][:3].tolist() == [0.0, 155.0, 645.0]
    assert table["day"][3] == 667 + 90 / 1440
    assert calendar(table["date"])[:3] == [date(2026, 7, 1), date(2026, 12, 3), date(2028, 4, 6)]
    assert calendar(table["committed"])[1] == date(2026, 12, 1)
    assert calendar(table["committed"])[-1] == date(2028, 7, 1)
    assert calendar(table["committed"])[3] is None


def test_dates_are_committed_for_phases_and_sites_not_for_lots():
    layout = replace(LAYOUT, committed={("meadow", "all", "live"): date(2028, 1, 1)})
    assert calendar(rows(walk(0), layout)["milestones"]["committed"]) == [None] * 8


def test_a_milestone_before_the_start_has_a_negative_day():
    table = rows(History(0, milestones=[("lab", "meadow", None, None, "loi_signed", -1)], outcomes={}))["milestones"]
    assert table["day"].tolist() == [-1 / 1440]
    assert calendar(table["date"]) == [date(2026, 6, 30)]


def test_a_month_shows_its_end():
    last_minute_of_july = 31 * DAY - 1
    changes = [
        (last_minute_of_july, "lab", "live", 1.0), (last_minute_of_july + 1, "lab", "live", 2.0),
        (-5000, "rival", "loi", 7.0),
        (LAYOUT.end_minute - 1, "lab", "ready", 4.0), (LAYOUT.end_minute, "lab", "ready", 8.0),
    ]  # fmt: skip
    table = rows(History(0, changes=changes))["capacity"]
    months = calendar(table["month"])[:36]
    assert table["tenant"] == ["lab"] * 36 + ["rival"] * 36
    assert (months[0], months[7], months[20], months[-1]) == (
        date(2026, 7, 31), date(2027, 2, 28), date(2028, 3, 31), date(2029, 6, 30),
    )  # fmt: skip
    assert table["live_mw"][:3].tolist() == [1.0, 3.0, 3.0]
    assert table["loi_mw"][36:38].tolist() == [7.0, 7.0]
    assert table["ready_mw"][34:36].tolist() == [0.0, 4.0]
    measures = (*MEASURES, "cloud", "demand", "unserved")
    assert set(table) == {"replication", "tenant", "month"} | {f"{measure}_mw" for measure in measures}


def test_a_horizon_within_a_month_ends_the_last_month():
    layout = Layout(date(2026, 7, 15), date(2026, 9, 10), ("lab",))
    assert layout.months == [date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 10)]
    table = rows(History(0, changes=[(57 * DAY + 1439, "lab", "live", 1.0)]), layout)["capacity"]
    assert table["live_mw"].tolist() == [0.0, 0.0, 1.0]


def test_a_level_touched_within_a_minute_is_not_reached():
    changes = [(DAY, "lab", "live", 50.0), (DAY, "lab", "live", -50.0), (5 * DAY, "lab", "live", 50.0)]
    power = PowerRecord(changes, LAYOUT)
    assert power.live_on(0, [1e-6, 50.0, 51.0]) == [5, 5, None]


def test_what_happens_after_the_horizon_is_not_seen():
    power = PowerRecord([(LAYOUT.end_minute, "lab", "live", 50.0)], LAYOUT)
    assert power.live_on(0, [50.0]) == [None]
    assert power.idle_mw_days(0) == 0.0
    assert PowerRecord([(LAYOUT.end_minute - 1, "lab", "live", 50.0)], LAYOUT).live_on(0, [50.0]) == [1095]


def test_idle_counts_from_the_start_to_the_horizon():
    days = LAYOUT.end_minute // DAY
    before = PowerRecord([(-400 * DAY, "lab", "ready", 10.0)], LAYOUT)
    assert before.idle_mw_days(0) == 10.0 * days
    half = PowerRecord([(0, "lab", "ready", 10.0), (DAY // 2, "lab", "live", 10.0)], LAYOUT)
    assert half.idle_mw_days(0) == 5.0


@given(st.lists(st.floats(0.0001, 5000), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_what_came_in_pieces_and_goes_at_once_leaves_zero(pieces, random):
    changes = [(index, "lab", "live", piece) for index, piece in enumerate(pieces)]
    changes.append((100, "lab", "live", -sum(pieces)))
    random.shuffle(changes)
    levels = PowerRecord(changes, LAYOUT).at_ends([100, 101])
    assert levels[0, -1, 1] == 0.0
    assert not np.signbit(levels[0, -1, 1])
    assert levels[0, -1, 0] == pytest.approx(sum(pieces), abs=1e-6)


def test_sums_of_power_do_not_drift():
    assert sum_mw([0.1] * 10) == 1.0
    assert sum_mw([100 / 1.3] * 13) == 1000.0
    assert sum_mw(()) == 0.0


def test_charges_telescope():
    trail = ((-10, "", "s"), (0, "team", "s"), (7, "team", "s"), (9, "grid", "s"))
    assert charged(trail) == {"team": 17, "grid": 2}
    assert charged(()) == {}


@pytest.mark.parametrize(
    ("history", "says"),
    [
        (History(4, changes=[(0, "nobody", "live", 1.0)]), "replication 4: a change names 'nobody'"),
        (History(4, changes=[(0, "lab", "lived", 1.0)]), "'lived'"),
        (History(4, changes=[(0, "lab", "live", float("inf"))]), "finite"),
        (History(4, phases=[PhaseEnd("lab", "meadow", "all", 1.0, "gone", False, 0)]), "ends 'gone'"),
        (
            History(4, phases=[PhaseEnd("lab", "m", "a", 1.0, "lost", False, 9, ((0, "", "m"), (9, "rain", "m")))]),
            "charges days to ['rain']",
        ),
        (History(4, outcomes={"lab": {"a": 1}, "rival": {"b": 1}}), "different outcomes"),
    ],
)
def test_nonsense_is_an_error_that_names_the_replication(history, says):
    with pytest.raises(ModelError) as caught:
        rows(history)
    assert says in str(caught.value)
    assert "replication 4" in str(caught.value)


def test_only_the_tables_asked_for_are_made():
    history = walk(0)
    schemas = run_schemas(LAYOUT.outcomes_schema(scalar_names(history, LAYOUT)), ["milestones", "delays"])
    assert list(rows_of(history, LAYOUT, schemas)) == ["milestones", "delays"]
    assert list(rows(history)) == list(TABLE_NAMES)


def test_money_of_the_walk():
    tables = rows(walk(0))
    assert calendar(tables["ledger"]["month"])[:2] == [date(2028, 4, 30), date(2028, 5, 31)]
    assert tables["ledger"]["usd_m"][:3].tolist() == [12.5, 15.0, 15.0]
    assert (tables["ledger"]["payer"][0], tables["ledger"]["payee"][0], tables["ledger"]["kind"][0]) == (
        "lab", "builder", "rent",
    )  # fmt: skip
    cash = tables["cash"]
    assert (cash["opening"] + cash["received"] - cash["paid"]).tolist() == cash["closing"].tolist()
    assert cash["opening"][1:].tolist() == cash["closing"][:-1].tolist()
    assert cash["closing"][20:23].tolist() == [300.0, 287.5, 272.5]
    exposure = tables["exposure"]
    assert (calendar(exposure["month"]), exposure["usd_m"].tolist()) == ([date(2027, 2, 28)], [880.0])
    assert calendar(tables["loans"]["closed"]) == [date(2027, 2, 1)]
    assert tables["loans"]["defaulted"].tolist() == [MISSING]
    assert tables["capacity"]["cloud_mw"][[0, 36]].tolist() == [10.0, 0.0]
    assert tables["capacity"]["demand_mw"][0] == 30.0
    assert math.isnan(tables["capacity"]["demand_mw"][36])
    assert tables["defaults"]["party"] == ["rival"]
