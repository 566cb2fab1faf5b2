"""DebtRank: the two forms, the series in closed form, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from dcsim.errors import UsageError
from dcsim.network.arrays import matrix
from dcsim.network.debtrank import debtrank, impact


def test_two_forms(case):
    one = case("R02")
    passes = matrix([tuple(edge) for edge in one.inputs["W"]], [0, 1])
    now = debtrank(passes, one.inputs["v"], one.inputs["h0"])
    one.close(now.shares, "h_2015")
    one.close(now.debtrank, "DR_2015")
    then = debtrank(passes, one.inputs["v"], one.inputs["h0"], once=True)
    one.close(then.shares, "h_2012")
    one.close(then.debtrank, "DR_2012")


def test_distress_is_the_geometric_series_until_somebody_is_wiped_out():
    rng = np.random.default_rng(1)
    passes = rng.random((40, 5, 5)) * 0.19 * (1 - np.eye(5))
    shock = rng.random((40, 5)) * 0.2
    result = debtrank(passes, [0.2] * 5, shock)
    series = np.linalg.solve(np.eye(5) - np.swapaxes(passes, 1, 2), shock[..., None])[..., 0]
    assert (series < 1).all()
    np.testing.assert_allclose(result.shares, series, rtol=1e-12)
    np.testing.assert_allclose(result.debtrank, (series - shock).sum(axis=1) / 5, rtol=1e-12)
    for i in range(40):
        assert np.array_equal(debtrank(passes[i], [0.2] * 5, shock[i]).shares, result.shares[i])


def test_distress_stops_at_one_and_passes_on_no_more():
    # The shock at 0 wipes out 1, whose creditor 2 loses half; the loop 1 <-> 2 would explode without the bound.
    passes = [[0, 3, 0], [0, 0, 0.5], [0, 4, 0]]
    result = debtrank(passes, [0, 0, 1], [0.5, 0, 0])
    assert result.shares.tolist() == [0.5, 1, 0.5]
    assert result.debtrank == 0.5


def test_impact():
    owed = [[0, 30, 20], [0, 0, 10], [0, 0, 0]]
    expected = [[0, 0.6, 0], [0, 0, 0], [0, 0, 0]]
    assert impact(owed, [10, 50, 0]).tolist() == expected  # nothing for who has no equity
    assert impact(owed, [10, 50, -5]).tolist() == expected
    assert impact(owed, [10, 50, 40], [0.5, 0.1, 1]).tolist() == [[0, 0.3, 0.25], [0, 0, 0.025], [0, 0, 0]]


def test_it_is_where_the_steps_lead():
    """The definition stepped on, in networks of which many have rings that wipe somebody out."""
    rng = np.random.default_rng(5)
    passes = rng.random((300, 6, 6)) * (rng.random((300, 6, 6)) < 0.4) * (1 - np.eye(6))
    shock = rng.random((300, 6)) * (rng.random((300, 6)) < 0.3)
    before, after = np.zeros_like(shock), shock
    for _ in range(3000):
        before, after = after, np.minimum(1, after + ((after - before)[:, None, :] @ passes)[:, 0])
    result = debtrank(passes, [1 / 6] * 6, shock)
    np.testing.assert_allclose(result.shares, after, rtol=1e-9, atol=1e-12)
    assert 0.2 < (result.shares == 1).mean() < 0.8


def test_a_ring_that_passes_on_everything_fills_up():
    """A hair of distress goes round until all are wiped out, however many turns it takes; outside the ring nothing."""
    result = debtrank([[0, 1, 0], [1, 0, 0], [0.5, 0, 0]], [1, 1, 1], [1e-12, 0, 0])
    assert result.shares.tolist() == [1, 1, 0]
    almost = debtrank([[0, 1], [1 - 1e-3, 0]], [1, 1], [1e-6, 0])
    np.testing.assert_allclose(almost.shares, 1e-3, rtol=1e-9)


def test_refusals():
    with pytest.raises(UsageError, match="must be square"):
        debtrank([[0, 1]], [1], [0])
    with pytest.raises(UsageError, match="shapes do not fit"):
        debtrank(np.zeros((2, 2)), [1, 1, 1], [0, 0])
    with pytest.raises(UsageError, match="shock: must be between 0 and 1"):
        debtrank(np.zeros((2, 2)), [1, 1], [0, 1.1])
