"""A style for many layers asks only for tiles that the server makes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import shapely
import sqlalchemy as sa

from api.tiles import MOST_LAYERS
from layers.ask.catalogue import describe
from layers.ask.style import style
from layers.catalog import built_in
from layers.catalog.component import LAYER as COMPONENT
from layers.look import Look
from layers.shapes import OUTLINES, Shape
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


def test_what_stands_together_in_the_emergency_map_differs_in_shape_as_well_as_in_colour() -> None:
    layers = {name: built_in()[name] for name in ("hazard_site", "shelter", "supply", "pollution", "video")}
    made = style(list(layers.values()), "dark", lang="zh", bounds=BOUNDS)
    records = {part["id"]: part for part in made["layers"] if part.get("metadata", {}).get("chengtu:part") == "record"}
    images = {name: records[f"{name}-circle"].get("layout", {}).get("icon-image") for name in layers}
    assert len(set(images.values())) == len(layers)
    assert images.pop("video") is None, "a quarter of a million cameras stay circles, which are drawn faster"
    assert records["video-circle"]["type"] == "circle"
    assert set(made["metadata"]["chengtu:shapes"]) == set(images.values())
    for name, image in images.items():
        assert records[f"{name}-circle"]["layout"]["icon-allow-overlap"], "no record gives way to another"
        for palette, rows in describe(layers[name])["legend"].items():
            assert {f"shape-{row['shape']}" for row in rows} == {image}, palette
            assert all(len(row["outline"]) >= 3 for row in rows)


def test_a_name_stands_close_beside_its_symbol_however_much_room_it_keeps() -> None:
    made = style([built_in()["shelter"]], "dark", lang="zh", bounds=BOUNDS)
    layout = next(part for part in made["layers"] if part["id"] == "shelter-label")["layout"]
    rooms = dict(zip(layout["text-padding"][3::2], layout["text-padding"][4::2], strict=True))
    sides = layout["text-variable-anchor-offset"]
    for zoom, (_, (anchor, (right, _), *_)) in zip(sides[3::2], sides[4::2], strict=True):
        assert anchor == "left"
        # MapLibre adds the room to the distance.
        assert 4 <= right * 13 + rooms[zoom] <= 18, zoom


def test_only_points_have_a_shape() -> None:
    with pytest.raises(ValueError, match="no shape"):
        Look("line", shape="star")


@pytest.mark.parametrize("shape", OUTLINES)
def test_every_shape_has_about_as_much_ink_as_the_circle_it_stands_for(shape: Shape) -> None:
    outline = shapely.Polygon(OUTLINES[shape])
    assert outline.is_valid
    assert outline.area == pytest.approx(math.pi, rel=0.15)
    assert outline.hausdorff_distance(shapely.Point(0, 0)) < 1.51


def test_a_style_without_layers_has_no_source() -> None:
    assert style([], "dark", lang="zh", bounds=BOUNDS)["sources"] == {}
