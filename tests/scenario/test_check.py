"""Cross-references and contradictions: what each check finds, in which words, at which line."""

from __future__ import annotations

import pytest

from dcsim.errors import Problem, ScenarioError
from dcsim.scenario.check import CHECKS, what_if_problems
from dcsim.scenario.scenario import Scenario, parse

BASE = """\
version: 1
name: base
start: 2027-01-01
horizon: 2033-12-31
parties:
  lab: {rating: BB}
  oak: {rating: B+}
  elm: {rating: B+}
  backer: {rating: AA, guarantee: {limit: $3bn, approval: {delay: 20}}}
  second: {rating: A, guarantee: {limit: $3bn}}
  bank: {rating: A, lending: {capacity: $5bn, min_rating: BBB-, ltc: 0.8}}
  maker: {supply: {racks: 500/month}}
tenants:
  lab:
    teams: {diligence: 2, deal: 1, install: 2}
    decision: {committee: {every: 30, from: 2027-01-15}}
regions:
  south: {energy: $55/MWh, limit: 500 MW}
crews: {steel: 3}
equipment:
  transformer: {lead_time: 400}
chips:
  products:
    one: {supplier: maker, rack_power: 100 kW, rack_price: $2m}
    two: {supplier: maker, rack_power: 100 kW, rack_price: $2m, replaces: one}
  orders:
    each:
      product: two
      per: phase
      ordered: {lead: {buffer: 60}}
      deliveries: {size: 100, every: 10}
archetypes:
  field:
    tenant: lab
    developer: oak
    region: south
    tags: [letters]
    loi: {signed: 2027-01-05, exclusivity: 200}
    diligence:
      power: {duration: 40, team: diligence}
      title: {after: power, duration: 30, team: diligence}
    negotiation: {duration: 60, team: deal}
    guarantee: {from: [backer, second]}
    financing: {lenders: [bank], cost: $10m/MW, equity: 0.3}
    lease: {rent: $150/kW-month}
    construction:
      activities:
        shell: {duration: 200, team: steel}
        fit-out: {after: shell, duration: 100}
      equipment:
        transformer: {ordered: lease_signed}
      grid:
        - {share: 0.5, after: lease_signed, delay: 300}
        - {share: 0.5, after: previous, delay: 100}
      commissioning: {duration: 30}
    bring_up:
      lot: 100
      install: {team: install}
      burn_in: 7
sites:
  ridge:
    like: field
    phases:
      a: {mw: 40}
      b: {mw: 40}
  river:
    like: field
    developer: elm
    phases: {a: {mw: 20}}
"""


LEAD = "      ordered: {lead: {buffer: 60}}"
STANDING = "    developer: elm\n    loi: {signed: 2026-01-01}\n"


