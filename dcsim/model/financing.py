"""Lenders and the developer's loan: the least of its limits, booked at close, tried again if it falls short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.engine.clock import Stage
from dcsim.engine.trail import Trail, latest
from dcsim.model.blueprint import DAY, YEAR, dollars, half_up
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
        loans = list(self.world.book.standing("loan", self.id))
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
        """Those who would lend to this site: they take part, and tenant or guarantor has the rating they ask."""
        site = self.site
        backer = self.world.spec.parties[site.cover.guarantor.id].rating if site.cover is not None else None
        out = []
        for id in self.spec.lenders:
            lender = self.world.lenders[id]
            floor = lender.spec.min_rating
            ok = at_least(site.tenant_rating, floor) or at_least(backer, floor) or not self.site.lease_is_signed
            if lender.takes_part and ok:
                out.append(lender)
        return out

    def begin(self, trail: Trail) -> None:
        """Start underwriting."""
        if self.site.ended or self.site.is_given("financial_close"):
            return
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
            self._try_to_close()

    def _underwrite(self) -> None:
        """Each attempt takes the longest closing time of the lenders in it."""
        k = self.attempts
        self.attempts += 1
        draws, by = self.world.draws, self.world.by
        user = f"sites.{self.site.id}"
        minutes = [draws.minutes(by(user, lender.spec.closing), k) for lender in self._syndicate()]
        self.work(max(minutes, default=0), self._underwrote)

    def _syndicate(self) -> list[Lender]:
        """The lenders, in order, that together would cover the loan as it looks now."""
        out = []
        missing = self._wanted(self.lenders)
        for lender in self.lenders:
            left = lender.left(self.site.tenant, self._guarantor)
            if missing > 0 and left != 0:
                out.append(lender)
                missing -= missing if left is None else min(missing, left)
        return out

    @property
    def _guarantor(self) -> str | None:
        return self.site.cover.guarantor.id if self.site.cover is not None else None

    def _wanted(self, lenders: list[Lender]) -> int:
        return min(self.limits(lenders).values(), default=0)

    def limits(self, lenders: list[Lender]) -> dict[str, int]:
        """What bounds the loan, in dollars: cost, cash flow, cover; without lenders nothing is lent."""
        site = self.site
        if not lenders:
            return {"lenders": 0}
        limits = {"ltc": int(max(lender.ltc for lender in lenders) * site.cost)}
        sized = [size for lender in lenders if (size := site.dscr_size(lender)) is not None]
        if sized and len(sized) == len(lenders):
            limits["dscr"] = max(sized)
        if site.cover is not None:
            ratio = max(lender.spec.cap_to_loan.value for lender in lenders)
            if ratio > 0:
                limits["cover"] = int(site.cover.amount / ratio)
        return limits

    def _underwrote(self) -> None:
        self.underwritten = True
        if self.site.lease_is_signed:
            self._try_to_close()
        else:
            self.wait("financing", "lease")

    def _try_to_close(self) -> None:
        """Close with what the lenders have left, if the developer's equity covers the rest; else try again."""
        site, world = self.site, self.world
        lease = site.milestones.reached["lease_signed"]
        assert self.trail is not None
        self._waiting = None
        self.trail = latest((lease, self.trail))
        lenders = self.lenders
        limits = self.limits(lenders)
        wanted = min(limits.values())
        loans: list[tuple[Lender, int]] = []
        missing = wanted
        for lender in lenders:
            left = lender.left(site.tenant, self._guarantor)
            take = missing if left is None else min(missing, left)
            if take > 0:
                loans.append((lender, take))
                missing -= take
        loan = wanted - missing
        equity = int(world.draws.value(self.spec.equity) * site.cost)
        if loan + equity < site.cost:
            self._again()
            return
        self.binding = "lenders" if missing else min(limits, key=lambda name: limits[name])
        self.loan = loan
        self.closed = True
        for lender, amount in loans:
            world.book.open(
                Contract(
                    "loan",
                    f"loan:{site.id}:{lender.id}",
                    lender.id,
                    site.developer,
                    amount,
                    world.clock.now,
                    site=site.id,
                    tenant=site.tenant,
                    guarantor=self._guarantor,
                )
            )
        if site.cover is not None:
            ratio = max((lender.spec.cap_to_loan.value for lender in lenders), default=0.0)
            site.cover.cut(min(site.cover.amount, half_up(ratio * loan)))
        site.reach("financial_close", self.trail)

    def _again(self) -> None:
        retry = self.spec.retry
        if retry is None:
            self.site.end("unfinanced", "loan and equity do not cover the cost", self.trail)
            return
        self.underwritten = False
        self.world.log("loan refused", self.site.id, f"attempt {self.attempts}")
        self.work(max(1, self.world.draws.minutes(retry.every, self.attempts - 1)), self._underwrite)

    def _strike(self) -> None:
        if not self.closed and not self.site.ended:
            self.site.end("unfinanced", "financing deadline")


def annual_rent(rent: float, kw: int) -> float:
    """Dollars a year from US$ per kW-month."""
    return rent * kw * 12


def whole_years(days: float) -> int:
    """Whole years in so many days, at least one."""
    return max(1, int(days * DAY / YEAR + 1e-9))
