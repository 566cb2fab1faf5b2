"""Guarantees while they stand: caps over time, what is committed, headroom freed, several guarantors, fees, terms."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from calls import with_events
from helpers import Run, Runner, run

from dcsim.engine.clock import Stage
from dcsim.model.backing import split
from dcsim.network.exposure import Cover, cover_timeline
from dcsim.scenario.scenario import load

DATA = Path(__file__).parents[1] / "data"
CASES = {case["id"]: case for case in json.loads((DATA / "finance_cases.json").read_text())["cases"]}
M = 1_000_000
DAY = 1440
YEAR = 525_960

# One site of 100 MW that costs $10m a MW, with a loan of at most 80 % of it; nothing takes time but the building.
ONE = """
parties:
  g: {rating: AA, guarantee: {}}
  h: {rating: AA, guarantee: {}}
  bank: {rating: A, lending: {min_rating: BBB-, ltc: 0.8, cap_to_loan: 1.0}}
defaults:
  site:
    guarantee: {from: g}
    lease: {rent: $100/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.3}
"""


def finance(name: str) -> Run:
    """A scenario of the finance cases, run once."""
    return run(load(DATA / "finance" / f"{name}.yaml"))


def monthly(r: Run, payer: str, payee: str, kind: str) -> list[tuple[int, int]]:
    """(month, dollars) of the payments of one kind between two parties."""
    ledger = r.history.ledger
    return [
        (int(month), int(dollars))
        for month, pair, dollars in zip(ledger.month, ledger.pair, ledger.dollars, strict=True)
        if ledger.pairs[pair] == (payer, payee, kind)
    ]


def committed(r: Run, guarantor: str) -> list[tuple[float, float]]:
    """(day, US$ million) of a guarantor's committed cover each time it changes."""
    standing = r.world.guarantors[guarantor].standing
    rows = [(0.0, 0.0), *((t / DAY, c / M) for t, c in zip(standing.minutes, standing.committed, strict=True))]
    return [rows[0], *(b for a, b in pairwise(rows) if a[1] != b[1])]


# Finance cases.


def test_g05_headroom_is_a_queue():
    r, case = finance("g05"), CASES["G05"]
    days = {name: day for name, _, day in case["expected"]["outcomes"]}
    assert {p: r.day(f"{p.lower()}.guarantee_signed") for p in days} == days
    assert committed(r, "backer") == [tuple(row) for row in case["expected"]["used_over_time"]]


def test_g06_straight_line_from_rent_commencement():
    """1,300 x (1 - t/10): 1,300, 845 after 3.5 years, 650, nothing, nothing."""
    r, case = finance("g06"), CASES["G06"]
    cover = r.world.sites["a"].cover
    start = r.day("a.p1.rent_commencement") * DAY
    caps = [cover.cap(start + round(t * YEAR)) / 1e9 for t in case["inputs"]["t"]]
    assert caps == pytest.approx(case["expected"]["cap_bn"], abs=1e-9)


def test_g07_calls_consume_the_cap():
    """Rents of 30, 50 and 40 go unpaid; 100 covers 30, 50 and 20, and 20 are never paid."""
    r, case = finance("g07"), CASES["G07"]
    paid = [dollars / M for _, dollars in monthly(r, "backer", "dev", "guarantee payment")]
    assert paid == case["expected"]["paid"]
    assert r.world.sites["a"].call.lost / M == sum(case["expected"]["unmet"])
    assert [100 - sum(paid[: n + 1]) for n in range(3)] == case["expected"]["remaining"]
    assert r.state("a") == "terminated"
    assert r.day("a.ended") == 90  # 2027-04-01, when the third rent is not paid in full and the call clock is nothing
    backer = r.world.guarantors["backer"]
    assert (backer.tally.calls, backer.tally.paid, backer.claims["lab"]) == (1, 100 * M, 100 * M)


