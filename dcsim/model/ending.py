"""The end of a replication: what became of everything is written down, and the books are audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dcsim.engine.audit import audit
from dcsim.engine.trail import Trail, extend, links, origin
from dcsim.errors import ModelError
from dcsim.ledger import Ints, flows_of
from dcsim.model.blueprint import DAY
from dcsim.model.history import ExposureRecord, PhaseEnd, TrailRecord
from dcsim.model.loan_record import loan_record
from dcsim.model.outcomes import Books, party_numbers, tenant_outcomes
from dcsim.model.reckoning import compute_and_money

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World


def finish(world: World) -> None:
    """How every phase ended; what is open closes its trail at 24:00 of the horizon."""
    history = world.record.history
    for site in world.sites.values():
        for phase in site.phases.values():
            history.phases.append(_phase_end(world, site, phase))
    for tenant, racks in world.chips.racks.items():
        phases = [p for s in world.sites.values() if s.tenant == tenant for p in s.phases.values()]
        mine = [s for s in world.sites.values() if s.tenant == tenant]
        history.outcomes[tenant] = {
            "racks_ordered": racks.ordered,
            "racks_delivered": racks.delivered,
            "racks_cancelled": racks.cancelled,
            "racks_retired": racks.retired,
            "diligence_usd_m": sum(s.diligence.cost for s in mine) / 1e6,
            "loans_usd_m": sum(s.financing.loan for s in mine if s.financing is not None and not s.ended) / 1e6,
            "cover_usd_m": sum(s.cover.committed for s in mine if s.cover is not None) / 1e6,
            "excused_days": sum(p.excused for p in phases) / DAY,
            "days_past_outside": sum(p.past_outside for p in phases) / DAY,
        }
    records = [loan_record(site.financing) for site in world.sites.values() if site.financing is not None]
    history.loans = [record for record in records if record is not None]
    history.events = world.event_log.rows
    money = world.money
    money.close()
    history.ledger = money.ledger.monthly()
    books = Books(history.ledger, money.months)
    for tenant, found in history.outcomes.items():
        found.update(compute_and_money(world, tenant, history.ledger))
        found.update(tenant_outcomes(world, tenant, books))
    history.cash = [(id, a.opening, a.received, a.paid) for id, a in money.accounts.items()]
    history.exposures = _exposures(world)
    history.parties = party_numbers(world, books, history)


def _exposures(world: World) -> list[ExposureRecord]:
    """What was at stake between each pair of parties, by kind, at the end of every month."""
    ends = np.array([*world.blueprint.months, world.last_minute + 1], np.int64)
    levels: dict[tuple[str, str, str], Ints] = {}
    for contract in world.book:
        if not contract.minutes:
            continue
        at = np.searchsorted(np.asarray(contract.minutes, np.int64), ends, side="left")
        amounts = np.concatenate([[0], np.asarray(contract.levels, np.int64)])[at]
        if contract.closed is not None:
            amounts[ends > contract.closed] = 0
        key = (contract.source, contract.target, contract.kind)
        levels[key] = levels[key] + amounts if key in levels else amounts
    return [(*key, amounts) for key, amounts in sorted(levels.items(), key=lambda item: item[0]) if amounts.any()]


def _phase_end(world: World, site: Site, phase: Phase) -> PhaseEnd:
    end = world.last_minute + 1
    full = phase.milestones.reached.get("full_live")
    state = "live" if full is not None else phase.ended or "pending"
    reached = full is not None and (phase.hall is None or not phase.hall.open_routes)
    if phase.ended and full is None:
        trail, minute = phase.end_trail, phase.end_minute
    elif full is not None and reached:
        trail = phase.hall.last_live if phase.hall is not None and phase.hall.last_live is not None else full
        minute = trail.minute
    else:
        closing = phase.closing() or site.closing()
        trail = _to_the_end(world, closing or origin(0, phase.who), end)
        minute = end
        if "ready_for_service" not in phase.milestones.reached:
            phase.judge_date(trail)
    lots = []
    if phase.hall is not None and not phase.ended:
        for route in phase.hall.routes:
            if route.new_kw > 0:
                last = route.trail if route.live and route.trail is not None else route.closing()
                if last is not None:
                    done = last if route.live else _to_the_end(world, last, end)
                    lots.append((route.new_kw / 1000, _trail(done)))
    names = {link.who for link in links(trail)}
    return PhaseEnd(
        tenant=site.tenant,
        site=site.id,
        phase=phase.id,
        mw=phase.kw / 1000,
        state=state,
        reached=reached,
        minute=minute,
        trail=_trail(trail),
        lots=lots,
        activities=phase.construction.critical(names),
    )


def _to_the_end(world: World, trail: Trail, end: int) -> Trail:
    """What was open at 23:59 closes at 24:00 with the same cause."""
    if trail.minute == world.last_minute and trail.previous is not None:
        return extend(trail.previous, end, trail.cause, trail.who)
    return extend(trail, end, trail.cause or "policy", trail.who)


def _audit_cash(world: World) -> None:
    """What the accounts followed is what the ledger says, month by month; and no tenant has paid what it had not."""
    history = world.record.history
    assert history.ledger is not None
    for id, account in world.money.accounts.items():
        received, paid = flows_of(history.ledger, id, world.money.months)
        if (received != account.received).any() or (paid != account.paid).any():
            raise ModelError(f"{id}: the account and the ledger disagree")
    for id, treasury in world.treasuries.items():
        account = world.money.accounts[id]
        cash = account.opening + np.cumsum(account.received - account.paid)
        cash[-1] = treasury.cash[-1]  # what deadlines of the very last minute pay is settled no more
        if (cash < 0).any():
            month = int(np.flatnonzero(cash < 0)[0])
            raise ModelError(f"{id}: {cash[month]} dollars of cash at the end of month {month}")


def audit_books(world: World) -> None:
    """Everything is done, waits for something named, or was cancelled; nothing leased or delivered is lost."""
    pools = [
        *(p for t in world.tenants.values() for p in t.teams.values()),
        *world.crews.values(),
        *(r.pool for r in world.regions.values()),
        *(m.pool for m in world.makers.values()),
        *(g.pool for g in world.guarantors.values()),
    ]
    audit(world.clock, pools)
    _audit_cash(world)
    world.chips.audit()
    for guarantor in world.guarantors.values():
        guarantor.audit()
    leased = sum(kw for _, _, m, kw in world.record.history.changes if m == "leased" and kw > 0)
    standing = ended = 0.0
    for site in world.sites.values():
        if not site.lease_is_signed:
            continue
        for phase in site.phases.values():
            if phase.was_leased:
                if phase.ended:
                    ended += phase.kw / 1000
                else:
                    standing += phase.kw / 1000
    if abs(leased - standing - ended) > 1e-6:
        raise ModelError(f"{leased:g} MW were leased, but {standing:g} stand and {ended:g} ended")


def _trail(trail: Trail) -> TrailRecord:
    return tuple((link.minute, link.cause, link.who) for link in links(trail))
