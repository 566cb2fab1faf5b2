"""Defaults and downgrades by hazard, and what a developer's default does."""

from __future__ import annotations

import json
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from helpers import Run, Runner, run

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import ScenarioError
from dcsim.model.hazards import one_letter_down
from dcsim.network.credit_risk import common_shock, copula_joint, default_time, hazard, threshold

DAY, YEAR = 1440, 525_960
CASES = json.loads((Path(__file__).parents[1] / "data" / "finance_cases.json").read_text(encoding="utf-8"))["cases"]
CASE = {case["id"]: case for case in CASES}

ONE = """
parties: {weak: {rating: B}}
ratings: {one_year_default: {B: 0.02, CCC: 0.5}}
sites: {a: {loi: day 1400}}
"""


def defaulted(r: Run, party: str = "weak") -> float | None:
    """Day of a party's default."""
    minute = r.world.parties[party].defaulted
    return None if minute is None else minute / DAY


def at(u: float, *texts: str) -> float | None:
    return defaulted(run(ONE, *texts, luck={"parties.weak.default": u}))


# When a party defaults.


def test_the_hazard_of_a_rating() -> None:
    """D03: PD 0.02 in a year is a hazard of 0.0202027, and 0.0960792 in five years. It defaults when the hazard has
    added up to -ln(u): with u = 0.98 after exactly a year, with u = exp(-3 x 0.0202027) after three."""
    assert hazard(0.02) == pytest.approx(CASE["D03"]["expected"]["hazard"][0], abs=1e-9)
    assert at(0.98) == 365.25
    assert at(0.98**3) == pytest.approx(3 * 365.25, abs=1e-3)
    assert at(0.98**4.1) is None  # after the horizon
    assert 1 - exp(-5 * float(hazard(0.02))) == pytest.approx(CASE["D03"]["expected"]["PD_5y"][0], abs=1e-9)


def test_a_high_uniform_is_an_early_default() -> None:
    days = [at(u) for u in (0.999, 0.99, 0.95)]
    assert days == sorted(days)


def test_signs_take_the_letters_value_and_some_have_none() -> None:
    for rating, day in (("B+", 365.25), ("B-", 365.25), ("AAA", None), ("A-", None)):
        assert at(0.98, f"parties: {{weak: {{rating: {rating}}}}}") == day
    assert at(0.98, "ratings: {one_year_default: {B: 0}}") is None
    unrated = "parties: {weak: {}}\nratings: {one_year_default: {B: 1, CCC: 1}}\nsites: {a: {}}"
    assert run(unrated, luck={"parties.weak.default": 0.98}).history.defaults == []


def test_certain_default_within_a_year_is_capped() -> None:
    """PD 1 has no hazard: it is taken for one short of it by a billionth, -ln(1e-9) = 20.7 a year."""
    day = at(0.5, "ratings: {one_year_default: {B: 1}}")
    assert day == pytest.approx(log(2) / -log(1e-9) * 365.25, abs=1e-3)


def test_edits_change_the_hazard_and_what_is_used_up_stays_used() -> None:
    """u = exp(-2h): due after two years. From day 365.25 (a year, half used) on PD 0.0396 = 1 - 0.98^2 is twice the
    hazard, so half a year more; for 0.25 years only: a quarter of the threshold, and the last quarter at half speed."""
    u, twice = 0.98**2, "ratings.one_year_default.B: 0.0396"
    assert at(u) == pytest.approx(730.5, abs=1e-3)
    assert at(u, f"shocks: {{x: {{when: 2028-01-01, set: {{{twice}}}}}}}") == pytest.approx(365 + 365.5 / 2, abs=1e-2)
    text = f"shocks: {{x: {{when: 2028-01-01, for: 0.25 years, set: {{{twice}}}}}}}"
    assert at(u, text) == pytest.approx(365 + 91.3125 + (365.5 - 2 * 91.3125), abs=1e-2)


