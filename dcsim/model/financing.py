"""Lenders and the developer's loan: the least of its limits, booked at close, tried again if it falls short."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dcsim.engine.clock import Stage
from dcsim.engine.trail import Trail, latest
from dcsim.model.blueprint import DAY, YEAR, dollars, down, half_up
from dcsim.model.step import Step
from dcsim.network.contracts import Contract
from dcsim.scenario.fields import at_least

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.model.world import World


class Lender:
    """A party that lends to developers, in one replication. What is lent is read from the book of contracts."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id
        spec = world.spec.parties[id].lending
        assert spec is not None
        self.spec = spec
        self.takes_part = not world.draws.fails(f"parties.{id}.lending.takes_part", 1 - spec.takes_part.value)
        self.rate = world.draws.value(spec.rate)
        self.ltc = world.draws.value(spec.ltc)

    def left(self, tenant: str, guarantor: str | None) -> int | None:
        """Dollars it can still lend to sites of this tenant behind this guarantor; None: without limit."""
        if self.world.unlimited:
            return None
        spec = self.spec
        loans = list(self.world.book.held("loan", self.id))
        limits = []
        if spec.capacity is not None:
            limits.append(dollars(spec.capacity.value) - sum(c.amount for c in loans))
        if spec.per_tenant is not None:
            used = sum(c.amount for c in loans if c.tenant == tenant)
            limits.append(dollars(spec.per_tenant.value) - used)
        if spec.per_guarantor is not None and guarantor is not None:
            used = sum(c.amount for c in loans if c.guarantor == guarantor)
            limits.append(dollars(spec.per_guarantor.value) - used)
        return max(0, min(limits)) if limits else None


def debt_capacity(rent: float, cost: float, escalator: float, years: int, rate: float, dscr: float) -> float:
    """Debt that cash flow carries: sum over years t of (rent - cost)(1 + escalator)^(t-1) / dscr / (1 + rate)^t.

    `rent` and the landlord's `cost` are dollars a year in the first year; debt service follows them (sculpted), at the
    end of each year. Returns dollars, zero or more.
    """
    flow = max(0.0, rent - cost)
    total = 0.0
    for t in range(1, years + 1):
        total += flow * (1 + escalator) ** (t - 1) / (1 + rate) ** t
    return total / dscr


class Offer(NamedTuple):
    """A loan that lenders would make together."""

    loan: int
    """Dollars."""
    shares: list[tuple[Lender, int]]
    """Who lends how much of it."""
    binding: str
    """The limit that binds it: `ltc`, `dscr`, `cover` or `lenders`."""
    ratio: float
    """Cap over loan that they require."""


