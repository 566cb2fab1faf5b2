"""Uncertain numbers: laws, quantities, and how a scenario writes them."""

from dcsim.quantity.families import LAW_NAMES, LawError, make_law, make_steps
from dcsim.quantity.laws import Law
from dcsim.quantity.parse import QuantityError, is_quantity, parse_quantity
from dcsim.quantity.quantity import Quantity

__all__ = [
    "LAW_NAMES",
    "Law",
    "LawError",
    "Quantity",
    "QuantityError",
    "is_quantity",
    "make_law",
    "make_steps",
    "parse_quantity",
]
