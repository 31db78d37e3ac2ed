"""The hazardous sites of the demo city: fuel and gas along the roads, plants and tank farms in zones by the water."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from etl.demo.ground import Ground, layer_frame
from etl.demo.places import local_names
from etl.demo.plane import Array
from etl.demo.shares import apportion, pick, serials
from etl.demo.sites import Spots, spots, spots_near

SITES = 360
THRESHOLD_T = {
    "gasoline": 200.0, "lpg": 50.0, "natural_gas": 50.0, "hydrogen": 5.0, "methanol": 500.0, "benzene": 50.0,
    "ammonia": 10.0, "chlorine": 5.0,
}  # fmt: skip
"""Tonnes from which a site is a major hazard, as GB 18218-2018 is commonly quoted."""
# Lower ends of the grades by quantity over threshold. The standard also weighs the substance and the people around;
# these sites are invented, so both count as 1.
_GRADES = ((100.0, "I"), (50.0, "II"), (10.0, "III"), (1.0, "IV"), (0.0, "none"))
_STATUSES = {"normal": 0.92, "rectifying": 0.05, "stopped": 0.03}
_LAST = np.datetime64("2026-06-30")
# Ports, zones by the river and by the sea, and what is built around them: not where people live.
_ZONES = frozenset(
    {"320613401", "320614414", "320614415", "320623101", "320623401", "320623402", "320681110", "320681401",
     "320682111", "320682400"}
)  # fmt: skip
_ZONE_M = 4_000.0


@dataclass(frozen=True)
class _Sort:
    """One kind of site: share, letter in its id, whether it stands in an industrial zone, its words and its goods.

    `goods` are the substances with the least and the most that a site holds, in tonnes.
    """

    kind: str
    share: float
    letter: str
    in_zone: bool
    words: tuple[str, ...]
    goods: tuple[tuple[str, float, float], ...]


_SORTS = (
    _Sort("fuel_station", 170, "F", False, ("加油站",), (("gasoline", 25, 130),)),
    _Sort("gas_station", 50, "G", False, ("液化石油气站", "天然气门站"), (("lpg", 8, 95), ("natural_gas", 4, 60))),
    _Sort("chemical_plant", 62, "C", True, ("化工生产装置区", "新材料生产装置区", "医药中间体车间"), (
        ("methanol", 60, 6_000), ("benzene", 15, 800), ("ammonia", 2, 90), ("hydrogen", 0.4, 14), ("chlorine", 0.8, 70),
    )),
    _Sort("chemical_store", 30, "S", True, ("危化品仓库",), (("methanol", 80, 3_000), ("benzene", 10, 500))),
    _Sort("tank_farm", 16, "T", True, ("液体化工储罐区", "石化储罐区"), (
        ("methanol", 6_000, 70_000), ("gasoline", 4_000, 40_000), ("lpg", 600, 9_000), ("benzene", 800, 7_000),
    )),
    _Sort("cold_store", 24, "A", False, ("水产冷库", "食品冷库"), (("ammonia", 1.5, 40),)),
    _Sort("waterworks", 8, "W", False, ("水厂加氯间",), (("chlorine", 0.5, 6),)),
)  # fmt: skip


def hazard_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 360 × scale sites; they bear no firm's name but town, kind and number."""
    total = max(len(_SORTS), round(SITES * scale))
    counts = apportion([sort.share for sort in _SORTS], total, least=1)
    stands = [_stand(ground, sort, int(n), rng) for sort, n in zip(_SORTS, counts, strict=True)]
    which = [sort for sort, n in zip(_SORTS, counts, strict=True) for _ in range(int(n))]
    points, grid = ground.stand(np.vstack([s.points for s in stands]))
    towns = local_names(ground, grid, by_town=True)
    titles = [town + sort.words[n] for town, sort, n in zip(towns, which, _words(which, rng), strict=True)]
    nth = serials(np.array(titles)).tolist()
    names = [f"{title}{n}号" if n > 1 else title for title, n in zip(titles, nth, strict=True)]
    keys = [f"{code[:6]}{sort.letter}" for code, sort in zip(ground.town_code[grid], which, strict=True)]
    substance, quantity = _goods(which, rng)
    columns = {
        "id": [f"HZ{k}{n:04d}" for k, n in zip(keys, serials(np.array(keys)).tolist(), strict=True)],
        "name": names, "kind": [sort.kind for sort in which], "substance": substance, "quantity_t": quantity,
        "level": [grade(s, float(q)) for s, q in zip(substance, quantity, strict=True)],
        "status": pick(rng, _STATUSES, total), "owner": [f"{name}运营单位" for name in names],
        "inspected_on": pd.DatetimeIndex(_LAST - rng.integers(0, 360, total)),
        "address": ground.county_words(grid) + np.concatenate([s.address for s in stands]),
    }  # fmt: skip
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def grade(substance: str, quantity_t: float) -> str:
    """The grade of a demo site: how many times its threshold it holds, in classes."""
    times = quantity_t / THRESHOLD_T[substance]
    return next(level for least, level in _GRADES if times >= least)


def _stand(ground: Ground, sort: _Sort, count: int, rng: np.random.Generator) -> Spots:
    if not sort.in_zone:
        return spots(ground, "main", count, rng)
    seats = np.array([town.seat for town in ground.towns if town.unit.code in _ZONES])
    chosen = seats[rng.integers(0, len(seats), count)]
    return spots_near(ground, chosen, reach_m=_ZONE_M, rng=rng, country=True)


def _words(which: list[_Sort], rng: np.random.Generator) -> list[int]:
    return [n % len(sort.words) for sort, n in zip(which, rng.integers(0, 60, len(which)).tolist(), strict=True)]


def _goods(which: list[_Sort], rng: np.random.Generator) -> tuple[list[str], Array]:
    """What each site holds most of, and how many tonnes: many hold little, few hold much."""
    chance = rng.integers(0, 60, len(which)).tolist()
    goods = [sort.goods[n % len(sort.goods)] for sort, n in zip(which, chance, strict=True)]
    low, high = (np.array([good[i] for good in goods], dtype=np.float64) for i in (1, 2))
    quantity = low * (high / low) ** rng.beta(1.3, 2.0, len(which))
    return [good[0] for good in goods], np.round(quantity, 1)
