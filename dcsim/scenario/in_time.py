"""Edits in time: path -> value, `{times: x}` or `{plus: y}`, in force for a while, for good, or in a downturn.

They are read once, against the quantities of a scenario. Only numbers can change while time runs; what a scenario
says of who, what and which stays as it is. A path names what it names in a what-if (`*`, `@tag`, what a site says for
its phases), also where the file leaves the number to its default.

What is asked for after an edit comes into force is what the edit makes of it; what has been drawn and used stays:

- **at once**: people of teams and crews (nobody is sent away), limits of guarantors and regions, units that makers
  start, what lenders may lend, prices, rates and shares that are paid or counted by the month. What is on order, chips
  and long-lead equipment, comes as many days later or sooner as the drawn lead time changes, and back when the edit
  ends. Of workstreams, talks, building activities and commissioning under way what is left is stretched by `times`, and
  shrinks again when the edit ends;
- **from the next month on**: what regions newly connect and suppliers make;
- **at the next start**: all other durations, and these where an edit says `plus` or another value; costs and chances
  when they are incurred or asked; the rent of a site until its lease is signed, its cost until financial close;
- **never**: sizes, dates and holdings that are settled when time begins (`SETTLED`, `BOOKED`): refused here, as no
  shock could change them.

Several edits of one number are made in the order in which they came into force, and what leads beyond the bounds of
its field is held at the bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from dcsim import units
from dcsim.errors import Problem, ScenarioError
from dcsim.quantity import Quantity, is_quantity
from dcsim.quantity.field import shown
from dcsim.quantity.laws import constant
from dcsim.scenario import paths
from dcsim.scenario.bind import context_of, factors_of, is_template
from dcsim.scenario.change import is_change
from dcsim.scenario.fields import Number, When
from dcsim.scenario.places import Place, below, children, entries, match, missing, named, number_of
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.tenant import Team
from dcsim.units import UnitError, describe

SETTLED = (
    "version", "seed", "replications", "regime.*", "shocks.*", "factors.*", "drivers.*", "actuals.*", "*.initial.*",
    "ratings.loads.*", "tenants.*.targets.*", "tenants.*.demand.loads.*", "tenants.*.treasury.cash",
    "tenants.*.decision.*", "parties.*.cash", "parties.*.equity", "parties.*.holds.*", "parties.*.size",
    "*.funded_by.*", "parties.*.lending.takes_part", "parties.*.vehicle.lease.*", "parties.*.vehicle.tranches.*",
    "cloud.*.renewal.term", "cloud.*.take_or_pay.carry_forward",
    "chips.products.*.rack_power", "chips.products.*.life", "chips.orders.*.racks", "chips.orders.*.amount",
    "chips.orders.*.deliveries.size", "chips.orders.*.deliveries.count", "sites.*.phases.*.mw", "sites.*.pue.peak",
    "sites.*.financing.sizing.over", "*.construction.activities.*.cost", "*.construction.activities.*.delay",
    "*.construction.equipment.*.slot", "*.construction.grid.*.mw", "*.construction.grid.*.share",
    "*.construction.bridge.mw", "*.construction.bridge.share", "*.bring_up.lot",
)  # fmt: skip
"""Numbers on which a replication is built: patterns of paths."""

BOOKED = ("sites.*.loi.signed.delay", "chips.orders.*.ordered.delay", "parties.*.guarantee.framework.signed.delay")
"""The same of dates, which are booked when time begins; delays after milestones are not."""

LEAST = 1e-9
"""What is held at a bound that it may not reach stays so far from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What an edit makes of one number of the scenario: another law, or its own times a factor plus an amount."""

    path: str
    """Of the number."""
    written: str
    """Where the edit stands: `shocks.x.set.` or `regime.downturn.`, and the path as written."""
    quantity: Quantity
    """As the scenario has it."""
    instead: Quantity | None = None
    times: float = 1.0
    plus: float = 0.0
    low: float | None = None
    """Bounds of the field, at which the outcome is held."""
    high: float | None = None
    whole: bool = False

    def of(self, quantity: Quantity) -> Quantity:
        """The quantity changed, under its own address: the same uniform draws the same quantile of it."""
        if self.instead is not None:
            new = self.instead
            return replace(quantity, law=new.law, loads=new.loads, factors=new.factors)
        made = quantity.edited(self.times, self.plus)
        return replace(made, law=constant(self.held(made.value))) if made.is_constant else made

    def held(self, value: float) -> float:
        """A value within the bounds of the field, and whole where that is asked for."""
        return self.within(math.floor(value + 0.5) if self.whole else value)

    def within(self, value: float) -> float:
        """A value held at the bounds of the field."""
        if self.low is not None:
            value = max(value, self.low)
        return value if self.high is None else min(value, self.high)


@dataclass(frozen=True, slots=True)
class InTime:
    """All edits in time of a scenario."""

    shocks: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    """Of each shock that has any."""
    downturn: tuple[Change, ...] = ()
    """In force while the market is down."""

    def __bool__(self) -> bool:
        return bool(self.shocks or self.downturn)

    def __iter__(self) -> Iterator[Change]:
        """Every change, the market's first."""
        return chain(self.downturn, *self.shocks.values())


