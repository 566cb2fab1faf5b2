"""Activity networks: precedence, triggers, pauses, failure, on pools and work alone, without processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcsim.engine.activity import GATED, NOBODY, PENDING, STARTED, STOPPED, Activity, ActivityRecord, Task
from dcsim.engine.clock import Clock
from dcsim.engine.trail import Trail, extend, origin
from dcsim.engine.work import CANCELLED, DONE, RUNNING, newest, scaled
from dcsim.errors import ModelError

FINISHED, FAILED = "finished", "failed"


class ActivityNetwork:
    """Activities that follow one another, each when all that it comes after is there.

    `finished(trail)` is called when all are done, with the latest trail (ties: the activity declared first).
    `failed(activity, trail)` is called when one fails; whatever else waits or runs is cancelled then, and gives back
    what it holds, except what ends in that very minute. `passed(activity, trail)` is called when one is done.
    `paid(activity, amount)` is called for costs as they fall due.
    `triggers` names the milestones from outside that activities come after or are gated by.

    Raises ModelError for two activities of one name, an `after` or `gate` that is neither an activity nor a trigger, or
    activities that wait for each other.
    """

    def __init__(
        self,
        clock: Clock,
        activities: Iterable[Activity],
        *,
        finished: Callable[[Trail], object],
        failed: Callable[[Activity, Trail], object] | None = None,
        passed: Callable[[Activity, Trail], object] | None = None,
        paid: Callable[[Activity, int], object] | None = None,
        triggers: Iterable[str] = (),
        who: str = "network",
    ) -> None:
        self.clock = clock
        self.who = who
        self.status = PENDING  # then running, finished, failed or cancelled
        self.pauses: tuple[tuple[str, str], ...] = ()  # open ones, oldest first: (cause, who)
        self.fired: dict[str, Trail] = {}  # triggers that are there
        self.tasks: dict[str, Task] = {}  # by name, in the order of declaration
        self._finished = finished
        self._failed = failed
        self._passed = passed
        self._paid = paid
        self._trail = start = origin(clock.now, who)  # the latest so far
        self._trail_order = NOBODY
        for order, activity in enumerate(activities):
            if activity.name in self.tasks:
                raise ModelError(f"{who}: two activities are named {activity.name}")
            self.tasks[activity.name] = Task(self, activity, order, start)
        self._open = len(self.tasks)
        self._after: dict[str, list[tuple[Task, int]]] = {name: [] for name in triggers}
        self._gated: dict[str, list[Task]] = {name: [] for name in self._after}
        self._connect()
        clock.audited.append(self)

    def _connect(self) -> None:
        tasks = self.tasks
        missing: dict[str, int] = {}
        free: list[Task] = []
        for name, task in tasks.items():
            own = 0
            for place, before in enumerate(task.activity.after):
                if before in tasks:
                    tasks[before].successors.append(task)
                    own += 1
                elif before in self._after:
                    self._after[before].append((task, len(tasks) + place))
                else:
                    raise ModelError(f"{self.who}: {name} comes after {before}, which is nothing here")
            gate = task.activity.gate
            if gate is not None:
                if gate not in self._gated:
                    raise ModelError(f"{self.who}: {name} is gated by {gate}, which is no trigger")
                self._gated[gate].append(task)
            missing[name] = own
            if not own:
                free.append(task)
        for task in free:  # grows as it goes
            for successor in task.successors:
                name = successor.activity.name
                missing[name] -= 1
                if not missing[name]:
                    free.append(successor)
        if len(free) < len(tasks):
            stuck = ", ".join(name for name, number in missing.items() if number)
            raise ModelError(f"{self.who}: these wait for each other: {stuck}")

    # -- what its owner does ------------------------------------------------------------------------------------------

    def start(self, trail: Trail) -> None:
        """Begin now, with the trail so far. What may start does so in this call, what needs a pool joins its queue."""
        if self.status is not PENDING:
            raise ModelError(f"{self.who} cannot start: it is {self.status}")
        self._refuse_ahead(trail)
        self.status = RUNNING
        self._trail = trail
        tasks = list(self.tasks.values())
        for task in tasks:
            if task.join == NOBODY or task.trail[0] < trail[0]:
                task.trail = trail
                task.join = NOBODY
        if not tasks:
            self._finish()
        for task in tasks:
            if not task.missing and task.stage is PENDING and self.status is RUNNING:
                task.prepare()

    def trigger(self, name: str, trail: Trail) -> None:
        """A milestone from outside is there, with its own trail, which those that come `after` it join.

        It may come before the network starts, and is ignored once the network is over. Raises ModelError for a name
        that was not declared or has been triggered.
        """
        if name not in self._after or name in self.fired:
            raise ModelError(f"{self.who}: {name} is {'there already' if name in self.fired else 'no trigger'}")
        self._refuse_ahead(trail)
        if self.status not in (PENDING, RUNNING):
            return
        self.fired[name] = trail
        for task, order in self._after[name]:
            task.arrive(trail, order)
        for task in self._gated[name]:
            if task.stage is GATED and self.status is RUNNING:
                task.ungate()

    def pause_all(self, cause: str, who: str) -> None:
        """Stop all work until resumed; the time is charged to `cause`. Pauses nest, the oldest open one being charged.

        Those who hold a team keep it, those in a queue keep their place (and what they are granted, though they do not
        start); what becomes ready meanwhile joins no queue.
        """
        if self.status in (PENDING, RUNNING):
            self.pauses += ((cause, who),)
            for task in self.tasks.values():
                if task.stage is STARTED:
                    task.pause(cause, who)

    def resume_all(self, cause: str | None = None, who: str | None = None) -> None:
        """End the newest pause (of that cause and who). Raises ModelError if there is none, unless it is all over."""
        if self.status not in (PENDING, RUNNING):
            return
        place = newest(self.pauses, cause, who)
        if place is None:
            raise ModelError(f"{self.who} cannot resume: it is not paused{f' for {cause}' if cause else ''}")
        ended = self.pauses[place]
        self.pauses = self.pauses[:place] + self.pauses[place + 1 :]
        for task in self.tasks.values():
            if task.stage is STARTED and ended in task.pauses:  # not if it ended in the minute of the pause
                task.resume(*ended)
            elif task.stage is STOPPED and place == 0:
                task.trail = extend(task.trail, self.clock.now, *ended)
                if not self.pauses and self.status is RUNNING:
                    task.admit()

    def stretch(self, name: str, times: float = 1.0, plus: int = 0) -> bool:
        """Stretch what is left of an activity, begun or not, see Work.stretch; False if it is over."""
        task = self.tasks[name]
        if task.stage is STARTED:
            return task.stretch(times, plus)
        scaled(0, times, plus)  # complains now, not at the launch
        task.stretches += ((times, plus),)
        return task.status is not CANCELLED

    def cancel(self) -> None:
        """Cancel what waits or runs, and give back what is held, calling nobody; nothing to do once it is over."""
        if self.status in (PENDING, RUNNING):
            self._stop(CANCELLED)

    # -- what its owner reads -----------------------------------------------------------------------------------------

    def records(self) -> list[ActivityRecord]:
        """What became of each activity so far, in the order of declaration."""
        return [task.record() for task in self.tasks.values()]

    def trail_at(self, minute: int) -> Trail:
        """The trail as it would close in `minute`: along the activity under way, or in a queue, that is declared first.

        If there is none, along the first that waits for a trigger, charged to its own cause; if all is over, the last.
        """
        pending: Task | None = None
        for task in self.tasks.values():
            if task.status is DONE or task.status is CANCELLED:
                continue
            if task.stage is not PENDING:
                return task.trail_at(minute)
            pending = pending or task
        return pending.trail_at(minute) if pending is not None else self._trail

    def waiting(self) -> list[tuple[str, str]]:
        """Who waits for what other than a pool: triggers, or the end of a pause."""
        if self.status is not RUNNING:
            return []
        return [(task.who, why) for task in self.tasks.values() for why in task.waits_for()]

    # -- what its tasks call ------------------------------------------------------------------------------------------

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those among the names that are triggers not there yet."""
        return [name for name in names if name in self._after and name not in self.fired]

    def pay(self, activity: Activity, amount: int) -> None:
        """A cost of an activity falls due."""
        if amount and self._paid is not None:
            self._paid(activity, amount)

    def completed(self, task: Task, passed: bool) -> None:
        """A task is over, and not to be remedied."""
        trail = task.trail
        if not passed:
            self._trail = trail
            self._stop(FAILED)
            if self._failed is None:
                raise ModelError(f"{self.who}: {task.activity.name} failed, and nobody asked to be told")
            self._failed(task.activity, trail)
            return
        if trail[0] > self._trail[0] or (trail[0] == self._trail[0] and task.order < self._trail_order):
            self._trail = trail
            self._trail_order = task.order
        self._open -= 1
        if self._passed is not None:
            self._passed(task.activity, trail)  # who hears it may end the network, as may those who pay
        for successor in task.successors:
            successor.arrive(trail, task.order)
        if not self._open and self.status is RUNNING:
            self._finish()

    def _refuse_ahead(self, trail: Trail) -> None:
        if trail.minute > self.clock.now:
            raise ModelError(f"{self.who}: in minute {self.clock.now}, a trail that ends in minute {trail.minute}")

    def _finish(self) -> None:
        self.status = FINISHED
        self._finished(self._trail)

    def _stop(self, status: str) -> None:
        self.status = status
        for task in self.tasks.values():
            task.stop()
