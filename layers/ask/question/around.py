"""Questions of distance that need geometry made: the area around things, and what lies too far from them."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from gis.frames import area_m2, distance_m
from gis.plane import Plane
from layers.ask.question.answer import Found, shapes_of
from layers.ask.question.asked import Buffer, CoverageGap
from layers.ask.question.drawn import Drawn
from layers.ask.question.errors import TooMuch
from layers.ask.question.records import columns, found
from layers.ask.question.wanted import Wanted
from layers.export.sheet import SheetColumn
from layers.spec import Title

MOST_AROUND: Final = 20_000
"""Around so many records an area is made, at most."""
MOST_AREAS: Final = 20_000
"""So many areas are measured for the share that is not covered, at most."""
MOST_COMPARED: Final = 300_000
"""The distances of so many records from so many others are measured, at most."""
WIDEST_M: Final = 500_000.0
"""Wider than this no flat sheet is made: at its sides metres are 0.08 % too long."""
_MOST_VERTICES: Final = 2_000_000
# A circle of 64 corners has 0.16 % less area than the true one.
_QUARTER: Final = 16
# Pieces of a dissolved area have at most about so many corners, so that each meets few areas at little cost.
_PIECE: Final = 256
_SMALLEST_PIECE_M: Final = 1.0

# What is less may be the corners of circles.
_SMALLEST_SHARE: Final = 0.002

Shapes = NDArray[np.object_]
Ids = NDArray[np.object_]
Flags = NDArray[np.bool_]

_NEAREST: Final = SheetColumn("nearest_m", Title("最近距离", "Nearest"), "number", unit="m")
_SHARE: Final = SheetColumn("uncovered_share", Title("未覆盖比例", "Uncovered share"), "number", unit="%")
_AREA: Final = SheetColumn("uncovered_km2", Title("未覆盖面积", "Uncovered area"), "number", unit="km²")
_BUFFER: Final = (
    SheetColumn("radius_m", Title("半径", "Radius"), "number", unit="m"),
    SheetColumn("around", Title("对象数", "Around"), "integer"),
    SheetColumn("area_km2", Title("面积", "Area"), "number", unit="km²"),
)


def buffered(connection: sa.Connection, question: Buffer, *, area: Drawn | None, records: Wanted | None) -> Found:
    """One row: the dissolved area around the geometry or the records; none when there are no records."""
    if area is not None:
        shapes: Shapes = np.array([area.for_distances().shape], dtype=object)
    else:
        assert records is not None
        _, shapes = _places(connection, records, most=MOST_AROUND, name="records")
    if shapes.size == 0:
        return Found(_BUFFER, [], [])
    plane = _sheet(shapes)
    around = plane.round(np.array([_dissolved(plane.flat(shapes), question.radius_m)], dtype=object))
    size = round(float(area_m2(around)[0]) / 1e6, 6)
    return Found(_BUFFER, [(question.radius_m, int(shapes.size), size)], list(around))


def gaps(connection: sa.Connection, wanted: Wanted, of: Wanted, question: CoverageGap) -> Found:
    """The records that have no record of the other layer within the distance, in the order of their ids.

    `nearest_m` tells how far the nearest one is, as far as there is one. A record is not its own neighbour.
    """
    ids, shapes = _places(connection, wanted, most=MOST_COMPARED, name="layer")
    other_ids, others = _places(connection, of, most=MOST_COMPARED, name="of")
    away_m = _nearest_m(shapes, others, _alike(ids, shapes, other_ids, others, same=of.layer.name == wanted.layer.name))
    far = np.flatnonzero(away_m > question.distance_m)[: question.limit + 1]
    nearest = {ids[i]: round(float(away_m[i]), 2) if np.isfinite(away_m[i]) else None for i in far.tolist()}
    table = wanted.layer.table
    chosen = table.c.id == sa.any_(sa.literal(list(nearest), sa.ARRAY(sa.Text)))
    rows = connection.execute(sa.select(*columns(wanted.layer)).where(chosen).order_by(table.c.id)).all()
    return found(wanted.layer, [(*row, nearest[row.id]) for row in rows], limit=question.limit, more=(_NEAREST,))


def _alike(ids: Ids, shapes: Shapes, other_ids: Ids, others: Shapes, *, same: bool) -> Flags | None:
    """Which records have another record on the very same place; None where all of the others are others."""
    if not same:
        return None
    # Normalised: lines drawn from either end are on one place.
    mine, theirs = (shapely.to_wkb(shapely.normalize(some)) for some in (shapes, others))
    there: dict[bytes, set[str]] = {}
    for wkb, id in zip(theirs, other_ids, strict=True):
        there.setdefault(wkb, set()).add(id)
    alike = (there.get(wkb, set()) - {id} for wkb, id in zip(mine, ids, strict=True))
    return np.fromiter((bool(some) for some in alike), dtype=bool, count=ids.size)


def _nearest_m(shapes: Shapes, others: Shapes, alike: Flags | None) -> NDArray[np.float64]:
    """The distance on the ground to the nearest of the others; infinite where there is none.

    With `alike` a shape equal to one's own is one's own, unless that says that another record has it.
    """
    away_m = np.full(shapes.size, np.inf)
    if shapes.size == 0 or others.size == 0:
        return away_m
    plane = _sheet(shapes)
    here, there = plane.flat(shapes), _seen(plane, others)
    if there.size == 0:
        return away_m
    tree = shapely.STRtree(there)
    mine, nearest = tree.query_nearest(here, all_matches=False, exclusive=alike is not None)
    ends = shapely.get_coordinates(plane.round(shapely.shortest_line(here[mine], there[nearest])))
    away_m[mine] = distance_m(ends[::2, 0], ends[::2, 1], ends[1::2, 0], ends[1::2, 1])
    if alike is not None:
        away_m[alike] = 0.0
    return away_m


def uncovered(connection: sa.Connection, wanted: Wanted, of: Wanted, question: CoverageGap) -> Found:
    """The areas of which some part lies farther than the distance from every record of the other layer.

    The largest share first, then by id.
    """
    ids, shapes = _places(connection, wanted, most=MOST_AREAS, name="layer")
    _, others = _places(connection, of, most=MOST_AROUND, name="of")
    share = _uncovered_share(shapes, others, question.distance_m)
    km2 = area_m2(shapes) * share / 1e6
    open_ = np.flatnonzero(share > _SMALLEST_SHARE)
    order = open_[np.argsort(-share[open_], kind="stable")][: question.limit + 1]
    table = wanted.layer.table
    chosen = table.c.id == sa.any_(sa.literal(ids[order].tolist(), sa.ARRAY(sa.Text)))
    records = {row.id: row for row in connection.execute(sa.select(*columns(wanted.layer)).where(chosen))}
    rows = [
        (*records[ids[i]], round(float(km2[i]), 6), round(float(share[i]) * 100, 1))
        for i in order.tolist()
        if ids[i] in records
    ]
    return found(wanted.layer, rows, limit=question.limit, more=(_AREA, _SHARE))


def _places(connection: sa.Connection, wanted: Wanted, *, most: int, name: str) -> tuple[Ids, Shapes]:
    """The ids, in order, and the shapes of records; TooMuch where they are too many."""
    places = wanted.places()
    some = sa.select(places.c.id, places.c.geom).order_by(places.c.id).limit(most + 1).subquery("some")
    # The vertices are counted before they are fetched: twenty thousand administrative borders would fill the memory.
    size = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.st_npoints(some.c.geom)), 0))
    count, vertices = connection.execute(size).one()
    if count > most or vertices > _MOST_VERTICES:
        raise TooMuch(
            f"{name}: more than {most:,} records (or {_MOST_VERTICES:,} vertices) of the layer {wanted.layer.name!r} "
            "are concerned; narrow the question by a filter or an area"
        )
    rows = connection.execute(sa.select(some.c.id, sa.func.st_asbinary(some.c.geom)).order_by(some.c.id)).all()
    ids = np.array([row[0] for row in rows], dtype=object)
    return ids, np.array(shapes_of(row[1] for row in rows), dtype=object)


def _sheet(shapes: Shapes) -> Plane:
    """The flat sheet for them; TooMuch where they spread so far that its metres would not be those on the ground."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    level = 0.0 if south < 0 < north else min(south, north, key=abs)
    if float(distance_m(west, level, east, level)) > WIDEST_M or east - west > 90:
        raise TooMuch(
            f"what is asked about spreads over more than {WIDEST_M / 1e3:,.0f} km from west to east: too wide to be "
            "measured exactly; narrow the question by a filter or an area"
        )
    return Plane.around(shapes)


