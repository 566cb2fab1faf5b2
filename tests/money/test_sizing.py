"""What lenders lend and what it pays for: cash flow, cost, cover; interest and fees while a site is built."""

import datetime as dt

import pytest
from helpers import run
from hypothesis import given, settings
from hypothesis import strategies as st
from money import CASES, DATA, M, paid, total

from dcsim.errors import ModelError
from dcsim.model.account import Account, Budget, PhasePlan, Tranche, in_proportion, planned, works_within
from dcsim.model.months import months_from
from dcsim.scenario.scenario import load
from dcsim.scenario.sizing import annuity, capitalised, debt_capacity, repayments

DAY = 1440


def case(name, what_if=None):
    base = load(DATA / "finance" / f"{name}.yaml")
    return base if what_if is None else base.edit(dict(base.spec.what_ifs[what_if]))


# Cash flow.


def test_p01_level_debt():
    """100 / 1.3 x (1 - 1.07^-10) / 0.07 = 76.9230769231 x 7.0235815409."""
    expected = CASES["P01"]["expected"]
    debt = debt_capacity(100, 0, 0, 10, 0.07, 1.3, "level")
    assert debt == pytest.approx(expected["debt"], abs=1e-9)
    balance = debt
    for principal in repayments(debt, [100] * 10, 0.07, "level"):
        assert principal + 0.07 * balance == pytest.approx(expected["annual_debt_service"], abs=1e-9)
        balance -= principal
    assert balance == pytest.approx(0, abs=1e-9)


def test_p02_sculpted_debt():
    """(100 / (0.07 - 0.03)) x (1 - (1.03 / 1.07)^10) / 1.3, and its schedule."""
    expected = CASES["P02"]["expected"]
    debt = debt_capacity(100, 0, 0.03, 10, 0.07, 1.3)
    assert debt == pytest.approx(expected["debt"], abs=1e-9)
    principal = repayments(debt, [100 * 1.03**year for year in range(10)], 0.07)
    assert principal[0] == pytest.approx(expected["principal_first"], abs=1e-9)
    assert principal[-1] == pytest.approx(expected["principal_last"], abs=1e-9)
    assert debt - sum(principal) == pytest.approx(expected["final_balance"], abs=1e-9)


def test_level_debt_is_bound_by_the_leanest_year():
    assert debt_capacity(100, 0, 0.03, 10, 0.07, 1.3, "level") == debt_capacity(100, 0, 0, 10, 0.07, 1.3, "level")
    assert debt_capacity(100, 0, -0.1, 3, 0, 1, "level") == pytest.approx(3 * 81)
    assert annuity(4, 0) == 4


def test_a_year_that_does_not_reach_for_its_interest_repays_nothing():
    """100 at 10 %: nothing flows in the first year, whose interest is paid from elsewhere; the others repay it."""
    principal = repayments(100, [0, 100, 100], 0.1)
    assert principal[0] == 0
    assert sum(principal) == pytest.approx(100)
    service = [principal[1] + 10, principal[2] + 0.1 * principal[2]]
    assert service[0] == pytest.approx(service[1])  # equal flows, equal debt service


def test_p01_and_p02_by_a_scenario():
    """The loan to the dollar, and what is paid in the first and the last year; every year's cover is 1.3."""
    r = run(case("p01"))
    expected = CASES["P01"]["expected"]
    assert r.loan("a") == int(expected["debt"] * M)
    service = [total_of(r, kinds, 2027 + year) for year in range(10) for kinds in [("interest", "principal")]]
    assert service == [pytest.approx(expected["annual_debt_service"] * M, abs=2)] * 10
    r = run(case("p01", "p02"))
    expected = CASES["P02"]["expected"]
    assert r.loan("a") == int(expected["debt"] * M)
    assert total_of(r, ("principal",), 2027) == pytest.approx(expected["principal_first"] * M, abs=6)
    assert total_of(r, ("principal",), 2036) == pytest.approx(expected["principal_last"] * M, abs=6)
    assert total(r, "principal") == r.loan("a")
    assert total_of(r, ("interest",), 2027) == pytest.approx(0.07 * expected["debt"] * M, abs=2)
    assert r.history.loans[0].min_dscr == pytest.approx(1.3, abs=1e-7)


def total_of(r, kinds, year):
    return sum(dollars for kind in kinds for month, dollars in paid(r, kind).items() if month.startswith(str(year)))


# The bounds of a loan.

