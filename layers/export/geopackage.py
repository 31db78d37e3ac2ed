"""GeoPackage: a layer with titles for its columns and the words of its codes, as QGIS shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyogrio

from layers.export.arrow import GEOMETRY, arrow_batches, schema
from layers.export.sheet import Sheet, SheetColumn
from layers.export.values import about, heading
from layers.words import book_of

LAYER: Final = "answer"

# The schema extension of the GeoPackage standard, https://www.geopackage.org/spec/#extension_schema
_SCHEMA_EXTENSION: Final = """
create table if not exists gpkg_extensions (
  table_name text, column_name text, extension_name text not null, definition text not null, scope text not null,
  unique (table_name, column_name, extension_name));
create table gpkg_data_columns (
  table_name text not null, column_name text not null, name text, title text, description text, mime_type text,
  constraint_name text, primary key (table_name, column_name), unique (table_name, name));
create table gpkg_data_column_constraints (
  constraint_name text not null, constraint_type text not null, value text, min numeric, min_is_inclusive boolean,
  max numeric, max_is_inclusive boolean, description text, unique (constraint_name, constraint_type, value));
insert into gpkg_extensions (table_name, column_name, extension_name, definition, scope) values
  ('gpkg_data_columns', null, 'gpkg_schema', 'http://www.geopackage.org/spec/#extension_schema', 'read-write'),
  ('gpkg_data_column_constraints', null, 'gpkg_schema', 'http://www.geopackage.org/spec/#extension_schema',
   'read-write');
"""


def write(sheet: Sheet, path: Path) -> None:
    """One layer `answer` of any geometry type in EPSG:4326; its title and description say what it answers."""
    said = about(sheet)
    spatial = {"geometry_name": GEOMETRY, "geometry_type": "Unknown", "crs": "EPSG:4326"} if sheet.spatial else {}
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema(sheet), _only_batches(sheet)),
        path,
        layer=LAYER,
        driver="GPKG",
        dataset_options={"VERSION": "1.2"},  # newer ones bring nothing that is used here, and warnings in older QGIS
        # GeoPackage wants a whole number as the key; our own ids are text and stay an ordinary column.
        layer_options={
            "FID": _unlike(sheet.columns),
            "IDENTIFIER": sheet.title.zh,
            "DESCRIPTION": f"{said.zh}\n{said.en}",
        },
        **spatial,
    )
    with closing(sqlite3.connect(path)) as file, file:
        _describe(file, sheet.columns)


def _only_batches(sheet: Sheet) -> Iterator[pa.RecordBatch]:
    for batch, _ in arrow_batches(sheet):
        yield batch


def _unlike(columns: tuple[SheetColumn, ...]) -> str:
    taken = {column.name.lower() for column in columns}
    name = "fid"
    while name in taken:
        name += "_"
    return name


def _describe(file: sqlite3.Connection, columns: tuple[SheetColumn, ...]) -> None:
    """Name the columns for people and the codes by their words, in the standard's own tables."""
    file.executescript(_SCHEMA_EXTENSION)
    names: set[str] = set()
    for column in columns:
        title = heading(column)
        # QGIS and GDAL show `name`, which the standard wants to be unique; its own word for it is `title`.
        name = None if title in names else title
        names.add(title)
        file.execute(
            "insert into gpkg_data_columns (table_name, column_name, name, title, description, constraint_name)"
            " values (?, ?, ?, ?, ?, ?)",
            (LAYER, column.name, name, title, heading(column, "en"), column.book),
        )
    for book in {column.book for column in columns if column.book is not None}:
        file.executemany(
            "insert into gpkg_data_column_constraints (constraint_name, constraint_type, value, description)"
            " values (?, 'enum', ?, ?)",
            [(book, entry.code, entry.zh) for entry in book_of(book).entries],
        )
