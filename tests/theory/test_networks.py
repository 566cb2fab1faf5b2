"""Activity networks (family `network`) without contention, and Graham's anomaly (N11), which pins the hand-out."""

from __future__ import annotations

import pytest

from dcsim.engine.activity import Activity
from dcsim.engine.clock import Clock
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.pool import Pool
from dcsim.engine.trail import days_by_cause, origin

MONTH, DAY = 43_830, 1_440
DAYS_A_MONTH = MONTH / DAY
ENOUGH = 10_000 * MONTH
R = 10_000


def run(activities):
    """The finished network and its trail."""
    clock = Clock()
    trails = []
    network = ActivityNetwork(clock, activities, finished=trails.append)
    network.start(origin(0, "site"))
    clock.run(ENOUGH)
    return network, trails[0]


def ends(network, unit):
    return [record.end / unit for record in network.records()]


def test_four_stages_in_series(oracle, replications, law):
    case = oracle("N1_hypoexponential")
    names = ["diligence", "lease", "financing", "energisation"]
    stages = [
        law(name, "exponential", DAYS_A_MONTH, mean=mean)
        for name, mean in zip(names, case.parameters["mean_months"], strict=True)
    ]
    totals = []
    for draws in replications(R):
        activities = [
            Activity(name, draws.minutes(stage), after=tuple(names[place - 1 : place]))
            for place, (name, stage) in enumerate(zip(names, stages, strict=True))
        ]
        totals.append(run(activities)[1].minute / MONTH)
    case.mean("mean", totals)
    for quantile, name in (("q10", "6.2194111581"), ("q50", "13.4983920280"), ("q90", "25.6967080889")):
        at_most = case.case["true_quantiles"][quantile]
        case.mean(f"P(T<={name}) (true {quantile})", [total <= at_most for total in totals])
    case.mean("P(T<=24 months)", [total <= 24 for total in totals])


def parallel(stage, number, draws):
    """The ends of so many activities side by side, in order, in months."""
    network, trail = run([Activity(str(k), draws.minutes(stage, k)) for k in range(number)])
    sorted_ends = sorted(ends(network, MONTH))
    assert trail.minute / MONTH == sorted_ends[-1]
    return sorted_ends


def test_the_first_the_fifth_and_the_last_of_eight_sites(oracle, replications, law):
    case = oracle("N3_max_of_exponentials")
    stage = law("site", "exponential", DAYS_A_MONTH, mean=case.parameters["mean"])
    rows = [parallel(stage, case.parameters["n"], draws) for draws in replications(R)]
    case.mean("E max", [row[-1] for row in rows])
    case.mean("E min", [row[0] for row in rows])
    case.mean("E 5th of 8", [row[4] for row in rows])
    case.mean("P(max<=26.0183200447)", [row[-1] <= 26.0183200447 for row in rows])
    case.mean("P(max<=12)", [row[-1] <= 12 for row in rows])


def test_order_statistics_of_uniform_durations(oracle, replications, law):
    case = oracle("N4_uniform_order")
    stage = law("site", "uniform", DAYS_A_MONTH, low=case.parameters["low"], high=case.parameters["high"])
    rows = [parallel(stage, case.parameters["n"], draws) for draws in replications(R)]
    case.mean("E max", [row[-1] for row in rows])
    case.mean("E median (5th)", [row[4] for row in rows])
    case.mean("E min", [row[0] for row in rows])


def test_the_smallest_network_that_is_not_series_parallel(oracle, replications, law):
    case = oracle("N5_wheatstone_iid")
    arcs = [(arc["frm"], arc["to"]) for arc in case.parameters["arcs"]]
    unit = 1_000.0  # days, so that rounding to minutes is nothing
    laws = {arc: law(f"arc {arc}", "exponential", unit, mean=1.0) for arc in arcs}
    totals = []
    for draws in replications(R):
        activities = [
            Activity(
                f"{frm}-{to}",
                draws.minutes(laws[frm, to]),
                after=tuple(f"{before}-{node}" for before, node in arcs if node == frm),
            )
            for frm, to in arcs
        ]
        totals.append(run(activities)[1].minute / (unit * DAY))
    case.mean("E completion", totals)
    case.variance("Var completion", totals)
    case.above("CPM on means (must be strictly smaller: Fulkerson/Jensen)", totals)


