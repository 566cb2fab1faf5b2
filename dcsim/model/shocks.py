"""Shocks: at a date or at random, something happens to the world.

A dated shock strikes at 00:00 of its date, after what completes in that minute and before what is handed out. What is
dated before the start has happened, and the opening position knows of it; only edits and states of the market that
last beyond the start are in force from there for what is left of them.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.model.blueprint import YEAR, half_up
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import World
    from dcsim.scenario.shocks import Shock

OVER = -2
"""Rank of what ends among the shocks of a minute: before the market turns and before what strikes."""


class Shocks:
    """All shocks of a replication. The plan knows none, unless it is asked for with the dated ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._past: list[tuple[str, int]] = []
        """Shocks of before the start that are still in force, and their minutes."""
        for name, shock in world.spec.shocks.items():
            minute = self._minute(shock)
            if minute is not None and minute < 0 and self._still_holds(shock, minute):
                self._past.append((name, minute))
                self._enforce(name, shock)

    def begin(self) -> None:
        """Book each shock's date, or its first at random."""
        world = self.world
        for name, minute in self._past:
            self._until(name, world.spec.shocks[name], 0, minute)
        for name, shock in world.spec.shocks.items():
            date = self._minute(shock)
            if date is not None and 0 <= date <= world.last_minute:
                world.clock.stage_at(date, Stage.SHOCK, lambda name=name, m=date: self.strike(name, 0, m))  # type: ignore[misc]
            elif isinstance(shock.when, Quantity) and shock.when.value > 0 and not world.unlimited:
                self._next(name, shock.when.value, 0, 0)

    def _minute(self, shock: Shock) -> int | None:
        """When a dated shock strikes, where dated shocks strike at all."""
        dated = isinstance(shock.when, dt.date) and self.world.dated_shocks
        return self.world.blueprint.minute_of(shock.when) if dated else None  # type: ignore[arg-type]

    def _still_holds(self, shock: Shock, minute: int) -> bool:
        """Whether a shock of the past has edits, or a state of the market, in force at the start."""
        if shock.edits is None and shock.regime is None:
            return False
        return shock.lasts is None or minute + self.world.draws.minutes(shock.lasts, 0) > 0

    def _next(self, name: str, rate: float, after: int, k: int) -> None:
        world = self.world
        gap = -math.log(world.draws.uniform(f"shocks.{name}.gap", k)) / rate  # high luck is struck sooner
        minute = after + max(1, half_up(gap * YEAR))
        if minute <= world.last_minute:
            world.clock.stage_at(minute, Stage.SHOCK, lambda: self._recur(name, rate, minute, k))

    def _recur(self, name: str, rate: float, minute: int, k: int) -> None:
        self.strike(name, k, minute)
        self._next(name, rate, minute, k + 1)

    def strike(self, name: str, k: int, minute: int) -> None:
        """It happens, for the k-th time, in this minute."""
        world, shock = self.world, self.world.spec.shocks[name]
        world.log("shock", name, _what(shock))
        if shock.cancel is not None:
            self._pull_back(name, shock, k)
        if shock.edits is not None or shock.regime is not None:
            self._enforce(name, shock)
            self._until(name, shock, k, minute)
        for party in shock.stop_paying:
            world.parties[party].stop_paying()
        for party in shock.default:
            world.parties[party].default("shock")
        if shock.downgrade is not None and shock.to is not None:
            world.parties[shock.downgrade].downgrade(shock.to)
        if shock.recall is not None:
            world.clouds[shock.recall].recall()

    def _enforce(self, name: str, shock: Shock) -> None:
        """Its edits, or its state of the market, come into force."""
        world = self.world
        if shock.edits is not None:
            world.edits.begin(world.blueprint.scenario.in_time.shocks.get(name, ()))
        if shock.regime is not None:
            world.market.hold(shock.regime)

    def _until(self, name: str, shock: Shock, k: int, minute: int) -> None:
        """They end after their time, counted from `minute`, if they have one."""
        if shock.lasts is None:
            return
        world = self.world
        end = minute + world.draws.minutes(shock.lasts, k)

        def over() -> None:
            world.log("shock over", name, _what(shock))
            if shock.edits is not None:
                world.edits.end(world.blueprint.scenario.in_time.shocks.get(name, ()))
            if shock.regime is not None:
                world.market.release(shock.regime)

        if end <= world.last_minute:
            world.clock.stage_at(max(end, world.clock.now), Stage.SHOCK, over, rank=OVER)

    def _pull_back(self, name: str, shock: Shock, k: int) -> None:
        """Letters die in blocks: each unsigned site is cancelled with a chance."""
        for site in self.world.sites.values():
            unsigned = "loi_signed" in site.milestones.reached and not site.lease_is_signed and not site.ended
            if unsigned and shock.tenant in (None, site.tenant):
                self._cancel(site, name, shock, k)

    def _cancel(self, site: Site, name: str, shock: Shock, k: int) -> None:
        if self.world.draws.fails(f"shocks.{name}.{site.id}", shock.chance_each.value, k):
            site.end("lost", f"shock {name}")


def _what(shock: Shock) -> str:
    """What a shock does, in a few words."""
    if shock.edits is not None:
        return f"{len(shock.edits)} edit{'' if len(shock.edits) == 1 else 's'}"
    if shock.downgrade is not None:
        return f"downgrade {shock.downgrade} to {shock.to}"
    parties = {"default": shock.default, "stop paying": shock.stop_paying}
    acts = {**{act: ", ".join(names) for act, names in parties.items()}, "recall": shock.recall, "market": shock.regime}
    return next((f"{act} {whom}" for act, whom in acts.items() if whom), "unsigned letters")
