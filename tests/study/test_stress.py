"""Snapshots of replications, and stress tests of whole scenarios, against numbers worked by hand."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dcsim
from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import UsageError
from dcsim.model.snapshot import look, take
from dcsim.model.world import World, make_blueprint
from dcsim.report.stress import stress_text
from dcsim.study.looks import Looker, LookTask, looks

SCENARIOS = Path(__file__).parents[2] / "scenarios"
QUICKSTART = SCENARIOS / "quickstart.yaml"

SMALL = """
version: 1
name: small
start: 2027-01-01
horizon: 2030-12-31
replications: 3
parties:
  lab: {rating: BB}
  oak: {rating: B}
  bank: {rating: A, equity: $500m, lending: {min_rating: BBB-, ltc: 0.8, drawn: at_close}}
  chips: {supply: {racks: 1000/month}}
  maker: {rating: AA, holds: {lab: 0.1}, guarantee: {limit: $600m}}
tenants:
  lab: {}
sites:
  lake:
    tenant: lab
    developer: oak
    loi: day 0
    phases: {hall: {mw: 60}}
    lease: {rent: $100/kW-month, term: 10 years}
    guarantee: {from: maker}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.2}
    construction: {activities: {shell: {after: financial_close, duration: 365}}}
    bring_up: {lot: 600 racks, install: {team: none, racks_per_day: 600}}
chips:
  products: {rack: {supplier: chips, rack_power: 100 kW, rack_price: $1m}}
  orders: {all: {product: rack, racks: 600, ordered: day 300}}
"""
"""60 MW at $100/kW-month: $6m a month. The loan, 80 % of $600m, closes on day 0 behind a guarantee of as much, which
can be called once rent begins with the hall: on 1 January 2028. The racks are there and are live a day later."""


@pytest.fixture(scope="module")
def small():
    return dcsim.parse(SMALL)


def contract(network, id):
    return network.snapshot.contract[id]


def test_the_network_before_the_rent_begins(small):
    """No rent is due yet: of the lease its first year's counts, 12 x $6m; the guarantee cannot be called."""
    network = dcsim.snapshot(small, "2027-06-30", 0)
    assert contract(network, "lease:lake").due == 72_000_000
    assert not contract(network, "lease:lake").commenced
    assert contract(network, "guarantee:lake").size == 480_000_000
    assert not contract(network, "guarantee:lake").active
    assert contract(network, "loan:lake:bank").size == 480_000_000
    (hall,) = network.snapshot.phases
    assert (hall.state, hall.mw, hall.live_mw, hall.planned_ready) == ("building", 60.0, 0.0, 365 * 1440)
    assert hall.guarantors == ("maker",)
    assert hall.suppliers == ("chips",)
    assert network.snapshot.party["maker"].limit == 600_000_000
    assert network.snapshot.party["bank"].equity == 500_000_000
    # The year is ahead: 3 of the 3.5 years to the horizon, from 2028 on.
    assert network.mw_years["lab"] == pytest.approx(60 * 1096 / 365.25)


@pytest.mark.parametrize("replication", [0, None])
def test_the_network_while_rent_is_paid(small, replication):
    """After six months $36m have been paid, and twelve more rents fall due in the year that follows."""
    network = dcsim.snapshot(small, dt.date(2028, 6, 30), replication)
    assert contract(network, "lease:lake").due == 72_000_000
    assert contract(network, "guarantee:lake").active
    assert [(p.payer, p.payee, p.dollars) for p in network.snapshot.paid if p.kind == "rent"] == [
        ("lab", "oak", 36_000_000)
    ]
    (hall,) = network.snapshot.phases
    assert (hall.state, hall.live_mw) == ("live", 60.0)
    assert network.snapshot.replication == replication
    (guarantor,) = network.guarantors
    assert (guarantor.guarantor, guarantor.count, guarantor.limit) == ("maker", 1, 600_000_000)
    assert guarantor.active == guarantor.committed
    assert network.graph().edges["maker", "oak", "guarantee:lake"]["covers"] == "lease:lake"
    assert network.graph().edges["lab", "maker", "equity:lab:maker"]["share"] == 0.1


