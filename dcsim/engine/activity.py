"""One activity of a network: how it is declared, and how it goes from waiting for others to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from dcsim.engine.calendar import Calendar
from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail, extend
from dcsim.engine.work import CANCELLED, RUNNING, Work
from dcsim.errors import ModelError

if TYPE_CHECKING:
    from dcsim.engine.network import ActivityNetwork

Outcome = Literal["pass", "remedy", "fail"]

# What it waits for before its work starts; from then on the status of the work tells.
PENDING, GATED, STOPPED, QUEUED, STARTED = "pending", "gated", "stopped", "queued", "started"
NOBODY = 1 << 30  # the order of the network's own start at a join: after every activity and trigger


class Activity(NamedTuple):
    """An activity, as declared.

    `after` names activities of the network and triggers; they are joined, keeping the latest trail. `gate` names a
    trigger from outside: the own trail is kept, and the excess wait charged to `gate_cause`. Then `amount` of `pool` is
    queued for by `priority` and `rank`, the wait charged to `wait_cause`, and held until the activity is over, its
    remedies included.

    `minutes` may be a function, asked at the start. `outcome` is drawn already, a remedy then being followed by a pass,
    or a function of the rounds of remedy so far, asked at the end of each round. `remedy_minutes` may be a function of
    the number of the round, from 1. `cost` falls due at the start, `remedy_cost` at the start of each round.
    `calendar` defaults to the pool's, `who` to the name.
    """

    name: str
    minutes: int | Callable[[], int]
    after: tuple[str, ...] = ()
    cause: str = ""
    who: str = ""
    pool: Pool | None = None
    amount: int = 1
    priority: int = 0
    rank: int = 0
    wait_cause: str = ""
    gate: str | None = None
    gate_cause: str = ""
    outcome: Outcome | Callable[[int], Outcome] = "pass"
    remedy_minutes: int | Callable[[int], int] = 0
    cost: int = 0
    remedy_cost: int = 0
    calendar: Calendar | None = None


class ActivityRecord(NamedTuple):
    """What became of an activity: minutes in which it was ready, began and ended (None: it did not), work in all.

    `status` is pending, gated, stopped or queued before it starts, then running, paused, done or cancelled.
    """

    name: str
    ready: int | None
    start: int | None
    end: int | None
    minutes: int
    status: str


class Task(Work):
    """An activity under way in its network: the work, and what stands before it. The network makes and moves it."""

    __slots__ = (
        "activity", "begun", "claim", "ended", "join", "missing", "network", "order", "ready", "rounds", "stage",
        "stretches", "successors",
    )  # fmt: skip

    def __init__(self, network: ActivityNetwork, activity: Activity, order: int, trail: Trail) -> None:
        pool = activity.pool
        super().__init__(
            network.clock,
            minutes=0,  # assigned at the launch
            cause=activity.cause,
            who=activity.who or activity.name,
            trail=trail,
            done=self._completed,
            calendar=activity.calendar or (pool.calendar if pool is not None else None),
        )
        self.network = network
        self.activity = activity
        self.order = order
        self.stage = PENDING
        self.missing = len(activity.after)
        self.join = NOBODY  # the order of whom the trail came from
        self.successors: list[Task] = []
        self.claim: Claim | None = None
        self.rounds = 0
        self.stretches: tuple[tuple[float, int], ...] = ()  # of minutes not assigned yet
        self.ready: int | None = None
        self.begun: int | None = None
        self.ended: int | None = None

    # -- on the way to its start --------------------------------------------------------------------------------------

    def arrive(self, trail: Trail, order: int) -> None:
        """One thing that it comes after is there."""
        minute, own = trail[0], self.trail[0]
        if minute > own or (minute == own and order < self.join):
            self.trail = trail
            self.join = order
        self.missing -= 1
        if not self.missing and self.network.status is RUNNING:
            self.prepare()

    def prepare(self) -> None:
        """All that it comes after is there."""
        self.ready = self.clock.now
        gate = self.activity.gate
        if gate is not None and gate not in self.network.fired:
            self.stage = GATED
        else:
            self.admit()

    def ungate(self) -> None:
        """What it waited for outside is there."""
        self.trail = self.trail_at(self.clock.now)
        self.admit()

    def admit(self) -> None:
        """Nothing but a pause of the network, and the queue, stand before it."""
        activity = self.activity
        if self.network.pauses:
            self.stage = STOPPED
        elif activity.pool is None:
            self._launch()
        else:
            self.stage = QUEUED
            self.claim = activity.pool.request(
                activity.amount, rank=activity.rank, priority=activity.priority, who=self.who, granted=self._granted
            )

    def _granted(self, _claim: Claim) -> None:
        self.trail = self.trail_at(self.clock.now)
        self._launch()

    def _launch(self) -> None:
        minutes = self.activity.minutes
        self.assign(minutes() if callable(minutes) else minutes)
        for times, plus in self.stretches:
            self.stretch(times, plus)
        self.stage = STARTED
        self.begun = self.clock.now
        self._begin_round()
        self.network.pay(self.activity, self.activity.cost)

    # -- working ------------------------------------------------------------------------------------------------------

    def _begin_round(self) -> None:
        for cause, who in self.network.pauses:  # begins paused if the network is
            self.pause(cause, who)
        self.start()

    def _completed(self, _work: Work) -> None:
        network = self.network
        going_on = network.status is RUNNING  # or it completes in the very minute in which the network was ended
        outcome = self._outcome() if going_on else "pass"
        if outcome not in ("pass", "remedy", "fail"):
            raise ModelError(f"{network.who}: {self.who} ends neither in pass, remedy nor fail but in {outcome!r}")
        if outcome == "remedy":
            self.rounds += 1
            minutes = self.activity.remedy_minutes
            self.assign(minutes(self.rounds) if callable(minutes) else minutes)
            self._begin_round()
            network.pay(self.activity, self.activity.remedy_cost)
            return
        self.ended = self.clock.now
        if self.claim is not None:
            self.claim.release()
        if going_on:
            network.completed(self, outcome == "pass")

    def _outcome(self) -> Outcome:
        outcome = self.activity.outcome
        if callable(outcome):
            return outcome(self.rounds)
        return "pass" if self.rounds else outcome

    def stop(self) -> None:
        """Cancel it, wherever it stands; what completes in this minute still does, and gives back itself."""
        if self.cancel() and self.claim is not None:
            self.claim.cancel()

    # -- what is read of it -------------------------------------------------------------------------------------------

    def trail_at(self, minute: int) -> Trail:
        """The trail as it would close in `minute`, what is waited for or under way being charged as it stands."""
        activity = self.activity
        if self.stage is STARTED:
            return super().trail_at(minute)
        if self.stage is QUEUED and activity.pool is not None:
            return extend(self.trail, minute, activity.wait_cause, activity.pool.name)
        if self.stage is GATED and activity.gate is not None:
            return extend(self.trail, minute, activity.gate_cause, activity.gate)
        if self.stage is STOPPED:
            return extend(self.trail, minute, *self.network.pauses[0])
        return extend(self.trail, minute, self.cause, self.who)

    def waits_for(self) -> list[str]:
        """What it waits for, other than a pool or another activity."""
        if self.stage is GATED and self.activity.gate is not None:
            return [self.activity.gate]
        if self.stage is STOPPED:
            return [self.network.pauses[0][0]]
        if self.stage is PENDING:
            return self.network.missing(self.activity.after)
        return [self.pauses[0][0]] if self.pauses else []

    def record(self) -> ActivityRecord:
        """What became of it so far."""
        status = self.status if self.stage is STARTED or self.status is CANCELLED else self.stage
        return ActivityRecord(self.activity.name, self.ready, self.begun, self.ended, self.minutes, status)
