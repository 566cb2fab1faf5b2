"""The JSON Schema: sound by itself, true to the blocks, and no stricter than the language."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dcsim.quantity.families import LAW_NAMES
from dcsim.scenario import archetypes, tree
from dcsim.scenario.describe import DEFAULTS, documentation, json_schema
from dcsim.scenario.site import Site, Workstream
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.template import template
from dcsim.scenario.yaml_reader import read_file, read_yaml

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
SCHEMA = json_schema()
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        real = isinstance(value, int | float) and not isinstance(value, bool)
        return real and (name == "number" or value == int(value))
    return isinstance(value, TYPES[name])


def accepts(schema: Any, value: Any) -> bool:
    """Whether a value is valid, by as much of JSON Schema as ours uses."""
    if schema is True:
        return True
    if "$ref" in schema:
        return accepts(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], value)
    kinds = schema.get("type")
    if kinds is not None and not any(is_type(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(accepts(one, value) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(accepts(one, value) for one in schema["oneOf"]) != 1:
        return False
    if isinstance(value, Mapping):
        return accepts_mapping(schema, value)
    if isinstance(value, list):
        sized = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return sized and all(accepts(schema.get("items", True), item) for item in value)
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, int | float):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        inside = value > schema.get("exclusiveMinimum", value - 1) and value < schema.get("exclusiveMaximum", value + 1)
        return bool(low <= value <= high and inside)
    return True


def accepts_mapping(schema: Any, value: Mapping[str, Any]) -> bool:
    if any(name not in value for name in schema.get("required", ())):
        return False
    if len(value) < schema.get("minProperties", 0):
        return False
    names, known = schema.get("propertyNames", {}), schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    for key, below in value.items():
        if not re.search(names.get("pattern", ""), str(key)):
            return False
        if rest is False and key not in known:
            return False
        if not accepts(known.get(key, rest), below):
            return False
    return True


def parts(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, Mapping):
        for below in node.values():
            yield from parts(below)
    elif isinstance(node, list):
        for below in node:
            yield from parts(below)


def test_it_is_json_and_every_reference_leads_somewhere() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    targets = {part["$ref"] for part in parts(SCHEMA) if isinstance(part, Mapping) and "$ref" in part}
    assert targets == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


def test_it_knows_every_field() -> None:
    assert set(SCHEMA["properties"]) == set(ScenarioSpec.model_fields)
    fields = {info.alias or name for name, info in Site.model_fields.items()}
    assert set(SCHEMA["$defs"]["Site"]["properties"]) == fields | {"like", "enabled"}
    assert "from" in SCHEMA["$defs"]["GuaranteeRequest"]["properties"]
    assert set(DEFAULTS) <= {*archetypes._COLLECTIONS, *archetypes._INSIDE_SITE}


def test_fields_carry_their_words_and_units() -> None:
    fail = SCHEMA["$defs"]["Workstream"]["properties"]["fail"]
    assert fail["description"] == documentation(Workstream)["fail"] == "Chance that it fails."
    assert (fail["x-unit"], fail["x-worse"]) == ("fraction", "high")
    assert {"type": "number", "minimum": 0, "maximum": 1} in fail["anyOf"]
    assert SCHEMA["$defs"]["Lease"]["properties"]["rent"]["x-unit"] == "usd_per_kw_month"
    assert SCHEMA["$defs"]["Workstream"]["properties"]["source"]["description"].startswith("Id of an entry")
    for name, definition in SCHEMA["$defs"].items():
        assert definition.get("description") or name.startswith("Meta-"), name


def test_laws_and_wrappers_are_real() -> None:
    law = SCHEMA["$defs"]["Law"]
    assert {name for one in law["oneOf"] for name in one["required"]} == set(LAW_NAMES)
    assert accepts(law, {"lognormal": {"median": 60, "p90": "120 days"}, "source": "x"})
    assert accepts(law, {"lognormal": {"mean": 60, "cv": 0.5}, "unit": "months", "times": 2})
    assert accepts(law, {"empirical": {"csv": "a.csv", "column": "days"}})
    assert not accepts(law, {"lognormal": {"median": 60}})
    assert not accepts(law, {"lognormal": {"median": 60, "p90": 90, "p99": 99}})
    assert not accepts(law, {"lognorml": {"median": 60, "p90": 90}})
    assert not accepts(law, {"uniform": {"low": 1, "high": 2}, "pert": {"low": 1, "mode": 2, "high": 3}})
    assert accepts(SCHEMA["$defs"]["WrappedNumber"], {"value": "$1bn", "range": [1, 2], "whatif": "Limit"})
    assert not accepts(SCHEMA["$defs"]["WrappedNumber"], {"range": [1, 2]})


def raw(text: str) -> Any:
    return tree.plain(read_yaml(text))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_are_valid(path: Path) -> None:
    assert accepts(SCHEMA, tree.plain(read_file(path)))


def test_the_template_is_valid() -> None:
    assert accepts(SCHEMA, raw(template()))


FORMS = """\
version: 1
name: forms
start: 2027-01-01
horizon: 2033-12-31
tenants: {source: guess, lab: {teams: {deal: {value: 2, range: [1, 3]}, install: {count: 3, works: [mon]}}}}
parties:
  csv: parties.csv
  oak: {rating: {value: BB, source: x}, supply: {racks: {2027-01-01: 400/month}}}
  elm:
