"""What the checks say of loans."""

import pytest
from helpers import scenario

from dcsim.errors import ScenarioError

ONE = """
parties: {lab: {rating: A}, bank: {lending: {ltc: 0.8}}}
sites: {a: {financing: {lenders: bank, cost: $10m/MW, equity: 0.2}}}
"""
OLD = "initial: {lease_signed: 2026-01-01, financial_close: 2026-07-01, loan: $700m}"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("sites: {a: {financing: {lenders: []}}}", "sites.a.financing.lenders", "expected at least one lender"),
        ("sites: {a: {financing: {lenders: bnk}}}", "sites.a.financing.lenders", "did you mean 'bank'"),
        ("sites: {a: {financing: {lenders: dev}}}", "sites.a.financing.lenders", "not a lender"),
        ("sites: {a: {financing: {contingency: 1}}}", "sites.a.financing.contingency", "leave nothing for works"),
        ("sites: {a: {financing: {contingency: 0.6}}}\nparties: {bank: {lending: {upfront_fee: 0.5}}}",
         "sites.a.financing.contingency", "take 100 % of the cost"),
        ("sites: {a: {financing: {completion_guarantee: developer}}}", "sites.a.financing.completion_guarantee",
         "leave it out for the developer's own money"),
        ("sites: {a: {financing: {completion_guarantee: bnk}}}", "sites.a.financing.completion_guarantee",
         "did you mean 'bank'"),
        ("sites: {a: {initial: {lease_signed: 2026-01-01, loan: $700m}}}", "sites.a.initial.financial_close",
         "when it closed"),
        ("sites: {a: {initial: {lease_signed: 2026-01-01, financial_close: 2026-07-01, drawn: $7m}}}",
         "sites.a.initial.loan", "required beside `drawn`"),
        ("sites: {a: {initial: {lease_signed: 2026-01-01, financial_close: 2026-07-01, rate: 0.07}}}",
         "sites.a.initial.loan", "required beside `rate`"),
        ([f"sites: {{a: {{{OLD}}}}}", "sites: {a: {initial: {drawn: $701m}}}"], "sites.a.initial.drawn",
         "are drawn of a loan of"),
        ([f"sites: {{a: {{{OLD}}}}}", "sites: {a: {financing: null}}"], "sites.a.financing", "whose loan it is"),
        ("parties: {bank: {lending: {ltc: 1.1}}}", "parties.bank.lending.ltc", "must be between 0 and 1"),
        ("parties: {bank: {lending: {dscr: 0.9}}}", "parties.bank.lending.dscr", "must be >= 1"),
        ("parties: {bank: {lending: {capacity: -1}}}", "parties.bank.lending.capacity", "must be >= 0"),
        ("parties: {bank: {lending: {tenor: 0}}}", "parties.bank.lending.tenor", "must be >= 1"),
        ("sites: {a: {financing: {sizing: {shape: bullet}}}}", "sites.a.financing.sizing.shape", "sculpted"),
        ("sites: {a: {financing: {overrun: -0.6}}}", "sites.a.financing.overrun", "must be >= -0.5"),
        ("sites: {a: {financing: {loss_given_default: {covered: 2}}}}", "sites.a.financing.loss_given_default.covered",
         "must be between 0 and 1"),
    ],
)  # fmt: skip
def test_refused(text, path, message):
    with pytest.raises(ScenarioError) as caught:
        scenario(ONE, *([text] if isinstance(text, str) else text))
    assert any(p.path == path and message in p.message for p in caught.value.problems), caught.value


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("parties: {bank: {lending: {refinancing: {chance: 0.5}}}}", "parties.bank.lending.refinancing",
         "changes nothing without `tenor`"),
        ("parties: {bank: {lending: {tenor: 5 years}}}", "parties.bank.lending.tenor", "leaves a balloon"),
        ("parties: {bank: {lending: {drawn: at_close, commitment_fee: 0.01}}}", "parties.bank.lending.commitment_fee",
         "changes nothing"),
        ("sites: {a: {financing: {equity: 0.1}}}", "sites.a.financing", "the site ends unfinanced"),
        ([f"sites: {{a: {{{OLD}}}}}", "sites: {a: {initial: {drawn: $600m}}}",
          "parties: {bank: {lending: {drawn: at_close}}}"], "sites.a.initial.drawn", "drawn whole at close"),
    ],
)  # fmt: skip
def test_odd(text, path, message):
    found = scenario(ONE, *([text] if isinstance(text, str) else text)).warnings
    assert any(p.path == path and message in p.message for p in found), found


@pytest.mark.parametrize(
    "text",
    [
        "parties: {bank: {lending: {tenor: 5 years, refinancing: {chance: 0.9}}}}",
        "parties: {bank: {lending: {tenor: 20 years}}}",
        "parties: {bank: {lending: {commitment_fee: 0.01}}}",
        "sites: {a: {financing: {contingency: 0.1, completion_guarantee: bank}}}",
        f"sites: {{a: {{{OLD}}}}}",
    ],
)
def test_nothing_odd(text):
    assert [p for p in scenario(ONE, text).warnings if "lending" in p.path or "financing" in p.path] == []
