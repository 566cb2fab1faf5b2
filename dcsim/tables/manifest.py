"""`manifest.json`: what was run, with what, how it ended, and what the directory holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from dcsim.errors import printable
from dcsim.tables.directory import MANIFEST, ResultsError, write_file
from dcsim.tables.layout import ScenarioLike
from dcsim.tables.writer import TableFile

FORMAT: Final = 1
"""Version of the layout of a results directory."""

Status: TypeAlias = Literal["complete", "interrupted", "failed"]

_PACKAGES: Final = ("simpy", "numpy", "scipy", "networkx", "pandas", "pyarrow", "pydantic", "PyYAML")
_KEYS: Final = ("format", "scenario", "tenants", "replications", "status", "start", "horizon", "tables", "files")
_TRACEBACKS: Final = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A replication that raised: its number, the last line of its traceback, and all of it."""

    replication: int
    error: str
    traceback: str = ""


def build_manifest(
    scenario: ScenarioLike,
    *,
    seed: int,
    asked: int,
    done: int,
    status: Status,
    tables: Mapping[str, TableFile],
    files: Mapping[str, int],
    wall_seconds: float,
    workers: int,
    trace: bool = False,
    failures: Sequence[Failure] = (),
    missing: Sequence[tuple[int, int]] = (),
    error: str | None = None,
    policies: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The manifest as plain data.

    `files` gives the size in bytes of every file beside it; `missing` the ranges (first, last) of replications that
    were never tried, or were lost with a worker. Of many failures the first ones keep their tracebacks. `policies`
    names the Python functions that decided in place of the scenario: a run with any cannot be replayed from its file.
    """
    return {
        "format": FORMAT,
        "dcsim": _version("dcsim"),
        "scenario": {"name": scenario.name, "title": scenario.title, "hash": scenario.hash},
        "tenants": list(scenario.tenants),
        "seed": seed,
        "replications": {"asked": asked, "done": done},
        "start": scenario.start.isoformat(),
        "horizon": scenario.horizon.isoformat(),
        "status": status,
        "error": error,
        "failures": [
            asdict(failure if index < _TRACEBACKS else Failure(failure.replication, failure.error))
            for index, failure in enumerate(failures)
        ],
        "missing": [list(gap) for gap in missing],
        "trace": trace,
        "replayable": not policies,
        "policies": dict(policies or {}),
        "workers": workers,
        "wall_seconds": round(wall_seconds, 3),
        "tables": {name: asdict(table) for name, table in tables.items()},
        "files": dict(sorted(files.items())),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def write_manifest(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json`, last of all files."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(directory / MANIFEST, lambda file: file.write(text.encode()))


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a results directory.

    Raises `ResultsError` if there is none, it cannot be read, or it was written by a newer version.
    """
    shown = printable(str(directory))
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{shown} holds no results: it has no {MANIFEST}") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{shown}: {MANIFEST} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or any(key not in manifest for key in _KEYS):
        raise ResultsError(f"{shown}: {MANIFEST} is not that of a run")
    if manifest["format"] != FORMAT:
        raise ResultsError(f"{shown}: results of format {manifest['format']!r}; this version reads format {FORMAT}")
    return manifest
