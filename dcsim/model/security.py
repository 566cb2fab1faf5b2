"""Security for the rent: cash in escrow or a bank's letter, on which the developer draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import YEAR, half_up
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.model.lease import Lease
    from dcsim.scenario.lease import Security as SecuritySpec


class Security:
    """The security of one lease, from its signing to its end, paid for by the tenant. Cash lies in escrow outside."""

    def __init__(self, lease: Lease, spec: SecuritySpec) -> None:
        self.lease = lease
        self.spec = spec
        self.world = lease.world
        self.left = 0
        """Dollars that may still be drawn."""
        self._billed: int | None = None
        """Minute up to which the letter's fee is paid; None while there is no letter."""

    @property
    def cash(self) -> bool:
        """Whether it is a deposit."""
        return self.spec.form == "cash"

    @property
    def _id(self) -> str:
        return f"letter of credit:{self.lease.site.id}"

    def post(self, minute: int) -> None:
        """The lease is signed: the first year's rent of all its phases says how much it is."""
        lease, world = self.lease, self.world
        monthly = sum(p.monthly for p in lease.premises.values() if not p.phase.ended)
        any_phase = next(iter(lease.premises.values()))
        self.left = any_phase.days_of_rent(world.draws.value(self.spec.amount), monthly)
        if self.cash:
            world.money.pay(lease.site.tenant, OUTSIDE, "security deposit", self.left, minute)
            return
        self._billed = max(0, minute)
        if self.spec.issuer is not None:
            letter = Contract(
                "guarantee", self._id, self.spec.issuer, lease.site.developer, self.left, minute, covers=lease.id,
                site=lease.site.id, tenant=lease.site.tenant,
            )  # fmt: skip
            world.book.open(letter).owe(max(0, minute), self.left)

    def bill(self, minute: int) -> None:
        """The letter's fee up to `minute`, in arrears."""
        if self.left and self._billed is not None and minute > self._billed:
            rate = self.world.draws.value(self.spec.fee)
            fee = half_up(rate * self.left * (minute - self._billed) / YEAR)
            self._billed = minute
            if fee:
                at = min(minute, self.world.last_minute + 1) - 1
                payer, issuer = self.lease.site.tenant, self.spec.issuer or OUTSIDE
                self.world.money.bill(payer, issuer, "letter of credit fee", fee, at)

    def draw(self, dollars: int) -> int:
        """The developer draws; returns the dollars that it gets, nothing from an issuer that has stopped paying."""
        holder = OUTSIDE if self.cash or self.spec.issuer is None else self.spec.issuer
        taken = min(dollars, self.left)
        if taken <= 0 or holder in self.world.money.stopped:
            return 0
        self.bill(self.world.clock.now)
        self.left -= taken
        self.lease.receive(holder, "security drawn", taken)
        letter = self.world.book.get(self._id)
        if letter is not None:
            letter.owe(self.world.clock.now, self.left)
        return taken

    def end(self) -> None:
        """The lease has ended or changed hands: it goes back, or is drawn whole if the lessee has stopped paying."""
        lease, world = self.lease, self.world
        self.bill(world.clock.now)
        if world.parties[lease.signed_by].stopped is not None:
            self.draw(self.left)
        elif self.cash and self.left:
            world.money.pay(OUTSIDE, lease.site.tenant, "security deposit", self.left)
        self.left = 0
        world.book.close(self._id, world.clock.now)
