"""A scenario as the simulation reads it: minutes instead of dates, whole numbers where decisions depend on them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from functools import cached_property

from dcsim.quantity import Quantity
from dcsim.scenario.fields import When
from dcsim.scenario.in_time import Change
from dcsim.scenario.scenario import Scenario
from dcsim.scenario.tenant import Closure

DAY = 1440
"""Minutes of a day."""
YEAR = 525_960
"""Minutes of a year, as a duration."""


def half_up(x: float) -> int:
    """Round to a whole number, halves up."""
    return math.floor(x + 0.5)


def down(x: float) -> int:
    """Round down to a whole number; what is short of one by the error of a product alone is whole."""
    return math.floor(x + 1e-3)


def dollars(usd_m: float) -> int:
    """US$ million as whole dollars, halves up."""
    return half_up(usd_m * 1e6)


def kw(mw: float) -> int:
    """MW as whole kW, halves up."""
    return half_up(mw * 1e3)


@dataclass
class Blueprint:
    """Made once for a scenario and shared by its replications; holds nothing that a replication changes."""

    scenario: Scenario
    last_minute: int = field(init=False)
    """23:59 of the horizon's date."""
    months: tuple[int, ...] = field(init=False)
    """Minute of 00:00 on the 1st of each month after the start."""
    phase_kw: dict[tuple[str, str], int] = field(init=False)
    """IT power of each phase."""
    planned: dict[str, dict[str, int]] = field(init=False, default_factory=dict)
    """Minutes by cause after close in the plan, of each `site.phase`; for excused days."""
    _users: dict[tuple[int, str], Quantity] = field(init=False, default_factory=dict)
    declared: dict[int, tuple[Quantity, str]] = field(init=False, default_factory=dict)
    """By the identity of what `by` made: the quantity as declared, and its user."""
    _changed: dict[tuple[int, ...], Quantity] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        spec = self.scenario.spec
        start = self.scenario.start
        self.last_minute = ((spec.horizon - start).days + 1) * DAY - 1
        self.months = tuple(self._months(start))
        self.phase_kw = {(site, phase): kw(mw) for _, site, phase, mw in self.scenario.sites}

    def _months(self, start: dt.date) -> list[int]:
        out: list[int] = []
        year, month = start.year, start.month
        while True:
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
            if year > dt.MAXYEAR:
                return out
            minute = (dt.date(year, month, 1) - start).days * DAY
            if minute > self.last_minute:
                return out
            out.append(minute)

    @cached_property
    def year_ends(self) -> tuple[int, ...]:
        """Years of which the last day is simulated."""
        start, horizon = self.scenario.start.year, self.scenario.horizon
        return tuple(range(start, horizon.year + ((horizon.month, horizon.day) == (12, 31))))

    def minute_of(self, date: dt.date) -> int:
        """00:00 of a date."""
        return (date - self.scenario.start).days * DAY

    def finished(self, path: str) -> int | None:
        """00:00 of the date on which something finished, if the actuals say so."""
        actual = self.scenario.spec.actuals.get(path)
        return self.minute_of(actual.finished) if actual is not None and actual.finished is not None else None

    def date_of(self, minute: int) -> dt.date:
        """The date on which a minute lies."""
        return self.scenario.start + dt.timedelta(days=minute // DAY)

    def minute(self, when: When, value: float) -> int:
        """The minute of a dated `when` whose delay came out as `value` days."""
        spec, start = self.scenario.spec, self.scenario.start
        offset = start.toordinal() - (0 if when.calendar == "date" else spec.start.toordinal())
        return half_up((value - offset) * DAY)

    def windows(self, closure: Closure) -> list[tuple[int, int]]:
        """Minutes [first, past the last) of a closure: once, or in every year."""
        if isinstance(closure.start, dt.date) and isinstance(closure.until, dt.date):
            return [(self.minute_of(closure.start), self.minute_of(closure.until) + DAY)]
        out = []
        for year in range(self.scenario.start.year - 1, self.scenario.horizon.year + 2):
            first = _of_year(closure.start, year)
            last = _of_year(closure.until, year)
            if last < first:
                last = _of_year(closure.until, year + 1)
            out.append((self.minute_of(first), self.minute_of(last) + DAY))
        return out

    def month_end(self, minute: int) -> int:
        """00:00 of the 1st after a minute."""
        date = self.date_of(minute)
        following = dt.date(date.year + date.month // 12, date.month % 12 + 1, 1)
        return self.minute_of(following)

    def by(self, user: str, quantity: Quantity) -> Quantity:
        """A quantity declared at a party or product, drawn for one user: aleatory once each, epistemic once in all."""
        if quantity.kind == "epistemic":
            return quantity
        key = (id(quantity), user)
        if key not in self._users:
            self._users[key] = quantity.with_binding(
                path=quantity.path,
                address=f"{user}|{quantity.address}",
                factors=quantity.factors,
                drivers=quantity.drivers,
            )
            self.declared[id(self._users[key])] = quantity, user
        return self._users[key]

    def changed(self, quantity: Quantity, changes: tuple[Change, ...]) -> Quantity:
        """A number of the scenario with edits made one after the other; the same object each time it is asked."""
        key = (id(quantity), *map(id, changes))
        found = self._changed.get(key)
        if found is None:
            found = quantity
            for change in changes:
                found = change.of(found)
            self._changed[key] = found
        return found


def _of_year(day: dt.date | str, year: int) -> dt.date:
    """A month and day in a year; 29 February falls on the 28th of common years."""
    if isinstance(day, dt.date):
        return day
    month, number = (int(part) for part in day.split("-"))
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month, min(number, last))
