"""The market: two states with exponential stays, edits that hold while it is down, shocks that hold it there."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from helpers import Runner, run, scenario

from dcsim.network.credit_risk import regime_pd

DAY, YEAR = 1440, 525_960
TALKS = """
regime: {to_downturn: 0.5/year, to_normal: 2/year, downturn: {sites.*.negotiation.duration: {times: 2}}}
sites: {a: {loi: day 500, negotiation: {duration: 60}}}
"""


def days(turns: list[tuple[int, str]]) -> list[tuple[float, str]]:
    return [(round(minute / DAY, 3), state) for minute, state in turns]


def test_stays_are_exponential_and_a_high_uniform_is_an_early_downturn_and_a_late_recovery() -> None:
    """u = 0.75: the market stays up -ln(0.75) / 0.5 = 0.57536 years = 210.152 days, and then down
    -ln(0.25) / 2 = 0.69315 years = 253.172 days, and so on."""
    world = Runner(TALKS, luck={"regime.gap": 0.75}).run().world
    up, down = -log(0.75) / 0.5 * 365.25, -log(0.25) / 2 * 365.25
    expected = [
        (up, "downturn"), (up + down, "normal"), (2 * up + down, "downturn"), (2 * (up + down), "normal"),
        (3 * up + 2 * down, "downturn"), (3 * (up + down), "normal"),
    ]  # fmt: skip
    assert days(world.market.turns) == [(pytest.approx(day, abs=3e-3), state) for day, state in expected]
    assert world.market.down_minutes(1461 * DAY) == pytest.approx(3 * down * DAY, abs=3)


def test_edits_hold_while_the_market_is_down() -> None:
    """Down from day 210 to 463, again from day 674: the talks begin on day 500; u = 0.6: down from day 373 to 540.

    In the second case the 120 days that the talks take have 80 left when the market recovers, which become 40."""
    assert run(TALKS, luck={"regime.gap": 0.75}).day("a.lease_signed") == 560
    r = run(TALKS, luck={"regime.gap": 0.6})
    up, down = -log(0.6) / 0.5 * 365.25, -log(0.4) / 2 * 365.25
    assert r.day("a.lease_signed") == pytest.approx(up + down + (620 - up - down) / 2, abs=2e-3)


def test_it_may_begin_down() -> None:
    """In force before anything begins: talks of day 0 take 120 days, and the team has three people."""
    text = """
    regime: {begins: downturn, to_downturn: 0, to_normal: 0, downturn: {tenants.lab.teams.deal: {plus: -1}}}
    tenants: {lab: {teams: {deal: 4}}}
    sites: {a: {loi: day 0}}
    """
    r = run(TALKS, text)
    assert r.day("a.lease_signed") == 120
    assert days(r.world.market.turns) == [(0, "downturn")]
    assert r.world.tenants["lab"].teams["deal"].capacity == 3


def test_a_shock_holds_the_market_down_until_it_ends() -> None:
    """From day 100 for 300 days, over the market's own downturn of days 210 to 463, which goes on underneath."""
    text = "shocks: {crash: {when: 2027-04-11, for: 300 days, regime: downturn}}"
    world = run(TALKS, text, luck={"regime.gap": 0.75}).world
    assert [state for _, state in days(world.market.turns)][:2] == ["downturn", "normal"]
    assert days(world.market.turns)[0][0] == 100
    assert days(world.market.turns)[1][0] == pytest.approx(463.32, abs=0.1)
    short = text.replace("300", "20")
    assert days(run(TALKS, short, luck={"regime.gap": 0.75}).world.market.turns)[:2] == [
        (100, "downturn"),
        (120, "normal"),
    ]


def test_a_shock_may_hold_it_up() -> None:
    """A rescue on day 220, for 100 days of the downturn."""
    text = "shocks: {rescue: {when: 2027-08-09, for: 100 days, regime: normal}}"
    turns = days(run(TALKS, text, luck={"regime.gap": 0.75}).world.market.turns)
    assert [turns[i] for i in (1, 2)] == [(220, "normal"), (320, "downturn")]


def test_the_latest_of_several_shocks_prevails() -> None:
    text = """
    regime: {to_downturn: 0}
    shocks:
      crash: {when: 2027-04-11, for: 100 days, regime: downturn}
      rescue: {when: 2027-05-11, for: 10 days, regime: normal}
      again: {when: 2027-05-16, for: 20 days, regime: downturn}
    """
    world = run(TALKS, text).world
    assert days(world.market.turns) == [(100, "downturn"), (130, "normal"), (135, "downturn"), (200, "normal")]


def test_the_plan_has_no_regime() -> None:
    assert Runner(TALKS, "regime: {begins: downturn}").plan().world.market.turns == []


def test_the_share_of_time_down_is_that_of_the_chain() -> None:
    """P(down at t) = a / (a + b) (1 - exp(-(a + b) t)), a = 0.5, b = 2; over 4 years on average 0.2 (1 - 0.1)."""
    runner = Runner(TALKS)
    down = [runner.run(r, trace=False).world.market.down_minutes(1461 * DAY) / (1461 * DAY) for r in range(400)]
    expected = 0.2 * (1 - (1 - exp(-10)) / 10)
    assert np.mean(down) == pytest.approx(expected, abs=4.5 * np.std(down) / sqrt(len(down)))


D08 = """
horizon: 2031-12-31
parties: {weak: {rating: B}}
ratings: {one_year_default: {B: 0.00995016625083195}}
regime:
  to_downturn: 0.15/year
  to_normal: 0.5/year
  downturn: {ratings.one_year_default.B: 0.1392920235749422}
sites: {a: {loi: day 1500}}
"""
"""Finance case D08: hazards 0.01 and 0.15 (1 - exp(-0.01), 1 - exp(-0.15)), five years from 2027-01-01."""


def test_defaults_in_a_market_of_two_states() -> None:
    """PD over five years 0.1408718 (0.0180601 over one). Given the market's path the chance is exactly
    1 - exp(-integral), whose mean over 1,000 paths has a much smaller error than the share of defaults."""
    runner, five = Runner(D08), 5 * YEAR
    defaults, given = [], []
    for r in range(1000):
        world = runner.run(r, trace=False).world
        down = world.market.down_minutes(five) / YEAR
        given.append(1 - exp(-0.01 * (5 - down) - 0.15 * down))
        minute = world.parties["weak"].defaulted
        defaults.append(minute is not None and minute < five)
    rates = {"to_downturn": 0.15, "to_normal": 0.5, "hazard_normal": 0.01, "hazard_downturn": 0.15}
    exact = float(regime_pd(5, **rates))
    assert exact == pytest.approx(0.1408718317, abs=1e-9)
    assert np.mean(given) == pytest.approx(exact, abs=4.5 * np.std(given) / sqrt(len(given)))
    assert np.std(given) / sqrt(len(given)) < 0.005
    assert np.mean(defaults) == pytest.approx(exact, abs=4.5 * sqrt(exact * (1 - exact) / len(defaults)))


def test_warns_of_a_downturn_that_never_comes() -> None:
    text = "regime: {downturn: {sites.*.negotiation.duration: {times: 2}}}\nsites: {a: {}}"
    assert ["never turns down" in w.message for w in scenario(text).warnings if w.path == "regime.downturn"] == [True]
    struck = "shocks: {crash: {when: never, regime: downturn}}"
    assert not [w for w in scenario(text, struck).warnings if w.path == "regime.downturn"]
