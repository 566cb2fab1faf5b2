"""Due diligence: teams and their queue, precedence, remedies, failures, what it costs."""

import pytest
from helpers import run

from dcsim.errors import ScenarioError

TEAM_OF_ONE = "tenants: {lab: {teams: {experts: 1}}}\n"

CERTAIN = {"remedy": 0.01, "pass": 0.001, "fail": 0.999}


def test_no_workstreams_no_delay():
    r = run("sites: {a: {}}")
    assert r.day("a.diligence_complete") == 0


def test_workstreams_without_a_team_run_side_by_side():
    r = run("sites: {a: {diligence: {x: {duration: 30}, y: {duration: 50}, z: {duration: 10}}}}")
    assert r.day("a.diligence_complete") == 50
    assert r.links("a")[0] == ("diligence", 50)


def test_precedence_and_offset():
    r = run("sites: {a: {diligence: {x: {duration: 30}, y: {after: x, delay: 7, duration: 20}, z: {duration: 40}}}}")
    assert r.day("a.diligence_complete") == 57
    assert r.links("a")[:3] == [("diligence", 30), ("diligence", 7), ("diligence", 20)]


def test_join_keeps_the_latest_trail():
    """x: 40 of work; y: waited 25 for the one expert, then 15: both end on day 40, x is declared first."""
    text = """
    sites:
      a:
        diligence:
          first: {duration: 25, team: experts, priority: -1}
          x: {duration: 40}
          y: {duration: 15, team: experts}
          %s
    """
    assert run(TEAM_OF_ONE, text % "").links("a")[0] == ("diligence", 40)
    later = run(TEAM_OF_ONE, text % "after: {after: y, duration: 1}").links("a")
    assert later[:3] == [("team", 25), ("diligence", 15), ("diligence", 1)]


def test_the_queue_is_by_priority_then_minute_joined_then_declaration():
    r = run(TEAM_OF_ONE, """
    sites:
      a:
        diligence:
          busy: {duration: 10, team: experts}
          late: {duration: 3, delay: 5, team: experts}
          second: {duration: 2, delay: 4, team: experts}
          urgent: {duration: 1, delay: 9, team: experts, priority: -1}
          third: {duration: 4, delay: 4, team: experts}
    """)
    started = {e[2]: e[0] / 1440 for e in r.history.events if e[1] == "granted"}
    assert started == {"a busy": 0, "a urgent": 10, "a second": 11, "a third": 13, "a late": 17}
    assert r.day("a.diligence_complete") == 20


def test_who_becomes_ready_in_the_minute_of_a_release_is_served_by_priority():
    """On day 10 x ends and y, after it, joins: y is more urgent than w, which has waited since day 0."""
    r = run(TEAM_OF_ONE, """
    sites:
      a:
        diligence:
          x: {duration: 10, team: experts}
          w: {duration: 20, team: experts}
          y: {after: x, duration: 5, team: experts, priority: -1}
    """)
    assert [e[2] for e in r.history.events if e[1] == "granted"] == ["a x", "a y", "a w"]
    assert r.day("a.diligence_complete") == 35
    assert r.trail("a")["team"] == 15


def test_sites_share_the_team_in_file_order():
    r = run(TEAM_OF_ONE, """
    defaults: {site: {diligence: {x: {duration: 10, team: experts}}}}
    sites: {c: {}, a: {}, b: {}}
    """)
    assert [r.day(f"{s}.diligence_complete") for s in "cab"] == [10, 20, 30]
    assert r.trail("b")["team"] == 20


def test_a_team_of_two():
    r = run("""
    tenants: {lab: {teams: {experts: 2}}}
    defaults: {site: {diligence: {x: {duration: 10, team: experts}}}}
    sites: {a: {}, b: {}, c: {}}
    """)
    assert [r.day(f"{s}.diligence_complete") for s in "abc"] == [10, 10, 20]


def test_tenants_have_teams_of_their_own():
    r = run("""
    parties: {rival: {}}
    tenants: {lab: {teams: {experts: 1}}, rival: {teams: {experts: 1}}}
    defaults: {site: {diligence: {x: {duration: 10, team: experts}}}}
    sites: {a: {}, b: {tenant: rival}}
    """)
    assert (r.day("a.diligence_complete"), r.day("b.diligence_complete")) == (10, 10)


def test_a_team_that_rests_on_weekends():
    """Day 0 is a Friday: five working days end on the Thursday after, and the weekend counts as diligence."""
    r = run("""
    tenants: {lab: {teams: {experts: {count: 1, works: [mon, tue, wed, thu, fri]}}}}
    sites: {a: {diligence: {x: {duration: 5, team: experts}}}}
    """)
    assert r.day("a.diligence_complete") == 7
    assert r.trail("a")["diligence"] == 7


# Outcomes.

