"""The whole of the command line: help, statuses, what is imported, and how it ends when something goes wrong."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from dcsim.cli import group
from dcsim.cli.group import COMMANDS

from .conftest import ROOT, WALK, Call

HEAVY = {"pandas", "pyarrow", "networkx", "scipy.stats", "rich", "matplotlib"}


def dcsim(*arguments: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dcsim", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100, **options)  # type: ignore[call-overload, no-any-return]


def imported_by(*arguments: object, cwd: Path) -> set[str]:
    """Modules imported by a whole call."""
    code = (
        "import sys, atexit; sys.argv = ['dcsim', *sys.argv[1:]]\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=open('modules.txt', 'w')))\n"
        "from dcsim.cli import main; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    subprocess.run(command, cwd=cwd, env=environment, timeout=60, check=False)
    return set((cwd / "modules.txt").read_text().split())


def test_help_imports_no_command_and_nothing_of_the_package_below(tmp_path: Path) -> None:
    modules = imported_by("--help", cwd=tmp_path)
    ours = {name for name in modules if name.split(".")[0] == "dcsim"}
    assert ours == {"dcsim", "dcsim.cli", "dcsim.cli.group", "dcsim.cli.output"}
    assert not modules & {*HEAVY, "numpy", "scipy", "pydantic", "yaml", "simpy"}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_of_a_command_imports_neither_scenario_nor_numbers(name: str, tmp_path: Path) -> None:
    modules = imported_by(name, "--help", cwd=tmp_path)
    assert f"dcsim.cli.{name}" in modules
    assert not modules & {*HEAVY, "numpy", "scipy", "pydantic", "yaml", "simpy", "dcsim.scenario"}


def test_check_imports_neither_pandas_nor_networkx_nor_the_model(tmp_path: Path) -> None:
    modules = imported_by("check", WALK, cwd=tmp_path)
    assert "dcsim.scenario.scenario" in modules
    assert not modules & {*HEAVY, "simpy", "dcsim.model", "dcsim.tables"}


def test_importing_the_package_loads_nothing(tmp_path: Path) -> None:
    code = "import sys, dcsim; print([m for m in sys.modules if m.startswith('dcsim') or m in ('numpy', 'pandas')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "['dcsim']"


def test_public_names_are_there_and_no_others() -> None:
    import dcsim

    assert {name: getattr(dcsim, name).__name__ for name in dcsim.__all__} == {name: name for name in dcsim.__all__}
    assert set(dcsim.__all__) == {name for names in dcsim._HOMES.values() for name in names}
    assert dir(dcsim) == sorted(dcsim.__all__)
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        dcsim.simulat  # noqa: B018


@pytest.mark.parametrize(("name", "text"), COMMANDS.items())
def test_the_list_of_commands_says_what_each_says_of_itself(name: str, text: str) -> None:
    command = importlib.import_module(f"dcsim.cli.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.short_help == text


def test_help_of_every_command_fits_80_columns(call: Call) -> None:
    for name in [None, *COMMANDS]:
        shown = call(*([name] if name else []), "--help")
        assert shown.exit_code == 0
        assert shown.stdout.startswith("Usage:")
        assert max(map(len, shown.stdout.splitlines())) <= 80


def test_an_unknown_command_is_a_wrong_call_with_a_suggestion(call: Call) -> None:
    shown = call("rum", WALK)
    assert shown.exit_code == 2
    assert "no such command 'rum'; did you mean 'run'?" in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", WALK, "--replications", "0"], ["run", WALK, "--seed", "-1"], ["trace", WALK], ["check"], []],
)
def test_a_wrong_call_exits_with_2(call: Call, arguments: list[object]) -> None:
    shown = call(*arguments)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert "Traceback" not in shown.stderr


def test_a_missing_file_is_one_line_and_a_count(call: Call) -> None:
    shown = call("run", "nosuch.yaml")
    assert shown.exit_code == 2
    lines = shown.stderr.splitlines()
    assert len(lines) == 2
    assert "nosuch.yaml" in lines[0]
    assert lines[1] == "1 problem"


def test_every_problem_is_a_line_with_its_place(call: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(WALK.read_text().replace("escalator", "x").replace("cabling: 5 days", "cabling: soon").replace(
        "burn_in: 7 days", "burn_inn: 7 days"))  # fmt: skip
    shown = call("explain", bad)
    assert shown.exit_code == 2
    lines = shown.stderr.splitlines()
    assert lines[-1] == f"{len(lines) - 1} problems"
    assert len(lines) == 3
    assert all(line.startswith(f"{bad}:") for line in lines[:-1])


def test_an_error_of_our_own_is_named_and_shown_on_request(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError("inside \x1b[31m")

    monkeypatch.setattr("dcsim.scenario.scenario.load", broken)
    shown = call("run", WALK)
    assert shown.exit_code == 1
    assert shown.stderr.startswith("internal error: ZeroDivisionError: inside \\x1b[31m")
    assert "Traceback" not in shown.stderr
    monkeypatch.setenv("DCSIM_DEBUG", "1")
    assert "Traceback" in call("run", WALK).stderr
    monkeypatch.delenv("DCSIM_DEBUG")
    with pytest.MonkeyPatch.context() as context:
        context.setenv("DCSIM_DEBUG", "")
        assert "Traceback" in call("--debug", "run", WALK).stderr


def test_an_interrupt_exits_with_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(path: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dcsim.scenario.scenario.load", pressed)
    shown = call("check", WALK)
    assert shown.exit_code == 130
    assert shown.stderr.strip() == "interrupted"


def test_problems_without_a_place_name_their_file(capsys: pytest.CaptureFixture[str]) -> None:
    from dcsim.cli.output import say_problems
    from dcsim.errors import Problem

    found = say_problems([Problem("WARN", "", "odd", severity="warning"), Problem("EMPTY", "x", "empty")], "f\n.yaml")
    assert found == (1, 1)
    assert capsys.readouterr().err == "warning: f\\n.yaml: odd [WARN]\nf\\n.yaml: x: empty [EMPTY]\n"


def test_text_that_the_terminal_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from dcsim.cli import output

    raw = io.BytesIO()
    monkeypatch.setattr(output.sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    output.emit("Grün")
    output.flush()
    assert raw.getvalue() == b"Gr\\xfcn\n"


@pytest.mark.parametrize("call", [["trace", str(WALK), "--replication", "0"], ["check", str(WALK)]])
def test_a_reader_who_leaves_early_is_no_error(call: list[str], tmp_path: Path) -> None:
    """As in `dcsim schema | head -1`: the pipe is closed before much, or the little there is, is written."""
    command = [sys.executable, "-m", "dcsim", *call]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def interrupted(blank: Path, seconds: float) -> tuple[int, str, str]:
    """A long run, with Ctrl-C so many seconds after it has begun to write."""
    command = [sys.executable, "-m", "dcsim", "run", str(blank), "--replications", "1000000", "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--out", "kept"],
        cwd=blank.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not list(blank.parent.glob(".kept.*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_ctrl_c_keeps_what_is_whole(tmp_path: Path, blank: Path) -> None:
    for seconds in (2.0, 6.0, 20.0):  # a busy machine may not have finished one replication after the first
        status, out, err = interrupted(blank, seconds)
        assert status == 130, err
        assert "Traceback" not in err
        assert not list(tmp_path.glob(".kept.*"))
        if "nothing is kept" not in err:
            break
        assert not (tmp_path / "kept").exists()
    assert "which are kept" in err
    assert "of 1,000,000 replications (interrupted)" in out
    from dcsim import open_results

    result = open_results(tmp_path / "kept", verify_rows=True)
    assert result.status == "interrupted"
    assert sorted(set(result.outcomes["replication"])) == list(range(result.replications))


def test_python_m_dcsim_is_dcsim(tmp_path: Path) -> None:
    done = dcsim("--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("dcsim 0.")
    assert group.cli.name == "cli"
