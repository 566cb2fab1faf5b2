"""What the theory tests share: the oracles of tests/data/theory_cases.json, and reproducible draws.

An oracle is asked for by its id and compared metric by metric, each at its own tolerance; at the end of a test every
metric that can be compared must have been. Not compared are the kinds `limit` (steady states, for runs without an end)
and `info` (values that must not be aimed at).
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.quantity import parse_quantity

DATA = Path(__file__).parents[1] / "data" / "theory_cases.json"
CASES = {case["id"]: case for case in json.loads(DATA.read_text(encoding="utf-8"))["cases"]}


class Oracle:
    """One case: its parameters, and comparisons of what was simulated with what theory says."""

    def __init__(self, name):
        self.case = CASES[name]
        self.parameters = self.case.get("parameters", {})
        self.metrics = {metric["name"]: metric for metric in self.case["metrics"]}
        self.open = {name for name, metric in self.metrics.items() if metric["kind"] not in ("limit", "info")}

    def mean(self, name, sample):
        """The mean (or share) of one number a replication lies within the metric's tolerance."""
        metric = self.metrics[name]
        assert metric["kind"] in ("mean", "probability")
        count = len(sample)
        tolerance = metric["tolerance"].get(f"R={count}", 4.5 * metric["sd_per_replication"] / math.sqrt(count))
        assert math.fsum(sample) / count == pytest.approx(metric["expected"], rel=0, abs=tolerance), name
        self.open.discard(name)

    def variance(self, name, sample):
        """The sample variance, its standard error taken from the fourth moment."""
        count = len(sample)
        mean = math.fsum(sample) / count
        variance = math.fsum((x - mean) ** 2 for x in sample) / (count - 1)
        fourth = math.fsum((x - mean) ** 4 for x in sample) / count
        tolerance = 4.5 * math.sqrt((fourth - variance**2) / count)
        assert variance == pytest.approx(self.metrics[name]["expected"], rel=0, abs=tolerance), name
        self.open.discard(name)

    def exactly(self, name, value):
        """Equality, or the metric's relative tolerance."""
        metric = self.metrics[name]
        assert metric["kind"] == "exact"
        if "expected_list" in metric:
            assert value == metric["expected_list"], name
        else:
            assert value == pytest.approx(metric["expected"], rel=metric.get("rel_tol", 0), abs=0), name
        self.open.discard(name)

    def above(self, name, sample):
        """The mean lies above the bound by more than chance."""
        count = len(sample)
        mean = math.fsum(sample) / count
        error = math.sqrt(math.fsum((x - mean) ** 2 for x in sample) / (count - 1) / count)
        assert mean - 4.5 * error > self.metrics[name]["expected"], name
        self.open.discard(name)


@pytest.fixture
def oracle():
    """Oracles by id; all that they say must have been compared when the test is over."""
    asked = []

    def ask(name):
        asked.append(Oracle(name))
        return asked[-1]

    yield ask
    for one in asked:
        assert not one.open, f"{one.case['id']}: not compared: {sorted(one.open)}"


@pytest.fixture(scope="session")
def replications():
    """The draws of replications 0, 1, ... of one seed."""

    def sequence(number, seed=20260701):
        sampler = Sampler(Streams(seed))
        return (sampler.replication(r) for r in range(number))

    return sequence


@pytest.fixture(scope="session")
def law():
    """A duration from a law as a scenario writes it, its parameters times a unit (a number of days)."""

    def build(name, family, unit=1.0, **parameters):
        scaled = {key: value if key == "k" else value * unit for key, value in parameters.items()}
        return parse_quantity({family: scaled}, "days").with_binding(path=name, address=name)

    return build
