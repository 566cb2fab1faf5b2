"""How leases end: delay and its credits, the long-stop, breaks, security, taking over, letting again."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from helpers import Run, Runner, run
from money import CASES, DATA, DAY, M, paid, total

from dcsim.model.world import World
from dcsim.scenario.scenario import load

# 100 MW at $100/kW-month: $10m a full month, from day 0 = 2027-01-01 unless something takes time.
TEN = """
sites: {a: {lease: {rent: $100/kW-month, term: 24 months}}}
"""
LATE = """
sites: {a: {lease: {target: 2027-03-01, outside: 30}, construction: {commissioning: {duration: 120}}}}
"""
"""Should be ready on day 59; the outside date is day 89; ready on day 120, 31 days past it."""


def minute(world: World, date: str) -> int:
    return world.blueprint.minute_of(dt.date.fromisoformat(date))


def ended_on(date: str, *texts: str, hour: int = 0) -> Run:
    """Run with the lease of site a terminated on a date."""
    world = Runner(TEN, *texts).world()
    lease = world.sites["a"].lease
    world.clock.at(minute(world, date) + hour * 60, lambda: lease.terminate("a test"))
    return Run(world.run(), world)


# The end of rent.


@pytest.mark.parametrize("hour", [0, 15])
def test_rent_paid_ahead_comes_back(hour):
    """Ended on 11 June 2027: 10 of 30 days are owed of the $10m paid on the 1st."""
    r = ended_on("2027-06-11", hour=hour)
    assert paid(r, "rent")["2027-06"] == 10 * M
    assert paid(r, "rent refund", "dev", "lab") == {"2027-06": 6_666_667}
    assert "2027-07" not in paid(r, "rent")
    assert (r.state("a"), r.mw("leased", 162)) == ("terminated", 0)


def test_nothing_is_paid_for_the_day_of_the_end():
    """Ended on the 1st at 00:00, that month's rent is not paid; ended later that day, all of it comes back."""
    at_once = ended_on("2027-06-01")
    assert "2027-06" not in paid(at_once, "rent")
    assert total(at_once, "rent refund") == 0
    later = ended_on("2027-06-01", hour=9)
    assert paid(later, "rent refund") == {"2027-06": 10 * M} == {"2027-06": paid(later, "rent")["2027-06"]}


def test_what_is_not_paid_is_not_owed_for_days_to_come():
    """The lab stops on 20 May; nobody acts on it until the lease is ended on 11 June, when a third of June is owed."""
    world = Runner(TEN, "shocks: {stop: {when: 2027-05-20, stop_paying: lab}}").world()
    world.sites["a"].call._missed = lambda: None
    lease = world.sites["a"].lease
    world.clock.at(minute(world, "2027-06-11"), lambda: lease.terminate("a test"))
    r = Run(world.run(), world)
    assert total(r, "rent refund") == 0
    assert lease.arrears(minute(world, "2027-12-31")) == 3_333_333


def test_a_refund_goes_through_the_lessee():
    r = ended_on("2027-06-11", "{parties: {neo: {}}, sites: {a: {lease: {lessee: neo}}}}")
    assert paid(r, "rent refund", "dev", "neo") == paid(r, "rent refund", "neo", "lab") == {"2027-06": 6_666_667}
    assert [c.closed for c in r.world.book if c.kind == "lease"] == [minute(r.world, "2027-06-11")] * 2


# Delay.


def test_p10_credits_with_a_cap_and_walking_away():
    """Finance case P10, from its scenario: 0, 25, 60 and 60 $m; only who waits more than 180 days may leave."""
    expected = CASES["P10"]["expected"]
    r = run(load(DATA / "finance" / "p10.yaml"))
    sites = r.world.sites
    owed = [sum(site.lease.delay_credits.values()) / M for site in sites.values()]
    assert owed == expected["ld"]
    assert [site.ended == "terminated" for site in sites.values()] == expected["tenant_may_terminate"]
    credits = paid(r, "delay credit", "builder", "lab")
    assert credits == {"2028-02": 25 * M, "2028-05": 60 * M, "2028-06": 60 * M}  # ready, ready, left
    assert r.day("late-200.ended") == 365 + 180


def test_ready_in_the_minute_of_the_long_stop_is_in_time():
    r = run(load(DATA / "finance" / "p10.yaml").edit({"sites.late-200.construction.activities.hall.duration": 545}))
    assert r.day("late-200.p1.ready_for_service") == 545
    assert r.world.sites["late-200"].ended is None


