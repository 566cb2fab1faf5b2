"""The named laws: which parameters each takes, what those must satisfy, and the law they make.

A new law is one entry of FAMILIES: the sets of parameters it may be given by, which of them are pure numbers, and a
function that builds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from dcsim.errors import suggest
from dcsim.quantity.bounded import Pert, Steps, Triangular, Uniform
from dcsim.quantity.laws import Constant, Law, constant
from dcsim.quantity.special import Z90
from dcsim.quantity.unbounded import Gamma, Lognormal, Normal, Weibull, normal_sf

MOST_BELOW_ZERO: Final = 0.01
"""A normal with more than this share below zero is refused."""


class Fault(NamedTuple):
    """One thing wrong with a law: the parameter (in a list of values its position from 0; None: the law as a whole),
    a problem code, and what was found or expected.
    """

    parameter: str | int | None
    code: str
    message: str


class LawError(ValueError):
    """The parameters make no law; `faults` has all that is wrong with them."""

    faults: tuple[Fault, ...]

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "; ".join(fault.message for fault in self.faults)


@dataclass(frozen=True)
class Family:
    """A named law: `given` are the sets of parameters that determine it, `pure` those without a unit."""

    name: str
    given: tuple[tuple[str, ...], ...]
    build: Callable[..., Law]
    pure: frozenset[str] = frozenset()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter it knows, in the order of declaration."""
        return tuple(dict.fromkeys(name for names in self.given for name in names))

    def check_names(self, names: Iterable[str]) -> list[Fault]:
        """What is unknown, missing or too much among the parameters' names; one that is misspelt is not missing."""
        known: list[str] = []
        faults: list[Fault] = []
        for name in names:
            if name in self.parameters:
                known.append(name)
            else:
                faults.append(Fault(name, "UNKNOWN", f"{self.name} takes no {name!r}{suggest(name, self.parameters)}"))
                known += [meant for meant in self.parameters if suggest(name, [meant])][:1]
        if set(known) in [set(names) for names in self.given]:
            return faults
        for wanted in self.given:
            missing = [name for name in wanted if name not in known]
            if set(known) < set(wanted) and (known or len(self.given) == 1):
                return [*faults, Fault(None, "REQUIRED", f"{self.name} needs {_listed(missing)}")]
        choices = ", or ".join(_listed(names) for names in self.given)
        if not known:
            return [*faults, Fault(None, "REQUIRED", f"{self.name} needs {choices}")]
        return [*faults, Fault(None, "UNKNOWN", f"{self.name} takes {choices}, not {_listed(known)} together")]


def make_law(name: str, **params: float) -> Law:
    """The law `name` with these parameters, all in one unit: `make_law("lognormal", median=40, p90=80)`.

    Parameters that leave one value only (`low` equal to `high`, `sd` or `cv` of 0) make a constant. Raises LawError
    for an unknown law, wrong parameters, and parameters that make no law or one whose draws are not all finite. For
    `discrete` and `empirical` see `make_steps`.
    """
    family = FAMILIES.get(name)
    if family is None:
        raise _fault(None, f"unknown distribution {name!r}{suggest(name, LAW_NAMES)}", "UNKNOWN")
    if faults := family.check_names(params):
        raise LawError(faults)
    values = {key: float(value) for key, value in params.items()}
    if faults := [_not_finite(key, value) for key, value in values.items() if not math.isfinite(value)]:
        raise LawError(faults)
    try:
        law = family.build(**values)
        sound = math.isfinite(law.mean()) and math.isfinite(law.reach())
    except (OverflowError, ZeroDivisionError):
        sound = False
    if not sound:
        raise _fault(None, f"{_call(name, values)} overflows: its mean or its largest draws are not finite")
    return law if isinstance(law, Constant) else replace(law, name=name, params=tuple(values.items()))


def make_steps(name: str, weighted: Iterable[tuple[float, float]]) -> Law:
    """A `discrete` or `empirical` law from (value, weight) pairs; the weights need not add up to one.

    A draw is one of the values, and the median the lower of two middle ones. Raises LawError for no pairs, a value
    that is not finite, and a weight that is not positive and finite.
    """
    pairs = [(float(value) + 0.0, float(weight)) for value, weight in weighted]
    faults = [] if pairs else [Fault(None, "REQUIRED", f"{name} needs at least one value")]
    for position, (value, weight) in enumerate(pairs):
        if not math.isfinite(value):
            faults.append(Fault(position, "RANGE", f"value {position + 1} is not finite"))
        if not (math.isfinite(weight) and weight > 0):
            found = f"{_shown(value)} must be > 0 and finite, got {_shown(weight)}"
            faults.append(Fault(position, "RANGE", f"the weight of {found}"))
    if faults:
        raise LawError(faults)
    pairs.sort()
    values = tuple(value for value, _ in pairs)
    if values[0] == values[-1]:
        return constant(values[0])
    sums = list(accumulate(weight for _, weight in pairs))
    if not math.isfinite(sums[-1]) or not math.isfinite(2.0 * max(map(abs, values))):
        raise _fault(None, f"the weights or values of {name} overflow")
    params = tuple((repr(value), weight) for value, weight in pairs) if name == "discrete" else ()
    return Steps(name, params, values, tuple(one / sums[-1] for one in sums))


def _uniform(low: float, high: float) -> Law:
    _rising(low=low, high=high)
    return Uniform("", (), low, high) if low < high else constant(low)


