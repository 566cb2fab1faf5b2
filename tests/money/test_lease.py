"""Rent by the calendar, who pays it through whom, and what of it is still to come."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import random
from pathlib import Path

import numpy as np
import pytest
from helpers import Run, Runner, run
from money import CASES, DAY, M, at, paid, total

from dcsim.model.rent import Rent, growth, present_value, shares
from dcsim.model.world import World
from dcsim.scenario.scenario import load

WALK = Path(__file__).parents[2] / "scenarios" / "walk.yaml"

# 100 MW at $100/kW-month: $10m a full month, from day 0 = 2027-01-01 unless something takes time.
TEN = """
sites: {a: {lease: {rent: $100/kW-month, term: 15 years}}}
"""


def later(date: str) -> str:
    """The hall of site a is ready on a date."""
    days = (dt.date.fromisoformat(date) - dt.date(2027, 1, 1)).days
    return f"sites: {{a: {{construction: {{commissioning: {{duration: {days}}}}}}}}}"


# The calendar.


def by_day(start: dt.date, months: int, rates: list[float]) -> tuple[dt.date, dict[tuple[int, int], float]]:
    """(end, rent by calendar month) by going through every day."""

    def after(n: int) -> dt.date:
        year, month = divmod(start.year * 12 + start.month - 1 + n, 12)
        return dt.date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))

    out: dict[tuple[int, int], list[float]] = {}
    for n in range(months):
        day = after(n)
        while day < after(n + 1):
            out.setdefault((day.year, day.month), []).append(rates[n] / calendar.monthrange(day.year, day.month)[1])
            day += dt.timedelta(1)
    return after(months), {key: math.fsum(days) for key, days in out.items()}


@pytest.mark.parametrize("seed", range(40))
def test_every_day_pays_its_part_of_its_month(seed):
    """The arrays agree with going through the days, split at any day."""
    luck = random.Random(seed)
    start = dt.date(2024, 2, 29) if seed % 4 == 0 else dt.date(2024, 1, 1) + dt.timedelta(luck.randrange(1500))
    months = luck.randrange(1, 60)
    steps = [luck.uniform(-0.05, 0.1) for _ in range(months // 12)]
    ramp = ((2, 0.5), (1, 0.25))
    full = Rent.of(start.toordinal(), 1e7 * luck.random(), growth(steps), months)
    rent = full.times(shares(months, luck.randrange(4), ramp))
    end, expected = by_day(start, months, rent.rates.tolist())
    assert rent.end == end.toordinal()
    days, dollars = rent.due()
    rows = [(max(dt.date(*key, 1), start).toordinal(), x) for key, x in sorted(expected.items()) if x >= 0.5]
    assert days.tolist() == [day for day, _ in rows]
    np.testing.assert_allclose(dollars, [x for _, x in rows], atol=0.5001, rtol=0)
    day = luck.randrange(rent.start, rent.end)
    first = dt.date.fromordinal(day).replace(day=1).toordinal()
    later_days, later_dollars = rent.due_from(day)
    assert int(dollars[days < first].sum()) + rent.until(day) + later_dollars.sum() == pytest.approx(
        dollars.sum(), abs=1.01
    )
    assert set(later_days.tolist()) <= {day, *days.tolist()}
    whole = sum(int(x) for d, x in zip(days, dollars, strict=True) if first <= d < first + 31 and d <= day)
    month_of = {d: dt.date.fromordinal(d).replace(day=1).toordinal() for d in days.tolist()}
    this = sum(int(x) for d, x in zip(days.tolist(), dollars, strict=True) if month_of[d] == first)
    assert rent.ahead(day) == this - rent.until(day)
    assert whole <= this


def test_shares_and_rates_by_lease_month():
    """From 31 January 2027: the second month begins on 28 February, the third on 31 March."""
    ramp = shares(8, 1, ((2, 0.5), (3, 0.75)))
    assert ramp.tolist() == [0, 0.5, 0.5, 0.75, 0.75, 0.75, 1, 1]
    rent = Rent.of(dt.date(2027, 1, 31).toordinal(), 100.0, growth([]), 8).times(ramp)
    dates = {"2027-01-30": 0, "2027-02-27": 0, "2027-02-28": 50, "2027-03-30": 50, "2027-09-29": 100, "2027-09-30": 0}
    assert {date: rent.rate(dt.date.fromisoformat(date).toordinal()) for date in dates} == dates


def test_the_walk_pays_its_first_25_days_and_then_full_months():
    """100 MW at $150/kW-month from 2028-04-06: 25 of 30 days are $12.5m, then $15m on each 1st."""
    r = run(load(WALK))
    rent = paid(r, "rent", "lab", "builder")
    assert rent["2028-04"] == 12_500_000
    assert list(rent) == [f"{2028 + (m - 1) // 12}-{(m - 1) % 12 + 1:02}" for m in range(4, 19)]  # to June 2029
    assert set(rent.values()) == {12_500_000, 15_000_000}
    flow = r.world.sites["meadow"].lease.rent["all"]
    assert int(flow.minutes[0]) == 645 * DAY
    assert int(flow.dollars[-1]) == 2_500_000  # 1 to 5 April 2043; the last day is the eve of the end
    assert int(flow.minutes[-1]) == at(r, "2043-04-01")


def test_the_step_comes_on_the_anniversary_within_the_month():
    """From 15 April 2027 at $10m, 10 % a year: April 2027 has 16 of 30 days, $5,333,333; April 2028 has 14 days at
    $10m and 16 at $11m: (140 + 176) / 30 = $10,533,333."""
    r = run(TEN, later("2027-04-15"), "sites: {a: {lease: {escalator: 0.10}}}")
    rent = paid(r, "rent")
    assert (rent["2027-04"], rent["2028-03"]) == (5_333_333, 10_000_000)
    assert (rent["2028-04"], rent["2028-05"]) == (10_533_333, 11_000_000)
    assert rent["2029-05"] == 12_100_000


def test_the_anniversary_of_29_february_is_the_28th_in_common_years():
    """From 29 February 2028 at $10m: 1 of 29 days. In 2029 27 days at $10m and 1 at $11m: (270 + 11) / 28."""
    r = run(TEN, later("2028-02-29"), "sites: {a: {lease: {escalator: 0.10}}}")
    rent = paid(r, "rent")
    assert rent["2028-02"] == round(10 * M / 29)
    assert rent["2029-02"] == round((27 * 10 * M + 11 * M) / 28)
    assert rent["2030-02"] == round((27 * 11 * M + 12.1 * M) / 28)


def test_months_without_rent_and_a_ramp_count_from_commencement():
    """From 15 April 2027: two months free, then three at a half, each from the 15th to the 14th.

    June 2027: 14 days free, 16 at half of $10m: 16 x 5 / 30 = $2,666,667. September: 14 at a half and 16 in full.
    """
    r = run(TEN, later("2027-04-15"), "sites: {a: {lease: {abatement: 2, ramp: [{months: 3, share: 0.5}]}}}")
    rent = paid(r, "rent")
    assert "2027-04" not in rent
    assert "2027-05" not in rent
    assert (rent["2027-06"], rent["2027-07"], rent["2027-08"]) == (2_666_667, 5 * M, 5 * M)
    assert rent["2027-09"] == round((14 * 5 * M + 16 * 10 * M) / 30)
    assert rent["2027-10"] == 10 * M


@pytest.mark.parametrize(("inflation", "step"), [(0.01, 0.02), (0.025, 0.025), (0.09, 0.04)])
def test_prices_move_the_rent_within_floor_and_cap(inflation, step):
    """At a floor of 2 % and a cap of 4 %."""
    r = run(TEN, f"sites: {{a: {{lease: {{cpi: {{inflation: {inflation}, floor: 0.02, cap: 0.04}}}}}}}}")
    rent = paid(r, "rent")
    assert rent["2027-12"] == 10 * M
    assert rent["2028-01"] == round(10 * M * (1 + step))
    assert rent["2030-01"] == math.floor(10 * M * (1 + step) * (1 + step) * (1 + step) + 0.5)


def test_each_year_draws_its_inflation_and_every_phase_has_the_same():
    """Anniversaries in 2028 and 2029 draw occurrences 1 and 2 of the site; a phase a year later has the second only."""
    cpi = "cpi: {inflation: {uniform: {low: 0, high: 0.1}}}"
    r = run(
        f"sites: {{a: {{lease: {{rent: $100/kW-month, {cpi}}}, phases: [100 MW, 100 MW],"
        " construction: {phase_gap: 365}}}"
    )
    law, draws = r.world.sites["a"].spec.lease.cpi.inflation, r.world.draws
    first, second = draws.value(law, 1), draws.value(law, 2)
    assert first != second
    flows = r.world.sites["a"].lease.rent
    one = dict(zip(flows["p1"].minutes.tolist(), flows["p1"].dollars.tolist(), strict=True))
    two = dict(zip(flows["p2"].minutes.tolist(), flows["p2"].dollars.tolist(), strict=True))
    assert one[at(r, "2028-02-01")] == round(10 * M * (1 + first))
    assert one[at(r, "2029-02-01")] == round(10 * M * (1 + first) * (1 + second))
    assert two[at(r, "2028-02-01")] == 10 * M
    assert two[at(r, "2029-02-01")] == round(10 * M * (1 + second))


def test_phases_commence_by_themselves():
    """Two phases of 60 and 40 MW, 45 days apart: 2027-01-01 and 2027-02-15. February: 6 + 4 x 14/28 = $8m."""
    r = run("sites: {a: {lease: {rent: $100/kW-month}, phases: [60 MW, 40 MW], construction: {phase_gap: 45}}}")
    rent = paid(r, "rent")
    assert (rent["2027-01"], rent["2027-02"], rent["2027-03"]) == (6 * M, 8 * M, 10 * M)


def test_rent_may_start_at_a_fixed_date_ready_or_not():
    r = run(TEN, later("2028-06-01"), "sites: {a: {lease: {rent_commencement: 2027-09-16}}}")
    assert r.day("a.p1.ready_for_service") == 517
    assert list(paid(r, "rent").items())[:2] == [("2027-09", 5 * M), ("2027-10", 10 * M)]


def test_rent_that_commenced_before_the_start_goes_on():
    """From 2025-06-16 at $10m and 10 % a year, so that the second anniversary falls in June 2027."""
    r = run(
        TEN,
        """
        sites:
          a:
            lease: {escalator: 0.10}
            initial: {lease_signed: 2024-01-01}
            phases: {p1: {mw: 100, initial: {full_live: 2025-06-16}}}
        """,
    )
    rent = paid(r, "rent")
    assert (rent["2027-01"], rent["2027-06"], rent["2027-07"]) == (
        11 * M,
        round((15 * 11 + 15 * 12.1) / 30 * M),
        12.1e6,
    )
    lease = r.world.sites["a"].lease
    assert lease.signed < lease.premises["p1"].commenced < 0
    assert lease.liability(at(r, "2026-01-01")) > 0
    assert lease.not_commenced(at(r, "2025-01-01")) == lease.premises["p1"].planned


def test_the_tenant_leaves_at_the_end_of_the_term():
    """Two years from 2027-03-10: the last rent is for 1 to 9 March 2029, and the MW leave on the 10th."""
    r = run(TEN, later("2027-03-10"), "sites: {a: {lease: {term: 24 months}}}")
    rent = paid(r, "rent")
    assert rent["2029-03"] == round(10 * M * 9 / 31)
    assert "2029-04" not in rent
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 799)
    assert r.mw("leased", 798) == 100
    assert r.mw("leased", 799) == 0
    assert total(r, "rent refund") == 0


# A lessee between tenant and developer.

THROUGH = "{parties: {neo: {rating: B}}, sites: {a: {lease: {lessee: neo}}}}"


def test_a_lessee_passes_on_what_it_is_paid():
    r = run(TEN, THROUGH)
    assert paid(r, "rent", "lab", "neo") == paid(r, "rent", "neo", "dev")
    assert total(r, "rent", "lab", "dev") == 0
    own, passed = r.world.book.get("lease:a"), r.world.book.get("sublease:a")
    assert (own.source, own.target, passed.source, passed.target) == ("neo", "dev", "lab", "neo")
    assert own.levels == passed.levels


def test_a_lessee_has_nothing_to_pay_from_when_its_tenant_stops():
    """The lab stops on 2027-05-15 and goes on in August: both flows stop, and then the arrears of June to August are
    paid, $30m."""
    world = patient(TEN, THROUGH, "shocks: {stop: {when: 2027-05-15, stop_paying: lab}}")
    world.clock.at(minute(world, "2027-08-10"), lambda: world.parties["lab"].resume_paying())
    r = Run(world.run(), world)
    for pair in (("lab", "neo"), ("neo", "dev")):
        rent = paid(r, "rent", *pair)
        assert [rent.get(f"2027-0{month}", 0) // M for month in range(4, 10)] == [10, 10, 0, 0, 30, 10]


def test_a_lessee_that_stops_by_itself_is_paid_all_the_same():
    world = patient(TEN, THROUGH, "shocks: {stop: {when: 2027-05-15, stop_paying: neo}}")
    r = Run(world.run(), world)
    assert paid(r, "rent", "lab", "neo")["2027-09"] == 10 * M
    assert "2027-06" not in paid(r, "rent", "neo", "dev")
    assert r.world.sites["a"].lease.arrears(minute(world, "2027-09-15")) == 40 * M


def patient(*texts: str) -> World:
    """A world, not yet run, in which nobody acts on unpaid rent of site a."""
    world = Runner(*texts).world()
    world.sites["a"].call._missed = lambda: None
    return world


def minute(world: World, date: str) -> int:
    return world.blueprint.minute_of(dt.date.fromisoformat(date))


# What is still to come.


def test_p08_remaining_rent_and_present_value():
    """Finance case P08 on the functions that the model uses: yearly rents in arrears."""
    case = CASES["P08"]
    given, expected = case["inputs"], case["expected"]
    rents = given["rent0"] * growth([given["esc"]] * (given["years"] - 1))
    assert rents.sum() == pytest.approx(expected["undiscounted"], abs=case["tol"])
    assert rents[5:].sum() == pytest.approx(expected["remaining_after_5"], abs=case["tol"])
    value = present_value(rents, np.arange(1, given["years"] + 1), given["disc"])
    assert value == pytest.approx(expected["pv"], abs=case["tol"])


def test_p08_by_the_month():
    """The same lease at $100m a month, 12 times as large: from 2027-01-01 for 15 years, 3 % a year.

    Each of 180 payments is whole dollars, so that sums are right to $90.
    """
    expected = CASES["P08"]["expected"]
    r = run("sites: {a: {lease: {rent: $1000/kW-month, term: 15 years, escalator: 0.03}}}")
    lease = r.world.sites["a"].lease
    assert lease.remaining_rent(0) == pytest.approx(12 * M * expected["undiscounted"], abs=90)
    after = at(r, "2032-01-01")
    assert lease.remaining_rent(after) == pytest.approx(12 * M * expected["remaining_after_5"], abs=90)
    assert lease.base_term_rent == pytest.approx(lease.remaining_rent(0), abs=90)
    assert lease.present_value(0, 0.0) == lease.remaining_rent(0)


def test_remaining_rent_is_at_stake_from_signing_on():
    """Two years at $10m, signed on day 0, ready on 2027-03-01: $240m until then, $230m after the first rent, none at
    the end; what is in arrears stays at stake."""
    r = run(TEN, later("2027-03-01"), "sites: {a: {lease: {term: 24 months}}}")
    contract = r.world.book.get("lease:a")
    assert (contract.opened, contract.at_stake(0), contract.at_stake(58 * DAY)) == (0, 240 * M, 240 * M)
    assert contract.at_stake(59 * DAY) == 230 * M
    assert contract.at_stake(at(r, "2028-03-01")) == 110 * M
    assert contract.at_stake(at(r, "2029-02-28")) == 0
    lease = r.world.sites["a"].lease
    assert lease.not_commenced(58 * DAY) == 240 * M
    assert lease.not_commenced(59 * DAY) == 0


def test_arrears_stay_at_stake():
    """Two years at $10m, of which January to June 2027 are paid: $180m, $30m of it overdue on 20 September."""
    world = patient(
        TEN, "{sites: {a: {lease: {term: 24 months}}}, shocks: {stop: {when: 2027-06-15, stop_paying: lab}}}"
    )
    now = minute(world, "2027-09-20")
    world.advance(now)
    lease, contract = world.sites["a"].lease, world.book.get("lease:a")
    assert lease.arrears(now) == 30 * M
    assert contract.at_stake(now) == 180 * M
    assert lease.remaining_rent(now) == 150 * M
    assert lease.next_rent_due(now) == minute(world, "2027-10-01")
    assert lease.rent_paid(0, now) == 60 * M


def test_the_liability_is_the_present_value_at_the_tenants_rate():
    """Twelve payments of $10m at 10 % a year, from 2027-01-01: sum of 10 / 1.1^(days / 365.25)."""
    lab = "tenants: {lab: {treasury: {cash: $1bn, discount_rate: 0.10}}}"
    r = run(TEN, lab, "sites: {a: {lease: {term: 12 months}}}")
    lease = r.world.sites["a"].lease
    days = [(dt.date(2027, month, 1) - dt.date(2027, 1, 1)).days for month in range(1, 13)]
    assert lease.liability(0) == pytest.approx(sum(10 * M / 1.1 ** (day / 365.25) for day in days))
    june = at(r, "2027-06-01")
    assert lease.liability(june, 0.0) == 70 * M
    assert lease.liability(at(r, "2028-01-01")) == 0
