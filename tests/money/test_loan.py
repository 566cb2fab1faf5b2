"""Loans once all is ready: repayment, maturity, months in which rent fails, default, and what the lender loses."""

from itertools import pairwise

import pytest
from helpers import Run, Runner, run
from money import M, at, paid, total

# 100 MW at $100/kW-month is 10 a month, from 1 January 2027 on for 15 years. $10m/MW: a loan of 700 at 6 %, equity 300.
ONE = """
parties: {lab: {rating: A}, g: {}, bank: {lending: {ltc: 0.7, rate: 0.06}}}
defaults:
  site:
    lease: {rent: $100/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.3, sizing: {over: 10 years, shape: level}}
sites: {a: {}}
"""
DAY = 1440


def project(r, site="a"):
    return r.world.sites[site].financing.project


def date_of(r, minute):
    return r.world.blueprint.date_of(minute).isoformat()


def happening(*texts, luck=None, **acts):
    """A run in which something happens on dates: `d2029_07_01=lambda site: ...`."""
    runner = Runner(*texts, luck=luck)
    world = runner.world()
    blueprint = world.blueprint
    for name, act in acts.items():
        minute = at(Run(None, world), name[1:].replace("_", "-"))
        assert minute <= blueprint.last_minute
        world.clock.at(minute, lambda act=act: act(world.sites["a"]))
    return Run(world.run(), world)


# Repayment.


def test_level_debt_service_in_twelfths():
    """700 x 0.06 / (1 - 1.06^-10) = 95.107573 a year, 42 of them interest in the first; each a twelfth a month."""
    r = run(ONE)
    interest, principal = paid(r, "interest"), paid(r, "principal")
    service = 700 * M * 0.06 / (1 - 1.06**-10)
    assert [interest[f"2027-{n:02}"] for n in range(1, 13)] == [3_500_000] * 12
    assert principal["2027-01"] == pytest.approx((service - 42 * M) / 12, abs=1)
    second = 0.06 * (700 * M - (service - 42 * M)) / 12
    assert interest["2028-01"] == pytest.approx(second, abs=1)
    assert interest["2028-06"] + principal["2028-06"] == pytest.approx(service / 12, abs=2)


def test_it_is_repaid_to_the_dollar():
    r = run(ONE, "horizon: 2037-12-31")
    assert total(r, "principal") == 700 * M
    assert max(paid(r, "principal")) == max(paid(r, "interest")) == "2036-12"
    (contract,) = [c for c in r.world.book if c.kind == "loan"]
    assert date_of(r, contract.closed) == "2037-01-01"
    assert project(r).over


def test_no_interest():
    r = run(ONE, "parties: {bank: {lending: {rate: 0}}}")
    assert paid(r, "principal")["2027-01"] == pytest.approx(700 * M / 120, abs=1)


def test_the_first_month_counts_from_commencement():
    """Ready on 16 June 2027: the first of 120 months is June, which bears interest for 15 of 30 days."""
    r = run(ONE, "sites: {a: {construction: {activities: {x: {duration: 166}}}}}", "horizon: 2037-12-31")
    assert r.day("a.p1.rent_commencement") == 166
    interest, principal = paid(r, "interest"), paid(r, "principal")
    assert principal["2027-06"] == principal["2027-07"]
    built = project(r).account.interest
    assert interest["2027-06"] == pytest.approx(1_750_000 + interest_in_june(r), abs=2)
    assert (max(principal), total(r, "principal")) == ("2037-05", 700 * M)
    assert built > 0


def interest_in_june(r):
    drawn = sum(v for m, v in paid(r, "loan draw").items() if m < "2027-06")
    return drawn * 0.06 / 12 / 2


def test_sculpted_to_abatement_and_escalator():
    """A year without rent pays interest alone; then debt service grows with the rent, at one cover for all years."""
    r = run(ONE, """
    horizon: 2037-12-31
    sites: {a: {lease: {abatement: 12, escalator: 0.03}, financing: {sizing: {shape: sculpted}}}}
    """)
    assert not any(month.startswith("2027") for month in paid(r, "principal"))
    kinds = (paid(r, "interest"), paid(r, "principal"))
    service = [sum(v for k in kinds for m, v in k.items() if m.startswith(str(y))) for y in range(2028, 2037)]
    assert [b / a for a, b in pairwise(service)] == [pytest.approx(1.03, abs=1e-6)] * 8
    assert r.history.loans[0].min_dscr == 0


