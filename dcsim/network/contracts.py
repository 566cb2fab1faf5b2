"""Contracts between parties, as the simulation writes and reads them; a networkx graph on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dcsim.errors import ModelError

if TYPE_CHECKING:
    import networkx as nx

Kind = Literal["loi", "lease", "guarantee", "loan", "supply", "equity"]


@dataclass(slots=True)
class Contract:
    """An edge of the network. Claims point debtor to creditor, guarantees guarantor to beneficiary."""

    kind: Kind
    id: str
    source: str
    target: str
    amount: int
    """Whole dollars (guarantees, loans), kW (letters, leases) or racks (supply)."""
    opened: int
    """Minute from which it stands."""
    closed: int | None = None
    """Minute in which it ended; None while it stands."""
    covers: str | None = None
    """Id of the contract that a guarantee stands behind."""
    site: str | None = None
    tenant: str | None = None
    guarantor: str | None = None
    """Who stands behind a loan's rent, for limits per guarantor."""


class Book:
    """All contracts of one replication."""

    def __init__(self) -> None:
        self._contracts: dict[str, Contract] = {}
        self._standing: dict[tuple[Kind, str], dict[str, Contract]] = {}

    def open(self, contract: Contract) -> Contract:
        """Write a contract. Raises ModelError if its id is taken."""
        if contract.id in self._contracts:
            raise ModelError(f"contract {contract.id} is written twice")
        self._contracts[contract.id] = contract
        self._standing.setdefault((contract.kind, contract.source), {})[contract.id] = contract
        return contract

    def close(self, id: str, minute: int) -> None:
        """End a contract that stands; nothing happens to one that does not."""
        contract = self._contracts.get(id)
        if contract is not None and contract.closed is None:
            contract.closed = minute
            del self._standing[contract.kind, contract.source][id]

    def standing(self, kind: Kind, source: str) -> Iterator[Contract]:
        """Contracts of a kind that stand now, written by `source`, oldest first."""
        return iter(self._standing.get((kind, source), {}).values())

    def get(self, id: str) -> Contract | None:
        """A contract by id, standing or ended."""
        return self._contracts.get(id)

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._contracts.values())

    def graph(self, minute: int) -> nx.MultiDiGraph:
        """The network at the end of a minute: parties, and an edge (key = id) for each contract that stood."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        for contract in self._contracts.values():
            if contract.opened <= minute and (contract.closed is None or contract.closed > minute):
                graph.add_edge(contract.source, contract.target, key=contract.id, contract=contract)
        return graph
