"""Racks on a vendor's or a lender's loan: draws at delivery, level months, loan to value, default.

A rack costs $2m and ten are ordered. Months begin on days 31, 59, 90, 120, 151, 181 of 2027; month 0 is January.
"""

import pytest
from helpers import Run, Runner, run, scenario
from test_hardware import BASE, DAY, M, at, defaults, paid, resumes, stake, stops

from dcsim.errors import ScenarioError
from dcsim.model.instalments import level_months, months_of, parts_of

NOTE = """
chips:
  orders:
    o:
      lead_time: 49
      deposit: 0
      paid_by: vendor
      vendor_finance: {advance: 0.8, rate: 0.12, term: 3 months}
"""
"""Ordered on day 10, delivered on day 59 (1 March): $16m lent, three level months at 1 % a month."""

ID = "vendor_finance:o:maker"


# Level months.


def test_level_months_by_hand():
    """$300 at 12 %: 1 % of 300, 201 and 101 is 3, 2.01 and 1.01; the payment is 102.0066, so 102."""
    assert level_months(300, 0.12, 3) == ([3, 2, 1], [99, 100, 101])
    assert level_months(300, 0.0, 3) == ([0, 0, 0], [100, 100, 100])


def test_level_months_down_to_a_rest():
    """1,000 at 12 % in two months down to 200: (1000 - 200/1.0201) x 0.01 / (1 - 1/1.0201) = 408.01."""
    assert level_months(1000, 0.12, 2, 200) == ([10, 6], [398, 402])


@pytest.mark.parametrize("amount", [1, 7, 999_999, 20 * M, 36_000 * M])
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("months", [1, 2, 60, 240])
@pytest.mark.parametrize("part", [0.0, 0.15, 1.0])
def test_level_months_repay_all_but_the_rest(amount, rate, months, part):
    rest = int(amount * part)
    interest, principal = level_months(amount, rate, months, rest)
    assert sum(principal) == amount - rest
    assert min(principal) >= 0
    assert len(interest) == len(principal) == months
    payments = [a + b for a, b in zip(interest, principal, strict=True)]
    growth = sum((1 + rate / 12) ** month for month in range(months))
    assert len(set(payments[:-1])) <= 1 + (amount < months)  # level, but for what is less than a dollar a month
    assert abs(payments[-1] - payments[0]) <= growth + 1  # half a dollar of rounding each month, with interest on it


def test_a_term_is_whole_months():
    assert [months_of(days) for days in (1, 45, 46, 365.25, 1826.25)] == [1, 1, 2, 12, 60]


def test_parts_lose_nothing():
    assert parts_of(101, [0.5, 1.0]) == [51, 50]
    assert parts_of(100, [1 / 3, 2 / 3, 1.0]) == [33, 34, 33]


# The loan.


def test_the_vendor_lends_a_share_at_delivery_and_is_paid_whole():
    """80 % of $20m. Both sides are entered: $16m from the maker to the lab, $20m back."""
    r = run(BASE, NOTE)
    assert paid(r, "vendor draw", "maker", "lab") == {2: 16 * M}
    assert paid(r, "chips", "lab", "maker") == {2: 20 * M}


def test_it_is_repaid_on_the_firsts_of_the_following_months():
    """16m at 1 %: payment 5,440,353.84. Interest 160,000; 107,196.46; 53,864.90. Drawn on a 1st: no interim."""
    r = run(BASE, NOTE)
    assert paid(r, "interest", "lab", "maker") == {3: 160_000, 4: 107_196, 5: 53_865}
    assert paid(r, "principal", "lab", "maker") == {3: 5_280_354, 4: 5_333_158, 5: 5_386_488}
    assert stake(r, ID, 58, 59, 89, 90, 120, 150, 151) == [
        0, 16 * M, 16 * M, 10_719_646, 5_386_488, 5_386_488, 0,
    ]  # fmt: skip
    contract = r.world.book.get(ID)
    assert (contract.source, contract.target, contract.amount) == ("lab", "maker", 16 * M)


def test_interest_runs_by_days_until_the_first_of_a_month():
    """Delivered on day 70: 20 days to 1 April at 12 % of $16m; the level months follow from 1 May."""
    r = run(BASE, NOTE, "chips: {orders: {o: {lead_time: 60}}}")
    assert paid(r, "interest") == {3: round(16 * M * 0.12 * 20 / 365.25), 4: 160_000, 5: 107_196, 6: 53_865}
    assert min(paid(r, "principal")) == 4


