"""The shelters of the demo city, in its parks, schools and squares, and its stores of emergency supplies."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from etl.demo.ground import Ground, layer_frame
from etl.demo.plane import Array, Numbers, Texts
from etl.demo.shares import pick, serials
from etl.demo.sites import spots_near
from etl.demo.towns import seats_of
from layers.codes.admin import unit

SUPPLIES = 180
_TITLE = "应急避难场所"
# kind of place: (share of them that are shelters, site, usable m² lowest and highest)
_SITES = {
    "park": (0.35, "green", 3_000.0, 60_000.0), "school": (0.20, "school", 2_000.0, 15_000.0),
    "plaza": (0.40, "plaza", 1_500.0, 20_000.0), "shelter": (1.0, "", 1_000.0, 12_000.0),
}  # fmt: skip
_UNNAMED = {"plaza": 0.3, "green": 0.3, "gym": 0.2, "hall": 0.2}
# Usable m² from which people can stay for long or for days, and m² that each of them needs.
_STAYS = ((20_000.0, "long", 4.5), (6_000.0, "short", 2.0), (0.0, "emergency", 1.0))
_SHELTER_STATUSES = {"ready": 0.95, "closed": 0.05}
_OPERATORS = {
    "green": "城市管理局", "plaza": "城市管理局", "school": "教育体育局", "gym": "教育体育局", "hall": "民政局",
}  # fmt: skip

_SUPPLY_STATUSES = {"ready": 0.86, "low": 0.11, "out": 0.03}
_LAST = np.datetime64("2026-06-30")
_SEAT_M, _CITY_STORES = 900.0, 4
# kind: (share, end of the name, operator, what is kept with the usual number of it)
_KINDS: dict[str, tuple[float, str, str, tuple[tuple[str, int], ...]]] = {
    "flood": (0.30, "防汛物资仓库", "水务局",
              (("编织袋（条）", 20_000), ("移动泵车（台）", 4), ("救生衣（件）", 300))),
    "rescue": (0.20, "抢险装备库", "应急管理局",
               (("破拆工具（套）", 20), ("冲锋舟（艘）", 6), ("生命探测仪（台）", 3))),
    "living": (0.18, "救灾物资储备点", "应急管理局",
               (("帐篷（顶）", 300), ("棉被（床）", 1_200), ("折叠床（张）", 500))),
    "fire": (0.12, "消防物资点", "消防救援大队", (("泡沫液（吨）", 20), ("水带（米）", 4_000))),
    "medical": (0.09, "应急药械储备点", "卫生健康委员会", (("急救包（个）", 500), ("担架（副）", 40))),
    "power": (0.06, "应急电力照明库", "住房和城乡建设局", (("发电机（台）", 12), ("移动照明灯（台）", 30))),
    "spill": (0.05, "危化处置物资库", "应急管理局",
              (("吸附材料（吨）", 8), ("围油栏（米）", 1_500), ("防化服（套）", 40))),
}  # fmt: skip


def shelter_frame(places: gpd.GeoDataFrame, *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """The shelters: all places that are one, and a part of the parks, schools and squares."""
    share = places["kind"].map({kind: each[0] for kind, each in _SITES.items()}).fillna(0.0).to_numpy()
    here = places[rng.random(len(places)) < share]
    kind, count = here["kind"].tolist(), len(here)
    site = [s or k for s, k in zip((_SITES[k][1] for k in kind), pick(rng, _UNNAMED, count), strict=True)]
    low, high = (np.array([_SITES[k][i] for k in kind], dtype=np.float64) for i in (2, 3))
    area = np.round(low * (high / low) ** rng.beta(1.5, 2.0, count), -1)
    stays = [next((stay, each) for least, stay, each in _STAYS if a >= least) for a in area.tolist()]
    county = np.array([unit(code[:6]).name for code in here["admin_code"]], dtype=object)
    columns = {
        "id": _ids("SH", here["admin_code"].to_numpy()),
        "name": [n if k == "shelter" else n + _TITLE for n, k in zip(here["name"], kind, strict=True)],
        "stay": [stay for stay, _ in stays], "status": pick(rng, _SHELTER_STATUSES, count), "site": site,
        "capacity": [int(a / each // 10 * 10) for a, (_, each) in zip(area.tolist(), stays, strict=True)],
        "area_m2": area, "operator": [c + _OPERATORS[s] for c, s in zip(county, site, strict=True)],
        "address": here["address"].to_numpy(),
    }  # fmt: skip
    shapes = np.asarray(here.geometry.array, dtype=object)
    return layer_frame(columns, shapes, grid_id=here["grid_id"].to_numpy(), admin_code=here["admin_code"].to_numpy())


def supply_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 180 × scale stores near the seats: of the city, then of the counties, then of the towns."""
    total = max(len(_KINDS), round(SUPPLIES * scale))
    town, level = _homes(ground, total, rng)
    stands = spots_near(ground, seats_of(ground.towns)[town], reach_m=_SEAT_M, rng=rng)
    points, grid = ground.stand(stands.points)
    # One of every kind first, so that a small city has them all.
    kind = [*_KINDS, *pick(rng, {k: v[0] for k, v in _KINDS.items()}, total - len(_KINDS))]
    homes = _owners(ground, town, level)
    titles = [home + _KINDS[k][1] for home, k in zip(homes, kind, strict=True)]
    nth = serials(np.array(titles)).tolist()
    county = ground.county_words(grid)
    status = pick(rng, _SUPPLY_STATUSES, total)
    columns = {
        "id": _ids("SP", ground.town_code[grid]),
        "name": [f"{title}{n}号" if n > 1 else title for title, n in zip(titles, nth, strict=True)],
        "kind": kind, "level": level, "status": status, "stock": _stock(kind, status, rng),
        "operator": [("南通市" if at == "city" else c) + _KINDS[k][2]
                     for at, c, k in zip(level, county, kind, strict=True)],
        "counted_on": pd.DatetimeIndex(_LAST - rng.integers(0, 180, total)), "address": county + stands.address,
    }  # fmt: skip
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _homes(ground: Ground, total: int, rng: np.random.Generator) -> tuple[Numbers, list[str]]:
    """The town (position) at whose seat each store stands, and whose it is."""
    seats = np.array([i for i, town in enumerate(ground.towns) if town.is_county_seat], dtype=np.int64)
    city = min(_CITY_STORES, total // 4)
    county = min(3 * len(seats), (total - city) // 2)
    rest = total - city - county
    spread = np.tile(rng.permutation(len(ground.towns)), rest // len(ground.towns) + 1)[:rest]
    capital = next(i for i in seats.tolist() if ground.land.codes[ground.towns[i].county] == "320613")
    town = np.concatenate([np.full(city, capital), np.resize(seats, county), spread]).astype(np.int64)
    return town, ["city"] * city + ["county"] * county + ["town"] * rest


def _owners(ground: Ground, town: Numbers, level: list[str]) -> list[str]:
    """The first part of each name: the city's, the county's or the town's."""
    called = {"city": ["南通市"] * len(ground.towns), "town": [town.short for town in ground.towns]}
    called["county"] = [unit(ground.land.codes[town.county]).name for town in ground.towns]
    return [called[at][i] for at, i in zip(level, town.tolist(), strict=True)]


def _stock(kind: list[str], status: Texts, rng: np.random.Generator) -> list[str]:
    """What is kept, in words; stores that lack something have less of it, those that sent it out none."""
    left = {"ready": (0.8, 1.3), "low": (0.1, 0.5), "out": (0.0, 0.0)}
    written = []
    for each, state in zip(kind, status.tolist(), strict=True):
        share: Array = rng.uniform(*left[state], len(_KINDS[each][3]))
        goods = zip(_KINDS[each][3], share.tolist(), strict=True)
        written.append("、".join(f"{what}{round(usual * part)}" for (what, usual), part in goods))
    return written


def _ids(head: str, admin_code: Texts) -> list[str]:
    keys = [f"{head}{code[:6]}" for code in admin_code]
    return [f"{key}{n:04d}" for key, n in zip(keys, serials(np.array(keys)).tolist(), strict=True)]
