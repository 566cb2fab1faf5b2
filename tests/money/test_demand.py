"""Demand: its path, its growth, its wandering; what meets it, and what is left unserved."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from helpers import Runner, run, scenario
from money import M, at, paid
from scipy.special import ndtri

from dcsim.errors import ScenarioError
from dcsim.model.world import Month

NOTHING = "sites: {a: {decision: shelve}}\n"

# One MW more on each day of 2027, from 100 MW on.
ONE_A_DAY = NOTHING + "tenants: {lab: {demand: {path: {2027-01-01: 100 MW, 2028-01-01: 465 MW}}}}"


def wanted(r) -> list[float]:
    """MW wanted at the end of each month."""
    return r.history.compute["lab"][1]


def test_the_path_is_straight_between_its_dates_and_level_outside() -> None:
    """On the 1st of February 31 days have passed, on that of March 59; January wants 115.5 MW on average."""
    r = run(ONE_A_DAY)
    assert wanted(r)[:3] == [131.0, 159.0, 190.0]
    assert wanted(r)[11:13] == [465.0, 465.0]
    assert r.history.compute["lab"][2] == wanted(r)  # nothing is live or rented
    mw_days = sum(100 + day + 0.5 for day in range(365)) + 465 * (366 + 365 + 365)
    assert r.outcome("unserved_mw_days") == pytest.approx(mw_days)
    r = run(NOTHING, "tenants: {lab: {demand: {path: {2028-01-01: 50 MW, 2028-01-31: 80 MW}}}}")
    assert wanted(r)[:13] == [50.0] * 12 + [80.0]
    assert run(NOTHING, "tenants: {lab: {demand: {path: 7 MW}}}").history.compute["lab"][1] == [7.0] * 48


def test_growth_is_a_factor_on_what_comes_beyond_the_first_value() -> None:
    """Half of 31, 59 and 365 MW more."""
    r = run(ONE_A_DAY, "tenants: {lab: {demand: {growth: 0.5}}}")
    assert [wanted(r)[i] for i in (0, 1, 11, 47)] == [115.5, 129.5, 282.5, 282.5]
    assert wanted(run(ONE_A_DAY, "tenants: {lab: {demand: {growth: 0}}}")) == [100.0] * 48


def test_growth_that_changes_holds_for_the_growth_from_then_on() -> None:
    """Nothing is grown in the second quarter: what was grown stays, what was not is not made up for. 90 MW until the
    end of March, 0, then 184 more until the end of September."""
    text = "shocks: {slump: {when: 2027-04-01, for: 91 days, set: {tenants.lab.demand.growth: {times: 0}}}}"
    r = run(ONE_A_DAY, text)
    assert wanted(r)[2:6] == pytest.approx([190.0, 190.0, 190.0, 190.0])
    assert wanted(r)[8] == pytest.approx(190.0 + 92)
    assert wanted(r)[11] == pytest.approx(465.0 - 91)


def test_an_edit_of_the_path_moves_all_of_it_while_it_holds() -> None:
    text = "shocks: {less: {when: 2027-04-01, for: 91 days, set: {tenants.lab.demand.path: {times: 0.5}}}}"
    r = run(ONE_A_DAY, text)
    assert wanted(r)[2:7] == pytest.approx([190.0, 110.0, 125.5, 140.5, 312.0])


def test_it_wanders_month_by_month() -> None:
    """1 in January; then exp(-0.3 sqrt(31/365.25) z): a high uniform is low demand. The plan does not wander."""
    text = NOTHING + "tenants: {lab: {demand: {path: 100 MW, volatility: 0.3/year}}}"
    for u in (0.2, 0.9):
        r = run(text, luck={"tenants.lab.demand.volatility": u})
        january = math.exp(-0.3 * math.sqrt(31 / 365.25) * ndtri(u))
        february = january * math.exp(-0.3 * math.sqrt(28 / 365.25) * ndtri(u))
        assert wanted(r)[:3] == pytest.approx([100.0, 100 * january, 100 * february])
    assert wanted(Runner(text).plan()) == [100.0] * 48
    runner = Runner(text)
    assert wanted(runner.run(0)) != wanted(runner.run(1))
    assert wanted(runner.run(0)) == wanted(runner.run(0))


def test_its_factors_are_drawn_once_and_pull_with_the_root_of_time() -> None:
    """Loading 0.6 on a factor at its 90 % quantile, own luck at the median: after t years demand is
    exp(-0.3 x 0.6 x 1.2816 sqrt(t)), and with a loading of -0.6 the reverse; own luck weighs sqrt(1 - 0.36) = 0.8."""
    text = """
    factors: {market: {}}
    tenants: {lab: {demand: {path: 100 MW, volatility: 0.3/year, loads: {market: %s}}}}
    """
    luck = {"factors.market": 0.9, "tenants.lab.demand.volatility": 0.5}
    for sign in (1, -1):
        r = run(NOTHING, text % (sign * 0.6), luck=luck)
        for month, days in ((12, 365), (36, 1096)):
            drop = 0.3 * 0.6 * ndtri(0.9) * math.sqrt(days / 365.25)
            assert wanted(r)[month] == pytest.approx(100 * math.exp(-sign * drop))
    own = run(NOTHING, text % 0.6, luck={"factors.market": 0.5, "tenants.lab.demand.volatility": 0.2})
    assert wanted(own)[1] == pytest.approx(100 * math.exp(-0.3 * 0.8 * math.sqrt(31 / 365.25) * ndtri(0.2)))


def test_its_spread_after_a_year_is_its_volatility_whatever_it_loads_on() -> None:
    """400 replications: the logarithm's standard deviation after a year and after three, within 4 errors of 0.3 and
    0.3 sqrt(3)."""
    text = """
    factors: {market: {}}
    tenants: {lab: {demand: {path: 100 MW, volatility: 0.3/year, loads: {market: 0.7}}}}
    """
    runner = Runner(NOTHING, text)
    edges = (0, *runner.blueprint.months)
    months = [Month(number, first, end) for number, (first, end) in enumerate(pairwise(edges))][:36]
    logs = []
    for replication in range(400):
        demand = runner.world(replication, trace=False).compute["lab"].demand
        logs.append([])
        for month in months:
            demand.wander(month)
            if month.number in (11, 35):
                logs[-1].append(math.log(demand.at(month.end) / 100))
    for column, years in ((0, 365 / 365.25), (1, 1096 / 365.25)):
        values = [row[column] for row in logs]
        mean = sum(values) / 400
        sd = math.sqrt(sum((value - mean) ** 2 for value in values) / 399)
        expected = 0.3 * math.sqrt(years)
        assert abs(mean) < 4 * expected / 20
        assert abs(sd / expected - 1) < 4 / math.sqrt(800)


LIVE = """
parties: {cloud: {}}
sites:
  b: {initial: {lease_signed: 2026-01-01}, bring_up: {lot: 10 racks},
      phases: {p1: {mw: 100, initial: {full_live: 2026-12-01}}}}
