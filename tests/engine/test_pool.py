"""Pools: the strict queue, what may be given back, changes of capacity, and that nothing is lost or made."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dcsim.engine.pool
from dcsim.engine.audit import audit
from dcsim.engine.clock import Clock, Stage
from dcsim.engine.pool import Pool
from dcsim.errors import ModelError


class Book:
    """Who was granted what, and when."""

    def __init__(self, clock):
        self.clock = clock
        self.rows = []

    def note(self, claim):
        self.rows.append((self.clock.now, claim.who))

    @property
    def names(self):
        return [name for _, name in self.rows]


def start(capacity=1):
    clock = Clock()
    return clock, Pool(clock, "team", capacity), Book(clock)


def test_the_queue_goes_by_priority_then_minute_then_rank_then_order():
    clock, pool, book = start(0)

    def ask(who, rank, priority=0):
        pool.request(1, rank=rank, priority=priority, who=who, granted=book.note)

    ask("e", rank=5)
    ask("f", rank=5)
    ask("d", rank=4)
    clock.at(1, lambda: ask("g", rank=0))
    clock.at(2, lambda: ask("a", rank=9, priority=-1))
    clock.at(3, lambda: ask("z", rank=0, priority=1))
    clock.at(4, lambda: pool.set_capacity(None))
    clock.run(4)
    assert "".join(book.names) == "adefgz"


def test_who_stands_first_and_does_not_fit_blocks_the_rest():
    clock, pool, book = start(10)
    holder = pool.request(6, rank=0, who="holder", granted=book.note)
    pool.request(5, rank=1, who="large", granted=book.note)
    pool.request(1, rank=2, who="small", granted=book.note)
    clock.at(3, lambda: holder.release(1))
    clock.run(5)
    assert book.rows == [(0, "holder"), (3, "large")]
    assert (pool.in_use, pool.available, pool.queue_length) == (10, 0, 1)


def test_nothing_is_granted_within_the_call():
    clock, pool, book = start(1)
    claim = pool.request(1, rank=0, who="a", granted=book.note)
    assert claim.waiting
    assert book.rows == []
    clock.run(0)
    assert not claim.waiting
    assert book.rows == [(0, "a")]


def test_pools_hand_out_in_the_order_in_which_they_were_made():
    clock = Clock()
    book = Book(clock)
    pools = [Pool(clock, name, 1) for name in "abc"]
    for pool in reversed(pools):
        pool.request(1, rank=0, who=pool.name, granted=book.note)
    clock.run(0)
    assert book.names == ["a", "b", "c"]


def test_what_a_taker_does_at_once_does_not_enter_the_hand_out_of_its_round():
    clock = Clock()
    first, second = Pool(clock, "first", 1), Pool(clock, "second", 1)
    book = Book(clock)

    def take(claim):
        book.note(claim)
        second.request(1, rank=0, priority=-9, who="pushing in", granted=book.note)

    first.request(1, rank=0, who="taker", granted=take)
    second.request(1, rank=5, who="there before", granted=book.note)
    clock.run(0)
    assert book.names == ["taker", "there before"]


def test_a_claim_cancelled_by_another_taker_in_its_round_gives_back_and_hears_nothing():
    clock, pool, book = start(2)
    claims = {}

    def take(claim):
        book.note(claim)
        claims["victim"].cancel()

    pool.request(1, rank=0, who="taker", granted=take)
    claims["victim"] = pool.request(1, rank=1, who="victim", granted=book.note)
    pool.request(1, rank=2, who="next", granted=book.note)
    clock.run(0)
    assert book.names == ["taker", "next"]
    assert claims["victim"].status == "done"
    assert pool.in_use == 2


def test_part_may_be_given_back_and_no_more_than_is_held():
    clock, pool, book = start(1_000)
    claim = pool.request(700, rank=0, who="reserve", granted=book.note)
    clock.run(0)
    claim.release(200)
    assert (claim.held, claim.status, pool.available) == (500, "held", 500)
    for amount in (501, -1, 1.0, True):
        with pytest.raises(ModelError, match=f"reserve cannot release {amount}"):
            claim.release(amount)
    claim.release()
    assert (claim.held, claim.status, pool.in_use) == (0, "done", 0)
    with pytest.raises(ModelError, match="its claim is done"):
        claim.release()
    claim.cancel()
    assert pool.in_use == 0


def test_waiting_claims_cannot_release_and_may_leave():
    clock, pool, book = start(1)
    holder = pool.request(1, rank=0, who="holder", granted=book.note)
    waiter = pool.request(1, rank=1, who="waiter", granted=book.note)
    clock.run(0)
    with pytest.raises(ModelError, match="its claim is waiting"):
        waiter.release()
    assert not holder.withdraw()
    assert waiter.withdraw()
    assert not waiter.withdraw()
    waiter.cancel()
    holder.release()
    clock.run(1)
    assert book.names == ["holder"]
    assert (pool.in_use, pool.queue_length) == (0, 0)


def test_the_first_leaving_lets_the_next_in():
    clock, pool, book = start(10)
    pool.request(6, rank=0, who="holder", granted=book.note)
    large = pool.request(5, rank=1, who="large", granted=book.note)
    pool.request(4, rank=2, who="small", granted=book.note)
    clock.at(7, large.withdraw)
    clock.run(9)
    assert book.rows == [(0, "holder"), (7, "small")]


def test_amounts_may_be_dollars_of_any_size_and_none():
    clock, pool, book = start(10**13)
    pool.request(10**13 - 1, rank=0, who="almost all", granted=book.note)
    pool.request(1, rank=1, who="the last dollar", granted=book.note)
    pool.request(0, rank=2, who="nothing", granted=book.note)
    pool.request(1, rank=3, who="too much", granted=book.note)
    clock.run(0)
    assert book.names == ["almost all", "the last dollar", "nothing"]
    assert pool.in_use == 10**13


def test_a_request_beyond_the_capacity_waits_for_it_to_grow():
    clock, pool, book = start(3)
    pool.request(5, rank=0, who="large", granted=book.note)
    clock.at(8, lambda: pool.set_capacity(5))
    clock.run(9)
    assert book.rows == [(8, "large")]


def test_a_lower_capacity_takes_nothing_away_and_grants_nothing():
    clock, pool, book = start(3)
    claims = [pool.request(1, rank=0, who=f"h{i}", granted=book.note) for i in range(3)]
    clock.run(0)
    pool.set_capacity(1)
    pool.request(0, rank=0, who="none", granted=book.note)
    pool.request(1, rank=0, who="new", granted=book.note)
    clock.at(5, claims[0].release)
    clock.at(6, claims[1].release)
    clock.at(7, claims[2].release)
    clock.run(8)
    assert book.rows[3:] == [(6, "none"), (7, "new")]
    assert (pool.in_use, pool.available) == (1, 0)


def test_an_unlimited_pool_grants_all_in_order():
    clock, pool, book = start(None)
    for who in "abc":
        pool.request(10**9, rank=0, who=who, granted=book.note)
    clock.run(0)
    assert book.names == ["a", "b", "c"]
    assert pool.available is None


@pytest.mark.parametrize("amount", [-1, 1.0, float("nan"), np.int64(1), True, None])
def test_amounts_are_plain_whole_numbers(amount):
    clock, pool, book = start()
    with pytest.raises(ModelError, match="cannot request"):
        pool.request(amount, rank=0, who="w", granted=book.note)
    if amount is not None:
        with pytest.raises(ModelError, match="cannot have the capacity"):
            Pool(clock, "odd", amount)
        with pytest.raises(ModelError, match="cannot have the capacity"):
            pool.set_capacity(amount)


def test_a_process_acquires_and_goes_on_when_struck():
    clock, pool, _ = start(1)
    seen = []

    def site(name, patience):
        claim = pool.acquire(1, rank=0, who=name)
        clock.stage_at(patience, Stage.DEADLINE, claim.withdraw)
        yield claim.event
        seen.append((clock.now, name, claim.status))
        if claim.status == "held":
            yield clock.wait(50, name, "work")
            claim.release()

    for name, patience in (("a", 100), ("b", 50), ("c", 60), ("d", 99)):
        clock.process(site(name, patience), name)
    clock.run(200)
    assert seen == [(0, "a", "held"), (50, "b", "held"), (60, "c", "cancelled"), (99, "d", "cancelled")]
    assert audit(clock, [pool]) == []


# -- effort ------------------------------------------------------------------------------------------------------------


class Counted(int):
    """A rank that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other):
        Counted.comparisons += 1
        return int(self) == int(other)

    def __lt__(self, other):
        Counted.comparisons += 1
        return int(self) < int(other)

    __hash__ = int.__hash__


