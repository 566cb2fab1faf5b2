"""A supplier's monthly output: on the 1st it is shared among what is due by the end of that month.

Day 0 is 1 January; months begin on days 31, 59, 90, 120, 151, 181.
"""

import pytest
from helpers import run, scenario

from dcsim.model.blueprint import Blueprint
from dcsim.model.supply import Supplier
from dcsim.model.world import simulate_plan

MAKER = """
parties: {maker: {supply: {racks: 100/month}}}
chips: {products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}}
defaults: {site: {bring_up: {lot: 100}}}
sites: {a: {}}
"""


def ordering(orders):
    return "chips: {orders: {" + ", ".join(f"{id}: {{product: rack, {text}}}" for id, text in orders.items()) + "}}"


def made(orders, *more):
    """Days on which the deliveries of each order came."""
    r = run(MAKER, ordering(orders), *more)
    came = {id: [] for id in orders}
    for purchase in r.world.chips.purchases:
        for d in purchase.deliveries:
            event = ("delivered", purchase.id, f"delivery {d.index + 1}: {d.racks} racks")
            came[purchase.id] += [minute / 1440 for minute, *what in r.history.events if tuple(what) == event]
    return came


def order(racks, day=0, **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f"racks: {racks}, ordered: day {day}{extra}"


def test_a_lead_time_holds_within_the_output():
    assert made({"o": order(100, 0, lead_time=20)}) == {"o": [20]}


def test_the_excess_queues():
    assert made({"o": order(250, 0, lead_time=20)}) == {"o": [59]}  # whole, once the third month's racks are there


def test_of_several_deliveries_each_comes_when_it_is_whole():
    assert made({"o": order(300, deliveries="{count: 3, first: day 20}")}) == {"o": [20, 31, 59]}
    assert made({"o": order(240, deliveries="{count: 3, first: day 20}")}) == {"o": [20, 31, 59]}
    assert made({"o": order(240, deliveries="{count: 4, first: day 20}")}) == {"o": [20, 31, 31, 59]}


def test_a_delivery_shares_in_the_month_in_which_it_is_due():
    """Due on 28 February: it takes February's racks; due on 1 March, March's."""
    first = order(100, 0, lead_time=35)
    assert made({"x": first, "o": order(100, 0, lead_time=58)}) == {"x": [35], "o": [59]}
    assert made({"x": first, "o": order(100, 0, lead_time=59)}) == {"x": [35], "o": [59]}
    assert made({"o": order(100, 0, lead_time=58)}) == {"o": [58]}


def test_what_is_ordered_after_the_first_waits_for_the_next():
    assert made({"o": order(10, 5, lead_time=3)}) == {"o": [31]}
    assert made({"o": order(10, 5, lead_time=40)}) == {"o": [45]}


def test_output_not_taken_is_not_carried_over():
    assert made({"o": order(150, 0, lead_time=100)}) == {"o": [120]}  # due in April: 100 on 1 April, 50 on 1 May


def test_the_output_changes_by_steps_from_dates():
    steps = "parties: {maker: {supply: {racks: {2027-01-01: 0/month, 2027-02-01: 50/month, 2027-02-15: 500/month}}}}"
    assert made({"o": order(100)}, steps) == {"o": [59]}  # 50 on 1 February, enough on 1 March
    assert made({"o": order(50)}, steps) == {"o": [31]}


def test_others_outside_take_their_share():
    share = "parties: {maker: {supply: {racks: 100/month, share_for_this_world: 0.305}}}"  # 30.5 rounds to 31
    assert made({"o": order(31)}, share) == {"o": [0]}
    assert made({"o": order(32)}, share) == {"o": [31]}


def test_a_supplier_without_limit_delivers_when_due():
    r = run("""
    parties: {maker: {}}
    chips:
      products: {rack: {supplier: maker, rack_power: 1 kW, rack_price: $2m}}
      orders: {o: {product: rack, racks: 100000, ordered: day 5, lead_time: 3}}
    sites: {a: {bring_up: {lot: 100000}}}
    """)
    assert r.day("a.p1.0.delivered") == 8


# Sharing. Three ways.


def sharing(rule):
    return f"parties: {{maker: {{supply: {{sharing: {rule}}}}}}}"


def test_first_come_by_the_day_it_is_due_then_ordered_then_in_file_order():
    orders = {"late": order(100, 0, lead_time=20), "soon": order(100, 0, lead_time=10)}
    assert made(orders) == {"late": [31], "soon": [10]}
    orders = {"x": order(100, -5, lead_time=25), "y": order(100, -9, lead_time=29)}
    assert made(orders) == {"x": [31], "y": [20]}
    orders = {"x": order(100, 0, lead_time=20), "y": order(100, 0, lead_time=20)}
    assert made(orders) == {"x": [20], "y": [31]}


def test_first_come_leaves_the_rest_to_the_next():
    orders = {"x": order(60, 0, lead_time=10), "y": order(60, 0, lead_time=20), "z": order(20, 0, lead_time=25)}
    assert made(orders) == {"x": [10], "y": [31], "z": [31]}  # y has 40 in January; z is behind it


def test_by_priority_the_lower_number_is_served_first():
    orders = {"x": order(100, 0, lead_time=10, priority=1), "y": order(100, 0, lead_time=20, priority=0)}
    assert made(orders, sharing("priority")) == {"x": [31], "y": [20]}
    assert made(orders) == {"x": [10], "y": [31]}


def test_backlog_goes_before_what_is_due_this_month_whatever_its_priority():
    """x, due in January, was not made; y is due in February and ranks higher."""
    orders = {
        "big": order(100, 0, lead_time=5, priority=0),
        "x": order(100, 0, lead_time=10, priority=1),
        "y": order(100, 0, lead_time=40, priority=0),
    }
    assert made(orders, sharing("priority")) == {"big": [5], "x": [31], "y": [59]}


TENANTS = """
parties: {maker: {supply: {sharing: pro_rata}}, two: {}, three: {}}
tenants: {lab: {}, two: {}, three: {}}
sites: {b: {tenant: two}, c: {tenant: three}}
"""


def by(tenant, racks, day=0, **more):
    site = {"lab": "a", "two": "b", "three": "c"}[tenant]
    return order(racks, day, **more) + f", tenant: {tenant}, allocate: {{to: sites.{site}}}"


def test_pro_rata_goes_by_the_racks_that_each_tenant_wants():
    """100 racks for 150 and 50: 75 and 25 in January, the same in February."""
    orders = {"x": by("lab", 75), "x2": by("lab", 75), "y": by("two", 25), "y2": by("two", 25)}
    assert made(orders, TENANTS) == {"x": [0], "x2": [31], "y": [0], "y2": [31]}
    orders = {"x": by("lab", 150), "y": by("two", 50)}
    assert made(orders, TENANTS) == {"x": [31], "y": [31]}


def test_pro_rata_gives_the_largest_remainders_what_is_left_over():
    # 100 racks for 3, 3 and 400: 0.74, 0.74, 98.5: 0, 0, 98, and the two left go to the larger remainders.
    orders = {"x": by("lab", 3), "y": by("two", 3), "z": by("three", 400)}
    r = run(MAKER, TENANTS, ordering(orders), "horizon: 2027-01-20")
    allotted = [p.deliveries[0].allotted for p in r.world.chips.purchases]
    assert allotted == [1, 1, 98]


def test_equal_remainders_go_in_the_order_of_tenants():
    # 100 racks for three who want 50 each: 33 1/3 each.
    orders = {"z": by("three", 50), "y": by("two", 50), "x": by("lab", 50)}
    r = run(MAKER, TENANTS, ordering(orders), "horizon: 2027-01-20")
    assert {p.id: p.deliveries[0].allotted for p in r.world.chips.purchases} == {"x": 34, "y": 33, "z": 33}


def test_pro_rata_serves_all_if_it_reaches():
    assert made({"x": by("lab", 70), "y": by("two", 30)}, TENANTS) == {"x": [0], "y": [0]}


def test_within_a_tenant_the_oldest_goes_first():
    orders = {"x": by("lab", 40, lead_time=9), "x2": by("lab", 40, lead_time=5), "y": by("two", 80)}
    assert made(orders, TENANTS) == {"x": [31], "x2": [5], "y": [31]}  # 50 each in January


def test_pro_rata_too_serves_the_backlog_first():
    """After January 100 of lab's 200 are missing; two's 100, due in February, get what is left of February: nothing."""
    orders = {"x": by("lab", 200), "y": by("two", 100, lead_time=40)}
    assert made(orders, TENANTS) == {"x": [31], "y": [59]}


@pytest.mark.parametrize("rule", ["first_come", "pro_rata", "priority"])
def test_shares_add_up_to_the_output(rule):
    orders = {
        "x": by("lab", 97, priority=2), "x2": by("lab", 41, lead_time=33), "y": by("two", 113, lead_time=4),
        "z": by("three", 61, lead_time=20, priority=1),
    }  # fmt: skip
    month = Supplier.month
    given = []

    def counted(self):
        deliveries = list(self.queue)
        before = sum(d.allotted for d in deliveries)
        month(self)
        given.append(sum(d.allotted for d in deliveries) - before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Supplier, "month", counted)
        made(orders, TENANTS, sharing(rule))
    assert given[:4] == [100, 100, 100, 12]
    assert not any(given[4:])


def test_a_cancelled_delivery_leaves_the_queue():
    r = run(MAKER, """
    parties: {bank: {lending: {closing: 40, ltc: 0.5}}}
    chips:
      orders:
        o: {product: rack, per: phase, ordered: lease_signed, allocate: {to: sites.a}}
        p: {product: rack, racks: 100, ordered: day 1, allocate: {to: sites.b}}
    sites:
      a: {financing: {lenders: [bank], after: lease_signed, cost: $10m/MW, equity: 0.1}}
      b: {}
    """)
    # a ends on day 40 with 200 of its 1,000 racks allotted: p is next, on 1 March.
    assert r.state("a") == "unfinanced"
    assert r.day("b.p1.0.delivered") == 59
    assert r.world.chips.racks["lab"].cancelled == 1000


def test_a_deferred_delivery_gives_way():
    """x is put off on 1 March, before March's racks are shared: y, due a day later, gets them."""
    r = run(MAKER, """
    chips:
      orders:
        x: {product: rack, per: phase, ordered: lease_signed, lead_time: 80, allocate: {to: sites.a},
            rights: {defer: {up_to: 300, notice: 20}}}
        y: {product: rack, racks: 100, ordered: day 0, lead_time: 81, allocate: {to: sites.b}}
    sites:
      a: {phases: [10 MW], construction: {activities: {x: {duration: 200}}}}
      b: {phases: [10 MW]}
    """)
    assert r.day("b.p1.0.delivered") == 81
    assert r.day("a.p1.0.delivered") == 200


def test_the_plan_knows_no_limits():


    s = scenario(MAKER, "chips: {orders: {o: {product: rack, racks: 1000, ordered: day 0, lead_time: 20}}}")
    plan = simulate_plan(Blueprint(s))
    assert {m[5] for m in plan.milestones if m[4] == "delivered"} == {20 * 1440}
