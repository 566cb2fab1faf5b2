"""What a variant changes in one quantity, replication by replication under the same luck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dcsim.scenario.expression import Quantity
from dcsim.stats import CONFIDENCE, Estimate, Floats, paired_difference, quantile, quantile_difference, share
from dcsim.study.direction import Sense, better
from dcsim.study.values import Series


@dataclass(frozen=True, slots=True)
class Change:
    """A quantity in the base and in a variant.

    `statistic` is the mean, or the median of a date and where some replication has no value; `base` and
    `value` are that statistic (`inf`: not reached), `difference` is its change, with a paired t-interval or a paired
    bootstrap interval. Dates are days since 1970-01-01 and their differences days. `sense` says which way is better,
    where that is beyond dispute; `better` is then the chance that the variant is (else None), `higher` the chance that
    it has more, or is later, and `equal` that there is no difference. `base_reached` and `reached` are the shares of
    replications that have a value.
    """

    outcome: str
    unit: str | None
    statistic: Literal["mean", "median"]
    base: float
    value: float
    difference: Estimate
    sense: Sense | None
    better: Estimate | None
    higher: Estimate
    equal: Estimate
    base_reached: float
    reached: float

    @property
    def n(self) -> int:
        """Replications that pair."""
        return self.difference.n

    @property
    def interval(self) -> str:
        """How the interval of the difference is made."""
        return "paired t" if self.statistic == "mean" else "paired bootstrap"

    @property
    def same(self) -> bool:
        """Whether no replication differs."""
        return self.equal.value == 1


def change_of(quantity: Quantity, base: Series, other: Series, confidence: float = CONFIDENCE) -> Change:
    """The change of a quantity; entry r of both series belongs to replication r.

    A replication without a number (NaN) counts as the worst value where one direction is better, else as the highest.
    """
    sense = better(quantity)
    unit = base.unit or other.unit
    worst = -math.inf if sense == "higher" else math.inf
    before, after = (np.where(np.isnan(series.values), worst, series.values) for series in (base, other))
    n = len(before)
    equal = _same(before, after)
    higher, lower = ~equal & (after > before), ~equal & (after < before)
    reached = [float(np.isfinite(values).mean()) for values in (before, after)]
    statistic: Literal["mean", "median"] = "mean" if min(reached) == 1 and unit != "date" else "median"
    if statistic == "mean":
        difference = paired_difference(after, before, confidence)
        middles = float(before.mean()), float(after.mean())
    else:
        difference = quantile_difference(after, before, 0.5, confidence)
        middles = quantile(before, 0.5).value, quantile(after, 0.5).value
    return Change(
        outcome=str(quantity),
        unit=unit,
        statistic=statistic,
        base=middles[0],
        value=middles[1],
        difference=difference,
        sense=sense,
        better=None if sense is None else share(int((higher if sense == "higher" else lower).sum()), n, confidence),
        higher=share(int(higher.sum()), n, confidence),
        equal=share(int(equal.sum()), n, confidence),
        base_reached=reached[0],
        reached=reached[1],
    )


def _same(first: Floats, second: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(np.isclose(first, second, rtol=1e-9, atol=1e-9), np.bool_)
