"""The centre lines of the demo city as a planner would draw them, before they are cut at their crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo import names
from etl.demo.graph import gabriel, linked, shortest_ways
from etl.demo.grids import Division
from etl.demo.land import ISLAND_BRIDGE, Land
from etl.demo.plane import Array, Flags, Numbers, Shapes, on_plane, shape_array
from etl.demo.shares import serials
from etl.demo.towns import ISLAND_TOWNS, Town, seats_of

CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "residential")
MOTORWAY, TRUNK, PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL = range(6)
BLOCK_M = 230.0
_SHARED_LATTICE_M = 9_000.0
_SECTIONS = (("西", "中", "东"), ("南", "中", "北"))

# The real city has no bridge here: its island towns would have no road to the others.
_BRIDGE = shapely.LineString(on_plane(*np.array(ISLAND_BRIDGE).T))

# Courses of the motorways (lon, lat), drawn freely; they bear names of no real road.
_MOTORWAYS = {
    "江海高速": ((120.38, 32.63), (120.52, 32.50), (120.64, 32.33), (120.72, 32.17), (120.90, 32.11), (121.00, 31.99),
             (120.985, 31.86)),
    "沿江高速": ((120.42, 32.20), (120.60, 32.17), (120.72, 32.17), (120.90, 32.11), (121.10, 32.05), (121.24, 31.94),
             (121.45, 31.90), (121.62, 31.85), (121.80, 31.80), (121.87, 31.75)),
    "沿海高速": ((120.52, 32.50), (120.78, 32.50), (121.00, 32.43), (121.20, 32.37), (121.27, 32.22), (121.33, 32.09),
             (121.52, 32.03), (121.66, 31.96), (121.70, 31.85)),
    "通洋高速": ((121.00, 31.99), (121.04, 32.13), (121.13, 32.26), (121.20, 32.37)),
    "西环高速": ((120.38, 32.63), (120.34, 32.46), (120.45, 32.33), (120.60, 32.17)),
}  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """Centre lines in the plane, the class (index into CLASSES) and name of each, and whether it is a town's street."""

    shapes: Shapes
    kind: Numbers
    names: list[str]
    urban: Flags


def lines(land: Land, towns: list[Town], division: Division, *, scale: float, rng: np.random.Generator) -> Lines:
    """All centre lines, kept on dry land; the streets of a town shrink with the scale below 1."""
    dry = shapely.union_all(land.dry, grid_size=0.01)
    zones = shapely.intersection(_zones(land, towns, min(1.0, scale) ** 0.25, rng), division.town_shapes)
    between = _between_towns(towns, zones, rng)
    bridge = Lines(shape_array([_BRIDGE]), np.array([PRIMARY]), ["启隆大桥"], np.array([False]))
    parts = [_motorways(), between, bridge, _town_streets(towns, zones, rng), _village_roads(towns, division, zones)]
    shapes = np.concatenate([part.shapes for part in parts])
    ground = dry.union(_BRIDGE.buffer(30.0))
    shapely.prepare(ground)
    kept, source = shapely.get_parts(shapely.intersection(shapes, ground), return_index=True)
    line = (shapely.get_type_id(kept) == 1) & (shapely.length(kept) > 20.0)
    kept, source = kept[line], source[line]
    titles = [name for part in parts for name in part.names]
    kind, urban = np.concatenate([p.kind for p in parts]), np.concatenate([p.urban for p in parts])
    return Lines(kept, kind[source], [titles[i] for i in source.tolist()], urban[source])


def smooth(points: Array, rounds: int = 3) -> Array:
    """Round the corners of a (n, 2) course by cutting them (Chaikin); the ends stay."""
    for _ in range(rounds):
        near = 0.75 * points[:-1] + 0.25 * points[1:]
        far = 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.vstack([points[:1], np.stack([near, far], axis=1).reshape(-1, 2), points[-1:]])
    return points


def _motorways() -> Lines:
    courses = [smooth(on_plane(*np.array(course).T)) for course in _MOTORWAYS.values()]
    count = len(courses)
    shapes = shape_array([shapely.LineString(course) for course in courses])
    return Lines(shapes, np.full(count, MOTORWAY), list(_MOTORWAYS), np.zeros(count, dtype=bool))


