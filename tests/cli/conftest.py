"""A command line to call in the test's own process, and scenarios to call it with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcsim.cli.group import cli

ROOT = Path(__file__).resolve().parents[2]
WALK = ROOT / "scenarios" / "walk.yaml"

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`call("run", path, ...)` in an empty directory; the result has exit_code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DCSIM_DEBUG", raising=False)

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """The scenario that `dcsim init` writes: one site with laws, gates, drivers and commitments."""
    from dcsim.scenario.template import template

    path = tmp_path / "blank.yaml"
    path.write_text(template(), encoding="utf-8")
    return path
