"""Numbers with units: ``14 months``, ``$135/kW-month``, ``1.2 GW`` to the unit a field is kept in, and back to text.

A unit is a scale and the powers of five things (time in days, power in MW, money in US$ million, racks, other units),
so a compound such as ``$m/MW-year`` needs no entry of its own. A month is 43,830 minutes and a year twelve of them.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import NamedTuple

from dcsim.errors import printable, suggest

Dimension = tuple[int, int, int, int, int]
"""Powers of time, power, money, racks and units."""

_NONE: Dimension = (0, 0, 0, 0, 0)
_TIME: Dimension = (1, 0, 0, 0, 0)
_POWER: Dimension = (0, 1, 0, 0, 0)
_MONEY: Dimension = (0, 0, 1, 0, 0)
_ENERGY: Dimension = (1, 1, 0, 0, 0)
_RACKS: Dimension = (0, 0, 0, 1, 0)
_ITEMS: Dimension = (0, 0, 0, 0, 1)

_MONTH = Fraction(43_830, 1440)

_NAMES: dict[str, tuple[Fraction, Dimension]] = {
    **dict.fromkeys(("min", "minute", "minutes"), (Fraction(1, 1440), _TIME)),
    **dict.fromkeys(("h", "hour", "hours"), (Fraction(1, 24), _TIME)),
    **dict.fromkeys(("d", "day", "days"), (Fraction(1), _TIME)),
    **dict.fromkeys(("week", "weeks"), (Fraction(7), _TIME)),
    **dict.fromkeys(("month", "months"), (_MONTH, _TIME)),
    **dict.fromkeys(("year", "years"), (12 * _MONTH, _TIME)),
    "W": (Fraction(1, 10**6), _POWER),
    "kW": (Fraction(1, 1000), _POWER),
    "MW": (Fraction(1), _POWER),
    "GW": (Fraction(1000), _POWER),
    "TW": (Fraction(10**6), _POWER),
    "kWh": (Fraction(1, 24_000), _ENERGY),
    "MWh": (Fraction(1, 24), _ENERGY),
    "GWh": (Fraction(1000, 24), _ENERGY),
    "TWh": (Fraction(10**6, 24), _ENERGY),
    **dict.fromkeys(("rack", "racks"), (Fraction(1), _RACKS)),
    **dict.fromkeys(("unit", "units"), (Fraction(1), _ITEMS)),
    "%": (Fraction(1, 100), _NONE),
    "bp": (Fraction(1, 10_000), _NONE),
}

_MAGNITUDES = {
    **dict.fromkeys(("k", "K", "thousand"), 10**3),
    **dict.fromkeys(("m", "M", "mn", "million"), 10**6),
    **dict.fromkeys(("bn", "b", "B", "billion"), 10**9),
    **dict.fromkeys(("tn", "T", "trillion"), 10**12),
}

# A unit that a field may be kept in: how it is written as text, what it is called in messages, an example.
_FIELDS: dict[str, tuple[str, str, str]] = {
    "days": ("days", "a duration (days)", "60 or '14 months'"),
    "MW": ("MW", "power (MW)", "100 or '1.2 GW'"),
    "kW": ("kW", "power (kW)", "125 or '125 kW'"),
    "usd_m": ("$m", "an amount of money (US$ million)", "300 or '$1.6bn'"),
    "usd_m_per_mw": ("$m/MW", "a price per MW (US$ million per MW)", "11 or '$11m/MW'"),
    "usd_m_per_mw_year": ("$m/MW-year", "a price per MW and year (US$ million)", "0.3 or '$0.3m/MW-year'"),
    "usd_per_kw_month": ("$/kW-month", "a price per kW and month (US$)", "135 or '$135/kW-month'"),
    "usd_per_mwh": ("$/MWh", "a price of energy (US$ per MWh)", "55 or '$55/MWh'"),
    "usd_m_per_month": ("$m/month", "money per month (US$ million)", "1250 or '$1.25bn/month'"),
    "per_year": ("/year", "a rate per year", "0.15 or '0.15/year'"),
    "racks": ("racks", "a number of racks", "800 or '800 racks'"),
    "racks_per_month": ("racks/month", "racks per month", "500 or '500 racks/month'"),
    "racks_per_day": ("racks/day", "racks per day", "20 or '20 racks/day'"),
    "units_per_month": ("units/month", "units per month", "4 or '4/month'"),
    "mw_per_year": ("MW/year", "power per year (MW)", "500 or '500 MW/year'"),
    "fraction": ("", "a fraction", "0.8 or '80 %'"),
    "count": ("", "a count", "3"),
    "number": ("", "a number", "1.5"),
}

CANONICAL = {unit: row[0] for unit, row in _FIELDS.items()}
"""How each unit that a field may be kept in is written as text."""

DIMENSION_NAMES = {unit: row[1] for unit, row in _FIELDS.items()}
"""What a field kept in a unit expects, for messages."""

_NUMBER = re.compile(
    r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
)
_BARE = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_HEAD = re.compile(r"\s*([-+−]?)\s*(US\$|USD(?=[\s0-9])|\$)?\s*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2}(?:[T ].*)?)?")
_LONGEST = 200


class UnitError(ValueError):
    """A value that is not what its field is kept in; ``code`` is a problem code, ``message`` says why."""

    code: str
    message: str

    def __init__(self, code: str = "TYPE", message: str = "not a number with a unit") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class Parts(NamedTuple):
    """A text such as ``$33.2bn`` in three pieces: what stands before the number, the number, what follows it."""

    head: str
    number: str
    tail: str


def parse(raw: object, unit: str, given: str | None = None) -> float:
    """The value of ``raw`` in the canonical ``unit``.

    A plain number is in ``unit`` already, or in the unit text ``given`` (``months``, ``$m/MW``); a text carries its
    own. Raises UnitError with what was expected and what was found.
    """
    if isinstance(raw, str):
        return _finite(_from_text(raw, unit))
    if isinstance(raw, Real) and not isinstance(raw, bool):
        try:
            value = float(raw)
        except OverflowError:
            raise UnitError("RANGE", "must be finite, got a number beyond 1e308") from None
        if not math.isfinite(value):
            raise UnitError("RANGE", f"must be finite, got {'not a number' if math.isnan(value) else 'infinity'}")
        return _finite(Fraction(value) * scale(given, unit)) if given is not None else value + 0.0
    raise UnitError("REQUIRED" if raw is None else "TYPE", _expected(unit, raw))


def scale(text: str, unit: str) -> Fraction:
    """What one of ``text`` (a unit without a number: ``weeks``, ``$m/MW``) is in the canonical ``unit``.

    Raises UnitError for an unknown unit or another dimension.
    """
    head = _HEAD.match(text)
    assert head is not None  # every part of it may be empty
    if head[1] or text[head.end() :][:1].isdigit():
        raise UnitError("TYPE", f"expected a unit such as '{CANONICAL[unit] or '%'}', got text '{_short(text)}'")
    size, dimension = _unit(head[2], text[head.end() :])
    _same(dimension, unit, text)
    return size / _canonical(unit)[0]


def split(text: str) -> Parts | None:
    """The pieces of a text that has a number in it at its start (``$33.2bn``, ``0.05 of cost``), else None."""
    head = _HEAD.match(text)
    assert head is not None
    number = _NUMBER.match(text, head.end())
    if len(text) > _LONGEST or number is None or _DATE.fullmatch(text.strip()) or text[number.end() :][:1] == ":":
        return None
    sign = "-" if head[1] in ("-", "−") else ""
    return Parts(head[2] or "", sign + re.sub("[_,]", "", number[0]), text[number.end() :])


def convert(text: str, like: str) -> Fraction:
    """The amount in ``text`` as a number of the unit in which ``like`` is written.

    ``convert("6 months", "1 year")`` is 1/2. Raises UnitError where either has no unit or the dimensions differ.
    """
    (value, dimension), (_, wanted) = measure(text), measure(like)
    if dimension != wanted:
        found = f"{_kind(dimension)} '{_short(text)}'"
        raise UnitError("TYPE", f"expected {_kind(wanted)} as in '{_short(like)}', got {found}")
    parts = split(like)
    assert parts is not None  # it was measured
    return value / _unit(parts.head, parts.tail)[0]


def measure(text: str) -> tuple[Fraction, Dimension]:
    """Value in base units (days, MW, US$ million, racks, units) and dimension. Raises UnitError."""
    parts = split(text)
    if parts is None:
        raise UnitError("TYPE", f"expected a number with a unit, got {describe(text)}")
    size, dimension = _unit(parts.head, parts.tail)
    return _exact(parts.number) * size, dimension


def is_date(text: str) -> bool:
    """Whether a text looks like a date (``2026-07-01``, ``2026-07``), valid or not."""
    return _DATE.fullmatch(text) is not None


def describe(raw: object) -> str:
    """What a value is, for messages: ``text 'x'``, ``a list``, ``null``, ``date '2026-01-01'``."""
    if raw is None:
        return "null"
    if isinstance(raw, bool):
        return f"{str(raw).lower()}"
    if isinstance(raw, dt.date):
        return f"date '{raw.isoformat()}'"
    if isinstance(raw, str):
        return f"{'date' if is_date(raw.strip()) else 'text'} '{_short(raw)}'"
    if isinstance(raw, Mapping):
        return "a mapping"
    if isinstance(raw, Sequence):
        return "a list"
    return _short(repr(raw))


@lru_cache(maxsize=65536)
def _from_text(raw: str, unit: str) -> Fraction:
    text = raw.strip()
    if is_date(text):
        raise UnitError("TYPE", _expected(unit, text))
    if _BARE.fullmatch(text):
        raise UnitError("TYPE", f"expected a number, got text '{_short(raw)}'; remove the quotes")
    parts = split(text)
    if parts is None:
        raise UnitError("TYPE", _expected(unit, raw))
    value = _exact(parts.number)
    if not parts.head and not parts.tail.strip():
        return value  # digits in groups, as in 1_000
    size, dimension = _unit(parts.head, parts.tail)
    _same(dimension, unit, raw)
    return value * size / _canonical(unit)[0]


def _exact(number: str) -> Fraction:
    if not math.isfinite(float(number)):
        raise UnitError("RANGE", f"must be finite ({_short(number)} overflows)")
    return Fraction(number) if float(number) else Fraction(0)


def _finite(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UnitError("RANGE", "must be finite, got a number beyond 1e308") from None


@lru_cache(maxsize=4096)
def _unit(currency: str | None, text: str) -> tuple[Fraction, Dimension]:
    """Scale and dimension of what follows a number; ``currency`` is the sign before it, if any."""
    rest = text.strip()
    size, powers = Fraction(1), list(_NONE)
    if currency:
        word = re.match(r"[A-Za-z]*", rest)
        name = word[0] if word else ""
        if name and name != "per":
            if name not in _MAGNITUDES:
                raise UnitError("UNKNOWN", f"unknown magnitude '{_short(name)}' after '$'; write k, m, bn or tn")
            size *= _MAGNITUDES[name]
            rest = rest[len(name) :].strip()
        size, powers[2] = size / 10**6, 1
        if rest and not re.match(r"/|per\b", rest):
            raise UnitError("UNKNOWN", f"unknown unit '{_short(rest)}' after an amount of money")
    over = re.split(r"\s*/\s*|\s*\bper\s+", rest)
    for part, sign in [(over[0], 1), *((part, -1) for part in over[1:])]:
        if not part:
            if sign < 0:
                raise UnitError("UNKNOWN", f"unknown unit '{_short(text.strip())}': nothing stands after '/'")
            continue
        for name in re.split(r"\s*[-·*]\s*", part):
            one, dimension = _named(name)
            size *= one**sign
            powers = [p + sign * d for p, d in zip(powers, dimension, strict=True)]
    return size, (powers[0], powers[1], powers[2], powers[3], powers[4])


def _named(name: str) -> tuple[Fraction, Dimension]:
    if name in _NAMES:
        return _NAMES[name]
    if not name:
        raise UnitError("UNKNOWN", "unknown unit: nothing stands on one side of '-'")
    if name == "m":
        raise UnitError("UNKNOWN", "unknown unit 'm'; write months, min, or '$' before millions")
    if name in _MAGNITUDES:
        raise UnitError("UNKNOWN", f"unknown unit '{name}'; money begins with '$'")
    raise UnitError("UNKNOWN", f"unknown unit '{_short(name)}'{suggest(name, _NAMES)}")


@lru_cache(maxsize=64)
def _canonical(unit: str) -> tuple[Fraction, Dimension]:
    text = CANONICAL[unit]
    return _unit("$", text[1:]) if text.startswith("$") else _unit(None, text)


def _same(found: Dimension, unit: str, text: str) -> None:
    wanted = _canonical(unit)[1]
    # `500/month` will do for racks a month and `4/month` for units a month: the field says of what.
    if found != wanted and not (found[0] and found == (*wanted[:3], 0, 0)):
        raise UnitError("TYPE", f"expected {DIMENSION_NAMES[unit]}, got {_kind(found)} '{_short(text)}'")


_KINDS: dict[Dimension, str] = {
    _NONE: "a plain number",
    _TIME: "a duration",
    _POWER: "power",
    _MONEY: "money",
    _ENERGY: "energy",
    _RACKS: "racks",
    _ITEMS: "units",
    (-1, 0, 0, 0, 0): "a rate",
    (0, -1, 1, 0, 0): "a price per power",
    (-1, -1, 1, 0, 0): "a price per power and time",
    (-1, 0, 1, 0, 0): "money per time",
    (-1, 0, 0, 1, 0): "racks per time",
    (-1, 0, 0, 0, 1): "units per time",
    (-1, 1, 0, 0, 0): "power per time",
}


def _kind(dimension: Dimension) -> str:
    return _KINDS.get(dimension, "another unit")


def _expected(unit: str, raw: object) -> str:
    if raw is None:
        return "required, got null"
    name = DIMENSION_NAMES[unit]
    what = "a number" if isinstance(raw, dt.date) or (isinstance(raw, str) and is_date(raw)) else name
    return f"expected {what}, such as {_FIELDS[unit][2]}, got {describe(raw)}"


def _short(text: str) -> str:
    shown = printable(text[:61])
    return shown if len(text) <= 60 else f"{shown[:57]}..."


def format(value: float, unit: str) -> str:
    """``value``, given in the canonical ``unit``, as people write it: ``1.20 GW``, ``US$3.2bn``, ``60 days``."""
    if unit == "days":
        return f"{_digits(value)} day{'' if value == 1 else 's'}"
    if unit == "MW":
        return f"{value / 1000:,.2f} GW" if abs(value) >= 1000 else f"{_digits(value)} MW"
    if unit == "usd_m":
        return _money(value, "US$")
    if unit == "fraction":
        return f"{_digits(100 * value)} %"
    text = CANONICAL[unit]
    if text.startswith("$m"):
        return _money(value) + text[2:]
    if text.startswith("$"):
        return f"{'-' if value < 0 else ''}${_digits(abs(value))}{text[1:]}"
    if unit == "units_per_month":
        return f"{_digits(value)}/month"
    return f"{_digits(value)}{'' if not text or text.startswith('/') else ' '}{text}"


def _money(usd_m: float, sign: str = "$") -> str:
    size = abs(usd_m)
    name, over = ("bn", 1000.0) if size >= 1000 else ("m", 1.0) if size >= 1 or size == 0 else ("k", 0.001)
    return f"{'-' if usd_m < 0 else ''}{sign}{_digits(size / over)}{name if size else ''}"


def _digits(value: float) -> str:
    """Three significant digits, whole from 100 up, without idle zeros."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 99.95 or value == 0:
        return f"{value:,.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
