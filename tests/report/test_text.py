"""The pieces of which every text is made."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from dcsim.report import text
from dcsim.stats import Estimate, share

HORIZON = dt.date(2032, 12, 31)


def test_columns_line_up_and_names_are_made_safe() -> None:
    rows = [["name", "MW"], ["a\x1b[31m", "5"], ["Größe", "1,000"], ["会社", "7"]]
    assert text.table(rows, right=[1]) == [
        "  name          MW",
        "  a\\x1b[31m      5",
        "  Größe      1,000",
        "  会社           7",
    ]


def test_one_column_gives_way_where_a_table_is_too_wide() -> None:
    lines = text.table([["x" * 50, "y" * 40, "z"]], give=1)
    assert lines == ["  " + "x" * 50 + "  " + "y" * 21 + "..  z"]
    assert len(lines[0]) == 80


def test_clipped_text_keeps_to_its_columns() -> None:
    assert text.clip("abcdef", 6) == "abcdef"
    assert text.clip("abcdefg", 6) == "abcd.."
    assert text.clip("会社会社", 6) == "会社.."
    assert text.clip_left("sites.a.b", 9) == "sites.a.b"
    assert text.clip_left("sites.a.b", 7) == "..s.a.b"


def test_paragraphs_and_lists_break_between_words_and_items() -> None:
    assert text.wrap("aa bb cc dd", 1, 7, hanging=2) == [" aa bb", "  cc dd"]
    assert text.listed("x:", ["aa 1", "bb 2", "cc 3"], columns=12) == ["  x: aa 1,", "    bb 2,", "    cc 3"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (-0.01, "0"), (0.4, "0.4"), (1.0, "1"), (9.94, "9.9"), (9.96, "10"), (12.5, "12"), (1234.5, "1,234"),
     (-3.25, "-3.2"), (math.inf, "never")],
)  # fmt: skip
def test_numbers(value: float, shown: str) -> None:
    assert text.number(value) == shown


def test_differences_carry_their_sign() -> None:
    assert [text.signed(x) for x in (3, -3, 0, 0.01)] == ["+3", "-3", "0", "0"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 %"), (0.003, "0.3 %"), (0.0096, "1 %"), (0.5, "50 %"), (0.994, "99.4 %"), (1, "100 %")],
)
def test_shares(value: float, shown: str) -> None:
    assert text.percent(value) == shown


def test_a_chance_is_never_printed_without_its_interval_or_count() -> None:
    assert text.chance(share(93, 100)) == "93 % (86-97)"
    assert text.chance(share(0, 20)) == "0 of 20, at most 14 %"
    assert text.chance(share(1000, 1000)) == "1,000 of 1,000, at least 99.7 %"
    assert (text.chance(share(1, 1)), text.chance(share(0, 1))) == ("yes", "no")


def test_an_amount_and_its_interval() -> None:
    assert text.amount(Estimate(48, 36, 60, 100)) == "48 (36-60)"
    assert text.amount(Estimate(48, None, None, 10, "too few")) == "48"
    assert text.amount(Estimate(3, -3.3, 9.3, 20)) == "3 (0-9.3)"
    assert text.amount(Estimate(-3, -5, -1, 20)) == "-3 (-5 to -1)"


def test_days_around_a_date() -> None:
    day = dt.date(2029, 3, 12)
    assert text.around(day, day - dt.timedelta(20), day + dt.timedelta(31)) == "-20 +31 d"
    assert text.around(day, day, None) == "-0 d, open"
    assert text.around(None, day, None) == "from 2029-03-12"
    assert text.around(None, None, None) == ""