def test_balances_are_planned_at_close_and_at_commencement():
    """What the lender is owed, month by month; nothing is left at the end."""
    r = run(ONE)
    (contract,) = [c for c in r.world.book if c.kind == "loan"]
    principal = paid(r, "principal")
    assert contract.at_stake(0) == 700 * M
    assert contract.at_stake(at(r, "2027-02-01")) == 700 * M - principal["2027-01"]
    assert contract.at_stake(at(r, "2029-01-01")) == 700 * M - sum(v for m, v in principal.items() if m < "2029")
    assert contract.levels[-1] == 0
    assert (contract.source, contract.target) == ("dev", "bank")


def test_the_record():
    r = run(ONE)
    (record,) = r.history.loans
    assert (record.site, record.closed, record.amount, record.binding_limit) == ("a", 0, 700 * M, "ltc")
    assert (record.ltc, record.peak_drawn, record.interest_during_construction) == (0.7, 700 * M, 0)
    assert record.min_dscr == pytest.approx(120 / 95.1075707, abs=1e-6)
    assert (record.defaulted, record.recovery, record.closes_without_guarantor) == (None, None, True)


# Maturity.

SHORT = "parties: {bank: {lending: {tenor: 2 years, refinancing: {chance: 0.7, rate: 0.08}}}}"


def test_the_balloon_is_refinanced_by_somebody_outside():
    """Due at the end of 2028, when two years after the close are over: what ten years of level debt service left."""
    r = run(ONE, SHORT, luck={"sites.a.financing.refinancing.bank": 0.69})
    service = 700 * 0.06 / (1 - 1.06**-10)
    left = service * (1 - 1.06**-8) / 0.06
    assert paid(r, "refinancing", payer="outside", payee="dev") == {"2028-12": pytest.approx(left * M, abs=10)}
    assert total(r, "principal", payee="bank") == 700 * M
    assert max(paid(r, "principal", payee="bank")) == "2028-12"
    new = left * 0.08 / (1 - 1.08**-8)
    jan = paid(r, "interest", payee="outside")["2029-01"] + paid(r, "principal", payee="outside")["2029-01"]
    assert jan == pytest.approx(new / 12 * M, abs=5)
    (contract,) = [c for c in r.world.book if c.kind == "loan"]
    assert contract.closed == at(r, "2029-01-01") - 1
    assert r.history.loans[0].min_dscr == pytest.approx(120 / new, abs=1e-6)  # balloons are no debt service


def test_or_the_loan_is_in_default():
    r = run(ONE, SHORT, luck={"sites.a.financing.refinancing.bank": 0.71})
    (record,) = r.history.loans
    assert date_of(r, record.defaulted) == "2028-12-31"
    assert r.state("a") == "pending"  # the hall is there, and its lease goes on
    assert (max(paid(r, "principal")), max(paid(r, "interest"))) == ("2028-11", "2028-11")
    december = paid(r, "interest")["2028-11"]
    assert project(r).exposure == 700 * M - total(r, "principal") + december
    assert record.recovery == 1
    assert total(r, "recovery", payer="outside", payee="bank") == project(r).exposure


def test_a_loan_matures_at_the_earliest_when_all_is_ready():
    r = run(ONE, SHORT, "sites: {a: {construction: {activities: {x: {duration: 1000}}}}}",
            luck={"sites.a.financing.refinancing.bank": 0.1})  # fmt: skip
    assert set(paid(r, "refinancing")) == {"2029-09"}  # ready on 27 September


def test_a_tenor_beyond_the_repayment_leaves_nothing():
    r = run(ONE, "parties: {bank: {lending: {tenor: 12 years}}}", "horizon: 2039-12-31")
    assert (total(r, "principal"), total(r, "refinancing")) == (700 * M, 0)


# S01: rent of 10, debt service of 7 a month; ready in month 24, the tenant fails in month 30; let again for 6.

S01 = """
horizon: 2034-12-31
parties: {bank: {lending: {rate: 0.0346015}}}
sites:
  a:
    lease: {relet: {after: 365, at: 0.6}}
    construction: {activities: {x: {duration: 731}}}
    financing: {cost_includes: everything, loss_given_default: {covered: 0.05, uncovered: 0.3}}
"""
MONTH_30 = "d2029_07_01"


