"""What compute costs, what the tenant's money does, and what those who stand behind it carry: data and text.

Keys of the object: `tenants`, a list of `tenant` and the numbers below; `parties`, a list of `party` and its numbers;
`yardsticks`, a list of `name`, `mw` and `share` of what the largest target would use. Money is US$ million, estimates
are as in `dcsim.report.summary`, `shortfall` is the mean of the worst 5 % of replications.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dcsim.report.text import chance, number, percent, table
from dcsim.stats import Estimate, mean, quantile, share
from dcsim.study.dates import estimate_date
from dcsim.study.delays import days_since_1970

if TYPE_CHECKING:
    import pandas as pd

    from dcsim.study.result import Result

QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
TAIL: Final = 0.95

AMOUNTS: Final = (
    "owned_cost_per_mw_month", "cloud_cost_per_mw_month", "saving_present_value_usd_m", "rent_usd_m", "chips_usd_m",
    "hardware_lease_usd_m", "cloud_usd_m", "take_or_pay_usd_m", "take_or_pay_left_usd_m", "on_demand_usd_m",
    "idle_shell_usd_m", "idle_chip_usd_m", "lease_liability_peak_usd_m", "not_commenced_peak_usd_m", "revenue_usd_m",
    "ipo_usd_m", "least_cash_usd_m", "ending_cash_usd_m", "funding_gap_usd_m", "fixed_charge_cover",
)  # fmt: skip
"""Outcomes of a tenant that are given by their quantiles."""


def money_of(result: Result, scenario: Any) -> dict[str, Any]:
    """The money part of a summary; empty lists where the tables were not kept."""
    kept = set(result.manifest["tables"])
    outcomes = result.table("outcomes") if "outcomes" in kept and result.replications else None
    parties = result.table("parties") if "parties" in kept and result.replications else None
    return {
        "tenants": [] if outcomes is None else [_tenant(result, outcomes, scenario, id) for id in scenario.tenants],
        "parties": [] if parties is None else _parties(parties, result.replications),
        "makers": [] if parties is None else _makers(parties, result.replications),
        "yardsticks": _yardsticks(scenario),
    }


def _tenant(result: Result, outcomes: pd.DataFrame, scenario: Any, tenant: str) -> dict[str, Any]:
    rows = outcomes[outcomes["tenant"] == tenant]
    found: dict[str, Any] = {"tenant": tenant}
    for name in AMOUNTS:
        values = rows[name].dropna().to_numpy() if name in rows else np.zeros(0)
        found[name] = _spread(values) if len(values) else None
    years = [name for name in rows.columns if name.startswith("owned_share_") and rows[name].notna().any()]
    found["owned_share"] = {name[-4:]: _spread(rows[name].dropna().to_numpy())["p50"] for name in years}
    found["defaults"] = _chance(rows, "defaulted")
    found["loans_default"] = _chance(rows, "loans_defaulted")
    compared = rows["cloud_cost_per_mw_month"].notna().any() if "cloud_cost_per_mw_month" in rows else False
    found["break_even"] = None
    if compared:
        estimate = estimate_date(days_since_1970(rows["date_break_even"]), 0.5, scenario.horizon)
        found["break_even"] = {
            "chance": _plain(estimate.share),
            "p50": None if estimate.date is None else estimate.date.isoformat(),
        }
    found["joint"] = _joint(result, rows, scenario, tenant)
    return found


def _joint(result: Result, rows: pd.DataFrame, scenario: Any, tenant: str) -> dict[str, Any] | None:
    """Chance that a target is live by its P50 and an owned MW-month costs no more than its P50: both at once."""
    if len(rows) < 2 or "owned_cost_per_mw_month" not in rows:
        return None
    most = quantile(rows["owned_cost_per_mw_month"].fillna(np.inf).to_numpy(), 0.5).value
    for mw in sorted(scenario.targets(tenant), reverse=True):
        by = result.date_of("live_mw", mw, 0.5, tenant).date
        if by is not None and math.isfinite(most):
            return {"mw": mw, "cost": most, "chance": _plain(result.joint_confidence(mw, by, most, tenant))}
    return None


def _parties(parties: pd.DataFrame, count: int) -> list[dict[str, Any]]:
    """Everybody who guarantees or lends. A replication in which a party has no row is one of zeros."""
    found = []
    for party, rows in parties.groupby("party", sort=False):
        numbers = {name: np.zeros(count) for name in rows.columns if name not in ("replication", "party")}
        for name, values in numbers.items():
            values[: len(rows)] = rows[name].to_numpy()
        if not (numbers["committed_peak"].any() or numbers["lent_peak"].any() or numbers["guarantee_limit"].any()):
            continue
        earned = numbers["fees"] + numbers["warrants"] + numbers["chip_margin"]
        lost = numbers["guarantee_paid"] + numbers["residual_paid"] + numbers["cloud_margin_lost"]
        paid = numbers["guarantee_paid"]
        found.append(
            {
                "party": str(party),
                "limit": float(numbers["guarantee_limit"].max()) or None,
                "committed_peak": _spread(numbers["committed_peak"]),
                "called": _plain(share(int((numbers["calls"] > 0).sum()), count)),
                "guarantee_paid": {"mean": _plain(mean(paid)), "shortfall": _shortfall(paid)},
                "fees_and_warrants": _plain(mean(numbers["fees"] + numbers["warrants"])),
                "chip_margin": _plain(mean(numbers["chip_margin"])),
                "cloud_margin_lost": _plain(mean(numbers["cloud_margin_lost"])),
                "net": _plain(mean(earned - lost)),
                "lent_peak": _spread(numbers["lent_peak"]),
                "loan_losses": {
                    "mean": _plain(mean(numbers["loan_losses"])),
                    "shortfall": _shortfall(numbers["loan_losses"]),
                },
            }
        )
    return found


def _makers(parties: pd.DataFrame, count: int) -> list[dict[str, Any]]:
    """Everybody whose racks are sold, with its share of all that is."""
    wanted = ("chips_sold", "live_mw_years")
    found = {
        str(party): {name: float(rows[name].sum()) / count for name in wanted}
        for party, rows in parties.groupby("party", sort=False)
    }
    total = {name: sum(numbers[name] for numbers in found.values()) for name in wanted}
    return [
        {"party": party} | {name: {"mean": value, "share": value / total[name] if total[name] else 0.0}
                            for name, value in numbers.items()}
        for party, numbers in found.items()
        if any(numbers.values())
    ]  # fmt: skip


def _shortfall(losses: np.ndarray[Any, Any]) -> float:
    """Mean of the worst 5 % of replications, the last of them in part."""
    ordered = np.sort(losses)[::-1]
    weight = (1 - TAIL) * len(ordered)
    whole = int(weight)
    rest = weight - whole
    total = float(ordered[:whole].sum()) + (rest * float(ordered[whole]) if rest > 0 else 0.0)
    return total / weight


def _yardsticks(scenario: Any) -> list[dict[str, Any]]:
    """What the largest target of all would use on average, beside those whom readers know."""
    spec = getattr(scenario, "spec", None)
    targets = [mw for tenant in scenario.tenants for mw in scenario.targets(tenant)]
    if spec is None or not spec.yardsticks or not targets:
        return []
    weights = [(mw, spec.sites[site].pue.average.value) for _, site, _, mw in scenario.sites]
    pue = sum(mw * average for mw, average in weights) / sum(mw for mw, _ in weights)
    uses = max(targets) * pue
    return [
        {"name": one.name, "mw": one.power.value, "target_mw": max(targets), "uses_mw": uses,
         "times": uses / one.power.value}
        for one in spec.yardsticks.values()
    ]  # fmt: skip


def _spread(values: Any) -> dict[str, Any]:
    return {name: _plain(quantile(values, q)) for name, q in QUANTILES.items()}


def _chance(rows: pd.DataFrame, name: str) -> dict[str, Any] | None:
    return _plain(share(int((rows[name] > 0).sum()), len(rows))) if name in rows and len(rows) else None


def _plain(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it."""
    bounds = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    finite = {k: v if v is not None and math.isfinite(v) else None for k, v in bounds.items()}
    return {**finite, "n": estimate.n, "note": estimate.note}


