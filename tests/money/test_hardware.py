"""What is paid for racks, when and by whom; storage, deferral, cancellation; what they are worth in the books.

Months begin on days 31, 59, 90, 120, 151, 181 of 2027; month 0 is January. A rack costs $2m unless it says otherwise.
"""

from pathlib import Path

import numpy as np
import pytest
from helpers import Run, Runner, run, scenario

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import ScenarioError
from dcsim.model.world import make_blueprint, simulate_replication
from dcsim.scenario.scenario import load

M = 1_000_000
DAY = 1440

BASE = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, racks: 10, ordered: day 10, lead_time: 60, deposit: 0.1}}
sites:
  a: {phases: [1 MW], bring_up: {lot: 5}}
"""


def paid(r, kind, payer=None, payee=None):
    """Dollars by number of month."""
    ledger = r.history.ledger
    found = {}
    for month, pair, amount in zip(ledger.month.tolist(), ledger.pair.tolist(), ledger.dollars.tolist(), strict=True):
        entry = ledger.pairs[pair]
        if entry.kind == kind and payer in (None, entry.payer) and payee in (None, entry.payee):
            found[month] = found.get(month, 0) + amount
    return found


def kinds(r):
    return {r.history.ledger.pairs[pair].kind for pair in r.history.ledger.pair.tolist()}


def stake(r, id, *days):
    """Dollars at stake at the end of the minute with which each day begins."""
    contract = r.world.book.get(id)
    return [contract.at_stake(day * DAY) for day in days]


def at(day, what, *texts):
    """A run in which something happens to the world on a day."""
    world = Runner(BASE, *texts).world()
    world.clock.at(day * DAY, lambda: what(world))
    return Run(world.run(), world)


def stops(world):
    world.parties["lab"].stop_paying()


def resumes(world):
    world.parties["lab"].resume_paying()


def defaults(world, party="lab"):
    world.parties[party].default("shock")


# Buying.


def test_a_deposit_at_the_order_and_the_rest_at_delivery():
    """Ten racks at $2m: $2m on day 10, $18m on day 70."""
    r = run(BASE)
    assert paid(r, "chip deposit", "lab", "maker") == {0: 2 * M}
    assert paid(r, "chips", "lab", "maker") == {2: 18 * M}
    assert kinds(r) == {"chip deposit", "chips"}


def test_each_delivery_is_paid_as_it_comes():
    """Three, three and four racks... the first take the remainder: 4, 3, 3 on days 70, 100, 130, at $1.8m each."""
    r = run(BASE, "chips: {orders: {o: {deliveries: {count: 3, every: 30}}}}")
    assert paid(r, "chips") == {2: 7_200_000, 3: 5_400_000, 4: 5_400_000}
    assert paid(r, "chip deposit") == {0: 2 * M}


def test_deposits_round_delivery_by_delivery_and_nothing_is_lost():
    """A rack of $1,000,001 and 5 %: three deliveries of one rack, 50,000.05 each, so $50,000 and $950,001."""
    r = run(BASE, """
    chips:
      products: {rack: {rack_price: 1.000001}}
      orders: {o: {racks: 3, deposit: 0.05, deliveries: {size: 1, every: 0}}}
    """)
    assert paid(r, "chip deposit") == {0: 150_000}
    assert paid(r, "chips") == {2: 2_850_003}


def test_of_an_order_of_the_past_only_what_comes_after_the_start_is_paid():
    """Six of the ten racks had been delivered; four come on day 40, 10 % of them paid before the start: $7.2m."""
    r = run(BASE, """
    chips: {orders: {o: {ordered: day -30, initial: {delivered: 6, to: a.p1}, deliveries: {first: day 40}}}}
    sites: {a: {loi: day -90, phases: {p1: {mw: 1, initial: {full_live: day -10}}}}}
    """)
    assert kinds(r) == {"chips"}
    assert paid(r, "chips") == {1: 7_200_000}


def test_the_price_is_drawn_once_for_each_order_or_phase():
    """A price that is luck differs between two phases; one that nobody knows yet is the same for both."""
    text = """
    chips:
      products: {rack: {rack_price: {uniform: {low: $1m, high: $3m}, kind: KIND}}}
      orders: {o: {racks: null, per: phase, ordered: lease_signed}}
    sites: {a: {phases: [1 MW, 1 MW]}}
    """
    lucky = [p.price for p in run(BASE, text.replace("KIND", "aleatory")).world.chips.purchases]
    unknown = [p.price for p in run(BASE, text.replace("KIND", "epistemic")).world.chips.purchases]
    assert len(set(lucky)) == 2
    assert len(set(unknown)) == 1
    assert all(M < price < 3 * M for price in lucky + unknown)


def test_margins_are_earned_on_what_is_paid_for():
    """40 % and 10 % of $20m."""
    r = run(BASE, "parties: {partner: {}}\nchips: {products: {rack: {margin: {maker: 0.4, partner: 0.1}}}}")
    assert r.world.hardware.margins() == {"maker": 8 * M, "partner": 2 * M}


def test_what_is_committed_and_what_the_supplier_holds():
    """$18m to be paid from day 10 to day 70 and $2m of deposits held; both end with the delivery."""
    r = run(BASE)
    assert stake(r, "supply:o", 9, 10, 69, 70) == [0, 18 * M, 18 * M, 0]
    assert stake(r, "deposit:o", 9, 10, 69, 70) == [0, 2 * M, 2 * M, 0]
    committed, held = r.world.book.get("supply:o"), r.world.book.get("deposit:o")
    assert (committed.source, committed.target, committed.amount) == ("lab", "maker", 20 * M)
    assert (held.source, held.target, held.amount) == ("maker", "lab", 2 * M)


def test_what_a_tenant_makes_itself_it_does_not_pay():
    r = run(BASE, "chips: {products: {rack: {supplier: lab, life: 600}}}")
    assert kinds(r) == set()
    assert r.world.book.get("supply:o") is None
    assert r.world.hardware.depreciation("lab").sum() == 20 * M
    with pytest.raises(ScenarioError) as refused:
        scenario(BASE, "chips: {products: {rack: {supplier: lab}}, orders: {o: {paid_by: vendor, vendor_finance: {}}}}")
    assert [p.path for p in refused.value.problems] == ["chips.orders.o.vendor_finance.lender"]


# Storage.


def test_storage_is_billed_by_racks_and_days_at_the_end_of_the_month():
    """Twelve racks ($24m) come on day 70; ten fit the hall, in lots of five, at once: $4m stay, at 36.525 % a year.

    That is $4,000 a day: 20 days of March, 30 of April.
    """
    r = run(BASE, """
    chips: {products: {rack: {storage: 0.36525}}, orders: {o: {racks: 12}}}
    """)
    bills = paid(r, "storage", "lab", "outside")
    assert (bills[2], bills[3], bills[4]) == (20 * 4000, 30 * 4000, 31 * 4000)
    assert min(bills) == 2


def test_racks_that_come_back_are_stored_again():
    """The hall's ten racks ($20m, $20,000 a day) come back on 1 June (day 151)."""
    r = at(151, lambda world: world.sites["a"].end("terminated", "test"),
           "chips: {products: {rack: {storage: 0.36525}}}")  # fmt: skip
    assert list(paid(r, "storage").items())[:2] == [(5, 30 * 20_000), (6, 31 * 20_000)]


