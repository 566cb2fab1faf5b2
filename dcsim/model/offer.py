"""What lenders would lend to a site: the least of cost, cash flow, cover and what they have left; and what it pays for.

The cost is all that is paid until rent comes: works, contingency, interest and fees. A site that says
`cost_includes: everything` gives it whole, and the works are what interest, fees and contingency leave of it. With
`cost_includes: works` it gives the works, and cost and loan are solved together: the loan bears interest, which is
part of the cost, which bounds the loan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dcsim.model.account import ROUNDS, Account, PhasePlan, Tranche, planned, works_within
from dcsim.model.blueprint import down, half_up
from dcsim.model.forecast import PhaseForecast, SiteForecast
from dcsim.model.lender import Lender, current
from dcsim.model.months import months_from
from dcsim.scenario.sizing import DAYS_OF_YEAR, debt_capacity, whole_years

if TYPE_CHECKING:
    from dcsim.model.site import Site

MONTH = 43_830
"""Minutes of a month, as a duration."""


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
    uses: int
    """Dollars that loan and equity pay for."""


class Plan(NamedTuple):
    """When a site would close, and what is then expected of its phases."""

    start: int
    phases: list[PhasePlan]


class Offers:
    """What lenders would lend to a site, as it looks now."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        spec = site.spec.financing
        assert spec is not None
        self.spec = spec
        self.months = months_from(site.world.blueprint.scenario.start)

    # What bounds a loan.

    @property
    def years(self) -> int:
        """Whole years over which debt service is sized, and the loan repaid."""
        return whole_years(min(self.spec.sizing.over.value, self.site.spec.lease.term.value))

    @property
    def lease_months(self) -> int:
        """Months of the base term."""
        return half_up(self.site.spec.lease.term.value * 12 / DAYS_OF_YEAR)

    @property
    def contingency(self) -> int:
        """Dollars set aside."""
        return half_up(current(self.world, self.spec.contingency) * self.site.cost)

    def dscr_size(self, lender: Lender) -> float | None:
        """What cash flow carries, dollars; None if the lender does not ask."""
        dscr = lender.dscr
        if dscr is None:
            return None
        site = self.site
        kw = sum(p.kw for p in site.phases.values() if not p.ended)
        return debt_capacity(
            site.rent * kw * 12,
            current(self.world, self.spec.landlord_cost) * kw * 1e3,
            current(self.world, site.spec.lease.escalator),
            self.years,
            lender.rate,
            dscr,
            self.spec.sizing.shape,
        )

    def _limits(self, lenders: list[Lender], uses: int, cover: int | None) -> dict[str, int]:
        """What bounds a loan, in dollars: cost, cash flow, cover."""
        limits = {"ltc": down(min(lender.ltc for lender in lenders) * uses)}
        sizes = [size for lender in lenders if (size := self.dscr_size(lender)) is not None]
        if sizes:
            limits["dscr"] = down(min(sizes))
        ratio = max(lender.cap_to_loan for lender in lenders)
        if cover is not None and ratio > 0:
            limits["cover"] = down(cover / ratio)
        return limits

    # What they would lend.

    def best(self, lenders: list[Lender], guarantor: str | None, cover: int | None, close: int | None) -> Offer:
        """The largest loan of the lenders in order: of the first alone, of the first two, and so on.

        `cover` bounds it (None: it need not be covered); `close` is when it would close (None: as forecast).
        """
        able = [lender for lender in lenders if lender.left(self.site.tenant, guarantor) != 0]
        none = self.site.cost + (0 if self.spec.cost_includes == "everything" else self.contingency)
        best = Offer(0, [], "lenders", 0.0, none)
        for number in range(1, len(able) + 1):
            offer = self._joint(able[:number], guarantor, cover, close)
            if offer.loan > best.loan:
                best = offer
        return best

    def _joint(self, lenders: list[Lender], guarantor: str | None, cover: int | None, close: int | None) -> Offer:
        """The loan and the cost together."""
        uses = self.site.cost
        if self.spec.cost_includes == "everything":
            return self._at(lenders, guarantor, cover, uses)
        return self._meet(lambda uses: self._at(lenders, guarantor, cover, uses), close)

    def _meet(self, offered: Callable[[int], Offer], close: int | None) -> Offer:
        """The offer whose loan makes the works cost as much as it was made for.

        Nobody lends where there is none: interest on the loan would raise the cost by more than the loan.
        """
        plan, reserve, works = self.plan(close), self.contingency, self.site.cost
        uses = works + reserve
        for _ in range(ROUNDS):
            offer = offered(uses)
            needed = self._run(offer, works, plan).spent + reserve
            if abs(needed - uses) <= 1:
                return offer._replace(uses=max(uses, needed))
            uses = needed
        return Offer(0, [], "ltc", 0.0, works + reserve)

    def _at(self, lenders: list[Lender], guarantor: str | None, cover: int | None, uses: int) -> Offer:
        """The loan on the terms of the strictest, cut to what they have left; the first lends first."""
        limits = self._limits(lenders, uses, cover)
        missing = wanted = min(limits.values())
        shares = []
        for lender in lenders:
            left = lender.left(self.site.tenant, guarantor)
            take = missing if left is None else min(missing, left)
            if take > 0:
                shares.append((lender, take))
            missing -= take
        binding = "lenders" if missing else min(limits, key=lambda name: limits[name])
        ratio = max(lender.cap_to_loan for lender in lenders)
        return Offer(wanted - missing, shares, binding, ratio, uses)

    def cover_wanted(self, lenders: list[Lender]) -> int:
        """R: the highest required cap over loan, times what could be lent on cost and cash flow; dollars."""
        sizes = []
        for lender in lenders:
            size = self.dscr_size(lender)
            by_cost = lender.ltc * self._uses_alone(lender, size)
            sizes.append(by_cost if size is None else min(by_cost, size))
        ratio = max((lender.cap_to_loan for lender in lenders), default=0.0)
        return half_up(ratio * max(sizes, default=0.0))

    def _uses_alone(self, lender: Lender, size: float | None) -> int:
        """The cost if this lender lent what cost and cash flow allow."""
        uses = self.site.cost
        if self.spec.cost_includes == "everything":
            return uses

        def lent(uses: int) -> Offer:
            loan = down(lender.ltc * uses if size is None else min(lender.ltc * uses, size))
            return Offer(loan, [(lender, loan)], "ltc", 0.0, uses)

        return self._meet(lent, None).uses

    # What is paid for.

    def plan(self, close: int | None = None) -> Plan:
        """What is expected of each phase that is still in, if the site closes in minute `close` (None: as forecast)."""
        site, out = self.site, []
        fixed, abated = site.spec.lease.rent_commencement, current(self.world, site.spec.lease.abatement)
        cost = current(self.world, self.spec.landlord_cost) * 1e3 / 12
        start = SiteForecast(site).at("financial_close") if close is None else close
        for phase in site.phases.values():
            if not phase.ended:
                forecast = PhaseForecast(phase, start)
                ready = forecast.at("ready_for_service")
                rent = ready if fixed is None else max(ready, self.world.blueprint.minute_of(fixed))
                carried = rent + half_up(abated * MONTH)
                income = (site.rent - cost) * phase.kw
                out.append(PhasePlan(phase.kw, forecast.at("notice_to_proceed"), ready, carried, income))
        return Plan(start, out)

    def account(self, offer: Offer) -> Account:
        """Its sources, with nothing paid yet."""
        tranches = [self.tranche(lender, amount) for lender, amount in offer.shares]
        return Account(tranches, offer.uses, equity_first=self.spec.equity_first)

    def tranche(self, lender: Lender, amount: int) -> Tranche:
        """What a lender lends, on its terms of now."""
        spec = lender.spec
        upfront, undrawn = current(self.world, spec.upfront_fee), current(self.world, spec.commitment_fee)
        return Tranche(amount, lender.rate, upfront, undrawn, spec.drawn == "at_close")

    def _run(self, offer: Offer, works: int, plan: Plan) -> Account:
        account = self.account(offer)
        account.open()
        return planned(account, works, plan.phases, self.months, plan.start, self.site.early_works.spent)

    def works(self, offer: Offer, close: int) -> int:
        """Dollars of works that the offer pays for beside contingency, interest and fees, if the site closes then."""
        if self.spec.cost_includes == "works":
            return self.site.cost
        plan = self.plan(close)
        return works_within(lambda works: self._run(offer, works, plan).spent, offer.uses - self.contingency)
