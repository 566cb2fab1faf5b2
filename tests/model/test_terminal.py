"""How phases end: every state, the trail that leads there, and what is given back in that minute."""

import pytest
from helpers import END, run

from dcsim.errors import ModelError

CHIPS = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, racks: 1000, ordered: day 0}}
defaults: {site: {bring_up: {lot: 1000}}}
"""
FINANCED = """
parties: {bank: {lending: {closing: 60, ltc: 0.5}}}
sites:
  a: {financing: {lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}}
"""
"""Equity that is too little: the loan fails 60 days after the lease, and the site with it."""


def end(r, name="a"):
    """State, day, days by cause, and whether the last lot went live."""
    phase = r.phase(name)
    assert sum(r.trail(name).values()) == r.ended(name) - phase.trail[0][0] / 1440
    return phase.state, r.ended(name), r.trail(name), phase.reached


# Every state.


def test_live():
    r = run(CHIPS, "sites: {a: {construction: {activities: {x: {duration: 90}}}}}")
    assert end(r) == ("live", 90, {"construction": 90}, True)


def test_rejected():
    r = run("sites: {a: {diligence: {x: {duration: 30, fail: 1}, y: {duration: 50}}}}")
    assert end(r) == ("rejected", 30, {"diligence": 30}, False)


def test_shelved_by_the_committee():
    r = run("""
    tenants: {lab: {decision: {committee: {every: 30, from: day 0}, policy: none}}}
    sites: {a: {diligence: {x: {duration: 40}}}}
    """)
    assert end(r) == ("shelved", 60, {"diligence": 40, "committee": 20}, False)


def test_shelved_by_the_file():
    assert end(run("sites: {a: {loi: day 5, decision: shelve}}")) == ("shelved", 5, {}, False)


def test_lost_in_negotiation():
    r = run("sites: {a: {negotiation: {duration: 70, fail: 1}}}")
    assert end(r) == ("lost", 70, {"negotiation": 70}, False)


def test_unguaranteed():
    r = run("""
    parties:
      bank: {lending: {min_rating: BBB-}}
      backer: {rating: AA, guarantee: {limit: 0}}
    sites:
      a:
        negotiation: {duration: 100}
        guarantee: {from: backer, delay: 15}
        financing: {lenders: [bank], cost: $10m/MW}
    """)
    assert end(r) == ("unguaranteed", 15, {"guarantee": 15}, False)  # what failed, not what was open beside it


def test_unfinanced():
    assert end(run(FINANCED)) == ("unfinanced", 60, {"financing": 60}, False)


def test_pending():
    r = run("sites: {a: {negotiation: {duration: 100}, construction: {activities: {x: {duration: 5000}}}}}")
    assert end(r) == ("pending", END, {"negotiation": 100, "construction": END - 100}, False)
    assert r.links("a") == [("negotiation", 100), ("construction", END - 100)]


def test_pending_before_the_letter():
    r = run("sites: {a: {loi: 2040-01-01}}")
    assert r.state("a") == "pending"
    assert not r.phase("a").reached
    assert r.ended("a") == END


# Phases of one site end apart.


def test_phases_of_a_site_may_end_in_different_states():
    r = run(
        CHIPS,
        "chips: {orders: {o: {racks: 400}}}\ndefaults: {site: {bring_up: {lot: 400}}}",
        "sites: {a: {phases: {p1: {mw: 40}, p2: {mw: 30, decision: shelve}, p3: {mw: 30}}}}",
    )
    assert [r.state(f"a.{p}") for p in ("p1", "p2", "p3")] == ["live", "shelved", "pending"]
    assert [r.phase(f"a.{p}").mw for p in ("p1", "p2", "p3")] == [40, 30, 30]
    assert r.mw("leased", 0) == 70


def test_a_site_ends_with_all_its_phases():
    r = run("sites: {a: {phases: [40 MW, 60 MW], negotiation: {duration: 70, fail: 1}}}")
    assert [end(r, f"a.{p}")[:2] for p in ("p1", "p2")] == [("lost", 70), ("lost", 70)]
    assert r.day("a.ended") == r.day("a.p1.ended") == r.day("a.p2.ended") == 70


def test_a_site_all_of_whose_phases_are_shelved_ends():
    r = run("sites: {a: {diligence: {x: {duration: 9}}, phases: {p1: {mw: 40, decision: shelve}}}}")
    assert end(r) == ("shelved", 9, {"diligence": 9}, False)
    assert r.day("a.ended") == 9
    assert r.day("a.approved") is None


# What is open at the end.


def test_the_trail_continues_along_what_is_declared_first_the_phases_before_the_sites():
    """When the loan fails on day 60 early works have gone on since the lease, and the loan's closing as well."""
    works = """
    sites:
      a:
        construction:
          early_works: {budget: 1}
          activities: {dig: {early: true, duration: 300}, shell: {after: dig, duration: 300}}
          grid: [{share: 1, delay: 500}]
    """
    assert end(run(FINANCED, works)) == ("unfinanced", 60, {"construction": 60}, False)
    works = "sites: {a: {construction: {grid: [{share: 1, delay: 500}]}}}"
    assert end(run(FINANCED, works)) == ("unfinanced", 60, {"grid": 60}, False)


