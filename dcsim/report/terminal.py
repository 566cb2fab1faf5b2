"""The answers of a run on one screen: what is live when, the targets, what was promised, what made it late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dcsim.report.text import WIDTH, amount, around, chance, clip, date, number, percent, signed, table, wrap
from dcsim.stats import Estimate

HEIGHT = 39
"""Lines that fit a terminal of 40 with its prompt."""

LEAST_YEARS = 3
"""Year ends that are shown however little room there is."""


def summary_text(summary: dict[str, Any], height: int = HEIGHT) -> str:
    """The summary (see `dcsim.report.summary`) as text of at most 80 columns and, within reason, `height` lines."""
    one = summary["replications"]["done"] == 1
    tenants = list(dict.fromkeys(row["tenant"] for row in summary["live_mw"]))
    head = _head(summary)
    tail = [*_end_states(summary, one), *_causes(summary, one), *_warnings(summary), *_where(summary)]
    room = height - len(head) - len(tail)
    targets, committed = summary["targets"], summary["committed"]
    most = max(2, room // 3)
    lines = _targets(targets, summary["horizon"], one, len(tenants) > 1, most)
    promised = _committed(committed, one, max(1, min(most, room - len(lines) - LEAST_YEARS - 3)))
    room -= len(lines) + len(promised)
    return "\n".join([*head, *_live(summary, one, room, len(tenants) > 1), *lines, *promised, *tail])


def _head(summary: dict[str, Any]) -> list[str]:
    scenario, counts = summary["scenario"], summary["replications"]
    title = scenario["title"] or scenario["name"]
    times = f"{counts['done']:,} replication{'' if counts['done'] == 1 else 's'}"
    if counts["done"] != counts["asked"]:
        times = f"{counts['done']:,} of {counts['asked']:,} replications ({summary['status']})"
    span = f"{summary['start']} to {summary['horizon']}"
    return [clip(title, WIDTH), clip(f"{times}, seed {summary['seed']}, {span}", WIDTH), ""]


def _live(summary: dict[str, Any], one: bool, room: int, several: bool) -> list[str]:
    """Live MW by year end: all that fit, else every second, every fourth, ...; the last one always."""
    rows = summary["live_mw"]
    if not rows:
        return []
    dates = list(dict.fromkeys(row["date"] for row in rows))
    tenants = list(dict.fromkeys(row["tenant"] for row in rows))
    step = 1
    while len(_picked(dates, step)) * len(tenants) > max(room - 2, LEAST_YEARS) and step < len(dates):
        step *= 2
    picked = set(_picked(dates, step))
    heads = ["live MW at the end of", *([""] if one else ["P10", "P50", "P90"])]
    if several:
        heads.insert(0, "tenant")
    lines = [heads]
    for tenant in tenants:
        for row in rows:
            if row["tenant"] == tenant and row["date"] in picked:
                names = ["p50"] if one else ["p10", "p50", "p90"]
                cells = [row["date"], *(amount(estimate(row[name])) for name in names)]
                lines.append([tenant, *cells] if several else cells)
    note = [] if step == 1 else ["  (not every year end is shown)"]
    return [*table(lines), *note, ""]


def _picked(dates: Sequence[str], step: int) -> list[str]:
    return list(reversed(dates[::-1][::step]))


def _targets(targets: list[dict[str, Any]], horizon: str, one: bool, several: bool, most: int) -> list[str]:
    if not targets:
        return []
    end = dt.date.fromisoformat(horizon)
    heads = ["target", *(["date"] if one else [f"chance by {horizon}", "P10", "P50", "P90"])]
    lines = [heads]
    shown = targets[: max(1, most if one else most // 2)]
    for row in shown:
        name = f"{number(row['mw'])} MW" + (f" {row['tenant']}" if several else "")
        if one:
            lines.append([name, date(_day(row["p50"]["date"]), end)])
            continue
        reached = estimate(row["chance"])
        dates = [row[q] for q in ("p10", "p50", "p90")]
        lines.append([name, chance(reached), *(date(_day(d["date"]), end) for d in dates)])
        never = "" if reached.value == 1 else f"not by then in {percent(1 - reached.value)}"
        spread = ["" if d["note"] else around(*(_day(d[k]) for k in ("date", "low", "high"))) for d in dates]
        if never or any(spread):
            lines.append(["", never, *spread])
    left = len(targets) - len(shown)
    return [*table(lines), *([f"  and {left} more: outcomes.parquet"] if left else []), ""]


def _committed(rows: list[dict[str, Any]], one: bool, most: int) -> list[str]:
    if not rows:
        return []
    shown = rows if len(rows) <= most else sorted(rows, key=lambda row: row["chance"]["value"])[: most - 1]
    lines = [["committed", "date", "kept" if one else "chance of keeping it"]]
    for row in shown:
        what = f"{row['site']}{'.' + row['phase'] if row['phase'] else ''} {row['milestone'].replace('_', ' ')}"
        lines.append([what, row["date"], chance(estimate(row["chance"]))])
    left = len(rows) - len(shown)
    more = [f"  and {left} more, each likelier to be kept: milestones.parquet"] if left else []
    return [*table(lines), *more, ""]


def _end_states(summary: dict[str, Any], one: bool) -> list[str]:
    rows = summary["end_states"]
    if not rows:
        return []
    tenants = list(dict.fromkeys(row["tenant"] for row in rows))
    lines = []
    for tenant in tenants:
        mine = [row for row in rows if row["tenant"] == tenant]
        states = ", ".join(f"{row['state']} {amount(estimate(row['mw']))}" for row in mine)
        total = number(sum(row["mw"]["value"] for row in mine))
        of = f" of {tenant}" if len(tenants) > 1 else ""
        lines += wrap(f"{'' if one else 'mean '}MW{of} by end state: {states}; {total} in all", 2, hanging=4)
    return [*lines, ""]


def _causes(summary: dict[str, Any], one: bool) -> list[str]:
    rows = summary["causes"]
    if not rows:
        return [*(["  no cause took longer than planned", ""] if summary["replications"]["done"] else [])]
    planned = any(row["planned_days"] is not None for row in rows)
    heads = ["largest causes of delay", "days a phase", *(["planned", "late by"] if planned else []), "MW-days", "share"]
    lines = [heads]
    for row in rows:
        late = []
        if planned:
            estimated = estimate(row["late_days"])
            spread = "" if estimated.low is None or estimated.low == estimated.high else (
                f" ({signed(estimated.low)} to {signed(estimated.high or 0.0)})"
            )  # fmt: skip
            late = [number(row["planned_days"]), f"{signed(estimated.value)}{spread}"]
        days = number(row["days"]["value"])
        lines.append([row["cause"], days, *late, number(row["mw_days"]), percent(row["share"])])
    return [*table(lines, right=range(1, len(heads))), ""]


def _warnings(summary: dict[str, Any]) -> list[str]:
    lines = [line for text in summary["warnings"] for line in wrap(f"! {text}", 2, hanging=4)]
    return [*lines, ""] if lines else []


def _where(summary: dict[str, Any]) -> list[str]:
    if not summary["directory"]:
        return []
    return [f"  tables in {clip(summary['directory'], 500)}"]


def estimate(plain: dict[str, Any]) -> Estimate:
    """An estimate from its JSON form."""
    return Estimate(plain["value"], plain["low"], plain["high"], plain["n"], plain["note"])


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
