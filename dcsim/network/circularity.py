"""How much of a supplier's revenue is its own money coming back, and how much rests on its credit.

All of it describes; vendor finance is no evidence of wrongdoing. Three views:

- *Provenance*, pro rata: whoever spends, spends from one pool of all it received (and had at the start), so each dollar
  that leaves carries the pool's shares. Money that the supplier's group lends or invests is marked `cash_funded`;
  money whose lending or paying was conditional on the group's guarantee, residual-value support or backstop is marked
  `credit_supported`, as far as it is not cash-funded already. What the group pays in the ordinary course (wages, goods)
  and all money of the outside is clean. The two shares of a party add up to at most 1.
- *Loops*: the largest circulation that the flows contain, a linear programme, which counts no dollar of a shared edge
  twice; and the single cycles, which do (their smallest edges may add up to more).
- *Recycling*: revenue that a dollar of outside money makes if each turn of the loop returns a share of it.

Other rules of attribution (first in, first out) need dates within the period; only pro rata is here. For chips paid by
a note instead of cash, book the loan and the purchase gross, both ways. Money is in any one unit, over any one period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError, UsageError
from dcsim.network.arrays import SAME, Bools, Floats, amounts, flags, lined_up, quotient

Edge = tuple[str, str, float]
"""From, to, amount."""


@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """What parties' money is made of, each (..., n)."""

    cash_funded: Floats
    """Share of what a party spends that came from the supplier's group as financing; 0 for the group itself."""
    credit_supported: Floats
    """Share that did not, but came because the group stood behind it."""
    pool: Floats
    """What a party had to spend: opening balance and receipts."""


@dataclass(frozen=True, slots=True, eq=False)
class Circularity:
    """Of one supplier's group, shape () or (S,) for a batch; the shares are nan where there is no revenue."""

    revenue: Floats
    """What others paid the group for purchases."""
    cash_funded: Floats
    """Share of the revenue paid with money that the group lent or invested."""
    credit_supported: Floats
    """Share paid with other money that came because the group stood behind it."""


def trace(
    paid: npt.ArrayLike,
    financing: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    supported: npt.ArrayLike = 0.0,
    outside: npt.ArrayLike | None = None,
    opening: npt.ArrayLike = 0.0,
    opening_cash_funded: npt.ArrayLike = 0.0,
    opening_credit_supported: npt.ArrayLike = 0.0,
) -> Provenance:
    """Provenance of each party's money, by pro-rata tracing.

    paid: (..., n, n), all that row paid column in the period. financing: the part of it that is loans, equity and the
    like; only rows of the group are read. group: (n,) truth values, the supplier and its affiliates. supported: the
    part of `paid` that was conditional on the group's support; rows of the group are not read. outside: (n,) truth
    values, parties whose money is clean whatever they receive. opening: (..., n), balances at the start, and the two
    shares of each: those of the period before, to go on from it.

    Solves (I - P) q = s. A ring that only passes its own money around is clean. Raises UsageError for shapes that do
    not fit, negative or infinite amounts, and parts that are more than the whole.
    """
    flow = amounts("paid", paid)
    if flow.ndim < 2 or flow.shape[-1] != flow.shape[-2]:
        raise UsageError("paid: must be square")
    n = flow.shape[-1]
    shape = flow.shape[:-1]
    ours, clean = flags("group", group, (n,)), flags("outside", outside, (n,))
    if (ours & clean).any():
        raise UsageError("outside: a member of the group is not outside")
    lent = _part("financing", financing, flow) * ours[:, None]
    backed = _part("supported", supported, flow) * ~ours[:, None]
    start = lined_up("opening", opening, shape)
    held = lined_up("opening_cash_funded", opening_cash_funded, shape)
    stood = lined_up("opening_credit_supported", opening_credit_supported, shape)
    if (held + stood > 1 + SAME).any():
        raise UsageError("opening_cash_funded and opening_credit_supported: must not add up to more than 1")

    pool = start + flow.sum(axis=-2)
    carries = ~(ours | clean)
    funded = _absorbed(flow, lent.sum(axis=-2) + start * held, pool, carries)
    marked = (backed * (1 - funded[..., :, None])).sum(axis=-2) + start * stood
    return Provenance(funded, _absorbed(flow - backed, marked, pool, carries), pool)


