"""Faulty numbers and dates do not hide what is wrong with references and order elsewhere in the file."""

from __future__ import annotations

import pytest

from dcsim.errors import ScenarioError
from dcsim.scenario.scenario import parse

TEXT = """\
version: 1
name: bad
start: 2026-07-01
horizon: 2029-06-30
replication: 10
parties:
  lab: {rating: BBX}
  bank: {rating: A, lending: {capacity: 1, min_rating: BBB-, rate: 7, closing: {lognormal: {median: 60, p90: 30}}}}
  backer: {rating: AA, guarantee: {limit: $2bn}}
tenants:
  lab: {decision: {policy: every_pasing}}
sites:
  meadow:
    tenant: labb
    developer: builder
    region: hre
    loi: {signed: 2026-13-01, exclusivity: 400 MW}
    diligence: {power: {duration: 60, after: title}, title: {duration: 3, after: power}}
    guarantee: {from: bank}
    financing: {lenders: [backer], cost: $11m/MW, equity: 80}
    phases: {all: {mw: "100"}}
    construction: {grid: [{share: 1.0, delay: 300 dys}]}
"""
EXPECTED = [
    (5, "UNKNOWN", "replications"),
    (7, "UNKNOWN", "BBX"),
    (8, "RANGE", "did you mean 0.07"),
    (8, "RANGE", "p90 must be above the median"),
    (11, "UNKNOWN", "every_passing"),
    (14, "REF", "did you mean 'lab'"),
    (15, "REF", "builder"),
    (16, "REF", "hre"),
    (17, "DATE", "month"),
    (17, "TYPE", "duration"),
    (18, "CYCLE", "power waits for title"),
    (19, "REF", "not a guarantor"),
    (20, "REF", "not a lender"),
    (20, "RANGE", "did you mean 0.8"),
    (21, "TYPE", "remove the quotes"),
    (22, "UNKNOWN", "days"),
]


def test_every_problem_of_a_file_is_told_at_once_with_its_place():
    with pytest.raises(ScenarioError) as caught:
        parse(TEXT, "bad.yaml")
    found = [(p.mark.line, p.code, p.message) for p in caught.value.problems if p.mark is not None]
    assert len(found) == len(caught.value.problems)
    assert [(line, code) for line, code, _ in found] == [(line, code) for line, code, _ in EXPECTED]
    for (_, _, message), (_, _, words) in zip(found, EXPECTED, strict=True):
        assert words in message
