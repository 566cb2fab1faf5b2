"""Treasury: what a tenant earns, raises and borrows; what happens when it cannot pay, and what then is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from calls import with_events
from helpers import DAY, Runner, run, scenario
from money import M, at, paid, total

from dcsim.errors import ModelError, ScenarioError
from dcsim.model.treasury import Treasury

# 100 MW rented for nothing earn $10m a full month at $1.2m a MW-year.
EARNS = """
parties: {cloud: {}}
cloud: {c: {provider: cloud, from: 2027-01-01, until: 2030-12-31, mw: 100 MW, price: 0}}
tenants: {lab: {treasury: {cash: $0, price: $1.2m/MW-year}}}
sites: {a: {decision: shelve}}
"""

# 100 MW at $100/kW-month: $10m of rent on the 1st of each month from 2027-01-01 on.
RENTS = """
tenants: {lab: {treasury: {cash: $25m, default: {grace: 5, cure: 30}}}}
sites: {a: {lease: {rent: $100/kW-month, term: 15 years}}}
"""


HALL = "sites: {a: {decision: null, lease: {rent: $100/kW-month, term: 15 years}}}"


def cash(r, party: str = "lab") -> list[int]:
    """Dollars at the end of each month, by the ledger's account."""
    (found,) = [(opening, into, out) for who, opening, into, out in r.history.cash if who == party]
    opening, into, out = found
    return (opening + np.cumsum(into) - np.cumsum(out)).tolist()


def defaults(r) -> list[tuple[float, str, str]]:
    return [(minute / DAY, party, cause) for minute, party, cause in r.history.defaults]


def day(r, date: str) -> float:
    return at(r, date) / DAY


# Earning.


def test_revenue_is_for_what_serves_and_trains_nothing() -> None:
    """100 MW of which 40 train: $6m a month; a quarter of it and $1m are spent. From January 2028 on the price is
    10 % lower, from January 2029 on another 10 %; half-way it has fallen by the square root."""
    text = """
    tenants:
      lab:
        demand: {path: 100 MW, training_share: 0.4}
        treasury: {price_trend: -0.1/year, operating_cost: 0.25 of revenue, fixed_cost: $1m/month}
    """
    r = run(EARNS, text)
    revenue = paid(r, "revenue", "outside", "lab")
    assert (revenue["2027-01"], revenue["2028-01"], revenue["2029-01"]) == (6 * M, 5_400_000, 4_860_000)
    assert revenue["2027-07"] == round(6 * M * 0.9**0.5)
    assert paid(r, "operating cost", "lab", "outside")["2027-01"] == 1_500_000
    assert paid(r, "fixed cost", "lab", "outside")["2027-02"] == M
    assert cash(r)[0] == 3_500_000
    assert r.outcome("revenue_usd_m") == pytest.approx(sum(revenue.values()) / M)
    assert r.outcome("ending_cash_usd_m") == cash(r)[-1] / M


def test_only_what_is_wanted_and_served_earns() -> None:
    """120 MW wanted of which 110 are served, 10 of them on demand: $11m. At 80 wanted, $8m."""
    text = "tenants: {lab: {demand: {path: %s, on_demand: {limit: 10 MW, price: 0}}}}"
    assert paid(run(EARNS, text % "120 MW"), "revenue")["2027-05"] == 11 * M
    assert paid(run(EARNS, text % "80 MW"), "revenue")["2027-05"] == 8 * M


def test_a_part_of_a_month_earns_by_its_days() -> None:
    """From 2027-01-11 on: 21 of 31 days of January."""
    r = run(EARNS, "start: 2027-01-11\nhorizon: 2027-03-10")
    assert paid(r, "revenue") == {"2027-01": 6_774_194, "2027-02": 10 * M, "2027-03": 3_225_806}


