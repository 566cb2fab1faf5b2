"""Sources and uses of a site's works, from close until all of it is ready; pure arithmetic in whole dollars.

At the end of each period the works done in it are paid, with interest and commitment fees on what was drawn and
undrawn when it began (P06 of the test cases): a twelfth of the yearly rate for a whole calendar month, its share by
minutes for a part of one. Loan and equity bring what is to be paid in the proportion that they have of all uses (or
equity first); what goes beyond all of them is somebody's cure. At any time

    drawn + equity + cure = works + interest + fees + cash,

cash being what was drawn at close and is not spent yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from dcsim.errors import ModelError
from dcsim.model.blueprint import half_up
from dcsim.model.months import Months

ROUNDS = 50
"""Rounds within which sources and uses must meet."""

LONGEST = 10 * 525_960
"""Minutes of building that are planned for at most."""


class Tranche:
    """What one lender lends to a site, and how much of it has been used."""

    __slots__ = ("amount", "at_close", "commitment_fee", "rate", "upfront_fee", "used")

    def __init__(
        self, amount: int, rate: float, upfront_fee: float = 0.0, commitment_fee: float = 0.0, at_close: bool = False
    ) -> None:
        self.amount = amount
        self.rate = rate
        self.upfront_fee = upfront_fee
        self.commitment_fee = commitment_fee
        self.at_close = at_close
        """Drawn whole at close, and spent later."""
        self.used = 0
        """Dollars that went into uses."""

    @property
    def drawn(self) -> int:
        """Dollars owed to the lender."""
        return self.amount if self.at_close else self.used

    @property
    def undrawn(self) -> int:
        """Dollars that may still be drawn."""
        return 0 if self.at_close else self.amount - self.used


class Settlement(NamedTuple):
    """What was paid at the end of a period, and from what. Lists run parallel to the tranches."""

    works: int
    interest: list[int]
    fees: list[int]
    from_rent: int
    """Of interest and fees, what rent has paid."""
    draws: list[int]
    equity: int
    cure: int


class Account:
    """The sources and uses of a site; raises ModelError if they ever differ."""

    def __init__(self, tranches: Sequence[Tranche], uses: int, *, equity_first: bool = False) -> None:
        self.tranches = list(tranches)
        self.uses = uses
        """All that is planned to be paid, contingency included."""
        self.loan = sum(tranche.amount for tranche in tranches)
        self.equity_first = equity_first
        self.drawn = self.equity = self.cure = self.returned = 0
        self.works = self.interest = self.fees = self.cash = 0

    @property
    def spent(self) -> int:
        """Dollars paid so far."""
        return self.works + self.interest + self.fees

    @property
    def used(self) -> int:
        """Dollars of debt among them."""
        return sum(tranche.used for tranche in self.tranches)

    @property
    def unspent_equity(self) -> int:
        """What the developer still has to bring."""
        return max(0, self.uses - self.loan - self.equity)

    @property
    def available(self) -> int:
        """What is there for what is still to be paid: undrawn, in cash, and equity to come."""
        return sum(tranche.amount - tranche.used for tranche in self.tranches) + self.unspent_equity

    def open(self) -> Settlement:
        """The close: what is drawn at once, and fees."""
        draws = [tranche.amount if tranche.at_close else 0 for tranche in self.tranches]
        self.drawn += sum(draws)
        self.cash += sum(draws)
        fees = [half_up(tranche.upfront_fee * tranche.amount) for tranche in self.tranches]
        later, equity, cure = self._pay(0, 0, sum(fees))
        return Settlement(
            0, [0] * len(draws), fees, 0, [a + b for a, b in zip(draws, later, strict=True)], equity, cure
        )

    def take_up(self, spent: int) -> None:
        """So much had been paid before the start, by loan and equity in their proportion; cash is what is left."""
        self.drawn = self.cash = sum(tranche.amount for tranche in self.tranches if tranche.at_close)
        self._pay(spent, 0, 0)

    def settle(self, months: float, works: int, income: int = 0, *, stopped: bool = False) -> Settlement:
        """The end of a period of so many calendar months. `income` pays interest and fees as far as it reaches.

        While draws are stopped, equity and its cure pay everything.
        """
        year = months / 12
        interest = [half_up(tranche.drawn * tranche.rate * year) for tranche in self.tranches]
        fees = [half_up(tranche.undrawn * tranche.commitment_fee * year) for tranche in self.tranches]
        due, charged = sum(interest), sum(fees)
        from_rent = min(due + charged, max(0, income))
        capitalised = max(0, due - from_rent)
        draws, equity, cure = self._pay(works, capitalised, charged + due - from_rent - capitalised, stopped)
        return Settlement(works, interest, fees, from_rent, draws, equity, cure)

    def take_back(self, dollars: int, *, stopped: bool = False) -> Settlement:
        """Rent that has paid interest or fees was not paid after all: loan and equity bring it."""
        draws, equity, cure = self._pay(0, dollars, 0, stopped)
        nothing = [0] * len(draws)
        return Settlement(0, nothing, nothing, -dollars, draws, equity, cure)

    def _pay(self, works: int, interest: int, fees: int, stopped: bool = False) -> tuple[list[int], int, int]:
        """Pay uses; returns (draws by tranche, equity, cure)."""
        amount = works + interest + fees
        loan, uses = self.loan, self.uses
        draws = [0] * len(self.tranches)
        debt = 0
        if not stopped:
            paid = self.spent + amount
            if self.equity_first:
                target = paid - (uses - loan)
            else:
                target = (2 * loan * paid + uses) // (2 * uses) if uses else 0
            unused = [tranche.amount - tranche.used for tranche in self.tranches]
            debt = max(0, min(target - self.used, amount, sum(unused)))
            for index, part in enumerate(in_proportion(debt, unused)):
                tranche = self.tranches[index]
                tranche.used += part
                if not tranche.at_close:
                    draws[index] = part
        own = amount - debt
        equity = min(own, self.unspent_equity)
        cure = own - equity
        self.drawn += sum(draws)
        self.equity += equity
        self.cure += cure
        self.works += works
        self.interest += interest
        self.fees += fees
        self.cash += sum(draws) + own - amount
        self.check()
        return draws, equity, cure

    def close(self, *, paying: bool = True) -> list[int]:
        """All is built: what is not drawn is cancelled, what was drawn and is not spent goes back (if anybody pays).

        Returns the dollars paid back to each lender.
        """
        back = [tranche.drawn - tranche.used if paying else 0 for tranche in self.tranches]
        for tranche, dollars in zip(self.tranches, back, strict=True):
            tranche.amount = tranche.drawn - dollars
        self.drawn -= sum(back)
        self.cash -= sum(back)
        self.returned += sum(back)
        self.check()
        return back

    def check(self) -> None:
        """Raises ModelError if sources and uses differ, or somebody has lent more than he would."""
        held = sum(tranche.amount - tranche.used for tranche in self.tranches if tranche.at_close)
        if self.drawn + self.equity + self.cure != self.spent + self.cash or held != self.cash:
            raise ModelError(f"sources of {self.drawn + self.equity + self.cure}, uses of {self.spent}, cash {held}")
        if self.drawn != sum(tranche.drawn for tranche in self.tranches):
            raise ModelError(f"{self.drawn} drawn of all lenders, not what each has lent")
        if any(tranche.used > tranche.amount for tranche in self.tranches):
            raise ModelError("a lender has lent more than its commitment")


class Budget:
    """Works of one phase: what is left of them is spent evenly over the time left until it is ready.

    Times are in calendar months (`Months.place`).
    """

    __slots__ = ("begins", "left")

    def __init__(self, left: int, begins: float) -> None:
        self.left = left
        self.begins = begins
        """Notice to proceed."""

    def spend(self, start: float, end: float, ready: float) -> int:
        """Works from one time to another, if they will be ready in a third; all that is left once they are."""
        if ready <= end:
            spent = self.left
        elif self.begins >= end:
            spent = 0
        else:
            since = max(start, self.begins)
            spent = half_up(self.left * (end - since) / (ready - since))
        self.left -= spent
        return spent


class PhasePlan(NamedTuple):
    """What is expected of a phase. Times are minutes."""

    kw: int
    begins: int
    """Notice to proceed."""
    ready: int
    carried_until: int
    """From when its rent pays interest: ready, or later."""
    income: float
    """Dollars of rent a month then, less the landlord's cost."""


