"""Which numbers of the scenario a step of the plan takes its days from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.quantity import Quantity
from dcsim.scenario import tree

if TYPE_CHECKING:
    from dcsim.model.phase import Phase
    from dcsim.model.site import Site
    from dcsim.model.world import World
    from dcsim.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the scenario: its dotted path, its law with three quantiles, and where it comes from."""

    path: str
    law: str
    p10: float
    median: float
    p90: float
    unit: str
    source: str | None
    confidence: str | None


class Sources:
    """Numbers with their sources, looked up in the scenario's list of assumptions."""

    def __init__(self, scenario: Scenario) -> None:
        self._known = {row[0]: (row[3], row[5]) for row in scenario.assumptions()}
        self._filled = scenario.filled

    def number(self, quantity: Quantity) -> Number:
        """A bound quantity with its source; what has none is a guess."""
        source, confidence = self._source(quantity.path)
        return Number(
            path=quantity.path,
            law=quantity.law.name,
            p10=float(quantity.law.quantile(0.1)),
            median=quantity.median,
            p90=float(quantity.law.quantile(0.9)),
            unit=quantity.unit,
            source=source or quantity.source,
            confidence=confidence or quantity.confidence,
        )

    def source(self, path: str) -> str | None:
        """Where the number at a path comes from."""
        return self._source(path)[0]

    def _source(self, path: str) -> tuple[str | None, str | None]:
        part = path.split(".")
        if part[0] == "sites" and len(part) > 4 and part[2] == "phases" and not self._written(part):
            part = [*part[:2], *part[4:]]  # what a phase has from its site
        declared = tree.declared_at(self._filled, part) if self._written(part) else path
        return self._known.get(declared, (None, None))

    def _written(self, part: list[str]) -> bool:
        """Whether the scenario has a value there, its own or inherited."""
        here: object = self._filled
        for name in part:
            here, found = tree.child(here, name)
            if not found:
                return False
        return True


Steps = dict[tuple[str, str], list[Quantity]]
"""(who, cause) of a link of a trail -> the quantities behind its days."""


def quantities_of(site: Site) -> Steps:
    """The quantities behind the steps of a site in the plan, constants of zero left out."""
    world, spec = site.world, site.spec
    steps: Steps = {}
    for name, stream in spec.diligence.items():
        steps[f"{site.id} {name}", "diligence"] = [stream.delay, stream.duration]
    committee = world.spec.tenants[site.tenant].decision.committee
    if committee is not None:
        steps["committee", "committee"] = [committee.every]
    negotiation = [spec.negotiation.duration, *_some(spec.negotiation.delay)]
    steps[f"{site.id} negotiation", "negotiation"] = negotiation
    if site.cover is not None:
        steps[f"{site.id} guarantee", "guarantee"] = [site.cover.guarantor.spec.approval.delay]
    if site.financing is not None:
        closing = [world.lenders[id].spec.closing for id in spec.financing.lenders] if spec.financing else []
        steps[f"{site.id} financing", "financing"] = closing
    steps[site.id, "grid"] = [spec.construction.energy_services.delay]
    steps[f"{site.id} grid", "grid"] = [ramp.spec.delay for ramp in site.grid.ramps]
    for phase in site.phases.values():
        steps |= _of_phase(phase)
    return {key: [q for q in found if q.median or not q.is_constant] for key, found in steps.items()}


def _of_phase(phase: Phase) -> Steps:
    works = phase.works
    steps: Steps = {}
    for name, activity in works.activities.items():
        cause = "permits" if activity.permit else "construction"
        steps[f"{phase.who} {name}", cause] = [activity.delay, activity.duration]
    for name, order in phase.construction.orders.items():
        lead = order.spec.slot_arrives if order.slot else order.lead
        steps[f"{phase.who} {name}", "equipment"] = [order.spec.delay, lead]
    steps[f"{phase.who} commissioning", "commissioning"] = [works.commissioning.duration]
    steps[phase.who, "construction"] = [phase.site.spec.construction.phase_gap]
    bring_up = phase.spec.bring_up
    if bring_up is None:
        return steps
    if bring_up.tenant_works is not None:
        own = bring_up.tenant_works
        steps[f"{phase.who} tenant works", "tenant_works"] = [own.delay, own.duration]
    lots = [bring_up.receive, bring_up.install.racks_per_day, bring_up.cabling, bring_up.burn_in]
    for route in phase.hall.routes if phase.hall is not None else ():
        steps[route.who, "bring_up"] = lots
        if bring_up.dead_on_arrival is not None:
            steps[route.who, "repair"] = [bring_up.dead_on_arrival.returned_in]
        bought = route.lot.purchase.spec
        chips = [bought.lead_time, bought.deliveries.every, bought.deliveries.slip]
        steps.setdefault((route.lot.purchase.supplier, "chips"), []).extend(chips)
    return steps


def _some(quantity: Quantity | None) -> list[Quantity]:
    return [] if quantity is None else [quantity]


def left_out(world: World) -> list[str]:
    """What the plan knows nothing of: drivers, shocks, the market and hazards with their chances, in words."""
    spec = world.spec
    found = []
    for name, driver in spec.drivers.items():
        per = f" per {driver.per}" if driver.per else ""
        found.append(f"driver {name} ({100 * driver.chance.value:g} %{per})")
    for name, shock in spec.shocks.items():
        if isinstance(shock.when, Quantity) and shock.when.value:
            found.append(f"shock {name} ({shock.when.value:g} a year)")
    if spec.regime is not None and (spec.regime.to_downturn.value or spec.regime.begins == "downturn"):
        found.append(f"downturns of the market ({spec.regime.to_downturn.value:g} a year)")
    if spec.ratings is not None and (spec.ratings.one_year_default or spec.ratings.one_year_downgrade):
        found.append("defaults and downgrades by rating")
    return found
