"""Work under way: an activity that can be paused, resumed, stretched and cancelled, and knows what is left of it."""

from __future__ import annotations

from collections.abc import Callable
from math import floor

from simpy import Timeout

from dcsim.engine.calendar import Calendar
from dcsim.engine.clock import Clock
from dcsim.engine.trail import Trail, extend
from dcsim.errors import ModelError

_link = tuple.__new__
NEW, RUNNING, PAUSED, DONE, CANCELLED = "new", "running", "paused", "done", "cancelled"


class Work:
    """So many minutes of work, charged to `cause`; `done(work)` is called among the completions of its last minute.

    `trail` is the trail up to its start; each stretch of work and each pause adds a link to it, so that at the end it
    accounts for every minute. With a calendar the minutes are working minutes, and what lies between them is charged to
    the work as well.

    In the minute in which it ends, completion wins: pause, stretch and cancel then change nothing and return False.

    Raises ModelError unless `minutes` is a plain int, zero or more.
    """

    __slots__ = (
        "_done", "_end", "_left", "_since", "_timeout",
        "calendar", "cause", "clock", "minutes", "pauses", "status", "trail", "who",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        *,
        minutes: int,
        cause: str,
        who: str,
        trail: Trail,
        done: Callable[[Work], object],
        calendar: Calendar | None = None,
    ) -> None:
        if type(minutes) is not int or minutes < 0:
            raise ModelError(f"{who} cannot take {minutes!r} minutes ({cause})")
        self.clock = clock
        self.minutes = minutes  # of work in all, as stretched
        self.cause = cause
        self.who = who
        self.trail = trail
        self.calendar = calendar
        self.status = NEW
        self._done = done
        self._left = minutes  # of work, as of the last start or pause
        self.pauses: tuple[tuple[str, str], ...] = ()  # open ones, oldest first: (cause, who)

    @property
    def running(self) -> bool:
        """True while time works on it (also in hours in which its calendar is closed)."""
        return self.status is RUNNING

    @property
    def remaining(self) -> int:
        """Minutes of work left."""
        if self.status is not RUNNING:
            return self._left
        now = self.clock.now
        if self.calendar is None:
            return self._end - now
        return self._left - self.calendar.worked(self._since, now)

    @property
    def end(self) -> int | None:
        """The minute in which it ends if nothing comes between; None unless it is running."""
        return self._end if self.status is RUNNING else None

    def start(self) -> None:
        """Begin now; work paused before its start begins paused."""
        if self.status is not NEW:
            raise ModelError(f"{self.who} cannot start: it is {self.status}")
        if self.pauses:
            self.status = PAUSED
            self.trail = extend(self.trail, self.clock.now, self.cause, self.who)
        else:
            self._run("started")

    def pause(self, cause: str, who: str) -> bool:
        """Stop for the time being; the pause is charged to `cause`. Pauses nest, the oldest open one being charged."""
        status = self.status
        if status is DONE or status is CANCELLED:
            return False
        if status is RUNNING:
            clock = self.clock
            now = clock.now
            if self._end == now:
                return False
            self._left = self.remaining
            self._drop()
            self.status = PAUSED
            self.trail = extend(self.trail, now, self.cause, self.who)
            if clock.trace is not None:
                clock.trace.append((now, "paused", self.who, cause))
        self.pauses += ((cause, who),)
        return True

    def resume(self, cause: str | None = None, who: str | None = None) -> bool:
        """End the newest pause, or the newest of that cause (and who); True if it runs again.

        Raises ModelError if no such pause is open, unless it is all over.
        """
        status = self.status
        if status is DONE or status is CANCELLED:
            return False
        place = newest(self.pauses, cause, who)
        if place is None:
            raise ModelError(f"{self.who} cannot resume: it is not paused{f' for {cause}' if cause else ''}")
        ended = self.pauses[place]
        self.pauses = self.pauses[:place] + self.pauses[place + 1 :]
        if status is NEW:
            return False
        clock = self.clock
        if place == 0:
            self.trail = extend(self.trail, clock.now, *ended)
        if self.pauses:
            return False
        self._run("resumed")
        return True

    def stretch(self, times: float = 1.0, plus: int = 0) -> bool:
        """Change what is left: minutes times `times`, rounded half up, plus `plus`; never below zero.

        Work that is left stays at least a minute of work unless `times` is zero or `plus` takes it away.
        """
        status = self.status
        if status is DONE or status is CANCELLED or (status is RUNNING and self._end == self.clock.now):
            return False
        left = self.remaining
        stretched = scaled(left, times, plus)
        self.minutes += stretched - left
        self._left = stretched
        if status is RUNNING:
            self._drop()
            self._run("stretched")
        return True

    def cancel(self) -> bool:
        """Never mind: `done` is not called. Its trail stays as it was."""
        status = self.status
        if status is DONE or status is CANCELLED or (status is RUNNING and self._end == self.clock.now):
            return False
        if status is RUNNING:
            self._left = self.remaining
            self._drop()
        if self.clock.trace is not None and status is not NEW:
            self.clock.trace.append((self.clock.now, "cancelled", self.who, self.cause))
        self.status = CANCELLED
        return True

    def assign(self, minutes: int) -> None:
        """(More) work, before it starts or once it is done; `start` then begins it, with a link of its own.

        Raises ModelError in between, or unless `minutes` is a plain int, zero or more.
        """
        if self.status is not NEW and self.status is not DONE:
            raise ModelError(f"{self.who} cannot be assigned more work: it is {self.status}")
        if type(minutes) is not int or minutes < 0:
            raise ModelError(f"{self.who} cannot take {minutes!r} minutes ({self.cause})")
        self.minutes += minutes
        self._left += minutes
        self.status = NEW

    def follow(self, minutes: int, cause: str, done: Callable[[Work], object]) -> None:
        """Once done, go on at once with the next step: the same as new work with this one's trail, and cheaper.

        Raises ModelError as `assign` does.
        """
        if self.status is not DONE or type(minutes) is not int or minutes < 0:
            raise ModelError(f"{self.who}, {self.status}, cannot go on with {minutes!r} minutes ({cause})")
        self.minutes = self._left = minutes
        self.cause = cause
        self._done = done
        self._run("started")

    def trail_at(self, minute: int) -> Trail:
        """The trail as it would close in `minute` (now or later): what is under way is charged as it stands."""
        if self.status is RUNNING:
            return extend(self.trail, minute, self.cause, self.who)
        if self.status is PAUSED:
            return extend(self.trail, minute, *self.pauses[0])
        return self.trail

    def _run(self, event: str) -> None:
        clock = self.clock
        now = clock.now
        if clock.trace is not None:
            clock.trace.append((now, event, self.who, self.cause))
        left = self._left
        if self.calendar is not None:
            self._since = now
            left = self.calendar.finish(now, left) - now
        self.status = RUNNING
        self._end = now + left
        self._timeout = timeout = Timeout(clock.env, left)
        timeout.callbacks.append(self._finish)

    def _drop(self) -> None:
        """Nobody listens to the end that was booked."""
        self._timeout.callbacks.clear()

    def _finish(self, _timeout: object) -> None:
        clock = self.clock
        now = clock.now
        trail = self.trail
        if now > trail[0]:
            self.trail = _link(Trail, (now, self.cause, self.who, trail))  # extend(), without the call
        else:
            extend(trail, now, self.cause, self.who)  # complains if the trail lies ahead
        self.status = DONE
        self._left = 0
        if clock.trace is not None:
            clock.trace.append((now, "ended", self.who, self.cause))
        self._done(self)


def newest(pauses: tuple[tuple[str, str], ...], cause: str | None, who: str | None) -> int | None:
    """The place of the newest pause of that cause and who (None: of any)."""
    for place in range(len(pauses) - 1, -1, -1):
        if cause in (None, pauses[place][0]) and who in (None, pauses[place][1]):
            return place
    return None


def scaled(minutes: int, times: float, plus: int) -> int:
    """Minutes times a factor, half up, a positive one of a positive number at least one; plus an addition; >= 0.

    Raises ModelError for a negative factor or an addition that is not a plain int.
    """
    if not 0 <= times < float("inf") or type(plus) is not int:
        raise ModelError(f"{minutes} minutes cannot be stretched by {times!r} and {plus!r}")
    stretched = minutes if times == 1.0 else floor(minutes * times + 0.5)
    if minutes and times:
        stretched = max(1, stretched)
    return max(0, stretched + plus)
