"""Shocks: at a date or at random, something happens to the world."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.model.blueprint import YEAR, half_up
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import World
    from dcsim.scenario.shocks import Shock


class Shocks:
    """All shocks of a replication."""

    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self) -> None:
        """Book each shock's date, or its first at random."""
        world = self.world
        for name, shock in world.spec.shocks.items():
            if shock.when == "never":
                continue
            if isinstance(shock.when, Quantity):
                if shock.when.value > 0 and not world.unlimited:
                    self._next(name, shock.when.value, 0, 0)
            else:
                minute = world.blueprint.minute_of(shock.when)
                if 0 <= minute <= world.last_minute:  # what came before has been survived by what stands here
                    world.clock.stage_at(minute, Stage.SHOCK, lambda name=name: self.strike(name, 0))  # type: ignore[misc]

    def _next(self, name: str, rate: float, after: int, k: int) -> None:
        world = self.world
        gap = -math.log(world.draws.uniform(f"shocks.{name}.gap", k)) / rate  # high luck is struck sooner
        minute = after + max(1, half_up(gap * YEAR))
        if minute <= world.last_minute:
            world.clock.stage_at(minute, Stage.SHOCK, lambda: self._recur(name, rate, minute, k))

    def _recur(self, name: str, rate: float, minute: int, k: int) -> None:
        self.strike(name, k)
        self._next(name, rate, minute, k + 1)

    def strike(self, name: str, k: int) -> None:
        """It happens, for the k-th time."""
        shock = self.world.spec.shocks[name]
        parties = self.world.parties
        if shock.cancel is not None:
            self._pull_back(name, shock, k)
        if shock.stop_paying is not None:
            parties[shock.stop_paying].stop_paying()
        if shock.default is not None:
            parties[shock.default].default("shock")
        if shock.downgrade is not None and shock.to is not None:
            parties[shock.downgrade].downgrade(shock.to)

    def _pull_back(self, name: str, shock: Shock, k: int) -> None:
        """Letters die in blocks: each unsigned site is cancelled with a chance."""
        self.world.log("shock", name, "unsigned letters")
        for site in self.world.sites.values():
            unsigned = "loi_signed" in site.milestones.reached and not site.lease_is_signed and not site.ended
            if unsigned and shock.tenant in (None, site.tenant):
                self._cancel(site, name, shock, k)

    def _cancel(self, site: Site, name: str, shock: Shock, k: int) -> None:
        if self.world.draws.fails(f"shocks.{name}.{site.id}", shock.chance_each.value, k):
            site.end("lost", f"shock {name}")
