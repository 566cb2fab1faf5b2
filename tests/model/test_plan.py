"""The plan: medians, the committee's calendar, no shared limits, each gate's likelier side."""

import pytest
from helpers import Runner


def plan(*texts):
    return Runner(*texts).plan()


def test_nobody_waits_for_a_team():
    r = plan("""
    tenants: {lab: {teams: {experts: 1, deal: 1}}}
    defaults: {site: {diligence: {x: {duration: 10, team: experts}, y: {duration: 15, team: experts}},
                      negotiation: {duration: 20, team: deal}}}
    sites: {a: {}, b: {}}
    """)
    for site in "ab":
        assert r.day(f"{site}.lease_signed") == 35
        assert r.trail(site) == {"diligence": 15, "negotiation": 20, "chips": 1426}


def test_committees_keep_their_calendar():
    r = plan("""
    tenants: {lab: {decision: {committee: {every: 30, from: day 0}, board: {every: 90, from: day 0, above: 0}}}}
    sites: {a: {diligence: {x: {duration: 10}}, lease: {rent: 100}}}
    """)
    assert r.day("a.approved") == 90
    assert r.trail("a")["committee"] == 80


def test_limits_of_guarantors_and_lenders_are_lifted():
    r = plan("""
    parties:
      g: {rating: A, guarantee: {limit: $1m, approval: {delay: 10}}}
      bank: {lending: {min_rating: BBB, ltc: 0.8, capacity: $1m, per_tenant: $1m, per_guarantor: $1m, closing: 30}}
    defaults: {site: {guarantee: {from: g, patience: 0}, financing: {lenders: bank, cost: $10m/MW, equity: 0.2}}}
    sites: {a: {}, b: {}}
    """)
    assert [(r.day(f"{s}.guarantee_signed"), r.day(f"{s}.financial_close"), r.loan(s)) for s in "ab"] == [
        (10, 30, 800_000_000)
    ] * 2


@pytest.mark.parametrize(("fail", "state"), [(0.5, "pending"), (0.51, "rejected")])
def test_a_gate_takes_its_likelier_side(fail, state):
    assert plan(f"sites: {{a: {{diligence: {{x: {{duration: 10, fail: {fail}}}}}}}}}").state("a") == state
    lost = {"pending": "pending", "rejected": "lost"}[state]
    assert plan(f"sites: {{a: {{negotiation: {{duration: 10, fail: {fail}}}}}}}").state("a") == lost


def test_a_remedy_that_is_likelier_than_a_pass():
    text = "sites: {a: {diligence: {x: {duration: 10, remedy: %s, remedy_takes: 5}}}}"
    assert plan(text % 0.5).day("a.diligence_complete") == 10
    assert plan(text % 0.6).day("a.diligence_complete") == 15


def test_approvals_and_frameworks_too():
    text = """
    parties:
      g: {rating: A, guarantee: {approval: {delay: 10, chance: %s}}}
      h: {rating: A, guarantee: {framework: {signed: day 50, chance: 0.6}, approval: {delay: 20}}}
      bank: {lending: {min_rating: BBB}}
    sites: {a: {guarantee: {from: [g, h]}, financing: {lenders: bank, cost: $10m/MW}}}
    """
    assert plan(text % 0.6).day("a.guarantee_signed") == 10
    assert plan(text % 0.4).day("a.guarantee_signed") == 70
    assert plan(text % 0.4, "sites: {a: {guarantee: {patience: 40}}}").state("a") == "unguaranteed"


def test_letters_are_renewed_if_that_is_likelier():
    text = """
    sites: {a: {loi: {signed: day 0, exclusivity: 30, renewal: {length: 30, at_most: 9, chance_active: %s}},
                negotiation: {duration: 100}}}
    """
    assert plan(text % 0.6).day("a.lease_signed") == 100
    assert plan(text % 0.4).day("a.ended") == 30


def test_laws_are_at_their_medians_and_drivers_do_not_strike():
    r = plan("""
    drivers: {strike: {chance: 0.9, hits: [sites.*.negotiation], plus: 500}}
    sites: {a: {negotiation: {duration: {lognormal: {median: 40, p90: 90}}}}}
    """)
    assert r.day("a.lease_signed") == 40
