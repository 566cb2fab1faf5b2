"""What a tenant's compute and money came to, once a replication is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dcsim.economics import fixed_charge_cover
from dcsim.ledger import Ints, Monthly
from dcsim.model.treasury import FIXED, Treasury

if TYPE_CHECKING:
    from collections.abc import Collection

    from dcsim.model.world import World

WINDOW = 12
"""Months over which income is held against fixed charges."""


def compute_and_money(world: World, tenant: str, ledger: Monthly) -> dict[str, float | int | None]:
    """Outcomes of a tenant by name, the same names for every tenant; None for what it has none of.

    `ledger` is that of the whole replication. Money is US$ million, paid where nothing else is said.
    """
    compute = world.compute[tenant]
    treasury = world.treasuries.get(tenant)
    wants = compute.demand is not None

    def paid(*kinds: str) -> float:
        return int(paid_by(ledger, tenant, kinds, world.money.months).sum()) / 1e6

    out: dict[str, float | int | None] = {
        "cloud_usd_m": paid("cloud"),
        "take_or_pay_usd_m": paid("take or pay"),
        "take_or_pay_left_usd_m": sum(cloud.left for cloud in compute.clouds) / 1e6,
        "on_demand_usd_m": paid("on demand"),
        "operations_usd_m": paid("operations"),
        "unserved_mw_days": compute.unserved_mw_days if wants else None,
    }
    for year in world.blueprint.year_ends:
        out[f"owned_share_{year}"] = compute.owned_share.get(year)
    if treasury is None:
        return out | dict.fromkeys(_MONEY)
    least = treasury.least_cash
    ending = treasury.account.opening + int(treasury.account.received.sum()) - int(treasury.account.paid.sum())
    return out | {
        "revenue_usd_m": treasury.revenue / 1e6,
        "ipo_usd_m": treasury.ipo_proceeds / 1e6,
        "equity_usd_m": treasury.equity / 1e6,
        "least_cash_usd_m": None if least is None else least / 1e6,
        "least_cash_month": treasury.least_month,
        "ending_cash_usd_m": ending / 1e6,
        "funding_gap_usd_m": treasury.funding_gap / 1e6,
        "fixed_charge_cover": cover_of_charges(treasury, ledger),
    }


_MONEY = (
    "revenue_usd_m", "ipo_usd_m", "equity_usd_m", "least_cash_usd_m", "least_cash_month", "ending_cash_usd_m",
    "funding_gap_usd_m", "fixed_charge_cover",
)  # fmt: skip
"""What only a tenant with a treasury has."""


def paid_by(ledger: Monthly, party: str, kinds: Collection[str], months: int) -> Ints:
    """Dollars that a party paid for some kinds of things, by month."""
    out = np.zeros(months, np.int64)
    for index, pair in enumerate(ledger.pairs):
        if pair.payer == party and pair.kind in kinds:
            mine = ledger.pair == index
            np.add.at(out, ledger.month[mine], ledger.dollars[mine])
    return out


def cover_of_charges(treasury: Treasury, ledger: Monthly) -> float | None:
    """Least ratio, over twelve months in a row until a default, of income to fixed charges; None if none are charged.

    Income is revenue less operating and fixed cost. Charges are what fell due, paid or not, of rent, hardware leases
    and debt service, and the minimum of the cloud contracts. A shorter time counts as a whole.
    """
    money = treasury.world.money
    count = money.months
    charges = treasury.charges(paid_by(ledger, treasury.id, FIXED, count))
    if treasury.party.defaulted is not None:
        count = min(count, money.month_of(treasury.party.defaulted) + 1)
    return fixed_charge_cover(treasury.income[:count], charges[:count], min(WINDOW, count))


def displaced(world: World) -> dict[str, float]:
    """Dollars of margin that each provider of clouds lost to what its customers own: a memo, nobody pays them."""
    out: dict[str, float] = {}
    for cloud in world.clouds.values():
        out[cloud.provider] = out.get(cloud.provider, 0.0) + cloud.displaced
    return out
