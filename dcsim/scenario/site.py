"""A site from letter of intent to close: what is examined, negotiated, guaranteed, financed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity, parse_quantity
from dcsim.scenario.bringup import BringUp
from dcsim.scenario.construction import PhaseConstruction, SiteConstruction
from dcsim.scenario.fields import (
    After,
    Block,
    Chance,
    Count,
    Date,
    Days,
    Dollars,
    FixedDollars,
    Id,
    Ids,
    Names,
    Number,
    Power,
    Ref,
    Score,
    Share,
    Success,
    When,
    Whole,
)
from dcsim.scenario.party import days, share


class Renewal(Block):
    """What happens when exclusivity runs out before the lease is signed."""

    length: Days
    """Days that each renewal adds."""
    at_most: Count
    """Renewals before the letter is lost for good."""
    chance_active: Success = Field(default_factory=lambda: share(1))
    """Chance of renewal while diligence or negotiation is under way."""
    chance_idle: Success = Field(default_factory=lambda: share(1))
    """Chance of renewal otherwise; waiting for a team counts as idle."""


class Deposit(Block):
    """Money left with the developer."""

    amount: Dollars
    refundable_until: str = "lease_signed"
    """Milestone after which it is gone."""


class Loi(Block):
    """A letter of intent: non-binding, exclusive for a while."""

    signed: When
    """A date, or a milestone of another site (`{after: lakeside.lost, delay: 30}`: the next tenant takes it)."""
    exclusivity: Days | None = None
    """Days; never runs out if left out."""
    renewal: Renewal | None = None
    deposit: Deposit | None = None


class Workstream(Block):
    """One part of due diligence; passes, needs a remedy, or fails and ends the site."""

    after: Names = ()
    """Other workstreams or milestones it waits for."""
    delay: Days = Field(default_factory=lambda: days(0))
    duration: Days
    team: str = "none"
    """Team of the tenant that it holds; `none`: somebody else's time."""
    priority: Whole = 0
    """Lower goes first in the queue for the team."""
    cost: Dollars = Field(default_factory=lambda: parse_quantity(0, "usd_m"))
    remedy: Chance = Field(default_factory=lambda: share(0))
    """Chance that it passes only after a remedy."""
    remedy_takes: Days = Field(default_factory=lambda: days(0))
    remedy_costs: Dollars = Field(default_factory=lambda: parse_quantity(0, "usd_m"))
    fail: Chance = Field(default_factory=lambda: share(0))
    """Chance that it fails."""


class Negotiation(After):
    """Turns an approved site into a lease draft."""

    duration: Days = Field(default_factory=lambda: days(0))
    team: str = "none"
    priority: Whole = 0
    fail: Chance = Field(default_factory=lambda: share(0))
    """Chance that it fails in the end (the site is lost)."""


class GuaranteeRequest(After):
    """Asks guarantors, in order, to stand behind the rent."""

    guarantors: Names = Field(alias="from")
    """Parties with a `guarantee` block, tried in order."""
    patience: Days | None = None
    """Days of queueing for headroom after which the site ends unguaranteed."""
    priority: Whole = 0


class Lease(Block):
    """The lease that is signed when negotiation and guarantee are done."""

    rent: Annotated[Quantity, Number("usd_per_kw_month", minimum=0)] = Field(
        default_factory=lambda: parse_quantity(0, "usd_per_kw_month")
    )
    """Rent of the first year per kW of IT and month."""
    escalator: Annotated[Quantity, Number("fraction", minimum=-0.5, maximum=0.5)] = Field(
        default_factory=lambda: share(0)
    )
    """Yearly step of the rent."""
    term: Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")] = Field(
        default_factory=lambda: days(5478.75)
    )
    """Base term from rent commencement."""
    rent_commencement: Date | None = None
    """A fixed date on which rent starts; ready for service if left out."""
    target: Date | None = None
    """Target date of ready for service of every phase; close + plan at medians + float if left out."""
    float_days: Days = Field(default_factory=lambda: days(0), alias="float")
    """Float over the plan in the target date."""
    outside: Days | None = None
    """Days after the target at which the outside date falls, before excused days."""
    excused: tuple[Literal["grid", "permits", "shock"], ...] = ("grid", "permits", "shock")
    """Causes whose late days move the outside date."""


