"""The lease while it runs: rent by the calendar, phase by phase."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY, half_up
from dcsim.model.money import Flow

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site

DAYS_A_MONTH = 30.4375
"""Days of a month as a duration: a twelfth of 365.25."""


class Lease:
    """The lease of a site: who pays whom, from when, how much."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.spec = site.spec.lease
        self.rent: dict[str, Flow] = {}
        """Rent of each phase that has commenced."""

    @property
    def id(self) -> str:
        """Id of its contract."""
        return f"lease:{self.site.id}"

    @property
    def lessee(self) -> str:
        """Who owes the rent to the developer."""
        return self.spec.lessee or self.site.tenant

    def begin(self) -> None:
        """Wire rent to the commencement of each phase."""
        for phase in self.site.phases.values():
            phase.milestones.on("rent_commencement", lambda trail, phase=phase: self._commence(phase, trail))  # type: ignore[misc]

    def _commence(self, phase: Phase, trail: Trail) -> None:
        monthly = self.site.rent * phase.kw
        step = self.world.draws.value(self.spec.escalator)
        months = half_up(self.spec.term.value / DAYS_A_MONTH)
        start = self.world.blueprint.date_of(trail.minute)
        schedule = rent_schedule(start, months, monthly, step)
        minutes = [(date - self.world.blueprint.scenario.start).days * DAY for date, _ in schedule]
        dollars = [amount for _, amount in schedule]
        self.rent[phase.id] = self.world.money.book(
            self.lessee, self.site.developer, "rent", minutes, dollars, self.id
        )

    def end(self, minute: int) -> None:
        """No rent is due from `minute` on."""
        for flow in self.rent.values():
            flow.cut(minute)


def rent_schedule(start: dt.date, months: int, monthly: float, escalator: float) -> list[tuple[dt.date, int]]:
    """(due date, dollars) of a lease: due on the 1st for the month, the first stub on the day it commences.

    Each day pays 1/days-of-its-month of `monthly` dollars, which rises by `escalator` on every anniversary of `start`
    (29 February counts as the 28th); the last day is the eve of the end, `months` calendar months after the start.
    """
    out = []
    day, end, year = start, months_after(start, months), 0
    while day < end:
        first = day.replace(day=1)
        following = months_after(first, 1)
        last, turn = min(following, end), months_after(start, 12 * (year + 1))
        old, new = (min(last, turn) - day).days, (last - min(last, turn)).days
        days_paid = old * (1 + escalator) ** year + new * (1 + escalator) ** (year + 1)
        out.append((day, half_up(monthly * days_paid / (following - first).days)))
        day = last
        year += last >= turn
    return out


def months_after(date: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last if it has none."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    following = dt.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return dt.date(year, month + 1, min(date.day, (following - dt.timedelta(days=1)).day))
