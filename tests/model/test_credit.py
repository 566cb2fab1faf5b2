"""Guarantees: who must have one, the strict queue for headroom, approval, patience, frameworks, caps."""

import pytest
from helpers import run

from dcsim.errors import ScenarioError
from dcsim.scenario.fields import RATINGS

# 100 MW at $10m a MW and a loan of at most 80 % of it: every site asks for R = $800m unless it says otherwise.
ONE = """
parties:
  g: {rating: AA, guarantee: {limit: $1bn, approval: {delay: 20}}}
  bank: {lending: {min_rating: BBB-, ltc: 0.8, cap_to_loan: 1.0, closing: 60}}
defaults:
  site:
    guarantee: {from: g}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.2}
"""
SERIES = "defaults: {site: {financing: {after: lease_signed}}}"
M = 1_000_000


def test_headroom_then_approval_then_lease():
    r = run(ONE, "sites: {a: {}}")
    assert (r.day("a.guarantee_signed"), r.day("a.lease_signed")) == (20, 20)
    assert r.cap("a") == 800 * M
    assert r.world.guarantors["g"].pool.in_use == 800 * M
    assert r.links("a")[0] == ("financing", 60)  # underwriting began with the negotiation and took longest
    in_series = run(ONE, SERIES, "sites: {a: {}}")
    assert in_series.links("a")[:2] == [("guarantee", 20), ("financing", 60)]


def test_headroom_is_reserved_first_and_then_approval_time_runs():
    """b is refused no headroom while a is being approved; it waits for a's refusal, and only then is it approved."""
    r = run(ONE, SERIES, "parties: {g: {guarantee: {approval: {chance: 0.9}}}}", "sites: {a: {}, b: {}}",
            luck={"sites.a.guarantee.g": 0.91, "sites.b.guarantee.g": 0.1})  # fmt: skip
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 20)
    assert r.day("b.guarantee_signed") == 40
    assert r.links("b")[:2] == [("guarantee", 20), ("guarantee", 20)]


def test_approval_may_start_after_the_negotiation():
    r = run(ONE, "sites: {a: {negotiation: {duration: 45}, guarantee: {after: negotiated, delay: 3}}}")
    assert r.day("a.guarantee_signed") == 68
    assert r.links("a")[:3] == [("negotiation", 45), ("guarantee", 3), ("guarantee", 20)]


# Who needs one.


@pytest.mark.parametrize(
    ("tenant", "guarantor", "cap", "result"),
    [  # a lender that asks for BBB-, a loan of 700
        ("A-", None, None, "close"),
        ("B+", "AA+", 800, "close"),
        ("B+", "AA+", 500, "resize"),
        ("B+", "BB+", 900, "refused"),
        (None, "AA+", 700, "close"),
        (None, None, None, "refused"),
        ("BBB-", "D", 0, "close"),
    ],
)
def test_the_obligor_test_of_a_lender(tenant, guarantor, cap, result):
    text = f"""
    parties:
      lab: {{rating: {tenant or "null"}}}
      g: {{rating: {guarantor or "null"}, guarantee: {{max_cap: {cap or 0}}}}}
      bank: {{lending: {{min_rating: BBB-}}}}
    sites:
      a: {{phases: [70 MW], guarantee: {{from: g}}, financing: {{lenders: bank, cost: $10m/MW, equity: 0.5}}}}
    """
    if result == "refused":
        with pytest.raises(ScenarioError, match="no request can ever be granted"):
            run(text)
        return
    r = run(text)
    assert r.day("a.financial_close") == 0
    assert r.loan("a") == (500 if result == "resize" else 700) * M


def test_a_guarantor_whose_rating_has_fallen_is_passed_over():
    """g falls to BB+ on day 5; on day 10 the site asks g, which will not do, and nobody else is listed."""
    r = run(ONE, """
    shocks: {fall: {when: 2027-01-06, downgrade: g, to: BB+}}
    sites: {a: {diligence: {x: {duration: 10}}}}
    """)
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 10)


def test_every_rating_against_every_floor():
    """Of two ratings on the scale the tenant's suffices if it is not below the lender's."""
    for i, rating in enumerate(RATINGS[::3]):
        for j, floor in enumerate(RATINGS[:-1:3]):
            r = run(f"""
            parties: {{lab: {{rating: {rating}}}, bank: {{lending: {{min_rating: {floor}}}}}}}
            sites: {{a: {{financing: {{lenders: bank, cost: $10m/MW}}}}}}
            """)
            assert r.state("a") == ("pending" if i <= j else "unguaranteed"), (rating, floor)


