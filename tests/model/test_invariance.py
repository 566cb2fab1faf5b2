"""What must not matter: the calendar, the unit of time, names, order, other sites, workers, hash seeds, the past."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import DAY, Runner, run
from helpers import scenario as make

from dcsim.engine.draws import PlanDraws
from dcsim.engine.streams import Streams
from dcsim.model.blueprint import Blueprint
from dcsim.model.world import World
from dcsim.scenario.scenario import load, parse
from dcsim.study.run import simulate

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"

# Everything in days, nothing by the month: no supply, no makers' output, no failures, no lead orders.
DAYS = """
start: {start}
horizon: {horizon}
parties:
  maker: {{}}
  bank: {{rating: A, lending: {{capacity: $1.4bn, min_rating: BBB-, closing: {closing}}}}}
  backer: {{rating: AA, guarantee: {{limit: $1.4bn, approval: {{delay: {approval}, chance: 0.8}}}}}}
tenants:
  lab:
    teams: {{diligence: 1, deal: 1, install: 2}}
    decision: {{committee: {{every: {every}, from: day 0}}}}
crews: {{riggers: 1}}
equipment: {{transformer: {{lead_time: {lead}}}}}
chips:
  products: {{rack: {{supplier: maker, rack_power: 100 kW, rack_price: $2m}}}}
  orders:
    o: {{product: rack, racks: 1000, ordered: day 0, deliveries: {{count: 5, first: {first}, every: {each}}}}}
defaults:
  site:
    diligence:
      power: {{duration: {power}, team: diligence, remedy: 0.2, remedy_takes: {remedy}, fail: 0.05}}
      title: {{duration: {title}, team: diligence}}
    negotiation: {{duration: {talks}, team: deal, fail: 0.05}}
    guarantee: {{from: backer, patience: {patience}}}
    financing: {{lenders: [bank], cost: $10m/MW, equity: 0.3, retry: {{every: {retry}, until: {until}}}}}
    construction:
      phase_gap: {gap}
      activities: {{shell: {{duration: {shell}, team: riggers}}, fit: {{after: shell, duration: {fit}}}}}
      equipment: {{transformer: {{ordered: lease_signed}}}}
      grid: [{{share: 0.5, delay: {grid}}}, {{share: 0.5, after: previous, delay: {grid2}}}]
      commissioning: {{duration: {commissioning}, retest: 0.2}}
    bring_up:
      lot: 100
      install: {{team: install, racks_per_day: {rate}}}
      cabling: {cabling}
      burn_in: {burn}
      dead_on_arrival: {{chance: 0.01, returned_in: {returned}}}
sites:
  north: {{phases: [30 MW, 20 MW]}}
  south: {{phases: [25 MW]}}
  east: {{loi: {loi}, phases: [25 MW]}}
