"""Work: pauses, stretches, cancellation, ties in the minute of completion, and trails that account for every minute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.engine.calendar import DAY, Calendar
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.log import EventLog
from dcsim.engine.trail import days_by_cause, links, origin
from dcsim.engine.work import Work
from dcsim.errors import ModelError


class Bench:
    """A clock, and works on it whose ends are noted."""

    def __init__(self, trace=False):
        self.clock = Clock(EventLog(trace))
        self.ends = {}

    def work(self, minutes, who="building", calendar=None, start=True):
        work = Work(
            self.clock,
            minutes=minutes,
            cause="construction",
            who=who,
            trail=origin(self.clock.now, who),
            done=self.done,
            calendar=calendar,
        )
        if start:
            work.start()
        return work

    def done(self, work):
        assert work.who not in self.ends
        self.ends[work.who] = self.clock.now

    def at(self, minute, callback, *arguments):
        self.clock.at(minute, lambda: callback(*arguments))


def chain(work):
    return [tuple(link[:3]) for link in links(work.trail)]


def test_work_ends_after_its_minutes():
    bench = Bench()
    work = bench.work(100)
    bench.at(40, lambda: bench.ends.update(half=(work.remaining, work.running, work.end)))
    bench.clock.run(99)
    assert bench.ends == {"half": (60, True, 100)}
    bench.clock.run(100)
    assert bench.ends["building"] == 100
    assert (work.remaining, work.running, work.status, work.end) == (0, False, "done", None)
    assert chain(work) == [(0, "", "building"), (100, "construction", "building")]


def test_a_pause_keeps_what_is_left_and_is_charged_to_its_cause():
    bench = Bench()
    work = bench.work(100)
    bench.at(30, work.pause, "financing", "draw stop")
    bench.at(50, lambda: bench.ends.update(paused=(work.remaining, work.running)))
    bench.at(75, work.resume)
    bench.clock.run(500)
    assert bench.ends == {"paused": (70, False), "building": 145}
    assert chain(work)[1:] == [
        (30, "construction", "building"), (75, "financing", "draw stop"), (145, "construction", "building"),
    ]  # fmt: skip


def test_nested_pauses_are_charged_to_the_oldest_that_is_open():
    bench = Bench()
    work = bench.work(100)
    bench.at(10, work.pause, "financing", "bank")
    bench.at(20, work.pause, "permits", "county")
    bench.at(40, work.resume, "financing")
    bench.at(45, work.pause, "grid", "utility")
    bench.at(60, work.resume, "grid")
    bench.at(70, work.resume)
    bench.clock.run(500)
    assert bench.ends == {"building": 160}
    assert days_by_cause(work.trail) == {"construction": 100, "financing": 30, "permits": 30}


def test_a_resume_that_names_no_cause_ends_the_newest_pause():
    bench = Bench()
    work = bench.work(100)
    bench.at(10, work.pause, "financing", "bank")
    bench.at(20, work.pause, "permits", "county")
    bench.at(30, work.resume)
    bench.at(50, work.resume)
    bench.clock.run(35)
    assert work.pauses == (("financing", "bank"),)
    bench.clock.run(500)
    assert days_by_cause(work.trail) == {"construction": 100, "financing": 40}


def test_a_resume_without_its_pause_is_an_error_until_all_is_over():
    bench = Bench()
    work = bench.work(100)
    with pytest.raises(ModelError, match="building cannot resume: it is not paused"):
        work.resume()
    work.pause("financing", "bank")
    with pytest.raises(ModelError, match="not paused for grid"):
        work.resume("grid")
    with pytest.raises(ModelError, match="not paused for financing"):
        work.resume("financing", "another bank")
    work.cancel()
    assert not work.resume("grid")


def test_work_paused_before_its_start_begins_paused():
    bench = Bench()
    work = bench.work(100, start=False)
    work.pause("shock", "strike")
    bench.at(10, work.start)
    bench.at(30, work.resume)
    bench.clock.run(500)
    assert bench.ends == {"building": 130}
    assert days_by_cause(work.trail) == {"construction": 110, "shock": 20}  # it began 10 minutes after its trail


def test_work_paused_and_resumed_before_its_start_begins_at_once():
    bench = Bench()
    work = bench.work(100, start=False)
    work.pause("shock", "strike")
    work.resume()
    work.start()
    bench.clock.run(500)
    assert bench.ends == {"building": 100}


@pytest.mark.parametrize(
    ("times", "plus", "end"),
    [
        (2.0, 0, 170),
        (0.5, 0, 65),
        (1.0, 25, 125),
        (1.0, -25, 75),
        (0.0, 0, 30),
        (1.0, -500, 30),
        (0.001, 0, 31),
        (1.005, 0, 100),
    ],
)
def test_a_stretch_changes_what_is_left(times, plus, end):
    bench = Bench()
    work = bench.work(100)
    bench.at(30, work.stretch, times, plus)
    bench.clock.run(500)
    assert bench.ends == {"building": end}
    assert work.minutes == end
    assert chain(work)[1:] == [(end, "construction", "building")]


def test_a_stretch_rounds_half_up():
    bench = Bench()
    work = bench.work(101, start=False)
    work.stretch(0.5)
    assert work.remaining == 51
    work.stretch(1.0, 2)
    assert work.remaining == 53


def test_paused_work_can_be_stretched_and_cancelled():
    bench = Bench()
    work, other = bench.work(100), bench.work(100, "other")
    bench.at(40, work.pause, "shock", "storm")
    bench.at(40, other.pause, "shock", "storm")
    bench.at(50, work.stretch, 2.0)
    bench.at(55, other.cancel)
    bench.at(60, work.resume)
    bench.clock.run(500)
    assert bench.ends == {"building": 180}
    assert (work.minutes, other.status, other.remaining) == (160, "cancelled", 60)
    assert days_by_cause(work.trail) == {"construction": 160, "shock": 20}


@pytest.mark.parametrize("change", ["pause", "stretch", "cancel"])
@pytest.mark.parametrize("booked", ["before", "after"])
def test_completion_wins_in_its_minute(change, booked):
    bench = Bench()
    work = bench.work(100, start=False)
    answers = []
    arguments = {"pause": ("shock", "storm"), "stretch": (2.0, 7), "cancel": ()}[change]
    interfere = lambda: answers.append(getattr(work, change)(*arguments))  # noqa: E731
    if booked == "before":
        bench.at(100, interfere)
    work.start()
    if booked == "after":
        bench.at(100, interfere)
    bench.clock.stage_at(100, Stage.SHOCK, interfere)
    bench.clock.run(500)
    assert answers == [False, False]
    assert bench.ends == {"building": 100}
    assert chain(work)[1:] == [(100, "construction", "building")]
    assert work.resume("shock") is False


def test_a_minute_before_its_end_it_is_still_stopped():
    bench = Bench()
    works = {name: bench.work(100, name) for name in ("paused", "stretched", "cancelled")}
    bench.at(99, works["paused"].pause, "shock", "storm")
    bench.at(99, works["stretched"].stretch, 5.0)
    bench.at(99, works["cancelled"].cancel)
    bench.clock.run(200)
    assert bench.ends == {"stretched": 104}
    assert works["paused"].remaining == 1


def test_work_that_was_never_started_can_be_cancelled():
    bench = Bench()
    work = bench.work(100, start=False)
    assert work.cancel()
    assert not work.cancel()
    assert not work.pause("shock", "storm")
    assert not work.stretch(2.0)
    with pytest.raises(ModelError, match="cannot start: it is cancelled"):
        work.start()


def test_a_step_follows_at_once_with_its_own_cause():
    bench = Bench()
    work = bench.work(10, start=False)
    seen = []

    def cabled(work):
        seen.append((bench.clock.now, work.minutes))
        work.follow(7, "burn_in", lambda work: seen.append((bench.clock.now, work.minutes)))

    first = Work(bench.clock, minutes=10, cause="install", who="lot", trail=origin(0, "lot"), done=cabled)
    first.start()
    bench.at(12, first.pause, "grid", "outage")
    bench.at(20, first.resume)
    bench.clock.run(100)
    assert seen == [(10, 10), (25, 7)]
    assert days_by_cause(first.trail) == {"install": 10, "burn_in": 7, "grid": 8}
    with pytest.raises(ModelError, match="building, new, cannot go on"):
        work.follow(3, "burn_in", bench.done)
    with pytest.raises(ModelError, match="lot, done, cannot go on with -1"):
        first.follow(-1, "burn_in", bench.done)


def test_more_work_is_a_further_round_and_a_link_of_its_own():
    bench = Bench()
    rounds = []

    def done(work):
        rounds.append(bench.clock.now)
        if len(rounds) < 3:
            work.assign(20)
            work.start()

    work = Work(bench.clock, minutes=50, cause="commissioning", who="test", trail=origin(0, "test"), done=done)
    work.assign(10)
    work.start()
    bench.clock.run(1_000)
    assert rounds == [60, 80, 100]
    assert work.minutes == 100
    assert [link.minute for link in links(work.trail)] == [0, 60, 80, 100]
    work.cancel()
    running = bench.work(5)
    with pytest.raises(ModelError, match="cannot be assigned more work: it is running"):
        running.assign(5)


def test_the_trail_can_be_read_as_it_would_close_now():
    bench = Bench()
    work = bench.work(100)
    read = []
    for minute in (20, 40, 60):
        bench.at(minute, lambda: read.append(days_by_cause(work.trail_at(bench.clock.now + 5))))
    bench.at(30, work.pause, "permits", "county")
    bench.at(50, work.resume)
    bench.clock.run(60)
    assert read == [
        {"construction": 25}, {"construction": 30, "permits": 15}, {"construction": 45, "permits": 20},
    ]  # fmt: skip
    assert chain(work)[-1] == (50, "permits", "county")


def test_a_calendar_counts_hours_of_work_alone():
    bench = Bench()
    office = Calendar(hours=(540, 1020))
    work = bench.work(960, calendar=office)  # two days of eight hours
    bench.at(700, lambda: bench.ends.update(left=work.remaining))
    bench.at(DAY + 600, work.pause, "shock", "storm")  # an hour into the second day
    bench.at(2 * DAY + 1000, work.resume)  # twenty minutes before the third one closes
    bench.clock.run(10 * DAY)
    assert bench.ends == {"left": 800, "building": 3 * DAY + 540 + 400}
    assert days_by_cause(work.trail)["shock"] == 2 * DAY + 1000 - DAY - 600


@pytest.mark.parametrize("minutes", [-1, 1.5, float("nan"), np.int64(4), True, None])
def test_impossible_durations_are_refused(minutes):
    bench = Bench()
    with pytest.raises(ModelError, match="cannot take"):
        bench.work(minutes)
    with pytest.raises(ModelError, match="cannot take"):
        bench.work(1, start=False).assign(minutes)


@pytest.mark.parametrize(("times", "plus"), [(-1.0, 0), (float("nan"), 0), (float("inf"), 0), (1.0, 2.5)])
def test_impossible_stretches_are_refused(times, plus):
    with pytest.raises(ModelError, match="cannot be stretched"):
        Bench().work(10).stretch(times, plus)


def test_a_trail_that_lies_ahead_is_an_error():
    clock = Clock()
    Work(clock, minutes=5, cause="c", who="w", trail=origin(50, "w"), done=print).start()
    with pytest.raises(ModelError, match="cannot be continued"):
        clock.run(10)


def test_the_log_tells_what_became_of_it():
    bench = Bench(trace=True)
    work, other = bench.work(100), bench.work(100, "other")
    bench.at(10, work.pause, "shock", "storm")
    bench.at(20, work.resume)
    bench.at(30, work.stretch, 1.0, 5)
    bench.at(40, other.cancel)
    bench.clock.run(500)
    assert [row[:2] for row in bench.clock.log.rows if row[2] == "building"] == [
        (0, "started"), (10, "paused"), (20, "resumed"), (30, "stretched"), (115, "ended"),
    ]  # fmt: skip
    assert [row[:2] for row in bench.clock.log.rows if row[2] == "other"] == [(0, "started"), (40, "cancelled")]


# -- any sequence of interferences -------------------------------------------------------------------------------------

CALENDARS = [None, Calendar(hours=(3, 11), start_weekday=2), Calendar(closed=[(10, 30), (55, 80)])]
INTERFERENCES = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.one_of(
            st.tuples(st.just("pause"), st.sampled_from("xyz")),
            st.tuples(st.just("resume"), st.sampled_from("xyz")),
            st.tuples(st.just("stretch"), st.sampled_from([0.5, 1.0, 1.5]), st.integers(-3, 9)),
        ),
    ),
    max_size=12,
)


def minute_by_minute(minutes, start, interferences, calendar, last):
    """The same by walking every minute: (end, minutes charged to each cause)."""
    left, pauses, charged = minutes, [], {}
    for now in range(last):
        for minute, change in interferences:
            over = now >= start and left == 0 and not pauses  # and nothing that comes later in its minute changes that
            if minute == now and not over:
                if change[0] == "pause":
                    pauses.append(change[1])
                elif change[0] == "resume" and change[1] in pauses:
                    pauses.reverse()
                    pauses.remove(change[1])
                    pauses.reverse()
                elif change[0] == "stretch":
                    scaled = int(left * change[1] + 0.5) if change[1] != 1.0 else left
                    left = max(0, (max(1, scaled) if left else 0) + change[2])
        if now >= start and left == 0 and not pauses:
            return now, charged
        cause = "own" if now < start or not pauses else pauses[0]
        charged[cause] = charged.get(cause, 0) + 1
        if now >= start and not pauses and left and (calendar is None or calendar.worked(now, now + 1)):
            left -= 1
    return None, charged


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 60), st.integers(0, 20), INTERFERENCES, st.sampled_from(CALENDARS))
def test_any_pauses_and_stretches_end_when_counted_minute_by_minute(minutes, start, interferences, calendar):
    clock = Clock()
    last = 3_000
    ends = []
    work = Work(
        clock, minutes=minutes, cause="own", who="w", trail=origin(0, "w"), calendar=calendar,
        done=lambda work: ends.append(clock.now),
    )  # fmt: skip
    interferences = sorted(interferences, key=lambda row: row[0])

    def change(what, *arguments):
        if what == "resume":
            if any(cause == arguments[0] for cause, _ in work.pauses):
                work.resume(*arguments)
        elif what == "pause":
            work.pause(arguments[0], "p")
        else:
            work.stretch(*arguments)

    clock.at(start, work.start)
    for minute, what in interferences:
        clock.stage_at(minute, Stage.SHOCK, lambda what=what: change(*what))
    clock.run(last)
    end, charged = minute_by_minute(minutes, start, interferences, calendar, last)
    assert ends == ([] if end is None else [end])
    if end is not None:
        assert days_by_cause(work.trail) == charged
        assert sum(days_by_cause(work.trail).values()) == end
