"""Money owed in level months: the schedule of one draw, and of all draws of a contract together, on the 1sts of months.

From a draw to the next 1st only interest runs (interim rent, by actual days over 365.25), due on that 1st; from there
on level payments are due on the 1sts of the following months, each a month's interest (a twelfth of the year's) and the
rest principal. The last one brings the balance to what is to be left. A draw on a 1st has no interim.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcsim.ledger import Ints
from dcsim.model.blueprint import YEAR, half_up

if TYPE_CHECKING:
    from dcsim.model.money import Flow
    from dcsim.model.world import World
    from dcsim.network.contracts import Contract

DAYS_A_MONTH = 30.4375
"""Days of a month as a duration: a twelfth of 365.25."""

LAST_YEAR = 9999
"""Beyond which there is no calendar."""


def months_of(days: float) -> int:
    """A term as whole months, halves up, at least one."""
    return max(1, half_up(days / DAYS_A_MONTH))


def level_months(amount: int, rate: float, months: int, rest: int = 0) -> tuple[list[int], list[int]]:
    """(interest, principal) of each month, whole dollars, of `amount` at `rate` a year written down to `rest`."""
    i = rate / 12
    whole = months if i == 0 else (1 - (1 + i) ** -months) / i
    payment = half_up((amount - rest * (1 + i) ** -months) / whole)
    interest, principal = [], []
    balance = amount
    for month in range(1, months + 1):
        due = half_up(balance * i)
        paid = balance - rest if month == months else min(max(0, payment - due), balance - rest)
        interest.append(due)
        principal.append(paid)
        balance -= paid
    return interest, principal


def parts_of(dollars: int, ends: Sequence[float]) -> list[int]:
    """Dollars cut at cumulative shares, each cut rounded half up, so that nothing is lost between the parts."""
    cuts = [half_up(dollars * end) for end in ends]
    return [to - start for start, to in zip([0, *cuts], cuts, strict=False)]


class Firsts:
    """The 1sts of months from that of the start on, as far as anything is owed."""

    def __init__(self, world: World) -> None:
        blueprint = world.blueprint
        first = blueprint.date_of(0).replace(day=1)
        self.within = 1 + len(blueprint.months)
        """How many of them are not after the horizon."""
        self.minutes = [blueprint.minute_of(first), *blueprint.months]
        self._blueprint = blueprint

    def reach(self, count: int) -> int:
        """Know at least `count` of them (as long as there is a calendar); returns how many are known."""
        while len(self.minutes) < count and self._blueprint.date_of(self.minutes[-1]).year < LAST_YEAR:
            self.minutes.append(self._blueprint.month_end(self.minutes[-1]))
        return len(self.minutes)

    def after(self, minute: int) -> int:
        """Index of the first of them after a minute."""
        return bisect_right(self.minutes, minute)

    def from_(self, minute: int) -> int:
        """Index of the first of them at or after a minute."""
        return bisect_left(self.minutes, minute)


class Draw:
    """Money drawn once, and how it is paid back. Its arrays run over the 1sts from `base` on."""

    __slots__ = ("amount", "balance", "base", "interest", "minute", "months", "principal", "rate", "rest")

    def __init__(self, firsts: Firsts, minute: int, amount: int, rate: float, months: int, rest: int = 0) -> None:
        self.minute = minute
        self.amount = amount
        self.rate = rate
        self.months = months
        self.rest = rest
        self.base = firsts.from_(minute)
        """Index of the 1st from which the level months count; interim interest is due on it."""
        known = firsts.reach(self.base + months + 1)
        interim = half_up(amount * rate * (firsts.minutes[self.base] - minute) / YEAR)
        interest, principal = level_months(amount, rate, months, rest)
        self.interest: Ints = np.array([interim, *interest], np.int64)
        self.principal: Ints = np.array([0, *principal], np.int64)
        self.balance: Ints = amount - np.cumsum(self.principal)
        """After what is due on each 1st; nothing after the last, in whose minute what is to be left is settled."""
        self.balance[-1] = 0
        if known < self.base + months + 1:  # the calendar ends before
            kept = slice(0, known - self.base)
            self.interest, self.principal, self.balance = self.interest[kept], self.principal[kept], self.balance[kept]

    @property
    def end(self) -> int:
        """Index of the 1st on which the last payment is due."""
        return self.base + self.months

    @property
    def level(self) -> int:
        """Dollars of a month, the first one's."""
        return int(self.interest[1] + self.principal[1]) if len(self.interest) > 1 else 0

    def owed(self, index: int) -> int:
        """Balance in the month that begins with a 1st, after what is due on that day."""
        at = index - self.base
        if at < 0:
            return self.amount
        return int(self.balance[at]) if at < len(self.balance) else 0

    def pay_down(self, index: int, dollars: int) -> None:
        """So much more is paid on a 1st on or after the base; what is left is owed in level months over the rest."""
        at = index - self.base
        left = int(self.balance[at]) - dollars
        interest, principal = level_months(left, self.rate, self.months - at, self.rest)
        size = len(self.interest) - at - 1
        self.interest[at + 1 :], self.principal[at + 1 :] = interest[:size], principal[:size]
        self.balance[at:] = left
        self.balance[at + 1 :] -= np.cumsum(self.principal[at + 1 :])
        self.balance[-1] = 0


