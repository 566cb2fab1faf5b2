"""Clearing with credit support: what debtors cannot pay is drawn on letters of credit, then on guarantors.

The waterfall of a claim: debtor's payment, letter of credit, guarantees in the order given (each up to its cap, of what
those before it left unpaid), creditor's loss. A call is a debt of the guarantor: it takes part in its own clearing and
may bring it down. Calls rank beside its most senior debt (pari passu) unless told otherwise. A claim on the debtor that
passes to whoever paid in its place (subrogation) ranks behind all others, so it is reported but gets nothing.

A guarantee covers a claim and pays that claim's creditor: protection for somebody who owns no such claim cannot be
written down here, because it has no unique, nor any monotone, outcome. With shortfall guarantees of owned claims, every
creditor's receipts grow with every party's ability to pay (d/dx [x + r (S - x)] = 1 - r >= 0), so a greatest solution
exists (Tarski) and is reached by iteration from above. Method: fictitious default as in `dcsim.network.clearing`, where
a wave's payments are iterated downwards until no ratio changes by more than 1e-15 of itself. An iteration gains a
constant factor, the share of its receipts that the tightest ring of defaulters passes on.

Sources: Eisenberg and Noe (2001); Banerjee and Feinstein (2019), "Impact of contingent payments on systemic risk in
financial networks" (no speculation); Elsinger (2009) for ranking.

Money is in any one unit. A batch is S networks that share parties and contracts but not amounts (an absent contract has
amount or cap zero); each network's answer is the same number, to the bit, whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError, UsageError
from dcsim.network.arrays import (
    SAME,
    Bools,
    ColumnSum,
    Floats,
    Ints,
    amounts,
    flags,
    fractions,
    lined_up,
    quotient,
    snapshots,
)

OUTSIDE: Final = -1
"""In place of a creditor's number: somebody outside the network."""

_MOST_STEPS: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """m debts. `debtor`, `creditor` (or OUTSIDE), `rank`: (m,); `amount`, `letter`: (m,) or (S, m).

    Rank 0 is the most senior class of the debtor's debt. `letter` is a letter of credit that pays this claim only,
    from a bank that does not fail.
    """

    debtor: Sequence[int] | Ints
    creditor: Sequence[int] | Ints
    amount: npt.ArrayLike
    letter: npt.ArrayLike = 0.0
    rank: int | Sequence[int] | Ints = 0


@dataclass(frozen=True, slots=True, eq=False)
class Guarantees:
    """q guarantees, each of one claim. `guarantor`, `claim` (place in the claims), `rank`: (q,); `cap`: (q,) or (S, q).

    `rank` is the class of the guarantor's debt in which a call stands; None is the most senior (pari passu with all
    its debt if there are no classes). Several of one claim pay in their order here.
    """

    guarantor: Sequence[int] | Ints
    claim: Sequence[int] | Ints
    cap: npt.ArrayLike
    rank: int | Sequence[int] | Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GuaranteedClearing:
    """Payments when all is due. Shapes: n parties, m claims, q guarantees, with a leading S for a batch."""

    paid: Floats
    """By the debtor, (..., m)."""
    from_letter: Floats
    """(..., m)."""
    called: Floats
    """What is demanded of the guarantor, (..., q)."""
    guarantee_paid: Floats
    """(..., q); also the claim on the debtor that passes to the guarantor."""
    remaining_cap: Floats
    """(..., q)."""
    loss: Floats
    """The creditor's, (..., m)."""
    recovery: Floats
    """Share of each claim that its creditor gets from all sources, (..., m); 1 for a claim of zero."""
    obligations: Floats
    """Own debt and calls, (..., n)."""
    payments: Floats
    """On both, (..., n)."""
    received: Floats
    """From debtors, letters and guarantors, (..., n)."""
    outside: Floats
    """What creditors outside receive in all, (...)."""
    costs: Floats
    """What each party's default destroys, (..., n)."""
    equity: Floats
    """What is left: cash + received - costs - payments, (..., n)."""
    shortfall: Floats
    """Own debt unpaid by each party, borne by creditors, letters and guarantors together, (..., n)."""
    wave: Ints
    """Round in which a party defaults, from 1; 0 if it does not, (..., n)."""
    direct: Floats
    """What the first wave cannot pay although everybody else pays, (...)."""

    @property
    def defaulted(self) -> Bools:
        """Who defaults."""
        return np.asarray(self.wave > 0)

    @property
    def own(self) -> Bools:
        """Who defaults of itself: even if all that it is owed were paid and nothing called."""
        return np.asarray(self.wave == 1)

    @property
    def contagion(self) -> Bools:
        """Who defaults only because others do, as their creditor or guarantor."""
        return np.asarray(self.wave > 1)