def test_the_eve_of_a_first(small):
    """At 24:00 of 31 December the hall is still being built, nothing can be called and no rent has begun; the first
    rent, of the next minute, is among the twelve that fall due."""
    eve, day = (dcsim.snapshot(small, date, 0) for date in ("2027-12-31", "2028-01-01"))
    assert [n.snapshot.phases[0].state for n in (eve, day)] == ["building", "ready"]
    assert [contract(n, "guarantee:lake").active for n in (eve, day)] == [False, True]
    assert [contract(n, "lease:lake").commenced for n in (eve, day)] == [False, True]
    assert contract(eve, "lease:lake").due == 72_000_000
    struck = small.with_shock("default:lab@2028-07-01")
    eve, day = (dcsim.snapshot(struck, date, 0) for date in ("2028-06-30", "2028-07-01"))
    lab = [n.snapshot.party["lab"] for n in (eve, day)]
    assert [(p.in_default, p.pays, p.rating) for p in lab] == [(False, True, "BB"), (True, False, "D")]
    assert [n.snapshot.phases[0].state for n in (eve, day)] == ["live", "ended"]


def test_arrears_are_due():
    """The lab stops on 15 May and has 60 days to cure: at the end of June one rent is late, and twelve lie ahead."""
    text = SMALL.replace("guarantee: {from: maker}", "guarantee: {from: maker, terms: {call: {cure: 60}}}")
    late = dcsim.parse(text).with_shock("stop_paying:lab@2028-05-15")
    network = dcsim.snapshot(late, "2028-06-30", 0)
    assert contract(network, "lease:lake").due == 13 * 6_000_000
    assert not network.snapshot.party["lab"].pays


def test_loops_through_shares_that_nobody_has_valued():
    text = SMALL + "cloud: {c: {provider: maker, from: 2027-01-01, until: 2030-12-31, mw: 1, fee: $1m/month}}\n"
    network = dcsim.snapshot(dcsim.parse(text).edit({"sites.lake.loi.signed": "2030-12-01"}), "2028-06-30")
    assert [(c.parties, c.weight) for c in network.loops] == [(("lab", "maker"), 0.0)]


def test_roles_and_what_the_scenario_itself_says():
    text = SMALL.replace("  chips: {", "  fund: {size: $2bn, funded_by: {bank: 0.25, chips: 0.5}}\n  chips: {")
    text = text.replace("rack_price: $1m", "rack_price: $1m, joint_development: {with: [maker], delay_times: 1}")
    network = dcsim.snapshot(dcsim.parse(text), "2027-01-31")
    roles = {id: party.roles for id, party in network.snapshot.party.items()}
    assert roles == {
        "lab": ("tenant",),
        "oak": ("developer",),
        "bank": ("lender", "investor"),
        "fund": ("fund",),
        "chips": ("supplier", "investor"),
        "maker": ("guarantor", "investor"),
    }
    said = {c.id: (c.kind, c.source, c.target, c.amount, c.share) for c in network.snapshot.contracts}
    assert said["fund:fund:bank"] == ("fund_commitment", "bank", "fund", 500_000_000, 0.25)
    assert said["fund:fund:chips"] == ("fund_commitment", "chips", "fund", 1_000_000_000, 0.5)
    assert said["equity:lab:maker"] == ("equity", "lab", "maker", 0, 0.1)
    assert said["joint:rack:maker"] == ("joint_development", "maker", "chips", 0, None)


@pytest.mark.parametrize(("name", "replications"), [("quickstart", 3), ("anthropic-2026", 1)])
def test_standing_still_changes_nothing(name, replications):
    """A replication that is looked at on the way is the one that runs through; at the end all payments are there."""
    scenario = dcsim.load(SCENARIOS / f"{name}.yaml")
    blueprint = make_blueprint(scenario)
    sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
    for replication in range(replications):
        through = World(blueprint, sampler.replication(replication), replication).run()
        world = World(blueprint, sampler.replication(replication), replication)
        for minute in (0, 100_000, 700_001, 1_500_000, world.last_minute):
            world.advance(minute)
            last = take(world, replication)
            assert last.minute == minute
        assert world.run() == through
        assert through.ledger is not None
        paid = {}
        for pair, dollars in zip(through.ledger.pair.tolist(), through.ledger.dollars.tolist(), strict=True):
            paid[through.ledger.pairs[pair]] = paid.get(through.ledger.pairs[pair], 0) + dollars
        assert {(p.payer, p.payee, p.kind): p.dollars for p in last.paid} == paid


def test_what_falls_due_in_the_minute_is_paid(small):
    """At 00:00 of 1 February the month's rent has been paid; at 23:59 of the day before it had not."""
    blueprint = make_blueprint(small)
    world = World(blueprint, Sampler(Streams(0)).replication(0), 0)
    paid = []
    for minute in (blueprint.months[12] - 1, blueprint.months[12]):
        paid.append(sum(p.dollars for p in look(world, minute, 0).paid if p.kind == "rent"))
    assert paid == [6_000_000, 12_000_000]


