"""Compute rented from clouds: what is offered and used, what is paid for it, take-or-pay, notice and renewal.

A month is billed when it is over, at what is in force then, on the averages of the month: price times what was used of
the contracted MW. Within a contract year that comes to the minimum at least: what is missing is made up for at the end
of the year (or of the contract), or month by month where everything is owed in any case. A contract of the file stands
from the start; of one that runs already, the minimum of the contract year under way counts from the start.
"""

from __future__ import annotations

import math
from itertools import takewhile
from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY, half_up, kw
from dcsim.model.commitment import Part, Steps, Term, Year, YearKey, months_after, stretches, whole_months
from dcsim.model.hazards import Arrival
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.engine.clock import Handle
    from dcsim.model.world import World
    from dcsim.quantity import Quantity

MONTHS = 12
"""Of a year, for prices a year."""

class CloudContract:
    """One contract between a tenant and a provider."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        self.spec = spec = world.spec.cloud[id]
        self.tenant = spec.tenant or next(iter(world.spec.tenants))
        self.provider = spec.provider
        minute_of = world.blueprint.minute_of
        path = sorted((minute_of(date), mw) for date, mw in spec.mw.items())
        first, end = minute_of(spec.start), minute_of(spec.until) + DAY
        term = Term(first, end, path)
        whole = spec.take_or_pay.amount
        if whole is not None:
            total = Steps([m for m, _ in path], [mw.value for _, mw in path]).total(first, end)
            over = MONTHS if spec.take_or_pay.over == "year" else total
            term.minimum = world.draws.value(whole) * 1e6 / over if over > 0 else 0.0
        self.terms = [term]
        self.notice: int | None = None
        """Minute in which somebody gave notice."""
        self.over: int | None = end if end <= 0 else None
        """Minute from which it is no more."""
        self.paid = 0
        """Dollars billed for what was used."""
        self.made_up = 0
        """Dollars billed for what was not used."""
        self.used_mw_days = 0.0
        self.displaced = 0.0
        """Dollars of margin that the provider lost to what the tenant owned (a memo: nobody pays them)."""
        self.minimums: list[float] = [0.0] * world.money.months
        """Dollars of the minimum that belong to each month."""
        self.each_month = False
        """Whether all is owed in any case, and so due month by month."""
        self._billed = max(0, first)
        self._ahead: list[Part] = []
        self._years: dict[YearKey, Year] = {}
        self._credits: list[tuple[int, float]] = []
        """(minute until which it counts, dollars paid and not used), oldest first."""
        self._steps: list[Steps] = []
        self._dirty = True
        self._expiry: Handle | None = None
        self._recall: Arrival | None = None
        self.contract: Contract | None = None
        """Its edge in the network, once time has begun."""

    # Its life.

    def begin(self) -> None:
        """It stands from the start, or since before it."""
        if self.over is not None:
            return
        world, term = self.world, self.terms[0]
        peak = max((mw for m, mw in self._now(term) if m < term.end), default=0.0)
        contract = self.contract = world.book.open(
            Contract(
                "cloud_commitment",
                self._contract_id,
                self.tenant,
                self.provider,
                kw(peak),
                min(0, term.first),
                tenant=self.tenant,
            )
        )
        self._plan()
        self._write(contract.opened)
        for party in dict.fromkeys((self.provider, self.tenant)):
            world.parties[party].on("default", lambda: self.stop(world.clock.now))
        if world.changeable:
            for quantity in self._numbers():
                world.edits.on(quantity, self._changed)
        self._book_expiry()
        early = self.spec.ends_early
        if early is not None and "provider" in early.by and not world.unlimited:
            world.edits.on(early.recalled, self._hazard)
            self._recall = Arrival(world, f"cloud.{self.id}.recalled", (), self.recall)
            if term.first <= world.clock.now:
                self._hazard()
            elif term.first <= world.last_minute:
                world.clock.at(term.first, self._hazard)

    def _numbers(self) -> list[Quantity]:
        spec, take = self.spec, self.spec.take_or_pay
        found = [spec.price, spec.fee, take.share, *spec.mw.values()]
        return [quantity for quantity in found if quantity is not None]

    def _changed(self) -> None:
        """Another number is in force: it holds for the month under way, and not for one that is over."""
        if self.stands:
            self._dirty = True
            self._fresh()

    def _hazard(self) -> None:
        """How often it is recalled, from now on."""
        early = self.spec.ends_early
        begun = self.terms[0].first <= self.world.clock.now
        if self._recall is not None and early is not None and begun and self.stands and self.notice is None:
            self._recall.set(-math.expm1(-self.world.now(early.recalled).value))

    @property
    def _contract_id(self) -> str:
        return f"cloud:{self.id}"

    @property
    def stands(self) -> bool:
        """True until it is over."""
        return self.over is None

    @property
    def end(self) -> int:
        """Minute in which it ends, as far as is known."""
        return self.terms[-1].end

    def _book_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self.end <= self.world.last_minute:
            self._expiry = self.world.clock.at(max(self.end, self.world.clock.now), self._expire)

    def _expire(self) -> None:
        """The term is over: it is renewed, or it ends."""
        world, renewal = self.world, self.spec.renewal
        k = len(self.terms) - 1
        if renewal is not None and self.notice is None:
            chance = world.now(renewal.chance).value
            if not world.draws.fails(f"cloud.{self.id}.renewal", 1.0 - chance, k):
                self._renew(k)
                return
        self._close(self.end)

    def _renew(self, k: int) -> None:
        renewal, last = self.spec.renewal, self.terms[-1]
        assert renewal is not None
        begun = [mw for minute, mw in last.path if minute < last.end]
        times = self.world.draws.value(renewal.price_times, k)
        months = max(1, whole_months(renewal.term.value))
        blueprint = self.world.blueprint
        end = blueprint.minute_of(months_after(blueprint.date_of(last.end), months))
        path = [(last.end, begun[-1])] if begun else []
        minimum = last.minimum * times if last.minimum is not None else None
        self.terms.append(Term(last.end, end, path, last.price_times * times, minimum))
        self.world.log("renewed", f"cloud {self.id}", f"{months} months")
        self._dirty = True
        self._book_expiry()

    def recall(self) -> None:
        """The provider wants its compute back."""
        self.give_notice("the provider")

    def give_notice(self, who: str) -> None:
        """It ends when the days of notice are over, unless its term is over before; there is no renewal."""
        if self.notice is not None or self.over is not None:
            return
        world, early = self.world, self.spec.ends_early
        self.notice = world.clock.now
        world.log("notice", f"cloud {self.id}", who)
        if self._recall is not None:
            self._recall.stop()
        end = self.notice + (world.draws.minutes(early.notice) if early is not None else 0)
        if end < self.end:
            self._cut(end)
            self._book_expiry()
            self._fresh()

    def stop(self, minute: int) -> None:
        """It ends at once."""
        if self.over is None:
            if minute < self.end:
                self._cut(minute)
            self._close(minute)

    def _cut(self, end: int) -> None:
        """The term ends sooner."""
        self.terms[-1].end = max(end, self.terms[-1].first)
        self._dirty = True

    def _close(self, minute: int) -> None:
        self._fresh()
        self.over = minute
        if self._recall is not None:
            self._recall.stop()
        if self._expiry is not None:
            self._expiry.cancel()
        ahead = {part.year for part in self._ahead}
        for key, year in self._years.items():
            if key not in ahead and not year.closed:  # cut off between its months, it has no last stretch to come
                self._make_up(year, year.due, self.world.clock.now)
        self.world.book.close(self._contract_id, minute)

    # What it offers.

    def _now(self, term: Term) -> list[tuple[int, float]]:
        now = self.world.now
        return [(minute, now(mw).value) for minute, mw in term.path]

    def _plan(self) -> None:
        """Lay out what is to come, with the numbers that are in force; what is over and not billed yet stays."""
        self._dirty = False
        kept = [part for part in self._ahead if part.stretch.end <= self.world.clock.now]
        since = kept[-1].stretch.end if kept else self._billed
        draws, take, start = self.world.draws, self.spec.take_or_pay, self.world.blueprint.scenario.start
        share = draws.value(take.share) if take.share is not None else 0.0
        self.each_month = share >= 1.0 and take.carry_forward.value == 0
        self._ahead = kept
        self._steps = []
        self._years = {key: year for key, year in self._years.items() if year.billed or year.used}
        for year in self._years.values():
            year.ahead = 0.0
        for part in kept:
            self._years.setdefault(part.year, Year()).ahead += part.minimum
        for number, term in enumerate(self.terms):
            now = self._now(term)
            steps = Steps([m for m, _ in now], [mw for _, mw in now])
            self._steps.append(steps)
            price, fee = self._price(term), self._fee(term)
            found = stretches(start, term.first, max(0, term.first), max(0, term.end), self.world.last_minute + 1)
            for index, stretch in enumerate(found):
                if stretch.first < since:
                    continue
                mw_minutes = steps.total(stretch.first, stretch.end)
                mw = mw_minutes / (stretch.end - stretch.first)
                amount = (fee if price is None else price / MONTHS * mw) * stretch.share
                if term.minimum is None:
                    minimum = share * amount
                else:
                    minimum = term.minimum * (stretch.share if take.over == "year" else mw_minutes)
                closes = index + 1 == len(found) or found[index + 1].year != stretch.year
                key = (number, stretch.year)
                self._years.setdefault(key, Year()).ahead += minimum
                self._ahead.append(Part(stretch, key, mw_minutes, amount, minimum, closes))

    def _price(self, term: Term) -> float | None:
        """Dollars a MW and year; None where a fee is paid for the whole."""
        price = self.spec.price
        return None if price is None else self.world.draws.value(price) * 1e6 * term.price_times

    def _fee(self, term: Term) -> float:
        """Dollars a full calendar month, for the whole."""
        fee = self.spec.fee
        return 0.0 if fee is None else self.world.draws.value(fee) * 1e6 * term.price_times

    def _fresh(self) -> None:
        if self._dirty:
            self._plan()
            if self.over is None:
                self._write(self.world.clock.now)

    def mw(self, minute: int) -> float:
        """MW that it offers in a minute that has not been billed."""
        self._fresh()
        for term, steps in zip(self.terms, self._steps, strict=True):
            if term.first <= minute < term.end:
                return steps.at(minute)
        return 0.0

    def mw_minutes(self, end: int) -> float:
        """What it offers, and has not been billed, before minute `end`: the end of a month, or of itself."""
        self._fresh()
        return sum(part.mw_minutes for part in self._until(end))

    def _until(self, end: int) -> list[Part]:
        return list(takewhile(lambda part: part.stretch.end <= end, self._ahead))

    def offer(self, minute: int) -> tuple[float, float | None]:
        """MW that it offers in a minute, and dollars a MW and year; None while it offers nothing."""
        self._fresh()
        for term, steps in zip(self.terms, self._steps, strict=True):
            if term.first <= minute < term.end and (mw := steps.at(minute)) > 0:
                price = self._price(term)
                return mw, self._fee(term) * MONTHS / mw if price is None else price
        return 0.0, None

    # What is paid for it.

    def bill(self, end: int, share: float) -> None:
        """A share of what it offered before minute `end` was used; payments are dated a minute earlier."""
        parts = self._until(end)
        for part in parts:
            self._bill(part, part.amount * share, end - 1)
            self.used_mw_days += part.mw_minutes * share / DAY
        if parts:
            self._billed = parts[-1].stretch.end
            del self._ahead[: len(parts)]
            self._correct(end - 1)

    def _bill(self, part: Part, used: float, minute: int) -> None:
        year = self._years[part.year]
        beyond = max(0.0, year.used - year.minimum)
        year.used += used
        credit = self._credit(max(0.0, year.used - year.minimum) - beyond, part.stretch.first)
        year.paid += used - credit
        year.ahead -= part.minimum
        year.billed += part.minimum
        self.minimums[part.stretch.month] += part.minimum
        self.paid += self._pay("cloud", used - credit, minute)
        year.closed = part.closes
        if self.each_month:
            self._make_up(year, part.amount - used, minute)
        elif part.closes:
            missing = year.due
            self._make_up(year, missing, minute)
            months = whole_months(self.spec.take_or_pay.carry_forward.value)
            if missing >= 1.0 and months:
                blueprint = self.world.blueprint
                until = blueprint.minute_of(months_after(blueprint.date_of(part.stretch.end), months))
                self._credits.append((until, missing))

    def _credit(self, dollars: float, minute: int) -> float:
        """Dollars of use that were paid for before, oldest first."""
        left = dollars
        kept = []
        for until, credit in self._credits:
            taken = min(left, credit) if minute < until else 0.0
            left -= taken
            if credit - taken > 0 and minute < until:
                kept.append((until, credit - taken))
        self._credits = kept
        return dollars - left

    def _make_up(self, year: Year, dollars: float, minute: int) -> None:
        year.paid += dollars
        self.made_up += self._pay("take or pay", dollars, minute)

    def _pay(self, kind: str, dollars: float, minute: int) -> int:
        whole = half_up(dollars)
        if whole:
            self.world.money.bill(self.tenant, self.provider, kind, whole, minute, self._contract_id)
        return whole

    def displace(self, owned_mw: float, months: float, price: float | None) -> None:
        """Business that went to what the tenant owned in so many months, while the contract ran."""
        lost = self.spec.displaced_by_owned
        if lost is not None and price is not None:
            draws = self.world.draws
            rate = draws.value(lost.share) * draws.value(lost.margin)
            self.displaced += rate * owned_mw * price / MONTHS * months

    # What is still owed in any case.

    @property
    def left(self) -> int:
        """Dollars of take-or-pay still to be paid, undiscounted, the whole term through; nothing once it is over."""
        if self.over is not None:
            return 0
        self._fresh()
        return half_up(self._left)

    @property
    def _left(self) -> float:
        return sum([year.due for year in self._years.values() if not year.closed])

    def _correct(self, minute: int) -> None:
        """What is at stake at the end of a month is corrected where it is not what was planned."""
        if self.stands and self.contract is not None and self.contract.minutes:
            left = self._left
            if abs(self.contract.at_stake(minute) - left) > 1.0:
                self.contract.correct(minute, half_up(left))

    def _write(self, minute: int) -> None:
        """What is at stake from a minute on, if from now on the minimum is used and no more."""
        level, contract = self._left, self.contract
        if contract is None or (level <= 0 and not contract.minutes):
            return
        minutes, levels = [minute], [half_up(level)]
        rates = {key: year.due / year.ahead for key, year in self._years.items() if year.ahead > 0}
        for part in self._ahead:
            level -= part.minimum * rates.get(part.year, 0.0)
            if part.stretch.end - 1 > minute:
                minutes.append(part.stretch.end - 1)
                levels.append(max(0, half_up(level)))
        contract.plan(minutes, levels)
