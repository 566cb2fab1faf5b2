"""What theory says of clearing payments, on random networks with many ties, rings and parties without cash."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import block_diag, identity

from dcsim.network.clearing import clear, clear_classes, least_payments

SEEDS = st.integers(0, 2**32 - 1)
EACH = 50
"""Networks of one size made from a seed."""


def draw(seed, positive=False):
    """Whole amounts, sparse: (EACH, n, n), (EACH, n), (EACH, n)."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    shape = (EACH, n, n)
    owed = rng.integers(0, 50, shape) * (rng.random(shape) < rng.uniform(0.2, 0.9)) * (1 - np.eye(n))
    cash = rng.integers(0, 40, (EACH, n)) * (rng.random((EACH, n)) < 0.6) + (1.0 if positive else 0.0)
    external = rng.integers(0, 30, (EACH, n)) * (rng.random((EACH, n)) < 0.5)
    return owed, cash.astype(float), external.astype(float)


def linear_programme(owed, cash, external):
    """max sum p with p <= what is owed and p <= cash + receipts, all networks at once."""
    total = owed.sum(axis=2) + external
    share = np.divide(owed, total[..., None], out=np.zeros_like(owed), where=total[..., None] > 0)
    system = identity(total.size) - block_diag([one.T for one in share])
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    bounds = [(0, most) for most in total.ravel()]
    solved = linprog(-np.ones(total.size), A_ub=system, b_ub=cash.ravel(), bounds=bounds, method="highs", options=tight)
    return solved.x.reshape(total.shape)


def picard(owed, cash, external, alpha=1.0, beta=1.0):
    """Iterate the definition from full payment downwards; owed (..., K, n, n), external (..., K, n)."""
    due = owed.sum(axis=-1) + external
    paid = due.copy()
    total = due.sum(axis=-2)
    for _ in range(200_000):
        share = np.divide(paid, due, out=np.ones_like(due), where=due > 0)
        inflow = (owed * share[..., None]).sum(axis=(-3, -2))
        able = cash + inflow >= total * (1 - 1e-12)
        left = np.where(able, total, alpha * cash + beta * inflow)
        after = np.empty_like(paid)
        for k in range(due.shape[-2]):
            after[..., k, :] = np.minimum(due[..., k, :], left)
            left = left - after[..., k, :]
        if np.abs(after - paid).max() < 1e-14:
            return after.sum(axis=-2)
        paid = after
    raise AssertionError("no fixed point")


def same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_greatest_is_picard_from_above_and_the_linear_programme(seed):
    """10 x 50 networks; a thousand single ones in test_thousand_networks.py."""
    owed, cash, external = draw(seed)
    payments = clear(owed, cash, external).payments
    same(payments, linear_programme(owed, cash, external))
    same(payments, picard(owed[:, None], cash, external[:, None]))


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_classes_and_default_costs_are_picard_from_above(seed):
    rng = np.random.default_rng(seed)
    (senior, cash, first), (junior, _, last) = draw(seed), draw(seed)
    junior = junior[rng.permutation(EACH)] * (rng.random(junior.shape) < 0.7)
    owed, external = np.stack([senior, junior, senior], axis=1), np.stack([first, last[::-1], first], axis=1)
    for alpha, beta in [(1.0, 1.0), (0.6, 0.9)]:
        result = clear_classes(owed, cash, external, alpha=alpha, beta=beta)
        same(result.payments, picard(owed, cash, external, alpha, beta))
        due = owed.sum(axis=3) + external
        # Absolute priority: nothing goes to a class while a more senior one is short.
        short = (result.ratio[:, :-1] < 1 - 1e-9) & (due[:, :-1] > 0)
        assert (((result.ratio * due)[:, 1:])[short] < 1e-7).all()
    assert (result.ratio > 0).any()


@given(SEEDS, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_conservation(seed, alpha, beta):
    owed, cash, external = draw(seed)
    result = clear(owed, cash, external, alpha=alpha, beta=beta)
    same(result.equity.sum(axis=1) + result.outside.sum(axis=1) + result.costs.sum(axis=1), cash.sum(axis=1))
    same(result.flows.sum(axis=2) + result.outside, result.payments)
    same(result.flows.sum(axis=1), result.received)
    assert (result.equity > -1e-9).all()
    same(result.equity[result.defaulted], 0)  # limited liability and absolute priority
    same(result.payments[~result.defaulted], result.obligations[~result.defaulted])


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_more_cash_is_never_less_and_helps_less_and_less(seed):
    owed, cash, external = draw(seed)
    rng = np.random.default_rng(seed)
    more = rng.integers(0, 20, cash.shape) * (rng.random(cash.shape) < 0.3)
    for costs in ({}, {"alpha": 0.5, "beta": 0.8}):
        low, high = (clear(owed, given, external, **costs).payments for given in (cash, cash + more))
        assert (high >= low - 1e-9).all()
    low, middle, high = (clear(owed, cash + share * more, external).payments for share in (0, 0.5, 1))
    assert (middle >= (low + high) / 2 - 1e-9).all()  # concave without default costs


@given(SEEDS, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_default_costs_never_raise_payments(seed, alpha, beta):
    owed, cash, external = draw(seed)
    free = clear(owed, cash, external)
    dear = clear(owed, cash, external, alpha=alpha, beta=beta)
    assert (dear.payments <= free.payments + 1e-9).all()
    assert (dear.defaulted >= free.defaulted).all()


@given(SEEDS, st.integers(-30, 30))
@settings(max_examples=20, deadline=None)
def test_scaling_and_relabelling(seed, power):
    owed, cash, external = draw(seed)
    costs = {"alpha": 0.7, "beta": 0.9}
    result = clear(owed, cash, external, **costs)
    scaled = clear(owed * 2.0**power, cash * 2.0**power, external * 2.0**power, **costs)
    assert np.array_equal(scaled.payments, result.payments * 2.0**power)
    order = np.random.default_rng(seed).permutation(cash.shape[1])
    other = clear(owed[:, order][:, :, order], cash[:, order], external[:, order], **costs)
    same(other.payments, result.payments[:, order])
    assert np.array_equal(other.wave, result.wave[:, order])


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_unique_if_everybody_has_cash(seed):
    owed, cash, external = draw(seed, positive=True)
    same(least_payments(owed, cash, external), clear(owed, cash, external).payments)


def test_c15(case):
    """The case's list of properties is what this file tests, one by one."""
    properties = case("C15")
    assert len(properties.expected("properties")) == 8
    assert properties.expected("all_hold")


def test_picard_finds_what_is_known():
    # The oracle itself, on a case worked by hand.
    owed = np.zeros((1, 3, 3))
    owed[0, 0, 1] = owed[0, 1, 2] = owed[0, 2, 0] = 100
    assert picard(owed, np.array([10.0, 0, 0]), np.array([[0, 20.0, 0]])) == pytest.approx([60, 60, 50])
