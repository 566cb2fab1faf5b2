"""Edits in time: what may be written, what acts at once, what at the next start, and what remains when it ends."""

from __future__ import annotations

import pytest
from helpers import Runner, run, scenario
from hypothesis import given
from hypothesis import strategies as st

from dcsim.errors import ScenarioError
from dcsim.scenario.in_time import Change
from dcsim.study.explain import explain

PLACES = """
factors: {ai-market: {}}
parties:
  google: {rating: AA, guarantee: {limit: $5bn}}
  bank: {lending: {rate: 0.05}}
  credit-union: {lending: {rate: 0.05, capacity: $3bn}}
tenants: {lab: {teams: {deal: 4}, targets: [10 MW]}}
ratings: {one_year_default: {AA: 0.01, B: 0.1, CCC: 0.5}}
regions: {ercot: {connects: 500 MW/year}}
sites:
  ash:
    tags: [letters]
    negotiation: {duration: {lognormal: {median: 60, p90: 90}}}
    construction: {activities: {shell: {duration: 100}}, commissioning: {duration: 10}}
    phases: {p1: {mw: 10}, p2: {mw: 20, construction: {activities: {shell: {duration: 50}}}}}
  oak: {negotiation: {duration: 60}}
"""

ELM = """
parties: {maker: {}}
chips:
  products: {one: {supplier: maker, rack_power: 100 kW, rack_price: 1}}
  orders: {batch: {product: one, racks: 9, ordered: day 0, deliveries: {first: 2027-06-01}}}
sites:
  elm:
    construction: {activities: {shell: {duration: 100}}}
    phases: {p1: {mw: 10}, p2: {mw: 20, construction: {activities: {shell: {duration: 50}}}}}
    bring_up: {lot: 10, install: {racks_per_day: 5}}
"""


def shock(edits: str, when: str = "day 10", **more: str) -> str:
    """A scenario text with one shock that makes edits."""
    dates = {"day 10": "2027-01-11", "day 20": "2027-01-21", "day 50": "2027-02-20", "day 30": "2027-01-31"}
    rest = "".join(f", {'for' if key == 'lasts' else key}: {value}" for key, value in more.items())
    return f"shocks: {{x: {{when: {dates.get(when, when)}, set: {edits}{rest}}}}}"


def changes(edits: str) -> dict[str, Change]:
    """What a shock makes of each number, by path."""
    more = [ELM] if "elm" in edits or "batch" in edits else []
    return {change.path: change for change in scenario(PLACES, *more, shock(edits)).in_time.shocks["x"]}


# What a path names.


@pytest.mark.parametrize(
    ("edits", "outcome"),
    [
        ("{tenants.lab.teams.deal: {plus: -1}}", {"tenants.lab.teams.deal.count": "3"}),
        ("{tenants.lab.teams.deal.count: 2}", {"tenants.lab.teams.deal.count": "2"}),
        ("{tenants.lab.teams.deal: 0}", {"tenants.lab.teams.deal.count": "0"}),
        (
            "{sites.*.negotiation.duration: {times: 1.5}}",
            {
                "sites.ash.negotiation.duration": "{lognormal: {median: 60, p90: 90}, times: 1.5}",
                "sites.oak.negotiation.duration": "90",
            },
        ),
        ("{sites.@letters.negotiation.duration: 2 weeks}", {"sites.ash.negotiation.duration": "14"}),
        ("{sites.oak.negotiation.duration: {times: 2, plus: 1 week}}", {"sites.oak.negotiation.duration": "127"}),
        (
            "{sites.*.construction.activities.*.duration: {times: 2}}",  # p2 says its own
            {"sites.ash.phases.p1.construction.activities.shell.duration": "200"},
        ),
        (
            "{sites.*.phases.*.construction.activities.*.duration: {times: 2}}",
            {
                "sites.ash.phases.p1.construction.activities.shell.duration": "200",
                "sites.ash.phases.p2.construction.activities.shell.duration": "100",
            },
        ),
        (
            "{sites.ash.construction.commissioning.retest: 0.25}",  # nobody has written one
            {
                "sites.ash.phases.p1.construction.commissioning.retest": "0.25",
                "sites.ash.phases.p2.construction.commissioning.retest": "0.25",
            },
        ),
        (
            "{sites.elm.construction.commissioning.duration: 3}",  # nor here, and p2 has a block of its own
            {
                "sites.elm.phases.p1.construction.commissioning.duration": "3",
                "sites.elm.phases.p2.construction.commissioning.duration": "3",
            },
        ),
        (
            "{sites.elm.bring_up.install.racks_per_day: {times: 0.5}}",
            {
                "sites.elm.phases.p1.bring_up.install.racks_per_day": "2.5",
                "sites.elm.phases.p2.bring_up.install.racks_per_day": "2.5",
            },
        ),
        ("{chips.orders.batch.deliveries.first: {plus: 30}}", {"chips.orders.batch.deliveries.first.delay": "740163"}),
        ("{chips.orders.batch.deliveries.first: 2027-07-01}", {"chips.orders.batch.deliveries.first.delay": "740163"}),
        ("{parties.google.guarantee.limit: {plus: $2bn}}", {"parties.google.guarantee.limit": "7000"}),
        ("{ratings.one_year_default.B: 0.2}", {"ratings.one_year_default.B": "0.2"}),
    ],
)
def test_what_an_edit_makes_of_which_numbers(edits: str, outcome: dict[str, str]) -> None:
    assert {path: str(change.of(change.quantity)) for path, change in changes(edits).items()} == outcome


