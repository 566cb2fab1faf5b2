"""Opening positions, the status date, and actuals: the same file run again each month."""

import pytest
from helpers import Runner, run

from dcsim.errors import ScenarioError

M = 1_000_000

STEPS = """
parties:
  g: {rating: AA, guarantee: {limit: $2bn, approval: {delay: 20}}}
  bank: {lending: {min_rating: BBB-, ltc: 0.8, closing: 60, capacity: $2bn}}
tenants: {lab: {teams: {experts: 1, deal: 1}, decision: {committee: {every: 30, from: day 0}}}}
sites:
  a:
    diligence: {x: {duration: 10, cost: $1m}, y: {after: x, duration: 15, team: experts}}
    negotiation: {duration: 45, team: deal}
    guarantee: {from: g, after: negotiated}
    financing: {lenders: bank, cost: $10m/MW, equity: 0.2, after: lease_signed}
    construction: {activities: {shell: {duration: 100}}}
"""


def test_from_the_beginning():
    r = run(STEPS)
    assert r.days("a") == {
        "loi_signed": 0, "diligence_complete": 25, "approved": 30, "negotiated": 75, "guarantee_signed": 95,
        "lease_signed": 95, "energy_services": 95, "financial_close": 155, "notice_to_proceed": 155,
    }  # fmt: skip
    assert r.day("a.p1.ready_for_service") == 255


# Opening position: the site stands at a milestone; what comes after is simulated from the start on.


@pytest.mark.parametrize(
    ("initial", "expected"),
    [
        ("loi_signed: day -50", {"diligence_complete": 25, "approved": 30}),
        ("loi_signed: day -50, diligence_complete: day -1", {"approved": 0, "negotiated": 45}),
        ("approved: day -7", {"diligence_complete": -7, "loi_signed": -7, "negotiated": 45}),
        ("negotiated: day -7", {"approved": -7, "guarantee_signed": 20, "lease_signed": 20}),
        ("guarantee_signed: day -7, guarantor: g, cap: $800m", {"negotiated": -7, "lease_signed": 0}),
        ("lease_signed: day -7, guarantor: g, cap: $800m", {"guarantee_signed": -7, "financial_close": 60}),
        ("financial_close: day -7, guarantor: g, cap: $800m, loan: $800m",
         {"loi_signed": -7, "lease_signed": -7, "notice_to_proceed": -7}),
    ],
)  # fmt: skip
def test_a_milestone_reached_implies_the_earlier_ones(initial, expected):
    r = run(STEPS, f"sites: {{a: {{loi: null, initial: {{{initial}}}}}}}")
    assert {name: r.days("a")[name] for name in expected} == expected
    assert r.day("a.p1.ready_for_service") is not None


def test_dates_of_earlier_milestones_stand_where_they_are_written():
    r = run(STEPS, """
    sites:
      a:
        initial: {loi_signed: 2026-06-05, approved: 2026-09-13, lease_signed: 2026-12-22, guarantor: g, cap: $800m}
    """)
    assert r.days("a") == {
        "loi_signed": -210, "diligence_complete": -110, "approved": -110, "negotiated": -10, "guarantee_signed": -10,
        "lease_signed": -10, "energy_services": 0, "financial_close": 60, "notice_to_proceed": 60,
    }  # fmt: skip
    assert r.links("a")[:5] == [
        ("diligence", 100), ("negotiation", 100), ("financing", 10), ("financing", 60), ("construction", 100)
    ]  # fmt: skip


def test_the_letter_itself_implies_its_date():
    r = run(STEPS, "sites: {a: {loi: 2026-09-23, initial: {approved: day -10}}}")
    assert (r.day("a.loi_signed"), r.day("a.diligence_complete")) == (-100, -10)


def test_a_given_diligence_completes_its_workstreams():
    r = run("""
    sites: {a: {diligence: {x: {duration: 10}}, negotiation: {after: x, duration: 7}, initial: {approved: day -3}}}
    """)
    assert r.day("a.lease_signed") == 7


def test_a_future_date_is_a_forecast_that_replaces_the_steps_before_it():
    r = run(STEPS, "sites: {a: {initial: {lease_signed: day 40, guarantor: g, cap: $800m}}}")
    assert (r.day("a.approved"), r.day("a.lease_signed"), r.day("a.financial_close")) == (40, 40, 100)
    assert r.links("a")[:2] == [("diligence", 40), ("financing", 60)]
    assert r.outcome("diligence_usd_m") == 0
    assert [r.mw("loi", d) for d in (0, 39, 40)] == [100, 100, 0]


def test_a_forecast_may_be_a_law():
    text = "sites: {a: {initial: {approved: {after: start, delay: {uniform: {low: 10, high: 20}}}}}}"
    runner = Runner(STEPS, text)
    days = [runner.run(r).day("a.approved") for r in range(20)]
    assert all(10 < day < 20 for day in days)
    assert len(set(days)) == 20


def test_no_guarantee_is_reached_where_none_is_needed():
    r = run(STEPS, "parties: {lab: {rating: A}}\nsites: {a: {initial: {lease_signed: day -7}}}")
    assert r.day("a.guarantee_signed") is None
    assert r.day("a.financial_close") == 60


