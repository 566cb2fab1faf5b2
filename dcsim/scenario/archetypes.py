"""Fills a scenario in: defaults, archetypes (``like:``), short-hands, and entries taken out (``enabled: false``).

An entry is what ``defaults`` says, then its archetypes from the most general to the nearest, then its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario import tree
from dcsim.scenario.paths import PROVENANCE
from dcsim.scenario.tree import Items, Node
from dcsim.units import describe

_COLLECTIONS = {
    "site": ("sites",),
    "party": ("parties",),
    "tenant": ("tenants",),
    "region": ("regions",),
    "cloud": ("cloud",),
    "product": ("chips", "products"),
    "order": ("chips", "orders"),
}
"""Name under ``defaults`` of what every entry of a section takes, and where that section is."""

_INSIDE_SITE = {
    "workstream": ("diligence",),
    "activity": ("construction", "activities"),
}
"""The same for sections within each site."""

_VERBATIM = frozenset({"defaults", "archetypes", "sources", "what_ifs", "expect", "regime"})
"""Sections in which ``like`` and ``enabled`` are not acted upon: their entries are no entries, or are edits."""


def fill(raw: Node) -> tuple[Node, list[Problem]]:
    """The scenario as it is meant, and what is wrong with its inheritance.

    ``like``, ``enabled`` and short-hands are gone from the entries; ``defaults`` and ``archetypes`` are still there.
    Every value keeps the mark and the origin of where it was written. ``raw`` is not changed.
    """
    filling = _Filling(normalise(raw))
    filled = filling.run()
    return filled, list(dict.fromkeys(filling.problems))  # what many sites inherit is wrong once


def normalise(raw: Node) -> Node:
    """The same scenario with the short-hands of sites written out (``loi: DATE``, ``phases: [48 MW, 48 MW]``)."""
    out = tree.copy(raw)
    for section in ("sites", "archetypes"):
        entries = raw.get(section)
        if isinstance(entries, Node):
            new = tree.copy(entries)
            for key, entry in entries.items():
                if isinstance(entry, Node):
                    new[key] = _without_shorthand(entry)
            out[section] = new
    defaults = raw.get("defaults")
    if isinstance(defaults, Node) and isinstance(defaults.get("site"), Node):
        out["defaults"] = tree.copy(defaults)
        out["defaults"]["site"] = _without_shorthand(defaults["site"])
    return out


def _without_shorthand(site: Node) -> Node:
    out = tree.copy(site)
    for key in _SHORTHANDS:
        if key in site:
            out[key] = written_out(site, key)
    return out


def written_out(site: Node, key: str) -> Any:
    """A field of a site or archetype without short-hand."""
    write_out = _SHORTHANDS.get(key)
    return write_out(site, key) if write_out else site[key]


def is_site(loc: tuple[str | int, ...]) -> bool:
    """Whether a site, an archetype or the sites' default stands at ``loc``."""
    return len(loc) == 2 and (loc[0] in ("sites", "archetypes") or loc == ("defaults", "site"))


def _loi(site: Node, key: str) -> Any:
    """A letter of intent given by its date alone."""
    value = site[key]
    if not isinstance(value, str) or value == "none":
        return value
    out = Node(mark=site.marks.get(key), origin=site.origin_at(key))
    tree.put(out, "signed", value, mark=site.marks.get(key), key_mark=site.key_marks.get(key))
    return out


def _phases(site: Node, key: str) -> Any:
    """Phases given as a list of MW (or of mappings) are p1, p2, ..."""
    value = site[key]
    if not isinstance(value, Items):
        return value
    out = Node(mark=value.mark, origin=value.origin)
    out.listed = True
    for index, item in enumerate(value):
        mark = value.marks[index] if index < len(value.marks) else None
        if not isinstance(item, Node) or tree.is_quantity(item):
            phase = Node(mark=mark, origin=tree.join(value.origin, f"p{index + 1}"))
            tree.put(phase, "mw", item, mark=mark, key_mark=mark)
            item = phase
        tree.put(out, f"p{index + 1}", item, mark=mark, key_mark=mark)
    return out


_SHORTHANDS: dict[str, Callable[[Node, str], Any]] = {"loi": _loi, "phases": _phases}
"""Short-hands of a site: field, and the function that writes it out."""


