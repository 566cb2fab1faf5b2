"""How much faster two workers are than one.

    python tests/bench/bench_workers.py [SCENARIO] [--seconds 10] [--workers 2] [--replication-seconds 0.02]

Runs as many replications as keep one process busy for `--seconds` of a scenario, or of a fake one whose replications
take `--replication-seconds` each, in one process and then with workers. Prints both times, their ratio, and the same
without the second or so in which workers start.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "support"))


def timed(scenario: Any, model: Any, replications: int, workers: int) -> tuple[float, float, dict[str, Any]]:
    """(seconds in all, seconds after the first replications came back, tables of the manifest)."""
    from dcsim.study.run import run_study

    firsts: list[tuple[float, int]] = []

    def report(done: int, total: int) -> None:
        if not firsts:
            firsts.append((time.perf_counter(), done))

    began = time.perf_counter()
    result = run_study(scenario.edit({"replications": replications}), model, workers=workers, progress=report)
    ended = time.perf_counter()
    at, done = firsts[0]
    return ended - began, (ended - at) * replications / max(replications - done, 1), result.manifest["tables"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("scenario", nargs="?")
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--replication-seconds", type=float, default=0.02)
    given = options.parse_args()
    if given.scenario:
        from dcsim.scenario.scenario import load
        from dcsim.study.model import default_model

        scenario, model = load(given.scenario), default_model()
    else:
        from fake_study import FAKE, FakeScenario

        scenario, model = FakeScenario(seconds=given.replication_seconds), FAKE
    probe = 64
    each = timed(scenario, model, probe, 1)[1] / probe
    replications = max(probe, round(given.seconds / each))
    print(f"{replications} replications of about {each * 1e3:.1f} ms")
    one, one_steady, first = timed(scenario, model, replications, 1)
    many, many_steady, second = timed(scenario, model, replications, given.workers)
    same = all(first[name]["hash"] == second[name]["hash"] for name in first)
    print(f"1 worker   {one:8.2f} s")
    ratio, steady = one / many, one_steady / many_steady
    print(f"{given.workers} workers  {many:8.2f} s, {ratio:.2f} times as fast, {steady:.2f} once started")
    print("same rows" if same else "DIFFERENT ROWS")
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
