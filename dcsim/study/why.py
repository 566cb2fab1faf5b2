"""Why it was late: days by cause, one replication link by link, and what a cause less would save."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dcsim.errors import UsageError
from dcsim.model.history import History, PhaseEnd, TrailRecord
from dcsim.stats import Estimate, Floats, mean, paired_difference, quantile_index, share
from dcsim.study.delays import Delays, days_since_1970, delays_of
from dcsim.study.model import default_model
from dcsim.study.run import simulate
from dcsim.study.without import without
from dcsim.tables.layout import charged
from dcsim.tables.schema import target_name

if TYPE_CHECKING:
    from dcsim.scenario.scenario import Scenario
    from dcsim.study.result import Result

Report = Callable[[int, int], object]

REPLAYED = 100
"""Replications simulated again to find out which activities are critical: the tables do not say."""


@dataclass(frozen=True, slots=True)
class Critical:
    """How often something lies on a phase's trail: the share of replications, averaged over phases where several."""

    name: str
    cause: str
    share: Estimate


@dataclass(frozen=True, slots=True)
class Why:
    """Where the days of a run went. `critical` is over `replayed` replications, most often critical first."""

    site: str | None
    delays: Delays
    critical: tuple[Critical, ...]
    replayed: int


def why(
    result: Result,
    scenario: Scenario,
    site: str | None = None,
    replayed: int = REPLAYED,
    progress: Report | None = None,
) -> Why:
    """Days by cause, and how often each activity is on the trail, of one site or all.

    `scenario` is the one that was run. Its first `replayed` replications are simulated again for the second part; with
    0 it is left out. Raises `UsageError` for an unknown site or missing tables.
    """
    delays = delays_of(result, site)
    done = [number for number in _numbers(result) if number < replayed]
    return Why(site, delays, tuple(_critical(scenario, done, site, progress)), len(done))


def _numbers(result: Result) -> list[int]:
    """The replications that the tables hold."""
    rows = result.table("delays", ["replication"])["replication"]
    return sorted(set(rows.tolist()))


def _critical(
    scenario: Scenario, replications: list[int], site: str | None, progress: Report | None
) -> list[Critical]:
    """Everything that may lie on a trail, with the share of phases on whose trail it does."""
    if not replications:
        return []
    replicate = default_model().prepare(scenario, scenario.seed)
    n = len(replications)
    on: dict[tuple[str, str], Floats] = {}
    phases = 0
    for row, number in enumerate(replications):
        ends = [end for end in replicate(number, False).phases if site in (None, end.site)]
        phases = len(ends)
        for end in ends:
            found = {(_short(who, end), cause) for _, cause, who in end.trail[1:]}
            never = [(name, "") for name, _ in end.activities if name not in {name for name, _ in found}]
            for key in never:
                on.setdefault(key, np.zeros(n))
            for key in found:
                on.setdefault(key, np.zeros(n))[row] += 1
        if progress is not None:
            progress(row + 1, n)
    named = {name for name, cause in on if cause}
    shares = [
        Critical(name, cause, share(int(count.sum()), n) if phases == 1 else mean(count / phases))
        for (name, cause), count in on.items()
        if cause or name not in named
    ]
    return sorted(shares, key=lambda c: (-c.share.value, c.cause, c.name))


def _short(who: str, end: PhaseEnd) -> str:
    """A name without the site or phase before it; the lots of a phase are one thing."""
    for prefix in (f"{end.site}.{end.phase}", end.site):
        if who == prefix:
            return "site itself" if who == end.site else "phase itself"
        if who.startswith(prefix + " "):
            who = who[len(prefix) + 1 :]
            break
    return "lots" if who.startswith("lot ") else who


