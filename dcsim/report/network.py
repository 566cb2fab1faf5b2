"""The counterparty network on a date, as text or plain data. Money in US$ million."""

from __future__ import annotations

import math
from typing import Any, Final

from dcsim.network.circularity import Cycle
from dcsim.network.graph import node_link
from dcsim.network.measures import Concentration
from dcsim.network.supplier import SupplierState
from dcsim.report.text import WIDTH, clip, number, percent, table, wrap
from dcsim.study.network import Network

LOOPS: Final = 8
"""Loops that are shown."""

DEFINITIONS: Final = (
    "owes, owed: loans and vendors' notes at their balance; rent, hardware leases and clouds as they fall due in the "
    "year after the date, with arrears, and of a phase whose rent has not begun its first year's. net: owed "
    "after netting what the creditor owes the same debtor. backs: what may be called on it, now or later. "
    "covered: what guarantors stand behind of its claims. MW: that hang on it (all of a tenant's; of what is not live, "
    "its developer's and undrawn lenders' and required guarantor's while it is built, and its missing racks' "
    "suppliers').",
    "HHI: sum of squared shares, 0 to 1; effective number: 1 / HHI, so many equal parts would be as concentrated.",
    "loops: lenders, owners and funders point to whom they finance, guarantors to whose debt they stand behind, "
    "tenants and buyers to whom they pay; the number is the smallest tie of the loop. Loops may share ties. Payments "
    "are money lent and invested, and sales, not what is paid back on them; the circulation is the most of them that "
    "can have gone round, no dollar counted twice.",
    "cash-funded: of each dollar paid to the supplier's group, the share that the group had lent or invested, traced "
    "pro rata: if a fund holds 50 of the supplier's money among 200, each dollar it lends is 25 % the supplier's. "
    "credit-supported: the share that came from others who lent because the group guarantees, or supports the "
    "residual value: of the rest (not cash-funded), the loans so supported over all that the buyer had. What is "
    "paid back on finance stays out of the pools. put in: what the group lent and invested.",
)
"""What the numbers mean."""


