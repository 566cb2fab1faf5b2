"""What adds up in every replication of scenarios made at random: megawatts, racks, trails."""

from itertools import pairwise

import yaml
from helpers import DAY, Runner
from helpers import scenario as make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcsim.model.history import CAUSES, MEASURES, TERMINAL_STATES
from dcsim.scenario.fields import SITE_MILESTONES

EXAMPLES = 60


# Scenarios at random.


def durations(longest):
    """A constant or a law of days, mostly short."""
    return st.one_of(
        st.integers(0, longest),
        st.integers(1, longest).map(lambda m: {"uniform": {"low": 0, "high": 2 * m}}),
        st.integers(1, longest).map(lambda m: {"lognormal": {"median": m, "p90": 2 * m}}),
    )


def chances(highest):
    return st.sampled_from([0, 0, round(highest / 3, 3), highest])


@st.composite
def halls(draw):
    hall = {
        "lot": draw(st.integers(1, 60)),
        "install": {"team": draw(st.sampled_from(["none", "install"])), "racks_per_day": draw(st.integers(1, 40))},
        "receive": draw(durations(5)),
        "cabling": draw(durations(10)),
        "burn_in": draw(durations(10)),
        "early_access": draw(st.sampled_from([0, 30, 200])),
        "at_end_of_life": draw(st.sampled_from(["retire", "refresh_same_mw"])),
    }
    if draw(st.booleans()):
        hall["dead_on_arrival"] = {"chance": draw(st.sampled_from([0.02, 0.3])), "returned_in": draw(durations(30))}
    if draw(st.booleans()):
        hall["failures"] = {
            "per_year": draw(st.sampled_from([0.1, 3])),
            "repaired_in": draw(durations(60)),
            "spares": draw(st.sampled_from([0, 0.05, 0.3])),
        }
    if draw(st.booleans()):
        hall["tenant_works"] = {"duration": draw(durations(300))}
    return hall


@st.composite
def buildings(draw):
    building = {
        "phase_gap": draw(durations(60)),
        "activities": {
            "dig": {"duration": draw(durations(90)), "early": draw(st.booleans()), "cost": draw(st.integers(0, 30))},
            "shell": {
                "after": "dig", "duration": draw(durations(200)), "team": draw(st.sampled_from(["none", "riggers"])),
            },
        },
        "equipment": {
            "transformer": {
                "ordered": draw(st.sampled_from(["lease_signed", "financial_close", "dig"])),
                "slot": draw(chances(0.6)),
                "slot_arrives": draw(durations(90)),
            }
        },
        "grid": [
            {"share": 0.5, "delay": draw(durations(200))},
            {"share": 0.5, "after": "previous", "delay": draw(durations(90))},
        ],
        "commissioning": {"duration": draw(durations(40)), "retest": draw(chances(0.5))},
    }
    if draw(st.booleans()):
        building["early_works"] = {"budget": 0.05}
    if draw(st.booleans()):
        building["bridge"] = {"share": 0.6, "after": "financial_close", "delay": draw(durations(200))}
    return building


@st.composite
def sites(draw):
    site = {
        "loi": {
            "signed": f"day {draw(st.integers(-60, 200))}",
            "exclusivity": draw(st.integers(60, 400)),
            "renewal": {"length": 60, "at_most": 3, "chance_active": 0.9, "chance_idle": 0.5},
        },
        "phases": draw(st.lists(st.sampled_from([1.5, 3, 4.2, 6]), min_size=1, max_size=3)),
        "diligence": {
            "power": {
                "duration": draw(durations(60)), "team": "diligence", "remedy": 0.2, "remedy_takes": 20, "fail": 0.1,
            },
            "title": {"duration": draw(durations(30)), "team": "diligence"},
        },
        "negotiation": {"duration": draw(durations(60)), "team": "deal", "fail": draw(chances(0.3))},
        "guarantee": {"from": "backer", "patience": draw(st.sampled_from([30, 300]))},
        "financing": {
            "lenders": ["bank"], "cost": 10, "equity": draw(st.sampled_from([0.1, 0.25, 0.4])),
            "retry": {"every": 40, "until": 200},
        },
        "construction": draw(buildings()),
        "bring_up": draw(halls()),
        "tenant": draw(st.sampled_from(["lab", "rival"])),
        "region": draw(st.sampled_from(["north", "south"])),
        "lease": {"outside": draw(st.sampled_from([0, 60])), "float": 30},
    }  # fmt: skip
    return site


