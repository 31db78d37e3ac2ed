"""County, town, grid, duty grid and road: the layers that come straight from the ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from etl.demo import names
from etl.demo.ground import Ground, layer_frame
from etl.demo.plane import Array, Shapes, Texts, shapes_lon_lat
from etl.demo.shares import apportion, serials
from etl.demo.streets import CLASSES, TERTIARY
from gis.frames import area_m2, length_m
from layers.codes.admin import unit

_LANES = (6, 6, 4, 4, 2, 1)
_SPEED_KMH = (120.0, 80.0, 60.0, 50.0, 40.0, 30.0)
_ONE_WAY_SHARE = 0.06
_PEOPLE_PER_HOME = 2.7
# Behind an area code no number begins with 0: nobody can be called by these.
_DUTY_PHONE = "0513-0000 {:04d}"


def county_frame(ground: Ground) -> gpd.GeoDataFrame:
    """The seven counties, with the census population; the admin code of a county is its own."""
    units = [unit(code) for code in ground.land.codes]
    shapes = _multi(shapes_lon_lat(ground.land.outlines))
    columns = {
        "id": [u.code for u in units], "name": [u.name for u in units], "name_en": [u.name_en for u in units],
        "population": [u.population for u in units], "area_km2": _km2(shapes),
    }  # fmt: skip
    return layer_frame(columns, shapes, grid_id=_grid_ids(ground, shapes), admin_code=ground.land.codes)


def town_frame(ground: Ground) -> gpd.GeoDataFrame:
    """The towns; their people are those of their grids."""
    units = [town.unit for town in ground.towns]
    shapes = _multi(shapes_lon_lat(ground.division.town_shapes))
    people = np.bincount(ground.division.town, weights=ground.division.people, minlength=len(units))
    columns = {
        "id": [u.code for u in units], "name": [u.name for u in units], "name_en": [u.name_en for u in units],
        "kind": [u.kind for u in units], "county_code": [ground.land.codes[t.county] for t in ground.towns],
        "population": people.astype(np.int64), "area_km2": _km2(shapes),
    }  # fmt: skip
    return layer_frame(columns, shapes, grid_id=_grid_ids(ground, shapes), admin_code=[u.code for u in units])


def grid_frame(ground: Ground, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The governance grids."""
    division = ground.division
    communities = np.array(division.communities, dtype=object)[division.community]
    serial = serials(division.community)
    homes = np.round(division.people / _PEOPLE_PER_HOME * rng.uniform(0.9, 1.1, len(serial)))
    columns = {
        "id": ground.grid_id,
        "name": [f"{c}第{names.ordinal(n)}网格" for c, n in zip(communities, serial.tolist(), strict=True)],
        "kind": _grid_kinds(ground, rng),
        "community": communities,
        "households": homes.astype(np.int64),
        "population": division.people,
        "area_m2": np.round(area_m2(ground.grid_shapes), 1),
    }
    return layer_frame(columns, _multi(ground.grid_shapes), grid_id=ground.grid_id, admin_code=ground.town_code)


def duty_grid_frame(ground: Ground, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The duty grids: several neighbouring grids of one town for one inspector."""
    duty = ground.division.duty
    order = np.argsort(duty, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(duty[order]) > 0])
    members = np.split(order, starts[1:])
    areas = [shapely.coverage_union_all(ground.division.shapes[part]) for part in members]
    shapes = _multi(shapes_lon_lat(np.array([*areas, None], dtype=object)[:-1]))
    first = np.array([part[0] for part in members])
    town = ground.division.town[first]
    serial = serials(town)
    counties = ground.county_words(first)
    departments = ("城市管理局", "综合行政执法局", "城市管理监督指挥中心")
    desk = rng.integers(0, len(departments), len(first))
    county = ground.county[first]
    columns = {
        "id": [f"ZR{c}{n:03d}" for c, n in zip(ground.town_code[first], serial.tolist(), strict=True)],
        "name": [f"{ground.towns[t].short}第{names.ordinal(n) if n < 100 else n}责任网格"
                 for t, n in zip(town.tolist(), serial.tolist(), strict=True)],
        "department": [c + departments[i] for c, i in zip(counties, desk, strict=True)],
        "team": [f"{ground.towns[t].short}巡查{names.ordinal((n - 1) // 4 % 99 + 1)}班"
                 for t, n in zip(town.tolist(), serial.tolist(), strict=True)],
        "duty_phone": [_DUTY_PHONE.format(number) for number in (county * len(departments) + desk + 1).tolist()],
        "grids": np.array([len(part) for part in members], dtype=np.int64),
        "area_m2": np.round(area_m2(shapes), 1),
    }  # fmt: skip
    return layer_frame(columns, shapes, grid_id=_grid_ids(ground, shapes), admin_code=ground.town_code[first])


def road_frame(ground: Ground, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The road network, one record a piece between two nodes."""
    net = ground.net
    shapes = shapes_lon_lat(net.shapes)
    county = np.array(ground.land.codes, dtype=object)[ground.county[net.grid]]
    one_way = (net.kind >= TERTIARY) & net.urban & (rng.random(len(shapes)) < _ONE_WAY_SHARE)
    columns = {
        "id": [f"R{c}{n:06d}" for c, n in zip(county, serials(county.astype(str)).tolist(), strict=True)],
        "name": net.names,
        "kind": np.array(CLASSES, dtype=object)[net.kind],
        "lanes": np.array(_LANES, dtype=np.int64)[net.kind],
        "oneway": one_way,
        "maxspeed_kmh": np.array(_SPEED_KMH)[net.kind],
        "length_m": np.round(length_m(shapes), 2),
        "from_node": [f"N{n:06d}" for n in net.start.tolist()],
        "to_node": [f"N{n:06d}" for n in net.end.tolist()],
    }
    return layer_frame(
        columns, shapely.multilinestrings(shapes, indices=np.arange(len(shapes))),
        grid_id=ground.grid_id[net.grid], admin_code=ground.town_code[net.grid],
    )  # fmt: skip


def _grid_kinds(ground: Ground, rng: np.random.Generator) -> Texts:
    """The kind of each grid: by density, and by chance in the share that such grids have."""
    density, count = ground.density, len(ground.density)
    chance = rng.random(count)
    rural = density < 1_800.0
    kind = np.where(rural, "rural", "residential").astype(object)
    kind[~rural & (chance < 0.10)] = "commercial"
    kind[(density < 4_000.0) & (chance > 0.95)] = "industrial"
    kind[~rural & (chance > 0.97)] = "campus"
    kind[np.argsort(rng.random(count))[: int(apportion([1.0, 120.0], count)[0])]] = "scenic"
    return kind


def _multi(shapes: Shapes) -> Shapes:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    made: Shapes = shapely.multipolygons(parts, indices=owner)
    return made


def _km2(shapes: Shapes) -> Array:
    return np.round(area_m2(shapes) / 1e6, 3)


def _grid_ids(ground: Ground, shapes: Shapes) -> Texts:
    """The grid in which the label of an area stands."""
    return ground.grid_id[ground.grid_of(shapely.point_on_surface(shapes))]