@pytest.mark.parametrize(
    ("edits", "code", "message"),
    [
        (
            "{sites.@leters.negotiation.duration: 9}",
            "EDIT",
            "under sites has the tag 'leters'; did you mean 'letters'?",
        ),
        ("{parties.gogle.guarantee.limit: 0}", "EDIT", "no 'gogle' under parties; did you mean 'google'?"),
        ("{regions.ercot.connect: 0}", "EDIT", "no 'connect' under regions.ercot; did you mean 'connects'?"),
        ("{sites.*.guarantee.patience: 9}", "EDIT", "sites.*.guarantee has nothing under it, so no 'patience'"),
        ("{cloud.*.mw: 0}", "EDIT", "nothing under cloud for '*' to match"),
        ("{sites..a: 3}", "EDIT", "'sites..a' is no path"),
        ("{sites.ash.developer: lab}", "EDIT", "is text 'dev' and no number: while time runs only numbers can change"),
        ("{parties.google.rating: B}", "EDIT", "is text 'AA' and no number"),
        (
            "{sites.ash.negotiation: {times: 2}}",
            "EDIT",
            "is no number; name one below it (after, delay, duration, team",
        ),
        ("{sites.ash.phases.p1.mw: 3}", "EDIT", "is settled when time begins; a what-if can change it"),
        ("{tenants.lab.targets.0: 3}", "EDIT", "is settled when time begins"),
        ("{parties.bank.lending.capacity: 0}", "EDIT", "is left out, so there is no number to change: give it one"),
        ("{sites.oak.negotiation.duration: null}", "EDIT", "nothing can be taken out while time runs"),
        ("{sites.oak.negotiation.duration: {each: [1, 2]}}", "EDIT", "stands for several scenarios"),
        ("{sites.oak.negotiation.duration: $2bn}", "TYPE", "expected a duration (days), got money '$2bn'"),
        ("{sites.oak.negotiation.duration: -5}", "RANGE", "must be >= 0, got -5"),
        ("{sites.oak.negotiation.duration: {times: -1}}", "RANGE", "times: must be >= 0, got -1"),
        ("{sites.oak.negotiation.duration: {plus: $1m}}", "TYPE", "plus: expected a duration (days), got money '$1m'"),
        ("{sites.oak.negotiation.fail: 1.2}", "RANGE", "must be between 0 and 1, got 1.2"),
        ("{sites.oak.lease.term: {uniform: {low: 900, high: 999}}}", "TYPE", "must be a constant here"),
        ("{sites.oak.negotiation.duration: {gama: {mean: 9, cv: 1}}}", "UNKNOWN", "did you mean 'gamma'?"),
        (
            "{sites.oak.negotiation.duration: {gamma: {mean: 9, cv: 1}, loads: {ai-markt: 0.5}}}",
            "REF",
            "unknown factor 'ai-markt'; did you mean 'ai-market'?",
        ),
        ("{chips.orders.batch.deliveries.first: day 9}", "DATE", "expected a date as it is now"),
        ("{chips.orders.batch.deliveries.first: 2027-02-30}", "DATE", "day is out of range for month"),
        ("{chips.orders.batch.deliveries.first: {times: 2}}", "EDIT", "is a date; only `plus` can move it"),
        ("{sites.oak.loi.signed: {plus: 30}}", "EDIT", "is settled when time begins"),
        (
            "{sites.elm.bring_up.install.racks_per_day: {times: 0}}",
            "RANGE",
            "falls to 0, which its field does not allow",
        ),
        ("{horizon: 2029-01-01}", "EDIT", "no number"),
    ],
)
@pytest.mark.parametrize("where", ["shock", "regime"])
def test_what_is_refused(edits: str, code: str, message: str, where: str) -> None:
    text = shock(edits) if where == "shock" else f"regime: {{to_downturn: 0.1/year, downturn: {edits}}}"
    with pytest.raises(ScenarioError) as caught:
        scenario(PLACES, ELM, text)
    found = [problem for problem in caught.value.problems if problem.code == code]
    assert found, str(caught.value)
    assert message in found[0].message
    assert found[0].path.startswith("shocks.x.set." if where == "shock" else "regime.downturn.")
    assert found[0].mark is not None


