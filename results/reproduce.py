"""Writes the reference outputs of the shipped scenarios: what they say in text, a table, a manifest and a picture.

    python results/reproduce.py [--replications N] [--only SCENARIO] [--out DIR]

The large tables of the runs are not kept. The same call gives the same bytes, but for the pictures, which depend on
matplotlib and its fonts.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import math
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

import dcsim
from dcsim.network.picture import arrows, draw, places
from dcsim.report.summary import summarise
from dcsim.report.terminal import summary_text
from dcsim.report.text import percent
from dcsim.scenario.expression import Column, unit_of
from dcsim.stats import mean, quantile
from dcsim.study.dates import estimate_date
from dcsim.study.delays import days_since_1970
from dcsim.study.expect import judge_all
from dcsim.tables.schema import target_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOT: Final = Path(__file__).resolve().parents[1]
SCENARIOS: Final = ROOT / "scenarios"
REFERENCE: Final = ROOT / "results" / "reference"

QUANTILES: Final = (0.1, 0.5, 0.9)
MAIN: Final = (
    "live_mw_", "date_", "signed_mw", "mw_", "idle_", "loans_", "cover_usd_m", "owned_share_", "revenue_usd_m",
    "rent_usd_m",
    "chips_usd_m", "hardware_lease_usd_m", "cloud_usd_m", "take_or_pay_usd_m", "on_demand_usd_m", "unserved_mw_days",
    "least_cash_usd_m", "ending_cash_usd_m", "funding_gap_usd_m", "owned_cost_per_mw_month", "cloud_cost_per_mw_month",
    "saving_present_value_usd_m", "lease_liability_peak_usd_m", "not_commenced_peak_usd_m", "defaulted",
)  # fmt: skip
"""Beginnings of the names of the outcomes that are kept; costs by year are not."""
KEPT: Final = ("format", "dcsim", "scenario", "tenants", "seed", "replications", "start", "horizon", "status")
"""What is kept of a manifest, beside rows and hash of each table: nothing of machine, time or packages."""

PIXELS: Final = 1400
"""Width of a picture."""
BLUE, LIGHT, ORANGE, BROWN = "#0072b2", "#56b4e9", "#d55e00", "#8a3b00"
"""The first three are told apart by the colour-blind (Okabe and Ito)."""


def shipped() -> list[str]:
    """Names of the scenarios, in order."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def reproduce(name: str, out: Path, replications: int | None = None, workers: int | None = None) -> dcsim.Result:
    """Run one scenario and write its directory below `out`. Its result lasts as long as it is held."""
    result = run(name, replications, workers)
    place = out / name
    place.mkdir(parents=True, exist_ok=True)
    for file, text in texts(result).items():
        (place / file).write_text(text, encoding="utf-8", newline="\n")
    (place / "picture.png").write_bytes(picture(result))
    return result


def run(name: str, replications: int | None = None, workers: int | None = None) -> dcsim.Result:
    """The run of a shipped scenario."""
    return dcsim.simulate(dcsim.load(SCENARIOS / f"{name}.yaml"), replications, workers=workers)


# ---- Text -----------------------------------------------------------------------------------------------------------


def texts(result: dcsim.Result) -> dict[str, str]:
    """The files that are text, by name."""
    return {"summary.txt": screen(result), "summary.csv": outcomes_csv(result), "manifest.json": manifest(result)}


def screen(result: dcsim.Result) -> str:
    """What `dcsim run` prints, without its last line, which names the directory."""
    text = summary_text(summarise(result, result.scenario, judge_all(result, result.scenario)))
    lines = text.splitlines()
    return "\n".join(lines[:-1]).rstrip("\n") + "\n"


