"""P10, P50 and P90 of what is known or censored, and rows that hold the model's beside what is public."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

Kind = Literal["input", "follows", "result"]
"""Whether a number of the model is an input of its file, follows from inputs by arithmetic, or is a result."""


@dataclass(frozen=True)
class Spread:
    """P10, P50 and P90 of `n` values, `censored` of them known only to be larger; `inf` where it is not reached."""

    p10: float
    p50: float
    p90: float
    n: int
    censored: int = 0


def spread(values: Iterable[float]) -> Spread:
    """Of values that are all known, as order statistics (`inf` allowed)."""
    found = np.sort(np.asarray(list(values), float))
    if not len(found):
        return Spread(math.nan, math.nan, math.nan, 0)
    p10, p50, p90 = (float(found[max(0, math.ceil(q * len(found)) - 1)]) for q in (0.1, 0.5, 0.9))
    return Spread(p10, p50, p90, len(found))


def kaplan_meier(times: Iterable[float], seen: Iterable[bool]) -> Spread:
    """Of times of which those not `seen` are right-censored: the first time at which 1 - S(t) reaches the quantile.

    S is the product-limit estimate. A quantile that it does not reach, because the longest times are censored, is
    `inf`.
    """
    values, observed = np.asarray(list(times), float), np.asarray(list(seen), bool)
    if not observed.any():
        return Spread(math.inf, math.inf, math.inf, len(values), len(values))
    survival = stats.ecdf(stats.CensoredData.right_censored(values, ~observed)).sf
    gone = 1 - survival.probabilities + 1e-12

    def quantile(q: float) -> float:
        at = np.flatnonzero(gone >= q)
        return float(survival.quantiles[at[0]]) if len(at) else math.inf

    return Spread(quantile(0.1), quantile(0.5), quantile(0.9), len(values), int((~observed).sum()))


@dataclass(frozen=True)
class Row:
    """One number: what the model says beside what is public, and whether the first lies in the range of the second."""

    what: str
    measure: str
    unit: str
    model: Spread
    reported: str = "not public"
    low: float = math.nan
    high: float = math.nan
    kind: Kind = "result"
    note: str = ""

    @property
    def inside(self) -> bool | None:
        """Whether the model's median lies in the range; None where nothing is reported."""
        return None if math.isnan(self.low) else self.low <= self.model.p50 <= self.high

    @property
    def verdict(self) -> str:
        """In words; off by how much, against the nearer end of the range."""
        if self.inside is None:
            return "–"
        if self.inside:
            return "yes"
        nearer = self.low if self.model.p50 < self.low else self.high
        off = f"{100 * (self.model.p50 / nearer - 1):+.0f} %" if math.isfinite(self.model.p50) else "not reached"
        overlap = self.model.p10 <= self.high and self.low <= self.model.p90
        return f"{'P50 no' if overlap else 'no'}, {off}"


def number(value: float) -> str:
    """With three digits; a dash for what there is not."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "not by then"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def shown(found: Spread) -> str:
    """P50 (P10-P90), or the one value that there is."""
    if found.n and found.p10 == found.p50 == found.p90 and math.isfinite(found.p50):
        return number(found.p50)
    return f"{number(found.p50)} ({number(found.p10)}-{number(found.p90)})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