@pytest.mark.parametrize("name", ["quickstart", "anthropic-2026"])
def test_at_a_months_end_it_is_what_the_exposures_say(name):
    """What is at stake between two parties, kind by kind, is in the snapshot as in the table of exposures."""
    scenario = dcsim.load(SCENARIOS / f"{name}.yaml")
    blueprint = make_blueprint(scenario)
    draws = Sampler(Streams(scenario.seed), scenario.binding.drivers).replication(0)
    exposures = World(blueprint, draws, 0).run().exposures
    assert {kind for _, _, kind, _ in exposures} >= {"lease", "guarantee"}
    for month in (6, 30, 50):
        world = World(blueprint, draws, 0)
        total = {}
        for c in look(world, blueprint.months[month] - 1, 0).contracts:
            total[c.source, c.target, c.kind] = total.get((c.source, c.target, c.kind), 0) + c.amount
        for source, target, kind, levels in exposures:
            assert total.get((source, target, kind), 0) == levels[month], (source, target, kind, month)


def test_the_date_is_its_end(small):
    assert dcsim.snapshot(small, "2027-01-03", 0).snapshot.minute == 3 * 1440 - 1
    assert dcsim.snapshot(small).snapshot.minute == 1461 * 1440 - 1


def test_the_tenant_fails_while_it_pays(small):
    """The guarantor pays the year's twelve rents. All 60 MW are live, and none of them from then to the horizon: the
    tenant has gone. 914 days of 60 MW are 150.1 MW-years."""
    found = dcsim.stress(small, "lab@2028-07-01")
    lab = found["lab"]
    assert found.date == dt.date(2028, 7, 1)
    assert [(h.party, h.loss.value, h.calls) for h in lab.hurt] == [("maker", 72.0, 72.0)]
    assert [(w.source, w.to, w.kind, w.loss, w.first) for w in lab.ways] == [
        ("lab", "maker", "guarantee call", 72.0, True)
    ]
    assert lab.write_down.value == lab.tail == 72.0
    assert lab.multiplier == 1.0
    assert lab.hanging_mw.value == 60
    assert lab.hanging_mw_years.value == pytest.approx(60 * 914 / 365.25, rel=1e-5)
    assert lab.stalled_mw_years is not None
    assert lab.stalled_mw_years.value == pytest.approx(60 * 914 / 365.25, rel=1e-3)
    assert set(found.bottomless) == {"lab", "oak", "chips", "maker"}


def test_the_tenant_fails_before_it_pays(small):
    """Nothing is covered: the project lacks the year's rent, and its lender loses as much. Nothing ever goes live: from
    2 January 2028 on 60 MW would have been."""
    lab = dcsim.stress(small, "lab", "2027-07-01", replications=2, seed=5)["lab"]
    assert [(h.party, h.loss.value, h.later) for h in lab.hurt] == [("bank", 72.0, 72.0)]
    assert lab.loans.value == 1
    assert lab.multiplier == 2.0
    assert lab.stalled_mw_years is not None
    assert lab.stalled_mw_years.value == pytest.approx(60 * 1095 / 365.25, rel=1e-3)
    half = dcsim.stress(small, "lab", "2027-07-01", replications=1, recovery=0.5, months=6, rerun=False)["lab"]
    assert half.hurt[0].loss.value == pytest.approx(18.0)  # half of six months' rent
    assert half.stalled_mw_years is None


def test_who_defaults_anyway_does_not_default_because_of_it(small):
    """In the runs oak defaults with the lab's failure and without it."""
    struck = small.with_shock("default:oak@2029-01-01")
    assert dcsim.stress(struck, "lab@2028-07-01", replications=1)["lab"].also_default == ()


def test_each_in_turn(small):
    found = dcsim.stress(small, date="2027-07-01", replications=2)
    assert [f.party for f in found.failures[:2]] == ["lab", "oak"]
    assert {f.party for f in found.failures} == {"lab", "oak", "bank", "chips", "maker"}
    assert found["oak"].hanging_mw.value == 60
    assert found["chips"].hanging_mw.value == 60
    assert found["maker"].hanging_mw.value == 60
    assert all(f.stalled_mw_years is None for f in found.failures)
    frame = found.frame()
    assert frame.loc[frame["failed"] == "lab", ["party", "loss_usd_m"]].to_numpy().tolist() == [["bank", 72.0]]


