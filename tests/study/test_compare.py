"""Variants under the same luck: what pairs, what the differences are, and what is kept."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dcsim
from dcsim import Comparison, RunFailed, Scenario, ScenarioError, UsageError, load, open_results, simulate
from dcsim.scenario.expression import parse_quantity
from dcsim.stats import paired_difference, quantile_difference, share
from dcsim.study.change import change_of
from dcsim.study.direction import better
from dcsim.study.values import Series
from dcsim.study.variants import asked, split_edits

SCENARIOS = Path(__file__).parents[2] / "scenarios"
N = 36


@pytest.fixture(scope="module")
def base() -> Scenario:
    return load(SCENARIOS / "quickstart.yaml")


@pytest.fixture(scope="module")
def comparison(base: Scenario) -> Comparison:
    return dcsim.compare(
        base,
        {
            "no guarantee": base.edit({"parties.cloudmaker.guarantee.limit": 0}),
            "drop ridge": {"sites.ridge.decision": "shelve"},
            "nothing": {"parties.cloudmaker.guarantee.limit": {"times": 1}},
        },
        replications=N,
        seed=11,
        workers=1,
    )


# ---- the luck is the same -----------------------------------------------------------------------------------------


def test_every_run_is_that_of_simulate_with_the_same_seed(base: Scenario, comparison: Comparison) -> None:
    alone = simulate(base.edit({"sites.ridge.decision": "shelve"}), N, 11, workers=1)
    for table in ("outcomes", "milestones"):
        pd.testing.assert_frame_equal(comparison.variants["drop ridge"].table(table), alone.table(table))
    for result in (comparison.base, *comparison.variants.values()):
        assert (result.manifest["seed"], result.replications) == (11, N)
    assert list(comparison.variants) == ["no guarantee", "drop ridge", "nothing"]
    assert comparison.warnings == []


def test_sites_that_a_variant_does_not_touch_meet_the_same_fate_where_nothing_is_shared(base: Scenario) -> None:
    """Power studies are drawn by address: dropping a site moves no other site's."""
    found = dcsim.compare(base, {"x": {"sites.ridge.decision": "shelve"}}, 20, workers=1)
    for text in ("day_of(lakeside.diligence_complete)", "day_of(prairie.loi_signed)"):
        assert found.change("x", text).same, text


# ---- differences --------------------------------------------------------------------------------------------------


def test_differences_are_paired(comparison: Comparison) -> None:
    summary = comparison.summary().set_index(["variant", "outcome"])
    before, after = (r.outcomes for r in (comparison.base, comparison.variants["drop ridge"]))
    for name in ("live_mw_2030", "idle_mw_days", "mw_lost"):
        row = summary.loc["drop ridge", name]
        expected = paired_difference(after[name], before[name])
        assert (row["base"], row["value"]) == (pytest.approx(before[name].mean()), pytest.approx(after[name].mean()))
        assert (row["difference"], row["low"], row["high"]) == (expected.value, expected.low, expected.high)
        assert (row["statistic"], row["interval"], row["n"]) == ("mean", "paired t", N)
        assert row["equal"] == np.isclose(before[name], after[name]).mean()
        assert row["higher"] == (after[name] > before[name] + 1e-6).mean()
    assert summary.loc[("drop ridge", "live_mw_2030"), "unit"] == "MW"


