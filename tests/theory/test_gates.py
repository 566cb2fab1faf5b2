"""Gates (family `gate`): passing and failing, retries with and without a limit."""

from __future__ import annotations

from dcsim.engine.activity import Activity
from dcsim.engine.clock import Clock
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.trail import links, origin

DAY = 1_440


def test_megawatts_that_survive_diligence(oracle, replications):
    case = oracle("G1_compound_binomial")
    letters = list(zip(case.parameters["pass_prob"], case.parameters["mw"], strict=True))
    assert sum(mw for _, mw in letters) == case.parameters["total_loi_mw"]
    sums = []
    for draws in replications(10_000):
        clock = Clock()
        passed = []
        for number, (chance, mw) in enumerate(letters):
            outcome = draws.outcome(f"letter {number}", remedy=0.0, fail=1.0 - chance)
            ActivityNetwork(
                clock,
                [Activity("study", 30 * DAY, outcome=outcome)],
                finished=lambda trail, passed=passed, mw=mw: passed.append(mw),
                failed=lambda activity, trail: None,
            ).start(origin(0, "letter"))
        clock.run(30 * DAY)
        sums.append(sum(passed))
    case.mean("E MW", sums)
    for least in (500, 800, 1000, 1200):
        case.mean(f"P(MW>={least})", [total >= least for total in sums])
    case.mean("P(MW=0)", [total == 0 for total in sums])


def attempts_and_days(draws, chance, days, name="burn-in", limit=None):
    """(attempts, days) of a burn-in repeated until it passes, or has failed as often as the limit."""

    def outcome(rounds):
        if not draws.fails(name, chance, rounds):
            return "pass"
        return "fail" if rounds + 1 == limit else "remedy"

    clock = Clock()
    trails = []
    network = ActivityNetwork(
        clock,
        [Activity("burn-in", int(days * DAY), outcome=outcome, remedy_minutes=int(days * DAY))],
        finished=trails.append,
        failed=lambda activity, trail: trails.append(trail),
    )
    network.start(origin(0, "rack"))
    clock.run(10_000 * DAY)
    attempts = network.tasks["burn-in"].rounds + 1
    assert len(links(trails[0])) == attempts + 1  # each round is a link
    return attempts, trails[0].minute / DAY


def test_burn_in_until_it_passes(oracle, replications):
    case = oracle("G4_geometric_rework_constant")
    chance, days = case.parameters["p_fail"], case.parameters["days"]
    rows = [attempts_and_days(draws, chance, days) for draws in replications(10_000)]
    capped = [attempts_and_days(draws, chance, days, limit=3) for draws in replications(10_000)]
    case.mean("E attempts", [attempts for attempts, _ in rows])
    case.mean("E days", [spent for _, spent in rows])
    case.mean("P(one attempt)", [attempts == 1 for attempts, _ in rows])
    case.mean("P(attempts>3) (goes to RMA if max 3)", [attempts > 3 for attempts, _ in rows])
    case.mean("E days if capped at 3 attempts", [spent for _, spent in capped])


def test_a_pod_is_live_with_its_slowest_rack(oracle, replications):
    case = oracle("G6_max_of_geometrics")
    number, chance = case.parameters["n"], case.parameters["p_fail"]
    attempts = []
    for draws in replications(1_000):
        clock = Clock()
        trails = []

        def burn_in(rack, draws=draws):
            def outcome(rounds):
                return "remedy" if draws.fails(f"rack {rack}", chance, rounds) else "pass"

            return Activity(str(rack), DAY, outcome=outcome, remedy_minutes=DAY)

        racks = [burn_in(rack) for rack in range(number)]
        ActivityNetwork(clock, racks, finished=trails.append).start(origin(0, "pod"))
        clock.run(1_000 * DAY)
        attempts.append(trails[0].minute // DAY)
    case.mean("E max attempts", attempts)
    case.mean("P(max<=2)", [most <= 2 for most in attempts])
