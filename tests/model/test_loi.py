"""Letters of intent: the clock, renewals, who is idle, blocks that die, and who takes a lost site."""

import pytest
from helpers import run

EXPIRING = """
tenants:
  lab: {{teams: {{deal: 1, diligence: 1}}}}
sites:
  a:
    loi: {{signed: day 0, exclusivity: 100, renewal: {renewal}}}
    diligence: {diligence}
    negotiation: {negotiation}
"""


def letter(renewal="null", diligence="{}", negotiation="{duration: 0}", luck=None):
    return run(EXPIRING.format(renewal=renewal, diligence=diligence, negotiation=negotiation), luck=luck)


def test_without_exclusivity_a_letter_never_runs_out():
    r = run("sites: {a: {negotiation: {duration: 1400}}}")
    assert r.day("a.lease_signed") == 1400


def test_a_letter_is_lost_in_the_minute_in_which_exclusivity_ends():
    r = letter(diligence="{x: {duration: 130}}")
    assert r.state("a") == "lost"
    assert r.day("a.ended") == 100
    assert r.trail("a") == {"diligence": 100}  # what was under way; cancelled at the deadline


def test_a_lease_signed_in_the_minute_of_expiry_is_signed():
    r = letter(diligence="{x: {duration: 60}}", negotiation="{duration: 40}")
    assert r.day("a.lease_signed") == 100
    assert r.state("a") == "pending"


def test_the_clock_runs_until_the_lease_not_until_the_approval():
    r = letter(diligence="{x: {duration: 60}}", negotiation="{duration: 41}")
    assert (r.state("a"), r.day("a.ended")) == ("lost", 100)
    assert r.trail("a") == {"diligence": 60, "negotiation": 40}


def test_no_clock_after_the_lease():
    r = run("""
    sites:
      a: {loi: {signed: day 0, exclusivity: 100}, construction: {activities: {shell: {duration: 300}}}}
    """)
    assert r.day("a.p1.ready_for_service") == 300


def test_renewal_adds_its_length_until_renewals_run_out_amid_negotiation():
    r = letter("{length: 30, at_most: 2}", negotiation="{duration: 500}")
    assert (r.state("a"), r.day("a.ended")) == ("lost", 160)
    assert r.trail("a") == {"negotiation": 160}
    saved = letter("{length: 30, at_most: 2}", negotiation="{duration: 160}")
    assert saved.day("a.lease_signed") == 160


def test_the_clock_of_a_past_letter_began_when_it_was_signed():
    r = run("sites: {a: {loi: {signed: 2026-12-02, exclusivity: 100}, negotiation: {duration: 500}}}")
    assert r.day("a.loi_signed") == -30
    assert (r.state("a"), r.day("a.ended")) == ("lost", 70)
    assert r.trail("a") == {"diligence": 30, "negotiation": 70}  # the trail begins with the letter, the steps on day 0


# Renewal: chance_active while diligence or negotiation is under way, else chance_idle.

ONLY_ACTIVE = "{length: 30, at_most: 9, chance_active: 1, chance_idle: 0}"
ONLY_IDLE = "{length: 30, at_most: 9, chance_active: 0, chance_idle: 1}"


@pytest.mark.parametrize(
    ("diligence", "negotiation", "active"),
    [
        ("{x: {duration: 120}}", "{duration: 0}", True),
        ("{}", "{duration: 120}", True),
        ("{x: {duration: 20, delay: 105}}", "{duration: 0}", False),  # an offset: nobody is at work yet
        ("{}", "{duration: 20, delay: 105}", False),
        ("{x: {duration: 100}}", "{duration: 10}", True),  # begins in the very minute: decided when all is at rest
    ],
)
def test_active_or_idle_at_expiry(diligence, negotiation, active):
    assert letter(ONLY_ACTIVE, diligence, negotiation).state("a") == ("pending" if active else "lost")
    assert letter(ONLY_IDLE, diligence, negotiation).state("a") == ("lost" if active else "pending")


@pytest.mark.parametrize("team", ["diligence", "deal"])
def test_waiting_for_a_team_counts_as_idle(team):
    """b is served first, so a waits on day 100."""
    text = f"""
    tenants: {{lab: {{teams: {{diligence: 1, deal: 1}}}}}}
    defaults: {{site: {{loi: {{signed: day 0, exclusivity: 100, renewal: {ONLY_ACTIVE}}}}}}}
    sites:
      a: {{{"diligence: {x: {duration: 20, team: diligence, priority: 1}}" if team == "diligence" else
            "negotiation: {duration: 20, team: deal, priority: 1}"}}}
      b: {{loi: {{exclusivity: null}}, {"diligence: {x: {duration: 110, team: diligence}}" if team == "diligence" else
            "negotiation: {duration: 110, team: deal}"}}}
    """
    r = run(text)
    assert (r.state("a"), r.day("a.ended")) == ("lost", 100)
    assert r.trail("a") == {"team": 100}
    assert r.day("b.lease_signed") == 110


