"""A vehicle that buys racks with its funders' money and leases them to tenants, and who supports their value."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dcsim.ledger import OUTSIDE, Ints
from dcsim.model.blueprint import YEAR, dollars, half_up
from dcsim.model.instalments import Draw, Instalments, months_of, parts_of
from dcsim.model.supply import Rent
from dcsim.network.contracts import Contract, Kind
from dcsim.scenario.fields import at_least

if TYPE_CHECKING:
    from dcsim.model.hardware import Hardware
    from dcsim.model.money import Flow
    from dcsim.model.supply import Title
    from dcsim.scenario.vehicle import Vehicle as VehicleSpec


class Layer(NamedTuple):
    """A tranche, most senior first."""

    share: float
    """Of the vehicle's money."""
    supporter: str | None
    support: float
    """Share of a shortfall that the supporter makes good."""


class Vehicle:
    """One chip-owning vehicle. It keeps nothing: what it is paid goes to its funders in the same minute."""

    def __init__(self, hardware: Hardware, id: str, spec: VehicleSpec) -> None:
        self.hardware = hardware
        self.world = world = hardware.world
        self.id = id
        self.spec = spec
        draws = world.draws
        self.late = "rent_commencement" in spec.draws_at
        """Whether it draws, and pays, only once the rent of the racks' phase has commenced."""
        self.taken = 0
        """Dollars of racks that it has bought, or will buy."""
        self.bought = 0
        self.funders = {name: world.now(part).value for name, part in spec.funded_by.items()}
        self.ends = list(accumulate(self.funders.values()))
        tranches = list(spec.tranches.values())
        amounts = [world.now(tranche.amount).value for tranche in tranches]
        whole = world.now(spec.capacity).value if spec.capacity is not None else sum(amounts)
        self.layers = [
            Layer(amount / whole if whole else 0.0, tranche.residual_value_by, draws.value(tranche.support))
            for tranche, amount in zip(tranches, amounts, strict=True)
        ]
        rates = [draws.value(tranche.rate) for tranche in tranches]
        debt = sum(amounts)
        blended = sum(a * r for a, r in zip(amounts, rates, strict=True)) / debt if debt else 0.0
        self.rate = blended + draws.value(spec.lease.margin)
        self.residual = draws.value(spec.lease.residual)
        self._commitments: list[Contract] = []
        self._leases: dict[str, Leased] = {}

    def begin(self) -> None:
        """Its funders have promised their shares."""
        if self.spec.capacity is None:
            return
        for name in self.funders:
            promise = Contract("fund_commitment", f"fund:{self.id}:{name}", name, self.id, 0, 0)
            self._commitments.append(self.world.book.open(promise))
        self._promise(first=True)

    def _promise(self, first: bool = False) -> None:
        if self._commitments:
            left = max(0, self._capacity() - self.bought)
            for promise, part in zip(self._commitments, parts_of(left, self.ends), strict=True):
                promise.owe(self.world.clock.now, part)
                if first:
                    promise.amount = part

    def _capacity(self) -> int:
        assert self.spec.capacity is not None
        return dollars(self.world.now(self.spec.capacity).value)

    def leased(self, tenant: str) -> Leased | None:
        """What a tenant leases; None if it never has."""
        return self._leases.get(tenant)

    # Buying.

    def draws_for(self, tenant: str) -> bool:
        """Whether money comes now: all who fund it pay, and the tenant is rated well enough."""
        hardware = self.hardware
        rated = self.spec.min_rating is None or at_least(self.world.parties[tenant].rating, self.spec.min_rating)
        return rated and all(hardware.pays(name) for name in (tenant, self.id, *self.funders))

    def takes(self, tenant: str, price: int) -> bool:
        """Whether it can buy racks of this price now, whole; if so they are taken out of its capacity."""
        if not self.draws_for(tenant):
            return False
        if self.spec.capacity is not None and not self.world.unlimited and self.taken + price > self._capacity():
            return False
        self.taken += price
        return True

    def release(self, price: int) -> None:
        """Racks that it was to buy are bought by somebody else."""
        self.taken -= price

    def buy(self, titles: list[Title]) -> None:
        """Draw, pay for racks of one tenant, and lease them to it. They are the purchase of one minute."""
        money, tenant = self.world.money, titles[0].purchase.tenant
        price = sum(title.price for title in titles)
        self.bought += price
        for name, part in zip([*self.funders, OUTSIDE], self._split(price), strict=True):
            money.pay(name, self.id, "vehicle funding", part)
        for title in titles:
            money.pay(self.id, title.purchase.supplier, "chips", title.price - title.deposit)
            money.pay(self.id, tenant, "deposit returned", title.deposit)
        self._promise()
        if tenant not in self._leases:
            self._leases[tenant] = Leased(self, tenant)
        self._leases[tenant].add(titles, price)

    def _split(self, amount: int) -> list[int]:
        """Of each funder, and of the outside."""
        return parts_of(amount, [*self.ends, 1.0])

    # What comes back.

    def distribute(self, amount: int) -> None:
        """What is paid to it at once, its funders get at once."""
        for name, part in zip([*self.funders, OUTSIDE], self._split(amount), strict=True):
            self.world.money.pay(self.id, name, "vehicle return", part)

    def shortfalls(self, owed: int, fetched: int) -> dict[str, int]:
        """Dollars by supporter: what supported layers of `owed` lack if chips have fetched so much; senior first."""
        found: dict[str, int] = {}
        ends = list(accumulate(layer.share for layer in self.layers))
        for part, layer in zip(parts_of(owed, ends), self.layers, strict=True):
            got = min(part, fetched)
            fetched -= got
            if layer.supporter is not None:
                lacks = half_up((part - got) * layer.support)
                found[layer.supporter] = found.get(layer.supporter, 0) + lacks
        return found

    @property
    def supported(self) -> dict[str, float]:
        """Share of the vehicle's money that each supporter stands behind."""
        found: dict[str, float] = {}
        for layer in self.layers:
            if layer.supporter is not None:
                found[layer.supporter] = found.get(layer.supporter, 0.0) + layer.share * layer.support
        return found


