"""Shocks: one action each, at a date, at a rate or never; what they do to parties, letters, clouds and the market."""

from __future__ import annotations

import datetime as dt

import pytest
from helpers import Run, Runner, run, scenario

from dcsim.errors import ScenarioError, UsageError

DAY = 1440
PARTIES = """
parties: {google: {rating: AA}, bank: {rating: A-}}
sites: {a: {loi: day 1400}}
"""


def events(r: Run, *kinds: str) -> list[tuple[float, str, str, str]]:
    return [(minute / DAY, *rest) for minute, *rest in r.history.events if rest[0] in kinds]


# What they do.


def test_a_party_stops_paying_defaults_or_is_downgraded() -> None:
    text = """
    shocks:
      silence: {when: 2027-04-11, stop_paying: lab}
      fall: {when: 2027-05-01, default: google}
      worse: {when: 2027-06-01, downgrade: bank, to: BB+}
    """
    r = run(PARTIES, text)
    lab, google, bank = (r.world.parties[id] for id in ("lab", "google", "bank"))
    assert (lab.stopped, lab.stands, google.defaulted, google.cause, google.rating) == (
        100 * DAY, True, 120 * DAY, "shock", "D",
    )  # fmt: skip
    assert bank.rating == "BB+"
    assert r.history.defaults == [(120 * DAY, "google", "shock")]
    assert events(r, "shock", "stops paying", "default", "downgrade") == [
        (100, "shock", "silence", "stop paying lab"),
        (100, "stops paying", "lab", ""),
        (120, "shock", "fall", "default google"),
        (120, "default", "google", "shock"),
        (151, "shock", "worse", "downgrade bank to BB+"),
        (151, "downgrade", "bank", "BB+"),
    ]


def test_several_parties_fall_at_once() -> None:
    r = run(PARTIES, "shocks: {fall: {when: 2027-04-11, default: [google, lab]}}")
    assert [(minute / DAY, party) for minute, party, _ in r.history.defaults] == [(100, "google"), (100, "lab")]


def test_a_party_defaults_once_and_does_not_rise() -> None:
    text = """
    shocks:
      one: {when: 2027-04-11, default: google}
      two: {when: 2027-05-11, default: google}
      low: {when: 2027-03-01, downgrade: bank, to: B}
      less: {when: 2027-04-01, downgrade: bank, to: BBB}
    """
    r = run(PARTIES, text)
    assert r.history.defaults == [(100 * DAY, "google", "shock")]
    assert r.world.parties["bank"].rating == "B"


def test_edits_for_a_while_and_for_good() -> None:
    text = "shocks: {x: {when: 2027-04-11, set: {sites.a.negotiation.duration: 60}%s}}"
    assert run(PARTIES, text % "").day("a.lease_signed") == 1460
    r = run(PARTIES, text % ", for: 200 days")
    assert r.day("a.lease_signed") == 1400
    assert events(r, "shock", "shock over") == [(100, "shock", "x", "1 edit"), (300, "shock over", "x", "1 edit")]


def test_what_ends_in_a_minute_ends_before_what_strikes_in_it() -> None:
    text = """
    shocks:
      next: {when: 2027-04-21, set: {sites.a.negotiation.duration: 60}}
      first: {when: 2027-04-11, set: {sites.a.negotiation.duration: 60}, for: 10 days}
    """
    r = run(PARTIES, text)
    assert [(day, kind, name) for day, kind, name, _ in events(r, "shock", "shock over")] == [
        (100, "shock", "first"), (110, "shock over", "first"), (110, "shock", "next"),
    ]  # fmt: skip


def test_for_may_be_a_law() -> None:
    """With the median of 0.5 of 100 to 300 days it is over on day 300, with 0.75 on day 350."""
    text = """
    shocks:
      x:
        when: 2027-04-11
        set: {sites.a.negotiation.duration: 60}
        for: {uniform: {low: 100, high: 300}}
    """
    for u, end in ((0.5, 300), (0.75, 350)):
        assert events(run(PARTIES, text, luck={"shocks.x.for": u}), "shock over")[0][0] == end


def test_a_rate_recurs_and_never_waits_for_a_what_if() -> None:
    text = "shocks: {x: {when: %s, set: {sites.a.negotiation.duration: {plus: 1}}}}"
    days = [day for day, *_ in events(run(PARTIES, text % "1/year", luck={"shocks.x.gap": 0.5}), "shock")]
    assert days == [pytest.approx(253.172 * k, abs=0.01) for k in range(1, 6)]  # ln 2 of a year
    assert events(run(PARTIES, text % "never"), "shock") == []
    what_if = "what_ifs: {struck: {shocks.x.when: 2027-04-11}}"
    struck = scenario(PARTIES, text % "never", what_if).what_if("struck")
    assert events(run(struck), "shock") == [(100, "shock", "x", "1 edit")]


