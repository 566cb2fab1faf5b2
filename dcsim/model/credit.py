"""Guarantors: frameworks, headroom, approval; and a site's request for somebody to stand behind its rent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dcsim.engine.clock import Stage
from dcsim.engine.pool import Pool
from dcsim.engine.trail import Trail
from dcsim.errors import ModelError
from dcsim.model.backing import Reservation, split
from dcsim.model.blueprint import dollars, half_up
from dcsim.model.guarantee import Cover
from dcsim.model.standing import Standing, Tally, together
from dcsim.model.step import Step
from dcsim.scenario.credit import Terms, terms_of
from dcsim.scenario.fields import at_least, strictest

if TYPE_CHECKING:
    from dcsim.model.backing import Part
    from dcsim.model.site import Site
    from dcsim.model.world import Month, World


class Guarantor:
    """A party that guarantees rents, in one replication. Reserved cover counts against its limit.

    The limit bounds what it has committed: of each guarantee the cap as it has stepped down, less what has been paid,
    or what is left of the claim, if that is less. What thereby becomes free is handed out on the 1st of each month.
    """

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        guarantee = world.spec.parties[id].guarantee
        assert guarantee is not None
        self.spec = guarantee
        self.opening = 0
        self.framework = "signed" if self.spec.framework is None else "pending"
        self.highest_limit = self.limit
        """The limit at its highest so far; None: without limit."""
        self.pool = Pool(world.clock, f"{id} headroom", self.limit if self.framework == "signed" else 0)
        self.standings: defaultdict[str, Standing] = defaultdict(Standing)
        """Committed and active cover by tenant."""
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        """What came of it, by tenant."""
        self.claims: defaultdict[str, int] = defaultdict(int)
        """Dollars paid for others, which they owe it; by lessee. Nothing of it is recovered."""
        self.parts: list[Part] = []
        """Its parts of guarantees: those that stand, and those that the fee is still owed for."""
        self._waiting: list[Callable[[], None]] = []
        world.on_month_end(self._bill)

    def begin(self) -> None:
        """Settle when, and whether, the framework comes about."""
        framework = self.spec.framework
        if framework is None:
            return
        minute = self.world.when(framework.signed)
        self.world.clock.at(max(minute, 0), lambda: self._settle(1 - self.world.now(framework.chance).value))

    def _settle(self, fails: float) -> None:
        """Requests made before stand in the queue: headroom opens, or (with a chance) they turn elsewhere."""
        outcome = "failed" if self.world.draws.fails(f"parties.{self.id}.guarantee.framework", fails) else "signed"
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

    # What it can take on.

    @property
    def rating(self) -> str | None:
        """Its rating as it is now."""
        return self.world.parties[self.id].rating

    @property
    def pays(self) -> bool:
        """False once it has stopped paying, or defaulted."""
        return self.world.parties[self.id].stopped is None

    @property
    def limit(self) -> int | None:
        """The most that it has committed at any time, as it is now, dollars; None: without limit."""
        limit = self.spec.limit
        return None if limit is None or self.world.unlimited else dollars(self.world.now(limit).value)

    @property
    def used(self) -> int:
        """Dollars of the limit in use, reserved ones included."""
        return self.pool.in_use + self.opening

    def offer(self, amount: int) -> int:
        """What it offers of the dollars that are wanted."""
        most = self.spec.max_cap
        return amount if most is None else min(amount, dollars(self.world.now(most).value))

    def takes(self, amount: int, floor: str | None) -> bool:
        """Whether a request of so many dollars may be made at all: not above the whole limit, nor if more is used."""
        within = self.limit is None or max(amount, self.used) <= self.limit
        return self.framework != "failed" and within and at_least(self.rating, floor) and self.pays

    def limits_changed(self) -> None:
        """Edits have come into force or gone: from now on the limit is what it is now; holders keep what they have."""
        limit = self.limit
        if self.highest_limit is not None:
            self.highest_limit = None if limit is None else max(limit, self.highest_limit)
        self._resize()

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
            limit = self.limit
            self.pool.set_capacity(None if limit is None else max(0, limit - self.opening))

    # What it has taken on.

    @property
    def standing(self) -> Standing:
        """Committed and active cover over time, of all tenants."""
        return together([self.standings[tenant] for tenant in sorted(self.standings)])

    @property
    def tally(self) -> Tally:
        """What came of its guarantees, of all tenants."""
        return sum(self.tallies.values(), Tally())

    def _bill(self, month: Month) -> None:
        """The fee of a month that is over."""
        for part in self.parts:
            part.bill(month)
        self.parts = [part for part in self.parts if not part.ended]

    def audit(self) -> None:
        """What its guarantees hold is what is reserved, within the limit. Raises ModelError."""
        held = sum(part.reservation.held for part in self.parts if not part.ended)
        if held > self.used:
            raise ModelError(f"{self.id}: cover of {held} exceeds what is reserved, {self.used}")
        most = self.highest_limit
        if most is not None and self.pool.in_use and self.used > max(most, self.opening):
            raise ModelError(f"{self.id}: {self.used} is reserved, above its limit of {most}")
        committed = sum(standing.now[0] for standing in self.standings.values())
        if committed != self.used:
            raise ModelError(f"{self.id}: {committed} committed, but {self.used} of the limit in use")


def cover_of(world: World, tenant: str) -> tuple[Standing, Tally]:
    """Cover of one tenant over time, from all guarantors, and what came of it."""
    guarantors = world.guarantors.values()
    return together([g.standings[tenant] for g in guarantors]), sum((g.tallies[tenant] for g in guarantors), Tally())


class Panel(NamedTuple):
    """Who is asked at once: one guarantor, or several with their shares."""

    guarantors: tuple[Guarantor, ...]
    shares: tuple[float, ...]

    @property
    def names(self) -> str:
        return " and ".join(guarantor.id for guarantor in self.guarantors)

    def offer(self, wanted: int) -> list[int]:
        """What each gives of the dollars that are wanted, in their shares; nobody more than it offers one site."""
        if len(self.guarantors) == 1:
            return [self.guarantors[0].offer(wanted)]
        for guarantor, share in zip(self.guarantors, self.shares, strict=True):
            part = half_up(share * wanted)
            offered = guarantor.offer(part)
            if offered < part:
                wanted = int(offered / share)
        return split(wanted, self.shares)


class Search(Step):
    """Asks for cover, one panel of guarantors after the other, until one grants it."""

    def __init__(self, site: Site, who: str) -> None:
        super().__init__(site.world, "guarantee", who)
        self.site = site
        self.spec = site.spec.guarantee
        self._panels: list[Panel] = []
        self._asking: Panel | None = None
        self._reservations: list[Reservation] = []
        self._missing = 0

    def wanted(self, terms: Terms) -> int:
        """Dollars of cover to ask for."""
        raise NotImplementedError

    def granted(self, cover: list[Reservation], terms: Terms) -> None:
        """Everybody asked has approved."""
        raise NotImplementedError

    def nobody(self) -> None:
        """There is nobody left to ask."""
        raise NotImplementedError

    def queueing(self) -> None:
        """A request stands in a queue."""

    def enough(self, amounts: list[int]) -> bool:
        """Whether what a panel offers is worth asking for."""
        return True

    def floor(self, terms: Terms) -> str | None:
        """The rating that each guarantor must have: for the lenders, and not to be replaced at once."""
        return strictest([self.site.rating_floor, terms.replace.below if terms.replace is not None else None])

    def terms(self, panel: Panel) -> Terms:
        """On what terms a panel would stand: those of its first, with the site's own in their place."""
        return terms_of(panel.guarantors[0].spec.terms, self.spec)

    def ask(self, panels: list[Panel]) -> None:
        """Ask these, in order."""
        self._panels = panels
        self._next()

    def _next(self) -> None:
        """Turn to the next panel that could grant the request, in this minute."""
        while self._panels and not self.site.ended:
            panel = self._panels.pop(0)
            terms = self.terms(panel)
            amounts, floor = panel.offer(self.wanted(terms)), self.floor(terms)
            able = all(g.takes(amount, floor) for g, amount in zip(panel.guarantors, amounts, strict=True))
            if able and self.enough(amounts):
                self._queue(panel, amounts)
                self.queueing()
                return
        if not self.site.ended:
            self._asking = None
            self.nobody()

    def _queue(self, panel: Panel, amounts: list[int]) -> None:
        self._asking = panel
        self._missing = len(amounts)
        self.wait("guarantee", panel.names)
        priority = self.spec.priority if self.spec is not None else 0
        for guarantor, amount in zip(panel.guarantors, amounts, strict=True):
            guarantor.on_failure(lambda panel=panel: self._framework_failed(panel))  # type: ignore[misc]
            reservation = Reservation(guarantor, self.site.tenant)
            self._reservations.append(reservation)
            reservation.claim = guarantor.pool.request(
                amount,
                rank=self.site.rank,
                priority=priority,
                who=self.who,
                granted=lambda claim, reservation=reservation: self._reserved(reservation),  # type: ignore[misc]
            )

    @property
    def in_queue(self) -> bool:
        """Whether it waits for headroom."""
        return self._asking is not None and self._missing > 0

    def _framework_failed(self, panel: Panel) -> None:
        if not self.ended and self.in_queue and self._asking is panel:
            self.let_go()
            self.resume()
            self._next()

    def _reserved(self, reservation: Reservation) -> None:
        """Headroom is reserved: once that of everybody asked is, the approvals run."""
        reservation.count()
        self._missing -= 1
        if self._missing:
            return
        panel = self._asking
        assert panel is not None
        self.resume()
        k = self.site.support.requests
        self.site.support.requests += 1
        draws, user = self.world.draws, f"sites.{self.site.id}"
        delays = [draws.minutes(self.world.by(user, g.spec.approval.delay), k) for g in panel.guarantors]
        self.work(max(delays), lambda: self._answered(panel, k))

    def _answered(self, panel: Panel, k: int) -> None:
        floor = self.floor(self.terms(panel))
        refused = [guarantor.id for guarantor in panel.guarantors if self._refuses(guarantor, floor, k)]
        if refused:
            self.let_go()
            self.world.log("refused", self.site.id, " and ".join(refused))
            self._next()
            return
        cover, self._reservations = self._reservations, []  # the cover holds them from here
        self._asking = None
        self.granted(cover, self.terms(panel))

    def _refuses(self, guarantor: Guarantor, floor: str | None, k: int) -> bool:
        chance = self.world.now(guarantor.spec.approval.chance).value
        unlucky = self.world.draws.fails(f"sites.{self.site.id}.guarantee.{guarantor.id}", 1 - chance, k)
        return unlucky or not guarantor.pays or not at_least(guarantor.rating, floor)

    def let_go(self) -> None:
        """Leave the queues, and give back what is reserved."""
        for reservation in self._reservations:
            reservation.end()
        self._reservations = []
        super().let_go()


