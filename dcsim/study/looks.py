"""Many replications looked at on a date: the network as it stood, and what was live after it with and without a shock.

A look travels as plain data, so that replications can be shared among processes as those of a run are.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import DcsimError, UsageError
from dcsim.model.blueprint import YEAR, Blueprint
from dcsim.model.history import History
from dcsim.model.snapshot import look
from dcsim.model.world import World, make_blueprint
from dcsim.network.snapshot import Snapshot
from dcsim.study.executors import ProcessCrew, cores, worth_workers
from dcsim.study.interrupt import Interrupt
from dcsim.study.worker import failure_of
from dcsim.tables.manifest import Failure

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario

Report = Callable[[int, int], object]
"""(done, total)."""

_CHUNK: Final = 8
"""Replications that travel together."""


@dataclass(frozen=True)
class LookTask:
    """What is to be looked at: the end of `minute`, of the scenario and, if given, of it `struck` by a shock later on.

    What falls due in the `months` after it counts.
    """

    scenario: Scenario
    minute: int
    months: int = 12
    struck: Scenario | None = None


@dataclass(frozen=True)
class Look:
    """One replication. MW-years are of live MW from the start to the horizon, by tenant."""

    snapshot: Snapshot
    mw_years: dict[str, float] = field(default_factory=dict)
    struck_mw_years: dict[str, float] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()
    """Parties that default by the horizon."""
    struck_defaults: frozenset[str] = frozenset()


class Looked(NamedTuple):
    """What became of the replications, each in their order."""

    looks: list[Look]
    failures: list[Failure]
    """Those that raised: the others go on."""


class Looker:
    """Looks at replications of a task, one after the other, in one thread."""

    def __init__(self, task: LookTask) -> None:
        self.task = task
        scenario = task.scenario
        self.blueprint = make_blueprint(scenario)
        self.sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
        self.struck: tuple[Blueprint, Sampler] | None = None
        if task.struck is not None:
            sampler = Sampler(Streams(task.struck.seed), task.struck.binding.drivers)
            self.struck = (make_blueprint(task.struck), sampler)

    def look(self, replication: int) -> Look:
        """One replication; to the horizon only if it is compared with a struck one."""
        world = World(self.blueprint, self.sampler.replication(replication), replication)
        seen = look(world, self.task.minute, replication, self.task.months)
        snapshot = replace(seen, paid=())  # nobody asks what was paid
        if self.struck is None:
            return Look(snapshot)
        blueprint, sampler = self.struck
        before = world.run()
        after = World(blueprint, sampler.replication(replication), replication).run()
        return Look(
            snapshot,
            self._live(before),
            self._live(after),
            frozenset(party for _, party, _ in before.defaults),
            frozenset(party for _, party, _ in after.defaults),
        )

    def attempt(self, replication: int) -> Look | Failure:
        """The same; what it raises is recorded."""
        try:
            return self.look(replication)
        except Exception as error:  # noqa: BLE001 - reported once the others are done
            return failure_of(replication, error)

    def _live(self, history: History) -> dict[str, float]:
        """MW-years live by tenant."""
        end = self.blueprint.last_minute + 1
        total = dict.fromkeys(self.task.scenario.tenants, 0.0)
        for minute, tenant, measure, mw in history.changes:
            if measure == "live":
                total[tenant] += mw * (end - minute) / YEAR
        return total


def looks(
    task: LookTask,
    replications: int,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Report | None = None,
) -> Looked:
    """Replications 0 to `replications - 1` (at least one), in order.

    `workers` processes share them; by default all cores, or this process alone where that is a matter of seconds.
    A replication that raises is a failure beside the others. Raises DcsimError if a worker is lost.
    """
    found = _looks(task, replications, workers, executor, progress)
    return Looked([one for one in found if isinstance(one, Look)], [one for one in found if isinstance(one, Failure)])


def _looks(
    task: LookTask, replications: int, workers: int | None, executor: Executor | None, progress: Report | None
) -> list[Look | Failure]:
    report = progress or (lambda done, total: None)
    with Interrupt() as interrupt:
        looker = Looker(task)
        began = time.monotonic()
        found = [_look(looker, 0, interrupt)]
        report(1, replications)
        size = min(workers or cores(), replications)
        alone = size < 2 or (workers is None and not worth_workers(replications, time.monotonic() - began))
        if executor is None and alone:
            for replication in range(1, replications):
                found.append(_look(looker, replication, interrupt))
                report(replication + 1, replications)
            return found
        data = _pack(task)
        spans = [(first, min(_CHUNK, replications - first)) for first in range(1, replications, _CHUNK)]
        if executor is not None:
            lent = executor
            return found + _gather(lambda span: lent.submit(_look_at, data, *span), spans, report, interrupt)
        crew = ProcessCrew(size)
        whole = False
        try:
            found += _gather(lambda span: crew.call(_look_at, data, *span), spans, report, interrupt)
            whole = True
        except BrokenExecutor:
            raise DcsimError(crew.post_mortem()) from None
        finally:
            crew.close(now=not whole)
        return found


def _look(looker: Looker, replication: int, interrupt: Interrupt) -> Look | Failure:
    """One replication, unless Ctrl-C was pressed meanwhile."""
    look = interrupt.breakable(partial(looker.attempt, replication))
    if interrupt.asked:
        raise KeyboardInterrupt
    return look


def _gather(
    submit: Callable[[tuple[int, int]], Future[list[Look | Failure]]],
    spans: list[tuple[int, int]],
    report: Report,
    interrupt: Interrupt,
) -> list[Look | Failure]:
    """Results in the order of the spans."""
    total = 1 + sum(count for _, count in spans)
    flying = {submit(span): span for span in spans}
    landed: dict[int, list[Look | Failure]] = {}
    done = 1
    while flying:
        ready, _ = wait(flying, timeout=0.2, return_when=FIRST_COMPLETED)
        if interrupt.asked:
            for future in flying:
                future.cancel()
            raise KeyboardInterrupt
        for future in ready:
            first, count = flying.pop(future)
            landed[first] = future.result()
            done += count
        if ready:
            report(done, total)
    return [look for first in sorted(landed) for look in landed[first]]


class _Kept(threading.local):
    """The task last unpacked in this thread: a cache and nothing else."""

    key: bytes = b""
    looker: Looker | None = None


_kept = _Kept()


def _look_at(data: bytes, first: int, count: int) -> list[Look | Failure]:
    """What a worker does."""
    key = blake2b(data, digest_size=16).digest()
    if _kept.key != key or _kept.looker is None:
        _kept.looker, _kept.key = Looker(pickle.loads(data)), key
    return [_kept.looker.attempt(replication) for replication in range(first, first + count)]


def _pack(task: LookTask) -> bytes:
    try:
        return pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(f"this cannot be sent to workers: {error}") from error
