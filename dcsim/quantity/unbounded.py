"""Laws from zero without an upper end: lognormal, normal (truncated at zero), gamma and Erlang, Weibull."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.quantity.laws import Law
from dcsim.quantity.special import LARGEST_U, Z_LARGEST, special

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_ROOT2 = math.sqrt(2.0)


def normal_sf(z: float) -> float:
    """P(Z > z) of a standard normal."""
    return 0.5 * math.erfc(z / _ROOT2)


@dataclass(frozen=True, slots=True)
class Lognormal(Law):
    """exp of a normal: `middle` is its median, `sigma` the standard deviation of its logarithm."""

    middle: float
    sigma: float

    def quantile(self, u: float) -> float:
        return self.middle * math.exp(self.sigma * float(special().ndtri(u)))

    def ppf(self, u: Array) -> Array:
        import numpy as np

        middle, sigma, exp = self.middle, self.sigma, math.exp
        z = special().ndtri(u)
        return np.array([middle * exp(sigma * x) for x in z.ravel().tolist()], dtype=np.float64).reshape(u.shape)

    def sf(self, x: float) -> float:
        return 1.0 if x <= 0.0 else normal_sf((math.log(x) - math.log(self.middle)) / self.sigma)

    def median(self) -> float:
        return self.middle

    def mean(self) -> float:
        return self.middle * _exp(0.5 * self.sigma * self.sigma)

    def variance(self) -> float:
        return self.mean() * self.mean() * _expm1(self.sigma * self.sigma)

    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def reach(self) -> float:
        return self.middle * _exp(self.sigma * Z_LARGEST)


@dataclass(frozen=True, slots=True)
class Normal(Law):
    """A normal with the given centre and standard deviation before truncation at zero, renormalised."""

    centre: float
    sd: float

    def quantile(self, u: float) -> float:
        # From the upper tail: 1 - u is exact, so the far end never rounds to a probability of one.
        above = (1.0 - u) * normal_sf(-self.centre / self.sd)
        return max(self.centre - self.sd * float(special().ndtri(above)), 0.0)

    def ppf(self, u: Array) -> Array:
        import numpy as np

        above = (1.0 - u) * normal_sf(-self.centre / self.sd)
        x: Array = np.maximum(self.centre - self.sd * special().ndtri(above), 0.0)
        return x

    def sf(self, x: float) -> float:
        return 1.0 if x <= 0.0 else normal_sf((x - self.centre) / self.sd) / normal_sf(-self.centre / self.sd)

    def _hazard(self) -> tuple[float, float]:
        """The truncation point in standard units, and the density there over the share above it."""
        a = -self.centre / self.sd
        return a, _exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi) / normal_sf(a)

    def mean(self) -> float:
        return self.centre + self.sd * self._hazard()[1]

    def variance(self) -> float:
        a, hazard = self._hazard()
        return self.sd * self.sd * (1.0 + a * hazard - hazard * hazard)

    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def reach(self) -> float:
        return self.centre + self.sd * (Z_LARGEST + 1.0)


@dataclass(frozen=True, slots=True)
class Gamma(Law):
    """Gamma with `shape` and `scale`; with a whole shape k the Erlang, a sum of k exponentials."""

    shape: float
    scale: float

    def quantile(self, u: float) -> float:
        return self.scale * float(special().gammaincinv(self.shape, u))

    def ppf(self, u: Array) -> Array:
        x: Array = self.scale * special().gammaincinv(self.shape, u)
        return x

    def sf(self, x: float) -> float:
        return 1.0 if x <= 0.0 else float(special().gammaincc(self.shape, x / self.scale))

    def mean(self) -> float:
        return self.shape * self.scale

    def variance(self) -> float:
        return self.shape * self.scale * self.scale

    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def reach(self) -> float:
        tail = -math.log(1.0 - LARGEST_U)  # a Chernoff bound
        return self.scale * (self.shape + math.sqrt(2.0 * self.shape * tail) + tail)


@dataclass(frozen=True, slots=True)
class Weibull(Law):
    """P(X > x) = exp(-(x / scale)**shape); with shape 1 the exponential of mean `scale`."""

    shape: float
    scale: float

    def quantile(self, u: float) -> float:
        x = -math.log1p(-u)
        return self.scale * (x if self.shape == 1.0 else math.pow(x, 1.0 / self.shape))

    def sf(self, x: float) -> float:
        return 1.0 if x <= 0.0 else math.exp(-_power(x / self.scale, self.shape))

    def mean(self) -> float:
        return self.scale * _gamma(1.0 + 1.0 / self.shape)

    def variance(self) -> float:
        second = _gamma(1.0 + 2.0 / self.shape)
        if math.isinf(second):
            return math.inf
        return self.scale * self.scale * (second - _gamma(1.0 + 1.0 / self.shape) ** 2)

    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def reach(self) -> float:
        return self.scale * _power(-math.log(1.0 - LARGEST_U), 1.0 / self.shape)


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _expm1(x: float) -> float:
    return math.expm1(x) if x < 709.0 else math.inf


def _gamma(x: float) -> float:
    return math.gamma(x) if x < 171.0 else math.inf


def _power(x: float, exponent: float) -> float:
    try:
        return math.pow(x, exponent)
    except OverflowError:
        return math.inf
