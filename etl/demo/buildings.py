"""The buildings of the demo city: rectangles in rows behind the streets, none across a road."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from etl.demo.ground import Ground, layer_frame
from etl.demo.network import along, azimuth, beside, door_numbers
from etl.demo.plane import Array, Flags, Numbers, Shapes, Texts, points_lon_lat, shapes_lon_lat
from etl.demo.shares import pick
from etl.demo.streets import PRIMARY, TRUNK

BUILDINGS = 60_000
_LOT_M, _ROW_M, _SETBACK_M, _MOST_ROWS = 30.0, 24.0, 15.0, 4
_SPARE = 1.03
_TOWN_KINDS = {"residential": 0.66, "commercial": 0.13, "office": 0.06, "public": 0.05, "education": 0.04,
               "medical": 0.02, "industrial": 0.04}  # fmt: skip
_VILLAGE_KINDS = {"residential": 0.80, "agricultural": 0.10, "industrial": 0.06, "public": 0.04}
_KINDS = {"residential": "住宅楼", "commercial": "商铺", "office": "办公楼", "public": "服务楼", "education": "教学楼",
          "medical": "门诊楼", "industrial": "厂房", "agricultural": "仓房"}  # fmt: skip
_STOREY_M = {"commercial": 4.2, "industrial": 6.0, "agricultural": 4.5, "office": 3.8}


def building_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 60,000 × scale buildings, the streets with the most people around first."""
    wanted = round(BUILDINGS * scale)
    piece, lot, row, side = _lots(ground, round(wanted * _SPARE), rng)
    share = ((lot + 0.5) * _LOT_M + _margin(row)) / ground.net.length[piece]
    outlines, middle = _rectangles(ground, piece, share, row, side, rng)
    clear = _clear_of_roads(ground, outlines)[:wanted]
    piece, row, side, share = piece[clear], row[clear], side[clear], share[clear]
    outlines, middle = outlines[clear], middle[clear]
    urban = ground.net.urban[piece]
    kind = np.where(urban, pick(rng, _TOWN_KINDS, len(piece)), pick(rng, _VILLAGE_KINDS, len(piece)))
    floors = _floors(kind, urban, ground.density[ground.net.grid[piece]], rng)
    grid = ground.grid_of(points_lon_lat(middle))
    storey = np.array([_STOREY_M.get(k, 3.0) for k in kind])
    doors = door_numbers(ground.net, piece, share, side)
    address = [f"{n}{d}号" for n, d in zip(ground.net.names[piece], doors.tolist(), strict=True)]
    named = urban & (row == 0) & (kind != "residential")
    columns = {
        "id": [f"B{n:07d}" for n in range(1, len(piece) + 1)],
        "name": [a + _KINDS[k] if yes else None for a, k, yes in zip(address, kind, named.tolist(), strict=True)],
        "kind": kind, "floors": floors, "height_m": np.round(floors * storey + 0.6, 1), "address": address,
    }  # fmt: skip
    shapes = shapely.multipolygons(shapes_lon_lat(outlines), indices=np.arange(len(outlines)))
    return layer_frame(columns, shapes, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _clear_of_roads(ground: Ground, outlines: Shapes) -> Numbers:
    """The positions of the buildings that no road cuts: the roads between towns run athwart the streets."""
    _, cut = shapely.STRtree(outlines).query(ground.net.shapes, predicate="intersects")
    return np.setdiff1d(np.arange(len(outlines)), cut)


def _margin(row: Numbers) -> Array:
    """How far from the crossings a row begins, so that the rows of two streets do not meet at the corner."""
    return np.asarray(2.0 * _SETBACK_M + 10.0 + row * _ROW_M)


def _lots(ground: Ground, count: int, rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers, Array]:
    """The best lots: piece of road, place along it, row behind it and side."""
    net = ground.net
    rows = np.arange(_MOST_ROWS)
    room = np.floor((net.length[:, None] - 2.0 * _margin(rows)[None, :]) / _LOT_M).astype(np.int64).clip(0)
    room[(net.kind <= TRUNK) | (net.kind == PRIMARY) & ~net.urban] = 0
    room[~net.urban, 1:] = 0
    piece, row = (np.repeat(i.ravel(), room.ravel()) for i in np.indices(room.shape))
    begin = np.cumsum(room.ravel()) - room.ravel()
    lot = np.arange(len(piece)) - np.repeat(begin, room.ravel())
    piece, row, lot = (np.concatenate([a, a]) for a in (piece, row, lot))
    side = np.repeat((1.0, -1.0), len(piece) // 2)
    near = np.log(ground.density[net.grid[piece]] + 1.0) + np.where(net.urban[piece], 1.5, 0.0)
    score = near - 0.9 * row + rng.normal(0.0, 1.1, len(piece))
    best = np.sort(np.argpartition(-score, count)[:count]) if count < len(piece) else np.arange(len(piece))
    return piece[best], lot[best], row[best], side[best]


def _rectangles(
    ground: Ground, piece: Numbers, share: Array, row: Numbers, side: Array, rng: np.random.Generator
) -> tuple[Shapes, Array]:
    """Outlines and middles in the plane: 12 to 26 m along the street, 9 to 15 m deep, almost parallel to it."""
    here, way = along(ground.net, piece, share)
    middle = beside(here, way, side * (_SETBACK_M + 8.0 + row * _ROW_M))
    turn = np.radians(azimuth(way)) + rng.normal(0.0, 0.03, len(piece))
    run = np.column_stack([np.sin(turn), np.cos(turn)]) * rng.uniform(6.0, 13.0, len(piece))[:, None]
    deep = np.column_stack([np.cos(turn), -np.sin(turn)]) * rng.uniform(4.5, 7.5, len(piece))[:, None]
    rings = np.stack([middle - run - deep, middle + run - deep, middle + run + deep, middle - run + deep], axis=1)
    return shapely.polygons(rings), middle


def _floors(kind: Texts, urban: Flags, density: Array, rng: np.random.Generator) -> Numbers:
    """Storeys: towers where people are many, two or three floors in the villages."""
    tall = np.where(urban, 2.0 + 4.0 * np.clip(density / 9_000.0, 0.2, 1.5), 1.8) * rng.lognormal(0.0, 0.45, len(kind))
    tower = urban & np.isin(kind.astype(str), ("residential", "office")) & (rng.random(len(kind)) < 0.12)
    tall = np.where(tower, rng.uniform(11.0, 33.0, len(kind)), tall)
    low = np.isin(kind.astype(str), ("industrial", "agricultural"))
    return np.clip(np.round(np.where(low, np.minimum(tall, 3.0), tall)), 1, 40).astype(np.int64)
