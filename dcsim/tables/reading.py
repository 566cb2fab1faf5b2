"""Reading a results directory back, and finding out whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dcsim.errors import UsageError, printable, suggest
from dcsim.tables.canonical import TableHash, from_arrow, rows_hash
from dcsim.tables.directory import ResultsError
from dcsim.tables.manifest import read_manifest
from dcsim.tables.schema import Column, ColumnType, TableSchema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


def check_files(directory: Path, manifest: dict[str, Any] | None = None) -> dict[str, Any]:
    """The manifest, after making sure that every file it lists is there in its full size.

    Raises `ResultsError` naming everything that is missing, cut or grown.
    """
    manifest = read_manifest(directory) if manifest is None else manifest
    wrong = []
    for name, size in manifest["files"].items():
        path = directory / name
        found = path.stat().st_size if path.is_file() else None
        if found is None:
            wrong.append(f"{name} is missing")
        elif found != size:
            wrong.append(f"{name} has {found} bytes instead of {size}")
    if wrong:
        raise ResultsError(f"{printable(str(directory))} is not complete: {'; '.join(wrong)}")
    return manifest


def _open(directory: Path, name: str) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    path = directory / f"{name}.parquet"
    if not path.is_file():
        present = sorted(file.stem for file in directory.glob("*.parquet"))
        there = ", ".join(present) or "none"
        raise UsageError(f"these results hold no table {name!r}{suggest(name, present)} (there are: {there})")
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, ValueError) as error:  # Arrow's own errors are one of the two
        raise _damaged(directory, name, error) from error


def _damaged(directory: Path, name: str, error: Exception) -> ResultsError:
    return ResultsError(f"{printable(str(directory / name))}.parquet is damaged: {printable(str(error))}")


def read_table(directory: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """One table, or some of its columns, with the checksum of every page verified.

    Raises `UsageError` for a table or column that is not there, `ResultsError` for a damaged file.
    """
    with _open(directory, name) as file:
        present = file.schema_arrow.names
        for column in columns or ():
            if column not in present:
                raise UsageError(f"table {name} has no column {column!r}{suggest(column, present)}")
        try:
            return file.read(columns=None if columns is None else list(columns))
        except (OSError, ValueError) as error:
            raise _damaged(directory, name, error) from error


def read_frame(directory: Path, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The same as a data frame: dates as `datetime64`, numbers that may be missing as `Int32`."""
    import pandas as pd
    import pyarrow as pa

    table = read_table(directory, name, columns)
    nullable = {pa.int32(): pd.Int32Dtype()}
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, types_mapper=nullable.get)
    return frame


def table_schema(directory: Path, name: str) -> TableSchema:
    """The schema of a table as its file states it."""
    import pyarrow as pa

    types: dict[pa.DataType, ColumnType] = {
        pa.int64(): "int64", pa.int32(): "int32", pa.float64(): "float64", pa.string(): "string",
        pa.date32(): "date32", pa.bool_(): "bool",
    }  # fmt: skip
    with _open(directory, name) as file:
        arrow = file.schema_arrow
    columns = [
        Column(field.name, types[field.type], (field.metadata or {}).get(b"doc", b"").decode(), field.nullable)
        for field in arrow
    ]
    return TableSchema(name, (arrow.metadata or {}).get(b"row", b"").decode(), tuple(columns))


def replication_hashes(directory: Path, name: str) -> Iterator[tuple[int, str]]:
    """(replication, hash of its rows) of the rows that a table's file really holds, one row group at a time.

    A replication without rows is not there. Raises `ResultsError` for a damaged file.
    """
    import pyarrow as pa

    schema = table_schema(directory, name)
    rest: pa.Table | None = None
    with _open(directory, name) as file:
        for group in range(file.num_row_groups):
            try:
                table = file.read_row_group(group)
            except (OSError, ValueError) as error:
                raise _damaged(directory, name, error) from error
            table = table if rest is None else pa.concat_tables([rest, table])
            numbers = table.column("replication").to_numpy()
            starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
            last = group == file.num_row_groups - 1
            # The rows of one replication may be split over two row groups: keep the last one for the next turn.
            for begin, end in zip(starts, starts[1:] if last else starts[1:-1], strict=False):
                yield int(numbers[begin]), rows_hash(from_arrow(table.slice(begin, end - begin), schema), schema)
            rest = None if last else table.slice(starts[-2])


def verify(directory: Path) -> None:
    """Recompute every hash from the rows on the disk.

    Raises `ResultsError` naming the first replication and table whose rows are not those of the run, or the table whose
    hash is not that of the manifest. Takes about as long as reading everything.
    """
    manifest = check_files(directory)
    recorded = read_table(directory, "hashes")
    numbers = recorded.column("replication").to_numpy()
    tables = np.array(recorded.column("table").to_pylist(), object)
    digests = np.array(recorded.column("hash").to_pylist(), object)
    shown = printable(str(directory))
    for name, entry in manifest["tables"].items():
        if entry["hash"] is None:
            continue
        schema = table_schema(directory, name)
        if not schema.per_replication:
            if rows_hash(from_arrow(read_table(directory, name), schema), schema) != entry["hash"]:
                raise ResultsError(f"{shown}: the rows of {name} are not those of the run")
            continue
        empty = rows_hash({column.name: [] for column in schema.columns}, schema)
        found = dict(replication_hashes(directory, name))
        total = TableHash()
        mine = tables == name
        for replication, digest in zip(numbers[mine].tolist(), digests[mine].tolist(), strict=True):
            if found.pop(replication, empty) != digest:
                raise ResultsError(f"{shown}: the rows of replication {replication} in {name} are not those of the run")
            total.add(replication, digest)
        if found:
            raise ResultsError(f"{shown}: {name} holds rows of replication {min(found)}, which the run does not")
        if total.hexdigest() != entry["hash"]:
            raise ResultsError(f"{shown}: the hash of {name} is not that of the manifest")
