"""Commissioning, ready for service and its rent; target and outside dates, and the days that are excused."""

from helpers import run

RETEST = "sites.a.phases.p1.construction.commissioning.retest"


def site(construction="{}", lease="{}", more="", luck=None):
    return run(f"sites: {{a: {{construction: {construction}, lease: {lease}, {more}}}}}", luck=luck)


# Commissioning.


def test_it_follows_building_equipment_and_power():
    text = """
    equipment: {{transformer: {{lead_time: {equipment}}}}}
    sites:
      a:
        construction:
          activities: {{x: {{duration: {building}}}}}
          equipment: {{transformer: {{}}}}
          grid: [{{share: 1, delay: {power}}}]
          commissioning: {{duration: 30}}
    """
    for days, cause in (((90, 80, 70), "construction"), ((80, 90, 70), "equipment"), ((80, 70, 90), "grid")):
        building, equipment, power = days
        r = run(text.format(building=building, equipment=equipment, power=power))
        assert r.day("a.p1.commissioned") == r.day("a.p1.ready_for_service") == 120
        assert r.links("a")[:2] == [(cause, 90), ("commissioning", 30)]


def test_of_ways_that_end_together_building_comes_first_then_equipment():
    r = run("""
    equipment: {transformer: {lead_time: 90}}
    sites:
      a:
        construction:
          activities: {x: {duration: 90}}
          equipment: {transformer: {}}
          grid: [{share: 1, delay: 90}]
    """)
    assert r.trail("a")["construction"] == 90
    r = run("""
    equipment: {transformer: {lead_time: 90}}
    sites: {a: {construction: {equipment: {transformer: {}}, grid: [{share: 1, delay: 90}]}}}
    """)
    assert r.trail("a")["equipment"] == 90


def test_a_retest_repeats_the_duration_once():
    works = "{commissioning: {duration: 30, retest: 0.2}}"
    assert site(works, luck={RETEST: 0.79}).day("a.p1.commissioned") == 30
    r = site(works, luck={RETEST: 0.81})
    assert r.day("a.p1.commissioned") == 60
    assert r.links("a")[:2] == [("commissioning", 30), ("commissioning", 30)]


def test_even_a_certain_retest_ends_it():
    assert site("{commissioning: {duration: 30, retest: 1}}").day("a.p1.commissioned") == 60


def test_the_repeated_duration_is_the_one_drawn():
    r = site("{commissioning: {duration: {uniform: {low: 10, high: 30}}, retest: 1}}")
    (_, first), (_, second) = r.links("a")[:2]
    assert first == second


def test_without_commissioning_a_phase_is_ready_at_once():
    r = site("{activities: {x: {duration: 90}}}")
    assert r.day("a.p1.commissioned") == r.day("a.p1.ready_for_service") == 90


# Rent.


def test_rent_commences_when_ready_chips_or_no_chips():
    assert site("{activities: {x: {duration: 90}}}").day("a.p1.rent_commencement") == 90


def test_rent_may_commence_on_a_fixed_date_ready_or_not():
    works = "{activities: {x: {duration: 90}}}"
    assert site(works, "{rent_commencement: 2027-03-01}").day("a.p1.rent_commencement") == 59
    assert site(works, "{rent_commencement: 2027-12-01}").day("a.p1.rent_commencement") == 334


def test_rent_never_commences_before_the_lease():
    r = site(lease="{rent_commencement: 2027-01-15}", more="negotiation: {duration: 40}")
    assert r.day("a.p1.rent_commencement") == 40


def test_rent_that_commenced_before_the_start():
    r = site(lease="{rent_commencement: 2026-12-01}", more="initial: {loi_signed: day -90, lease_signed: day -60}")
    assert r.day("a.p1.rent_commencement") == -31


# Target and outside dates. `p1` builds 100 days after the close on day 0; days_past_outside is what is past.


def late(lease, construction, more="", luck=None):
    r = site(construction, lease, more, luck)
    return r.outcome("days_past_outside"), r.outcome("excused_days")


def test_the_target_may_be_a_date():
    assert late("{target: 2027-02-01, outside: 30}", "{activities: {x: {duration: 100}}}") == (39, 0)
    assert late("{target: 2027-02-01, outside: 69}", "{activities: {x: {duration: 100}}}") == (0, 0)


def test_or_the_plan_at_medians_from_the_close_and_a_float():
    """A building of median 100 days takes 160; close on day 40."""
    works = "{activities: {x: {duration: {uniform: {low: 20, high: 180}}}}}"
    luck = {"sites.a.phases.p1.construction.activities.x.duration": 140 / 160}
    more = "negotiation: {duration: 40}"
    assert late("{outside: 0}", works, more, luck) == (60, 0)
    assert late("{float: 20, outside: 15}", works, more, luck) == (25, 0)
    assert late("{float: 20, outside: 40}", works, more, luck) == (0, 0)


