"""What a worker does: run some replications and hand back their rows.

A task travels as plain pickled data and is unpacked once in each worker thread; which worker runs which replication
makes no difference to any row.
"""

from __future__ import annotations

import gc
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from dcsim.errors import UsageError
from dcsim.model.history import History
from dcsim.study.interrupt import Interrupt
from dcsim.tables.chunk import ChunkBuilder, ChunkTables
from dcsim.tables.layout import Layout, ScenarioLike
from dcsim.tables.manifest import Failure

Replicate: TypeAlias = Callable[[int, bool], History]
"""(replication, trace) -> its history."""

Prepare: TypeAlias = Callable[[Any, int], Replicate]
"""(scenario, seed) -> what runs its replications, one after the other in one thread. A top-level function."""


@dataclass(frozen=True)
class Task:
    """A study as a worker sees it: the same for every chunk. `names` are the tables wanted."""

    scenario: ScenarioLike
    seed: int
    prepare: Prepare
    layout: Layout
    names: Sequence[str]
    trace: bool = False


@dataclass(frozen=True)
class Job:
    """Replications `first` to `first + count - 1` of a pickled `Task`. `board` is where workers say what they run."""

    task: bytes
    key: bytes
    first: int
    count: int
    board: str | None = None


@dataclass(frozen=True)
class ChunkResult:
    """What became of a job. `count` replications were tried, fewer than asked if it was interrupted.

    `seconds` is the median time of one.
    """

    first: int
    count: int
    tables: ChunkTables
    failures: tuple[Failure, ...]
    seconds: float


def pack(task: Task) -> tuple[bytes, bytes]:
    """A task as it travels, and a key that tells it from others.

    Raises `UsageError` for what cannot travel, a policy that is not a top-level function above all.
    """
    try:
        data = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        advice = "Python policies must be top-level functions, or run with workers=1"
        raise UsageError(f"this cannot be sent to workers: {error}; {advice}") from error
    return data, blake2b(data, digest_size=16).digest()


class _Unpacked(threading.local):
    """The task last unpacked in this thread: a cache and nothing else, for the next job brings the same one."""

    key: bytes = b""
    task: Task | None = None
    replicate: Replicate | None = None


_unpacked = _Unpacked()


def run_job(job: Job) -> ChunkResult:
    """Run a job in a worker. A replication that raises is a `Failure` in the result; the others go on."""
    if job.board is not None:
        mark_running(Path(job.board), job.first, job.count)
    task, replicate = _unpacked.task, _unpacked.replicate
    if _unpacked.key != job.key or task is None or replicate is None:
        task = pickle.loads(job.task)
        replicate = task.prepare(task.scenario, task.seed)
        _unpacked.key, _unpacked.task, _unpacked.replicate = job.key, task, replicate
        if job.board is not None:  # a process of our own
            gc.collect()
            gc.freeze()  # what all replications share is not looked through again and again
    return run_chunk(task, replicate, job.first, job.count)


def run_chunk(
    task: Task, replicate: Replicate, first: int, count: int, interrupt: Interrupt | None = None
) -> ChunkResult:
    """Run replications one after the other; after an interrupt the whole ones so far are handed back."""
    with _patient_collector():
        return _run_chunk(task, replicate, first, count, interrupt)


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Look for garbage seldom: nearly all that a replication makes lasts as long as it does."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run_chunk(task: Task, replicate: Replicate, first: int, count: int, interrupt: Interrupt | None) -> ChunkResult:
    builder = ChunkBuilder(task.layout, task.names)
    failures = []
    spent = []
    for replication in range(first, first + count):
        if interrupt is not None and interrupt.asked:
            break
        began = time.perf_counter()
        try:
            if interrupt is None:
                history = replicate(replication, task.trace)
            else:
                history = interrupt.breakable(partial(replicate, replication, task.trace))
            builder.add(history)
        except KeyboardInterrupt:
            if interrupt is None or not interrupt.asked:
                raise
            break
        except Exception as error:  # noqa: BLE001 - recorded; it fails the run once the others are done
            if interrupt is not None and interrupt.asked:
                break  # the interrupt itself, dressed up by whoever caught it
            failures.append(failure_of(replication, error))
        spent.append(time.perf_counter() - began)
    middle = sorted(spent)[len(spent) // 2] if spent else 0.0
    return ChunkResult(first, len(spent), builder.finish(), tuple(failures), middle)


def failure_of(replication: int, error: BaseException) -> Failure:
    """The record of an exception: its last line and the whole traceback."""
    last = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return Failure(replication, last[0] if last else type(error).__name__, "".join(traceback.format_exception(error)))


def mark_running(board: Path, first: int, count: int) -> None:
    """Note on the board what this process runs, so that the note is left if the process is killed."""
    import os

    (board / str(os.getpid())).write_text(f"{first} {first + count - 1}", encoding="ascii")
