"""What an edit does at once when it comes into force or ends: pools, deliveries to come, work under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from dcsim.engine.work import Work
from dcsim.model.blueprint import DAY

if TYPE_CHECKING:
    from dcsim.engine.network import ActivityNetwork
    from dcsim.model.supply import Delivery, Purchase
    from dcsim.model.world import World
    from dcsim.quantity import Quantity
    from dcsim.scenario.in_time import Change

Act = Callable[[], object]
Follower = Callable[["World", "Change", tuple[str, ...], bool], Iterator[Act]]
"""(world, change, what stands for each `*` of its path, whether it begins), asked before the number changes -> what to
do once it has."""


def follow(world: World, change: Change, begins: bool) -> list[Act]:
    """What is to be done once a number of the scenario has changed; to be asked before it does."""
    parts = change.path.split(".")
    for pattern, follower in FOLLOWERS.items():
        names = _names(pattern.split("."), parts)
        if names is not None:
            return list(follower(world, change, names, begins))
    return []


def _names(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    """What stands for each `*`; None where the pattern does not match."""
    if len(pattern) != len(parts) or any(p not in ("*", part) for p, part in zip(pattern, parts, strict=True)):
        return None
    return tuple(part for p, part in zip(pattern, parts, strict=True) if p == "*")


# Pools and limits: holders keep what they have.


def _team(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    pool = world.tenants[names[0]].teams[names[1]] if len(names) == 2 else world.crews[names[0]]
    if not world.unlimited:
        yield lambda: pool.set_capacity(int(world.now(change.quantity).value))


def _guarantor(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    yield world.guarantors[names[0]].limits_changed


def _region(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    yield world.regions[names[0]].limits_changed


def _maker(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    yield world.makers[names[0]].limits_changed


# What is on its way comes as many days later, or sooner, as the drawn value of what was changed rises or falls.


def _chips(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    order = world.spec.chips.orders[names[0]]
    for purchase in world.chips.purchases:
        pending = [delivery for delivery in purchase.deliveries if not delivery.arrived]
        if purchase.spec is order and pending:
            yield _moved(world, purchase, pending, world.by(purchase.user, change.quantity))


def _moved(world: World, purchase: Purchase, pending: list[Delivery], quantity: Quantity) -> Act:
    before = world.draws.minutes(quantity, purchase.again)

    def move() -> None:
        minutes = world.draws.minutes(quantity, purchase.again) - before
        if minutes:
            world.log("moved", purchase.id, f"{minutes / DAY:+g} days")
            world.suppliers[purchase.supplier].move(pending, minutes)

    return move


def _equipment(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    """Of one kind wherever it is on order, or of one phase."""
    for site in world.sites.values():
        for phase in site.phases.values():
            for id, order in phase.construction.orders.items():
                if names in ((id,), (site.id, phase.id, id)) and order.under_way:
                    yield order.follow_lead_time()


# What is left of work under way is stretched, and shrinks again when the edit ends.


def _times(change: Change, begins: bool) -> float | None:
    if change.instead is not None or change.times in (0.0, 1.0):
        return None
    return change.times if begins else 1.0 / change.times


def _stretched(work: Work | None, change: Change, begins: bool) -> Iterator[Act]:
    times = _times(change, begins)
    if work is not None and times is not None:
        yield lambda: work.stretch(times)


def _negotiation(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    yield from _stretched(world.sites[names[0]].negotiation.work_under_way, change, begins)


def _commissioning(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    phase = world.sites[names[0]].phases[names[1]]
    yield from _stretched(phase.commissioning.work_under_way, change, begins)


def _workstream(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    yield from _task(world.sites[names[0]].diligence.network, names[1], change, begins)


def _activity(world: World, change: Change, names: tuple[str, ...], begins: bool) -> Iterator[Act]:
    phase = world.sites[names[0]].phases[names[1]]
    yield from _task(phase.construction.network, names[2], change, begins)


def _task(network: ActivityNetwork | None, name: str, change: Change, begins: bool) -> Iterator[Act]:
    """An activity in its first round: what a remedy takes is another number."""
    task = network.tasks.get(name) if network is not None else None
    if task is not None and task.begun is not None and not task.rounds:
        yield from _stretched(task, change, begins)


FOLLOWERS: Final[dict[str, Follower]] = {
    "tenants.*.teams.*.count": _team,
    "crews.*.count": _team,
    "parties.*.guarantee.limit": _guarantor,
    "regions.*.limit": _region,
    "regions.*.connects": _region,
    "equipment.*.made": _maker,
    "chips.orders.*.lead_time": _chips,
    "chips.orders.*.deliveries.first.delay": _chips,
    "equipment.*.lead_time": _equipment,
    "sites.*.phases.*.construction.equipment.*.lead_time": _equipment,
    "sites.*.phases.*.construction.equipment.*.slot_arrives": _equipment,
    "sites.*.negotiation.duration": _negotiation,
    "sites.*.phases.*.construction.commissioning.duration": _commissioning,
    "sites.*.diligence.*.duration": _workstream,
    "sites.*.phases.*.construction.activities.*.duration": _activity,
}
"""By the path of what changes."""
