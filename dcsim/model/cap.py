"""How much a guarantee covers over time: the cap as it steps down, and what is left of the claims behind which it is.

Minutes are arrays of any order; dollars are whole, halves up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dcsim.ledger import Ints
from dcsim.model.blueprint import DAY, half_up

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.network.contracts import Contract
    from dcsim.scenario.credit import StepDown


def stepped(amount: int, falls: StepDown, start: int, minutes: Ints, site: Site) -> Ints:
    """The cap of so many dollars at each of these minutes, stepping down from minute `start` on."""
    now = site.world.now
    if falls.shape == "with_loan":
        highest = balances(site, np.array([start], np.int64))
        if highest is None or not highest[0]:
            return np.full(len(minutes), amount, np.int64)
        later = balances(site, np.maximum(minutes, start))
        assert later is not None
        left = later / highest[0]
    elif falls.shape == "steps":
        after = [half_up(now(step.after).value * DAY) for step in falls.steps]
        shares = np.array([1.0, *(now(step.share).value for step in falls.steps)])
        left = shares[np.searchsorted(after, minutes - start, side="right")]
    else:
        assert falls.over is not None
        left = np.maximum(0.0, 1.0 - np.maximum(minutes - start, 0) / (now(falls.over).value * DAY))
    caps: Ints = np.floor(amount * left + 0.5).astype(np.int64)
    return caps


def rent_to_come(site: Site, minutes: Ints) -> Ints | None:
    """Rent due after each minute, and what is overdue; None where no lease is signed, or none has a rent."""
    if not site.lease_is_signed or site.rent == 0:
        return None
    later = np.maximum(minutes, site.world.clock.now)
    return sum((p.owed_after(later) for p in site.lease.premises.values()), np.zeros(len(minutes), np.int64))


def balances(site: Site, minutes: Ints, lender: str | None = None) -> Ints | None:
    """The highest that the site's loans (of one lender) will be from each minute on; None before it has closed."""
    if "financial_close" not in site.milestones.reached:
        return None
    loans = [loan for loan in loans_of(site, lender) if loan.minutes]
    if not loans:
        return None
    times = np.unique(np.concatenate([loan.minutes for loan in loans])).astype(np.int64)
    levels = np.zeros(len(times), np.int64)
    for loan in loans:
        mine = np.concatenate([[0], loan.levels])[np.searchsorted(loan.minutes, times, side="right")]
        levels += mine if loan.closed is None else np.where(times < loan.closed, mine, 0)
    highest: Ints = np.maximum.accumulate(levels[::-1])[::-1]
    return highest[np.maximum(np.searchsorted(times, minutes, side="right") - 1, 0)]


def loans_of(site: Site, lender: str | None = None) -> list[Contract]:
    """The contracts of a site's loans (of one lender), standing or ended, in the order in which lenders are listed."""
    lenders = site.financing.spec.lenders if site.financing is not None else ()
    found = [site.world.book.get(f"loan:{site.id}:{id}") for id in lenders if lender in (None, id)]
    return [loan for loan in found if loan is not None]
