"""A scenario in which one cause of delay is set to nothing, as ordinary edits of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from dcsim.errors import ScenarioError, UsageError, suggest
from dcsim.model.history import CAUSES
from dcsim.scenario import paths, tree
from dcsim.scenario.bind import walk

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario

Edit = tuple[str, object]

PLENTY: Final = 1_000_000
"""People enough that nobody waits for one."""


def _both(field: str, value: object) -> tuple[Edit, Edit]:
    """An edit of what a site's phases share and of what a phase has for itself."""
    return (f"sites.*.{field}", value), (f"sites.*.phases.*.{field}", value)


EDITS: Final[Mapping[str, tuple[Edit, ...]]] = {
    "diligence": tuple((f"sites.*.diligence.*.{name}", 0) for name in ("duration", "delay", "remedy_takes")),
    "committee": (("tenants.*.decision.committee", None), ("tenants.*.decision.board", None)),
    "policy": (("tenants.*.decision.policy", "every_passing"),),
    "negotiation": (("sites.*.negotiation.duration", 0), ("sites.*.negotiation.delay", 0)),
    "guarantee": (
        ("sites.*.guarantee.delay", 0),
        ("parties.*.guarantee.approval.delay", 0),
        ("parties.*.guarantee.limit", None),
        ("parties.*.guarantee.max_cap", None),
        ("parties.*.guarantee.framework", None),
    ),
    "financing": (
        ("sites.*.financing.delay", 0),
        ("parties.*.lending.closing", 0),
        ("parties.*.lending.capacity", None),
        ("parties.*.lending.per_tenant", None),
        ("parties.*.lending.per_guarantor", None),
    ),
    "construction": (("sites.*.construction.phase_gap", 0),),
    "equipment": (
        ("equipment.*.lead_time", 0),
        ("equipment.*.made", None),
        *_both("construction.equipment.*.delay", 0),
        *_both("construction.equipment.*.lead_time", 0),
        *_both("construction.equipment.*.slot_arrives", 0),
    ),
    "grid": (
        ("sites.*.construction.grid.*.delay", 0),
        ("sites.*.construction.bridge.delay", 0),
        ("sites.*.construction.energy_services.delay", 0),
        ("regions.*.limit", None),
        ("regions.*.connects", None),
    ),
    "commissioning": (*_both("construction.commissioning.duration", 0), *_both("construction.commissioning.retest", 0)),
    "tenant_works": (*_both("bring_up.tenant_works.duration", 0), *_both("bring_up.tenant_works.delay", 0)),
    "chips": (
        ("chips.orders.*.lead_time", 0),
        ("chips.orders.*.deliveries.first", None),
        ("chips.orders.*.deliveries.every", 0),
        ("chips.orders.*.deliveries.slip", 0),
        ("chips.orders.*.rights.defer", None),
        ("chips.products.*.available", None),
        ("parties.*.supply", None),
    ),
    "bring_up": (
        *_both("bring_up.receive", 0),
        *_both("bring_up.install.racks_per_day", 1_000_000_000),
        *_both("bring_up.cabling", 0),
        *_both("bring_up.burn_in", 0),
    ),
    "repair": _both("bring_up.dead_on_arrival", None),
    "shock": (("shocks.*.when", "never"),),
}
"""What sets each cause to nothing: paths that must be in the scenario to count, and the values they take (null: taken
out). What depends on who uses it (`team`, `crews`, `permits`, parts of `construction` and `chips`) is in `_by_use`."""


def edits_without(scenario: Scenario, cause: str) -> dict[str, object]:
    """Path and value of every edit that sets `cause` to nothing in this scenario.

    Gates stay as they are: a site that fails still fails, only sooner. Raises `UsageError` for a cause that does not
    exist, or of which the scenario has nothing.
    """
    if cause not in CAUSES:
        raise UsageError(f"no cause {cause!r}{suggest(cause, CAUSES)} (there are: {', '.join(CAUSES)})")
    found: dict[str, object] = {}
    for path, value in [*EDITS.get(cause, ()), *_by_use(scenario, cause)]:
        for loc in _matching(scenario, path):
            old = tree.get(scenario.filled, loc)
            if isinstance(old, Mapping) and not tree.is_quantity(old) and isinstance(value, int):
                loc, old = (*loc, "count"), old.get("count")  # a team written out with its calendar
            if old is not None or value is not None:
                found[paths.dotted(loc)] = value
    if not found:
        raise UsageError(f"nothing in this scenario can take time as {cause!r}, so there is nothing to set to nothing")
    return found


