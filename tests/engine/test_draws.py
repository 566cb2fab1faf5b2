"""Draws of a replication: by address, correlated by factors, hit by drivers; and the plan."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from dcsim.engine.columns import LONGEST, Columns, whole_minutes
from dcsim.engine.draws import Draws, PlanDraws, RandomDraws, Sampler
from dcsim.engine.streams import Streams
from dcsim.errors import ModelError
from dcsim.quantity import Quantity, parse_quantity
from dcsim.quantity.drivers import DriverMember

LOGNORMAL = {"lognormal": {"median": 40, "p90": 80}}
N = 2000


def quantity(raw: object, path: str = "a.b", unit: str = "days", **binding: object) -> Quantity:
    worse = binding.pop("worse", "high")
    parsed = parse_quantity(raw, unit, worse=worse)  # type: ignore[arg-type]
    return parsed.with_binding(**{"path": path, "address": path, **binding})  # type: ignore[arg-type]


def over(n: int, ask: Callable[[RandomDraws], float], seed: int = 7, **drivers: DriverMember) -> list[float]:
    sampler = Sampler(Streams(seed), {driver.address: driver for driver in drivers.values()})
    return [ask(sampler.replication(r)) for r in range(n)]


def everything(draws: Draws, quantities: list[Quantity]) -> list[object]:
    found: list[object] = []
    for q in quantities:
        found += [draws.value(q), draws.value(q, 0), draws.value(q, 33), draws.minutes(q), draws.minutes(q, 2)]
    for k in (None, 0, 40):
        found += [draws.uniform("gate", k), draws.fails("gate", 0.3, k), draws.outcome("gate", 0.2, 0.3, k)]
        found += [draws.poisson("count", 2.5, k), draws.binomial("count", 50, 0.1, k)]
        found += [draws.uniform("gate", k, (("factors.f", 0.5),)), draws.fails("gate", 0.3, k, (("factors.f", 0.5),))]
    return found


DRIVERS = {
    "drivers.d.x": DriverMember("drivers.d.x", 0.5, parse_quantity({"uniform": {"low": 1, "high": 2}}, "number")),
    "drivers.e": DriverMember("drivers.e", 0.5, None, parse_quantity(LOGNORMAL, "days")),
}
QUANTITIES = [
    quantity(LOGNORMAL),
    quantity({"pert": {"low": 1, "mode": 4, "high": 30}}, "a.c", factors=(("factors.f", 0.6), ("factors.g", -0.3))),
    quantity({"gamma": {"mean": 5, "cv": 1}}, "a.d", drivers=("drivers.d.x", "drivers.e"), worse="low"),
    quantity({"value": 12, "kind": "epistemic"}, "a.e", drivers=("drivers.e",)),
    quantity({"discrete": {1: 1, 2: 1}, "kind": "epistemic"}, "sites.x.y", address="archetypes.z.y"),
    quantity(3, ""),
]


def test_columns_are_single_draws() -> None:
    """What 256 replications get at a time is what each repeat-free address says, worked out one by one."""
    streams, sampler = Streams(7), Sampler(Streams(7), DRIVERS)
    special = scipy.stats.norm
    for r in (0, 1, 255, 256, 300, 1234):
        draws = sampler.replication(r)
        u = streams.once("a.b", r)
        assert draws.value(QUANTITIES[0]) == QUANTITIES[0].law.quantile(u)
        z = np.sqrt(1 - 0.45) * special.ppf(streams.once("a.c", r))
        z += 0.6 * special.ppf(streams.once("factors.f", r)) - 0.3 * special.ppf(streams.once("factors.g", r))
        assert draws.value(QUANTITIES[1]) == pytest.approx(QUANTITIES[1].law.quantile(float(special.cdf(z))), rel=1e-9)
        value = QUANTITIES[2].law.quantile(1 - streams.once("a.d", r))
        if streams.once("drivers.d.x.happens", r) >= 0.5:
            value *= 1 + streams.once("drivers.d.x.times", r)
        added = 0.0
        if streams.once("drivers.e.happens", r) >= 0.5:
            added = parse_quantity(LOGNORMAL, "days").law.quantile(streams.once("drivers.e.plus", r))
        assert draws.value(QUANTITIES[2]) == pytest.approx(value + added, rel=1e-15)
        assert draws.value(QUANTITIES[3]) == 12 + added
        assert draws.value(QUANTITIES[4]) == (1 if streams.once("archetypes.z.y", r) <= 0.5 else 2)
        assert draws.value(QUANTITIES[5]) == 3
        for q in QUANTITIES:
            assert draws.minutes(q) == whole_minutes(draws.value(q))
            assert type(draws.value(q)) is float
            assert type(draws.minutes(q)) is int


def test_repeats_are_what_a_column_would_be() -> None:
    """A repeat goes through the scalar arithmetic; with its uniform in the column's place the bits are the same."""
    sampler = Sampler(Streams(7), DRIVERS)
    for q in QUANTITIES[:3]:
        repeated = [sampler.replication(r).value(q, 5) for r in range(300)]
        streams = Streams(7)
        streams.override(q.address, np.array([Streams(7).repeat(q.address, r, 5) for r in range(300)]))
        moved = Sampler(streams, DRIVERS)
        assert [moved.replication(r).value(q) for r in range(300)] == repeated
    draws = sampler.replication(3)
    assert len({draws.value(QUANTITIES[0], k) for k in range(50)}) == 50
    # ignorance does not change from one attempt to the next
    assert {draws.value(QUANTITIES[4], k) for k in range(50)} == {draws.value(QUANTITIES[4])}


