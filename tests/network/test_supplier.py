"""A supplier's two numbers on hand-made payments."""

from __future__ import annotations

import math

import pytest

from dcsim.network.snapshot import PartyState, Standing
from dcsim.network.supplier import FINANCING, NO_SALES, RETURNS, suppliers

from .handmade import payments, snapshot

MAKER = PartyState("maker", ("supplier",), group="maker")
ARM = PartyState("arm", ("lender",), group="maker")
FUND = PartyState("fund", ("fund",))
LAB = PartyState("lab", ("tenant",))
CLOUD = PartyState("cloud", ("cloud",))


def maker(*paid, contracts=(), parties=(MAKER, ARM, FUND, LAB)):
    kept = snapshot(Standing("loi", "l", "lab", "fund"), *contracts, parties=parties, phases=(), paid=payments(*paid))
    return suppliers(kept)[0]


def test_closed_loop():
    """The maker puts 100 in a fund, which lends them to the lab, which buys racks for 100: all of it its own money."""
    found = maker(("maker", "fund", "equity", 100), ("fund", "lab", "loan draw", 100), ("lab", "maker", "chips", 100))
    assert (found.sales, found.cash_funded, found.credit_supported, found.lent) == (100, 1, 0, 100)
    assert found.group == ("maker", "arm")


def test_pro_rata_through_a_fund():
    """50 of the fund's 200 are the maker's, so 20 of the 80 that it lends; the lab adds 40 and buys for 120: 20/120."""
    found = maker(
        ("maker", "fund", "equity", 50),
        ("outside", "fund", "equity", 150),
        ("fund", "lab", "loan draw", 80),
        ("outside", "lab", "revenue", 40),
        ("lab", "maker", "chips", 120),
    )
    assert found.cash_funded == pytest.approx(20 / 120)
    assert found.sold_to == (("lab", 120.0, pytest.approx(1 / 6), 0.0),)


def test_the_group_is_one():
    """What another firm of the group lends is the group's money, and what it sells is no sale of anybody else."""
    found = maker(
        ("arm", "lab", "loan draw", 60), ("outside", "lab", "revenue", 60), ("lab", "maker", "chips", 80),
        ("lab", "arm", "interest", 5), ("maker", "arm", "dividend", 9),
    )  # fmt: skip
    assert (found.sales, found.lent) == (80, 60)
    assert found.cash_funded == 0.5


def test_what_it_pays_in_the_ordinary_course_is_clean():
    """The maker pays the fund a fee of 100 for a service: that is not its financing."""
    found = maker(("maker", "fund", "operating cost", 100), ("fund", "lab", "loan draw", 100),
                  ("lab", "maker", "chips", 100))  # fmt: skip
    assert (found.cash_funded, found.lent) == (0, 0)


def test_credit_supported():
    """The fund lends the lab 80 of others' money because the maker guarantees the loan, and the lab has 20: 0.8."""
    loan = Standing("loan", "loan:x", "lab", "fund", amount=80, size=80)
    paid = (("outside", "fund", "equity", 80), ("fund", "lab", "loan draw", 80), ("outside", "lab", "revenue", 20),
            ("lab", "maker", "chips", 100))  # fmt: skip
    assert maker(*paid, contracts=(loan,)).credit_supported == 0
    guarantee = Standing("guarantee", "g", "maker", "fund", amount=80, covers="loan:x")
    assert maker(*paid, contracts=(loan, guarantee)).credit_supported == pytest.approx(0.8)
    support = Standing("residual_value_guarantee", "g", "arm", "fund", amount=80, covers="loan:x")
    assert maker(*paid, contracts=(loan, support)).credit_supported == pytest.approx(0.8)
    # A vehicle draws 90 from outside and buys for 100; the maker stands behind 60 of the 80 still owed on the lease.
    spv = PartyState("spv", ("vehicle",))
    lease = Standing("hardware_lease", "h", "lab", "spv", amount=80)
    behind = Standing("residual_value_guarantee", "r", "maker", "spv", amount=60, covers="h")
    drawn = (
        ("outside", "spv", "vehicle funding", 90),
        ("outside", "spv", "revenue", 10),
        ("spv", "maker", "chips", 100),
    )
    found = maker(*drawn, contracts=(lease, behind), parties=(MAKER, LAB, FUND, spv))
    assert found.credit_supported == pytest.approx(0.9 * 0.75)
    others = Standing("residual_value_guarantee", "r", "fund", "spv", amount=60, covers="h")
    assert maker(*drawn, contracts=(lease, others), parties=(MAKER, LAB, FUND, spv)).credit_supported == 0
    named = Standing("loan", "loan:x", "lab", "fund", amount=80, size=80, guarantor="maker")
    assert maker(*paid, contracts=(named,)).credit_supported == pytest.approx(0.8)
    # Of 31 + 5 only the senior 31 are supported: by size 31/36 of every draw.
    both = (Standing("loan", "a", "lab", "fund", size=31), Standing("loan", "b", "lab", "fund", size=5),
            Standing("residual_value_guarantee", "g", "maker", "fund", covers="a"))  # fmt: skip
    assert maker(*paid, contracts=both).credit_supported == pytest.approx(0.8 * 31 / 36)


