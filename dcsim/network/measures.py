"""What a snapshot says of its parties: who owes whom, how concentrated it is, what hangs on whom. Dollars and MW."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dcsim.ledger import OUTSIDE
from dcsim.network.arrays import matrix
from dcsim.network.exposure import effective_number, exposures, herfindahl, top_share
from dcsim.network.snapshot import SUPPORT, YEAR, PhaseState, Snapshot, Standing

CHIPS: Final = ("chips", "chip deposit")
"""Kinds of payment for chips."""


@dataclass(frozen=True, slots=True)
class Position:
    """What stands between a party and all others (and the outside)."""

    party: str
    owes: int
    """Claims on it: balances of loans and notes, and what else falls due within the year."""
    owed: int
    """Its claims on others."""
    net_owed: int
    """The same after netting, debtor by debtor, what it owes that debtor in turn."""
    guarantees: int
    """What may be called on it, now or once the guarantee is effective."""
    callable: int
    """The part that can be called now."""
    guaranteed: int
    """What guarantors stand behind of its claims: at most the cap of each, and the claim."""
    mw: float
    """IT MW of phases that hang on it."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """How something is spread over parties or places."""

    of: str
    """What is spread: `loans`, `guarantees`, `chips`, `MW`."""
    by: str
    """Over what: `lender`, `guarantor`, `supplier`, `developer`, `region`."""
    parts: tuple[tuple[str, float], ...]
    """The largest first; dollars or MW."""
    hhi: float
    """Sum of squared shares, 0 to 1."""
    effective: float
    """1 / HHI: so many equal parts would be as concentrated."""
    largest: float
    """Share of the largest part."""


@dataclass(frozen=True, slots=True)
class CoverState:
    """A guarantor's cover at that time."""

    guarantor: str
    committed: int
    """All that is signed: the lesser of cap and what is covered, as the contracts say."""
    active: int
    """The part that can be called."""
    limit: int | None
    count: int
    """Guarantees given."""

    @property
    def headroom(self) -> int | None:
        """Limit less committed; negative above it, None without one."""
        return None if self.limit is None else self.limit - self.committed


def positions(snapshot: Snapshot) -> list[Position]:
    """One of each party that stands in any contract, or on which MW hang; in the order of the scenario."""
    ids = [party.id for party in snapshot.parties] + [OUTSIDE]
    claims = [(c.source, c.target, float(c.claim)) for c in snapshot.contracts if c.claim]
    given = [(c.source, c.target, float(c.amount)) for c in snapshot.of(*SUPPORT)]
    net = exposures(matrix(claims, ids)).net.sum(axis=0)
    owes, owed, gives, able, backed = (Counter[str]() for _ in range(5))
    for source, target, amount in claims:
        owes[source] += int(amount)
        owed[target] += int(amount)
    for contract in snapshot.of(*SUPPORT):
        gives[contract.source] += contract.amount
        able[contract.source] += contract.amount * contract.active
    for id, left in _covered(snapshot).items():
        backed[snapshot.contract[id].target] += left
    hangs = hanging(snapshot)
    busy = {party for edge in (*claims, *given) for party in edge[:2]}
    return [
        Position(id, owes[id], owed[id], int(net[at]), gives[id], able[id], backed[id], hangs.get(id, 0.0))
        for at, id in enumerate(ids)
        if id in busy or hangs.get(id)
    ]


def _covered(snapshot: Snapshot) -> dict[str, int]:
    """Dollars of each claim, by id, that guarantees stand behind."""
    covered: Counter[str] = Counter()
    for support in snapshot.of(*SUPPORT):
        if support.covers in snapshot.contract:
            covered[support.covers] += support.amount
    return {id: min(amount, snapshot.contract[id].claim) for id, amount in covered.items()}


def guarantors(snapshot: Snapshot) -> list[CoverState]:
    """The cover of each party that may or does guarantee; residual values are not limited and left out."""
    found = []
    for party in snapshot.parties:
        given = [c for c in snapshot.of("guarantee") if c.source == party.id]
        if given or "guarantor" in party.roles:
            active = sum(c.amount for c in given if c.active)
            found.append(CoverState(party.id, sum(c.amount for c in given), active, party.limit, len(given)))
    return found