@st.composite
def orders(draw, tenant):
    size, every = st.integers(5, 80), st.integers(0, 30)
    order = {
        "tenant": tenant,
        "product": draw(st.sampled_from([["rack"], ["rack", "next"]])),
        "lead_time": draw(durations(200)),
        "deliveries": {"size": draw(size), "every": draw(every), "slip": draw(durations(10))},
        "allocate": {"by": draw(st.sampled_from(["earliest_rfs", "fixed", "pro_rata"]))},
        "priority": draw(st.integers(0, 2)),
        "rights": {"redirect": draw(st.booleans())},
    }
    if draw(st.booleans()):
        order["rights"]["defer"] = {"up_to": 90, "notice": draw(st.sampled_from([0, 30]))}
    how = draw(st.sampled_from(["date", "milestone", "lead", "lead"]))
    if how == "date":
        order |= {"racks": draw(st.integers(1, 150)), "ordered": f"day {draw(st.integers(-100, 600))}"}
    elif how == "milestone":
        order |= {"per": "phase", "ordered": {"after": "lease_signed", "delay": draw(durations(100))}}
    else:
        order |= {"per": "phase", "ordered": {"lead": {"buffer": draw(st.integers(-30, 120))}}}
    return order


@st.composite
def scenarios(draw):
    teams = {"diligence": draw(st.integers(1, 2)), "deal": 1, "install": draw(st.integers(1, 3))}
    decision = {"committee": {"every": 30, "from": "day 0"}}
    if draw(st.booleans()):
        decision["policy"] = {"rank_by": "date_to_power", "until": 6, "rest": draw(st.sampled_from(["hold", "shelve"]))}
    life = draw(st.sampled_from([None, 200, 700]))
    rule = draw(st.sampled_from(["first_come", "pro_rata", "priority"]))
    supply = {"racks": draw(st.integers(10, 200)), "sharing": rule}
    lending = {"capacity": draw(st.integers(50, 400)), "min_rating": "BBB-", "ltc": 0.8, "closing": draw(durations(60))}
    guarantee = {"limit": draw(st.integers(50, 400)), "approval": {"delay": draw(durations(40)), "chance": 0.9}}
    buyers = draw(st.lists(st.sampled_from(["lab", "rival"]), max_size=3))
    panic = {"when": draw(st.sampled_from([0, 0.5])), "cancel": "unsigned_letters", "chance_each": 0.4}
    return {
        "seed": draw(st.integers(0, 2**60)),
        "horizon": "2032-06-30",
        "parties": {
            "rival": {"rating": "B"},
            "maker": {"supply": supply} if draw(st.booleans()) else {},
            "bank": {"rating": "A", "lending": lending},
            "backer": {"rating": "AA", "guarantee": guarantee},
        },
        "tenants": {"lab": {"teams": teams, "decision": decision}, "rival": {"teams": teams}},
        "regions": {"north": {"limit": draw(st.integers(5, 40))}, "south": {"connects": draw(st.integers(3, 60))}},
        "crews": {"riggers": {"count": draw(st.integers(1, 2)), "works": ["mon", "tue", "wed", "thu", "fri"]}},
        "equipment": {"transformer": {"lead_time": draw(durations(300)), "made": draw(st.integers(1, 5)), "serves": 2}},
        "chips": {
            "products": {
                "rack": {"supplier": "maker", "rack_power": draw(st.sampled_from([37.3, 50, 100])), "rack_price": 2}
                | ({"life": life} if life else {}),
                "next": {"supplier": "maker", "rack_power": 150, "rack_price": 4, "available": "day 300"},
            },
            "orders": {f"o{n}": draw(orders(tenant)) for n, tenant in enumerate(buyers)},
        },
        "shocks": {"panic": panic},
        "sites": {f"s{n}": site for n, site in enumerate(draw(st.lists(sites(), min_size=1, max_size=4)))},
    }  # fmt: skip


