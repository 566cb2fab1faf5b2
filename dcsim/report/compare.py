"""What variants change, on a terminal and as plain data."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from dcsim.report.expect import bare, value_in
from dcsim.report.text import WIDTH, chance, clip, listed, number, percent, table, wrap
from dcsim.scenario.expression import Column, Moment, Quantity
from dcsim.stats import Estimate, share
from dcsim.study.change import Change
from dcsim.study.compare import BASE, Comparison
from dcsim.study.values import calendar_date

YEARS = 4
"""Year ends of live MW that are shown, the last ones of a thinned row of them."""

MONEY = re.compile(r"(?!.*cash_month).*(cost|cash|calls?|exposure|defaults?|committed|break_?even|unserved|loss|gap).*")
"""Outcomes about money and credit that are shown when they are there: of yearly ones the last year."""


def headline(comparison: Comparison, variant: str) -> list[Quantity]:
    """The outcomes that matter: live MW, targets, signed and terminal MW, idle MW-days, money."""
    shared = [quantity for quantity in comparison.shared(variant) if isinstance(quantity, Column)]
    scenario = comparison.scenarios[BASE]
    capacity = all(
        "capacity" in result.manifest["tables"] for result in (comparison.base, *comparison.variants.values())
    )
    found: list[Quantity] = []
    for owner in dict.fromkeys(quantity.owner for quantity in shared):
        mine = [quantity for quantity in shared if quantity.owner == owner]
        live = [quantity for quantity in mine if re.fullmatch(r"live_mw_\d{4}", quantity.name)]
        if scenario.horizon.month != 12 or scenario.horizon.day != 31:
            live += [quantity for quantity in mine if quantity.name == "live_mw_at_horizon"]
        found += live[::-1][:: max(1, math.ceil(len(live) / YEARS))][::-1]
        found += [quantity for quantity in mine if quantity.name.startswith("date_of_")]
        if capacity and scenario.horizon == comparison.scenarios[variant].horizon:
            found.append(Column("leased_mw", owner, Moment(scenario.horizon, "date")))
        found += [quantity for quantity in mine if quantity.name.startswith("mw_")]
        found += [quantity for quantity in mine if quantity.name == "idle_mw_days"]
        found += _last_years([quantity for quantity in mine if MONEY.fullmatch(quantity.name)])
    return found


def _last_years(quantities: Sequence[Column]) -> list[Column]:
    """Of outcomes that have a value each year, the last one."""
    last: dict[str, Column] = {}
    for quantity in quantities:
        last[re.sub(r"_\d{4}(?=_|$)", "", quantity.name)] = quantity
    return list(last.values())


def changes_of(comparison: Comparison, variant: str, outcomes: Sequence[str] = ()) -> list[Change]:
    """What a variant changes in the outcomes asked, or in those that matter."""
    return comparison.changes(variant, list(outcomes) or headline(comparison, variant))


# Plain data.


def comparison_data(comparison: Comparison, outcomes: Sequence[str] = ()) -> dict[str, Any]:
    """The same as JSON has it: a list of variants with their changes; dates as text, null where not reached."""
    scenario = comparison.scenarios[BASE]
    return {
        "format": 1,
        "scenario": dict(comparison.base.manifest["scenario"]),
        "seed": scenario.seed,
        "replications": comparison.base.replications,
        "start": scenario.start.isoformat(),
        "horizon": scenario.horizon.isoformat(),
        "variants": [
            {
                "name": name,
                "hash": comparison.scenarios[name].hash,
                "changes": [_change_data(change) for change in changes_of(comparison, name, outcomes)],
            }
            for name in comparison.variants
        ],
        "warnings": comparison.warnings,
    }


def _change_data(change: Change) -> dict[str, Any]:
    days = change.unit == "date"
    return {
        "outcome": change.outcome,
        "unit": change.unit,
        "statistic": change.statistic,
        "base": _plain(change.base, days),
        "value": _plain(change.value, days),
        "difference": _estimate(change.difference),
        "interval": change.interval,
        "better_is": change.sense,
        "better": None if change.better is None else _estimate(change.better),
        "higher": _estimate(change.higher),
        "equal": _estimate(change.equal),
        "base_reached": change.base_reached,
        "reached": change.reached,
    }


def _plain(value: float, is_date: bool) -> float | str | None:
    if not math.isfinite(value):
        return None
    return str(calendar_date(value)) if is_date else value


def _estimate(estimate: Estimate) -> dict[str, Any]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    finite = {name: end if end is not None and math.isfinite(end) else None for name, end in ends.items()}
    return {**finite, "n": estimate.n, "note": estimate.note}


# A terminal.


def comparison_text(comparison: Comparison, outcomes: Sequence[str] = ()) -> str:
    """One block a variant: the outcomes that differ, then those that do not, in at most 80 columns."""
    scenario = comparison.scenarios[BASE]
    n = comparison.base.replications
    count = f"{n:,} replication{'' if n == 1 else 's'} of each, seed {scenario.seed}, the same luck in all"
    lines = [clip(scenario.title or scenario.name, WIDTH), f"{count}; dates are medians" if n > 1 else count, ""]
    notes: dict[str, None] = {}
    for variant in comparison.variants:
        changes = changes_of(comparison, variant, outcomes)
        lines += [*_variant(variant, changes), ""]
        if n > 1:
            noted = [change for change in changes if change.difference.note and not change.same]
            notes.update((f"{change.interval} intervals: {change.difference.note}", None) for change in noted)
    for warning in [*comparison.warnings, *notes]:
        lines += wrap(f"! {warning}", 2, hanging=4)
    return "\n".join(lines).rstrip()


def _variant(name: str, changes: Sequence[Change]) -> list[str]:
    head = clip(name, 24)
    differing = [change for change in changes if not change.same]
    lines = []
    if differing:
        rows = [[head, BASE, "variant", "difference"]]
        told: list[list[str]] = []
        for change in differing:
            cells, below = _cells(change)
            rows.append(cells)
            told.append(below)
        shown = table(rows, give=0)
        lines.append(shown[0])
        for row, below in zip(shown[1:], told, strict=True):
            lines += [row, *(f"      {text}" for text in below)]
    else:
        lines.append(f"  {head}")
    same = [change.outcome for change in changes if change.same]
    if same:
        n = changes[0].n
        none = "no difference" if n == 1 else f"no difference in any of {n:,} replications"
        lines += listed(f"{none}:", same, 2 if differing else 4, 6)
    return lines


def _cells(change: Change) -> tuple[list[str], list[str]]:
    """A row, and what is told below it."""
    unit = change.unit
    values = [_value(value, unit) for value in (change.base, change.value)]
    cells = [change.outcome, *values, _difference(change)]
    below = []
    if change.n > 1:
        reached = min(change.base_reached, change.reached) < 1
        if reached:
            shares = [share(round(part * change.n), change.n) for part in (change.base_reached, change.reached)]
            below.append(f"reached in {chance(shares[0])}; variant: {chance(shares[1])}")
        below.append(_chances(change))
    return cells, below


def _value(value: float, unit: str | None) -> str:
    if unit in ("MW", "MW-days", "days") and math.isfinite(value):
        return number(value)
    return "not reached" if math.isinf(value) else value_in(value, unit)


def _difference(change: Change) -> str:
    """`-11 (-14 to -9)`; what comes to be reached, or no longer is, in words."""
    unit = "days" if change.unit == "date" else change.unit
    difference = change.difference
    if math.isnan(difference.value):
        return "neither is reached"
    if math.isinf(difference.value):
        return "no longer reached" if difference.value > 0 else "now reached"
    text = _signed(difference.value, unit)
    if difference.low is None or difference.high is None:
        return text
    low, high = (_end(end, unit, difference.value) for end in (difference.low, difference.high))
    return f"{text} ({low} to {high})"


def _end(value: float, unit: str | None, beside: float) -> str:
    text = bare(value, unit, beside)
    return text if text in ("0", "open") or text.startswith("-") else f"+{text}"


def _signed(value: float, unit: str | None) -> str:
    text = number(value) if unit in ("MW", "MW-days") else value_in(value, unit)
    plain = text in ("0", "0 d", "0 %") or text.startswith("-")
    return text if plain else f"+{text}"


def _chances(change: Change) -> str:
    """`better in 2 % (1-3), the same in 33 %, worse in 65 %`; more and less where no direction is better."""
    equal = change.equal.value
    first = change.higher if change.better is None else change.better
    rest = max(0.0, round(1 - first.value - equal, 9))
    if change.sense is None:
        words = ("more", "less")
    else:
        words = ("earlier", "later") if change.unit == "date" else ("better", "worse")
    parts = [f"{words[0]} in {chance(first)}"]
    if equal > 0:
        parts.append(f"the same in {percent(equal)}")
    parts.append(f"{words[1]} in {percent(rest)}")
    return ", ".join(parts)
