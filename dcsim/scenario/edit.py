"""Edits: path to value, written into the scenario as read, before archetypes are filled in.

The same mapping serves ``--set``, a what-if, and the library's ``Scenario.edit``. Wildcards match in the filled tree,
so that what an entry inherits can be changed for it alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from dcsim.errors import Mark, Problem, ScenarioError, UsageError, printable
from dcsim.scenario import archetypes, paths, tree
from dcsim.scenario.change import ChangeError, both, changed, is_change
from dcsim.scenario.tree import Items, Loc, Node
from dcsim.scenario.yaml_reader import read_value
from dcsim.scenario.yaml_writer import write_inline
from dcsim.units import describe

MOST_VARIANTS = 1000


def apply(raw: Node, filled: Node, edits: Mapping[str, Any], *, refill: Callable[[Node], Node] | None = None) -> Node:
    """The scenario as read, with every edit written into it, in order; ``raw`` and ``filled`` are not changed.

    A value replaces what is there, a mapping goes over a mapping, null removes, ``enabled: false`` takes an entry out,
    and ``{times: x}``, ``{plus: y}`` change what is there, inherited or not. ``refill`` makes the filled tree anew
    where a later edit needs to see an earlier one (left out: what ``archetypes.fill`` makes).
    Raises ScenarioError with every edit that matches nothing or does not fit what it changes.
    """
    editing = _Editing(raw, filled, refill or (lambda tree: archetypes.fill(tree)[0]))
    for path, value in edits.items():
        mark = key_mark = None
        if isinstance(edits, Node):
            mark, key_mark = edits.marks.get(path), edits.key_marks.get(path)
        editing.edit(path, value, mark, key_mark)
    if editing.problems:
        raise ScenarioError(editing.problems)
    return editing.raw


def parse_set(text: str) -> tuple[str, Any]:
    """Path and value of ``PATH=VALUE``; the value is read as YAML. Raises UsageError or ScenarioError."""
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not path:
        raise UsageError(f"expected PATH=VALUE, got '{printable(text)}'")
    paths.parse(path)
    return path, read_value(value, f"--set {path}")


def expand_each(edits: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The variants that ``{each: [...]}`` values stand for, with a label for each (``buffer=60, deal=2``).

    Several such values give every combination, the last one varying fastest. Without any there is one variant, with an
    empty label. Raises ScenarioError.
    """
    choices: dict[str, list[Any]] = {}
    problems = []
    for path, value in edits.items():
        if isinstance(value, Mapping) and "each" in value:
            options = value["each"]
            if len(value) > 1 or not isinstance(options, list | tuple) or not options:
                message = f"expected {{each: [value, ...]}} and nothing beside it, got {describe(options)}"
                mark = edits.marks.get(path) if isinstance(edits, Node) else None
                problems.append(Problem("EDIT", path, message, mark))
            else:
                choices[path] = list(options)
    count = 1
    for options in choices.values():
        count *= len(options)
    if count > MOST_VARIANTS:
        problems.append(Problem("LIMIT", next(iter(choices)), f"{count:,} variants, at most {MOST_VARIANTS:,}"))
    if problems:
        raise ScenarioError(problems)
    names = _short_names(list(choices))
    variants = []
    for combination in itertools.product(*choices.values()):
        picked = dict(zip(choices, combination, strict=True))
        label = ", ".join(f"{names[path]}={_label(value)}" for path, value in picked.items())
        variants.append((label, {**edits, **picked}))
    return variants


def _short_names(chosen: list[str]) -> dict[str, str]:
    """The fewest last segments of each path that tell it from the others."""
    names = {}
    for path in chosen:
        parts = path.split(".")
        tails = (".".join(parts[-size:]) for size in range(1, len(parts) + 1))
        names[path] = next(
            (t for t in tails if not any(other != path and f".{other}".endswith(f".{t}") for other in chosen)), path
        )
    return names


def _label(value: Any) -> str:
    return value if isinstance(value, str) else "none" if value is None else write_inline(value)


