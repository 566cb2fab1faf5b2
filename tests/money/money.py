"""What the tests of leases read from a run: payments by date and kind."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from helpers import Run

DATA = Path(__file__).parents[1] / "data"
CASES = {case["id"]: case for case in json.loads((DATA / "finance_cases.json").read_text())["cases"]}
M = 1_000_000
DAY = 1440


def paid(r: Run, kind: str, payer: str | None = None, payee: str | None = None) -> dict[str, int]:
    """Dollars of a kind (between two parties) by calendar month (`2028-04`)."""
    ledger, first = r.history.ledger, r.world.blueprint.scenario.start
    out: dict[str, int] = {}
    for month, pair, dollars in zip(ledger.month, ledger.pair, ledger.dollars, strict=True):
        who = ledger.pairs[pair]
        if who.kind == kind and payer in (None, who.payer) and payee in (None, who.payee):
            year, number = divmod(first.year * 12 + first.month - 1 + int(month), 12)
            name = f"{year}-{number + 1:02}"
            out[name] = out.get(name, 0) + int(dollars)
    return out


def total(r: Run, kind: str, payer: str | None = None, payee: str | None = None) -> int:
    """All of it, dollars."""
    return sum(paid(r, kind, payer, payee).values())


def at(r: Run, date: str) -> int:
    """Minute of a date."""
    return r.world.blueprint.minute_of(dt.date.fromisoformat(date))
