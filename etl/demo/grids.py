"""The areas of the demo city: grids that follow the people, nest in communities and towns, and leave no gap.

Every county is divided once, into Voronoi cells of people's centres; grids, duty grids and towns are unions of those
cells, so that a border is the same line on both of its sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo import names
from etl.demo.graph import bodies
from etl.demo.land import Land
from etl.demo.plane import GRAIN_M, Array, Numbers, Shapes, nearest_of, shape_array
from etl.demo.shares import apportion, serials
from etl.demo.towns import Town, county_population, seats_of

GRIDS = 8_470
_SAMPLES_PER_CELL = 12
_ROUNDS = 3
_GRIDS_PER_COMMUNITY, _GRIDS_PER_DUTY = 4.2, 8.0
_RURAL_COMMUNITY_M2 = 1_200_000.0


@dataclass(frozen=True)
class Division:
    """The grids: shape and centre in the plane, town and community (positions), people, and duty grid (position).

    `communities` are the names, `community_codes` the 12-digit codes; `ids` the 15-digit grid ids.
    """

    shapes: Shapes
    centres: Array
    town: Numbers
    community: Numbers
    duty: Numbers
    people: Numbers
    ids: tuple[str, ...]
    communities: tuple[str, ...]
    community_codes: tuple[str, ...]
    town_shapes: Shapes


def divide(land: Land, towns: list[Town], *, scale: float, rng: np.random.Generator) -> Division:
    """Divide the city into grids; below scale 1 several cells make one grid, above it grids stay as they are."""
    cells, seeds, town, people = _cells(land, towns, rng)
    group = _groups(seeds, town, max(len(towns), round(GRIDS * min(1.0, scale))), rng)
    shapes = cells if scale >= 1.0 else _unions(cells, group)
    count = len(shapes)
    town_of = np.zeros(count, dtype=np.int64)
    town_of[group] = town
    heads = np.bincount(group, weights=people, minlength=count).astype(np.int64)
    weight = np.bincount(group, weights=people + 1.0, minlength=count)
    centres = np.column_stack([np.bincount(group, (people + 1.0) * seeds[:, i], count) / weight for i in (0, 1)])
    community = _parts(centres, town_of, _GRIDS_PER_COMMUNITY, rng)
    duty = _parts(centres, town_of, _GRIDS_PER_DUTY, rng)
    codes, titles = _communities(shapes, town_of, community, towns, rng)
    order, ids = _numbered(centres, community, codes)
    return Division(
        shapes=shapes[order], centres=centres[order], town=town_of[order], community=community[order],
        duty=duty[order], people=heads[order], ids=tuple(ids), communities=tuple(titles),
        community_codes=tuple(codes), town_shapes=_unions(cells, town),
    )  # fmt: skip


def _cells(land: Land, towns: list[Town], rng: np.random.Generator) -> tuple[Shapes, Array, Numbers, Numbers]:
    """The 8,470 cells with their seeds, towns and people, county by county."""
    people = county_population(land)
    quota = apportion(people, GRIDS)
    parts: list[tuple[Shapes, Array, Numbers, Numbers]] = []
    for county in range(len(land.codes)):
        members = [i for i, town in enumerate(towns) if town.county == county]
        here = [towns[i] for i in members]
        homes = _homes(land.dry[county], here, int(quota[county]) * _SAMPLES_PER_CELL, int(people[county]), rng)
        seeds = _centres(homes, seats_of(here), int(quota[county]), rng)
        shapes = _voronoi(seeds, land.outlines[county])
        town = np.array(members, dtype=np.int64)[nearest_of(seeds, seats_of(here))]
        heads = apportion(np.bincount(nearest_of(homes, seeds), minlength=len(seeds)) + 0.5, int(people[county]))
        parts.append((shapes, seeds, _in_one_piece(shapes, town, len(here)), heads))
    cells, seeds, town, heads = (np.concatenate(column) for column in zip(*parts, strict=True))
    return cells, seeds, town, heads


def _homes(dry: object, towns: list[Town], count: int, people: int, rng: np.random.Generator) -> Array:
    """Places where people live: around the seats, the rest spread over the dry land."""
    west, south, east, north = shapely.bounds(dry)
    urban = np.array([town.urban for town in towns]) / people
    found: list[Array] = []
    missing = count
    while missing > 0:
        pick = rng.choice(len(towns) + 1, size=2 * missing, p=[*urban, 1.0 - urban.sum()])
        spread = np.array([town.radius_m for town in towns] + [1.0])[pick] * 0.62
        seats = np.vstack([seats_of(towns), [[0.0, 0.0]]])[pick]
        near = seats + rng.normal(size=(len(pick), 2)) * spread[:, None]
        far = rng.uniform((west, south), (east, north), size=(len(pick), 2))
        spots = np.where((pick == len(towns))[:, None], far, near)
        found.append(spots[shapely.contains_xy(dry, spots)][:missing])
        missing -= len(found[-1])
    return np.vstack(found)


def _centres(homes: Array, seats: Array, count: int, rng: np.random.Generator) -> Array:
    """Centres of groups of homes of about equal number; the seats are the first of them and stay where they are."""
    seeds = np.vstack([seats, homes[rng.choice(len(homes), size=count - len(seats), replace=False)]])
    for _ in range(_ROUNDS):
        owner = nearest_of(homes, seeds)
        heads = np.bincount(owner, minlength=count)
        for axis in (0, 1):
            total = np.bincount(owner, weights=homes[:, axis], minlength=count)
            seeds[:, axis] = np.where(heads > 0, total / np.maximum(heads, 1), seeds[:, axis])
        seeds[: len(seats)] = seats
    return seeds


def _voronoi(seeds: Array, outline: object) -> Shapes:
    """The Voronoi cells of the seeds inside the outline, in one piece each wherever a neighbour can take the rest."""
    raw = shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=outline, ordered=True)
    cells = shapely.intersection(shapely.get_parts(raw), outline, grid_size=GRAIN_M)
    split = np.flatnonzero(shapely.get_num_geometries(cells) > 1)
    orphans: list[object] = []
    for i in split:
        parts = shapely.get_parts(cells[i])
        own = int(np.argmin(shapely.distance(parts, shapely.Point(seeds[i]))))
        cells[i] = parts[own]
        orphans += [part for k, part in enumerate(parts) if k != own]
    for orphan in orphans:
        near = np.sort(shapely.STRtree(cells).query(orphan, predicate="intersects"))
        shared = shapely.length(shapely.intersection(cells[near], orphan, grid_size=GRAIN_M))
        heir = int(near[np.argmax(shared)])
        cells[heir] = shapely.union(cells[heir], orphan, grid_size=GRAIN_M)
    return np.asarray(cells, dtype=object)


def _in_one_piece(cells: Shapes, town: Numbers, towns: int) -> Numbers:
    """Give cells that lie apart from the body of their town to the town that surrounds them."""
    left, right = shapely.STRtree(cells).query(cells, predicate="touches")
    shared = shapely.length(shapely.intersection(cells[left], cells[right])) > 0.0
    left, right = left[shared], right[shared]
    town = town.copy()
    for _ in range(towns):
        same = town[left] == town[right]
        label = bodies(len(cells), left[same], right[same])
        size = np.bincount(label, minlength=len(cells))
        largest = np.zeros(int(town.max()) + 1, dtype=np.int64)
        np.maximum.at(largest, town, size[label])
        stray = size[label] < largest[town]
        edge = stray[left] & ~stray[right] & (town[left] != town[right])
        if not edge.any():
            return town
        town[left[edge]] = town[right[edge]]
    return town


def _groups(seeds: Array, town: Numbers, count: int, rng: np.random.Generator) -> Numbers:
    """Bring cells together into `count` groups, each inside one town and each town with one at least."""
    size = np.bincount(town)
    if count >= len(seeds):
        return np.arange(len(seeds))
    return _clusters(seeds, town, apportion(size, count, least=1), rng)


def _parts(centres: Array, town: Numbers, per_part: float, rng: np.random.Generator) -> Numbers:
    size = np.bincount(town)
    return _clusters(centres, town, np.maximum(1, np.round(size / per_part)).astype(np.int64), rng)


def _clusters(points: Array, town: Numbers, wanted: Numbers, rng: np.random.Generator) -> Numbers:
    """Number the points by compact clusters inside each town, `wanted` of them (fewer if it has fewer points)."""
    label = np.zeros(len(points), dtype=np.int64)
    first = 0
    for t in range(len(wanted)):
        mine = np.flatnonzero(town == t)
        here = points[mine]
        centres = here[np.sort(rng.choice(len(mine), size=min(int(wanted[t]), len(mine)), replace=False))]
        for _ in range(4):
            owner = _nearest(here, centres)
            for k in range(len(centres)):
                centres[k] = here[owner == k].mean(axis=0) if (owner == k).any() else centres[k]
        used, compact = np.unique(_nearest(here, centres), return_inverse=True)
        label[mine] = first + compact
        first += len(used)
    return label


def _nearest(points: Array, centres: Array) -> Numbers:
    gap = points[:, None, :] - centres[None, :, :]
    return np.asarray(np.argmin((gap**2).sum(axis=2), axis=1), dtype=np.int64)


def _unions(cells: Shapes, group: Numbers) -> Shapes:
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0])
    return shape_array([shapely.coverage_union_all(part) for part in np.split(cells[order], starts[1:])])


def _communities(
    shapes: Shapes, town: Numbers, community: Numbers, towns: list[Town], rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """The 12-digit codes and names of the communities: 社区 (from 001) in the streets, 村 (from 200) in the country."""
    count = int(community.max()) + 1
    area = np.bincount(community, weights=shapely.area(shapes), minlength=count)
    town_of = np.zeros(count, dtype=np.int64)
    town_of[community] = town
    codes, titles = [""] * count, [""] * count
    for t, owner in enumerate(towns):
        mine = np.flatnonzero(town_of == t)
        stems = names.village_stems(rng, len(mine))
        urban = area[mine] / np.bincount(community, minlength=count)[mine] < _RURAL_COMMUNITY_M2 / 2.0
        serial = {True: 0, False: 199}
        for c, stem, streets in zip(mine.tolist(), stems, urban.tolist(), strict=True):
            serial[streets] += 1
            codes[c] = f"{owner.unit.code}{serial[streets]:03d}"
            titles[c] = stem + ("社区" if streets else "村")
    return codes, titles


def _numbered(centres: Array, community: Numbers, codes: list[str]) -> tuple[Numbers, list[str]]:
    """The order of the grids by id, and the ids: west to east, then north to south inside the community."""
    size = np.bincount(community)
    tall = np.sqrt(np.maximum(1.0, size))
    top = np.full(len(size), -np.inf)
    low = np.full(len(size), np.inf)
    np.maximum.at(top, community, centres[:, 1])
    np.minimum.at(low, community, centres[:, 1])
    height = np.maximum(1.0, top - low)[community] * 1.0001
    row = np.floor((top[community] - centres[:, 1]) / height * tall[community])
    rank = np.array([codes[c] for c in community.tolist()])
    order = np.lexsort((centres[:, 0], row, rank))
    ranked = rank[order]
    serial = serials(ranked)
    return order, [f"{code}{n:03d}" for code, n in zip(ranked.tolist(), serial.tolist(), strict=True)]
