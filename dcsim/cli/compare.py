"""`dcsim compare`: variants of a scenario with the same luck, and what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli.output import DONE, emit, emit_json, say_problems
from dcsim.cli.progress import progress

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario


@click.command(name="compare", short_help="Simulate variants with the same luck, and say what they change.")
@click.argument("base")
@click.argument("others", nargs=-1, metavar="[OTHER]...")
@click.option(
    "--with",
    "variants",
    metavar="NAME[:PATH=VALUE,...]",
    multiple=True,
    help="A what-if of BASE, or an edit of it under a name of yours; may be given again. `all`: every what-if.",
)
@click.option(
    "--set", "sets", metavar="PATH=VALUE", multiple=True, help="Change a value in all of them; may be given again."
)
@click.option(
    "--outcome",
    "outcomes",
    metavar="OUTCOME",
    multiple=True,
    help="Show this one (live_mw@2030-06-30, date_of(ohio.full_live), ...); may be given again. [default: a few]",
)
@click.option("--replications", type=click.IntRange(min=1), metavar="N", help="How often to simulate each.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Seed of all, in place of that of BASE.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes that share the work.")
@click.option("--out", metavar="DIR", help="Keep the runs and the comparison in this directory.")
@click.option("--overwrite", is_flag=True, help="Replace a complete comparison that is already there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors (and what --json prints).")
def command(
    base: str,
    others: tuple[str, ...],
    variants: tuple[str, ...],
    sets: tuple[str, ...],
    outcomes: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    workers: int | None,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate BASE and variants of it with the same luck, and say what each of them changes.

    Variants are other scenario files, what-ifs of BASE (--with NAME) or edits of it
    (--with 'cheap:parties.bank.lending.rate=0.05,regions.south.energy={times: 0.8}'; with {each: [1, 2, 3]} three of
    them). Every draw that a variant does not change is that of the base, so a difference is the variant's doing.
    """
    from dcsim.report.compare import comparison_data, comparison_text
    from dcsim.study.compare import compare
    from dcsim.study.expect import check_names, read_quantity
    from dcsim.study.model import plan

    scenario, scenarios = _read(base, others, variants, sets)
    if outcomes:
        check_names(scenario, plan(scenario), [read_quantity(outcome, scenario) for outcome in outcomes])
    if not quiet:
        say_problems(scenario.warnings, base)
    with progress("replications", quiet) as report:
        comparison = compare(
            scenario, scenarios, replications, seed, workers=workers, progress=report, out=out, overwrite=overwrite
        )
    if as_json:
        emit_json(comparison_data(comparison, outcomes))
    elif not quiet:
        emit(comparison_text(comparison, outcomes))
    return DONE


def _read(
    base: str, others: tuple[str, ...], variants: tuple[str, ...], sets: tuple[str, ...]
) -> tuple[Scenario, dict[str, Scenario]]:
    """The base and everything beside it, with `--set` in all. Raises UsageError or ScenarioError."""
    from pathlib import Path

    from dcsim.cli.options import read_scenario
    from dcsim.errors import UsageError
    from dcsim.study.variants import add, asked

    if not others and not variants:
        raise UsageError("nothing to compare with: give another scenario, --with NAME or --with NAME:PATH=VALUE")
    scenario = read_scenario(base, sets)
    found: dict[str, Scenario] = {}
    for path in others:
        other = read_scenario(path, sets)
        name = Path(path).stem
        add(found, {path if name in found or name == "base" else name: other})
    add(found, asked(scenario, variants))
    return scenario, found
