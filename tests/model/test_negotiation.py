"""Negotiation holds the deal team; the lease follows it, and the guarantee where one is needed."""

from helpers import run

ONE_DEAL = "tenants: {lab: {teams: {deal: 1}}}"


def test_a_site_of_nothing_is_ready_at_once():
    r = run("sites: {a: {}}")
    assert r.days("a") == dict.fromkeys(
        ("loi_signed", "diligence_complete", "approved", "negotiated", "lease_signed", "financial_close",
         "notice_to_proceed", "energy_services"), 0,
    )  # fmt: skip
    assert r.day("a.p1.ready_for_service") == 0
    assert (r.state("a"), r.trail("a")) == ("pending", {"chips": 1461})


def test_the_deal_team_is_held_to_the_end():
    r = run(ONE_DEAL, "sites: {a: {negotiation: {duration: 45, team: deal}}, b: {like: a}}")
    assert (r.day("a.lease_signed"), r.day("b.lease_signed")) == (45, 90)
    assert r.links("b")[:2] == [("team", 45), ("negotiation", 45)]


def test_queue_by_priority_then_minute_joined_then_declaration():
    """z is at work until day 30. The others join: c on day 10, a and b on day 20, u (more urgent) on day 29."""
    r = run(ONE_DEAL, """
    defaults: {site: {negotiation: {duration: 10, team: deal}}}
    sites:
      z: {negotiation: {duration: 30}}
      b: {diligence: {x: {duration: 20}}}
      a: {diligence: {x: {duration: 20}}}
      c: {diligence: {x: {duration: 10}}}
      u: {diligence: {x: {duration: 29}}, negotiation: {priority: -1}}
    """)
    assert [r.day(f"{s}.negotiated") for s in "zucba"] == [30, 40, 50, 60, 70]
    assert r.trail("a")["team"] == 40


def test_an_offset_is_charged_to_the_negotiation_and_holds_nobody():
    r = run(ONE_DEAL, """
    sites:
      a: {negotiation: {delay: 20, duration: 10, team: deal}}
      b: {negotiation: {duration: 15, team: deal}}
    """)
    assert (r.day("a.negotiated"), r.day("b.negotiated")) == (30, 15)
    assert r.trail("a") == {"negotiation": 30, "chips": 1431}


def test_an_offset_that_is_running_at_the_end_is_charged_to_its_step():
    assert run("sites: {a: {negotiation: {delay: 2000}}}").trail("a") == {"negotiation": 1461}
    lost = run("sites: {a: {loi: {signed: day 0, exclusivity: 30}, negotiation: {delay: 2000}}}")
    assert lost.trail("a") == {"negotiation": 30}


def test_a_negotiation_that_is_over_is_not_open_any_more():
    """The letter runs out amid the approval, which began with the negotiation's offset and alone is open."""
    r = run("""
    parties: {g: {rating: A, guarantee: {approval: {delay: 200}}}, bank: {lending: {min_rating: BBB}}}
    sites:
      a:
        loi: {signed: day 0, exclusivity: 100}
        negotiation: {delay: 5, duration: 10}
        guarantee: {from: g}
        financing: {lenders: bank, cost: $10m/MW}
    """)
    assert (r.state("a"), r.trail("a")) == ("lost", {"guarantee": 100})


def test_it_may_start_at_another_milestone():
    r = run("""
    sites:
      a:
        diligence: {title: {duration: 10}, power: {duration: 60}}
        negotiation: {after: title, delay: 5, duration: 20}
    """)
    assert r.day("a.negotiated") == 35
    assert r.day("a.lease_signed") == 60  # but nothing is signed before the approval
    assert r.trail("a") == {"diligence": 60, "chips": 1401}
    both = run("""
    sites:
      a:
        diligence: {title: {duration: 10}, power: {duration: 60}}
        negotiation: {after: [title, diligence_complete], duration: 20}
    """)
    assert both.day("a.negotiated") == 80


