"""Common factors: standard normals, one a replication, that many quantities may load on. High is later, dearer, weaker.

A quantity with loadings l on factors F is drawn at z = sum(l * F) + sqrt(1 - sum(l**2)) * ndtri(u). Its own law stays
what it is, and two quantities on one factor are correlated by the product of their loadings (before their laws).
"""

from __future__ import annotations

import math
from collections.abc import Iterable


def own_weight(loads: Iterable[tuple[str, float]]) -> float:
    """What is left for a quantity's own luck, sqrt(1 - sum of squares); 0 where rounding takes it below."""
    return math.sqrt(max(1.0 - math.fsum(load * load for _, load in loads), 0.0))
