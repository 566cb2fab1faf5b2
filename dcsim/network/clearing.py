"""What each party can pay when all obligations fall due at once: the greatest clearing vector.

A party with enough pays in full; one in default pays all it has, pro rata within a class of creditors and class by
class (absolute priority). In default only a share `alpha` of its cash and a share `beta` of what it receives is left
for creditors. Of several solutions the greatest is taken: no party fails only because everybody expects it to.

Method: fictitious default. Assume that everybody pays; who then cannot is the first wave. Let these pay what they have,
exactly, by a linear system; who then cannot is the second wave; and so on, at most n waves. With classes, the payments
of a wave are a piecewise linear system: it is followed downwards from an upper bound, one linear piece after the other.
Along it every point stays at or above the greatest solution, as the pieces are increasing and pass on no more than all.

Sources: Eisenberg and Noe (2001), "Systemic risk in financial systems"; Rogers and Veraart (2013), "Failure and rescue
in an interbank network" (default costs); Elsinger (2009), "Financial networks, cross holdings, and limited liability"
(classes). Debt to the outside ranks in the class in which it is given, beside debt to parties.

Money is in any one unit. Arrays are for one network, or for S networks of equal shape along axis 0; each network's
answer is the same number, to the bit, whatever else is in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dcsim.errors import ModelError, UsageError
from dcsim.network.arrays import SAME, Bools, Floats, Ints, amounts, flags, fractions, lined_up, quotient, snapshots
from dcsim.network.waves import Networks, fictitious_default

_MOST_STEPS: Final = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Clearing:
    """Payments when all is due. Shapes: (n,), or (S, n) for a batch; K classes, senior first."""

    obligations: Floats
    """What each party owes in all."""
    payments: Floats
    """What each party pays in all."""
    flows: Floats
    """Who pays whom, (..., n, n), row to column."""
    received: Floats
    """What each party is paid by the other parties."""
    outside: Floats
    """What each party pays to the outside."""
    costs: Floats
    """What each party's default destroys."""
    equity: Floats
    """What is left: cash + received - costs - payments; never negative but for rounding."""
    ratio: Floats
    """Share paid of each class of its debt, (..., K, n); 1 where nothing is owed."""
    wave: Ints
    """Round in which a party defaults, from 1; 0 if it does not."""
    direct: Floats
    """What the first wave cannot pay although everybody else pays: shape () or (S,)."""

    @property
    def defaulted(self) -> Bools:
        """Who defaults."""
        return np.asarray(self.wave > 0)

    @property
    def own(self) -> Bools:
        """Who defaults of itself: it could not pay, or was set to fail, even if all that it is owed were paid."""
        return np.asarray(self.wave == 1)

    @property
    def contagion(self) -> Bools:
        """Who defaults only because others do: with what they owe it paid in full, it would not."""
        return np.asarray(self.wave > 1)

    @property
    def shortfall(self) -> Floats:
        """What each party's creditors lose."""
        return self.obligations - self.payments

    @property
    def recovery(self) -> Floats:
        """Share paid of each party's whole debt; 1 where nothing is owed."""
        return quotient(self.payments, self.obligations, 1.0)


def clear(
    liabilities: npt.ArrayLike,
    cash: npt.ArrayLike,
    external: npt.ArrayLike = 0.0,
    *,
    alpha: npt.ArrayLike = 1.0,
    beta: npt.ArrayLike = 1.0,
    failed: npt.ArrayLike | None = None,
) -> Clearing:
    """The greatest clearing payments where all debt ranks equally.

    liabilities: (n, n) or (S, n, n), what row owes column; no debts to oneself. cash: (n,) or (S, n), assets other
    than claims on parties. external: debts to the outside, as cash. alpha, beta: shares of cash and of receipts left
    in default, single numbers or as cash. failed: truth values as cash, parties in default whatever they have; they
    still pay in full if what is left of their assets suffices. It is a batch if any of these is one.

    Raises UsageError for shapes that do not fit, negative or infinite amounts, shares outside 0 to 1.
    """
    owed = amounts("liabilities", liabilities)
    outside = np.asarray(external, dtype=np.float64)
    if owed.ndim < 2:
        raise UsageError(f"liabilities: must have 2 axes, or 3 for a batch, got {owed.ndim}")
    return clear_classes(
        owed[..., None, :, :],
        cash,
        outside[..., None, :] if outside.ndim else outside,
        alpha=alpha,
        beta=beta,
        failed=failed,
    )