class Retry(Block):
    """How a loan that could not close is tried again."""

    every: Annotated[Quantity, Number("days", minimum=0, exclusive=True)]
    until: Days
    """Deadline in days after lease signing; then the site is unfinanced."""


class Sizing(Block):
    """How cash flow sizes the loan."""

    over: Annotated[Quantity, Number("days", minimum=1, constant=True, worse="low")] = Field(
        default_factory=lambda: days(5478.75)
    )
    """Period over which debt service is sized."""


class Financing(After):
    """The developer's loan and equity."""

    lenders: Names
    """Parties with a `lending` block, in order."""
    cost: Annotated[Quantity, Number("usd_m_per_mw", minimum=0)]
    """Total uses, interest and fees included, per MW of IT."""
    equity: Share = Field(default_factory=lambda: share(1))
    """Share of the cost that the developer can bring."""
    landlord_cost: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] = Field(
        default_factory=lambda: parse_quantity(0, "usd_m_per_mw_year")
    )
    sizing: Sizing = Field(default_factory=Sizing)
    retry: Retry | None = None


class PhaseInitial(Block):
    """Where a phase stands: past dates are facts, future ones forecasts that replace the steps before."""

    building_complete: When | None = None
    equipment_on_site: When | None = None
    energised: When | None = None
    commissioned: When | None = None
    ready_for_service: When | None = None
    full_live: When | None = None
    """All racks live at this date, from an order of the past."""


class SiteInitial(Block):
    """Where a site stands. A milestone reached implies the earlier ones."""

    loi_signed: When | None = None
    diligence_complete: When | None = None
    approved: When | None = None
    negotiated: When | None = None
    guarantee_signed: When | None = None
    lease_signed: When | None = None
    financial_close: When | None = None
    notice_to_proceed: When | None = None
    energy_services: When | None = None
    guarantor: Ref | None = None
    """Whose limit the cover below uses."""
    cap: FixedDollars | None = None
    """Cover in use."""
    loan: FixedDollars | None = None
    """Loan that stands; taken from the lenders in order."""


class Phase(Block):
    """A block of IT MW that gets ready separately."""

    mw: Power
    """MW of IT (or of facility, see `reported_basis`)."""
    decision: Literal["by_policy", "shelve"] = "by_policy"
    """`shelve`: not taken, whatever the policy says."""
    construction: PhaseConstruction | None = None
    """Only what differs from the site's."""
    bring_up: BringUp | None = None
    """Only what differs from the site's."""
    initial: PhaseInitial | None = None
    committed: dict[str, Date] = Field(default_factory=dict)
    """Dates promised to somebody, by milestone; the chance of each is reported."""


class Pue(Block):
    """Facility power over IT power."""

    peak: Annotated[Quantity, Number("number", minimum=1, maximum=5, constant=True)] = Field(
        default_factory=lambda: parse_quantity(1, "number", constant=True)
    )
    """Sizes the grid connection."""
    average: Annotated[Quantity, Number("number", minimum=1, maximum=5, constant=True)] = Field(
        default_factory=lambda: parse_quantity(1, "number", constant=True)
    )
    """Bills energy."""


class Site(Block):
    """One letter of intent and all that may follow from it."""

    tenant: Ref
    developer: Ref
    region: Ref | None = None
    tags: Ids = ()
    """Names for groups of sites in paths (`sites.@letters`)."""
    score: Score = 0.0
    """Attractiveness, for ranking."""
    decision: Literal["by_policy", "shelve"] = "by_policy"
    reported_basis: Literal["it", "facility"] = "it"
    """Whether `mw` of the phases is IT or facility power."""
    pue: Pue = Field(default_factory=Pue)
    loi: Loi | None = None
    """May be left out where `initial` gives a later milestone."""
    diligence: dict[Id, Workstream] = Field(default_factory=dict)
    negotiation: Negotiation = Field(default_factory=Negotiation)
    guarantee: GuaranteeRequest | None = None
    lease: Lease = Field(default_factory=Lease)
    financing: Financing | None = None
    construction: SiteConstruction = Field(default_factory=SiteConstruction)
    bring_up: BringUp | None = None
    """Without it, ready phases never go live."""
    phases: dict[Id, Phase] = Field(min_length=1)
    initial: SiteInitial | None = None
    committed: dict[str, Date] = Field(default_factory=dict)
    """Dates of the site's milestones promised to somebody."""