def test_the_first_hundred_of_two_hundred_and_any_order() -> None:
    first = Sampler(Streams(7), DRIVERS)
    hundred = [everything(first.replication(r), QUANTITIES) for r in range(100)]
    second = Sampler(Streams(7), DRIVERS)
    two_hundred = [everything(second.replication(r), QUANTITIES[::1]) for r in range(200)]
    assert two_hundred[:100] == hundred
    # other names, another order, other blocks in between, a fresh sampler for each
    third = Sampler(pickle.loads(pickle.dumps(Streams(7))), DRIVERS)
    others = [quantity(LOGNORMAL, f"new.{i}") for i in range(5)]
    for r in (42, 700, 7):
        draws = third.replication(r)
        everything(draws, others)
        got = everything(draws, QUANTITIES)
        assert everything(draws, QUANTITIES) == got
        if r < 200:
            assert got == two_hundred[r]


def test_an_edited_parameter_moves_the_same_quantile() -> None:
    q = quantity(LOGNORMAL)
    longer = quantity({"lognormal": {"median": 80, "p90": 160}})
    assert over(300, lambda d: d.value(longer)) == pytest.approx([2 * x for x in over(300, lambda d: d.value(q))])
    twice = q.edited(2, 5)
    assert over(300, lambda d: d.value(twice)) == [2 * x + 5 for x in over(300, lambda d: d.value(q))]
    assert over(300, lambda d: d.value(twice, 1)) == [2 * x + 5 for x in over(300, lambda d: d.value(q, 1))]


def test_low_is_worse_mirrors() -> None:
    high, low = quantity({"uniform": {"low": 2, "high": 5}}), quantity({"uniform": {"low": 2, "high": 5}}, worse="low")
    for k in (None, 3):
        a, b = over(300, lambda d, k=k: d.value(high, k)), over(300, lambda d, k=k: d.value(low, k))  # type: ignore[misc]
        assert [x + y for x, y in zip(a, b, strict=True)] == pytest.approx([7.0] * 300, rel=1e-15)
    # a high factor is bad for both: one gets longer, the other smaller
    up = quantity({"uniform": {"low": 2, "high": 5}}, "u", factors=(("f", 0.9),))
    down = quantity({"uniform": {"low": 2, "high": 5}}, "d", factors=(("f", 0.9),), worse="low")
    correlation = np.corrcoef(over(N, lambda d: d.value(up)), over(N, lambda d: d.value(down)))[0, 1]
    assert correlation < -0.7


