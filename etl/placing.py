"""Every record gets its place: geocoded where the file gives no coordinates, then its grid and administrative code."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from etl.clean.extent import Extent
from etl.clean.records import Cleaned, replaced_rejects, unplaced_rejects
from etl.findings import Finding, Rows, join_rejects, rejects
from etl.readers.table import Progress, unheard
from layers.ask.geocode import Kind, Placed
from layers.ask.locate import Locator
from layers.spec import Layer

Geocoder = Callable[[Sequence[str], Sequence[Kind]], Sequence[Placed | None]]

_ASKED_AT_ONCE: Final = 5_000
_PLACED_AT_ONCE: Final = 50_000
COARSENESS: Final = ("A", "B", "C", "grid", "town", "county")
# Which columns of a file each way of finding a place reads.
_READS: Final[dict[Kind, tuple[str, ...]]] = {
    "grid": ("grid",),
    "component": ("component",),
    "admin": ("admin", "unit"),
    "place": ("place",),
    "address": ("address",),
}


@dataclass(frozen=True)
class PlacedRecords:
    """Records that all have a geometry, a grid and an administrative code where there is one; the rest was rejected."""

    frame: gpd.GeoDataFrame
    rejects: pd.DataFrame
    findings: tuple[Finding, ...]


def place_records(
    cleaned: Cleaned,
    geocoder: Geocoder | None,
    *,
    layer: Layer,
    extent: Extent,
    locator: Locator,
    progress: Progress = unheard,
) -> PlacedRecords:
    """Give every record its place; without a geocoder, records that have no coordinates are rejected."""
    frame, findings, replaced = cleaned.frame.copy(deep=False), list[Finding](), join_rejects([])
    if geocoder is not None and layer.geometry == "Point" and len(cleaned.clues.columns):
        found = _geocoded(cleaned.clues, geocoder, layer.load.places, extent, progress)
        _apply(frame, found)
        if found:
            findings.append(_say_geocoded(found, len(cleaned.clues)))
            replaced = replaced_rejects(cleaned, np.array(sorted(found), dtype=np.int64))
    missing = np.flatnonzero(shapely.is_missing(frame.geometry.to_numpy()))
    refused = unplaced_rejects(cleaned, missing)
    kept = np.setdiff1d(np.arange(len(frame)), missing)
    frame = frame.iloc[kept].reset_index(drop=True) if missing.size else frame
    grid_id, admin_code = _located(frame, layer, locator, progress)
    frame["grid_id"], frame["admin_code"] = pd.Series(grid_id, dtype=object), pd.Series(admin_code, dtype=object)
    differing = _differing(cleaned, kept, grid_id, layer)
    if len(differing):
        text = f"{len(differing):,} records name another grid than the one that they stand in; where they stand counts"
        findings.append(Finding("grid_differs", text, "warning", count=len(differing)))
    return PlacedRecords(frame, join_rejects([refused, replaced, differing]), tuple(findings))


def _geocoded(
    clues: pd.DataFrame, geocoder: Geocoder, ways: Sequence[str], extent: Extent, progress: Progress
) -> dict[int, Placed]:
    """The most precise place in the area for each position that has one; of equal ones the earlier way's."""
    best: dict[int, Placed] = {}
    places = clues.index.tolist()
    for way in sorted((way for way in _READS if way in ways), key=ways.index):
        for column in _READS[way]:
            for texts in _readings(clues, column) if column in clues else ():
                left = [p for p in np.flatnonzero(texts.notna()).tolist() if _improvable(best.get(places[p]))]
                for start in range(0, len(left), _ASKED_AT_ONCE):
                    progress(len(best), len(clues))
                    some = left[start : start + _ASKED_AT_ONCE]
                    for p, placed in zip(some, geocoder(texts.iloc[some].tolist(), (way,)), strict=True):
                        if placed is not None and _better(placed, best.get(places[p])) and _inside(placed, extent):
                            best[places[p]] = placed
    return best


def _readings(clues: pd.DataFrame, column: str) -> list["pd.Series[str]"]:
    """The texts of a column; an address or a place name first together with the town that another column names."""
    texts = clues[column]
    if column not in ("address", "place") or "unit" not in clues:
        return [texts]
    return [(clues["unit"] + texts), texts]


def _improvable(found: Placed | None) -> bool:
    return found is None or found.precision in ("grid", "town", "county")


def _better(placed: Placed, than: Placed | None) -> bool:
    return than is None or COARSENESS.index(placed.precision) < COARSENESS.index(than.precision)


def _inside(placed: Placed, extent: Extent) -> bool:
    return bool(extent.holds(np.array([placed.lon]), np.array([placed.lat]))[0])


def _apply(frame: gpd.GeoDataFrame, found: dict[int, Placed]) -> None:
    if not found:
        return
    at = np.fromiter(found, dtype=np.intp, count=len(found))
    shapes = frame.geometry.to_numpy().copy()
    shapes[at] = shapely.points([p.lon for p in found.values()], [p.lat for p in found.values()])
    frame[frame.geometry.name] = gpd.GeoSeries(shapes, crs="EPSG:4326", index=frame.index)
    for name, values in (
        ("place_method", [p.method for p in found.values()]),
        ("place_precision", [p.precision for p in found.values()]),
    ):
        column = frame[name].to_numpy(dtype=object, copy=True)
        column[at] = values
        frame[name] = pd.Series(column, index=frame.index, dtype="str")


def _say_geocoded(found: dict[int, Placed], wanted: int) -> Finding:
    kinds = Counter((placed.method, placed.precision) for placed in found.values())
    told = ", ".join(f"{count:,} by {method} (precision {grade})" for (method, grade), count in kinds.most_common())
    text = f"{len(found):,} of {wanted:,} records without coordinates were geocoded: {told}"
    return Finding("geocoded", text, count=len(found))


def _located(
    frame: gpd.GeoDataFrame, layer: Layer, locator: Locator, progress: Progress
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Grid and administrative code of every record; an area is in itself, not in what it replaces."""
    shapes = frame.geometry.to_numpy()
    found = []
    for start in range(0, len(shapes), _PLACED_AT_ONCE):
        progress(start, len(shapes))
        found.append(locator.place(shapes[start : start + _PLACED_AT_ONCE]))
    progress(len(shapes), len(shapes))
    none = np.empty(0, dtype=object)
    grid_id, admin_code = (np.concatenate([none, *(part[i] for part in found)]) for i in (0, 1))
    if layer.name == "grid":
        return frame["id"].to_numpy(dtype=object), admin_code
    if layer.name in ("town", "county"):
        return np.full(len(frame), None, dtype=object), frame["id"].to_numpy(dtype=object)
    return grid_id, admin_code


def _differing(cleaned: Cleaned, kept: Rows, grid_id: NDArray[np.object_], layer: Layer) -> pd.DataFrame:
    """The records whose file names another grid than the one they stand in."""
    if cleaned.grids is None or layer.load.identifier == "grid":
        return join_rejects([])
    named = cleaned.grids.iloc[kept].to_numpy(dtype=object)
    surveyed = cleaned.why[kept] == None  # noqa: E711  (element by element)
    wrong = np.flatnonzero(surveyed & ~pd.isna(named) & ~pd.isna(grid_id) & (named != grid_id))
    stands = [f"it stands in grid {grid}; the record is loaded as it is" for grid in grid_id[wrong].tolist()]
    reason = np.array(stands, dtype=object)
    rows = cleaned.rows[kept[wrong]]
    return rejects(rows, code="grid_differs", reason=reason, field="grid_id", raw=named[wrong], whole=False)
