"""Clouds: what is used, paid, made up for, carried forward, renewed, recalled; what is at stake."""

from __future__ import annotations

import math

import pytest
from helpers import Runner, run, scenario
from money import CASES, DATA, M, at, paid, total

from dcsim.errors import ScenarioError
from dcsim.scenario.scenario import load

# 10 MW at $12m a MW-year is $10m a full month.
TEN = """
parties: {cloud: {}}
cloud: {c: {provider: cloud, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: $12m/MW-year}}
sites: {a: {decision: shelve}}
"""


def at_stake(r, date: str) -> float:
    """US$ million of take-or-pay left at the end of the day before a date."""
    return r.world.book.get("cloud:c").at_stake(at(r, date) - 1) / M


# Take-or-pay.


@pytest.mark.parametrize("carried", [True, False])
def test_case_p12(carried: bool) -> None:
    """25 of 40: 15 is made up for. Then 55: all of it, or 40 and the 15 that were paid before. Then 40."""
    case = CASES["P12"]["expected"]
    scenario = load(DATA / "finance" / "p12.yaml")
    if not carried:
        scenario = scenario.edit({"cloud.case.take_or_pay.carry_forward": 0})
    r = run(scenario)
    for index, year in enumerate(("2027", "2028", "2029")):
        used = sum(d for m, d in paid(r, "cloud", "lab", "cloud").items() if m.startswith(year))
        made_up = paid(r, "take or pay", "lab", "cloud").get(f"{year}-12", 0)
        expected = case["pay_with_credit" if carried else "pay_no_carry"][index]
        assert (used + made_up) / (12 * M) == expected
        assert made_up / (12 * M) == case["shortfall"][index]
    assert r.outcome("take_or_pay_usd_m") == 12 * 15.0
    assert total(r, "cloud", payee="filler") == 0


def test_carry_forward_runs_out() -> None:
    """Half of 10 MW must be paid; 0 in 2027 makes up $60m. Six months later it pays for no more: in 2028 10 MW are
    wanted, $60m of the minimum last until June, from July on there is nothing left to draw on."""
    text = """
    tenants: {lab: {demand: {path: 10 MW}}}
    parties: {other: {}}
    cloud:
      other: {provider: other, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: 0, priority: -1}
      c: {until: 2028-12-31, take_or_pay: {share: 0.5, carry_forward: %s}}
    """
    r = run(TEN, text % "6 months")
    assert paid(r, "take or pay") == {"2027-12": 60 * M}
    assert paid(r, "cloud", payee="cloud") == {f"2028-{month:02}": 10 * M for month in range(1, 13)}
    # With nine months the uses of July, August and September are paid for already.
    r = run(TEN, text % "9 months")
    assert sorted(paid(r, "cloud", payee="cloud")) == [f"2028-{n:02}" for n in (1, 2, 3, 4, 5, 6, 10, 11, 12)]


def test_without_demand_all_is_used_and_a_month_counts_by_its_days() -> None:
    """From 2027-01-15 to 2027-03-10: 17 of 31 days, a month, 10 of 31 days of $10m."""
    r = run(TEN, "cloud: {c: {from: 2027-01-15, until: 2027-03-10}}")
    assert paid(r, "cloud", "lab", "cloud") == {"2027-01": 5_483_871, "2027-02": 10 * M, "2027-03": 3_225_806}
    assert r.history.compute["lab"][0][:4] == [10.0, 10.0, 0.0, 0.0]
    assert all(math.isnan(mw) for mw in r.history.compute["lab"][1])


def test_mw_follow_their_path() -> None:
    """10 MW, from 2027-03-11 on 41 MW: in March 10 x 10/31 + 41 x 21/31 = 31 MW on average, $31m."""
    r = run(TEN, "cloud: {c: {mw: {2027-01-01: 10 MW, 2027-03-11: 41 MW}}}")
    assert list(paid(r, "cloud").values())[:4] == [10 * M, 10 * M, 31 * M, 41 * M]
    late = run(TEN, "cloud: {c: {mw: {2027-03-01: 10 MW}}}")
    assert sorted(paid(late, "cloud")) == [f"2027-{month:02}" for month in range(3, 13)]
    assert late.history.compute["lab"][0][:3] == [0.0, 0.0, 10.0]