def read(*changes: tuple[str, str]) -> tuple[list[Problem], list[Problem]]:
    """Errors and warnings of the base with texts replaced."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the base"
        text = text.replace(old, new)
    try:
        return [], parse(text, "f.yaml").warnings
    except ScenarioError as error:
        return [p for p in error.problems if p.severity == "error"], []


def test_the_base_is_sound() -> None:
    assert read() == ([], [])


ERRORS: dict[str, tuple[list[tuple[str, str]], str, str, int, str]] = {
    # name: changes, code, path, line, words of the message
    "unknown tenant": (
        [("    tenant: lab\n", "    tenant: lap\n")],
        "REF", "archetypes.field.tenant", 34, "unknown tenant 'lap'; did you mean 'lab'?",
    ),
    "a party is no tenant": (
        [("    tenant: lab\n", "    tenant: oak\n")],
        "REF", "archetypes.field.tenant", 34, "'oak' is a party, not a tenant",
    ),
    "unknown developer": (
        [("developer: elm", "developer: Elm")],
        "REF", "sites.river.developer", 68, "unknown party 'Elm'; did you mean 'elm'?",
    ),
    "unknown region": (
        [("    region: south\n", "    region: soth\n")],
        "REF", "archetypes.field.region", 36, "unknown region 'soth'; did you mean 'south'?",
    ),
    "wrong kind of party": (
        [("lenders: [bank]", "lenders: [backer]")],
        "REF", "archetypes.field.financing.lenders", 44,
        "'backer' is a guarantor, not a lender (it has no `lending` block)",
    ),
    "a party without a role": (
        [("lenders: [bank]", "lenders: [oak]")],
        "REF", "archetypes.field.financing.lenders", 44, "'oak' is not a lender (it has no `lending` block)",
    ),
    "no lender": (
        [("lenders: [bank]", "lenders: []")],
        "REQUIRED", "archetypes.field.financing.lenders", 44, "expected at least one lender",
    ),
    "lender twice": (
        [("lenders: [bank]", "lenders: [bank, bank]")],
        "DUPLICATE", "archetypes.field.financing.lenders", 44, "'bank' is named twice",
    ),
    "unknown guarantor": (
        [("from: [backer, second]", "from: [baker, second]")],
        "REF", "archetypes.field.guarantee.from", 43, "unknown guarantor 'baker'; did you mean 'backer'?",
    ),
    "every guarantor too weak": (
        [("{rating: AA, guarantee: {limit: $3bn, approval: {delay: 20}}}", "{rating: BB, guarantee: {}}"),
         ("[backer, second]", "[backer]")],
        "RANGE", "archetypes.field.guarantee.from", 43,
        "'backer' has rating BB, and the lenders ask for BBB-: no request can ever be granted",
    ),
    "the tenant guarantees itself": (
        [("lab: {rating: BB}", "lab: {rating: BB, guarantee: {}}"), ("[backer, second]", "[backer, lab]")],
        "CYCLE", "archetypes.field.guarantee.from", 43, "'lab' guarantees itself",
    ),
    "the developer guarantees itself": (
        [("oak: {rating: B+}", "oak: {rating: AA, guarantee: {}}"), ("[backer, second]", "[backer, oak]")],
        "CYCLE", "archetypes.field.guarantee.from", 43, "'oak' guarantees itself",
    ),
    "unknown team": (
        [("{duration: 40, team: diligence}", "{duration: 40, team: dilligence}")],
        "REF", "archetypes.field.diligence.power.team", 40,
        "unknown team of lab 'dilligence'; did you mean 'diligence'?",
    ),
    "unknown deal team": (
        [("team: deal}", "team: office}")],
        "REF", "archetypes.field.negotiation.team", 42, "expected diligence, deal, install or none",
    ),
    "unknown install team": (
        [("install: {team: install}", "install: {team: instal}")],
        "REF", "archetypes.field.bring_up.install.team", 58, "did you mean 'install'?",
    ),
    "unknown crew": (
        [("team: steel", "team: stell")],
        "REF", "archetypes.field.construction.activities.shell.team", 48, "unknown crew 'stell'; did you mean 'steel'?",
    ),
    "unknown equipment": (
        [("        transformer: {ordered", "        transfomer: {ordered")],
        "REF", "archetypes.field.construction.equipment.transfomer", 51, "did you mean 'transformer'?",
    ),
    "unknown supplier": (
        [("one: {supplier: maker", "one: {supplier: make")],
        "REF", "chips.products.one.supplier", 24, "unknown party 'make'; did you mean 'maker'?",
    ),
    "unknown product": (
        [("product: two", "product: [two, three]")],
        "REF", "chips.orders.each.product", 28, "unknown chip product 'three'",
    ),
    "no product": (
        [("product: two", "product: []")],
        "REQUIRED", "chips.orders.each.product", 28, "expected at least one product",
    ),
    "products replace each other": (
        [("rack_price: $2m}\n    two", "rack_price: $2m, replaces: two}\n    two")],
        "CYCLE", "chips.products.one.replaces", 24, "one replaces two replaces one",
    ),
    "whose order": (
        [("tenants:\n", "tenants:\n  other: {}\n")],
        "REQUIRED", "chips.orders.each.tenant", 29, "required with several tenants, and missing",
    ),
    "order for nobody": (
        [("      per: phase\n", "      per: phase\n      tenant: labb\n")],
        "REF", "chips.orders.each.tenant", 30, "unknown tenant 'labb'; did you mean 'lab'?",
    ),
    "racks for a phase": (
        [("      per: phase\n", "      per: phase\n      racks: 10\n")],
        "UNKNOWN", "chips.orders.each.racks", 30, "takes no 'racks'",
    ),
    "an order for nothing": (
        [(f"      per: phase\n{LEAD}", "      ordered: start")],
        "REQUIRED", "chips.orders.each", 28, "expected `racks` or `amount`, or `per: phase`",
    ),
    "racks and amount": (
        [(f"      per: phase\n{LEAD}",
          "      racks: 1\n      amount: $2m\n      ordered: start")],
        "UNKNOWN", "chips.orders.each", 28, "give one of `racks` and `amount`, not both",
    ),
    "lead without a phase": (
        [("      per: phase\n", "      racks: 10\n")],
        "REQUIRED", "chips.orders.each.per", 28, "expected `per: phase`",
    ),
    "count and size": (
        [("{size: 100, every: 10}", "{size: 100, count: 2}")],
        "UNKNOWN", "chips.orders.each.deliveries", 31, "give one of `count` and `size`, not both",
    ),
    "racks for nowhere": (
        [("      per: phase\n", "      per: phase\n      allocate: {to: sites.@leters}\n")],
        "REF", "chips.orders.each.allocate.to", 30, "no site has the tag 'leters'; did you mean 'letters'?",
    ),
    "racks for no site": (
        [("      per: phase\n", "      per: phase\n      allocate: {to: [sites.ridg]}\n")],
        "REF", "chips.orders.each.allocate.to", 30, "unknown site 'ridg'; did you mean 'ridge'?",
    ),
    "racks for no phase": (
        [("      per: phase\n", "      per: phase\n      allocate: {to: [sites.ridge.c]}\n")],
        "REF", "chips.orders.each.allocate.to", 30, "no phase 'c' at ridge",
    ),
    "opening racks in a hall that is not live": (
        [(f"      per: phase\n{LEAD}",
          "      racks: 900\n      ordered: 2026-01-01\n      initial: {delivered: 10, to: ridge.a}")],
        "REQUIRED", "chips.orders.each.initial.to", 31, "ridge.a is not live",
    ),
    "more opening racks than ordered": (
        [(f"      per: phase\n{LEAD}",
          "      racks: 900\n      ordered: 2026-01-01\n      initial: {delivered: 901}")],
        "RANGE", "chips.orders.each.initial.delivered", 31, "901 racks, more than the 900 of the order",
    ),
    "committed to what is no milestone": (
        [("      a: {mw: 40}", "      a: {mw: 40, committed: {full_life: 2030-01-01}}")],
        "REF", "sites.ridge.phases.a.committed.full_life", 64, "'full_life' is no milestone; did you mean 'full_live'?",
    ),
    "committed at the wrong level": (
        [("  river:\n    like: field\n", "  river:\n    like: field\n    committed: {full_live: 2030-01-01}\n")],
        "REF", "sites.river.committed.full_live", 68, "a milestone of phases",
    ),
    "after an unknown name": (
        [("{after: power, duration: 30", "{after: powr, duration: 30")],
        "REF", "archetypes.field.diligence.title.after", 41, "did you mean 'power'?",
    ),
    "an activity after an unknown name": (
        [("{after: shell, duration: 100}", "{after: shel, duration: 100}")],
        "REF", "archetypes.field.construction.activities.fit-out.after", 49,
        "'shel' is nothing that a step of a phase can wait for; did you mean 'shell'?",
    ),
    "an activity after racks": (
        [("{after: shell, duration: 100}", "{after: [shell, installed], duration: 100}")],
        "REF", "archetypes.field.construction.activities.fit-out.after", 49, "'installed' is a milestone of lots",
    ),
    "tenant works after the end": (
        [("      burn_in: 7\n", "      burn_in: 7\n      tenant_works: {after: lost, duration: 5}\n")],
        "REF", "archetypes.field.bring_up.tenant_works.after", 60, "'lost' is how a site ends",
    ),
    "a deposit until nothing": (
        [("exclusivity: 200}", "exclusivity: 200, deposit: {amount: $1m, refundable_until: signing}}")],
        "REF", "archetypes.field.loi.deposit.refundable_until", 38, "'signing' is no milestone",
    ),
    "a site waits for a phase": (
        [("{duration: 60, team: deal}", "{after: energised, duration: 60, team: deal}")],
        "REF", "archetypes.field.negotiation.after", 42, "a milestone of phases",
    ),
    "a step waits for another site": (
        [("{duration: 60, team: deal}", "{after: river.lease_signed, duration: 60, team: deal}")],
        "REF", "archetypes.field.negotiation.after", 42, "waits for what is its own",
    ),
    "a step waits for a date": (
        [("{duration: 60, team: deal}", "{after: 2027-03-01, duration: 60, team: deal}")],
        "REF", "archetypes.field.negotiation.after", 42, "expected names, got '2027-03-01'",
    ),
    "previous of the first": (
        [("{share: 0.5, after: lease_signed, delay: 300}", "{share: 0.5, after: previous, delay: 300}")],
        "REF", "archetypes.field.construction.grid.0.after", 53, "this is the first",
    ),
    "previous elsewhere": (
        [("{duration: 60, team: deal}", "{after: previous, duration: 60, team: deal}")],
        "REF", "archetypes.field.negotiation.after", 42, "stands only there",
    ),
    "a letter after its own milestone": (
        [("signed: 2027-01-05", "signed: approved")],
        "REF", "archetypes.field.loi.signed", 38, "nothing that a letter can wait for",
    ),
    "a letter after no site": (
        [("signed: 2027-01-05", "signed: lake.lost")],
        "REF", "archetypes.field.loi.signed", 38, "unknown site 'lake'",
    ),
    "a letter after no milestone": (
        [("    developer: elm\n", "    developer: elm\n    loi: {signed: ridge.lots}\n")],
        "REF", "sites.river.loi.signed", 69, "'lots' is no milestone of ridge; did you mean 'lost'?",
    ),
    "letters in a circle": (
        [("  ridge:\n    like: field\n", "  ridge:\n    like: field\n    loi: {signed: river.lost}\n"),
         ("    developer: elm\n", "    developer: elm\n    loi: {signed: ridge.lost}\n")],
        "CYCLE", "sites.ridge.loi.signed", 63, "ridge waits for river, which waits for ridge",
    ),
    "a whole order after a milestone": (
        [(f"      per: phase\n{LEAD}", "      racks: 10\n      ordered: lease_signed")],
        "REF", "chips.orders.each.ordered", 30, "of which site?",
    ),
    "a committee after a milestone": (
        [("from: 2027-01-15", "from: lease_signed")],
        "DATE", "tenants.lab.decision.committee.from", 16, "expected a date or `day n`",
    ),
    "workstreams in a circle": (
        [("power: {duration: 40", "power: {after: title, duration: 40")],
        "CYCLE", "archetypes.field.diligence.power.after", 40, "power waits for title, which waits for power",
    ),
    "a workstream after itself": (
        [("{after: power, duration: 30", "{after: title, duration: 30")],
        "CYCLE", "archetypes.field.diligence.title.after", 41, "title waits for itself",
    ),
    "negotiation after its lease": (
        [("{duration: 60, team: deal}", "{after: lease_signed, duration: 60, team: deal}")],
        "CYCLE", "archetypes.field.negotiation.after", 42,
        "negotiated waits for lease_signed, which waits for negotiated",
    ),
    "loan after its close": (
        [("equity: 0.3}", "equity: 0.3, after: financial_close}")],
        "CYCLE", "archetypes.field.financing.after", 44, "the loan waits for financial_close",
    ),
    "an activity after its building": (
        [("{after: shell, duration: 100}", "{after: [shell, building_complete], duration: 100}")],
        "CYCLE", "archetypes.field.construction.activities.fit-out.after", 49,
        "fit-out waits for building_complete, which waits for fit-out",
    ),
    "equipment after itself": (
        [("{ordered: lease_signed}", "{ordered: equipment_on_site}")],
        "CYCLE", "archetypes.field.construction.equipment.transformer.ordered", 51, "which waits for",
    ),
    "a milestone's name": (
        [("      title: {after", "      approved: {after")],
        "ID", "archetypes.field.diligence.approved", 41, "choose another name",
    ),
    "an activity named like equipment": (
        [("        fit-out: {after: shell", "        transformer: {after: shell")],
        "DUPLICATE", "archetypes.field.construction.equipment.transformer", 51, "an activity of the same phase too",
    ),
    "holds too much": (
        [("oak: {rating: B+}", "oak: {rating: B+, holds: {maker: 0.6}}"),
         ("elm: {rating: B+}", "elm: {rating: B+, holds: {maker: 0.5}}")],
        "RANGE", "parties.elm.holds.maker", 8, "add up to 1.1, more than 1",
    ),
    "holds itself": (
        [("oak: {rating: B+}", "oak: {rating: B+, holds: {oak: 0.1}}")],
        "CYCLE", "parties.oak.holds.oak", 7, "holds shares of itself",
    ),
    "holds nobody": (
        [("oak: {rating: B+}", "oak: {rating: B+, holds: {akorn: 0.1}}")],
        "REF", "parties.oak.holds.akorn", 7, "unknown party 'akorn'",
    ),
    "days off that end before they begin": (
        [("diligence: 2, deal", "diligence: {count: 2, closed: [{from: 2027-05-02, until: 2027-05-01}]}, deal")],
        "RANGE", "tenants.lab.teams.diligence.closed.0.until", 15, "2027-05-01 is before the first day off, 2027-05-02",
    ),
    "days off of two kinds": (
        [("{steel: 3}", "{steel: {count: 3, closed: [{from: 2027-12-20, until: 01-02}]}}")],
        "DATE", "crews.steel.closed.0", 19, "two dates, or two days of every year",
    ),
    "power after nothing": (
        [("{share: 0.5, after: lease_signed, delay: 300}", "{share: 0.5, after: [], delay: 300}")],
        "REQUIRED", "archetypes.field.construction.grid.0.after", 53, "expected at least one milestone, got none",
    ),
    "equipment after nothing": (
        [("{ordered: lease_signed}", "{ordered: []}")],
        "REQUIRED", "archetypes.field.construction.equipment.transformer.ordered", 51, "expected at least one",
    ),
    "horizon before start": (
        [("horizon: 2033-12-31", "horizon: 2026-12-31")],
        "RANGE", "horizon", 4, "2026-12-31 is before the start, 2027-01-01",
    ),
    "horizon far away": (
        [("horizon: 2033-12-31", "horizon: 9999-12-31")],
        "RANGE", "horizon", 4, "at most 100",
    ),
    "shares add up": (
        [("{share: 0.5, after: previous", "{share: 0.6, after: previous")],
        "RANGE", "archetypes.field.construction.grid", 53, "the shares add up to 1.1, more than 1",
    ),
    "a step of nothing": (
        [("{share: 0.5, after: previous", "{after: previous")],
        "REQUIRED", "archetypes.field.construction.grid.1", 54, "expected `mw` or `share`",
    ),
    "a step of both": (
        [("{share: 0.5, after: previous", "{share: 0.5, mw: 10, after: previous")],
        "UNKNOWN", "archetypes.field.construction.grid.1", 54, "give one of `mw` and `share`",
    ),
    "no letter": (
        [("    loi: {signed: 2027-01-05, exclusivity: 200}\n", "")],
        "REQUIRED", "sites.ridge.loi", 61, "required where `initial` gives no milestone",
    ),
    "opening out of order": (
        [("    developer: elm\n", f"{STANDING}    initial: {{lease_signed: 2026-05-01, approved: 2026-06-01}}\n")],
        "DATE", "sites.river.initial.lease_signed", 70, "2026-05-01 is before approved, 2026-06-01",
    ),
    "opening of a phase out of order": (
        [("      b: {mw: 40}", "      b: {mw: 40, initial: {energised: 2027-06-01, full_live: 2027-05-01}}")],
        "DATE", "sites.ridge.phases.b.initial.full_live", 65, "2027-05-01 is before energised",
    ),
    "cover without its amount": (
        [("    developer: elm\n", f"{STANDING}    initial: {{lease_signed: 2026-05-01, guarantor: backer}}\n")],
        "REQUIRED", "sites.river.initial.cap", 70, "required beside `guarantor`",
    ),
    "cover of nobody": (
        [("    developer: elm\n", f"{STANDING}    initial: {{lease_signed: 2026-05-01, cap: $1bn}}\n")],
        "REQUIRED", "sites.river.initial.guarantor", 70, "required beside `cap`",
    ),
    "shock of nobody": (
        [("sites:\n", "shocks: {x: {when: never, cancel: unsigned_letters, chance_each: 1, tenant: lob}}\nsites:\n")],
        "REF", "shocks.x.tenant", 60, "unknown tenant 'lob'",
    ),
    "a driver that does nothing": (
        [("sites:\n", "drivers: {x: {chance: 0.1, hits: diligence.power}}\nsites:\n")],
        "REQUIRED", "drivers.x", 60, "expected `times` or `plus`",
    ),
    "a driver that hits nothing": (
        [("sites:\n", "drivers: {x: {chance: 0.1, hits: diligence.powr, plus: 3}}\nsites:\n")],
        "REF", "drivers.x.hits", 60, "'diligence.powr' matches no duration",
    ),
    "an unknown factor": (
        [("power: {duration: 40", "power: {duration: {lognormal: {median: 40, p90: 80}, loads: {markt: 0.5}}")],
        "REF", "archetypes.field.diligence.power.duration.loads.markt", 40, "unknown factor 'markt'",
    ),
    "an unknown source": (
        [("power: {duration: 40", "power: {source: newspaper, duration: 40")],
        "REF", "archetypes.field.diligence.power.source", 40, "unknown source 'newspaper'",
    ),
    "an odd confidence around a name": (
        [("lab: {rating: BB}", "lab: {rating: {value: BB, confidence: hih}}")],
        "UNKNOWN", "parties.lab.rating.confidence", 6, "did you mean 'high'?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(name: str) -> None:
    changes, code, path, line, words = ERRORS[name]
    errors, _ = read(*changes)
    assert {p.code for p in errors} == {code}, [str(p) for p in errors]
    assert errors[0].path == path
    assert errors[0].mark is not None
    assert errors[0].mark.line == line
    assert words in errors[0].message


WARNINGS: dict[str, tuple[list[tuple[str, str]], str, str]] = {
    "tenant that is no party": (
        [("  lab: {rating: BB}\n", "")],
        "tenants.lab", "'lab' is no party, so it is unrated",
    ),
    "no guarantor asked": (
        [("    guarantee: {from: [backer, second]}\n", "")],
        "sites.ridge", "without `guarantee` the site ends unguaranteed",
    ),
    "one guarantor too weak": (
        [("second: {rating: A,", "second: {rating: BB+,")],
        "archetypes.field.guarantee.from",
        "'second' has rating BB+, and the lenders ask for BBB-: it is passed over",
    ),
    "a letter after what follows from it": (
        [("    developer: elm\n", "    developer: elm\n    initial: {lease_signed: 2026-05-01}\n")],
        "archetypes.field.loi.signed", "2027-01-05 is after lease_signed, 2026-05-01, which `initial` gives",
    ),
    "limit below the request": (
        [("{limit: $3bn, approval", "{limit: $600m, approval")],
        "archetypes.field.guarantee.from",
        "asks for cover of US$640m at medians, above the whole limit of backer, US$600m",
    ),
    "opening cover above the limit": (
        [("    developer: elm\n",
          f"{STANDING}    initial: {{lease_signed: 2026-05-01, guarantor: backer, cap: $4bn}}\n")],
        "parties.backer.guarantee.limit", "US$3bn is below the cover in use at the start, US$4bn",
    ),
    "loan and equity fall short": (
        [("equity: 0.3", "equity: 0.1")],
        "archetypes.field.financing", "(bound by loan to cost) and the developer's equity cover 90 % of the cost",
    ),
    "rent does not carry the loan": (
        [("ltc: 0.8}", "ltc: 0.8, dscr: 1.3, rate: 0.1}"), ("rent: $150/kW-month", "rent: $50/kW-month")],
        "archetypes.field.financing", "(bound by debt service cover)",
    ),
    "power never reaches a phase": (
        [("{share: 0.5, after: previous", "{share: 0.4, after: previous")],
        "archetypes.field.construction.grid", "up to phase b, which is never energised",
    ),
    "a region that cannot": (
        [("limit: 500 MW", "limit: 30 MW")],
        "archetypes.field.construction.grid.0", "40 MW in one step, but south connects at most 30 MW by the horizon",
    ),
    "dated after the horizon": (
        [("signed: 2027-01-05", "signed: 2034-01-05")],
        "archetypes.field.loi.signed", "2034-01-05 is after the horizon, 2033-12-31: it never comes",
    ),
    "exclusivity too short": (
        [("exclusivity: 200", "exclusivity: 100")],
        "archetypes.field.loi.exclusivity", "lasts 100 days; the lease takes 130 days at medians",
    ),
    "no rack passes": (
        [("      burn_in: 7\n", "      burn_in: 7\n      dead_on_arrival: {chance: 1, returned_in: 5}\n")],
        "archetypes.field.bring_up.dead_on_arrival.chance", "no rack ever passes burn-in",
    ),
    "no supply": (
        [("racks: 500/month", "racks: 0")],
        "parties.maker.supply.racks", "1,000 racks are wanted of maker, which makes 0",
    ),
    "too little supply": (
        [("racks: 500/month", "racks: 10/month")],
        "parties.maker.supply.racks", "1,000 racks are wanted of maker, which makes 840",
    ),
    "no racks for a site": (
        [("      per: phase\n", "      per: phase\n      allocate: {to: sites.ridge}\n")],
        "sites.river.phases.a", "no order of chips goes here",
    ),
    "no bring-up": (
        [("    bring_up:\n      lot: 100\n      install: {team: install}\n      burn_in: 7\n", "")],
        "sites.ridge.phases.a", "without `bring_up` no rack ever goes live here",
    ),
    "a lot without room": (
        [(f"      per: phase\n{LEAD}", "      racks: 1000\n      ordered: start"),
         ("lot: 100", "lot: 300")],
        "archetypes.field.bring_up.lot", "a lot of 300 racks has no room in 200",
    ),
    "waiting for a guarantee that nobody needs": (
        [("lab: {rating: BB}", "lab: {rating: AA}"), ("equity: 0.3}", "equity: 0.3, after: guarantee_signed}")],
        "archetypes.field.financing.after", "'guarantee_signed' is never reached",
    ),
    "a what-if that leads nowhere": (
        [("sites:\n", "what_ifs: {x: {sites.rigde.decision: shelve}}\nsites:\n")],
        "what_ifs.x.sites.rigde.decision", "did you mean 'ridge'?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(WARNINGS))
def test_warnings(name: str) -> None:
    changes, path, words = WARNINGS[name]
    errors, warnings = read(*changes)
    assert errors == []
    found = [p for p in warnings if p.path == path]
    assert found, [str(p) for p in warnings]
    assert words in found[0].message
    assert {(p.code, p.severity) for p in warnings} == {("WARN", "warning")}
    assert all(p.mark is not None for p in warnings)


def test_a_fault_that_sites_inherit_is_told_once() -> None:
    errors, _ = read(("from: [backer, second]", "from: [nobody]"))
    assert [p.path for p in errors] == ["archetypes.field.guarantee.from"]


def test_given_milestones_wait_for_nothing() -> None:
    """A negotiation after the lease is a circle only where the lease is still to come."""
    circle = ("{duration: 60, team: deal}", "{after: lease_signed, duration: 60, team: deal}")
    standing = "    loi: {signed: 2026-01-01}\n    initial: {lease_signed: 2026-05-01}\n"
    errors, _ = read(
        circle,
        ("  ridge:\n    like: field\n", f"  ridge:\n    like: field\n{standing}"),
        ("    developer: elm\n", f"    developer: elm\n{standing}"),
    )
    assert errors == []


def test_two_circles_are_told_apart() -> None:
    errors, _ = read(
        ("power: {duration: 40", "power: {after: title, duration: 40"),
        ("{after: shell, duration: 100}", "{after: [shell, fit-out], duration: 100}"),
    )
    assert [p.path for p in errors if p.code == "CYCLE"] == [
        "archetypes.field.diligence.power.after",
        "archetypes.field.construction.activities.fit-out.after",
    ]


def test_other_sites_may_be_waited_for_by_letters_and_orders() -> None:
    errors, warnings = read(
        ("    developer: elm\n", "    developer: elm\n    loi: {signed: {after: ridge.a.energised, delay: 30}}\n"),
        (f"      per: phase\n{LEAD}", "      racks: 1000\n      ordered: ridge.lease_signed"),
    )
    assert (errors, warnings) == ([], [])


def with_what_ifs(text: str) -> Scenario:
    return parse(BASE.replace("sites:\n", f"what_ifs:\n{text}sites:\n"), "f.yaml")


def test_what_ifs_are_tried() -> None:
    scenario = with_what_ifs(
        "  fine: {sites.*.lease.rent: {times: 1.1}}\n"
        "  each: {tenants.lab.teams.deal: {each: [1, 2, none]}}\n"
        "  lost: {sites.ridge.decison: shelve}\n"
        "  half: {equipment.transformer.lead_time: [1]}\n"
    )
    found = {p.path: p for p in what_if_problems(scenario, seconds=30)}
    assert sorted(found) == ["what_ifs.each", "what_ifs.half", "what_ifs.lost"]
    assert "unknown key 'decison'; did you mean 'decision'?" in found["what_ifs.lost"].message
    assert found["what_ifs.lost"].mark is not None
    assert found["what_ifs.lost"].mark.line == 63
    assert "expected a duration (days)" in found["what_ifs.half"].message


def test_an_edit_may_take_away_what_a_what_if_changes() -> None:
    scenario = with_what_ifs("  fine: {sites.river.decision: shelve}\n").edit({"sites.river": None})
    assert [p.path for p in scenario.warnings] == ["what_ifs.fine.sites.river.decision"]


def test_every_check_says_what_it_is_for() -> None:
    assert len(CHECKS) > 25
    assert all(one.__doc__ for one in CHECKS)
