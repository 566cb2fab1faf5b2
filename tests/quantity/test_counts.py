"""Counts by inverse, against scipy.stats, over both ways of computing them."""

import numpy as np
import pytest
import scipy.stats

from dcsim.quantity.counts import binomial_ppf, poisson_ppf
from dcsim.quantity.special import LARGEST_U, SMALLEST_U

U = [SMALLEST_U, 1e-6, *((np.arange(199) + 0.5) / 199).tolist(), 1 - 1e-6, 1 - 2.0**-38]


@pytest.mark.parametrize("mean", [0.001, 0.3, 1, 5, 30, 63.9, 64.1, 1000, 123_456.7])
def test_poisson(mean: float) -> None:
    counts = [poisson_ppf(u, mean) for u in U]
    assert counts == scipy.stats.poisson(mean).ppf(U).astype(int).tolist()
    assert all(type(count) is int for count in counts)
    assert counts[-1] <= poisson_ppf(LARGEST_U, mean) < mean + 40 + 10 * mean**0.5


@pytest.mark.parametrize(
    ("n", "p"),
    [(1, 0.5), (12, 0.05), (12, 0.95), (72, 0.1), (1000, 0.063), (1000, 0.5), (1000, 0.937), (1000, 0.999),
     (50_000, 0.001), (50_000, 0.4), (50_000, 0.9), (1_000_000, 1e-7), (128, 0.5), (129, 0.5)],
)  # fmt: skip
def test_binomial(n: int, p: float) -> None:
    counts = [binomial_ppf(u, n, p) for u in U]
    law = scipy.stats.binom(n, p)
    for u, count in zip(U, counts, strict=True):
        # the least count that reaches u, give or take the last digit of the cumulative probability
        slack = 1e-11 * min(u, 1 - u) + 3e-16
        assert law.cdf(count) >= u - slack
        assert count == 0 or law.cdf(count - 1) <= u + slack
    assert counts == sorted(counts)
    assert counts[0] >= 0
    assert counts[-1] <= binomial_ppf(LARGEST_U, n, p) <= n
    assert all(type(count) is int for count in counts)


def test_edges() -> None:
    assert poisson_ppf(0.999, 0.0) == 0
    assert [binomial_ppf(u, 7, 0.0) for u in (SMALLEST_U, LARGEST_U)] == [0, 0]
    assert [binomial_ppf(u, 7, 1.0) for u in (SMALLEST_U, LARGEST_U)] == [7, 7]
    assert binomial_ppf(0.5, 0, 0.3) == 0
    for call in (
        lambda: poisson_ppf(0.5, -1.0),
        lambda: poisson_ppf(0.5, float("nan")),
        lambda: binomial_ppf(0.5, -1, 0.5),
        lambda: binomial_ppf(0.5, 3, 1.5),
    ):
        with pytest.raises(ValueError, match=r"must be between|needs n"):
            call()
