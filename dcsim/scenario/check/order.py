"""What waits for what: names in `after`, and steps that wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.chips import LeadPolicy, Order
from dcsim.scenario.fields import LOT_MILESTONES, PHASE_MILESTONES, SITE_MILESTONES, When
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import (
    OUTCOMES,
    RESERVED,
    Step,
    circles,
    given_milestones,
    needs_guarantor,
    own_names,
    phase_names,
    site_names,
    site_waits,
)


def steps_of_sites(spec: ScenarioSpec) -> Iterator[Problem]:
    """Steps of a site wait for its milestones and workstreams."""
    for id, site in spec.sites.items():
        path, known = f"sites.{id}", site_names(site)
        waits = {f"{path}.diligence.{name}.after": stream.after for name, stream in site.diligence.items()}
        waits[f"{path}.negotiation.after"] = site.negotiation.after
        if site.guarantee is not None:
            waits[f"{path}.guarantee.after"] = site.guarantee.after
        if site.financing is not None:
            waits[f"{path}.financing.after"] = site.financing.after
        works = site.construction
        waits[f"{path}.construction.energy_services.after"] = works.energy_services.after
        for index, ramp in enumerate(works.grid):
            if "previous" not in ramp.after:
                waits[f"{path}.construction.grid.{index}.after"] = ramp.after
        if works.bridge is not None:
            waits[f"{path}.construction.bridge.after"] = works.bridge.after
        for at, names in waits.items():
            yield from _names(at, names, known, "step of a site")
            if "guarantee_signed" in names and not needs_guarantor(spec, site) and not _is_given(spec, id):
                yield warning(at, f"'{site.tenant}' needs no guarantor here, so 'guarantee_signed' is never reached")


def steps_after_nothing(spec: ScenarioSpec) -> Iterator[Problem]:
    """Steps whose default an empty list would take away wait for something."""
    for id, site in spec.sites.items():
        path, works = f"sites.{id}.construction", site.construction
        waits = {f"{path}.energy_services.after": works.energy_services.after}
        waits.update({f"{path}.grid.{index}.after": ramp.after for index, ramp in enumerate(works.grid)})
        if works.bridge is not None:
            waits[f"{path}.bridge.after"] = works.bridge.after
        if works.early_works is not None:
            waits[f"{path}.early_works.after"] = works.early_works.after
        for key, phase in site.phases.items():
            at, hall = f"sites.{id}.phases.{key}", phase.bring_up
            if phase.construction is not None:
                activities = phase.construction.activities.items()
                waits.update(
                    {f"{at}.construction.activities.{name}.after": a.after for name, a in activities if a.early}
                )
                orders = phase.construction.equipment.items()
                waits.update({f"{at}.construction.equipment.{name}.ordered": order.ordered for name, order in orders})
            if hall is not None and hall.tenant_works is not None:
                waits[f"{at}.bring_up.tenant_works.after"] = hall.tenant_works.after
        for at, names in waits.items():
            if not names:
                yield error("REQUIRED", at, "expected at least one milestone, got none")


def _is_given(spec: ScenarioSpec, id: str) -> bool:
    return "guarantee_signed" in given_milestones(spec.sites[id])


def previous_steps(spec: ScenarioSpec) -> Iterator[Problem]:
    """`previous` is the step before in a ramp, and stands alone."""
    for id, site in spec.sites.items():
        works = site.construction
        ramps = [(f"sites.{id}.construction.grid.{index}.after", ramp) for index, ramp in enumerate(works.grid)]
        for index, (path, ramp) in enumerate(ramps):
            if "previous" in ramp.after and index == 0:
                yield error("REF", path, "'previous' is the step before, and this is the first")
            elif "previous" in ramp.after and len(ramp.after) > 1:
                yield error("REF", path, "'previous' stands alone; the step before has its own `after`")
        if works.bridge is not None and "previous" in works.bridge.after:
            yield error("REF", f"sites.{id}.construction.bridge.after", "the bridge is no step of the ramp")


def steps_of_phases(spec: ScenarioSpec) -> Iterator[Problem]:
    """Steps of a phase wait for its milestones, activities and equipment, and for what its site reaches."""
    for id, site in spec.sites.items():
        for key, phase in site.phases.items():
            path, known = f"sites.{id}.phases.{key}", (*site_names(site), *phase_names(site, phase))
            waits: dict[str, tuple[str, ...]] = {}
            works, hall = phase.construction, phase.bring_up
            if works is not None:
                for name, activity in works.activities.items():
                    waits[f"{path}.construction.activities.{name}.after"] = activity.after
                for name, order in works.equipment.items():
                    waits[f"{path}.construction.equipment.{name}.ordered"] = order.ordered
            if hall is not None and hall.tenant_works is not None:
                waits[f"{path}.bring_up.tenant_works.after"] = hall.tenant_works.after
            if site.construction.early_works is not None:
                waits[f"sites.{id}.construction.early_works.after"] = site.construction.early_works.after
            for at, names in waits.items():
                yield from _names(at, names, known, "step of a phase")


def letters(spec: ScenarioSpec) -> Iterator[Problem]:
    """A letter waits for the calendar, or for milestones of other sites."""
    for id, site in spec.sites.items():
        if site.loi is not None:
            path = f"sites.{id}.loi.signed"
            for name in site.loi.signed.after:
                if "." not in name:
                    hint = "expected a date, `day n`, or a milestone of another site such as `other.lost`"
                    yield error("REF", path, f"'{printable(name)}' is nothing that a letter can wait for; {hint}")
                else:
                    yield from _elsewhere(spec, path, name)


def orders(spec: ScenarioSpec) -> Iterator[Problem]:
    """An order of chips waits for the calendar, for milestones of sites, or (`per: phase`) for those of its phase."""
    for id, order in spec.chips.orders.items():
        path = f"chips.orders.{id}.ordered"
        if isinstance(order.ordered, LeadPolicy):
            names = order.ordered.lead.not_before
            yield from _names(f"{path}.lead.not_before", names, _anywhere(spec), "phase's order")
        elif order.per == "phase":
            yield from _names(path, order.ordered.after, _anywhere(spec), "phase's order")
        else:
            yield from _of_whole_orders(spec, path, order.ordered, order)


def _of_whole_orders(spec: ScenarioSpec, path: str, when: When, order: Order) -> Iterator[Problem]:
    for name in when.after:
        if "." in name:
            yield from _elsewhere(spec, path, name)
        elif name in _anywhere(spec):
            hint = f"write whose ({next(iter(spec.sites))}.{name}), or `per: phase`"
            yield error("REF", path, f"'{name}' of which site? One order serves many; {hint}")
        else:
            hint = "expected a date, `day n`, or a milestone of a site such as `ohio.lease_signed`"
            yield error("REF", path, f"'{printable(name)}' is nothing that an order can wait for; {hint}")


def _anywhere(spec: ScenarioSpec) -> tuple[str, ...]:
    """What a phase may reach, at any site."""
    known = dict.fromkeys((*SITE_MILESTONES, *PHASE_MILESTONES[:-1]))
    for site in spec.sites.values():
        for phase in site.phases.values():
            known.update(dict.fromkeys((*site_names(site), *phase_names(site, phase))))
    return tuple(known)


def _names(path: str, names: Sequence[str], known: Sequence[str], what: str) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name in known:
            continue
        hint = suggest(name, known)
        if name in PHASE_MILESTONES and not hint.endswith(f"'{name}'?"):
            message = f"'{name}' is a milestone of phases; a {what} cannot wait for it"
        elif name in LOT_MILESTONES:
            message = f"'{name}' is a milestone of lots; a {what} cannot wait for it"
        elif name in OUTCOMES or name == "ended":
            message = f"'{name}' is how a site ends; a {what} cannot wait for it"
        elif name == "previous":
            message = "'previous' is the step before in a ramp of power (`grid`), and stands only there"
        elif "." in name:
            message = f"a {what} waits for what is its own; '{printable(name)}' may stand in `loi.signed` and in orders"
        elif name == "start" or name[:1].isdigit() or name.startswith("day "):
            message = f"a {what} waits for milestones; expected names, got '{printable(name)}'"
        else:
            message = f"'{printable(name[:80])}' is nothing that a {what} can wait for{hint}"
        yield error("REF", path, message)


def _elsewhere(spec: ScenarioSpec, path: str, name: str) -> Iterator[Problem]:
    """A name with a site before it: `lakeside.lost`, `lakeside.p1.full_live`."""
    first, *rest = name.split(".")
    if first not in spec.sites:
        yield unknown(spec, path, first, "site", spec.sites)
        return
    site = spec.sites[first]
    if len(rest) == 1:
        known: tuple[str, ...] = (*site_names(site), *OUTCOMES, "ended")
    elif len(rest) == 2 and rest[0] in site.phases:
        known = (*phase_names(site, site.phases[rest[0]]), "ended")
    else:
        expected = f"expected {first}.MILESTONE or {first}.PHASE.MILESTONE with a phase of {', '.join(site.phases)}"
        yield error("REF", path, f"'{printable(name)}' is nothing at {first}; {expected}")
        return
    if rest[-1] not in known:
        where = ".".join([first, *rest[:-1]])
        if len(rest) == 1 and rest[0] in PHASE_MILESTONES:
            hint = f"; it is a milestone of phases: {first}.{next(iter(site.phases))}.{rest[0]}"
        else:
            hint = suggest(rest[-1], known)
        yield error("REF", path, f"'{printable(rest[-1])}' is no milestone of {where}{hint}")


def only_dates(spec: ScenarioSpec) -> Iterator[Problem]:
    """What begins by the calendar alone."""
    whens: dict[str, When | None] = {}
    for id, tenant in spec.tenants.items():
        for name in ("committee", "board"):
            body = getattr(tenant.decision, name)
            whens[f"tenants.{id}.decision.{name}.from"] = body.start if body is not None else None
    for id, party in spec.parties.items():
        framework = party.guarantee.framework if party.guarantee is not None else None
        whens[f"parties.{id}.guarantee.framework.signed"] = framework.signed if framework is not None else None
    for id, product in spec.chips.products.items():
        whens[f"chips.products.{id}.available"] = product.available
    for id, order in spec.chips.orders.items():
        whens[f"chips.orders.{id}.deliveries.first"] = order.deliveries.first
    for id, site in spec.sites.items():
        blocks = [(f"sites.{id}.initial", site.initial)]
        blocks += [(f"sites.{id}.phases.{key}.initial", phase.initial) for key, phase in site.phases.items()]  # type: ignore[misc]
        for at, block in blocks:
            for name, value in (block.__dict__ if block is not None else {}).items():
                if isinstance(value, When):
                    whens[f"{at}.{name}"] = value
    for path, when in whens.items():
        if when is not None and not when.dated:
            yield error("DATE", path, f"expected a date or `day n`; this cannot wait for '{printable(when.after[0])}'")


def circles_at_sites(spec: ScenarioSpec) -> Iterator[Problem]:
    """Steps of a site or phase that wait for each other."""
    for id, site in spec.sites.items():
        if not RESERVED.isdisjoint(own_names(site)):
            continue
        waits = site_waits(spec, id)
        for circle in circles(waits):
            path = next((waits[name].path for name in circle if waits[name].path), f"sites.{id}")
            yield error("CYCLE", path, _told([name.rpartition(".")[2] for name in circle]))


def circles_of_letters(spec: ScenarioSpec) -> Iterator[Problem]:
    """Sites whose letters wait for each other."""
    waits = {}
    for id, site in spec.sites.items():
        after = site.loi.signed.after if site.loi is not None and not given_milestones(site) else ()
        names = tuple(name.partition(".")[0] for name in after if "." in name)
        waits[id] = Step(tuple(name for name in names if name in spec.sites), f"sites.{id}.loi.signed")
    for circle in circles(waits):
        yield error("CYCLE", f"sites.{circle[0]}.loi.signed", f"letters wait in a circle: {_told(circle)}")


def _told(circle: list[str]) -> str:
    if len(circle) == 1:
        return f"{circle[0]} waits for itself"
    first, *rest = [*circle, circle[0]]
    return f"{first} waits for {', which waits for '.join(rest)}"


CHECKS = (
    steps_of_sites,
    steps_after_nothing,
    previous_steps,
    steps_of_phases,
    letters,
    orders,
    only_dates,
    circles_at_sites,
    circles_of_letters,
)
