"""From notice to proceed to ready for service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity, parse_quantity
from dcsim.scenario.constant import days, number, share
from dcsim.scenario.fields import (
    AnyPower,
    Block,
    Chance,
    Days,
    Dollars,
    Id,
    Names,
    Number,
    Share,
    Success,
    Whole,
    YesNo,
)


class Activity(Block):
    """A piece of building work."""

    after: Names = ("notice_to_proceed",)
    """Milestones and activities it waits for; unless `early`, notice to proceed in any case."""
    delay: Days = Field(default_factory=lambda: days(0))
    duration: Days
    team: str = "none"
    """Crew that it holds: of the developer (`crews` of the scenario)."""
    priority: Whole = 0
    early: YesNo = False
    """May start before notice to proceed, within the early-works budget."""
    cost: Dollars = Field(default_factory=lambda: parse_quantity(0, "usd_m"))
    """Committed whole at its start."""
    permit: YesNo = False
    """Its days are charged to `permits` instead of `construction`."""


class EquipmentOrder(Block):
    """Long-lead equipment of a phase."""

    ordered: Names = ("notice_to_proceed",)
    """Milestones at which it is ordered."""
    delay: Days = Field(default_factory=lambda: days(0))
    slot: Success = Field(default_factory=lambda: share(0))
    """Chance that the developer already holds a slot."""
    slot_arrives: Days = Field(default_factory=lambda: days(0))
    """Days from `ordered` to delivery when it does."""
    lead_time: Days | None = None
    """A lead time of its own; it is then outside the makers' output."""


class Commissioning(Block):
    """Tests after building, equipment and power."""

    duration: Days = Field(default_factory=lambda: days(0))
    retest: Chance = Field(default_factory=lambda: share(0))
    """Chance that the duration is repeated once."""


class GridStep(Block):
    """Power that the utility adds to the site."""

    mw: Annotated[Quantity, Number("MW", minimum=0, maximum=1e6, exclusive=True, constant=True)] | None = None
    """Facility MW added by this step."""
    share: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True)] | None = None
    """Or the share of the site's facility MW added by this step; no more than the phases that stand still need."""
    after: Names = ("energy_services",)
    """Milestones, or `previous`: the step before."""
    delay: Days = Field(default_factory=lambda: days(0))
    energy: Annotated[Quantity, Number("usd_per_mwh", minimum=0)] | None = None
    """Price of its energy (bridging power); the region's if left out."""


class EnergyServices(Block):
    """The agreement with the utility that starts the grid works."""

    after: Names = ("lease_signed",)
    delay: Days = Field(default_factory=lambda: days(0))
    collateral: Annotated[Quantity, Number("usd_m_per_mw", minimum=0)] = Field(
        default_factory=lambda: number(0, "usd_m_per_mw")
    )
    """Left with the utility per facility MW of each phase from the agreement until it is energised; forfeited if the
    phase ends before."""
    payer: Literal["developer", "tenant"] = "developer"
    minimum_take: Share = Field(default_factory=lambda: share(0))
    """Share of the contracted power (facility MW at peak) that is billed from rent commencement, used or not."""


class EarlyWorks(Block):
    """Building before notice to proceed."""

    after: Names = ("lease_signed",)
    """From when it may begin."""
    budget: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True, worse="low", of="cost")]
    """Share of the site's cost that may be committed early."""
    payer: Literal["developer", "tenant"] = "developer"
    """At whose risk; a tenant has it back from the developer at notice to proceed."""
    resale: Share = Field(default_factory=lambda: share(0))
    """What the payer gets back of it if the site ends before."""


class PhaseConstruction(Block):
    """What each phase builds."""

    activities: dict[Id, Activity] = Field(default_factory=dict)
    equipment: dict[Id, EquipmentOrder] = Field(default_factory=dict)
    commissioning: Commissioning = Field(default_factory=Commissioning)


class SiteConstruction(PhaseConstruction):
    """What a site shares: power, early works, the gap between its phases."""

    phase_gap: Days = Field(default_factory=lambda: days(0))
    """Days by which each phase's works start after those of the phase before."""
    grid: tuple[GridStep, ...] = ()
    """Ramp of power; without one, power is there."""
    bridge: GridStep | None = None
    """Bridging power until the grid has come."""
    energy_services: EnergyServices = Field(default_factory=EnergyServices)
    early_works: EarlyWorks | None = None


class Equipment(Block):
    """A kind of long-lead equipment and its makers' output."""

    lead_time: Days
    """Days from the start of making to the site."""
    made: Annotated[Quantity, Number("units_per_month", minimum=1, whole=True, constant=True, worse="low")] | None = (
        None
    )
    """Units started a calendar month for these sites; unlimited if left out."""
    serves: AnyPower | None = None
    """Facility MW that one unit serves; one unit a phase if left out."""


class Region(Block):
    """A grid region."""

    energy: Annotated[Quantity, Number("usd_per_mwh", minimum=0)] | None = None
    """Price of energy."""
    limit: AnyPower | None = None
    """Facility MW that the operator can connect for these sites at the start."""
    connects: Annotated[Quantity, Number("mw_per_year", minimum=0, constant=True, worse="low")] | None = None
    """Facility MW that it can newly connect a year, a twelfth on the 1st of each month."""