def test_no_floor_asks_nothing():
    r = run(ONE, "parties: {bank: {lending: {min_rating: null}}, lab: {rating: null}}", "sites: {a: {}}")
    assert r.day("a.guarantee_signed") is None
    assert r.day("a.financial_close") == 60


def test_with_several_lenders_the_highest_rating_and_ratio_count():
    """bank asks for BBB- and 1.0 of its loan, strict for A+ and 1.2: g (A) is not enough, h (AA) covers 1.2 x 800."""
    r = run(ONE, """
    parties:
      g: {rating: A}
      h: {rating: AA, guarantee: {}}
      bank: {lending: {capacity: $300m}}
      strict: {lending: {min_rating: A+, ltc: 0.8, cap_to_loan: 1.2, closing: 60}}
    sites: {a: {guarantee: {from: [g, h]}, financing: {lenders: [bank, strict]}}}
    """)
    assert r.world.sites["a"].cover.guarantor.id == "h"
    assert r.world.sites["a"].cover.amount == r.cap("a") == 960 * M
    assert (r.loan("a", "bank"), r.loan("a", "strict")) == (300 * M, 500 * M)


def test_a_lender_that_takes_no_part_asks_for_nothing():
    r = run(ONE, """
    parties: {strict: {lending: {min_rating: AAA, cap_to_loan: 2, takes_part: 0.5}}}
    sites: {a: {financing: {lenders: [strict, bank]}}}
    """, luck={"parties.strict.lending.takes_part": 0.51})
    assert r.day("a.financial_close") == 60
    assert r.cap("a") == 800 * M


# The queue.


def test_the_head_of_the_queue_blocks():
    """Limit 1,000: a has 800. b wants 800, c wants 100 and would fit, but stands behind b."""
    r = run(ONE, """
    sites:
      a: {}
      b: {diligence: {x: {duration: 1}}, guarantee: {patience: 50}}
      c: {phases: [12.5 MW], diligence: {x: {duration: 2}}}
    """)
    assert r.day("a.guarantee_signed") == 20
    assert (r.state("b"), r.day("b.ended")) == ("unguaranteed", 51)
    assert r.day("c.guarantee_signed") == 71  # the head is gone, headroom is there in that minute
    assert r.trail("c")["guarantee"] == 69


def test_the_queue_is_by_priority_then_minute_joined_then_declaration():
    """The framework is signed on day 100; the limit fits one at a time, and each is refused after its 20 days."""
    r = run(ONE, """
    parties: {g: {guarantee: {framework: {signed: day 100}, approval: {chance: 0}}}}
    sites:
      d: {diligence: {x: {duration: 7}}}
      c: {diligence: {x: {duration: 7}}}
      b: {diligence: {x: {duration: 5}}}
      a: {diligence: {x: {duration: 9}}, guarantee: {priority: -1}}
    """)
    assert {s: r.day(f"{s}.ended") for s in "abcd"} == {"a": 120, "b": 140, "d": 160, "c": 180}


def test_limit_sixty_thirty_twenty():
    """A limit of 100: 60 and 30 are granted; 20 waits until the 60 are given back on day 5."""
    r = run("""
    parties: {g: {rating: AA, guarantee: {limit: 100}}, bank: {lending: {min_rating: BBB-}}}
    defaults: {site: {guarantee: {from: g}, financing: {lenders: bank, cost: $1m/MW}}}
    sites:
      p1: {phases: [60 MW], loi: {signed: day 1, exclusivity: 4}, negotiation: {duration: 30}}
      p2: {phases: [30 MW], loi: day 2}
      p3: {phases: [20 MW], loi: day 3}
    """)
    assert [r.day(f"{p}.guarantee_signed") for p in ("p1", "p2", "p3")] == [1, 2, 5]
    assert r.day("p1.ended") == 5


def test_a_request_above_the_whole_limit_is_refused_at_once():
    r = run(ONE, "sites: {a: {phases: [126 MW]}, b: {phases: [125 MW]}}")  # 1,008 and 1,000
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 0)
    assert r.day("b.guarantee_signed") == 20


def test_a_limit_of_nothing():
    r = run(ONE, "parties: {g: {guarantee: {limit: 0}}}", "sites: {a: {}}")
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 0)


