"""Loans that stand when time begins: who lends, what is drawn, what is built with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.model.account import Account, Tranche, in_proportion, planned, works_within
from dcsim.model.blueprint import dollars, half_up
from dcsim.model.forecast import forecast_rfs
from dcsim.model.lender import current
from dcsim.scenario.fields import at_least

if TYPE_CHECKING:
    from dcsim.model.financing import Financing
    from dcsim.model.phase import Phase


def take_up_loan(financing: Financing, given: dict[str, int]) -> None:
    """The loan of the file is taken from the lenders in order; `given` are the minutes of the site's milestones.

    The cost is what the file gives, interest and fees included, and no less than the loan. If the loan has closed
    already, what has been paid of it follows from what is drawn of loans drawn as spent; otherwise from the time gone
    of each phase's works.
    """
    site, world = financing.site, financing.world
    initial = site.spec.initial
    assert initial is not None
    assert initial.loan is not None
    missing = amount = dollars(initial.loan.value)
    names = financing.spec.lenders
    for id in names:
        left = world.lenders[id].left(site.tenant, None)
        take = missing if left is None or id == names[-1] else min(left, missing)
        if take > 0:
            loan = financing.write(world.lenders[id], take, min(0, given["loi_signed"]))
            if initial.rate is not None:
                loan.tranche.rate = current(world, initial.rate)
            financing.written.append(loan)
            missing -= take
    financing.loan, financing.binding, financing.closed = amount, "opening", True
    financing.closed_at = given["financial_close"]
    financing.contingency = financing.offers.contingency
    financing.uses = max(site.cost, amount)
    floors = [world.lenders[loan.lender].spec.min_rating for loan in financing.written]
    financing.without_guarantor = all(at_least(site.tenant_rating, floor) for floor in floors)
    if financing.closed_at > 0:
        for loan in financing.written:
            loan.owes(0, 0)
        site.milestones.on("financial_close", lambda _: _close(financing))
    else:
        _go_on(financing, None if initial.drawn is None else dollars(initial.drawn.value))


def _close(financing: Financing) -> None:
    """It closes on a date to come."""
    if not financing.site.ended:
        now = financing.world.clock.now
        plan = financing.offers.plan(now)

        def run(works: int) -> int:
            account = _account(financing)
            account.open()
            return planned(account, works, plan.phases, financing.offers.months, now).spent

        works = works_within(run, financing.uses - financing.contingency)
        financing.start(financing.written, works)


def _go_on(financing: Financing, drawn: int | None) -> None:
    """It has closed: part of the works is done."""
    done = {phase: _progress(phase) for phase in financing.site.phases.values()}
    weights = {phase: half_up(phase.kw * 1000 * (1 - share)) for phase, share in done.items()}
    spent_share = sum(phase.kw * share for phase, share in done.items()) / financing.site.kw
    if drawn is not None:
        spent_share = _adjust(financing, drawn, spent_share)
    spent = half_up(spent_share * financing.uses)
    plan = financing.offers.plan(0).phases
    phases = [phase._replace(kw=weight) for phase, weight in zip(plan, weights.values(), strict=True)]

    def run(works: int) -> int:
        account = _account(financing)
        account.take_up(spent)
        return planned(account, works, phases, financing.offers.months, 0).spent - spent

    works = works_within(run, financing.uses - financing.contingency - spent) if any(weights.values()) else 0
    parts = in_proportion(works, list(weights.values()))
    tranches = [loan.tranche for loan in financing.written]
    account = Account(tranches, financing.uses, equity_first=financing.spec.equity_first)
    account.take_up(spent)
    left = {phase.id: part for phase, part in zip(weights, parts, strict=True)}
    financing.begin_project(financing.written, account, financing.overrun(left)).tell(0)


def _account(financing: Financing) -> Account:
    """The sources, with nothing paid yet, apart from the loans themselves."""
    terms = [loan.tranche for loan in financing.written]
    tranches = [Tranche(t.amount, t.rate, t.upfront_fee, t.commitment_fee, t.at_close) for t in terms]
    return Account(tranches, financing.uses, equity_first=financing.spec.equity_first)


def _progress(phase: Phase) -> float:
    """Share of the time from notice to proceed to ready for service, as known or forecast, that is over."""
    site = phase.site
    begun = min(0, site.given_minute("financial_close"))
    if site.is_given("notice_to_proceed"):
        begun = site.given_minute("notice_to_proceed")
    begun += phase.gap
    given = "ready_for_service" in phase.given
    ready = phase.given_median("ready_for_service") if given else forecast_rfs(phase)
    if ready <= 0:
        return 1.0
    return max(0.0, -begun / (ready - begun)) if begun < 0 else 0.0


def _adjust(financing: Financing, drawn: int, spent: float) -> float:
    """Share of all uses that is paid, if so much is drawn; where everything is built, so much is what is owed."""
    loans = financing.written
    if spent >= 1:
        for loan, part in zip(loans, in_proportion(drawn, [loan.tranche.amount for loan in loans]), strict=True):
            loan.commit(part)
        return 1.0
    at_once = sum(loan.tranche.amount for loan in loans if loan.tranche.at_close)
    later = sum(loan.tranche.amount for loan in loans) - at_once
    if not later:
        return spent
    used = max(0, min(later, drawn - at_once))
    if financing.spec.equity_first:
        return (financing.uses - financing.loan + used) / financing.uses
    return used / later
