"""A scenario beside variants of it, with the same luck in all: what each of them changes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dcsim.errors import UsageError
from dcsim.scenario.expression import Column, Quantity
from dcsim.scenario.scenario import Scenario
from dcsim.stats import CONFIDENCE, Estimate
from dcsim.study.change import Change, change_of
from dcsim.study.expect import read_quantity
from dcsim.study.run import RunFailed, RunInterrupted, simulate
from dcsim.study.slug import slug
from dcsim.study.values import Series, Values
from dcsim.study.variants import add, edited
from dcsim.tables.directory import MANIFEST, StagedDirectory, check_destination, write_file, writing
from dcsim.tables.layout import EPOCH

if TYPE_CHECKING:
    import pandas as pd

    from dcsim.study.result import Result

BASE = "base"


class Comparison:
    """A base, its variants, and what they change. Made by `compare`.

    `base` and `variants` are results, `warnings` what does not pair.
    """

    def __init__(self, base: Result, variants: Mapping[str, Result], scenarios: Mapping[str, Scenario]) -> None:
        """`scenarios` are those that were run, the base's under the name `base`."""
        self.base = base
        self.variants = dict(variants)
        self.scenarios = dict(scenarios)
        self.warnings = [w for name in variants for w in _unlike(name, scenarios[BASE], scenarios[name])]
        self._values = {BASE: Values(base, scenarios[BASE])}
        for name, result in variants.items():
            self._values[name] = Values(result, scenarios[name])

    def __repr__(self) -> str:
        return f"<Comparison of {self.base!r} with {', '.join(self.variants)}>"

    def change(self, variant: str, outcome: str | Quantity, confidence: float = CONFIDENCE) -> Change:
        """What a variant changes in an outcome, or in anything else that an expression may name.

        Raises `UsageError` for what the base or the variant does not have.
        """
        if variant not in self.variants:
            raise UsageError(f"no variant '{variant}'")
        quantity = read_quantity(outcome, self.scenarios[BASE]) if isinstance(outcome, str) else outcome
        base, other = self._pair(variant, quantity)
        return change_of(quantity, base, other, confidence)

    def changes(
        self, variant: str, outcomes: Sequence[str | Quantity] | None = None, confidence: float = CONFIDENCE
    ) -> list[Change]:
        """The same for several outcomes: all that both have, unless some are named."""
        wanted = self.shared(variant) if outcomes is None else outcomes
        return [self.change(variant, outcome, confidence) for outcome in wanted]

    def shared(self, variant: str) -> list[Quantity]:
        """Every outcome of which the base and a variant say anything, for each tenant that both have."""
        mine, theirs = self._values[BASE], self._values[variant]
        tenants = [tenant for tenant in mine.spec.tenants if tenant in theirs.spec.tenants]
        several = max(len(mine.spec.tenants), len(theirs.spec.tenants)) > 1
        columns = [name for name in mine.outcomes.column_names if name in theirs.outcomes.column_names]
        columns = [name for name in columns if mine.has_numbers(name) or theirs.has_numbers(name)]
        return [
            Column(name, tenant if several else None)
            for tenant in tenants
            for name in columns
            if name not in ("replication", "tenant")
        ]

    def summary(self, outcomes: Sequence[str] | None = None, confidence: float = CONFIDENCE) -> pd.DataFrame:
        """What the variants change: a row is a variant and outcome.

        Columns: variant, outcome, statistic (`mean`, or `median` of dates and where a replication has no value), unit,
        base, value, difference, low, high (NaN where there is no interval, and `note` says why), interval (`paired t`
        or `paired bootstrap`), better (the chance that the variant is; NaN where no direction is better), better_low,
        better_high, higher, equal, base_reached, reached (shares of the replications with a value), n, note. Dates are
        in days since the base's start (unit `day`), `inf` where not reached. `outcomes` chooses (all that both have).
        """
        import pandas as pd

        start = (self.scenarios[BASE].start - EPOCH).days
        rows = [
            _row(variant, change, start)
            for variant in self.variants
            for change in self.changes(variant, outcomes, confidence)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Every outcome in every replication: variant, replication, outcome, base, value; dates as in `summary`."""
        import pandas as pd

        start = (self.scenarios[BASE].start - EPOCH).days
        parts = []
        for variant in self.variants:
            numbers = self._paired(variant)
            for quantity in self.shared(variant):
                base, other = self._pair(variant, quantity)
                shift = start if base.unit == "date" else 0
                part = {"replication": numbers, "base": base.values - shift, "value": other.values - shift}
                parts.append(pd.DataFrame({"variant": variant, "outcome": str(quantity), **part}))
        columns = ["variant", "replication", "outcome", "base", "value"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    def save(self, directory: str | Path, overwrite: bool = False) -> Path:
        """Keep everything in a directory, complete or not at all: `base/`, a directory of each variant, and the summary
        as `comparison.parquet` and `comparison.csv`. Returns its path.

        Raises `UsageError` if a comparison or run is already there and `overwrite` is not set.
        """
        names = _directories([BASE, *self.variants])
        with StagedDirectory(Path(directory), overwrite) as staged:
            for name, result in {BASE: self.base, **self.variants}.items():
                result.save(staged.path / names[name])
            table = self.summary()
            with writing(staged.destination):
                table.to_parquet(staged.path / "comparison.parquet", index=False)
                _safe(table).to_csv(staged.path / "comparison.csv", index=False, lineterminator="\n")
            manifest = {
                "format": 1,
                "kind": "comparison",
                "status": "complete",
                "seed": self.scenarios[BASE].seed,
                "replications": self.scenarios[BASE].replications,
                "runs": {name: {"directory": names[name], "hash": self.scenarios[name].hash} for name in names},
                "warnings": self.warnings,
            }
            text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
            write_file(staged.path / MANIFEST, lambda file: file.write(text.encode()))
            staged.commit()
            return staged.destination

    def _paired(self, variant: str) -> list[int]:
        """Replications that both runs have."""
        there = set(self._values[variant].numbers)
        return [number for number in self._values[BASE].numbers if number in there]

    def _pair(self, variant: str, quantity: Quantity) -> tuple[Series, Series]:
        numbers = self._paired(variant)
        if not numbers:
            raise UsageError(f"no replication of '{variant}' pairs with the base")
        found = []
        for values in (self._values[BASE], self._values[variant]):
            series = values.of(quantity)
            if len(numbers) < len(values):
                series = Series(series.values[np.searchsorted(values.numbers, numbers)], series.unit)
            found.append(series)
        return found[0], found[1]


def compare(
    scenario: Scenario,
    others: Mapping[str, Scenario | Mapping[str, object]],
    replications: int | None = None,
    seed: int | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Simulate a scenario and variants of it with the same seed and replications, and pair them.

    `others` are scenarios by name, or edits of the first (`{"parties.google.guarantee.limit": {"times": 0.5}}`; with
    `{"each": [...]}` values several variants). `replications` and `seed` are the base's unless given; the rest is as in
    `simulate`, and `out` keeps the comparison (`Comparison.save`).

    Raises as `simulate` does, with the variant's name, and `ScenarioError` for an edit that fails, before any run.
    """
    scenarios: dict[str, Scenario] = {}
    for name, other in others.items():
        add(scenarios, {name: other} if isinstance(other, Scenario) else edited(scenario, name, other))
    if not scenarios:
        raise UsageError("nothing to compare with: name at least one variant")
    if out is not None:
        check_destination(Path(out), overwrite)
    counts = {"replications": replications or scenario.replications, "seed": scenario.seed if seed is None else seed}
    scenarios = {name: _with(one, counts) for name, one in {BASE: scenario, **scenarios}.items()}
    total = counts["replications"] * len(scenarios)
    results: dict[str, Result] = {}
    for name, one in scenarios.items():
        before = counts["replications"] * len(results)
        report = None if progress is None else _after(progress, before, total)
        try:
            results[name] = simulate(one, workers=workers, executor=executor, progress=report)
        except RunFailed as error:
            raise RunFailed(f"{name}: {error}", error.result) from error
        except RunInterrupted as error:
            raise RunInterrupted(f"{name}: {error}") from error
    comparison = Comparison(results.pop(BASE), results, scenarios)
    if out is not None:
        comparison.save(out, overwrite)
    return comparison


def _after(progress: Callable[[int, int], object], before: int, total: int) -> Callable[[int, int], object]:
    """Progress of one run as a part of all."""
    return lambda done, of: progress(before + done, total)


def _with(scenario: Scenario, counts: Mapping[str, int]) -> Scenario:
    edits = {path: value for path, value in counts.items() if value != getattr(scenario, path)}
    return scenario.edit(edits) if edits else scenario


def _unlike(name: str, base: Scenario, other: Scenario) -> list[str]:
    """What keeps a variant from pairing with the base."""
    found = []
    if other.start != base.start:
        found.append(f"it starts on {other.start}, not {base.start}: days count from another date")
    if other.horizon != base.horizon:
        found.append(f"it ends on {other.horizon}, not {base.horizon}: what is counted up to then differs")
    for tenant in base.tenants:
        if tenant not in other.tenants:
            found.append(f"it has no tenant '{tenant}', whose outcomes are left out")
        elif other.targets(tenant) != base.targets(tenant):
            found.append(f"the targets of '{tenant}' differ: those that only one has are left out")
    found += [f"its tenant '{tenant}' is new, and left out" for tenant in other.tenants if tenant not in base.tenants]
    return [f"{name}: {what}" for what in found]


# As tables.

_COLUMNS = (
    "variant", "outcome", "statistic", "unit", "base", "value", "difference", "low", "high", "interval", "better",
    "better_low", "better_high", "higher", "equal", "base_reached", "reached", "n", "note",
)  # fmt: skip


def _row(variant: str, change: Change, start: int) -> tuple[Any, ...]:
    shift = start if change.unit == "date" else 0
    chance = change.better or Estimate(math.nan, None, None, change.n)
    return (
        variant,
        change.outcome,
        change.statistic,
        "day" if change.unit == "date" else change.unit,
        change.base - shift,
        change.value - shift,
        change.difference.value,
        *_ends(change.difference),
        change.interval,
        chance.value,
        *_ends(chance),
        change.higher.value,
        change.equal.value,
        change.base_reached,
        change.reached,
        change.n,
        change.difference.note,
    )


def _ends(estimate: Estimate) -> tuple[float, float]:
    low, high = estimate.low, estimate.high
    return (math.nan, math.nan) if low is None or high is None else (low, high)


def _directories(names: Sequence[str]) -> dict[str, str]:
    """A directory name for each variant, all different."""
    found: dict[str, str] = {}
    for name in names:
        plain = slug(name, "variant")
        number = 2
        while plain in found.values():
            plain, number = f"{slug(name, 'variant')[:56]}-{number}", number + 1
        found[name] = plain
    return found


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet would take for formulas get an apostrophe."""
    out = table.copy()
    for name in ("variant", "outcome", "unit", "note"):
        out[name] = [f"'{text}" if isinstance(text, str) and text[:1] in "=+-@\t\r" else text for text in out[name]]
    return out
