"""From a table as it is to records of a layer: everything that can be said without asking the database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from etl.clean.coordinates import Found, find_places, written_places
from etl.clean.extent import Extent
from etl.clean.fields import extra_of, fill_fields
from etl.clean.identity import ids_of
from etl.clean.shift import GridShift, Shift, shift_of_lines
from etl.clean.values import plain_text
from etl.errors import Refused
from etl.findings import Finding, Rows, join_rejects, rejects
from etl.mapping import Mapping
from etl.readers.table import Progress, Table, unheard
from gis.repair import EMPTY, NO_GEOMETRY, repair
from layers.spec import Layer

CLUES = ("grid", "component", "admin", "unit", "place", "address")
_TRUE_FRAMES = ("EPSG:4326", "EPSG:4490")
_REASONS = {
    "no_place": "neither coordinates nor anything else that says where it is",
    "null_island": "it stands at (0, 0), which is no place in a city",
    "bad_coordinate": "its coordinates are not numbers of a place on the earth",
}
# The share of the time after which places are found, ids are known, and fields are filled: measured on components.
_PLACED, _KNOWN, _FILLED = 0.35, 0.6, 0.8
_EXCHANGED = "; latitude and longitude look swapped"
_GEOCODED = "; the record was geocoded instead"


@dataclass(frozen=True)
class Cleaned:
    """Records ready for their grid and administrative code.

    `frame` is what the writer takes, one row a record; where `why` holds a code the record has no geometry yet, and
    `clues` (by position in `frame`, one column a way of geocoding) may help; `written` is what the file says instead of
    a place and `exchanged` whether it would be one with its two numbers the other way round (as `clues`). `grids` is
    the grid that the file names for each record. `rows` are the source rows; `read` counts all rows of the file.
    """

    frame: gpd.GeoDataFrame
    rows: Rows
    why: NDArray[np.object_]
    clues: pd.DataFrame
    written: "pd.Series[Any]"
    exchanged: "pd.Series[bool]"
    grids: pd.Series | None
    coordinates: str
    rejects: pd.DataFrame
    findings: tuple[Finding, ...]
    read: int


def clean(
    table: Table,
    mapping: Mapping,
    *,
    layer: Layer,
    extent: Extent,
    source: str,
    today: date,
    frame: str | None = None,
    swap: bool = False,
    progress: Progress = unheard,
) -> Cleaned:
    """The records that a file holds for a layer, every row that cannot be one with its reason, and what was noticed.

    `progress` hears how far it is, in rows, though it goes by columns. Raises Refused where the data look wrong as a
    whole: swapped coordinates, a frame that is not the declared one.
    """
    done = _shares(progress, len(table))
    done(0)
    places = find_places(table, mapping, extent=extent, frame=frame, swap=swap or mapping.swap)
    done(_PLACED)
    sound, why, parts, findings = _sound_shapes(table, places, layer)
    findings += _check_frame(sound, places, extent, sure=frame is not None)
    ids, bad_ids, about_ids = ids_of(table, mapping.roles.get("id"), layer=layer, source=source, own=mapping.own_id)
    done(_KNOWN)
    heard = _filling(done)
    filled = fill_fields(table, mapping, layer=layer, ids=ids, today=today, progress=heard)
    outside = ~shapely.is_missing(sound) & ~extent.meets(sound)
    swapped = np.zeros(len(table), dtype=bool) if places.exchanged is None else places.exchanged
    parts.append(_outside(table, sound, np.flatnonzero(outside), extent, swapped))
    findings += _say_outside(outside, extent)
    chosen = np.flatnonzero(ids.notna().to_numpy() & ~filled.bad & ~outside & (why != "broken_geometry"))
    made = _frame(table, mapping, layer, ids=ids, columns=filled.columns, shapes=sound, chosen=chosen)
    done(1)
    made["place_precision"] = places.precision
    clues = _clue_headers(mapping, layer)
    without = np.flatnonzero(why[chosen] != None)  # noqa: E711  (element by element)
    return Cleaned(
        frame=made,
        rows=table.rows[chosen],
        why=why[chosen],
        clues=_texts(table, clues, chosen[without]).set_index(without),
        written=written_places(table, mapping, chosen[without]).set_axis(without),
        exchanged=pd.Series(swapped[chosen[without]], index=without),
        grids=_texts(table, {"grid": clues["grid"]}, chosen)["grid"] if "grid" in clues else None,
        coordinates=places.frame,
        rejects=join_rejects([table.rejects, *bad_ids, *parts, *filled.rejects]),
        findings=(*table.findings, *places.findings, *findings, *about_ids, *filled.findings),
        read=len(table) + len(table.rejects),
    )


def _shares(progress: Progress, rows: int) -> Callable[[float], None]:
    """Tells a share of the work as a number of rows."""
    return lambda share: progress(round(rows * share), rows)


def _filling(done: Callable[[float], None]) -> Progress:
    """Tells what of the fields is filled as its share of the whole work."""
    return lambda n, of: done(_KNOWN + (_FILLED - _KNOWN) * n / (of or 1))


def replaced_rejects(cleaned: Cleaned, positions: Rows) -> pd.DataFrame:
    """The flags of records that were geocoded although the file gives coordinates: what it gives, and why not used."""
    codes = cleaned.why[positions]
    found = []
    for code in ("bad_coordinate", "null_island"):
        mine = positions[codes == code]
        reason = _reasons(cleaned, mine, code) + _GEOCODED
        raw = cleaned.written.loc[mine]
        found.append(rejects(cleaned.rows[mine], code=code, reason=reason, field="geometry", raw=raw, whole=False))
    return join_rejects(found)


def unplaced_rejects(cleaned: Cleaned, positions: Rows) -> pd.DataFrame:
    """The rejects of records for which no place was found: why, what the file says, and the texts tried after it."""
    codes = cleaned.why[positions]
    found = []
    for code in sorted(set(codes.tolist())):
        mine = positions[codes == code]
        texts = cleaned.clues.loc[mine].to_numpy(dtype=object)
        said = zip(cleaned.written.loc[mine].tolist(), texts, strict=True)
        raw = [" | ".join(text for text in (at, *row) if isinstance(text, str)) or None for at, row in said]
        reason = _reasons(cleaned, mine, code)
        found.append(rejects(cleaned.rows[mine], code=code, reason=reason, field="geometry", raw=raw))
    return join_rejects(found)


def _reasons(cleaned: Cleaned, positions: Rows, code: str) -> NDArray[np.object_]:
    swapped = cleaned.exchanged.reindex(positions).tolist()
    return np.array([_REASONS[code] + (_EXCHANGED if one else "") for one in swapped], dtype=object)


def _sound_shapes(
    table: Table, places: Found, layer: Layer
) -> tuple[NDArray[np.object_], NDArray[np.object_], list[pd.DataFrame], list[Finding]]:
    """Geometries of the layer's kind, for each row the reason for having none, rejects and findings."""
    shapes, why = places.geometry.copy(), places.why.copy()
    odd = ~shapely.is_missing(shapes)
    if layer.geometry == "Point":
        x, y = shapely.get_x(shapes), shapely.get_y(shapes)
        odd &= ~((shapely.get_type_id(shapes) == 0) & ~shapely.has_z(shapes) & np.isfinite(x) & np.isfinite(y))
    at = np.flatnonzero(odd)
    if at.size == 0:
        return shapes, why, [], []
    report = repair(shapes[at], kind=layer.geometry)
    shapes[at] = report.geometries
    gone = at[report.lost]
    reasons = report.reasons[report.lost]
    absent = np.array([reason in (NO_GEOMETRY, EMPTY) for reason in reasons], dtype=bool)
    why[gone[absent]] = "no_place"
    why[gone[~absent]] = "broken_geometry"
    parts = [rejects(table.rows[gone[~absent]], code="broken_geometry", reason=reasons[~absent], field="geometry")]
    findings = []
    if report.repaired.any():
        kinds = Counter(str(r).split(":")[0].split(";")[0] for r in report.reasons[report.repaired])
        told = ", ".join(f"{kind} ({count:,})" for kind, count in kinds.most_common(4))
        count = int(report.repaired.sum())
        findings.append(Finding("repaired", f"{count:,} geometries were repaired: {told}", "warning", count=count))
    return shapes, why, parts, findings


