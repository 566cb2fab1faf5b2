"""`dcsim trace`: every event of one replication."""

from __future__ import annotations

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, FAILED, emit, emit_json, say, say_problems


@click.command(name="trace", short_help="Print every event of one replication.")
@click.argument("source", metavar="SCENARIO|DIR")
@click.option("--replication", type=click.IntRange(min=0), required=True, metavar="R", help="Which one, from 0.")
@click.option("--site", metavar="SITE", help="Only the events of this site.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@options.edits
@options.shocks
def command(
    source: str,
    replication: int,
    site: str | None,
    as_json: bool,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
) -> int:
    """Print every event of one replication.

    From the directory of a run the replication is simulated again, and its rows are compared with those that the run
    kept: the exit status is 1 if they differ. The same code and package versions give the same rows.
    """
    from dcsim.errors import UsageError, suggest
    from dcsim.report.events import events_data, events_text, verdict
    from dcsim.study.result import open_results
    from dcsim.study.trace import trace

    result = None
    if options.is_results(source):
        if sets or what_ifs or shocks:
            raise UsageError("a finished run cannot be changed: give its scenario instead of its directory")
        result = open_results(source)
        scenario = options.scenario_of(result)
    else:
        scenario = options.read_scenario(source, sets, what_ifs, shocks=shocks)
        say_problems(scenario.warnings, source)
    if site is not None and site not in scenario.spec.sites:
        raise UsageError(f"no site '{site}' in the scenario{suggest(site, scenario.spec.sites)}")
    found = trace(scenario, replication, result)
    if as_json:
        emit_json(events_data(found, site))
    else:
        emit(events_text(found, site))
    if result is None:
        return DONE
    say(verdict(found))
    return DONE if found.identical else FAILED
