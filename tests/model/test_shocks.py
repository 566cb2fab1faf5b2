"""Portfolio shocks: letters die in blocks."""

from collections import Counter
from math import exp, sqrt

import pytest
from helpers import Runner, run

TWELVE = f"""
defaults: {{site: {{negotiation: {{duration: 400}}}}}}
sites: {{{", ".join(f"s{i}: {{}}" for i in range(12))}}}
"""


def test_a_dated_shock_cancels_every_unsigned_letter_with_a_chance():
    text = "shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: %s}}"
    r = run(TWELVE, text % 1)
    assert {p.state for p in r.history.phases} == {"lost"}
    assert {r.day(f"s{i}.ended") for i in range(12)} == {100}
    assert r.trail("s0") == {"negotiation": 100}
    assert {p.state for p in run(TWELVE, text % 0).history.phases} == {"pending"}
    half = run(TWELVE, text % 0.5, luck={"shocks.pull-back.s3": 0.51, "shocks.pull-back.s4": 0.49})
    assert (half.state("s3"), half.state("s4")) == ("lost", "pending")


def test_signed_leases_and_letters_to_come_are_spared():
    r = run("""
    shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: 1}}
    sites:
      leased: {negotiation: {duration: 99}}
      in-that-minute: {negotiation: {duration: 100}}
      talking: {negotiation: {duration: 101}}
      examined: {diligence: {x: {duration: 300}}}
      later: {loi: day 101}
    """)
    assert {s: r.state(s) for s in ("leased", "in-that-minute", "talking", "examined", "later")} == {
        "leased": "pending", "in-that-minute": "pending", "talking": "lost", "examined": "lost", "later": "pending",
    }  # fmt: skip
    assert r.day("in-that-minute.lease_signed") == 100  # what completes in the minute comes first


def test_a_shock_precedes_the_hand_outs_of_its_minute():
    """a gives the team back on day 100; b, next in the queue, dies in that minute, so c has it."""
    r = run("""
    tenants: {lab: {teams: {deal: 1}}}
    shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: 0.5}}
    sites:
      a: {negotiation: {duration: 100, team: deal}}
      b: {negotiation: {duration: 10, team: deal}}
      c: {negotiation: {duration: 10, team: deal}}
    """, luck={"shocks.pull-back.b": 0.9, "shocks.pull-back.c": 0.1})
    assert (r.state("b"), r.trail("b")) == ("lost", {"team": 100})
    assert r.day("c.lease_signed") == 110


def test_what_a_shock_frees_is_handed_out_in_its_minute():
    r = run("""
    tenants: {lab: {teams: {deal: 1}}}
    shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: 0.5}}
    sites:
      a: {negotiation: {duration: 300, team: deal}}
      b: {negotiation: {duration: 10, team: deal}}
    """, luck={"shocks.pull-back.a": 0.9, "shocks.pull-back.b": 0.1})
    assert r.day("b.lease_signed") == 110


def test_one_tenants_letters_alone():
    r = run("""
    parties: {rival: {}}
    tenants: {rival: {}}
    shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: 1, tenant: rival}}
    sites: {a: {negotiation: {duration: 300}}, b: {like: a, tenant: rival}}
    """)
    assert (r.state("a"), r.state("b")) == ("pending", "lost")


def test_a_lost_letter_may_be_taken_by_another():
    r = run("""
    parties: {rival: {}}
    tenants: {rival: {}}
    shocks: {pull-back: {when: 2027-04-11, cancel: unsigned_letters, chance_each: 1, tenant: lab}}
    sites: {a: {negotiation: {duration: 300}}, b: {like: a, tenant: rival, loi: {signed: {after: a.lost, delay: 10}}}}
    """)
    assert r.day("b.lease_signed") == 410


def test_a_shock_in_the_past_has_happened():
    text = "shocks: {pull-back: {when: 2026-12-01, cancel: unsigned_letters, chance_each: 1}}"
    assert run(TWELVE, text).state("s0") == "pending"
    assert run(TWELVE, text.replace("2026-12-01", "2027-01-01")).ended("s0") == 0


def test_never_and_a_rate_of_nothing():
    for when in ("never", 0):
        text = f"shocks: {{pull-back: {{when: {when}, cancel: unsigned_letters, chance_each: 1}}}}"
        assert run(TWELVE, text).state("s0") == "pending"


def test_letters_die_in_blocks():
    """Each survives a year with a chance of exp(-0.4), but all twelve go together."""
    text = TWELVE.replace("duration: 400", "duration: 365.25")
    runner = Runner(text, "shocks: {pull-back: {when: 0.4/year, cancel: unsigned_letters, chance_each: 1}}")
    lost = Counter(sum(p.state == "lost" for p in runner.run(r, trace=False).history.phases) for r in range(1000))
    assert lost.keys() == {0, 12}
    p = exp(-0.4)
    assert abs(lost[0] / 1000 - p) < 4.5 * sqrt(p * (1 - p) / 1000)


def test_shocks_come_at_their_rate():
    """With a chance of nothing each, the events are a Poisson process: 0.8 a year over four years."""
    text = "shocks: {pull-back: {when: 0.8/year, cancel: unsigned_letters, chance_each: 0}}"
    runner = Runner("sites: {a: {}}", text)
    counts = [sum(e[1] == "shock" for e in runner.run(r).history.events) for r in range(1000)]
    mean = 0.8 * 1461 / 365.25
    assert abs(sum(counts) / 1000 - mean) < 4.5 * sqrt(mean / 1000)
    assert abs(counts.count(0) / 1000 - exp(-mean)) < 4.5 * sqrt(exp(-mean) / 1000)


def test_each_letter_and_each_strike_has_a_draw_of_its_own():
    runner = Runner(TWELVE, "shocks: {pull-back: {when: 6/year, cancel: unsigned_letters, chance_each: 0.3}}")
    ends = [runner.run(0).day(f"s{i}.ended") for i in range(12)]
    assert len({end for end in ends if end is not None}) > 2


def test_a_high_uniform_strikes_sooner():
    """As with any gate: struck within a year at u >= exp(-rate)."""
    text = "shocks: {pull-back: {when: 1/year, cancel: unsigned_letters, chance_each: 1}}"
    days = [run(TWELVE, text, luck={"shocks.pull-back.gap": u}).ended("s0") for u in (0.9, 0.6, 0.4)]
    assert days == sorted(days)
    assert days[1] == pytest.approx(0.510826 * 365.25, abs=1e-2)


def test_the_plan_has_no_random_shocks():
    from dcsim.model.world import simulate_plan

    runner = Runner(TWELVE, "shocks: {pull-back: {when: 12/year, cancel: unsigned_letters, chance_each: 1}}")
    assert {p.state for p in simulate_plan(runner.blueprint).phases} == {"pending"}
