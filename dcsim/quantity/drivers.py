"""Risk drivers: something that happens or not, and then hits many quantities at once.

A quantity hit by drivers is its law's draw * product of their factors + sum of their additions, over those that
happen.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcsim.quantity.quantity import Quantity


@dataclass(frozen=True, slots=True)
class DriverMember:
    """A driver as it meets one region, site, ...: it happens with `chance`, once in a replication for all it hits.

    `times` is a factor, `plus` an addition in the unit of what is hit. It draws as `ADDRESS.happens`; factor and
    addition draw under their own address, or as `ADDRESS.times` and `ADDRESS.plus` if they have none.
    """

    address: str
    chance: float
    times: Quantity | None = None
    plus: Quantity | None = None