def test_the_market_moves_the_price_from_the_month_in_which_it_turns() -> None:
    """Half the price from 2028-01-01 on for a year: January is the first month at half."""
    text = "shocks: {low: {when: 2028-01-01, for: 366 days, set: {tenants.lab.treasury.price: {times: 0.5}}}}"
    revenue = paid(run(EARNS, text), "revenue")
    assert [revenue[m] / M for m in ("2027-12", "2028-01", "2028-12", "2029-01")] == [10, 5, 5, 10]


def test_what_came_in_less_what_went_out_is_what_is_there() -> None:
    """The account, the ledger and the treasury say the same of every month, and never less than nothing."""
    text = "tenants: {lab: {treasury: {cash: $25m, operating_cost: 0.5 of revenue, revolver: $7m}}}"
    r = run(EARNS, text, HALL)
    assert cash(r) == r.world.treasuries["lab"].cash
    assert cash(r)[:7] == [20 * M, 15 * M, 10 * M, 5 * M, 0, 0, 0]  # 5 are drawn in June; in July 2 do not do
    drawn = total(r, "revolver draw") - total(r, "revolver repayment")
    assert drawn == r.world.treasuries["lab"].drawn == 5 * M


# Borrowing.


def test_the_revolver_is_drawn_when_needed_and_repaid_first() -> None:
    """$15m a month are spent and $10m earned: 5 are drawn in January, in February 5 and a month's interest of 1 % on
    5, in March 5 and on 10.05. The round of April repays it: 40 - 5 - 0.1515 - 15.1505 = 19.698 are left."""
    text = """
    tenants:
      lab:
        treasury: {fixed_cost: $15m/month, revolver: $20m, revolver_rate: 0.12,
                   rounds: {date: 2027-04-20, amount: $40m}}
    """
    r = run(EARNS, text)
    draws = paid(r, "revolver draw", "outside", "lab")
    assert (draws["2027-01"], draws["2027-02"], draws["2027-03"]) == (5 * M, 5_050_000, 5_100_500)
    assert paid(r, "revolver interest", "lab", "outside")["2027-04"] == 151_505
    assert paid(r, "revolver repayment", "lab", "outside") == {"2027-04": 15_150_500}
    assert cash(r)[:4] == [0, 0, 0, 40 * M - 5 * M - 151_505 - 15_150_500]
    assert r.outcome("equity_usd_m") == 40.0
    treasury = r.world.treasuries["lab"]
    assert treasury.funding_gap > 15_150_500  # later, when it is gone again
    early = run(EARNS, text, "horizon: 2027-03-31")
    assert early.outcome("funding_gap_usd_m") == pytest.approx(15.1505)
    assert early.outcome("least_cash_usd_m") == 0.0


# Raising.


def test_the_ipo_comes_on_its_date_if_the_market_wants_it() -> None:
    text = "tenants: {lab: {treasury: {ipo: {date: 2027-06-15, amount: $60m, chance: 0.6, retry: 180 days}}}}"
    r = run(EARNS, text, luck={"tenants.lab.treasury.ipo": 0.39})
    assert paid(r, "ipo", "outside", "lab") == {"2027-06": 60 * M}
    assert r.world.treasuries["lab"].ipo_minute == at(r, "2027-06-15")
    assert r.outcome("ipo_usd_m") == 60.0
    never = run(EARNS, text, luck={"tenants.lab.treasury.ipo": 0.61})
    assert (paid(never, "ipo"), never.outcome("ipo_usd_m")) == ({}, 0.0)
    # Each attempt is a draw of its own.
    tried = [run(scenario(EARNS, text, f"seed: {seed}")) for seed in range(12)]
    months = {month for r in tried for month in paid(r, "ipo")}
    assert {"2027-06", "2027-12"} <= months