def test_what_is_done_is_not_open():
    works = "sites: {a: {construction: {early_works: {budget: 1}, activities: {dig: {early: true, duration: 20}}}}}"
    assert end(run(FINANCED, works)) == ("unfinanced", 60, {"financing": 60}, False)


def test_at_the_horizon_with_several_things_open():
    r = run("""
    equipment: {transformer: {lead_time: 5000}}
    sites:
      a:
        construction:
          activities: {x: {duration: 50}}
          equipment: {transformer: {ordered: x}}
          grid: [{share: 1, delay: 5000}]
    """)
    assert end(r)[2] == {"construction": 50, "equipment": END - 50}


def test_equipment_under_way_belongs_to_the_phase():
    r = run("equipment: {transformer: {lead_time: 500}}", FINANCED,
            "sites: {a: {construction: {equipment: {transformer: {ordered: lease_signed}}}}}")  # fmt: skip
    assert end(r) == ("unfinanced", 60, {"equipment": 60}, False)


# The last minute.


def test_the_last_minute_is_simulated_and_the_next_is_not():
    last = END - 1 / 1440
    r = run(f"sites: {{a: {{construction: {{activities: {{x: {{duration: {last * 1440:.0f} minutes}}}}}}}}}}")
    assert r.day("a.p1.ready_for_service") == pytest.approx(last)
    assert end(r)[1] == END
    r = run(f"sites: {{a: {{construction: {{activities: {{x: {{duration: {END}}}}}}}}}}}")
    assert r.day("a.p1.ready_for_service") is None
    assert end(r) == ("pending", END, {"construction": END}, False)


def test_the_horizon_may_be_the_day_of_the_start():
    r = run("horizon: 2027-01-01\nsites: {a: {negotiation: {duration: 2}}}")
    assert end(r) == ("pending", 1, {"negotiation": 1}, False)


# What is given back.


def test_measures_go_back_to_nothing():
    r = run(CHIPS, FINANCED)
    measures = ("loi", "diligence", "leased", "closed", "building", "energised", "ready", "live")
    assert r.mw("leased", 59) == 100
    assert [r.mw(m, 60) for m in measures] == [0] * len(measures)
    assert r.mw("chips_on_hand", 60) == 100  # the racks are still there


def test_a_crew_is_given_back_in_that_minute():
    r = run(FINANCED, """
    crews: {riggers: 1}
    sites:
      a: {construction: {early_works: {budget: 1}, activities: {dig: {early: true, duration: 300, team: riggers}}}}
      b: {construction: {activities: {x: {duration: 10, team: riggers}}}}
    """)
    assert r.day("b.p1.building_complete") == 70
    assert r.links("b")[:2] == [("crews", 60), ("construction", 10)]


def test_a_workstream_that_is_cancelled_gives_back_its_team():
    r = run("""
    tenants: {lab: {teams: {diligence: 2}}}
    sites:
      a: {diligence: {x: {duration: 30, team: diligence, fail: 1}, y: {duration: 500, team: diligence}}}
      b: {diligence: {x: {duration: 10, team: diligence}, y: {duration: 10, team: diligence}}}
    """)
    assert r.day("b.diligence_complete") == 40


def test_nothing_happens_at_a_site_that_has_ended():
    r = run(CHIPS, FINANCED, """
    equipment: {transformer: {lead_time: 100}}
    sites:
      a:
        construction:
          early_works: {budget: 1}
          activities: {dig: {early: true, duration: 90}}
          equipment: {transformer: {ordered: lease_signed}}
          grid: [{share: 1, delay: 80}]
        bring_up: {tenant_works: {duration: 70}}
    """)
    assert max(minute for *_, minute in r.history.milestones if minute) == 60 * 1440


def test_another_letter_may_follow_on_a_lost_site():
    r = run("""
    sites:
      a: {negotiation: {duration: 70, fail: 1}}
      b: {loi: {signed: {after: a.lost, delay: 30}}}
    """)
    assert r.day("b.loi_signed") == 100


def test_a_state_that_does_not_exist_is_an_error():
    r = run("sites: {a: {negotiation: {duration: 5000}}}")
    with pytest.raises(ModelError, match="cannot end as 'gone'"):
        r.world.sites["a"].end("gone", "")
