"""Figures as a sheet: one row a figure, with its unit, parts, norm, time and source, for reports and spreadsheets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import pandas as pd

from layers.ask.facets import Facet
from layers.ask.indicator.figures import Figures
from layers.ask.indicator.indicator import Indicator, Status
from layers.ask.indicator.rolling import today
from layers.export.sheet import Sheet, SheetColumn
from layers.spec import FieldKind, Layer, Title

_STATUSES: Final[dict[Status | None, str | None]] = {"ok": "达标", "warn": "需关注", "bad": "不达标", None: None}
_RECORDS: Final = Title("条", "records")
_PART_DIGITS: Final = 3
# Name, Chinese and English title and kind of each column.
_COLUMNS: Final[tuple[tuple[str, str, str, FieldKind], ...]] = (
    ("indicator", "指标代号", "Indicator", "text"),
    ("title_zh", "指标", "Title (zh)", "text"),
    ("title_en", "指标（英文）", "Title", "text"),
    ("by", "分组", "By", "text"),
    ("key", "代码", "Key", "text"),
    ("name_zh", "范围", "Of (zh)", "text"),
    ("name_en", "范围（英文）", "Of", "text"),
    ("value", "数值", "Value", "number"),
    ("unit_zh", "单位", "Unit (zh)", "text"),
    ("unit_en", "单位（英文）", "Unit", "text"),
    ("numerator", "分子", "Numerator", "number"),
    ("denominator", "分母", "Denominator", "number"),
    ("status", "状态代码", "Status", "text"),
    ("status_zh", "状态", "Status (zh)", "text"),
    ("norm_low", "标准下限", "Norm from", "number"),
    ("norm_high", "标准上限", "Norm to", "number"),
    ("period_since", "统计起始日", "Period from", "date"),
    ("as_of", "截至", "As of", "time"),
    ("source", "来源图层", "Source", "text"),
    ("updated", "数据更新", "Data of", "time"),
    ("synthetic", "合成数据", "Synthetic", "boolean"),
)


@dataclass(frozen=True)
class Source:
    """Where figures come from, of when they and their data are, and whether these are invented."""

    at: dt.datetime
    layers: str
    updated: dt.datetime | None
    synthetic: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row: a figure and where it comes from."""

    indicator: str
    title_zh: str
    title_en: str
    by: str
    key: str | None
    name_zh: str
    name_en: str
    value: float | None
    unit_zh: str | None
    unit_en: str | None
    numerator: float
    denominator: float | None
    status: Status | None = None
    norm_low: float | None = None
    norm_high: float | None = None
    period_since: dt.date | None = None
    source: Source

    @property
    def cells(self) -> dict[str, object]:
        """The values by column."""
        given = {name: getattr(self, name) for name, *_ in _COLUMNS if hasattr(self, name)}
        source = self.source
        of = {"as_of": source.at, "source": source.layers, "updated": source.updated, "synthetic": source.synthetic}
        return {**given, "status_zh": _STATUSES[self.status], **of}


def lines_of(indicator: Indicator, by: str, found: Figures, source: Source) -> Iterator[Line]:
    """The figures of an indicator, in their order."""
    period, unit = indicator.period, indicator.unit
    for each in found.values:
        yield Line(
            indicator=indicator.name,
            title_zh=indicator.title.zh,
            title_en=indicator.title.en,
            by=by,
            key=each.key,
            name_zh=each.title.zh,
            name_en=each.title.en,
            value=None if each.value is None else round(each.value, indicator.decimals),
            unit_zh=unit and unit.zh,
            unit_en=unit and unit.en,
            numerator=round(each.numerator, _PART_DIGITS),
            denominator=None if each.denominator is None else round(each.denominator, _PART_DIGITS),
            status=each.status,
            norm_low=indicator.norm.low,
            norm_high=indicator.norm.high,
            period_since=None if period is None else period.since(today()),
            source=source,
        )


def lines_of_states(layer: Layer, facet: Facet, source: Source) -> Iterator[Line]:
    """How many records of a layer have each value of a column, of those that were counted."""
    whole = sum(each.count for each in facet.values)
    for each in facet.values:
        name = each.title or Title(each.value or "未填写", each.value or "Not given")
        yield Line(
            indicator=f"{layer.name}.{facet.field.name}",
            title_zh=f"{layer.title.zh}：{facet.field.title.zh}",
            title_en=f"{layer.title.en}: {facet.field.title.en}",
            by=facet.field.name,
            key=each.value,
            name_zh=name.zh,
            name_en=name.en,
            value=each.count,
            unit_zh=_RECORDS.zh,
            unit_en=_RECORDS.en,
            numerator=each.count,
            denominator=whole,
            source=source,
        )


def sheet(title: Title, statement: Title, lines: Sequence[Line], *, truncated: bool, credit: Title) -> Sheet:
    """The rows as a sheet that is written in any format of tables."""
    rows = [line.cells for line in lines]

    def batches() -> Iterator[gpd.GeoDataFrame]:
        yield gpd.GeoDataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name, *_ in _COLUMNS})

    return Sheet(
        title=title,
        statement=statement,
        columns=tuple(SheetColumn(name, Title(zh, en), kind) for name, zh, en, kind in _COLUMNS),
        spatial=False,
        rows=len(lines),
        truncated=truncated,
        synthetic=any(line.source.synthetic for line in lines),
        made_at=dt.datetime.now(dt.UTC),
        batches=batches,
        attribution=credit,
    )
