"""Small scenarios as text over a minimal base, run once, and read in days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from dcsim.engine.draws import PlanDraws, Sampler
from dcsim.engine.streams import Streams
from dcsim.model.history import History, PhaseEnd
from dcsim.model.world import World, make_blueprint
from dcsim.scenario import tree
from dcsim.scenario.scenario import Scenario, parse
from dcsim.scenario.yaml_reader import read_yaml, write_yaml

DAY = 1440

BASE = """
version: 1
name: test
start: 2027-01-01
horizon: 2030-12-31
parties:
  lab: {rating: BB}
  dev: {}
tenants:
  lab: {}
defaults:
  site: {tenant: lab, developer: dev, loi: day 0, phases: [100 MW]}
"""
"""One tenant with neither teams nor committee, one developer; a site is 100 MW, signed on day 0, and waits for nothing.

Day 0 is 2027-01-01, a Friday; the horizon closes on day 1461.
"""

END = 1461
"""Day (24:00 of the horizon's date) on which what is open closes its trail."""


def scenario(*texts: str | Scenario) -> Scenario:
    """The base with each text written over it, mapping by mapping; a scenario stays as it is."""
    if isinstance(texts[0], Scenario):
        return texts[0]
    whole = read_yaml(BASE, "base")
    for text in texts:
        whole = tree.merge(whole, read_yaml(text, "text"))
    return parse(write_yaml(tree.plain(whole)))


@dataclass(frozen=True)
class Run:
    """One replication, in days since the start. A site or phase is named `a`, `a.p1`."""

    history: History
    world: World

    def day(self, name: str) -> float | None:
        """Day of a milestone of a site, phase or lot (`a.lease_signed`, `a.p1.energised`, `a.p1.0.live`), or None."""
        *entity, milestone = name.split(".")
        found = [minute for key, minute in self._milestones() if key == (*entity, milestone)]
        assert len(found) <= 1, f"{name} is reached {len(found)} times"
        return days(found[0]) if found else None

    def days(self, site: str) -> dict[str, float]:
        """Day of every milestone of a site itself."""
        return {key[1]: days(minute) for key, minute in self._milestones() if key[0] == site and len(key) == 2}

    def _milestones(self) -> list[tuple[tuple[str, ...], int]]:
        return [
            (tuple(str(part) for part in (site, phase, lot, name) if part is not None), minute)
            for _, site, phase, lot, name, minute in self.history.milestones
        ]

    def phase(self, name: str) -> PhaseEnd:
        """How a phase ended; of a site, its first phase."""
        site, _, phase = name.partition(".")
        return next(p for p in self.history.phases if p.site == site and phase in ("", p.phase))

    def state(self, name: str) -> str:
        return self.phase(name).state

    def ended(self, name: str) -> float:
        """Day on which the trail of a phase ends."""
        return days(self.phase(name).minute)

    def trail(self, name: str) -> dict[str, float]:
        """Days of a phase by cause, in order of first appearance."""
        return by_cause(self.phase(name).trail)

    def links(self, name: str) -> list[tuple[str, float]]:
        """(cause, days) of each link of a phase's trail, oldest first."""
        return [(b[1], days(b[0] - a[0])) for a, b in pairwise(self.phase(name).trail)]

    def mw(self, measure: str, day: float, tenant: str = "lab") -> float:
        """MW of a measure at the end of the minute that a day begins with."""
        changes = self.history.changes
        return round(sum(mw for t, who, m, mw in changes if m == measure and who == tenant and t <= day * DAY), 6)

    def outcome(self, name: str, tenant: str = "lab") -> float | int | None:
        return self.history.outcomes[tenant][name]

    def loan(self, site: str, *lenders: str) -> int:
        """Dollars lent to a site (by these lenders)."""
        return sum(
            c.amount
            for c in self.world.book
            if c.kind == "loan" and c.site == site and (not lenders or c.target in lenders)
        )

    def cap(self, site: str) -> int | None:
        """Dollars of cover of a site as they stood last."""
        contract = self.world.book.get(f"guarantee:{site}")
        return contract.amount if contract is not None else None


def days(minutes: int) -> float:
    """Days; a whole number of them as int."""
    return minutes // DAY if minutes % DAY == 0 else minutes / DAY


def by_cause(trail: tuple[tuple[int, str, str], ...]) -> dict[str, float]:
    """Days charged to each cause of a trail."""
    charged: Counter[str] = Counter()
    for before, link in pairwise(trail):
        charged[link[1]] += link[0] - before[0]
    return {cause: days(minutes) for cause, minutes in charged.items()}


def run(
    *texts: str | Scenario,
    luck: Mapping[str, float] | None = None,
    replication: int = 0,
    policies: Mapping[str, object] | None = None,
) -> Run:
    """One replication. `luck` forces uniforms by name: near 1 is late, dear, failed; near 0 the contrary."""
    return Runner(*texts, luck=luck, policies=policies).run(replication)


class Runner:
    """A scenario ready to be run often."""

    def __init__(
        self,
        *texts: str | Scenario,
        luck: Mapping[str, float] | None = None,
        policies: Mapping[str, object] | None = None,
    ) -> None:
        self.scenario = scenario(*texts)
        self.policies = policies
        self.blueprint = make_blueprint(self.scenario, policies)
        streams = Streams(self.scenario.seed)
        for name, u in (luck or {}).items():
            streams.override(name, u)
        self.sampler = Sampler(streams, self.scenario.binding.drivers)

    def run(self, replication: int = 0, trace: bool = True) -> Run:
        world = self.world(replication, trace)
        return Run(world.run(), world)

    def world(self, replication: int = 0, trace: bool = True) -> World:
        """A replication that has not run yet."""
        draws = self.sampler.replication(replication)
        return World(self.blueprint, draws, replication, trace=trace, policies=self.policies)

    def plan(self) -> Run:
        """All medians, no contention, gates at their likelier side."""
        world = World(self.blueprint, PlanDraws(), unlimited=True, trace=True, policies=self.policies)
        return Run(world.run(), world)
