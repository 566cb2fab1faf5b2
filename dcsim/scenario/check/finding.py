"""How checks word what they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dcsim.errors import Problem, printable, suggest
from dcsim.scenario.party import Party
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.wording import choices

MOST_LISTED = 8
MOST_COMPARED = 1000


def error(code: str, path: str, message: str) -> Problem:
    """Something that cannot be simulated."""
    return Problem(code, path, message)


def warning(path: str, message: str) -> Problem:
    """Something odd that can be simulated, and may be meant."""
    return Problem("WARN", path, message, severity="warning")


def unknown(spec: ScenarioSpec, path: str, name: str, kind: str, known: Iterable[str]) -> Problem:
    """A name that is no `kind`: what it is instead, or what was meant."""
    names = list(known)
    hint = suggest(name, names) if len(names) <= MOST_COMPARED else ""
    other = _kind_of(spec, name)
    if other is not None and not hint:
        return error("REF", path, f"'{name}' is {_a(other)}, not {_a(kind)}{_listed(kind, names)}")
    return error("REF", path, f"unknown {kind} '{printable(name[:80])}'{hint or _listed(kind, names)}")


def no_role(party: Party, path: str, name: str, role: str, block: str) -> Problem:
    """A party that lacks the block for what it is wanted for."""
    roles = {"guarantor": party.guarantee, "lender": party.lending, "supplier": party.supply}
    has = [word for word, spec in roles.items() if spec is not None]
    what = f"{_a(choices(has, 'and'))}, not {_a(role)}" if has else f"not {_a(role)}"
    return error("REF", path, f"'{name}' is {what} (it has no `{block}` block)")


def _listed(kind: str, names: list[str]) -> str:
    if not names:
        return f"; no {kind} is declared"
    return f"; expected {choices(names)}" if len(names) <= MOST_LISTED else ""


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _kind_of(spec: ScenarioSpec, name: str) -> str | None:
    """What else in the scenario goes by a name."""
    sections: dict[str, Mapping[str, object]] = {
        "party": spec.parties,
        "site": spec.sites,
        "tenant": spec.tenants,
        "region": spec.regions,
        "kind of equipment": spec.equipment,
        "chip product": spec.chips.products,
        "order": spec.chips.orders,
        "crew": spec.crews,
        "factor": spec.factors,
        "driver": spec.drivers,
        "source": spec.sources,
    }
    return next((kind for kind, section in sections.items() if name in section), None)
