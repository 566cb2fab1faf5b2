"""Activity networks: against a forward pass and a brute-force scheduler, and every way of being held up or ended."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.engine.activity import Activity
from dcsim.engine.audit import audit
from dcsim.engine.calendar import DAY, Calendar
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.pool import Pool
from dcsim.engine.trail import days_by_cause, extend, links, origin
from dcsim.errors import ModelError


class Site:
    """A network on a clock of its own, with notes of what it calls back."""

    def __init__(self, *activities, pools=(), triggers=(), start=True):
        self.clock = Clock()
        self.pools = {name: Pool(self.clock, name, capacity) for name, capacity in dict(pools).items()}
        self.ended = []
        self.paid = []
        self.network = ActivityNetwork(
            self.clock,
            [activity._replace(pool=self.pools.get(activity.pool)) for activity in activities],
            finished=lambda trail: self.ended.append((self.clock.now, "finished", trail)),
            failed=lambda activity, trail: self.ended.append((self.clock.now, activity.name, trail)),
            paid=lambda activity, amount: self.paid.append((self.clock.now, activity.name, amount)),
            triggers=triggers,
            who="site",
        )
        if start:
            self.network.start(origin(0, "site"))

    def at(self, minute, callback, *arguments):
        self.clock.at(minute, lambda: callback(*arguments))

    def trigger(self, minute, name, cause="grid"):
        start = origin(0, "outside")
        self.at(minute, lambda: self.network.trigger(name, extend(start, self.clock.now, cause, name)))

    def run(self, last=10_000):
        self.clock.run(last)
        return self

    @property
    def times(self):
        return {record.name: (record.start, record.end) for record in self.network.records()}

    @property
    def trail(self):
        return self.ended[-1][2]

    def status(self, name):
        return next(record.status for record in self.network.records() if record.name == name)

    def books(self):
        return audit(self.clock, self.pools.values())


# -- precedence and teams ----------------------------------------------------------------------------------------------


def test_the_diligence_of_the_walk():
    team = dict(pool="team", cause="diligence", wait_cause="team")
    site = Site(
        Activity("power", 60, rank=0, **team), Activity("title", 30, rank=1, **team), pools={"team": 1}
    ).run()  # fmt: skip
    assert site.times == {"power": (0, 60), "title": (60, 90)}
    assert [link[:3] for link in links(site.trail)[1:]] == [(60, "team", "team"), (90, "diligence", "title")]
    assert days_by_cause(site.trail) == {"team": 60, "diligence": 30}
    assert site.books() == []


def test_a_join_keeps_the_latest_trail_and_of_those_that_tie_the_one_declared_first():
    site = Site(
        Activity("building", 365, cause="construction"),
        Activity("study", 100, cause="grid"),
        Activity("grid", 300, after=("study",), cause="grid"),
        Activity("transformer", 400, cause="equipment"),  # booked before the grid, so it is heard of first
        Activity("commissioning", 30, after=("transformer", "grid", "building"), cause="commissioning"),
    ).run()
    assert days_by_cause(site.trail) == {"grid": 400, "commissioning": 30}


def test_of_ends_that_tie_the_one_declared_first_gives_the_trail():
    ends = (Activity("early", 5, cause="x"), Activity("b", 9, cause="b"), Activity("a", 9, cause="a"))
    assert days_by_cause(Site(*ends).run().trail) == {"b": 9}
    assert days_by_cause(Site(*reversed(ends)).run().trail) == {"a": 9}
    heard_of_last = (Activity("x", 4, cause="x"), Activity("y", 5, ("x",), cause="y"), Activity("b", 9, cause="b"))
    assert days_by_cause(Site(*heard_of_last).run().trail) == {"x": 4, "y": 5}


def test_nothing_to_do_is_done_at_once():
    site = Site()
    assert [row[:2] for row in site.ended] == [(0, "finished")]
    chain = Site(Activity("a", 0), Activity("b", 0, after=("a",)), Activity("c", 0, after=("b",))).run(0)
    assert chain.times == {"a": (0, 0), "b": (0, 0), "c": (0, 0)}
    assert links(chain.trail) == [origin(0, "site")]


def test_durations_may_be_asked_for_at_the_start():
    asked = []

    def minutes():
        asked.append(site.clock.now)
        return 7

    site = Site(Activity("a", 5), Activity("b", minutes, after=("a",)), start=False)
    site.network.start(origin(0, "site"))
    site.run()
    assert asked == [5]
    assert site.times["b"] == (5, 12)


def test_a_team_brings_its_calendar():
    clock = Clock()
    crew = Pool(clock, "crew", 1, Calendar(hours=(480, 960)))
    ends = []
    ActivityNetwork(
        clock,
        [Activity("a", 600, pool=crew), Activity("b", 600, pool=None, calendar=Calendar(hours=(0, 720)))],
        finished=lambda trail: ends.append(trail.minute),
    ).start(origin(0, "x"))
    clock.run(10 * DAY)
    assert ends == [DAY + 480 + 120]


DAGS = st.lists(
    st.tuples(
        st.integers(0, 9),  # minutes
        st.lists(st.integers(0, 30), max_size=3),  # predecessors among those before
        st.integers(0, 2),  # pool: none, a, b
        st.integers(1, 3),  # amount
        st.integers(0, 2),  # priority
    ),
    min_size=1,
    max_size=14,
)


def declared(rows, pools):
    """Activities t0, t1, ... of the rows; each comes after some declared before it."""
    activities = []
    for place, (minutes, before, pool, amount, priority) in enumerate(rows):
        after = tuple(dict.fromkeys(f"t{number % place}" for number in before)) if place else ()
        name = (None, "a", "b")[pool] if pools else None
        queue = {"pool": name, "amount": amount, "priority": priority, "rank": place, "wait_cause": "wait"}
        activities.append(Activity(f"t{place}", minutes, after, "own", **queue))
    return activities


@settings(max_examples=200, deadline=None)
@given(DAGS, st.randoms(use_true_random=False))
def test_without_teams_it_is_the_critical_path_method(rows, random):
    activities = declared(rows, pools=False)
    ends = {}
    for activity in activities:
        start = max((ends[name][1] for name in activity.after), default=0)
        ends[activity.name] = (start, start + activity.minutes)
    random.shuffle(activities)
    site = Site(*activities).run()
    assert site.times == ends
    last = max(end for _, end in ends.values())
    assert [row[:2] for row in site.ended] == [(last, "finished")]
    path = [link.who for link in links(site.trail)[1:]]
    assert sum(activity.minutes for activity in activities if activity.name in path) == last  # a longest path
    assert site.books() == []


def brute_force(activities, capacities):
    """Start and end of each activity, by walking every minute and sorting every queue anew."""
    started, ended, joined = {}, {}, {}
    by_name = {activity.name: activity for activity in activities}
    now = 0
    while len(ended) < len(activities):
        changed = True
        while changed:
            changed = False
            for name, start in started.items():  # 1: all that completes
                if name not in ended and start + by_name[name].minutes == now:
                    ended[name] = now
                    changed = True
            for activity in activities:  # 2: what is ready joins its queue
                if activity.name not in joined and all(name in ended for name in activity.after):
                    joined[activity.name] = now
                    changed = True
                    if activity.pool is None:
                        started[activity.name] = now
            if changed:
                continue
            for pool, capacity in capacities.items():  # 3: hand-outs
                queue = [a for a in activities if a.pool == pool and a.name in joined and a.name not in started]
                queue.sort(key=lambda a: (a.priority, joined[a.name], a.rank))
                busy = sum(a.amount for a in activities if a.pool == pool and a.name in started and a.name not in ended)
                for activity in queue:
                    if busy + activity.amount > capacity:
                        break
                    busy += activity.amount
                    started[activity.name] = now
                    changed = True
        now += 1
    return {name: (started[name], ended[name]) for name in by_name}


@settings(max_examples=300, deadline=None)
@given(DAGS, st.integers(3, 5), st.integers(3, 5))
def test_with_teams_it_is_what_brute_force_finds(rows, a, b):
    activities = declared(rows, pools=True)
    site = Site(*activities, pools={"a": a, "b": b}).run()
    assert site.times == brute_force(activities, {"a": a, "b": b})
    assert sum(days_by_cause(site.trail).values()) == site.ended[0][0]
    assert site.books() == []
    assert all(pool.in_use == 0 for pool in site.pools.values())


def test_where_nothing_ties_the_answer_is_that_of_idiomatic_simpy():
    path = Path(__file__).parents[1] / "bench" / "bench_engine.py"
    spec = importlib.util.spec_from_file_location("bench_engine", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    for seed in range(3):
        assert bench.assert_equal(bench.draw_project(seed, sites=6, lots=8)) == 6 * (5 + 3 * 8)


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_a_remedy_keeps_the_team_and_is_a_link_of_its_own():
    work = dict(pool="team", cause="diligence", wait_cause="team")
    site = Site(
        Activity("power", 60, outcome="remedy", remedy_minutes=30, cost=5, remedy_cost=2, **work),
        Activity("title", 30, rank=1, cost=3, **work),
        pools={"team": 1},
    ).run()
    assert site.times == {"power": (0, 90), "title": (90, 120)}
    assert site.paid == [(0, "power", 5), (60, "power", 2), (90, "title", 3)]
    power = site.network.tasks["power"]
    assert [link.minute for link in links(power.trail)] == [0, 60, 90]
    assert power.minutes == 90


def test_rounds_of_remedy_go_on_as_long_as_asked():
    site = Site(
        Activity("retest", 20, outcome=lambda rounds: "remedy" if rounds < 3 else "pass", remedy_minutes=lambda n: n)
    ).run()
    assert site.times == {"retest": (0, 20 + 1 + 2 + 3)}


def test_a_failure_ends_the_rest_and_gives_back_what_it_holds():
    site = Site(
        Activity("permits", 50, outcome="fail", cause="diligence"),
        Activity("running", 80, pool="team"),
        Activity("queued", 10, pool="team"),
        Activity("gated", 10, gate="door"),
        Activity("over", 10),
        Activity("next", 10, after=("permits",)),
        pools={"team": 1},
        triggers=["door"],
    )
    heard = []
    site.pools["team"].request(1, rank=9, who="other", granted=lambda claim: heard.append(site.clock.now))
    site.trigger(60, "door")
    site.run()
    assert [row[:2] for row in site.ended] == [(50, "permits")]
    assert days_by_cause(site.trail) == {"diligence": 50}
    assert heard == [50]
    statuses = {record.name: record.status for record in site.network.records()}
    assert {name for name, status in statuses.items() if status == "done"} == {"permits", "over"}
    assert {name for name, status in statuses.items() if status == "cancelled"} == {
        "running",
        "queued",
        "gated",
        "next",
    }
    assert site.network.status == "failed"
    assert site.books() == []


@pytest.mark.parametrize("first", ["permits", "title"])
def test_what_ends_in_the_minute_of_a_failure_is_done(first):
    activities = {
        "permits": Activity("permits", 50, outcome="fail"),
        "title": Activity("title", 50, pool="team", outcome="remedy", remedy_minutes=9),
    }
    ordered = [activities[first], *(activity for name, activity in activities.items() if name != first)]
    site = Site(*ordered, Activity("water", 50, outcome="fail", pool="team"), pools={"team": 2}).run()
    assert [row[:2] for row in site.ended] == [(50, "permits")]
    assert site.status("water") == "done"
    assert site.pools["team"].in_use == 0
    assert site.books() == []


def test_a_failure_nobody_listens_to_is_an_error():
    clock = Clock()
    network = ActivityNetwork(clock, [Activity("a", 5, outcome="fail")], finished=print, who="site")
    network.start(origin(0, "x"))
    with pytest.raises(ModelError, match="site: a failed, and nobody asked to be told"):
        clock.run(10)


def test_each_activity_that_passes_is_told():
    clock = Clock()
    told = []
    activities = [Activity("a", 5), Activity("b", 7, ("a",), outcome="remedy"), Activity("c", 13, outcome="fail")]
    network = ActivityNetwork(
        clock,
        activities,
        finished=print,
        failed=lambda activity, trail: None,
        passed=lambda activity, trail: told.append((clock.now, activity.name, trail.minute)),
    )
    network.start(origin(0, "x"))
    clock.run(100)
    assert told == [(5, "a", 5), (12, "b", 12)]


@pytest.mark.parametrize("event", ["passed", "paid"])
def test_who_is_told_may_cancel_it_all_there_and_then(event):
    clock = Clock()
    crew = Pool(clock, "crew", 2)
    finished = []
    activities = [Activity("a", 5, cost=1, pool=crew), Activity("b", 7, after=("a",)), Activity("c", 9, pool=crew)]
    network = ActivityNetwork(clock, activities, finished=finished.append, **{event: lambda *_: network.cancel()})
    network.start(origin(0, "x"))
    clock.run(100)
    assert finished == []
    statuses = [record.status for record in network.records()]
    assert statuses == ["done" if event == "passed" else "cancelled", "cancelled", "cancelled"]
    assert crew.in_use == 0
    assert audit(clock, [crew]) == []


def test_the_last_to_pass_may_cancel_it_all():
    clock = Clock()
    network = ActivityNetwork(clock, [Activity("a", 5)], finished=print, passed=lambda *_: network.cancel())
    network.start(origin(0, "x"))
    clock.run(100)
    assert network.status == "cancelled"


@pytest.mark.parametrize("stopped", [False, True])
def test_a_cost_may_cancel_all_while_others_are_about_to_start(stopped):
    clock = Clock()
    activities = [Activity("a", 5, cost=1, gate="door"), Activity("b", 7, cost=1, gate="door")]
    network = ActivityNetwork(
        clock, activities, finished=print, paid=lambda *_: network.cancel(), triggers=["door"]
    )  # fmt: skip
    network.start(origin(0, "x"))
    if stopped:
        network.pause_all("shock", "storm")
    network.trigger("door", origin(0, "x"))
    if stopped:
        network.resume_all()
    clock.run(100)
    assert [task.begun for task in network.tasks.values()] == [0, None]
    assert [record.status for record in network.records()] == ["cancelled", "cancelled"]


def test_a_cost_may_cancel_all_at_the_start():
    clock = Clock()
    activities = [Activity("a", 5, cost=1), Activity("b", 7)]
    network = ActivityNetwork(clock, activities, finished=print, paid=lambda *_: network.cancel())
    network.start(origin(0, "x"))
    assert [task.begun for task in network.tasks.values()] == [0, None]


# -- triggers and gates ------------------------------------------------------------------------------------------------


def test_a_trigger_is_joined_with_its_own_trail_and_a_gate_is_an_excess_wait():
    activities = (
        Activity("building", 365, cause="construction"),
        Activity("commissioning", 30, ("building", "power"), "commissioning", gate="crane", gate_cause="crews"),
    )
    site = Site(*activities, triggers=["power", "crane"])
    site.trigger(400, "power")
    site.trigger(410, "crane")
    site.run()
    assert site.times["commissioning"] == (410, 440)
    assert [link[:3] for link in links(site.trail)[1:]] == [
        (400, "grid", "power"), (410, "crews", "crane"), (440, "commissioning", "commissioning"),
    ]  # fmt: skip
    early = Site(*activities, triggers=["power", "crane"])
    early.trigger(100, "power")
    early.trigger(110, "crane")
    early.run()
    assert days_by_cause(early.trail) == {"construction": 365, "commissioning": 30}


def test_an_own_activity_goes_before_a_trigger_of_the_same_minute():
    site = Site(Activity("b", 50, cause="own"), Activity("c", 5, after=("power", "b"), cause="c"), triggers=["power"])
    site.trigger(50, "power")
    site.run()
    assert days_by_cause(site.trail) == {"own": 50, "c": 5}


def test_triggers_may_come_before_the_start():
    site = Site(
        Activity("a", 5, after=("power",)), Activity("b", 7, gate="crane"), triggers=["power", "crane"], start=False
    )
    site.trigger(3, "power")
    site.trigger(4, "crane")
    site.at(10, lambda: site.network.start(extend(origin(0, "site"), 10, "financing", "bank")))
    site.run()
    assert site.times == {"a": (10, 15), "b": (10, 17)}
    assert days_by_cause(site.trail) == {"financing": 10, "": 7}
    assert days_by_cause(site.network.tasks["a"].trail) == {"financing": 10, "": 5}


def test_triggers_after_the_end_are_ignored_and_others_are_errors():
    site = Site(Activity("a", 5, after=("power",), outcome="fail"), triggers=["power", "late"])
    with pytest.raises(ModelError, match="site: pwer is no trigger"):
        site.network.trigger("pwer", origin(0, "x"))
    with pytest.raises(ModelError, match="in minute 0, a trail that ends in minute 9"):
        site.network.trigger("power", origin(9, "x"))
    site.network.trigger("power", origin(0, "x"))
    with pytest.raises(ModelError, match="power is there already"):
        site.network.trigger("power", origin(0, "x"))
    site.trigger(20, "late")
    site.run()
    assert [row[:2] for row in site.ended] == [(5, "a")]


# -- pauses, stretches, cancellation -----------------------------------------------------------------------------------


def test_a_pause_of_all_stops_what_runs_and_keeps_what_is_held_and_queued():
    team = dict(pool="crew", wait_cause="crews", cause="construction")
    site = Site(
        Activity("shell", 100, **team),
        Activity("roof", 50, rank=1, **team),
        Activity("cooling", 10, after=("chiller",), cause="construction"),
        pools={"crew": 1},
        triggers=["chiller"],
    )
    site.at(30, site.network.pause_all, "financing", "bank")
    site.trigger(40, "chiller", cause="equipment")
    site.at(70, site.network.resume_all)
    site.run()
    assert site.times == {"shell": (0, 140), "roof": (140, 190), "cooling": (70, 80)}
    assert days_by_cause(site.network.tasks["cooling"].trail) == {"equipment": 40, "financing": 30, "construction": 10}
    assert days_by_cause(site.trail) == {"crews": 140, "construction": 50}
    assert days_by_cause(site.network.tasks["shell"].trail) == {"construction": 100, "financing": 40}


def test_who_is_granted_a_team_during_a_pause_holds_it_and_begins_paused():
    site = Site(Activity("shell", 100, pool="crew", wait_cause="crews", cause="construction"), pools={"crew": 1})
    other = site.pools["crew"].request(1, rank=-1, who="another site", granted=lambda claim: None)
    site.at(10, site.network.pause_all, "financing", "bank")
    site.at(20, other.release)
    site.at(50, site.network.resume_all)
    site.run()
    assert site.times == {"shell": (20, 150)}
    assert days_by_cause(site.trail) == {"crews": 20, "financing": 30, "construction": 100}


def test_nested_pauses_of_all_are_charged_to_the_oldest():
    site = Site(
        Activity("a", 100, cause="construction"), Activity("b", 5, after=("part",), cause="b"), triggers=["part"]
    )
    site.at(10, site.network.pause_all, "financing", "bank")
    site.at(20, site.network.pause_all, "shock", "storm")
    site.trigger(25, "part", cause="equipment")
    site.at(40, site.network.resume_all, "financing")
    site.at(60, site.network.resume_all, "shock")
    site.run()
    assert site.times == {"a": (0, 150), "b": (60, 65)}
    assert days_by_cause(site.trail) == {"construction": 100, "financing": 30, "shock": 20}
    assert days_by_cause(site.network.tasks["b"].trail) == {"equipment": 25, "financing": 15, "shock": 20, "b": 5}


def test_nested_pauses_ended_newest_first_are_charged_to_the_oldest_alone():
    site = Site(
        Activity("a", 100, cause="a"), Activity("b", 5, gate="part", gate_cause="part", cause="b"), triggers=["part"]
    )
    site.at(10, site.network.pause_all, "financing", "bank")
    site.at(20, site.network.pause_all, "shock", "storm")
    site.trigger(25, "part")
    site.at(40, site.network.resume_all)
    site.at(60, site.network.resume_all)
    site.run()
    assert days_by_cause(site.trail) == {"a": 100, "financing": 50}
    assert days_by_cause(site.network.tasks["b"].trail) == {"part": 25, "financing": 35, "b": 5}


def test_what_ends_in_the_minute_of_a_pause_is_done_but_its_remedy_waits():
    site = Site(
        Activity("a", 50, outcome="remedy", remedy_minutes=10, cause="a"), Activity("b", 50, cause="b"), start=False
    )
    site.at(50, site.network.pause_all, "financing", "bank")  # booked before the work's own end
    site.network.start(origin(0, "site"))
    site.at(80, site.network.resume_all)
    site.run()
    assert site.times == {"a": (0, 90), "b": (0, 50)}
    assert days_by_cause(site.trail) == {"a": 60, "financing": 30}


def test_a_pause_taken_back_in_its_own_minute_changes_nothing():
    site = Site(Activity("a", 50, cause="a"), start=False)
    site.at(50, lambda: (site.network.pause_all("financing", "bank"), site.network.resume_all("financing")))
    site.network.start(origin(0, "site"))
    assert site.run().times == {"a": (0, 50)}
    with pytest.raises(ModelError, match="it is not paused"):
        Site(Activity("a", 5)).network.resume_all()
    site.network.resume_all()


def test_an_activity_may_be_paused_by_itself_as_well():
    site = Site(Activity("a", 50, cause="a"), Activity("b", 60, cause="b"))
    a = site.network.tasks["a"]
    site.at(10, a.pause, "permits", "county")
    site.at(20, site.network.pause_all, "financing", "bank")
    site.at(30, a.resume, "permits")
    site.at(40, site.network.resume_all)
    site.run()
    assert site.times == {"a": (0, 80), "b": (0, 80)}
    assert days_by_cause(a.trail) == {"a": 50, "permits": 20, "financing": 10}


def test_activities_are_stretched_whether_they_run_wait_or_are_still_to_come():
    site = Site(
        Activity("running", 100),
        Activity("queued", 50, pool="crew"),
        Activity("pending", lambda: 30, after=("running",)),
        pools={"crew": 0},
    )
    for name in ("running", "queued", "pending"):
        site.at(40, site.network.stretch, name, 2.0, 1)
    site.at(45, site.network.stretch, "pending", 1.0, 9)
    site.at(50, site.pools["crew"].set_capacity, 1)
    with pytest.raises(ModelError, match="cannot be stretched"):
        site.network.stretch("pending", -1.0)
    site.run()
    assert site.times == {"running": (0, 161), "queued": (50, 151), "pending": (161, 231)}
    assert not site.network.stretch("running", 2.0)


def test_cancelling_all_gives_back_everything_and_calls_nobody():
    site = Site(
        Activity("running", 100, pool="crew"),
        Activity("queued", 100, pool="crew"),
        Activity("paused", 70, pool="other"),
        pools={"crew": 1, "other": 1},
    )
    site.at(10, lambda: site.network.tasks["paused"].pause("shock", "storm"))
    site.at(20, site.network.cancel)
    site.at(21, site.network.cancel)
    site.run()
    assert site.ended == []
    assert [pool.in_use for pool in site.pools.values()] == [0, 0]
    assert site.books() == []
    site.network.pause_all("shock", "storm")
    with pytest.raises(ModelError, match="cannot start: it is cancelled"):
        site.network.start(origin(0, "x"))


def test_a_claim_granted_in_the_round_in_which_its_network_is_cancelled_is_given_back():
    clock = Clock()
    crew = Pool(clock, "crew", 2)
    network = ActivityNetwork(clock, [Activity("a", 5, pool=crew, rank=1)], finished=print)
    crew.request(1, rank=0, who="killer", granted=lambda claim: network.cancel())
    network.start(origin(0, "x"))
    clock.run(10)
    assert crew.in_use == 1
    assert network.records()[0].status == "cancelled"


INTERFERENCES = st.tuples(st.integers(0, 40), st.sampled_from(["pause", "resume", "stretch"]), st.integers(0, 30))


@settings(max_examples=150, deadline=None)
@given(DAGS, st.lists(INTERFERENCES, max_size=8), st.integers(0, 80))
def test_held_up_and_cancelled_at_any_time_the_books_and_trails_add_up(rows, interferences, end):
    site = Site(*declared(rows, pools=True), pools={"a": 3, "b": 3})
    network = site.network
    names = list(network.tasks)

    def interfere(what, number):
        if what == "stretch":
            network.stretch(names[number % len(names)], 1.5)
        elif what == "pause":
            network.pause_all("pause", "p")
        elif network.pauses:
            network.resume_all()

    for minute, what, number in interferences:
        site.at(minute, interfere, what, number)
    site.clock.stage_at(end, Stage.DEADLINE, network.cancel)
    site.run(end - 1 if end else 0)
    if network.status == "running" and end:
        read = network.trail_at(end)
        assert sum(days_by_cause(read).values()) == end
    site.run(end + 5)
    assert all(pool.in_use == 0 for pool in site.pools.values())
    assert site.books() == []
    for task in network.tasks.values():
        assert sum(days_by_cause(task.trail).values()) == task.trail.minute
        if task.ended is not None:
            assert task.trail.minute == task.ended
            assert task.ready <= task.begun <= task.ended
        assert task.status in ("done", "cancelled")


# -- what is read of it ------------------------------------------------------------------------------------------------


def test_the_trail_is_read_along_the_first_activity_under_way():
    site = Site(
        Activity("a", 50, cause="a"),
        Activity("b", 80, pool="crew", cause="b", wait_cause="crews"),
        Activity("c", 10, after=("a", "power"), cause="c", gate="crane", gate_cause="gate"),
        pools={"crew": 0},
        triggers=["power", "crane"],
    )
    read = {}
    for minute in (20, 60, 160, 180):
        site.at(minute, lambda: read.update({site.clock.now: days_by_cause(site.network.trail_at(site.clock.now))}))
    site.at(70, site.pools["crew"].set_capacity, 1)
    site.trigger(170, "power")
    site.run(200)
    assert read == {20: {"a": 20}, 60: {"crews": 60}, 160: {"a": 50, "c": 110}, 180: {"grid": 170, "gate": 10}}
    assert site.books() == [("c", "crane")]


def test_the_records_tell_how_far_each_activity_is():
    site = Site(
        Activity("done", 10),
        Activity("running", 100),
        Activity("queued", 10, pool="crew", who="site queued"),
        Activity("gated", 10, gate="door"),
        Activity("pending", 10, after=("running", "power")),
        Activity("paused", 30),
        pools={"crew": 0},
        triggers=["door", "power"],
    )
    site.at(20, lambda: site.network.tasks["paused"].pause("permits", "county"))
    site.run(50)
    assert [tuple(record) for record in site.network.records()] == [
        ("done", 0, 0, 10, 10, "done"),
        ("running", 0, 0, None, 100, "running"),
        ("queued", 0, None, None, 0, "queued"),
        ("gated", 0, None, None, 0, "gated"),
        ("pending", None, None, None, 0, "pending"),
        ("paused", 0, 0, None, 30, "paused"),
    ]
    assert site.books() == [("site queued", "crew"), ("gated", "door"), ("pending", "power"), ("paused", "permits")]
    site.network.pause_all("financing", "bank")
    site.network.trigger("door", origin(0, "x"))
    assert site.status("gated") == "stopped"
    assert ("gated", "financing") in site.books()


@pytest.mark.parametrize(
    ("activities", "message"),
    [
        ([Activity("a", 1), Activity("a", 2)], "two activities are named a"),
        ([Activity("a", 1, after=("b",))], "a comes after b, which is nothing here"),
        ([Activity("a", 1, gate="b"), Activity("b", 1)], "a is gated by b, which is no trigger"),
        ([Activity("z", 1), Activity("a", 1, ("b",)), Activity("b", 1, ("a", "z"))], "wait for each other: a, b"),
        ([Activity("a", 1, after=("a",))], "wait for each other: a"),
    ],
)
def test_impossible_networks_are_refused(activities, message):
    with pytest.raises(ModelError, match=message):
        ActivityNetwork(Clock(), activities, finished=print)


@pytest.mark.parametrize("minutes", [1.5, np.int64(3), -1, True])
def test_impossible_durations_are_refused_at_the_start(minutes):
    with pytest.raises(ModelError, match="a cannot take"):
        Site(Activity("a", minutes))
    with pytest.raises(ModelError, match="a cannot take"):
        Site(Activity("a", 1, outcome="remedy", remedy_minutes=minutes)).run()
    with pytest.raises(ModelError, match="neither in pass"):
        Site(Activity("a", 1, outcome="maybe")).run()
