"""The scenarios that come with dcsim: they load, cite their sources, run, and answer as an analyst would expect."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

import pytest

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.model.history import CAUSES, TERMINAL_STATES, History
from dcsim.model.world import make_blueprint, simulate_replication
from dcsim.scenario.edit import expand_each
from dcsim.scenario.scenario import Scenario, load, parse

FOLDER = Path(__file__).parents[2] / "scenarios"
SHIPPED = (
    "quickstart", "anthropic-2026", "walk", "backstop-precedents", "openai-ohio", "anthropic-10gw", "closed-loop",
)  # fmt: skip
LARGE = ("openai-ohio", "anthropic-10gw", "closed-loop")
"""Of these few replications are run here."""
SEED = 1
REPLICATIONS = 20
DAY = 1440

WARNINGS: dict[str, list[str]] = {name: [] for name in SHIPPED}
"""What the checks are expected to remark on."""


class Runs:
    """The replications of a scenario under one seed, simulated when they are first asked for."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._blueprint = make_blueprint(scenario)
        self._sampler = Sampler(Streams(SEED), scenario.binding.drivers)
        self._done: dict[int, History] = {}

    def __getitem__(self, r: int) -> History:
        if r not in self._done:
            self._done[r] = simulate_replication(self._blueprint, self._sampler.replication(r), r)
        return self._done[r]

    def all(self) -> list[History]:
        return [self[r] for r in range(4 if self.scenario.name in LARGE else REPLICATIONS)]


@pytest.fixture(scope="module")
def runs() -> dict[str, Runs]:
    return {name: Runs(load(FOLDER / f"{name}.yaml")) for name in SHIPPED}


