"""Committees and boards: what is heard when, rankings, targets, budgets, holding."""

import pytest
from helpers import run

BANK = "parties: {bank: {lending: {}}}"
EVERY_30 = "tenants: {lab: {decision: {committee: {every: 30, from: day 0}}}}"


def ready(**days):
    """Sites that pass diligence on these days."""
    return "sites:\n" + "".join(f"  {id}: {{diligence: {{x: {{duration: {day}}}}}}}\n" for id, day in days.items())


def test_without_a_committee_a_site_is_decided_when_it_is_ready():
    r = run(ready(a=17))
    assert r.day("a.approved") == 17


def test_ready_at_or_before_the_minute_of_a_meeting_is_heard_at_it():
    r = run(EVERY_30, ready(a=59, b=60, c=61))
    assert [r.day(f"{s}.approved") for s in "abc"] == [60, 60, 90]
    assert r.trail("a") == {"diligence": 59, "committee": 1, "chips": 1401}
    assert "committee" not in r.trail("b")


def test_the_first_meeting_and_the_calendar_from_it():
    later = "tenants: {lab: {decision: {committee: {every: 30, from: 2027-02-15}}}}"  # day 45
    r = run(later, ready(a=1, b=45, c=46))
    assert [r.day(f"{s}.approved") for s in "abc"] == [45, 45, 75]
    since_long = "tenants: {lab: {decision: {committee: {every: 30, from: 2026-12-22}}}}"  # day -10
    assert run(since_long, ready(a=1)).day("a.approved") == 20


def test_a_meeting_hears_what_a_team_finishes_in_its_minute():
    """Three pieces of ten days by one expert end on day 30, the day of the meeting."""
    r = run(EVERY_30, """
    tenants: {lab: {teams: {experts: 1}}}
    sites: {a: {diligence: {x: {duration: 10, team: experts}, y: {duration: 10, team: experts}, z: {duration: 10,
      team: experts}}}}
    """)
    assert r.day("a.approved") == 30


def test_committees_stop_at_the_horizon():
    r = run(EVERY_30, ready(a=1455))
    assert r.state("a") == "pending"
    assert r.trail("a") == {"diligence": 1455, "committee": 6}


def test_each_tenant_has_its_own():
    r = run(EVERY_30, """
    parties: {rival: {}}
    tenants: {rival: {decision: {committee: {every: 7, from: day 0}}}}
    sites: {a: {diligence: {x: {duration: 31}}}, b: {like: a, tenant: rival}}
    """)
    assert (r.day("a.approved"), r.day("b.approved")) == (60, 35)


def test_policy_none_shelves_everything():
    r = run(EVERY_30, ready(a=17), "tenants: {lab: {decision: {policy: none}}}")
    assert (r.state("a"), r.ended("a")) == ("shelved", 30)
    assert r.trail("a") == {"diligence": 17, "committee": 13}
    assert r.mw("loi", 30) == 0


# Ranking.

RANKED = """
tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: {rank_by: score, %s}}}}
defaults: {site: {financing: {lenders: bank, cost: $10m/MW}, diligence: {x: {duration: 10}}}}
parties: {bank: {lending: {}}}
sites:
  a: {score: 1, phases: [100 MW]}
  b: {score: 3, phases: [60 MW, 60 MW]}
  c: {score: 2, phases: [50 MW, 70 MW]}
"""


def taken(r):
    return {f"{p.site}.{p.phase}" for p in r.history.phases if p.state != "shelved"}


@pytest.mark.parametrize(
    ("until", "converted"),
    [
        ("60 MW", {"b.p1"}),
        ("61 MW", {"b.p1", "b.p2"}),  # overshoots
        ("120 MW", {"b.p1", "b.p2"}),
        ("121 MW", {"b.p1", "b.p2", "c.p1"}),
        ("1 GW", {"a.p1", "b.p1", "b.p2", "c.p1", "c.p2"}),
    ],
)
def test_down_the_ranking_phases_in_file_order_until_the_target(until, converted):
    r = run(RANKED % f"until: {until}")
    assert taken(r) == converted
    assert r.mw("leased", 30) == sum(p.mw for p in r.history.phases if p.state != "shelved")


@pytest.mark.parametrize(
    ("budget", "converted"),
    [
        ("$600m", {"b.p1"}),
        ("$1100m", {"b.p1", "c.p1"}),  # b.p2 does not fit any more, c.p1 does
        ("$1199m", {"b.p1", "c.p1"}),
        ("$1200m", {"b.p1", "b.p2"}),
        ("$1300m", {"b.p1", "b.p2"}),  # nothing else fits into the rest
        ("$1700m", {"b.p1", "b.p2", "c.p1"}),
    ],
)
def test_a_budget_is_never_exceeded(budget, converted):
    assert taken(run(RANKED % f"budget: {budget}")) == converted


