"""Conditions of drawing on a site's loans: while one fails nothing is drawn, and the site's works stand still.

They are looked at when somebody concerned stops or resumes paying, and at the end of each month:

- every lender whose commitment is not fully drawn pays, and has not been frozen (a capacity of nothing). Of a lender
  in default another one listed for the site, with room for all of it and content with the ratings, takes over what is
  not drawn;
- a tenant that needed no guarantor still has the rating that its lenders ask for (`dcsim.model.replacement` says the
  same of guarantors, in its own time, through `add` and `lift`);
- what is there reaches for the cost to complete, or whoever must bring the rest pays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.scenario.fields import at_least, strictest

if TYPE_CHECKING:
    from dcsim.model.loan import Loan
    from dcsim.model.project import Project
    from dcsim.model.site import Site
    from dcsim.model.world import World

CAUSE = "financing"
"""What days of a draw stop are charged to."""

OWN = ("lender", "rating", "cost to complete")
"""Conditions that are looked at here."""


class Conditions:
    """Why nothing may be drawn for a site, if so."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.site: Site = project.site
        self.world: World = project.world
        self.failing: dict[str, int] = {}
        """Since when each condition fails, minutes."""
        self.who = f"{self.site.id} draw stop"
        parties = self.world.parties
        concerned = [self.site.developer, self.site.tenant, project.payer, *(loan.lender for loan in project.loans)]
        for id in dict.fromkeys(concerned):
            if id in parties:
                for news in ("stopped", "resumed", "default", "downgrade"):
                    parties[id].on(news, self.examine)

    def add(self, why: str, *, late: bool = False) -> None:
        """A condition fails from now on, or has failed for some time (`late`).

        The draw of a month that is over is made if it came before. What was built since is brought by equity.
        """
        if why in self.failing or not self.project.building:
            return
        first, now = not self.failing, self.world.clock.now
        if first:
            if not late:
                self._draw_what_is_due()
            self.project.settle(now, drawing=False)
        self.failing[why] = now
        if first:
            self.world.log("works halted", self.site.id, why)
            for phase in self.site.phases.values():
                if not phase.ended:
                    phase.stand_still(CAUSE, self.who)

    def lift(self, why: str) -> None:
        """A condition holds again."""
        if why not in self.failing:
            return
        if len(self.failing) == 1:
            self.project.settle(self.world.clock.now)
        del self.failing[why]
        if not self.failing:
            self.world.log("works resumed", self.site.id, why)
            for phase in self.site.phases.values():
                if not phase.ended:
                    phase.go_on(CAUSE, self.who)

    def _draw_what_is_due(self) -> None:
        """On a 1st, the draw of the month that is over comes before whatever else happens."""
        months, now = self.project.months, self.world.clock.now
        if not self.failing and months.firsts[months.index_of(now)] == now:
            self.project.settle(now)

    def examine(self, *, late: bool = False) -> None:
        """Look at each condition as it is now (`late`: at the end of a month, in which it may have begun to fail)."""
        project, parties = self.project, self.world.parties
        if not project.building:
            return
        if not late:
            self._draw_what_is_due()
        for loan in list(project.loans):
            if loan.tranche.undrawn and loan.lender in parties and not parties[loan.lender].stands:
                self._take_over(loan)
        failing = {
            "lender": any(self._frozen(loan) for loan in project.loans if loan.tranche.undrawn),
            "rating": self._downgraded,
            "cost to complete": not project.payer_pays and project.cost_to_complete > project.account.available,
        }
        for why, fails in failing.items():
            if fails:
                self.add(why, late=late)
            else:
                self.lift(why)

    def _frozen(self, loan: Loan) -> bool:
        lender = self.world.lenders[loan.lender]
        return not lender.stands or lender.frozen

    @property
    def _downgraded(self) -> bool:
        if self.site.cover is not None:
            return False
        floor = strictest(self.world.lenders[loan.lender].spec.min_rating for loan in self.project.loans)
        return not at_least(self.site.tenant_rating, floor)

    def _take_over(self, loan: Loan) -> None:
        """Another lender commits what the one in default has not lent, to be drawn as spent, at its rate, without a fee
        at close."""
        financing, missing = self.project.financing, loan.tranche.undrawn
        bonds = {other.lender for other in self.project.loans if other.tranche.at_close}
        for lender in financing.lenders:
            left = lender.left(self.site.tenant, financing.guarantor)
            able = lender.stands and not lender.frozen and lender.id not in bonds
            if able and lender.id != loan.lender and (left is None or left >= missing):
                loan.commit(loan.tranche.used)
                self.project.join(lender, missing)
                self.world.log("commitment taken over", self.site.id, lender.id)
                return
