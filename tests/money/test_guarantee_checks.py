"""Terms of guarantees that are refused when a scenario is read: where, and in which words."""

from __future__ import annotations

import pytest
from helpers import scenario

from dcsim.errors import ScenarioError

ONE = """
parties:
  g: {rating: AA, guarantee: {}}
  h: {rating: AA, guarantee: {}}
  bank: {rating: A, lending: {min_rating: BBB-, ltc: 0.8, cap_to_loan: 1.0}}
defaults:
  site:
    guarantee: {from: g}
    lease: {rent: $100/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.3}
"""

BAD: dict[str, tuple[str, str]] = {
    "a negative cap": (
        "parties: {g: {guarantee: {terms: {cap: {basis: fixed, amount: -5}}}}}",
        r"terms.cap.amount: must be >= 0, got -5",
    ),
    "a fixed cap without its amount": (
        "parties: {g: {guarantee: {terms: {cap: {basis: fixed}}}}}",
        r"parties.g.guarantee.terms.cap.amount: required with `basis: fixed`",
    ),
    "an amount for a cap by the loan": (
        "sites: {a: {guarantee: {terms: {cap: {amount: 5}}}}}",
        r"sites.a.guarantee.terms.cap.amount: an amount goes with `basis: fixed`, and this cap is by loan",
    ),
    "a line and steps": (
        "parties: {g: {guarantee: {terms: {step_down: {over: 10 years, steps: [{after: 1, share: 0.5}]}}}}}",
        r"step_down.steps: two step-downs overlap: these steps, and `shape: straight_line`",
    ),
    "a line beside the loan's balance": (
        "parties: {g: {guarantee: {terms: {step_down: {over: 10 years, shape: with_loan}}}}}",
        r"step_down.over: two step-downs overlap: a straight line, and `shape: with_loan`",
    ),
    "a line without an end": (
        "parties: {g: {guarantee: {terms: {step_down: {}}}}}",
        r"step_down.over: required for a straight line",
    ),
    "no steps": (
        "parties: {g: {guarantee: {terms: {step_down: {shape: steps}}}}}",
        r"step_down.steps: expected at least one step",
    ),
    "steps that overlap": (
        "parties: {g: {guarantee: {terms: {step_down: {shape: steps, steps: "
        "[{after: 100, share: 0.5}, {after: 90, share: 0.2}]}}}}}",
        r"steps.1.after: overlapping step-downs: 90 days, not after the 100 of the step before",
    ),
    "steps that rise": (
        "parties: {g: {guarantee: {terms: {step_down: {shape: steps, steps: "
        "[{after: 100, share: 0.5}, {after: 190, share: 0.6}]}}}}}",
        r"steps.1.share: a step-down must fall: 0.6 of the cap, not below the 0.5 of the step before",
    ),
    "shares that are not the whole": (
        "sites: {a: {guarantee: {from: [], together: {g: 0.5, h: 0.4}}}}",
        r"sites.a.guarantee.together: the shares add up to 0.9, not to 1",
    ),
    "somebody unknown among several": (
        "sites: {a: {guarantee: {from: [], together: {g: 0.5, hh: 0.5}}}}",
        r"sites.a.guarantee.together: unknown guarantor 'hh'",
    ),
    "several who would take the lease over": (
        "sites: {a: {guarantee: {from: [], together: {g: 0.5, h: 0.5}, terms: {election: assume}}}}",
        r"sites.a.guarantee.terms.election: several guarantors cannot take one lease over",
    ),
    "one of several too weak": (
        "{parties: {h: {rating: B}}, sites: {a: {guarantee: {from: [], together: {g: 0.5, h: 0.5}}}}}",
        r"together.h: 'h' has rating B, and the lenders ask for BBB-: no request can ever be granted",
    ),
    "nobody asked": (
        "sites: {a: {guarantee: {from: []}}}",
        r"sites.a.guarantee.from: expected at least one guarantor",
    ),
    "a guarantor below the rating that it must keep": (
        "parties: {g: {rating: A, guarantee: {terms: {replace: {below: AA-, within: 60}}}}}",
        r"terms.replace.below: 'g' has rating A, below the AA- that it must keep",
    ),
    "the same by the terms of a site": (
        "sites: {a: {guarantee: {from: [g], terms: {replace: {below: AAA, within: 60}}}}}",
        r"sites.a.guarantee.terms.replace.below: 'g' has rating AA, below the AAA that it must keep",
    ),
    "rent owed to somebody else": (
        "sites: {a: {guarantee: {beneficiary: bank}}}",
        r"sites.a.guarantee.beneficiary: 'bank' is not the creditor of the rent, which is owed to dev",
    ),
    "a loan owed to somebody else": (
        "sites: {a: {guarantee: {beneficiary: dev, terms: {covers: loan}}}}",
        r"sites.a.guarantee.beneficiary: 'dev' is not the creditor of the loan, which is owed to bank",
    ),
    "a beneficiary nobody knows": (
        "sites: {a: {guarantee: {beneficiary: bnak}}}",
        r"sites.a.guarantee.beneficiary: unknown party 'bnak'; did you mean 'bank'\?",
    ),
    "a loan that is not there": (
        "sites: {a: {financing: null, guarantee: {terms: {covers: loan}}}}",
        r"sites.a.guarantee.terms.covers: the guarantee covers the loan, and the site has no `financing`",
    ),
    "a guarantor unknown": (
        "sites: {a: {guarantee: {from: [gg]}}}",
        r"sites.a.guarantee.from: unknown guarantor 'gg'",
    ),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_terms_are_refused(name):
    text, message = BAD[name]
    with pytest.raises(ScenarioError, match=message):
        scenario(ONE, "sites: {a: {}}", text)
