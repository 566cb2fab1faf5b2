"""The whole scenario as a checked, frozen object."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from dcsim.quantity import Quantity
from dcsim.scenario.chips import Chips
from dcsim.scenario.cloud import Cloud
from dcsim.scenario.construction import Equipment, Region
from dcsim.scenario.expression.field import ExpectationText
from dcsim.scenario.fields import (
    Block,
    Chance,
    Date,
    Factor,
    Id,
    Names,
    Number,
    PrintedDate,
)
from dcsim.scenario.party import Party
from dcsim.scenario.regime import Ratings, Regime
from dcsim.scenario.shocks import Shock
from dcsim.scenario.site import Site
from dcsim.scenario.tenant import TeamField, Tenant

VERSION = 1
"""The schema's version; older files are migrated when read."""

Member = Literal["tenant", "region", "developer", "supplier", "site", "phase"]


class Source(Block):
    """Where numbers come from."""

    issuer: str
    document: str
    date: PrintedDate | None = None
    """As printed: a year, a month or a day."""
    url: str | None = None
    via: str | None = None
    """Who re-reported it."""


class CommonFactor(Block):
    """A standard normal that many quantities may load on; high is later, dearer, weaker."""

    per: Member | None = None
    """One for each member; one in all if left out."""


class Driver(Block):
    """Something that happens or not, and then hits many durations at once."""

    chance: Chance
    per: Member | None = None
    """Once for each member; once in all if left out."""
    hits: Names
    """Paths below a site or phase (`diligence.permits`, `construction.activities.*`), those of tagged sites only
    (`sites.@letters.bring_up.burn_in`), or whole paths."""
    times: Factor | None = None
    """Factor on the duration."""
    plus: Annotated[Quantity, Number("days", minimum=0)] | None = None
    """Days added to it."""


class Yardstick(Block):
    """Something whose use of electricity readers know, such as a city."""

    name: str
    power: Annotated[Quantity, Number("MW", minimum=0, exclusive=True, constant=True)]
    """What it uses on average."""


class Actual(Block):
    """What has happened to a workstream, a negotiation, an activity or an equipment order."""

    started: Date
    finished: Date | None = None
    """Left out while it is under way: the rest is drawn, given its age."""


class ScenarioSpec(Block):
    """A scenario. Amounts are US$ million, power is MW, durations are days unless they carry a unit."""

    version: StrictInt
    name: str = Field(min_length=1, max_length=200)
    title: str = ""
    start: Date
    """Time runs from 00:00 of this day."""
    horizon: Date
    """To the end of this one."""
    status: Date | None = None
    """Status date: time runs from here instead of from the start, with everything before it a fact."""
    actuals: dict[str, Actual] = Field(default_factory=dict)
    """Facts by path: `sites.ohio.diligence.power: {started: 2026-07-03, finished: 2026-08-20}`."""
    seed: Annotated[StrictInt, Field(ge=0, lt=2**128)] = 0
    replications: Annotated[StrictInt, Field(ge=1, le=10_000_000)] = 1000
    sources: dict[Id, Source] = Field(default_factory=dict)
    factors: dict[Id, CommonFactor] = Field(default_factory=dict)
    drivers: dict[Id, Driver] = Field(default_factory=dict)
    parties: dict[Id, Party] = Field(default_factory=dict)
    regions: dict[Id, Region] = Field(default_factory=dict)
    tenants: dict[Id, Tenant] = Field(min_length=1)
    ratings: Ratings | None = None
    regime: Regime | None = None
    cloud: dict[Id, Cloud] = Field(default_factory=dict)
    yardsticks: dict[Id, Yardstick] = Field(default_factory=dict)
    """What the electricity of targets is held against in the summary."""
    crews: dict[Id, TeamField] = Field(default_factory=dict)
    """Builders' crews that activities may need, by name."""
    equipment: dict[Id, Equipment] = Field(default_factory=dict)
    chips: Chips = Field(default_factory=Chips)
    defaults: dict[str, Any] = Field(default_factory=dict)
    """What every entry takes before its own: `site`, `workstream`."""
    archetypes: dict[Id, Any] = Field(default_factory=dict)
    """Kinds of site for `like:`."""
    sites: dict[Id, Site] = Field(min_length=1)
    shocks: dict[Id, Shock] = Field(default_factory=dict)
    what_ifs: dict[Id, dict[str, Any]] = Field(default_factory=dict)
    """Named edits: path to value."""
    expect: dict[Id, ExpectationText] = Field(default_factory=dict)
    """What must hold of the results: `P50 live_mw@2030-12-31 >= 900 MW`, by name."""


__all__ = ["VERSION", "CommonFactor", "Driver", "ScenarioSpec", "Shock", "Source"]
