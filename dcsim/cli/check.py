"""`dcsim check`: every problem of scenarios at once, and what a run of them would come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dcsim.cli.output import DONE, WRONG, counted, emit, say, say_problems

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario


@click.command(name="check", short_help="Say whether scenarios are well formed, with every problem at once.")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
def command(scenarios: tuple[str, ...]) -> int:
    """Say whether each SCENARIO is well formed, with every problem of it at once.

    A problem is a line on stderr: file:line:column, the path of the field, what was found and what was expected. For
    a scenario that can be run, a line says how large it is, and what a run of it would come to.
    """
    from dcsim.errors import ScenarioError, printable
    from dcsim.scenario.check import what_if_problems
    from dcsim.scenario.scenario import load

    errors = warnings = 0
    for name in scenarios:
        try:
            scenario = load(name)
        except ScenarioError as error:
            found = say_problems(error.problems, name)
        else:
            found = say_problems([*scenario.warnings, *what_if_problems(scenario)], name)
            if not found[0]:
                emit(f"{printable(name)}: {size(scenario)}")
                emit(f"  {expected(scenario)}")
        errors, warnings = errors + found[0], warnings + found[1]
    if errors or warnings:
        parts = [counted(number, noun) for number, noun in ((errors, "problem"), (warnings, "warning")) if number]
        say(" and ".join(parts))
    return WRONG if errors else DONE


def size(scenario: Scenario) -> str:
    """What is in a scenario, in a line."""
    mw = sum(phase[3] for phase in scenario.sites)
    sites = len({phase[1] for phase in scenario.sites})
    return ", ".join(
        [
            "ok: " + counted(len(scenario.tenants), "tenant"),
            counted(sites, "site"),
            counted(len(scenario.sites), "phase"),
            f"{mw:,.6g} MW",
            f"{scenario.start} to {scenario.horizon}",
            counted(scenario.replications, "replication"),
        ]
    )


ROW_BYTES = {
    "outcomes": 400.0, "milestones": 4.0, "capacity": 1.5, "delays": 10.0, "hashes": 20.0, "ledger": 5.0,
    "exposure": 5.0, "cash": 15.0, "loans": 60.0, "parties": 40.0,
}  # fmt: skip
"""About what a row takes in its file, compressed."""

SECONDS = {
    "start": 2.0, "replication": 0.003, "site": 0.0025, "lot": 0.0004, "month of failures": 0.00003,
}  # fmt: skip
"""About what starting a run, and each part of a replication, takes on one core of 2025."""


def expected(scenario: Scenario) -> str:
    """About how many rows, bytes and minutes a run comes to."""
    sites, phases, lots = len(scenario.spec.sites), len(scenario.sites), _lots(scenario)
    months = (scenario.horizon.year - scenario.start.year) * 12 + scenario.horizon.month - scenario.start.month + 1
    a_replication = {
        "outcomes": len(scenario.tenants),
        "capacity": len(scenario.tenants) * months,
        "milestones": sites * 9 + phases * 9 + lots * 4,
        "delays": phases * 12,
        "hashes": 10,
        "ledger": months * (3 * sites + len(scenario.spec.cloud)),
        "exposure": months * sites * 1.5,
        "cash": months * sum(tenant.treasury is not None for tenant in scenario.spec.tenants.values()),
        "loans": sites,
        "parties": sum(bool(p.guarantee or p.lending or p.supply) for p in scenario.spec.parties.values()),
    }
    times = scenario.replications
    rows = times * sum(a_replication.values())
    size = times * sum(count * ROW_BYTES[name] for name, count in a_replication.items())
    halls = [phase.bring_up for site in scenario.spec.sites.values() for phase in site.phases.values()]
    failing = sum(hall is not None and hall.failures is not None for hall in halls)
    parts = {"replication": 1, "site": sites, "lot": lots, "month of failures": failing * months}
    seconds = SECONDS["start"] + times * sum(count * SECONDS[name] for name, count in parts.items())
    what = f"at most about {_round(rows)} rows ({_bytes(size)})"
    return f"a run writes {what} and takes about {_time(seconds)} of one core"


def _lots(scenario: Scenario) -> float:
    """Lots that fill all phases, with the racks of the first product."""
    products = list(scenario.spec.chips.products.values())
    if not products:
        return 0
    kw = products[0].rack_power.value
    lots = 0.0
    for _, site, phase, mw in scenario.sites:
        hall = scenario.spec.sites[site].phases[phase].bring_up
        if hall is not None:
            lots += -(-mw * 1000 / kw // hall.lot.value)
    return lots


def _round(number: float) -> str:
    """Two significant digits."""
    return f"{float(f'{number:.1e}'):,.0f}"


def _bytes(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 0.1):.1f} MB"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
