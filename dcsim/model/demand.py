"""What a tenant could use: a path of MW, growth that may change on the way, and a wandering around it.

Demand is (p0 + g (p - p0)) W, where p is the path at the time, p0 its first value, and g the mean of the growth factor
over the growth so far: a factor that changes holds for the growth from then on, and what was grown stays. W is 1 until
the first 1st of a month and steps on each: its logarithm is a random walk with the volatility v, and after t years has
standard deviation v sqrt(t) and correlation -l with a common factor on which it loads with l. High luck is low demand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dcsim.model.blueprint import YEAR
from dcsim.model.commitment import Path
from dcsim.quantity.factors import own_weight
from dcsim.quantity.special import special

if TYPE_CHECKING:
    from dcsim.model.world import Month, World
    from dcsim.scenario.treasury import Demand as DemandSpec


class Demand:
    """One tenant's demand in one replication, month after month."""

    def __init__(self, world: World, tenant: str, spec: DemandSpec) -> None:
        self.world = world
        self.spec = spec
        self.wandered = 1.0
        """W."""
        self._name = f"tenants.{tenant}.demand"
        minute_of = world.blueprint.minute_of
        points = sorted((minute_of(date), mw) for date, mw in spec.path.items())
        self._minutes = [minute for minute, _ in points]
        self._quantities = [mw for _, mw in points]
        self._written = Path(self._minutes, [mw.value for mw in self._quantities])
        self._grown = 0.0
        self._growth = 0.0
        """Growth of the path so far, up or down: as it was let in, and as written. MW."""
        self._log = 0.0
        self._common: float | None = None
        self._factors = world.blueprint.scenario.binding.luck.get(self._name, ())
        self._path: Path
        self._factor: float
        self._sd: float
        self.refresh()

    def refresh(self) -> None:
        """The month under way is read with the numbers in force."""
        self._path, self._factor = self._in_force, self.world.draws.value(self.spec.growth)
        self._sd = self.world.now(self.spec.volatility).value

    @property
    def _in_force(self) -> Path:
        if not self.world.changeable:
            return self._written
        now = self.world.now
        return Path(self._minutes, [now(mw).value for mw in self._quantities])

    def grow(self, first: int, end: int) -> None:
        """Take in what the path grew in a month that is over, at its growth factor."""
        step = abs(self._written.at(end) - self._written.at(first))
        self._grown += self._factor * step
        self._growth += step

    def _scaled(self, path: Path, mw: float) -> float:
        base = path.levels[0]
        factor = self._grown / self._growth if self._growth > 0 else self._factor
        return max(0.0, base + factor * (mw - base)) * self.wandered

    def level(self, minute: int) -> float:
        """MW at the end of a month that is over; to be asked after `grow`."""
        return self._scaled(self._path, self._path.at(minute))

    def mean(self, first: int, end: int) -> float:
        """MW on average over a part of it; to be asked after `grow`."""
        return self._scaled(self._path, self._path.mean(first, end))

    def at(self, minute: int) -> float:
        """MW now."""
        path = self._in_force
        return self._scaled(path, path.at(minute))

    def wander(self, month: Month) -> None:
        """The next month begins."""
        sd = self._sd
        if sd == 0:
            return
        uniform, ndtri = self.world.draws.uniform, special().ndtri
        if self._common is None:
            self._common = sum(
                load * float(ndtri(uniform(self._name, None, ((address, 1.0),)))) for address, load in self._factors
            )
        before, after = month.first / YEAR, month.end / YEAR
        own = float(ndtri(uniform(f"{self._name}.volatility", month.number)))
        common = (math.sqrt(after) - math.sqrt(before)) * self._common
        self._log -= sd * (common + own_weight(self._factors) * math.sqrt(after - before) * own)
        self.wandered = math.exp(self._log)
