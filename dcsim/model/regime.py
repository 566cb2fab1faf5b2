"""The market's two states: it turns down and recovers at random, and a shock may hold it in either."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from dcsim.engine.clock import Stage
from dcsim.model.blueprint import YEAR, half_up

if TYPE_CHECKING:
    from dcsim.model.world import World

State = Literal["normal", "downturn"]

FIRST = -1
"""Rank of changes of the market among the shocks of a minute: before what strikes."""


class Market:
    """The market in one replication: a Markov chain of two states, whose edits hold while it is down.

    Each stay is exponential: the k-th is drawn under `regime.gap`, k = 0, 1, ..., a high uniform being the earlier
    downturn and the later recovery. While a shock holds the market in a state the chain goes on underneath.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.spec = world.spec.regime
        self.state: State = "normal"
        self.turns: list[tuple[int, State]] = []
        """Minutes in which the state changed, with what it changed to."""
        self._own: State = "normal"
        self._held: list[State] = []
        if self.spec is not None and not world.unlimited:  # the plan knows no regime
            self._own = self.spec.begins
            self._settle()

    def begin(self) -> None:
        """Book the first turn."""
        if self.spec is not None and not self.world.unlimited:
            self._next(0, 0)

    def _next(self, after: int, k: int) -> None:
        world, spec = self.world, self.spec
        assert spec is not None
        rate = (spec.to_downturn if self._own == "normal" else spec.to_normal).value
        if rate <= 0:
            return
        u = world.draws.uniform("regime.gap", k)
        gap = -math.log(u) if self._own == "normal" else -math.log1p(-u)
        minute = after + max(1, half_up(gap / rate * YEAR))
        if minute <= world.last_minute:
            world.clock.stage_at(minute, Stage.SHOCK, lambda: self._turn(minute, k), rank=FIRST)

    def _turn(self, minute: int, k: int) -> None:
        self._own = "downturn" if self._own == "normal" else "normal"
        self._settle()
        self._next(minute, k + 1)

    def hold(self, state: State) -> None:
        """A shock puts the market in a state, and keeps it there until `release`; the latest shock prevails."""
        self._held.append(state)
        self._settle()

    def release(self, state: State) -> None:
        """The shock is over: the market is where the others hold it, or where it would have been."""
        self._held.remove(state)
        self._settle()

    def _settle(self) -> None:
        state = self._held[-1] if self._held else self._own
        if state == self.state:
            return
        self.state = state
        world = self.world
        self.turns.append((world.clock.now, state))
        world.log("market", state, "")
        changes = world.blueprint.scenario.in_time.downturn
        if changes:
            (world.edits.begin if state == "downturn" else world.edits.end)(changes)

    def down_minutes(self, end: int) -> int:
        """Minutes until `end` in which the market was down."""
        total, since = 0, None
        for minute, state in [*self.turns, (end, "normal")]:
            if state == "downturn":
                since = minute
            elif since is not None:
                total, since = total + minute - since, None
        return total
