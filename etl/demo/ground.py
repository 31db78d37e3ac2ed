"""What everything in the demo city stands on: grids, towns and roads; and the frames that layers are handed over in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from etl.demo.grids import Division, divide
from etl.demo.land import Land, land
from etl.demo.network import Network, network
from etl.demo.plane import Array, Numbers, Shapes, Texts, owner_in, points_lon_lat, shapes_lon_lat
from etl.demo.streets import lines
from etl.demo.towns import Town, town_list
from layers.codes.admin import unit


@dataclass(frozen=True)
class Ground:
    """The settled land, with what is known of every grid (arrays in the order of `division.ids`).

    `grid_shapes` are in lon, lat; `town_code` has 9 digits; `county` is a position in `land.codes`; `density` is in
    people per km².
    """

    land: Land
    towns: list[Town]
    division: Division
    net: Network
    grid_shapes: Shapes
    grid_id: Texts
    town_code: Texts
    county: Numbers
    density: Array

    def grid_of(self, points: Shapes) -> Numbers:
        """The position of the grid that holds each point (lon, lat); every point must be inside the city."""
        owner = owner_in(shapely.get_coordinates(points), self._grids)
        if (owner < 0).any():
            raise ValueError(f"{int((owner < 0).sum())} points of the demo city stand outside of it")
        return owner

    @cached_property
    def _grids(self) -> shapely.STRtree:
        return shapely.STRtree(self.grid_shapes)

    def stand(self, points: Array) -> tuple[Shapes, Numbers]:
        """Points of the plane in lon, lat, and the grid that holds each."""
        shapes = points_lon_lat(points)
        return shapes, self.grid_of(shapes)

    def county_words(self, grid: Numbers) -> Texts:
        """The Chinese name of the county of each grid, such as 崇川区."""
        from_code = np.array([unit(code).name for code in self.land.codes], dtype=object)
        return from_code[self.county[grid]]


def settle(*, scale: float, seed: int) -> Ground:
    """Divide the land and build its roads."""
    base = land()
    towns = town_list(base, np.random.default_rng([seed, 1]))
    division = divide(base, towns, scale=scale, rng=np.random.default_rng([seed, 2]))
    drawn = lines(base, towns, division, scale=scale, rng=np.random.default_rng([seed, 3]))
    net = network(drawn, division.shapes, rng=np.random.default_rng([seed, 4]))
    codes = np.array([town.unit.code for town in towns], dtype=object)
    counties = np.array([town.county for town in towns], dtype=np.int64)
    return Ground(
        land=base, towns=towns, division=division, net=net, grid_shapes=shapes_lon_lat(division.shapes),
        grid_id=np.array(division.ids, dtype=object), town_code=codes[division.town], county=counties[division.town],
        density=division.people / shapely.area(division.shapes) * 1e6,
    )  # fmt: skip


def layer_frame(
    columns: Mapping[str, Any], shapes: Shapes, *, grid_id: Sequence[Any] | Texts, admin_code: Sequence[str] | Texts
) -> gpd.GeoDataFrame:
    """The columns of a layer with what every record carries, as the bulk writer takes them."""
    placed = {"grid_id": grid_id, "admin_code": admin_code, "place_method": "surveyed", "place_precision": "A"}
    return gpd.GeoDataFrame({**columns, **placed}, geometry=shapes, crs="EPSG:4326")
