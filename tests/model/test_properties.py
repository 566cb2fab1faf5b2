"""Random small scenarios: nothing impossible happens, limits hold, and what should not matter does not."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

from helpers import DAY
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.model.history import CAUSES, TERMINAL_STATES
from dcsim.model.world import World, make_blueprint, simulate_plan
from dcsim.scenario.fields import SITE_MILESTONES
from dcsim.scenario.scenario import parse
from dcsim.scenario.yaml_reader import write_yaml

M = 1_000_000
DAYS = st.integers(0, 60)
CHANCE = st.sampled_from([0, 0, 0.1, 0.5, 0.9, 1])

few = settings(max_examples=30, deadline=None, derandomize=True, phases=(Phase.generate,), database=None)


def durations(constant=False):
    """A duration in days: a number, or (unless all is to be constant) a law."""
    if constant:
        return DAYS
    return st.one_of(
        DAYS,
        st.builds(lambda low, more: {"uniform": {"low": low, "high": low + more}}, DAYS, st.integers(1, 60)),
        st.builds(lambda mean: {"exponential": {"mean": mean}}, st.integers(1, 60)),
    )


@st.composite
def letters(draw, id, others, constant=False):
    days = durations(constant)
    gate = st.sampled_from([0, 1]) if constant else CHANCE
    loi = {"signed": draw(st.sampled_from(["day -30", "day 0", "day 11"]))}
    if others and draw(st.booleans()):
        event = draw(st.sampled_from(["lost", "ended", "approved"]))
        loi["signed"] = {"after": f"{draw(st.sampled_from(others))}.{event}"}
    if draw(st.booleans()):
        loi["exclusivity"] = draw(st.integers(20, 150))
        loi["renewal"] = {"length": draw(DAYS), "at_most": draw(st.integers(0, 3)), "chance_active": draw(gate),
                          "chance_idle": draw(gate)}  # fmt: skip
    diligence = {}
    for name in ("x", "y", "z")[: draw(st.integers(0, 3))]:
        diligence[name] = {
            "after": draw(st.sampled_from([[], list(diligence)])), "duration": draw(days),
            "delay": draw(st.sampled_from([0, 0, 5])), "team": draw(st.sampled_from(["none", "experts"])),
            "remedy_takes": draw(DAYS), "priority": draw(st.integers(0, 1)), "cost": 1,
            "fail": draw(st.sampled_from([0, 0, 0, 1]) if constant else st.sampled_from([0, 0, 0.1])),
            "remedy": draw(st.just(0) if constant else st.sampled_from([0, 0.3])),
        }  # fmt: skip
    site = {
        "tenant": draw(st.sampled_from(["lab", "rival"])),
        "loi": loi,
        "phases": draw(st.lists(st.sampled_from([30, 50.5, 100]), min_size=1, max_size=2)),
        "score": draw(st.integers(0, 3)),
        "diligence": diligence,
        "negotiation": {"duration": draw(days), "team": draw(st.sampled_from(["none", "deal"])),
                        "delay": draw(st.sampled_from([0, 7])),
                        "fail": draw(st.sampled_from([0, 0, 0, 1]) if constant else st.sampled_from([0, 0.1]))},
        "construction": {"activities": {"shell": {"duration": draw(days)}}},
    }  # fmt: skip
    if draw(st.booleans()):
        site["guarantee"] = {"from": draw(st.sampled_from([["g"], ["h", "g"], ["g", "h"]]))}
        if draw(st.booleans()):
            site["guarantee"]["patience"] = draw(st.integers(0, 90))
    if draw(st.booleans()):
        site["financing"] = {"lenders": draw(st.sampled_from([["bank"], ["fund", "bank"]])), "cost": 10,
                             "equity": draw(st.sampled_from([0.2, 0.5, 1]))}  # fmt: skip
        if draw(st.booleans()):
            site["financing"]["retry"] = {"every": draw(st.integers(1, 50)), "until": draw(st.integers(0, 200))}
    return site


@st.composite
def scenarios(draw, constant=False, limits=True):
    """Two tenants, two guarantors, two lenders, up to five letters."""
    days = durations(constant)
    approval = {"delay": draw(days), "chance": draw(st.sampled_from([0, 1]) if constant else CHANCE)}
    money = st.sampled_from([0, 200, 700, 1000, 2000]) if limits else st.none()
    g = {"limit": draw(money), "approval": approval}
    if draw(st.booleans()):
        g["framework"] = {"signed": f"day {draw(st.integers(-5, 120))}", "chance": draw(st.sampled_from([0, 1]))}
    h = {"limit": draw(money), "max_cap": draw(st.sampled_from([None, 300])), "approval": {"delay": 9}}
    lending = {"min_rating": draw(st.sampled_from([None, "BBB"])), "ltc": draw(st.sampled_from([0.5, 0.8])),
               "capacity": draw(money), "per_tenant": draw(st.sampled_from([None, 900]) if limits else st.none()),
               "cap_to_loan": draw(st.sampled_from([0.8, 1])), "closing": draw(days)}  # fmt: skip
    fund = {"ltc": 0.7, "capacity": 250 if limits else None, "closing": 30}
    count = (lambda: draw(st.integers(1, 3))) if limits else lambda: 99
    decision = {}
    if draw(st.booleans()):
        decision["committee"] = {"every": draw(st.integers(1, 40)), "from": "day 3"}
    if limits and draw(st.booleans()):
        decision["policy"] = {
            "rank_by": draw(st.sampled_from(["date_to_power", "cost_per_mw", "score"])),
            "until": draw(st.integers(50, 300)),
            "rest": draw(st.sampled_from(["hold", "shelve"])),
        }
    sites = {}
    for number in range(draw(st.integers(1, 5))):
        sites[f"s{number}"] = draw(letters(f"s{number}", list(sites), constant))
    whole = {
        "version": 1, "name": "random", "start": "2027-01-01", "horizon": "2028-12-31",
        "seed": draw(st.integers(0, 1000)),
        "parties": {"lab": {"rating": "BB"}, "rival": {"rating": draw(st.sampled_from(["CCC", "A"]))}, "dev": {},
                    "g": {"rating": "AA", "guarantee": g}, "h": {"rating": "BBB", "guarantee": h},
                    "bank": {"lending": lending}, "fund": {"lending": fund}},
        "tenants": {"lab": {"teams": {"experts": count(), "deal": count()}, "decision": decision},
                    "rival": {"teams": {"experts": count(), "deal": count()}}},
        "defaults": {"site": {"developer": "dev"}},
        "sites": sites,
    }  # fmt: skip
    if limits and not constant and draw(st.booleans()):
        whole["shocks"] = {"pull-back": {"when": draw(st.sampled_from([0.3, 3])), "cancel": "unsigned_letters",
                                         "chance_each": 0.5}}  # fmt: skip
    return whole


def prepared(whole):
    scenario = parse(write_yaml(whole))
    return make_blueprint(scenario), Sampler(Streams(scenario.seed), scenario.binding.drivers)


def histories(whole, replications=2):
    blueprint, sampler = prepared(whole)
    return [World(blueprint, sampler.replication(r), r).run() for r in range(replications)]


def watch_limits(world):
    """Check after every hand-out and every loan that nobody has given more than he has."""
    for guarantor in world.guarantors.values():
        hand_out = guarantor.pool.hand_out

        def checked(granted, guarantor=guarantor, hand_out=hand_out):
            hand_out(granted)
            assert guarantor.limit is None or guarantor.pool.in_use <= guarantor.limit

        guarantor.pool.hand_out = checked
    write = world.book.open

    def checked_open(contract):
        write(contract)
        if contract.kind == "loan":
            lending = world.spec.parties[contract.target].lending
            loans = list(world.book.held("loan", contract.target))
            if lending.capacity is not None:
                assert sum(loan.amount for loan in loans) <= lending.capacity.value * M
            if lending.per_tenant is not None:
                lent = sum(loan.amount for loan in loans if loan.tenant == contract.tenant)
                assert lent <= lending.per_tenant.value * M
        return contract

    world.book.open = checked_open


@few
@given(scenarios())
def test_nothing_impossible_happens(whole):
    blueprint, sampler = prepared(whole)
    for r in range(3):
        world = World(blueprint, sampler.replication(r), r)
        watch_limits(world)
        check_history(whole, world.run())
    check_history(whole, simulate_plan(blueprint))


def check_history(whole, history):
    total = sum(sum(site["phases"]) for site in whole["sites"].values())
    end = 731 * DAY
    reached = {(site, phase, name): minute for _, site, phase, lot, name, minute in history.milestones if lot is None}
    assert len(reached) == len(history.milestones)
    assert sum(p.mw for p in history.phases) == total
    for p in history.phases:
        assert p.state in TERMINAL_STATES
        minutes = [link[0] for link in p.trail]
        assert minutes == sorted(set(minutes)) or len(minutes) == 1
        assert minutes[-1] == p.minute
        assert minutes[0] == reached.get((p.site, None, "loi_signed"), 0)
        assert {cause for _, cause, _ in p.trail[1:]} <= set(CAUSES)
        assert (p.minute == end) == (p.state == "pending")
        assert ((p.site, p.phase, "ended") in reached) == (p.state not in ("live", "pending"))
    for site in whole["sites"]:
        dates = [m for name in SITE_MILESTONES[:4] if (m := reached.get((site, None, name))) is not None]
        assert dates == sorted(dates)
        close = reached.get((site, None, "financial_close"))
        assert close is None or reached[site, None, "lease_signed"] <= close
    running: dict[tuple[str, str], float] = {}
    for (_, tenant, measure, mw), after in pairwise([*history.changes, None]):
        running[tenant, measure] = running.get((tenant, measure), 0) + mw
        assert running[tenant, measure] > -1e-9 or after is not None
    for tenant in ("lab", "rival"):
        mine = [p for p in history.phases if p.tenant == tenant]
        leased = sum(p.mw for p in mine if p.state == "pending" and (p.site, None, "lease_signed") in reached)
        assert abs(running.get((tenant, "leased"), 0) - leased) < 1e-9
        assert abs(running.get((tenant, "ready"), 0)) <= leased + 1e-9


def of_sites(history, names):
    """What is told of some sites."""
    return (
        [m for m in history.milestones if m[1] in names],
        [p for p in history.phases if p.site in names],
    )


@few
@given(scenarios(), letters("more", []))
def test_a_site_that_shares_nothing_changes_nothing_for_others(whole, more):
    """Its own tenant, developer and draws; it takes neither teams, nor cover, nor loans."""
    more["tenant"] = "stranger"
    more.pop("guarantee", None)
    more.pop("financing", None)
    for step in [*more["diligence"].values(), more["negotiation"]]:
        step["team"] = "none"
    wider = {**whole, "sites": {"more": more, **whole["sites"]}, "tenants": {**whole["tenants"], "stranger": {}},
             "parties": {**whole["parties"], "stranger": {}}}  # fmt: skip
    if "shocks" in wider:
        wider["shocks"] = {"pull-back": {**wider["shocks"]["pull-back"]}}
    for before, after in zip(histories(whole), histories(wider), strict=True):
        assert of_sites(before, whole["sites"]) == of_sites(after, whole["sites"])


@few
@given(scenarios(limits=False), st.integers(1, 60))
def test_without_shared_limits_one_site_is_nobody_elses_business(whole, days):
    """The last site changes (nobody's letter waits for it): all the others keep their very minutes."""
    *others, last = whole["sites"]
    site = whole["sites"][last]
    changed = {**site, "negotiation": {**site["negotiation"], "duration": days}, "score": 9}
    edited = {**whole, "sites": {**whole["sites"], last: changed}}
    for before, after in zip(histories(whole), histories(edited), strict=True):
        assert of_sites(before, others) == of_sites(after, others)


@few
@given(scenarios(constant=True), st.sampled_from(["2037-01-01", "2029-06-15", "1999-02-28"]))
def test_a_shift_in_time_shifts_everything(whole, start):
    horizon = dt.date.fromisoformat(start) + dt.timedelta(days=730)
    [before] = histories(whole, 1)
    [after] = histories({**whole, "start": start, "horizon": horizon.isoformat()}, 1)
    assert without_months(before) == without_months(after)


def without_months(history):
    """All but what is added up by calendar month, which fall elsewhere."""
    counted = ("racks_ordered", "racks_delivered", "loans_usd_m", "cover_usd_m", "signed_mw")
    outcomes = {t: {name: found[name] for name in counted} for t, found in history.outcomes.items()}
    return replace(history, ledger=None, cash=[], exposures=[], compute={}, parties={}, outcomes=outcomes)


TIMES = {"duration", "delay", "length", "exclusivity", "patience", "every", "until", "closing", "remedy_takes"}


def scaled(value, key=""):
    """All times of a scenario doubled."""
    if isinstance(value, dict):
        return {k: scaled(v, k if k != "until" or "every" in value else "") for k, v in value.items()}
    if isinstance(value, list):
        return [scaled(v) for v in value]
    if isinstance(value, str) and value.startswith("day "):
        return f"day {2 * int(value[4:])}"
    if key == "horizon":
        return "2030-12-31"  # no matter
    return 2 * value if key in TIMES and isinstance(value, int) else value


@few
@given(scenarios(constant=True))
def test_twice_the_time_is_twice_the_days(whole):
    """Up to the horizon, beyond which the one cannot see."""
    [once] = histories(whole, 1)
    [twice] = histories(scaled(whole), 1)
    horizon = 731 * DAY
    assert [(*m[:-1], 2 * m[-1]) for m in once.milestones] == [m for m in twice.milestones if m[-1] < 2 * horizon]


@few
@given(scenarios(constant=True))
def test_names_do_not_matter(whole):
    """Sites renamed in place: the same future under other names."""
    names = {id: f"{'zebra'[i]}-site" for i, id in enumerate(whole["sites"])}

    def renamed(value):
        if isinstance(value, dict):
            return {names.get(k, k): renamed(v) for k, v in value.items()}
        if isinstance(value, str) and value.partition(".")[0] in names:
            head, _, tail = value.partition(".")
            return f"{names[head]}.{tail}"
        return [renamed(v) for v in value] if isinstance(value, list) else value

    [before] = histories(whole, 1)
    [after] = histories(renamed(whole), 1)
    assert [(m[0], names[m[1]], *m[2:]) for m in before.milestones] == after.milestones
    ends = [(names[p.site], p.state, p.minute) for p in before.phases]
    assert ends == [(p.site, p.state, p.minute) for p in after.phases]
