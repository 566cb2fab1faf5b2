"""The whole scenario as a checked, frozen object."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictInt, Tag

from dcsim.quantity import Quantity
from dcsim.scenario.chips import Chips
from dcsim.scenario.construction import Equipment, Region
from dcsim.scenario.fields import (
    Block,
    Chance,
    Date,
    Factor,
    Id,
    Names,
    Number,
    PrintedDate,
    Ref,
    is_wrapper,
    problem,
)
from dcsim.scenario.party import Party
from dcsim.scenario.site import Site
from dcsim.scenario.tenant import TeamField, Tenant
from dcsim.units import describe

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


Frequency = Annotated[Quantity, Number("per_year", minimum=0, maximum=365, constant=True)]


def _which_when(raw: object) -> str:
    if raw == "never":
        return "never"
    if isinstance(raw, dt.date) or (isinstance(raw, str) and re.match(r"\d{4}-\d\d-\d\d", raw)):
        return "date"
    return "rate"


def _read_when(raw: object) -> object:
    """A date or `never` without its wrapper; refuses a text that is none of the three."""
    if isinstance(raw, Mapping) and is_wrapper(raw) and _which_when(raw["value"]) != "rate":
        return raw["value"]
    if isinstance(raw, str) and _which_when(raw) == "rate" and not re.match(r"[\d.+-]", raw):
        raise problem("TYPE", f"expected a rate such as 0.10/year, a date or `never`, got {describe(raw)}")
    return raw


class Shock(Block):
    """Something that happens to the world at a date or at random."""

    when: Annotated[
        Annotated[Frequency, Tag("rate")] | Annotated[Date, Tag("date")] | Annotated[Literal["never"], Tag("never")],
        Discriminator(_which_when),
        BeforeValidator(_read_when),
    ]
    """A rate (`0.10/year`), a date, or `never` (waits for a what-if)."""
    cancel: Literal["unsigned_letters"]
    """Every site without a signed lease is cancelled with `chance_each`: letters die in blocks."""
    chance_each: Chance
    tenant: Ref | None = None
    """Whose letters; everybody's if left out."""


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


__all__ = ["VERSION", "CommonFactor", "Driver", "ScenarioSpec", "Shock", "Source"]