def lines_run(action):
    """How many lines of the pool's own code the action runs."""
    count = 0
    path = dcsim.engine.pool.__file__

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename != path:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def effort(waiters):
    """(lines run, comparisons) for so many claims to queue, half to leave, and the rest to be served one by one."""
    clock, pool, _ = start(1)
    served = []

    def serve(claim):
        served.append(claim.who)
        clock.at(clock.now + 1, claim.release)

    Counted.comparisons = 0

    def everything():
        claims = [pool.request(1, rank=Counted(waiters - i), who=str(i), granted=serve) for i in range(waiters)]
        clock.run(0)
        for claim in claims[: waiters // 2]:
            assert claim.withdraw()
        clock.run(waiters)

    lines = lines_run(everything)
    assert len(served) == waiters - waiters // 2
    return lines, Counted.comparisons


def test_ten_thousand_waiters_cost_a_hundred_and_some_times_a_hundred():
    few_lines, few_comparisons = effort(100)
    many_lines, many_comparisons = effort(10_000)
    assert many_lines < 1.3 * 100 * few_lines
    assert many_comparisons < 4 * 100 * few_comparisons  # n log n: the logarithm doubles, and heaps vary


# -- nothing is lost or made -------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("request"), st.integers(0, 6), st.integers(-1, 1), st.integers(0, 2)),
        st.tuples(st.just("release"), st.integers(0, 30), st.integers(0, 6)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("withdraw"), st.integers(0, 30)),
        st.tuples(st.just("capacity"), st.one_of(st.none(), st.integers(0, 12))),
        st.tuples(st.just("pass"), st.integers(1, 5)),
    ),
    max_size=60,
)


