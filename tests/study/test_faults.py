"""What goes wrong from outside: workers killed, disks full, Ctrl-C, a parent that dies."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fake_study import FAKE, FakeScenario

from dcsim.study.result import open_results
from dcsim.study.run import RunFailed, run_study

SCENARIO = FakeScenario(replications=60, seed=5)

posix = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.mark.parametrize(
    ("fault", "says"), [("exit", "ended with status 17"), ("kill", "was killed by SIGKILL")]
)
def test_a_lost_worker_is_named_and_finished_results_are_kept(tmp_path, fault, says):
    scenario = replace(SCENARIO, faults={33: fault}, seconds=0.005)
    with pytest.raises(RunFailed, match=rf"worker process \d+ {says} while running replications 30 to 34") as caught:
        run_study(scenario, FAKE, out=tmp_path / "run", workers=2, chunk=5)
    result = open_results(tmp_path / "run", verify_rows=True)
    assert result.status == "failed"
    assert says in result.manifest["error"]
    assert result.manifest["error"].count("worker process") == 1, "those ended because of it are not blamed"
    missing = [number for first, last in result.manifest["missing"] for number in range(first, last + 1)]
    kept = sorted(set(result.milestones["replication"]))
    assert sorted(missing + kept) == list(range(60))
    assert set(range(30, 35)) <= set(missing)
    assert len(set(range(30)) & set(kept)) >= 25, "all that was finished before: the other worker had one chunk at most"
    assert f"{missing[0]} to" in str(caught.value)
    whole = run_study(SCENARIO, FAKE, workers=1)
    assert all(result.hashes(number) == whole.hashes(number) for number in kept[::7])


class Script:
    """The fake study in a session of its own, as a terminal would start it."""

    def __init__(self, support, out, workers, **fields):
        command = [sys.executable, str(support / "run_fake.py"), str(out), str(workers), json.dumps(fields)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in (self.process.pid, *members(self.process.pid)):
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.communicate()

    def wait_for(self, word):
        for line in self.process.stdout:
            if line.startswith(word):
                return line
        raise AssertionError(self.process.stderr.read())

    def interrupt_all(self):
        """Ctrl-C, as the terminal does it: to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)


def members(session):
    """Processes of a session that are still alive."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[3] == str(session) and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_a_whole_prefix(tmp_path, support, workers):
    out = tmp_path / "run"
    with Script(support, out, workers, replications=100_000, seed=5, seconds=0.01) as script:
        script.wait_for("done")
        time.sleep(0.3)
        began = time.monotonic()
        script.interrupt_all()
        stdout, stderr = script.process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert script.process.returncode == 130
        assert stderr == ""
        assert "interrupted after" in stdout
        time.sleep(0.2)
        assert members(script.process.pid) == []
    assert os.listdir(tmp_path) == ["run"]
    result = open_results(out, verify_rows=True)
    assert result.status == "interrupted"
    assert 0 < result.replications < 100_000
    assert result.manifest["missing"] == [[result.replications, 99_999]]
    assert sorted(set(result.milestones["replication"])) == list(range(result.replications))
    assert result.hashes(0) == run_study(SCENARIO, FAKE, workers=1).hashes(0)


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_does_not_wait_for_a_replication_that_hangs(tmp_path, support, workers):
    fields = {"replications": 60, "seed": 5, "faults": {"7": "hang"}, "chunk": 4}
    if workers == 2:
        fields["patience"] = 0.5
    with Script(support, tmp_path / "run", workers, **fields) as script:
        script.wait_for("done")
        time.sleep(0.3)
        began = time.monotonic()
        script.interrupt_all()
        _, stderr = script.process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert (script.process.returncode, stderr) == (130, "")
    result = open_results(tmp_path / "run", verify_rows=True)
    # In this process the whole ones of the unfinished chunk count too; a killed worker takes its chunk with it.
    assert result.replications == (7 if workers == 1 else 4)


@posix
def test_ctrl_c_before_anything_is_whole_leaves_nothing(tmp_path, support):
    with Script(support, tmp_path / "run", 1, replications=60, faults={"0": "hang"}, patience=0.3) as script:
        script.wait_for("started")
        time.sleep(1.5)
        script.interrupt_all()
        stdout, stderr = script.process.communicate(timeout=20)
        assert (script.process.returncode, stderr) == (130, "")
        assert "before the first replication was whole None" in stdout
    assert os.listdir(tmp_path) == []


@posix
def test_ctrl_c_while_workers_start_is_quiet(tmp_path, support):
    with Script(support, tmp_path / "run", 2, replications=1000, seconds=0.01, faults={"0": "hang"}) as script:
        while len(members(script.process.pid)) < 3 and script.process.poll() is None:
            time.sleep(0.01)  # until there is a worker beside the parent and the tracker of its resources
        time.sleep(0.05)
        script.interrupt_all()
        _, stderr = script.process.communicate(timeout=20)
        assert (script.process.returncode, stderr) == (130, "")
    assert os.listdir(tmp_path) == []


@posix
def test_a_second_ctrl_c_is_the_ordinary_one(tmp_path, support):
    with Script(support, tmp_path / "run", 1, replications=60, faults={"7": "hang"}, chunk=4) as script:
        script.wait_for("done")
        time.sleep(0.3)
        script.interrupt_all()
        time.sleep(0.2)
        script.interrupt_all()
        script.process.communicate(timeout=3)
        assert script.process.returncode != 0
    assert os.listdir(tmp_path) in ([], ["run"])


@posix
def test_workers_die_with_their_parent(tmp_path, support):
    with Script(support, tmp_path / "run", 2, replications=100_000, seconds=0.01) as script:
        script.wait_for("done")
        assert len(members(script.process.pid)) >= 3
        os.kill(script.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while members(script.process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert members(script.process.pid) == []


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, support, workers):
    # With row groups this small the disk is full long before the end.
    fields = {"replications": 4000, "seconds": 0.001, "rows_per_group": 500, "file_limit": 20_000}
    began = time.monotonic()
    with Script(support, tmp_path / "run", workers, **fields) as script:
        stdout, stderr = script.process.communicate(timeout=60)
        assert (script.process.returncode, stderr) == (1, "")
        assert f"failed cannot write {tmp_path}" in stdout
        assert "File too large" in stdout
        assert "done 4000" not in stdout
    assert time.monotonic() - began < 30
    assert os.listdir(tmp_path) == []
