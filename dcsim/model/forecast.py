"""Forecasts: the remaining plan at medians, ignoring queues, as of now; and what is to happen some days before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dcsim.engine.clock import Handle
from dcsim.model.blueprint import DAY, half_up
from dcsim.quantity import Quantity

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.scenario.fields import After


def median(quantity: Quantity | None) -> int:
    """Median minutes of a duration in days; none is none."""
    return 0 if quantity is None else half_up(quantity.median * DAY)


def ends(began: int | None, start: int, minutes: int, now: int) -> int:
    """When a piece of work ends that began, or will begin at `start`; what is late already is due now."""
    return max(now, began + minutes) if began is not None else max(now, start) + minutes


class SiteForecast:
    """Forecast minutes of a site's milestones; one is made for each question and forgotten.

    `close` is when it would close, in place of the forecast.
    """

    def __init__(self, site: Site, close: int | None = None) -> None:
        self.site = site
        self.now = site.world.clock.now
        self._known: dict[str, int] = {} if close is None else {"financial_close": close}

    def at(self, name: str) -> int:
        """Minute in which the site reaches a milestone or ends a workstream."""
        trail = self.site.milestones.reached.get(name)
        if trail is not None:
            return trail.minute
        if name not in self._known:
            self._known[name] = self.site.world.never  # a circle never comes round
            self._known[name] = self._forecast(name)
        return self._known[name]

    def _forecast(self, name: str) -> int:
        site, spec, now = self.site, self.site.spec, self.now
        world = site.world
        if site.is_given(name):
            return max(now, site.given_minute(name))
        if name == "loi_signed":
            return max(now, world.when(spec.loi.signed)) if spec.loi is not None and spec.loi.signed.dated else now
        if name == "diligence_complete":
            return max((self.at(n) for n in spec.diligence), default=self.at("loi_signed"))
        if name in spec.diligence:
            stream = spec.diligence[name]
            start = max(self.at(n) for n in (stream.after or ("loi_signed",))) + self._median(stream.delay)
            return ends(site.diligence.started(name), start, self._median(stream.duration), now)
        if name == "approved":
            return world.tenants[site.tenant].next_meeting(max(now, self.at("diligence_complete")))
        if name == "negotiated":
            talks = spec.negotiation
            return self._step(talks, site.negotiation.began, self._median(talks.duration))
        if name == "guarantee_signed":
            request = spec.guarantee
            if request is None or not site.needs_guarantor:
                return now
            asked = request.asked if request.together else request.guarantors[:1]
            approval = max(self._median(world.guarantors[id].spec.approval.delay) for id in asked)
            return self._step(request, site.support.began, approval)
        if name == "lease_signed":
            signed = max(self.at("approved"), self.at("negotiated"))
            return max(signed, self.at("guarantee_signed")) if site.needs_guarantor else signed
        if name == "financial_close":
            if site.financing is None:
                return self.at("lease_signed")
            loan = site.financing.spec
            closing = max((self._median(lender.spec.closing) for lender in site.lenders), default=0)
            ready = self._step(loan, site.financing.began, closing)
            return max(ready, self.at("lease_signed"))
        if name == "notice_to_proceed":
            return self.at("financial_close")
        if name == "energy_services":
            services = spec.construction.energy_services
            return max(self.at(n) for n in services.after) + self._median(services.delay)
        return world.never

    def _median(self, quantity: Quantity | None) -> int:
        """Median minutes of a duration as it stands now."""
        return 0 if quantity is None else median(self.site.world.now(quantity))

    def _step(self, spec: After, began: int | None, minutes: int) -> int:
        after = spec.after or ("approved",)
        start = max(self.at(name) for name in after) + self._median(spec.delay) if began is None else began
        return ends(began, start, minutes, self.now)


class PhaseForecast:
    """Forecast minutes of a phase's milestones, activities and equipment."""

    def __init__(self, phase: Phase, close: int | None = None) -> None:
        self.phase = phase
        self.site = SiteForecast(phase.site, close)
        self.now = phase.world.clock.now
        self._known: dict[str, int] = {}

    def at(self, name: str) -> int:
        """Minute in which the phase (or its site) reaches a milestone."""
        trail = self.phase.milestones.get(name)
        if trail is not None:
            return trail.minute
        if name not in self._known:
            self._known[name] = self.phase.world.never
            self._known[name] = self._forecast(name)
        return self._known[name]

    def _forecast(self, name: str) -> int:
        phase, works, now = self.phase, self.phase.works, self.now
        if name in phase.given:
            return max(now, phase.given_median(name))
        if name in ("financial_close", "notice_to_proceed"):
            gap = self._median(phase.site.spec.construction.phase_gap) * phase.index
            return max(now, self.site.at(name) + gap)
        if name in works.activities:
            activity = works.activities[name]
            start = max(self.at(n) for n in phase.construction.after(name)) + self._median(activity.delay)
            return ends(phase.construction.started(name), start, self._median(activity.duration), now)
        if name in works.equipment:
            return max(now, phase.construction.forecast_arrival(name, self.at))
        if name == "building_complete":
            return max((self.at(n) for n in works.activities), default=self.at("notice_to_proceed"))
        if name == "equipment_on_site":
            return max((self.at(n) for n in works.equipment), default=self.at("notice_to_proceed"))
        if name == "energised":
            return phase.site.grid.forecast(phase, self.at)
        if name in ("commissioned", "ready_for_service", "rent_commencement"):
            ready = max(self.at(n) for n in ("building_complete", "equipment_on_site", "energised"))
            began = phase.commissioning.began
            if began is not None:
                began += phase.halted_since(began)
            return ends(began, ready, self._median(works.commissioning.duration), now)
        return self.site.at(name)

    def _median(self, quantity: Quantity | None) -> int:
        """Median minutes of a duration as it stands now."""
        return 0 if quantity is None else median(self.phase.world.now(quantity))


