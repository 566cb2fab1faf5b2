"""What the quantities of an expression come to in each replication of a run."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dcsim.errors import UsageError
from dcsim.scenario.check.expectations import measure_of, sites_of
from dcsim.scenario.expression import Column, Milestone, Quantity, SignedShare, unit_of
from dcsim.stats import Floats
from dcsim.study.naming import Place, place_of
from dcsim.tables.layout import EPOCH
from dcsim.tables.reading import read_table

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result


_UNITS_OF_PARTIES = {"calls": "count", "live_mw_years": "MW-years"}


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each replication, and its unit (None where it is not known).

    What is not reached is `inf`; what a replication has no number for is NaN. Dates are days since 1970-01-01.
    """

    values: Floats
    unit: str | None


class Unavailable(UsageError):
    """A quantity of which a run says nothing: its table was not written, or holds nothing of it."""


class Values:
    """The quantities of a run by name; tables are read once. `numbers` are its replications, in order."""

    def __init__(self, result: Result, scenario: Scenario) -> None:
        self.spec = scenario.spec
        self._directory = result.directory
        self._tables = result.manifest["tables"]
        self.numbers: list[int] = sorted(set(read_table(self._directory, "hashes", ["replication"])[0].to_pylist()))
        self._cache: dict[Quantity, Series] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, quantity: Quantity) -> Series:
        """The values of a quantity, in the order of `numbers`.

        Raises `UsageError` for an outcome that the run does not have, with the nearest name; `Unavailable` for one that
        it has and says nothing of.
        """
        if quantity not in self._cache:
            if isinstance(quantity, Column):
                self._cache[quantity] = self._column(quantity)
            elif isinstance(quantity, Milestone):
                self._cache[quantity] = Series(self._milestone(quantity), unit_of(quantity))
            else:
                self._cache[quantity] = Series(self._signed_share(quantity), "fraction")
        return self._cache[quantity]

    def place(self, quantity: Column) -> Place:
        """Where the values of an outcome are. Raises as `of` does."""
        known = [] if measure_of(quantity) is not None else self.outcomes.column_names
        return place_of(quantity, self.spec, known)

    @cached_property
    def outcomes(self) -> Any:
        """The outcomes table, by replication."""
        return self._table("outcomes").sort_by([("replication", "ascending")])

    def has_numbers(self, outcome: str) -> bool:
        """Whether any replication has a number for a column of outcomes; a date that never comes is one."""
        import pyarrow as pa

        column = self.outcomes[outcome]
        return bool(pa.types.is_date(column.type) or column.null_count < len(column))

    @cached_property
    def capacity(self) -> Any:
        """The capacity table, by replication."""
        return self._table("capacity").sort_by([("replication", "ascending")])

    @cached_property
    def _milestones(self) -> Any:
        """Milestones of sites and phases: lots left out."""
        import pyarrow.compute as pc

        rows = self._table("milestones")
        return rows.filter(pc.is_null(rows["lot"]))

    @cached_property
    def alike(self) -> bool:
        """Whether every replication came out the same: the scenario has no luck in it, or none that shows."""
        if len(self) < 2:
            return True
        for table in [getattr(self, name) for name in ("outcomes", "capacity") if name in self._tables]:
            for name in table.column_names:
                if name == "replication":
                    continue
                column = table[name].combine_chunks()
                size = len(column) // len(self)
                first = column.slice(0, size)
                if any(not column.slice(at, size).equals(first) for at in range(size, len(column), size)):
                    return False
        return True

    def _table(self, name: str) -> Any:
        if name not in self._tables:
            raise Unavailable(f"the table {name} was not written")
        return read_table(self._directory, name)

    def _column(self, asked: Column) -> Series:
        place = self.place(asked)
        if place.table == "limit":
            return Series(np.full(len(self), self._limit(asked.owner or "")), "usd_m")
        if place.table == "cash":
            return Series(self._cash(place), "usd_m")
        if place.table == "parties":
            return Series(self._party(place), _UNITS_OF_PARTIES.get(place.column, "usd_m"))
        if place.table == "capacity":
            return Series(self._at(place), "MW")
        found = self._outcome(place)
        return found if found.unit is not None else Series(found.values, unit_of(asked))

    def _outcome(self, place: Place) -> Series:
        import pyarrow as pa
        import pyarrow.compute as pc

        is_date = pa.types.is_date(self.outcomes.schema.field(place.column).type)
        found = []
        for tenant in [place.whose] if place.whose is not None else self.spec.tenants:
            column = self.outcomes[place.column].filter(pc.equal(self.outcomes["tenant"], tenant))
            if is_date:
                column = column.cast(pa.int32()).cast(pa.float64()).fill_null(math.inf)
            found.append(np.asarray(column.cast(pa.float64()).fill_null(math.nan).to_numpy(), np.float64))
        if any(not np.array_equal(other, found[0], equal_nan=True) for other in found[1:]):
            raise UsageError(f"{place.column} differs between tenants: write TENANT.{place.column}")
        return Series(found[0], "date" if is_date else unit_of(Column(place.column)))

    def _at(self, place: Place) -> Floats:
        """A measure at the end of a month."""
        import pyarrow.compute as pc

        rows = self.capacity
        if place.column not in rows.column_names:
            raise Unavailable(f"this run has no {place.column} by month")
        mine = pc.and_(pc.equal(rows["tenant"], place.whose), pc.equal(rows["month"], place.day))
        return self._one_each(rows[place.column].filter(mine), f"{place.column}@{place.day}")

    def _cash(self, place: Place) -> Floats:
        """What a party has at the end of a month, of the last month, or of its worst month."""
        import pyarrow.compute as pc

        rows = self._table("cash").sort_by([("replication", "ascending"), ("month", "ascending")])
        rows = rows.filter(pc.equal(rows["party"], place.whose))
        if not len(rows):
            raise Unavailable(f"the money of '{place.whose}' is not followed in this run")
        if place.day is not None:
            return self._one_each(rows["closing"].filter(pc.equal(rows["month"], place.day)), f"cash@{place.day}")
        closing = np.asarray(rows["closing"].to_numpy(), np.float64).reshape(len(self), -1)
        return np.asarray(closing.min(axis=1) if place.column == "least_cash" else closing[:, -1])

    def _party(self, place: Place) -> Floats:
        """What a party came to; it has no row where all of that is nothing."""
        import pyarrow.compute as pc

        rows = self._table("parties")
        rows = rows.filter(pc.equal(rows["party"], place.whose))
        found = dict(zip(rows["replication"].to_pylist(), rows[place.column].to_pylist(), strict=True))
        return np.array([found.get(number, 0.0) for number in self.numbers], np.float64)

    def _one_each(self, column: Any, what: str) -> Floats:
        if len(column) != len(self):
            raise Unavailable(f"this run has no {what}")
        return np.asarray(column.cast("float64").fill_null(math.nan).to_numpy(), np.float64)

    def _limit(self, party: str) -> float:
        """What a guarantor has committed at most; no limit is `inf`."""
        guarantee = self.spec.parties[party].guarantee
        if guarantee is None:
            raise UsageError(f"'{party}' is no guarantor, so it has no limit")
        return math.inf if guarantee.limit is None else float(guarantee.limit.value)

    def _milestone(self, asked: Milestone) -> Floats:
        """When a site or phase reaches a milestone; of a site's phases the last counts, and all must get there.

        For `first_live` of a site it is the first of its phases.
        """
        import pyarrow.compute as pc

        rows = self._milestones
        rows = rows.filter(pc.and_(pc.equal(rows["site"], asked.site), pc.equal(rows["milestone"], asked.name)))
        if asked.phase is not None:
            return self._first(rows.filter(pc.equal(rows["phase"], asked.phase)), asked)
        own = rows.filter(pc.is_null(rows["phase"]))
        if len(own) or not len(rows):  # one that the site has itself
            return self._first(own, asked)
        phases = self.spec.sites[asked.site].phases
        each = np.array([self._first(rows.filter(pc.equal(rows["phase"], phase)), asked) for phase in phases])
        return np.asarray(each.min(axis=0) if asked.name == "first_live" else each.max(axis=0))

    def _first(self, rows: Any, asked: Milestone) -> Floats:
        """By replication the day or date of the first of these milestones; `inf` where there is none."""
        index = {number: position for position, number in enumerate(self.numbers)}
        found = np.full(len(self), math.inf)
        days = rows["day"].to_pylist() if asked.form == "day" else [(d - EPOCH).days for d in rows["date"].to_pylist()]
        for number, day in zip(rows["replication"].to_pylist(), days, strict=True):
            found[index[number]] = min(found[index[number]], day)
        return found

    def _signed_share(self, asked: SignedShare) -> Floats:
        """Of the sites with a tag, the share whose lease is signed."""
        import pyarrow as pa
        import pyarrow.compute as pc

        sites = sites_of(self.spec, asked.of)
        if not sites:
            return np.zeros(len(self))
        rows = self._milestones
        mine = pc.and_(pc.is_in(rows["site"], pa.array(sites)), pc.equal(rows["milestone"], "lease_signed"))
        index = {number: position for position, number in enumerate(self.numbers)}
        count = np.zeros(len(self))
        for number in rows["replication"].filter(mine).to_pylist():
            count[index[number]] += 1
        return count / len(sites)


def calendar_date(day: float) -> dt.date | None:
    """The date of a number of days since 1970-01-01; None for what is not reached."""
    return EPOCH + dt.timedelta(days=int(day)) if math.isfinite(day) else None
