"""Snapshots of many replications as one batch of arrays that clear together.

Who owes what when somebody fails:

- Loans and vendors' notes are owed whole (the balance), of a supplier the deposits that it holds. Of rent, hardware
  leases and clouds it is what falls due within the snapshot's months (a year), with arrears; of a phase whose
  rent has not begun, its first year's.
- A guarantee pays what its debtor leaves unpaid, up to the cap at stake, if it can be called by then. Support of a
  residual value pays the share of it that it stands behind. Money promised to a fund, orders, shares and letters are
  no debts.

What a party has beside its claims, so that it can pay all it owes as long as it is paid itself:

- Capital on top, if the scenario gives its `equity` (what it owes outside then follows, if its claims exceed that), or
  its cash where its money is followed. Where neither is given it bears any loss: a missing number is no limit.
- A site with a loan is a *project* of its own: its rent goes there, its loan is owed by it alone, without recourse to
  the developer. It fails when what it receives no longer covers the debt service of that time (all of its rent, while
  no debt service is due yet), or with its developer while it is being built. Its lenders then lose what it lacks, and
  the site's `loss_given_default` of what rests on the hall.
- Vehicles, funds and lessees for somebody else pass on what they receive, as projects do, unless they have `equity`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from dcsim.errors import UsageError
from dcsim.ledger import OUTSIDE
from dcsim.network.arrays import Bools, Floats
from dcsim.network.contracts import Kind
from dcsim.network.guarantees import OUTSIDE as ABROAD
from dcsim.network.guarantees import Claims, Guarantees
from dcsim.network.snapshot import BALANCES, SUPPORT, PartyState, Snapshot, Standing

UNFINISHED: Final = frozenset({"letter", "leased", "financed", "building"})
"""States of phases that somebody has still to build."""


class Project(NamedTuple):
    """The company that owns one site: its developer's, but for its own account."""

    site: str
    owner: str


class Debt(NamedTuple):
    """A claim as all replications may have it; nodes are numbers, -1 the outside."""

    id: str
    kind: Kind | None
    debtor: int
    creditor: int
    rank: int


class Support(NamedTuple):
    """A guarantee of a claim. Lower ranks are called first; those of one rank are several, each for its share."""

    id: str
    kind: Kind
    guarantor: int
    debt: int
    rank: int


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """S replications: parties, then projects, are the n nodes; m debts; q guarantees. Dollars."""

    parties: tuple[PartyState, ...]
    """As in the first snapshot."""
    projects: tuple[Project, ...]
    debts: tuple[Debt, ...]
    supports: tuple[Support, ...]
    amount: Floats
    """(S, m)."""
    cap: Floats
    """(S, q)."""
    due: Floats
    """(S, m): of the amount, what falls due within the year, for debts of projects and conduits."""
    capital: Floats
    """(S, n): what a node can lose; inf where it bears any loss."""
    loss: Floats
    """(S, n): share of a project's other assets that its default destroys."""
    down: Bools
    """(S, P): parties that had stopped paying by then."""
    unbuilt: Bools
    """(S, projects): somebody has still to build: the project ends with its developer."""

    @property
    def nodes(self) -> int:
        return len(self.parties) + len(self.projects)

    @property
    def count(self) -> int:
        """S."""
        return len(self.amount)

    def label(self, node: int) -> str:
        """A node's name: the party's id, `developer's site`, or `outside`."""
        if node < 0:
            return OUTSIDE
        if node < len(self.parties):
            return self.parties[node].id
        site, owner = self.projects[node - len(self.parties)]
        return f"{owner}'s {site}"

    def number(self, party: str) -> int:
        """Place of a party. Raises UsageError for a stranger."""
        for at, state in enumerate(self.parties):
            if state.id == party:
                return at
        raise UsageError(f"{party} is no party of the scenario")

    def owes(self) -> Floats:
        """(S, n)."""
        return _sums(self.amount, [debt.debtor for debt in self.debts], self.nodes)

    def owed(self) -> Floats:
        """(S, n)."""
        return _sums(self.amount, [debt.creditor for debt in self.debts], self.nodes)

    def backs(self) -> Floats:
        """(S, n): cover that a node has given, at most the claim each time."""
        behind = self.amount[:, [s.debt for s in self.supports]] if self.supports else self.cap
        return _sums(np.minimum(self.cap, behind), [s.guarantor for s in self.supports], self.nodes)

    def arrays(self, extra: Floats) -> tuple[Claims, Guarantees]:
        """For `clear_guaranteed`; `extra` (S, n) is what each node owes outside beside its contracts."""
        debtor = np.array([d.debtor for d in self.debts] + [*range(self.nodes)], dtype=np.intp)
        creditor = np.array([d.creditor for d in self.debts] + [ABROAD] * self.nodes, dtype=np.intp)
        rank = np.array([d.rank for d in self.debts] + [0] * self.nodes, dtype=np.intp)
        amount = np.concatenate([self.amount, extra], axis=1)
        guarantor = np.array([s.guarantor for s in self.supports], dtype=np.intp)
        claim = np.array([s.debt for s in self.supports], dtype=np.intp)
        return Claims(debtor, creditor, amount, rank=rank), Guarantees(guarantor, claim, self.cap)