def test_a_market_that_shuts_on_the_date_stops_it_and_one_that_opens_lets_it_through() -> None:
    """The chance is that of the day on which it is asked: what strikes on that day comes after it."""
    text = "tenants: {lab: {treasury: {ipo: {date: 2027-06-15, amount: $60m, retry: 100 days}}}}"
    shut = "shocks: {shut: {when: %s, for: 150 days, set: {tenants.lab.treasury.ipo.chance: 0}}}"
    assert paid(run(EARNS, text, shut % "2027-05-01"), "ipo") == {"2028-01": 60 * M}  # the second window, 200 days on
    assert paid(run(EARNS, text, shut % "2027-06-15"), "ipo") == {"2027-06": 60 * M}


def test_a_date_that_is_moved_before_it_comes_comes_later() -> None:
    text = """
    tenants: {lab: {treasury: {ipo: {date: 2027-06-15, amount: $60m}, rounds: [{date: day 200, amount: $7m}]}}}
    shocks:
      slip: {when: 2027-05-01, set: {tenants.lab.treasury.ipo.date: {plus: 1 year}}}
      wait: {when: 2027-05-01, set: {tenants.lab.treasury.rounds.0.date: {plus: 100}}}
    """
    r = run(EARNS, text)
    assert paid(r, "ipo") == {"2028-06": 60 * M}
    assert paid(r, "equity round") == {"2027-10": 7 * M}  # day 300


def test_a_law_of_dates_draws_one() -> None:
    text = """
    tenants: {lab: {treasury: {ipo: {date: {uniform: {low: 2027-03-01, high: 2027-09-01}}, amount: $60m}}}}
    """
    r = run(EARNS, text, luck={"tenants.lab.treasury.ipo.date.delay": 0.75})
    assert r.world.treasuries["lab"].ipo_minute == at(r, "2027-03-01") + 184 * DAY * 3 // 4
    assert paid(Runner(EARNS, text).plan(), "ipo") == {"2027-06": 60 * M}


def test_a_round_by_a_party_is_an_edge_of_the_network() -> None:
    text = "parties: {fund: {}}\ntenants: {lab: {treasury: {rounds: {date: 2027-06-15, amount: $60m, by: fund}}}}"
    r = run(EARNS, text)
    assert paid(r, "equity round", "fund", "lab") == {"2027-06": 60 * M}
    edge = r.world.book.get("equity:lab:0")
    assert (edge.kind, edge.source, edge.target, edge.amount) == ("equity", "lab", "fund", 60 * M)
    assert edge.at_stake(at(r, "2027-07-01")) == 60 * M


def test_a_round_that_fails_brings_nothing() -> None:
    text = "tenants: {lab: {treasury: {rounds: [{date: 2027-06-15, amount: $60m, chance: 0.5}]}}}"
    assert total(run(EARNS, text, luck={"tenants.lab.treasury.rounds.0": 0.5}), "equity round") == 0
    assert total(run(EARNS, text, luck={"tenants.lab.treasury.rounds.0": 0.49}), "equity round") == 60 * M


# When money does not reach.


def test_rent_that_cannot_be_paid_is_missed_and_ends_in_default() -> None:
    """Of $25m, 10 are paid in January and in February. On 2027-03-01 10 are due and 5 there: nothing is paid from
    then on. It is found out at the end of March; 5 + 30 days after the 1st of March is 2027-04-05."""
    r = run(RENTS)
    assert paid(r, "rent") == {"2027-01": 10 * M, "2027-02": 10 * M}
    assert cash(r)[:4] == [15 * M, 5 * M, 5 * M, 5 * M]
    assert r.world.parties["lab"].stopped == at(r, "2027-03-01")
    assert defaults(r) == [(day(r, "2027-04-05"), "lab", "liquidity")]
    assert r.outcome("least_cash_usd_m") == -5.0  # 5 less the rent of March
    assert r.outcome("least_cash_month") == 2
    assert r.outcome("funding_gap_usd_m") == 5.0
    assert r.state("a") == "terminated"


def test_default_comes_at_once_where_grace_and_cure_are_over_when_it_is_found_out() -> None:
    r = run(RENTS, "tenants: {lab: {treasury: {default: {grace: 0, cure: 10}}}}")
    assert defaults(r) == [(day(r, "2027-04-01"), "lab", "liquidity")]