# Deferral and cancellation.


LATER = """
chips:
  orders:
    o:
      racks: null
      per: phase
      ordered: lease_signed
      lead_time: 100
      deliveries: {size: 5, every: 0}
      rights: {defer: {up_to: 60, notice: 30, fee: 0.36525}, cancel_fee: FEE}
sites: {a: {construction: {activities: {shell: {duration: 400}}}}}
"""


def test_a_deferral_costs_so_much_of_the_price_a_year():
    """On day 31 the hall is due on day 400 and the racks on day 100: both lots are put off by 60 days.

    36.525 % of $20m for 60 days of 365.25: $1.2m.
    """
    r = run(BASE, LATER.replace("FEE", "0"))
    assert paid(r, "deferral fee", "lab", "maker") == {1: 1_200_000}
    assert paid(r, "chips") == {5: 18 * M}


def ended(fee, day=20):
    return at(day, lambda world: world.sites["a"].end("lost", "test"), LATER.replace("FEE", str(fee)))


def test_the_deposit_counts_towards_the_fee():
    """25 % of $20m is $5m; $2m of it is there."""
    r = ended(0.25)
    assert paid(r, "cancellation fee", "lab", "maker") == {0: 3 * M}
    assert kinds(r) == {"chip deposit", "cancellation fee"}
    assert stake(r, "supply:o a.p1", 19, 20) == [18 * M, 0]


