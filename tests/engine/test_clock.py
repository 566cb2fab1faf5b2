"""The clock: the order within a minute, what it refuses, and how a run ends."""

from __future__ import annotations

import contextlib
import gc
import re
import traceback
from pathlib import Path

import numpy as np
import pytest

import dcsim.engine
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.log import EventLog
from dcsim.engine.pool import Pool
from dcsim.engine.trail import origin
from dcsim.engine.work import Work
from dcsim.errors import ModelError


def nothing(*_):
    pass


# -- within a minute ---------------------------------------------------------------------------------------------------


def test_stages_of_a_minute_follow_one_another_whatever_the_order_of_booking():
    clock = Clock()
    seen = []
    pool = Pool(clock, "team", 1)
    for stage in reversed(Stage):
        if stage is not Stage.HANDOUT:
            clock.stage_at(5, stage, lambda stage=stage: seen.append(stage.name))
    clock.at(5, lambda: seen.append("completion"))
    clock.at(5, lambda: pool.request(1, rank=0, who="w", granted=lambda claim: seen.append("HANDOUT")))
    clock.run(10)
    assert seen == ["completion", "SHOCK", "HANDOUT", "COMMITTEE", "ALLOCATION", "TREASURY", "DEADLINE"]


def test_whatever_changes_anything_is_settled_before_the_next_stage():
    clock = Clock()
    pool = Pool(clock, "team", 1)
    seen = []

    def ask(name):
        pool.request(1, rank=0, who=name, granted=lambda claim: (seen.append(f"{name} granted"), claim.release()))

    for stage in (Stage.SHOCK, Stage.COMMITTEE, Stage.ALLOCATION, Stage.TREASURY, Stage.DEADLINE):
        clock.stage_at(5, stage, lambda stage=stage: (seen.append(stage.name), ask(stage.name)))
    clock.run(5)
    stages = ("SHOCK", "COMMITTEE", "ALLOCATION", "TREASURY", "DEADLINE")
    assert seen == [word for stage in stages for word in (stage, f"{stage} granted")]


def test_a_committee_hears_what_a_chain_of_work_without_duration_makes_ready_in_its_minute():
    clock = Clock()
    pool = Pool(clock, "team", 1)
    ready = []

    def study(name):
        def granted(claim):
            def done(work):
                ready.append(name)
                claim.release()

            Work(clock, minutes=0, cause="c", who=name, trail=origin(clock.now, name), done=done).start()

        pool.request(1, rank=0, who=name, granted=granted)

    clock.at(7, lambda: [study(name) for name in "abc"])
    heard = []
    clock.stage_at(7, Stage.COMMITTEE, lambda: heard.extend(ready))
    clock.run(7)
    assert heard == ["a", "b", "c"]


def test_committees_of_one_rank_sit_together_and_the_next_rank_hears_what_came_of_it():
    clock = Clock()
    pool = Pool(clock, "deal team", 1)
    seen = []

    def decide(name, rank):
        seen.append(name)
        pool.request(1, rank=rank, who=name, granted=lambda claim: seen.append(f"{name} has the team"))

    clock.stage_at(3, Stage.COMMITTEE, lambda: seen.append("board"), rank=1)
    clock.stage_at(3, Stage.COMMITTEE, lambda: decide("b", 2))
    clock.stage_at(3, Stage.COMMITTEE, lambda: decide("a", 1))
    clock.run(3)
    assert seen == ["b", "a", "a has the team", "board"]


@pytest.mark.parametrize("stage", [Stage.SHOCK, Stage.DEADLINE])
def test_deadlines_and_shocks_strike_in_order_of_rank_then_booking(stage):
    clock = Clock()
    seen = []
    for name, rank in (("c", 2), ("a", 1), ("d", 2), ("b", 1)):
        clock.stage_at(4, stage, lambda name=name: seen.append(name), rank=rank)
    clock.run(4)
    assert "".join(seen) == "abcd"


def test_a_claim_granted_in_the_minute_of_its_deadline_is_not_struck():
    clock = Clock()
    pool = Pool(clock, "headroom", 1)
    first = pool.request(1, rank=0, who="first", granted=nothing)
    second = pool.request(1, rank=1, who="second", granted=nothing)
    struck = []
    clock.stage_at(60, Stage.DEADLINE, lambda: struck.append(second.withdraw()))
    clock.at(60, lambda: first.release())
    clock.run(60)
    assert struck == [False]
    assert second.status == "held"