def test_money_that_comes_in_time_pays_the_arrears() -> None:
    """With 60 days of cure default would be on 2027-05-05. A round of April brings 15: at the end of April 20 are
    there, and as much is owed. The rent of May cannot be paid again: default is on 2027-07-05."""
    text = """
    tenants: {lab: {treasury: {default: {grace: 5, cure: 60}, rounds: {date: 2027-04-10, amount: %s}}}}
    """
    r = run(RENTS, text % "$15m")
    assert paid(r, "rent") == {"2027-01": 10 * M, "2027-02": 10 * M, "2027-04": 20 * M}
    assert cash(r)[2:6] == [5 * M, 0, 0, 0]
    assert defaults(r) == [(day(r, "2027-07-05"), "lab", "liquidity")]
    late = run(RENTS, text % "$14m")
    assert defaults(late) == [(day(late, "2027-05-05"), "lab", "liquidity")]
    assert cash(late)[4:6] == [19 * M, 19 * M]


def test_the_revolver_may_pay_arrears_too() -> None:
    """As above with a round of 9 and a line of 6, of which 5 are drawn in March: 10 + 9 at the end of April... the
    line reaches: nothing is missed until it does not."""
    text = "tenants: {lab: {treasury: {revolver: $6m, rounds: {date: 2027-04-10, amount: $9m}}}}"
    r = run(RENTS, text)
    assert paid(r, "revolver draw") == {"2027-03": 5 * M, "2027-04": M}
    assert paid(r, "rent") == {f"2027-0{month}": 10 * M for month in range(1, 5)}
    assert defaults(r) == [(day(r, "2027-06-05"), "lab", "liquidity")]
    assert r.outcome("funding_gap_usd_m") == 16.0  # after May: 6 drawn and 10 owed
    # Missed in April already, with 60 days to cure: the round of May and the last of the line pay April and May.
    late = "{default: {grace: 5, cure: 60}, rounds: {date: 2027-05-10, amount: $19m}}"
    r = run(RENTS, "tenants: {lab: {treasury: {revolver: $6m}}}", f"tenants: {{lab: {{treasury: {late}}}}}")
    assert paid(r, "revolver draw") == {"2027-03": 5 * M, "2027-05": M}
    assert paid(r, "rent")["2027-05"] == 20 * M


def test_the_revolver_pays_what_falls_due_first() -> None:
    """$10m are earned; of the rent of $11m and the $5m at the end of the month a line of $2m carries the rent alone."""
    text = "tenants: {lab: {treasury: {fixed_cost: $5m/month, revolver: $2m}}}"
    r = run(EARNS, HALL, "sites: {a: {lease: {rent: $110/kW-month}}}", text)
    assert (total(r, "rent"), total(r, "revolver draw"), cash(r)[0]) == (11 * M, M, 0)


def test_inflows_of_a_month_count_before_its_payments() -> None:
    """Nothing is there on the 1st, but what the month earns pays its rent; the rest does not pay the fixed cost of
    the month's last minute, which alone is missed."""
    r = run(EARNS, HALL)
    assert not r.history.defaults
    assert set(cash(r)) == {0}
    clock = "tenants: {lab: {treasury: {fixed_cost: $1m/month, default: {grace: 5, cure: 30}}}}"
    r = run(EARNS, HALL, clock)
    assert paid(r, "rent") == {"2027-01": 10 * M}
    assert r.world.parties["lab"].stopped == at(r, "2027-02-01") - 1
    assert defaults(r) == [((at(r, "2027-02-01") - 1) / DAY + 35, "lab", "liquidity")]