def test_m04_a_guarantors_contingent_liability():
    """Years 0, 1, 2, 4, 6, 7, 12: 100; 100 + 60; the same, all active; 80 + 60; 60 + 0; 50; nothing."""
    case = CASES["M04"]
    world = Runner(load(DATA / "finance" / "m04.yaml")).world()
    found: list[tuple[float, float]] = []

    def look() -> None:
        covers = [site.cover for site in world.sites.values() if site.cover is not None]
        now = world.clock.now
        active = sum(cover.committed_at(now) for cover in covers if cover.effective(now))
        found.append((sum(cover.committed_at(now) for cover in covers) / M, active / M))

    for years in case["inputs"]["t"]:
        world.clock.stage_at(round(years * YEAR), Stage.DEADLINE, look)
    world.run()
    assert [committed for committed, _ in found] == pytest.approx(case["expected"]["committed"], abs=1e-6)
    assert [active for _, active in found] == pytest.approx(case["expected"]["active"], abs=1e-6)


def test_m04_over_the_limit_if_signing_is_not_gated():
    inputs, expected = CASES["M04"]["inputs"], CASES["M04"]["expected"]
    one, two = inputs["P1"], inputs["P2"]
    cover = Cover(
        [one["amount"], two["amount"]], [one["sign"], two["sign"]], [one["rcd"], two["sign"]],
        [float("inf"), two["end"]], [one["amort"], float("inf")],
    )  # fmt: skip
    timeline = cover_timeline(cover, inputs["limit"], inputs["t"])
    assert timeline.committed.tolist() == expected["committed"]
    assert timeline.active.tolist() == expected["active"]
    assert timeline.over_limit.tolist() == expected["over_limit"]


def test_m04_gated_the_second_request_waits_until_the_first_has_stepped_down():
    """A limit of 150 leaves 50 beside the 100. At year 3 the first stands at 90: 60 fit on the first 1st after it.

    Rent commences after 730.5 days; 90 of 100 is reached 365.25 days later, on day 1095.75, and the 1st after that is
    2030-01-01, day 1096.
    """
    r = run(load(DATA / "finance" / "m04.yaml").edit({"parties.backer.guarantee.limit": 150}))
    assert r.day("p2.guarantee_signed") == 1096
    assert max(amount for _, amount in committed(r, "backer")) <= 150


def test_m04_if_the_limit_is_below_the_request_it_is_refused():
    r = run(load(DATA / "finance" / "m04.yaml").edit({"parties.backer.guarantee.limit": 59}))
    assert [r.state(site) for site in ("p1", "p2")] == ["unguaranteed", "unguaranteed"]


# The cap.


def test_the_cap_follows_the_loan_at_close():
    """R is 0.8 x 1,000; the bank has 700 and lends that: the cap falls to 700, and 100 of the limit are free."""
    r = run(ONE, "parties: {bank: {lending: {capacity: $700m, closing: 60}}}", "sites: {a: {}}")
    assert committed(r, "g") == [(0, 0), (0, 800), (60, 700)]


def test_a_fixed_cap_bounds_the_loan_and_is_not_cut():
    fixed = "sites: {a: {guarantee: {terms: {cap: {basis: fixed, amount: $750m}}}}}"
    r = run(ONE, "parties: {bank: {lending: {cap_to_loan: 1.5, closing: 60}}}", fixed,
            "defaults: {site: {financing: {equity: 0.5}}}")  # fmt: skip
    assert r.loan("a") == 500 * M
    assert committed(r, "g") == [(0, 0), (0, 750)]


def test_a_cap_by_the_remaining_rent_falls_as_rent_is_paid():
    """$10m a month for two years: 240; rent of 2027-01-01 is paid on day 0; then 10 less on each 1st."""
    r = run(ONE, "defaults: {site: {guarantee: {terms: {cap: {basis: remaining_rent}}}}}",
            "sites: {a: {lease: {term: 2 years}, financing: {equity: 1}}}")  # fmt: skip
    levels = [amount for _, amount in committed(r, "g")]
    assert levels == [0, *range(230, -1, -10)]
    assert r.world.sites["a"].cover.amount == 240 * M


