"""What the failure of a party does to all others: every replication cleared twice, without it and with it, as a batch.

The failed party pays a share (`recovery`) of what is owed to others, nothing on guarantees beyond that, and buys and
builds nothing more. See `dcsim.network.balance` for what is owed and what everybody has beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dcsim.ledger import OUTSIDE
from dcsim.network.arrays import Bools, Floats, Ints, quotient
from dcsim.network.balance import Balance
from dcsim.network.contagion import contagion
from dcsim.network.debtrank import debtrank
from dcsim.network.guarantees import GuaranteedClearing, clear_guaranteed


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which a failure hurts: `to` loses on `source`, or pays for it as a guarantor (kind `guarantee call`).

    Names are those of parties, of projects (`oak's lakeside`), or `outside`.
    """

    source: str
    to: str
    kind: str
    loss: Floats
    """(S,) dollars."""
    first: bool
    """Whether `source` is the failed party itself, or what it owed."""


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """One party fails in each of S replications. Arrays over P parties in the balance's order; dollars."""

    party: str
    loss: Floats
    """(S, P): what each loses of what it had; the failed party's own is zero."""
    first: Floats
    """(S, P): the part that the failed party owed it."""
    later: Floats
    """(S, P): the part that others owed it who then could not pay."""
    calls: Floats
    """(S, P): the part that it paid as a guarantor."""
    called: Floats
    """(S, P): what is demanded of it as a guarantor because of the failure, whether it can pay or not."""
    stakes: Floats
    """(S, P): beside the loss, what its shares in those who lost are worth less, as far as their equity is known."""
    contagion: Bools
    """(S, P): who defaults because of it."""
    projects: Bools
    """(S, projects): whose loan defaults because of it."""
    write_down: Floats
    """(S,): debts unpaid because of it, whoever bears them; what guarantors made good counts with their debtor's."""
    direct: Floats
    """(S,): the part that it leaves unpaid itself, or projects that end with it, even if all others can pay."""
    rounds: Ints
    """(S,): rounds of default, the failed party's own included."""
    debtrank: Floats
    """(S,): value in distress beyond the party's own, as a share of all that is owed and guaranteed."""
    channels: tuple[Channel, ...]
    """Largest mean loss first."""


def fail(balance: Balance, party: str, *, recovery: float = 0.0, default_costs: float = 0.0) -> Failure:
    """Let a party fail in every replication.

    recovery: share of its debts that the failed party still pays. default_costs: share of its own assets that any other
    party loses when it defaults in turn (projects have the loss of their loans instead). Raises UsageError for shares
    outside 0 to 1 and for a party that is not there.
    """
    number = balance.number(party)
    parties, count = len(balance.parties), balance.count
    down = np.concatenate([balance.down, np.zeros((count, len(balance.projects)), dtype=np.bool_)], axis=1)
    failed = down.copy()
    failed[:, number] = True
    for at, project in enumerate(balance.projects):
        if project.owner == party:
            failed[:, parties + at] = balance.unbuilt[:, at]
    left = 1.0 - np.maximum(balance.loss, default_costs * (np.arange(balance.nodes) < parties))
    left[down] = 0.0
    left[:, number] = recovery
    receipts = np.ones_like(left)
    receipts[down] = 0.0
    receipts[:, number] = recovery

    def clear(capital: Floats, who: Bools) -> GuaranteedClearing:
        held, outside = _assets(balance, capital)
        outside[who[:, number], number] = 0.0
        claims, guarantees = balance.arrays(outside)
        return clear_guaranteed(claims, held, guarantees, alpha=left, beta=receipts, failed=who)

    capital = balance.capital.copy()
    capital[:, number] = 0.0  # it is insolvent: whatever it had beside its debts is gone
    before, after = clear(balance.capital, down), clear(capital, failed)
    return _read(balance, number, before, after)