class Support(Search):
    """The site's first request: down its list of guarantors until one grants it or its patience ends."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, f"{site.id} guarantee")
        self.requests = 0
        """Requests that reached an answer so far, those for a replacement included."""
        self._out_of_patience = False

    def begin(self, trail: Trail) -> None:
        """Ask the first guarantor, or all of those who stand together."""
        self.open(trail)
        clock = self.world.clock
        if self.spec is not None and self.spec.patience is not None:
            patience = self.world.draws.minutes(self.spec.patience)
            clock.stage_at(clock.now + patience, Stage.DEADLINE, self._impatient, rank=self.site.rank)
        self.ask(panels_of(self.site))

    def wanted(self, terms: Terms) -> int:
        """R, the rent of the base term, or the amount that the terms fix."""
        if terms.cap.basis == "fixed" and terms.cap.amount is not None:
            return dollars(self.world.now(terms.cap.amount).value)
        return self.site.base_term_rent if terms.cap.basis == "remaining_rent" else self.site.cover_wanted()

    def granted(self, cover: list[Reservation], terms: Terms) -> None:
        assert self.trail is not None
        self.site.cover = Cover(self.site, cover, terms)
        self.site.reach("guarantee_signed", self.trail)

    def nobody(self) -> None:
        self.site.end("unguaranteed", "no guarantor left", self.trail)

    def _impatient(self) -> None:
        self._out_of_patience = True
        if not self.ended and self.in_queue:
            self.site.end("unguaranteed", "patience ended")

    def queueing(self) -> None:
        """Queueing anew after patience ended: struck in this minute's deadlines unless granted before."""
        if self._out_of_patience:
            clock = self.world.clock
            clock.stage_at(clock.now, Stage.DEADLINE, self._impatient, rank=self.site.rank)


def panels_of(site: Site) -> list[Panel]:
    """Whom the site asks: all who stand together, else one after the other."""
    spec, world = site.spec.guarantee, site.world
    if spec is None:
        return []
    if spec.together:
        shares = tuple(world.now(part).value for part in spec.together.values())
        return [Panel(tuple(world.guarantors[id] for id in spec.together), shares)]
    return [Panel((world.guarantors[id],), (1.0,)) for id in spec.guarantors]
