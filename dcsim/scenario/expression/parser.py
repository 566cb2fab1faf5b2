"""Recursive descent over the text of an expression: one method for each rule of the grammar."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NoReturn, TypeVar, cast

from dcsim.errors import printable, suggest
from dcsim.scenario.expression.syntax import (
    Bound,
    Chance,
    Column,
    Comparison,
    Day,
    Expectation,
    ExpressionError,
    Mean,
    Milestone,
    Moment,
    Number,
    Operand,
    Operator,
    Precision,
    Quantile,
    Quantity,
    Scaled,
    SignedShare,
    Statistic,
    shorten,
)
from dcsim.scenario.expression.units import in_unit, number_in, unit_of, unit_of_operand
from dcsim.scenario.fields import LOT_MILESTONES, PHASE_MILESTONES, SITE_MILESTONES

Side = TypeVar("Side")

LONGEST = 500
"""Characters of an expression, at most."""

MILESTONES = (*SITE_MILESTONES, *PHASE_MILESTONES)
FUNCTIONS = ("day_of", "date_of", "signed_share", *MILESTONES)
EXAMPLE = "P50 live_mw@2030-12-31 >= 900 MW"

_COMPARE = re.compile(r"<=|>=|==|=|<|>|≤|≥|!=|≠")
_SPELT: dict[str, Operator] = {"==": "=", "≤": "<=", "≥": ">="}
_FLIPPED: dict[Operator, Operator] = {"<": ">", "<=": ">=", "=": "=", ">=": "<=", ">": "<"}
_STATISTIC = re.compile(r"P(\d+(?:\.\d+)?)(?![\w.@(-])|(mean)(?![\w.@(-])|(chance)\s*\(")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?![\d-])")
_MOMENT = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d-])")
_DATE_LIKE = re.compile(r"\d{1,4}[-/]\d{1,2}(?:[-/]\d{1,4})?(?![\w%])|\d{1,2}\.\d{1,2}\.\d{4}")
_NUMBER = re.compile(
    r"[-+−]?\s*(?:US\$|USD(?=[\s\d])|\$)?\s*(?:\d[\d,_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"(?:\s*(?!of\b|and\b)(?:%|[A-Za-z]+(?![\w@(.])))?(?:\s*[-/·*]\s*[A-Za-z]+|\s+per\s+[A-Za-z]+)*"
)
_NUMBER_BEGINS = re.compile(r"[-+−]?\s*(?:US\$|USD(?=[\s\d])|\$)?\s*\.?\d")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_WORD = re.compile(r"[^\s()<>=@,]+|[<>=]+")
_MEANT = {"median": "P50", "average": "mean", "avg": "mean", "prob": "chance", "probability": "chance"}
_LOST_STATISTIC = re.compile(rf"[pP]\d+|{'|'.join(_MEANT)}|max|min|sum", re.IGNORECASE)


@lru_cache(maxsize=4096)
def parse_expectation(text: str, bare: Literal["refuse", "mean"] = "refuse") -> Expectation:
    """What must hold. A quantity without a statistic is refused, or taken for its mean with `bare="mean"`.

    Raises ExpressionError for what is no expectation, and for what cannot hold whatever comes of a run: a unit of
    another kind, a chance above 1, a milestone that does not exist.
    """
    reader = _Reader(text)
    sides, operators = reader.chain(reader.side)
    reader.end()
    if not operators:
        raise ExpressionError("SYNTAX", f"expected a comparison (<, <=, =, >= or >), as in '{EXAMPLE}'", len(text))
    stated = [index for index, side in enumerate(sides) if isinstance(side, Quantile | Mean | Chance)]
    if not stated and bare == "mean":
        stated = [index for index, side in enumerate(sides) if isinstance(side, Column | Milestone | SignedShare)][:1]
    if len(stated) != 1:
        message = "one statistic is compared, with numbers, dates or quantities"
        if not stated:
            message = f"say which statistic: P50, mean or chance(...), as in '{EXAMPLE}'"
        raise ExpressionError("SYNTAX", message, 0)
    (index,) = stated
    if len(sides) == 3 and index != 1:
        raise ExpressionError("SYNTAX", "the statistic stands between the two bounds", 0)
    found = sides[index]
    statistic: Statistic = found if isinstance(found, Quantile | Mean | Chance) else Mean(cast(Quantity, found))
    bounds = []
    for position, operator in enumerate(operators):
        other = position + 1 if position == index else position
        operator = operator if position == index else _FLIPPED[operator]
        bounds.append(Bound(operator, _held_against(statistic, cast(Operand, sides[other]))))
    return Expectation(statistic, tuple(bounds), text.strip())


def _held_against(statistic: Statistic, operand: Operand) -> Operand:
    """The operand in the unit of the statistic. Raises ExpressionError."""
    if not isinstance(statistic, Chance):
        return in_unit(operand, unit_of(statistic.of))
    if not isinstance(operand, Number):
        raise ExpressionError("TYPE", f"a chance is compared with a number, got '{operand}'", operand.at)
    value = number_in(operand, "fraction")
    if not 0 <= value <= 1:
        hint = f"; did you mean {operand.text} %?" if 1 < value <= 100 else ""
        raise ExpressionError("RANGE", f"a chance lies between 0 and 1, got {operand.text}{hint}", operand.at)
    return Number(operand.text, value, operand.at)


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Quantity:
    """A quantity alone: an outcome, a measure at a date, a milestone. Raises ExpressionError."""
    reader = _Reader(text)
    found = reader.quantity()
    reader.end()
    return found


def parse_precision(text: str) -> Precision:
    """`live_mw@2028-12-31 +- 2 %`: a statistic (the mean, if none is named) and how precisely it is wanted.

    Raises ExpressionError.
    """
    reader = _Reader(text)
    statistic = reader.statistic() or Mean(reader.quantity())
    if not reader.take(re.compile(r"\+-|±|\+/-")):
        reader.fail("expected '+-' and how precisely it is wanted")
    at = reader.at
    number = reader.number()
    if number is None:
        reader.fail("expected how precisely it is wanted, such as 2 % or 10 MW")
    reader.end()
    unit = "fraction" if isinstance(statistic, Chance) else unit_of(statistic.of)
    relative = "%" in number.text and not isinstance(statistic, Chance) and unit != "fraction"
    margin = number_in(number, "fraction" if relative else "days" if unit == "date" else unit)
    if margin <= 0:
        raise ExpressionError("RANGE", f"the precision must be above zero, got {number.text}", at)
    return Precision(statistic, margin, relative)


class _Reader:
    """The text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError("LIMIT", f"{len(text):,} characters, at most {LONGEST}", LONGEST)
        self.text = text
        self.at = 0
        self._skip()
        if not self._rest():
            raise ExpressionError("SYNTAX", f"expected an expression such as '{EXAMPLE}', got nothing", 0)

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _rest(self) -> str:
        return self.text[self.at :]

    def _look(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.at)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What stands here, if it is that; and what follows is next."""
        match = self._look(pattern)
        if match:
            self.at = match.end()
            self._skip()
        return match

    def expect(self, sign: str, why: str) -> None:
        if not self.take(re.compile(re.escape(sign))):
            self.fail(f"expected '{sign}' {why}")

    def fail(self, message: str, code: str = "SYNTAX", at: int | None = None) -> NoReturn:
        """Raise; the message gets what stands here instead."""
        if at is None:
            word = self._look(_WORD)
            found = word[0] if word else self._rest()[:1]
            message += f", got '{printable(shorten(found))}'" if found else ", and the text ends"
        raise ExpressionError(code, message, self.at if at is None else at)

    def end(self) -> None:
        if self._rest():
            self.fail("expected nothing more")

    # Comparisons.

    def chain(self, side: Callable[[], Side]) -> tuple[list[Side], list[Operator]]:
        """`a < b` or `a <= b <= c`; the sides are read by the method `side`."""
        sides = [side()]
        operators: list[Operator] = []
        at = self.at
        while match := self.take(_COMPARE):
            if match[0] in ("!=", "≠"):
                self.fail("there is no 'not equal'", at=match.start())
            operators.append(_SPELT.get(match[0], cast(Operator, match[0])))
            sides.append(side())
        if len(operators) > 2:
            self.fail("at most two comparisons in a chain", at=at)
        if (len(operators) == 2 and len({sign[0] for sign in operators}) > 1) or operators.count("=") > 1:
            self.fail("both comparisons of a chain point the same way, as in 0.35 <= mean x <= 0.65", at=at)
        return sides, operators

    def side(self) -> Operand | Statistic:
        return self.statistic() or self.operand()

    def statistic(self) -> Statistic | None:
        at = self.at
        match = self.take(_STATISTIC)
        if match is None:
            return None
        if match[1]:
            if not 0 < float(match[1]) < 100:
                self.fail(f"a percentile lies between P0 and P100, got {match[0]}", "RANGE", at)
            return Quantile(float(match[1]) / 100, self.quantity())
        if match[2]:
            return Mean(self.quantity())
        conditions = self.comparisons()
        while self.take(re.compile(r"and\b")):
            conditions += self.comparisons()
        self.expect(")", "after the condition of a chance")
        return Chance(tuple(conditions))

    def comparisons(self) -> list[Comparison]:
        """One comparison, or the two of a chain, in units that fit."""
        at = self.at
        sides, operators = self.chain(self.operand)
        if not operators:
            self.fail("expected a comparison (<, <=, =, >= or >)")
        found = []
        for index, operator in enumerate(operators):
            left, right = sides[index], sides[index + 1]
            if all(isinstance(side, Number | Day) for side in (left, right)):
                self.fail(f"'{left}' and '{right}' are both known: expected a quantity, or ')' before", at=at)
            unit = unit_of_operand(left) or unit_of_operand(right)
            found.append(Comparison(in_unit(left, unit), operator, in_unit(right, unit)))
        return found

    # Operands.

    def operand(self) -> Operand:
        at = self.at
        number = self.number()
        if number is None:
            return self.date() or self.quantity()
        if self.take(re.compile(r"of\b")):
            scaled = Scaled(number_in(number, "fraction"), self.quantity(), at)
            if unit_of(scaled.of) == "date":
                self.fail(f"a date has no part: '{scaled}'", "TYPE", at)
            return scaled
        return number

    def date(self) -> Day | None:
        at = self.at
        match = self.take(_DATE)
        return Day(_date(match[0], at), at) if match else None

    def number(self) -> Number | None:
        if self._look(_DATE) or not self._look(_NUMBER_BEGINS):
            return None
        at = self.at
        if self._look(_DATE_LIKE):
            self.fail("expected a date like 2028-06-30", "DATE")
        match = self.take(_NUMBER)
        if match is None:
            self.fail("expected a number")
        return Number(match[0].strip(), at=at)

    def quantity(self) -> Quantity:
        at = self.at
        if self._look(_STATISTIC):
            self.fail("expected a quantity, and no statistic")
        match = self.take(_NAME)
        if match is None:
            word = self._look(_WORD)
            if word and _LOST_STATISTIC.fullmatch(word[0]):
                self._lost_statistic(word[0], at)
            self.fail("expected a quantity, such as live_mw@2030-12-31")
        name = match[0]
        if self.take(re.compile(r"\(")):
            return self.function(name, at)
        if _LOST_STATISTIC.fullmatch(name) and self._look(_NAME) and not self._look(re.compile(r"(of|and)\b")):
            self._lost_statistic(name, at)
        owner = None
        if self.take(re.compile(r"\.")):
            second = self.take(_NAME)
            if second is None:
                self.fail(f"expected the name of an outcome after '{name}.'")
            owner, name = name, second[0]
            if self._look(re.compile(r"\.")):
                self.fail("a milestone is asked as day_of(SITE.PHASE.MILESTONE) or date_of(...)", at=at)
        when = self.moment() if self.take(re.compile(r"@")) else None
        return Column(name, owner, when, at)

    def _lost_statistic(self, word: str, at: int) -> None:
        meant = word.upper() if word[1:].isdigit() else _MEANT.get(word.lower())
        hint = f"; did you mean '{meant}'?" if meant else "; expected P50, mean or chance"
        raise ExpressionError("UNKNOWN", f"unknown statistic '{word}'{hint}", at)

    def moment(self) -> Moment:
        at = self.at
        match = self.take(_MOMENT)
        if match is None:
            self.fail("expected a date, month or year after '@' (2028-06-30, 2028-06, 2028)", "DATE")
        year, month, day = match.groups()
        if day:
            return Moment(_date(match[0], at), "date")
        last = _date(f"{year}-{month or '12'}-01", at)
        return Moment(last.replace(day=calendar.monthrange(last.year, last.month)[1]), "month" if month else "year")

    def function(self, name: str, at: int) -> Quantity:
        """What follows `name(`."""
        if name == "mean" or re.fullmatch(r"[pP]\d+", name):
            raise ExpressionError("SYNTAX", f"'{name}' takes no brackets, as in 'mean idle_mw_days'", at)
        if name not in FUNCTIONS:
            meant = _MEANT.get(name)
            hint = f"; did you mean '{meant}'?" if meant else suggest(name, (*FUNCTIONS, "chance"))
            raise ExpressionError("UNKNOWN", f"unknown function '{name}'{hint or '; expected day_of or date_of'}", at)
        if name == "signed_share":
            self.take(re.compile("@"))
        start = self.at
        parts = []
        while match := self.take(_ID):
            parts.append(match[0])
            if not self.take(re.compile(r"\.")):
                break
        self.expect(")", f"after {name}(...")
        if name == "signed_share":
            if len(parts) != 1:
                raise ExpressionError("SYNTAX", "expected a tag or a site, as in signed_share(letters)", start)
            return SignedShare(parts[0], at)
        milestone = name
        if name in ("day_of", "date_of"):
            milestone = parts.pop() if parts else ""
        if not 1 <= len(parts) <= 2:
            shape = "SITE" if milestone in SITE_MILESTONES else "SITE.PHASE"
            shape += f".{milestone or 'MILESTONE'}" if name in ("day_of", "date_of") else ""
            raise ExpressionError("SYNTAX", f"expected {name}({shape})", start)
        _check_milestone(milestone, parts, start)
        site, phase = (*parts, None)[:2]
        assert site is not None
        return Milestone(milestone, site, phase, "day" if name == "day_of" else "date", at)


def _check_milestone(name: str, path: list[str], at: int) -> None:
    if name in LOT_MILESTONES:
        message = f"'{name}' is a milestone of lots, of which none is asked here; did you mean 'first_live'?"
        raise ExpressionError("REF", message, at)
    if name not in MILESTONES:
        hint = suggest(name, MILESTONES) or f"; expected {', '.join(MILESTONES)}"
        raise ExpressionError("REF", f"'{name}' is no milestone{hint}", at)
    if name in SITE_MILESTONES and len(path) == 2:
        raise ExpressionError("REF", f"'{name}' is a milestone of the site: write {path[0]}, without the phase", at)


def _date(text: str, at: int) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ExpressionError("DATE", f"{text}: {error}", at) from None
