"""When chips are ordered, how many, and what becomes of orders. Day 31 is 1 February, 59 March, 90 April, 120 May."""

from helpers import run

CHIPS = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
defaults: {site: {bring_up: {lot: 1000}}}
"""


def order(text, site="{}", more="{}", luck=None):
    """One order `o` and one site `a` of 100 MW: a thousand racks."""
    return run(CHIPS, f"chips: {{orders: {{o: {{product: rack, {text}}}}}}}\nsites: {{a: {site}}}", more, luck=luck)


def placed(r, phase=""):
    """Days on which purchases were made (for a phase)."""
    return [p.minute / 1440 for p in r.world.chips.purchases if phase in ("", p.phase and p.phase.who)]


def racks(r):
    return [p.racks for p in r.world.chips.purchases]


def came(r):
    """(day, racks) of each delivery that came."""
    return [(d.due / 1440, d.racks) for p in r.world.chips.purchases for d in p.deliveries if d.arrived]


# Fixed dates.


def test_a_fixed_date_waits_for_nobody():
    r = order("racks: 500, ordered: day 40, lead_time: 60", "{negotiation: {duration: 200}}")
    assert (placed(r), came(r)) == ([40], [(100, 500)])
    assert r.day("a.p1.0.delivered") == 100


def test_an_order_of_the_past_keeps_its_date_and_its_lead_time():
    r = order("racks: 500, ordered: day -30, lead_time: 60")
    assert (placed(r), came(r)) == ([-30], [(30, 500)])


def test_what_was_due_before_the_start_comes_at_the_start():
    assert came(order("racks: 500, ordered: day -90, lead_time: 60")) == [(0, 500)]


def test_dollars_buy_whole_racks():
    assert racks(order("amount: $1999m, ordered: day 1")) == [999]
    price = "chips: {products: {rack: {rack_price: $0.2m}}}"
    assert racks(order("amount: $0.6m, ordered: day 1", more=price)) == [3]  # 0.6 / 0.2 is less than 3 in floats


def test_deliveries_of_equal_size_the_first_ones_take_the_remainder():
    r = order("racks: 10, ordered: day 0, deliveries: {count: 4, first: day 50, every: 10}")
    assert came(r) == [(50, 3), (60, 3), (70, 2), (80, 2)]


def test_deliveries_of_a_size_the_last_takes_what_is_left():
    r = order("racks: 10, ordered: day 0, lead_time: 5, deliveries: {size: 4, every: 10}")
    assert came(r) == [(5, 4), (15, 4), (25, 2)]


def test_each_delivery_slips_by_itself():
    slip = "slip: {uniform: {low: 0, high: 10}}"
    r = order(f"racks: 10, ordered: day 0, lead_time: 5, deliveries: {{count: 2, every: 20, {slip}}}")
    (first, _), (second, _) = came(r)
    assert 5 < first < 15
    assert 25 < second < 35
    assert second - first != 20


# Milestones, per phase.


def test_a_milestone_order_is_made_for_each_phase_and_fills_it():
    r = order(
        "per: phase, ordered: {after: financial_close, delay: 20}, lead_time: 30",
        "{phases: [40 MW, 60 MW], negotiation: {duration: 50}}",
    )
    assert placed(r) == [70, 70]
    assert racks(r) == [400, 600]
    assert came(r) == [(100, 400), (100, 600)]


def test_a_phase_milestone_orders_for_that_phase():
    r = order(
        "per: phase, ordered: building_complete",
        "{phases: [40 MW, 60 MW], construction: {phase_gap: 25, activities: {x: {duration: 50}}}}",
    )
    assert (placed(r, "a.p1"), placed(r, "a.p2")) == ([50], [75])


def test_a_date_per_phase_is_not_before_the_lease():
    assert placed(order("per: phase, ordered: day 30", "{negotiation: {duration: 50}}")) == [50]
    assert placed(order("per: phase, ordered: day 70", "{negotiation: {duration: 50}}")) == [70]


def test_spares_are_ordered_with_the_racks_that_fill_the_phase():
    site = "{bring_up: {lot: 50, failures: {per_year: 0, repaired_in: 4, spares: 0.05}}}"
    r = order("per: phase, ordered: lease_signed", site)
    assert racks(r) == [1050]
    assert r.world.chips.racks["lab"].spares == 50
    assert r.mw("live", 1) == 100


def test_a_phase_that_is_shelved_gets_no_order():
    r = order("per: phase, ordered: lease_signed", "{phases: {p1: {mw: 40}, p2: {mw: 60, decision: shelve}}}")
    assert racks(r) == [400]


def test_orders_go_to_the_phases_they_name():
    r = run(CHIPS, """
    chips: {orders: {o: {product: rack, per: phase, ordered: lease_signed, allocate: {to: [sites.@far, sites.b.p2]}}}}
    sites: {a: {tags: [near]}, b: {phases: [10 MW, 20 MW]}, c: {tags: [far], phases: [30 MW]}}
    """)  # fmt: skip
    assert [(p.phase.who, p.racks) for p in r.world.chips.purchases] == [("b.p2", 200), ("c.p1", 300)]


# The lead policy: the first minute at or after forecast RFS - median lead time - buffer.


def lead(buffer, lead_time, construction, more="", luck=None, not_before="lease_signed"):
    policy = f"{{lead: {{buffer: {buffer}, not_before: {not_before}}}}}"
    r = order(
        f"per: phase, ordered: {policy}, lead_time: {lead_time}", f"{{construction: {construction}, {more}}}", luck=luck
    )
    return placed(r, "a.p1")


X = "sites.a.phases.p1.construction.activities.x.duration"
LAW = "{uniform: {low: 0, high: 200}}"  # median 100


def test_it_is_placed_so_many_days_before_the_forecast():
    assert lead(30, 100, "{activities: {x: {duration: 365}}}") == [235]
    assert lead(30, 100, "{activities: {x: {duration: 365}}, commissioning: {duration: 20}}") == [255]


def test_the_lead_time_counts_at_its_median():
    assert lead(30, "{uniform: {low: 50, high: 150}}", "{activities: {x: {duration: 365}}}") == [235]


def test_late_already_it_is_placed_when_the_lease_is_signed():
    assert lead(30, 500, "{activities: {x: {duration: 100}}}", "negotiation: {duration: 60}") == [60]


def test_and_not_before_other_milestones_either():
    works = "{activities: {x: {duration: 100}}, energy_services: {delay: 70}}"
    assert lead(30, 500, works, not_before="[lease_signed, energy_services]") == [70]


def test_a_negative_buffer_orders_late():
    assert lead(-20, 10, "{activities: {x: {duration: 100}}}") == [110]


def test_what_is_late_is_forecast_for_now():
    """x should have ended on day 100: on 1 May it is forecast for that day, and the order for 30 days after."""
    assert lead(-30, 0, f"{{activities: {{x: {{duration: {LAW}}}}}}}", luck={X: 0.95}) == [150]
    path = "sites.a.phases.p1.construction.commissioning.duration"
    assert lead(-30, 0, f"{{commissioning: {{duration: {LAW}}}}}", luck={path: 0.95}) == [150]


def test_a_phase_ready_already_is_ordered_for_at_once():
    assert lead(30, 10, "{}") == [0]


def test_forecasts_are_made_on_the_first_of_each_month():
    """x then 200 days. From 1 May on x is late: forecasts 320 on day 120, then 350 once x has ended on day 150."""
    works = f"{{activities: {{x: {{duration: {LAW}}}, y: {{after: x, duration: 200}}}}}}"
    luck = {X: 150 / 200}
    assert lead(100, 50, works, luck=luck) == [200]
    # 350 - 229: on day 120 the forecast of 1 May (320 - 229 = 91 is past) orders at once
    assert lead(179, 50, works, luck=luck) == [71]  # 300 - 229, before anybody knows better
    # Due on day 130 by all forecasts up to 1 April; on 1 May it is due on 150, within the month.
    assert lead(120, 50, works, luck=luck) == [150]


def test_between_firsts_nothing_is_known_of_an_activity():
    """x ends on day 101 instead of 100, y follows: known on 1 May only, after the order of day 110."""
    works = f"{{activities: {{x: {{duration: {LAW}}}, y: {{after: x, duration: 200}}}}}}"
    assert lead(140, 50, works, luck={X: 101 / 200}) == [110]
    assert lead(130, 50, works, luck={X: 101 / 200}) == [121]


def test_forecasts_are_made_at_milestones_too():
    """Equipment comes on day 80 instead of 300: the forecast falls to 200, and the order is overdue."""
    r = run(CHIPS, """
    equipment: {transformer: {lead_time: {uniform: {low: 0, high: 600}}}}
    chips: {orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 50}}, lead_time: 100}}}
    sites: {a: {construction: {activities: {x: {duration: 200}}, equipment: {transformer: {}}}}}
    """, luck={"sites.a.phases.p1|equipment.transformer.lead_time": 80 / 600})  # fmt: skip
    assert r.day("a.p1.equipment_on_site") == 80
    assert placed(r) == [80]


def test_an_order_due_at_the_minute_of_a_first_is_due_by_the_new_forecast():
    """Due on day 120 by the old forecasts; on 1 May, that very minute, x is known to be late."""
    works = f"{{activities: {{x: {{duration: {LAW}}}, y: {{after: x, duration: 200}}}}}}"
    assert lead(130, 50, works, luck={X: 119 / 200}) == [139]


def test_forecasts_ignore_queues():
    """b waits for a's crew: until then its work is forecast to begin at once, on each 1st anew."""
    r = run(CHIPS, """
    crews: {riggers: 1}
    chips: {orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 50}}}}}
    defaults: {site: {construction: {activities: {x: {duration: 100, team: riggers}}}}}
    sites: {a: {}, b: {}}
    """)
    assert placed(r, "a.p1") == [50]
    assert placed(r, "b.p1") == [150]  # 1 February: 131; 1 March: 159; 1 April: 190; 1 May, begun on day 100: 200


