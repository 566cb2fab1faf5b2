"""What a site's numbers come to: power in whole kW, cost, and the debt that its rent carries."""

from __future__ import annotations

import math

from dcsim.quantity import Law, Quantity
from dcsim.quantity.bounded import Pert
from dcsim.quantity.laws import Affine
from dcsim.quantity.unbounded import Gamma, Normal
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


def middle(quantity: Quantity) -> float:
    """About the median, within a percent of the law's spread, and without the special functions of scipy.

    For checks, which should answer at once; what is simulated or printed takes the median itself.
    """
    return _middle(quantity.law)


def _middle(law: Law) -> float:
    if isinstance(law, Affine):
        return _middle(law.law) * law.times + law.plus
    if isinstance(law, Pert):
        width = law.high - law.low
        a, b = 1.0 + 4.0 * (law.mode - law.low) / width, 1.0 + 4.0 * (law.high - law.mode) / width
        return law.low + width * (a - 1 / 3) / (a + b - 2 / 3)  # of a beta: Kerman (2011)
    if isinstance(law, Gamma) and law.shape >= 1.0:
        return law.mean() * (1.0 - 1.0 / (9.0 * law.shape)) ** 3  # Wilson and Hilferty (1931)
    if isinstance(law, Normal):
        return law.centre  # at most 1 % of it lies below zero
    return law.median()
