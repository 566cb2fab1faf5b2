"""A tenant that declares default: before it has signed, before rent commences, with only some phases ready."""

from __future__ import annotations

import pytest
from calls import STOPS, M, day, events, paid
from helpers import run

from dcsim.model.credit import cover_of

# As STOPS, but the lab declares on 2027-03-15 (day 73) that it is insolvent, and the hall takes 200 days to build.
DECLARES = f"""
{STOPS}
    construction: {{activities: {{building: {{duration: 200}}}}}}
"""
DEFAULT = "shocks: {stop: {stop_paying: null, default: lab}}"


def test_before_commencement_the_lease_ends_at_once_and_nobody_pays():
    r = run(DECLARES, DEFAULT)
    assert (r.state("a"), r.day("a.ended")) == ("terminated", day("2027-03-15"))
    guarantor = r.world.guarantors["g"]
    assert (guarantor.tally.calls, guarantor.tally.paid, guarantor.pool.in_use) == (0, 0, 0)
    assert [pair for pair in r.history.ledger.pairs if "g" in (pair.payer, pair.payee)] == []


@pytest.mark.parametrize("effective", ["signing", "financial_close"])
def test_cover_that_is_effective_earlier_is_called_by_the_same_clock(effective):
    """Declared on day 73: notice 78, demand 108. The hall is ready on day 200 (2027-07-20): rents from then on.

    Of July 12 of 31 days are due; its clock of payment, to day 122, has run long before.
    """
    r = run(DECLARES, DEFAULT, f"parties: {{g: {{guarantee: {{terms: {{effective: {effective}}}}}}}}}")
    assert (events(r, "notice"), events(r, "demand")) == ([78], [108])
    assert r.day("a.p1.rent_commencement") == 200
    got = paid(r, "g", "dev", "guarantee payment")
    assert got[6] == pytest.approx(10 * 12 / 31, abs=1e-6)
    assert [got[month] for month in (7, 8)] == [10, 10]


def test_the_fee_before_commencement():
    r = run(DECLARES, DEFAULT, "parties: {g: {guarantee: {terms: {effective: signing, election: terminate}}}}")
    assert paid(r, "g", "dev", "termination fee") == {4: 400}
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 122)


def test_merely_not_paying_before_commencement_is_covered_once_rent_is_due():
    """Nothing is declared: the first rent, of 12 days of July, is due on day 200 and unpaid; demand on day 235."""
    r = run(DECLARES)
    assert events(r, "notice") == [205]
    assert events(r, "demand") == [235]
    got = paid(r, "g", "dev", "guarantee payment")
    assert got[8] == pytest.approx(10 * 12 / 31 + 20, abs=1e-6)  # on 2027-09-06, with August and September


def test_a_default_declared_after_commencement_is_covered_from_the_first_unpaid_rent():
    r = run(STOPS, DEFAULT)
    assert events(r, "notice") == [95]
    assert paid(r, "g", "dev", "guarantee payment")[4] == 20


def test_a_default_declared_while_the_clock_runs_changes_nothing():
    r = run(STOPS, "shocks: {bust: {when: 2027-04-20, default: lab}}")
    assert events(r, "demand") == [125]
    assert paid(r, "g", "dev", "guarantee payment")[4] == 20


def test_nobody_signs_with_a_tenant_in_default():
    """a has its lease; b's letter is under diligence until day 100, and is lost on day 73."""
    r = run(STOPS, DEFAULT, "sites: {b: {guarantee: {from: g}, diligence: {x: {duration: 100}}}}")
    assert (r.state("b"), r.day("b.ended")) == ("lost", 73)


def test_the_default_of_another_changes_nothing():
    r = run(STOPS, DEFAULT, "{parties: {rival: {rating: BB}}, tenants: {rival: {}}, shocks: {stop: {default: rival}}}")
    assert r.state("a") == "pending"
    assert sum(paid(r, "lab", "dev", "rent").values()) == 480


# Several phases. The first is ready on day 0, the second is built for 200 days more.

PHASES = """
sites:
  a:
    phases:
      p1: {mw: 50}
      p2: {mw: 50, construction: {activities: {building: {duration: 200}}}}
"""


def test_phases_that_have_not_commenced_are_lost_at_the_declaration():
    """p2 on day 73; p1's rents of 5 are called for: April and May, 10, on day 139."""
    r = run(STOPS, DEFAULT, PHASES)
    assert (r.state("a.p2"), r.ended("a.p2")) == ("terminated", 73)
    got = paid(r, "g", "dev", "guarantee payment")
    assert [got[month] for month in (4, 5, 8)] == [10, 5, 5]
    assert r.state("a.p1") == "pending"


def test_if_nothing_is_declared_they_are_lost_at_the_demand():
    r = run(STOPS, PHASES)
    assert (r.state("a.p2"), r.ended("a.p2")) == ("terminated", 125)


def test_a_phase_that_commences_before_the_demand_is_covered():
    """p2 is ready on day 100 (2027-04-11): 20 of 30 days of April, and May, are in arrears with p1's at the demand."""
    r = run(STOPS, PHASES, "sites: {a: {phases: {p2: {construction: {activities: {building: {duration: 100}}}}}}}")
    got = paid(r, "g", "dev", "guarantee payment")
    assert got[4] == pytest.approx(10 + 5 * 20 / 30 + 5, abs=1e-6)
    assert got[5] == 10


