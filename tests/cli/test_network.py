"""`dcsim network`: what it prints, the files it writes, and wrong calls."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

from dcsim import load

from .conftest import ROOT, WALK, Call

QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"


def test_text(call: Call) -> None:
    shown = call("network", QUICKSTART, "--at", "2030-06-30", "--replication", "0")
    assert shown.exit_code == 0
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[:3] == [
        "Three letters of intent",
        "network at the end of 2030-06-30, replication 0, seed 7",
        "amounts in US$ million",
    ]
    assert max(map(len, lines)) <= 80
    heads = [line.split()[0] for line in lines if line.startswith("  ") and line.strip()]
    for what in ("party", "guarantor", "concentration", "supplier", "owes,", "HHI:", "loops:", "cash-funded:"):
        assert what in heads, what
    cloudmaker = next(line.split() for line in lines if line.startswith("  cloudmaker") and "AA" in line)
    assert cloudmaker[1] == "guarantor,"


def test_the_plan_is_the_default_and_the_horizon_the_date(call: Call) -> None:
    shown = call("network", WALK)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[1] == f"network at the end of {load(WALK).horizon}, the plan"
    assert call("network", WALK, "--plan").stdout == shown.stdout


def test_json(call: Call) -> None:
    shown = call("network", QUICKSTART, "--at", "2030-06-30", "--replication", "0", "--json")
    answer = json.loads(shown.stdout)
    assert (answer["date"], answer["replication"], answer["seed"]) == ("2030-06-30", 0, 7)
    graph = nx.node_link_graph(answer["graph"], edges="edges")
    assert set(graph) >= {"lab", "oak", "elm", "cloudmaker", "bank", "chipmaker"}
    lab = next(party for party in answer["parties"] if party["party"] == "lab")
    leases = [edge for edge in answer["graph"]["edges"] if edge["kind"] == "lease" and edge["source"] == "lab"]
    assert leases
    assert lab["owes_usd_m"] >= sum(edge["due_usd_m"] for edge in leases) > 0
    guarantor = answer["guarantors"][0]
    assert guarantor["headroom_usd_m"] == pytest.approx(guarantor["limit_usd_m"] - guarantor["committed_usd_m"])
    assert answer["concentration"][0]["by"] == "lender"
    assert answer["concentration"][0]["hhi"] == 1.0
    assert len(answer["definitions"]) == 4


def test_of_a_run(call: Call, blank: Path) -> None:
    call("run", blank, "--replications", "3", "--out", "x", "--quiet")
    there = call("network", "x", "--replication", "2", "--json")
    here = call("network", blank, "--replication", "2", "--json")
    assert there.exit_code == here.exit_code == 0
    assert json.loads(there.stdout)["graph"] == json.loads(here.stdout)["graph"]


def test_files(call: Call, tmp_path: Path) -> None:
    for name in ("n.graphml", "n.json"):
        shown = call("network", QUICKSTART, "--at", "2029-01-01", "--out", name)
        assert shown.exit_code == 0
        assert shown.stderr == f"written: {name}\n"
    assert nx.read_graphml(tmp_path / "n.graphml").number_of_nodes() >= 6
    assert json.loads((tmp_path / "n.json").read_text(encoding="utf-8"))["multigraph"] is True
    pytest.importorskip("matplotlib")
    assert call("network", QUICKSTART, "--at", "2029-01-01", "--out", "n.png").exit_code == 0
    assert (tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_calls(call: Call, tmp_path: Path) -> None:
    call("run", WALK, "--out", "x", "--quiet")
    for arguments, message in (
        ([WALK, "--at", "soon"], "expected a date such as 2028-01-01, got 'soon'"),
        ([WALK, "--at", "2050-01-01"], "2050-01-01 is not within"),
        ([WALK, "--plan", "--replication", "1"], "the plan has no replications"),
        ([WALK, "--out", "n.gml"], "ends in .graphml, .json, .png, .svg"),
        (["x", "--set", "seed=2"], "a finished run cannot be changed"),
        (["x", "--replication", "1"], "replication 1 is not in these results"),
        ([tmp_path], "is a directory without results"),
    ):
        shown = call("network", *arguments)
        assert shown.exit_code == 2, arguments
        assert message in shown.stderr
        assert shown.stdout == ""
