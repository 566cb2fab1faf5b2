"""Defaults, archetypes, siblings, short-hands, and entries taken out."""

from __future__ import annotations

from typing import Any

import pytest

from dcsim.errors import Mark, Problem, ScenarioError
from dcsim.scenario import archetypes, tree
from dcsim.scenario.tree import Node, declared_at, mark_of, nearest, plain
from dcsim.scenario.yaml_reader import read_yaml, write_yaml

BASE = """
source: own
defaults:
  workstream: {team: diligence, remedy_takes: 30}
  site:
    source: guess
    tenant: lab
    loi: {exclusivity: 120 days, renewal: {length: 60, at_most: 6}}
    diligence:
      power: {duration: {lognormal: {median: 55, p90: 110}}, team: none}
      land: {duration: 20}
    lease: {rent: {triangular: {low: 112, mode: 129, high: 155}, kind: epistemic}, term: 15 years}
    grid: [{share: 1.0, delay: 300}]
    tags: [all]
archetypes:
  approved:
    construction: {activities: {shell: {duration: 7}, fit-out: {duration: 6, after: shell}}}
  in-study:
    like: approved
    diligence: {power: {fail: 0.5}}
    tags: [waits]
sites:
  one:
    like: in-study
    loi: 2026-04-14
    phases: [48 MW, {mw: 50, decision: shelve}]
  two:
    like: approved
    source: pr
    tags: [letters, x]
    lease: {rent: {times: 1.2}, term: 10 years}
    diligence: {power: none, permits: {duration: 9, remedy_takes: {times: 2}}}
    construction: {activities: {shell: none}}
    grid: [{share: 0.5, delay: 100}]
  three: {like: two, enabled: false}
"""


def fill(text: str) -> Node:
    filled, problems = archetypes.fill(read_yaml(text, "f"))
    assert problems == []
    return filled


def problems(text: str) -> list[str]:
    _, found = archetypes.fill(read_yaml(text, "f"))
    return [str(p) for p in found]


def at(filled: Node, path: str) -> Any:
    return plain(tree.get(filled, path.split(".")))


def test_a_site_is_defaults_then_archetypes_then_its_own_words() -> None:
    filled = fill(BASE)
    one = plain(filled["sites"]["one"])
    assert one["tenant"] == "lab"
    assert one["loi"] == {"exclusivity": "120 days", "renewal": {"length": 60, "at_most": 6}, "signed": "2026-04-14"}
    assert one["diligence"]["power"] == {
        "team": "none",
        "remedy_takes": 30,
        "duration": {"lognormal": {"median": 55, "p90": 110}},
        "fail": 0.5,
    }
    assert one["diligence"]["land"] == {"team": "diligence", "remedy_takes": 30, "duration": 20}
    assert list(one["construction"]["activities"]) == ["shell", "fit-out"]
    assert one["phases"] == {"p1": {"mw": "48 MW"}, "p2": {"mw": 50, "decision": "shelve"}}
    assert one["tags"] == ["waits"]
    assert "like" not in one


def test_own_words_win_lists_and_quantities_are_replaced_whole_and_none_removes() -> None:
    two = plain(fill(BASE)["sites"]["two"])
    assert two["tags"] == ["letters", "x"]
    assert two["grid"] == [{"share": 0.5, "delay": 100}]
    assert two["lease"]["term"] == "10 years"
    assert two["lease"]["rent"] == {
        "triangular": {"low": 112, "mode": 129, "high": 155}, "kind": "epistemic", "times": 1.2,
    }  # fmt: skip
    assert set(two["diligence"]) == {"land", "permits"}
    assert two["diligence"]["permits"] == {"team": "diligence", "remedy_takes": 60, "duration": 9}
    assert list(two["construction"]["activities"]) == ["fit-out"]


def test_disabled_entries_are_gone_and_being_disabled_is_not_inherited() -> None:
    filled = fill(BASE + "  four: {like: three}\n  five: {like: one, enabled: true}\n")
    assert list(filled["sites"]) == ["one", "two", "four", "five"]
    assert filled["sites"]["four"] == filled["sites"]["two"]
    assert filled["sites"]["five"] == filled["sites"]["one"]
    nested = "sites: {a: {diligence: {x: {enabled: false}, y: {enabled: true, n: 1}}}}\nshocks: {s: {enabled: false}}\n"
    assert fill(nested) == {"sites": {"a": {"diligence": {"y": {"n": 1}}}}, "shocks": {}}