def test_without_a_limit_nobody_waits():
    r = run(ONE, "parties: {g: {guarantee: {limit: null}}}", "sites: {a: {}, b: {}, c: {phases: [10 GW]}}")
    assert [r.day(f"{s}.guarantee_signed") for s in "abc"] == [20, 20, 20]


def test_two_tenants_compete_for_one_guarantor():
    r = run(ONE, """
    parties: {rival: {rating: B}}
    tenants: {rival: {}}
    sites:
      a: {tenant: rival, diligence: {x: {duration: 2}}}
      b: {diligence: {x: {duration: 1}}, negotiation: {duration: 90, fail: 1}}
    """)
    assert r.day("b.guarantee_signed") == 21
    assert (r.day("b.ended"), r.day("a.guarantee_signed")) == (91, 111)
    assert r.world.guarantors["g"].pool.in_use == 800 * M


# The next guarantor.

TWO = """
parties: {h: {rating: A, guarantee: {limit: $1bn, approval: {delay: 30}}}}
sites: {a: {guarantee: {from: [g, h]}}}
"""


def test_a_refusal_releases_and_turns_to_the_next_in_that_minute():
    r = run(ONE, TWO, SERIES, "parties: {g: {guarantee: {approval: {chance: 0}}}}")
    assert r.day("a.guarantee_signed") == 50
    assert r.links("a")[:2] == [("guarantee", 20), ("guarantee", 30)]
    assert r.world.guarantors["g"].pool.in_use == 0


@pytest.mark.parametrize(
    "why",
    [
        "limit: $799m",
        "framework: {signed: day 0, chance: 0}",
        "limit: 0",
    ],
)
def test_whoever_cannot_grant_is_passed_over_in_that_minute(why):
    assert run(ONE, TWO, f"parties: {{g: {{guarantee: {{{why}}}}}}}").day("a.guarantee_signed") == 30


def test_a_guarantor_rated_too_low_is_passed_over():
    assert run(ONE, TWO, "parties: {g: {rating: BB+}}").day("a.guarantee_signed") == 30
    assert run(ONE, TWO, "parties: {g: {rating: null}}").day("a.guarantee_signed") == 30
    assert run(ONE, TWO, "parties: {g: {rating: BBB-}}").day("a.guarantee_signed") == 20


def test_a_queue_does_not_drive_to_the_next():
    """g has no headroom now, though it may have some later: that is queueing, not a refusal."""
    r = run(ONE, TWO, "sites: {b: {diligence: {x: {duration: 1}}, guarantee: {from: [g, h]}}}")
    assert r.day("b.guarantee_signed") is None
    assert (r.state("b"), r.trail("b")["guarantee"]) == ("pending", 1460)


def test_nobody_left():
    r = run(ONE, TWO, "parties: {g: {guarantee: {approval: {chance: 0}}}, h: {guarantee: {approval: {chance: 0}}}}")
    assert (r.state("a"), r.day("a.ended"), r.trail("a")) == ("unguaranteed", 50, {"guarantee": 50})
    assert r.world.guarantors["h"].pool.in_use == 0


def test_approvals_have_draws_of_their_own():
    """One delay, declared at the guarantor: aleatory, so each request draws its own."""
    r = run(ONE, "parties: {g: {guarantee: {limit: null, approval: {delay: {exponential: {mean: 30}}}}}}",
            "sites: {a: {}, b: {}}")  # fmt: skip
    assert r.day("a.guarantee_signed") != r.day("b.guarantee_signed")
    known = "parties: {g: {guarantee: {approval: {delay: {exponential: {mean: 30}, kind: epistemic}}}}}"
    r = run(ONE, "parties: {g: {guarantee: {limit: null}}}", known, "sites: {a: {}, b: {}}")
    assert r.day("a.guarantee_signed") == r.day("b.guarantee_signed")


# Frameworks.


def framework(signed, chance=1, *more, luck=None):
    terms = f"parties: {{g: {{guarantee: {{framework: {{signed: {signed}, chance: {chance}}}}}}}}}"
    return run(ONE, TWO, terms, *more, luck=luck)


def test_no_request_is_granted_before_the_framework_is_signed():
    r = framework("day 100")
    assert r.day("a.guarantee_signed") == 120
    assert r.links("a")[:2] == [("guarantee", 100), ("guarantee", 20)]
    assert framework("2027-04-11").day("a.guarantee_signed") == 120
    assert framework("day -5").day("a.guarantee_signed") == 20


