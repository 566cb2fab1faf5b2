"""When a committee or a board sits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.clock import Handle, Stage
from dcsim.model.blueprint import DAY, half_up
from dcsim.scenario.tenant import Committee

if TYPE_CHECKING:
    from dcsim.model.world import World


class Sittings:
    """The calendar of one body; without one it sits whenever it is called.

    `sit` is called when everything before it in the minute is at rest; bodies of a higher `rank` sit after the lower.
    """

    def __init__(self, world: World, spec: Committee | None, sit: Callable[[], None], rank: int) -> None:
        self.world = world
        self.spec = spec
        self._sit = sit
        self._rank = rank
        self._at = 0
        self._booked: Handle | None = None

    def after(self, minute: int) -> int:
        """The first sitting at or after a minute."""
        if self.spec is None:
            return minute
        first = self.world.when(self.spec.start)
        every = max(1, half_up(self.spec.every.value * DAY))
        return first if minute <= first else first + -(-(minute - first) // every) * every

    def call(self, minute: int) -> None:
        """Have it sit at the first date at or after a minute, or before that if it is called for an earlier one."""
        at = self.after(minute)
        if self._booked is not None and self._booked.pending:
            if self._at <= at:
                return
            self._booked.cancel()
        if at <= self.world.last_minute:
            self._at = at
            self._booked = self.world.clock.stage_at(at, Stage.COMMITTEE, self._sit, rank=self._rank)
