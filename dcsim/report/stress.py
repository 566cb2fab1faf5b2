"""A stress test as text or plain data. Money in US$ million."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

from dcsim.report.text import WIDTH, amount, chance, clip, number, percent, table, wrap
from dcsim.stats import Estimate
from dcsim.study.stress import QUANTILES, PartyFails, Stress

PARTS: Final = ("first", "later", "calls", "stakes")
"""What a loss is made of, and what comes beside it."""

WAYS: Final = 10
"""Ways of a loss that are shown."""

FEW: Final = 72
"""Replications below which the worst 5 % are too few to speak of."""

DEFINITIONS: Final = (
    "what is owed: loans and vendors' notes at their balance, of a supplier the deposits that it holds; rent, hardware "
    "leases and clouds as they fall due within {months} months after the date, with arrears, and of a phase whose rent "
    "has not begun the first {months} months' of it. The failed party pays {recovery} of it. A guarantor pays what is "
    "left, up to its cap, if it can be called by then; what it cannot pay is lost.",
    "who can pay: everybody has what it takes to pay all it owes as long as it is paid itself, and on top its "
    "`equity`, or else the cash that is followed; where neither is known it bears any loss{bottomless}. A site's loan "
    "is owed by its project alone, which fails when what it receives falls below its debt service of that time; its "
    "lenders lose what it lacks and the site's loss given default of the rest. Vehicles, funds and lessees for "
    "somebody else pass on what they receive.",
    "loss: of its own, after what it passes on; tail: mean of the worst 5 % of replications; first: the failed party "
    "owed it; later: others did who then could not pay; calls: paid as a guarantor; stakes: beside the loss, what its "
    "shares in those who lose are worth less. defaults: chance that it defaults because of the failure, and would not "
    "have if it had been paid.",
    "calls on guarantors: what is demanded of each because of the failure, over replications, whether it can pay or "
    "not; at hand: its cash (as the scenario says, or as followed to the date) and what it can still draw.",
    "DebtRank (2015): distress is the share of its equity (or, where that is not known, of all that it is owed and "
    "guarantees) that a party loses if its debtors' distress is marked to market; the number is the value in distress "
    "beyond the failed party's, as a share of all that is owed and guaranteed.",
    "MW that hang on it: all of a tenant's; of what is not live its developer's, undrawn lenders' and required "
    "guarantor's while it is built, and its missing racks' suppliers'; times the years from when each is live, or "
    "forecast to be ready for service, to the horizon. Stalled: live MW-years lost when the same replications are run "
    "again, with the same luck and the failure in them.",
)
"""What the numbers mean."""


def stress_text(stress: Stress, ways: int = WAYS) -> str:
    """Who is hurt by the failure, through whom, and what stalls; or one line a party where each fails in turn."""
    title = stress.title or stress.name
    one = stress.failures[0].party if len(stress.failures) == 1 else "each party in turn"
    times = f"{stress.replications:,} replication{'' if stress.replications == 1 else 's'}"
    head = [
        clip(title, WIDTH),
        clip(f"{one} fails on {stress.date}; {times}, seed {stress.seed}", WIDTH),
        "amounts in US$ million",
    ]
    if stress.lost:
        head.append(f"  ({len(stress.lost)} more failed, and are left out)")
    if stress.replications < FEW:
        head.append(f"  (the tail takes {FEW} replications: here it is the worst {_worst(stress.replications)})")
    body = _one(stress, stress.failures[0], ways) if len(stress.failures) == 1 else _each(stress)
    return "\n".join([*head, "", *body, "", *_definitions(stress)])


def _worst(count: int) -> str:
    return f"{max(1, count // 20)}"


def _one(stress: Stress, failure: PartyFails, ways: int) -> list[str]:
    lines: list[str] = []
    if failure.hurt:
        some = any(h.defaults.value for h in failure.hurt)
        used = [name for name in PARTS if any(getattr(h, name) for h in failure.hurt)]
        rows = [["hurt", "loss", "tail", *used, *(["defaults"] if some else [])]]
        for h in failure.hurt:
            row = [h.party, amount(h.loss), number(h.tail), *(_some(getattr(h, name)) for name in used)]
            rows.append([*row, chance(h.defaults) if h.defaults.value else ""] if some else row)
        lines += table(rows, right=range(2, 3 + len(used)))
        if not some:
            lines.append(f"  nobody defaults because of it ({chance(failure.hurt[0].defaults)})")
    else:
        lines.append("  nobody is hurt: it owes nothing that others count on by then")
    if failure.ways:
        rows = [["through whom", "", "for", "loss", ""]]
        rows += [
            [way.source, f"> {way.to}", way.kind, number(way.loss), "first round" if way.first else "later"]
            for way in failure.ways[:ways]
        ]
        lines += ["", *table(rows, right=(3,))]
        if len(failure.ways) > ways:
            lines.append(f"  and {len(failure.ways) - ways} more")
    lines += _called(failure)
    if failure.write_down.value or failure.loans.value:
        times = "" if math.isnan(failure.multiplier) else f", {failure.multiplier:.2f} x what it leaves unpaid itself"
        rounds = f"{failure.rounds} round{'' if failure.rounds == 1 else 's'}"
        unpaid = f"debts unpaid because of it {amount(failure.write_down)}, worst 5 % {number(failure.tail)}{times}"
        loans = f"; {amount(failure.loans)} site loans default" if failure.loans.value else ""
        text = f"{unpaid}; at most {rounds} of default{loans}; DebtRank {failure.debtrank.value:.3f}"
        lines += ["", *wrap(text, 2)]
    hang = f"{amount(failure.hanging_mw)} MW hang on it, {amount(failure.hanging_mw_years)} MW-years"
    lines += ["", *wrap(f"{hang} to {stress.horizon}{_stalled(failure.stalled_mw_years)}", 2)]
    if failure.also_default:
        named = [f"{party} {chance(share)}" for party, share in failure.also_default]
        lines += wrap(f"in those runs these default too: {', '.join(named)}", 2, hanging=4)
    return lines


def _called(failure: PartyFails) -> list[str]:
    """What guarantors are called for, and whether their liquidity covers it."""
    if not failure.called:
        return []
    rows = [["calls on guarantors", *(f"P{100 * q:.0f}" for q in QUANTILES)]]
    rows += [[called.party, *(amount(each) for each in called.quantiles)] for called in failure.called]
    lines = ["", *table(rows, right=range(1, 1 + len(QUANTILES)))]
    note = failure.called[0].quantiles[-1].note
    if note:
        lines += wrap(note, 2, hanging=4)
    for called in failure.called:
        if called.liquidity is not None:
            times = ", ".join("-" if cover is None else f"{cover:.2f}" for cover in called.cover)
            lines += wrap(f"{called.party} has {number(called.liquidity)} at hand: {times} times these", 2, hanging=4)
    return lines


def _stalled(stalled: Estimate | None) -> str:
    return "" if stalled is None else f"; run again with the failure, {amount(stalled)} live MW-years less"


def _each(stress: Stress) -> list[str]:
    rows = [["who fails", "unpaid", "tail", "loans", "hurt most", "loses", "DebtRank", "MW", "MW-years"]]
    idle = []
    for f in stress.failures:
        if not (f.hurt or f.write_down.value or f.hanging_mw.value or f.loans.value):
            idle.append(f.party)
            continue
        most = f.hurt[0] if f.hurt else None
        rows.append(
            [
                f.party,
                number(f.write_down.value),
                number(f.tail),
                _some(f.loans.value),
                "" if most is None else most.party,
                "" if most is None else number(most.loss.value + most.stakes),
                f"{f.debtrank.value:.3f}",
                _some(f.hanging_mw.value),
                _some(f.hanging_mw_years.value),
            ]
        )
    lines = table(rows, right=(1, 2, 3, 5, 6, 7, 8), give=4) if len(rows) > 1 else []
    if idle:
        lines += wrap(f"nothing hangs on: {', '.join(idle)}", 2, hanging=4)
    return lines


def _some(value: float) -> str:
    """A number; nothing where there is nothing."""
    return number(value) if value else ""


def _definitions(stress: Stress) -> list[str]:
    return [line for text in definitions(stress) for line in wrap(text, 2, hanging=4)]


def definitions(stress: Stress) -> list[str]:
    """What the numbers of this test mean."""
    never = f" (here: {', '.join(stress.bottomless)})" if stress.bottomless else ""
    paid = "nothing" if stress.recovery == 0 else percent(stress.recovery)
    return [
        text.replace("{months}", str(stress.months)).replace("{recovery}", paid).replace("{bottomless}", never)
        for text in DEFINITIONS
    ]


def stress_data(stress: Stress) -> dict[str, Any]:
    """The same as plain data: the fields of `dcsim.study.stress.Stress`, money in US$ million, and `definitions`."""
    plain: dict[str, Any] = _plain(dataclasses.asdict(stress))
    return {**plain, "definitions": definitions(stress)}


def _plain(value: Any) -> Any:
    """Dates as text, numbers that are none as null."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else value
