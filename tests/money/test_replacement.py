"""A guarantor whose rating falls too low: another in time, or draws stop, or the lease ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calls import STOPS, M, day, events, paid
from helpers import DAY, run

from dcsim.scenario.scenario import load

DATA = Path(__file__).parents[1] / "data"
CASES = {case["id"]: case for case in json.loads((DATA / "finance_cases.json").read_text())["cases"]}


def l02(what_if: str | None = None):
    base = load(DATA / "finance" / "l02.yaml")
    return base if what_if is None else base.edit(dict(base.spec.what_ifs[what_if]))


def test_l02_draw_stop_unless_replaced_in_time():
    """Downgraded on day 10; 60 days; replaced never, on day 40, on day 90: a stop from 70 on, none, from 70 to 90."""
    expected = CASES["L02"]["expected"]
    runs = [run(l02()), run(l02("replaced-in-time")), run(l02("replaced-late"))]
    stops = [r.world.sites["a"].cover.draw_stops for r in runs]
    assert [bool(stop) for stop in stops] == expected["draw_stop"]
    assert [stop[0][0] // DAY if stop else None for stop in stops] == expected["draw_stop_time"]
    ends = [stop[0][1] // DAY if stop and len(stop[0]) > 1 else None for stop in stops]
    assert ends == expected["draw_stop_ends"]
    assert [events(r, "guarantor replaced") for r in runs] == [[], [40], [90]]


def test_draws_and_works_stop_with_it():
    """Works of a year stand still from day 70 (2027-03-12) to day 90, so that the hall is ready 20 days later; for good
    if nobody comes, and not at all if somebody comes in time."""
    never, in_time, late = run(l02()), run(l02("replaced-in-time")), run(l02("replaced-late"))
    ready = [r.day("a.p1.ready_for_service") for r in (never, in_time, late)]
    assert ready == [None, 365, 385]
    assert not any(month > 2 for month in paid(never, "bank", "dev", "loan draw"))
    assert late.trail("a")["financing"] == 20


def test_the_new_one_stands_in_the_old_ones_place():
    """The same cap of 400; the old one's limit is free from day 40 on."""
    r = run(l02("replaced-in-time"))
    cover = r.world.sites["a"].cover
    assert (cover.guarantor.id, cover.amount) == ("second", 400 * M)
    assert r.world.guarantors["backer"].standing.now == (0, 0)
    assert r.world.guarantors["second"].standing.now == (400 * M, 400 * M)
    contracts = {c.source: (c.opened // DAY, c.closed) for c in r.world.book if c.kind == "guarantee"}
    assert contracts == {"backer": (0, 40 * DAY), "second": (40, None)}


@pytest.mark.parametrize(
    "text",
    [
        "parties: {second: {rating: BB+}}",  # no better
        "parties: {second: {guarantee: {limit: $399m}}}",  # no room
        "parties: {second: {guarantee: {max_cap: $399m}}}",  # for a part only
    ],
)
def test_who_does_not_do_does_not_stand_in(text):
    r = run(l02("replaced-in-time").edit(_edits(text)))
    assert r.world.sites["a"].cover.guarantor.id == "backer"
    assert r.world.sites["a"].cover.draw_stops == [[70 * DAY]]


def _edits(text: str) -> dict[str, object]:
    from dcsim.scenario.yaml_reader import read_yaml

    (second,) = read_yaml(text, "text")["parties"].values()
    if "rating" in second:
        return {"parties.second.rating": second["rating"]}
    return {f"parties.second.guarantee.{key}": value for key, value in second["guarantee"].items()}


def test_who_would_have_to_be_replaced_at_once_does_not_stand_in():
    """BBB would do for the lenders, and the guarantee asks for A-."""
    r = run(l02("replaced-in-time").edit({
        "parties.second.rating": "BBB", "parties.backer.guarantee.terms.replace.below": "A-",
    }))  # fmt: skip
    assert r.world.sites["a"].cover.guarantor.id == "backer"


def test_one_who_refuses_is_followed_by_the_next():
    base = l02("replaced-in-time").edit({
        "parties.third": {"rating": "A", "guarantee": {"approval": {"delay": 20}}},
        "parties.second.guarantee.approval.chance": 0.5,
        "sites.a.guarantee.from": ["backer", "second", "third"],
    })  # fmt: skip
    r = run(base, luck={"sites.a.guarantee.second": 0.9})
    assert r.world.sites["a"].cover.guarantor.id == "third"
    assert events(r, "guarantor replaced") == [60]


def test_it_queues_for_headroom_without_losing_patience():
    """second's limit is taken by b until its letter ends on day 80; then 30 days of approval: day 110."""
    base = l02("replaced-in-time").edit({
        "parties.second.guarantee.limit": 500,
        "sites.a.guarantee.patience": 5,
        "sites.b": {
            "tenant": "lab", "developer": "dev", "loi": {"signed": "day 0", "exclusivity": 80},
            "negotiation": {"duration": 200}, "guarantee": {"from": ["second"]}, "phases": ["100 MW"],
            "financing": {"lenders": ["bank"], "cost": 5, "equity": 0.3},
        },
    })  # fmt: skip
    r = run(base)
    assert r.world.sites["a"].cover.draw_stops == [[70 * DAY, 110 * DAY]]


def test_the_lease_ends_if_the_terms_say_so():
    r = run(l02().edit({"parties.backer.guarantee.terms.replace.otherwise": "lease_end"}))
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 70)


def test_a_guarantor_in_default_is_replaced_too():
    r = run(l02("replaced-in-time").edit({"shocks.fall": {"downgrade": None, "to": None, "default": "backer"}}))
    assert r.world.sites["a"].cover.guarantor.id == "second"


def test_a_small_downgrade_does_not_matter():
    r = run(l02("replaced-in-time").edit({"shocks.fall.to": "BBB-"}))
    assert r.world.sites["a"].cover.guarantor.id == "backer"
    assert not events(r, "replace guarantor")


def test_the_one_who_stands_in_may_fall_too():
    base = l02("replaced-in-time").edit({
        "parties.third": {"rating": "A", "guarantee": {}},
        "sites.a.guarantee.from": ["backer", "second", "third"],
        "shocks.again": {"when": "2027-03-02", "downgrade": "second", "to": "B"},
    })  # fmt: skip
    r = run(base)
    assert events(r, "guarantor replaced") == [40, 60]
    assert r.world.sites["a"].cover.guarantor.id == "third"


def test_what_was_paid_before_is_used_up_for_the_next_one_too():
    """A cap of 45: g pays 20 and 10, is downgraded on 2027-06-15 and replaced by h at once, who pays 10 and 5."""
    r = run(STOPS, """
    parties:
      g: {guarantee: {terms: {cap: {basis: fixed, amount: 45}, replace: {below: BBB-, within: 60}}}}
      bank: {lending: {cap_to_loan: 0.05}}
    sites: {a: {guarantee: {from: [g, h]}}}
    shocks: {fall: {when: 2027-06-15, downgrade: g, to: B}}
    """)
    assert paid(r, "g", "dev", "guarantee payment") == {4: 20, 5: 10}
    assert paid(r, "h", "dev", "guarantee payment") == {6: 10, 7: 5}
    assert r.day("a.ended") == day("2027-09-05")
