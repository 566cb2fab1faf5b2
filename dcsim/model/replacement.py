"""The search for somebody to take a guarantor's place once its rating has fallen too low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Handle, Stage
from dcsim.engine.trail import origin
from dcsim.model.backing import Reservation
from dcsim.model.credit import Panel, Search
from dcsim.scenario.credit import Replace, Terms

if TYPE_CHECKING:
    from dcsim.model.guarantee import Cover
    from dcsim.model.site import Site


class Replacement(Search):
    """Asks those whom the site may ask, as its first request did, but without losing patience.

    If nobody stands in by the deadline, loan draws stop until somebody does, or the lease ends, as the terms say.
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site, f"{site.id} replacement")
        self._cover: Cover | None = None
        self._replace: Replace | None = None
        self._deadline: Handle | None = None

    def start(self, cover: Cover, replace: Replace) -> None:
        """A rating has fallen too low: ask everybody on the site's list who has it, in order. Once at a time."""
        if self._cover is not None or self.ended:
            return
        clock, site = self.world.clock, self.site
        self._cover, self._replace = cover, replace
        self.open(origin(clock.now, self.who))
        within = self.world.draws.minutes(self.world.by(cover.user, replace.within))
        self._deadline = clock.stage_at(clock.now + within, Stage.DEADLINE, self._late, rank=site.rank)
        self.world.log("replace guarantor", site.id, " and ".join(g.id for g in cover.guarantors))
        names = self.spec.guarantors if self.spec is not None else ()
        self.ask([Panel((self.world.guarantors[name],), (1.0,)) for name in names])

    @property
    def _wanted(self) -> int:
        assert self._cover is not None
        return self._cover.committed

    def terms(self, panel: Panel) -> Terms:
        """Those of the guarantee that stands."""
        assert self._cover is not None
        return self._cover.terms

    def wanted(self, terms: Terms) -> int:
        """What is committed now."""
        return self._wanted

    def enough(self, amounts: list[int]) -> bool:
        """Nobody stands in for a part only."""
        return sum(amounts) >= self._wanted

    def granted(self, cover: list[Reservation], terms: Terms) -> None:
        """The place is taken, on the old terms; draws go on."""
        if self._deadline is not None:
            self._deadline.cancel()
        self.world.log("guarantor replaced", self.site.id, " and ".join(r.guarantor.id for r in cover))
        replaced, self._cover = self._cover, None
        assert replaced is not None
        replaced.substitute(cover)

    def nobody(self) -> None:
        self.world.log("no replacement", self.site.id, "nobody left to ask")

    def _late(self) -> None:
        assert self._cover is not None
        assert self._replace is not None
        if self._replace.otherwise == "lease_end":
            self.site.lease.terminate("guarantor not replaced")
        else:
            self._cover.stop_draws()

    def cancel(self) -> None:
        super().cancel()
        if self._deadline is not None:
            self._deadline.cancel()
