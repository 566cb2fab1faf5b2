"""An expectation as a field of the scenario: text that parses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from dcsim.scenario.expression.parser import parse_expectation
from dcsim.scenario.expression.syntax import ExpressionError
from dcsim.scenario.fields import problem


def _parses(text: str) -> str:
    """The text; whether its names mean anything is found by the checks, which know the scenario."""
    try:
        parse_expectation(text)
    except ExpressionError as error:
        raise problem(error.code, str(error)) from None
    return text


ExpectationText = Annotated[str, AfterValidator(_parses)]
