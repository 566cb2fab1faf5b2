"""Circularity: provenance of money, loops, recycling."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.errors import UsageError
from dcsim.network.arrays import matrix
from dcsim.network.circularity import (
    Cycle,
    circularity,
    cycles,
    maximum_circulation,
    recycling,
    recycling_multiplier,
    trace,
)

FINANCING = {"equity", "loan"}


def network(flows, supplier="S", outside="EXT"):
    """Parties, all flows, the supplier's financing, purchases, group, outside."""
    names = list(dict.fromkeys(name for flow in flows for name in flow[:2]))
    paid = matrix([flow[:3] for flow in flows], names)
    group = np.array([name == supplier for name in names])
    # Flows without a kind: what the supplier pays is financing, what it is paid are purchases.
    lent = matrix([f[:3] for f in flows if f[0] == supplier and (len(f) == 3 or f[3] in FINANCING)], names)
    bought = matrix([f[:3] for f in flows if f[1] == supplier and (len(f) == 3 or f[3] == "purchase")], names)
    return names, paid, lent, bought, group, np.array([name == outside for name in names])


def test_closed_loop(case):
    one = case("Q01")
    _, paid, lent, bought, group, _ = network([tuple(flow) for flow in one.inputs["flows"]])
    result = circularity(bought, group, trace(paid, lent, group))
    one.close(result.revenue, "supplier_revenue")
    one.close(result.cash_funded, "circularity_ratio")
    one.close(result.cash_funded * result.revenue, "self_financed")
    one.close((paid[:, group].sum() - paid[group].sum()), "S_net_cash")
    assert result.credit_supported == 0


def test_commingled_fund(case):
    one = case("Q02")
    names, paid, lent, bought, group, outside = network([tuple(flow) for flow in one.inputs["flows"]])
    money = trace(paid, lent, group, outside=outside)
    one.close(money.cash_funded[names.index("F")], "self_share_in_F")
    one.close(money.cash_funded[names.index("D")], "self_share_in_D")
    result = circularity(bought, group, money)
    one.close(result.cash_funded, "circularity_ratio")
    one.close(result.cash_funded * result.revenue, "self_financed_revenue")


def test_loops(case):
    one = case("Q05")
    edges = [tuple(edge) for edge in one.inputs["edges"]]
    found = cycles(edges, one.inputs["length_bound"])
    assert [[list(cycle.parties), cycle.weight] for cycle in found] == one.expected("cycles")
    one.close(sum(cycle.weight for cycle in found), "sum_of_min_edges")
    largest = maximum_circulation(edges)
    one.close(largest.total, "max_circulation_total_flow")
    one.close(largest.gross, "gross")
    one.close(largest.share, "circulation_share")


def test_ordinary_payments_of_the_group_are_clean():
    # S pays D wages of 60 and lends it 20; D has 20 from outside and spends 100 on chips of S.
    flows = [("S", "D", 60, "wages"), ("S", "D", 20, "loan"), ("EXT", "D", 20, "revenue"), ("D", "S", 100, "purchase")]
    _, paid, lent, bought, group, outside = network(flows)
    result = circularity(bought, group, trace(paid, lent, group, outside=outside))
    assert result.cash_funded == pytest.approx(0.2)


def test_credit_support_is_traced_beside_cash_and_never_twice():
    # Vehicle V: 10 from S, 90 bank loan under S's guarantee. It lends D 50; D adds 50 of its own and buys 100 from S.
    names = ["S", "V", "D", "EXT"]
    paid = matrix([("S", "V", 10), ("EXT", "V", 90), ("V", "D", 50), ("EXT", "D", 50), ("D", "S", 100)], names)
    lent = matrix([("S", "V", 10)], names)
    backed = matrix([("EXT", "V", 90)], names)
    group, outside = np.array([True, False, False, False]), np.array([False, False, False, True])
    money = trace(paid, lent, group, supported=backed, outside=outside)
    np.testing.assert_allclose(money.cash_funded, [0, 0.1, 0.05, 0], atol=1e-15)
    np.testing.assert_allclose(money.credit_supported, [0, 0.9, 0.45, 0], atol=1e-15)
    result = circularity(matrix([("D", "S", 100)], names), group, money)
    assert float(result.cash_funded) == pytest.approx(0.05)
    assert float(result.credit_supported) == pytest.approx(0.45)
    # V's loan to D under S's guarantee as well: of it only what is not S's own cash counts as supported.
    backed = matrix([("EXT", "V", 90), ("V", "D", 50)], names)
    money = trace(paid, lent, group, supported=backed, outside=outside)
    assert money.credit_supported[2] == pytest.approx(0.45)
    # The formula for one step: purchases x (1 - cash-funded) x share of the rest that was conditional.
    assert money.credit_supported[1] == pytest.approx((1 - money.cash_funded[1]) * 1.0)


