"""Where a site stands when time begins: milestones that the file gives, cover and loan in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dcsim.model.blueprint import dollars
from dcsim.model.credit import Cover
from dcsim.network.contracts import Contract
from dcsim.scenario.fields import SITE_MILESTONES

if TYPE_CHECKING:
    from dcsim.model.site import Site


def given_milestones(site: Site) -> dict[str, int]:
    """Minutes of the milestones in `initial`, and of those before them: at the latest when the next one is."""
    world, initial = site.world, site.spec.initial
    dated = {
        n: getattr(initial, n) for n in SITE_MILESTONES if initial is not None and getattr(initial, n) is not None
    }
    given = {name: world.when(when) for name, when in dated.items()}
    for name, minute in _actual_milestones(site):
        given.setdefault(name, minute)
    last = max((SITE_MILESTONES.index(n) for n in given), default=-1)
    if any(phase.spec.initial is not None for phase in site.phases.values()):
        last = max(last, SITE_MILESTONES.index("notice_to_proceed"))
    if last < 0:
        return {}
    loi = site.spec.loi
    if "loi_signed" not in given and loi is not None and loi.signed.dated:
        given["loi_signed"] = world.when(loi.signed)
    close = given.get("financial_close")
    if close is not None and last >= SITE_MILESTONES.index("notice_to_proceed"):
        given.setdefault("notice_to_proceed", close)
    following = min((minute for phase in site.phases.values() for minute in phase.given.values()), default=0)
    following = min(0, following)
    for name in reversed(SITE_MILESTONES[: last + 1]):
        if name != "guarantee_signed" or name in given or site.needs_guarantor:
            following = given.setdefault(name, following)
    if any("energised" in phase.given for phase in site.phases.values()):
        given.setdefault("energy_services", given["notice_to_proceed"])
    return given


def _actual_milestones(site: Site) -> Iterator[tuple[str, int]]:
    """What the actuals imply: all workstreams passed; what the negotiation waited for; that it is over."""
    blueprint, path = site.world.blueprint, f"sites.{site.id}"
    ends = [blueprint.finished(f"{path}.diligence.{name}") for name in site.spec.diligence]
    passed = [minute for minute in ends if minute is not None]
    if passed and len(passed) == len(ends):
        yield "diligence_complete", max(passed)
    talks = site.world.spec.actuals.get(f"{path}.negotiation")
    if talks is not None:
        for name in site.spec.negotiation.after or ("approved",):
            if name in SITE_MILESTONES:
                yield name, blueprint.minute_of(talks.started)
        if talks.finished is not None:
            yield "negotiated", blueprint.minute_of(talks.finished)


def open_positions(site: Site, given: dict[str, int]) -> None:
    """Cover and loan that stand since before the start."""
    initial, world = site.spec.initial, site.world
    if initial is None:
        return
    backer = _opening_guarantor(site, given)
    if backer is not None:
        guarantor = world.guarantors[backer]
        cap = initial.cap
        amount = dollars(cap.value) if cap is not None else guarantor.offer(site.cover_wanted())
        guarantor.book_opening(amount)
        site.cover = Cover(site, guarantor, amount, None)
    if initial.loan is not None and site.financing is not None:
        missing = dollars(initial.loan.value)
        for id in site.financing.spec.lenders:
            left = world.lenders[id].left(site.tenant, None)
            take = missing if left is None or id == site.financing.spec.lenders[-1] else min(left, missing)
            if take > 0:
                world.book.open(
                    Contract(
                        "loan",
                        f"loan:{site.id}:{id}",
                        site.developer,
                        id,
                        take,
                        min(0, given["loi_signed"]),
                        site=site.id,
                        tenant=site.tenant,
                        guarantor=backer,
                    )
                )
                missing -= take
        site.financing.loan = dollars(initial.loan.value)


def _opening_guarantor(site: Site, given: dict[str, int]) -> str | None:
    """Who covers the site from the start: as written; else, until it has closed, the first whom it would ask."""
    initial, request = site.spec.initial, site.spec.guarantee
    assert initial is not None
    if initial.cap is None and ("financial_close" in given or "guarantee_signed" not in given):
        return None
    if initial.guarantor is None and site.needs_guarantor and request is not None:
        return request.guarantors[0]
    return initial.guarantor
