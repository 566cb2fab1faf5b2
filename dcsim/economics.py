"""Owned against rented: pure functions of monthly series.

Money is in any one unit; a series runs by calendar month from that of the start. As in the README: what owned
compute costs counts from the first month, idle or not; what the same live MW-months would have cost rented is the
comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Series = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]

DAYS_A_YEAR: Final = 365.25


def break_even(owned: Series, rented: Series) -> int | None:
    """The first month after which cumulative owned cost stays at or below what rented would have cost; None if never.

    Month n means: at the end of month n and of every later one. With nothing owned there is nothing to break even.
    """
    gap = np.cumsum(np.asarray(owned, np.float64)) - np.cumsum(np.asarray(rented, np.float64))
    if not len(gap) or not np.any(np.asarray(rented, np.float64) > 0):
        return None
    tolerance = 1e-9 * np.abs(np.cumsum(np.asarray(rented, np.float64))).max()
    above = np.flatnonzero(gap > tolerance)
    first = int(above[-1]) + 1 if len(above) else int(np.flatnonzero(np.asarray(rented) > 0)[0])
    return first if first < len(gap) else None


def present_value(amounts: Series, days: Series, rate: float) -> float:
    """Sum of amounts due so many days from now, discounted at `rate` a year, compound, over 365.25 days a year."""
    years = np.asarray(days, np.float64) / DAYS_A_YEAR
    return float(np.sum(np.asarray(amounts, np.float64) * (1.0 + rate) ** -years))


def per_unit(cost: Series, units: Series) -> float | None:
    """Cost over units, both summed; None where there are no units."""
    total = float(np.sum(np.asarray(units, np.float64)))
    return float(np.sum(np.asarray(cost, np.float64))) / total if total > 0 else None


def fixed_charge_cover(income: Series, charges: Series, months: int = 12) -> float | None:
    """Least ratio of income to fixed charges over any `months` in a row in which something is charged; None if none is.

    Income is revenue less operating cost; charges are rent, take-or-pay, leases and debt service.
    """
    earned = np.convolve(np.asarray(income, np.float64), np.ones(months), "valid")
    due = np.convolve(np.asarray(charges, np.float64), np.ones(months), "valid")
    charged = due > 0
    return float((earned[charged] / due[charged]).min()) if charged.any() else None


def by_month(minutes: Series, deltas: Series, edges: Series) -> Floats:
    """Integral of a level that changes by `deltas` at `minutes`, over each stretch between `edges` (ascending).

    Returns level times minutes; changes before the first edge count as made there.
    """
    borders = np.asarray(edges, np.float64)
    at = np.clip(np.asarray(minutes, np.float64), borders[0], borders[-1])
    change = np.asarray(deltas, np.float64)
    # The integral up to each border: every change counts for the time since it was made.
    order = np.argsort(at, kind="stable")
    at, change = at[order], change[order]
    count = np.searchsorted(at, borders, side="right")
    level = np.concatenate([[0.0], np.cumsum(change)])[count]
    moment = np.concatenate([[0.0], np.cumsum(change * at)])[count]
    return np.diff(level * borders - moment)
