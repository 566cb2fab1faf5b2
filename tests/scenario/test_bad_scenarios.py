"""Bad and awkward files: what is refused and why, at which line, how fast, and in how much memory."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dcsim.errors import ScenarioError
from dcsim.scenario.scenario import load

DATA = json.loads((Path(__file__).parents[1] / "data" / "bad_scenarios.json").read_text(encoding="utf-8"))
BASE: str = DATA["base"]
CASES: list[dict[str, Any]] = DATA["cases"]
MOST_SECONDS = 2.0
MOST_MEGABYTES = 300

MADE = {
    "twice": lambda: f"{BASE}---\n{BASE}",
    "no sites": lambda: BASE[: BASE.index("sites:")] + "sites: []\n",
    "deep": lambda: f"a: {'[' * 100_000}{']' * 100_000}\n",
    "large": lambda: f"name: {'x' * 50_000_000}\n",
}


def content(case: dict[str, Any]) -> bytes:
    """The bytes of a case's file."""
    if "base64" in case:
        return base64.b64decode(case["base64"])
    text = case["text"] if "text" in case else MADE[case["generator"]]() if "generator" in case else BASE
    for old, new in case.get("replace", []):
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the base"
        text = text.replace(old, new)
    if "newline" in case:
        text = text.replace("\n", case["newline"])
    return text.encode(case.get("encoding", "utf-8"))


def write(case: dict[str, Any], folder: Path) -> Path:
    path = folder / "case.yaml"
    path.write_bytes(content(case))
    if "link" in case:
        outside = folder.parent / f"{folder.name}-outside.csv"
        outside.write_text("id\nb\n")
        (folder / case["link"]).symlink_to(outside)
    return path


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']} {case['name']}" for case in CASES])
def test_verdict(case: dict[str, Any], tmp_path: Path) -> None:
    path = write(case, tmp_path)
    start = time.process_time()
    try:
        found = load(path).warnings
        verdict = "accept"
    except ScenarioError as error:
        found = list(error.problems)
        verdict = "reject"
    assert time.process_time() - start < MOST_SECONDS
    assert verdict == case["expect"], [str(problem) for problem in found]
    shown = [str(problem) for problem in found]
    assert len(found) == ("code" in case), shown
    assert not any("Traceback" in line or "\n" in line for line in shown)
    for problem in found:
        assert problem.code == case["code"]
        assert case.get("says", "") in problem.message
        assert problem.mark is not None
        assert problem.mark.file == str(path)
        assert problem.mark.line == case.get("line", problem.mark.line)


def test_nothing_is_written(tmp_path: Path) -> None:
    for number, case in enumerate(c for c in CASES if not c.get("big")):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write(case, folder)
        before = sorted(os.listdir(folder))
        with contextlib.suppress(ScenarioError):
            load(path)
        assert sorted(os.listdir(folder)) == before


ENCODED = ("018", "020", "022")


@pytest.mark.parametrize("id", ENCODED)
def test_encodings_give_the_same_scenario(id: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(BASE)
    assert load(write(next(c for c in CASES if c["id"] == id), tmp_path)).hash == load(plain).hash


MEASURE = """
import re, sys, time
from dcsim.errors import ScenarioError
from dcsim.scenario.scenario import load
start = time.process_time()
try:
    load(sys.argv[1])
    verdict = "accept"
except ScenarioError as error:
    verdict = error.problems[0].code
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]  # getrusage counts the parent's too
print(verdict, time.process_time() - start, int(peak) / 1024)
"""


FIRST, REST = BASE.split("sites:\n")
SITE = REST.split("\n", 1)[1]


def aliases() -> str:
    names = "abcdefghij"
    lines = [f"{name}: &{name} [{','.join(['*' + before] * 9)}]" for before, name in itertools.pairwise(names)]
    return "\n".join(["a: &a [1,1,1,1,1,1,1,1,1]", *lines]) + "\n"


BIG = {
    "deep": MADE["deep"],
    "large": MADE["large"],
    "many keys": lambda: "version: 1\n" + "".join(f"key-{i}: 1\n" for i in range(110_000)),
    "many faults": lambda: "version: 1\n" + "".join(f"key-{i}: 1\n" for i in range(40_000)),
    "many phases": lambda: BASE + "".join(f"      q{i}: {{mw: 1}}\n" for i in range(40_000)),
    "many sites of one archetype": lambda: (
        f"{FIRST}archetypes:\n  x:\n{SITE}sites:\n" + "".join(f"  s{i}: {{like: x}}\n" for i in range(40_000))
    ),
    "many faulty sites": lambda: FIRST + "sites:\n" + "".join(f"  s{i}: {{mw: x}}\n" for i in range(20_000)),
    "aliases of aliases": aliases,
}
"""Files that are honest or hostile, and large."""


@pytest.mark.parametrize("name", list(BIG))
def test_big_files_cost_little(name: str, tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text(BIG[name]())
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    verdict, seconds, megabytes = done.stdout.split()
    assert verdict != "accept"
    assert float(seconds) < MOST_SECONDS
    assert float(megabytes) < MOST_MEGABYTES


HAS_CLI = importlib.util.find_spec("dcsim.__main__") is not None
SAMPLE = ("002", "012", "026", "050", "074", "116", "118", "120", "126", "132", "138", "152")


@pytest.mark.skipif(not HAS_CLI, reason="there is no command line yet")
@pytest.mark.parametrize("id", SAMPLE)
def test_command_line(id: str, tmp_path: Path) -> None:
    case = next(c for c in CASES if c["id"] == id)
    path = write(case, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "dcsim", "check", str(path)], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    output = done.stdout + done.stderr
    assert done.returncode == (2 if case["expect"] == "reject" else 0), output
    assert "Traceback" not in output
    assert "\x1b[2J" not in output
    if "code" in case:
        assert f"[{case['code']}]" in output
        assert case.get("says", "") in " ".join(output.split())
        assert f"{path}:{case.get('line', '')}" in output.replace("\n", "")
    assert os.listdir(tmp_path) == ["case.yaml"]


HEAVY = ("pandas", "pyarrow", "networkx", "scipy", "numpy", "simpy", "rich", "openpyxl")


def test_checking_imports_nothing_heavy() -> None:
    scenario = Path(__file__).parents[2] / "scenarios" / "anthropic-2026.yaml"
    script = f"""
import sys
from dcsim.scenario.scenario import load
load({str(scenario)!r})
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == []
