"""What a site's numbers come to: power in whole kW, cost, and the debt that its rent carries."""

from __future__ import annotations

import math

from dcsim.scenario.site import Phase, Site

DAYS_OF_YEAR = 365.25


def whole(value: float) -> int:
    """Rounded to a whole number, halves up."""
    return math.floor(value + 0.5)


def it_mw(site: Site, phase: Phase) -> float:
    """IT MW of a phase; what is reported as facility power is divided by the peak PUE."""
    return phase.mw.value / site.pue.peak.value if site.reported_basis == "facility" else phase.mw.value


def it_kw(site: Site, phase: Phase) -> int:
    """IT power of a phase in whole kW."""
    return whole(it_mw(site, phase) * 1000)


def facility_kw(site: Site, phase: Phase) -> int:
    """What a phase draws from the grid at its peak, in whole kW."""
    return whole(it_kw(site, phase) * site.pue.peak.value)


def debt_capacity(rent: float, cost: float, escalator: float, years: int, rate: float, dscr: float) -> float:
    """Debt that cash flow carries: sum over years t of (rent - cost)(1 + escalator)^(t-1) / dscr / (1 + rate)^t.

    `rent` and the landlord's `cost` are money a year in the first year; debt service follows them (sculpted), at the
    end of each year. Returns money, zero or more.
    """
    flow = max(0.0, rent - cost)
    total = sum(flow * (1 + escalator) ** (t - 1) / (1 + rate) ** t for t in range(1, years + 1))
    return total / dscr


def whole_years(days: float) -> int:
    """Whole years in so many days, at least one."""
    return max(1, int(days / DAYS_OF_YEAR + 1e-9))
