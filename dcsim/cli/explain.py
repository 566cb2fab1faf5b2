"""`dcsim explain`: the plan, step by step."""

from __future__ import annotations

import click

from dcsim.cli import options
from dcsim.cli.output import DONE, emit, say_problems


@click.command(name="explain", short_help="Print the plan of a scenario step by step, every number at its median.")
@click.argument("scenario")
@click.option("--site", "sites", metavar="SITE", multiple=True, help="Only this site; may be given again.")
@options.edits
@options.shocks
def command(
    scenario: str,
    sites: tuple[str, ...],
    sets: tuple[str, ...],
    what_ifs: tuple[str, ...],
    shocks: tuple[str, ...],
) -> int:
    """Print the plan of SCENARIO step by step, every number at its median.

    Every gate takes its likelier side and nobody waits for anybody else. This is what a schedule would say; it is not
    the median outcome, which `dcsim run` gives.
    """
    from dcsim.report.plan import plan_text
    from dcsim.study.explain import explain

    checked = options.read_scenario(scenario, sets, what_ifs, shocks=shocks)
    say_problems(checked.warnings, scenario)
    emit(plan_text(explain(checked, sites)))
    return DONE
