"""A style for many layers asks only for tiles that the server makes."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from api.tiles import MOST_LAYERS
from layers.ask.style import style
from layers.catalog.component import LAYER as COMPONENT
from layers.spec import Layer

BOUNDS = (120.2, 31.6, 121.95, 32.72)


def brought(count: int) -> list[Layer]:
    """Layers as users bring them, all alike but for their names."""
    tables = (COMPONENT.table.to_metadata(sa.MetaData(), name=f"brought_{n}", schema="city") for n in range(count))
    return [replace(COMPONENT, table=table) for table in tables]


def test_a_style_of_25_layers_asks_for_tiles_of_few_layers_each() -> None:
    layers = brought(25)
    made = style(layers, "dark", lang="zh", bounds=BOUNDS)
    asked = {name: source["tiles"][0].split("/")[2].split(",") for name, source in made["sources"].items()}
    assert list(asked) == ["city", "city-2", "city-3"]
    assert max(map(len, asked.values())) <= MOST_LAYERS
    assert [name for names in asked.values() for name in names] == [layer.name for layer in layers]


def test_every_part_of_a_style_is_drawn_from_the_source_that_holds_its_layer() -> None:
    made = style(brought(25), "light", lang="en", bounds=BOUNDS)
    for part in made["layers"][1:]:
        names = made["sources"][part["source"]]["tiles"][0].split("/")[2].split(",")
        assert part["metadata"]["chengtu:layer"] in names


def test_a_style_without_layers_has_no_source() -> None:
    assert style([], "dark", lang="zh", bounds=BOUNDS)["sources"] == {}
