"""Money in one replication: dated cash flows of contracts, payments made at once, and who has stopped paying."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcsim.errors import ModelError
from dcsim.ledger import Ints, Ledger

if TYPE_CHECKING:
    from dcsim.model.world import World


class Flow:
    """What one party owes another under a contract, on its dates: ascending minutes, whole dollars.

    It is paid as it falls due, until its payer stops (`unpaid_from`). `cut` ends it. Held in arrays that are never
    changed in place, only replaced.
    """

    __slots__ = ("contract", "dollars", "kind", "minutes", "money", "payee", "payer", "unpaid_from")

    def __init__(
        self, money: Money, payer: str, payee: str, kind: str, minutes: Ints, dollars: Ints, contract: str | None
    ) -> None:
        self.money = money
        self.payer = payer
        self.payee = payee
        self.kind = kind
        self.minutes = minutes
        self.dollars = dollars
        self.contract = contract
        self.unpaid_from: int | None = None

    def _from(self, minute: int) -> int:
        return int(self.minutes.searchsorted(minute))

    def due(self, first: int, last: int) -> int:
        """Dollars that fall due from minute `first` to before minute `last`."""
        a, b = self._from(first), self._from(last)
        return int(self.dollars[a:b].sum()) if a < b else 0

    def next_due(self, minute: int) -> int | None:
        """The first minute from `minute` on in which something falls due; None if nothing does."""
        at = self._from(minute)
        return int(self.minutes[at]) if at < len(self.minutes) else None

    def to_come(self, minute: int) -> int:
        """Dollars that fall due from `minute` on, undiscounted."""
        return int(self.dollars[self._from(minute) :].sum())

    def present_value(self, minute: int, rate: float) -> float:
        """Dollars due from `minute` on, discounted to it at `rate` a year (compound, by actual days over 365.25)."""
        at = self._from(minute)
        years = (self.minutes[at:] - minute) / 525_960.0
        return float((self.dollars[at:] * (1.0 + rate) ** -years).sum())

    def cut(self, minute: int) -> int:
        """Nothing due at or after `minute` is owed any more; returns the dollars thereby dropped."""
        at = self._from(minute)
        dropped = int(self.dollars[at:].sum())
        self._replace(self.minutes[:at], self.dollars[:at])
        return dropped

    def replace_from(self, minute: int, minutes: Ints, dollars: Ints) -> None:
        """From `minute` on other dates and amounts are owed; they must not lie before it."""
        at = self._from(minute)
        self._replace(np.concatenate([self.minutes[:at], minutes]), np.concatenate([self.dollars[:at], dollars]))

    def _replace(self, minutes: Ints, dollars: Ints) -> None:
        self.money._count(self, -1)
        self.minutes, self.dollars = minutes, dollars
        self.money._count(self, 1)

    def arrears(self, minute: int) -> int:
        """Dollars that fell due up to and including `minute` since its payer stopped."""
        return 0 if self.unpaid_from is None else self.due(self.unpaid_from, minute + 1)

    @property
    def paid(self) -> tuple[Ints, Ints]:
        """(minutes, dollars) of what is paid as it falls due."""
        if self.unpaid_from is None:
            return self.minutes, self.dollars
        at = self._from(self.unpaid_from)
        return self.minutes[:at], self.dollars[:at]


class Account:
    """Money in and out of one party by calendar month, known ahead as far as it is contracted."""

    __slots__ = ("opening", "paid", "received")

    def __init__(self, months: int, opening: int) -> None:
        self.opening = opening
        self.received: Ints = np.zeros(months, np.int64)
        self.paid: Ints = np.zeros(months, np.int64)


class Money:
    """All payments of a replication. Parties with an account (`watch`) are followed month by month."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger = Ledger(world.blueprint.months, world.last_minute + 1)
        self.months = len(world.blueprint.months) + 1
        self.flows: list[Flow] = []
        self.accounts: dict[str, Account] = {}
        self.stopped: dict[str, int] = {}
        """Minute from which a party pays nothing any more."""
        self._by_payer: dict[str, list[Flow]] = {}

    def watch(self, party: str, opening: int) -> Account:
        """Follow a party's cash from the start."""
        account = self.accounts[party] = Account(self.months, opening)
        return account

    def month_of(self, minute: int) -> int:
        """Number of the calendar month of a minute, 0 for that of the start."""
        return bisect_right(self.world.blueprint.months, minute)

    # Paying.

    def book(
        self,
        payer: str,
        payee: str,
        kind: str,
        minutes: Sequence[int] | Ints,
        dollars: Sequence[int] | Ints,
        contract: str | None = None,
    ) -> Flow:
        """Dated cash flows of a contract: ascending minutes (past ones too: those before the start are facts)."""
        when, amounts = np.asarray(minutes, np.int64), np.asarray(dollars, np.int64)
        if len(when) != len(amounts) or (len(amounts) and int(amounts.min()) < 0):
            raise ModelError(f"{kind} of {payer} to {payee}: minutes and dollars do not fit")
        flow = Flow(self, payer, payee, kind, when, amounts, contract)
        flow.unpaid_from = self.stopped.get(payer)
        self.flows.append(flow)
        self._by_payer.setdefault(payer, []).append(flow)
        self._count(flow, 1)
        return flow

    def pay(self, payer: str, payee: str, kind: str, dollars: int, minute: int | None = None) -> bool:
        """Pay at once (or as of an earlier minute). False, and nothing is paid, if the payer has stopped.

        Then nothing is owed either: the caller does without what it would have been paid for, or has a claim of its
        own. What is owed for something that was had all the same is a `bill`.
        """
        at = self.world.clock.now if minute is None else minute
        stopped = self.stopped.get(payer)
        if stopped is not None and at >= stopped:
            return False
        self.ledger.add(at, payer, payee, kind, dollars)
        self._followed(at, payer, payee, dollars)
        return True

    def bill(self, payer: str, payee: str, kind: str, dollars: int, minute: int, contract: str | None = None) -> bool:
        """Pay what was used up to `minute`, or was ordered then. False if the payer has stopped: then it stays owed.

        It is then in its `arrears`, which its treasury must pay before it goes on, and among what its creditors miss
        (`arrears_to`). Exposures show it under its contract; fees for which there is none (a guarantee's, a letter of
        credit's) are small beside what they are paid for, and are no exposure of their own.
        """
        if self.pay(payer, payee, kind, dollars, minute):
            return True
        if dollars:
            self.book(payer, payee, kind, [minute], [dollars], contract)
        return False

    # Owing.

    def payments(self, payer: str, first: int, end: int) -> list[tuple[int, int]]:
        """(minute, dollars) of all that a party pays from minute `first` to before minute `end`, in due order."""
        found = self.ledger.payments(payer, first, end)
        for flow in self._by_payer.get(payer, []):
            minutes, dollars = flow.paid
            at, to = np.searchsorted(minutes, (first, end))
            found += zip(minutes[at:to].tolist(), dollars[at:to].tolist(), strict=True)
        return sorted(found, key=lambda payment: payment[0])

    def arrears(self, payer: str, minute: int) -> int:
        """Dollars that a party owes and has not paid of what fell due up to and including `minute`."""
        return sum(flow.arrears(minute) for flow in self._by_payer.get(payer, []))

    def arrears_to(self, payee: str, minute: int) -> dict[str, int]:
        """The same by payer of what is owed to a party."""
        owed: dict[str, int] = {}
        for flow in self.flows:
            if flow.payee == payee and flow.unpaid_from is not None and (due := flow.arrears(minute)):
                owed[flow.payer] = owed.get(flow.payer, 0) + due
        return owed

    def unpaid(self, payer: str, kinds: Iterable[str]) -> Ints:
        """Dollars of some kinds that a party has left unpaid, by the month in which they fell due."""
        out: Ints = np.zeros(self.months, np.int64)
        for flow in self._by_payer.get(payer, []):
            if flow.unpaid_from is not None and flow.kind in kinds:
                late = (flow.minutes >= max(0, flow.unpaid_from)) & (flow.minutes < self.ledger.end)
                month = np.searchsorted(self.ledger.months, flow.minutes[late], side="right")
                np.add.at(out, month, flow.dollars[late])
        return out

    # Stopping.

    def stop(self, payer: str, minute: int, *, take_back: bool = False) -> list[Flow]:
        """From `minute` on a party pays nothing; returns its flows. They stay owed, and are in arrears.

        With `take_back` what it has paid at once since is taken back, and owed as well.
        """
        self.stopped[payer] = min(minute, self.stopped.get(payer, minute))
        if take_back:
            for at, pair, dollars in self.ledger.take_back(payer, minute):
                self._followed(at, payer, pair.payee, -dollars)
                self.book(payer, pair.payee, pair.kind, [at], [dollars])
        flows = self._by_payer.get(payer, [])
        for flow in flows:
            self._count(flow, -1)
            flow.unpaid_from = self.stopped[payer]
            self._count(flow, 1)
        return flows

    def resume(self, payer: str, minute: int, kind: str = "arrears") -> int:
        """A party pays its arrears at `minute` and goes on paying; returns the arrears, dollars."""
        total = 0
        stopped = self.stopped.pop(payer)
        for flow in self._by_payer.get(payer, []):
            owed = flow.due(stopped, minute)
            self._count(flow, -1)
            at, to = flow._from(stopped), flow._from(minute)
            late = [] if owed == 0 else [(minute, owed)]
            flow.minutes = np.concatenate([flow.minutes[:at], [m for m, _ in late], flow.minutes[to:]]).astype(np.int64)
            flow.dollars = np.concatenate([flow.dollars[:at], [d for _, d in late], flow.dollars[to:]]).astype(np.int64)
            flow.unpaid_from = None
            self._count(flow, 1)
            total += owed
        return total

    def _followed(self, minute: int, payer: str, payee: str, dollars: int) -> None:
        """Keep the accounts of payer and payee at what was paid at once."""
        accounts = self.accounts
        if (payer in accounts or payee in accounts) and 0 <= minute <= self.world.last_minute:
            month = self.month_of(minute)
            if payer in accounts:
                accounts[payer].paid[month] += dollars
            if payee in accounts:
                accounts[payee].received[month] += dollars

    def _count(self, flow: Flow, sign: int) -> None:
        """Keep the accounts of payer and payee at what the flow will bring them."""
        payer, payee = self.accounts.get(flow.payer), self.accounts.get(flow.payee)
        if payer is None and payee is None:
            return
        minutes, dollars = flow.paid
        inside = (minutes >= 0) & (minutes <= self.world.last_minute)
        month = np.searchsorted(self.ledger.months, minutes[inside], side="right")
        amounts = dollars[inside] * sign
        if payer is not None:
            np.add.at(payer.paid, month, amounts)
        if payee is not None:
            np.add.at(payee.received, month, amounts)

    def close(self) -> None:
        """The horizon: what was paid of every flow goes to the ledger."""
        for flow in self.flows:
            minutes, dollars = flow.paid
            if len(minutes):
                self.ledger.add_all(flow.payer, flow.payee, flow.kind, minutes, dollars)
        self.flows = []
