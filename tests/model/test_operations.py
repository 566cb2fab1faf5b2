"""Racks in service: failures, spares and repairs; the end of their life, and what replaces them.

Months begin on days 31, 59, 90, 120, 151. A hall of 10 MW holds a hundred racks, live on day 0.
"""

import pytest
from helpers import Run, Runner, run

from dcsim.quantity.counts import binomial_ppf

HALL = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, per: phase, ordered: lease_signed}}
sites:
  a: {phases: [10 MW], bring_up: {lot: 100}}
"""
FAILURES = "sites.a.phases.p1.bring_up.failures"


def hall(bring_up="{}", product="{}", luck=None, more="{}"):
    parts = (f"sites: {{a: {{bring_up: {bring_up}}}}}", f"chips: {{products: {{rack: {product}}}}}")
    return run(HALL, *parts, more, luck=luck)


def book(r):
    return r.world.chips.racks["lab"]


def failing(count, racks=100, per_year=1.2):
    """A uniform at which so many of the racks fail in a month."""
    return {FAILURES: next(u / 1000 for u in range(1, 1000) if binomial_ppf(u / 1000, racks, per_year / 12) == count)}


def rule(repaired_in, spares=0.0, per_year=1.2):
    return f"{{failures: {{per_year: {per_year}, repaired_in: {repaired_in}, spares: {spares}}}}}"


# Failures.


def test_failures_are_counted_on_the_first_of_each_month():
    r = hall(rule(10), luck=failing(8))
    assert [r.mw("live", day) for day in (30, 31, 40, 41, 58, 59)] == [10, 9.2, 9.2, 10, 10, 9.2]
    assert [r.mw("chips_on_hand", day) for day in (30, 31, 41)] == [0, 0.8, 0]


def test_not_in_the_month_in_which_they_go_live_after_its_first():
    r = run(HALL, f"sites: {{a: {{loi: day 40, bring_up: {rule(10)}}}}}", luck=failing(8))
    assert [r.mw("live", day) for day in (40, 58, 59)] == [10, 10, 9.2]


def test_spares_take_over_in_the_same_minute_and_repaired_racks_become_spares():
    r = hall(rule(10, spares=0.05), luck=failing(8))
    assert book(r).ordered == 105
    assert [r.mw("live", day) for day in (31, 40, 41)] == [9.7, 9.7, 10]
    assert (book(r).live, book(r).spares) == (100, 5)
    r = hall(rule(10, spares=0.08), luck=failing(8))
    assert r.mw("live", 31) == 10


def test_what_is_in_repair_cannot_fail_and_spares_are_not_live():
    """Eight of a hundred fail, and nothing is repaired: then as many as the law says of 92."""
    r = hall(rule(4000), luck=failing(8))
    u = failing(8)[FAILURES]
    second = binomial_ppf(u, 92, 0.1)
    assert r.mw("live", 59) == pytest.approx(10 - 0.8 - second / 10)
    assert book(r).rma + book(r).live == 100


def test_overlapping_repairs():
    """Repairs take 40 days: 1 February's eight are back on day 71, 1 March's on day 99."""
    r = hall(rule(40), luck=failing(8))
    second = binomial_ppf(failing(8)[FAILURES], 92, 0.1)
    down = {58: 8, 59: 8 + second, 70: 8 + second, 71: second}
    assert [r.mw("live", day) for day in down] == [pytest.approx(10 - n / 10) for n in down.values()]


def test_failures_do_not_undo_full_live():
    r = hall(rule(4000), luck=failing(20))
    assert (r.state("a"), r.ended("a"), r.day("a.p1.full_live")) == ("live", 0, 0)


def test_no_failures_unless_said():
    r = hall()
    assert r.mw("live", 1400) == 10


def test_every_month_and_phase_has_its_own_draw():
    r = run(HALL, f"sites: {{a: {{phases: [10 MW, 10 MW], bring_up: {rule(1)}}}}}")
    first = [10 - r.mw("live", day) for day in (31, 59, 90, 120, 151, 181, 212)]
    assert len(set(first)) > 1
    changes = [(minute, mw) for minute, _, measure, mw in r.history.changes if measure == "live" and mw < 0]
    january = [mw for minute, mw in changes if minute == 31 * 1440]
    assert len(january) == 2


# End of life.


def test_racks_leave_at_the_end_of_their_life():
    r = hall(product="{life: 100}")
    assert [r.mw("live", day) for day in (99, 100)] == [10, 0]
    assert r.mw("ready", 100) == 10
    assert (book(r).live, book(r).retired) == (0, 100)
    assert r.outcome("racks_retired") == 100
    assert (r.state("a"), r.phase("a").reached) == ("live", True)  # it has been live


def test_life_runs_from_the_day_on_which_each_rack_goes_live():
    r = hall("{lot: 50, install: {racks_per_day: 50}, burn_in: 4}", "{life: 100}",
             more="chips: {orders: {o: {deliveries: {size: 50, every: 20}}}}")  # fmt: skip
    assert [r.mw("live", day) for day in (5, 25, 104, 105, 124, 125)] == [5, 10, 10, 5, 5, 0]


def test_room_that_racks_leave_is_for_others():
    r = run(HALL, """
    chips:
      products: {rack: {life: 100}}
      orders: {p: {product: rack, racks: 60, ordered: day 50, allocate: {to: sites.a}}}
    """)
    assert [r.mw("live", day) for day in (50, 99, 100, 199, 200)] == [10, 10, 6, 6, 0]
    assert r.phase("a").lots[0][0] == 10  # those that took over are no part of filling it


def test_racks_in_repair_leave_when_their_time_comes():
    """Eight fail on day 90 and would be back on day 110; the hundred leave on day 100."""
    r = hall(rule(20, per_year=1.2), "{life: 100}", luck=failing(8))
    assert r.mw("live", 99) == 9.2
    assert r.mw("live", 100) == 0
    assert (book(r).retired, book(r).rma, book(r).live, book(r).spares) == (100, 0, 0, 0)
    assert r.mw("chips_on_hand", 120) == 0


def test_and_their_places_are_free_at_once():
    r = run(HALL, f"sites: {{a: {{bring_up: {rule(20)}}}}}", """
    chips:
      products: {rack: {life: 100}}
      orders: {p: {product: rack, racks: 100, ordered: day 50, allocate: {to: sites.a}}}
    """, luck=failing(8))  # fmt: skip
    assert [r.mw("live", day) for day in (99, 100)] == [9.2, 10]


# Refresh.


def test_the_same_power_is_ordered_a_lead_time_ahead():
    r = hall("{at_end_of_life: refresh_same_mw}", "{life: 100}", more="chips: {orders: {o: {lead_time: 30}}}")
    assert [p.minute / 1440 for p in r.world.chips.purchases][:3] == [0, 100, 200]  # live on day 30, 130, ...
    assert [r.mw("live", day) for day in (29, 30, 129, 130, 229, 230)] == [0, 10, 10, 10, 10, 10]


def test_replacements_that_take_longer_leave_a_gap():
    more = "chips: {orders: {o: {lead_time: 30}}}"
    r = hall("{at_end_of_life: refresh_same_mw, burn_in: 5}", "{life: 100}", more=more)
    assert [r.mw("live", day) for day in (34, 35, 134, 135, 139, 140)] == [0, 10, 10, 0, 0, 10]


def test_replacements_are_what_is_sold_then():
    r = run(HALL, """
    chips:
      products:
        rack: {life: 100}
        new: {supplier: maker, rack_power: 300 kW, rack_price: $5m, replaces: rack, available: day 50}
      orders: {o: {product: [rack, new]}}
    sites: {a: {bring_up: {at_end_of_life: refresh_same_mw}}}
    """)
    first, second = r.world.chips.purchases
    assert [(p.product, p.racks) for p in (first, second)] == [("rack", 100), ("new", 33)]
    assert [r.mw("live", day) for day in (99, 100, 1000)] == [10, 9.9, 9.9]


def test_each_lot_is_replaced_by_itself():
    r = hall("{lot: 50, at_end_of_life: refresh_same_mw}", "{life: 100}",
             more="chips: {orders: {o: {deliveries: {size: 50, every: 20}}}}")  # fmt: skip
    assert [p.racks for p in r.world.chips.purchases][:3] == [100, 50, 50]
    assert [r.mw("live", day) for day in (0, 20, 99, 100, 120, 500)] == [5, 10, 10, 10, 10, 10]


def test_a_refresh_draws_its_own_lead_time():
    r = hall("{at_end_of_life: refresh_same_mw}", "{life: 100}",
             more="chips: {orders: {o: {lead_time: {uniform: {low: 10, high: 50}}}}}")  # fmt: skip
    leads = [p.deliveries[0].due - p.minute for p in r.world.chips.purchases[:3]]
    assert len(set(leads)) == 3


# Two products in one hall: power is counted rack by rack.


def test_failures_never_take_more_power_than_a_rack_has():
    """Fifty racks of 100 kW on day 0 and ten of 500 kW on day 40; on day 59 and later some of each fail."""
    r = run("""
    parties: {maker: {}}
    chips:
      products:
        small: {supplier: maker, rack_power: 100 kW, rack_price: $2m, life: 300}
        large: {supplier: maker, rack_power: 500 kW, rack_price: $9m}
      orders:
        o: {product: small, racks: 50, ordered: day 0}
        p: {product: large, racks: 10, ordered: day 40}
    sites:
      a: {phases: [10 MW], bring_up: {lot: 50, failures: {per_year: 11, repaired_in: 25}}}
    """)
    lowest = min(r.mw("live", day) for day in range(1400))
    assert lowest >= 0
    assert max(r.mw("live", day) for day in range(1400)) <= 10
    assert r.mw("live", 1461) == pytest.approx(0.5 * book(r).live)  # the small ones have gone


def test_racks_live_before_the_start():
    r = run("""
    parties: {maker: {}}
    chips:
      products: {rack: {supplier: maker, rack_power: 69 kW, rack_price: $2m, life: 300}}
      orders: {o: {product: rack, racks: 150, ordered: day -200, initial: {delivered: 145, to: a.p1},
                   deliveries: {first: day 40}}}
    sites:
      a:
        loi: day -400
        phases: {p1: {mw: 10, initial: {full_live: day -50}}}
        bring_up: {lot: 5, failures: {per_year: 1.2, repaired_in: 10}}
    """, luck=failing(8, 145))  # fmt: skip
    assert r.mw("live", 0) == 10  # 145 racks of 69 kW are 10.005 MW: no more than the phase has
    assert r.mw("live", 31) == pytest.approx(10 - 10 * 8 / 145, abs=1e-3)
    assert [r.mw("live", day) for day in (242, 249, 250)] == [10, pytest.approx(10 - 10 * 8 / 145, abs=1e-3), 0.345]
    assert r.day("a.p1.0.delivered") == 40  # the five that came later wait until there is room
    assert r.day("a.p1.0.live") == 250
    assert book(r).retired == 150


def test_a_repaired_rack_fills_any_place_that_is_empty():
    """Five spares take over for February's eight but three; of March's none waits while a place is empty."""
    r = hall(rule(10, spares=0.05), luck=failing(8))
    assert [r.mw("live", day) for day in (31, 41, 59, 69)] == [9.7, 10, 9.7, 10]
    for day in range(1400):
        assert r.mw("live", day) <= 10
    assert book(r).live + book(r).spares + book(r).rma == 105


def test_odd_lots_of_racks_with_fractions_of_a_kilowatt_add_up():
    """160 racks of 62.5 kW, one by one: 10 MW, not 10.08."""
    r = hall("{lot: 1}", "{rack_power: 62.5 kW, life: 100}")
    assert [r.mw("live", day) for day in (0, 99, 100)] == [10, 10, 0]
    assert r.mw("chips_on_hand", 0) == 0


def test_only_places_never_held_before_count_as_ever_live():
    """Five MW live, then gone; eight MW come: three of them are new, and so eight have ever been live, not thirteen."""
    r = run("""
    parties: {maker: {}}
    chips:
      products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m, life: 100}}
      orders:
        o: {product: rack, racks: 50, ordered: day 0}
        p: {product: rack, racks: 80, ordered: day 150}
        q: {product: rack, racks: 20, ordered: day 160}
    sites: {a: {phases: [10 MW], bring_up: {lot: 100}}}
    """)
    assert r.mw("live", 150) == 8
    assert r.day("a.p1.full_live") == 160
    assert [mw for mw, _ in r.phase("a").lots] == [5, 3, 2]


def test_what_is_less_than_a_rack_is_added_to_the_next_replacement():
    """A hundred lots of one rack of 100 kW, replaced by racks of 150 kW: 66 of them, 9.9 MW."""
    r = run(HALL, """
    chips:
      products:
        rack: {life: 100}
        new: {supplier: maker, rack_power: 150 kW, rack_price: $5m, replaces: rack, available: day 50}
      orders: {o: {product: [rack, new]}}
    sites: {a: {bring_up: {lot: 1, at_end_of_life: refresh_same_mw}}}
    """)
    assert sum(p.racks for p in r.world.chips.purchases if p.product == "new") == 66
    assert r.mw("live", 100) == 9.9
    assert book(r).storage == 0


# One replacement for each lot.


def test_a_lot_is_replaced_by_one_order_when_its_last_rack_leaves():
    """Some of a hundred racks are dead on arrival and come 7 days later; all are replaced by one order on day 107.

    Those accepted on day 0 leave on day 100, so that much power is missing for a week.
    """
    dead = "dead_on_arrival: {chance: 0.1, returned_in: 7}"
    luck = {"sites.a.phases.p1.bring_up.dead_on_arrival": 0.5}
    r = hall(f"{{at_end_of_life: refresh_same_mw, {dead}}}", "{life: 100}", luck=luck)
    late = binomial_ppf(0.5, 100, 0.1)
    purchases = [(p.minute / 1440, p.racks) for p in r.world.chips.purchases]
    again = binomial_ppf(0.5, late, 0.1)
    assert (late, again) == (10, 1)
    assert purchases[:2] == [(0, 100), (114, 100)]  # day 7 brings nine, day 14 the last
    assert [r.mw("live", day) for day in (0, 7, 14, 100, 107)] == [9, 9.9, 10, 1, pytest.approx(0.1)]


# What becomes of racks when the phase ends.


TWO = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, racks: 100, ordered: day 0}}
sites:
  a: {phases: [10 MW], bring_up: {lot: 50}}
  b: {loi: day 300, phases: [10 MW], bring_up: {lot: 25}}
"""


