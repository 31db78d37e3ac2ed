"""What tiles hold, pinned: the decoded tiles of the demo city are what they were when someone last looked at them.

After a change that is meant, `python -m tests.layers.test_tile_snapshots` writes the file anew, with
CHENGTU_DATABASE_URL naming a demo city of scale 0.02.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
import sqlalchemy as sa

from gis.tilegrid import tile_of
from layers.ask.tile import making, run
from layers.catalog import built_in
from layers.people.scope import REALITY
from layers.store.engine import engine_for
from tests.conftest import Database

LAYERS = built_in()
SNAPSHOTS = Path(__file__).with_name("tile_snapshots.json")
CENTRE = (120.8644, 32.0116)
ZOOMS = (6, 9, 12, 14)
_SAMPLE = 2


def decoded(connection: sa.Connection, layer: str, z: int) -> dict[str, Any]:
    """A tile as people compare it: what is in each of its layers, and the first features by id, whole."""
    made = run(connection.connection.cursor(), making(LAYERS[layer], *tile_of(*CENTRE, z), seen=REALITY))
    tile = mapbox_vector_tile.decode(made.data) if made.data else {}
    found: dict[str, Any] = {}
    for name, content in sorted(tile.items()):
        features = sorted(content["features"], key=lambda f: str(f["properties"].get("id")))
        found[name] = {
            "extent": content["extent"],
            "features": len(features),
            "columns": sorted({column for f in features for column in f["properties"]}),
            "first": [{"properties": f["properties"], "geometry": f["geometry"]} for f in features[:_SAMPLE]],
        }
    return json.loads(json.dumps(found, ensure_ascii=False))


def address(layer: str, z: int) -> str:
    return "/".join([layer, *map(str, tile_of(*CENTRE, z))])


@pytest.mark.parametrize("layer", LAYERS)
def test_the_tiles_of_the_demo_city_hold_what_they_held(layer: str, read_city: Database) -> None:
    pinned = json.loads(SNAPSHOTS.read_text(encoding="utf-8"))
    with read_city.reader.connect() as connection:
        for z in ZOOMS:
            assert decoded(connection, layer, z) == pinned[address(layer, z)], address(layer, z)


def write() -> None:
    """Pin what the tiles hold now."""
    with engine_for(os.environ["CHENGTU_DATABASE_URL"], "reader", everywhere=True).connect() as connection:
        pinned = {address(layer, z): decoded(connection, layer, z) for layer in LAYERS for z in ZOOMS}
    SNAPSHOTS.write_text(json.dumps(pinned, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
