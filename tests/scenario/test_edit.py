"""Paths and edits."""

from __future__ import annotations

from typing import Any

import pytest

from dcsim.errors import Mark, ScenarioError, UsageError
from dcsim.scenario import archetypes, edit, paths, tree
from dcsim.scenario.tree import Node, declared_at, mark_of, plain
from dcsim.scenario.yaml_reader import read_yaml, write_yaml

TEXT = """
seed: 7
defaults:
  site:
    tenant: lab
    lease: {rent: {triangular: {low: 112, mode: 129, high: 155}, kind: epistemic}, term: 15 years}
    negotiation: {duration: 70, fail: 0.05}
    grid: [{share: 0.5, delay: 300}, {share: 1.0, delay: 90}]
    guarantee: {from: google, patience: 240}
archetypes:
  approved: {construction: {activities: {shell: {duration: 7 months}}}, tags: [letters]}
  bridged: {like: approved, construction: {bridge: {share: 1.0}}}
parties:
  source: pr
  google: {rating: AA, guarantee: {limit: {value: $1.6bn, range: [$0.5bn, $3bn]}, terms: {covers: rent}}}
  bank-1: {lending: {capacity: $6bn}}
  bank-2: {like: bank-1}
sites:
  source: guess
  one: {like: approved, phases: [48 MW, 50 MW], lease: {term: 10 years}}
  two: {like: approved, phases: {all: {mw: 60}}, tags: [letters, weak]}
  off: {enabled: false, phases: [10]}
chips:
  orders:
    all: {ordered: 2027-01-01, lead_time: {lognormal: {median: 300, p90: 400}}, paid_by: [spv, cash]}
tenants: {lab: {teams: {deal: 4}, path: {2027-01-01: 300 MW, 2030-01-01: 900}, policy: {value: every, whatif: x}}}
"""
RAW = read_yaml(TEXT, "f")
FILLED = archetypes.fill(RAW)[0]


def edited(edits: dict[str, Any]) -> tuple[Node, Node]:
    """The edited scenario as read and filled; it reads back equal, and nothing given was changed."""
    before, values = write_yaml(RAW), repr(edits)
    raw = edit.apply(RAW, FILLED, edits)
    filled, problems = archetypes.fill(raw)
    assert problems == []
    assert write_yaml(RAW) == before
    assert repr(edits) == values
    again = archetypes.fill(read_yaml(write_yaml(raw)))[0]
    assert plain(again) == plain(filled)
    return raw, filled


def value(edits: dict[str, Any], path: str) -> Any:
    return plain(tree.get(edited(edits)[1], path.split(".")))


def refused(edits: dict[str, Any]) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        edit.apply(RAW, FILLED, edits)
    return [str(p) for p in caught.value.problems]


