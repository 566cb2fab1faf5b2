"""Rent that a project has counted, and that its tenant turns out at the end of the month not to have paid."""

from __future__ import annotations

from helpers import run
from money import M, paid, total
from test_project import ONE, project

# Bonds of 150 at 12 %: 1.5 a month from the start. p1 is ready at once and its rent of 5 pays that; p2 is built for 400
# days. With 12 the lab pays January and February; the rent of 1 March is missed, as is found out at the end of March.
TWO = """
horizon: 2027-06-30
parties: {bank: {lending: {drawn: at_close}}}
tenants: {lab: {treasury: {cash: $12m, default: {grace: 5, cure: 900}}}}
defaults: {site: {lease: {rent: $100/kW-month}}}
sites:
  a:
    phases:
      p1: {mw: 50, construction: {activities: {building: {duration: 0}}}}
      p2: {mw: 50, construction: {activities: {building: {duration: 400}}}}
"""


def balanced(r, site: str = "a") -> None:
    """The developer's money by the ledger, month after month, while it builds: what came in of loan, equity and the
    rent that paid interest is what went out and what is kept; nothing is paid with rent that nobody paid."""
    account = project(r, site).account
    paid_by_rent = total(r, "interest", "dev", "bank") - account.interest
    assert 0 <= paid_by_rent <= total(r, "rent", payee="dev")
    assert account.drawn + account.equity == account.works + account.interest + account.cash
    assert (total(r, "loan draw"), total(r, "equity")) == (account.drawn, account.equity)
    assert total(r, "construction") == account.works


def test_rent_of_a_month_in_which_it_is_missed_pays_no_interest():
    """The interest of January and February is paid by rent, that of March to June, 4 x 1.5, is part of the cost."""
    r = run(ONE, TWO)
    assert paid(r, "rent") == {"2027-01": 5 * M, "2027-02": 5 * M}
    assert set(paid(r, "interest", "dev", "bank").values()) == {1_500_000}
    assert project(r).account.interest == 6 * M
    balanced(r)


def test_what_was_settled_within_the_month_is_corrected_at_its_end():
    """A third phase gets ready on 2027-03-15 (day 73): what is settled then has counted the rent of March, and 14 of 31
    days of its interest. At the end of the month that is part of the cost too: 6 again."""
    third = """
    sites:
      a:
        phases:
          p3: {mw: 1, construction: {activities: {building: {duration: 73}}}}
          p2: {mw: 49}
    """
    r = run(ONE, TWO, third)
    assert r.day("a.p3.ready_for_service") == 73
    assert project(r).account.interest == 6 * M
    balanced(r)


def test_arrears_that_are_paid_at_the_end_of_a_month_are_kept_in_reserve():
    """A round of 8 in April: 10 are there at its end and pay March and April. Of the 10 the interest of April, May and
    June is paid, and 5.5 are left; that of March, 1.5, is part of the cost. Of May and June nothing is paid."""
    r = run(ONE, TWO, "tenants: {lab: {treasury: {rounds: {date: 2027-04-20, amount: $8m}}}}")
    assert paid(r, "rent")["2027-04"] == 10 * M
    assert (project(r).reserve, project(r).account.interest) == (5_500_000, 1_500_000)
    balanced(r)


def test_the_reserve_of_a_built_site_keeps_what_was_paid():
    """Built by April, rent of 15 a month. Of April's 15 the lab has 12; a round of 20 in May pays April and May at its
    end; June is missed again. In stress since the end of April: 30 less the debt service of May and June is left.
    """
    text = """
    horizon: 2027-06-30
    tenants: {lab: {treasury: {cash: $12m, default: {grace: 5, cure: 900},
                               rounds: {date: 2027-05-20, amount: $20m}}}}
    """
    r = run(ONE, text)
    assert paid(r, "rent") == {"2027-05": 30 * M}
    service = [paid(r, kind, "dev", "bank") for kind in ("interest", "principal")]
    spent = sum(part.get(month, 0) for part in service for month in ("2027-05", "2027-06"))
    assert spent > 0
    assert project(r).reserve == 30 * M - spent


def test_in_stress_the_reserve_gives_back_what_was_counted_within_the_month():
    """As in the first case, but the arrears of March and April are paid in April, and 5 more for May: the rent of June
    is missed, after a third phase got ready on 2027-06-15 (day 165). In reserve: 10 + 5 less three times 1.5 = 10.5.
    """
    text = """
    tenants: {lab: {treasury: {rounds: {date: 2027-04-20, amount: $13m}}}}
    sites:
      a:
        phases:
          p3: {mw: 1, construction: {activities: {building: {duration: 165}}}}
          p2: {mw: 49}
    """
    r = run(ONE, TWO, text)
    assert paid(r, "rent")["2027-05"] == 5 * M
    assert "2027-06" not in paid(r, "rent")
    assert (project(r).reserve, project(r).account.interest) == (10_500_000, 1_500_000)
    balanced(r)