def _between_towns(towns: list[Town], zones: Shapes, rng: np.random.Generator) -> Lines:
    """Roads between neighbouring towns, slightly bent; the ways between county seats are trunk roads.

    They end in the outer streets of a town, so that none runs athwart its lattice.
    """
    seats = seats_of(towns)
    island = np.array([town.unit.code in ISLAND_TOWNS for town in towns])
    pairs = gabriel(seats)
    pairs = pairs[island[pairs[:, 0]] == island[pairs[:, 1]]]
    length = np.hypot(*(seats[pairs[:, 0]] - seats[pairs[:, 1]]).T)
    capitals = [i for i, town in enumerate(towns) if town.is_county_seat]
    trunk = _on_the_way(pairs, length, capitals)
    kind = np.where(trunk, TRUNK, np.where(length > 6_000.0, PRIMARY, SECONDARY))
    bend = rng.normal(0.0, 0.05, len(pairs)).clip(-0.1, 0.1) * length
    ends, across = seats[pairs], (seats[pairs[:, 1]] - seats[pairs[:, 0]])[:, ::-1] * (1.0, -1.0) / length[:, None]
    course = ends[:, :1] + np.array([0.0, 1.0, 2.0, 3.0])[None, :, None] / 3.0 * (ends[:, 1:] - ends[:, :1])
    course[:, 1:3] += (bend[:, None] * across)[:, None, :]
    shapes = [shapely.LineString(smooth(points)) for points in course]
    titles = [_pair_name(towns[a], towns[b], k) for (a, b), k in zip(pairs.tolist(), kind.tolist(), strict=True)]
    inner = shapely.union_all(zones).buffer(-1.3 * BLOCK_M)
    open_country = shapely.difference(shape_array(shapes), inner)
    return Lines(open_country, kind, titles, np.zeros(len(pairs), dtype=bool))


def _pair_name(a: Town, b: Town, kind: int) -> str:
    first, last = a.short[0], b.short[0] if b.short[0] != a.short[0] else b.short[-1]
    return f"{first}{last}{'公路' if kind in (TRUNK, PRIMARY) else '线'}"


def _on_the_way(pairs: Numbers, length: Array, capitals: list[int]) -> Flags:
    """The edges on the shortest ways between neighbouring county seats."""
    links = linked(pairs, length)
    used = np.zeros(len(pairs), dtype=bool)
    for start in capitals:
        came = shortest_ways(links, start)
        for goal in capitals:
            while goal in came and goal != start:
                goal, edge = came[goal]
                used[edge] = True
    return used


def _zones(land: Land, towns: list[Town], shrink: float, rng: np.random.Generator) -> Shapes:
    """Where each town has streets: a blob around the seat on dry land of its county."""
    turn = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    wobble = rng.uniform(0.78, 1.12, (len(towns), 24))
    reach = np.array([town.radius_m for town in towns])[:, None] * wobble * shrink
    around = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    blobs = shapely.polygons(seats_of(towns)[:, None, :] + reach[:, :, None] * around)
    zones: Shapes = shapely.intersection(blobs, land.dry[np.array([town.county for town in towns])])
    return zones


def _town_streets(towns: list[Town], zones: Shapes, rng: np.random.Generator) -> Lines:
    """A lattice of streets in every town; near the county seat all towns continue the same lattice."""
    seats = seats_of(towns)
    angle = rng.uniform(-0.5, 0.5, len(towns))
    origin = seats.copy()
    stems = [names.street_stems(rng, 240) for _ in towns]
    owner = np.arange(len(towns))
    for c in (i for i, town in enumerate(towns) if town.is_county_seat):
        near = np.hypot(*(seats - seats[c]).T) < _SHARED_LATTICE_M
        near &= np.array([town.county == towns[c].county for town in towns])
        angle[near], origin[near], owner[near] = angle[c] * 0.4, seats[c], c
    in_city = np.bincount(owner, minlength=len(towns))[owner] > 3
    parts = [
        _lattice(zones[t], seats[t], origin[t], float(angle[t]), stems[int(owner[t])], in_city=bool(in_city[t]))
        for t in range(len(towns))
    ]
    shapes = [line for part in parts for line in part[0]]
    kinds = np.array([k for part in parts for k in part[1]], dtype=np.int64)
    return Lines(shape_array(shapes), kinds, [n for part in parts for n in part[2]], np.ones(len(shapes), dtype=bool))


