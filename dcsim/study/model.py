"""Where a study meets the model: the two functions through which it runs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from dcsim.model.history import History
from dcsim.study.worker import Prepare, Replicate

Plan: TypeAlias = Callable[[Any], History]
"""scenario -> the history of its plan."""


@dataclass(frozen=True)
class Model:
    """`prepare` sets a worker up for a scenario and seed; `plan`, if there is one, gives the planned days of delays.

    Both are top-level functions, so that they travel to workers by name. `policies` names, by tenant, the functions
    that decide in place of the scenario; the manifest says so.
    """

    prepare: Prepare
    plan: Plan | None = None
    policies: Mapping[str, str] = field(default_factory=dict)


def prepare(scenario: Any, seed: int, policies: Mapping[str, Any] | None = None) -> Replicate:
    """Run replications of a scenario; draws that several replications share are made once for a block of them."""
    from dcsim.engine.draws import Sampler
    from dcsim.engine.streams import Streams
    from dcsim.model.world import make_blueprint, simulate_replication

    blueprint = make_blueprint(scenario, policies)
    sampler = Sampler(Streams(seed), scenario.binding.drivers)

    def replicate(replication: int, trace: bool) -> History:
        return simulate_replication(blueprint, sampler.replication(replication), replication, trace, policies)

    return replicate


def plan(scenario: Any, policies: Mapping[str, Any] | None = None) -> History:
    """The plan of a scenario: all medians, no contention, gates at their likelier side."""
    from dcsim.model.blueprint import Blueprint
    from dcsim.model.world import simulate_plan

    return simulate_plan(Blueprint(scenario), policies=policies)


def default_model(policies: Mapping[str, Any] | None = None) -> Model:
    """The model of this package; `policies` are conversion policies by tenant, in place of the scenario's."""
    if not policies:
        return Model(prepare, plan)
    names = {tenant: f"{policy.__module__}.{policy.__qualname__}" for tenant, policy in policies.items()}
    return Model(partial(prepare, policies=dict(policies)), partial(plan, policies=dict(policies)), names)
