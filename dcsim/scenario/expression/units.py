"""What the quantities of an expression are counted in, and numbers in that unit."""

from __future__ import annotations

import re

from dcsim import units
from dcsim.scenario.expression.syntax import (
    Day,
    ExpressionError,
    Milestone,
    Number,
    Operand,
    Quantity,
    Scaled,
    SignedShare,
    Unit,
)
from dcsim.units import UnitError

MEASURES = (
    "loi_mw",
    "diligence_mw",
    "leased_mw",
    "closed_mw",
    "building_mw",
    "energised_mw",
    "ready_mw",
    "chips_on_hand_mw",
    "live_mw",
    "cloud_mw",
    "demand_mw",
    "unserved_mw",
)
"""What capacity is measured by at the end of each month, and so at a date."""

_BY_NAME: tuple[tuple[str, Unit], ...] = (
    (r"date_.+", "date"),
    (r".*mw_days.*", "MW-days"),
    (r"mw_.+|.+_mw|.+_mw_(\d{4}|at_horizon)", "MW"),
    (r"(?!.*_per_).*usd_m(_\d{4})?", "usd_m"),
    (r".+_days|days_.+", "days"),
    (r"(.+_)?share(_\d{4})?", "fraction"),
)

_PER_UNIT = re.compile(r".+_per_.+")
_NAMES: dict[str, str] = {
    "MW": "power (MW)",
    "usd_m": "an amount of money (US$ million)",
    "days": "a duration (days)",
    "fraction": "a share",
    "MW-days": "MW-days",
    "date": "a date",
}


def unit_of(quantity: Quantity) -> Unit | None:
    """The unit of a quantity; None for an outcome whose name does not tell."""
    if isinstance(quantity, Milestone):
        return "date" if quantity.form == "date" else "days"
    if isinstance(quantity, SignedShare):
        return "fraction"
    if quantity.when is not None and (quantity.name in MEASURES or f"{quantity.name}_mw" in MEASURES):
        return "MW"
    if quantity.name == "limit":
        return "usd_m"
    if _PER_UNIT.fullmatch(quantity.name):
        return None
    return next((unit for pattern, unit in _BY_NAME if re.fullmatch(pattern, quantity.name)), None)


def unit_of_operand(operand: Operand) -> Unit | None:
    """The unit of a quantity, scaled or not; a date has its own, a number takes that of the other side."""
    if isinstance(operand, Day):
        return "date"
    if isinstance(operand, Number):
        return None
    return unit_of(operand.of if isinstance(operand, Scaled) else operand)


def in_unit(operand: Operand, unit: Unit | None) -> Operand:
    """The operand as something that can be compared with a quantity in `unit`.

    Raises ExpressionError where that makes no sense: a date beside MW, dollars beside days.
    """
    if isinstance(operand, Number):
        return Number(operand.text, number_in(operand, unit), operand.at)
    own = unit_of_operand(operand)
    if own != unit and own is not None and unit is not None:
        raise ExpressionError("TYPE", f"expected {_NAMES[unit]}, got {_NAMES[own]}, '{operand}'", operand.at)
    if isinstance(operand, Day) and unit != "date":
        raise ExpressionError("TYPE", f"expected a number, got date '{operand}'", operand.at)
    return operand


def number_in(number: Number, unit: Unit | None) -> float:
    """The value of a number in `unit`; where that is not known, in MW, days, US$ million or as it stands."""
    if unit == "date":
        raise ExpressionError("TYPE", f"expected a date like 2028-06-30, got '{number.text}'", number.at)
    parts = units.split(number.text)
    if parts is None:
        raise ExpressionError("TYPE", f"expected a number, got '{number.text}'", number.at)
    try:
        value, dimension = units.measure(number.text)
        if not parts.head and not parts.tail.strip():
            return float(value)
        if unit is not None and unit != "MW-days":
            return units.parse(number.text, unit)
    except UnitError as error:
        raise ExpressionError(error.code, error.message, number.at) from None
    if unit == "MW-days" and dimension != units.measure("1 MW-day")[1]:
        raise ExpressionError("TYPE", f"expected MW-days, such as '5200 MW-days', got '{number.text}'", number.at)
    if unit is None and sum(map(abs, dimension)) > 1:
        message = f"the unit of what it is compared with is not known: write a plain number for '{number.text}'"
        raise ExpressionError("TYPE", message, number.at)
    return float(value)
