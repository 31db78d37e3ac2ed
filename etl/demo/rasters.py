"""The rasters of the demo city, both invented: its relief, and how many people live where.

The relief follows what everybody knows of the place (a plain of 2 to 5 m that the sea and the river made, dykes along
both, five hills at the river) and chance; the people are those of the grids, put where the buildings are.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
import sqlalchemy as sa
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy import ndimage

from etl.demo.land import land
from etl.demo.plane import Array, Flags, Numbers, Shapes, shapes_lon_lat
from gis.errors import UnusableRaster
from gis.raster import raster_facts, write_grid
from layers.catalog import built_in
from layers.rasters import LEAST_PEOPLE, Raster, RasterLook, from_tags, keep
from layers.spec import Access, Title

RASTERS = ("relief", "population")
_CREDIT = Title("合成演示数据，非实测", "Synthetic demo data, not surveyed")
# About 105 × 123 m: heights on public maps are not finer than 100 m.
RELIEF_CELL = (4 / 3600, 4 / 3600)
# About 262 × 246 m.
PEOPLE_CELL = (10 / 3600, 8 / 3600)
_SUB = 3
_OPEN_GROUND = 0.25
_LON_M, _LAT_M = 94_300.0, 110_900.0  # metres a degree at 32.2°N: for slopes and distances of invented ground
# Heights (lon, lat, m) between which the plain is level: low in the north-west, higher on the old sands around Rugao.
_PLAIN = (
    (120.30, 32.62, 2.0), (120.55, 32.60, 2.6), (120.50, 32.35, 4.8), (120.68, 32.25, 5.0), (120.62, 32.05, 3.6),
    (120.90, 32.00, 3.3), (120.85, 32.45, 4.4), (121.05, 32.12, 3.8), (121.02, 32.55, 3.6), (121.20, 32.35, 3.4),
    (121.15, 31.92, 3.0), (121.42, 32.15, 3.9), (121.45, 31.92, 2.8), (121.65, 31.85, 2.9), (121.80, 31.95, 3.6),
)  # fmt: skip
# 黄泥山, 马鞍山, 狼山, 剑山, 军山 (lon, lat, height and radius in metres).
_HILLS = (
    (120.8710, 31.9635, 29.0, 230.0), (120.8770, 31.9580, 49.0, 260.0), (120.8845, 31.9497, 107.0, 330.0),
    (120.8925, 31.9450, 84.0, 300.0), (120.9020, 31.9400, 108.0, 400.0),
)  # fmt: skip
_DYKE_HIGH_M = 6.8
_LOWEST_M = -2.0
# South of this line (lon, lat to lon, lat) the water is the river, which is deep near the shore; north of it the sea.
_RIVER = ((120.50, 32.16), (121.95, 31.74))


@dataclass(frozen=True)
class Lattice:
    """Cells of so many degrees (width, height) from the north-western corner, `shape` rows and columns of them."""

    west: float
    north: float
    cell: tuple[float, float]
    shape: tuple[int, int]

    def burnt(self, shapes: Shapes, numbers: Numbers) -> Numbers:
        """The number of the shape that holds the middle of each cell, 0 where none does."""
        place = from_origin(self.west, self.north, *self.cell)
        pairs = zip(shapes, numbers.tolist(), strict=True)
        return np.asarray(rasterize(pairs, out_shape=self.shape, transform=place, dtype="int32"), dtype=np.int64)

    def inside(self, shapes: Shapes) -> Flags:
        """Whether the middle of each cell is in one of the shapes."""
        return self.burnt(shapes, np.ones(len(shapes), dtype=np.int64)) > 0

    def middles(self) -> tuple[Array, Array]:
        """The lon of each column (1, n) and the lat of each row (m, 1)."""
        rows, columns = self.shape
        lon: Array = self.west + (np.arange(columns, dtype=np.float64) + 0.5) * self.cell[0]
        lat: Array = self.north - (np.arange(rows, dtype=np.float64) + 0.5) * self.cell[1]
        return lon[None, :], lat[:, None]

    def positions(self, points: Array) -> Numbers:
        """The position in the flat array of the cell that holds each (n, 2) lon, lat; all must be inside."""
        column = np.floor((points[:, 0] - self.west) / self.cell[0]).astype(np.int64)
        row = np.floor((self.north - points[:, 1]) / self.cell[1]).astype(np.int64)
        return np.asarray(row.clip(0, self.shape[0] - 1) * self.shape[1] + column.clip(0, self.shape[1] - 1))


_Maker = Callable[[], tuple[Lattice, Array]]


def make_rasters(
    connection: sa.Connection, folder: Path, *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Make the relief and the population of the demo city that the database holds; returns the names of those made.

    A raster of such a name that is not synthetic is left alone.
    """
    makers: tuple[tuple[_Maker, Callable[[str], Raster]], ...] = (
        (lambda: relief(seed=seed), _relief_raster),
        (lambda: population(connection, seed=seed), _population_raster),
    )
    made = []
    for name, (make, described) in zip(RASTERS, makers, strict=True):
        progress(name)
        if not _somebodys(folder / f"{name}.tif"):
            _keep(*make(), folder, described)
            made.append(name)
    return made


