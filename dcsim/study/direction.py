"""Which way an outcome is better, where that is beyond dispute."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from dcsim.scenario.expression import Column, Milestone, Quantity, SignedShare, unit_of

Sense: TypeAlias = Literal["higher", "lower"]

SENSES: Final[tuple[tuple[str, Sense | None], ...]] = (
    (r".*cost.*", "lower"),
    (r".*_month(_\d{4})?", None),
    (r"live_mw.*|mw_live", "higher"),
    (r"mw_(rejected|lost|unguaranteed|unfinanced|terminated)", "lower"),
    (r"mw_(shelved|pending)", None),
    (r"idle_.*|.*_idle_.*", "lower"),
    (r".*(past_outside|unserved|shortfall|funding_gap|loss|penalt|arrears).*", "lower"),
    (r".*(break_?even).*", "lower"),
    (r".*(least_cash|ending_cash|headroom|recovery|fixed_charge_cover|revenue).*", "higher"),
    (r"(.*_)?(calls?|called|defaults?|defaulted)(_.*)?", "lower"),
    (r".*(exposure|committed_peak|active_peak).*", "lower"),
)
"""Patterns of names, the first that fits counts. What none fits (orders, loans, shares) is neither good nor bad."""


def better(quantity: Quantity) -> Sense | None:
    """Whether more or less of it is better; a date is better earlier. None where that depends on who asks."""
    if isinstance(quantity, SignedShare):
        return None
    if isinstance(quantity, Milestone):
        return None if quantity.name == "ended" else "lower"
    if unit_of(quantity) == "date":
        return "lower"
    return _named(quantity)


def _named(quantity: Column) -> Sense | None:
    for pattern, sense in SENSES:
        if re.fullmatch(pattern, quantity.name):
            return sense
    return None
