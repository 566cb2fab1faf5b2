"""What the rows of one scenario need to know beside the histories: calendar, tenants, targets, commitments, plan.

Plain and picklable, so that a worker can make its rows without the scenario.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Protocol, TypeAlias

from dcsim.model.history import History, TrailRecord
from dcsim.tables.schema import TableSchema, outcomes_schema

MINUTES_PER_DAY: Final = 1440
EPOCH: Final = date(1970, 1, 1)

PhaseKey: TypeAlias = tuple[str, str, str]
"""(tenant, site, phase)."""


class ScenarioLike(Protocol):
    """What running and writing asks of a scenario; anything picklable that has it will do."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def start(self) -> date: ...
    @property
    def horizon(self) -> date: ...
    @property
    def seed(self) -> int: ...
    @property
    def replications(self) -> int: ...
    @property
    def hash(self) -> str: ...
    @property
    def tenants(self) -> Sequence[str]: ...
    @property
    def committed(self) -> Mapping[tuple[str, str | None, str], date]: ...
    def targets(self, tenant: str, /) -> Sequence[float]: ...
    def to_yaml(self) -> str: ...
    def assumptions(self) -> Sequence[Sequence[Any]]: ...


def charged(trail: TrailRecord) -> dict[str, int]:
    """Minutes by cause on a trail. They add up to its last minute less its first, exactly."""
    minutes: dict[str, int] = {}
    for (before, _, _), (after, cause, _) in pairwise(trail):
        minutes[cause] = minutes.get(cause, 0) + after - before
    return minutes


def planned_minutes(plan: History) -> dict[PhaseKey, dict[str, int]]:
    """Minutes by cause on the trail of every phase of the plan."""
    return {(phase.tenant, phase.site, phase.phase): charged(phase.trail) for phase in plan.phases}


@dataclass(frozen=True)
class Layout:
    """See the module. `targets` are MW, of all tenants together; `planned` is None where no plan was made."""

    start: date
    horizon: date
    tenants: tuple[str, ...]
    targets: tuple[float, ...] = ()
    committed: Mapping[tuple[str, str | None, str], date] | None = None
    planned: Mapping[PhaseKey, Mapping[str, int]] | None = None

    @classmethod
    def of(cls, scenario: ScenarioLike, plan: History | None = None) -> Layout:
        """Layout of a scenario, with the planned days of `plan`."""
        tenants = tuple(scenario.tenants)
        return cls(
            start=scenario.start,
            horizon=scenario.horizon,
            tenants=tenants,
            targets=tuple(sorted({float(mw) for tenant in tenants for mw in scenario.targets(tenant)})),
            committed=dict(scenario.committed),
            planned=None if plan is None else planned_minutes(plan),
        )

    @property
    def start_day(self) -> int:
        """Days from 1970-01-01 to the start: what Arrow's `date32` counts."""
        return (self.start - EPOCH).days

    @property
    def end_minute(self) -> int:
        """The first minute after the horizon: 24:00 of its date."""
        return ((self.horizon - self.start).days + 1) * MINUTES_PER_DAY

    @cached_property
    def months(self) -> list[date]:
        """The last day of every month from the start to the horizon; in the last month the horizon itself."""
        days = []
        first = self.start.replace(day=1)
        while first <= self.horizon:
            following = (first + timedelta(days=32)).replace(day=1)
            days.append(min(following - timedelta(days=1), self.horizon))
            first = following
        return days

    def minute_after(self, day: date) -> int:
        """The first minute after `day`: its 24:00. What has a lower minute has happened by its end."""
        return ((day - self.start).days + 1) * MINUTES_PER_DAY

    def outcomes_schema(self, scalars: Sequence[str] = ()) -> TableSchema:
        """Columns of `outcomes`, with the model's further `scalars` last."""
        return outcomes_schema(self.start, self.horizon, self.targets, scalars)
