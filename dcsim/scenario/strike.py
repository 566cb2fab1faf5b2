"""Shocks called for by name: `NAME@DATE` strikes one of the file's, `default:PARTY@DATE` and the like a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from dcsim.errors import UsageError, printable, suggest
from dcsim.scenario.fields import RATINGS, parse_date
from dcsim.scenario.spec import ScenarioSpec

FORMS = "NAME, default:PARTY, stop_paying:PARTY, downgrade:PARTY:RATING, recall:CLOUD or regime:STATE"
"""What may stand before `@DATE`."""

STATES = ("normal", "downturn")


def strikes(spec: ScenarioSpec, texts: Iterable[str]) -> dict[str, Any]:
    """The edit that makes a scenario in which the shocks named in `texts` strike on their dates.

    A shock of the file strikes on that date instead of when the file says; named twice, it strikes twice. Raises
    UsageError for a text that is none of `FORMS`, an unknown name or a date that is none.
    """
    entries: dict[str, dict[str, Any]] = {}
    for text in texts:
        what, at, written = text.rpartition("@")
        if not at or not what:
            raise UsageError(f"--shock {printable(text)}: expected WHAT@DATE, where WHAT is {FORMS}")
        date = _date(text, written)
        kind, colon, name = what.partition(":")
        if colon:
            action = _action(spec, text, kind, name)
            id = _new(f"{kind.replace('_', '-')}-{next(iter(action.values()))}", spec, entries)
            entries[id] = {"when": date, **action}
        elif what not in spec.shocks:
            raise UsageError(f"--shock {printable(text)}: unknown shock '{printable(what)}'{_hint(what, spec)}")
        elif what in entries:
            entries[_new(what, spec, entries)] = {"like": what, "when": date}
        else:
            entries[what] = {"when": date}
    return {"shocks": entries} if entries else {}


def _date(text: str, written: str) -> str:
    try:
        return str(parse_date(written))
    except PydanticCustomError as error:
        raise UsageError(f"--shock {printable(text)}: {(error.context or {}).get('message', 'no date')}") from None


def _action(spec: ScenarioSpec, text: str, kind: str, name: str) -> dict[str, str]:
    """What a shock that is not in the file does."""
    parties = [*spec.parties, *(tenant for tenant in spec.tenants if tenant not in spec.parties)]
    known: Mapping[str, tuple[str, Iterable[str]]] = {
        "default": ("party", parties),
        "stop_paying": ("party", parties),
        "downgrade": ("party", parties),
        "recall": ("cloud", spec.cloud),
        "regime": ("state of the market", STATES),
    }
    refuse: Callable[[str], UsageError] = lambda why: UsageError(f"--shock {printable(text)}: {why}")  # noqa: E731
    if kind not in known:
        raise refuse(f"unknown kind of shock '{printable(kind)}'{suggest(kind, known)} (expected {FORMS})")
    name, _, rating = name.partition(":") if kind == "downgrade" else (name, "", "")
    noun, names = known[kind]
    if name not in names:
        raise refuse(f"unknown {noun} '{printable(name)}'{suggest(name, names)}")
    if kind != "downgrade":
        return {kind: name}
    if rating not in RATINGS:
        raise refuse(f"expected downgrade:PARTY:RATING, got the rating '{printable(rating)}'{suggest(rating, RATINGS)}")
    return {kind: name, "to": rating}


def _hint(what: str, spec: ScenarioSpec) -> str:
    if not spec.shocks:
        return f"; the scenario has no shocks of its own (expected {FORMS})"
    return suggest(what, spec.shocks) or f" (there are: {', '.join(spec.shocks)})"


def _new(id: str, spec: ScenarioSpec, entries: Mapping[str, object]) -> str:
    """An id that no shock has yet."""
    taken = {*spec.shocks, *entries}
    return id if id not in taken else next(f"{id}-{n}" for n in range(2, len(taken) + 3) if f"{id}-{n}" not in taken)