class Financing(Step):
    """The site's loan: underwriting, then close as soon as lease and guarantee are there, else again later."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "financing", f"{site.id} financing")
        self.site = site
        spec = site.spec.financing
        assert spec is not None
        self.spec = spec
        self.attempts = 0
        self.underwritten = False
        self.closed = False
        self.loan = 0
        self.binding: str | None = None
        self._deadline: int | None = None

    @property
    def lenders(self) -> list[Lender]:
        """Those who would lend to this site: tenant or guarantor has the rating they ask, once that is known."""
        site = self.site
        if not site.lease_is_signed:
            return site.lenders
        backer = self.world.guarantors[self._guarantor].rating if self._guarantor is not None else None
        return [
            lender
            for lender in site.lenders
            if at_least(site.tenant_rating, lender.spec.min_rating) or at_least(backer, lender.spec.min_rating)
        ]

    def begin(self, trail: Trail) -> None:
        """Start underwriting."""
        self.open(trail)
        self._underwrite()

    def lease_signed(self, minute: int) -> None:
        """The deadline counts from here; an underwritten loan closes at once."""
        retry = self.spec.retry
        if retry is not None and not self.closed:
            self._deadline = minute + self.world.draws.minutes(retry.until)
            clock = self.world.clock
            clock.stage_at(max(clock.now, self._deadline), Stage.DEADLINE, self._strike, rank=self.site.rank)
        if self.underwritten:
            self._ask()

    def _underwrite(self) -> None:
        """Takes the longest closing time of those who would lend as it looks now."""
        draws, by = self.world.draws, self.world.by
        user = f"sites.{self.site.id}"
        minutes = [draws.minutes(by(user, lender.spec.closing)) for lender, _ in self._offer().shares]
        self.work(max(minutes, default=0), self._underwrote)

    def _underwrote(self) -> None:
        self.underwritten = True
        if self.site.lease_is_signed:
            self._ask()
        else:
            self.wait("financing", "lease")

    def _ask(self) -> None:
        """Ask the lenders when all else in this minute is at rest; sites that ask together come in file order."""
        clock = self.world.clock
        clock.stage_at(clock.now, Stage.ALLOCATION, self._try_to_close, rank=self.site.rank)

    @property
    def _guarantor(self) -> str | None:
        return self.site.cover.guarantor.id if self.site.cover is not None else None

    def _offer(self) -> Offer:
        """The largest loan of the lenders in order: of the first alone, of the first two, and so on."""
        able = [lender for lender in self.lenders if lender.left(self.site.tenant, self._guarantor) != 0]
        best = Offer(0, [], "lenders", 0.0)
        for number in range(1, len(able) + 1):
            offer = self._joint_offer(able[:number])
            if offer.loan > best.loan:
                best = offer
        return best

    def _joint_offer(self, lenders: list[Lender]) -> Offer:
        """The loan on the terms of the strictest, cut to what they have left; the first lends first."""
        ratio = max(lender.spec.cap_to_loan.value for lender in lenders)
        limits = self._limits(lenders, ratio)
        missing = wanted = min(limits.values())
        shares = []
        for lender in lenders:
            left = lender.left(self.site.tenant, self._guarantor)
            take = missing if left is None else min(missing, left)
            if take > 0:
                shares.append((lender, take))
            missing -= take
        binding = "lenders" if missing else min(limits, key=lambda name: limits[name])
        return Offer(wanted - missing, shares, binding, ratio)

    def _limits(self, lenders: list[Lender], ratio: float) -> dict[str, int]:
        """What bounds a loan, in dollars: cost, cash flow, cover."""
        site = self.site
        limits = {"ltc": down(min(lender.ltc for lender in lenders) * site.cost)}
        sizes = [size for lender in lenders if (size := site.dscr_size(lender)) is not None]
        if sizes:
            limits["dscr"] = down(min(sizes))
        if site.cover is not None and ratio > 0:
            limits["cover"] = down(site.cover.amount / ratio)
        return limits

    def _try_to_close(self) -> None:
        """Close with what the lenders have left, if the developer's equity covers the rest; else try again."""
        if self.ended:
            return
        site, world = self.site, self.world
        assert self.trail is not None
        self._waiting = None
        self.trail = latest((site.milestones.reached["lease_signed"], self.trail))
        self.attempts += 1
        offer = self._offer()
        equity = -down(-world.draws.value(self.spec.equity) * site.cost)  # up, as the loan goes down
        if offer.loan + equity < site.cost:
            self._again()
            return
        self.binding = offer.binding
        self.loan = offer.loan
        self.closed = True
        for lender, amount in offer.shares:
            world.book.open(
                Contract(
                    "loan",
                    f"loan:{site.id}:{lender.id}",
                    site.developer,
                    lender.id,
                    amount,
                    world.clock.now,
                    site=site.id,
                    tenant=site.tenant,
                    guarantor=self._guarantor,
                )
            )
        if site.cover is not None:
            site.cover.cut(min(site.cover.amount, half_up(offer.ratio * offer.loan)))
        site.reach("financial_close", self.trail)

    def _again(self) -> None:
        """The next attempt comes some days later; the underwriting stands."""
        retry = self.spec.retry
        if retry is None:
            self.site.end("unfinanced", "loan and equity do not cover the cost", self.trail)
            return
        self.world.log("loan refused", self.site.id, f"attempt {self.attempts}")
        self.work(max(1, self.world.draws.minutes(retry.every, self.attempts - 1)), self._ask)

    def _strike(self) -> None:
        if not self.closed and not self.site.ended:
            self.site.end("unfinanced", "financing deadline")


def annual_rent(rent: float, kw: int) -> float:
    """Dollars a year from US$ per kW-month."""
    return rent * kw * 12


def whole_years(days: float) -> int:
    """Whole years in so many days, at least one."""
    return max(1, int(days * DAY / YEAR + 1e-9))
