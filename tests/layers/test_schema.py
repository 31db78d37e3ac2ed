"""Tables follow the catalogue; what cannot be applied by itself is refused with the migration to write."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

import pytest
import sqlalchemy as sa

import layers
from layers.ask.tile import fingerprint
from layers.ask.touched import touched
from layers.catalog import built_in
from layers.errors import SchemaDrift
from layers.spec import field, layer_table
from layers.store import changes
from layers.store.core import METADATA
from layers.store.definitions import layer_from_parts, save_definition
from layers.store.engine import begin
from layers.store.schema import ensure_table, prepare
from tests.conftest import Database

PLACE = built_in()["place"]


def columns(database: Database, table: str) -> set[str]:
    with database.owner.connect() as connection:
        return {c["name"] for c in sa.inspect(connection).get_columns(table, schema="city")}


def import_every_room() -> None:
    """Every room declares its tables beside what uses them, in the same metadata."""
    for module in pkgutil.walk_packages(layers.__path__, "layers."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


def test_preparing_twice_changes_nothing(database: Database) -> None:
    assert list(prepare(database.url, built_in())) == list(built_in())


def test_the_migrations_make_the_tables_that_the_code_queries(database: Database) -> None:
    described = {
        "columns": "select table_name, column_name, udt_name, is_nullable, identity_generation, collation_name "
        "from information_schema.columns where table_schema = 'core' and table_name <> 'migration'",
        "indexes": "select tablename, indexname, indexdef from pg_indexes "
        "where schemaname = 'core' and tablename <> 'migration'",
    }
    with database.owner.connect() as connection:
        migrated = {name: set(map(tuple, connection.execute(sa.text(sql)))) for name, sql in described.items()}
        connection.execute(sa.text("set role none"))
        connection.execute(sa.text("alter schema core rename to migrated"))
        connection.execute(sa.text("create schema core"))
        import_every_room()
        METADATA.create_all(connection)
        declared = {name: set(map(tuple, connection.execute(sa.text(sql)))) for name, sql in described.items()}
    assert declared == migrated


def test_a_new_nullable_column_is_added_at_start_up(database: Database) -> None:
    class_ = type(PLACE)
    more = field("opened", "date", zh="启用日期", en="Opened")
    kept = [
        sa.Column(c.name, c.type, nullable=c.nullable, info=c.info) for c in PLACE.table.columns if "field" in c.info
    ]
    wider = class_(**{**vars(PLACE), "table": layer_table("place", "Point", *kept, more, metadata=sa.MetaData("city"))})
    with database.owner.begin() as connection:
        ensure_table(connection, wider)
    assert "opened" in columns(database, "place")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("alter table city.place drop column importance, add column importance text", "importance"),
        ("alter table city.place add column stray int", "drop column stray"),
        ("alter table city.place alter column name drop not null", "alter column name set not null"),
    ],
)
def test_any_other_drift_is_refused_with_the_migration_to_write(database: Database, change: str, said: str) -> None:
    with database.owner.begin() as connection:
        connection.execute(sa.text(change))
    with pytest.raises(SchemaDrift, match=said):
        prepare(database.url, built_in())


def test_a_layer_that_is_classed_by_another_column_is_counted_anew(city: Database) -> None:
    of_video = "from core.cell_count where layer = 'video' and res = 5"
    counted = sa.text(f"select class, sum(n)::int {of_video} group by 1 order by 1")
    other = replace(built_in()["video"], classes="place_precision")
    for layer in (other, built_in()["video"]):
        with city.owner.begin() as connection:
            start = changes.now(connection)
            ensure_table(connection, layer)
            by_hand = f"select {layer.classes}, count(*) from city.video group by 1 order by 1"
            assert connection.execute(counted).all() == connection.execute(sa.text(by_hand)).all()
        with city.reader.connect() as connection:
            assert touched(changes.since(connection, start).rows, built_in())["video"].whole
            ensured = changes.now(connection)
        with city.owner.begin() as connection:
            ensure_table(connection, layer)
        with city.reader.connect() as connection:
            assert not changes.since(connection, ensured).rows, "nothing is counted again without need"
    assert fingerprint(other) != fingerprint(built_in()["video"])


def test_a_layer_brought_by_a_user_is_there_after_the_next_start(database: Database) -> None:
    wells = layer_from_parts("wells", PLACE.title, "Point", [f for f in PLACE.fields if f.name == "name"])
    with begin(database.engine, actor="clerk") as connection:
        save_definition(connection, wells)
    assert "wells" in prepare(database.url, built_in())
    assert {"id", "geom", "cell", "name"} <= columns(database, "wells")
