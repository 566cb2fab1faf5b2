"""`dcsim stress`: who is hurt if a party fails, and through whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, FAILED, emit, emit_json, say, say_problems
from dcsim.cli.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from dcsim.study.stress import Stress, StressFailed

SHARE = click.FloatRange(0, 1)


@click.command(name="stress", short_help="Say who is hurt if a party fails, and through whom.")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--default",
    "party",
    metavar="PARTY[@DATE]",
    required=True,
    help="Who fails, at 00:00 of the date (halfway to the horizon); `all`: each in turn.",
)
@click.option("--recovery", type=SHARE, default=0.0, metavar="X", help="Share of its debts that it still pays. [0]")
@click.option(
    "--default-costs",
    type=SHARE,
    default=0.0,
    metavar="X",
    help="Share of its own assets that any other party loses when it defaults in turn. [0]",
)
@click.option(
    "--months", type=click.IntRange(1, 1200), default=12, metavar="N", help="What falls due within so many counts. [12]"
)
@click.option("--no-rerun", is_flag=True, help="Leave out the runs that say what is stalled.")
@click.option("--out", metavar="FILE", help="Keep the losses by party as a table: .csv or .parquet.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.counts
@options.edits
@options.shocks
def command(
    scenario: str,
    party: str,
    recovery: float,
    default_costs: float,
    months: int,
    no_rerun: bool,
    out: str | None,
    as_json: bool,
    replications: int | None,
    seed: int | None,
    workers: int | None,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
) -> int:
    """Let a party fail on a date in every replication, and say who is hurt and through whom.

    All debts are cleared at once, with guarantees, seniority and the losses of lenders; the replications are then run
    again with the failure in them to see which MW it stalls.
    """
    from pathlib import Path

    from dcsim.errors import UsageError, printable
    from dcsim.report.stress import stress_data, stress_text
    from dcsim.study.stress import StressFailed, stress

    if out is not None and Path(out).suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"{printable(out)}: expected a file that ends in .csv or .parquet")
    if options.is_results(scenario):
        raise UsageError("a stress test takes a scenario: give the scenario.yaml of the directory")
    read = options.read_scenario(scenario, sets, what_ifs, replications, seed, shocks)
    say_problems(read.warnings, scenario)
    status = DONE
    try:
        with progress("replications") as report:
            found: Stress | None = stress(
                read,
                party,
                recovery=recovery,
                default_costs=default_costs,
                months=months,
                rerun=not no_rerun,
                workers=workers,
                progress=report,
            )
    except StressFailed as error:
        say(f"error: {printable(str(error))}{_traceback(error)}")
        found, status = error.stress, FAILED
    if found is None:
        return status
    if out is not None:
        _keep(found, Path(out))
    if as_json:
        emit_json(stress_data(found))
    else:
        emit(stress_text(found))
    return status


def _traceback(error: StressFailed) -> str:
    """What went wrong first, where that is asked for."""
    from dcsim.cli.group import debugging

    return f"\n{error.lost[0].traceback.rstrip()}" if debugging() else ""


def _keep(found: Stress, path: Path) -> None:
    """Write the losses by party as a table."""
    from dcsim.tables.directory import write_file

    frame = found.frame()
    if path.suffix.lower() == ".csv":
        write_file(path, lambda file: file.write(frame.to_csv(index=False).encode()))
    else:
        write_file(path, lambda file: frame.to_parquet(file, index=False))
    say(f"written: {path}")
