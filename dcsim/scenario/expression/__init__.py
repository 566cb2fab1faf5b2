"""What is asked of results, as text: `P90 live_mw@2027-12-31 <= 1.1 GW`, `chance(full_live(ohio) <= 2028-12-31) >= .8`.

One grammar serves every place that asks: what must hold (`expect:`), which outcome, how precisely.

    expectation := side compare side [compare side]       one side has the statistic
    side        := statistic | operand
    statistic   := 'P' PERCENT quantity | 'mean' quantity | 'chance' '(' condition ')'
    condition   := comparison {'and' comparison}
    comparison  := operand compare operand [compare operand]
    operand     := [NUMBER 'of'] quantity | NUMBER [UNIT] | DATE
    quantity    := [OWNER '.'] NAME ['@' (DATE | YEAR-MONTH | YEAR)]
                 | 'day_of' '(' SITE ['.' PHASE] '.' MILESTONE ')'       days since the start
                 | 'date_of' '(' SITE ['.' PHASE] '.' MILESTONE ')'      calendar date
                 | MILESTONE '(' SITE ['.' PHASE] ')'                    the same date, shorter
                 | 'signed_share' '(' TAG or SITE ')'                    share of these sites with a signed lease
    compare     := '<' | '<=' | '=' | '>=' | '>'
    precision   := [statistic or quantity] '+-' NUMBER [UNIT or '%']

Here is the grammar and what can be told without a run; `dcsim.scenario.check.expectations` holds an expression against
its scenario, `dcsim.study.values` against the tables of a run.
"""

from __future__ import annotations

from dcsim.scenario.expression.parser import parse_expectation, parse_precision, parse_quantity
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
    Precision,
    Quantile,
    Quantity,
    Scaled,
    SignedShare,
    Statistic,
    quantities,
)
from dcsim.scenario.expression.units import MEASURES, unit_of

__all__ = [
    "MEASURES",
    "Bound",
    "Chance",
    "Column",
    "Comparison",
    "Day",
    "Expectation",
    "ExpressionError",
    "Mean",
    "Milestone",
    "Moment",
    "Number",
    "Operand",
    "Precision",
    "Quantile",
    "Quantity",
    "Scaled",
    "SignedShare",
    "Statistic",
    "parse_expectation",
    "parse_precision",
    "parse_quantity",
    "quantities",
    "unit_of",
]