@pytest.mark.parametrize(
    ("credit", "dollars"),
    [
        ("{per_day: 1 day of rent}", round(31 / 30.4375 * 10 * M)),
        ("{per_day: 2 days of rent}", round(62 / 30.4375 * 10 * M)),
        ("{per_day: 2 days of rent, at_most: 1 month of rent}", 10 * M),
    ],
)
def test_credits_by_the_day(credit, dollars):
    """31 days past the outside date, paid on the day of ready for service (1 May 2027) at the first year's rent."""
    r = run(TEN, LATE, f"sites: {{a: {{lease: {{delay_credit: {credit}}}}}}}")
    assert paid(r, "delay credit", "dev", "lab") == {"2027-05": dollars}


def test_credits_go_through_the_lessee():
    r = run(TEN, LATE, "{parties: {neo: {}}, sites: {a: {lease: {lessee: neo, delay_credit: {at_most: 10}}}}}")
    owed = {"2027-05": round(10 / 30.4375 * 10 * M)}
    assert paid(r, "delay credit", "dev", "neo") == paid(r, "delay credit", "neo", "lab") == owed


def test_excused_days_move_the_outside_date():
    """Power comes on day 110 instead of at once in the plan (a driver, which the plan has not): it is excused.

    Plan: grid 20 days. Run: 110, of which 90 are excused: outside is day 59 + 30 + 90 = 179.
    """
    text = """
    drivers: {works: {chance: 1, hits: [construction.grid.0], plus: 90}}
    sites:
      a:
        lease: {delay_credit: {per_day: 1 day of rent}, target: 2027-02-01, outside: 10}
        construction: {commissioning: {duration: 10}, grid: [{share: 1, after: financial_close, delay: 20}]}
    """
    r = run(TEN, text)
    assert r.day("a.p1.ready_for_service") == 120
    assert total(r, "delay credit") == 0  # outside: 31 + 10 + 90 = 131
    strict = run(TEN, text, "sites: {a: {lease: {excused: [permits]}}}")
    assert total(strict, "delay credit") == round((120 - 41) / 30.4375 * 10 * M)


LONG_STOP = """
sites:
  a:
    lease: {target: 2027-03-01, long_stop: {after_target: 31}, market_rent: $80/kW-month}
    construction: {activities: {hall: {duration: 400}}}
"""
"""The long-stop is 2027-04-01, day 90."""


@pytest.mark.parametrize(
    ("walk_if", "walks"),
    [
        ("{}", True),
        ("null", False),
        ("{market_rent_below: 0.85}", True),
        ("{market_rent_below: 0.8}", False),
        ("{surplus_above: 50 MW}", False),
    ],
)
def test_the_tenant_walks_away_if_its_policy_says_so(walk_if, walks):
    """Market rent of $80 is 0.80 of the contract's; there is no surplus."""
    r = run(TEN, LONG_STOP, f"sites: {{a: {{lease: {{long_stop: {{walk_if: {walk_if}}}}}}}}}")
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 90 if walks else 400 + 731)  # or at the end of the term
    assert total(r, "termination fee") == 0


def test_the_right_is_thought_about_on_each_first():
    """A surplus of 60 MW from 10 June 2027: the tenant walks away on 1 July, day 181."""
    world = Runner(TEN, LONG_STOP, "sites: {a: {lease: {long_stop: {walk_if: {surplus_above: 50 MW}}}}}").world()
    world.surplus_mw = lambda tenant: 60.0 if world.clock.now >= minute(world, "2027-06-10") else 0.0
    r = Run(world.run(), world)
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 181)


def test_a_phase_is_left_alone_while_others_stay():
    """The first phase is ready at once; the second has 365 days between them, and is left on day 90."""
    r = run(TEN, "sites: {a: {lease: {target: 2027-03-01, long_stop: {after_target: 31, walk_if: {}}}, "
                 "phases: [60 MW, 40 MW], construction: {phase_gap: 365}}}")  # fmt: skip
    assert (r.day("a.p2.ended"), r.state("a.p2")) == (90, "terminated")
    assert (r.mw("leased", 89), r.mw("leased", 90)) == (100, 60)
    assert paid(r, "rent")["2028-12"] == 6 * M
    assert r.world.book.get("lease:a").at_stake(89 * DAY) == (60 * 21 + 40 * 24) * M // 10
    assert r.world.book.get("lease:a").at_stake(90 * DAY) == 60 * 20 * M // 10


