"""What the failure of a party does to others: two clearings of the same network, without it and with it.

Who defaults of itself and who by contagion is told by a counterfactual: would the party have defaulted had everybody
else paid what it owes? Fictitious default answers it on the way, as its first wave clears against full payments, so
`own` and `contagion` of a clearing need no third run. Note that "would have been paid in full" includes for a guarantor
that nothing is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError
from dcsim.network.arrays import Bools, Floats, Ints, amounts, quotient
from dcsim.network.clearing import Clearing
from dcsim.network.guarantees import GuaranteedClearing

Cleared = TypeVar("Cleared", Clearing, GuaranteedClearing)


@dataclass(frozen=True, slots=True, eq=False)
class Contagion:
    """Effects of failures: shapes (n,) and (), or (S, n) and (S,) for a batch."""

    victims: Bools
    """Who defaults in the second clearing, not in the first, and only because others do."""
    write_down: Floats
    """What is not paid on debts in the second clearing beyond the first, whoever bears it."""
    direct: Floats
    """The part of it that the failed parties cause if everybody else can pay."""
    multiplier: Floats
    """write_down / direct; nan where nothing is lost directly."""
    waves: Ints
    """Rounds of default in the second clearing."""


def contagion(before: Cleared, after: Cleared) -> Contagion:
    """What changes from the clearing `before` to `after`, of which `before` may be one network for a batch."""
    victims = after.contagion & ~before.defaulted
    write_down = after.shortfall.sum(axis=-1) - before.shortfall.sum(axis=-1)
    direct = np.asarray(after.direct - before.direct)
    multiplier = quotient(np.asarray(write_down), direct, np.nan)
    return Contagion(
        victims, np.asarray(write_down), direct, multiplier, np.asarray(after.wave.max(axis=-1, initial=0))
    )


def each_fails(parties: int) -> Bools:
    """For `failed` of a clearing: a batch (n, n) in which snapshot i has party i fail, alone."""
    return np.eye(parties, dtype=np.bool_)


def left_in_default(failed: Bools, recovery: npt.ArrayLike, otherwise: npt.ArrayLike = 1.0) -> Floats:
    """For `alpha` and `beta`: what is left of assets is `recovery` for the failed, and `otherwise` for the others.

    failed: (n,) or (S, n); recovery, otherwise: shares, single numbers or of a shape that fits. Raises UsageError for
    shares outside 0 to 1.
    """
    shares = np.where(failed, amounts("recovery", recovery), amounts("otherwise", otherwise))
    if (shares > 1).any():
        raise UsageError("recovery: must be between 0 and 1")
    return shares
