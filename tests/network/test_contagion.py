"""Effects of a failure: two clearings compared."""

from __future__ import annotations

import numpy as np
import pytest

from dcsim.errors import UsageError
from dcsim.network.clearing import clear
from dcsim.network.contagion import contagion, each_fails, left_in_default
from dcsim.network.guarantees import OUTSIDE, Claims, Guarantees, clear_guaranteed

CHAIN = [[0, 100, 0], [0, 0, 120], [0, 0, 0]]


def test_multiplier_of_a_chain():
    # A, worth 100, is left with 40 of it: B loses 60, and C in turn 30: 90 written down for 60.
    before, after = clear(CHAIN, [100, 50, 0]), clear(CHAIN, [40, 50, 0])
    effect = contagion(before, after)
    assert effect.direct == 60
    assert effect.write_down == 90
    assert effect.multiplier == 1.5
    assert effect.victims.tolist() == [False, True, False]
    assert effect.waves == 2
    nothing = contagion(before, before)
    assert np.isnan(nothing.multiplier)
    assert nothing.waves == 0


def test_each_party_in_turn():
    failed = each_fails(3)
    before = clear(CHAIN, [100, 50, 0])
    after = clear(
        CHAIN, [100, 50, 0], failed=failed, alpha=left_in_default(failed, 0.4), beta=left_in_default(failed, 0.5)
    )
    effect = contagion(before, after)
    # A: 40 left, as above. B: 0.4 x 50 + 0.5 x 100 = 70 of 120. C owes nothing.
    assert effect.write_down.tolist() == [90, 50, 0]
    assert effect.direct.tolist() == [60, 50, 0]
    assert effect.multiplier[:2].tolist() == [1.5, 1]
    assert effect.victims.tolist() == [[False, True, False], [False] * 3, [False] * 3]
    assert effect.waves.tolist() == [2, 1, 1]


def test_who_failed_before_is_no_victim():
    before, after = clear(CHAIN, [90, 20, 0]), clear(CHAIN, [40, 20, 0])
    assert before.defaulted.tolist() == [True, True, False]
    effect = contagion(before, after)
    assert not effect.victims.any()
    assert effect.write_down == 100  # A 10 and B 10 before; A 60 and B 60 after
    assert effect.direct == 50


def test_guarantor_is_a_victim_of_its_tenant():
    claims = Claims([0, 1], [OUTSIDE, OUTSIDE], [100, 50])
    cover = Guarantees([1], [0], [80])
    before = clear_guaranteed(claims, [100, 75], cover)
    after = clear_guaranteed(claims, [20, 75], cover)
    effect = contagion(before, after)
    assert effect.victims.tolist() == [False, True]
    assert after.own.tolist() == [True, False]
    assert effect.direct == 80
    # The guarantor has 75 for its own 50 and a call of 80: 75 / 130 of each.
    assert effect.write_down == pytest.approx(80 + 50 * 55 / 130)


def test_shares_left():
    assert left_in_default(np.array([True, False]), 0.3, [0.9, 0.8]).tolist() == [0.3, 0.8]
    with pytest.raises(UsageError, match="between 0 and 1"):
        left_in_default(np.array([True, False]), 1.3)
