"""Entries kept in a spreadsheet: one row an entry, one column a field.

    sites:
      csv: letters.csv              # or  xlsx: letters.xlsx  and, if it is not the first,  sheet: Letters
      one-more: {...}               # entries may stand beside the file; one with the id of a row goes over that row

The first row names the fields: ``id``, and dotted paths below the entry (``developer``, ``loi.signed``,
``lease.rent``). Empty cells are left out. A cell means what it would mean unquoted in the scenario file; one with
``;`` in it is a list (``48 MW; 48 MW``), and so is any cell under ``tags``, ``phases`` and ``lenders``. Files lie in
the scenario's folder or below it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dcsim.errors import Mark, Problem, ScenarioError, printable, suggest
from dcsim.scenario import tree
from dcsim.scenario.sheet_files import Cell, csv_rows, inside, xlsx_rows
from dcsim.scenario.tree import Items, Node
from dcsim.scenario.yaml_text import Overflow, control, normal, scalar

__all__ = ["SECTIONS", "column", "inside", "join"]

SECTIONS = (("sites",), ("parties",), ("cloud",), ("chips", "products"), ("chips", "orders"))
"""Sections whose entries may come from a sheet."""

MOST_PROBLEMS = 100

_LISTS = frozenset({"tags", "phases", "lenders"})
_TEXTS = frozenset({"id", "name", "title", "note"})
_SEGMENT = re.compile(r"[^\s.*@\[\]{}]+")


def join(raw: Node, folder: Path) -> Node:
    """The scenario with the rows of its sheets as entries, and the columns of its empirical laws as values.

    What comes back needs none of the files; ``raw`` is not changed. Raises ScenarioError with every problem found.
    """
    problems: list[Problem] = []
    out: Node = _with_columns(raw, "", folder, problems)
    for place in SECTIONS:
        try:
            section = tree.get(out, place)
        except KeyError:
            continue
        if isinstance(section, Node) and any(isinstance(section.get(key), str) for key in ("csv", "xlsx")):
            out = _with_section(out, place, _joined(section, ".".join(place), folder, problems))
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return out


def _with_columns(value: Any, path: str, folder: Path, problems: list[Problem]) -> Any:
    """A tree in which ``empirical: {csv: FILE, column: NAME}`` is the list of the column's values."""
    if isinstance(value, Items):
        new = [_with_columns(item, tree.join(path, index), folder, problems) for index, item in enumerate(value)]
        if all(a is b for a, b in zip(new, value, strict=True)):
            return value
        items = Items(new, mark=value.mark, origin=value.origin)
        items.marks = list(value.marks)
        return items
    if not isinstance(value, Node):
        return value
    out = value
    for key, item in value.items():
        where = tree.join(path, key)
        if key == "empirical" and isinstance(item, Node) and isinstance(item.get("csv"), str):
            fresh = _column_of(item, where, folder, problems)
        else:
            fresh = _with_columns(item, where, folder, problems)
        if fresh is not item:
            out = tree.copy(value) if out is value else out
            out[key] = fresh
    return out


def _column_of(law: Node, path: str, folder: Path, problems: list[Problem]) -> Any:
    mark = law.marks.get("csv")
    name = law.get("column")
    if not isinstance(name, str) or len(law) > 2:
        problems.append(Problem("TYPE", path, "expected {csv: FILE, column: NAME}", mark))
        return law
    try:
        return Items(column(folder, law["csv"], name, mark), mark=law.mark, origin=law.origin)
    except ScenarioError as error:
        problems += [p if p.path else Problem(p.code, path, p.message, p.mark) for p in error.problems]
        return law


def column(folder: Path, file: str, name: str, mark: Mark | None = None) -> list[Any]:
    """The values of one column of a CSV file, without its empty cells (for empirical laws). Raises ScenarioError."""
    problems: list[Problem] = []
    rows = list(csv_rows(inside(folder, file, mark), file))
    if not rows:
        raise ScenarioError([Problem("EMPTY", "", f"{printable(file)} has no rows", mark)])
    names = [str(cell.value).strip() if cell else "" for cell in rows[0]]
    if name not in names:
        message = f"{printable(file)} has no column '{printable(name)}'{suggest(name, names)}"
        raise ScenarioError([Problem("REF", "", message, mark)])
    index = names.index(name)
    cells = [row[index] for row in rows[1:] if index < len(row)]
    values = [_value(cell, name, problems) for cell in cells if cell]
    if problems:
        raise ScenarioError(problems)
    return values


def _with_section(raw: Node, place: tuple[str, ...], section: Node) -> Node:
    out = tree.copy(raw)
    out[place[0]] = section if len(place) == 1 else _with_section(raw[place[0]], place[1:], section)
    return out