def test_what_the_deposit_is_above_the_fee_is_returned():
    """5 % of $20m is $1m; the other million comes back."""
    r = ended(0.05)
    assert paid(r, "deposit returned", "maker", "lab") == {0: M}
    assert "cancellation fee" not in kinds(r)
    assert stake(r, "deposit:o a.p1", 19, 20) == [2 * M, 0]


def test_only_what_has_not_come_is_cancelled():
    """Five racks came on day 160 ($9m); the other five are due on day 220 when the site is lost on day 200."""
    text = LATER.replace("FEE", "0.25").replace("every: 0", "every: 60")
    r = at(200, lambda world: world.sites["a"].end("lost", "test"), text)
    assert paid(r, "chips") == {5: 9 * M}
    assert paid(r, "cancellation fee") == {6: 1_500_000}  # a quarter of $10m, less its deposit of $1m
    assert r.world.chips.racks["lab"].cancelled == 5


# Somebody fails.


def test_a_suppliers_default_takes_orders_and_deposits_with_it():
    """Deliveries of five racks on days 70 and 130; the maker defaults on day 100, with $1m of deposits."""
    r = at(100, lambda world: defaults(world, "maker"), "chips: {orders: {o: {deliveries: {size: 5, every: 60}}}}")
    assert paid(r, "chips") == {2: 9 * M}
    assert kinds(r) == {"chip deposit", "chips"}
    assert stake(r, "deposit:o", 69, 70, 99, 100, 400) == [2 * M, M, M, M, M]
    assert stake(r, "supply:o", 99, 100) == [9 * M, 0]
    assert r.world.chips.racks["lab"].cancelled == 5


def test_nothing_is_ordered_of_a_supplier_that_has_failed():
    r = at(5, lambda world: defaults(world, "maker"))
    assert r.world.chips.purchases == []
    other = "parties: {rival: {}}\nchips: {products: {chip: {supplier: rival, rack_power: 100 kW, rack_price: $3m}}}"
    r = at(5, lambda world: defaults(world, "maker"), other, "chips: {orders: {o: {product: [chip, rack]}}}")
    assert [p.product for p in r.world.chips.purchases] == ["chip"]


def test_a_tenants_default_cancels_what_has_not_come_and_the_fee_is_a_claim():
    """25 % of $20m, less $2m of deposit, is owed and not paid."""
    r = at(50, defaults, "chips: {orders: {o: {rights: {cancel_fee: 0.25}}}}")
    assert kinds(r) == {"chip deposit"}
    assert stake(r, "cancellation:o", 49, 50, 1000) == [0, 3 * M, 3 * M]
    assert stake(r, "supply:o", 49, 50) == [18 * M, 0]
    assert r.world.chips.racks["lab"].cancelled == 10