def without(scenario: Scenario, cause: str) -> Scenario:
    """The scenario with a cause set to nothing, its risk drivers included. Raises as `edits_without` does."""
    edited = scenario.edit(edits_without(scenario, cause))
    drivers = _hushed(scenario, edited)
    return edited.edit(drivers) if drivers else edited


def _matching(scenario: Scenario, path: str) -> list[tuple[str | int, ...]]:
    """The places that a path names, without those where a phase only repeats what its site says."""
    try:
        found = paths.match(scenario.filled, path, also=scenario.raw)
    except ScenarioError:
        return []
    return [loc for loc in found if not _repeats_its_site(scenario, loc)]


def _repeats_its_site(scenario: Scenario, loc: tuple[str | int, ...]) -> bool:
    if loc[0] != "sites" or len(loc) < 5 or loc[2] != "phases":
        return False
    above = (*loc[:2], *loc[4:])
    try:
        tree.get(scenario.filled, above)
    except KeyError:
        return False
    return tree.declared_at(scenario.filled, loc) == tree.declared_at(scenario.filled, above)


def _by_use(scenario: Scenario, cause: str) -> Iterator[Edit]:
    """Edits that depend on who uses what: which teams are whose, which activities are permits, what orders are for."""
    spec = scenario.spec
    if cause in ("team", "crews"):
        for site in spec.sites.values():
            names = {stream.team for stream in site.diligence.values()} | {site.negotiation.team}
            if cause == "crews":
                halls = [phase.bring_up for phase in site.phases.values()]
                names = {hall.install.team for hall in halls if hall is not None}
            for name in sorted(names & set(spec.tenants[site.tenant].teams)):
                yield f"tenants.{site.tenant}.teams.{name}", PLENTY
        if cause == "crews":
            yield "crews.*", PLENTY
    if cause in ("permits", "construction"):
        for s, site in spec.sites.items():
            for p, phase in site.phases.items():
                activities = phase.construction.activities if phase.construction is not None else {}
                for name, activity in activities.items():
                    if activity.permit == (cause == "permits"):
                        for base in (f"sites.{s}", f"sites.{s}.phases.{p}"):
                            yield f"{base}.construction.activities.{name}.duration", 0
                            yield f"{base}.construction.activities.{name}.delay", 0
    if cause == "chips":
        for id, order in spec.chips.orders.items():
            yield f"chips.orders.{id}.ordered", "lease_signed" if order.per == "phase" else "start"


def _hushed(before: Scenario, after: Scenario) -> dict[str, object]:
    """Edits that keep risk drivers from adding days to what has just been set to nothing."""
    had = {path: q for path, q, _ in walk(before.spec) if q.path}
    quantities = [(path, q) for path, q, _ in walk(after.spec) if q.path and q.drivers]
    nothing = {
        path
        for path, q in quantities
        if q.is_constant and q.value == 0 and path in had and not (had[path].is_constant and had[path].value == 0)
    }
    edits: dict[str, object] = {}
    for name, driver in after.spec.drivers.items():
        hit = [path for path, q in quantities if any(_is_of(name, member) for member in q.drivers)]
        if driver.plus is not None and nothing.intersection(hit):
            rest: list[Any] = [path for path in hit if path not in nothing]
            edits[f"drivers.{name}" + (".hits" if rest else "")] = rest or None
    return edits


def _is_of(driver: str, member: str) -> bool:
    return member == f"drivers.{driver}" or member.startswith(f"drivers.{driver}.")
