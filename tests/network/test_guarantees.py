"""Clearing with letters of credit and guarantees: worked cases, ranks, layers, what theory says, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.errors import ModelError, UsageError
from dcsim.network import guarantees as module
from dcsim.network.clearing import clear, clear_classes
from dcsim.network.guarantees import OUTSIDE, Claims, Guarantees, clear_guaranteed

SEEDS = st.integers(0, 2**32 - 1)
NONE = Guarantees([], [], [])


def test_waterfall(case):
    one = case("G01")
    given_ = one.inputs
    claims = Claims([0], [OUTSIDE], [given_["rent"]], letter=given_["letter_of_credit"])
    cash = [given_["tenant_cash"], given_["guarantor_cash"]]
    result = clear_guaranteed(claims, cash, Guarantees([1], [0], [given_["guarantee_cap"]]))
    one.close(result.paid[0], "tenant")
    one.close(result.from_letter[0], "lc")
    one.close(result.guarantee_paid[0], "guarantor")
    one.close(result.guarantee_paid[0], "subrogation_claim_on_tenant")
    one.close(result.remaining_cap[0], "remaining_cap")
    one.close(result.loss[0], "landlord_loss")
    assert result.recovery.tolist() == [0.9]
    assert result.wave.tolist() == [1, 0]
    assert result.shortfall.tolist() == [70, 0]


def test_guarantor_short_itself(case):
    one = case("G02")
    given_ = one.inputs
    rent, debt = given_["rent"], given_["guarantor_own_debt"]
    claims = Claims([0, 1], [OUTSIDE, OUTSIDE], [rent, debt], letter=[given_["letter_of_credit"], 0])
    cash = [given_["tenant_cash"], given_["guarantor_cash"]]
    result = clear_guaranteed(claims, cash, Guarantees([1], [0], [given_["cap"]]))
    one.close(result.payments[1] / result.obligations[1], "ratio")
    one.close(result.guarantee_paid[0], "guarantor_pays_landlord")
    one.close(result.paid[1], "guarantor_pays_bank")
    one.close(result.loss[0], "landlord_loss")


def test_circle_of_mutual_guarantees(case):
    one = case("G04")
    names = list(one.inputs["cash"])
    cash, debt = list(one.inputs["cash"].values()), one.inputs["debt_each"]
    pairs = one.inputs["guarantees"]
    claims = Claims([0, 1, 2], [OUTSIDE] * 3, [debt] * 3)
    guarantees = Guarantees([names.index(g) for g, _ in pairs], [names.index(d) for _, d in pairs], [debt] * 3)

    def defaulted(result):
        return [name for name, failed in zip(names, result.defaulted, strict=True) if failed]

    without = clear_guaranteed(claims, cash, NONE)
    one.close(without.outside, "bank_without")
    assert defaulted(without) == one.expected("defaults_without")

    result = clear_guaranteed(claims, cash, guarantees)
    one.close(result.outside, "bank_with")
    one.close(dict(zip(names, result.paid, strict=True)), "paid_own")
    paid = {f"{g}->{d}": amount for (g, d), amount in zip(pairs, result.guarantee_paid, strict=True)}
    one.close(paid, "guarantee_paid")
    one.close(dict(zip(names, result.payments / result.obligations, strict=True)), "ratios")
    assert defaulted(result) == one.expected("defaults_with")
    assert result.contagion.tolist() == [False, True, False]

    behind = one.expected("alt_ranking_own_debt_first")
    result = clear_guaranteed(claims, cash, guarantees, own_debt_first=True)
    one.near(result.outside, behind["bank_with"])
    one.near(result.equity[1], behind["B_left_with"])
    assert defaulted(result) == behind["defaults"]
    ranked = Guarantees(guarantees.guarantor, guarantees.claim, guarantees.cap, rank=1)
    assert np.array_equal(clear_guaranteed(claims, cash, ranked).paid, result.paid)


def test_guarantees_of_one_claim_pay_in_their_order():
    # 100 short: the first pays its cap of 30, of the second 40 is demanded and half paid, the third is asked for 50.
    claims = Claims([0], [OUTSIDE], [100.0])
    result = clear_guaranteed(claims, [0, 500, 20, 500], Guarantees([1, 2, 3], [0, 0, 0], [30, 40, 500]))
    assert result.called.tolist() == [30, 40, 50]
    assert result.guarantee_paid.tolist() == [30, 20, 50]
    assert result.loss.tolist() == [0]
    turned = clear_guaranteed(claims, [0, 500, 20, 500], Guarantees([3, 1, 2], [0, 0, 0], [500, 30, 40]))
    assert turned.guarantee_paid.tolist() == [100, 0, 0]


def test_call_can_bring_down_a_guarantor_and_its_creditor():
    # The tenant fails of itself, the guarantor because it is called, its bank because the guarantor fails.
    claims = Claims([0, 1, 2], [OUTSIDE, 2, OUTSIDE], [100, 50, 50])
    result = clear_guaranteed(claims, [0, 75, 10], Guarantees([1], [0], [100]))
    assert result.paid.tolist() == [0, 25, 35]
    assert result.loss.tolist() == [50, 25, 15]
    assert result.wave.tolist() == [1, 2, 3]
    assert result.direct == 100
    # Default costs eat half of the guarantor's cash.
    result = clear_guaranteed(claims, [0, 75, 10], Guarantees([1], [0], [100]), alpha=0.5)
    assert result.paid.tolist() == [0, 12.5, 17.5]
    assert result.costs.tolist() == [0, 37.5, 5]


def test_party_set_to_fail_is_covered():
    claims = Claims([0], [1], [100.0])
    rich = clear_guaranteed(claims, [500, 0, 500], Guarantees([2], [0], [80]), failed=[True, False, False])
    assert rich.paid.tolist() == [100]
    assert rich.wave.tolist() == [1, 0, 0]
    bare = clear_guaranteed(claims, [500, 0, 500], Guarantees([2], [0], [80]), failed=[True, False, False], alpha=0)
    assert bare.guarantee_paid.tolist() == [80]
    assert bare.received.tolist() == [0, 80, 0]
    assert bare.loss.tolist() == [20]


def draw(seed, size=30):
    """Claims, cash and guarantees of `size` random networks, with ranks; every claim has a chance of being covered."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 7)), int(rng.integers(3, 13))
    debtor = rng.integers(0, n, m)
    creditor = (debtor + rng.integers(1, n, m)) % n
    creditor[rng.random(m) < 0.4] = OUTSIDE
    claim = np.flatnonzero(rng.random(m) < 0.7)
    claim = np.concatenate([claim, claim[rng.random(len(claim)) < 0.3]])  # some are covered twice
    guarantor = rng.integers(0, n, len(claim))
    fits = (guarantor != debtor[claim]) & (guarantor != creditor[claim])
    claim, guarantor = claim[fits], guarantor[fits]
    letter = rng.integers(0, 10, (size, m)) * (rng.random(m) < 0.3)
    claims = Claims(debtor, creditor, rng.integers(0, 40, (size, m)), letter, rng.integers(0, 2, m))
    guarantees = Guarantees(guarantor, claim, rng.integers(0, 40, (size, len(claim))), rng.integers(0, 2, len(claim)))
    cash = rng.integers(0, 30, (size, n)) * (rng.random((size, n)) < 0.8) + 0.5
    return claims, cash, guarantees