def warned(edits: str) -> list[str]:
    return [problem.message for problem in scenario(PLACES, shock(edits)).warnings if ".set." in problem.path]


def test_what_leads_beyond_the_bounds_is_held_there_with_a_warning() -> None:
    made = changes("{ratings.one_year_default.*: {times: 3}}")
    assert [change.of(change.quantity).value for change in made.values()] == pytest.approx([0.03, 0.3, 1.0])
    assert warned("{ratings.one_year_default.*: {times: 3}}") == [
        "ratings.one_year_default.CCC rises to 1.5; it is held at 1, the bound of its field"
    ]
    assert "falls to -1; it is held at 0" in warned("{tenants.lab.teams.deal: {plus: -5}}")[0]
    (change,) = changes("{tenants.lab.teams.deal: {plus: -5}}").values()
    assert change.of(change.quantity).value == 0
    (change,) = changes("{tenants.lab.teams.deal: {times: 0.4}}").values()  # 1.6 people
    assert change.of(change.quantity).value == 2
    assert "sites.ash.negotiation.duration falls to -30" in warned("{sites.ash.negotiation.duration: {plus: -30}}")[0]
    assert warned("{sites.oak.negotiation.duration: {plus: -60}}") == []


def test_another_law_brings_its_own_factors() -> None:
    (change,) = changes("{sites.oak.negotiation.duration: {gamma: {mean: 9, cv: 1}, loads: {ai-market: 0.5}}}").values()
    made = change.of(change.quantity)
    assert made.factors == (("factors.ai-market", 0.5),)
    assert made.address == "sites.oak.negotiation.duration"


def test_a_wildcard_says_what_it_leaves_as_it_is() -> None:
    """A lender without a limit has no number that could become nothing."""
    assert changes("{parties.*.lending.capacity: 0}").keys() == {"parties.credit-union.lending.capacity"}
    (message,) = warned("{parties.*.lending.capacity: 0}")
    assert message.startswith("leaves parties.bank.lending.capacity as it is")


def test_steps_are_changed_together_or_one_by_one() -> None:
    text = """
    parties: {maker: {supply: {racks: {2027-01-01: 100/month, 2028-01-01: 300/month}}}}
    sites: {a: {}}
    """

    def made(edit: str) -> dict[str, float]:
        found = scenario(text, shock(edit)).in_time.shocks["x"]
        return {change.path.rpartition(".")[2]: change.of(change.quantity).value for change in found}

    assert made("{parties.maker.supply.racks: {times: 0.5}}") == {"2027-01-01": 50, "2028-01-01": 150}
    assert made("{parties.maker.supply.racks: 10/month}") == {"2027-01-01": 10, "2028-01-01": 10}
    assert made("{parties.maker.supply.racks.2028-01-01: 10/month}") == {"2028-01-01": 10}
    with pytest.raises(ScenarioError, match="has several numbers; name the one in the path"):
        made("{parties.maker.supply.racks: {2027-06-01: 10/month}}")


