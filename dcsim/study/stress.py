"""What if a party fails: who is hurt, through whom, and what is not built, over many replications."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dcsim.errors import DcsimError, UsageError, suggest
from dcsim.model.blueprint import DAY
from dcsim.model.snapshot import roles
from dcsim.network.balance import Balance, balance_of
from dcsim.network.exposure import expected_shortfall
from dcsim.network.measures import hanging, hanging_mw_years
from dcsim.network.stress import Failure, fail
from dcsim.stats import Estimate, Floats, mean, paired_difference, quantile, share
from dcsim.study.looks import Look, LookTask, looks
from dcsim.study.network import as_date
from dcsim.tables.manifest import Failure as Lost

if TYPE_CHECKING:
    import pandas as pd

    from dcsim.scenario.scenario import Scenario

ALL: Final = "all"
"""In place of a party: each one in turn."""

TAIL: Final = 0.95
"""Level of the expected shortfall: the mean of the worst 5 %."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""Of what is demanded of guarantors."""

BATCH: Final = 1000
"""Replications that are cleared together."""


@dataclass(frozen=True, slots=True)
class Hurt:
    """What a failure does to one party. US$ million; `first`, `later`, `calls` and `stakes` are means."""

    party: str
    loss: Estimate
    """Mean of what it loses of its own."""
    tail: float
    """Mean of the worst 5 % of replications."""
    first: float
    """Of the loss: what the failed party owed it."""
    later: float
    """Of the loss: what others owed it who then could not pay."""
    calls: float
    """Of the loss: what it paid as a guarantor."""
    stakes: float
    """Beside the loss: what its shares in those who lose are worth less."""
    defaults: Estimate
    """Chance that it defaults because of it."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a loss reaches somebody: `to` bears what `source` does not pay. Mean US$ million."""

    source: str
    to: str
    kind: str
    loss: float
    first: bool
    """Whether `source` is the failed party itself."""


@dataclass(frozen=True, slots=True)
class Called:
    """What a failure calls a guarantor for, whether it can pay or not. US$ million."""

    party: str
    quantiles: tuple[Estimate, ...]
    """P10, P50 and P90 over replications."""
    liquidity: float | None
    """Its mean cash, and what it can still draw; None where the scenario says nothing of it."""
    cover: tuple[float | None, ...]
    """How many times the liquidity pays each of the quantiles; None where it is not known, or nothing is called."""


@dataclass(frozen=True, slots=True)
class PartyFails:
    """The failure of one party, over all replications. Money in US$ million, MW-years to the horizon."""

    party: str
    hurt: tuple[Hurt, ...]
    """Those who lose or default, the largest loss first."""
    ways: tuple[Way, ...]
    """The largest first."""
    write_down: Estimate
    """Debts unpaid because of it, whoever bears them, what guarantors make good included."""
    tail: float
    """Mean write-down of the worst 5 %."""
    multiplier: float
    """Mean write-down over the mean of what the failed party itself leaves unpaid; nan where that is nothing."""
    rounds: int
    """The most rounds of default in any replication, its own included."""
    loans: Estimate
    """Sites whose loan defaults."""
    debtrank: Estimate
    """DebtRank (2015): value in distress beyond its own, as a share of all that is owed and guaranteed."""
    hanging_mw: Estimate
    """IT MW that hang on it."""
    hanging_mw_years: Estimate
    """The same over time: what its failure may stall at most."""
    stalled_mw_years: Estimate | None = None
    """Live MW-years lost when the replications are run again with the failure in them; None if they were not."""
    also_default: tuple[tuple[str, Estimate], ...] = ()
    """Parties that default in those runs and not without the failure, with the chance of it."""
    called: tuple[Called, ...] = ()
    """Guarantors that are called in any replication, the largest P90 first."""


@dataclass(frozen=True, slots=True)
class Stress:
    """A stress test. `failures` holds one party, or each in turn, the largest write-down first."""

    name: str
    title: str
    date: dt.date
    """The parties fail at 00:00 of this date; the network is that of the minute before."""
    horizon: dt.date
    months: int
    """Calendar months in which what falls due counts."""
    recovery: float
    default_costs: float
    replications: int
    """So many are counted: all but those that failed."""
    seed: int
    failures: tuple[PartyFails, ...]
    bottomless: tuple[str, ...]
    """Parties of which neither equity nor cash is known: they are taken to bear any loss."""
    lost: tuple[Lost, ...] = ()
    """Replications that raised an exception."""

    def __getitem__(self, party: str) -> PartyFails:
        """The failure of a party. Raises UsageError if it was not tested."""
        for failure in self.failures:
            if failure.party == party:
                return failure
        tested = [failure.party for failure in self.failures]
        raise UsageError(f"the failure of {party!r} was not tested{suggest(party, tested)}")

    def frame(self) -> pd.DataFrame:
        """A row is a failed party and somebody hurt by it; columns in US$ million."""
        import pandas as pd

        columns = ("failed", "party", "loss_usd_m", "loss_low", "loss_high", "tail_usd_m", "first_usd_m", "later_usd_m",
                   "calls_usd_m", "stakes_usd_m", "chance_of_default")  # fmt: skip
        return pd.DataFrame(
            [
                (f.party, h.party, h.loss.value, h.loss.low, h.loss.high, h.tail, h.first, h.later, h.calls, h.stakes,
                 h.defaults.value)
                for f in self.failures
                for h in f.hurt
            ],
            columns=list(columns),
        )  # fmt: skip