# Paths.


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("seed", ["seed"]),
        ("sites.one.phases.p2.mw", ["sites.one.phases.p2.mw"]),
        ("sites.*.tenant", ["sites.one.tenant", "sites.two.tenant"]),
        ("sites.@weak.tenant", ["sites.two.tenant"]),
        ("sites.@letters.phases.*", ["sites.one.phases.p1", "sites.one.phases.p2", "sites.two.phases.all"]),
        ("sites.*.grid.1.delay", ["sites.one.grid.1.delay", "sites.two.grid.1.delay"]),
        ("sites.one.grid.*.share", ["sites.one.grid.0.share", "sites.one.grid.1.share"]),
        ("parties.*.lending.capacity", ["parties.bank-1.lending.capacity", "parties.bank-2.lending.capacity"]),
        ("tenants.lab.path.2030-01-01", ["tenants.lab.path.2030-01-01"]),
        ("parties.*", ["parties.google", "parties.bank-1", "parties.bank-2"]),
    ],
)
def test_matching(path: str, found: list[str]) -> None:
    assert [paths.dotted(loc) for loc in paths.match(FILLED, path)] == found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("seeed", "unknown path: no 'seeed' at top level; did you mean 'seed'?"),
        ("parties.gogle.rating", "unknown path: no 'gogle' under parties; did you mean 'google'?"),
        ("sites.*.negotation.fail", "no 'negotation' under sites.*; did you mean 'negotiation'?"),
        ("sites.@lettrs.like", "nothing under sites has the tag 'lettrs'; did you mean 'letters'?"),
        ("sites.one.lease.term.x", "sites.one.lease.term has nothing under it, so no 'x'"),
        ("sites.one.grid.5.delay", "no '5' under sites.one.grid"),
        ("seed.*", "nothing under seed for '*' to match"),
        ("sites.off.tenant", "no 'off' under sites"),
    ],
)
def test_a_path_that_matches_nothing(path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        paths.match(FILLED, path)
    [problem] = caught.value.problems
    assert (problem.code, problem.path) == ("EDIT", path)
    assert words in problem.message


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", "a b", "a.@", "a.**", "a[0]", "x" * 600, "a.@Tag"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        paths.match(FILLED, path, allow_new=True)
    assert caught.value.problems[0].code == "EDIT"


def test_a_new_key_only_where_asked_for_and_only_the_last() -> None:
    assert paths.match(FILLED, "sites.*.decision", allow_new=True) == [
        ("sites", "one", "decision"), ("sites", "two", "decision"),
    ]  # fmt: skip
    for path in ("sites.one.new.key", "sites.one.grid.7", "sites.one.lease.term.new"):
        with pytest.raises(ScenarioError):
            paths.match(FILLED, path, allow_new=True)


def test_outcomes_of_a_law_are_named_by_their_text() -> None:
    assert paths.match(read_yaml("closing: {discrete: {49: 1, 51: 2}}"), "closing.discrete.51") == [
        ("closing", "discrete", 51)
    ]


# Edits.


def test_plain_values() -> None:
    raw, filled = edited({"seed": 8, "parties.google.rating": "A", "chips.orders.all.paid_by": "cash"})
    assert (filled["seed"], filled["parties"]["google"]["rating"]) == (8, "A")
    assert raw["chips"]["orders"]["all"]["paid_by"] == "cash"
    assert list(raw) == list(RAW)
    assert list(raw["parties"]["google"]) == ["rating", "guarantee"]


def test_an_edit_wins_over_what_is_inherited_and_leaves_the_rest_inherited() -> None:
    raw, filled = edited({"sites.one.negotiation.fail": 0.2})
    assert plain(raw["sites"]["one"]["negotiation"]) == {"fail": 0.2}
    assert plain(filled["sites"]["one"]["negotiation"]) == {"duration": 70, "fail": 0.2}
    assert plain(filled["sites"]["two"]["negotiation"]) == {"duration": 70, "fail": 0.05}


def test_untouched_short_hands_stay_and_touched_ones_are_written_as_a_list() -> None:
    raw, _ = edited({"seed": 8})
    assert write_yaml(raw) == write_yaml(RAW).replace("seed: 7", "seed: 8")
    raw, filled = edited({"sites.@letters.phases.p2.decision": "shelve"})
    assert read_yaml(write_yaml(raw))["sites"]["one"]["phases"] == [
        {"mw": "48 MW"},
        {"mw": "50 MW", "decision": "shelve"},
    ]
    assert plain(filled["sites"]["one"]["phases"]["p2"]) == {"mw": "50 MW", "decision": "shelve"}
    assert "p2" not in filled["sites"]["two"]["phases"]


def test_into_an_inherited_list_or_quantity_the_whole_is_copied_first() -> None:
    assert value({"sites.one.grid.1.delay": 120}, "sites.one.grid") == [
        {"share": 0.5, "delay": 300}, {"share": 1.0, "delay": 120},
    ]  # fmt: skip
    assert value({"sites.one.lease.rent.triangular.mode": 130}, "sites.one.lease.rent") == {
        "triangular": {"low": 112, "mode": 130, "high": 155}, "kind": "epistemic",
    }  # fmt: skip


def test_mappings_go_over_mappings_and_quantities_are_replaced_whole() -> None:
    assert value({"sites.one.negotiation": {"fail": 0.2}}, "sites.one.negotiation") == {"duration": 70, "fail": 0.2}
    assert value({"parties.google.guarantee": {"max_cap": 5}}, "parties.google.guarantee.terms") == {"covers": "rent"}
    assert value({"parties.google.guarantee.limit": 0}, "parties.google.guarantee.limit") == 0
    rule = {"rank_by": "score", "until": "600 MW"}
    assert value({"tenants.lab.policy": rule}, "tenants.lab.policy") == rule


@pytest.mark.parametrize(
    ("path", "change", "result"),
    [
        ("tenants.lab.teams.deal", {"plus": 2}, 6),
        ("tenants.lab.path", {"times": 0.5}, {"2027-01-01": "150 MW", "2030-01-01": 450}),
        ("parties.google.guarantee.limit", {"times": 2}, {"value": "$3.2bn", "range": ["$1bn", "$6bn"]}),
        ("parties.bank-2.lending.capacity", {"times": 0.5}, "$3bn"),
        ("chips.orders.all.ordered", {"plus": "1 week"}, "2027-01-08"),
        ("sites.one.phases.p1.mw", {"times": 0.5}, "24 MW"),
        ("sites.one.lease.term", {"plus": "5 years"}, "15 years"),
        ("sites.one.negotiation.duration", {"times": 2}, 140),
        ("sites.one.grid.0.delay", {"plus": 5}, 305),
    ],
)
def test_changes(path: str, change: dict[str, Any], result: Any) -> None:
    assert value({path: change}, path) == result


def test_changing_what_is_inherited_keeps_it_inherited() -> None:
    raw, filled = edited({"sites.*.lease.rent": {"times": 1.5}})
    assert plain(raw["sites"]["one"]["lease"]["rent"]) == {"times": 1.5}
    assert declared_at(filled, "sites.one.lease.rent") == "defaults.site.lease.rent"
    assert filled["sites"]["two"]["lease"]["rent"]["times"] == 1.5
    again, filled = edited({"sites.*.lease.rent": {"times": 1.5}, "sites.one.lease.rent": {"times": 2, "plus": 1}})
    assert plain(again["sites"]["one"]["lease"]["rent"]) == {"times": 3, "plus": 1}


def test_edits_apply_in_order_and_see_each_other() -> None:
    bridged = {"sites.one.like": "bridged", "sites.one.construction.bridge.share": 0.5}
    assert value(bridged, "sites.one.construction.bridge") == {"share": 0.5}
    assert value({"tenants.lab.teams.deal": 10, "tenants.*.teams.deal": {"times": 2}}, "tenants.lab.teams.deal") == 20


def test_archetypes_and_defaults_are_edited_before_they_are_filled_in() -> None:
    assert value({"defaults.site.negotiation.fail": 0.5}, "sites.two.negotiation.fail") == 0.5
    assert value({"archetypes.approved.tags": ["x"]}, "sites.one.tags") == ["x"]
    assert value({"parties.bank-1.lending.capacity": 5}, "parties.bank-2.lending.capacity") == 5


def test_entries_come_and_go() -> None:
    assert list(edited({"sites.one.enabled": False})[1]["sites"]) == ["source", "two"]
    _, filled = edited({"sites.off.enabled": True, "sites.off.phases.p1.mw": {"times": 2}})
    assert plain(filled["sites"]["off"]["phases"]) == {"p1": {"mw": 20}}
    assert "off" not in edited({"sites.*.enabled": True})[1]["sites"]


@pytest.mark.parametrize("nothing", [None, "none"])
def test_null_takes_out_what_is_there_or_inherited(nothing: str | None) -> None:
    raw, filled = edited({"sites.one.guarantee": nothing, "parties.bank-1.lending": nothing})
    assert "guarantee" not in filled["sites"]["one"]
    assert "guarantee" in filled["sites"]["two"]
    assert raw["sites"]["one"]["guarantee"] is None
    assert "lending" not in raw["parties"]["bank-1"]
    assert "lending" not in filled["parties"]["bank-2"]


def test_items_of_a_list_are_taken_out() -> None:
    assert value({"sites.one.grid.0": None}, "sites.one.grid") == [{"share": 1.0, "delay": 90}]
    assert value({"sites.one.grid.*": None}, "sites.one.grid") == []
    assert value({"sites.two.team": "none"}, "sites.two.team") == "none"


def test_what_cannot_be_done_is_said_all_at_once() -> None:
    assert refused(
        {
            "parties.gogle.x": 1,
            "sites.*.tenant": {"times": 2},
            "seed": {"each": [1, 2]},
            "sites.one.nothing": {"plus": 1},
            "sites.one.nothing.at.all": 1,
            "sites.two.nothing": None,
        }
    ) == [
        "parties.gogle.x: unknown path: no 'gogle' under parties; did you mean 'google'? [EDIT]",
        "sites.one.tenant: times: cannot multiply text 'lab' [EDIT]",
        "sites.two.tenant: times: cannot multiply text 'lab' [EDIT]",
        "seed: {each: [...]} stands for several scenarios, and one is wanted here [EDIT]",
        "sites.one.nothing: unknown path: no 'nothing' under sites.one [EDIT]",
        "sites.one.nothing.at.all: unknown path: no 'nothing' under sites.one [EDIT]",
        "sites.two.nothing: unknown path: no 'nothing' under sites.two [EDIT]",
    ]


def test_edits_from_a_file_bring_their_places() -> None:
    edits = read_yaml("sites.one.negotiation: {fail: 0.2}\nseed: 9\nparties.gogle.x: 1\n", "w")
    with pytest.raises(ScenarioError) as caught:
        edit.apply(RAW, FILLED, edits)
    assert caught.value.problems[0].mark == Mark("w", 3, 1)
    del edits["parties.gogle.x"]
    filled = archetypes.fill(edit.apply(RAW, FILLED, edits))[0]
    assert mark_of(filled, ("sites", "one", "negotiation", "fail")) == Mark("w", 1, 31)
    assert mark_of(filled, ("seed",)) == Mark("w", 2, 7)
    assert declared_at(filled, "sites.one.negotiation.fail") == "sites.one.negotiation.fail"


def test_edits_from_a_call_have_no_place() -> None:
    _, filled = edited({"sites.one.negotiation.fail": 0.2})
    assert mark_of(filled, ("sites", "one", "negotiation", "fail")) is None
    assert mark_of(filled, ("sites", "one", "negotiation", "duration")) == Mark("f", 7, 29)


# The command line's form, and variants.


@pytest.mark.parametrize(
    ("text", "path", "read"),
    [
        ("a.b=5", "a.b", 5),
        ("a.*.b=$5m", "a.*.b", "$5m"),
        (" a = {times: 2}", "a", {"times": 2}),
        ("a=[1, x]", "a", [1, "x"]),
        ("a=x=y", "a", "x=y"),
        ("a=", "a", None),
        ("a=NO", "a", "NO"),
        ('a="5"', "a", "5"),
        ("a=2027-07-01", "a", "2027-07-01"),
    ],
)
def test_parse_set(text: str, path: str, read: Any) -> None:
    assert edit.parse_set(text) == (path, read)


def test_parse_set_refuses() -> None:
    for text in ("a", "=5", ""):
        with pytest.raises(UsageError):
            edit.parse_set(text)
    with pytest.raises(ScenarioError, match="is no path"):
        edit.parse_set("a..b=5")
    with pytest.raises(ScenarioError, match="not closed"):
        edit.parse_set("a={x: 1")


def test_each_gives_every_combination_with_a_label() -> None:
    assert edit.expand_each({"a": 1, "b": {"times": 2}}) == [("", {"a": 1, "b": {"times": 2}})]
    variants = edit.expand_each({"x.buffer": {"each": [0, "60 days"]}, "y": 5, "z.deal": {"each": [True, {"plus": 1}]}})
    assert [label for label, _ in variants] == [
        "buffer=0, deal=true",
        "buffer=0, deal={plus: 1}",
        "buffer=60 days, deal=true",
        "buffer=60 days, deal={plus: 1}",
    ]
    assert variants[3][1] == {"x.buffer": "60 days", "y": 5, "z.deal": {"plus": 1}}
    labels = [label for label, _ in edit.expand_each({"a.x": {"each": [1]}, "b.x": {"each": [2]}})]
    assert labels == ["a.x=1, b.x=2"]


@pytest.mark.parametrize("bad", [{"each": []}, {"each": 5}, {"each": [1], "times": 2}])
def test_each_is_a_list_and_alone(bad: Any) -> None:
    with pytest.raises(ScenarioError) as caught:
        edit.expand_each({"a": bad})
    assert caught.value.problems[0].code == "EDIT"


def test_too_many_variants() -> None:
    many = {f"a{i}": {"each": list(range(10))} for i in range(4)}
    with pytest.raises(ScenarioError, match="10,000 variants"):
        edit.expand_each(many)
