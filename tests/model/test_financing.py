"""The developer's loan: its size, who lends it, the equity test, closing, trying again, the deadline."""

import pytest
from helpers import Run, Runner, run

from dcsim.engine.clock import Stage
from dcsim.scenario.sizing import debt_capacity

# 100 MW at $10m a MW: $1bn. The tenant needs no guarantor.
ONE = """
parties:
  lab: {rating: A}
  bank: {lending: {ltc: 0.8, closing: 60}}
defaults:
  site:
    financing: {lenders: bank, cost: $10m/MW, equity: 0.2}
"""
M = 1_000_000


def test_without_financing_a_lease_is_a_close():
    r = run("sites: {a: {negotiation: {duration: 45}}}")
    assert r.day("a.financial_close") == 45
    assert r.loan("a") == 0


# When it closes.


def test_underwriting_starts_with_the_negotiation():
    shorter = run(ONE, "sites: {a: {negotiation: {duration: 45}}}")
    assert shorter.day("a.financial_close") == 60
    assert shorter.links("a")[0] == ("financing", 60)
    longer = run(ONE, "sites: {a: {negotiation: {duration: 75}}}")
    assert longer.day("a.financial_close") == 75
    assert longer.links("a")[0] == ("negotiation", 75)
    tie = run(ONE, "sites: {a: {negotiation: {duration: 60}}}")
    assert tie.links("a")[0] == ("negotiation", 60)


def test_underwriting_after_the_lease_with_an_offset():
    r = run(ONE, "sites: {a: {negotiation: {duration: 45}, financing: {after: lease_signed, delay: 5}}}")
    assert r.day("a.financial_close") == 110
    assert r.links("a")[:3] == [("negotiation", 45), ("financing", 5), ("financing", 60)]


def test_no_financing_before_the_approval_and_no_longer_once_the_site_is_lost():
    r = run(ONE, "sites: {a: {negotiation: {duration: 45, fail: 1}}}")
    assert (r.state("a"), r.ended("a"), r.trail("a")) == ("lost", 45, {"negotiation": 45})
    assert r.loan("a") == 0


def test_a_waiting_loan_waits_for_the_lease():
    r = run(ONE, "sites: {a: {negotiation: {duration: 5000}}}")
    assert r.trail("a") == {"negotiation": 1461}


# How large it is.


def test_loan_to_cost():
    r = run(ONE, "sites: {a: {}}")
    assert (r.loan("a"), r.world.sites["a"].financing.binding) == (800 * M, "ltc")
    assert r.outcome("loans_usd_m") == 800


def test_sculpted_debt_of_a_growing_rent():
    """Level: 100 / 1.3 x (1 - 1.07^-10) / 0.07; growing by 3 %: 100 / (0.07 - 0.03) x (1 - (1.03 / 1.07)^10) / 1.3."""
    assert debt_capacity(100, 0, 0, 10, 0.07, 1.3) == pytest.approx(540.2755031487, abs=1e-9)
    assert debt_capacity(100, 0, 0.03, 10, 0.07, 1.3) == pytest.approx(609.2712689849, abs=1e-9)
    assert debt_capacity(130, 30, 0.03, 10, 0.07, 1.3) == pytest.approx(609.2712689849, abs=1e-9)
    assert debt_capacity(100, 0, 0, 10, 0, 1.25) == pytest.approx(800)
    assert debt_capacity(100, 120, 0, 10, 0.07, 1.3) == 0


DSCR = """
parties: {bank: {lending: {dscr: 1.3, rate: 0.07}}}
defaults: {site: {lease: {rent: $100/kW-month, term: 10 years}, financing: {equity: 1}}}
"""


