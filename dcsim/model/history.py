"""What one replication hands over: plain, picklable data from which every table is made.

Times are whole minutes since 00:00 of the scenario's `start`; a fact older than the start has a negative minute.
Powers are MW of IT load. Nothing here knows a date, a table or a random number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final, TypeAlias

import numpy as np

from dcsim.ledger import Ints, Monthly

MEASURES: Final[tuple[str, ...]] = (
    "loi", "diligence", "leased", "closed", "building", "energised", "ready", "chips_on_hand", "live",
)  # fmt: skip
"""What `History.changes` may count, in the order of the capacity table's columns."""

TERMINAL_STATES: Final[tuple[str, ...]] = (
    "live", "rejected", "shelved", "lost", "unguaranteed", "unfinanced", "terminated", "pending",
)  # fmt: skip
"""How a phase may end; `pending` is what the horizon cut off."""

CAUSES: Final[tuple[str, ...]] = (
    "diligence", "team", "committee", "policy", "negotiation", "guarantee", "financing", "permits", "construction",
    "equipment", "grid", "commissioning", "tenant_works", "chips", "crews", "bring_up", "repair", "cash", "shock",
    "default",
)  # fmt: skip
"""What days may be charged to, in the order of the delays table's rows."""

MilestoneRecord: TypeAlias = tuple[str, str, str | None, int | None, str, int]
"""(tenant, site, phase or None, lot or None, milestone, minute)."""

Change: TypeAlias = tuple[int, str, str, float]
"""(minute, tenant, measure, delta in MW): the measure of the tenant rises or falls by so much in that minute."""

Link: TypeAlias = tuple[int, str, str]
"""(minute in which the wait or activity ended, cause charged, who)."""

TrailRecord: TypeAlias = tuple[Link, ...]
"""Links, oldest first. The first one is where the trail begins (the site's LOI): it marks a minute and charges no days.
Every later link is charged its own minute less that of the link before it, so the days telescope exactly."""

EventRecord: TypeAlias = tuple[int, str, str, str]
"""(minute, kind, entity, detail)."""


DefaultRecord: TypeAlias = tuple[int, str, str]
"""(minute, party, cause: shock, liquidity, hazard or contagion)."""

CashRecord: TypeAlias = tuple[str, int, Ints, Ints]
"""(party, opening dollars, dollars received by month, dollars paid by month)."""

ExposureRecord: TypeAlias = tuple[str, str, str, Ints]
"""(source, target, kind, dollars at stake at the end of each month)."""


PARTY_NUMBERS: Final[tuple[str, ...]] = (
    "committed_peak", "active_peak", "guarantee_limit", "calls", "guarantee_paid", "uncovered", "fees", "warrants",
    "chips_sold", "live_mw_years", "chip_margin", "cloud_margin_lost", "lent_peak", "loan_losses", "residual_paid",
)  # fmt: skip
"""What is counted of every party, in the order of the columns: US$ million, but for `calls` (a number) and MW-years."""


@dataclass(slots=True)
class LoanRecord:
    """One loan to a developer, from its close. Money in whole dollars; what has not come about is None."""

    site: str
    closed: int
    """Minute of its financial close."""
    amount: int
    binding_limit: str
    """`ltc`, `dscr`, `cover` or `lenders`."""
    ltc: float
    """Loan over total uses."""
    min_dscr: float | None
    """Least yearly cover of its debt service by rent less the landlord's cost."""
    peak_drawn: int
    interest_during_construction: int
    contingency_left: int
    defaulted: int | None
    """Minute of its default."""
    recovery: float | None
    """Share of the exposure that the lenders got back."""
    closes_without_guarantor: bool
    """Whether it would have closed as large with nobody behind the rent."""
    breakeven_delay_days: float | None
    """Days of delay past the plan that the contingency carries."""


@dataclass(slots=True)
class PhaseEnd:
    """How one phase ended, and the trails that say why then.

    `state` is one of `TERMINAL_STATES`; `reached` tells whether the last lot went live. `minute` is when the trail
    ends: full live, the terminal event, or 24:00 of the horizon's date. `trail` is that of the last lot; `lots` holds
    (MW, trail) of each lot that was formed, and MW in no lot are charged by `trail`. `activities` holds (name, whether
    it lay on the trail).
    """

    tenant: str
    site: str
    phase: str
    mw: float
    state: str
    reached: bool
    minute: int
    trail: TrailRecord = ()
    lots: list[tuple[float, TrailRecord]] = field(default_factory=list)
    activities: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """One replication, as the model leaves it.

    `milestones`, `changes` and `events` stand in the order in which they were recorded. `events` is empty unless
    traced. `outcomes` holds further scalars by tenant (None where there is none); every replication of a scenario
    reports the same names, in the same order, for every tenant.
    """

    replication: int
    milestones: list[MilestoneRecord] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    phases: list[PhaseEnd] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    outcomes: dict[str, dict[str, float | int | None]] = field(default_factory=dict)
    ledger: Monthly | None = None
    cash: list[CashRecord] = field(default_factory=list)
    """Of every party whose money is followed."""
    exposures: list[ExposureRecord] = field(default_factory=list)
    loans: list[LoanRecord] = field(default_factory=list)
    defaults: list[DefaultRecord] = field(default_factory=list)
    parties: dict[str, dict[str, float]] = field(default_factory=dict)
    """By party that guarantees, lends or supplies: `PARTY_NUMBERS` that are not zero."""
    compute: dict[str, tuple[list[float], list[float], list[float]]] = field(default_factory=dict)
    """By tenant with demand or clouds: MW rented, MW wanted, MW wanted and not served, at the end of each month."""

    def __eq__(self, other: object) -> bool:
        """Whether the same came about."""
        if not isinstance(other, History):
            return NotImplemented
        return all(_same(getattr(self, one.name), getattr(other, one.name)) for one in fields(self))


def _same(one: object, other: object) -> bool:
    """Equal, arrays entry by entry."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))  # type: ignore[arg-type]
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other or (one != one and other != other)  # what there is none of is not a number
