"""Where a site stands when time begins: milestones that the file gives, cover and loan in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dcsim.model.backing import Reservation, split
from dcsim.model.blueprint import dollars
from dcsim.model.credit import Panel, panels_of
from dcsim.model.guarantee import Cover
from dcsim.model.opening_loan import take_up_loan
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
    initial = site.spec.initial
    if initial is None:
        return
    panel = _opening_panel(site, given)
    if panel is not None:
        cap, terms = initial.cap, site.support.terms(panel)
        amounts = panel.offer(site.support.wanted(terms)) if cap is None else split(dollars(cap.value), panel.shares)
        reserved = [Reservation.opening(g, site.tenant, n) for g, n in zip(panel.guarantors, amounts, strict=True)]
        site.cover = Cover(site, reserved, terms)
    if initial.loan is not None and site.financing is not None:
        take_up_loan(site.financing, given)


def _opening_panel(site: Site, given: dict[str, int]) -> Panel | None:
    """Who covers the site from the start: as written; else, until it has closed, those whom it would ask first."""
    initial, request = site.spec.initial, site.spec.guarantee
    assert initial is not None
    if initial.cap is None and ("financial_close" in given or "guarantee_signed" not in given):
        return None
    if initial.guarantor is not None:
        return Panel((site.world.guarantors[initial.guarantor],), (1.0,))
    return panels_of(site)[0] if site.needs_guarantor and request is not None else None
