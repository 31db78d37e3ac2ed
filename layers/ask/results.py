"""Answers kept for a day, so that they can be paged through and exported: GeoParquet files with what they say beside.

A file is known by an id that cannot be guessed; what it tells of is shown only to those who may still know of every
layer in it. Several processes share the folder.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from layers.ask.question.answer import Answer
from layers.ask.question.errors import UnknownResult
from layers.export import geoparquet
from layers.export.sheet import Sheet, SheetColumn
from layers.spec import Title

KEPT_S: Final = 24 * 3600
MOST_FILES: Final = 1_000
MOST_BYTES: Final = 2 * 1024**3
_ABANDONED_S: Final = 3600.0
_SWEEP_S: Final = 10.0
ID_PATTERN: Final = r"[A-Za-z0-9_-]{24}"

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept: `sheet` reads from the file; `bounds` is west, south, east, north.

    It is shown to its `owner` alone, where it has one.
    """

    id: str
    sheet: Sheet
    asked: dict[str, Any]
    layers: tuple[str, ...]
    bounds: Bounds | None
    path: Path
    owner: str | None = None

    def page(self, offset: int, limit: int) -> gpd.GeoDataFrame:
        """Some rows, by their position."""
        return pd.concat([self._empty(), *self._parts(offset, offset + limit)])

    def _empty(self) -> gpd.GeoDataFrame:
        names = [*(column.name for column in self.sheet.columns), *(["geometry"] if self.sheet.spatial else [])]
        return gpd.GeoDataFrame({name: pd.Series([], dtype=object) for name in names})

    def _parts(self, start: int, stop: int) -> Iterator[gpd.GeoDataFrame]:
        begin = 0
        with pq.ParquetFile(_there(self.path, self.id)) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if begin < stop and begin + rows > start:
                    frame = _frame(file.read_row_group(group), spatial=self.sheet.spatial)
                    yield frame.iloc[max(0, start - begin) : stop - begin]
                begin += rows


