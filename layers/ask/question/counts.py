"""Questions that are answered with counts: in all, by class, by grid, town or county, by H3 cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import shapely
import sqlalchemy as sa

from gis.cells import cell_polygons, to_hex
from layers.ask.question.answer import Found, column_of, shapes_of
from layers.ask.question.asked import Count
from layers.ask.question.cellcount import counted_by_cells
from layers.ask.question.wanted import Find, Wanted
from layers.errors import BadField
from layers.export.sheet import SheetColumn
from layers.spec import Field, Layer, Title

NUMERIC: Final = ("integer", "number")
GROUPED: Final = ("code", "text", "boolean", "integer")
_N: Final = SheetColumn("n", Title("数量", "Count"), "integer")
_NAME: Final = SheetColumn("name", Title("名称", "Name"), "text")
_AREAS: Final = ("grid", "town", "county")


@dataclass(frozen=True)
class Group:
    """What records are counted by: a SQL expression over the layer's table, and the column that it becomes."""

    key: sa.ColumnElement[Any]
    column: SheetColumn


def class_field(layer: Layer, question: Count) -> Field:
    """The field that the question groups by; BadField when the layer has no such classes."""
    name = question.class_field or layer.classes
    field = None if name is None else layer.field(name)
    if field is None or field.kind not in GROUPED:
        fit = ", ".join(f.name for f in layer.fields if f.kind in GROUPED)
        told = f"must be one of {fit}" if fit else "this layer has no classes"
        raise BadField({"class_field": told}).because("no_such_field")
    return field


def measured_field(layer: Layer, question: Count) -> Field | None:
    """The numeric field that the question sums up, if any; BadField when it is none."""
    if question.field is None:
        return None
    field = layer.field(question.field)
    if field is None or field.kind not in NUMERIC:
        fit = ", ".join(f.name for f in layer.fields if f.kind in NUMERIC)
        told = f"must be one of {fit}" if fit else "this layer has no numeric field"
        raise BadField({"field": told}).because("no_such_field")
    return field


def counted(
    connection: sa.Connection, wanted: Wanted, question: Count, find: Find, *, per: Wanted | None = None
) -> Found:
    """One row a group that holds records, the largest count first, at most `limit` groups.

    With `per` each count stands beside the size of those records, and divided by it.
    """
    layer, measure = wanted.layer, measured_field(wanted.layer, question)
    area = find(question.by) if question.by in _AREAS else None
    group = _group(layer, question)
    rows = counted_by_cells(connection, wanted, question) if measure is None and _by_classes(layer, question) else None
    if rows is None:
        rows = [tuple(row) for row in connection.execute(_statement(wanted, question, group, measure))]
    truncated, rows = len(rows) > question.limit, rows[: question.limit]
    columns = (*_key_columns(group, area), _N, *([] if measure is None else _measures(measure)))
    if per is not None:
        columns = (*columns, *_ratio_columns(per.layer))
        rows = _with_ratios(rows, _sizes(connection, per, question))
    if question.by == "h3":
        cells = [row[0] for row in rows]
        named: list[tuple[Any, ...]] = [
            (text, *row[1:]) for text, row in zip(to_hex(cells) if cells else [], rows, strict=True)
        ]
        return Found(columns, named, list(cell_polygons(cells)) if cells else [], truncated)
    if area is not None:
        places = _places(connection, area, [row[0] for row in rows if row[0]])
        named = [(row[0], places.get(row[0], (None, None))[0], *row[1:]) for row in rows]
        return Found(columns, named, [places.get(row[0], (None, None))[1] for row in rows], truncated)
    return Found(columns, rows if group is not None else [row[1:] for row in rows], None, truncated)


_PLACED: Final = ("grid", "town", "county", "h3")
_SIZES: Final[Mapping[str, tuple[Title, str]]] = {
    "MultiLineString": (Title("长度", "length"), "km"),
    "MultiPolygon": (Title("面积", "area"), "km²"),
    "Point": (Title("数量", "count"), ""),
}


def _ratio_columns(layer: Layer) -> tuple[SheetColumn, SheetColumn]:
    size, unit = _SIZES[layer.geometry]
    title = Title(f"{layer.title.zh}{size.zh}", f"{layer.title.en}, {size.en}")
    each = Title(f"每 {unit} {layer.title.zh}" if unit else f"每个{layer.title.zh}",
                 f"Per {unit} of {layer.title.en}" if unit else f"Per {layer.title.en}")  # fmt: skip
    return SheetColumn("size", title, "number", unit=unit or None), SheetColumn("n_per", each, "number")


def _with_ratios(rows: list[tuple[Any, ...]], sizes: Mapping[Any, float]) -> list[tuple[Any, ...]]:
    """Rows of key, count and more, with the size that belongs to the key and the count divided by it."""
    found = []
    for row in rows:
        size = sizes.get(None if None in sizes else row[0], 0.0)
        found.append((*row, round(size, 3), round(row[1] / size, 4) if size > 0 else None))
    return found


