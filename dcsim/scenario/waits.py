"""What waits for what at a site: the steps, the milestones they reach, and what each begins after.

The order is that of `dcsim.model.site` and `dcsim.model.phase`. A milestone that the file gives (`initial`) waits for
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from dcsim.quantity import Quantity
from dcsim.scenario.fields import LOT_MILESTONES, PHASE_MILESTONES, SITE_MILESTONES, at_least, strictest
from dcsim.scenario.site import Phase, Site
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec

OUTCOMES = ("rejected", "shelved", "lost", "unguaranteed", "unfinanced", "terminated")
"""How a site may end; another letter may follow on it."""

RESERVED = frozenset((*SITE_MILESTONES, *PHASE_MILESTONES, *LOT_MILESTONES, *OUTCOMES, "previous", "start", "none"))
"""Names that mean something by themselves where a step says what it waits for."""

GIVEN_PHASE = (
    "building_complete", "equipment_on_site", "energised", "commissioned", "ready_for_service", "full_live",
)  # fmt: skip
"""Milestones of a phase that `initial` may give, in order."""


class Step(NamedTuple):
    """What must be reached before a milestone is, and how long it then takes."""

    after: tuple[str, ...]
    path: str = ""
    """Where `after` is written; empty if it is the way of things."""
    takes: tuple[Quantity, ...] = ()
    """Durations that follow one after the other."""

    @property
    def days(self) -> float:
        """Median days, without queues."""
        return sum(middle(quantity) for quantity in self.takes)


Waits = dict[str, Step]
"""Steps by the name of what they reach; those of a phase are called `p1.building_complete`."""


def site_names(site: Site) -> tuple[str, ...]:
    """What a step of the site may wait for."""
    return (*SITE_MILESTONES, *site.diligence)


def phase_names(site: Site, phase: Phase) -> tuple[str, ...]:
    """What a step of a phase may wait for besides what its site reaches."""
    works = phase.construction
    own = (*works.activities, *works.equipment) if works is not None else ()
    return (*(name for name in PHASE_MILESTONES if name != "ended"), *own)


def own_names(site: Site) -> frozenset[str]:
    """Names that the site gives to its workstreams, activities and equipment."""
    works = [phase.construction for phase in site.phases.values() if phase.construction is not None]
    return frozenset(name for part in works for name in (*part.activities, *part.equipment)) | frozenset(site.diligence)


def rating_floor(spec: ScenarioSpec, site: Site) -> str | None:
    """The best rating that any of the site's lenders asks for."""
    lenders = site.financing.lenders if site.financing is not None else ()
    parties = [party for id in lenders if (party := spec.parties.get(id)) is not None]
    return strictest([party.lending.min_rating for party in parties if party.lending is not None])


def needs_guarantor(spec: ScenarioSpec, site: Site) -> bool:
    """Whether the tenant's own rating does not do for the site's lenders."""
    tenant = spec.parties.get(site.tenant)
    return not at_least(tenant.rating if tenant is not None else None, rating_floor(spec, site))


def given_milestones(site: Site) -> frozenset[str]:
    """Milestones that `initial` gives, and those before them."""
    initial = site.initial
    dated = [i for i, name in enumerate(SITE_MILESTONES) if initial is not None and getattr(initial, name) is not None]
    if any(phase.initial is not None for phase in site.phases.values()):
        dated.append(SITE_MILESTONES.index("notice_to_proceed"))
    return frozenset(SITE_MILESTONES[: max(dated, default=-1) + 1])


def given_in_phase(phase: Phase) -> frozenset[str]:
    """The same for a phase; only `full_live` is given by nothing but itself."""
    initial = phase.initial
    dated = [i for i, name in enumerate(GIVEN_PHASE) if initial is not None and getattr(initial, name) is not None]
    return frozenset(GIVEN_PHASE[: max(dated, default=-1) + 1])


def site_waits(spec: ScenarioSpec, id: str) -> Waits:
    """The steps of a site and its phases, without names that are nothing there."""
    site = spec.sites[id]
    waits = dict(_steps(spec, id, site))
    for name, phase in site.phases.items():
        waits.update(_phase_steps(id, site, name, phase))
    given = given_milestones(site)
    for name in given:
        waits[name] = Step(())
    if "diligence_complete" in given:
        waits.update(dict.fromkeys(site.diligence, Step(())))
    return {name: step._replace(after=tuple(n for n in step.after if n in waits)) for name, step in waits.items()}


