"""What a replication came to, tenant by tenant and party by party, read off the ledger and the exposures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dcsim.economics import Floats, break_even, by_month, per_unit, present_value
from dcsim.ledger import Ints, Monthly
from dcsim.model.blueprint import DAY, YEAR
from dcsim.model.history import History
from dcsim.model.reckoning import displaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dcsim.model.phase import Phase
    from dcsim.model.world import World

MONTHS: Final = 12
MONEY: Final = 1e6

OWNED: Final = frozenset(
    {
        "diligence", "loi deposit", "tenant works", "early works", "utility collateral", "security deposit", "rent",
        "energy", "minimum take", "operations", "guarantee fee", "letter of credit fee", "hardware lease", "storage",
        "deferral fee", "cancellation fee", "termination fee",
    }
)  # fmt: skip
"""What a tenant pays for compute of its own, month by month; chips it buys count as they are written off."""

BACK: Final = frozenset(
    {
        "loi deposit", "security deposit", "utility collateral", "rent refund", "delay credit", "sublease",
        "early works resale",
    }
)  # fmt: skip
"""What it gets back of that."""


class Books:
    """The ledger of a replication by month."""

    def __init__(self, ledger: Monthly, months: int) -> None:
        self._months = months
        self._series: dict[tuple[str, str, str], Ints] = {}
        order = np.argsort(ledger.pair, kind="stable")
        borders = np.searchsorted(ledger.pair[order], np.arange(len(ledger.pairs) + 1))
        for index, pair in enumerate(ledger.pairs):
            mine = order[borders[index] : borders[index + 1]]
            series = np.zeros(months, np.int64)
            series[ledger.month[mine]] = ledger.dollars[mine]
            self._series[pair] = series

    def paid(self, payer: str, kinds: Iterable[str]) -> Ints:
        """Dollars by month."""
        wanted = frozenset(kinds)
        return self._sum(s for (who, _, kind), s in self._series.items() if who == payer and kind in wanted)

    def received(self, payee: str, kinds: Iterable[str]) -> Ints:
        """Dollars by month."""
        wanted = frozenset(kinds)
        return self._sum(s for (_, who, kind), s in self._series.items() if who == payee and kind in wanted)

    def _sum(self, series: Iterable[Ints]) -> Ints:
        total = np.zeros(self._months, np.int64)
        for one in series:
            total = total + one
        return total


def tenant_outcomes(world: World, tenant: str, books: Books) -> dict[str, float | int | None]:
    """Owned compute against rented, idle halls and chips, leases and loans. US$ million where nothing else is said.

    The same names for every tenant; None where there is none. A `date_` is a minute. Owned cost counts from the start
    and as it falls due or is written off; rented is what the same live MW would have cost at the average price of the
    clouds of that month (the last one known, while there is none).
    """
    owned = owned_cost(world, tenant, books)
    compute = world.compute[tenant]
    live = np.asarray(compute.live_mw) * np.asarray(compute.months)
    price = _last_known(compute.rented_price)
    rented = None if price is None else price / MONTHS * live
    ends = [*world.blueprint.months, world.last_minute + 1]
    found: dict[str, float | int | None] = {
        "owned_cost_per_mw_month": _m(per_unit(owned, live)),
        "cloud_cost_per_mw_month": None if rented is None else _m(per_unit(rented, live)),
        "date_break_even": None,
        "saving_present_value_usd_m": None,
    }
    if rented is not None:
        month = break_even(owned, rented)
        found["date_break_even"] = None if month is None else ends[month] - 1
        treasury = world.spec.tenants[tenant].treasury
        rate = world.draws.value(treasury.discount_rate) if treasury is not None else 0.0
        days = np.asarray(ends, np.float64) / DAY
        found["saving_present_value_usd_m"] = _m(present_value(rented - owned, days, rate))
    first, last = world.blueprint.date_of(0).year, world.blueprint.date_of(world.last_minute).year
    years = np.array([world.blueprint.date_of(end - 1).year for end in ends])
    for year in range(first, last + 1):
        mine = years == year
        found[f"owned_cost_per_mw_month_{year}"] = _m(per_unit(owned[mine], live[mine]))
        cost = None if rented is None else per_unit(rented[mine], live[mine])
        found[f"cloud_cost_per_mw_month_{year}"] = _m(cost)
    sites = [site for site in world.sites.values() if site.tenant == tenant]
    phases = [phase for site in sites for phase in site.phases.values()]
    projects = [p for s in sites if s.financing is not None and (p := s.financing.project) is not None]
    year_ends = [end for end in ends if world.blueprint.date_of(end).month == 1] + [ends[-1]]
    idle = world.hardware.assets.idle(tenant)
    signed = sum(phase.kw for phase in phases if phase.was_leased) / 1000
    found |= {
        "rent_usd_m": float(books.paid(tenant, ("rent",)).sum()) / MONEY,
        "chips_usd_m": float(books.paid(tenant, ("chips", "chip deposit")).sum()) / MONEY,
        "hardware_lease_usd_m": float(books.paid(tenant, ("hardware lease",)).sum()) / MONEY,
        "idle_shell_usd_m": sum(idle_rent(phase) for phase in phases) / MONEY,
        "idle_chip_mw_days": idle.kw_minutes / 1000 / DAY,
        "idle_chip_usd_m": idle.dollars / MONEY,
        "signed_mw": signed,
        "lease_liability_peak_usd_m": max(sum(s.lease.liability(end) for s in sites) for end in year_ends) / MONEY,
        "not_commenced_peak_usd_m": max(sum(s.lease.not_commenced(end) for s in sites) for end in year_ends) / MONEY,
        "loans_defaulted": sum(project.defaulted is not None for project in projects),
        "defaulted": int(not world.parties[tenant].stands),
    }
    return found


def owned_cost(world: World, tenant: str, books: Books) -> Floats:
    """Dollars by month that a tenant's own compute costs: paid, written off, and the cost of the capital in it."""
    hardware = world.hardware
    treasury = world.spec.tenants[tenant].treasury
    rate = world.draws.value(treasury.cost_of_capital) if treasury is not None else 0.0
    paid: Floats = (books.paid(tenant, OWNED) - books.received(tenant, BACK)).astype(np.float64)
    paid += hardware.depreciation(tenant)
    paid += hardware.book_value(tenant) * rate / MONTHS
    return paid


