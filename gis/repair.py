"""Geometry repair: from what a file holds to valid, flat geometries of one type, with a reason for every change."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import WrongGeometry

Kind = Literal["Point", "MultiLineString", "MultiPolygon"]
KINDS: tuple[str, ...] = get_args(Kind)

# Reasons begin with one of these; details may follow after a colon, further reasons after a semicolon.
NO_GEOMETRY = "no geometry"
EMPTY = "empty geometry"
NOT_FINITE = "coordinate is not a number"
WRONG_TYPE = "wrong type"
OTHER_PARTS = "parts of another type left out"
INVALID = "invalid"
HEIGHT = "height left out"

Geometries = NDArray[np.object_]
Flags = NDArray[np.bool_]
Notes = NDArray[np.object_]

_DIMENSION: dict[str, int] = {"Point": 0, "MultiLineString": 1, "MultiPolygon": 2}
# Type ids of GEOS: 2 is LinearRing, singles end at 3 (Polygon), 7 is GeometryCollection.
_RING, _SINGLE, _COLLECTION = 2, 3, 7


@dataclass(frozen=True)
class RepairReport:
    """What repair made of an array of geometries, position by position.

    `geometries` holds None where nothing was left; `repaired` marks geometries that were kept but changed;
    `reasons` holds the text of what was found, None where all was well. Going from single to multi is no change.
    """

    geometries: Geometries
    repaired: Flags
    reasons: Notes

    @property
    def lost(self) -> Flags:
        """Mark the positions at which nothing was left."""
        return np.asarray(shapely.is_missing(self.geometries))


def repair(geoms: Geometries, *, kind: Kind) -> RepairReport:
    """Return geometries of one kind: flat, finite, valid, lines and areas as multi; what does not fit becomes None.

    Of a collection the parts of the kind's dimension are kept; no geometry is turned into another dimension, and
    several points are not one. Raises WrongGeometry for an unknown kind.
    """
    if kind not in _DIMENSION:
        raise WrongGeometry(kind, KINDS)
    left: Geometries = np.array(np.atleast_1d(np.asarray(geoms, dtype=object)))
    notes: Notes = np.full(left.size, None, dtype=object)
    _drop_unusable(left, notes)
    _flatten(left, notes)
    _keep_dimension(left, notes, kind)
    _make_valid(left, notes)
    left = _collect(left, kind)
    noted = np.fromiter((note is not None for note in notes), dtype=bool, count=notes.size)
    return RepairReport(left, noted & ~shapely.is_missing(left), notes)


def _note(where: Flags, notes: Notes, reason: str) -> None:
    for i in np.flatnonzero(where).tolist():
        _add(notes, i, reason)


def _add(notes: Notes, i: int, reason: str) -> None:
    notes[i] = reason if notes[i] is None else f"{notes[i]}; {reason}"


def _drop_unusable(left: Geometries, notes: Notes) -> None:
    missing, empty = shapely.is_missing(left), shapely.is_empty(left)
    points, owner = shapely.get_coordinates(left, return_index=True)
    broken = np.zeros(left.size, dtype=bool)
    broken[owner[~np.isfinite(points).all(axis=1)]] = True
    _note(missing, notes, NO_GEOMETRY)
    _note(empty & ~broken, notes, EMPTY)
    _note(broken, notes, NOT_FINITE)
    left[empty | broken] = None


def _flatten(left: Geometries, notes: Notes) -> None:
    high = shapely.has_z(left) | shapely.has_m(left)
    _note(high, notes, HEIGHT)
    left[high] = shapely.force_2d(left[high])


def _keep_dimension(left: Geometries, notes: Notes, kind: Kind) -> None:
    """Take the fitting parts out of collections and drop geometries of another dimension."""
    wanted = _DIMENSION[kind]
    mixed = np.flatnonzero(shapely.get_type_id(left) == _COLLECTION)
    if mixed.size:
        parts, owner = _single_parts(left[mixed])
        fits = shapely.get_dimensions(parts) == wanted
        partly = np.zeros(left.size, dtype=bool)
        partly[mixed[np.intersect1d(owner[fits], owner[~fits])]] = True
        _note(partly, notes, OTHER_PARTS)
        some = np.unique(owner[fits])
        left[mixed[some]] = _multi(parts[fits], owner[fits], mixed.size, wanted)[some]
    wrong = ~shapely.is_missing(left) & (
        (shapely.get_dimensions(left) != wanted) | (shapely.get_type_id(left) == _COLLECTION)
    )
    if kind == "Point":
        wrong |= shapely.get_num_geometries(left) > 1
    for i in np.flatnonzero(wrong).tolist():
        _add(notes, i, f"{WRONG_TYPE}: {left[i].geom_type}")
    left[wrong] = None


def _make_valid(left: Geometries, notes: Notes) -> None:
    bad = np.flatnonzero(~shapely.is_missing(left) & ~shapely.is_valid(left))
    for i, why in zip(bad.tolist(), shapely.is_valid_reason(left[bad]).tolist(), strict=True):
        _add(notes, i, f"{INVALID}: {why}")
    left[bad] = _mended(left[bad])


def _mended(bad: Geometries) -> Geometries:
    """Return valid geometries, which may hold parts of a lower dimension, or None where nothing helped."""
    # "structure" unites overlapping areas, where "linework" would punch holes. GEOS 3.14 can leave a ring that runs
    # twice over an edge as two areas sharing that edge, still invalid; uniting them mends it.
    fixed: Geometries = shapely.make_valid(bad, method="structure", keep_collapsed=False)
    still = ~shapely.is_valid(fixed)
    fixed[still] = shapely.union_all(fixed[still][:, np.newaxis], axis=1)
    # Of rings that double back on themselves "structure" may lose everything where "linework" still finds an area.
    gone = shapely.is_empty(fixed)
    fixed[gone] = shapely.make_valid(bad[gone])
    fixed[shapely.is_empty(fixed) | ~shapely.is_valid(fixed)] = None
    return fixed


def _collect(left: Geometries, kind: Kind) -> Geometries:
    """Return single points, or lines and areas as multi."""
    parts, owner = _single_parts(left)
    wanted = _DIMENSION[kind]
    fits = (shapely.get_dimensions(parts) == wanted) & ~shapely.is_empty(parts)
    parts, owner = parts[fits], owner[fits]
    if kind != "Point":
        return _multi(parts, owner, left.size, wanted)
    points: Geometries = np.full(left.size, None, dtype=object)
    points[owner] = parts
    return points


def _single_parts(geoms: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    """Return all single geometries, however deep the collections nest, and where each comes from."""
    parts, owner = shapely.get_parts(geoms, return_index=True)
    while (shapely.get_type_id(parts) > _SINGLE).any():
        parts, deeper = shapely.get_parts(parts, return_index=True)
        owner = owner[deeper]
    rings = shapely.get_type_id(parts) == _RING
    # A ring written as binary comes back as the line that it is; a multi would hold it as a ring.
    parts[rings] = shapely.from_wkb(shapely.to_wkb(parts[rings]))
    return parts, owner


def _multi(parts: Geometries, owner: NDArray[np.intp], size: int, dimension: int) -> Geometries:
    build = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimension]
    gathered: Geometries = np.full(size, None, dtype=object)
    if parts.size:
        present, rank = np.unique(owner, return_inverse=True)
        gathered[present] = build(parts, indices=rank)
    return gathered
