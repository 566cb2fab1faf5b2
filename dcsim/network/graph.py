"""A snapshot as a networkx graph, and that graph as GraphML and as JSON.

A node is a party. An edge is a contract (its key is the contract's id) or all that one party has paid another for one
thing so far (kind `flow:rent`, key `flow:rent:anthropic:terawulf`). Claims point debtor to creditor, guarantees
guarantor to beneficiary, payments payer to payee. Amounts on the graph are US$ million, as in a scenario.
"""

from __future__ import annotations

import json
from dataclasses import fields
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from dcsim.errors import printable
from dcsim.ledger import OUTSIDE
from dcsim.network.snapshot import PartyState, Snapshot, Standing

if TYPE_CHECKING:
    import networkx as nx

FLOW: Final = "flow:"
"""What the kind of a payment begins with."""


def graph_of(snapshot: Snapshot, flows: bool = True) -> nx.MultiDiGraph:
    """The counterparty network as a `networkx.MultiDiGraph`.

    Node attributes: `name`, `roles` (a tuple), `group`, `rating`, `limit_usd_m`, `equity_usd_m`, `cash_usd_m` (None
    where the scenario does not say), `in_default`, and `party`, the `PartyState` itself. Edge attributes: `kind`,
    `amount_usd_m` (at stake), `due_usd_m`, and `contract`, the `Standing` itself; of payments `kind` and
    `amount_usd_m`, left out with `flows=False`.
    """
    import networkx as nx

    graph = nx.MultiDiGraph(minute=snapshot.minute, replication=snapshot.replication)
    for party in snapshot.parties:
        graph.add_node(party.id, **_node(party), party=party)
    for contract in snapshot.contracts:
        _outsider(graph, contract.source, contract.target)
        graph.add_edge(contract.source, contract.target, key=contract.id, **_edge(contract), contract=contract)
    for paid in snapshot.paid if flows else ():
        _outsider(graph, paid.payer, paid.payee)
        kind = FLOW + paid.kind
        key = f"{kind}:{paid.payer}:{paid.payee}"
        graph.add_edge(paid.payer, paid.payee, key=key, kind=kind, amount_usd_m=paid.dollars / 1e6)
    return graph


def graphml(graph: nx.MultiDiGraph) -> bytes:
    """GraphML, which knows texts, numbers and truth values: lists are joined by commas, what is None is left out."""
    import networkx as nx

    plain = nx.MultiDiGraph(**_plain(graph.graph))
    for node, data in graph.nodes(data=True):
        plain.add_node(node, **_plain(data))
    for source, target, key, data in graph.edges(keys=True, data=True):
        plain.add_edge(source, target, key=key, **_plain(data))
    out = BytesIO()
    nx.write_graphml_xml(plain, out, encoding="utf-8", prettyprint=True, named_key_ids=True)
    return out.getvalue()


def node_link(graph: nx.MultiDiGraph) -> dict[str, Any]:
    """Plain data: nodes with `id`, edges with `source`, `target`, `key`; `networkx.node_link_graph` reads it."""
    return {
        "directed": True,
        "multigraph": True,
        "graph": _bare(graph.graph),
        "nodes": [{"id": node, **_bare(data)} for node, data in graph.nodes(data=True)],
        "edges": [
            {"source": source, "target": target, "key": key, **_bare(data)}
            for source, target, key, data in graph.edges(keys=True, data=True)
        ],
    }


def node_link_json(graph: nx.MultiDiGraph) -> bytes:
    """The same as text."""
    return json.dumps(node_link(graph), indent=1, ensure_ascii=False, allow_nan=False).encode()


def _outsider(graph: nx.MultiDiGraph, *ids: str) -> None:
    """The outside is a node once somebody deals with it."""
    if OUTSIDE in ids and OUTSIDE not in graph:
        graph.add_node(OUTSIDE, **_node(PartyState(OUTSIDE, name=OUTSIDE)), party=None)


def _node(party: PartyState) -> dict[str, Any]:
    return {
        "name": party.name or party.id,
        "roles": party.roles,
        "group": party.group,
        "rating": party.rating,
        "limit_usd_m": _usd_m(party.limit),
        "equity_usd_m": _usd_m(party.equity),
        "cash_usd_m": _usd_m(party.cash),
        "in_default": party.in_default,
    }


def _edge(contract: Standing) -> dict[str, Any]:
    """All that a contract says; dollars as US$ million."""
    said = {field.name: getattr(contract, field.name) for field in fields(contract)}
    for name in ("id", "source", "target"):
        del said[name]
    said["amount_usd_m"], said["due_usd_m"] = said.pop("amount") / 1e6, said.pop("due") / 1e6
    return said


def _usd_m(dollars: int | None) -> float | None:
    return None if dollars is None else dollars / 1e6


def _bare(data: dict[str, Any]) -> dict[str, Any]:
    """Without the objects of ours; texts safe to show."""
    out: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, tuple):
            out[name] = list(value)
        elif value is None or isinstance(value, bool | int | float):
            out[name] = value
        elif isinstance(value, str):
            out[name] = printable(value)
    return out


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """The same with nothing but texts, numbers and truth values."""
    return {
        name: ", ".join(value) if isinstance(value, list) else value
        for name, value in _bare(data).items()
        if value is not None
    }
