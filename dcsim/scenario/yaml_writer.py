"""Writes a scenario as YAML that reads back to equal data, by the same rules about what a plain scalar means."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from dcsim.scenario.tree import written

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_WIDTH = 140


class _Dumper(_Base):  # type: ignore[misc]
    """Quotes a text exactly where the core schema of YAML 1.2 would read something else."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True


_DIGITS = list("+-.0123456789")
_Dumper.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), _DIGITS)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    _DIGITS,
)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<$"), ["<"])  # a key of that name is quoted


def _float(dumper: Any, value: float) -> Any:
    if math.isnan(value):
        text = ".nan"
    elif math.isinf(value):
        text = ".inf" if value > 0 else "-.inf"
    else:
        text = repr(value)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(float, _float)


def write_yaml(data: Any) -> str:
    """``data`` (mappings, lists, scalars; a tree as read) as YAML text that reads back equal.

    A mapping that was written as a list of entries without names is a list again.
    """
    plain = written(data)
    flat = isinstance(plain, dict) and not any(isinstance(value, dict | list) for value in plain.values())
    text = yaml.dump(
        plain,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False if flat else None,  # innermost mappings on one line, never the whole
        width=_WIDTH,
    )
    return str(text)


def write_inline(data: Any) -> str:
    """``data`` as YAML on one line, for labels."""
    text = yaml.dump(written(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=True,
                     width=10**6)  # fmt: skip
    return str(text).removesuffix("...\n").strip()