def ends(day, *texts, site="a", luck=None):
    """A run in which a site's lease ends."""
    world = Runner(TWO, *texts, luck=luck).world()
    world.clock.at(day * 1440, lambda: world.sites[site].end("terminated", "test"))
    return Run(world.run(), world)


def test_live_racks_go_back_to_storage_and_to_another_site():
    """Ten MW live on day 0; the lease ends on day 200, and the racks wait until the other site is signed on day 300."""
    r = ends(200)
    assert [r.mw("live", day) for day in (199, 200, 299, 300)] == [10, 0, 0, 10]
    assert [r.mw("chips_on_hand", day) for day in (199, 200, 299, 300)] == [0, 10, 10, 0]
    assert (r.state("a"), r.state("b"), r.day("b.p1.3.live")) == ("live", "live", 300)  # a has been live
    assert r.day("b.p1.0.delivered") == 0
    assert (book(r).delivered, book(r).live, book(r).storage) == (100, 100, 0)


@pytest.mark.parametrize("bring_up", ["burn_in: 5", "cabling: 5", "receive: 5", "install: {racks_per_day: 5}"])
def test_what_would_be_done_in_the_very_minute_is_not(bring_up):
    """Lots of 25 racks, brought up in five days, and the lease ends on the fifth: all racks go back, and to b."""
    r = ends(5, f"sites: {{a: {{bring_up: {{{bring_up}}}}}}}")
    assert [r.mw("live", day) for day in (4, 5, 299, 300)] == [0, 0, 0, 10]
    assert (book(r).bring_up, book(r).live) == (0, 100)


