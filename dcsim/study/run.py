"""One scenario, many replications: run them and keep the tables."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dcsim.errors import DcsimError, UsageError, suggest
from dcsim.model.history import History
from dcsim.study.drive import Progress, run_here, run_with, seconds_each
from dcsim.study.executors import FEW, BorrowedCrew, Crew, ProcessCrew, cores, worth_workers
from dcsim.study.interrupt import Interrupt
from dcsim.study.model import Model
from dcsim.study.result import Result
from dcsim.study.worker import Task
from dcsim.tables.chunk import replication_hashes
from dcsim.tables.directory import StagedDirectory, check_destination, write_file
from dcsim.tables.layout import Layout, ScenarioLike
from dcsim.tables.manifest import Status, build_manifest, write_manifest
from dcsim.tables.rows import Columns
from dcsim.tables.schema import ASSUMPTIONS, TABLE_NAMES
from dcsim.tables.writer import RunWriter, TableFile, write_table

if TYPE_CHECKING:
    from dcsim.model.decision import Policy


SCENARIO: Final = "scenario.yaml"


class RunFailed(DcsimError):
    """Some replications failed, or a worker was lost (exit status 1). `result` holds the tables of all others."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C ended the run (exit status 130). `result` holds the first replications up to there, if there are any."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


def simulate(
    scenario: Any,
    replications: int | None = None,
    seed: int | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    trace: bool = False,
    chunk: int | None = None,
    tables: Sequence[str] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    policies: Mapping[str, Policy] | None = None,
) -> Result:
    """Simulate a scenario and return its results.

    `replications` and `seed` are the scenario's own unless given. `workers` processes share the work; by default all
    cores, or this process alone where that is a matter of seconds. `executor` may be any `concurrent.futures.Executor`
    instead. `progress(done, total)` is called now and then. `trace` keeps every event. `chunk` fixes how many
    replications travel together. `tables` names the tables wanted (all). `out` is a directory to write; without one the
    results last as long as the `Result` does. `policies` are conversion policies by tenant, top-level functions in
    place of the file's (`dcsim.model.decision`). None of these but the seed and the policies changes a row.

    A script that calls this with several workers keeps its calls under `if __name__ == "__main__":`, because worker
    processes import it.

    Raises `UsageError` if the call is wrong or the scenario expects something of an outcome that it does not have,
    `RunFailed` after the end if replications failed or a worker was lost, `RunInterrupted` on Ctrl-C (both with what is
    whole as `.result`, and in `out`), `ResultsError` if the disk refuses.
    """
    from dcsim.study.model import default_model

    changes = {"replications": replications, "seed": seed}
    edits = {path: value for path, value in changes.items() if value not in (None, getattr(scenario, path))}
    scenario = scenario.edit(edits) if edits else scenario
    model = default_model(policies)
    if _expects(scenario) and model.plan is not None:
        from dcsim.study.expect import check_names

        check_names(scenario, model.plan(scenario))
    return run_study(
        scenario,
        model,
        workers=workers,
        executor=executor,
        progress=progress,
        trace=trace,
        chunk=chunk,
        tables=tables,
        out=out,
        overwrite=overwrite,
    )


