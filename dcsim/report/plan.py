"""The plan as text: a table of steps for each site, then what could go otherwise and what could have taken longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dcsim.report.text import WIDTH, clip, clip_left, listed, number, percent, table, wrap
from dcsim.study.explain import PhasePlan, Plan, SitePlan, Step

DAY = 1440
MOST_LOTS = 6
LONGEST_STEP = 24
LONGEST_PATH = 30


def plan_text(plan: Plan) -> str:
    """The plan in at most 80 columns."""
    lines = [
        clip(plan.title or plan.name, WIDTH),
        f"The plan: every number at its median. Day 0 is {plan.start.isoformat()}.",
        *wrap(plan.note, 0),
    ]
    if plan.left_out:
        lines += listed("Left out:", plan.left_out, indent=0, hanging=2)
    for site in plan.sites:
        lines += ["", *_site(plan, site)]
    return "\n".join(lines)


def _site(plan: Plan, site: SitePlan) -> Iterable[str]:
    where = f", {site.region}" if site.region else ""
    phases = f", {len(site.phases)} phases" if len(site.phases) > 1 else ""
    yield clip(f"{site.site}: {number(site.mw)} MW{phases}, {site.developer} for {site.tenant}{where}", WIDTH)
    yield from _steps(plan, site)
    for group in _alike(site.phases):
        yield from _phases(plan, group, len(site.phases) > 1)
    yield from _gates(site)
    yield from _laws(site)


# ---- steps --------------------------------------------------------------------------------------------------------


def _steps(plan: Plan, site: SitePlan) -> Iterable[str]:
    """What took time in columns; milestones in capitals over all of them."""
    names = [phase.phase for phase in site.phases]
    steps = _joined(site.steps, names)
    rows = [["step", "days", "cause", "source"]]
    for step in steps:
        if not step.milestone:
            sources = ", ".join(dict.fromkeys(n.source or "guess" for n in step.numbers))
            rows.append([clip(step.name, LONGEST_STEP), number((step.end - step.begin) / DAY), step.cause, sources])
    lines = iter(table(rows, right=[1], indent=0, give=3, columns=WIDTH - 24))
    yield f"  {'day':>5}  {'date':10}     {next(lines)}"
    for step in steps:
        prefix = f"  {number(step.end / DAY):>5}  {plan.date_of(step.end).isoformat()}  "
        if step.milestone:
            first, *rest = wrap(step.name.replace("_", " ").upper(), 0, WIDTH - len(prefix))
            yield prefix + first
            yield from (" " * len(prefix) + line for line in rest)
        else:
            yield f"{prefix}{'*' if step.critical else ' '}  {next(lines)}"
    yield "  * on the way to the last racks: a day more there is a day later"


def _joined(steps: Iterable[Step], phases: list[str]) -> list[Step]:
    """Steps that several phases take alike in one line, and milestones of one minute in one."""
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        same = step.begin, step.end, step.name, step.cause, step.milestone, step.critical
        groups.setdefault(same if step.phase else (id(step),), []).append(step)
    out: list[Step] = []
    for group in groups.values():
        first, of = group[0], [step.phase for step in group if step.phase]
        who = "" if len(phases) == 1 or not of else "all " if len(of) == len(phases) else "+".join(of) + " "
        last = out[-1] if out else None
        if first.milestone and last is not None and last.milestone and (last.end, last.who) == (first.end, who):
            out[-1] = replace(last, name=f"{last.name}, {first.name}")
        else:
            out.append(replace(first, name=f"{who}{first.name}", who=who))
    return out


# ---- phases -------------------------------------------------------------------------------------------------------


def _alike(phases: Iterable[PhasePlan]) -> list[list[PhasePlan]]:
    """Phases of one plan together."""
    groups: dict[PhasePlan, list[PhasePlan]] = {}
    for phase in phases:
        groups.setdefault(replace(phase, phase=""), []).append(phase)
    return list(groups.values())


def _phases(plan: Plan, group: list[PhasePlan], several: bool) -> Iterable[str]:
    phase = group[0]
    of = f"{', '.join(p.phase for p in group)}: " if several else ""
    if phase.ready is None:
        yield f"  {of}not ready for service by {plan.horizon.isoformat()}: {phase.state}"
    for join in dict.fromkeys(slack.join for slack in phase.slacks):
        spare = [s for s in phase.slacks if s.join == join and s.minutes > 0]
        if spare:
            yield from listed(f"{of}slack at {join}:", [f"{s.name} {number(s.minutes / DAY)} d" for s in spare])
    if len(phase.lots) > 1:
        yield f"  {of}lots, by day"
        rows = [["lot", "MW", "delivered", "installed", "live"]]
        for lot in phase.lots:
            days = ["-" if m is None else number(m / DAY) for m in (lot.delivered, lot.installed, lot.live)]
            rows.append([str(lot.number), number(lot.mw), *days])
        if len(rows) > MOST_LOTS + 1:
            left = len(rows) - MOST_LOTS
            rows = [*rows[: MOST_LOTS - 1], [f"({left} more)"], rows[-1]]
        yield from table(rows, right=[1, 2, 3, 4], indent=4)
    if phase.ready is not None and phase.full_live is None:
        yield f"  {of}not wholly live by {plan.horizon.isoformat()}"


# ---- gates and laws -----------------------------------------------------------------------------------------------


def _gates(site: SitePlan) -> Iterable[str]:
    if site.gates:
        yield ""
        head = ["gates", "the plan's way", "other ways", "source"]
        rows = [[g.name, f"{g.likely} {percent(g.chance)}", g.others, g.source or "guess"] for g in site.gates]
        yield from table([head, *rows], give=0)


def _laws(site: SitePlan) -> Iterable[str]:
    """Numbers that vary, in days unless their names say otherwise; what phases have in common stands once."""
    rows = {}
    for n in site.numbers:
        if n.p10 == n.p90:
            continue
        path = n.path.removeprefix(f"sites.{site.site}.")
        if path.startswith("phases."):
            path = path.split(".", 2)[2]
        quantiles = [number(n.p10), number(n.median), number(n.p90)]
        rows[path, *quantiles] = [clip_left(path, LONGEST_PATH), n.law, *quantiles, n.source or "guess"]
    if rows:
        yield ""
        head = ["numbers that vary, in days", "law", "P10", "median", "P90", "source"]
        yield from table([head, *rows.values()], right=[2, 3, 4], give=5)
