"""The hash of rows: every cell counts, nothing else does."""

import copy
import hashlib
import struct

import numpy as np
import pytest
from fake_study import FakeScenario, plan, walk

from dcsim.tables.canonical import TableHash, from_arrow, rows_hash, to_arrow
from dcsim.tables.chunk import replication_hashes
from dcsim.tables.layout import Layout
from dcsim.tables.rows import MISSING, rows_of, scalar_names
from dcsim.tables.schema import TABLE_NAMES, Column, TableSchema, run_schemas

LAYOUT = Layout.of(FakeScenario(), plan(FakeScenario()))
HISTORY = walk(5, shift=77, trace=True)
SCHEMAS = run_schemas(LAYOUT.outcomes_schema(scalar_names(HISTORY, LAYOUT)))
ROWS = rows_of(HISTORY, LAYOUT, SCHEMAS)

CELLS = [(table, column.name) for table, schema in SCHEMAS.items() for column in schema.columns]


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_every_column_counts(table, column):
    changed = copy.deepcopy(ROWS[table])
    values = changed[column]
    if isinstance(values, list):
        values[-1] = (values[-1] or "") + "x"
    elif values.dtype == bool:
        values[-1] = not values[-1]
    else:
        values[-1] = 1.0 if np.isnan(values[-1]) else values[-1] + 1
    assert rows_hash(changed, SCHEMAS[table]) != rows_hash(ROWS[table], SCHEMAS[table])


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_rows_come_back_from_arrow_as_they_went(table):
    back = from_arrow(to_arrow(ROWS[table], SCHEMAS[table]), SCHEMAS[table])
    assert rows_hash(back, SCHEMAS[table]) == rows_hash(ROWS[table], SCHEMAS[table])


def text(*values):
    schema = TableSchema("t", "", (Column("a", "string", "", True),))
    return rows_hash({"a": list(values)}, schema)


def number(*values):
    schema = TableSchema("t", "", (Column("a", "float64", "", True),))
    return rows_hash({"a": np.array(values)}, schema)


def test_text_is_told_apart():
    columns = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("abc", None), (None, "abc")]
    assert len({text(*column) for column in columns}) == 6


def test_zero_and_missing_have_one_form():
    assert number(0.0, 1.0) == number(-0.0, 1.0)
    assert number(float("nan")) == number(-float("nan"))
    assert number(0.0) != number(float("nan"))
    assert number(0.1 + 0.2) != number(0.3)


def test_the_form_is_that_of_the_description():
    """Results of different versions are compared by it, so it is spelled out a second time."""
    digest = hashlib.blake2b(digest_size=16, person=b"dcsim/rows")
    digest.update(b"a:float64:2;" + struct.pack("<2d", 1.5, 2.0))
    assert number(1.5, 2.0) == digest.hexdigest()
    digest = hashlib.blake2b(digest_size=16, person=b"dcsim/rows")
    digest.update(b"a:string:3;" + struct.pack("<3q", 2, -1, 2) + "abé".encode()[:2] + "é".encode())
    assert text("ab", None, "é") == digest.hexdigest()


def test_a_missing_number_is_not_a_number():
    schema = TableSchema("t", "", (Column("a", "int32", "", True),))
    assert rows_hash({"a": np.array([MISSING])}, schema) != rows_hash({"a": np.array([0])}, schema)
    assert to_arrow({"a": np.array([MISSING, 3])}, schema).column("a").to_pylist() == [None, 3]


def test_null_where_none_may_be_is_refused():
    schema = TableSchema("t", "", (Column("a", "string", ""),))
    with pytest.raises(ValueError, match="a is null"):
        to_arrow({"a": ["x", None]}, schema)


def test_table_hash_depends_on_the_order_and_number():
    def total(*pairs):
        digest = TableHash()
        for pair in pairs:
            digest.add(*pair)
        return digest.hexdigest()

    assert len({total((0, "a"), (1, "b")), total((1, "b"), (0, "a")), total((0, "a"), (2, "b")), total((0, "a"))}) == 4


def test_hashes_of_one_replication():
    hashes = replication_hashes(HISTORY, LAYOUT, TABLE_NAMES)
    assert hashes == {name: rows_hash(ROWS[name], SCHEMAS[name]) for name in TABLE_NAMES}
    assert replication_hashes(walk(5, shift=78), LAYOUT, ["milestones"]) != {"milestones": hashes["milestones"]}
