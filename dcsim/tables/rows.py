"""From one history to the rows of each table, column by column.

A column is a numpy array or, for text, a list. A missing `int32` or `date32` is `MISSING`, a missing `float64` is NaN,
missing text is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError
from dcsim.model.history import CAUSES, MEASURES, PARTY_NUMBERS, TERMINAL_STATES, History, PhaseEnd
from dcsim.tables.layout import EPOCH, MINUTES_PER_DAY, Layout, charged
from dcsim.tables.power import PowerRecord, microwatts, mw_days, sum_mw
from dcsim.tables.schema import TableSchema, year_ends

MISSING: Final = -(2**31)
"""Stands for null in columns of type `int32` and `date32`."""

Values: TypeAlias = npt.NDArray[Any] | list[str] | list[str | None]
Columns: TypeAlias = dict[str, Values]


def scalar_names(history: History, layout: Layout) -> tuple[str, ...]:
    """Names of the model's further outcomes; the same for every tenant, or it is a `ModelError`."""
    names = [tuple(history.outcomes.get(tenant, ())) for tenant in layout.tenants]
    if any(other != names[0] for other in names[1:]):
        raise ModelError(f"replication {history.replication}: tenants report different outcomes")
    return names[0] if names else ()


def rows_of(history: History, layout: Layout, schemas: dict[str, TableSchema]) -> dict[str, Columns]:
    """Columns of every table of `schemas` for one replication.

    Raises `ModelError` naming the replication where the history does not make sense: an unknown measure, state or
    cause, or a number that is not finite.
    """
    try:
        power = PowerRecord(history.changes, layout) if {"capacity", "outcomes"} & schemas.keys() else None
        rows = {}
        for name, schema in schemas.items():
            columns = _MAKERS[name](history, layout, power, schema)
            _check(columns, schema)
            rows[name] = columns
    except (ValueError, KeyError) as error:
        raise ModelError(f"replication {history.replication}: {error}") from error
    return rows


def _check(columns: Columns, schema: TableSchema) -> None:
    lengths = {len(values) for values in columns.values()}
    if tuple(columns) != schema.column_names or len(lengths) > 1:
        raise ValueError(f"table {schema.name}: columns {tuple(columns)} of lengths {sorted(lengths)}")
    names = [column.name for column in schema.columns if column.type == "float64" and not column.nullable]
    if names and not np.isfinite(np.concatenate([np.asarray(columns[name]) for name in names])).all():
        wrong = [name for name in names if not np.isfinite(np.asarray(columns[name])).all()]
        raise ValueError(f"table {schema.name}: not finite: {', '.join(wrong)}")


def _repeat(value: int, count: int) -> npt.NDArray[np.int64]:
    return np.full(count, value, np.int64)


def _when(minutes: Sequence[int], layout: Layout) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """(days since the start, days since 1970-01-01) of minutes."""
    minute = np.fromiter(minutes, np.int64, len(minutes))
    return minute / MINUTES_PER_DAY, layout.start_day + minute // MINUTES_PER_DAY


def _date_or_missing(day: date | None) -> int:
    return MISSING if day is None else (day - EPOCH).days


