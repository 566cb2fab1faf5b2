"""The network as it stood at the end of a minute: plain data, without a clock, that can be kept, sent and measured.

Money is whole dollars, power MW of IT load, times are minutes since the start. Nobody's name is repeated: contracts and
payments name parties by id, and whoever is no party of the scenario is `outside`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from dcsim.errors import ModelError
from dcsim.ledger import OUTSIDE
from dcsim.network.contracts import Kind

YEAR: Final = 525_960
"""Minutes of a year."""

BALANCES: Final[frozenset[Kind]] = frozenset({"loan", "vendor_finance", "supply"})
"""Claims owed whole when the debtor fails (a supplier: deposits); of others what falls due within a year is."""

SUPPORT: Final[frozenset[Kind]] = frozenset({"guarantee", "residual_value_guarantee"})
"""Contracts that stand behind another one."""

UNPRICED: Final[frozenset[Kind]] = frozenset({"loi", "equity", "fund_commitment", "joint_development"})
"""Contracts on which nothing is owed now: letters, shares, money promised to a fund."""

STATES: Final[tuple[str, ...]] = ("letter", "leased", "financed", "building", "ready", "live", "ended")
"""How far a phase is: a letter of intent at most, lease signed, loan closed, under construction, ready for service
(chips on their way), live; or ended."""


@dataclass(frozen=True, slots=True)
class PartyState:
    """A firm at that time. What the scenario does not say of it is None."""

    id: str
    roles: tuple[str, ...] = ()
    """What it does: `tenant`, `developer`, `lender`, `guarantor`, `supplier`, `cloud`, `vehicle`, `fund`, ..."""
    name: str = ""
    group: str | None = None
    rating: str | None = None
    """At that time."""
    limit: int | None = None
    """Of a guarantor, on what it has committed; None: none."""
    equity: int | None = None
    """Capital that can absorb losses."""
    cash: int | None = None
    """Of a party whose money is followed, or of which the scenario says it."""
    line: int = 0
    """What it can still draw of its revolver."""
    funded_by: tuple[tuple[str, float], ...] = ()
    """Whose money it works with, in shares."""
    holds: tuple[tuple[str, float], ...] = ()
    """Shares of equity in other parties."""
    in_default: bool = False
    pays: bool = True
    """False once it has stopped paying, or defaulted."""

    @property
    def liquidity(self) -> int | None:
        """Cash and what can still be drawn; None where nothing is known of it."""
        return None if self.cash is None else max(0, self.cash) + self.line

    @property
    def conduit(self) -> bool:
        """Whether it only passes money on: a vehicle, a fund, a lessee for another; unless its equity is given."""
        lets = "lessee" in self.roles and "tenant" not in self.roles
        return self.equity is None and bool(self.funded_by or "vehicle" in self.roles or lets)


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract that stood at that time. Claims point debtor to creditor, guarantees guarantor to beneficiary."""

    kind: Kind
    id: str
    source: str
    target: str
    amount: int = 0
    """Dollars at stake: owed, or to be called."""
    due: int = 0
    """Dollars that fall due within the months asked for (a year), arrears included."""
    size: int = 0
    """What was agreed: kW (letters, leases, clouds), dollars (all others)."""
    rank: int = 0
    covers: str | None = None
    site: str | None = None
    tenant: str | None = None
    guarantor: str | None = None
    share: float | None = None
    """Of equity, or of a fund's money."""
    active: bool = True
    """Of a guarantee: whether it can be called yet."""
    commenced: bool = True
    """Of a lease: whether rent has begun on any of it."""
    loss: float = 0.0
    """Of a loan: share of it that the lender loses if it defaults."""

    @property
    def is_an_order(self) -> bool:
        """Of a supply: what a tenant is to pay for racks as they come. What its supplier holds of it is a debt."""
        return self.kind == "supply" and self.source == self.tenant

    @property
    def claim(self) -> int:
        """Dollars owed when everything is settled: the balance, or what falls due; 0 of what is no debt."""
        if self.kind in SUPPORT or self.kind in UNPRICED or self.is_an_order:
            return 0
        return self.amount if self.kind in BALANCES else self.due


