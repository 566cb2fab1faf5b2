"""One hash for the rows of one replication in one table, and one over those for the table.

Files are never hashed: the same rows can be compressed, grouped and annotated in many ways. What is hashed is a
canonical form of the rows: for each column in order its name and type, then its values in a fixed binary form (integers
and days as 64-bit little-endian, floats as IEEE 754 doubles with one zero and one NaN, text as UTF-8 with lengths). It
depends on neither workers, chunks, hash seeds nor the order of other replications.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from dcsim.tables.rows import MISSING, Columns, Values
from dcsim.tables.schema import Column, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

_SIZE = 16


def rows_hash(columns: Columns, schema: TableSchema) -> str:
    """Hash of the rows of one replication, as 32 hexadecimal digits."""
    parts = []
    for column in schema.columns:
        values = columns[column.name]
        parts.append(f"{column.name}:{column.type}:{len(values)};".encode())
        parts.append(_canonical(values, column))
    return blake2b(b"".join(parts), digest_size=_SIZE, person=b"dcsim/rows").hexdigest()


def _canonical(values: Values, column: Column) -> bytes:
    if column.type == "string":
        encoded = {text: b"" if text is None else text.encode() for text in set(values)}  # few differ
        lengths = {text: -1 if text is None else len(code) for text, code in encoded.items()}
        sizes = np.fromiter(map(lengths.__getitem__, values), "<i8", len(values))
        return sizes.tobytes() + b"".join(map(encoded.__getitem__, values))
    if column.type == "float64":
        floats = np.asarray(values, "<f8") + 0.0  # -0.0 becomes 0.0
        if column.nullable:
            floats[np.isnan(floats)] = np.nan
        return floats.tobytes()
    return np.asarray(values, "<i8").tobytes()


class TableHash:
    """Hash of a table: BLAKE2b-128 over the hashes of its replications, in their order."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=_SIZE, person=b"dcsim/table")

    def add(self, replication: int, rows: str) -> None:
        """Take in the hash of the next replication's rows."""
        self._digest.update(f"{replication}:{rows};".encode())

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def to_arrow(columns: Columns, schema: TableSchema) -> pa.Table:
    """The columns as an Arrow table of exactly the schema's types."""
    import pyarrow as pa

    arrow = schema.arrow()
    arrays = []
    for column, field in zip(schema.columns, arrow, strict=True):
        values = columns[column.name]
        if column.type in ("int32", "date32"):
            numbers = np.asarray(values, np.int64)
            mask = numbers == MISSING
            array = pa.array(np.where(mask, 0, numbers).astype(np.int32), pa.int32(), mask=mask).cast(field.type)
        else:
            array = pa.array(values, field.type, from_pandas=column.nullable)
        if array.null_count and not column.nullable:
            raise ValueError(f"table {schema.name}: {column.name} is null")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=arrow)


def from_arrow(table: pa.Table, schema: TableSchema) -> Columns:
    """The columns of an Arrow table in the form in which they are hashed: the inverse of `to_arrow`."""
    import pyarrow as pa

    columns: Columns = {}
    for column in schema.columns:
        array = table.column(column.name).combine_chunks()
        if column.type == "string":
            columns[column.name] = array.to_pylist()
        elif column.type in ("int32", "date32"):
            numbers = array.cast(pa.int32()).fill_null(MISSING).to_numpy(zero_copy_only=False)
            columns[column.name] = numbers.astype(np.int64)
        elif column.type == "float64":
            columns[column.name] = array.fill_null(float("nan")).to_numpy(zero_copy_only=False)
        else:
            columns[column.name] = array.to_numpy(zero_copy_only=False)
    return columns


def concatenate(parts: list[Columns], schema: TableSchema) -> Columns:
    """The rows of several replications one below the other."""
    joined: Columns = {}
    for column in schema.columns:
        pieces = [part[column.name] for part in parts]
        if column.type == "string":
            texts: list[str | None] = []
            for piece in pieces:
                texts.extend(piece)
            joined[column.name] = texts
        else:
            joined[column.name] = np.concatenate([np.asarray(piece) for piece in pieces])
    return joined
