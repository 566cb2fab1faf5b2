"""Constants for the defaults of fields: the neutral value of what is left out."""

from __future__ import annotations

from functools import cache

from dcsim.quantity import Quantity, parse_quantity


@cache
def days(value: float) -> Quantity:
    """A constant duration."""
    return parse_quantity(value, "days")


@cache
def share(value: float) -> Quantity:
    """A constant fraction."""
    return parse_quantity(value, "fraction", constant=True)


@cache
def usd_m(value: float) -> Quantity:
    """A constant amount of money, US$ million."""
    return parse_quantity(value, "usd_m")


@cache
def number(value: float, unit: str = "number") -> Quantity:
    """A constant in any unit."""
    return parse_quantity(value, unit)
