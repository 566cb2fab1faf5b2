"""The network of random worlds in which parties stop and fail: snapshots hold together, and failures add up."""

import random

import numpy as np
import pytest
from helpers import DAY, Runner
from test_guarantee_properties import random_text
from test_hardware import BASE
from test_hardware_properties import happens, made

from dcsim.model.snapshot import look
from dcsim.network.balance import balance_of
from dcsim.network.graph import graph_of, graphml
from dcsim.network.guarantees import clear_guaranteed
from dcsim.network.measures import concentrations, guarantors, hanging, positions
from dcsim.network.stress import _assets, fail
from dcsim.network.supplier import suppliers

SEEDS = range(8)


def guaranteed(seed):
    """A world with guarantees, loans, letters of credit, shocks."""
    return Runner(*random_text(random.Random(seed))).world()


def leased(seed):
    """A world with vehicles, notes and orders, and what happens in it."""
    text, events = made(random.Random(seed))
    world = Runner(BASE, text).world()
    for day, what, who in events:
        world.clock.at(day * DAY + 1, lambda what=what, who=who: happens(world, what, who))
    return world


@pytest.mark.parametrize("kind", [guaranteed, leased])
@pytest.mark.parametrize("seed", SEEDS)
def test_at_any_time(kind, seed):
    """Every snapshot can be taken, measured, drawn and cleared. Nobody defaults without a failure unless somebody has
    stopped paying. A failure costs everybody what its parts add up to; what is at stake is never below zero."""
    world = kind(seed)
    kept = [look(world, month - 1, 0) for month in world.blueprint.months[3::9]]
    for snapshot in kept:
        assert all(c.amount >= 0 and c.due >= 0 and c.size >= 0 for c in snapshot.contracts)
        assert graph_of(snapshot).number_of_edges() == len(snapshot.contracts) + len(snapshot.paid)
        assert graphml(graph_of(snapshot))
        owes = sum(p.owes for p in positions(snapshot))
        assert owes == sum(p.owed for p in positions(snapshot))
        assert all(0 <= c.hhi <= 1 for c in concentrations(snapshot))
        assert all(g.active <= g.committed for g in guarantors(snapshot))
        assert all(mw <= sum(p.mw for p in snapshot.phases if p.stands) for mw in hanging(snapshot).values())
        for state in suppliers(snapshot):
            if state.sales:
                assert 0 <= state.cash_funded <= 1 + 1e-9
                assert 0 <= state.credit_supported <= 1 + 1e-9
    balance = balance_of(kept)
    held, outside = _assets(balance, balance.capital)
    claims, guarantees = balance.arrays(outside)
    calm = ~balance.down.any(axis=1)
    assert not clear_guaranteed(claims, held, guarantees).defaulted[calm].any()
    for party in kept[0].parties:
        failure = fail(balance, party.id)
        np.testing.assert_allclose(failure.first + failure.later + failure.calls, failure.loss, atol=1e-3)
        assert (failure.loss >= 0).all()
        assert (failure.write_down > -1).all()
        assert ((failure.debtrank > -1e-9) & (failure.debtrank < 1 + 1e-9)).all()
