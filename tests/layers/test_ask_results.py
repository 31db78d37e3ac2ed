"""Kept answers: what was written is read, what is old or too much goes, and nothing half-made is ever found."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.ask.question.answer import Answer, Found, sheet_of
from layers.ask.question.errors import UnknownResult
from layers.ask.results import Kept, Results
from layers.export.sheet import SheetColumn
from layers.export.values import rows
from layers.spec import Title

COLUMNS = (
    SheetColumn("id", Title("标识码", "Id"), "text"),
    SheetColumn("n", Title("数量", "Count"), "integer", unit="个"),
    SheetColumn("at", Title("时间", "Time"), "time"),
    SheetColumn("day", Title("日期", "Day"), "date"),
    SheetColumn("open", Title("开放", "Open"), "boolean"),
    SheetColumn("state", Title("状态", "State"), "code", book="component_state"),
)
DAY = dt.date(2026, 7, 1)
AT = dt.datetime(2026, 7, 1, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def answer(count: int, *, spatial: bool = True) -> Answer:
    """An answer of so many rows, some with values missing."""
    told: list[tuple[Any, ...]] = [
        (f"17位{i:05}", 2**60 + i if i % 3 else None, AT, DAY, i % 2 == 0, "intact") for i in range(count)
    ]
    shapes = [shapely.Point(120.9 + i * 1e-5, 32.0) for i in range(count)] if spatial else None
    found = Found(COLUMNS, told, shapes, truncated=True)
    sheet = sheet_of(found, title=Title("问", "Q"), statement=Title("问了什么。", "What."), synthetic=True)
    return Answer(sheet, {"ask": "select"}, ("place", "road"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


def read(kept: Kept, offset: int, limit: int) -> list[Any]:
    return rows(kept.page(offset, limit), kept.sheet.columns)


@pytest.mark.parametrize("spatial", [True, False])
@pytest.mark.parametrize("count", [0, 1, 4_100])
def test_what_was_kept_is_found_again(folder: Path, count: int, spatial: bool) -> None:
    made = answer(count, spatial=spatial)
    id = Results(folder).keep(made).id
    kept = Results(folder).find(id)
    for name in ("title", "statement", "columns", "spatial", "rows", "truncated", "synthetic", "made_at"):
        assert getattr(kept.sheet, name) == getattr(made.sheet, name), name
    assert (kept.asked, kept.layers) == (made.asked, made.layers)
    told = [row for batch in kept.sheet.batches() for row in rows(batch, kept.sheet.columns)]
    assert told == [row for batch in made.sheet.batches() for row in rows(batch, made.sheet.columns)]
    assert read(kept, 0, 10_000) == told
    assert read(kept, 1_990, 20) == told[1_990:2_010]
    assert read(kept, 99_999, 20) == []
    if spatial and count:
        assert kept.bounds == pytest.approx((120.9, 32.0, 120.9 + (count - 1) * 1e-5, 32.0))
        assert kept.page(0, 1).geometry.iloc[0] == shapely.Point(120.9, 32.0)
    else:
        assert kept.bounds is None


def test_whole_numbers_stay_whole_beside_missing_ones(folder: Path) -> None:
    kept = Results(folder).keep(answer(5))
    assert [row[1] for row in read(kept, 0, 5)] == [None, 2**60 + 1, 2**60 + 2, None, 2**60 + 4]


def test_a_result_is_let_go_of_after_a_day(folder: Path) -> None:
    now = [dt.datetime.now().timestamp()]
    results = Results(folder, clock=lambda: now[0])
    kept = results.keep(answer(1))
    now[0] += 24 * 3600 - 60
    assert results.find(kept.id).id == kept.id
    now[0] += 120
    with pytest.raises(UnknownResult):
        results.find(kept.id)
    results.sweep()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("bound", ["most_files", "most_bytes"])
def test_the_oldest_go_first_when_there_are_too_many(folder: Path, bound: str) -> None:
    results = Results(folder)
    kept = [results.keep(answer(20)) for _ in range(5)]
    for age, one in enumerate(reversed(kept)):
        then = dt.datetime.now().timestamp() - 60 * age
        os.utime(one.path, (then, then))
    size = kept[0].path.stat().st_size
    Results(folder, **{bound: 3 if bound == "most_files" else 3 * size + 10}).sweep()
    for one in kept[:2]:
        with pytest.raises(UnknownResult):
            results.find(one.id)
    assert [results.find(one.id).id for one in kept[2:]] == [one.id for one in kept[2:]]
    assert len(list(folder.iterdir())) == 6


def test_what_was_abandoned_half_made_is_cleared_away(folder: Path) -> None:
    results = Results(folder)
    results.keep(answer(1))
    old, new = results.scratch("parquet"), results.scratch("csv")
    for path in (old, new):
        path.write_text("half")
    then = dt.datetime.now().timestamp() - 7_200
    os.utime(old, (then, then))
    results.sweep()
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "x" * 24, "new-" + "a" * 20, "é" * 24])
def test_an_id_that_is_none_finds_nothing(folder: Path, id: str) -> None:
    with pytest.raises(UnknownResult):
        Results(folder).find(id)


def test_a_result_that_goes_while_it_is_read_is_unknown(folder: Path) -> None:
    results = Results(folder)
    kept = results.keep(answer(3))
    kept.path.unlink()
    with pytest.raises(UnknownResult):
        kept.page(0, 10)
    with pytest.raises(UnknownResult):
        next(kept.sheet.batches())


def test_ids_cannot_be_guessed(folder: Path) -> None:
    results = Results(folder)
    ids = {results.keep(answer(0)).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(id) == 24 for id in ids)


def test_an_answer_that_cannot_be_written_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(TypeError):
        Results(folder).keep(replace(answer(3), asked={"ask": object()}))
    assert list(folder.iterdir()) == []