def _lattice(
    zone: shapely.Geometry, seat: Array, origin: Array, angle: float, stems: list[str], *, in_city: bool
) -> tuple[list[shapely.Geometry], list[int], list[str]]:
    """The streets of one town, their classes and names; long ones change their name from 西 over 中 to 东."""
    along = np.array([np.cos(angle), np.sin(angle)])
    reach = float(shapely.hausdorff_distance(zone, shapely.Point(seat))) if not zone.is_empty else 0.0
    shapes: list[shapely.Geometry] = []
    kinds: list[int] = []
    titles: list[str] = []
    for axis, (run, across) in enumerate(((along, along[::-1] * (-1.0, 1.0)), (along[::-1] * (-1.0, 1.0), along))):
        middle, shift = float((seat - origin) @ run), float((seat - origin) @ across)
        rows = np.arange(np.ceil((shift - reach) / BLOCK_M), np.floor((shift + reach) / BLOCK_M) + 1).astype(int)
        steps = np.arange(np.floor((middle - reach) / BLOCK_M), np.ceil((middle + reach) / BLOCK_M) + 1) * BLOCK_M
        third = max(reach / 2.2, 900.0)
        for row in rows.tolist():
            kind = _street_class(row, wide=in_city or reach > 2_500.0)
            stem = stems[(2 * row + axis) % len(stems)]
            words = ("",) if kind > SECONDARY or reach < 1_500.0 and not in_city else _SECTIONS[axis]
            for section, part in _sections(steps, third, words):
                course = _warped(origin + part[:, None] * run + row * BLOCK_M * across)
                shapes.append(shapely.intersection(shapely.LineString(course), zone))
                kinds.append(kind)
                titles.append(_street_name(stem, kind, section, axis))
    return shapes, kinds, titles


def _street_class(row: int, *, wide: bool) -> int:
    if row % 6 == 0:
        return PRIMARY if wide else SECONDARY
    return TERTIARY if row % 2 == 0 else RESIDENTIAL


def _street_name(stem: str, kind: int, section: str, axis: int) -> str:
    if kind == PRIMARY:
        return f"{stem}{section}{'路' if section else '大道'}"
    if kind == RESIDENTIAL:
        return f"{stem}{'巷' if axis else '街'}"
    return f"{stem}{section}路"


def _sections(steps: Array, third: float, words: tuple[str, ...]) -> list[tuple[str, Array]]:
    """The named parts of a course, cut at a third on both sides of the origin; neighbouring parts share a step."""
    inner = np.searchsorted(steps, (-third, third)).clip(0, len(steps) - 1).tolist() if len(words) > 1 else []
    cuts = [0, *inner, len(steps) - 1]
    parts = [steps[start : stop + 1] for start, stop in zip(cuts[:-1], cuts[1:], strict=True)]
    return [(word, part) for word, part in zip(words, parts, strict=True) if len(part) > 1]


def _warped(points: Array) -> Array:
    """Bend the plane a little, the same everywhere, so that streets are not drawn with a ruler."""
    x, y = points[:, 0], points[:, 1]
    return points + np.column_stack(
        [55.0 * np.sin(y / 700.0) + 25.0 * np.sin(x / 430.0), 55.0 * np.sin(x / 800.0 + 1.0) + 25.0 * np.sin(y / 510.0)]
    )


def _village_roads(towns: list[Town], division: Division, zones: Shapes) -> Lines:
    """Roads between neighbouring grids of the country, ending at the first streets of a town.

    The ways from the seat to every community of the town are the wider ones.
    """
    pairs = gabriel(division.centres)
    built = np.zeros(len(division.centres), dtype=bool)
    built[shapely.STRtree(zones).query(shapely.points(division.centres), predicate="within")[0]] = True
    wide = _ways_to_seats(towns, division, pairs)
    rural = ~built[pairs].all(axis=1)
    pairs, wide = pairs[rural], wide[rural]
    stems = [name.removesuffix("社区").removesuffix("村") for name in division.communities]
    serial = serials(division.community[pairs[:, 0]])
    titles = []
    for (a, b), is_wide, n in zip(division.community[pairs].tolist(), wide.tolist(), serial.tolist(), strict=True):
        titles.append(f"{stems[a][0]}{stems[b][0]}路" if is_wide and a != b else f"{stems[a]}{names.ordinal(n)}路")
    kind = np.where(wide, TERTIARY, RESIDENTIAL)
    return Lines(shapely.linestrings(division.centres[pairs]), kind, titles, np.zeros(len(pairs), dtype=bool))


def _ways_to_seats(towns: list[Town], division: Division, pairs: Numbers) -> Flags:
    """The pairs of grids on the shortest ways, inside each town, from its seat to its communities."""
    centres, used = division.centres, np.zeros(len(pairs), dtype=bool)
    inside = np.flatnonzero(division.town[pairs[:, 0]] == division.town[pairs[:, 1]])
    length = np.hypot(*(centres[pairs[:, 0]] - centres[pairs[:, 1]]).T)
    links = linked(pairs[inside], length[inside])
    _, first = np.unique(division.community, return_index=True)
    for t, town in enumerate(towns):
        mine = np.flatnonzero(division.town == t)
        seat = int(mine[np.argmin(np.hypot(*(centres[mine] - town.seat).T))])
        came = shortest_ways(links, seat)
        for goal in first[division.town[first] == t].tolist():
            while goal in came and goal != seat:
                goal, edge = came[goal]
                used[inside[edge]] = True
    return used