def _assets(balance: Balance, capital: Floats) -> tuple[Floats, Floats]:
    """(S, n) assets beside claims, and debts to the outside beside contracts."""
    owes, owed = balance.owes(), balance.owed()
    passes_on = np.array([party.conduit for party in balance.parties] + [True] * len(balance.projects))
    # Of conduits: just what rests on the hall or the chips, so that they fail when receipts fall below what is due.
    due = np.zeros_like(owes)
    for column, debt in enumerate(balance.debts):
        due[:, debt.debtor] += balance.due[:, column]
    needed = np.minimum(np.where(due > 0, due, owed), np.minimum(owed, owes))
    # Of others: capital, and what they owe beyond what they are owed; declared equity fixes both sides of the balance.
    gap = owes - owed
    declared = np.array([party.equity is not None for party in balance.parties] + [False] * len(balance.projects))
    finite = np.where(np.isfinite(capital), capital, 0.0)
    held = np.where(declared, np.maximum(gap + finite, 0.0), np.maximum(gap, 0.0) + finite)
    outside = np.where(declared & np.isfinite(capital), np.maximum(-gap - finite, 0.0), 0.0)
    bottomless = owes + balance.backs() + 1.0
    held = np.where(np.isfinite(capital), held, bottomless)
    held = np.where(passes_on, owes - needed, held)
    return held, outside


def _read(balance: Balance, number: int, before: GuaranteedClearing, after: GuaranteedClearing) -> Failure:
    effect = contagion(before, after)
    count, parties = balance.count, len(balance.parties)
    debts = len(balance.debts)
    lost = _whole((after.loss - before.loss)[:, :debts])
    paid = _whole(after.guarantee_paid - before.guarantee_paid)
    first, later, calls = (np.zeros((count, balance.nodes)) for _ in range(3))
    for column, debt in enumerate(balance.debts):
        if debt.creditor >= 0:
            (first if debt.debtor == number else later)[:, debt.creditor] += lost[:, column]
    for column, support in enumerate(balance.supports):
        calls[:, support.guarantor] += paid[:, column]
    demanded = np.zeros((count, balance.nodes))
    more = _whole(after.called - before.called)
    for column, support in enumerate(balance.supports):
        demanded[:, support.guarantor] += more[:, column]
    gross = first + later + calls
    net = _whole(before.equity - after.equity)
    net[:, number] = 0.0
    share = quotient(net, gross, 0.0)
    parts = [_by_party(balance, part * share) for part in (first, later, calls)]
    loss = _by_party(balance, net)
    loss[:, number] = 0.0
    for part in parts:
        part[:, number] = 0.0
    return Failure(
        party=balance.parties[number].id,
        loss=loss,
        first=parts[0],
        later=parts[1],
        calls=parts[2],
        called=_by_party(balance, demanded),
        stakes=_stakes(balance, number, loss),
        contagion=effect.victims[:, :parties] & (np.arange(parties) != number),
        projects=(after.defaulted & ~before.defaulted)[:, parties:],
        write_down=effect.write_down,
        direct=np.asarray(effect.direct),
        rounds=effect.waves,
        debtrank=_debtrank(balance, number),
        channels=_channels(balance, number, lost, paid),
    )


def _whole(dollars: Floats) -> Floats:
    """Without the dust of rounding: less than half a dollar is nothing."""
    return np.where(dollars < 0.5, 0.0, dollars)


def _by_party(balance: Balance, values: Floats) -> Floats:
    """(S, n) to (S, P): a project's loss is its developer's."""
    total = values[:, : len(balance.parties)].copy()
    for at, project in enumerate(balance.projects):
        total[:, balance.number(project.owner)] += values[:, len(balance.parties) + at]
    return total


