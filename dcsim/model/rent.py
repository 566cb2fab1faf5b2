"""Rent by the calendar: pure functions from days to arrays of due days and whole dollars.

A day is a number as `datetime.date.toordinal` gives it. A lease that commences on a day begins a new *lease month* on
that day of each calendar month (on the last one where the month has no such day), and a new year on its anniversaries:
29 February counts as the 28th in common years. Each day pays one part in days-of-its-calendar-month of the monthly rent
of its lease month. Rent is due on the 1st for the calendar month, the first stub on the day of commencement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dcsim.ledger import Ints
from dcsim.model.blueprint import half_up

Floats = npt.NDArray[np.float64]

DAYS_A_MONTH = 30.4375
"""Days of a month as a duration: a twelfth of 365.25. So many days of rent are a month's rent."""

Ramp = tuple[tuple[int, float], ...]
"""Stretches of a lease: (months, share of the rent that is due)."""


class LeaseMonths(NamedTuple):
    """The calendar months that a lease touches. Arrays run parallel."""

    due: Ints
    """Day on which the month's rent is due."""
    turn: Ints
    """Day on which a new lease month begins in it."""
    before: Ints
    """Days of the month before that one."""
    after: Ints
    """Days of the month from that one on."""
    days: Ints
    """Days of the month."""


@lru_cache(maxsize=1)
def _firsts() -> Ints:
    """The 1st of every month from January of year 1 to December of 9999."""
    months = np.arange(np.datetime64("0001-01"), np.datetime64("9999-12") + 1, dtype="datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + dt.date(1970, 1, 1).toordinal()


def _month_of(day: int) -> tuple[int, int]:
    """Number of a day's calendar month (0 for January of year 1), and the day within it, from 1."""
    date = dt.date.fromordinal(day)
    return (date.year - 1) * 12 + date.month - 1, date.day


@lru_cache(maxsize=512)
def lease_months(start: int, months: int) -> LeaseMonths:
    """The calendar of a lease that commences on day `start` and runs for so many months.

    As many rows as calendar months touched: `months`, and one more unless it commences on a 1st. The days `before` the
    commencement, and those `after` the end, are counted like all others: no lease month stands for them.
    """
    month, day = _month_of(start)
    rows = months if day == 1 else months + 1
    firsts = _firsts()[month : month + rows + 1]
    days = np.diff(firsts)
    before = np.minimum(day, days) - 1
    due = firsts[:-1].copy()
    due[0] = start
    return LeaseMonths(due, firsts[:-1] + before, before, days - before, days)


@lru_cache(maxsize=256)
def shares(months: int, abatement: int, ramp: Ramp) -> Floats:
    """Share of the rent due in each lease month: nothing, then each step of the ramp, then all of it."""
    out = np.ones(months)
    out[:abatement] = 0.0
    at = abatement
    for length, share in ramp:
        out[at : at + length] = share
        at += length
    return out


def growth(steps: Sequence[float]) -> Floats:
    """Rent of each year over that of the first, from its step on each anniversary; one more than there are steps."""
    return np.cumprod(np.array([1.0, *(1.0 + step for step in steps)]))


def present_value(dollars: npt.ArrayLike, years: npt.ArrayLike, rate: float) -> float:
    """Value now of dollars that are paid so many years from now, at a rate a year, compound."""
    value: float = (np.asarray(dollars) * (1.0 + rate) ** -np.asarray(years, np.float64)).sum()
    return float(value)


@dataclass(frozen=True, eq=False)
class Rent:
    """The rent of a lease, day by day. Never changed, only replaced."""

    start: int
    """Day of commencement."""
    rates: Floats
    """Dollars of a full calendar month, by lease month."""

    @classmethod
    def of(cls, start: int, monthly: float, growth: Floats, months: int) -> Rent:
        """The rent of so many months that is `monthly` dollars in its first year and has grown in each by `growth`."""
        return cls(start, monthly * np.repeat(growth, 12)[:months])

    @cached_property
    def calendar(self) -> LeaseMonths:
        """The calendar months that it touches."""
        return lease_months(self.start, len(self.rates))

    @cached_property
    def end(self) -> int:
        """The day after its last."""
        month, day = _month_of(self.start)
        first, following = _firsts()[month + len(self.rates) : month + len(self.rates) + 2]
        return int(first + min(day, following - first) - 1)

    def due(self) -> tuple[Ints, Ints]:
        """(days, dollars) of the rent as it falls due; months without rent are left out."""
        calendar = self.calendar
        rows = len(calendar.due)
        rates = np.zeros(rows + 1)
        rates[1 : len(self.rates) + 1] = self.rates
        exact = (calendar.before * rates[:rows] + calendar.after * rates[1:]) / calendar.days
        dollars = np.floor(exact + 0.5).astype(np.int64)
        owed = dollars > 0
        return calendar.due[owed], dollars[owed]

    def due_from(self, day: int) -> tuple[Ints, Ints]:
        """The same for the days from `day` on: the first stub falls due on that day."""
        if day <= self.start:
            return self.due()
        if day >= self.end:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        row = self._row(day)
        days, dollars = self.due()
        later = days > self.calendar.due[row] if row + 1 < len(self.calendar.due) else np.zeros(len(days), bool)
        following = int(self.calendar.turn[row] + self.calendar.after[row])
        stub = half_up(self._exactly(row, day, following))
        stubs = [stub] if stub else []
        return np.concatenate([[day] * len(stubs), days[later]]), np.concatenate([stubs, dollars[later]])

    def until(self, day: int) -> int:
        """Dollars for the days before `day` of its calendar month."""
        if not self.start <= day < self.end:
            return 0
        row = self._row(day)
        return half_up(self._exactly(row, int(self.calendar.turn[row] - self.calendar.before[row]), day))

    def ahead(self, day: int) -> int:
        """Dollars of its calendar month for `day` and the days after it: of what is due, what `until` leaves."""
        if not self.start <= day < self.end:
            return 0
        row = self._row(day)
        first = int(self.calendar.turn[row] - self.calendar.before[row])
        whole = half_up(self._exactly(row, first, first + int(self.calendar.days[row])))
        return whole - self.until(day)

    def rate(self, day: int) -> float:
        """Dollars of a full calendar month at the rent that runs on a day; nothing outside the lease."""
        if not self.start <= day < self.end:
            return 0.0
        row = self._row(day)
        return float(self.rates[row if day >= self.calendar.turn[row] else row - 1])

    def times(self, factor: float | Floats) -> Rent:
        """A share of it, or one for each lease month."""
        return Rent(self.start, self.rates * factor)

    def _row(self, day: int) -> int:
        return _month_of(day)[0] - _month_of(self.start)[0]

    def _exactly(self, row: int, first: int, last: int) -> float:
        """Dollars for the days from `first` to before `last`, all of one calendar month."""
        turn, rates = int(self.calendar.turn[row]), self.rates
        earlier = max(0, min(last, turn) - first) * rates[row - 1] if row > 0 else 0.0
        later = max(0, last - max(first, turn)) * rates[row] if row < len(rates) else 0.0
        return float((earlier + later) / self.calendar.days[row])