@pytest.mark.parametrize(
    ("start", "day", "expected"),
    [  # signed on day 0, closed on day 60, rent from day 160; each share holds from its day on
        ("signing", 99, 800), ("signing", 100, 400), ("signing", 200, 80),
        ("financial_close", 159, 800), ("financial_close", 160, 400), ("financial_close", 260, 80),
        ("rent_commencement", 259, 800), ("rent_commencement", 260, 400), ("rent_commencement", 360, 80),
    ],
)  # fmt: skip
def test_steps_count_from_signing_close_or_commencement(start, day, expected):
    steps = f"{{shape: steps, from: {start}, steps: [{{after: 100, share: 0.5}}, {{after: 200, share: 0.1}}]}}"
    r = run(ONE, f"""
    parties: {{bank: {{lending: {{closing: 60}}}}, g: {{guarantee: {{terms: {{step_down: {steps}}}}}}}}}
    sites: {{a: {{construction: {{activities: {{building: {{duration: 100}}}}}}}}}}
    """)
    assert r.world.sites["a"].cover.cap(day * DAY) == expected * M


def test_what_steps_down_is_free_on_the_first_of_the_month():
    """Half of 800 is gone from day 45 (2027-02-15): free on 2027-03-01, day 59. b wants 600 of the 800."""
    steps = "{shape: steps, from: signing, steps: [{after: 45, share: 0.25}]}"
    r = run(ONE, f"""
    parties: {{g: {{guarantee: {{limit: $800m, terms: {{step_down: {steps}}}}}}}}}
    sites: {{a: {{}}, b: {{phases: [75 MW], diligence: {{x: {{duration: 1}}}}}}}}
    """)
    assert r.day("b.guarantee_signed") == 59
    assert r.world.sites["b"].cover.amount == 600 * M


def test_a_cap_that_follows_the_loan():
    """As the balance of the loan falls from its highest, so does the cap, and it never rises."""
    r = run(ONE, "sites: {a: {guarantee: {terms: {step_down: {shape: with_loan}}}}}")
    cover, contract = r.world.sites["a"].cover, r.world.book.get("loan:a:bank")
    months = [minute for minute in r.world.blueprint.months if minute >= r.day("a.p1.rent_commencement") * DAY]
    caps = [cover.cap(minute) for minute in months]
    assert caps[0] <= 800 * M
    assert all(a >= b for a, b in pairwise(caps))
    if contract.minutes:
        assert caps == [contract.at_stake(minute) for minute in months]
        assert caps[-1] < caps[0]


# When it can be called.


def test_effective_from_signing_close_or_commencement():
    for effective, day in (("signing", 20), ("financial_close", 60), ("rent_commencement", 160)):
        r = run(ONE, f"""
        parties:
          bank: {{lending: {{closing: 60}}}}
          g: {{guarantee: {{approval: {{delay: 20}}, terms: {{effective: {effective}}}}}}}
        sites: {{a: {{negotiation: {{duration: 30}}, construction: {{activities: {{building: {{duration: 100}}}}}}}}}}
        """)
        cover = r.world.sites["a"].cover
        assert [cover.effective(minute) for minute in (day * DAY - 1, day * DAY)] == [False, True]
        standing = r.world.guarantors["g"].standing
        assert next(t for t, active in zip(standing.minutes, standing.active, strict=True) if active) == day * DAY
        assert r.world.book.get("guarantee:a").effective == day * DAY


def test_exposure_is_the_lesser_of_cap_and_rent_to_come():
    """Cap 800, rent 10 a month for five years: 600. By 2027-12-31 twelve rents are paid and 480 are left."""
    r = run(ONE, "sites: {a: {lease: {term: 5 years}}}")
    rows = {(source, target): levels for source, target, kind, levels in r.history.exposures if kind == "guarantee"}
    assert list(rows["g", "dev"][[0, 11]]) == [590 * M, 480 * M]


def test_a_guarantor_whose_rating_falls_before_it_answers_does_not_do():
    """g is asked on day 0 and would answer on day 30; it falls to BB on day 10, and h is asked on day 30."""
    r = run(ONE, """
    parties: {g: {guarantee: {approval: {delay: 30}}}}
    shocks: {fall: {when: 2027-01-11, downgrade: g, to: BB}}
    sites: {a: {guarantee: {from: [g, h]}}}
    """)
    assert (r.world.sites["a"].cover.guarantor.id, r.day("a.guarantee_signed")) == ("h", 30)
    assert committed(r, "g") == [(0, 0), (0, 800), (30, 0)]