def test_target_and_budget_are_whole_numbers():
    """0.7 + 0.1 MW are 0.8 MW, though not as floating-point numbers."""
    text = """
    tenants: {lab: {decision: {policy: {rank_by: score, until: 0.8 MW}, committee: {every: 30, from: day 0}}}}
    sites: {a: {score: 3, phases: [0.7 MW]}, b: {score: 2, phases: [0.1 MW]}, c: {score: 1, phases: [0.1 MW]}}
    """
    assert taken(run(text)) == {"a.p1", "b.p1"}
    loans = "MW], financing: {lenders: bank, cost: $1m/MW}"
    text = text.replace("until: 0.8 MW", "budget: $0.8m").replace("MW]", loans)
    assert taken(run(BANK, text)) == {"a.p1", "b.p1"}


def test_target_and_budget_count_what_was_taken_before_and_still_stands():
    """On day 30 a is taken. On day 60 b is heard: a is gone if its negotiation failed, else nothing more is wanted."""
    text = """
    tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: {rank_by: score, %s}}}}
    defaults: {site: {financing: {lenders: bank, cost: $10m/MW}}}
    sites:
      a: {diligence: {x: {duration: 30}}, negotiation: {duration: 10, fail: %s}}
      b: {diligence: {x: {duration: 60}}}
    """
    for rule in ("until: 100 MW", "budget: $1bn"):
        assert run(BANK, text % (rule, 0)).state("b") == "shelved"
        assert run(BANK, text % (rule, 1)).state("b") == "pending"


def test_a_lease_of_the_opening_position_is_contracted():
    r = run("""
    tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: {rank_by: score, until: 100 MW}}}}
    sites: {old: {initial: {lease_signed: 2026-06-01}}, new: {diligence: {x: {duration: 10}}}}
    """)
    assert r.state("new") == "shelved"


def test_ties_are_in_the_order_in_which_sites_got_ready_then_of_the_file():
    text = """
    tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: {rank_by: score, until: 100 MW}}}}
    sites: {a: {diligence: {x: {duration: %s}}}, b: {diligence: {x: {duration: %s}}}}
    """
    assert taken(run(text % (10, 10))) == {"a.p1"}
    assert taken(run(text % (11, 10))) == {"b.p1"}
    same_day = text.replace("{x: {duration: %s}}}, b", "{w: {duration: 4}, x: {after: w, duration: %s}}}, b")
    assert taken(run(same_day % (6, 10))) == {"a.p1"}


def test_rank_by_cost_per_mw():
    r = run(BANK, """
    tenants: {lab: {decision: {policy: {rank_by: cost_per_mw, until: 100 MW}, committee: {every: 30, from: day 1}}}}
    sites:
      dear: {financing: {lenders: bank, cost: $11m/MW}}
      cheap: {financing: {lenders: bank, cost: $10m/MW}}
    """)
    assert taken(r) == {"cheap.p1"}


def test_rank_by_date_to_power_is_a_forecast_of_the_remaining_plan_at_medians():
    """Power comes 300 days after the lease: negotiation is longer at a, grid at b, and b's law has a median of 250."""
    r = run("""
    tenants: {lab: {decision: {policy: {rank_by: date_to_power, until: 100 MW}, committee: {every: 30, from: day 1}}}}
    sites:
      a: {negotiation: {duration: 50}, construction: {grid: [{share: 1, delay: 300}]}}
      b: {construction: {grid: [{share: 1, delay: {uniform: {low: 100, high: 400}}}]}}
    """, luck={"sites.b.construction.grid.0.delay": 0.999})
    assert taken(r) == {"b.p1"}


# Holding.

HOLD = """
tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: {rank_by: score, until: 100 MW, rest: hold}}}}
sites:
  a: {score: 2, diligence: {x: {duration: 20}}, negotiation: {duration: 70, fail: 1}}
  b: {score: 1, diligence: {x: {duration: 10}}%s}
"""


def test_a_held_site_is_heard_again_and_its_wait_is_charged_to_policy():
    """a is taken on day 30 and lost on day 100; b is held on days 30, 60 and 90, and taken on day 120."""
    r = run(HOLD % "")
    assert r.day("b.approved") == 120
    assert r.links("b")[:5] == [
        ("diligence", 10), ("committee", 20), ("policy", 30), ("policy", 30), ("policy", 30)
    ]  # fmt: skip


def test_who_gets_ready_in_the_minute_of_a_meeting_that_has_sat_is_heard_in_it():
    """On day 30 a is taken and b does not fit the budget; c's letter follows on that in the minute, and c fits."""
    r = run(BANK, HOLD.replace("until: 100 MW", "budget: $1.5bn") % "", """
    defaults: {site: {financing: {lenders: bank, cost: $10m/MW}}}
    sites: {c: {score: 3, loi: {signed: {after: a.approved}}, phases: [50 MW]}}
    """)
    assert r.day("c.approved") == 30
    assert r.day("b.approved") == 120  # a is lost on day 100