def test_factors_correlate_and_keep_the_law() -> None:
    f = (("factors.f", 0.8),)
    a, b = quantity(LOGNORMAL, "a", factors=f), quantity(LOGNORMAL, "b", factors=f)
    alone = quantity(LOGNORMAL, "c")
    x, y, z = (np.log(over(N, lambda d, q=q: d.value(q))) for q in (a, b, alone))  # type: ignore[misc]
    tolerance = 4.5 / N**0.5
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.64, abs=tolerance)
    assert np.corrcoef(x, z)[0, 1] == pytest.approx(0, abs=tolerance)
    assert scipy.stats.kstest(np.exp(x), scipy.stats.lognorm(a.law.sigma, scale=40).cdf).pvalue > 1e-4  # type: ignore[attr-defined]
    # a repeat shares the factor, not the rest
    again = np.log(over(N, lambda d: d.value(a, 0)))
    assert np.corrcoef(x, again)[0, 1] == pytest.approx(0.64, abs=tolerance)
    # and so does a gate that loads on it
    gate = over(N, lambda d: d.fails("gate", 0.3, factors=f))
    assert np.mean(gate) == pytest.approx(0.3, abs=4.5 * (0.21 / N) ** 0.5)
    assert np.mean(x[np.array(gate)]) > np.mean(x) + 0.2
    # all weight on the factors: no luck of its own is left
    bound = quantity(LOGNORMAL, "e", factors=(("factors.f", 0.6), ("factors.g", 0.8)))
    other = quantity(LOGNORMAL, "h", factors=(("factors.f", 0.6), ("factors.g", 0.8)))
    assert over(50, lambda d: d.value(bound)) == pytest.approx(over(50, lambda d: d.value(other)), rel=1e-7)


def test_drivers_happen_once_for_all_they_hit() -> None:
    driver = DriverMember(
        "drivers.labour.pjm", 0.35, parse_quantity({"triangular": {"low": 1.05, "mode": 1.15, "high": 1.5}}, "number")
    )
    a, b = (quantity(10, p, drivers=("drivers.labour.pjm",)) for p in ("a", "b"))
    x = over(N, lambda d: d.value(a), d=driver)
    assert x == over(N, lambda d: d.value(b), d=driver) == over(N, lambda d: d.value(a, 4), d=driver)
    hit = [v for v in x if v != 10]
    assert len(hit) / N == pytest.approx(0.35, abs=4.5 * (0.35 * 0.65 / N) ** 0.5)
    assert min(hit) > 10.5
    assert max(hit) < 15
    certain = DriverMember("drivers.labour.pjm", 1.0, None, parse_quantity(30, "days"))
    assert over(3, lambda d: d.minutes(a), d=certain) == [40 * 1440] * 3
    never = DriverMember("drivers.labour.pjm", 0.0, None, parse_quantity(30, "days"))
    assert over(300, lambda d: d.value(a), d=never) == [10.0] * 300
    with pytest.raises(ModelError, match=r"no risk driver 'drivers\.labour\.pjm'"):
        over(1, lambda d: d.value(a))


def test_two_drivers_multiply_then_add() -> None:
    one = DriverMember("one", 1.0, parse_quantity(2, "number"), parse_quantity(5, "days"))
    two = DriverMember("two", 1.0, parse_quantity(3, "number"), parse_quantity(7, "days"))
    q = quantity(10, drivers=("one", "two"))
    assert over(1, lambda d: d.value(q), a=one, b=two) == [10 * 6 + 12]


def test_a_part_bound_elsewhere_draws_there() -> None:
    times = quantity({"uniform": {"low": 1, "high": 2}, "kind": "epistemic"}, "drivers.x.times", unit="number")
    q = quantity(10, drivers=("drivers.x.a", "drivers.x.b"))
    members = {name: DriverMember(f"drivers.x.{name}", 1.0, times) for name in "ab"}
    u = Streams(7).once("drivers.x.times", 0)
    assert over(1, lambda d: d.value(q), **members) == [pytest.approx(10 * (1 + u) ** 2)]


