"""Queues, networks and gates with known answers, written as an analyst would write them.

Expected values, standard deviations and tolerances (4.5 standard errors at 1,000 replications) are those of
`tests/data/theory_cases.json`; the derivations are given there.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import DAY, Runner

CASES = {
    case["id"].partition("_")[0]: case
    for case in json.loads((Path(__file__).parents[1] / "data" / "theory_cases.json").read_text())["cases"]
}
R = 1000
MONTH = 30.4375
TWENTY_YEARS = "horizon: 2046-12-31"


def check(case, name, sample):
    """The mean of a sample (of truths: their share) against the expected value."""
    metric = next(m for m in CASES[case]["metrics"] if m["name"] == name)
    assert len(sample) == R
    assert abs(np.mean(sample) - metric["expected"]) <= metric["tolerance"][f"R={R}"], name


def check_variance(expected, sample):
    deviations = (np.asarray(sample) - np.mean(sample)) ** 2
    error = np.sqrt((np.mean(deviations**2) - np.mean(deviations) ** 2) / len(sample))
    assert abs(np.var(sample, ddof=1) - expected) <= 4.5 * error


def sample(*texts, milestone, luck=None):
    """Days of a milestone of every site (or phase): shape (replications, sites), missing ones infinite."""
    runner = Runner(*texts, luck=luck)
    sites = list(runner.scenario.spec.sites)
    out = np.full((R, len(sites)), np.inf)
    for r in range(R):
        for _, site, _, lot, name, minute in runner.run(r, trace=False).history.milestones:
            if name == milestone and lot is None:
                out[r, sites.index(site)] = minute / DAY
    return out


def sites(n, text="{}"):
    return f"sites: {{{', '.join(f's{i + 1}: {text}' for i in range(n))}}}"


# Networks.


def test_n1_four_stages_in_series():
    days = sample(TWENTY_YEARS, """
    parties: {lab: {rating: A}, bank: {lending: {closing: {exponential: {mean: 6, unit: months}}}}}
    sites:
      a:
        diligence: {x: {duration: {exponential: {mean: 3, unit: months}}}}
        negotiation: {duration: {exponential: {mean: 2, unit: months}}}
        financing: {lenders: bank, cost: $10m/MW, after: lease_signed}
        construction: {grid: [{share: 1, after: financial_close, delay: {exponential: {mean: 4, unit: months}}}]}
    """, milestone="energised")[:, 0]
    months = days / MONTH
    check("N1", "mean", months)
    for metric in CASES["N1"]["metrics"]:
        if metric["name"].startswith("P("):
            limit = float(metric["name"].split("<=")[1].split(")")[0].removesuffix(" months"))
            check("N1", metric["name"], months <= limit)


def test_n3_a_programme_is_done_when_its_last_site_is():
    days = sample(TWENTY_YEARS, sites(8, "{negotiation: {duration: {exponential: {mean: 6, unit: months}}}}"),
                  milestone="lease_signed")  # fmt: skip
    months = np.sort(days / MONTH, axis=1)
    check("N3", "E min", months[:, 0])
    check("N3", "E 5th of 8", months[:, 4])
    check("N3", "E max", months[:, 7])
    check("N3", "P(max<=12)", months[:, 7] <= 12)
    check("N3", "P(max<=26.0183200447)", months[:, 7] <= 26.0183200447)


def test_n4_order_statistics():
    days = sample(sites(9, "{negotiation: {duration: {uniform: {low: 10, high: 20, unit: months}}}}"),
                  milestone="lease_signed")  # fmt: skip
    months = np.sort(days / MONTH, axis=1)
    check("N4", "E min", months[:, 0])
    check("N4", "E median (5th)", months[:, 4])
    check("N4", "E max", months[:, 8])


def test_n5_the_bridge():
    days = sample("""
    defaults: {workstream: {duration: {exponential: {mean: 10}}}}
    sites:
      a:
        diligence: {prep: {}, study: {}, handoff: {after: prep}, build: {after: prep}, sub: {after: [study, handoff]}}
    """, milestone="diligence_complete")[:, 0] / 10  # fmt: skip
    check("N5", "E completion", days)
    check_variance(1663 / 576, days)
    assert np.mean(days) > 3  # later than the plan at means


@pytest.mark.parametrize(("law", "name"), [("pert", "E PERT sum"), ("triangular", "E triangular sum")])
def test_n9_three_in_series(law, name):
    days = sample(f"""
    defaults: {{workstream: {{duration: {{{law}: {{low: 20, mode: 40, high: 120}}}}}}}}
    sites: {{a: {{diligence: {{x: {{}}, y: {{after: x}}, z: {{after: y}}}}}}}}
    """, milestone="diligence_complete")[:, 0] / 10  # fmt: skip
    check("N9", name, days)
    if law == "pert":
        check_variance(3 * 3.0, days)  # three of variance 3, not ((b - a) / 6)^2 each


def test_n10_live_when_energised_and_chips_are_there():
    runner = Runner(TWENTY_YEARS, """
    parties: {maker: {}}
    chips:
      products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $1m}}
      orders: {o: {product: rack, racks: 1000, ordered: day 0, lead_time: {exponential: {mean: 7, unit: months}}}}
    sites:
      a:
        construction: {grid: [{share: 1, delay: {exponential: {mean: 9, unit: months}}}]}
        bring_up: {lot: 1000 racks}
    """)
    live, idle, chips = [], [], []
    for r in range(R):
        history = runner.run(r, trace=False).history
        minutes = {name: minute for _, _, phase, lot, name, minute in history.milestones if phase and lot is None}
        live.append(minutes["full_live"] / DAY / MONTH)
        idle.append((minutes["full_live"] - minutes["energised"]) / DAY / MONTH)
        chips.append(any(cause == "chips" for _, cause, _ in history.phases[0].trail))
    check("N10", "E live", live)
    check("N10", "P(chips are the binding constraint)", chips)
    check("N10", "E idle energised capacity time (chips late)", idle)


GRAHAM = """
tenants: {{lab: {{teams: {{crew: {crews}}}}}}}
sites:
  a:
    diligence: {{{streams}}}
