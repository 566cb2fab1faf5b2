"""How long sites took to build, and how fast they grew: `tests/data/build_times.csv`.

Data: Epoch AI, "Frontier Data Centers" (as of 2026-07-07), CC BY 4.0. A row is a phase of a site: `started` and `live`
are satellite and permit estimates, `live` is empty where the phase was not live when it was last looked at
(`observed_until`); `cumulative_facility_mw` counts the phases up to it.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

FILE = Path(__file__).parents[1] / "data" / "build_times.csv"
MONTH = 30.4375
"""Days."""

FACILITY_OVER_IT = 1.30
"""Facility MW at peak over IT MW, the median of Epoch AI's sites (1.14 to 1.74)."""


def read_phases(path: Path = FILE) -> pd.DataFrame:
    """A row is a phase."""
    return pd.read_csv(path, parse_dates=["started", "live", "observed_until"])


def first_phases(phases: pd.DataFrame) -> pd.DataFrame:
    """A row is a site: `started`, `months` from the start of works to its first live phase (or, where none is, to when
    it was last looked at), and whether a live one was `seen`.
    """
    first = phases[phases["phase"] == 1]
    until = first["live"].fillna(first["observed_until"])
    return pd.DataFrame(
        {
            "site": first["site"],
            "started": first["started"],
            "months": (until - first["started"]).dt.days / MONTH,
            "seen": first["live"].notna(),
        }
    ).reset_index(drop=True)


def steps(phases: pd.DataFrame) -> pd.DataFrame:
    """A row is a live phase after a site's first: months since the one before, and the IT MW that it adds."""
    live = phases[phases["live"].notna()].sort_values(["site", "phase"])
    by_site = live.groupby("site")
    found = pd.DataFrame(
        {
            "site": live["site"],
            "months": by_site["live"].diff().dt.days / MONTH,
            "mw": by_site["cumulative_facility_mw"].diff() / FACILITY_OVER_IT,
        }
    )
    return found.dropna().reset_index(drop=True)


def growth(found: pd.DataFrame, by: list[str]) -> pd.Series:
    """IT MW a month from the first live phase of a campus to its last: what came after the first over the months."""
    total = found.groupby(by)[["mw", "months"]].sum()
    rate = total["mw"] / total["months"].where(total["months"] > 0)
    return rate.fillna(math.inf)