def test_exclusivity_runs_while_a_site_is_held():
    r = run(HOLD % ", loi: {signed: day 0, exclusivity: 100}")
    assert (r.state("b"), r.day("b.ended")) == ("lost", 100)
    assert r.trail("b") == {"diligence": 10, "committee": 20, "policy": 70}


def test_the_rest_of_a_site_that_is_taken_in_part_is_shelved():
    r = run(HOLD.replace("score: 2,", "score: 2, phases: [100 MW, 20 MW],") % "")
    assert r.state("a.p2") == "shelved"
    assert r.ended("a.p2") == 30


def test_held_to_the_horizon():
    r = run(HOLD.replace("fail: 1", "fail: 0") % "")
    assert (r.state("b"), r.trail("b")) == ("pending", {"diligence": 10, "committee": 20, "policy": 1431})


# The file decides.


def test_a_phase_shelved_in_the_file_ends_once_when_diligence_is_complete():
    r = run(EVERY_30, """
    sites: {a: {phases: {p1: {mw: 60}, p2: {mw: 40, decision: shelve}}, diligence: {x: {duration: 10}}}}
    """)
    assert r.day("a.p2.ended") == 10
    assert r.trail("a.p2") == {"diligence": 10}
    assert (r.state("a.p1"), r.mw("leased", 30)) == ("pending", 60)


def test_a_site_all_of_whose_phases_are_shelved_is_shelved():
    r = run("sites: {a: {phases: {p1: {mw: 60, decision: shelve}}, diligence: {x: {duration: 10}}}}")
    assert (r.state("a"), r.day("a.ended")) == ("shelved", 10)
    assert r.day("a.approved") is None


# The board.

BOARD = """
tenants: {lab: {decision: {committee: {every: 30, from: day 0}, board: {every: 50, from: day 20, above: %s}}}}
defaults: {site: {diligence: {x: {duration: 10}}, lease: {rent: $100/kW-month, term: 10 years}}}
sites: {a: {}}
"""
# 100 MW x 12 x $100 = $120m a year, $1.2bn undiscounted over the base term.


def test_a_board_meets_after_the_committee_on_its_own_calendar():
    r = run(BOARD % "$1bn")
    assert r.day("a.approved") == 70
    assert r.links("a")[1:3] == [("committee", 20), ("committee", 40)]
    assert r.mw("leased", 69) == 0


def test_a_board_that_meets_in_the_minute_of_the_committee_agrees_in_it():
    assert run(BOARD % "$1bn", "tenants: {lab: {decision: {board: {from: day 30}}}}").day("a.approved") == 30


@pytest.mark.parametrize(
    ("lease", "threshold", "asked"),
    [
        ("", "$1199m", True),
        ("", "$1200m", False),  # above it, not at it
        ("escalator: 0.1", "$1912m", True),  # 120 (1.1^10 - 1) / 0.1 = 1912.491
        ("escalator: 0.1", "$1913m", False),
        ("term: 18 months", "$179m", True),
        ("term: 18 months", "$180m", False),
        ("{term: 18 months, escalator: 0.1}", "$185m", True),  # 120 + 0.5 x 132 = 186
        ("{term: 18 months, escalator: 0.1}", "$186m", False),
    ],
)
def test_the_threshold_is_undiscounted_base_term_rent(lease, threshold, asked):
    lease = lease if lease.startswith("{") or not lease else f"{{{lease}}}"
    r = run(BOARD % threshold, f"defaults: {{site: {{lease: {lease or '{}'}}}}}")
    assert r.day("a.approved") == (70 if asked else 30)


def test_the_rent_of_what_is_converted_counts():
    """40 of the 100 MW are shelved in the file, so $720m is below the threshold."""
    text = "sites: {a: {phases: {p1: {mw: 60}, p2: {mw: 40, decision: shelve}}}}"
    assert run(BOARD % "$1bn", text).day("a.approved") == 30


def test_what_waits_for_the_board_is_contracted_already():
    r = run(BOARD % "$1bn", """
    tenants: {lab: {decision: {policy: {rank_by: score, until: 100 MW}}}}
    sites: {b: {diligence: {x: {duration: 40}}}}
    """)
    assert r.state("b") == "shelved"
    assert r.ended("b") == 60


def test_a_letter_may_run_out_while_the_board_is_awaited():
    r = run(BOARD % "$1bn", "sites: {a: {loi: {signed: day 0, exclusivity: 50}}}")
    assert (r.state("a"), r.trail("a")) == ("lost", {"diligence": 10, "committee": 40})