def fee(site):
    site.lease.terminate("fee")
    assert site.financing.project.receive("g", "termination fee", 120 * M)


def test_s01_debt_service():
    r = run(ONE, S01)
    assert r.day("a.p1.rent_commencement") == 731
    months = [f"2029-{n:02}" for n in range(1, 13)]
    assert [paid(r, "interest")[m] + paid(r, "principal")[m] for m in months] == [pytest.approx(7 * M, abs=4)] * 12


def test_s01_the_termination_fee_covers_the_vacancy_and_then_the_gap():
    """120 - 12 x 7 = 36; let again for 6 there is 1 a month too little, for 36 months; the 37th is in default."""
    r = happening(ONE, S01, **{MONTH_30: fee})
    reserve = project(r)
    (record,) = r.history.loans
    assert reserve.reserve == 0
    assert date_of(r, record.defaulted) == "2033-08-01"  # the end of July 2033
    for first, months in (("2029-07", 12 + 36),):
        year, month = map(int, first.split("-"))
        due = [f"{year + (month - 1 + n) // 12}-{(month - 1 + n) % 12 + 1:02}" for n in range(months)]
        assert [paid(r, "interest")[m] + paid(r, "principal")[m] for m in due] == [pytest.approx(7 * M, abs=4)] * months
    assert total(r, "relet rent") >= 37 * 6 * M


def test_s01_what_is_in_reserve_on_the_way():
    held = []
    watch = {f"d{y}_{m:02}_02": lambda site: held.append(site.financing.project.reserve / M)
             for y, m in ((2029, 8), (2030, 7), (2031, 7), (2033, 7))}  # fmt: skip
    happening(ONE, S01, **{MONTH_30: fee}, **watch)
    # on the 2nd of July the new tenant's rent of 6 is in, too
    assert held == [pytest.approx(x, abs=1e-4) for x in (113, 36 + 6, 24 + 6, 0 + 6)]


def test_s01_the_guarantor_steps_in():
    r = happening(ONE, S01, **{MONTH_30: lambda site: site.lease.novate("g", 0.0)})
    assert r.history.loans[0].defaulted is None
    assert paid(r, "rent", payer="g")["2029-07"] == 10 * M


def test_s01_no_guarantee():
    """Nothing comes in: the first month's debt service is missed, and the lender loses 30 % of what it is owed."""
    r = happening(ONE, S01, **{MONTH_30: lambda site: site.lease.terminate("no rent")})
    (record,) = r.history.loans
    assert date_of(r, record.defaulted) == "2029-08-01"
    owed = project(r).exposure
    assert owed == pytest.approx(700 * M - total(r, "principal") + 0.0346015 / 12 * 700 * M, rel=1e-3)
    assert record.recovery == pytest.approx(0.7, abs=1e-6)
    assert total(r, "recovery", payee="bank") == pytest.approx(0.7 * owed, abs=1)
    assert r.world.lenders["bank"].lost == owed - total(r, "recovery")
    assert not any(month > "2029-07" for month in (*paid(r, "interest"), *paid(r, "principal")))


# Stress.


def test_debt_service_may_be_late_while_the_lease_stands():
    """Rent fails from July on; July and August are late, and made good when somebody pays all arrears in September."""
    def stop(site):
        site.world.parties["lab"].stop_paying()

    def pay(site):
        assert site.financing.project.receive("g", "guarantee payment", 30 * M)

    r = happening(
        ONE, S01, "sites: {a: {guarantee: {from: g}}}", "parties: {bank: {lending: {min_rating: AA}}}",
        "parties: {g: {rating: AA, guarantee: {terms: {call: {grace: 90}}}}}",
        **{MONTH_30: stop, "d2029_09_10": pay, "d2029_09_20": lambda site: site.world.parties["lab"].resume_paying()},
    )  # fmt: skip
    assert r.history.loans[0].defaulted is None
    months = [f"2029-0{n}" for n in range(6, 10)]
    service = {m: paid(r, "interest").get(m, 0) + paid(r, "principal").get(m, 0) for m in months}
    assert service == {
        "2029-06": pytest.approx(7 * M, abs=4), "2029-07": 0, "2029-08": 0, "2029-09": pytest.approx(21 * M, abs=5)
    }  # fmt: skip