def idle_rent(phase: Phase) -> float:
    """Dollars of rent for power without live racks: each month's rent by the share of its ready MW-minutes."""
    flow = phase.site.lease.rent.get(phase.id)
    if flow is None:
        return 0.0
    world = phase.world
    edges = [0, *world.blueprint.months, world.last_minute + 1]
    minutes, dollars = flow.paid
    inside = (minutes >= 0) & (minutes <= world.last_minute)
    rent = np.zeros(len(edges) - 1)
    np.add.at(rent, np.searchsorted(edges, minutes[inside], side="right") - 1, dollars[inside])
    ready, live = (by_month(*phase.changes(measure), edges) for measure in ("ready", "live"))
    share = np.divide(np.clip(ready - live, 0, None), ready, out=np.zeros_like(ready), where=ready > 0)
    return float((rent * share).sum())


def party_numbers(world: World, books: Books, history: History) -> dict[str, dict[str, float]]:
    """What each party that guarantees, lends, rents out or supplies came to; see `PARTY_NUMBERS`."""
    found: dict[str, dict[str, float]] = {}

    def note(party: str, name: str, value: float) -> None:
        if value:
            numbers = found.setdefault(party, {})
            numbers[name] = numbers.get(name, 0.0) + value

    for id, guarantor in world.guarantors.items():
        standing, tally = guarantor.standing, guarantor.tally
        note(id, "committed_peak", standing.peak_committed / MONEY)
        note(id, "active_peak", standing.peak_active / MONEY)
        note(id, "guarantee_limit", (guarantor.limit or 0) / MONEY)
        note(id, "calls", tally.calls)
        note(id, "guarantee_paid", tally.paid / MONEY)
        note(id, "uncovered", tally.unmet / MONEY)
        note(id, "fees", float(books.received(id, ("guarantee fee",)).sum()) / MONEY)
        note(id, "warrants", tally.warrants / MONEY)
    for id in world.spec.parties:
        note(id, "chips_sold", float(books.received(id, ("chips", "chip deposit")).sum()) / MONEY)
        note(id, "residual_paid", float(books.paid(id, ("residual value payment",)).sum()) / MONEY)
    for product, kw_minutes in world.chips.served.items():
        note(world.spec.chips.products[product].supplier, "live_mw_years", kw_minutes / 1000 / YEAR)
    for id, margin in world.hardware.margins().items():
        note(id, "chip_margin", margin / MONEY)
    for id, lost in displaced(world).items():
        note(id, "cloud_margin_lost", lost / MONEY)
    for _, target, kind, levels in history.exposures:
        if kind == "loan" and target in world.lenders:
            note(target, "lent_peak", float(levels.max()) / MONEY)
    for id, lender in world.lenders.items():
        note(id, "loan_losses", lender.lost / MONEY)
    return found


def _m(dollars: float | None) -> float | None:
    return None if dollars is None else dollars / MONEY


def _last_known(prices: list[float | None]) -> Floats | None:
    """Prices by month, the nearest before where there is none (else the first after); None without any."""
    known = [price for price in prices if price is not None]
    if not known:
        return None
    filled, last = [], known[0]
    for price in prices:
        last = price if price is not None else last
        filled.append(last)
    return np.array(filled)
