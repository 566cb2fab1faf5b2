"""Cross-holdings: dependency and cascades."""

from __future__ import annotations

import numpy as np
import pytest

from dcsim.errors import UsageError
from dcsim.network.cross_holdings import cascade, dependency


def test_dependency(case):
    one = case("X01")
    one.close(dependency(one.inputs["C"]), "A")
    rest = np.array(one.inputs["Chat"])
    assert np.array_equal(rest, np.diag(1 - np.sum(one.inputs["C"], axis=0)))


def test_cascade(case):
    one = case("X03")
    # The case prints A to ten digits, on which its own answers do not come out to within its tolerance.
    shares, assets = dependency([[0, 0.5], [0.5, 0]]), np.array(one.inputs["asset_values"])
    one.near(shares, one.inputs["A"])
    threshold, cost = one.inputs["threshold"], one.inputs["failure_cost"]
    one.close(cascade(shares, assets, 0, cost).values, "no_failure_values")
    one.close(cascade(shares, assets, [0, threshold[1]], cost).values, "after_2_fails")
    result = cascade(shares, assets, threshold, cost)
    one.close(result.values, "final_values")
    waves = [np.flatnonzero((result.wave > 0) & (result.wave <= r)).tolist() for r in (1, 2)]
    assert waves == one.expected("failure_waves")
    assert result.failed.all()


def test_value_is_shared_out_whole_and_batches_agree():
    rng = np.random.default_rng(2)
    holdings = rng.random((50, 4, 4)) * 0.3 * (1 - np.eye(4))
    shares = dependency(holdings)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    assets, cost = rng.random((50, 4)) * 100, np.full(4, 20.0)
    batch = cascade(shares, assets, 45.0, cost)
    assert 0 < batch.failed.sum() < batch.failed.size
    for i in range(50):
        one = cascade(dependency(holdings[i]), assets[i], 45.0, cost)
        assert np.array_equal(one.wave, batch.wave[i])
        np.testing.assert_allclose(one.values, batch.values[i], rtol=1e-12)
    # Lower assets fail at least the same parties, and all values are what they say.
    assert (cascade(shares, assets * 0.9, 45.0, cost).failed >= batch.failed).all()
    left = np.where(batch.failed, assets - cost, assets)
    np.testing.assert_allclose(batch.values, np.einsum("sij,sj->si", shares, left), rtol=1e-12)


@pytest.mark.parametrize(
    ("holdings", "message"),
    [
        ([[0.1, 0.2], [0.3, 0]], "a party owns itself"),
        ([[0, 1.0], [0.3, 0]], "a party has no owner outside"),
        ([[0, 1.2], [0.3, 0]], "must be between 0 and 1"),
        ([[0, 0.2, 0.1], [0.3, 0, 0.1]], "must be square"),
        ([[0, -0.2], [0.3, 0]], "not negative"),
    ],
)
def test_refusals(holdings, message):
    with pytest.raises(UsageError, match=message):
        dependency(holdings)
