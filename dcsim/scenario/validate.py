"""pydantic's errors as problems with positions and suggestions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dcsim.errors import Problem, suggest
from dcsim.scenario import tree
from dcsim.scenario.tree import Node


def problems_of(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Problem]:
    """Every error of a validation, in file order, each once (a default shared by many sites is wrong once)."""
    problems: dict[tuple[object, str], Problem] = {}
    for item in error.errors(include_url=False):
        loc = _real(item["loc"], root)
        for problem in _problems(item, loc, root, model):
            problems.setdefault((problem.mark or problem.path, problem.message), problem)
    return sorted(problems.values(), key=lambda p: (p.mark.line, p.mark.column) if p.mark else (0, 0))


def _real(loc: Iterable[int | str], root: Node) -> tuple[int | str, ...]:
    """Drop the tags that pydantic puts into locations for unions and keys."""
    out: list[int | str] = []
    here: Any = root
    parts = [p for p in loc if p != "[key]"]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if isinstance(here, dict):
            if part in here:
                here = here[part]
            elif not last or part in ("when", "lead", "name", "ranking", "rate", "date", "never"):
                continue
        elif isinstance(here, list):
            if not isinstance(part, int) or part >= len(here):
                continue
            here = here[part]
        elif not last:
            continue
        else:
            if isinstance(part, str):
                continue
        out.append(part)
    return tuple(out)


def _problems(item: Any, loc: tuple[int | str, ...], root: Node, model: type[BaseModel]) -> Iterable[Problem]:
    kind = item["type"]
    path = ".".join(str(p) for p in loc)
    if kind == "QUANTITY":
        for sub, code, message in item["ctx"]["problems"]:
            full = (*loc, *sub)
            yield Problem(code, ".".join(str(p) for p in full), message, tree.mark_of(root, full))
        return
    mark = tree.mark_of(root, loc)
    if kind == "extra_forbidden":
        known = _fields(model, loc[:-1])
        mark = tree.key_mark_of(root, loc) or mark
        yield Problem("UNKNOWN", path, f"unknown key {loc[-1]!r}{suggest(str(loc[-1]), known)}", mark)
    elif kind == "missing":
        yield Problem("REQUIRED", path, "required, and missing", mark)
    elif kind.isupper():
        yield Problem(kind, path, item["msg"], mark)
    else:
        found = item.get("input")
        shown = "a mapping" if isinstance(found, dict) else "a list" if isinstance(found, list) else repr(found)
        if found is None:
            shown = "null"
        code = "RANGE" if kind in _RANGES else "TYPE"
        yield Problem(code, path, f"{item['msg'][0].lower()}{item['msg'][1:]}, got {shown}", mark)


_RANGES = {
    "greater_than", "greater_than_equal", "less_than", "less_than_equal", "too_short", "too_long",
    "string_too_short", "string_too_long", "literal_error", "finite_number",
}  # fmt: skip


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the block at `loc`."""
    here: list[Any] = [model]
    for part in loc:
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                for name, info in kind.model_fields.items():
                    if part in (name, info.alias):
                        below += _unpack(info.annotation)
            elif isinstance(kind, _Entries):
                below += _unpack(kind.value)
        here = below
    return [
        info.alias or name
        for kind in here
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, info in kind.model_fields.items()
    ]


def _unpack(annotation: Any) -> list[Any]:
    """The models inside an annotation, and the value type of a dict for its next key."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = getattr(annotation, "__origin__", None)
    args = get_args(annotation)
    if origin is dict:
        return [_Entries(a) for a in args[1:]]
    out: list[Any] = []
    for arg in args:
        out += _unpack(arg)
    return out


class _Entries:
    """Stands for any key of a dict; unpacks to the type of its values."""

    def __init__(self, value: Any) -> None:
        self.value = value