def test_contracts_are_used_in_their_order() -> None:
    """15 MW are wanted. By priority, then in file order: b (5) first, then c (10), and nothing of d."""
    text = """
    tenants: {lab: {demand: {path: 15 MW}}}
    cloud:
      d: {provider: cloud, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: $12m/MW-year, take_or_pay: 0.25}
      b: {provider: dev, priority: -1, from: 2027-01-01, until: 2027-12-31, mw: 5 MW, price: $24m/MW-year}
    """
    r = run(TEN, text)
    assert paid(r, "cloud", payee="dev")["2027-05"] == 10 * M
    assert paid(r, "cloud", payee="cloud")["2027-05"] == 10 * M
    assert paid(r, "take or pay") == {"2027-12": 30 * M}  # d: a quarter of $120m
    assert r.world.clouds["c"].used_mw_days == pytest.approx(3650)
    assert r.world.clouds["d"].used_mw_days == 0


def test_a_fee_for_the_whole_is_paid_as_it_is_used_and_all_of_it_if_all_is_owed() -> None:
    """$30m a month for 10 MW, of which 4 are used: $12m a month, and $18m for nothing if all must be paid."""
    text = "cloud: {c: {price: null, fee: $30m/month}}\ntenants: {lab: {demand: {path: 4 MW}}}"
    r = run(TEN, text)
    assert (total(r, "cloud"), total(r, "take or pay")) == (12 * 12 * M, 0)
    r = run(TEN, text, "cloud: {c: {take_or_pay: all}}")
    assert set(paid(r, "cloud").values()) == {12 * M}
    assert list(paid(r, "take or pay").values()) == [18 * M] * 12  # due month by month
    assert (at_stake(r, "2027-01-02"), at_stake(r, "2027-04-01"), at_stake(r, "2028-01-01")) == (360.0, 270.0, 0.0)


def test_an_amount_over_the_term_is_spread_over_the_years_as_the_mw_are() -> None:
    """$73.1m over 2027 at 10 MW (365 days) and 2028 at 20 MW (366 days): 3,650 and 7,320 MW-days, so $24.322m and
    $48.778m. 1 MW is used: $12m a year is paid, the rest made up for in December."""
    text = """
    tenants: {lab: {demand: {path: 1 MW}}}
    cloud: {c: {until: 2028-12-31, mw: {2027-01-01: 10 MW, 2028-01-01: 20 MW}, take_or_pay: {amount: $73.1m}}}
    """
    r = run(TEN, text)
    first = round(73_100_000 * 3650 / 10970)
    assert paid(r, "take or pay") == {"2027-12": first - 12 * M, "2028-12": 73_100_000 - first - 12 * M}
    assert at_stake(r, "2027-01-02") == pytest.approx(73.1)
    assert at_stake(r, "2027-02-01") == pytest.approx(73.1 - 1)  # of which one was paid
    assert at_stake(r, "2028-01-01") == pytest.approx(73.1 - first / M)
    assert r.world.book.get("cloud:c").amount == 20_000  # kW
    levels = next(at_stake for *_, kind, at_stake in r.history.exposures if kind == "cloud_commitment")
    assert levels[[0, 11]].tolist() == [72_100_000, 73_100_000 - first]


def test_an_amount_a_year_is_owed_in_each_year_of_the_contract() -> None:
    """$60m a year for two years and a half, of which 2 MW, $24m a year, are used; $30m for the last six months."""
    text = """
    tenants: {lab: {demand: {path: 2 MW}}}
    cloud: {c: {until: 2029-06-30, mw: {2027-01-01: 10 MW, 2028-01-01: 5 MW}, take_or_pay: {amount: 60, over: year}}}
    """
    r = run(TEN, text)
    assert paid(r, "take or pay") == {"2027-12": 36 * M, "2028-12": 36 * M, "2029-06": 18 * M}
    assert at_stake(r, "2027-01-02") == 150.0


def test_what_is_left_beyond_the_horizon() -> None:
    """$240m over 2029 to 2032, half of them beyond the horizon; the 20 MW are used: $240m a year are paid anyway."""
    text = "cloud: {c: {from: 2029-01-01, until: 2032-12-31, mw: 20 MW, take_or_pay: {amount: $240m}}}"
    r = run(TEN, text)
    assert total(r, "take or pay") == 0
    left = 240 * (365 + 366) / (365 + 365 + 365 + 366)
    assert r.outcome("take_or_pay_left_usd_m") == pytest.approx(left)
    assert at_stake(r, "2027-02-01") == 240.0  # signed, and not running yet


