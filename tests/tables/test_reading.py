"""What was written comes back; what was damaged is noticed."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_study import FAKE, FakeScenario, plan, prepare

from dcsim.errors import UsageError
from dcsim.study.run import run_study
from dcsim.tables import reading, writer
from dcsim.tables.canonical import from_arrow
from dcsim.tables.chunk import ChunkBuilder
from dcsim.tables.directory import ResultsError
from dcsim.tables.layout import Layout
from dcsim.tables.rows import rows_of
from dcsim.tables.schema import TABLE_NAMES, run_schemas

SCENARIO = FakeScenario(replications=30, seed=3)


@pytest.fixture
def run(tmp_path):
    return run_study(SCENARIO, FAKE, out=tmp_path / "run", trace=True).directory


def test_tables_hold_what_the_histories_said(run):
    layout = Layout.of(SCENARIO, plan(SCENARIO))
    replicate = prepare(SCENARIO, SCENARIO.seed)
    schemas = run_schemas(layout.outcomes_schema(("calls", "cost")))
    expected = [rows_of(replicate(replication, True), layout, schemas) for replication in range(30)]
    for name, schema in schemas.items():
        assert reading.table_schema(run, name) == schema
        found = from_arrow(reading.read_table(run, name), schema)
        for column in schema.column_names:
            whole = [value for rows in expected for value in rows[name][column]]
            np.testing.assert_array_equal(found[column], np.array(whole, np.asarray(found[column]).dtype))


def test_assumptions_come_back(run):
    rows = reading.read_table(run, "assumptions").to_pylist()
    assert [tuple(row.values()) for row in rows] == SCENARIO.assumptions()
    assert (run / "scenario.yaml").read_text() == SCENARIO.to_yaml()


def test_some_columns_are_read_alone(run):
    assert reading.read_table(run, "capacity", ["live_mw", "month"]).column_names == ["live_mw", "month"]
    with pytest.raises(UsageError, match="did you mean 'live_mw'"):
        reading.read_table(run, "capacity", ["live_mv"])
    with pytest.raises(UsageError, match="did you mean 'capacity'"):
        reading.read_table(run, "capcity")


def test_a_whole_run_verifies(run):
    reading.verify(run)


def test_row_groups_may_split_a_replication(run, monkeypatch):
    table = pq.read_table(run / "milestones.parquet")
    pq.write_table(table, run / "milestones.parquet", row_group_size=7)
    recorded = reading.read_table(run, "hashes").to_pylist()
    expected = [(row["replication"], row["hash"]) for row in recorded if row["table"] == "milestones"]
    assert list(reading.replication_hashes(run, "milestones")) == expected


def test_a_missing_or_cut_file_is_noticed(run):
    whole = (run / "capacity.parquet").read_bytes()
    (run / "capacity.parquet").write_bytes(whole[:-10])
    (run / "delays.parquet").unlink()
    with pytest.raises(ResultsError, match=r"capacity.parquet has \d+ bytes instead of \d+; delays.parquet is missing"):
        reading.check_files(run)


def test_every_flipped_byte_of_a_page_is_noticed(run):
    path = run / "capacity.parquet"
    whole = path.read_bytes()
    metadata = pq.ParquetFile(path).metadata
    chunk = metadata.row_group(0).column(metadata.num_columns - 1)
    before = reading.read_table(run, "capacity")
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    silent = 0
    for position in range(start, start + chunk.total_compressed_size, 5):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            after = reading.read_table(run, "capacity")
        except ResultsError:
            continue
        silent += not after.equals(before)
    assert silent == 0


def change(run, name, column, edit):
    table = pq.read_table(run / f"{name}.parquet")
    values = table.column(column).to_pylist()
    edit(values)
    index = table.column_names.index(column)
    pq.write_table(table.set_column(index, table.schema.field(index), pa.array(values, table.schema.types[index])),
                   run / f"{name}.parquet")  # fmt: skip
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"][f"{name}.parquet"] = (run / f"{name}.parquet").stat().st_size
    (run / "manifest.json").write_text(json.dumps(manifest))


def add_one(values):
    values[70] += 1


def test_a_changed_row_is_noticed_by_its_replication(run):
    change(run, "milestones", "day", add_one)  # 9 rows a replication
    reading.check_files(run)
    with pytest.raises(ResultsError, match="replication 8 in milestones"):
        reading.verify(run)


def test_a_changed_hash_is_noticed(run):
    def forge(values):
        values[2] = "0" * 32

    change(run, "hashes", "hash", forge)
    with pytest.raises(ResultsError, match="replication 0 in capacity"):
        reading.verify(run)


def test_changed_assumptions_are_noticed(run):
    def edit(values):
        values[0] = "200"

    change(run, "assumptions", "value", edit)
    with pytest.raises(ResultsError, match="rows of assumptions"):
        reading.verify(run)


def test_a_changed_manifest_is_noticed(run):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["tables"]["delays"]["hash"] = "0" * 32
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ResultsError, match="hash of delays"):
        reading.verify(run)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "cannot be read"), ("[]", "not that of a run"), ("{}", "not that of a run"), (None, "no manifest.json")],
)
def test_a_directory_without_a_run(tmp_path, text, says):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ResultsError, match=says):
        reading.check_files(tmp_path)


def test_a_newer_format_is_not_guessed(run):
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(ResultsError, match="format 2"):
        reading.check_files(run)


def test_a_run_without_a_replication_has_columns_and_no_rows(tmp_path):
    layout = Layout.of(SCENARIO)
    run = writer.RunWriter(tmp_path, layout, TABLE_NAMES)
    run.append(ChunkBuilder(layout, TABLE_NAMES).finish())
    files = run.close()
    assert {file.rows for file in files.values()} == {0}
    assert reading.read_table(tmp_path, "outcomes").num_rows == 0


def test_row_groups_are_large_however_small_the_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 500)
    run = run_study(SCENARIO, FAKE, out=tmp_path / "run", chunk=1).directory
    sizes = [pq.ParquetFile(run / "capacity.parquet").metadata.row_group(index).num_rows for index in range(4)]
    assert all(500 <= size < 600 for size in sizes)
    reading.verify(run)
