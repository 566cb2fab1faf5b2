"""Numbers with units."""

from __future__ import annotations

import datetime as dt
import math
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcsim import units
from dcsim.units import UnitError, parse


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("14 months", "days", 14 * 30.4375),
        ("1 month", "days", 43_830 / 1440),
        ("60 days", "days", 60),
        ("1 day", "days", 1),
        ("3 weeks", "days", 21),
        ("2 years", "days", 730.5),
        ("12 hours", "days", 0.5),
        ("36 minutes", "days", 0.025),
        ("1.2 GW", "MW", 1200),
        ("100MW", "MW", 100),
        ("125 kW", "kW", 125),
        ("1 MW", "kW", 1000),
        ("1,092 MW", "MW", 1092),
        ("$20bn", "usd_m", 20_000),
        ("$1.6m", "usd_m", 1.6),
        ("$300k", "usd_m", 0.3),
        ("$1,250,000", "usd_m", 1.25),
        ("US$ 2bn", "usd_m", 2000),
        ("US$2 billion", "usd_m", 2000),
        ("-$5m", "usd_m", -5),
        ("$135/kW-month", "usd_per_kw_month", 135),
        ("$135 per kW per month", "usd_per_kw_month", 135),
        ("$11m/MW", "usd_m_per_mw", 11),
        ("$11,000/kW", "usd_m_per_mw", 11),
        ("$0.3m/MW-year", "usd_m_per_mw_year", 0.3),
        ("$135/kW-month", "usd_m_per_mw_year", 1.62),
        ("$55/MWh", "usd_per_mwh", 55),
        ("$0.055/kWh", "usd_per_mwh", 55),
        ("$1.25bn/month", "usd_m_per_month", 1250),
        ("0.15/year", "per_year", 0.15),
        ("0.01/month", "per_year", 0.12),
        ("-0.08/year", "per_year", -0.08),
        ("30 %/year", "per_year", 0.3),
        ("800 racks", "racks", 800),
        ("500/month", "racks_per_month", 500),
        ("500 racks/month", "racks_per_month", 500),
        ("6000 racks/year", "racks_per_month", 500),
        ("4/month", "units_per_month", 4),
        ("4 units/month", "units_per_month", 4),
        ("20 racks/day", "racks_per_day", 20),
        ("20/day", "racks_per_day", 20),
        ("500 MW/year", "mw_per_year", 500),
        ("80 %", "fraction", 0.8),
        ("80%", "fraction", 0.8),
        ("350 bp", "fraction", 0.035),
        ("1_00", "MW", 100),
        ("1e3 MW", "MW", 1000),
    ],
)
def test_texts_with_units(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == value


@pytest.mark.parametrize("unit", units.DIMENSION_NAMES)
def test_a_plain_number_is_in_the_fields_unit(unit: str) -> None:
    assert parse(7, unit) == 7.0
    assert parse(0.25, unit) == 0.25
    assert math.copysign(1, parse(-0.0, unit)) == 1


@pytest.mark.parametrize(
    ("raw", "unit", "code", "words"),
    [
        ("100", "MW", "TYPE", ["expected a number, got text '100'", "remove the quotes"]),
        ("1e3", "days", "TYPE", ["remove the quotes"]),
        ("1:40", "MW", "TYPE", ["expected power (MW)", "text '1:40'"]),
        ("2026-01-01", "MW", "TYPE", ["expected a number", "got date '2026-01-01'"]),
        (dt.date(2026, 1, 1), "MW", "TYPE", ["got date"]),
        ("100 MW", "days", "TYPE", ["expected a duration (days)", "got power '100 MW'"]),
        ("14 months", "usd_m", "TYPE", ["money", "got a duration '14 months'"]),
        ("$135", "usd_per_kw_month", "TYPE", ["a price per kW and month", "got money"]),
        ("5 racks/month", "units_per_month", "TYPE", ["got racks per time"]),
        ("80 %", "racks", "TYPE", ["a number of racks", "got a plain number '80 %'"]),
        ("300 MV", "MW", "UNKNOWN", ["unknown unit 'MV'", "did you mean 'MW'"]),
        ("100 mw", "MW", "UNKNOWN", ["did you mean 'MW'"]),
        ("3 Months", "days", "UNKNOWN", ["did you mean 'months'"]),
        ("14 m", "days", "UNKNOWN", ["unknown unit 'm'", "months"]),
        ("20bn", "usd_m", "UNKNOWN", ["money begins with '$'"]),
        ("$5q", "usd_m", "UNKNOWN", ["'q'", "bn"]),
        ("5 racks/", "racks", "UNKNOWN", ["after '/'"]),
        ("0.05 of cost", "usd_m", "UNKNOWN", ["of cost"]),
        ("hello", "days", "TYPE", ["a duration (days)", "'14 months'", "text 'hello'"]),
        ("__import__('os').system('id')", "days", "TYPE", ["a duration"]),
        ("", "days", "TYPE", ["text ''"]),
        ("day 600", "days", "TYPE", ["text 'day 600'"]),
        (None, "MW", "REQUIRED", ["required, got null"]),
        ([100], "MW", "TYPE", ["got a list"]),
        ({}, "MW", "TYPE", ["got a mapping"]),
        (True, "MW", "TYPE", ["got true"]),
        (math.inf, "MW", "RANGE", ["must be finite, got infinity"]),
        (math.nan, "MW", "RANGE", ["must be finite"]),
        (10**400, "MW", "RANGE", ["must be finite"]),
        ("1e400 MW", "MW", "RANGE", ["must be finite (1e400 overflows)"]),
        ("9e307 GW", "MW", "RANGE", ["must be finite"]),
        ("1" * 300 + " MW", "MW", "TYPE", ["expected power"]),
    ],
)
def test_refusals_say_what_was_expected_and_found(raw: object, unit: str, code: str, words: list[str]) -> None:
    with pytest.raises(UnitError) as caught:
        parse(raw, unit)
    assert caught.value.code == code
    for word in words:
        assert word in caught.value.message
    assert str(caught.value) == caught.value.message
    assert str(pickle.loads(pickle.dumps(caught.value))) == caught.value.message


def test_a_common_unit_holds_for_bare_numbers() -> None:
    assert parse(9, "days", "months") == 9 * 30.4375
    assert parse(128, "days", "weeks") == 896
    assert parse(11.5, "usd_m_per_mw", "$m/MW") == 11.5
    assert parse(129, "usd_per_kw_month", "$/kW-month") == 129
    assert parse("2 years", "days", "months") == 730.5
    assert units.scale("$m/MW", "usd_m_per_mw") == 1
    with pytest.raises(UnitError, match="got power 'MW'"):
        parse(9, "days", "MW")
    with pytest.raises(UnitError, match="expected a unit"):
        units.scale("9 months", "days")


def test_conversions_are_exact_not_nearly() -> None:
    assert parse("$1.6bn", "usd_m") == 1600.0
    assert parse("0.1 GW", "MW") == 100.0
    assert parse("35 %", "fraction") == 0.35
    assert units.convert("6 months", "1 year") == Fraction(1, 2)
    with pytest.raises(UnitError, match="expected a duration as in '1 year', got power"):
        units.convert("6 MW", "1 year")


def test_split_finds_the_number_in_a_text() -> None:
    assert units.split("$33.2bn") == ("$", "33.2", "bn")
    assert units.split("0.05 of cost") == ("", "0.05", " of cost")
    assert units.split("-0.08/year") == ("", "-0.08", "/year")
    assert units.split("every_passing") is None
    assert units.split("2026-10-15") is None
    assert units.split("1:40") is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1200, "MW", "1.20 GW"),
        (100, "MW", "100 MW"),
        (69, "kW", "69 kW"),
        (3200, "usd_m", "US$3.2bn"),
        (150, "usd_m", "US$150m"),
        (0.3, "usd_m", "US$300k"),
        (0, "usd_m", "US$0"),
        (-5, "usd_m", "-US$5m"),
        (135, "usd_per_kw_month", "$135/kW-month"),
        (60, "days", "60 days"),
        (1, "days", "1 day"),
        (0.5, "days", "0.5 days"),
        (11.5, "usd_m_per_mw", "$11.5m/MW"),
        (1250, "usd_m_per_month", "$1.25bn/month"),
        (0.15, "per_year", "0.15/year"),
        (1234.5, "racks", "1,234 racks"),
        (500, "racks_per_month", "500 racks/month"),
        (4, "units_per_month", "4/month"),
        (0.8, "fraction", "80 %"),
        (3, "count", "3"),
    ],
)
def test_format(value: float, unit: str, text: str) -> None:
    assert units.format(value, unit) == text


@given(st.floats(1e-3, 1e6), st.sampled_from(sorted(set(units.DIMENSION_NAMES) - {"count", "number"})))
def test_what_is_printed_reads_back_to_three_digits(value: float, unit: str) -> None:
    assert parse(units.format(value, unit), unit) == pytest.approx(value, rel=6e-3)


@given(st.text(max_size=40), st.sampled_from(sorted(units.DIMENSION_NAMES)))
def test_any_text_is_a_finite_number_or_a_unit_error(text: str, unit: str) -> None:
    try:
        value, code = parse(text, unit), "TYPE"
    except UnitError as error:
        value, code = 0.0, error.code
    assert math.isfinite(value)
    assert code in {"TYPE", "UNKNOWN", "RANGE"}