class _Editing:
    """One set of edits being written into a copy of a scenario."""

    def __init__(self, raw: Node, filled: Node, refill: Callable[[Node], Node]) -> None:
        self.raw: Node = tree.clone(raw)
        self.filled = filled
        self.refill = refill
        self.stale = False
        self.inherited: Node | None = None
        self.problems: list[Problem] = []

    def edit(self, path: str, value: Any, mark: Mark | None, key_mark: Mark | None) -> None:
        """Write one edit at every place that its path matches."""
        if isinstance(value, Mapping) and "each" in value:
            message = "{each: [...]} stands for several scenarios, and one is wanted here"
            self.problems.append(Problem("EDIT", path, message, mark))
            return
        if self.stale:
            self.filled, self.stale = self.refill(self.raw), False
        try:
            # What is changed or removed must be there. What is set may be new: the scenario's check knows every field.
            new = value is not None and not is_change(value)
            also = archetypes.normalise(self.raw)
            found = paths.match(self.filled, path, allow_new=new, also=also, mark=key_mark or mark)
        except ScenarioError as error:
            self.problems += error.problems
            return
        self.inherited = None
        self.stale = True
        unwanted = dict.fromkeys(loc for loc in found if self._removes(value, loc))
        self._remove(list(unwanted))
        for loc in found:
            if loc in unwanted:
                continue
            try:
                self._write(loc, value, mark, key_mark)
            except ChangeError as error:
                self.problems.append(Problem(error.code, paths.dotted(loc), error.message, mark))
            except ScenarioError as error:
                self.problems += error.problems

    def _removes(self, value: Any, loc: Loc) -> bool:
        """Null removes what is there, and the text ``none`` removes a mapping, as they do in a file."""
        if not isinstance(value, str):
            return value is None
        try:
            return value == "none" and isinstance(tree.get(self.filled, loc), Mapping)
        except KeyError:
            return False

    def _remove(self, found: list[Loc]) -> None:
        """Take values out; where one would be inherited again, null says that it is not wanted."""
        for loc in reversed(found):  # of a list from its end, so that the indices hold
            owner, _ = self._owner(loc[:-1])
            if isinstance(owner, Items):
                del owner[int(loc[-1])]
                del owner.marks[int(loc[-1])]
            elif loc[-1] in owner:
                tree.drop(owner, loc[-1])
        for loc in found:
            owner, _ = self._owner(loc[:-1])
            if isinstance(owner, Node) and self._is_inherited(loc):
                tree.put(owner, loc[-1], None)

    def _write(self, loc: Loc, value: Any, mark: Mark | None, key_mark: Mark | None) -> None:
        owner, filled_owner = self._owner(loc[:-1])
        own, _ = self._own(owner, loc)
        if is_change(value):
            old, _ = tree.child(filled_owner, loc[-1])
            new = self._changed(owner, loc, old, value)
        elif tree.merges(value) and isinstance(own, Node) and not tree.is_quantity(own):
            new = tree.merge(own, tree.clone(value))
        else:
            new = value
        self._put(owner, loc[-1], tree.rebase(new, paths.dotted(loc)), mark, key_mark)

    def _changed(self, owner: Node | Items, loc: Loc, old: Any, change: Mapping[str, Any]) -> Any:
        """What to write for a change: where the value is inherited the change itself, else the changed value.

        So what is inherited stays inherited, and a draw that is shared through it stays shared.
        """
        own, is_own = tree.child(owner, loc[-1])
        if is_change(own):
            return both(own, change) or changed(old, change)
        if is_own:
            return changed(own, change)
        if isinstance(owner, Node) and self._is_inherited(loc):
            changed(old, change)  # raises here, with the path of the edit, what would fail when it is filled in
            return change
        return changed(old, change)

    def _owner(self, loc: Loc) -> tuple[Node | Items, Any]:
        """The container at ``loc`` in the scenario as read, made where it is missing, and its filled counterpart.

        What is replaced whole when it is written (a list, a quantity) is copied from what the entry inherits.
        """
        here: Any = self.raw
        there: Any = self.filled
        for depth, part in enumerate(loc, start=1):
            below, found = self._own(here, loc[:depth])
            there, _ = tree.child(there, part)
            if found and below is not tree.child(here, part)[0]:
                here[part] = below  # the short-hand, written out because something in it is changed
            elif not found or not isinstance(below, Node | Items) or is_change(below):
                whole = isinstance(there, list) or tree.is_quantity(there) or found
                new = tree.clone(there) if whole and isinstance(there, Mapping | list) else Node()
                below = tree.rebase(new, paths.dotted(loc[:depth]))
                self._put(here, part, below, None, None)
            here = below
        return here, there

    @staticmethod
    def _own(owner: Any, loc: Loc) -> tuple[Any, bool]:
        """The value at ``loc``, in its container in the scenario as read, and whether there is one; no short-hand."""
        value, found = tree.child(owner, loc[-1])
        if found and archetypes.is_site(loc[:-1]) and isinstance(owner, Node):
            return archetypes.written_out(owner, str(loc[-1])), True
        return value, found

    def _put(self, owner: Node | Items, key: Any, value: Any, mark: Mark | None, key_mark: Mark | None) -> None:
        if isinstance(owner, Items):
            owner[int(key)] = value
            owner.marks[int(key)] = mark
        else:
            tree.put(owner, key, value, mark=mark, key_mark=key_mark or owner.key_marks.get(key))

    def _is_inherited(self, loc: Loc) -> bool:
        """Whether the scenario as it stands has a value at ``loc`` once it is filled."""
        if self.inherited is None:
            self.inherited = archetypes.fill(self.raw)[0]
        try:
            tree.get(self.inherited, loc)
        except KeyError:
            return False
        return True
