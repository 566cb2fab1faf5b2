"""Ten thousand replications of random worlds: no invariant of the books breaks.

A world is a shipped scenario in which a dozen numbers are a quarter to four times what they were and up to three
parties stop paying, default, are downgraded, or a downturn comes, on random dates. Every replication is audited as it
ends (what `dcsim.model.ending` and `dcsim.engine.audit` raise for): the accounts and the ledger agree, nobody pays
from cash it does not have, no cover is above a limit, no lender above its capacity, drawn + equity = spent + cash, no
rack and no megawatt is lost. Beside that, here, by other means: what a followed account says is what its entries come
to, and nobody has paid more under guarantees than it ever stood behind.

    pytest -m slow tests/money/test_random_worlds.py
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import dcsim
from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import ScenarioError
from dcsim.model.history import History
from dcsim.model.world import make_blueprint, simulate_replication

FOLDER = Path(__file__).parents[2] / "scenarios"
BASES = ("quickstart", "backstop-precedents", "openai-ohio", "walk")
REPLICATIONS = 20
FACTORS = (0.25, 0.5, 0.8, 1.25, 2, 4)


@cache
def base(name: str) -> tuple[dcsim.Scenario, list[str]]:
    """A scenario, and the paths of its numbers."""
    scenario = dcsim.load(FOLDER / f"{name}.yaml")
    return scenario, [path for path, *_ in scenario.assumptions()]


def world(number: int) -> dcsim.Scenario:
    """The random world of a number: always the same."""
    luck = np.random.default_rng(number)
    scenario, paths = base(BASES[number % len(BASES)])
    edits: dict[str, object] = {"seed": number}
    for path in luck.choice(paths, size=min(12, len(paths)), replace=False):
        edits[str(path)] = {"times": float(luck.choice(FACTORS))}
    parties = list(scenario.spec.parties)
    for index in range(luck.integers(4)):
        day = int(luck.integers(0, (scenario.spec.horizon - scenario.start).days))
        party = str(luck.choice(parties))
        what: list[dict[str, object]] = [
            {"stop_paying": party}, {"stop_paying": party, "for": "90 days"}, {"default": party},
            {"downgrade": party, "to": "B"},
        ]  # fmt: skip
        if scenario.spec.regime is not None:
            what.append({"regime": "downturn", "for": "1 year"})
        edits[f"shocks.random-{index}"] = {"when": f"day {day}", **what[luck.integers(len(what))]}
    for path, edit in edits.items():
        try:
            scenario = scenario.edit({path: edit})
        except ScenarioError:
            continue  # beyond the bounds of that number
    return scenario


def check(history: History) -> None:
    """Accounts against entries, and caps."""
    balance: Counter[str] = Counter()
    for pair, dollars in zip(history.ledger.pair, history.ledger.dollars, strict=True):
        who = history.ledger.pairs[pair]
        assert dollars > 0
        balance[who.payer] -= int(dollars)
        balance[who.payee] += int(dollars)
    for id, opening, received, paid in history.cash:
        assert opening + int(received.sum()) - int(paid.sum()) == opening + balance[id], id
    for id, numbers in history.parties.items():
        assert numbers.get("guarantee_paid", 0.0) <= numbers.get("committed_peak", 0.0) + 1e-6, id


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("first", range(0, 500, 50))
def test_the_books_of_random_worlds(first: int) -> None:
    for number in range(first, first + 50):
        scenario = world(number)
        blueprint = make_blueprint(scenario)
        sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
        for replication in range(REPLICATIONS):
            try:
                check(simulate_replication(blueprint, sampler.replication(replication), replication))
            except Exception as error:
                raise AssertionError(f"world {number}, replication {replication}") from error


def test_a_few_random_worlds() -> None:
    for number in range(8):
        scenario = world(number)
        blueprint = make_blueprint(scenario)
        sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
        check(simulate_replication(blueprint, sampler.replication(0), 0))