def test_halfway_by_default(small):
    assert dcsim.stress(small, replications=1).date == dt.date(2028, 12, 1)
    assert dcsim.stress(small, "oak@2027-01-01", replications=1, rerun=False).date == dt.date(2027, 1, 1)


def test_an_executor_makes_no_difference():
    scenario = dcsim.load(QUICKSTART)
    alone = dcsim.stress(scenario, "lab@2029-07-01", replications=10, seed=3, workers=1)
    seen = []

    def note(done, total):
        seen.append(done)

    with ThreadPoolExecutor(2) as executor:
        lent = dcsim.stress(
            scenario, "lab@2029-07-01", replications=10, seed=3, executor=executor, progress=lambda d, t: seen.append(d)
        )
    assert lent == alone
    assert seen[-1] == 10
    assert alone.seed == 3
    assert alone != dcsim.stress(scenario, "lab@2029-07-01", replications=10, seed=4, workers=1)


@pytest.mark.slow
def test_workers_make_no_difference():
    scenario = dcsim.load(QUICKSTART)
    one, two = (dcsim.stress(scenario, "lab@2029-07-01", replications=20, workers=n) for n in (1, 2))
    assert one == two


def test_batches_make_no_difference(monkeypatch):
    scenario = dcsim.load(QUICKSTART)
    whole = dcsim.stress(scenario, "lab@2029-07-01", replications=9, rerun=False)
    monkeypatch.setattr("dcsim.study.stress.BATCH", 4)
    parts = dcsim.stress(scenario, "lab@2029-07-01", replications=9, rerun=False)
    assert [(h.party, h.loss) for h in parts["lab"].hurt] == [(h.party, h.loss) for h in whole["lab"].hurt]


@pytest.mark.parametrize("threads", [0, 2])
def test_what_a_replication_raises_is_recorded(small, threads):
    task = LookTask(small, minute=-5)
    with ThreadPoolExecutor(2) as pool:
        found = looks(task, 3, workers=1, executor=pool if threads else None)
    assert found.looks == []
    assert [(lost.replication, "cannot run to minute -5" in lost.error) for lost in found.failures] == [
        (0, True), (1, True), (2, True),
    ]  # fmt: skip


@pytest.mark.parametrize("broken", [{1}, {0, 2}])
def test_the_others_go_on_where_replications_fail(small, monkeypatch, broken):
    """Of three replications, which are the same here, some raise: the test is over the others."""
    whole = dcsim.stress(small, "lab@2028-07-01", workers=1)
    good = Looker.look

    def look(self, replication):
        if replication in broken:
            raise ZeroDivisionError(f"no luck in {replication}")
        return good(self, replication)

    monkeypatch.setattr(Looker, "look", look)
    first = min(broken)
    message = f"{len(broken)} of 3 replications failed, the first of them {first}: ZeroDivisionError: no luck"
    with pytest.raises(dcsim.StressFailed, match=message) as caught:
        dcsim.stress(small, "lab@2028-07-01", workers=1)
    rest = caught.value.stress
    assert rest.replications == 3 - len(broken)
    assert {lost.replication for lost in rest.lost} == broken
    assert [(h.party, h.loss.value) for h in rest["lab"].hurt] == [(h.party, h.loss.value) for h in whole["lab"].hurt]
    assert f"  ({len(broken)} more failed, and are left out)" in stress_text(rest).splitlines()


def test_if_all_fail_there_is_no_test(small, monkeypatch):
    def look(self, replication):
        raise ZeroDivisionError

    monkeypatch.setattr(Looker, "look", look)
    with pytest.raises(dcsim.StressFailed, match="3 of 3 replications failed") as caught:
        dcsim.stress(small, "lab@2028-07-01", workers=1)
    assert caught.value.stress is None


def called(scenario, *, replications=1):
    (found,) = dcsim.stress(scenario, "lab@2028-07-01", replications=replications, rerun=False, workers=1)["lab"].called
    return found


def test_what_a_guarantor_is_called_for_and_how_often_its_cash_covers_it():
    """The lab fails on 1 July 2028: twelve rents of $6m are due to oak, and the maker stands behind all of them.

    Nobody has said what the maker has; with $180m it could pay them 2.5 times over.
    """
    found = called(dcsim.parse(SMALL))
    assert (found.party, [q.value for q in found.quantiles]) == ("maker", [72.0] * 3)
    assert (found.liquidity, found.cover) == (None, (None, None, None))
    found = called(dcsim.parse(SMALL.replace("holds: {lab: 0.1},", "holds: {lab: 0.1}, cash: $180m,")))
    assert (found.liquidity, found.cover) == (180.0, (2.5, 2.5, 2.5))


