"""The parts of an expression. All are frozen; `at` is where a part stands in the text, counted from 0."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["<", "<=", "=", ">=", ">"]
Unit: TypeAlias = Literal["MW", "usd_m", "days", "fraction", "MW-days", "date"]
"""What a quantity is counted in, where that is known."""

_LONGEST = 60


class ExpressionError(ValueError):
    """A text that is no expression, or one that asks for what cannot be.

    `code` is a problem code, `message` says what is wrong, `at` where in the text (from 0).
    """

    def __init__(self, code: str = "SYNTAX", message: str = "not an expression", at: int = 0) -> None:
        super().__init__(code, message, at)
        self.code = code
        self.message = message
        self.at = at

    def __str__(self) -> str:
        return f"{self.message} (at character {self.at + 1})"


@dataclass(frozen=True, slots=True)
class Moment:
    """What stands after `@`: a date, the end of a month (`2028-06`) or of a year (`2030`); `day` is the last day."""

    day: dt.date
    kind: Literal["date", "month", "year"]

    def __str__(self) -> str:
        return self.day.isoformat()[: {"date": 10, "month": 7, "year": 4}[self.kind]]


@dataclass(frozen=True, slots=True)
class Column:
    """An outcome by the name of its column, or a measure of capacity at a date; `owner` is a tenant or party."""

    name: str
    owner: str | None = None
    when: Moment | None = None
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.owner + '.' if self.owner else ''}{self.name}{f'@{self.when}' if self.when else ''}"


@dataclass(frozen=True, slots=True)
class Milestone:
    """When a site or a phase reaches a milestone: `form` says whether as a day since the start or as a date."""

    name: str
    site: str
    phase: str | None = None
    form: Literal["day", "date"] = "date"
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.form}_of({self.site}{'.' + self.phase if self.phase else ''}.{self.name})"


@dataclass(frozen=True, slots=True)
class SignedShare:
    """Share of the sites with a tag (or of one site) whose lease is signed by the horizon."""

    of: str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"signed_share({self.of})"


Quantity: TypeAlias = Column | Milestone | SignedShare


@dataclass(frozen=True, slots=True)
class Scaled:
    """`0.85 of` a quantity."""

    factor: float
    of: Quantity
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.factor:g} of {self.of}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and its `value` in the unit of what it is compared with, once that is known."""

    text: str
    value: float = math.nan
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date."""

    date: dt.date
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.date.isoformat()


Operand: TypeAlias = Column | Milestone | SignedShare | Scaled | Number | Day


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`, true or false in each replication."""

    left: Operand
    operator: Operator
    right: Operand

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value that a share `q` of the replications does not exceed."""

    q: float
    of: Quantity

    def __str__(self) -> str:
        return f"P{100 * self.q:g} {self.of}"


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over replications."""

    of: Quantity

    def __str__(self) -> str:
        return f"mean {self.of}"


@dataclass(frozen=True, slots=True)
class Chance:
    """The share of replications in which all comparisons hold."""

    condition: tuple[Comparison, ...]

    def __str__(self) -> str:
        return f"chance({' and '.join(map(str, self.condition))})"


Statistic: TypeAlias = Quantile | Mean | Chance


@dataclass(frozen=True, slots=True)
class Bound:
    """What the statistic is held against: `statistic operator operand`."""

    operator: Operator
    operand: Operand


@dataclass(frozen=True, slots=True)
class Expectation:
    """A statistic and what it must be: one bound, or two of a chain (`0.35 <= mean x <= 0.65`)."""

    statistic: Statistic
    bounds: tuple[Bound, ...]
    text: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class Precision:
    """How precisely a statistic is wanted: to `margin` in its unit, or as a share of it where `relative`."""

    statistic: Statistic
    margin: float
    relative: bool


def quantities(part: Expectation | Precision | Statistic | Comparison | Operand) -> Iterator[Quantity]:
    """Every quantity in an expression, from left to right of the statistic and then of its bounds."""
    if isinstance(part, Column | Milestone | SignedShare):
        yield part
    elif isinstance(part, Scaled | Quantile | Mean):
        yield part.of
    elif isinstance(part, Comparison):
        yield from quantities(part.left)
        yield from quantities(part.right)
    elif isinstance(part, Chance):
        for comparison in part.condition:
            yield from quantities(comparison)
    elif isinstance(part, Expectation | Precision):
        yield from quantities(part.statistic)
        for bound in part.bounds if isinstance(part, Expectation) else ():
            yield from quantities(bound.operand)


def shorten(text: str) -> str:
    """A piece of an expression for a message."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}.."
