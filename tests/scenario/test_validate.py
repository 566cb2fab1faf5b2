"""Faults of single fields: plain words, the right place, all of them at once, each of them once."""

from __future__ import annotations

import re

import pytest

from dcsim.errors import Problem, ScenarioError
from dcsim.scenario import tree, validate
from dcsim.scenario.migrate import migrate
from dcsim.scenario.scenario import Scenario, parse
from dcsim.scenario.tree import Node
from dcsim.scenario.yaml_reader import read_yaml

BASE = """\
version: 1
name: base
start: 2027-01-01
horizon: 2033-12-31
parties:
  lab: {rating: A}
  oak: {}
  maker: {supply: {racks: 500/month}}
tenants:
  lab:
    targets: [10 MW]
    teams: {deal: 1}
    decision: {committee: {every: 30, from: 2027-01-15}, policy: every_passing}
chips:
  products: {one: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {each: {product: one, per: phase, ordered: {lead: {buffer: 60}}}}
sites:
  ridge:
    tenant: lab
    developer: oak
    loi: {signed: 2027-01-05}
    negotiation: {duration: 60, team: deal}
    bring_up: {lot: 10}
    phases: {a: {mw: 40}}
"""


def faults(text: str) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "f.yaml")
    return list(caught.value.problems)


def one_fault(old: str, new: str) -> Problem:
    assert BASE.count(old) == 1, f"{old!r} stands {BASE.count(old)} times in the base"
    found = faults(BASE.replace(old, new))
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def sound(*changes: tuple[str, str]) -> Scenario:
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return parse(text, "f.yaml")


def test_the_base_is_sound() -> None:
    assert sound().warnings == []