def test_dates_that_never_come_are_medians_with_their_shares(comparison: Comparison) -> None:
    row = comparison.summary(["date_of_100_mw"]).set_index("variant").loc["drop ridge"]
    days = []
    for result in (comparison.base, comparison.variants["drop ridge"]):
        dates = result.outcomes["date_of_100_mw"]
        days.append((dates - pd.Timestamp(comparison.scenarios["base"].start)).dt.days.fillna(math.inf).to_numpy())
    before, after = days
    expected = quantile_difference(after, before)
    assert (row["statistic"], row["unit"], row["interval"]) == ("median", "day", "paired bootstrap")
    assert (row["base"], row["value"]) == (sorted(before)[N // 2 - 1], sorted(after)[N // 2 - 1])
    assert (row["difference"], row["low"], row["high"]) == (expected.value, expected.low, expected.high)
    assert (row["base_reached"], row["reached"]) == (np.isfinite(before).mean(), np.isfinite(after).mean())
    assert 0 < row["reached"] < row["base_reached"] < 1
    assert row["better"] == (after < before).mean()  # earlier
    assert row["equal"] == (after == before).mean()
    gone = comparison.change("no guarantee", "date_of_100_mw")
    assert (gone.value, gone.reached, gone.difference.value) == (math.inf, 0, math.inf)


def test_better_follows_the_direction(comparison: Comparison) -> None:
    summary = comparison.summary().set_index(["variant", "outcome"])
    live, lost = summary.loc[("no guarantee", "live_mw_2032")], summary.loc[("no guarantee", "mw_lost")]
    assert live["difference"] < 0
    assert (live["better"], live["higher"]) == (0, 0)
    assert live["better_high"] == share(0, N).high
    assert lost["difference"] < 0  # they end unguaranteed instead
    assert lost["better"] == pytest.approx(1 - lost["equal"] - lost["higher"])
    racks = summary.loc[("no guarantee", "racks_ordered")]
    assert math.isnan(racks["better"])
    assert racks["higher"] == 0


@pytest.mark.parametrize(
    ("text", "sense"),
    [
        ("live_mw_2030", "higher"), ("live_mw@2030-06", "higher"), ("mw_live", "higher"), ("mw_unguaranteed", "lower"),
        ("mw_shelved", None), ("mw_pending", None), ("date_of_100_mw", "lower"), ("date_first_live", "lower"),
        ("full_live(a)", "lower"), ("day_of(a.lease_signed)", "lower"), ("date_of(a.ended)", None),
        ("idle_mw_days", "lower"), ("owned_cost_per_mw_month@2030", "lower"), ("least_cash_usd_m", "higher"),
        ("lab.ending_cash", "higher"), ("least_cash_month", None), ("peak_exposure_usd_m", "lower"),
        ("google.calls", "lower"), ("defaults", "lower"),
        ("leased_mw@2030", None), ("owned_share@2030", None), ("signed_share(x)", None), ("racks_ordered", None),
        ("loans_usd_m", None), ("recalls_of_memory", None),
    ],
)  # fmt: skip
def test_which_way_is_better(text: str, sense: str | None) -> None:
    assert better(parse_quantity(text)) == sense


def test_a_number_that_is_missing_is_the_worst() -> None:
    nan = math.nan
    cost = parse_quantity("owned_cost_per_mw_month@2030")
    found = change_of(cost, Series(np.array([1.0, nan, 3.0] * 20), None), Series(np.array([1.0, 2.0, nan] * 20), None))
    assert found.statistic == "median"
    assert (found.base_reached, found.reached) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.better is not None
    assert (found.better.value, found.equal.value) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    cash = parse_quantity("least_cash")
    other = change_of(cash, Series(np.array([1.0, nan] * 20), None), Series(np.array([1.0, 2.0] * 20), None))
    assert other.better == share(20, 40)
    assert other.base == -math.inf


def test_what_changes_nothing_says_so(comparison: Comparison) -> None:
    rows = comparison.summary().query("variant == 'nothing'")
    assert (rows["equal"] == 1).all()
    finite = rows[rows["base"].abs() < math.inf]
    assert (finite["difference"] == 0).all()
    assert all(change.same for change in comparison.changes("nothing"))


def test_anything_an_expression_may_name(comparison: Comparison) -> None:
    for text in ("leased_mw@2030-06-30", "date_of(prairie.full_live)", "signed_share(ridge)", "cloudmaker.limit"):
        change = comparison.change("no guarantee", text)
        assert change.n == N
    assert comparison.change("no guarantee", "cloudmaker.limit").difference.value == -1600
    for wrong, says in (
        ("live_mw", "say when"), ("idle_mw_dais", "did you mean"), ("full_live(x)", "unknown site 'x'"),
        ("P50 idle_mw_days", "expected a quantity"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=says):
            comparison.change("nothing", wrong)
    with pytest.raises(UsageError, match="no variant 'x'"):
        comparison.change("x", "idle_mw_days")


def test_the_long_frame_has_every_pair(comparison: Comparison) -> None:
    frame = comparison.outcomes
    assert list(frame.columns) == ["variant", "replication", "outcome", "base", "value"]
    before = comparison.base.outcomes
    told = 0
    for result in comparison.variants.values():
        both = pd.concat([before, result.outcomes])
        told += sum(name.startswith("date_") or both[name].notna().any() for name in before.columns[2:])
    assert len(frame) == N * told
    one = frame.query("variant == 'drop ridge' and outcome == 'mw_shelved'")
    assert one["replication"].tolist() == list(range(N))
    assert one["value"].tolist() == comparison.variants["drop ridge"].outcomes["mw_shelved"].tolist()
    start = pd.Timestamp(comparison.scenarios["base"].start)
    days = (comparison.base.outcomes["date_of_100_mw"] - start).dt.days.fillna(math.inf)
    assert frame.query("variant == 'nothing' and outcome == 'date_of_100_mw'")["value"].tolist() == days.tolist()
    late = frame.query("variant == 'no guarantee' and outcome == 'date_of_200_mw'")
    assert np.isinf(late["value"]).all()


# ---- what does not pair -------------------------------------------------------------------------------------------


def test_unlike_scenarios_are_compared_as_far_as_they_pair() -> None:
    walk = load(SCENARIOS / "walk.yaml").edit({"expect": None})
    longer = walk.edit({"horizon": "2030-12-31", "tenants.lab.targets": [50, 75]})
    rival = {"tenants.rival": {"teams": {"deal": 1}}, "parties.rival": {"rating": "A"}}
    rivals = walk.edit({**rival, "chips.orders.all-of-it.tenant": "lab"})
    found = dcsim.compare(walk, {"longer": longer, "rivals": rivals})
    assert [text.partition(":")[0] for text in found.warnings] == ["longer", "longer", "rivals"]
    assert "it ends on 2030-12-31, not 2029-06-30" in found.warnings[0]
    assert "the targets of 'lab' differ" in found.warnings[1]
    assert "its tenant 'rival' is new" in found.warnings[2]
    outcomes = set(found.summary().query("variant == 'longer'")["outcome"])
    assert "date_of_50_mw" in outcomes
    assert not {"date_of_100_mw", "date_of_75_mw", "live_mw_2029"} & outcomes
    assert "lab.idle_mw_days" in set(found.summary().query("variant == 'rivals'")["outcome"])


def test_replications_that_only_one_has_are_left_out(base: Scenario) -> None:
    fewer, more = simulate(base, 8, workers=1), simulate(base, 10, workers=1)
    found = Comparison(fewer, {"x": more}, {"base": base, "x": base})
    change = found.change("x", "idle_mw_days")
    assert (change.n, change.same) == (8, True)


def test_a_site_taken_out_never_comes(base: Scenario) -> None:
    found = dcsim.compare(base, {"x": {"sites.ridge.enabled": False}}, 10, workers=1)
    change = found.change("x", "date_of(ridge.lease_signed)")
    assert (change.reached, change.value) == (0, math.inf)
    assert change.base_reached > 0


# ---- what is wrong ------------------------------------------------------------------------------------------------


def test_wrong_edits_are_refused_before_any_run(
    base: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcsim.study.compare.simulate", lambda *_, **__: pytest.fail("it ran"))
    with pytest.raises(ScenarioError, match="did you mean 'ridge'"):
        dcsim.compare(base, {"ok": {"sites.ridge.decision": "shelve"}, "x": {"sites.rige.decision": "shelve"}})
    with pytest.raises(UsageError, match="nothing to compare with"):
        dcsim.compare(base, {})
    with pytest.raises(UsageError, match="two variants are called 'base'"):
        dcsim.compare(base, {"base": base})
    (tmp_path / "something").write_text("x")
    with pytest.raises(UsageError, match="something else than results"):
        dcsim.compare(base, {"x": base}, out=tmp_path)


def test_a_failed_run_names_its_variant(base: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    import dcsim.model.world as world
    from dcsim.errors import ModelError

    simulate_replication = world.simulate_replication

    def faulty(blueprint: object, draws: object, replication: int, *rest: object) -> object:
        if blueprint.scenario.spec.sites["ridge"].decision == "shelve" and replication == 1:  # type: ignore[attr-defined]
            raise ModelError("impossible")
        return simulate_replication(blueprint, draws, replication, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(world, "simulate_replication", faulty)
    with pytest.raises(RunFailed, match=r"^drop: 1 of 3 replications failed, the first of them 1: .*impossible"):
        dcsim.compare(base, {"fine": {"tenants.lab.teams.deal": 2}, "drop": {"sites.ridge.decision": "shelve"}}, 3)


def test_progress_counts_all_runs(base: Scenario) -> None:
    seen: list[tuple[int, int]] = []
    dcsim.compare(base, {"a": {"tenants.lab.teams.deal": 2}}, 6, workers=1, progress=lambda d, t: seen.append((d, t)))
    assert seen[-1] == (12, 12)
    assert seen == sorted(seen)


# ---- what is kept -------------------------------------------------------------------------------------------------


def test_everything_is_kept_in_one_directory(comparison: Comparison, tmp_path: Path) -> None:
    place = comparison.save(tmp_path / "kept")
    assert {path.name for path in place.iterdir()} == {
        "base", "no-guarantee", "drop-ridge", "nothing", "comparison.parquet", "comparison.csv", "manifest.json",
    }  # fmt: skip
    for name, result in (("base", comparison.base), ("drop-ridge", comparison.variants["drop ridge"])):
        again = open_results(place / name, verify_rows=True)
        assert again.manifest == result.manifest
    table = pd.read_parquet(place / "comparison.parquet")
    pd.testing.assert_frame_equal(table, comparison.summary())
    assert len(pd.read_csv(place / "comparison.csv")) == len(table)
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["runs"]["no guarantee"]["directory"] == "no-guarantee"
    assert (manifest["seed"], manifest["replications"], manifest["status"]) == (11, N, "complete")
    with pytest.raises(UsageError, match="already holds a complete run"):
        comparison.save(place)
    comparison.save(place, overwrite=True)


def test_names_never_become_paths_or_formulas(tmp_path: Path) -> None:
    walk = load(SCENARIOS / "walk.yaml")
    names = ["=1+1", "../up", "Ü", "a b", "a-b", "base.", ""]
    place = dcsim.compare(walk, dict.fromkeys(names, walk), out=tmp_path / "kept").save(tmp_path / "again")
    found = {path.name for path in place.iterdir() if path.is_dir()}
    assert found == {"base", "1-1", "up", "u", "a-b", "a-b-2", "base-2", "variant"}
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "again"}
    assert pd.read_csv(place / "comparison.csv")["variant"].iloc[0] == "'=1+1"
    assert pd.read_parquet(place / "comparison.parquet")["variant"].iloc[0] == "=1+1"


# ---- names of variants --------------------------------------------------------------------------------------------


def test_what_ifs_edits_and_all(base: Scenario) -> None:
    found = asked(base, ["drop-ridge", "cheap: parties.bank.lending.rate=0.05,tenants.lab.teams.deal={plus: 1}"])
    assert list(found) == ["drop-ridge", "cheap"]
    assert found["drop-ridge"].hash == base.what_if("drop-ridge").hash
    edits = {"parties.bank.lending.rate": 0.05, "tenants.lab.teams.deal": {"plus": 1}}
    assert found["cheap"].hash == base.edit(edits).hash
    every = list(asked(base, ["all"]))
    assert every == [
        "no-guarantor", "limit-doubled", "two-deal-teams", "chips-half-year-late", "chip-buffer: buffer=0",
        "chip-buffer: buffer=60", "chip-buffer: buffer=120", "chip-buffer: buffer=180", "drop-ridge",
        "cash-halved", "lab-stops-paying",
    ]  # fmt: skip
    grid = asked(base, ["g:tenants.lab.teams.deal={each: [1, 2]},sites.ridge.decision={each: [shelve, by_policy]}"])
    assert list(grid) == [
        "g: deal=1, decision=shelve", "g: deal=1, decision=by_policy", "g: deal=2, decision=shelve",
        "g: deal=2, decision=by_policy",
    ]  # fmt: skip
    named_all = base.edit({"what_ifs.all": {"tenants.lab.teams.deal": 3}})
    assert list(asked(named_all, ["all"])) == ["all"]


def test_edits_are_split_at_commas_that_a_path_follows() -> None:
    assert split_edits("a.b=1,c.d=2") == ["a.b=1", "c.d=2"]
    assert split_edits("a={each: [1, 2]}, sites.*.x={times: 2}") == ["a={each: [1, 2]}", "sites.*.x={times: 2}"]
    assert split_edits("a=$1,250,000,sites.@letters.x=2") == ["a=$1,250,000", "sites.@letters.x=2"]
    assert split_edits("a='x, b=2',c=3") == ["a='x, b=2'", "c=3"]
    assert split_edits("a=[x, y]") == ["a=[x, y]"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drop-rige", "unknown what-if 'drop-rige'; did you mean 'drop-ridge'?"),
        ("xyz", "(there are: no-guarantor, limit-doubled"),
        ("a=b", "expected NAME or NAME:PATH=VALUE"),
        ("x:", "expected NAME or NAME:PATH=VALUE"),
        (":a=b", "expected NAME or NAME:PATH=VALUE"),
        ("x:seed=1,seed=2", "'seed' is set twice"),
        ("x:sites.rige.y=2", "did you mean 'ridge'? (in variant 'x')"),
        ("x:replications=0", "(in variant 'x')"),
        ("x:seed={each: []}", "expected {each: [value, ...]}"),
    ],
)
def test_variants_that_are_refused(base: Scenario, text: str, says: str) -> None:
    with pytest.raises((UsageError, ScenarioError)) as caught:
        asked(base, [text])
    assert says in str(caught.value)
    assert isinstance(caught.value, UsageError) == ("in variant" not in says and "each" not in says)


def test_every_failing_variant_is_told_at_once(base: Scenario) -> None:
    with pytest.raises(ScenarioError) as caught:
        asked(base, ["x:sites.a.y=2", "fine:tenants.lab.teams.deal=2", "z:sites.b.y=2"])
    assert ["(in variant 'x')" in str(p) for p in caught.value.problems] == [True, False]
    assert len(caught.value.problems) == 2
