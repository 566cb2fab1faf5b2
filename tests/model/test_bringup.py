"""Bring-up of lots: early access, tenant works, crews and their calendars, racks dead on arrival, lots of one rack."""

import pytest
from helpers import by_cause, run

from dcsim.quantity.counts import binomial_ppf

HALL = """
parties: {maker: {}}
tenants: {lab: {teams: {install: 1}}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, racks: 100, ordered: day 0}}
sites:
  a: {phases: [10 MW], bring_up: {lot: 100}}
"""
DOA = "sites.a.phases.p1.bring_up.dead_on_arrival"


def hall(bring_up="{}", site="{}", order="{}", luck=None, more="{}"):
    parts = (f"sites: {{a: {{bring_up: {bring_up}}}}}", f"sites: {{a: {site}}}", f"chips: {{orders: {{o: {order}}}}}")
    return run(HALL, *parts, more, luck=luck)


def late(days):
    return f"{{construction: {{activities: {{x: {{duration: {days}}}}}}}}}"


def live(r, *lots):
    return [r.day(f"a.p1.{lot}.live") for lot in lots]


# The way of a lot.


def test_what_is_not_said_takes_no_time():
    assert live(hall(), 0) == [0]


def test_receive_install_cable_burn_in():
    r = hall("{receive: 2, install: {team: install, racks_per_day: 20}, cabling: 5, burn_in: 7}")
    assert r.day("a.p1.0.installed") == 7  # the end of install, before cabling
    assert live(r, 0) == [19]
    assert r.links("a") == [("bring_up", 2), ("bring_up", 5), ("bring_up", 5), ("bring_up", 7)]


def test_a_lot_waits_for_the_hall_and_the_hall_for_a_lot():
    assert hall("{burn_in: 7}", late(50)).trail("a") == {"construction": 50, "bring_up": 7}
    r = hall("{burn_in: 7}", late(50), "{ordered: day 70}")
    assert r.trail("a") == {"construction": 50, "chips": 20, "bring_up": 7}


def test_each_lot_draws_its_own_days():
    r = hall("{lot: 50, burn_in: {uniform: {low: 1, high: 9}}}")
    first, second = live(r, 0, 1)
    assert first != second


# Crews.


def test_a_crew_installs_one_lot_at_a_time_and_is_not_needed_for_more():
    bring_up = "{lot: 25, install: {team: install, racks_per_day: 5}, cabling: 3, burn_in: 4}"
    r = hall(bring_up)
    assert live(r, 0, 1, 2, 3) == [12, 17, 22, 27]
    assert r.trail("a") == {"crews": 15, "bring_up": 12}
    r = hall(bring_up, more="tenants: {lab: {teams: {install: 2}}}")
    assert live(r, 0, 1, 2, 3) == [12, 12, 17, 17]


def test_the_crew_goes_to_who_is_ready_first_then_in_file_order():
    r = run(HALL, """
    chips: {orders: {o: {racks: 300}}}
    defaults: {site: {bring_up: {lot: 100, install: {team: install, racks_per_day: 10}}}}
    sites:
      a: {construction: {activities: {x: {duration: 5}}}}
      c: {phases: [10 MW]}
      b: {phases: [10 MW]}
    """)
    assert [r.day(f"{s}.p1.full_live") for s in "acb"] == [30, 10, 20]


def test_crews_rest():
    """Day 0 is a Friday; closed on 4 to 6 January, days 3 to 5: Friday, then the 7th on."""
    team = "{count: 1, works: [mon, tue, wed, thu, fri], closed: [{from: 01-04, until: 01-06}]}"
    more = f"tenants: {{lab: {{teams: {{install: {team}}}}}}}"
    r = hall("{install: {team: install, racks_per_day: 50}, burn_in: 1}", more=more)
    assert r.day("a.p1.0.installed") == 7
    assert live(r, 0) == [8]  # burn-in needs no crew


def test_no_crew_is_needed_unless_said():
    r = hall("{lot: 25, install: {racks_per_day: 5}}")
    assert live(r, 0, 1, 2, 3) == [5, 5, 5, 5]


def test_a_crew_is_freed_when_a_phase_ends():
    r = run(HALL, """
    parties: {bank: {lending: {closing: 60, ltc: 0.5}}}
    chips: {orders: {o: {racks: 200}}}
    defaults: {site: {bring_up: {lot: 100, early_access: 1000, install: {team: install, racks_per_day: 1}}}}
    sites:
      a:
        initial: {lease_signed: day 0}
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}
        phases: {p1: {mw: 10}}
        construction:
          early_works: {after: loi_signed, budget: 1}
          activities: {x: {early: true, duration: 5}, y: {duration: 5}}
      b: {phases: [10 MW], loi: day 1}
    """)
    assert r.state("a") == "unfinanced"
    assert r.day("b.p1.0.installed") == 101  # a's hall is not open before its building is complete


# Early access: from the later of `building_complete` and forecast ready - n days.

