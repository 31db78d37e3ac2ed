"""The components of the demo city: every class of the national book, along the roads, with valid identifiers."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.demo.component_mix import Mix, keepers, mix
from etl.demo.ground import Ground, layer_frame
from etl.demo.plane import Array, Numbers, Texts
from etl.demo.shares import apportion, pick, serials
from etl.demo.sites import Spots, spots
from layers.codes.books import NATIONAL, book

COMPONENTS = 124_000
_STATES = {"intact": 0.965, "broken": 0.020, "abandoned": 0.007, "lost": 0.005, "removed": 0.003}
_FIRST, _LAST = np.datetime64("2008-01-01"), np.datetime64("2026-06-30")


def component_frame(ground: Ground, *, scale: float, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 124,000 components at scale 1, at least one of every class."""
    names = {entry.code: entry.zh for entry in book("component", standard=NATIONAL).entries}
    parts = mix(tuple(names))
    total = max(len(parts), round(COMPONENTS * scale))
    counts = apportion([part.share for part in parts], total, least=1)
    stands = [_stand(ground, part, int(n), rng) for part, n in zip(parts, counts, strict=True)]
    codes = np.repeat(np.array([part.class_code for part in parts], dtype=object), counts)
    points, grid = ground.stand(np.vstack([s.points for s in stands]))
    county = np.array(ground.land.codes, dtype=object)[ground.county[grid]]
    state = pick(rng, _STATES, total)
    first, changed = _dates(state, rng)
    columns = {
        "id": _ids(county, codes), "standard": NATIONAL, "class_code": codes,
        "name": np.array([names[code] for code in codes], dtype=object), "state": state,
        **_kept(codes, ground.county_words(grid), rng),
        "address": np.array([f"{a}附近" for s in stands for a in s.address], dtype=object),
        "first_date": first, "change_date": changed, "data_source": "synthetic", "note": None,
    }  # fmt: skip
    return layer_frame(columns, points, grid_id=ground.grid_id[grid], admin_code=ground.town_code[grid])


def _stand(ground: Ground, part: Mix, count: int, rng: np.random.Generator) -> Spots:
    return spots(ground, part.where, count, rng, spacing_m=part.spacing_m)


def _ids(county: Texts, codes: Texts) -> list[str]:
    """17 digits: county 6, class 5, serial 6 inside the county and class."""
    keys = [c + k for c, k in zip(county, codes, strict=True)]
    return [f"{key}{n:06d}" for key, n in zip(keys, serials(np.array(keys)).tolist(), strict=True)]


def _kept(codes: Texts, counties: Texts, rng: np.random.Generator) -> dict[str, Texts | None]:
    """Department, owner and maintainer of each component, in words of its county."""
    chance = rng.integers(0, 12, len(codes))
    written: dict[tuple[str, str, int], tuple[str, str, str]] = {}
    rows = []
    for code, county, lot in zip(codes, counties, chance.tolist(), strict=True):
        if (code, county, lot) not in written:
            usual = keepers(code)
            keeper = usual[lot % len(usual)]
            written[code, county, lot] = (
                keeper.department.replace("{c}", county),
                keeper.owner.replace("{c}", county),
                keeper.maintainer.replace("{c}", county),
            )
        rows.append(written[code, county, lot])
    department, owner, maintainer = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    return {"department": department, "department_code": None, "owner": owner, "maintainer": maintainer}


def _dates(state: Texts, rng: np.random.Generator) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The day of the first record, and of the last change where there was one (always when it is not intact)."""
    count = len(state)
    first = _FIRST + _days(rng.beta(2.2, 1.2, count), (_LAST - _FIRST).astype(int) - 90)
    changed = first + 1 + _days(rng.random(count), (_LAST - first).astype(np.int64) - 1)
    never = (state == "intact") & (rng.random(count) < 0.85)
    changed[never] = np.datetime64("NaT")
    return pd.DatetimeIndex(first), pd.DatetimeIndex(changed)


def _days(share: Array, most: NDArray[np.int64] | int) -> Numbers:
    return np.asarray(np.floor(share * most), dtype=np.int64)
