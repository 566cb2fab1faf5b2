"""Megawatts added up exactly.

A history tells by how many MW a measure rises or falls, as floats. Each is rounded once to a whole microwatt (1e-12 MW)
and added as an integer, so the order of adding does not matter and nothing drifts; a level is then rounded to whole
watts, six orders above any rounding left. What was added in one piece and taken away in three ends at exactly zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from dcsim.model.history import MEASURES, Change
from dcsim.tables.layout import MINUTES_PER_DAY, Layout

MICROWATTS_PER_MW: Final = 10**12
MICROWATTS_PER_WATT: Final = 10**6

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_INDEX: Final = {measure: index for index, measure in enumerate(MEASURES)}
_LIVE: Final = _INDEX["live"]
_READY: Final = _INDEX["ready"]


def microwatts(mw: float) -> int:
    """A power in MW as whole microwatts."""
    return round(mw * MICROWATTS_PER_MW)


def watts(level: Ints) -> Ints:
    """Microwatts rounded to whole watts."""
    return (level + MICROWATTS_PER_WATT // 2) // MICROWATTS_PER_WATT


def megawatts(level: Ints) -> Floats:
    """Microwatts as MW, rounded to whole watts."""
    return watts(level) / 1e6


def sum_mw(amounts: Iterable[float]) -> float:
    """Sum of powers in MW, rounded to whole watts."""
    total = sum(microwatts(mw) for mw in amounts)
    return (total + MICROWATTS_PER_WATT // 2) // MICROWATTS_PER_WATT / 1e6


def mw_days(microwatt_minutes: int) -> float:
    """An exact integral as MW-days: one correctly rounded division."""
    return microwatt_minutes / (MICROWATTS_PER_MW * MINUTES_PER_DAY)


class PowerRecord:
    """The changes of one history, ready for questions.

    Changes before the start count as made at the start, changes after the horizon not at all. Raises `ValueError` on a
    tenant or measure that does not exist.
    """

    def __init__(self, changes: Sequence[Change], layout: Layout) -> None:
        self._layout = layout
        first = {tenant: index * len(MEASURES) for index, tenant in enumerate(layout.tenants)}
        minutes, tenants, measures, deltas = zip(*changes, strict=True) if changes else ((), (), (), ())
        try:
            places = [first[tenant] + _INDEX[measure] for tenant, measure in zip(tenants, measures, strict=True)]
        except KeyError as error:
            raise ValueError(f"a change names {error.args[0]!r}, which is no tenant or measure") from None
        minute = np.array(minutes, np.int64)
        delta = np.rint(np.array(deltas, np.float64) * MICROWATTS_PER_MW)
        if not np.isfinite(delta).all():
            raise ValueError("a change of power is not a finite number of MW")
        kept = minute < layout.end_minute
        self._minute = np.maximum(minute[kept], 0)
        self._delta = delta[kept].astype(np.int64)
        self._tenant, self._measure = np.divmod(np.array(places, np.int64)[kept], len(MEASURES))

    def at_ends(self, after: Sequence[int]) -> Floats:
        """Levels in MW just before each of the minutes `after` (ascending): (tenants, measures, len(after))."""
        grid = np.zeros((len(self._layout.tenants), len(MEASURES), len(after) + 1), np.int64)
        slot = np.searchsorted(np.asarray(after, np.int64), self._minute, side="right")
        np.add.at(grid, (self._tenant, self._measure, slot), self._delta)
        return megawatts(np.cumsum(grid, axis=2)[:, :, :-1])

    def live_on(self, tenant: int, levels_mw: Sequence[float]) -> list[int | None]:
        """The day (from the start) on which so many MW are first live as a minute ends; None where they never are."""
        chosen = (self._tenant == tenant) & (self._measure == _LIVE)
        minute, level = _steps(self._minute[chosen], self._delta[chosen])
        level = watts(level)
        found: list[int | None] = []
        for mw in levels_mw:
            wanted = round(mw * 1e6)
            above = np.flatnonzero(level >= wanted)
            found.append(int(minute[above[0]]) // MINUTES_PER_DAY if len(above) else None)
        return found

    def idle_mw_days(self, tenant: int) -> float:
        """MW-days of rent for idle power: MW ready for service less MW live, from the start to the horizon."""
        mine = self._tenant == tenant
        end = self._layout.end_minute
        total = 0
        for measure, sign in ((_READY, 1), (_LIVE, -1)):
            chosen = mine & (self._measure == measure)
            for minute, delta in zip(self._minute[chosen].tolist(), self._delta[chosen].tolist(), strict=True):
                total += sign * delta * (end - minute)
        return mw_days(total)


def _steps(minute: Ints, delta: Ints) -> tuple[Ints, Ints]:
    """Minutes of change, ascending and each once, and the level at the end of each."""
    order = np.argsort(minute, kind="stable")
    minute, level = minute[order], np.cumsum(delta[order])
    last = np.append(minute[1:] != minute[:-1], True) if len(minute) else np.zeros(0, bool)
    return minute[last], level[last]
