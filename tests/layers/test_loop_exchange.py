"""Cases as files: what one city writes out another takes in, once, and each line that it does not take is told."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
import xlsxwriter

from layers.errors import BadParameter
from layers.export.formats import FORMATS
from layers.loop.cases import seen_by
from layers.loop.exchange import Exchanged, take_lines
from layers.loop.exchange_file import MOST_BYTES, MOST_LINES, Line, lines_of
from layers.loop.exchange_sheet import Wanted, cases_sheet, steps_sheet
from layers.loop.incidents import Office
from layers.loop.queues import Asked
from layers.loop.rules import shipped_rules
from layers.loop.states import STATES
from layers.people.access import EVERYWHERE, Actor, Scope
from layers.people.privacy import keyring_in
from layers.spec import Title
from tests.conftest import MOMENT, Database

RULES = shipped_rules()
DISPATCH = Actor("dispatch", frozenset({"dispatcher", "worker", "commander"}), EVERYWHERE)
OFFICERS = Actor("officers", frozenset({"officer"}), Scope(None, frozenset(RULES.departments.by_code)))
CREDIT = Title("测试", "test")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(RULES, keyring_in(tmp_path))


def exported(database: Database, folder: Path, *, kind: str = "csv", channel: str | None = None) -> bytes:
    asked = Asked("area", states=STATES, channel=channel)
    with database.reader.connect() as connection:
        wanted = Wanted(asked, DISPATCH, seen_by(DISPATCH), MOMENT)
        sheet = steps_sheet(connection, wanted, credit=CREDIT)
    path = folder / f"steps.{kind}"
    FORMATS[kind].write(sheet, path)
    return path.read_bytes()


def states(database: Database) -> dict[str, tuple[object, ...]]:
    """How the cases stand, by what does not change on the way."""
    with database.reader.connect() as connection:
        wanted = Wanted(Asked("area", states=STATES), DISPATCH, seen_by(DISPATCH), MOMENT)
        sheet = cases_sheet(connection, wanted, credit=CREDIT)
    rows = [row for batch in sheet.batches() for row in batch.to_dict("records")]
    return {row["id"]: (row["title"], row["matter"], row["level"], row["channel"], row["state"]) for row in rows}


def bring(database: Database, office: Office, lines: list[Line], actor: Actor = DISPATCH) -> Exchanged:
    return take_lines(database.engine, office, lines, system="theirs", actor=actor, clock=lambda: MOMENT)


def report(number: str = "A-1", **cells: str) -> dict[str, str]:
    return {"number": number, "step": "report", "channel": "hotline", "matter": "06010", "lon": "120.86",
            "lat": "32.01", "title": "暴露垃圾", **cells}  # fmt: skip


def as_lines(*rows: dict[str, str]) -> list[Line]:
    return [Line(number, row) for number, row in enumerate(rows, start=2)]


def as_csv(*rows: dict[str, str], encoding: str = "utf-8") -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    return "\r\n".join(body).encode(encoding)


def test_what_one_city_writes_out_stands_the_same_in_another(
    own_city: Database, database: Database, office: Office, tmp_path: Path
) -> None:
    """Whoever may takes their lines: the file goes from hand to hand until nothing is left to do."""
    lines = lines_of(exported(own_city, tmp_path, channel="public"))
    first = {line.cells["number"] for line in lines}
    assert len(first) > 3
    for _ in range(12):
        if not sum(bring(database, office, lines, actor).taken for actor in (DISPATCH, OFFICERS)):
            break
    here = sorted(state for id, state in states(own_city).items() if id in first)
    assert sorted(states(database).values()) == here
    again = bring(database, office, lines)
    assert again.taken == 0
    assert again.known > len(first)


def test_an_excel_file_says_the_same_as_a_csv(own_city: Database, tmp_path: Path) -> None:
    csv, book = (lines_of(exported(own_city, tmp_path, kind=kind, channel="video")) for kind in ("csv", "xlsx"))
    plain = [[{k: v for k, v in line.cells.items() if v} for line in lines] for lines in (csv, book)]
    assert plain[0] == plain[1] != []


def test_lines_are_taken_once_and_refused_ones_are_told_and_change_nothing(database: Database, office: Office) -> None:
    lines = as_lines(
        report("A-1"), report("A-1"), report("A-2", matter="99999"), report("", title="无编号"),
        {"number": "A-1", "step": "accept", "note": "受理"}, {"number": "A-1", "step": "accept", "note": "再受理"},
        {"number": "A-9", "step": "accept"}, {"number": "A-1", "step": "vanish"}, report("A-3", lon="east"),
    )  # fmt: skip
    done = bring(database, office, lines)
    assert (done.taken, done.known) == (2, 1)
    assert [(one.row, one.error.cause) for one in done.refused] == [
        (4, "matter_unknown"), (5, "number_missing"), (7, "step_state"), (8, "number_unknown"), (9, "step_unknown"),
        (10, "no_place"),
    ]  # fmt: skip
    assert [state for *_, state in states(database).values()] == ["accepted"]
    again = bring(database, office, lines)
    assert (again.taken, again.known) == (0, 3)


def test_nobody_brings_in_what_they_may_not_do(database: Database, office: Office) -> None:
    bring(database, office, as_lines(report("A-1")))
    done = bring(database, office, as_lines({"number": "A-1", "step": "accept"}, report("A-2")), OFFICERS)
    assert done.taken == 0
    assert len(done.refused) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_are_read_in_both_encodings_with_headers_in_either_language(encoding: str) -> None:
    content = "对方编号,Step,标题,about\r\nA-1,report,'=1+1,\r\n,,,\r\n".encode(encoding)
    assert lines_of(content) == [Line(2, {"number": "A-1", "step": "report", "title": "=1+1"})]


def test_a_workbook_keeps_numbers_and_times(tmp_path: Path) -> None:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["number", "step", "until"])
        page.write_row(1, 0, [20261120, "ask_defer"])
        page.write_datetime(1, 2, dt.datetime(2026, 12, 1, 17, 30), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
    (tmp_path / "a.xlsx").write_bytes(held.getvalue())
    [line] = lines_of(held.getvalue())
    assert line.cells == {"number": "20261120", "step": "ask_defer", "until": "2026-12-01T17:30:00"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"x" * (MOST_BYTES + 1), "bytes"),
        (b"number,step\n" + b"A,note\n" * (MOST_LINES + 1), "lines"),
        (b"number,step,colour\nA,note,red\n", "colour"),
        (b"number,note\nA,b\n", "needs the columns"),
        (b"number,step,step\nA,note,note\n", "twice"),
        (b"number,step\nA,note,more\n", "line 2"),
        (b"\xff\xfe\x00\x81number", "neither"),
        (b"PK\x03\x04nothing", "no workbook"),
        (b"", "needs the columns"),
    ],
)
def test_files_that_are_none_are_refused_whole(content: bytes, told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        lines_of(content)