def _steps(spec: ScenarioSpec, id: str, site: Site) -> Iterator[tuple[str, Step]]:
    path = f"sites.{id}"
    yield "loi_signed", Step(())
    for name, stream in site.diligence.items():
        at = f"{path}.diligence.{name}.after"
        yield name, Step(("loi_signed", *stream.after), at if stream.after else "", (stream.delay, stream.duration))
    yield "diligence_complete", Step(("loi_signed", *site.diligence))
    yield "approved", Step(("diligence_complete",))
    negotiation, request, loan = site.negotiation, site.guarantee, site.financing
    takes = (*([negotiation.delay] if negotiation.delay is not None else []), negotiation.duration)
    yield "negotiated", Step(negotiation.after or ("approved",), f"{path}.negotiation.after", takes)
    signing: tuple[str, ...] = ("negotiated",)
    if needs_guarantor(spec, site):
        after: tuple[str, ...] = ("approved",)
        takes = ()
        if request is not None:
            after = request.after or after
            takes = (request.delay,) if request.delay is not None else ()
            party = spec.parties.get(request.asked[0]) if request.asked else None
            if party is not None and party.guarantee is not None:
                takes = (*takes, party.guarantee.approval.delay)
        yield "guarantee_signed", Step(after, f"{path}.guarantee.after", takes)
        signing = ("negotiated", "guarantee_signed")
    yield "lease_signed", Step(signing)
    if loan is not None:
        yield "the loan", Step(loan.after or ("approved",), f"{path}.financing.after")
        yield "financial_close", Step(("the loan", "lease_signed"))
    else:
        yield "financial_close", Step(("lease_signed",))
    yield "notice_to_proceed", Step(("financial_close",))
    works = site.construction
    yield "energy_services", Step(works.energy_services.after, f"{path}.construction.energy_services.after")
    for index, ramp in enumerate(works.grid):
        at = f"{path}.construction.grid.{index}.after"
        if ramp.after == ("previous",):
            yield f"grid step {index}", Step((f"grid step {index - 1}",), at)
        else:
            yield f"grid step {index}", Step(ramp.after, at)


def _phase_steps(id: str, site: Site, name: str, phase: Phase) -> Iterator[tuple[str, Step]]:
    given = given_in_phase(phase)
    steps = dict(_building(f"sites.{id}.phases.{name}", site, name, phase))
    own = frozenset(steps)
    if "ready_for_service" in given:
        given = own - {"rent_commencement", "first_live", "full_live", "tenant works"} | given
    for key, step in steps.items():
        if key in given:
            yield f"{name}.{key}", Step(())
        else:
            after = tuple(f"{name}.{n}" if n in own else n for n in step.after)
            yield f"{name}.{key}", step._replace(after=after)


def _building(path: str, site: Site, name: str, phase: Phase) -> Iterator[tuple[str, Step]]:
    """The steps of a phase by their names within it."""
    works, early_works = phase.construction, site.construction.early_works
    activities = works.activities if works is not None else {}
    orders = works.equipment if works is not None else {}
    for key, activity in activities.items():
        after = activity.after
        if activity.early and early_works is not None:
            after = tuple(n for n in after if n != "notice_to_proceed") or early_works.after
        elif "notice_to_proceed" not in after:
            after = (*after, "notice_to_proceed")
        yield key, Step(after, f"{path}.construction.activities.{key}.after", (activity.delay, activity.duration))
    for key, order in orders.items():
        yield key, Step(order.ordered, f"{path}.construction.equipment.{key}.ordered")
    yield "building_complete", Step(tuple(activities) or ("notice_to_proceed",))
    yield "equipment_on_site", Step(tuple(orders) or ("notice_to_proceed",))
    ramp = tuple(f"grid step {index}" for index in range(len(site.construction.grid)))
    yield "energised", Step(ramp or ("notice_to_proceed",))
    yield "commissioned", Step(("building_complete", "equipment_on_site", "energised"))
    yield "ready_for_service", Step(("commissioned",))
    yield "rent_commencement", Step(("ready_for_service",))
    hall = phase.bring_up
    power_on: tuple[str, ...] = ("ready_for_service",)
    if hall is not None and hall.tenant_works is not None:
        yield "tenant works", Step(hall.tenant_works.after, f"{path}.bring_up.tenant_works.after")
        power_on = ("ready_for_service", "tenant works")
    yield "first_live", Step(power_on)
    yield "full_live", Step(("first_live",))


def circles(waits: Mapping[str, Step]) -> Iterator[list[str]]:
    """Circles of steps that wait for each other, each as names of which every one waits for the next.

    After one is found, its first written wait is taken out, so that a second circle is found too.
    """
    after = {name: list(step.after) for name, step in waits.items()}
    while True:
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            circle: list[str] = list(reversed(error.args[1]))[:-1]  # graphlib lists each one before what waits for it
        else:
            return
        start = next((i for i, name in enumerate(circle) if waits[name].path), 0)
        circle = circle[start:] + circle[:start]
        yield circle
        following = circle[1] if len(circle) > 1 else circle[0]
        after[circle[0]].remove(following)


def median_days(waits: Waits, name: str) -> float:
    """Days until a milestone at medians, from those that wait for nothing; there must be no circle."""
    known: dict[str, float] = {}
    for step in TopologicalSorter({key: step.after for key, step in waits.items()}).static_order():
        known[step] = max((known[before] for before in waits[step].after), default=0.0) + waits[step].days
    return known[name]
