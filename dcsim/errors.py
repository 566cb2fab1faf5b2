"""What can go wrong, in one vocabulary: a mark in a file, a problem with a code, and the exceptions that carry them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_CODES = """
EMPTY SYNTAX ENCODING TYPE UNKNOWN DUPLICATE REQUIRED RANGE REF CYCLE
LIMIT TAG PATH FILE VERSION DATE ID EDIT WARN
"""
CODES = frozenset(_CODES.split())
"""Every code that a problem may carry."""

# Letters and marks that take no room on the screen although Unicode does not class them as format characters.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_LONGEST_WORD = 100
_MOST_CANDIDATES = 5000


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A position in a file: line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the input, or worth a warning.

    ``path`` is the user's dotted path (``sites.ohio-1.loi.signed``; empty for the file as a whole), ``code`` is one of
    :data:`CODES`, ``message`` says what was found and what was expected.
    """

    code: str
    path: str
    message: str
    mark: Mark | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = [] if self.mark is None else [str(self.mark)]
        parts = [*where, *([self.path] if self.path else []), f"{self.message} [{self.code}]"]
        return printable(": ".join(parts))


class DcsimError(Exception):
    """Base of every error this package raises on purpose."""


class ScenarioError(DcsimError):
    """The scenario cannot be used; ``problems`` lists everything found wrong with it, in order."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)  # the only argument, so that a copy or an unpickled error is the same error

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems) or "the scenario cannot be used"


class UsageError(DcsimError):
    """The call itself is wrong (exit status 2)."""


class ModelError(DcsimError):
    """Something impossible happened inside the simulation (exit status 1)."""


def printable(text: str) -> str:
    r"""``text`` with control, invisible and unassigned characters written as escapes, safe for a terminal.

    >>> printable("sta\u200bck\x1b[2J")
    'sta\\u200bck\\x1b[2J'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == " " or (character not in _INVISIBLE and not _is_hidden(character)):
        return character
    code = ord(character)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _is_hidden(character: str) -> bool:
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":  # variation selectors
        return True
    return unicodedata.category(character) in _HIDDEN_CATEGORIES


def suggest(word: str, candidates: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the candidate nearest to ``word``, or ``""`` if none is near.

    Case, the choice between ``-`` and ``_``, and invisible characters do not count as differences.
    """
    wanted = _folded(word)
    if not wanted or len(word) > _LONGEST_WORD:
        return ""
    known: dict[str, str] = {}
    for candidate in candidates:
        if candidate != word:
            known.setdefault(_folded(candidate), candidate)
        if len(known) >= _MOST_CANDIDATES:
            break
    cutoff = 0.6 if len(wanted) > 3 else 0.5  # one wrong letter of two is half of the word
    close = [wanted] if wanted in known else difflib.get_close_matches(wanted, known, n=1, cutoff=cutoff)
    return f"; did you mean '{printable(known[close[0]])}'?" if close else ""


def _folded(word: str) -> str:
    seen = "".join(c for c in word if c not in _INVISIBLE and not _is_hidden(c))
    return unicodedata.normalize("NFC", seen).casefold().replace("_", "-")