def test_no_outside_date_no_lateness():
    assert late("{target: 2027-02-01}", "{activities: {x: {duration: 100}}}") == (0, 0)


GRID = """{
  activities: {x: {duration: 50}}, grid: [{share: 1, after: financial_close, delay: {uniform: {low: 0, high: 200}}}]
}"""


def power(days):
    return {"sites.a.construction.grid.0.delay": days / 200}


def test_days_of_excused_causes_beyond_the_plan_move_the_outside_date():
    """The grid's median is 100 days and the building's 50: on the plan 100 days are the grid's."""
    assert late("{outside: 0}", GRID, luck=power(160)) == (0, 60)
    assert late("{outside: 0, excused: [permits]}", GRID, luck=power(160)) == (60, 0)


def test_what_is_gained_is_not_charged():
    assert late("{target: 2027-01-01, outside: 0}", GRID, luck=power(60)) == (60, 0)


def test_only_days_on_the_trail_excuse():
    """Power is 60 days late, but the building is later still: the grid is not on the trail."""
    works = GRID.replace("duration: 50", "duration: 180")
    assert late("{outside: 0}", works, luck=power(160)) == (0, 0)
    works = GRID.replace("duration: 50", "duration: {uniform: {low: 0, high: 200}}")
    luck = {**power(160), "sites.a.phases.p1.construction.activities.x.duration": 190 / 200}
    assert late("{outside: 0}", works, luck=luck) == (90, 0)


def test_each_cause_is_floored_by_itself():
    """Permits take 30 instead of 60 days, the grid then 60 more than planned: 60 are excused, not 30."""
    works = """{activities: {p: {duration: {uniform: {low: 20, high: 100}}, permit: true}},
                grid: [{share: 1, after: p, delay: {uniform: {low: 0, high: 200}}}]}"""
    works = works.replace("after: p,", "after: financial_close,")
    luck = {"sites.a.phases.p1.construction.activities.p.duration": 10 / 80, **power(160)}
    assert late("{outside: 0}", works, luck=luck) == (0, 60)


def test_days_before_the_close_do_not_excuse():
    """The grid's works begin with the letter; of its 160 days, 100 lie before the close, as on the plan."""
    works = "{grid: [{share: 1, after: loi_signed, delay: {uniform: {low: 0, high: 400}}}]}"
    luck = {"sites.a.construction.grid.0.delay": 260 / 400}
    more = "negotiation: {duration: 100}"
    # On the plan 200 days, 100 of them after the close; now 260, 160 of them after.
    assert late("{outside: 0}", works, more, luck) == (0, 60)


def test_a_late_close_takes_days_off_what_is_excused():
    """The close comes on day 150 instead of 100: 110 of the grid's 260 days lie after it, 100 on the plan."""
    works = "{grid: [{share: 1, after: loi_signed, delay: {uniform: {low: 0, high: 400}}}]}"
    luck = {"sites.a.construction.grid.0.delay": 260 / 400, "sites.a.negotiation.duration": 0.75}
    more = "negotiation: {duration: {uniform: {low: 0, high: 200}}}"
    assert late("{outside: 0}", works, more, luck) == (50, 10)  # the target is day 200


def test_a_phase_not_ready_at_the_horizon_is_past_its_outside_date_too():
    """Read as the trail would close at the horizon: day 1461, of a target of day 31."""
    assert late("{target: 2027-02-01, outside: 30}", "{activities: {x: {duration: 5000}}}") == (1400, 0)
    past, excused = late("{target: 2027-02-01, outside: 30}", "{grid: [{share: 1, delay: 5000}]}")
    assert (past, excused) == (1400, 0)  # 1461 days are charged to the grid, of 1461 planned by then


def test_each_phase_has_its_own_dates():
    r = run("""
    sites:
      a:
        phases: [50 MW, 50 MW]
        lease: {target: 2027-02-01, outside: 0}
        construction: {phase_gap: 20, activities: {x: {duration: 31}}}
    """)
    assert [p.past_outside // 1440 for p in r.world.sites["a"].phases.values()] == [0, 20]
    assert r.outcome("days_past_outside") == 20


def test_the_plan_is_read_at_ready_for_service_not_at_live():
    """On the plan the tenant's own works are the last to end; the grid's planned days are those until ready."""
    r = run("""
    chips:
      products: {rack: {supplier: lab, rack_power: 100 kW, rack_price: 1}}
      orders: {all: {product: rack, racks: 1000, ordered: day 0}}
    sites:
      a:
        lease: {outside: 0}
        construction: {grid: [{share: 1, after: financial_close, delay: {uniform: {low: 0, high: 200}}}]}
        bring_up: {lot: 1000, tenant_works: {duration: 300}}
    """, luck=power(160))  # fmt: skip
    assert r.day("a.p1.full_live") == 300
    assert r.outcome("excused_days") == 60
