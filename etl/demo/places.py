"""The places of the demo city: real seats and settlements, and invented communities, schools, hospitals, parks …"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from etl.demo import names
from etl.demo.ground import Ground, layer_frame
from etl.demo.plane import Array, Numbers, Texts, nearest_of
from etl.demo.shares import apportion, serials
from etl.demo.sites import Where, spots
from layers.codes.admin import unit

INVENTED = 3_300


@dataclass(frozen=True)
class _Sort:
    """One kind of invented place: share, importance, where it stands, and the words its names end with."""

    kind: str
    share: float
    importance: float
    where: Where
    words: tuple[str, ...]
    by_town: bool = False


_SORTS = (
    _Sort("school", 420, 0.40, "street", ("小学", "初级中学", "实验学校", "小学", "高级中学")),
    _Sort("kindergarten", 520, 0.25, "street", ("幼儿园", "实验幼儿园")),
    _Sort("hospital", 90, 0.50, "main", ("人民医院", "中医院", "康复医院"), by_town=True),
    _Sort("clinic", 380, 0.25, "any", ("卫生服务站", "卫生室", "门诊部")),
    _Sort("park", 220, 0.35, "street", ("公园", "口袋公园", "体育公园", "湿地公园")),
    _Sort("market", 260, 0.30, "street", ("农贸市场", "菜市场", "商品交易市场")),
    _Sort("station", 14, 0.60, "main", ("站",), by_town=True),
    _Sort("wharf", 40, 0.30, "country", ("码头", "渡口")),
    _Sort("plaza", 90, 0.35, "street", ("广场", "文化广场", "市民广场")),
    _Sort("government", 130, 0.45, "main", ("便民服务中心", "行政服务中心", "办事处"), by_town=True),
    _Sort("police", 150, 0.45, "main", ("派出所",)),
    _Sort("fire_station", 70, 0.45, "main", ("消防救援站",), by_town=True),
    _Sort("bus_station", 400, 0.20, "main", ("公交站",)),
    _Sort("scenic", 60, 0.45, "country", ("风景区", "农业观光园", "古镇景区")),
    _Sort("industrial_park", 110, 0.35, "main", ("工业园", "产业园", "科技园"), by_town=True),
    _Sort("shelter", 320, 0.30, "street", ("应急避难场所",)),
)


@dataclass(frozen=True)
class _Places:
    """Places in the plane with what the layer holds of them."""

    points: Array
    kind: Texts
    names: Texts
    english: Texts
    address: Texts
    importance: Array


def place_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The seats, settlements and communities, and about 3,300 × scale invented institutions."""
    parts = [_seats(ground), _settlements(ground), _communities(ground), _institutions(ground, scale, rng)]
    points, grid = ground.stand(np.vstack([part.points for part in parts]))
    kind = np.concatenate([part.kind for part in parts])
    columns = {
        "id": [f"PL-{k}-{n:05d}" for k, n in zip(kind, serials(kind.astype(str)).tolist(), strict=True)],
        "name": np.concatenate([part.names for part in parts]),
        "name_en": np.concatenate([part.english for part in parts]),
        "kind": kind,
        "address": np.concatenate([part.address for part in parts]),
        "importance": np.round(np.concatenate([part.importance for part in parts]), 3),
    }
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _seats(ground: Ground) -> _Places:
    """One seat a town; that of the county bears the county's name too, as a place of its own."""
    rows: list[tuple[tuple[float, float], str, str, str, str, float]] = []
    for town in ground.towns:
        county = unit(ground.land.codes[town.county])
        if town.is_county_seat:
            rows.append((town.seat, "county_seat", county.name, county.name_en, "南通市", 1.0))
        title = town.unit.name.partition("（")[0]
        english = town.real.name_en if town.real else town.unit.name_en
        rows.append((town.seat, "town_seat", title, english, county.name, 0.8))
    return _places(rows)


def _settlements(ground: Ground) -> _Places:
    """Real places that are no seat today: most of them were towns once."""
    seats = {town.real.name for town in ground.towns if town.real} | {town.short for town in ground.towns}
    rows = [
        (place.xy, "town_seat", place.name, place.name_en, unit(county).name, 0.6)
        for place, county in zip(ground.land.places, ground.land.place_county, strict=True)
        if place.name not in seats
    ]
    return _places(rows)


def _communities(ground: Ground) -> _Places:
    """Every community or village, at the centre of its first grid."""
    division = ground.division
    _, first = np.unique(division.community, return_index=True)
    titles = np.array(division.communities, dtype=object)[division.community[first]]
    kind = np.array(["community" if title.endswith("社区") else "village" for title in titles], dtype=object)
    town = np.array([t.unit.name.partition("（")[0] for t in ground.towns], dtype=object)[division.town[first]]
    address = ground.county_words(first) + town
    none = np.full(len(first), None, dtype=object)
    # The centre of an area by the sea may lie outside of it; the road nearest to it does not.
    nodes = ground.net.nodes
    points = nodes[nearest_of(division.centres[first], nodes)]
    return _Places(points, kind, titles, none, address, np.full(len(first), 0.45))


def _institutions(ground: Ground, scale: float, rng: np.random.Generator) -> _Places:
    counts = apportion([s.share for s in _SORTS], max(len(_SORTS), round(INVENTED * scale)), least=1)
    parts = [_of_sort(ground, sort, int(count), rng) for sort, count in zip(_SORTS, counts, strict=True)]
    return _Places(
        points=np.vstack([p.points for p in parts]), kind=np.concatenate([p.kind for p in parts]),
        names=np.concatenate([p.names for p in parts]), english=np.concatenate([p.english for p in parts]),
        address=np.concatenate([p.address for p in parts]),
        importance=np.concatenate([p.importance for p in parts]),
    )  # fmt: skip


def _of_sort(ground: Ground, sort: _Sort, count: int, rng: np.random.Generator) -> _Places:
    found = spots(ground, sort.where, count, rng)
    _, grid = ground.stand(found.points)
    stems = local_names(ground, grid, by_town=sort.by_town)
    word = np.array(sort.words, dtype=object)[rng.integers(0, len(sort.words), count)]
    nth = serials(np.array([f"{s}/{w}" for s, w in zip(stems, word, strict=True)]))
    titles = [
        s + (f"第{names.ordinal(n)}" if 1 < n < 100 else "" if n == 1 else str(n)) + w
        for s, w, n in zip(stems, word, nth.tolist(), strict=True)
    ]
    return _Places(
        points=found.points, kind=np.full(count, sort.kind, dtype=object), names=np.array(titles, dtype=object),
        english=np.full(count, None, dtype=object), address=ground.county_words(grid) + found.address,
        importance=np.clip(sort.importance + rng.uniform(-0.05, 0.05, count), 0.0, 1.0),
    )  # fmt: skip


def local_names(ground: Ground, grid: Numbers, *, by_town: bool) -> list[str]:
    """How things at grids are called: after their town, or after town and community (金沙新桥)."""
    division = ground.division
    found = []
    for town, community in zip(division.town[grid].tolist(), division.community[grid].tolist(), strict=True):
        stem = division.communities[community].removesuffix("社区").removesuffix("村")
        found.append(ground.towns[town].short + ("" if by_town else stem))
    return found


def _places(rows: list[tuple[tuple[float, float], str, str, str, str, float]]) -> _Places:
    texts = [np.array([row[i] for row in rows], dtype=object) for i in range(1, 5)]
    points = np.array([row[0] for row in rows], dtype=np.float64).reshape(-1, 2)
    return _Places(points, texts[0], texts[1], texts[2], texts[3], np.array([row[5] for row in rows]))
