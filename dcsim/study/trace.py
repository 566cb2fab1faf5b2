"""One replication with every event, and the proof that it is the one a run kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.errors import UsageError
from dcsim.model.history import EventRecord, History
from dcsim.study.model import default_model
from dcsim.study.run import replay

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result


@dataclass(frozen=True)
class Trace:
    """A replication simulated with every event kept.

    `compared` names the tables whose rows were held against those of a run, `differs` those that are not the same;
    both are empty where there was nothing to compare with.
    """

    replication: int
    start: dt.date
    history: History
    compared: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether it was compared, and is the same in every table."""
        return bool(self.compared) and not self.differs

    def date_of(self, minute: int) -> dt.date:
        """The date on which a minute lies."""
        return self.start + dt.timedelta(days=minute // 1440)

    def events(self, site: str | None = None) -> list[EventRecord]:
        """(minute, kind, entity, detail) in order of time; of one site only if it is named."""
        rows = [row for row in self.history.events if site is None or site_of(row[2]) == site]
        return sorted(rows, key=lambda row: row[0])


def site_of(entity: str) -> str:
    """The site that an entity of an event belongs to: what comes before the first blank or dot."""
    return entity.split(" ")[0].split(".")[0]


def trace(scenario: Scenario, replication: int, result: Result | None = None) -> Trace:
    """One replication (from 0) with every event.

    With the `result` of a run of this scenario its rows are compared, table by table, with those that the run kept.
    Raises `UsageError` for a replication that the result does not hold, or a negative one; otherwise whatever the
    replication itself raises.
    """
    if replication < 0:
        raise UsageError(f"replications count from 0, got {replication}")
    kept = result.hashes(replication) if result is not None else {}
    history, hashes = replay(scenario, replication, default_model(), trace=True)
    compared = tuple(name for name in kept if name in hashes)
    return Trace(
        replication=replication,
        start=scenario.start,
        history=history,
        compared=compared,
        differs=tuple(name for name in compared if kept[name] != hashes[name]),
    )