defaults: {site: {loi: none}, workstream: {team: none}}
archetypes: {source: guess, field: {diligence: {power: {fail: 0.1}}}}
chips: {orders: {each: {ordered: {value: 2027-01-01, source: x}, product: one, racks: {times: 2}}}}
sites:
  a: {like: field, enabled: false, phases: [48 MW, 30, {mw: 5}], tags: letters}
  b: {loi: 2027-01-01, construction: {activities: {shell: none}, equipment: null}, lease: {rent: {plus: 5}}}
  c: {loi: {signed: {after: [a.lost, b.lost], delay: {exponential: {mean: 5}}}}, guarantee: {from: oak}}
  d: {loi: {signed: {pert: {low: 2027-01-01, mode: 2027-02-01, high: 2027-03-01}}}, phases: {p: {mw: 1 GW}}}
what_ifs: {x: {sites.*.lease.rent: {times: 2}, sites.a: null}}
"""


def test_every_form_of_the_language_is_let_through() -> None:
    assert accepts(SCHEMA, raw(FORMS))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: forms\n", ""),
        ("version: 1", "version: 2"),
        ("name: forms", "name: forms\nnaem: x"),
        ("fail: 0.1", "fail: 1.1"),
        ("fail: 0.1", "fial: 0.1"),
        ("rating: {value: BB, source: x}", "rating: XX"),
        ("{mw: 5}", "{mw: 5, committed: [2027-01-01]}"),
        ("loi: 2027-01-01", "loi: 5"),
        ("{exponential: {mean: 5}}", "{exponential: {meen: 5}}"),
        ("works: [mon]", "works: [monday]"),
        ("  a: {like", "  A: {like"),
        ("enabled: false", "enabled: 0"),
    ],
)
def test_faults_are_seen(old: str, new: str) -> None:
    assert FORMS.count(old) == 1
    assert not accepts(SCHEMA, raw(FORMS.replace(old, new)))


@pytest.mark.skipif(importlib.util.find_spec("jsonschema") is None, reason="jsonschema is not installed")
def test_a_validator_of_others_agrees() -> None:
    import jsonschema  # type: ignore[import-untyped, unused-ignore]

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for text in (FORMS, template(), *(path.read_text() for path in SCENARIOS)):
        assert not list(validator.iter_errors(raw(text)))
    assert list(validator.iter_errors(raw(FORMS.replace("fail: 0.1", "fial: 0.1"))))