def test_gates() -> None:
    u = over(N, lambda d: d.uniform("g"))
    outcomes = over(N, lambda d: d.outcome("g", 0.2, 0.1))  # type: ignore[arg-type, return-value]
    assert outcomes == ["fail" if x >= 0.9 else "remedy" if x >= 1 - 0.1 - 0.2 else "pass" for x in u]
    assert over(N, lambda d: d.fails("g", 0.1)) == [x >= 0.9 for x in u]
    assert not any(over(N, lambda d: d.fails("g", 0.0)))
    assert all(over(N, lambda d: d.fails("g", 1.0)))
    assert set(over(N, lambda d: d.outcome("g", 1.0, 0.0))) == {"remedy"}  # type: ignore[arg-type, return-value]
    counts = over(N, lambda d: d.poisson("g", 2.0))
    assert [counts[i] for i in np.argsort(u)] == sorted(counts)
    assert np.mean(counts) == pytest.approx(2, abs=4.5 * (2 / N) ** 0.5)
    failed = over(N, lambda d: d.binomial("g", 100, 0.04, 2))
    assert np.mean(failed) == pytest.approx(4, abs=4.5 * (100 * 0.04 * 0.96 / N) ** 0.5)


def test_override_reaches_every_draw_of_the_name() -> None:
    sampler = Sampler(Streams(7), DRIVERS)
    q = QUANTITIES[0]
    before = sampler.replication(0).value(q)
    sampler.streams.override("a.b", 0.9)
    draws = sampler.replication(0)
    assert before != pytest.approx(80)
    assert [draws.value(q), draws.value(q, 7)] == pytest.approx([80, 80])
    assert draws.minutes(q) == draws.minutes(q, 3) == 80 * 1440
    for name, u in [("gate", 0.97), ("factors.f", 0.75), ("drivers.e.happens", 0.99), ("drivers.e.plus", 0.5)]:
        sampler.streams.override(name, u)
    draws = sampler.replication(0)
    assert draws.uniform("gate") == draws.uniform("gate", 20) == 0.97
    assert draws.fails("gate", 0.04)
    assert draws.outcome("gate", 0.5, 0.01, 3) == "remedy"
    assert draws.poisson("gate", 1.0) == 3
    assert draws.uniform("x", None, (("factors.f", 1.0),)) == pytest.approx(0.75, rel=1e-12)
    assert draws.value(QUANTITIES[3]) == pytest.approx(12 + 40)
    points = Streams(7)
    points.override("a.b", np.array([0.5, 0.9]))
    assert [Sampler(points).replication(r).value(q) for r in (0, 1)] == pytest.approx([40, 80])
    assert Sampler(points).replication(2).value(q) == Sampler(Streams(7)).replication(2).value(q)


@pytest.mark.parametrize(
    ("days", "minutes"),
    [(0, 0), (-3.5, 0), (1e-9, 1), (0.4 / 1440, 1), (1.49 / 1440, 1), (2.5 / 1440, 3), (60, 86_400), (5 / 24, 300),
     (1e300, LONGEST), (float(LONGEST) / 1440 - 1, LONGEST - 1440)],
)  # fmt: skip
def test_whole_minutes(days: float, minutes: int) -> None:
    assert whole_minutes(days) == minutes
    assert type(whole_minutes(days)) is int
    # and the same where 256 are rounded at a time
    driver = DriverMember("d", 1.0, None, parse_quantity(days, "number"))
    q = quantity(0, drivers=("d",))
    column = Columns(Streams(0), 0, {"d": driver}).minute_column(q)
    assert column == [minutes] * 256
    assert {type(x) for x in column} == {int}


