"""`dcsim why`: what the days went to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, emit, say_problems
from dcsim.cli.progress import progress

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result


@click.command(name="why", short_help="Say what the days went to, and what made it late.")
@click.argument("source", metavar="DIR|SCENARIO")
@click.option("--site", metavar="SITE", help="Only this site.")
@click.option(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="Q",
    help="Explain the replication at this quantile of the date, link by link (0.9: a bad case).",
)
@click.option("--without", "cause", metavar="CAUSE", help="Run again with a cause set to nothing; say the days saved.")
@options.counts
@options.edits
@options.shocks
def command(
    source: str,
    site: str | None,
    quantile: float | None,
    cause: str | None,
    replications: int | None,
    seed: int | None,
    workers: int | None,
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
) -> int:
    """Say what the days of a run went to, cause by cause, against the plan.

    Give the directory of a run, or a scenario, which is then simulated.

    With --quantile it explains one replication link by link: that at the quantile of the date at which the site is
    fully live or, without --site, at which the largest target reached is live. With --without it runs everything again
    with a cause set to nothing, the luck being the same, and says how many days that saves.
    """
    from dcsim.errors import UsageError
    from dcsim.report.delays import explained_text, saved_text, why_text
    from dcsim.study.result import open_results
    from dcsim.study.why import at_quantile, saved_without, why
    from dcsim.study.without import edits_without

    if options.is_results(source):
        if replications or seed is not None or sets or what_ifs or shocks:
            raise UsageError("a finished run cannot be changed: give its scenario instead of its directory")
        result = open_results(source)
        scenario = options.scenario_of(result)
    else:
        scenario = options.read_scenario(source, sets, what_ifs, replications, seed, shocks)
        say_problems(scenario.warnings, source)
        _check(scenario, site, cause)
        result = _simulated(scenario, workers)
    if cause is not None:
        edits_without(scenario, cause)
        with progress(f"without {cause}") as report:
            saved = saved_without(result, scenario, cause, site, report, workers)
        emit(saved_text(saved))
    elif quantile is not None:
        emit(explained_text(at_quantile(result, scenario, quantile, site)))
    else:
        with progress("what is critical") as report:
            found = why(result, scenario, site, progress=report)
        emit(why_text(found, scenario.title or scenario.name))
    return DONE


def _check(scenario: Scenario, site: str | None, cause: str | None) -> None:
    """Complain before a long run rather than after it."""
    from dcsim.errors import UsageError, suggest
    from dcsim.study.without import edits_without

    if site is not None and site not in scenario.spec.sites:
        raise UsageError(f"no site '{site}' in the scenario{suggest(site, scenario.spec.sites)}")
    if cause is not None:
        edits_without(scenario, cause)


def _simulated(scenario: Scenario, workers: int | None) -> Result:
    from dcsim.study.run import simulate

    with progress("replications") as report:
        return simulate(scenario, progress=report, workers=workers, tables=["outcomes", "milestones", "delays"])