def test_what_is_missed_in_the_last_minute_is_not_paid() -> None:
    """$10m are earned and $15m spent in the only month, at its end."""
    r = run(EARNS, "horizon: 2027-01-31\ntenants: {lab: {treasury: {fixed_cost: $15m/month, revolver: $2m}}}")
    assert (cash(r), total(r, "fixed cost"), total(r, "revolver draw")) == ([10 * M], 0, 0)
    assert r.outcome("least_cash_usd_m") == -5.0
    assert r.world.parties["lab"].stopped == r.world.last_minute


def test_what_was_paid_at_once_after_the_miss_is_taken_back_and_owed() -> None:
    """A study of $1m is paid for on 2027-03-02, when nobody knows yet that the rent of the 1st was missed."""
    study = """
    sites: {b: {loi: 2027-03-02, diligence: {power: {duration: 10, cost: $1m}}, decision: null}}
    """
    r = run(RENTS, study)
    assert total(r, "diligence") == 0
    assert cash(r)[2:] == [5 * M] * 46
    assert r.world.money.arrears("lab", at(r, "2027-04-01") - 1) == 11 * M
    # With enough for the rent, the study is what is missed.
    r = run(RENTS, study, "tenants: {lab: {treasury: {cash: $30.5m}}}")
    assert paid(r, "rent") == {f"2027-0{month}": 10 * M for month in (1, 2, 3)}
    assert r.world.parties["lab"].stopped == at(r, "2027-03-02")


def test_a_default_that_others_caused_is_contagion() -> None:
    """The fund owes a round of $10m since February, and has failed. With it the rent of March could have been paid;
    with $4m it could not."""
    text = """
    parties: {fund: {}}
    tenants: {lab: {treasury: {rounds: {date: 2027-02-10, amount: %s, by: fund}}}}
    shocks: {x: {when: 2027-02-01, default: fund}}
    """
    causes = {
        amount: [cause for _, party, cause in run(RENTS, text % amount).history.defaults if party == "lab"]
        for amount in ("$10m", "$5m", "$4m")
    }
    assert causes == {"$10m": ["contagion"], "$5m": ["contagion"], "$4m": ["liquidity"]}


def test_in_default_nothing_is_earned_bought_or_paid() -> None:
    """A shock on 2027-02-15: fourteen of the 28 days of February are earned and paid for, and nothing later."""
    text = """
    tenants: {lab: {demand: {path: 150 MW, on_demand: {limit: 10 MW, price: $6m/MW-year}},
                    treasury: {ipo: {date: 2027-06-15, amount: $60m}, fixed_cost: $2m/month}}}
    shocks: {x: {when: 2027-02-15, default: lab}}
    """
    r = run(EARNS, text)
    assert paid(r, "revenue") == {"2027-01": 11 * M, "2027-02": 5_500_000}
    assert paid(r, "on demand") == {"2027-01": 5 * M, "2027-02": 2_500_000}
    assert paid(r, "fixed cost") == {"2027-01": 2 * M, "2027-02": M}
    assert total(r, "ipo") == 0
    assert cash(r)[2:] == [6 * M] * 46
    assert r.outcome("unserved_mw_days") == pytest.approx(40 * 45)
    assert r.outcome("owned_share_2027") is None


def test_a_tenant_that_will_not_pay_is_not_made_to() -> None:
    """A shock stops it with money in hand: it is no default of its treasury, and what it uses stays owed."""
    text = "shocks: {x: {when: 2027-02-15, stop_paying: lab}}\ntenants: {lab: {treasury: {fixed_cost: $2m/month}}}"
    r = run(EARNS, text, "horizon: 2027-06-30")
    assert not r.history.defaults
    assert paid(r, "fixed cost") == {"2027-01": 2 * M}
    assert r.world.money.arrears("lab", r.world.last_minute) == 10 * M
    assert cash(r) == [8 * M, 18 * M, 28 * M, 38 * M, 48 * M, 58 * M]