@pytest.mark.parametrize(
    ("site", "millions"),
    [  # rent is $120m a year
        ("", 648.3306037784),  # 1.2 x 540.2755...
        ("lease: {escalator: 0.03}", 731.1255227819),  # 1.2 x 609.2712689849
        ("financing: {landlord_cost: $0.2m/MW-year}", 540.2755031487),  # 120 - 20
        ("financing: {sizing: {over: 5 years}}", 378.4797173),  # 120 / 1.3 x 4.100197436
        ("lease: {rent: $150/kW-month}", 800),  # 972, so the cost binds
    ],
)
def test_cash_flow_sizes_the_loan(site, millions):
    r = run(ONE, DSCR, f"sites: {{a: {{{site}}}}}")
    assert r.loan("a") == pytest.approx(millions * M, abs=100)
    assert r.world.sites["a"].financing.binding == ("ltc" if millions == 800 else "dscr")


def test_cover_for_a_loan_that_cash_flow_sizes_is_no_larger():
    """R = cap-to-loan x min(LTC x cost, DSCR size); half up, while the loan goes down to the dollar."""
    r = run(ONE, DSCR, """
    parties: {lab: {rating: BB}, g: {rating: AA, guarantee: {}}, bank: {lending: {min_rating: BBB-, cap_to_loan: 0.9}}}
    sites: {a: {guarantee: {from: g}, negotiation: {duration: 90}}}
    """)
    requested = next(c for c in r.world.guarantors["g"].pool.holders)
    assert requested.amount == 583_497_543  # 0.9 x 648,330,603.78 = 583,497,543.40
    assert r.loan("a") == 648_330_603
    assert r.cap("a") == 583_497_543  # 0.9 x 648,330,603 = 583,497,542.7


# Who lends it.


def test_lenders_are_tried_in_the_order_listed():
    r = run(ONE, """
    parties:
      bank: {lending: {capacity: $300m}}
      next: {lending: {ltc: 0.8, capacity: $450m}}
      last: {lending: {ltc: 0.8}}
    sites: {a: {financing: {lenders: [bank, next, last]}}, b: {like: a}}
    """)
    assert [r.loan("a", lender) for lender in ("bank", "next", "last")] == [300 * M, 450 * M, 50 * M]
    assert [r.loan("b", lender) for lender in ("bank", "next", "last")] == [0, 0, 800 * M]


def test_a_loan_is_cut_to_what_the_lenders_have_left():
    text = """
    parties: {bank: {lending: {capacity: $700m}}}
    sites: {a: {financing: {equity: %s}}}
    """
    r = run(ONE, text % 0.3)
    assert (r.loan("a"), r.world.sites["a"].financing.binding) == (700 * M, "lenders")
    assert r.state("a") == "pending"
    short = run(ONE, text % 0.299)
    assert (short.state("a"), short.day("a.ended"), short.loan("a")) == ("unfinanced", 60, 0)


def test_what_the_first_can_carry_alone_is_on_its_terms_alone():
    r = run(ONE, """
    parties: {strict: {lending: {ltc: 0.5, cap_to_loan: 2, closing: 200}}}
    sites: {a: {financing: {lenders: [bank, strict]}}}
    """)
    assert (r.loan("a", "bank"), r.day("a.financial_close")) == (800 * M, 60)


def test_several_lend_on_the_terms_of_the_strictest_and_the_longest_closing():
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $100m}}, strict: {lending: {ltc: 0.7, closing: 90}}}
    sites: {a: {financing: {lenders: [bank, strict], equity: 0.3}}}
    """)
    assert (r.loan("a", "bank"), r.loan("a", "strict")) == (100 * M, 600 * M)
    assert r.day("a.financial_close") == 90


def test_a_second_lender_is_left_out_where_its_terms_would_lower_the_loan():
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $750m}}, strict: {lending: {ltc: 0.7}}}
    sites: {a: {financing: {lenders: [bank, strict], equity: 0.3}}}
    """)
    assert (r.loan("a", "bank"), r.loan("a", "strict")) == (750 * M, 0)


