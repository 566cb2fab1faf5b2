"""Power paid for: energy used, the utility's minimum take, and what is left with the utility until power comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcsim.ledger import OUTSIDE
from dcsim.model.blueprint import dollars, half_up

if TYPE_CHECKING:
    from dcsim.engine.trail import Trail
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import Month

KW_MINUTES = 60_000
"""kW-minutes of a MWh."""


class Metering:
    """What one phase has used since its last bill, and when it was last read. kW-minutes."""

    __slots__ = ("bridged", "contracted", "grid", "minute", "phase", "read")

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.minute = 0
        """Minute of the last reading."""
        self.read = 0.0
        """What the meter of live IT power showed then."""
        self.grid = 0.0
        """IT power fed by the grid."""
        self.bridged = 0.0
        """IT power fed by the bridge."""
        self.contracted = 0.0
        """Facility power that the utility held ready, from rent commencement on."""


class SiteEnergy:
    """The power of a site: what its tenant pays for it, and the collateral that its payer leaves with the utility."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.spec = site.spec.construction.energy_services
        self.on = False
        """Whether there is anything to bill: from the first phase that is ready, or whose rent commences, on."""
        self.collateral: dict[str, int] = {}
        """Dollars that the utility holds for each phase."""
        self._metering = [Metering(phase) for phase in site.phases.values()]

    def begin(self) -> None:
        """Wire the collateral to its milestones."""
        if self.spec.collateral.law.bounds()[1] > 0:
            self.site.milestones.on("energy_services", self._post)
            for phase in self.site.phases.values():
                phase.milestones.on("energised", lambda trail, phase=phase: self._give_back(phase, trail))  # type: ignore[misc]

    # Collateral.

    @property
    def _payer(self) -> str:
        return self.site.developer if self.spec.payer == "developer" else self.site.tenant

    def _post(self, trail: Trail) -> None:
        """The utility begins its works, and wants collateral for every phase that is still to be energised.

        What is not given back is forfeited: that of phases that end before.
        """
        rate = self.world.draws.value(self.spec.collateral)
        for phase in self.site.phases.values():
            if phase.ended or "energised" in phase.milestones.reached:
                continue
            amount = dollars(rate * phase.facility_kw / 1000)
            if self.world.money.pay(self._payer, OUTSIDE, "utility collateral", amount, trail.minute):
                self.collateral[phase.id] = amount

    def _give_back(self, phase: Phase, trail: Trail) -> None:
        amount = self.collateral.pop(phase.id, 0)
        if amount:
            self.world.money.pay(OUTSIDE, self._payer, "utility collateral", amount, trail.minute)

    # Energy.

    def read(self, minute: int) -> None:
        """Read every meter: up to `minute` each phase was fed by what feeds it now."""
        for meter in self._metering:
            phase = meter.phase
            live = phase.meters["live"].until(minute)
            used, meter.read = live - meter.read, live
            if self.site.grid.bridged(phase):
                meter.bridged += used
            else:
                meter.grid += used
                meter.contracted += phase.facility_kw * self._held_ready(phase, meter.minute, minute)
            meter.minute = minute

    @staticmethod
    def _held_ready(phase: Phase, first: int, last: int) -> int:
        """Minutes between two for which a phase had power and paid rent."""
        reached = phase.milestones.reached
        if "rent_commencement" not in reached or "energised" not in reached:
            return 0
        begin = max(first, reached["rent_commencement"].minute, reached["energised"].minute)
        return max(0, (last if phase.ended is None else min(last, phase.end_minute)) - begin)

    def bill(self, month: Month) -> None:
        """The month's energy, and what the minimum take adds to it; it is dated at the month's last minute."""
        if not self.on:
            return
        self.read(month.end)
        grid = bridged = contracted = 0.0
        for meter in self._metering:
            grid += meter.grid
            bridged += meter.bridged
            contracted += meter.contracted
            meter.grid = meter.bridged = meter.contracted = 0.0
        self.on = self.site.ended is None
        if not (grid or bridged or contracted):
            return
        site, draws = self.site, self.world.draws
        region = self.world.spec.regions.get(site.spec.region or "")
        price = draws.value(region.energy) if region is not None and region.energy is not None else 0.0
        bridge = site.spec.construction.bridge
        dearer = draws.value(bridge.energy) if bridge is not None and bridge.energy is not None else price
        pue = self.world.now(site.spec.pue.average).value
        pay = self.world.money.bill
        energy = half_up((grid * price + bridged * dearer) * pue / KW_MINUTES)
        if energy:
            pay(site.tenant, OUTSIDE, "energy", energy, month.end - 1)
        least = draws.value(self.spec.minimum_take) * contracted
        take = half_up(max(0.0, least - grid * pue) * price / KW_MINUTES)
        if take:
            pay(site.tenant, OUTSIDE, "minimum take", take, month.end - 1)
