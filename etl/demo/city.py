"""The demo city: a deterministic, wholly synthetic city on the real county outlines of Nantong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np

from etl.demo.areas import county_frame, duty_grid_frame, grid_frame, road_frame, town_frame
from etl.demo.buildings import building_frame
from etl.demo.components import component_frame
from etl.demo.ground import Ground, settle
from etl.demo.hazards import hazard_frame
from etl.demo.places import place_frame
from etl.demo.pollution import pollution_frame
from etl.demo.shelters import shelter_frame, supply_frame
from etl.demo.video import video_frame

SEED = 20200619

_Maker = Callable[[Ground, float, np.random.Generator], gpd.GeoDataFrame]

# Every layer draws from its own stream of chance, so that a change in one leaves the others as they were.
_LAYERS: tuple[tuple[str, _Maker], ...] = (
    ("county", lambda ground, _scale, _rng: county_frame(ground)),
    ("town", lambda ground, _scale, _rng: town_frame(ground)),
    ("grid", lambda ground, _scale, rng: grid_frame(ground, rng)),
    ("duty_grid", lambda ground, _scale, rng: duty_grid_frame(ground, rng)),
    ("road", lambda ground, _scale, rng: road_frame(ground, rng)),
    ("building", lambda ground, scale, rng: building_frame(ground, scale=scale, rng=rng)),
    ("place", lambda ground, scale, rng: place_frame(ground, scale=scale, rng=rng)),
    ("component", lambda ground, scale, rng: component_frame(ground, scale=scale, rng=rng)),
    ("video", lambda ground, scale, rng: video_frame(ground, scale=scale, rng=rng)),
    ("pollution", lambda ground, scale, rng: pollution_frame(ground, scale=scale, rng=rng)),
    ("hazard_site", lambda ground, scale, rng: hazard_frame(ground, scale=scale, rng=rng)),
    ("supply", lambda ground, scale, rng: supply_frame(ground, scale=scale, rng=rng)),
)


def build(
    *, scale: float = 1.0, seed: int = SEED, ground: Ground | None = None
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """Yield the layers of the demo city as (layer name, frame), in an order in which each may refer to those before.

    Counties, towns and their people are the same at every scale. Grids are 8,470 from scale 1 on and fewer below it;
    the roads shrink with them. Components (124,000), video sites (exactly 240,000), buildings (60,000), pollution
    points (1,200), hazardous sites (360), supplies (180) and invented places (3,300, some 500 of them shelters) are
    multiplied by the scale. The same seed gives the same city, byte for byte; `ground` is that of this scale and seed,
    when it is settled already. Raises ValueError when the scale is not between 0.005 and 20.
    """
    if not 0.005 <= scale <= 20.0:
        raise ValueError(f"scale {scale} is not between 0.005 and 20")
    ground = ground or settle(scale=scale, seed=seed)
    places = gpd.GeoDataFrame()
    for number, (name, make) in enumerate(_LAYERS, start=10):
        frame = make(ground, scale, np.random.default_rng([seed, number]))
        places = frame if name == "place" else places
        yield name, frame
    # Shelters are parks, schools and squares.
    yield "shelter", shelter_frame(places, rng=np.random.default_rng([seed, 10 + len(_LAYERS)]))