def test_equipment_in_a_queue_is_forecast_from_now():
    r = run(CHIPS, """
    equipment: {transformer: {lead_time: 100, made: 1/month}}
    chips: {orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 50}}}}}
    defaults: {site: {construction: {equipment: {transformer: {}}}}}
    sites: {a: {}, b: {}, c: {}}
    """)
    # Started on days 0, 31 and 59; c's is forecast for day 100 on day 0, for 131 on day 31, for 159 on day 59.
    assert [placed(r, f"{s}.p1") for s in "abc"] == [[50], [81], [109]]


def test_the_forecast_runs_through_the_whole_chain():
    """Close and power at medians too; energy services 20 days after the lease, the grid 300 after that."""
    works = "{activities: {x: {duration: 100}}, energy_services: {delay: 20}, grid: [{share: 1, delay: 300}]}"
    assert lead(0, 90, works) == [230]
    works = "{phase_gap: 40, activities: {x: {duration: 100}}}"
    r = order("per: phase, ordered: {lead: {buffer: 10}}", f"{{phases: [40 MW, 60 MW], construction: {works}}}")
    assert (placed(r, "a.p1"), placed(r, "a.p2")) == ([90], [130])


def test_early_works_and_permits_are_in_the_forecast():
    activities = "{dig: {early: true, duration: 40}, x: {after: dig, duration: 100}}"
    works = f"{{early_works: {{budget: 1}}, activities: {activities}}}"
    assert lead(10, 0, works) == [130]