# ---- one replication ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrailLink:
    """A wait or an activity on a trail: minutes in which it began and ended, its cause, and who."""

    begin: int
    end: int
    cause: str
    who: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The replication at a quantile of a date, and the trail that made that date what it is.

    `what` says which date; `day` is None where it is not reached by the horizon. `planned` are minutes by cause on the
    trail of the same phase in the plan.
    """

    what: str
    quantile: float
    replication: int
    n: int
    day: dt.date | None
    start: dt.date
    horizon: dt.date
    site: str
    phase: str
    state: str
    links: tuple[TrailLink, ...]
    planned: dict[str, int]
    ends: tuple[PhaseEnd, ...]
    """Every phase of the tenant (of the site) in that replication."""

    @property
    def minutes(self) -> dict[str, int]:
        """Minutes by cause."""
        found: dict[str, int] = {}
        for link in self.links:
            found[link.cause] = found.get(link.cause, 0) + link.end - link.begin
        return found


def at_quantile(result: Result, scenario: Scenario, quantile: float, site: str | None = None) -> Explained:
    """The replication at a quantile of the date, link by link.

    The date is that of full live of the site, of its last phase; without a site it is the date of the largest target
    of the (first) tenant that is reached at that quantile, of the smallest if none is, and of its first live MW without
    targets. Replications that do not get there count as later than all others. Raises `UsageError`.
    """
    if not 0 < quantile < 1:
        raise UsageError(f"a quantile lies between 0 and 1, got {quantile:g}")
    tenant = scenario.spec.sites[site].tenant if site in scenario.spec.sites else scenario.tenants[0]
    if site is not None:
        what, mw, (numbers, days) = f"full live of {site}", 0.0, _site_days(result, site)
    else:
        what, mw, numbers, days = _tenant_days(result, scenario, tenant, quantile)
    place = int(np.lexsort((numbers, days))[quantile_index(len(days), quantile)])
    replication, day = int(numbers[place]), float(days[place])
    model = default_model()
    history = model.prepare(scenario, scenario.seed)(replication, False)
    minute = None if math.isinf(day) else _minute(history, tenant, site, mw)
    end, lot, trail = _that_made_it(history, tenant, site, minute)
    plan = model.plan(scenario) if model.plan is not None else None
    same = [e for e in plan.phases if (e.site, e.phase) == (end.site, end.phase)] if plan is not None else []
    planned = _trail(same[0], lot) if same else ()
    if "repair" not in [cause for _, cause, _ in trail]:  # then the plan's comes to the same point without it
        planned = planned[: len(planned) - sum(cause == "repair" for _, cause, _ in planned)]
    return Explained(
        what=what,
        quantile=quantile,
        replication=replication,
        n=len(days),
        day=None if math.isinf(day) else dt.date(1970, 1, 1) + dt.timedelta(days=day),
        start=scenario.start,
        horizon=scenario.horizon,
        site=end.site,
        phase=end.phase,
        state=end.state,
        links=tuple(TrailLink(a[0], b[0], b[1], b[2]) for a, b in pairwise(trail)),
        planned=charged(planned),
        ends=tuple(e for e in history.phases if e.tenant == tenant and site in (None, e.site)),
    )


def _site_days(result: Result, site: str) -> tuple[Floats, Floats]:
    """Replications, and days since 1970-01-01 on which the last phase of the site is fully live."""
    delays_of(result, site)  # complains about a site that is not there
    columns = ["replication", "site", "phase", "lot", "milestone", "date"]
    rows = result.table("milestones", columns)
    phases = rows.loc[(rows["site"] == site) & rows["phase"].notna(), "phase"].nunique()
    rows = rows[(rows["site"] == site) & (rows["milestone"] == "full_live")]
    days = days_since_1970(rows["date"])
    reached: dict[int, list[float]] = {}
    for number, day in zip(rows["replication"].tolist(), days.tolist(), strict=True):
        reached.setdefault(number, []).append(day)
    found = dict.fromkeys(_numbers(result), math.inf)
    found.update({number: max(each) for number, each in reached.items() if len(each) == phases})
    numbers = np.array(list(found), np.float64)
    return numbers, np.array(list(found.values()), np.float64)


def _tenant_days(
    result: Result, scenario: Scenario, tenant: str, quantile: float
) -> tuple[str, float, Floats, Floats]:
    """In words, MW, replications and days since 1970-01-01 of a target of a tenant."""
    rows = result.table("outcomes")
    rows = rows[rows["tenant"] == tenant]
    numbers = rows["replication"].to_numpy().astype(np.float64)
    found = []
    for mw in sorted(scenario.targets(tenant)):
        found.append((f"{mw:g} MW live ({tenant})", mw, days_since_1970(rows[target_name(mw)])))
    if not found:
        found = [(f"first live MW ({tenant})", 1e-6, days_since_1970(rows["date_first_live"]))]
    place = quantile_index(len(numbers), quantile)
    reached = [entry for entry in found if math.isfinite(np.sort(entry[2])[place])]
    what, mw, days = reached[-1] if reached else found[0]
    return what, mw, numbers, days


def _minute(history: History, tenant: str, site: str | None, mw: float) -> int | None:
    """The minute in which the last phase of the site is fully live, or so many MW of the tenant are first live."""
    if site is not None:
        full = [m for _, of, _, lot, name, m in history.milestones if (of, lot, name) == (site, None, "full_live")]
        return max(full, default=None)
    live = 0.0
    changes = [(minute, delta) for minute, of, measure, delta in history.changes if (of, measure) == (tenant, "live")]
    for minute, delta in sorted(changes, key=lambda change: change[0]):
        live += delta
        if live >= mw - 1e-9:
            return minute
    return None


def _that_made_it(
    history: History, tenant: str, site: str | None, minute: int | None
) -> tuple[PhaseEnd, int | None, TrailRecord]:
    """The phase, lot and trail of what went live in a minute, up to it; without one the phase that ends last."""
    ends = [end for end in history.phases if end.tenant == tenant and site in (None, end.site)]
    if not ends:
        raise UsageError(f"{tenant} has no site" if site is None else f"{site} has no phase")
    if minute is None:
        end = max([end for end in ends if not end.reached] or ends, key=lambda end: end.minute)
        return end, None, end.trail
    found: list[tuple[int, PhaseEnd, int | None, TrailRecord]] = []
    for end in ends:
        for lot in [*range(len(end.lots)), None]:
            # Racks are accepted in the minute in which a link ends, and later links are of those that were not.
            trail = tuple(link for link in _trail(end, lot) if link[0] <= minute)
            if len(trail) > 1:
                found.append((trail[-1][0], end, lot, trail))
    _, end, lot, trail = max(found, key=lambda entry: entry[0]) if found else (0, ends[0], None, ends[0].trail)
    return end, lot, trail


def _trail(end: PhaseEnd, lot: int | None) -> TrailRecord:
    """The trail of a lot, or that of the phase."""
    return end.trail if lot is None or lot >= len(end.lots) else end.lots[lot][1]


# ---- without a cause ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saved:
    """What a cause set to nothing changes, replication by replication.

    `days`: by how many days the phases that go live either way do so earlier (mean over phases); None if there are
    none. `live` and `live_without`: MW-share of phases live by the horizon, and `gained` their difference.
    """

    cause: str
    site: str | None
    days: Estimate | None
    live: float
    live_without: float
    gained: Estimate
    replications: int


def saved_without(
    result: Result,
    scenario: Scenario,
    cause: str,
    site: str | None = None,
    progress: Report | None = None,
    workers: int | None = None,
) -> Saved:
    """Run the scenario again with a cause set to nothing and the same luck, and compare with `result`.

    Raises `UsageError` for a cause that does not exist, or of which the scenario has nothing.
    """
    edited = without(scenario, cause)
    other = simulate(edited, progress=progress, workers=workers, tables=["delays", "milestones"])
    before, after = _live_minutes(result, scenario, site), _live_minutes(other, edited, site)
    numbers = [number for number in before if number in after]
    phases = [(s, p, mw) for _, s, p, mw in scenario.sites if site in (None, s)]
    total = sum(mw for _, _, mw in phases)
    days, was, becomes = [], [], []
    for number in numbers:
        a, b = before[number], after[number]
        earlier = [a[s, p] - b[s, p] for s, p, _ in phases if (s, p) in a and (s, p) in b]
        if earlier:
            days.append(sum(earlier) / len(earlier))
        was.append(sum(mw for s, p, mw in phases if (s, p) in a) / total)
        becomes.append(sum(mw for s, p, mw in phases if (s, p) in b) / total)
    return Saved(
        cause=cause,
        site=site,
        days=paired_difference(days, [0.0] * len(days)) if days else None,
        live=float(np.mean(was)),
        live_without=float(np.mean(becomes)),
        gained=paired_difference(becomes, was),
        replications=len(numbers),
    )


def _live_minutes(result: Result, scenario: Scenario, site: str | None) -> dict[int, dict[tuple[str, str], float]]:
    """Day of full live of each phase that gets there, by replication."""
    found: dict[int, dict[tuple[str, str], float]] = {number: {} for number in _numbers(result)}
    rows = result.table("milestones", ["replication", "site", "phase", "milestone", "day"])
    rows = rows[rows["milestone"] == "full_live"]
    for number, s, p, day in zip(rows["replication"], rows["site"], rows["phase"], rows["day"], strict=True):
        if site in (None, s):
            found.setdefault(int(number), {})[s, p] = float(day)
    return found
