"""Holds every what-if of the shipped scenarios against the direction that is expected of it. Prints a Markdown table.

    python tests/scenarios/what_ifs.py [--replications N] [--only SCENARIO]

`directions.csv` beside this file says which outcome each what-if is about, which way it should move, and why. Base and
what-if are simulated with the same luck, and the interval is of the paired difference.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

import dcsim

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "scenarios"
LEVEL = 0.95
DIRECTIONS = ("higher", "lower", "same", "not higher", "not lower")


@dataclass(frozen=True)
class Expected:
    """One line of `directions.csv`."""

    scenario: str
    what_if: str
    outcome: str
    expected: str
    because: str


def directions() -> list[Expected]:
    """All lines, in their order."""
    with (HERE / "directions.csv").open(encoding="utf-8", newline="") as file:
        return [Expected(**row) for row in csv.DictReader(file)]


def variants(scenario: dcsim.Scenario) -> dict[str, dcsim.Scenario]:
    """The scenario under each of its what-ifs; one with several values is several."""
    from dcsim.scenario.edit import expand_each

    found = {}
    for name, edits in scenario.spec.what_ifs.items():
        for label, edit in expand_each(edits):
            found[f"{name}: {label}" if label else name] = scenario.edit(edit)
    return found


def moved(row: Any) -> str:
    """Which way a line of `Comparison.summary` went: higher, lower, same, or unclear at this many replications.

    A mean by the interval of its paired difference; a date, which may never come, by a sign test of the pairs.
    """
    if row.equal == 1:
        return "same"
    if row.statistic == "mean" and row.low == row.low:
        return "higher" if row.low > 0 else "lower" if row.high < 0 else "unclear"
    more = round(row.higher * row.n)
    less = row.n - more - round(row.equal * row.n)
    if binomtest(more, more + less).pvalue > 1 - LEVEL:
        return "unclear"
    return "higher" if more > less else "lower"


def verdict(expected: str, found: str) -> str:
    """Whether that is as expected: yes, no, or unclear."""
    if expected.startswith("not "):
        return "no" if found == expected[4:] else "yes"
    return "yes" if found == expected else "unclear" if found == "unclear" else "no"


def compared(name: str, replications: int, workers: int | None = None) -> list[tuple[Expected, Any, str, str]]:
    """Each line of a scenario with the row of its comparison, which way it moved, and the verdict."""
    scenario = dcsim.load(FOLDER / f"{name}.yaml")
    wanted = [line for line in directions() if line.scenario == name]
    named = variants(scenario)
    asked = {what_if: named[what_if] for what_if in dict.fromkeys(line.what_if for line in wanted)}
    comparison = dcsim.compare(scenario, asked, replications, workers=workers)
    found = []
    for line in wanted:
        (row,) = [
            row
            for row in comparison.summary([line.outcome]).itertuples()
            if row.variant == line.what_if
        ]
        way = moved(row)
        found.append((line, row, way, verdict(line.expected, way)))
    return found


def text(row: Any, value: float, start: dt.date) -> str:
    """A number of a row as it is shown."""
    if row.unit == "day":
        return str(start + dt.timedelta(days=value)) if value < 1e6 else "not reached"
    if row.unit == "usd_m":
        return f"{value / 1e3:,.2f}bn"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line_of(line: Expected, row: Any, way: str, judged: str, start: dt.date) -> str:
    """A line of the table."""
    base, value = text(row, row.base, start), text(row, row.value, start)
    if row.unit == "day" or row.low != row.low:
        more, less = 100 * row.higher, abs(round(100 * (1 - row.higher - row.equal)))
        words = ("later", "earlier") if row.unit == "day" else ("more", "less")
        change = f"{words[0]} in {more:.0f} %, {words[1]} in {less} %"
    else:
        scale, unit = (1e3, "bn") if row.unit == "usd_m" else (1, "")
        digits = 2 if scale > 1 or abs(row.difference) < 100 else 0
        by, low, high = (f"{value / scale:+,.{digits}f}" for value in (row.difference, row.low, row.high))
        change = f"{by}{unit} ({low} to {high})"
    cells = (line.scenario, line.what_if, line.outcome, base, value, change, line.expected, judged, line.because)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    asked = parser.parse_args()
    names = asked.only or list(dict.fromkeys(line.scenario for line in directions()))
    print("| scenario | what-if | outcome | base | with it | difference (95 %) | expected | as expected | because |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names:
        start = dcsim.load(FOLDER / f"{name}.yaml").start
        for found in compared(name, asked.replications, os.cpu_count()):
            print(line_of(*found, start), flush=True)


if __name__ == "__main__":
    main()