def test_what_reaches_for_a_part_is_paid():
    """Let again at once for 2.5: interest first, then principal, and then the rest of the loan is in default."""
    r = happening(
        ONE, S01, "sites: {a: {lease: {relet: {after: 0, at: 0.1}}}}",
        **{MONTH_30: lambda site: site.lease.terminate("test")},
    )  # fmt: skip
    assert paid(r, "interest")["2029-07"] == M
    assert "2029-07" not in paid(r, "principal")
    interest = paid(r, "interest")["2029-06"]
    assert project(r).exposure == pytest.approx(700 * M - total(r, "principal") + interest - M, abs=2)


def test_a_guarantee_of_the_loan_pays_what_lacks():
    """It covers the loan, 20 in all: two months of 7 and the 6 of the third; then the loan is in default, covered."""
    r = happening(
        ONE, S01, "parties: {bank: {lending: {min_rating: AA, cap_to_loan: 0}}}", """
    parties:
      g: {rating: AA, guarantee: {terms: {covers: loan, cap: {basis: fixed, amount: $20m}, effective: signing}}}
    sites: {a: {guarantee: {from: g}}}
    """, **{MONTH_30: lambda site: site.lease.terminate("test")})  # fmt: skip
    (record,) = r.history.loans
    assert record.defaulted is not None
    assert record.recovery == pytest.approx(0.95, abs=1e-6)


def test_a_site_that_ends_before_anything_is_ready():
    """Terminated on 1 July 2028: 18 months of works are drawn for; the reserve repays what it holds, 30 % are lost."""
    def end(site):
        site.end("terminated", "test")
        site.financing.project.receive("g", "termination fee", 100 * M)

    r = happening(ONE, S01, d2028_07_01=end)
    drawn = total(r, "loan draw")
    assert 0 < drawn < 700 * M
    assert paid(r, "principal") == {"2028-08": 100 * M}  # 00:00 of 1 August
    assert project(r).exposure == drawn
    assert total(r, "recovery") == pytest.approx(0.7 * (drawn - 100 * M), abs=1)
    assert r.history.loans[0].recovery == pytest.approx((100 * M + 0.7 * (drawn - 100 * M)) / drawn, abs=1e-6)


def test_a_reserve_that_repays_it_all():
    def end(site):
        site.end("terminated", "test")
        site.financing.project.receive("g", "termination fee", 700 * M)

    r = happening(ONE, S01, d2028_07_01=end)
    assert total(r, "principal") == total(r, "loan draw")
    assert r.history.loans[0].defaulted is None


def test_a_rent_that_cannot_repay_the_loan():
    """10 a month x 0.5 years of it: $50/kW-month is 60 a year, debt service 95; the first month is short of it."""
    r = run(ONE, "sites: {a: {lease: {rent: 50}}}")
    (record,) = r.history.loans
    assert date_of(r, record.defaulted) == "2027-02-01"
    assert record.min_dscr == pytest.approx(60 / 95.1075707, abs=1e-6)
    no_rent = run(ONE, "sites: {a: {lease: {rent: 0}}}")  # nothing is said of it, and nothing is judged by it
    assert no_rent.history.loans[0].defaulted is None


def test_a_developer_that_stops_paying_pays_no_debt_service():
    r = run(ONE, "shocks: {fails: {when: 2028-03-10, stop_paying: dev}}",
            "sites: {a: {financing: {loss_given_default: {uncovered: 0.5}}}}")  # fmt: skip
    (record,) = r.history.loans
    assert date_of(r, record.defaulted) == "2028-04-01"
    assert max(paid(r, "interest")) == "2028-02"
    assert record.recovery == pytest.approx(0.5)


def test_its_default_is_not_the_projects_once_it_is_built():
    r = run(ONE, "shocks: {fails: {when: 2028-03-10, default: dev}}")
    assert r.history.loans[0].defaulted is None
    assert max(paid(r, "interest")) == "2030-12"


def test_the_projects_default_is_not_the_developers():
    r = happening(ONE, S01, **{MONTH_30: lambda site: site.lease.terminate("no rent")})
    assert r.world.parties["dev"].stands
    assert r.history.defaults == []