def forecast_rfs(phase: Phase) -> int:
    """Minute in which the phase is ready for service: the remaining plan at medians."""
    return PhaseForecast(phase).at("ready_for_service")


def forecast_energised(phase: Phase) -> int:
    """Minute in which the phase has power: the remaining plan at medians."""
    return PhaseForecast(phase).at("energised")


class Watch:
    """Something to be done at the first minute at or after forecast RFS plus an offset."""

    __slots__ = ("handle", "offset", "then")

    def __init__(self, offset: int, then: Callable[[], None]) -> None:
        self.offset = offset
        self.then = then
        self.handle: Handle | None = None


class Forecasts:
    """The watches of a phase; forecasts are made on the 1st of each month and at each milestone."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.watches: list[Watch] = []
        self._rfs: int | None = None

    @property
    def rfs(self) -> int:
        """Minute in which the phase will be ready for service, by the forecast that stands."""
        if self._rfs is None:
            self._rfs = forecast_rfs(self.phase)
        return self._rfs

    def watch(self, offset: int, then: Callable[[], None]) -> Watch:
        """Do something `offset` minutes from forecast RFS (negative: before)."""
        watch = Watch(offset, then)
        self.watches.append(watch)
        self.refresh()
        return watch

    def refresh(self) -> None:
        """The forecast no longer stands; book what falls due before the next one."""
        self._rfs = None
        if not self.watches or self.phase.ended:
            return
        clock = self.phase.world.clock
        rfs = self.rfs
        for watch in self.watches:
            if watch.handle is not None:
                watch.handle.cancel()
            due = max(clock.now, rfs + watch.offset)
            watch.handle = None
            if due <= self.phase.world.next_month:  # later ones are forecast again before
                watch.handle = clock.at(due, lambda watch=watch: self._fire(watch))  # type: ignore[misc]

    def _fire(self, watch: Watch) -> None:
        if watch in self.watches and not self.phase.ended:
            self.watches.remove(watch)
            watch.then()

    def drop(self, watch: Watch) -> None:
        """Nobody waits for it any more."""
        if watch in self.watches:
            self.watches.remove(watch)
        if watch.handle is not None:
            watch.handle.cancel()

    def end(self) -> None:
        """The phase has ended."""
        for watch in list(self.watches):
            self.drop(watch)
