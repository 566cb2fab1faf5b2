"""The answers of a run on one screen: what is live when, the targets, what was promised, what made it late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dcsim.report.money import money_text
from dcsim.report.text import WIDTH, amount, around, chance, clip, listed, number, percent, signed, table, wrap
from dcsim.stats import Estimate

HEIGHT = 39
"""Lines that fit a terminal of 40 with its prompt."""

LEAST_YEARS = 3
"""Year ends that are shown however little room there is."""

FEW = 3
"""Targets and commitments that are shown rather than more of the other."""


def summary_text(summary: dict[str, Any], height: int = HEIGHT) -> str:
    """The summary (see `dcsim.report.summary`) as text of at most 80 columns.

    Where it does not fit `height` lines it shows every second year end, then fewer commitments and targets, then every
    fourth year end (eighth, ...), and says so. What there is to say of money follows below.
    """
    one = summary["replications"]["done"] == 1
    dates = list(dict.fromkeys(row["date"] for row in summary["live_mw"]))
    several = len({row["tenant"] for row in summary["live_mw"]}) > 1
    head = _head(summary)
    tail = [*_end_states(summary, one), *_causes(summary, one), *_warnings(summary)]
    money = money_text(summary["money"], one)
    after = [*([*money.splitlines(), ""] if money else []), *_where(summary)]
    expected = _expected(summary["expect"])
    step, targets, committed = 1, len(summary["targets"]), len(summary["committed"])
    while True:
        lines = [
            *head,
            *_live(summary, one, _picked(dates, step), several),
            *_targets(summary["targets"], targets, summary["horizon"], one, several),
            *_committed(summary["committed"], committed, one),
            *expected,
            *tail,
        ]
        if len(lines) + (len(after) if not money else 0) <= height:
            break
        thinner = len(_picked(dates, 2 * step)) >= LEAST_YEARS
        if thinner and step == 1:
            step = 2
        elif committed > FEW:
            committed -= 1
        elif targets > FEW:
            targets -= 1
        elif thinner:
            step *= 2
        elif committed > 1:
            committed -= 1
        else:
            break
    return "\n".join([*lines, *after])


def _head(summary: dict[str, Any]) -> list[str]:
    scenario, counts = summary["scenario"], summary["replications"]
    title = scenario["title"] or scenario["name"]
    times = f"{counts['done']:,} replication{'' if counts['done'] == 1 else 's'}"
    if counts["done"] != counts["asked"]:
        times = f"{counts['done']:,} of {counts['asked']:,} replications ({summary['status']})"
    span = f"{summary['start']} to {summary['horizon']}"
    return [clip(title, WIDTH), clip(f"{times}, seed {summary['seed']}, {span}", WIDTH), ""]


def _live(summary: dict[str, Any], one: bool, dates: Sequence[str], several: bool) -> list[str]:
    """Live MW at the ends of those years; without any chips, ready MW."""
    rows = summary["ready_mw"] or summary["live_mw"]
    if not rows:
        return []
    what = "ready MW, end of" if summary["ready_mw"] else "live MW, end of"
    lines = [[*(["tenant"] if several else []), what, *([""] if one else ["P10", "P50", "P90"])]]
    names = ["p50"] if one else ["p10", "p50", "p90"]
    for row in rows:
        if row["date"] in dates:
            cells = [row["date"], *(amount(estimate(row[name])) for name in names)]
            lines.append([row["tenant"], *cells] if several else cells)
    note = [] if {row["date"] for row in rows} == set(dates) else ["  (not every year end is shown)"]
    return [*table(lines), *note, ""]


def _picked(dates: Sequence[str], step: int) -> list[str]:
    """Every so manyth, the last one always."""
    return list(reversed(dates[::-1][::step]))


def _targets(targets: list[dict[str, Any]], most: int, horizon: str, one: bool, several: bool) -> list[str]:
    if not targets:
        return []
    lines = [["target", *(["date"] if one else [f"chance by {horizon}", "P10", "P50", "P90"])]]
    shown = targets[:most]
    for row in shown:
        name = f"{number(row['mw'])} MW" + (f" {row['tenant']}" if several else "")
        dates = [row[q] for q in ("p10", "p50", "p90")]
        if one:
            lines.append([name, row["p50"]["date"] or f"not by {horizon}"])
            continue
        lines.append([name, _reached(row["chance"])[0], *(d["date"] or "not by then" for d in dates)])
        spread = ["" if d["note"] else around(*(_day(d[k]) for k in ("date", "low", "high"))) for d in dates]
        lines.append(["", _reached(row["chance"])[1], *spread])
    left = len(targets) - len(shown)
    return [*table(lines), *([f"  and {left} more: outcomes.parquet"] if left else []), ""]


def _reached(plain: dict[str, Any]) -> tuple[str, str]:
    """The chance of a date in two lines: that it comes, and that it does not."""
    reached = estimate(plain)
    first, _, second = chance(reached).partition(", ")
    return (first, second) if second else (first, f"not by then in {percent(1 - reached.value)}")


def _committed(rows: list[dict[str, Any]], most: int, one: bool) -> list[str]:
    if not rows:
        return []
    shown = rows if len(rows) <= most else sorted(rows, key=lambda row: row["chance"]["value"])[:most]
    lines = [["committed", "date", "kept" if one else "chance of keeping it"]]
    for row in shown:
        what = f"{row['site']}{'.' + row['phase'] if row['phase'] else ''} {row['milestone'].replace('_', ' ')}"
        lines.append([what, row["date"], chance(estimate(row["chance"]))])
    left = len(rows) - len(shown)
    more = [f"  and {left} more, each likelier to be kept: milestones.parquet"] if left else []
    return [*table(lines), *more, ""]


def _expected(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [["expected", "", "found", "of"]]
    lines += [[clip(row["id"], 24), row["verdict"], row["found"], row["expression"]] for row in rows]
    return [*table(lines, give=3), ""]


def _end_states(summary: dict[str, Any], one: bool) -> list[str]:
    rows = summary["end_states"]
    tenants = list(dict.fromkeys(row["tenant"] for row in rows))
    lines = []
    for tenant in tenants:
        mine = [row for row in rows if row["tenant"] == tenant]
        total = number(sum(row["mw"]["value"] for row in mine))
        of = f" of {tenant}" if len(tenants) > 1 else ""
        states = [f"{row['state']} {amount(estimate(row['mw']))}" for row in mine]
        lines += listed(f"{'' if one else 'mean '}MW{of} by end state, of {total}:", states)
    return [*lines, ""] if lines else []


def _causes(summary: dict[str, Any], one: bool) -> list[str]:
    delays = summary["delays"]
    if delays is None:
        return []
    planned = delays["planned_days"] is not None
    rows = [*summary["causes"], {**delays, "cause": "all causes"}]
    heads = ["causes of delay", "days a phase", *(["planned", "late by"] if planned else []), "MW-days", "share"]
    lines = [heads]
    for row in rows:
        late = [number(row["planned_days"]), _late(row["late_days"])] if planned else []
        lines.append([row["cause"], number(row["days"]["value"]), *late, number(row["mw_days"]), percent(row["share"])])
    return [*table(lines, right=range(1, len(heads))), ""]


def _late(plain: dict[str, Any]) -> str:
    late = estimate(plain)
    if late.low is None or late.high is None:
        return signed(late.value)
    return f"{signed(late.value)} ({signed(late.low)} to {signed(late.high)})"


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