ONE = """
parties:
  lab: {rating: BB}
  g: {rating: AA, guarantee: {}}
  bank: {lending: {min_rating: BBB-, ltc: 0.8, dscr: 1.25, rate: 0.05}}
defaults:
  site:
    lease: {rent: $150/kW-month, term: 10 years}
    guarantee: {from: g}
    financing: {lenders: bank, cost: $10m/MW, equity: 1, landlord_cost: $0.8m/MW-year}
sites: {a: {}}
"""


@pytest.mark.parametrize(
    ("text", "millions", "binding"),
    [  # 180 - 80 = 100 a year / 1.25 = 80 for ten years at 5 %: 617.738795
        ("", 617.738794, "dscr"),
        ("parties: {bank: {lending: {ltc: 0.6}}}", 600, "ltc"),
        ("parties: {g: {guarantee: {max_cap: $500m}}}", 500, "cover"),
        ("parties: {g: {guarantee: {max_cap: $500m}}, bank: {lending: {cap_to_loan: 0.9}}}", 555.555555, "cover"),
        ("parties: {bank: {lending: {capacity: $400m}}}", 400, "lenders"),
        ("defaults: {site: {financing: {sizing: {over: 5 years}}}}", 346.358133, "dscr"),
        ("defaults: {site: {lease: {term: 5 years}}}", 346.358133, "dscr"),
    ],
)
def test_the_least_bound_binds(text, millions, binding):
    r = run(ONE, *filter(None, [text]))
    assert r.loan("a") == pytest.approx(millions * M, abs=1)
    (record,) = r.history.loans
    assert (record.binding_limit, record.amount) == (binding, r.loan("a"))
    assert record.ltc == pytest.approx(millions / 1000)


def test_l01_who_stands_behind_the_loan():
    """A tenant of its own rating; a guarantor of a rating and a cap that do; else resized to the cap, or declined."""
    expected = {row[0].lower(): row[1] for row in CASES["L01"]["expected"]["result"]}
    r = run(case("l01"))
    for name, result in expected.items():
        site, loan = r.world.sites[name], r.loan(name)
        if result == "close":
            assert (r.day(f"{name}.financial_close"), loan) == (0, 700 * M)
        elif result.startswith("resize"):
            assert (r.day(f"{name}.financial_close"), loan) == (0, 500 * M)
        else:
            assert (result, r.state(name), loan) == ("decline", "unguaranteed", 0)
        guarantor = site.cover.guarantor.id if site.cover is not None else None
        assert guarantor == {"t1": None, "t2": "g2", "t3": "g3", "t4": None, "t5": "g5"}[name]
    alone = {record.site: record.closes_without_guarantor for record in r.history.loans}
    assert alone == {"t1": True, "t2": False, "t3": False, "t5": False}


def test_l01_a_loan_cut_to_its_cap_is_declined_where_equity_does_not_cover_the_rest():
    r = run(case("l01", "no-equity"))
    assert (r.state("t3"), r.loan("t3")) == ("unfinanced", 0)
    assert (r.loan("t1"), r.loan("t2"), r.loan("t5")) == (700 * M, 700 * M, 700 * M)


# Interest while the site is built.


def test_p03_drawn_at_the_start_of_each_period():
    """100 x ((1.02^4 - 1) / 0.02) x 1.02; at the end of each, 100 x (1.02^4 - 1) / 0.02."""
    expected = CASES["P03"]["expected"]
    balance, interest = capitalised([100] * 4, 0.02, "start")
    assert balance == pytest.approx(expected["balance"], abs=1e-9)
    assert interest == pytest.approx(expected["idc"], abs=1e-9)
    assert capitalised([100] * 4, 0.02, "end") == pytest.approx((412.1608, 12.1608), abs=1e-9)


def test_the_account_draws_at_the_end_of_each_period():
    """All debt: 100 at the end of each quarter at 8 % a year is P04, 412.1608."""
    account = Account([Tranche(10**9, 0.08)], 10**9)
    for _ in range(4):
        account.settle(3.0, 100 * M)
    assert (account.drawn, account.interest) == (412_160_800, 12_160_800)


