"""The network of one replication at the end of a minute, read off the world while it stands still."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dcsim.engine.draws import Draws, PlanDraws
from dcsim.model.blueprint import DAY, Blueprint, dollars, half_up
from dcsim.model.forecast import forecast_rfs
from dcsim.model.world import World
from dcsim.network.contracts import Contract
from dcsim.network.snapshot import SUPPORT, Paid, PartyState, PhaseState, Snapshot, Standing

if TYPE_CHECKING:
    from dcsim.model.decision import Policy
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.scenario.party import Party
    from dcsim.scenario.spec import ScenarioSpec

IN_DOLLARS = frozenset({"loan", "vendor_finance", "fund_commitment", *SUPPORT})
"""Kinds whose agreed amount is what is at stake where nothing else is said."""


RUNNING = frozenset({"lease", "hardware_lease", "cloud_commitment"})
"""Kinds billed month by month: where nothing is booked ahead, what falls due is by how much what is at stake falls."""


def simulate_snapshot(
    blueprint: Blueprint,
    draws: Draws,
    minute: int,
    replication: int = 0,
    *,
    months: int = 12,
    policies: Mapping[str, Policy] | None = None,
) -> Snapshot:
    """One replication, run to the end of `minute` and looked at. Raises ModelError as a replication does."""
    return look(World(blueprint, draws, replication, policies=policies), minute, replication, months)


def plan_snapshot(
    blueprint: Blueprint, minute: int, *, months: int = 12, policies: Mapping[str, Policy] | None = None
) -> Snapshot:
    """The same of the plan: all medians, no contention, no limits shared."""
    return look(World(blueprint, PlanDraws(), unlimited=True, policies=policies), minute, None, months)


def look(world: World, minute: int, replication: int | None, months: int = 12) -> Snapshot:
    """Run to the end of `minute` and take the network as it then stands; the world may go on from there.

    A month's bills and its debt service are settled in the first minute of the next, as of the last of the month: at a
    month's end the world has to go one minute further.
    """
    over = minute + 1 in world.blueprint.months and minute < world.last_minute
    world.advance(minute + over)
    return take(world, replication, months, minute)


def take(world: World, replication: int | None, months: int = 12, at: int | None = None) -> Snapshot:
    """The network as it stands at the end of the clock's minute (or stood one minute before, `at`); changes nothing.

    What ended in between is shown without what was still to fall due on it. Raises ModelError for a guarantee whose
    beneficiary is not the creditor of what it covers.
    """
    minute = world.clock.now if at is None else at
    paid = _paid(world, minute)
    return Snapshot(
        minute=minute,
        parties=tuple(_parties(world, paid, minute)),
        contracts=tuple(_contracts(world, months, minute)),
        paid=paid,
        phases=tuple(_phase(p, minute) for site in world.sites.values() for p in site.phases.values()),
        replication=replication,
        months=months,
        horizon=world.last_minute + 1,
    )


# Money.


def _paid(world: World, now: int) -> tuple[Paid, ...]:
    """What has been paid up to now, by pair and kind: entries of the ledger, and flows that have fallen due."""
    total: Counter[tuple[str, str, str]] = Counter()
    so_far = world.money.ledger.monthly()
    past = so_far.month <= world.money.month_of(now)
    for pair, amount in zip(so_far.pair[past].tolist(), so_far.dollars[past].tolist(), strict=True):
        total[so_far.pairs[pair]] += amount
    for flow in world.money.flows:
        minutes, amounts = flow.paid
        first, last = np.searchsorted(minutes, (0, now + 1))
        if last > first:
            total[flow.payer, flow.payee, flow.kind] += int(amounts[first:last].sum())
    return tuple(Paid(*key, amount) for key, amount in sorted(total.items()) if amount)


def _due(world: World, now: int, end: int) -> tuple[Counter[str], Counter[str]]:
    """Dollars that fall due on each contract, from its debtor to its creditor, before `end`; and those in arrears."""
    due: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for flow in world.money.flows:
        contract = world.book.get(flow.contract) if flow.contract is not None else None
        if contract is not None and (flow.payer, flow.payee) == (contract.source, contract.target):
            due[contract.id] += flow.due(now + 1, end)
            late[contract.id] += flow.arrears(now)
    return due, late


def _end(world: World, now: int, months: int) -> int:
    """24:00 of the day so many calendar months on: so a year holds twelve rents."""
    return world.blueprint.minute_of(_months_on(world.blueprint.date_of(now), months)) + DAY


def _months_on(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


# Parties.


def roles(spec: ScenarioSpec) -> dict[str, tuple[str, ...]]:
    """What each party does, from the blocks of the scenario."""
    found: dict[str, dict[str, None]] = {id: {} for id in (*spec.parties, *spec.tenants)}

    def say(role: str, *ids: str | None) -> None:
        for id in ids:
            if id is not None and id in found:
                found[id][role] = None

    say("tenant", *spec.tenants)
    say("lessee", *(site.lease.lessee for site in spec.sites.values()))
    say("developer", *(site.developer for site in spec.sites.values()))
    for id, party in spec.parties.items():
        for role, block in (("guarantor", party.guarantee), ("lender", party.lending), ("vehicle", party.vehicle)):
            if block is not None:
                say(role, id)
        if party.supply is not None:
            say("supplier", id)
        if party.funded_by and party.vehicle is None:
            say("fund", id)
    say("supplier", *(product.supplier for product in spec.chips.products.values()))
    say("cloud", *(cloud.provider for cloud in spec.cloud.values()))
    for id, party in spec.parties.items():
        say("investor", *party.funded_by, *(party.vehicle.funded_by if party.vehicle is not None else ()))
        if party.holds:
            say("investor", id)
    return {id: tuple(each) for id, each in found.items()}


def _parties(world: World, paid: tuple[Paid, ...], now: int) -> Iterator[PartyState]:
    spec = world.spec
    does = roles(spec)
    moved: Counter[str] = Counter()
    for entry in paid:
        moved[entry.payee] += entry.dollars
        moved[entry.payer] -= entry.dollars
    for id, party in world.parties.items():
        block = spec.parties.get(id)
        account = world.money.accounts.get(id)
        fallen = party.defaulted is not None and party.defaulted <= now
        state = PartyState(
            id=id,
            roles=does[id],
            name=id,
            rating=party.rating if party.stands or fallen or block is None else block.rating,
            cash=None if account is None else account.opening + moved[id],
            line=world.treasuries[id].line if id in world.treasuries else 0,
            in_default=fallen,
            pays=party.stopped is None or party.stopped > now,
        )
        yield state if block is None else _declared_party(world, block, state)


def _declared_party(world: World, block: Party, state: PartyState) -> PartyState:
    """With what the scenario says of it."""
    limit = block.guarantee.limit if block.guarantee is not None else None
    funded = block.vehicle.funded_by if block.vehicle is not None else block.funded_by
    cash = state.cash if state.cash is not None or block.cash is None else dollars(block.cash.value)
    return replace(
        state,
        name=block.name or state.id,
        group=block.group,
        limit=None if limit is None else dollars(world.now(limit).value),
        equity=None if block.equity is None else dollars(block.equity.value),
        cash=cash,
        funded_by=tuple((name, part.value) for name, part in funded.items()),
        holds=tuple((name, part.value) for name, part in block.holds.items()),
    )


# Contracts.


def _contracts(world: World, months: int, now: int) -> Iterator[Standing]:
    """Contracts of the book that stand, and those that the scenario itself says: shares, promises, developments."""
    end = _end(world, now, months)
    due, late = _due(world, now, end)
    written: set[tuple[str, str, str]] = set()
    for contract in world.book:
        if contract.stands(now):
            written.add((contract.kind, contract.source, contract.target))
            ahead = due[contract.id]
            if not ahead and contract.kind in RUNNING and contract.closed is None:
                ahead = max(0, contract.at_stake(now) - contract.at_stake(end - 1))
            yield _standing(world, contract, ahead + late[contract.id], months, now)
    for standing in _declared(world):
        if standing.kind == "equity" or (standing.kind, standing.source, standing.target) not in written:
            yield standing


def _standing(world: World, contract: Contract, due: int, months: int, now: int) -> Standing:
    site = world.sites.get(contract.site) if contract.site is not None else None
    begun = True
    if contract.kind == "lease" and site is not None:
        rents = site.lease.rent
        begun = any(len(flow.minutes) and flow.minutes[0] <= now for flow in rents.values())
        ahead = [phase for phase in site.phases.values() if not phase.ended and phase.id not in rents]
        due += sum(half_up(site.rent * phase.kw * months) for phase in ahead)
    amount = contract.at_stake(now) if contract.minutes else contract.amount * (contract.kind in IN_DOLLARS)
    return Standing(
        kind=contract.kind,
        id=contract.id,
        source=contract.source,
        target=contract.target,
        amount=amount,
        due=due,
        size=contract.amount,
        rank=contract.rank,
        covers=contract.covers,
        site=contract.site,
        tenant=contract.tenant,
        guarantor=contract.guarantor,
        active=contract.effective is None or contract.effective <= now,
        commenced=begun,
        loss=_loss(world, site) if contract.kind == "loan" and site is not None else 0.0,
    )


def _loss(world: World, site: Site) -> float:
    """Share of the loan that its lenders lose if it defaults."""
    if site.spec.financing is None:
        return 0.0
    loss = site.spec.financing.loss_given_default
    return world.draws.value(loss.uncovered if site.cover is None else loss.covered)


def _declared(world: World) -> Iterator[Standing]:
    spec = world.spec
    for id, party in spec.parties.items():
        for held, part in party.holds.items():
            issuer = spec.parties.get(held)
            worth = issuer.equity.value * part.value if issuer is not None and issuer.equity is not None else 0.0
            yield Standing("equity", f"equity:{held}:{id}", held, id, dollars(worth), share=part.value)
        funded = party.vehicle.funded_by if party.vehicle is not None else party.funded_by
        size = party.size or (party.vehicle.capacity if party.vehicle is not None else None)
        for funder, quantity in funded.items():
            promised = 0 if size is None else dollars(size.value * quantity.value)
            yield Standing(
                "fund_commitment", f"fund:{id}:{funder}", funder, id, promised, size=promised, share=quantity.value
            )
    for name, product in spec.chips.products.items():
        joint = product.joint_development
        for partner in joint.partners if joint is not None else ():
            if partner != product.supplier:
                yield Standing("joint_development", f"joint:{name}:{partner}", partner, product.supplier)


# Phases.


def _phase(phase: Phase, now: int) -> PhaseState:
    site = phase.site
    world = site.world
    state = _state(phase, now)
    loans = [c for c in world.book if c.kind == "loan" and c.site == site.id and c.stands(now)]
    lenders = [c.target for c in loans]
    undrawn = sum(max(0, c.amount - (c.at_stake(now) if c.minutes else c.amount)) for c in loans)
    if not loans and state in ("letter", "leased") and site.financing is not None:
        lenders = [lender.id for lender in site.lenders]
        undrawn = site.cost
    guarantors = [guarantor.id for guarantor in site.cover.guarantors] if site.cover is not None else []
    request = site.spec.guarantee
    if not guarantors and state == "letter" and site.needs_guarantor and request is not None:
        guarantors = list(request.together or request.guarantors[:1])
    ready = phase.milestones.get("ready_for_service")
    planned = ready.minute if ready is not None else None
    if planned is None and state != "ended":
        planned = forecast_rfs(phase)
    live_kw = phase.meters["live"].level if "live" in phase.meters else 0.0
    return PhaseState(
        site=site.id,
        phase=phase.id,
        tenant=site.tenant,
        developer=site.developer,
        mw=phase.kw / 1000,
        state=state,
        live_mw=live_kw / 1000,
        region=site.spec.region,
        planned_ready=planned if planned is None or planned < world.never else None,
        lenders=tuple(dict.fromkeys(lenders)),
        undrawn=undrawn,
        guarantors=tuple(guarantors),
        lessee=site.spec.lease.lessee if site.spec.lease.lessee != site.tenant else None,
        suppliers=_suppliers(phase, state),
        needs_guarantor=site.needs_guarantor,
    )


def _state(phase: Phase, now: int) -> str:
    if phase.ended and phase.end_minute <= now:
        return "ended"
    for milestone, state in (
        ("full_live", "live"),
        ("ready_for_service", "ready"),
        ("notice_to_proceed", "building"),
        ("financial_close", "financed"),
        ("lease_signed", "leased"),
    ):
        trail = phase.milestones.get(milestone)
        if trail is not None and trail.minute <= now:
            return state
    return "letter"


def _suppliers(phase: Phase, state: str) -> tuple[str, ...]:
    """Who is to ship racks that the phase does not have: by orders placed for it, else by all that may serve it."""
    if phase.hall is None or state in ("live", "ended") or phase.hall.filled >= 1:
        return ()
    world = phase.world
    bought = [p.supplier for p in world.chips.purchases if p.phase is phase and p.outstanding]
    orders = [o for o in world.spec.chips.orders.values() if world.chips.tenant_of(o) == phase.site.tenant]
    might = [world.spec.chips.products[name].supplier for order in orders for name in order.product]
    return tuple(dict.fromkeys(bought or might))