def test_a_loan_on_its_way_is_in_the_forecast():
    r = run(CHIPS, """
    parties: {bank: {lending: {closing: 60}}}
    chips: {orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 10}}, lead_time: 20}}}
    sites:
      a:
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW}
        construction: {activities: {x: {duration: 100}}}
    """)
    assert placed(r) == [130]


def test_a_phase_that_ends_is_not_ordered_for():
    r = run(CHIPS, """
    parties: {bank: {lending: {closing: 60, ltc: 0.5}}}
    chips: {orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 50}}}}}
    sites:
      a:
        financing: {lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}
        construction: {activities: {x: {duration: 100}}}
    """)
    assert r.state("a") == "unfinanced"
    assert (r.ended("a"), placed(r)) == (60, [])  # due on day 110


# Products.

NEXT = """
chips:
  products:
    old: {supplier: maker, rack_power: 100 kW, rack_price: $2m}
    new: {supplier: maker, rack_power: 200 kW, rack_price: $5m, replaces: old, available: AVAILABLE}
  orders: {o: {product: [old, new], per: phase, ordered: lease_signed, lead_time: 50}}
sites: {a: {negotiation: {duration: 100}}}
"""


def bought(available, luck=None):
    r = run(CHIPS, NEXT.replace("AVAILABLE", available), luck=luck)
    (purchase,) = r.world.chips.purchases
    return purchase.product, purchase.racks


