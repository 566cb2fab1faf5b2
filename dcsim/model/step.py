"""A step of a site's way: it waits and works, and each wait and each work is a link of its trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.activity import Activity
from dcsim.engine.pool import Claim, Pool
from dcsim.engine.trail import Trail, extend
from dcsim.engine.work import Work

if TYPE_CHECKING:
    from dcsim.model.world import World


class Step:
    """One thing under way at a time: nothing, a wait for somebody, or a piece of work."""

    def __init__(self, world: World, cause: str, who: str) -> None:
        self.world = world
        self.cause = cause
        self.who = who
        self.trail: Trail | None = None
        self.work_under_way: Work | None = None
        self._waiting: tuple[str, str] | None = None
        self._then: Callable[[], None] | None = None
        self._claim: Claim | None = None
        self.pauses: tuple[tuple[str, str], ...] = ()
        """Open ones, (cause, who), oldest first: what begins meanwhile begins paused."""
        self.began: int | None = None
        """Minute in which the work under way, or the last, began."""
        self.ended = False

    def begin_after(self, trail: Trail, minutes: int) -> None:
        """Begin so many minutes after the trail's end; until then the step waits for nobody but itself."""
        clock = self.world.clock
        if minutes == 0:
            self.begin(trail)
            return
        self.trail = trail
        self.wait(self.cause, self.who)
        clock.at(max(clock.now, trail.minute + minutes), lambda: None if self.ended else self.begin(trail))

    def begin(self, trail: Trail) -> None:
        """What it comes after is there."""
        raise NotImplementedError

    def open(self, trail: Trail) -> None:
        """Take up the trail; time since its end is charged to this step's own cause (an offset, or the past)."""
        self._waiting = None
        self.trail = extend(trail, self.world.clock.now, self.cause, self.who)

    def wait(self, cause: str, whom: str) -> None:
        """Begin to wait for somebody; `resume` ends it."""
        self._waiting = (cause, whom)

    def resume(self) -> None:
        """End a wait: one link, charged to what was waited for."""
        assert self.trail is not None
        if self._waiting is not None:
            cause, whom = self._waiting
            self.trail = extend(self.trail, self.world.clock.now, cause, whom)
            self._waiting = None

    def queue(self, pool: Pool | None, cause: str, rank: int, priority: int, then: Callable[[], None]) -> None:
        """Join the queue for one of a team, then go on; without a pool, at once."""
        if pool is None:
            then()
            return
        self.wait(cause, pool.name)

        def granted(claim: Claim) -> None:
            self.resume()
            then()

        self._claim = pool.request(1, rank=rank, priority=priority, who=self.who, granted=granted)

    def let_go(self) -> None:
        """Give back the team, or leave its queue."""
        if self._claim is not None:
            self._claim.cancel()
            self._claim = None

    def work(self, minutes: int, then: Callable[[], None], pool: Pool | None = None) -> None:
        """Work for so many minutes, then go on."""
        assert self.trail is not None
        self.began = self.world.clock.now
        self._then = then
        self.work_under_way = Work(
            self.world.clock,
            minutes=minutes,
            cause=self.cause,
            who=self.who,
            trail=self.trail,
            done=self._worked,
            calendar=pool.calendar if pool is not None else None,
        )
        for cause, who in self.pauses:
            self.work_under_way.pause(cause, who)
        self.work_under_way.start()

    def stand_still(self, cause: str, who: str) -> None:
        """Work stands still until it may go on; the time is charged to `cause`."""
        self.pauses += ((cause, who),)
        if self.work_under_way is not None:
            self.work_under_way.pause(cause, who)

    def go_on(self, cause: str, who: str) -> None:
        """That pause is over."""
        self.pauses = tuple(pause for pause in self.pauses if pause != (cause, who))
        work = self.work_under_way
        if work is not None and (cause, who) in work.pauses:
            work.resume(cause, who)

    def _worked(self, work: Work) -> None:
        self.trail = work.trail
        self.work_under_way = None
        then, self._then = self._then, None
        if then is not None:
            then()

    def closing(self) -> Trail | None:
        """The trail as it would close in this minute; None if nothing is under way."""
        now = self.world.clock.now
        if self.trail is None or self.ended:
            return None
        if self.work_under_way is not None:
            return self.work_under_way.trail_at(now)
        if self._waiting is not None:
            return extend(self.trail, now, *self._waiting)
        return None

    def cancel(self) -> None:
        """Stop whatever is under way; nothing further comes of it."""
        self.ended = True
        if self.work_under_way is not None:
            self.work_under_way.cancel()
            self.work_under_way = None
        self.let_go()


def with_delay(activity: Activity, delay: int) -> list[Activity]:
    """An activity whose offset, if any, stands before it as one of its own, charged to the same cause."""
    if delay == 0:
        return [activity]
    wait = f"{activity.name} offset"
    offset = Activity(name=wait, minutes=delay, after=activity.after, cause=activity.cause, who=activity.who)
    return [offset, activity._replace(after=(wait,))]
