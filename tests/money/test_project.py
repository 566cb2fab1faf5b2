"""The account of a site while it is built: draws, equity, interest, contingency, and who pays what goes beyond."""

import pytest
from helpers import Run, Runner, run
from money import M, at, paid, total

# 100 MW, $3m/MW for works and no more: loan 150, equity 150. 12 % is 1 % a month. Built from 1 January to 1 April 2027.
ONE = """
parties: {lab: {rating: A}, bank: {lending: {ltc: 0.5, rate: 0.12}}}
defaults:
  site:
    lease: {rent: $150/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $3m/MW, equity: 0.5}
    construction: {activities: {building: {duration: 90}}}
sites: {a: {}}
"""
JAN, FEB, MAR, APR = "2027-01", "2027-02", "2027-03", "2027-04"
KINDS = ("construction", "interest", "commitment fee", "upfront fee")


def project(r, site="a"):
    return r.world.sites[site].financing.project


def sums(r, until, site_developer="dev"):
    """(draws, equity and cures, uses) in the months up to one, by the ledger."""
    def of(*kinds, **who):
        return sum(v for kind in kinds for month, v in paid(r, kind, **who).items() if month <= until)

    return of("loan draw"), of("equity", "equity cure"), of(*KINDS, payer=site_developer)


# Month by month.


def test_draws_and_equity_side_by_side():
    """w of works a month: 99.501663. Half of what is paid is drawn, month by month."""
    r = run(ONE)
    w = 99_501_663
    assert [paid(r, "construction")[m] for m in (JAN, FEB, MAR)] == [pytest.approx(w, abs=1)] * 3
    assert [paid(r, "loan draw")[m] for m in (JAN, FEB, MAR)] == [
        pytest.approx(x * w / 2, abs=2) for x in (1, 1.005, 1.005**2)
    ]
    assert [paid(r, "interest", payee="bank").get(m) for m in (FEB, MAR)] == [
        pytest.approx(x * w / 200, abs=2) for x in (1, 2.005)
    ]
    assert total(r, "loan draw") == total(r, "equity") == 150 * M


def test_in_every_month_sources_are_uses():
    """drawn + equity = works + interest + fees, by the ledger; of bonds, what is not spent yet is kept."""
    r = run(ONE, "parties: {bank: {lending: {upfront_fee: 0.01, commitment_fee: 0.01}}}")
    for month in (JAN, FEB, MAR):
        draws, equity, uses = sums(r, month)
        assert draws + equity == uses
    assert sums(r, APR)[0] == 150 * M
    bonds = run(ONE, "parties: {bank: {lending: {upfront_fee: 0.01, drawn: at_close}}}")
    held = [draws + equity - uses for draws, equity, uses in (sums(bonds, month) for month in (JAN, FEB, MAR))]
    assert held[0] > held[1] > held[2] == 0
    assert paid(bonds, "loan draw") == {JAN: 150 * M}
    assert paid(bonds, "interest", payee="bank")[JAN] == 1_500_000


def test_the_first_month_and_the_last_are_parts():
    """Closed on 11 January, ready on 21 March: 21/31 + 1 + 20/31 = 2 10/31 months; works are even over them."""
    r = run(ONE, "sites: {a: {negotiation: {duration: 10}, construction: {activities: {building: {duration: 69}}}}}")
    assert (r.day("a.financial_close"), r.day("a.p1.ready_for_service")) == (10, 79)
    works = paid(r, "construction")
    full = works[FEB]
    assert works[JAN] == pytest.approx(full * 21 / 31, abs=2)
    assert works[MAR] == pytest.approx(full * 20 / 31, abs=2)
    drawn = paid(r, "loan draw")
    assert paid(r, "interest", payee="bank")[FEB] == pytest.approx(0.01 * drawn[JAN], abs=1)
    building = 0.01 * (drawn[JAN] + drawn[FEB]) * 20 / 31
    assert project(r).account.interest == pytest.approx(0.01 * drawn[JAN] + building, abs=2)
    term = 0.01 * 150 * M * 11 / 31  # the rest of March is the first month of repayment
    assert paid(r, "interest", payee="bank")[MAR] == pytest.approx(building + term, abs=2)


def test_a_bill_is_dated_in_the_month_for_which_it_is():
    r = run(ONE)
    assert set(paid(r, "construction")) == {JAN, FEB, MAR}
    (contract,) = [c for c in r.world.book if c.kind == "loan"]
    assert contract.at_stake(at(r, FEB + "-01") - 1) == paid(r, "loan draw")[JAN]
    assert contract.at_stake(at(r, FEB + "-01") - 2) == 0


def test_equity_first():
    r = run(ONE, "sites: {a: {financing: {equity_first: true}}}")
    assert set(paid(r, "equity")) == {JAN, FEB}
    assert set(paid(r, "loan draw")) == {FEB, MAR}
    assert (total(r, "equity"), total(r, "loan draw")) == (150 * M, 150 * M)