def test_if_the_framework_fails_sites_turn_to_the_next_in_that_minute():
    r = framework("day 100", 0.7, luck={"parties.g.guarantee.framework": 0.71})
    assert r.links("a")[:2] == [("guarantee", 100), ("guarantee", 30)]
    assert r.day("a.guarantee_signed") == 130
    assert framework("day 100", 0.7, luck={"parties.g.guarantee.framework": 0.69}).day("a.guarantee_signed") == 120


def test_who_asks_after_a_failed_framework_is_passed_over():
    r = framework("day 5", 0, "sites: {a: {diligence: {x: {duration: 10}}}}")
    assert r.day("a.guarantee_signed") == 40


def test_a_framework_that_is_never_signed_is_waited_for():
    r = framework("2040-01-01")
    assert (r.state("a"), r.trail("a")) == ("pending", {"guarantee": 1461})


# Patience.


def test_patience_strikes_only_while_queueing():
    """Patience is 30 days: the approval that began on day 20 is not struck on day 30."""
    r = framework("day 20", 1, "sites: {a: {guarantee: {patience: 30}}}")
    assert r.day("a.guarantee_signed") == 40


def test_patience_strikes_the_queue():
    r = framework("day 100", 1, "sites: {a: {guarantee: {patience: 30}, negotiation: {duration: 500}}}")
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 30)
    assert r.trail("a") == {"negotiation": 30}  # of the two under way the one declared first


def test_headroom_in_the_minute_in_which_patience_ends_is_granted():
    assert framework("day 30", 1, "sites: {a: {guarantee: {patience: 30}}}").day("a.guarantee_signed") == 50


def test_patience_runs_from_the_first_request_over_all_guarantors():
    """g's framework fails on day 20, h's comes on day 40: 30 days from the first request are over on day 30."""
    text = "parties: {h: {guarantee: {framework: {signed: day 40}}}}\nsites: {a: {guarantee: {patience: 30}}}"
    r = framework("day 20", 0, text)
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 30)
    assert r.links("a") == [("guarantee", 20), ("guarantee", 10)]


def test_who_must_queue_anew_after_patience_ended_is_struck_in_that_minute():
    """Refused by g on day 20, after its patience of 10 days: h has headroom at once, or else it is over."""
    refused = "parties: {g: {guarantee: {approval: {chance: 0}}}}\nsites: {a: {guarantee: {patience: 10}}}"
    assert run(ONE, TWO, refused).day("a.guarantee_signed") == 50
    late = run(ONE, TWO, refused, "parties: {h: {guarantee: {framework: {signed: day 21}}}}")
    assert (late.state("a"), late.day("a.ended")) == ("unguaranteed", 20)


def test_all_whose_patience_ends_in_a_minute_are_struck_together():
    """b's end would make room for c, whose patience ends in the same minute; d, behind them, has it."""
    r = run(ONE, """
    sites:
      a: {phases: [50 MW]}
      b: {guarantee: {patience: 30}}
      c: {phases: [75 MW], guarantee: {patience: 30}}
      d: {phases: [75 MW]}
    """)
    assert [r.state(s) for s in "abcd"] == ["pending", "unguaranteed", "unguaranteed", "pending"]
    assert r.day("d.guarantee_signed") == 50


# Caps.


def test_the_cap_is_cut_at_close_and_the_rest_is_free_in_that_minute():
    """Two lenders of 0.8 and 0.6 of the cost: R is 800, the loan 600 by the stricter; 200 are free on day 60."""
    r = run(ONE, """
    parties:
      bank: {lending: {capacity: $100m}}
      other: {lending: {ltc: 0.6, closing: 60, min_rating: BBB-}}
    sites:
      a: {financing: {lenders: [bank, other], equity: 0.4}}
      b: {phases: [50 MW], diligence: {x: {duration: 1}}}
    """)
    assert (r.loan("a"), r.cap("a")) == (600 * M, 600 * M)
    assert r.day("a.financial_close") == 60
    assert r.day("b.guarantee_signed") == 80  # 400 of the 400 that are free


def test_a_cap_below_what_is_required_binds_the_loan():
    text = "parties: {g: {guarantee: {max_cap: $400m}}, bank: {lending: {cap_to_loan: 0.8}}}"
    r = run(ONE, text, "sites: {a: {financing: {equity: 0.5}}}")
    assert (r.loan("a"), r.cap("a")) == (500 * M, 400 * M)
    assert r.world.sites["a"].financing.binding == "cover"
    short = run(ONE, text, "sites: {a: {financing: {equity: 0.49}}}")
    assert (short.state("a"), short.day("a.ended")) == ("unfinanced", 60)


