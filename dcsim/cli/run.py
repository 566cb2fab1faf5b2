"""`dcsim run`: many replications, their tables, and the answers on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, FAILED, INTERRUPTED, emit, emit_json, say, say_problems
from dcsim.cli.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result


@click.command(name="run", short_help="Simulate a scenario, write its tables, print the answers.")
@click.argument("scenario")
@options.counts
@click.option("--out", metavar="DIR", help="Directory for the results. [default: results/<name>-<hash>]")
@click.option("--overwrite", is_flag=True, help="Replace a complete run that is already there.")
@options.edits
@click.option("--tables", metavar="LIST", help="Tables to write, joined by commas. [default: all]")
@click.option("--trace", is_flag=True, help="Keep every event too (events.parquet; large).")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as one JSON object.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors (and what --json prints).")
def command(
    scenario: str,
    replications: int | None,
    seed: int | None,
    workers: int | None,
    out: str | None,
    overwrite: bool,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    tables: str | None,
    trace: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate SCENARIO, write its tables, and print the answers.

    The tables go to results/<name>-<hash>/ under the current directory, where the hash is that of the scenario with
    the edits of this call. A complete run that is there already is kept unless --overwrite is given.
    """
    from pathlib import Path

    from dcsim.study.run import RunFailed, RunInterrupted, simulate

    checked = options.read_scenario(scenario, sets, what_ifs, replications, seed)
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
    if result is not None and (as_json or not quiet):
        _show(result, checked, as_json)
    return status


def _refuse_complete(place: Path, overwrite: bool) -> None:
    """Raises UsageError, which names the options, where a complete run would be replaced."""
    from dcsim.errors import UsageError
    from dcsim.tables.directory import is_complete

    if not overwrite and place.is_dir() and is_complete(place):
        hint = "--overwrite replaces it, --out DIR puts this one elsewhere"
        raise UsageError(f"{place} already holds a complete run; {hint}")


def _show(result: Result, scenario: Scenario, as_json: bool) -> None:
    from dcsim.report.summary import summarise
    from dcsim.report.terminal import summary_text

    summary = summarise(result, scenario)
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


def slug(name: str) -> str:
    """A scenario's name as part of a directory's: small letters, digits, `-` and `_`, at most 60 of them."""
    import re
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain)[:60].strip("-") or "scenario"
