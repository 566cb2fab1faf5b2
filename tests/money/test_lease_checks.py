"""What is refused, or found odd, in what a file says of leases."""

from __future__ import annotations

import pytest
from helpers import scenario

from dcsim.errors import ScenarioError

DEMAND = "tenants: {lab: {demand: {path: 100}}}"
BASE = "sites: {a: {lease: {rent: $100/kW-month, term: 24 months}}}"

REFUSED = {
    "a lessee that is nobody": ("lessee: labb", "lessee", "unknown party 'labb'; did you mean 'lab'?"),
    "the developer as lessee": ("lessee: dev", "lessee", "'dev' is the developer, who would pay rent to itself"),
    "a letter from nobody": ("security: {amount: 90, issuer: lbb}", "security.issuer", "did you mean 'lab'?"),
    "a letter of one's own": (
        "security: {amount: 90, issuer: lab}",
        "security.issuer",
        "its own letter secures nothing",
    ),
    "an issuer of cash": ("security: {amount: 90, form: cash, issuer: bank}", "security.issuer", "has no issuer"),
    "a fee for cash": ("security: {amount: 90, form: cash, fee: 0.01}", "security.fee", "costs no fee"),
    "more security than rent": (
        "security: 25 months of rent",
        "security.amount",
        "more than the whole term of 730.5 days",
    ),
    "free for the whole term": ("abatement: 24", "abatement", "24 months without rent in a term of 24"),
    "a ramp beyond the term": (
        "{abatement: 12, ramp: [{months: 6, share: 0.5}, {months: 7, share: 0.7}]}",
        "ramp.1.months",
        "covers months 19 to 25, abatement included, of a term of 24",
    ),
    "a floor above the cap": (
        "cpi: {inflation: 0.02, floor: 0.05, cap: 0.03}",
        "cpi.floor",
        "0.05 is above the cap, 0.03",
    ),
    "credits past no date": ("delay_credit: {per_day: 1 day of rent}", "outside", "required beside `delay_credit`"),
    "security of something else": ("security: 3 months of cost", "security", "expected an amount of rent"),
    "a term beyond a century": ("term: 101 years", "term", "above the limit 36525 days"),
    "a break that is never used": (
        "early_termination: {after: 90, fee: 30}",
        "early_termination.surplus_above",
        "required",
    ),
}

ODD = {
    "a step beside prices": ("{escalator: 0.03, cpi: {inflation: 0.02}}", "escalator", "has no effect beside `cpi`"),
    "a term of odd days": ("term: 100", "term", "100 days are taken as 3 whole months"),
    "a break after the end": (
        "early_termination: {after: 800, fee: 30, surplus_above: 0}",
        "early_termination.after",
        "it is never used",
    ),
    "letting again after the end": ("relet: {after: 800}", "relet.after", "nothing is let again"),
    "a long-stop before the outside date": (
        "{outside: 60, long_stop: {after_target: 30}}",
        "long_stop.after_target",
        "30 days come before the outside date, 60 days",
    ),
    "a market that is the contract": (
        "long_stop: {after_target: 30, walk_if: {market_rent_below: 0.8}}",
        "long_stop.walk_if.market_rent_below",
        "it never holds",
    ),
    "a surplus of nothing": (
        "long_stop: {after_target: 30, walk_if: {surplus_above: 10}}",
        "long_stop.walk_if.surplus_above",
        "without `demand` of lab there is no surplus",
    ),
    "a sublease of nothing": ("sublease: {at: 0.5}", "sublease", "without `demand` of lab"),
    "rent after the horizon": ("rent_commencement: 2031-01-01", "rent_commencement", "no rent is due before"),
}


def lease(text: str) -> str:
    inside = text if text.startswith("{") else f"{{{text}}}"
    return f"{{parties: {{bank: {{}}}}, sites: {{a: {{lease: {inside}}}}}}}"


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    text, path, message = REFUSED[case]
    with pytest.raises(ScenarioError) as caught:
        scenario(BASE, lease(text))
    assert [p.path for p in caught.value.problems] == [f"sites.a.lease.{path}"]
    problem = caught.value.problems[0]
    assert message in problem.message
    assert problem.mark is not None


@pytest.mark.parametrize("case", ODD)
def test_odd(case):
    text, path, message = ODD[case]
    warnings = scenario(BASE, *([DEMAND] if "demand" not in message else []), lease(text)).warnings
    mine = [p for p in warnings if p.path.startswith("sites.a.lease")]
    assert [p.path for p in mine] == [f"sites.a.lease.{path}"]
    assert message in mine[0].message


def test_a_minimum_take_without_a_price():
    found = scenario(BASE, "sites: {a: {construction: {energy_services: {minimum_take: 0.7}}}}").warnings
    assert "the minimum take costs nothing" in found[-1].message


def test_nothing_odd_about_a_usual_lease():
    usual = scenario(
        BASE,
        DEMAND,
        lease(
            "lessee: bank, escalator: 0.03, abatement: 2, ramp: [{months: 3, share: 0.5}], outside: 30, float: 60,"
            "delay_credit: {at_most: 180 days of rent}, long_stop: {after_target: 365, walk_if: {surplus_above: 500}},"
            "security: 3 months of rent, early_termination: {after: 365, fee: 180, surplus_above: 500},"
            "relet: {after: 12 months, at: 0.8 of rent}, sublease: {lag: 60, at: 0.7}, market_rent: $90/kW-month"
        ),
    )
    assert [p for p in usual.warnings if p.path.startswith("sites")] == []
    assert usual.spec.sites["a"].lease.security.amount.value == pytest.approx(91.3125)
