"""The premises of one phase under its lease: rent from commencement to the end, what is owed back, letting again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from dcsim.engine.clock import Stage
from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.blueprint import YEAR, half_up
from dcsim.model.money import Flow
from dcsim.model.rent import DAYS_A_MONTH, Rent, growth, present_value, shares

if TYPE_CHECKING:
    from dcsim.model.lease import Lease
    from dcsim.model.phase import Phase
    from dcsim.quantity import Quantity

NOTHING: Ints = np.zeros(0, np.int64)


class Premises:
    """What the lease says of one phase, and what becomes of it."""

    def __init__(self, lease: Lease, phase: Phase) -> None:
        self.lease = lease
        self.phase = phase
        self.world = lease.world
        self.rent: Rent | None = None
        """Rent of the contract, once it has commenced."""
        self.full: Rent | None = None
        """The same without abatement and ramp."""
        self.commenced: int | None = None
        """Minute of commencement."""
        self.ended: int | None = None
        """Minute from which no rent is owed any more."""
        self.minutes: Ints = NOTHING
        """When the rent of the contract falls due, to the end of its term."""
        self.dollars: Ints = NOTHING
        self.flows: list[Flow] = []
        """To the developer: the last is owed now, those before it by others until they were relieved."""
        self.refunded: list[tuple[int, int]] = []
        """(minute, dollars) that the developer paid back of rent paid ahead."""
        self.passed: Flow | None = None
        """From the tenant to a lessee that is not itself."""
        self.share = 1.0
        """Share of the contract rent that is owed: less than all after somebody took the lease over at a discount."""
        self._planned: int | None = None

    # What the contract says.

    @property
    def monthly(self) -> float:
        """Dollars of a full month at the first year's rent."""
        return self.lease.site.rent * self.phase.kw

    def days_of_rent(self, days: float, monthly: float | None = None) -> int:
        """Dollars of so many days of rent, 30.4375 of which are a month's: of the first year's, or of `monthly`."""
        return half_up(days / DAYS_A_MONTH * (self.monthly if monthly is None else monthly))

    @property
    def months(self) -> int:
        """Whole months of the base term."""
        return max(1, half_up(self.world.now(self.lease.spec.term).value / DAYS_A_MONTH))

    def contract_rent(self, start: int | None) -> tuple[Rent, Rent]:
        """(rent, rent without abatement and ramp) of a lease that commences on a day; by median inflation on none."""
        spec, months, now = self.lease.spec, self.months, self.world.now
        ramp = tuple((int(now(step.months).value), now(step.share).value) for step in spec.ramp)
        full = Rent.of(start or 1, self.monthly, growth(self._steps(start, (months - 1) // 12)), months)
        return full.times(shares(months, int(now(spec.abatement).value), ramp)), full

    def _steps(self, start: int | None, years: int) -> list[float]:
        """The step of the rent on each anniversary."""
        cpi, draws = self.lease.spec.cpi, self.world.draws
        if cpi is None:
            return [draws.value(self.lease.spec.escalator)] * years
        floor, cap = draws.value(cpi.floor), draws.value(cpi.cap)
        inflation = [self._inflation(cpi.inflation, start, year) for year in range(1, years + 1)]
        return [min(max(floor, step), cap) for step in inflation]

    def _inflation(self, law: Quantity, start: int | None, year: int) -> float:
        """Inflation before the year-th anniversary: one draw a calendar year of the site, the same for every phase."""
        if start is None:
            return law.median
        date, begin = dt.date.fromordinal(start), self.world.blueprint.scenario.start
        k = date.year + year - begin.year
        past = k < 0 or (k == 0 and (date.month, date.day) < (begin.month, begin.day))
        return law.median if past else self.world.draws.value(law, k)

    @property
    def planned(self) -> int:
        """Undiscounted rent of the base term in dollars, as it looks before commencement."""
        if self._planned is None:
            self._planned = half_up(float(self.contract_rent(None)[0].rates.sum()))
        return self._planned

    @property
    def running(self) -> float:
        """Dollars of a full month at the contract rent that runs now, abatement and ramp aside; the first year's before
        commencement."""
        return self.monthly if self.full is None else self.full.rate(self.lease.day_of(self.world.clock.now))

    @property
    def flow(self) -> Flow | None:
        """What is owed to the developer now, once rent has commenced."""
        return self.flows[-1] if self.flows else None

    # Commencement and end.

    def commence(self, minute: int) -> None:
        """Rent runs from here, owed by whoever owes it now."""
        lease, world = self.lease, self.world
        self.commenced = minute
        self.rent, self.full = self.contract_rent(lease.day_of(minute))
        days, self.dollars = self.rent.due()
        self.minutes = lease.minutes_of(days, minute)
        self._book(minute)
        if lease.passes_on:
            self.passed = world.money.book(
                lease.site.tenant, lease.signed_by, "rent", self.minutes, self.dollars, lease.sublease_id
            )
        end = lease.minute_of(self.rent.end)
        if end <= world.last_minute:
            world.clock.at(max(end, world.clock.now), lambda: lease.over(self.phase))

    @property
    def _owed(self) -> Rent:
        """What is owed to the developer: the contract's rent, less a discount."""
        assert self.rent is not None
        return self.rent if self.share == 1.0 else self.rent.times(self.share)

    def _book(self, minute: int) -> None:
        """What falls due from `minute` on is owed by whoever owes the rent now."""
        lease, (days, dollars) = self.lease, self._owed.due()
        minutes = lease.minutes_of(days, self.commenced if self.commenced is not None else minute)
        later = minutes >= minute
        self.flows.append(
            self.world.money.book(
                lease.lessee, lease.site.developer, "rent", minutes[later], dollars[later], lease.contract_id
            )
        )

    def take_over(self, discount: float, minute: int) -> None:
        """Whoever owes the rent now owes it from `minute` on, at a discount; what was due before stays as it is."""
        self.share = 1.0 - discount
        if self.passed is not None:
            self.passed.cut(minute)
            self.passed = None
        if self.flow is not None and self.ended is None:
            self.flow.cut(minute)
            self._book(minute)

    def stop(self, minute: int) -> None:
        """No rent is owed for the day of `minute` and those after it; what was paid ahead for them comes back."""
        if self.rent is None or self.ended is not None:
            return
        self.ended = minute
        ahead = self._owed.ahead(self.lease.day_of(minute))
        for flow in (self.flow, self.passed):
            if flow is not None:
                self._give_back(flow, ahead, minute)
                flow.cut(minute)

    def _give_back(self, flow: Flow, ahead: int, minute: int) -> None:
        """Of the last rent that fell due, the part for days to come is paid back, or no longer owed."""
        at = int(np.searchsorted(flow.minutes, minute, side="left")) - 1
        if at < 0 or not ahead:
            return
        due, dollars = int(flow.minutes[at]), int(flow.dollars[at])
        date_of = self.world.blueprint.date_of
        if date_of(due).replace(day=1) != date_of(minute).replace(day=1):
            return
        ahead = min(ahead, dollars)
        if flow.unpaid_from is None or due < flow.unpaid_from:
            paid = self.world.money.pay(flow.payee, flow.payer, "rent refund", ahead)
            if paid and flow is self.flow:
                self.refunded.append((minute, ahead))
        else:
            flow.replace_from(due, np.array([due], np.int64), np.array([dollars - ahead], np.int64))

    def let_again(self) -> None:
        """After some vacancy the developer lets the hall to somebody outside, until the base term would have ended."""
        relet, world = self.lease.spec.relet, self.world
        if relet is None or self.full is None:
            return
        begin = world.clock.now + world.draws.minutes(relet.after)
        if relet.at is not None:
            rent = self.full.times(world.draws.value(relet.at))
        else:
            rent = Rent(self.full.start, np.full(self.months, self.lease.market_rent * self.phase.kw))
        days, dollars = rent.due_from(self.lease.day_of(begin))
        self._receive(list(zip(self.lease.minutes_of(days, begin).tolist(), dollars.tolist(), strict=True)))

    def _receive(self, rents: list[tuple[int, int]]) -> None:
        """The next tenant's rent, as each falls due."""
        if rents and rents[0][0] <= self.world.last_minute:
            (minute, dollars), *later = rents

            def due() -> None:
                self.lease.receive(OUTSIDE, "relet rent", dollars)
                self._receive(later)

            # After the books of the month that is over, to which it does not belong.
            self.world.clock.stage_at(minute, Stage.DEADLINE, due)

    # What others ask.

    @property
    def pending(self) -> bool:
        """True while the phase is under lease and its rent is yet to commence."""
        return self.commenced is None and self.phase.ended is None

    def owed_after(self, minutes: Ints) -> Ints:
        """Dollars at stake after each of some minutes that are not past: to fall due, and overdue and unpaid."""
        flow = self.flow
        if flow is None:
            return np.full(len(minutes), self.planned if self.pending else 0, np.int64)
        left = np.concatenate([flow.dollars[::-1].cumsum()[::-1], [0]])
        at = np.searchsorted(flow.minutes, minutes, side="right")
        if flow.unpaid_from is not None:
            at = np.minimum(at, np.searchsorted(flow.minutes, flow.unpaid_from, side="left"))
        owed: Ints = left[at]
        return owed

    def liability(self, minute: int, rate: float) -> float:
        """Present value in dollars of the contract's rent from `minute` on, if it had commenced and had not ended."""
        if self.commenced is None or self.commenced > minute or (self.ended is not None and self.ended <= minute):
            return 0.0
        later = self.minutes >= minute
        return present_value(self.dollars[later], (self.minutes[later] - minute) / YEAR, rate)

    def not_commenced(self, minute: int) -> int:
        """Undiscounted rent in dollars, if it was signed for and had not commenced by the end of `minute`."""
        if self.commenced is not None and self.commenced <= minute:
            return 0
        left = not self.phase.was_leased or (self.phase.ended is not None and self.phase.end_minute <= minute)
        return 0 if left else self.planned

    def forecast(self) -> tuple[Ints, Ints]:
        """(minutes, dollars) of the rent to come: booked, or from the forecast of ready for service on."""
        if self.flow is not None:
            return self.flow.minutes, self.flow.dollars
        if not self.pending:
            return NOTHING, NOTHING
        begin = max(self.world.clock.now, self.lease.forecast_commencement(self.phase))
        rent, _ = self.contract_rent(self.lease.day_of(begin))
        days, dollars = rent.times(self.share).due()
        return self.lease.minutes_of(days, begin), dollars
