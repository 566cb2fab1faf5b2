"""Letters of intent: exclusive for a while, renewed with luck, else lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Handle, Stage
from dcsim.model.blueprint import dollars
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.scenario.site import Renewal


class Letter:
    """The letter of a site: its clock runs until the lease is signed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.renewals = 0
        self._expiry: Handle | None = None
        self.deposit = 0
        """Dollars left with the developer that it may have to give back."""

    def sign(self, minute: int) -> None:
        """The letter was signed at `minute` (perhaps in the past)."""
        site, world = self.site, self.site.world
        world.book.open(Contract("loi", f"loi:{site.id}", site.developer, site.tenant, site.kw, minute, site=site.id))
        spec = site.spec.loi
        assert spec is not None
        if spec.deposit is not None:
            amount = dollars(world.draws.value(spec.deposit.amount))
            if world.money.pay(site.tenant, site.developer, "loi deposit", amount, minute):
                self.deposit = amount
        if spec.exclusivity is not None:
            expiry = minute + world.draws.minutes(spec.exclusivity)
            while expiry < 0 and self._renewal is not None:  # it stands at the start, so it was renewed before
                expiry += world.draws.minutes(self._renewal.length, self.renewals)
                self.renewals += 1
            self._book(expiry)

    @property
    def _renewal(self) -> Renewal | None:
        """The terms of a further renewal; None if there is none to come."""
        spec = self.site.spec.loi
        renewal, now = spec.renewal if spec is not None else None, self.site.world.now
        return renewal if renewal is not None and self.renewals < int(now(renewal.at_most).value) else None

    def _book(self, minute: int) -> None:
        clock = self.site.world.clock
        self._expiry = clock.stage_at(max(minute, clock.now), Stage.DEADLINE, self._expire, rank=self.site.rank)

    def _expire(self) -> None:
        """Renewed with a chance that depends on whether anybody is at work on it; else the site is lost."""
        site, world, renewal = self.site, self.site.world, self._renewal
        if renewal is not None:
            k = self.renewals
            self.renewals += 1
            chance = renewal.chance_active if site.at_work else renewal.chance_idle
            if not world.draws.fails(f"sites.{site.id}.loi.renewal", 1 - world.now(chance).value, k):
                world.log("renewed", site.id, f"renewal {self.renewals}")
                self._book(world.clock.now + world.draws.minutes(renewal.length, k))
                return
        site.end("lost", "letter expired")

    def close(self) -> None:
        """The lease is signed, or the site has ended: then a deposit that is still refundable comes back."""
        spec = self.site.spec.loi
        if self.deposit and self.site.ended and spec is not None and spec.deposit is not None:
            if spec.deposit.refundable_until not in self.site.milestones.reached:
                self.site.world.money.pay(self.site.developer, self.site.tenant, "loi deposit", self.deposit)
            self.deposit = 0
        if self._expiry is not None:
            self._expiry.cancel()
        self.site.world.book.close(f"loi:{self.site.id}", self.site.world.clock.now)
