"""The answers of a run as plain data: what the terminal shows, and what `dcsim run --json` prints.

Keys of the object, stable within a `format`:

- `format`: 1.
- `scenario`: `name`, `title`, `hash`. `seed`, `start`, `horizon`, `status` (`complete`, `interrupted`, `failed`),
  `replications`: `asked`, `done`, `failed`. `directory`: where the tables are (null if they were not kept).
- `live_mw`: a list of `tenant`, `date`, and `p10`, `p50`, `p90` of the MW live at the end of that date.
- `ready_mw`: the same of the MW ready for service; empty unless no chips are ordered, and so nothing is ever live.
- `targets`: a list of `tenant`, `mw`, `chance` of having been live by the horizon, and `p10`, `p50`, `p90` of the date.
- `committed`: a list of `tenant`, `site`, `phase` (null for the site), `milestone`, `date`, `chance` of being on time.
- `end_states`: a list of `tenant`, `state`, `mw` (mean).
- `causes`: what took longest beyond the plan: `cause`, `days` and `late_days` (mean per phase that did not end),
  `planned_days` (null without a plan), `mw_days` (mean a replication), `share` of all MW-days.
- `delays`: the same for all causes together, with `open_share`, the part of the phases counted whose days are cut off
  at the horizon, and `ended_share`, the part left out because they ended; null where no phase is counted.
- `expect`: a list of `id`, `expression`, `verdict` (`pass`, `fail`, `undecided`), `unit`, `value`, `low` and `high` (of
  the statistic; dates as text; null where not reached, or without an interval), `of_difference` (whether that is the
  statistic of left less right), `n`, `note`, and `found`, the same in words.
- `money`: what compute costs, what cash does, what guarantors and lenders carry: see `dcsim.report.money`.
- `warnings`: a list of texts.

An estimate is an object of `value`, `low`, `high` (its 95 % Monte Carlo interval, null where there are too few
replications for one), `n` and `note`. A date is one of `date`, `low`, `high`, where null means after the horizon, with
`reached` (the share that gets there) and `note`, which is empty unless there is no interval.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from dcsim.report.expect import expect_data
from dcsim.report.money import money_of
from dcsim.report.text import percent
from dcsim.stats import FEW_FOR_MEAN, Estimate, mean, needed_for_quantile, quantile, share
from dcsim.study.dates import DateEstimate, estimate_date
from dcsim.study.delays import CauseDays, Delays, days_since_1970, delays_of
from dcsim.study.expect import Judged
from dcsim.study.result import Result
from dcsim.tables.layout import ScenarioLike
from dcsim.tables.schema import target_name, year_ends

QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
MANY_PENDING = 0.2
"""Share of the MW still open at the horizon from which the answers are mostly about the horizon."""


def summarise(result: Result, scenario: ScenarioLike, expectations: Sequence[Judged] = ()) -> dict[str, Any]:
    """The answers of a run, with the verdicts on what was expected. Tables that were not kept leave their parts empty.
    """
    manifest = result.manifest
    kept = set(manifest["tables"])
    outcomes = result.table("outcomes") if "outcomes" in kept and result.replications else None
    delays = delays_of(result) if "delays" in kept and result.replications else None
    summary: dict[str, Any] = {
        "format": 1,
        "scenario": dict(manifest["scenario"]),
        "seed": manifest["seed"],
        "start": manifest["start"],
        "horizon": manifest["horizon"],
        "status": result.status,
        "replications": {**manifest["replications"], "failed": len(result.failures)},
        "directory": str(result.directory),
        "live_mw": [] if outcomes is None else _live(outcomes, scenario),
        "ready_mw": _ready(result, scenario) if "capacity" in kept and result.replications else [],
        "targets": [] if outcomes is None else _targets(outcomes, scenario),
        "committed": _committed(result, scenario) if "milestones" in kept and result.replications else [],
        "end_states": [] if outcomes is None else _end_states(outcomes, scenario),
        "causes": [] if delays is None else [_cause(cause) for cause in delays.latest()],
        "delays": None if delays is None or delays.days is None else _all_causes(delays),
        "expect": [expect_data(judged) for judged in expectations],
    }
    summary["money"] = money_of(result, scenario)
    summary["warnings"] = _warnings(result, summary, delays)
    return summary


def _live(outcomes: Any, scenario: ScenarioLike) -> list[dict[str, Any]]:
    ends = [(day, f"live_mw_{day.year}") for day in year_ends(scenario.start, scenario.horizon)]
    if not ends or ends[-1][0] != scenario.horizon:
        ends.append((scenario.horizon, "live_mw_at_horizon"))
    return [
        {
            "tenant": tenant,
            "date": day.isoformat(),
            **{name: plain(quantile(rows[column].to_numpy(), q)) for name, q in QUANTILES.items()},
        }
        for tenant in scenario.tenants
        for rows in [outcomes[outcomes["tenant"] == tenant]]
        for day, column in ends
    ]


def _ready(result: Result, scenario: ScenarioLike) -> list[dict[str, Any]]:
    """Where no chips are ordered, the shells are what there is to tell."""
    spec = getattr(scenario, "spec", None)
    if spec is None or spec.chips.orders:
        return []
    capacity = result.table("capacity")
    days = capacity["month"].astype(str).str[:10]
    return [
        {
            "tenant": tenant,
            "date": day.isoformat(),
            **{name: plain(quantile(rows["ready_mw"].to_numpy(), q)) for name, q in QUANTILES.items()},
        }
        for tenant in scenario.tenants
        for day in year_ends(scenario.start, scenario.horizon)
        for rows in [capacity[(capacity["tenant"] == tenant) & (days == day.isoformat())]]
        if len(rows)
    ]


def _targets(outcomes: Any, scenario: ScenarioLike) -> list[dict[str, Any]]:
    found = []
    for tenant in scenario.tenants:
        rows = outcomes[outcomes["tenant"] == tenant]
        for mw in scenario.targets(tenant):
            days = days_since_1970(rows[target_name(mw)])
            estimates = {name: estimate_date(days, q, scenario.horizon) for name, q in QUANTILES.items()}
            found.append(
                {
                    "tenant": tenant,
                    "mw": mw,
                    "chance": plain(estimates["p50"].share),
                    **{name: plain_date(estimate) for name, estimate in estimates.items()},
                }
            )
    return found


def _committed(result: Result, scenario: ScenarioLike) -> list[dict[str, Any]]:
    if not scenario.committed:
        return []
    columns = ["replication", "tenant", "site", "phase", "lot", "milestone", "date"]
    rows = result.table("milestones", columns)
    rows = rows[rows["lot"].isna()]
    tenant_of = dict(zip(rows["site"], rows["tenant"], strict=True))
    found = []
    for (site, phase, milestone), date in scenario.committed.items():
        mine = rows[(rows["site"] == site) & (rows["milestone"] == milestone)]
        mine = mine[mine["phase"].isna() if phase is None else mine["phase"] == phase]
        on_time = mine.loc[days_since_1970(mine["date"]) <= (date - dt.date(1970, 1, 1)).days, "replication"].nunique()
        found.append(
            {
                "tenant": tenant_of.get(site),
                "site": site,
                "phase": phase,
                "milestone": milestone,
                "date": date.isoformat(),
                "chance": plain(share(int(on_time), result.replications)),
            }
        )
    return found


def _end_states(outcomes: Any, scenario: ScenarioLike) -> list[dict[str, Any]]:
    found = []
    for tenant in scenario.tenants:
        rows = outcomes[outcomes["tenant"] == tenant]
        for column in [name for name in rows.columns if name.startswith("mw_")]:
            values = rows[column].to_numpy()
            if values.any():
                found.append({"tenant": tenant, "state": column.removeprefix("mw_"), "mw": plain(mean(values))})
    return found


def _cause(cause: CauseDays) -> dict[str, Any]:
    return {
        "cause": cause.cause,
        "days": plain(cause.days),
        "planned_days": cause.planned,
        "late_days": None if cause.late is None else plain(cause.late),
        "mw_days": cause.mw_days,
        "share": cause.share,
    }


def _all_causes(delays: Delays) -> dict[str, Any]:
    planned = [cause.planned for cause in delays.causes if cause.planned is not None]
    assert delays.days is not None
    return {
        "days": plain(delays.days),
        "planned_days": sum(planned) if delays.late is not None else None,
        "late_days": None if delays.late is None else plain(delays.late),
        "mw_days": sum(cause.mw_days for cause in delays.causes),
        "share": 1.0,
        "open_share": delays.open_share,
        "ended_share": delays.ended_share,
    }


def _warnings(result: Result, summary: dict[str, Any], delays: Delays | None) -> list[str]:
    n = result.replications
    asked = summary["replications"]["asked"]
    found = []
    if result.status == "interrupted":
        found.append(f"interrupted: these are the first {n} of {asked} replications")
    if result.failures:
        first, count = result.failures[0], len(result.failures)
        found.append(f"{count} of {asked} replications failed, the first of them {first.replication}: {first.error}")
    missing = sum(last - first + 1 for first, last in result.manifest["missing"])
    if missing and result.status == "failed":
        found.append(f"{missing} of {asked} replications were lost: {result.manifest['error']}")
    needed = needed_for_quantile(0.9)
    if n > 1 and n < needed:
        found.append(f"too few replications ({n}) for intervals of P10 and P90, which take {needed}")
    elif 1 < n < FEW_FOR_MEAN:
        found.append(f"fewer than {FEW_FOR_MEAN} replications: intervals of means are too narrow if results are skewed")
    total = sum(row["mw"]["value"] for row in summary["end_states"])
    pending = sum(row["mw"]["value"] for row in summary["end_states"] if row["state"] == "pending")
    if total and pending / total >= MANY_PENDING:
        found.append(
            f"{percent(pending / total)} of the MW are still under way at the horizon: dates and days are cut off there"
        )
    return found


def plain(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it."""
    return {
        "value": _finite(estimate.value),
        "low": _finite(estimate.low),
        "high": _finite(estimate.high),
        "n": estimate.n,
        "note": estimate.note,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def plain_date(estimate: DateEstimate) -> dict[str, Any]:
    """A date estimate as JSON has it; null dates lie after the horizon."""
    dates = {"date": estimate.date, "low": estimate.low, "high": estimate.high}
    return {
        **{name: None if day is None else day.isoformat() for name, day in dates.items()},
        "reached": estimate.share_reached,
        "note": estimate.note,
    }
