"""Trails: links, joins, and that the minutes always add up."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsim.engine.trail import Trail, days_by_cause, extend, latest, links, origin
from dcsim.errors import ModelError


def test_each_link_is_charged_its_minute_less_the_one_before():
    trail = extend(extend(origin(10, "meadow"), 70, "diligence", "power"), 75, "team", "title")
    trail = extend(trail, 80, "team", "deal")
    assert [tuple(link[:3]) for link in links(trail)] == [
        (10, "", "meadow"), (70, "diligence", "power"), (75, "team", "title"), (80, "team", "deal"),
    ]  # fmt: skip
    assert days_by_cause(trail) == {"diligence": 60, "team": 10}


def test_no_link_for_no_time_and_none_backwards():
    trail = origin(5, "meadow")
    assert extend(trail, 5, "grid", "region") is trail
    with pytest.raises(ModelError, match="ends in minute 5 cannot be continued to minute 4: region, grid"):
        extend(trail, 4, "grid", "region")
    assert days_by_cause(trail) == {}


def test_a_trail_may_begin_before_the_start():
    assert days_by_cause(extend(origin(-100, "old site"), 20, "permits", "county")) == {"permits": 120}


def test_the_latest_of_several_is_the_first_named_of_those_that_tie():
    start = origin(0, "x")
    early, first = extend(start, 5, "c", "early"), extend(start, 9, "c", "first")
    second = extend(start, 9, "c", "second")
    assert latest([early, first, second]) is first
    assert latest(iter([second, first])) is second
    with pytest.raises(ModelError, match="no trails"):
        latest([])


def test_trails_share_their_past_and_can_be_sent_to_another_process():
    start = extend(origin(0, "x"), 5, "diligence", "power")
    one, other = extend(start, 9, "grid", "g"), extend(start, 7, "equipment", "e")
    assert one.previous is other.previous is start
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert isinstance(again, Trail)


@given(st.integers(-(10**6), 10**6), st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=40))
def test_the_sum_over_causes_is_the_span(start, steps):
    trail = origin(start, "x")
    for minutes, cause in steps:
        trail = extend(trail, trail.minute + minutes, cause, "w")
    charged = days_by_cause(trail)
    assert sum(charged.values()) == trail.minute - start
    for cause in "abc":
        assert charged.get(cause, 0) == sum(minutes for minutes, own in steps if own == cause)
    minutes = [link.minute for link in links(trail)]
    assert minutes == sorted(set(minutes))