def test_what_came_before_the_start_has_happened_but_edits_may_still_hold() -> None:
    """Struck on 2026-10-03, 90 days before the start: for 120 days it holds until day 30, also for what is drawn
    when time begins; for 90 days it is over."""
    text = """
    tenants: {lab: {teams: {deal: 3}}}
    shocks:
      x:
        when: 2026-10-03
        set: {sites.*.negotiation.duration: 60, sites.c.diligence.x.duration: 7, tenants.lab.teams.deal: 1}
        for: %s
      y: {when: 2026-10-03, default: google}
    sites: {a: {loi: day 29}, b: {loi: day 31}, c: {loi: day 0, diligence: {x: {duration: 5}}}}
    """
    r = run(PARTIES, text % "120 days")
    assert r.day("c.diligence_complete") == 7
    assert (r.day("a.lease_signed"), r.day("b.lease_signed")) == (89, 31)
    assert r.world.tenants["lab"].teams["deal"].capacity == 3
    assert r.world.parties["google"].stands
    assert events(r, "shock", "shock over") == [(30, "shock over", "x", "3 edits")]
    over = run(PARTIES, text % "90 days")
    assert (over.day("a.lease_signed"), over.day("c.diligence_complete")) == (29, 5)
    warned = [w.message for w in scenario(PARTIES, text % "120 days").warnings if w.path.startswith("shocks")]
    assert warned == [
        "2026-10-03 is before the start, 2027-01-01: it is in force from the start, for what is left of its time",
        "2026-10-03 is before the start, 2027-01-01: it has happened, and nothing comes of it",
    ]


def test_the_plan_knows_dated_shocks_only_where_they_are_asked_for() -> None:
    from dcsim.study.explain import explain

    text = "shocks: {x: {when: 2027-04-11, set: {sites.a.negotiation.duration: 30}}}"
    runner = Runner(PARTIES, text)
    assert runner.plan().day("a.lease_signed") == 1400
    (site,) = explain(runner.scenario).sites
    assert next(step.end for step in site.steps if step.name == "lease_signed") == 1430 * DAY


# On a given date.


def test_a_shock_of_the_file_strikes_when_it_is_told_to() -> None:
    base = scenario(PARTIES, "shocks: {worse: {when: never, downgrade: bank, to: BB+}}")
    struck = base.with_shock("worse@2027-04-11")
    assert struck.spec.shocks["worse"].when == dt.date(2027, 4, 11)
    assert struck.hash != base.hash
    assert base.with_shock() is base
    assert events(run(struck), "shock") == [(100, "shock", "worse", "downgrade bank to BB+")]
    twice = base.with_shock("worse@2027-04-11", "worse@2027-05-11")
    assert [(day, name) for day, _, name, _ in events(run(twice), "shock")] == [(100, "worse"), (130, "worse-2")]


def test_shocks_of_its_own() -> None:
    base = scenario(
        PARTIES,
        "regime: {to_downturn: 0}\ncloud: {idle: {provider: google, from: 2027-01-01, until: 2029-12-31, mw: 10 MW, "
        "price: 0, ends_early: {by: [provider]}}}",
    )
    struck = base.with_shock(
        "default:google@2028-01-01",
        "stop_paying:lab@2028-01-01",
        "downgrade:bank:BB+@2028-01-01",
        "recall:idle@2028-01-01",
        "regime:downturn@2028-01-01",
    )
    assert {
        id: (shock.default, shock.stop_paying, shock.downgrade, shock.to, shock.recall, shock.regime)
        for id, shock in struck.spec.shocks.items()
    } == {
        "default-google": (("google",), (), None, None, None, None),
        "stop-paying-lab": ((), ("lab",), None, None, None, None),
        "downgrade-bank": ((), (), "bank", "BB+", None, None),
        "recall-idle": ((), (), None, None, "idle", None),
        "regime-downturn": ((), (), None, None, None, "downturn"),
    }
    again = scenario(struck.to_yaml())
    assert again.hash == struck.hash
    assert struck.with_shock("default:google@2029-01-01").spec.shocks.keys() - struck.spec.shocks.keys() == {
        "default-google-2"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worse", "expected WHAT@DATE"),
        ("@2027-01-01", "expected WHAT@DATE"),
        ("wors@2027-04-11", "unknown shock 'wors'; did you mean 'worse'?"),
        ("worse@2027-13-11", "2027-13-11: month must be in 1..12"),
        ("worse@tomorrow", "expected a date like 2026-07-01, got text 'tomorrow'"),
        ("defalt:google@2027-04-11", "unknown kind of shock 'defalt'; did you mean 'default'?"),
        ("default:gogle@2027-04-11", "unknown party 'gogle'; did you mean 'google'?"),
        ("stop_paying:lba@2027-04-11", "unknown party 'lba'; did you mean 'lab'?"),
        ("downgrade:google@2027-04-11", "expected downgrade:PARTY:RATING, got the rating ''"),
        ("downgrade:google:BBX@2027-04-11", "got the rating 'BBX'"),
        ("recall:idle@2027-04-11", "unknown cloud 'idle'"),
        ("regime:down@2027-04-11", "unknown state of the market 'down'; did you mean 'downturn'?"),
    ],
)
def test_what_cannot_be_struck(text: str, message: str) -> None:
    base = scenario(PARTIES, "shocks: {worse: {when: never, downgrade: bank, to: BB+}}")
    with pytest.raises(UsageError) as caught:
        base.with_shock(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"--shock {text}: ")


