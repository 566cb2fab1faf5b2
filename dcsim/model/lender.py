"""Lenders to developers: what they would lend, and what they have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.errors import ModelError
from dcsim.model.blueprint import dollars
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.world import World


def current(world: World, quantity: Quantity) -> float:
    """A number as it stands now: what shocks and the market have made of a constant, or of what is drawn."""
    return world.now(quantity).value if quantity.is_constant else world.draws.value(quantity)


class Lender:
    """A party that lends to developers, in one replication. What is lent is read from the book of contracts.

    A commitment uses its limits until the loan is over, less what of it was cancelled; repaid principal is not lent
    again. What it has lost in defaults it can never lend again.
    """

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        spec = world.spec.parties[id].lending
        assert spec is not None
        self.spec = spec
        self.takes_part = not world.draws.fails(f"parties.{id}.lending.takes_part", 1 - spec.takes_part.value)
        self.lost = 0
        """Dollars lost in defaults of loans."""

    @property
    def rate(self) -> float:
        """Interest a year."""
        return current(self.world, self.spec.rate)

    @property
    def ltc(self) -> float:
        return current(self.world, self.spec.ltc)

    @property
    def cap_to_loan(self) -> float:
        return current(self.world, self.spec.cap_to_loan)

    @property
    def dscr(self) -> float | None:
        return None if self.spec.dscr is None else current(self.world, self.spec.dscr)

    @property
    def stands(self) -> bool:
        """Whether it pays what it lends."""
        party = self.world.parties[self.id]
        return party.stands and party.stopped is None

    @property
    def frozen(self) -> bool:
        """Whether it lends nothing at all as of now."""
        limit = self.spec.capacity
        return limit is not None and not self.world.unlimited and current(self.world, limit) == 0

    @property
    def capacity(self) -> int | None:
        """Dollars that it can lend in all, as of now; None: without limit."""
        limit = self.spec.capacity
        return None if limit is None else max(0, dollars(current(self.world, limit)) - self.lost)

    def check(self) -> None:
        """A commitment has been written: raises ModelError if all of them are above what it can lend."""
        committed = sum(contract.amount for contract in self.world.book.held("loan", self.id))
        if not self.world.unlimited and self.capacity is not None and committed > self.capacity:
            raise ModelError(f"{self.id} has lent {committed}, more than its capacity of {self.capacity}")

    def left(self, tenant: str, guarantor: str | None) -> int | None:
        """Dollars it can still lend to sites of this tenant behind this guarantor; None: without limit."""
        if not self.stands:
            return 0
        if self.world.unlimited:
            return None
        spec = self.spec
        loans = list(self.world.book.held("loan", self.id))
        limits = []
        if (capacity := self.capacity) is not None:
            limits.append(capacity - sum(c.amount for c in loans))
        if spec.per_tenant is not None:
            used = sum(c.amount for c in loans if c.tenant == tenant)
            limits.append(dollars(current(self.world, spec.per_tenant)) - used)
        if spec.per_guarantor is not None and guarantor is not None:
            used = sum(c.amount for c in loans if c.guarantor == guarantor)
            limits.append(dollars(current(self.world, spec.per_guarantor)) - used)
        return max(0, min(limits)) if limits else None