def test_three_activities_in_series_by_pert_and_triangular(oracle, replications, law):
    case = oracle("N9_pert_triangular_series")
    names = ["a", "b", "c"]
    totals = {"pert": [], "triangular": []}
    first = []
    for family, values in totals.items():
        stages = [law(f"{family} {name}", family, 30.0, **case.parameters) for name in names]
        for draws in replications(R):
            activities = [
                Activity(name, draws.minutes(stage), after=tuple(names[place - 1 : place]))
                for place, (name, stage) in enumerate(zip(names, stages, strict=True))
            ]
            network, trail = run(activities)
            values.append(trail.minute / (30 * DAY))
            if family == "pert":
                first.append(ends(network, 30 * DAY)[0])
    case.mean("E PERT sum", totals["pert"])
    case.mean("E triangular sum", totals["triangular"])
    case.variance("Var one PERT", first)


def test_live_when_energised_and_chips_are_there(oracle, replications, law):
    case = oracle("N10_join_energise_chips")
    grid, chips = (
        law(name, "exponential", DAYS_A_MONTH, mean=mean)
        for name, mean in zip(("grid", "chips"), case.parameters["means"], strict=True)
    )
    live, binding, idle = [], [], []
    for draws in replications(R):
        network, trail = run(
            [
                Activity("grid", draws.minutes(grid), cause="grid"),
                Activity("chips", draws.minutes(chips), cause="chips"),
                Activity("live", 0, after=("grid", "chips")),
            ]
        )
        energised, delivered, _ = ends(network, MONTH)
        live.append(trail.minute / MONTH)
        binding.append("chips" in days_by_cause(trail))
        idle.append(max(0.0, delivered - energised))
    case.mean("E live", live)
    case.mean("P(chips are the binding constraint)", binding)
    case.mean("E idle energised capacity time (chips late)", idle)


def graham(parameters, crews, less=0, without=()):
    """The schedule of Graham's tasks: by name, (start, end)."""
    clock = Clock()
    pool = Pool(clock, "crews", crews)
    tasks = [
        Activity(
            name,
            minutes - less,
            after=tuple(before for before in parameters["precedence"].get(name, ()) if (before, name) not in without),
            pool=pool,
            priority=place,
        )
        for place, (name, minutes) in enumerate(zip(parameters["list_order"], parameters["times"], strict=True), 1)
    ]
    network = ActivityNetwork(clock, tasks, finished=lambda trail: None)
    network.start(origin(0, "Graham"))
    clock.run(100)
    return {record.name: [record.start, record.end] for record in network.records()}


def makespan(schedule):
    return max(end for _, end in schedule.values())


def test_more_crews_shorter_tasks_and_fewer_precedences_can_finish_later(oracle):
    case = oracle("N11_graham_anomaly")
    three, four = graham(case.parameters, 3), graham(case.parameters, 4)
    assert three == case.case["schedule_3_crews"]
    assert four == case.case["schedule_4_crews"]
    case.exactly("makespan 3 crews", makespan(three))
    case.exactly("makespan 4 crews", makespan(four))
    case.exactly("makespan 3 crews, all times-1", makespan(graham(case.parameters, 3, less=1)))
    loosened = graham(case.parameters, 3, without=(("T4", "T5"), ("T4", "T6")))
    case.exactly("makespan 3 crews without T4->T5,T4->T6", makespan(loosened))


@pytest.mark.parametrize("offset", [1, 777])
def test_the_anomaly_is_the_same_at_any_start(offset):
    clock = Clock()
    pool = Pool(clock, "crews", 3)
    times = (3, 2, 2, 2, 4, 4, 4, 4, 9)
    after = {9: (1,), 5: (4,), 6: (4,), 7: (4,), 8: (4,)}
    tasks = [
        Activity(str(n), minutes, tuple(map(str, after.get(n, ()))), pool=pool, priority=n)
        for n, minutes in enumerate(times, 1)
    ]
    ended = []
    network = ActivityNetwork(clock, tasks, finished=lambda trail: ended.append(clock.now))
    clock.at(offset, lambda: network.start(origin(offset, "Graham")))
    clock.run(offset + 100)
    assert ended == [offset + 12]