# Leaving for a fee.

BREAK = "sites: {a: {lease: {early_termination: {after: 180, fee: 3 months of rent, surplus_above: 50 MW}}}}"


def test_early_termination_for_a_fee():
    """A surplus from the start: used on day 180 (30 June 2027), for three months of $10m; a day of June comes back."""
    world = Runner(TEN, BREAK).world()
    world.surplus_mw = lambda tenant: 60.0
    r = Run(world.run(), world)
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 180)
    assert paid(r, "termination fee", "lab", "dev") == {"2027-06": 30 * M}
    assert paid(r, "rent refund") == {"2027-06": 333_333}


def test_the_fee_is_of_the_rent_then_running():
    """Used on day 400 (5 February 2028), in the second year of 10 % a year, through the lessee."""
    world = Runner(
        TEN, BREAK, "{parties: {neo: {}}, sites: {a: {lease: {escalator: 0.1, lessee: neo, "
        "early_termination: {after: 400}}}}}"
    ).world()  # fmt: skip
    world.surplus_mw = lambda tenant: 60.0
    r = Run(world.run(), world)
    assert r.day("a.ended") == 400
    assert paid(r, "termination fee", "lab", "neo") == paid(r, "termination fee", "neo", "dev") == {"2028-02": 33 * M}


def test_one_phase_after_the_other_until_the_surplus_is_gone():
    """The tenant has 70 MW too many, and leaves the first phase of 60 MW; 10 MW are not above 50."""
    world = Runner(TEN, BREAK, "sites: {a: {phases: [60 MW, 40 MW]}}").world()
    world.surplus_mw = lambda tenant: 70.0 if world.sites["a"].phases["p1"].ended is None else 10.0
    r = Run(world.run(), world)
    assert (r.day("a.p1.ended"), r.day("a.p2.ended")) == (180, 731)  # the second to the end of its term
    assert total(r, "termination fee") == 18 * M


# Security.

CASH = "sites: {a: {lease: {security: {amount: 3 months of rent, form: cash}}}}"
LETTER = "{parties: {bank: {}}, sites: {a: {lease: {security: {amount: 3 months of rent, fee: 0.0146, issuer: bank}}}}}"


def test_a_deposit_lies_in_escrow_until_the_end():
    r = ended_on("2027-06-01", CASH)
    assert paid(r, "security deposit", "lab", "outside") == {"2027-01": 30 * M}
    assert paid(r, "security deposit", "outside", "lab") == {"2027-06": 30 * M}
    assert total(r, "security drawn") == 0


def test_a_letter_costs_a_fee_by_the_month():
    """$30m at 1.46 % a year of 365.25 days: 31 days of January are $37,174."""
    r = run(TEN, LETTER)
    fee = paid(r, "letter of credit fee", "lab", "bank")
    assert fee["2027-01"] == round(30 * M * 0.0146 * 31 / 365.25)
    assert fee["2028-02"] == round(30 * M * 0.0146 * 29 / 365.25)
    assert "2029-01" not in fee  # the term is over
    letter = next(c for c in r.world.book if c.id.startswith("letter"))
    assert (letter.source, letter.target, letter.covers, letter.at_stake(0)) == ("bank", "dev", "lease:a", 30 * M)


@pytest.mark.parametrize(("text", "payer"), [(CASH, "outside"), (LETTER, "bank")])
def test_the_developer_draws_what_it_needs_and_the_rest_comes_back(text, payer):
    world = Runner(TEN, text).world()
    lease = world.sites["a"].lease
    got = []
    world.clock.at(minute(world, "2027-03-15"), lambda: got.append(lease.draw_security(12 * M)))
    world.clock.at(minute(world, "2027-04-15"), lambda: got.append(lease.draw_security(25 * M)))
    r = Run(world.run(), world)
    assert got == [12 * M, 18 * M]
    assert paid(r, "security drawn", payer, "dev") == {"2027-03": 12 * M, "2027-04": 18 * M}
    assert total(r, "security deposit", "outside", "lab") == 0


