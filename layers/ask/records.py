"""Records as search and geocoding see them: id, label, place, extent, class and area, whatever the layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from layers.spec import Layer

CLASS_FIELDS: Final = ("class_code", "kind")
"""The columns that say what sort of thing a record is."""

# Parts of a line that are at most so far apart (in Web Mercator) are one road.
_GAP_3857: Final = 300
_NEAR_3857: Final = 3_000
_CANDIDATES: Final = 500


@dataclass(frozen=True)
class Record:
    """One record, or for lines all touching ones of one name; `text` is the text it was found by.

    `lon`, `lat` lie on it; `bounds` (west, south, east, north) is None for points.
    """

    layer: str
    id: str
    text: str
    label: str | None
    label_en: str | None
    class_code: str | None
    admin_code: str | None
    importance: float | None
    precision: str
    lon: float
    lat: float
    bounds: tuple[float, float, float, float] | None


def class_field(layer: Layer) -> str | None:
    """The column that says what sort of thing a record of the layer is; None when there is none."""
    return next((name for name in CLASS_FIELDS if layer.field(name) is not None), None)


def records_by_text(
    connection: sa.Connection,
    layer: Layer,
    field: str,
    texts: list[str],
    *,
    each: int,
    near: tuple[float, float] | None = None,
    area: str | None = None,
) -> list[Record]:
    """The records whose column `field` is one of the texts, at most `each` a text.

    The nearest come first, without `near` (lon, lat) the most important ones; `area` is an administrative code that
    they must lie in.
    """
    values: dict[str, Any] = {"texts": texts, "each": each}
    if area:
        values |= {"area": area, "digits": len(area)}
    if layer.geometry == "MultiLineString" and field == layer.label:
        statement = _lines(layer.table, field, bool(area))
    else:
        statement = _single(layer.table, layer.label, class_field(layer), field, near is not None, bool(area))
        if near is not None:
            values |= {"lon": near[0], "lat": near[1]}
    return [_record(layer.name, row) for row in connection.execute(statement, values)]


def records_by_id(connection: sa.Connection, layer: Layer, ids: list[str]) -> list[Record]:
    """The records with these ids, sorted by id."""
    table = layer.table
    columns = _columns(table, layer.label, class_field(layer), table.c.id)
    found = sa.select(*columns).where(table.c.id == sa.any_(sa.bindparam("ids", type_=_TEXTS)))
    return [_record(layer.name, row) for row in connection.execute(found.order_by(table.c.id), {"ids": ids})]


def ids_by_prefix(
    connection: sa.Connection, layers: Sequence[Layer], prefix: str, *, limit: int
) -> dict[str, list[str]]:
    """The first ids of each layer that begin with a text; primary keys are in collation C, so they answer this."""
    if not layers:
        return {}
    values = {"prefix": prefix, "after": prefix + chr(0x10FFFF), "each": limit}
    found: dict[str, list[str]] = {}
    for layer, id in connection.execute(_prefixes(tuple(layer.table for layer in layers)), values):
        found.setdefault(layer, []).append(id)
    return found


@lru_cache(maxsize=64)
def _prefixes(tables: tuple[sa.Table, ...]) -> sa.CompoundSelect[Any]:
    prefix, after = sa.bindparam("prefix", type_=sa.Text), sa.bindparam("after", type_=sa.Text)
    each = sa.bindparam("each", type_=sa.Integer)
    first = (
        sa.select(sa.literal_column(f"'{table.name}'", sa.Text).label("layer"), table.c.id)
        .where(table.c.id >= prefix, table.c.id < after)
        .order_by(table.c.id)
        .limit(each)
        for table in tables
    )
    return sa.union_all(*(sa.select(some.subquery()) for some in first))


def records_by_class(connection: sa.Connection, layer: Layer, codes: list[str], *, limit: int) -> list[Record]:
    """Some records of these classes; none when the layer has no classes."""
    table, name = layer.table, class_field(layer)
    if name is None:
        return []
    some = sa.select(table).where(table.c[name].in_(codes)).limit(_CANDIDATES).subquery()
    columns = _columns(some, layer.label, name, some.c.id)
    found = sa.select(*columns).order_by(*_order(some)).limit(limit)
    return [_record(layer.name, row) for row in connection.execute(found)]


_TEXTS: Final = sa.ARRAY(sa.Text)


def _columns(
    source: sa.FromClause, label: str, of_class: str | None, text: sa.ColumnElement[Any]
) -> list[sa.ColumnElement[Any]]:
    c = source.c
    none = sa.null()
    inner = sa.func.st_pointonsurface(c.geom)
    box = [getattr(sa.func, f"st_{side}")(c.geom).label(side) for side in ("xmin", "ymin", "xmax", "ymax")]
    return [
        text.label("text"),
        c.id,
        c[label].label("label"),
        (c.name_en if "name_en" in c else none).label("label_en"),
        (c[of_class] if of_class else none).label("class_code"),
        c.admin_code,
        (c.importance if "importance" in c else none).label("importance"),
        c.place_precision.label("precision"),
        sa.func.st_x(inner).label("lon"),
        sa.func.st_y(inner).label("lat"),
        *box,
    ]


def _order(source: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    return [*([source.c.importance.desc().nulls_last()] if "importance" in source.c else []), source.c.id]


def _wanted() -> sa.TableValuedAlias:
    texts = sa.bindparam("texts", type_=_TEXTS)
    return sa.func.unnest(texts).table_valued(sa.column("text", sa.Text), name="wanted")


def _within(source: sa.FromClause) -> sa.ColumnElement[bool]:
    digits = sa.bindparam("digits", type_=sa.Integer)
    return sa.func.left(source.c.admin_code, digits) == sa.bindparam("area", type_=sa.Text)


def here_3857() -> sa.ColumnElement[Any]:
    """The point of the parameters `lon` and `lat` in Web Mercator: the constant is transformed, not the column."""
    lon, lat = (sa.bindparam(name, type_=sa.Double) for name in ("lon", "lat"))
    return sa.func.st_transform(sa.func.st_setsrid(sa.func.st_point(lon, lat), 4326), 3857)


@lru_cache(maxsize=512)
def _single(table: sa.Table, label: str, of_class: str | None, field: str, near: bool, area: bool) -> sa.Select[Any]:
    """Record by record; of a text that thousands bear only some hundred candidates are compared."""
    wanted = _wanted()
    here = here_3857()
    bears = sa.and_(table.c[field] == wanted.c.text, *([_within(table)] if area else []))
    some = sa.select(table).where(bears).limit(_CANDIDATES).correlate(wanted)
    if near:
        close = sa.func.st_dwithin(table.c.geom3857, here, _NEAR_3857)
        parts = [sa.select(table).where(bears, part).limit(_CANDIDATES).correlate(wanted) for part in (close, ~close)]
        candidates = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("some")
        order = [sa.func.st_distance(candidates.c.geom3857, here), candidates.c.id]
    else:
        candidates = some.subquery("some")
        order = _order(candidates)
    first = (
        sa.select(*_columns(candidates, label, of_class, wanted.c.text))
        .order_by(*order)
        .limit(sa.bindparam("each", type_=sa.Integer))
        .correlate(wanted)
        .lateral("first")
    )
    return sa.select(*first.c).select_from(wanted.join(first, sa.true()))


@lru_cache(maxsize=64)
def _lines(table: sa.Table, field: str, area: bool) -> sa.Select[Any]:
    """Road by road: the touching segments of one name together, told by the segment in the middle."""
    wanted = _wanted()
    bears = sa.and_(table.c[field] == wanted.c.text, *([_within(table)] if area else []))
    cluster = sa.func.st_clusterdbscan(table.c.geom3857, _GAP_3857, 1).over(partition_by=wanted.c.text)
    columns = _columns(table, field, None, wanted.c.text)
    part = sa.select(*columns, cluster.label("cluster")).where(bears).subquery("part")
    order = (part.c.lon + part.c.lat, part.c.id)
    middle = sa.func.count() // 2 + 1

    def of_middle(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        listed = sa.func.array_agg(aggregate_order_by(column, *order), type_=sa.ARRAY(column.type))
        return listed[middle].label(column.name)

    told = [part.c[n] for n in ("id", "label", "label_en", "class_code", "admin_code", "precision", "lon", "lat")]
    ends = {"xmin": "min", "ymin": "min", "xmax": "max", "ymax": "max"}
    road = (
        sa.select(
            part.c.text,
            *map(of_middle, told),
            sa.null().label("importance"),
            *(getattr(sa.func, end)(part.c[side]).label(side) for side, end in ends.items()),
            sa.func.count().label("parts"),
        )
        .group_by(part.c.text, part.c.cluster)
        .subquery("road")
    )
    rank = sa.func.row_number().over(partition_by=road.c.text, order_by=(road.c.parts.desc(), road.c.id))
    ranked = sa.select(road, rank.label("rank")).subquery("ranked")
    return sa.select(ranked).where(ranked.c.rank <= sa.bindparam("each", type_=sa.Integer))


def _record(layer: str, row: sa.Row[Any]) -> Record:
    point = row.xmin == row.xmax and row.ymin == row.ymax
    return Record(
        layer=layer,
        id=row.id,
        text=row.text,
        label=row.label,
        label_en=row.label_en,
        class_code=row.class_code,
        admin_code=row.admin_code,
        importance=row.importance,
        precision=row.precision,
        lon=row.lon,
        lat=row.lat,
        bounds=None if point else (row.xmin, row.ymin, row.xmax, row.ymax),
    )
