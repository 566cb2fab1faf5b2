"""`dcsim run`: many replications, their tables, and the answers on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, FAILED, INTERRUPTED, UNMET, emit, emit_json, say, say_problems
from dcsim.cli.progress import progress
from dcsim.study.slug import slug

if TYPE_CHECKING:
    from pathlib import Path

    from dcsim.scenario.scenario import Scenario
    from dcsim.study.expect import Judged
    from dcsim.study.result import Result


@click.command(name="run", short_help="Simulate a scenario, write its tables, print the answers.")
@click.argument("scenario")
@options.counts
@click.option("--out", metavar="DIR", help="Directory for the results. [default: results/<name>-<hash>]")
@click.option("--overwrite", is_flag=True, help="Replace a complete run that is already there.")
@options.edits
@options.shocks
@click.option("--tables", metavar="LIST", help="Tables to write, joined by commas. [default: all]")
@click.option("--trace", is_flag=True, help="Keep every event too (events.parquet; large).")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as one JSON object.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors (and what --json prints).")
@click.option("--strict", is_flag=True, help="End with status 3 also if something expected is undecided.")
def command(
    scenario: str,
    replications: int | None,
    seed: int | None,
    workers: int | None,
    out: str | None,
    overwrite: bool,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
    tables: str | None,
    trace: bool,
    as_json: bool,
    quiet: bool,
    strict: bool,
) -> int:
    """Simulate SCENARIO, write its tables, and print the answers.

    The tables go to results/<name>-<hash>/ under the current directory, where the hash is that of the scenario with
    the edits of this call. A complete run that is there already is kept unless --overwrite is given.

    What the scenario's `expect:` says must hold is held against the results. If something fails, the exit status is 3.
    """
    from pathlib import Path

    from dcsim.study.expect import judge_all
    from dcsim.study.run import RunFailed, RunInterrupted, simulate

    checked = options.read_scenario(scenario, sets, what_ifs, replications, seed, shocks)
    if not quiet:
        say_problems(checked.warnings, scenario)
    place = Path(out) if out is not None else default_directory(checked)
    _refuse_complete(place, overwrite)
    status = DONE
    try:
        with progress("replications", quiet) as report:
            result: Result | None = simulate(
                checked,
                workers=workers,
                progress=report,
                trace=trace,
                tables=_list(tables),
                out=place,
                overwrite=overwrite,
            )
    except RunFailed as error:
        say(f"error: {_line(error)}{_traceback(error.result)}")
        result, status = error.result, FAILED
    except RunInterrupted as error:
        say(f"interrupted{_kept(error.result)}")
        result, status = error.result, INTERRUPTED
    if result is None:
        return status
    judged = judge_all(result, checked)
    if as_json or not quiet:
        _show(result, checked, judged, as_json)
    unmet = _unmet(judged, strict, quiet)
    return unmet if status == DONE else status


def _refuse_complete(place: Path, overwrite: bool) -> None:
    """Raises UsageError, which names the options, where a complete run would be replaced."""
    from dcsim.errors import UsageError
    from dcsim.tables.directory import is_complete

    if not overwrite and place.is_dir() and is_complete(place):
        hint = "--overwrite replaces it, --out DIR puts this one elsewhere"
        raise UsageError(f"{place} already holds a complete run; {hint}")


def _unmet(judged: list[Judged], strict: bool, quiet: bool) -> int:
    """Says what does not hold; 3 if something fails (or, if that is asked, is undecided), else 0."""
    from dcsim.report.expect import message

    status = DONE
    for one in judged:
        counts = one.verdict == "fail" or (strict and one.verdict == "undecided")
        if counts or (one.verdict == "undecided" and not quiet):
            say(message(one))
        status = UNMET if counts else status
    return status


def _show(result: Result, scenario: Scenario, judged: list[Judged], as_json: bool) -> None:
    from dcsim.report.summary import summarise
    from dcsim.report.terminal import summary_text

    summary = summarise(result, scenario, judged)
    summary["directory"] = _shown(result.directory)
    if as_json:
        emit_json(summary)
    else:
        emit(summary_text(summary))


def _line(error: BaseException) -> str:
    from dcsim.errors import printable

    return printable(str(error))


def _traceback(result: Result | None) -> str:
    """Where to read what went wrong; all of it where that is asked for."""
    if result is None or not result.failures:
        return ""
    from dcsim.cli.group import debugging

    if debugging():
        return "\n" + result.failures[0].traceback.rstrip()
    return f" (its traceback is in {_shown(result.directory / 'manifest.json')})"


def _kept(result: Result | None) -> str:
    if result is None:
        return " before the first replication was whole; nothing is kept"
    return f" after {result.replications:,} replications, which are kept"


def _shown(directory: Path) -> str:
    """The path as a user would type it: relative where it lies below the current directory."""
    from pathlib import Path

    try:
        return str(directory.relative_to(Path.cwd()))
    except ValueError:
        return str(directory)


def _list(text: str | None) -> list[str] | None:
    """Names joined by commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def default_directory(scenario: Scenario) -> Path:
    """`results/<name>-<hash8>` below the current directory; a name is free text, and never becomes a path."""
    from pathlib import Path

    return Path("results") / f"{slug(scenario.name)}-{scenario.hash[:8]}"