def test_a_contract_under_way_counts_from_the_start() -> None:
    """From 2026-07-01 on, contract years begin on 1 July. Half of six months' $60m is owed on 2027-06-30."""
    text = "tenants: {lab: {demand: {path: 0 MW}}}\ncloud: {c: {from: 2026-07-01, until: 2027-12-31, take_or_pay: 0.5}}"
    r = run(TEN, text)
    assert paid(r, "take or pay") == {"2027-06": 30 * M, "2027-12": 30 * M}
    assert r.world.book.get("cloud:c").opened == at(r, "2026-07-01")


def test_a_minimum_that_rises_on_the_way_is_made_up_for_all_the_same() -> None:
    """Of 2027 nothing is used: $60m are made up for. In 2028 all of $120m is used, the half above the minimum paid for
    by that. Then all of December must be paid: the minimum is 11 x 5 + 10 = $65m, of which 60 were paid."""
    text = """
    parties: {other: {}}
    tenants: {lab: {demand: {path: 10 MW}}}
    cloud:
      other: {provider: other, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: 0, priority: -1}
      c: {until: 2028-12-31, take_or_pay: {share: 0.5, carry_forward: 1 year}}
    shocks:
      more: {when: 2028-12-15, set: {cloud.c.take_or_pay.share: 1}}
    """
    r = run(TEN, text)
    assert total(r, "cloud", payee="cloud") == 60 * M
    assert paid(r, "take or pay") == {"2027-12": 60 * M, "2028-12": 5 * M}


def test_contract_years_turn_within_a_month() -> None:
    """From 2027-01-16 on for two years; nothing is wanted, half is owed. On 2028-01-15 the first year ends: 16/31 of
    January 2027 + 11 months + 15/31 of January 2028 are a year, $60m; so is the second."""
    text = "tenants: {lab: {demand: {path: 0 MW}}}\ncloud: {c: {from: 2027-01-16, until: 2029-01-15, take_or_pay: 0.5}}"
    assert paid(run(TEN, text), "take or pay") == {"2028-01": 60 * M, "2029-01": 60 * M}


# Renewal and notice.


def test_renewal_goes_on_at_another_price_with_the_last_mw() -> None:
    """10 then 20 MW; renewed for six months at half the price, 20 MW cost $10m a month; then for six months more at a
    quarter, until chance says no."""
    text = """
    cloud: {c: {mw: {2027-01-01: 10 MW, 2027-12-01: 20 MW, 2028-03-01: 999 MW}, take_or_pay: {share: 1},
                renewal: {chance: 0.5, term: 6 months, price_times: 0.5}}}
    """
    r = run(TEN, text, luck={"cloud.c.renewal": 0.4})
    assert [paid(r, "cloud")[m] / M for m in ("2027-11", "2027-12", "2028-01", "2028-07", "2030-12")] == [
        10, 20, 10, 5, 20 / 2**6,
    ]  # fmt: skip
    assert r.world.clouds["c"].stands
    r = run(TEN, text, luck={"cloud.c.renewal": 0.5})
    assert max(paid(r, "cloud")) == "2027-12"
    assert r.world.clouds["c"].over == at(r, "2028-01-01")
    r = Runner(TEN, text).plan()
    assert "2028-01" in paid(r, "cloud")  # as likely as not


def test_an_amount_is_renewed_by_the_mw_day() -> None:
    """$36.5m for 3,650 MW-days is $10,000 each; renewed for 2028 at twice the price and 3,660 MW-days: $73.2m."""
    text = """
    tenants: {lab: {demand: {path: 0 MW}}}
    cloud: {c: {take_or_pay: {amount: $36.5m}, renewal: {term: 1 year, price_times: 2}}}
    """
    r = run(TEN, text)
    assert list(paid(r, "take or pay").items())[:2] == [("2027-12", 36_500_000), ("2028-12", 73_200_000)]


def test_a_recall_ends_it_when_notice_is_over() -> None:
    """Recalled on 2027-05-02 with 30 days' notice: it ends on 2027-06-01. Half of five months' $50m were owed, of
    which nothing was used; what was owed for later is not."""
    text = """
    tenants: {lab: {demand: {path: 0 MW}}}
    cloud: {c: {until: 2028-12-31, take_or_pay: 0.5, ends_early: {notice: 30 days}, renewal: {term: 1 year}}}
    shocks: {back: {when: 2027-05-02, recall: c}}
    """
    r = run(TEN, text)
    cloud = r.world.clouds["c"]
    assert (cloud.notice, cloud.over) == (at(r, "2027-05-02"), at(r, "2027-06-01"))
    assert paid(r, "take or pay") == {"2027-05": 25 * M}
    assert at_stake(r, "2027-05-02") == 120.0
    assert at_stake(r, "2027-05-03") == pytest.approx(25.0)
    assert at_stake(r, "2027-06-02") == 0.0
    cloud.recall()  # twice is once
    assert cloud.over == at(r, "2027-06-01")


