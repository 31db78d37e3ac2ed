"""Rasters: a file becomes a clean cloud-optimised GeoTIFF, and such a file gives tiles of values and values of places.

A stored raster has one band of float values with NaN where nothing is known, in EPSG:4326 or 3857. Files are opened by
their path and by formats that hold their own pixels, so that no file can send GDAL to the network or to other files.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import from_origin
from rasterio.warp import calculate_default_transform, transform_bounds
from rasterio.windows import Window
from rio_tiler.errors import PointOutsideBounds, TileOutsideBounds
from rio_tiler.io import Reader

from gis.errors import UnusableRaster
from gis.tilegrid import MAX_LAT, Box, Tile

Values = NDArray[np.float64]

MOST_PIXELS = 400_000_000
_MOST_BLOCK_BYTES = 256 * 1024 * 1024
_STRIP_PIXELS = 4_000_000
# By the ending of the name; none of them can hold a reference to something on the network.
_FORMATS = {
    ".tif": "GTiff", ".tiff": "GTiff", ".asc": "AAIGrid", ".img": "HFA", ".hgt": "SRTMHGT", ".bil": "EHdr",
    ".dem": "USGSDEM",
}  # fmt: skip
_KEPT_FRAMES = (4326, 3857)
_WEB_MERCATOR = "EPSG:3857"
_SAMPLE_SIDE = 1_000
_NO_NETWORK = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "GDAL_HTTP_MAX_RETRY": "0",
    "VRT_SHARED_SOURCE": "0",
}
# Our own files need no neighbours: no look at the folder, no .aux.xml, no .ovr.
_ALONE = {**_NO_NETWORK, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}


@dataclass(frozen=True)
class RasterFacts:
    """A stored raster: its box in degrees, the zoom at which a pixel is a cell, its tags."""

    box: Box
    maxzoom: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Cleaned:
    """What a clean copy holds: its value range, a sample of its values in rising order, the digest of its content.

    `whole` says that the file held whole numbers, which may be codes.
    """

    least: float
    most: float
    sample: Values
    digest: str
    whole: bool


@dataclass(frozen=True)
class Spot:
    """The value of the cell at a place (None: nothing is known there), and whether the raster reaches the place."""

    value: float | None
    inside: bool


def clean_copy(source: Path, target: Path, *, least: float | None = None) -> Cleaned:
    """Copy a person's raster to a plain GeoTIFF of floats in which all that is no value is NaN.

    Scale and offset of the band are applied, and values below `least` are left out. Raises UnusableRaster for a file
    that is no raster of one numeric band, says not where on the globe it lies, is too large, broken, or empty.
    """
    if not source.is_file():
        raise UnusableRaster("there is no such file")
    driver = _FORMATS.get(source.suffix.lower())
    if driver is None:
        raise UnusableRaster(f"a raster's name ends in one of {', '.join(_FORMATS)}")
    try:
        with warnings.catch_warnings(), rasterio.Env(**_NO_NETWORK):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it is refused for that
            with rasterio.open(source.resolve(), driver=driver, sharing=False) as given:
                _check(given)
                return _copy(given, target, least)
    except RasterioError as error:
        raise UnusableRaster(f"it cannot be read as {driver}") from error


def write_grid(
    values: NDArray[np.floating], target: Path, *, west: float, north: float, cell: tuple[float, float]
) -> str:
    """Write values (rows from the north, NaN: unknown) as a plain GeoTIFF in EPSG:4326; returns their digest.

    `cell` is the width and the height of a cell in degrees.
    """
    data = values.astype(np.float32)
    profile = _profile(data.shape[1], data.shape[0], np.dtype(np.float32))
    with rasterio.open(
        target, "w", crs=CRS.from_epsg(4326), transform=from_origin(west, north, *cell), **profile
    ) as out:
        out.write(data, 1)
    return hashlib.blake2b(data.tobytes(), digest_size=12).hexdigest()


def make_cog(plain: Path, target: Path, *, tags: Mapping[str, str], continuous: bool) -> None:
    """Make a cloud-optimised GeoTIFF of a clean copy, with overviews and the tags.

    EPSG:4326 and 3857 stay as they are; any other frame becomes 3857. `continuous` values may be averaged and
    interpolated on the way, others are only picked.
    """
    options = {
        "compress": "DEFLATE",
        "predictor": "YES",
        "blocksize": 512,
        "bigtiff": "IF_SAFER",
        "overview_resampling": "AVERAGE" if continuous else "NEAREST",
        "warp_resampling": "BILINEAR" if continuous else "NEAREST",
    }
    try:
        with rasterio.Env(**_ALONE):
            with rasterio.open(plain, "r+", driver="GTiff") as opened:
                opened.update_tags(**tags)
                if opened.crs.to_epsg() not in _KEPT_FRAMES:
                    _check_mercator(opened)
                    options["target_srs"] = _WEB_MERCATOR
            rasterio.shutil.copy(plain, target, driver="COG", **options)
    except RasterioError as error:
        raise UnusableRaster("it cannot be written as a cloud-optimised GeoTIFF for a web map") from error


def raster_facts(path: Path) -> RasterFacts:
    """The facts of a stored raster; UnusableRaster for a file that is none."""
    with _opened(path) as (dataset, reader):
        return RasterFacts(Box(*reader.get_geographic_bounds(CRS.from_epsg(4326))), reader.maxzoom, dataset.tags())


def read_tile(path: Path, tile: Tile, *, side_px: int, margin_px: int = 0, smooth: bool = True) -> Values | None:
    """The values of a stored raster on a tile, (side + 2 × margin)² with NaN where nothing is known.

    None where the raster does not reach. `smooth` interpolates between cells; else each cell is drawn as it is. Raises
    UnusableRaster for a file that is gone or damaged.
    """
    method = "bilinear" if smooth else "nearest"
    with _opened(path) as (_, reader):
        try:
            image = reader.tile(
                *(tile.x, tile.y, tile.z),
                tilesize=side_px,
                buffer=margin_px or None,
                resampling_method=method,
                reproject_method=method,
            )
        except TileOutsideBounds:
            return None
    return np.asarray(image.array[0].astype(np.float64).filled(np.nan))


def value_at(path: Path, lon: float, lat: float) -> Spot:
    """The value of the cell of a stored raster that holds a place; UnusableRaster for a file gone or damaged."""
    with _opened(path) as (_, reader):
        try:
            value = reader.point(lon, lat).array[0]
        except PointOutsideBounds:
            return Spot(None, inside=False)
    known = value is not np.ma.masked and math.isfinite(value)
    return Spot(float(value) if known else None, inside=True)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[DatasetReader, Reader]]:
    # Opened anew each time: GDAL's handles must not be shared by threads, and a file may be replaced at any time.
    try:
        with (
            rasterio.Env(**_ALONE),
            rasterio.open(path, driver="GTiff", sharing=False) as dataset,
            Reader(None, dataset=dataset) as reader,
        ):
            yield dataset, reader
    except RasterioError as error:
        raise UnusableRaster("it cannot be read as a GeoTIFF") from error


def _check(given: DatasetReader) -> None:
    if given.count != 1:
        raise UnusableRaster(f"it has {given.count} bands; a raster of values has one")
    if np.dtype(given.dtypes[0]).kind not in "iuf":
        raise UnusableRaster(f"its values are {given.dtypes[0]}, not numbers")
    if given.crs is None or given.transform.is_identity:
        raise UnusableRaster("it does not say where on the globe it lies; give it a coordinate reference system first")
    pixels = given.width * given.height
    if pixels > MOST_PIXELS:
        raise UnusableRaster(f"its {pixels:,} pixels are more than the {MOST_PIXELS:,} that one raster may have")
    rows, columns = given.block_shapes[0]
    if rows * columns * np.dtype(given.dtypes[0]).itemsize > _MOST_BLOCK_BYTES:
        raise UnusableRaster("its blocks are too large to be read one at a time; tile it first")
    box = transform_bounds(given.crs, "EPSG:4326", *given.bounds)
    if box[0] >= box[2]:
        raise UnusableRaster("its columns do not run from west to east")
    if not (np.isfinite(box).all() and max(map(abs, box[::2])) <= 180.0 and max(map(abs, box[1::2])) <= 90.0):
        raise UnusableRaster("its coordinates do not fit its coordinate reference system")
    if box[1] >= MAX_LAT or box[3] <= -MAX_LAT:
        raise UnusableRaster("it lies at a pole, where the web map does not reach")


def _check_mercator(opened: DatasetReader) -> None:
    shape = (opened.width, opened.height)
    _, width, height = calculate_default_transform(opened.crs, _WEB_MERCATOR, *shape, *opened.bounds)
    if width * height > 2 * MOST_PIXELS:
        raise UnusableRaster("it becomes too large on a web map (Web Mercator)")


def _profile(width: int, height: int, dtype: np.dtype[np.floating]) -> dict[str, object]:
    return {
        "driver": "GTiff", "width": width, "height": height, "count": 1, "dtype": dtype.name, "nodata": math.nan,
        "tiled": True, "bigtiff": "IF_SAFER",
    }  # fmt: skip


def _copy(given: DatasetReader, target: Path, least: float | None) -> Cleaned:
    # Floats that hold every value of the file: 24 bits for what has 16, else 53.
    dtype = np.result_type(np.dtype(given.dtypes[0]), np.float32)
    low, high, digest = math.inf, -math.inf, hashlib.blake2b(digest_size=12)
    digest.update(repr((given.crs.to_wkt(), tuple(given.transform))).encode())
    profile = _profile(given.width, given.height, dtype)
    with rasterio.open(target, "w", crs=given.crs, transform=given.transform, **profile) as out:
        for window in _strips(given):
            values = _clean(given, window, dtype, least)
            out.write(values, 1, window=window)
            digest.update(values.tobytes())
            known = values[np.isfinite(values)]
            if known.size:
                low, high = min(low, float(known.min())), max(high, float(known.max()))
    if low > high:
        raise UnusableRaster("it holds no values")
    whole = np.dtype(given.dtypes[0]).kind in "iu" and (given.scales[0], given.offsets[0]) == (1.0, 0.0)
    return Cleaned(low, high, _sample(target), digest.hexdigest(), whole)


def _strips(given: DatasetReader) -> Iterator[Window]:
    rows = max(1, _STRIP_PIXELS // given.width)
    return (Window(0, top, given.width, min(rows, given.height - top)) for top in range(0, given.height, rows))


def _clean(
    given: DatasetReader, window: Window, dtype: np.dtype[np.floating], least: float | None
) -> NDArray[np.floating]:
    read = given.read(1, window=window, masked=True)
    values = read.astype(dtype).filled(np.nan) * dtype.type(given.scales[0]) + dtype.type(given.offsets[0])
    left_out = ~np.isfinite(values)
    if least is not None:
        left_out |= ~(values >= least)
    values[left_out] = np.nan
    return np.asarray(values)


def _sample(path: Path) -> Values:
    with rasterio.open(path) as copied:
        step = max(1, math.ceil(max(copied.width, copied.height) / _SAMPLE_SIDE))
        shape = (max(1, copied.height // step), max(1, copied.width // step))
        values = copied.read(1, out_shape=shape).astype(np.float64)
    return np.sort(values[np.isfinite(values)])
