"""Shocks and the market: one action each, on somebody who is there, at a time that comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from dcsim.errors import Problem
from dcsim.scenario.check.finding import error, unknown, warning
from dcsim.scenario.fields import RATINGS
from dcsim.scenario.shocks import ACTIONS, Shock
from dcsim.scenario.sizing import middle
from dcsim.scenario.spec import ScenarioSpec
from dcsim.scenario.wording import choices


def actions(spec: ScenarioSpec) -> Iterator[Problem]:
    """A shock does one thing, and says no more than that one thing asks for."""
    for id, shock in spec.shocks.items():
        path = f"shocks.{id}"
        done = [name for name in ACTIONS if _action(shock, name)]
        if not done:
            yield error("REQUIRED", path, f"it does nothing; expected one of {choices(ACTIONS)}")
        elif len(done) > 1:
            message = f"it does several things ({', '.join(done)}); expected one: declare a shock for each"
            yield error("DUPLICATE", path, message)
        if shock.edits is not None and not shock.edits:
            yield error("REQUIRED", f"{path}.set", "expected at least one path: value")
        for name, key, needs in (
            ("lasts", "for", ("set", "regime")),
            ("chance_each", "chance_each", ("cancel",)),
            ("tenant", "tenant", ("cancel",)),
            ("to", "to", ("downgrade",)),
        ):
            if done and _is_given(shock, name) and not set(needs) & set(done):
                yield error("UNKNOWN", f"{path}.{key}", f"goes with {choices(needs)} alone; this shock has {done[0]}")
        if shock.downgrade is not None and shock.to is None:
            yield error("REQUIRED", f"{path}.to", "required beside `downgrade`: the rating to which it falls")


def _action(shock: Shock, name: str) -> bool:
    """Whether it does this."""
    return shock.edits is not None if name == "set" else bool(getattr(shock, name))


def _is_given(shock: Shock, name: str) -> bool:
    return name in shock.model_fields_set and getattr(shock, name) is not None


def aims(spec: ScenarioSpec) -> Iterator[Problem]:
    """Whom a shock strikes."""
    parties = [*spec.parties, *(tenant for tenant in spec.tenants if tenant not in spec.parties)]
    for id, shock in spec.shocks.items():
        path = f"shocks.{id}"
        if shock.tenant is not None and shock.tenant not in spec.tenants:
            yield unknown(spec, f"{path}.tenant", shock.tenant, "tenant", spec.tenants)
        named = {"default": shock.default, "stop_paying": shock.stop_paying, "downgrade": (shock.downgrade,)}
        for key, names in named.items():
            for party in names:
                if party is not None and party not in parties:
                    yield unknown(spec, f"{path}.{key}", party, "party", parties)
        if shock.recall is not None:
            yield from _recall(spec, f"{path}.recall", shock.recall)
        if shock.regime is not None and spec.regime is None:
            yield error("REF", f"{path}.regime", "the scenario has no `regime`, so its market has no states")


def _recall(spec: ScenarioSpec, path: str, id: str) -> Iterator[Problem]:
    cloud = spec.cloud.get(id)
    if cloud is None:
        yield unknown(spec, path, id, "cloud", spec.cloud)
    elif cloud.ends_early is None or "provider" not in cloud.ends_early.by:
        message = f"the provider of '{id}' has no right to end it (`ends_early: {{by: provider, notice: …}}`)"
        yield error("REF", path, message)


def downgrades(spec: ScenarioSpec) -> Iterator[Problem]:
    """A rating only falls."""
    for id, shock in spec.shocks.items():
        party = spec.parties.get(shock.downgrade) if shock.downgrade is not None else None
        if party is None or shock.to is None:
            continue
        path = f"shocks.{id}.to"
        if party.rating is None:
            yield error("REF", f"shocks.{id}.downgrade", f"'{shock.downgrade}' has no rating that could fall")
        elif shock.to == "D":
            yield error("RANGE", path, "D is default, which is a shock of its own (`default`)")
        elif RATINGS.index(shock.to) <= RATINGS.index(party.rating):
            yield error("RANGE", path, f"{shock.to} is no downgrade from {party.rating}, which '{shock.downgrade}' has")


def dates(spec: ScenarioSpec) -> Iterator[Problem]:
    """What is dated before the start has happened, but for edits that are still in force."""
    start = spec.status or spec.start
    for id, shock in spec.shocks.items():
        if not isinstance(shock.when, dt.date) or shock.when >= start:
            continue
        lasts = shock.edits is not None or shock.regime is not None
        if lasts and (shock.lasts is None or (start - shock.when).days < middle(shock.lasts)):
            what = "it is in force from the start, for what is left of its time"
        else:
            what = "it has happened, and nothing comes of it"
        yield warning(f"shocks.{id}.when", f"{shock.when} is before the start, {start}: {what}")


def market(spec: ScenarioSpec) -> Iterator[Problem]:
    """A downturn that comes about."""
    regime = spec.regime
    if regime is None or not regime.downturn:
        return
    struck = any(shock.regime == "downturn" for shock in spec.shocks.values())
    if regime.begins == "normal" and regime.to_downturn.value == 0 and not struck:
        yield warning("regime.downturn", "the market never turns down: `to_downturn` is 0, and no shock does it")


CHECKS = (actions, aims, downgrades, dates, market)
