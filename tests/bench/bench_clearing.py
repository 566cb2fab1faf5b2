"""How fast many networks are cleared as one batch, beside one by one, with equal answers. Run by hand:

    PYTHONPATH=. python tests/bench/bench_clearing.py [--snapshots 1000] [--rounds 5]

Networks are random and stressed, so that about half of the parties default in several waves: 10 to 40 parties with four
debts each; two classes of debt; and debts with letters of credit and guarantees. Batch and loop alternate; the best
time of each is printed, and the median of the ratios of the pairs.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from dcsim.network.clearing import clear, clear_classes
from dcsim.network.guarantees import OUTSIDE, Claims, Guarantees, clear_guaranteed


def networks(count: int, n: int, classes: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Debts (S, K, n, n), cash (S, n), debts to the outside (S, K, n)."""
    there = rng.random((count, classes, n, n)) < 4 / n / classes
    owed = rng.lognormal(3, 1, there.shape) * there * (1 - np.eye(n))
    external = rng.lognormal(3, 1, (count, classes, n))
    cash = (owed.sum(axis=(1, 3)) + external.sum(axis=1) - owed.sum(axis=(1, 2))).clip(0) * rng.uniform(
        0.3, 1.2, (count, n)
    )
    return owed, cash, external


def supported(count: int, n: int, rng: np.random.Generator) -> tuple[Claims, Any, Guarantees]:
    """Three debts a party, a third of them to the outside, half of them guaranteed by one of four rich parties."""
    debtor = np.repeat(np.arange(4, n), 3)
    creditor = np.where(rng.random(debtor.size) < 1 / 3, OUTSIDE, (debtor + rng.integers(1, n - 1, debtor.size)) % n)
    claim = np.flatnonzero(rng.random(debtor.size) < 0.5)
    guarantor = rng.integers(0, 4, claim.size)
    fits = guarantor != creditor[claim]
    claim, guarantor = claim[fits], guarantor[fits]
    amount = rng.lognormal(3, 1, (count, debtor.size))
    letter = amount * 0.1 * (rng.random(debtor.size) < 0.2)
    cap = amount[:, claim] * rng.uniform(0.3, 1, (count, claim.size))
    cash = rng.lognormal(3, 1, (count, n)) * np.where(np.arange(n) < 4, 4, 1.2)
    return Claims(debtor, creditor, amount, letter), cash, Guarantees(guarantor, claim, cap)


def compare(name: str, batch: Callable[[], Any], one: Callable[[int], Any], count: int, rounds: int) -> None:
    """Time both, check that the answers are equal, print."""
    together, loop = batch(), [one(i) for i in range(count)]
    for field in together.__slots__:
        assert np.array_equal(getattr(together, field), np.stack([getattr(result, field) for result in loop])), field
    times = []
    for _ in range(rounds):
        start = perf_counter()
        batch()
        middle = perf_counter()
        for i in range(count):
            one(i)
        times.append((middle - start, perf_counter() - middle))
    ratio = statistics.median(b / a for a, b in times)
    share, waves = together.defaulted.mean(), together.wave.max()
    best, single = (min(pair[k] for pair in times) * 1e3 for k in (0, 1))
    print(
        f"{name:32} batch {best:8.1f} ms   one by one {single:8.1f} ms   {ratio:5.1f} x"
        f"   ({share:.0%} default, up to {waves} waves)"
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapshots", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    count, rounds = options.snapshots, options.rounds
    rng = np.random.default_rng(1)
    for n in (10, 20, 40):
        owed, cash, external = networks(count, n, 1, rng)
        flat, outside = owed[:, 0], external[:, 0]
        compare(
            f"{n} parties",
            lambda a=flat, c=cash, e=outside: clear(a, c, e),  # type: ignore[misc]
            lambda i, a=flat, c=cash, e=outside: clear(a[i], c[i], e[i]),  # type: ignore[misc]
            count,
            rounds,
        )
    owed, cash, external = networks(count, 20, 2, rng)
    compare(
        "20 parties, 2 classes, costs",
        lambda: clear_classes(owed, cash, external, alpha=0.8, beta=0.9),
        lambda i: clear_classes(owed[i], cash[i], external[i], alpha=0.8, beta=0.9),
        count,
        rounds,
    )
    claims, cash, cover = supported(count, 20, rng)
    amount, letter, cap = np.asarray(claims.amount), np.asarray(claims.letter), np.asarray(cover.cap)

    def single(i: int) -> Any:
        part = Claims(claims.debtor, claims.creditor, amount[i], letter[i])
        return clear_guaranteed(part, cash[i], Guarantees(cover.guarantor, cover.claim, cap[i]))

    compare("20 parties, guarantees", lambda: clear_guaranteed(claims, cash, cover), single, count, rounds)


if __name__ == "__main__":
    main()