def _triangular(low: float, mode: float, high: float) -> Law:
    _rising(low=low, mode=mode, high=high)
    return Triangular("", (), low, mode, high) if low < high else constant(low)


def _pert(low: float, mode: float, high: float) -> Law:
    _rising(low=low, mode=mode, high=high)
    return Pert("", (), low, mode, high) if low < high else constant(low)


def _lognormal(*, median: float = 1.0, p90: float = 2.0, mean: float | None = None, cv: float = 1.0) -> Law:
    if mean is None:
        _above_zero(median=median)
        if p90 <= median:
            raise _fault("p90", f"p90 must be above the median, got p90 {_shown(p90)} and median {_shown(median)}")
        return Lognormal("", (), median, (math.log(p90) - math.log(median)) / Z90)
    _above_zero(mean=mean)
    _not_negative(cv=cv)
    if cv == 0.0:
        return constant(mean)
    return Lognormal("", (), mean / math.hypot(1.0, cv), math.sqrt(math.log1p(cv * cv)))


def _normal(*, mean: float, sd: float | None = None, cv: float = 0.0) -> Law:
    if sd is None:
        _above_zero(mean=mean)
        _not_negative(cv=cv)
        sd = mean * cv
    _not_negative(sd=sd)
    if sd == 0.0 and mean >= 0.0:
        return constant(mean)
    below = normal_sf(mean / sd) if sd else 1.0
    if below > MOST_BELOW_ZERO:
        share = f"normal({_shown(mean)}, {_shown(sd)}) lies below zero with probability {100 * below:.2g} %"
        raise _fault(None, f"{share}, more than 1 %; use a lognormal or gamma, or a smaller sd")
    return Normal("", (), mean, sd)


def _gamma(mean: float, cv: float) -> Law:
    _above_zero(mean=mean)
    _not_negative(cv=cv)
    if cv == 0.0:
        return constant(mean)
    if not 1e-6 <= cv <= 1e3:
        raise _fault("cv", f"cv must be 0 or between 1e-6 and 1000, got {_shown(cv)}")
    return Gamma("", (), 1.0 / (cv * cv), mean * (cv * cv))


def _erlang(k: float, mean: float) -> Law:
    if k != int(k):
        raise _fault("k", f"k must be a whole number, got {_shown(k)}", "TYPE")
    if not 1 <= k <= 1e12:
        raise _fault("k", f"k must be between 1 and 1e12, got {_shown(k)}")
    _above_zero(mean=mean)
    return Gamma("", (), k, mean / k)


def _exponential(mean: float) -> Law:
    _above_zero(mean=mean)
    return Weibull("", (), 1.0, mean)


def _weibull(*, shape: float, scale: float | None = None, mean: float = 1.0) -> Law:
    _above_zero(shape=shape)
    if scale is None:
        _above_zero(mean=mean)
        scale = mean / Weibull("", (), shape, 1.0).mean()
    else:
        _above_zero(scale=scale)
    law = Weibull("", (), shape, scale)
    if not (scale > 0.0 and math.isfinite(law.mean()) and math.isfinite(law.reach())):
        raise _fault("shape", f"shape too small: values overflow, got {_shown(shape)}")
    return law


_ENDS = (("low", "mode", "high"),)

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        Family("uniform", (("low", "high"),), _uniform),
        Family("triangular", _ENDS, _triangular),
        Family("pert", _ENDS, _pert),
        Family("lognormal", (("median", "p90"), ("mean", "cv")), _lognormal, frozenset({"cv"})),
        Family("normal", (("mean", "sd"), ("mean", "cv")), _normal, frozenset({"cv"})),
        Family("gamma", (("mean", "cv"),), _gamma, frozenset({"cv"})),
        Family("erlang", (("k", "mean"),), _erlang, frozenset({"k"})),
        Family("exponential", (("mean",),), _exponential),
        Family("weibull", (("shape", "scale"), ("mean", "shape")), _weibull, frozenset({"shape"})),
    )
}
"""The laws given by named parameters."""

LAW_NAMES: Final = (*FAMILIES, "discrete", "empirical")
"""Every law that a scenario may name."""


def _listed(names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _shown(value: float) -> str:
    return f"{value:.6g}"


def _call(name: str, params: Mapping[str, float]) -> str:
    return f"{name}({', '.join(f'{key} {_shown(value)}' for key, value in params.items())})"


def _fault(parameter: str | int | None, message: str, code: str = "RANGE") -> LawError:
    return LawError([Fault(parameter, code, message)])


def _not_finite(parameter: str, value: float) -> Fault:
    found = "not a number" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return Fault(parameter, "RANGE", f"{parameter} must be finite, got {found}")


def _above_zero(**params: float) -> None:
    for name, value in params.items():
        if not value > 0.0:
            raise _fault(name, f"{name} must be > 0, got {_shown(value)}")


def _not_negative(**params: float) -> None:
    for name, value in params.items():
        if value < 0.0:
            raise _fault(name, f"{name} must be >= 0, got {_shown(value)}")


def _rising(**params: float) -> None:
    """Refuses ends in the wrong order, naming the first pair, and ends so large that their sum overflows."""
    for (first, low), (second, high) in pairwise(params.items()):
        if low > high:
            raise _fault(
                first, f"{first} must not be above {second}, got {first} {_shown(low)} and {second} {_shown(high)}"
            )
    if not math.isfinite(6.0 * max(map(abs, params.values()))):
        raise OverflowError
