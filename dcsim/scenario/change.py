"""``{times: x}`` and ``{plus: y}`` over a value that is already there."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from dcsim import units
from dcsim.scenario import tree
from dcsim.units import UnitError, describe

Amount = float | int | str
"""What ``plus`` adds: a number in the field's unit, or a text that carries its own."""

_DAY = re.compile(r"day (-?[0-9]+(?:\.[0-9]+)?)")


class ChangeError(ValueError):
    """A change that its value does not allow; ``code`` is a problem code."""

    code: str
    message: str

    def __init__(self, code: str = "EDIT", message: str = "cannot be changed so") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


def is_change(value: object) -> bool:
    """Whether a value says how to change another: ``times`` and ``plus`` and no more."""
    return isinstance(value, Mapping) and bool(value) and value.keys() <= {"times", "plus"}


def changed(value: Any, change: Mapping[str, Any]) -> Any:
    """``value`` multiplied by ``change["times"]``, then ``change["plus"]`` added to it.

    Numbers, texts with a unit, quantities, and lists and dated steps of these; ``plus`` also moves a date. What
    changes a law, or cannot be added without knowing the field's unit, stands beside it: ``{triangular: {...},
    times: 1.5, plus: [30, 6 months]}`` means law * times + plus. Raises ChangeError.
    """
    if is_change(value):
        raise ChangeError("EDIT", "what is there is itself a change of something that is not there")
    if "times" in change:
        value = _times(value, _factor(change["times"]))
    if "plus" in change:
        value = _plus(value, _amount(change["plus"]))
    return value


def both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any] | None:
    """One change that does what two do one after the other; None where their amounts cannot be added."""
    out = dict(first)
    if "times" in second:
        factor = _factor(second["times"])
        out = {key: _times(value, factor) for key, value in {"times": 1, **first}.items()}
    if "plus" in second:
        total = _plus(out["plus"], _amount(second["plus"])) if "plus" in out else second["plus"]
        if isinstance(total, Mapping):
            return None
        out["plus"] = total
    return out


def _factor(raw: object) -> Decimal:
    try:
        return Decimal(repr(units.parse(raw, "number")))
    except UnitError as error:
        raise ChangeError(error.code, f"times: {error.message}") from None


def _amount(raw: Any) -> Amount:
    if isinstance(raw, str):
        parts = units.split(raw)
        if parts is not None and (parts.head or parts.tail.strip()):
            return raw
    try:
        units.parse(raw, "number")
    except UnitError as error:
        raise ChangeError(error.code, f"plus: {error.message}") from None
    return raw  # type: ignore[no-any-return]


def _times(value: Any, factor: Decimal) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(_exactly(Decimal(repr(value)), factor, add=False), isinstance(value, int))
    if isinstance(value, str):
        parts = units.split(value)
        if parts is None:
            raise ChangeError("EDIT", f"times: cannot multiply {describe(value)}")
        if not parts.head and not parts.tail.strip():  # digits in groups (1_000), or a number in quotes
            if parts.number == value.strip():
                raise ChangeError("TYPE", f"times: expected a number, got text '{value}'; remove the quotes")
            return _number(_exactly(Decimal(parts.number), factor, add=False), whole=True)
        return _text(parts.head, _exactly(Decimal(parts.number), factor, add=False), parts.tail)
    if tree.is_quantity(value):
        return _scaled(value, lambda v: _times(v, factor))
    return _each(value, lambda v: _times(v, factor), "times")


def _plus(value: Any, amount: Amount) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(amount, str):
            return tree.Node({"value": value, "plus": amount})
        return _number(_exactly(Decimal(repr(value)), Decimal(repr(amount)), add=True), isinstance(value, int))
    if isinstance(value, str):
        return _text_plus(value, amount)
    if tree.is_quantity(value):
        return _shifted(value, amount)
    if isinstance(value, Mapping) and "after" in value:
        return _with(value, {"delay": _plus(value["delay"], amount) if "delay" in value else amount})
    return _each(value, lambda v: _plus(v, amount), "plus")


