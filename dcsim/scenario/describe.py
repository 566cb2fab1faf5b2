"""The scenario language as a JSON Schema (2020-12), for editors and other programs.

It is drawn from the blocks themselves, with what may be written besides: units, laws, wrappers, short-hands, what is
inherited. Where the language is wider than a schema can say (an entry may inherit a field that it must have), the
schema lets pass what `dcsim check` would refuse; it refuses nothing that is allowed.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from dcsim.quantity.families import FAMILIES
from dcsim.scenario.fields import ID, Block
from dcsim.scenario.sheets import SECTIONS
from dcsim.scenario.spec import VERSION, ScenarioSpec

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ID = f"^{ID.pattern}$"
_SHARED = ("Law", "Wrapped", "WrappedNumber", "Change")
_PROVENANCE = ("source", "as_of", "confidence")
DEFAULTS = {
    "site": "Site",
    "party": "Party",
    "tenant": "Tenant",
    "region": "Region",
    "product": "Product",
    "order": "Order",
    "workstream": "Workstream",
    "activity": "Activity",
}
"""What stands under `defaults`, and the block that it is."""

_NOTHING: list[Schema] = [{"type": "null"}, {"const": "none"}]
"""What takes away a block that is inherited."""


def json_schema() -> Schema:
    """The JSON Schema of a scenario; units stand as `x-unit`, the worse direction of a number as `x-worse`."""
    drawn = ScenarioSpec.model_json_schema(by_alias=True)
    blocks = {block.__name__: block for block in _blocks(Block)}
    entries = _entries(drawn)
    definitions = {
        name: _block(schema, blocks[name], entry=name in entries)
        for name, schema in drawn.pop("$defs").items()
        if name != "When"
    }
    definitions.update(_shared_definitions())
    site = definitions["Site"]["properties"]
    site["loi"]["anyOf"].append({"type": "string", "description": "The date it was signed."})
    several = {"type": "array", "items": {"anyOf": [{"type": ["number", "string"]}, _ref("Phase")]}}
    site["phases"]["anyOf"].append({**several, "description": "MW of phases that are called p1, p2, …"})
    top = _block(drawn, ScenarioSpec, entry=False)
    top["required"] = drawn["required"]
    top["properties"]["version"] = {"const": VERSION, "description": "The version of this language."}
    top["properties"]["defaults"] = _defaults()
    top["properties"]["archetypes"] = _section({"patternProperties": {_ID: _ref("Site")}, "type": "object"})
    _admit_sheets(top, definitions)
    return {
        "$schema": DIALECT,
        "title": "dcsim scenario",
        **{key: value for key, value in top.items() if key != "title"},
        "$defs": dict(sorted(definitions.items())),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _blocks(block: type[Block]) -> Iterable[type[Block]]:
    for below in block.__subclasses__():
        yield below
        yield from _blocks(below)


# Blocks and their fields.


def _block(drawn: Schema, block: type[Block], entry: bool) -> Schema:
    """A block: every field in every form; nothing is required, as all may be inherited."""
    notes = documentation(block)
    properties = {}
    for name, info in block.model_fields.items():
        key = info.alias or name
        note = notes.get(name)
        properties[key] = _field(drawn["properties"][key], note, is_meta=key in _PROVENANCE)
    if entry:
        properties["like"] = {"type": "string", "description": "Takes over another entry, or an archetype."}
        properties["enabled"] = {"type": "boolean", "description": "false: as if it were not written."}
    out: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if drawn.get("description"):
        out["description"] = drawn["description"]
    return out


def _field(drawn: Schema, note: str | None, is_meta: bool) -> Schema:
    """A field: its own forms, null (as if left out), and the wrapper with provenance."""
    forms = _forms(drawn)
    out: Schema = {}
    if note:
        out["description"] = note
    units = [form for form in forms if "x-unit" in form]
    for key in ("x-unit", "x-worse"):
        if units:
            out[key] = units[0].pop(key)
    if "default" in drawn and drawn["default"] not in (None, "", [], {}):
        out["default"] = drawn["default"]
    if not units and not is_meta:
        forms.append(_ref("Wrapped"))
    if any(form.get("$ref", "").rpartition("/")[2] not in ("", *_SHARED) or "propertyNames" in form for form in forms):
        forms += _NOTHING
    elif {"type": "null"} not in forms:
        forms.append({"type": "null"})
    out["anyOf"] = [form for i, form in enumerate(forms) if form not in forms[:i]]
    return out


def _forms(drawn: Schema) -> list[Schema]:
    """The forms that a drawn schema stands for, one schema each."""
    if "x-unit" in drawn:
        return _number(drawn)
    for key in ("anyOf", "oneOf"):
        if key in drawn:
            return [form for one in drawn[key] for form in _forms(one)]
    if drawn.get("type") == "object" and "properties" not in drawn:
        return [_section(drawn)]
    if drawn.get("type") == "array":
        return [{"type": "array", "items": {"anyOf": _forms(drawn["items"])}}]
    return [{key: value for key, value in drawn.items() if key not in ("title", "default", "description")}]


def _number(drawn: Schema) -> list[Schema]:
    """A number in the unit of its field, a text with a unit, a law where one is allowed, a wrapper, a change."""
    bounds = {key: value for key, value in drawn.items() if key.lower().endswith(("minimum", "maximum"))}
    plain = {"type": "integer" if drawn["x-whole"] else "number", **bounds}
    forms: list[Schema] = [{**plain, "x-unit": drawn["x-unit"], "x-worse": drawn["x-worse"]}, {"type": "string"}]
    if not drawn["x-constant"]:
        forms.append(_ref("Law"))
    return [*forms, _ref("WrappedNumber"), _ref("Change")]


def _section(drawn: Schema) -> Schema:
    """Entries by id (or by date, or by path), among which provenance may stand."""
    out: Schema = {"type": "object", "properties": {key: _ref(f"Meta-{key}") for key in _PROVENANCE}}
    if "patternProperties" in drawn:
        (pattern, entry), *_ = drawn["patternProperties"].items()
        out["propertyNames"] = {"pattern": pattern}
        out["additionalProperties"] = {"anyOf": [*_forms(entry), *_NOTHING]}
    elif isinstance(drawn.get("additionalProperties"), Mapping):
        out["additionalProperties"] = {"anyOf": [*_forms(drawn["additionalProperties"]), {"type": "null"}]}
    return out


def _entries(drawn: Schema) -> frozenset[str]:
    """Names of the blocks that are entries of a section, wherever it is."""
    found = set()

    def look(node: Any, inside: bool) -> None:
        if isinstance(node, Mapping):
            if inside and "$ref" in node:
                found.add(node["$ref"].rpartition("/")[2])
            for key, value in node.items():
                look(value, key == "patternProperties" or (inside and key != "properties"))
        elif isinstance(node, list):
            for item in node:
                look(item, inside)

    look(drawn, False)
    return frozenset(found)


def _admit_sheets(top: Schema, definitions: Schema) -> None:
    """Sections whose entries may come from a file."""
    for place in SECTIONS:
        properties = top["properties"] if len(place) == 1 else definitions[place[0].title()]["properties"]
        if place[-1] not in properties:
            continue
        for form in properties[place[-1]]["anyOf"]:
            if "propertyNames" in form:
                form["properties"].update({key: {"type": "string"} for key in ("csv", "xlsx", "sheet")})


def _defaults() -> Schema:
    properties: Schema = {name: {"anyOf": [_ref(block), *_NOTHING]} for name, block in DEFAULTS.items()}
    properties.update({key: _ref(f"Meta-{key}") for key in _PROVENANCE})
    note = "What every entry of a kind takes before its own."
    return {"type": "object", "description": note, "properties": properties, "additionalProperties": False}


# What fields have in common.


def _shared_definitions() -> Schema:
    """Laws, wrappers, changes, dates."""
    amount: Schema = {"type": ["number", "string"]}
    meta: Schema = {
        "source": {"type": "string", "description": "Id of an entry of `sources`, or `guess`."},
        "as_of": {"type": ["string", "integer"], "description": "Date at which it held."},
        "confidence": {"enum": ["high", "medium", "low", "guess"]},
        "range": {"type": "array", "items": amount, "minItems": 2, "maxItems": 2},
        "whatif": {"type": "string", "description": "Label of its slider."},
        "kind": {"enum": ["aleatory", "epistemic"], "description": "Luck, or ignorance that all users share."},
    }
    optional = {key: {"anyOf": [schema, {"type": "null"}]} for key, schema in meta.items()}
    changes = {
        "times": amount,
        "plus": {"anyOf": [amount, {"type": "array", "items": amount}]},
        "shift": {"anyOf": [amount, {"type": "array", "items": amount}]},
    }
    beside = {
        **optional,
        **changes,
        "unit": {"type": "string", "description": "Unit of bare numbers, such as months."},
        "loads": {"type": "object", "additionalProperties": {"type": ["number", "string", "object"]}},
    }
    laws = {name: _law(name) for name in FAMILIES}
    laws["discrete"] = {"type": "object", "description": "{value: weight, …}", "additionalProperties": amount}
    column = {"type": "object", "properties": {"csv": {"type": "string"}, "column": {"type": "string"}}}
    laws["empirical"] = {"anyOf": [{"type": "array", "items": amount, "minItems": 1}, {**column, "required": ["csv"]}]}
    law: Schema = {
        "description": "A law, and what may stand beside it.",
        "type": "object",
        "properties": {**laws, **beside},
        "oneOf": [{"required": [name]} for name in laws],
        "additionalProperties": False,
    }
    value = {"anyOf": [amount, _ref("Law"), _ref("WrappedNumber")]}
    wrapped: Schema = {
        "description": "A number, and what may stand beside it.",
        "type": "object",
        "properties": {"value": value, "constant": value, **beside},
        "oneOf": [{"required": ["value"]}, {"required": ["constant"]}],
        "additionalProperties": False,
    }
    around: Schema = {
        "description": "Any value, with where it comes from.",
        "type": "object",
        "properties": {"value": {}, **optional},
        "required": ["value"],
        "additionalProperties": False,
    }
    change: Schema = {
        "description": "Changes the number that is inherited: times a factor, plus an amount.",
        "type": "object",
        "properties": {"times": amount, "plus": amount},
        "minProperties": 1,
        "additionalProperties": False,
    }
    return {
        "Law": law,
        "WrappedNumber": wrapped,
        "Wrapped": around,
        "Change": change,
        "When": _when(optional),
        **{f"Meta-{key}": {"anyOf": [meta[key], {"type": "null"}]} for key in _PROVENANCE},
    }


def _law(name: str) -> Schema:
    family = FAMILIES[name]
    given = [{"required": list(names)} for names in family.given]
    parameters: Schema = {key: {"type": ["number", "string"]} for key in family.parameters}
    out: Schema = {
        "type": "object",
        "properties": {**parameters, "unit": {"type": "string"}},
        "additionalProperties": False,
    }
    return {**out, **(given[0] if len(given) == 1 else {"anyOf": given})}


def _when(meta: Schema) -> Schema:
    names = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    days = {"anyOf": [{"type": ["number", "string"]}, _ref("Law"), _ref("WrappedNumber"), _ref("Change")]}
    delayed: Schema = {
        "type": "object",
        "properties": {
            "after": {**names, "description": "Milestones that must all be reached; `start`: the calendar."},
            "delay": {**days, "description": "Days after the last of them.", "x-unit": "days", "x-worse": "high"},
            **{key: meta[key] for key in _PROVENANCE},
        },
        "anyOf": [{"required": ["after"]}, {"required": ["delay"]}],
        "additionalProperties": False,
    }
    written = "A date (2027-03-31), `day 600`, `start`, or a milestone."
    forms = [{"type": "string", "description": written}, {"type": "array", "items": {"type": "string"}}]
    described = str(inspect.getdoc(_named("When")))
    return {"description": described, "anyOf": [*forms, delayed, _ref("Law"), _ref("Wrapped"), _ref("Change")]}


# The words that stand below fields in the code.


def _named(name: str) -> type[Block]:
    return next(block for block in _blocks(Block) if block.__name__ == name)


def documentation(block: type[BaseModel]) -> dict[str, str]:
    """What is said of each field of a block, by the field's name in the code."""
    notes: dict[str, str] = {}
    for base in reversed(block.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            notes.update(_notes(base.__module__).get(base.__name__, {}))
    return notes


@cache
def _notes(module: str) -> dict[str, dict[str, str]]:
    """The texts below the fields of every class of a module."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        notes = found.setdefault(node.name, {})
        for field, text in zip(node.body, node.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            said = text.value if isinstance(text, ast.Expr) else None
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                notes[field.target.id] = inspect.cleandoc(said.value)
    return found