def test_a_guarantor_who_has_stopped_paying_is_not_asked():
    """g stops on day 5, before a asks on day 10; h is asked instead. Of b it holds the request: it refuses on day 8."""
    r = run(ONE, """
    parties: {g: {guarantee: {approval: {delay: 8}}}}
    shocks: {stop: {when: 2027-01-06, stop_paying: g}}
    defaults: {site: {guarantee: {from: [g, h]}}}
    sites: {a: {diligence: {x: {duration: 10}}}, b: {}}
    """)
    assert [r.world.sites[site].cover.guarantor.id for site in "ab"] == ["h", "h"]
    assert [r.day(f"{site}.guarantee_signed") for site in "ab"] == [10, 8]


def test_rent_that_is_not_paid_stays_covered():
    """Two years of 10: 240. The lab stops after three rents; 210 are owed, overdue or not, until the guarantor pays.

    It pays April and May on day 139: 190 are left.
    """
    r = run(ONE, """
    parties: {g: {guarantee: {terms: {cap: {basis: remaining_rent}, election: pay, call: {cure: 35, pay_within: 14}}}}}
    shocks: {stop: {when: 2027-03-15, stop_paying: lab}}
    sites: {a: {lease: {term: 2 years}, financing: {equity: 1}}}
    """)
    levels = dict(committed(r, "g"))
    assert [levels.get(day) for day in (0, 31, 59, 90, 120, 139, 151)] == [230, 220, 210, None, None, 190, 180]
    exposure = next(e for e in r.history.exposures if e[2] == "guarantee")
    assert [amount // M for amount in exposure[3][2:6]] == [210, 210, 190, 180]


def test_a_sum_in_shares_loses_nothing():
    assert split(100, [1 / 3] * 3) == [33, 34, 33]
    assert [sum(split(total, [0.1, 0.2, 0.3, 0.4])) for total in range(50)] == list(range(50))
    assert split(7, [1.0]) == [7]


# Several at once.


TOGETHER = "defaults: {site: {guarantee: {from: [], together: {g: 0.75, h: 0.25}}}}"


def test_guarantors_who_stand_together_all_reserve_and_approve():
    """600 and 200; h is asked at the same time, and takes 30 days to g's 20."""
    r = run(ONE, TOGETHER, """
    parties: {g: {guarantee: {approval: {delay: 20}}}, h: {guarantee: {approval: {delay: 30}}}}
    sites: {a: {}}
    """)
    assert r.day("a.guarantee_signed") == 30
    assert [committed(r, name) for name in "gh"] == [[(0, 0), (0, 600)], [(0, 0), (0, 200)]]
    assert {c.source: c.amount for c in r.world.book if c.kind == "guarantee"} == {"g": 600 * M, "h": 200 * M}


def test_if_one_of_them_has_no_room_all_wait():
    """h's limit of 200 is taken by a until its letter ends on day 40; g has room for both all along."""
    r = run(ONE, TOGETHER, """
    parties: {h: {guarantee: {limit: $200m}}}
    sites:
      a: {loi: {exclusivity: 40}, negotiation: {duration: 90}}
      b: {diligence: {x: {duration: 1}}}
    """)
    assert r.day("b.guarantee_signed") == 40
    assert committed(r, "g") == [(0, 0), (0, 600), (1, 1200), (40, 600)]


def test_if_one_of_them_refuses_nobody_stands():
    r = run(ONE, TOGETHER, "parties: {h: {guarantee: {approval: {delay: 5, chance: 0.5}}}}", "sites: {a: {}}",
            luck={"sites.a.guarantee.h": 0.9})  # fmt: skip
    assert (r.state("a"), r.day("a.ended")) == ("unguaranteed", 5)
    assert [committed(r, name) for name in "gh"] == [[(0, 0), (0, 600), (5, 0)], [(0, 0), (0, 200), (5, 0)]]


def test_the_least_that_one_offers_bounds_all():
    """h offers one site 100, which is a quarter: 300 of g's."""
    r = run(ONE, TOGETHER, "parties: {h: {guarantee: {max_cap: $100m}}}", "sites: {a: {financing: {equity: 0.9}}}")
    assert r.world.sites["a"].cover.amount == 400 * M
    assert r.loan("a") == 400 * M


# The loan.


LOAN = "parties: {g: {guarantee: {terms: {covers: loan, effective: financial_close}}}}"
TWO = """
parties: {bank: {lending: {capacity: $500m}}, other: {rating: A, lending: {min_rating: BBB-, ltc: 0.8}}}
sites: {a: {financing: {lenders: [bank, other]}}}
"""


def call_for_loan(r_texts: tuple[str, ...], *claims: tuple[str, int]) -> tuple[Run, list[int]]:
    """A run in which debt service is claimed of the guarantors on day 200, and what each claim got."""
    world = Runner(*r_texts).world()
    got: list[int] = []
    for lender, dollars in claims:
        world.clock.at(
            200 * DAY,
            lambda lender=lender, dollars=dollars: got.append(world.sites["a"].cover.pay_loan(lender, dollars)),
        )
    return Run(world.run(), world), got


def test_a_guarantee_of_the_loan_is_given_to_the_lenders():
    """500 of 800 is the bank's: it is the beneficiary of five eighths."""
    r = run(ONE, LOAN, TWO)
    contracts = {c.target: (c.covers, c.amount) for c in r.world.book if c.kind == "guarantee"}
    assert set(contracts) == {"bank", "other"}
    assert contracts["bank"][0] == "loan:a:bank"
    cover = r.world.sites["a"].cover
    assert (cover.covers_rent, cover.covers_loan, cover.amount) == (False, True, 800 * M)


def test_debt_service_is_paid_to_the_lender_up_to_the_cap():
    r, got = call_for_loan((ONE, LOAN, TWO), ("bank", 500 * M), ("other", 500 * M))
    assert got == [500 * M, 300 * M]
    assert monthly(r, "g", "bank", "guarantee payment") == [(6, 500 * M)]
    assert r.world.guarantors["g"].claims == {"dev": 800 * M}


def test_only_the_beneficiarys_part_of_the_loan_is_covered():
    text = (ONE, LOAN, TWO, "sites: {a: {guarantee: {beneficiary: other}}}")
    r, got = call_for_loan(text, ("bank", 50 * M), ("other", 50 * M))
    assert got == [0, 50 * M]
    assert [c.target for c in r.world.book if c.kind == "guarantee"] == ["other"]


def test_before_it_is_effective_the_loan_is_not_covered():
    late = "{parties: {g: {guarantee: {terms: {effective: rent_commencement}}}}, " \
           "sites: {a: {construction: {activities: {building: {duration: 300}}}}}}"  # fmt: skip
    assert call_for_loan((ONE, LOAN, TWO, late), ("bank", M))[1] == [0]
    assert call_for_loan((ONE, TWO), ("bank", M))[1] == [0]  # nor by a guarantee of the rent


def test_a_guarantee_of_both_has_one_cap_and_stands_behind_the_lease_first():
    """Rent of 10 a month for 2 years, 240 less the first 10: 230 of the cap of 800 stand behind it, the rest behind the
    loan."""
    both = "{parties: {g: {guarantee: {terms: {covers: rent_and_loan}}}}, sites: {a: {lease: {term: 2 years}}}}"
    r = run(ONE, both)
    at_stake = {c.covers: c.at_stake(20 * DAY) for c in r.world.book if c.kind == "guarantee"}
    assert at_stake["lease:a"] == 230 * M
    assert sum(at_stake.values()) <= 800 * M
    assert r.world.guarantors["g"].standing.peak_committed == 800 * M


def test_a_loan_in_default_is_called_whole():
    """The lab declares on 2027-04-10 that it is insolvent, while the hall is built: the lease ends, and with nothing to
    let the loan is in default at the end of the month. What is drawn and not spent goes back; the rest g pays."""
    default = "shocks: {bust: {when: 2027-04-10, default: lab}}"
    building = "sites: {a: {construction: {activities: {building: {duration: 300}}}}}"
    r = run(ONE, LOAN, building, default)
    assert (r.state("a"), r.day("a.ended")) == ("terminated", 99)
    project = r.world.sites["a"].financing.project
    (paid,) = monthly(r, "g", "bank", "guarantee payment")
    assert paid == (4, project.exposure)  # 2027-05-01
    assert 0 < project.exposure < 800 * M
    assert project.recovered == project.exposure
    assert r.world.guarantors["g"].pool.in_use == 0
    uncovered = run(ONE, building, default).world.sites["a"].financing.project
    assert uncovered.exposure == project.exposure


def test_a_guarantee_of_both_pays_debt_service_once_the_lease_has_ended():
    """Rent unpaid from 2027-04-01 on, no clock to run: the fee, a tenth of 800, ends the lease.

    Debt service of 800 over 15 years at 10 % is 800 x 0.131474 = 105.179 a year, 8.765 a month: the fee pays nine, from
    April to December, and 1.115 of January's; 7.650 and then all of it is g's, up to the cap.
    """
    r = run(ONE, """
    parties:
      g: {guarantee: {terms: {covers: rent_and_loan, election: terminate, termination_fee: 0.1 of cap}}}
      bank: {lending: {rate: 0.1}}
    shocks: {stop: {when: 2027-03-15, stop_paying: lab}}
    sites: {a: {financing: {sizing: {shape: level}}}}
    """)
    assert monthly(r, "g", "dev", "termination fee") == [(3, 80 * M)]
    paid = [(month, dollars / M) for month, dollars in monthly(r, "g", "bank", "guarantee payment")]
    assert paid[0] == (13, pytest.approx(10 * 8.7649185 - 80, abs=1e-5))  # on 2028-02-01, of January's
    assert paid[1] == (14, pytest.approx(8.7649185, abs=1e-5))
    assert len(paid) == 35  # to the end of 2030
    cover = r.world.sites["a"].cover
    assert (cover.ended, r.world.sites["a"].financing.project.defaulted) == (False, None)
    assert r.world.guarantors["g"].pool.in_use == cover.committed == 800 * M - cover.paid


# Terms of the site.


def test_a_sites_own_terms_stand_in_place_of_the_guarantors_field_by_field():
    r = run(ONE, """
    parties: {g: {guarantee: {terms: {effective: signing, call: {grace: 7}}}}}
    sites: {a: {guarantee: {terms: {effective: financial_close}}}, b: {}}
    """)
    terms = {name: r.world.sites[name].cover.terms for name in "ab"}
    assert (terms["a"].effective, terms["b"].effective) == ("financial_close", "signing")
    assert terms["a"].call.grace.value == terms["b"].call.grace.value == 7


# Fees.


def test_the_fee_is_a_twelfth_of_the_rate_each_month_on_what_is_committed():
    """1.2 % a year on 800: 0.8 a month, from signing on 2027-01-11 (21 of 31 days), billed at the end of each month.

    The loan closes on 2027-03-12 at 700. March has 11 days of 800 and 20 of 700: 0.1 % of (8,800 + 14,000) / 31 =
    735.484, which is 0.735484 million.
    """
    r = run(ONE, """
    parties:
      bank: {lending: {capacity: $700m, closing: 60}}
      g: {guarantee: {approval: {delay: 10}, terms: {fee: {rate: 0.012}}}}
    sites: {a: {financing: {after: lease_signed}}}
    """)
    fees = monthly(r, "dev", "g", "guarantee fee")
    assert fees[:4] == [(0, round(0.8 * 21 / 31 * M)), (1, 800_000), (2, 735_484), (3, 700_000)]
    assert r.history.parties["g"]["fees"] == sum(dollars for _, dollars in fees) / M


def test_the_tenant_pays_the_fee_until_it_stops():
    r = run(ONE, """
    parties: {g: {guarantee: {terms: {election: pay, call: {cure: 400}, fee: {rate: 0.012, paid_by: tenant}}}}}
    shocks: {stop: {when: 2027-03-15, stop_paying: lab}}
    sites: {a: {}}
    """)
    assert monthly(r, "lab", "g", "guarantee fee") == [(0, 800_000), (1, 800_000)]


def test_fees_that_are_not_paid_are_owed_and_are_paid_with_the_arrears():
    """From March on nothing is paid. In August the lab goes on: five fees of 0.8 for March to July are paid at once.

    Nobody is called: 400 days to cure. A guarantor has earned what it was paid, 0.8 in each month of the year but for
    those five, and 4.0 in August besides.
    """
    text = """
    horizon: 2027-12-31
    parties: {g: {guarantee: {terms: {election: pay, call: {cure: 400}, fee: {rate: 0.012, paid_by: tenant}}}}}
    sites: {a: {}}
    """
    stops = "shocks: {stop: {when: 2027-03-15, stop_paying: lab}}"
    owed = run(ONE, text, stops).world.money.unpaid("lab", ["guarantee fee"])
    assert owed.tolist() == [0, 0, *[800_000] * 10]
    resumed = with_events(ONE, text, stops, at={220: lambda world: world.parties["lab"].resume_paying()})
    fees = dict(monthly(resumed, "lab", "g", "guarantee fee"))
    assert fees == {month: 800_000 for month in (0, 1, 8, 9, 10, 11)} | {7: 5 * 800_000 + 800_000}
    assert resumed.history.parties["g"]["fees"] == pytest.approx(12 * 0.8)


def test_warrants_are_a_memo():
    """A fifth of the cap at close, 700: 140; no cash moves."""
    r = run(ONE, """
    parties:
      bank: {lending: {capacity: $700m}}
      g: {guarantee: {terms: {fee: {warrants: 0.20 of cap}}}}
    sites: {a: {}}
    """)
    assert r.world.guarantors["g"].tally.warrants == 140 * M
    assert not [pair for pair in r.history.ledger.pairs if "g" in (pair.payer, pair.payee)]


# Opening cover and the limit.


def test_opening_cover_steps_down_from_a_commencement_in_the_past():
    """$1bn, straight to nothing over ten years (3652.5 days) from 2026-01-01: 365 days are gone at the start."""
    r = run(ONE, """
    parties: {g: {guarantee: {limit: $900m, terms: {step_down: {over: 10 years}}}}}
    sites:
      a:
        phases: {p1: {mw: 100, initial: {ready_for_service: 2026-01-01}}}
        initial: {lease_signed: 2025-06-01, guarantor: g, cap: $1bn}
    """)
    assert r.world.sites["a"].cover.cap(0) == round(1e9 * (1 - 365 / 3652.5))
    assert committed(r, "g")[1] == (0, pytest.approx(900.068446, abs=1e-6))


def test_a_limit_that_changes_in_between():
    """900, from day 31 on 500, from day 59 on 1,300: who holds cover keeps it, who wants 400 is let in on day 59."""
    r = run(ONE, """
    parties: {g: {guarantee: {limit: $900m}}}
    shocks:
      less: {when: 2027-02-01, set: {parties.g.guarantee.limit: 500}}
      more: {when: 2027-03-01, set: {parties.g.guarantee.limit: 1300}}
    sites: {a: {}, b: {phases: [50 MW], diligence: {x: {duration: 1}}}, c: {diligence: {x: {duration: 40}}}}
    """)
    assert r.day("b.guarantee_signed") == 59
    assert (r.state("c"), r.day("c.ended")) == ("unguaranteed", 40)  # asks for 800 while 500 are the whole limit
    assert r.world.guarantors["g"].highest_limit == 1300 * M


def test_once_the_lease_has_ended_the_loan_alone_is_covered():
    """The cap is all the rent, 1,800. A fee of 10 ends the lease on day 110 (2027-04-21), with April's rent overdue:
    what is covered from then on is the balance of the loan."""
    r = run(ONE, """
    parties:
      g: {guarantee: {terms: {covers: rent_and_loan, cap: {basis: remaining_rent}, election: terminate,
                              termination_fee: 0.0055555556, call: {cure: 20}}}}
    shocks: {stop: {when: 2027-03-15, stop_paying: lab}}
    """, "sites: {a: {financing: {sizing: {shape: level}}}}")
    loan = r.world.book.get("loan:a:bank")
    levels = dict(committed(r, "g"))
    assert r.day("a.ended") == 110
    assert levels[110] == pytest.approx(loan.at_stake(110 * DAY) / M)