MESSAGES = {
    # what is written instead of what: path, line:column, the message whole
    "number for text": (
        "name: base", "name: 2027",
        "2:7: name: expected text, got 2027; put it in quotes [TYPE]",
    ),
    "empty text": ("name: base", 'name: ""', "2:7: name: must not be empty [RANGE]"),
    "text for a number": (
        "name: base", "name: base\nseed: abc",
        "3:7: seed: expected a whole number, got text 'abc' [TYPE]",
    ),
    "part of a number": (
        "name: base", "name: base\nseed: 1.5", "3:7: seed: must be a whole number, got 1.5 [RANGE]",
    ),
    "list for a mapping": (
        "oak: {}", "oak: []", "7:8: parties.oak: expected a mapping, got an empty list [TYPE]",
    ),
    "text for a mapping": (
        "oak: {}", "oak: Oak", "7:8: parties.oak: expected a mapping, got text 'Oak' [TYPE]",
    ),
    "null for an entry": ("oak: {}", "oak:", "7:7: parties.oak: required, got null [REQUIRED]"),
    "mapping for a list": (
        "[10 MW]", "{a: 10 MW}", "11:14: tenants.lab.targets: expected a list, got a mapping [TYPE]",
    ),
    "nothing in it": (
        "phases: {a: {mw: 40}}", "phases: {}",
        "24:13: sites.ridge.phases: expected at least one entry, got none [RANGE]",
    ),
    "an empty list for entries": (
        "phases: {a: {mw: 40}}", "phases: []",
        "24:13: sites.ridge.phases: expected at least one entry, got none [RANGE]",
    ),
    "missing": (
        "{a: {mw: 40}}", "{a: {decision: shelve}}",
        "24:17: sites.ridge.phases.a.mw: required, and missing [REQUIRED]",
    ),
    "null": ("{mw: 40}", "{mw: null}", "24:22: sites.ridge.phases.a.mw: required, got null [REQUIRED]"),
    "unknown key": (
        "{mw: 40}", "{mw: 40, comitted: {}}",
        "24:26: sites.ridge.phases.a.comitted: unknown key 'comitted'; did you mean 'committed'? [UNKNOWN]",
    ),
    "unknown key like none": (
        "{lot: 10}", "{lot: 10, xyz: 1}",
        "23:25: sites.ridge.bring_up.xyz: unknown key 'xyz'; expected lot, tenant_works, early_access, receive, "
        "install, cabling, burn_in, dead_on_arrival, failures or at_end_of_life [UNKNOWN]",
    ),
    "unknown choice": (
        "{mw: 40}", "{mw: 40, decision: shelf}",
        "24:36: sites.ridge.phases.a.decision: expected by_policy or shelve, got text 'shelf'; did you mean 'shelve'? "
        "[UNKNOWN]",
    ),
    "list for a choice": (
        "{mw: 40}", "{mw: 40, decision: [shelve]}",
        "24:36: sites.ridge.phases.a.decision: expected by_policy or shelve, got a list [TYPE]",
    ),
    "yes is no truth value": (
        "per: phase", "per: phase, rights: {redirect: yes}",
        "16:64: chips.orders.each.rights.redirect: expected true or false, got text 'yes' [TYPE]",
    ),
    "one is no truth value": (
        "per: phase", "per: phase, rights: {redirect: 1}",
        "16:64: chips.orders.each.rights.redirect: expected true or false, got 1 [TYPE]",
    ),
    "truth value for a number": (
        "60, team", "60, priority: true, team",
        "22:43: sites.ridge.negotiation.priority: expected a whole number, got true [TYPE]",
    ),
    "text for a score": (
        "    developer: oak\n", "    developer: oak\n    score: '5'\n",
        "21:12: sites.ridge.score: expected a number, got text '5' [TYPE]",
    ),
    "infinite score": (
        "    developer: oak\n", "    developer: oak\n    score: .inf\n",
        "21:12: sites.ridge.score: must be finite, got infinity [RANGE]",
    ),
    "chance above one": (
        "60, team", "60, fail: 1.2, team",
        "22:39: sites.ridge.negotiation.fail: must be between 0 and 1, got 1.2 [RANGE]",
    ),
    "power for a duration": (
        "duration: 60", "duration: 60 MW",
        "22:29: sites.ridge.negotiation.duration: expected a duration (days), got power '60 MW' [TYPE]",
    ),
    "unknown parameter": (
        "duration: 60", "duration: {lognormal: {median: 60, p99: 90}}",
        "22:54: sites.ridge.negotiation.duration.lognormal.p99: lognormal takes no 'p99'; did you mean 'p90'? "
        "[UNKNOWN]",
    ),
    "unknown rating": (
        "rating: A}", "rating: AAAA}",
        "6:17: parties.lab.rating: expected a rating from AAA to D, got text 'AAAA'; did you mean 'AAA'? [UNKNOWN]",
    ),
    "rating in a wrapper": (
        "rating: A}", "rating: {value: AAAA, confidence: low}}",
        "6:17: parties.lab.rating: expected a rating from AAA to D, got text 'AAAA'; did you mean 'AAA'? [UNKNOWN]",
    ),
    "no date": (
        "start: 2027-01-01", "start: 1 January 2027",
        "3:8: start: expected a date like 2026-07-01, got text '1 January 2027' [DATE]",
    ),
    "no day of the calendar": (
        "start: 2027-01-01", "start: 2027-02-30", "3:8: start: 2027-02-30: day is out of range for month [DATE]",
    ),
    "no id": (
        "oak: {}", "Oak: {}",
        "7:3: parties.Oak: 'Oak' is not an id: small letters, digits, - and _, beginning with a letter or digit [ID]",
    ),
    "a date of a letter": (
        "signed: 2027-01-05", "signed: 5.1.2027",
        "21:19: sites.ridge.loi.signed: expected a date like 2026-07-01, `day 600`, a milestone or {after, delay}, "
        "got text '5.1.2027' [DATE]",
    ),
    "a number for a date": (
        "signed: 2027-01-05", "signed: 600",
        "21:19: sites.ridge.loi.signed: expected a date like 2026-07-01, `day 600`, a milestone or {after, delay}, "
        "got 600 [DATE]",
    ),
    "a misspelt delay": (
        "signed: 2027-01-05", "signed: {after: start, dely: 5}",
        "21:34: sites.ridge.loi.signed.dely: unknown key 'dely'; did you mean 'delay'? [UNKNOWN]",
    ),
    "a misspelt law of dates": (
        "signed: 2027-01-05", "signed: {prt: {low: 2027-01-05}}",
        "21:20: sites.ridge.loi.signed.prt: unknown key 'prt'; did you mean 'pert'? [UNKNOWN]",
    ),
    "a law of dates": (
        "signed: 2027-01-05", "signed: {uniform: {low: 2027-02-05, high: 2027-01-05}}",
        "21:35: sites.ridge.loi.signed.uniform.low: low must not be above high, got low 2027-02-05 and high 2027-01-05 "
        "[RANGE]",
    ),
    "a law of dates in a wrapper": (
        "signed: 2027-01-05", "signed: {value: {uniform: {low: 2027-02-05, hgh: 2027-03-05}}, source: guess}",
        "21:55: sites.ridge.loi.signed.value.uniform.hgh: uniform takes no 'hgh'; did you mean 'high'? [UNKNOWN]",
    ),
    "an actual of nothing": (
        "sites:\n", "actuals: {sites.ridge.talks: {started: 2027-01-01}}\nsites:\n",
        "17:30: actuals.sites.ridge.talks: sites.ridge has no 'talks'; did you mean 'tags'? [EDIT]",
    ),
    "a delay before": (
        "signed: 2027-01-05", "signed: {after: other.lost, delay: -5}",
        "21:46: sites.ridge.loi.signed.delay: must be >= 0, got -5 [RANGE]",
    ),
    "neither policy": (
        "policy: every_passing", "policy: everything",
        "13:66: tenants.lab.decision.policy: expected every_passing, none or a ranking {rank_by: …}, "
        "got text 'everything'; did you mean 'every_passing'? [UNKNOWN]",
    ),
    "a misspelt ranking": (
        "policy: every_passing", "policy: {rank_bye: score}",
        "13:66: tenants.lab.decision.policy.rank_by: required, and missing [REQUIRED]",
    ),
    "a misspelt lead": (
        "{lead: {buffer: 60}}", "{lead: {bufer: 60}}",
        "16:62: chips.orders.each.ordered.lead.bufer: unknown key 'bufer'; did you mean 'buffer'? [UNKNOWN]",
    ),
    "a number for a lead": (
        "{lead: {buffer: 60}}", "{lead: 60}",
        "16:61: chips.orders.each.ordered.lead: expected a mapping, got 60 [TYPE]",
    ),
    "a misspelt team": (
        "teams: {deal: 1}", "teams: {deal: {count: 1, work: [mon]}}",
        "12:30: tenants.lab.teams.deal.work: unknown key 'work'; did you mean 'works'? [UNKNOWN]",
    ),
    "a text for a team": (
        "teams: {deal: 1}", "teams: {deal: one}",
        "12:19: tenants.lab.teams.deal: expected a count, such as 3, got text 'one' [TYPE]",
    ),
    "half a team": (
        "teams: {deal: 1}", "teams: {deal: 1.5}",
        "12:19: tenants.lab.teams.deal: must be a whole number, got 1.5 [RANGE]",
    ),
    "a holiday": (
        "teams: {deal: 1}", "teams: {deal: {count: 1, closed: [{from: 12-20, until: 13-02}]}}",
        "12:60: tenants.lab.teams.deal.closed.0.until: expected a date like 2027-12-20, or 12-20 for every year, "
        "got text '13-02' [DATE]",
    ),
    "steps of supply": (
        "racks: 500/month", "racks: {2027-01-01: 500/month, 2027-13-01: 600/month}",
        "8:51: parties.maker.supply.racks.2027-13-01: 2027-13-01: month must be in 1..12 [DATE]",
    ),
    "a rate of supply": (
        "racks: 500/month", "racks: {2027-01-01: 500/month, 2028-01-01: 600 MW}",
        "8:63: parties.maker.supply.racks.2028-01-01: expected racks per month, got power '600 MW' [TYPE]",
    ),
    "a shock's time": (
        "sites:\n", "shocks: {x: {when: sometimes, cancel: unsigned_letters, chance_each: 1}}\nsites:\n",
        "17:20: shocks.x.when: expected a rate such as 0.10/year, a date or `never`, got text 'sometimes' [TYPE]",
    ),
    "a date as printed": (
        "sites:\n", "sources: {x: {issuer: a, document: b, date: [2027]}}\nsites:\n",
        "17:45: sources.x.date: expected a date such as 2026-07-01, 2026-07 or 2026, got a list [DATE]",
    ),
    "no default": (
        "sites:\n", "defaults: {sites: {}}\nsites:\n",
        "17:12: defaults.sites: unknown key 'sites'; did you mean 'site'? [UNKNOWN]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MESSAGES))
def test_messages(name: str) -> None:
    old, new, expected = MESSAGES[name]
    text = BASE.replace(old, new)
    found = [str(problem) for problem in faults(text)]
    assert f"f.yaml:{expected}" in found
    others = [line for line in found if line != f"f.yaml:{expected}"]
    assert len(others) <= 1, found
    assert all("unknown key" in line for line in others), found


def test_no_message_speaks_of_the_machinery() -> None:
    """No text of pydantic's own, no tag of a union, no class name."""
    for old, new, _ in MESSAGES.values():
        for problem in faults(BASE.replace(old, new)):
            text = str(problem).lower()
            assert not re.search(r"pydantic|input should|instance of|function|dictionary|valid (integer|string)", text)


def test_null_is_as_if_left_out() -> None:
    nulls = "60, team: null, priority: null, fail: null}"
    empty = sound(("60, team: deal}", nulls), ("loi: {", "region: null\n    loi: {"))
    assert empty.spec.sites["ridge"].negotiation.team == "none"
    assert empty.spec.sites["ridge"].negotiation.fail.value == 0


def test_wrappers_stand_around_every_field() -> None:
    scenario = sound(
        ("rating: A}", "rating: {value: AA, source: guess}}"),
        ("policy: every_passing", "policy: {value: none, whatif: Conversion}"),
        ("[10 MW]", "{value: [20 MW], source: guess}"),
        ("duration: 60", "duration: {value: 50, range: [40, 60], whatif: Talks, source: guess}"),
        ("product: one", "product: {value: [one], source: guess}"),
        ("signed: 2027-01-05", "signed: {value: 2027-02-05, source: guess, as_of: 2027-01-01}"),
    )
    assert scenario.spec.parties["lab"].rating == "AA"
    assert scenario.spec.tenants["lab"].decision.policy == "none"
    assert scenario.targets("lab") == [20]
    assert scenario.spec.sites["ridge"].negotiation.duration.range == (40, 60)
    assert scenario.spec.chips.orders["each"].product == ("one",)
    loi = scenario.spec.sites["ridge"].loi
    assert loi is not None
    assert loi.signed.delay.value == 740_017


def test_an_optional_number_keeps_what_stands_beside_it() -> None:
    scenario = sound(("oak: {}", "oak: {guarantee: {limit: {value: $1bn, range: [$0.5bn, $2bn], whatif: Limit}}}"))
    guarantee = scenario.spec.parties["oak"].guarantee
    assert guarantee is not None
    assert guarantee.limit is not None
    assert guarantee.limit.range == (500, 2000)
    assert guarantee.limit.whatif == "Limit"


def test_a_day_may_lie_before_the_start() -> None:
    loi = sound(("signed: 2027-01-05", "signed: day -30")).spec.sites["ridge"].loi
    assert loi is not None
    assert loi.signed.calendar == "start"
    assert loi.signed.delay.value == -30


TEN = """\
version: 1
name: ten
start: 2027-01-01
horizn: 2033-12-31
parties:
  lab: {rating: A}
  oak: {rating: BBX}
  maker: {supply: {racks: 500 MW}}
tenants:
  lab: {teams: {deal: 0}}
chips:
  products: {one: {supplier: makr, rack_power: 100 kW, rack_price: $2m}}
  orders: {each: {product: one, per: site, ordered: 2027-01-01}}
sites:
  ridge:
    tenant: lab
    developer: elm
    loi: {signed: 2027-02-30}
    diligence: {power: {after: power, duration: 5}}
    negotiation: {duration: {lognormal: {median: 60}}, team: deal}
    phases: {a: {mw: 40, committed: {first_life: 2030-01-01}}}
"""


def test_all_faults_at_once_in_the_order_of_the_file() -> None:
    assert [str(problem) for problem in faults(TEN)] == [
        "f.yaml:1:1: horizon: required, and missing [REQUIRED]",
        "f.yaml:4:1: horizn: unknown key 'horizn'; did you mean 'horizon'? [UNKNOWN]",
        "f.yaml:7:17: parties.oak.rating: expected a rating from AAA to D, got text 'BBX'; did you mean 'BB'? "
        "[UNKNOWN]",
        "f.yaml:8:27: parties.maker.supply.racks: expected racks per month, got power '500 MW' [TYPE]",
        "f.yaml:10:23: tenants.lab.teams.deal: must be >= 1, got 0 [RANGE]",
        "f.yaml:12:30: chips.products.one.supplier: unknown party 'makr'; did you mean 'maker'? [REF]",
        "f.yaml:13:38: chips.orders.each.per: expected order or phase, got text 'site' [UNKNOWN]",
        "f.yaml:17:16: sites.ridge.developer: unknown party 'elm'; expected lab, oak or maker [REF]",
        "f.yaml:18:19: sites.ridge.loi.signed: 2027-02-30: day is out of range for month [DATE]",
        "f.yaml:19:32: sites.ridge.diligence.power.after: power waits for itself [CYCLE]",
        "f.yaml:20:41: sites.ridge.negotiation.duration.lognormal: lognormal needs 'p90' [REQUIRED]",
        "f.yaml:21:50: sites.ridge.phases.a.committed.first_life: 'first_life' is no milestone; "
        "did you mean 'first_live'? [REF]",
    ]


def test_what_is_left_out_causes_no_further_complaint() -> None:
    """An entry at fault is still there for those who name it; what only it could say is not asked for."""
    text = BASE.replace("  oak: {}", "  oak: {rating: XX}").replace("rack_power: 100 kW", "rack_power: 100 MWh")
    found = faults(text)
    assert [problem.path for problem in found] == ["parties.oak.rating", "chips.products.one.rack_power"]


INHERITED = """\
defaults:
  site: {negotiation: {duration: 60 MW}}
archetypes:
  source: guess
  field: {construction: {commissioning: {duraton: 5}}}
  unused: {construction: {comissioning: {duration: 5}}, diligence: {power: {fail: 2}}}
  upon: {like: unused, lease: {rent: {lognorml: {median: 5, p90: 7}}}}
  number: 5
  partial: {diligence: {power: {fail: 0.2}}, loi: {exclusivity: 30}}
"""


def test_faults_of_archetypes_are_told_once_and_where_they_are_written() -> None:
    own = "tenant: lab, developer: oak, loi: 2027-02-01, phases: [5]"
    sites = "".join(f"  s{i}: {{like: field, {own}}}\n" for i in range(12))
    text = BASE.replace("sites:\n", f"{INHERITED}sites:\n{sites}")
    assert [(p.path, p.mark.line) for p in faults(text) if p.mark is not None] == [
        ("defaults.site.negotiation.duration", 18),
        ("archetypes.field.construction.commissioning.duraton", 21),
        ("archetypes.unused.construction.comissioning", 22),
        ("archetypes.unused.diligence.power.fail", 22),
        ("archetypes.upon.lease.rent.lognorml", 23),
        ("archetypes.number", 24),
    ]


def test_an_unknown_archetype_does_not_ask_for_what_it_would_have_had() -> None:
    archetype = "field: {tenant: lab, developer: oak, loi: 2027-02-01, phases: [5]}"
    text = f"{BASE}  river: {{like: feild}}\narchetypes:\n  {archetype}\n"
    assert [str(problem) for problem in faults(text)] == [
        "f.yaml:25:17: sites.river.like: unknown archetype 'feild'; did you mean 'field'? [REF]"
    ]


def test_many_faults_are_counted() -> None:
    found = faults(BASE + "".join(f"  s{i}: {{}}\n" for i in range(100)))
    assert found[0].message == "and 100 faults more, not listed"
    assert len(found) == 201


def test_what_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(validate, "MOST_VALUES", 30)
        (problem,) = faults(BASE)
        assert str(problem).startswith("f.yaml:1:1: ")
        assert problem.message.endswith(" values, more than 30")
    monkeypatch.setattr(validate, "MOST_FILLED", 150)
    sites = "".join(f"  s{i}: {{like: field, tenant: lab, developer: oak, loi: 2027-02-01}}\n" for i in range(2))
    field = "archetypes: {field: {diligence: {a: {duration: 5}}, phases: [1, 2, 3]}}\n"
    text = BASE.replace("sites:\n", f"{field}sites:\n{sites}")
    (problem,) = faults(text)
    assert str(problem).startswith("f.yaml:19:3: sites: more than 150 values")
    monkeypatch.setattr(validate, "MOST_FILLED", 1500)
    assert len(parse(text).sites) == 7


class TestMigration:
    def test_this_version_is_left_alone(self) -> None:
        raw = read_yaml(BASE)
        assert migrate(raw) is raw

    def test_missing(self) -> None:
        problem = one_fault("version: 1\n", "")
        assert (problem.code, problem.path) == ("REQUIRED", "version")

    @pytest.mark.parametrize("written", ["1.0", "true", '"1"', "null", "[1]"])
    def test_no_version(self, written: str) -> None:
        assert one_fault("version: 1\n", f"version: {written}\n").path == "version"

    def test_newer(self) -> None:
        problem = one_fault("version: 1\n", "version: 99\n")
        assert str(problem) == "f.yaml:1:10: version: scenario version 99 is newer than this dcsim reads (1) [VERSION]"

    @pytest.mark.parametrize("version", ["0", "-3", f"-{10**40}"])
    def test_never_was(self, version: str) -> None:
        problem = one_fault("version: 1\n", f"version: {version}\n")
        assert problem.code == "VERSION"
        assert "there is no scenario version" in problem.message

    def test_older_ones_are_brought_up_step_by_step(self) -> None:
        def first(raw: Node) -> Node:
            out = tree.copy(raw)
            tree.put(out, "name", f"{raw['title']}!", like=(raw, "title"))
            tree.drop(out, "title")
            return out

        def second(raw: Node) -> Node:
            out = tree.copy(raw)
            tree.put(out, "seed", 7)
            return out

        raw = read_yaml("version: 1\ntitle: old\n", "f.yaml")
        new = migrate(raw, {1: first, 2: second}, newest=3)
        assert tree.plain(new) == {"version": 3, "name": "old!", "seed": 7}
        mark = tree.mark_of(new, ("name",))
        assert mark is not None
        assert mark.line == 2
        assert tree.plain(raw) == {"version": 1, "title": "old"}
