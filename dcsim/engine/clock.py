"""The clock: whole minutes, and the order of what happens within one of them.

A minute is settled in this order, starting over whenever something changed:

1. all that completes: every SimPy event of the minute (work that ends, dated facts, processes that go on), and then
   the shocks; what thereby is ready joins its queue;
2. hand-outs: the pools that changed, in the order in which they were declared, each down its queue;
3. committees, then allocations, then the treasury, each when everything before it is at rest;
4. deadlines, all of the minute together; what they free is handed out in the same minute.

So a claim that is granted in the minute of its deadline is not struck, and nobody takes back what he just released
before those who became ready in that minute have joined the queue.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from typing import Any, NoReturn, Protocol

from simpy import Environment, Event, Process, Timeout

from dcsim.engine.log import EventLog
from dcsim.errors import ModelError

EVENTS_A_RUN = 50_000_000
EVENTS_A_MINUTE = 1_000_000
_WITNESSES = 64  # events looked at, once the guard has struck, to name who is going round in circles


class Stage(IntEnum):
    """What follows the completions of a minute, in this order."""

    SHOCK = 1
    HANDOUT = 2
    COMMITTEE = 3
    ALLOCATION = 4
    TREASURY = 5
    DEADLINE = 6


class Handle:
    """A callback that is booked for a minute."""

    __slots__ = ("callback", "pending")

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback = callback
        self.pending = True  # until it has run or was cancelled

    def cancel(self) -> bool:
        """Take it back; False if it has run or was cancelled already."""
        pending, self.pending = self.pending, False
        return pending

    def fire(self, _event: Event | None = None) -> None:
        """Run the callback, once (the clock's business)."""
        if self.pending:
            self.pending = False
            self.callback()


class Wait(Timeout):
    """A sleep of a process that knows who sleeps and why."""

    def __init__(self, env: Environment, minutes: int, who: str, why: str) -> None:
        super().__init__(env, minutes)
        self.who = who
        self.why = why


class Signal(Event):
    """An event that knows what those who wait for it wait for."""

    def __init__(self, env: Environment, why: str) -> None:
        super().__init__(env)
        self.why = why


class NamedProcess(Process):
    """A process with a name for the audit and for error messages."""

    def __init__(self, env: Environment, generator: Generator[Event, Any, Any], who: str) -> None:
        super().__init__(env, generator)
        self.who = who


class Dispenser(Protocol):
    """What hands out: a pool. `order` is its place in the order of declaration.

    `hand_out` adds the claims that it grants; each has a `notify(claim)`, called once the whole round is decided.
    """

    order: int

    def hand_out(self, granted: list[Any]) -> None: ...


class Auditable(Protocol):
    """What knows who is waiting in it, and for what."""

    def waiting(self) -> list[tuple[str, str]]: ...


class Clock:
    """Time in whole minutes over a SimPy environment, and the run loop that settles each of them.

    `now` is the current minute. `env` is the environment for those who need an event of their own; nothing but this
    clock may step it. `log` takes what the engine's parts record (nothing unless it is tracing).
    """

    def __init__(
        self,
        log: EventLog | None = None,
        *,
        events_a_run: int = EVENTS_A_RUN,
        events_a_minute: int = EVENTS_A_MINUTE,
    ) -> None:
        self.now = 0
        self.env = Environment()
        self.log = log if log is not None else EventLog()
        self.trace = self.log.rows if self.log.tracing else None  # asked at every step of every work: one load
        self.dispensers = 0  # pools declared so far
        self.dirty: list[Dispenser] = []  # pools that may have something to hand out
        self.audited: list[Auditable] = []
        self.processes: list[NamedProcess] = []
        self._agenda: list[tuple[int, int, int, int, Handle]] = []  # heap of (minute, stage, rank, booked, handle)
        self._booked = count()
        self._events_a_run = events_a_run
        self._events_a_minute = events_a_minute
        self._running = False
        self._last_round: list[Any] = []  # the claims of the last hand-out or the handles of the last stage

    # -- booking ------------------------------------------------------------------------------------------------------

    def at(self, minute: int, callback: Callable[[], object]) -> Handle:
        """Call back among the completions of `minute` (now or later).

        Raises ModelError if the minute is past or not a plain int.
        """
        if type(minute) is not int or minute < self.now:
            raise ModelError(f"cannot book minute {minute!r} in minute {self.now}: {_name(callback)}")
        handle = Handle(callback)
        _listen(Timeout(self.env, minute - self.now), handle.fire)
        return handle

    def stage_at(self, minute: int, stage: Stage, callback: Callable[[], object], *, rank: int = 0) -> Handle:
        """Call back in that stage of `minute`, when everything before it is at rest.

        Shocks and deadlines of a minute strike all together, in the order of (rank, booking). Committees, allocations
        and treasuries of one rank act together in the order of booking, and what they set off settles before those of
        the next rank act (a board that hears what a committee decided has the higher rank).

        Raises ModelError if the minute is past or not a plain int, or for the hand-out stage, which is the pools'.
        """
        if type(minute) is not int or minute < self.now:
            raise ModelError(f"cannot book minute {minute!r} in minute {self.now}: {_name(callback)}")
        if stage == Stage.HANDOUT:
            raise ModelError(f"hand-outs are made by pools alone: {_name(callback)}")
        handle = Handle(callback)
        heappush(self._agenda, (minute, int(stage), rank, next(self._booked), handle))
        return handle

    def wait(self, minutes: int, who: str, why: str) -> Wait:
        """A sleep for a process: `yield clock.wait(60, "meadow", "negotiation")`.

        Raises ModelError unless `minutes` is a plain int, zero or more.
        """
        if type(minutes) is not int or minutes < 0:
            raise ModelError(f"{who} cannot wait {minutes!r} minutes for {why}")
        return Wait(self.env, minutes, who, why)

    def event(self, why: str = "") -> Signal:
        """An event for processes to wait on. Without a `why` the audit refuses a process that still waits on it."""
        return Signal(self.env, why)

    def process(self, generator: Generator[Event, Any, Any], name: str) -> NamedProcess:
        """Start a process. What it raises ends the run as itself, whoever else waits for the process."""
        process = NamedProcess(self.env, generator, name)
        _listen(process, _raise_failure)
        self.processes.append(process)
        return process

    # -- running ------------------------------------------------------------------------------------------------------

    def run(self, last_minute: int) -> None:
        """Simulate up to and through `last_minute`; `now` is then that minute. May be called again for a later one.

        What a process or callback raises propagates as itself, and the clock cannot go on after it. Garbage collection
        is off meanwhile.

        Raises ModelError if the minute is past or not a plain int, if called from within, or if the run goes in circles
        or beyond its event budget (the message names what was last seen).
        """
        if type(last_minute) is not int or last_minute < self.now:
            raise ModelError(f"cannot run to minute {last_minute!r} in minute {self.now}")
        if self._running:
            raise ModelError("the clock is running already, or stopped in an error")
        self._running = True
        collecting = gc.isenabled()
        try:
            gc.disable()
            self._run(last_minute)
        finally:
            if collecting:
                gc.enable()
        self._running = False

    def _run(self, last_minute: int) -> None:
        env, agenda, dirty = self.env, self._agenda, self.dirty
        peek, step = env.peek, env.step
        ticks = 0  # events, and rounds of hand-outs and stages
        Timeout(env, 0)  # what was asked for since the last run is settled now
        Timeout(env, last_minute - self.now)  # the clock ends there even if nothing happens
        ahead = peek()
        while True:
            while agenda and not agenda[0][4].pending:
                heappop(agenda)
            if agenda and agenda[0][0] < ahead:  # nothing completes then, but a stage is booked: go there
                ahead = agenda[0][0]
                if ahead <= last_minute:
                    Timeout(env, ahead - self.now)
            if ahead > last_minute:
                return
            self.now = minute = ahead  # type: ignore[assignment]  # ints alone are ever put in
            if ticks > self._events_a_run:
                self._give_up(f"more than {self._events_a_run:,} events by minute {minute}")
            enough = ticks + self._events_a_minute
            while True:
                while ahead == minute:
                    step()
                    ahead = peek()
                    ticks += 1
                    if ticks > enough:
                        self._give_up(f"more than {self._events_a_minute:,} events in minute {minute}")
                if agenda and agenda[0][0] == minute and (agenda[0][1] == Stage.SHOCK or not dirty):
                    self._act()
                elif dirty:
                    self._hand_out()
                else:
                    break
                ahead = peek()
                ticks += 1
                if ticks > enough:
                    self._give_up(f"minute {minute} does not come to rest")

    def _hand_out(self) -> None:
        """Decide what all changed pools hand out, then tell the takers: no taker's doing enters the decisions."""
        dirty = self.dirty
        granted: list[Any] = []
        if len(dirty) == 1:
            dirty.pop().hand_out(granted)
        else:
            pools = sorted(dirty, key=_order)
            dirty.clear()
            for pool in pools:
                pool.hand_out(granted)
        self._last_round = granted
        for claim in granted:
            claim.notify(claim)

    def _act(self) -> None:
        """Run the callbacks of the first stage on the agenda (for stages that sit in turns: of its first rank)."""
        agenda = self._agenda
        minute, stage, rank = agenda[0][:3]
        together = stage in (Stage.SHOCK, Stage.DEADLINE)
        batch: list[Handle] = []
        while agenda and agenda[0][:2] == (minute, stage) and (together or agenda[0][2] == rank):
            batch.append(heappop(agenda)[4])
        self._last_round = batch
        for handle in batch:
            handle.fire()

    # -- going in circles ---------------------------------------------------------------------------------------------

    def _give_up(self, what: str) -> NoReturn:
        """Let the minute go on for a few events, to see who they belong to, and raise."""
        env = self.env
        seen: list[Event] = []
        names: list[str] = []
        schedule = env.schedule

        def witness(event: Event, *args: Any, **kwargs: Any) -> None:
            seen.append(event)
            schedule(event, *args, **kwargs)

        env.schedule = witness  # type: ignore[method-assign]
        for _ in range(_WITNESSES):
            if env.peek() != self.now:
                break
            for event in seen:
                names.extend(_parties(event))
            seen.clear()
            env.step()
        for event in seen:
            names.extend(_parties(event))
        for party in self._last_round:
            names.append(_name(party.callback) if isinstance(party, Handle) else f"{party.who} ({party.pool.name})")
        named = "; ".join(dict.fromkeys(names)) or "nobody who has a name"
        raise ModelError(f"{what}: going in circles? Last seen: {named}")


def _listen(event: Event, callback: Callable[[Any], None]) -> None:
    """Have the callback called when the event, which has not happened yet, happens."""
    callbacks = event.callbacks
    assert callbacks is not None
    callbacks.append(callback)


def _raise_failure(process: Event) -> None:
    """Raise what a process raised: SimPy would raise a copy, which fails for exceptions with arguments of their own."""
    if not process.ok:
        failure: BaseException = process.value  # type: ignore[assignment]
        raise failure


def _order(pool: Dispenser) -> int:
    return pool.order


def _name(callback: object) -> str:
    """Who a callback belongs to, for messages."""
    who = getattr(getattr(callback, "__self__", None), "who", None)
    name = str(getattr(callback, "__qualname__", callback))
    return f"{who} ({name})" if who else name


def _parties(event: Event) -> list[str]:
    """Who and why behind an event that is about to happen."""
    why = getattr(event, "why", None)
    parties: list[str] = []
    for callback in event.callbacks or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, Handle):
            parties.append(_name(owner.callback))
            continue
        who = getattr(owner, "who", None) or getattr(event, "who", None)
        reason = why or getattr(owner, "cause", None)
        parties.append(f"{who or _name(callback)} ({reason})" if reason else str(who or _name(callback)))
    return parties
