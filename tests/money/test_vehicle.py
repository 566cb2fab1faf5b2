"""Racks that a vehicle buys and leases out: funding, rent, returns, the end of the lease, who stands behind it all.

A rack costs $2m and ten are ordered, $20m. Months begin on days 31, 59, 90, 120, 151, 181 of 2027; month 0 is January.
"""

import pytest
from helpers import Run, Runner, run, scenario
from test_hardware import BASE, DAY, M, at, defaults, kinds, paid, resumes, stake, stops

from dcsim.errors import ScenarioError
from dcsim.ledger import flows_of
from dcsim.model.snapshot import take
from dcsim.network.supplier import suppliers

SPV = """
parties:
  a-fund: {}
  b-fund: {}
  spv:
    vehicle:
      capacity: $36m
      funded_by: {a-fund: 0.5, b-fund: 0.3}
      tranches:
        a: {amount: $27m, rate: 0.10, residual_value_by: maker}
        b: {amount: $9m, rate: 0.14}
      lease: {term: 4 months, residual: 0.2, margin: 0.01}
chips:
  products: {rack: {value_falls: 0.8}}
  orders: {o: {lead_time: 49, paid_by: [spv, cash]}}
"""
"""Ordered on day 10 with a deposit of $2m, delivered on day 59 (1 March).

The debt costs (27 x 10 % + 9 x 14 %) / 36 = 11 % a year, the lease 12 %: 1 % a month. From $20m down to $4m in four
months: (20m - 4m/1.01^4) x 0.01 / (1 - 1/1.01^4) = 4,140,497.51, so 4,140,498 a month.
"""

RENT = 4_140_498
LAST = 4_140_496
"""Down to exactly $4m."""
LEASE = "hardware_lease:spv:lab"
SUPPORT = "residual:spv:lab:maker"
OWED = [20 * M, 16_059_502, 12_079_599, 8_059_897]
"""After the draw, and on 1 April, May and June: x 1.01 less the rent."""


def worth(days, price=20 * M):
    return round(price * 0.2 ** (days / 365.25))


# Buying and leasing.


def test_the_vehicle_buys_with_its_funders_money():
    """Half from one fund, 30 % from another, the rest from outside; the tenant gets its deposit back."""
    r = run(BASE, SPV)
    assert paid(r, "chip deposit", "lab", "maker") == {0: 2 * M}
    assert paid(r, "vehicle funding", "a-fund", "spv") == {2: 10 * M}
    assert paid(r, "vehicle funding", "b-fund", "spv") == {2: 6 * M}
    assert paid(r, "vehicle funding", "outside", "spv") == {2: 4 * M}
    assert paid(r, "chips") == paid(r, "chips", "spv", "maker") == {2: 18 * M}
    assert paid(r, "deposit returned", "spv", "lab") == {2: 2 * M}


def test_rent_is_level_and_goes_to_the_funders_on_the_same_day():
    r = run(BASE, SPV)
    assert paid(r, "hardware lease", "lab", "spv") == {3: RENT, 4: RENT, 5: RENT, 6: LAST}
    assert paid(r, "vehicle return", "spv", "a-fund")[3] == RENT // 2
    assert paid(r, "vehicle return", "spv", "b-fund")[3] == round(0.8 * RENT) - RENT // 2
    assert paid(r, "vehicle return", "spv", "outside")[3] == RENT - round(0.8 * RENT)


def test_the_vehicle_keeps_nothing():
    for texts in ((SPV,), (SPV, LATE), (SPV, "chips: {orders: {o: {deliveries: {size: 3, every: 17}}}}")):
        r = run(BASE, *texts)
        received, spent = flows_of(r.history.ledger, "spv", 48)
        assert received.sum() > 20 * M
        assert (received == spent).all()