def test_the_newest_product_that_can_be_delivered_is_bought():
    assert bought("day 151") == ("old", 1000)
    assert bought("day 150") == ("new", 500)  # power and price of a rack come together
    assert bought("2026-01-01") == ("new", 500)


def test_a_joint_development_is_a_factor_on_the_date():
    available = "day 120, joint_development: {with: [lab, maker], delay_times: 1.25}"
    assert bought(available) == ("new", 500)
    assert bought(available.replace("1.25", "1.26")) == ("old", 1000)


def test_no_delivery_before_the_product_is_available():
    r = run(CHIPS, """
    chips:
      products: {rack: {available: day 90}}
      orders: {o: {product: rack, racks: 100, ordered: day 0, lead_time: 50, deliveries: {count: 2, every: 10}}}
    sites: {a: {}}
    """)
    assert came(r) == [(90, 50), (100, 50)]


# Rights.

DEFER = """
chips:
  orders:
    o: {{product: rack, per: phase, ordered: lease_signed, lead_time: 100, deliveries: {{count: 2, every: 30}},
         rights: {{defer: {{up_to: {up_to}, notice: {notice}}}}}}}
sites: {{a: {{construction: {{activities: {{x: {{duration: 300}}}}}}}}}}
"""


def deferred(up_to, notice):
    return [day for day, _ in came(run(CHIPS, DEFER.format(up_to=up_to, notice=notice)))]


def test_deliveries_are_postponed_to_the_forecast_within_the_right():
    assert deferred(0, 0) == [100, 130]
    assert deferred(50, 0) == [150, 180]
    assert deferred(500, 0) == [300, 330]


def test_postponing_takes_notice():
    assert deferred(500, 69) == [300, 330]  # on 1 February, 69 days before the first
    assert deferred(500, 70) == [100, 130]


RIGHT = "{defer: {up_to: 500, notice: 30}}"


def test_postponing_knows_the_forecast_of_its_day():
    """On 1 May x is known to be late, and the racks due on day 150 are postponed that day."""
    r = run(CHIPS, f"""
    chips:
      orders:
        o: {{product: rack, per: phase, ordered: lease_signed, lead_time: 150, rights: {RIGHT}}}
    sites: {{a: {{construction: {{activities: {{x: {{duration: {LAW}}}, y: {{after: x, duration: 50}}}}}}}}}}
    """, luck={X: 0.9})  # fmt: skip
    # Forecast 150 until 1 April; 1 May: 120 + 50 = 170; then too little notice (170 - 151 < 30).
    assert came(r) == [(170, 1000)]


def test_even_where_somebody_watches_the_forecast_all_along():
    """The same with power instead of building; the hall waits for early access, five days before the forecast."""
    r = run(CHIPS, f"""
    chips:
      orders:
        o: {{product: rack, per: phase, ordered: lease_signed, lead_time: 150, rights: {RIGHT}}}
    sites:
      a:
        bring_up: {{early_access: 5}}
        construction: {{grid: [{{mw: 10, delay: {LAW}}}, {{mw: 90, after: previous, delay: 50}}]}}
    """, luck={"sites.a.construction.grid.0.delay": 0.9})  # fmt: skip
    assert came(r) == [(170, 1000)]


UNFINANCED = """
parties: {{bank: {{lending: {{closing: 60, ltc: 0.5}}}}}}
chips:
  orders:
    o: {{product: rack, per: phase, ordered: lease_signed, lead_time: 40, deliveries: {{count: 4, every: 10}},
         rights: {{redirect: {redirect}}}, allocate: {{to: [sites.a, sites.b]}}}}
sites:
  a: {{financing: {{lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}}}}
  b: {{loi: day 200, bring_up: {{lot: 250}}}}
"""