def test_capacity_per_tenant():
    r = run(ONE, """
    parties: {rival: {rating: A}, bank: {lending: {capacity: $2bn, per_tenant: $900m}}}
    tenants: {rival: {}}
    defaults: {site: {financing: {equity: 0.95}}}
    sites: {a: {}, b: {}, c: {tenant: rival}, d: {tenant: rival}}
    """)
    assert [r.loan(s) / M for s in "abcd"] == [800, 100, 800, 100]
    total = run(ONE, """
    parties: {rival: {rating: A}, bank: {lending: {capacity: $1.5bn, per_tenant: $900m}}}
    tenants: {rival: {}}
    defaults: {site: {financing: {equity: 1}}}
    sites: {a: {}, b: {}, c: {tenant: rival}, d: {tenant: rival}}
    """)
    assert [total.loan(s) / M for s in "abcd"] == [800, 100, 600, 0]


def test_capacity_per_guarantor():
    """Loans behind g are 900 in all, those behind h have their own 900; those without a guarantor none of either."""
    r = run(ONE, """
    parties:
      lab: {rating: BB}
      solid: {rating: A}
      g: {rating: A, guarantee: {}}
      h: {rating: A, guarantee: {}}
      bank: {lending: {min_rating: BBB, per_guarantor: $900m}}
    tenants: {solid: {}}
    defaults: {site: {guarantee: {from: g}, financing: {equity: 0.95}}}
    sites: {a: {}, b: {}, c: {guarantee: {from: h}}, d: {tenant: solid}, e: {tenant: solid}}
    """)
    assert [r.loan(s) / M for s in "abcde"] == [800, 100, 800, 800, 800]


def test_a_rating_test_at_close():
    """picky asks for AA; the tenant is A: with several lenders the highest counts, and nobody guarantees."""
    r = run(ONE, "parties: {picky: {lending: {min_rating: AA}}}", "sites: {a: {financing: {lenders: [picky, bank]}}}")
    assert r.state("a") == "unguaranteed"


def test_a_lender_that_takes_no_part():
    text = """
    parties: {fund: {lending: {ltc: 0.9, takes_part: 0.35}}}
    sites: {a: {financing: {lenders: [fund, bank]}}}
    """
    r = run(ONE, text, luck={"parties.fund.lending.takes_part": 0.34})
    assert (r.loan("a", "fund"), r.day("a.financial_close")) == (900 * M, 0)
    r = run(ONE, text, luck={"parties.fund.lending.takes_part": 0.36})
    assert (r.loan("a", "bank"), r.day("a.financial_close")) == (800 * M, 60)


def test_nobody_lends():
    text = "parties: {bank: {lending: {takes_part: 0}}}\nsites: {a: {financing: {equity: %s}}}"
    assert run(ONE, text % 1).day("a.financial_close") == 0
    assert run(ONE, text % 0.999).state("a") == "unfinanced"


