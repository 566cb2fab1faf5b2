"""What pydantic found wrong with a field, in plain words: what was expected, what was found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from dcsim.errors import printable, suggest
from dcsim.units import describe

_EXPECTED = {
    "string_type": "text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), "a mapping"),
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
}

_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
}

_MOST_NAMED = 12


def worded(kind: str, found: Any, context: dict[str, Any], message: str) -> tuple[str, str]:
    """Problem code and message for a pydantic error: its type, what stood there, its context and its own words."""
    if kind == "missing":
        return "REQUIRED", "required, and missing"
    if found is None:
        return "REQUIRED", "required, got null"
    if kind.isupper():
        return kind, message
    if kind in _EXPECTED:
        return _mistaken(_EXPECTED[kind], found)
    if kind == "literal_error":
        return _no_choice(context["expected"], found)
    if kind in _BOUNDS:
        name, sign = _BOUNDS[kind]
        return "RANGE", f"must be {sign} {_number(context[name])}, got {_number(found)}"
    if kind == "finite_number":
        return "RANGE", f"must be finite, got {_number(found)}"
    if kind == "too_short":
        return "RANGE", f"expected at least {_entries(context['min_length'])}, got {context['actual_length'] or 'none'}"
    if kind == "string_too_short":
        return "RANGE", "must not be empty"
    if kind == "string_too_long":
        return "RANGE", f"at most {context['max_length']} characters, got {len(found)}"
    return "TYPE", f"{message[:1].lower()}{message[1:]}, got {describe(found)}"


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The message for a key that a block does not have."""
    names = list(known)
    hint = suggest(key, names)
    if not hint and 0 < len(names) <= _MOST_NAMED:
        hint = f"; expected {choices(names)}"
    return f"unknown key '{printable(key[:80])}'{hint}"


def choices(names: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end


def _mistaken(expected: str, found: Any) -> tuple[str, str]:
    if isinstance(found, float) and expected == "a whole number":
        return "RANGE", f"must be a whole number, got {_number(found)}"
    what = "an empty list" if isinstance(found, list) and not found else describe(found)
    hint = ""
    if expected == "text" and isinstance(found, bool | int | float):
        hint = "; put it in quotes"
    return "TYPE", f"expected {expected}, got {what}{hint}"


def _no_choice(expected: str, found: Any) -> tuple[str, str]:
    names = re.findall(r"'([^']*)'", expected)
    hint = suggest(found, names) if isinstance(found, str) else ""
    code = "UNKNOWN" if isinstance(found, str) else "TYPE"
    return code, f"expected {choices(names)}, got {describe(found)}{hint}"


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count} entries"


def _number(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinity" if value > 0 else "minus infinity"
    if isinstance(value, int) and value.bit_length() > 100:
        return "2**128" if value == 2**128 else f"a number of {len(str(value))} digits"
    return describe(value)