def _sizes(connection: sa.Connection, per: Wanted, question: Count) -> dict[Any, float]:
    """The size of records by what is counted by; under None where they are all taken together."""
    table, together = per.layer.table, question.by not in _PLACED
    globe = sa.func.geography(table.c.geom)
    one = {
        "MultiLineString": sa.func.st_length(globe) / 1e3, "MultiPolygon": sa.func.st_area(globe) / 1e6,
        "Point": sa.literal(1.0, sa.Double),
    }[per.layer.geometry]  # fmt: skip
    group = None if together else _group(per.layer, question)
    key: sa.ColumnElement[Any] = sa.null() if group is None else group.key
    records = sa.select(key.label("key"), one.label("size")).where(*per.conditions()).subquery("per")
    total = sa.func.coalesce(sa.func.sum(records.c.size), 0.0)
    if together:
        return {None: float(connection.scalar(sa.select(total)) or 0.0)}
    rows = connection.execute(sa.select(records.c.key, total).where(records.c.key.is_not(None)).group_by(records.c.key))
    return {key: float(size) for key, size in rows}


def _by_classes(layer: Layer, question: Count) -> bool:
    """Whether the cell counts hold what is grouped by."""
    if question.by == "class":
        return class_field(layer, question).name == layer.classes
    return question.by == "total"


def area_key(table: sa.FromClause, by: str) -> sa.ColumnElement[Any]:
    """The `grid`, `town` or `county` that a record of a layer's table lies in, by its id; null where it has none."""
    if by == "grid":
        return table.c.grid_id
    if by == "town":
        return sa.case((sa.func.length(table.c.admin_code) >= 9, sa.func.left(table.c.admin_code, 9)))
    return sa.func.left(table.c.admin_code, 6)


def _group(layer: Layer, question: Count) -> Group | None:
    table = layer.table
    if question.by == "class":
        field = class_field(layer, question)
        return Group(table.c[field.name], column_of(field))
    makers: Mapping[str, Callable[[], sa.ColumnElement[Any]]] = {
        **{area: partial(area_key, table, area) for area in _AREAS},
        "h3": lambda: sa.func.core.h3_parent(table.c.cell, sa.literal(question.res, sa.Integer)),
    }
    titles = {
        "grid": Title("网格编码", "Grid"),
        "town": Title("镇街代码", "Town"),
        "county": Title("县区代码", "County"),
        "h3": Title("H3 单元", "H3 cell"),
    }
    if question.by not in makers:
        return None
    return Group(makers[question.by](), SheetColumn("key", titles[question.by], "text"))


def _key_columns(group: Group | None, area: Layer | None) -> tuple[SheetColumn, ...]:
    return (*([] if group is None else [group.column]), *([] if area is None else [_NAME]))


def _statement(wanted: Wanted, question: Count, group: Group | None, measure: Field | None) -> sa.Select[Any]:
    """Keys and values in a subquery first: an expression with bound values cannot be repeated in GROUP BY."""
    table = wanted.layer.table
    key = sa.null() if group is None else group.key
    value = [] if measure is None else [table.c[measure.name].label("value")]
    records = sa.select(key.label("key"), *value).select_from(table).where(*wanted.conditions()).subquery("records")
    sums = [] if measure is None else [getattr(sa.func, name)(records.c.value) for name in _SUMS]
    n = sa.func.count().label("n")
    statement = sa.select(*([sa.null()] if group is None else [records.c.key]), n, *sums).select_from(records)
    if group is not None:
        statement = statement.group_by(records.c.key).order_by(n.desc(), records.c.key.asc().nulls_last())
    return statement.limit(question.limit + 1)


_SUMS: Final = {
    "count": Title("有值", "with a value"),
    "sum": Title("合计", "sum"),
    "avg": Title("平均", "mean"),
    "min": Title("最小", "minimum"),
    "max": Title("最大", "maximum"),
}


def _measures(field: Field) -> list[SheetColumn]:
    return [
        SheetColumn(
            {"count": "n_value", "avg": "mean"}.get(name, name),
            Title(f"{field.title.zh}{title.zh}", f"{field.title.en}, {title.en}"),
            "integer" if name == "count" else "number",
            unit=None if name == "count" else field.unit,
        )
        for name, title in _SUMS.items()
    ]


def _places(
    connection: sa.Connection, area: Layer, ids: list[str]
) -> dict[str, tuple[str | None, shapely.Geometry | None]]:
    """The names and shapes of areas."""
    table = area.table
    wanted = table.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Text)))
    rows = connection.execute(
        sa.select(table.c.id, table.c[area.label], sa.func.st_asbinary(table.c.geom)).where(wanted)
    )
    found = rows.all()
    shapes = shapes_of(row[2] for row in found)
    return {row[0]: (row[1], shape) for row, shape in zip(found, shapes, strict=True)}