def _check_frame(shapes: NDArray[np.object_], places: Found, extent: Extent, *, sure: bool) -> list[Finding]:
    """Say (or refuse, if nobody insists on the frame) that boundaries stand where another frame would put them."""
    spread = shapes[shapely.get_dimensions(shapes) > 0]
    if extent.borders is None or places.frame not in _TRUE_FRAMES or not len(spread):
        return []
    shift = shift_of_lines(spread, extent.borders)
    if shift is None:
        return []
    return say_shift(shift, declared=places.frame, sure=sure)


def say_shift(shift: Shift, *, declared: str, sure: bool) -> list[Finding]:
    """The finding that data are not in their declared frame; Refused unless somebody insists on it."""
    text = (
        f"the frame is said to be {declared}, but everything stands {shift.distance_m:.0f} m off toward "
        f"{shift.azimuth_deg:.0f}°, as {shift.frame} does (typical distance to known places {shift.before_m:.0f} m, "
        f"read as {shift.frame} {shift.after_m:.0f} m)"
    )
    return _say_frame(text, shift.frame, declared=declared, sure=sure)


def say_grid_shift(shift: GridShift, *, declared: str, sure: bool) -> list[Finding]:
    """The finding that points fit the grids that they name in another frame; Refused unless somebody insists."""
    text = (
        f"the frame is said to be {declared}, but of the points with a grid {shift.before:.0%} stand in the one that "
        f"the file names, read as {shift.frame} {shift.after:.0%}"
    )
    return _say_frame(text, shift.frame, declared=declared, sure=sure)


