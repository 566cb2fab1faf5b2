"""Due diligence: a network of workstreams that pass, need a remedy, or fail and end the site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dcsim.engine.activity import STARTED, Activity, Outcome
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.trail import Trail, extend
from dcsim.engine.work import RUNNING
from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import dollars
from dcsim.model.step import Step, with_delay

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.scenario.site import Workstream


class Diligence(Step):
    """The site's workstreams."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.world, "diligence", f"{site.id} diligence")
        self.site = site
        self.spec = site.spec.diligence
        self.cost = 0
        """Dollars spent so far."""
        self._network: ActivityNetwork | None = None

    def begin(self, trail: Trail) -> None:
        """The letter is signed: start what waits for nothing else."""
        site, m = self.site, self.site.milestones
        done = self._finished_before(trail)
        self.open(trail)
        assert self.trail is not None
        site.diligence_begins()
        activities = self._activities(done)
        within = {activity.name for activity in activities}
        outside = sorted({name for activity in activities for name in activity.after} - within)
        self._network = network = ActivityNetwork(
            self.world.clock,
            activities,
            finished=self._passed,
            failed=self._failed,
            passed=lambda activity, trail: m.reach(activity.name, trail) if activity.name in self.spec else None,
            paid=self._paid,
            triggers=outside,
            who=self.who,
        )
        for name, end in done.items():
            m.reach(name, end)
        for name in outside:
            m.on(name, lambda trail, name=name: network.trigger(name, trail))  # type: ignore[misc]
        network.start(self.trail)

    def _finished_before(self, trail: Trail) -> dict[str, Trail]:
        """Workstreams that the actuals know to have passed, with the trail to their end."""
        done = {}
        for name in self.spec:
            minute = self.world.blueprint.finished(f"sites.{self.site.id}.diligence.{name}")
            if minute is not None:
                done[name] = extend(trail, max(minute, trail.minute), "diligence", f"{self.site.id} {name}")
        return done

    def _activities(self, done: Mapping[str, Trail]) -> list[Activity]:
        site, world, draws = self.site, self.world, self.world.draws
        activities: list[Activity] = []
        for index, (name, stream) in enumerate(self.spec.items()):
            if name in done:
                continue
            path = f"sites.{site.id}.diligence.{name}"
            activities += with_delay(
                Activity(
                    name=name,
                    minutes=world.later(stream.duration),
                    after=tuple(n for n in stream.after if n != "loi_signed"),
                    cause="diligence",
                    who=f"{site.id} {name}",
                    pool=world.team(site.tenant, stream.team),
                    priority=stream.priority,
                    rank=site.rank * 100 + index,
                    wait_cause="team",
                    outcome=self._outcome(path, stream),
                    remedy_minutes=self._remedy(stream),
                    cost=dollars(draws.value(stream.cost)),
                    remedy_cost=dollars(draws.value(stream.remedy_costs)),
                ),
                draws.minutes(stream.delay),
            )
        return activities

    def _outcome(self, path: str, stream: Workstream) -> Outcome | Callable[[int], Outcome]:
        """How a workstream ends: known at once, unless edits in time may change its chances on the way."""
        world = self.world

        def outcome(rounds: int = 0) -> Outcome:
            if rounds:
                return "pass"
            return world.draws.outcome(path, world.now(stream.remedy).value, world.now(stream.fail).value)

        return outcome if world.changeable else outcome()

    def _remedy(self, stream: Workstream) -> int | Callable[[int], int]:
        world = self.world
        if not world.changeable:
            return world.draws.minutes(stream.remedy_takes)
        return lambda rounds: world.draws.minutes(stream.remedy_takes)

    @property
    def network(self) -> ActivityNetwork | None:
        """The workstreams under way, once the letter is signed."""
        return self._network

    def _paid(self, activity: Activity, amount: int) -> None:
        self.cost += amount
        self.world.money.bill(self.site.tenant, OUTSIDE, "diligence", amount, self.world.clock.now)

    def _passed(self, trail: Trail) -> None:
        self.trail = trail
        self.site.reach("diligence_complete", extend(trail, self.world.clock.now, "diligence", self.who))

    def _failed(self, activity: Activity, trail: Trail) -> None:
        self.trail = trail
        self.site.end("rejected", f"{activity.name} failed", trail)

    @property
    def running(self) -> bool:
        """True while any workstream is at work (not only waiting for a team, or for an offset to pass)."""
        return self._network is not None and any(
            task.stage is STARTED and task.status is RUNNING and name in self.spec
            for name, task in self._network.tasks.items()
        )

    def started(self, name: str) -> int | None:
        """Minute in which a workstream began."""
        task = self._network.tasks.get(name) if self._network is not None else None
        return task.begun if task is not None else None

    def closing(self) -> Trail | None:
        if self._network is None or self._network.status is not RUNNING:
            return None
        return self._network.trail_at(self.world.clock.now)

    def cancel(self) -> None:
        super().cancel()
        if self._network is not None:
            self._network.cancel()
