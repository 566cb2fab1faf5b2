"""A checked scenario: what the simulation reads, and what an edit makes another of."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dcsim.errors import Mark, Problem, ScenarioError, suggest
from dcsim.scenario import archetypes, edit, sheets, tree
from dcsim.scenario.bind import Binding, bind
from dcsim.scenario.check import check
from dcsim.scenario.in_time import InTime, read_in_time
from dcsim.scenario.migrate import migrate
from dcsim.scenario.status import apply_actuals
from dcsim.scenario.strike import strikes
from dcsim.scenario.tree import Node
from dcsim.scenario.validate import read_spec, refuse_too_large, unused_archetypes
from dcsim.scenario.yaml_reader import read_file, read_yaml, write_yaml

PER_PHASE = ("activities", "equipment", "commissioning")
"""Keys of a site's `construction` that each of its phases has for itself."""


class Scenario:
    """A scenario that passed every check. Frozen: `edit` returns another one.

    Built by `load` (a file) or `parse` (text). `warnings` holds what is odd but allowed.
    """

    def __init__(self, raw: Node, folder: Path | None = None) -> None:
        """Check `raw` (a tree as read, sheets not yet joined). Raises ScenarioError with all problems at once."""
        self.folder = folder
        refuse_too_large(raw)
        self.raw = raw = migrate(raw)
        self.filled, problems = archetypes.fill(raw)
        self._resolved = resolved = _per_phase(self.filled, problems)
        reading = read_spec(resolved, problems)
        problems += [*reading.problems, *unused_archetypes(raw)]
        if reading.spec is None:
            raise ScenarioError(_in_order(problems))
        self.spec = reading.spec
        self.binding: Binding
        self.binding, found = bind(self.spec, lambda path: tree.declared_at(resolved, path))
        found += apply_actuals(self.spec)
        self.in_time: InTime
        self.in_time, odd = read_in_time(self.spec, lambda path: tree.declared_at(resolved, path))
        found += odd
        found += check(self.spec, self.filled, raw)
        problems += [_placed(problem, resolved) for problem in found if not reading.hides(problem)]
        errors = [p for p in problems if p.severity == "error"]
        if errors:
            raise ScenarioError(_in_order(errors))
        self.warnings = _in_order(problems)

    # What the other packages ask.

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def start(self) -> dt.date:
        """The date at which time begins: the status date, if there is one."""
        return self.spec.status or self.spec.start

    @property
    def horizon(self) -> dt.date:
        return self.spec.horizon

    @property
    def seed(self) -> int:
        return self.spec.seed

    @property
    def replications(self) -> int:
        return self.spec.replications

    @cached_property
    def hash(self) -> str:
        """64 hex digits over the content: edits count, comments and file names do not."""
        text = json.dumps(tree.written(self.raw), sort_keys=False, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def tenants(self) -> list[str]:
        return list(self.spec.tenants)

    def targets(self, tenant: str) -> list[float]:
        """Target MW of a tenant."""
        return [q.value for q in self.spec.tenants[tenant].targets]

    @cached_property
    def sites(self) -> list[tuple[str, str, str, float]]:
        """(tenant, site, phase, IT MW), in file order."""
        return [(site.tenant, s, p, self.it_mw(s, p)) for s, site in self.spec.sites.items() for p in site.phases]

    def it_mw(self, site: str, phase: str) -> float:
        """IT MW of a phase; what is reported as facility power is divided by the peak PUE."""
        spec = self.spec.sites[site]
        mw = spec.phases[phase].mw.value
        return mw / spec.pue.peak.value if spec.reported_basis == "facility" else mw

    @cached_property
    def committed(self) -> dict[tuple[str, str | None, str], dt.date]:
        """Committed dates: (site, phase or None, milestone) -> date."""
        out: dict[tuple[str, str | None, str], dt.date] = {}
        for s, site in self.spec.sites.items():
            out.update({(s, None, m): date for m, date in site.committed.items()})
            for p, phase in site.phases.items():
                out.update({(s, p, m): date for m, date in phase.committed.items()})
        return out

    def assumptions(self) -> list[tuple[str, str, str, str | None, str | None, str]]:
        """(path, value, unit, source, as_of, confidence) of every number, in file order."""
        from dcsim.scenario.provenance import assumptions

        return assumptions(self.spec, self.raw, _per_phase(self.filled), self.in_time)

    def to_yaml(self) -> str:
        """The scenario as it stands, edits applied, archetypes kept; reading it gives an equal scenario."""
        return write_yaml(self.raw)

    # Edits.

    def edit(self, edits: Mapping[str, object]) -> Scenario:
        """Another scenario with values changed by path (`*`, `@tag`, `{times}`, `{plus}`).

        Raises ScenarioError if a path matches nothing or the result does not pass the checks.
        """
        return Scenario(edit.apply(self.raw, self._resolved, edits, refill=_resolve), self.folder)

    def what_if(self, name: str) -> Scenario:
        """The scenario with a what-if of its own file applied. Raises ScenarioError for an unknown name."""
        if name not in self.spec.what_ifs:
            message = f"unknown what-if {name!r}{suggest(name, self.spec.what_ifs)}"
            raise ScenarioError([Problem("REF", "what_ifs", message)])
        return self.edit(self.spec.what_ifs[name])

    def with_shock(self, *texts: str) -> Scenario:
        """The scenario struck on given dates: by a shock of its own (`chip-slip@2028-01-01`) or by another
        (`default:google@2028-01-01`, `downgrade:google:BB+@2028-01-01`; see `dcsim.scenario.strike.FORMS`).

        Raises UsageError for a text that is nothing of the kind, ScenarioError as `edit`.
        """
        return self.edit(strikes(self.spec, texts)) if texts else self

    def __getstate__(self) -> dict[str, Any]:
        return {"raw": self.raw, "folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["raw"], state["folder"])  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"Scenario({self.name!r}, {len(self.spec.sites)} sites, hash {self.hash[:8]})"


def load(path: str | Path) -> Scenario:
    """Read and check a scenario file. Raises ScenarioError with every problem found."""
    path = Path(path)
    raw = read_file(path)
    folder = path.resolve().parent
    return Scenario(sheets.join(raw, folder), folder)


def parse(text: str | bytes, name: str = "<text>") -> Scenario:
    """Read and check a scenario from text. Raises ScenarioError."""
    return Scenario(read_yaml(text, name))


def _resolve(raw: Node) -> Node:
    """The tree with archetypes and defaults filled in, and each phase's own construction and bring-up."""
    return _per_phase(archetypes.fill(raw)[0])


def _per_phase(filled: Node, problems: list[Problem] | None = None) -> Node:
    """Each phase gets the site's construction and bring-up under its own path, beneath what it says itself."""
    sites = filled.get("sites")
    if not isinstance(sites, Node):
        return filled
    out = tree.copy(filled)
    tree.put(out, "sites", tree.copy(sites), like=(filled, "sites"))
    for key, site in sites.items():
        phases = site.get("phases") if isinstance(site, Node) else None
        if not isinstance(phases, Node):
            continue
        construction = site.get("construction")
        shared = Node()
        if isinstance(construction, Node):
            template = tree.restrict(construction, PER_PHASE)
            if template:
                tree.put(shared, "construction", template, like=(site, "construction"))
        if isinstance(site.get("bring_up"), Node):
            tree.put(shared, "bring_up", site["bring_up"], like=(site, "bring_up"))
        new_phases = tree.copy(phases)
        for name, phase in phases.items():
            if isinstance(phase, Node):
                tree.put(new_phases, name, tree.merge(shared, phase, problems), like=(phases, name))
        new_site = tree.copy(site)
        tree.put(new_site, "phases", new_phases, like=(site, "phases"))
        tree.put(out["sites"], key, new_site, like=(sites, key))
    return out


def _placed(problem: Problem, resolved: Node) -> Problem:
    """The problem at the path where its value was written, with the position of that, where the tree knows them."""
    if problem.mark is not None:
        return problem
    loc = _located(problem.path, resolved)
    mark: Mark | None = tree.mark_of(resolved, loc)
    return Problem(problem.code, tree.declared_at(resolved, loc), problem.message, mark, problem.severity)


def _located(path: str, resolved: Node) -> tuple[str, ...]:
    """The keys of a path, some of which may have dots in them (what-ifs and actuals are keyed by paths)."""
    keys, here, rest = [], resolved, path.split(".")
    while rest:
        found = next((n for n in range(1, len(rest) + 1) if tree.child(here, ".".join(rest[:n]))[1]), 1)
        keys.append(".".join(rest[:found]))
        here, rest = tree.child(here, keys[-1])[0], rest[found:]
    return tuple(keys)


def _in_order(problems: list[Problem]) -> list[Problem]:
    """In the order of the file, each once: what twelve sites inherit is at one path."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.mark is not None, p.mark or 0))