def concentrations(snapshot: Snapshot) -> list[Concentration]:
    """Loans by lender, guarantees by guarantor, chips by supplier, MW by developer and by region.

    Chips are those paid for and those ordered, MW those under letter or lease. What there is none of is left out.
    """
    loans, cover, chips, developers, regions = (defaultdict[str, float](float) for _ in range(5))
    for c in snapshot.contracts:
        if c.kind == "loan":
            loans[c.target] += c.amount
        elif c.kind == "guarantee":
            cover[c.source] += c.amount
        elif c.is_an_order:
            chips[c.target] += c.amount
    for paid in snapshot.paid:
        if paid.kind in CHIPS:
            chips[paid.payee] += paid.dollars
    for phase in snapshot.phases:
        if phase.stands:
            developers[phase.developer] += phase.mw
            regions[phase.region or "elsewhere"] += phase.mw
    spread = (
        ("loans", "lender", loans),
        ("guarantees", "guarantor", cover),
        ("chips", "supplier", chips),
        ("MW", "developer", developers),
        ("MW", "region", regions),
    )
    return [concentration(of, by, parts) for of, by, parts in spread if sum(parts.values()) > 0]


def concentration(of: str, by: str, parts: Mapping[str, float]) -> Concentration:
    """How concentrated some parts are, of which at least one is above zero."""
    ordered = sorted(((name, float(part)) for name, part in parts.items() if part > 0), key=lambda p: (-p[1], p[0]))
    values = [part for _, part in ordered]
    return Concentration(
        of, by, tuple(ordered), float(herfindahl(values)), float(effective_number(values)), float(top_share(values))
    )


# What hangs on whom.


def depends(phase: PhaseState) -> Iterator[tuple[str, str, float]]:
    """(party, as what, MW) on which a phase's MW hang.

    All of its MW on its tenant, and on who signed its lease. What is not live yet on its developer until it is ready
    for service, on lenders whose loan is still to be drawn and on the guarantors that these ask for as long as it is
    being built, and on the suppliers of racks that it does not have.
    """
    if not phase.stands:
        return
    yield phase.tenant, "tenant", phase.mw
    if phase.lessee is not None:
        yield phase.lessee, "lessee", phase.mw
    missing = max(0.0, phase.mw - phase.live_mw)
    if missing <= 0:
        return
    for supplier in phase.suppliers:
        yield supplier, "supplier", missing
    if phase.state in ("ready", "live"):
        return
    yield phase.developer, "developer", missing
    if phase.undrawn > 0:
        for lender in phase.lenders:
            yield lender, "lender", missing
    for guarantor in phase.guarantors if phase.needs_guarantor else ():
        yield guarantor, "guarantor", missing


def _most(phase: PhaseState) -> dict[str, float]:
    """MW of a phase that hang on each party, once whatever it is to it."""
    most: dict[str, float] = {}
    for party, _, mw in depends(phase):
        most[party] = max(mw, most.get(party, 0.0))
    return most


def hanging(snapshot: Snapshot) -> dict[str, float]:
    """MW that hang on each party."""
    total: defaultdict[str, float] = defaultdict(float)
    for phase in snapshot.phases:
        for party, mw in _most(phase).items():
            total[party] += mw
    return dict(total)


def hanging_mw_years(snapshot: Snapshot) -> dict[str, float]:
    """MW-years that hang on each party until the horizon.

    What is live counts from now, what is not from when its phase is forecast to be ready for service. It bounds what
    the party's failure can stall; running the replication again with the failure says what it does stall.
    """
    total: defaultdict[str, float] = defaultdict(float)
    for phase in snapshot.phases:
        missing = max(0.0, phase.mw - phase.live_mw)
        for party, mw in _most(phase).items():
            total[party] += (mw - missing) * _years(snapshot, snapshot.minute)
            total[party] += missing * _years(snapshot, phase.planned_ready)
    return dict(total)


def _years(snapshot: Snapshot, begins: int | None) -> float:
    """Years from a minute, or now if it is past, to the horizon; none for what never comes."""
    return 0.0 if begins is None else max(0, snapshot.horizon - max(begins, snapshot.minute)) / YEAR


def ties(snapshot: Snapshot) -> list[tuple[str, str, int, Standing]]:
    """(from, to, dollars, contract): who puts money or credit behind whom, and who buys from whom.

    Lenders, holders and funders point to whom they finance, guarantors to whose debt they stand behind; tenants and
    buyers to whom they pay. A loop of such ties is a closed one: support that comes back as business.
    """
    found = []
    for c in snapshot.contracts:
        if c.kind in ("loan", "vendor_finance", "equity"):
            found.append((c.target, c.source, c.amount, c))
        elif c.kind == "fund_commitment":
            found.append((c.source, c.target, c.amount, c))
        elif c.kind in SUPPORT:
            covered = snapshot.contract.get(c.covers or "")
            found.append((c.source, covered.source if covered is not None else c.target, c.amount, c))
        elif c.kind == "supply":
            buyer, seller = (c.source, c.target) if c.is_an_order else (c.target, c.source)
            found.append((buyer, seller, c.amount, c))
        elif c.kind in ("lease", "hardware_lease", "cloud_commitment"):
            found.append((c.source, c.target, c.due, c))
    return [tie for tie in found if tie[0] != tie[1] and OUTSIDE not in tie[:2]]
