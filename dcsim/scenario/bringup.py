"""Bring-up of racks in a hall, and what happens to them in service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dcsim.quantity import Quantity, parse_quantity
from dcsim.scenario.constant import days, share
from dcsim.scenario.fields import Block, Chance, Days, Names, Number

Racks = Annotated[Quantity, Number("racks", minimum=1, whole=True, constant=True)]


class Install(Block):
    """Racks are set up by crews."""

    team: str = "none"
    """Team of the tenant; one crew a lot."""
    racks_per_day: Annotated[Quantity, Number("racks_per_day", minimum=0, exclusive=True, worse="low")] = Field(
        default_factory=lambda: parse_quantity(1e9, "racks_per_day")
    )
    """Racks that a crew sets up a day; it takes no time if left out."""


class DeadOnArrival(Block):
    """Racks that fail burn-in go back and come again."""

    chance: Chance
    """Per rack and burn-in."""
    returned_in: Days
    """Days of turnaround, the new test included."""


class Failures(Block):
    """Racks that fail in service."""

    per_year: Annotated[Quantity, Number("per_year", minimum=0, maximum=12, constant=True)]
    """Failures per live rack and year."""
    repaired_in: Days
    spares: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True, worse="low")] = Field(
        default_factory=lambda: share(0)
    )
    """Spare racks as a share of those that fill the phase."""


class TenantWorks(Block):
    """What the tenant builds itself; gates the first power-on."""

    after: Names = ("lease_signed",)
    delay: Days = Field(default_factory=lambda: days(0))
    duration: Days
    cost: Annotated[Quantity, Number("usd_m_per_mw", minimum=0)] = Field(
        default_factory=lambda: parse_quantity(0, "usd_m_per_mw")
    )


class BringUp(Block):
    """Delivery to live."""

    lot: Racks
    """Racks that are brought up together."""
    tenant_works: TenantWorks | None = None
    early_access: Days = Field(default_factory=lambda: days(0))
    """Days before forecast RFS at which racks may be received, installed and cabled."""
    receive: Days = Field(default_factory=lambda: days(0))
    install: Install = Field(default_factory=Install)
    cabling: Days = Field(default_factory=lambda: days(0))
    burn_in: Days = Field(default_factory=lambda: days(0))
    dead_on_arrival: DeadOnArrival | None = None
    failures: Failures | None = None
    at_end_of_life: Literal["retire", "refresh_same_mw"] = "retire"