def test_what_the_tenant_owes_and_what_others_have_at_stake():
    """The lease at its balance, the maker behind the senior three quarters of it, the funders' shares."""
    r = run(BASE, SPV)
    days = (59, 90, 120, 151, 181)
    assert stake(r, LEASE, 58, *days) == [0, *OWED, 0]
    assert stake(r, SUPPORT, *days) == [15 * M, 12_044_627, 9_059_699, 6_044_923, 0]
    assert stake(r, "vehicle:spv:lab:a-fund", 59, 90) == [10 * M, 8_029_751]
    lease, support = r.world.book.get(LEASE), r.world.book.get(SUPPORT)
    assert (lease.source, lease.target) == ("lab", "spv")
    assert (support.source, support.target, support.covers) == ("maker", "spv", LEASE)


def test_promises_fall_as_money_is_drawn():
    r = run(BASE, SPV)
    assert stake(r, "fund:spv:a-fund", 0, 58, 59) == [18 * M, 18 * M, 8 * M]
    assert stake(r, "fund:spv:b-fund", 0, 58, 59) == [10_800_000, 10_800_000, 4_800_000]
    promise = r.world.book.get("fund:spv:a-fund")
    assert (promise.kind, promise.source, promise.target, promise.amount) == (
        "fund_commitment", "a-fund", "spv", 18 * M,
    )  # fmt: skip


def test_delivered_within_a_month_the_days_until_its_end_cost_interest():
    """Day 70: 20 days at 12 % of $20m on 1 April, level rent from 1 May."""
    r = run(BASE, SPV, "chips: {orders: {o: {lead_time: 60}}}")
    rent = paid(r, "hardware lease")
    assert rent == {3: round(20 * M * 0.12 * 20 / 365.25), 4: RENT, 5: RENT, 6: RENT, 7: LAST}
    assert stake(r, LEASE, 70, 90, 120) == [20 * M, 20 * M, OWED[1]]


def test_leased_racks_are_not_in_the_tenants_books_but_their_rent_is():
    r = run(BASE, SPV, "chips: {products: {rack: {life: 1000}}}")
    assert r.world.hardware.depreciation("lab")[:6].tolist() == [0] * 6
    assert r.world.hardware.lease_cost("lab")[:8].tolist() == [0, 0, 0, RENT, RENT, RENT, LAST, 0]


def test_margins_are_earned_on_what_a_vehicle_buys():
    r = run(BASE, SPV, "chips: {products: {rack: {margin: {maker: 0.4}}}}")
    assert r.world.hardware.margins()["maker"] == 8 * M


def test_no_tranches_no_interest():
    """$20m down to $4m in four months: $4m each, with a margin of 1 % a year on what is left."""
    r = run(BASE, SPV, "parties: {spv: {vehicle: {tranches: null, lease: {margin: 0}}}}")
    assert set(paid(r, "hardware lease").values()) == {4 * M}
    assert "residual value payment" not in kinds(r)


def test_the_network_sees_who_stands_behind_the_suppliers_sales():
    """The maker's $20m came from the vehicle (the deposit, too, was given back): it supports three quarters of that."""
    snapshot = take(early(60), 0)
    maker = next(state for state in suppliers(snapshot) if state.supplier == "maker")
    assert maker.sales == 20 * M
    assert maker.credit_supported == pytest.approx(0.75)
    kinds_now = {contract.id: contract.kind for contract in snapshot.contracts if contract.source != contract.target}
    assert kinds_now[LEASE] == "hardware_lease"
    assert kinds_now[SUPPORT] == "residual_value_guarantee"
    assert "supply:o" not in kinds_now  # all has come
    orders = {c.id: (c.is_an_order, c.claim) for c in take(early(50), 0).of("supply")}
    assert orders == {"supply:o": (True, 0), "deposit:o": (False, 2 * M)}  # an order is no debt yet, a deposit is


def early(day):
    world = Runner(BASE, SPV).world()
    world.advance(day * DAY)
    return world


# Who pays, in order.