# As text.


def money_text(money: dict[str, Any], one: bool) -> str:
    """Lines of at most 80 columns; empty where there is nothing to say."""
    several = len(money["tenants"]) > 1
    lines: list[str] = []
    for found in money["tenants"]:
        lines += _tenant_text(found, one, several)
    lines += _party_text(money["parties"], one)
    lines += _maker_text(money["makers"])
    lines += _yardstick_text(money["yardsticks"])
    return "\n".join(lines).rstrip()


LABELS: Final = (
    ("owned_cost_per_mw_month", "owned, a live MW-month", 1.0, "m"),
    ("cloud_cost_per_mw_month", "the same rented", 1.0, "m"),
    ("saving_present_value_usd_m", "present value saved", 1e-3, "bn"),
    ("idle_shell_usd_m", "rent for idle power", 1e-3, "bn"),
    ("idle_chip_usd_m", "cost of idle chips", 1e-3, "bn"),
    ("lease_liability_peak_usd_m", "lease liability, peak", 1e-3, "bn"),
    ("not_commenced_peak_usd_m", "signed, not commenced", 1e-3, "bn"),
    ("take_or_pay_left_usd_m", "take-or-pay left at end", 1e-3, "bn"),
    ("least_cash_usd_m", "least cash", 1e-3, "bn"),
    ("fixed_charge_cover", "fixed-charge cover, worst", 1.0, "x"),
)  # fmt: skip


