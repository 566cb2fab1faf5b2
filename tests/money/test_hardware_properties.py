"""What adds up in orders made at random, paid in random ways, while parties stop, resume, fail and sites end."""

import random

import numpy as np
import yaml
from helpers import Run, Runner
from test_hardware import BASE, DAY, paid

from dcsim.ledger import flows_of

PARTIES = ("lab", "maker", "bank", "spv", "fund")
EXAMPLES = 120


def made(dice):
    """A scenario, and what happens in it: (day, what, who)."""
    payers = dice.sample(["cash", "vendor", "spv"], dice.randint(1, 3))
    order = {
        "product": "rack", "racks": dice.randint(5, 30), "ordered": f"day {dice.randint(-60, 100)}",
        "lead_time": dice.randint(0, 200), "deposit": dice.choice([0, 0.1, 0.33]), "paid_by": payers,
        "deliveries": {"size": dice.randint(3, 12), "every": dice.randint(0, 60)},
        "rights": {"cancel_fee": dice.choice([0, 0.05, 0.3])},
    }  # fmt: skip
    if dice.random() < 0.4:
        order |= {"racks": None, "per": "phase", "ordered": "lease_signed"}
    if "vendor" in payers:
        order["vendor_finance"] = {
            "advance": dice.choice([0.5, 1.0]), "rate": dice.choice([0, 0.11]), "term": f"{dice.randint(1, 40)} months",
        } | dice.choice([{}, {"lender": "bank"}, {"ltv": 0.7}, {"capacity": 25}])  # fmt: skip
    vehicle = {
        "capacity": dice.choice([30, 100]),
        "funded_by": {"fund": dice.choice([0.37, 1.0])},
        "tranches": {"a": {"amount": 20, "rate": 0.06, "residual_value_by": "maker"}, "b": {"amount": 9, "rate": 0.09}},
        "draws_at": dice.choice([["delivered"], ["delivered", "rent_commencement"]]),
        "lease": {"term": f"{dice.randint(1, 40)} months", "residual": dice.choice([0, 0.2]), "margin": 0.01},
    }
    product = {"value_falls": dice.choice([None, 0, 0.4, 0.97]), "storage": 0.05} | dice.choice([{}, {"life": 500}])
    bring_up = {"lot": dice.randint(1, 12), "burn_in": dice.choice([0, 9]), "at_end_of_life": "refresh_same_mw"}
    text = {
        "parties": {name: {"rating": "A"} for name in PARTIES} | {"spv": {"rating": "A", "vehicle": vehicle}},
        "chips": {"products": {"rack": product}, "orders": {"o": order}},
        "sites": {
            "a": {"phases": [0.6, 0.6], "bring_up": bring_up, "construction": {"phase_gap": dice.randint(0, 90),
                  "activities": {"shell": {"duration": dice.randint(0, 300)}}}},
            "b": {"phases": [0.6], "loi": f"day {dice.randint(0, 500)}", "bring_up": bring_up},
        },
    }  # fmt: skip
    events = [
        (dice.randint(1, 900), dice.choice(["stop", "resume", "default", "end"]), dice.choice([*PARTIES, "lab"]))
        for _ in range(dice.randint(0, 4))
    ]
    return yaml.safe_dump(text), sorted(events)


def happens(world, what, who):
    party = world.parties[who]
    if what == "end":
        world.sites["a"].end("terminated", "test")
    elif what == "default":
        party.default("shock")
    elif what == "stop":
        party.stop_paying()
    else:
        party.resume_paying()


def simulated(dice):
    text, events = made(dice)
    world = Runner(BASE, text).world()
    for day, what, who in events:
        world.clock.at(day * DAY, lambda what=what, who=who: happens(world, what, who))
    return Run(world.run(), world), events


def check_contracts(r, events):
    for contract in r.world.book:
        assert min(contract.levels, default=0) >= 0
        assert contract.minutes == sorted(contract.minutes)
    vehicle = r.world.hardware.vehicles["spv"]
    assert vehicle.bought <= vehicle.taken <= vehicle._capacity()
    if not any(who == "spv" for _, _, who in events):
        received, spent = flows_of(r.history.ledger, "spv", 48)
        assert (received == spent).all()  # it keeps nothing


def check_prices(r):
    """What was delivered is paid once, or still owed, or was taken back; deposits are in it, or were given back."""
    hardware, prices = r.world.hardware, 0
    for purchase in r.world.chips.purchases:
        came = sum(d.price for d in purchase.deliveries if d.arrived)
        prices += came - sum(d.deposit for d in purchase.deliveries if d.arrived)
        credit = r.world.book.get(f"credit:{purchase.id}")
        owed = credit.at_stake(r.world.last_minute) if credit is not None else 0
        assert owed == purchase.unpaid
        prices -= owed
    total = sum(paid(r, "chips").values())
    if r.world.parties["lab"].stands:
        assert total == prices
    assert total <= prices  # the supplier takes back what it waits for
    assert hardware.vehicles["spv"].bought == sum(paid(r, "vehicle funding").values())


def check_notes(r):
    for contract in r.world.book:
        if contract.id.startswith("vendor_finance:"):
            lent = sum(paid(r, "vendor draw", contract.target).values())
            back = sum(paid(r, "principal", "lab", contract.target).values())
            sold = sum(paid(r, "chips sold", "outside", contract.target).values())
            left = contract.at_stake(r.world.last_minute)
            assert contract.amount == lent
            assert lent - back - sold <= left + 1  # of a default interest is claimed besides
            if r.world.parties["lab"].stopped is None:
                assert lent - back == left


def check_books(r):
    hardware = r.world.hardware
    written, value = hardware.depreciation("lab"), hardware.book_value("lab")
    assert min(written) >= 0
    assert min(value) >= 0
    idle = hardware.assets.idle("lab")
    on_hand = r.world.record.meters["lab", "chips_on_hand"].until(r.world.last_minute + 1)
    assert np.isclose(idle.kw_minutes, on_hand)  # nothing is in repair or spare here
    assert idle.dollars >= 0


def test_everything_adds_up():
    dice = random.Random(7)
    seen = set()
    for _ in range(EXAMPLES):
        r, events = simulated(dice)
        check_contracts(r, events)
        check_prices(r)
        check_notes(r)
        check_books(r)
        seen.update(r.history.ledger.pairs[pair].kind for pair in r.history.ledger.pair.tolist())
        racks = r.world.chips.racks["lab"]
        seen.update(name for name, count in vars(racks).items() if count)
    assert seen >= {
        "chips", "chip deposit", "deposit returned", "vendor draw", "principal", "vehicle funding", "vehicle return",
        "hardware lease", "residual value payment", "purchase option", "chips sold", "storage", "cancellation fee",
        "taken", "retired", "cancelled",
    }  # fmt: skip
