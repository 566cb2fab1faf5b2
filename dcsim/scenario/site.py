"""A site from letter of intent to close: what is examined, negotiated, guaranteed, financed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity, parse_quantity
from dcsim.scenario.bringup import BringUp
from dcsim.scenario.constant import days, share
from dcsim.scenario.construction import PhaseConstruction, SiteConstruction
from dcsim.scenario.credit import GuaranteeRequest
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
from dcsim.scenario.financing import Financing
from dcsim.scenario.lease import Lease


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
    drawn: FixedDollars | None = None
    """What is drawn of it, and once everything is built, what is still owed. If left out, what the time gone of each
    phase's works asks for; a loan drawn at close is drawn whole."""
    rate: Share | None = None
    """Its interest; the lender's if left out."""


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