def read_in_time(spec: ScenarioSpec, declared: Callable[[str], str]) -> tuple[InTime, list[Problem]]:
    """The edits in time of a bound scenario, and what is wrong with them.

    `declared` maps a path to the path at which its value was written, as for `dcsim.scenario.bind.bind`.
    """
    problems: list[Problem] = []
    shocks = {}
    for name, shock in spec.shocks.items():
        if shock.edits:
            shocks[name] = _read(spec, declared, f"shocks.{name}.set", shock.edits, problems)
    downturn = spec.regime.downturn if spec.regime is not None else {}
    return InTime(shocks, _read(spec, declared, "regime.downturn", downturn, problems)), problems


def _read(
    spec: ScenarioSpec,
    declared: Callable[[str], str],
    where: str,
    edits: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[Change, ...]:
    out: list[Change] = []
    for path, value in edits.items():
        if path in paths.PROVENANCE and isinstance(value, str):
            continue
        at = f"{where}.{path}"
        try:
            segments = paths.parse(path)
        except ScenarioError as error:
            problems += [Problem(problem.code, at, problem.message) for problem in error.problems]
            continue
        reader = _Reader(spec, declared, at, value)
        out += reader.read(segments)
        problems += reader.problems
    return tuple(out)


class _Reader:
    """One path and value being read."""

    def __init__(self, spec: ScenarioSpec, declared: Callable[[str], str], at: str, value: object) -> None:
        self.spec = spec
        self.declared = declared
        self.at = at
        self.value = value
        self.problems: list[Problem] = []

    def read(self, segments: tuple[str, ...]) -> list[Change]:
        """What the value makes of every number that the path names."""
        found = list(named(self.spec, segments))
        if not found:
            self._say("EDIT", missing(self.spec, segments))
            return []
        unset = [place for place in found if place.value is None]
        numbers = [number for place in found if place.value is not None for number in self._numbers(place)]
        numbers = list(self._of_phases(numbers))
        if not numbers and not self.problems:
            self._say("EDIT", self._nothing(found, unset))
        elif unset and not self.problems:
            names = ", ".join(place.path for place in unset[:3]) + (", …" if len(unset) > 3 else "")
            self._say("WARN", f"leaves {names} as it is: no number is given there that could change")
        return [change for place in numbers if (change := self._change(place)) is not None]

    def _say(self, code: str, message: str) -> None:
        severity = "warning" if code == "WARN" else "error"
        problem = Problem(code, self.at, message, severity=severity)  # type: ignore[arg-type]
        if problem not in self.problems:
            self.problems.append(problem)

    def _of(self, path: str, below: str = "") -> str:
        """Which number a message is about, where the path as written does not say it."""
        names = [*([] if self.at.endswith(f".{path}") else [path]), *([below] if below else [])]
        return f"{'.'.join(names)}: " if names else ""

    def _nothing(self, found: list[Place], unset: list[Place]) -> str:
        place = (unset or found)[0]
        if unset:
            return f"{place.path} is left out, so there is no number to change: give it one"
        return f"no phase takes {place.path} from its site, so it changes nothing"

    def _numbers(self, place: Place) -> Iterator[Place]:
        """The number at a place, or those that a short-hand stands for; says so where there is none."""
        loc, value, notes = place
        if isinstance(value, Quantity):
            yield place
        elif isinstance(value, Team):
            yield from match(place, ("count",))
        elif isinstance(value, When):
            yield Place((*loc, "delay"), value.delay, (value, *type(value).model_fields["delay"].metadata))
        elif isinstance(value, dict | tuple) and value and all(isinstance(v, Quantity) for _, v in entries(value)):
            if isinstance(self.value, Mapping) and not is_change(self.value) and not is_quantity(self.value):
                self._say("EDIT", f"{place.path} has several numbers; name the one in the path")
                return
            yield from (Place((*loc, key), item, below(notes, value)) for key, item in entries(value))
        else:
            self._say("EDIT", f"{place.path} {_is_no_number(value)}")

    def _of_phases(self, places: Iterable[Place]) -> Iterator[Place]:
        """In place of what a site says for its phases, the same of every phase that takes it from there."""
        seen = set()
        for place in places:
            if not is_template(place.path):
                several = [place]
            else:
                phases = named(self.spec, (*place.loc[:2], "phases", "*", *place.loc[2:]))
                several = [found for found in phases if self._inherits(found, place)]
            for found in several:
                if found.loc not in seen:
                    seen.add(found.loc)
                    yield found

    def _inherits(self, phase: Place, site: Place) -> bool:
        """Whether a phase has a number from its site, or both leave it to its default."""
        if not isinstance(phase.value, Quantity) or not isinstance(site.value, Quantity):
            return False
        own, above = self.declared(phase.path), self.declared(site.path)
        return own == above or (own == phase.path and phase.value.law == site.value.law)

    def _change(self, place: Place) -> Change | None:
        """What the value makes of one number; None, with a problem, if it does not fit."""
        path = place.path
        quantity = place.value
        assert isinstance(quantity, Quantity)
        when = place.notes[0] if place.notes and isinstance(place.notes[0], When) else None
        settled = (*SETTLED, *BOOKED) if when is not None and when.dated else SETTLED
        if any(fnmatchcase(path, pattern) for pattern in settled):
            self._say("EDIT", f"{path} is settled when time begins; a what-if can change it, nothing on the way can")
            return None
        number = number_of(place.notes)
        low, high = (number.minimum, number.maximum) if number is not None else (None, None)
        if number is not None and number.exclusive:
            low, high = None if low is None else low + LEAST, None if high is None else high - LEAST
        if _is_team(place.loc):
            low = 0.0  # nobody is left for a while
        change = Change(path, self.at, quantity, low=low, high=high, whole=number is not None and number.whole)
        if is_change(self.value):
            return self._changed(change, number, place)
        return self._replaced(change, number, place)

    def _changed(self, change: Change, number: Number | None, place: Place) -> Change | None:
        assert isinstance(self.value, Mapping)
        amounts = {"times": 1.0, "plus": 0.0}
        for key, unit in (("times", "number"), ("plus", change.quantity.unit)):
            if key in self.value:
                try:
                    amounts[key] = units.parse(self.value[key], unit)
                except UnitError as error:
                    self._say(error.code, f"{key}: {error.message}")
                    return None
        if amounts["times"] < 0:
            self._say("RANGE", f"times: must be >= 0, got {shown(amounts['times'])}")
            return None
        if "times" in self.value and _is_date(place.notes):
            self._say("EDIT", f"{change.path} is a date; only `plus` can move it")
            return None
        change = replace(change, times=amounts["times"], plus=amounts["plus"])
        made = change.quantity.edited(change.times, change.plus)
        low, high = made.law.bounds()
        if not all(map(math.isfinite, (low, made.law.mean(), made.law.reach()))):
            self._say("RANGE", f"{change.path} must be finite after the change")
            return None
        least, most = change.low, change.high
        if least is not None and low < least:
            beyond = f"falls to {shown(low)}; it is held at {shown(round(least, 6))}"
        elif most is not None and math.isfinite(high) and high > most:
            beyond = f"rises to {shown(high)}; it is held at {shown(round(most, 6))}"
        else:
            return change
        if number is not None and number.exclusive and change.quantity.is_constant:
            self._say("RANGE", f"{change.path} {beyond.partition(';')[0]}, which its field does not allow")
            return None
        self._say("WARN", f"{change.path} {beyond}, the bound of its field")
        return change

    def _replaced(self, change: Change, number: Number | None, place: Place) -> Change | None:
        raw = self.value
        if raw is None or (isinstance(raw, Mapping) and "each" in raw):
            what = "nothing can be taken out" if raw is None else "{each: […]} stands for several scenarios"
            self._say("EDIT", f"{what} while time runs; expected a number, {{times: …}} or {{plus: …}}")
            return None
        when = place.notes[0] if place.notes and isinstance(place.notes[0], When) else None
        if when is not None:
            return self._dated(change, when)
        if number is None:
            self._say("EDIT", f"{change.path} is no number that can change while time runs")
            return None
        if _is_team(place.loc) and raw == 0 and not isinstance(raw, bool):
            return replace(change, instead=replace(change.quantity, law=constant(0)))
        try:
            new = number.parse(raw)
        except PydanticCustomError as error:
            context = error.context or {}
            for below, code, message in context.get("problems", [((), error.type, context.get("message", ""))]):
                self._say(code, self._of(change.path, ".".join(map(str, below))) + message)
            return None
        factors, problems = factors_of(self.spec, new.loads, context_of(self.spec, change.path), self.at)
        self.problems += problems
        return replace(change, instead=replace(new, factors=factors))

    def _dated(self, change: Change, when: When) -> Change | None:
        """Another date in place of a date."""
        try:
            new = When.model_validate(self.value)
        except ValidationError as error:
            message = error.errors()[0].get("ctx", {}).get("message", "expected a date")
            self._say("DATE", self._of(change.path) + message)
            return None
        if new.after != when.after or new.calendar != when.calendar:
            kind = {"date": "a date", "start": "a day of the scenario (`day 600`)", "": "days"}[when.calendar]
            self._say("DATE", f"{self._of(change.path)}expected {kind} as it is now, got {describe(self.value)}")
            return None
        return replace(change, instead=new.delay)


def _is_team(loc: tuple[str, ...]) -> bool:
    return loc[-1] == "count" and (loc[0] == "crews" or (loc[0] == "tenants" and loc[2] == "teams"))


def _is_date(notes: tuple[Any, ...]) -> bool:
    return bool(notes) and isinstance(notes[0], When) and notes[0].calendar == "date"


def _is_no_number(value: object) -> str:
    if isinstance(value, BaseModel | dict | tuple):
        names = [key for key, _, _ in children(Place((), value, ()))] if not isinstance(value, tuple) else []
        below = f" ({', '.join(names[:4])}{', …' if len(names) > 4 else ''})" if names else ""
        return f"is no number; name one below it{below}"
    return f"is {describe(value)} and no number: while time runs only numbers can change"