def test_deadlines_strike_together_and_what_they_free_is_handed_out_in_that_minute():
    clock = Clock()
    pool = Pool(clock, "headroom", 10)
    granted = []

    def note(claim):
        granted.append((clock.now, claim.who))

    holder = pool.request(10, rank=0, who="holder", granted=note)
    struck = pool.request(5, rank=1, who="struck", granted=note)
    heir = pool.request(10, rank=2, who="heir", granted=note)
    clock.stage_at(9, Stage.DEADLINE, holder.cancel)  # would free room for the next one, whose deadline is now too
    clock.stage_at(9, Stage.DEADLINE, struck.withdraw)
    clock.run(9)
    assert granted == [(0, "holder"), (9, "heir")]
    assert (struck.status, heir.status) == ("cancelled", "held")


def test_who_joins_a_queue_in_the_deadline_stage_is_served_in_that_minute():
    clock = Clock()
    other = Pool(clock, "next guarantor", 1)
    granted = []
    ask = lambda: other.request(1, rank=0, who="site", granted=lambda claim: granted.append(clock.now))  # noqa: E731
    clock.stage_at(9, Stage.DEADLINE, ask)
    clock.run(20)
    assert granted == [9]


def test_a_releaser_does_not_overtake_who_becomes_ready_in_that_minute():
    clock = Clock()
    pool = Pool(clock, "crew", 1)
    order = []

    def again(claim):
        order.append("releaser")
        if clock.now == 0:
            clock.at(5, lambda: (claim.release(), pool.request(1, rank=9, who="releaser", granted=again)))

    def ready(claim):
        order.append("ready")
        claim.release()

    pool.request(1, rank=9, who="releaser", granted=again)
    clock.at(5, lambda: pool.request(1, rank=1, who="ready", granted=ready))
    clock.run(5)
    assert order == ["releaser", "ready", "releaser"]


def test_a_minute_in_which_only_a_stage_is_booked_is_visited():
    clock = Clock()
    seen = []
    clock.stage_at(30, Stage.COMMITTEE, lambda: seen.append(clock.now))
    clock.stage_at(30, Stage.COMMITTEE, lambda: clock.at(35, lambda: seen.append((clock.now, clock.env.now))))
    clock.run(100)
    assert seen == [30, (35, 35)]


def test_a_stage_may_be_booked_again_in_its_own_minute():
    clock = Clock()
    seen = []
    clock.stage_at(3, Stage.DEADLINE, lambda: clock.stage_at(3, Stage.COMMITTEE, lambda: seen.append(clock.now)))
    clock.run(3)
    assert seen == [3]


def test_what_is_cancelled_does_not_happen():
    clock = Clock()
    seen = []
    dated = clock.at(5, lambda: seen.append("dated"))
    booked = clock.stage_at(5, Stage.DEADLINE, lambda: seen.append("booked"))
    by_another = clock.stage_at(5, Stage.DEADLINE, lambda: seen.append("by another"), rank=2)
    clock.stage_at(5, Stage.DEADLINE, by_another.cancel, rank=1)
    assert dated.cancel()
    assert booked.cancel()
    assert not booked.cancel()
    clock.run(10)
    assert seen == []
    assert not by_another.pending


def test_minutes_for_which_everything_was_cancelled_are_not_visited():
    clock = Clock(events_a_run=50)
    for minute in range(1, 1_000):
        clock.stage_at(minute, Stage.DEADLINE, nothing).cancel()
    clock.run(2_000)
    assert clock.now == 2_000


# -- a run -------------------------------------------------------------------------------------------------------------


def test_the_last_minute_is_simulated_whole_and_a_later_run_goes_on():
    clock = Clock()
    seen = []
    for minute in (9, 10, 11):
        clock.at(minute, lambda minute=minute: seen.append(minute))
        clock.stage_at(minute, Stage.DEADLINE, lambda minute=minute: seen.append(-minute))
    clock.run(10)
    assert (seen, clock.now) == ([9, -9, 10, -10], 10)
    clock.run(20)
    assert (seen, clock.now) == ([9, -9, 10, -10, 11, -11], 20)