def test_what_cannot_be_drawn() -> None:
    draws = Sampler(Streams(0)).replication(0)
    with pytest.raises(ModelError, match="has no address to be drawn under"):
        draws.value(parse_quantity(LOGNORMAL, "days"))
    with pytest.raises(ModelError, match="expected a duration, got a quantity in MW"):
        draws.minutes(quantity(100, unit="MW"))
    with pytest.raises(ModelError, match="expected a duration"):
        draws.minutes(quantity({"uniform": {"low": 1, "high": 2}}, unit="MW"), 3)
    huge = DriverMember("d", 1.0, parse_quantity(1e300, "number"))
    draws = Sampler(Streams(0), {"d": huge}).replication(0)
    for law, k in [(1e10, None), ({"uniform": {"low": 1e10, "high": 2e10}}, 5)]:
        with pytest.raises(ModelError, match="draw a number that is not finite"):
            draws.value(quantity(law, unit="number", drivers=("d",)), k)


def test_users_of_one_ignorance_share_it() -> None:
    raw = {"uniform": {"low": 0, "high": 1}, "kind": "epistemic"}
    a, b = (quantity(raw, p, address="archetypes.x.y") for p in ("sites.a.y", "sites.b.y"))
    assert over(300, lambda d: d.value(a)) == over(300, lambda d: d.value(b))
    # what is shared is the luck: a member that loads on its own region still does
    c, d = (quantity(raw, "s", address="archetypes.x.y", factors=((f"f.{region}", 0.6),)) for region in ("pjm", "miso"))
    assert len({tuple(over(9, lambda draws, q=q: draws.value(q))) for q in (a, c, d)}) == 3  # type: ignore[misc]
    sampler = Sampler(Streams(7))
    assert len({sampler.replication(0).value(q) for q in (a, c, d)}) == 3
    own = [quantity({"uniform": {"low": 0, "high": 1}}, p) for p in ("sites.a.y", "sites.b.y")]
    assert over(300, lambda d: d.value(own[0])) != over(300, lambda d: d.value(own[1]))


def test_the_plan() -> None:
    plan: Draws = PlanDraws()
    assert plan.value(QUANTITIES[0]) == plan.value(QUANTITIES[0], 3) == 40
    assert plan.minutes(QUANTITIES[0]) == 57_600
    assert plan.value(QUANTITIES[3]) == 12  # no drivers
    assert plan.value(QUANTITIES[1]) == QUANTITIES[1].median  # factors at zero
    low = quantity({"pert": {"low": 1, "mode": 4, "high": 30}}, worse="low")
    assert plan.value(low) == low.median
    assert [plan.fails("g", p) for p in (0.0, 0.5, 0.51, 1.0)] == [False, False, True, True]
    chances = [(0.2, 0.05), (0.2, 0.5), (0.0, 0.51), (0.5, 0.0), (0.6, 0.1), (0.34, 0.32)]
    assert [plan.outcome("g", remedy, fail) for remedy, fail in chances] == [
        "pass", "pass", "fail", "pass", "remedy", "pass",
    ]  # fmt: skip
    assert [plan.poisson("g", m) for m in (0.49, 0.5, 2.4)] == [0, 1, 2]
    assert plan.binomial("g", 100, 0.025) == 3
    assert plan.uniform("g") == 0.5
    with pytest.raises(ModelError, match="expected a duration"):
        plan.minutes(quantity(100, unit="MW"))


def test_quantities_made_on_the_way_are_not_mixed_up() -> None:
    """Columns go by identity, and Python gives the identity of what is dropped to what is made next."""
    q = quantity(LOGNORMAL)
    draws, plan = Sampler(Streams(7)).replication(5), PlanDraws()
    value = draws.value(q)
    assert [draws.value(q.edited(i)) for i in range(1, 40)] == [value * i for i in range(1, 40)]
    assert [draws.minutes(q.edited(i)) for i in range(1, 40)] == [whole_minutes(value * i) for i in range(1, 40)]
    assert [plan.value(q.edited(i)) for i in range(1, 40)] == [40 * i for i in range(1, 40)]