def test_nothing_is_shipped_to_who_pays_nothing():
    """Stopped on day 50, paying again on day 80: the racks of day 70 come, and are paid, on day 80."""
    world = Runner(BASE).world()
    world.clock.at(50 * DAY, lambda: stops(world))
    world.clock.at(80 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert paid(r, "chips") == {2: 18 * M}
    assert r.day("a.p1.0.live") == 80
    r = at(50, stops)
    assert (paid(r, "chips"), r.world.chips.racks["lab"].delivered) == ({}, 0)
    assert stake(r, "supply:o", 1000) == [18 * M]


def test_who_pays_nothing_orders_nothing_until_it_pays():
    world = Runner(BASE).world()
    world.clock.at(5 * DAY, lambda: stops(world))
    world.clock.at(40 * DAY, lambda: resumes(world))
    r = Run(world.run(), world)
    assert paid(r, "chip deposit") == {1: 2 * M}
    assert paid(r, "chips") == {3: 18 * M}  # 60 days after day 40


# In the books.


def test_racks_are_written_off_from_their_delivery():
    """$20m less 10 % over 600 days from day 70: $30,000 a day."""
    r = run(BASE, "chips: {products: {rack: {life: 600, residual: 0.1}}}")
    written, value = r.world.hardware.depreciation("lab"), r.world.hardware.book_value("lab")
    assert written[:5].tolist() == [0, 0, 20 * 30_000, 30 * 30_000, 31 * 30_000]
    assert written.sum() == 18 * M
    assert value[:4].tolist() == [0, 0, 20 * M - 600_000, 20 * M - 1_500_000]
    assert value[-1] == 2 * M
    assert len(written) == len(value) == 48


def test_what_lasts_for_good_is_not_written_off():
    r = run(BASE)
    assert r.world.hardware.depreciation("lab").sum() == 0
    assert r.world.hardware.book_value("lab")[-1] == 20 * M


def test_racks_of_before_the_start_are_written_off_from_the_day_on_which_they_were_live():
    """$20m over 1,000 days from day -100: $20,000 a day, $2m of them before the start."""
    r = run(BASE, """
    chips:
      products: {rack: {life: 1000}}
      orders: {o: {ordered: day -300, initial: {delivered: 10, to: a.p1}}}
    sites: {a: {loi: day -400, phases: {p1: {mw: 1, initial: {full_live: day -100}}}}}
    """)
    assert r.world.hardware.depreciation("lab")[0] == 31 * 20_000
    assert r.world.hardware.book_value("lab")[0] == 18 * M - 620_000


def test_idle_racks_by_power_and_days_and_what_is_written_off_on_them():
    """Ten racks (1 MW, $20,000 a day over 1,000 days) wait from day 70 for a hall that is ready on day 100.

    A lot of five goes live on day 110, five more on day 120 by one crew: 5 x 40 and 5 x 50 rack-days, 45 MW-days.
    """
    r = run(BASE, """
    tenants: {lab: {teams: {install: 1}}}
    chips: {products: {rack: {life: 1000}}}
    sites:
      a:
        bring_up: {install: {team: install, racks_per_day: 0.5}}
        construction: {activities: {shell: {duration: 100}}}
    """)
    idle = r.world.hardware.assets.idle("lab")
    assert r.day("a.p1.1.live") == 120
    assert idle.kw_minutes / 1000 / DAY == pytest.approx(45)
    assert idle.dollars == pytest.approx(450 * 2000)


def test_what_is_idle_at_the_horizon_counts_too():
    """Two of twelve racks find no room from day 70 to day 1461; 60 % of $2m is written off over 10,000 days."""
    r = run(BASE, "chips: {products: {rack: {life: 10000, residual: 0.4}}, orders: {o: {racks: 12}}}")
    idle = r.world.hardware.assets.idle("lab")
    assert idle.kw_minutes / 1000 / DAY == pytest.approx(0.2 * 1391)
    assert idle.dollars == pytest.approx(2 * 1391 * 120)


def test_what_was_in_storage_before_the_start_is_idle_from_the_start():
    """Ten racks ordered on day -300 and delivered before the start; the hall is ready on day 100."""
    r = run(BASE, """
    chips: {orders: {o: {ordered: day -300, initial: {delivered: 10}}}}
    sites: {a: {construction: {activities: {shell: {duration: 100}}}}}
    """)
    assert r.world.hardware.assets.idle("lab").kw_minutes / 1000 / DAY == pytest.approx(100)


# Everything adds up.


def test_payments_and_commitments_add_up_whatever_happens():
    """Price = what was paid for the racks that came; deposits and fees for those that did not."""
    texts = (LATER.replace("FEE", "0.25").replace("every: 0", "every: 60"), "chips: {products: {rack: {storage: 0.1}}}")
    for day in (5, 100, 165, 200, 230, 700):
        r = at(day, lambda world: world.sites["a"].end("lost", "test"), *texts)
        racks = r.world.chips.racks["lab"]
        for_chips = sum(sum(paid(r, kind).values()) for kind in ("chips", "chip deposit", "cancellation fee"))
        for_chips -= sum(paid(r, "deposit returned").values())
        assert for_chips == racks.delivered * 2 * M + racks.cancelled * M // 2
        assert all(contract.at_stake(1461 * DAY) == 0 for contract in r.world.book if contract.kind == "supply")


# Bad input.


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("chips: {orders: {o: {paid_by: [chash]}}}", "chips.orders.o.paid_by", "did you mean 'cash'?"),
        ("chips: {orders: {o: {paid_by: vendor}}}", "chips.orders.o.vendor_finance", "required, as `vendor` is to pay"),
        ("chips: {orders: {o: {paid_by: maker}}}", "chips.orders.o.paid_by", "has no `vehicle` block"),
        ("chips: {orders: {o: {paid_by: [cash, cash]}}}", "chips.orders.o.paid_by", "'cash' is named twice"),
        ("chips: {orders: {o: {paid_by: []}}}", "chips.orders.o.paid_by", "at least one payer"),
        ("chips: {products: {rack: {margin: {makr: 0.2}}}}", "chips.products.rack.margin.makr", "mean 'maker'?"),
        ("chips: {products: {rack: {margin: {maker: 0.7, lab: 0.4}}}}", "chips.products.rack.margin", "add up to 1.1"),
        ("chips: {products: {rack: {storage: 1.2}}}", "chips.products.rack.storage", "between 0 and 1"),
        ("chips: {products: {rack: {storage: 5 of rack}}}", "chips.products.rack.storage", "an amount of price"),
        ("chips: {orders: {o: {deposit: -0.1}}}", "chips.orders.o.deposit", "between 0 and 1"),
        ("chips: {orders: {o: {rights: {cancel_fee: 2}}}}", "chips.orders.o.rights.cancel_fee", "between 0 and 1"),
    ],
)
def test_bad_input_is_refused_with_its_path(text, path, message):
    with pytest.raises(ScenarioError) as refused:
        scenario(BASE, text)
    problems = {p.path: p.message for p in refused.value.problems if p.severity == "error"}
    assert message in problems[path]


def test_arrays_are_whole_dollars():
    r = run(BASE, "chips: {products: {rack: {life: 777}}}")
    for values in (r.world.hardware.depreciation("lab"), r.world.hardware.book_value("lab")):
        assert values.dtype == np.int64


def test_time_for_which_racks_of_a_maker_are_live():
    """The walk as shipped: 25 MW from days 667, 677, 702 and 742 each to the end of the horizon."""
    walk = load(Path(__file__).parents[2] / "scenarios" / "walk.yaml")
    history = simulate_replication(make_blueprint(walk), Sampler(Streams(1), walk.binding.drivers).replication(0), 0)
    (numbers,) = [numbers for numbers in history.parties.values() if "live_mw_years" in numbers]
    horizon = (walk.spec.horizon - walk.start).days + 1
    days = sum(horizon - day for day in (667, 677, 702, 742))
    assert numbers["live_mw_years"] == pytest.approx(25 * days / 365.25)