def test_quantiles_of_calls_over_replications():
    """The hall takes 365 days in 3 of 4 cases, and 900 days in the others: then the guarantee cannot be called.

    Over 100 replications the calls are 0 in about a quarter of them and $72m in the others: P10 is 0, P50 and P90 72.
    """
    text = SMALL.replace("duration: 365", "duration: {discrete: {365: 3, 900: 1}}").replace(
        "holds: {lab: 0.1},", "cash: $180m,"
    )
    found = called(dcsim.parse(text), replications=100)
    assert [q.value for q in found.quantiles] == [0.0, 72.0, 72.0]
    assert found.cover == (None, 2.5, 2.5)


def test_a_tenant_that_guarantees_has_its_cash_and_its_revolver():
    """The rival, which has $40m and a revolver of $50m, is the guarantor: 90 for calls of 72."""
    text = SMALL.replace("  maker: {rating: AA, holds: {lab: 0.1}, guarantee", "  maker: {rating: AA, guarantee")
    text = text.replace("tenants:\n", "tenants:\n  maker: {treasury: {cash: $40m, revolver: $50m}}\n")
    text = text.replace("product: rack,", "product: rack, tenant: lab,")
    found = called(dcsim.parse(text))
    assert (found.party, found.liquidity, found.cover[1]) == ("maker", 90.0, 1.25)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"default": "labb"}, "no party 'labb' in the scenario; did you mean 'lab'?"),
        ({"default": "lab@2028-13-01"}, "expected a date such as 2028-01-01, got '2028-13-01'"),
        ({"default": "lab@2050-01-01"}, "2050-01-01 is not within 2027-01-01 to 2030-12-31"),
        ({"default": "lab@2028-01-01", "date": "2028-01-01"}, "two dates"),
        ({"default": "lab", "recovery": 1.2}, "recovery: must be between 0 and 1, got 1.2"),
        ({"default": "lab", "default_costs": -1}, "default_costs: must be between 0 and 1"),
        ({"default": "lab", "months": 0}, "months: must be from 1 to 1200, got 0"),
        ({"default": "lab", "replications": 0}, "replications: expected a whole number of at least 1"),
    ],
)
def test_wrong_calls(small, call, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        dcsim.stress(small, **call)
    with pytest.raises(UsageError, match="the failure of 'oak' was not tested"):
        dcsim.stress(small, "lab@2028-07-01", replications=1, rerun=False)["oak"]


def test_the_network_of_a_run(small):
    """A result's network is that of the scenario's replication, by replay."""
    result = dcsim.simulate(small, replications=2, seed=11, workers=1)
    there = result.network("2028-06-30", 1)
    here = dcsim.snapshot(small.edit({"seed": 11}), "2028-06-30", 1)
    assert there.snapshot == here.snapshot
    assert there.seed == 11
    assert result.network(replication=None).snapshot.replication is None
    assert result.network().date == dt.date(2030, 12, 31)
    with pytest.raises(UsageError, match="replication 2 is not in these results"):
        result.network("2028-06-30", 2)
    with pytest.raises(UsageError, match="2026-01-01 is not within"):
        result.network("2026-01-01", 0)
    with pytest.raises(UsageError, match="replications count from 0"):
        dcsim.snapshot(small, "2028-01-01", -1)
    result.manifest["policies"] = {"lab": "my.policy"}
    with pytest.raises(UsageError, match="Python policies decided"):
        result.network("2028-06-30", 0)


def test_save(small, tmp_path):
    network = dcsim.snapshot(small, "2028-06-30")
    assert network.heading == "small: the network at the end of 2028-06-30, the plan"
    many = f"{len(network.snapshot.parties)} parties, {len(network.snapshot.contracts)} contracts"
    assert repr(network) == f"<{network.heading}: {many}>"
    assert network.save(tmp_path / "n.graphml").read_bytes().startswith(b"<?xml")
    assert network.save(tmp_path / "n.json").read_bytes().startswith(b"{")
    with pytest.raises(UsageError, match=r"ends in \.graphml, \.json, \.png, \.svg"):
        network.save(tmp_path / "n.gml")
    pytest.importorskip("matplotlib")
    assert network.save(tmp_path / "n.PNG").read_bytes().startswith(b"\x89PNG")
    assert network.save(tmp_path / "n.svg").read_bytes().startswith(b"<?xml")
