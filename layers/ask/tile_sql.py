"""The pieces of SQL that every tile is made of: its envelope, what is drawn clipped to it, and the coding as MVT."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

EXTENT = 4096
BUFFER = 64
GEOMETRY = Geometry(srid=3857)


def compiled(statement: sa.Executable) -> str:
    """The text of a statement as the driver takes it; its values are bound when it runs."""
    dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": False}))  # type: ignore[attr-defined]


Built = tuple[str, dict[str, Any]]


def with_values(statement: sa.Executable) -> Built:
    """The text of a statement and the values bound in it, as the driver takes them."""
    built: Any = statement.compile(  # type: ignore[attr-defined]
        dialect=postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"render_postcompile": True},
    )
    own = {"z", "x", "y", "res", "most"}
    return str(built), {name: value for name, value in built.params.items() if name not in own}


def envelope(margin: float = 0.0) -> sa.ColumnElement[object]:
    """The box of the tile z/x/y in Web Mercator, wider by `margin` tiles on each side."""
    z, x, y = (sa.bindparam(name, type_=sa.Integer) for name in "zxy")
    if not margin:
        return sa.func.st_tileenvelope(z, x, y, type_=GEOMETRY)
    world = sa.func.st_tileenvelope(number(0), number(0), number(0))
    return sa.func.st_tileenvelope(z, x, y, world, number(margin), type_=GEOMETRY)


def clipped(geometry: sa.ColumnElement[object], *, buffer: int = BUFFER) -> sa.ColumnElement[object]:
    """A geometry as the tile z/x/y draws it, in the units of the tile."""
    # Binary passes through untouched: no ST_AsEWKB may be wrapped around what ST_AsMVT reads.
    box = sa.func.st_tileenvelope(*(sa.bindparam(name, type_=sa.Integer) for name in "zxy"))
    return sa.func.st_asmvtgeom(geometry, box, number(EXTENT), number(buffer), sa.true(), type_=sa.LargeBinary)


def mvt(rows: sa.Subquery, name: str) -> Any:
    """The aggregate that codes rows as the layer `name` of a tile."""
    return sa.func.st_asmvt(
        rows.table_valued(), sa.literal_column(quoted(name)), number(EXTENT), sa.literal_column("'geom'")
    )


def as_mvt(rows: sa.Subquery, name: str) -> sa.ScalarSelect[Any]:
    """The layer `name` of a tile, of the rows that are drawn in it."""
    return sa.select(mvt(rows, name)).where(rows.c.geom.is_not(None)).scalar_subquery()


def number(value: float) -> sa.ColumnElement[float]:
    """A number that is written out, so that equal statements are one."""
    return sa.literal_column(str(value))


def quoted(text: str) -> str:
    """A text of our own that is written out."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
