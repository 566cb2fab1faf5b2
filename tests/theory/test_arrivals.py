"""Arrivals (family `arrival`): deliveries, shipments with dead racks, and the pipeline of repairs."""

from __future__ import annotations

from dcsim.engine.clock import Clock
from dcsim.engine.pool import Pool
from dcsim.engine.trail import origin
from dcsim.engine.work import Work

WEEK, DAY, MONTH = 10_080, 1_440, 43_830


def arrivals(clock, draws, gap, arrive):
    """Call `arrive(k)` at the k-th arrival, the first one gap after the start."""

    def next_one(k=0):
        clock.at(clock.now + draws.minutes(gap, k), lambda: (arrive(k), next_one(k + 1)))

    next_one()


def test_deliveries_with_erlang_gaps(oracle, replications, law):
    case = oracle("A1_erlang_renewal")
    gap = law("gap", "erlang", 7.0, k=2, mean=4.0)
    counts = []
    for draws in replications(10_000):
        clock = Clock()
        delivered = []
        arrivals(clock, draws, gap, delivered.append)
        clock.run(case.parameters["t"] * WEEK)
        counts.append(len(delivered))
    case.mean("E deliveries by 24", counts)
    case.mean("P(N=6)", [count == 6 for count in counts])
    case.mean("P(N=0)", [count == 0 for count in counts])


def test_a_delivery_in_the_last_minute_counts():
    clock = Clock()
    seen = []
    clock.at(24 * WEEK, lambda: seen.append(clock.now))
    clock.run(24 * WEEK)
    assert len(seen) == 1


def test_shipments_of_random_size_some_racks_dead_on_arrival(oracle, replications, law):
    case = oracle("A3_compound_poisson_thinned")
    gap = law("gap", "exponential", MONTH / DAY, mean=1 / case.parameters["rate"])
    sizes, chances = case.parameters["sizes"], case.parameters["probs"]
    chips, dead, none_at_first = [], [], []
    for draws in replications(5_000):
        clock = Clock()
        shipments = []

        def arrive(k, clock=clock, draws=draws, shipments=shipments):
            u = draws.uniform("size", k)
            size = sizes[(u >= chances[0]) + (u >= chances[0] + chances[1])]
            shipments.append((clock.now, size, draws.binomial("dead", size, case.parameters["doa"], k)))

        arrivals(clock, draws, gap, arrive)
        clock.run(int(case.parameters["T"]) * MONTH)
        chips.append(sum(size for _, size, _ in shipments))
        dead.append(sum(count for _, _, count in shipments))
        none_at_first.append(not shipments or shipments[0][0] > MONTH)
    case.mean("E chips", chips)
    case.mean("E DOA", dead)
    case.mean("P(no shipment in first month)", none_at_first)


def test_racks_in_repair_whatever_the_law_of_the_turnaround(oracle, replications, law):
    case = oracle("A5_rma_pipeline_mginf")
    rate, mean, day = (case.parameters[name] for name in ("rate", "mean", "t"))
    gap = law("gap", "exponential", mean=1 / rate)
    turnarounds = {
        "constant 20": None,
        "exponential": law("turnaround", "exponential", mean=mean),
        "U(0,40)": law("turnaround", "uniform", low=0, high=2 * mean),
    }
    for name, turnaround in turnarounds.items():
        in_repair = []
        for draws in replications(1_000):
            clock = Clock()
            repairs = Pool(clock, "repairs", None)

            def fail(k, clock=clock, repairs=repairs, draws=draws, turnaround=turnaround):
                minutes = mean * DAY if turnaround is None else draws.minutes(turnaround, k)

                def send(claim):
                    Work(
                        clock, minutes=minutes, cause="repair", who="rack", trail=origin(clock.now, "rack"),
                        done=lambda _: claim.release(),
                    ).start()  # fmt: skip

                repairs.request(1, rank=k, who="rack", granted=send)

            arrivals(clock, draws, gap, fail)
            clock.run(day * DAY)
            in_repair.append(repairs.in_use)
        case.mean(f"E in RMA day 30, {name}", in_repair)
