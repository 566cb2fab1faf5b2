"""Names that are taken: one name means one thing in an `after`."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario.check.finding import error
from dcsim.scenario.fields import PHASE_MILESTONES, SITE_MILESTONES
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.waits import RESERVED


def reserved_names(spec: ScenarioSpec) -> Iterator[Problem]:
    """Workstreams, activities and equipment are not called like milestones; no team is called `none`."""
    for id, tenant in spec.tenants.items():
        if "none" in tenant.teams:
            yield error("ID", f"tenants.{id}.teams.none", "`none` stands for no team; choose another name")
    if "none" in spec.crews:
        yield error("ID", "crews.none", "`none` stands for no crew; choose another name")
    for id, site in spec.sites.items():
        names = [f"sites.{id}.diligence.{name}" for name in site.diligence]
        for key, phase in site.phases.items():
            if phase.construction is not None:
                at = f"sites.{id}.phases.{key}.construction"
                names += [f"{at}.activities.{name}" for name in phase.construction.activities]
                names += [f"{at}.equipment.{name}" for name in phase.construction.equipment]
        for path in names:
            name = path.rpartition(".")[2]
            if name in RESERVED:
                yield error("ID", path, f"'{name}' has a meaning of its own in `after`; choose another name")


def names_of_works(spec: ScenarioSpec) -> Iterator[Problem]:
    """An activity and equipment of the same phase do not share a name."""
    for id, site in spec.sites.items():
        for key, phase in site.phases.items():
            works = phase.construction
            for name in works.activities if works is not None else ():
                if works is not None and name in works.equipment:
                    path = f"sites.{id}.phases.{key}.construction.equipment.{name}"
                    yield error("DUPLICATE", path, f"'{name}' is an activity of the same phase too")


def committed_milestones(spec: ScenarioSpec) -> Iterator[Problem]:
    """Dates are promised for milestones, each at its own level."""
    for id, site in spec.sites.items():
        for name in site.committed:
            path = f"sites.{id}.committed.{name}"
            if name in PHASE_MILESTONES:
                yield error("REF", path, f"'{name}' is a milestone of phases; write it under `phases.NAME.committed`")
            elif name not in SITE_MILESTONES:
                yield error("REF", path, _no_milestone(name, SITE_MILESTONES))
        for key, phase in site.phases.items():
            for name in phase.committed:
                path = f"sites.{id}.phases.{key}.committed.{name}"
                if name in SITE_MILESTONES:
                    yield error("REF", path, f"'{name}' is a milestone of the site; write it under its `committed`")
                elif name not in PHASE_MILESTONES:
                    yield error("REF", path, _no_milestone(name, PHASE_MILESTONES))


def refundable_until(spec: ScenarioSpec) -> Iterator[Problem]:
    """A deposit is refundable until a milestone of the site."""
    for id, site in spec.sites.items():
        deposit = site.loi.deposit if site.loi is not None else None
        if deposit is not None and deposit.refundable_until not in SITE_MILESTONES:
            message = _no_milestone(deposit.refundable_until, SITE_MILESTONES)
            yield error("REF", f"sites.{id}.loi.deposit.refundable_until", message)


def _no_milestone(name: str, known: tuple[str, ...]) -> str:
    return f"'{printable(name)}' is no milestone{suggest(name, known) or '; expected ' + ', '.join(known)}"


CHECKS = (reserved_names, names_of_works, committed_milestones, refundable_until)
