"""The rows of a run of replications, as they travel from a worker to the writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcsim.errors import ModelError
from dcsim.model.history import History
from dcsim.tables.canonical import concatenate, rows_hash, to_arrow
from dcsim.tables.layout import Layout
from dcsim.tables.rows import Columns, rows_of, scalar_names
from dcsim.tables.schema import TableSchema, run_schemas

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ChunkTables:
    """Rows of the replications `done` (ascending), one Arrow IPC stream a table, with a hash for each replication.

    `hashes[table]` runs parallel to `done`. `scalars` are the model's further outcomes; they fix the columns.
    """

    done: tuple[int, ...]
    scalars: tuple[str, ...]
    tables: Mapping[str, bytes]
    hashes: Mapping[str, tuple[str, ...]]


class ChunkBuilder:
    """Collects histories, in the order of their replications, and makes `ChunkTables` of them."""

    def __init__(self, layout: Layout, names: Sequence[str]) -> None:
        self._layout = layout
        self._names = tuple(names)
        self._scalars: tuple[str, ...] | None = None
        self._schemas: dict[str, TableSchema] = {}
        self._done: list[int] = []
        self._parts: dict[str, list[Columns]] = {name: [] for name in names}
        self._hashes: dict[str, list[str]] = {name: [] for name in names}

    def add(self, history: History) -> None:
        """Take in one replication, whole or (if this raises) not at all.

        Raises `ModelError` where the history makes no sense, or reports other outcomes than those before it.
        """
        scalars = scalar_names(history, self._layout)
        if self._scalars is None:
            self._schemas = run_schemas(self._layout.outcomes_schema(scalars), self._names)
            self._scalars = scalars
        elif scalars != self._scalars:
            raise ModelError(f"replication {history.replication}: reports outcomes {scalars}, not {self._scalars}")
        rows = rows_of(history, self._layout, self._schemas)
        hashes = {name: rows_hash(columns, self._schemas[name]) for name, columns in rows.items()}
        self._done.append(history.replication)
        for name, columns in rows.items():
            self._parts[name].append(columns)
            self._hashes[name].append(hashes[name])

    def arrow(self) -> dict[str, pa.Table]:
        """The rows so far as Arrow tables."""
        if not self._done:
            return {}
        return {
            name: to_arrow(concatenate(self._parts[name], schema), schema) for name, schema in self._schemas.items()
        }

    def finish(self) -> ChunkTables:
        """The rows so far, ready to travel."""
        return ChunkTables(
            done=tuple(self._done),
            scalars=self._scalars or (),
            tables={name: _to_ipc(table) for name, table in self.arrow().items()},
            hashes={name: tuple(hashes) for name, hashes in self._hashes.items()},
        )


def replication_hashes(history: History, layout: Layout, names: Sequence[str]) -> dict[str, str]:
    """Hash of the rows of one replication, by table: to compare with those of a run."""
    builder = ChunkBuilder(layout, names)
    builder.add(history)
    return {name: hashes[0] for name, hashes in builder.finish().hashes.items()}


def _to_ipc(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def from_ipc(data: bytes) -> pa.Table:
    """The Arrow table in one of `ChunkTables.tables`."""
    import pyarrow as pa

    with pa.ipc.open_stream(data) as stream:
        return stream.read_all()
