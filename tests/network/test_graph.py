"""The graph of a snapshot and the files that it is kept in."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import networkx as nx
import pytest

import dcsim
from dcsim.errors import UsageError
from dcsim.network.graph import graph_of, graphml, node_link, node_link_json
from dcsim.network.picture import Arrow, arrows, column_of, draw, picture, places
from dcsim.network.snapshot import PartyState, Snapshot, Standing

from .handmade import CLOUD, GUARANTEE, LAB, LEASE, LOAN, PARTIES, payments, snapshot


def whole():
    return graph_of(snapshot(paid=payments(("lab", "oak", "rent", 1_500_000), ("oak", "outside", "construction", 7))))


def test_nodes_are_parties_and_edges_carry_the_contract():
    graph = whole()
    assert isinstance(graph, nx.MultiDiGraph)
    assert list(graph) == ["lab", "oak", "bank", "cloud", "outside"]
    assert graph.nodes["cloud"]["roles"] == ("guarantor", "cloud")
    assert graph.nodes["cloud"]["limit_usd_m"] == 70e-6
    assert graph.nodes["lab"]["party"] is LAB
    assert graph.edges["lab", "oak", "lease:lake"]["contract"] is LEASE
    assert graph.edges["cloud", "oak", "guarantee:lake"]["covers"] == "lease:lake"
    assert graph.edges["lab", "oak", "flow:rent:lab:oak"] == {"kind": "flow:rent", "amount_usd_m": 1.5}
    assert graph.graph == {"minute": 1000, "replication": 0}
    assert not [key for _, _, key in graph_of(snapshot(paid=payments(("lab", "oak", "rent", 5))), flows=False).edges
                if key.startswith("flow")]  # fmt: skip


def test_claims_guarantees_and_payments_point_the_right_way():
    """Debtor to creditor, guarantor to beneficiary, payer to payee."""
    ways = {data["kind"]: (source, target) for source, target, data in whole().edges(data=True)}
    assert ways == {
        "lease": ("lab", "oak"),
        "loan": ("oak", "bank"),
        "guarantee": ("cloud", "oak"),
        "flow:rent": ("lab", "oak"),
        "flow:construction": ("oak", "outside"),
    }


def test_graphml_comes_back():
    back = nx.read_graphml(BytesIO(graphml(whole())), force_multigraph=True)
    assert set(back) == {"lab", "oak", "bank", "cloud", "outside"}
    assert back.nodes["cloud"]["roles"] == "guarantor, cloud"
    assert "limit_usd_m" not in back.nodes["lab"]
    assert back.nodes["lab"]["in_default"] is False
    loan = back.edges["oak", "bank", "loan:lake:bank"]
    assert (loan["kind"], loan["amount_usd_m"], loan["rank"], loan["active"]) == ("loan", 200e-6, 0, True)
    assert back.number_of_edges() == 5


def test_graphml_takes_any_name():
    nasty = graph_of(snapshot(parties=(*PARTIES, PartyState("x", name="\x1b[2J & <b>"))))
    back = nx.read_graphml(BytesIO(graphml(nasty)), force_multigraph=True)
    assert back.nodes["x"]["name"] == "\\x1b[2J & <b>"


def test_json_comes_back():
    text = node_link_json(whole())
    assert json.loads(text) == node_link(whole())
    back = nx.node_link_graph(json.loads(text), edges="edges")
    assert nx.is_isomorphic(back, whole())
    assert back.edges["oak", "bank", "loan:lake:bank"]["amount_usd_m"] == 200e-6
    assert back.nodes["bank"]["limit_usd_m"] is None


def test_bytes_do_not_depend_on_the_hash_seed():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dcsim.network.graph import graph_of, graphml\n"
        "from dcsim.network.snapshot import *\n"
        "p = tuple(PartyState(n, ('lender', 'fund')) for n in 'abcdef')\n"
        "c = tuple(Standing('loan', n + m, n, m, 1) for n in 'abcdef' for m in 'abcdef' if n < m)\n"
        "sys.stdout.buffer.write(graphml(graph_of(Snapshot(0, p, c))))"
    )
    call = [sys.executable, "-c", code, str(Path(dcsim.__file__).parents[1])]
    once, again = (
        subprocess.run(call, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True) for seed in ("1", "2")
    )
    assert once.stdout == again.stdout


def test_arrows_are_taken_together():
    """Two leases of 60 between the same parties are one arrow; what goes outside is not drawn."""
    second = Standing("lease", "lease:pond", "lab", "oak", due=60)
    abroad = Standing("loan", "x", "oak", "outside", amount=9)
    assert arrows([LEASE, second, LOAN, GUARANTEE, abroad]) == [
        Arrow("lab", "oak", "lease", 2, 120),
        Arrow("oak", "bank", "loan", 1, 200),
        Arrow("cloud", "oak", "guarantee", 1, 25),
    ]


def test_places():
    """Lenders left of developers left of tenants left of guarantors; columns that nobody stands in are closed up."""
    kept = snapshot()
    at = places(kept, arrows(kept.contracts))
    assert {id: x for id, (x, _) in at.items()} == {"bank": 0, "oak": 1, "lab": 2, "cloud": 3}
    assert column_of(CLOUD) == column_of(PartyState("g", ("guarantor",)))
    alone = snapshot(LEASE)
    assert set(places(alone, arrows(alone.contracts))) == {"lab", "oak"}


def test_picture():
    pytest.importorskip("matplotlib")
    kept = snapshot(parties=(*PARTIES, PartyState("idle", name="x")))
    assert picture(kept, "A title with $ in it: 5 $ and \x1b").startswith(b"\x89PNG")
    assert picture(kept, "t", "svg").startswith(b"<?xml")
    (axes,) = draw(kept, "t").axes
    texts = [text.get_text() for text in axes.texts]
    assert "oak\nB" in texts
    assert "without a contract: idle" in texts
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["lease (1, US$0.0bn)", "loan (1, US$0.0bn)", "guarantee (1, US$0.0bn)"]
    assert len(axes.patches) == 3


def test_picture_of_little():
    pytest.importorskip("matplotlib")
    assert picture(snapshot(Standing("loi", "l", "lab", "oak", size=5))).startswith(b"\x89PNG")  # nothing owed
    assert picture(Snapshot(0, (LAB,))).startswith(b"\x89PNG")  # nobody to draw


def test_a_picture_without_matplotlib_is_a_wrong_call(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'dcsim\[plot\]'"):
        draw(snapshot())