def _stakes(balance: Balance, number: int, loss: Floats) -> Floats:
    """What shares in firms that lost are worth less.

    Shares of a firm lose with it, up to its equity where that is known (the failed party's is lost whole); a fund's or
    vehicle's loss is its funders', in their shares, where it owes them nothing by contract.
    """
    ids = [party.id for party in balance.parties]
    owned = np.zeros((len(ids), len(ids)))  # holder, held
    most = np.zeros(len(ids))
    in_debt = {(debt.debtor, debt.creditor) for debt in balance.debts}
    for holder, party in enumerate(balance.parties):
        for id, share in party.holds:
            held = ids.index(id)
            equity = balance.parties[held].equity
            if equity is not None:
                owned[holder, held], most[held] = share, float(equity)
    for held, party in enumerate(balance.parties):
        for id, share in party.funded_by:
            if id in ids and (held, ids.index(id)) not in in_debt:
                owned[ids.index(id), held] += share
                most[held] = np.inf if party.equity is None else float(party.equity)
    total = loss.copy()
    equity = balance.parties[number].equity
    total[:, number] = 0.0 if equity is None else float(equity)
    stakes = np.zeros_like(loss)
    for _ in range(len(ids)):  # a chain of holdings is no longer than the parties are many
        grown = np.minimum(total + stakes, most) @ owned.T
        if np.array_equal(grown, stakes):
            break
        stakes = grown
    stakes[:, number] = 0.0
    return stakes


def _debtrank(balance: Balance, number: int) -> Floats:
    """DebtRank (2015) of the party, (S,).

    A node's equity is that of the scenario, or else all that it is owed and guarantees: so its distress is the share of
    that which is in distress. A claim counts less what guarantors cover of it, that with the guarantor; of a project it
    counts with the loss given default. Value is what a node is owed and guarantees, as a share of the whole.
    """
    n = balance.nodes
    weight = np.zeros((balance.count, n, n))
    uncovered = balance.amount.copy()
    for column, support in enumerate(balance.supports):
        backed = np.minimum(balance.cap[:, column], uncovered[:, support.debt])
        uncovered[:, support.debt] -= backed
        weight[:, balance.debts[support.debt].debtor, support.guarantor] += backed
    for column, debt in enumerate(balance.debts):
        if debt.creditor >= 0:
            weight[:, debt.debtor, debt.creditor] += uncovered[:, column]
    value = weight.sum(axis=1)
    project = np.arange(n) >= len(balance.parties)
    weight *= np.where(project, balance.loss, 1.0)[:, :, None]
    declared = np.array([party.equity is not None for party in balance.parties] + [False] * len(balance.projects))
    equity = np.where(declared & np.isfinite(balance.capital), balance.capital, value)
    weight[:, np.arange(n), np.arange(n)] = 0.0
    shock = np.zeros(n)
    shock[number] = 1.0
    shares = quotient(value, value.sum(axis=1, keepdims=True), 0.0)
    return debtrank(quotient(weight, equity[:, None, :], 0.0), shares, shock).debtrank


def _channels(balance: Balance, number: int, lost: Floats, paid: Floats) -> tuple[Channel, ...]:
    """Losses by (who did not pay, who bore it, kind of contract)."""
    total: dict[tuple[str, str, str, bool], Floats] = {}

    def add(source: int, to: int, kind: str, loss: Floats, name: Callable[[int], str] = balance.label) -> None:
        if loss.any():
            key = (name(source), OUTSIDE if to < 0 else name(to), kind, source == number)
            total[key] = total.get(key, np.zeros(balance.count)) + loss

    for column, debt in enumerate(balance.debts):
        add(debt.debtor, debt.creditor, (debt.kind or "debt").replace("_", " "), lost[:, column])
    for column, support in enumerate(balance.supports):
        kind = "guarantee call" if support.kind == "guarantee" else "residual value call"
        add(balance.debts[support.debt].debtor, support.guarantor, kind, paid[:, column])
    found = [Channel(*key[:3], loss=loss, first=key[3]) for key, loss in total.items()]
    return tuple(sorted(found, key=lambda channel: (-float(channel.loss.mean()), channel.source, channel.to)))
