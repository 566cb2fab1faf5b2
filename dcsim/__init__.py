"""dcsim simulates how AI labs build out leased data centers: dates, megawatts, dollars and probabilities.

>>> import dcsim
>>> scenario = dcsim.load("scenarios/quickstart.yaml")              # doctest: +SKIP
>>> result = dcsim.simulate(scenario, replications=1000, seed=7)    # doctest: +SKIP

What stands here is public; everything else may change. Importing the package loads nothing until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcsim.errors import DcsimError, ModelError, Problem, ScenarioError, UsageError
    from dcsim.scenario.scenario import Scenario, load, parse
    from dcsim.study.compare import Comparison, compare
    from dcsim.study.explain import explain
    from dcsim.study.network import Network, snapshot
    from dcsim.study.result import Result, open_results
    from dcsim.study.run import RunFailed, RunInterrupted, simulate
    from dcsim.study.stress import Stress, StressFailed, stress
    from dcsim.study.trace import trace
    from dcsim.study.why import why

__all__ = [
    "Comparison",
    "DcsimError",
    "ModelError",
    "Network",
    "Problem",
    "Result",
    "RunFailed",
    "RunInterrupted",
    "Scenario",
    "ScenarioError",
    "Stress",
    "StressFailed",
    "UsageError",
    "compare",
    "explain",
    "load",
    "open_results",
    "parse",
    "simulate",
    "snapshot",
    "stress",
    "trace",
    "why",
]

_HOMES = {
    "dcsim.errors": ("DcsimError", "ModelError", "Problem", "ScenarioError", "UsageError"),
    "dcsim.scenario.scenario": ("Scenario", "load", "parse"),
    "dcsim.study.compare": ("Comparison", "compare"),
    "dcsim.study.explain": ("explain",),
    "dcsim.study.network": ("Network", "snapshot"),
    "dcsim.study.result": ("Result", "open_results"),
    "dcsim.study.run": ("RunFailed", "RunInterrupted", "simulate"),
    "dcsim.study.stress": ("Stress", "StressFailed", "stress"),
    "dcsim.study.trace": ("trace",),
    "dcsim.study.why": ("why",),
}


def __getattr__(name: str) -> object:
    """A public name, from the module that has it."""
    import importlib

    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'dcsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
