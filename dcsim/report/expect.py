"""What was expected, and what became of it: as plain data, as rows of the terminal, as messages."""

from __future__ import annotations

import math
from typing import Any

from dcsim import units
from dcsim.errors import printable
from dcsim.report.text import around, chance, number, percent
from dcsim.stats import Estimate
from dcsim.study.expect import Judged
from dcsim.study.values import calendar_date


def expect_data(judged: Judged) -> dict[str, Any]:
    """An expectation as JSON has it: `value`, `low` and `high` are null where not reached, or where there are none."""
    estimate = judged.estimate
    ends = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    return {
        "id": judged.id,
        "expression": judged.text,
        "verdict": judged.verdict,
        "unit": judged.unit,
        "of_difference": judged.of_difference,
        **{name: _plain(end, judged.unit) for name, end in zip(("value", "low", "high"), ends, strict=True)},
        "n": 0 if estimate is None else estimate.n,
        "note": judged.note,
        "found": found(judged),
    }


def _plain(value: float | None, unit: str | None) -> float | str | None:
    if value is None or not math.isfinite(value):
        return None
    if unit == "date":
        day = calendar_date(value)
        return None if day is None else day.isoformat()
    return value


def found(judged: Judged) -> str:
    """What the statistic came to, with its interval: `62 % (59-65)`."""
    estimate = judged.estimate
    if estimate is None:
        return "nothing"
    shown = amount_in(estimate, judged.unit)
    return f"difference {shown}" if judged.of_difference else shown


def amount_in(estimate: Estimate, unit: str | None) -> str:
    """An estimate in its unit: `48 MW (36-60)`, `US$1.2bn (1.1-1.3)`, `2029-09-08 -39 +36 d`, `0 of 60, at most 5 %`.
    """
    low, high = estimate.low, estimate.high
    value = value_in(estimate.value, unit)
    if low is None or high is None or low == high:
        return value
    if unit == "fraction" and estimate.note and estimate.value in (0, 1):
        return chance(estimate)
    if unit == "date":
        return f"{value} {around(*(calendar_date(day) for day in (estimate.value, low, high)))}"
    ends = [bare(end, unit, estimate.value) for end in (low, high)]
    joint = "-" if min(low, high) >= 0 and math.isfinite(high) else " to "
    return f"{value} ({joint.join(ends)})"


def bare(value: float, unit: str | None, beside: float) -> str:
    """An end of an interval, without the unit that stands before it: that of the number `beside` it."""
    if math.isinf(value):
        return "open"
    if unit == "fraction":
        return percent(value).removesuffix(" %")
    if unit == "usd_m":
        return f"{value / (1000 if abs(beside) >= 1000 else 1):,.3g}"
    return f"{value:,.4g}" if unit is None else number(value)


def value_in(value: float, unit: str | None) -> str:
    """A number in its unit: `48 MW`, `62 %`, `US$1.2bn`, `2029-09-08`, `645 d`; `never` for what is not reached."""
    if unit == "usd_m":
        if math.isfinite(value) and abs(value) < 1:
            return f"US${value:.3g}m"
        return units.format(value, "usd_m") if math.isfinite(value) else "no limit"
    if math.isinf(value):
        return "never" if value > 0 else "-never"
    if unit == "date":
        return str(calendar_date(value))
    if unit == "fraction":
        return percent(value)
    return f"{value:,.4g}" if unit is None else f"{number(value)} {'d' if unit == 'days' else unit}"


def message(judged: Judged) -> str:
    """A line about an expectation that failed, or could not be decided."""
    what = f"expect.{judged.id}: {judged.text}"
    if judged.verdict == "fail":
        return printable(f"{what} failed: found {found(judged)}")
    n = 0 if judged.estimate is None else judged.estimate.n
    why = judged.note or f"the interval holds values on both sides at {n:,} replication{'' if n == 1 else 's'}"
    return printable(f"{what} is undecided: found {found(judged)}; {why}")