"""


def in_days(start="2027-01-01", scale=1, years=6, random=True):
    """A scenario in days, all of them `scale` times as long."""
    from datetime import date, timedelta

    def law(low, high):
        if not random:
            return f"{(low + high) * scale / 2:g}"
        return f"{{uniform: {{low: {low * scale:g}, high: {high * scale:g}}}}}"

    first = date.fromisoformat(start)
    horizon = first + timedelta(days=years * 365 * scale - 1)
    text = DAYS.format(
        start=start, horizon=horizon, closing=law(40, 90), approval=law(10, 50), every=f"{30 * scale:g}",
        lead=law(200, 500), first=f"day {500 * scale:g}", each=f"{40 * scale:g}", power=law(20, 90),
        title=law(10, 60), talks=law(30, 120), patience=f"{400 * scale:g}", remedy=f"{20 * scale:g}",
        retry=f"{45 * scale:g}", until=f"{400 * scale:g}", returned=f"{21 * scale:g}",
        gap=law(20, 80), shell=law(100, 300), fit=law(50, 200), grid=law(100, 500), grid2=law(10, 90),
        commissioning=law(20, 60), rate=f"{20 / scale:g}", cabling=law(2, 8), burn=law(5, 15),
        loi=f"day {15 * scale:g}",
    )  # fmt: skip
    return make(text)


def outline(history):
    """All that a replication says, without its number and what depends on where months begin."""
    counted = {t: {n: v for n, v in found.items() if n in COUNTED} for t, found in history.outcomes.items()}
    return history.milestones, history.changes, history.phases, counted


COUNTED = {
    "racks_ordered", "racks_delivered", "racks_cancelled", "racks_retired", "diligence_usd_m", "loans_usd_m",
    "cover_usd_m", "excused_days", "days_past_outside", "signed_mw",
}  # fmt: skip


def of_site(history, site):
    """What it says of one site."""
    return (
        [m for m in history.milestones if m[1] == site],
        [(p.phase, p.state, p.minute, p.trail, p.lots) for p in history.phases if p.site == site],
    )


# The calendar and the unit of time.


def test_shifting_the_start_by_years_changes_nothing_in_a_scenario_of_days():
    here, later = Runner(in_days("2027-01-01")), Runner(in_days("2037-01-01"))
    for r in range(20):
        assert outline(here.run(r).history) == outline(later.run(r).history)


def test_shifting_by_days_neither():
    here, later = Runner(in_days("2027-01-01")), Runner(in_days("2028-02-29"))
    for r in range(20):
        assert outline(here.run(r).history) == outline(later.run(r).history)


def certain(scenario):
    """The history of constants: every gate goes its likelier way, everything shared stays limited."""
    return World(Blueprint(scenario), PlanDraws()).run()


def test_twice_the_days_is_twice_as_late_exactly_for_constants():
    once, twice = certain(in_days(random=False)), certain(in_days(scale=2, random=False))
    assert [(*m[:5], 2 * m[5]) for m in once.milestones] == twice.milestones
    assert [(2 * c[0], *c[1:]) for c in once.changes] == twice.changes
    assert "live" in {p.state for p in once.phases}
    assert [p.state for p in once.phases] == [p.state for p in twice.phases]


def test_and_within_a_minute_a_step_for_laws():
    """A meeting or a queue may fall the other way by a minute, but hardly ever."""
    once, twice = Runner(in_days()), Runner(in_days(scale=2))
    apart = []
    for r in range(20):
        first, second = ({m[:5]: m[5] for m in runner.run(r).history.milestones} for runner in (once, twice))
        apart += [abs(2 * first[key] - second[key]) for key in first.keys() & second.keys()]
    assert len(apart) > 1000
    assert sum(minutes <= 40 for minutes in apart) > 0.95 * len(apart)
    assert sum(minutes > 0 for minutes in apart) > 0.2 * len(apart)


# Names and order.

LETTERS = """
parties: {maker: {}}
tenants: {lab: {teams: {install: 4}}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {o: {product: rack, per: phase, ordered: {lead: {buffer: 30}}, lead_time: {uniform: {low: 100, high: 300}}}}
equipment: {transformer: {lead_time: {uniform: {low: 100, high: 500}}}}
regions: {r: {energy: $50/MWh}}
defaults:
  site:
    region: r
    diligence: {x: {duration: {lognormal: {median: 40, p90: 80}}, fail: 0.1, remedy: 0.2, remedy_takes: 10}}
    negotiation: {duration: {lognormal: {median: 60, p90: 120}}, fail: 0.1}
    construction:
      activities: {shell: {duration: {uniform: {low: 100, high: 300}}}}
      equipment: {transformer: {slot: 0.5, slot_arrives: 60}}
      grid: [{share: 1, delay: {uniform: {low: 100, high: 500}}}]
      commissioning: {duration: 30, retest: 0.3}
    bring_up:
      lot: 50
      install: {racks_per_day: 20}
      burn_in: {uniform: {low: 5, high: 15}}
      dead_on_arrival: {chance: 0.02, returned_in: 21}
      failures: {per_year: 0.5, repaired_in: 4, spares: 0.05}
"""
A = "a: {phases: [20 MW, 10 MW]}"
B = "b: {phases: [30 MW]}"
C = "c: {loi: day 40, phases: [15 MW]}"


def letters(*sites, more="{}"):
    return make(LETTERS, f"sites: {{{', '.join(sites)}}}", more)


def test_relabelled_sites_of_constants_are_the_same():
    text = in_days(random=False).to_yaml()
    once = certain(parse(text))
    names = {"north": "zulu", "south": "alpha", "east": "mike"}
    for old, new in names.items():
        text = text.replace(f"\n  {old}:", f"\n  {new}:")
    renamed = certain(parse(text))
    assert [(m[0], names[m[1]], *m[2:]) for m in once.milestones] == renamed.milestones
    assert once.changes == renamed.changes


def test_the_order_of_sites_changes_nothing_of_each_where_they_share_nothing():
    here, there = Runner(letters(A, B, C)), Runner(letters(C, A, B))
    for r in range(30):
        first, second = here.run(r).history, there.run(r).history
        for site in "abc":
            assert of_site(first, site) == of_site(second, site)


def test_the_order_of_keys_changes_nothing():
    text = letters(A, B, C).to_yaml()
    assert text.index("parties:") < text.index("tenants:")
    blocks = {}
    for line in text.splitlines():
        if line and not line.startswith((" ", "-", "#")):
            key = line.split(":")[0]
        blocks.setdefault(key, []).append(line)
    reordered = "\n".join("\n".join(blocks[key]) for key in sorted(blocks, reverse=True))
    assert reordered.index("tenants:") < reordered.index("parties:")
    here, there = Runner(parse(text)), Runner(parse(reordered))
    for r in range(10):
        assert outline(here.run(r).history) == outline(there.run(r).history)


# Other sites.


def test_an_isolated_site_leaves_the_others_as_they_were_to_the_last_bit():
    here, there = Runner(letters(A, B)), Runner(letters(A, C, B))
    for r in range(30):
        first, second = here.run(r).history, there.run(r).history
        for site in "ab":
            assert of_site(first, site) == of_site(second, site)


def test_editing_one_site_leaves_the_others_as_they_were():
    base = letters(A, B)
    other = base.edit({
        "sites.b.diligence.x.duration": 200,
        "sites.b.construction.activities.shell.duration": {"lognormal": {"median": 100, "p90": 500}},
        "sites.b.phases.p1.mw": 55,
        "sites.b.negotiation.fail": 0.9,
    })  # fmt: skip
    here, there = Runner(base), Runner(other)
    differ = 0
    for r in range(30):
        first, second = here.run(r).history, there.run(r).history
        assert of_site(first, "a") == of_site(second, "a")
        differ += of_site(first, "b") != of_site(second, "b")
    assert differ == 30


def test_editing_one_site_moves_no_draw_of_the_others_even_where_they_share_a_team():
    """The queue may move a's start, not how long a's steps take."""
    team = "{tenants: {lab: {teams: {diligence: 1}}}, defaults: {site: {diligence: {x: {team: diligence}}}}}"
    base = letters(B, A, more=team)
    here, there = Runner(base), Runner(base.edit({"sites.b.diligence.x.duration": 500}))
    moved = 0
    for r in range(20):
        steps = []
        for runner in (here, there):
            network = runner.run(r).world.sites["a"].diligence._network
            steps.append([(record.name, record.minutes) for record in network.records()] if network else [])
        assert steps[0] == steps[1]
        moved += of_site(here.run(r).history, "a") != of_site(there.run(r).history, "a")
    assert moved


def test_a_change_of_a_parameter_moves_the_same_quantile():
    """Twice the law, twice the draw: the what-if is paired."""
    base = make("sites: {a: {negotiation: {duration: {uniform: {low: 0, high: 100}}}}}")
    twice = base.edit({"sites.a.negotiation.duration": {"uniform": {"low": 0, "high": 200}}})
    here, there = Runner(base), Runner(twice)
    for r in range(10):
        a, b = (runner.run(r).day("a.negotiated") for runner in (here, there))
        assert abs(2 * a - b) < 2 / DAY


def without_lots(history):
    """Milestones of sites and phases up to ready for service."""
    return [m for m in history.milestones if m[3] is None and "live" not in m[4]]


def test_more_lots_leave_all_other_draws_as_they_were():
    """The first lots of a larger order, and everything at the sites, are drawn as before."""
    slip = "deliveries: {size: 50, first: day 300, every: 10, slip: {uniform: {low: 0, high: 9}}}"

    def with_racks(racks):
        order = f"{{product: rack, racks: {racks}, ordered: day 0, {slip}}}"
        return letters(A, more=f"{{chips: {{orders: {{o: {{enabled: false}}, p: {order}}}}}}}")

    here, there = Runner(with_racks(200)), Runner(with_racks(300))
    for r in range(10):
        first, second = (runner.run(r) for runner in (here, there))
        few, many = (run_.world.chips.purchases[0].deliveries for run_ in (first, second))
        assert [d.due for d in few] == [d.due for d in many][: len(few)]
        assert without_lots(first.history) == without_lots(second.history)
        lots = {m[:5]: m[5] for m in second.history.milestones if m[3] is not None}
        for m in first.history.milestones:
            if m[3] is not None and m[4] == "delivered":
                assert lots[m[:5]] == m[5]


def test_smaller_lots_leave_the_sites_as_they_were():
    here, there = Runner(letters(A, B)), Runner(letters(A, B).edit({"defaults.site.bring_up.lot": 10}))
    for r in range(10):
        first, second = (runner.run(r).history for runner in (here, there))
        assert without_lots(first) == without_lots(second)


# Degenerate chances and days.


def test_chances_of_nothing_and_of_all_are_the_deterministic_way():
    remedied = "{x: {duration: 30, remedy: 1, remedy_takes: 10}}"
    always = run(f"sites: {{a: {{diligence: {remedied}, negotiation: {{duration: 5, fail: 0}}}}}}")
    assert always.day("a.lease_signed") == 45
    for r in range(20):
        assert run("sites: {a: {negotiation: {duration: 5, fail: 1}}}", replication=r).state("a") == "lost"
        assert run("sites: {a: {negotiation: {duration: 0, fail: 0}}}", replication=r).day("a.lease_signed") == 0


# Replications, workers, processes. The quickstart has everything that is random.


@pytest.fixture(scope="module")
def quickstart():
    return load(QUICKSTART)


def hashes(result):
    return {name: table["hash"] for name, table in result.manifest["tables"].items() if "hash" in table}


def test_the_first_hundred_of_two_hundred_are_the_same(quickstart):
    tables = ["outcomes", "milestones"]
    few = simulate(quickstart, replications=100, workers=1, tables=tables)
    many = simulate(quickstart, replications=200, workers=1, tables=tables)
    for r in (0, 1, 57, 99):
        assert few.hashes(r) == many.hashes(r)
    frame = many.outcomes
    assert few.outcomes.equals(frame[frame["replication"] < 100])
    assert not few.outcomes.equals(frame[frame["replication"] >= 100].reset_index(drop=True))


def test_workers_and_chunks_change_no_row(quickstart):
    alone = hashes(simulate(quickstart, replications=24, workers=1))
    assert len(alone) >= 4
    assert hashes(simulate(quickstart, replications=24, workers=1, chunk=7)) == alone
    assert hashes(simulate(quickstart, replications=24, workers=2)) == alone
    assert hashes(simulate(quickstart, replications=24, workers=4, chunk=5)) == alone


def test_tracing_changes_no_row(quickstart):
    plain, traced = (simulate(quickstart, replications=5, workers=1, trace=trace) for trace in (False, True))
    assert {k: v for k, v in hashes(traced).items() if k != "events"} == hashes(plain)


def test_another_seed_is_another_world(quickstart):
    assert hashes(simulate(quickstart, replications=3, workers=1)) != hashes(
        simulate(quickstart, replications=3, seed=8, workers=1)
    )


def test_two_runs_in_one_process_are_the_same(quickstart):
    one, two = Runner(quickstart), Runner(load(QUICKSTART))
    for r in (3, 1, 3, 300, 2):
        assert outline(one.run(r).history) == outline(two.run(r).history)
    assert outline(one.run(1).history) == outline(Runner(quickstart).run(1).history)


SCRIPT = """
import hashlib, sys
from dcsim.scenario.scenario import load
from dcsim.study.model import prepare

total = hashlib.sha256()
for path in sys.argv[1:]:
    scenario = load(path)
    replicate = prepare(scenario, scenario.seed)
    for r in range(2):
        history = replicate(r, True)
        said = (history.milestones, history.changes, history.phases, history.events, history.outcomes)
        total.update(repr(said).encode())
print(total.hexdigest())
"""


def test_hash_seeds_change_nothing():
    paths = [str(QUICKSTART), str(ROOT / "scenarios" / "anthropic-2026.yaml")]
    found = []
    for seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(found[0]) == 65


def test_streams_know_nothing_of_who_asks(quickstart):
    """Draws in another order, of other replications first, are the same draws."""
    names = ["sites.ridge.diligence.power.duration", "drivers.x.happens", "a"]
    forward, backward = Streams(7), Streams(7)
    one = {(n, r): forward.once(n, r) for n in names for r in (0, 1, 255, 256, 1000)}
    two = {(n, r): backward.once(n, r) for r in (1000, 256, 255, 1, 0) for n in reversed(names)}
    assert one == two
