"""Building a phase: precedence, crews, permits, early works, the gap between phases."""

import pytest
from helpers import run

from dcsim.errors import ScenarioError


def site(construction, more=""):
    return f"""
crews: {{riggers: 1}}
sites:
  a:
    construction: {construction}
    {more}
"""


# Activities.


def test_activities_follow_one_another_and_the_longest_way_is_charged():
    works = "shell: {duration: 300}, roof: {after: shell, duration: 40}, fit: {after: shell, duration: 50}"
    r = run(site(f"{{activities: {{{works}}}}}"))
    assert r.day("a.p1.building_complete") == r.day("a.p1.ready_for_service") == 350
    assert r.links("a")[:2] == [("construction", 300), ("construction", 50)]
    assert dict(r.phase("a").activities) == {"shell": True, "roof": False, "fit": True}


def test_of_two_ways_that_end_together_the_one_declared_first_is_charged():
    r = run(site("{activities: {permit: {duration: 100, permit: true}, shell: {duration: 100}}}"))
    assert r.trail("a")["permits"] == 100
    r = run(site("{activities: {shell: {duration: 100}, permit: {duration: 100, permit: true}}}"))
    assert "permits" not in r.trail("a")


def test_permits_and_offsets_are_charged_to_their_own_cause():
    works = "permit: {delay: 7, duration: 30, permit: true}, shell: {after: permit, delay: 5, duration: 60}"
    r = run(site(f"{{activities: {{{works}}}}}"))
    assert r.day("a.p1.building_complete") == 102
    assert r.links("a")[:4] == [("permits", 7), ("permits", 30), ("construction", 5), ("construction", 60)]


def test_a_crew_is_held_for_one_activity_after_the_other():
    r = run(site("{activities: {x: {duration: 50, team: riggers}, y: {duration: 30, team: riggers}}}"))
    assert r.day("a.p1.building_complete") == 80
    assert r.links("a")[:2] == [("crews", 50), ("construction", 30)]


def test_lower_priority_numbers_get_the_crew_first():
    r = run(site("{activities: {x: {duration: 50, team: riggers, priority: 1}, y: {duration: 30, team: riggers}}}"))
    assert r.links("a")[:2] == [("crews", 30), ("construction", 50)]


def test_a_crew_shared_by_sites_goes_in_file_order():
    r = run("""
    crews: {riggers: 1}
    sites:
      b: {construction: {activities: {x: {duration: 20, team: riggers}}}}
      a: {construction: {activities: {x: {duration: 10, team: riggers}}}}
    """)
    assert (r.day("b.p1.building_complete"), r.day("a.p1.building_complete")) == (20, 30)


def test_crews_work_on_their_days():
    # Day 0 is a Friday: Friday, then Monday to Friday, then Monday to Thursday make ten days.
    r = run("""
    crews: {riggers: {count: 1, works: [mon, tue, wed, thu, fri]}}
    sites: {a: {construction: {activities: {x: {duration: 10, team: riggers}}}}}
    """)
    assert r.day("a.p1.building_complete") == 14


def test_crews_rest_in_the_weather_window_of_every_year():
    # Closed 10 January to 20 February: days 9 to 50 inclusive; nine days of work before, six after.
    r = run("""
    crews: {riggers: {count: 1, closed: [{from: 01-10, until: 02-20}]}}
    sites: {a: {construction: {activities: {x: {duration: 15, team: riggers}}}}}
    """)
    assert r.day("a.p1.building_complete") == 51 + 6
    assert r.links("a")[0] == ("construction", 57)


def test_a_closure_of_dates_happens_once():
    r = run("""
    crews: {riggers: {count: 1, closed: [{from: 2027-01-05, until: 2027-01-06}]}}
    sites: {a: {construction: {activities: {x: {duration: 400, team: riggers}}}}}
    """)
    assert r.day("a.p1.building_complete") == 402


def test_building_waits_for_notice_to_proceed():
    r = run(site("{activities: {x: {after: loi_signed, duration: 10}}}", "negotiation: {duration: 90}"))
    assert r.day("a.p1.building_complete") == 100
    assert r.links("a")[:2] == [("negotiation", 90), ("construction", 10)]


def test_an_activity_may_wait_for_power_or_equipment():
    r = run("""
    equipment: {transformer: {lead_time: 70}}
    sites:
      a:
        construction:
          activities: {shell: {duration: 20}, hook-up: {after: [shell, transformer], duration: 10}}
          equipment: {transformer: {}}
    """)
    assert r.day("a.p1.building_complete") == 80
    assert r.links("a")[:2] == [("equipment", 70), ("construction", 10)]