def test_what_it_cannot_take_whole_the_next_in_line_pays():
    """Two deliveries of $20m: the second does not fit into $36m."""
    r = run(BASE, SPV, "chips: {orders: {o: {racks: 20, deliveries: {size: 10, every: 31}}}}\n"
            "sites: {a: {phases: [2 MW]}}")  # fmt: skip
    assert paid(r, "chips", "spv", "maker") == {2: 18 * M}
    assert paid(r, "chips", "lab", "maker") == {3: 18 * M}
    vendor = """
    chips:
      orders:
        o: {racks: 20, deliveries: {size: 10, every: 31}, paid_by: [spv, vendor], vendor_finance: {advance: 0.5}}
    """
    r = run(BASE, SPV, vendor)
    assert paid(r, "vendor draw") == {3: 10 * M}
    r = run(BASE, SPV, vendor, "chips: {orders: {o: {vendor_finance: {capacity: $1m}}}}")
    assert paid(r, "chips", "lab", "maker") == {3: 18 * M}  # nobody else can: cash


def test_a_tenant_that_is_rated_too_low_pays_itself():
    """The lab is BB; it falls to B before the racks come."""
    rated = "parties: {spv: {vehicle: {min_rating: BB}}}"
    assert paid(run(BASE, SPV, rated), "chips", "spv", "maker") == {2: 18 * M}
    r = at(30, lambda world: world.parties["lab"].downgrade("B"), SPV, rated)
    assert paid(r, "chips") == paid(r, "chips", "lab", "maker") == {2: 18 * M}


@pytest.mark.parametrize("who", ["spv", "b-fund"])
def test_a_vehicle_or_fund_that_has_failed_buys_nothing(who):
    r = at(30, lambda world: defaults(world, who), SPV)
    assert paid(r, "chips") == paid(r, "chips", "lab", "maker") == {2: 18 * M}
    assert stake(r, "fund:spv:a-fund", 1000) == [18 * M]


# Drawn when rent commences.


LATE = """
parties: {spv: {vehicle: {draws_at: [delivered, rent_commencement]}}}
sites: {a: {construction: {activities: {shell: {duration: 120}}}}}
"""
"""The racks come on day 59; rent commences on day 120 (1 May)."""


def test_the_supplier_waits_until_rent_commences():
    r = run(BASE, SPV, LATE)
    assert paid(r, "chips") == paid(r, "chips", "spv", "maker") == {4: 18 * M}
    assert min(paid(r, "hardware lease")) == 5
    assert stake(r, "supply:o", 58, 59) == [18 * M, 0]
    assert stake(r, "credit:o", 58, 59, 119, 120) == [0, 18 * M, 18 * M, 0]
    credit = r.world.book.get("credit:o")
    assert (credit.kind, credit.source, credit.target, credit.amount) == ("vendor_finance", "lab", "maker", 18 * M)
    assert stake(r, LEASE, 119, 120) == [0, 20 * M]
    assert stake(r, "fund:spv:a-fund", 119, 120) == [18 * M, 8 * M]


def test_its_capacity_is_set_aside_at_delivery():
    """Two deliveries of $20m on days 59 and 89, drawn on day 120: the second is paid in cash on day 89."""
    r = run(BASE, SPV, LATE, "chips: {orders: {o: {racks: 20, deliveries: {size: 10, every: 30}}}}\n"
            "sites: {a: {phases: [2 MW]}}")  # fmt: skip
    assert paid(r, "chips", "lab", "maker") == {2: 18 * M}
    assert paid(r, "chips", "spv", "maker") == {4: 18 * M}


def test_racks_that_come_after_commencement_are_paid_at_once():
    r = run(BASE, SPV, LATE, "chips: {orders: {o: {lead_time: 141}}}")
    assert paid(r, "chips", "spv", "maker") == {5: 18 * M}