def network_text(network: Network) -> str:
    """Parties, guarantors, concentration, loops, suppliers, and how each is counted."""
    parts = (
        [
            clip(network.title, WIDTH),
            f"network at the end of {network.date}, {network.which}",
            "amounts in US$ million",
        ],
        _parties(network),
        _guarantors(network),
        _concentrations(network),
        _loops(network),
        _suppliers(network.suppliers),
        [line for text in DEFINITIONS for line in wrap(text, 2, hanging=4)],
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _parties(network: Network) -> list[str]:
    head = ["party", "is", "rating", "owes", "owed", "net", "backs", "covered", "MW"]
    rows = [head]
    for p in network.positions:
        state = network.snapshot.party.get(p.party)
        roles = ", ".join(state.roles) if state is not None else ""
        rating = "" if state is None else "default" if state.in_default else state.rating or "none"
        money = [_money(v) for v in (p.owes, p.owed, p.net_owed, p.guarantees, p.guaranteed)]
        rows.append([p.party, roles, rating, *money, number(p.mw) if p.mw else ""])
    if len(rows) == 1:
        return ["  no contract stands, and no MW hang on anybody"]
    return table(rows, right=range(3, len(head)), give=1)


def _guarantors(network: Network) -> list[str]:
    rows = [["guarantor", "guarantees", "committed", "callable", "limit", "headroom"]]
    for g in network.guarantors:
        limit = "none" if g.limit is None else _money(g.limit)
        headroom = "" if g.headroom is None else _money(g.headroom)
        rows.append([g.guarantor, str(g.count), _money(g.committed), _money(g.active), limit, headroom])
    return table(rows, right=range(1, 6)) if len(rows) > 1 else []


def _concentrations(network: Network) -> list[str]:
    rows = [["concentration of", "HHI", "effective number", "largest", ""]]
    for c in network.concentrations:
        name, _ = c.parts[0]
        rows.append([f"{c.of} by {c.by}", f"{c.hhi:.3f}", f"{c.effective:.1f}", percent(c.largest), name])
    return table(rows, right=(1, 2, 3)) if len(rows) > 1 else []


def _loops(network: Network) -> list[str]:
    lines = _cycles("closed loops of support and business", network.loops)
    c = network.circulation
    if c.gross:
        lines += wrap(
            f"parties have lent and paid each other {_money(c.gross)} so far; {_money(c.total)} of it "
            f"({percent(c.share)}) can have gone round",
            2,
        )
        lines += _cycles("loops of payments", network.payment_loops)
    return lines


def _cycles(what: str, loops: list[Cycle]) -> list[str]:
    if not loops:
        return [f"  no {what}"]
    lines = [f"  {what}, by the smallest tie:"]
    for loop in loops[:LOOPS]:
        way = " > ".join([*loop.parties, loop.parties[0]])
        lines += wrap(f"{_money(loop.weight) if loop.weight else 'no amount given'}: {way}", 4, hanging=8)
    left = len(loops) - LOOPS
    return [*lines, f"    and {left} more"] if left > 0 else lines


def _suppliers(found: list[SupplierState]) -> list[str]:
    rows = [["supplier", "group", "sold so far", "cash-funded", "credit-supported", "put in"]]
    for s in found:
        others = ", ".join(s.group[1:])
        shares = [_share(s.cash_funded), _share(s.credit_supported)]
        rows.append([s.supplier, others, _money(s.sales), *shares, _money(s.lent)])
    return table(rows, right=(2, 3, 4, 5), give=1) if len(rows) > 1 else []


def _money(dollars: float) -> str:
    return number(dollars / 1e6)


def _share(value: float) -> str:
    return "" if math.isnan(value) else percent(value)


def network_data(network: Network) -> dict[str, Any]:
    """The same as plain data, amounts in US$ million.

    `date`, `replication` (null: the plan), `seed`; `parties`, `guarantors`, `concentration`, `loops`, `payments`
    (`paid_usd_m`, `circulating_usd_m`, `share`, `loops`), `suppliers`, `mw_years`, `definitions`, and `graph`, nodes
    and edges as `networkx` writes them.
    """
    c = network.circulation
    return {
        "title": network.title,
        "date": network.date.isoformat(),
        "replication": network.snapshot.replication,
        "seed": network.seed,
        "parties": [
            {
                "party": p.party,
                "owes_usd_m": p.owes / 1e6,
                "owed_usd_m": p.owed / 1e6,
                "net_owed_usd_m": p.net_owed / 1e6,
                "guarantees_usd_m": p.guarantees / 1e6,
                "callable_usd_m": p.callable / 1e6,
                "covered_usd_m": p.guaranteed / 1e6,
                "mw": p.mw,
                "mw_years": network.mw_years.get(p.party, 0.0),
            }
            for p in network.positions
        ],
        "guarantors": [
            {
                "guarantor": g.guarantor,
                "guarantees": g.count,
                "committed_usd_m": g.committed / 1e6,
                "callable_usd_m": g.active / 1e6,
                "limit_usd_m": None if g.limit is None else g.limit / 1e6,
                "headroom_usd_m": None if g.headroom is None else g.headroom / 1e6,
            }
            for g in network.guarantors
        ],
        "concentration": [_concentration(each) for each in network.concentrations],
        "loops": _loops_data(network.loops),
        "payments": {
            "paid_usd_m": c.gross / 1e6,
            "circulating_usd_m": c.total / 1e6,
            "share": c.share,
            "loops": _loops_data(network.payment_loops),
        },
        "suppliers": [
            {
                "supplier": s.supplier,
                "group": list(s.group),
                "sold_usd_m": s.sales / 1e6,
                "cash_funded": _number(s.cash_funded),
                "credit_supported": _number(s.credit_supported),
                "lent_usd_m": s.lent / 1e6,
                "sold_to": [
                    {"buyer": buyer, "usd_m": amount / 1e6, "cash_funded": funded, "credit_supported": supported}
                    for buyer, amount, funded, supported in s.sold_to
                ],
            }
            for s in network.suppliers
        ],
        "definitions": list(DEFINITIONS),
        "graph": node_link(network.graph()),
    }


def _concentration(c: Concentration) -> dict[str, Any]:
    money = c.of != "MW"
    return {
        "of": c.of,
        "by": c.by,
        "hhi": c.hhi,
        "effective_number": c.effective,
        "largest": c.largest,
        "unit": "usd_m" if money else "MW",
        "parts": {name: part / 1e6 if money else part for name, part in c.parts},
    }


def _loops_data(loops: list[Cycle]) -> list[dict[str, Any]]:
    return [{"parties": list(loop.parties), "smallest_usd_m": loop.weight / 1e6 or None} for loop in loops]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
