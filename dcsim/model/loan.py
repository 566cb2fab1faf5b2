"""One lender's loan to one site, from its first draw to its repayment, refinancing or default.

While the site is built its balance rises with the draws (`tranche`). From then on it is repaid over whole years of
calendar months, the first of which is the month in which everything was ready. Principal is reckoned by the year, as it
was when the cash flow sized the loan, and paid in twelfths at the end of each month; so is the year's interest on the
balance with which the year begins (of the first month, for the days that are left of it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.account import Tranche
from dcsim.model.blueprint import half_up
from dcsim.model.money import Flow
from dcsim.model.months import Months
from dcsim.scenario.sizing import Shape, repayments

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.network.contracts import Contract


class Term(NamedTuple):
    """How a loan is repaid: dates (ascending minutes, the last ones of months) and whole dollars due on them."""

    minutes: Ints
    interest: Ints
    principal: Ints
    balloon: int
    """Of the last principal, what falls due because the loan matures."""


def repayment(
    balance: int, rate: float, flows: Sequence[float], shape: Shape, months: Months, start: int, maturity: int | None
) -> Term:
    """The term of a loan of `balance` dollars from minute `start` on.

    `flows` are the cash flows, one of each year from the month of `start` on. What is left at `maturity` (the last
    minute of a month) is due then.
    """
    first = months.index_of(start) + 1
    dates = np.array(months.firsts[first : first + 12 * len(flows)], np.int64) - 1
    exact = np.cumsum(repayments(balance, flows, rate, shape))
    yearly = np.diff(np.floor(exact + 0.5), prepend=0.0)
    yearly[-1] += balance - yearly.sum()
    opening = balance - np.concatenate([[0.0], np.cumsum(yearly)[:-1]])
    twelfths = np.arange(13) / 12
    principal = np.diff(np.floor(np.outer(yearly, twelfths) + 0.5), axis=1).ravel()
    interest = np.diff(np.floor(np.outer(np.floor(opening * rate + 0.5), twelfths) + 0.5), axis=1).ravel()
    interest[0] = half_up(balance * rate / 12 * months.between(start, months.firsts[first]))
    due, back = interest.astype(np.int64), principal.astype(np.int64)
    kept = len(dates) if maturity is None else int(np.searchsorted(dates, maturity, side="right"))
    balloon = balance - int(back[:kept].sum())
    if balloon:
        dates, due, back = dates[:kept], due[:kept], back[:kept].copy()
        back[-1] += balloon
    return Term(dates, due, back, balloon)


class Loan:
    """What one lender lends to a site. The lender is `outside` once somebody there has refinanced it."""

    def __init__(self, site: Site, lender: str, tranche: Tranche, contract: Contract | None) -> None:
        self.site = site
        self.world = site.world
        self.lender = lender
        self.tranche = tranche
        self.contract = contract
        self.maturity: int | None = None
        """Last minute of the month in which what is left falls due; None: it is repaid by then."""
        self.balloon = 0
        """Dollars of what falls due then that would have been repaid later."""
        self.interest: Flow | None = None
        self.principal: Flow | None = None
        self.late_interest = self.late_principal = 0
        """Dollars of debt service that fell due and are not paid yet."""

    def pay(self, kind: str, dollars: int, minute: int, payer: str | None = None) -> None:
        """The developer, or somebody for it, pays the lender."""
        if dollars:
            self.world.money.pay(payer or self.site.developer, self.lender, kind, dollars, minute)

    def draw(self, dollars: int, minute: int) -> None:
        """The lender pays the developer, who owes so much more."""
        if dollars:
            self.world.money.pay(self.lender, self.site.developer, "loan draw", dollars, minute)

    def owes(self, minute: int, balance: int, later: tuple[int, int] | None = None) -> None:
        """So much is at stake from `minute` on, and so much more `later` (minute, dollars), as it looks now."""
        contract = self.contract
        if contract is not None:
            if later is not None and later[0] > minute:
                contract.plan([minute, later[0]], [balance, later[1]])
            else:
                contract.owe(minute, balance)

    def repay(self, flows: Sequence[float], shape: Shape, months: Months, start: int) -> None:
        """Book the whole term, from minute `start` on."""
        balance = self.tranche.drawn
        term = repayment(balance, self.tranche.rate, flows, shape, months, start, self.maturity)
        money, developer = self.world.money, self.site.developer
        id = self.contract.id if self.contract is not None else None
        self.interest = money.book(developer, self.lender, "interest", term.minutes, term.interest, id)
        self.principal = money.book(developer, self.lender, "principal", term.minutes, term.principal, id)
        self.balloon = term.balloon
        if self.contract is not None:
            left = balance - np.cumsum(term.principal)
            changes = np.flatnonzero(term.principal)
            self.contract.plan([start, *term.minutes[changes].tolist()], [balance, *left[changes].tolist()])

    @property
    def balance(self) -> int:
        """Dollars of principal owed now, arrears included."""
        if self.principal is None:
            return self.tranche.drawn
        return self.principal.to_come(self.world.clock.now) + self.late_principal

    def owed(self, first: int, end: int) -> int:
        """Debt service that falls due from minute `first` to before minute `end`, and arrears; dollars."""
        due = sum(flow.due(first, end) for flow in (self.interest, self.principal) if flow is not None)
        return due + self.late

    @property
    def late(self) -> int:
        """Dollars of debt service in arrears."""
        return self.late_interest + self.late_principal

    def relieve(self, dollars: int) -> None:
        """Somebody else has paid the lender so much of what is late."""
        self.late_interest, dollars = max(0, self.late_interest - dollars), max(0, dollars - self.late_interest)
        self.late_principal -= min(dollars, self.late_principal)

    def pay_part(self, first: int, end: int, dollars: int) -> None:
        """Of debt service in that time, and arrears, so many dollars are paid now, interest first; the rest is late."""
        for flow, late in ((self.interest, "late_interest"), (self.principal, "late_principal")):
            assert flow is not None
            owed = flow.due(first, end) + getattr(self, late)
            part = min(dollars, owed)
            dollars -= part
            setattr(self, late, owed - part)
            later = flow.minutes >= end
            flow.replace_from(first, flow.minutes[later], flow.dollars[later])
            self.pay(flow.kind, part, end - 1)

    def commit(self, amount: int) -> None:
        """The lender's commitment changes; nothing lent at all, the loan is over."""
        self.tranche.amount = amount
        if self.contract is not None:
            self.contract.amount = amount
            if not amount:
                self.close()

    def recover(self, exposure: int, loss: int) -> int:
        """Of what it is owed the lender loses `loss` dollars, and recovers the rest; what it recovers."""
        if self.lender != OUTSIDE:
            self.world.money.pay(OUTSIDE, self.lender, "recovery", exposure - loss)
            self.world.lenders[self.lender].lost += loss
        return exposure - loss

    def end(self) -> None:
        """Nothing falls due any more, and nothing is owed."""
        for flow in (self.interest, self.principal):
            if flow is not None:
                flow.cut(self.world.clock.now)
        self.close()

    def close(self) -> None:
        """The lender is owed nothing."""
        if self.contract is not None:
            self.world.book.close(self.contract.id, self.world.clock.now)
