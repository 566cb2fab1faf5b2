"""Working calendars: weekdays, hours of the day, and closed windows (holidays, weather), in minutes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from dcsim.errors import ModelError

DAY = 1440
WEEK = 7 * DAY


class Calendar:
    """When a team works: a weekly pattern, less closed windows.

    Minute 0 is the first minute of a day whose weekday is `start_weekday` (0 is Monday); `weekdays` are those worked,
    `hours` the (first, past-the-last) minute of a working day, `closed` windows of [first, past-the-last) minutes in
    which nobody works; they may overlap.

    Raises ModelError if nothing would ever be open or a window ends before it begins.
    """

    __slots__ = ("_ends", "_lost", "_opened", "_starts", "_week", "_week_before", "_week_starts")

    def __init__(
        self,
        *,
        start_weekday: int = 0,
        weekdays: Iterable[int] = range(7),
        hours: tuple[int, int] = (0, DAY),
        closed: Iterable[tuple[int, int]] = (),
    ) -> None:
        opens, closes = hours
        days = sorted({(day - start_weekday) % 7 for day in weekdays})
        if not days or not 0 <= opens < closes <= DAY:
            raise ModelError("a calendar must have working days, and hours of the day from one minute to a later one")
        self._week_starts = [day * DAY + opens for day in days]  # of each working day, in the week of minute 0
        self._week_before = [number * (closes - opens) for number in range(len(days) + 1)]  # open minutes before it
        self._week = self._week_before[-1]
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._lost = [0]  # open minutes of the pattern lost in the windows before each one
        for first, past in _merged(closed):
            self._starts.append(first)
            self._ends.append(past)
            self._lost.append(self._lost[-1] + self._pattern(past) - self._pattern(first))
        self._opened = [self._open_before(first) for first in self._starts]

    def worked(self, start: int, end: int) -> int:
        """Open minutes in [start, end)."""
        return self._open_before(end) - self._open_before(start)

    def finish(self, start: int, work_minutes: int) -> int:
        """The end of the last minute of so much work begun at `start`; `start` itself if there is nothing to do."""
        if work_minutes <= 0:
            return start
        target = self._open_before(start) + work_minutes
        windows = bisect_left(self._opened, target)  # those that begin before the work is done
        return self._pattern_end(target + self._lost[windows])

    def _open_before(self, minute: int) -> int:
        """Open minutes in [0, minute); negative before minute 0."""
        windows = bisect_right(self._starts, minute)
        lost = self._lost[windows]
        if windows and self._ends[windows - 1] > minute:  # amid the last one
            lost -= self._pattern(self._ends[windows - 1]) - self._pattern(minute)
        return self._pattern(minute) - lost

    def _pattern(self, minute: int) -> int:
        """Open minutes of the weekly pattern in [0, minute)."""
        weeks, rest = divmod(minute, WEEK)
        day = bisect_right(self._week_starts, rest)
        open_minutes = weeks * self._week + self._week_before[day]
        if day:  # the last day begun may not be over
            open_minutes -= max(0, self._week_before[1] - (rest - self._week_starts[day - 1]))
        return open_minutes

    def _pattern_end(self, open_minutes: int) -> int:
        """The end of the minute that is the pattern's `open_minutes`-th since minute 0."""
        weeks, rest = divmod(open_minutes - 1, self._week)
        day, minute = divmod(rest, self._week_before[1])
        return weeks * WEEK + self._week_starts[day] + minute + 1


def _merged(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same closed time as windows that neither overlap nor touch, in order."""
    merged: list[tuple[int, int]] = []
    for first, past in sorted(windows):
        if past < first:
            raise ModelError(f"a closed window cannot end in minute {past}, before it begins in minute {first}")
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(past, merged[-1][1]))
        elif past > first:
            merged.append((first, past))
    return merged
