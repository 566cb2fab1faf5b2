"""Queues (family `queue`, and Q6): waits before a team, batches of jobs for crews."""

from __future__ import annotations

import math

import pytest

from dcsim.engine.activity import Activity
from dcsim.engine.clock import Clock
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.pool import Pool
from dcsim.engine.trail import origin
from dcsim.engine.work import Work

WEEK, DAY = 10_080, 1_440


class Negotiator:
    """Letters arrive one after another, the first at once, and are negotiated by one team."""

    def __init__(self, draws, gap, service, customers):
        self.clock = Clock()
        self.team = Pool(self.clock, "deal", 1)
        self.draws, self.gap, self.service = draws, gap, service
        self.customers = customers
        self.arrived = 0
        self.served = 0
        self.waits = []
        self.arrive()
        self.clock.run(10_000 * WEEK)
        assert len(self.waits) == customers
        assert self.team.in_use == 0

    def arrive(self):
        self.team.request(1, rank=0, who="letter", granted=self.begin)
        self.arrived += 1
        if self.arrived < self.customers:
            self.clock.at(self.clock.now + self.draws.minutes(self.gap, self.arrived - 1), self.arrive)

    def begin(self, claim):
        self.waits.append((self.clock.now - claim.joined) / WEEK)
        minutes = self.draws.minutes(self.service, self.served)
        self.served += 1
        trail = origin(self.clock.now, "letter")
        work = Work(
            self.clock, minutes=minutes, cause="negotiation", who="letter", trail=trail, done=lambda _: claim.release()
        )
        work.start()


def test_waits_before_one_negotiator(oracle, replications, law):
    case = oracle("Q1_mm1_from_empty")
    gap = law("gap", "exponential", 7.0, mean=1 / case.parameters["arrival_rate_per_week"])
    service = law("service", "exponential", 7.0, mean=1 / case.parameters["service_rate_per_week"])
    customers = case.parameters["customers"]
    waits = [Negotiator(draws, gap, service, customers).waits for draws in replications(1000)]
    for number in (2, 10, 50):
        case.mean(f"W_{number}", [row[number - 1] for row in waits])
    case.mean("mean of W_1..W_50", [sum(row) / customers for row in waits])
    case.mean("P(W_2=0)", [row[1] == 0 for row in waits])
    assert all(row[0] == 0 for row in waits)


def test_waits_when_negotiations_vary_less(oracle, replications, law):
    case = oracle("Q3_mg1_erlang2")
    gap = law("gap", "exponential", 7.0, mean=1 / case.parameters["arrival_rate_per_week"])
    service = law("service", "erlang", 7.0, k=2, mean=1.0)
    waits = [Negotiator(draws, gap, service, 50).waits for draws in replications(1000)]
    for number in (10, 50):
        case.mean(f"W_{number}", [row[number - 1] for row in waits])


def batch(crews, minutes):
    """(start, end) in days of each job, all there at once."""
    clock = Clock()
    pool = Pool(clock, "crews", crews)
    jobs = [Activity(str(place), each, pool=pool, rank=place) for place, each in enumerate(minutes)]
    ends = []
    network = ActivityNetwork(clock, jobs, finished=ends.append)
    network.start(origin(0, "batch"))
    clock.run(1_000 * DAY)
    assert len(ends) == 1
    return [(record.start / DAY, record.end / DAY) for record in network.records()]


def test_a_batch_of_jobs_for_a_few_crews(oracle, replications, law):
    case = oracle("Q5_batch_crews")
    jobs, mean = case.parameters["jobs"], case.parameters["mean_days"]
    work = law("work", "exponential", mean=mean)
    expected = case.case["monotonicity"]["crews->E[makespan]"]
    makespans = {int(crews): [] for crews in expected}
    first, sixth, starts = [], [], []
    for draws in replications(2000):
        minutes = [draws.minutes(work, k) for k in range(jobs)]
        for crews, values in makespans.items():
            times = batch(crews, minutes)
            ends = sorted(end for _, end in times)
            values.append(ends[-1])
            if crews == case.parameters["crews"]:
                first.append(ends[0])
                sixth.append(ends[5])
                starts.append(sum(start for start, _ in times) / jobs)
    case.mean("makespan", makespans[3])
    case.mean("1st completion", first)
    case.mean("6th completion", sixth)
    case.mean("mean start (wait) over 12 jobs", starts)
    case.mean("makespan with 12 crews = max of 12", makespans[12])
    case.mean("makespan with 1 crew", makespans[1])
    for crews, values in makespans.items():  # a sum of exponentials at the rates min(crews, jobs left) / mean
        sd = math.sqrt(sum((mean / min(crews, left)) ** 2 for left in range(1, jobs + 1)))
        tolerance = 4.5 * sd / math.sqrt(len(values))
        assert sum(values) / len(values) == pytest.approx(expected[str(crews)], abs=tolerance), crews


def test_a_batch_of_equal_jobs(oracle):
    case = oracle("Q6_batch_crews_deterministic")
    jobs, crews, days = (case.parameters[name] for name in ("jobs", "crews", "days"))
    times = batch(crews, [int(days * DAY)] * jobs)
    ends = sorted(end for _, end in times)
    case.exactly("makespan", ends[-1])
    case.exactly("completion times multiset", ends)
    area = sum(
        (later - now) * sum(end > now for end in ends) for now, later in zip([0.0, *ends], ends, strict=False)
    )  # all are there from the start
    case.exactly("area under number-in-system (Little)", area)
    case.exactly("sum of sojourn times (Little)", sum(ends))
    busy = sum(end - start for start, end in times)
    case.exactly("crew utilisation over the makespan", busy / (crews * ends[-1]))
