"""Laws between two ends: uniform, triangular, PERT, and single values with weights."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.quantity.laws import Law
from dcsim.quantity.special import special

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Uniform(Law):
    """Equally likely between `low` and `high`."""

    low: float
    high: float

    def quantile(self, u: float) -> float:
        return min(max(self.low + (self.high - self.low) * u, self.low), self.high)

    def ppf(self, u: Array) -> Array:
        import numpy as np

        return np.minimum(np.maximum(self.low + (self.high - self.low) * u, self.low), self.high)

    def sf(self, x: float) -> float:
        return min(max((self.high - x) / (self.high - self.low), 0.0), 1.0)

    def mean(self) -> float:
        return (self.low + self.high) / 2.0

    def variance(self) -> float:
        width = self.high - self.low
        return width * width / 12.0

    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Triangular(Law):
    """Density rising from `low` to `mode` and falling to `high`."""

    low: float
    mode: float
    high: float

    def quantile(self, u: float) -> float:
        width = self.high - self.low
        below, above = (self.mode - self.low) / width, (self.high - self.mode) / width
        x = self.low + width * math.sqrt(u * below) if u <= below else self.high - width * math.sqrt((1.0 - u) * above)
        return min(max(x, self.low), self.high)

    def ppf(self, u: Array) -> Array:
        import numpy as np

        width = self.high - self.low
        below, above = (self.mode - self.low) / width, (self.high - self.mode) / width
        rising = self.low + width * np.sqrt(u * below)
        falling = self.high - width * np.sqrt((1.0 - u) * above)
        return np.minimum(np.maximum(np.where(u <= below, rising, falling), self.low), self.high)

    def sf(self, x: float) -> float:
        width = self.high - self.low
        if x <= self.low or x >= self.high:
            return 1.0 if x <= self.low else 0.0
        if x < self.mode:
            return 1.0 - (x - self.low) / width * ((x - self.low) / (self.mode - self.low))
        return (self.high - x) / width * ((self.high - x) / (self.high - self.mode))

    def mean(self) -> float:
        return (self.low + self.mode + self.high) / 3.0

    def variance(self) -> float:
        a, b = self.mode - self.low, self.high - self.mode
        return (a * a + a * b + b * b) / 18.0

    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Pert(Law):
    """Beta between `low` and `high` with its top at `mode`: the modified PERT with weight 4 on the mode.

    Its variance is (mean - low)(high - mean)/7, not the textbook's ((high - low)/6)**2.
    """

    low: float
    mode: float
    high: float

    def _shape(self) -> tuple[float, float]:
        width = self.high - self.low
        return 1.0 + 4.0 * ((self.mode - self.low) / width), 1.0 + 4.0 * ((self.high - self.mode) / width)

    def quantile(self, u: float) -> float:
        a, b = self._shape()
        x = self.low + (self.high - self.low) * float(special().betaincinv(a, b, u))
        return min(max(x, self.low), self.high)

    def ppf(self, u: Array) -> Array:
        import numpy as np

        a, b = self._shape()
        x: Array = self.low + (self.high - self.low) * special().betaincinv(a, b, u)
        return np.minimum(np.maximum(x, self.low), self.high)

    def sf(self, x: float) -> float:
        a, b = self._shape()
        left = min(max((self.high - x) / (self.high - self.low), 0.0), 1.0)
        return float(special().betainc(b, a, left))

    def mean(self) -> float:
        return (self.low + 4.0 * self.mode + self.high) / 6.0

    def variance(self) -> float:
        mean = self.mean()
        return (mean - self.low) * (self.high - mean) / 7.0

    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Steps(Law):
    """Single values with weights: `discrete`, and `empirical` where each value of a sample weighs the same.

    `values` rise; `cumulative[i]` is the probability of a draw up to values[i], its last exactly 1.
    """

    values: tuple[float, ...]
    cumulative: tuple[float, ...]

    def quantile(self, u: float) -> float:
        return self.values[bisect_left(self.cumulative, u)]

    def ppf(self, u: Array) -> Array:
        import numpy as np

        return np.array(self.values)[np.searchsorted(np.array(self.cumulative), u, side="left")]

    def sf(self, x: float) -> float:
        below = bisect_right(self.values, x)
        return 1.0 - self.cumulative[below - 1] if below else 1.0

    def _weights(self) -> list[float]:
        return [b - a for a, b in zip((0.0, *self.cumulative[:-1]), self.cumulative, strict=True)]

    def mean(self) -> float:
        return math.fsum(w * x for w, x in zip(self._weights(), self.values, strict=True))

    def variance(self) -> float:
        mean = self.mean()
        return math.fsum(w * (x - mean) * (x - mean) for w, x in zip(self._weights(), self.values, strict=True))

    def bounds(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def has_atoms(self) -> bool:
        return True

    def written(self) -> dict[str, object]:
        if self.name == "empirical":
            return {"empirical": list(self.values)}
        return {"discrete": {float(value): weight for value, weight in self.params}}