def test_notice_at_the_end_of_the_term_only_forgoes_renewal() -> None:
    text = "cloud: {c: {ends_early: {notice: 90}, renewal: {term: 1 year}}}\nshocks: {b: {when: 2027-12-01, recall: c}}"
    r = run(TEN, text)
    assert r.world.clouds["c"].over == at(r, "2028-01-01")
    assert total(r, "cloud") == 120 * M


def test_recalls_at_random_come_after_an_exponential_time_once_it_runs() -> None:
    """ln 2 of a year after 2028-01-01 at one half: 253.17 days; a high uniform is a sooner one; the plan has none."""
    text = "cloud: {c: {from: 2028-01-01, until: 2029-12-31, ends_early: {notice: 0, recalled: %s}}}"
    r = run(TEN, text % "1/year", luck={"cloud.c.recalled": 0.5})
    assert (r.world.clouds["c"].over - at(r, "2028-01-01")) / 1440 == pytest.approx(math.log(2) * 365.25, abs=0.001)
    sooner = run(TEN, text % "1/year", luck={"cloud.c.recalled": 0.9}).world.clouds["c"].over
    assert sooner < r.world.clouds["c"].over
    assert Runner(TEN, text % "9/year").plan().world.clouds["c"].notice is None
    rare = run(TEN, text % "0.1/year", luck={"cloud.c.recalled": 0.5})
    assert rare.world.clouds["c"].over == at(rare, "2030-01-01")


def test_a_tenant_with_a_surplus_gives_notice() -> None:
    """30 MW are rented of which 14 are wanted from 2027-03-01 on, 30 before. At the end of February, 16 beyond demand
    are more than 12: the least preferred, d, gets notice. Without it 6 are left, and e stays."""
    text = """
    tenants: {lab: {demand: {path: {2027-01-01: 30 MW, 2027-02-28: 30 MW, 2027-03-01: 14 MW}}}}
    cloud:
      c: {ends_early: {by: tenant, notice: 0, surplus_above: 12 MW}}
      e: {provider: cloud, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: 0,
          ends_early: {by: [provider, tenant], surplus_above: 12 MW}}
      d: {provider: cloud, from: 2027-01-01, until: 2027-12-31, mw: 10 MW, price: 0, ends_early: {by: tenant,
          notice: 30 days, surplus_above: 12 MW}}
    """
    r = run(TEN, text)
    assert r.world.clouds["d"].over == at(r, "2027-03-31")
    assert r.world.clouds["c"].over == r.world.clouds["e"].over == at(r, "2028-01-01")
    assert Runner(TEN, text).world().surplus_mw("lab") == 0


def test_defaults_of_either_side_end_it() -> None:
    for who in ("cloud", "lab"):
        r = run(TEN, "cloud: {c: {take_or_pay: 0.5}}", f"shocks: {{x: {{when: 2027-02-15, default: {who}}}}}")
        assert r.world.clouds["c"].over == at(r, "2027-02-15")
        assert paid(r, "cloud") == {"2027-01": 10 * M, "2027-02": 5 * M}
        assert at_stake(r, "2027-02-16") == 0.0
        assert r.outcome("take_or_pay_left_usd_m") == 0.0


def test_edits_in_time_hold_for_the_months_they_end_in() -> None:
    """Twice the price from 2027-03-15 to 2027-05-15, and half the MW in October: a bill reads what is in force when
    its month is over, just before what changes with the 1st."""
    text = """
    shocks:
      dear: {when: 2027-03-15, for: 61 days, set: {cloud.c.price: {times: 2}}}
      less: {when: 2027-10-01, for: 31 days, set: {cloud.c.mw: {times: 0.5}}}
    """
    r = run(TEN, text)
    months = {"2027-03": 20 * M, "2027-04": 20 * M, "2027-10": 5 * M}
    assert paid(r, "cloud") == {f"2027-{n:02}": 10 * M for n in range(1, 13)} | months
    assert r.history.compute["lab"][0][8:11] == [10.0, 5.0, 10.0]
    assert r.world.compute["lab"].rented_price[1:5] == [12 * M, 24 * M, 24 * M, 12 * M]


