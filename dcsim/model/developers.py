"""A developer that defaults: what it was still building is not built, unless somebody else guarantees completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World


def watch_developers(world: World) -> None:
    """Have the sites of each developer told of its default, in file order."""
    for site in world.sites.values():
        world.parties[site.developer].on("default", lambda site=site: _abandoned(site))  # type: ignore[misc]


def _abandoned(site: Site) -> None:
    """Phases that are not ready for service end `terminated`; those that are go on under the lease."""
    if site.ended or is_completed_by_others(site):
        return
    standing = [phase for phase in site.phases.values() if not phase.ended]
    if not any(map(_is_ready, standing)):
        site.end("terminated", f"{site.developer} defaulted")
        return
    for phase in standing:
        if not _is_ready(phase):
            phase.end("terminated", f"{site.developer} defaulted", site.closing())


def is_completed_by_others(site: Site) -> bool:
    """Whether somebody who stands (and so not the developer) guarantees that what has closed is completed."""
    financing = site.spec.financing
    guarantor = financing.completion_guarantee if financing is not None else None
    if guarantor is None or "financial_close" not in site.milestones.reached:
        return False
    return site.world.parties[guarantor].stands


def _is_ready(phase: Phase) -> bool:
    return "ready_for_service" in phase.milestones.reached
