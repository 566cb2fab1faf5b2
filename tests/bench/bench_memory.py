"""Peak memory of ten times as many replications.

    python tests/bench/bench_memory.py [SCENARIO] [--replications 1000] [--workers 1]

Runs `--replications` and ten times as many, each in a process of its own, and compares the peak resident memory of that
process (and of its largest worker). More than 1.3 times is a failure.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "support"))

LIMIT = 1.3


def measure(path: str | None, replications: int, workers: int) -> dict[str, float]:
    """Run here, and say what it took, in MiB."""
    from dcsim.study.run import run_study

    if path:
        from dcsim.scenario.scenario import load
        from dcsim.study.model import default_model

        scenario, model = load(path).edit({"replications": replications}), default_model()
    else:
        from fake_study import FAKE, FakeScenario

        scenario, model = FakeScenario(replications=replications, lots=40), FAKE
    result = run_study(scenario, model, workers=workers)
    size = sum(result.manifest["files"].values())
    peak = {"self": resource.RUSAGE_SELF, "worker": resource.RUSAGE_CHILDREN}
    return {name: resource.getrusage(who).ru_maxrss / 1024 for name, who in peak.items()} | {"disk": size / 2**20}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("scenario", nargs="?")
    options.add_argument("--replications", type=int, default=1000)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--measure", action="store_true", help="run once here and print JSON")
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.scenario, given.replications, given.workers)))
        return
    found = []
    for replications in (given.replications, 10 * given.replications):
        command = [sys.executable, __file__, "--measure", "--replications", str(replications)]
        command += ["--workers", str(given.workers), *([given.scenario] if given.scenario else [])]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout))
        sizes = ", ".join(f"{name} {mib:.1f} MiB" for name, mib in found[-1].items())
        print(f"{replications:7d} replications: {sizes}")
    kinds = ["self"] + (["worker"] if given.workers > 1 else [])
    ratios = {kind: found[1][kind] / found[0][kind] for kind in kinds}
    print(", ".join(f"{kind}: {ratio:.2f} times" for kind, ratio in ratios.items()))
    raise SystemExit(any(ratio > LIMIT for ratio in ratios.values()))


if __name__ == "__main__":
    main()
