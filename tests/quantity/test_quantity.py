"""A quantity: its value, its binding, how it is shown."""

import pickle

import pytest

from dcsim.errors import ModelError
from dcsim.quantity import parse_quantity

LEAD = {"lognormal": {"median": 40, "p90": 80}, "source": "x"}


def test_a_law_has_no_value() -> None:
    with pytest.raises(ModelError, match=r"^sites\.a\.d: \{lognormal: .*\} is a law and has no single value; draw it$"):
        _ = parse_quantity(LEAD, "days").with_binding(path="sites.a.d").value


def test_binding_keeps_the_rest() -> None:
    quantity = parse_quantity(LEAD, "days")
    bound = quantity.with_binding(path="a.b", address="c.b", factors=(("factors.f", 0.5),), drivers=("drivers.d",))
    assert (bound.path, bound.address, bound.factors, bound.drivers) == (
        "a.b",
        "c.b",
        (("factors.f", 0.5),),
        ("drivers.d",),
    )
    assert (bound.law, bound.source, bound.unit) == (quantity.law, "x", "days")
    assert bound.with_binding(path="z").address == "c.b"
    assert quantity.path == ""  # frozen: binding makes another
    assert pickle.loads(pickle.dumps(bound)) == bound
    assert bound != quantity


def test_edits_and_remainders_keep_the_address() -> None:
    bound = parse_quantity(LEAD, "days").with_binding(path="a", address="a")
    assert (bound.edited(2, 5).median, bound.edited(2, 5).address) == (85, "a")
    assert bound.remaining(1e9).value == 0
    assert bound.remaining(30).median < 40


def test_shown() -> None:
    assert str(parse_quantity("14 months", "days")) == "426.125"
    assert str(parse_quantity(LEAD, "days")) == "{lognormal: {median: 40, p90: 80}, source: x}"
    assert str(parse_quantity({"value": 3, "range": [1, 5.5]}, "days")) == "{value: 3, range: [1, 5.5]}"
    assert str(parse_quantity(1e22, "number")) == "1.0e+22"
    assert str(parse_quantity({"value": 3, "whatif": "a: b"}, "days")) == '{value: 3, whatif: "a: b"}'
    assert parse_quantity("14 months", "days").described() == "426 days"
    assert parse_quantity(LEAD, "days").described() == "lognormal, median 40 days (P10 20 days, P90 80 days)"