def test_lots_are_paid_as_their_phases_commence():
    """Two phases of half a MW, ready on days 90 and 120: $10m each, less deposits of $1m."""
    r = run(BASE, SPV, LATE, """
    sites: {a: {phases: [0.5 MW, 0.5 MW], construction: {activities: {shell: {duration: 90}}, phase_gap: 30}}}
    """)
    assert paid(r, "chips", "spv", "maker") == {3: 9 * M, 4: 9 * M}
    assert paid(r, "deposit returned", "spv", "lab") == {3: M, 4: M}
    assert stake(r, "credit:o", 59, 90, 119, 120) == [18 * M, 9 * M, 9 * M, 0]


def test_racks_without_a_phase_wait_for_ever():
    """Two of twelve find no room: the maker waits for $3.6m."""
    r = run(BASE, SPV, LATE, "chips: {orders: {o: {racks: 12}}}")
    assert paid(r, "chips") == {4: 18 * M}
    assert stake(r, "credit:o", 59, 1400) == [21_600_000, 3_600_000]


def test_if_the_vehicle_fails_before_it_draws_the_tenant_pays_then():
    r = at(100, lambda world: defaults(world, "spv"), SPV, LATE)
    assert paid(r, "chips") == paid(r, "chips", "lab", "maker") == {4: 18 * M}
    assert r.world.hardware.vehicles["spv"].taken == 0