RICH = """
parties: {rich: {}}
sites: {a: {financing: {completion_guarantee: rich}}}
"""


def test_a_completion_guarantor_brings_what_a_developer_in_default_does_not():
    """From the bills of December 2027 on it pays the 30 % that were equity; draws go on beside it."""
    r = run(ONE, S01, RICH, "shocks: {fails: {when: 2028-01-01, default: dev}}")
    assert r.day("a.p1.ready_for_service") == 731
    assert max(paid(r, "equity")) == "2027-11"
    cure, draws = paid(r, "equity cure", payer="rich", payee="dev"), paid(r, "loan draw")
    assert set(cure) == {"2027-12", *(f"2028-{n:02}" for n in range(1, 13))}
    assert cure["2028-06"] == pytest.approx(draws["2028-06"] * 3 / 7, abs=2)
    assert r.history.loans[0].defaulted is None


def test_or_builds_alone_if_the_developer_pays_nothing_at_all():
    """It pays what is still to be built, and the interest; nothing more is drawn, and nobody pays debt service."""
    r = run(ONE, S01, RICH, "shocks: {fails: {when: 2028-01-01, stop_paying: dev}}")
    assert r.day("a.p1.ready_for_service") == 731
    assert not any(month >= "2028" for month in paid(r, "loan draw"))
    assert paid(r, "construction", payer="rich", payee="outside")["2028-06"] > 0
    assert paid(r, "interest", payer="rich", payee="bank")["2028-06"] > 0
    assert date_of(r, r.history.loans[0].defaulted) == "2029-02-01"


def test_without_one_what_a_developer_in_default_was_building_is_lost():
    r = run(ONE, S01, "shocks: {fails: {when: 2028-01-10, default: dev}}")
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 374)
    assert date_of(r, r.history.loans[0].defaulted) == "2028-02-01"


# What a loss does to others.


def test_a_loss_lowers_the_lenders_capacity_for_good():
    """The bank can lend 1,000; a's 700 are lost to 210: 790 are left, and b, which asks in September, gets 790."""
    text = """
    parties: {bank: {lending: {capacity: $1bn, ltc: 1}}}
    sites:
      a: {financing: {equity: 0.3, lenders: bank, cost: $7m/MW, loss_given_default: {uncovered: 0.3}}}
      b:
        loi: 2029-09-01
        financing: {cost: $10m/MW, equity: 0.5}
    """
    r = happening(ONE, text, "horizon: 2030-12-31",
                  d2027_01_15=lambda site: site.lease.terminate("test"))  # fmt: skip
    lost = r.world.lenders["bank"].lost
    assert lost == pytest.approx(0.3 * project(r).exposure, abs=1)
    assert r.loan("b") == 1000 * M - lost
    assert r.world.lenders["bank"].capacity == 1000 * M - lost


def test_without_a_loss_all_of_it_comes_back():
    r = happening(ONE, "parties: {bank: {lending: {capacity: $700m}}}", "sites: {b: {loi: 2027-06-01}}",
                  d2027_01_15=lambda site: site.lease.terminate("test"))  # fmt: skip
    assert r.loan("b") == 700 * M


# Delay that the contingency carries.


@pytest.mark.parametrize(
    ("text", "days"),
    [
        # 5 % of 1,000 is 50; interest on 700 at 6 % is 42 a year, 0.114990 a day
        ("", 50 / (42 / 365.25)),
        # from day 100 on 10 x 12 / 365.25 = 0.328542 a day of credits as well: 38.501027 are left for 0.443532 a day
        ("lease: {outside: 60, float: 40, delay_credit: {per_day: 1}}",
         100 + (50 - 100 * 42 / 365.25) / (162 / 365.25)),
        # of which at most 30 days are owed
        ("lease: {outside: 60, float: 40, delay_credit: {per_day: 1, at_most: 30}}",
         130 + (50 - 100 * 42 / 365.25 - 30 * 162 / 365.25) / (42 / 365.25)),
        ("lease: {outside: 900, delay_credit: {per_day: 1}}", 50 / (42 / 365.25)),
    ],
)  # fmt: skip
def test_breakeven_delay(text, days):
    r = run(ONE, "sites: {a: {financing: {contingency: 0.05}}}", *([f"sites: {{a: {{{text}}}}}"] if text else []))
    assert r.history.loans[0].breakeven_delay_days == pytest.approx(days, rel=1e-6)


