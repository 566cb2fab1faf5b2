"""Every number once, at the place where it is written, with its source."""

from __future__ import annotations

import pytest

from dcsim.errors import ScenarioError
from dcsim.scenario.provenance import Assumption
from dcsim.scenario.scenario import Scenario, parse

BASE = """\
version: 1
name: sources
start: 2027-01-01
horizon: 2033-12-31
sources:
  report: {issuer: a paper, document: an article, date: 2027-01, confidence: medium, as_of: 2026-12-01}
  filing: {issuer: a firm, document: an annual report, confidence: high}
  rumour: {issuer: somebody, document: a talk}
parties:
  lab: {rating: {value: A, source: filing}}
  oak: {}
  bank:
    source: filing
    lending:
      capacity: {value: $6bn, source: report}
      ltc: 0.8
      closing: {lognormal: {median: 60, p90: 120}, confidence: low}
      rate: {value: 0.07, source: guess}
  maker: {supply: {racks: {2027-01-01: 400/month, 2028-01-01: 500/month}}, source: rumour}
tenants:
  lab:
    targets: [10 MW, 20 MW]
    teams: {deal: {value: 2, range: [1, 3], source: report}}
    decision: {committee: {every: 30 days, from: 2027-01-15}}
chips:
  products: {one: {supplier: maker, rack_power: 100 kW, rack_price: $2m}}
  orders: {each: {product: one, per: phase, ordered: {lead: {buffer: 2 months}}}}
defaults:
  site:
    as_of: 2026-06-30
    tenant: lab
    loi: {signed: {value: {uniform: {low: 2027-01-05, high: 2027-02-05}}, source: report}}
    lease: {rent: {triangular: {low: 112, mode: 129, high: 155}, source: filing, as_of: 2026-01-31}}
archetypes:
  source: rumour
  field:
    developer: oak
    diligence: {power: {duration: {discrete: {30: 2, 60: 1}}}}
    construction:
      source: filing
      activities: {shell: {duration: {pert: {low: 100, mode: 150, high: 300}}}}
    bring_up: {lot: 10 racks}
sites:
  ridge: {like: field, phases: [20 MW, 20 MW]}
  river:
    like: field
    source: report
    phases: {a: {mw: 20 MW}}
    lease: {rent: {times: 1.5}, escalator: 0.03}
    negotiation: {after: approved, delay: 10}
    loi: {signed: day 20}
  lake: {like: field, phases: [1 GW], lease: {rent: {plus: -10}}}
"""


def read(text: str = BASE) -> Scenario:
    return parse(text, "f.yaml")


def rows(text: str = BASE) -> dict[str, Assumption]:
    found = read(text).assumptions()
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row for row in found}


EXPECTED = [
    # value, unit, source, as_of, confidence
    ("parties.bank.lending.capacity", "6000", "usd_m", "report", "2026-12-01", "medium"),
    ("parties.bank.lending.ltc", "0.8", "fraction", "filing", None, "high"),
    ("parties.bank.lending.closing", "lognormal(median 60, p90 120)", "days", "filing", None, "low"),
    ("parties.bank.lending.rate", "0.07", "fraction", "guess", None, "guess"),
    ("parties.maker.supply.racks.2027-01-01", "400", "racks_per_month", "rumour", None, "guess"),
    ("parties.maker.supply.racks.2028-01-01", "500", "racks_per_month", "rumour", None, "guess"),
    ("tenants.lab.targets.0", "10", "MW", None, None, "guess"),
    ("tenants.lab.targets.1", "20", "MW", None, None, "guess"),
    ("tenants.lab.teams.deal", "2", "count", "report", "2026-12-01", "medium"),
    ("tenants.lab.decision.committee.every", "30", "days", None, None, "guess"),
    ("tenants.lab.decision.committee.from", "2027-01-15", "date", None, None, "guess"),
    ("chips.products.one.rack_power", "100", "kW", None, None, "guess"),
    ("chips.products.one.rack_price", "2", "usd_m", None, None, "guess"),
    ("chips.orders.each.ordered.lead.buffer", "60.875", "days", None, None, "guess"),
    ("defaults.site.loi.signed", "uniform(low 2027-01-05, high 2027-02-05)", "date", "report", "2026-06-30", "medium"),
    ("defaults.site.lease.rent", "triangular(low 112, mode 129, high 155)", "usd_per_kw_month", "filing", "2026-01-31",
     "high"),
    ("archetypes.field.diligence.power.duration", "discrete(30: 2, 60: 1)", "days", "rumour", None, "guess"),
    ("archetypes.field.construction.activities.shell.duration", "pert(low 100, mode 150, high 300)", "days", "filing",
     None, "high"),
    ("archetypes.field.bring_up.lot", "10", "racks", "rumour", None, "guess"),
    ("sites.ridge.phases.p1.mw", "20", "MW", None, None, "guess"),
    ("sites.ridge.phases.p2.mw", "20", "MW", None, None, "guess"),
    ("sites.river.phases.a.mw", "20", "MW", "report", "2026-12-01", "medium"),
    ("sites.river.lease.rent", "triangular(low 112, mode 129, high 155) * 1.5", "usd_per_kw_month", "filing",
     "2026-01-31", "high"),
    ("sites.river.lease.escalator", "0.03", "fraction", "report", "2026-12-01", "medium"),
    ("sites.river.negotiation.delay", "10", "days", "report", "2026-12-01", "medium"),
    ("sites.river.loi.signed", "20", "days", "report", "2026-12-01", "medium"),
    ("sites.lake.phases.p1.mw", "1000", "MW", None, None, "guess"),
    ("sites.lake.lease.rent", "triangular(low 112, mode 129, high 155) - 10", "usd_per_kw_month", "filing",
     "2026-01-31", "high"),
]  # fmt: skip


