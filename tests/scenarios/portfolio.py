"""The letters of scenarios/anthropic-2026.yaml: build times, how many become leases, growth of campuses, cost.

Public facts carry the ids of that file's `sources:`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import build_times
import pandas as pd
import pyarrow.parquet as pq
from build_times import MONTH
from spreads import Kind, Row, Spread, kaplan_meier, number, spread

import dcsim
from dcsim.stats import mean

FILE = Path(__file__).parents[2] / "scenarios" / "anthropic-2026.yaml"


def run(replications: int, seed: int | None) -> dcsim.Result:
    """The run that all other tables are read from."""
    tables = ("outcomes", "milestones", "events")
    return dcsim.simulate(dcsim.load(FILE), replications, seed, tables=tables, trace=True)


def kinds_of_letters(result: dcsim.Result) -> dict[str, str]:
    """Each letter's site, and which kind it is."""
    found = {}
    for site, entry in result.scenario.spec.sites.items():
        if "letters" in entry.tags:
            if "shell" not in entry.construction.activities:
                found[site] = "brownfield"
            elif entry.construction.bridge is not None:
                found[site] = "bridged"
            else:
                found[site] = "in study" if "waits-for-grid" in entry.tags else "approved"
    return found


def site_times(result: dcsim.Result) -> pd.DataFrame:
    """A row is a letter's site whose works have started in a replication.

    `start`: day of the first building activity; `proceed`: day of notice to proceed; `ready`, `live`: days of the first
    phase ready for service and of the first live MW; `until`: the horizon, or when the site ended; `last`: what the
    first live phase waited for last (building, equipment or power).
    """
    kinds = kinds_of_letters(result)
    columns = ["replication", "day", "entity"]
    path = result.directory / "events.parquet"
    wanted = [("kind", "==", "started"), ("detail", "==", "construction")]
    started = pq.read_table(path, columns=columns, filters=wanted).to_pandas()
    started["site"] = started["entity"].str.partition(".")[0]
    started = started[started["site"].isin(kinds)]
    times = started.groupby(["replication", "site"])["day"].min().rename("start").to_frame()
    rows = result.milestones
    rows = rows[rows["site"].isin(kinds) & rows["lot"].isna()]

    def first(name: str, of: pd.DataFrame = rows) -> pd.Series:
        return of[of["milestone"] == name].groupby(["replication", "site"])["day"].min()

    times["proceed"], times["ready"] = first("notice_to_proceed"), first("ready_for_service")
    times["live"] = first("first_live")
    horizon = (result.scenario.horizon - result.scenario.start).days + 1
    times["until"] = first("ended", rows[rows["phase"].isna()])
    times["until"] = times["until"].fillna(horizon)
    by_phase = rows[rows["phase"].notna()].pivot_table(
        index=["replication", "site", "phase"], columns="milestone", values="day", aggfunc="min"
    )
    waits = ["building_complete", "equipment_on_site", "energised"]
    went = by_phase.dropna(subset=[*waits, "first_live"]).sort_values("first_live")
    times["last"] = went.groupby(["replication", "site"]).first()[waits].idxmax(axis=1)
    times = times.reset_index()
    times["kind"] = times["site"].map(kinds)
    return times


def months_until(times: pd.DataFrame, what: str) -> Spread:
    """Months from the start of works to `ready` or `live`, censored where the site ends or the horizon comes before."""
    seen = times[what].notna()
    return kaplan_meier((times[what].where(seen, times["until"]) - times["start"]) / MONTH, seen)


def early_lead(times: pd.DataFrame) -> float:
    """Median months from the start of works to notice to proceed, of greenfield sites that got there."""
    fields = times[times["kind"] != "brownfield"]
    return float(((fields["proceed"] - fields["start"]) / MONTH).median())


@dataclass(frozen=True)
class BuildTime:
    """Months from the start of site works to the first live MW, and to ready for service where that is known."""

    whose: str
    live: Spread
    ready: Spread | None = None
    off: float = math.nan
    """Median less that of the data, months."""
    last: str = ""


MINES = ("CoreWeave Denton TX", "Coreweave Helios", "Fluidstack Lake Mariner")
"""Sites of the file that mined coins before, as the model's brownfield does."""
RETROFITS = Spread(3.2, 8.0, 20.1, 7)
"""Epoch AI's retrofits, all live: median 8.0 and sigma 0.72 of a lognormal. The file of phases has none of them."""
RECENT = Spread(14.3, 23.2, 37.8, 40, 17)
"""Epoch AI's greenfield sites begun since 2023, of which the file has a part: lognormal fitted with censoring."""