def test_a_resumed_tenant_is_forgiven_its_clock() -> None:
    """Somebody makes it pay again before its cure has run out."""
    r = with_events(RENTS, "tenants: {lab: {treasury: {default: {cure: 90}}}}", at={
        100: lambda world: world.money.pay("outside", "lab", "gift", 1000 * M),
    })  # fmt: skip
    assert not r.history.defaults
    assert paid(r, "rent")["2027-04"] == 20 * M  # March and April


# Numbers.


def test_fixed_charge_cover() -> None:
    """$10m a month less a quarter, over rent of $4m and the $1m of a cloud that must be paid for: 7.5 / 5. From
    2028-07-01 on half is earned: 3.75 / 5 over its first twelve months."""
    text = """
    tenants: {lab: {demand: {path: 100 MW}, treasury: {cash: $100m, operating_cost: 0.25 of revenue}}}
    cloud: {d: {provider: cloud, from: 2027-01-01, until: 2030-12-31, mw: 10 MW, price: $1.2m/MW-year,
                take_or_pay: all, priority: 1}}
    sites: {a: {decision: null, lease: {rent: $40/kW-month, term: 15 years}}}
    """
    assert run(EARNS, text).outcome("fixed_charge_cover") == pytest.approx(1.5)
    low = "shocks: {low: {when: 2028-07-01, set: {tenants.lab.treasury.price: {times: 0.5}}}}"
    assert run(EARNS, text, low).outcome("fixed_charge_cover") == pytest.approx(0.75)
    assert run(EARNS).outcome("fixed_charge_cover") is None
    # What is missed was due all the same: 10 are earned and 11 due, and nothing is ever paid.
    clock = "tenants: {lab: {treasury: {default: {grace: 0, cure: 9999}}}}"
    poor = run(EARNS, HALL, "sites: {a: {lease: {rent: $110/kW-month}}}", clock, "horizon: 2027-12-31")
    assert poor.outcome("fixed_charge_cover") == pytest.approx(10 / 11)
    assert total(poor, "rent") == 0
    # Time ends with a default: of January 2028, 14 of 31 days are earned.
    failed = run(EARNS, HALL, "shocks: {x: {when: 2028-01-15, default: lab}}")
    assert failed.outcome("fixed_charge_cover") == pytest.approx((110 + 10 * 14 / 31) / 120)


def test_without_a_treasury_there_are_no_numbers_of_it() -> None:
    r = run("tenants: {other: {treasury: {cash: 1}}}\nsites: {a: {decision: shelve}}")
    assert r.outcome("least_cash_usd_m") is None
    assert r.outcome("least_cash_usd_m", "other") == 1.0
    assert list(r.world.treasuries) == ["other"]


def test_cash_is_never_below_nothing() -> None:
    """Forty replications in which the market swings, of which some fail and some do not."""
    text = """
    tenants:
      lab:
        demand: {path: {2027-01-01: 40 MW, 2030-12-31: 140 MW}, volatility: 1.0/year}
        treasury: {cash: $40m, operating_cost: 0.3 of revenue, fixed_cost: $3m/month, revolver: $10m,
                   revolver_rate: 0.1, default: {grace: 5, cure: 60},
                   ipo: {date: 2029-01-15, amount: $30m, chance: 0.5, retry: 90}}
    cloud: {c: {price: $0.5m/MW-year, take_or_pay: 0.5}}
    sites: {a: {decision: null, lease: {rent: $5/kW-month, term: 15 years}},
            b: {loi: 2027-05-05, diligence: {x: {duration: 30, cost: {uniform: {low: 0, high: 20}}}}}}
    """
    runner = Runner(EARNS, text)
    failed = 0
    for replication in range(40):
        r = runner.run(replication, trace=False)
        assert min(cash(r)) >= 0
        failed += bool(r.history.defaults)
        gap, least = r.outcome("funding_gap_usd_m"), r.outcome("least_cash_usd_m")
        assert gap <= 10 or least < 0
        assert cash(r) == r.world.treasuries["lab"].cash
    assert 5 < failed < 35


