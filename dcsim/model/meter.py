"""Meters: a level in kW that rises and falls, and how much of it there has been."""

from __future__ import annotations


class Meter:
    """A level and its integral over time. kW and kW-minutes."""

    __slots__ = ("_minute", "_total", "level")

    def __init__(self) -> None:
        self.level = 0.0
        self._total = 0.0
        self._minute = 0

    def add(self, minute: int, kw: float) -> None:
        """The level changes; minutes before the start count as the start, and none goes back."""
        at = max(minute, self._minute)
        self._total += self.level * (at - self._minute)
        self._minute = at
        self.level += kw

    def until(self, minute: int) -> float:
        """kW-minutes from the start to a minute at or after the last change."""
        return self._total + self.level * (minute - self._minute)