def clear_guaranteed(
    claims: Claims,
    cash: npt.ArrayLike,
    guarantees: Guarantees,
    *,
    own_debt_first: bool = False,
    alpha: npt.ArrayLike = 1.0,
    beta: npt.ArrayLike = 1.0,
    failed: npt.ArrayLike | None = None,
) -> GuaranteedClearing:
    """The greatest clearing payments with credit support.

    cash: (n,) or (S, n), assets other than claims on parties. own_debt_first: calls rank behind all of a guarantor's
    own debt, whatever `rank` says. alpha, beta, failed: as for `dcsim.network.clearing.clear`.

    Raises UsageError for shapes that do not fit, negative or infinite amounts, numbers of parties or claims that do
    not exist, a debt to oneself, and a guarantor that is the claim's debtor or creditor; ModelError if the iteration
    does not settle.
    """
    held = amounts("cash", cash)
    given = ((held, 1), (claims.amount, 1), (claims.letter, 1), (guarantees.cap, 1), (alpha, 1), (beta, 1), (failed, 1))
    count = snapshots(*given)
    nets = _prepare(claims, guarantees, held, 1 if count is None else count, own_debt_first, alpha, beta, failed)
    ratio, wave, direct = _fictitious_default(nets)

    state = nets.waterfall(ratio)
    inflow = nets.creditors.total(nets.amount - state.rest)
    costs = np.where(wave > 0, (1 - nets.alpha) * nets.cash + (1 - nets.beta) * inflow, 0.0)
    payments = nets.debtors.total(state.paid) + nets.guarantors.total(state.guarantee_paid)
    receipts = nets.amount - state.rest
    fields = {
        "paid": state.paid,
        "from_letter": state.from_letter,
        "called": state.called,
        "guarantee_paid": state.guarantee_paid,
        "remaining_cap": nets.cap - state.guarantee_paid,
        "loss": state.rest,
        "recovery": quotient(receipts, nets.amount, 1.0),
        "obligations": nets.obligations(state.called).sum(axis=1),
        "payments": payments,
        "received": inflow,
        "outside": np.where(nets.abroad, receipts, 0.0).sum(axis=1),
        "costs": costs,
        "equity": nets.cash + inflow - costs - payments,
        "shortfall": nets.debtors.total(nets.amount - state.paid),
        "direct": direct,
    }
    if count is None:
        return GuaranteedClearing(**{name: field[0] for name, field in fields.items()}, wave=wave[0])
    return GuaranteedClearing(**fields, wave=wave)


@dataclass(frozen=True, slots=True, eq=False)
class _Waterfall:
    paid: Floats
    from_letter: Floats
    called: Floats
    guarantee_paid: Floats
    rest: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Networks:
    """S networks: contracts in common, amounts apart."""

    slot: Ints
    """(m,): place of a claim among (class, party) pairs."""
    call_slot: Ints
    """(q,): the same of a call."""
    claim: Ints
    layers: tuple[Ints, ...]
    """Guarantees that may be reckoned together: the first ones of their claims, the second ones, ..."""
    abroad: Bools
    debtors: ColumnSum
    creditors: ColumnSum
    guarantors: ColumnSum
    own: ColumnSum
    calls: ColumnSum
    amount: Floats
    letter: Floats
    cap: Floats
    cash: Floats
    alpha: Floats
    beta: Floats
    failed: Bools

    def rows(self, pick: Ints) -> _Networks:
        """Some of the networks."""
        if len(pick) == len(self.cash):
            return self
        varying = ("amount", "letter", "cap", "cash", "alpha", "beta", "failed")
        return _Networks(*(getattr(self, f)[pick] if f in varying else getattr(self, f) for f in self.__slots__))

    def waterfall(self, ratio: Floats) -> _Waterfall:
        """Who pays what if parties pay these shares (S, classes * n) of what they owe."""
        paid = self.amount * ratio[:, self.slot]
        short = self.amount - paid
        from_letter = np.minimum(self.letter, short)
        rest = short - from_letter
        called = np.zeros_like(self.cap)
        guarantee_paid = np.zeros_like(self.cap)
        for layer in self.layers:
            claim = self.claim[layer]
            called[:, layer] = np.minimum(self.cap[:, layer], rest[:, claim])
            guarantee_paid[:, layer] = called[:, layer] * ratio[:, self.call_slot[layer]]
            rest[:, claim] -= guarantee_paid[:, layer]
        return _Waterfall(paid, from_letter, called, guarantee_paid, rest)

    def obligations(self, called: Floats) -> Floats:
        """Own debt and calls by class, (S, classes, n)."""
        due = self.own.total(self.amount) + self.calls.total(called)
        return due.reshape(len(due), -1, self.cash.shape[1])

    def left(self, receipts: Floats) -> Floats:
        """What each could pay in default, (S, n)."""
        left: Floats = self.alpha * self.cash + self.beta * self.creditors.total(receipts)
        return left