def test_what_is_asked_for_before_and_between_runs_is_handed_out_at_once():
    clock = Clock()
    pool = Pool(clock, "team", 2)
    granted = []
    pool.request(1, rank=0, who="before", granted=lambda claim: granted.append((clock.now, claim.who)))
    assert granted == []
    clock.run(10)
    pool.request(1, rank=0, who="between", granted=lambda claim: granted.append((clock.now, claim.who)))
    clock.run(20)
    assert granted == [(0, "before"), (10, "between")]


def test_time_stays_a_plain_int():
    clock = Clock()
    kinds = set()

    def sleeper():
        yield clock.wait(3, "sleeper", "nothing")
        kinds.add(type(clock.now))

    clock.process(sleeper(), "sleeper")
    clock.at(4, lambda: kinds.add(type(clock.now)))
    clock.stage_at(5, Stage.SHOCK, lambda: kinds.add(type(clock.now)))
    clock.run(9)
    assert kinds == {int}
    assert type(clock.now) is int


@pytest.mark.parametrize("minutes", [-1, 1.5, float("nan"), float("inf"), np.int64(3), True, None])
def test_impossible_times_are_refused(minutes):
    clock = Clock()
    clock.run(1)
    with pytest.raises(ModelError, match="site cannot wait"):
        clock.wait(minutes, "site", "negotiation")
    with pytest.raises(ModelError, match="cannot book minute"):
        clock.at(minutes, nothing)
    with pytest.raises(ModelError, match="cannot book minute"):
        clock.stage_at(minutes, Stage.SHOCK, nothing)
    with pytest.raises(ModelError, match="cannot run to minute"):
        clock.run(minutes)


def test_the_hand_out_stage_is_not_for_booking():
    with pytest.raises(ModelError, match="hand-outs are made by pools"):
        Clock().stage_at(1, Stage.HANDOUT, nothing)


def test_a_clock_does_not_run_within_itself():
    clock = Clock()
    clock.at(1, lambda: clock.run(5))
    with pytest.raises(ModelError, match="running already"):
        clock.run(2)


@pytest.mark.parametrize("collecting", [True, False])
@pytest.mark.parametrize("failing", [True, False])
def test_garbage_collection_is_off_within_and_restored(collecting, failing):
    clock = Clock()
    within = []
    clock.at(1, lambda: within.append(gc.isenabled()))
    if failing:
        clock.at(2, lambda: 1 / 0)
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        try:
            clock.run(3)
        except ZeroDivisionError:
            assert failing
        assert within == [False]
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()


# -- what goes wrong ---------------------------------------------------------------------------------------------------


class Particular(Exception):
    """Cannot be made from its arguments alone, so a copy of it cannot be raised."""

    def __init__(self, who: str, *, why: str) -> None:
        super().__init__(f"{who}: {why}")


def test_what_a_process_raises_is_raised_as_itself_from_where_it_was():
    clock = Clock()
    error = Particular("site", why="lost")

    def negotiation():
        yield clock.wait(5, "site", "negotiation")
        raise error

    clock.process(negotiation(), "site")
    with pytest.raises(Particular) as caught:
        clock.run(10)
    assert caught.value is error
    assert traceback.extract_tb(error.__traceback__)[-1].name == "negotiation"
    assert clock.now == 5


def test_nobody_who_waits_for_a_process_can_swallow_what_it_raises():
    clock = Clock()

    def child():
        yield clock.wait(1, "child", "work")
        raise Particular("child", why="broken")

    def parent(process):
        with contextlib.suppress(Particular):
            yield process

    clock.process(parent(clock.process(child(), "child")), "parent")
    with pytest.raises(Particular):
        clock.run(10)


def test_what_a_callback_raises_is_raised_as_itself_and_the_clock_is_over():
    clock = Clock()
    error = Particular("lot", why="lost")

    def break_down():
        raise error

    clock.at(3, break_down)
    with pytest.raises(Particular) as caught:
        clock.run(10)
    assert caught.value is error
    with pytest.raises(ModelError, match="stopped in an error"):
        clock.run(10)


