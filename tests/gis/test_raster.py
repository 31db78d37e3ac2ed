"""Rasters: what is taken, what is refused, and that values come out where they went in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.io import MemoryFile

from gis.errors import UnusableRaster
from gis.painting import Paint, encoded, hillshade, painted, pixel_size_m, shaded
from gis.raster import clean_copy, make_cog, raster_facts, read_tile, value_at, write_grid
from gis.tilegrid import Tile, tile_of

# affine 3 announces a change of its own; rasterio 1.4 still multiplies with `*`.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
    # Pictures, and files that are refused for it.
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

REAL = ("rio-tiler_cog.tif", "rio-tiler_cog_nodata_nan.tif", "rio-tiler_nocog.tif", "tileserver-rs_test-dem.cog.tif")


def placed(west: float, north: float, side: float) -> Affine:
    return Affine(side, 0.0, west, 0.0, -side, north)


def cog(source: Path, folder: Path, *, continuous: bool = True, least: float | None = None) -> Path:
    clean_copy(source, folder / "plain.tif", least=least)
    make_cog(folder / "plain.tif", folder / "made.tif", tags={"KIND": "test"}, continuous=continuous)
    return folder / "made.tif"


def written(path: Path, values: Any, **more: Any) -> Path:
    """A GeoTIFF of values (bands, rows, columns) or (rows, columns) at Nantong, one cell a hundredth of a degree."""
    bands = np.atleast_3d(values).transpose(2, 0, 1) if np.ndim(values) == 2 else np.asarray(values)
    profile: dict[str, Any] = {
        "driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2],
        "dtype": bands.dtype.name,
        "crs": CRS.from_epsg(4326), "transform": placed(120.0, 32.5, 0.01), **more,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(bands)
    return path


def pixels(picture: bytes) -> Any:
    with MemoryFile(picture) as file, file.open() as opened:
        return opened.read()


RAMP = np.arange(20 * 30, dtype=np.float32).reshape(20, 30) + 1.0


@pytest.mark.parametrize("name", REAL)
def test_real_files_become_cloud_optimised_and_keep_their_values(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / "data" / "raster" / name
    made = cog(source, tmp_path)
    with rasterio.open(made) as opened:
        assert opened.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert opened.tags()["KIND"] == "test"
        assert opened.crs.to_epsg() in (4326, 3857)
        assert math.isnan(opened.nodata)
        assert bool(opened.overviews(1)) == (max(opened.shape) > 512)
    box = raster_facts(made).box
    lon, lat = (box.west + box.east) / 2, (box.south + box.north) / 2
    tile = tile_of(lon, lat, raster_facts(made).maxzoom)
    values = read_tile(made, tile, side_px=256)
    assert values is not None
    assert values.shape == (256, 256)
    low, high = (float(edge) for edge in value_range(source))
    known = values[np.isfinite(values)]
    assert ((known >= low - 1e-3) & (known <= high + 1e-3)).all()


def value_range(path: Path) -> tuple[float, float]:
    with rasterio.open(path) as opened:
        values = opened.read(1, masked=True).astype(np.float64).filled(np.nan)
    return float(np.nanmin(values)), float(np.nanmax(values))


def test_nan_and_infinity_are_no_values_whatever_the_file_declares(tmp_path: Path) -> None:
    values = RAMP.copy()
    values[0, 0], values[0, 1], values[0, 2], values[0, 3] = np.nan, np.inf, -np.inf, -9999.0
    made = cog(written(tmp_path / "a.tif", values, nodata=-9999.0), tmp_path)
    found = [value_at(made, 120.005 + 0.01 * i, 32.495) for i in range(5)]
    assert [spot.value for spot in found] == [None, None, None, None, 5.0]
    assert all(spot.inside for spot in found)
    assert value_at(made, 119.99, 32.495).inside is False


@given(row=st.integers(0, 19), column=st.integers(0, 29), whole=st.booleans())
def test_a_cell_gives_the_value_that_was_written_there(
    tmp_path_factory: pytest.TempPathFactory, row: int, column: int, whole: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"cells-{whole}"
    if not folder.exists():
        folder.mkdir()
        cog(written(folder / "a.tif", RAMP.astype(np.int16 if whole else np.float32)), folder, continuous=not whole)
    spot = value_at(folder / "made.tif", 120.005 + 0.01 * column, 32.495 - 0.01 * row)
    assert spot.value == RAMP[row, column]


def test_scale_and_offset_are_applied(tmp_path: Path) -> None:
    source = written(tmp_path / "a.tif", RAMP.astype(np.int16))
    with rasterio.open(source, "r+") as opened:
        opened.scales, opened.offsets = (0.1,), (-5.0,)
    assert value_at(cog(source, tmp_path), 120.005, 32.495).value == pytest.approx(-4.9)


def test_small_counts_are_left_out_at_every_zoom(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 40, (900, 900)).astype(np.int32)
    made = cog(written(tmp_path / "a.tif", values, transform=placed(120.0, 32.5, 0.001)), tmp_path, least=10)
    with rasterio.open(made) as opened:
        for shape in (opened.shape, *(tuple(side // level for side in opened.shape) for level in opened.overviews(1))):
            assert np.nanmin(opened.read(1, out_shape=shape)) >= 10
    for z in range(5, 14):
        drawn = read_tile(made, tile_of(120.45, 32.05, z), side_px=256)
        assert drawn is not None
        assert np.nanmin(drawn) >= 10 - 1e-9


def test_another_frame_is_brought_to_web_mercator(tmp_path: Path) -> None:
    source = written(tmp_path / "a.tif", RAMP, crs=CRS.from_epsg(4549), transform=placed(580_000.0, 3_560_000.0, 100.0))
    made = cog(source, tmp_path)
    with rasterio.open(made) as opened:
        assert opened.crs.to_epsg() == 3857
    assert raster_facts(made).box.west == pytest.approx(120.85, abs=0.01)


@pytest.mark.parametrize(
    ("reason", "values", "more"),
    [
        ("3 bands", np.zeros((3, 4, 4), np.uint8), {}),
        ("where on the globe", RAMP, {"crs": None}),
        ("not numbers", RAMP.astype(np.complex64), {}),
        ("holds no values", np.full((4, 4), np.nan, np.float32), {}),
        ("holds no values", np.zeros((4, 4), np.uint8), {"nodata": 0}),
        ("do not fit", RAMP, {"transform": placed(580_000.0, 3_560_000.0, 100.0)}),
        ("west to east", RAMP, {"transform": Affine(-0.01, 0.0, 121.0, 0.0, -0.01, 32.1)}),
        ("at a pole", RAMP, {"transform": placed(120.0, 89.0, 0.01)}),
    ],
)
def test_what_cannot_be_a_raster_of_the_city_is_refused(
    tmp_path: Path, reason: str, values: Any, more: dict[str, Any]
) -> None:
    source = written(tmp_path / "a.tif", values, **more)
    with pytest.raises(UnusableRaster, match=reason):
        clean_copy(source, tmp_path / "plain.tif")


@pytest.mark.parametrize("name", ["a.tif", "a.vrt", "a.gpkg", "a"])
def test_no_file_makes_gdal_open_something_else(tmp_path: Path, name: str) -> None:
    other = written(tmp_path / "other.tif", RAMP)
    vrt = f'<VRTDataset rasterXSize="30" rasterYSize="20"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>' \
          f"<SourceFilename>{other}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"  # fmt: skip
    (tmp_path / name).write_text(vrt)
    with pytest.raises(UnusableRaster):
        clean_copy(tmp_path / name, tmp_path / "plain.tif")
    with pytest.raises(UnusableRaster):
        raster_facts(tmp_path / name)


def test_a_file_cut_short_is_refused(shared: Path, tmp_path: Path) -> None:
    whole = (shared / "data" / "raster" / "rio-tiler_cog.tif").read_bytes()
    for share in (0, 100, len(whole) // 2):
        (tmp_path / "a.tif").write_bytes(whole[:share])
        with pytest.raises(UnusableRaster):
            clean_copy(tmp_path / "a.tif", tmp_path / "plain.tif")
    with pytest.raises(UnusableRaster, match="no such file"):
        clean_copy(tmp_path / "none.tif", tmp_path / "plain.tif")


def test_an_image_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    profile = {"width": 30_000, "height": 20_000, "tiled": True, "sparse_ok": True}
    crs, place = CRS.from_epsg(4326), placed(120, 33, 1e-5)
    with rasterio.open(tmp_path / "a.tif", "w", "GTiff", count=1, dtype="uint8", crs=crs, transform=place, **profile):
        pass
    with pytest.raises(UnusableRaster, match="600,000,000 pixels"):
        clean_copy(tmp_path / "a.tif", tmp_path / "plain.tif")


def test_a_tile_that_the_raster_does_not_reach_is_none(tmp_path: Path) -> None:
    made = cog(written(tmp_path / "a.tif", RAMP), tmp_path)
    assert read_tile(made, Tile(9, 0, 0), side_px=256) is None
    assert read_tile(made, Tile(0, 0, 0), side_px=256) is not None


def test_a_grid_of_values_can_be_written(tmp_path: Path) -> None:
    digests = [
        write_grid(grid, tmp_path / "p.tif", west=120.0, north=32.5, cell=(0.01, 0.02)) for grid in (RAMP, RAMP + 1)
    ]
    assert digests[0] != digests[1]
    make_cog(tmp_path / "p.tif", tmp_path / "made.tif", tags={}, continuous=True)
    assert value_at(tmp_path / "made.tif", 120.015, 32.47).value == RAMP[1, 1] + 1


def test_colours_blend_between_stops_and_stand_in_steps() -> None:
    values = np.array([[-1.0, 0.0, 5.0], [10.0, 99.0, np.nan]])
    blend = Paint((0.0, 10.0), ((0, 0, 0), (200, 100, 50)))
    picture, mask = painted(values, blend)
    assert picture[0].tolist() == [[0, 0, 100], [200, 200, 0]]
    assert mask.tolist() == [[255, 255, 255], [255, 255, 0]]
    steps, _ = painted(values, Paint((0.0, 10.0), ((0, 0, 0), (200, 100, 50)), steps=True))
    assert steps[0].tolist() == [[0, 0, 0], [200, 200, 0]]


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_picture_is_transparent_where_nothing_is_known(kind: Any) -> None:
    values = np.full((256, 256), 5.0)
    values[:128] = np.nan
    picture, mask = painted(values, Paint((0.0, 10.0), ((0, 0, 0), (200, 100, 50)), steps=True))
    found = pixels(encoded(picture, mask, kind=kind, exact=True))
    assert found.shape == (4, 256, 256)
    assert set(np.unique(found[3, :128])) == {0}
    assert set(np.unique(found[3, 128:])) == {255}


@given(height=st.floats(-500, 9_000), pixel_m=st.floats(0.5, 5_000), exaggeration=st.floats(1, 30))
def test_flat_ground_is_neither_lit_nor_shaded(height: float, pixel_m: float, exaggeration: float) -> None:
    light = hillshade(np.full((5, 5), height), pixel_m=pixel_m, exaggeration=exaggeration)
    assert light == pytest.approx(np.ones((3, 3)))


def test_slopes_towards_the_north_west_are_light_and_the_others_dark() -> None:
    rising_to_south_east = np.add.outer(np.arange(6.0), np.arange(6.0)) * 10.0
    assert (hillshade(rising_to_south_east, pixel_m=30.0) > 1.0).all()
    assert (hillshade(-rising_to_south_east, pixel_m=30.0) < 1.0).all()


def test_shading_meets_without_a_seam_where_two_tiles_meet(shared: Path, tmp_path: Path) -> None:
    made = cog(shared / "data" / "raster" / "tileserver-rs_test-dem.cog.tif", tmp_path)
    paint = Paint((0.0, 1000.0), ((90, 90, 90), (90, 90, 90)), shade=True)

    def lit(tile: Tile) -> Any:
        values = read_tile(made, tile, side_px=256, margin_px=1)
        assert values is not None
        picture, _ = painted(values[1:-1, 1:-1], paint)
        return shaded(picture, values, pixel_m=pixel_size_m(tile, side_px=256))[0].astype(int)

    left = tile_of(-122.4, 37.8, 12)
    both = np.hstack([lit(left), lit(Tile(12, left.x + 1, left.y))])
    step = np.abs(np.diff(both, axis=1)).mean(axis=0)
    assert step[255] < 2.0 * np.median(step)
