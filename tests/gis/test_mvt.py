"""Features of a tile are counted as another reader finds them."""

from __future__ import annotations

import mapbox_vector_tile
from hypothesis import given
from hypothesis import strategies as st

from gis.mvt import count_features

layer = st.lists(st.tuples(st.integers(0, 4096), st.integers(0, 4096), st.text(max_size=200)), max_size=20)


@given(st.lists(layer, max_size=4))
def test_the_features_of_all_layers_are_counted(layers: list[list[tuple[int, int, str]]]) -> None:
    told = [
        {
            "name": f"layer{i}",
            "features": [{"geometry": f"POINT({x} {y})", "properties": {"name": name}} for x, y, name in features],
        }
        for i, features in enumerate(layers)
    ]
    tile = mapbox_vector_tile.encode(told)
    found = mapbox_vector_tile.decode(tile)
    assert count_features(tile) == sum(len(content["features"]) for content in found.values())


def test_an_empty_tile_has_none() -> None:
    assert count_features(b"") == 0
