"""What a replication writes down while it runs."""

from __future__ import annotations

from collections import defaultdict

from dcsim.engine.log import EventLog
from dcsim.model.history import History
from dcsim.model.meter import Meter


class Record:
    """Appends to a `History`; the only writer of milestones, changes and events."""

    def __init__(self, replication: int, log: EventLog) -> None:
        self.history = History(replication)
        self.log = log
        self.meters: defaultdict[tuple[str, str], Meter] = defaultdict(Meter)
        """What each measure of each tenant amounts to."""

    def milestone(self, minute: int, tenant: str, site: str, phase: str | None, lot: int | None, name: str) -> None:
        self.history.milestones.append((tenant, site, phase, lot, name, minute))
        if self.log.tracing:
            entity = ".".join([site, *([phase] if phase else []), *([f"lot {lot}"] if lot is not None else [])])
            self.log.add(minute, "milestone", entity, name)

    def change(self, minute: int, tenant: str, measure: str, kw: float) -> None:
        """A measure of the tenant rises or falls by so many kW."""
        if kw:
            self.meters[tenant, measure].add(minute, kw)
            self.history.changes.append((minute, tenant, measure, kw / 1000))

    def default(self, minute: int, party: str, cause: str) -> None:
        """A party has defaulted."""
        self.history.defaults.append((minute, party, cause))
