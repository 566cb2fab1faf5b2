"""What is expected of the what-ifs is said of all of them, and holds for those that are quick to run."""

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.append(str(Path(__file__).parent))

import what_ifs
from what_ifs import FOLDER, compared, directions, moved, variants, verdict

import dcsim
from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.model.history import History
from dcsim.model.world import make_blueprint, simulate_replication
from dcsim.study.expect import read_quantity

FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", FILES)
def test_every_what_if_has_a_direction(name):
    """Or several; and each is about an outcome that there is, in a file that has it."""
    scenario = dcsim.load(FOLDER / f"{name}.yaml")
    said = [line for line in directions() if line.scenario == name]
    assert {line.what_if for line in said} == set(variants(scenario))
    for line in said:
        assert line.expected in what_ifs.DIRECTIONS
        assert line.because
        read_quantity(line.outcome, scenario)


def test_no_line_is_about_another_file_or_said_twice():
    lines = directions()
    assert {line.scenario for line in lines} <= set(FILES)
    assert max(Counter((line.scenario, line.what_if, line.outcome) for line in lines).values()) == 1


def row(higher, equal, low, high, statistic="mean", n=100):
    return SimpleNamespace(higher=higher, equal=equal, low=low, high=high, statistic=statistic, n=n)


def test_which_way_it_moved():
    """Of dates 9 of 10 pairs that differ must go one way: 2 x (1 + 10) / 1024 = 2 %."""
    assert moved(row(0.3, 0.5, 0.1, 2.0)) == "higher"
    assert moved(row(0.3, 0.5, -2.0, -0.1)) == "lower"
    assert moved(row(0.3, 0.5, -0.1, 2.0)) == "unclear"
    assert moved(row(0.0, 1.0, 0.0, 0.0)) == "same"
    assert moved(row(0.09, 0.90, 0, 0, "median")) == "higher"
    assert moved(row(0.08, 0.90, 0, 0, "median")) == "unclear"
    assert moved(row(0.01, 0.90, 0, 0, "median")) == "lower"


def test_whether_that_is_as_expected():
    ways = ("higher", "unclear", "same", "lower")
    assert [verdict("higher", way) for way in ways] == ["yes", "unclear", "no", "no"]
    assert [verdict("not lower", way) for way in ways] == ["yes", "yes", "yes", "no"]
    assert verdict("same", "same") == "yes"


@pytest.mark.parametrize("name", ["quickstart", "backstop-precedents"])
def test_what_ifs_go_where_they_are_expected_to(name):
    found = compared(name, 40, workers=1)
    assert [(line.what_if, way) for line, _, way, judged in found if judged == "no"] == []
    assert sum(judged == "yes" for *_, judged in found) >= len(found) - 2  # of so few, one or two may be unclear


def simulated(scenario, replications) -> list[History]:
    blueprint = make_blueprint(scenario)
    sampler = Sampler(Streams(scenario.seed), scenario.binding.drivers)
    return [simulate_replication(blueprint, sampler.replication(r), r) for r in replications]


def test_cover_from_close_changes_only_what_happens_before_a_covered_phase_is_ready():
    """A future changes only if somebody fails while a phase that Google stands behind is not ready.

    What is paid in the months before the first failure is the same to the dollar.
    """
    scenario = dcsim.load(FOLDER / "backstop-precedents.yaml")
    early = scenario.edit(scenario.spec.what_ifs["covered-from-close"])
    some = range(50, 108)
    changed = 0
    for one, other in zip(simulated(scenario, some), simulated(early, some), strict=True):
        if one.milestones == other.milestones and one.ledger == other.ledger:
            continue
        changed += 1
        assert one.defaults, "nobody fails"
        failed = min(minute for minute, *_ in one.defaults)
        assert first_difference(one, other) >= month_of(scenario, failed)
        ready = {(site, phase): at for _, site, phase, _, name, at in one.milestones if name == "ready_for_service"}
        covered = [(end.site, end.phase) for end in one.phases if scenario.spec.sites[end.site].tenant == "fluidstack"]
        assert any(ready.get(phase, 10**9) > failed for phase in covered)
    assert changed >= 2


def month_of(scenario: dcsim.Scenario, minute: int) -> int:
    day = scenario.start + timedelta(minutes=minute)
    return 12 * (day.year - scenario.start.year) + day.month - scenario.start.month


def first_difference(one: History, other: History) -> int:
    """The first month in which the ledgers differ, 0 being that of the start."""
    months = [
        Counter(
            (int(month), history.ledger.pairs[pair], int(dollars))
            for month, pair, dollars in zip(
                history.ledger.month, history.ledger.pair, history.ledger.dollars, strict=True
            )
        )
        for history in (one, other)
    ]
    differ = (months[0] - months[1]) + (months[1] - months[0])
    return min((month for month, *_ in differ), default=10**6)
