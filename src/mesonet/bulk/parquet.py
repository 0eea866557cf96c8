"""Tables on disk: the columns of results, and reading a column of a list."""

from collections.abc import Iterator
from typing import IO, Any

from mesonet.errors import DataError, MissingPackageError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise MissingPackageError("Parquet", "parquet") from error

Row = dict[str, Any]
Schema = pa.Schema
Table = pa.Table

KEY = ["path", "size", "modified"]
_COMMON = [
    pa.field("path", pa.string(), nullable=False),
    pa.field("size", pa.int64()),
    pa.field("modified", pa.timestamp("us", "UTC")),
]
VERDICTS = pa.schema(
    [
        *_COMMON,
        pa.field("label", pa.dictionary(pa.int32(), pa.string())),
        pa.field("probability", pa.float64()),
        pa.field("fake_probability", pa.float64()),
        pa.field("raw_score", pa.float64()),
        pa.field("model", pa.dictionary(pa.int32(), pa.string())),
        pa.field("threshold", pa.float64()),
        pa.field("band", pa.list_(pa.float64())),
        pa.field("error", pa.string()),
    ]
)
"""Columns of verdicts on images: those of the JSON lines, null where a line has nothing."""
CHECKS = pa.schema(
    [
        *_COMMON,
        pa.field("kind", pa.dictionary(pa.int32(), pa.string())),
        pa.field("outcome", pa.dictionary(pa.int32(), pa.string())),
        pa.field("verdict", pa.dictionary(pa.int32(), pa.string())),
        pa.field("fake_probability", pa.float64()),
        pa.field("error", pa.string()),
        pa.field("record", pa.string()),
    ]
)
"""Columns of checks; ``record`` is the whole check as the JSON line has it."""


def to_table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table; of a path that is no UTF-8 the odd bytes become escapes."""
    for row in rows:
        row["path"] = as_utf8(row["path"])
    return pa.Table.from_pylist(rows, schema)


def as_utf8(path: str) -> str:
    """A path as text that can be stored, the same for the same bytes."""
    return path.encode("utf-8", "backslashreplace").decode()


def read_column(file: IO[bytes], name: str, column: str) -> Iterator[str]:
    """Yield the values of a column of text, a few thousand at a time.

    Raises:
        DataError: the file is no Parquet file, or has no such column.
    """
    try:
        table = pq.ParquetFile(file)
        if column not in table.schema_arrow.names:
            raise DataError(name, f"has no column {column!r}")
        for batch in table.iter_batches(columns=[column]):
            yield from (value or "" for value in batch.column(0).to_pylist())
    except pa.ArrowException as error:
        raise DataError(name, "not a Parquet file that can be read") from error