def _each(value: Any, act: Callable[[Any], Any], word: str) -> Any:
    """Change each item of a list of numbers, or each step of a mapping keyed by dates."""
    if isinstance(value, list) and all(not isinstance(item, Mapping) or tree.is_quantity(item) for item in value):
        out: tree.Items = tree.clone(value)
        out[:] = [act(item) for item in value]
        return out
    if isinstance(value, Mapping) and value and all(isinstance(key, str) and units.is_date(key) for key in value):
        return _with(value, {key: act(item) for key, item in value.items()})
    hint = "; name the field in the path" if isinstance(value, Mapping | list) else ""
    raise ChangeError("EDIT", f"{word}: expected a number to change, got {describe(value)}{hint}")


def _scaled(quantity: Mapping[str, Any], act: Callable[[Any], Any]) -> tree.Node:
    """A quantity multiplied: its value where it has one, else beside its law, with what is added to it."""
    out: dict[str, Any] = {key: act(quantity[key]) for key in ("value", "constant") if key in quantity}
    if not out:
        out["times"] = act(quantity.get("times", 1))
    for key in ("plus", "shift", "range"):
        if key in quantity and (key != "range" or "times" not in out):
            out[key] = act(quantity[key])
    return _with(quantity, out)


def _shifted(quantity: Mapping[str, Any], amount: Amount) -> tree.Node:
    """A quantity with an amount added: to its value if it can be, else beside it."""
    key = "constant" if "constant" in quantity else "value"
    if key in quantity and not {"times", "plus", "shift", "unit"} & quantity.keys():
        result = _plus(quantity[key], amount)
        if not isinstance(result, Mapping) or isinstance(quantity[key], Mapping):
            return _with(quantity, {key: result})
    before = quantity.get("plus", [])
    added = [*(before if isinstance(before, list) else [before]), amount]
    numbers = [Decimal(repr(item)) for item in added if not isinstance(item, str)]
    if len(numbers) == len(added):
        return _with(quantity, {"plus": _number(sum(numbers, Decimal(0)), whole=True)})
    return _with(quantity, {"plus": added[0] if len(added) == 1 else tree.Items(added)})


def _with(value: Mapping[str, Any], items: Mapping[str, Any]) -> tree.Node:
    out = tree.copy(value) if isinstance(value, tree.Node) else tree.Node(value)
    out.update(items)
    return out


def _text_plus(value: str, amount: Amount) -> Any:
    if units.is_date(value):
        try:
            start = dt.date.fromisoformat(value)
            days = math.floor(units.parse(amount, "days") + 0.5)  # to the nearest whole day, as durations are rounded
            return (start + dt.timedelta(days=days)).isoformat()
        except UnitError as error:
            raise ChangeError(error.code, f"plus: {error.message}") from None
        except (ValueError, OverflowError):
            raise ChangeError("DATE", f"plus: cannot move {describe(value)}") from None
    day = _DAY.fullmatch(value)
    if day is not None:
        try:
            moved = Decimal(day[1]) + Decimal(repr(units.parse(amount, "days")))
        except UnitError as error:
            raise ChangeError(error.code, f"plus: {error.message}") from None
        return _text("day ", moved, "")
    parts = units.split(value)
    if parts is None:
        raise ChangeError("EDIT", f"plus: cannot add to {describe(value)}")
    if not isinstance(amount, str):  # in the unit of the field, which only its schema knows
        return tree.Node({"value": value, "plus": amount})
    try:
        more = units.convert(amount, value)
    except UnitError as error:
        raise ChangeError(error.code, f"plus: {error.message}") from None
    total = Fraction(parts.number) + more
    with localcontext() as context:
        context.prec = 30
        number = Decimal(total.numerator) / Decimal(total.denominator)
    return _text(parts.head, number, parts.tail)


def _exactly(left: Decimal, right: Decimal, add: bool) -> Decimal:
    """In decimals, so that 0.1 times 3 is 0.3 in the scenario that is written."""
    with localcontext() as context:
        context.prec = 60
        return left + right if add else left * right


def _number(value: Decimal, whole: bool) -> int | float:
    """Back from exact arithmetic: whole numbers of whole things stay int."""
    if whole and value == value.to_integral_value():
        return int(value)
    out = float(value)
    if not math.isfinite(out):
        raise ChangeError("RANGE", "must be finite after the change")
    return out


def _text(head: str, number: Decimal, tail: str) -> str:
    """A text with another number, without an exponent and without idle zeros."""
    digits = format(abs(number), "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    sign = "-" if number < 0 else ""
    return f"{head}{sign}{digits}{tail}" if head == "day " else f"{sign}{head}{digits}{tail}"
