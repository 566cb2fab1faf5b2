"""The clock of unpaid rent: notice, demand, payment; security first; caps used up; guarantors who fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calls import STOPS, M, day, events, paid, with_events
from helpers import DAY, run

from dcsim.scenario.scenario import load

DATA = Path(__file__).parents[1] / "data"
CASES = {case["id"]: case for case in json.loads((DATA / "finance_cases.json").read_text())["cases"]}


def test_t01_the_clock():
    """Due on day 30: notice 35, demand 65, payment of both rents, 20, on day 79: gaps of 49 and 19 days."""
    r, case = run(load(DATA / "finance" / "t01.yaml")), CASES["T01"]
    expected = case["expected"]
    assert events(r, "notice") == [expected["notice"]]
    assert events(r, "demand") == [expected["event_of_default"]]
    payments = events(r, "guarantee payment")
    assert payments[0] == expected["guarantor_payment"]
    by_month = paid(r, "backer", "dev", "guarantee payment")
    assert by_month[2] == expected["amount_paid_day79"]  # day 79 is 2027-05-20
    assert [payments[0] - due for due in case["inputs"]["due"]] == expected["landlord_gap_days"]


def test_later_rents_are_paid_on_their_due_dates():
    """April and May on 2027-05-20, then 10 on each 1st: 2027-06-01 is day 151."""
    r = run(STOPS)
    assert events(r, "guarantee payment")[:3] == [139, 151, 181]
    got = paid(r, "g", "dev", "guarantee payment")
    assert [got[month] for month in range(4, 9)] == [20, 10, 10, 10, 10]
    assert paid(r, "lab", "dev", "rent") == {0: 10, 1: 10, 2: 10}
    guarantor = r.world.guarantors["g"]
    assert (guarantor.tally.calls, guarantor.tally.paid) == (1, sum(got.values()) * M)
    assert guarantor.claims == {"lab": guarantor.tally.paid}


def test_each_payment_uses_the_cap_and_the_lease_ends_when_it_is_used_up():
    """A cap of 35: 20, 10, then 5 of the 10 of 2027-07-01; the lease ends 35 days later, on 2027-08-05.

    By then 5 of July and 10 of August were never paid: 15.
    """
    r = run(STOPS, """
    parties:
      g: {guarantee: {terms: {cap: {basis: fixed, amount: 35}}}}
      bank: {lending: {cap_to_loan: 0.05}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 10, 6: 5}
    assert r.day("a.ended") == day("2027-08-05")
    assert r.state("a") == "terminated"
    assert r.world.sites["a"].call.lost == 15 * M


