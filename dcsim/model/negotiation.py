"""Negotiation holds the deal team; in the end there is a lease draft, or the site is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail
from dcsim.model.step import Step

if TYPE_CHECKING:
    from dcsim.model.site import Site


class Negotiation(Step):
    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "negotiation", f"{site.id} negotiation")
        self.site = site
        self.spec = site.spec.negotiation
        self.team = site.world.team(site.tenant, self.spec.team)

    def begin(self, trail: Trail) -> None:
        """Queue for the deal team, then talk."""
        self.open(trail)
        self.queue(self.team, "team", self.site.rank, self.spec.priority, self._talk)

    def _talk(self) -> None:
        self.work(self.world.draws.minutes(self.spec.duration), self._talked, self.team)

    def _talked(self) -> None:
        self.let_go()
        assert self.trail is not None
        if self.world.draws.fails(f"sites.{self.site.id}.negotiation.fail", self.world.now(self.spec.fail).value):
            self.site.end("lost", "negotiation failed", self.trail)
        else:
            self.site.reach("negotiated", self.trail)
