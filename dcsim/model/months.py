"""Calendar months as a scale of time: where a minute lies in them, a whole month being one."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import lru_cache

import numpy as np

from dcsim.model.blueprint import DAY

YEARS_BEFORE, YEARS_AFTER = 50, 150
"""What the scale reaches, around the start."""


class Months:
    """The 1sts of months, in minutes since the start."""

    def __init__(self, start: dt.date) -> None:
        first = np.datetime64(start, "M")
        months = np.arange(first - YEARS_BEFORE * 12, first + YEARS_AFTER * 12)
        days = months.astype("datetime64[D]") - np.datetime64(start, "D")
        self.firsts: list[int] = (days.astype(np.int64) * DAY).tolist()

    def index_of(self, minute: int) -> int:
        """Number of the month in which a minute lies."""
        return bisect_right(self.firsts, minute) - 1

    def place(self, minute: int) -> float:
        """Months before a minute; the month it lies in counts by the share that is over."""
        firsts = self.firsts
        index = min(bisect_right(firsts, minute), len(firsts) - 1) - 1  # beyond its end the scale goes on as it ends
        first = firsts[index]
        return index + (minute - first) / (firsts[index + 1] - first)

    def between(self, start: int, end: int) -> float:
        """Months from one minute to another."""
        return self.place(end) - self.place(start)

    def beginnings(self, start: int, end: int) -> list[int]:
        """The 1sts after `start` and before `end`."""
        return self.firsts[bisect_right(self.firsts, start) : bisect_left(self.firsts, end)]


@lru_cache(maxsize=4)
def months_from(start: dt.date) -> Months:
    """The scale of scenarios that start on a day."""
    return Months(start)