class _Filling:
    """One scenario being filled in."""

    def __init__(self, raw: Node) -> None:
        self.raw = raw
        self.problems: list[Problem] = []
        self.circles: set[frozenset[str]] = set()
        self._tidy: set[int] = set()
        self.defaults = self._section("defaults")
        self.archetypes = self._section("archetypes")

    def _section(self, name: str) -> Node:
        section = self.raw.get(name)
        return section if isinstance(section, Node) else Node(origin=name)

    def run(self) -> Node:
        known = [*_COLLECTIONS, *_INSIDE_SITE]
        for name in self.defaults:
            if name not in known and name not in PROVENANCE:
                message = f"unknown key '{name}'{suggest(str(name), known)}"
                where = self.defaults.key_marks.get(name)
                self.problems.append(Problem("UNKNOWN", f"defaults.{name}", message, where))
        self._check_archetypes()
        out = tree.copy(self.raw)
        for name, place in _COLLECTIONS.items():
            out = _replaced(out, place, lambda section, name=name: self._collection(section, name))  # type: ignore[misc]
        for key in list(out):
            if key not in _VERBATIM:
                out[key] = self._tidied(out[key], str(key))
        return out

    def _check_archetypes(self) -> None:
        """Each chain once, whether a site uses it or not."""
        for name, archetype in self.archetypes.items():
            if isinstance(archetype, Node):
                self._chain(archetype, f"archetypes.{name}", [("archetypes", self.archetypes)])

    def _collection(self, section: Node, name: str) -> Node:
        """The entries of a top-level section, filled."""
        place = ".".join(_COLLECTIONS[name])
        among = [(place, section)]
        if name == "site":
            among.insert(0, ("archetypes", self.archetypes))
        out = tree.copy(section)
        base = self.defaults.get(name)
        shared: dict[object, Node] = {}  # a hundred sites of one archetype have all but their own words in common
        for key, entry in section.items():
            if not isinstance(entry, Node) or tree.is_quantity(entry):
                continue
            *above, own = self._chain(entry, f"{place}.{key}", among)
            if isinstance(base, Node):
                above.insert(0, base)
            inside = self._inside([*above, own]) if name == "site" else {}
            kind = (str(entry.get("like")), tuple(inside.items()))
            if kind not in shared:
                shared[kind] = self._merged([self._beneath(inside), *above])
            out[key] = tree.merge(shared[kind], own, self.problems)
        return out

    def _merged(self, levels: list[Node]) -> Node:
        """One entry of its levels, the most general first; it stands where the last one does."""
        filled = Node()
        for level in levels:
            filled = tree.merge(filled, level, self.problems)
        return filled

    def _inside(self, levels: list[Node]) -> dict[str, tuple[Any, ...]]:
        """Names of the entries within a site that ``defaults`` has something for."""
        return {
            name: tuple(_entry_names(levels, place))
            for name, place in _INSIDE_SITE.items()
            if isinstance(self.defaults.get(name), Node)
        }

    def _beneath(self, inside: dict[str, tuple[Any, ...]]) -> Node:
        """What ``defaults`` says about the workstreams and activities of a site, at their places in it."""
        out = Node()
        for name, keys in inside.items():
            below = Node()
            for key in keys:
                tree.put(below, key, self.defaults[name], like=(self.defaults, name))
            for part in reversed(_INSIDE_SITE[name]):
                below = Node({part: below})
            out = tree.merge(out, below)
        return out

    def _chain(self, entry: Node, path: str, among: list[tuple[str, Node]], above: tuple[str, ...] = ()) -> list[Node]:
        """What an entry is like, from the most general down to itself.

        ``like`` is looked up in the sections ``among`` (path and entries), in this order; an archetype is like other
        archetypes only. ``above`` are the paths of the entries that led here. Whether an entry is enabled is its own
        affair and not taken over.
        """
        if "like" not in entry:
            return [entry]
        own = _without(entry, "like")
        name, mark, where = entry["like"], entry.marks.get("like"), f"{path}.like"
        if not isinstance(name, str):
            if name is not None:
                self.problems.append(Problem("TYPE", where, f"expected a name, got {describe(name)}", mark))
            return [own]
        found = next(((place, section) for place, section in among if isinstance(section.get(name), Node)), None)
        if found is None:
            what = "archetype" if among[0][0] == "archetypes" else "entry"
            known = [
                str(k) for _, section in among for k, v in section.items() if isinstance(v, Node) and v is not entry
            ]
            self.problems.append(
                Problem("REF", where, f"unknown {what} '{printable(name)}'{suggest(name, known)}", mark)
            )
            return [own]
        place, section = found
        target, chain = f"{place}.{name}", (*above, path)
        if target in chain:
            loop = chain[chain.index(target) :]
            if frozenset(loop) not in self.circles:  # found again from each of its members
                self.circles.add(frozenset(loop))
                message = f"{' -> '.join([*loop, target])} are like each other in a circle"
                self.problems.append(Problem("CYCLE", where, message, mark))
            return [own]
        among = [(place, section)] if place == "archetypes" else among
        return [*(_without(e, "enabled") for e in self._chain(section[name], target, among, chain)), own]

    def _tidied(self, value: Any, path: str) -> Any:
        """A value with ``like`` among siblings and ``enabled`` acted upon in everything below it.

        What needs nothing done comes back as it is, and is not looked at again where another entry shares it.
        """
        if not isinstance(value, Node) or id(value) in self._tidy or tree.is_quantity(value):
            return value
        if any("." in str(key) for key in value):  # a path among the keys: these are edits
            return value
        out = value
        for name, entry in value.items():
            if not isinstance(entry, Node):
                continue
            new = entry
            if "like" in entry:
                new = self._merged(self._chain(entry, f"{path}.{name}", [(path, value)]))
            enabled = new.get("enabled")
            if enabled is True:
                new = _without(new, "enabled")
            new = self._tidied(new, f"{path}.{name}")
            if new is entry and enabled is not False:
                continue
            out = tree.copy(value) if out is value else out
            if enabled is False:
                tree.drop(out, name)
            else:
                out[name] = new
        if out is value:
            self._tidy.add(id(value))
        return out


def _replaced(node: Node, place: tuple[str, ...], act: Callable[[Node], Node]) -> Node:
    """A copy of ``node`` with the section at ``place``, if there is one, replaced by what ``act`` makes of it."""
    below = node.get(place[0])
    if not isinstance(below, Node):
        return node
    out = tree.copy(node)
    out[place[0]] = _replaced(below, place[1:], act) if len(place) > 1 else act(below)
    return out


def _without(node: Node, key: str) -> Node:
    if key not in node:
        return node
    out = tree.copy(node)
    tree.drop(out, key)
    return out


def _entry_names(levels: Iterable[Node], place: tuple[str, ...]) -> Iterator[Any]:
    """Keys of all mappings that stand at ``place`` in any of the levels, each once."""
    seen = set()
    for level in levels:
        try:
            section = tree.get(level, place)
        except KeyError:
            continue
        if isinstance(section, Node):
            for key, value in section.items():
                if key not in seen and isinstance(value, Node) and not tree.is_quantity(value):
                    seen.add(key)
                    yield key