def test_a_tenant_that_pays_nothing_then_pays_when_it_does():
    """Stopped on day 100, rent commences on day 120, paying again on day 160 (June)."""
    world = Runner(BASE, SPV, LATE).world()
    world.clock.at(100 * DAY, lambda: stops(world))
    world.clock.at(160 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert paid(r, "chips", "spv", "maker") == {5: 18 * M}


def test_the_supplier_takes_back_what_it_was_not_paid_for():
    """Default on day 100: the racks that wait for their hall go back, and nobody owes anything."""
    r = at(100, defaults, SPV, LATE)
    assert kinds(r) == {"chip deposit"}
    assert stake(r, "credit:o", 99, 100) == [18 * M, 0]
    assert r.world.chips.racks["lab"].taken == 10


# The end of the lease.


def test_the_tenant_buys_at_market_value_and_the_supporter_makes_good_what_is_lacking():
    """122 days after the draw the racks are worth 20m x 0.2^(122/365.25); $4m were counted on: no shortfall.

    When they lose 99.9 % a year they fetch 1,990,566, and the senior $3m lack 1,009,434.
    """
    r = run(BASE, SPV)
    assert paid(r, "purchase option", "lab", "spv") == {6: worth(122)}
    assert "residual value payment" not in kinds(r)
    r = run(BASE, SPV, "chips: {products: {rack: {value_falls: 0.999}}}")
    fetched = round(20 * M * 0.001 ** (122 / 365.25))
    assert paid(r, "purchase option") == {6: fetched}
    assert paid(r, "residual value payment", "maker", "spv") == {6: 3 * M - fetched}
    assert sum(paid(r, "vehicle return").values()) == 3 * RENT + LAST + 3 * M


def test_where_nothing_is_said_of_value_nobody_loses_by_it():
    """At the end they go for the $4m counted on; on default, on day 100, for what is owed: 16,059,502."""
    unsaid = "chips: {products: {rack: {value_falls: null}}}"
    r = run(BASE, SPV, unsaid)
    assert paid(r, "purchase option", "lab", "spv") == {6: 4 * M}
    assert "residual value payment" not in kinds(r)
    r = run(BASE, SPV, unsaid, "chips: {products: {rack: {life: 100}}}")
    assert paid(r, "chips sold", "outside", "spv") == {6: 4 * M}
    r = at(100, defaults, SPV, unsaid)
    assert paid(r, "chips sold") == {3: OWED[1]}
    assert "residual value payment" not in kinds(r)
    assert stake(r, LEASE, 99, 100) == [OWED[1], 0]


def test_half_the_support():
    r = run(BASE, SPV, """
    parties: {spv: {vehicle: {tranches: {a: {support: 0.5}}}}}
    chips: {products: {rack: {value_falls: 0.999}}}
    """)
    fetched = round(20 * M * 0.001 ** (122 / 365.25))
    assert paid(r, "residual value payment") == {6: round((3 * M - fetched) / 2)}
    assert stake(r, SUPPORT, 59) == [7_500_000]


def test_a_junior_layer_with_support_gets_what_the_senior_leaves():
    """Of $4m the senior three are first: what the chips fetch beyond them is the junior's."""
    r = run(BASE, SPV, """
    parties:
      spv: {vehicle: {tranches: {a: {residual_value_by: null}, b: {residual_value_by: maker}}}}
    chips: {products: {rack: {value_falls: 0.9925}}}
    """)
    fetched = round(20 * M * 0.0075 ** (122 / 365.25))
    assert 3 * M < fetched < 4 * M
    assert paid(r, "residual value payment") == {6: 4 * M - fetched}


def test_what_has_left_at_the_end_of_its_life_is_sold_to_others():
    """A life of 100 days in service: the racks leave on day 159, before the lease ends on day 181."""
    r = run(BASE, SPV, "chips: {products: {rack: {life: 100}}}")
    assert paid(r, "purchase option") == {}
    assert paid(r, "chips sold", "outside", "spv") == {6: worth(122)}


def test_bought_racks_are_in_the_tenants_books():
    """Written off over what is left of a thousand days from day 59: from day 181 to day 1059."""
    r = run(BASE, SPV, "chips: {products: {rack: {life: 1000}}}")
    value = r.world.hardware.book_value("lab")
    assert value[5] == 0
    assert value[6] == worth(122) - round(worth(122) * 31 / 878)
    assert value[-1] == 0


# The tenant fails.


def test_the_vehicle_sells_the_racks_and_the_supporter_pays_the_shortfall():
    """Default on day 100: 16,059,502 owed, the racks worth 20m x 0.2^(41/365.25) = 16,694,342: nothing is lacking.

    At 99.9 % a year they fetch 9.2m: of the senior 12,044,627 the maker pays what is lacking; the vehicle keeps a
    claim on the junior 4,014,875.
    """
    r = at(100, defaults, SPV)
    assert paid(r, "chips sold", "outside", "spv") == {3: worth(41)}
    assert "residual value payment" not in kinds(r)
    assert stake(r, LEASE, 99, 100) == [OWED[1], 0]
    r = at(100, defaults, SPV, "chips: {products: {rack: {value_falls: 0.999}}}")
    fetched = round(20 * M * 0.001 ** (41 / 365.25))
    senior = 12_044_627
    assert paid(r, "chips sold") == {3: fetched}
    assert paid(r, "residual value payment", "maker", "spv") == {3: senior - fetched}
    assert paid(r, "hardware lease") == {3: RENT}
    assert sum(paid(r, "vehicle return").values()) == RENT + senior
    assert stake(r, LEASE, 100, 1400) == [OWED[1] - senior] * 2
    assert stake(r, SUPPORT, 100) == [0]
    assert stake(r, "vehicle:spv:lab:a-fund", 100) == [round((OWED[1] - senior) / 2)]


def test_default_after_the_lease_has_ended_is_nothing_to_the_vehicle():
    r = at(300, defaults, SPV)
    assert "chips sold" not in kinds(r)
    assert stake(r, LEASE, 181, 300) == [0, 0]
    assert r.world.chips.racks["lab"].taken == 0


def test_a_supporter_that_has_failed_pays_nothing():
    def both(world):
        defaults(world, "maker")
        defaults(world)

    r = at(100, both, SPV, "chips: {products: {rack: {value_falls: 0.999}}}")
    fetched = round(20 * M * 0.001 ** (41 / 365.25))
    assert "residual value payment" not in kinds(r)
    assert stake(r, LEASE, 100) == [OWED[1] - fetched]


def test_racks_taken_back_are_no_ones_storage():
    r = at(100, lambda world: (world.sites["a"].end("terminated", "test"), defaults(world)), SPV)
    racks = r.world.chips.racks["lab"]
    assert (racks.taken, racks.live, racks.storage) == (10, 0, 0)
    assert r.mw("chips_on_hand", 100) == 0


def test_a_tenant_that_stops_and_resumes():
    """Stopped on day 100, paying again on day 130: May's rent is paid, and passed on, on day 130."""
    world = Runner(BASE, SPV).world()
    world.clock.at(100 * DAY, lambda: stops(world))
    world.clock.at(130 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert paid(r, "hardware lease") == {3: RENT, 4: RENT, 5: RENT, 6: LAST}
    assert paid(r, "vehicle return") == {3: RENT, 4: RENT, 5: RENT, 6: LAST + worth(122)}
    assert stake(r, LEASE, 100, 125, 130, 151) == [OWED[1], OWED[1], OWED[2], OWED[3]]


def test_a_lease_that_ends_while_the_tenant_pays_nothing_is_settled_when_it_does():
    world = Runner(BASE, SPV).world()
    world.clock.at(170 * DAY, lambda: stops(world))
    world.clock.at(200 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert paid(r, "purchase option") == {6: worth(141)}
    assert paid(r, "hardware lease")[6] == LAST


# Bad input.


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("{funded_by: {a-fund: 0.5, b-fund: 0.6}}", "funded_by", "add up to 1.1, more than 1"),
        ("{funded_by: {afund: 0.5}}", "funded_by.afund", "did you mean 'a-fund'?"),
        ("{funded_by: {spv: 0.2}}", "funded_by.spv", "'spv' puts up its own money"),
        ("{tranches: {b: {amount: $10m}}}", "tranches", "US$37m, more than its capacity of US$36m"),
        ("{tranches: {a: {residual_value_by: makr}}}", "tranches.a.residual_value_by", "did you mean 'maker'?"),
        ("{tranches: {a: {residual_value_by: spv}}}", "tranches.a.residual_value_by", "stands behind itself"),
        ("{tranches: {a: {residual_value_by: lab}}}", "tranches.a.residual_value_by", "the tenant that leases"),
        ("{lease: null}", "lease", "required"),
        ("{lease: {term: null}}", "lease.term", "required"),
        ("{draws_at: [deliverd]}", "draws_at", "deliverd"),
        ("{draws_at: []}", "draws_at", "at least one entry"),
        ("{min_rating: BBX}", "min_rating", "BBX"),
    ],
)
def test_bad_input_is_refused_with_its_path(text, path, message):
    with pytest.raises(ScenarioError) as refused:
        scenario(BASE, SPV, f"parties: {{spv: {{vehicle: {text}}}}}")
    problems = {p.path: p.message for p in refused.value.problems if p.severity == "error"}
    found = {p: m for p, m in problems.items() if p.startswith(f"parties.spv.vehicle.{path}")}
    assert any(message in text for text in found.values()), problems


def test_what_may_be_meant_is_only_warned_of():
    made = scenario(BASE, SPV, """
    parties: {spv: {vehicle: {min_rating: A, lease: {term: 6 years}}}}
    chips: {products: {rack: {life: 5 years}}}
    """)
    warned = {p.path: p.message for p in made.warnings}
    assert "so it never draws" in warned["parties.spv.vehicle.min_rating"]
    assert "lasts 1826.25" in warned["parties.spv.vehicle.lease.term"]


def test_one_word_does_for_draws_at():
    r = run(BASE, SPV, LATE.replace("[delivered, rent_commencement]", "rent_commencement"))
    assert paid(r, "chips", "spv", "maker") == {4: 18 * M}