"""


def test_owned_then_clouds_then_on_demand_then_nothing() -> None:
    """200 MW: 100 live, 40 rented at $12m and 10 at $6m, 30 on demand at 1.5 x $12m, $45m a month; 20 unserved."""
    text = """
    tenants: {lab: {running_cost: $1.2m/MW-year, demand: {path: 200 MW, on_demand: {limit: 30 MW, premium: 1.5}}}}
    cloud:
      c: {provider: cloud, from: 2027-01-01, until: 2027-06-30, mw: 40 MW, price: $12m/MW-year}
      d: {provider: cloud, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: $6m/MW-year}
    """
    r = run(LIVE, text)
    on_demand = paid(r, "on demand", "lab", "outside")
    assert on_demand["2027-01"] == 45 * M
    assert on_demand["2027-07"] == 22_500_000  # now d is the dearest
    assert on_demand["2029-01"] == 22_500_000  # the last that ran
    cloud, _, unserved = r.history.compute["lab"]
    assert (cloud[0], unserved[0], cloud[5], cloud[6], unserved[6]) == (50.0, 20.0, 50.0, 10.0, 60.0)
    assert paid(r, "operations", "lab", "outside")["2027-01"] == 10 * M  # $1.2m a year for each of 100 MW
    assert r.outcome("owned_share_2027") == 100 / (100 + 10 + 30)
    assert r.world.compute["lab"].served_mw[0] == pytest.approx(180)
    own = run(LIVE, text, "tenants: {lab: {demand: {on_demand: {price: $4m/MW-year}}}}")
    assert paid(own, "on demand")["2027-01"] == 15 * M


def test_a_month_is_settled_on_its_averages() -> None:
    """60 MW are wanted. A contract of 62 MW ends after 2027-01-15: 30 MW on average, the other 30 are unserved."""
    text = "cloud: {c: {provider: cloud, from: 2026-01-01, until: 2027-01-15, mw: 62 MW, price: $12m/MW-year}}"
    r = run(LIVE, text, "tenants: {lab: {demand: {path: 160 MW}}}")
    assert paid(r, "cloud") == {"2027-01": 30 * M}
    assert r.outcome("unserved_mw_days") == pytest.approx(30 * 31 + 60 * (1461 - 31))


def test_surplus_is_what_is_live_and_rented_beyond_demand() -> None:
    text = """
    tenants: {lab: {demand: {path: {2027-01-01: 80 MW, 2027-04-11: 180 MW}}}}
    cloud: {c: {provider: cloud, from: 2027-02-01, until: 2027-12-31, mw: 40 MW, price: 0}}
    """
    runner = Runner(LIVE, text)
    world = runner.world()
    found = []
    for date in ("2027-01-11", "2027-02-20", "2027-03-12"):
        minute = at(runner.run(), date)
        world.clock.at(minute, lambda: found.append(world.surplus_mw("lab")))
    world.run()
    assert found == pytest.approx([10.0, 10.0, 0.0])  # 100 - 90, 140 - 130, 140 - 150
    assert run(LIVE).world.surplus_mw("lab") == 0.0  # says nothing of its demand
    less = run(LIVE, text, "tenants: {lab: {demand: {path: 60 MW}}}").world
    assert less.surplus_mw("lab") == 40.0
    assert less.compute["lab"].served_mw[0] == pytest.approx(60)


def test_the_end_of_a_year_is_before_what_comes_on_new_years_day() -> None:
    text = """
    cloud: {c: {provider: cloud, from: 2027-01-01, until: 2030-12-31, mw: 300 MW, price: 0}}
    sites: {b: {phases: {p1: {initial: {full_live: 2028-01-01}}}}}
    """
    r = run(LIVE, text)
    assert [r.outcome(f"owned_share_{year}") for year in (2027, 2028)] == [0.0, 0.25]


def test_each_tenant_has_its_own() -> None:
    text = """
    tenants: {lab: {demand: {path: 50 MW}}, other: {demand: {path: 70 MW}}}
    cloud:
      c: {provider: cloud, tenant: other, from: 2027-01-01, until: 2030-12-31, mw: 30 MW, price: $12m/MW-year}
    """
    r = run(LIVE, text)
    assert [r.history.compute[id][2][0] for id in ("lab", "other")] == [0.0, 40.0]
    assert [r.world.surplus_mw(id) for id in ("lab", "other")] == [50.0, 0.0]
    assert r.outcome("cloud_usd_m", "lab") == 0.0
    assert r.outcome("cloud_usd_m", "other") == 4 * 360.0
    assert r.history.outcomes["lab"].keys() == r.history.outcomes["other"].keys()


@pytest.mark.parametrize(
    ("text", "code", "path", "says"),
    [
        ("{path: {}}", "REQUIRED", "path", "expected MW"),
        ("{path: 5, on_demand: {limit: 5}}", "REQUIRED", "on_demand", "there is no cloud contract"),
        ("{path: 5, loads: {market: 0.5}}", "REF", "loads.market", "unknown factor 'market'"),
        ("{path: -5}", "RANGE", "path", ""),
    ],
)
def test_refused(text: str, code: str, path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(NOTHING, f"tenants: {{lab: {{demand: {text}}}}}")
    found = [(p.code, p.path) for p in caught.value.problems if says in p.message]
    assert (code, f"tenants.lab.demand.{path}") in [(c, p.removesuffix(".0001-01-01")) for c, p in found]
