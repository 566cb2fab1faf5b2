"""Binding: what a quantity is drawn under, and which factors and drivers move it."""

from __future__ import annotations

import pytest

from dcsim.errors import ScenarioError
from dcsim.quantity import Quantity
from dcsim.scenario.bind import walk
from dcsim.scenario.scenario import Scenario, parse

BASE = """\
version: 1
name: bind
start: 2027-01-01
horizon: 2033-12-31
parties:
  lab: {rating: A}
  oak: {}
  elm: {}
  maker: {}
tenants:
  lab: {targets: [10 MW, 20 MW]}
regions: {north: {}, south: {}}
factors: FACTORS
drivers: DRIVERS
equipment: {transformer: {lead_time: {lognormal: {median: 300, p90: 400}, loads: {supply: 0.5}}}}
chips:
  products: {one: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders:
    each:
      product: one
      per: phase
      ordered: {lead: {buffer: 60}}
      lead_time: {lognormal: {median: 300, p90: 400}, loads: {supply: 0.5}}
      deliveries: {slip: {exponential: {mean: 10}}}
defaults:
  site:
    tenant: lab
    region: south
    loi: {signed: {uniform: {low: 2027-01-05, high: 2027-02-05}}}
    diligence:
      power: {duration: {lognormal: {median: 40, p90: 80}, loads: {market: 0.3, works: 0.6}}, delay: 5}
    negotiation: {duration: {lognormal: {median: 60, p90: 90}, kind: epistemic}}
    lease: {rent: {uniform: {low: 100, high: 150}, kind: epistemic}}
    construction:
      activities:
        shell: {duration: {lognormal: {median: 200, p90: 300}, loads: {builder: 0.4}}}
        fit-out: {after: shell, duration: {lognormal: {median: 100, p90: 150}, kind: epistemic}}
      equipment: {transformer: {}}
      grid: [{share: 1, delay: {uniform: {low: 100, high: 200}}}]
    bring_up: {lot: 10, burn_in: {lognormal: {median: 10, p90: 20}, loads: {hall: 0.2}}}
sites:
  ridge:
    developer: oak
    tags: [letters]
    phases: [20 MW, 20 MW]
  river:
    developer: elm
    region: north
    phases: [20 MW]
    lease: {rent: {times: 1.5}}
    negotiation: {duration: {lognormal: {median: 90, p90: 120}, kind: epistemic}}
"""

FACTORS = (
    "{market: {}, works: {per: region}, builder: {per: developer}, supply: {per: supplier}, hall: {per: phase}}"
)


def read(drivers: str = "{}", factors: str = FACTORS) -> Scenario:
    return parse(BASE.replace("FACTORS", factors).replace("DRIVERS", drivers), "f.yaml")


def bound(scenario: Scenario) -> dict[str, Quantity]:
    return {path: quantity for path, quantity, _ in walk(scenario.spec)}


def test_every_quantity_knows_its_path() -> None:
    found = bound(read())
    assert len(found) > 100
    assert all(quantity.path == path for path, quantity in found.items())
    assert found["tenants.lab.targets.1"].value == 20


def test_luck_is_drawn_by_every_user() -> None:
    found = bound(read())
    paths = [path for path in found if path.endswith("shell.duration")]
    assert "sites.ridge.phases.p2.construction.activities.shell.duration" in paths
    assert [found[path].address for path in paths] == paths


def test_ignorance_is_drawn_where_it_is_declared() -> None:
    found = bound(read())
    fit_out = {found[path].address for path in found if path.endswith("fit-out.duration")}
    assert fit_out == {"defaults.site.construction.activities.fit-out.duration"}
    assert found["sites.ridge.lease.rent"].address == "defaults.site.lease.rent"
    assert found["sites.ridge.negotiation.duration"].address == "defaults.site.negotiation.duration"


def test_ignorance_that_is_scaled_stays_shared_and_what_is_replaced_does_not() -> None:
    found = bound(read())
    assert found["sites.river.lease.rent"].address == "defaults.site.lease.rent"
    assert found["sites.river.lease.rent"].law.bounds() == (150, 225)
    assert found["sites.river.negotiation.duration"].address == "sites.river.negotiation.duration"


def test_factors_are_those_of_the_member() -> None:
    found = bound(read())
    assert found["sites.river.diligence.power.duration"].factors == (
        ("factors.market", 0.3),
        ("factors.works.north", 0.6),
    )
    assert found["sites.ridge.diligence.power.duration"].factors[1] == ("factors.works.south", 0.6)
    shell = "sites.ridge.phases.p1.construction.activities.shell.duration"
    assert found[shell].factors == (("factors.builder.oak", 0.4),)
    assert found["sites.ridge.phases.p2.bring_up.burn_in"].factors == (("factors.hall.ridge.p2", 0.2),)
    assert found["chips.orders.each.lead_time"].factors == (("factors.supply.maker", 0.5),)
    assert found["equipment.transformer.lead_time"].factors == (("factors.supply.transformer", 0.5),)