class Leased:
    """Racks that one vehicle leases to one tenant: rent in level months, and its funders' returns."""

    def __init__(self, vehicle: Vehicle, tenant: str) -> None:
        self.vehicle = vehicle
        self.tenant = tenant
        self.hardware = vehicle.hardware
        self.world = world = vehicle.world
        self.owed = Instalments(self.hardware.firsts)
        self.draws: list[tuple[Draw, list[Title]]] = []
        self._waiting: list[tuple[Draw, list[Title]]] = []
        """Leases that ended while the tenant paid nothing."""
        self._stop = 0
        """Minute from which the tenant paid nothing, the last time that it stopped."""
        self.contract = self._open("hardware_lease", f"hardware_lease:{vehicle.id}:{tenant}", tenant, vehicle.id)
        self._supports = {
            name: self._open(
                "residual_value_guarantee", f"residual:{vehicle.id}:{tenant}:{name}", name, vehicle.id, self.contract.id
            )
            for name in vehicle.supported
        }
        self._claims = [
            self._open("loan", f"vehicle:{vehicle.id}:{tenant}:{name}", vehicle.id, name) for name in vehicle.funders
        ]
        self.rent: Flow = world.money.book(tenant, vehicle.id, "hardware lease", [], [], self.contract.id)
        claims = [*((claim.target, claim.id) for claim in self._claims), (OUTSIDE, None)]
        self._returns = [world.money.book(vehicle.id, to, "vehicle return", [], [], id) for to, id in claims]
        party = world.parties[tenant]
        party.on("stopped", self._stopped)
        party.on("resumed", self._resumed)
        party.on("default", self._default)

    def _open(self, kind: Kind, id: str, source: str, target: str, covers: str | None = None) -> Contract:
        """Nothing of it is agreed as a sum: all its dollars are what is at stake."""
        now = self.world.clock.now
        return self.world.book.open(Contract(kind, id, source, target, 0, now, covers=covers, tenant=self.tenant))

    def add(self, titles: list[Title], price: int) -> None:
        """Racks are leased from now on."""
        vehicle, world, now = self.vehicle, self.world, self.world.clock.now
        months = months_of(world.now(vehicle.spec.lease.term).value)
        draw = Draw(self.hardware.firsts, now, price, vehicle.rate, months, half_up(vehicle.residual * price))
        self.owed.add(draw)
        self.draws.append((draw, titles))
        self._publish()
        end = self.hardware.firsts.minutes[draw.end] if draw.end < len(self.hardware.firsts.minutes) else world.never
        racks = sum(title.racks for title in titles)
        for title in titles:
            title.rent = Rent(now, end, draw.level * 12 / YEAR / racks)
        if end <= world.last_minute:
            world.clock.at(end, lambda: self._end_of_lease(draw, titles))

    def _publish(self) -> None:
        """Contracts and flows as the instalments have them."""
        vehicle, owed = self.vehicle, self.owed
        rent = owed.interest + owed.principal
        stakes = [(self.contract, 1.0)]
        stakes += [(contract, vehicle.supported[name]) for name, contract in self._supports.items()]
        stakes += list(zip(self._claims, vehicle.funders.values(), strict=True))
        cuts = np.floor(np.outer([0.0, *vehicle.ends, 1.0], rent) + 0.5).astype(np.int64)
        flows: list[tuple[Flow, Ints]] = [(self.rent, rent), *zip(self._returns, np.diff(cuts, axis=0), strict=True)]
        owed.publish(self.world.clock.now, stakes, flows)

    def _settle(self, owed: int, fetched: int) -> int:
        """Supporters make good what layers of `owed` lack; all of it goes to the funders. Returns what they paid."""
        money, id = self.world.money, self.vehicle.id
        paid = 0
        for name, lack in self.vehicle.shortfalls(owed, fetched).items():
            if money.pay(name, id, "residual value payment", lack):
                paid += lack
        self.vehicle.distribute(fetched + paid)
        return paid

    def _end_of_lease(self, draw: Draw, titles: list[Title]) -> None:
        """The tenant buys what it still has at its market value; what has left is sold at it."""
        hardware, money = self.hardware, self.world.money
        if draw not in self.owed.draws:
            return  # the tenant has defaulted meanwhile
        if not hardware.pays(self.tenant):
            self._waiting.append((draw, titles))
            return
        self.owed.draws.remove(draw)
        fetched = hardware.fetched(titles, draw.rest)
        for title, worth in zip(titles, fetched, strict=True):
            gone = worth * title.gone // title.racks
            kept = worth - gone
            money.pay(self.tenant, self.vehicle.id, "purchase option", kept)
            hardware.assets.bought_out(title, kept)
            money.pay(OUTSIDE, self.vehicle.id, "chips sold", gone)
        self._settle(draw.rest, sum(fetched))

    def _stopped(self) -> None:
        """The tenant has stopped paying: what it owes falls no more, and funders get nothing."""
        self._stop = stop = self.world.parties[self.tenant].stopped or 0
        now, left = self.world.clock.now, self.owed.owed_before(stop)
        for flow in self._returns:
            flow.cut(stop)
        self._owe(now, left, left)

    def _owe(self, now: int, left: int, supported: int) -> None:
        """So much is owed from now on, and so much of the layers that others stand behind."""
        self.contract.owe(now, left)
        for name, contract in self._supports.items():
            contract.owe(now, half_up(self.vehicle.supported[name] * supported))
        for claim, part in zip(self._claims, parts_of(left, self.vehicle.ends), strict=True):
            claim.owe(now, part)

    def _resumed(self) -> None:
        """The tenant has paid its arrears, and goes on."""
        now, minutes = self.world.clock.now, self.hardware.firsts.minutes
        late = (self.owed.interest + self.owed.principal).tolist()
        arrears = sum(amount for minute, amount in zip(minutes, late, strict=False) if self._stop <= minute <= now)
        self.vehicle.distribute(arrears)
        self._publish()
        waiting, self._waiting = self._waiting, []
        for draw, titles in waiting:
            self._end_of_lease(draw, titles)

    def _default(self) -> None:
        """The tenant has defaulted: the vehicle takes its racks back and sells them; supporters pay what is lacking."""
        hardware, now = self.hardware, self.world.clock.now
        stop = self.world.parties[self.tenant].stopped or 0
        left = self.owed.owed_before(stop)
        minutes = hardware.firsts.minutes
        late = sum(d for minute, d in zip(minutes, self.owed.interest.tolist(), strict=False) if stop <= minute <= now)
        index = hardware.firsts.from_(stop) - 1
        draws = [(draw, titles) for draw, titles in self.draws if draw in self.owed.draws]
        titles = [title for _, titles in draws for title in titles]
        fetched = sum(sum(hardware.fetched(titles, draw.owed(index))) for draw, titles in draws)
        for flow in (self.rent, *self._returns):
            flow.cut(stop)
        self.owed.drop(now)
        self.world.money.pay(OUTSIDE, self.vehicle.id, "chips sold", fetched)
        paid = self._settle(left, fetched)
        self._owe(now, max(0, left + late - fetched - paid), 0)
        hardware.take_back(self.tenant, titles)
