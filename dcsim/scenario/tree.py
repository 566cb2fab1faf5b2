"""What was read from a file, with the place of every value in it: mappings, lists, and how one goes over another.

Scalars stay plain Python (None, bool, int, float, str; a date stays text). A tree is not changed once it is read:
the functions here return new containers, which may share what did not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dcsim.errors import Mark, Problem, ScenarioError
from dcsim.quantity import parse

Loc = tuple[str | int, ...]
"""Keys and indices from the root of a tree down to a value."""


class Node(dict[Any, Any]):
    """A mapping as read: a dict that knows where it and its values stand.

    ``mark`` is where the mapping begins, ``marks[key]`` where a value does, ``key_marks[key]`` where its key does.
    ``origin`` is the dotted path at which the mapping was declared (``defaults.site.loi``), ``origins[key]`` that of a
    value which was declared elsewhere than the mapping. ``listed`` says that it was written as a list of entries
    without names: it replaces what it goes over, as lists do, and is written as a list again.

    Keys are text; only the values of a discrete law are numbers.
    """

    __slots__ = ("key_marks", "listed", "mark", "marks", "origin", "origins")

    def __init__(self, items: Mapping[Any, Any] | None = None, *, mark: Mark | None = None, origin: str = "") -> None:
        super().__init__(items or {})
        self.mark = mark
        self.origin = origin
        self.marks: dict[Any, Mark | None] = {}
        self.key_marks: dict[Any, Mark | None] = {}
        self.origins: dict[Any, str] = {}
        self.listed = False

    def origin_at(self, key: object) -> str:
        """Dotted path at which the value of ``key`` was declared."""
        return self.origins.get(key) or join(self.origin, key)


class Items(list[Any]):
    """A list as read, with the place of each item."""

    __slots__ = ("mark", "marks", "origin")

    def __init__(self, items: Iterable[Any] = (), *, mark: Mark | None = None, origin: str = "") -> None:
        super().__init__(items)
        self.mark = mark
        self.origin = origin
        self.marks: list[Mark | None] = [None] * len(self)


def join(path: str, key: object) -> str:
    """``path`` with one more segment."""
    return f"{path}.{key}" if path else str(key)


def copy(node: Node) -> Node:
    """A mapping with the same values (the very same), marks and origins."""
    out = Node(node, mark=node.mark, origin=node.origin)
    out.marks = dict(node.marks)
    out.key_marks = dict(node.key_marks)
    out.origins = dict(node.origins)
    out.listed = node.listed
    return out


def clone(value: Any) -> Any:
    """A copy all the way down; plain dicts and lists become Node and Items."""
    if isinstance(value, Mapping):
        out = copy(value) if isinstance(value, Node) else Node(value)
        for key in out:
            out[key] = clone(out[key])
        return out
    if isinstance(value, list | tuple):
        items = Items((clone(item) for item in value), mark=getattr(value, "mark", None))
        items.origin = getattr(value, "origin", "")
        items.marks = list(getattr(value, "marks", items.marks))
        return items
    return value


def rebase(value: Any, origin: str) -> Any:
    """A copy all the way down that counts as declared at ``origin``."""
    out = clone(value)
    if isinstance(out, Node):
        out.origin, out.origins = origin, {}
        for key in out:
            out[key] = rebase(out[key], join(origin, key))
    elif isinstance(out, Items):
        out.origin = origin
        for index, item in enumerate(out):
            out[index] = rebase(item, join(origin, index))
    return out


def restrict(node: Node, keys: Iterable[str]) -> Node:
    """A mapping with only those of ``keys`` that it has, in its own order."""
    wanted = set(keys)
    out = copy(node)
    for key in node:
        if key not in wanted:
            drop(out, key)
    return out


def put(
    node: Node,
    key: Any,
    value: Any,
    *,
    like: tuple[Node, Any] | None = None,
    mark: Mark | None = None,
    key_mark: Mark | None = None,
    origin: str = "",
) -> None:
    """Set a value in a mapping that the caller has just made; its place is that of ``like`` (a mapping and its key)."""
    if like is not None:
        mark, key_mark = like[0].marks.get(like[1]), like[0].key_marks.get(like[1])
        origin = like[0].origin_at(like[1])
    node[key] = value
    node.marks[key] = mark
    node.key_marks[key] = key_mark
    if origin and origin != join(node.origin, key):
        node.origins[key] = origin
    else:
        node.origins.pop(key, None)


def drop(node: Node, key: Any) -> None:
    """Take a key out of a mapping that the caller has just made."""
    del node[key]
    node.marks.pop(key, None)
    node.key_marks.pop(key, None)
    node.origins.pop(key, None)


def plain(tree: Any) -> Any:
    """The tree as dicts and lists."""
    if isinstance(tree, Mapping):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(value) for value in tree]
    return tree


def written(tree: Any) -> Any:
    """The tree as dicts and lists in the form that is written: a list of entries without names is a list again."""
    if isinstance(tree, Mapping):
        if getattr(tree, "listed", False) and list(tree) == [f"p{index + 1}" for index in range(len(tree))]:
            return [written(value) for value in tree.values()]
        return {key: written(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [written(value) for value in tree]
    return tree


def child(tree: Any, part: str | int) -> tuple[Any, bool]:
    """The value one step below, and whether there is one. An index or a number may also be written as text."""
    if isinstance(tree, Mapping):
        if part in tree:
            return tree[part], True
        for key in tree if isinstance(part, str) else ():
            if not isinstance(key, str) and str(key) == part:
                return tree[key], True
    elif isinstance(tree, list):
        if isinstance(part, str) and part.isdecimal() and part.isascii():
            part = int(part[:9])
        if isinstance(part, int) and 0 <= part < len(tree):
            return tree[part], True
    return None, False


def get(tree: Any, loc: Iterable[str | int]) -> Any:
    """The value at ``loc``. Raises KeyError."""
    for part in loc:
        tree, found = child(tree, part)
        if not found:
            raise KeyError(part)
    return tree


def mark_of(tree: Any, loc: Iterable[str | int]) -> Mark | None:
    """Where the deepest value along ``loc`` stands that the tree has.

    Parts of ``loc`` that are no key there (names that a validator puts between) are passed over. None for a value that
    comes from no file.
    """
    mark: Mark | None = getattr(tree, "mark", None)
    for part in loc:
        below, found = child(tree, part)
        if not found:
            continue
        mark = _mark_at(tree, part, mark)
        tree = below
    return mark


def key_mark_of(tree: Any, loc: Iterable[str | int]) -> Mark | None:
    """Where the last key of ``loc`` stands; None if there is no such key or no file."""
    *above, last = loc
    try:
        owner = get(tree, above)
    except KeyError:
        return None
    return owner.key_marks.get(last) if isinstance(owner, Node) else None


def _mark_at(tree: Any, part: str | int, above: Mark | None) -> Mark | None:
    if isinstance(tree, Node):
        if part not in tree:  # a number written as text
            return tree.mark
        # A value without a file has an entry that is None; a mapping built by hand has no entry at all.
        return tree.marks.get(part, above)
    if isinstance(tree, Items):
        mark = tree.marks[int(part)] if int(part) < len(tree.marks) else None
        return mark or above
    return above


def declared_at(tree: Any, path: str | Iterable[str | int]) -> str:
    """Dotted path at which the value at ``path`` was written: itself, or an archetype, a default, a sibling.

    What the tree does not have (a field left out) counts as declared below its deepest block that exists.
    """
    parts = path.split(".") if isinstance(path, str) else list(path)
    origin = ""
    for index, part in enumerate(parts):
        below, found = child(tree, part)
        if not found:
            return ".".join([*([origin] if origin else []), *map(str, parts[index:])])
        own = join(origin, part)
        if isinstance(tree, Node):
            own = tree.origin_at(part)
        elif isinstance(tree, Items) and tree.origin:
            own = join(tree.origin, part)
        origin, tree = own, below
    return origin


def nearest(raw: Any, path: str, key: str) -> Any:
    """The value of ``key`` (``source``, say) in the deepest mapping on the way to ``path`` that has it, or None.

    Of a value in a filled tree, ask the tree as read for what stands above ``declared_at`` of it: a source holds for
    what is written below it, not for what an entry inherits.
    """
    value = None
    for part in [*path.split("."), None]:
        if isinstance(raw, Mapping) and raw.get(key) is not None:
            value = raw[key]
        raw, found = child(raw, part) if part is not None else (None, False)
        if not found:
            break
    return value


def is_quantity(value: object) -> bool:
    """Whether a value is a mapping that stands for one number: a law, a wrapped value, a change of one."""
    return isinstance(value, Mapping) and parse.is_quantity(value)


def merges(value: object) -> bool:
    """Whether a value is merged with what it goes over, key by key, and not put in its place."""
    return isinstance(value, Mapping) and not getattr(value, "listed", False) and not is_quantity(value)


def merge(base: Node, over: Node, problems: list[Problem] | None = None) -> Node:
    """``over`` written over ``base``.

    Mappings merge key by key. Lists and quantities are replaced whole. ``{times: x}`` and ``{plus: y}`` change what is
    there. Null removes what is there, and the text ``none`` removes a mapping (elsewhere it is a text like any other).
    Marks and origins stay those of wherever each value was written; a changed value keeps its origin, so that a draw
    shared through it stays shared. What cannot be done goes to ``problems``; without such a list it is raised as
    ScenarioError.
    """
    found: list[Problem] = []
    out = _merged(base, over, found)
    if problems is None:
        if found:
            raise ScenarioError(found)
    else:
        problems += found
    return out


def _merged(base: Node, over: Node, problems: list[Problem]) -> Node:
    from dcsim.scenario.change import ChangeError, changed, is_change

    out = Node(base, mark=over.mark or base.mark, origin=over.origin or base.origin)
    out.marks, out.key_marks = dict(base.marks), dict(base.key_marks)
    out.origins = {key: base.origin_at(key) for key in base} if out.origin != base.origin else dict(base.origins)
    edits = _are_edits(over)
    for key, new in over.items():
        old, there = base.get(key), key in base
        if (new is None and there) or (new == "none" and isinstance(old, Mapping)):
            drop(out, key)
        elif is_change(new) and not edits:
            if not there or old is None:
                problems.append(_nothing_to_change(over, key))
                continue
            try:
                value = changed(old, new)
            except ChangeError as error:
                problems.append(Problem(error.code, over.origin_at(key), error.message, over.marks.get(key)))
                continue
            put(out, key, value, mark=over.marks.get(key), key_mark=over.key_marks.get(key), origin=base.origin_at(key))
        elif merges(new) and isinstance(old, Mapping) and not is_quantity(old):
            put(out, key, _merged(_node(old), _node(new), problems), like=(over, key))
        else:
            if isinstance(new, Mapping) and not is_quantity(new):
                problems += _stray(_node(new))
            put(out, key, new, like=(over, key))
    return out


def _are_edits(node: Node) -> bool:
    """Whether a mapping holds edits by path (of a shock, a regime, a what-if), whose values change something else."""
    return any("." in str(key) for key in node if isinstance(key, str))


def _node(value: Any) -> Node:
    return value if isinstance(value, Node) else Node(value)


def _nothing_to_change(node: Node, key: object) -> Problem:
    message = f"nothing inherited that {'/'.join(map(str, node[key]))} could change"
    return Problem("EDIT", node.origin_at(key), message, node.marks.get(key))


def _stray(node: Node) -> list[Problem]:
    """Changes in a mapping that goes over nothing."""
    from dcsim.scenario.change import is_change

    problems: list[Problem] = []
    for key, value in () if _are_edits(node) else node.items():
        if is_change(value):
            problems.append(_nothing_to_change(node, key))
        elif isinstance(value, Mapping) and not is_quantity(value):
            problems += _stray(_node(value))
    return problems
