"""Failures on networks made by hand, worked with a pocket calculator (see handmade.py for the network)."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.errors import UsageError
from dcsim.network.balance import balance_of
from dcsim.network.guarantees import clear_guaranteed
from dcsim.network.snapshot import PartyState, Standing
from dcsim.network.stress import _assets, fail

from .handmade import GUARANTEE, HALL, LEASE, LOAN, PARTIES, having, snapshot

FREE = replace(PARTIES[2], equity=None)


def lines(failure, balance):
    """What each party loses, by name, in the one replication."""
    return {p.id: failure.loss[0, at] for at, p in enumerate(balance.parties) if failure.loss[0, at]}


def failing(party, *contracts, **options):
    fields = {name: options.pop(name) for name in ("parties", "phases") if name in options}
    balance = balance_of([snapshot(*contracts, **fields)])
    return fail(balance, party, **options), balance


def test_the_balance():
    """The project of the lake is owed 60 and owes 200, of which 40 in the year: 160 rest on the hall, and it earns 20.

    The bank has 200 in the project and an equity of 100, so it owes 100 outside.
    """
    balance = balance_of([snapshot()])
    assert [balance.label(node) for node in range(-1, 5)] == ["outside", "lab", "oak", "bank", "cloud", "oak's lake"]
    assert balance.owed()[0].tolist() == [0, 0, 200, 0, 60]
    assert balance.owes()[0].tolist() == [60, 0, 0, 0, 200]
    assert balance.backs()[0].tolist() == [0, 0, 0, 25, 0]
    held, outside = _assets(balance, balance.capital)
    assert held[0, 4] == 160
    assert outside[0].tolist() == [0, 0, 100, 0, 0]
    claims, guarantees = balance.arrays(outside)
    before = clear_guaranteed(claims, held, guarantees)
    assert not before.defaulted.any()
    assert before.equity[0, 2] == 100
    assert before.equity[0, 4] == 20


def test_the_tenant_fails():
    """The rent of 60 is not paid; the guarantor pays 25. The project then has 160 + 25 for 200, and its hall loses 30 %
    in default: 112 + 25 = 137 go to the bank, which loses 63 of its 100. Oak loses the 20 that the project earned.
    """
    failure, balance = failing("lab")
    assert lines(failure, balance) == {"oak": 20, "bank": 63, "cloud": 25}
    assert failure.calls[0].tolist() == [0, 0, 0, 25]
    assert failure.first[0].tolist() == [0, 20, 0, 0]
    assert failure.later[0].tolist() == [0, 0, 63, 0]
    assert failure.projects.tolist() == [[True]]
    assert not failure.contagion.any()
    # 60 of rent, of which the guarantor makes good 25, and 63 of the loan.
    assert failure.write_down[0] == 60 + 63
    assert failure.direct[0] == 60
    assert failure.rounds[0] == 2
    assert [(c.source, c.to, c.kind, c.first, c.loss[0]) for c in failure.channels] == [
        ("oak's lake", "bank", "loan", False, 63),
        ("lab", "oak's lake", "lease", True, 35),
        ("lab", "cloud", "guarantee call", True, 25),
    ]


def test_half_is_recovered():
    """Half of the rent is paid, 25 by the guarantor: 55 cover the debt service of 40; oak is short of 5."""
    failure, balance = failing("lab", recovery=0.5)
    assert lines(failure, balance) == {"oak": 5, "cloud": 25}
    assert failure.rounds[0] == 1


def test_a_bank_with_little_capital_fails_in_turn():
    """With an equity of 50 the bank owes 150 outside and has 137 left: it defaults by contagion and loses its 50.

    Default costs of a tenth of its own assets change nothing: it has none but the loan.
    """
    failure, balance = failing("lab", parties=having(bank={"equity": 50}), default_costs=0.1)
    assert lines(failure, balance) == {"oak": 20, "bank": 50, "cloud": 25}
    assert failure.contagion[0].tolist() == [False, False, True, False]
    assert failure.rounds[0] == 3
    assert failure.write_down[0] == 60 + 63 + 13


def test_a_guarantor_that_cannot_pay():
    """With 10 of capital the guarantor defaults on the call of 25 and pays 10: the bank loses 15 more."""
    failure, balance = failing("lab", parties=having(cloud={"equity": 10}))
    assert lines(failure, balance) == {"oak": 20, "bank": 78, "cloud": 10}
    assert failure.contagion[0].tolist() == [False, False, False, True]
    cash = failing("lab", parties=having(cloud={"cash": 10}))[0]
    assert np.array_equal(cash.loss, failure.loss)


def test_a_guarantee_that_cannot_be_called_yet():
    """Before rent has begun the tenant's failure is not covered: the project has nothing of its first year's 60, and
    no debt service is due: of its 200 then 140 rest on the hall, 98 after the loss: the bank loses 102.
    """
    ahead = (replace(LEASE, commenced=False), replace(LOAN, due=0), replace(GUARANTEE, active=False))
    failure, balance = failing("lab", *ahead, parties=(*PARTIES[:2], FREE, PARTIES[3]))
    assert lines(failure, balance) == {"bank": 102}
    assert failure.projects.all()
    assert not failure.contagion.any()  # a bank without a known equity bears any loss


def test_the_guarantor_fails():
    """Nobody owes it anything, and nothing is called: nobody loses, whatever stalls."""
    failure, balance = failing("cloud")
    assert lines(failure, balance) == {}
    assert failure.write_down[0] == 0


def test_the_developer_fails():
    """What is ready goes on for its own account; while it is being built its project ends with it: 30 % of 160 lost."""
    failure, balance = failing("oak")
    assert lines(failure, balance) == {}
    failure, balance = failing("oak", phases=(replace(HALL, state="building"),))
    # Rent is still paid: 112 + 60 = 172 of 200.
    assert lines(failure, balance) == {"bank": 28}
    assert failure.projects.all()
    assert failure.direct[0] == 28


def test_the_lender_fails():
    """Nobody is owed anything by it, and what it owes outside is not counted."""
    failure, balance = failing("bank")
    assert lines(failure, balance) == {}
    assert failure.write_down[0] == 0


def test_seniority():
    """The project owes 150 senior and 50 junior; of its 137 the senior lender gets all, and the junior one nothing."""
    junior = replace(LOAN, id="loan:lake:cloud", target="cloud", amount=50, due=0, rank=1)
    failure, balance = failing("lab", LEASE, replace(LOAN, amount=150), junior, GUARANTEE)
    assert lines(failure, balance) == {"oak": 20, "bank": 13, "cloud": 25 + 50}


def test_who_was_in_default_already_hurts_nobody_anew():
    """The lab had stopped paying: what it owes is lost before anybody else fails."""
    stopped = having(lab={"pays": False, "in_default": True})
    failure, balance = failing("bank", parties=stopped)
    assert lines(failure, balance) == {}
    assert failing("lab", parties=stopped)[0].write_down[0] == 0
    # Its guarantor pays the 25 for it; when that fails too, the bank loses them beside the 63.
    failure, balance = failing("cloud", parties=stopped)
    assert lines(failure, balance) == {"bank": pytest.approx(25)}


def test_what_a_failed_party_is_owed_is_its_own_affair():
    """The cloud maker owes the lab 40, and pays; whoever the lab owes gets nothing of it, or the share recovered."""
    owed = Standing("cloud_commitment", "c", "cloud", "lab", due=40)
    failure, balance = failing("lab", LEASE, owed)
    assert lines(failure, balance) == {"oak": 60}
    failure, balance = failing("lab", LEASE, owed, recovery=0.5)
    assert lines(failure, balance) == {"oak": 30}


def test_a_vehicle_passes_on():
    """The lab leases chips for 50; of its debt of 100 the vehicle owes 30 in the year, to its funder, 70 rest on chips.

    It is a conduit: without the 50 it has 70 for 100.
    """
    vehicle = PartyState("spv", ("vehicle",), funded_by=(("bank", 1.0),))
    rent = Standing("hardware_lease", "h", "lab", "spv", due=50)
    debt = Standing("vendor_finance", "v", "spv", "bank", amount=100, due=30)
    failure, balance = failing("lab", rent, debt, parties=(PARTIES[0], vehicle, FREE))
    assert lines(failure, balance) == {"spv": 20, "bank": 30}
    assert failure.contagion[0].tolist() == [False, True, False]
    assert balance.capital[0].tolist() == [np.inf, 0, np.inf]
    assert failure.stakes[0].tolist() == [0, 0, 0]  # what it owes its funder by contract is no stake


def test_support_of_a_residual_value():
    """The maker supports 60 of the 80 still owed on the lease: three quarters of the 40 due, 30. The vehicle is short
    of 10, and 30 are due to its funder, all that it can be: so nothing is lost but what it would have kept."""
    spv = PartyState("spv", ("vehicle",), funded_by=(("bank", 1.0),))
    rent = Standing("hardware_lease", "h", "lab", "spv", amount=80, due=40)
    debt = Standing("loan", "v", "spv", "bank", amount=80, due=30)
    support = Standing("residual_value_guarantee", "r", "cloud", "spv", amount=60, covers="h")
    failure, balance = failing("lab", rent, debt, support, parties=(PARTIES[0], spv, FREE, PARTIES[3]))
    assert balance.cap.tolist() == [[30]]
    assert lines(failure, balance) == {"cloud": 30, "spv": 10}
    assert not failure.contagion.any()
    assert [c.kind for c in failure.channels] == ["residual value call", "hardware lease"]


def test_a_letter_is_drawn_before_the_guarantors_and_these_pay_their_shares():
    """Of the 60 a letter of the bank's pays 10, written last and drawn first; two guarantors of 60 and 30 are several,
    for two thirds and one third of the claim: of the 50 left the first pays 40, the other 10."""
    first = replace(GUARANTEE, amount=60, rank=1)
    second = replace(GUARANTEE, id="second", source="fan", amount=30, rank=1)
    letter = replace(GUARANTEE, id="letter", source="bank", amount=10)
    fan = PartyState("fan", ("guarantor",))
    failure, balance = failing("lab", LEASE, first, second, letter, parties=(*PARTIES[:2], FREE, PARTIES[3], fan))
    assert [s.id for s in balance.supports] == ["letter", "guarantee:lake", "second"]
    assert balance.cap.tolist() == [[10, 40, 20]]
    assert lines(failure, balance) == {"bank": 10, "cloud": 40, "fan": 10}
    # Nobody pays for another: without the first, the second's share is all that there is.
    poor = replace(PARTIES[3], equity=0)
    failure, balance = failing("lab", LEASE, first, second, parties=(*PARTIES[:2], FREE, poor, fan))
    assert lines(failure, balance) == {"oak": 40, "fan": 20}


def test_through_a_lessee():
    """The lab pays 60 to a front that signed the lease and has nothing else: the front fails in turn, and the rest is
    as if the lab had signed. The guarantor pays for the front."""
    front = PartyState("front", ("lessee",))
    signed = replace(LEASE, source="front")
    passed = replace(LEASE, id="sublease:lake", target="front")
    failure, balance = failing("lab", signed, passed, LOAN, GUARANTEE, parties=(*PARTIES, front))
    assert lines(failure, balance) == {"oak": 20, "bank": 63, "cloud": 25}
    assert failure.later[0].tolist() == [0, 20, 63, 0, 0]
    assert failure.contagion[0].tolist() == [False, False, False, False, True]
    assert ("front", "cloud", "guarantee call") in [(c.source, c.to, c.kind) for c in failure.channels]


def test_stakes():
    """A fund that lends loses 63, and its funders with it, 3 to 1; the cloud maker holds 10 % of a lab worth 500."""
    fund = PartyState("bank", ("fund",), funded_by=(("cloud", 0.25), ("oak", 0.75)))
    lab, cloud = replace(PARTIES[0], equity=500), replace(PARTIES[3], holds=(("lab", 0.1),))
    failure, balance = failing("lab", parties=(lab, PARTIES[1], fund, cloud))
    assert lines(failure, balance) == {"oak": 20, "bank": 63, "cloud": 25}
    assert failure.stakes[0] == pytest.approx([0, 0.75 * 63, 0, 0.25 * 63 + 50])
    # Of a survivor as far as its equity goes: it loses 25 of 20.
    holder = PartyState("fan", ("investor",), holds=(("cloud", 0.5),))
    failure, _ = failing("lab", parties=(*PARTIES[:3], replace(PARTIES[3], equity=20), holder))
    assert failure.stakes[0, 4] == 0.5 * 20
    # And no further, though it loses 50 more with its own shares.
    heavy = replace(PARTIES[3], equity=20, holds=(("lab", 0.1),))
    failure, _ = failing("lab", parties=(lab, *PARTIES[1:3], heavy, holder))
    assert failure.stakes[0].tolist() == [0, 0, 0, 50, 10]
    # Richer, it loses 25 and those 50, and half of both is the holder's.
    failure, _ = failing("lab", parties=(lab, *PARTIES[1:3], replace(heavy, equity=400), holder))
    assert failure.stakes[0].tolist() == [0, 0, 0, 50, 37.5]


def test_debtrank():
    """What the project loses of its 60 is 25 with the guarantor; the bank is in distress by 30 % of 200 over its 100.

    At stake: the project 35, the guarantor 25, the bank 200. All but the bank are in full distress, the bank by 0.6.
    """
    failure, _ = failing("lab")
    assert failure.debtrank[0] == pytest.approx((35 + 25 + 0.6 * 200) / 260)
    failure, _ = failing("lab", parties=(*PARTIES[:2], FREE, PARTIES[3]))
    assert failure.debtrank[0] == pytest.approx((35 + 25 + 0.3 * 200) / 260)


def test_batch():
    """Replications are lined up contract by contract, and each has the answer that it has alone."""
    kept = [
        snapshot(),
        snapshot(LEASE, GUARANTEE),
        snapshot(replace(LEASE, due=90), replace(LOAN, amount=150), replace(GUARANTEE, source="bank", amount=60)),
        snapshot(Standing("loi", "l", "lab", "oak")),
        snapshot(LEASE, LOAN, replace(GUARANTEE, amount=10)),
    ]
    together = fail(balance_of(kept), "lab", default_costs=0.2)
    for s, one in enumerate(kept):
        alone = fail(balance_of([one]), "lab", default_costs=0.2)
        for name in ("loss", "first", "later", "calls", "stakes", "contagion", "write_down", "direct", "rounds"):
            np.testing.assert_array_equal(getattr(together, name)[s], getattr(alone, name)[0], err_msg=name)
        assert together.debtrank[s] == pytest.approx(alone.debtrank[0], abs=1e-15)
    # Without a loan the site is no project of its own: oak itself is owed the rent.
    assert fail(balance_of(kept[1:2]), "lab").first[0].tolist() == [0, 35, 0, 0]


def test_refusals():
    balance = balance_of([snapshot()])
    with pytest.raises(UsageError, match="elm is no party of the scenario"):
        fail(balance, "elm")
    with pytest.raises(UsageError, match="between 0 and 1"):
        fail(balance, "lab", recovery=1.5)
    with pytest.raises(UsageError, match="at least one replication"):
        balance_of([])
    with pytest.raises(UsageError, match="different scenarios"):
        balance_of([snapshot(), snapshot(LEASE, parties=PARTIES[:2])])


def random_snapshot(seed):
    """A dozen parties with leases, loans, guarantees, notes and clouds of random size."""
    rng = np.random.default_rng(seed)
    parties = [PartyState(f"p{i}", equity=int(rng.integers(0, 90)) if rng.random() < 0.5 else None) for i in range(12)]
    contracts = []
    for number in range(int(rng.integers(5, 30))):
        a, b, c = (f"p{i}" for i in rng.choice(12, 3, replace=False))
        site, amount, due = f"s{number % 6}", int(rng.integers(1, 90)), int(rng.integers(0, 60))
        kind = ("lease", "loan", "vendor_finance", "cloud_commitment", "hardware_lease")[int(rng.integers(0, 5))]
        contracts.append(Standing(kind, f"c{number}", a, b, amount=amount, due=due, site=site, loss=0.4,
                                  rank=int(rng.integers(0, 2))))  # fmt: skip
        if rng.random() < 0.5:
            cap = int(rng.integers(0, 60))
            contracts.append(Standing("guarantee", f"g{number}", c, b, amount=cap, covers=f"c{number}",
                                      active=bool(rng.random() < 0.7)))  # fmt: skip
    return snapshot(*contracts, parties=tuple(parties), phases=())


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.4]))
@settings(max_examples=25, deadline=None)
def test_what_holds_in_any_network(seed, recovery):
    """Without the failure nobody defaults; money is conserved; a failed party that pays more hurts nobody more."""
    balance = balance_of([random_snapshot(seed + i) for i in range(4)])
    held, outside = _assets(balance, balance.capital)
    claims, guarantees = balance.arrays(outside)
    assert not clear_guaranteed(claims, held, guarantees).defaulted.any()
    for party in ("p0", "p7"):
        less, more = (fail(balance, party, recovery=r) for r in (recovery, recovery + 0.3))
        assert (less.loss >= -1e-9).all()
        np.testing.assert_allclose(less.first + less.later + less.calls, less.loss, atol=1e-9)
        assert (more.loss.sum(axis=1) <= less.loss.sum(axis=1) + 1e-9).all()
        assert (more.write_down <= less.write_down + 1e-9).all()
        assert ((less.debtrank >= 0) & (less.debtrank <= 1 + 1e-12)).all()


@pytest.mark.slow
def test_a_thousand_snapshots_clear_in_one_batch_fast():
    """Forty sites with lease, loan and guarantee among 12 parties, amounts their own in each replication."""
    rng = np.random.default_rng(1)
    parties = tuple(PartyState(f"p{i}", equity=500 if i > 6 else None) for i in range(12))

    def one(replication):
        contracts = []
        for site in range(40):
            rent, debt, cap = (int(x) for x in rng.integers(1, 90, 3))
            lease = Standing("lease", f"lease:{site}", "p0", f"p{1 + site % 4}", due=rent, site=f"s{site}")
            loan = Standing("loan", f"loan:{site}", lease.target, f"p{7 + site % 5}", amount=5 * debt, due=rent // 2,
                            site=f"s{site}", loss=0.4)  # fmt: skip
            contracts += [lease, loan]
            if site % 3:
                contracts.append(Standing("guarantee", f"g:{site}", f"p{5 + site % 2}", lease.target, amount=cap,
                                          covers=lease.id))  # fmt: skip
        return snapshot(*contracts, parties=parties, phases=(), replication=replication)

    kept = [one(replication) for replication in range(1000)]
    began = perf_counter()
    balance = balance_of(kept)
    lined_up = perf_counter()
    failure = fail(balance, "p0")
    done = perf_counter()
    assert failure.contagion.any()
    assert len(balance.debts) == 80
    print(f"lined up in {lined_up - began:.2f} s, cleared in {done - lined_up:.2f} s")
    assert done - began < 20