"""


@pytest.mark.parametrize(
    ("name", "crews", "shorter", "free"),
    [
        ("makespan 3 crews", 3, 0, ()),
        ("makespan 4 crews", 4, 0, ()),
        ("makespan 3 crews, all times-1", 3, 1, ()),
        ("makespan 3 crews without T4->T5,T4->T6", 3, 0, ("T5", "T6")),
    ],
)
def test_n11_more_crews_shorter_tasks_and_fewer_precedences_may_end_later(name, crews, shorter, free):
    case = CASES["N11"]["parameters"]
    streams = []
    for priority, (task, days) in enumerate(zip(case["list_order"], case["times"], strict=True), 1):
        before = case["precedence"].get(task, []) if task not in free else []
        after = f"after: {before[0].lower()}, " if before else ""
        streams.append(f"{task.lower()}: {{{after}duration: {days - shorter}, team: crew, priority: {priority}}}")
    run = Runner(GRAHAM.format(crews=crews, streams=", ".join(streams))).run()
    assert run.day("a.diligence_complete") == next(m["expected"] for m in CASES["N11"]["metrics"] if m["name"] == name)
    if name in ("makespan 3 crews", "makespan 4 crews"):
        began = {e[2]: e[0] // DAY for e in run.history.events if e[1] == "granted"}
        schedule = CASES["N11"]["schedule_3_crews" if crews == 3 else "schedule_4_crews"]
        assert began == {f"a {task.lower()}": start for task, (start, _) in schedule.items()}


# Queues.


@pytest.mark.parametrize(
    ("case", "law", "n"),
    [
        ("Q1", "exponential: {mean: 7}", 10),
        ("Q3", "erlang: {k: 2, mean: 7}", 10),
        pytest.param("Q1", "exponential: {mean: 7}", 50, marks=pytest.mark.slow),
    ],
)
def test_q1_q3_letters_queue_for_one_negotiator(case, law, n):
    """Letters come at a rate of 0.8 a week, the first on day 0; a negotiation takes a week."""
    letters = ", ".join(
        f"s{i}: {{loi: {{signed: {{after: s{i - 1}.loi_signed, delay: {{exponential: {{mean: 8.75}}}}}}}}}}"
        for i in range(2, n + 1)
    )
    runner = Runner(f"""
    tenants: {{lab: {{teams: {{deal: 1}}}}}}
    defaults: {{site: {{negotiation: {{duration: {{{law}}}, team: deal}}}}}}
    sites: {{s1: {{}}, {letters}}}
    """)
    waits = np.zeros((R, n))
    for r in range(R):
        run = runner.run(r, trace=False)
        for i, site in enumerate(run.world.sites.values()):
            waits[r, i] = (site.negotiation.began - site.milestones.reached["loi_signed"].minute) / DAY / 7
    assert not waits[:, 0].any()
    check(case, "W_10", waits[:, 9])
    if case == "Q1":
        check(case, "W_2", waits[:, 1])
        check(case, "P(W_2=0)", waits[:, 1] == 0)
    if n == 50:
        check(case, "W_50", waits[:, 49])
        check(case, "mean of W_1..W_50", waits.mean(axis=1))


JOB = "{diligence: {x: {duration: {exponential: {mean: 20}}, team: crew}}}"


@pytest.mark.parametrize("crews", [1, 3])
def test_q5_twelve_jobs_and_some_crews(crews):
    runner = Runner(f"tenants: {{lab: {{teams: {{crew: {crews}}}}}}}", sites(12, JOB))
    ends, starts = np.zeros((R, 12)), np.zeros((R, 12))
    for r in range(R):
        for i, site in enumerate(runner.run(r, trace=False).world.sites.values()):
            ends[r, i] = site.milestones.reached["diligence_complete"].minute / DAY / 10
            starts[r, i] = site.diligence.started("x") / DAY / 10
    ends.sort(axis=1)
    if crews == 3:
        check("Q5", "makespan", ends[:, 11])
        check("Q5", "1st completion", ends[:, 0])
        check("Q5", "6th completion", ends[:, 5])
        check("Q5", "mean start (wait) over 12 jobs", starts.mean(axis=1))
    else:
        check("Q5", "makespan with 1 crew", ends[:, 11])


def test_q6_twelve_jobs_of_two_days_and_five_crews():
    run = Runner("tenants: {lab: {teams: {crew: 5}}}", sites(12, "{diligence: {x: {duration: 2, team: crew}}}")).run()
    ends = sorted(run.day(f"s{i}.diligence_complete") for i in range(1, 13))
    by_name = {m["name"]: m for m in CASES["Q6"]["metrics"]}
    assert ends == by_name["completion times multiset"]["expected_list"]
    assert sum(ends) == by_name["sum of sojourn times (Little)"]["expected"]
    in_diligence = sum((14 * DAY - t) * mw for t, _, m, mw in run.history.changes if m == "diligence") / DAY / 100
    assert in_diligence == by_name["area under number-in-system (Little)"]["expected"]
    assert 12 * 2 / (5 * max(ends)) == by_name["crew utilisation over the makespan"]["expected"]


# Gates.


def test_g1_power_that_survives_diligence_of_twelve_letters():
    case = CASES["G1"]["parameters"]
    letters = ", ".join(
        f"s{i}: {{phases: [{mw} MW], diligence: {{x: {{duration: 10, fail: {1 - p:.4g}}}}}}}"
        for i, (mw, p) in enumerate(zip(case["mw"], case["pass_prob"], strict=True), 1)
    )
    runner = Runner(f"sites: {{{letters}}}")
    leased = np.array([
        sum(mw for _, _, m, mw in runner.run(r, trace=False).history.changes if m == "leased") for r in range(R)
    ])  # fmt: skip
    check("G1", "E MW", leased)
    check("G1", "P(MW=0)", leased == 0)
    for level in (500, 800, 1000, 1200):
        check("G1", f"P(MW>={level})", leased >= level)


BURN_IN = """
parties: {maker: {}}
chips:
  products: {rack: {supplier: maker, rack_power: 100 kW, rack_price: $1m}}
  orders: {o: {product: rack, racks: %d, ordered: day 0}}
