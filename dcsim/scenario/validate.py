"""From the filled tree to the checked blocks: every fault of every field, each with its place, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dcsim.errors import Problem, ScenarioError
from dcsim.scenario import archetypes, tree
from dcsim.scenario.fields import is_wrapper
from dcsim.scenario.paths import PROVENANCE
from dcsim.scenario.spec import VERSION, ScenarioSpec
from dcsim.scenario.tree import Items, Loc, Node
from dcsim.scenario.wording import unknown_key, worded
from dcsim.units import describe

MOST_ROUNDS = 30
"""Times that what is at fault is left out before nothing is left."""

MOST_PROBLEMS = 200
"""Faults that are listed; more are counted."""

MOST_VALUES = 100_000
"""Values in a scenario as written."""

MOST_FILLED = 200_000
"""Values once every site has what it inherits, and every phase what its site has."""

BARE_SITE = 20
"""What a site counts for that says nothing."""

_STAND_INS = {"version": VERSION, "name": "unnamed", "start": "2000-01-01", "horizon": "2099-12-31"}
"""What stands for a missing or faulty field of the scenario itself, so that the rest can be checked."""


_ANY: dict[str, object] = {"QUANTITY": 1, "DATE": "2050-01-01"}
"""What stands for a faulty number or date: it passes most bounds, and nothing that is said of it is told."""


class Reading(NamedTuple):
    """What came of reading a scenario."""

    spec: ScenarioSpec | None
    """The scenario without what is at fault; None if nothing could be made of it."""
    problems: list[Problem]
    dropped: list[Loc]
    """What was left out of `spec`."""
    replaced: list[Loc]
    """What has a stand-in there."""

    def hides(self, problem: Problem) -> bool:
        """Whether a problem found later may only be due to what was left out."""
        at = problem.path.split(".")
        if any(at[: len(loc)] == [str(part) for part in loc] for loc in self.replaced):
            return True
        named = problem.message.partition("; did you mean")[0].casefold()
        for loc in self.dropped:
            gone = [str(part) for part in loc]
            if at[: len(gone)] == gone or at == gone[:-1] or any(f"'{part.casefold()}'" in named for part in gone[1:]):
                return True
        return False


def read_spec(filled: Node, faulty: Iterable[Problem] = ()) -> Reading:
    """The blocks of a filled scenario, and every fault in them.

    With faults, `spec` is what remains when the faulty fields are left out, for checks of the rest. `faulty` are the
    problems of filling it: what is missing beside one of them is taken for its consequence.
    """
    suspects = [problem.path.rpartition(".")[0] for problem in faulty]
    here = filled
    problems: list[Problem] = []
    dropped: list[Loc] = []
    replaced: list[Loc] = []
    for attempt in range(MOST_ROUNDS):
        try:
            return Reading(ScenarioSpec.model_validate(here, context={}), problems, dropped, replaced)
        except ValidationError as error:
            faults = _faults(error)
        if attempt == 0:
            real = [f for f in faults if f["type"] != "missing" or not _below(_path(f["loc"]), suspects)]
            problems = _problems_of(real[:MOST_PROBLEMS], filled, ScenarioSpec)
            if len(real) > MOST_PROBLEMS:
                problems.append(Problem("LIMIT", "", f"and {len(real) - MOST_PROBLEMS:,} faults more, not listed"))
                break
        gone = dict.fromkeys(_culprit(fault, here) for fault in faults)
        if any(not loc for loc in gone) or set(gone) <= set(dropped):
            break
        stand_ins = {_culprit(fault, here): _ANY[fault["type"]] for fault in faults if fault["type"] in _ANY}
        for loc in gone:
            if loc in stand_ins and loc not in replaced:  # a number or date is needed there, so that the rest stands
                here = _without(here, loc, stand_ins[loc])
                replaced.append(loc)
            else:
                here = _without(here, loc)
                dropped.append(loc)
    return Reading(None, problems, dropped, replaced)


def refuse_too_large(raw: Node) -> None:
    """Raises ScenarioError (LIMIT) for a scenario that would grow beyond what can be checked in a few seconds."""
    written = _count(raw)
    if written > MOST_VALUES:
        message = f"{written:,} values, more than {MOST_VALUES:,}"
        raise ScenarioError([Problem("LIMIT", "", message, raw.mark)])
    sites, section, defaults = raw.get("sites"), raw.get("archetypes"), raw.get("defaults")
    if not isinstance(sites, Node):
        return
    kinds = section if isinstance(section, Node) else Node()
    base = [defaults.get("site")] if isinstance(defaults, Node) else []
    inherited: dict[str, tuple[int, int]] = {}
    filled = 0
    for site in sites.values():
        name = site.get("like") if isinstance(site, Node) else None
        key = name if isinstance(name, str) else ""
        if key not in inherited:
            levels = [*base, *(kinds[kind] for kind in _like(key, kinds))]
            inherited[key] = sum(map(_count, levels)), max(map(_phases, levels), default=0)
        values, phases = inherited[key]
        filled += BARE_SITE + (values + _count(site)) * (1 + max(phases, _phases(site)))
        if filled > MOST_FILLED:
            message = f"more than {MOST_FILLED:,} values once every site and phase has what it inherits"
            raise ScenarioError([Problem("LIMIT", "sites", message, raw.marks.get("sites"))])


def _count(value: Any) -> int:
    below: Iterable[Any] = value.values() if isinstance(value, Node) else value if isinstance(value, Items) else ()
    return 1 + sum(_count(item) if isinstance(item, Node | Items) else 1 for item in below)


def _phases(site: Any) -> int:
    phases = site.get("phases") if isinstance(site, Node) else None
    return len(phases) if isinstance(phases, Node | Items) else 0


def _like(name: str, kinds: Node) -> list[str]:
    """An archetype and those that it is like in turn."""
    names: list[str] = []
    while isinstance(name, str) and name not in names and isinstance(kinds.get(name), Node):
        names.append(name)
        name = kinds[name].get("like")
    return names


def unused_archetypes(raw: Node) -> list[Problem]:
    """Faults in archetypes that no site is like: each is read as a site that says nothing of its own."""
    section = raw.get("archetypes")
    if not isinstance(section, Node):
        return []
    problems = []
    used = _used(raw, section)
    dummies = Node()
    for name, archetype in section.items():
        if isinstance(archetype, Node):
            if name not in used:
                tree.put(dummies, name, Node({"like": name}))
        elif name not in PROVENANCE:
            message = f"expected a mapping, got {describe(archetype)}"
            problems.append(Problem("TYPE", f"archetypes.{name}", message, section.marks.get(name)))
    if not dummies:
        return problems
    alone = tree.restrict(raw, ("defaults", "archetypes"))
    tree.put(alone, "sites", dummies)
    filled, found = archetypes.fill(alone)
    problems += found
    try:
        ScenarioSpec.model_validate({"sites": filled["sites"]}, context={})
    except ValidationError as error:
        faults = [f for f in _faults(error) if f["loc"][0] == "sites" and f["type"] not in ("missing", "too_short")]
        problems += _problems_of(faults, filled, ScenarioSpec)
    return problems


def _used(raw: Node, section: Node) -> set[str]:
    """Archetypes that an enabled site is like, by way of others too."""
    sites = raw.get("sites")
    entries = sites.values() if isinstance(sites, Node) else ()
    enabled = [entry for entry in entries if isinstance(entry, Node) and entry.get("enabled") is not False]
    names = dict.fromkeys(str(entry.get("like")) for entry in enabled)
    return {kind for name in names for kind in _like(name, section)}


def _faults(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _problems_of(faults: Iterable[ErrorDetails], root: Node, model: type[BaseModel]) -> list[Problem]:
    """Every fault as a problem; one that many entries inherit is told once, where it is written."""
    return list(dict.fromkeys(problem for fault in faults for problem in _problems(fault, root, model)))


def _problems(fault: ErrorDetails, root: Node, model: type[BaseModel]) -> Iterator[Problem]:
    kind = fault["type"]
    context = fault.get("ctx", {})
    loc, here = _place(fault["loc"], root, kind == "missing")
    if kind == "QUANTITY":
        for below, code, message in context["problems"]:
            full = (*loc, *_inside(here, below))
            mark = (tree.key_mark_of(root, full) if code == "UNKNOWN" else None) or tree.mark_of(root, full)
            yield Problem(code, tree.declared_at(root, full), message, mark)
        return
    mark = tree.mark_of(root, loc)
    path = tree.declared_at(root, loc)
    if kind == "extra_forbidden":
        known = [name for name in _fields(model, fault["loc"][:-1]) if name not in PROVENANCE]
        yield Problem("UNKNOWN", path, unknown_key(str(loc[-1]), known), tree.key_mark_of(root, loc) or mark)
        return
    if kind == "dict_type" and fault["input"] == [] and _is_needed(model, fault["loc"]):
        kind, context = "too_short", {"min_length": 1, "actual_length": 0}
    code, message = worded(kind, fault["input"], context, fault["msg"])
    if "[key]" in fault["loc"]:
        mark = tree.key_mark_of(root, loc) or mark
    yield Problem(code, path, message, mark)


def _place(loc: Iterable[int | str], root: Node, is_missing: bool) -> tuple[Loc, Any]:
    """Where in the tree a fault is, and what is there.

    Pydantic's locations also name branches of unions, keys, and fields of blocks that were written in short: these are
    passed over. The last part of what is missing is kept.
    """
    out: list[int | str] = []
    here: Any = root
    parts = [part for part in loc if part != "[key]"]
    for index, part in enumerate(parts):
        below, found = tree.child(here, part)
        if not found and isinstance(here, Node) and is_wrapper(here):
            below, found = tree.child(here["value"], part)
            if found:
                out.append("value")
        if found:
            out.append(part)
            here = below
        elif is_missing and index == len(parts) - 1:
            out.append(part)
    return tuple(out), here


def _inside(here: Any, below: Loc) -> Loc:
    """A location below a field, with the wrapper that the field took off."""
    if below and isinstance(here, Node) and is_wrapper(here) and below[0] not in here:
        return ("value", *below)
    return below


def _culprit(fault: ErrorDetails, root: Node) -> Loc:
    """What to leave out so that the fault is gone: the field, or what cannot be without it. Empty: everything."""
    is_missing = fault["type"] in ("missing", "too_short")
    loc, _ = _place(fault["loc"], root, fault["type"] == "missing")
    if len(loc) == 1 and loc[0] in _STAND_INS:
        return loc
    return loc[:-1] if is_missing else loc


def _without(root: Node, loc: Loc, instead: object = None) -> Node:
    """The tree without what is at `loc`, or with something else there.

    A field of the scenario itself that it must have gets a stand-in.
    """
    key, *rest = loc
    key = next((name for name in root if str(name) == key), key)  # a number stands as text in a location
    below, found = tree.child(root, key)
    if not found and key not in _STAND_INS:
        return root
    out = tree.copy(root)
    if rest and isinstance(below, Node):
        out[key] = _without(below, tuple(rest), instead)
    elif key in _STAND_INS and not rest:
        out[key] = _STAND_INS[str(key)]
    elif instead is not None and not rest:
        out[key] = instead
    else:
        tree.drop(out, key)  # an item of a list goes with its list
    return out


def _path(loc: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in loc)


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}.") for place in places)


# What the blocks look like.


def _is_needed(model: type[BaseModel], loc: tuple[int | str, ...]) -> bool:
    """Whether the field at `loc` must have an entry."""
    for kind in _blocks(model, loc[:-1]):
        for name, info in kind.model_fields.items():
            if loc[-1] in (name, info.alias):
                return any(getattr(part, "min_length", None) for part in info.metadata)
    return False


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the block at `loc`."""
    return [info.alias or name for kind in _blocks(model, loc) for name, info in kind.model_fields.items()]


def _blocks(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The blocks that may stand at `loc`."""
    here: list[Any] = [model]
    for part in loc:
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, _Entries):
                below += _unpack(kind.value)
            else:
                for name, info in kind.model_fields.items():
                    if part in (name, info.alias):
                        below += _unpack(info.annotation)
        here = below or here  # a branch of a union leads nowhere
    return [kind for kind in here if not isinstance(kind, _Entries)]


def _unpack(annotation: Any) -> list[Any]:
    """The blocks inside an annotation; a dict or tuple stands for its entries."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    args = get_args(annotation)
    if get_origin(annotation) is dict:
        return [_Entries(args[1])]
    if get_origin(annotation) is tuple:
        return [_Entries(args[0])]
    return [block for arg in args for block in _unpack(arg)]


class _Entries:
    """Stands for any key of a dict or index of a list; unpacks to the type of its values."""

    def __init__(self, value: Any) -> None:
        self.value = value
