"""What must hold whatever the terms and whenever somebody fails: random guarantees, random failures."""

from __future__ import annotations

import random

import pytest
from calls import M, paid
from helpers import DAY, Run, Runner

from dcsim.model.guarantee import Cover

PARTIES = """
parties:
  {g: {rating: AA, guarantee: {limit: %(limit)s, terms: %(terms)s}},
   h: {rating: A, guarantee: {approval: {delay: 15, chance: 0.7}}},
   bank: {rating: A, lending: {min_rating: BBB-, ltc: 0.8, cap_to_loan: %(ratio)s, closing: 40, capacity: $900m}}}
"""
SITES = """
defaults:
  site:
    guarantee: {from: [g, h], patience: 300}
    lease: {rent: $100/kW-month, term: %(term)s, market_rent: %(market)s, relet: {after: 90, at: 0.7}}
    financing: {lenders: bank, cost: $5m/MW, equity: 0.95}
    construction: {activities: {building: {duration: %(build)s}}, phase_gap: 100}
sites:
  a: {phases: [60 MW, 40 MW], lease: {security: 2 months of rent}}
  b: {phases: [80 MW], guarantee: {from: [], together: {g: 0.6, h: 0.4}}, loi: {signed: day 120}}
"""


def random_text(luck: random.Random) -> tuple[str, str, str]:
    """Terms, sites and shocks."""
    fixed = f"{{basis: fixed, amount: {luck.randint(0, 500)}}}"
    basis = luck.choice(["{basis: loan}", "{basis: remaining_rent}", fixed])
    start = luck.choice(["signing", "financial_close", "rent_commencement"])
    falls = luck.choice([
        "null",
        f"{{from: {start}, over: {luck.randint(300, 3000)}}}",
        f"{{from: {start}, shape: steps, steps: [{{after: 100, share: 0.6}}, {{after: 500, share: 0.2}}]}}",
        f"{{from: {start}, shape: with_loan}}",
    ])  # fmt: skip
    terms = (
        f"{{cap: {basis}, step_down: {falls}, effective: {luck.choice(['signing', 'rent_commencement'])}, "
        f"election: {luck.choice(['cheaper', 'pay', 'terminate'])}, termination_fee: {luck.random():.2f}, "
        f"covers: {luck.choice(['rent', 'rent', 'rent_and_loan', 'loan'])}, discount_rate: {luck.choice([0, 0.08])}, "
        f"call: {{grace: {luck.randint(0, 9)}, cure: {luck.randint(0, 40)}, pay_within: {luck.randint(0, 20)}}}, "
        f"fee: {{rate: 0.01, warrants: 0.1}}, replace: {{below: BBB-, within: 30}}}}"
    )
    numbers = {
        "limit": luck.choice(["null", "400", "700"]),
        "terms": terms,
        "ratio": luck.choice([0.5, 1.0]),
        "term": luck.choice(["3 years", "10 years"]),
        "market": luck.choice(["$60/kW-month", "$130/kW-month"]),
        "build": luck.randint(50, 400),
    }

    def when() -> str:
        return f"{luck.choice([2027, 2028, 2029])}-{luck.randint(1, 12):02}-{luck.randint(1, 28):02}"

    shocks = [f"tenant: {{when: {when()}, {luck.choice(['stop_paying', 'default'])}: lab}}"]
    if luck.random() < 0.4:
        shocks.append(f"guarantor: {{when: {when()}, {luck.choice(['stop_paying', 'default'])}: g}}")
    elif luck.random() < 0.5:
        shocks.append(f"guarantor: {{when: {when()}, downgrade: g, to: B}}")
    seed = f"seed: {luck.randrange(2**32)}"
    return PARTIES % numbers, SITES % numbers + seed, f"shocks: {{{', '.join(shocks)}}}"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens(seed, monkeypatch):
    """No payment above what is left of the stepped cap; committed never rises, and is within the limit; what is paid
    stands in the ledger. (The books are audited in every run.)"""
    pay = Cover.pay

    def watched(self, wanted, kind="guarantee payment"):
        left = self.cap_left(self.world.clock.now)
        got = pay(self, wanted, kind)
        assert 0 <= got <= min(wanted, left)
        return got

    monkeypatch.setattr(Cover, "pay", watched)
    runner = Runner(*random_text(random.Random(seed)))
    world = runner.world()
    seen: dict[Cover, int] = {}

    def look() -> None:
        for cover in [site.cover for site in world.sites.values() if site.cover is not None]:
            assert 0 <= cover.committed <= seen.get(cover, cover.amount)
            seen[cover] = cover.committed

    for day in range(0, 1461, 10):
        world.clock.at(day * DAY + 1, look)
    r = Run(world.run(), world)
    for guarantor in world.guarantors.values():
        standing, limit = guarantor.standing, guarantor.limit
        assert all(active <= committed for active, committed in zip(standing.active, standing.committed, strict=True))
        assert limit is None or standing.peak_committed <= limit
        sums = [
            sum(paid(r, guarantor.id, payee, kind).values())
            for payee in ("dev", "bank")
            for kind in ("guarantee payment", "termination fee")
        ]
        assert round(sum(sums) * M) == guarantor.tally.paid == sum(guarantor.claims.values())
        fees = r.history.parties.get(guarantor.id, {}).get("fees", 0.0)
        assert sum(paid(r, "dev", guarantor.id, "guarantee fee").values()) == pytest.approx(fees)
    for cover in seen:
        assert cover.paid <= cover.amount


def test_the_random_cases_are_not_all_alike():
    """Of sixty: calls, payments, fees, claims unmet, and replacements come about, each several times."""
    found = {"calls": 0, "paid": 0, "fees": 0, "unmet": 0, "warrants": 0}
    replaced = 0
    for seed in range(60):
        r = Runner(*random_text(random.Random(seed))).run()
        world = r.world
        tallies = [guarantor.tally for guarantor in world.guarantors.values()]
        for name in ("calls", "paid", "unmet", "warrants"):
            found[name] += any(getattr(tally, name) for tally in tallies)
        found["fees"] += any("fees" in numbers for numbers in r.history.parties.values())
        replaced += any(kind == "guarantor replaced" for _, kind, _, _ in world.event_log.rows)
    assert min(*found.values(), replaced) >= 2, (found, replaced)


@pytest.mark.parametrize("seed", range(12))
def test_cover_before_commencement_changes_nothing_that_comes_after(seed):
    """If the tenant fails once every hall is ready, it is all one from when the guarantee could be called."""
    luck = random.Random(seed)
    parties, sites, _ = random_text(luck)
    text = (parties, sites, "sites: {b: {loi: day 0}}",
            f"shocks: {{tenant: {{when: 2029-{luck.randint(1, 12):02}-10, default: lab}}}}")  # fmt: skip
    ledgers = []
    for effective in ("signing", "rent_commencement"):
        r = Runner(*text, f"parties: {{g: {{guarantee: {{terms: {{effective: {effective}}}}}}}}}").run()
        ledgers.append(r.history.ledger)
    assert ledgers[0] == ledgers[1]
