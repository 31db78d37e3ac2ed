"""What a filter may ask about a layer: fields declared for it, and what every record has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.spec import FieldKind, Layer, Title

Kind = FieldKind | Literal["geometry"]

_COMMON: Final[tuple[tuple[str, Kind, Title], ...]] = (
    ("geom", "geometry", Title("位置", "Place")),
    ("grid_id", "text", Title("单元网格", "Management grid")),
    ("admin_code", "text", Title("行政区划代码", "Administrative code")),
    ("source", "text", Title("来源", "Source")),
    ("changed_at", "time", Title("更新时间", "Last changed")),
)


@dataclass(frozen=True)
class Queryable:
    """A property that filters may name; `kind` is "geometry" for the one geometry."""

    name: str
    title: Title
    kind: Kind
    column: sa.Column[Any]
    unit: str | None = None
    book: str | None = None

    @property
    def geometry(self) -> bool:
        """Whether this is the geometry of the records."""
        return self.kind == "geometry"


def queryables(layer: Layer) -> dict[str, Queryable]:
    """What filters may name, by name: the id, the filtered, searched and labelling fields, what all layers have."""
    columns = layer.table.c
    found = {"id": Queryable("id", Title("标识码", "Identifier"), "text", columns.id)}
    for declared in layer.fields:
        if declared.filter or declared.search or declared.name == layer.label:
            found[declared.name] = Queryable(
                declared.name,
                declared.title,
                declared.kind,
                columns[declared.name],
                unit=declared.unit,
                book=declared.book,
            )
    for name, kind, title in _COMMON:
        found.setdefault(name, Queryable(name, title, kind, columns[name]))
    return found
