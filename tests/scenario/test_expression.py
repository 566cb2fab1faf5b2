"""Expressions: what they mean, what is refused and where, and what a scenario tells of them before any run."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsim import Problem, ScenarioError, load, parse
from dcsim.scenario.expression import (
    MEASURES,
    Bound,
    Chance,
    Column,
    Comparison,
    Day,
    ExpressionError,
    Mean,
    Milestone,
    Moment,
    Number,
    Precision,
    Quantile,
    Scaled,
    SignedShare,
    parse_expectation,
    parse_precision,
    parse_quantity,
    quantities,
    unit_of,
)
from dcsim.tables.schema import CAPACITY

SCENARIOS = Path(__file__).parents[2] / "scenarios"
END = Moment(dt.date(2028, 12, 31), "date")


# What an expression means.


@pytest.mark.parametrize(
    ("text", "statistic", "bounds"),
    [
        (
            "P50 live_mw@2028-12-31 >= 900 MW",
            Quantile(0.5, Column("live_mw", None, END)),
            [(">=", Number("900 MW", 900.0))],
        ),
        (
            "P90 live_mw@2028-12-31<=1.1 GW",
            Quantile(0.9, Column("live_mw", None, END)),
            [("<=", Number("1.1 GW", 1100.0))],
        ),
        (
            "0.35 <= mean signed_share(letters) <= 65 %",
            Mean(SignedShare("letters")),
            [(">=", Number("0.35", 0.35)), ("<=", Number("65 %", 0.65))],
        ),
        (
            "chance(owned_share@2028-12-31 < 0.30) >= 0.95",
            Chance((Comparison(Column("owned_share", None, END), "<", Number("0.30", 0.3)),)),
            [(">=", Number("0.95", 0.95))],
        ),
        (
            "chance(google.committed_peak < google.limit) >= 0.99",
            Chance((Comparison(Column("committed_peak", "google"), "<", Column("limit", "google")),)),
            [(">=", Number("0.99", 0.99))],
        ),
        (
            "P50 owned_cost_per_mw_month@2028 <= 0.85 of cloud_cost_per_mw_month@2028",
            Quantile(0.5, Column("owned_cost_per_mw_month", None, Moment(END.day, "year"))),
            [("<=", Scaled(0.85, Column("cloud_cost_per_mw_month", None, Moment(END.day, "year"))))],
        ),
        (
            "chance(anthropic.least_cash >= -$2bn) >= 0.9",
            Chance((Comparison(Column("least_cash", "anthropic"), ">=", Number("-$2bn", -2000.0)),)),
            [(">=", Number("0.9", 0.9))],
        ),
        (
            "P50 day_of(meadow.ready_for_service) = 645",
            Quantile(0.5, Milestone("ready_for_service", "meadow", None, "day")),
            [("=", Number("645", 645.0))],
        ),
        (
            "P50 date_of(ohio-1.p1.full_live) <= 2028-06-30",
            Quantile(0.5, Milestone("full_live", "ohio-1", "p1", "date")),
            [("<=", Day(dt.date(2028, 6, 30)))],
        ),
        ("mean idle_mw_days = 5,200 MW-days", Mean(Column("idle_mw_days")), [("=", Number("5,200 MW-days", 5200.0))]),
        (
            "chance(full_live(ohio.p1) <= 2028-12-31) >= 0.8",
            Chance((Comparison(Milestone("full_live", "ohio", "p1"), "<=", Day(END.day)),)),
            [(">=", Number("0.8", 0.8))],
        ),
        (
            "14 months > P2.5 day_of(ohio.lease_signed)",
            Quantile(0.025, Milestone("lease_signed", "ohio", None, "day")),
            [("<", Number("14 months", 14 * 43_830 / 1440))],
        ),
        (
            "chance(100 <= live_mw@2028-12 <= 1 GW and calls = 0) == 1",
            Chance(
                (
                    Comparison(Number("100", 100.0), "<=", Column("live_mw", None, Moment(END.day, "month"))),
                    Comparison(Column("live_mw", None, Moment(END.day, "month")), "<=", Number("1 GW", 1000.0)),
                    Comparison(Column("calls"), "=", Number("0", 0.0)),
                )
            ),
            [("=", Number("1", 1.0))],
        ),
        ("P10 live_mw@2028-02 ≥ 5", Quantile(0.1, Column("live_mw", None, Moment(dt.date(2028, 2, 29), "month"))),
         [(">=", Number("5", 5.0))]),
    ],
)  # fmt: skip
def test_what_it_means(text: str, statistic: object, bounds: list[tuple[str, object]]) -> None:
    found = parse_expectation(text)
    assert found.statistic == statistic
    assert found.bounds == tuple(Bound(*bound) for bound in bounds)  # type: ignore[arg-type]
    assert found.text == text


def test_the_words_of_it_parse_again() -> None:
    for text in (
        "P90 live_mw@2027-12 <= 3",
        "mean lab.idle_mw_days@2028 = 5",
        "chance(date_of(a.b.full_live) <= 2028-12-31 and 0.5 of x < y) >= 0.5",
        "P2.5 day_of(a.lease_signed) < 3",
    ):
        found = parse_expectation(text)
        bound = found.bounds[0]
        assert parse_expectation(f"{found.statistic} {bound.operator} {bound.operand}") == found


def test_every_quantity_is_found_once_from_left_to_right() -> None:
    found = parse_expectation("chance(a <= 0.5 of b and date_of(s.full_live) < full_live(t)) >= 0.5")
    assert [str(q) for q in quantities(found)] == ["a", "b", "date_of(s.full_live)", "date_of(t.full_live)"]
    assert [str(q) for q in quantities(parse_expectation("P50 x <= 0.5 of y"))] == ["x", "y"]


def test_a_bare_quantity_is_its_mean_only_where_that_is_asked() -> None:
    for text in ("live_mw@2028 >= 5", "5 <= live_mw@2028"):
        assert parse_expectation(text, bare="mean") == parse_expectation(f"mean {text}" if text[0] == "l" else
                                                                         "5 <= mean live_mw@2028")  # fmt: skip
        with pytest.raises(ExpressionError, match="say which statistic"):
            parse_expectation(text)


def test_quantities_alone_and_precision() -> None:
    assert parse_quantity(" lab.live_mw@2028-12-31 ") == Column("live_mw", "lab", END)
    with pytest.raises(ExpressionError, match="expected nothing more, got '>='"):
        parse_quantity("live_mw@2028 >= 3")
    live = Column("live_mw", None, END)
    assert parse_precision("live_mw@2028-12-31+-2%") == Precision(Mean(live), 0.02, True)
    assert parse_precision("P90 live_mw@2028-12-31 ± 20 MW") == Precision(Quantile(0.9, live), 20.0, False)
    chance = Chance((Comparison(Column("calls"), ">", Number("0", 0.0)),))
    assert parse_precision("chance(calls > 0) +- 1 %") == Precision(chance, 0.01, False)
    assert parse_precision("P50 full_live(a) +- 2 weeks").margin == 14
    for text in ("live_mw@2028", "live_mw@2028 +-", "live_mw@2028 +- 0", "live_mw@2028 +- 3 days"):
        with pytest.raises(ExpressionError):
            parse_precision(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("live_mw@2028", "MW"), ("live@2028", "MW"), ("live_mw_2028", "MW"), ("mw_lost", "MW"),
        ("live_mw_at_horizon", "MW"), ("calls", None), ("date_of_100_mw", "date"),
        ("loans_usd_m", "usd_m"), ("least_cash_usd_m_2028", "usd_m"), ("google.limit", "usd_m"),
        ("idle_mw_days", "MW-days"), ("excused_days", "days"), ("days_past_outside", "days"),
        ("owned_share@2028", "fraction"), ("signed_share(x)", "fraction"), ("day_of(a.full_live)", "days"),
        ("full_live(a)", "date"), ("owned_cost_per_mw_month@2028", None), ("cost_usd_m_per_mw", None),
    ],
)  # fmt: skip
def test_units_that_names_tell(text: str, unit: str | None) -> None:
    assert unit_of(parse_quantity(text)) == unit


def test_every_measure_of_the_table_is_known() -> None:
    assert set(CAPACITY.column_names) - {"replication", "tenant", "month"} <= set(MEASURES)


# What is refused, and where.


@pytest.mark.parametrize(
    ("text", "code", "says", "at"),
    [
        ("", "SYNTAX", "got nothing", 1),
        ("P50 live_mw@2028", "SYNTAX", "expected a comparison (<, <=, =, >= or >)", 17),
        ("P50 live_mw@2028 >=", "SYNTAX", "expected a quantity, such as live_mw@2030-12-31, and the text ends", 20),
        ("P50 live_mw@2028-06-31 >= 9", "DATE", "2028-06-31: day is out of range for month", 13),
        ("P50 live_mw@2028-6-30 >= 9", "DATE", "after '@' (2028-06-30, 2028-06, 2028), got '2028-6-30'", 13),
        ("P50 date_of(a.full_live) <= 30.6.2028", "DATE", "expected a date like 2028-06-30", 29),
        ("P50 live_mw@2028 >= 900 MV", "UNKNOWN", "unknown unit 'MV'; did you mean 'MW'?", 21),
        ("P50 live_mw@2028 >= $900m", "TYPE", "expected power (MW), got money '$900m'", 21),
        ("P50 live_mw@2028 >= 2028-06-30", "TYPE", "expected power (MW), got a date, '2028-06-30'", 21),
        ("P50 idle_mw_days <= 5 MW", "TYPE", "expected MW-days, such as '5200 MW-days'", 21),
        ("P50 full_live(a) <= 645", "TYPE", "expected a date like 2028-06-30, got '645'", 21),
        ("P50 day_of(a.full_live) <= 2028-06-30", "TYPE", "expected a duration (days), got a date", 28),
        ("P50 calls <= 2028-06-30", "TYPE", "expected a number, got date '2028-06-30'", 14),
        ("mean cost_per_mw <= $135/kW-month", "TYPE", "write a plain number for '$135/kW-month'", 21),
        ("P50 live_mw@2028 <= 0.5 of loans_usd_m", "TYPE", "expected power (MW), got an amount of money", 21),
        ("mean x < 0.5 of full_live(a)", "TYPE", "a date has no part", 10),
        ("p50 live_mw@2028 > 9", "UNKNOWN", "unknown statistic 'p50'; did you mean 'P50'?", 1),
        ("median calls > 9", "UNKNOWN", "did you mean 'P50'?", 1),
        ("max calls > 9", "UNKNOWN", "expected P50, mean or chance", 1),
        ("mean(calls) > 9", "SYNTAX", "'mean' takes no brackets", 1),
        ("P0 calls > 9", "RANGE", "a percentile lies between P0 and P100, got P0", 1),
        ("chance(calls > 9) >= 95", "RANGE", "a chance lies between 0 and 1, got 95; did you mean 95 %?", 22),
        ("chance(calls > 9) >= calls", "TYPE", "a chance is compared with a number", 22),
        ("chance(calls) >= 0.5", "SYNTAX", "expected a comparison", 13),
        ("chance(calls > 9 >= 0.5", "SYNTAX", "expected a quantity, or ')' before", 8),
        ("chance(3 > 9) >= 0.5", "SYNTAX", "'3' and '9' are both known", 8),
        ("chance(mean x > 9) >= 0.5", "SYNTAX", "expected a quantity, and no statistic", 8),
        ("prob(calls > 9) >= 0.5", "UNKNOWN", "did you mean 'chance'?", 1),
        ("mean x = P50 y", "SYNTAX", "one statistic is compared", 1),
        ("x < 5", "SYNTAX", "say which statistic", 1),
        ("mean x != 5", "SYNTAX", "there is no 'not equal'", 8),
        ("1 < mean x > 5", "SYNTAX", "point the same way", 3),
        ("mean x < 5 < 6", "SYNTAX", "the statistic stands between the two bounds", 1),
        ("1 < 2 < mean x < 5", "SYNTAX", "at most two comparisons", 3),
        ("mean x > 5 6", "SYNTAX", "expected nothing more, got '6'", 12),
        ("mean X > 5", "SYNTAX", "expected a quantity, such as live_mw@2030-12-31, got 'X'", 6),
        ("mean a.b.c > 5", "SYNTAX", "a milestone is asked as day_of(SITE.PHASE.MILESTONE)", 6),
        ("mean dayof(a.full_live) > 5", "UNKNOWN", "unknown function 'dayof'; did you mean 'day_of'?", 6),
        ("mean day_of(a.full_liv) > 5", "REF", "'full_liv' is no milestone; did you mean 'full_live'?", 13),
        ("mean day_of(a.p1.lease_signed) > 5", "REF", "a milestone of the site: write a, without the phase", 13),
        ("mean day_of(a.p1.installed) > 5", "REF", "a milestone of lots", 13),
        ("mean day_of(full_live) > 5", "SYNTAX", "expected day_of(SITE.PHASE.full_live)", 13),
        ("P50 full_live(a.b.c) < 2028-01-01", "SYNTAX", "expected full_live(SITE.PHASE)", 15),
        ("mean signed_share(a.b) > 5", "SYNTAX", "expected a tag or a site", 19),
        ("mean x > 1e400", "RANGE", "must be finite", 10),
        (f"mean x > {'1' * 600}", "LIMIT", "609 characters, at most 500", 501),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, code: str, says: str, at: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expectation(text)
    assert (caught.value.code, caught.value.at + 1) == (code, at)
    assert says in caught.value.message
    assert str(caught.value).endswith(f"(at character {at})")


@given(st.text(alphabet="P5 0mean<=>chane()of.@2-l_wday\"'%$é\n,", max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert parse_expectation(text).text == text.strip()


# What a scenario tells before any run.


def problems(expression: str, edits: dict[str, object] | None = None) -> list[Problem]:
    """Problems and warnings that an expectation brings to the quickstart."""
    text = (SCENARIOS / "quickstart.yaml").read_text(encoding="utf-8")
    scenario = parse(text)
    try:
        return list(scenario.edit({**(edits or {}), "expect": {"it": expression}}).warnings)
    except ScenarioError as error:
        return list(error.problems)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("P50 live_mv@2030-06-30 > 1", "UNKNOWN unknown measure 'live_mv' (at character 5); did you mean 'live_mw'?"),
        ("P50 live_mw > 1", "REQUIRED say when: live_mw@2032-12-31 (at character 5)"),
        ("P50 full_live(lakeside.hal) < 2030-01-01",
         "REF unknown phase of lakeside 'hal' (at character 5); did you mean 'hall'?"),
        ("P50 full_live(lakesid) < 2030-01-01",
         "REF unknown site 'lakesid' (at character 5); did you mean 'lakeside'?"),
        ("mean signed_share(letters) > 0.5",
         "REF unknown tag or site 'letters' (at character 6); expected lakeside or prairie or ridge"),
        ("P50 cloudmakr.calls > 1",
         "REF unknown tenant or party 'cloudmakr' (at character 5); did you mean 'cloudmaker'?"),
        ("P50 lakeside.full_live > 1", "REF 'lakeside' is a site, which has no outcomes (at character 5); "
         "a milestone is asked as date_of(lakeside.full_live) or day_of(...)"),
        ("P50 bank.limit > 1", "REF 'bank' is no guarantor, so it has no limit (at character 5)"),
        ("P50 bank.live_mw@2030 > 1", "REF 'bank' is no tenant, and live_mw is counted by tenant (at character 5)"),
        ("P50 live_mw@2027-01-15 > 1",
         "RANGE live_mw@2027-01-15: no month ends from the start, 2027-01-01, to 2027-01-15 (at character 5)"),
        ("P50 live_mw@2033-06-30 > 1",
         "WARN live_mw@2033-06-30: 2033-06-30 is after the horizon, 2032-12-31, so it is not decided (at character 5)"),
        ("P50 live_mw@2026-12 > 1",
         "WARN live_mw@2026-12: 2026-12-31 is before the start, 2027-01-01, so it is not decided (at character 5)"),
        ("P50 live_mw@2030-06-15 > 1",
         "WARN live_mw@2030-06-15: 2030-06-15 is no month end, and the state at the end of 2030-05-31 is taken "
         "(at character 5)"),
        ("mean x >", "SYNTAX expected a quantity, such as live_mw@2030-12-31, and the text ends (at character 9)"),
    ],
)  # fmt: skip
def test_what_a_scenario_tells(expression: str, says: str) -> None:
    assert [f"{p.code} {p.message}" for p in problems(expression) if p.path == "expect.it"] == [says]


@pytest.mark.parametrize(
    "expression",
    ["mean lab.what_only_a_run_knows@2030 > 1", "P50 live_mw@2032-12-31 > 1", "P50 cloudmaker.limit > 1",
     "mean signed_share(prairie) > 0.1", "P50 prairie_is_no_prefix > 1", "P50 live_mw@2030 > lab.live_mw@2029-12"],
)  # fmt: skip
def test_what_is_left_to_the_run(expression: str) -> None:
    assert [p for p in problems(expression) if p.path.startswith("expect")] == []


def test_several_tenants_must_be_told_apart() -> None:
    edits = {"tenants.rival": {"teams": {"diligence": 1}}, "parties.rival": {"rating": "BB"}}
    (found,) = [p for p in problems("P50 live_mw@2030 > 1", edits) if p.path == "expect.it"]
    assert "there are several tenants: say whose live_mw (lab, rival)" in found.message
    assert not [p for p in problems("P50 rival.live_mw@2030 > 1", edits) if p.path == "expect.it"]


def test_a_site_taken_out_is_told_and_allowed() -> None:
    (found,) = [p for p in problems("P50 full_live(ridge) < 2030-01-01", {"sites.ridge.enabled": False})
                if p.path == "expect.it"]  # fmt: skip
    assert (found.severity, "'ridge' is taken out" in found.message) == ("warning", True)


def test_faults_have_their_place_in_the_file() -> None:
    text = (SCENARIOS / "walk.yaml").read_text(encoding="utf-8").replace("ready_for_service) = 645", "ready) = 645")
    with pytest.raises(ScenarioError) as caught:
        parse(text, "walk.yaml")
    (found,) = caught.value.problems
    line = next(i for i, row in enumerate(text.splitlines(), 1) if row.startswith("  ready:"))
    assert str(found).startswith(f"walk.yaml:{line}:15: expect.ready: 'ready' is no milestone; expected loi_signed, ")


def test_expectations_are_part_of_the_scenario() -> None:
    scenario = load(SCENARIOS / "walk.yaml")
    assert scenario.edit({"expect.ready": None}).spec.expect.keys() == {"all-live", "idle-power"}
    assert scenario.edit({"expect": None}).spec.expect == {}
    assert scenario.edit({"expect": None}).hash != scenario.hash
    assert parse(scenario.to_yaml()).spec.expect == scenario.spec.expect
    with pytest.raises(ScenarioError, match="expected text, got 5; put it in quotes"):
        scenario.edit({"expect.x": 5})
