"""Which phases get the racks: lots, room, leases, and the three policies."""

from helpers import run

CHIPS = """
parties: {maker: {}}
chips: {products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}}
defaults: {site: {bring_up: {lot: 100}}}
"""


def lots(r, phase):
    """(racks, day assigned) of each lot of a phase, by its number."""
    routes = r.world.sites[phase.split(".")[0]].phases[phase.split(".")[1]].hall.routes
    return [(route.lot.racks, route.lot.delivered / 1440) for route in routes]


def storage(r):
    return [lot.racks for lot in r.world.chips.stored["lab"]]


def orders(text, sites, *more):
    return run(CHIPS, f"chips: {{orders: {text}}}", f"sites: {sites}", *more)


# Lots.


def test_a_delivery_is_cut_into_lots_the_last_of_what_is_left():
    r = orders("{o: {product: rack, racks: 250, ordered: day 5}}", "{a: {}}")
    assert lots(r, "a.p1") == [(100, 5), (100, 5), (50, 5)]
    assert r.day("a.p1.full_live") is None
    assert r.mw("live", 5) == 25


def test_deliveries_are_not_merged_into_lots():
    r = orders("{o: {product: rack, racks: 120, ordered: day 5, deliveries: {count: 2}}}", "{a: {}}")
    assert lots(r, "a.p1") == [(60, 5), (60, 5)]


def test_racks_for_anybody_come_in_the_smallest_lots():
    r = orders(
        "{o: {product: rack, racks: 120, ordered: day 5}}", "{a: {bring_up: {lot: 100}}, b: {bring_up: {lot: 40}}}"
    )
    assert lots(r, "a.p1") == [(40, 5)] * 3


def test_racks_for_a_phase_come_in_its_own_lots():
    r = orders(
        "{o: {product: rack, per: phase, ordered: lease_signed}}",
        "{a: {phases: [20 MW], bring_up: {lot: 100}}, b: {phases: [8 MW], bring_up: {lot: 40}}}",
    )
    assert lots(r, "a.p1") == [(100, 0), (100, 0)]
    assert lots(r, "b.p1") == [(40, 0), (40, 0)]


def test_a_delivery_may_be_split_over_phases():
    r = orders("{o: {product: rack, racks: 500, ordered: day 5}}", "{a: {phases: [30 MW, 20 MW]}}")
    assert [len(lots(r, "a.p1")), len(lots(r, "a.p2"))] == [3, 2]
    assert (r.state("a.p1"), r.state("a.p2")) == ("live", "live")


# Room.


def test_a_phase_never_holds_more_than_its_power():
    r = orders("{o: {product: rack, racks: 500, ordered: day 5}}", "{a: {phases: [30 MW]}}")
    assert len(lots(r, "a.p1")) == 3
    assert storage(r) == [100, 100]
    assert r.mw("chips_on_hand", 5) == 20


def test_a_lot_larger_than_the_room_waits_and_lets_smaller_ones_pass():
    r = orders(
        "{big: {product: rack, racks: 100, ordered: day 5}, small: {product: rack, racks: 30, ordered: day 6}}",
        "{a: {phases: [5 MW]}}",
    )
    assert lots(r, "a.p1") == [(30, 6)]
    assert storage(r) == [100]


def test_the_power_of_a_rack_decides_how_many_fit():
    r = run(CHIPS, """
    chips:
      products: {rack: {rack_power: 300 kW}}
      orders: {o: {product: rack, per: phase, ordered: lease_signed}}
    sites: {a: {phases: [10 MW]}}
    """)
    assert lots(r, "a.p1") == [(33, 0)]  # 9.9 MW
    assert r.state("a") == "live"


# Leases.


def test_racks_wait_for_a_lease():
    site = "{a: {phases: [10 MW], negotiation: {duration: 60}}}"
    r = orders("{o: {product: rack, racks: 100, ordered: day 5}}", site)
    assert r.day("a.p1.full_live") == 60
    assert r.day("a.p1.0.delivered") == 5
    assert r.trail("a") == {"negotiation": 60}


def test_and_go_past_a_phase_that_has_none():
    r = orders(
        "{o: {product: rack, racks: 100, ordered: day 5, allocate: {by: fixed}}}",
        "{a: {phases: [10 MW], negotiation: {duration: 60}}, b: {phases: [10 MW], negotiation: {duration: 20}}}",
    )
    assert (lots(r, "a.p1"), lots(r, "b.p1")) == ([], [(100, 5)])


