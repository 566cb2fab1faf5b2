"""Exposures, concentration, cover over time, tails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.errors import UsageError
from dcsim.network.exposure import (
    Cover,
    cover_timeline,
    effective_number,
    expected_shortfall,
    exposures,
    herfindahl,
    tail_contributions,
    top_share,
    value_at_risk,
    vendor_exposure,
)

LOSSES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


def test_concentration(case):
    one = case("M01")
    one.close(herfindahl(one.inputs["shares"]), "hhi")
    one.close(effective_number(one.inputs["shares"]), "effective_number")
    assert herfindahl([[5, 3, 2], [0, 7, 0]]).tolist() == pytest.approx([0.38, 1])
    assert effective_number([4, 4, 4, 4]) == 4
    assert np.isnan(herfindahl([0, 0]))
    assert top_share([5, 3, 2]) == 0.5
    assert top_share([[2, 5, 3], [1, 1, 8]], 2).tolist() == [0.8, 0.9]
    assert top_share([5, 3], 3) == 1
    with pytest.raises(UsageError, match="at least 1"):
        top_share([1], 0)


def test_tail(case):
    one = case("M02")
    losses = one.inputs["losses"]
    rng = np.random.default_rng(0)
    for order in (losses, rng.permutation(losses)):
        one.close([value_at_risk(order, level) for level in one.inputs["alpha"]], "VaR")
        one.close([expected_shortfall(order, level) for level in one.inputs["alpha"]], "ES")
    one.close(np.mean(losses), "EL")
    both = expected_shortfall([losses, [7.0] * 100], 0.95)
    assert both.tolist() == [70, 7]


def test_rank_of_the_quantile_is_not_moved_by_rounding():
    # 0.07 x 100 is 7.000000000000001 in floating point; the quantile is the 7th all the same.
    assert value_at_risk(np.arange(1, 101), 0.07) == 7
    assert value_at_risk(np.arange(1, 101), 0.29) == 29
    assert value_at_risk([1, 2, 3], 0.5) == 2
    assert value_at_risk([5], 0.01) == 5
    # Half of the loss at the quantile belongs to the tail of a quarter of ten.
    assert expected_shortfall(np.arange(1, 11), 0.75) == pytest.approx((9 + 10 + 0.5 * 8) / 2.5)


@settings(deadline=None)
@given(LOSSES, st.floats(0.01, 0.99))
def test_tail_properties(losses, level):
    var, es = float(value_at_risk(losses, level)), float(expected_shortfall(losses, level))
    assert var in losses
    assert sum(loss <= var for loss in losses) >= round(level * len(losses), 9)
    assert sum(loss < var for loss in losses) < level * len(losses) + 1e-9 or var == min(losses)
    assert es >= var - 1e-6
    assert max(losses) + 1e-6 >= es >= np.mean(losses) - 1e-6


def test_contributions_to_the_tail():
    parts = np.array([[0, 0], [1, 5], [2, 8], [30, 10]])
    assert tail_contributions(parts, 0.75).tolist() == [16, 9]
    assert tail_contributions(parts, 0.75).sum() == np.mean([10, 40])
    with pytest.raises(UsageError, match="2 axes"):
        tail_contributions([1, 2], 0.5)
    with pytest.raises(UsageError, match="level: must be between 0 and 1"):
        value_at_risk([1], 1.0)
    with pytest.raises(UsageError, match="losses: must be finite"):
        expected_shortfall([1, np.nan], 0.5)


def test_cover_over_time(case):
    one = case("M04")
    first, second, limit = one.inputs["P1"], one.inputs["P2"], one.inputs["limit"]
    cover = Cover(
        amount=[first["amount"], second["amount"]],
        signed=[first["sign"], second["sign"]],
        effective=[first["rcd"], second["sign"]],
        ends=[np.inf, second["end"]],
        amortises=[first["amort"], np.inf],
    )
    line = cover_timeline(cover, limit, one.inputs["t"])
    one.close(line.committed, "committed")
    one.close(line.active, "active")
    assert line.over_limit.tolist() == one.expected("over_limit")
    np.testing.assert_allclose(line.headroom, limit - line.committed)
    assert line.peak == 160
    assert line.first_over == 1
    assert line.integral == 100 + 160 + 2 * 160 + 2 * 140 + 60 + 5 * 50
    assert cover_timeline(cover, 200, one.inputs["t"]).first_over == np.inf
    assert not cover_timeline(cover, np.inf, one.inputs["t"]).over_limit.any()


def test_step_down(case):
    one = case("G06")
    terms = Cover(one.inputs["cap0_bn"], signed=-1, effective=0, amortises=one.inputs["years"])
    one.close(terms.cap(one.inputs["t"])[0], "cap_bn")
    assert terms.cap([-1])[0].tolist() == [1.3]  # not before it is effective
    # What is left of the lease counts where it is less than the cap.
    line = cover_timeline(terms, np.inf, [0, 5, 9], remaining=[[1.0, 0.9, 0.05]])
    np.testing.assert_allclose(line.committed, [1.0, 0.65, 0.05])


def test_cover_of_many_replications():
    cover = Cover(amount=[10, 20], signed=[[0, 5], [3, np.inf]], effective=[[1, 5], [9, np.inf]], ends=[[4, 9], [8, 9]])
    line = cover_timeline(cover, 25, [0, 1, 3, 4, 5, 8, 9])
    assert line.committed.tolist() == [[10, 10, 10, 0, 20, 20, 0], [0, 0, 10, 10, 10, 0, 0]]
    assert line.active.tolist() == [[0, 10, 10, 0, 20, 20, 0], [0] * 7]
    assert line.peak.tolist() == [20, 10]
    with pytest.raises(UsageError, match="times: must rise"):
        cover_timeline(cover, 25, [1, 0])
    with pytest.raises(UsageError, match="amortises: must be above zero"):
        Cover(1, 0, 0, amortises=0).cap([1])


def test_exposures():
    # 0 owes 1 100, 1 owes 0 30; 1 holds 20 of collateral. 2 guarantees 50 of 0's debts and holds 15 against it.
    claims = [[0, 100, 0], [30, 0, 0], [0, 0, 0]]
    cover = [[0, 0, 50], [0, 0, 0], [0, 0, 0]]
    collateral = [[0, 20, 15], [0, 0, 0], [0, 0, 0]]
    found = exposures(claims, cover, collateral)
    assert found.gross.tolist() == claims
    assert found.net.tolist() == [[0, 50, 0], [0, 0, 0], [0, 0, 0]]
    assert found.contingent.tolist() == [[0, 0, 35], [0, 0, 0], [0, 0, 0]]
    assert found.total[0].tolist() == [0, 50, 35]
    batch = exposures([claims, np.zeros((3, 3))], cover)
    assert batch.net[0, 0, 1] == 70
    assert batch.contingent[1, 0, 2] == 50
    with pytest.raises(UsageError, match="must be square"):
        exposures([[1, 2]])


def test_vendor_exposure():
    assert vendor_exposure(100, 40, [30, 200]).tolist() == [110, -60]
