"""What the days went to: the delays table by cause, against the plan, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dcsim.errors import UsageError, suggest
from dcsim.model.history import CAUSES
from dcsim.stats import Estimate, Floats, column_quantiles, mean, paired_difference

if TYPE_CHECKING:
    import pandas as pd

    from dcsim.study.result import Result

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class CauseDays:
    """Days of one cause, per phase.

    `days` is the mean over replications of the mean over phases; `planned` the same on the plan (None without one);
    `late` their difference; `quantiles` those of a replication's mean, at P10, P50 and P90. `mw_days` is the mean a
    replication, `share` its part of the MW-days of all causes.
    """

    cause: str
    days: Estimate
    planned: float | None
    late: Estimate | None
    quantiles: tuple[Estimate, ...]
    mw_days: float
    share: float


@dataclass(frozen=True, slots=True)
class Delays:
    """Causes in the order of the table, and what they are counted over.

    Phases that ended (rejected, lost, ...) are left out: their trails are short because they ended, not because they
    were quick. Phases open at the horizon are in, with their days up to it: `open_share` of the trails counted.
    `ended_share` is the part of all trails left out. `n` is the number of replications with at least one phase counted.
    """

    causes: tuple[CauseDays, ...]
    n: int
    phases: int
    open_share: float
    ended_share: float
    days: Estimate | None
    late: Estimate | None

    def latest(self, count: int = 3) -> list[CauseDays]:
        """The causes that take most longer than planned, at most `count`; without a plan, those that take longest."""
        if all(cause.late is None for cause in self.causes):
            return sorted(self.causes, key=lambda c: -c.days.value)[:count]
        late = [(cause.late.value, cause) for cause in self.causes if cause.late is not None]
        ranked = sorted(late, key=lambda pair: -pair[0])
        return [cause for value, cause in ranked if value > 1e-9][:count]


def delays_of(result: Result, site: str | None = None) -> Delays:
    """The delays of a run, of one site or all.

    Raises `UsageError` for a site that is not in the table, or results without the table.
    """
    frame = result.table("delays")
    ended = _ended(result)
    if site is not None:
        known = list(dict.fromkeys(frame["site"]))
        if site not in known:
            raise UsageError(f"no site {site!r} in these results{suggest(site, known)}")
        frame = frame[frame["site"] == site]
    return summarise_delays(frame, ended)


def days_since_1970(dates: pd.Series[Any]) -> Floats:
    """Days since 1970-01-01 of a column of dates, `inf` where there is none."""
    days = dates.to_numpy("datetime64[D]").astype(np.int64).astype(np.float64)
    days[dates.isna().to_numpy()] = math.inf
    return days


def _ended(result: Result) -> set[tuple[int, str, str]]:
    """(replication, site, phase) of phases that ended; empty where the run kept no milestones."""
    if "milestones" not in result.manifest["tables"]:
        return set()
    rows = result.table("milestones", ["replication", "site", "phase", "milestone"])
    rows = rows[(rows["milestone"] == "ended") & rows["phase"].notna()]
    return set(zip(rows["replication"].tolist(), rows["site"], rows["phase"], strict=True))


def summarise_delays(frame: pd.DataFrame, ended: set[tuple[int, str, str]]) -> Delays:
    """The same for rows of the table, with the phases that ended."""
    keys = list(zip(frame["replication"].tolist(), frame["site"], frame["phase"], strict=True))
    reached = frame["reached"].tolist()
    out = [not live and key in ended for key, live in zip(keys, reached, strict=True)]
    trails = dict(zip(keys, zip(reached, out, strict=True), strict=True))
    kept = frame[~np.array(out, bool)]
    counted = {key: live for key, (live, gone) in trails.items() if not gone}
    phases = len({key[1:] for key in trails})
    if not counted:
        return Delays((), 0, phases, 0.0, 1.0 if trails else 0.0, None, None)
    per_replication: dict[int, int] = {}
    for number, _, _ in counted:
        per_replication[number] = per_replication.get(number, 0) + 1
    numbers = sorted(per_replication)
    count = np.array([per_replication[number] for number in numbers], np.float64)
    causes = [cause for cause in CAUSES if (kept["cause"] == cause).any()]
    planned = not kept["planned_days"].isna().all()
    days = _matrix(kept, "days", numbers, causes) / count[:, None]
    plan = _matrix(kept, "planned_days", numbers, causes) / count[:, None] if planned else None
    energy = _matrix(kept, "mw_days", numbers, causes)
    total = float(energy.sum()) or 1.0
    quantiles = column_quantiles(days, QUANTILES)
    return Delays(
        causes=tuple(
            CauseDays(
                cause=cause,
                days=mean(days[:, i]),
                planned=None if plan is None else float(plan[:, i].mean()),
                late=None if plan is None else paired_difference(days[:, i], plan[:, i]),
                quantiles=tuple(quantiles[i]),
                mw_days=float(energy[:, i].mean()),
                share=float(energy[:, i].sum()) / total,
            )
            for i, cause in enumerate(causes)
        ),
        n=len(numbers),
        phases=phases,
        open_share=sum(not live for live in counted.values()) / len(counted),
        ended_share=1 - len(counted) / len(trails),
        days=mean(days.sum(axis=1)),
        late=None if plan is None else paired_difference(days.sum(axis=1), plan.sum(axis=1)),
    )


def _matrix(frame: pd.DataFrame, column: str, numbers: Sequence[int], causes: Sequence[str]) -> Floats:
    """Sums over phases: a row is a replication, a column a cause."""
    wide = frame.pivot_table(index="replication", columns="cause", values=column, aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(index=list(numbers), columns=list(causes), fill_value=0.0)
    return np.asarray(wide.fillna(0.0).to_numpy(), np.float64)
