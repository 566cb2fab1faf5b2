"""Scenarios beside a base: what-ifs of its file, and edits of the moment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dcsim.errors import Problem, ScenarioError, UsageError, printable, suggest
from dcsim.scenario.edit import expand_each, parse_set

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario

EVERY = "all"
"""Stands for every what-if of the file, unless one of them is called so."""

_NEXT = re.compile(r",\s*(?=[^\s=,:{}\[\]'\"]+\s*=)")


def edited(base: Scenario, name: str, edits: Mapping[str, object]) -> dict[str, Scenario]:
    """The variants that edits of the base stand for: one, or one for each combination of `{each: [...]}` values.

    Raises ScenarioError with the variant's name where an edit fails.
    """
    found: dict[str, Scenario] = {}
    for label, variant in expand_each(edits):
        found[f"{name}: {label}" if label else name] = base.edit(variant)
    return found


def asked(base: Scenario, texts: Iterable[str]) -> dict[str, Scenario]:
    """The variants of `NAME`, `NAME:PATH=VALUE[,PATH=VALUE]` and `all`, in this order.

    Raises UsageError or ScenarioError: every text that does not work is told at once.
    """
    found: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for text in texts:
        try:
            for name, edits in _edits(base, text).items():
                try:
                    add(found, edited(base, name, edits))
                except ScenarioError as error:
                    problems += [_of(name, problem) for problem in error.problems]
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(dict.fromkeys(problems))
    return found


def add(found: dict[str, Scenario], more: Mapping[str, Scenario]) -> None:
    """Take variants in. Raises UsageError for a name that is taken."""
    for name, scenario in more.items():
        if name in found or name == "base":
            raise UsageError(f"two variants are called '{printable(name)}'")
        found[name] = scenario


def _edits(base: Scenario, text: str) -> dict[str, Mapping[str, object]]:
    """The edits of one `--with`, by the name of the variant."""
    what_ifs = base.spec.what_ifs
    name, colon, rest = text.partition(":")
    if text in what_ifs or not (colon or "=" in text):
        if text == EVERY and EVERY not in what_ifs:
            if not what_ifs:
                raise UsageError("the scenario has no what-ifs")
            return dict(what_ifs)
        if text not in what_ifs:
            hint = suggest(text, what_ifs) or (f" (there are: {', '.join(what_ifs)})" if what_ifs else "")
            raise UsageError(f"unknown what-if '{printable(text)}'{hint}")
        return {text: what_ifs[text]}
    if not name.strip() or "=" in name or "=" not in rest:
        raise UsageError(f"expected NAME or NAME:PATH=VALUE[,PATH=VALUE], got '{printable(text)}'")
    edits: dict[str, object] = {}
    for part in split_edits(rest):
        path, value = parse_set(part)
        if path in edits:
            raise UsageError(f"'{printable(path)}' is set twice in '{printable(text)}'")
        edits[path] = value
    return {name.strip(): edits}


def split_edits(text: str) -> list[str]:
    """`PATH=VALUE,PATH=VALUE` at the commas that another path follows, outside of brackets and quotes."""
    parts, begin, depth, quote = [], 0, 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in ")}]":
            depth -= 1
        elif character == "," and depth == 0 and (match := _NEXT.match(text, at)):
            parts.append(text[begin:at])
            begin = match.end()
    return [*parts, text[begin:]]


def _of(name: str, problem: Problem) -> Problem:
    """A problem of a variant; one without a place in a file says which variant it is."""
    message = f"{problem.message} (in variant '{name}')"
    return Problem(problem.code, problem.path, message, problem.mark, problem.severity)