def test_edits_are_assumptions_with_the_source_of_their_shock() -> None:
    text = """
    sources: {press: {issuer: a, document: b}}
    regime: {to_downturn: 0.1, downturn: {ratings.one_year_default.*: {times: 3}}}
    shocks:
      x: {when: 0.1/year, source: press, set: {tenants.lab.teams.deal: {plus: -1}, sites.oak.negotiation.duration: 9}}
      y: {when: never, set: {sites.*.negotiation.duration: {times: 1.5, plus: 1 week}}}
    """
    rows = {row[0]: row[1:4] for row in scenario(PLACES, text).assumptions()}
    assert rows["shocks.x.set.tenants.lab.teams.deal"] == ("- 1", "count", "press")
    assert rows["shocks.x.set.sites.oak.negotiation.duration"] == ("9", "days", "press")
    assert rows["shocks.y.set.sites.*.negotiation.duration"] == ("* 1.5 + 7", "days", None)
    assert rows["regime.downturn.ratings.one_year_default.*"] == ("* 3", "fraction", None)


# What acts when.

TALKS = "sites: {a: {negotiation: {duration: 60}}, later: {loi: day 100, negotiation: {duration: 60}}}"


def signed(*texts: str, **kwargs: float) -> tuple[float | None, float | None]:
    r = run(TALKS, *texts, **kwargs)  # type: ignore[arg-type]
    return r.day("a.lease_signed"), r.day("later.lease_signed")


def test_work_under_way_is_stretched_by_a_factor() -> None:
    """On day 50 ten of sixty days are left: 20 at twice the time, so day 70; what starts later takes 120."""
    assert signed(shock("{sites.*.negotiation.duration: {times: 2}}", "day 50")) == (70, 220)


def test_and_shrinks_again_when_the_edit_ends() -> None:
    """Day 50: 10 days left are 20. Ten days later the edit ends: the 10 left are 5, so day 65; later ones take 60."""
    text = shock("{sites.*.negotiation.duration: {times: 2}}", "day 50", lasts="10 days")
    assert signed(text) == (65, 160)


def test_another_value_or_an_addition_acts_at_the_next_start() -> None:
    assert signed(shock("{sites.*.negotiation.duration: {plus: 30}}", "day 50")) == (60, 190)
    assert signed(shock("{sites.*.negotiation.duration: 7}", "day 50")) == (60, 107)
    assert signed(shock("{sites.*.negotiation.duration: 7}", "day 50", lasts="49 days")) == (60, 160)
    assert signed(shock("{sites.*.negotiation.duration: 7}", "day 50", lasts="51 days")) == (60, 107)


def test_a_shock_acts_after_what_completes_and_before_what_is_handed_out() -> None:
    """On day 100 the letter is signed and the talks begin before the shock of that minute: they are stretched."""
    assert signed(shock("{sites.*.negotiation.duration: {times: 2}}", "2027-04-11")) == (60, 220)
    text = "tenants: {lab: {teams: {deal: 1}}}\ndefaults: {site: {negotiation: {team: deal}}}"
    assert signed(text, shock("{tenants.lab.teams.deal: 0}", "2027-04-11", lasts="5 days")) == (60, 165)


def test_edits_are_made_in_the_order_in_which_they_come_into_force() -> None:
    """60 days; 100 instead and then twice is 200, twice and then 100 instead is 100."""
    text = """
    shocks:
      instead: {when: %s, set: {sites.later.negotiation.duration: 100}, for: %s}
      twice: {when: %s, set: {sites.later.negotiation.duration: {times: 2}}}
    """
    assert signed(text % ("2027-01-11", "1 year", "2027-01-21"))[1] == 300
    assert signed(text % ("2027-01-21", "1 year", "2027-01-11"))[1] == 200
    assert signed(text % ("2027-01-11", "30 days", "2027-01-21"))[1] == 220  # the first is over, the second is not


