"""The shipped scenarios against public facts, in few replications: tables whole, and no further off than is known."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parent))

import build_times
import plausibility
import portfolio
import precedents
from spreads import Row, Spread, kaplan_meier, number, shown, spread, table

REPLICATIONS = 20
OFF = {"debt", "debt per MW", "backstop", "cover by ten years' rent of the debt published", "loan closes"}
"""What is off for the loans of the bond market, and why: `plausibility.WHY`."""


@pytest.fixture(scope="module")
def deals():
    return precedents.run(REPLICATIONS, None)


@pytest.fixture(scope="module")
def letters():
    return portfolio.run(REPLICATIONS, None)


# Estimates.


def test_product_limit_by_hand():
    """Five sites: live at 1, 3 and 5, still open at 2 and 4.

    S falls to 4/5 at 1, to 4/5 * 2/3 = 8/15 at 3 (three are left, of whom one goes live), to 0 at 5. So a tenth is live
    at 1, half not yet at 3 (7/15), but at 5.
    """
    assert kaplan_meier([1, 2, 3, 4, 5], [True, False, True, False, True]) == Spread(1, 5, 5, 5, 2)


def test_product_limit_with_the_longest_censored():
    """4/5, 8/15, then at 4 (two are left) 4/15: eleven fifteenths are live in the end, and nine tenths never."""
    assert kaplan_meier([5, 4, 3, 2, 1], [False, True, True, False, True]) == Spread(1, 4, math.inf, 5, 2)


def test_product_limit_at_a_quantile_exactly():
    """Of two sites one is live at 7: one half, which is P50, to the last bit."""
    assert kaplan_meier([7, 9], [True, False]).p50 == 7


def test_product_limit_of_sites_that_are_all_open():
    assert kaplan_meier([7, 9], [False, False]) == Spread(math.inf, math.inf, math.inf, 2, 2)


def test_product_limit_without_censoring_is_the_order_statistic():
    values = [5.0, 3.0, 8.0, 1.0, 9.0, 2.0, 7.0, 4.0, 10.0, 6.0]
    assert kaplan_meier(values, [True] * 10) == spread(values) == Spread(1, 5, 9, 10)


def test_spread_of_what_is_never_reached():
    assert spread([1, math.inf, math.inf]) == Spread(1, math.inf, math.inf, 3)


# What rows say.


@pytest.mark.parametrize(
    ("model", "inside", "verdict"),
    [
        (Spread(7, 8, 9, 5), True, "yes"),
        (Spread(8, 12, 13, 5), False, "P50 no, +20 %"),
        (Spread(11, 12, 13, 5), False, "no, +20 %"),
        (Spread(3, 4, 5, 5), False, "no, -33 %"),
        (Spread(3, math.inf, math.inf, 5), False, "P50 no, not reached"),
    ],
)
def test_verdicts(model, inside, verdict):
    row = Row("a site", "cost", "US$", model, "6-10", 6, 10)
    assert (row.inside, row.verdict) == (inside, verdict)


def test_no_verdict_on_what_is_not_public():
    row = Row("a site", "cost", "US$", Spread(1, 2, 3, 5))
    assert (row.inside, row.verdict) == (None, "–")


def test_markdown():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert [number(x) for x in (1234.5, 12.345, math.inf, math.nan)] == ["1,234", "12.3", "not by then", "–"]
    assert [shown(Spread(1, 2, 3, 5)), shown(Spread(2, 2, 2, 5))] == ["2 (1-3)", "2"]


# The data.


def test_sites_of_the_data():
    """Lake Mariner: a year from 2024-10-01 to 2025-10-01; Goodnight: nothing is live 414 days on."""
    sites = build_times.first_phases(build_times.read_phases()).set_index("site")
    assert (len(sites), int(sites["seen"].sum())) == (29, 21)
    assert sites.loc["Fluidstack Lake Mariner", "months"] == 365 / 30.4375
    assert sites.loc["Goodnight", ["months", "seen"]].tolist() == [414 / 30.4375, False]


def test_growth_of_a_campus_by_hand():
    """Lake Mariner: 19 MW on 2025-10-01, 68 on 2026-03-31, 117 on 2026-05-31: 98 MW of facility in 242 days."""
    found = build_times.steps(build_times.read_phases())
    mine = found[found["site"] == "Fluidstack Lake Mariner"]
    assert mine["mw"].tolist() == pytest.approx([49 / 1.3, 49 / 1.3])
    assert mine["months"].tolist() == pytest.approx([181 / 30.4375, 61 / 30.4375])
    rate = build_times.growth(found, ["site"])["Fluidstack Lake Mariner"]
    assert rate == pytest.approx(98 / 1.3 / (242 / 30.4375))


def test_growth_in_no_time_is_without_bound():
    steps = pd.DataFrame({"site": ["a"], "mw": [10.0], "months": [0.0]})
    assert build_times.growth(steps, ["site"]).tolist() == [math.inf]


def test_first_year_rent_by_hand():
    """US$6.7bn over ten years and 360 MW: 6700 / (0.36 * 12) over 11.4639, the sum of 1.03^0 to 1.03^9."""
    assert precedents.first_year_rent(6.7, 360, 10) == pytest.approx(6700 / (0.36 * 12) / 11.463879, rel=1e-6)


# The tables.


def test_precedents_are_in_the_ranges_reported(deals):
    rows = precedents.money(deals)
    assert {row.what for row in rows} == set(precedents.DEALS) == set(deals.scenario.spec.sites)
    for row in rows:
        assert all(map(math.isfinite, (row.model.p10, row.model.p50, row.model.p90))), row
    off = [row for row in rows if row.inside is False]
    assert {row.measure for row in off} <= OFF
    assert all(row.kind == "result" for row in off)


def test_precedents_that_are_off_are_not_far_off(deals):
    """Debts within a sixth of the published, cover to match, and one loan in five that does not close."""
    rows = {(row.what, row.measure): row for row in precedents.money(deals)}
    for site, debt in {"lake-mariner": 3.2, "barber-lake": 1.733, "abernathy": 1.275}.items():
        found = rows[site, "debt"].model.p50
        assert 0.83 * debt <= found <= 1.05 * debt
        assert 7.0 <= rows[site, "debt per MW"].model.p50 <= 8.9
        assert rows[site, "backstop"].model.p50 == pytest.approx(found, rel=1e-6)
        assert 1.1 <= rows[site, "cover by ten years' rent of the debt published"].model.p50 <= 1.45
    for site in set(precedents.DEALS) - {"polaris-forge-2"}:
        assert rows[site, "loan closes"].model.p50 >= 70


def test_promises_are_missed_by_months_not_years(deals):
    found = precedents.dates(deals)
    assert len(found) == sum(len(site.phases) for site in deals.scenario.spec.sites.values())
    for one in found:
        assert math.isfinite(one.model.p10)
        assert one.promised is None or -3 <= one.model.p50 - one.due <= 8
    assert any(one.kept > 0.2 for one in found)


def test_a_landlord_of_its_own_changes_no_loan(deals):
    import dcsim

    shipped = dcsim.simulate(dcsim.load(precedents.FILE), REPLICATIONS, tables=["loans"]).loans
    pairs = shipped.merge(deals.loans, on=["replication", "site"])
    assert len(pairs) >= 0.9 * len(shipped)
    assert pairs["amount_x"].tolist() == pairs["amount_y"].tolist()


def test_build_times_lie_in_the_spread_of_the_data(letters):
    rows = {row.whose: row for row in portfolio.build_time_rows(letters)}
    every, others = (rows[f"data: {name}"].live for name in ("greenfield, all", "of all, those that never mined coins"))
    assert (every.n, every.censored, others.n, others.censored) == (29, 8, 26, 8)
    for kind in ("greenfield", "approved"):
        model = rows[f"model: {kind}"]
        assert every.p10 <= model.live.p50 <= every.p90
        assert others.p10 <= model.live.p50 <= others.p90
        assert model.ready is not None
        assert model.ready.p50 <= model.live.p50
        assert model.off == model.live.p50 - others.p50
    assert rows["model: brownfield"].live.p50 < rows["model: approved"].live.p50
    for kind in ("greenfield", "approved", "bridged", "in study", "brownfield"):
        found = rows[f"model: {kind}"]
        assert found.live.n > 0
        assert math.isfinite(found.live.p10)
        assert found.last


def test_works_start_before_they_end(letters):
    times = portfolio.site_times(letters)
    live = times.dropna(subset=["live"])
    assert len(live) > REPLICATIONS
    assert (live["start"] < live["ready"]).all()
    assert (live["ready"] < live["live"]).all()
    proceeded = times.dropna(subset=["proceed"])
    assert (proceeded["start"] <= proceeded["proceed"] + 1e-9).mean() > 0.9  # held up by nothing but its own phase
    mining = proceeded[proceeded["kind"] == "brownfield"]
    assert (mining["start"] >= mining["proceed"] - 1e-9).all()


def test_shares_of_letters(letters):
    every, *kinds = portfolio.letter_shares(letters)
    assert every.letters == sum(kind.letters for kind in kinds) == 12
    for one in (every, *kinds):
        assert one.live[0] <= one.leased[0]
        assert one.leased[1] <= one.leased[0] <= one.leased[2]
    weighed = sum(kind.letters * kind.leased[0] for kind in kinds) / 12
    assert every.leased[0] == pytest.approx(weighed)
    assert 0.25 <= every.leased[0] <= 0.65


def test_growth_and_cost_are_in_range(letters):
    for row in portfolio.campus_growth(letters):
        assert row.inside, row
        assert math.isfinite(row.model.p90)
    rows = portfolio.cost_rows(letters)
    assert {row.what for row in rows if row.measure.startswith("to") and row.inside} == {"owned", "cloud"}
    assert all(6 <= row.model.p50 <= 15 for row in rows)


def test_all_tables_are_printed_whole(deals, letters):
    tables = (plausibility.first_table(deals), plausibility.second_table(letters))
    text = "\n\n".join([*tables, plausibility.third_table(letters), plausibility.fourth_table(letters)])
    assert text.count("####") == 6
    assert "nan" not in text.lower().replace("financ", "")
    assert "not known." not in text  # each thing that is off has its reason
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) > 70
    assert all(line.count("|") in (5, 7, 8) for line in lines)


def test_the_command_says_how_it_is_used():
    command = [sys.executable, str(Path(plausibility.__file__)), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--replications" in done.stdout
