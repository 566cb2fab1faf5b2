"""Power: energy used and billed, bridging power, the minimum take, collateral; and what is paid before rent is."""

from __future__ import annotations

import pytest
from helpers import run
from money import M, paid, total

# 100 MW of racks live from day 0 (2027-01-01), average PUE 1.2, peak 1.3, at $50/MWh.
LIVE = """
regions: {south: {energy: $50/MWh}}
sites:
  a:
    region: south
    pue: {peak: 1.3, average: 1.2}
    lease: {rent: $100/kW-month}
    phases: {p1: {mw: 100, bring_up: {lot: 100}, initial: {full_live: 2026-06-01}}}
    initial: {lease_signed: 2025-01-01}
"""
# The same without racks, ready on a date; 130 MW of the grid are contracted for.
IDLE = """
regions: {south: {energy: $50/MWh}}
sites:
  a:
    region: south
    pue: {peak: 1.3, average: 1.2}
    lease: {rent: $100/kW-month}
    construction:
      energy_services: {minimum_take: 0.7}
"""


def test_energy_is_live_mw_times_average_pue_by_the_hour():
    """January: 100 MW x 1.2 x 744 h x $50 = $4,464,000; April has 720 h: $4,320,000. Nothing is billed before."""
    energy = paid(run(LIVE), "energy", "lab", "outside")
    assert (energy["2027-01"], energy["2027-04"]) == (4_464_000, 4_320_000)
    assert len(energy) == 48


def test_racks_that_go_live_within_a_month_pay_from_that_minute():
    """The walk: racks of 25 MW live on days 667 (28 April), 677 (8 May), 702 (2 June) and 742 (12 July).

    May 2028: 25 MW for 31 days and 25 MW for 24: 25 x 24 h x (31 + 24) x 1.2 x $60 = $2,376,000.
    """
    from pathlib import Path

    from dcsim.scenario.scenario import load

    energy = paid(run(load(Path(__file__).parents[2] / "scenarios" / "walk.yaml")), "energy")
    assert energy["2028-04"] == 25 * 24 * 3 * 72
    assert energy["2028-05"] == 2_376_000
    assert energy["2028-08"] == 100 * 24 * 31 * 72


def test_no_price_no_bill():
    assert total(run(LIVE, "regions: {south: {energy: null}}"), "energy") == 0


def test_the_minimum_take_is_owed_idle():
    """70 % of 130 MW x 744 h x $50 = $3,385,200 in January; ready on the 17th, 15 days of it: $1,638,000."""
    take = paid(run(IDLE), "minimum take", "lab", "outside")
    assert take["2027-01"] == 3_385_200
    late = paid(run(IDLE, "sites: {a: {construction: {commissioning: {duration: 16}}}}"), "minimum take")
    assert late["2027-01"] == round(0.7 * 130 * 15 * 24 * 50)


def test_the_minimum_take_ends_with_the_phase():
    """The term of four months ends on 2027-06-11: ten days of June."""
    take = paid(
        run(IDLE, "sites: {a: {lease: {term: 4 months}, construction: {commissioning: {duration: 41}}}}"),
        "minimum take",
    )
    assert take["2027-06"] == round(0.7 * 130 * 10 * 24 * 50)
    assert "2027-07" not in take


def test_what_is_used_counts_towards_the_minimum_take():
    """100 MW x 1.2 = 120 MW used of 0.95 x 130 = 123.5 MW: 3.5 MW x 744 h x $50 on top of the energy."""
    r = run(LIVE, "sites: {a: {construction: {energy_services: {minimum_take: 0.95}}}}")
    assert paid(r, "energy")["2027-01"] == 4_464_000
    assert paid(r, "minimum take")["2027-01"] == round(3.5 * 744 * 50)
    assert total(run(LIVE, "sites: {a: {construction: {energy_services: {minimum_take: 0.9}}}}"), "minimum take") == 0


def test_bridging_power_is_dearer_until_the_grid_reaches_the_phase():
    """The bridge at once at $95, the grid's two halves on days 100 and 145 (26 May): the phase needs all of it.

    100 MW live from the first order on day 31; May: 25 days at $95 and 6 at $50. No take is owed on bridged power.
    """
    r = run(
        IDLE,
        """
        chips:
          products: {one: {supplier: dev, rack_power: 100 kW, rack_price: $2m}}
          orders: {all: {product: one, racks: 1000, ordered: day 31, deliveries: {count: 1}}}
        sites:
          a:
            bring_up: {lot: 1000}
            construction:
              bridge: {share: 1, after: loi_signed, energy: $95/MWh}
              grid: [{share: 0.5, after: loi_signed, delay: 100}, {share: 0.5, after: previous, delay: 45}]
        """,
    )
    energy, take = paid(r, "energy"), paid(r, "minimum take")
    assert "2027-01" not in energy
    assert energy["2027-02"] == 120 * 24 * 28 * 95
    assert energy["2027-05"] == 120 * 24 * (25 * 95 + 6 * 50)
    assert energy["2027-06"] == 120 * 24 * 30 * 50
    assert take == {}


def test_bills_end_with_the_phase():
    """The term ends on 2027-06-11 with 100 MW live: ten days of June are billed, and nothing after."""
    r = run(LIVE, "sites: {a: {lease: {term: 12 months}, phases: {p1: {initial: {full_live: 2026-06-11}}}}}")
    energy = paid(r, "energy")
    assert energy["2027-06"] == 120 * 24 * 10 * 50
    assert "2027-07" not in energy


# What is left with others.

