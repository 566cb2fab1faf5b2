"""The lease while it runs: who owes rent to whom, from when, how much; who takes it over; how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from dcsim.ledger import Ints
from dcsim.model.blueprint import DAY, YEAR
from dcsim.model.breaks import Break, LongStop
from dcsim.model.forecast import forecast_rfs
from dcsim.model.money import Flow
from dcsim.model.parties import News
from dcsim.model.premises import Premises
from dcsim.model.rent import present_value
from dcsim.model.security import Security
from dcsim.network.contracts import Contract

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.phase import Phase
    from dcsim.model.project import Project
    from dcsim.model.site import Site


class Lease:
    """The lease of a site, phase by phase: rent is that of its `premises`.

    A lessee that is not the tenant passes on what the tenant pays it, and has nothing else to pay from: it stops when
    the tenant does. If it stops by itself the tenant goes on paying it, until the lease ends.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.spec = site.spec.lease
        self.signed_by = self.spec.lessee or site.tenant
        """Who signed it."""
        self.lessee = self.signed_by
        """Who owes the rent to the developer now: it or, after `novate`, whoever took the lease over."""
        self.signed: int | None = None
        self.ended_at: int | None = None
        self.assumed: int | None = None
        """Minute in which somebody took it over."""
        self.premises: dict[str, Premises] = {id: Premises(self, phase) for id, phase in site.phases.items()}
        self.security = Security(self, self.spec.security) if self.spec.security is not None else None
        self.delay_credits: dict[str, int] = {}
        """Dollars that the developer came to owe for each late phase."""
        self._contract: Contract | None = None
        self._epoch = self.world.blueprint.scenario.start.toordinal()

    def begin(self) -> None:
        """Wire rent to the commencement of each phase; listen to who must pay it."""
        for phase in self.site.phases.values():
            phase.milestones.on("rent_commencement", lambda trail, phase=phase: self._commence(phase, trail))  # type: ignore[misc]
        parties = self.world.parties
        for news in get_args(News):
            parties[self.signed_by].on(news, self._news)
        if self.passes_on:
            tenant = parties[self.site.tenant]
            tenant.on("stopped", self._tenant_stops)
            tenant.on("default", self._tenant_stops)
            tenant.on("resumed", self._tenant_resumes)

    # Time.

    def day_of(self, minute: int) -> int:
        """The day, as `date.toordinal` counts, on which a minute lies."""
        return self._epoch + minute // DAY

    def minute_of(self, day: int) -> int:
        """00:00 of a day."""
        return (day - self._epoch) * DAY

    def minutes_of(self, days: Ints, first: int) -> Ints:
        """00:00 of each day, but not before minute `first`."""
        return np.maximum((days - self._epoch) * DAY, first)

    # Names.

    @property
    def id(self) -> str:
        """Id of its contract as signed, which a guarantee covers."""
        return f"lease:{self.site.id}"

    @property
    def contract_id(self) -> str:
        """Id of the contract under which rent is owed now."""
        return self.id if self.assumed is None else f"{self.id}:{self.lessee}"

    @property
    def sublease_id(self) -> str:
        """Id of the contract between tenant and lessee, where they are two."""
        return f"sublease:{self.site.id}"

    @property
    def passes_on(self) -> bool:
        """Whether the rent goes from the tenant through a lessee."""
        return self.assumed is None and self.signed_by != self.site.tenant

    @property
    def rent(self) -> dict[str, Flow]:
        """What is owed to the developer for each phase whose rent has commenced."""
        return {id: p.flow for id, p in self.premises.items() if p.flow is not None}

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.ended_at is not None

    @property
    def commenced(self) -> bool:
        """Whether the rent of any phase has commenced."""
        return any(p.commenced is not None for p in self.premises.values())

    # What happens to it.

    def sign(self, minute: int) -> None:
        """It is signed (perhaps in the past): contracts, security, the exposure of the whole base term."""
        site = self.site
        self.signed = minute
        kw = sum(phase.kw for phase in site.phases.values() if not phase.ended)
        self._contract = self._open(self.id, self.lessee, kw, minute)
        if self.passes_on:
            self.world.book.open(
                Contract(
                    "lease", self.sublease_id, site.tenant, self.lessee, kw, minute, site=site.id, tenant=site.tenant
                )
            )
        if self.security is not None:
            self.security.post(minute)
        self._plan()

    def _open(self, id: str, debtor: str, kw: int, minute: int) -> Contract:
        site = self.site
        return self.world.book.open(
            Contract("lease", id, debtor, site.developer, kw, minute, site=site.id, tenant=site.tenant)
        )

    def closed(self, phase: Phase) -> None:
        """The target date of a phase is set: so is its long-stop."""
        if self.spec.long_stop is not None and self.spec.long_stop.walk_if is not None:
            LongStop(self, phase, self.spec.long_stop)

    def ready(self, phase: Phase) -> None:
        """A phase is ready for service: what the developer owes for its delay is settled."""
        self.site.energy.on = True
        self._settle_delay(phase)

    def _commence(self, phase: Phase, trail: Trail) -> None:
        self.site.energy.on = True
        self.premises[phase.id].commence(trail.minute)
        self._plan()
        if self.assumed is not None:
            phase.end("terminated", f"assumed by {self.lessee}", None)
        elif self.spec.early_termination is not None:
            Break(self, phase, self.spec.early_termination)

    def over(self, phase: Phase) -> None:
        """The base term of a phase has run out: the tenant leaves."""
        if not phase.ended:
            self.leave(phase, "term over")
        else:
            self.premises[phase.id].stop(self.world.clock.now)

    def leave(self, phase: Phase, why: str) -> None:
        """The lease of one phase ends, and with the last of them that of the site."""
        if any(other is not phase and not other.ended for other in self.site.phases.values()):
            phase.end("terminated", why, None)
            self._stressed()
        else:
            self.site.end("terminated", why)

    def terminate(self, why: str) -> None:
        """The lease ends now: so does the site, as `terminated`; rent is cut, and the halls are let again."""
        self.site.end("terminated", why)

    def novate(self, party: str, discount: float) -> None:
        """Somebody takes the lease over, and owes the rent from now on at a discount; arrears stay the old lessee's.

        The tenant leaves what is ready, and what is not, once it is; whoever has taken the lease over uses it.
        """
        now, book = self.world.clock.now, self.world.book
        self.assumed = now
        kw = sum(phase.kw for phase in self.site.phases.values() if not phase.ended)
        book.close(self.id, now)
        book.close(self.sublease_id, now)
        self.lessee = party
        self._contract = self._open(self.contract_id, party, kw, now)
        for premises in self.premises.values():
            premises.take_over(discount, now)
        if self.security is not None:
            self.security.end()
        for phase in self.site.phases.values():
            if not phase.ended and "ready_for_service" in phase.milestones.reached:
                phase.end("terminated", f"assumed by {party}", None)
        self._plan()

    def phase_ended(self, phase: Phase) -> None:
        """A phase has ended for the tenant: so does its rent, unless somebody else has taken the lease over."""
        if self.signed is None:
            return
        if "ready_for_service" not in phase.milestones.reached and self.world.parties[self.lessee].stopped is None:
            self._settle_delay(phase)
        if self.assumed is None:
            self._stop(phase)
            self._plan()

    def _stop(self, phase: Phase) -> None:
        premises = self.premises[phase.id]
        if premises.commenced is not None and premises.ended is None:
            premises.stop(self.world.clock.now)
            if "ready_for_service" in phase.milestones.reached:
                premises.let_again()

    def end(self, minute: int) -> None:
        """The site has ended: no rent is due from `minute` on, security goes back or is drawn."""
        if self.signed is None or self.ended:
            return
        self.ended_at = minute
        for phase in self.site.phases.values():
            self._stop(phase)
        if self.security is not None and self.assumed is None:
            self.security.end()
        self.world.book.close(self.contract_id, minute)
        self.world.book.close(self.sublease_id, minute)
        self._stressed()

    # Money that is no rent.

    def receive(self, payer: str, kind: str, dollars: int) -> None:
        """Money for the developer that a loan's service may count on goes through the project's account."""
        if not dollars:
            return
        if self._project is not None:
            self._project.receive(payer, kind, dollars)
        else:
            self.world.money.pay(payer, self.site.developer, kind, dollars)

    def pay_fee(self, kind: str, dollars: int) -> None:
        """The tenant pays the developer at once, through the lessee if there is one."""
        if self.passes_on and not self.world.money.pay(self.site.tenant, self.lessee, kind, dollars):
            return
        self.receive(self.lessee, kind, dollars)

    @property
    def _project(self) -> Project | None:
        return self.site.financing.project if self.site.financing is not None else None

    def _stressed(self) -> None:
        if self._project is not None:
            self._project.stressed()

    def draw_security(self, dollars: int) -> int:
        """Draw on the security; returns the dollars that the developer got."""
        return self.security.draw(dollars) if self.security is not None else 0

    def _settle_delay(self, phase: Phase) -> None:
        """Credits for the days past the outside date fall due at once, to the tenant in the end."""
        credit = self.spec.delay_credit
        if credit is None or phase.target is None or phase.id in self.delay_credits:
            return
        phase.judge_date(phase.milestones.reached.get("ready_for_service") or phase.end_trail)
        draws, premises = self.world.draws, self.premises[phase.id]
        days = draws.value(credit.per_day) * phase.past_outside / DAY
        if credit.at_most is not None:
            days = min(days, draws.value(credit.at_most))
        owed = premises.days_of_rent(days)
        self.delay_credits[phase.id] = owed
        money, now = self.world.money, self.world.clock.now
        if owed and money.bill(self.site.developer, self.lessee, "delay credit", owed, now):
            if self._project is not None:
                self._project.carry(owed)
            if self.passes_on:
                money.bill(self.lessee, self.site.tenant, "delay credit", owed, now)

    # Who pays.

    def _news(self) -> None:
        """The one who signed it has stopped paying or goes on: what is at stake changes."""
        if self.signed is not None and self.assumed is None:
            self._plan()

    def _tenant_stops(self) -> None:
        lessee, tenant = self.world.parties[self.signed_by], self.world.parties[self.site.tenant]
        lessee.stop_paying(tenant.stopped)

    def _tenant_resumes(self) -> None:
        parties, sites = self.world.parties, self.world.sites.values()
        tenants = {s.tenant for s in sites if s.lease.signed_by == self.signed_by}
        if all(parties[tenant].stopped is None for tenant in tenants):
            parties[self.signed_by].resume_paying()

    # What others ask.

    def _plan(self) -> None:
        """Keep the contract at what is at stake at the end of every month: rent to come, and arrears."""
        contract, world = self._contract, self.world
        if contract is None or contract.closed is not None:
            return
        now = world.clock.now
        months = world.money.ledger.months
        minutes = np.concatenate([[now], months[np.searchsorted(months, now, side="right") :]])
        owed = sum((p.owed_after(minutes) for p in self.premises.values()), np.zeros(len(minutes), np.int64))
        when, dollars = minutes.tolist(), owed.tolist()
        contract.plan(when, dollars)
        sublease = world.book.get(self.sublease_id)
        if sublease is not None and sublease.closed is None:
            sublease.plan(when, dollars)

    def remaining_rent(self, minute: int) -> int:
        """Undiscounted dollars of the base term that fall due from `minute` on, of phases not yet commenced too."""
        return sum(
            p.flow.to_come(minute) if p.flow is not None else p.planned if p.pending else 0
            for p in self.premises.values()
        )

    def present_value(self, minute: int, rate: float) -> float:
        """The same in dollars at `minute`, discounted at a rate a year; phases commence as forecast."""
        total = 0.0
        for premises in self.premises.values():
            minutes, dollars = premises.forecast()
            later = minutes >= minute
            total += present_value(dollars[later], (minutes[later] - minute) / YEAR, rate)
        return total

    def arrears(self, minute: int) -> int:
        """Dollars of rent that fell due up to and including `minute` and that the lessee has not paid."""
        return sum(flow.arrears(minute) for flow in self.rent.values())

    def next_rent_due(self, minute: int) -> int | None:
        """The first minute from `minute` on in which rent falls due; None if none does."""
        dues = [due for flow in self.rent.values() if (due := flow.next_due(minute)) is not None]
        return min(dues, default=None)

    def rent_paid(self, first: int, last: int) -> int:
        """Dollars of rent that were or will be paid to the developer from minute `first` to before `last`, less what
        it has paid back."""
        total = 0
        for premises in self.premises.values():
            total -= sum(dollars for minute, dollars in premises.refunded if first <= minute < last)
            for flow in premises.flows:
                until = last if flow.unpaid_from is None else min(last, flow.unpaid_from)
                total += flow.due(first, until) if until > first else 0
        return total

    @property
    def market_rent(self) -> float:
        """US$ per kW-month for which such a hall lets on the market now; the contract's first rent if left out."""
        rent = self.spec.market_rent
        return self.site.rent if rent is None else self.world.draws.value(rent)

    @property
    def market_rent_share(self) -> float:
        """Market rent over the contract rent that runs now (the first year's before commencement)."""
        premises = [p for p in self.premises.values() if p.pending or p.flow is not None]
        running = sum(p.running for p in premises)
        return self.market_rent * sum(p.phase.kw for p in premises) / running if running > 0 else 1.0

    @property
    def use_value_share(self) -> float:
        """What the halls are worth to a guarantor who takes the lease over, over the contract rent that runs now."""
        value = self.spec.use_value
        return self.market_rent_share if value is None else self.world.draws.value(value)

    def liability(self, minute: int, rate: float | None = None) -> float:
        """Lease liability of the tenant at a minute that may be past: present value in dollars of the rent from then on
        of phases that had commenced, at a rate a year (its treasury's discount rate if left out)."""
        if self.assumed is not None and self.assumed <= minute:
            return 0.0
        if rate is None:
            treasury = self.world.spec.tenants[self.site.tenant].treasury
            rate = self.world.draws.value(treasury.discount_rate) if treasury is not None else 0.0
        return sum(p.liability(minute, rate) for p in self.premises.values())

    def not_commenced(self, minute: int) -> int:
        """Undiscounted dollars of rent signed for and not commenced, at a minute that may be past."""
        over = [end for end in (self.ended_at, self.assumed) if end is not None]
        if self.signed is None or self.signed > minute or (over and min(over) <= minute):
            return 0
        return sum(p.not_commenced(minute) for p in self.premises.values())

    @property
    def base_term_rent(self) -> int:
        """Undiscounted rent of the base term of all phases still in, dollars, as it looks before commencement."""
        return sum(p.planned for p in self.premises.values() if not p.phase.ended)

    def forecast_commencement(self, phase: Phase) -> int:
        """Minute in which rent will commence, as it looks now."""
        fixed = self.spec.rent_commencement
        return forecast_rfs(phase) if fixed is None else self.world.blueprint.minute_of(fixed)