def test_a_shock_that_recurs_adds_up() -> None:
    """Struck on days 36.525 and 73.05 (u = exp(-0.1) at a rate of one a year), 5 days each."""
    text = shock("{sites.later.negotiation.duration: {plus: 5}}", "1/year")
    assert run(TALKS, text, luck={"shocks.x.gap": 0.904837418}).day("later.lease_signed") == 170


def test_the_same_luck_moves_the_same_quantile() -> None:
    text = "sites: {a: {loi: day 40, negotiation: {duration: {lognormal: {median: 60, p90: 120}}}}}"
    plain, struck = Runner(text), Runner(text, shock("{sites.a.negotiation.duration: {times: 1.5, plus: 10}}"))
    for r in range(5):
        before = plain.run(r).day("a.lease_signed")
        assert before is not None
        assert struck.run(r).day("a.lease_signed") == pytest.approx(40 + (before - 40) * 1.5 + 10, abs=1e-3)


def test_what_parties_declare_is_changed_for_each_who_draws_it() -> None:
    """A guarantor's approval time is drawn for each site by itself; an edit moves each one's own quantile."""
    text = """
    parties:
      google: {rating: AA, guarantee: {approval: {delay: {lognormal: {median: 30, p90: 60}}}}}
      bank: {lending: {min_rating: A, cap_to_loan: 0.1}}
    sites:
      a: &site {loi: day 40, guarantee: {from: google}, financing: {lenders: [bank], cost: 10}}
      b: *site
    """
    plain = run(text)
    struck = run(text, shock("{parties.google.guarantee.approval.delay: {times: 2}}"))
    for site in ("a", "b"):
        before, after = plain.day(f"{site}.guarantee_signed"), struck.day(f"{site}.guarantee_signed")
        assert before is not None
        assert after is not None
        assert after - 40 == pytest.approx(2 * (before - 40), abs=1e-3)
    assert plain.day("a.guarantee_signed") != plain.day("b.guarantee_signed")


def test_workstreams_and_building_under_way_are_stretched_and_chances_are_asked_at_the_end() -> None:
    text = """
    sites:
      a:
        diligence: {power: {duration: 60}}
        construction: {activities: {shell: {duration: 100}, fit-out: {after: shell, duration: 50}}}
    """
    twice = "{sites.a.diligence.power.duration: {times: 2}}"
    assert run(text, shock(twice, "day 50")).day("a.diligence_complete") == 70
    assert run(text, shock("{sites.a.diligence.power.fail: 1}", "day 50")).state("a") == "rejected"
    assert run(text, shock("{sites.a.diligence.power.fail: 1}", "day 50", lasts="5 days")).state("a") == "pending"
    # Notice to proceed on day 60; on day 70 the shell has 90 days left; the fit-out is still to begin.
    slow = shock("{sites.a.construction.activities.*.duration: {times: 1.5}}", "2027-03-12")
    assert run(text, slow).day("a.p1.building_complete") == 70 + 135 + 75


def test_commissioning_under_way_is_stretched_and_gates_are_asked_as_they_come() -> None:
    """Forty days of tests from day 30 on; on day 50 the twenty left become thirty. Chances in force from day 50 on
    decide what is asked later: a second round of tests, talks that fail, letters that are not renewed."""
    text = """
    sites:
      a:
        loi: {signed: day 0, exclusivity: 25, renewal: {length: 100, at_most: 9, chance_idle: 1}}
        negotiation: {duration: 20}
        construction: {activities: {shell: {duration: 10}}, commissioning: {duration: 40}}
      b: {loi: {signed: day 0, exclusivity: 60, renewal: {length: 9, at_most: 99}}, decision: by_policy}
      c: {negotiation: {duration: 60}}
    tenants: {lab: {decision: {policy: every_passing}}}
    """
    slow = "{sites.a.construction.commissioning.duration: {times: 1.5}}"
    assert run(text, shock(slow, "day 50")).day("a.p1.ready_for_service") == 80
    again = "{sites.*.construction.commissioning.retest: 1}"
    assert run(text, shock(again, "day 20")).day("a.p1.ready_for_service") == 110
    assert run(text, shock(again, "day 50")).day("a.p1.ready_for_service") == 70  # decided when the tests began
    assert run(text, shock("{sites.c.negotiation.fail: 1}", "day 50")).state("c") == "lost"
    talks = "sites: {b: {negotiation: {duration: 300}}}"
    assert run(text, talks).day("b.lease_signed") == 300
    refused = "{sites.b.loi.renewal.chance_active: 0}"
    assert run(text, talks, shock(refused, "day 50")).ended("b") == 60
    assert run(text, talks, shock("{sites.b.loi.renewal.at_most: 1}", "day 50")).ended("b") == 69


