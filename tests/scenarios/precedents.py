"""The closed deals of scenarios/backstop-precedents.yaml: what the model sizes, pays and builds, and what was reported.

Public facts carry the ids of that file's `sources:`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from build_times import MONTH
from spreads import Kind, Row, Spread, spread

import dcsim

FILE = Path(__file__).parents[2] / "scenarios" / "backstop-precedents.yaml"


@dataclass(frozen=True)
class Deal:
    """What is public of one site's leases. Amounts are US$ billion as published, each with half of its last digit."""

    value: tuple[float, float]
    term: int
    cost: tuple[float, float, str] | None = None
    """US$ million a MW: low, high, source."""
    debt: tuple[float, float, str] | None = None
    backstop: tuple[float, float, str] | None = None
    sources: str = ""
    dates: tuple[tuple[str, str, str | None], ...] = ()
    """Phase, date promised, and date known since."""


DEALS = {
    "lake-mariner": Deal(
        (6.7, 0.05), 10, (8, 10, "wulf-pr"), (3.2, 0.05, "wulf-notes"), (3.2, 0.05, "wulf-pr"), "wulf-pr",
        (("cb3", "2026-05-31", "2026-05-31 live (epoch-sites)"), ("cb4", "2026-09-30", None),
         ("cb5", "2026-11-30", "2027-03-31 forecast (epoch-sites)")),
    ),
    "barber-lake": Deal(
        (3.83, 0.055), 10, (9, 11, "cifr-pr"), (1.733, 0.05, "cifr-notes"), (1.733, 0.05, "cifr-pr"), "cifr-pr",
        (("one", "2026-10-01", None), ("two", "2027-01-31", None)),
    ),
    "abernathy": Deal(
        (9.5, 0.05), 25, (8, 10, "wulf-8k"), (1.275, 0.0005, "flash-notes"), (1.3, 0.05, "wulf-8k"), "wulf-8k",
        (("one", "2026-12-31", None),),
    ),
    "river-bend": Deal(
        (7.0, 0.05), 15, None, None, (7.0, 0.05, "hut8-pr"), "hut8-pr",
        (("one", "2027-05-01", None), ("two", "2027-08-01", None)),
    ),
    "polaris-forge-2": Deal((5.0, 0.5), 15, sources="apld-pf2"),
}  # fmt: skip
ESCALATOR = 0.03
DEBT_PER_MW = (7.6, 8.9, "7.6-8.9 (three bonds)")
BACKSTOP_OVER_DEBT = (0.98, 1.02, "about 1.0 (1.00, 1.00, 1.02)")
LANDLORD = "flash-compute"
"""Abernathy's landlord is a joint venture; under a name of its own its payments can be told from Lake Mariner's."""


def run(replications: int, seed: int | None) -> dcsim.Result:
    """The run that the first table is read from."""
    scenario = dcsim.load(FILE)
    edits = {f"parties.{LANDLORD}": {"rating": "BB"}, "sites.abernathy.developer": LANDLORD}
    tables = ("outcomes", "milestones", "loans", "ledger", "exposure")
    return dcsim.simulate(scenario.edit(edits), replications, seed, tables=tables)


def money(result: dcsim.Result) -> list[Row]:
    """Rent, contract value, debt, backstop and cost of each site against what was published."""
    sites = result.scenario.spec.sites
    loans, exposure, ledger = result.loans, result.exposure, result.ledger
    rows = []
    for site, deal in DEALS.items():
        entry = sites[site]
        mw = sum(phase.mw.value for phase in entry.phases.values())
        loan = loans[loans["site"] == site].set_index("replication")
        debt, cost = loan["amount"], loan["amount"] / loan["ltc"]
        rents = ledger[(ledger["payee"] == entry.developer) & (ledger["kind"] == "rent")]
        works = _paid(ledger, entry.developer, "construction")
        leases = exposure[(exposure["target"] == entry.developer) & (exposure["kind"] == "lease")]
        signed = leases.sort_values("month").groupby("replication")["usd_m"].first() / 1e3
        low, high = (first_year_rent(deal.value[0] + sign * deal.value[1], mw, deal.term) for sign in (-1, 1))

        def add(measure: str, unit: str, values: Iterable[float], kind: Kind = "result", site: str = site,
                text: str = "not public", low: float = math.nan, high: float = math.nan) -> None:  # fmt: skip
            rows.append(Row(site, measure, unit, spread(values), text, low, high, kind))

        rent = first_full_month(result, site, rents)
        text = f"{low:.0f}-{high:.0f} ({deal.sources}, derived)"
        add("rent, first year", "$/kW-month", rent, "input", text=text, low=low, high=high)
        text, low, high = _published(*deal.value, deal.sources)
        add("rent of the base term", "US$bn", signed, "follows", text=text, low=low, high=high)
        known = {} if deal.debt is None else dict(zip(("text", "low", "high"), _published(*deal.debt), strict=True))
        add("debt", "US$bn", debt / 1e3, **known)
        if deal.debt is not None:
            # A loan that cover bounds is what ten years of rent repay at the lender's cover; a larger one has less.
            asked = result.scenario.spec.parties[entry.financing.lenders[0]].lending.dscr.value
            implied = asked * debt[loan["binding_limit"] == "dscr"] / (deal.debt[0] * 1e3)
            add("cover by ten years' rent of the debt published", "times", implied,
                text="1.40 by later, stabilised income (flash-notes)", low=1.35, high=1.45)  # fmt: skip
        per_mw = DEBT_PER_MW if deal.debt is not None else (math.nan, math.nan, "not public")
        add("debt per MW", "US$m/MW", debt / mw, text=per_mw[2], low=per_mw[0], high=per_mw[1])
        if deal.backstop is not None:
            cap = committed_at_close(exposure, loan["closed"], entry.developer)
            known = dict(zip(("text", "low", "high"), _published(*deal.backstop), strict=True))
            add("backstop", "US$bn", cap / 1e3, "result" if deal.debt else "follows", **known)
            by_loan: Kind = "input" if deal.debt is not None else "result"
            ratio = BACKSTOP_OVER_DEBT if deal.debt is not None else (math.nan, math.nan, "debt not public")
            add("backstop over debt", "", cap / debt, by_loan, text=ratio[2], low=ratio[0], high=ratio[1])
        known = {}
        if deal.cost is not None:
            low, high, source = deal.cost
            known = {"text": f"{low:g}-{high:g} ({source})", "low": low, "high": high}
        add("cost per MW, with interest and reserve", "US$m/MW", cost / mw, "input", **known)
        add("of it paid for works", "US$m/MW", works.reindex(debt.index).dropna() / mw)
        closes = 100 * len(loan) / result.replications
        text, low = ("100 (it did)", 99) if deal.backstop else ("not known", math.nan)
        add("loan closes", "% of replications", [closes], text=text, low=low, high=100)
    return rows


