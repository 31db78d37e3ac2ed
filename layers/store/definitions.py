"""Layers that people brought with their own file: the same `Layer` value, kept in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.errors import BadField
from layers.look import Look
from layers.spec import Access, Field, GeometryKind, Layer, Load, Title, field, layer_table
from layers.store.core import DEFINITION

_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_LOOKS: dict[str, Look] = {
    "Point": Look("circle", "series2", size=((10, 2.4), (18, 7.0)), label_from=14),
    "MultiLineString": Look("line", "series2", size=((10, 1.0), (18, 5.0)), label_from=14),
    "MultiPolygon": Look("fill", "series2", opacity=0.35, label_from=13),
}


def layer_from_parts(
    name: str,
    title: Title,
    geometry: GeometryKind,
    fields: Sequence[Field],
    *,
    label: str | None = None,
    classes: str | None = None,
    public: bool = False,
    minzoom: int | None = None,
) -> Layer:
    """A layer for data that no layer of the catalogue knows; BadField for a name that cannot be one."""
    if not _NAME.fullmatch(name) or name.endswith(("_cells", "_label", "_cut")):
        raise BadField({"name": "lower-case letters, digits and _, 2 to 41 of them, and no reserved ending"})
    columns = [field(**_field_arguments(f)) for f in fields]
    look = _LOOKS[geometry]
    if classes is not None:
        look = Look(**{**asdict(look), "column": classes})
    return Layer(
        table=layer_table(name, geometry, *columns, metadata=sa.MetaData(schema="city")),
        title=title,
        about=title,
        group="facility",
        geometry=geometry,
        look=look,
        label=label or (fields[0].name if fields else "id"),
        minzoom=(12 if geometry == "Point" else 8) if minzoom is None else minzoom,
        classes=classes,
        rank=2.5,
        access=Access(view="public" if public else "internal"),
        load=Load(),
    )


def _field_arguments(f: Field) -> dict[str, Any]:
    arguments = {key: value for key, value in vars(f).items() if key != "title"}
    return {**arguments, "zh": f.title.zh, "en": f.title.en}


def to_spec(layer: Layer) -> dict[str, Any]:
    """A user's layer as JSON."""
    return {
        "title": layer.title._asdict(),
        "geometry": layer.geometry,
        "label": layer.label,
        "classes": layer.classes,
        "minzoom": layer.minzoom,
        "public": layer.access.view == "public",
        "fields": [{**vars(f), "title": f.title._asdict()} for f in layer.fields],
    }


def from_spec(name: str, spec: Mapping[str, Any]) -> Layer:
    """The layer that `to_spec` wrote."""
    fields = [
        Field(**{**kept, "title": Title(**kept["title"]), "headers": tuple(kept["headers"])}) for kept in spec["fields"]
    ]
    return layer_from_parts(
        name,
        Title(**spec["title"]),
        spec["geometry"],
        fields,
        label=spec["label"],
        classes=spec["classes"],
        public=spec["public"],
        minzoom=spec["minzoom"],
    )


def save_definition(connection: sa.Connection, layer: Layer) -> None:
    """Keep a user's layer; its table is made by `layers.store.schema.prepare` or `ensure_table`."""
    statement = postgresql.insert(DEFINITION).values(name=layer.name, spec=to_spec(layer))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[DEFINITION.c.name], set_={"spec": statement.excluded.spec, "at": sa.func.now()}
        )
    )


def saved_layers(connection: sa.Connection) -> dict[str, Layer]:
    """All layers that users brought, by name."""
    rows = connection.execute(sa.select(DEFINITION.c.name, DEFINITION.c.spec).order_by(DEFINITION.c.name))
    return {name: from_spec(name, spec) for name, spec in rows}
