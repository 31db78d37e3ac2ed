"""What a layer is: a table whose columns say once how they appear outside, and a few small facets.

From one `Layer` follow the tile and its TileJSON, the style and the legend, the popup, the search index, the edit
form, the permissions, the load recipe and the low-zoom H3 aggregate. A column that carries no `Field` never leaves
the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

from layers.look import Look


class Title(NamedTuple):
    """A text for people in both languages."""

    zh: str
    en: str


FieldKind = Literal["text", "code", "integer", "number", "date", "time", "boolean"]
GeometryKind = Literal["Point", "MultiLineString", "MultiPolygon"]

_SQL_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(), "code": sa.Text(), "integer": sa.BigInteger(), "number": sa.Double(),
    "date": sa.Date(), "time": sa.DateTime(timezone=True), "boolean": sa.Boolean(),
}  # fmt: skip

METADATA = sa.MetaData(schema="city")
_IN_ID = r"\s/?#%\x00-\x1f"
# Not "." and "..": a URL that names them is another URL.
ID_PATTERN = rf"(?:[^{_IN_ID}.][^{_IN_ID}]?|\.[^{_IN_ID}.]|[^{_IN_ID}]{{3,64}})"


@dataclass(frozen=True)
class Field:
    """How one column appears outside.

    `headers` are further names under which files bring it; `book` names the code book that turns its codes into words;
    `minimum`/`maximum` are inclusive and in `unit`; `kind="code"` says that the stored value is a code of `book`.
    """

    name: str
    title: Title
    kind: FieldKind
    unit: str | None = None
    book: str | None = None
    tile: bool = False
    filter: bool = False
    edit: bool = False
    search: bool = False
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 1000
    headers: tuple[str, ...] = ()


def field(
    name: str,
    kind: FieldKind,
    *,
    zh: str,
    en: str,
    unit: str | None = None,
    book: str | None = None,
    tile: bool = False,
    filter: bool = False,
    edit: bool = False,
    search: bool = False,
    required: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    max_length: int = 1000,
    headers: tuple[str, ...] = (),
    computed: str | None = None,
) -> sa.Column[Any]:
    """A column together with how it appears outside; `computed` is a SQL expression over the table's own columns."""
    appears = Field(
        name,
        Title(zh, en),
        kind,
        unit=unit,
        book=book,
        tile=tile,
        filter=filter,
        edit=edit,
        search=search,
        required=required,
        minimum=minimum,
        maximum=maximum,
        max_length=max_length,
        headers=headers,
    )
    generated = [sa.Computed(computed, persisted=True)] if computed else []
    nullable = not required or computed is not None
    return sa.Column(name, _SQL_TYPES[kind], *generated, nullable=nullable, info={"field": appears})


