"""Frames into tables by COPY: Arrow writes the CSV in native code, PostgreSQL reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
import shapely
import sqlalchemy as sa

_ROWS_AT_ONCE = 20_000


def copy_frame(
    connection: sa.Connection,
    table: str,
    frame: pd.DataFrame,
    *,
    srid: int = 4326,
    written: Callable[[int], None] = lambda _: None,
) -> None:
    """Append a frame to `table`, whose name is ours and never a client's; columns go by name.

    Columns of shapely geometries become EWKB in `srid`, lists become arrays, missing values null. Raises
    psycopg's errors as they are. `written` hears how many rows were sent; what it raises ends the copy, and undoes it.
    """
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(str(name)) for name in frame.columns)
    statement = f"copy {table} ({columns}) from stdin (format csv)"
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for count, chunk in enumerate(_ahead(_csv(frame, srid)), start=1):
            copy.write(chunk)
            written(min(count * _ROWS_AT_ONCE, len(frame)))


def copy_by_way(
    connection: sa.Connection, table: sa.Table, frame: pd.DataFrame, *, written: Callable[[int], None] = lambda _: None
) -> None:
    """The same for a table with row level security: PostgreSQL inserts into it what it would not copy."""
    connection.execute(sa.text("drop table if exists pg_temp.on_the_way"))
    like = f"like {table.fullname} including defaults including identity"
    connection.execute(sa.text(f"create temp table on_the_way ({like}) on commit drop"))
    copy_frame(connection, "on_the_way", frame, written=written)
    names = [str(name) for name in frame.columns]
    arrived = sa.table("on_the_way", *(sa.column(name) for name in names))
    connection.execute(sa.insert(table).from_select(names, sa.select(*arrived.c)))


def _ahead(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """The same chunks, the next one being written by a thread while the server reads the last."""
    with ThreadPoolExecutor(1) as writer:
        coming = writer.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = writer.submit(next, chunks, None)
            yield chunk


def _csv(frame: pd.DataFrame, srid: int) -> Iterator[memoryview]:
    options = pa.csv.WriteOptions(include_header=False)
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        part = frame.iloc[start : start + _ROWS_AT_ONCE]
        columns = [_column(part[name], srid) for name in part.columns]
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(pa.table(columns, names=[str(n) for n in part.columns]), sink, options)
        yield memoryview(sink.getvalue())


def _column(series: pd.Series[Any], srid: int) -> pa.Array:
    values = series.to_numpy()
    if values.dtype == object:
        first = next((value for value in values if value is not None and value is not pd.NA), None)
        if isinstance(first, shapely.Geometry):
            return pa.array(shapely.to_wkb(shapely.set_srid(values, srid), hex=True, include_srid=True))
        if isinstance(first, list):
            return pa.array([_array_literal(value) for value in values])
        if isinstance(first, bool | np.bool_):
            return pa.array(series, type=pa.bool_(), from_pandas=True)
    return pa.array(series, from_pandas=True)


def _array_literal(values: list[str]) -> str:
    plain = "".join(values)
    if values and '"' not in plain and "\\" not in plain:
        return '{"' + '","'.join(values) + '"}'
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