def test_a_downgrade_changes_the_hazard() -> None:
    """To CCC, 0.5 a year or ln 2, on day 365; what is left of -2 ln 0.98 takes 365.5 h / ln 2 days."""
    day = at(0.98**2, "shocks: {x: {when: 2028-01-01, downgrade: weak, to: CCC}}")
    assert day == pytest.approx(365 + 365.5 * -log(0.98) / log(2), abs=1e-2)


def test_the_time_is_that_of_the_integrated_hazard() -> None:
    """For every replication, against `credit_risk.default_time` on the path of the market."""
    text = """
    horizon: 2036-12-31
    ratings: {one_year_default: {B: 0.1}}
    regime: {to_downturn: 1/year, to_normal: 2/year, downturn: {ratings.one_year_default.*: {times: 4}}}
    """
    runner = Runner(ONE, text)
    for r in range(60):
        world = runner.run(r, trace=False).world
        u = runner.sampler.replication(r).uniform("parties.weak.default")
        starts = [0.0, *(minute / YEAR for minute, _ in world.market.turns)]
        hazards = hazard([0.1, *(0.4 if state == "downturn" else 0.1 for _, state in world.market.turns)])
        expected = float(default_time(threshold(u), starts, hazards)) * YEAR
        found = world.parties["weak"].defaulted
        if expected <= world.last_minute - 1:
            assert found == pytest.approx(expected, abs=len(starts))
        else:
            assert found is None


def test_default_is_recorded_with_its_cause_and_comes_once() -> None:
    r = run(ONE, luck={"parties.weak.default": 0.98})
    assert r.history.defaults == [(525_960, "weak", "hazard")]
    text = "shocks: {x: {when: 2027-06-01, default: weak}}"
    assert run(ONE, text, luck={"parties.weak.default": 0.98}).history.defaults == [(151 * DAY, "weak", "shock")]


def test_no_ratings_no_hazards_and_none_in_the_plan_or_for_those_with_a_treasury() -> None:
    assert run("parties: {weak: {rating: CCC}}\nsites: {a: {}}").world.hazards.credits == {}
    assert Runner(ONE).plan().world.hazards.credits == {}
    assert set(run(ONE).world.hazards.credits) == {"lab", "weak"}
    assert set(run(ONE, "tenants: {lab: {treasury: {cash: $1bn}}}").world.hazards.credits) == {"weak"}


# Downgrades.


@pytest.mark.parametrize(
    ("rating", "lower"),
    [("AAA", "AA"), ("AA+", "A+"), ("A", "BBB"), ("BBB-", "BB-"), ("B+", "CCC"), ("B-", "CCC"), ("CCC", None)],
)
def test_one_letter_down(rating: str, lower: str | None) -> None:
    assert one_letter_down(rating) == lower


def test_downgrades_come_one_letter_at_a_time_with_uniforms_of_their_own() -> None:
    """A falls with 0.2 a year, BBB with 0.1, BB with none. u = 0.8 and 0.9: after a year, and a year after that."""
    text = """
    parties: {weak: {rating: A+}}
    ratings: {one_year_default: {}, one_year_downgrade: {A: 0.2, BBB: 0.1}}
    sites: {a: {loi: day 1400}}
    """
    runner = Runner(text)
    runner.sampler.streams.override("parties.weak.downgrade", 0.8)
    r = runner.run()
    falls = [(minute / DAY, detail) for minute, kind, entity, detail in r.history.events if kind == "downgrade"]
    assert falls[0] == (365.25, "BBB+")
    assert falls[1] == (pytest.approx(365.25 + log(0.8) / log(0.9) * 365.25, abs=1e-3), "BB+")
    assert len(falls) == 2
    runner = Runner(text)
    for k in range(30):
        r, draws = runner.run(k), runner.sampler.replication(k)
        first = -log(draws.uniform("parties.weak.downgrade", 0)) / -log(0.8)
        second = -log(draws.uniform("parties.weak.downgrade", 1)) / -log(0.9)
        years = [minute / YEAR for minute, kind, *_ in r.history.events if kind == "downgrade"]
        assert years == [pytest.approx(year, abs=1e-5) for year in (first, first + second) if year < 1461 / 365.25]


