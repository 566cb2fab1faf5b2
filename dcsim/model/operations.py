"""Racks in service: failures against spares and repairs, month by month; end of life and refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY, half_up
from dcsim.model.forecast import median

if TYPE_CHECKING:
    from dcsim.model.hall import Hall
    from dcsim.model.supply import Purchase, Racks
    from dcsim.model.world import World


class Service:
    """The live racks of a hall. Failures are a count a month, drawn once; a spare takes over in the same minute."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.world: World = hall.world
        self.racks = 0
        """Live racks."""
        self.kw = 0.0
        """Power of one of them (the newest product's)."""
        self.spares = 0
        """Spares on the shelf."""
        self.stock = 0
        """Spares that belong to the hall, in repair or on the shelf."""
        self.retired = 0
        self._overdue = 0
        self._months = 0
        self._watching = False
        self._refreshes = 0
        self._ended = False

    def enter(self, racks: int, purchase: Purchase, minute: int) -> None:
        """Racks have gone live."""
        self.racks += racks
        self.kw = purchase.rack_kw
        product = self.world.spec.chips.products[purchase.product]
        if self.hall.spec.failures is not None and not self._watching:
            self._watching = True
            self.world.on_month(self._month)
        if product.life is not None:
            end = max(self.world.clock.now, minute + half_up(product.life.value * DAY))
            if end <= self.world.last_minute:
                self.world.clock.at(end, lambda: self._retire(racks, purchase))
            if self.hall.spec.at_end_of_life == "refresh_same_mw":
                order = max(self.world.clock.now, end - median(purchase.spec.lead_time))
                if order <= self.world.last_minute:
                    self.world.clock.at(order, lambda: self._refresh(racks, purchase))

    def _month(self) -> bool:
        """Failures of the month; False once the hall has ended."""
        failures = self.hall.spec.failures
        if self._ended or failures is None:
            return False
        k = self._months
        self._months += 1
        chance = min(1.0, failures.per_year.value / 12)
        failed = self.world.draws.binomial(f"{self.hall.path}.failures", self.racks, chance, k)
        if failed == 0:
            return True
        book = self._book
        replaced = min(failed, self.spares)
        down = failed - replaced
        self.spares -= replaced
        book.spares -= replaced
        book.rma += failed
        book.live -= down
        self.racks -= down
        self._count(-down)
        minutes = max(1, self.world.draws.minutes(failures.repaired_in, k))
        self.world.clock.at(self.world.clock.now + minutes, lambda: self._repaired(failed, down))
        return True

    def _repaired(self, failed: int, down: int) -> None:
        """Repaired racks go back where they are missing, else to the shelf."""
        if self._ended:
            return
        book = self._book
        book.rma -= failed
        gone = min(self._overdue, failed)
        self._overdue -= gone
        self.retired += gone
        book.retired += gone
        failed -= gone
        room = min(down, failed)
        book.live += room
        self.racks += room
        self._count(room)
        self.spares += failed - room
        book.spares += failed - room

    def _retire(self, racks: int, purchase: Purchase) -> None:
        """Racks leave at the end of their life."""
        if self._ended:
            return
        gone = min(racks, self.racks)
        self._overdue += racks - gone  # in repair: they leave when they come back
        self.retired += gone
        book = self._book
        book.live -= gone
        book.retired += gone
        self.racks -= gone
        kw = half_up(gone * purchase.rack_kw)
        self.hall.phase.count("live", -kw)
        self.hall.used_kw -= gone * purchase.rack_kw
        self.world.chips.allocate(self.hall.phase.site.tenant)

    def _refresh(self, racks: int, purchase: Purchase) -> None:
        """Order the same MW of what is sold then."""
        if not self._ended:
            k = self._refreshes
            self._refreshes += 1
            self.world.chips.refresh(self.hall.phase, purchase.spec, racks, purchase.rack_kw, k)

    def _count(self, racks: int) -> None:
        kw = half_up(racks * self.kw)
        self.hall.phase.count("live", kw)
        self.hall.phase.count("chips_on_hand", -kw)

    @property
    def _book(self) -> Racks:
        return self.world.chips.racks[self.hall.phase.site.tenant]

    def end(self) -> None:
        """The phase has ended: nothing fails or retires here any more."""
        self._ended = True