sites:
  a:
    phases: [%.1f MW]
    bring_up: {lot: %d racks, install: {racks_per_day: 1e9}, burn_in: 2, dead_on_arrival: {chance: 0.1, returned_in: 2}}
"""


def attempts(racks):
    """Burn-ins of two days each until the last rack of a pod passes; returned racks need another one."""
    days = sample(BURN_IN % (racks, racks / 10, racks), milestone="full_live")[:, 0]
    if racks > 20:  # the phase is live with 95 % of its power: ask the lot
        runner = Runner(BURN_IN % (racks, racks / 10, racks))
        days = np.array([runner.run(r, trace=False).day("a.p1.0.live") for r in range(R)])
    return np.round(days / 2, 2)


def test_g4_burn_in_until_it_passes():
    tries = attempts(1)
    check("G4", "E attempts", tries)
    check("G4", "E days", 2 * tries)
    check("G4", "P(one attempt)", tries == 1)
    check("G4", "P(attempts>3) (goes to RMA if max 3)", tries > 3)


def test_g6_a_pod_is_live_when_its_slowest_rack_passes():
    tries = attempts(72)
    check("G6", "E max attempts", tries)
    check("G6", "P(max<=2)", tries <= 2)


def test_a_commissioning_that_fails_once_is_repeated_once():
    """Unlike burn-in: 20 days, and 20 more with a chance of 0.1."""
    text = "sites: {a: {construction: {commissioning: {duration: 20, retest: 0.1}}}}"
    days = sample(text, milestone="commissioned")[:, 0]
    assert set(days) == {20, 40}
    assert abs(np.mean(days == 40) - 0.1) < 4.5 * np.sqrt(0.09 / R)
