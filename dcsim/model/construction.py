"""Building a phase: activities with crews, early works, and the joining of building and equipment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dcsim.engine.activity import GATED, Activity
from dcsim.engine.network import ActivityNetwork
from dcsim.engine.trail import Trail, extend, latest
from dcsim.engine.work import DONE, RUNNING
from dcsim.model.blueprint import dollars
from dcsim.model.equipment import Order
from dcsim.model.forecast import median
from dcsim.model.step import with_delay

if TYPE_CHECKING:
    from dcsim.model.milestones import Milestones
    from dcsim.model.phase import Phase


class Construction:
    """Activities and equipment of a phase."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.world = phase.world
        self.orders = {id: Order(phase, id) for id in phase.works.equipment}
        self._network: ActivityNetwork | None = None
        self._building: Trail | None = None
        self._early_open = False

    def begin(self) -> None:
        """Wire activities and equipment to their milestones."""
        phase, m, works = self.phase, self.phase.milestones, self.phase.works
        if "equipment_on_site" in phase.given:
            m.on("equipment_on_site", lambda trail: self._reach(works.equipment, trail))
        elif self.orders:
            for order in self.orders.values():
                order.begin()
        else:
            m.on("notice_to_proceed", lambda trail: phase.reach("equipment_on_site", trail))
        if "building_complete" in phase.given:
            m.on("building_complete", lambda trail: self._reach(works.activities, trail))
        elif works.activities:
            self._begin_activities()
        else:
            m.on("notice_to_proceed", self._built)

    def _reach(self, names: Iterable[str], trail: Trail) -> None:
        """What a milestone that the file gives implies."""
        for name in names:
            self.phase.milestones.reach(name, trail)

    def _begin_activities(self) -> None:
        phase, m = self.phase, self.phase.milestones
        activities = self._activities()
        names = {a.name for a in activities}
        triggers = {n for a in activities for n in a.after if n not in names}
        triggers |= {a.gate for a in activities if a.gate is not None}
        self._network = network = ActivityNetwork(
            self.world.clock,
            activities,
            finished=self._built,
            passed=self._passed,
            paid=self._paid,
            triggers=sorted(triggers),
            who=phase.who,
        )
        for name in sorted(triggers):
            if not name.startswith("early "):
                m.on(name, lambda trail, name=name: self._trigger(network, name, trail))  # type: ignore[misc]
        early = phase.site.spec.construction.early_works
        if early is not None:
            m.on_all(early.after, self._open_early)
        m.on("notice_to_proceed", lambda trail: self._open_gates(trail, all_of_them=True))
        m.on("loi_signed", self._start)

    def _start(self, trail: Trail) -> None:
        if self._network is not None and not self.phase.ended:
            self._network.start(trail)
            self._open_gates(trail)

    def _trigger(self, network: ActivityNetwork, name: str, trail: Trail) -> None:
        network.trigger(name, trail)
        self._open_gates(trail)

    def _activities(self) -> list[Activity]:
        phase, draws = self.phase, self.world.draws
        slots = {id for id, order in self.orders.items() if order.slot}
        out: list[Activity] = []
        for index, (name, spec) in enumerate(phase.works.activities.items()):
            early = self._may_be_early(name)
            after = [n for n in self.after(name) if n not in slots]
            cause = "permits" if spec.permit else "construction"
            who = f"{phase.who} {name}"
            gates = [n for n in spec.after if n in slots] + ([f"early {name}"] if early else [])
            for gate in gates[:-1]:
                waiting = f"{name} {gate}"
                out.append(
                    Activity(
                        name=waiting,
                        minutes=0,
                        after=tuple(after),
                        cause=cause,
                        who=who,
                        gate=gate,
                        gate_cause="equipment",
                    )
                )
                after = [waiting]
            last = gates[-1] if gates else None
            out += with_delay(
                Activity(
                    name=name,
                    minutes=self.world.later(spec.duration),
                    after=tuple(after),
                    cause=cause,
                    who=who,
                    pool=self.world.crew(spec.team),
                    priority=spec.priority,
                    rank=phase.rank * 100 + index,
                    wait_cause="crews",
                    gate=last,
                    gate_cause="" if last is None else "financing" if early else "equipment",
                    cost=dollars(draws.value(spec.cost)),
                ),
                draws.minutes(spec.delay),
            )
        return out

    # Early works.

    def _may_be_early(self, name: str) -> bool:
        return self.phase.works.activities[name].early and self.phase.site.spec.construction.early_works is not None

    def after(self, name: str) -> list[str]:
        """What an activity comes after: notice to proceed in any case, unless it may be early."""
        early_works = self.phase.site.spec.construction.early_works
        after = list(self.phase.works.activities[name].after)
        if early_works is not None and self._may_be_early(name):
            return [n for n in after if n != "notice_to_proceed"] or list(early_works.after)
        return after if "notice_to_proceed" in after else [*after, "notice_to_proceed"]

    def _open_early(self, trail: Trail) -> None:
        self._early_open = True
        self._open_gates(trail)

    def _open_gates(self, trail: Trail, all_of_them: bool = False) -> None:
        """Let those start early that are ready and fit the budget; at notice to proceed, everybody."""
        network = self._network
        if network is None or self.phase.ended:
            return
        for name, task in network.tasks.items():
            gate = f"early {name}"
            if task.activity.gate != gate or gate in network.fired:
                continue
            if all_of_them or (
                self._early_open and task.stage is GATED and self.phase.site.early_works.commit(task.activity.cost)
            ):
                network.trigger(gate, trail)

    def _passed(self, activity: Activity, trail: Trail) -> None:
        if activity.name in self.phase.works.activities:
            self.phase.milestones.reach(activity.name, trail)
        if self._early_open:
            self._open_gates(trail)

    def _paid(self, activity: Activity, amount: int) -> None:
        self.phase.site.spent += amount
        self.phase.site.early_works.pay(amount)

    # Joining.

    def arrived(self, order: Order) -> None:
        """Equipment is on the site."""
        phase = self.phase
        if phase.ended:
            return
        assert order.trail is not None
        phase.milestones.reach(order.id, order.trail)
        if all(o.arrived for o in self.orders.values()):
            trails = [o.trail for o in self.orders.values() if o.trail is not None]
            phase.reach("equipment_on_site", latest(trails))

    def _built(self, trail: Trail) -> None:
        if self.phase.ended:
            return
        self._building = trail
        self.phase.reach("building_complete", trail)

    def own_trail(self, milestones: Milestones) -> Trail:
        """The latest trail of the phase's own: a held slot is outside it."""
        own = [milestones.reached["building_complete"]]
        if not self.orders or "equipment_on_site" in self.phase.given:
            own.append(milestones.reached["equipment_on_site"])
        own += [o.trail for o in self.orders.values() if not o.slot and o.trail is not None]
        own.append(milestones.reached["energised"])
        return latest(own)

    # What others ask.

    @property
    def network(self) -> ActivityNetwork | None:
        """The activities of the building, once the phase has begun to wait for them."""
        return self._network

    def started(self, name: str) -> int | None:
        """Minute in which an activity began, or would have if it had not stood still since."""
        task = self._network.tasks.get(name) if self._network is not None else None
        if task is None or task.begun is None:
            return None
        return task.begun + self.phase.halted_since(task.begun)

    def forecast_arrival(self, name: str, at: Callable[[str], int]) -> int:
        """When equipment is on the site, at medians."""
        order = self.orders[name]
        if order.begun is None:
            due = max(at(n) for n in order.spec.ordered) + median(self.world.now(order.spec.delay))
            return max(due, self.world.clock.now) + order.median_minutes
        return order.begun + order.median_minutes

    def critical(self, names: set[str]) -> list[tuple[str, bool]]:
        """Each activity and equipment of the phase, and whether its name is among those on the trail."""
        parts = [*self.phase.works.activities, *self.orders]
        return [(name, not names.isdisjoint((name, f"{self.phase.who} {name}"))) for name in parts]

    @property
    def last_slot(self) -> str:
        """Who was the last of the held slots to arrive."""
        slots = [order.trail for order in self.orders.values() if order.slot and order.trail is not None]
        return latest(slots).who if slots else self.phase.who

    def closing(self) -> Trail | None:
        """The first activity or order under way, as it would close now."""
        now = self.world.clock.now
        if self._network is not None and self._network.status is RUNNING:
            for task in self._network.tasks.values():
                if task.stage != "pending" and task.status not in (DONE, "cancelled"):
                    return task.trail_at(now)
        for order in self.orders.values():
            if order.trail is not None and not order.arrived:
                return extend(order.trail, now, "equipment", order.who)
        return None

    def stand_still(self, cause: str, who: str) -> None:
        """Building stands still until it may go on; equipment under way goes on."""
        if self._network is not None:
            self._network.pause_all(cause, who)

    def go_on(self, cause: str, who: str) -> None:
        """That pause is over."""
        if self._network is not None:
            self._network.resume_all(cause, who)

    def cancel(self) -> None:
        """The phase has ended."""
        if self._network is not None:
            self._network.cancel()
        for order in self.orders.values():
            order.cancel()
