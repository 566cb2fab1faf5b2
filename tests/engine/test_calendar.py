"""Calendars against counting minute by minute."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.engine.calendar import DAY, WEEK, Calendar
from dcsim.errors import ModelError

WORKDAYS = range(5)
NINE_TO_FIVE = (9 * 60, 17 * 60)


def test_office_hours_end_on_friday_and_go_on_on_monday():
    office = Calendar(start_weekday=4, weekdays=WORKDAYS, hours=NINE_TO_FIVE)  # minute 0 is a Friday's
    assert office.finish(0, 480) == 17 * 60  # the end of Friday's hours, not the beginning of Monday's
    assert office.finish(0, 481) == 3 * DAY + 9 * 60 + 1
    assert office.worked(0, 3 * DAY) == 480
    assert office.finish(2 * DAY, 0) == 2 * DAY
    assert office.worked(0, 52 * WEEK) == 52 * 5 * 480


def test_closed_windows_may_overlap_and_reach_before_the_start():
    always = Calendar(closed=[(100, 200), (150, 300), (300, 310), (-50, 10), (500, 500)])
    assert always.finish(0, 90) == 100
    assert always.finish(0, 91) == 311
    assert always.worked(0, 400) == 400 - 10 - 210
    assert always.finish(120, 1) == 311
    assert always.worked(120, 140) == 0


def test_a_calendar_that_never_opens_is_refused():
    for impossible in ({"weekdays": []}, {"hours": (600, 600)}, {"hours": (0, 1441)}, {"hours": (-1, 5)}):
        with pytest.raises(ModelError, match="must have working days"):
            Calendar(**impossible)
    with pytest.raises(ModelError, match="before it begins"):
        Calendar(closed=[(5, 4)])


CALENDARS = st.tuples(
    st.integers(0, 6),
    st.sets(st.integers(0, 6), min_size=1),
    st.tuples(st.integers(0, 700), st.integers(701, DAY)),
    st.lists(st.tuples(st.integers(-2 * DAY, 12 * DAY), st.integers(0, 3 * DAY)), max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(CALENDARS, st.integers(0, 12 * DAY), st.integers(0, 3 * DAY))
def test_as_counted_minute_by_minute(calendar, start, work):
    first_day, days, (opens, closes), windows = calendar
    closed = [(first, first + length) for first, length in windows]
    fast = Calendar(start_weekday=first_day, weekdays=days, hours=(opens, closes), closed=closed)

    def is_open(minute):
        return (
            (minute // DAY + first_day) % 7 in days
            and opens <= minute % DAY < closes
            and not any(first <= minute < past for first, past in closed)
        )

    end = start
    left = work
    while left:
        left -= is_open(end)
        end += 1
    assert fast.finish(start, work) == end
    assert fast.worked(start, end) == work
    later = end + 777
    assert fast.worked(start, later) == work + sum(is_open(minute) for minute in range(end, later))


@settings(max_examples=100, deadline=None)
@given(CALENDARS, st.integers(-3 * DAY, 12 * DAY), st.integers(1, 5_000), st.integers(1, 5_000))
def test_work_in_two_goes_ends_as_in_one(calendar, start, first, second):
    first_day, days, hours, windows = calendar
    fast = Calendar(start_weekday=first_day, weekdays=days, hours=hours, closed=[(a, a + n) for a, n in windows])
    assert fast.finish(fast.finish(start, first), second) == fast.finish(start, first + second)