POWER = "{{construction: {{activities: {{x: {{duration: {building}}}}}, grid: [{{share: 1, delay: {power}}}]}}}}"
STEPS = "{receive: 1, install: {racks_per_day: 20}, cabling: 3, burn_in: 7, early_access: 30}"


def test_racks_come_in_some_days_before_and_power_on_waits():
    r = hall(STEPS, POWER.format(building=50, power=100))
    assert r.day("a.p1.0.installed") == 70 + 1 + 5
    assert live(r, 0) == [107]
    assert r.trail("a") == {"grid": 100, "bring_up": 7}


def test_not_before_the_building_is_complete():
    r = hall(STEPS, POWER.format(building=90, power=100))
    assert r.day("a.p1.0.installed") == 96
    assert live(r, 0) == [107]


def test_what_is_not_done_by_then_goes_on():
    r = hall(STEPS, POWER.format(building=98, power=100))
    assert live(r, 0) == [98 + 9 + 7]
    assert r.trail("a") == {"construction": 98, "bring_up": 16}


def test_without_early_access_nothing_comes_in_before_ready():
    r = hall(STEPS.replace("early_access: 30", "early_access: 0"), POWER.format(building=50, power=100))
    assert live(r, 0) == [116]


def test_early_access_goes_by_the_forecasts_of_the_firsts_and_of_milestones():
    """Power has a median of 100 days and takes 140: by the forecasts up to 1 April the hall opens on day 70."""
    power = "{uniform: {low: 0, high: 200}}"
    luck = {"sites.a.construction.grid.0.delay": 0.7}
    r = hall(STEPS, POWER.format(building=50, power=power), luck=luck)
    assert r.day("a.p1.0.installed") == 76  # too early, and it stays
    assert live(r, 0) == [147]
    # Five days before, it would open on day 95; on 1 April that still holds.
    r = hall(STEPS.replace("30", "5"), POWER.format(building=50, power=power), luck=luck)
    assert r.day("a.p1.0.installed") == 101
    # Two steps of power, 80 and 40 days by their medians: 120 less 20 is day 100; on 1 April, day 90, the first is
    # late, and ready is forecast for 90 + 40 days: the hall opens on day 110.
    grid = "[{mw: 1, delay: {uniform: {low: 0, high: 160}}}, {mw: 9, after: previous, delay: 40}]"
    site = f"{{construction: {{activities: {{x: {{duration: 50}}}}, grid: {grid}}}}}"
    r = hall(STEPS.replace("30", "20"), site, luck=luck)
    assert r.day("a.p1.0.installed") == 116
    assert live(r, 0) == [112 + 40 + 7]


def test_chips_that_come_after_the_hall_opened_are_charged_for_what_they_delay():
    r = hall(STEPS, POWER.format(building=50, power=100), "{ordered: day 80}")
    assert live(r, 0) == [107]  # 80 + 9 = 89, in time
    assert r.trail("a") == {"grid": 100, "bring_up": 7}
    r = hall(STEPS, POWER.format(building=50, power=100), "{ordered: day 95}")
    assert live(r, 0) == [95 + 9 + 7]
    trail = r.trail("a")
    assert sum(trail.values()) == 111
    assert trail["bring_up"] == 16


# Tenant works gate the first power-on.


def test_power_on_waits_for_the_tenants_own_works():
    r = hall("{install: {racks_per_day: 20}, burn_in: 7, tenant_works: {duration: 90}}", late(50))
    assert r.day("a.p1.0.installed") == 55
    assert live(r, 0) == [97]
    assert r.trail("a") == {"tenant_works": 90, "bring_up": 7}


def test_tenant_works_in_time_are_not_charged():
    r = hall("{burn_in: 7, tenant_works: {duration: 40}}", late(50))
    assert r.trail("a") == {"construction": 50, "bring_up": 7}


def test_tenant_works_start_at_the_lease_or_where_they_are_told():
    r = hall("{tenant_works: {duration: 90}}", "{negotiation: {duration: 30}}")
    assert live(r, 0) == [120]
    assert r.trail("a") == {"negotiation": 30, "tenant_works": 90}
    works = "{tenant_works: {after: building_complete, delay: 10, duration: 90}}"
    assert live(hall(works, late(50)), 0) == [150]


def test_only_the_first_power_on_waits():
    r = hall("{lot: 50, tenant_works: {duration: 90}}", order="{deliveries: {count: 2, first: day 0, every: 100}}")
    assert live(r, 0, 1) == [90, 100]


# Dead on arrival.

DEAD = "{burn_in: 7, dead_on_arrival: {chance: 0.1, returned_in: 21}}"


def dead(*counts):
    """Uniforms at which so many of what is tested are dead, round by round."""
    found, left = {}, 100
    for round_, count in enumerate(counts):
        found[round_] = next(u / 1000 for u in range(1, 1000) if binomial_ppf(u / 1000, left, 0.1) == count)
        left = count
    return found