def _fictitious_default(nets: _Networks) -> tuple[Floats, Ints, Floats]:
    """Ratios (S, classes * n), waves (S, n) and the first wave's own shortfall (S,)."""
    count, n = nets.cash.shape
    ratio = np.ones((count, nets.obligations(np.zeros_like(nets.cap)).shape[1] * n))
    wave = np.where(nets.failed, 1, 0).astype(np.intp)
    short = np.zeros((count, n), dtype=np.bool_)
    direct = np.zeros(count)
    rows = np.arange(count)
    round_ = 0
    while rows.size:
        round_ += 1
        part = nets.rows(rows)
        state = part.waterfall(ratio[rows])
        receipts = part.amount - state.rest
        left = part.left(receipts)
        have = np.where(part.failed, left, part.cash + part.creditors.total(receipts))
        total = part.obligations(state.called).sum(axis=1)
        new = ~short[rows] & (have < total * (1 - SAME))
        if round_ == 1:
            direct[rows] = np.where(new, total - left, 0.0).sum(axis=1)
        wave[rows] = np.where(new & (wave[rows] == 0), round_, wave[rows])
        more = new.any(axis=1)
        short[rows] |= new
        rows = rows[more]
        if rows.size:
            ratio[rows] = _settle(nets.rows(rows), ratio[rows], short[rows])
    return ratio, wave, direct


def _settle(nets: _Networks, ratio: Floats, short: Bools) -> Floats:
    """The greatest ratios at or below those given if `short` pay what they have and all others in full."""
    ratio = ratio.copy()
    rows = np.arange(len(ratio))
    for _ in range(_MOST_STEPS):
        part, now, who = nets.rows(rows), ratio[rows], short[rows]
        state = part.waterfall(now)
        due = part.obligations(state.called)
        above = np.cumsum(due, axis=1) - due
        reach = np.clip(part.left(part.amount - state.rest)[:, None, :] - above, 0.0, due)
        able = np.where(who[:, None, :], quotient(reach, due, 1.0), 1.0).reshape(now.shape)
        lower = np.minimum(able, now)
        ratio[rows] = lower
        # A ratio on its way to nothing is there when it no longer shows beside 1.
        rows = rows[(lower < now * (1 - 1e-15) - 1e-17).any(axis=1)]
        if not rows.size:
            return ratio
    raise ModelError(f"clearing with guarantees does not settle in {_MOST_STEPS} steps")


def _prepare(
    claims: Claims,
    guarantees: Guarantees,
    cash: Floats,
    count: int,
    own_debt_first: bool,
    alpha: npt.ArrayLike,
    beta: npt.ArrayLike,
    failed: npt.ArrayLike | None,
) -> _Networks:
    """Check and line up."""
    n = cash.shape[-1]
    debtor = _numbers("debtor", claims.debtor, 0, n)
    creditor = _numbers("creditor", claims.creditor, OUTSIDE, n)
    guarantor = _numbers("guarantor", guarantees.guarantor, 0, n)
    claim = _numbers("claim", guarantees.claim, 0, len(debtor))
    if len(creditor) != len(debtor) or len(claim) != len(guarantor):
        raise UsageError("claims and guarantees: each needs a debtor and a creditor, or a guarantor and a claim")
    if (debtor == creditor).any():
        raise UsageError("claims: a party owes itself")
    if (guarantor == debtor[claim]).any() or (guarantor == creditor[claim]).any():
        raise UsageError("guarantees: a guarantor stands behind what it owes or is owed itself")
    rank = np.broadcast_to(_numbers("rank", claims.rank, 0, None), debtor.shape)
    call_rank = np.zeros_like(guarantor)
    if own_debt_first:
        call_rank += rank.max(initial=0) + 1
    elif guarantees.rank is not None:
        call_rank += _numbers("rank", guarantees.rank, 0, None)
    classes = 1 + max(rank.max(initial=0), call_rank.max(initial=0))
    # How many guarantees of the same claim stand before this one.
    before = np.array([int((claim[:i] == claim[i]).sum()) for i in range(len(claim))], dtype=np.intp)
    slot, call_slot = rank * n + debtor, call_rank * n + guarantor
    return _Networks(
        slot=slot,
        call_slot=call_slot,
        claim=claim,
        layers=tuple(np.flatnonzero(before == depth) for depth in range(before.max(initial=-1) + 1)),
        abroad=creditor == OUTSIDE,
        debtors=ColumnSum(debtor, n),
        creditors=ColumnSum(creditor, n),
        guarantors=ColumnSum(guarantor, n),
        own=ColumnSum(slot, int(classes) * n),
        calls=ColumnSum(call_slot, int(classes) * n),
        amount=lined_up("amount", claims.amount, (count, len(debtor))),
        letter=lined_up("letter", claims.letter, (count, len(debtor))),
        cap=lined_up("cap", guarantees.cap, (count, len(claim))),
        cash=lined_up("cash", cash, (count, n)),
        alpha=fractions("alpha", alpha, (count, n)),
        beta=fractions("beta", beta, (count, n)),
        failed=flags("failed", failed, (count, n)),
    )


def _numbers(name: str, values: int | Sequence[int] | Ints, low: int, end: int | None) -> Ints:
    """Whole numbers from `low` to below `end`."""
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise UsageError(f"{name}: must be whole numbers")
    if array.size and (array.min() < low or (end is not None and array.max() >= end)):
        raise UsageError(f"{name}: must be from {low}" + ("" if end is None else f" to {end - 1}"))
    return array.astype(np.intp)
