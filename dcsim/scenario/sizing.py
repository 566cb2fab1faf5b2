"""What a site's numbers come to: power in whole kW, cost, and the debt that its rent carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from dcsim.quantity import Law, Quantity
from dcsim.quantity.bounded import Pert
from dcsim.quantity.laws import Affine
from dcsim.quantity.unbounded import Gamma, Normal
from dcsim.scenario.site import Phase, Site

DAYS_OF_YEAR = 365.25

Shape = Literal["sculpted", "level"]
"""Debt service that follows the cash flow, or the same every year."""


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


def debt_capacity(
    rent: float, cost: float, escalator: float, years: int, rate: float, dscr: float, shape: Shape = "sculpted"
) -> float:
    """Debt that cash flow carries, at debt service of at most a `dscr`-th of it, paid at the end of each year.

    `rent` and the landlord's `cost` are money a year in the first year; both grow by `escalator` each year. Sculpted
    debt service follows the cash flow: the sum over years t of
    (rent - cost)(1 + escalator)^(t-1) / dscr / (1 + rate)^t. Level debt service is the same every year, and the least
    year's cash flow bounds it. Returns money, zero or more.
    """
    flow = max(0.0, rent - cost)
    if shape == "level":
        least = flow * min(1.0, (1 + escalator) ** (years - 1))
        return least / dscr * annuity(years, rate)
    total = sum(flow * (1 + escalator) ** (t - 1) / (1 + rate) ** t for t in range(1, years + 1))
    return total / dscr


def annuity(years: int, rate: float) -> float:
    """Present value of 1 at the end of each of so many years."""
    return float(years) if rate == 0 else (1 - (1 + rate) ** -years) / rate


def repayments(balance: float, flows: Sequence[float], rate: float, shape: Shape = "sculpted") -> list[float]:
    """Principal at the end of each year that repays a balance: one for each year's cash flow.

    Debt service, interest on the balance at the year's beginning included, is in one proportion to the cash flows
    (sculpted) or the same every year (level, and where nothing flows). Where a year's would not reach for its interest,
    nothing is repaid in it and the later years bear more. The last year repays what is left.
    """
    if shape == "level" or sum(flows) <= 0:
        flows = [1.0] * len(flows)
    worth = [0.0] * (len(flows) + 1)
    """Value of what flows from each year on, at that year's beginning."""
    for year in range(len(flows) - 1, -1, -1):
        worth[year] = (max(0.0, flows[year]) + worth[year + 1]) / (1 + rate)
    out = []
    for year, flow in enumerate(flows):
        service = balance * max(0.0, flow) / worth[year] if worth[year] > 0 else 0.0
        principal = min(balance, max(0.0, service - balance * rate))
        if year == len(flows) - 1:
            principal = balance
        out.append(principal)
        balance -= principal
    return out


def capitalised(draws: Sequence[float], rate: float, at: Literal["start", "end"] = "end") -> tuple[float, float]:
    """(balance, interest in it) after periods with a draw each, at the start or the end of its period.

    `rate` is a period's. Drawn at the start of a period, a dollar bears interest for it; at the end, from the next on.
    """
    balance = 0.0
    for draw in draws:
        balance = (balance + draw) * (1 + rate) if at == "start" else balance * (1 + rate) + draw
    return balance, balance - sum(draws)


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
