"""Money that cannot be: every such mistake is one error, at the line and column at which it stands, in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcsim.errors import ScenarioError
from dcsim.scenario.scenario import parse

BASE: str = json.loads((Path(__file__).parents[1] / "data" / "bad_scenarios.json").read_text(encoding="utf-8"))["base"]

TREASURY = "lab: {targets: [100 MW], treasury: {cash: 1, "
CLOUD = """cloud:
  c: {provider: avgo, from: 2026-03-01, until: 2026-09-01, mw: 5, price: 1, ends_early: {by: provider,
      notice: 300 days}}
chips:
"""
OWNERS = """fund: {holds: {lab: 0.6}}
  other: {holds: {lab: 0.5}}
  bank1: {"""
STEPS = "limit: $5bn, terms: {step_down: {shape: steps, "

CASES = [
    # Negative caps.
    ("limit: $5bn", "limit: -$5bn", "RANGE", "must be >= 0, got -5000", "-$5bn"),
    ("limit: $5bn", "limit: $5bn, max_cap: -8", "RANGE", "must be >= 0, got -8", "-8"),
    ("limit: $5bn", "limit: $5bn, terms: {cap: {basis: fixed, amount: -9}}", "RANGE", "must be >= 0, got -9", "-9"),
    ("min_rating: BBB-", "min_rating: BBB-, cap_to_loan: -7", "RANGE", "must be >= 0, got -7", "-7"),
    # A guarantor below the rating it must have.
    ("rating: AA,", "rating: BB,", "RANGE", "'goog' has rating BB, and the lenders ask for BBB-", "goog}\n"),
    ("{rating: AA, guarantee", "{guarantee", "RANGE", "'goog' has no rating, and the lenders ask for BBB-", "goog}\n"),
    ("limit: $5bn", "limit: $5bn, terms: {replace: {below: AAA, within: 30 days}}", "RANGE",
     "'goog' has rating AA, below the AAA that it must keep", "AAA"),
    # A loan with no lender.
    ("lenders: [bank1]", "lenders: []", "REQUIRED", "expected at least one lender", "[]"),
    ("lenders: [bank1], ", "", "REQUIRED", "sites.a.financing.lenders: required, and missing", "{cost: $10m"),
    ("lenders: [bank1]", "lenders: [bank2]", "REF", "unknown lender 'bank2'; did you mean 'bank1'?", "[bank2]"),
    ("lenders: [bank1]", "lenders: [goog]", "REF", "'goog' is a guarantor, not a lender", "[goog]"),
    # Ownership above 100 %.
    ("bank1: {", OWNERS, "RANGE", "the shares held in 'lab' add up to 1.1, more than 1", "0.5}"),
    ("bank1: {", "fund: {holds: {lab: 1.6}}\n  bank1: {", "RANGE", "must be between 0 and 1, got 1.6", "1.6"),
    # Unknown parties.
    ("developer: stack", "developer: stak", "REF", "unknown party 'stak'; did you mean 'stack'?", "stak\n"),
    ("from: goog", "from: gog", "REF", "unknown guarantor 'gog'; did you mean 'goog'?", "gog}"),
    ("bank1: {", "fund: {holds: {labb: 0.1}}\n  bank1: {", "REF", "unknown party 'labb'; did you mean 'lab'?", "0.1"),
    # An IPO before the start.
    ("lab: {targets: [100 MW]", f"{TREASURY}ipo: {{date: 2025-06-15, amount: 5}}}}", "RANGE",
     "2025-06-15 is before the start, 2026-01-01", "2025-06-15"),
    ("lab: {targets: [100 MW]", TREASURY + "ipo: {date: {uniform: {low: 2025-01-01, high: 2025-09-01}}, amount: 5}}",
     "RANGE", "2025-05-02 is before the start, 2026-01-01", "{uniform"),
    # A recall notice longer than the term: 2026-03-01 to 2026-09-01.
    ("chips:\n", CLOUD, "RANGE", "300 days are longer than the term, 185 days", "300 days"),
    # Step-downs that overlap.
    ("limit: $5bn", STEPS + "steps: [{after: 100, share: 0.5}, {after: 70, share: 0.4}]}}", "RANGE",
     "overlapping step-downs: 70 days, not after the 100 of the step before", "70"),
    ("limit: $5bn", STEPS + "over: 300 days, steps: [{after: 100, share: 0.5}]}}", "RANGE",
     "two step-downs overlap: a straight line, and `shape: steps`", "300 days"),
    ("limit: $5bn", "limit: $5bn, terms: {step_down: {over: 300 days, steps: [{after: 100, share: 0.5}]}}", "RANGE",
     "two step-downs overlap: these steps, and `shape: straight_line`", "[{after: 100"),
    # A step that waits for itself, or for what waits for it.
    ("building: {", "building: {after: building, ", "CYCLE", "building waits for itself", "building, "),
    ("from: goog", "from: goog, after: guarantee_signed", "CYCLE", "guarantee_signed waits for itself",
     "guarantee_signed"),
    ("power: {", "power: {after: power, ", "CYCLE", "power waits for itself", "power, "),
    ("financing: {", "financing: {after: financial_close, ", "CYCLE",
     "the loan waits for financial_close, which waits for the loan", "financial_close"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "says", "at"), CASES)
def test_refused_where_it_stands(old: str, new: str, code: str, says: str, at: str) -> None:
    """`at` is the text at whose first character the error points: it stands once in the file."""
    assert BASE.count(old) == 1
    text = BASE.replace(old, new)
    assert text.count(at) == 1, f"{at!r} stands {text.count(at)} times"
    before = text[: text.index(at)]
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert says in str(problem)
    assert problem.mark is not None
    assert (problem.mark.line, problem.mark.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_an_ipo_that_may_come_before_the_start_is_warned_of() -> None:
    """Uniform from 2025-12-01 to 2027-12-01: one day in 24 lies before 2026-01-01."""
    law = "ipo: {date: {uniform: {low: %s, high: 2027-12-01}}, amount: 5}}"
    warned = parse(BASE.replace("lab: {targets: [100 MW]", TREASURY + law % "2025-12-01")).warnings
    assert [problem.path for problem in warned] == ["tenants.lab.treasury.ipo.date"]
    assert "may come before the start, 2026-01-01" in warned[0].message
    assert not parse(BASE.replace("lab: {targets: [100 MW]", TREASURY + law % "2026-01-01")).warnings
