"""A thousand random networks: clearing is what Picard's iteration and a linear programme find, and what it must be.

The same properties as in test_clearing_properties.py and test_guarantees.py, which try fewer of them every time.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcsim.network.clearing import clear
from dcsim.network.guarantees import clear_guaranteed

from . import test_clearing_properties as plain
from . import test_guarantees as guaranteed

pytestmark = pytest.mark.slow
SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def test_clearing_is_picard_and_the_linear_programme():
    seen = set()

    @given(SEEDS)
    @MANY
    def check(seed):
        seen.add(seed)
        owed, cash, external = (array[:1] for array in plain.draw(seed))
        result = clear(owed, cash, external)
        plain.same(result.payments, plain.linear_programme(owed, cash, external))
        plain.same(result.payments, plain.picard(owed[:, None], cash, external[:, None]))
        # Conservation: what is there at the start is there at the end, with the parties or outside.
        plain.same(result.equity.sum() + result.outside.sum(), cash.sum())
        plain.same(result.flows.sum(axis=1), result.received)
        # Monotonicity: more cash anywhere never lowers a payment.
        more = np.random.default_rng(seed).integers(0, 20, cash.shape)
        assert (clear(owed, cash + more, external).payments >= result.payments - 1e-9).all()

    check()
    assert len(seen) == 1000


@pytest.mark.timeout(600)
def test_clearing_with_guarantees_is_picard():
    seen = set()
    called = []

    @given(SEEDS, st.sampled_from([(1.0, 1.0), (0.5, 0.9)]))
    @MANY
    def check(seed, costs):
        seen.add((seed, costs))
        claims, cash, guarantees = guaranteed.draw(seed, size=1)
        alpha, beta = costs
        result = clear_guaranteed(claims, cash, guarantees, alpha=alpha, beta=beta)
        claim, guarantee = guaranteed.at(claims, guarantees, 0)
        want = guaranteed.from_above(claim, cash[0], guarantee, alpha, beta)
        np.testing.assert_allclose(claims.amount[0] - result.loss[0], want, rtol=1e-9, atol=1e-9)
        sources = cash.sum() + result.from_letter.sum()
        uses = result.equity.sum() + result.outside.sum() + result.costs.sum()
        np.testing.assert_allclose(uses, sources, rtol=1e-9)
        assert (result.guarantee_paid <= guarantees.cap + 1e-9).all()
        more = np.random.default_rng(seed).integers(0, 20, cash.shape)
        richer = clear_guaranteed(claims, cash + more, guarantees, alpha=alpha, beta=beta)
        assert (richer.recovery >= result.recovery - 1e-11).all()
        called.append(bool((result.guarantee_paid > 0).any()))

    check()
    assert len(seen) == 1000
    assert sum(called) > 300
