"""The tenant's rights to leave a phase early: at the long-stop while it is not ready, and for a fee once it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.lease import Lease
    from dcsim.model.phase import Phase
    from dcsim.scenario.lease import EarlyTermination
    from dcsim.scenario.lease import LongStop as LongStopSpec


class Right:
    """A right that is thought about on a date and on each 1st after it, when all else in the minute is done."""

    def __init__(self, lease: Lease, phase: Phase, minute: int) -> None:
        self.lease = lease
        self.phase = phase
        self.world = lease.world
        self._book(minute)

    def _book(self, minute: int) -> None:
        clock = self.world.clock
        at = max(minute, clock.now)
        if at <= self.world.last_minute:
            clock.stage_at(at, Stage.DEADLINE, self._think, rank=self.phase.rank)

    def _think(self) -> None:
        if self.phase.ended or self.gone:
            return
        stopped = self.world.parties[self.lease.lessee].stopped is not None
        if not stopped and self.lease.assumed is None and self.wanted:
            self.use()
        else:
            self._book(self.world.blueprint.month_end(self.world.clock.now))

    def surplus_above(self, limit: Quantity) -> bool:
        """Whether the tenant has more MW than so many beyond its demand."""
        return self.world.surplus_mw(self.lease.site.tenant) > self.world.now(limit).value

    @property
    def gone(self) -> bool:
        """Whether the right is lost."""
        return False

    @property
    def wanted(self) -> bool:
        """Whether the tenant would use it now."""
        raise NotImplementedError

    def use(self) -> None:
        """The tenant uses it."""
        raise NotImplementedError


class LongStop(Right):
    """The tenant may walk away, without a fee, from a phase that is not ready so long after its target."""

    def __init__(self, lease: Lease, phase: Phase, spec: LongStopSpec) -> None:
        self.spec = spec
        assert phase.target is not None
        super().__init__(lease, phase, phase.target + lease.world.draws.minutes(spec.after_target))

    @property
    def gone(self) -> bool:
        return "ready_for_service" in self.phase.milestones.reached

    @property
    def wanted(self) -> bool:
        walk = self.spec.walk_if
        if walk is None:
            return False
        below, above = walk.market_rent_below, walk.surplus_above
        if below is None and above is None:
            return True
        cheap = below is not None and self.lease.market_rent < self.world.draws.value(below) * self.lease.site.rent
        return cheap or (above is not None and self.surplus_above(above))

    def use(self) -> None:
        self.lease.leave(self.phase, "long-stop")


class Break(Right):
    """The tenant may end the lease of a phase some time after its commencement, for a fee."""

    def __init__(self, lease: Lease, phase: Phase, spec: EarlyTermination) -> None:
        self.spec = spec
        commenced = lease.premises[phase.id].commenced
        assert commenced is not None
        super().__init__(lease, phase, commenced + lease.world.draws.minutes(spec.after))

    @property
    def wanted(self) -> bool:
        return self.surplus_above(self.spec.surplus_above)

    def use(self) -> None:
        premises = self.lease.premises[self.phase.id]
        fee = premises.days_of_rent(self.world.draws.value(self.spec.fee), premises.running)
        self.lease.pay_fee("termination fee", fee)
        self.lease.leave(self.phase, "early termination")