def test_nobody_lends_and_the_developer_pays_it_all():
    r = run(ONE, "parties: {bank: {lending: {takes_part: 0}}}", "sites: {a: {financing: {equity: 1}}}")
    assert (total(r, "equity"), total(r, "construction"), total(r, "interest")) == (300 * M, 300 * M, 0)
    assert r.history.loans == []


# Works that take longer, or cost more.


def test_works_follow_the_forecast():
    """Building takes 90 days, or 180 with bad luck, as is seen when it does not end: 100 a month, then what is left."""
    r = run(ONE, """
    parties: {bank: {lending: {rate: 0}}}
    sites: {a: {construction: {activities: {building: {duration: {discrete: {90: 6, 212: 4}}}}}}}
    """, luck={"sites.a.phases.p1.construction.activities.building.duration": 0.9})  # fmt: skip
    assert r.day("a.p1.ready_for_service") == 212
    assert [paid(r, "construction")[m] for m in (JAN, FEB)] == [100 * M] * 2
    assert total(r, "construction") == 300 * M


def test_delay_costs_interest_and_the_contingency_pays_it():
    """10 % of contingency. The grid is three months late: works are done by April, then 1 % a month is paid."""
    text = """
    sites: {a: {financing: {contingency: 0.1}, construction: {grid: [{share: 1, delay: %s, after: notice_to_proceed}]}}}
    """
    plain = run(ONE, text % 90)
    late = run(ONE, text % "{discrete: {90: 6, 181: 4}}", luck={"sites.a.construction.grid.0.delay": 0.9})
    account = project(plain).account
    assert account.uses - account.spent == 30 * M
    (record,) = plain.history.loans
    assert record.contingency_left == 30 * M
    assert record.amount == 150 * M
    assert plain.loan("a") == account.drawn == 135 * M  # half of the contingency is not drawn, and cancelled
    assert late.day("a.p1.ready_for_service") == 181
    extra = 0
    balance = 135 * M
    for _ in range(3):
        extra += round(0.01 * balance)
        balance += round(0.01 * balance) / 2
    (record,) = late.history.loans
    assert record.contingency_left == pytest.approx(30 * M - extra, abs=10)
    assert record.interest_during_construction == pytest.approx(account.interest + extra, abs=10)
    assert (total(late, "equity cure"), late.loan("a")) == (0, pytest.approx(135 * M + extra / 2, abs=10))


OVERRUN = "sites: {a: {financing: {overrun: 0.2, contingency: 0.1}}}\nparties: {bank: {lending: {rate: 0}}}"


def test_an_overrun_uses_the_contingency_and_then_the_developers_money():
    """Works of 270 cost 324: 300 from loan and equity, 24 from the developer, who brings them as they fall due."""
    r = run(ONE, OVERRUN)
    assert total(r, "construction") == 324 * M
    assert (paid(r, "loan draw"), paid(r, "equity")) == ({JAN: 54 * M, FEB: 54 * M, MAR: 42 * M},) * 2
    assert paid(r, "equity cure", payer="outside") == {MAR: 24 * M}
    assert (project(r).account.cure, r.history.loans[0].contingency_left) == (24 * M, 0)


def test_or_that_of_a_completion_guarantor():
    r = run(ONE, OVERRUN, "parties: {rich: {}}", "sites: {a: {financing: {completion_guarantee: rich}}}")
    assert paid(r, "equity cure", payer="rich", payee="dev") == {MAR: 24 * M}
    assert total(r, "equity") == 150 * M


def test_works_that_cost_less_leave_contingency():
    r = run(ONE, OVERRUN, "sites: {a: {financing: {overrun: -0.1}}}")
    assert total(r, "construction") == 243 * M
    assert (r.history.loans[0].contingency_left, r.loan("a")) == (30 * M, 121_500_000)


def test_bonds_that_are_not_spent_are_paid_back():
    """150 drawn at close; 270 of works use 135 of them."""
    r = run(ONE, """
    parties: {bank: {lending: {rate: 0, drawn: at_close}}}
    sites: {a: {financing: {contingency: 0.1}}}
    """)
    assert paid(r, "loan draw") == {JAN: 150 * M}
    assert paid(r, "principal")[MAR] == 15 * M
    assert r.loan("a") == 135 * M
    assert total(r, "equity") == 135 * M


def test_early_works_are_part_of_the_cost():
    """60 of the 300 were paid by the developer before the close; half of them is drawn at it, and of 80 a month."""
    r = run(ONE, """
    parties: {bank: {lending: {rate: 0, closing: 31}}}
    sites:
      a:
        construction:
          activities: {dig: {duration: 10, early: true, cost: $60m}, building: {duration: 89}}
          early_works: {budget: 0.2}
    """)
    assert r.day("a.financial_close") == 31
    assert total(r, "early works") == 60 * M
    assert total(r, "construction") == 240 * M
    assert paid(r, "loan draw") == {FEB: 70 * M, MAR: 40 * M, APR: 40 * M}