def _joined(section: Node, path: str, folder: Path, problems: list[Problem]) -> Node:
    """A section with the rows of its file in place of the file's name."""
    out = tree.copy(section)
    source: dict[str, str] = {}
    for key in ("csv", "xlsx", "sheet"):
        if isinstance(out.get(key), str):
            source[key] = out[key]
            tree.drop(out, key)
    kind = "csv" if "csv" in source else "xlsx"
    mark = section.marks.get(kind)
    if len(source.keys() & {"csv", "xlsx"}) == 2 or ("sheet" in source and kind == "csv"):
        problems.append(Problem("TYPE", path, "give either csv, or xlsx and its sheet", mark))
        return out
    try:
        full = inside(folder, source[kind], mark, f"{path}.{kind}")
        rows = csv_rows(full, source[kind]) if kind == "csv" else xlsx_rows(full, source[kind], source.get("sheet"))
        entries = _entries(list(rows), source[kind], path, problems)
    except ScenarioError as error:
        problems += [p if p.path else Problem(p.code, f"{path}.{kind}", p.message, p.mark) for p in error.problems]
        return out
    try:
        return tree.merge(entries, out)
    except ScenarioError as error:
        problems += error.problems
        return out


def _entries(rows: list[list[Cell | None]], file: str, path: str, problems: list[Problem]) -> Node:
    """The rows as entries by id."""
    shown = printable(file)
    out = Node(mark=Mark(shown, 1, 1), origin=path)
    if not rows:
        problems.append(Problem("EMPTY", path, f"{shown} has no rows", Mark(shown, 1, 1)))
        return out
    names = _header(rows[0], path, problems)
    if "id" not in names.values():
        problems.append(Problem("REQUIRED", path, "the first row names no column 'id'", Mark(shown, 1, 1)))
        return out
    id_column = next(index for index, name in names.items() if name == "id")
    for row in rows[1:]:
        cells = [(index, cell) for index, cell in enumerate(row) if cell is not None]
        if not cells or len(problems) >= MOST_PROBLEMS:
            continue
        first = cells[0][1].mark
        identity = row[id_column] if id_column < len(row) else None
        if identity is None:
            problems.append(Problem("REQUIRED", path, f"row {first.line} has no id", first))
            continue
        key = normal(_text(identity.value).strip())
        if key in out:
            before = out.key_marks[key]
            lines = f"at lines {before.line if before else '?'} and {identity.mark.line}"
            problems.append(
                Problem("DUPLICATE", f"{path}.{key}", f"duplicate id '{printable(key)}' {lines}", identity.mark)
            )
            continue
        entry = Node(mark=first, origin=f"{path}.{key}")
        for index, cell in cells:
            if index not in names:
                problems.append(Problem("UNKNOWN", f"{path}.{key}", "a cell under no column name", cell.mark))
            elif index != id_column:
                _set(entry, names[index], cell, problems)
        tree.put(out, key, entry, mark=first, key_mark=identity.mark)
    return out


def _header(row: list[Cell | None], path: str, problems: list[Problem]) -> dict[int, str]:
    """Field of each column."""
    names: dict[int, str] = {}
    for index, cell in enumerate(row):
        if cell is None:
            continue
        name = normal(_text(cell.value).strip())
        parts = name.split(".")
        if not all(_SEGMENT.fullmatch(part) for part in parts):
            problems.append(Problem("UNKNOWN", path, f"column name '{printable(name)}' is no path", cell.mark))
            continue
        for other in names.values():
            if other == name or other.startswith(f"{name}.") or name.startswith(f"{other}."):
                message = f"columns '{printable(other)}' and '{printable(name)}' give the same field"
                problems.append(Problem("DUPLICATE", path, message, cell.mark))
        names[index] = name
    return names


def _set(entry: Node, name: str, cell: Cell, problems: list[Problem]) -> None:
    """Put the value of a cell at its dotted name below an entry."""
    *above, last = name.split(".")
    owner = entry
    for part in above:
        below = owner.get(part)
        if not isinstance(below, Node):
            below = Node(mark=cell.mark, origin=tree.join(owner.origin, part))
            tree.put(owner, part, below, mark=cell.mark, key_mark=cell.mark)
        owner = below
    tree.put(owner, last, _value(cell, last, problems, owner.origin), mark=cell.mark, key_mark=cell.mark)


def _value(cell: Cell, name: str, problems: list[Problem], path: str = "") -> Any:
    """What a cell means under a column."""
    if not isinstance(cell.value, str):
        return cell.value
    odd = control(cell.value)
    if odd:
        problems.append(Problem("ENCODING", tree.join(path, name), f"control character {odd}", cell.mark))
    if name in _TEXTS:
        return normal(cell.value)
    parts = [part.strip() for part in cell.value.split(";")]
    try:
        if len(parts) == 1 and name not in _LISTS:
            return scalar(normal(parts[0]))
        out = Items((scalar(normal(part)) for part in parts if part), mark=cell.mark, origin=tree.join(path, name))
        out.marks = [cell.mark] * len(out)
        return out
    except Overflow as error:
        message = f"must be finite ({printable(str(error)[:40])} overflows)"
        problems.append(Problem("RANGE", tree.join(path, name), message, cell.mark))
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
