"""Dotted paths: ``sites.ohio-1.loi.signed``, with ``*`` for every entry and ``@tag`` for the entries that carry a tag.

A list item is named by its index from 0 (``construction.grid.0.delay``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dcsim.errors import Mark, Problem, ScenarioError, suggest
from dcsim.scenario.tree import Loc, child, get

ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""What the id of an entry looks like."""

PROVENANCE = frozenset({"source", "as_of", "confidence"})
"""Keys that say where numbers come from: they may stand among entries, and ``*`` passes over them."""

_LONGEST = 500
_SEGMENT = re.compile(r"[^\s.*@\[\]{}]+")
_WILD = re.compile(rf"\*|@{ID.pattern}")


def parse(path: str, mark: Mark | None = None) -> tuple[str, ...]:
    """The segments of a path. Raises ScenarioError (EDIT) for one that is no path."""
    segments = tuple(path.split("."))
    if len(path) <= _LONGEST and all(_SEGMENT.fullmatch(s) or _WILD.fullmatch(s) for s in segments):
        return segments
    if len(path) > _LONGEST:
        message = f"a path of more than {_LONGEST} characters"
    elif not path:
        message = "an empty path; expected names joined by dots, such as sites.ohio-1.loi.signed"
    else:
        bad = next(s for s in segments if not (_SEGMENT.fullmatch(s) or _WILD.fullmatch(s)))
        message = f"'{path}' is no path: '{bad}' is not a name, '*' or '@tag'"
    raise ScenarioError([Problem("EDIT", path[:_LONGEST], message, mark)])


def dotted(loc: Loc) -> str:
    """A location as a path."""
    return ".".join(str(part) for part in loc)


def is_wild(segments: tuple[str, ...]) -> bool:
    """Whether a path has ``*`` or ``@tag`` in it."""
    return any(_WILD.fullmatch(segment) for segment in segments)


def match(filled: Any, path: str, *, allow_new: bool = False, also: Any = None, mark: Mark | None = None) -> list[Loc]:
    """Every location in the ``filled`` tree that the path names, in the tree's order.

    ``allow_new`` lets the last segment be a new key of an existing mapping. A name (not a wildcard) that ``filled``
    lacks is also looked up in the tree ``also``: what is disabled or in short-hand there can be named, not matched.
    Raises ScenarioError (EDIT) if nothing matches, with the longest part that exists and a suggestion.
    """
    segments = parse(path, mark)
    found = list(_matches(filled, also, segments, (), allow_new))
    if not found:
        raise ScenarioError([Problem("EDIT", path, _missing(filled, also, segments), mark)])
    return found


def _matches(here: Any, also: Any, segments: tuple[str, ...], above: Loc, allow_new: bool) -> Iterator[Loc]:
    if not segments:
        yield above
        return
    first, rest = segments[0], segments[1:]
    if _WILD.fullmatch(first):
        for name, value in _children(here):
            if first == "*" or _has_tag(value, first[1:]):
                yield from _matches(value, child(also, name)[0], rest, (*above, name), allow_new)
        return
    key, below, beside = _step(here, also, first)
    if key is not None:
        yield from _matches(below, beside, rest, (*above, key), allow_new)
    elif allow_new and not rest and (isinstance(here, Mapping) or isinstance(also, Mapping)):
        yield (*above, first)


def _step(here: Any, also: Any, name: str) -> tuple[str | int | None, Any, Any]:
    """The key of that name with the values under it in both trees, or None for the key."""
    below, there = child(here, name)
    beside, named = child(also, name)
    if not there and not named:
        return None, None, None
    owner = here if there else also
    if isinstance(owner, list):
        return int(name), below, beside
    key = name if name in owner else next(k for k in owner if str(k) == name)
    return key, below, beside


def _children(here: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(here, Mapping):
        yield from ((key, value) for key, value in here.items() if key not in PROVENANCE)
    elif isinstance(here, list):
        yield from enumerate(here)


def _has_tag(value: Any, tag: str) -> bool:
    tags = value.get("tags") if isinstance(value, Mapping) else None
    return tag in tags if isinstance(tags, list | tuple) else tags == tag


def _missing(filled: Any, also: Any, segments: tuple[str, ...]) -> str:
    """Why a path matches nothing: the deepest place that exists, and what is there."""
    depth = 0
    for size in range(len(segments), 0, -1):
        if any(True for _ in _matches(filled, also, segments[:size], (), False)):
            depth = size
            break
    name, place = segments[depth], dotted(segments[:depth])
    where = f"under {place}" if place else "at top level"
    candidates: dict[str, None] = {}
    tags: dict[str, None] = {}
    for loc in _matches(filled, also, segments[:depth], (), False):
        for tree in (filled, also):
            try:
                here = get(tree, loc)
            except KeyError:
                continue
            candidates.update((str(key), None) for key, _ in _children(here))
            tags.update((tag, None) for tag in _tags(here))
    if name == "*":
        return f"nothing {where} for '*' to match"
    if name.startswith("@"):
        return f"nothing {where} has the tag '{name[1:]}'{suggest(name[1:], tags)}"
    if not candidates:
        return f"unknown path: {place} has nothing under it, so no '{name}'"
    return f"unknown path: no '{name}' {where}{suggest(name, candidates)}"


def _tags(here: Any) -> Iterator[str]:
    for _, value in _children(here):
        tags = value.get("tags") if isinstance(value, Mapping) else None
        if isinstance(tags, list | tuple):
            yield from (tag for tag in tags if isinstance(tag, str))