def test_displaced_business_is_a_memo() -> None:
    """100 MW live: half of them would have come to the cloud, at $12m a MW-year and a margin of 0.3, $180m a year."""
    live = """
    sites:
      b: {initial: {lease_signed: 2026-01-01}, bring_up: {lot: 10 racks},
          phases: {p1: {mw: 100, initial: {full_live: 2026-12-01}}}}
    """
    r = run(TEN, "cloud: {c: {displaced_by_owned: {share: 0.5, margin: 0.3}}}", live)
    assert r.world.clouds["c"].displaced == pytest.approx(180 * M)
    assert total(r, "cloud") == 120 * M


# What is refused.


@pytest.mark.parametrize(
    ("text", "code", "path", "says"),
    [
        ("{provider: clod}", "REF", ".provider", "unknown party 'clod'; did you mean 'cloud'?"),
        ("{provider: lab}", "CYCLE", ".provider", "'lab' rents from itself"),
        ("{tenant: lba}", "REF", ".tenant", "unknown tenant 'lba'; did you mean 'lab'?"),
        ("{until: 2026-12-31}", "RANGE", ".until", "2026-12-31 is before the first day, 2027-01-01"),
        ("{until: 2327-12-31}", "RANGE", ".until", "301 years after the first day; at most 100"),
        ("{fee: $1m/month}", "UNKNOWN", ".fee", "give one of `price` and `fee`, not both"),
        ("{price: null}", "REQUIRED", "", "expected `price` (a MW and year) or `fee`"),
        ("{price: null, take_or_pay: all}", "REQUIRED", "", "expected `price` (a MW and year) or `fee`"),
        ("{take_or_pay: {share: 1, amount: 5}}", "UNKNOWN", ".take_or_pay.amount", "give one of `share` and `amount`"),
        ("{take_or_pay: {carry_forward: 9}}", "REQUIRED", ".take_or_pay", "nothing is carried forward"),
        ("{mw: 0, take_or_pay: {amount: 5}}", "RANGE", ".take_or_pay.amount", "there are none"),
        ("{take_or_pay: {share: 1, over: year}}", "REQUIRED", ".take_or_pay.amount", "required with `over: year`"),
        ("{mw: {}}", "REQUIRED", ".mw", "expected MW"),
        ("{ends_early: {notice: 366 days}}", "RANGE", ".ends_early.notice", "366 days are longer than the term, 365"),
        ("{ends_early: {by: tenant, recalled: 1/year}}", "REQUIRED", ".ends_early.by", "expected `provider` in it"),
        ("{ends_early: {surplus_above: 5}}", "REQUIRED", ".ends_early.by", "expected `tenant` in it"),
        ("{ends_early: {by: tenant, surplus_above: 5}}", "REQUIRED", ".ends_early.surplus_above", "its `demand`"),
        ("{ends_early: {by: nobody}}", "UNKNOWN", ".ends_early.by", ""),
    ],
)
def test_refused(text: str, code: str, path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(TEN, f"cloud: {{c: {text}}}")
    assert [(p.code, p.path) for p in caught.value.problems if says in p.message] == [(code, f"cloud.c{path}")]


def test_several_tenants_must_say_who_rents() -> None:
    with pytest.raises(ScenarioError, match="required with several tenants"):
        scenario(TEN, "tenants: {other: {}}")
    both = scenario(TEN, "tenants: {other: {}}\ncloud: {c: {tenant: other}}")
    assert run(both).history.compute.keys() == {"other"}


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("{from: 2026-01-01, until: 2026-12-31}", "until", "before the start, 2027-01-01: nothing is left of it"),
        ("{from: 2031-01-01, until: 2031-12-31}", "from", "after the horizon, 2030-12-31: it never comes"),
        ("{mw: {2027-02-01: 5}}", "mw", "it offers nothing from its first day, 2027-01-01, to 2027-02-01"),
        ("{mw: {2027-01-01: 5, 2028-01-01: 6}}", "mw.2028-01-01", "after the last day, 2027-12-31: it never comes"),
        ("{mw: {2026-01-01: 5, 2027-01-01: 6}}", "mw.2026-01-01", "it changes nothing"),
    ],
)
def test_warned_of(text: str, path: str, says: str) -> None:
    found = scenario(TEN, f"cloud: {{c: {text}}}").warnings
    assert [p.path for p in found if says in p.message] == [f"cloud.c.{path}"]
