"""`dcsim check`, `dcsim init` and `dcsim schema`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.template import template

from .conftest import ROOT, WALK, Call


def test_a_good_scenario_is_a_line_with_its_size(call: Call) -> None:
    shown = call("check", WALK)
    assert shown.exit_code == 0
    first, second = shown.stdout.splitlines()
    assert first == f"{WALK}: ok: 1 tenant, 1 site, 1 phase, 100 MW, 2026-07-01 to 2029-06-30, 1 replication"
    assert "a run writes at most about" in second
    assert shown.stderr == ""


def test_several_scenarios_are_all_checked(call: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(WALK.read_text(encoding="utf-8").replace("cabling: 5 days", "cabling: 5 MW"), encoding="utf-8")
    shown = call("check", bad, WALK, "nosuch.yaml")
    assert shown.exit_code == 2
    assert f"{WALK}: ok" in shown.stdout
    lines = shown.stderr.splitlines()
    assert lines[0].startswith(f"{bad}:")
    assert "bring_up.cabling" in lines[0]
    assert "nosuch.yaml" in lines[1]
    assert lines[2] == "2 problems"


def test_what_ifs_are_tried(call: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(WALK.read_text(encoding="utf-8") + "what_ifs:\n  soon: {sites.meadow.bring_up.cabling: 5 MW}\n")
    shown = call("check", bad)
    assert shown.exit_code == 2
    assert "what_ifs.soon" in shown.stderr


def test_the_estimate_of_rows_is_an_upper_bound_of_the_right_size(call: Call, blank: Path, tmp_path: Path) -> None:
    from dcsim import open_results

    line = call("check", blank).stdout.splitlines()[1]
    estimated = int(line.split("about ")[1].split(" rows")[0].replace(",", "")) / 200
    call("run", blank, "--replications", "10", "--out", "x", "--quiet")
    tables = open_results(tmp_path / "x").manifest["tables"]
    rows = sum(table["rows"] for name, table in tables.items() if name != "assumptions") / 10
    assert 0.5 * estimated < rows < 1.1 * estimated


def test_init_writes_a_scenario_that_checks_and_runs(call: Call, tmp_path: Path) -> None:
    made = call("init", "mine.yaml")
    assert made.exit_code == 0
    assert made.stdout == ""
    checked = call("check", "mine.yaml")
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert call("run", "mine.yaml", "--replications", "5").exit_code == 0
    assert call("explain", "mine.yaml").exit_code == 0


def test_init_never_replaces_a_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("precious")
    refused = call("init", "mine.yaml")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    assert call("init", "no/such/directory.yaml").exit_code == 2


def test_every_number_of_the_template_is_a_guess() -> None:
    from dcsim.scenario.scenario import parse

    rows = parse(template()).assumptions()
    assert len(rows) > 50
    assert {(source, confidence) for _, _, _, source, _, confidence in rows} == {("guess", "guess")}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


def fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """Names of all fields, as they are written, of a model and everything in it."""
    if model not in seen:
        seen.add(model)
        for name, info in model.model_fields.items():
            yield info.alias or name
            for part in models(info.annotation):
                yield from fields(part, seen)


NOT_WRITTEN = {"calendar", "ended"}
"""Fields that no user writes."""


def test_every_field_of_the_schema_is_in_the_template_or_its_comments() -> None:
    text = template()
    names = set(fields(ScenarioSpec, set())) - NOT_WRITTEN
    # Where a site or phase stands is told by milestones, which one line of the template stands for.
    from dcsim.scenario.fields import PHASE_MILESTONES, SITE_MILESTONES

    names -= {*SITE_MILESTONES, *PHASE_MILESTONES}
    missing = sorted(name for name in names if f"{name}:" not in text)
    assert missing == []


def test_schema_is_json(call: Call) -> None:
    pytest.importorskip("dcsim.scenario.describe")
    shown = call("schema")
    assert shown.exit_code == 0
    schema = json.loads(shown.stdout)
    assert "sites" in schema["properties"]


def test_the_shipped_scenarios_pass(call: Call) -> None:
    shown = call("check", *sorted((ROOT / "scenarios").glob("*.yaml")))
    assert shown.exit_code == 0, shown.stderr