def test_places_and_origins_are_those_of_where_a_value_was_written() -> None:
    filled = fill(BASE)
    assert mark_of(filled, ("sites", "one", "diligence", "power", "fail")) == Mark("f", 20, 31)
    for path, origin in {
        "sites.one.diligence.power.fail": "archetypes.in-study.diligence.power.fail",
        "sites.one.diligence.power.duration": "defaults.site.diligence.power.duration",
        "sites.one.diligence.power.remedy_takes": "defaults.workstream.remedy_takes",
        "sites.one.construction.activities.shell": "archetypes.approved.construction.activities.shell",
        "sites.one.loi.signed": "sites.one.loi.signed",
        "sites.one.phases.p1.mw": "sites.one.phases.p1.mw",
        "sites.one.lease.rent": "defaults.site.lease.rent",
        "sites.one.grid.0.delay": "defaults.site.grid.0.delay",
        "sites.one.loi.renewal.chance": "defaults.site.loi.renewal.chance",
    }.items():
        assert declared_at(filled, path) == origin


def test_a_changed_value_keeps_its_origin_but_stands_where_it_was_changed() -> None:
    filled = fill(BASE)
    assert declared_at(filled, "sites.two.lease.rent") == "defaults.site.lease.rent"
    mark = mark_of(filled, ("sites", "two", "lease", "rent"))
    assert mark == Mark("f", 31, 19)


def test_a_source_holds_for_what_is_written_below_it_not_for_what_is_inherited() -> None:
    raw = read_yaml(BASE, "f")
    filled, _ = archetypes.fill(raw)
    assert filled["sites"]["two"]["source"] == "pr"
    assert nearest(raw, declared_at(filled, "sites.two.lease.rent"), "source") == "guess"
    assert nearest(raw, declared_at(filled, "sites.two.lease.term"), "source") == "pr"
    assert nearest(raw, declared_at(filled, "sites.two.construction.activities.fit-out.duration"), "source") == "own"
    assert nearest(raw, "sites.two.lease.rent", "as_of") is None


def test_the_raw_tree_is_not_changed() -> None:
    raw = read_yaml(BASE, "f")
    before, marks = write_yaml(raw), dict(raw["sites"]["one"].marks)
    archetypes.fill(raw)
    assert write_yaml(raw) == before
    assert raw["sites"]["one"].marks == marks


def test_defaults_and_archetypes_stay_under_their_own_keys() -> None:
    filled = fill(BASE)
    assert filled["defaults"]["site"]["tenant"] == "lab"
    assert filled["archetypes"]["in-study"]["like"] == "approved"


def test_siblings_may_be_like_each_other_anywhere() -> None:
    filled = fill(
        "parties:\n  bank-1: {rating: A, lending: {capacity: 5, rate: 0.07}}\n  bank-2: {like: bank-1, rating: B}\n"
        "  bank-3: {like: bank-2, lending: {rate: {plus: 0.01}}}\n"
        "sites: {a: {phases: {p1: {mw: 5, x: 1}, p2: {like: p1, mw: 6}}}, b: {like: a}}\n"
    )
    assert at(filled, "parties.bank-3") == {"rating": "B", "lending": {"capacity": 5, "rate": 0.08}}
    assert at(filled, "sites.b.phases") == {"p1": {"mw": 5, "x": 1}, "p2": {"mw": 6, "x": 1}}
    assert declared_at(filled, "parties.bank-3.lending.capacity") == "parties.bank-1.lending.capacity"


def test_a_list_of_phases_replaces_inherited_phases_and_a_mapping_goes_over_them() -> None:
    filled = fill(
        "archetypes: {k: {phases: [10, 20]}}\n"
        "sites: {a: {like: k, phases: [30]}, b: {like: k, phases: {p2: {mw: 25}}}, c: {like: k}}\n"
    )
    assert at(filled, "sites.a.phases") == {"p1": {"mw": 30}}
    assert at(filled, "sites.b.phases") == {"p1": {"mw": 10}, "p2": {"mw": 25}}
    assert at(filled, "sites.c.phases") == {"p1": {"mw": 10}, "p2": {"mw": 20}}


