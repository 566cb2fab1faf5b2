"""Debt service of a site once all of it is ready: as scheduled while all is well, from what comes in once it is not.

**All is well**: interest and principal are cash flows of the loans, booked when the term begins (`dcsim.model.loan`),
in proportion to the rent less the landlord's cost of each year; the developer pays them, whatever the rent of a month.

**Stress**: once rent stops or the lease ends, or if the rent cannot repay the loan at all, each month's debt service is
paid from the rent that was paid in it and from the reserve, which keeps what is left of both. Of a guarantee that
covers the loan the rest is claimed. While the lease stands with its rent unpaid, what still lacks may be late: tenant
and guarantor have their own time to pay. Else a shortfall is the loan's default.

**Maturity**: what is left then is refinanced by somebody outside, or the loan is in default.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.account import Tranche, in_proportion
from dcsim.model.blueprint import DAY, half_up
from dcsim.model.lender import current
from dcsim.model.loan import Loan
from dcsim.model.money import Flow
from dcsim.model.months import Months

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.project import Project
    from dcsim.model.site import Site
    from dcsim.model.world import Month, World


class DebtService:
    """The term of a site's loans."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.site: Site = project.site
        self.world: World = project.world
        self.landlord_cost: list[Flow] = []
        self.end = 0
        """Minute at which the last year of repayment ends."""
        self.years: list[tuple[int, int, int]] = []
        """(first minute, minute after the last, dollars of debt service without balloons) of each year."""

    def commenced(self, phase: Phase, minute: int) -> None:
        """The landlord has its cost from the commencement on, for the base term, whoever pays the rent."""
        world, site = self.world, self.site
        monthly = world.draws.value(self.project.spec.landlord_cost) * phase.kw * 1e3 / 12
        if monthly > 0:
            step = world.draws.value(site.spec.lease.escalator)
            length = self.project.financing.offers.lease_months
            minutes, dollars = monthly_costs(self.project.months, minute, length, monthly, step)
            self.landlord_cost.append(world.money.book(site.developer, OUTSIDE, "landlord cost", minutes, dollars))

    def net_rent(self, first: int, end: int) -> int:
        """Rent that is paid from minute `first` to before minute `end`, less the landlord's cost."""
        lease = self.site.lease
        if not lease.commenced:
            return 0
        return lease.rent_paid(first, end) - sum(flow.due(first, end) for flow in self.landlord_cost)

    def _contract_rent(self, turns: list[int]) -> list[int]:
        """Rent that falls due, paid or not, from each of these minutes to the next, less the landlord's cost."""
        total = np.zeros(len(turns) - 1, np.int64)
        for flows, sign in ((self.site.lease.rent.values(), 1), (self.landlord_cost, -1)):
            for flow in flows:
                running = np.concatenate([[0], np.cumsum(flow.dollars)])
                total += sign * np.diff(running[np.searchsorted(flow.minutes, turns)])
        found: list[int] = total.tolist()
        return found

    @property
    def rent_is_late(self) -> bool:
        """Whether the lease stands and whoever owes its rent does not pay."""
        lease = self.site.lease
        late = self.world.parties[lease.lessee].stopped is not None or lease.arrears(self.world.clock.now) > 0
        return late and not lease.ended

    # The schedule.

    def begin(self, commenced: int) -> None:
        """Everything is ready: book the term. Of what commenced before the start only the years that are left."""
        project, now = self.project, self.world.clock.now
        left = max(1, project.financing.offers.years - int(project.months.between(commenced, now) / 12))
        for loan in [loan for loan in project.loans if not loan.balance]:
            loan.end()
        project.loans = [loan for loan in project.loans if loan.balance]
        if not project.loans:
            project.over = True
            return
        flows = self._book(project.loans, now, left)
        if sum(flows) > 0 and not self._carried(flows):
            project.stressed()

    def _book(self, loans: list[Loan], start: int, years: int) -> list[int]:
        """Repay loans from minute `start` over so many years; returns the net rent of each."""
        project, months, last = self.project, self.project.months, self.world.last_minute
        first = months.index_of(start)
        turns = [start, *months.firsts[first + 12 : first + 12 * years + 1 : 12]]
        self.end = turns[-1]
        flows = self._contract_rent(turns)
        for loan in loans:
            self._find_maturity(loan)
            loan.repay(flows, project.spec.sizing.shape, months, start)
        self.years = [year for year in self.years if year[1] <= start]
        for a, b in pairwise(turns):
            service = sum(loan.owed(a, b) - (loan.balloon if a <= (loan.maturity or 0) < b else 0) for loan in loans)
            self.years.append((a, b, service))
        if self.end <= last:
            self.world.clock.at(self.end, self._repaid)
        return flows

    def _repaid(self) -> None:
        if not self.project.over and not any(loan.balance + loan.late_interest for loan in self.project.loans):
            self.project.end()

    def _carried(self, flows: list[int]) -> bool:
        """Whether the net rent repays the loans."""
        loans = self.project.loans
        balance = sum(loan.balance for loan in loans)
        rate = sum(loan.balance * loan.tranche.rate for loan in loans) / balance
        return balance <= sum(flow / (1 + rate) ** (t + 1) for t, flow in enumerate(flows))

    @property
    def min_dscr(self) -> float | None:
        """Least yearly cover of debt service by the rent that is paid, of the years that have begun."""
        last = self.world.last_minute if self.project.defaulted is None else self.project.defaulted
        covers = [self.net_rent(a, b) / service for a, b, service in self.years if a <= last and service]
        return min(covers, default=None)

    # Maturity.

    def _find_maturity(self, loan: Loan) -> None:
        """When what is left falls due: at the end of a month, and not before everything is ready."""
        lender = self.world.lenders.get(loan.lender)
        if lender is None or lender.spec.tenor is None:
            return
        minute = self.project.financing.closed_at + half_up(current(self.world, lender.spec.tenor) * DAY)
        months = self.project.months
        loan.maturity = months.firsts[months.index_of(max(minute - 1, self.world.clock.now)) + 1] - 1
        if loan.maturity < min(self.end - 1, self.world.last_minute + 1):
            self.world.clock.at(loan.maturity, lambda: self._fall_due(loan))

    def _fall_due(self, loan: Loan) -> None:
        """Somebody outside lends what is left, or the loan is in default."""
        project, world, site = self.project, self.world, self.site
        if project.over or loan not in project.loans:
            return
        now = world.clock.now
        refinancing = world.lenders[loan.lender].spec.refinancing
        chance = current(world, refinancing.chance)
        path = f"sites.{site.id}.financing.refinancing.{loan.lender}"
        sound = project.stressed_at is None and world.parties[site.developer].stopped is None
        if not sound or world.draws.fails(path, 1 - chance):
            for other in project.loans:
                other.pay_part(now, now + 1, 0)
            project.default("not refinanced")
            return
        rate = refinancing.rate
        tranche = Tranche(loan.balloon, loan.tranche.rate if rate is None else current(world, rate))
        tranche.used = loan.balloon
        world.money.pay(OUTSIDE, site.developer, "refinancing", loan.balloon)
        world.log("refinanced", site.id, loan.lender)
        loan.close()
        new = Loan(site, OUTSIDE, tranche, None)
        start = now + 1
        others = [other for other in project.loans if other is not loan]
        project.loans = [*others, new]
        years = max(1, (project.months.index_of(self.end) - project.months.index_of(start)) // 12)
        self._book([new], start, years)
        self.years = [(a, b, service + sum(o.owed(a, b) for o in others)) if a >= start else (a, b, service)
                      for a, b, service in self.years]  # fmt: skip

    # Month by month.

    def month(self, month: Month) -> None:
        """A calendar month is over."""
        project, site = self.project, self.site
        assert project.completed is not None
        stressed = project.stressed_at is not None and month.end > project.stressed_at
        stopped = self.world.parties[site.developer].stopped is not None
        if not stressed and not stopped:
            return
        first, end = max(month.first, project.completed), month.end
        owed = [loan.owed(first, end) for loan in project.loans]
        if stopped and any(owed):
            for loan in project.loans:
                loan.pay_part(first, end, 0)
            project.default("the developer pays nothing")
        elif stressed:
            self._serve(first, end, owed)

    def _serve(self, first: int, end: int, owed: list[int]) -> None:
        """Pay from what came in and the reserve, as far as they reach."""
        project = self.project
        there = max(0, project.reserve + self.net_rent(first, end))
        enough = there >= sum(owed)
        project.reserve = there - sum(owed) if enough else 0
        for loan, part in zip(project.loans, owed if enough else in_proportion(there, owed), strict=True):
            if not enough or loan.late:
                loan.pay_part(first, end, part)
        if enough:
            return
        cover = self.site.cover
        for loan in project.loans if cover is not None else ():
            if loan.late:
                assert cover is not None
                loan.relieve(cover.pay_loan(loan.lender, loan.late))
        if any(loan.late for loan in project.loans) and not self.rent_is_late:
            project.default("debt service is not paid")


def monthly_costs(months: Months, start: int, length: int, monthly: float, step: float) -> tuple[Ints, Ints]:
    """(minutes, dollars) of a cost at the ends of months, from minute `start` on for `length` calendar months.

    `monthly` dollars in the first year, and `step` more in each that follows; parts of months by the share of them.
    """
    place = months.place(start)
    first = int(place)
    ends = np.arange(first + 1, int(np.ceil(place + length)) + 1)
    shares = np.minimum(ends, place + length) - np.maximum(ends - 1, place)
    years = np.maximum(ends - 1 - place, 0.0) // 12
    minutes = np.array([months.firsts[end] - 1 for end in ends], np.int64)
    return minutes, np.floor(monthly * shares * (1 + step) ** years + 0.5).astype(np.int64)