def test_a_factor_of_members_that_are_not_there() -> None:
    with pytest.raises(ScenarioError) as caught:
        read(factors=FACTORS.replace("supply: {per: supplier}", "supply: {per: region}"))
    assert [str(problem) for problem in caught.value.problems] == [
        "f.yaml:15:91: equipment.transformer.lead_time.loads.supply: factor 'supply' is per region, "
        "and this belongs to none [REF]",
        "f.yaml:23:71: chips.orders.each.lead_time.loads.supply: factor 'supply' is per region, "
        "and this belongs to none [REF]",
    ]


HITS = {
    # what a driver hits, per what: paths below `sites.` that it moves, with its member
    ("diligence.power", "null"): {
        "ridge.diligence.power.duration": "drivers.x",
        "river.diligence.power.duration": "drivers.x",
    },
    ("diligence.power.delay", "site"): {
        "ridge.diligence.power.delay": "drivers.x.ridge",
        "river.diligence.power.delay": "drivers.x.river",
    },
    ("sites.river.negotiation", "region"): {"river.negotiation.duration": "drivers.x.north"},
    ("sites.@letters.negotiation", "developer"): {"ridge.negotiation.duration": "drivers.x.oak"},
    ("construction.grid.*", "null"): {
        "ridge.construction.grid.0.delay": "drivers.x",
        "river.construction.grid.0.delay": "drivers.x",
    },
    ("sites.*.loi.signed", "null"): {"ridge.loi.signed.delay": "drivers.x", "river.loi.signed.delay": "drivers.x"},
    ("construction.activities.*", "phase"): {
        f"{site}.phases.{phase}.construction.activities.{name}.duration": f"drivers.x.{site}.{phase}"
        for site, phase in (("ridge", "p1"), ("ridge", "p2"), ("river", "p1"))
        for name in ("shell", "fit-out")
    },
    ("bring_up.burn_in", "phase"): {
        "ridge.phases.p1.bring_up.burn_in": "drivers.x.ridge.p1",
        "ridge.phases.p2.bring_up.burn_in": "drivers.x.ridge.p2",
        "river.phases.p1.bring_up.burn_in": "drivers.x.river.p1",
    },
}


@pytest.mark.parametrize(("hits", "per"), list(HITS))
def test_drivers_hit(hits: str, per: str) -> None:
    scenario = read(f"{{x: {{chance: 0.2, per: {per}, hits: '{hits}', plus: 10}}}}")
    found = {path.removeprefix("sites."): quantity for path, quantity in bound(scenario).items()}
    hit = {path: quantity.drivers[0] for path, quantity in found.items() if quantity.drivers}
    assert hit == HITS[hits, per]
    assert sorted(scenario.binding.drivers) == sorted(set(hit.values()))


def test_drivers_hit_orders_and_makers() -> None:
    drivers = "{x: {chance: 1, hits: chips.orders.each, times: 2}, y: {chance: 1, hits: equipment.*, times: 2}}"
    found = bound(read(drivers))
    assert {path: q.drivers for path, q in found.items() if q.drivers} == {
        "chips.orders.each.lead_time": ("drivers.x",),
        "equipment.transformer.lead_time": ("drivers.y",),
    }


def test_what_a_driver_does_is_luck_of_each_member_or_ignorance_of_all() -> None:
    laws = "times: {uniform: {low: 1, high: 2}}, plus: {exponential: {mean: 9}, kind: epistemic}"
    members = read(f"{{x: {{chance: 0.25, per: site, hits: negotiation, {laws}}}}}").binding.drivers
    assert {name: member.chance for name, member in members.items()} == {
        "drivers.x.ridge": 0.25,
        "drivers.x.river": 0.25,
    }
    for name, member in members.items():
        assert member.times is not None
        assert member.plus is not None
        assert (member.times.address, member.plus.address) == (f"{name}.times", "drivers.x.plus")


@pytest.mark.parametrize(
    ("hits", "per", "words"),
    [
        ("diligence.pwr", "null", "'diligence.pwr' matches no duration"),
        ("diligence.power", "phase", "the driver is per phase, and no duration that 'diligence.power' matches belongs"),
        ("lease.rent", "null", "'lease.rent' matches no duration"),
    ],
)
def test_drivers_that_hit_nothing(hits: str, per: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(f"{{x: {{chance: 0.2, per: {per}, hits: {hits}, plus: 10}}}}")
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("REF", "drivers.x.hits")
    assert words in problem.message
