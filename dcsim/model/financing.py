"""The developer's loan: underwriting, then close as soon as lease and guarantee are there, else again later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.engine.trail import Trail, latest
from dcsim.model.account import Account, in_proportion
from dcsim.model.blueprint import down, half_up
from dcsim.model.lender import Lender, current
from dcsim.model.loan import Loan
from dcsim.model.offer import Offer, Offers
from dcsim.model.project import Project
from dcsim.model.step import Step
from dcsim.network.contracts import Contract
from dcsim.scenario.fields import at_least

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import Month
    from dcsim.scenario.financing import Financing as FinancingSpec


class Financing(Step):
    """The site's loan, until it closes; from then on there is a `project`."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "financing", f"{site.id} financing")
        self.site = site
        spec = site.spec.financing
        assert spec is not None
        self.spec: FinancingSpec = spec
        self.offers: Offers = Offers(site)
        self.attempts = 0
        self.underwritten = False
        self.closed = False
        self.closed_at = 0
        """Minute of the close."""
        self.loan = 0
        self.uses = 0
        """Dollars that loan and equity pay for."""
        self.contingency = 0
        """Dollars of them that are set aside."""
        self.binding: str | None = None
        self.without_guarantor = True
        """Whether it would have closed as large with nobody behind the rent."""
        self.project: Project | None = None
        self.written: list[Loan] = []
        """Commitments of before the start that have not closed yet."""
        self._deadline: int | None = None
        self.world.once_paid(self._month_end)

    def _month_end(self, month: Month) -> None:
        if self.project is not None:
            self.project.month_end(month)

    @property
    def lenders(self) -> list[Lender]:
        """Those who would lend to this site: tenant or guarantor has the rating they ask, once that is known."""
        site = self.site
        if not site.lease_is_signed:
            return site.lenders
        backer = site.cover.rating if site.cover is not None else None
        return [
            lender
            for lender in site.lenders
            if at_least(site.tenant_rating, lender.spec.min_rating) or at_least(backer, lender.spec.min_rating)
        ]

    @property
    def guarantor(self) -> str | None:
        """Who stands behind the rent."""
        return self.site.cover.guarantor.id if self.site.cover is not None else None

    # Before the close.

    def begin(self, trail: Trail) -> None:
        """Start underwriting."""
        self.open(trail)
        self._underwrite()

    def lease_signed(self, minute: int) -> None:
        """The deadline counts from here; an underwritten loan closes at once."""
        retry = self.spec.retry
        if retry is not None and not self.closed:
            self._deadline = minute + self.world.draws.minutes(retry.until)
            clock = self.world.clock
            clock.stage_at(max(clock.now, self._deadline), Stage.DEADLINE, self._strike, rank=self.site.rank)
        if self.underwritten:
            self._ask()

    def _underwrite(self) -> None:
        """Takes the longest closing time of those who would lend as it looks now."""
        draws, by = self.world.draws, self.world.by
        user = f"sites.{self.site.id}"
        minutes = [draws.minutes(by(user, lender.spec.closing)) for lender, _ in self._offer(None).shares]
        self.work(max(minutes, default=0), self._underwrote)

    def _underwrote(self) -> None:
        self.underwritten = True
        if self.site.lease_is_signed:
            self._ask()
        else:
            self.wait("financing", "lease")

    def _ask(self) -> None:
        """Ask the lenders when all else in this minute is at rest; sites that ask together come in file order."""
        clock = self.world.clock
        clock.stage_at(clock.now, Stage.ALLOCATION, self._try_to_close, rank=self.site.rank)

    def _offer(self, close: int | None) -> Offer:
        cover = self.site.cover
        return self.offers.best(self.lenders, self.guarantor, None if cover is None else cover.amount, close)

    def _try_to_close(self) -> None:
        """Close with what the lenders have left, if the developer's equity covers the rest; else try again."""
        if self.ended:
            return
        site, now = self.site, self.world.clock.now
        assert self.trail is not None
        self._waiting = None
        self.trail = latest((site.milestones.reached["lease_signed"], self.trail))
        self.attempts += 1
        offer = self._offer(now)
        works = 0 if self._is_short(offer) else self.offers.works(offer, now)
        if not works and offer.uses:
            self._again()
            return
        self._close(offer, works)
        site.reach("financial_close", self.trail)

    def _is_short(self, offer: Offer) -> bool:
        equity = -down(-current(self.world, self.spec.equity) * offer.uses)  # up, as the loan goes down
        return offer.loan + equity < offer.uses

    def _again(self) -> None:
        """The next attempt comes some days later; the underwriting stands."""
        retry = self.spec.retry
        if retry is None:
            self.site.end("unfinanced", "loan and equity do not cover the cost", self.trail)
            return
        self.world.log("loan refused", self.site.id, f"attempt {self.attempts}")
        self.work(max(1, self.world.draws.minutes(retry.every, self.attempts - 1)), self._ask)

    def _strike(self) -> None:
        if not self.closed and not self.site.ended:
            self.site.end("unfinanced", "financing deadline")

    # The close.

    def _close(self, offer: Offer, works: int) -> None:
        site, now = self.site, self.world.clock.now
        self.without_guarantor = site.cover is None or self._closes_alone(offer)
        self.closed = True
        self.closed_at = now
        self.binding, self.loan, self.uses = offer.binding, offer.loan, offer.uses
        self.contingency = self.offers.contingency
        loans = [self.write(lender, amount) for lender, amount in offer.shares]
        for lender, _ in offer.shares:
            lender.check()
        if site.cover is not None:
            site.cover.cut(min(site.cover.amount, half_up(offer.ratio * offer.loan)))
        self.start(loans, works)

    def _closes_alone(self, offer: Offer) -> bool:
        """Whether lenders would lend as much on the tenant's own rating."""
        tenant = self.site.tenant_rating
        lenders = [lender for lender in self.site.lenders if at_least(tenant, lender.spec.min_rating)]
        if not lenders:
            return offer.loan == 0
        alone = self.offers.best(lenders, None, None, self.world.clock.now)
        return alone.loan >= offer.loan and not self._is_short(alone)

    def write(self, lender: Lender, amount: int, minute: int | None = None) -> Loan:
        """Write a lender's commitment into the book."""
        site, world = self.site, self.world
        contract = world.book.open(
            Contract(
                "loan",
                f"loan:{site.id}:{lender.id}",
                site.developer,
                lender.id,
                amount,
                world.clock.now if minute is None else minute,
                site=site.id,
                tenant=site.tenant,
                guarantor=self.guarantor,
            )
        )
        return Loan(site, lender.id, self.offers.tranche(lender, amount), contract)

    def start(self, loans: list[Loan], works: int) -> None:
        """The project begins: what is drawn at close is drawn; fees, and works that were done early, are paid for."""
        early, now = min(works, self.site.early_works.spent), self.world.clock.now
        account = Account([loan.tranche for loan in loans], self.uses, equity_first=self.spec.equity_first)
        project = self.begin_project(loans, account, self.budgets(works - early))
        project.post(account.open(), now, "upfront fee")
        project.carry(early)
        project.settle(now)
        project.tell(now)

    def begin_project(self, loans: list[Loan], account: Account, works: dict[str, int]) -> Project:
        """From now on there is a project; `works` are dollars still to spend on each phase."""
        self.project = Project(self, loans, account, works)
        return self.project

    def budgets(self, works: int) -> dict[str, int]:
        """What each phase's works will cost in the end, by its power: so many dollars in all, and overruns."""
        phases = [phase for phase in self.site.phases.values() if not phase.ended]
        return self.overrun({phase.id: part for phase, part in zip(
            phases, in_proportion(works, [phase.kw for phase in phases]), strict=True)})

    def overrun(self, works: dict[str, int]) -> dict[str, int]:
        """Works as they will come out, of works as planned."""
        times = 1 + self.world.draws.value(self.spec.overrun)
        return {id: half_up(amount * times) for id, amount in works.items()}

    def site_ends(self) -> None:
        """The site has ended: commitments that are not drawn end with it."""
        if self.project is not None:
            self.project.site_ends()
        for loan in self.written if self.project is None else ():
            loan.close()