def test_an_interrupt_from_the_keyboard_gets_through_a_process():
    clock = Clock()

    def pressed():
        yield clock.wait(1, "user", "patience")
        raise KeyboardInterrupt

    def bystander(process):
        try:
            yield process
        except KeyboardInterrupt:
            yield clock.wait(1, "bystander", "going on regardless")

    clock.process(bystander(clock.process(pressed(), "user")), "bystander")
    with pytest.raises(KeyboardInterrupt):
        clock.run(10)
    assert clock.now == 1


def test_a_process_that_never_lets_time_pass_is_named():
    clock = Clock(events_a_minute=500)

    def looper():
        yield clock.wait(3, "looper", "a start")
        while True:
            yield clock.wait(0, "looper", "nothing at all")

    clock.process(looper(), "looper")
    with pytest.raises(ModelError, match=r"500 events in minute 3.*looper \(nothing at all\)"):
        clock.run(10)


def test_work_that_never_lets_time_pass_is_named():
    clock = Clock(events_a_minute=500)

    def again(work):
        work.follow(0, "rework", again)

    Work(clock, minutes=0, cause="rework", who="burn-in", trail=origin(0, "x"), done=again).start()
    with pytest.raises(ModelError, match=r"burn-in \(rework\)"):
        clock.run(10)


def test_dated_callbacks_that_never_let_time_pass_are_named():
    clock = Clock(events_a_minute=500)

    def remind_again():
        clock.at(clock.now, remind_again)

    clock.at(2, remind_again)
    with pytest.raises(ModelError, match=r"events in minute 2.*remind_again"):
        clock.run(10)


def test_claims_that_go_in_circles_are_named():
    clock = Clock(events_a_minute=500)
    pool = Pool(clock, "crew", 1)

    def again(claim):
        claim.release()
        pool.request(1, rank=0, who="lot 7", granted=again)

    pool.request(1, rank=0, who="lot 7", granted=again)
    with pytest.raises(ModelError, match=r"minute 0 does not come to rest.*lot 7 \(crew\)"):
        clock.run(10)


def test_a_stage_that_goes_in_circles_is_named():
    clock = Clock(events_a_minute=500)

    def renew_for_ever():
        clock.stage_at(clock.now, Stage.DEADLINE, renew_for_ever)

    clock.stage_at(4, Stage.DEADLINE, renew_for_ever)
    with pytest.raises(ModelError, match=r"minute 4 does not come to rest.*renew_for_ever"):
        clock.run(10)


def test_a_run_has_a_budget_of_events():
    clock = Clock(events_a_run=1000)

    def ticking():
        while True:
            yield clock.wait(1, "ticker", "the next tick")

    clock.process(ticking(), "ticker")
    with pytest.raises(ModelError, match=r"1,000 events by minute \d+.*ticker \(the next tick\)"):
        clock.run(10**9)


def test_many_things_may_happen_in_one_minute():
    clock = Clock(events_a_minute=500)
    seen = []
    for minute in (1, 2, 3):
        for _ in range(400):
            clock.at(minute, lambda: seen.append(clock.now))
    clock.run(3)
    assert len(seen) == 1200


# -- the record, and the seams -----------------------------------------------------------------------------------------


def test_the_log_takes_rows_only_while_tracing():
    for tracing in (False, True):
        clock = Clock(EventLog(tracing))
        pool = Pool(clock, "crew", 1)

        def granted(claim, clock=clock):
            work = Work(clock, minutes=5, cause="bring_up", who="lot", trail=origin(0, "lot"), done=nothing)
            work.start()

        pool.request(1, rank=0, who="lot", granted=granted)
        clock.run(10)
        clock.log.add(10, "closed", "horizon")
        rows = [
            (0, "requested", "lot", "crew"), (0, "granted", "lot", "crew"), (0, "started", "lot", "bring_up"),
            (5, "ended", "lot", "bring_up"), (10, "closed", "horizon", ""),
        ]  # fmt: skip
        assert clock.log.rows == (rows if tracing else [])


def test_the_engine_uses_nothing_private_of_simpy():
    folder = Path(dcsim.engine.__file__).parent
    for path in folder.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(env|process|timeout|event)\._\w", source), path.name