def relief(*, seed: int) -> tuple[Lattice, Array]:
    """Heights in metres, NaN where the ground is always under water and outside the city."""
    lattice = _lattice(RELIEF_CELL)
    rng = np.random.default_rng([seed, 30])
    city = lattice.inside(_outlines())
    # The dry land ends a little inside every border; only what is wider than two cells is water.
    water = ndimage.binary_opening(city & ~lattice.inside(shapes_lon_lat(land().dry)), np.ones((3, 3)))
    rough = _noise(lattice.shape, rng, largest=200.0, smallest=3.0)
    hills = _hills(lattice, rough)
    dry = city & (~water | (hills > 1.0))
    away_m = ndimage.distance_transform_edt(~dry, sampling=(lattice.cell[1] * _LAT_M, lattice.cell[0] * _LON_M))
    creeks = np.exp(-((_noise(lattice.shape, rng, largest=80.0, smallest=16.0) / 0.05) ** 2))
    dyke = np.exp(-(((ndimage.gaussian_filter(water.astype(np.float64), 2.0) - 0.32) / 0.09) ** 2))
    ground = np.maximum(_plain(lattice) + 0.45 * rough - 0.8 * creeks, 0.6)
    ground = ground + dyke * (_DYKE_HIGH_M - ground) + hills
    under = _flats(lattice, away_m) + 0.35 * rough - 0.8 * creeks
    heights = np.where(dry, ground, np.where(water & (under > _LOWEST_M), under, np.nan))
    return lattice, np.asarray(np.round(heights, 2), dtype=np.float64)


def population(connection: sa.Connection, *, seed: int) -> tuple[Lattice, Array]:
    """People in each cell, NaN where there are fewer than the least number that may be told.

    The people of a grid live on its dry ground, more of them where buildings have more floors.
    """
    whole = _lattice(PEOPLE_CELL)
    fine = Lattice(whole.west, whole.north, (whole.cell[0] / _SUB, whole.cell[1] / _SUB),
                   (whole.shape[0] * _SUB, whole.shape[1] * _SUB))  # fmt: skip
    grids, people = _grids(connection)
    owner = fine.burnt(grids, np.arange(1, len(grids) + 1)).ravel()
    weight = _homes(connection, fine, np.random.default_rng([seed, 31])).ravel()
    total = np.bincount(owner, weights=weight, minlength=len(grids) + 1)
    share = np.divide(np.r_[0.0, people], total, out=np.zeros(len(total)), where=total > 0)
    here = weight * share[owner]
    # A grid so narrow that no cell has its middle in it: all its people in one.
    lost = np.flatnonzero(total[1:] == 0)
    np.add.at(here, fine.positions(shapely.get_coordinates(shapely.point_on_surface(grids[lost]))), people[lost])
    rows, columns = whole.shape
    counts = np.round(here.reshape(rows, _SUB, columns, _SUB).sum(axis=(1, 3)))
    return whole, np.where(counts >= LEAST_PEOPLE["public"], counts, np.nan)


def _lattice(cell: tuple[float, float]) -> Lattice:
    """Cells over the whole city whose corners are whole multiples of their size."""
    west, south, east, north = shapely.total_bounds(_outlines())
    left, right = math.floor(west / cell[0]), math.ceil(east / cell[0])
    low, high = math.floor(south / cell[1]), math.ceil(north / cell[1])
    return Lattice(left * cell[0], high * cell[1], cell, (high - low, right - left))


def _outlines() -> Shapes:
    return shapes_lon_lat(land().outlines)


def _noise(shape: tuple[int, int], rng: np.random.Generator, *, largest: float, smallest: float) -> Array:
    """Smooth chance of unit size: forms from `largest` to `smallest` cells across, the smaller ones the flatter."""
    waves = np.fft.rfft2(rng.normal(size=shape))
    often = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]).clip(1e-9)
    strength = often**-1.6 * np.exp(-((often * smallest) ** 2) - (often * largest) ** -4.0)
    total = np.fft.irfft2(waves * strength, s=shape)
    return np.asarray(total / total.std())