def outcomes_csv(result: dcsim.Result) -> str:
    """A row is a main outcome of a tenant: quantiles, mean with its interval, and the share of replications with one.

    Quantiles of a date count replications that do not get there as later than all others, and are empty where they lie
    after the horizon; those of a number are over the replications that have it. What is nothing in all is left out.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["tenant", "outcome", "unit", "p10", "p50", "p90", "mean", "mean_low", "mean_high", "reached"])
    horizon = dt.date.fromisoformat(result.manifest["horizon"])
    for tenant in result.tenants:
        rows = result.outcomes[result.outcomes["tenant"] == tenant]
        for name in rows.columns:
            column = rows[name]
            if not name.startswith(MAIN) or name[:-5].endswith("cost_per_mw_month"):
                continue
            there = column.dropna()
            if name.startswith("date_"):
                days = days_since_1970(column)
                dates = [estimate_date(days, q, horizon).date for q in QUANTILES]
                cells = ["date", *("" if day is None else day.isoformat() for day in dates), "", "", ""]
            elif not len(there) or not there.any():
                continue
            else:
                values = there.to_numpy(np.float64)
                average = mean(values)
                numbers = [*(quantile(values, q).value for q in QUANTILES), average.value, average.low, average.high]
                unit = "usd_m_per_mw_month" if name.endswith("per_mw_month") else unit_of(Column(name)) or ""
                cells = [unit, *("" if x is None else f"{x:.6g}" for x in numbers)]
            writer.writerow([tenant, name, *cells, f"{len(there) / len(column):.6g}"])
    return out.getvalue()


def manifest(result: dcsim.Result) -> str:
    """What was run, and the hash of each table, as JSON."""
    full = result.manifest
    tables = {name: {"rows": table["rows"], "hash": table["hash"]} for name, table in full["tables"].items()}
    return json.dumps({**{key: full[key] for key in KEPT}, "tables": tables}, indent=2, ensure_ascii=False) + "\n"


# ---- The picture ----------------------------------------------------------------------------------------------------


def picture(result: dcsim.Result) -> bytes:
    """MW by month with the targets, above the counterparty network of a typical replication, as a PNG."""
    from matplotlib.image import imread
    from PIL import Image  # comes with matplotlib

    panels = [imread(io.BytesIO(_png(figure))) for figure in (fan(result), network(result))]
    sheet = np.vstack([panel[:, :PIXELS, :3] for panel in panels])
    indices, palette = few_colours(np.round(255 * sheet).astype(np.uint8))
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def few_colours(sheet: npt.NDArray[np.uint8], most: int = 256) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A picture (height, width, 3) in few colours, which makes its file a third as large.

    Each next colour is the one whose pixels are furthest in all from those chosen, so that thin lines keep theirs.
    Returns the index of each pixel's colour, and the colours.
    """
    colours, index, count = np.unique(sheet.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    exact = colours.astype(np.int64)
    chosen = [int(count.argmax())]
    far = ((exact - exact[chosen[0]]) ** 2).sum(axis=1)
    nearest = np.zeros(len(exact), np.uint8)
    while len(chosen) < most and far.any():
        chosen.append(int((far * count).argmax()))
        distance = ((exact - exact[chosen[-1]]) ** 2).sum(axis=1)
        nearest[distance < far] = len(chosen) - 1
        far = np.minimum(far, distance)
    return nearest[index.reshape(sheet.shape[:2])], colours[chosen]


def replications_of(result: dcsim.Result) -> str:
    """How many, in words."""
    return f"{result.replications:,} replication{'' if result.replications == 1 else 's'}"


def measure_of(result: dcsim.Result) -> tuple[str, str]:
    """Column of `capacity` that is drawn, and what it is called: live MW, or power that is ready where no chips are."""
    live = bool(result.capacity["live_mw"].any())
    return ("live_mw", "Live MW") if live else ("ready_mw", "MW ready for service")


def fan(result: dcsim.Result) -> Figure:
    """P10, P50 and P90 by month, a panel a tenant, with its targets as lines and the dates of reaching them."""
    from matplotlib.figure import Figure

    measure, what = measure_of(result)
    tenants = [name for name in result.tenants if result.capacity.loc[result.capacity["tenant"] == name, measure].any()]
    figure = Figure(figsize=(14, 5), dpi=PIXELS / 14, layout="constrained")
    panels = figure.subplots(1, len(tenants) or 1, squeeze=False)[0]
    title = result.manifest["scenario"]["title"] or result.manifest["scenario"]["name"]
    runs = f"{replications_of(result)}, seed {result.manifest['seed']}"
    figure.suptitle(_plain(f"{title} ({runs})"), fontsize=14, x=0.01, ha="left")
    for axes, tenant in zip(panels, tenants or result.tenants[:1], strict=True):
        _fan(axes, result, tenant, measure)
        whose = f" of {tenant}" if len(result.tenants) > 1 else ""
        axes.set_ylabel(f"{what}{whose}", fontsize=11)
    return figure


def _fan(axes: Axes, result: dcsim.Result, tenant: str, measure: str) -> None:
    frame = result.quantiles(measure, QUANTILES, tenant).pivot(index="month", columns="quantile", values="value")
    months = frame.index.to_numpy()
    low, middle, high = (frame[q].to_numpy() for q in QUANTILES)
    if result.replications > 1:
        axes.fill_between(months, low, high, step="pre", color=LIGHT, alpha=0.45, linewidth=0, label="P10 to P90")
    axes.step(months, middle, where="pre", color=BLUE, linewidth=2, label="P50" if result.replications > 1 else None)
    top = 1.18 * max(float(high.max()), 1.0)
    beyond, beside, dotted = [], -math.inf, False
    for mw in sorted(result.scenario.targets(tenant)) if measure == "live_mw" else []:
        if mw <= top:
            axes.axhline(mw, color=ORANGE, linewidth=1, linestyle="--")
            beside = max(mw, beside + 0.1 * top)  # two lines of text apart
            axes.annotate(target(result, tenant, mw), (1.01, beside), xycoords=("axes fraction", "data"), va="center",
                          fontsize=9.5, color=BROWN, annotation_clip=False)  # fmt: skip
            day = result.date_of("live_mw", mw, 0.5, tenant).date
            if day is not None:
                label = None if dotted else "P50 of the date of a target"
                axes.plot(np.array([day], "datetime64[D]"), [mw], "o", color=ORANGE, markersize=6, label=label)
                dotted = True
        else:
            beyond.append(target(result, tenant, mw).replace("\n", ", "))
    if beyond:
        axes.annotate("\n".join(beyond), (0.008, 0.985), xycoords="axes fraction", fontsize=9.5, color=BROWN, va="top")
    axes.set_ylim(0, top)
    axes.set_xlim(months[0], months[-1])
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=10)
    if result.replications > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=10, frameon=False)


