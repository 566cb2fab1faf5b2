"""What reaches the terminal: results to stdout, messages to stderr, and no traceback for a reader who left."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dcsim.errors import Problem

DONE, FAILED, WRONG, UNMET, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses."""


def emit(text: str = "") -> None:
    """A line (or several) of the results."""
    _write(sys.stdout, text)


def emit_json(data: object) -> None:
    """Results as one JSON object."""
    import json

    emit(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """A message beside the results."""
    _write(sys.stderr, text)


def say_problems(problems: Iterable[Problem], name: str | None = None) -> tuple[int, int]:
    """One line a problem; returns how many errors and warnings there were. `name` stands where there is no position."""
    from dcsim.errors import printable

    errors = warnings = 0
    for problem in problems:
        warning = problem.severity == "warning"
        errors, warnings = errors + (not warning), warnings + warning
        line = str(problem)
        if problem.mark is None and name is not None and name not in problem.message:
            line = f"{printable(name)}: {line}"
        say(f"warning: {line}" if warning else line)
    return errors, warnings


def counted(number: int, noun: str) -> str:
    """`1 problem`, `3 problems`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def flush() -> None:
    """Hand out what is still in the buffers; a reader who has left is no error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _hush(stream)
        except ValueError:  # closed already
            pass


def _write(stream: TextIO, text: str) -> None:
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    except BrokenPipeError:
        _hush(stream)


def _hush(stream: TextIO) -> None:
    """Nobody reads any more: what is still to be written goes nowhere, also when the interpreter ends."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):  # a stream without a descriptor
        return