def test_a_cap_that_is_used_up_exactly():
    """A cap of 30 pays April to June in full; July's rent goes unpaid, and the lease ends 35 days after it."""
    r = run(STOPS, """
    parties:
      g: {guarantee: {terms: {cap: {basis: fixed, amount: 30}}}}
      bank: {lending: {cap_to_loan: 0.05}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 10}
    assert r.day("a.ended") == day("2027-08-05")


def test_payments_are_limited_by_the_cap_as_it_has_stepped_down():
    """40, but 25 from 2027-05-15 on: 20 are paid on the 20th, 5 of June's 10."""
    r = run(STOPS, f"""
    parties:
      g:
        guarantee:
          terms:
            cap: {{basis: fixed, amount: 40}}
            step_down: {{shape: steps, from: signing, steps: [{{after: {day("2027-05-15")}, share: 0.625}}]}}
      bank: {{lending: {{cap_to_loan: 0.05}}}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 5}


def test_what_is_committed_falls_with_each_payment():
    """400 less 20, 10, 10 ...: what has been paid is not owed again, and frees as much of the limit."""
    r = run(STOPS)
    standing = r.world.guarantors["g"].standing
    levels = dict(zip([minute / DAY for minute in standing.minutes], standing.committed, strict=True))
    assert [levels[d] / M for d in (139, 151, 181)] == [380, 370, 360]


# Security.


def test_security_pays_before_the_guarantor():
    """Half a month, 5, is drawn at the demand; of April and May 15 are left for the guarantor."""
    r = run(STOPS, "sites: {a: {lease: {security: 0.5 months of rent}}}")
    assert paid(r, "outside", "dev", "security drawn") == {4: 5}
    assert events(r, "demand") == [125]
    assert paid(r, "g", "dev", "guarantee payment")[4] == 15


def test_tenant_then_security_then_guarantor_then_nobody():
    """Of 20, the security pays 5, a cap of 8 the next, and 7 are never paid."""
    r = run(STOPS, """
    parties:
      g: {guarantee: {terms: {cap: {basis: fixed, amount: 8}}}}
      bank: {lending: {cap_to_loan: 0.02}}
    sites: {a: {lease: {security: 0.5 months of rent}}}
    """)
    assert paid(r, "outside", "dev", "security drawn") == {4: 5}
    assert paid(r, "g", "dev", "guarantee payment") == {4: 8}
    assert r.day("a.ended") == 139 + 35
    assert r.world.sites["a"].call.lost == (7 + 10) * M  # and June's 10


def test_security_that_reaches_starts_the_clock_anew():
    """Three months, 30: April and May are drawn on day 125; for June (day 151) the demand comes on day 186.

    Then 10 more are drawn of the 20 of June and July, and the guarantor pays 10 on day 200.
    """
    r = run(STOPS, "sites: {a: {lease: {security: 3 months of rent}}}")
    assert events(r, "demand") == [125, 186]
    assert paid(r, "outside", "dev", "security drawn") == {4: 20, 6: 10}
    assert events(r, "guarantee payment")[0] == 200
    assert paid(r, "g", "dev", "guarantee payment")[6] == 10


# Cures.


@pytest.mark.parametrize("when", [100, 125])
def test_paying_by_the_demand_stops_the_clock(when):
    """On the very day of the demand too: what is paid comes before deadlines."""
    r = with_events(STOPS, at={when: lambda world: world.parties["lab"].resume_paying()})
    assert not events(r, "demand")
    assert not paid(r, "g", "dev", "guarantee payment")
    assert sum(paid(r, "lab", "dev", "rent").values()) == 48 * 10
    assert r.world.guarantors["g"].tally.calls == 0


def test_paying_between_demand_and_payment_spares_the_guarantor():
    r = with_events(STOPS, at={130: lambda world: world.parties["lab"].resume_paying()})
    assert r.world.guarantors["g"].tally.calls == 1
    assert not paid(r, "g", "dev", "guarantee payment")


def test_what_the_guarantor_has_paid_is_not_paid_twice():
    """April to June are the guarantor's; the lab goes on on 2027-06-10, and owes the developer nothing of them."""
    r = with_events(STOPS, at={day("2027-06-10"): lambda world: world.parties["lab"].resume_paying()})
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 10}
    rents = paid(r, "lab", "dev", "rent")
    assert [rents.get(month, 0) for month in range(8)] == [10, 10, 10, 0, 0, 0, 10, 10]


def test_the_clock_runs_again_after_a_cure():
    def again(world):
        world.parties["lab"].stop_paying()

    r = with_events(STOPS, at={100: lambda world: world.parties["lab"].resume_paying(), 200: again})
    assert events(r, "notice") == [95, day("2027-08-06")]  # August's rent, day 212, is the next
    assert events(r, "demand") == [day("2027-09-05")]


# Guarantors who fail.


def test_a_guarantor_who_has_failed_by_the_demand_pays_nothing():
    """The cover that is lost is what it would have cost to pay: the whole cap of 400, of 1,800 of rent."""
    r = run(STOPS, "shocks: {fall: {when: 2027-04-20, default: g}}")
    assert r.day("a.ended") == 125
    assert not paid(r, "g", "dev", "guarantee payment")
    tally = r.world.guarantors["g"].tally
    assert (tally.calls, tally.paid, tally.unmet) == (0, 0, 400 * M)


def test_a_guarantor_who_fails_while_it_pays():
    """20 and 10 are paid; it stops on 2027-06-15; July's rent goes unpaid; 400 - 30 of cover are lost, once."""
    r = run(STOPS, "shocks: {fall: {when: 2027-06-15, stop_paying: g}}")
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 10}
    assert r.day("a.ended") == day("2027-08-05")
    assert r.world.guarantors["g"].tally.unmet == 370 * M


def test_several_pay_their_shares_and_none_for_another():
    """A quarter of each rent is h's; h fails on 2027-06-15, and of July's 10 2.5 are not paid."""
    r = run(STOPS, """
    parties: {h: {guarantee: {}}}
    sites: {a: {guarantee: {from: [], together: {g: 0.75, h: 0.25}}}}
    shocks: {fall: {when: 2027-06-15, default: h}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 15, 5: 7.5, 6: 7.5}
    assert paid(r, "h", "dev", "guarantee payment") == {4: 5, 5: 2.5}
    assert r.day("a.ended") == day("2027-08-05")
    assert r.world.sites["a"].call.lost == (2.5 + 10) * M
    assert r.world.guarantors["h"].tally.unmet == (100 - 7.5) * M


# Without a guarantor.


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("", 90),  # nobody gives it a day
        ("tenants: {lab: {treasury: {cash: $1bn, default: {grace: 10, cure: 20}}}}", 120),
    ],
)
def test_without_a_guarantor_the_lease_ends(text, ends):
    """A tenant with a rating of A needs none; rent of day 90 is unpaid past grace and cure."""
    r = run(STOPS, "{parties: {lab: {rating: A}}, sites: {a: {guarantee: null}}}", text or "{}")
    assert (r.state("a"), r.day("a.ended")) == ("terminated", ends)
    assert r.world.sites["a"].call.lost == (10 if ends == 90 else 20) * M


def test_a_guarantee_of_the_loan_does_not_pay_the_rent():
    """The clock is that of the guarantee all the same: 90 + 5 + 30."""
    r = run(STOPS, "parties: {g: {guarantee: {terms: {covers: loan}}}}")
    assert r.day("a.ended") == 125
    assert not paid(r, "g", "dev", "guarantee payment")


def test_a_claim_that_one_of_several_does_not_meet_is_counted_once():
    """h has failed before the demand: its quarter of 400 is lost, and so the lease ends after the first payment."""
    r = run(STOPS, """
    parties: {h: {guarantee: {}}}
    sites: {a: {guarantee: {from: [], together: {g: 0.75, h: 0.25}}}}
    shocks: {fall: {when: 2027-04-20, default: h}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 15}
    assert r.day("a.ended") == 139 + 35
    assert r.world.guarantors["h"].tally.unmet == 100 * M
    assert (r.world.guarantors["g"].tally.calls, r.world.guarantors["h"].tally.calls) == (1, 0)
