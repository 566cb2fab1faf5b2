"""Gives every quantity its path, its draw's address, and the factors and drivers that move it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel

from dcsim.errors import Problem, printable, suggest
from dcsim.quantity import Quantity
from dcsim.quantity.drivers import DriverMember
from dcsim.scenario.spec import Driver, Member, ScenarioSpec

Factors = tuple[tuple[str, float], ...]
"""Addresses of factor members and the loadings on them."""

Context = dict[str, str]
"""Member of each kind that a path belongs to: `{"site": "ohio-1", "region": "pjm", …}`."""

TRAILING = ("duration", "lead_time", "slip", "delay")
"""Last segments that a driver's `hits` may leave out: the first of them that stands there is meant."""

OF_PHASES = ("activities", "equipment", "commissioning")
"""What a site's `construction` says for its phases."""


@dataclasses.dataclass(frozen=True)
class Binding:
    """What the draws need besides the quantities themselves."""

    drivers: Mapping[str, DriverMember]
    luck: Mapping[str, Factors] = dataclasses.field(default_factory=dict)
    """Factors behind luck that is no quantity's: of a tenant's demand (`tenants.lab.demand`), of a party's credit
    (`parties.lab`). What loads on nothing is not there."""


def walk(value: object, path: str = "") -> Iterator[tuple[str, Quantity, Callable[[Quantity], None]]]:
    """Every quantity below `value` with its dotted path and a setter that replaces it in place."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            child = value.__dict__[name]
            below = f"{path}.{info.alias or name}" if path else (info.alias or name)
            yield from _child(child, below, value.__dict__, name)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _child(child, f"{path}.{key}", value, key)
    elif isinstance(value, tuple):
        for index, child in enumerate(value):
            yield from walk(child, f"{path}.{index}")


def _child(child: object, path: str, owner: dict[Any, Any], key: Any) -> Iterator[Any]:
    if isinstance(child, Quantity):
        yield path, child, lambda bound: owner.__setitem__(key, bound)
    elif isinstance(child, tuple) and child and isinstance(child[0], Quantity):
        for index, item in enumerate(child):
            yield f"{path}.{index}", item, lambda bound, index=index: _put_item(owner, key, index, bound)
    else:
        yield from walk(child, path)


def _put_item(owner: dict[Any, Any], key: Any, index: int, bound: Quantity) -> None:
    items = list(owner[key])
    items[index] = bound
    owner[key] = tuple(items)


def bind(spec: ScenarioSpec, declared: Callable[[str], str]) -> tuple[Binding, list[Problem]]:
    """Bind all quantities of `spec` in place, while it is being built and nobody else holds it.

    `declared` maps a path to the path at which its value was written (an archetype, a default, or itself).
    Returns the drivers' members and the problems found (unknown factors, drivers that hit nothing).
    """
    problems: list[Problem] = []
    members: dict[str, DriverMember] = {}
    hit: set[str] = set()
    aimed: set[str] = set()
    found = [item for item in walk(spec) if item[0].partition(".")[0] not in ("defaults", "archetypes", "what_ifs")]
    durations = frozenset(path for path, quantity, _ in found if quantity.unit == "days" and not is_template(path))
    aims = {name: [tuple(pattern.split(".")) for pattern in driver.hits] for name, driver in spec.drivers.items()}
    for path, quantity, put in found:
        context = context_of(spec, path)
        address = declared(path) if quantity.kind == "epistemic" else path
        loads = () if is_template(path) else quantity.loads
        factors, unknown = factors_of(spec, loads, context, f"{path}.loads") if loads else ((), [])
        problems += unknown
        drivers = []
        if aims and path in durations and not path.startswith("drivers."):
            names = list(_names_of(path, spec, durations))
            for name, driver in spec.drivers.items():
                if not any(_matches(pattern, known) for pattern in aims[name] for known in names):
                    continue
                aimed.add(name)
                member = _member(f"drivers.{name}", driver.per, context)
                if member is None:
                    continue
                hit.add(name)
                drivers.append(member)
                members.setdefault(member, _driver_member(member, name, driver))
        put(quantity.with_binding(path=path, address=address, factors=factors, drivers=tuple(drivers)))
    for name, driver in spec.drivers.items():
        if name not in hit:
            patterns = ", ".join(f"'{printable(pattern)}'" for pattern in driver.hits)
            message = f"{patterns} matches no duration"
            if name in aimed:
                message = f"the driver is per {driver.per}, and no duration that {patterns} matches belongs to one"
            problems.append(Problem("REF", f"drivers.{name}.hits", message))
    luck, unknown = _luck(spec)
    return Binding(members, luck), problems + unknown


def factors_of(
    spec: ScenarioSpec, loads: Iterable[tuple[str, float]], context: Context, where: str
) -> tuple[Factors, list[Problem]]:
    """Loadings by the addresses of the factor members that whoever has this context loads on.

    Problems, at paths below `where`, are factors that do not exist, and factors per something that this belongs to
    none of.
    """
    found: list[tuple[str, float]] = []
    problems = []
    for name, loading in loads:
        at = f"{where}.{name}"
        if name not in spec.factors:
            message = f"unknown factor '{printable(name)}'{suggest(name, spec.factors)}"
            problems.append(Problem("REF", at, message))
            continue
        member = _member(f"factors.{name}", spec.factors[name].per, context)
        if member is None:
            message = f"factor '{name}' is per {spec.factors[name].per}, and this belongs to none"
            problems.append(Problem("REF", at, message))
        else:
            found.append((member, loading))
    return tuple(found), problems


def _luck(spec: ScenarioSpec) -> tuple[dict[str, Factors], list[Problem]]:
    """What the wandering of each tenant's demand and the credit of each party load on (`Binding.luck`)."""
    luck: dict[str, Factors] = {}
    problems: list[Problem] = []
    blocks: list[tuple[str, str, Mapping[str, Quantity], Context]] = []
    for id, tenant in spec.tenants.items():
        if tenant.demand is not None and tenant.demand.loads:
            where = f"tenants.{id}.demand"
            blocks.append((where, f"{where}.loads", tenant.demand.loads, {"tenant": id}))
    if spec.ratings is not None and spec.ratings.loads:
        members = ("tenant", "developer", "supplier")
        for id in spec.parties:
            blocks.append((f"parties.{id}", "ratings.loads", spec.ratings.loads, dict.fromkeys(members, id)))
    for user, where, written, context in blocks:
        loads = [(name, loading.value) for name, loading in written.items() if loading.is_constant]
        luck[user], unknown = factors_of(spec, loads, context, where)
        problems += unknown
        total = sum(loading * loading for _, loading in loads)
        if total > 1 + 1e-9:
            problems.append(Problem("RANGE", where, f"the squares of the loads add up to {total:g}, more than 1"))
    return luck, list(dict.fromkeys(problems))