def circularity(purchases: npt.ArrayLike, group: npt.ArrayLike, provenance: Provenance) -> Circularity:
    """The two numbers of a supplier's group.

    purchases: (..., n, n), what row paid column for goods and services; group: (n,) truth values. Purchases within
    the group do not count. Raises UsageError for shapes that do not fit, negative or infinite amounts.
    """
    spent = amounts("purchases", purchases)
    ours = flags("group", group, (spent.shape[-1],))
    bought = np.where(ours, spent, 0.0).sum(axis=-1) * ~ours
    revenue = np.asarray(bought.sum(axis=-1))
    funded, supported = (
        quotient(np.asarray((bought * share).sum(axis=-1)), revenue, np.nan)
        for share in (provenance.cash_funded, provenance.credit_supported)
    )
    return Circularity(revenue, funded, supported)


def recycling(paid: npt.ArrayLike, suppliers: Sequence[int]) -> Floats:
    """What a dollar that each of `suppliers` receives brings as revenue to each of them in the next turn of the loop.

    paid: (n, n) or (S, n, n), what row paid column in the period. A party passes a dollar on in the proportions in
    which it spent, and keeps what it did not spend; whoever spent more than it received, from savings, passes on all.
    Money ends its turn when it first reaches a supplier again. Returns (..., k, k).
    """
    flow = amounts("paid", paid)
    n = flow.shape[-1]
    if flow.ndim < 2 or flow.shape[-2] != n:
        raise UsageError("paid: must be square")
    ends = np.asarray(suppliers, dtype=np.intp)
    if ends.size != len(set(suppliers)) or (ends.size and not (ends.min() >= 0 and ends.max() < n)):
        raise UsageError(f"suppliers: must be different numbers from 0 to {n - 1}")
    rest = np.setdiff1d(np.arange(n), ends)
    pool = np.maximum(flow.sum(axis=-1), flow.sum(axis=-2))
    shares = quotient(flow, pool[..., :, None], 0.0)
    first = shares[..., ends, :]
    # Only parties that suppliers' money reaches: a ring apart from them would make the system singular.
    reached = _reached(flow, np.asarray((first > 0).any(axis=-2)), np.isin(np.arange(n), rest))
    inner = (shares * (reached[..., :, None] & reached[..., None, :]))[..., rest[:, None], rest]
    through = np.linalg.solve(np.eye(len(rest)) - inner, shares[..., rest[:, None], ends])
    result: Floats = first[..., ends] + np.matmul(first[..., rest], through)
    return result


def recycling_multiplier(returns: npt.ArrayLike) -> Floats:
    """1 / (1 - spectral radius) of a matrix of returns as made by `recycling`; inf where nothing leaks.

    returns: (k, k) or (S, k, k), per dollar that the row receives, what comes back to the column. Shape () or (S,).
    """
    matrix = amounts("returns", returns)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise UsageError("returns: must be square")
    leak = 1 - np.abs(np.linalg.eigvals(matrix)).max(axis=-1, initial=0.0)
    return quotient(np.ones_like(leak), np.where(leak > SAME, leak, 0.0), np.inf)


@dataclass(frozen=True, slots=True)
class Circulation:
    """The largest circulation within given edges."""

    flows: tuple[float, ...]
    """What circulates on each edge, in the order given. Other circulations may have the same total."""
    total: float
    """Sum over the edges."""
    gross: float
    """Sum of the edges' amounts."""
    share: float
    """total / gross; 0 if there is nothing."""


