"""Rent that goes unpaid: notice, demand, and what a guarantor then does; or the end of the lease.

The clock starts at the due date of the first rent that is not paid (of a declared default under cover that is
effective before rent commences: at the declaration). Due + grace is the notice, + cure the demand. Whoever pays his
arrears by then stops the clock. At the demand the developer draws the security for the arrears: if it reaches, the
clock starts anew with the next rent that goes unpaid; if not, the guarantors who can be called elect, and without any
the lease ends. What a guarantor pays for arrears, and the fee for which the lease ends, is paid so many days after the
demand; later rents it pays on their due dates, each after the security, until it falls short: then the lease ends after
one more grace and cure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dcsim.engine.clock import Handle, Stage
from dcsim.ledger import Ints
from dcsim.model.blueprint import half_up
from dcsim.model.election import Costs, Election, costs
from dcsim.model.guarantee import project_of

if TYPE_CHECKING:
    from dcsim.model.guarantee import Cover
    from dcsim.model.money import Flow
    from dcsim.model.parties import Party
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site


class Times(NamedTuple):
    """Minutes from one step of a call to the next."""

    grace: int
    cure: int
    pay_within: int


class Call:
    """What happens to one site when its lessee no longer pays."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.due: int | None = None
        """Due date of the rent for which the clock runs; None while none does."""
        self.notice: int | None = None
        self.demand: int | None = None
        """Minutes of the last notice and demand."""
        self.election: Election | None = None
        self.costs: Costs | None = None
        """What the guarantors elected at the last demand, and what each choice would have cost."""
        self.paying = False
        """Whether guarantors pay the rent as it falls due."""
        self.calls = 0
        """How often the clock has started."""
        self.lost = 0
        """Dollars of rent that were due and unpaid when the lease ended."""
        self._pays_from = 0
        """Minute in which they pay for the first time."""
        self._times = Times(0, 0, 0)
        self._booked: list[Handle] = []

    def begin(self) -> None:
        """Listen to the lessee, and to the tenant as long as no lease is signed."""
        self._listen(self.lessee)
        self.world.parties[self.site.tenant].on("default", self._tenant_defaulted)
        for phase in self.site.phases.values():
            phase.milestones.on("rent_commencement", lambda _: self._commenced())

    def _listen(self, party: Party) -> None:
        party.on("stopped", partial(self._stopped, party))
        party.on("resumed", partial(self._resumed, party))
        party.on("default", partial(self._defaulted, party))

    @property
    def lessee(self) -> Party:
        """Who owes the rent now."""
        return self.world.parties[self.site.lease.lessee]

    @property
    def _cover(self) -> Cover | None:
        """Who stands behind the rent, and can be called now."""
        cover = self.site.cover
        return cover if cover is not None and cover.covers_rent and cover.effective(self.world.clock.now) else None

    def _at(self, minute: int, then: Callable[[], None]) -> None:
        """Among the deadlines of a minute: after what is paid in it, and after the books of the month that is over."""
        clock = self.world.clock
        self._booked.append(clock.stage_at(max(clock.now, minute), Stage.DEADLINE, then, rank=self.site.rank))

    def end(self) -> None:
        """Nothing of what is booked happens any more."""
        for handle in self._booked:
            handle.cancel()
        self._booked = []
        self.due = None
        self.paying = False

    # What the lessee does.

    def _tenant_defaulted(self) -> None:
        """Nobody signs with a tenant in default; a lessee that passes on what the tenant pays goes down with it."""
        site = self.site
        if not site.ended and not site.lease_is_signed:
            site.end("lost", "default of the tenant")
        elif site.lease.passes_on:
            self._defaulted(self.lessee)

    def _stopped(self, party: Party) -> None:
        if self._owed_by(party):
            self._refresh()
            self._watch()

    def _refresh(self) -> None:
        """What is covered has changed: rent goes unpaid, or is paid again."""
        if self.site.cover is not None:
            self.site.cover.refresh()

    def _resumed(self, party: Party) -> None:
        """It has paid its arrears and goes on; what was not carried out yet is called off."""
        if self._owed_by(party):
            if self.due is not None:
                self.world.log("cured", self.site.id, party.id)
            self.end()
            self._refresh()

    def _defaulted(self, party: Party) -> None:
        """Phases that have not commenced are lost at once, unless cover is effective for them."""
        if not self._owed_by(party):
            return
        self._refresh()
        cover = self._cover
        commenced, others = self._phases()
        if cover is None or not cover.effective_early or not cover.stands:
            if not commenced:
                self._terminate("default of the lessee before rent commencement")
                return
            self._give_up(others)
        elif not commenced and self.due is None:
            self._start(self.world.clock.now)
            return
        self._watch()

    def _owed_by(self, party: Party) -> bool:
        site = self.site
        return site.lease_is_signed and not site.lease.ended and self.lessee is party

    def _phases(self) -> tuple[list[Phase], list[Phase]]:
        """Phases whose rent has commenced, and those that wait for it; without those that have ended."""
        standing = [phase for phase in self.site.phases.values() if not phase.ended]
        commenced = [phase for phase in standing if "rent_commencement" in phase.milestones.reached]
        return commenced, [phase for phase in standing if phase not in commenced]

    def _give_up(self, phases: list[Phase]) -> None:
        """Phases that nobody will pay for are built no further."""
        for phase in phases:
            phase.end("terminated", "default of the lessee before rent commencement", None)

    # The clock.

    def _commenced(self) -> None:
        """Another phase owes rent from now on."""
        if self.lessee.stopped is None:
            return
        if not self.paying:
            self._watch()
        elif self.world.clock.now >= self._pays_from:
            self._pay()

    def _watch(self) -> None:
        """The clock starts with the first rent that is not paid."""
        stopped = self.lessee.stopped
        if self.due is not None or stopped is None:
            return
        arrears = self.site.lease.arrears(self.world.clock.now)
        due = self._first_unpaid(stopped) if arrears else self.site.lease.next_rent_due(self.world.clock.now)
        if due is not None:
            self._start(due)

    def _first_unpaid(self, since: int) -> int:
        """The oldest due date in arrears."""
        now = self.world.clock.now
        dues = [
            int(minute)
            for flow in self._flows
            for minute, dollars in zip(flow.minutes, flow.dollars, strict=True)
            if since <= minute <= now and dollars
        ]
        return min(dues)

    def _start(self, due: int) -> None:
        """From this due date on rent is not paid."""
        self.due = due
        self.calls += 1
        self.election = self.costs = self.notice = self.demand = None
        self._booked = [handle for handle in self._booked if handle.pending]
        self._at(due, self._missed)

    def _missed(self) -> None:
        """Nothing is paid on the due date."""
        assert self.due is not None
        self._times = self._clock()
        project = project_of(self.site)
        if project is not None:
            project.stressed()
        notice = self.due + self._times.grace
        self._at(notice, self._give_notice)
        self._at(notice + self._times.cure, self._make_demand)

    def _clock(self) -> Times:
        """That of the guarantee, if it can be called; else the tenant's own; else that of a guarantee all the same."""
        draws, user = self.world.draws, f"sites.{self.site.id}"
        treasury = self.world.spec.tenants[self.site.tenant].treasury
        cover = self.site.cover
        if treasury is not None and self._cover is None and self.site.lease.assumed is None:
            return Times(draws.minutes(treasury.default.grace), draws.minutes(treasury.default.cure), 0)
        if cover is None:
            return Times(0, 0, 0)
        call = cover.terms.call
        k = self.calls - 1
        grace, cure, within = (
            draws.minutes(self.world.by(user, days), k) for days in (call.grace, call.cure, call.pay_within)
        )
        return Times(grace, cure, within)

    def _give_notice(self) -> None:
        self.notice = self.world.clock.now
        self.world.log("notice", self.site.id, f"{self.site.lease.arrears(self.notice)} dollars of rent unpaid")

    def _make_demand(self) -> None:
        """The cure has run out: security, then guarantors, else the end."""
        now, lease = self.world.clock.now, self.site.lease
        self.demand = now
        arrears = lease.arrears(now)
        self.world.log("demand", self.site.id, f"{arrears} dollars of rent unpaid")
        if arrears and self._secure(arrears) == arrears:
            self.due = None
            self._watch()
            return
        cover = self._cover
        if cover is None:
            self._terminate("rent unpaid")
            return
        cover.fail(self._overdue + self._rent_to_come(cover))
        if not cover.stands:
            self._terminate("rent unpaid, and the guarantor fails")
            return
        self._elect(cover)

    def _secure(self, dollars: int) -> int:
        """The developer draws the security for so much rent; what it got."""
        got = self.site.lease.draw_security(dollars)
        self._settle(got, self._flows)
        return got

    @property
    def _flows(self) -> list[Flow]:
        """Rents owed by the lessee."""
        return list(self.site.lease.rent.values())

    def _settle(self, dollars: int, flows: list[Flow]) -> None:
        """So much of the arrears has been paid by others, the oldest first."""
        now = self.world.clock.now
        for flow in flows:
            paid = min(dollars, flow.arrears(now))
            if paid:
                assert flow.unpaid_from is not None
                flow.replace_from(flow.unpaid_from, *_less(flow, flow.unpaid_from, paid))
                dollars -= paid

    # The election.

    def _rent_to_come(self, cover: Cover) -> float:
        """Present value of the rent that is covered and due now or later, at the guarantor's rate."""
        lease, now = self.site.lease, self.world.clock.now
        rate = self.world.draws.value(self.world.by(cover.user, cover.terms.discount_rate))
        if cover.effective_early:
            return lease.present_value(now, rate)
        return sum(flow.present_value(now, rate) for flow in self._flows)

    @property
    def _overdue(self) -> int:
        """Dollars of rent that were due before this minute, and are unpaid."""
        now = self.world.clock.now
        return sum(flow.arrears(now - 1) for flow in self._flows)

    def _elect(self, cover: Cover) -> None:
        site, world, lease, now = self.site, self.world, self.site.lease, self.world.clock.now
        terms, draws, user = cover.terms, self.world.draws, cover.user
        rent = self._rent_to_come(cover)
        self.costs = costs(
            cap_left=cover.cap_left(now),
            fee=half_up(draws.value(world.by(user, terms.termination_fee)) * cover.cap(now)),
            arrears=self._overdue,
            rent=rent,
            discount=draws.value(world.by(user, terms.assume_at_discount)),
            use=rent * lease.use_value_share if len(cover.parts) == 1 else None,
        )
        self.election = self.costs.elect(terms.election)
        cover.called()
        world.log("election", site.id, f"{self.election} of {tuple(self.costs)}")
        if not cover.effective_early:
            self._give_up(self._phases()[1])
        pay = now + self._times.pay_within
        if self.election == "pay":
            self.paying = True
            self._pays_from = pay
            self._at(pay, self._pay)
        elif self.election == "terminate":
            fee = int(self.costs.terminate)
            self._at(pay, lambda: self._pay_fee(cover, fee))
        else:
            self._assume(cover, pay)

    def _pay_fee(self, cover: Cover, fee: int) -> None:
        """The lease ends when the fee is paid, or should have been."""
        cover.pay(fee, "termination fee")
        cover.fail(fee)
        self._terminate("termination fee")

    def _assume(self, cover: Cover, pay: int) -> None:
        """The guarantor owes the rent due now or later; it makes good what is overdue, and its guarantee is over."""
        lease, world, now = self.site.lease, self.world, self.world.clock.now
        guarantor, overdue, flows = cover.guarantor, self._overdue, self._flows
        discount = world.draws.value(world.by(cover.user, cover.terms.assume_at_discount))
        world.clock.stage_at(pay, Stage.DEADLINE, lambda: self._make_good(cover, overdue, flows), rank=self.site.rank)
        self.end()
        cover.lease_over()
        secured = {id: int(p.dollars[p.minutes == now].sum()) for id, p in lease.premises.items()}
        secured = {id: secured[id] - flow.due(now, now + 1) for id, flow in lease.rent.items()}
        lease.novate(guarantor.id, discount)
        for id, dollars in secured.items():  # the security has paid some of what is due in this very minute
            if dollars and (due := lease.rent[id].due(now, now + 1)):
                lease.rent[id].replace_from(now, *_less(lease.rent[id], now, min(dollars, due)))
        self._listen(world.parties[guarantor.id])

    def _make_good(self, cover: Cover, overdue: int, flows: list[Flow]) -> None:
        """It pays what the old lessee has left unpaid, and still does."""
        part = cover.parts[0]
        owed = min(overdue, sum(flow.arrears(self.world.clock.now) for flow in flows))
        if owed and part.guarantor.pays:
            self.site.lease.receive(part.guarantor.id, "guarantee payment", owed)
            self._settle(owed, flows)
            part.tally.paid += owed
            part.guarantor.claims[self.site.lease.signed_by] += owed

    # Paying as due.

    def _pay(self) -> None:
        """Arrears, or a rent that falls due: out of the security, then by the guarantors."""
        now, lease = self.world.clock.now, self.site.lease
        cover = self._cover
        wanted = lease.arrears(now)
        wanted -= self._secure(wanted) if wanted else 0
        paid = 0
        if cover is not None and wanted:
            cover.fail(self._overdue + self._rent_to_come(cover))
            paid = cover.pay(wanted)
            self._settle(paid, self._flows)
            cover.refresh()
            self.world.log("guarantee payment", self.site.id, f"{paid} of {wanted} dollars of rent")
        if paid < wanted:
            self.paying = False
            self.due = now
            self.world.log("guarantee exhausted", self.site.id, f"{wanted - paid} dollars of rent unpaid")
            self._at(now + self._times.grace + self._times.cure, lambda: self._terminate("the guarantee is exhausted"))
            return
        following = lease.next_rent_due(now + 1)
        if following is not None:
            self._at(following, self._pay)

    def _terminate(self, why: str) -> None:
        now = self.world.clock.now
        self.lost = self.site.lease.arrears(now)
        self.end()
        self.site.lease.terminate(why)


def _less(flow: Flow, minute: int, dollars: int) -> tuple[Ints, Ints]:
    """(minutes, dollars) of what a flow owes from `minute` on, with so many dollars of it paid, the oldest first."""
    later = flow.minutes >= minute
    owed = flow.dollars[later]
    left = np.maximum(owed.cumsum() - dollars, 0)
    return flow.minutes[later], np.minimum(owed, left)