def test_supported_share_of_a_note_issue():
    # 36 of notes, of which 31 have the supplier's support, buy its chips.
    names = ["S", "SPV", "EXT"]
    paid = matrix([("EXT", "SPV", 36), ("SPV", "S", 36)], names)
    money = trace(
        paid, 0.0, np.array([True, False, False]), supported=matrix([("EXT", "SPV", 31)], names),
        outside=np.array([False, False, True]),
    )  # fmt: skip
    result = circularity(matrix([("SPV", "S", 36)], names), np.array([True, False, False]), money)
    assert (float(result.cash_funded), float(result.credit_supported)) == (0, pytest.approx(31 / 36))


def test_opening_balances_carry_their_shares_on():
    # 40 at the start, half of it the supplier's; 60 clean comes in: 20 of 100.
    paid = [[0, 0, 0], [100, 0, 0], [0, 60, 0]]
    group = np.array([True, False, False])
    money = trace(paid, 0.0, group, opening=[0, 40, 60], opening_cash_funded=[0, 0.5, 0], opening_credit_supported=0.25)
    np.testing.assert_allclose(money.cash_funded, [0, 0.2, 0], atol=1e-15)
    np.testing.assert_allclose(money.credit_supported, [0, 0.25, 0.25], atol=1e-15)
    assert money.pool.tolist() == [100, 100, 60]


