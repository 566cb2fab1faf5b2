"""Snapshots: what they refuse, and what is read off them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from dcsim.errors import ModelError
from dcsim.network.measures import (
    concentration,
    concentrations,
    depends,
    guarantors,
    hanging,
    hanging_mw_years,
    positions,
    ties,
)
from dcsim.network.snapshot import PartyState, Standing

from .handmade import CLOUD, GUARANTEE, HALL, LAB, LEASE, LOAN, OAK, PARTIES, payments, snapshot


def test_it_is_plain_data():
    kept = snapshot()
    assert kept.party["lab"].rating == "BB"  # cached, and still to be sent
    assert pickle.loads(pickle.dumps(kept)) == kept
    assert kept.without(["loan:lake:bank"]).of("loan") == []


@pytest.mark.parametrize(
    ("contracts", "parties", "message"),
    [
        ((LEASE, replace(GUARANTEE, target="bank")), PARTIES, "given to bank, but the creditor of lease:lake is oak"),
        ((LEASE, replace(GUARANTEE, source="lab")), PARTIES, "lab stands behind what it owes or is owed itself"),
        ((LEASE, replace(GUARANTEE, source="oak")), PARTIES, "oak stands behind what it owes or is owed itself"),
        (
            (LEASE, replace(GUARANTEE, kind="residual_value_guarantee", target="lab")),
            PARTIES,
            "given to lab, but the creditor",
        ),
        ((LEASE, LEASE), PARTIES, "a contract twice"),
        ((replace(LEASE, target="elm"),), PARTIES, "names 'elm', which is no party"),
        ((), (LAB, LAB), "a party twice"),
        ((), (LAB, PartyState("outside")), "one called 'outside'"),
    ],
)
def test_what_is_refused(contracts, parties, message):
    with pytest.raises(ModelError, match=message):
        snapshot(*contracts, parties=parties)


def test_a_guarantee_of_what_does_not_stand_is_no_protection_yet():
    kept = snapshot(GUARANTEE)
    assert [p.guaranteed for p in positions(kept)] == [0] * len(positions(kept))


def test_what_is_owed():
    """Of a loan the balance, of a supplier the deposit, of a lease what falls due; nothing of a guarantee or share."""
    assert (LOAN.claim, LEASE.claim, GUARANTEE.claim) == (200, 60, 0)
    assert Standing("supply", "s", "cloud", "lab", amount=7, due=0, size=100).claim == 7
    assert Standing("supply", "s", "lab", "cloud", amount=900, tenant="lab").claim == 0  # paid as it comes
    assert Standing("cloud_commitment", "c", "lab", "cloud", amount=900, due=90).claim == 90
    assert Standing("equity", "e", "lab", "cloud", amount=50).claim == 0


def test_positions():
    """Lab owes 60; oak owes the bank 200 and is owed 60, all of it less 35 covered; the cloud maker backs 25.

    All 5 MW hang on the lab; the 3 that are not live hang on the missing racks' supplier alone, as the hall is ready.
    """
    found = {p.party: p for p in positions(snapshot())}
    assert list(found) == ["lab", "oak", "bank", "cloud"]
    assert (found["lab"].owes, found["lab"].owed, found["lab"].mw) == (60, 0, 5.0)
    assert (found["oak"].owes, found["oak"].owed, found["oak"].guaranteed) == (200, 60, 25)
    assert (found["bank"].owed, found["bank"].net_owed) == (200, 200)
    assert (found["cloud"].guarantees, found["cloud"].callable) == (25, 25)
    later = {p.party: p for p in positions(snapshot(LEASE, LOAN, replace(GUARANTEE, active=False, amount=80)))}
    assert (later["cloud"].guarantees, later["cloud"].callable, later["oak"].guaranteed) == (80, 0, 60)


def test_netting():
    """Lab owes the cloud maker 90, which owes it a deposit of 30: 60 net, and nothing the other way."""
    kept = snapshot(
        Standing("cloud_commitment", "c", "lab", "cloud", due=90), Standing("supply", "s", "cloud", "lab", amount=30)
    )
    found = {p.party: p for p in positions(kept)}
    assert (found["cloud"].owed, found["cloud"].net_owed) == (90, 60)
    assert (found["lab"].owed, found["lab"].net_owed) == (30, 0)


def test_guarantors():
    """Committed 25 + 40, of which 25 can be called; limit 70."""
    more = replace(GUARANTEE, id="guarantee:pond", amount=40, covers="lease:pond", active=False)
    (one,) = guarantors(snapshot(LEASE, GUARANTEE, more))
    assert (one.guarantor, one.committed, one.active, one.limit, one.headroom, one.count) == (
        "cloud", 65, 25, 70, 5, 2,
    )  # fmt: skip
    free = replace(CLOUD, limit=None)
    assert guarantors(snapshot(GUARANTEE, parties=(LAB, OAK, free)))[0].headroom is None


def test_concentration():
    """Parts 50, 30, 20: 0.25 + 0.09 + 0.04 = 0.38, as concentrated as 2.63 equal ones."""
    one = concentration("loans", "lender", {"b": 20, "a": 50, "c": 30, "d": 0})
    assert one.parts == (("a", 50.0), ("c", 30.0), ("b", 20.0))
    assert one.hhi == pytest.approx(0.38)
    assert one.effective == pytest.approx(1 / 0.38)
    assert one.largest == 0.5
    ended = replace(HALL, phase="p2", state="ended", developer="cloud")
    order = Standing("supply", "s", "lab", "cloud", amount=30, tenant="lab")
    deposit = Standing("supply", "d", "cloud", "lab", amount=10, tenant="lab")
    paid = payments(("lab", "cloud", "chips", 50), ("lab", "oak", "chip deposit", 20), ("lab", "oak", "rent", 999))
    kept = snapshot(LEASE, LOAN, GUARANTEE, order, deposit, phases=(HALL, ended), paid=paid)
    found = {(c.of, c.by): dict(c.parts) for c in concentrations(kept)}
    assert found == {
        ("chips", "supplier"): {"cloud": 80.0, "oak": 20.0},
        ("loans", "lender"): {"bank": 200.0},
        ("guarantees", "guarantor"): {"cloud": 25.0},
        ("MW", "developer"): {"oak": 5.0},
        ("MW", "region"): {"south": 5.0},
    }


def test_on_whom_mw_hang():
    """5 MW, 2 of them live: all on the lab. While it is built 3 on oak, bank (undrawn), guarantor and supplier."""
    building = replace(HALL, state="building", undrawn=10)
    assert {(party, role): mw for party, role, mw in depends(building)} == {
        ("lab", "tenant"): 5.0,
        ("chips", "supplier"): 3.0,
        ("oak", "developer"): 3.0,
        ("bank", "lender"): 3.0,
        ("cloud", "guarantor"): 3.0,
    }
    assert hanging(snapshot(phases=(HALL, building))) == {
        "lab": 10.0,
        "chips": 6.0,
        "oak": 3.0,
        "bank": 3.0,
        "cloud": 3.0,
    }
    assert [party for party, _, _ in depends(replace(building, undrawn=0, needs_guarantor=False))] == [
        "lab", "chips", "oak",
    ]  # fmt: skip
    assert list(depends(replace(building, state="ended"))) == []
    assert [party for party, _, _ in depends(replace(HALL, live_mw=5.0, state="live"))] == ["lab"]
    assert ("front", "lessee", 5.0) in set(depends(replace(HALL, lessee="front")))
    # A party that is two things to a phase counts once.
    assert hanging(snapshot(phases=(replace(building, suppliers=("oak",)),)))["oak"] == 3.0


def test_mw_years():
    """A year to the horizon: 2 MW are live all of it, 3 MW for the half after they are forecast to be ready."""
    building = replace(HALL, state="building", planned_ready=1000 + 525_960 // 2)
    years = hanging_mw_years(snapshot(phases=(building,)))
    assert years["lab"] == pytest.approx(2 + 1.5)
    assert years["oak"] == pytest.approx(1.5)
    never = hanging_mw_years(snapshot(phases=(replace(building, planned_ready=None),)))
    assert never["lab"] == pytest.approx(2)
    assert never["oak"] == 0


def test_ties():
    """Money and credit point to whom they serve, payments to whom they are made."""
    kept = snapshot(
        LEASE, LOAN, GUARANTEE,
        Standing("equity", "e", "lab", "cloud", amount=50),
        Standing("cloud_commitment", "c", "lab", "cloud", amount=900, due=90),
        Standing("joint_development", "j", "lab", "cloud"),
        Standing("loan", "o", "lab", "outside", amount=5),
        Standing("supply", "s", "lab", "cloud", amount=70, tenant="lab"),
        Standing("supply", "d", "cloud", "lab", amount=7, tenant="lab"),
    )  # fmt: skip
    assert [(source, target, dollars) for source, target, dollars, _ in ties(kept)] == [
        ("lab", "oak", 60),
        ("bank", "oak", 200),
        ("cloud", "lab", 25),  # who owes the rent that it guarantees
        ("cloud", "lab", 50),
        ("lab", "cloud", 90),
        ("lab", "cloud", 70),
        ("lab", "cloud", 7),  # the buyer's money
    ]
