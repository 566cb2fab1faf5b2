"""Edits in force: what shocks and the market have made of the scenario's numbers by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dcsim.engine.draws import Draws
from dcsim.model.followers import follow
from dcsim.quantity import Quantity
from dcsim.scenario.in_time import Change

if TYPE_CHECKING:
    from dcsim.model.world import World


class Edits:
    """Changes of numbers in force, each number's in the order in which they came into force.

    While any is in force `world.draws` draws what they make of what is asked for; the draws of the replication answer
    otherwise, at no cost. A number keeps its address, and so its uniform: the same quantile moves.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._luck = world.draws
        self._declared = world.blueprint.declared
        self.in_force: dict[int, tuple[Change, ...]] = {}
        """By the identity of the scenario's quantity; nothing while nothing is in force."""
        self._listeners: dict[int, list[Callable[[], None]]] = {}
        self._started = False

    def start(self) -> None:
        """Everything stands: what is in force from the start acts on it."""
        self._started = True
        for changes in list(self.in_force.values()):
            for change in changes:
                for act in follow(self.world, change, begins=True):
                    act()

    def on(self, quantity: Quantity, then: Callable[[], None]) -> None:
        """Call back whenever another value of this number of the scenario is in force."""
        self._listeners.setdefault(id(quantity), []).append(then)

    def begin(self, changes: Sequence[Change]) -> None:
        """These come into force."""
        self._switch(changes, begins=True)

    def end(self, changes: Sequence[Change]) -> None:
        """These are in force no more; of what came into force several times, the first is the first to go."""
        self._switch(changes, begins=False)

    def _switch(self, changes: Sequence[Change], begins: bool) -> None:
        acts = [act for change in changes for act in follow(self.world, change, begins)] if self._started else []
        for change in changes:
            key = id(change.quantity)
            others = self.in_force.get(key, ())
            if begins:
                self.in_force[key] = (*others, change)
            else:
                at = others.index(change)
                self.in_force[key] = others[:at] + others[at + 1 :]
                if not self.in_force[key]:
                    del self.in_force[key]
        self.world.draws = DrawsInForce(self._luck, self) if self.in_force else self._luck
        for act in acts:
            act()
        told = {then: None for change in changes for then in self._listeners.get(id(change.quantity), ())}
        for then in told:
            then()

    def changes_of(self, quantity: Quantity) -> tuple[Change, ...]:
        """What is in force of a number of the scenario, or of one user's draw of it."""
        found = self.in_force.get(id(quantity))
        if found is None and (declared := self._declared.get(id(quantity))) is not None:
            found = self.in_force.get(id(declared[0]))
        return found or ()

    def now(self, quantity: Quantity) -> Quantity:
        """The quantity as it stands; itself, unless an edit of it is in force."""
        changes = self.in_force.get(id(quantity))
        if changes is not None:
            return self.world.blueprint.changed(quantity, changes)
        declared = self._declared.get(id(quantity))
        if declared is None or (changes := self.in_force.get(id(declared[0]))) is None:
            return quantity
        blueprint = self.world.blueprint
        return blueprint.by(declared[1], blueprint.changed(declared[0], changes))


class DrawsInForce:
    """The draws of a replication while edits are in force."""

    __slots__ = ("_edits", "_luck", "binomial", "fails", "outcome", "poisson", "uniform")

    def __init__(self, luck: Draws, edits: Edits) -> None:
        self._luck = luck
        self._edits = edits
        self.uniform = luck.uniform
        self.fails = luck.fails
        self.outcome = luck.outcome
        self.poisson = luck.poisson
        self.binomial = luck.binomial

    def value(self, q: Quantity, k: int | None = None) -> float:
        """The value of the quantity in force, within the bounds of its field."""
        edits = self._edits
        now = edits.now(q)
        value = self._luck.value(now, k)
        return value if now is q else edits.changes_of(q)[0].within(value)

    def minutes(self, q: Quantity, k: int | None = None) -> int:
        """The duration of the quantity in force, in whole minutes."""
        return self._luck.minutes(self._edits.now(q), k)