def test_a_team_handed_out_in_the_minute_of_expiry_makes_the_letter_active():
    text = f"""
    tenants: {{lab: {{teams: {{deal: 1}}}}}}
    defaults: {{site: {{loi: {{signed: day 0, exclusivity: 100, renewal: {ONLY_ACTIVE}}}}}}}
    sites:
      a: {{negotiation: {{duration: 20, team: deal, priority: 1}}}}
      b: {{loi: {{exclusivity: null}}, negotiation: {{duration: 100, team: deal}}}}
    """
    r = run(text)
    assert r.day("a.lease_signed") == 120
    assert r.trail("a")["team"] == 100


def test_waiting_for_the_committee_or_an_approval_is_idle():
    waiting = {
        "committee": ("tenants: {lab: {decision: {committee: {every: 30, from: day 120}}}}", "", "committee"),
        "guarantor": (
            "parties: {g: {rating: AA, guarantee: {approval: {delay: 120}}}, bank: {lending: {min_rating: BBB-}}}",
            "guarantee: {from: g}, financing: {lenders: bank, cost: $1m/MW}",
            "guarantee",
        ),
    }
    for head, body, cause in waiting.values():
        text = head + f"\nsites: {{a: {{loi: {{signed: day 0, exclusivity: 100, renewal: {ONLY_ACTIVE}}}, {body}}}}}"
        r = run(text)
        assert (r.state("a"), r.day("a.ended"), r.trail("a")) == ("lost", 100, {cause: 100})


def test_each_renewal_has_a_draw_of_its_own():
    """Half of the letters are renewed each time, so that some end at 100, some at 130 and some at 160."""
    text = EXPIRING.format(
        renewal="{length: 30, at_most: 2, chance_active: 0.5}", diligence="{}", negotiation="{duration: 900}"
    )
    ends = [run(text, replication=r).day("a.ended") for r in range(40)]
    assert set(ends) == {100, 130, 160}


def test_high_luck_is_not_renewed():
    renewal = "{length: 30, at_most: 2, chance_active: 0.5}"
    for u, end in ((0.49, 160), (0.51, 100)):
        r = letter(renewal, negotiation="{duration: 900}", luck={"sites.a.loi.renewal": u})
        assert r.day("a.ended") == end


def test_deadlines_of_a_minute_strike_together_and_what_they_free_is_handed_out_in_it():
    """Both letters run out on day 50; c, in the queue behind them, has the team on day 50."""
    r = run("""
    tenants: {lab: {teams: {deal: 1}}}
    sites:
      a: {loi: {signed: day 0, exclusivity: 50}, negotiation: {duration: 100, team: deal}}
      b: {loi: {signed: day 0, exclusivity: 50}, negotiation: {duration: 100, team: deal}}
      c: {negotiation: {duration: 10, team: deal}}
    """)
    assert (r.day("a.ended"), r.day("b.ended")) == (50, 50)
    assert r.trail("b") == {"team": 50}
    assert r.day("c.lease_signed") == 60
    assert r.trail("c")["team"] == 50


def test_loi_mw_counts_from_the_letter_to_its_end():
    r = letter(diligence="{x: {duration: 130}}")
    assert [r.mw("loi", d) for d in (-1, 0, 99, 100)] == [0, 100, 100, 0]
    signed = letter(negotiation="{duration: 40}")
    assert [signed.mw("loi", d) for d in (0, 39, 40)] == [100, 100, 0]
    assert [signed.mw("leased", d) for d in (39, 40, 1000)] == [0, 100, 100]


# A lost site goes to another tenant.

TAKEN_OVER = """
parties: {rival: {rating: BB}}
tenants: {rival: {}}
sites:
  a: {loi: {signed: day 0, exclusivity: 50}, negotiation: {duration: 100}}
  again: {tenant: rival, loi: {signed: {after: %s, delay: 5}}, negotiation: {duration: 20}}
"""


def test_another_tenant_takes_a_lost_site():
    r = run(TAKEN_OVER % "a.lost")
    assert r.day("again.loi_signed") == 55
    assert r.day("again.lease_signed") == 75
    assert r.trail("again")["negotiation"] == 20  # its trail begins with its own letter
    assert r.mw("leased", 75, "rival") == 100
    assert r.mw("leased", 75, "lab") == 0


def test_a_site_that_is_not_lost_is_not_taken():
    r = run(TAKEN_OVER % "a.rejected")
    assert r.days("again") == {}
    assert r.state("again") == "pending"


def test_a_letter_may_follow_on_any_end_or_milestone_of_another():
    assert run(TAKEN_OVER % "a.ended").day("again.loi_signed") == 55
    assert run(TAKEN_OVER % "a.approved").day("again.loi_signed") == 5


def test_a_site_shelved_in_the_file_ends_with_its_letter_and_costs_nothing():
    r = run("sites: {a: {decision: shelve, loi: day 7, diligence: {x: {duration: 30, cost: $1m}}}}")
    assert (r.state("a"), r.ended("a")) == ("shelved", 7)
    assert r.outcome("diligence_usd_m") == 0
    assert r.day("a.loi_signed") == 7
