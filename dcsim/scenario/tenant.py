"""The lab: its people, how it decides, what it aims at."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from dcsim.errors import suggest
from dcsim.quantity import Quantity, is_quantity
from dcsim.scenario.constant import number
from dcsim.scenario.fields import Block, FixedDollars, Id, Number, PositiveCount, Power, When, parse_date, problem
from dcsim.scenario.treasury import Demand, Treasury
from dcsim.units import describe

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _calendar_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value):
        return value
    if isinstance(value, dt.date) or (isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}", value)):
        return parse_date(value)
    raise problem("DATE", f"expected a date like 2027-12-20, or 12-20 for every year, got {describe(value)}")


CalendarDay = Annotated[dt.date | str, BeforeValidator(_calendar_day, json_schema_input_type=str)]


class Closure(Block):
    """Days on which a team does not work: one stretch of dates, or the same days of every year."""

    start: CalendarDay = Field(alias="from")
    """First day without work (`2027-12-20`, or `12-20` for every year)."""
    until: CalendarDay
    """Last day without work."""


class Team(Block):
    """People or crews who do one thing at a time."""

    count: PositiveCount
    """How many things at once."""
    works: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """Days of the week on which work goes on."""
    closed: tuple[Closure, ...] = ()
    """Holidays and weather windows."""


def _as_team(value: object) -> object:
    if isinstance(value, Team) or (isinstance(value, Mapping) and not is_quantity(value)):
        return value
    return {"count": value}


TeamField = Annotated[Team, BeforeValidator(_as_team, json_schema_input_type=Team | PositiveCount)]


class Committee(Block):
    """Meets at intervals; what is ready at or before the minute of a meeting is heard at it."""

    every: Annotated[Quantity, Number("days", minimum=0, exclusive=True, constant=True)]
    """Days between meetings."""
    start: When = Field(alias="from")
    """The first meeting."""


class Board(Committee):
    """Meets too when the rent signed for is large."""

    above: FixedDollars
    """Undiscounted base-term rent above which the board must agree."""


class Ranking(Block):
    """Converts down a ranking until a target or a budget is reached."""

    rank_by: Literal["date_to_power", "cost_per_mw", "score"]
    """What comes first: earliest forecast power, least cost a MW, highest `score`."""
    until: Power | None = None
    """Contracted MW at which it stops; the last conversion may overshoot."""
    budget: FixedDollars | None = None
    """Total cost of converted phases, never exceeded."""
    rest: Literal["shelve", "hold"] = "shelve"
    """What happens to those heard and not taken."""


RULES = ("every_passing", "none")
"""Conversion policies by name: take what passed diligence, or nothing."""


def _which_rule(raw: object) -> str:
    return "ranking" if isinstance(raw, Ranking | Mapping) else "name"


def _read_rule(raw: object) -> object:
    if isinstance(raw, Ranking | Mapping) or raw is None or raw in RULES:
        return raw
    hint = suggest(raw, RULES) if isinstance(raw, str) else ""
    message = f"expected {', '.join(RULES)} or a ranking {{rank_by: …}}, got {describe(raw)}{hint}"
    raise problem("UNKNOWN" if isinstance(raw, str) else "TYPE", message)


class Decision(Block):
    """How letters are turned into leases."""

    committee: Committee | None = None
    """Without one, sites are decided the minute they are ready."""
    board: Board | None = None
    policy: Annotated[
        Annotated[Literal["every_passing", "none"], Tag("name")] | Annotated[Ranking, Tag("ranking")],
        Discriminator(_which_rule),
        BeforeValidator(_read_rule),
    ] = "every_passing"
    """A named rule, or a ranking."""


class Tenant(Block):
    """An AI lab that takes sites."""

    targets: tuple[Power, ...] = ()
    """Live MW whose dates and chances are reported."""
    teams: dict[Id, TeamField] = Field(default_factory=dict)
    """Teams by name; steps say which they need."""
    decision: Decision = Field(default_factory=Decision)
    demand: Demand | None = None
    """What it could use; without it everything that is live or rented serves."""
    treasury: Treasury | None = None
    """Without one it never runs out of money."""
    running_cost: Annotated[Quantity, Number("usd_m_per_mw_year", minimum=0)] = Field(
        default_factory=lambda: number(0, "usd_m_per_mw_year")
    )
    """Of owned live MW, energy apart."""
