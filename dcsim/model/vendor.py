"""Racks paid over time: the vendor, or a lender, advances a share of their price and is repaid in level months."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import dollars, half_up
from dcsim.model.instalments import Draw, Instalments, months_of
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.model.hardware import Hardware
    from dcsim.model.supply import Title
    from dcsim.scenario.vehicle import VendorFinance


class Note:
    """What one lender lends a tenant on one order. The racks are its security."""

    def __init__(self, hardware: Hardware, order: str, tenant: str, lender: str, spec: VendorFinance) -> None:
        self.hardware = hardware
        self.world = world = hardware.world
        self.tenant = tenant
        self.lender = lender
        self.spec = spec
        self.drawn = 0
        """Dollars lent so far."""
        self._rate = world.draws.value(spec.rate)
        self._draws: list[tuple[Draw, list[Title]]] = []
        self.owed = Instalments(hardware.firsts)
        id = f"vendor_finance:{order}:{lender}"
        contract = Contract("vendor_finance", id, tenant, lender, 0, world.clock.now, tenant=tenant)
        self.contract = world.book.open(contract)
        self._interest = world.money.book(tenant, lender, "interest", [], [], self.contract.id)
        self._principal = world.money.book(tenant, lender, "principal", [], [], self.contract.id)
        if spec.ltv is not None:
            world.on_month(self._test)
        party = world.parties[tenant]
        party.on("stopped", self._stopped)
        party.on("resumed", self._publish)
        party.on("default", self._default)

    def loan(self, price: int, deposit: int) -> int | None:
        """What it lends on racks of this price, the deposit being paid; None if it does not."""
        world, spec = self.world, self.spec
        share = world.draws.value(spec.advance)
        if spec.ltv is not None:
            share = min(share, world.draws.value(spec.ltv))
        loan = min(half_up(share * price), price - deposit)
        if not self.hardware.pays(self.lender) or not self.hardware.pays(self.tenant):
            return None
        if spec.capacity is None or world.unlimited:
            return loan
        return loan if self.drawn + loan <= dollars(world.now(spec.capacity).value) else None

    def draw(self, titles: list[Title], loan: int) -> None:
        """The lender pays its share to the tenant, who pays the supplier."""
        world, now = self.world, self.world.clock.now
        self.drawn += loan
        self.contract.amount = self.drawn
        world.money.pay(self.lender, self.tenant, "vendor draw", loan)
        draw = Draw(self.hardware.firsts, now, loan, self._rate, months_of(world.now(self.spec.term).value))
        self._draws.append((draw, titles))
        self.owed.add(draw)
        self._publish()

    def _publish(self) -> None:
        flows = [(self._interest, self.owed.interest), (self._principal, self.owed.principal)]
        self.owed.publish(self.world.clock.now, [(self.contract, 1.0)], flows)

    def _test(self) -> bool:
        """On the 1st, after what is due: the balance above the limit on the racks is paid down, oldest draw first."""
        world, spec, now = self.world, self.spec, self.world.clock.now
        assert spec.ltv is not None
        index = self.hardware.firsts.after(now) - 1
        self._draws = [(draw, titles) for draw, titles in self._draws if draw.owed(index) > 0]
        balance = sum(draw.owed(index) for draw, _ in self._draws)
        pledged = (title for _, titles in self._draws for title in titles)
        worth = sum(self.hardware.worth(title, title.racks - title.gone) for title in pledged)
        excess = balance - half_up(world.draws.value(spec.ltv) * worth)
        if excess > 0 and world.money.pay(self.tenant, self.lender, "principal", excess):
            world.log("paid down", self.contract.id, f"{excess} dollars above its loan to value")
            for draw, _ in self._draws:
                part = min(excess, draw.owed(index))
                if part:
                    self.owed.pay_down(draw, index, part)
                    excess -= part
            self._publish()
        return world.parties[self.tenant].stands

    def _stopped(self) -> None:
        """The tenant has stopped paying: what it owes falls no more."""
        self.contract.owe(self.world.clock.now, self.owed.owed_before(self._stop))

    @property
    def _stop(self) -> int:
        """Minute from which the tenant pays nothing."""
        stopped = self.world.parties[self.tenant].stopped
        assert stopped is not None
        return stopped

    def _default(self) -> None:
        """The tenant has defaulted: the lender sells the racks at what they are worth, and claims the rest."""
        world, now = self.world, self.world.clock.now
        left = self.owed.owed_before(self._stop)
        if not left:
            return
        index = self.hardware.firsts.from_(self._stop) - 1
        draws = [(draw, titles) for draw, titles in self._draws if draw.owed(index) > 0]
        titles = [title for _, titles in draws for title in titles]
        claim = left + self._interest.arrears(now)
        fetched = min(claim, sum(sum(self.hardware.fetched(titles, draw.owed(index))) for draw, titles in draws))
        self._interest.cut(self._stop)
        self._principal.cut(self._stop)
        self.owed.drop(now)
        world.money.pay(OUTSIDE, self.lender, "chips sold", fetched)
        self.contract.owe(now, claim - fetched)
        self.hardware.take_back(self.tenant, titles)