def test_delay_credits_are_part_of_the_cost():
    """Ready 40 days past the outside date: 40 days of rent, 40 / 30.4375 x 15 = 19.712526, half of it drawn."""
    text = """
    parties: {bank: {lending: {rate: 0}}}
    sites:
      a:
        lease: {target: 2027-02-20, outside: 0, delay_credit: {per_day: 1}, excused: []}
        financing: {contingency: %s}
    """
    r = run(ONE, text % 0.1)
    assert total(r, "delay credit", payer="dev", payee="lab") == 19_712_526
    assert r.history.loans[0].contingency_left == 30 * M - 19_712_526
    assert total(r, "loan draw") == 135 * M + 19_712_526 // 2
    short = run(ONE, text % 0)
    assert short.history.loans[0].contingency_left == 0
    assert project(short).account.cure == 19_712_526
    assert (total(short, "equity"), total(short, "equity cure")) == (150 * M, 19_712_526)


# Several phases.

TWO = """
sites:
  a: {phases: {p1: {mw: 60}, p2: {mw: 40}}, construction: {phase_gap: 59}}
"""


def test_each_phase_spends_its_share_while_it_is_built():
    """p1 from January to March, p2 in March, April and May: 180 and 120 by power (no interest)."""
    r = run(ONE, TWO, "parties: {bank: {lending: {rate: 0}}}")
    assert [r.day(f"a.{p}.ready_for_service") for p in ("p1", "p2")] == [90, 149]
    works = paid(r, "construction")
    assert [works[m] for m in (JAN, FEB)] == [60 * M] * 2
    assert works[APR] == pytest.approx(120 * M / (2 + 29 / 31), abs=1)  # ready on 30 May


def test_a_phase_that_begins_within_a_month():
    """p2 from 15 February to 16 May, 1/2 + 2 + 15/31 months: 120 x 0.5 / 2.983871 = 20.108108 beside 60 in February."""
    r = run(ONE, TWO, "parties: {bank: {lending: {rate: 0}}}", "sites: {a: {construction: {phase_gap: 45}}}")
    assert r.day("a.p2.ready_for_service") == 135
    works = paid(r, "construction")
    assert works[FEB] == pytest.approx(60 * M + 20_108_108, abs=2)
    assert works[APR] == pytest.approx(40_216_216, abs=2)


@pytest.mark.parametrize("rent", [100, 5])
def test_rent_of_the_first_phase_pays_interest_before_the_second_is_ready(rent):
    """From April on p1's rent pays the interest, and only what it does not reach for is part of the cost."""
    r = run(ONE, TWO, f"sites: {{a: {{lease: {{rent: {rent}}}}}}}")
    drawn = sum(v for m, v in paid(r, "loan draw").items() if m <= MAR)
    due = round(0.01 * drawn)
    rents = rent * 60_000
    assert paid(r, "interest", payee="bank")[APR] == due
    draws, equity = paid(r, "loan draw")[APR], paid(r, "equity")[APR]
    assert draws + equity == paid(r, "construction")[APR] + max(0, due - rents)


def test_a_phase_that_ends_takes_its_budget_with_it():
    """p2 ends on 1 March, when it would begin: 180 are spent, 90 of the loan; what is left is cancelled."""
    runner = Runner(ONE, TWO, "parties: {bank: {lending: {rate: 0}}}")
    world = runner.world()
    site = world.sites["a"]
    world.clock.at(59 * 1440, lambda: site.phases["p2"].end("terminated", "test", None))
    r = Run(world.run(), world)
    assert (total(r, "construction"), total(r, "loan draw"), r.loan("a")) == (180 * M, 90 * M, 90 * M)
    assert project(r).completed == 90 * 1440


# The landlord's cost.


def test_the_landlords_cost_grows_with_the_rent():
    """$0.12m/MW-year on 100 MW is 1 a month from 1 April 2027, 1.03 a year later, for the term of two years."""
    r = run(ONE, """
    sites: {a: {lease: {term: 2 years, escalator: 0.03}, financing: {landlord_cost: 0.12}}}
    """)
    cost = paid(r, "landlord cost", payer="dev", payee="outside")
    assert [cost[m] for m in (APR, "2028-03", "2028-04", "2029-03")] == [M, M, 1_030_000, 1_030_000]
    assert (len(cost), sum(cost.values())) == (24, 12 * M + 12 * 1_030_000)


def test_parts_of_months_bear_parts_of_it():
    """From 16 April: 15 of 30 days, and at the end of the term the other half of an April."""
    r = run(ONE, """
    sites:
      a:
        lease: {term: 1 year}
        financing: {landlord_cost: 0.12}
        construction: {activities: {building: {duration: 105}}}
    """)
    cost = paid(r, "landlord cost")
    assert (cost[APR], cost["2027-05"], cost["2028-04"], sum(cost.values())) == (500_000, M, 500_000, 12 * M)