def test_ratio_times_loan():
    r = run(ONE, "parties: {bank: {lending: {cap_to_loan: 0.75}}}", "sites: {a: {}}")
    assert (r.cap("a"), r.loan("a")) == (600 * M, 800 * M)


def test_cap_and_request_round_half_up_and_the_loan_down_to_the_dollar():
    """Cost $3,333,335 (0.5 MW): 0.7 of it is 2,333,334.5; R is half up, the loan down, the cap follows the loan."""
    r = run(ONE, """
    parties: {bank: {lending: {ltc: 0.7}}}
    sites:
      a: {phases: [0.5 MW], financing: {cost: $6.66667m/MW, equity: 0.3}, negotiation: {duration: 100}}
    """)
    assert r.world.sites["a"].cost == 3_333_335
    assert r.loan("a") == 2_333_334
    assert r.cap("a") == 2_333_334
    open_site = run(ONE, """
    parties: {bank: {lending: {ltc: 0.7}}}
    sites:
      a: {phases: [0.5 MW], financing: {cost: $6.66667m/MW, equity: 0.3}, negotiation: {duration: 2000}}
    """)
    assert open_site.cap("a") == 2_333_335


def test_whole_products_stay_whole():
    """0.57 x 1.1bn is 627m, though not as floating-point numbers; the equity covers exactly the rest."""
    for ltc in (0.57, 0.58, 0.29, 0.07, 0.7, 0.83):
        r = run(ONE, f"""
        parties: {{bank: {{lending: {{ltc: {ltc}}}}}}}
        sites: {{a: {{phases: [110 MW], financing: {{equity: {round(1 - ltc, 2)}}}}}}}
        """)
        assert r.loan("a") == round(ltc * 100) * 11 * M, ltc


# Opening cover.

OPENING = """
sites:
  old:
    initial: {guarantee_signed: 2026-05-01, lease_signed: 2026-05-01, financial_close: 2026-08-01, guarantor: g,
              cap: %s, loan: $600m}
  a: {phases: [50 MW]}
"""


def test_opening_cover_uses_the_limit():
    assert run(ONE, OPENING % "$600m").day("a.guarantee_signed") == 20  # 400 are left, and asked for
    r = run(ONE, OPENING % "$601m")
    assert (r.state("a"), r.trail("a")) == ("pending", {"guarantee": 1461})


def test_a_limit_below_what_is_used_refuses_new_requests_only():
    r = run(ONE, OPENING % "$1100m", "sites: {a: {guarantee: {patience: 30}}}")
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 0)
    assert r.cap("old") == 1100 * M
    assert r.state("old") == "pending"


def test_opening_cover_does_not_wait_for_the_framework():
    r = run(ONE, OPENING % "$600m", "parties: {g: {guarantee: {framework: {signed: day 50, chance: 0}}}}")
    assert r.cap("old") == 600 * M
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 50)


# What comes back.


def test_a_lapsed_lease_returns_its_guarantee_in_that_minute():
    """a is leased on day 20, finds no loan, and lapses 100 days later; b, behind it, is approved from then on."""
    r = run(ONE, """
    sites:
      a: {financing: {equity: 0.1, retry: {every: 30, until: 100}}}
      b: {diligence: {x: {duration: 1}}}
    """)
    assert (r.state("a"), r.day("a.ended")) == ("unfinanced", 120)
    assert r.day("b.guarantee_signed") == 140
    assert r.mw("leased", 119) == 100
    assert r.mw("leased", 120) == 0


def test_the_deadline_strikes_all_before_anything_is_handed_out():
    """b's patience ends in the minute in which a lapses: they are struck together, c has the headroom."""
    r = run(ONE, """
    sites:
      a: {financing: {equity: 0.1, retry: {every: 30, until: 100}}}
      b: {guarantee: {patience: 120}}
      c: {diligence: {x: {duration: 1}}}
    """)
    assert [r.state(s) for s in "abc"] == ["unfinanced", "unguaranteed", "pending"]
    assert r.day("c.guarantee_signed") == 140


def test_a_site_lost_amid_approval_returns_its_reservation():
    r = run(ONE, """
    sites:
      a: {loi: {signed: day 0, exclusivity: 10}}
      b: {diligence: {x: {duration: 1}}}
    """)
    assert (r.state("a"), r.trail("a")) == ("lost", {"guarantee": 10})
    assert r.day("b.guarantee_signed") == 30
