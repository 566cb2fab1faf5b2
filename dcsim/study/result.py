"""What a run leaves behind: tables read on demand, quantiles by month, and dates that may never come."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dcsim.errors import UsageError, suggest
from dcsim.stats import CONFIDENCE, Estimate, Floats, column_quantiles, joint_share
from dcsim.study.dates import DateEstimate, Resolution, estimate_date
from dcsim.tables.directory import MANIFEST, StagedDirectory, settle, writing
from dcsim.tables.layout import EPOCH
from dcsim.tables.manifest import Failure
from dcsim.tables.reading import check_files, read_frame, read_table, verify
from dcsim.tables.schema import target_name

if TYPE_CHECKING:
    import pandas as pd

    from dcsim.scenario.scenario import Scenario
    from dcsim.study.expect import Judged
    from dcsim.study.network import Network

OWNED_COST = "owned_cost_per_mw_month"
"""The outcome with which a date is held together."""


class Result:
    """The results of one run in its directory.

    Made by `simulate` and `open_results`. Tables are read when first asked for. A result that has no directory of its
    own lives in a temporary one that goes when the result does; `save` keeps it.
    """

    def __init__(self, directory: Path, spool: Path | None = None) -> None:
        """`spool` is a temporary directory to remove when nobody holds the result any more.

        Raises `ResultsError` if `directory` does not hold the whole results of a run.
        """
        self.directory = directory
        if spool is not None:
            weakref.finalize(self, shutil.rmtree, spool, True)
        self.manifest: dict[str, Any] = check_files(directory)

    def __repr__(self) -> str:
        scenario = self.manifest["scenario"]["name"]
        return f"<Result of {scenario!r}: {self.replications} replications, {self.status}, in {self.directory}>"

    @property
    def status(self) -> str:
        """`complete`, `interrupted` or `failed`."""
        return str(self.manifest["status"])

    @property
    def replications(self) -> int:
        """How many replications the tables hold."""
        return int(self.manifest["replications"]["done"])

    @property
    def failures(self) -> list[Failure]:
        """Replications that raised an exception; the tables do not hold them."""
        return [Failure(**failure) for failure in self.manifest["failures"]]

    @property
    def tenants(self) -> list[str]:
        """Tenants, in the order of the scenario."""
        return list(self.manifest["tenants"])

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """The scalar results: a row is a replication and tenant."""
        return self.table("outcomes")

    @cached_property
    def milestones(self) -> pd.DataFrame:
        """A row is a milestone in a replication."""
        return self.table("milestones")

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """MW by measure: a row is a month of a tenant in a replication, as it stands at the month's end."""
        return self.table("capacity")

    @cached_property
    def delays(self) -> pd.DataFrame:
        """Days by cause: a row is a phase and cause in a replication."""
        return self.table("delays")

    @cached_property
    def loans(self) -> pd.DataFrame:
        """A row is a loan to a developer in a replication."""
        return self.table("loans")

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """US$ million paid: a row is a month, a pair of parties and a kind of payment in a replication."""
        return self.table("ledger")

    @cached_property
    def cash(self) -> pd.DataFrame:
        """US$ million that parties have: a row is a month of a party in a replication."""
        return self.table("cash")

    @cached_property
    def exposure(self) -> pd.DataFrame:
        """US$ million at stake: a row is a month in which it changes, a pair of parties and a kind of contract."""
        return self.table("exposure")

    @cached_property
    def parties(self) -> pd.DataFrame:
        """A row is a party that guarantees, lends, rents out or supplies, in a replication."""
        return self.table("parties")

    @cached_property
    def defaults(self) -> pd.DataFrame:
        """A row is a party that defaults in a replication."""
        return self.table("defaults")

    @cached_property
    def events(self) -> pd.DataFrame:
        """A row is an event in a replication. Raises `UsageError` unless the run was traced."""
        return self.table("events")

    @cached_property
    def assumptions(self) -> pd.DataFrame:
        """A row is a number of the scenario."""
        return self.table("assumptions")

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table, or some of its columns, read anew.

        Raises `UsageError` for a table or column that is not there, `ResultsError` for a damaged file.
        """
        return read_frame(self.directory, name, columns)

    def hashes(self, replication: int) -> dict[str, str]:
        """Hash of the rows of one replication, by table: what a replay of it must give again."""
        table = read_table(self.directory, "hashes").to_pydict()
        rows = zip(table["replication"], table["table"], table["hash"], strict=True)
        found = {name: digest for number, name, digest in rows if number == replication}
        if not found:
            raise UsageError(f"replication {replication} is not in these results")
        return found

    def verify(self) -> None:
        """Recompute every hash from the rows on the disk; raises `ResultsError` at the first that differs."""
        verify(self.directory)

    def network(self, date: date | str | None = None, replication: int | None = 0) -> Network:
        """The counterparty network at the end of a date (the horizon) in one replication; None: in the plan.

        The replication is simulated again up to there. Raises `UsageError` for a replication that is not in these
        results, a date outside the scenario's time, and a run that Python policies decided.
        """
        from dcsim.scenario.scenario import load
        from dcsim.study.network import snapshot

        if self.manifest["policies"]:
            raise UsageError("Python policies decided in this run, so that its scenario alone does not give it again")
        if replication is not None:
            self.hashes(replication)
        return snapshot(load(self.directory / "scenario.yaml"), date, replication)

    def save(self, directory: str | Path, overwrite: bool = False) -> Path:
        """Keep the results in a directory, complete or not at all. Returns its path.

        Raises `UsageError` if a complete run is already there and `overwrite` is not set, `ResultsError` if the disk
        refuses.
        """
        with StagedDirectory(Path(directory), overwrite) as staged:
            for name in [*self.manifest["files"], MANIFEST]:
                with writing(staged.destination / name):
                    shutil.copyfile(self.directory / name, staged.path / name)
                    with open(staged.path / name, "rb+") as file:
                        settle(file)
            staged.commit()
            return staged.destination

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was run. Raises `ScenarioError` if this version cannot read it."""
        from dcsim.scenario.scenario import load

        return load(self.directory / "scenario.yaml")

    def expectations(self, confidence: float = CONFIDENCE) -> list[Judged]:
        """What the scenario says must hold (`expect:`), each with its verdict: pass, fail or undecided.

        Raises `UsageError` for an outcome that these results do not have.
        """
        from dcsim.study.expect import judge_all

        return judge_all(self, self.scenario, confidence)

    def expect(self, text: str, confidence: float = CONFIDENCE) -> Judged:
        """Whether something holds in these results: `expect("P90 live_mw@2027-12-31 <= 1.1 GW").verdict`.

        The grammar is that of `expect:` (`dcsim.scenario.expression`). Raises `UsageError` for what it does not allow,
        and as `expectations` does.
        """
        from dcsim.study.expect import judge, read_expectation
        from dcsim.study.values import Values

        return judge(Values(self, self.scenario), "", read_expectation(text, self.scenario), confidence)

    def quantiles(
        self,
        column: str,
        qs: Sequence[float] = (0.1, 0.5, 0.9),
        tenant: str | None = None,
        confidence: float = CONFIDENCE,
    ) -> pd.DataFrame:
        """Quantiles over replications with their intervals: of a column of `capacity` by month, or of `outcomes`.

        A row is a tenant, month (for `capacity`) and quantile, with `value`, `low`, `high`, the number `n` of
        replications, and a `note` that says so where there are too few of them for an interval (`low` and `high` are
        then NaN).

        Raises `UsageError` for a column that is in neither table, is not a number, or has values missing.
        """
        import pandas as pd

        tenants = self.tenants if tenant is None else [self._tenant(tenant)]
        by_month = column in self._columns("capacity")
        rows: list[dict[str, Any]] = []
        for name in tenants:
            if by_month:
                months, matrix = self._by_month(column, name)
                labels = [{"tenant": name, "month": month} for month in months]
            else:
                matrix = self._numbers(column, name).reshape(-1, 1)
                labels = [{"tenant": name}]
            for label, estimates in zip(labels, column_quantiles(matrix, qs, confidence), strict=True):
                rows += [
                    {
                        **label,
                        "quantile": q,
                        "value": estimate.value,
                        "low": np.nan if estimate.low is None else estimate.low,
                        "high": np.nan if estimate.high is None else estimate.high,
                        "n": estimate.n,
                        "note": estimate.note,
                    }
                    for q, estimate in zip(qs, estimates, strict=True)
                ]
        frame = pd.DataFrame(rows)
        return frame.astype({"month": "datetime64[ms]"}) if by_month else frame

    def date_of(
        self,
        measure: str,
        level: float | None = None,
        quantile: float = 0.5,
        tenant: str | None = None,
        confidence: float = CONFIDENCE,
    ) -> DateEstimate:
        """The date by which `measure` has reached `level` MW with a chance of `quantile`.

        `measure` is a column of `capacity`; for `live_mw` at a target of the scenario the date is exact to the day,
        otherwise the end of the first month that shows the level. Or it is a column of dates in `outcomes`, without a
        level. A replication that does not get there by the horizon counts as later than all that do.

        Raises `UsageError` for an unknown measure, and where there are several tenants and none is named.
        """
        name = self._tenant(tenant)
        resolution: Resolution = "day"
        if level is None:
            dates = self._date_columns()
            if measure not in dates:
                raise UsageError(f"no dates called {measure!r} in outcomes{suggest(measure, dates)}")
            days = self._days(measure, name)
        else:
            days, resolution = self._days_to(measure, level, name)
        horizon = date.fromisoformat(self.manifest["horizon"])
        return estimate_date(days, quantile, horizon, resolution, confidence)

    def joint_confidence(
        self,
        mw: float,
        by: date | str,
        cost: float,
        tenant: str | None = None,
        confidence: float = CONFIDENCE,
    ) -> Estimate:
        """The chance that so many MW have been live by a date, that day included, and an owned live MW-month costs no
        more than `cost` US$ million (`owned_cost_per_mw_month`): both in the same replication.

        A target of the scenario counts to the day, another level from the end of the first month that shows it. Without
        a live MW there is no cost, and it is more than any.

        Raises `UsageError` for what is no date or no cost, for outcomes that were not kept, and where there are several
        tenants and none is named.
        """
        from dcsim.study.network import as_date

        name = self._tenant(tenant)
        if np.isnan(cost):
            raise UsageError("cost: expected US$ million, got no number")
        if OWNED_COST not in self._columns("outcomes"):
            raise UsageError(f"these results have no {OWNED_COST}")
        last = (as_date(by) - EPOCH).days
        days, _ = self._days_to("live_mw", mw, name)
        costs = self._of_tenant("outcomes", OWNED_COST, name).fill_null(np.inf).to_numpy()
        return joint_share(days, costs, (last, cost), confidence)

    def _columns(self, table: str) -> list[str]:
        import pyarrow.parquet as pq

        path = self.directory / f"{table}.parquet"
        return list(pq.read_schema(path).names) if path.is_file() else []

    def _date_columns(self) -> list[str]:
        return [name for name in self._columns("outcomes") if name.startswith("date_")]

    def _tenant(self, tenant: str | None) -> str:
        tenants = self.tenants
        if tenant is None and len(tenants) != 1:
            raise UsageError(f"there are several tenants, say which one: {', '.join(tenants)}")
        if tenant is not None and tenant not in tenants:
            raise UsageError(f"no tenant {tenant!r}{suggest(tenant, tenants)}")
        return tenants[0] if tenant is None else tenant

    def _of_tenant(self, table: str, column: str, tenant: str) -> Any:
        """Values of a column in the rows of one tenant, as an Arrow array."""
        import pyarrow.compute as pc

        rows = read_table(self.directory, table, ["tenant", column])
        return rows.column(column).filter(pc.equal(rows.column("tenant"), tenant))

    def _by_month(self, column: str, tenant: str) -> tuple[list[date], Floats]:
        """(months, replications x months) of a column of `capacity`; the rows of a replication ascend by month."""
        if column in ("replication", "tenant", "month"):
            raise UsageError(f"{column} is not a number of MW")
        months = self._of_tenant("capacity", "month", tenant).unique().to_pylist()
        return months, self._of_tenant("capacity", column, tenant).to_numpy().reshape(-1, len(months))

    def _numbers(self, column: str, tenant: str) -> Floats:
        known = self._columns("outcomes")
        if column not in known:
            every = [*self._columns("capacity"), *known]
            raise UsageError(f"no column {column!r} in capacity or outcomes{suggest(column, every)}")
        if column in self._date_columns():
            raise UsageError(f"{column} is a date: ask date_of({column!r}, quantile=...)")
        values = self._of_tenant("outcomes", column, tenant)
        if column in ("replication", "tenant") or values.null_count:
            missing = f"has no value in {values.null_count} replications" if values.null_count else "is not a result"
            raise UsageError(f"{column} {missing}")
        return np.asarray(values.to_numpy(), np.float64)

    def _days(self, column: str, tenant: str) -> Floats:
        """Days since 1970-01-01 of a column of dates; `inf` where there is none."""
        import pyarrow as pa

        days = self._of_tenant("outcomes", column, tenant).cast(pa.int32()).cast(pa.float64())
        return np.asarray(days.fill_null(np.inf).to_numpy(), np.float64)

    def _days_to(self, measure: str, level: float, tenant: str) -> tuple[Floats, Resolution]:
        """Days since 1970-01-01 by which a measure has reached a level, and how exact they are; `inf` for never."""
        if measure == "live_mw" and target_name(level) in self._date_columns():
            return self._days(target_name(level), tenant), "day"
        return self._first_months(measure, level, tenant), "month"

    def _first_months(self, measure: str, level: float, tenant: str) -> Floats:
        """Days since 1970-01-01 of the first month's end that shows the level; `inf` where none does."""
        if measure not in self._columns("capacity"):
            raise UsageError(f"no column {measure!r} in capacity{suggest(measure, self._columns('capacity'))}")
        months, matrix = self._by_month(measure, tenant)
        shown = np.rint(matrix * 1e6) >= round(level * 1e6)
        days = np.array([(month - EPOCH).days for month in months], np.float64)
        return np.where(shown.any(axis=1), days[shown.argmax(axis=1)], np.inf)


def open_results(directory: str | Path, verify_rows: bool = False) -> Result:
    """Results from their directory.

    Raises `ResultsError` if it holds none or not all of them; with `verify_rows` also if a row is not that of the run.
    """
    result = Result(Path(directory))
    if verify_rows:
        result.verify()
    return result
