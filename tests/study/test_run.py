"""One scenario, many replications: the same rows whoever runs them, and a directory as promised."""

import gc
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fake_study import FAKE, FakeScenario, plan, prepare

from dcsim.errors import UsageError
from dcsim.study import run
from dcsim.study.model import Model
from dcsim.study.result import open_results
from dcsim.study.run import RunFailed, replay, run_study
from dcsim.tables.directory import ResultsError

SCENARIO = FakeScenario(replications=70, seed=5)


def hashes(result):
    return {name: table["hash"] for name, table in result.manifest["tables"].items()}


@pytest.fixture(scope="module")
def reference():
    return run_study(SCENARIO, FAKE, workers=1, trace=True)


@pytest.mark.parametrize("chunk", [1, 3, 64, 1000])
def test_chunks_change_nothing(reference, chunk):
    assert hashes(run_study(SCENARIO, FAKE, workers=1, chunk=chunk, trace=True)) == hashes(reference)


@pytest.mark.parametrize(("workers", "chunk"), [(2, None), (4, 7)])
def test_workers_change_nothing(reference, workers, chunk):
    result = run_study(SCENARIO, FAKE, workers=workers, chunk=chunk, trace=True)
    assert hashes(result) == hashes(reference)
    assert result.outcomes.equals(reference.outcomes)
    assert result.milestones.equals(reference.milestones)
    assert result.manifest["workers"] == workers


def test_any_executor_will_do(reference):
    with ThreadPoolExecutor(3) as pool:
        assert hashes(run_study(SCENARIO, FAKE, executor=pool, trace=True)) == hashes(reference)
        other = replace(SCENARIO, seed=6)
        assert hashes(run_study(other, FAKE, executor=pool)) == hashes(run_study(other, FAKE, workers=1))
        assert pool.submit(int, 3).result() == 3, "a borrowed executor stays open"


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_hash_seeds_change_nothing(reference, tmp_path, support, seed):
    fields = json.dumps({"replications": 70, "seed": 5})
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, support / "run_fake.py", tmp_path / "run", "1", fields]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    expected = hashes(run_study(SCENARIO, FAKE, workers=1))
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_more_replications_leave_the_first_ones_as_they_are(reference):
    longer = run_study(replace(SCENARIO, replications=90), FAKE, workers=1)
    first = longer.milestones[longer.milestones["replication"] < 70]
    assert first.equals(reference.milestones)


def test_the_seed_matters(reference):
    other = run_study(replace(SCENARIO, seed=6), FAKE, workers=1)
    assert hashes(other)["milestones"] != hashes(reference)["milestones"]


def test_a_replay_gives_the_same_rows(reference):
    for replication in (0, 33, 69):
        history, found = replay(SCENARIO, replication, FAKE)
        assert history.replication == replication
        assert history.events
        assert found == reference.hashes(replication)
    assert replay(SCENARIO, 1, FAKE)[1] != reference.hashes(0)
    with pytest.raises(UsageError, match="replication 70"):
        reference.hashes(70)


def test_a_directory_as_promised(tmp_path):
    out = tmp_path / "new" / "run"
    seen = []
    result = run_study(SCENARIO, FAKE, out=out, workers=1, progress=lambda *now: seen.append(now), chunk=20)
    assert seen == [(20, 70), (40, 70), (60, 70), (70, 70)]
    assert result.directory == out
    assert sorted(os.listdir(out)) == [
        "assumptions.parquet", "capacity.parquet", "cash.parquet", "defaults.parquet", "delays.parquet",
        "exposure.parquet", "hashes.parquet", "ledger.parquet", "loans.parquet", "manifest.json",
        "milestones.parquet", "outcomes.parquet", "parties.parquet", "scenario.yaml",
    ]  # fmt: skip
    assert os.listdir(out.parent) == ["run"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["scenario"] == {"name": "fake", "title": "A fake", "hash": "ab" * 32}
    assert (manifest["seed"], manifest["status"], manifest["error"]) == (5, "complete", None)
    assert manifest["replications"] == {"asked": 70, "done": 70}
    assert (manifest["start"], manifest["horizon"]) == ("2026-07-01", "2029-06-30")
    assert (manifest["failures"], manifest["missing"]) == ([], [])
    assert set(manifest["files"]) == set(os.listdir(out)) - {"manifest.json"}
    assert {"simpy", "numpy", "pandas", "pyarrow"} <= set(manifest["packages"])
    assert manifest["wall_seconds"] > 0
    assert {name for name, table in manifest["tables"].items() if table["hash"]} == {
        "assumptions", "capacity", "cash", "defaults", "delays", "exposure", "ledger", "loans", "milestones",
        "outcomes", "parties",
    }  # fmt: skip
    assert all((path.stat().st_mode & 0o777) == (0o666 & ~current_umask()) for path in out.iterdir())


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_complete_directory_is_kept_unless_told(tmp_path):
    first = run_study(SCENARIO, FAKE, out=tmp_path / "run", workers=1)
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="complete run"):
        run_study(SCENARIO, Model(explode), out=tmp_path / "run")
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before
    again = run_study(SCENARIO, FAKE, out=tmp_path / "run", overwrite=True, workers=1)
    assert hashes(again) == hashes(first)
    assert os.listdir(tmp_path) == ["run"]


