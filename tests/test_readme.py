"""What the README shows is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"<!-- prints: dcsim (.*?) -->\n```\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "text"), SHOWN, ids=[command for command, _ in SHOWN])
def test_the_readme_shows_what_is_printed(command: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "my.yaml").write_text(MINE, encoding="utf-8")
    call = [sys.executable, "-m", "dcsim", *command.split()]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert (done.stdout or done.stderr).rstrip() == text.rstrip()


def test_both_set_up_commands_are_there() -> None:
    assert len(SHOWN) == 2
    for name in ("run", "test"):
        assert re.search(rf"<!-- set-up: {name} -->\n```sh\n.+?```", README, re.DOTALL)


MINE = """\
version: 1
name: mine
start: 2026-07-01
horizon: 2029-06-30
replication: 10
parties:
  lab: {rating: BB}
  builder: {}
  bank: {lending: {capacity: $2bn, closing: {lognormal: {median: 60, p90: 30}}}}
tenants:
  lab: {}
sites:
  meadow:
    tenant: lab
    developer: bulider
    loi: {signed: 2026-07-01, exclusivity: 400 MW}
    financing: {lenders: [bank], cost: $11m/MW, equity: 80}
    phases: {all: {mw: 100 MV}}
"""