def clear_classes(
    liabilities: npt.ArrayLike,
    cash: npt.ArrayLike,
    external: npt.ArrayLike = 0.0,
    *,
    alpha: npt.ArrayLike = 1.0,
    beta: npt.ArrayLike = 1.0,
    failed: npt.ArrayLike | None = None,
) -> Clearing:
    """The greatest clearing payments with classes of debt under absolute priority.

    liabilities: (K, n, n) or (S, K, n, n), the most senior class first; external: (K, n) or (S, K, n). All else, and
    the errors raised, as for `clear`.
    """
    nets, owed, outside, single = _prepare(liabilities, cash, external, alpha, beta, failed)
    payments, wave, direct = fictitious_default(nets)

    ratio = np.minimum(quotient(nets.split(payments), nets.due, 1.0), 1.0)
    flows = (owed * ratio[..., None]).sum(axis=1)
    received = flows.sum(axis=1)
    costs = np.where(wave > 0, (1 - nets.alpha) * nets.cash + (1 - nets.beta) * received, 0.0)
    fields = {
        "obligations": nets.total,
        "payments": payments,
        "flows": flows,
        "received": received,
        "outside": (ratio * outside).sum(axis=1),
        "costs": costs,
        "equity": nets.cash + received - costs - payments,
        "ratio": ratio,
        "direct": direct,
    }
    if single:
        return Clearing(**{name: field[0] for name, field in fields.items()}, wave=wave[0])
    return Clearing(**fields, wave=wave)


def least_payments(
    liabilities: npt.ArrayLike,
    cash: npt.ArrayLike,
    external: npt.ArrayLike = 0.0,
    *,
    alpha: npt.ArrayLike = 1.0,
    beta: npt.ArrayLike = 1.0,
) -> Floats:
    """The least clearing payments, (n,) or (S, n): what is paid if everybody fails who may be expected to fail.

    Below the greatest only with default costs or in rings without cash. By iteration from zero, to 1e-15 a step.
    Arguments and errors as for `clear`; raises ModelError if the iteration does not settle.
    """
    owed, outside = amounts("liabilities", liabilities), np.asarray(external, dtype=np.float64)
    if owed.ndim < 2:
        raise UsageError(f"liabilities: must have 2 axes, or 3 for a batch, got {owed.ndim}")
    outside = outside[..., None, :] if outside.ndim else outside
    nets, _, _, single = _prepare(owed[..., None, :, :], cash, outside, alpha, beta, None)
    paid = np.zeros_like(nets.total)
    for _ in range(_MOST_STEPS):
        inflow = nets.inflow(paid)
        able = nets.cash + inflow >= nets.total * (1 - SAME)
        more = np.where(able, nets.total, np.minimum(nets.alpha * nets.cash + nets.beta * inflow, nets.total))
        settled = (more <= paid + 1e-15 * nets.total).all()
        paid = np.maximum(paid, more)
        if settled:
            return paid[0] if single else paid
    raise ModelError(f"least clearing payments do not settle in {_MOST_STEPS} steps")


def _prepare(
    liabilities: npt.ArrayLike,
    cash: npt.ArrayLike,
    external: npt.ArrayLike,
    alpha: npt.ArrayLike,
    beta: npt.ArrayLike,
    failed: npt.ArrayLike | None,
) -> tuple[Networks, Floats, Floats, bool]:
    """Check and line up; liabilities (S, K, n, n), external (S, K, n), and whether it is no batch."""
    owed = amounts("liabilities", liabilities)
    if owed.ndim not in (3, 4):
        raise UsageError("liabilities: have too few or too many axes")
    count = snapshots((owed, 3), (cash, 1), (external, 2), (alpha, 1), (beta, 1), (failed, 1))
    classes, n, columns = owed.shape[-3:]
    if n != columns:
        raise UsageError(f"liabilities: must be square, got {n} rows and {columns} columns")
    if owed[..., np.arange(n), np.arange(n)].any():
        raise UsageError("liabilities: a party owes itself")
    shape = (1 if count is None else count, n)
    owed = lined_up("liabilities", owed, (shape[0], classes, n, n))
    outside = lined_up("external", external, (shape[0], classes, n))
    due = owed.sum(axis=-1) + outside
    steps = np.cumsum(due, axis=1)
    floor = np.zeros_like(due)
    floor[:, 1:] = steps[:, :-1]
    nets = Networks(
        share=quotient(owed, due[..., None], 0.0),
        due=due,
        leaves=(outside > 0) | (due == 0),
        floor=floor,
        total=steps[:, -1],
        cash=lined_up("cash", cash, shape),
        alpha=fractions("alpha", alpha, shape),
        beta=fractions("beta", beta, shape),
        failed=flags("failed", failed, shape),
    )
    return nets, owed, outside, count is None
