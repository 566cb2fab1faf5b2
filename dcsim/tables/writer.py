"""Tables on their way to the disk: row groups in the order of replications, memory flat however many there are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from dcsim.errors import ModelError
from dcsim.tables.canonical import TableHash, rows_hash, to_arrow
from dcsim.tables.chunk import ChunkTables, from_ipc
from dcsim.tables.directory import settle, writing
from dcsim.tables.layout import Layout
from dcsim.tables.rows import Columns
from dcsim.tables.schema import HASHES, TableSchema, run_schemas

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_GROUP: Final = 65_536
"""Rows are kept back until there are so many: small row groups read slowly, large ones cost memory."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table as written: rows, bytes on the disk, and its hash (`hashes` itself has none)."""

    rows: int
    bytes: int
    hash: str | None = None


class ParquetSink:
    """One Parquet file being written: zstd, page checksums, row groups of at least `ROWS_PER_GROUP` rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.path = path
        self.rows = 0
        self._kept: list[pa.Table] = []
        self._kept_rows = 0
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115
        self._writer: pq.ParquetWriter = pq.ParquetWriter(
            self._file, schema, compression="zstd", write_page_checksum=True
        )

    def append(self, table: pa.Table) -> None:
        """Take in rows; some stay in memory until there are enough for a row group."""
        self._kept.append(table)
        self._kept_rows += table.num_rows
        if self._kept_rows >= ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._kept_rows:
            self._writer.write_table(pa.concat_tables(self._kept), row_group_size=self._kept_rows)
        self.rows += self._kept_rows
        self._kept, self._kept_rows = [], 0

    def close(self) -> int:
        """Write what is left and have the disk take it. Returns the size in bytes."""
        self._flush()
        self._writer.close()
        settle(self._file)
        size = self._file.tell()
        self._file.close()
        return size

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in: it is thrown away for an error that is already on its way."""
        with contextlib.suppress(Exception):
            self._writer.close()
        self._writer.is_open = False  # or it would try again when it is collected
        with contextlib.suppress(Exception):
            self._file.close()


class RunWriter:
    """Writes the chunks of a run, handed over in the order of replications, into one directory.

    Every method raises `ResultsError` when the disk refuses.
    """

    def __init__(self, directory: Path, layout: Layout, names: Iterable[str]) -> None:
        self.directory = directory
        self.scalars: tuple[str, ...] | None = None
        self._layout = layout
        self._names = tuple(names)
        self._schemas: dict[str, TableSchema] = {}
        self._files: dict[str, ParquetSink] = {}
        self._hashes: dict[str, TableHash] = {}

    def append(self, chunk: ChunkTables) -> None:
        """Write the rows of the next replications.

        Raises `ModelError` if the model reports other outcomes in them than before.
        """
        if not chunk.done:
            return
        if self.scalars is None:
            self._open(chunk.scalars)
        elif chunk.scalars != self.scalars:
            raise ModelError(f"replication {chunk.done[0]}: reports outcomes {chunk.scalars}, not {self.scalars}")
        for name, data in chunk.tables.items():
            self._append(name, from_ipc(data))
        count = len(chunk.done)
        tables = list(self._hashes)
        rows: Columns = {
            "replication": np.repeat(np.array(chunk.done, np.int64), len(tables)),
            "table": tables * count,
            "hash": [chunk.hashes[name][index] for index in range(count) for name in tables],
        }
        self._append(HASHES.name, to_arrow(rows, HASHES))
        for name in tables:
            for replication, digest in zip(chunk.done, chunk.hashes[name], strict=True):
                self._hashes[name].add(replication, digest)

    def _open(self, scalars: tuple[str, ...]) -> None:
        self.scalars = scalars
        self._schemas = run_schemas(self._layout.outcomes_schema(scalars), self._names)
        self._hashes = {name: TableHash() for name in self._schemas}
        for schema in (*self._schemas.values(), HASHES):
            path = self.directory / f"{schema.name}.parquet"
            with writing(path):
                self._files[schema.name] = ParquetSink(path, schema.arrow())

    def _append(self, name: str, table: pa.Table) -> None:
        file = self._files[name]
        with writing(file.path):
            file.append(table)

    def close(self) -> dict[str, TableFile]:
        """Finish every file. Tables without a single replication are written too, with their columns and no row."""
        if self.scalars is None:
            self._open(())
        written = {}
        for name, file in self._files.items():
            with writing(file.path):
                size = file.close()
            digest = self._hashes[name].hexdigest() if name in self._hashes else None
            written[name] = TableFile(file.rows, size, digest)
        return written

    def abandon(self) -> None:
        """Let go of all files without finishing them; their directory is about to be removed."""
        for file in self._files.values():
            file.abandon()


def write_table(directory: Path, schema: TableSchema, columns: Columns) -> TableFile:
    """Write one table that does not belong to replications, whole."""
    path = directory / f"{schema.name}.parquet"
    with writing(path):
        file = ParquetSink(path, schema.arrow())
        try:
            file.append(to_arrow(columns, schema))
            size = file.close()
            return TableFile(file.rows, size, rows_hash(columns, schema))
        except BaseException:
            file.abandon()
            raise