def at(claims, guarantees, i):
    """One network of a draw."""
    return (
        Claims(claims.debtor, claims.creditor, claims.amount[i], claims.letter[i], claims.rank),
        Guarantees(guarantees.guarantor, guarantees.claim, guarantees.cap[i], guarantees.rank),
    )


def from_above(claims, cash, guarantees, alpha, beta):
    """The definition iterated from full payment downwards, contract by contract: what creditors get of each claim."""
    n = len(cash)
    pays = {}  # (party, rank): share
    for _ in range(100_000):
        inflow, due, got = np.array(cash) * 0, {}, []
        for c, (amount, letter) in enumerate(zip(claims.amount, claims.letter, strict=True)):
            slot = (claims.debtor[c], claims.rank[c])
            due[slot] = due.get(slot, 0) + amount
            short = amount * (1 - pays.get(slot, 1.0))
            short -= min(letter, short)
            for g in np.flatnonzero(np.asarray(guarantees.claim) == c):
                slot = (guarantees.guarantor[g], guarantees.rank[g])
                call = min(guarantees.cap[g], short)
                due[slot] = due.get(slot, 0) + call
                short -= call * pays.get(slot, 1.0)
            got.append(amount - short)
            if claims.creditor[c] != OUTSIDE:
                inflow[claims.creditor[c]] += amount - short
        after = {}
        for i in range(n):
            total = sum(amount for (party, _), amount in due.items() if party == i)
            left = cash[i] + inflow[i]
            if left < total * (1 - 1e-12):
                left = alpha * cash[i] + beta * inflow[i]
            for rank in range(3):
                owed = due.get((i, rank), 0)
                after[i, rank] = min(1.0, left / owed) if owed else 1.0
                left = max(left - owed, 0.0)
        if all(abs(after[slot] - pays.get(slot, 1.0)) < 1e-15 for slot in after):
            return np.array(got)
        pays = after
    raise AssertionError("no fixed point")


