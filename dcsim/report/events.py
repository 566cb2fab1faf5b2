"""The events of one replication as text or plain data."""

from __future__ import annotations

from typing import Any

from dcsim.report.text import number, table, wrap
from dcsim.study.trace import Trace

DAY = 1440


def events_text(trace: Trace, site: str | None = None) -> str:
    """Day, date, kind, entity and detail of every event, one a line."""
    rows = [["day", "date", "event", "who", ""]]
    for minute, kind, entity, detail in trace.events(site):
        rows.append([_day(minute), trace.date_of(minute).isoformat(), kind, entity, detail])
    return "\n".join([*table(rows, right=[0], give=4, columns=100), *_ends(trace, site)])


def _ends(trace: Trace, site: str | None) -> list[str]:
    ends = [e for e in trace.history.phases if site in (None, e.site)]
    lines = []
    for end in ends:
        lines += wrap(f"{end.site}.{end.phase}: {number(end.mw)} MW, {end.state}, day {_day(end.minute)}", 2)
    return ["", *lines] if lines else []


def _day(minute: int) -> str:
    """Days with the time of day where it is not midnight."""
    days, rest = divmod(minute, DAY)
    return f"{days}" if not rest else f"{days} {rest // 60:02d}:{rest % 60:02d}"


def verdict(trace: Trace) -> str:
    """Whether it is the replication that the run kept."""
    if trace.identical:
        return f"identical to replication {trace.replication} of the run ({', '.join(trace.compared)})"
    return f"NOT replication {trace.replication} of the run: {', '.join(trace.differs) or 'nothing to compare'} differ"


def events_data(trace: Trace, site: str | None = None) -> dict[str, Any]:
    """The same as plain data.

    `replication`; `identical` (null without a run to compare with), `compared` and `differs`: names of tables;
    `events`: `day`, `date`, `kind`, `entity`, `detail`; `phases`: `site`, `phase`, `mw`, `state`, `day`.
    """
    return {
        "replication": trace.replication,
        "identical": trace.identical if trace.compared else None,
        "compared": list(trace.compared),
        "differs": list(trace.differs),
        "events": [
            {
                "day": minute / DAY,
                "date": trace.date_of(minute).isoformat(),
                "kind": kind,
                "entity": entity,
                "detail": detail,
            }
            for minute, kind, entity, detail in trace.events(site)
        ],
        "phases": [
            {"site": end.site, "phase": end.phase, "mw": end.mw, "state": end.state, "day": end.minute / DAY}
            for end in trace.history.phases
            if site in (None, end.site)
        ],
    }