def test_a_deposit_leaves_less_to_lend():
    """30 % is paid at the order: of the 80 % only $14m are still to be paid."""
    r = run(BASE, NOTE, "chips: {orders: {o: {deposit: 0.3}}}")
    assert paid(r, "vendor draw") == {2: 14 * M}
    assert paid(r, "chips") == {2: 14 * M}


def test_a_lender_of_its_own():
    r = run(BASE, NOTE, "parties: {bank: {}}\nchips: {orders: {o: {vendor_finance: {lender: bank}}}}")
    assert paid(r, "vendor draw", "bank", "lab") == {2: 16 * M}
    assert sum(paid(r, "principal", "lab", "bank").values()) == 16 * M
    assert r.world.book.get("vendor_finance:o:bank").target == "bank"


def test_what_is_above_the_lenders_capacity_is_paid_in_cash():
    """Two deliveries of $10m on days 59 and 89: $8m each, of $12m."""
    r = run(BASE, NOTE, """
    chips: {orders: {o: {deliveries: {size: 5, every: 30}, vendor_finance: {capacity: $12m}}}}
    """)
    assert paid(r, "vendor draw") == {2: 8 * M}
    assert paid(r, "chips") == {2: 20 * M}
    r = run(BASE, NOTE, """
    chips: {orders: {o: {deliveries: {size: 5, every: 31}, vendor_finance: {capacity: $16m}}}}
    """)
    assert paid(r, "vendor draw") == {2: 8 * M, 3: 8 * M}


def test_draws_add_up():
    """Two draws of $8m on 1 March and 1 April."""
    r = run(BASE, NOTE, "chips: {orders: {o: {deliveries: {size: 5, every: 31}}}}")
    assert paid(r, "interest") == {3: 80_000, 4: 53_598 + 80_000, 5: 26_932 + 53_598, 6: 26_932}
    assert sum(paid(r, "principal").values()) == 16 * M
    assert stake(r, ID, 90) == [8 * M - 2_640_177 + 8 * M]


def test_a_lender_that_has_failed_lends_nothing():
    bank = "parties: {bank: {}}\nchips: {orders: {o: {vendor_finance: {lender: bank}}}}"
    r = at(30, lambda world: defaults(world, "bank"), NOTE, bank)
    assert paid(r, "vendor draw") == {}
    assert paid(r, "chips") == {2: 20 * M}


# Loan to value.


LTV = "chips: {products: {rack: {value_falls: 0.5}}, orders: {o: {vendor_finance: {ltv: 0.75, term: 24 months}}}}"


def test_no_more_is_lent_than_the_racks_carry():
    """75 % of $20m, not 80 %."""
    assert paid(run(BASE, NOTE, LTV), "vendor draw") == {2: 15 * M}


def test_what_is_above_loan_to_value_is_paid_down_on_the_first():
    """$15m over 24 months at 1 %: payment 706,102.08, so 14,443,898 are left on 1 April, 31 days after the draw.

    The racks are worth 20m x 0.5^(31/365.25) = 18,857,346; 75 % of that is 14,143,010: 300,888 are paid at once, and
    the rest is owed in 23 level months.
    """
    r = run(BASE, NOTE, LTV)
    scheduled = 706_102 - 150_000
    worth = round(20 * M * 0.5 ** (31 / 365.25))
    excess = 15 * M - scheduled - round(0.75 * worth)
    assert (worth, excess) == (18_857_346, 300_888)
    assert paid(r, "principal")[3] == scheduled + excess
    left = 15 * M - scheduled - excess
    assert stake(r, ID, 90) == [left]
    assert paid(r, "interest")[4] == round(left / 100)
    assert sum(paid(r, "principal").values()) == 15 * M
    assert r.history.ledger.pairs  # nothing is left at the end
    assert stake(r, ID, 1400) == [0]


def test_where_nothing_is_said_of_value_it_stays_as_security():
    """75 % of $20m is lent, and the balance only falls."""
    r = run(BASE, NOTE, LTV, "chips: {products: {rack: {value_falls: null}}}")
    assert paid(r, "principal")[3] == 706_102 - 150_000
    r = at(100, defaults, NOTE)
    assert paid(r, "chips sold") == {3: 10_719_646}


def test_the_limit_holds_on_every_first():
    r = run(BASE, NOTE, LTV)
    for day in (90, 120, 151, 181, 212, 243, 273):
        assert stake(r, ID, day)[0] <= 0.75 * 20 * M * 0.5 ** ((day - 59) / 365.25) + 1


