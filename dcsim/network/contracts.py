"""Contracts between parties, as the simulation writes and reads them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dcsim.errors import ModelError

Kind = Literal[
    "loi", "lease", "loan", "guarantee", "equity", "supply", "vendor_finance", "hardware_lease",
    "residual_value_guarantee", "cloud_commitment", "fund_commitment", "joint_development",
]  # fmt: skip


@dataclass(slots=True)
class Contract:
    """An edge of the network. Claims point debtor to creditor, guarantees guarantor to beneficiary."""

    kind: Kind
    id: str
    source: str
    target: str
    amount: int
    """What was agreed: whole dollars, or kW (letters, leases)."""
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
    effective: int | None = None
    """Minute from which a guarantee can be called; None: from when it is opened."""
    rank: int = 0
    """Seniority of the claim, 0 first; of guarantees of one claim, the order in which they are called."""
    minutes: list[int] = field(default_factory=list)
    """When the exposure below changes, ascending."""
    levels: list[int] = field(default_factory=list)
    """Dollars at stake from each of these minutes on: owed (a claim), or to be called (a guarantee)."""

    def owe(self, minute: int, dollars: int) -> None:
        """From `minute` on so much is at stake; what was planned for later is dropped."""
        self.plan([minute], [dollars])

    def plan(self, minutes: Sequence[int], dollars: Sequence[int]) -> None:
        """What will be at stake from each of these minutes (ascending) on; what was planned from there is dropped."""
        at = bisect_left(self.minutes, minutes[0])
        self.minutes[at:] = minutes
        self.levels[at:] = dollars

    def correct(self, minute: int, dollars: int) -> None:
        """So much is at stake from `minute` on, until what was planned next."""
        at = bisect_left(self.minutes, minute)
        if at < len(self.minutes) and self.minutes[at] == minute:
            self.levels[at] = dollars
        else:
            self.minutes.insert(at, minute)
            self.levels.insert(at, dollars)

    def stands(self, minute: int) -> bool:
        """Whether it was open at the end of a minute."""
        return self.opened <= minute and (self.closed is None or self.closed > minute)

    def at_stake(self, minute: int) -> int:
        """Dollars at stake at the end of a minute; 0 before the first and once the contract has ended."""
        at = bisect_right(self.minutes, minute)
        if at == 0 or (self.closed is not None and self.closed <= minute):
            return 0
        return self.levels[at - 1]


class Book:
    """All contracts of one replication."""

    def __init__(self) -> None:
        self._contracts: dict[str, Contract] = {}
        self._given: dict[tuple[Kind, str], dict[str, Contract]] = {}
        self._held: dict[tuple[Kind, str], dict[str, Contract]] = {}

    def open(self, contract: Contract) -> Contract:
        """Write a contract. Raises ModelError if its id is taken."""
        if contract.id in self._contracts:
            raise ModelError(f"contract {contract.id} is written twice")
        self._contracts[contract.id] = contract
        self._given.setdefault((contract.kind, contract.source), {})[contract.id] = contract
        self._held.setdefault((contract.kind, contract.target), {})[contract.id] = contract
        return contract

    def close(self, id: str, minute: int) -> None:
        """End a contract that stands; nothing happens to one that does not."""
        contract = self._contracts.get(id)
        if contract is not None and contract.closed is None:
            contract.closed = minute
            del self._given[contract.kind, contract.source][id]
            del self._held[contract.kind, contract.target][id]

    def given(self, kind: Kind, source: str) -> Iterator[Contract]:
        """Contracts of a kind that stand now and that `source` owes or guarantees, oldest first."""
        return iter(self._given.get((kind, source), {}).values())

    def held(self, kind: Kind, target: str) -> Iterator[Contract]:
        """Contracts of a kind that stand now and that `target` holds, oldest first."""
        return iter(self._held.get((kind, target), {}).values())

    def get(self, id: str) -> Contract | None:
        """A contract by id, standing or ended."""
        return self._contracts.get(id)

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._contracts.values())