def layer_table(
    name: str, geometry: GeometryKind, *columns: sa.Column[Any], metadata: sa.MetaData = METADATA
) -> sa.Table:
    """The table of a layer: its declared columns plus what every record carries.

    Every record has a string `id`, its geometry in EPSG:4326 and (generated) 3857, the H3 cell of res 10, the
    management grid and the administrative code of its place, how that place was found and how precisely, and the
    source and delivery that brought it.
    """
    upper = geometry.upper()
    table = sa.Table(
        name,
        metadata,
        # Collation "C" lets `LIKE 'prefix%'` use the primary key.
        sa.Column("id", sa.Text(collation="C"), primary_key=True),
        *columns,
        sa.Column("geom", Geometry(upper, 4326, spatial_index=False), nullable=False),
        sa.Column(
            "geom3857",
            Geometry(upper, 3857, spatial_index=False),
            sa.Computed("st_transform(geom, 3857)", persisted=True),
        ),
        sa.Column("cell", sa.BigInteger, nullable=False),
        sa.Column("grid_id", sa.Text),
        sa.Column("admin_code", sa.Text),
        sa.Column("place_method", sa.Text, nullable=False, server_default="surveyed"),
        sa.Column("place_precision", sa.Text, nullable=False, server_default="A"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("delivery", sa.BigInteger),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("changed_by", sa.Text, nullable=False, server_default=sa.text("core.actor()")),
        sa.Column("extra", JSONB),
        info={"untold": tuple(column.name for column in columns if "field" not in column.info)},
    )
    sa.Index(f"{name}_geom3857", table.c.geom3857, postgresql_using="gist")
    sa.Index(f"{name}_grid", table.c.grid_id)
    # Counties and towns are asked for by the beginning of the code.
    sa.Index(f"{name}_admin", table.c.admin_code, postgresql_ops={"admin_code": "text_pattern_ops"})
    for column in table.columns:
        if (appears := column.info.get("field")) is not None and appears.search:
            sa.Index(f"{name}_{column.name}", column)
    return table


@dataclass(frozen=True)
class Access:
    """Who may see and who may edit: everyone, or only those with the right.

    Of a `scoped` layer each person sees other records, those within their scope; it changes by steps, never by the edit
    form.
    """

    view: Literal["public", "internal", "scoped"] = "internal"
    edit: Literal["admin", "nobody"] = "admin"

    def __post_init__(self) -> None:
        if self.view == "scoped" and self.edit != "nobody":
            raise ValueError("a scoped layer is edited by nobody")


@dataclass(frozen=True)
class Load:
    """How files become records of this layer.

    `identifier` names the id's form (`component`, `grid`, `camera`, `admin` or free text); `places` are the ways to
    find a record that has no coordinates, in order.
    """

    identifier: Literal["component", "grid", "camera", "admin", "text"] = "text"
    places: tuple[str, ...] = ("grid", "admin", "place", "address")
    id_headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One layer of the city.

    From `minzoom` its tiles carry the records, below it H3 cells that count them by the values of the column `classes`.
    `shown_from` thins a layer of few big and many small things: records of that class enter the tile at that zoom.
    `kept` names the values of columns whose records stay when a tile has to leave some out; `rank` orders search
    results between layers.
    """

    table: sa.Table
    title: Title
    about: Title
    group: Literal["area", "facility", "sensing", "environment", "emergency", "event", "base"]
    geometry: GeometryKind
    look: Look
    label: str
    minzoom: int = 6
    classes: str | None = None
    shown_from: tuple[tuple[str, int], ...] = ()
    kept: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rank: float = 1.0
    access: Access = Access()
    load: Load = Load()

    @property
    def name(self) -> str:
        """The layer's name in URLs, tiles and files."""
        return self.table.name

    @property
    def scoped(self) -> bool:
        """Do its records depend on who asks?"""
        return self.access.view == "scoped"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The declared fields, in the order of the table."""
        return tuple(c.info["field"] for c in self.table.columns if "field" in c.info)

    def field(self, name: str) -> Field | None:
        """The declared field of this name, if there is one."""
        return next((f for f in self.fields if f.name == name), None)

    def labels(self, lang: str) -> tuple[str, ...]:
        """The columns that may name a record in this language, best first."""
        english = ("name_en",) if lang == "en" and self.field("name_en") is not None else ()
        return (*english, self.label)

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the declared columns that a writer gives (not computed by the database)."""
        return tuple(f.name for f in self.fields if self.table.c[f.name].computed is None)

    @property
    def untold(self) -> tuple[str, ...]:
        """Names of the columns of its own that never leave the database."""
        told: tuple[str, ...] = self.table.info.get("untold", ())
        return told

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the columns whose texts the search index holds."""
        return tuple(f.name for f in self.fields if f.search)


def by_name(layers: Iterable[Layer]) -> dict[str, Layer]:
    """Layers keyed by name; ValueError when two bear the same one."""
    found: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in found:
            raise ValueError(f"two layers are called {layer.name!r}")
        found[layer.name] = layer
    return found