def target(result: dcsim.Result, tenant: str, mw: float) -> str:
    """A target in words, on two lines: its dates and chance, or that it is not reached."""
    name = f"{mw / 1000:g} GW" if mw >= 1000 else f"{mw:g} MW"
    column = target_name(mw)
    reached = result.outcomes.loc[result.outcomes["tenant"] == tenant, column].notna()
    horizon = result.manifest["horizon"]
    if not reached.any():
        return f"{name}: not by {horizon}"
    days = [result.date_of("live_mw", mw, q, tenant).date for q in QUANTILES]
    if len(reached) == 1:
        return f"{name}: {days[1]}"
    early, middle, late = ("later" if day is None else day.strftime("%Y-%m") for day in days)
    chance = f"chance {percent(float(reached.mean()))}"
    if days[1] is None:
        return f"{name}: {chance}" if days[0] is None else f"{name}: {chance}\nP10 {early}"
    return f"{name}: P50 {middle}, {chance}\nP10-P90 {early} to {late}"


def typical(result: dcsim.Result) -> int:
    """The replication whose MW, summed over months and tenants, are in the middle of all that have any.

    The first of those alike.
    """
    total = result.capacity.groupby("replication")[measure_of(result)[0]].sum()
    total = total[total > 0] if (total > 0).any() else total
    values = total.to_numpy(np.float64)
    nearest = np.abs(values - quantile(values, 0.5).value).argmin()
    return int(total.index.to_numpy()[nearest])


def network(result: dcsim.Result) -> Figure:
    """Who owes, guarantees and supplies whom, halfway between start and horizon, in the typical replication."""
    start, horizon = (dt.date.fromisoformat(result.manifest[key]) for key in ("start", "horizon"))
    middle = pd.Timestamp(start + (horizon - start) / 2) + pd.offsets.MonthEnd(0)
    replication = typical(result)
    found = result.network(middle.date(), replication)
    when = f"on {middle.date()} (replication {replication})"
    figure = draw(found.snapshot, f"Who owes, guarantees and supplies whom {when}")
    figure.set_figwidth(min(max(figure.get_figwidth(), 13), 15))  # so that all print is about as large
    figure.axes[0].set_ylim(bottom=-0.22)  # arrows that bend below the lowest parties
    heights = [x for x, _ in places(found.snapshot, arrows(found.snapshot.contracts)).values()]
    if max(map(heights.count, heights), default=0) <= 2:  # it would be mostly white
        figure.set_figheight(4)
    figure.set_dpi(PIXELS / figure.get_figwidth())
    return figure


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=figure.get_dpi(), facecolor="white")
    return out.getvalue()


def _plain(text: str) -> str:
    """Safe to draw: no dollar sign that would begin a formula; at most 120 columns a line."""
    return textwrap.fill(text.replace("$", r"\$"), 120)


# ---- The command ----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replications", type=int, metavar="N", help="in place of each scenario's own number")
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="only this one; may be given again")
    parser.add_argument("--out", type=Path, default=REFERENCE, metavar="DIR", help="[default: results/reference]")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that share the work [default: all cores]")
    asked = parser.parse_args(arguments)
    known = shipped()
    unknown = [name for name in asked.only or () if name not in known]
    if unknown:
        print(f"no scenario {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in asked.only or known:
        result = reproduce(name, asked.out, asked.replications, asked.workers)
        print(f"{name}: {replications_of(result)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