COLLATERAL = """
sites:
  a:
    pue: {peak: 1.3}
    phases: [60 MW, 40 MW]
    construction:
      energy_services: {after: loi_signed, delay: 10, collateral: $0.1m/MW}
      grid: [{mw: 78, delay: 100}, {mw: 52, after: previous, delay: 100}]
"""


def test_collateral_comes_back_phase_by_phase():
    """$0.1m for each of 78 and 52 facility MW on day 10; the first is energised on day 110, the second on day 210."""
    r = run(COLLATERAL)
    assert paid(r, "utility collateral", "dev", "outside") == {"2027-01": 13 * M}
    assert paid(r, "utility collateral", "outside", "dev") == {"2027-04": 7_800_000, "2027-07": 5_200_000}


def test_collateral_of_what_ends_before_is_forfeited():
    """The tenant posts it, the second phase never gets its power: the tenant may walk on day 365, and does."""
    r = run(
        COLLATERAL,
        """
        sites:
          a:
            lease: {target: 2027-06-01, long_stop: {after_target: 214, walk_if: {}}}
            construction: {energy_services: {payer: tenant}, grid: [{mw: 78, delay: 100}]}
        """,
    )
    assert (r.state("a.p2"), r.day("a.p2.ended")) == ("terminated", 365)
    assert total(r, "utility collateral", "lab", "outside") == 13 * M
    assert total(r, "utility collateral", "outside", "lab") == 7_800_000


DEPOSIT = "loi: {signed: day 0, exclusivity: 20, deposit: {amount: $2m}}"


@pytest.mark.parametrize(
    ("site", "back"),
    [
        (f"{DEPOSIT}, negotiation: {{duration: 30}}", {"2027-01": 2 * M}),  # lost on day 20
        (f"{DEPOSIT}, negotiation: {{duration: 10}}", {}),  # signed on day 10: gone
    ],
)
def test_the_letters_deposit_comes_back_until_its_milestone(site, back):
    r = run(f"sites: {{a: {{{site}}}}}")
    assert paid(r, "loi deposit", "lab", "dev") == {"2027-01": 2 * M}
    assert paid(r, "loi deposit", "dev", "lab") == back


def test_a_deposit_refundable_until_the_close_comes_back_after_signing():
    r = run(
        """
        parties: {bank: {lending: {ltc: 0.5}}}
        sites:
          a:
            loi: {signed: day 0, deposit: {amount: $2m, refundable_until: financial_close}}
            financing: {lenders: bank, cost: $10m/MW, equity: 0.1}
        """
    )
    assert r.state("a") == "unfinanced"
    assert total(r, "loi deposit", "dev", "lab") == 2 * M


def test_a_letter_signed_before_the_start_left_its_deposit_before():
    r = run(
        "sites: {a: {loi: {signed: 2026-12-20, exclusivity: 20, deposit: {amount: $2m}}, negotiation: {duration: 99}}}"
    )
    assert total(r, "loi deposit", "lab", "dev") == 0
    assert paid(r, "loi deposit", "dev", "lab") == {"2027-01": 2 * M}


def test_diligence_and_tenant_works_are_paid_as_they_begin():
    """Power on day 0 ($0.6m), title on day 40 ($0.3m) with a remedy ($0.2m) on day 70; works at signing, $1.2m/MW."""
    r = run(
        """
        sites:
          a:
            diligence:
              power: {duration: 40, cost: $0.6m}
              title: {after: power, duration: 30, cost: $0.3m, remedy: 1, remedy_takes: 20, remedy_costs: $0.2m}
            bring_up: {lot: 10, tenant_works: {duration: 50, cost: $1.2m/MW}}
        """
    )
    assert paid(r, "diligence", "lab", "outside") == {"2027-01": 600_000, "2027-02": 300_000, "2027-03": 200_000}
    assert paid(r, "tenant works", "lab", "outside") == {"2027-04": 120 * M}
    assert r.outcome("diligence_usd_m") == pytest.approx(1.1)


# Early works: $40m of $1bn, begun at signing on day 0; the loan closes on day 100 or never.

EARLY = """
parties: {bank: {lending: {ltc: 0.8, closing: 100}}}
sites:
  a:
    financing: {lenders: bank, cost: $10m/MW, equity: 0.3, after: lease_signed}
    construction:
      early_works: {budget: 0.05, payer: tenant, resale: 0.5}
      activities: {site-works: {duration: 30, early: true, cost: $40m}, hall: {after: site-works, duration: 200}}
"""


def test_a_tenants_early_works_come_back_at_notice_to_proceed():
    r = run(EARLY)
    assert paid(r, "early works", "lab", "outside") == {"2027-01": 40 * M}
    assert paid(r, "early works", "dev", "lab") == {"2027-04": 40 * M}
    assert total(r, "early works resale") == 0


def test_early_works_of_a_site_that_ends_are_sold():
    """Equity of 10 % does not cover what a loan of 80 % leaves: unfinanced on day 100; half of $40m comes back."""
    r = run(EARLY, "sites: {a: {financing: {equity: 0.1}}}")
    assert r.state("a") == "unfinanced"
    assert paid(r, "early works resale", "outside", "lab") == {"2027-04": 20 * M}
    assert total(r, "early works", "dev", "lab") == 0
    mine = run(EARLY, "sites: {a: {financing: {equity: 0.1}, construction: {early_works: {payer: developer}}}}")
    assert total(mine, "early works", "dev", "outside") == 40 * M
    assert total(mine, "early works resale", "outside", "dev") == 20 * M
