"""The pollution points of the demo city: stations for air, water, soil and noise, and enterprises that discharge."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from etl.demo.ground import Ground, layer_frame
from etl.demo.names import INDUSTRIES
from etl.demo.places import local_names
from etl.demo.plane import Numbers
from etl.demo.shares import apportion, pick, serials
from etl.demo.sites import Spots, Where, spots

POINTS = 1_200
_STATUSES = {"normal": 0.93, "exceeding": 0.04, "offline": 0.03}


@dataclass(frozen=True)
class _Sort:
    """One kind of point: share, letter in its code, where it stands, the end of its name, and what it measures."""

    kind: str
    share: float
    letter: str
    where: Where
    word: str
    indicators: tuple[str, ...]


_SORTS = (
    _Sort("air", 90, "A", "main", "空气质量监测站", ("PM2.5、PM10、SO2、NO2、O3、CO", "PM2.5、PM10")),
    _Sort("water", 260, "W", "country", "河断面", ("pH、溶解氧、高锰酸盐指数、氨氮、总磷",)),
    _Sort("soil", 130, "S", "country", "土壤监测点", ("镉、汞、砷、铅、铬", "镉、铅、苯并[a]芘")),
    _Sort("noise", 240, "N", "crossing", "噪声监测点", ("等效连续A声级",)),
    _Sort("enterprise", 480, "E", "any", "企业", ("COD、氨氮、总磷", "SO2、NOx、颗粒物", "VOCs", "pH、悬浮物、COD")),
)


def pollution_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 1,200 × scale points; enterprises bear no firm's name but town, trade and number."""
    total = max(len(_SORTS), round(POINTS * scale))
    counts = apportion([sort.share for sort in _SORTS], total, least=1)
    stands = [spots(ground, sort.where, int(n), rng) for sort, n in zip(_SORTS, counts, strict=True)]
    points, grid = ground.stand(np.vstack([s.points for s in stands]))
    which = np.repeat(np.arange(len(_SORTS)), counts)
    titles = _titles(ground, stands, which, grid, rng)
    county = np.array(ground.land.codes, dtype=object)[ground.county[grid]]
    keys = [f"{c}{_SORTS[k].letter}" for c, k in zip(county, which.tolist(), strict=True)]
    codes = [f"{key}{n:05d}" for key, n in zip(keys, serials(np.array(keys)).tolist(), strict=True)]
    stations = ground.county_words(grid) + "生态环境监测站"
    choice = rng.integers(0, 60, total)
    indicators = [_SORTS[k].indicators for k in which.tolist()]
    columns = {
        "id": [f"PP{code}" for code in codes], "name": titles,
        "kind": np.array([sort.kind for sort in _SORTS], dtype=object)[which],
        "status": pick(rng, _STATUSES, total),
        "operator": [t if _SORTS[k].kind == "enterprise" else s
                     for t, s, k in zip(titles, stations, which.tolist(), strict=True)],
        "indicator": [usual[n % len(usual)] for usual, n in zip(indicators, choice.tolist(), strict=True)],
        "address": ground.county_words(grid) + np.concatenate([s.address for s in stands]) + "附近",
        "station_code": codes, "city_name": "南通市",
    }  # fmt: skip
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _titles(ground: Ground, stands: list[Spots], which: Numbers, grid: Numbers, rng: np.random.Generator) -> list[str]:
    towns, places = (local_names(ground, grid, by_town=by_town) for by_town in (True, False))
    roads = ground.net.names[np.concatenate([s.piece for s in stands])]
    trade = [INDUSTRIES[i] for i in rng.integers(0, len(INDUSTRIES), len(which))]
    titles = []
    for i, k in enumerate(which.tolist()):
        sort = _SORTS[k]
        if sort.kind == "enterprise":
            titles.append(f"{towns[i]}{trade[i]}企业")
        else:
            titles.append((towns[i] + roads[i] if sort.kind == "noise" else places[i]) + sort.word)
    nth = serials(np.array(titles))
    return [f"{title}{n}号" if n > 1 or title.endswith("企业") else title for title, n in zip(titles, nth, strict=True)]
