"""Parties in one replication: rating now, and whether they stand, have stopped paying, or have defaulted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from dcsim.engine.clock import Stage
from dcsim.scenario.fields import RATINGS

if TYPE_CHECKING:
    from dcsim.model.world import World

News: TypeAlias = Literal["stopped", "resumed", "default", "downgrade"]
"""What may happen to a party."""

Cause: TypeAlias = Literal["shock", "liquidity", "hazard", "contagion"]
"""Why a party defaulted."""


class Party:
    """One firm. Whoever depends on it listens (`on`) and acts when told; they are told in order of asking."""

    def __init__(self, world: World, id: str, rating: str | None) -> None:
        self.world = world
        self.id = id
        self.rating = rating
        self.stopped: int | None = None
        """Minute from which it pays nothing."""
        self.defaulted: int | None = None
        self.cause: Cause | None = None
        self._listeners: list[tuple[News, Callable[[], None]]] = []

    def on(self, news: News, then: Callable[[], None]) -> None:
        """Call back whenever this happens."""
        self._listeners.append((news, then))

    def _tell(self, news: News) -> None:
        for what, then in list(self._listeners):
            if what == news:
                then()

    @property
    def is_sponsor(self) -> bool:
        """Whether it is a developer and nothing else: all that it pays, its projects pay."""
        spec = self.world.spec
        party = spec.parties.get(self.id)
        develops = any(site.developer == self.id for site in spec.sites.values())
        other = party is not None and (party.guarantee or party.lending or party.vehicle or party.supply)
        sells = any(product.supplier == self.id for product in spec.chips.products.values())
        rents_out = any(cloud.provider == self.id for cloud in spec.cloud.values())
        return develops and not (other or sells or rents_out or self.id in spec.tenants)

    @property
    def stands(self) -> bool:
        """True until it defaults."""
        return self.defaulted is None

    def stop_paying(self, minute: int | None = None) -> None:
        """It pays nothing due from now on, and declares nothing; or from an earlier minute on, as was found out now."""
        if self.stopped is None:
            now = self.world.clock.now
            self.stopped = now if minute is None else minute
            self.world.money.stop(self.id, self.stopped, take_back=minute is not None)
            self.world.log("stops paying", self.id, "")
            self._tell("stopped")

    def resume_paying(self, minute: int | None = None) -> None:
        """It pays its arrears now (or as of an earlier minute) and goes on."""
        if self.stopped is not None and self.stands:
            self.stopped = None
            self.world.money.resume(self.id, self.world.clock.now if minute is None else minute)
            self.world.log("resumes paying", self.id, "")
            self._tell("resumed")

    def default(self, cause: Cause) -> None:
        """It declares default; it pays nothing from now on. The projects of a developer are companies of their own:
        what they owe is paid as long as they can."""
        if self.defaulted is not None:
            return
        self.defaulted = self.world.clock.now
        self.cause = cause
        self.rating = "D"
        self.world.record.default(self.defaulted, self.id, cause)
        self.world.log("default", self.id, cause)
        if self.stopped is None and not self.is_sponsor:
            self.stopped = self.defaulted
            self.world.money.stop(self.id, self.stopped)
        self._tell("default")

    def default_at(self, minute: int, cause: Cause) -> None:
        """Book a default for a minute to come."""
        clock = self.world.clock
        clock.stage_at(max(clock.now, minute), Stage.SHOCK, lambda: self.default(cause))

    def downgrade(self, rating: str) -> None:
        """Its rating falls; a rating as good as the one it has changes nothing."""
        if self.defaulted is None and (self.rating is None or RATINGS.index(rating) > RATINGS.index(self.rating)):
            self.rating = rating
            self.world.log("downgrade", self.id, rating)
            self._tell("downgrade")


def make_parties(world: World) -> dict[str, Party]:
    """Every party of the scenario, and its tenants that are not among them, in file order."""
    spec = world.spec
    ids = dict.fromkeys([*spec.parties, *spec.tenants])
    return {id: Party(world, id, spec.parties[id].rating if id in spec.parties else None) for id in ids}
