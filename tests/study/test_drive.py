"""How a study is cut into chunks, and put together again whatever order they come back in."""

from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from fake_study import FakeScenario, plan, prepare

from dcsim.study import drive
from dcsim.study.drive import BLOCK, ChunkSizes, Progress, run_here, run_with
from dcsim.study.executors import FEW, BorrowedCrew, cores, worth_workers
from dcsim.study.interrupt import Interrupt
from dcsim.study.worker import ChunkResult, Task, run_job
from dcsim.tables.chunk import ChunkTables
from dcsim.tables.layout import Layout
from dcsim.tables.manifest import Failure
from dcsim.tables.schema import TABLE_NAMES

SCENARIO = FakeScenario(replications=64)
TASK = Task(SCENARIO, 1, prepare, Layout.of(SCENARIO, plan(SCENARIO)), TABLE_NAMES[:4])


def cut(total, workers, chunk, seconds):
    sizes = ChunkSizes(total, workers, chunk)
    counts = []
    while sum(counts) < total:
        counts.append(sizes.next(sum(counts)))
        if seconds and len(counts) == 2:  # the first ones come back
            sizes.timed(seconds)
    assert sum(counts) == total
    return counts


def test_a_chunk_that_is_asked_for_is_kept():
    assert cut(10, 2, 4, 0.5) == [4, 4, 2]


@pytest.mark.parametrize("seconds", [1e-4, 0.002, 0.03, 0.4, 3.0])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_chunks_have_enough_work_and_fit_into_blocks(seconds, workers):
    counts = cut(5000, workers, None, seconds)
    first = 0
    for count in counts:
        assert first // BLOCK == (first + count - 1) // BLOCK, "no chunk spans two blocks of uniforms"
        first += count
    usual = sorted(counts)[len(counts) // 2]
    assert usual * seconds >= 0.125 or usual == BLOCK
    assert usual * seconds <= max(1.0, seconds)


def test_the_last_chunks_are_small_but_not_too_small():
    counts = cut(5000, 4, None, 0.004)
    assert max(counts) == 128
    assert min(counts[2:-1]) >= 32  # an eighth of a second
    assert counts[-1] <= 32


def test_before_the_first_is_timed_chunks_are_small():
    assert set(cut(100, 2, None, None)) == {4}


def chunk(first, count, failed=()):
    done = tuple(number for number in range(first, first + count) if number not in failed)
    failures = tuple(Failure(number, "x") for number in failed)
    return ChunkResult(first, count, ChunkTables(done, (), {}, {}), failures, 0.01)


def test_progress_knows_what_is_missing():
    progress = Progress(100)
    assert progress.missing == [(0, 99)]
    progress.take(chunk(0, 10))
    progress.take(chunk(10, 5))
    assert progress.ranges == [(0, 14)]
    progress.take(chunk(20, 10, failed=[21]))
    assert progress.missing == [(15, 19), (30, 99)]
    assert progress.tried == 25
    assert [failure.replication for failure in progress.failures] == [21]
    progress.take(chunk(99, 1))
    assert progress.missing == [(15, 19), (30, 98)]
    assert Progress(5).take(chunk(0, 0)) is None
    everything = Progress(5)
    everything.take(chunk(0, 5))
    assert everything.missing == []


class Backwards:
    """A crew that finishes whatever was handed in last first."""

    def __init__(self, size):
        self.size = size
        self.waiting = []
        self.most = 0
        self.closed = None

    def submit(self, job):
        future = Future()
        self.waiting.append((future, job))
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) == 2 * self.size or job.first + job.count == SCENARIO.replications:
            self.release()
        return future

    def release(self):
        while self.waiting:
            future, job = self.waiting.pop()
            future.set_result(run_job(job))

    def post_mortem(self):
        return "nobody"

    def close(self, now):
        self.closed = now


def test_results_are_put_in_order():
    rows, seen = [], []
    crew = Backwards(3)
    with Interrupt() as interrupt:
        progress = run_with(crew, TASK, 64, rows.append, lambda *now: seen.append(now), interrupt, 5)
    assert [number for part in rows for number in part.done] == list(range(64))
    assert progress.missing == []
    assert crew.most == 6, "two jobs a worker in flight and no more"
    assert seen[-1] == (64, 64)
    assert seen == sorted(seen)
    assert crew.closed is False


class Breaking(Backwards):
    """Loses the third job of a batch."""

    def release(self):
        for index, (future, job) in enumerate(self.waiting):
            if index == 2:
                future.set_exception(BrokenProcessPool("lost"))
            else:
                future.set_result(run_job(job))
        self.waiting.clear()


def test_after_a_loss_all_that_came_back_is_kept():
    rows = []
    crew = Breaking(3)
    with Interrupt() as interrupt:
        progress = run_with(crew, TASK, 64, rows.append, lambda *now: None, interrupt, 5)
    assert progress.error == "nobody"
    assert [number for part in rows for number in part.done] == [*range(10), *range(15, 30)]
    assert progress.missing == [(10, 14), (30, 63)]
    assert crew.closed is True


def test_a_sink_that_fails_ends_the_run_and_the_crew():
    crew = Backwards(2)

    def full(part):
        raise OSError("full")

    with Interrupt() as interrupt, pytest.raises(OSError, match="full"):
        run_with(crew, TASK, 64, full, lambda *now: None, interrupt, 5)
    assert crew.closed is True


def test_an_interrupt_drops_what_is_not_in_order(monkeypatch):
    monkeypatch.setattr(drive, "GRACE_SECONDS", 0.2)
    rows = []
    with Interrupt() as interrupt:

        class Late(Backwards):
            def release(self):
                *others, (first, job) = self.waiting[1:]  # the first job of the batch never ends
                for future, other in [*others, (first, job)]:
                    future.set_result(run_job(other))
                self.waiting[0][0].set_running_or_notify_cancel()
                self.waiting.clear()
                interrupt.asked = True

        progress = run_with(Late(3), TASK, 64, rows.append, lambda *now: None, interrupt, 5)
    assert progress.interrupted
    assert rows == []
    assert progress.missing == [(0, 63)]


def test_an_interrupt_here_keeps_what_is_whole():
    rows = []
    with Interrupt() as interrupt:

        def report(done, total):
            interrupt.asked = done >= 10

        progress = run_here(TASK, 64, rows.append, report, interrupt, 5)
    assert progress.interrupted
    assert [number for part in rows for number in part.done] == list(range(10))


def test_the_number_of_workers():
    assert not worth_workers(FEW - 1, 60.0)
    assert not worth_workers(1000, 0.001)
    assert worth_workers(1000, 0.01)
    assert cores() >= 1
    with ProcessPoolExecutor(3) as pool:
        assert BorrowedCrew(pool, None).size == 3
        assert BorrowedCrew(pool, 5).size == 5