def test_not_for_the_building():
    r = orders(
        "{o: {product: rack, racks: 100, ordered: day 5}}",
        "{a: {phases: [10 MW], construction: {activities: {x: {duration: 60}}}},"
        " b: {phases: [10 MW], construction: {activities: {x: {duration: 30}}}}}",
    )
    assert r.day("b.p1.first_live") == 30  # the earlier ready date
    assert r.day("a.p1.first_live") is None


def test_racks_of_a_phase_that_ends_return_to_storage_and_go_elsewhere():
    r = run(CHIPS, """
    parties: {bank: {lending: {closing: 60, ltc: 0.5}}}
    chips: {orders: {o: {product: rack, racks: 300, ordered: day 5, allocate: {by: fixed}}}}
    sites:
      a: {phases: [30 MW], financing: {lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}}
      b: {phases: [20 MW], construction: {activities: {x: {duration: 10}}}}
    """)
    assert r.state("a") == "unfinanced"
    assert len(lots(r, "a.p1")) == 3  # assigned on day 5, and never entered
    assert [r.day(f"b.p1.{n}.live") for n in (0, 1)] == [60, 60]
    assert storage(r) == [100]
    assert r.world.chips.racks["lab"].storage == 100
    assert r.mw("chips_on_hand", 59) == 30
    assert r.mw("chips_on_hand", 60) == 10
    assert r.trail("b") == {"construction": 10, "chips": 50}


# Policies.

TWO = """
chips: {{orders: {{o: {{product: rack, racks: {racks}, ordered: day 5, allocate: {{by: {by}}}}}}}}}
sites:
  a: {{phases: [40 MW], construction: {{activities: {{x: {{duration: 90}}}}}}}}
  b: {{phases: [20 MW], construction: {{activities: {{x: {{duration: 60}}}}}}}}
"""


def split(by, racks):
    r = run(CHIPS, TWO.format(by=by, racks=racks))
    return len(lots(r, "a.p1")), len(lots(r, "b.p1"))


def test_the_earliest_ready_date_goes_first():
    assert [split("earliest_rfs", n) for n in (200, 300, 600)] == [(0, 2), (1, 2), (4, 2)]


def test_fixed_goes_in_file_order():
    assert [split("fixed", n) for n in (300, 500)] == [(3, 0), (4, 1)]


def test_pro_rata_keeps_them_filled_alike():
    # Least filled first, of equals the first in the file: a 1/4, b 1/2, a 2/4, then equal again.
    assert [split("pro_rata", n) for n in (100, 200, 300, 400, 600)] == [(1, 0), (1, 1), (2, 1), (3, 1), (4, 2)]


def test_of_equal_ready_dates_the_first_in_the_file():
    r = orders("{o: {product: rack, racks: 100, ordered: day 5}}", "{b: {phases: [10 MW]}, a: {phases: [10 MW]}}")
    assert (len(lots(r, "b.p1")), len(lots(r, "a.p1"))) == (1, 0)


def test_only_the_phases_named():
    r = orders(
        "{o: {product: rack, racks: 300, ordered: day 5, allocate: {to: [sites.b, sites.a.p2]}}}",
        "{a: {phases: [10 MW, 10 MW]}, b: {phases: [10 MW]}}",
    )
    assert [len(lots(r, p)) for p in ("a.p1", "a.p2", "b.p1")] == [0, 1, 1]
    assert storage(r) == [100]


def test_only_the_tenants_own_sites():
    r = orders(
        "{o: {tenant: other, product: rack, racks: 200, ordered: day 5}}",
        "{a: {phases: [10 MW]}, b: {tenant: other, phases: [10 MW]}}",
        "tenants: {other: {}}\nparties: {other: {}}",
    )
    assert (r.state("a"), r.state("b")) == ("pending", "live")


def test_orders_of_one_minute_are_assigned_in_file_order():
    """Both come on day 30; the one that is first in the file was ordered later."""
    r = orders(
        "{x: {product: rack, racks: 100, ordered: day 20, lead_time: 10},"
        " y: {product: rack, racks: 100, ordered: day 0, lead_time: 30}}",
        "{a: {phases: [10 MW]}}",
    )
    assert [route.lot.purchase.id for route in r.world.sites["a"].phases["p1"].hall.routes] == ["x"]


def test_what_waits_longer_in_storage_goes_first():
    r = orders(
        "{x: {product: rack, racks: 100, ordered: day 20}, y: {product: rack, racks: 100, ordered: day 10}}",
        "{a: {phases: [10 MW], negotiation: {duration: 40}}}",
    )
    assert [route.lot.purchase.id for route in r.world.sites["a"].phases["p1"].hall.routes] == ["y"]