def test_a_tenant_that_is_not_paid_by_another_does_not_pay_with_that_money() -> None:
    """The rival rents a cloud of 10 a month from the lab, which spends 10 a month, and is settled before it.

    Of its 12 the rival pays January; at the end of February 2 are there. What the lab has seen come in does not come:
    of its 1 it cannot pay the 10 of February either. With the rival's 10 it could have, so its default is contagion.
    """
    text = """
    parties: {rival: {rating: B}}
    tenants:
      lab: {treasury: {cash: $1m, fixed_cost: $10m/month, default: {grace: 0, cure: 30}}}
      rival: {treasury: {cash: $12m, default: {grace: 0, cure: 30}}}
    cloud:
      c: {provider: lab, tenant: rival, from: 2027-01-01, until: 2030-12-31, mw: 100 MW, price: $1.2m/MW-year,
          take_or_pay: all}
    sites: {a: {decision: shelve}}
    """
    r = run(text)
    assert list(r.world.treasuries) == ["lab", "rival"]
    assert paid(r, "cloud", "rival", "lab") == {"2027-01": 10 * M}
    assert paid(r, "fixed cost", "lab") == {"2027-01": 10 * M}
    assert (cash(r)[:4], cash(r, "rival")[:4]) == ([M] * 4, [2 * M] * 4)
    assert {(party, cause) for _, party, cause in r.history.defaults} == {("lab", "contagion"), ("rival", "liquidity")}


def test_cash_below_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model in which nobody ever stops paying: of 25, three rents of 10 leave -5 at the end of March."""
    monkeypatch.setattr(Treasury, "stop_short", lambda self, month: False)
    with pytest.raises(ModelError, match="lab: -5000000 dollars of cash at the end of month 2"):
        run(RENTS, "sites: {a: {lease: {term: 3 months}}}", "horizon: 2027-06-30")


# What is refused.


@pytest.mark.parametrize(
    ("text", "code", "path", "says"),
    [
        ("{cash: 1, ipo: {date: 2026-06-15, amount: 5}}", "RANGE", "ipo.date", "2026-06-15 is before the start"),
        ("{cash: 1, rounds: {date: 2026-06-15, amount: 5}}", "RANGE", "rounds.0.date", "belongs to `cash`"),
        ("{cash: 1, ipo: {date: lease_signed, amount: 5}}", "DATE", "ipo.date", "cannot wait for lease_signed"),
        ("{cash: 1, rounds: {date: day 9, amount: 5, by: fnd}}", "REF", "rounds.0.by", "did you mean 'fund'?"),
        ("{cash: 1, rounds: {date: day 9, amount: 5, by: lab}}", "CYCLE", "rounds.0.by", "invests in itself"),
        ("{cash: 1, revolver: -1}", "RANGE", "revolver", ""),
        ("{cash: 1, price: 5 MW}", "TYPE", "price", ""),
        ("{cash: 1, operating_cost: 0.2 of rent}", "TYPE", "operating_cost", "expected an amount of revenue"),
    ],
)
def test_refused(text: str, code: str, path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(f"parties: {{fund: {{}}}}\nsites: {{a: {{}}}}\ntenants: {{lab: {{treasury: {text}}}}}")
    found = [(p.code, p.path) for p in caught.value.problems if says in p.message]
    assert found == [(code, f"tenants.lab.treasury.{path}")]


def test_cash_stands_in_one_place() -> None:
    with pytest.raises(ScenarioError, match="give one of them"):
        scenario("parties: {lab: {cash: 5}}\ntenants: {lab: {treasury: {cash: 5}}}\nsites: {a: {}}")


def test_warned_of() -> None:
    text = "tenants: {lab: {treasury: {ipo: {date: 2031-06-15, amount: 5}}}}\nsites: {a: {}}"
    found = {p.path: p.message for p in scenario(text).warnings}
    assert "begins with nothing" in found["tenants.lab.treasury"]
    assert "2031-06-15 is after the horizon" in found["tenants.lab.treasury.ipo.date"]
