"""The developer's project company: its account while the site is built, its loans until they are repaid.

It is financed without recourse: what it cannot pay is the lenders' loss, and not the developer's default. The
developer's own default is that of a project that is not built yet, unless somebody else guarantees completion: then
that party brings what the developer would have. A project that is built goes on with its rent.

From close until every phase is ready and its rent has commenced, the account is settled at the end of each month and
whenever a phase gets ready (`dcsim.model.account`). Rent of phases that have commenced pays interest first; all other
interest is part of the cost. Each phase spends its share of the works, by power, evenly over the calendar months until
it is ready as forecast at that time. What goes beyond all planned uses, contingency included, is paid by the completion
guarantor, else by the developer. While a condition of drawing fails (`dcsim.model.conditions`) works stand still.

Then what has not been drawn is cancelled, what was drawn and is not spent is repaid, and debt service begins
(`dcsim.model.debt_service`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.ledger import OUTSIDE
from dcsim.model.account import Account, Budget, Settlement, in_proportion
from dcsim.model.blueprint import half_up
from dcsim.model.conditions import OWN, Conditions
from dcsim.model.debt_service import DebtService
from dcsim.model.loan import Loan
from dcsim.model.months import months_from
from dcsim.scenario.sizing import DAYS_OF_YEAR

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.financing import Financing
    from dcsim.model.lender import Lender
    from dcsim.model.offer import Offers
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import Month, World
    from dcsim.scenario.financing import Financing as FinancingSpec

NOT_BEGUN = float("inf")
"""The time of a notice to proceed that has not come."""


class Project:
    """One site's project company, from financial close on."""

    def __init__(self, financing: Financing, loans: list[Loan], account: Account, works: dict[str, int]) -> None:
        """`account` has the loans' tranches; `works` is what each phase's works will cost, dollars."""
        self.financing = financing
        site = financing.site
        self.site: Site = site
        self.world: World = site.world
        self.spec: FinancingSpec = financing.spec
        offers: Offers = financing.offers
        self.loans: list[Loan] = loans
        self.account = account
        self.months = months_from(site.world.blueprint.scenario.start)
        self.opened = self.since = site.world.clock.now
        """Minute up to which everything has been settled, and the first of these."""
        self.budgets = {id: Budget(amount, NOT_BEGUN) for id, amount in works.items()}
        self.completed: int | None = None
        """Minute in which everything was ready."""
        self.over = False
        """Nothing is owed any more."""
        self.stressed_at: int | None = None
        """Minute from which debt service is paid month by month, from what comes in."""
        self.reserve = 0
        self.peak_drawn = account.drawn
        self.defaulted: int | None = None
        self.exposure = self.recovered = 0
        """What lenders were owed at the default, and what of it they got back; dollars."""
        self.daily_interest = sum(loan.tranche.amount * loan.tranche.rate for loan in loans) / DAYS_OF_YEAR
        """Dollars on the whole loan."""
        self.planned_ready = max((phase.ready for phase in offers.plan(self.opened).phases), default=0)
        """Minute in which all was to be ready, as it looked when the project began."""
        self._carried = 0
        """Dollars of costs that the developer has paid, and that are brought with the next settlement."""
        self._counted: list[tuple[int, int, int]] = []
        """(first minute, minute after the last, dollars) of rent that paid something or was kept in what has been
        settled since the last month's end: who owes it may yet turn out not to have paid it."""
        self._covered = False
        self.conditions = Conditions(self)
        self.service = DebtService(self)
        for phase in site.phases.values():
            if not phase.ended:
                self._listen(phase)

    def _listen(self, phase: Phase) -> None:
        m = phase.milestones
        m.on("notice_to_proceed", lambda trail: self._begun(phase, trail))
        m.on("rent_commencement", lambda trail: self._commenced(phase, trail))
        for name in ("ready_for_service", "ended"):
            m.on(name, lambda _: self._look())

    # What others do with it.

    @property
    def building(self) -> bool:
        """Whether there is still something to build, and somebody for whom."""
        return self.completed is None and not self.over and not self.site.ended

    def receive(self, payer: str, kind: str, dollars: int) -> bool:
        """Somebody pays the project something other than rent as it falls due: it is kept in reserve for debt service.

        False, and nothing is paid, if the payer has stopped.
        """
        paid = self.world.money.pay(payer, self.site.developer, kind, dollars)
        if paid and not self.over:
            self.reserve += dollars
        return paid

    def stressed(self) -> None:
        """Rent has stopped, or the lease has ended."""
        self._note_cover()
        if self.stressed_at is None:
            self.stressed_at = self.world.clock.now

    def stop_draws(self, why: str) -> None:
        """A condition of drawing fails: nothing is drawn, and works pause, until it is lifted."""
        self.conditions.add(why)

    def resume_draws(self, why: str | None = None) -> None:
        """The condition holds again (None: all that others than the project look at)."""
        for name in [why] if why is not None else [n for n in self.conditions.failing if n not in OWN]:
            self.conditions.lift(name)

    def carry(self, dollars: int) -> None:
        """The developer has paid something that belongs to the cost (delay credits): it is brought as works are."""
        if self.building:
            self._carried += dollars

    def site_ends(self) -> None:
        """The site ends, and the lease with it: what is not drawn is cancelled, what is not spent goes back.

        What is ready may be let again. If nothing is, nothing will ever come in: what the reserve does not repay by the
        end of the month is in default.
        """
        self.stressed()
        if self.over:
            return
        if self.completed is None:
            self.settle(self.world.clock.now, drawing=False)
            if not self.over and not self._developer_pays:
                self.default("the developer pays nothing")
            if not self.over and not self._complete():
                self._cancel_undrawn()
                if not any(loan.balance for loan in self.loans):
                    self.end()

    def _note_cover(self) -> None:
        cover = self.site.cover
        if cover is not None and cover.effective(self.world.clock.now):
            self._covered = True

    # Building.

    def post(self, done: Settlement, minute: int, fee: str = "commitment fee") -> None:
        """Enter a settlement into the ledger; if the developer pays nothing, whoever guarantees completion does."""
        money, developer = self.world.money, self.site.developer
        payer = developer if self._developer_pays else self.payer
        if payer == developer:
            equity, cure = done.equity, done.cure
            if not self.world.parties[developer].stands:
                equity, cure = 0, equity + cure
            money.pay(OUTSIDE, developer, "equity", equity, minute)
            if cure and not money.pay(self.payer, developer, "equity cure", cure, minute):
                self.default("cost to complete")
        for loan, draw, interest, charged in zip(self.loans, done.draws, done.interest, done.fees, strict=True):
            loan.draw(draw, minute)
            loan.pay("interest", interest, minute, payer)
            loan.pay(fee, charged, minute, payer)
        if done.works > self._carried:
            money.pay(payer, OUTSIDE, "construction", done.works - self._carried, minute)
        self._carried = 0
        self.peak_drawn = max(self.peak_drawn, self.account.drawn)

    def settle(self, end: int, *, drawing: bool = True) -> None:
        """Pay for the time since the last settlement, up to minute `end`, if it is still being built."""
        if self.completed is not None or self.over or end < self.since:
            return
        alone = not self._developer_pays
        if alone and self.loans and end > self.since and (self.payer == OUTSIDE or not self.payer_pays):
            self.default("the developer pays nothing")
            return
        start = self.since
        since, until = self.months.place(start), self.months.place(end)
        works = 0 if self.conditions.failing else sum(self._works(id, since, until) for id in self.budgets)
        months = until - since
        if not months and not works and not self._carried:
            return
        income = rent = self.service.net_rent(start, end)
        if self.stressed_at is not None:
            self.reserve = max(0, self.reserve + rent)
            income = self.reserve
        stopped = bool(self.conditions.failing) or not drawing or alone
        done = self.account.settle(months, works + self._carried, income, stopped=stopped)
        kept = done.from_rent
        if self.stressed_at is not None:
            self.reserve -= done.from_rent
            kept = rent
        if kept > 0:
            self._counted.append((start, end, kept))
        self.since = end
        minute = max(end - 1, self.opened)
        self.post(done, minute)
        self.tell(minute)

    def _recount(self) -> None:
        """Rent that was counted within the month was missed, as its end has shown: the reserve gives it back. What
        lacks then is drawn as works are; once all is built it is the developer's loss."""
        counted, self._counted = self._counted, []
        missed = sum(max(0, kept - max(0, self.service.net_rent(first, end))) for first, end, kept in counted)
        if self.stressed_at is not None:
            kept_back = min(missed, self.reserve)
            self.reserve -= kept_back
            missed -= kept_back
        if missed and self.building:
            stopped = bool(self.conditions.failing) or not self._developer_pays
            self.post(self.account.take_back(missed, stopped=stopped), max(self.since - 1, self.opened))

    @property
    def _developer_pays(self) -> bool:
        return self.world.parties[self.site.developer].stopped is None

    def _works(self, id: str, start: float, end: float) -> int:
        budget = self.budgets[id]
        if not budget.left:
            return 0
        phase = self.site.phases[id]
        ready = end if "ready_for_service" in phase.milestones.reached else self.months.place(phase.forecasts.rfs)
        return budget.spend(start, end, ready)

    def tell(self, minute: int) -> None:
        """What is at stake for each lender now, and once all is built."""
        ready = max((p.forecasts.rfs for p in self.site.phases.values() if not p.ended), default=minute)
        later = max(ready, self.world.next_month + 1)
        for loan in self.loans:
            loan.owes(minute, loan.tranche.drawn, (later, loan.tranche.amount))

    def _begun(self, phase: Phase, trail: Trail) -> None:
        if phase.id in self.budgets:
            self.budgets[phase.id].begins = self.months.place(trail.minute)

    def _commenced(self, phase: Phase, trail: Trail) -> None:
        self.service.commenced(phase, trail.minute)
        self._look()

    def _look(self) -> None:
        """A phase got ready, commenced or ended: perhaps it was the last."""
        if not self.building:
            return
        self.settle(self.world.clock.now)
        for id in [id for id in self.budgets if self.site.phases[id].ended and not self._is_done(id)]:
            del self.budgets[id]
        if self.building and all(self._is_done(p.id) or p.ended for p in self.site.phases.values()):
            self._complete()

    def _is_done(self, id: str) -> bool:
        """Whether a phase is ready and its rent has commenced."""
        reached = self.site.phases[id].milestones.reached
        return "ready_for_service" in reached and "rent_commencement" in reached

    def _cancel_undrawn(self) -> None:
        """What is not drawn is cancelled, what was drawn and is not spent goes back."""
        now = self.world.clock.now
        for loan, back in zip(self.loans, self.account.close(paying=self._developer_pays), strict=True):
            minute = max(now - 1, self.opened)
            loan.pay("principal", back, minute)
            loan.commit(loan.tranche.amount)
            loan.owes(minute, loan.tranche.drawn)

    def _complete(self) -> bool:
        """All that will ever be ready is, and all rent has commenced; False if nothing is."""
        done = [phase.milestones.reached for phase in self.site.phases.values() if self._is_done(phase.id)]
        if done:
            self._cancel_undrawn()
            self.completed = self.world.clock.now
            self.service.begin(max(reached["rent_commencement"].minute for reached in done))
        return bool(done)

    # What may still come.

    @property
    def payer(self) -> str:
        """Who brings what the planned uses do not reach for: the developer's money comes from outside."""
        party = self.spec.completion_guarantee
        return OUTSIDE if party in (None, self.site.developer) else str(party)

    @property
    def payer_pays(self) -> bool:
        """Whether that party still brings anything."""
        party = self.world.parties[self.site.developer if self.payer == OUTSIDE else self.payer]
        return party.stands and party.stopped is None

    @property
    def cost_to_complete(self) -> int:
        """Works to come, and interest and fees until all is ready as forecast, with half of what is undrawn drawn."""
        if self.completed is not None:
            return 0
        phases = [phase for phase in self.site.phases.values() if not phase.ended]
        ready = max((phase.forecasts.rfs for phase in phases), default=self.since)
        years = min(10.0, self.months.between(self.since, max(self.since, ready)) / 12)
        carry = 0.0
        for loan in self.loans:
            tranche = loan.tranche
            half = (tranche.drawn + tranche.amount) / 2
            carry += years * (half * tranche.rate + tranche.undrawn / 2 * tranche.commitment_fee)
        return sum(budget.left for budget in self.budgets.values()) + half_up(carry)

    @property
    def contingency_left(self) -> int:
        """Dollars of the contingency that what was paid, and the cost to complete, leave."""
        left = self.account.uses - self.account.spent - self.cost_to_complete
        return max(0, min(self.financing.contingency, left))

    def join(self, lender: Lender, amount: int) -> None:
        """Another lender commits so much."""
        own = next((loan for loan in self.loans if loan.lender == lender.id), None)
        if own is not None:
            own.commit(own.tranche.amount + amount)
        else:
            loan = self.financing.write(lender, amount)
            loan.tranche.at_close = False
            self.loans.append(loan)
            self.account.tranches.append(loan.tranche)
        lender.check()

    # The end.

    def month_end(self, month: Month) -> None:
        """A calendar month is over: what was built in it is paid, or debt service is."""
        if self.over:
            return
        self._recount()
        if self.building:
            self.conditions.examine(late=True)
            self.settle(month.end)
        elif self.completed is not None:
            self.service.month(month)
        elif self.stressed_at is not None and month.end > self.stressed_at:
            self.default("the site has ended before anything was ready")

    def default(self, why: str) -> None:
        """The loans are in default: lenders share what there is, and lose the rest but for what they recover."""
        if self.over:
            return
        world, spec, now = self.world, self.spec.loss_given_default, self.world.clock.now
        owed = [loan.balance + loan.late_interest for loan in self.loans]
        there = min(sum(owed), max(0, self.reserve) + self.account.cash) if self._developer_pays else 0
        back = in_proportion(there, owed)
        lost = world.draws.value(spec.covered if self._covered else spec.uncovered)
        self.end()
        if there == sum(owed):
            for loan, dollars in zip(self.loans, back, strict=True):
                loan.pay("interest", loan.late_interest, now)
                loan.pay("principal", dollars - loan.late_interest, now)
            return
        self.defaulted, self.exposure = now, sum(owed)
        cover = self.site.cover
        for loan, balance, dollars in zip(self.loans, owed, back, strict=True):
            loan.pay("principal", dollars, now)
            if cover is not None:
                dollars += cover.pay_loan(loan.lender, balance - dollars)
            loss = half_up((balance - dollars) * lost)
            self.recovered += loan.recover(balance - dollars, loss) + dollars
        world.log("loan default", self.site.id, why)
        if not self.site.ended and self.completed is None:
            self.site.end("terminated", "its loan is in default")

    def end(self) -> None:
        """Nothing is owed any more."""
        self.over = True
        for loan in self.loans:
            loan.end()