# What adds up.


def levels(history, tenant):
    """Level of each measure after each minute in which one changes: a list of dicts, whole watts."""
    level = dict.fromkeys(MEASURES, 0.0)
    out = []
    changes = sorted((c for c in history.changes if c[1] == tenant), key=lambda c: c[0])
    for index, (minute, _, measure, mw) in enumerate(changes):
        level[measure] += mw
        if index + 1 == len(changes) or changes[index + 1][0] > minute:
            out.append({name: round(value, 6) + 0.0 for name, value in level.items()})
    return out


def check_power(run, tenant):
    history = run.history
    steps = levels(history, tenant)
    for step in steps:
        assert min(step.values()) >= 0, step
        assert step["live"] <= step["ready"] <= step["energised"]
        assert step["ready"] + step["building"] <= step["closed"] + 1e-9 <= step["leased"] + 2e-9
    mine = [(s, p) for s in run.world.sites.values() if s.tenant == tenant for p in s.phases.values()]
    leased = sum(mw for _, who, measure, mw in history.changes if who == tenant and measure == "leased" and mw > 0)
    signed = {m[1] for m in history.milestones if m[4] == "lease_signed"}
    last = steps[-1] if steps else dict.fromkeys(MEASURES, 0)
    ended = sum(p.kw / 1000 for s, p in mine if s.id in signed and p.was_leased and p.ended)
    standing = [p for s, p in mine if s.id in signed and not p.ended]
    under_way = sum(p.kw / 1000 for p in standing if "ready_for_service" not in p.milestones.reached)
    assert abs(leased - last["ready"] - under_way - ended) < 1e-6
    assert abs(last["leased"] - last["ready"] - under_way) < 1e-6
    states = [p for p in history.phases if p.tenant == tenant]
    assert {p.state for p in states} <= set(TERMINAL_STATES)
    assert abs(sum(p.mw for p in states) - sum(p.kw for _, p in mine) / 1000) < 1e-9


def check_racks(run, tenant):
    chips = run.world.chips
    book = chips.racks[tenant]
    mine = [p for p in chips.purchases if p.tenant == tenant]
    outstanding = sum(d.racks for p in mine for d in p.deliveries if not d.arrived)
    assert book.ordered == sum(p.racks for p in mine)
    assert book.ordered == book.delivered + outstanding + book.cancelled
    in_use = book.bring_up + book.live + book.rma + book.spares
    assert book.delivered == book.storage + in_use + book.retired + book.taken
    assert book.storage == sum(lot.racks for lot in chips.stored[tenant])
    assert min(vars(book).values()) >= 0
    halls_ = [p.hall for s in run.world.sites.values() if s.tenant == tenant for p in s.phases.values() if p.hall]
    cohorts = [cohort for hall in halls_ for cohort in hall.service._cohorts]
    assert book.live == sum(cohort.live for cohort in cohorts)
    assert book.spares == sum(hall.service.spares for hall in halls_)
    live = sum(mw for _, who, measure, mw in run.history.changes if who == tenant and measure == "live")
    assert abs(live - sum(cohort.live * cohort.kw for cohort in cohorts) / 1000) < 1e-6
    for hall in halls_:
        assert -1e-6 <= hall.used_kw <= hall.phase.kw + 1e-6


