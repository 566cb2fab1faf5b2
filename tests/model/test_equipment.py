"""Long-lead equipment: makers of limited output, strict queues, held slots. Day 0 is 1 January, day 31 1 February."""

import pytest
from helpers import run

ONE = """
equipment: {{transformer: {{lead_time: {lead}, {maker}}}}}
sites:
  a:
    construction:
      equipment: {{transformer: {order}}}
      {more}
"""


def one(order="{}", maker="", lead=100, more="", luck=None):
    return run(ONE.format(order=order, maker=maker, lead=lead, more=more), luck=luck)


def many(maker, *sites, lead=100):
    """Sites `a`, `b`, ... of so many MW, each ordering on its day."""
    text = f"equipment: {{transformer: {{lead_time: {lead}, {maker}}}}}\nsites:\n"
    for name, (mw, day) in zip("abcdef", sites, strict=False):
        text += (
            f"  {name}: {{loi: day {day}, phases: [{mw} MW],"
            f" construction: {{equipment: {{transformer: {{ordered: loi_signed}}}}}}}}\n"
        )
    return run(text)


def arrivals(r, sites):
    return [r.day(f"{s}.p1.equipment_on_site") for s in sites]


def test_ordered_at_notice_to_proceed_unless_said_otherwise():
    assert one().day("a.p1.equipment_on_site") == 100
    r = run("""
    equipment: {transformer: {lead_time: 100}}
    sites:
      a:
        negotiation: {duration: 40}
        construction: {equipment: {transformer: {ordered: loi_signed, delay: 10}}}
    """)
    assert r.day("a.p1.equipment_on_site") == 110
    assert r.links("a")[:2] == [("equipment", 10), ("equipment", 100)]  # an offset is the equipment's own


def test_it_waits_for_all_the_milestones_at_which_it_is_ordered():
    r = one("{ordered: [notice_to_proceed, shell], delay: 5}", more="activities: {shell: {duration: 30}}")
    assert r.day("a.p1.equipment_on_site") == 135
    assert r.links("a")[:3] == [("construction", 30), ("equipment", 5), ("equipment", 100)]


def test_without_limit_everybody_is_served():
    assert arrivals(many("serves: 10 MW", (100, 3), (100, 3), (100, 3)), "abc") == [103, 103, 103]


def test_makers_start_so_many_units_a_calendar_month():
    # a, b and c want two units each: two in January, two in February, two in March.
    r = many("made: 2/month, serves: 50 MW", (100, 3), (100, 3), (100, 3))
    assert arrivals(r, "abc") == [103, 31 + 100, 59 + 100]


def test_the_lead_time_runs_from_the_start_of_the_last_unit():
    # Five units at two a month: the fifth starts on 1 March, and one of March's is left for b.
    r = many("made: 2/month, serves: 20 MW", (100, 3), (20, 3), (40, 4))
    assert arrivals(r, "abc") == [59 + 100, 59 + 100, 90 + 100]


def test_units_round_up_to_the_facility_power_of_the_phase():
    text = """
    equipment: {transformer: {lead_time: 100, made: 1/month, serves: 60 MW}}
    sites: {a: {pue: {peak: 1.3}, construction: {equipment: {transformer: {}}}}}
    """
    assert run(text).day("a.p1.equipment_on_site") == 59 + 100  # 130 MW: three units
    assert run(text.replace("60 MW", "65 MW")).day("a.p1.equipment_on_site") == 31 + 100  # exactly two


def test_the_queue_is_strict():
    # b wants one unit only, and waits behind a, which wants three.
    r = many("made: 1/month, serves: 10 MW", (30, 3), (10, 4))
    assert arrivals(r, "ab") == [59 + 100, 90 + 100]


def test_output_that_nobody_takes_is_not_carried_over():
    # Nothing is ordered in January; in February a unit, on 1 March the other.
    assert arrivals(many("made: 1/month, serves: 50 MW", (100, 40)), "a") == [59 + 100]


def test_an_order_of_the_first_of_a_month_has_that_month_before_it():
    # a takes January's unit, and waits for another; b joins on 1 February behind it.
    r = many("made: 1/month, serves: 50 MW", (100, 0), (50, 31))
    assert arrivals(r, "ab") == [31 + 100, 59 + 100]


@pytest.mark.parametrize("in_steps", ["a", "b"])
def test_orders_of_one_minute_go_in_file_order_however_they_came_about(in_steps):
    """Both order on day 60, once the shell stands; one shell is built in two steps, so its end is known later."""
    whole, halves = "shell: {duration: 60}", "frame: {duration: 30}, shell: {after: frame, duration: 30}"
    a, b = (halves, whole) if in_steps == "a" else (whole, halves)
    r = run(f"""
    equipment: {{transformer: {{lead_time: 100, made: 1/month}}}}
    defaults: {{site: {{construction: {{equipment: {{transformer: {{ordered: shell}}}}}}}}}}
    sites: {{a: {{construction: {{activities: {{{a}}}}}}}, b: {{construction: {{activities: {{{b}}}}}}}}}
    """)
    assert arrivals(r, "ab") == [160, 190]