class Instalments:
    """All draws of one contract together, on each 1st (`Firsts`, by index): what is due, and the balance after it."""

    def __init__(self, firsts: Firsts) -> None:
        self.firsts = firsts
        self.draws: list[Draw] = []
        size = firsts.within
        self.interest: Ints = np.zeros(size, np.int64)
        self.principal: Ints = np.zeros(size, np.int64)
        self.balance: Ints = np.zeros(size, np.int64)
        """At the end of the month that begins with the 1st."""

    def add(self, draw: Draw) -> None:
        """One more draw."""
        self.draws.append(draw)
        end = draw.base + len(draw.interest)
        if end > len(self.interest):
            more = np.zeros(end - len(self.interest), np.int64)
            self.interest = np.concatenate([self.interest, more])
            self.principal = np.concatenate([self.principal, more])
            self.balance = np.concatenate([self.balance, more])
        self.balance[self.firsts.after(draw.minute) - 1 : draw.base] += draw.amount
        self._count(draw, draw.base, 1)

    def _count(self, draw: Draw, start: int, sign: int) -> None:
        to, at = slice(start, draw.base + len(draw.interest)), start - draw.base
        self.interest[to] += sign * draw.interest[at:]
        self.principal[to] += sign * draw.principal[at:]
        self.balance[to] += sign * draw.balance[at:]

    def pay_down(self, draw: Draw, index: int, dollars: int) -> None:
        """So much more of a draw is paid on a 1st, after what is due."""
        self._count(draw, index, -1)
        draw.pay_down(index, dollars)
        self._count(draw, index, 1)

    def drop(self, minute: int) -> None:
        """Nothing is owed after a minute any more."""
        index = self.firsts.after(minute)
        self.interest[index:] = self.principal[index:] = 0
        self.balance[max(0, index - 1) :] = 0
        self.draws = []

    def publish(
        self, minute: int, stakes: Sequence[tuple[Contract, float]], flows: Sequence[tuple[Flow, Ints]]
    ) -> None:
        """From `minute` on, contracts (each with its share of the balance) and flows (with their dollars) follow."""
        index = self.firsts.after(minute)
        ahead = self.firsts.minutes[index : self.firsts.within]
        balance = self.balance[index - 1 : index + len(ahead)]
        for contract, part in stakes:
            levels = balance if part == 1.0 else np.floor(balance * part + 0.5).astype(np.int64)
            contract.plan([minute, *ahead], levels.tolist())
        if index < len(self.interest):
            minutes = np.array(self.firsts.minutes[index : len(self.interest)], np.int64)
            for flow, dollars in flows:
                flow.replace_from(int(minutes[0]), minutes, dollars[index:])

    def owed_before(self, minute: int) -> int:
        """Balance after all that was due before a minute."""
        return int(self.balance[self.firsts.from_(minute) - 1])