def test_they_keep_their_age():
    """A life of 500 days in service, 200 of them at the first site: 300 are left at the second."""
    r = ends(200, "chips: {products: {rack: {life: 500}}}")
    assert [r.mw("live", day) for day in (300, 599, 600)] == [10, 10, 0]
    assert book(r).retired == 100
    assert r.mw("chips_on_hand", 600) == 0


def test_what_has_left_for_good_does_not_come_back():
    """The racks retire on day 100, sixty new ones come on day 150; when the lease ends, only those come back.

    They go live at b on day 1400, with 50 of their 100 days used.
    """
    r = ends(200, "chips: {products: {rack: {life: 100}}, orders: {p: {product: rack, racks: 60, ordered: day 150}}}",
             "sites: {b: {loi: day 1400}}")  # fmt: skip
    assert [r.mw("live", day) for day in (99, 100, 150, 200)] == [10, 0, 6, 0]
    assert [r.mw("chips_on_hand", day) for day in (100, 150, 200)] == [0, 0, 6]
    assert [r.mw("live", day) for day in (1400, 1449, 1450)] == [6, 6, 0]
    assert book(r).retired == 160


def test_spares_and_racks_in_repair_come_back_too():
    """105 racks, eight fail on day 31: five spares take over; the lease ends on day 35 with three places empty."""
    r = ends(35, """
    chips: {orders: {o: {racks: 105}}}
    sites:
      a: {bring_up: {lot: 105, failures: {per_year: 1.2, repaired_in: 10, spares: 0.05}}}
      b: {loi: day 1400, bring_up: {lot: 105}}
    """, luck=failing(8))  # fmt: skip
    assert [r.mw("live", day) for day in (31, 34, 35)] == [9.7, 9.7, 0]
    assert [r.mw("chips_on_hand", day) for day in (30, 31, 35, 45)] == [0.5, 0.8, 10.5, 10.5]
    assert (book(r).spares, book(r).rma, book(r).live, book(r).storage) == (0, 0, 100, 5)


