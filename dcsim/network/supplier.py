"""How much of a supplier's sales its own group has paid for, or made possible, as of a snapshot.

Two numbers, of all that others have paid the group for goods and services up to then:

- cash-funded: the share paid with money that the group itself lent or invested, traced pro rata: whoever spends, spends
  from one pool of all it had and was paid, so each dollar that leaves carries the pool's shares.
- credit-supported: the share paid with other money that was lent on the strength of the group's guarantee or
  residual-value support.

What is paid back on finance (interest, principal, returns) is left out of the pools, and with it what a vehicle or fund
takes in to pay it. Both numbers describe; neither is evidence of wrongdoing. The group are the parties of the
supplier's `group`, or the supplier alone. See `dcsim.network.circularity` for the tracing itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from dcsim.ledger import OUTSIDE
from dcsim.network.arrays import Floats
from dcsim.network.circularity import circularity, trace
from dcsim.network.snapshot import SUPPORT, PartyState, Snapshot

FINANCING: Final = frozenset(
    {
        "loan draw", "vendor draw", "vehicle funding", "revolver draw",
        "equity", "equity cure", "equity round", "ipo",
    }
)  # fmt: skip
"""Kinds of payment by which money is lent or invested."""

RETURNS: Final = frozenset(
    {"interest", "principal", "commitment fee", "upfront fee", "recovery", "revolver repayment", "vehicle return"}
)
"""Kinds that are paid back on money lent or invested."""

NO_SALES: Final = frozenset(
    {
        "deposit returned", "chips sold", "residual value payment", "guarantee payment", "guarantee fee",
        "letter of credit fee", "termination fee", "security deposit", "security drawn", "loi deposit",
        "utility collateral", "rent refund", "delay credit", "early works resale",
    }
)  # fmt: skip
"""Kinds that are the security, the support or the settlement of something."""

SELLERS: Final = ("supplier", "cloud")
"""Roles of parties whose sales are looked at."""


@dataclass(frozen=True, slots=True)
class SupplierState:
    """Of one supplier's group, dollars from the start up to the snapshot. Shares are nan where nothing was sold."""

    supplier: str
    group: tuple[str, ...]
    """Its members, the supplier first."""
    sales: float
    """What others paid the group for goods and services."""
    cash_funded: float
    """Share paid with money that the group lent or invested."""
    credit_supported: float
    """Share paid with other money that was lent because the group stood behind it."""
    lent: float
    """What the group lent or invested, to whomever."""
    sold_to: tuple[tuple[str, float, float, float], ...]
    """(buyer, dollars, cash-funded share, credit-supported share), the largest first."""


def suppliers(snapshot: Snapshot) -> list[SupplierState]:
    """Every group with a supplier of chips or a provider of clouds in it, in the order of the scenario."""
    found: list[SupplierState] = []
    done: set[str] = set()
    for party in snapshot.parties:
        if party.id not in done and any(role in party.roles for role in SELLERS):
            members = group_of(snapshot, party)
            done.update(members)
            found.append(_supplier(snapshot, party.id, members))
    return found


def group_of(snapshot: Snapshot, party: PartyState) -> tuple[str, ...]:
    """The party and those of the same group."""
    if party.group is None:
        return (party.id,)
    others = [other.id for other in snapshot.parties if other.group == party.group and other.id != party.id]
    return (party.id, *others)


def _supplier(snapshot: Snapshot, supplier: str, members: tuple[str, ...]) -> SupplierState:
    ids = [party.id for party in snapshot.parties] + [OUTSIDE]
    place = {id: at for at, id in enumerate(ids)}
    lent, back, bought, other = (np.zeros((len(ids), len(ids))) for _ in range(4))
    sorts = ((FINANCING, lent), (RETURNS, back), (NO_SALES, other))
    for entry in snapshot.paid:
        what = next((flows for kinds, flows in sorts if entry.kind in kinds), bought)
        what[place[entry.payer], place[entry.payee]] += entry.dollars
    ours = np.array([id in members for id in ids])
    conduit = np.array([id in snapshot.party and snapshot.party[id].conduit for id in ids])
    spent = lent + other + bought * (1 - _passed_on(bought, back) * conduit)
    money = trace(
        spent,
        lent,
        ours,
        supported=lent * _supported(snapshot, members, place),
        outside=np.array([id == OUTSIDE for id in ids]),
        opening=_opening(snapshot, ids, spent, lent + back + bought + other),
    )
    result = circularity(bought, ours, money)
    sales = np.where(ours, bought, 0.0).sum(axis=1) * ~ours
    buyers = sorted(np.flatnonzero(sales).tolist(), key=lambda at: (-sales[at], ids[at]))
    return SupplierState(
        supplier=supplier,
        group=members,
        sales=float(result.revenue),
        cash_funded=float(result.cash_funded),
        credit_supported=float(result.credit_supported),
        lent=float(lent[ours][:, ~ours].sum()),
        sold_to=tuple(
            (ids[at], float(sales[at]), float(money.cash_funded[at]), float(money.credit_supported[at]))
            for at in buyers
        ),
    )


def _passed_on(bought: Floats, back: Floats) -> Floats:
    """Share of what each is paid for goods and services that it pays back on finance: all of it first."""
    taken = bought.sum(axis=0)
    return np.asarray(np.divide(np.minimum(back.sum(axis=1), taken), taken, out=np.zeros_like(taken), where=taken > 0))


def _opening(snapshot: Snapshot, ids: list[str], spent: Floats, paid: Floats) -> Floats:
    """What each had at the start: known of those that are followed, of others what they spent beyond their receipts."""
    cash = [snapshot.party[id].cash if id in snapshot.party else None for id in ids]
    gained, spare = (flows.sum(axis=0) - flows.sum(axis=1) for flows in (paid, spent))
    had = [-more if held is None else held - gain for held, gain, more in zip(cash, gained, spare, strict=True)]
    return np.asarray(np.maximum(had, 0.0), dtype=np.float64)


def _supported(snapshot: Snapshot, members: tuple[str, ...], place: dict[str, int]) -> Floats:
    """Share of what the row lends the column that the group stands behind, by the size of the loans between them.

    A loan is supported if the group guarantees the rent it was made on, or the loan itself, or the residual value of
    what it bought.
    """
    backed = {c.covers for c in snapshot.of(*SUPPORT) if c.source in members}
    whole: Counter[tuple[str, str]] = Counter()
    part: Counter[tuple[str, str]] = Counter()
    for loan in snapshot.of("loan", "vendor_finance"):
        pair = (loan.target, loan.source)
        whole[pair] += loan.size
        if loan.guarantor in members or loan.id in backed:
            part[pair] += loan.size
    share = np.zeros((len(place), len(place)))
    for (lender, borrower), size in part.items():
        share[place[lender], place[borrower]] = size / whole[lender, borrower]
    leased: Counter[str] = Counter()
    behind: Counter[str] = Counter()
    for lease in snapshot.of("hardware_lease"):
        leased[lease.target] += lease.amount
    for cover in snapshot.of("residual_value_guarantee"):
        behind[cover.target] += cover.amount * (cover.source in members)
    for vehicle, owed in leased.items():
        if owed and behind[vehicle]:
            share[:, place[vehicle]] = behind[vehicle] / owed
    return share
