"""What a contract for compute stands for, stretch by stretch of its term: calendar months and contract years.

Pure functions of minutes since the start of a scenario. Money of a full calendar month is a twelfth of a year's; a part
of a month counts by its days, as rent does.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dcsim.model.blueprint import DAY, half_up

if TYPE_CHECKING:
    from dcsim.quantity import Quantity

DAYS_A_MONTH = 30.4375
"""Days of a month as a duration: a twelfth of 365.25."""


class Stretch(NamedTuple):
    """Part of a calendar month that lies in one contract year."""

    month: int
    """Number of the calendar month, 0 for that of the scenario's start."""
    year: int
    """Number of the contract year, from 0."""
    first: int
    end: int
    """The minute after its last."""
    share: float
    """Of the calendar month."""


@lru_cache(maxsize=512)
def stretches(start: dt.date, anchor: int, first: int, end: int, border: int) -> tuple[Stretch, ...]:
    """The stretches of a term from minute `first` to before minute `end`, none of them across minute `border`.

    `start` is the date of minute 0. Contract years begin on the anniversaries of the date of minute `anchor`, which
    does not come after `first`; 29 February counts as the 28th in common years.
    """
    begins = start + dt.timedelta(days=anchor // DAY)
    out = []
    at, year = first, 0
    turn = _minute(start, months_after(begins, 12))
    while at < end:
        date = start + dt.timedelta(days=at // DAY)
        while turn <= at:
            year += 1
            turn = _minute(start, months_after(begins, 12 * (year + 1)))
        days = monthrange(date.year, date.month)[1]
        following = _minute(start, date.replace(day=1)) + days * DAY
        to = min(end, following, turn, border if at < border else end)
        month = (date.year - start.year) * 12 + date.month - start.month
        out.append(Stretch(month, year, at, to, (to - at) / (days * DAY)))
        at = to
    return tuple(out)


def _minute(start: dt.date, date: dt.date) -> int:
    return (date - start).days * DAY


def months_after(date: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last if it has none; the last of all days if it lies beyond."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return dt.date.max
    return dt.date(year, month + 1, min(date.day, monthrange(year, month + 1)[1]))


def whole_months(days: float) -> int:
    """A duration in whole calendar months, rounded half up."""
    return half_up(days / DAYS_A_MONTH)


class Steps:
    """MW from minutes on; nothing before the first of them."""

    __slots__ = ("levels", "minutes")

    def __init__(self, minutes: Sequence[int], levels: Sequence[float]) -> None:
        self.minutes = list(minutes)
        self.levels = list(levels)

    def at(self, minute: int) -> float:
        """MW in a minute."""
        index = bisect_right(self.minutes, minute)
        return self.levels[index - 1] if index else 0.0

    def total(self, first: int, end: int) -> float:
        """MW-minutes from minute `first` to before minute `end`."""
        at = first
        total = 0.0
        for index in range(bisect_right(self.minutes, first), len(self.minutes)):
            to = self.minutes[index]
            if to >= end:
                break
            if index:
                total += self.levels[index - 1] * (to - at)
            at = to
        return total + self.at(at) * max(0, end - at)


class Path:
    """MW at minutes: straight between them, level before the first and after the last."""

    __slots__ = ("levels", "minutes")

    def __init__(self, minutes: Sequence[int], levels: Sequence[float]) -> None:
        self.minutes = list(minutes)
        self.levels = list(levels)

    def at(self, minute: int) -> float:
        """MW in a minute."""
        minutes, levels = self.minutes, self.levels
        index = bisect_right(minutes, minute)
        if index == 0:
            return levels[0]
        if index == len(minutes):
            return levels[-1]
        a, b = minutes[index - 1], minutes[index]
        return levels[index - 1] + (levels[index] - levels[index - 1]) * (minute - a) / (b - a)

    def mean(self, first: int, end: int) -> float:
        """MW on average from minute `first` to minute `end`, which comes after it."""
        knots = [first, *(m for m in self.minutes if first < m < end), end]
        values = [self.at(minute) for minute in knots]
        total = sum((values[i] + values[i + 1]) / 2 * (knots[i + 1] - knots[i]) for i in range(len(knots) - 1))
        return total / (end - first)


YearKey = tuple[int, int]
"""Number of the term, and of the contract year within it."""


@dataclass(slots=True)
class Term:
    """The first term of a contract, or a renewal."""

    first: int
    end: int
    path: list[tuple[int, Quantity]]
    """MW from minutes on."""
    price_times: float = 1.0
    minimum: float | None = None
    """Where the contract names an amount: dollars owed in any case, a MW-minute (or a month, of so much a year)."""


@dataclass(slots=True)
class Year:
    """A contract year. Dollars."""

    billed: float = 0.0
    """Of the minimum, what belongs to months that are over."""
    ahead: float = 0.0
    """Of the minimum, what belongs to months to come."""
    used: float = 0.0
    paid: float = 0.0
    closed: bool = False
    """Whether what was missing has been made up for."""

    @property
    def minimum(self) -> float:
        return self.billed + self.ahead

    @property
    def due(self) -> float:
        """What is still owed of the minimum."""
        return max(0.0, self.minimum - self.paid)


class Part(NamedTuple):
    """A stretch of the term to come."""

    stretch: Stretch
    year: YearKey
    mw_minutes: float
    amount: float
    """Dollars contracted: what it costs if all of it is used."""
    minimum: float
    closes: bool
    """Whether it is the last of its contract year."""