def test_racks_overdue_to_leave_when_the_lease_ends_are_gone():
    """Eight of a hundred fail on day 90 and are in repair until day 110; the hundred leave on day 100."""
    r = ends(105, """
    chips: {products: {rack: {life: 100}}}
    sites: {a: {bring_up: {lot: 100, failures: {per_year: 1.2, repaired_in: 20}}}, b: {loi: day 1400}}
    """, luck=failing(8))  # fmt: skip
    assert (book(r).retired, book(r).rma, book(r).storage) == (100, 0, 0)
    assert [r.mw("chips_on_hand", day) for day in (99, 100, 105, 120)] == [0.8, 0, 0, 0]


def test_racks_of_before_the_start_come_back_with_the_power_that_the_file_says():
    """145 racks of 69 kW in a phase of 10 MW: each counts for 10/145 MW. Spent on day 40, or before they are live."""
    text = """
    chips:
      products: {rack: {rack_power: 69 kW}}
      orders: {o: {racks: 145, ordered: day -200, initial: {delivered: 145, to: a.p1}}}
    sites:
      a: {loi: day -400, phases: {p1: {mw: 10, initial: {full_live: DATE}}}}
      b: {loi: day 100, phases: [20 MW], bring_up: {lot: 5}}
    """
    for date, live in (("day -50", 10), ("day 60", 0)):
        r = ends(40, text.replace("DATE", date))
        assert [r.mw("live", day) for day in (39, 40, 100)] == [live, 0, 10]
        assert [r.mw("chips_on_hand", day) for day in (39, 40, 100)] == [0, 10, 0]
        assert (book(r).live, book(r).storage) == (145, 0)


def test_racks_that_are_half_way_come_back_and_those_that_went_live_too():
    """Twenty of each fifty are dead on arrival; the lease ends before they are back."""
    r = ends(5, """
    sites:
      a: {bring_up: {dead_on_arrival: {chance: 0.2, returned_in: 20}}}
      b: {loi: day 1400, bring_up: {lot: 100}}
    """, luck={"sites.a.phases.p1.bring_up.dead_on_arrival": 0.5})  # fmt: skip
    assert [r.mw("live", day) for day in (4, 5)] == [8, 0]
    assert [r.mw("chips_on_hand", day) for day in (4, 5, 1399, 1400)] == [2, 10, 10, 0]
    assert book(r).rma == 0
