"""Defaults and downgrades by hazard: of parties with a rating and no treasury of their own.

A party's hazard is -ln(1 - PD) a year, PD being the chance of default within a year that its rating letter has now.
It defaults when the hazard, added up over time, reaches a unit exponential drawn once for it: within a time of default
chance p if and only if its uniform is at least 1 - p, so a high uniform is an early default. Loadings on common factors
correlate the uniforms (a Gaussian copula). What is left of the exponential is booked anew whenever the hazard changes:
with the rating, or with the edits in force. `dcsim.network.credit_risk` has the same for arrays, and the theory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from dcsim.engine.clock import Handle, Stage
from dcsim.engine.draws import Factors
from dcsim.model.blueprint import YEAR, half_up
from dcsim.scenario.fields import RATINGS
from dcsim.scenario.regime import Letter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dcsim.model.parties import Party
    from dcsim.model.world import World
    from dcsim.quantity import Quantity

MOST = 1.0 - 1e-9
"""What edits may make of a chance within a year: certainty has no hazard."""

LETTERS: Final[tuple[Letter, ...]] = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")


def letter_of(rating: str | None) -> Letter | None:
    """The letter of a rating without its sign; None of what is unrated or in default."""
    plain = rating.rstrip("+-") if rating is not None else None
    return next((letter for letter in LETTERS if letter == plain), None)


def one_letter_down(rating: str) -> str | None:
    """The rating a letter below, with the same sign where there is one; None below CCC."""
    letter = letter_of(rating)
    if letter is None or letter == LETTERS[-1]:
        return None
    lower = LETTERS[LETTERS.index(letter) + 1]
    signed = lower + rating[len(letter) :]
    return signed if signed in RATINGS else lower


class Arrival:
    """An event that comes when a hazard, added up over time, reaches a threshold."""

    def __init__(self, world: World, name: str, factors: Factors, then: Callable[[], None]) -> None:
        self.world = world
        self._name = name
        self._factors = factors
        self._then = then
        self._k: int | None = None
        self._threshold: float | None = None
        self._hazard = 0.0
        self._since = 0
        self._booked: Handle | None = None

    def draw(self, k: int | None) -> None:
        """From now on it waits for its k-th occurrence."""
        self._k = k
        self._threshold = None

    def set(self, chance: float) -> None:
        """From now on the chance of the event within a year is so much."""
        clock = self.world.clock
        hazard = -math.log1p(-min(chance, MOST))
        if hazard == self._hazard and self._threshold is not None:
            return
        if self._threshold is not None:
            self._threshold -= self._hazard * (clock.now - self._since) / YEAR
        self._since = clock.now
        self._hazard = hazard
        if self._booked is not None:
            self._booked.cancel()
            self._booked = None
        if hazard <= 0:
            return
        if self._threshold is None:
            u = self.world.draws.uniform(self._name, self._k, self._factors)
            self._threshold = -math.log(u)
        minutes = max(0.0, self._threshold) / hazard * YEAR
        if minutes <= self.world.last_minute - clock.now:
            minute = clock.now + max(1, half_up(minutes))
            if minute <= self.world.last_minute:
                self._booked = clock.stage_at(minute, Stage.SHOCK, self._then)

    def stop(self) -> None:
        """It no longer comes."""
        if self._booked is not None:
            self._booked.cancel()


class Credit:
    """One party's default and downgrades to come."""

    def __init__(self, world: World, party: Party) -> None:
        self.world = world
        self.party = party
        factors = world.blueprint.scenario.binding.luck.get(f"parties.{party.id}", ())
        path = f"parties.{party.id}"
        self._default = Arrival(world, f"{path}.default", factors, lambda: party.default("hazard"))
        self._downgrade = Arrival(world, f"{path}.downgrade", factors, self._fall)
        self._falls = 0
        self._downgrade.draw(0)
        party.on("downgrade", self.book)
        party.on("default", self._ended)

    def book(self) -> None:
        """The rating, or what ratings mean, has changed: what is to come is booked anew."""
        spec = self.world.spec.ratings
        if spec is None or not self.party.stands:
            return
        letter = letter_of(self.party.rating)
        self._default.set(self._chance(spec.one_year_default, letter))
        lower = one_letter_down(self.party.rating or "")
        self._downgrade.set(self._chance(spec.one_year_downgrade, letter) if lower is not None else 0.0)

    def _chance(self, table: Mapping[Letter, Quantity], letter: Letter | None) -> float:
        quantity = table.get(letter) if letter is not None else None
        return self.world.now(quantity).value if quantity is not None else 0.0

    def _fall(self) -> None:
        lower = one_letter_down(self.party.rating or "")
        if lower is not None:
            self._falls += 1
            self._downgrade.draw(self._falls)
            self.party.downgrade(lower)  # which books anew

    def _ended(self) -> None:
        self._default.stop()
        self._downgrade.stop()


class Hazards:
    """The credit of every party with a rating and no treasury. The plan knows no hazards."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.credits: dict[str, Credit] = {}
        spec = world.spec
        if spec.ratings is None or world.unlimited:
            return
        for id, party in world.parties.items():
            tenant = spec.tenants.get(id)
            if party.rating is not None and (tenant is None or tenant.treasury is None):
                self.credits[id] = Credit(world, party)
        for table in (spec.ratings.one_year_default, spec.ratings.one_year_downgrade):
            for quantity in table.values():
                world.edits.on(quantity, self._changed)

    def begin(self) -> None:
        """Book what is to come."""
        self._changed()

    def _changed(self) -> None:
        for credit in self.credits.values():
            credit.book()