def test_racks_go_live_as_they_are_accepted_and_the_lot_with_the_last():
    r = hall(DEAD, luck={DOA: dead(4)[0]})
    assert [r.mw("live", day) for day in (6, 7, 27, 28)] == [0, 9.6, 9.6, 10]
    assert r.mw("chips_on_hand", 7) == 0.4
    assert r.day("a.p1.first_live") == 7
    assert r.day("a.p1.full_live") == 7  # 96 % live
    assert live(r, 0) == [28]
    assert (r.state("a"), r.ended("a")) == ("live", 28)
    assert r.trail("a") == {"bring_up": 7, "repair": 21}


def test_below_95_percent_the_phase_is_live_with_those_that_return():
    r = hall(DEAD, luck={DOA: dead(6)[0]})
    assert r.day("a.p1.full_live") == 28


def test_the_turnaround_includes_the_new_test_and_may_repeat():
    """Nine in ten are dead every time: 100, then 93, 86, ... until none is."""
    bring_up = "{burn_in: 7, dead_on_arrival: {chance: 0.3, returned_in: 10}}"
    r = hall(bring_up, luck={DOA: 0.5})
    left, rounds = 100, 0
    while left := binomial_ppf(0.5, left, 0.3):
        rounds += 1
    assert rounds > 1
    assert live(r, 0) == [7 + 10 * rounds]
    assert r.trail("a") == {"bring_up": 7, "repair": 10 * rounds}


def test_racks_in_repair_at_the_horizon_are_neither_live_nor_lost():
    r = hall(DEAD.replace("21", "5000"), luck={DOA: dead(6)[0]})
    book = r.world.chips.racks["lab"]
    assert (book.live, book.rma) == (94, 6)
    assert (r.state("a"), r.ended("a")) == ("pending", 1461)
    assert r.trail("a") == {"bring_up": 7, "repair": 1454}


# Live is 95 % of the MW, whatever the trail.


def test_full_live_is_95_percent_and_the_trail_runs_to_the_last_lot():
    r = hall("{lot: 5}", order="{deliveries: {count: 20, first: day 0, every: 10}}")
    assert r.day("a.p1.full_live") == 180  # the nineteenth of twenty
    assert (r.state("a"), r.ended("a")) == ("live", 190)
    assert r.trail("a") == {"chips": 190}
    assert r.phase("a").reached


def test_a_last_lot_that_never_comes_alive_leaves_the_phase_live_and_its_trail_open():
    r = hall(
        "{lot: 5, install: {team: install, racks_per_day: 5}}",
        order="{deliveries: {count: 20, first: day 0, every: 10}}",
        more="horizon: 2027-07-09",  # day 189; 24:00 is day 190
    )
    assert r.state("a") == "live"
    assert r.day("a.p1.full_live") == 181
    twenty = "{deliveries: {count: 20, first: day 0, every: 10}}"
    r = hall("{lot: 5, burn_in: 5}", order=twenty, more="horizon: 2027-07-12")
    # The twentieth lot is in burn-in on day 193, 24:00 of the horizon.
    assert (r.state("a"), r.day("a.p1.full_live")) == ("live", 185)
    assert not r.phase("a").reached
    assert r.ended("a") == 193
    assert r.trail("a") == {"chips": 190, "bring_up": 3}


# Lots of one rack.


def test_a_lot_may_be_one_rack():
    r = hall("{lot: 1, install: {team: install, racks_per_day: 10}, burn_in: 1}")
    assert live(r, 0, 1, 99) == pytest.approx([1.1, 1.2, 11])
    assert r.day("a.p1.full_live") == pytest.approx(10.5)
    assert r.trail("a") == {"crews": pytest.approx(9.9), "bring_up": pytest.approx(1.1)}
    assert len(r.phase("a").lots) == 100
    assert sum(mw for mw, _ in r.phase("a").lots) == pytest.approx(10)


def test_every_lot_has_its_trail_from_the_letter_to_its_end():
    r = hall("{lot: 30, install: {team: install, racks_per_day: 10}, burn_in: 2}", late(5))
    ends = [sum(by_cause(trail).values()) for _, trail in r.phase("a").lots]
    assert ends == live(r, 0, 1, 2, 3) == [10, 13, 16, 17]


def test_without_bring_up_a_ready_phase_waits_for_chips():
    r = run("sites: {a: {construction: {activities: {x: {duration: 90}}}}}")
    assert r.trail("a") == {"construction": 90, "chips": 1371}
    assert r.state("a") == "pending"


# Drivers.


def test_a_driver_hits_every_burn_in_of_tagged_sites():
    driver = "drivers: {firmware: {chance: 0.3, hits: [sites.@new.bring_up.burn_in], times: 2, plus: 5}}"
    r = hall("{burn_in: 7}", "{tags: [new]}", more=driver, luck={"drivers.firmware.happens": 0.71})
    assert live(r, 0) == [19]
    r = hall("{burn_in: 7}", "{tags: [new]}", more=driver, luck={"drivers.firmware.happens": 0.69})
    assert live(r, 0) == [7]