def test_p06_sources_and_uses():
    expected, r = CASES["P06"]["expected"], run(case("p06"))
    financing = r.world.sites["a"].financing
    account, tolerance = financing.project.account, CASES["P06"]["tol"] * M
    found = {
        "total_uses": account.spent,
        "loan": financing.loan,
        "equity": account.equity,
        "idc": account.interest,
        "commitment_fee": total(r, "commitment fee"),
        "upfront_fee": total(r, "upfront fee"),
        "final_balance": account.drawn,
    }
    assert found == {name: pytest.approx(value * M, abs=tolerance) for name, value in expected.items()}
    assert account.drawn == financing.loan == total(r, "loan draw")
    assert account.drawn + account.equity == account.spent == financing.uses
    assert (account.cure, account.cash) == (0, 0)
    assert list(paid(r, "construction").values()) == [50 * M] * 12
    assert paid(r, "loan draw")["2027-01"] == pytest.approx(0.7 * (8.783252 + 50 + 0.040989 + 0.360845) * M, abs=3)


WORKS = """
parties: {lab: {rating: A}, bank: {lending: {ltc: 0.5, rate: 0.12}}}
sites:
  a:
    lease: {rent: $150/kW-month}
    financing: {lenders: bank, cost: $3m/MW, cost_includes: works, equity: 0.5}
    construction: {activities: {building: {duration: 90}}}
"""


@pytest.mark.parametrize(
    ("text", "uses", "loan", "interest"),
    [  # 100 of works at the end of January, February and March, 1 % a month
        # 50.00 drawn bear 0.50 in February, 100.25 bear 1.0025 in March
        ("", 301.5025, 150.75125, 1.5025),
        # all of the loan L from the beginning: U = 300 + 3 x 0.01 L and L = U / 2, so U = 300 / 0.985
        ("parties: {bank: {lending: {drawn: at_close}}}", 304.568528, 152.284264, 4.568528),
        # half of all first: 200 - U / 2 are drawn in February, so U = 300 + 0.01 x (200 - U / 2) = 302 / 1.005
        ("sites: {a: {financing: {equity_first: true}}}", 300.497512, 150.248756, 0.497512),
        # 2 % of L at close: 0.02 L, then x 1.005 + 100 thrice: 301.5025 + 0.0203015025 L = U, and L = U / 2
        ("parties: {bank: {lending: {upfront_fee: 0.02}}}", 304.594362, 152.297181, 1.548418),
    ],
)
def test_works_with_interest_and_fees_on_top(text, uses, loan, interest):
    r = run(WORKS, *filter(None, [text]))
    financing = r.world.sites["a"].financing
    account = financing.project.account
    assert r.day("a.p1.ready_for_service") == 90  # 1 April
    assert financing.uses == pytest.approx(uses * M, abs=2)
    assert financing.loan == pytest.approx(loan * M, abs=2)
    assert r.loan("a") == account.drawn == pytest.approx(financing.loan, abs=1)
    assert (account.interest, account.works) == (pytest.approx(interest * M, abs=2), 300 * M)
    assert account.spent == account.drawn + account.equity == pytest.approx(financing.uses, abs=1)


def test_interest_and_fees_within_the_cost():
    """$3m/MW for everything: works are what they leave. w a month: w + (w + 0.005 w) + (w + 0.005 x 2.005 w) = 300."""
    r = run(WORKS, "sites: {a: {financing: {cost_includes: everything}}}")
    financing = r.world.sites["a"].financing
    account = financing.project.account
    assert (financing.uses, financing.loan, account.drawn) == (300 * M, 150 * M, 150 * M)
    assert account.works == pytest.approx(3 * 300 / 3.015025 * M, abs=3)
    assert account.works + account.interest == 300 * M
    assert set(paid(r, "construction").values()) <= {99_501_663, 99_501_662}


def test_cover_for_a_loan_on_top_of_works():
    """R is reckoned on the whole cost: 0.5 x 301.5025."""
    r = run(WORKS, """
    parties: {lab: {rating: BB}, g: {rating: AA, guarantee: {}}, bank: {lending: {min_rating: BBB-, closing: 30}}}
    sites: {a: {guarantee: {from: g}, construction: {activities: {building: {duration: 89}}}}}
    """)
    requested = next(iter(r.world.guarantors["g"].pool.holders)).amount
    assert requested == pytest.approx(150.75 * M, rel=2e-3)  # closing in 30 days, then 89 of building
    assert r.cap("a") == min(requested, r.loan("a"))


def test_a_loan_that_is_cut_has_less_interest_to_pay():
    """Capacity of 100: U = 300 + 0.01 x (100 x 100 / U + ...), found in a few rounds; equity brings the rest."""
    r = run(WORKS, "parties: {bank: {lending: {capacity: $100m}}}", "sites: {a: {financing: {equity: 0.7}}}")
    financing = r.world.sites["a"].financing
    account = financing.project.account
    assert (financing.loan, financing.binding, account.drawn) == (100 * M, "lenders", 100 * M)
    share = 100 / 300.998
    assert account.interest == pytest.approx((share * 100 + share * (200 + share)) * 0.01 * M, rel=1e-4)
    assert financing.uses == account.spent == 300 * M + account.interest


