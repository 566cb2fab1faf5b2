"""A date by which something has happened with a given chance, when in some replications it never does."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dcsim.stats import CONFIDENCE, Estimate, Sample, quantile, share
from dcsim.tables.layout import EPOCH

Resolution: TypeAlias = Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class DateEstimate:
    """A quantile of a date.

    `date` is None where it lies after the horizon: fewer than that share of the replications got there. `low` and
    `high` enclose it with the confidence asked; None means after the horizon there too, unless `note` says that there
    are too few replications for an interval. `share` is the chance of getting there by the horizon, with its own
    interval. `resolution` tells whether dates are exact or month ends.
    """

    date: dt.date | None
    low: dt.date | None
    high: dt.date | None
    share_reached: float
    share: Estimate
    quantile: float
    n: int
    horizon: dt.date
    resolution: Resolution
    note: str = ""

    @property
    def too_few(self) -> bool:
        """Whether there is no interval because there are too few replications."""
        return bool(self.note)

    def __str__(self) -> str:
        never = f"not by {self.horizon.isoformat()}"
        shown = [never if day is None else day.isoformat() for day in (self.date, self.low, self.high)]
        interval = self.note if self.too_few else f"{shown[1]} to {shown[2]}"
        reached = self.share.note or f"{self.share.value:.1%}"
        bounds = "" if self.share.low is None or self.share.high is None else (
            f" ({self.share.low:.1%} to {self.share.high:.1%})"
        )  # fmt: skip
        return f"{shown[0]} ({interval}); reached in {reached}{bounds}"


def estimate_date(
    days: Sample, q: float, horizon: dt.date, resolution: Resolution = "day", confidence: float = CONFIDENCE
) -> DateEstimate:
    """Quantile `q` of days since 1970-01-01, `inf` where the horizon came first."""
    estimate = quantile(days, q, confidence)
    reached = share(sum(math.isfinite(day) for day in days), estimate.n, confidence)
    return DateEstimate(
        date=_calendar(estimate.value),
        low=_calendar(estimate.low),
        high=_calendar(estimate.high),
        share_reached=reached.value,
        share=reached,
        quantile=q,
        n=estimate.n,
        horizon=horizon,
        resolution=resolution,
        note=estimate.note,
    )


def _calendar(day: float | None) -> dt.date | None:
    return None if day is None or math.isinf(day) else EPOCH + dt.timedelta(days=int(day))
