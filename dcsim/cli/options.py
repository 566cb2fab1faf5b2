"""Options that several commands share, and the scenario that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result

Function = TypeVar("Function", bound=Callable[..., Any])


def edits(function: Function) -> Function:
    """`--set` and `--with`."""
    function = click.option(
        "--set",
        "sets",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value of the scenario; may be given again.",
    )(function)
    return click.option(
        "--with",
        "what_ifs",
        metavar="NAME",
        multiple=True,
        help="Apply a what-if of the scenario; before any --set.",
    )(function)


def shocks(function: Function) -> Function:
    """`--shock`."""
    return click.option(
        "--shock",
        "shocks",
        metavar="WHAT@DATE",
        multiple=True,
        help="Strike on a date: a shock of the scenario by its name, or default:PARTY, stop_paying:PARTY, "
        "downgrade:PARTY:RATING, recall:CLOUD, regime:downturn. Comes after --with and --set; may be given again.",
    )(function)


def counts(function: Function) -> Function:
    """`--replications`, `--seed` and `--workers`."""
    function = click.option(
        "--workers", type=click.IntRange(min=1), metavar="N", help="Processes that share the work. [default: all cores]"
    )(function)
    function = click.option(
        "--seed", type=click.IntRange(min=0), metavar="S", help="Seed in place of the scenario's."
    )(function)
    return click.option(
        "--replications",
        type=click.IntRange(min=1),
        metavar="N",
        help="How often to simulate, in place of the scenario's number.",
    )(function)


def read_scenario(
    path: str,
    sets: Sequence[str] = (),
    what_ifs: Sequence[str] = (),
    replications: int | None = None,
    seed: int | None = None,
    shocks: Sequence[str] = (),
) -> Scenario:
    """The scenario of a file with the edits of the command line. Raises ScenarioError or UsageError."""
    from dcsim.scenario.edit import parse_set
    from dcsim.scenario.scenario import load

    scenario = load(path)
    for name in what_ifs:
        scenario = scenario.what_if(name)
    wanted: dict[str, object] = dict(parse_set(text) for text in sets)
    for name, value in (("replications", replications), ("seed", seed)):
        if value is not None and value != getattr(scenario, name):
            wanted[name] = value
    scenario = scenario.edit(wanted) if wanted else scenario
    return scenario.with_shock(*shocks)


def is_results(path: str) -> bool:
    """Whether the argument is a directory of results. Raises UsageError for a directory that holds none."""
    from pathlib import Path

    from dcsim.errors import UsageError, printable

    if not Path(path).is_dir():
        return False
    if not (Path(path) / "manifest.json").is_file():
        raise UsageError(f"{printable(path)} is a directory without results (it has no manifest.json)")
    return True


def scenario_of(result: Result) -> Scenario:
    """The scenario as it was run, from the directory of its results."""
    from dcsim.scenario.scenario import load

    return load(result.directory / "scenario.yaml")
