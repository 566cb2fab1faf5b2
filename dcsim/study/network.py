"""The counterparty network on a date: a replication run again up to there, or the plan, and what is measured on it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import UsageError, printable
from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import DAY
from dcsim.model.snapshot import plan_snapshot, simulate_snapshot
from dcsim.model.world import make_blueprint
from dcsim.network.circularity import Circulation, Cycle, cycles, maximum_circulation
from dcsim.network.graph import graph_of, graphml, node_link_json
from dcsim.network.measures import (
    Concentration,
    CoverState,
    Position,
    concentrations,
    guarantors,
    hanging_mw_years,
    positions,
    ties,
)
from dcsim.network.picture import picture
from dcsim.network.snapshot import Snapshot
from dcsim.network.supplier import NO_SALES, RETURNS, SupplierState, suppliers
from dcsim.tables.directory import write_file

if TYPE_CHECKING:
    import networkx as nx

    from dcsim.scenario.scenario import Scenario

LONGEST: Final = 4
"""Edges of the loops that are looked for."""

ENDINGS: Final = (".graphml", ".json", ".png", ".svg")
"""Files in which a network can be kept."""

_UNPRICED: Final = 0.5
"""Dollars that a tie stands for whose amount nobody gives, so that loops through it are found."""


@dataclass(frozen=True, repr=False)
class Network:
    """Parties and contracts as they stood at the end of a date, in one replication or in the plan."""

    title: str
    date: dt.date
    seed: int
    snapshot: Snapshot

    def __repr__(self) -> str:
        return f"<{self.heading}: {len(self.snapshot.parties)} parties, {len(self.snapshot.contracts)} contracts>"

    def graph(self, flows: bool = True) -> nx.MultiDiGraph:
        """As a `networkx.MultiDiGraph`: an edge a contract, and (`flows`) one for all that was paid for one thing."""
        return graph_of(self.snapshot, flows)

    @cached_property
    def positions(self) -> list[Position]:
        """What each party owes, is owed and guarantees, and the MW that hang on it."""
        return positions(self.snapshot)

    @cached_property
    def guarantors(self) -> list[CoverState]:
        """Committed and callable cover beside the limit."""
        return guarantors(self.snapshot)

    @cached_property
    def concentrations(self) -> list[Concentration]:
        """How loans, guarantees, racks and MW are spread."""
        return concentrations(self.snapshot)

    @cached_property
    def suppliers(self) -> list[SupplierState]:
        """What share of each supplier's sales its own group paid for, or made possible."""
        return suppliers(self.snapshot)

    @cached_property
    def loops(self) -> list[Cycle]:
        """Closed loops of who finances or guarantees whom and who buys from whom, the largest first.

        Of at most four parties. The weight is the smallest tie, dollars; 0 where a tie on the way has no amount.
        """
        edges = [(source, target, float(amount) or _UNPRICED) for source, target, amount, _ in ties(self.snapshot)]
        found = [Cycle(c.parties, c.weight if c.weight >= 1 else 0.0) for c in cycles(edges, LONGEST)]
        return sorted(found, key=lambda cycle: (-cycle.weight, cycle.parties))

    @cached_property
    def payments(self) -> list[tuple[str, str, float]]:
        """(payer, payee, dollars so far) of money lent and invested and of sales, not of what is paid back on them.

        The outside is left out.
        """
        total: defaultdict[tuple[str, str], float] = defaultdict(float)
        for paid in self.snapshot.paid:
            if OUTSIDE not in (paid.payer, paid.payee) and paid.kind not in RETURNS and paid.kind not in NO_SALES:
                total[paid.payer, paid.payee] += paid.dollars
        return [(payer, payee, dollars) for (payer, payee), dollars in sorted(total.items())]

    @cached_property
    def payment_loops(self) -> list[Cycle]:
        """Closed loops of what was paid so far, of at most four parties, the largest first; they may share edges."""
        return sorted(cycles(self.payments, LONGEST), key=lambda cycle: (-cycle.weight, cycle.parties))

    @cached_property
    def circulation(self) -> Circulation:
        """How much of what parties paid each other can have gone round, no dollar counted twice on an edge."""
        return maximum_circulation(self.payments)

    @cached_property
    def mw_years(self) -> dict[str, float]:
        """MW-years that hang on each party until the horizon."""
        return hanging_mw_years(self.snapshot)

    def save(self, path: str | Path) -> Path:
        """Keep it: `.graphml`, `.json` (node-link), or a picture as `.png` or `.svg`. Returns the path.

        Raises UsageError for another ending, and for a picture without matplotlib.
        """
        place = Path(path)
        check_ending(place)
        ending = place.suffix.lower()
        if ending == ".graphml":
            data = graphml(self.graph())
        elif ending == ".json":
            data = node_link_json(self.graph())
        else:
            data = picture(self.snapshot, self.heading, "png" if ending == ".png" else "svg")
        write_file(place, lambda file: file.write(data))
        return place

    @property
    def which(self) -> str:
        """Which of all futures it is."""
        number = self.snapshot.replication
        return "the plan" if number is None else f"replication {number}, seed {self.seed}"

    @property
    def heading(self) -> str:
        return f"{self.title}: the network at the end of {self.date}, {self.which}"


def check_ending(path: Path) -> None:
    """Raise UsageError for a file that a network cannot be kept in."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{printable(str(path))}: expected a file that ends in {', '.join(ENDINGS)}")


def snapshot(scenario: Scenario, date: dt.date | str | None = None, replication: int | None = None) -> Network:
    """The counterparty network at the end of a date (the horizon): of a replication, or of the plan if none is named.

    Raises UsageError for a date outside the scenario's time and a negative replication; else what the run raises.
    """
    if replication is not None and replication < 0:
        raise UsageError(f"replications count from 0, got {replication}")
    day = scenario.horizon if date is None else as_date(date)
    if not scenario.start <= day <= scenario.horizon:
        raise UsageError(f"{day} is not within {scenario.start} to {scenario.horizon}")
    blueprint = make_blueprint(scenario)
    minute = min(((day - scenario.start).days + 1) * DAY - 1, blueprint.last_minute)
    if replication is None:
        found = plan_snapshot(blueprint, minute)
    else:
        draws = Sampler(Streams(scenario.seed), scenario.binding.drivers).replication(replication)
        found = simulate_snapshot(blueprint, draws, minute, replication)
    return Network(scenario.title or scenario.name, day, scenario.seed, found)


def as_date(text: dt.date | str) -> dt.date:
    """A date, or its ISO text. Raises UsageError."""
    try:
        return dt.date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        raise UsageError(f"expected a date such as 2028-01-01, got '{printable(str(text))}'") from None