def test_a_successor_takes_a_step_off_their_value():
    """Nothing falls until day 120, when the next product can be had and a fifth is lost: 75 % of $16m is $12m."""
    r = run(BASE, NOTE, LTV, """
    chips:
      products:
        rack: {value_falls: 0, value_falls_at_successor: 0.2}
        next: {supplier: maker, rack_power: 100 kW, rack_price: $3m, replaces: rack, available: day 100}
    """)
    payments = paid(r, "principal")
    assert payments[3] == 706_102 - 150_000
    left = 15 * M - payments[3]
    scheduled = 706_102 - round(left / 100)
    assert payments[4] == left - 12 * M
    assert payments[4] > scheduled
    assert stake(r, ID, 120) == [12 * M]


# The tenant fails.


def test_the_lender_takes_the_racks_back_and_claims_what_they_do_not_fetch():
    """Default on day 100, $10,719,646 owed. The racks have lost 60 % a year: 20m x 0.4^(41/365.25) = 18.05m fetch it.

    That is more than the balance; at 99.9 % a year they fetch 9.2m.
    """
    r = at(100, defaults, NOTE, "chips: {products: {rack: {value_falls: 0.6}}}")
    assert paid(r, "chips sold", "outside", "maker") == {3: 10_719_646}
    assert stake(r, ID, 99, 100, 1400) == [10_719_646, 0, 0]
    r = at(100, defaults, NOTE, "chips: {products: {rack: {value_falls: 0.999}}}")
    fetched = round(20 * M * 0.001 ** (41 / 365.25))
    assert paid(r, "chips sold") == {3: fetched}
    assert stake(r, ID, 100, 1400) == [10_719_646 - fetched] * 2
    assert paid(r, "principal") == {3: 5_280_354}


def test_racks_taken_back_leave_storage_at_once_and_halls_when_they_end():
    r = at(100, defaults, NOTE)
    assert r.mw("live", 1000) == 1  # the hall goes on with them
    world = Runner(BASE, NOTE, "chips: {orders: {o: {racks: 12}}}").world()
    world.clock.at(100 * DAY, lambda: defaults(world))
    world.clock.at(200 * DAY, lambda: world.sites["a"].end("terminated", "test"))
    r = Run(world.run(), world)
    racks = r.world.chips.racks["lab"]
    assert [r.mw("chips_on_hand", day) for day in (99, 100, 200)] == [0.2, 0, 0]
    assert [r.mw("live", day) for day in (199, 200)] == [1, 0]
    assert (racks.taken, racks.storage) == (12, 0)
    assert r.world.hardware.book_value("lab")[2] == 24 * M
    assert r.world.hardware.book_value("lab")[3] == 0


def test_a_tenant_that_stops_owes_what_it_owed_and_pays_it_when_it_resumes():
    """Stopped on day 100, again paying on day 130: what was due on 1 May (day 120) is paid on day 130."""
    world = Runner(BASE, NOTE).world()
    world.clock.at(100 * DAY, lambda: stops(world))
    world.clock.at(130 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert stake(r, ID, 100, 125, 130, 151) == [10_719_646, 10_719_646, 5_386_488, 0]
    assert paid(r, "interest") == {3: 160_000, 4: 107_196, 5: 53_865}
    assert paid(r, "principal") == {3: 5_280_354, 4: 5_333_158, 5: 5_386_488}


def test_default_after_a_stop_claims_what_was_not_paid():
    """Stopped on day 100, in default on day 130: of May's payment the interest is claimed besides the balance."""
    world = Runner(BASE, NOTE, "chips: {products: {rack: {value_falls: 0.9999}}}").world()
    world.clock.at(100 * DAY, lambda: stops(world))
    world.clock.at(130 * DAY, lambda: defaults(world))
    r = Run(world.run(), world)
    fetched = round(20 * M * 0.0001 ** (71 / 365.25))
    assert paid(r, "chips sold") == {4: fetched}
    assert stake(r, ID, 130) == [10_719_646 + 107_196 - fetched]


# Bad input.


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("{lender: makr}", "lender", "did you mean 'maker'?"),
        ("{lender: lab}", "lender", "'lab' would lend to itself"),
        ("{advance: 1.5}", "advance", "between 0 and 1"),
        ("{term: 0}", "term", ">= 1"),
        ("{ltv: 1.2}", "ltv", "between 0 and 1"),
        ("{value_falls: 0.3}", "value_falls", "value_falls"),
        ("{capacity: -3}", "capacity", ">= 0"),
    ],
)
def test_bad_input_is_refused_with_its_path(text, path, message):
    with pytest.raises(ScenarioError) as refused:
        scenario(BASE, NOTE, f"chips: {{orders: {{o: {{vendor_finance: {text}}}}}}}")
    problems = {p.path: p.message for p in refused.value.problems if p.severity == "error"}
    assert message in problems[f"chips.orders.o.vendor_finance.{path}"]