def test_without_works_a_phase_is_ready_at_notice_to_proceed():
    r = run(site("{}", "negotiation: {duration: 90}"))
    assert r.day("a.p1.ready_for_service") == r.day("a.p1.rent_commencement") == 90


# Phases and the gap between them.


def test_each_phase_starts_a_gap_after_the_one_before():
    r = run(site("{phase_gap: 30, activities: {x: {duration: 100}}}", "phases: [40 MW, 30 MW, 30 MW]"))
    assert [r.day(f"a.p{n}.building_complete") for n in (1, 2, 3)] == [100, 130, 160]
    assert r.links("a.p3")[:2] == [("construction", 60), ("construction", 100)]


def test_gaps_are_drawn_once_each_and_add_up():
    text = site(
        "{phase_gap: {uniform: {low: 10, high: 30}}, activities: {x: {duration: 100}}}", "phases: [40 MW, 30 MW, 30 MW]"
    )
    r = run(text)
    first, second, third = (r.day(f"a.p{n}.building_complete") for n in (1, 2, 3))
    assert first == 100
    assert 10 < second - first < 30
    assert 10 < third - second < 30
    assert second - first != third - second


def test_a_phase_may_differ_from_its_site():
    r = run(site(
        "{activities: {x: {duration: 100}}}",
        "phases: {p1: {mw: 40}, p2: {mw: 60, construction: {activities: {x: {duration: 150}}}}}",
    ))  # fmt: skip
    assert (r.day("a.p1.ready_for_service"), r.day("a.p2.ready_for_service")) == (100, 150)
    assert [r.mw("ready", day) for day in (99, 100, 150)] == [0, 40, 100]
    assert [r.mw("building", day) for day in (0, 99, 100, 150)] == [100, 100, 60, 0]


# Early works. A site of 100 MW at $10m a MW costs $1,000m; lease on day 0, close on day 60.

EARLY = """
parties: {{bank: {{lending: {{closing: 60}}}}}}
crews: {{riggers: 1}}
sites:
  a:
    financing: {{lenders: [bank], after: lease_signed, cost: $10m/MW}}
    construction:
      early_works: {{{after}budget: {budget}}}
      activities: {activities}
"""


def early(activities, budget=0.05, after=""):
    return run(EARLY.format(activities=activities, budget=budget, after=after))


def test_early_works_start_at_the_lease_and_commit_their_whole_cost():
    r = early("{dig: {early: true, duration: 20, cost: $30m}, shell: {after: dig, duration: 100}}")
    assert r.day("a.p1.building_complete") == 160  # dug on day 20; the shell waits for the close on day 60
    assert r.world.sites["a"].spent == 30_000_000
    assert r.links("a")[:2] == [("financing", 60), ("construction", 100)]


def test_what_does_not_fit_the_budget_waits_for_close_and_blocks_nobody():
    r = early("{big: {early: true, duration: 20, cost: $51m}, small: {early: true, duration: 90, cost: $50m}}")
    assert r.day("a.p1.building_complete") == 90  # small from 0 to 90, big from 60 to 80
    network = r.world.sites["a"].phases["p1"].construction._network
    assert {record.name: record.start for record in network.records()} == {"big": 60 * 1440, "small": 0}


def test_the_wait_of_early_works_is_charged_to_financing():
    r = early("{big: {early: true, duration: 20, cost: $51m}}")
    assert r.links("a")[:2] == [("financing", 60), ("construction", 20)]


