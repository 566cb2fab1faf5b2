"""A scenario and a model small enough to know every row of: for the tests of tables and studies, and their workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import numpy as np

from dcsim.engine.streams import Streams
from dcsim.errors import ModelError
from dcsim.ledger import Monthly, Pair
from dcsim.model.history import History, LoanRecord, PhaseEnd
from dcsim.study.model import Model

DAY = 1440


@dataclass(frozen=True)
class FakeScenario:
    """`faults` maps a replication to what goes wrong in it; `seconds` is how long one takes."""

    name: str = "fake"
    title: str = "A fake"
    start: date = date(2026, 7, 1)
    horizon: date = date(2029, 6, 30)
    seed: int = 1
    replications: int = 20
    hash: str = "ab" * 32
    tenants: tuple[str, ...] = ("lab", "rival")
    faults: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    lots: int = 4

    @property
    def committed(self) -> dict[tuple[str, str | None, str], date]:
        return {("meadow", "all", "full_live"): date(2028, 7, 1), ("meadow", None, "lease_signed"): date(2026, 12, 1)}

    def targets(self, tenant: str) -> list[float]:
        return [50.0, 100.0] if tenant == "lab" else [12.5]

    def to_yaml(self) -> str:
        return f"name: {self.name}\nseed: {self.seed}\n"

    def assumptions(self) -> list[tuple[str, str, str, str | None, str | None, str]]:
        return [
            ("sites.meadow.phases.all.mw", "100", "MW", "walk", "2026", "high"),
            ("x", "1.5", "", None, None, "guess"),
        ]

    def edit(self, edits: dict[str, object]) -> FakeScenario:
        return replace(self, **edits)


def walk(replication: int, shift: int = 0, lots: int = 4, trace: bool = False) -> History:
    """One site by hand: four lots of 25 MW live on days 667, 677, 702 and 742, or all of them `shift` minutes later."""
    ready = 645 * DAY
    history = History(replication)
    signed = 155 * DAY
    history.milestones.append(("lab", "meadow", None, None, "loi_signed", 0))
    history.milestones.append(("lab", "meadow", None, None, "lease_signed", signed))
    history.changes += [(0, "lab", "loi", 100.0), (signed, "lab", "loi", -100.0), (signed, "lab", "leased", 100.0)]
    history.changes.append((ready, "lab", "ready", 100.0))
    path = [(0, "", "meadow")]
    for day, cause in (
        (60, "team"), (90, "diligence"), (135, "negotiation"), (155, "guarantee"), (215, "financing"),
        (615, "equipment"), (645, "commissioning"),
    ):  # fmt: skip
        path.append((day * DAY, cause, "meadow"))
    history.milestones.append(("lab", "meadow", "all", None, "ready_for_service", ready))
    ends = []
    for lot in range(lots):
        arrives, live = ((645, 667), (655, 677), (680, 702), (720, 742))[lot % 4]
        minute = live * DAY + shift
        history.changes.append((minute, "lab", "live", 100.0 / lots))
        history.milestones.append(("lab", "meadow", "all", lot, "live", minute))
        middle = [] if arrives == 645 else [(arrives * DAY, "crews" if arrives == 655 else "chips", "meadow")]
        ends.append((100.0 / lots, (*path, *middle, (minute, "bring_up", "meadow"))))
    last = ends[-1][1]
    history.milestones.append(("lab", "meadow", "all", None, "full_live", last[-1][0]))
    works = [("building", False)]
    history.phases.append(PhaseEnd("lab", "meadow", "all", 100.0, "live", True, last[-1][0], last, ends, works))
    history.outcomes = {"lab": {"calls": 0, "cost": 1.25}, "rival": {"calls": 2, "cost": None}}
    _with_money(history, ready)
    if trace:
        history.events.append((ready, "milestone", "meadow.all", "ready_for_service"))
    return history


def _with_money(history: History, ready: int) -> None:
    """Rent of $12.5m in April 2028 and $15m in each of the 14 months after it, from cash of $300m; a loan of $880m."""
    months = 36
    rent = np.zeros(months, np.int64)
    rent[21], rent[22:] = 12_500_000, 15_000_000
    at = np.flatnonzero(rent)
    history.ledger = Monthly((Pair("lab", "builder", "rent"),), at, np.zeros(len(at), np.int64), rent[at])
    history.cash.append(("lab", 300_000_000, np.zeros(months, np.int64), rent))
    drawn = np.where(np.arange(months) < 7, 0, 880_000_000).astype(np.int64)
    history.exposures.append(("builder", "bank", "loan", drawn))
    loan, interest = 880_000_000, 50_000_000
    history.loans.append(
        LoanRecord("meadow", 215 * DAY, loan, "ltc", 0.8, 1.5, loan, interest, 0, None, None, False, None)
    )
    history.parties["backer"] = {"committed_peak": 880.0, "calls": 1.0}
    history.defaults.append((ready, "rival", "shock"))
    history.compute["lab"] = ([10.0] * months, [30.0] * months, [5.0] * months)


def _replicate(scenario: FakeScenario, streams: Streams, replication: int, trace: bool) -> History:
    fault = scenario.faults.get(replication)
    if fault == "raise":
        raise ModelError(f"nothing goes right in {replication}")
    if fault == "exit":
        os._exit(17)
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        time.sleep(60)
    if fault == "nan":
        return replace(walk(replication), changes=[(0, "lab", "live", float("nan"))])
    if scenario.seconds:
        until = time.perf_counter() + scenario.seconds
        while time.perf_counter() < until:
            pass
    u = streams.once("shift", replication)
    history = walk(replication, int(u * 400 * DAY), scenario.lots, trace)
    if u > 0.9:  # never all live
        history.changes = [change for change in history.changes if change[2] != "live"]
        history.phases[0] = replace(history.phases[0], state="pending", reached=False)
    return history


def prepare(scenario: FakeScenario, seed: int) -> Callable[[int, bool], History]:
    return partial(_replicate, scenario, Streams(seed))


def plan(scenario: FakeScenario) -> History:
    return walk(0)


FAKE = Model(prepare, plan)


def _replicate_one(scenario: FakeScenario, streams: Streams, replication: int, trace: bool) -> History:
    history = _replicate(scenario, streams, replication, trace)
    return replace(history, outcomes={"lab": history.outcomes["lab"]})


def prepare_one(scenario: FakeScenario, seed: int) -> Callable[[int, bool], History]:
    return partial(_replicate_one, scenario, Streams(seed))


FAKE_ONE = Model(prepare_one)
"""The same with one tenant."""


def explode(scenario: FakeScenario, seed: int) -> Callable[[int, bool], History]:
    raise RuntimeError("must not be asked")
