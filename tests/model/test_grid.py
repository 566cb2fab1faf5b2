"""Power: ramps, regions that connect only so much, phases fed in file order, bridging power."""

from helpers import run


def energised(r, *phases):
    return [r.day(f"{phase}.energised") for phase in phases]


def site(construction, phases="[40 MW, 60 MW]", more=""):
    return run(f"sites: {{a: {{phases: {phases}, construction: {construction}, {more}}}}}")


# Energy services and ramps.


def test_without_a_ramp_power_is_there_at_notice_to_proceed():
    r = site("{}", more="negotiation: {duration: 50}")
    assert energised(r, "a.p1", "a.p2") == [50, 50]
    assert "grid" not in r.trail("a")


def test_the_ramp_follows_the_agreement_with_the_utility():
    r = site("{grid: [{share: 1, delay: 100}], energy_services: {delay: 20}}", more="negotiation: {duration: 50}")
    assert r.day("a.energy_services") == 70
    assert energised(r, "a.p1", "a.p2") == [170, 170]
    assert r.links("a")[:3] == [("negotiation", 50), ("grid", 20), ("grid", 100)]


def test_steps_add_and_phases_are_fed_in_file_order():
    r = site("{grid: [{mw: 40, delay: 100}, {mw: 60, after: previous, delay: 30}]}")
    assert energised(r, "a.p1", "a.p2") == [100, 130]
    r = site("{grid: [{mw: 39, delay: 100}, {mw: 61, after: previous, delay: 30}]}")
    assert energised(r, "a.p1", "a.p2") == [130, 130]


def test_a_later_phase_is_not_fed_before_an_earlier_one():
    r = site("{grid: [{mw: 60, delay: 100}, {mw: 40, after: previous, delay: 30}]}", "[100 MW, 60 MW]")
    assert energised(r, "a.p1", "a.p2") == [130, None]


def test_steps_may_come_from_different_milestones_and_in_any_order():
    r = site("{grid: [{mw: 70, delay: 200}, {mw: 50, after: lease_signed, delay: 100}]}")
    assert energised(r, "a.p1", "a.p2") == [100, 200]


def test_it_takes_the_facility_power_at_peak():
    pue = "pue: {peak: 1.3, average: 1.1}"
    r = site("{grid: [{mw: 52, delay: 100}, {mw: 78, after: previous, delay: 30}]}", more=pue)
    assert energised(r, "a.p1", "a.p2") == [100, 130]
    r = site("{grid: [{mw: 51.9, delay: 100}, {mw: 79, after: previous, delay: 30}]}", more=pue)
    assert energised(r, "a.p1", "a.p2") == [130, 130]


def test_facility_power_as_reported_is_what_the_grid_brings():
    r = site("{grid: [{mw: 40, delay: 100}]}", "[40 MW]", more="pue: {peak: 1.25}, reported_basis: facility")
    assert r.phase("a").mw == 32
    assert energised(r, "a.p1") == [100]


def test_shares_are_of_all_the_phases():
    r = site("{grid: [{share: 0.4, delay: 100}, {share: 0.6, after: previous, delay: 30}]}", more="pue: {peak: 1.3}")
    assert energised(r, "a.p1", "a.p2") == [100, 130]


def test_too_little_power_never_reaches_the_last_phase():
    r = site("{grid: [{share: 0.99, delay: 100}]}")
    assert energised(r, "a.p1", "a.p2") == [100, None]
    assert r.trail("a.p2")["grid"] == 1461


def test_power_that_comes_before_the_building_waits_for_it_and_is_not_charged():
    r = site("{grid: [{share: 1, delay: 50}], activities: {x: {duration: 80}}}")
    assert r.day("a.p1.ready_for_service") == 80
    assert "grid" not in r.trail("a")


def test_energised_power_counts_from_then():
    r = site("{grid: [{mw: 40, delay: 100}, {mw: 60, after: previous, delay: 30}]}")
    assert [r.mw("energised", day) for day in (99, 100, 130)] == [0, 40, 100]


# Regions.

REGION = """
regions: {{r: {region}}}
defaults: {{site: {{region: r}}}}
sites: {{{sites}}}
"""


def region(limits, **sites):
    """Sites by name: (MW, day from which their step is due)."""
    step = "{{share: 1, after: loi_signed, delay: {day}}}"
    entries = ", ".join(
        f"{name}: {{loi: day 0, phases: [{mw} MW], construction: {{grid: [{step.format(day=day)}]}}}}"
        for name, (mw, day) in sites.items()
    )
    return run(REGION.format(region=limits, sites=entries))


def powered(r, sites):
    return energised(r, *(f"{s}.p1" for s in sites))


def test_a_limit_connects_whole_steps_in_the_order_of_asking():
    r = region("{limit: 150}", a=(100, 20), b=(100, 10), c=(50, 30))
    assert powered(r, "abc") == [None, 10, None]  # a waits for 100, and c behind it
    assert r.trail("a")["grid"] == 1461


def test_steps_that_are_due_in_one_minute_go_in_file_order():
    assert powered(region("{limit: 100}", b=(60, 10), a=(60, 10)), "ba") == [10, None]