def test_the_budget_is_used_up_in_file_order_as_activities_get_ready():
    r = early(
        "{x: {early: true, duration: 20, cost: $30m}, y: {early: true, duration: 20, cost: $30m},"
        " z: {early: true, duration: 20, cost: $20m}, later: {early: true, after: x, duration: 20, cost: $0.1m}}"
    )
    network = r.world.sites["a"].phases["p1"].construction._network
    starts = {record.name: record.start // 1440 for record in network.records()}
    assert starts == {"x": 0, "y": 60, "z": 0, "later": 60}


def test_what_is_not_marked_early_waits_for_notice_to_proceed_in_any_case():
    r = early("{dig: {early: true, duration: 20}, shell: {after: dig, duration: 10, cost: $1m}}")
    assert r.day("a.p1.building_complete") == 70


def test_early_works_may_start_after_the_letter():
    r = run("""
    parties: {bank: {lending: {closing: 60}}}
    sites:
      a:
        negotiation: {duration: 90}
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW}
        construction:
          early_works: {after: loi_signed, budget: 0.05}
          activities: {dig: {early: true, duration: 200, cost: $10m}}
    """)
    assert r.day("a.p1.building_complete") == 200
    assert r.links("a")[0] == ("construction", 200)


def test_without_early_works_nothing_is_early():
    r = run("""
    parties: {bank: {lending: {closing: 60}}}
    sites:
      a:
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW}
        construction: {activities: {dig: {early: true, after: lease_signed, duration: 20}}}
    """)
    assert r.day("a.p1.building_complete") == 80


def test_the_budget_is_the_sites_and_its_phases_share_it():
    r = run("""
    parties: {bank: {lending: {closing: 60}}}
    sites:
      a:
        phases: [50 MW, 50 MW]
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW}
        construction:
          early_works: {budget: 0.05}
          activities: {dig: {early: true, duration: 20, cost: $30m}}
    """)
    assert (r.day("a.p1.building_complete"), r.day("a.p2.building_complete")) == (20, 80)


def test_early_works_of_a_second_phase_do_not_wait_for_its_gap():
    r = run("""
    sites:
      a:
        phases: [50 MW, 50 MW]
        construction:
          phase_gap: 100
          early_works: {after: loi_signed, budget: 1}
          activities: {dig: {early: true, duration: 20}, shell: {after: dig, duration: 30}}
    """)
    assert (r.day("a.p1.building_complete"), r.day("a.p2.building_complete")) == (50, 130)


def test_a_crew_is_held_by_early_works_too():
    r = early("{dig: {early: true, duration: 80, team: riggers}, shell: {duration: 10, team: riggers}}")
    assert r.day("a.p1.building_complete") == 90
    assert r.links("a")[:3] == [("financing", 60), ("crews", 20), ("construction", 10)]


# Opening position: past dates are facts, work that was due before the start begins at the start.


def test_a_site_closed_before_the_start_is_charged_step_by_step():
    r = run("""
    sites:
      a:
        initial: {loi_signed: day -100, lease_signed: day -60, financial_close: day -50}
        construction: {activities: {x: {duration: 30}}}
    """)
    assert r.day("a.financial_close") == -50
    assert r.day("a.p1.building_complete") == 30
    trail = r.trail("a")
    assert sum(trail.values()) == 1461 + 100
    assert trail["construction"] == 80
    assert trail["financing"] == 10


def test_a_milestone_given_for_a_phase_replaces_the_steps_before_it():
    r = run("""
    equipment: {transformer: {lead_time: 500}}
    sites:
      a:
        initial: {loi_signed: day -100, financial_close: day -50}
        phases: {p1: {mw: 100, initial: {building_complete: day 70}}}
        construction:
          activities: {x: {duration: 30}}
          equipment: {transformer: {}}
    """)
    assert r.day("a.p1.building_complete") == 70
    assert r.day("a.p1.ready_for_service") == 500


def test_a_future_building_date_beats_the_activities_that_lead_to_it():
    r = run("""
    equipment: {transformer: {lead_time: 10}}
    sites:
      a:
        initial: {loi_signed: day -100, financial_close: day -50}
        phases: {p1: {mw: 100, initial: {building_complete: day 70}}}
        construction: {activities: {x: {duration: 30}}, equipment: {transformer: {}}}
    """)
    assert (r.day("a.p1.building_complete"), r.day("a.p1.ready_for_service")) == (70, 70)


def test_energised_gives_building_and_equipment_too():
    r = run("""
    equipment: {transformer: {lead_time: 500}}
    sites:
      a:
        initial: {loi_signed: day -100, financial_close: day -50}
        phases: {p1: {mw: 100, initial: {energised: day 40}}}
        construction: {activities: {x: {duration: 300}}, equipment: {transformer: {}}, commissioning: {duration: 10}}
    """)
    assert (r.day("a.p1.building_complete"), r.day("a.p1.ready_for_service")) == (40, 50)


def test_activities_that_wait_for_each_other_are_refused():
    with pytest.raises(ScenarioError, match="waits for"):
        run(site("{activities: {x: {after: y, duration: 1}, y: {after: x, duration: 1}}}"))


def test_a_phase_live_in_the_past_puts_its_site_before_it():
    r = run("""
    sites:
      a:
        loi: null
        phases: {p1: {mw: 100, initial: {full_live: day -400}}}
        bring_up: {lot: 1}
    """)
    assert r.days("a")["loi_signed"] <= -400
    assert r.days("a")["notice_to_proceed"] <= -400
    assert (r.state("a"), r.ended("a")) == ("live", -400)


def test_a_budget_is_whole_dollars():
    """0.35 of $700m is $245m, though the product of floats falls short of it."""
    works = "{dig: {early: true, duration: 20, cost: $245m}}"
    r = run(EARLY.format(activities=works, budget=0.35, after=""), "sites: {a: {phases: [70 MW]}}")
    assert r.day("a.p1.building_complete") == 20