def _say_frame(text: str, frame: str, *, declared: str, sure: bool) -> list[Finding]:
    if not sure:
        hint = f"load with --frame {frame}, or with --frame {declared} if it is right all the same"
        raise Refused(text, hint=hint).because("wrong_frame", declared=declared, frame=frame)
    return [Finding("wrong_frame", text, "warning")]


def _outside(
    table: Table, shapes: NDArray[np.object_], outside: Rows, extent: Extent, swapped: NDArray[np.bool_]
) -> pd.DataFrame:
    bounds = shapely.bounds(shapes[outside]).round(6).tolist()
    raw = [f"{w}, {s}" if (w, s) == (e, n) else f"{w}, {s}, {e}, {n}" for w, s, e, n in bounds]
    told = f"outside {extent.name}"
    reason = np.array([told + (_EXCHANGED if one else "") for one in swapped[outside].tolist()], dtype=object)
    return rejects(table.rows[outside], code="outside", reason=reason, field="geometry", raw=raw)


def _say_outside(outside: NDArray[np.bool_], extent: Extent) -> list[Finding]:
    count, every = int(outside.sum()), outside.size
    if not count:
        return []
    text = f"{count:,} of {every:,} records lie outside {extent.name}"
    hint = "--extent names another area" if count * 2 > every else None
    return [Finding("outside", text, "warning", count=count, hint=hint)]


def _frame(
    table: Table,
    mapping: Mapping,
    layer: Layer,
    *,
    ids: "pd.Series[str]",
    columns: dict[str, "pd.Series[Any]"],
    shapes: NDArray[np.object_],
    chosen: Rows,
) -> gpd.GeoDataFrame:
    values = {name: columns[name].iloc[chosen].reset_index(drop=True) for name in layer.written if name in columns}
    data = pd.DataFrame({"id": ids.iloc[chosen].reset_index(drop=True), **values})
    data["place_method"] = "surveyed"
    extra = extra_of(table, mapping.unused(table), chosen)
    if extra is not None:
        data["extra"] = pd.Series(extra, dtype=object)
    return gpd.GeoDataFrame(data, geometry=shapes[chosen], crs="EPSG:4326")


def _clue_headers(mapping: Mapping, layer: Layer) -> dict[str, str]:
    """The columns whose texts may say where a record is, by the way of geocoding."""
    headers = {clue: mapping.roles[clue] for clue in CLUES if clue in mapping.roles}
    if "address" not in headers and "address" in mapping.fields:
        headers["address"] = mapping.fields["address"]
    if layer.load.identifier in ("component", "grid") and "id" in mapping.roles:
        headers.setdefault(layer.load.identifier, mapping.roles["id"])
    return headers


def _texts(table: Table, headers: dict[str, str], positions: Rows) -> pd.DataFrame:
    texts = {clue: plain_text(table.columns[header].iloc[positions]) for clue, header in headers.items()}
    return pd.DataFrame(texts, index=table.columns.index[positions]).reset_index(drop=True)
