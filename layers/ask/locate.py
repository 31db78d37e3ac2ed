"""Where things lie: the management grid and the administrative unit of many geometries at once."""

from __future__ import annotations

from functools import cached_property
from typing import Final, Self

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from layers.catalog import county, grid, town

NEAR_M: Final = 50.0
"""A place at most so far outside every area (a sea wall, rounding) belongs to the nearest one."""

_METRES_OF_DEGREE = 111_195.0
_CHUNK = 200_000

Objects = NDArray[np.object_]
Positions = NDArray[np.intp]


class Locator:
    """Finds the grid and the administrative code of geometries; built once, asked for millions.

    `grids` has the columns id, admin_code and geometry, `towns` and `counties` id and geometry, all lon, lat. A place
    on a border that areas share belongs to the one with the lowest id.
    """

    def __init__(self, grids: gpd.GeoDataFrame, towns: gpd.GeoDataFrame, counties: gpd.GeoDataFrame) -> None:
        self._grids, self._towns, self._counties = _Areas(grids), _Areas(towns), _Areas(counties)
        codes = grids["admin_code"].to_numpy(dtype=object)
        self._grid_admin = np.where(grids["admin_code"].isna(), None, codes)[self._grids.order]

    @classmethod
    def from_database(cls, connection: sa.Connection) -> Self:
        """The areas that the layers grid, town and county hold now."""
        return cls(*(_read(connection, table) for table in (grid.TABLE, town.TABLE, county.TABLE)))

    def place(self, geometries: Objects) -> tuple[Objects, Objects]:
        """The grid id and the administrative code of each lon, lat geometry; None where there is none.

        Lines and areas lie where a point on them lies. The code is that of the grid, else of the town, else of the
        county. Missing and empty geometries lie nowhere.
        """
        x, y = _points(np.asarray(geometries, dtype=object))
        within = self._grids.find(x, y)
        found = within >= 0
        grid_id, admin_code = _none(x.size), _none(x.size)
        grid_id[found] = self._grids.ids[within[found]]
        admin_code[found] = self._grid_admin[within[found]]
        for areas in (self._towns, self._counties):
            # Equality with None is by element on purpose: these are arrays of objects.
            open_ = np.flatnonzero((admin_code == None) & np.isfinite(x))  # noqa: E711
            within = areas.find(x[open_], y[open_])
            admin_code[open_[within >= 0]] = areas.ids[within[within >= 0]]
        return grid_id, admin_code


class _Areas:
    """Polygons that answer which of them holds a point."""

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        ids = frame["id"].to_numpy(dtype=object)
        self.order: Positions = np.argsort(ids.astype(str), kind="stable")
        self.ids: Objects = ids[self.order]
        self._shapes: Objects = frame.geometry.to_numpy()[self.order]
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    def find(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Positions:
        """The position of the area of each point, -1 where it lies in none; a point with NaN lies in none."""
        found = np.full(x.size, -1, dtype=np.intp)
        if self.ids.size == 0:
            return found
        for start in range(0, x.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            found[part] = self._containing(x[part], y[part])
        outside = np.flatnonzero((found < 0) & np.isfinite(x) & np.isfinite(y))
        found[outside] = self._nearest(x[outside], y[outside])
        return found

    def _containing(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Positions:
        point, area = self._tree.query(shapely.points(x, y))
        # Area by area, a prepared polygon answers five times faster than in the order of the points.
        order = np.argsort(area, kind="stable")
        point, area = point[order], area[order]
        hit = shapely.intersects_xy(self._shapes[area], x[point], y[point])
        return _lowest(point[hit], area[hit], x.size)

    def _nearest(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Positions:
        squeeze, tree = self._squeezed
        points = shapely.points(x * squeeze, y)
        reach = NEAR_M / _METRES_OF_DEGREE
        point, area = tree.query_nearest(points, max_distance=reach, all_matches=True)
        return _lowest(point, area, x.size)

    @cached_property
    def _squeezed(self) -> tuple[float, shapely.STRtree]:
        """How many degrees of latitude a degree of longitude is here, and the areas drawn in that proportion."""
        middle = np.nanmean(shapely.bounds(self._shapes)[:, [1, 3]])
        squeeze = float(np.cos(np.radians(middle)))
        return squeeze, shapely.STRtree(shapely.transform(self._shapes, lambda at: at * (squeeze, 1.0)))


def _lowest(point: Positions, area: Positions, size: int) -> Positions:
    """For each of `size` points the lowest of its areas, -1 where it has none."""
    first = np.full(size, np.iinfo(np.intp).max, dtype=np.intp)
    np.minimum.at(first, point, area)
    return np.where(first == np.iinfo(np.intp).max, -1, first)


def _points(geometries: Objects) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at = geometries.copy()
    at[shapely.is_empty(at)] = None
    spread = ~np.isin(shapely.get_type_id(at), (-1, 0))
    if spread.any():
        at[spread] = shapely.point_on_surface(geometries[spread])
    return shapely.get_x(at), shapely.get_y(at)


def _none(size: int) -> Objects:
    return np.full(size, None, dtype=object)


def _read(connection: sa.Connection, table: sa.Table) -> gpd.GeoDataFrame:
    columns = (table.c.id, table.c.admin_code, sa.func.st_asbinary(table.c.geom).label("shape"))
    rows = connection.execute(sa.select(*columns).order_by(table.c.id)).all()
    ids, codes, shapes = zip(*rows, strict=True) if rows else ((), (), ())
    geometry = shapely.from_wkb(np.array([bytes(shape) for shape in shapes], dtype=object))
    return gpd.GeoDataFrame(
        {"id": np.array(ids, dtype=object), "admin_code": np.array(codes, dtype=object)},
        geometry=geometry,
        crs="EPSG:4326",
    )