def test_a_lessee_that_has_stopped_loses_its_security():
    """It stops on 20 May 2027 and nobody stands behind it: the lease ends with the rent of June."""
    r = run(TEN, CASH, "shocks: {stop: {when: 2027-05-20, stop_paying: lab}}")
    assert total(r, "security drawn", "outside", "dev") == 30 * M
    assert total(r, "security deposit", "outside", "lab") == 0


def test_an_issuer_that_has_stopped_pays_nothing():
    world = Runner(TEN, LETTER, "shocks: {stop: {when: 2027-03-01, stop_paying: bank}}").world()
    got = []
    world.clock.at(minute(world, "2027-03-15"), lambda: got.append(world.sites["a"].lease.draw_security(12 * M)))
    world.run()
    assert got == [0]


# Letting again.


def test_the_hall_is_let_again_after_a_vacancy():
    """Ended on 11 June 2027; 100 days later, 19 September, at 60 % of a rent that has grown by 10 % each January.

    September: 12 of 30 days of $6m; from January 2028 $6.6m; the base term would have ended on 31 December 2028.
    """
    r = ended_on("2027-06-11", "sites: {a: {lease: {escalator: 0.1, relet: {after: 100, at: 0.6 of rent}}}}")
    rent = paid(r, "relet rent", "outside", "dev")
    assert (rent["2027-09"], rent["2027-10"], rent["2028-01"]) == (2_400_000, 6 * M, 6_600_000)
    assert list(rent)[-1] == "2028-12"


def test_the_next_tenant_pays_the_market_rent_if_nothing_is_said():
    r = ended_on("2027-06-11", "sites: {a: {lease: {market_rent: $75/kW-month, relet: {after: 20}}}}")
    assert paid(r, "relet rent")["2027-07"] == 7_500_000


def test_nothing_is_let_that_is_not_ready():
    r = ended_on(
        "2027-06-11", "sites: {a: {lease: {relet: {after: 20}}, construction: {activities: {hall: {duration: 400}}}}}"
    )
    assert total(r, "relet rent") == 0


# Subleases.


def sublet(surplus: list[tuple[str, float]], *texts: str) -> dict[str, int]:
    """Income of subleases at half the rent, with so many MW of surplus from each date on."""
    world = Runner(TEN, "sites: {a: {lease: {sublease: {at: 0.5}}}}", *texts).world()
    world.surplus_mw = lambda tenant: ([0.0] + [mw for d, mw in surplus if minute(world, d) <= world.clock.now])[-1]
    return paid(Run(world.run(), world), "sublease", "outside", "lab")


def test_what_is_idle_is_let_as_far_as_there_is_a_surplus():
    """30 MW of surplus from 20 February 2027: the first whole month is March, 30 MW at half of $100: $1.5m."""
    income = sublet([("2027-02-20", 30.0), ("2027-06-20", 500.0)])
    assert "2027-02" not in income
    assert (income["2027-03"], income["2027-06"], income["2027-07"]) == (1_500_000, 1_500_000, 5 * M)


def test_a_sublease_comes_after_its_lag():
    """45 days before the month that is let: surplus at the 1st of February is old enough for April."""
    income = sublet([("2027-01-20", 30.0)], "sites: {a: {lease: {sublease: {lag: 45}}}}")
    assert next(iter(income)) == "2027-04"


def test_no_more_is_let_than_is_ready_and_holds_no_racks():
    """80 MW of racks come on day 100: 20 MW of 100 are idle from then; the site that is not ready has none."""
    income = sublet(
        [("2027-01-01", 500.0)],
        """
        chips:
          products: {one: {supplier: dev, rack_power: 100 kW, rack_price: $2m}}
          orders: {all: {product: one, racks: 800, ordered: day 100, allocate: {to: sites.a}}}
        sites:
          a: {bring_up: {lot: 800, burn_in: 30}}
          b: {lease: {rent: $100/kW-month, sublease: {at: 0.5}}, construction: {activities: {hall: {duration: 2000}}}}
        """,
    )
    assert (income["2027-03"], income["2027-04"], income["2027-05"]) == (5 * M, 1 * M, 1 * M)


def test_whole_months_are_let():
    """Ready on 16 February 2027, with a surplus all the time: let from March on."""
    income = sublet([("2027-01-01", 500.0)], "sites: {a: {construction: {commissioning: {duration: 46}}}}")
    assert next(iter(income.items())) == ("2027-03", 5 * M)


