"""Time per site as scenarios grow: 10, 100, 1,000 sites of one kind, interleaved in one run.

    python tests/bench/bench_sites.py [--rounds 3]

Prints milliseconds a site and replication for each size, and their ratio to ten sites (goal: at most 4).
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.model.world import make_blueprint, simulate_replication
from dcsim.scenario.scenario import Scenario, load

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"


def grown(sites: int) -> Scenario:
    """The tutorial's field site, many times over, with teams and limits that grow along."""
    base = load(QUICKSTART)
    names = [f"field-{i}" for i in range(sites - len(base.spec.sites))]
    edits: dict[str, object] = {f"sites.{name}": {"like": "prairie"} for name in names}
    scale = max(1, sites // 3)
    edits |= {
        "tenants.lab.teams.diligence": {"times": scale},
        "tenants.lab.teams.deal": {"times": scale},
        "tenants.lab.teams.install": {"times": scale},
        "parties.cloudmaker.guarantee.limit": {"times": scale},
        "parties.bank.lending.capacity": {"times": scale},
        "parties.chipmaker.supply.racks": {"times": scale},
    }
    return base.edit(edits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    runs = {}
    for sites, replications in ((10, 40), (100, 4), (1000, 1)):
        scenario = grown(sites)
        runs[sites] = (make_blueprint(scenario), scenario, replications)
    times: dict[int, list[float]] = {sites: [] for sites in runs}
    for _ in range(rounds):
        for sites, (blueprint, scenario, replications) in runs.items():
            sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
            began = time.process_time()
            for r in range(replications):
                simulate_replication(blueprint, sampler.replication(r), r)
            times[sites].append((time.process_time() - began) / replications / sites * 1000)
    base = statistics.median(times[10])
    for sites, measured in times.items():
        middle = statistics.median(measured)
        spread = f"{min(measured):.2f}-{max(measured):.2f}"
        print(f"{sites:5d} sites  {middle:7.2f} ms a site  x {middle / base:4.2f}  (spread {spread})")


if __name__ == "__main__":
    main()
