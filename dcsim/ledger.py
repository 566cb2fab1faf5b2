"""The ledger: every payment once, with two sides, in whole dollars.

A payment is one entry (minute, payer, payee, kind, dollars). What a party has is its opening cash, plus what it is
paid, less what it pays; nothing is made or lost on the way. Sums are of integers, so no order of adding changes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError

Ints = npt.NDArray[np.int64]

OUTSIDE: Final = "outside"
"""Whoever is not a party of the scenario."""

EXACT: Final = 2**53
"""Sums up to here are exact in double precision, in which they are added up."""


class Pair(NamedTuple):
    """Who pays whom, for what."""

    payer: str
    payee: str
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Monthly:
    """Entries added up by month, pair and kind; no zeros. Arrays run parallel, ordered by month, then by pair."""

    pairs: tuple[Pair, ...]
    month: Ints
    """Number of the calendar month, 0 for that of the start."""
    pair: Ints
    """Index into `pairs`."""
    dollars: Ints

    def __eq__(self, other: object) -> bool:
        """Whether the same payments were made."""
        if not isinstance(other, Monthly):
            return NotImplemented
        mine, others = (self.month, self.pair, self.dollars), (other.month, other.pair, other.dollars)
        return self.pairs == other.pairs and all(map(np.array_equal, mine, others))


class Ledger:
    """Payments of one replication, from its start to its horizon.

    `months` are the minutes at which calendar months begin after the start, ascending; `end` is the first minute after
    the horizon. What lies before the start or after the horizon is not entered: it belongs to the opening position, or
    to nobody yet.
    """

    def __init__(self, months: Sequence[int], end: int) -> None:
        self.months: Ints = np.asarray(months, np.int64)
        self.end = end
        self._pairs: dict[Pair, int] = {}
        self._minutes: list[int] = []
        self._single: list[int] = []
        self._amounts: list[int] = []
        self._blocks: list[tuple[int, Ints, Ints]] = []

    def add(self, minute: int, payer: str, payee: str, kind: str, dollars: int) -> None:
        """One payment. Raises ModelError for a negative amount or a party that pays itself."""
        if dollars < 0 or payer == payee:
            raise ModelError(f"{payer} pays {payee} {dollars} dollars of {kind}")
        if dollars and 0 <= minute < self.end:
            self._single.append(self._index(payer, payee, kind))
            self._minutes.append(minute)
            self._amounts.append(dollars)

    def add_all(self, payer: str, payee: str, kind: str, minutes: Ints, dollars: Ints) -> None:
        """Payments of one kind between two parties. Raises ModelError as `add`."""
        if payer == payee or (len(dollars) and int(dollars.min()) < 0):
            raise ModelError(f"{payer} pays {payee} negative amounts of {kind}, or itself")
        self._blocks.append((self._index(payer, payee, kind), minutes, dollars))

    def payments(self, payer: str, first: int, end: int) -> list[tuple[int, int]]:
        """(minute, dollars) of each single payment of a party from minute `first` to before minute `end`."""
        mine = {index for pair, index in self._pairs.items() if pair.payer == payer}
        entries = zip(self._minutes, self._single, self._amounts, strict=True)
        return [(minute, dollars) for minute, index, dollars in entries if first <= minute < end and index in mine]

    def take_back(self, payer: str, minute: int) -> list[tuple[int, Pair, int]]:
        """Undo every single payment that a party made at `minute` or later; returns (minute, pair, dollars) of each."""
        mine = {index: pair for pair, index in self._pairs.items() if pair.payer == payer}
        undone = []
        for at, index in enumerate(self._single):
            if self._minutes[at] >= minute and index in mine and self._amounts[at]:
                undone.append((self._minutes[at], mine[index], self._amounts[at]))
                self._amounts[at] = 0
        return undone

    def _index(self, payer: str, payee: str, kind: str) -> int:
        return self._pairs.setdefault(Pair(payer, payee, kind), len(self._pairs))

    def monthly(self) -> Monthly:
        """All entries, added up. Raises ModelError for sums beyond what is exact."""
        pairs = sorted(self._pairs)
        rank = {pair: index for index, pair in enumerate(pairs)}
        place = np.array([rank[pair] for pair in self._pairs], np.int64)
        index = [np.asarray(self._single, np.int64)] + [np.full(len(m), i, np.int64) for i, m, _ in self._blocks]
        minute = np.concatenate([np.asarray(self._minutes, np.int64), *(m for _, m, _ in self._blocks)])
        dollars = np.concatenate([np.asarray(self._amounts, np.int64), *(d for _, _, d in self._blocks)])
        inside = (minute >= 0) & (minute < self.end)
        key = np.searchsorted(self.months, minute[inside], side="right") * max(1, len(pairs))
        key += place[np.concatenate(index)[inside]] if len(pairs) else 0
        total = np.bincount(key, weights=dollars[inside].astype(np.float64))
        if len(total) and total.max() >= EXACT:
            raise ModelError("the ledger holds amounts beyond nine thousand trillion dollars")
        found = np.flatnonzero(total)
        month, pair = np.divmod(found, max(1, len(pairs)))
        return Monthly(tuple(pairs), month.astype(np.int64), pair.astype(np.int64), total[found].astype(np.int64))


def flows_of(ledger: Monthly, party: str, months: int) -> tuple[Ints, Ints]:
    """(dollars in, dollars out) of a party by month, each of length `months`."""
    paid = np.zeros(months, np.int64)
    received = np.zeros(months, np.int64)
    for index, pair in enumerate(ledger.pairs):
        if party in (pair.payer, pair.payee):
            mine = ledger.pair == index
            np.add.at(paid if pair.payer == party else received, ledger.month[mine], ledger.dollars[mine])
    return received, paid