def _plain(lattice: Lattice) -> Array:
    lon, lat = lattice.middles()
    top, weights = np.zeros(lattice.shape), np.zeros(lattice.shape)
    for at_lon, at_lat, height in _PLAIN:
        weight = np.exp(-(((lon - at_lon) / 0.17) ** 2) - ((lat - at_lat) / 0.14) ** 2) + 1e-6
        top, weights = top + weight * height, weights + weight
    return top / weights


def _hills(lattice: Lattice, rough: Array) -> Array:
    lon, lat = lattice.middles()
    total = np.zeros(lattice.shape)
    for at_lon, at_lat, height, radius_m in _HILLS:
        away = np.hypot((lon - at_lon) * _LON_M, (lat - at_lat) * _LAT_M) / radius_m
        total += height * np.exp(-((away * np.exp(0.25 * rough)) ** 2))
    return total


def _flats(lattice: Lattice, away_m: Array) -> Array:
    """Ground that the tide covers: 6 km of flats on the sea's side, a steep bank on the river's."""
    lon, lat = lattice.middles()
    (a_lon, a_lat), (b_lon, b_lat) = _RIVER
    beyond = lat - (a_lat + (lon - a_lon) * (b_lat - a_lat) / (b_lon - a_lon))
    sea = 1.0 / (1.0 + np.exp(-beyond / 0.02))
    return 1.6 - away_m / 1000.0 * (0.6 * sea + 5.0 * (1.0 - sea))


def _grids(connection: sa.Connection) -> tuple[Shapes, Array]:
    table = built_in()["grid"].table
    asked = sa.select(sa.func.st_asbinary(table.c.geom), sa.func.coalesce(table.c.population, 0)).order_by(table.c.id)
    rows = connection.execute(asked).all()
    shapes: Shapes = shapely.from_wkb([bytes(row[0]) for row in rows])
    return shapes, np.array([row[1] for row in rows], dtype=np.float64)


def _homes(connection: sa.Connection, fine: Lattice, rng: np.random.Generator) -> Array:
    """How much each cell attracts people: some everywhere on dry land, more by the floors that stand around it."""
    table = built_in()["building"].table
    middle = sa.func.st_centroid(table.c.geom)
    asked = sa.select(sa.func.st_x(middle), sa.func.st_y(middle), sa.func.coalesce(table.c.floors, 1))
    found = connection.execute(asked.order_by(table.c.id)).all()
    rows = np.array([tuple(row) for row in found], dtype=np.float64).reshape(-1, 3)
    floors = np.zeros(fine.shape)
    np.add.at(floors.ravel(), fine.positions(rows[:, :2]), rows[:, 2])
    around = ndimage.gaussian_filter(floors, 1.5)
    scattered = np.exp(0.5 * _noise(fine.shape, rng, largest=60.0, smallest=6.0))
    return np.asarray(fine.inside(shapes_lon_lat(land().dry)) * (_OPEN_GROUND * scattered + around))


def _somebodys(path: Path) -> bool:
    """Whether a raster stands here that a person brought."""
    try:
        return path.exists() and not from_tags(raster_facts(path).tags).synthetic
    except UnusableRaster:
        return True


def _keep(lattice: Lattice, values: Array, folder: Path, described: Callable[[str], Raster]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.tif"
        digest = write_grid(values, plain, west=lattice.west, north=lattice.north, cell=lattice.cell)
        keep(described(digest), plain, folder, continuous=True)


def _relief_raster(digest: str) -> Raster:
    return Raster(
        name="relief", digest=digest, synthetic=True, attribution=_CREDIT, unit="m",
        title=Title("地势（合成）", "Relief (synthetic)"),
        about=Title("演示城市的地面高程，由程序生成，不可用于工程",
                    "Ground heights of the demo city, invented: no use for engineering"),
        look=RasterLook("relief", (0.0, 2.0, 3.5, 5.0, 20.0, 100.0)), access=Access(view="public", edit="nobody"),
    )  # fmt: skip


def _population_raster(digest: str) -> Raster:
    least = LEAST_PEOPLE["public"]
    return Raster(
        name="population", digest=digest, synthetic=True, attribution=_CREDIT,
        unit="人", least=least,
        title=Title("人口分布（合成）", "Population (synthetic)"),
        about=Title("每格约 260 m × 250 m 的居住人数，由程序生成，少于 10 人的格不显示",
                    "People living in cells of about 260 m × 250 m, invented; cells with fewer than 10 are not shown"),
        look=RasterLook("ramp", (least, 50.0, 150.0, 400.0, 1000.0), steps=True),
        access=Access(view="public", edit="nobody"),
    )  # fmt: skip