def test_what_is_drawn_beyond_the_bounds_is_held_there() -> None:
    """A cost of US$1m to 2m less 1.5m: nothing where 1.25m is drawn."""
    text = "sites: {a: {loi: day 30, diligence: {x: {duration: 1, cost: {uniform: {low: 1, high: 2}}}}}}"
    edit = shock("{sites.a.diligence.x.cost: {plus: -1.5}}")
    for u, paid in ((0.25, 0.0), (0.75, 0.25)):
        assert run(text, edit, luck={"sites.a.diligence.x.cost": u}).outcome("diligence_usd_m") == paid


def test_builders_crews_are_teams_too() -> None:
    text = """
    crews: {steel: 1}
    sites: {a: &s {construction: {activities: {shell: {duration: 100, team: steel}}}}, b: *s}
    """
    assert run(text).day("b.p1.building_complete") == 200
    assert run(text, shock("{crews.steel: {plus: 1}}", "day 50")).day("b.p1.building_complete") == 150


def test_rent_stands_from_the_lease_on_and_cost_from_close_on() -> None:
    """On day 50 both double. A's lease and close are of day 0; b's lease is signed on day 40 and closes on day 100."""
    text = """
    parties: {bank: {lending: {closing: 100}}}
    sites:
      a: {financing: &f {lenders: [bank], cost: 10, equity: 0.5, after: loi_signed}, lease: {rent: 100}}
      b: {negotiation: {duration: 40}, financing: *f, lease: {rent: 100}}
      c: {negotiation: {duration: 60}, financing: *f, lease: {rent: 100}}
    """
    closing = "parties: {bank: {lending: {closing: {discrete: {0: 1}}}}}"
    world = run(text, shock("{sites.*.lease.rent: {times: 2}, sites.*.financing.cost: {times: 2}}", "day 50")).world
    assert [world.sites[id].rent for id in "abc"] == [100, 100, 200]
    assert [world.sites[id].cost_per_mw for id in "abc"] == [20, 20, 20]
    early = run(text, closing, shock("{sites.*.financing.cost: {times: 2}}", "day 50")).world
    assert [early.sites[id].cost_per_mw for id in "abc"] == [10, 10, 20]


def test_a_team_keeps_what_it_works_on() -> None:
    """Two at work when the team loses both places on day 50; the third waits until it is a team again, on day 150."""
    r = run(
        "tenants: {lab: {teams: {deal: 2}}}\nsites: {a: &s {negotiation: {duration: 100, team: deal}}, b: *s, c: *s}",
        shock("{tenants.lab.teams.deal: {plus: -2}}", "day 50", lasts="100 days"),
    )
    assert [r.day(f"{site}.lease_signed") for site in "abc"] == [100, 100, 250]
    assert r.trail("c")["team"] == 150


def test_a_region_connects_less_from_the_next_month_on_and_a_limit_acts_at_once() -> None:
    """10 MW a month: 100 MW are there on the 1st of October (day 273). A pause of 90 days from the 1st of March costs
    those of April and May; that of March was connected before the shocks of its day. So the 1st of December."""
    text = """
    regions: {north: {connects: 120 MW/year}}
    sites: {a: {region: north, construction: {grid: [{share: 1}]}}}
    """
    assert run(text).day("a.p1.energised") == 273
    assert run(text, shock("{regions.north.connects: 0}", "2027-03-01", lasts="90 days")).day("a.p1.energised") == 334
    text = "regions: {north: {limit: 50 MW}}\nsites: {a: {region: north, construction: {grid: [{share: 1}]}}}"
    assert run(text).day("a.p1.energised") is None
    assert run(text, shock("{regions.north.limit: {times: 2}}", "day 50")).day("a.p1.energised") == 50


