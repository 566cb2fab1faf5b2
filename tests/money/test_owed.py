"""What somebody owes who pays nothing any more: bills for what was had all the same stay owed, month by month."""

from __future__ import annotations

import pytest
from calls import STOPS as CALLED
from calls import with_events
from helpers import run
from money import M, paid
from test_hardware import BASE, LATER
from test_lease_end import LATE, TEN

STOPS = "shocks: {stop: {when: %s, stop_paying: %s}}"


def unpaid(r, payer: str, kind: str) -> dict[int, int]:
    """Dollars left unpaid by number of the month in which they fell due."""
    found = r.world.money.unpaid(payer, [kind]).tolist()
    return {month: dollars for month, dollars in enumerate(found) if dollars}


def test_diligence_that_goes_on_is_owed():
    """A study of $2m begins on 2027-04-01; the lab pays nothing since 2027-03-15, and is $2m in arrears."""
    study = "sites: {b: {loi: 2027-04-01, diligence: {x: {duration: 10, cost: $2m}}}}"
    r = run(study, STOPS % ("2027-03-15", "lab"), "horizon: 2027-12-31")
    assert (paid(r, "diligence"), unpaid(r, "lab", "diligence")) == ({}, {3: 2 * M})
    assert r.world.money.arrears("lab", r.world.last_minute) == 2 * M


def test_tenant_works_that_go_on_are_owed():
    """$0.3m a MW for 100 MW, from lease signing on 2027-04-01 (day 90) on: $30m, paid when the lab goes on in June."""
    works = """
    sites:
      a:
        negotiation: {duration: 90}
        bring_up: {lot: 5 racks, tenant_works: {after: lease_signed, duration: 30, cost: $0.3m/MW}}
    """
    stop = STOPS % ("2027-03-15", "lab")
    assert unpaid(run(works, stop), "lab", "tenant works") == {3: 30 * M}
    r = with_events(works, stop, at={160: lambda world: world.parties["lab"].resume_paying()})
    assert (unpaid(r, "lab", "tenant works"), paid(r, "tenant works")) == ({}, {"2027-06": 30 * M})


def test_the_fee_for_a_letter_of_credit_is_owed_to_its_issuer():
    """12 % a year on three rents of 10: 30 x 0.12 x 31 / 365.25 for March; then it is drawn."""
    security = "sites: {a: {lease: {security: {amount: 3 months of rent, fee: 0.12, issuer: bank}}}}"
    r = run(TEN, security, "parties: {bank: {}}", STOPS % ("2027-03-15", "lab"))
    assert unpaid(r, "lab", "letter of credit fee") == {2: round(30 * M * 0.12 * 31 / 365.25)}


def test_a_deferral_is_owed_for():
    """The fee of $1.2m on day 31 (1 February), which the lab owes the maker under its order."""
    r = run(BASE, LATER.replace("FEE", "0"), STOPS % ("2027-01-20", "lab"))
    assert (paid(r, "deferral fee"), unpaid(r, "lab", "deferral fee")) == ({}, {1: 1_200_000})
    (flow,) = [flow for flow in r.world.money._by_payer["lab"] if flow.kind == "deferral fee"]
    assert r.world.book.get(flow.contract).target == "maker"


@pytest.mark.parametrize(("lessee", "creditor"), [("", "lab"), ("lessee: neo, ", "neo")])
def test_credits_of_a_developer_that_has_stopped_are_owed(lessee, creditor):
    """Ten days of rent for delay, on 2027-05-01; the developer pays nothing since April."""
    r = run(TEN, LATE, "parties: {neo: {}}", STOPS % ("2027-04-01", "dev"),
            f"sites: {{a: {{lease: {{{lessee}delay_credit: {{at_most: 10}}}}}}}}")  # fmt: skip
    owed = round(10 / 30.4375 * 10 * M)
    assert (paid(r, "delay credit"), unpaid(r, "dev", "delay credit")) == ({}, {4: owed})
    assert [flow.payee for flow in r.world.money._by_payer["dev"] if flow.kind == "delay credit"] == [creditor]


def test_what_is_owed_is_among_what_must_be_paid_to_go_on():
    """A treasury that cannot pay March's rent of 10, with a fee of 2.4 % a year on 400 beside it, 0.8 a month.

    Of $27m January and February take 21.6, and 5.4 are left. In April a round brings 16: 21.4, and with it nothing is
    made good at the end of April. With 16.2 there are the 21.6 that March and April come to.
    """
    text = """
    horizon: 2027-04-30
    parties: {g: {guarantee: {terms: {call: {cure: 400}, fee: {rate: 0.024, paid_by: tenant}}}}}
    tenants: {lab: {treasury: {cash: $27m, default: {cure: 400}, rounds: {date: 2027-04-20, amount: AMOUNT}}}}
    shocks: {stop: null}
    """
    short, enough = (run(CALLED, text.replace("AMOUNT", amount)) for amount in ("$16m", "$16.2m"))
    assert unpaid(short, "lab", "guarantee fee") == {2: 800_000, 3: 800_000}
    assert unpaid(enough, "lab", "guarantee fee") == {}
    assert paid(enough, "guarantee fee")["2027-04"] == 1_600_000
    assert paid(enough, "rent")["2027-04"] == 20 * M
