"""A layer with a field of every kind, and a database that holds it, for the tests of filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from layers.ask.filter import condition, parse
from layers.look import Look
from layers.spec import Layer, Title, field, layer_table

PROBE = Layer(
    table=layer_table(
        "probe",
        "MultiPolygon",
        field("textfield", "text", zh="文字", en="Text", filter=True),
        field("codefield", "code", zh="代码", en="Code", filter=True),
        field("intfield", "integer", zh="整数", en="Integer", filter=True),
        field("floatfield", "number", zh="数", en="Number", unit="m", filter=True),
        field("boolfield", "boolean", zh="是否", en="Flag", filter=True),
        field("nfield", "boolean", zh="空", en="Empty", filter=True),
        field("datefield", "date", zh="日期", en="Date", filter=True),
        field("ts_start", "time", zh="开始", en="Start", filter=True),
        field("ts_end", "time", zh="结束", en="End", filter=True),
        field("hidden", "text", zh="不可查", en="Not to be filtered by"),
        metadata=sa.MetaData(schema="city"),
    ),
    title=Title("试", "Probe"),
    about=Title("试", "Probe"),
    group="base",
    geometry="MultiPolygon",
    look=Look("fill", "series1"),
    label="textfield",
)


def insert(connection: sa.Connection, layer: Layer, rows: Iterable[dict[str, Any]]) -> None:
    """Put rows into the table of a layer; `wkb` is a geometry of lon, lat."""
    shape = sa.func.st_geomfromwkb(sa.bindparam("wkb", type_=sa.LargeBinary), 4326)
    geom = shape if layer.geometry == "Point" else sa.func.st_multi(shape)
    connection.execute(sa.insert(layer.table).values(geom=geom, cell=0, source="test"), list(rows))


def found(connection: sa.Connection, text: str, **options: Any) -> list[str]:
    """The ids that pass a filter in CQL2 text, in order."""
    table = PROBE.table
    passing = sa.select(table.c.id).where(condition(PROBE, parse(text), **options)).order_by(table.c.id)
    return list(connection.scalars(passing))
