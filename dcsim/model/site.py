"""A site from letter to close: the one place that knows the order of the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.trail import Trail, extend, origin
from dcsim.errors import ModelError
from dcsim.model.blueprint import DAY, dollars
from dcsim.model.call import Call
from dcsim.model.credit import Support
from dcsim.model.decision import Candidate, Decision
from dcsim.model.diligence import Diligence
from dcsim.model.early_works import EarlyWorks
from dcsim.model.energy import SiteEnergy
from dcsim.model.financing import Financing
from dcsim.model.forecast import forecast_energised
from dcsim.model.grid import SiteGrid
from dcsim.model.lease import Lease
from dcsim.model.lender import Lender
from dcsim.model.loi import Letter
from dcsim.model.milestones import Milestones
from dcsim.model.negotiation import Negotiation
from dcsim.model.opening import given_milestones, open_positions
from dcsim.model.phase import Phase
from dcsim.model.replacement import Replacement
from dcsim.scenario.fields import RATINGS, SITE_MILESTONES, After, at_least

if TYPE_CHECKING:
    from dcsim.model.guarantee import Cover
    from dcsim.model.step import Step
    from dcsim.model.world import World

OUTCOMES = ("rejected", "shelved", "lost", "unguaranteed", "unfinanced", "terminated")
"""How a site may end; each is a milestone too, so that another letter may follow on it."""


class Site:
    """One site in one replication."""

    def __init__(self, world: World, id: str, rank: int) -> None:
        self.world = world
        self.id = id
        self.rank = rank
        self.spec = spec = world.spec.sites[id]
        self.tenant = spec.tenant
        self.developer = spec.developer
        self.ended: str | None = None
        self.cover: Cover | None = None
        self._given: dict[str, int] = {}
        self.spent = 0
        """Dollars of building cost committed so far."""
        self.milestones: Milestones = Milestones((*SITE_MILESTONES, *OUTCOMES, "ended", *spec.diligence))
        self.phases = {name: Phase(self, name, phase, index) for index, (name, phase) in enumerate(spec.phases.items())}
        self.kw = sum(phase.kw for phase in self.phases.values())
        financing = spec.financing
        self._cost_per_mw: float | None = None
        self._rent: float | None = None
        self.letter = Letter(self)
        self.diligence = Diligence(self)
        self.decision = Decision(self)
        self.negotiation = Negotiation(self)
        self.support = Support(self)
        self.replacement = Replacement(self)
        self.financing = Financing(self) if financing is not None else None
        self.grid = SiteGrid(self)
        self.lease = Lease(self)
        self.energy = SiteEnergy(self)
        self.early_works = EarlyWorks(self)
        self.call = Call(self)

    # The order of the steps.

    def begin(self) -> None:
        """Wire the steps to their milestones, then sign the letter or take up where things stand."""
        m, spec = self.milestones, self.spec
        m.on("loi_signed", self._letter_signed)
        m.on("diligence_complete", self._examined)
        self._start("negotiated", self.negotiation, spec.negotiation)
        if self.needs_guarantor:
            self._start("guarantee_signed", self.support, spec.guarantee)
            m.on_all(("approved", "negotiated", "guarantee_signed"), self._sign_lease)
        else:
            m.on_all(("approved", "negotiated"), self._sign_lease)
        m.on("lease_signed", self._leased)
        if self.financing is not None:
            self._start("financial_close", self.financing, self.financing.spec)
        else:
            m.on("lease_signed", self._closed_without_a_loan)
        m.on("financial_close", self._closed)
        self.grid.begin()
        self.lease.begin()
        self.energy.begin()
        self.early_works.begin()
        self.call.begin()
        for phase in self.phases.values():
            phase.begin()
        self._take_up()
        for phase in self.phases.values():
            phase.state_given()

    def _start(self, result: str, step: Step, spec: After | None) -> None:
        """Begin a step an offset after its milestones (the approval, if none are named), unless its result is given."""
        after = (spec.after if spec is not None else ()) or ("approved",)
        delay = spec.delay if spec is not None else None

        def reached(trail: Trail) -> None:
            if not self.ended and not self.is_given(result):
                step.begin_after(trail, self.world.draws.minutes(delay) if delay is not None else 0)

        self.milestones.on_all(after, reached)

    def _take_up(self) -> None:
        """Sign the letter when it is due; milestones that the file gives come in place of the steps before them."""
        world, loi = self.world, self.spec.loi
        self._given = given = given_milestones(self)
        if not given:
            assert loi is not None
            if loi.signed.after:
                world.watch(loi.signed.after, loi.signed.delay, self.id, self._sign_letter)
            else:
                signed = world.when(loi.signed)
                world.clock.at(max(0, signed), lambda: self._sign_letter(signed))
            return
        open_positions(self, given)
        for name in SITE_MILESTONES:
            if name in given:
                minute = given[name]
                world.clock.at(max(0, minute), lambda name=name, minute=minute: self._state(name, minute))  # type: ignore[misc]

    def given_minute(self, name: str) -> int:
        """Minute of a milestone that the file gives."""
        return self._given[name]

    def _state(self, name: str, minute: int) -> None:
        """A milestone that the file gives."""
        if self.ended:
            return
        if name == "loi_signed":
            self._sign_letter(minute)
            return
        earlier = [self.milestones.reached.get(n) for n in SITE_MILESTONES[: SITE_MILESTONES.index(name)]]
        before = [trail for trail in earlier if trail is not None and trail.minute <= minute]
        start = before[-1] if before else origin(minute, self.id)
        trail = extend(start, minute, CAUSE_OF[name], self.id)
        for stream in self.spec.diligence if name == "diligence_complete" else ():
            self.milestones.reach(stream, trail)
        self.reach(name, trail, minute)

    # What happens on the way.

    def _sign_letter(self, minute: int) -> None:
        if self.ended:
            return
        if self.spec.loi is not None:
            self.letter.sign(minute)
        for phase in self.phases.values():
            phase.count("loi", phase.kw, minute)
        self.reach("loi_signed", origin(minute, self.id), minute)

    def _letter_signed(self, trail: Trail) -> None:
        if self.spec.decision == "shelve" and not self.is_given("approved"):
            self.end("shelved", "shelved by decision", trail)
        elif not self.is_given("diligence_complete"):
            self.diligence.begin(trail)

    def diligence_begins(self) -> None:
        """Diligence is under way."""
        for phase in self.phases.values():
            phase.count("diligence", phase.kw)

    def _examined(self, trail: Trail) -> None:
        """What passed goes to the committee, without the phases that the file shelves."""
        for phase in self.phases.values():
            phase.uncount("diligence")
            if phase.spec.decision == "shelve" and not phase.ended and not self.is_given("approved"):
                phase.end("shelved", "shelved by decision", trail)
        if all(phase.ended for phase in self.phases.values()):
            self.end("shelved", "every phase shelved by decision", trail)
        if not self.ended:
            self.decision.begin(trail)

    def _sign_lease(self, trail: Trail) -> None:
        if not self.ended and not self.is_given("lease_signed"):
            self.reach("lease_signed", trail)

    def _leased(self, trail: Trail) -> None:
        """Leased MW counts from here."""
        world, self._rent = self.world, self.rent
        self.letter.close()
        for phase in self.phases.values():
            if not phase.ended:
                phase.uncount("loi")
                phase.uncount("diligence")
                phase.leased(trail.minute)
        self.lease.sign(trail.minute)
        if self.financing is not None and not self.is_given("financial_close"):
            self.financing.lease_signed(trail.minute)
        world.chips.site_leased(self)

    def _closed_without_a_loan(self, trail: Trail) -> None:
        if not self.is_given("financial_close"):
            self.reach("financial_close", trail)

    def _closed(self, trail: Trail) -> None:
        self._cost_per_mw = self.cost_per_mw
        for phase in self.phases.values():
            if not phase.ended:
                phase.closed(trail.minute)
        if not self.is_given("notice_to_proceed"):
            self.reach("notice_to_proceed", trail, trail.minute)

    def reach(self, name: str, trail: Trail, minute: int | None = None) -> None:
        """A milestone of the site."""
        if name in self.milestones.reached:
            return
        at = self.world.clock.now if minute is None else minute
        self.world.record.milestone(at, self.tenant, self.id, None, None, name)
        self.milestones.reach(name, trail)
        self.refresh()

    def refresh(self) -> None:
        """A milestone changes the forecasts of every phase."""
        if not self.ended:
            for phase in self.phases.values():
                phase.forecasts.refresh()

    def end(self, state: str, why: str, trail: Trail | None = None) -> None:
        """The site ends: its phases with it; whatever is under way stops, what it holds is given back."""
        if self.ended:
            return
        if state not in OUTCOMES:
            raise ModelError(f"{self.id} cannot end as {state!r}")
        now = self.world.clock.now
        closing = trail or self.closing()
        self.ended = state
        self.world.log("ended", self.id, f"{state}: {why}")
        for phase in self.phases.values():
            if not phase.ended:
                phase.end(state, why, closing)
        self.letter.close()
        for step in self.steps:
            step.cancel()
        self.grid.end()
        if self.financing is not None:
            self.financing.site_ends()
        if self.cover is not None:
            self.cover.lease_over()
        self.call.end()
        self.lease.end(now)
        end = origin(now, self.id) if closing is None else extend(closing, now, "policy", self.id)
        self.world.record.milestone(now, self.tenant, self.id, None, None, "ended")
        self.milestones.reach("ended", end)
        self.milestones.reach(state, end)

    # What others ask.

    @property
    def steps(self) -> list[Step]:
        """The site's steps in order of declaration."""
        steps: list[Step] = [self.diligence, self.decision, self.negotiation, self.support]
        return [*steps, *([self.financing] if self.financing is not None else [])]

    def closing(self) -> Trail | None:
        """The trail of the first thing under way, as it would close now; else the latest milestone's."""
        for step in self.steps:
            trail = step.closing()
            if trail is not None:
                return trail
        reached = [t for n, t in self.milestones.reached.items() if n in SITE_MILESTONES]
        return max(reached, key=lambda t: t.minute) if reached else None

    @property
    def at_work(self) -> bool:
        """True while diligence or negotiation is under way; waiting for a team is idle."""
        return self.diligence.running or self.negotiation.work_under_way is not None

    def is_given(self, milestone: str) -> bool:
        """True if the file gives the milestone, so that the steps before it are not simulated."""
        return milestone in self._given

    @property
    def is_converted(self) -> bool:
        """True once a committee has taken it, or the file says so."""
        return self.decision.taken or "approved" in self.milestones.reached

    @property
    def lease_is_signed(self) -> bool:
        return "lease_signed" in self.milestones.reached

    @property
    def rent(self) -> float:
        """US$ per kW of IT and month in the first year: as it stands, until the lease is signed."""
        return self.world.draws.value(self.spec.lease.rent) if self._rent is None else self._rent

    @property
    def cost_per_mw(self) -> float:
        """US$ million per MW of IT: as it stands, until financial close."""
        if self._cost_per_mw is not None:
            return self._cost_per_mw
        financing = self.spec.financing
        return self.world.draws.value(financing.cost) if financing is not None else 0.0

    @property
    def cost(self) -> int:
        """Total uses of the phases still in, dollars."""
        return sum(dollars(self.cost_per_mw * p.kw / 1000) for p in self.phases.values() if not p.ended)

    @property
    def lenders(self) -> list[Lender]:
        """Those listed who lend to such sites at all."""
        spec = self.spec.financing
        lenders = [self.world.lenders[id] for id in spec.lenders] if spec is not None else []
        return [lender for lender in lenders if lender.takes_part]

    @property
    def rating_floor(self) -> str | None:
        """The highest rating that any of its lenders asks for."""
        floors = [floor for lender in self.lenders if (floor := lender.spec.min_rating) is not None]
        return min(floors, key=RATINGS.index) if floors else None

    @property
    def tenant_rating(self) -> str | None:
        """The tenant's rating as it is now."""
        return self.world.parties[self.tenant].rating

    @property
    def needs_guarantor(self) -> bool:
        return not at_least(self.tenant_rating, self.rating_floor)

    def cover_wanted(self) -> int:
        """R: the highest required cap over loan, times what could be lent on cost and cash flow; dollars."""
        return self.financing.offers.cover_wanted(self.lenders) if self.financing is not None else 0

    @property
    def base_term_rent(self) -> int:
        """Undiscounted rent of the base term, dollars."""
        return self.lease.base_term_rent

    def candidate(self) -> Candidate:
        """The site as a conversion policy sees it."""
        takable = [p for p in self.phases.values() if not p.ended]
        first = min(forecast_energised(p) for p in takable)
        return Candidate(
            site=self.id,
            phases={p.id: p.kw / 1000 for p in takable},
            cost_per_mw=self.cost_per_mw,
            cost_usd_m=self.cost / 1e6,
            days_to_power=(first - self.world.clock.now) / DAY,
            score=self.spec.score,
        )


CAUSE_OF = {
    "diligence_complete": "diligence",
    "approved": "committee",
    "negotiated": "negotiation",
    "guarantee_signed": "guarantee",
    "lease_signed": "negotiation",
    "financial_close": "financing",
    "notice_to_proceed": "financing",
    "energy_services": "grid",
}
"""What a milestone that the file gives is charged to."""