def test_where_there_are_no_shocks_the_message_says_what_may_be_named() -> None:
    with pytest.raises(UsageError, match="the scenario has no shocks of its own"):
        scenario(PARTIES).with_shock("x@2027-04-11")


# What is refused.


@pytest.mark.parametrize(
    ("shock", "code", "path", "message"),
    [
        ("{when: never}", "REQUIRED", "", "it does nothing; expected one of cancel, set, downgrade, default,"),
        ("{when: never, default: bank, recall: x}", "DUPLICATE", "", "it does several things (default, recall)"),
        ("{when: never, set: {}}", "REQUIRED", ".set", "expected at least one path: value"),
        ("{when: never, default: gogle}", "REF", ".default", "unknown party 'gogle'; did you mean 'google'?"),
        ("{when: never, default: [bank, gogle]}", "REF", ".default", "unknown party 'gogle'"),
        ("{when: never, stop_paying: lba}", "REF", ".stop_paying", "unknown party 'lba'; did you mean 'lab'?"),
        ("{when: never, downgrade: gogle, to: B}", "REF", ".downgrade", "did you mean 'google'?"),
        ("{when: never, downgrade: bank}", "REQUIRED", ".to", "required beside `downgrade`"),
        ("{when: never, downgrade: bank, to: A+}", "RANGE", ".to", "A+ is no downgrade from A-, which 'bank' has"),
        ("{when: never, downgrade: bank, to: A-}", "RANGE", ".to", "A- is no downgrade from A-"),
        ("{when: never, downgrade: bank, to: D}", "RANGE", ".to", "D is default"),
        ("{when: never, downgrade: bank, to: BBx}", "UNKNOWN", ".to", "expected a rating from AAA to D"),
        ("{when: never, downgrade: dev, to: B}", "REF", ".downgrade", "'dev' has no rating that could fall"),
        ("{when: never, recall: idle}", "REF", ".recall", "unknown cloud 'idle'; did you mean 'idler'?"),
        ("{when: never, recall: idler}", "REF", ".recall", "has no right to end it"),
        ("{when: never, regime: downturn}", "REF", ".regime", "its market has no states"),
        ("{when: never, regime: boom}", "UNKNOWN", ".regime", ""),
        ("{when: never, default: bank, for: 9}", "UNKNOWN", ".for", "goes with set or regime alone"),
        ("{when: never, default: bank, to: B}", "UNKNOWN", ".to", "goes with downgrade alone; this shock has default"),
        ("{when: never, default: bank, tenant: lab}", "UNKNOWN", ".tenant", "goes with cancel alone"),
        ("{when: never, default: bank, chance_each: 0.5}", "UNKNOWN", ".chance_each", "goes with cancel alone"),
        ("{when: never, cancel: unsigned_letters, tenant: lba}", "REF", ".tenant", "did you mean 'lab'?"),
        ("{when: soon, default: bank}", "TYPE", ".when", "expected a rate such as 0.10/year, a date or `never`"),
    ],
)
def test_refused_at_reading(shock: str, code: str, path: str, message: str) -> None:
    cloud = "cloud: {idler: {provider: google, from: 2027-01-01, until: 2029-12-31, mw: 10 MW}}"
    with pytest.raises(ScenarioError) as caught:
        scenario(PARTIES, cloud, f"shocks: {{x: {shock}}}")
    found = [p for p in caught.value.problems if p.code == code and p.path.startswith(f"shocks.x{path}")]
    assert found, str(caught.value)
    assert message in found[0].message


def test_after_the_horizon_it_never_comes() -> None:
    text = "shocks: {x: {when: 2031-01-01, default: bank}}"
    (warning,) = [w for w in scenario(PARTIES, text).warnings if w.path == "shocks.x.when"]
    assert "after the horizon" in warning.message
