"""Racks in service: failures against spares and repairs, month by month; end of life and refresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY, half_up
from dcsim.model.forecast import median
from dcsim.model.supply import Lot

if TYPE_CHECKING:
    from dcsim.model.hall import Hall
    from dcsim.model.supply import Racks
    from dcsim.model.world import World


@dataclass(eq=False, slots=True)
class Cohort:
    """Racks of a lot that went live together, and leave together."""

    lot: Lot
    kw: float
    """Power of one rack."""
    began: int
    """Minute from which their life in service counts."""
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
        self._shelf: list[Lot] = []
        """What the spares were bought as."""
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

    def add_spares(self, lot: Lot, racks: int) -> None:
        """So many racks of a lot are put on the shelf."""
        self.world.hardware.assets.stood_idle(lot, racks)
        self._shelf.append(replace(lot, racks=racks))
        self._book.spares += racks
        self.stock += racks
        self.spares += racks
        self._fill()

    def enter(self, racks: int, lot: Lot, minute: int) -> None:
        """Racks of a lot have gone live, as the hall has counted; they leave at the end of their life."""
        cohort = Cohort(lot, lot.kw, minute - lot.used, racks)
        self._cohorts.append(cohort)
        self._live += racks
        self._serve(cohort, racks, max(0, minute))
        if self.hall.spec.failures is not None and not self._watching:
            self._watching = True
            self.world.on_month(self._month)
        end = self._end_of_life(lot, minute)
        if end is not None and end <= self.world.last_minute:
            self.world.clock.at(end, lambda: self._retire(cohort))

    def complete(self, lot: Lot, minute: int) -> None:
        """The last rack of a lot has gone live: one order will replace the whole lot at the end of that one's life."""
        end = self._end_of_life(lot, minute)
        if end is None or self.hall.spec.at_end_of_life != "refresh_same_mw":
            return
        order = max(self.world.clock.now, end - median(lot.purchase.spec.lead_time))
        if order <= self.world.last_minute:
            self.world.clock.at(order, lambda: self._refresh(lot))

    def _end_of_life(self, lot: Lot, minute: int) -> int | None:
        """Minute in which racks leave that go live in `minute`; None if they stay for good."""
        life = self.world.spec.chips.products[lot.purchase.product].life
        if life is None:
            return None
        return max(self.world.clock.now, minute - lot.used + half_up(life.value * DAY))

    # Failures.

    def _month(self) -> bool:
        """Failures of the month, the oldest racks first; False once the hall has ended."""
        failures = self.hall.spec.failures
        if self._ended or failures is None:
            return False
        k = self._months
        self._months += 1
        if not self._live:
            return True
        chance = min(1.0, self.world.now(failures.per_year).value / 12)
        left = failed = self.world.draws.binomial(f"{self.hall.path}.failures", self._live, chance, k)
        if failed == 0:
            return True
        lost = 0.0
        for cohort in self._cohorts:
            racks = min(left, cohort.live)
            lost += self._move(cohort, -racks)
            left -= racks
            if not left:
                break
        self._book.rma += failed
        self._fill(lost)
        minutes = max(1, self.world.draws.minutes(failures.repaired_in, k))
        self.world.clock.at(self.world.clock.now + minutes, lambda: self._repaired(failed))
        return True

    def _fill(self, kw: float = 0.0) -> None:
        """Spares take the places of those that failed; `kw` have gone live (negative: failed) in the same minute."""
        for cohort in self._cohorts:
            if not self.spares or not self._down:
                break
            racks = min(self.spares, cohort.down)
            self.spares -= racks
            self._book.spares -= racks
            kw += self._move(cohort, racks)
        if kw:
            self.hall.phase.count("live", kw)
            self.hall.on_hand(-kw)

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
        self._fill()

    def _move(self, cohort: Cohort, racks: int) -> float:
        """So many places of a cohort are filled (negative: emptied); returns their power, kW."""
        cohort.live += racks
        cohort.down -= racks
        self._live += racks
        self._down -= racks
        self._book.live += racks
        self._serve(cohort, racks, self.world.clock.now)
        return racks * cohort.kw

    def _serve(self, cohort: Cohort, racks: int, minute: int) -> None:
        """So many racks are live from `minute` to the horizon (negative: they are not, after all)."""
        minutes = self.world.last_minute + 1 - minute
        self.world.chips.served[cohort.lot.purchase.product] += racks * cohort.kw * minutes

    # End of life.

    def _retire(self, cohort: Cohort) -> None:
        """Racks leave at the end of their life, and with them the places of those in repair."""
        if self._ended:
            return
        self._cohorts.remove(cohort)
        self._live -= cohort.live
        self._serve(cohort, -cohort.live, self.world.clock.now)
        self._overdue += cohort.down
        self._down -= cohort.down
        self._book.live -= cohort.live
        self._book.retired += cohort.live
        cohort.lot.title.gone += cohort.live + cohort.down
        self.hall.phase.count("live", -cohort.live * cohort.kw)
        self.hall.on_hand(-cohort.down * cohort.kw)
        self.hall.used_kw -= (cohort.live + cohort.down) * cohort.kw
        self.world.chips.allocate(self.hall.phase.site.tenant)

    def _refresh(self, lot: Lot) -> None:
        """Order the same MW of what is sold then; what is less than a rack is added to the next order."""
        if not self._ended:
            k = self._refreshes
            self._refreshes += 1
            self._owed_kw += lot.racks * lot.purchase.rack_kw
            self._owed_kw -= self.world.chips.orders.refresh(self.hall.phase, lot.purchase.spec, self._owed_kw, k)

    # The end of the phase.

    @property
    def lots(self) -> list[Lot]:
        """Racks in service and spares."""
        return [*(cohort.lot for cohort in self._cohorts), *self._shelf]

    def end(self) -> list[Lot]:
        """The phase has ended: nothing fails or retires here any more. Returns all racks, as lots for storage.

        Racks are as old as the places in which they are; those in repair come back with them. Whoever is overdue to
        leave is gone.
        """
        self._ended = True
        now, book = self.world.clock.now, self._book
        back = [
            replace(c.lot, racks=c.live + c.down, number=-1, used=now - c.began)
            for c in self._cohorts
            if c.live + c.down
        ]
        back += self._shelf
        for cohort in self._cohorts:
            self._serve(cohort, -cohort.live, now)
        book.live -= self._live
        book.spares -= self.spares
        book.rma -= self._down + self.stock - self.spares + self._overdue
        book.retired += self._overdue
        self.hall.on_hand(sum(c.live * c.kw for c in self._cohorts))
        self._cohorts, self._shelf = [], []
        self._live = self._down = self.spares = self.stock = self._overdue = 0
        return back