def test_an_order_that_is_cancelled_leaves_the_queue():
    # a is lost on day 20 while it waits; b's unit is made in February all the same.
    r = run("""
    equipment: {transformer: {lead_time: 100, made: 1/month, serves: 50 MW}}
    sites:
      a: {phases: [200 MW], loi: {signed: day 0, exclusivity: 20}, negotiation: {duration: 30},
          construction: {equipment: {transformer: {ordered: loi_signed}}}}
      b: {loi: day 1, phases: [50 MW], construction: {equipment: {transformer: {ordered: loi_signed}}}}
    """)
    assert r.state("a") == "lost"
    assert r.day("b.p1.equipment_on_site") == 31 + 100  # January's unit went into a's


def test_an_order_with_a_lead_time_of_its_own_is_outside_the_makers_output():
    r = run("""
    equipment: {transformer: {lead_time: 100, made: 1/month}}
    sites:
      a: {construction: {equipment: {transformer: {}}}}
      b: {construction: {equipment: {transformer: {lead_time: 40}}}}
      c: {construction: {equipment: {transformer: {}}}}
    """)
    assert arrivals(r, "abc") == [100, 40, 131]


# Slots.


def test_a_slot_comes_with_its_own_days_and_takes_no_output():
    r = run("""
    equipment: {transformer: {lead_time: 100, made: 1/month}}
    defaults: {site: {construction: {equipment: {transformer: {}}}}}
    sites:
      a: {construction: {equipment: {transformer: {slot: 1, slot_arrives: 25}}}}
      b: {}
    """)
    assert arrivals(r, "ab") == [25, 100]


def test_a_slot_is_drawn():
    path = "sites.a.phases.p1.construction.equipment.transformer.slot"
    order = "{slot: 0.6, slot_arrives: 25}"
    assert one(order, luck={path: 0.59}).day("a.p1.equipment_on_site") == 25
    assert one(order, luck={path: 0.61}).day("a.p1.equipment_on_site") == 100


def test_of_a_slot_only_the_excess_wait_is_charged():
    works = "activities: {shell: {duration: 70}}"
    own = one(more=works)
    assert own.links("a")[0] == ("equipment", 100)  # an order is the phase's own, and its way the longest
    slot = one("{slot: 1, slot_arrives: 100}", more=works)
    assert slot.links("a")[:2] == [("construction", 70), ("equipment", 30)]


def test_a_slot_that_is_there_in_time_is_charged_nothing():
    r = one("{slot: 1, slot_arrives: 60}", more="activities: {shell: {duration: 70}}")
    assert "equipment" not in r.trail("a")


def test_an_activity_that_waits_for_a_slot_is_charged_the_excess():
    r = one(
        "{slot: 1, slot_arrives: 100}",
        more="activities: {shell: {duration: 70}, hook-up: {after: [shell, transformer], duration: 5}}",
    )
    assert r.links("a")[:3] == [("construction", 70), ("equipment", 30), ("construction", 5)]
    r = one(
        "{slot: 1, slot_arrives: 60}",
        more="activities: {shell: {duration: 70}, hook-up: {after: [shell, transformer], duration: 5}}",
    )
    assert r.links("a")[:2] == [("construction", 70), ("construction", 5)]


def test_several_kinds_and_slots_join():
    r = run("""
    equipment: {transformer: {lead_time: 100}, switchgear: {lead_time: 80}}
    sites:
      a:
        construction:
          equipment: {transformer: {slot: 1, slot_arrives: 120}, switchgear: {}}
          commissioning: {duration: 10}
    """)
    assert r.day("a.p1.equipment_on_site") == 120
    assert r.links("a")[:3] == [("equipment", 80), ("equipment", 40), ("commissioning", 10)]


# Draws.


def test_each_phase_draws_its_own_lead_time():
    r = run("""
    equipment: {transformer: {lead_time: {uniform: {low: 50, high: 150}}}}
    sites: {a: {phases: [50 MW, 50 MW], construction: {equipment: {transformer: {}}}}}
    """)
    assert r.day("a.p1.equipment_on_site") != r.day("a.p2.equipment_on_site")


def test_what_is_not_known_is_drawn_once_for_all():
    r = run("""
    equipment: {transformer: {lead_time: {uniform: {low: 50, high: 150}, kind: epistemic}}}
    sites: {a: {phases: [50 MW, 50 MW], construction: {equipment: {transformer: {}}}}}
    """)
    assert r.day("a.p1.equipment_on_site") == r.day("a.p2.equipment_on_site")


def test_a_slot_on_the_trail_is_named():
    r = run("""
    equipment: {transformer: {lead_time: 100}, switchgear: {lead_time: 80}}
    sites:
      a:
        construction:
          activities: {shell: {duration: 70}}
          equipment: {transformer: {slot: 1, slot_arrives: 120}, switchgear: {slot: 1, slot_arrives: 90}}
    """)
    assert dict(r.phase("a").activities) == {"shell": True, "transformer": True, "switchgear": False}
    r = one(
        "{slot: 1, slot_arrives: 100}",
        more="activities: {shell: {duration: 70}, hook-up: {after: [shell, transformer], duration: 5}}",
    )
    assert dict(r.phase("a").activities) == {"shell": True, "hook-up": True, "transformer": True}