def test_downgrades_come_at_their_rate() -> None:
    """A chance of 0.2 within the first of four years: within 4.5 standard errors of 600."""
    text = "parties: {weak: {rating: A}}\nratings: {one_year_downgrade: {A: 0.2}}\nsites: {a: {loi: day 1400}}"
    runner, count = Runner(text), 0
    for r in range(600):
        events = runner.run(r).history.events
        count += any(kind == "downgrade" and minute < YEAR for minute, kind, _, _ in events)
    assert count / 600 == pytest.approx(0.2, abs=4.5 * sqrt(0.2 * 0.8 / 600))


# Several parties.

TWO = """
factors: {ai-market: {}}
parties: {one: {rating: B}, two: {rating: B}}
ratings: {one_year_default: {B: 0.3}, loads: {ai-market: 0.8}}
sites: {a: {loi: day 1400}}
"""


def test_a_common_factor_correlates_defaults() -> None:
    """Loading 0.8, so latent normals correlate by 0.64; PD 0.3 within the year: both in 0.1796 (0.09 if alone)."""
    expected = float(copula_joint(0.3, 0.3, 0.64).both)
    runner, both, single = Runner(TWO), 0, 0
    n = 1000
    for r in range(n):
        world = runner.run(r, trace=False).world
        first, second = ((p := world.parties[id].defaulted) is not None and p < YEAR for id in ("one", "two"))
        both += first and second
        single += first + second
    assert expected == pytest.approx(0.1796, abs=1e-4)
    assert both / n == pytest.approx(expected, abs=4.5 * sqrt(expected * (1 - expected) / n))
    assert single / n / 2 == pytest.approx(0.3, abs=4.5 * sqrt(0.3 * 0.7 / n))


@pytest.mark.parametrize("rho", ["0", "0.2", "0.5"])
def test_the_joint_default_of_case_d04(rho: str) -> None:
    """PD 0.02 each: the uniforms under which two parties default within a year, as the model asks for them."""
    load, n = sqrt(float(rho)), 20_000
    factors = (("factors.ai-market", load),) if load else ()
    sampler = Sampler(Streams(4))
    luck = [sampler.replication(r) for r in range(n)]
    low = [[d.uniform(f"parties.{id}.default", None, factors) >= 0.98 for d in luck] for id in ("one", "two")]
    joint = CASE["D04"]["expected"]["joint"][rho]
    found = np.logical_and(*np.array(low)).mean()
    assert found == pytest.approx(joint, abs=4.5 * sqrt(joint * (1 - joint) / n))
    assert np.mean(low) == pytest.approx(0.02, abs=4.5 * sqrt(0.02 * 0.98 / n))


def test_one_shock_may_bring_down_two() -> None:
    """D06 (Marshall and Olkin): own hazards 0.02 and 0.03, and 0.01 for both; within five years both in 0.0613795.

    In each replication the default is at the earlier of the party's own and the common time; the share of joint
    defaults, with hazards ten times those of the case over half a year, is the same."""
    case = CASE["D06"]
    exact = common_shock(0.02, 0.03, 0.01, 5)
    assert float(exact.both) == pytest.approx(case["expected"]["joint"], abs=1e-9)
    text = """
    parties: {one: {rating: B}, two: {rating: CCC}}
    ratings: {one_year_default: {B: 0.18126924692201815, CCC: 0.2591817793182821}}
    shocks: {fall-out: {when: 0.1/year, default: [one, two]}}
    sites: {a: {loi: day 1400}}
    """
    runner, both, n = Runner(text), 0, 1000
    for r in range(n):
        world = runner.run(r, trace=False).world
        draws = runner.sampler.replication(r)
        common = -log(draws.uniform("shocks.fall-out.gap", 0)) / 0.1 * YEAR
        gone = 0
        for id, rate in (("one", 0.2), ("two", 0.3)):
            own = -log(draws.uniform(f"parties.{id}.default")) / rate * YEAR
            party = world.parties[id]
            if min(own, common) < world.last_minute - 1:
                assert party.defaulted == pytest.approx(min(own, common), abs=1)
                assert party.cause == ("hazard" if own < common else "shock")
            gone += party.defaulted is not None and party.defaulted < YEAR / 2
        both += gone == 2
    joint = case["expected"]["joint"]
    assert both / n == pytest.approx(joint, abs=4.5 * sqrt(joint * (1 - joint) / n))