def test_no_delay_uses_up_a_contingency_that_nothing_draws_on():
    r = run(ONE, "sites: {a: {financing: {contingency: 0.05}}}", "parties: {bank: {lending: {rate: 0}}}")
    assert r.history.loans[0].breakeven_delay_days is None
    r = run(ONE, "parties: {bank: {lending: {rate: 0}}}")
    assert r.history.loans[0].breakeven_delay_days == 0


# The opening position.

OLD = """
parties: {bank: {lending: {rate: 0.05}}}
sites:
  a:
    initial: {lease_signed: 2026-01-01, financial_close: 2026-07-01, loan: $700m}
    phases: {p1: {mw: 100, initial: {ready_for_service: 2027-07-01}}}
"""


def test_half_of_the_works_are_done():
    """From July 2026 to July 2027: 184 of 365 days are over, and that share of all is paid. 6 months are left."""
    r = run(ONE, OLD, "parties: {bank: {lending: {rate: 0}}}")
    before = 700 * M * 184 / 365
    draws = paid(r, "loan draw")
    assert [draws[f"2027-{n:02}"] for n in range(1, 7)] == [pytest.approx((700 * M - before) / 6, abs=2)] * 6
    assert total(r, "construction") == pytest.approx(1000 * M * 181 / 365, abs=2)
    assert r.history.loans[0].peak_drawn == 700 * M
    (contract,) = [c for c in r.world.book if c.kind == "loan"]
    assert contract.at_stake(0) == pytest.approx(before, abs=1)


def test_what_the_file_says_is_drawn():
    """420 of 700 drawn are 60 % of all uses: 400 less interest on it are still to be paid, 280 of loan."""
    r = run(ONE, OLD, "sites: {a: {initial: {drawn: $420m, rate: 0.06}}}")
    assert total(r, "loan draw") == pytest.approx(280 * M, abs=2)
    assert paid(r, "interest")["2027-01"] == round(420 * M * 0.06 / 12)
    built = project(r).account
    assert total(r, "construction") + built.interest == pytest.approx(400 * M, abs=2)


def test_a_bond_that_closed_was_drawn_whole():
    r = run(ONE, OLD, "parties: {bank: {lending: {drawn: at_close}}}")
    assert total(r, "loan draw") == 0
    assert paid(r, "interest")["2027-01"] == round(700 * M * 0.05 / 12)
    assert project(r).account.spent == 1000 * M


def test_what_is_ready_is_being_repaid():
    """Commenced on 1 January 2025: two of ten years are over; 500 are left, and repaid over eight."""
    r = run(ONE, "horizon: 2037-12-31", """
    sites:
      a:
        initial: {lease_signed: 2023-01-01, financial_close: 2023-07-01, loan: $700m, drawn: $500m}
        phases: {p1: {mw: 100, initial: {ready_for_service: 2025-01-01}}}
    """)
    service = 500 * 0.06 / (1 - 1.06**-8)
    assert paid(r, "interest")["2027-01"] == 2_500_000
    assert paid(r, "principal")["2027-01"] == pytest.approx((service - 30) / 12 * M, abs=1)
    assert (total(r, "principal"), max(paid(r, "principal"))) == (500 * M, "2034-12")
    assert total(r, "construction") == 0
    (record,) = r.history.loans
    assert (record.amount, record.peak_drawn, record.binding_limit) == (700 * M, 500 * M, "opening")


def test_a_loan_that_closes_on_a_date_to_come():
    r = run(ONE, """
    sites: {a: {initial: {lease_signed: 2026-01-01, financial_close: 2027-03-01, loan: $650m, rate: 0.04},
                construction: {activities: {x: {duration: 122}}}}}
    """)
    assert (r.day("a.financial_close"), r.day("a.p1.ready_for_service")) == (59, 181)
    assert total(r, "loan draw") == 650 * M
    assert set(paid(r, "loan draw")) == {f"2027-0{n}" for n in range(3, 7)}
    assert paid(r, "interest")["2027-04"] == pytest.approx(paid(r, "loan draw")["2027-03"] * 0.04 / 12, abs=1)
    (record,) = r.history.loans
    assert (record.closed, record.ltc) == (59 * DAY, 0.65)
