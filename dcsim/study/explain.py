"""The plan of a scenario, step by step: every quantity at its median, every gate at its likelier side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dcsim.errors import UsageError, suggest
from dcsim.model.history import History, Link, PhaseEnd, TrailRecord
from dcsim.study.gates import Gate, gates_of
from dcsim.study.steps import Number, Sources, Steps, left_out, quantities_of

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.scenario.scenario import Scenario

NOT_THE_MEDIAN: Final = (
    "This is the plan, not the median outcome: nobody waits for anybody else, nothing fails that is likelier to pass, "
    "and where several things must come together the latest of them is later than each one's median."
)
"""What every plan says about itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that took time, or a milestone (then `milestone` is true and it took none).

    Minutes count from 00:00 of the start. `critical`: on the trail of a phase, so that a day more is a day later.
    """

    begin: int
    end: int
    name: str
    cause: str
    who: str
    phase: str | None
    milestone: bool
    critical: bool
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    """Racks brought up together: when they were delivered, installed and live (minutes; None: not by the horizon)."""

    number: int
    mw: float
    delivered: int | None
    installed: int | None
    live: int | None


@dataclass(frozen=True, slots=True)
class Slack:
    """How many minutes later something could have come without holding up the step `join`; zero for what held it up."""

    join: str
    name: str
    minutes: int


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase of the plan: its end state, the minutes of ready for service and full live, slacks and lots."""

    phase: str
    mw: float
    state: str
    ready: int | None
    full_live: int | None
    slacks: tuple[Slack, ...]
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site of the plan; `steps` in order of their ends."""

    site: str
    tenant: str
    developer: str
    region: str | None
    mw: float
    steps: tuple[Step, ...]
    gates: tuple[Gate, ...]
    phases: tuple[PhasePlan, ...]

    @property
    def numbers(self) -> list[Number]:
        """The numbers behind the steps, each once, in order."""
        return list({number.path: number for step in self.steps for number in step.numbers}.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a scenario. `left_out` names drivers and shocks, of which it knows nothing."""

    name: str
    title: str
    start: dt.date
    horizon: dt.date
    sites: tuple[SitePlan, ...]
    left_out: tuple[str, ...]
    note: str = NOT_THE_MEDIAN

    def date_of(self, minute: int) -> dt.date:
        """The date on which a minute lies."""
        return self.start + dt.timedelta(days=minute // 1440)


def explain(scenario: Scenario, sites: Sequence[str] = ()) -> Plan:
    """The plan of a scenario, of all sites or those named.

    Raises `UsageError` for an unknown site, `ModelError` where the plan itself is impossible.
    """
    from dcsim.engine.draws import PlanDraws
    from dcsim.model.world import World, make_blueprint

    known = list(scenario.spec.sites)
    for site in sites:
        if site not in known:
            raise UsageError(f"no site {site!r} in the scenario{suggest(site, known)}")
    world = World(make_blueprint(scenario), PlanDraws(), trace=True, unlimited=True, dated_shocks=True)
    history = world.run()
    sources = Sources(scenario)
    return Plan(
        name=scenario.name,
        title=scenario.title,
        start=scenario.start,
        horizon=scenario.horizon,
        sites=tuple(_site(site, history, sources) for site in world.sites.values() if not sites or site.id in sites),
        left_out=tuple(left_out(world)),
    )


def _site(site: Site, history: History, sources: Sources) -> SitePlan:
    ends = {end.phase: end for end in history.phases if end.site == site.id}
    steps = quantities_of(site)
    return SitePlan(
        site=site.id,
        tenant=site.tenant,
        developer=site.developer,
        region=site.spec.region,
        mw=site.kw / 1000,
        steps=tuple(_steps(site, history, ends, steps, sources)),
        gates=tuple(gates_of(site, sources)),
        phases=tuple(_phase(phase, ends[phase.id], history) for phase in site.phases.values()),
    )


def _steps(
    site: Site, history: History, ends: dict[str, PhaseEnd], quantities: Steps, sources: Sources
) -> Iterable[Step]:
    """Milestones, and what every trail of the site and the record of its work show, each once, in order."""
    critical = {pair for end in ends.values() for pair in pairwise(end.trail)}
    trails: list[TrailRecord] = [_record(trail) for trail in site.milestones.reached.values()]
    for phase in site.phases.values():
        trails += [_record(trail) for trail in phase.milestones.reached.values()]
    trails += [_record(ramp.trail) for ramp in site.grid.ramps if ramp.trail is not None]
    trails += [end.trail for end in ends.values()]
    found: dict[tuple[int, int, str, str], bool] = {}
    for trail in trails:
        for before, link in pairwise(trail):
            key = (before[0], link[0], link[1], link[2])
            found[key] = found.get(key, False) or (before, link) in critical
    for begin, end, cause, who in _worked(site, history):
        if not any(known[2:] == (cause, who) and known[0] <= begin and end <= known[1] for known in found):
            found[begin, end, cause, who] = False
    shown = [
        _step(site, key, is_critical, quantities, sources)
        for key, is_critical in found.items()
        if is_critical or " lot " not in key[3]  # the others have a table of their own
    ]
    shown += [
        Step(minute, minute, name, "", f"{site.id}{'.' + phase if phase else ''}", phase, True, False)
        for _, of, phase, lot, name, minute in history.milestones
        if of == site.id and lot is None
    ]
    order = {id(step): place for place, step in enumerate(shown)}
    shown.sort(key=lambda step: (step.end, step.milestone, order[id(step)]))
    return _name_lots(shown, history, site.id)


def _worked(site: Site, history: History) -> Iterable[tuple[int, int, str, str]]:
    """(begin, end, cause, who) of the work that the record shows, joins having dropped it from every trail."""
    began: dict[tuple[str, str], int] = {}
    for minute, kind, who, cause in history.events:
        if who.split(" ")[0].split(".")[0] != site.id:
            continue
        if kind == "started":
            began[who, cause] = minute
        elif kind == "ended" and (who, cause) in began and minute > began[who, cause]:
            yield began.pop((who, cause)), minute, cause, who


def _step(
    site: Site, key: tuple[int, int, str, str], critical: bool, quantities: Steps, sources: Sources
) -> Step:
    begin, end, cause, who = key
    name, phase = who, None
    for part in site.phases.values():
        if who == part.who or who.startswith(part.who + " "):
            name, phase = who[len(part.who) + 1 :], part.id
    if phase is None and who.startswith(site.id + " "):
        name = who[len(site.id) + 1 :]
    elif who == site.id:
        name = "energy services" if cause == "grid" and not site.is_given("energy_services") else "as given"
    elif phase is not None and not name:
        name = "as given" if site.phases[phase].given else "phase gap"
    elif phase is None and cause != "committee":
        name = f"chips from {who}" if cause == "chips" else f"wait for {who}"
    numbers = quantities.get((who, cause), [])
    if cause == "grid" and len(numbers) > 1:  # the step of the ramp that ended then
        numbers = [r.spec.delay for r in site.grid.ramps if r.trail is not None and r.trail.minute == end] or numbers
    return Step(
        begin, end, name or cause, cause, who, phase, False, critical, tuple(sources.number(q) for q in numbers)
    )


def _name_lots(steps: list[Step], history: History, site: str) -> list[Step]:
    """Say of each piece of a lot's bring-up which it is: `lot 3: install`, then what comes after it."""
    installed = {
        f"{of}.{phase} lot {lot}": minute
        for _, of, phase, lot, name, minute in history.milestones
        if of == site and name == "installed"
    }
    last = {step.who: step.end for step in steps if step.cause == "bring_up"}
    named = []
    for step in steps:
        if step.cause == "repair":
            step = replace(step, name=f"{step.name}: returns")
        elif step.cause == "bring_up" and " lot " in step.who:
            end = installed.get(step.who, step.end + 1)
            if step.end <= end:
                what, field = ("install", "racks_per_day") if step.end == end else ("receive", "receive")
            else:
                what, field = ("burn-in", "burn_in") if step.end == last[step.who] else ("cabling", "cabling")
            numbers = tuple(number for number in step.numbers if number.path.endswith(field))
            step = replace(step, name=f"{step.name}: {what}", numbers=numbers)
        named.append(step)
    return named


def _phase(phase: Phase, end: PhaseEnd, history: History) -> PhasePlan:
    mine = {
        (lot, name): minute
        for _, site, of, lot, name, minute in history.milestones
        if site == phase.site.id and of == phase.id
    }
    lots = tuple(
        Lot(number, mw, mine.get((number, "delivered")), mine.get((number, "installed")), mine.get((number, "live")))
        for number, (mw, _) in enumerate(end.lots)
    )
    return PhasePlan(
        phase=phase.id,
        mw=end.mw,
        state=end.state,
        ready=mine.get((None, "ready_for_service")),
        full_live=mine.get((None, "full_live")),
        slacks=tuple(_slacks(phase)),
        lots=lots,
    )


def _slacks(phase: Phase) -> Iterable[Slack]:
    """Slack of everything that commissioning waits for, and of the tenant's own works at power-on."""
    reached = phase.milestones.reached
    began = phase.commissioning.began
    if began is not None and "energised" in reached:
        last = [name for name in phase.works.activities if name in reached and not _followed(phase, name)]
        parts = [*last, *(name for name in phase.works.equipment if name in reached), "energised"]
        for name in parts:
            yield Slack("commissioning", "grid" if name == "energised" else name, began - reached[name].minute)
    hall, ready = phase.hall, reached.get("ready_for_service")
    if hall is not None and hall.works_done is not None and hall.power is not None and ready is not None:
        for name, trail in (("ready for service", ready), ("tenant works", hall.works_done)):
            yield Slack("power-on", name, hall.power.minute - trail.minute)


def _followed(phase: Phase, name: str) -> bool:
    """Whether another activity of the phase comes after this one, so that its slack is that one's."""
    return any(name in other.after for other in phase.works.activities.values())


def _record(trail: Trail) -> TrailRecord:
    from dcsim.engine.trail import links

    return tuple(_link(link) for link in links(trail))


def _link(trail: Trail) -> Link:
    return trail.minute, trail.cause, trail.who