def test_defaults_of_other_sections() -> None:
    filled = fill("defaults: {party: {rating: B}, order: {deposit: 0.1}}\nparties: {a: {}, b: {rating: A}}\n"
                  "chips: {orders: {x: {racks: 5}}, products: {}}\n")  # fmt: skip
    assert at(filled, "parties") == {"a": {"rating": "B"}, "b": {"rating": "A"}}
    assert at(filled, "chips.orders.x") == {"deposit": 0.1, "racks": 5}


def test_edits_kept_in_the_file_are_left_alone() -> None:
    text = (
        "what_ifs: {w: {sites.a.like: b, sites.a.enabled: false, sites.b: {enabled: false}}}\n"
        "shocks: {s: {set: {sites.*.x: {enabled: false}, parties.a.y: {like: z}}}}\n"
        "regime: {downturn: {tenants.lab.price: {times: 0.5}}}\n"
    )
    assert fill(text) == read_yaml(text)


CIRCLE = " are like each other in a circle [CYCLE]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "archetypes: {brownfield: {}}\nsites:\n  a: {like: brownfeild}\n",
            ["f:3:13: sites.a.like: unknown archetype 'brownfeild'; did you mean 'brownfield'? [REF]"],
        ),
        ("parties: {a: {like: b}, bb: {}}", ["f:1:21: parties.a.like: unknown entry 'b'; did you mean 'bb'? [REF]"]),
        (
            "archetypes: {a: {like: b}, b: {like: a}}\nsites: {x: {like: a}}\n",
            ["f:1:38: archetypes.b.like: archetypes.a -> archetypes.b -> archetypes.a" + CIRCLE],
        ),
        ("parties: {a: {like: a}}", ["f:1:21: parties.a.like: parties.a -> parties.a" + CIRCLE]),
        ("sites: {a: {like: 5}}", ["f:1:19: sites.a.like: expected a name, got 5 [TYPE]"]),
        (
            "sites: {a: {lease: {rent: {times: 2}}}, b: {lease: {x: {y: {plus: 1}}}}}",
            [
                "f:1:27: sites.a.lease.rent: nothing inherited that times could change [EDIT]",
                "f:1:60: sites.b.lease.x.y: nothing inherited that plus could change [EDIT]",
            ],
        ),
        (
            "defaults: {site: {policy: every_passing}}\nsites: {a: {policy: {times: 2}}}",
            ["f:2:21: sites.a.policy: times: cannot multiply text 'every_passing' [EDIT]"],
        ),
        ("defaults: {sites: {}}", ["f:1:12: defaults.sites: unknown key 'sites'; did you mean 'site'? [UNKNOWN]"]),
        (
            "archetypes: {k: {n: {times: 2}}}\nsites: {a: {like: k}, b: {like: k}}",
            ["f:1:21: archetypes.k.n: nothing inherited that times could change [EDIT]"],
        ),
    ],
)  # fmt: skip
def test_problems(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_merge_raises_where_nobody_collects_the_problems() -> None:
    base, over = read_yaml("a: 1"), read_yaml("b: {times: 2}", "f")
    with pytest.raises(ScenarioError) as caught:
        tree.merge(base, over)
    assert caught.value.problems == (
        Problem("EDIT", "b", "nothing inherited that times could change", Mark("f", 1, 4)),
    )


def test_null_removes_and_the_text_none_only_mappings() -> None:
    merged = tree.merge(
        read_yaml("team: deal\nscore: 5\nguarantee: {from: x}\ncabling: {lognormal: {median: 1, p90: 2}}\n"),
        read_yaml("team: none\nscore: null\nguarantee: none\ncabling: none\nnew: null\n"),
    )
    assert merged == {"team": "none", "new": None}


def test_a_thousand_sites_fill_quickly() -> None:
    import time

    text = BASE + "".join(f"  s{i}: {{like: in-study, loi: 2026-04-14, phases: [48 MW, 48 MW]}}\n" for i in range(1000))
    raw = read_yaml(text)
    begun = time.perf_counter()
    filled, _ = archetypes.fill(raw)
    assert time.perf_counter() - begun < 2
    assert len(filled["sites"]) == 1002