def build_time_rows(result: dcsim.Result) -> list[BuildTime]:
    """Data first, then the model by kind of site."""
    sites = build_times.first_phases(build_times.read_phases())
    mined = sites["site"].isin(MINES)
    parts = (sites, sites[sites["started"] >= "2023-01-01"], sites[~mined], sites[mined])
    every, recent, others, mines = (kaplan_meier(part["months"], part["seen"]) for part in parts)
    rows = [
        BuildTime("data: greenfield, all", every),
        BuildTime("data: greenfield, begun since 2023", recent),
        BuildTime("data: the same, larger sample (lognormal)", RECENT),
        BuildTime("data: of all, those that never mined coins", others),
        BuildTime(f"data: of all, those that did ({', '.join(MINES)})", mines),
        BuildTime("data: retrofits (lognormal)", RETROFITS),
    ]
    times = site_times(result)
    fields = times[times["kind"] != "brownfield"]
    kinds = ("approved", "bridged", "in study", "brownfield")
    groups = {"greenfield": fields, **{kind: times[times["kind"] == kind] for kind in kinds}}
    for name, mine in groups.items():
        live = months_until(mine, "live")
        than = mines if name == "brownfield" else others
        share = mine["last"].dropna().value_counts(normalize=True)
        last = ", ".join(f"{what.replace('_', ' ')} {100 * part:.0f} %" for what, part in share.items())
        rows.append(BuildTime(f"model: {name}", live, months_until(mine, "ready"), live.p50 - than.p50, last))
    return rows


# ---- 3. Letters and growth ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """Share of letters: mean over replications with its 95 % interval."""

    whose: str
    letters: int
    leased: tuple[float, float, float]
    live: tuple[float, float, float]


def letter_shares(result: dcsim.Result) -> list[Share]:
    """Which letters become leases, and which ever have a live MW, by kind."""
    kinds = kinds_of_letters(result)
    rows = result.milestones
    groups = {"all letters": list(kinds)}
    for site, kind in kinds.items():
        groups.setdefault(kind, []).append(site)
    found = []
    for name, sites in groups.items():
        parts = []
        for milestone in ("lease_signed", "first_live"):
            mine = rows[rows["site"].isin(sites) & (rows["milestone"] == milestone)]
            reached = mine.groupby("replication")["site"].nunique().reindex(range(result.replications), fill_value=0)
            estimate = mean(reached.to_numpy() / len(sites))
            parts.append((estimate.value, estimate.low or 0.0, estimate.high or 0.0))
        found.append(Share(name, len(sites), parts[0], parts[1]))
    return found


def campus_growth(result: dcsim.Result) -> list[Row]:
    """MW, months and MW a month of the phases after a campus's first, by date of their first live MW."""
    data = build_times.steps(build_times.read_phases())
    power = {
        (site, phase): entry.mw.value
        for site in kinds_of_letters(result)
        for phase, entry in result.scenario.spec.sites[site].phases.items()
    }
    rows = result.milestones
    rows = rows[(rows["milestone"] == "first_live") & rows["site"].isin({site for site, _ in power})]
    rows = rows.sort_values(["replication", "site", "day"])
    rows = rows.assign(mw=[power[key] for key in zip(rows["site"], rows["phase"], strict=True)])
    rows["months"] = rows.groupby(["replication", "site"])["day"].diff() / MONTH
    model = rows.dropna(subset=["months"])
    both = (data, ["site"]), (model, ["replication", "site"])
    out = []
    for measure, unit, of in (
        ("step after the first", "MW IT", lambda found, by: found["mw"]),
        ("time between steps", "months", lambda found, by: found["months"]),
        ("growth, first to last live phase", "MW IT a month", build_times.growth),
    ):
        public, ours = (spread(of(found, by)) for found, by in both)
        text = f"{number(public.p50)} ({number(public.p10)}-{number(public.p90)}), n {public.n}"
        kind: Kind = "result" if measure.startswith("growth") else "input"
        out.append(Row("campus", measure, unit, ours, text, public.p10, public.p90, kind))
    return out


# ---- 4. Owned against cloud ---------------------------------------------------------------------------------------

OWNED = (8.0, 9.0, "8.5 total cost of a GB200 MW (epoch-cost); 8-9 own or lease (derived)")
CLOUD = (10.0, 15.0, "10-15 (semi); 13.3 Oracle-OpenAI; 12.8 Google (semi); 8 or more Google 200bn (clouds)")


def cost_rows(result: dcsim.Result, year: int = 2030) -> list[Row]:
    """US$m per live MW and year, over all years and in one in which most of what will be live is."""
    outcomes = result.outcomes
    rows = []
    for name, measure in (("owned", OWNED), ("cloud", CLOUD)):
        low, high, text = measure
        for when, suffix in ((f"to {result.scenario.horizon.year}", ""), (f"in {year}", f"_{year}")):
            values = outcomes[f"{name}_cost_per_mw_month{suffix}"].dropna() * 12
            kind: Kind = "result" if name == "owned" else "follows"
            rows.append(Row(name, when, "US$m per live MW-year", spread(values), text, low, high, kind))
    return rows