def test_ring_apart_is_clean():
    # Parties 1 and 2 pass 100 round, 3 and 4 another 100 with 1 of the supplier's money thrown in.
    paid = np.zeros((5, 5))
    paid[1, 2] = paid[2, 1] = paid[3, 4] = paid[4, 3] = 100
    lent = np.zeros((5, 5))
    lent[0, 3] = 1
    money = trace(paid + lent, lent, np.arange(5) == 0)
    np.testing.assert_allclose(money.cash_funded, [0, 0, 0, 1, 1], rtol=1e-9, atol=1e-12)
    assert np.isnan(circularity(np.zeros((5, 5)), np.arange(5) == 0, money).cash_funded)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_shares_solve_their_definition(seed):
    rng = np.random.default_rng(seed)
    shape = (20, 6, 6)
    paid = rng.integers(0, 30, shape) * (rng.random(shape) < 0.5) * (1 - np.eye(6))
    group, outside = np.arange(6) < 2, np.arange(6) == 5
    lent = paid * rng.integers(0, 2, shape)
    backed = paid * rng.integers(0, 2, shape)
    money = trace(paid, lent, group, supported=backed, outside=outside)
    q, s = money.cash_funded, money.credit_supported
    lent, backed = lent * group[:, None], backed * ~group[:, None]
    carries = ~(group | outside)
    funded = (paid * q[:, :, None]).sum(axis=1) + lent.sum(axis=1)
    rest = ((paid - backed) * s[:, :, None]).sum(axis=1) + (backed * (1 - q)[:, :, None]).sum(axis=1)
    np.testing.assert_allclose((money.pool * q)[:, carries], funded[:, carries], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((money.pool * s)[:, carries], rest[:, carries], rtol=1e-9, atol=1e-9)
    assert (q[:, ~carries] == 0).all()
    assert (q + s <= 1 + 1e-12).all()
    for i in (0, 7):
        one = trace(paid[i], lent[i], group, supported=backed[i], outside=outside)
        np.testing.assert_allclose(one.cash_funded, q[i], rtol=1e-12, atol=1e-15)
    result = circularity(paid, group, money)
    bought = paid[:, 2:, :2].sum(axis=2)
    np.testing.assert_allclose(result.revenue, bought.sum(axis=1))
    sold = result.revenue > 0
    assert np.isnan(result.cash_funded[~sold]).all()
    np.testing.assert_allclose((result.cash_funded * result.revenue)[sold], (bought * q[:, 2:]).sum(axis=1)[sold])


def test_recycling():
    # Of each dollar S passes on 0.8 to F, F all of it to D, D three quarters back to S: 0.6 a turn, 2.5 in all.
    paid = np.zeros((4, 4))
    paid[0, 1], paid[0, 3], paid[1, 2], paid[2, 0], paid[2, 3], paid[3, 0] = 80, 20, 80, 60, 20, 40
    returns = recycling(paid, [0])
    # The outside's 40 of 100 come from its own pocket: its money goes back to S too, unless it is cut off.
    assert float(returns[0, 0]) == pytest.approx(1.0)
    paid[3, 0] = 0
    np.testing.assert_allclose(recycling(paid, [0]), [[0.6]], rtol=1e-12)
    assert float(recycling_multiplier([[0.6]])) == pytest.approx(2.5)
    kept = paid.copy()
    kept[2, 3] = 0  # D keeps the quarter instead of spending it elsewhere
    np.testing.assert_allclose(recycling(kept, [0]), [[0.6]], rtol=1e-12)
    # Seen by two suppliers, each turn ends at the first of them.
    np.testing.assert_allclose(recycling(paid, [0, 2]), [[0, 0.8], [0.75, 0]], rtol=1e-12)
    np.testing.assert_allclose(recycling_multiplier([[[0.6]], [[0.0]]]), [2.5, 1])
    assert np.isinf(recycling_multiplier([[1.0]]))
    # A ring that supplier's money never reaches makes nothing singular.
    apart = np.zeros((6, 6))
    apart[:4, :4] = paid
    apart[4, 5] = apart[5, 4] = 7
    np.testing.assert_allclose(recycling(np.stack([apart, apart]), [0]), [[[0.6]], [[0.6]]], rtol=1e-12)


def test_maximum_circulation():
    assert maximum_circulation([]).share == 0
    assert maximum_circulation([("A", "B", 5.0), ("B", "C", 5.0)]).total == 0
    # Parallel edges are separate; a flow of any size is scaled.
    found = maximum_circulation([("A", "B", 2e9), ("A", "B", 1e9), ("B", "A", 2.5e9)])
    assert found.total == pytest.approx(5e9, rel=1e-12)
    assert found.flows[2] == pytest.approx(2.5e9, rel=1e-12)
    assert found.gross == 5.5e9
    rng = np.random.default_rng(4)
    for _ in range(20):
        edges = [(str(rng.integers(6)), str(rng.integers(6)), float(rng.integers(0, 50))) for _ in range(15)]
        edges = [edge for edge in edges if edge[0] != edge[1]]
        largest = maximum_circulation(edges)
        balance = dict.fromkeys("012345", 0.0)
        for (source, target, amount), flow in zip(edges, largest.flows, strict=True):
            assert -1e-9 <= flow <= amount + 1e-9
            balance[source] -= flow
            balance[target] += flow
        assert max(map(abs, balance.values())) < 1e-9
        # No loop is left with room on all its edges.
        left = [(s, t, a - f) for (s, t, a), f in zip(edges, largest.flows, strict=True) if a - f > 1e-9]
        assert cycles(left, 6) == []


def test_cycles():
    edges = [("b", "a", 3.0), ("a", "b", 1.0), ("a", "b", 4.0), ("b", "c", 2.0), ("c", "a", 9.0), ("c", "b", 0.0)]
    assert cycles(edges) == [Cycle(("a", "b"), 3.0), Cycle(("a", "b", "c"), 2.0)]
    assert cycles(edges, longest=2) == [Cycle(("a", "b"), 3.0)]
    with pytest.raises(UsageError, match="at least one edge"):
        cycles(edges, longest=0)


def test_cycles_come_in_the_same_order_under_any_hash_seed():
    code = (
        "from dcsim.network.circularity import cycles; names = 'alpha beta gamma delta epsilon'.split();"
        "print(cycles([(a, b, 1.0 + len(a)) for a in names for b in names if a != b], 4))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_refusals():
    group = np.array([True, False])
    with pytest.raises(UsageError, match="financing: must not be more than what was paid"):
        trace([[0, 1], [0, 0]], [[0, 2], [0, 0]], group)
    with pytest.raises(UsageError, match="supported: must not be more"):
        trace([[0, 1], [0, 0]], 0.0, group, supported=[[0, 0], [1, 0]])
    with pytest.raises(UsageError, match="a member of the group is not outside"):
        trace([[0, 1], [0, 0]], 0.0, group, outside=group)
    with pytest.raises(UsageError, match="group: must be truth values"):
        trace([[0, 1], [0, 0]], 0.0, [1, 0])
    with pytest.raises(UsageError, match="must not add up to more than 1"):
        trace([[0, 1], [0, 0]], 0.0, group, opening_cash_funded=0.6, opening_credit_supported=0.6)
    with pytest.raises(UsageError, match="suppliers: must be different numbers from 0 to 1"):
        recycling([[0, 1], [0, 0]], [2])
    with pytest.raises(UsageError, match="'X', which is not among the parties"):
        matrix([("A", "X", 1.0)], ["A"])