def test_sites_share_one_surplus_in_file_order():
    """130 MW of surplus: all of a's 100 at $100, and 30 of b's at $200, at half: 5 + 3 = $8m a month."""
    income = sublet([("2027-01-01", 130.0)], "sites: {b: {lease: {rent: $200/kW-month, sublease: {at: 0.5}}}}")
    assert income["2027-03"] == 8 * M


# Taking over.


def taken_over(*texts: str) -> Run:
    """Run with the lease of site a taken over by `big` on 2027-06-15, at a fifth less."""
    world = Runner(TEN, "parties: {big: {rating: AA}}", *texts).world()
    lease = world.sites["a"].lease
    world.clock.at(minute(world, "2027-06-15"), lambda: lease.novate("big", 0.2))
    return Run(world.run(), world)


def test_whoever_takes_the_lease_over_owes_the_rent():
    r = taken_over("sites: {a: {lease: {security: {amount: 1 month of rent, form: cash}}}}")
    lease = r.world.sites["a"].lease
    assert list(paid(r, "rent", "lab", "dev"))[-1] == "2027-06"
    assert paid(r, "rent", "big", "dev")["2027-07"] == 8 * M
    assert total(r, "rent refund") == 0
    assert total(r, "security deposit", "outside", "lab") == 10 * M
    assert (r.state("a"), r.mw("leased", 165)) == ("terminated", 0)
    assert r.world.sites["a"].ended is None
    old, new = r.world.book.get("lease:a"), r.world.book.get("lease:a:big")
    assert (old.closed, new.opened, new.source) == (165 * DAY, 165 * DAY, "big")
    assert new.at_stake(165 * DAY) == 18 * 8 * M
    assert lease.liability(164 * DAY, 0.0) == 180 * M
    assert lease.liability(165 * DAY, 0.0) == 0


def test_it_ends_for_those_who_took_it_over_too():
    world = Runner(TEN, "parties: {big: {rating: AA}}", "sites: {a: {lease: {relet: {after: 0, at: 0.5}}}}").world()
    lease = world.sites["a"].lease
    world.clock.at(minute(world, "2027-06-15"), lambda: lease.novate("big", 0.2))
    world.clock.at(minute(world, "2027-09-11"), lambda: lease.terminate("a test"))
    r = Run(world.run(), world)
    assert list(paid(r, "rent", "big", "dev")) == ["2027-07", "2027-08", "2027-09"]
    assert paid(r, "rent refund", "dev", "big") == {"2027-09": round(8 * M * 20 / 30)}
    assert paid(r, "relet rent")["2027-10"] == 5 * M
    assert r.world.book.get("lease:a:big").closed == minute(world, "2027-09-11")


def test_what_is_not_ready_commences_for_whoever_took_it_over():
    """The hall gets ready on 1 August, and the tenant does not come in."""
    r = taken_over("sites: {a: {construction: {commissioning: {duration: 212}}}}")
    assert paid(r, "rent") == paid(r, "rent", "big", "dev")
    assert next(iter(paid(r, "rent"))) == "2027-08"
    assert (r.state("a"), r.day("a.p1.ended")) == ("terminated", 212)


def test_market_rent_over_the_rent_that_runs():
    """$80 on the market; the contract's $100 have grown by a quarter in 2028; the hall is worth 0.7 to a guarantor."""
    world = Runner(
        TEN, "sites: {a: {lease: {escalator: 0.25, market_rent: $80/kW-month, use_value: 0.7 of rent}}}"
    ).world()
    lease = world.sites["a"].lease
    world.advance(minute(world, "2027-06-01"))
    assert (lease.market_rent_share, lease.use_value_share) == (pytest.approx(0.8), 0.7)
    world.advance(minute(world, "2028-06-01"))
    assert lease.market_rent_share == pytest.approx(0.64)


def test_forecast_rent_has_a_present_value_before_it_commences():
    """Ready on day 100 as forecast: the same as once it has commenced."""
    runner = Runner(TEN, "sites: {a: {construction: {commissioning: {duration: 100}}}}")
    world = runner.world()
    world.advance(50 * DAY)
    lease = world.sites["a"].lease
    before = lease.present_value(50 * DAY, 0.08)
    world.advance(110 * DAY)
    assert lease.rent["p1"].present_value(50 * DAY, 0.08) == pytest.approx(before)
    assert np.isclose(lease.present_value(50 * DAY, 0.08), before)