class StressFailed(DcsimError):
    """Some replications failed (exit status 1). `stress` is the test over all others; None if there are none."""

    def __init__(self, lost: Sequence[Lost], asked: int, stress: Stress | None = None) -> None:
        first = lost[0]
        super().__init__(
            f"{len(lost)} of {asked} replications failed, the first of them {first.replication}: {first.error}"
        )
        self.lost = tuple(lost)
        self.stress = stress


def stress(
    scenario: Scenario,
    default: str = ALL,
    date: dt.date | str | None = None,
    replications: int | None = None,
    seed: int | None = None,
    *,
    recovery: float = 0.0,
    default_costs: float = 0.0,
    months: int = 12,
    rerun: bool = True,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Stress:
    """Let a party fail, or each in turn (`all`), on a date, in every replication.

    default: a party, `PARTY@DATE`, or `all`. date: halfway from start to horizon, on the 1st of a month, if it is said
    nowhere. recovery: share of its debts that the failed party still pays. default_costs: share of its own assets that
    any other party loses when it defaults in turn. months: calendar months in which what falls due counts. rerun:
    whether the replications are run again with one party's failure in them, under the same luck, to see what it stalls.

    Raises UsageError for an unknown party, a date outside the scenario's time, shares outside 0 to 1; StressFailed,
    which has the test over all others, if replications failed.
    """
    party, _, written = default.partition("@")
    if written and date is not None:
        raise UsageError(f"two dates: {written} and {date}")
    _check_party(scenario, party)
    day = _date(scenario, written or date)
    for name, value in (("recovery", recovery), ("default_costs", default_costs)):
        if not 0 <= value <= 1:
            raise UsageError(f"{name}: must be between 0 and 1, got {value:g}")
    if not 1 <= months <= 1200:
        raise UsageError(f"months: must be from 1 to 1200, got {months}")
    if replications is not None and replications < 1:
        raise UsageError(f"replications: expected a whole number of at least 1, got {replications}")
    if seed is not None and seed != scenario.seed:
        scenario = scenario.edit({"seed": seed})
    asked = replications or scenario.replications
    task = LookTask(
        scenario,
        minute=max(0, (day - scenario.start).days * DAY - 1),
        months=months,
        struck=scenario.with_shock(f"default:{party}@{day.isoformat()}") if rerun and party != ALL else None,
    )
    found, lost = looks(task, asked, workers=workers, executor=executor, progress=progress)
    if not found:
        raise StressFailed(lost, asked)
    count = len(found)
    balances = [
        balance_of([look.snapshot for look in found[first : first + BATCH]]) for first in range(0, count, BATCH)
    ]
    ids = [state.id for state in balances[0].parties] if party == ALL else [party]
    hangs = [(hanging(look.snapshot), hanging_mw_years(look.snapshot)) for look in found]
    failures = []
    for id in ids:
        parts = [fail(balance, id, recovery=recovery, default_costs=default_costs) for balance in balances]
        mw, mw_years = ([each[which].get(id, 0.0) for each in hangs] for which in (0, 1))
        failures.append(_summary(id, parts, balances[0], mean(mw), mean(mw_years), found))
    if party == ALL:
        failures.sort(key=lambda f: (-f.write_down.value, -f.hanging_mw_years.value))
    done = Stress(
        name=scenario.name,
        title=scenario.title,
        date=day,
        horizon=scenario.horizon,
        months=months,
        recovery=recovery,
        default_costs=default_costs,
        replications=count,
        seed=scenario.seed,
        failures=tuple(failures),
        bottomless=tuple(
            state.id for at, state in enumerate(balances[0].parties) if np.isinf(balances[0].capital[:, at]).any()
        ),
        lost=tuple(lost),
    )
    if lost:
        raise StressFailed(lost, asked, done)
    return done


def _check_party(scenario: Scenario, party: str) -> None:
    known = roles(scenario.spec)
    if party != ALL and party not in known:
        raise UsageError(f"no party '{party}' in the scenario{suggest(party, [*known, ALL])}")


def _date(scenario: Scenario, wanted: dt.date | str | None) -> dt.date:
    if wanted is None:
        middle = scenario.start + (scenario.horizon - scenario.start) / 2
        return max(scenario.start, middle.replace(day=1))
    day = as_date(wanted)
    if not scenario.start <= day <= scenario.horizon:
        raise UsageError(f"{day} is not within {scenario.start} to {scenario.horizon}")
    return day


def _summary(
    party: str, parts: Sequence[Failure], balance: Balance, mw: Estimate, mw_years: Estimate, found: Sequence[Look]
) -> PartyFails:
    """Batches of replications put together."""
    write_down = np.concatenate([part.write_down for part in parts]) / 1e6
    direct = np.concatenate([part.direct for part in parts]) / 1e6
    own = float(direct.mean())
    stalled, also = _runs(party, found)
    return PartyFails(
        party=party,
        hurt=tuple(_hurt(parts, balance)),
        ways=_ways(parts, len(found)),
        write_down=mean(write_down),
        tail=float(expected_shortfall(write_down, TAIL)),
        multiplier=float(write_down.mean()) / own if own > 0 else float("nan"),
        rounds=int(max(part.rounds.max() for part in parts)),
        loans=mean(np.concatenate([part.projects.sum(axis=1) for part in parts]).astype(np.float64)),
        debtrank=mean(np.concatenate([part.debtrank for part in parts])),
        hanging_mw=mw,
        hanging_mw_years=mw_years,
        stalled_mw_years=stalled,
        also_default=also,
        called=tuple(_called(parts, balance, found)),
    )


def _hurt(parts: Sequence[Failure], balance: Balance) -> list[Hurt]:
    """Everybody who loses, or defaults, in any replication."""

    def column(name: str, at: int) -> Floats:
        return np.concatenate([getattr(part, name)[:, at] for part in parts]) / 1e6

    out = []
    for at, state in enumerate(balance.parties):
        loss, stakes = column("loss", at), column("stakes", at)
        defaults = np.concatenate([part.contagion[:, at] for part in parts])
        if loss.any() or stakes.any() or defaults.any():
            out.append(
                Hurt(
                    party=state.id,
                    loss=mean(loss),
                    tail=float(expected_shortfall(loss, TAIL)),
                    first=float(column("first", at).mean()),
                    later=float(column("later", at).mean()),
                    calls=float(column("calls", at).mean()),
                    stakes=float(stakes.mean()),
                    defaults=share(int(defaults.sum()), len(defaults)),
                )
            )
    return sorted(out, key=lambda hurt: (-hurt.loss.value, -hurt.stakes, hurt.party))


def _called(parts: Sequence[Failure], balance: Balance, found: Sequence[Look]) -> list[Called]:
    """Every guarantor that is called in any replication."""
    out = []
    for at, state in enumerate(balance.parties):
        demanded = np.concatenate([part.called[:, at] for part in parts]) / 1e6
        if not demanded.any():
            continue
        quantiles = tuple(quantile(demanded, q) for q in QUANTILES)
        known = [party.liquidity for look in found for party in look.snapshot.parties if party.id == state.id]
        liquid = None if None in known else float(np.mean([each or 0 for each in known])) / 1e6
        cover = tuple(None if liquid is None or each.value == 0 else liquid / each.value for each in quantiles)
        out.append(Called(state.id, quantiles, liquid, cover))
    return sorted(out, key=lambda called: (-called.quantiles[-1].value, called.party))


def _ways(parts: Sequence[Failure], count: int) -> tuple[Way, ...]:
    total: dict[tuple[str, str, str, bool], float] = {}
    for part in parts:
        for channel in part.channels:
            key = (channel.source, channel.to, channel.kind, channel.first)
            total[key] = total.get(key, 0.0) + float(channel.loss.sum()) / count / 1e6
    ways = [Way(source, to, kind, loss, first) for (source, to, kind, first), loss in total.items()]
    return tuple(sorted(ways, key=lambda way: (-way.loss, way.source, way.to, way.kind)))


def _runs(party: str, found: Sequence[Look]) -> tuple[Estimate | None, tuple[tuple[str, Estimate], ...]]:
    """Live MW-years lost, and who defaults besides, where the replications were run to the horizon."""
    if not found[0].struck_mw_years:
        return None, ()
    stalled = paired_difference(
        [sum(look.mw_years.values()) for look in found], [sum(look.struck_mw_years.values()) for look in found]
    )
    counts: dict[str, int] = {}
    for look in found:
        for other in look.struck_defaults - look.defaults - {party}:
            counts[other] = counts.get(other, 0) + 1
    also = [(other, share(count, len(found))) for other, count in counts.items()]
    return stalled, tuple(sorted(also, key=lambda entry: (-entry[1].value, entry[0])))