def run_study(
    scenario: ScenarioLike,
    model: Model,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    trace: bool = False,
    chunk: int | None = None,
    tables: Sequence[str] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Result:
    """`simulate` for any model; seed and replications are the scenario's."""
    _at_least_one("replications", scenario.replications)
    _at_least_one("workers", workers)
    _at_least_one("chunk", chunk)
    study = Study(scenario, model, _tables(tables, trace), trace, workers, executor, chunk, progress)
    if out is not None:
        check_destination(Path(out), overwrite)
    spool = Path(tempfile.mkdtemp(prefix="dcsim-")) if out is None else None
    try:
        place = spool / "results" if spool else Path(out or "")
        with Interrupt() as interrupt, StagedDirectory(place, overwrite) as staged:
            reached = study.run_into(staged.path, interrupt)
            _record_verdicts(staged.path, scenario)
            staged.commit()
            result = Result(staged.destination, spool)
    except BaseException:
        if spool:
            shutil.rmtree(spool, ignore_errors=True)
        raise
    return _deliver(result, reached, interrupt.asked)


@dataclass(frozen=True)
class Study:
    """What is to be run, and by whom."""

    scenario: ScenarioLike
    model: Model
    names: tuple[str, ...]
    trace: bool = False
    workers: int | None = None
    executor: Executor | None = None
    chunk: int | None = None
    progress: Callable[[int, int], object] | None = None

    def run_into(self, directory: Path, interrupt: Interrupt) -> Progress:
        """Run, and fill a directory with all that belongs to the results, the manifest last.

        Raises `RunInterrupted` if not even one replication was whole.
        """
        began = time.monotonic()
        scenario = self.scenario
        text = scenario.to_yaml().encode()
        # What cannot be written shows before the run, not after.
        write_file(directory / SCENARIO, lambda file: file.write(text))
        assumptions = _write_assumptions(directory, scenario)
        layout = Layout.of(scenario, None if self.model.plan is None else self.model.plan(scenario))
        task = Task(scenario, scenario.seed, self.model.prepare, layout, self.names, self.trace)
        crew = self._crew(task, interrupt)
        writer = RunWriter(directory, layout, self.names)
        try:
            reached = self._drive(crew, task, writer, interrupt)
            if reached.interrupted and not reached.tried:
                raise RunInterrupted("interrupted before the first replication was whole")
            tables = {**writer.close(), ASSUMPTIONS.name: assumptions}
        except BaseException:
            writer.abandon()
            raise
        manifest = build_manifest(
            scenario,
            seed=scenario.seed,
            asked=scenario.replications,
            done=reached.tried - len(reached.failures),
            status=_status(reached),
            tables=tables,
            files={SCENARIO: len(text), **{f"{name}.parquet": table.bytes for name, table in tables.items()}},
            wall_seconds=time.monotonic() - began,
            workers=1 if crew is None else crew.size,
            trace=self.trace,
            failures=reached.failures,
            missing=reached.missing,
            error=reached.error,
            policies=self.model.policies,
        )
        write_manifest(directory, manifest)
        return reached

    def _crew(self, task: Task, interrupt: Interrupt) -> Crew | None:
        """Who runs the replications; None is this process."""
        if self.executor is not None:
            return BorrowedCrew(self.executor, self.workers)
        total = self.scenario.replications
        size = min(self.workers or cores(), total)
        if self.workers is None and not (
            size > 1 and total >= FEW and worth_workers(total, seconds_each(task, total, interrupt))
        ):
            size = 1
        return ProcessCrew(size) if size > 1 else None

    def _drive(self, crew: Crew | None, task: Task, writer: RunWriter, interrupt: Interrupt) -> Progress:
        total = self.scenario.replications
        report = self.progress or _say_nothing
        if crew is None:
            return run_here(task, total, writer.append, report, interrupt, self.chunk)
        return run_with(crew, task, total, writer.append, report, interrupt, self.chunk)


def _say_nothing(done: int, total: int) -> None:
    return None


def _expects(scenario: Any) -> bool:
    """Whether the scenario says what must hold."""
    return bool(getattr(getattr(scenario, "spec", None), "expect", None))


def _record_verdicts(directory: Path, scenario: Any) -> None:
    """Add to the manifest what became of the scenario's expectations, if it has any."""
    if _expects(scenario):
        from dcsim.study.expect import recorded

        result = Result(directory)
        write_manifest(directory, {**result.manifest, "expect": recorded(result, scenario)})


def _deliver(result: Result, reached: Progress, interrupted: bool) -> Result:
    """The result, or the exception that carries it."""
    if interrupted:
        raise RunInterrupted(f"interrupted after {reached.tried} of {reached.total} replications", result)
    if reached.error:
        lost = ", ".join(f"{first} to {last}" if last > first else f"{first}" for first, last in reached.missing)
        raise RunFailed(f"{reached.error}; without results: replications {lost}", result)
    if reached.failures:
        first = reached.failures[0]
        count = len(reached.failures)
        raise RunFailed(
            f"{count} of {reached.total} replications failed, the first of them {first.replication}: {first.error}",
            result,
        )
    return result


def _status(reached: Progress) -> Status:
    if reached.interrupted:
        return "interrupted"
    return "failed" if reached.error or reached.failures else "complete"


def _at_least_one(name: str, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise UsageError(f"{name}: expected a whole number of at least 1, got {value!r}")


def _tables(wanted: Sequence[str] | None, trace: bool) -> tuple[str, ...]:
    offered = [name for name in TABLE_NAMES if trace or name != "events"]
    if wanted is None:
        return tuple(offered)
    for name in wanted:
        if name not in offered:
            why = "; it takes trace=True" if name in TABLE_NAMES else suggest(name, offered)
            raise UsageError(f"no table {name!r}{why}")
    return tuple(name for name in offered if name in wanted)


def _write_assumptions(directory: Path, scenario: ScenarioLike) -> TableFile:
    rows = [[None if cell is None else str(cell) for cell in row] for row in scenario.assumptions()]
    columns: Columns = {name: [row[index] for row in rows] for index, name in enumerate(ASSUMPTIONS.column_names)}
    return write_table(directory, ASSUMPTIONS, columns)


def replay(
    scenario: ScenarioLike, replication: int, model: Model, trace: bool = True
) -> tuple[History, dict[str, str]]:
    """One replication again: its history, and the hash of its rows by table, to hold against `Result.hashes`.

    Tracing adds `events` and changes nothing else. Raises whatever the replication raises.
    """
    layout = Layout.of(scenario, None if model.plan is None else model.plan(scenario))
    history = model.prepare(scenario, scenario.seed)(replication, trace)
    return history, replication_hashes(history, layout, _tables(None, trace))
