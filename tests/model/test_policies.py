"""Conversion policies as Python functions."""

import pytest
from helpers import run, scenario

from dcsim.errors import DcsimError, ModelError, UsageError
from dcsim.model.decision import HOLD, Candidate, every_passing
from dcsim.study.run import simulate

FILE = """
parties: {bank: {lending: {ltc: 0.5}}}
tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: none}}}
defaults: {site: {financing: {lenders: bank, cost: $10m/MW}}}
sites:
  a: {phases: [60 MW, 40 MW], score: 2, diligence: {x: {duration: 20}}, construction: {activities: {x: {duration: 90}}}}
  b: {phases: [50 MW], score: 1, diligence: {x: {duration: 10}}, financing: {cost: $12m/MW},
      construction: {grid: [{share: 1, delay: 100}]}}
"""


def first_phases(hearing):
    """Of each site the first phase alone."""
    return {c.site: list(c.phases)[:1] for c in hearing.candidates}


def hold_until_day_90(hearing):
    return {c.site: HOLD if hearing.day < 90 else tuple(c.phases) for c in hearing.candidates}


def cheap_only(hearing):
    return {c.site: tuple(c.phases) if c.cost_per_mw <= 10 else () for c in hearing.candidates}


def forgetful(hearing):
    return {}


def greedy(hearing):
    return {c.site: ("p9",) for c in hearing.candidates}


def always_p1(hearing):
    return {c.site: ("p1",) for c in hearing.candidates}


def test_a_policy_stands_in_for_the_file():
    assert run(FILE).state("a") == "shelved"
    r = run(FILE, policies={"lab": every_passing})
    assert [r.day(f"{s}.approved") for s in "ab"] == [30, 30]


def test_a_verdict_names_the_phases_that_are_taken():
    r = run(FILE, policies={"lab": first_phases})
    assert {f"{p.site}.{p.phase}": p.state for p in r.history.phases} == {
        "a.p1": "pending", "a.p2": "shelved", "b.p1": "pending"
    }  # fmt: skip
    assert r.loan("a") == 300_000_000  # half the cost of what was taken


def test_an_empty_verdict_shelves():
    r = run(FILE, policies={"lab": cheap_only})
    assert (r.state("a"), r.state("b")) == ("pending", "shelved")


def test_hold_hears_it_again():
    r = run(FILE, policies={"lab": hold_until_day_90})
    assert (r.day("a.approved"), r.day("b.approved")) == (90, 90)
    assert r.links("b")[:4] == [("diligence", 10), ("committee", 20), ("policy", 30), ("policy", 30)]


def test_hold_without_a_committee_asks_again_every_day():
    r = run(FILE, "tenants: {lab: {decision: {committee: null}}}", policies={"lab": hold_until_day_90})
    assert r.day("a.approved") == 90


def test_what_a_policy_is_told():
    heard = []

    def listen(hearing):
        heard.append(hearing)
        return every_passing(hearing)

    run(FILE, "sites: {a: {diligence: {x: {duration: 40}}}}", policies={"lab": listen})
    first, second = heard
    assert (first.tenant, first.day, first.contracted_mw, first.spent_usd_m) == ("lab", 30, 0, 0)
    assert first.candidates == (Candidate("b", {"p1": 50}, 12, 600, 100, 1),)
    assert (second.day, second.contracted_mw, second.spent_usd_m) == (60, 50, 600)
    assert second.candidates == (Candidate("a", {"p1": 60, "p2": 40}, 10, 1000, 0, 2),)


def test_candidates_come_in_the_order_in_which_they_got_ready():
    order = []

    def listen(hearing):
        order.extend(c.site for c in hearing.candidates)
        return every_passing(hearing)

    run(FILE, policies={"lab": listen})
    assert order == ["b", "a"]


def test_a_tenant_without_a_policy_of_its_own_keeps_the_files():
    r = run(FILE, """
    parties: {rival: {}}
    tenants: {rival: {}}
    sites: {c: {tenant: rival}}
    """, policies={"rival": first_phases})
    assert (r.state("a"), r.state("c")) == ("shelved", "pending")


def test_a_policy_decides_on_every_candidate_and_takes_what_there_is():
    with pytest.raises(ModelError, match=r"must decide on \['a', 'b'\]"):
        run(FILE, policies={"lab": forgetful})
    with pytest.raises(ModelError, match="p9"):
        run(FILE, policies={"lab": greedy})


def test_a_policy_of_nobody_is_refused():
    with pytest.raises(UsageError, match="unknown tenant 'lap'; did you mean 'lab'"):
        run(FILE, policies={"lap": first_phases})


def test_a_phase_that_the_file_shelves_is_not_on_offer():
    with pytest.raises(ModelError, match="does not offer"):
        run(FILE, "sites: {a: {phases: {p1: {mw: 60, decision: shelve}, p2: {mw: 40}}}}", policies={"lab": always_p1})


def test_through_a_study():
    result = simulate(scenario(FILE, "replications: 3"), workers=1, policies={"lab": first_phases})
    assert result.milestones.query("milestone == 'lease_signed'").groupby("replication").size().tolist() == [2, 2, 2]
    assert not result.manifest["replayable"]
    assert "test_policies.first_phases" in str(result.manifest)


def test_through_worker_processes():
    """Travels by name: a policy from a module that workers can import."""
    result = simulate(scenario(FILE, "replications: 4"), workers=2, chunk=2, policies={"lab": every_passing})
    assert result.milestones.query("milestone == 'lease_signed'").shape[0] == 8


def test_a_policy_that_forgets_somebody_fails_the_run():
    with pytest.raises(DcsimError, match="must decide"):
        simulate(scenario(FILE, "replications: 2"), workers=1, policies={"lab": forgetful})