def _tenant_text(found: dict[str, Any], one: bool, several: bool) -> list[str]:
    heads = ["P50"] if one else ["P10", "P50", "P90"]
    rows = [[f"money of {found['tenant']}, US$" if several else "money, US$", *([""] if one else heads)]]
    for name, label, times, unit in LABELS:
        spread = found[name]
        if spread is None or not any(spread[q]["value"] for q in QUANTILES):
            continue
        picked = ("p50",) if one else tuple(QUANTILES)
        rows.append([label, *(f"{_short(spread[q]['value'] * times)}{unit}" for q in picked)])
    if len(rows) == 1:
        return []
    lines = table(rows, right=range(1, len(rows[0])))
    shares = found["owned_share"]
    if shares and found["cloud_cost_per_mw_month"] is not None:
        parts = [f"{year} {percent(estimate['value'])}" for year, estimate in shares.items()]
        lines.append(f"  owned share of compute (P50): {', '.join(parts)}")
    even = found["break_even"]
    if even is not None and not one:
        when = f", P50 {even['p50']}" if even["p50"] else ""
        lines.append(f"  owning breaks even for good by the horizon in {_of(even['chance'])}{when}")
    if found["joint"] is not None:
        joint = found["joint"]
        cost = f"an owned MW-month at most {_short(joint['cost'])}m"
        lines.append(f"  {number(joint['mw'])} MW by its P50 date and {cost}: {_of(joint['chance'])}")
    for name, label in (("defaults", "cannot pay and defaults"), ("loans_default", "a developer's loan defaults")):
        if found[name] is not None and found[name]["value"]:
            lines.append(f"  {label} in {_of(found[name])}")
    return [*lines, ""]


def _party_text(parties: Sequence[dict[str, Any]], one: bool) -> list[str]:
    backers = [p for p in parties if p["limit"] is not None or p["committed_peak"]["p90"]["value"]]
    lines: list[str] = []
    if backers:
        rows = [["guarantors, US$bn", "limit", "peak P50", "P90", "called", "pays", "worst 5 %", "earns", "net"]]
        for p in backers:
            peak = p["committed_peak"]
            earns = p["fees_and_warrants"]["value"] + p["chip_margin"]["value"]
            rows.append(
                [
                    p["party"],
                    "none" if p["limit"] is None else _bn(p["limit"]),
                    _bn(peak["p50"]["value"]),
                    _bn(peak["p90"]["value"]),
                    percent(p["called"]["value"]),
                    _bn(p["guarantee_paid"]["mean"]["value"]),
                    _bn(p["guarantee_paid"]["shortfall"]),
                    _bn(earns),
                    _bn(p["net"]["value"]),
                ]
            )
        lines += [*table(rows, right=range(1, 9)), ""]
    lenders = [p for p in parties if p["lent_peak"]["p90"]["value"]]
    if lenders:
        rows = [["lenders, US$bn", "lent P50", "P90", "lose", "worst 5 %"]]
        for p in lenders:
            losses = p["loan_losses"]
            rows.append(
                [
                    p["party"],
                    _bn(p["lent_peak"]["p50"]["value"]),
                    _bn(p["lent_peak"]["p90"]["value"]),
                    _bn(losses["mean"]["value"]),
                    _bn(losses["shortfall"]),
                ]
            )
        lines += [*table(rows, right=range(1, 5)), ""]
    return lines


def _maker_text(makers: Sequence[dict[str, Any]]) -> list[str]:
    """Whose racks, where they are of several makers."""
    if len(makers) < 2:
        return []
    rows = [["racks by maker, mean", "paid, US$", "share", "live MW-years", "share"]]
    for maker in makers:
        paid, live = maker["chips_sold"], maker["live_mw_years"]
        rows.append([
            maker["party"], f"{_bn(paid['mean'])}bn", percent(paid["share"]), f"{live['mean']:,.0f}",
            percent(live["share"]),
        ])  # fmt: skip
    return [*table(rows, right=range(1, 5)), ""]


def _yardstick_text(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    target, uses = rows[0]["target_mw"], rows[0]["uses_mw"]
    mean_mw = sum(row["mw"] for row in rows) / len(rows)
    first = f"  {number(target)} MW of IT use {number(uses)} MW on average, if all of it runs:"
    parts = [f"{row['name']} ({number(row['mw'])} MW) {row['times']:.0f} times" for row in rows]
    cities = f"  {', '.join(parts)}; {uses / mean_mw:.0f} such cities"
    return [first, cities, ""]


def _short(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"


def _bn(usd_m: float) -> str:
    return "-" if not usd_m else f"{usd_m / 1e3:,.1f}" if abs(usd_m) >= 50 else f"{usd_m / 1e3:,.3f}"


def _of(plain: dict[str, Any]) -> str:
    return chance(Estimate(plain["value"], plain["low"], plain["high"], plain["n"], plain["note"]))