def test_the_two_numbers_do_not_overlap():
    """Half of the fund's money is the maker's: of its guaranteed loan half is cash-funded, half credit-supported."""
    found = maker(
        ("maker", "fund", "equity", 50), ("outside", "fund", "equity", 50), ("fund", "lab", "loan draw", 100),
        ("lab", "maker", "chips", 100),
        contracts=(Standing("loan", "a", "lab", "fund", size=100, guarantor="maker"),),
    )  # fmt: skip
    assert (found.cash_funded, found.credit_supported) == (pytest.approx(0.5), pytest.approx(0.5))


def test_money_at_the_start():
    """A lab that is followed had 60 at the start (it has 40, after receipts of 30 and spending of 50): 30 of 90."""
    followed = PartyState("lab", ("tenant",), cash=40)
    found = maker(("maker", "lab", "equity", 30), ("lab", "maker", "chips", 50), parties=(MAKER, followed, FUND))
    assert found.cash_funded == pytest.approx(30 / 90)
    # One that is not must have had what it spent beyond its receipts: 20, so 30 of 50.
    found = maker(("maker", "lab", "equity", 30), ("lab", "maker", "chips", 50), parties=(MAKER, LAB, FUND))
    assert found.cash_funded == pytest.approx(30 / 50)


def test_what_is_paid_back_is_left_out():
    """A vehicle draws 20 of the maker and 80 of others, buys for 100, and passes rent of 500 on to its funders: the
    rent bought no racks, so 20 of the 100 are the maker's. A vehicle that keeps 100 of the rent has 200 to spend."""
    spv = PartyState("spv", ("vehicle",))
    drawn = (("maker", "spv", "vehicle funding", 20), ("outside", "spv", "vehicle funding", 80),
             ("spv", "maker", "chips", 100), ("lab", "spv", "hardware lease", 500))  # fmt: skip
    all_back = (("spv", "outside", "vehicle return", 400), ("spv", "maker", "vehicle return", 100))
    parties = (MAKER, LAB, FUND, spv)
    assert maker(*drawn, *all_back, parties=parties).cash_funded == pytest.approx(0.2)
    some_back = (("spv", "outside", "vehicle return", 400),)
    assert maker(*drawn, *some_back, parties=parties).cash_funded == pytest.approx(0.1)
    # Nor does interest that the lab pays on its loan count as something that it buys with.
    found = maker(("maker", "lab", "loan draw", 60), ("outside", "lab", "revenue", 60), ("lab", "maker", "chips", 100),
                  ("lab", "maker", "interest", 20), parties=parties)  # fmt: skip
    assert (found.sales, found.cash_funded) == (100, 0.5)


def test_nothing_sold():
    found = maker(("maker", "lab", "equity", 30))
    assert found.sales == 0
    assert math.isnan(found.cash_funded)
    assert math.isnan(found.credit_supported)


def test_every_seller_once():
    """A group is looked at once, whichever of its members comes first; clouds sell too."""
    kept = snapshot(Standing("loi", "l", "lab", "fund"), parties=(CLOUD, ARM, MAKER, FUND, LAB), phases=())
    assert [(s.supplier, s.group) for s in suppliers(kept)] == [("cloud", ("cloud",)), ("maker", ("maker", "arm"))]
    both = snapshot(
        Standing("loi", "l", "lab", "web"), parties=(PartyState("web", ("cloud",), group="maker"), MAKER, LAB)
    )
    assert [(s.supplier, s.group) for s in suppliers(both)] == [("web", ("web", "maker"))]


def test_no_kind_is_two_things():
    assert not FINANCING & RETURNS
    assert not (FINANCING | RETURNS) & NO_SALES
