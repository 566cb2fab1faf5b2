"""Power: what a ramp adds up to, and what a region can connect."""

from __future__ import annotations

from collections.abc import Iterator

from dcsim import units
from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, warning
from dcsim.scenario.construction import GridStep, Region
from dcsim.scenario.site import Site
from dcsim.scenario.sizing import facility_kw, whole
from dcsim.scenario.spec import ScenarioSpec


def ramp_steps(spec: ScenarioSpec) -> Iterator[Problem]:
    """Each step says how much it adds, and the shares add up to the site at most."""
    for id, site in spec.sites.items():
        works, path = site.construction, f"sites.{id}.construction"
        steps = {f"{path}.grid.{index}": step for index, step in enumerate(works.grid)}
        if works.bridge is not None:
            steps[f"{path}.bridge"] = works.bridge
        for at, step in steps.items():
            if step.mw is not None and step.share is not None:
                yield error("UNKNOWN", at, "give one of `mw` and `share`, not both")
            elif step.mw is None and step.share is None:
                yield error("REQUIRED", at, "expected `mw` or `share`: how much power the step adds")
        total = sum(step.share.value for step in works.grid if step.share is not None)
        if total > 1 + 1e-9:
            message = f"the shares add up to {total:g}, more than 1; each is what its step adds, not what there is then"
            yield error("RANGE", f"{path}.grid", message)


def covered(spec: ScenarioSpec) -> Iterator[Problem]:
    """The ramp and the bridge reach every phase in the end."""
    for id, site in spec.sites.items():
        works = site.construction
        if not works.grid:
            continue
        steps = [*works.grid, *([works.bridge] if works.bridge is not None else [])]
        if any(step.mw is None and step.share is None for step in steps):
            continue
        there = sum(_kw(step, site) for step in steps)
        needed = 0
        for key, phase in site.phases.items():
            needed += facility_kw(site, phase)
            given = phase.initial is not None and any(
                getattr(phase.initial, name) is not None
                for name in ("energised", "commissioned", "ready_for_service", "full_live")
            )
            if needed > there and not given:
                power = f"{units.format(there / 1000, 'MW')} of the {units.format(needed / 1000, 'MW')}"
                message = f"brings {power} of facility power up to phase {key}, which is never energised"
                yield warning(f"sites.{id}.construction.grid", message)
                break


def _kw(step: GridStep, site: Site) -> int:
    if step.mw is not None:
        return whole(step.mw.value * 1000)
    total = sum(facility_kw(site, phase) for phase in site.phases.values())
    return whole(total * (step.share.value if step.share is not None else 1.0))


def connections(spec: ScenarioSpec) -> Iterator[Problem]:
    """A region can connect each step by the horizon, if it had nothing else to do."""
    for id, site in spec.sites.items():
        region = spec.regions.get(site.region or "")
        limit = _connected_by_horizon(spec, region) if region is not None else None
        for index, step in enumerate(site.construction.grid):
            if limit is not None and _kw(step, site) > limit:
                most = f"at most {units.format(limit / 1000, 'MW')} by the horizon"
                message = f"{units.format(_kw(step, site) / 1000, 'MW')} in one step, but {site.region} connects {most}"
                yield warning(f"sites.{id}.construction.grid.{index}", message)


def _connected_by_horizon(spec: ScenarioSpec, region: Region) -> int | None:
    """kW in all; None without limit."""
    if region.limit is None and region.connects is None:
        return None
    start = spec.status or spec.start
    months = (spec.horizon.year - start.year) * 12 + spec.horizon.month - start.month + 1
    base = whole(region.limit.value * 1000) if region.limit is not None else 0
    yearly = region.connects.value if region.connects is not None else 0.0
    return base + whole(yearly / 12 * months * 1000)


CHECKS = (ramp_steps, covered, connections)
