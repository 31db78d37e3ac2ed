"""H3 cells as 64-bit integers: the cell of a place, its parents, its shape, the cells of an area."""

import re
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Literal

import h3.api.basic_int as h3
import h3.api.numpy_int as h3_numpy
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.errors import BadCell, BadResolution, WrongGeometry
from gis.tilegrid import check_lonlat

# About 11,154 m² at Nantong, close to the 10,000 m² of a management grid.
RES = 10
MAX_RES = 15

# Not STRICT and without CASE, else PostgreSQL does not inline it and grouping is seven times slower.
PARENT_SQL = """\
create or replace function h3_parent(cell bigint, res int) returns bigint
language sql immutable parallel safe as $$
  select (cell & ~((15::bigint << 52) | ((1::bigint << (45 - 3 * res)) - 1)))
       | (res::bigint << 52) | ((1::bigint << (45 - 3 * res)) - 1)
$$"""

Mode = Literal["overlap", "center"]
_HEX = re.compile(r"[0-9a-fA-F]{15}")
_ZOOM_RES = {8: 6, 9: 7, 10: 7, 11: 8, 12: 9}


def cells_of(lon: ArrayLike, lat: ArrayLike, *, res: int = RES) -> NDArray[np.int64]:
    """Return the cell of each place, one-dimensional; raise BadCoordinate for the first that is not on the globe.

    h3-py has no array call; a place takes about 0.5 µs.
    """
    _check_res(res, 0, MAX_RES)
    lons, lats = check_lonlat(lon, lat)
    found = map(h3.latlng_to_cell, lats.ravel().tolist(), lons.ravel().tolist(), repeat(res))
    return np.fromiter(found, dtype=np.int64, count=lons.size)


def resolution(cells: ArrayLike) -> NDArray[np.int64]:
    """Return the resolution (0 to 15) of each cell."""
    return np.asarray(cells, dtype=np.int64) >> 52 & 15


def parents(cells: ArrayLike, res: int) -> NDArray[np.int64]:
    """Return the ancestors of cells at a resolution not finer than their own (a cell is its own parent there).

    Raises BadResolution. PARENT_SQL is the same arithmetic in the database.
    """
    own = np.asarray(cells, dtype=np.int64)
    finest = int(resolution(own).min(initial=MAX_RES))
    _check_res(res, 0, finest)
    # A digit of resolution k has three bits from 45 - 3 * (k - 1) down; digits that are not used are all ones.
    unused = (1 << (45 - 3 * res)) - 1
    return np.asarray(own & ~np.int64(15 << 52 | unused) | np.int64(res << 52 | unused))


def centre(cell: int) -> tuple[float, float]:
    """Return the lon, lat of a cell's centre; raise BadCell."""
    lat, lon = h3.cell_to_latlng(_check_cell(cell))
    return float(lon), float(lat)


def cell_polygons(cells: ArrayLike) -> NDArray[np.object_]:
    """Return the lon, lat polygon of each cell, across the antimeridian going on past 180 degrees; raise BadCell."""
    rings = [h3.cell_to_boundary(_check_cell(cell)) for cell in np.atleast_1d(np.asarray(cells)).tolist()]
    corners = np.fromiter((len(ring) for ring in rings), dtype=np.int64, count=len(rings))
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), dtype=np.float64).reshape(-1, 2)
    owner = np.repeat(np.arange(corners.size), corners)
    lon, lat = flat[:, 1], flat[:, 0]
    if lon.size and (np.abs(np.diff(lon)) > 180.0).any():
        lon = _unwrapped(lon, owner)
    polygons: NDArray[np.object_] = shapely.polygons(shapely.linearrings(np.column_stack([lon, lat]), indices=owner))
    return polygons


def areas_km2(cells: ArrayLike) -> NDArray[np.float64]:
    """The true area of each cell in km²; near Nantong a quarter less than the published mean of its resolution."""
    return np.array([h3.cell_area(cell, unit="km^2") for cell in np.asarray(cells).tolist()], dtype=np.float64)


def cells_in(polygon: shapely.Geometry, *, res: int, mode: Mode = "overlap") -> NDArray[np.int64]:
    """Return the cells that touch a lon, lat Polygon or MultiPolygon, or whose centre is in it, sorted, each once.

    Raises WrongGeometry or BadResolution.
    """
    _check_res(res, 0, MAX_RES)
    if polygon.geom_type not in ("Polygon", "MultiPolygon"):
        raise WrongGeometry(polygon.geom_type, ("Polygon", "MultiPolygon"))
    parts = [part for part in shapely.get_parts(polygon) if not part.is_empty]
    found = [h3_numpy.h3shape_to_cells_experimental(_h3_shape(part), res, contain=mode) for part in parts]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(cells.astype(np.int64) for cells in found)]))


def to_hex(cells: ArrayLike) -> list[str]:
    """Return the usual hexadecimal text of each cell."""
    return [f"{cell:x}" for cell in np.atleast_1d(np.asarray(cells)).tolist()]


def from_hex(text: str) -> int:
    """Return the cell of a hexadecimal text in either case, or raise BadCell."""
    # Not int() alone: it would take "0x", underscores, signs and full-width digits.
    if not _HEX.fullmatch(text):
        raise BadCell(text)
    cell = int(text, 16)
    if not h3.is_valid_cell(cell):
        raise BadCell(text)
    return cell


def resolution_for_zoom(z: int) -> int:
    """Return the resolution that counts are drawn in at a zoom below a layer's own."""
    if z <= 7:
        return 5
    return _ZOOM_RES.get(z, 9)


def _check_cell(cell: int) -> int:
    # The sign first: h3-py takes unsigned numbers only and answers others with an OverflowError.
    if cell <= 0 or not h3.is_valid_cell(cell):
        raise BadCell(cell)
    return cell


def _check_res(res: int, lowest: int, highest: int) -> None:
    if not lowest <= res <= highest:
        raise BadResolution(res, (lowest, highest))


def _h3_shape(part: shapely.Polygon) -> h3.LatLngPoly:
    rings: Sequence[shapely.LinearRing] = [part.exterior, *part.interiors]
    return h3.LatLngPoly(*([(lat, lon) for lon, lat in shapely.get_coordinates(ring).tolist()] for ring in rings))


def _unwrapped(lon: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    wide = np.maximum.reduceat(lon, starts) - np.minimum.reduceat(lon, starts) > 180.0
    return np.where(wide[owner] & (lon < 0.0), lon + 360.0, lon)