@given(SEEDS, st.sampled_from([(1.0, 1.0), (0.5, 0.9)]))
@settings(max_examples=10, deadline=None)
def test_greatest_is_the_definition_iterated_from_above(seed, costs):
    claims, cash, guarantees = draw(seed, size=3)
    result = clear_guaranteed(claims, cash, guarantees, alpha=costs[0], beta=costs[1])
    for i in range(3):
        claim, guarantee = at(claims, guarantees, i)
        want = from_above(claim, cash[i], guarantee, *costs)
        np.testing.assert_allclose(claims.amount[i] - result.loss[i], want, rtol=1e-9, atol=1e-9)


@given(SEEDS, st.booleans(), st.sampled_from([(1.0, 1.0), (0.5, 0.9)]))
@settings(max_examples=30, deadline=None)
def test_more_cash_anywhere_never_lowers_any_recovery(seed, own_debt_first, costs):
    claims, cash, guarantees = draw(seed)
    rng = np.random.default_rng(seed)
    more = rng.integers(0, 20, cash.shape) * (rng.random(cash.shape) < 0.3)
    low, high = (
        clear_guaranteed(claims, held, guarantees, own_debt_first=own_debt_first, alpha=costs[0], beta=costs[1])
        for held in (cash, cash + more)
    )
    assert (high.recovery >= low.recovery - 1e-11).all()
    assert (high.defaulted <= low.defaulted).all()


