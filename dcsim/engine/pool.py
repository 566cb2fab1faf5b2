"""Pools: teams, crews, stocks and limits, counted in whole units and handed out down a strict queue."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from simpy import Event

from dcsim.engine.calendar import Calendar
from dcsim.engine.clock import Clock
from dcsim.errors import ModelError

WAITING, HELD, DONE, CANCELLED = "waiting", "held", "done", "cancelled"
_LITTER = 64  # entries of withdrawn claims that a queue carries before it is swept


class Claim:
    """A request for an amount of a pool, from the queue to the release.

    `held` is what it holds now, `joined` the minute in which it joined the queue, `status` one of waiting, held, done
    (all released) and cancelled.
    """

    __slots__ = ("amount", "event", "held", "joined", "notify", "pool", "status", "who")

    def __init__(self, pool: Pool, amount: int, who: str, joined: int, notify: Callable[[Claim], object]) -> None:
        self.pool = pool
        self.amount = amount
        self.who = who
        self.joined = joined
        self.notify = notify
        self.held = 0
        self.status = WAITING
        self.event: Event | None = None  # for processes, see Pool.acquire

    @property
    def waiting(self) -> bool:
        """True while it stands in the queue."""
        return self.status is WAITING

    def release(self, amount: int | None = None) -> None:
        """Give back part of what is held, or all of it.

        Raises ModelError if that much is not held.
        """
        held = self.held
        if amount is None:
            amount = held
        elif type(amount) is not int or not 0 <= amount <= held:
            raise ModelError(f"{self.who} cannot release {amount!r} of the {held} it holds of {self.pool.name}")
        if self.status is not HELD:
            raise ModelError(f"{self.who} holds nothing of {self.pool.name} to release: its claim is {self.status}")
        self.held = held - amount
        pool = self.pool
        pool.in_use -= amount
        if amount == held:
            self.status = DONE
            del pool.holders[self]
        if pool.queue and not pool.dirty:
            pool.dirty = True
            pool.clock.dirty.append(pool)

    def withdraw(self) -> bool:
        """Leave the queue; False, and nothing happens, if it does not stand there (any more).

        A deadline can call this directly: what was granted in its minute is not struck. A process that waits for
        `event` goes on and finds the status cancelled.
        """
        if self.status is not WAITING:
            return False
        self.status = CANCELLED
        self.pool.forget()
        if self.event is not None:
            self.event.succeed(self)
        return True

    def cancel(self) -> None:
        """Leave the queue, or give back all that is held; nothing to do once it is over."""
        if self.status is HELD:
            self.notify = _nobody  # granted in this very round, and not told yet
            self.release()
        else:
            self.withdraw()


class Pool:
    """So many units of something (None: without limit), and the queue of those who want some.

    The queue is strict: ordered by (priority, minute joined, rank, order of request), lower first, and whoever stands
    first and does not fit blocks the rest. Hand-outs happen only in the hand-out stage of a minute, never within a
    call; pools hand out in the order in which they were made. A request larger than the capacity waits for the
    capacity to grow. `calendar` says when those in the pool work.
    """

    def __init__(self, clock: Clock, name: str, capacity: int | None = None, calendar: Calendar | None = None) -> None:
        if capacity is not None and (type(capacity) is not int or capacity < 0):
            raise ModelError(f"{name} cannot have the capacity {capacity!r}")
        self.clock = clock
        self.name = name
        self.capacity = capacity
        self.calendar = calendar
        self.in_use = 0
        self.queue: list[tuple[int, int, int, int, Claim]] = []  # heap; withdrawn claims stay until they come up
        self.holders: dict[Claim, None] = {}  # in the order of their grants
        self.order = clock.dispensers
        self.dirty = False
        self._requests = 0
        self._withdrawn = 0  # still in the heap
        clock.dispensers += 1
        clock.audited.append(self)

    @property
    def available(self) -> int | None:
        """Units free (None: without limit); below zero while holders keep more than a lowered capacity."""
        return None if self.capacity is None else self.capacity - self.in_use

    @property
    def queue_length(self) -> int:
        """Claims waiting."""
        return len(self.queue) - self._withdrawn

    def request(
        self, amount: int, *, rank: int, priority: int = 0, who: str, granted: Callable[[Claim], object]
    ) -> Claim:
        """Join the queue; `granted(claim)` is called in a hand-out, of this minute at the earliest.

        Raises ModelError unless the amount is a plain int, zero or more.
        """
        if type(amount) is not int or amount < 0:
            raise ModelError(f"{who} cannot request {amount!r} of {self.name}")
        clock = self.clock
        now = clock.now
        claim = Claim(self, amount, who, now, granted)
        self._requests = number = self._requests + 1
        heappush(self.queue, (priority, now, rank, number, claim))
        if clock.trace is not None:
            clock.trace.append((now, "requested", who, self.name))
        if not self.dirty and self.queue[0][4] is claim:  # behind others at rest it changes nothing
            self.dirty = True
            clock.dirty.append(self)
        return claim

    def acquire(self, amount: int, *, rank: int, priority: int = 0, who: str) -> Claim:
        """The same for a process: `claim = pool.acquire(...); yield claim.event`, then look at `claim.status`."""
        claim = self.request(amount, rank=rank, priority=priority, who=who, granted=_wake)
        claim.event = self.clock.event(self.name)
        return claim

    def set_capacity(self, capacity: int | None) -> None:
        """Change what there is from now on: holders keep what they have, those who wait may go on waiting."""
        if capacity is not None and (type(capacity) is not int or capacity < 0):
            raise ModelError(f"{self.name} cannot have the capacity {capacity!r}")
        self.capacity = capacity
        self._stir()

    def hand_out(self, granted: list[Any]) -> None:
        """Grant down the queue as far as it fits, adding the claims to `granted` (the clock calls this, and them)."""
        self.dirty = False
        queue = self.queue
        capacity = self.capacity
        trace = self.clock.trace
        while queue:
            claim = queue[0][4]
            if claim.status is not WAITING:
                heappop(queue)
                self._withdrawn -= 1
                continue
            in_use = self.in_use + claim.amount
            if capacity is not None and in_use > capacity:
                return
            heappop(queue)
            self.in_use = in_use
            claim.held = claim.amount
            claim.status = HELD
            self.holders[claim] = None
            granted.append(claim)
            if trace is not None:
                trace.append((self.clock.now, "granted", claim.who, self.name))

    def forget(self) -> None:
        """A claim of the queue was withdrawn (claims call this)."""
        self._withdrawn += 1
        if self._withdrawn > _LITTER and 2 * self._withdrawn > len(self.queue):
            self.queue = [entry for entry in self.queue if entry[4].status is WAITING]
            heapify(self.queue)
            self._withdrawn = 0
        self._stir()  # it may have stood first

    def waiting(self) -> list[tuple[str, str]]:
        """Who waits for how much of it, in the order of the queue."""
        claims = [entry[4] for entry in sorted(self.queue, key=_place) if entry[4].status is WAITING]
        return [(claim.who, self.name if claim.amount == 1 else f"{claim.amount} of {self.name}") for claim in claims]

    def audit(self) -> None:
        """Check the books: what is in use is what the holders hold, each has a name, and nothing is left to hand out.

        Raises ModelError.
        """
        held = sum(claim.held for claim in self.holders)
        if held != self.in_use or any(claim.held < 0 for claim in self.holders):
            raise ModelError(f"{self.name}: {self.in_use} in use, but its holders hold {held}")
        nameless = [claim for claim in self.holders if not claim.who]
        if nameless:
            raise ModelError(f"{self.name}: {nameless[0].held} held by nobody who has a name")
        if self.dirty:
            raise ModelError(f"{self.name}: changed, and not handed out since")

    def _stir(self) -> None:
        if self.queue and not self.dirty:
            self.dirty = True
            self.clock.dirty.append(self)


def _wake(claim: Claim) -> None:
    if claim.event is not None:
        claim.event.succeed(claim)


def _nobody(claim: Claim) -> None:
    pass


def _place(entry: tuple[int, int, int, int, Claim]) -> tuple[int, int, int, int]:
    return entry[:4]
