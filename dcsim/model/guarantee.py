"""A guarantee while it stands: the cap over time, what of it is committed, and what is paid under it.

The cap is what the terms ask for (R until the loan has closed), stepped down by its schedule. What may still be called
is the stepped cap less what has been paid. Committed is the lesser of that and what is left of the claims covered: the
rent to come with any arrears, and the highest balance that the loan will still have. It never rises, and it falls on
the 1sts of months (and when something happens), which frees as much of the guarantor's limit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcsim.ledger import Ints
from dcsim.model.backing import Claimed, Part, Reservation, split
from dcsim.model.blueprint import half_up
from dcsim.model.cap import balances, loans_of, rent_to_come, stepped
from dcsim.scenario.fields import RATINGS, at_least

if TYPE_CHECKING:
    from dcsim.model.credit import Guarantor
    from dcsim.model.project import Project
    from dcsim.model.site import Site
    from dcsim.scenario.credit import Effective, Terms


class Cover:
    """Who stands behind a site's rent or loan, for how much, from when."""

    def __init__(self, site: Site, reservations: list[Reservation], terms: Terms) -> None:
        self.site = site
        self.world = world = site.world
        self.terms = terms
        self.user = f"sites.{site.id}"
        self.amount = sum(reservation.held for reservation in reservations)
        """The cap before any step-down, dollars."""
        self.committed = self.amount
        """Dollars of limits that it uses now."""
        self.paid = 0
        """Dollars paid under it, by whomever."""
        self.ended = False
        self._lease_over = False
        self._made = world.clock.now
        self.draw_stops: list[list[int]] = []
        """Stretches of minutes [from, to) or, while they last, [from] in which loan draws stop for want of one."""
        self.parts: list[Part] = []
        self._levels: dict[int, int] = {}
        """Committed from the 1sts of months on at which it falls."""
        self._take_in(reservations)
        m = site.milestones
        for name in ("guarantee_signed", "lease_signed"):
            m.on(name, lambda _: self.refresh())
        m.on("financial_close", lambda trail: self._closed(trail.minute))
        for phase in site.phases.values():
            for name in ("rent_commencement", "ended"):
                phase.milestones.on(name, lambda _: self.refresh())
        world.on_month(self._month)
        self.refresh()

    def _take_in(self, reservations: list[Reservation]) -> None:
        """These guarantors stand behind the site from now on, in the proportion of what they hold."""
        whole = sum(reservation.held for reservation in reservations)
        shares = [r.held / whole if whole else 1 / len(reservations) for r in reservations]
        self.parts = [Part(self, r, share) for r, share in zip(reservations, shares, strict=True)]
        for guarantor in self.guarantors if self.terms.replace is not None else ():
            party = self.world.parties[guarantor.id]
            party.on("downgrade", self.check_ratings)
            party.on("default", self.check_ratings)

    # Who.

    @property
    def guarantor(self) -> Guarantor:
        """The guarantor, or the first of several."""
        return self.parts[0].guarantor

    @property
    def guarantors(self) -> list[Guarantor]:
        return [part.guarantor for part in self.parts]

    @property
    def rating(self) -> str | None:
        """The rating that lenders go by: that of the weakest who stands behind it."""
        return weakest([part.guarantor.rating for part in self.parts])

    @property
    def stands(self) -> bool:
        """Whether any of its guarantors still pays."""
        return not self.ended and any(part.guarantor.pays for part in self.parts)

    @property
    def covers_rent(self) -> bool:
        return self.terms.covers != "loan"

    @property
    def covers_loan(self) -> bool:
        return self.terms.covers != "rent"

    @property
    def _lender(self) -> str | None:
        """The only lender whose loan is covered; None: all of them."""
        request = self.site.spec.guarantee
        return request.beneficiary if request is not None and request.beneficiary != self.site.developer else None

    # How much, from when.

    def reached(self, event: Effective) -> int | None:
        """Minute of signing, close or (first) rent commencement; None before."""
        site = self.site
        if event == "rent_commencement":
            commenced = [p.milestones.reached.get("rent_commencement") for p in site.phases.values()]
            minutes = [trail.minute for trail in commenced if trail is not None]
            return min(minutes, default=None)
        trail = site.milestones.reached.get("guarantee_signed" if event == "signing" else event)
        if trail is None:
            return self._made if event == "signing" else None
        return trail.minute

    def effective(self, minute: int) -> bool:
        """Whether it can be called in a minute, up to now."""
        since = self.reached(self.terms.effective)
        return not self.ended and since is not None and since <= minute

    @property
    def effective_early(self) -> bool:
        """Whether it can be called now for phases that have not commenced."""
        return self.terms.effective != "rent_commencement" and self.effective(self.world.clock.now)

    def cap(self, minute: int) -> int:
        """The cap as it has stepped down by a minute, or will have, before payments; dollars."""
        return int(self._caps(np.array([minute], np.int64))[0])

    def cap_left(self, minute: int) -> int:
        """What may still be called of those who pay: the stepped cap less payments made; dollars."""
        return sum(left for part, left in self._left(minute) if part.guarantor.pays)

    def _left(self, minute: int) -> list[tuple[Part, int]]:
        caps = split(self.cap(minute), [part.share for part in self.parts])
        return [(part, max(0, cap - part.used)) for part, cap in zip(self.parts, caps, strict=True)]

    def _caps(self, minutes: Ints) -> Ints:
        falls = self.terms.step_down
        start = self.reached(falls.start) if falls is not None else None
        if falls is None or start is None:
            return np.full(len(minutes), self.amount, np.int64)
        return stepped(self.amount, falls, start, minutes, self.site)

    def committed_at(self, minute: int) -> int:
        """The lesser of cap left and claims covered at the end of a minute, as they look now; dollars."""
        return int(self._commitment(np.array([minute], np.int64))[0][0])

    def _commitment(self, minutes: Ints) -> tuple[Ints, Ints]:
        """The lesser of cap left and claims covered at the end of each minute, as they look now; and what of it stands
        behind the lease, which comes first."""
        left = np.maximum(self._caps(minutes) - self.paid, 0)
        nothing = np.zeros_like(left)
        rent = rent_to_come(self.site, minutes) if self.covers_rent and not self._lease_over else nothing
        loan = balances(self.site, minutes, self._lender) if self.covers_loan else nothing
        committed = left if rent is None or loan is None else np.minimum(left, rent + loan)
        return committed, committed if rent is None else np.minimum(committed, rent)

    # As time goes on.

    def refresh(self) -> None:
        """Something has changed: commit what is left, and plan the rest."""
        if self.ended or (self.site.ended and not self._lease_over):
            return
        now = self.world.clock.now
        months = self.world.blueprint.months
        grid = np.array([now, *months[bisect_right(months, now) :]], np.int64)
        committed, on_lease = self._commitment(grid)
        levels = np.minimum.accumulate(np.minimum(committed, self.committed))
        steps = np.concatenate([[0], np.flatnonzero(np.diff(levels)) + 1])
        grid, levels = grid[steps], levels[steps]
        self._levels = dict(zip(grid.tolist(), levels.tolist(), strict=True))
        self._hold(int(levels[0]))
        self._plan(grid, levels, np.minimum(levels, on_lease[steps]))

    def _hold(self, level: int) -> None:
        self.committed = level
        effective = self.effective(self.world.clock.now)
        for part, amount in zip(self.parts, split(level, self._shares), strict=True):
            part.hold(amount, effective)

    @property
    def _shares(self) -> list[float]:
        return [part.share for part in self.parts]

    def _month(self) -> bool:
        """The 1st of a month; False once it has ended."""
        if self._lease_over:
            self._end_with_loan()
        level = self._levels.get(self.world.clock.now)
        if level is not None and not self.ended:
            self._hold(level)
        return not self.ended

    def cut(self, amount: int) -> None:
        """The loan has closed: a cap that follows the loan falls to `amount`; the rest is free this minute."""
        if self.terms.cap.basis == "loan" and amount < self.amount:
            self.amount = amount
            self.refresh()

    def _closed(self, minute: int) -> None:
        warrants = self.terms.fee.warrants if self.terms.fee is not None else None
        worth = self.world.draws.value(self.world.by(self.user, warrants)) if warrants is not None else 0.0
        if worth and minute >= 0:
            for part, amount in zip(self.parts, split(self.amount, self._shares), strict=True):
                part.tally.warrants += half_up(worth * amount)
        self.refresh()

    def substitute(self, reservations: list[Reservation]) -> None:
        """Other guarantors take the places of those who stood behind the site, on the same terms and the same cap."""
        for part in self.parts:
            part.end()
        self._take_in(reservations)
        self.committed = sum(reservation.held for reservation in reservations)
        for part, paid in zip(self.parts, split(self.paid, self._shares), strict=True):
            part.used = paid
        if self.draw_stops and len(self.draw_stops[-1]) == 1:
            self.draw_stops[-1].append(self.world.clock.now)
            project = project_of(self.site)
            if project is not None:
                project.resume_draws("guarantor")
        self.refresh()
        self.check_ratings()

    def check_ratings(self) -> None:
        """A guarantor's rating has fallen: below what it must keep, another one is looked for."""
        replace = self.terms.replace
        if replace is not None and not self.ended and not at_least(self.rating, replace.below):
            self.site.replacement.start(self, replace)

    def stop_draws(self) -> None:
        """Nobody has replaced a guarantor in time: no loan is drawn until somebody does."""
        self.draw_stops.append([self.world.clock.now])
        self.world.log("draw stop", self.site.id, "guarantor below its rating")
        project = project_of(self.site)
        if project is not None:
            project.stop_draws("guarantor")

    def lease_over(self) -> None:
        """The site has ended, or the guarantor has become its lessee: no rent is covered; a loan is to its end."""
        self._lease_over = True
        self._end_with_loan()
        self.refresh()

    def _end_with_loan(self) -> None:
        project = project_of(self.site)
        loan = self.covers_loan and self.effective(self.world.clock.now) and project is not None and not project.over
        if not loan and not self.ended:
            self.ended = True
            self.committed = 0
            for part in self.parts:
                part.end()
            self.site.replacement.cancel()

    # Being called.

    def called(self) -> None:
        """A demand has been made."""
        for part in self.parts:
            if part.guarantor.pays:
                part.tally.calls += 1

    def pay(self, wanted: int, kind: str = "guarantee payment") -> int:
        """So much rent (or a fee) is claimed: each guarantor who can pays its share, up to its cap; what was paid.

        `refresh` once the rent is no longer owed.
        """
        got = 0
        for (part, left), share in zip(self._left(self.world.clock.now), split(wanted, self._shares), strict=True):
            if part.guarantor.pays and (due := min(share, left)):
                self.site.lease.receive(part.guarantor.id, kind, due)
                self._book(part, due, self.site.lease.signed_by)
                got += due
        return got

    def pay_loan(self, lender: str, wanted: int) -> int:
        """Debt service that the developer cannot pay is claimed for one lender; dollars paid to it."""
        now = self.world.clock.now
        if not self.covers_loan or not self.effective(now) or self._lender not in (None, lender):
            return 0
        got = 0
        for (part, left), share in zip(self._left(now), split(wanted, self._shares), strict=True):
            due = min(share, left)
            if due and self.world.money.pay(part.guarantor.id, lender, "guarantee payment", due):
                self._book(part, due, self.site.developer)
                got += due
        if got:
            self.world.log("guarantee payment", self.site.id, f"{got} dollars of debt service")
            self.refresh()
        return got

    def _book(self, part: Part, dollars: int, debtor: str) -> None:
        part.used += dollars
        self.paid += dollars
        part.tally.paid += dollars
        part.guarantor.claims[debtor] += dollars

    def fail(self, claims: float) -> None:
        """Guarantors who do not pay any more meet nothing of these claims; each loss of cover is counted once."""
        for (part, left), share in zip(self._left(self.world.clock.now), self._shares, strict=True):
            if not part.guarantor.pays and not part.failed:
                part.failed = True
                unmet = min(left, half_up(share * claims))
                part.tally.unmet += unmet
                self.world.log("claim unmet", self.site.id, f"{part.guarantor.id}: {unmet} dollars")

    # The network.

    def _claims(self) -> list[Claimed]:
        """What it stands behind: the lease, and the loans once they have closed."""
        site = self.site
        out = [Claimed(site.lease.id, site.developer)] if self.covers_rent else []
        loans = loans_of(site, self._lender) if self.covers_loan else []
        lent = sum(loan.amount for loan in loans)
        return [*out, *(Claimed(loan.id, loan.target, loan.amount / lent) for loan in loans if lent)]

    def _plan(self, grid: Ints, levels: Ints, on_lease: Ints) -> None:
        """What is at stake for each claim from now on: for the lease first, for the loans what is beyond it."""
        minutes = grid.tolist()
        effective = self.reached(self.terms.effective)
        for claim in self._claims():
            for part in self.parts:
                part.promise(claim)
                part.plan(claim, minutes, on_lease if claim.weight is None else levels - on_lease, effective)


def project_of(site: Site) -> Project | None:
    """The developer's account of the project; None where there is no loan."""
    return site.financing.project if site.financing is not None else None


def weakest(ratings: Sequence[str | None]) -> str | None:
    """The worst of these ratings; none at all is worse than any."""
    rated = [rating for rating in ratings if rating is not None]
    return max(rated, key=RATINGS.index) if len(rated) == len(ratings) and rated else None