@pytest.fixture(params=SHIPPED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_file_is_tested_here():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(SHIPPED)


# As files.


def test_loads_with_the_warnings_expected_and_no_others(runs, name):
    assert [str(warning) for warning in runs[name].scenario.warnings] == WARNINGS[name]


def test_every_number_has_a_source_or_is_marked_as_a_guess(runs, name):
    scenario = runs[name].scenario
    rows = scenario.assumptions()
    assert rows
    for path, _, _, source, _, confidence in rows:
        assert source in scenario.spec.sources, f"{path} cites {source}"
        assert confidence in ("high", "medium", "low", "guess"), path
        assert (confidence == "guess") == (source == "guess"), path


def test_sources_say_who_what_and_when(runs, name):
    for id, source in runs[name].scenario.spec.sources.items():
        assert source.issuer, id
        assert source.document, id
        assert source.date is not None or source.confidence == "guess", f"{id} has no date"
        assert source.issuer != "press" or source.via is not None, f"{id} is a re-report, and does not say whose"


def test_every_source_is_cited(runs, name):
    """By a number, by a block of texts, or by what a what-if brings in."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for source in runs[name].scenario.spec.sources:
        assert f"source: {source}" in text, source


def test_what_is_reported_is_in_the_portfolio(runs):
    spec = runs["anthropic-2026"].scenario.spec
    letters = [site for site in spec.sites.values() if "letters" in site.tags]
    opening = [site for site in spec.sites.values() if "opening" in site.tags]
    power = [sum(phase.mw.value for site in some for phase in site.phases.values()) for some in (letters, opening)]
    assert (len(letters), len(opening), power) == (12, 4, [1_110, 980])
    in_use = sum(site.initial.cap.value for site in opening)
    assert in_use == pytest.approx(13_230)
    assert all(site.initial.guarantor == "google" for site in opening)
    assert all(site.guarantee.guarantors == ("google", "broadcom") for site in letters)
    assert spec.parties["google"].guarantee.framework is not None
    assert spec.parties["google"].guarantee.limit.value - in_use == pytest.approx(20_000, abs=100)
    assert {product.supplier for product in spec.chips.products.values()} == {"broadcom"}


def test_the_written_scenario_runs_the_same(runs, name):
    base = runs[name]
    assert Runs(parse(base.scenario.to_yaml()))[0] == base[0]


# As simulations.


def test_twenty_replications_make_sense(runs, name):
    scenario = runs[name].scenario
    for history in runs[name].all():
        signed = {site: minute for _, site, _, _, milestone, minute in history.milestones if milestone == "loi_signed"}
        assert len(history.phases) == len(scenario.sites)
        for end in history.phases:
            assert end.state in TERMINAL_STATES
            if end.site not in signed:
                assert end.state in ("pending", "lost", "terminated")  # its letter waits for another site
                continue
            assert end.reached == (end.state == "live")
            for trail in (end.trail, *(trail for _, trail in end.lots)):
                assert trail[0][0] == signed[end.site]  # the days since the letter, and no others
                assert all(link[0] > before[0] and link[1] in CAUSES for before, link in pairwise(trail))
            assert end.trail[-1][0] == end.minute
            assert sum(mw for mw, _ in end.lots) <= end.mw + 1e-6
        for minute, at in levels(history).items():
            assert min(at.values()) > -1e-6, minute
            assert at["live"] <= at["ready"] + 1e-6, minute
            assert at["ready"] <= at["energised"] + 1e-6, minute
            assert at["ready"] <= at["closed"] + 1e-6, minute
            assert at["closed"] <= at["leased"] + 1e-6, minute


def levels(history: History) -> dict[int, Counter[str]]:
    """MW of each measure at the end of each minute in which one changes, of all tenants together."""
    now: Counter[str] = Counter()
    out = {}
    for minute, _, measure, mw in sorted(history.changes, key=lambda change: change[0]):
        now[measure] += mw
        out[minute] = now.copy()
    return out


@pytest.mark.timeout(300)  # some ten seconds of work, and workers may share a core
def test_every_what_if_applies_and_changes_something(runs, name):
    base = runs[name]
    for what_if, edits in base.scenario.spec.what_ifs.items():
        variants = [base.scenario.edit(variant) for _, variant in expand_each(edits)]
        assert variants
        if name in LARGE:
            assert all(variant.hash != base.scenario.hash for variant in variants)
            continue
        assert any(differs(base, Runs(variant)) for variant in variants), f"{what_if} changes nothing"


def differs(base: Runs, other: Runs) -> bool:
    """Whether any replication has other rows in any table."""
    return any(base[r] != other[r] for r in range(REPLICATIONS))


def live_mw(history: History, minute: int) -> float:
    return sum(mw for at, _, measure, mw in history.changes if measure == "live" and at < minute)


def test_the_tutorial_teaches_what_it_says(runs):
    """Letters die in several ways, somebody waits for the guarantor, and 200 MW are beyond its limit."""
    histories = runs["quickstart"].all()
    states = Counter(end.state for history in histories for end in history.phases)
    assert states["live"] > 20
    assert {"rejected", "lost", "unguaranteed"} <= states.keys()
    assert max(live_mw(history, 10**9) for history in histories) < 200
    assert any(link[1:] == ("guarantee", "cloudmaker") for h in histories for end in h.phases for link in end.trail)


def test_the_portfolio_is_plausible(runs):
    """Twenty replications bound it loosely: conversions of letters, slips of published dates, time to build."""
    base = runs["anthropic-2026"]
    spec, histories = base.scenario.spec, base.all()
    letters = [site for site, entry in spec.sites.items() if "letters" in entry.tags]
    fields = [site for site in letters if "shell" in spec.sites[site].construction.activities]
    powered = [site for site in fields if "waits-for-grid" not in spec.sites[site].tags]
    shares, months, slips = [], [], []
    for history in histories:
        at = {
            (site, phase, milestone): minute
            for _, site, phase, lot, milestone, minute in history.milestones
            if lot is None
        }
        shares.append(fmean((site, None, "lease_signed") in at for site in letters))
        for site in powered:
            closed = at.get((site, None, "financial_close"))
            if closed is not None:
                live = at.get((site, "p1", "first_live"))
                months.append((live - closed) / DAY / 30.44 if live is not None else float("inf"))
        for site, entry in spec.sites.items():
            for phase, block in entry.phases.items():
                published = block.committed.get("ready_for_service")
                if published is not None and (site, phase, "ready_for_service") in at:
                    slips.append(at[site, phase, "ready_for_service"] / DAY - (published - spec.start).days)
    assert 0.30 <= fmean(shares) <= 0.65
    assert 18 <= median(months) <= 32
    assert min(slips) >= 0
    assert 40 <= median(slips) <= 150  # 2.5 months were measured, 3.5 where there is a slip at all

    def at_end_of(*date: int) -> list[float]:
        minute = ((dt.date(*date) - spec.start).days + 1) * DAY
        return [live_mw(history, minute) for history in histories]

    assert median(at_end_of(2028, 6, 30)) >= 900
    assert max(at_end_of(2027, 12, 31)) <= 1_100
    assert max(at_end_of(2034, 12, 31)) <= 2_090


def test_the_walk_as_shipped(runs):
    """The walk by hand from the file alone; tests/model/test_walk.py goes through it step by step."""
    scenario, history = runs["walk"].scenario, runs["walk"][0]
    day = {
        (phase, lot, milestone): minute // DAY for _, _, phase, lot, milestone, minute in history.milestones
    }
    ready = day["all", None, "ready_for_service"]
    assert (ready, scenario.start + dt.timedelta(days=ready)) == (645, dt.date(2028, 4, 6))
    slack = {name: ready - 30 - day["all", None, name] for name in ("building_complete", "energised")}
    assert slack == {"building_complete": 35, "energised": 100}
    live = [day["all", lot, "live"] for lot in range(4)]
    assert live == [667, 677, 702, 742]
    (end,) = history.phases
    assert [mw for mw, _ in end.lots] == [25, 25, 25, 25]
    charged = [days_by_cause(trail) for _, trail in end.lots]
    steps = {
        "team": 60, "diligence": 30, "negotiation": 45, "guarantee": 20, "financing": 60, "equipment": 400,
        "commissioning": 30,
    }  # fmt: skip
    assert charged[1] == {**steps, "crews": 10, "bring_up": 22}
    assert charged[3] == days_by_cause(end.trail) == {**steps, "chips": 75, "bring_up": 22}
    steps_of_power = sorted(levels(history).items())
    idle = sum((at["ready"] - at["live"]) * (b - a) / DAY for (a, at), (b, _) in pairwise(steps_of_power))
    assert idle == pytest.approx(5_200)


def days_by_cause(trail: tuple[tuple[int, str, str], ...]) -> dict[str, float]:
    charged: Counter[str] = Counter()
    for before, link in pairwise(trail):
        charged[link[1]] += link[0] - before[0]
    return {cause: minutes / DAY for cause, minutes in charged.items()}
