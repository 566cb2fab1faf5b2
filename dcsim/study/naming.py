"""Which column of which table an outcome of an expression is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dcsim.errors import UsageError, printable, suggest
from dcsim.model.history import PARTY_NUMBERS
from dcsim.scenario.check.expectations import measure_of, row_of
from dcsim.scenario.expression import Column

if TYPE_CHECKING:
    from dcsim.scenario.spec import ScenarioSpec

UNITS = ("", "_usd_m", "_mw")
"""What may be left out at the end of a column's name."""

OF_CASH = ("least_cash", "ending_cash", "cash")
"""What the cash table tells of a party, where no outcome has that name."""

_KEYS = ("replication", "tenant")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the values of a column are: `whose` is a tenant (or a party, for cash), None where all tenants share it.

    `day` is the month's row. `limit` is a number of the scenario, and in no table.
    """

    table: Literal["outcomes", "capacity", "cash", "parties", "limit"]
    column: str
    whose: str | None
    day: dt.date | None = None


def place_of(asked: Column, spec: ScenarioSpec, columns: Collection[str]) -> Place:
    """The place of an outcome or measure. `columns` are those of the outcomes table.

    Raises `UsageError` with the nearest name where there is none.
    """
    tenant = asked.owner if asked.owner in spec.tenants else None
    if asked.owner is None:
        if len(spec.tenants) > 1:
            raise UsageError(f"there are several tenants, say whose {asked.name}: {', '.join(spec.tenants)}")
        (tenant,) = spec.tenants
    day = asked.when.day if asked.when is not None else None
    measure = measure_of(asked)
    if measure is not None and day is None:
        raise UsageError(f"say when: {asked}@{spec.horizon}")
    if measure is not None and tenant is not None and day is not None:
        return Place("capacity", measure, tenant, _row(asked, spec, day))
    year = _year(asked)
    if tenant is not None:
        for name in _spelt(asked.name, year, day == spec.horizon):
            if name in columns and name not in _KEYS:
                return Place("outcomes", name, tenant)
    if asked.owner is not None:
        for whose in dict.fromkeys((asked.owner, asked.owner.replace("-", "_"))):
            for affixed in (f"{whose}_{asked.name}", f"{asked.name}_{whose}"):
                for name in _spelt(affixed, year, day == spec.horizon):
                    if name in columns:
                        return Place("outcomes", name, None)
        if asked.name in PARTY_NUMBERS and day is None and asked.owner in spec.parties:
            return Place("parties", asked.name, asked.owner)
        if asked.name == "limit" and day is None:
            return Place("limit", asked.name, asked.owner)
        if asked.name in OF_CASH and (asked.name == "cash") == (day is not None):
            return Place("cash", asked.name, asked.owner, None if day is None else _row(asked, spec, day))
    raise UsageError(_unknown(asked, spec, columns))


def _row(asked: Column, spec: ScenarioSpec, day: dt.date) -> dt.date:
    row = row_of(spec.status or spec.start, spec.horizon, day)
    if row is None:
        raise UsageError(f"{asked}: no month of this run ends by then")
    return row


def _year(asked: Column) -> int | None:
    """The year that is asked: by itself, or by its last day."""
    if asked.when is None:
        return None
    at_end = (asked.when.day.month, asked.when.day.day) == (12, 31)
    return asked.when.day.year if asked.when.kind == "year" or at_end else None


def _spelt(name: str, year: int | None, at_horizon: bool) -> Iterator[str]:
    """How a column of that name may be spelt."""
    for unit in UNITS:
        if year is None and not at_horizon:
            yield name + unit
        if year is not None:
            yield from (f"{name}{unit}_{year}", f"{name}_{year}{unit}")
        if at_horizon:
            yield f"{name}{unit}_at_horizon"


def _unknown(asked: Column, spec: ScenarioSpec, columns: Collection[str]) -> str:
    shown = printable(str(asked))
    stems = _stems(columns)
    years = stems.get(asked.name, [])
    if asked.when is None and years:
        return f"outcome '{shown}' has one value a year: write {asked}@{years[-1]}"
    hint = suggest(asked.name, [*columns, *stems, *(PARTY_NUMBERS if asked.owner in spec.parties else ())])
    if asked.when is not None:
        yearly = [name for name, found in stems.items() if found]
        return f"unknown outcome by year '{shown}'{hint or '; by year there are ' + ', '.join(yearly)}"
    return f"unknown outcome '{shown}'{hint or '; there are ' + ', '.join(stems)}"


def _stems(columns: Collection[str]) -> dict[str, list[str]]:
    """Names of outcomes without unit and year, each with its years."""
    stems: dict[str, list[str]] = {}
    for column in columns:
        if column not in _KEYS:
            match = re.fullmatch(r"(.+?)(?:_usd_m|_mw)?(?:_(\d{4}))?(?:_usd_m)?", column)
            assert match is not None
            name = column if column.startswith("date_of_") else match[1]
            stems.setdefault(name, []).extend([match[2]] if match[2] else [])
    return stems
