"""Live MW beyond demand that are let to others."""

from __future__ import annotations

import pytest
from helpers import Run, run, scenario
from money import M, paid, total

from dcsim.errors import ScenarioError

# 100 MW of racks that cost nothing are live within the first day. 70 MW are wanted, of the other 30 each fetches half
# of $12m a year: $15m a month.
LIVE = """
chips:
  products: {one: {supplier: dev, rack_power: 100 kW, rack_price: 0}}
  orders: {all: {product: one, racks: 1000, ordered: day 0}}
sites: {a: {bring_up: {lot: 1000 racks}}}
tenants: {lab: {demand: {path: 70 MW, sublet: {at: 0.5, price: $12m/MW-year}}}}
horizon: 2027-12-31
"""


def let(*texts: str) -> dict[str, int]:
    return paid(run(LIVE, *texts), "sublease", "outside", "lab")


def test_whole_months_of_what_is_beyond_demand_are_let():
    """There is no month's end before January: from February on."""
    income = let()
    assert income == {f"2027-{month:02}": 15 * M for month in range(2, 13)}


def test_after_the_lag():
    """45 days before April is 15 February: the surplus of 1 February is old enough; before March there is none."""
    assert next(iter(let("tenants: {lab: {demand: {sublet: {lag: 45}}}}").items())) == ("2027-04", 15 * M)


def test_no_more_than_was_beyond_demand_all_the_time():
    """Demand rises from 70 on 1 June to 90 on 1 July: 10 MW were surplus at June's beginning and end, $5m."""
    income = let("tenants: {lab: {demand: {path: {2027-06-01: 70 MW, 2027-07-01: 90 MW}}}}")
    assert (income["2027-05"], income["2027-06"], income["2027-07"]) == (15 * M, 5 * M, 5 * M)


def test_nor_than_on_the_months_average():
    """No demand at the ends of July, but 150 MW in its middle: 75 on average:
    of 100 MW 25 are let, $12.5m."""
    path = "{2027-06-30: 0 MW, 2027-07-01: 0 MW, 2027-07-16: 150 MW, 2027-08-01: 0 MW}"
    income = let(f"tenants: {{lab: {{demand: {{path: {path}}}}}}}")
    assert (income["2027-06"], income["2027-07"], income["2027-08"]) == (50 * M, 12_500_000, 50 * M)


CLOUD = """
parties: {cloud: {}}
cloud: {c: {provider: cloud, from: 2027-01-01, until: 2027-06-30, mw: 50 MW, price: $8m/MW-year, take_or_pay: all}}
"""


def test_the_price_follows_the_contracts_and_what_is_rented_is_not_let():
    """30 MW, whatever is rented beside, at half of $8m a year: $10m a month; also when the contract is over."""
    income = let(CLOUD, "tenants: {lab: {demand: {sublet: {price: null}}}}")
    assert (income["2027-02"], income["2027-09"]) == (10 * M, 10 * M)


def test_it_is_income_and_makes_owned_compute_cheaper():
    """Of rent of $10m a month, 100 MW-months cost $0.1m each; with 11 months at $15m 1,200 of them cost 120 - 165."""
    rent = "sites: {a: {lease: {rent: $100/kW-month, term: 15 years}}}"
    money = "tenants: {lab: {treasury: {cash: $1bn}}}"
    r = run(LIVE, rent, money)
    assert r.outcome("ending_cash_usd_m") == 1000 - 120 + 165
    assert r.outcome("owned_cost_per_mw_month") == pytest.approx((120 - 165) / 1200, rel=1e-3)
    none = run(LIVE, rent, money, "tenants: {lab: {demand: {sublet: null}}}")
    assert none.outcome("ending_cash_usd_m") == 1000 - 120


def test_in_default_nothing_is_let():
    """The lab declares on 2027-06-15: May is the last month."""
    assert list(let("shocks: {x: {when: 2027-06-15, default: lab}}"))[-1] == "2027-05"


def test_the_market_moves_the_price_from_the_month_in_which_it_turns():
    low = "shocks: {low: {when: 2027-06-01, for: 61 days, set: {tenants.lab.demand.sublet.price: {times: 0.5}}}}"
    income = let(low)
    assert [income[f"2027-0{month}"] / M for month in (5, 6, 7, 8)] == [15, 7.5, 7.5, 15]


def test_what_is_served_is_not_let():
    """With 100 MW wanted, all of it is served."""
    r: Run = run(LIVE, "tenants: {lab: {demand: {path: 100 MW}}}")
    assert total(r, "sublease") == 0
    assert r.outcome("unserved_mw_days") == pytest.approx(0.0, abs=101)


def test_refused():
    """Without a price or a contract there is nothing that it could fetch a share of."""
    with pytest.raises(ScenarioError) as caught:
        scenario("sites: {a: {}}\ntenants: {lab: {demand: {path: 7 MW, sublet: {lag: 90}}}}")
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("REQUIRED", "tenants.lab.demand.sublet")
    assert "there is no cloud contract whose price it could follow" in problem.message
