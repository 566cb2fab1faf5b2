"""Imports run one way, nothing below the command line prints, and files stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "dcsim"
ORDER = (
    ("errors", "units"),
    ("quantity",),
    ("scenario",),
    ("engine",),
    ("ledger", "economics"),
    ("network",),
    ("model",),
    ("tables",),
    ("stats",),
    ("study",),
    ("report",),
    ("ui",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
FORBIDDEN = {"scenario": {"simpy", "pandas"}, "model": {"pandas", "altair", "click"}, "engine": {"pandas", "networkx"}}
FILES = sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return
    for line, name in imports(path):
        top, _, rest = name.partition(".")
        if top == "dcsim":
            other = rest.split(".")[0]
            if other and other in RANK:
                assert RANK[other] <= RANK[part], f"{path}:{line}: {part} imports {other}"
        assert top not in FORBIDDEN.get(part, ()), f"{path}:{line}: {part} imports {top}"


def test_report_knows_no_model() -> None:
    for path in FILES:
        if part_of(path) == "report":
            assert not [n for _, n in imports(path) if n.startswith(("dcsim.model", "dcsim.engine"))], path


@pytest.mark.parametrize("path", [p for p in FILES if part_of(p) != "cli"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_below_the_command_line_prints(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not calls, f"{path}: prints in lines {calls}"


def test_files_stay_small() -> None:
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long, f"two nouns in one? {long}"