class SlowQueue:
    """The same rules, by sorting everything every time."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.waiting = []  # [priority, minute, rank, number, amount]
        self.held = {}

    def settle(self):
        granted = []
        for entry in sorted(self.waiting):
            if self.capacity is not None and sum(self.held.values()) + entry[4] > self.capacity:
                break
            self.waiting.remove(entry)
            self.held[entry[3]] = entry[4]
            granted.append(entry[3])
        return granted


@settings(max_examples=150, deadline=None)
@given(STEPS, st.one_of(st.none(), st.integers(0, 10)))
def test_any_sequence_of_steps_is_handed_out_as_by_sorting_and_keeps_the_books(steps, capacity):
    clock = Clock()
    pool = Pool(clock, "team", capacity)
    slow = SlowQueue(capacity)
    claims, granted, expected = [], [], []

    def settle():
        expected.extend(slow.settle())
        clock.run(clock.now + 1)

    for step in steps:
        if step[0] == "request":
            _, amount, priority, rank = step
            number = len(claims)
            claims.append(pool.request(amount, rank=rank, priority=priority, who=str(number), granted=granted.append))
            slow.waiting.append([priority, clock.now, rank, number, amount])
        elif step[0] == "capacity":
            pool.set_capacity(step[1])
            slow.capacity = step[1]
        elif step[0] == "pass":
            settle()
            clock.run(clock.now + step[1])
        elif claims:
            number = step[1] % len(claims)
            claim = claims[number]
            if step[0] == "release":
                amount = min(step[2], claim.held)
                if claim.status == "held":
                    claim.release(amount)
                    slow.held[number] -= amount
                    if not slow.held[number]:
                        del slow.held[number]
            elif step[0] == "cancel" or claim.status == "waiting":
                getattr(claim, step[0])()
                slow.held.pop(number, None)
                slow.waiting = [entry for entry in slow.waiting if entry[3] != number]
        assert pool.in_use == sum(claim.held for claim in claims) == sum(slow.held.values())
        assert all(claim.held >= 0 for claim in claims)
        assert set(pool.holders) == {claim for claim in claims if claim.status == "held"}
    settle()
    assert [int(claim.who) for claim in granted] == expected
    assert pool.queue_length == len(slow.waiting) == len(audit(clock, [pool]))


# -- the audit ---------------------------------------------------------------------------------------------------------


def test_the_audit_names_who_waits_for_what():
    clock, pool, book = start(1)
    limit = Pool(clock, "limit", 100)
    pool.request(1, rank=0, who="holder", granted=book.note)
    pool.request(1, rank=2, who="b", granted=book.note)
    pool.request(1, rank=1, who="a", granted=book.note)
    limit.request(150, rank=0, who="large", granted=book.note)

    def sleeper():
        yield clock.wait(50, "s", "negotiation")

    def listener():
        yield clock.event("an answer")

    child = clock.process(sleeper(), "sleeper")

    def parent():
        yield child

    def acquirer():
        yield pool.acquire(1, rank=3, who="process").event

    def over():
        yield clock.wait(1, "over", "work")

    for name, generator in (("listener", listener()), ("parent", parent()), ("acquirer", acquirer()), ("over", over())):
        clock.process(generator, name)
    clock.run(10)
    assert audit(clock, [pool, limit]) == [
        ("a", "team"), ("b", "team"), ("process", "team"), ("large", "150 of limit"), ("sleeper", "negotiation"),
        ("listener", "an answer"), ("parent", "sleeper"), ("acquirer", "team"),
    ]  # fmt: skip


def test_the_audit_refuses_what_has_no_name():
    clock, pool, book = start(0)
    pool.request(1, rank=0, who="", granted=book.note)
    clock.run(1)
    with pytest.raises(ModelError, match="without a name waits for team"):
        audit(clock, [pool])

    clock, pool, book = start(1)
    pool.request(1, rank=0, who="", granted=book.note)
    clock.run(1)
    with pytest.raises(ModelError, match="team: 1 held by nobody who has a name"):
        audit(clock, [pool])

    clock = Clock()

    def starved():
        yield clock.event()

    clock.process(starved(), "starved")
    clock.run(1)
    with pytest.raises(ModelError, match="starved waits for something that has no name"):
        audit(clock, [])


def test_the_audit_refuses_books_that_do_not_add_up():
    clock, pool, book = start(5)
    claim = pool.request(2, rank=0, who="holder", granted=book.note)
    clock.run(0)
    pool.in_use += 1
    with pytest.raises(ModelError, match="3 in use, but its holders hold 2"):
        audit(clock, [pool])
    pool.in_use -= 1
    audit(clock, [pool])
    claim.release()
    pool.request(1, rank=0, who="late", granted=book.note)
    with pytest.raises(ModelError, match="not handed out since"):
        audit(clock, [pool])


def test_joining_behind_others_at_rest_asks_for_no_hand_out():
    clock, pool, book = start(0)
    pool.request(1, rank=5, who="first", granted=book.note)
    clock.run(0)
    pool.request(1, rank=6, who="behind", granted=book.note)
    assert clock.dirty == []
    pool.request(1, rank=4, who="before", granted=book.note)
    assert clock.dirty == [pool]


def test_withdrawn_claims_do_not_pile_up():
    _, pool, book = start(0)
    for i in range(5_000):
        pool.request(1, rank=i, who=str(i), granted=book.note).withdraw()
    assert len(pool.queue) < 200
    assert pool.queue_length == 0
