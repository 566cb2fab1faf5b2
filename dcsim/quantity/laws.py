"""The laws a quantity may follow, each drawn by the inverse of one uniform.

`quantile(u)` takes one uniform and `ppf(u)` an array of them; they give the same bits. Exponentials, logarithms and
powers go through `math` element by element in both: numpy's vectorised ones round differently from one processor to
the next, and from a vector to a scalar.

Laws are plain frozen values: equal when written equally, hashable, picklable. They are built, with all checks of their
parameters, by `dcsim.quantity.families.make_law`; the classes here check nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.quantity.special import LARGEST_U

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Law(ABC):
    """A distribution of one number in the unit of its quantity.

    `name` and `params` are the law as written, its parameters in the quantity's unit.
    """

    name: str
    params: tuple[tuple[str, float], ...]

    @abstractmethod
    def quantile(self, u: float) -> float:
        """The value below which a share `u` of draws lies; 0 < u < 1, never decreasing in u."""

    @abstractmethod
    def sf(self, x: float) -> float:
        """P(X > x)."""

    @abstractmethod
    def mean(self) -> float:
        """The expected value."""

    @abstractmethod
    def variance(self) -> float:
        """The variance; infinite where it overflows."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The ends of the support; the upper one may be infinite."""

    def ppf(self, u: Array) -> Array:
        """`quantile` of every element; any shape."""
        import numpy as np

        quantile = self.quantile
        return np.array([quantile(x) for x in u.ravel().tolist()], dtype=np.float64).reshape(u.shape)

    def median(self) -> float:
        """The least value that half of the draws do not exceed."""
        return self.quantile(0.5)

    def reach(self) -> float:
        """No draw exceeds this (the highest uniform is 1 - 2**-53); for checks of overflow."""
        return self.bounds()[1]

    def has_atoms(self) -> bool:
        """True when single values carry probability, so that the ends of the support are drawn."""
        return False

    def written(self) -> dict[str, object]:
        """The law as a scenario would write it, in the quantity's unit."""
        return {self.name: dict(self.params)}


@dataclass(frozen=True, slots=True)
class Constant(Law):
    """Always `value`."""

    value: float

    def quantile(self, u: float) -> float:
        return self.value

    def ppf(self, u: Array) -> Array:
        import numpy as np

        return np.full(u.shape, self.value)

    def sf(self, x: float) -> float:
        return 1.0 if x < self.value else 0.0

    def mean(self) -> float:
        return self.value

    def variance(self) -> float:
        return 0.0

    def bounds(self) -> tuple[float, float]:
        return self.value, self.value

    def has_atoms(self) -> bool:
        return True

    def written(self) -> dict[str, object]:
        return {"value": self.value}


@dataclass(frozen=True, slots=True)
class Affine(Law):
    """`law` * `times` + `plus` with times > 0: what an edit makes of a law. Built by `edited`."""

    law: Law
    times: float
    plus: float

    def quantile(self, u: float) -> float:
        return self.law.quantile(u) * self.times + self.plus

    def ppf(self, u: Array) -> Array:
        return self.law.ppf(u) * self.times + self.plus

    def sf(self, x: float) -> float:
        return self.law.sf((x - self.plus) / self.times)

    def median(self) -> float:
        return self.law.median() * self.times + self.plus

    def mean(self) -> float:
        return self.law.mean() * self.times + self.plus

    def variance(self) -> float:
        return self.law.variance() * self.times * self.times

    def bounds(self) -> tuple[float, float]:
        low, high = self.law.bounds()
        return low * self.times + self.plus, high * self.times + self.plus

    def reach(self) -> float:
        return self.law.reach() * self.times + self.plus

    def has_atoms(self) -> bool:
        return self.law.has_atoms()

    def written(self) -> dict[str, object]:
        changes = {"times": self.times} if self.times != 1.0 else {}
        return {**self.law.written(), **changes, **({"plus": self.plus} if self.plus else {})}


@dataclass(frozen=True, slots=True)
class Remaining(Law):
    """What is left, X - age, given X > age: work under way. Built by `remaining`.

    Its mean and variance are sums over 4,096 quantiles, good to about a thousandth.
    """

    law: Law
    age: float
    left: float
    """P(X > age), above zero."""

    def quantile(self, u: float) -> float:
        return max(self.law.quantile(min(1.0 - (1.0 - u) * self.left, LARGEST_U)) - self.age, 0.0)

    def ppf(self, u: Array) -> Array:
        import numpy as np

        return np.maximum(self.law.ppf(np.minimum(1.0 - (1.0 - u) * self.left, LARGEST_U)) - self.age, 0.0)

    def sf(self, x: float) -> float:
        return min(self.law.sf(self.age + x) / self.left, 1.0) if x >= 0.0 else 1.0

    def _quantiles(self) -> Array:
        import numpy as np

        return self.ppf(np.linspace(0.0, 1.0, 4096, endpoint=False) + 0.5 / 4096)

    def mean(self) -> float:
        return float(self._quantiles().mean())

    def variance(self) -> float:
        return float(self._quantiles().var())

    def bounds(self) -> tuple[float, float]:
        low, high = self.law.bounds()
        return max(low - self.age, 0.0), max(high - self.age, 0.0)

    def reach(self) -> float:
        return max(self.law.reach() - self.age, 0.0)

    def has_atoms(self) -> bool:
        return self.law.has_atoms()

    def written(self) -> dict[str, object]:
        return {**self.law.written(), "age": self.age}  # to show: a scenario writes the law and the start that is past


def constant(value: float) -> Constant:
    """The law that is always `value`."""
    value = float(value) + 0.0
    return Constant("constant", (("value", value),), value)


def edited(law: Law, times: float = 1.0, plus: float = 0.0) -> Law:
    """`law` * times + plus; times >= 0. A constant stays a constant and an edit of an edit is one edit."""
    if isinstance(law, Affine):
        return edited(law.law, law.times * times, law.plus * times + plus)
    if isinstance(law, Constant):
        return constant(law.value * times + plus)
    if times == 0.0:
        return constant(plus)
    if times == 1.0 and plus == 0.0:
        return law
    return Affine(law.name, law.params, law, times, plus)


def remaining(law: Law, age: float) -> Law:
    """The law of X - age given X > age; zero where X > age has a chance below 1e-12, that is hardly ever."""
    if isinstance(law, Constant):
        return constant(max(law.value - age, 0.0))
    left = law.sf(age)
    if left < 1e-12:
        return constant(0.0)
    if left >= 1.0:
        return edited(law, plus=-age)
    return Remaining(law.name, law.params, law, age, left)