def test_unknown_factors_and_too_high_loads_are_refused() -> None:
    with pytest.raises(ScenarioError, match="unknown factor 'ai-markt'; did you mean 'ai-market'"):
        run(TWO, "ratings: {loads: {ai-markt: 0.3}}")
    with pytest.raises(ScenarioError, match="squares of the loads add up to 1\\.28, more than 1"):
        run(TWO, "factors: {other: {}}\nratings: {loads: {other: 0.8}}")
    with pytest.raises(ScenarioError, match="factor 'works' is per region, and this belongs to none"):
        run(TWO, "factors: {works: {per: region}}\nratings: {loads: {works: 0.3}}")


def test_demand_and_credit_share_a_factor() -> None:
    """What a tenant's demand and a guarantor's credit load on is the same address."""
    text = "tenants: {lab: {demand: {path: 1 GW, volatility: 0.3/year, loads: {ai-market: 0.6}}}}"
    luck = run(TWO, text).world.blueprint.scenario.binding.luck
    assert luck["tenants.lab.demand"] == (("factors.ai-market", 0.6),)
    assert luck["parties.one"] == (("factors.ai-market", 0.8),)


# A developer's default.

BUILD = """
parties: {dev: {rating: B}, aide: {}, bank: {lending: {rate: 0}}}
shocks: {fall: {when: 2027-07-20, default: dev}}
sites:
  letter: {negotiation: {duration: 300}}
  open: {phases: [10 MW]}
  half: {phases: [10 MW, 20 MW], construction: {phase_gap: 300}}
  dark: {construction: {activities: {shell: {duration: 400}}}}
  other: {developer: aide, construction: {activities: {shell: {duration: 400}}}}
"""


def test_a_developers_default_ends_what_is_not_ready() -> None:
    """On day 200: one phase is ready and stays, its sister is not; the building site and the letter are gone."""
    r = run(BUILD)
    assert {s: r.state(s) for s in ("letter", "open", "dark", "other")} == {
        "letter": "terminated", "open": "pending", "dark": "terminated", "other": "pending",
    }  # fmt: skip
    assert (r.state("half.p1"), r.state("half.p2")) == ("pending", "terminated")
    assert (r.ended("dark"), r.ended("half.p2")) == (200, 200)
    assert r.day("open.p1.ended") is None
    assert r.mw("leased", 201) == 10 + 10 + 100


def test_somebody_else_may_guarantee_completion() -> None:
    """Once the loan has closed; not if he is the developer himself, or has defaulted."""
    text = "sites: {dark: {financing: {lenders: [bank], cost: 1, completion_guarantee: %s}}}"
    assert run(BUILD, text % "aide").day("dark.p1.ready_for_service") == 400
    assert run(BUILD, text % "dev").state("dark") == "terminated"
    late = "parties: {bank: {lending: {closing: 300}}}"
    assert run(BUILD, text % "aide", late).state("dark") == "terminated"
    gone = "shocks: {before: {when: 2027-07-01, default: aide}}"
    assert run(BUILD, text % "aide", gone).state("dark") == "terminated"