def test_measures_of_the_past_count_from_the_start():
    r = run(STEPS, """
    sites: {a: {initial: {financial_close: day -7, guarantor: g, cap: $800m, loan: $700m}}}
    """)
    assert {m: r.mw(m, 0) for m in ("loi", "diligence", "leased", "closed", "building", "ready")} == {
        "loi": 0, "diligence": 0, "leased": 100, "closed": 100, "building": 100, "ready": 0,
    }  # fmt: skip


def test_cover_and_loan_of_the_opening_position():
    r = run(STEPS, """
    sites: {a: {initial: {financial_close: day -7, guarantor: g, cap: $750m, loan: $700m}}}
    """)
    assert (r.cap("a"), r.loan("a"), r.outcome("loans_usd_m"), r.outcome("cover_usd_m")) == (750 * M, 700 * M, 700, 750)
    assert r.world.guarantors["g"].opening == 750 * M


def test_opening_cover_is_cut_at_close_and_the_rest_is_free_in_that_minute():
    r = run(STEPS, """
    parties: {g: {guarantee: {limit: $1bn}}, bank: {lending: {ltc: 0.6}}}
    sites:
      a: {initial: {lease_signed: day -7, guarantor: g, cap: $800m}, financing: {equity: 0.4}}
      b:
        like: a
        initial: null
        loi: day 0
        phases: [60 MW]
        diligence: null
        negotiation: {duration: 0}
        guarantee: {after: approved}
    """)
    assert (r.loan("a"), r.cap("a")) == (600 * M, 600 * M)
    assert r.day("b.guarantee_signed") == 80  # its 360 fit from day 60 on


def test_a_lease_whose_cover_is_not_written_has_what_it_would_have_asked_for():
    r = run(STEPS, "sites: {a: {initial: {lease_signed: day -7}}}")
    assert (r.day("a.financial_close"), r.loan("a"), r.cap("a")) == (60, 800 * M, 800 * M)
    assert r.world.guarantors["g"].opening == 800 * M


def test_the_deadline_of_a_lease_signed_before_the_start():
    text = """
    sites: {a: {initial: {lease_signed: day -30, guarantor: g, cap: $800m}, financing: {retry: {every: 9, until: %s}}}}
    """
    assert run(STEPS, text % 90).day("a.financial_close") == 60
    assert run(STEPS, text % 89).day("a.ended") == 59
    assert run(STEPS, text % 20).day("a.ended") == 0  # over before the start: it strikes at the start


# A letter of the past.


def test_what_was_due_before_the_start_begins_at_the_start():
    r = run(STEPS, "sites: {a: {loi: day -40, negotiation: {delay: 10}}}")
    assert (r.day("a.loi_signed"), r.day("a.diligence_complete")) == (-40, 25)
    assert r.links("a")[:2] == [("diligence", 40), ("diligence", 10)]


def test_an_offset_counts_from_the_past_milestone():
    r = run(STEPS, "sites: {a: {initial: {approved: day -7}, negotiation: {delay: 10}}}")
    assert r.day("a.negotiated") == 48
    assert run(STEPS, "sites: {a: {initial: {approved: day -7}, negotiation: {delay: 5}}}").day("a.negotiated") == 45


def test_a_letter_that_stands_was_renewed_in_the_past():
    """Signed on day -200 for 100 days, renewed at -100 and -40: it next expires on day 20, when none is left."""
    loi = "loi: {signed: day -200, exclusivity: 100, renewal: {length: 60, at_most: %s, chance_active: 0.5}}"
    text = f"sites: {{a: {{{loi}, negotiation: {{duration: 500}}}}}}"
    assert run(text % 2).day("a.ended") == 20
    assert run(text % 3, luck={"sites.a.loi.renewal": 0.4}).day("a.ended") == 80
    assert run(text % 3, luck={"sites.a.loi.renewal": 0.6}).day("a.ended") == 20
    assert run(text % 1).day("a.ended") == 0  # no renewal can have kept it: struck at the start


# The status date: time runs from there, and day n still counts from the start of the file.


def status(date, actuals, *more, luck=None):
    return run(STEPS, "tenants: {lab: {decision: {committee: {from: 2027-01-01}}}}", f"status: {date}",
               f"actuals: {{{actuals}}}", *more, luck=luck)  # fmt: skip


def test_time_runs_from_the_status_date():
    r = status("2027-01-11", "", "sites: {a: {loi: 2027-01-01}}")
    assert r.day("a.loi_signed") == -10
    assert r.day("a.diligence_complete") == 25
    assert r.day("a.approved") == 50  # the meeting of day 60 of the file
    assert r.ended("a") == 1451
    assert run(STEPS, "status: 2027-01-11").day("a.loi_signed") == -10  # day 0 of the file


