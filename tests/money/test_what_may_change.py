"""Whatever an edit in time may change is asked for while time runs; what is not is refused when it is read."""

from __future__ import annotations

import re
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

from dcsim.engine.draws import Draws, Sampler
from dcsim.engine.streams import Streams
from dcsim.model.followers import FOLLOWERS
from dcsim.model.world import World, make_blueprint
from dcsim.quantity import Quantity
from dcsim.scenario.bind import is_template, walk
from dcsim.scenario.fields import When
from dcsim.scenario.in_time import BOOKED, SETTLED
from dcsim.scenario.scenario import Scenario, load

FILE = Path(__file__).parents[1] / "data" / "finance" / "every-number.yaml"

FUTURES: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({}, ("stop_paying:lab@2031-06-15", "downgrade:google:BB@2029-01-01")),
    ({}, ("default:lab@2030-06-15",)),
    ({"tenants.lab.treasury.cash": 0, "tenants.lab.treasury.revolver": 0, "tenants.lab.treasury.price": 0}, ()),
    (
        {
            "tenants.lab.demand.path": 5, "tenants.lab.demand.volatility": 0, "tenants.lab.treasury.cash": 99999,
            "parties.lab.rating": "A",
        },
        ("stop_paying:lab@2033-06-15",),
    ),
    (
        {
            "parties.bank.lending.capacity": 100, "sites.*.negotiation.team": "none",
            "sites.*.loi.exclusivity": 20,
        },
        ("default:dev@2028-01-01",),
    ),
)  # fmt: skip
"""Edits and shocks under which everything that may happen does: calls, defaults, surplus, shortage."""


class Listening:
    """Draws that note what they are asked for."""

    def __init__(self, draws: Draws, world: Watched) -> None:
        self.draws = draws
        self.world = world

    def value(self, q: Quantity, k: int | None = None) -> float:
        self.world.note(q)
        return self.draws.value(q, k)

    def minutes(self, q: Quantity, k: int | None = None) -> int:
        self.world.note(q)
        return self.draws.minutes(q, k)

    def __getattr__(self, name: str) -> object:
        return getattr(self.draws, name)


class Watched(World):
    """A replication that notes which quantities are asked for once time runs, drawn or as they stand."""

    asked: set[str]
    runs = False

    def note(self, quantity: Quantity) -> None:
        if self.runs:
            self.asked.add(self.blueprint.declared.get(id(quantity), (quantity,))[0].path)

    def now(self, quantity: Quantity) -> Quantity:
        self.note(quantity)
        return super().now(quantity)

    @property
    def draws(self) -> Draws:  # type: ignore[override]
        return self._heard

    @draws.setter
    def draws(self, draws: Draws) -> None:
        self._heard = draws if isinstance(draws, Listening) else Listening(draws, self)  # type: ignore[assignment]

    def _begin(self) -> None:
        super()._begin()
        self.runs = True


def asked_for(scenario: Scenario, replications: int) -> set[str]:
    """Paths of all quantities asked for while time runs, or of whose changes somebody is told."""
    blueprint, found = make_blueprint(scenario), set()
    sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
    for r in range(replications):
        world = Watched(blueprint, sampler.replication(r), r)
        world.asked = found
        world.run()
        found.update(path for path, quantity, _ in walk(scenario.spec) if id(quantity) in world.edits._listeners)
    return found


def kind(path: str) -> str:
    """What stands at such paths: `sites.*.lease.rent` for `sites.oak.lease.rent`."""
    path = re.sub(r"^(sites|parties|tenants|regions|cloud|equipment|crews)\.[^.]+", r"\1.*", path)
    path = re.sub(r"^chips\.(orders|products)\.[^.]+", r"chips.\1.*", path)
    path = re.sub(r"\.(phases|diligence|activities|equipment|teams|margin|tranches)\.[^.]+", r".\1.*", path)
    return re.sub(r"\.(\d+|\d{4}-\d\d-\d\d)(?=\.|$)", ".*", path)


def refused(scenario: Scenario, path: str) -> bool:
    """Whether an edit in time of it is refused."""
    if any(fnmatchcase(path, pattern) for pattern in SETTLED):
        return True
    here: object = scenario.spec
    for part in path.split(".")[:-1]:
        fields = {info.alias or name: name for name, info in getattr(type(here), "model_fields", {}).items()}
        if isinstance(here, tuple):
            here = here[int(part)]
        elif isinstance(here, dict):
            here = next(value for key, value in here.items() if str(key) == part)
        else:
            here = getattr(here, fields[part])
    return isinstance(here, When) and here.dated and any(fnmatchcase(path, pattern) for pattern in BOOKED)


def test_what_may_change_is_asked_for_while_time_runs() -> None:
    base = load(FILE)
    asked: set[str] = set()
    for edits, shocks in FUTURES:
        asked |= asked_for((base.edit(edits) if edits else base).with_shock(*shocks), 8)
    kinds: defaultdict[str, bool] = defaultdict(bool)
    for path, _, _ in walk(base.spec):
        if not is_template(path):
            kinds[kind(path)] |= path in asked or refused(base, path)
    idle = [name for name, heard in kinds.items() if not heard and not any(fnmatchcase(name, f) for f in FOLLOWERS)]
    assert idle == []
    assert len(kinds) > 150


def test_edits_that_never_come_into_force_change_nothing() -> None:
    """Where edits may come, durations and outcomes are asked for later; the answers are the same."""
    base = load(FILE)
    waiting, none = base.edit({"shocks.x.when": "never"}), base.edit({"shocks.x": None})
    assert (bool(waiting.in_time), bool(none.in_time)) == (True, False)
    histories = []
    for scenario in (waiting, none):
        blueprint = make_blueprint(scenario)
        sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
        histories.append([World(blueprint, sampler.replication(r), r).run() for r in range(6)])
    for one, other in zip(*histories, strict=True):
        assert one.milestones == other.milestones
        assert one.ledger == other.ledger
        assert [phase.trail for phase in one.phases] == [phase.trail for phase in other.phases]