def test_makers_start_more_at_once_and_what_is_being_made_comes_later() -> None:
    """One unit a month: the second starts on the 1st of February (day 31) unless two are started from day 10 on.

    Lead time 100 days; ordered equipment is 30 days later if that much is added while it is made, also what is there
    only in part: the end of the edit brings it back, but not before that day."""
    text = """
    equipment: {transformer: {lead_time: 100, made: 1/month}}
    sites: {a: &s {construction: {equipment: {transformer: {ordered: loi_signed}}}}, b: *s}
    """

    def arrive(*texts: str) -> list[float | None]:
        r = run(text, *texts)
        return [r.day(f"{site}.p1.equipment_on_site") for site in "ab"]

    assert arrive() == [100, 131]
    assert arrive(shock("{equipment.transformer.made: 2/month}")) == [100, 110]
    assert arrive(shock("{equipment.transformer.lead_time: {plus: 30}}", "day 50")) == [130, 161]
    assert arrive(shock("{equipment.transformer.lead_time: {plus: 30}}", "day 50", lasts="60 days")) == [110, 131]
    assert arrive(shock("{equipment.transformer.lead_time: {plus: 30}}", "2027-05-01")) == [100, 161]


CHIPS = """
parties: {maker: {supply: {racks: 200/month}}}
chips:
  products: {one: {supplier: maker, rack_power: 100 kW, rack_price: 1}}
  orders: {batch: {product: one, racks: 100, ordered: day 0, lead_time: 100}}
sites: {a: {phases: [10 MW], bring_up: {lot: 100}}}
"""


def delivered(*texts: str) -> float | None:
    return run(CHIPS, *texts).day("a.p1.0.delivered")


def test_an_order_moves_with_its_lead_time() -> None:
    """Due on day 100; 90 days more while the edit is in force, back again when it ends: on day 150 it is due that day,
    and the supplier's next racks are those of 1 June, day 151."""
    assert delivered() == 100
    assert delivered(shock("{chips.orders.batch.lead_time: {plus: 90}}", "day 50")) == 190
    assert delivered(shock("{chips.orders.batch.lead_time: {times: 1.5}}", "day 50")) == 150
    assert delivered(shock("{chips.orders.batch.lead_time: {plus: 90}}", "day 50", lasts="30 days")) == 100
    assert delivered(shock("{chips.orders.batch.lead_time: {plus: 90}}", "day 50", lasts="100 days")) == 151
    assert delivered(shock("{chips.orders.batch.lead_time: {plus: 90}}", "2027-04-12")) == 100  # day 101: it is there


def test_a_supplier_makes_less_from_the_next_month_on() -> None:
    """Of 100 racks due on day 100 (11 April) the 1st of April gives 10, and each 1st thereafter: the last in January,
    on day 365; back at 200 a month from 1 June (day 151) on, all the rest comes then."""
    halt = "{parties.maker.supply.racks: 10/month}"
    assert delivered(shock(halt, "day 50")) == 365
    assert delivered(shock(halt, "day 50", lasts="85 days")) == 151


def test_forecasts_know_what_is_in_force() -> None:
    """Equipment takes 300 days from day 0. Chips are ordered when forecast readiness is 100 + 20 days away: day 180;
    with 100 days more from day 10 on, day 280."""
    text = """
    parties: {maker: {}}
    equipment: {transformer: {lead_time: 300}}
    chips:
      products: {one: {supplier: maker, rack_power: 100 kW, rack_price: 1}}
      orders: {each: {product: one, per: phase, ordered: {lead: {buffer: 20}}, lead_time: 100}}
    sites:
      a:
        phases: [10 MW]
        construction: {equipment: {transformer: {ordered: loi_signed}}}
        bring_up: {lot: 100}
    """
    assert run(text).day("a.p1.0.ordered") == 180
    assert run(text, shock("{equipment.transformer.lead_time: {plus: 100}}")).day("a.p1.0.ordered") == 280
    built = "sites: {a: {construction: {activities: {shell: {duration: 20}, fit-out: {after: shell, duration: 300}}}}}"
    longer = shock("{sites.a.construction.activities.fit-out.duration: {plus: 100}}")
    assert run(text, built).day("a.p1.0.ordered") == 200
    assert run(text, built, longer).day("a.p1.0.ordered") == 300