def test_every_number_in_the_order_of_the_file() -> None:
    assert read().assumptions() == EXPECTED


def test_a_source_at_the_top_holds_for_what_has_none() -> None:
    found = rows(BASE.replace("sources:\n", "source: filing\nsources:\n"))
    assert found["tenants.lab.targets.0"][3:] == ("filing", None, "high")
    assert found["parties.bank.lending.capacity"][3] == "report"
    assert found["archetypes.field.bring_up.lot"][3] == "rumour"


def test_the_confidence_that_stands_nearest_counts() -> None:
    text = BASE.replace("    source: filing\n    lending:\n", "    source: filing\n    confidence: low\n    lending:\n")
    found = rows(text)
    assert found["parties.bank.lending.ltc"][5] == "low"
    assert found["parties.bank.lending.capacity"][5] == "medium"


def test_an_edit_is_an_assumption_of_its_own_place() -> None:
    edited = read().edit({"sites.ridge.diligence.power.duration": 45, "defaults.site.lease.rent": 140})
    found = {row[0]: row for row in edited.assumptions()}
    assert found["sites.ridge.diligence.power.duration"][1] == "45"
    assert found["archetypes.field.diligence.power.duration"][1] == "discrete(30: 2, 60: 1)"
    assert found["defaults.site.lease.rent"][1] == "140"


def test_long_lists_are_summed_up() -> None:
    values = ", ".join(map(str, range(10, 30)))
    text = BASE.replace("{discrete: {30: 2, 60: 1}}", f"{{empirical: [{values}]}}")
    assert rows(text)["archetypes.field.diligence.power.duration"][1] == "empirical(20 values from 10 to 29)"


def test_what_is_under_way_is_said_to_be() -> None:
    actuals = "status: 2027-03-01\nactuals: {sites.ridge.negotiation: {started: 2027-02-01}}\n"
    text = BASE.replace("sources:\n", f"{actuals}sources:\n").replace(
        "phases: [20 MW, 20 MW]}", "phases: [20 MW], negotiation: {duration: {lognormal: {median: 60, p90: 90}}}}"
    )
    law = "what is left of lognormal(median 60, p90 90) after 28"
    assert rows(text)["sites.ridge.negotiation.duration"][1] == law


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("closing: {lognormal: {median: 60, p90: 120}, confidence: low}",
         "closing: {lognormal: {median: 60, p90: 120}, source: reprt}",
         "parties.bank.lending.closing.source", "unknown source 'reprt'; did you mean 'report'?"),
        ("  source: rumour\n", "  source: rumor\n", "archetypes.source",
         "unknown source 'rumor'; did you mean 'rumour'?"),
        ("{value: A, source: filing}", "{value: A, source: [filing]}", "parties.lab.rating.source",
         "expected the id of a source, got a list"),
        ("{value: A, source: filing}", "{value: A, source: 5}", "parties.lab.rating.source",
         "expected the id of a source, got 5"),
    ],
)  # fmt: skip
def test_unknown_sources(old: str, new: str, path: str, message: str) -> None:
    assert BASE.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        read(BASE.replace(old, new))
    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == (path, message)
    assert problem.mark is not None
    line = BASE.replace(old, new).splitlines()[problem.mark.line - 1]
    assert line[problem.mark.column - 1 :].startswith(("reprt", "rumor", "[filing]", "5"))


def test_guess_may_always_be_cited() -> None:
    assert rows(BASE.replace("source: rumour", "source: guess"))["archetypes.field.bring_up.lot"][3:] == (
        "guess",
        None,
        "guess",
    )
