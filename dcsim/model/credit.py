"""Guarantors: frameworks, headroom, approval; and a site's request for somebody to stand behind its rent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail
from dcsim.model.blueprint import dollars
from dcsim.model.step import Step
from dcsim.network.contracts import Contract
from dcsim.scenario.fields import at_least

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import World


class Guarantor:
    """A party that guarantees rents, in one replication. Reserved cover counts against its limit."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        party = world.spec.parties[id]
        assert party.guarantee is not None
        self.spec = party.guarantee
        self.rating = party.rating
        limit = self.spec.limit
        self.limit = None if limit is None or world.unlimited else dollars(limit.value)
        self.opening = 0
        self.framework = "signed" if self.spec.framework is None else "pending"
        self.pool = Pool(world.clock, f"{id} headroom", self.limit if self.framework == "signed" else 0)
        self._waiting: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Settle when, and whether, the framework comes about."""
        framework = self.spec.framework
        if framework is None:
            return
        minute = self.world.when(framework.signed)
        fails = self.world.draws.fails(f"parties.{self.id}.guarantee.framework", 1 - framework.chance.value)
        self.world.clock.at(max(minute, 0), lambda: self._settle("failed" if fails else "signed"))

    def _settle(self, outcome: str) -> None:
        """Requests made before stand in the queue: headroom opens, or they turn elsewhere."""
        self.framework = outcome
        self.world.log("framework", self.id, outcome)
        self._resize()
        waiting, self._waiting = self._waiting, []
        for then in waiting if outcome == "failed" else ():
            then()

    def on_failure(self, then: Callable[[], None]) -> None:
        """Call back if the framework fails."""
        if self.framework == "pending":
            self._waiting.append(then)

    def offer(self, amount: int) -> int:
        """What it offers of the dollars that are wanted."""
        most = self.spec.max_cap
        return amount if most is None else min(amount, dollars(most.value))

    def takes(self, amount: int, floor: str | None) -> bool:
        """Whether a request of so many dollars may be made at all: not above the whole limit, nor if more is used."""
        within = self.limit is None or max(amount, self.pool.in_use + self.opening) <= self.limit
        return self.framework != "failed" and within and at_least(self.rating, floor)

    def book_opening(self, amount: int) -> None:
        """Cover in use at the start: it uses the limit, whatever the limit is."""
        self.opening += amount
        self._resize()

    def release_opening(self, amount: int) -> None:
        """Opening cover that ended."""
        self.opening -= amount
        self._resize()

    def _resize(self) -> None:
        if self.framework == "signed":
            self.pool.set_capacity(None if self.limit is None else max(0, self.limit - self.opening))


class Cover:
    """Cover that a site holds: claimed from a guarantor's headroom, or in use since before the start."""

    def __init__(self, site: Site, guarantor: Guarantor, amount: int, claim: Claim | None) -> None:
        self.site = site
        self.guarantor = guarantor
        self.amount = amount
        self.claim = claim
        world = site.world
        self.contract = world.book.open(
            Contract(
                "guarantee",
                f"guarantee:{site.id}",
                guarantor.id,
                site.developer,
                amount,
                world.clock.now,
                covers=f"lease:{site.id}",
                site=site.id,
                tenant=site.tenant,
            )
        )

    def cut(self, amount: int) -> None:
        """Lower the cap; the rest of the reservation is free this minute."""
        freed = self.amount - amount
        if freed <= 0:
            return
        self.amount = self.contract.amount = amount
        if self.claim is not None:
            self.claim.release(freed)
        else:
            self.guarantor.release_opening(freed)

    def end(self) -> None:
        """The site has ended."""
        if self.claim is not None:
            self.claim.cancel()
        else:
            self.guarantor.release_opening(self.amount)
        self.site.world.book.close(self.contract.id, self.site.world.clock.now)


class Support(Step):
    """The site's request: down its list of guarantors until one grants it or its patience ends."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "guarantee", f"{site.id} guarantee")
        self.site = site
        self.spec = site.spec.guarantee
        self._tried: set[str] = set()
        self._queueing: Guarantor | None = None
        self._out_of_patience = False
        self._requests = 0

    def begin(self, trail: Trail) -> None:
        """Ask the first guarantor."""
        self.open(trail)
        clock = self.world.clock
        if self.spec is not None and self.spec.patience is not None:
            patience = self.world.draws.minutes(self.spec.patience)
            clock.stage_at(clock.now + patience, Stage.DEADLINE, self._impatient, rank=self.site.rank)
        self._next()

    def _next(self) -> None:
        """Turn to the next guarantor that could grant the request, in this minute."""
        site, spec = self.site, self.spec
        if site.ended:
            return
        amount = site.cover_wanted()
        for id in spec.guarantors if spec is not None else ():
            guarantor = self.world.guarantors[id]
            wanted = guarantor.offer(amount)
            if id in self._tried:
                continue
            if not guarantor.takes(wanted, site.rating_floor):
                self._tried.add(id)
                continue
            self._queueing = guarantor
            self.wait("guarantee", id)
            guarantor.on_failure(lambda guarantor=guarantor: self._framework_failed(guarantor))  # type: ignore[misc]
            self._queue(guarantor, wanted)
            self._strike_if_late()
            return
        self._queueing = None
        site.end("unguaranteed", "no guarantor left", self.trail)

    def _framework_failed(self, guarantor: Guarantor) -> None:
        if not self.ended and self._queueing is guarantor:
            self.let_go()
            self.resume()
            self._next()

    def _queue(self, guarantor: Guarantor, amount: int) -> None:
        priority = self.spec.priority if self.spec is not None else 0
        self._claim = guarantor.pool.request(
            amount, rank=self.site.rank, priority=priority, who=self.who, granted=self._reserved
        )

    def _reserved(self, claim: Claim) -> None:
        """Headroom is reserved: now the approval runs."""
        guarantor = self._queueing
        assert guarantor is not None
        self._queueing = None
        self.resume()
        k = self._requests
        self._requests += 1
        approval = guarantor.spec.approval
        delay = self.world.by(f"sites.{self.site.id}", approval.delay)
        self.work(self.world.draws.minutes(delay, k), lambda: self._answered(guarantor, claim, k))

    def _answered(self, guarantor: Guarantor, claim: Claim, k: int) -> None:
        approval = guarantor.spec.approval
        if self.world.draws.fails(f"sites.{self.site.id}.guarantee.{guarantor.id}", 1 - approval.chance.value, k):
            self._claim = None
            claim.cancel()
            self._tried.add(guarantor.id)
            self.world.log("refused", self.site.id, guarantor.id)
            self._next()
            return
        self._claim = None  # the cover holds it from here
        assert self.trail is not None
        self.site.cover = Cover(self.site, guarantor, claim.held, claim)
        self.site.reach("guarantee_signed", self.trail)

    def _impatient(self) -> None:
        self._out_of_patience = True
        if not self.ended and self._queueing is not None:
            self.site.end("unguaranteed", "patience ended")

    def _strike_if_late(self) -> None:
        """Queueing anew after patience ended: struck in this minute's deadlines unless granted before."""
        if self._out_of_patience:
            clock = self.world.clock
            clock.stage_at(clock.now, Stage.DEADLINE, self._impatient, rank=self.site.rank)
