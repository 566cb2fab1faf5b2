"""What must hold, held against a run: pass, fail, or undecided at this number of replications."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dcsim.errors import UsageError
from dcsim.scenario.check.expectations import faults, outside_of, taken_out
from dcsim.scenario.expression import (
    Bound,
    Chance,
    Column,
    Day,
    Expectation,
    ExpressionError,
    Mean,
    Number,
    Operand,
    Quantile,
    Quantity,
    Scaled,
    Statistic,
    parse_expectation,
    parse_quantity,
    quantities,
)
from dcsim.stats import CONFIDENCE, Estimate, Floats, mean, quantile, share
from dcsim.study.naming import place_of
from dcsim.study.values import Series, Unavailable, Values
from dcsim.tables.layout import EPOCH, Layout

if TYPE_CHECKING:
    from dcsim.model.history import History
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result

Verdict: TypeAlias = Literal["pass", "fail", "undecided"]

CLOSE: Final = 1e-9
"""Relative difference below which two numbers are the same: sums of floats differ by less."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An expectation and what became of it.

    `estimate` is that of the statistic, in `unit` (`date`: days since 1970-01-01; None: as the outcome has it); None
    where there is nothing to judge by. With `of_difference` it is the statistic of left less right, which is held
    against zero. `note` says why it is undecided, or what was taken for something else.
    """

    id: str
    text: str
    verdict: Verdict
    estimate: Estimate | None
    unit: str | None
    of_difference: bool = False
    note: str = ""


def judge_all(result: Result, scenario: Scenario, confidence: float = CONFIDENCE) -> list[Judged]:
    """Every expectation of a scenario, in its order, held against a run of it.

    Raises `UsageError` for an outcome that the run does not have.
    """
    if not scenario.spec.expect:
        return []
    values = Values(result, scenario)
    return [judge(values, id, parse_expectation(text), confidence) for id, text in scenario.spec.expect.items()]


def read_expectation(text: str, scenario: Scenario) -> Expectation:
    """An expectation from text, held against the scenario. Raises `UsageError` for what `dcsim check` would refuse."""
    try:
        expression = parse_expectation(text)
    except ExpressionError as error:
        raise UsageError(f"'{text}': {error}") from None
    _refuse(text, expression, scenario)
    return expression


def read_quantity(text: str, scenario: Scenario) -> Quantity:
    """The same for a quantity alone: an outcome, a measure at a date, a milestone."""
    try:
        quantity = parse_quantity(text)
    except ExpressionError as error:
        raise UsageError(f"'{text}': {error}") from None
    _refuse(text, quantity, scenario)
    return quantity


def _refuse(text: str, expression: Expectation | Quantity, scenario: Scenario) -> None:
    for fault in faults(scenario.spec, expression, taken_out(scenario.spec, scenario.raw)):
        if not fault.warns:
            raise UsageError(f"'{text}': {fault}")


def check_names(scenario: Scenario, plan: History, asked: Iterable[Quantity] = ()) -> None:
    """Refuse an outcome that no run of the scenario will have, in its expectations or in what else is `asked`.

    `plan` is any history of the scenario: every one reports the same outcomes. Raises `UsageError` with the nearest
    name.
    """
    scalars = next(iter(plan.outcomes.values()), {})
    columns = Layout.of(scenario).outcomes_schema(tuple(scalars)).column_names
    for id, text in scenario.spec.expect.items():
        try:
            _known(quantities(parse_expectation(text)), scenario, columns)
        except UsageError as error:
            raise UsageError(f"expect.{id}: {error}") from None
    _known(asked, scenario, columns)


def _known(asked: Iterable[Quantity], scenario: Scenario, columns: Collection[str]) -> None:
    for quantity in asked:
        if isinstance(quantity, Column) and not outside_of(scenario.spec, quantity):
            place_of(quantity, scenario.spec, columns)


def judge(values: Values, id: str, expression: Expectation, confidence: float = CONFIDENCE) -> Judged:
    """Pass if the whole interval of the statistic satisfies every bound, fail if all of it violates one.

    Else undecided, as is what lies outside of start and horizon, and what the run says nothing of. Where every
    replication came out the same, or there is only one, the value itself decides. What is not reached is later than all
    dates; what a replication has no number for counts against the expectation.

    Raises `UsageError` for an outcome that the run does not have.
    """
    note = "" if len(values) else "no replication was whole"
    for asked in quantities(expression):
        where = outside_of(values.spec, asked) if isinstance(asked, Column) else ""
        note = note or (f"{asked} is {where}" if where else "")
    if note:
        return Judged(id, expression.text, "undecided", None, None, note=note)
    try:
        found = [_held(values, expression.statistic, bound, confidence) for bound in expression.bounds]
    except Unavailable as error:
        return Judged(id, expression.text, "undecided", None, None, note=str(error))
    verdicts = [verdict for verdict, _, _, _ in found]
    verdict: Verdict = "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"
    _, estimate, unit, of_difference = found[0]
    note = estimate.note if estimate.low is None else ""
    return Judged(id, expression.text, verdict, estimate, unit, of_difference, note)


def _held(
    values: Values, statistic: Statistic, bound: Bound, confidence: float
) -> tuple[Verdict, Estimate, str | None, bool]:
    """The verdict on one bound, the estimate it rests on, its unit, and whether it is that of a difference."""
    if isinstance(statistic, Chance):
        assert isinstance(bound.operand, Number)
        met = np.ones(len(values), bool)
        alike = True
        for comparison in statistic.condition:
            left, right = _pair(values, comparison.left, comparison.right)
            met &= _satisfied(left.values, comparison.operator, right.values)
            alike &= _same(left.values) and _same(right.values)
        estimate = _exact(values, share(int(met.sum()), len(values), confidence), alike)
        return _decide(estimate, bound.operator, bound.operand.value), estimate, "fraction", False
    left, right = _pair(values, statistic.of, bound.operand)
    known = isinstance(bound.operand, Number | Day)
    against = float(right.values[0]) if known else 0.0
    series = left if known else _difference(left, right)
    worst = math.inf if bound.operator in ("<", "<=", "=") else -math.inf
    sample = np.where(np.isnan(series.values), worst, series.values)
    estimate = _exact(values, _estimate(statistic, sample, confidence), _same(sample))
    return _decide(estimate, bound.operator, against), estimate, series.unit, not known


def _estimate(statistic: Quantile | Mean, sample: Floats, confidence: float) -> Estimate:
    """The statistic of a sample; a mean over what was not all reached is infinite, and surely so."""
    if isinstance(statistic, Quantile):
        return quantile(sample, statistic.q, confidence)
    missing = ~np.isfinite(sample)
    if not missing.any():
        return mean(sample, confidence)
    value = float(sample[missing][0])
    return Estimate(value, value, value, len(sample), f"no value in {int(missing.sum())} of {len(sample)} replications")


def _exact(values: Values, estimate: Estimate, alike: bool) -> Estimate:
    """Without luck the value is known, and its interval is a point."""
    if len(values) == 1 or (alike and values.alike):
        return Estimate(estimate.value, estimate.value, estimate.value, estimate.n, "")
    return estimate


def _same(sample: Floats) -> bool:
    """Whether all values are one."""
    return bool(np.array_equal(sample, np.full(len(sample), sample[0]), equal_nan=True))


def _pair(values: Values, left: Operand, right: Operand) -> tuple[Series, Series]:
    """Two sides by replication. Raises `UsageError` for a date beside a number: not always known before."""
    first, second = _series(values, left), _series(values, right)
    if (first.unit == "date") != (second.unit == "date"):
        which = left if first.unit == "date" else right
        raise UsageError(f"'{left}' cannot be compared with '{right}': only '{which}' is a date")
    return first, second


def _series(values: Values, operand: Operand) -> Series:
    if isinstance(operand, Number):
        return Series(np.full(len(values), operand.value), None)
    if isinstance(operand, Day):
        return Series(np.full(len(values), float((operand.date - EPOCH).days)), "date")
    whole = values.of(operand.of if isinstance(operand, Scaled) else operand)
    if np.isnan(whole.values).all():
        raise Unavailable(f"no replication has a number for {operand}")
    if isinstance(operand, Scaled):
        with np.errstate(invalid="ignore"):
            return Series(whole.values * operand.factor, whole.unit)
    return whole


def _difference(left: Series, right: Series) -> Series:
    """Left less right in each replication; NaN where neither is reached or a number is missing."""
    with np.errstate(invalid="ignore"):
        difference = np.asarray(left.values - right.values, np.float64)
    unit = left.unit or right.unit
    return Series(difference, "days" if unit == "date" else unit)


def _satisfied(left: Floats, operator: str, right: Floats) -> npt.NDArray[np.bool_]:
    """Where `left operator right` holds; nowhere that a number is missing, or that neither is reached."""
    neither = np.isinf(left) & (left == right)
    same = np.isclose(left, right, rtol=CLOSE, atol=CLOSE)
    with np.errstate(invalid="ignore"):
        strictly = left < right if operator[0] == "<" else left > right
    holds = same if operator == "=" else (strictly | same) if operator.endswith("=") else (strictly & ~same)
    return np.asarray(holds & ~neither, np.bool_)


def _decide(estimate: Estimate, operator: str, against: float) -> Verdict:
    if estimate.low is None or estimate.high is None:
        return "undecided"
    ends = [_holds(end, operator, against) for end in (estimate.low, estimate.high)]
    if operator == "=":
        inside = estimate.low < against < estimate.high
        return "pass" if all(ends) else "undecided" if any(ends) or inside else "fail"
    return "pass" if all(ends) else "undecided" if any(ends) else "fail"


def _holds(value: float, operator: str, against: float) -> bool:
    same = value == against or math.isclose(value, against, rel_tol=CLOSE, abs_tol=CLOSE)
    if operator in ("=", "<=", ">="):
        return same or (operator == "<=" and value < against) or (operator == ">=" and value > against)
    return not same and (value < against if operator == "<" else value > against)


def recorded(result: Result, scenario: Scenario) -> dict[str, dict[str, str]]:
    """The verdicts as the manifest keeps them; of what cannot be judged, why."""
    values = Values(result, scenario)
    found = {}
    for id, text in scenario.spec.expect.items():
        try:
            judged = judge(values, id, parse_expectation(text))
        except UsageError as error:
            judged = Judged(id, text, "undecided", None, None, note=str(error))
        found[id] = {"expression": text, "verdict": judged.verdict, "note": judged.note}
    return found
