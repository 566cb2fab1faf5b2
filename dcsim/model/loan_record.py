"""What a replication hands over of a site's loan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dcsim.model.blueprint import DAY
from dcsim.model.history import LoanRecord
from dcsim.model.lender import current
from dcsim.scenario.sizing import DAYS_OF_YEAR

if TYPE_CHECKING:
    from dcsim.model.financing import Financing
    from dcsim.model.project import Project


def loan_record(financing: Financing) -> LoanRecord | None:
    """The loan of a site; None where none has closed by the horizon, or nobody lent."""
    project = financing.project
    if project is None or not financing.loan:
        return None
    return LoanRecord(
        site=financing.site.id,
        closed=financing.closed_at,
        amount=financing.loan,
        binding_limit=financing.binding or "",
        ltc=financing.loan / financing.uses,
        min_dscr=project.service.min_dscr,
        peak_drawn=project.peak_drawn,
        interest_during_construction=project.account.interest,
        contingency_left=project.contingency_left,
        defaulted=project.defaulted,
        recovery=project.recovered / project.exposure if project.exposure else None,
        closes_without_guarantor=financing.without_guarantor,
        breakeven_delay_days=breakeven_delay(project),
    )


def breakeven_delay(project: Project) -> float | None:
    """Days of delay past the plan that use up the contingency: interest on the whole loan, and delay credits.

    Credits are owed from the outside date on, until their cap. None if no delay ever uses it up.
    """
    financing, site, world = project.financing, project.site, project.world
    lease, left = site.spec.lease, float(financing.contingency)
    interest, credit = project.daily_interest, 0.0
    grace = most = math.inf
    if lease.delay_credit is not None and lease.outside is not None:
        daily_rent = site.rent * site.kw * 12 / DAYS_OF_YEAR
        credit = daily_rent * current(world, lease.delay_credit.per_day)
        grace = current(world, lease.outside) + current(world, lease.float_days)
        if lease.target is not None:
            target = world.blueprint.minute_of(lease.target)
            grace = max(0.0, current(world, lease.outside) + (target - project.planned_ready) / DAY)
        if lease.delay_credit.at_most is not None:
            most = daily_rent * current(world, lease.delay_credit.at_most)
    days = 0.0
    capped = most / credit if credit else 0.0
    for length, cost in ((grace, interest), (capped, interest + credit), (math.inf, interest)):
        if left <= 0 or (cost and left <= length * cost):
            return days + (left / cost if left > 0 else 0.0)
        if length == math.inf:
            break
        days += length
        left -= length * cost
    return None
