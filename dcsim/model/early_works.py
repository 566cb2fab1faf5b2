"""Early works: what is built before notice to proceed, within a budget, at somebody's risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail
from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import down, half_up

if TYPE_CHECKING:
    from dcsim.model.site import Site


class EarlyWorks:
    """The early works of one site: what their payer has committed, and what becomes of it.

    At notice to proceed they are part of the project's cost: a tenant who paid for them has it back from the developer.
    If the site ends before, the payer gets what they can be sold for.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.spec = site.spec.construction.early_works
        self.committed = 0
        """Dollars of the budget that are taken."""
        self.spent = 0
        """Dollars paid before notice to proceed."""

    def begin(self) -> None:
        """Wire what happens at notice to proceed and at the end."""
        if self.spec is not None:
            self.site.milestones.on("notice_to_proceed", self._proceed)
            self.site.milestones.on("ended", self._sell)

    @property
    def payer(self) -> str:
        """Who pays for them."""
        tenant = self.spec is not None and self.spec.payer == "tenant"
        return self.site.tenant if tenant else self.site.developer

    def commit(self, amount: int) -> bool:
        """Whether a cost fits what is left of the budget; if so it is committed."""
        world = self.site.world
        if self.spec is None or self.committed + amount > down(world.now(self.spec.budget).value * self.site.cost):
            return False
        self.committed += amount
        return True

    def pay(self, amount: int) -> None:
        """An activity starts, and its cost falls due: before notice to proceed it is the payer's."""
        early = "notice_to_proceed" not in self.site.milestones.reached
        if early and self.site.world.money.pay(self.payer, OUTSIDE, "early works", amount):
            self.spent += amount

    def _proceed(self, trail: Trail) -> None:
        if self.spent and self.payer == self.site.tenant:
            self.site.world.money.pay(self.site.developer, self.payer, "early works", self.spent)

    def _sell(self, trail: Trail) -> None:
        if self.spec is not None and self.spent and "notice_to_proceed" not in self.site.milestones.reached:
            worth = half_up(self.site.world.draws.value(self.spec.resale) * self.spent)
            self.site.world.money.pay(OUTSIDE, self.payer, "early works resale", worth)
