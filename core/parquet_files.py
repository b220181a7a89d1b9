"""Rows as Parquet, batch by batch, so that the size of a file does not matter.

Times are timestamps in UTC, amounts decimals with three places, whole numbers 64 bits wide, all else text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, Any


def write(
    out: IO[bytes], columns: Sequence[tuple[str, str]], batches: Iterable[Sequence[tuple[Any, ...]]]
) -> int:
    """`columns`: each name with its kind (`whole`, `amount`, `time`, anything else is text). How many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "whole": pa.int64(),
        "amount": pa.decimal128(38, 3),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(name, types.get(kind, pa.string())) for name, kind in columns])
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in batches:
            arrays = [
                pa.array(values, each.type)
                for each, values in zip(schema, zip(*rows, strict=True), strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
    return count