def first_year_rent(value: float, mw: float, years: int, escalator: float = ESCALATOR) -> float:
    """US$/kW-month in the first year of a lease worth `value` US$bn over `years`, rising by the escalator."""
    return value * 1e9 / (mw * 1e3 * 12 * sum((1 + escalator) ** year for year in range(years)))


def first_full_month(result: dcsim.Result, site: str, rents: pd.DataFrame) -> list[float]:
    """US$/kW-month paid in the first calendar month in which no phase of the site commences and at least one has.

    A replication without one, or in which it is not within a year of the first commencement, is left out.
    """
    power = {phase: entry.mw.value for phase, entry in result.scenario.spec.sites[site].phases.items()}
    rows = result.milestones
    rows = rows[(rows["site"] == site) & (rows["milestone"] == "rent_commencement")]
    paid = rents.set_index(["replication", "month"])["usd_m"].to_dict()
    found = []
    for replication, mine in rows.groupby("replication"):
        begun = {phase: date.to_period("M") for phase, date in zip(mine["phase"], mine["date"], strict=True)}
        first = min(begun.values())
        month = next((first + n for n in range(1, 12) if first + n not in begun.values()), None)
        if month is not None:
            mw = sum(power[phase] for phase, since in begun.items() if since < month)
            usd_m = paid.get((replication, month.to_timestamp(how="end").normalize()))
            if usd_m is not None:
                found.append(usd_m * 1e3 / mw)
    return found


def committed_at_close(exposure: pd.DataFrame, closed: pd.Series, developer: str) -> pd.Series:
    """US$m of guarantee committed to a developer at the end of the month of its close, by replication."""
    rows = exposure[(exposure["target"] == developer) & (exposure["kind"] == "guarantee")]
    months = rows["replication"].map(closed + pd.offsets.MonthEnd(0))
    until = rows[rows["month"] <= months].sort_values("month")
    return until.groupby("replication")["usd_m"].last()


@dataclass(frozen=True)
class Ready:
    """When a phase is ready for service, in months from the signing of its lease."""

    what: str
    promised: str | None
    known: str | None
    due: float
    """Months from signing to the date promised."""
    model: Spread
    """`inf` in replications in which it is not, by the horizon."""
    kept: float
    """Chance of the date promised."""

    @property
    def inside(self) -> bool | None:
        """Whether the date promised lies between P10 and P90; None where none is public."""
        return None if self.promised is None else self.model.p10 <= self.due <= self.model.p90


def dates(result: dcsim.Result) -> list[Ready]:
    """Each phase against the date promised for it."""
    rows = result.milestones
    found = []
    for site, deal in DEALS.items():
        mine = rows[rows["site"] == site]
        signed = pd.Timestamp(mine.loc[mine["milestone"] == "lease_signed", "date"].iloc[0])
        ready = mine[mine["milestone"] == "ready_for_service"]
        promised = {phase: (date, known) for phase, date, known in deal.dates}
        for phase in result.scenario.spec.sites[site].phases:
            months = (ready.loc[ready["phase"] == phase, "date"] - signed).dt.days / MONTH
            date, known = promised.get(phase, (None, None))
            due = math.nan if date is None else (pd.Timestamp(date) - signed).days / MONTH
            never = [math.inf] * (result.replications - len(months))
            kept = float((months <= due).sum()) / result.replications
            found.append(Ready(f"{site} {phase}", date, known, due, spread([*months, *never]), kept))
    return found


def _paid(ledger: pd.DataFrame, payer: str, kind: str) -> pd.Series:
    rows = ledger[(ledger["payer"] == payer) & (ledger["kind"] == kind)]
    return rows.groupby("replication")["usd_m"].sum()


def _published(value: float, half: float, source: str) -> tuple[str, float, float]:
    return f"{value:g} ({source})", value - half, value + half