def test_connections_accrue_on_the_first_of_each_month():
    # 120 MW a year: 10 on 1 January, 20 on 1 February, 30 on 1 March, ...
    r = region("{connects: 120 MW/year}", a=(10, 5), b=(20, 5), c=(5, 5))
    assert powered(r, "abc") == [5, 59, 90]


def test_what_is_not_connected_is_still_there_later():
    r = region("{connects: 120 MW/year}", a=(100, 304))  # eleven twelfths by 1 November
    assert powered(r, "a") == [304]


def test_a_limit_and_what_accrues_add_up():
    r = region("{limit: 50, connects: 120 MW/year}", a=(60, 5), b=(10, 5))
    assert powered(r, "ab") == [5, 31]


def test_the_wait_for_the_region_is_charged_to_the_grid():
    r = region("{connects: 120 MW/year}", a=(20, 5))
    assert r.links("a")[:2] == [("grid", 5), ("grid", 26)]


def test_a_site_that_ends_returns_its_power_in_that_minute():
    # a takes the limit on day 10 and is lost on day 40; b gets it then.
    r = run("""
    regions: {r: {limit: 100}}
    defaults: {site: {region: r}}
    sites:
      a: {loi: {signed: day 0, exclusivity: 40}, negotiation: {duration: 60},
          construction: {grid: [{share: 1, after: loi_signed, delay: 10}]}}
      b: {construction: {grid: [{share: 1, after: loi_signed, delay: 20}]}}
    """)
    assert r.state("a") == "lost"
    assert energised(r, "b.p1") == [40]
    assert r.links("b")[:2] == [("grid", 20), ("grid", 20)]


def test_a_site_that_ends_while_it_waits_makes_room():
    r = run("""
    regions: {r: {limit: 50}}
    defaults: {site: {region: r}}
    sites:
      a: {loi: {signed: day 0, exclusivity: 40}, negotiation: {duration: 60},
          construction: {grid: [{share: 1, after: loi_signed, delay: 10}]}}
      b: {phases: [50 MW], construction: {grid: [{share: 1, after: loi_signed, delay: 20}]}}
    """)
    assert energised(r, "b.p1") == [40]


def test_regions_are_apart_and_sites_without_region_have_no_limit():
    r = run("""
    regions: {r: {limit: 100}, s: {limit: 100}}
    defaults: {site: {construction: {grid: [{share: 1, delay: 10}]}}}
    sites: {a: {region: r}, b: {region: s}, c: {}}
    """)
    assert powered(r, "abc") == [10, 10, 10]


def test_a_region_without_limit_connects_everything():
    assert powered(region("{energy: $50/MWh}", a=(5000, 10)), "a") == [10]


# Bridging power.


def test_bridging_power_energises_before_the_grid_comes():
    r = site("{grid: [{share: 1, delay: 500}], bridge: {share: 1, delay: 100}}")
    assert energised(r, "a.p1", "a.p2") == [100, 100]


def test_bridging_power_asks_no_region():
    r = run("""
    regions: {r: {limit: 10}}
    sites: {a: {region: r, construction: {grid: [{share: 1, delay: 50}], bridge: {share: 1, delay: 100}}}}
    """)
    assert energised(r, "a.p1") == [100]


def test_grid_and_bridging_power_add_up():
    r = site("{grid: [{mw: 60, delay: 200}], bridge: {mw: 40, delay: 100}}")
    assert energised(r, "a.p1", "a.p2") == [100, 200]


def test_power_already_there_when_asked_for():
    r = site("{grid: [{share: 1, after: loi_signed}]}", more="negotiation: {duration: 50}")
    assert energised(r, "a.p1") == [0]
    assert r.day("a.p1.ready_for_service") == 50
    assert r.trail("a")["negotiation"] == 50


# Phases that are shelved.


def test_a_shelved_phase_leaves_its_power_to_those_behind_it():
    r = site("{grid: [{mw: 60, delay: 100}]}", "{p1: {mw: 40, decision: shelve}, p2: {mw: 60}}")
    assert r.state("a.p1") == "shelved"
    assert energised(r, "a.p2") == [100]


def test_a_shelved_phase_is_not_connected():
    """Shares are of what is built: a half that is shelved takes nothing of the region."""
    r = run("""
    regions: {r: {limit: 100}}
    defaults: {site: {region: r, construction: {grid: [{share: 1, delay: 10}]}}}
    sites:
      a: {phases: {p1: {mw: 50}, p2: {mw: 50, decision: shelve}}}
      b: {phases: [50 MW]}
    """)
    assert energised(r, "a.p1", "b.p1") == [10, 10]


def test_a_share_is_of_the_declared_phases_even_if_some_are_shelved():
    """Half a site cannot be later than the whole: the first half of the ramp feeds the first phase either way."""
    text = """
    sites:
      a: {phases: {p1: {mw: 50}, p2: {mw: 50%s}}, construction: {grid: [
        {share: 0.5, delay: 200}, {share: 0.5, after: previous, delay: 200}]}}
    """
    whole, half = run(text % ""), run(text % ", decision: shelve")
    assert whole.day("a.p1.energised") == half.day("a.p1.energised") == 200
    assert whole.day("a.p2.energised") == 400