def _milestones(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    records = history.milestones
    count = len(records)
    day, calendar = _when([record[5] for record in records], layout)
    committed = layout.committed or {}
    dates = [
        _date_or_missing(committed.get((site, phase, milestone))) if lot is None else MISSING
        for _, site, phase, lot, milestone, _ in records
    ]
    return {
        "replication": _repeat(history.replication, count),
        "tenant": [record[0] for record in records],
        "site": [record[1] for record in records],
        "phase": [record[2] for record in records],
        "lot": np.fromiter((MISSING if record[3] is None else record[3] for record in records), np.int64, count),
        "milestone": [record[4] for record in records],
        "day": day,
        "date": calendar,
        "committed": np.array(dates, np.int64),
    }


def _capacity(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    assert power is not None
    months = layout.months
    levels = power.at_ends([layout.minute_after(month) for month in months])
    tenants = layout.tenants
    columns: Columns = {
        "replication": _repeat(history.replication, len(tenants) * len(months)),
        "tenant": [tenant for tenant in tenants for _ in months],
        "month": np.tile(np.array([_date_or_missing(month) for month in months], np.int64), len(tenants)),
    }
    for index, name in enumerate(f"{measure}_mw" for measure in MEASURES):
        columns[name] = levels[:, index, :].reshape(-1)
    blank = ([0.0] * len(months), [np.nan] * len(months), [np.nan] * len(months))
    compute = [history.compute.get(tenant, blank) for tenant in tenants]
    for index, name in enumerate(("cloud_mw", "demand_mw", "unserved_mw")):
        columns[name] = np.array([values for by_tenant in compute for values in by_tenant[index]], np.float64)
    return columns


def _outcomes(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    assert power is not None
    tenants = layout.tenants
    columns: Columns = {"replication": _repeat(history.replication, len(tenants)), "tenant": list(tenants)}
    instants = [*year_ends(layout.start, layout.horizon), layout.horizon]
    live = power.at_ends([layout.minute_after(day) for day in instants])[:, MEASURES.index("live"), :]
    for index, day in enumerate(instants[:-1]):
        columns[f"live_mw_{day.year}"] = live[:, index]
    columns["live_mw_at_horizon"] = live[:, -1]

    since = [power.live_on(index, [1e-6, *layout.targets]) for index in range(len(tenants))]
    names = [name for name in schema.column_names if name.startswith("date_")][: 1 + len(layout.targets)]
    for index, name in enumerate(names):
        days = [found[index] for found in since]
        columns[name] = np.array([MISSING if day is None else layout.start_day + day for day in days], np.int64)

    ended: dict[tuple[str, str], list[float]] = {}
    for phase in history.phases:
        if phase.state not in TERMINAL_STATES or phase.tenant not in tenants:
            raise ValueError(f"phase {phase.site}.{phase.phase} of {phase.tenant} ends {phase.state!r}")
        ended.setdefault((phase.tenant, phase.state), []).append(phase.mw)
    for state in TERMINAL_STATES:
        columns[f"mw_{state}"] = np.array([sum_mw(ended.get((tenant, state), ())) for tenant in tenants])
    columns["idle_mw_days"] = np.array([power.idle_mw_days(index) for index in range(len(tenants))])

    for name in schema.column_names[len(columns) :]:
        scalars = [history.outcomes[tenant][name] for tenant in tenants]
        if name.startswith("date_"):
            days = [MISSING if m is None else layout.start_day + int(m) // MINUTES_PER_DAY for m in scalars]
            columns[name] = np.array(days, np.int64)
        else:
            columns[name] = np.array([np.nan if value is None else value for value in scalars], np.float64)
    return columns


def _delays(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    rows = [row for phase in history.phases for row in _phase_delays(phase, layout)]
    count = len(rows)
    return {
        "replication": _repeat(history.replication, count),
        "tenant": [row[0] for row in rows],
        "site": [row[1] for row in rows],
        "phase": [row[2] for row in rows],
        "cause": [row[3] for row in rows],
        "days": np.fromiter((row[4] for row in rows), np.float64, count),
        "mw_days": np.fromiter((row[5] for row in rows), np.float64, count),
        "planned_days": np.fromiter((row[6] for row in rows), np.float64, count),
        "reached": np.fromiter((row[7] for row in rows), np.bool_, count),
    }


def _phase_delays(
    phase: PhaseEnd, layout: Layout
) -> list[tuple[str, str, str, str, float, float, float, bool]]:
    """One row for each cause that the phase, one of its lots, or its plan spent a minute on."""
    minutes = charged(phase.trail)
    energy: dict[str, int] = {}
    rest = microwatts(phase.mw)
    shares = [(microwatts(mw), charged(trail)) for mw, trail in phase.lots]
    rest -= sum(power for power, _ in shares)
    for power, by_cause in [*shares, (max(rest, 0), minutes)]:
        for cause, spent in by_cause.items():
            energy[cause] = energy.get(cause, 0) + power * spent
    plan = None if layout.planned is None else layout.planned.get((phase.tenant, phase.site, phase.phase), {})
    named = {cause for spent in (minutes, energy, plan or {}) for cause, value in spent.items() if value}
    if unknown := sorted(named.difference(CAUSES)):
        raise ValueError(f"phase {phase.site}.{phase.phase} charges days to {unknown}, which is no cause")
    return [
        (
            phase.tenant, phase.site, phase.phase, cause,
            minutes.get(cause, 0) / MINUTES_PER_DAY,
            mw_days(energy.get(cause, 0)),
            float("nan") if plan is None else plan.get(cause, 0) / MINUTES_PER_DAY,
            phase.reached,
        )
        for cause in CAUSES
        if cause in named
    ]  # fmt: skip


def _events(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    records = history.events
    day, calendar = _when([record[0] for record in records], layout)
    return {
        "replication": _repeat(history.replication, len(records)),
        "day": day,
        "date": calendar,
        "kind": [record[1] for record in records],
        "entity": [record[2] for record in records],
        "detail": [record[3] for record in records],
    }


MONEY: Final = 1e6
"""Dollars of US$ million."""


def _month_days(layout: Layout) -> npt.NDArray[np.int64]:
    return np.array([_date_or_missing(month) for month in layout.months], np.int64)


def _loans(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    loans = history.loans
    count = len(loans)

    def dates(minutes: list[int | None]) -> npt.NDArray[np.int64]:
        days = [MISSING if m is None else layout.start_day + m // MINUTES_PER_DAY for m in minutes]
        return np.array(days, np.int64)

    def numbers(values: list[float | None]) -> npt.NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], np.float64)

    return {
        "replication": _repeat(history.replication, count),
        "site": [loan.site for loan in loans],
        "closed": dates([loan.closed for loan in loans]),
        "amount": numbers([loan.amount / MONEY for loan in loans]),
        "binding_limit": [loan.binding_limit for loan in loans],
        "ltc": numbers([loan.ltc for loan in loans]),
        "min_dscr": numbers([loan.min_dscr for loan in loans]),
        "peak_drawn": numbers([loan.peak_drawn / MONEY for loan in loans]),
        "interest_during_construction": numbers([loan.interest_during_construction / MONEY for loan in loans]),
        "contingency_left": numbers([loan.contingency_left / MONEY for loan in loans]),
        "defaulted": dates([loan.defaulted for loan in loans]),
        "recovery": numbers([loan.recovery for loan in loans]),
        "closes_without_guarantor": np.array([loan.closes_without_guarantor for loan in loans], np.bool_),
        "breakeven_delay_days": numbers([loan.breakeven_delay_days for loan in loans]),
    }


def _ledger(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    entries = history.ledger
    pairs = entries.pairs if entries is not None else ()
    index = entries.pair.tolist() if entries is not None else []
    months = entries.month if entries is not None else np.zeros(0, np.int64)
    return {
        "replication": _repeat(history.replication, len(index)),
        "month": _month_days(layout)[months],
        "payer": [pairs[i].payer for i in index],
        "payee": [pairs[i].payee for i in index],
        "kind": [pairs[i].kind for i in index],
        "usd_m": entries.dollars / MONEY if entries is not None else np.zeros(0),
    }


def _cash(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    months = len(layout.months)
    closing = [opening + np.cumsum(received - paid) for _, opening, received, paid in history.cash]
    opening = [np.concatenate([[record[1]], end[:-1]]) for record, end in zip(history.cash, closing, strict=True)]

    def joined(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.float64]:
        return np.concatenate(parts) / MONEY if parts else np.zeros(0)

    return {
        "replication": _repeat(history.replication, months * len(history.cash)),
        "month": np.tile(_month_days(layout), len(history.cash)),
        "party": [record[0] for record in history.cash for _ in range(months)],
        "opening": joined(opening),
        "received": joined([record[2] for record in history.cash]),
        "paid": joined([record[3] for record in history.cash]),
        "closing": joined(closing),
    }


def _exposure(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    month_days = _month_days(layout)
    months, amounts, names = [], [], []
    for source, target, kind, levels in history.exposures:
        changes = np.flatnonzero(np.diff(levels, prepend=0))
        months.append(month_days[changes])
        amounts.append(levels[changes] / MONEY)
        names += [(source, target, kind)] * len(changes)
    return {
        "replication": _repeat(history.replication, len(names)),
        "month": np.concatenate(months) if months else np.zeros(0, np.int64),
        "source": [name[0] for name in names],
        "target": [name[1] for name in names],
        "kind": [name[2] for name in names],
        "usd_m": np.concatenate(amounts) if amounts else np.zeros(0),
    }


def _parties(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    columns: Columns = {
        "replication": _repeat(history.replication, len(history.parties)),
        "party": list(history.parties),
    }
    if unknown := {name for numbers in history.parties.values() for name in numbers}.difference(PARTY_NUMBERS):
        raise ValueError(f"parties report {sorted(unknown)}, which is no column")
    for name in PARTY_NUMBERS:
        columns[name] = np.array([numbers.get(name, 0.0) for numbers in history.parties.values()], np.float64)
    return columns


def _defaults(history: History, layout: Layout, power: PowerRecord | None, schema: TableSchema) -> Columns:
    day, calendar = _when([record[0] for record in history.defaults], layout)
    return {
        "replication": _repeat(history.replication, len(history.defaults)),
        "day": day,
        "date": calendar,
        "party": [record[1] for record in history.defaults],
        "cause": [record[2] for record in history.defaults],
    }


_MAKERS: Final[dict[str, Callable[[History, Layout, PowerRecord | None, TableSchema], Columns]]] = {
    "outcomes": _outcomes,
    "milestones": _milestones,
    "capacity": _capacity,
    "loans": _loans,
    "ledger": _ledger,
    "cash": _cash,
    "exposure": _exposure,
    "parties": _parties,
    "defaults": _defaults,
    "delays": _delays,
    "events": _events,
}
