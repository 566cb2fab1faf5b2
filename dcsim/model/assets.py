"""What a tenant's own racks are worth in its books, and what racks cost while they stand idle; no cash."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dcsim.ledger import Ints
from dcsim.model.blueprint import DAY, half_up

if TYPE_CHECKING:
    from dcsim.model.hardware import Hardware
    from dcsim.model.supply import Lot, Title


@dataclass(eq=False, slots=True)
class Asset:
    """Racks that a tenant owns, written off in a straight line."""

    cost: int
    start: int
    end: int | None
    """Minute in which it is down to `rest`; None if it is never written off."""
    rest: int = 0
    sold: int | None = None
    """Minute in which the tenant lost it."""


@dataclass(slots=True)
class Idle:
    """Racks in storage or bring-up, so far."""

    kw_minutes: float = 0.0
    dollars: float = 0.0
    """Depreciation and rent that ran meanwhile."""


class Assets:
    """Owned racks of all tenants."""

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.world = hardware.world
        self._owned: defaultdict[str, list[Asset]] = defaultdict(list)
        self._of: dict[Title, Asset] = {}
        self._idle: defaultdict[str, Idle] = defaultdict(Idle)

    def own(self, title: Title) -> None:
        """A tenant owns racks from their delivery on."""
        purchase = title.purchase
        model = self.world.spec.chips.products[purchase.product]
        end = None if model.life is None else title.minute + half_up(model.life.value * DAY)
        rest = half_up(title.price * self.world.draws.value(model.residual))
        self._keep(title, Asset(title.price, title.minute, end, rest))

    def bought_out(self, title: Title, dollars: int) -> None:
        """A tenant has bought racks that it had leased; they are written off over what is left of their life."""
        now = self.world.clock.now
        life = self.world.spec.chips.products[title.purchase.product].life
        end = None if life is None else max(now, title.minute + half_up(life.value * DAY))
        self._keep(title, Asset(dollars, now, end))

    def _keep(self, title: Title, asset: Asset) -> None:
        self._of[title] = asset
        self._owned[title.purchase.tenant].append(asset)

    def lost(self, title: Title) -> None:
        """Somebody takes the racks back."""
        asset = self._of.get(title)
        if asset is not None:
            asset.sold = self.world.clock.now

    # By month.

    def depreciation(self, tenant: str) -> Ints:
        """Dollars written off in each calendar month."""
        written = self._written_off(tenant)
        return np.diff(written, prepend=0).astype(np.int64)

    def book_value(self, tenant: str) -> Ints:
        """Dollars in the books at the end of each calendar month."""
        ends = self._ends
        value = -self._written_off(tenant, from_the_first=True)
        for asset in self._owned[tenant]:
            left = len(ends) if asset.sold is None else int(np.searchsorted(ends, asset.sold, side="right"))
            bought = int(np.searchsorted(ends, asset.start, side="right"))
            value[bought:left] += asset.cost
        return value

    @property
    def _ends(self) -> Ints:
        return np.array([*self.world.blueprint.months, self.world.last_minute + 1], np.int64)

    def _written_off(self, tenant: str, from_the_first: bool = False) -> Ints:
        """Dollars by the end of each month: since the start, or since each asset was bought as long as it is there."""
        ends = self._ends
        assets = [asset for asset in self._owned[tenant] if asset.end is not None]
        if not assets:
            return np.zeros(len(ends), np.int64)
        start, end, cost = (
            np.array(values, np.float64)[:, None]
            for values in (
                [a.start for a in assets], [a.end for a in assets], [a.cost - a.rest for a in assets],
            )
        )  # fmt: skip
        sold = np.array([np.inf if a.sold is None else a.sold for a in assets])[:, None]
        life = np.maximum(end - start, 1.0)

        def by(minutes: Ints) -> Ints:
            done = np.clip((np.minimum(minutes, sold) - start) / life, 0.0, 1.0)
            written: Ints = np.floor(cost * done + 0.5).astype(np.int64)
            return written

        written = by(ends[None, :])
        if from_the_first:
            return np.asarray(np.where(ends[None, :] > sold, 0, written).sum(axis=0))
        return np.asarray((written - by(np.zeros((1, 1), np.int64))).sum(axis=0))

    # Idle.

    def stood_idle(self, lot: Lot, racks: int) -> None:
        """So many racks of a lot have stood idle until now."""
        now = self.world.clock.now
        self._add(self._idle[lot.purchase.tenant], lot, racks, now)

    def idle(self, tenant: str) -> Idle:
        """Up to now (the end of the run), with what stands idle still."""
        so_far = self._idle[tenant]
        total = Idle(so_far.kw_minutes, so_far.dollars)
        end = self.world.clock.now
        if end == self.world.last_minute:
            end += 1
        for lot, racks in self.world.chips.idle_lots(tenant):
            self._add(total, lot, racks, end)
        return total

    def _add(self, total: Idle, lot: Lot, racks: int, until: int) -> None:
        since, title = max(0, lot.since), lot.title
        minutes = until - since
        if minutes <= 0:
            return
        total.kw_minutes += racks * lot.kw * minutes
        rent, asset = title.rent, self._of.get(title)
        if rent is not None:
            total.dollars += max(0, min(until, rent.end) - max(since, rent.start)) * rent.each * racks
        if asset is not None and asset.end is not None and asset.end > asset.start:
            runs = min(until, asset.end) - max(since, asset.start)
            total.dollars += max(0, runs) * (asset.cost - asset.rest) / (asset.end - asset.start) * racks / title.racks