@dataclass(frozen=True, slots=True)
class Paid:
    """All that one party has paid another for one thing, from the start up to that time; dollars."""

    payer: str
    payee: str
    kind: str
    dollars: int


@dataclass(frozen=True, slots=True)
class PhaseState:
    """A phase at that time, and who its MW hang on."""

    site: str
    phase: str
    tenant: str
    developer: str
    mw: float
    state: str
    """One of `STATES`."""
    live_mw: float = 0.0
    region: str | None = None
    planned_ready: int | None = None
    """Minute in which it was or will be ready for service: for what lies ahead the remaining plan at medians. None if
    there is none."""
    lenders: tuple[str, ...] = ()
    """With a loan to the site, or first in line for one."""
    undrawn: int = 0
    """Dollars of its loans that are still to be drawn, or to be lent at all."""
    guarantors: tuple[str, ...] = ()
    """Who stand behind its rent or loan; before its lease is signed the first one it would ask."""
    suppliers: tuple[str, ...] = ()
    """Of racks it has not got yet."""
    lessee: str | None = None
    """Who signed its lease, if not the tenant."""
    needs_guarantor: bool = False

    @property
    def stands(self) -> bool:
        return self.state != "ended"


@dataclass(frozen=True)
class Snapshot:
    """A replication at the end of a minute. `Standing.due` counts what falls due in the `months` that follow."""

    minute: int
    parties: tuple[PartyState, ...]
    contracts: tuple[Standing, ...] = ()
    paid: tuple[Paid, ...] = ()
    phases: tuple[PhaseState, ...] = ()
    replication: int | None = None
    """None: the plan."""
    months: int = 12
    horizon: int = 0
    """The first minute after the horizon."""

    def __post_init__(self) -> None:
        """Raises ModelError for two parties or contracts of one id, a stranger, or naked protection."""
        ids = [party.id for party in self.parties]
        known = {*ids, OUTSIDE}
        if len(known) <= len(ids):
            raise ModelError("a snapshot has a party twice, or one called 'outside'")
        by_id = {contract.id: contract for contract in self.contracts}
        if len(by_id) < len(self.contracts):
            raise ModelError("a snapshot has a contract twice")
        for contract in self.contracts:
            for party in (contract.source, contract.target):
                if party not in known:
                    raise ModelError(f"contract {contract.id} names {party!r}, which is no party")
            if contract.kind in SUPPORT:
                _check_support(contract, by_id)

    @cached_property
    def party(self) -> dict[str, PartyState]:
        """Parties by id."""
        return {party.id: party for party in self.parties}

    @cached_property
    def contract(self) -> dict[str, Standing]:
        """Contracts by id."""
        return {contract.id: contract for contract in self.contracts}

    def of(self, *kinds: Kind) -> list[Standing]:
        """Contracts of these kinds."""
        return [contract for contract in self.contracts if contract.kind in kinds]

    def without(self, ids: Iterable[str]) -> Snapshot:
        """The same without some contracts."""
        gone = set(ids)
        return replace(self, contracts=tuple(c for c in self.contracts if c.id not in gone))


def _check_support(guarantee: Standing, by_id: dict[str, Standing]) -> None:
    """Protection belongs to the creditor of what is covered: naked protection has no unique outcome."""
    covered = by_id.get(guarantee.covers) if guarantee.covers is not None else None
    if covered is None:
        return  # what it stands behind is not there yet, or no more: nothing can be called
    if covered.target != guarantee.target:
        raise ModelError(
            f"guarantee {guarantee.id} is given to {guarantee.target}, but the creditor of {covered.id} "
            f"is {covered.target}"
        )
    if guarantee.source in (covered.source, covered.target):
        raise ModelError(f"guarantee {guarantee.id}: {guarantee.source} stands behind what it owes or is owed itself")
