"""What the load benchmark loads: the areas of the demo city in a database, and a file of components along its roads."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio

from etl.demo.areas import county_frame, grid_frame, town_frame
from etl.demo.city import SEED
from etl.demo.components import COMPONENTS, component_frame
from etl.demo.ground import Ground, settle
from layers.catalog import built_in
from layers.store.engine import begin, engine_for
from layers.store.schema import prepare
from layers.store.writer import write_delivery

# A department delivers what it knows; grid and area codes are what the load finds.
_NOT_DELIVERED = ["grid_id", "admin_code", "place_method", "place_precision", "department_code", "note"]


def main() -> None:
    """Write components to the file that is named first, as many as named second, in a city of the scale named third."""
    file, count, scale = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    ground = settle(scale=scale, seed=SEED)
    _load_areas(os.environ["CHENGTU_DATABASE_URL"], ground)
    made = component_frame(ground, scale=count / COMPONENTS, rng=np.random.default_rng(SEED))
    frame: gpd.GeoDataFrame = made.drop(columns=_NOT_DELIVERED)
    for name in ("first_date", "change_date"):
        frame[name] = frame[name].dt.date
    # Debian's GDAL warns of the newer version that pyogrio would write.
    pyogrio.write_dataframe(
        frame,
        file,
        layer="component",
        dataset_options={"VERSION": "1.3"},
        layer_options={"SPATIAL_INDEX": "NO", "GEOMETRY_NAME": "geom"},
    )


def _load_areas(url: str, ground: Ground) -> None:
    layers = prepare(url, built_in())
    rng = np.random.default_rng(SEED)
    frames = {"county": county_frame(ground), "town": town_frame(ground), "grid": grid_frame(ground, rng)}
    engine = engine_for(url, "writer")
    with begin(engine, actor="bench") as connection:
        for name, frame in frames.items():
            write_delivery(
                connection,
                layers[name],
                frame,
                source="areas",
                actor="bench",
                digest="-",
                title="areas",
            )
    engine.dispose()


if __name__ == "__main__":
    main()