def _seen(plane: Plane, shapes: Shapes) -> Shapes:
    """Shapes on the sheet, without those on the other side of the earth."""
    flat = plane.flat(shapes)
    return np.asarray(flat[np.isfinite(shapely.bounds(flat)).all(axis=1)])


def _dissolved(flat: Shapes, radius_m: float) -> shapely.Geometry:
    united = shapely.union_all(shapely.buffer(flat, radius_m, quad_segs=_QUARTER))
    return shapely.multipolygons(shapely.get_parts(united))


def _uncovered_share(shapes: Shapes, others: Shapes, distance_m: float) -> NDArray[np.float64]:
    """The share (0 to 1) of each lon, lat area that is farther away than the distance from all the others."""
    if shapes.size == 0 or others.size == 0:
        return np.ones(shapes.size)
    plane = _sheet(shapes)
    areas = plane.flat(shapes)
    # Far from the areas the sheet is not true, and nothing there covers any of them.
    near = shapely.box(*(shapely.total_bounds(areas) + np.array([-1, -1, 1, 1]) * 2 * distance_m))
    circles = _seen(plane, others)
    circles = circles[shapely.intersects(near, circles)]
    pieces = np.array(_pieces(_dissolved(circles, distance_m)), dtype=object)
    piece, area = shapely.STRtree(areas).query(pieces, predicate="intersects")
    common = shapely.area(shapely.intersection(pieces[piece], areas[area]))
    covered = np.bincount(area, weights=common, minlength=areas.size)
    return np.asarray(np.clip(1.0 - covered / shapely.area(areas), 0.0, 1.0))


def _pieces(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """A shape cut in quarters, and these again, until none has many corners."""
    left, small = list(shapely.get_parts(shape)), []
    while left:
        part = left.pop()
        if shapely.is_empty(part):
            continue
        west, south, east, north = shapely.bounds(part).tolist()
        if shapely.get_num_coordinates(part) <= _PIECE or max(east - west, north - south) < _SMALLEST_PIECE_M:
            small.append(part)
            continue
        x, y = (west + east) / 2, (south + north) / 2
        for box in ((west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north)):
            left.extend(shapely.get_parts(shapely.clip_by_rect(part, *box)))
    return small
