"""What a guarantor puts behind one site: headroom of its limit, its share of the guarantee, and the fee for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dcsim.engine.pool import Claim
from dcsim.ledger import Ints
from dcsim.model.blueprint import half_up
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.model.credit import Guarantor
    from dcsim.model.guarantee import Cover
    from dcsim.model.standing import Tally
    from dcsim.model.world import Month


def split(total: int, shares: Sequence[float]) -> list[int]:
    """A whole number in these shares, which add up to one, by rounding their running sums: nothing is lost."""
    bounds = [0]
    running = 0.0
    for share in shares[:-1]:
        running += share
        bounds.append(half_up(total * running))
    return [b - a for a, b in pairwise([*bounds, total])]


class Reservation:
    """Headroom that one site holds of a guarantor: a claim on its limit, or cover in use since before the start."""

    __slots__ = ("claim", "guarantor", "held", "tenant")

    def __init__(self, guarantor: Guarantor, tenant: str) -> None:
        self.guarantor = guarantor
        self.tenant = tenant
        self.claim: Claim | None = None
        self.held = 0
        """Dollars of the limit."""

    @classmethod
    def opening(cls, guarantor: Guarantor, tenant: str, amount: int) -> Reservation:
        """Cover in use at the start."""
        reservation = cls(guarantor, tenant)
        guarantor.book_opening(amount)
        reservation._count(amount)
        return reservation

    def count(self) -> None:
        """The claim has been granted."""
        assert self.claim is not None
        self._count(self.claim.held)

    def lower(self, amount: int) -> None:
        """Hold no more than this; the rest is free this minute."""
        freed = self.held - amount
        if freed > 0:
            if self.claim is not None:
                self.claim.release(freed)
            else:
                self.guarantor.release_opening(freed)
            self._count(-freed)

    def end(self) -> None:
        """Give back what is held, or leave the queue."""
        if self.claim is not None:
            self.claim.cancel()
        else:
            self.guarantor.release_opening(self.held)
        self._count(-self.held)

    def _count(self, change: int) -> None:
        self.held += change
        self.guarantor.standings[self.tenant].add(self.guarantor.world.clock.now, change)


class Claimed(NamedTuple):
    """A claim that a guarantee stands behind: a contract, and its creditor, to whom the guarantee is given."""

    contract: str
    creditor: str
    weight: float | None = None
    """Of a loan: its share of all of the site's; None for the lease."""


class Part:
    """One guarantor's share of a site's guarantee, several but not joint: nobody pays for another."""

    def __init__(self, cover: Cover, reservation: Reservation, share: float) -> None:
        self.cover = cover
        self.reservation = reservation
        self.guarantor = reservation.guarantor
        self.share = share
        self.used = 0
        """Dollars of its share of the cap that payments have used up."""
        self.ended = False
        self.failed = False
        """Whether it has left a claim unpaid."""
        self.active = 0
        """Dollars for which it can be called now."""
        self.contracts: dict[str, Contract] = {}
        """By the id of the contract that each covers."""
        self._fee_due = 0
        """Dollar-minutes committed in the month so far."""
        self._since = max(0, cover.world.clock.now)
        self.guarantor.parts.append(self)

    @property
    def tally(self) -> Tally:
        return self.guarantor.tallies[self.reservation.tenant]

    def hold(self, amount: int, effective: bool) -> None:
        """So much of the guarantee is committed by this guarantor from now on."""
        self._accrue()
        self.reservation.lower(amount)
        self._activate(self.reservation.held if effective else 0)

    def end(self) -> None:
        """The guarantee has ended for this guarantor; what it has earned is still billed."""
        self._accrue()
        self._activate(0)
        self.reservation.end()
        self.ended = True
        world = self.cover.world
        for contract in self.contracts.values():
            world.book.close(contract.id, world.clock.now)

    def _activate(self, amount: int) -> None:
        standing = self.guarantor.standings[self.reservation.tenant]
        standing.add(self.cover.world.clock.now, 0, amount - self.active)
        self.active = amount

    def _accrue(self) -> None:
        now = self.cover.world.clock.now
        self._fee_due += self.reservation.held * (now - self._since)
        self._since = now

    def bill(self, month: Month) -> None:
        """The fee of a month: a twelfth of the yearly rate, on what was committed on average."""
        cover, world = self.cover, self.cover.world
        fee = cover.terms.fee
        rate = world.draws.value(world.by(cover.user, fee.rate)) if fee is not None else 0.0
        if fee is None or rate == 0:
            return
        end = min(month.end, world.last_minute + 1)
        due = self._fee_due + self.reservation.held * max(0, end - self._since)
        self._fee_due, self._since = 0, max(self._since, end)
        first = world.blueprint.date_of(month.first).replace(day=1)
        length = world.blueprint.month_end(month.first) - world.blueprint.minute_of(first)
        amount = half_up(rate / 12 * due / length)
        payer = cover.site.developer if fee.paid_by == "developer" else cover.site.tenant
        world.money.bill(payer, self.guarantor.id, "guarantee fee", amount, month.end - 1)

    # The network.

    def promise(self, claim: Claimed) -> None:
        """A contract for one claim that it stands behind, unless there is one."""
        site, book = self.cover.site, self.cover.world.book
        if claim.contract in self.contracts:
            return
        id = f"guarantee:{site.id}" if claim.weight is None else f"guarantee:{site.id}:{claim.creditor}"
        while book.get(id) is not None:
            id = f"{id}:{self.guarantor.id}"
        self.contracts[claim.contract] = book.open(
            Contract(
                "guarantee",
                id,
                self.guarantor.id,
                claim.creditor,
                self.reservation.held,
                self.cover.world.clock.now,
                covers=claim.contract,
                site=site.id,
                tenant=site.tenant,
                effective=self.cover.world.never,
                rank=1,  # a letter of credit is drawn first
            )
        )

    def plan(self, claim: Claimed, minutes: list[int], levels: Ints, effective: int | None) -> None:
        """What of it is at stake for one claim from each of these minutes on, if `levels` are of all guarantors."""
        contract = self.contracts[claim.contract]
        contract.amount = half_up(self.share * self.cover.amount)
        contract.effective = self.cover.world.never if effective is None else effective
        mine = self.share * (1.0 if claim.weight is None else claim.weight) * levels
        contract.plan(minutes, np.floor(mine + 0.5).astype(np.int64).tolist())
