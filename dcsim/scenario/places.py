"""The places in a scenario's blocks that a path names: fields by their keys, entries by their ids, `*` and `@tag`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from dcsim.errors import printable, suggest
from dcsim.scenario.fields import Number
from dcsim.scenario.paths import PROVENANCE
from dcsim.scenario.spec import ScenarioSpec


class Place(NamedTuple):
    """A place that a path leads to: its segments, what is there, and how its field is declared."""

    loc: tuple[str, ...]
    value: object
    notes: tuple[Any, ...]

    @property
    def path(self) -> str:
        """The same as a dotted path."""
        return ".".join(self.loc)


def named(spec: ScenarioSpec, segments: tuple[str, ...]) -> Iterator[Place]:
    """Every place of a scenario that a path names, in the order of the scenario."""
    return match(Place((), spec, ()), segments)


def match(here: Place, segments: tuple[str, ...]) -> Iterator[Place]:
    """The same from a place on."""
    if not segments:
        yield here
        return
    first, rest = segments[0], segments[1:]
    for key, value, notes in children(here):
        if first in ("*", key) or (first.startswith("@") and first[1:] in (getattr(value, "tags", None) or ())):
            yield from match(Place((*here.loc, key), value, notes), rest)


def children(here: Place) -> Iterator[tuple[str, object, tuple[Any, ...]]]:
    """Key, value and declaration of everything one step below."""
    value = here.value
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            if name not in PROVENANCE:
                yield info.alias or name, value.__dict__[name], (info.annotation, *info.metadata)
    elif isinstance(value, dict | tuple):
        notes = below(here.notes, value)
        yield from ((key, item, notes) for key, item in entries(value))


def entries(value: dict[Any, Any] | tuple[Any, ...]) -> Iterator[tuple[str, object]]:
    """Entries of a section or list by their keys as text."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return ((str(key), item) for key, item in items)


def below(notes: Iterable[Any], value: dict[Any, Any] | tuple[Any, ...]) -> tuple[Any, ...]:
    """How the entries of a section or list are declared."""
    for part in _parts(notes, inside=False):
        if get_origin(part) is type(value):
            return (get_args(part)[1 if isinstance(value, dict) else 0],)
    return ()


def number_of(notes: Iterable[Any]) -> Number | None:
    """The unit and bounds of a field that is a number."""
    return next((part for part in _parts(notes) if isinstance(part, Number)), None)


def _parts(notes: Iterable[Any], inside: bool = True) -> Iterator[Any]:
    """What an annotation is made of; what stands in sections and lists belongs to their entries."""
    for note in notes:
        if get_origin(note) in (dict, tuple):
            if not inside:
                yield note
            continue
        yield note
        yield from _parts(get_args(note), inside)


def missing(spec: ScenarioSpec, segments: tuple[str, ...]) -> str:
    """Why a path matches nothing: the deepest place that exists, and what is there."""
    depth = next(size for size in range(len(segments), -1, -1) if any(True for _ in named(spec, segments[:size])))
    name, place = segments[depth], ".".join(segments[:depth])
    where = f"under {place}" if place else "at top level"
    here = list(named(spec, segments[:depth]))
    known = dict.fromkeys(key for found in here for key, _, _ in children(found))
    if name == "*":
        return f"nothing {where} for '*' to match"
    if name.startswith("@"):
        tags = (tag for found in here for _, value, _ in children(found) for tag in getattr(value, "tags", None) or ())
        return f"nothing {where} has the tag '{name[1:]}'{suggest(name[1:], dict.fromkeys(tags))}"
    if not known:
        return f"unknown path: {place} has nothing under it, so no '{printable(name)}'"
    return f"unknown path: no '{printable(name)}' {where}{suggest(name, known)}"
