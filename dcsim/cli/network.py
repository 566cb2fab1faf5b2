"""`dcsim network`: who owes, guarantees and supplies whom on a date."""

from __future__ import annotations

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, emit, emit_json, say, say_problems


@click.command(name="network", short_help="Print who owes, guarantees and supplies whom on a date.")
@click.argument("source", metavar="SCENARIO|DIR")
@click.option("--at", "date", metavar="DATE", help="End of which date. [default: the horizon]")
@click.option("--replication", type=click.IntRange(min=0), metavar="R", help="Of which replication, from 0.")
@click.option("--plan", is_flag=True, help="Of the plan: all medians, no shared limits. [default]")
@click.option("--out", metavar="FILE", help="Keep the graph: .graphml, .json, or a picture as .png or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.edits
@options.shocks
def command(
    source: str,
    date: str | None,
    replication: int | None,
    plan: bool,
    out: str | None,
    as_json: bool,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
) -> int:
    """Print the counterparty network as it stands at the end of a date.

    What each party owes, is owed and guarantees, how concentrated that is, guarantors' headroom, closed loops, and what
    share of each supplier's sales its own group paid for or made possible; with the definitions.

    Give a scenario, or the directory of a run, whose replications are simulated again up to the date.
    """
    from pathlib import Path

    from dcsim.errors import UsageError
    from dcsim.report.network import network_data, network_text
    from dcsim.study.network import check_ending, snapshot
    from dcsim.study.result import open_results

    if plan and replication is not None:
        raise UsageError("the plan has no replications: give --plan or --replication")
    if out is not None:
        check_ending(Path(out))
    if options.is_results(source):
        if sets or what_ifs or shocks:
            raise UsageError("a finished run cannot be changed: give its scenario instead of its directory")
        found = open_results(source).network(date, replication)
    else:
        scenario = options.read_scenario(source, sets, what_ifs, shocks=shocks)
        say_problems(scenario.warnings, source)
        found = snapshot(scenario, date, replication)
    if out is not None:
        say(f"written: {found.save(out)}")
    if as_json:
        emit_json(network_data(found))
    else:
        emit(network_text(found))
    return DONE
