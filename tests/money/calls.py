"""A site whose rent may go unpaid, and what was paid between two parties: for tests of calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from helpers import DAY, Run, Runner

M = 1_000_000

# 100 MW at $100/kW-month: $10m a month, ready on 2027-01-01 (day 0) and paid for until the lab stops on 2027-03-15.
# The loan is 400; the call clock is 5 + 30 + 14 days. Rent of 2027-04-01 (day 90) is the first that is not paid:
# notice on day 95, demand on day 125 (2027-05-06), payment on day 139 (2027-05-20) of the rents of April and May.
STOPS = """
parties:
  g: {rating: AA, guarantee: {terms: {election: pay, call: {grace: 5, cure: 30, pay_within: 14}}}}
  h: {rating: AA, guarantee: {}}
  bank: {rating: A, lending: {min_rating: BBB-, ltc: 0.8, cap_to_loan: 1.0}}
shocks: {stop: {when: 2027-03-15, stop_paying: lab}}
sites:
  a:
    guarantee: {from: g}
    lease: {rent: $100/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $5m/MW, equity: 0.3}
"""


def day(date: str) -> int:
    """Days since 2027-01-01."""
    return (dt.date.fromisoformat(date) - dt.date(2027, 1, 1)).days


def paid(r: Run, payer: str, payee: str, kind: str) -> dict[int, float]:
    """US$ million by month (0 is January 2027) of the payments of one kind between two parties."""
    ledger = r.history.ledger
    return {
        int(month): int(dollars) / M
        for month, pair, dollars in zip(ledger.month, ledger.pair, ledger.dollars, strict=True)
        if ledger.pairs[pair] == (payer, payee, kind)
    }


def with_events(*texts: str, at: dict[float, Callable[[object], object]]) -> Run:
    """One replication in which something is done to the world on some days."""
    runner = Runner(*texts)
    world = runner.world()
    for when, then in at.items():
        world.clock.at(round(when * DAY), lambda then=then: then(world))
    return Run(world.run(), world)


def events(r: Run, kind: str) -> list[float]:
    """Days of the events of a kind."""
    return [minute / DAY for minute, what, _, _ in r.history.events if what == kind]