def test_a_guarantor_opens_its_limit_to_those_who_wait() -> None:
    """Each wants 90 % of US$1bn; the second has it on day 50, when the limit of US$1bn is doubled, else never.

    Where the limit is nothing when they ask, both are refused: a request above the whole limit does not wait."""
    text = """
    parties:
      google: {rating: AA, guarantee: {limit: 1000}}
      bank: {lending: {min_rating: A, cap_to_loan: 0.9}}
    sites: {a: &s {guarantee: {from: google}, financing: {lenders: [bank], cost: 10}}, b: *s}
    """
    assert run(text).day("b.guarantee_signed") is None
    r = run(text, shock("{parties.google.guarantee.limit: {times: 2}}", "day 50"))
    assert (r.day("a.guarantee_signed"), r.day("b.guarantee_signed")) == (0, 50)
    r = run(text, shock("{parties.google.guarantee.limit: 0}", "2027-01-01", lasts="30 days"))
    assert (r.state("a"), r.state("b")) == ("unguaranteed", "unguaranteed")


def test_a_lender_that_freezes_lends_again_when_it_thaws() -> None:
    """Nothing is lent for 30 days; tried again every 10 days, and on day 30 the freeze ends before the lenders are
    asked."""
    text = """
    parties: {bank: {lending: {capacity: $3bn}}}
    sites: {a: {financing: {lenders: [bank], cost: 10, equity: 0.1, retry: {every: 10, until: 100}}}}
    """
    assert run(text).day("a.financial_close") == 0
    freeze = shock("{parties.*.lending.capacity: 0}", "2027-01-01", lasts="30 days")
    assert run(text, freeze).day("a.financial_close") == 30


def test_the_plan_knows_no_edits_in_time_and_no_limits() -> None:
    nobody = "tenants: {lab: {teams: {deal: 1}}}\ndefaults: {site: {negotiation: {team: deal}}}"
    explained = explain(scenario(TALKS, nobody, shock("{tenants.lab.teams.deal: 0}")))
    assert [step.end for step in explained.sites[1].steps if step.name == "lease_signed"] == [160 * 1440]
    text = shock("{sites.*.negotiation.duration: {times: 2}}", "day 50")
    assert Runner(TALKS, text).plan().day("later.lease_signed") == 160


@given(st.lists(st.integers(0, 2), max_size=12))
def test_whatever_comes_and_goes_what_is_in_force_is_what_came_last_of_all_that_stays(turns: list[int]) -> None:
    """Three edits of one number come into force and go, in any order; those in force are made one after the other."""
    text = """
    shocks:
      twice: {when: never, set: {sites.later.negotiation.duration: {times: 2}}}
      more: {when: never, set: {sites.later.negotiation.duration: {plus: 10}}}
      instead: {when: never, set: {sites.later.negotiation.duration: 100}}
    """
    world = Runner(TALKS, text).world()
    luck, edits = world.draws, world.edits
    quantity = world.spec.sites["later"].negotiation.duration
    made = {"twice": lambda d: 2 * d, "more": lambda d: d + 10, "instead": lambda d: 100}
    in_force: list[str] = []
    changes = world.blueprint.scenario.in_time.shocks
    for turn in turns:
        name = list(made)[turn]
        if in_force.count(name) == 2:
            in_force.remove(name)
            edits.end(changes[name])
        else:
            in_force.append(name)
            edits.begin(changes[name])
        days = 60
        for each in in_force:
            days = made[each](days)
        assert (world.now(quantity).value, world.draws.minutes(quantity)) == (days, days * 1440)
        assert world.now(quantity) is world.now(quantity)
    for name in in_force:
        edits.end(changes[name])
    assert world.draws is luck
    assert world.now(quantity) is quantity


def test_replications_leave_nothing_behind() -> None:
    """The same replication, again after others in which other edits were in force."""
    runner = Runner(TALKS, shock("{sites.*.negotiation.duration: {times: 2}}", "3/year", lasts="60 days"))
    first = [runner.run(r).days("later") for r in range(6)]
    assert [runner.run(r).days("later") for r in range(6)] == first
    assert len({tuple(days.items()) for days in first}) > 1
