"""Chunks of replications: cut, handed to workers, put back in order.

However they are cut and whoever runs them, what comes out is the rows of replication 0, 1, 2, ... in this order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Final

from dcsim.study.executors import Crew
from dcsim.study.interrupt import Interrupt
from dcsim.study.worker import ChunkResult, Job, Task, pack, run_chunk
from dcsim.tables.chunk import ChunkTables
from dcsim.tables.manifest import Failure

BLOCK: Final = 256
"""Uniform numbers are made in aligned blocks of so many replications: chunks that fit into one waste none."""

LEAST_SECONDS: Final = 0.125
GOOD_SECONDS: Final = 0.5
"""Work in a chunk: below the first, handing it over costs more than a few percent."""

GRACE_SECONDS: Final = 2.0
"""After Ctrl-C the chunks that workers have begun get so long to end."""

_PROBE: Final = 4
_POLL_SECONDS: Final = 0.1


class ChunkSizes:
    """How many replications the next chunk takes.

    Fixed if `chunk` is given. Otherwise small until the first one has been timed, then a power of two up to 256,
    aligned to itself, that takes about `GOOD_SECONDS`; towards the end smaller ones, so that no worker waits long.
    """

    def __init__(self, total: int, workers: int, chunk: int | None) -> None:
        self._total = total
        self._workers = workers
        self._chunk = chunk
        self._seconds: float | None = None

    def timed(self, seconds: float) -> None:
        """A replication took so long."""
        if seconds > 0:
            self._seconds = seconds

    def next(self, first: int) -> int:
        """Replications in the chunk that begins with `first`."""
        left = self._total - first
        if self._chunk is not None:
            return min(self._chunk, left)
        if self._seconds is None:
            return min(_PROBE, left)
        least = self._power(LEAST_SECONDS)
        fair = max(1, left // (2 * self._workers))
        size = max(least, min(self._power(GOOD_SECONDS), 1 << (fair.bit_length() - 1)))
        return min(size - first % size, left)

    def _power(self, seconds: float) -> int:
        assert self._seconds is not None
        wanted = seconds / self._seconds
        size = 1
        while size < wanted and size < BLOCK:
            size *= 2
        return size


@dataclass
class Progress:
    """How far a run got: the replications tried, as ascending ranges (first, last), and which of them failed.

    `error` tells why the run ended before its time, other than by Ctrl-C.
    """

    total: int
    ranges: list[tuple[int, int]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: str | None = None
    interrupted: bool = False

    @property
    def tried(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    @property
    def missing(self) -> list[tuple[int, int]]:
        """Ranges (first, last) that were never tried, or whose results were lost with their worker."""
        ends = [-1, *(last for _, last in self.ranges)]
        begins = [*(first for first, _ in self.ranges), self.total]
        return [(end + 1, begin - 1) for end, begin in zip(ends, begins, strict=True) if begin > end + 1]

    def take(self, result: ChunkResult) -> None:
        """Note a chunk that has been written."""
        if result.count:
            first = self.ranges.pop()[0] if self.ranges and self.ranges[-1][1] == result.first - 1 else result.first
            self.ranges.append((first, result.first + result.count - 1))
        self.failures += result.failures


Sink = Callable[[ChunkTables], None]
Report = Callable[[int, int], object]


def seconds_each(task: Task, total: int, interrupt: Interrupt) -> float:
    """About how long a replication takes, from one, two or three of them run for that alone."""
    replicate = task.prepare(task.scenario, task.seed)
    spent: list[float] = []
    while len(spent) < min(3, total) and sum(spent) < GOOD_SECONDS and not interrupt.asked:
        spent.append(run_chunk(task, replicate, len(spent), 1, interrupt).seconds)
    return min(spent, default=0.0)


def run_here(task: Task, total: int, sink: Sink, report: Report, interrupt: Interrupt, chunk: int | None) -> Progress:
    """Run replications 0 to `total - 1` in this process."""
    progress = Progress(total)
    replicate = task.prepare(task.scenario, task.seed)
    sizes = ChunkSizes(total, 1, chunk)
    while progress.tried < total and not interrupt.asked:
        result = run_chunk(task, replicate, progress.tried, sizes.next(progress.tried), interrupt)
        sizes.timed(result.seconds)
        sink(result.tables)
        progress.take(result)
        report(progress.tried, total)
    progress.interrupted = progress.tried < total
    return progress


def run_with(
    crew: Crew, task: Task, total: int, sink: Sink, report: Report, interrupt: Interrupt, chunk: int | None
) -> Progress:
    """Run replications 0 to `total - 1` with a crew.

    After an interrupt the replications before the first missing one are kept; after the loss of a worker everything
    that was handed back. An error that is not a replication's own (the task does not unpack, the disk is full) is
    raised.
    """
    clean = False
    try:
        line = _Line(crew, task, total, sink, report, chunk)
        while not (line.finished or interrupt.asked or line.progress.error):
            line.submit()
            line.collect(_POLL_SECONDS)
        if interrupt.asked and not line.finished:
            line.stop(time.monotonic() + GRACE_SECONDS)
        if line.progress.error:
            line.rescue()
        clean = line.finished
    finally:
        crew.close(now=not clean)
    return line.progress


class _Line:
    """Jobs in flight and results on their way into order."""

    def __init__(self, crew: Crew, task: Task, total: int, sink: Sink, report: Report, chunk: int | None) -> None:
        self.progress = Progress(total)
        self._crew = crew
        self._data, self._key = pack(task)
        self._sink = sink
        self._report = report
        self._sizes = ChunkSizes(total, crew.size, chunk)
        self._flying: dict[Future[ChunkResult], int] = {}
        self._landed: dict[int, ChunkResult] = {}
        self._to_submit = 0
        self._to_write = 0
        self._returned = 0

    @property
    def finished(self) -> bool:
        return self._to_write >= self.progress.total

    def submit(self) -> None:
        """Keep two jobs a worker in flight, and no more results waiting for an earlier one than memory likes."""
        ahead = 16 * self._crew.size
        while (
            self._to_submit < self.progress.total
            and len(self._flying) < 2 * self._crew.size
            and len(self._flying) + len(self._landed) < ahead
        ):
            count = self._sizes.next(self._to_submit)
            try:
                future = self._crew.submit(Job(self._data, self._key, self._to_submit, count))
            except BrokenExecutor:
                self.progress.error = self._crew.post_mortem()
                return
            self._flying[future] = self._to_submit
            self._to_submit += count

    def collect(self, seconds: float) -> None:
        """Take in what is done within `seconds`, and write what is next in order."""
        done, _ = wait(self._flying, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=self._flying.__getitem__):
            first = self._flying.pop(future)
            try:
                result = future.result()
            except (BrokenExecutor, CancelledError):
                if not self.progress.interrupted:
                    self.progress.error = self.progress.error or self._crew.post_mortem()
                continue
            self._sizes.timed(result.seconds)
            self._landed[first] = result
            self._returned += result.count
        while self._to_write in self._landed:
            self._write(self._landed.pop(self._to_write))
        if done:
            self._report(self._returned, self.progress.total)

    def _write(self, result: ChunkResult) -> None:
        self._sink(result.tables)
        self._to_write = result.first + result.count
        self.progress.take(result)

    def stop(self, deadline: float) -> None:
        """Take back what has not begun, and give what has a little time; what is not in order by then is dropped."""
        self.progress.interrupted = True
        for future in list(self._flying):
            if future.cancel():
                del self._flying[future]
        while self._flying and time.monotonic() < deadline:
            self.collect(_POLL_SECONDS)

    def rescue(self) -> None:
        """After the loss of a worker: write every result there is, over the gaps."""
        while self._flying:
            before = len(self._flying)
            self.collect(_POLL_SECONDS)
            if len(self._flying) == before:
                break
        for first in sorted(self._landed):
            self._write(self._landed[first])
        self._landed.clear()