def test_a_failed_negotiation_loses_the_site_and_frees_the_team():
    text = """
    sites: {a: {negotiation: {duration: 45, team: deal, fail: 0.2}}, b: {negotiation: {duration: 5, team: deal}}}
    """
    r = run(ONE_DEAL, text, luck={"sites.a.negotiation.fail": 0.81})
    assert (r.state("a"), r.day("a.ended"), r.trail("a")) == ("lost", 45, {"negotiation": 45})
    assert r.day("b.lease_signed") == 50
    assert r.day("a.negotiated") is None
    assert run(ONE_DEAL, text, luck={"sites.a.negotiation.fail": 0.79}).day("a.lease_signed") == 45


def test_a_letter_that_runs_out_frees_the_team_in_that_minute():
    r = run(ONE_DEAL, """
    sites:
      a: {loi: {signed: day 0, exclusivity: 30}, negotiation: {duration: 45, team: deal}}
      b: {negotiation: {duration: 5, team: deal}}
    """)
    assert (r.state("a"), r.day("b.lease_signed")) == ("lost", 35)


def test_a_team_that_is_closed_over_the_holidays():
    """Negotiation from day 350 (2027-12-17); closed 2027-12-20 to 2028-01-02 (14 days); ten days of work: day 374."""
    r = run("""
    tenants: {lab: {teams: {deal: {count: 1, closed: [{from: 12-20, until: 01-02}]}}}}
    sites: {a: {diligence: {x: {duration: 350}}, negotiation: {duration: 10, team: deal}}}
    """)
    assert r.day("a.negotiated") == 374
    assert r.trail("a")["negotiation"] == 24


def test_the_lease_waits_for_negotiation_and_guarantee():
    text = """
    parties: {g: {rating: A, guarantee: {approval: {delay: %s}}}, bank: {lending: {min_rating: BBB}}}
    sites: {a: {negotiation: {duration: 45}, guarantee: {from: g}, financing: {lenders: bank, cost: $10m/MW}}}
    """
    first = run(text % 30)
    assert (first.day("a.guarantee_signed"), first.day("a.lease_signed")) == (30, 45)
    assert first.trail("a") == {"negotiation": 45, "chips": 1416}
    last = run(text % 60)
    assert (last.day("a.negotiated"), last.day("a.lease_signed")) == (45, 60)
    assert last.trail("a") == {"guarantee": 60, "chips": 1401}
    tie = run(text % 45)
    assert tie.trail("a") == {"negotiation": 45, "chips": 1416}  # declared before the guarantee


def test_no_guarantee_is_asked_for_where_none_is_needed():
    text = """
    parties: {lab: {rating: BBB}, g: {rating: A, guarantee: {limit: 0}}, bank: {lending: {min_rating: BBB}}}
    sites: {a: {negotiation: {duration: 45}, guarantee: {from: g}, financing: {lenders: bank, cost: $10m/MW}}}
    """
    r = run(text)
    assert r.day("a.financial_close") == 45
    assert r.day("a.guarantee_signed") is None
    assert run(text, "parties: {lab: {rating: BBB-}}").state("a") == "unguaranteed"


def test_leased_mw_counts_from_the_lease():
    r = run("sites: {a: {phases: [60 MW, 40 MW], negotiation: {duration: 45}}}")
    assert [r.mw("leased", d) for d in (44.9, 45)] == [0, 100]


def test_the_last_minute_is_the_one_before_midnight_of_the_horizon():
    in_time = run(f"sites: {{a: {{negotiation: {{duration: {1461 * 1440 - 1} minutes}}}}}}")
    assert in_time.day("a.lease_signed") == 1461 - 1 / 1440
    too_late = run("sites: {a: {negotiation: {duration: 1461}}}")
    assert (too_late.day("a.lease_signed"), too_late.trail("a")) == (None, {"negotiation": 1461})