def test_several_lenders_each_on_its_own_rate():
    """bank lends 100 as spent at 12 %, bonds 50.0x at close at 6 %: 0.25 a month on the bonds from the first day."""
    r = run(WORKS, """
    parties:
      bank: {lending: {capacity: $100m}}
      bonds: {lending: {ltc: 0.5, rate: 0.06, drawn: at_close}}
    sites: {a: {financing: {lenders: [bank, bonds], cost_includes: everything}}}
    """)
    account = r.world.sites["a"].financing.project.account
    assert paid(r, "loan draw", payer="bonds") == {"2027-01": 50 * M}
    assert total(r, "loan draw", payer="bank") == 100 * M
    assert [paid(r, "interest", payee="bonds")[f"2027-0{month}"] for month in (1, 2, 3)] == [250_000] * 3
    assert account.drawn == 150 * M
    assert account.spent == 300 * M


# The arithmetic.

MONTHS = months_from(dt.date(2027, 1, 1))
dollars = st.integers(10**5, 10**10)
rates = st.floats(0, 0.3)


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(dollars, min_size=1, max_size=3),
    equity=st.integers(0, 10**10),
    rate=rates,
    fees=st.tuples(st.floats(0, 0.05), st.floats(0, 0.05)),
    at_close=st.booleans(),
    equity_first=st.booleans(),
    phases=st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 400), st.integers(0, 900)), min_size=1, max_size=3),
    income=st.integers(0, 10**7),
)
def test_sources_are_uses_whatever_is_planned(amounts, equity, rate, fees, at_close, equity_first, phases, income):
    """As planned, everything is spent, and the whole loan is drawn, to what rounding leaves."""
    uses = sum(amounts) + equity
    ends = [(kw, start * DAY, (start + days) * DAY) for kw, start, days in phases]
    plan = [PhasePlan(kw, begins, ready, ready, income) for kw, begins, ready in ends]

    def make():
        return Account([Tranche(amount, rate, *fees, at_close) for amount in amounts], uses, equity_first=equity_first)

    def spent(works):
        account = make()
        account.open()
        return planned(account, works, plan, MONTHS, 0).spent

    works = works_within(spent, uses)
    account = make()
    account.open()
    planned(account, works, plan, MONTHS, 0)
    if works:
        assert 0 <= uses - account.spent <= 100  # a dollar for each rounding
        assert 0 <= sum(amounts) - account.used <= 100
        assert account.cure == 0
    else:  # interest and fees alone cost as much
        assert account.spent >= uses - 100
    back = account.close()
    assert account.drawn == account.used
    assert account.cash == 0
    assert account.drawn + account.equity + account.cure == account.spent
    assert min(back) >= 0


@given(amount=st.integers(0, 10**12), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_parts_add_up(amount, weights):
    parts = in_proportion(amount, weights)
    assert sum(parts) == amount
    if sum(weights):
        assert all(abs(p - amount * w / sum(weights)) <= 1 + 1e-6 * amount for p, w in zip(parts, weights, strict=True))


def test_a_budget_is_spent_evenly_over_what_is_left():
    """100 over ten months; after two of them it will take two more: 80 over ten again, and the rest at the end."""
    budget = Budget(100, 0.0)
    assert [budget.spend(n, n + 1, 10) for n in range(2)] == [10, 10]
    assert [budget.spend(n, n + 1, 12) for n in range(2, 5)] == [8, 8, 8]
    assert budget.spend(5, 6, 6) == 56
    assert budget.spend(6, 7, 9) == 0


def test_a_month_is_one_whatever_its_days():
    """16 February 2027 is 15 of 28 days into the second month; the scale goes on beyond its end."""
    start, minute = MONTHS.place(0), MONTHS.place((31 + 15) * DAY)
    assert minute - start == pytest.approx(1 + 15 / 28)
    assert MONTHS.between(0, 365 * DAY) == 12
    assert MONTHS.place(10**9) > MONTHS.place(10**9 - 1) > 2000


def test_what_does_not_add_up_is_an_error():
    account = Account([Tranche(100, 0)], 200)
    account.settle(1.0, 50)
    account.equity += 1
    with pytest.raises(ModelError, match="sources of 51, uses of 50"):
        account.check()
