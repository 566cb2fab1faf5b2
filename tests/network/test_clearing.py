"""Clearing payments: worked cases, classes, default costs, rings, batches, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from dcsim.errors import UsageError
from dcsim.network.arrays import matrix
from dcsim.network.clearing import clear, clear_classes, least_payments


def parts(inputs):
    names = inputs["names"]
    cash = [inputs["external_assets"][name] for name in names]
    external = [inputs["external_liabilities"][name] for name in names]
    return matrix([tuple(edge) for edge in inputs["liabilities"]], names), cash, external


@pytest.mark.parametrize("name", ["C01", "C03", "C04", "C05", "C09"])
def test_cases(case, name):
    one = case(name)
    liabilities, cash, external = parts(one.inputs)
    result = clear(liabilities, cash, external, alpha=one.inputs["alpha"], beta=one.inputs["beta"])
    one.close(one.named(result.payments), "payments")
    one.close(one.named(np.maximum(result.equity, 0)), "equity_floor0")
    one.close(result.shortfall.sum(), "total_shortfall")
    names = np.array(one.inputs["names"])
    assert sorted(names[result.defaulted]) == one.expected("defaults")
    rounds = [sorted(names[(result.wave > 0) & (result.wave <= r)]) for r in range(1, result.wave.max() + 1)]
    assert rounds == one.expected("default_rounds")
    least = least_payments(liabilities, cash, external)
    one.close(one.named(least), "least_solution")
    assert np.allclose(least, result.payments, rtol=1e-9) == one.expected("unique")


def test_default_costs_make_two_solutions(case):
    one = case("C11")
    liabilities = matrix([tuple(edge) for edge in one.inputs["liabilities"]], one.inputs["names"])
    arguments = (liabilities, one.inputs["external_assets"], one.inputs["external_liabilities"])
    costs = {"alpha": one.inputs["alpha"], "beta": one.inputs["beta"]}
    result = clear(*arguments, **costs)
    one.close(result.payments, "greatest")
    one.close(least_payments(*arguments, **costs), "least")
    assert not result.defaulted.any()
    assert result.costs.sum() == 0


def test_classes_of_one_debtor(case):
    one = case("C13")
    names, due = zip(*one.inputs["classes"], strict=True)
    result = clear_classes(np.zeros((2, 1, 1)), [one.inputs["assets"]], np.array(due)[:, None])
    ratio = result.ratio[:, 0]
    one.close(dict(zip(names, ratio * due, strict=True)), "paid")
    one.close(dict(zip(names, ratio, strict=True)), "recovery")
    one.close(result.equity[0], "equity")


def test_default_costs_by_hand():
    # A has 40 for 100: half of it is left, 20 to B, of whose 50 + 20 < 80 half of the cash and a quarter of receipts.
    result = clear([[0, 100, 0], [0, 0, 80], [0, 0, 0]], [40, 50, 0], alpha=0.5, beta=0.25)
    assert result.payments.tolist() == [20, 30, 0]
    assert result.costs.tolist() == [20, 40, 0]
    assert result.wave.tolist() == [1, 2, 0]
    assert result.direct == 80
    assert result.equity.tolist() == [0, 0, 30]
    assert result.flows[0].tolist() == [0, 20, 0]


def test_classes_are_followed_down_through_a_ring():
    # A owes B 60 senior and C 40 junior; B owes A 50 senior and the outside 50 junior; C owes A 30. A has 20, B 20.
    senior = [[0, 60, 0], [50, 0, 0], [30, 0, 0]]
    junior = [[0, 0, 40], [0, 0, 0], [0, 0, 0]]
    result = clear_classes([senior, junior], [20, 20, 0], [[0, 0, 0], [0, 50, 0]])
    # By hand: B pays A's 50 in full from 20 + 60; C pays what it gets, c <= 30; A has 70 + c: 60 and the rest to C.
    # 10 + c for c = min(30, 10 + c): c = 30, A has 100 and pays in full. B: 80 of 100.
    np.testing.assert_allclose(result.payments, [100, 80, 30], rtol=1e-12)
    np.testing.assert_allclose(result.ratio, [[1, 1, 1], [1, 0.6, 1]], rtol=1e-12)
    # With 8 less cash at B and 20 less at A: A has 50 + c, so C would get 10 less than it pays: c = 0, and B gets 50.
    # On the way, A's and C's next dollars go round between the two and nothing leaks.
    result = clear_classes([senior, junior], [0, 12, 0], [[0, 0, 0], [0, 50, 0]])
    np.testing.assert_allclose(result.payments, [50, 62, 0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.ratio[:, 0], [5 / 6, 0], rtol=1e-12)
    assert result.wave.tolist() == [1, 1, 2]


def test_senior_ring_that_passes_on_exactly_what_it_gets_stays():
    # Nobody has cash; the senior ring clears itself, the junior debt to the outside gets nothing.
    senior = np.array([[0, 0.1, 0.2], [0.3, 0, 0.1], [0, 0.3, 0]])
    result = clear_classes([senior, np.zeros((3, 3))], 0.0, [[0, 0, 0], [7, 7, 7]])
    np.testing.assert_allclose(result.ratio[0], [1, 1, 1], rtol=1e-9)
    np.testing.assert_allclose(result.payments, senior.sum(axis=1), rtol=1e-9)


def test_junior_ring_drains_however_slowly():
    # A's and B's junior debts go round between them, and each round A lacks 2e-10 for its senior debt to the outside.
    junior = [[0, 10], [10, 0]]
    result = clear_classes([np.zeros((2, 2)), junior], [10 - 2e-10, 10], [[10, 10], [0, 0]])
    assert result.wave.tolist() == [1, 2]
    np.testing.assert_allclose(result.ratio, [[1 - 2e-11, 1], [0, 0]], rtol=1e-12, atol=1e-12)


def test_ring_without_cash_pays_itself():
    # A closed ring nets out although nobody has cash: the greatest solution pays all, the least nothing.
    ring = [[0, 0.1, 0], [0, 0, 0.1], [0.1, 0, 0]]
    assert clear(ring, 0.0).payments.tolist() == [0.1] * 3
    assert least_payments(ring, 0.0).tolist() == [0] * 3
    # With any debt to the outside and no cash the ring drains, however small the leak.
    drained = clear(ring, 0.0, [1e-9, 0, 0])
    np.testing.assert_allclose(drained.payments, 0, atol=1e-12)
    # A ring that is short and leaks nothing pays what the shortest can: not singular.
    short = clear([[0, 100], [90, 0]], [0, 0])
    assert short.payments.tolist() == [90, 90]
    assert short.wave.tolist() == [1, 0]


def test_equal_assets_and_debt_are_no_default_despite_rounding():
    owed = np.array([[0, 0.1, 0.2], [0, 0, 0], [0, 0, 0]])
    assert not clear(owed, [0.1 + 0.2 - 1e-16, 0, 0], alpha=0.0, beta=0.0).defaulted.any()
    assert clear(owed, [0.3 * (1 - 1e-9), 0, 0], alpha=0.0, beta=0.0).defaulted[0]


def test_party_set_to_fail():
    liabilities = [[0, 100, 0], [0, 0, 80], [0, 0, 0]]
    rich = clear(liabilities, [500, 0, 0], failed=[True, False, False])
    assert rich.payments.tolist() == [100, 80, 0]  # it can pay nevertheless
    assert rich.wave.tolist() == [1, 0, 0]
    assert rich.equity.tolist() == [400, 20, 80]
    bare = clear(liabilities, [500, 0, 0], failed=[True, False, False], alpha=[0.1, 1, 1])
    assert bare.payments.tolist() == [50, 50, 0]
    assert bare.wave.tolist() == [1, 2, 0]
    assert bare.own.tolist() == [True, False, False]
    assert bare.contagion.tolist() == [False, True, False]
    assert bare.costs.tolist() == [450, 0, 0]
    assert bare.direct == 50


def test_first_wave_is_the_counterfactual():
    # Own default: not able to pay even if all that it is owed were paid.
    rng = np.random.default_rng(5)
    liabilities = rng.integers(0, 40, (300, 6, 6)) * (rng.random((300, 6, 6)) < 0.5) * (1 - np.eye(6))
    cash = rng.integers(0, 40, (300, 6)).astype(float)
    result = clear(liabilities, cash)
    own = cash + liabilities.sum(axis=1) < liabilities.sum(axis=2)
    assert (result.own == own).all()
    assert result.contagion.sum() > 50
    assert (result.defaulted == (result.payments < result.obligations * (1 - 1e-11))).all()


def test_batch_is_what_its_networks_are_one_by_one():
    rng = np.random.default_rng(6)
    shape = (200, 2, 7, 7)
    liabilities = rng.random(shape) * (rng.random(shape) < 0.4) * (1 - np.eye(7))
    cash, external, alpha = rng.random((200, 7)) * 0.8, rng.random((200, 2, 7)) * 0.3, rng.random((200, 7))
    batch = clear_classes(liabilities, cash, external, alpha=alpha, beta=0.9)
    assert len(np.unique(batch.wave)) > 3
    for i in range(200):
        alone = clear_classes(liabilities[i], cash[i], external[i], alpha=alpha[i], beta=0.9)
        for name in alone.__slots__:
            assert np.array_equal(getattr(alone, name), getattr(batch, name)[i]), name


def test_batch_by_any_argument():
    liabilities = [[0, 100], [0, 0]]
    batch = clear(liabilities, [[40, 0], [400, 0]])
    assert batch.payments.tolist() == [[40, 0], [100, 0]]
    batch = clear(liabilities, [400, 0], alpha=0.1, failed=np.eye(2, dtype=bool))
    assert batch.payments.tolist() == [[40, 0], [100, 0]]
    assert clear(np.zeros((0, 2, 2)), np.zeros((0, 2))).payments.shape == (0, 2)


@pytest.mark.parametrize(
    ("liabilities", "arguments", "message"),
    [
        ([[1, 2], [3, 0]], {}, "a party owes itself"),
        ([[0, -2], [3, 0]], {}, "liabilities: must be finite and not negative"),
        ([[0, np.inf], [3, 0]], {}, "liabilities: must be finite"),
        ([[0, 2, 1], [3, 0, 1]], {}, "must be square"),
        ([0, 1], {}, "must have 2 axes"),
        (np.zeros((1, 1, 1, 1, 1)), {}, "too few or too many axes"),
        ([[0, 2], [3, 0]], {"cash": [-1, 0]}, "cash: must be finite and not negative"),
        ([[0, 2], [3, 0]], {"cash": [1, 0, 0]}, r"cash: has shape \(3,\), expected \(1, 2\)"),
        ([[0, 2], [3, 0]], {"alpha": 1.5}, "alpha: must be between 0 and 1"),
        ([[0, 2], [3, 0]], {"beta": np.nan}, "beta: must be finite"),
        ([[0, 2], [3, 0]], {"failed": [0, 1]}, "failed: must be truth values"),
    ],
)
def test_refusals(liabilities, arguments, message):
    with pytest.raises(UsageError, match=message):
        clear(liabilities, **{"cash": 0.0, **arguments})
    assert clear([[0, 2], [3, 0]], 1.0).payments.tolist() == [2, 3]
