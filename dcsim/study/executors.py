"""Worker processes that start clean, die with their parent, and are named when one of them is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol, TypeVar

from dcsim.study.worker import ChunkResult, Job, run_job

Answer = TypeVar("Answer")

FEW: Final = 64
SHORT: Final = 4.0
"""Below so many replications, or seconds of work, starting workers costs more than they save."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worth_workers(replications: int, seconds: float) -> bool:
    """Whether so many replications of so many seconds each are enough work to share."""
    return replications >= FEW and replications * seconds >= SHORT


class Crew(Protocol):
    """What runs jobs: our own processes, or somebody's executor."""

    @property
    def size(self) -> int:
        """How many jobs run at a time."""

    def submit(self, job: Job) -> Future[ChunkResult]:
        """Hand in a job."""

    def post_mortem(self) -> str:
        """After the executor broke: who was lost, while running what."""

    def close(self, now: bool) -> None:
        """Let the workers go; `now` does not wait for what they are running."""


class BorrowedCrew:
    """Any `concurrent.futures.Executor` of the caller's; it is never shut down here."""

    def __init__(self, executor: Executor, size: int | None) -> None:
        known = getattr(executor, "_max_workers", None)
        self.size = size or (known if isinstance(known, int) else None) or os.cpu_count() or 1
        self._executor = executor

    def submit(self, job: Job) -> Future[ChunkResult]:
        return self._executor.submit(run_job, job)

    def post_mortem(self) -> str:
        return f"a worker of {type(self._executor).__name__} was lost"

    def close(self, now: bool) -> None:
        return None


class ProcessCrew:
    """Worker processes of our own: spawned, one BLAS thread each, deaf to Ctrl-C, ending when their parent does."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._board = TemporaryDirectory(prefix="dcsim-board-", ignore_cleanup_errors=True)
        self._others = set(multiprocessing.active_children())
        self._processes: list[BaseProcess] = []
        self._executor = ProcessPoolExecutor(
            size, multiprocessing.get_context("spawn"), initializer=start_worker, initargs=(self._board.name,)
        )

    def submit(self, job: Job) -> Future[ChunkResult]:
        return self.call(run_job, Job(job.task, job.key, job.first, job.count, self._board.name))

    def call(self, function: Callable[..., Answer], *arguments: object) -> Future[Answer]:
        """Hand in any top-level function."""
        if len(self._processes) >= self.size:
            return self._executor.submit(function, *arguments)
        with _starting():  # a submission may start a process
            future = self._executor.submit(function, *arguments)
        self._processes = [child for child in multiprocessing.active_children() if child not in self._others]
        return future

    def post_mortem(self) -> str:
        """Name the processes that ended by themselves, not those ended because of them, and what they were running."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        lost = [process for process in self._processes if process.exitcode not in (0, None, -signal.SIGTERM)]
        told = [self._obituary(process) for process in lost or self._processes]
        return "; ".join(told) or "a worker process was lost"

    def _obituary(self, process: BaseProcess) -> str:
        code = process.exitcode
        how = f"ended with status {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        try:
            first, last = (Path(self._board.name) / str(process.pid)).read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return (
                f"worker process {process.pid} {how} before it ran a replication (a script that starts a run needs "
                "its calls under `if __name__ == '__main__':`, or workers=1)"
            )
        return f"worker process {process.pid} {how} while running replications {first} to {last}"

    def close(self, now: bool) -> None:
        if now:
            for process in self._processes:
                process.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._board.cleanup()


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """Processes started inside inherit a blocked Ctrl-C and one BLAS thread.

    Ctrl-C in a terminal reaches the whole group of processes; the parent alone answers it. Blocking it here rather than
    in the worker leaves no moment in which it would hit.
    """
    threads = {name: os.environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    former = None
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # starting it would unblock the signal again
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(threads, "1"))
    try:
        yield
    finally:
        for name, value in threads.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if former is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)


def start_worker(board: str) -> None:
    """First thing in a worker process: leave Ctrl-C to the parent, and end (with the board) when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, board), name="dcsim-parent-watch", daemon=True).start()


def _end_with(parent: BaseProcess, board: str) -> None:
    parent.join()
    shutil.rmtree(board, ignore_errors=True)
    os._exit(1)