def test_finished_work_is_done_since_its_date_and_costs_nothing_any_more():
    r = status("2027-01-13", "sites.a.diligence.x: {started: 2027-01-01, finished: 2027-01-09}")
    assert r.day("a.diligence_complete") == 15  # y begins on the status date
    assert r.links("a")[:3] == [("diligence", 12), ("diligence", 15), ("committee", 3)]
    assert r.outcome("diligence_usd_m") == 0


def test_work_under_way_has_its_remainder_before_it():
    """y, of 15 days, began 3 days ago."""
    x = "sites.a.diligence.x: {started: 2027-01-01, finished: 2027-01-09}"
    r = status("2027-01-13", f"{x}, sites.a.diligence.y: {{started: 2027-01-10}}")
    assert r.day("a.diligence_complete") == 12
    late = status("2027-02-13", f"{x}, sites.a.diligence.y: {{started: 2027-01-10}}")
    assert late.day("a.diligence_complete") == 0  # overdue: any minute now


def test_the_remainder_is_conditional_on_the_age():
    """Exponential: the rest is as long as the whole. Uniform 10 to 20 after 12 days: 0 to 8, with a median of 4."""
    text = "sites: {a: {diligence: {x: {duration: %s}, y: null}}}"
    began = "sites.a.diligence.x: {started: 2027-01-01}"
    for law, days in (("{exponential: {mean: 100}}", 69.3147), ("{uniform: {low: 10, high: 20}}", 4)):
        r = status("2027-01-13", began, text % law, luck={"sites.a.diligence.x.duration": 0.5})
        assert r.day("a.diligence_complete") == pytest.approx(days, abs=1e-3)


def test_finished_work_passed():
    text = "sites: {a: {diligence: {x: {fail: 0.5, remedy: 0.4, remedy_takes: 50}}}}"
    done = "sites.a.diligence.x: {started: 2027-01-01, finished: 2027-01-09}"
    for u in (0.3, 0.7):
        assert status("2027-01-13", done, text, luck={"sites.a.diligence.x": u}).day("a.diligence_complete") == 15
    began = "sites.a.diligence.x: {started: 2027-01-08}"
    under_way = status("2027-01-13", began, text, luck={"sites.a.diligence.x": 0.7})
    assert (under_way.state("a"), under_way.day("a.ended")) == ("rejected", 5)


def test_work_under_way_holds_its_team_already():
    """b's y is under way with the one expert, 5 of its 15 days ago; a's, first in the file, waits for it."""
    r = run(STEPS, """
    status: 2027-01-13
    actuals:
      sites.a.diligence.x: {started: 2027-01-01, finished: 2027-01-09}
      sites.b.diligence.x: {started: 2027-01-01, finished: 2027-01-08}
      sites.b.diligence.y: {started: 2027-01-08}
    sites: {b: {like: a}}
    """)
    assert (r.day("b.diligence_complete"), r.day("a.diligence_complete")) == (10, 25)
    assert r.links("a")[:3] == [("diligence", 12), ("team", 10), ("diligence", 15)]


def test_all_workstreams_finished_is_diligence_complete_at_the_last_of_them():
    r = status("2027-03-12", """
      sites.a.diligence.x: {started: 2027-01-01, finished: 2027-01-09},
      sites.a.diligence.y: {started: 2027-01-10, finished: 2027-01-26}
    """)
    assert r.day("a.diligence_complete") == -45
    assert r.day("a.approved") == 20  # the meeting of day 90 of the file: the letter is not approved yet
    assert r.links("a")[:3] == [("diligence", 25), ("committee", 45), ("committee", 20)]


def test_a_negotiation_under_way_was_approved_before():
    """Approved at the latest when it began, 10 days ago; 35 of its 45 days are left."""
    r = status("2027-03-12", "sites.a.negotiation: {started: 2027-03-02}")
    assert (r.day("a.approved"), r.day("a.negotiated")) == (-10, 35)
    assert r.trail("a")["negotiation"] == 45


def test_a_finished_negotiation_is_agreed_since_its_date():
    r = status("2027-03-12", "sites.a.negotiation: {started: 2027-02-02, finished: 2027-03-02}")
    assert (r.day("a.approved"), r.day("a.negotiated"), r.day("a.lease_signed")) == (-38, -10, 20)


def test_a_status_date_with_nothing_started_is_a_later_start():
    calendar = "tenants: {lab: {decision: {committee: {from: 2027-01-01}}}}"
    plain = run(STEPS, calendar, "start: 2027-03-01", "sites: {a: {loi: 2027-01-20}}")
    again = status("2027-03-01", "", "sites: {a: {loi: 2027-01-20}}")
    assert plain.history == again.history


@pytest.mark.parametrize(
    ("actuals", "message"),
    [
        ("sites.a.diligence.z: {started: 2027-01-01}", "has no 'z'"),
        ("sites.a.diligence.x: {started: 2027-02-01}", "after the status date"),
        ("sites.a.diligence.x: {started: 2027-01-08, finished: 2027-01-07}", "before started"),
        ("sites.a.lease: {started: 2027-01-08}", "only workstreams"),
    ],
)
def test_impossible_actuals_are_refused(actuals, message):
    with pytest.raises(ScenarioError, match=message):
        status("2027-01-13", actuals)
