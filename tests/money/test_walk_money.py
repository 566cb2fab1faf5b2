"""The walk by hand, with money: the lab stops paying after, or fails before, the hall is ready.

The hall is ready on 2028-04-06: $150/kW-month x 100 MW = $15m a full month, 25 of 30 days of April = $12.5m. The lease
runs 15 years, 180 months: 12.5 + 179 x 15 + 2.5 (5 of 30 days of April 2043) = 2,700. The loan is 0.80 x $1,100m =
$880m, and so is the cap. The guarantor's clock here is 5 days of grace, 30 of cure, 14 to pay.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from calls import M, events, paid
from helpers import DAY, run

from dcsim.scenario.scenario import Scenario, load

WALK = load(Path(__file__).parents[2] / "scenarios" / "walk.yaml")
CLOCK = {"parties.backer.guarantee.terms.call": {"grace": 5, "cure": 30, "pay_within": 14}}
STOPS = {**CLOCK, "shocks": {"stop": {"when": "2028-06-15", "stop_paying": "lab"}}}
FAILS = {**CLOCK, "shocks": {"fail": {"when": "2028-03-01", "default": "lab"}}}
TERMS = "parties.backer.guarantee.terms"


def walk(*edits: dict[str, object]) -> Scenario:
    merged: dict[str, object] = {"horizon": "2034-12-31"}
    for edit in edits:
        merged |= edit
    return WALK.edit(merged)


def month(year: int, number: int) -> int:
    """Number of a calendar month; 0 is July 2026."""
    return (year - 2026) * 12 + number - 7


def date(r, minute: float) -> str:
    return str(r.world.blueprint.date_of(round(minute)))


# While all is well.


def test_rent_by_the_month():
    r = run(walk())
    rents = paid(r, "lab", "builder", "rent")
    assert [rents[month(2028, n)] for n in (4, 5, 6)] == [12.5, 15, 15]
    assert r.world.sites["meadow"].lease.remaining_rent(645 * DAY) == 2_700 * M


def test_the_cap_is_the_loan():
    """R = 1.0 x 0.80 x 1,100 = 880 from day 135, when it is reserved; effective from 2028-04-06."""
    r = run(walk())
    cover, backer = r.world.sites["meadow"].cover, r.world.guarantors["backer"]
    assert cover.amount == r.loan("meadow") == 880 * M
    assert (backer.standing.minutes[0], backer.standing.committed[0]) == (135 * DAY, 880 * M)
    active = next(t for t, a in zip(backer.standing.minutes, backer.standing.active, strict=True) if a)
    assert date(r, active) == "2028-04-06"


# The lab stops paying on 2028-06-15. July's rent is the first that is not paid.


def test_paying_as_due():
    """Notice on 2028-07-06, demand on 08-05, payment of July and August, 30, on 08-19, then 15 on each 1st.

    880 - 30 = 850 = 56 x 15 + 10: in full from 2028-09-01 to 2033-04-01, 10 of 15 on 2033-05-01; 35 days later the
    lease ends. 5 of May and 15 of June 2033 are never paid.
    """
    r = run(walk(STOPS, {f"{TERMS}.election": "pay"}))
    assert [date(r, events(r, kind)[0] * DAY) for kind in ("notice", "demand", "guarantee payment")] == [
        "2028-07-06", "2028-08-05", "2028-08-19",
    ]  # fmt: skip
    got = paid(r, "backer", "builder", "guarantee payment")
    assert got[month(2028, 8)] == 30
    assert [got[n] for n in range(month(2028, 9), month(2033, 4) + 1)] == [15] * 56
    assert got[month(2033, 5)] == 10
    assert sum(got.values()) == 880
    assert max(got) == month(2033, 5)
    assert date(r, r.day("meadow.ended") * DAY) == "2033-06-05"
    assert r.world.sites["meadow"].call.lost == 20 * M


def test_what_each_choice_costs():
    """At the demand 42.5 are paid and 30 overdue: 2,700 - 72.5 = 2,627.5 are to come.

    Pay: min(880, 2,657.5) = 880. Fee: all of the cap, 880. Take over in a market at 120 of 150, 0.8 of the rent:
    30 + 2,627.5 - 0.8 x 2,627.5 = 555.5; in one at 90, 0.6: 30 + 0.4 x 2,627.5 = 1,081.
    """
    at_120 = run(walk(STOPS, {"sites.meadow.lease.market_rent": 120})).world.sites["meadow"].call
    assert [cost / M for cost in at_120.costs] == pytest.approx([880, 880, 555.5])
    assert at_120.election == "assume"
    at_90 = run(walk(STOPS, {"sites.meadow.lease.market_rent": 90})).world.sites["meadow"].call
    assert [cost / M for cost in at_90.costs] == pytest.approx([880, 880, 1081])
    assert at_90.election == "pay"  # of equal ones the first


def test_paying_the_fee():
    """A fee of 0.9 x 880 = 792 is cheaper than 880 and 1,081: paid on 2028-08-19, and the lease ends."""
    r = run(walk(STOPS, {f"{TERMS}.termination_fee": 0.9, "sites.meadow.lease.market_rent": 90}))
    assert paid(r, "backer", "builder", "termination fee") == {month(2028, 8): 792}
    assert not paid(r, "backer", "builder", "guarantee payment")
    assert date(r, r.day("meadow.ended") * DAY) == "2028-08-19"
    assert r.state("meadow") == "terminated"
    assert r.mw("ready", 900) == 0


def test_taking_the_lease_over():
    """In a market at 120 the backer takes it over on 2028-08-05, a fifth off: the 30 overdue, then 12 on each 1st."""
    r = run(walk(STOPS, {f"{TERMS}.assume_at_discount": 0.2, "sites.meadow.lease.market_rent": 120}))
    assert r.world.sites["meadow"].call.costs.assume / M == pytest.approx(30 + 0.8 * 2_627.5 - 0.8 * 2_627.5)
    assert paid(r, "backer", "builder", "guarantee payment") == {month(2028, 8): 30}
    rents = paid(r, "backer", "builder", "rent")
    assert [rents[n] for n in range(month(2028, 9), month(2034, 12) + 1)] == [12] * 76
    assert r.world.guarantors["backer"].pool.in_use == 0


def test_a_straight_line_of_ten_years():
    """On 2028-08-19 135 of 3,652.5 days are gone: the fee is 880 x (1 - 135/3,652.5) = 847.474."""
    r = run(walk(STOPS, {f"{TERMS}.election": "terminate", f"{TERMS}.step_down": {"over": "10 years"}}))
    assert paid(r, "backer", "builder", "termination fee")[month(2028, 8)] == pytest.approx(847.474, abs=5e-4)


def test_without_a_guarantor_the_lease_ends_with_the_first_unpaid_rent():
    """A lab with a rating of A needs none, and all is 20 days earlier: 15 of 31 days of March, 7.258, and 3 x 15.

    Nothing gives it a day of grace.
    """
    r = run(walk(STOPS, {"parties.lab.rating": "A"}))
    assert date(r, r.day("meadow.ended") * DAY) == "2028-07-01"
    assert sum(paid(r, "lab", "builder", "rent").values()) == pytest.approx(52.258, abs=5e-4)


# The lab declares on 2028-03-01, five weeks before the hall is ready, that it is insolvent.


def test_before_the_hall_is_ready_it_is_not_covered():
    r = run(walk(FAILS))
    assert (r.state("meadow"), date(r, r.day("meadow.ended") * DAY)) == ("terminated", "2028-03-01")
    assert not [pair for pair in r.history.ledger.pairs if pair.payer == "backer"]
    assert r.world.guarantors["backer"].pool.in_use == 0


def test_cover_that_is_effective_from_signing_does():
    """Notice on 2028-03-06, demand on 04-05, the day before the hall is ready; payment on 04-19: April's 12.5."""
    r = run(walk(FAILS, {f"{TERMS}.effective": "signing", f"{TERMS}.election": "pay"}))
    assert [date(r, events(r, kind)[0] * DAY) for kind in ("notice", "demand", "guarantee payment")] == [
        "2028-03-06", "2028-04-05", "2028-04-19",
    ]  # fmt: skip
    got = paid(r, "backer", "builder", "guarantee payment")
    assert [got[month(2028, n)] for n in (4, 5, 6)] == [12.5, 15, 15]
    assert r.day("meadow.all.rent_commencement") == 645