def is_template(path: str) -> bool:
    """Whether a quantity of a site is only there for its phases, each of which has it under its own path."""
    part = path.split(".")
    if part[0] != "sites" or len(part) < 4:
        return False
    return part[2] == "bring_up" or (part[2] == "construction" and part[3] in OF_PHASES)


def _driver_member(address: str, name: str, driver: Driver) -> DriverMember:
    """The driver as it meets one member: luck is drawn by each of them, ignorance once for all."""

    def part(quantity: Quantity | None, key: str) -> Quantity | None:
        if quantity is None:
            return None
        own = f"{address}.{key}" if quantity.kind == "aleatory" else f"drivers.{name}.{key}"
        return quantity.with_binding(path=f"drivers.{name}.{key}", address=own)

    return DriverMember(address, driver.chance.value, part(driver.times, "times"), part(driver.plus, "plus"))


def _member(prefix: str, per: Member | None, context: Context) -> str | None:
    if per is None:
        return prefix
    member = context.get(per)
    return f"{prefix}.{member}" if member is not None else None


def context_of(spec: ScenarioSpec, path: str) -> Context:
    """The site, phase, region, developer, tenant and supplier to which a path belongs."""
    part = path.split(".")
    if part[0] == "sites" and len(part) > 1:
        site = spec.sites[part[1]]
        found = {"site": part[1], "developer": site.developer, "tenant": site.tenant}
        if site.region is not None:
            found["region"] = site.region
        if len(part) > 3 and part[2] == "phases":
            found["phase"] = f"{part[1]}.{part[3]}"
        return found
    if part[:2] == ["chips", "products"] and len(part) > 2:
        return {"supplier": spec.chips.products[part[2]].supplier}
    if part[:2] == ["chips", "orders"] and len(part) > 2:
        products = [spec.chips.products.get(name) for name in spec.chips.orders[part[2]].product]
        return {"supplier": products[0].supplier} if products and products[0] is not None else {}
    if part[0] in ("equipment", "parties") and len(part) > 1:
        return {"supplier": part[1]}
    if part[0] == "regions" and len(part) > 1:
        return {"region": part[1]}
    if part[0] == "tenants" and len(part) > 1:
        return {"tenant": part[1]}
    return {}


def _names_of(path: str, spec: ScenarioSpec, durations: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """What `hits` may call a duration: whole, below its site or phase, or by a tag of the site (`sites.@letters.loi`).

    Each also without its last segment where it is the main duration of its block.
    """
    part = tuple(path.split("."))
    names = [part]
    if part[0] == "sites" and len(part) > 2:
        below = part[4:] if part[2] == "phases" else part[2:]
        names += [below, ("sites", part[1], *below)]
        names += [("sites", f"@{tag}", *below) for tag in spec.sites[part[1]].tags]
    block, _, last = path.rpartition(".")
    is_main = last in TRAILING and not any(f"{block}.{name}" in durations for name in TRAILING[: TRAILING.index(last)])
    for name in dict.fromkeys(names):
        yield name
        if is_main:
            yield name[:-1]


def _matches(pattern: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return len(pattern) == len(name) and all(
        y == x or ("*" in x and fnmatchcase(y, x)) for x, y in zip(pattern, name, strict=True)
    )
