"""What must not change the answer (D2_time_shift_and_scale), as far as an engine can show it.

On small random projects with crowded teams: a later start, all durations doubled, all amounts times 1,024, another
order of declaration, an isolated site beside them, another site changed where nothing is scarce, and the seed of
Python's hashes. Chances of 0 and 1, and durations of nothing, take the path without chance.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from dcsim.engine.activity import Activity
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.log import EventLog
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.pool import Pool
from dcsim.engine.trail import days_by_cause, origin

CASE = "D2_time_shift_and_scale"
SEEDS = range(25)


class Step(NamedTuple):
    name: str
    minutes: int
    after: tuple[str, ...]
    team: str | None
    amount: int
    outcome: str


def draw_site(seed):
    """Up to ten steps, each after some of those before it."""
    rng = random.Random(seed)
    return [
        Step(
            f"s{place}",
            rng.randint(0, 40),
            tuple({f"s{rng.randrange(place)}" for _ in range(rng.randint(0, 2))}) if place else (),
            rng.choice([None, "a", "b"]),
            rng.randint(1, 2),
            rng.choice(["pass", "pass", "remedy"]),
        )
        for place in range(rng.randint(4, 10))
    ]


def draw_project(seed):
    return {f"site {number}": draw_site(seed * 10 + number) for number in range(3)}


def run(project, *, capacity=2, start=0, times=1, amounts=1, shuffle=None, patience=150):
    """Minutes since the start at which each step of each site started and ended, and its causes."""
    clock = Clock(EventLog(tracing=True))
    rng = random.Random(shuffle)
    ranks = {name: rank for rank, name in enumerate(project)}
    pools = {name: Pool(clock, name, None if capacity is None else capacity * amounts) for name in "ab"}
    networks = {}
    names = list(project)
    if shuffle is not None:
        rng.shuffle(names)
    for name in names:
        steps = [
            Activity(
                step.name, step.minutes * times, step.after, "own", f"{name} {step.name}",
                pool=pools[step.team] if step.team else None, amount=step.amount * amounts,
                rank=ranks[name] * 100 + int(step.name[1:]), wait_cause="wait",
                outcome=step.outcome, remedy_minutes=5 * times,
            )
            for step in project[name]
        ]  # fmt: skip
        if shuffle is not None:
            rng.shuffle(steps)
        networks[name] = ActivityNetwork(clock, steps, finished=lambda trail: None)

    def begin():
        for name, network in networks.items():
            network.start(origin(start, name))
            clock.stage_at(start + patience * times, Stage.DEADLINE, network.cancel, rank=ranks[name])

    clock.at(start, begin)
    clock.run(start + 10_000 * times)
    assert all(pool.in_use == 0 for pool in pools.values())
    return {
        name: {
            record.name: (
                record.status,
                *(None if at is None else at - start for at in (record.ready, record.start, record.end)),
                days_by_cause(networks[name].tasks[record.name].trail),
            )
            for record in sorted(networks[name].records())
        }
        for name in project
    }


def scaled(answer, times):
    return {
        site: {
            step: (
                status,
                *(None if at is None else at * times for at in minutes),
                {cause: charged * times for cause, charged in causes.items()},
            )
            for step, (status, *minutes, causes) in steps.items()
        }
        for site, steps in answer.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_later_start_and_other_units_change_nothing(seed):
    project = draw_project(seed)
    answer = run(project)
    assert run(project, start=5_259_600) == answer
    assert run(project, times=2) == scaled(answer, 2)
    assert run(project, amounts=1024) == answer


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_declaration_changes_nothing_where_ranks_differ(seed):
    project = draw_project(seed)
    without_ties = {  # where two predecessors end together, the trail follows the one declared first
        site: {step: row[:4] for step, row in steps.items()} for site, steps in run(project).items()
    }
    shuffled = run(project, shuffle=seed)
    assert {site: {step: row[:4] for step, row in steps.items()} for site, steps in shuffled.items()} == without_ties


@pytest.mark.parametrize("seed", SEEDS)
def test_other_sites_change_nothing_where_nothing_is_shared(seed):
    project = draw_project(seed)
    answer = run(project)
    alone = [step._replace(team=None) for step in draw_site(seed + 1_000)]
    beside = run({**project, "isolated": alone})
    assert {site: beside[site] for site in project} == answer
    plenty = run(project, capacity=None)
    changed = run({**project, "site 1": draw_site(seed + 2_000)}, capacity=None)
    assert all(changed[site] == plenty[site] for site in ("site 0", "site 2"))


@pytest.mark.parametrize("seed", SEEDS)
def test_certain_chances_and_no_durations_take_the_path_without_chance(seed, replications):
    draws = next(replications(1, seed=seed))
    project = draw_project(seed)
    for remedy, fail, outcome in ((0.0, 0.0, "pass"), (1.0, 0.0, "remedy"), (0.0, 1.0, "fail")):
        assert draws.outcome(f"gate {seed}", remedy, fail) == outcome
    nothing = {site: [step._replace(minutes=0, outcome="pass") for step in steps] for site, steps in project.items()}
    for steps in run(nothing).values():
        assert {row[:4] for row in steps.values()} == {("done", 0, 0, 0)}


HASHED = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("invariances", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
answers = [module.run(module.draw_project(seed)) for seed in range(5)]
print(hashlib.sha256(repr(answers).encode()).hexdigest())
"""


def test_the_seed_of_hashes_changes_nothing():
    found = set()
    for hash_seed in ("0", "1", "random"):
        run_with = {**os.environ, "PYTHONHASHSEED": hash_seed}
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", HASHED, __file__]
        found.add(subprocess.run(command, env=run_with, cwd=root, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 1