def explode(scenario, seed):
    raise RuntimeError("must not be asked")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_cannot_be_set_up_is_raised_as_it_is(tmp_path, workers):
    with pytest.raises(RuntimeError, match="must not be asked"):
        run_study(SCENARIO, Model(exploding()), out=tmp_path / "run", workers=workers)
    assert os.listdir(tmp_path) == []


def exploding():
    import fake_study

    return fake_study.explode


def test_without_a_directory_results_last_as_long_as_they_are_held():
    result = run_study(SCENARIO, FAKE, workers=1)
    spool = result.directory.parent
    assert len(result.outcomes) == 140
    assert spool.name.startswith("dcsim-")
    del result
    gc.collect()
    assert not spool.exists()


def test_saving_keeps_everything(tmp_path, reference):
    path = reference.save(tmp_path / "kept")
    kept = open_results(path, verify_rows=True)
    assert kept.manifest == reference.manifest
    assert kept.events.equals(reference.events)
    with pytest.raises(UsageError, match="complete run"):
        reference.save(tmp_path / "kept")
    reference.save(tmp_path / "kept", overwrite=True)
    assert os.listdir(tmp_path) == ["kept"]


def test_only_the_tables_asked_for(tmp_path):
    result = run_study(SCENARIO, FAKE, out=tmp_path / "run", tables=["delays", "capacity"], workers=1)
    assert not (tmp_path / "run" / "outcomes.parquet").exists()
    assert hashes(result)["delays"] == hashes(run_study(SCENARIO, FAKE, workers=1))["delays"]
    assert result.tenants == ["lab", "rival"]
    with pytest.raises(UsageError, match="no table 'outcomes'"):
        _ = result.outcomes
    result.verify()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"workers": 0}, "workers: expected a whole number"),
        ({"chunk": 1.5}, "chunk: expected a whole number"),
        ({"workers": True}, "workers"),
        ({"tables": ["capcity"]}, "did you mean 'capacity'"),
        ({"tables": ["events"]}, "takes trace=True"),
    ],
)
def test_wrong_calls(call, says):
    with pytest.raises(UsageError, match=says):
        run_study(SCENARIO, FAKE, **call)


def test_no_replications_is_a_wrong_call():
    with pytest.raises(UsageError, match="replications"):
        run_study(replace(SCENARIO, replications=0), FAKE)


def test_without_a_plan_planned_days_are_missing():
    assert run_study(SCENARIO, Model(prepare), workers=1).delays["planned_days"].isna().all()
    assert run_study(SCENARIO, Model(prepare, plan), workers=1).delays["planned_days"].notna().all()


def test_opening_what_is_no_run(tmp_path):
    with pytest.raises(ResultsError, match="holds no results"):
        open_results(tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failed_replication_fails_the_run_and_spares_the_others(tmp_path, workers):
    scenario = replace(SCENARIO, faults={7: "raise", 40: "nan"})
    with pytest.raises(RunFailed, match=r"2 of 70 .* failed, the first of them 7: .*nothing goes right in 7") as caught:
        run_study(scenario, FAKE, out=tmp_path / "run", workers=workers)
    result = open_results(tmp_path / "run", verify_rows=True)
    assert caught.value.result.directory == tmp_path / "run"
    assert (result.status, result.replications) == ("failed", 68)
    assert [failure.replication for failure in result.failures] == [7, 40]
    assert "in _replicate" in result.failures[0].traceback
    assert "finite" in result.failures[1].error
    assert sorted(set(range(70)) - set(result.milestones["replication"])) == [7, 40]
    whole = run_study(SCENARIO, FAKE, workers=1)
    assert result.hashes(8) == whole.hashes(8)


def test_many_failures_keep_few_tracebacks(tmp_path):
    scenario = replace(SCENARIO, faults=dict.fromkeys(range(70), "raise"))
    with pytest.raises(RunFailed):
        run_study(scenario, FAKE, out=tmp_path / "run", workers=1)
    failures = open_results(tmp_path / "run").failures
    assert len(failures) == 70
    assert sum(bool(failure.traceback) for failure in failures) == 20


def test_importing_the_study_is_cheap():
    heavy = ["pandas", "pyarrow", "scipy", "simpy", "networkx", "pydantic"]
    code = f"import sys, dcsim.study.run; print([name for name in {heavy} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_cannot_travel_is_a_wrong_call_with_workers_alone():
    local = Model(lambda scenario, seed: prepare(scenario, seed))
    assert run_study(SCENARIO, local, workers=1).replications == 70
    with pytest.raises(UsageError, match="cannot be sent to workers"):
        run_study(SCENARIO, local, workers=2)


def test_python_policies_are_named_in_the_manifest(reference):
    assert reference.manifest["replayable"] is True
    result = run_study(SCENARIO, replace(FAKE, policies={"lab": "mine.cheapest"}), workers=1)
    assert result.manifest["replayable"] is False
    assert result.manifest["policies"] == {"lab": "mine.cheapest"}


def test_workers_are_started_only_for_work_worth_it(monkeypatch):
    monkeypatch.setattr(run, "cores", lambda: 3)
    assert run_study(SCENARIO, FAKE).manifest["workers"] == 1, "a matter of milliseconds"
    slow = replace(SCENARIO, seconds=0.07)
    assert run_study(replace(slow, replications=20), FAKE).manifest["workers"] == 1, "few replications"
    assert run_study(slow, FAKE).manifest["workers"] == 3
