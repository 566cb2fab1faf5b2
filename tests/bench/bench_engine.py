"""How fast the engine is beside idiomatic SimPy, on the same project with the same answer. Run by hand:

    PYTHONPATH=. python tests/bench/bench_engine.py [--runs 30] [--profile]

The project: 20 sites, each a network of 5 activities on shared teams, then 50 lots through install by a shared crew,
cabling, and burn-in: 3,100 activities. Durations are drawn beforehand, fine enough that no two activities end together
(within one minute SimPy hands out in another order, see `dcsim.engine.clock`).

- `simpy` is how its documentation writes such a model: generators, `with resource.request()`, `AllOf`, one process a
  lot, and nothing recorded but the answer.
- `engine` is how a model is written on `dcsim.engine`: a network and pools, lots as callbacks, an event for the end of
  each activity, with event log, order of dispatch, and a trail for each lot.
- `sparing` is the same, but a lot's cabling and burn-in, between which nobody waits for anything, are one work.

Runs alternate in one process; the medians of the ratios of the pairs, in CPU time, are printed with their spread.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import random
import statistics
from collections.abc import Callable, Generator
from time import process_time
from typing import Any, NamedTuple

import simpy

from dcsim.engine.activity import Activity
from dcsim.engine.clock import Clock
from dcsim.engine.log import EventLog
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail, extend, origin
from dcsim.engine.work import Work

SITES, LOTS = 20, 50
LAST_MINUTE = 10**11
TEAMS = {"diligence": 3, "commissioning": 2, "crews": 6}
ACTIVITIES: tuple[tuple[str, tuple[str, ...], str | None, int], ...] = (  # name, after, team, days
    ("power", (), "diligence", 60),
    ("title", (), "diligence", 30),
    ("shell", ("power", "title"), None, 300),
    ("grid", ("power",), None, 350),
    ("commissioning", ("shell", "grid"), "commissioning", 30),
)
STEPS = (("install", 10), ("cabling", 5), ("burn_in", 7))  # of a lot, days


class Site(NamedTuple):
    """Durations of a site's activities by name, and of each lot's three steps."""

    activities: dict[str, int]
    lots: list[tuple[int, ...]]


class Ends(NamedTuple):
    """When everything ended, in slots made beforehand."""

    activities: list[float]  # five a site
    lots: list[float]  # three a lot
    live: list[float]  # one a site


def slots(project: list[Site]) -> Ends:
    lots = sum(len(site.lots) for site in project)
    return Ends([-1] * (len(ACTIVITIES) * len(project)), [-1] * (len(STEPS) * lots), [-1] * len(project))


def draw_project(seed: int, sites: int = SITES, lots: int = LOTS) -> list[Site]:
    """Sites with random durations, in thousandths of a minute so that nothing ends together."""
    rng = random.Random(seed)

    def around(days: int) -> int:
        return int(days * 1_440_000 * rng.uniform(0.5, 1.5))

    return [
        Site(
            {name: around(days) for name, _, _, days in ACTIVITIES},
            [tuple(around(days) for _, days in STEPS) for _ in range(lots)],
        )
        for _ in range(sites)
    ]


# -- idiomatic SimPy ---------------------------------------------------------------------------------------------------


def by_simpy(project: list[Site]) -> Ends:
    env = simpy.Environment()
    teams = {name: simpy.Resource(env, capacity) for name, capacity in TEAMS.items()}
    ends = slots(project)

    def activity(
        slot: int, minutes: int, team: simpy.Resource | None, before: list[simpy.Process]
    ) -> Generator[simpy.Event, Any, None]:
        if before:
            yield simpy.AllOf(env, before)
        if team is None:
            yield env.timeout(minutes)
        else:
            with team.request() as request:
                yield request
                yield env.timeout(minutes)
        ends.activities[slot] = env.now

    def lot(slot: int, install: int, cabling: int, burn_in: int) -> Generator[simpy.Event, Any, None]:
        with teams["crews"].request() as request:
            yield request
            yield env.timeout(install)
        ends.lots[slot] = env.now
        yield env.timeout(cabling)
        ends.lots[slot + 1] = env.now
        yield env.timeout(burn_in)
        ends.lots[slot + 2] = env.now

    def site(number: int, plan: Site) -> Generator[simpy.Event, Any, None]:
        running: dict[str, simpy.Process] = {}
        for place, (name, after, team, _) in enumerate(ACTIVITIES):
            before = [running[other] for other in after]
            slot = number * len(ACTIVITIES) + place
            running[name] = env.process(
                activity(slot, plan.activities[name], teams[team] if team is not None else None, before)
            )
        yield simpy.AllOf(env, list(running.values()))
        slot = number * len(plan.lots) * len(STEPS)
        lots = [env.process(lot(slot + 3 * place, *steps)) for place, steps in enumerate(plan.lots)]
        yield simpy.AllOf(env, lots)
        ends.live[number] = env.now

    for number, plan in enumerate(project):
        env.process(site(number, plan))
    env.run()
    return ends


# -- dcsim.engine ------------------------------------------------------------------------------------------------------


class EngineSite:
    """A site on the engine: its network, then its lots, counted."""

    def __init__(
        self, clock: Clock, pools: dict[str, Pool], number: int, plan: Site, ends: Ends, lot: type[EngineLot]
    ) -> None:
        self.clock = clock
        self.crews = pools["crews"]
        self.number = number
        self.plan = plan
        self.ends = ends
        self.lot = lot
        self.open = len(plan.lots)
        self.trails: list[Trail] = []
        self.network = ActivityNetwork(
            clock,
            [
                Activity(
                    name, plan.activities[name], after, "construction", f"site {number} {name}",
                    pool=pools[team] if team else None, rank=number, wait_cause="team",
                )
                for name, after, team, _ in ACTIVITIES
            ],
            finished=self.ready,
        )  # fmt: skip
        self.network.start(origin(0, f"site {number}"))

    def ready(self, trail: Trail) -> None:
        for slot, record in enumerate(self.network.records(), self.number * len(ACTIVITIES)):
            assert record.end is not None
            self.ends.activities[slot] = record.end
        for slot, steps in enumerate(self.plan.lots, self.number * len(self.plan.lots)):
            self.lot(self, slot * len(STEPS), steps, trail)

    def live(self, trail: Trail) -> None:
        self.trails.append(trail)
        self.open -= 1
        if not self.open:
            self.ends.live[self.number] = self.clock.now


class EngineLot:
    """A lot on the engine: callbacks from step to step."""

    __slots__ = ("claim", "clock", "ends", "site", "slot", "steps", "trail", "who")

    def __init__(self, site: EngineSite, slot: int, steps: tuple[int, ...], trail: Trail) -> None:
        self.site = site
        self.clock = site.clock
        self.ends = site.ends.lots
        self.slot = slot
        self.steps = steps
        self.trail = trail
        self.who = f"site {site.number} lot {slot}"
        self.claim = site.crews.request(1, rank=site.number, who=self.who, granted=self.install)

    def install(self, claim: Claim) -> None:
        clock = self.clock
        trail = extend(self.trail, clock.now, "crews", claim.pool.name)
        Work(clock, minutes=self.steps[0], cause="bring_up", who=self.who, trail=trail, done=self.cable).start()

    def cable(self, work: Work) -> None:
        self.claim.release()
        self.ends[self.slot] = self.clock.now
        work.follow(self.steps[1], "bring_up", self.burn_in)

    def burn_in(self, work: Work) -> None:
        self.ends[self.slot + 1] = self.clock.now
        work.follow(self.steps[2], "bring_up", self.live)

    def live(self, work: Work) -> None:
        self.ends[self.slot + 2] = self.clock.now
        self.site.live(work.trail)


class SparingLot(EngineLot):
    """A lot without an event for the end of its cabling."""

    __slots__ = ()

    def cable(self, work: Work) -> None:
        self.claim.release()
        self.ends[self.slot] = self.clock.now
        self.ends[self.slot + 1] = self.clock.now + self.steps[1]
        work.follow(self.steps[1] + self.steps[2], "bring_up", self.live)


def by_engine(project: list[Site], lot: type[EngineLot] = EngineLot) -> Ends:
    clock = Clock(EventLog(tracing=True))
    pools = {name: Pool(clock, name, capacity) for name, capacity in TEAMS.items()}
    ends = slots(project)
    for number, plan in enumerate(project):
        EngineSite(clock, pools, number, plan, ends, lot)
    clock.run(LAST_MINUTE)
    return ends


def by_sparing(project: list[Site]) -> Ends:
    return by_engine(project, SparingLot)


# -- side by side ------------------------------------------------------------------------------------------------------

WAYS: dict[str, Callable[[list[Site]], Ends]] = {"simpy": by_simpy, "engine": by_engine, "sparing": by_sparing}


def assert_equal(project: list[Site]) -> int:
    """All ways end every activity at the same time, and no two at once; returns how many there are."""
    ends = by_simpy(project)
    times = ends.activities + ends.lots
    assert -1 not in times
    assert len(times) == len(set(times))
    assert by_engine(project) == ends
    assert by_sparing(project) == ends
    return len(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="runs of each (default 30)")
    parser.add_argument("--profile", action="store_true", help="print where the engine's time goes")
    arguments = parser.parse_args()
    projects = [draw_project(seed) for seed in range(5)]
    activities = max(assert_equal(project) for project in projects)
    print(f"{activities:,} activities a replication, all completion times equal")
    if arguments.profile:
        profile = cProfile.Profile()
        for project in projects:
            profile.runcall(by_engine, project)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for run in range(arguments.runs):
        ways = list(WAYS.items())
        for name, way in ways if run % 2 else reversed(ways):
            gc.collect()
            start = process_time()
            way(projects[run % len(projects)])
            seconds[name].append(process_time() - start)
    for name, times in seconds.items():
        median = statistics.median(times)
        line = f"{name:8} {median * 1e3:6.1f} ms, {median / activities * 1e6:5.2f} us an activity"
        if name != "simpy":
            ratios = [idiomatic / time for idiomatic, time in zip(seconds["simpy"], times, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            line += f": {middle:.2f} x simpy (quartiles {low:.2f} to {high:.2f} of {len(ratios)} pairs)"
        print(line)


if __name__ == "__main__":
    main()
