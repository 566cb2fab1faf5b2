"""Draw stops: conditions that fail while a site is built, works that stand still, and who pays meanwhile."""

import pytest
from helpers import Run, Runner, run
from money import DATA, M, paid, total

from dcsim.scenario.scenario import load

# 100 MW at $3.6m/MW, no interest: $30m of works in each month of 2027; a loan of 180 beside equity of 180.
ONE = """
parties: {lab: {rating: A}, bank: {lending: {ltc: 0.5}}}
defaults:
  site:
    lease: {rent: $150/kW-month, term: 15 years}
    financing: {lenders: bank, cost: $3.6m/MW, equity: 0.5}
    construction: {activities: {building: {duration: 365}}}
sites: {a: {}}
"""
DAY = 1440


def stopped(*texts, between=(), who="test"):
    """A run in which something stops the draws of site `a` for days from .. to."""
    runner = Runner(ONE, *texts)
    world = runner.world()
    for first, last in between:
        world.clock.at(first * DAY, lambda: world.sites["a"].financing.project.stop_draws(who))
        if last is not None:
            world.clock.at(last * DAY, lambda: world.sites["a"].financing.project.resume_draws())
    return Run(world.run(), world)


def events(r, kind):
    return [(minute // DAY, detail) for minute, what, _, detail in r.history.events if what == kind]


def months(r, kind, **who):
    return {month: dollars / M for month, dollars in paid(r, kind, **who).items()}


# Works.


def test_works_pause_and_go_on():
    """Stopped for all of March and April: ready 61 days late, on 3 March 2028; the days are charged to financing."""
    plain, r = stopped(), stopped(between=[(59, 120)])
    assert (plain.day("a.p1.ready_for_service"), r.day("a.p1.ready_for_service")) == (365, 426)
    assert r.trail("a")["financing"] == 61
    assert r.links("a")[:3] == [("construction", 59), ("financing", 61), ("construction", 306)]
    assert events(r, "works halted") == [(59, "test")]
    assert events(r, "works resumed") == [(120, "test")]


def test_nothing_is_drawn_or_built_meanwhile():
    """30 a month, half of each; nothing in March and April; from then on 300 in ten months and two days of March."""
    r = stopped(between=[(59, 120)])
    works, draws = months(r, "construction"), months(r, "loan draw")
    assert (works["2027-01"], works["2027-02"]) == (30, 30)
    assert not {"2027-03", "2027-04"} & {*works, *draws}
    assert works["2027-05"] == pytest.approx(300 / (10 + 1 / 31), abs=1e-5)
    assert draws["2027-05"] == pytest.approx(works["2027-05"] / 2, abs=1e-6)
    assert sum(draws.values()) == 180


def test_what_was_built_before_the_stop_is_paid_from_equity():
    """Stopped on 16 March: its first half is not drawn, and brought by equity. From then on loan catches up first."""
    r = stopped(between=[(74, 151)])
    assert months(r, "equity")["2027-03"] == pytest.approx(30 * 15 / 31, abs=1e-5)
    assert "2027-03" not in months(r, "loan draw")
    june = months(r, "construction")["2027-06"]
    assert months(r, "loan draw")["2027-06"] == pytest.approx(june / 2 + 30 * 15 / 31 / 2, abs=1e-4)
    assert total(r, "loan draw") == total(r, "equity") == 180 * M


def test_interest_goes_on_and_the_developer_pays_it():
    """12 % on the 30 drawn by March: 0.3 a month from equity, so that no loan is drawn for it."""
    r = stopped("parties: {bank: {lending: {rate: 0.12}}}", between=[(59, 120)])
    drawn = sum(v for m, v in paid(r, "loan draw").items() if m <= "2027-02")
    for month in ("2027-03", "2027-04"):
        assert paid(r, "interest", payee="bank")[month] == pytest.approx(0.01 * drawn, abs=1)
        assert paid(r, "equity")[month] == paid(r, "interest", payee="bank")[month]
        assert month not in paid(r, "loan draw")


def test_what_the_stop_costs_is_beyond_the_plan():
    """Two months of interest more than planned: without contingency the developer cures it in the end."""
    r = stopped("parties: {bank: {lending: {rate: 0.12}}}", between=[(59, 120)])
    account = r.world.sites["a"].financing.project.account
    assert account.drawn == 180 * M
    assert account.cure == account.spent - 360 * M == total(r, "equity cure") > 500_000


def test_equipment_under_way_goes_on_and_commissioning_waits():
    """Transformers arrive on day 380 whatever happens; 30 days of commissioning are halted from day 390 to 400."""
    text = """
    equipment: {transformer: {lead_time: 380}}
    sites:
      a: {construction: {equipment: {transformer: {}}, commissioning: {duration: 30}}}
    """
    r = stopped(text, between=[(370, 385), (390, 400)])
    assert r.day("a.p1.equipment_on_site") == 380
    assert r.day("a.p1.ready_for_service") == 380 + 5 + 30 + 10
    assert r.links("a") == [("equipment", 380), ("financing", 5), ("commissioning", 5), ("financing", 10),
                            ("commissioning", 25), ("chips", 1461 - 425)]  # fmt: skip


def test_a_stop_that_never_ends_leaves_the_site_pending():
    r = stopped(between=[(59, None)])
    assert (r.state("a"), r.ended("a")) == ("pending", 1461)
    assert r.trail("a") == {"construction": 59, "financing": 1461 - 59}
    assert total(r, "loan draw") == 30 * M


def test_reasons_add_up():
    runner = Runner(ONE)
    world = runner.world()
    for day, act in ((59, ("stop_draws", "x")), (70, ("stop_draws", "y")), (80, ("resume_draws", "x")),
                     (90, ("resume_draws", "y")), (95, ("resume_draws", "y"))):  # fmt: skip
        world.clock.at(day * DAY, lambda act=act: getattr(world.sites["a"].financing.project, act[0])(act[1]))
    r = Run(world.run(), world)
    assert r.day("a.p1.ready_for_service") == 365 + 31
    assert (events(r, "works halted"), events(r, "works resumed")) == ([(59, "x")], [(90, "y")])


def test_nothing_stops_once_all_is_ready():
    r = stopped(between=[(400, 500)])
    assert events(r, "works halted") == []


def test_each_phase_stands_still():
    text = "sites: {a: {phases: [60 MW, 40 MW], construction: {phase_gap: 30}}}"
    r = stopped(text, between=[(10, 20)])
    assert [r.day(f"a.{p}.ready_for_service") for p in ("p1", "p2")] == [375, 395]  # p2 had not begun
    r = stopped(text, between=[(40, 50)])
    assert [r.day(f"a.{p}.ready_for_service") for p in ("p1", "p2")] == [375, 405]
    r = stopped(text, between=[(10, 50)])
    assert [r.day(f"a.{p}.ready_for_service") for p in ("p1", "p2")] == [405, 415]  # it begins when draws resume


# Conditions.


def test_a_lender_that_is_frozen():
    """No capacity from 15 March to 15 May: seen at the ends of March and May; March's works are paid from equity."""
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $1bn}}}
    shocks: {freeze: {when: 2027-03-15, for: 61 days, set: {parties.bank.lending.capacity: 0}}}
    """)
    assert events(r, "works halted") == [(90, "lender")]
    assert events(r, "works resumed") == [(151, "lender")]
    assert r.trail("a")["financing"] == 61
    assert months(r, "equity")["2027-03"] == pytest.approx(30)


def test_what_was_drawn_at_close_is_there_whatever_becomes_of_the_lender():
    r = run(ONE, """
    parties: {bank: {lending: {capacity: $1bn, drawn: at_close}}}
    shocks:
      freeze: {when: 2027-03-15, set: {parties.bank.lending.capacity: 0}}
      fails: {when: 2027-04-15, default: bank}
    """)
    assert r.day("a.p1.ready_for_service") == 365
    assert events(r, "works halted") == []


FAILS = "shocks: {fails: {when: 2027-03-01, default: bank}}"


def test_a_lender_in_default_draws_stop_until_another_takes_over():
    """Of 180, 30 are drawn. `next` has room from June on; `small` never has, `picky` does not like the tenant."""
    r = run(ONE, FAILS, """
    parties:
      small: {lending: {ltc: 0.5, capacity: $149m}}
      absent: {lending: {ltc: 0.5, takes_part: 0}}
      next: {lending: {ltc: 0.5, rate: 0.06, commitment_fee: 0.02, capacity: 0}}
    sites: {a: {financing: {lenders: [bank, small, absent, next]}}}
    shocks: {room: {when: 2027-06-10, set: {parties.next.lending.capacity: 150}}}
    """)
    assert events(r, "works halted") == [(59, "lender")]
    assert events(r, "commitment taken over") == [(181, "next")]
    assert r.trail("a")["financing"] == 181 - 59
    assert (r.loan("a", "bank"), r.loan("a", "next")) == (30 * M, 150 * M)
    assert total(r, "loan draw", payer="bank") == 30 * M
    assert total(r, "loan draw", payer="next") == 150 * M
    assert paid(r, "commitment fee", payee="next")["2027-07"] == pytest.approx(150 * M * 0.02 / 12, abs=1)
    assert total(r, "principal", payee="bank") > 0  # what it had lent is still owed to it


def test_or_for_good():
    r = run(ONE, FAILS)
    assert r.state("a") == "pending"
    assert total(r, "loan draw") == 30 * M


def test_one_takes_over_in_the_same_minute_and_adds_to_its_own_loan():
    r = run(ONE, FAILS, """
    parties: {bank: {lending: {capacity: $100m}}, next: {lending: {ltc: 0.5}}}
    sites: {a: {financing: {lenders: [bank, next]}}}
    """)
    assert r.day("a.p1.ready_for_service") == 365
    drawn = total(r, "loan draw", payer="bank")
    assert drawn == pytest.approx(100 / 6 * M, abs=2)
    assert r.loan("a", "next") == 180 * M - drawn


def test_a_lender_in_default_makes_no_new_loans():
    r = run(ONE, FAILS, "sites: {a: {negotiation: {duration: 90}}}")
    assert r.state("a") == "unfinanced"


def test_a_tenant_below_the_rating_that_let_it_borrow():
    """A- is asked for; the lab falls to BBB on 1 March, and nothing lifts it again."""
    r = run(ONE, """
    parties: {bank: {lending: {min_rating: A-}}}
    shocks: {fall: {when: 2027-03-01, downgrade: lab, to: BBB}}
    """)
    assert events(r, "works halted") == [(59, "rating")]
    fine = run(ONE, """
    parties: {bank: {lending: {min_rating: A-}}}
    shocks: {fall: {when: 2027-03-01, downgrade: lab, to: A-}}
    """)
    assert events(fine, "works halted") == []


OUT_OF_MONEY = """
parties: {rich: {}}
sites: {a: {financing: {overrun: 0.1, completion_guarantee: rich}}}
shocks: {stops: {when: 2027-03-01, stop_paying: rich}}
"""


def test_cost_to_complete_above_what_is_there():
    """396 of works, 360 from loan and equity; the guarantor of completion does not pay from March on."""
    r = run(ONE, OUT_OF_MONEY)
    assert events(r, "works halted") == [(59, "cost to complete")]
    assert r.state("a") == "pending"
    enough = run(ONE, OUT_OF_MONEY, "sites: {a: {financing: {overrun: 0}}}")
    assert events(enough, "works halted") == []
    assert enough.day("a.p1.ready_for_service") == 365


def test_l02_by_the_guarantors_clock():
    """Not replaced, on day 40, on day 90: works pause from day 70 on, not at all, from day 70 to day 90."""
    base = load(DATA / "finance" / "l02.yaml")
    runs = [run(base), *(run(base.edit(dict(base.spec.what_ifs[name]))) for name in base.spec.what_ifs)]
    assert [r.day("a.p1.ready_for_service") for r in runs] == [None, 365, 385]
    assert [events(r, "works halted") for r in runs] == [[(70, "guarantor")], [], [(70, "guarantor")]]
    assert [events(r, "works resumed") for r in runs] == [[], [], [(90, "guarantor")]]
    late = paid(runs[2], "loan draw")
    assert "2027-03" not in late  # stopped on 12 March, and its works until then are brought by equity
    assert set(paid(runs[1], "loan draw")) - set(late) == {"2027-03"}