def test_cover_effective_from_signing_keeps_them():
    """p2 is built on, and from day 200 on its rent is paid too: 12 of 31 days of July, then 10 for both."""
    r = run(STOPS, DEFAULT, PHASES, "parties: {g: {guarantee: {terms: {effective: signing}}}}")
    got = paid(r, "g", "dev", "guarantee payment")
    assert got[6] == pytest.approx(5 + 5 * 12 / 31, abs=1e-6)
    assert [got[month] for month in (5, 7)] == [5, 10]


# A lessee between tenant and developer, which has nothing but what the tenant pays it.

LESSEE = "{parties: {front: {rating: B}}, sites: {a: {lease: {lessee: front}}}}"


def test_the_lessee_goes_down_with_the_tenant():
    r = run(STOPS, LESSEE)
    assert paid(r, "front", "dev", "rent") == {0: 10, 1: 10, 2: 10}
    assert paid(r, "g", "dev", "guarantee payment")[4] == 20
    assert r.world.guarantors["g"].claims == {"front": r.world.guarantors["g"].tally.paid}


def test_before_commencement_too():
    r = run(DECLARES, LESSEE, DEFAULT)
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 73)


def test_the_tenants_own_default_ends_what_has_not_commenced_with_or_without_a_lessee_between():
    """Nothing is paid from day 73 (2027-03-15) on, and the lab declares on day 109 (2027-04-20).

    A hall that takes 200 days is lost on day 109, long before its first rent. Of two phases, the one under way is; of
    the other the rents of 5 since April are called for by the clock that runs: 10 on day 139, then 5 a month.
    """
    later = "shocks: {bust: {when: 2027-04-20, default: lab}}"
    for between in ("{}", LESSEE):
        r = run(DECLARES, between, later)
        assert (r.state("a"), r.day("a.ended")) == ("terminated", 109)
        assert r.world.guarantors["g"].tally.calls == 0
        r = run(STOPS, between, later, PHASES)
        assert (r.state("a.p2"), r.ended("a.p2"), r.state("a.p1")) == ("terminated", 109, "pending")
        got = paid(r, "g", "dev", "guarantee payment")
        assert [got[month] for month in (4, 5, 8)] == [10, 5, 5]


def test_nor_does_it_matter_how_the_tenant_comes_to_default():
    """$25m less $10m a month that cloud computing costs: March is not paid in full, and 5 + 30 days after 2027-03-31
    (23:59, when the bill was due) the lab is in default: 2027-05-05. The hall, ready on day 200, is lost then.
    """
    poor = """
    parties: {cloud: {}}
    cloud: {c: {provider: cloud, from: 2027-01-01, until: 2030-12-31, mw: 100 MW, price: $1.2m/MW-year}}
    tenants: {lab: {treasury: {cash: $25m, default: {grace: 5, cure: 30}}}}
    shocks: {stop: null}
    """
    for between in ("{}", LESSEE):
        r = run(DECLARES, poor, between)
        assert [(minute, cause) for minute, _, cause in r.history.defaults] == [(125 * 1440 - 1, "liquidity")]
        assert (r.state("a"), r.world.sites["a"].lease.ended_at) == ("terminated", 125 * 1440 - 1)


def test_cover_that_is_effective_from_signing_is_called_for_a_lessee_too():
    """As without one: notice on day 78, demand on day 108, the first rent, of July's 12 days, on day 200."""
    r = run(DECLARES, LESSEE, DEFAULT, "parties: {g: {guarantee: {terms: {effective: signing}}}}")
    assert (events(r, "notice"), events(r, "demand")) == ([78], [108])
    assert paid(r, "g", "dev", "guarantee payment")[6] == pytest.approx(10 * 12 / 31, abs=1e-6)


def test_a_lessee_that_fails_by_itself():
    r = run(STOPS, LESSEE, "shocks: {stop: {stop_paying: front}}")
    assert paid(r, "g", "dev", "guarantee payment")[4] == 20
    assert paid(r, "lab", "front", "rent")[5] == 10


# What is counted.


def test_numbers_by_guarantor_and_tenant():
    r = run(STOPS)
    guarantor = r.world.guarantors["g"]
    standing = guarantor.standings["lab"]
    assert (standing.peak_committed, standing.peak_active) == (400 * M, 400 * M)
    assert guarantor.tallies["lab"] == guarantor.tally
    assert cover_of(r.world, "lab") == (guarantor.standing, guarantor.tally)


def test_security_pays_first_for_rents_that_fall_due_after_the_demand():
    """Half a month, 5, is left when the hall is ready: of July's 12 days, 3.871, all, of August's 10 the last 1.129."""
    r = run(DECLARES, DEFAULT, "parties: {g: {guarantee: {terms: {effective: signing}}}}",
            "sites: {a: {lease: {security: 0.5 months of rent}}}")  # fmt: skip
    july = round(10 * 12 / 31, 6)
    assert paid(r, "outside", "dev", "security drawn") == pytest.approx({6: july, 7: 5 - july})
    assert paid(r, "g", "dev", "guarantee payment")[7] == pytest.approx(5 + july)


def test_what_is_committed_falls_when_a_phase_is_lost():
    """The cap is the rent of both phases, 2 x 5 x 24 = 240; three rents of p1 are paid by the time p2 is lost."""
    r = run(STOPS, DEFAULT, PHASES, """
    parties: {g: {guarantee: {terms: {cap: {basis: remaining_rent}}}}}
    sites: {a: {lease: {term: 2 years}, financing: {equity: 1}}}
    """)
    standing = r.world.guarantors["g"].standing
    levels = dict(zip([minute / 1440 for minute in standing.minutes], standing.committed, strict=True))
    assert levels[73] == (120 - 15) * M
