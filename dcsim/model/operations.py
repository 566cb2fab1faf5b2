"""Racks in service: failures against spares and repairs, month by month; end of life and refresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY, half_up
from dcsim.model.forecast import median

if TYPE_CHECKING:
    from dcsim.model.hall import Hall
    from dcsim.model.supply import Purchase, Racks
    from dcsim.model.world import World


@dataclass(eq=False)
class Cohort:
    """Racks that went live together, and leave together."""

    purchase: Purchase
    kw: float
    """Power of one rack."""
    live: int = 0
    down: int = 0
    """Places whose racks failed and have not been replaced."""


class Service:
    """The live racks of a hall. Failures are a count a month, drawn once; a spare takes over in the same minute."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.world: World = hall.world
        self.spares = 0
        """Spares on the shelf."""
        self.stock = 0
        """Spares that belong to the hall, in repair or on the shelf."""
        self._cohorts: list[Cohort] = []
        self._live = 0
        self._down = 0
        """Places of all of them that are empty."""
        self._overdue = 0
        """Racks in repair that leave when they come back."""
        self._months = 0
        self._watching = False
        self._refreshes = 0
        self._owed_kw = 0.0
        self._ended = False

    @property
    def _book(self) -> Racks:
        return self.world.chips.racks[self.hall.phase.site.tenant]

    def enter(self, racks: int, kw: float, purchase: Purchase, minute: int) -> None:
        """Racks of so many kW each have gone live, as the hall has counted."""
        cohort = Cohort(purchase, kw, racks)
        self._cohorts.append(cohort)
        self._live += racks
        clock, last_minute = self.world.clock, self.world.last_minute
        if self.hall.spec.failures is not None and not self._watching:
            self._watching = True
            self.world.on_month(self._month)
        life = self.world.spec.chips.products[purchase.product].life
        if life is None:
            return
        end = max(clock.now, minute + half_up(life.value * DAY))
        if end <= last_minute:
            clock.at(end, lambda: self._retire(cohort))
        if self.hall.spec.at_end_of_life == "refresh_same_mw":
            order = max(clock.now, end - median(purchase.spec.lead_time))
            if order <= last_minute:
                clock.at(order, lambda: self._refresh(racks, purchase))

    # Failures.

    def _month(self) -> bool:
        """Failures of the month, the oldest racks first; False once the hall has ended."""
        failures = self.hall.spec.failures
        if self._ended or failures is None:
            return False
        k = self._months
        self._months += 1
        chance = min(1.0, failures.per_year.value / 12)
        left = failed = self.world.draws.binomial(f"{self.hall.path}.failures", self._live, chance, k)
        if failed == 0:
            return True
        for cohort in self._cohorts:
            racks = min(left, cohort.live)
            self._move(cohort, -racks)
            left -= racks
            if not left:
                break
        self._book.rma += failed
        self.fill()
        minutes = max(1, self.world.draws.minutes(failures.repaired_in, k))
        self.world.clock.at(self.world.clock.now + minutes, lambda: self._repaired(failed))
        return True

    def fill(self) -> None:
        """Spares take the places of those that failed."""
        for cohort in self._cohorts:
            if not self.spares or not self._down:
                return
            racks = min(self.spares, cohort.down)
            self.spares -= racks
            self._book.spares -= racks
            self._move(cohort, racks)

    def _repaired(self, racks: int) -> None:
        """Repaired racks go to the shelf, and from there to where one is missing."""
        if self._ended:
            return
        book = self._book
        book.rma -= racks
        gone = min(self._overdue, racks)
        self._overdue -= gone
        book.retired += gone
        self.spares += racks - gone
        book.spares += racks - gone
        self.fill()

    def _move(self, cohort: Cohort, racks: int) -> None:
        """So many places of a cohort are filled (negative: emptied)."""
        if racks:
            cohort.live += racks
            cohort.down -= racks
            self._live += racks
            self._down -= racks
            self._book.live += racks
            self.hall.phase.count("live", racks * cohort.kw)
            self.hall.phase.count("chips_on_hand", -racks * cohort.kw)

    # End of life.

    def _retire(self, cohort: Cohort) -> None:
        """Racks leave at the end of their life, and with them the places of those in repair."""
        if self._ended:
            return
        self._cohorts.remove(cohort)
        self._live -= cohort.live
        self._overdue += cohort.down
        self._down -= cohort.down
        self._book.live -= cohort.live
        self._book.retired += cohort.live
        self.hall.phase.count("live", -cohort.live * cohort.kw)
        self.hall.phase.count("chips_on_hand", -cohort.down * cohort.kw)
        self.hall.used_kw -= (cohort.live + cohort.down) * cohort.kw
        self.world.chips.allocate(self.hall.phase.site.tenant)

    def _refresh(self, racks: int, purchase: Purchase) -> None:
        """Order the same MW of what is sold then; what is less than a rack is added to the next order."""
        if not self._ended:
            k = self._refreshes
            self._refreshes += 1
            self._owed_kw += racks * purchase.rack_kw
            self._owed_kw -= self.world.chips.refresh(self.hall.phase, purchase.spec, self._owed_kw, k)

    def end(self) -> None:
        """The phase has ended: nothing fails or retires here any more."""
        self._ended = True
