"""Plain text for a terminal: columns that line up, numbers that are short, names that cannot do harm.

Everything that comes from a scenario passes through `printable` here: a control character in a title would otherwise
reach the terminal.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable, Sequence

from dcsim.errors import printable
from dcsim.stats import Estimate

WIDTH = 80
"""Columns of a terminal that every text fits."""


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )


def clip(text: str, columns: int) -> str:
    """The text in at most so many columns, safe to print; what is cut is shown as `..`."""
    shown = printable(text)
    if width(shown) <= columns:
        return shown
    out = ""
    for character in shown:
        if width(out + character) > columns - 2:
            break
        out += character
    return out + ".."


def clip_left(text: str, columns: int) -> str:
    """The same for a dotted path, of which the end tells most."""
    shown = printable(text)
    return shown if width(shown) <= columns else ".." + clip(shown[::-1], columns)[: columns - 2][::-1]


def pad(text: str, columns: int, right: bool = False) -> str:
    """The text filled with spaces to so many columns."""
    fill = " " * max(0, columns - width(text))
    return fill + text if right else text + fill


def table(
    rows: Iterable[Sequence[str]],
    right: Sequence[int] = (),
    *,
    give: int = 0,
    indent: int = 2,
    gap: int = 2,
    columns: int = WIDTH,
) -> list[str]:
    """Lines of a table whose columns line up; the first row may be its header.

    `right` are the columns set to the right. Where the table is too wide, column `give` is clipped.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not cells:
        return []
    count = max(len(row) for row in cells)
    cells = [row + [""] * (count - len(row)) for row in cells]
    widths = [max(width(row[i]) for row in cells) for i in range(count)]
    over = indent + sum(widths) + gap * (count - 1) - columns
    if over > 0:
        widths[give] = max(8, widths[give] - over)
    lines = []
    for row in cells:
        parts = [pad(clip(cell, widths[i]), widths[i], i in right) for i, cell in enumerate(row)]
        lines.append((" " * indent + (" " * gap).join(parts)).rstrip())
    return lines


def listed(prefix: str, items: Sequence[str], indent: int = 2, hanging: int = 4, columns: int = WIDTH) -> list[str]:
    """Items after a prefix, joined by commas and broken between them only."""
    lines = [" " * indent + printable(prefix)]
    for index, item in enumerate(items):
        text = printable(item) + ("," if index < len(items) - 1 else "")
        if width(lines[-1]) + 1 + width(text) > columns:
            lines.append(" " * hanging + text)
        else:
            lines[-1] += f" {text}"
    return lines


def wrap(text: str, indent: int = 2, columns: int = WIDTH, hanging: int | None = None) -> list[str]:
    """A paragraph in lines; those after the first are indented by `hanging`."""
    first, later = " " * indent, " " * (indent if hanging is None else hanging)
    lines: list[str] = []
    line = first
    for word in printable(text).split(" "):
        if not word:
            continue
        joined = line + word if not line.strip() else f"{line} {word}"
        if width(joined) > columns and line.strip():
            lines.append(line)
            line = later + word
        else:
            line = joined
    return [*lines, line]


# ---- numbers ------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """A count, MW or days: whole from ten up, one place below, none where it is idle."""
    if math.isinf(value):
        return "never" if value > 0 else "-never"
    text = f"{value:,.0f}" if abs(value) >= 9.95 or abs(value - round(value)) < 0.05 else f"{value:.1f}"
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """A difference: with its sign, except zero."""
    text = number(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"


def percent(value: float) -> str:
    """A share in percent: whole, or with a place where it is below one or nearly all."""
    scaled = 100 * value
    near = 0 < scaled < 0.95 or 99.05 < scaled < 100
    return f"{scaled:.1f} %" if near else f"{scaled:.0f} %"


def between(low: float | None, high: float | None) -> str:
    """An interval of counts, MW or days: `(36-60)`; nothing without one."""
    if low is None or high is None:
        return ""
    if low < 0 or high < 0:
        return f"({number(low)} to {number(high)})"
    return f"({number(low)}-{number(high)})"


def amount(estimate: Estimate) -> str:
    """A number with its interval: `48 (36-60)`; the number alone where there is none.

    What is counted is never below zero, and so is its interval."""
    shown = number(estimate.value)
    if estimate.low is None or estimate.high is None:
        return shown
    low = max(estimate.low, 0.0) if estimate.value >= 0 else estimate.low
    return f"{shown} {between(low, estimate.high)}"


def chance(estimate: Estimate) -> str:
    """A chance with its interval, or its note where it is all or nothing: `93 % (91-95)`, `0 of 20, at most 14 %`."""
    n = estimate.n
    if n == 1:
        return "yes" if estimate.value else "no"
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return percent(estimate.value)
    if estimate.value == 0:
        return f"0 of {n:,}, at most {percent(high)}"
    if estimate.value == 1:
        return f"{n:,} of {n:,}, at least {percent(low)}"
    return f"{percent(estimate.value)} ({percent(low).removesuffix(' %')}-{percent(high).removesuffix(' %')})"


def date(day: dt.date | None, horizon: dt.date) -> str:
    """A date, or that it is not reached by the horizon."""
    return f"not by {horizon.isoformat()}" if day is None else day.isoformat()


def around(day: dt.date | None, low: dt.date | None, high: dt.date | None) -> str:
    """Days from a date to the ends of its interval: `-20 +31 d`.

    `-20 d, open` where it ends after the horizon, `from 2029-03-12` where only its lower end lies before that.
    """
    if day is None:
        return "" if low is None else f"from {low.isoformat()}"
    below = "" if low is None else f"-{(day - low).days}"
    above = "open" if high is None else f"+{(high - day).days}"
    return f"{below} {above} d" if high is not None else f"{below} d, {above}"