def planned(
    account: Account, works: int, phases: Sequence[PhasePlan], months: Months, start: int, early: int = 0
) -> Account:
    """Run an account that is open from `start` through the plan: `works` dollars in all, by power of the phases.

    Of the works, `early` dollars were done before, and are paid for at once.
    """
    early = min(early, works)
    if early:
        account.settle(0.0, early)
        works -= early
    end = min(start + LONGEST, max((phase.carried_until for phase in phases), default=start))
    turns = {start, end, *months.beginnings(start, end)}
    turns.update(minute for phase in phases for minute in (phase.ready, phase.carried_until) if start < minute < end)
    parts = in_proportion(works, [phase.kw for phase in phases])
    place = months.place
    budgets = [
        (Budget(part, place(phase.begins)), place(min(phase.ready, end)))
        for part, phase in zip(parts, phases, strict=True)
    ]
    for (minute, since), (_, until) in pairwise([(minute, place(minute)) for minute in sorted(turns)]):
        rent = sum(phase.income for phase in phases if phase.carried_until <= minute)
        spent = sum(budget.spend(since, until, ready) for budget, ready in budgets if budget.left)
        account.settle(until - since, spent, half_up(rent * (until - since)))
    rest = sum(budget.left for budget, _ in budgets)
    if rest:
        account.settle(0.0, rest)
    return account


def works_within(run: Callable[[int], int], total: int) -> int:
    """The works for which everything comes to `total` dollars, or less by what rounding leaves.

    `run` gives the sum of all uses for so many dollars of works: it rises with them, a little faster. Raises
    ModelError if they do not meet in 50 rounds.
    """
    if total <= 0:
        return 0
    works, slope = total, 0.0
    last: tuple[int, int] | None = None
    best = 0
    for _ in range(ROUNDS):
        uses = run(works)
        gap = total - uses
        if gap >= 0:
            best = max(best, works)
        if 0 <= gap <= 1:
            return works
        if last is None:
            slope = max(1.0, uses / works)  # nearly all of it goes with the works
        elif abs(works - last[0]) > 1000:
            slope = max(0.5, (uses - last[1]) / (works - last[0]))
        last = works, uses
        works = max(0, works + (half_up(gap / slope) or (1 if gap > 0 else -1)))
        if works == last[0] or (gap < 0 and works == best):
            return best
    if total - run(best) > total / 1e6 + ROUNDS:
        raise ModelError(f"works and uses of {total} dollars do not meet")
    return best


def in_proportion(amount: int, weights: Sequence[int]) -> list[int]:
    """A whole number in parts by weight, by rounding running sums; to the first where nothing weighs anything."""
    whole = sum(weights)
    if len(weights) == 1 or whole == 0:
        return [amount, *[0] * (len(weights) - 1)] if weights else []
    out, running, given = [], 0, 0
    for weight in weights:
        running += weight
        upto = (2 * amount * running + whole) // (2 * whole)
        out.append(upto - given)
        given = upto
    return out