def test_the_opening_loan_uses_capacity():
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $1bn}}}
    sites:
      old: {initial: {lease_signed: 2026-05-01, financial_close: 2026-08-01, loan: $700m}}
      a: {financing: {equity: 0.7}}
      b: {financing: {equity: 0.9}}
    """)
    assert [r.loan(s) / M for s in ("old", "a", "b")] == [700, 300, 0]
    assert r.state("b") == "unfinanced"


# Sites that close in the same minute.


def test_those_who_ask_in_the_same_minute_come_in_file_order():
    """b's underwriting began first and is the longer one: both end on day 60, and a stands first in the file."""
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $800m, closing: {discrete: {10: 1, 60: 1}}}}}
    sites: {a: {diligence: {x: {duration: 50}}}, b: {}}
    """, luck={"sites.a|parties.bank.lending.closing": 0.1, "sites.b|parties.bank.lending.closing": 0.9})
    assert (r.state("a"), r.day("a.financial_close")) == ("pending", 60)
    assert (r.state("b"), r.day("b.ended")) == ("unfinanced", 60)


def test_two_tenants_compete_for_one_lender():
    r = run(ONE, """
    parties: {rival: {rating: A}, bank: {lending: {capacity: $800m}}}
    tenants: {rival: {}}
    sites: {a: {negotiation: {duration: 61}}, b: {tenant: rival}}
    """)
    assert (r.state("a"), r.state("b")) == ("unfinanced", "pending")


# Trying again.

RETRY = """
parties: {bank: {lending: {capacity: $800m}}}
defaults: {site: {financing: {retry: {every: 45, until: 200}}}}
"""


def test_tried_again_until_the_deadline():
    """a has all there is. b closes nothing on days 60, 105, 150, 195, and lapses 200 days after its lease."""
    r = run(ONE, RETRY, "sites: {a: {}, b: {negotiation: {duration: 30}}}")
    assert (r.state("b"), r.day("b.ended")) == ("unfinanced", 230)
    assert [e[0] / 1440 for e in r.history.events if e[1] == "loan refused"] == [60, 105, 150, 195]
    assert r.links("b") == [("financing", days) for days in (60, 45, 45, 45, 35)]
    assert r.mw("leased", 229) == 200
    assert r.mw("leased", 230) == 100


def test_without_retry_the_first_refusal_is_the_end():
    r = run(ONE, "parties: {bank: {lending: {capacity: 0}}}", "sites: {a: {}}")
    assert (r.state("a"), r.day("a.ended")) == ("unfinanced", 0)  # nobody to underwrite
    r = run(ONE, "sites: {a: {financing: {equity: 0.1}}}")
    assert (r.state("a"), r.day("a.ended"), r.trail("a")) == ("unfinanced", 60, {"financing": 60})


def test_an_attempt_in_the_minute_of_the_deadline_counts():
    text = "sites: {a: {financing: {equity: %s, retry: {every: 45, until: %s}}}}"
    assert run(ONE, text % (0.2, 60)).day("a.financial_close") == 60
    assert run(ONE, text % (0.2, 59)).day("a.ended") == 59
    failing = run(ONE, text % (0.1, 105))
    assert (failing.day("a.ended"), sum(e[1] == "loan refused" for e in failing.history.events)) == (105, 2)


def test_the_deadline_counts_from_the_lease():
    loan = "financing: {after: lease_signed, retry: {every: 9, until: 50}}"
    r = run(ONE, f"sites: {{a: {{negotiation: {{duration: 45}}, {loan}}}}}")
    assert (r.state("a"), r.day("a.ended")) == ("unfinanced", 95)
    assert r.trail("a") == {"negotiation": 45, "financing": 50}
    before = run(ONE, """
    sites: {a: {initial: {lease_signed: day -40}, financing: {after: lease_signed, retry: {every: 9, until: 90}}}}
    """)
    assert (before.state("a"), before.day("a.ended")) == ("unfinanced", 50)  # underwriting began on day 0


def test_no_deadline_after_the_close():
    r = run(ONE, RETRY, "sites: {a: {construction: {activities: {x: {duration: 400}}}}}")
    assert r.day("a.p1.ready_for_service") == 460


def test_intervals_between_attempts_have_draws_of_their_own():
    r = run(ONE, "sites: {a: {financing: {equity: 0.1, retry: {every: {uniform: {low: 10, high: 90}}, until: 900}}}}")
    waits = [days for cause, days in r.links("a")][1:-1]
    assert len(waits) > 5
    assert len(set(waits)) == len(waits)


# What a lapse gives back.


def test_a_lapse_gives_the_site_to_another_tenant_and_its_money_to_another_site():
    """Lender and guarantor serve one site. a lapses on day 100; b has the guarantee that minute, and then the loan."""
    r = run("""
    parties:
      rival: {rating: BB}
      g: {rating: A, guarantee: {limit: $800m, approval: {delay: 10}}}
      bank: {lending: {min_rating: BBB, ltc: 0.8, capacity: $800m, closing: 30}}
    tenants: {rival: {}}
    defaults:
      site: {guarantee: {from: g}, financing: {lenders: bank, cost: $10m/MW, equity: 0.2, retry: {every: 7, until: 90}}}
    sites:
      a: {financing: {equity: 0}}
      b: {tenant: rival, loi: {signed: {after: a.unfinanced}}}
      c: {tenant: rival, diligence: {x: {duration: 1}}, negotiation: {duration: 300, fail: 1}}
    """)
    assert (r.state("a"), r.day("a.ended")) == ("unfinanced", 100)
    assert r.day("c.guarantee_signed") == 110  # it had queued since day 1
    assert (r.day("b.loi_signed"), r.day("b.guarantee_signed")) == (100, 311)
    assert (r.day("b.financial_close"), r.loan("b", "bank")) == (311, 800 * M)
    assert r.trail("b")["guarantee"] == 211


def test_a_site_that_ends_gives_back_its_cover_at_once_and_its_loan_when_it_has_defaulted():
    """a has all of both from day 30 on, until something ends it on day 70; then b has them.

    The cover is free in that minute. The loan was drawn, and nothing comes in that would serve it: it is in default at
    the end of March, day 90, and nothing of it is lost. b has asked on days 80 and 87, and closes on day 94.
    """
    runner = Runner("""
    parties:
      g: {rating: A, guarantee: {limit: $800m, approval: {delay: 10}}}
      bank: {lending: {min_rating: BBB, ltc: 0.8, capacity: $800m, closing: 30}}
    defaults:
      site: {guarantee: {from: g}, financing: {lenders: bank, cost: $10m/MW, equity: 0.2, retry: {every: 7, until: 90}}}
    sites: {a: {}, b: {}}
    """)
    world = runner.world()
    world.clock.at(70 * 1440, lambda: world.sites["a"].end("terminated", "test"))
    r = Run(world.run(), world)
    assert (r.state("a"), r.day("a.financial_close"), r.day("a.ended")) == ("terminated", 30, 70)
    assert (r.day("b.guarantee_signed"), r.day("b.financial_close"), r.loan("b")) == (80, 94, 800 * M)
    assert world.guarantors["g"].pool.in_use == 800 * M
    assert r.mw("leased", 70) == r.mw("closed", 93) == 0


def test_what_was_not_drawn_comes_back_in_the_minute_in_which_the_site_ends():
    """Nothing has been spent yet on day 30, in the minute of a's close; b asks in the minute after."""
    runner = Runner(ONE, """
    parties: {bank: {lending: {capacity: $800m, closing: 30}}}
    defaults: {site: {financing: {retry: {every: 7, until: 90}}, construction: {activities: {build: {duration: 400}}}}}
    sites: {a: {}, b: {}}
    """)
    world = runner.world()
    world.clock.stage_at(30 * 1440, Stage.DEADLINE, lambda: world.sites["a"].end("terminated", "test"))
    r = Run(world.run(), world)
    assert (r.day("a.ended"), r.day("b.financial_close"), r.loan("b")) == (30, 37, 800 * M)


def test_a_later_attempt_finds_what_has_come_back():
    """The same without guarantees: b is turned down on days 30, 37, ... 86; on day 93 the bank has money again."""
    runner = Runner(ONE, """
    parties: {bank: {lending: {capacity: $800m, closing: 30}}}
    defaults: {site: {financing: {retry: {every: 7, until: 120}}}}
    sites: {a: {}, b: {}}
    """)
    world = runner.world()
    world.clock.at(70 * 1440, lambda: world.sites["a"].end("terminated", "test"))
    r = Run(world.run(), world)
    assert (r.day("b.lease_signed"), r.day("b.financial_close"), r.loan("b")) == (0, 93, 800 * M)
    assert r.trail("b")["financing"] == 93


def test_closing_times_are_drawn_by_each_site():
    text = """
    parties: {bank: {lending: {closing: {exponential: {mean: 60}}}}}
    sites: {a: {}, b: {}}
    """
    r = run(ONE, text)
    assert r.day("a.financial_close") != r.day("b.financial_close")