def balance_of(snapshots: Sequence[Snapshot]) -> Balance:
    """Many snapshots of one scenario, lined up. Raises UsageError if there are none or their parties differ."""
    if not snapshots:
        raise UsageError("a stress test takes at least one replication")
    parties = snapshots[0].parties
    ids = [party.id for party in parties]
    if any([party.id for party in other.parties] != ids for other in snapshots):
        raise UsageError("snapshots of different scenarios cannot be cleared together")
    place = {id: at for at, id in enumerate(ids)}
    projects = _projects(snapshots)
    of_site = {project.site: (len(ids) + at, project.owner) for at, project in enumerate(projects)}
    debts: dict[Debt, int] = {}
    supports: dict[Support, int] = {}
    owed: list[list[tuple[int, float, float]]] = []
    given: list[list[tuple[int, float]]] = []
    for snapshot in snapshots:
        here: dict[str, int] = {}
        row: list[tuple[int, float, float]] = []
        for contract in snapshot.contracts:
            if contract.claim <= 0 or contract.source == OUTSIDE:
                continue
            debt = _debt(contract, place, of_site)
            number = here[contract.id] = debts.setdefault(debt, len(debts))
            row.append((number, float(contract.claim), float(_needed(contract))))
        owed.append(row)
        caps: list[tuple[int, float]] = []
        for c, most in _caps(snapshot):
            if c.covers in here and c.source != OUTSIDE:
                support = Support(c.id, c.kind, place[c.source], here[c.covers], c.rank)
                caps.append((supports.setdefault(support, len(supports)), most))
        given.append(caps)
    amount, due = np.zeros((2, len(snapshots), len(debts)))
    cap = np.zeros((len(snapshots), len(supports)))
    for s, (row, caps) in enumerate(zip(owed, given, strict=True)):
        for number, dollars, needed in row:
            amount[s, number], due[s, number] = dollars, needed
        for number, most in caps:
            cap[s, number] = most
    building = [{phase.site for phase in each.phases if phase.state in UNFINISHED} for each in snapshots]
    called = list(supports)
    order = sorted(range(len(called)), key=lambda number: called[number].rank)
    return Balance(
        parties=parties,
        projects=tuple(projects),
        debts=tuple(debts),
        supports=tuple(called[number] for number in order),
        amount=amount,
        cap=cap[:, order],
        due=due,
        capital=np.concatenate([_capital(snapshots), np.zeros((len(snapshots), len(projects)))], axis=1),
        loss=_loss_shares(snapshots, of_site, len(ids) + len(projects)),
        down=np.array([[not party.pays for party in each.parties] for each in snapshots], dtype=np.bool_),
        unbuilt=np.array([[p.site in sites for p in projects] for sites in building], dtype=np.bool_),
    )


def _projects(snapshots: Sequence[Snapshot]) -> list[Project]:
    """A project for each site that has a loan somewhere."""
    found = {
        Project(loan.site, loan.source): None
        for snapshot in snapshots
        for loan in snapshot.of("loan")
        if loan.site is not None and loan.source != OUTSIDE
    }
    return sorted(found)


def _debt(contract: Standing, place: dict[str, int], of_site: dict[str, tuple[int, str]]) -> Debt:
    """Rent is owed to the site's project, and its loan by it."""
    debtor, creditor = place[contract.source], place.get(contract.target, ABROAD)
    project = of_site.get(contract.site or "")
    if project is not None and contract.kind == "loan" and contract.source == project[1]:
        debtor = project[0]
    if project is not None and contract.kind == "lease" and contract.target == project[1]:
        creditor = project[0]
    return Debt(contract.id, contract.kind, debtor, creditor, contract.rank)


def _caps(snapshot: Snapshot) -> list[tuple[Standing, float]]:
    """What each supporter pays at most, if it can be called.

    A guarantor its cap, and of several at once each its share of the claim; who supports a residual value, the share
    of what is due that it supports.
    """
    found: list[tuple[Standing, float]] = []
    together: defaultdict[tuple[str, int], float] = defaultdict(float)
    for c in snapshot.of(*SUPPORT):
        if c.active and c.amount > 0 and c.covers in snapshot.contract:
            covered = snapshot.contract[c.covers]
            part = c.kind == "residual_value_guarantee" and covered.amount > 0
            cap = c.amount / covered.amount * covered.claim if part else float(c.amount)
            found.append((c, cap))
            together[covered.id, c.rank] += cap
    shares = ((c, cap, cap / together[str(c.covers), c.rank]) for c, cap in found)
    return [(c, min(cap, part * snapshot.contract[str(c.covers)].claim)) for c, cap, part in shares]


def _needed(contract: Standing) -> int:
    """What its debtor must pay within the year to stay out of default."""
    return min(contract.due, contract.claim) if contract.kind in BALANCES else contract.claim


def _capital(snapshots: Sequence[Snapshot]) -> Floats:
    """(S, P): equity if it is given; nothing of conduits; cash that is followed; else any loss can be borne."""

    def one(party: PartyState) -> float:
        if party.equity is not None:
            return float(party.equity)
        if party.conduit:
            return 0.0
        return np.inf if party.cash is None else max(0.0, float(party.cash))

    return np.array([[one(party) for party in each.parties] for each in snapshots])


def _loss_shares(snapshots: Sequence[Snapshot], of_site: dict[str, tuple[int, str]], nodes: int) -> Floats:
    """(S, n): the loss given default of each site's loans, weighted by their balances."""
    lost, whole = np.zeros((2, len(snapshots), nodes))
    for s, snapshot in enumerate(snapshots):
        for loan in snapshot.of("loan"):
            project = of_site.get(loan.site or "")
            if project is not None:
                node = project[0]
                lost[s, node] += loan.loss * loan.amount
                whole[s, node] += loan.amount
    return np.asarray(np.divide(lost, whole, out=np.zeros_like(lost), where=whole > 0))


def _sums(values: Floats, nodes: Sequence[int], count: int) -> Floats:
    """(S, k) to (S, count): values added up by node; the outside left out."""
    total = np.zeros((len(values), count))
    for column, node in enumerate(nodes):
        if node >= 0:
            total[:, node] += values[:, column]
    return total