def maximum_circulation(edges: Iterable[Edge]) -> Circulation:
    """Maximise the sum of flows f with 0 <= f <= amount and as much into each party as out of it.

    Raises UsageError for negative or infinite amounts, ModelError if the solver fails.
    """
    listed = list(edges)
    capacity = amounts("edges", [amount for _, _, amount in listed])
    gross = float(capacity.sum())
    if gross == 0:
        return Circulation((0.0,) * len(listed), 0.0, 0.0, 0.0)
    from scipy.optimize import linprog

    parties = {party: i for i, party in enumerate(dict.fromkeys(p for edge in listed for p in edge[:2]))}
    balance = np.zeros((len(parties), len(listed)))
    for number, (source, target, _) in enumerate(listed):
        balance[parties[source], number] += 1
        balance[parties[target], number] -= 1
    # In units of the largest amount, as the solver's tolerances are absolute.
    scale = float(capacity.max())
    bounds = [(0.0, float(most)) for most in capacity / scale]
    solved = linprog(-np.ones(len(listed)), A_eq=balance, b_eq=np.zeros(len(parties)), bounds=bounds, method="highs-ds")
    if solved.x is None:
        raise ModelError(f"the largest circulation was not found: {solved.message}")
    flows = np.clip(solved.x * scale, 0.0, capacity)
    total = float(flows.sum())
    return Circulation(tuple(flows.tolist()), total, gross, total / gross)


@dataclass(frozen=True, slots=True, order=True)
class Cycle:
    """A directed cycle; each party pays the next, the last pays the first."""

    parties: tuple[str, ...]
    """From the first in the order of names."""
    weight: float
    """The smallest of its edges, parallel edges taken together."""


def cycles(edges: Iterable[Edge], longest: int = 4) -> list[Cycle]:
    """All simple cycles of at most `longest` edges, in the order of their parties' names. Edges of zero are left out.

    Raises UsageError for negative or infinite amounts and for a bound below 1.
    """
    import networkx as nx

    if longest < 1:
        raise UsageError("longest: a cycle has at least one edge")
    together: dict[tuple[str, str], float] = {}
    for source, target, amount in edges:
        amounts("edges", amount)
        if amount > 0:
            together[source, target] = together.get((source, target), 0.0) + amount
    found = []
    for cycle in nx.simple_cycles(nx.DiGraph(sorted(together)), length_bound=longest):
        first = cycle.index(min(cycle))
        parties = tuple(cycle[first:] + cycle[:first])
        steps = zip(parties, parties[1:] + parties[:1], strict=True)
        found.append(Cycle(parties, min(together[step] for step in steps)))
    return sorted(found)


def _part(name: str, values: npt.ArrayLike, whole: Floats) -> Floats:
    part = lined_up(name, values, whole.shape)
    if (part > whole * (1 + SAME)).any():
        raise UsageError(f"{name}: must not be more than what was paid")
    return np.minimum(part, whole)


def _absorbed(flow: Floats, marked: Floats, pool: Floats, carries: Bools) -> Floats:
    """Shares (..., n) of marked money in pools, where `carries` pass theirs on along `flow`."""
    source = quotient(marked, pool, 0.0) * carries
    active = _reached(flow, source > 0, carries)
    weights = quotient(np.swapaxes(flow, -1, -2), pool[..., :, None], 0.0)
    weights = weights * (active[..., :, None] & active[..., None, :])
    shares = np.linalg.solve(np.eye(flow.shape[-1]) - weights, source[..., None])[..., 0]
    return np.asarray(np.clip(shares, 0.0, 1.0), dtype=np.float64)


def _reached(flow: Floats, start: Bools, carries: Bools) -> Bools:
    """Parties (..., n) among `carries` that money gets to from `start`."""
    active = np.asarray(start & carries)
    while True:
        more = active | ((active[..., :, None] & (flow > 0)).any(axis=-2) & carries)
        if (more == active).all():
            return active
        active = more