REMEDY = """
tenants: {lab: {teams: {experts: 1}}}
sites:
  a:
    diligence:
      x: {duration: 30, team: experts, remedy: 0.3, remedy_takes: 12, fail: 0.1, cost: $2m, remedy_costs: $0.5m}
      y: {duration: 5, team: experts, cost: $1m}
"""


@pytest.mark.parametrize(("u", "outcome"), [(0.59, "pass"), (0.61, "remedy"), (0.89, "remedy"), (0.91, "fail")])
def test_high_luck_fails_then_needs_a_remedy(u, outcome):
    r = run(REMEDY, luck={"sites.a.diligence.x": u})
    expected = {"pass": 35, "remedy": 47, "fail": None}
    assert r.day("a.diligence_complete") == expected[outcome]
    assert r.state("a") == ("rejected" if outcome == "fail" else "pending")


def test_a_remedy_keeps_the_team_and_is_a_link_of_its_own():
    r = run(REMEDY, luck={"sites.a.diligence.x": 0.7})
    assert r.links("a")[:2] == [("team", 42), ("diligence", 5)]  # y waited through the remedy
    alone = run("sites: {a: {diligence: {x: {duration: 30, remedy: 1, remedy_takes: 12}}}}")
    assert alone.links("a")[:2] == [("diligence", 30), ("diligence", 12)]


def test_costs_fall_due_at_the_start_of_work_and_of_a_remedy():
    assert run(REMEDY, luck={"sites.a.diligence.x": 0.1}).outcome("diligence_usd_m") == 3
    assert run(REMEDY, luck={"sites.a.diligence.x": 0.7}).outcome("diligence_usd_m") == 3.5
    assert run(REMEDY, luck={"sites.a.diligence.x": 0.95}).outcome("diligence_usd_m") == 2  # y never began


def test_a_failed_site_ends_its_other_workstreams_and_gives_back_their_team():
    """x of a fails on day 10; y, with the expert until day 40, is called off, and b has the expert on day 10."""
    r = run(TEAM_OF_ONE, """
    sites:
      a: {diligence: {x: {duration: 10, fail: 1}, y: {duration: 40, team: experts}, z: {after: x, duration: 1}}}
      b: {diligence: {y: {duration: 7, team: experts}}}
    """)
    assert (r.state("a"), r.day("a.ended")) == ("rejected", 10)
    assert r.trail("a") == {"diligence": 10}
    assert r.day("b.diligence_complete") == 17
    assert r.trail("b")["team"] == 10
    assert r.mw("loi", 10) == 100
    assert r.mw("diligence", 9) == 200
    assert r.mw("diligence", 10) == 100


def test_a_letter_that_runs_out_amid_diligence_gives_back_the_team_and_leaves_the_queue():
    r = run(TEAM_OF_ONE, """
    sites:
      a: {loi: {signed: day 0, exclusivity: 30}, diligence: {x: {duration: 45, team: experts}}}
      b: {loi: {signed: day 0, exclusivity: 20}, diligence: {x: {duration: 45, team: experts}}}
      c: {diligence: {x: {duration: 7, team: experts}}}
    """)
    assert (r.state("a"), r.state("b"), r.day("c.diligence_complete")) == ("lost", "lost", 37)
    assert r.trail("b") == {"team": 20}


def test_a_failing_workstream_that_waits_for_its_team_fails_at_its_end():
    r = run(TEAM_OF_ONE, """
    sites: {a: {diligence: {x: {duration: 10, team: experts}, y: {duration: 5, team: experts, fail: 1}}}}
    """)
    assert (r.day("a.ended"), r.trail("a")) == (15, {"team": 10, "diligence": 5})


def test_a_workstream_that_waits_for_the_approval_waits_for_itself():
    with pytest.raises(ScenarioError, match=r"y waits for approved, which waits for diligence_complete.*CYCLE"):
        run("sites: {a: {diligence: {x: {duration: 10}, y: {after: approved, duration: 1}}}}")


def test_what_waits_is_charged_as_it_stands_at_the_horizon():
    r = run(TEAM_OF_ONE, """
    sites:
      a: {diligence: {x: {duration: 5000, team: experts}}}
      b: {diligence: {y: {duration: 10}, x: {after: y, duration: 10, team: experts}}}
    """)
    assert r.links("a") == [("diligence", 1461)]
    assert r.links("b") == [("diligence", 10), ("team", 1451)]


def test_each_workstream_has_a_draw_of_its_own_at_each_site():
    text = "sites: {a: {diligence: {x: {duration: {exponential: {mean: 50}}}}}, b: {like: a}}"
    r = run(text)
    assert r.day("a.diligence_complete") != r.day("b.diligence_complete")
    late = run(text, luck={"sites.b.diligence.x.duration": 0.9})
    assert late.day("a.diligence_complete") == r.day("a.diligence_complete")
    assert late.day("b.diligence_complete") == pytest.approx(50 * 2.302585, abs=1e-3)