class Results:
    """The folder of kept answers."""

    def __init__(
        self,
        folder: Path,
        *,
        kept_s: float = KEPT_S,
        most_files: int = MOST_FILES,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._kept_s, self._most_files, self._most_bytes = kept_s, most_files, most_bytes
        self._clock = clock
        self._swept_at = float("-inf")

    def keep(self, answer: Answer, *, owner: str | None = None) -> Kept:
        """Write an answer down, for its owner alone if it has one; every few seconds what is old or too much goes."""
        id = secrets.token_urlsafe(18)
        path, new, beside = self.folder / f"{id}.parquet", self.scratch("parquet"), self.scratch("json")
        said = {**_said(answer, _bounds(answer.sheet)), "owner": owner}
        try:
            geoparquet.write(answer.sheet, new)
            beside.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
            os.replace(new, path)
            os.replace(beside, path.with_suffix(".json"))
        finally:  # a full disk is not made fuller
            for left in (new, beside):
                left.unlink(missing_ok=True)
        if self._clock() - self._swept_at > _SWEEP_S:
            self.sweep()
        return _kept(id, path, said)

    def find(self, id: str) -> Kept:
        """The answer of this id; UnknownResult when it is not kept (any more)."""
        path = self.folder / f"{id}.parquet"
        if not re.fullmatch(ID_PATTERN, id) or self._old(path):
            raise UnknownResult(id)
        try:
            said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UnknownResult(id) from None
        return _kept(id, path, said)

    def scratch(self, suffix: str) -> Path:
        """A path of a new file in the folder, under a name that no answer has."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"new-{secrets.token_hex(12)}.{suffix}"

    def sweep(self) -> None:
        """Remove what is too old, then the oldest beyond the most files and the most bytes."""
        self._swept_at = self._clock()
        for _, path in self._files("new-*", older_s=_ABANDONED_S):
            path.unlink(missing_ok=True)
        count = size = 0
        for stat, path in self._files("*.parquet"):
            if path.name.startswith("new-"):
                continue
            count, size = count + 1, size + stat.st_size
            if count > self._most_files or size > self._most_bytes or self._clock() - stat.st_mtime > self._kept_s:
                # What it says goes first: without it there is no answer.
                path.with_suffix(".json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)

    def _files(self, pattern: str, *, older_s: float = float("-inf")) -> list[tuple[os.stat_result, Path]]:
        """The files of a pattern that are older than some seconds (of any age without), the youngest first."""
        found = []
        for path in self.folder.glob(pattern):
            with suppress(FileNotFoundError):  # another process sweeps, too
                found.append((path.stat(), path))
        found.sort(key=lambda pair: pair[0].st_mtime, reverse=True)
        return [pair for pair in found if self._clock() - pair[0].st_mtime > older_s]

    def _old(self, path: Path) -> bool:
        try:
            return self._clock() - path.stat().st_mtime > self._kept_s
        except FileNotFoundError:
            return True


def _bounds(sheet: Sheet) -> Bounds | None:
    """The box of all shapes; None where there are none."""
    if not sheet.spatial:
        return None
    corners = [
        shapely.box(*shapely.total_bounds(shapes)) for batch in sheet.batches() if (shapes := _drawn(batch)).size
    ]
    if not corners:
        return None
    west, south, east, north = (round(side, 7) for side in shapely.total_bounds(corners).tolist())
    return west, south, east, north


def _drawn(batch: gpd.GeoDataFrame) -> NDArray[np.object_]:
    shapes = batch.geometry.to_numpy()
    return np.asarray(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])


def _said(answer: Answer, bounds: Bounds | None) -> dict[str, Any]:
    sheet = answer.sheet
    columns = [{**vars(column), "title": list(column.title)} for column in sheet.columns]
    return {
        "title": list(sheet.title), "statement": list(sheet.statement), "columns": columns, "spatial": sheet.spatial,
        "rows": sheet.rows, "truncated": sheet.truncated, "synthetic": sheet.synthetic,
        "made_at": sheet.made_at.isoformat(), "attribution": sheet.attribution and list(sheet.attribution),
        "asked": answer.asked, "layers": list(answer.layers), "bounds": bounds,
    }  # fmt: skip


def _kept(id: str, path: Path, said: dict[str, Any]) -> Kept:
    spatial = said["spatial"]

    def batches() -> Iterator[gpd.GeoDataFrame]:
        with pq.ParquetFile(_there(path, id)) as file:
            for group in range(file.num_row_groups):
                yield _frame(file.read_row_group(group), spatial=spatial)

    sheet = Sheet(
        title=Title(*said["title"]),
        statement=Title(*said["statement"]),
        columns=tuple(SheetColumn(**{**column, "title": Title(*column["title"])}) for column in said["columns"]),
        spatial=spatial,
        rows=said["rows"],
        truncated=said["truncated"],
        synthetic=said["synthetic"],
        made_at=dt.datetime.fromisoformat(said["made_at"]),
        batches=batches,
        attribution=said["attribution"] and Title(*said["attribution"]),
    )
    bounds = None if said["bounds"] is None else tuple(said["bounds"])
    return Kept(id, sheet, said["asked"], tuple(said["layers"]), bounds, path, said.get("owner"))


def _there(path: Path, id: str) -> Path:
    if not path.exists():
        raise UnknownResult(id)
    return path


def _frame(table: Any, *, spatial: bool) -> gpd.GeoDataFrame:
    """A table of Arrow with its values as plain objects: whole numbers stay whole beside missing ones."""
    columns = {name: pd.Series(table[name].to_pylist(), dtype=object) for name in table.column_names}
    if not spatial:
        return gpd.GeoDataFrame(columns)
    shapes = shapely.from_wkb(columns.pop("geometry").to_numpy())
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"))