def check_trails(run):
    end = run.world.last_minute + 1
    for phase in run.history.phases:
        loi = [m[5] for m in run.history.milestones if m[1] == phase.site and m[4] == "loi_signed"]
        for trail in [phase.trail, *(trail for _, trail in phase.lots)]:
            assert all(a[0] < b[0] for a, b in pairwise(trail))
            assert {link[1] for link in trail[1:]} <= set(CAUSES)
            if loi:
                assert trail[0][0] == loi[0]
        assert phase.trail[-1][0] == phase.minute
        assert sum(b[0] - a[0] for a, b in pairwise(phase.trail)) == phase.minute - phase.trail[0][0]
        assert phase.reached == (phase.state == "live") or (phase.state == "live" and phase.minute == end)
        if phase.state == "pending":
            assert phase.minute == end
        if phase.reached:
            here = [m for m in run.history.milestones if m[1:3] == (phase.site, phase.phase)]
            assert phase.minute in [m[5] for m in here if m[3] is not None and m[4] == "live"]
        assert sum(mw for mw, _ in phase.lots) <= phase.mw + 1e-6


ORDER = ("building_complete", "commissioned", "ready_for_service", "first_live", "full_live")


def check_milestones(run):
    dates = {m[1:5]: m[5] for m in run.history.milestones}
    assert len(dates) == len(run.history.milestones)
    for site in run.world.sites:
        reached = [dates.get((site, None, None, name)) for name in SITE_MILESTONES[:4]]
        for before, after in pairwise(reached):
            assert after is None or (before is not None and before <= after)
        lease = dates.get((site, None, None, "lease_signed"))
        close = dates.get((site, None, None, "financial_close"))
        assert close is None or (lease is not None and lease <= close)
        for phase in run.world.sites[site].phases:
            found = [minute for name in ORDER if (minute := dates.get((site, phase, None, name))) is not None]
            assert found == sorted(found)
            ready = dates.get((site, phase, None, "ready_for_service"))
            for name in ("building_complete", "equipment_on_site", "energised"):
                assert ready is None or dates[site, phase, None, name] <= ready
            number = 0
            while (site, phase, number, "ordered") in dates:
                lot = [dates.get((site, phase, number, name)) for name in ("ordered", "delivered", "installed", "live")]
                assert [m for m in lot if m is not None] == sorted(m for m in lot if m is not None)
                assert lot[3] is None or (ready is not None and lot[3] >= ready)
                number += 1


def check(run):
    for tenant in run.world.tenants:
        check_power(run, tenant)
        check_racks(run, tenant)
    check_trails(run)
    check_milestones(run)
    assert all(change[0] < run.world.last_minute + 1 for change in run.history.changes)


def test_everything_adds_up():
    """In scenarios that are not idle: phases end in many ways, and racks are in many places."""
    states, places = set(), set()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(scenarios())
    def adds_up(raw):
        runner = Runner(make(yaml.safe_dump(raw, sort_keys=False)))
        for replication in (0, 1):
            run = runner.run(replication, trace=False)
            check(run)
            states.update(p.state for p in run.history.phases)
            for book in run.world.chips.racks.values():
                places.update(name for name, racks in vars(book).items() if racks)

    adds_up()
    assert states >= {"live", "lost", "unfinanced", "unguaranteed", "pending"}
    assert places >= {"ordered", "delivered", "storage", "live", "retired"}


def test_the_shipped_scenarios_add_up():
    from pathlib import Path

    from dcsim.scenario.scenario import load

    for path in sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml")):
        runner = Runner(load(path))
        for replication in range(2):
            run = runner.run(replication, trace=False)
            for tenant in run.world.tenants:
                check_racks(run, tenant)
                for step in levels(run.history, tenant):
                    assert min(step.values()) >= 0
                    assert step["live"] <= step["ready"] <= step["leased"]
            assert run.world.clock.now == run.world.last_minute
            assert run.world.last_minute % DAY == DAY - 1