def test_racks_of_a_phase_that_ended_are_cancelled_unless_they_may_go_elsewhere():
    # a ends on day 60; two of four deliveries are there (days 40 and 50), one comes that very minute, one is to come.
    r = run(CHIPS, UNFINANCED.format(redirect="false"), "sites: {b: {phases: [10 MW], bring_up: {lot: 100}}}")
    assert r.state("a") == "unfinanced"
    book = r.world.chips.racks["lab"]
    assert book.cancelled in (250, 500)
    assert book.delivered + book.cancelled == book.ordered == 1100


def test_or_go_to_other_phases_under_lease():
    r = run(CHIPS, UNFINANCED.format(redirect="true"))
    book = r.world.chips.racks["lab"]
    assert book.cancelled == 0
    assert book.delivered == 2000  # b orders for itself as well
    assert r.mw("live", 199) == 0
    assert r.mw("live", 200) == 100  # a's racks, which waited in storage for somebody's lease
    assert book.storage == 1000


def test_racks_ordered_for_a_phase_wait_for_it_alone():
    r = run(CHIPS, """
    chips: {orders: {o: {product: rack, per: phase, ordered: lease_signed}}}
    sites: {a: {construction: {activities: {x: {duration: 100}}}}, b: {}}
    """)
    assert (r.day("a.p1.first_live"), r.day("b.p1.first_live")) == (100, 0)


def test_every_phase_draws_its_own_delay_and_lead_time():
    r = order(
        "per: phase, ordered: {after: lease_signed, delay: {uniform: {low: 0, high: 50}}},"
        " lead_time: {uniform: {low: 0, high: 50}}",
        "{phases: [40 MW, 60 MW]}",
    )
    first, second = (p for p in r.world.chips.purchases)
    assert first.minute != second.minute
    assert first.deliveries[0].due - first.minute != second.deliveries[0].due - second.minute


def test_a_second_order_for_a_phase_finds_it_filled():
    """Whatever is on its way, or in storage: 400 of the thousand come with the first, by nine deliveries."""
    r = run(CHIPS, """
    chips:
      orders:
        o: {product: rack, per: phase, ordered: lease_signed, lead_time: 90}
        p: {product: rack, per: phase, ordered: {after: lease_signed, delay: 30}}
        q: {product: rack, per: phase, ordered: {after: lease_signed, delay: 100}}
    sites: {a: {}}
    """)
    assert racks(r) == [1000]


def test_redirected_racks_come_in_the_lots_of_where_they_go():
    r = run(CHIPS, UNFINANCED.format(redirect="true"), "chips: {orders: {o: {lead_time: 100, deliveries: {count: 1}}}}")
    assert r.state("a") == "unfinanced"
    assert [route.lot.racks for route in r.world.sites["b"].phases["p1"].hall.routes] == [250] * 4
    assert r.mw("live", 200) == 100


def test_deliveries_of_the_past_come_at_the_start_and_the_others_on_their_days():
    r = order("racks: 8, ordered: day -100, deliveries: {count: 4, first: day -50, every: 30}")
    assert came(r) == [(0, 2), (0, 2), (10, 2), (40, 2)]


def test_what_was_delivered_before_the_start_is_part_of_the_order():
    hall = "{phases: {p1: {mw: 10, initial: {full_live: day -20}}}, loi: day -300}"
    for to in ("a.p1", "sites.a.p1"):
        r = order(f"racks: 150, ordered: day -200, lead_time: 220, initial: {{delivered: 100 racks, to: {to}}}", hall)
        assert came(r) == [(20, 50)]
        book = r.world.chips.racks["lab"]
        assert (book.ordered, book.delivered, book.live, book.storage) == (150, 150, 100, 50)
        assert r.mw("live", 0) == 10
    r = order("racks: 150, ordered: day -200, lead_time: 220, initial: {delivered: 100 racks}", "{bring_up: {lot: 50}}")
    assert r.mw("live", 0) == 10  # from storage
    assert r.mw("live", 20) == 15
