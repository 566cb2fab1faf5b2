"""Why it was late, as text: days by cause, one trail link by link, and what a cause less would save."""

from __future__ import annotations

import datetime as dt

from dcsim.report.text import WIDTH, clip, listed, number, percent, signed, table, wrap
from dcsim.stats import Estimate
from dcsim.study.delays import Delays
from dcsim.study.why import Explained, Saved, Why

DAY = 1440
MOST_CRITICAL = 12


def why_text(why: Why, title: str) -> str:
    """Days by cause and criticality, in at most 80 columns."""
    of = f"{why.site}: " if why.site else ""
    lines = [clip(title, WIDTH), "", *_by_cause(why.delays, of)]
    if why.critical:
        shown = [c for c in why.critical if c.share.value > 0]
        rows = [[c.name, c.cause, _share(c.share)] for c in shown[:MOST_CRITICAL]]
        head = ["on the way to the last racks", "cause", f"in how many ({why.replayed:,} looked at)"]
        lines += ["", *table([head, *rows])]
        if len(shown) > MOST_CRITICAL:
            lines.append(f"  and {len(shown) - MOST_CRITICAL} more, less often")
        never = [c.name for c in why.critical if c.share.value == 0]
        if never:
            lines += listed("never on it:", never)
    return "\n".join(lines)


def _by_cause(delays: Delays, of: str) -> list[str]:
    if not delays.causes or delays.days is None:
        return [f"  {of}no phase is counted: all of them ended before they were live"]
    planned, many = delays.late is not None, delays.n > 1
    head = ["cause", "days", *(["plan", "late by"] if planned else [])]
    head += [*(["P10", "P50", "P90"] if many else []), "MW-days"]
    rows = [head]
    for cause in sorted(delays.causes, key=lambda c: -c.days.value):
        quantiles = cause.quantiles if many else ()
        late = [number(cause.planned or 0.0), signed(cause.late.value)] if cause.late is not None else []
        values = [number(quantile.value) for quantile in quantiles]
        rows.append([cause.cause, number(cause.days.value), *late, *values, percent(cause.share)])
        sides = ["", _sides(cause.late)] if cause.late is not None else []
        spread = ["", "", *sides, *(_between(quantile) for quantile in quantiles)]
        if any(spread):
            rows.append(spread)
    total = [number(sum(c.planned or 0.0 for c in delays.causes)), signed(delays.late.value)] if delays.late else []
    rows.append(["all", number(delays.days.value), *total])
    if delays.late is not None and many:
        rows.append(["", "", "", _sides(delays.late)])
    lines = [f"  {of}days by cause, a phase", *table(rows, right=range(1, len(head)), gap=1)]
    return [*lines, *(line for note in _notes(delays) for line in wrap(f"- {note}", 2, hanging=4))]


def _notes(delays: Delays) -> list[str]:
    notes = []
    if delays.late is not None:
        notes.append("late by: beyond the plan; only the sum over causes is lateness")
    if delays.n > 1:
        few = delays.causes[0].quantiles[0].note
        intervals = few.replace("an interval", "intervals of P10 and P90") if few else "in brackets 95 % intervals"
        means = "P10 to P90 are of the mean over phases; " if delays.phases > 1 else ""
        notes.append(f"{means}{intervals}; {delays.n:,} replications")
    if delays.ended_share > 0:
        notes.append(f"{percent(delays.ended_share)} of the phases ended before they were live: not counted")
    if delays.open_share > 0:
        notes.append(f"{percent(delays.open_share)} of those counted are cut off by the horizon: their days up to it")
    return notes


def _between(estimate: Estimate) -> str:
    """An interval of days, whole ones to keep it short."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"({estimate.low:.0f}-{estimate.high:.0f})"


def _sides(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"({estimate.low:+.0f} {estimate.high:+.0f})"


def _share(estimate: Estimate) -> str:
    if estimate.n == 1 or estimate.low is None or estimate.high is None:
        return percent(estimate.value)
    low, high = max(estimate.low, 0.0), min(estimate.high, 1.0)
    return f"{percent(estimate.value)} ({percent(low).removesuffix(' %')}-{percent(high).removesuffix(' %')})"


def explained_text(found: Explained) -> str:
    """One replication link by link."""
    day = found.day.isoformat() if found.day is not None else f"not by {found.horizon.isoformat()}"
    lines = wrap(
        f"Replication {found.replication}, at P{100 * found.quantile:g} of {found.n:,}: {found.what} {day}. "
        f"The trail of {found.site}.{found.phase} ({found.state}):", 0
    )  # fmt: skip
    rows = [["day", "date", "days", "cause", "who"]]
    for link in found.links:
        date = found.start + dt.timedelta(days=link.end // DAY)
        days = number((link.end - link.begin) / DAY)
        who = link.who.removeprefix(f"{found.site}.{found.phase} ").removeprefix(f"{found.site} ")
        rows.append([number(link.end / DAY), date.isoformat(), days, link.cause, who])
    lines += table(rows, right=[0, 2], give=4)
    if found.state in ("live", "pending"):
        lines += ["", *_against_plan(found)]
    if len(found.ends) > 1:
        rows = [["all phases of that replication", "MW", "state", "day"]]
        rows += [[f"{e.site}.{e.phase}", number(e.mw), e.state, number(e.minute / DAY)] for e in found.ends]
        lines += ["", *table(rows, right=[1, 3])]
    return "\n".join(lines)


def _against_plan(found: Explained) -> list[str]:
    rows = [["cause", "days", "planned", "late by"]]
    minutes, planned = found.minutes, found.planned
    for cause in sorted({**minutes, **planned}, key=lambda c: planned.get(c, 0) - minutes.get(c, 0)):
        a, b = minutes.get(cause, 0) / DAY, planned.get(cause, 0) / DAY
        rows.append([cause, number(a), number(b), signed(a - b)])
    a, b = sum(minutes.values()) / DAY, sum(planned.values()) / DAY
    rows.append(["all", number(a), number(b), signed(a - b)])
    return table(rows, right=[1, 2, 3])


def saved_text(saved: Saved) -> str:
    """What a cause less would save, in a few lines."""
    of = f" at {saved.site}" if saved.site else ""
    lines = [f"Without {saved.cause}{of}, with the same luck otherwise:"]
    if saved.days is None:
        lines.append("  no phase goes live either way, so there are no days to save")
    else:
        days = saved.days
        earlier = "later" if days.value < 0 else "earlier"
        text = f"phases that go live either way do so {number(abs(days.value))} days {earlier}"
        if days.low is not None and days.high is not None:
            text += f" (95 % interval of days saved: {signed(days.low)} to {signed(days.high)})"
        lines += wrap(text, 2)
    gained = saved.gained
    text = f"MW live by the horizon: {percent(saved.live)} of all, and {percent(saved.live_without)} without it"
    if gained.low is not None and gained.high is not None:
        text += f" (difference {_points(gained.low)} to {_points(gained.high)} points)"
    lines += wrap(text, 2)
    if saved.replications == 1:
        return "\n".join([*lines, "  one replication: no interval"])
    few = f"; {gained.note}" if gained.note else ""
    return "\n".join([*lines, *wrap(f"{saved.replications:,} replications, each paired with itself{few}", 2)])


def _points(value: float) -> str:
    return signed(100 * value)
