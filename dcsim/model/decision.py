"""Committees turn examined sites into approved ones, by a conversion policy; a board may have to agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dcsim.engine.trail import Trail
from dcsim.errors import ModelError
from dcsim.model.blueprint import DAY, dollars, kw
from dcsim.model.sittings import Sittings
from dcsim.model.step import Step
from dcsim.scenario.tenant import Ranking

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import World

HOLD: Literal["hold"] = "hold"
"""Verdict: hear it again at the next meeting."""

Verdict = Sequence[str] | Literal["hold"]
"""Phases to convert (the others are shelved; none at all shelves the site), or `HOLD`."""


@dataclass(frozen=True)
class Candidate:
    """A site that passed diligence, as a policy sees it."""

    site: str
    phases: Mapping[str, float]
    """IT MW of the phases that may be taken, in file order."""
    cost_per_mw: float
    """US$ million a MW."""
    cost_usd_m: float
    days_to_power: float
    """Forecast days until its first phase is energised, at medians."""
    score: float


@dataclass(frozen=True)
class Hearing:
    """What a policy knows when it decides."""

    tenant: str
    day: float
    """Days since the start."""
    contracted_mw: float
    """MW approved before and still standing."""
    spent_usd_m: float
    """Cost of sites approved before and still standing."""
    candidates: tuple[Candidate, ...]
    """In the order in which they became ready."""


Policy = Callable[[Hearing], Mapping[str, Verdict]]
"""A conversion policy: a verdict for every candidate. A top-level function, so that workers can find it."""


def every_passing(hearing: Hearing) -> Mapping[str, Verdict]:
    """Convert every site that passed diligence, whole."""
    return {c.site: tuple(c.phases) for c in hearing.candidates}


def none(hearing: Hearing) -> Mapping[str, Verdict]:
    """Shelve everything."""
    return {c.site: () for c in hearing.candidates}


def ranked(rule: Ranking, hearing: Hearing) -> Mapping[str, Verdict]:
    """Down a ranking while contracted MW is below the target; the last may overshoot; a budget is never exceeded."""
    keys: dict[str, Callable[[Candidate], float]] = {
        "date_to_power": lambda c: c.days_to_power,
        "cost_per_mw": lambda c: c.cost_per_mw,
        "score": lambda c: -c.score,
    }
    target = kw(rule.until.value) if rule.until is not None else math.inf
    budget = dollars(rule.budget.value) if rule.budget is not None else math.inf
    contracted, spent = kw(hearing.contracted_mw), dollars(hearing.spent_usd_m)
    verdicts: dict[str, Verdict] = {}
    for candidate in sorted(hearing.candidates, key=keys[rule.rank_by]):
        taken = []
        for phase, mw in candidate.phases.items():
            cost = dollars(candidate.cost_per_mw * mw)
            if contracted < target and spent + cost <= budget:
                taken.append(phase)
                contracted += kw(mw)
                spent += cost
        verdicts[candidate.site] = HOLD if not taken and rule.rest == "hold" else tuple(taken)
    return verdicts


class Decision(Step):
    """A site's wait for its tenant's committee and board."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "committee", f"{site.id} decision")
        self.site = site
        self.taken = False
        """The committee has taken it; the board may not have met yet."""
        self.joined = 0
        """Minute in which it was put before the committee."""

    def begin(self, trail: Trail) -> None:
        """Diligence is complete: to the committee."""
        if self.site.ended or self.site.is_given("approved"):
            return
        self.open(trail)
        self.joined = self.world.clock.now
        self.wait("committee", "committee")
        self.world.tenants[self.site.tenant].decide(self)

    def hold(self) -> None:
        """Heard, and neither taken nor refused: further waiting is the policy's."""
        self.resume()
        self.wait("policy", "committee")

    def to_board(self) -> None:
        self.resume()
        self.wait("committee", "board")

    def approve(self) -> None:
        self.resume()
        assert self.trail is not None
        self.site.reach("approved", self.trail)


class Tenant:
    """An AI lab in one replication: its teams, its committee, its board."""

    def __init__(self, world: World, id: str, policy: Policy | None) -> None:
        self.world = world
        self.id = id
        self.spec = world.spec.tenants[id]
        self.teams = {name: world.pool(f"{id} {name}", team) for name, team in self.spec.teams.items()}
        self._policy = policy or self._named(self.spec.decision.policy)
        self._before_committee: list[Decision] = []
        self._before_board: list[Decision] = []
        self._committee = Sittings(world, self.spec.decision.committee, self._meet, rank=0)
        self._board = Sittings(world, self.spec.decision.board, self._meet_board, rank=1)

    @staticmethod
    def _named(policy: str | Ranking) -> Policy:
        if isinstance(policy, Ranking):
            return lambda hearing: ranked(policy, hearing)
        return {"every_passing": every_passing, "none": none}[policy]

    def decide(self, decision: Decision) -> None:
        """Put a site before the next committee."""
        self._before_committee.append(decision)
        self._committee.call(self.world.clock.now)

    def next_meeting(self, minute: int) -> int:
        """The first committee at or after a minute."""
        return self._committee.after(minute)

    def _meet(self) -> None:
        heard = [decision for decision in self._before_committee if not decision.site.ended]
        heard.sort(key=lambda decision: (decision.joined, decision.site.rank))
        self._before_committee = []
        if not heard:
            return
        sites = {d.site.id: d for d in heard}
        verdicts = self._policy(self._hearing(heard))
        if set(verdicts) != set(sites):
            raise ModelError(
                f"the policy of {self.id} must decide on {sorted(sites)}, and decided on {sorted(verdicts)}"
            )
        for id, decision in sites.items():
            self._carry_out(decision, verdicts[id])
        if self._before_committee:  # held
            pause = 1 if self.spec.decision.committee is not None else DAY
            self._committee.call(self.world.clock.now + pause)

    def _hearing(self, heard: list[Decision]) -> Hearing:
        mine = [s for s in self.world.sites.values() if s.tenant == self.id and s.is_converted and not s.ended]
        taken = [p for s in mine for p in s.phases.values() if not p.ended]
        return Hearing(
            tenant=self.id,
            day=self.world.clock.now / DAY,
            contracted_mw=sum(p.kw for p in taken) / 1000,
            spent_usd_m=sum(p.kw / 1000 * p.site.cost_per_mw for p in taken),
            candidates=tuple(d.site.candidate() for d in heard),
        )

    def _carry_out(self, decision: Decision, verdict: Verdict) -> None:
        site = decision.site
        if verdict == HOLD:
            decision.hold()
            self._before_committee.append(decision)
            return
        decision.resume()
        if not verdict:
            site.end("shelved", "committee", decision.trail)
            return
        takable = {phase.id: phase for phase in site.phases.values() if not phase.ended}
        unknown = set(verdict) - set(takable)
        if unknown:
            raise ModelError(f"the policy of {self.id} takes phases {sorted(unknown)} that {site.id} does not offer")
        for phase in takable.values():
            if phase.id not in verdict:
                phase.end("shelved", "committee", decision.trail)
        decision.taken = True
        board = self.spec.decision.board
        if board is not None and site.base_term_rent > dollars(board.above.value):
            decision.to_board()
            self._before_board.append(decision)
            self._board.call(self.world.clock.now)
        else:
            decision.approve()

    def _meet_board(self) -> None:
        waiting, self._before_board = self._before_board, []
        for decision in waiting:
            if not decision.site.ended:
                decision.approve()
