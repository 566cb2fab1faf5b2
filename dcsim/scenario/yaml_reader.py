"""Reads a scenario's YAML: the 1.2 core schema, no tags, no merge keys, bounded in size, depth and aliases.

PyYAML's C parser gives the events and this module builds the tree from them without recursion, so that a hostile file
costs no more than an honest one. All problems that do not end the parse are reported together.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dcsim.errors import Mark, Problem, ScenarioError, printable
from dcsim.scenario.tree import Items, Node, join, rebase
from dcsim.scenario.yaml_text import (
    MOST_BYTES,
    Overflow,
    clean,
    control,
    decode,
    normal,
    scalar,
    syntax_problem,
    too_large,
)
from dcsim.scenario.yaml_writer import write_yaml

__all__ = ["read_file", "read_value", "read_yaml", "scalar", "write_yaml"]

MOST_LEVELS = 64
MOST_ALIASES = 100
MOST_VALUES = 500_000
MOST_EXPANDED = 100_000
MOST_PROBLEMS = 100

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_file(path: str | os.PathLike[str]) -> Node:
    """Read a YAML file of at most 10 MB whose top level is a mapping. Raises ScenarioError with all problems."""
    name = os.fspath(path)
    return read_yaml(read_bytes(Path(path), printable(name)), printable(name))


def read_bytes(path: Path, name: str) -> bytes:
    """The content of a regular file, not above the limit in size. Raises ScenarioError (FILE, LIMIT)."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ScenarioError([Problem("FILE", "", f"{name} is not a file")])
            data = file.read(MOST_BYTES + 1) if status.st_size <= MOST_BYTES else b""
            if status.st_size > MOST_BYTES or len(data) > MOST_BYTES:
                raise ScenarioError([Problem("LIMIT", "", too_large(), Mark(name, 1, 1))])
            return data
    except IsADirectoryError:
        raise ScenarioError([Problem("FILE", "", f"{name} is a folder, not a file")]) from None
    except (FileNotFoundError, NotADirectoryError):
        raise ScenarioError([Problem("FILE", "", f"{name} not found")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([Problem("FILE", "", f"{name} cannot be read: {reason}")]) from None


def read_yaml(source: str | bytes, file: str = "<text>") -> Node:
    """Read a YAML text whose top level is a mapping; ``file`` is the name in the marks.

    Raises ScenarioError with all problems found.
    """
    found = _read(source, file)
    if found is None or found[0] is None:
        raise ScenarioError([Problem("EMPTY", "", "nothing in it: expected a scenario", Mark(file, 1, 1))])
    value, mark = found
    if not isinstance(value, Node):
        kind = "text" if isinstance(value, str) else "a list" if isinstance(value, Items) else "a number or truth value"
        raise ScenarioError([Problem("TYPE", "", f"expected a mapping at top level, found {kind}", mark)])
    return value


def read_value(source: str, file: str = "<text>") -> Any:
    """Read any YAML value (``5``, ``[1, 2]``, ``{times: 2}``, nothing for null). Raises ScenarioError."""
    found = _read(source, file)
    return None if found is None else found[0]


def _read(source: str | bytes, file: str) -> tuple[Any, Mark] | None:
    if isinstance(source, str) and len(source) > MOST_BYTES:
        raise ScenarioError([Problem("LIMIT", "", too_large(), Mark(file, 1, 1))])
    text = decode(source, file) if isinstance(source, bytes) else clean(source, file)
    builder = _Builder(file)
    documents = 0
    try:
        for event in _events(text):
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents == 2:
                    second = builder.mark(event)
            elif documents == 1:
                builder.take(event, kind)
    except yaml.YAMLError as error:
        builder.problems.append(syntax_problem(error, text, file))
    if documents > 1:
        builder.problems.append(Problem("SYNTAX", "", f"the file has {documents} documents; give one", second))
    if builder.problems:
        raise ScenarioError(builder.problems)
    return builder.root


def _events(text: str) -> Iterator[Any]:
    parser = _Parser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


class _Frame:
    """A container that is being read."""

    __slots__ = ("anchor", "awaits_key", "dead", "key", "key_mark", "path", "value")

    def __init__(self, value: Node | Items, path: str, anchor: str | None, dead: bool) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.dead = dead  # read only to get past it
        self.awaits_key = isinstance(value, Node)
        self.key: Any = None
        self.key_mark: Mark | None = None


_SKIP = object()
"""Stands for a key whose value is read and dropped."""


class _Builder:
    """Builds the tree from parser events, with a stack instead of recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: tuple[Any, Mark] | None = None
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int, int]] = {}  # value, values in it, levels in it
        self.open: set[str] = set()
        self.count = 0
        self.aliases = 0
        self.expanded = 0

    def mark(self, event: Any) -> Mark:
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def problem(self, code: str, path: str, message: str, mark: Mark, fatal: bool = False) -> None:
        self.problems.append(Problem(code, path, message, mark))
        if fatal or len(self.problems) >= MOST_PROBLEMS:
            raise ScenarioError(self.problems)

    def path(self) -> str:
        """Dotted path of the value that comes next."""
        if not self.stack:
            return ""
        top = self.stack[-1]
        if isinstance(top.value, Items):
            return join(top.path, len(top.value))
        return top.path if top.awaits_key or top.key is _SKIP else join(top.path, top.key)

    def take(self, event: Any, kind: type) -> None:
        if kind is yaml.ScalarEvent:
            self.scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self.begin(event, Node if kind is yaml.MappingStartEvent else Items)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.end()
        elif kind is yaml.AliasEvent:
            self.alias(event)

    def begin(self, event: Any, kind: type[Node] | type[Items]) -> None:
        mark, path = self.mark(event), self.path()
        if len(self.stack) >= MOST_LEVELS:
            self.problem("LIMIT", "", f"nested more than {MOST_LEVELS} levels at line {mark.line}", mark, fatal=True)
        dead = False
        if self.stack:
            top = self.stack[-1]
            dead = top.dead or top.key is _SKIP
            if top.awaits_key:
                self.problem("TYPE", path, "keys are text, not mappings or lists", mark)
                dead = True
        if event.tag is not None:
            self.tag(event, mark)
        self.stack.append(_Frame(kind(mark=mark, origin=path), path, event.anchor, dead))
        if event.anchor:
            self.open.add(event.anchor)

    def end(self) -> None:
        frame = self.stack.pop()
        if frame.anchor:
            self.open.discard(frame.anchor)
            if not frame.dead:
                self.anchors[frame.anchor] = (frame.value, *_extent(frame.value))
        mark = frame.value.mark
        assert mark is not None  # every container read has one
        if self.stack and self.stack[-1].awaits_key:  # a container as a key, already reported
            self.stack[-1].key, self.stack[-1].awaits_key = _SKIP, False
        else:
            self.add(frame.value, mark)

    def scalar(self, event: Any) -> None:
        start, text, style = event.start_mark, event.value, event.style
        mark = Mark(self.file, start.line + 1, start.column + 1)
        plain = style is None or style == ""
        self.count += 1
        if self.count > MOST_VALUES:
            self.problem("LIMIT", "", f"more than {MOST_VALUES:,} keys and values", mark, fatal=True)
        if event.tag is not None:
            self.tag(event, mark)
        if style == '"':
            odd = control(text)  # an escape; the raw text has none
            if odd:
                self.problem("ENCODING", self.path(), f"control character {odd} at line {mark.line}", mark)
        value: Any = normal(text)
        if plain:
            try:
                value = scalar(value)
            except Overflow:
                self.problem("RANGE", self.path(), f"must be finite ({printable(text[:40])} overflows)", mark)
                value = None
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        if self.stack and self.stack[-1].awaits_key:
            self.key(value, normal(text), mark, plain)
        else:
            self.add(value, mark)

    def key(self, value: Any, text: str, mark: Mark, plain: bool) -> None:
        top = self.stack[-1]
        top.awaits_key = False
        top.key, top.key_mark = _SKIP, mark
        code, message = "UNKNOWN", ""
        if plain and text == "<<":
            message = "merge keys are not read; write `like: name` to take over another entry"
        elif text == "":
            message = "a key is missing before ':'"
        elif not isinstance(value, str) and not (
            isinstance(value, int | float) and not isinstance(value, bool) and _last(top.path) == "discrete"
        ):
            shown = printable(text[:40])
            message = f'unknown key {shown}; keys are text, quote it ("{shown}")'
        elif value in top.value:
            assert isinstance(top.value, Node)
            first = top.value.key_marks[value]
            assert first is not None
            code = "DUPLICATE"
            message = f"duplicate key '{printable(text[:80])}' at lines {first.line} and {mark.line}"
        else:
            top.key = value
            return
        self.problem(code, join(top.path, printable(text[:80])), message, mark)

    def add(self, value: Any, mark: Mark) -> None:
        if not self.stack:
            self.root = (value, mark)
            return
        top = self.stack[-1]
        if isinstance(top.value, Items):
            top.value.append(value)
            top.value.marks.append(mark)
            return
        top.awaits_key = True
        if top.key is not _SKIP:
            top.value[top.key] = value
            top.value.marks[top.key] = mark
            top.value.key_marks[top.key] = top.key_mark

    def alias(self, event: Any) -> None:
        mark, path, name = self.mark(event), self.path(), event.anchor
        if name in self.open:
            self.problem("LIMIT", path, f"the alias '*{name}' contains itself", mark, fatal=True)
        if name not in self.anchors:
            self.problem("SYNTAX", path, f"no anchor '&{name}' before this; quote a text that begins with '*'", mark)
        value, size, levels = self.anchors.get(name, (None, 1, 0))
        self.aliases += 1
        self.expanded += size
        if self.aliases > MOST_ALIASES:
            self.problem("LIMIT", path, f"more than {MOST_ALIASES} aliases", mark, fatal=True)
        if self.expanded > MOST_EXPANDED:
            self.problem("LIMIT", path, f"aliases stand for more than {MOST_EXPANDED:,} values", mark, fatal=True)
        if len(self.stack) + levels > MOST_LEVELS:
            self.problem("LIMIT", "", f"nested more than {MOST_LEVELS} levels at line {mark.line}", mark, fatal=True)
        if self.stack and self.stack[-1].awaits_key:
            self.key(value, value if isinstance(value, str) else str(value), mark, plain=False)
        else:
            self.add(rebase(value, path), mark)

    def tag(self, event: Any, mark: Mark) -> None:
        name = printable(event.tag[:80]).replace("tag:yaml.org,2002:", "!!")
        self.problem("TAG", self.path(), f"tag {name} is not allowed; write the plain value", mark)


def _extent(value: Any) -> tuple[int, int]:
    """Number of values in a container, itself counted, and its levels."""
    if not isinstance(value, dict | list):
        return 1, 0
    below = [_extent(item) for item in (value.values() if isinstance(value, dict) else value)]
    return 1 + sum(size for size, _ in below), 1 + max((levels for _, levels in below), default=0)


def _last(path: str) -> str:
    return path.rpartition(".")[2]
