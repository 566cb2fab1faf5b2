"""The gates of a site: what may go wrong, how likely it is, and which way the plan takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.engine.draws import PlanDraws

if TYPE_CHECKING:
    from dcsim.model.site import Site
    from dcsim.study.steps import Sources


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate: which way the plan takes, the chance of that way, and the chances of all others in words."""

    name: str
    likely: str
    chance: float
    others: str
    source: str | None


def gates_of(site: Site, sources: Sources) -> list[Gate]:
    """The gates of a site in order, without those that can go only one way or lie in the past."""
    return [gate for gate in _gates(site, sources) if gate.chance < 1 or gate.others]


def _gates(site: Site, sources: Sources) -> Iterator[Gate]:
    spec, world = site.spec, site.world
    path = f"sites.{site.id}"
    draws = PlanDraws()
    for name, stream in spec.diligence.items() if not site.is_given("diligence_complete") else ():
        remedy, fail = stream.remedy.value, stream.fail.value
        ways = {"pass": ("passes", 1 - remedy - fail), "remedy": ("remedy", remedy), "fail": ("fails", fail)}
        likely = ways.pop(draws.outcome("", remedy, fail))
        others = ", ".join(f"{words} {_percent(chance)}" for words, chance in ways.values() if chance > 0)
        field = "fail" if fail else "remedy"
        yield Gate(name, likely[0], likely[1], others, sources.source(f"{path}.diligence.{name}.{field}"))
    if spec.negotiation.fail.value and not site.is_given("negotiated"):
        source = sources.source(f"{path}.negotiation.fail")
        yield _two("negotiation", "succeeds", "fails", 1 - spec.negotiation.fail.value, source)
    if site.needs_guarantor and spec.guarantee is not None and not site.is_given("guarantee_signed"):
        for id in spec.guarantee.asked:
            guarantor = world.guarantors[id].spec
            base = f"parties.{id}.guarantee"
            if guarantor.framework is not None:
                source = sources.source(f"{base}.framework.chance")
                yield _two(f"framework of {id}", "signed", "fails", guarantor.framework.chance.value, source)
            source = sources.source(f"{base}.approval.chance")
            yield _two(f"approval by {id}", "granted", "refused", guarantor.approval.chance.value, source)
    for id in spec.financing.lenders if spec.financing is not None and not site.is_given("financial_close") else ():
        source = sources.source(f"parties.{id}.lending.takes_part")
        yield _two(f"lender {id}", "takes part", "stays out", world.lenders[id].spec.takes_part.value, source)
    for phase in site.phases.values():
        of = f" ({phase.id})" if len(site.phases) > 1 else ""
        below = f"sites.{site.id}.phases.{phase.id}.construction"
        for id, order in phase.construction.orders.items() if "equipment_on_site" not in phase.given else ():
            source = sources.source(f"{below}.equipment.{id}.slot")
            if order.spec.slot.value > 0:
                yield _two(f"slot for {id}{of}", "held", "not held", order.spec.slot.value, source)
        retest = phase.works.commissioning.retest.value
        if retest and "commissioned" not in phase.given:
            source = sources.source(f"{below}.commissioning.retest")
            yield _two(f"commissioning{of}", "passes", "tested again", 1 - retest, source)


def _two(name: str, good: str, bad: str, chance: float, source: str | None) -> Gate:
    """A gate with two sides; the plan takes the good one unless the bad one is likelier."""
    likely, other, share = (bad, good, 1 - chance) if PlanDraws().fails("", 1 - chance) else (good, bad, chance)
    return Gate(name, likely, share, f"{other} {_percent(1 - share)}" if share < 1 else "", source)


def _percent(chance: float) -> str:
    return f"{round(100 * chance, 1):g} %"
