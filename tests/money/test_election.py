"""What a guarantor elects at the demand, and what follows: pay as due, pay the fee, take the lease over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calls import STOPS, M, day, events, paid, with_events
from helpers import Runner, run

from dcsim.model.election import costs
from dcsim.scenario.scenario import load

DATA = Path(__file__).parents[1] / "data"
CASES = {case["id"]: case for case in json.loads((DATA / "finance_cases.json").read_text())["cases"]}


# The choice.


def test_g11_the_cheaper_of_fee_and_lease():
    """Rent to come 1,500, fee 1,000, markets of 1,600, 900, 400: -100, 600, 1,100 to take the lease over."""
    case, base = CASES["G11"], load(DATA / "finance" / "g11.yaml")
    markets = [base, *(base.edit(dict(base.spec.what_ifs[name])) for name in ("second-market", "third-market"))]
    calls = [run(market).world.sites["a"].call for market in markets]
    assert [call.costs.assume / M for call in calls] == pytest.approx(case["expected"]["cost_assume"], abs=1e-9)
    assert [call.costs.terminate / M for call in calls] == case["expected"]["cost_terminate"]
    assert [call.costs.pay / M for call in calls] == [1500, 1500, 1500]
    assert [call.election for call in calls] == case["expected"]["choice"]


@pytest.mark.parametrize(
    ("cap_left", "fee", "use", "expected"),
    [
        (100, 100, 0, "pay"),  # equal: pay before terminate, terminate before assume
        (100, 99, 0, "terminate"),
        (100, 101, 900, "pay"),  # the fee is at most the cap left
        (200, 100, 900, "terminate"),
        (200, 100, 900.5, "assume"),
        (200, 100, None, "terminate"),
    ],
)
def test_the_least_wins_and_ties_go_in_order(cap_left, fee, use, expected):
    """Rent to come 1,000, of which 10 a month are overdue 0: taking the lease over costs 1,000 less its use."""
    found = costs(cap_left=cap_left, fee=fee, arrears=0, rent=1000.0, use=use)
    assert found.elect("cheaper") == expected


def test_no_choice_costs_more_than_the_cap_but_taking_the_lease_over():
    found = costs(cap_left=100, fee=150, arrears=20, rent=1000.0, discount=0.1, use=300.0)
    assert found == (100, 100, 20 + 900 - 300)
    assert costs(cap_left=100, fee=150, arrears=20, rent=50.0).pay == 70


def test_fixed_elections_are_honoured():
    found = costs(cap_left=100, fee=50, arrears=0, rent=1000.0, use=900.0)
    assert [found.elect(fixed) for fixed in ("pay", "terminate", "assume")] == ["pay", "terminate", "assume"]


def test_several_cannot_take_one_lease_over():
    found = costs(cap_left=100, fee=100, arrears=0, rent=1000.0, use=None)
    assert found.elect("assume") == "pay"


def test_costs_at_the_demand():
    """Demand on 2027-05-06: April and May, 20, are overdue; 15 years have 180 rents, of which 3 were paid: 175 to come.

    The loan is 400. Pay: 400. Fee: 0.9 x 400 = 360. Assume at a fifth less: 20 + 0.8 x 1,750 - 0.6 x 1,750 = 370.
    """
    r = run(STOPS, """
    parties: {g: {guarantee: {terms: {election: cheaper, termination_fee: 0.9 of cap, assume_at_discount: 0.2}}}}
    sites: {a: {lease: {use_value: 0.6 of rent}}}
    """)
    assert r.world.sites["a"].call.costs == pytest.approx((400 * M, 360 * M, 370 * M))
    assert r.world.sites["a"].call.election == "terminate"


def test_rents_to_come_are_discounted_at_the_guarantors_rate():
    """Three more rents, due on 2027-06-01, 07-01 and 08-01: 26, 56 and 87 days after the demand; 10 % a year."""
    r = run(STOPS, """
    parties: {g: {guarantee: {terms: {discount_rate: 0.1}}}}
    sites: {a: {lease: {term: 8 months}}}
    """)
    value = 20 + sum(10 * 1.1 ** (-days / 365.25) for days in (26, 56, 87))
    assert r.world.sites["a"].call.costs.pay == pytest.approx(value * M, abs=1)


# What follows.


def test_the_fee_ends_the_lease():
    """360 are paid on 2027-05-20, 14 days after the demand, and the lease ends with it; nothing more is paid."""
    r = run(STOPS, "parties: {g: {guarantee: {terms: {election: terminate, termination_fee: 0.9 of cap}}}}")
    assert paid(r, "g", "dev", "termination fee") == {4: 360}
    assert not paid(r, "g", "dev", "guarantee payment")
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 139)
    guarantor = r.world.guarantors["g"]
    assert (guarantor.tally.calls, guarantor.tally.paid, guarantor.pool.in_use) == (1, 360 * M, 0)


def test_the_fee_is_of_the_stepped_cap():
    """Ten years from 2027-01-01: 125 of 3,652.5 days are gone at the demand, and 139 when it is paid, which binds."""
    r = run(STOPS, "parties: {g: {guarantee: {terms: {election: terminate, step_down: {over: 10 years}}}}}")
    assert r.world.sites["a"].call.costs.terminate / M == pytest.approx(400 * (1 - 125 / 3652.5), abs=1e-6)
    assert paid(r, "g", "dev", "termination fee")[4] == pytest.approx(400 * (1 - 139 / 3652.5), abs=1e-6)


def test_a_guarantor_who_fails_before_the_fee_is_due():
    r = run(STOPS, "parties: {g: {guarantee: {terms: {election: terminate}}}}",
            "shocks: {fall: {when: 2027-05-10, stop_paying: g}}")  # fmt: skip
    assert not paid(r, "g", "dev", "termination fee")
    assert r.day("a.ended") == 139
    assert r.world.guarantors["g"].tally.unmet == 400 * M


ASSUME = "parties: {g: {guarantee: {terms: {election: assume, assume_at_discount: 0.2}}}}"


def test_whoever_takes_the_lease_over_owes_the_rent():
    """From the demand on 2027-05-06: 8 a month from June on; the 20 overdue are made good on the 20th."""
    r = run(STOPS, ASSUME)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20}
    rents = paid(r, "g", "dev", "rent")
    assert [rents.get(month, 0) for month in range(8)] == [0, 0, 0, 0, 0, 8, 8, 8]
    assert (r.state("a"), r.ended("a")) == ("terminated", 125)  # for the tenant: its racks leave


def test_it_is_lessee_and_no_longer_guarantor():
    """Its limit is free, and what it owes is its own lease: 175 rents of 8."""
    r = run(STOPS, ASSUME)
    guarantor = r.world.guarantors["g"]
    assert guarantor.pool.in_use == 0
    assert guarantor.standing.now == (0, 0)
    assert r.world.book.get("guarantee:a").closed == 125 * 1440
    lease = next(c for c in r.world.book if c.kind == "lease" and c.source == "g")
    assert (lease.target, lease.at_stake(126 * 1440)) == ("dev", 175 * 8 * M)


def test_what_is_said_of_cover_at_the_end_is_what_is_committed_then():
    """The cap is 400. Paid as it falls due: 21 rents of 10 from April 2027 to December 2028 leave 190. Taken over on
    2027-05-06: nothing, while the lease runs on. Without a default: 400, as 156 rents of 10 are still to come.
    """
    short = "horizon: 2028-12-31"
    assert run(STOPS, short).outcome("cover_usd_m") == 400 - 210
    assert run(STOPS, short, ASSUME).outcome("cover_usd_m") == 0
    assert run(STOPS, short, "shocks: {stop: null}").outcome("cover_usd_m") == 400


def test_rent_due_in_the_minute_of_the_demand_is_the_new_lessees():
    """No days of grace: the rent of 2027-04-01 is due at the demand, and paid at the discount; nothing is overdue."""
    r = run(STOPS, "parties: {g: {guarantee: {terms: {election: assume, assume_at_discount: 0.2, call: {grace: 0, "
            "cure: 0, pay_within: 0}}}}}")  # fmt: skip
    assert not paid(r, "g", "dev", "guarantee payment")
    assert paid(r, "g", "dev", "rent")[3] == 8


def test_security_that_has_paid_part_of_that_rent_is_not_paid_again():
    """A quarter of the month, 2.5, is drawn at the demand; of the discounted rent of 8, 5.5 are left."""
    r = run(STOPS, "parties: {g: {guarantee: {terms: {election: assume, assume_at_discount: 0.2, call: {grace: 0, "
            "cure: 0, pay_within: 0}}}}}", "sites: {a: {lease: {security: 0.25 months of rent}}}")  # fmt: skip
    assert paid(r, "outside", "dev", "security drawn") == {3: 2.5}
    assert paid(r, "g", "dev", "rent")[3] == 5.5


def test_if_the_new_lessee_stops_the_lease_ends():
    """It stops on 2027-08-15: the rent of 2027-09-01 is unpaid 35 days, and nobody stands behind it any more.

    The clock is still that of the guarantee, not the one that the tenant's own creditors give it.
    """
    slow = "tenants: {lab: {treasury: {cash: $10bn, default: {grace: 50, cure: 50}}}}"
    r = run(STOPS, ASSUME, slow, "shocks: {fall: {when: 2027-08-15, stop_paying: g}}")
    assert r.world.sites["a"].lease.ended_at == day("2027-10-06") * 1440
    assert r.day("a.ended") in (125, day("2027-10-06"))
    assert sum(paid(r, "g", "dev", "rent").values()) == 3 * 8


def test_before_rent_commences_the_lease_may_be_taken_over_too():
    """Effective from signing, default declared on 2027-03-15 while the hall is built: demand 35 days later, 2027-04-19.

    The hall is ready on day 150; from then on the backer pays 8 a month, and the tenant never has it.
    """
    r = run(STOPS, ASSUME, """
    parties: {g: {guarantee: {terms: {effective: signing}}}}
    shocks: {stop: {stop_paying: null, default: lab}}
    sites: {a: {construction: {activities: {building: {duration: 150}}}}}
    """)
    assert events(r, "demand") == [day("2027-04-19")]
    assert r.world.sites["a"].call.election == "assume"
    assert r.day("a.p1.rent_commencement") == 150
    assert r.state("a") == "terminated"
    rents = paid(r, "g", "dev", "rent")
    assert rents[4] == pytest.approx(8 / 31, abs=1e-6)  # 2027-05-31 alone
    assert rents[5] == 8


def test_each_election_costs_what_it_said():
    """Whatever it elects, what the guarantor pays in the end is what it had counted with: without discounting, to the
    end of a lease of two years, with a hall that is worth nothing to it."""
    for election in ("pay", "terminate", "assume"):
        runner = Runner(STOPS, f"""
        parties: {{g: {{guarantee: {{terms: {{election: {election}, termination_fee: 0.5 of cap}}}}}}}}
        sites: {{a: {{lease: {{term: 2 years, use_value: 0}}}}}}
        """)
        r = runner.run()
        call = r.world.sites["a"].call
        out = sum(sum(paid(r, "g", "dev", kind).values()) for kind in ("guarantee payment", "termination fee", "rent"))
        assert out * M == getattr(call.costs, election)


def test_what_the_new_lessee_has_made_good_the_old_one_no_longer_owes():
    """April and May are made good; the lab pays again from 2027-08-10, and owes the developer nothing."""
    r = with_events(STOPS, ASSUME, at={day("2027-08-10"): lambda world: world.parties["lab"].resume_paying()})
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20}
    assert paid(r, "lab", "dev", "rent") == {0: 10, 1: 10, 2: 10}


# What the lender gets: the tenant fails in month 30 of a loan with debt service of 7 a month.


def s01(*what_ifs: str):
    """A run of finance case S01 with these of its what-ifs."""
    scenario = load(DATA / "finance" / "s01.yaml")
    for name in what_ifs:
        scenario = scenario.edit(dict(scenario.spec.what_ifs[name]))
    return run(scenario)


def service(r) -> dict[int, float]:
    """US$ million of debt service paid by month."""
    interest, principal = (paid(r, "dev", "bank", kind) for kind in ("interest", "principal"))
    return {month: interest.get(month, 0) + principal.get(month, 0) for month in range(24, 24 + 120)}


def test_s01_stepping_in():
    """Rent goes on at 10, and no debt service is missed."""
    r, expected = s01(), CASES["S01"]["expected"]["step_in"]
    assert paid(r, "backer", "dev", "rent")[30] == 10
    due = service(s01("all-well"))
    missed = sum(due[month] - dollars for month, dollars in service(r).items() if month < 132)
    assert missed == pytest.approx(expected["lender_missed_debt_service"], abs=1e-6)


def test_s01_the_termination_fee():
    """120 pay 84 of debt service while the hall is empty; 36 are left, and carry 7 - 6 for 36 months: it is let from
    month 42, and the first month that is not paid in full is 42 + 36 = 78, July 2033."""
    r, expected = s01("termination-fee"), CASES["S01"]["expected"]["termination_fee"]
    fee = paid(r, "backer", "dev", "termination fee")
    assert fee == {30: expected["guarantor_pays_once"]}
    got, relet = service(r), paid(r, "outside", "dev", "relet rent")
    vacancy = sum(got[month] for month in range(30, 42))
    assert 84 - vacancy == pytest.approx(expected["vacancy_shortfall_12m"], abs=1e-5)
    assert fee[30] - vacancy == pytest.approx(expected["surplus_after_vacancy"], abs=1e-5)
    assert fee[30] / (vacancy / 12) == pytest.approx(expected["months_of_debt_service_covered"], abs=1e-5)
    assert min(relet) == 42
    assert got[60] - relet[60] == pytest.approx(expected["post_relet_monthly_gap"], abs=1e-5)
    full = [month for month in range(42, 100) if got[month] > 6.999]
    assert full == list(range(42, 42 + expected["months_until_surplus_exhausted"]))
    project = r.world.sites["a"].financing.project
    assert r.world.blueprint.date_of(project.defaulted).isoformat() == "2033-08-01"  # July's debt service is not paid


def test_s01_without_a_guarantor():
    """Nothing pays the 84 of the empty year, so the loan is in default with the first of them."""
    r, expected = s01("no-guarantee"), CASES["S01"]["expected"]["no_guarantee"]
    due = service(s01("all-well"))
    got = service(r)
    missed = sum(due[month] - got[month] for month in range(30, 42))
    assert missed == pytest.approx(expected["vacancy_shortfall"], abs=1e-5)
    assert due[60] - paid(r, "outside", "dev", "relet rent")[60] == pytest.approx(expected["post_relet_monthly_gap"])
    project = r.world.sites["a"].financing.project
    assert r.world.blueprint.date_of(project.defaulted).isoformat() == "2029-08-01"


def test_s01_with_its_month_of_cure():
    """The lease ends a month later, on 2029-08-01, and the fee pays July's 7, which was late, too: 120 - 7 - 84 = 29
    months of 7 - 6 from August 2030 on, so that January 2033 is the first that is not paid."""
    r = s01("month-to-cure", "termination-fee")
    assert r.day("a.ended") == day("2029-08-01")
    got = service(r)
    assert [got[30], got[31]] == pytest.approx([0, 14], abs=1e-5)
    project = r.world.sites["a"].financing.project
    assert r.world.blueprint.date_of(project.defaulted).isoformat() == "2033-02-01"


def test_s01_stepping_in_after_a_month_of_cure():
    """July's debt service is late by a month, and then paid out of July's rent, which the backer makes good."""
    r = s01("month-to-cure")
    assert paid(r, "backer", "dev", "guarantee payment") == {31: 10}
    assert [service(r)[month] for month in (30, 31, 32)] == pytest.approx([0, 14, 7], abs=1e-5)
    assert r.world.sites["a"].financing.project.defaulted is None