def test_g08(case):
    """The case's property, on as many networks."""
    one = case("G08")
    violations, seen = 0, 0
    for seed in range(one.inputs["random_networks"] // 30):
        claims, cash, guarantees = draw(seed)
        more = np.random.default_rng(seed).integers(0, 3, cash.shape)
        low, high = (clear_guaranteed(claims, held, guarantees) for held in (cash, cash + more))
        violations += int((high.recovery < low.recovery - 1e-11).sum())
        seen += len(cash)
    assert seen == one.inputs["random_networks"]
    assert violations == one.expected("violations")


@given(SEEDS, st.floats(0, 1), st.floats(0, 1), st.booleans())
@settings(max_examples=20, deadline=None)
def test_conservation_and_limits(seed, alpha, beta, own_debt_first):
    claims, cash, guarantees = draw(seed)
    result = clear_guaranteed(claims, cash, guarantees, own_debt_first=own_debt_first, alpha=alpha, beta=beta)
    sources = cash.sum(axis=1) + result.from_letter.sum(axis=1)
    uses = result.equity.sum(axis=1) + result.outside + result.costs.sum(axis=1)
    np.testing.assert_allclose(sources, uses, rtol=1e-9)
    parts = result.paid + result.from_letter + result.loss
    by_guarantors = np.zeros_like(parts)
    np.add.at(by_guarantors, (slice(None), guarantees.claim), result.guarantee_paid)
    np.testing.assert_allclose(parts + by_guarantors, claims.amount, rtol=1e-12, atol=1e-12)
    assert (result.guarantee_paid <= result.called + 1e-12).all()
    assert (result.called <= guarantees.cap).all()
    assert (result.equity > -1e-9).all()
    assert (np.abs(result.equity[result.defaulted]) < 1e-9).all()
    full = np.abs(result.obligations - result.payments)[~result.defaulted]
    assert (full < 1e-9).all()


def test_without_support_it_is_clearing():
    claims, cash, _ = draw(11, size=200)
    n = cash.shape[1]
    owed, external = np.zeros((200, 2, n, n)), np.zeros((200, 2, n))
    for c, (debtor, creditor, rank) in enumerate(zip(claims.debtor, claims.creditor, claims.rank, strict=True)):
        if creditor == OUTSIDE:
            external[:, rank, debtor] += claims.amount[:, c]
        else:
            owed[:, rank, debtor, creditor] += claims.amount[:, c]
    bare = Claims(claims.debtor, claims.creditor, claims.amount, 0.0, claims.rank)
    for costs in ({}, {"alpha": 0.3, "beta": 0.8}):
        one, other = clear_guaranteed(bare, cash, NONE, **costs), clear_classes(owed, cash, external, **costs)
        np.testing.assert_allclose(one.payments, other.payments, rtol=1e-9, atol=1e-9)
        assert np.array_equal(one.wave, other.wave)
        for name in ("received", "costs", "equity", "shortfall", "direct"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(one.outside, other.outside.sum(axis=1), rtol=1e-9)


def test_unlimited_guarantee_by_a_rich_party_makes_claims_whole():
    plain = clear([[0, 100, 0], [0, 0, 100], [0, 0, 0]], [10, 20, 1000])
    assert plain.payments.tolist() == [10, 30, 0]
    claims = Claims([0, 1], [1, OUTSIDE], [100, 100])
    result = clear_guaranteed(claims, [10, 20, 1000], Guarantees([2], [0], [1000]))
    assert result.recovery.tolist() == [1, 1]
    assert result.wave.tolist() == [1, 0, 0]


def test_batch_is_what_its_networks_are_one_by_one():
    claims, cash, guarantees = draw(3, size=120)
    batch = clear_guaranteed(claims, cash, guarantees, alpha=0.7)
    assert len(np.unique(batch.wave)) > 2
    assert (batch.guarantee_paid > 0).any()
    for i in range(120):
        claim, guarantee = at(claims, guarantees, i)
        alone = clear_guaranteed(claim, cash[i], guarantee, alpha=0.7)
        for name in alone.__slots__:
            assert np.array_equal(getattr(alone, name), getattr(batch, name)[i]), name


def test_gives_up(monkeypatch):
    monkeypatch.setattr(module, "_MOST_STEPS", 50)
    ring = Claims([0, 1, 0], [1, 0, OUTSIDE], [100, 100, 1])
    with pytest.raises(ModelError, match="does not settle in 50 steps"):
        clear_guaranteed(ring, [0, 0, 0], NONE)


@pytest.mark.parametrize(
    ("claims", "guarantees", "message"),
    [
        (Claims([0], [0], [1]), NONE, "a party owes itself"),
        (Claims([3], [0], [1]), NONE, "debtor: must be from 0 to 2"),
        (Claims([0], [-2], [1]), NONE, "creditor: must be from -1 to 2"),
        (Claims([0.5], [1], [1]), NONE, "debtor: must be whole numbers"),
        (Claims([0], [1, 2], [1]), NONE, "each needs a debtor and a creditor"),
        (Claims([0], [1], [-1]), NONE, "amount: must be finite and not negative"),
        (Claims([0], [1], [1, 2]), NONE, r"amount: has shape \(2,\), expected \(1, 1\)"),
        (Claims([0], [1], [1], rank=[-1]), NONE, "rank: must be from 0"),
        (Claims([0], [1], [1]), Guarantees([0], [0], [1]), "a guarantor stands behind what it owes"),
        (Claims([0], [1], [1]), Guarantees([1], [0], [1]), "a guarantor stands behind what it owes"),
        (Claims([0], [1], [1]), Guarantees([2], [1], [1]), "claim: must be from 0 to 0"),
        (Claims([0], [1], [1]), Guarantees([2], [0], [np.nan]), "cap: must be finite"),
    ],
)
def test_refusals(claims, guarantees, message):
    with pytest.raises(UsageError, match=message):
        clear_guaranteed(claims, [1.0, 1.0, 1.0], guarantees)
