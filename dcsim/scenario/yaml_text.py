"""The text of a scenario file below YAML: encoding, forbidden characters, plain scalars, what a syntax error means."""

from __future__ import annotations

import codecs
import math
import re
import unicodedata

import yaml

from dcsim.errors import Mark, Problem, ScenarioError, printable

MOST_BYTES = 10_000_000
_MOST_DIGITS = 400
_MOST_CONTROLS = 20

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL = {f"{sign}.{name}": value for sign, value in (("", math.inf), ("+", math.inf), ("-", -math.inf))
            for name in ("inf", "Inf", "INF")}  # fmt: skip
_SPECIAL |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)


class Overflow(ValueError):
    """A number too large for a float."""


def scalar(text: str) -> bool | int | float | str | None:
    """What an unquoted text means by the YAML 1.2 core schema: null, bool, int, float, else the text itself.

    ``NO``, ``1:40``, ``1_00`` and dates stay text; ``060`` is 60. Raises Overflow for a number no float can hold.
    """
    if text in _NULLS:
        return None
    if text[0] not in "+-.0123456789":
        return _BOOLS.get(text, text)
    if _INT.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise Overflow(text)
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise Overflow(text)
        return value
    if text[:2] == "0o" and re.fullmatch("[0-7]{1,400}", text[2:]):
        return int(text[2:], 8)
    if text[:2] == "0x" and re.fullmatch("[0-9a-fA-F]{1,400}", text[2:]):
        return int(text[2:], 16)
    return _SPECIAL.get(text, text)


def normal(text: str) -> str:
    """The text in Unicode's composed form, so that two that look the same are the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def control(text: str) -> str | None:
    """``U+0007`` for the first control character in a text (tab and line feed are allowed), or None."""
    found = _CONTROL.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def decode(data: bytes, file: str) -> str:
    """The text of a file: UTF-8 or UTF-16 with a byte order mark, line ends as ``\\n``, no control characters.

    Raises ScenarioError (ENCODING, LIMIT).
    """
    if len(data) > MOST_BYTES:
        raise ScenarioError([Problem("LIMIT", "", too_large(), Mark(file, 1, 1))])
    if data.startswith((codecs.BOM_UTF32_BE, codecs.BOM_UTF32_LE)):
        raise ScenarioError([Problem("ENCODING", "", "UTF-32 text; re-save as UTF-8", Mark(file, 1, 1))])
    if data.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        try:
            return clean(data.decode("utf-16"), file)
        except UnicodeDecodeError as error:
            message = f"not UTF-16 at byte {error.start}; re-save as UTF-8"
            raise ScenarioError([Problem("ENCODING", "", message, Mark(file, 1, 1))]) from None
    if _is_binary(data):
        raise ScenarioError([Problem("ENCODING", "", "not a text file", Mark(file, 1, 1))])
    try:
        return clean(data.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        before = re.split("\r\n|\r|\n", data[: error.start].decode("utf-8"))
        mark = Mark(file, len(before), len(before[-1]) + 1)
        message = f"not UTF-8 at byte {error.start}; re-save as UTF-8"
        raise ScenarioError([Problem("ENCODING", "", message, mark)]) from None


def _is_binary(data: bytes) -> bool:
    head = data[:4096]
    odd = sum(byte < 32 and byte not in b"\t\n\r" for byte in head)
    return b"\0" in data or odd > len(head) / 10


def clean(text: str, file: str) -> str:
    """A text without byte order mark, with ``\\n`` line ends. Raises ScenarioError for control characters."""
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text) is None:
        return text
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        for found in _CONTROL.finditer(line):
            message = f"control character U+{ord(found[0]):04X} at line {number}"
            problems.append(Problem("ENCODING", "", message, Mark(file, number, found.start() + 1)))
            if len(problems) == _MOST_CONTROLS:
                raise ScenarioError(problems)
    raise ScenarioError(problems)


def too_large() -> str:
    """The message for a file above the limit."""
    return f"larger than {MOST_BYTES // 10**6} MB"


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """A syntax error with the line of its cause, which is often not the line where the parser gave up."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem("SYNTAX", "", printable(" ".join(str(error).split())), Mark(file, 1, 1))
    here = _mark(error.problem_mark, file)
    cause = here if error.context_mark is None else _mark(error.context_mark, file)
    context, problem = error.context or "", error.problem or ""
    lines = text.split("\n")
    at = _character(lines, here)
    if "flow" in context:
        opening = _character(lines, cause)
        if at and at in "]}":
            return Problem("SYNTAX", "", f"'{opening}' opened here is closed by '{at}' at line {here.line}", cause)
        if here.line == cause.line:
            return Problem("SYNTAX", "", f"expected ',' or '{_CLOSING.get(opening, '')}' before this", here)
        message = f"'{opening}' opened here is not closed before line {here.line}, column {here.column}"
        return Problem("SYNTAX", "", message, cause)
    if "quoted scalar" in context:
        if "end of stream" in problem or "document" in problem:
            return Problem("SYNTAX", "", "the quote opened here is not closed", cause)
        return Problem("SYNTAX", "", f"{problem} in quoted text; write \\\\ for a backslash", here)
    message, mark = _block_message(context, problem, at, here, cause)
    return Problem("SYNTAX", "", message, mark)


_CLOSING = {"{": "}", "[": "]"}


def _block_message(context: str, problem: str, at: str, here: Mark, cause: Mark) -> tuple[str, Mark]:
    if "block" in context:
        if at and at in "]}":
            return f"'{at}' closes nothing", here
        since = f"the block begins at line {cause.line}, column {cause.column}"
        if at == "-" and cause.column == here.column:
            return f"a list item among the keys of a mapping ({since})", here
        return f"indentation differs from its siblings ({since})", here
    if "mapping values are not allowed" in problem:
        return "':' is not allowed here: quote a text that has ': ' in it, or check the indentation", here
    if "cannot start any token" in problem:
        if at == "\t":
            return "a tab cannot indent; use spaces", here
        return f"'{printable(at)}' cannot begin a text; quote it", here
    if "alias" in context or "anchor" in context:
        return "a text that begins with '*' or '&' must be quoted", cause
    if "simple key" in context:
        return "expected ':' after this text", cause
    if "incompatible" in problem:
        return "only YAML 1.1 and 1.2 are read", here
    return printable(f"{problem} {context}".strip() or "not YAML"), here


def _mark(mark: yaml.Mark, file: str) -> Mark:
    return Mark(file, mark.line + 1, mark.column + 1)


def _character(lines: list[str], mark: Mark) -> str:
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    return line[mark.column - 1 : mark.column]
