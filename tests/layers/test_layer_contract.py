"""What every layer keeps, tested over all of them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from layers.ask.catalogue import describe
from layers.ask.style import style, tilejson
from layers.ask.tile import DEEPEST, fingerprint, making, run
from layers.catalog import built_in
from layers.palette import PALETTES, ROLES, colours
from layers.people.access import ADMIN, ANYONE, may
from layers.people.scope import REALITY
from layers.spec import ID_PATTERN, Layer
from layers.store.definitions import from_spec, layer_from_parts, to_spec
from layers.words import book_of
from tests.conftest import Database

LAYERS = built_in()
NAMED = {"county", "town", "grid", "duty_grid", "component", "video", "pollution", "place", "road", "building"}
NAMED |= {"hazard_site", "shelter", "supply", "incident"}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer.name)


def test_the_first_layers_are_there() -> None:
    assert set(LAYERS) == NAMED


@every_layer
def test_titles_are_in_both_languages(layer: Layer) -> None:
    for title in (layer.title, layer.about, *(f.title for f in layer.fields)):
        assert re.search(r"[\u4e00-\u9fff]", title.zh)
        assert title.en.isascii() or "²" in title.en


@every_layer
def test_what_a_layer_names_exists(layer: Layer) -> None:
    names = {f.name for f in layer.fields}
    assert layer.label in names
    assert layer.classes is None or layer.classes in names
    assert layer.look.column is None or layer.look.column in names
    shown = {f.name for f in layer.fields if f.tile}
    assert layer.look.column is None or layer.look.column in shown, "the look's column must be in the tile"
    assert set(layer.labels("en")) <= shown | ({"name_en"} if layer.geometry == "MultiPolygon" else set())
    for f in layer.fields:
        if f.book is not None:
            assert book_of(f.book).codes


@every_layer
def test_the_look_and_the_classes_use_codes_of_their_book(layer: Layer) -> None:
    field = layer.field(layer.look.column or "")
    if field is not None and field.book is not None:
        assert {value for value, _ in layer.look.by} <= set(book_of(field.book).codes)
    by = layer.field(layer.classes or "")
    if by is not None and by.book is not None:
        assert {value for value, _ in layer.shown_from} <= set(book_of(by.book).codes)


@every_layer
def test_a_column_that_is_not_declared_never_leaves_the_database(layer: Layer) -> None:
    declared = {f.name for f in layer.fields} | {"id"}
    for entry in tilejson([layer], bounds=(0, 0, 1, 1))["vector_layers"]:
        if entry["id"] == layer.name:
            assert set(entry["fields"]) <= declared
    assert {f["name"] for f in describe(layer)["fields"]} == declared - {"id"}


@every_layer
def test_the_legend_and_the_style_show_the_same_colours(layer: Layer) -> None:
    legend = describe(layer)["legend"]["dark"]
    drawn = str(style([layer], "dark", lang="zh", bounds=(0, 0, 1, 1)))
    for row in legend:
        assert row["colour"] in drawn


@every_layer
@pytest.mark.parametrize("z", [6, 10, 13, 14, 16])
def test_the_tile_statement_is_valid_and_carries_no_value_in_its_text(
    layer: Layer, z: int, read_database: Database
) -> None:
    assert "%(z)s" in next(making(layer, z, 0, 0)).sql
    with read_database.reader.connect() as connection:
        made = run(connection.connection.cursor(), making(layer, z, 0, 0))
    assert (made.data, made.cut) == (b"", 0)


@every_layer
def test_the_tile_statement_uses_the_spatial_index(layer: Layer, read_city: Database) -> None:
    statement = next(making(layer, max(layer.minzoom, 14), 13694, 6654, seen=REALITY))
    with read_city.owner.connect() as connection:
        connection.execute(sa.text("set local enable_seqscan = off"))
        driver = connection.connection.driver_connection
        assert driver is not None
        plan = driver.execute("explain " + statement.sql, statement.parameters).fetchall()
    assert f"{layer.name}_geom3857" in str(plan)


@every_layer
def test_nothing_is_shown_from_a_zoom_that_the_archives_do_not_have(layer: Layer) -> None:
    assert layer.minzoom <= DEEPEST
    assert next(making(layer, DEEPEST, 0, 0)).sql == next(making(layer, DEEPEST + 2, 0, 0)).sql


@every_layer
def test_the_fingerprint_of_a_layer_follows_what_its_tiles_hold(layer: Layer) -> None:
    assert fingerprint(layer) == fingerprint(replace(layer))
    assert fingerprint(layer) != fingerprint(replace(layer, minzoom=layer.minzoom + 1))


@every_layer
def test_what_a_full_tile_keeps_is_named_by_codes_that_exist(layer: Layer) -> None:
    for name, values in layer.kept:
        field = layer.field(name)
        assert field is not None
        assert field.book is None or set(values) <= set(book_of(field.book).codes)


@every_layer
def test_may_answers_with_a_reason(layer: Layer) -> None:
    for actor in (ANYONE, ADMIN):
        for action in ("view", "edit"):
            assert may(actor, action, layer).why
    assert may(ADMIN, "view", layer)
    assert bool(may(ANYONE, "view", layer)) is not layer.scoped
    assert not may(ANYONE, "edit", layer)


@every_layer
def test_every_record_carries_its_cell_its_grid_and_its_admin_code(layer: Layer, read_city: Database) -> None:
    lacking = sa.select(sa.func.count()).where(
        sa.or_(*(layer.table.c[name].is_(None) for name in ("cell", "grid_id", "admin_code")))
    )
    with read_city.reader.connect() as connection:
        assert connection.scalar(lacking) == 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(layer.table))


@every_layer
def test_every_code_in_the_demo_city_is_in_its_book(layer: Layer, read_city: Database) -> None:
    with read_city.reader.connect() as connection:
        for f in layer.fields:
            if f.book is not None:
                used = set(connection.scalars(sa.select(layer.table.c[f.name]).distinct())) - {None}
                assert used <= set(book_of(f.book).codes)
        ids = connection.scalars(sa.select(layer.table.c.id)).all()
    assert all(re.fullmatch(ID_PATTERN, id) for id in ids)


def test_a_layer_that_people_bring_survives_the_database() -> None:
    pollution = LAYERS["pollution"]
    fields = [f for f in pollution.fields if f.name in ("name", "kind")]
    brought = layer_from_parts("wells", pollution.title, "Point", fields, classes="kind", public=True)
    again = from_spec("wells", to_spec(brought))
    assert to_spec(again) == to_spec(brought)
    assert [c.name for c in again.table.columns] == [c.name for c in brought.table.columns]


def test_all_palettes_have_all_roles_and_text_can_be_read_on_them() -> None:
    for name in PALETTES:
        palette = colours(name)
        assert tuple(palette) == ROLES
        for role in ("text", "quiet", "accent", "warn", "bad", "critical", "good", "notice"):
            for ground in ("background", "land"):
                assert contrast(palette[role], palette[ground]) >= 4.5, (name, role, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@every_layer
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_writes_names_that_its_tiles_carry_in_the_language_asked_for(layer: Layer, lang: str) -> None:
    fields = {entry["id"]: entry["fields"] for entry in tilejson([layer], bounds=(0, 0, 1, 1))["vector_layers"]}
    for part in style([layer], "dark", lang=lang, bounds=(0, 0, 1, 1))["layers"]:
        # Symbols with a shape and no text are records.
        if part["type"] == "symbol" and part["metadata"]["chengtu:part"] != "record":
            named = [column for _, column in part["layout"]["text-field"][1:]]
            assert named == list(layer.labels(lang))
            assert set(named) <= set(fields[part["source-layer"]])
