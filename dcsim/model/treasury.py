"""A tenant's money: what it earns, raises and borrows, and what happens when it cannot pay.

A month is settled when it is over and billed: its inflows count first, then its payments in the order in which they
fell due. If cash and the revolver do not reach, everything from the first payment on that cannot be made in full stays
unpaid (what else is due in that minute, too). The tenant defaults grace and cure later, unless at a month's end before
that cash and revolver cover all arrears: then it pays them and goes on. A tenant in default earns nothing any more.

So nobody pays what it does not have: cash is never below nothing at the end of a month, before a default or after it.
Only what is due and unpaid makes `least_cash` negative.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dcsim.engine.clock import Handle, Stage
from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.blueprint import dollars, half_up
from dcsim.model.cloud import MONTHS
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.model.compute import Compute
    from dcsim.model.parties import Cause
    from dcsim.model.world import Month, World
    from dcsim.scenario.fields import When
    from dcsim.scenario.treasury import Ipo, Round

FIXED: Final = frozenset({"rent", "hardware lease", "interest", "principal", "revolver interest"})
"""Kinds of payment that are fixed charges, beside the minimum of cloud contracts."""


class Rates(NamedTuple):
    """What was in force when a month, or what is settled of it, was over."""

    end: int
    """The minute after its last."""
    price: float
    """Dollars a MW that serves and year, before its trend."""
    trend: float
    training: float
    operating: float
    """Operating cost over revenue."""
    fixed: float
    """Dollars a month."""
    interest: float
    """On what is drawn, a year."""


class Treasury:
    """One tenant's money in one replication. Whole dollars."""

    def __init__(self, world: World, tenant: str) -> None:
        """The account is opened: nothing of the tenant may have been booked before."""
        self.world = world
        self.id = tenant
        self.party = world.parties[tenant]
        spec = world.spec.tenants[tenant].treasury
        assert spec is not None
        self.spec = spec
        self.path = f"tenants.{tenant}.treasury"
        self.account = world.money.watch(tenant, dollars(world.draws.value(spec.cash)))
        self.compute: Compute
        self.drawn = 0
        """Of the revolver."""
        self.revenue = 0
        self.ipo_proceeds = 0
        self.equity = 0
        """Raised in rounds."""
        self.ipo_minute: int | None = None
        self.cash: list[int] = []
        """At the end of each month, as the ledger has it."""
        self.least_cash: int | None = None
        """At the end of a month, less what was due and left unpaid: below zero where it could not pay."""
        self.least_month = 0
        self.funding_gap = 0
        """The most by which cash without the revolver would have been below zero, all paid that was due."""
        self.income: list[int] = []
        """Revenue less operating and fixed cost, by month."""
        self.missed: int | None = None
        """Minute of the first payment that it missed and has not made up for."""
        self._default: Handle | None = None
        self._cause: Cause = "liquidity"
        self._rates: Rates | None = None
        if world.changeable:
            world.on_month(self._month_over)  # before what strikes in the same minute
            self.party.on("default", self._month_over)

    def begin(self) -> None:
        """Book what will be raised."""
        if self.spec.ipo is not None:
            self._go_public(self.spec.ipo, 0, self.world.when(self.spec.ipo.date))
        for index, round in enumerate(self.spec.rounds):
            self._raise(round, index, self.world.when(round.date))

    # Equity.

    def _due(self, date: When, minute: int) -> int | None:
        """A later minute, if the date has been moved meanwhile; None if it is due."""
        moved = self.world.when(date)
        return moved if moved > max(minute, self.world.clock.now) else None

    def _go_public(self, ipo: Ipo, k: int, minute: int) -> None:
        clock, last = self.world.clock, self.world.last_minute
        if minute <= last:
            clock.at(max(minute, clock.now), lambda: self._ask_the_market(ipo, k, minute))

    def _ask_the_market(self, ipo: Ipo, k: int, minute: int) -> None:
        world = self.world
        if not self.party.stands:
            return
        moved = self._due(ipo.date, minute)
        if moved is not None:
            self._go_public(ipo, k, moved)
        elif not world.draws.fails(f"{self.path}.ipo", 1.0 - world.now(ipo.chance).value, k):
            self.ipo_proceeds = dollars(world.draws.value(ipo.amount))
            self.ipo_minute = world.clock.now
            world.log("ipo", self.id, f"{self.ipo_proceeds} dollars")
            world.money.pay(OUTSIDE, self.id, "ipo", self.ipo_proceeds)
        elif ipo.retry is not None:
            again = world.clock.now + max(1, world.draws.minutes(ipo.retry, k))
            self._go_public(ipo, k + 1, again)

    def _raise(self, round: Round, index: int, minute: int) -> None:
        clock, last = self.world.clock, self.world.last_minute
        if minute <= last:
            clock.at(max(minute, clock.now), lambda: self._close_round(round, index, minute))

    def _close_round(self, round: Round, index: int, minute: int) -> None:
        world = self.world
        if not self.party.stands:
            return
        moved = self._due(round.date, minute)
        if moved is not None:
            self._raise(round, index, moved)
            return
        if world.draws.fails(f"{self.path}.rounds.{index}", 1.0 - world.now(round.chance).value):
            return
        investor, amount = round.by or OUTSIDE, dollars(world.draws.value(round.amount))
        contract = f"equity:{self.id}:{index}"
        now = world.clock.now
        if not world.money.bill(investor, self.id, "equity round", amount, now, contract):
            return  # promised, and owed: it counts when somebody asks whose default this was
        self.equity += amount
        world.log("equity round", self.id, f"{amount} dollars")
        if round.by is not None and amount:
            stake = Contract("equity", contract, self.id, round.by, amount, now, tenant=self.id)
            world.book.open(stake).owe(now, amount)

    # A month.

    def earn(self, month: Month) -> None:
        """A calendar month is over and billed: revenue, and what it costs."""
        if self.party.stands or month.first < (self.party.defaulted or 0):
            self._earn(month)
        else:
            self.income.append(0)

    def close(self, month: Month) -> None:
        """Everybody has paid what he can of a month: write down what is there, and what is owed."""
        cash = self._closing(month.number)
        behind = self.party.stands and self.party.stopped is not None
        if self.party.stands:
            self._measure(month, cash - (self.world.money.arrears(self.id, month.end - 1) if behind else 0))
        self.cash.append(cash)

    def _month_over(self) -> None:
        self._rates = self._in_force(self.world.clock.now)

    def _in_force(self, end: int) -> Rates:
        spec, draws, demand = self.spec, self.world.draws, self.world.spec.tenants[self.id].demand
        return Rates(
            end,
            draws.value(spec.price) * 1e6,
            draws.value(spec.price_trend),
            draws.value(demand.training_share) if demand is not None else 0.0,
            draws.value(spec.operating_cost),
            draws.value(spec.fixed_cost) * 1e6,
            draws.value(spec.revolver_rate),
        )

    def _earn(self, month: Month) -> None:
        money, compute, defaulted = self.world.money, self.compute, self.party.defaulted
        end = month.end if defaulted is None else min(month.end, defaulted)
        rates = self._rates if self._rates is not None and self._rates.end == end else self._in_force(end)
        months = compute.months[month.number]
        price = rates.price * (1.0 + rates.trend) ** (month.number / MONTHS)
        serving = compute.served_mw[month.number] * (1.0 - rates.training)
        revenue = half_up(serving * price / MONTHS * months)
        self.revenue += revenue
        money.pay(OUTSIDE, self.id, "revenue", revenue, end - 1)
        costs = {
            "operating cost": half_up(rates.operating * revenue),
            "fixed cost": half_up(rates.fixed * months),
        }
        self.income.append(revenue - sum(costs.values()))
        if self.drawn:
            costs["revolver interest"] = half_up(rates.interest / MONTHS * self.drawn * months)
        for kind, cost in costs.items():
            if cost:
                money.bill(self.id, OUTSIDE, kind, cost, end - 1)

    def _closing(self, month: int) -> int:
        """Cash at the end of a month."""
        account = self.account
        return account.opening + int(account.received[: month + 1].sum()) - int(account.paid[: month + 1].sum())

    @property
    def line(self) -> int:
        """What can still be drawn of the revolver."""
        return max(0, dollars(self.world.draws.value(self.spec.revolver)) - self.drawn)

    def stop_short(self, month: Month) -> bool:
        """Stop paying if neither cash nor what is left of the revolver does; whether it has come to that now."""
        cash = self._closing(month.number)
        open_line = self.line if self.party.stands else 0
        return cash + open_line < 0 and self._miss(month, cash, open_line)

    def balance(self, month: Month) -> None:
        """Make good what was missed if it can be, draw if cash does not reach, or repay."""
        cash, last = self._closing(month.number), month.end - 1
        arrears = self.world.money.arrears(self.id, last) if self.missed is not None else 0
        if self.missed is not None and self.party.stands and cash + self.line >= arrears:
            self._borrow(arrears - cash, last)
            self._make_good(last)
        elif cash < 0:
            self._borrow(-cash, last)
        elif self.drawn and cash > 0 and self.party.stopped is None:
            repaid = min(self.drawn, cash)
            self.drawn -= repaid
            self.world.money.pay(self.id, OUTSIDE, "revolver repayment", repaid, last)

    def _borrow(self, amount: int, minute: int) -> int:
        """Draw on the revolver as far as it goes; returns what was drawn."""
        amount = max(0, min(amount, self.line))
        if amount:
            self.drawn += amount
            self.world.money.pay(OUTSIDE, self.id, "revolver draw", amount, minute)
        return amount

    def _measure(self, month: Month, net: int) -> None:
        """Cash at the end of a month, less what is in arrears."""
        if self.least_cash is None or net < self.least_cash:
            self.least_cash, self.least_month = net, month.number
        self.funding_gap = max(self.funding_gap, self.drawn - net)

    # When money does not reach.

    def _miss(self, month: Month, cash: int, line: int) -> bool:
        """The first payment that cannot be made in full, and all after it, are missed; the clock runs from there.

        False if there is no such payment.
        """
        world, party = self.world, self.party
        able = cash + int(self.account.paid[month.number]) + line
        first, spent = None, 0
        for minute, amount in world.money.payments(self.id, month.first, month.end):
            spent += amount
            if spent > able:
                first = minute
                break
        if first is None:
            return False
        owed = world.money.arrears_to(self.id, month.end - 1)
        self._cause = "contagion" if owed and self._would_have_paid(able, owed, month) else "liquidity"
        if party.stopped is None:
            party.stop_paying(first)
        else:
            party.stopped = min(party.stopped, first)
            world.money.stop(self.id, first, take_back=True)
        if self.missed is None and party.stands:
            self.missed = first
            clock = self.spec.default
            minute = first + world.draws.minutes(clock.grace) + world.draws.minutes(clock.cure)
            if minute <= world.last_minute:
                self._default = world.clock.stage_at(
                    max(world.clock.now, minute), Stage.SHOCK, lambda: self._fail()
                )
        return True

    def _would_have_paid(self, able: int, owed: dict[str, int], month: Month) -> bool:
        """Whether it fails only because those fail who owe it: by clearing what was due among them."""
        from dcsim.network.clearing import clear

        debtors = list(owed)
        liabilities = np.zeros((1 + len(debtors), 1 + len(debtors)))
        liabilities[1:, 0] = [owed[id] for id in debtors]
        due = int(self.account.paid[month.number]) + self.world.money.arrears(self.id, month.end - 1)
        nothing = np.zeros(len(debtors))
        return bool(clear(liabilities, [max(0, able), *nothing], [due, *nothing]).contagion[0])

    def _make_good(self, minute: int) -> None:
        """It pays what it missed, as of the month that is over, and goes on."""
        self.missed = None
        if self._default is not None:
            self._default.cancel()
            self._default = None
        self.party.resume_paying(minute)

    def _fail(self) -> None:
        self.party.default(self._cause)

    # Numbers.

    def charges(self, paid: Ints) -> Ints:
        """Fixed charges due by month: of what was paid of such kinds (`paid`), what was not, and cloud minimums."""
        due: Ints = paid + self.world.money.unpaid(self.id, FIXED)
        for cloud in self.compute.clouds:
            due += np.floor(np.array(cloud.minimums) + 0.5).astype(np.int64)
        return due


def settle(treasuries: Collection[Treasury], month: Month) -> None:
    """Who cannot pay for a month stops, which may leave others short whom it would have paid; the rest draw or repay.

    Once more in the same month it settles only what has been paid since.
    """
    while any([treasury.stop_short(month) for treasury in treasuries]):
        pass
    for treasury in treasuries:
        treasury.balance(month)
