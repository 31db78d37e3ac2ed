"""Lines, places in sentences, kinds of appeal, answers: what the desk is offered for a caller's words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.catalog import built_in
from layers.errors import BadDeclaration, BadField, Stale
from layers.loop.departments import shipped_departments
from layers.loop.hotline.answers import (
    UnknownAnswer,
    Wording,
    add_answer,
    change_answer,
    find_answers,
    listed,
    remove_answer,
)
from layers.loop.hotline.areas import areas_named, strays
from layers.loop.hotline.intake import Intake, appeal_of
from layers.loop.hotline.lines import UnknownLine, line_of, lines_in, shipped_lines
from layers.loop.hotline.places import places_in
from layers.loop.hotline.seeds import demo_answers, seed_answers
from layers.loop.hotline.tables import ANSWER
from layers.store.engine import begin
from tests.conftest import Database

TODAY = dt.date(2026, 11, 22)
NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
LAYERS = list(built_in().values())


def test_ninety_four_lines_end_in_one_intake() -> None:
    lines = shipped_lines()
    assert len(lines) == 94
    assert line_of(lines, "12345").kind == "hub"
    assert {line_of(lines, code).kind for code in ("110", "119", "120", "122")} == {"referred"}
    assert all(line.demo == line.code.startswith("demo-") for line in lines.values())
    assert all(line.number is None for line in lines.values() if line.demo), "nobody may dial an invented number"
    assert all(len(line.number) <= 6 for line in lines.values() if line.number), "only public short numbers"
    assert all(line.department is None or line.department in shipped_departments() for line in lines.values())
    with pytest.raises(UnknownLine):
        line_of(lines, "99999")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("demo-x,12399,某热线,Some line,local,cgj,yes", "no number"),
        ("x,,某热线,Some line,local,nobody,", "no department"),
        ("x,,某热线,Some line,private,cgj,", "none of"),
        ("x,,,Some line,local,cgj,", "'zh' is empty"),
    ],
)
def test_a_line_of_a_city_that_cannot_be_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "loop").mkdir()
    header = "code,number,zh,en,kind,department,demo"
    (tmp_path / "loop" / "lines.csv").write_text(f"{header}\n{line}\n", encoding="utf-8")
    with pytest.raises(BadDeclaration, match=f"line 2.*{said}"):
        lines_in(tmp_path)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("路灯不亮", "help", None),
        ("我要投诉楼下饭店", "complaint", "投诉"),
        ("举报有人偷排废水", "report", "举报"),
        ("建议增设公交站", "suggestion", "建议"),
        ("请问医保怎么交", "consult", "请问"),
    ],
)
def test_the_kind_of_appeal_is_told_with_the_words_that_show_it(text: str, code: str, words: str | None) -> None:
    assert appeal_of(text) == (code, words)


def a_place(connection: sa.Connection) -> tuple[str, float, float]:
    """A name that only one place bears, and where it is."""
    row = connection.execute(
        sa.text(
            "select name, st_x(geom) as lon, st_y(geom) as lat from city.place where char_length(name) >= 7 and "
            "name like '%公交站' and name in (select name from city.place group by 1 having count(*) = 1) "
            "order by id limit 1"
        )
    ).one()
    return row.name, row.lon, row.lat


def test_a_place_that_a_sentence_names_is_found_with_the_words_that_name_it(city: Database) -> None:
    with city.reader.connect() as connection:
        name, lon, lat = a_place(connection)
        first = places_in(connection, f"你好，{name}门口的路灯不亮，好几天了！", layers=LAYERS)[0]
    assert first.words == name
    assert (first.place.lon, first.place.lat) == (lon, lat)
    assert (first.place.method, first.place.precision) == ("place", "grid")  # at the gate, not in it


def test_a_road_and_its_crossing_are_found_in_a_sentence(city: Database) -> None:
    crossing = sa.text(
        "select a.name as one, b.name as other, st_x(p) as lon, st_y(p) as lat from city.road a join city.road b on "
        "a.name < b.name and st_intersects(a.geom, b.geom), lateral (select st_centroid(st_intersection(a.geom, "
        "b.geom)) as p) as at where a.name like '%路' and b.name like '%路' and a.name in (select name from city.road "
        "group by 1 having count(*) = 1) and b.name in (select name from city.road group by 1 having count(*) = 1) "
        "order by a.id, b.id limit 1"
    )
    with city.reader.connect() as connection:
        at = connection.execute(crossing).one()
        found = places_in(connection, f"喂，我在{at.one}与{at.other}路口，信号灯坏了", layers=LAYERS)
        alone = places_in(connection, f"我家旁边{at.one}上有个大坑", layers=LAYERS)
    assert found[0].words == f"{at.one}与{at.other}路口"
    assert abs(found[0].place.lon - at.lon) < 0.002
    assert abs(found[0].place.lat - at.lat) < 0.002
    assert alone[0].words == at.one
    assert alone[0].place.method == "address"


def test_numbers_in_a_sentence_are_places_too(city: Database) -> None:
    with city.reader.connect() as connection:
        grid = connection.scalar(sa.text("select id from city.grid order by id limit 1"))
        found = places_in(connection, f"网格{grid}里垃圾没人收", layers=LAYERS)
        pair = places_in(connection, "坐标120.8601,32.0102，井盖没了", layers=LAYERS)
    assert (found[0].words, found[0].place.method) == (grid, "grid")
    assert (pair[0].place.lon, pair[0].place.lat, pair[0].place.precision) == (120.8601, 32.0102, "B")


def test_a_sentence_without_a_place_has_none(city: Database) -> None:
    with city.reader.connect() as connection:
        assert places_in(connection, "公积金怎么提取", layers=LAYERS) == []
        assert places_in(connection, "，。！" * 200, layers=LAYERS) == []
        assert places_in(connection, "路" * 2_000, layers=LAYERS) == []
        assert places_in(connection, "甲路与乙路" * 300, layers=LAYERS) == []


def test_only_layers_that_may_be_seen_give_places(city: Database) -> None:
    with city.reader.connect() as connection:
        name, _, _ = a_place(connection)
        assert places_in(connection, f"{name}门口", layers=[one for one in LAYERS if one.name != "place"]) == []


def test_a_draft_without_a_classifier_still_has_place_and_answers(city: Database, tmp_path: Path) -> None:
    intake = Intake(tmp_path, shipped_departments())
    with city.reader.connect() as connection:
        name, _, _ = a_place(connection)
        draft = intake.draft(connection, f"请问公积金怎么提取，我在{name}", layers=LAYERS, now=NOW)
    assert (draft.model, draft.matter, draft.appeal) == (None, None, "consult")
    assert draft.classified.unsure
    assert draft.places[0].said.words == name
    assert draft.places[0].admin_code is not None
    assert draft.answers[0].wording.question == "住房公积金怎么提取"
    assert draft.as_json(today=TODAY)["answers"][0]["synthetic"] is True


def test_a_road_of_that_name_in_another_county_is_not_the_one_that_was_meant(city: Database, tmp_path: Path) -> None:
    intake = Intake(tmp_path, shipped_departments())
    lone = sa.text(
        "select r.name, min(c.id) as id, min(c.name) as county from city.road r join city.county c on "
        "st_intersects(r.geom, c.geom) where r.name like '__路' group by r.name having count(distinct c.id) = 1 "
        "order by r.name limit 1"
    )
    with city.reader.connect() as connection:
        road, code, county = connection.execute(lone).one()
        other = connection.execute(
            sa.text("select id, name from city.county where id <> :code order by id limit 1"), {"code": code}
        ).one()
        here, there = (
            intake.draft(connection, f"{name}{road}垃圾没人清", layers=LAYERS, now=NOW).places
            for name in (county, other.name)
        )
    assert (here[0].county, here[0].said.place.method) == (code, "address")
    assert [place.county for place in there] == [other.id, code], "the county itself comes before a road elsewhere"


def test_the_areas_that_a_sentence_names_are_whole_names_or_counties_said_short(city: Database) -> None:
    with city.reader.connect() as connection:
        for text, named in (
            ("崇川区人民路", {"320613"}),
            ("启东人民路上路灯坏了", {"320681"}),
            ("南通海安路口堵车", set()),
            ("启东市北新镇人民路", {"320681", "320681101"}),
            ("路灯坏了", set()),
        ):
            assert set(areas_named(connection, text)) == named, text
    assert strays(frozenset({"320613"}), county_code="320681", town_code="320681101") == 1
    assert strays(frozenset(), county_code="320681", town_code=None) == 0


def wording(**other: object) -> Wording:
    given: dict[str, object] = {
        "question": "路灯不亮怎么报修", "answer": "说明杆号即可。", "source": "说明", "department": "ldc",
        "review_on": TODAY,
    }  # fmt: skip
    return Wording(**{**given, **other})  # type: ignore[arg-type]


def test_the_demo_has_thirty_answers_that_are_marked_and_each_is_found_by_its_question(database: Database) -> None:
    with begin(database.engine, actor="test") as connection:
        assert seed_answers(connection, today=TODAY) == 30
        assert seed_answers(connection, today=TODAY) == 0, "a knowledge base that has answers is left alone"
        for one in demo_answers(today=TODAY):
            assert one.synthetic
            found = find_answers(connection, f"你好，请问{one.question}？", today=TODAY)
            assert found[0].wording == one
            assert found[0].score is not None
            assert found[0].score > 0.9


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("我家这边井盖丢了该找谁", "井盖破损或者丢失打什么电话"),
        ("工地半夜还在施工吵死了", "夜间施工噪声怎么投诉"),
        ("电瓶车在楼道充电能不能管", "楼道里停放电动自行车充电怎么办"),
        ("孩子明年上小学什么时候报名", "孩子上小学怎么报名"),
        ("身份证弄丢了", "身份证丢了怎么补"),
    ],
)
def test_a_question_in_other_words_finds_its_answer(database: Database, asked: str, question: str) -> None:
    with begin(database.engine, actor="test") as connection:
        seed_answers(connection, today=TODAY)
        found = find_answers(connection, asked, today=TODAY)
    assert question in [one.wording.question for one in found[:2]]


def test_an_answer_whose_time_is_over_is_only_told_to_those_who_keep_them(database: Database) -> None:
    departments = shipped_departments()
    with begin(database.engine, actor="test") as connection:
        old = add_answer(
            connection, wording(valid_until=dt.date(2026, 11, 21)), departments=departments, actor="test"
        )  # fmt: skip
        assert find_answers(connection, "路灯不亮", today=TODAY) == []
        found = find_answers(connection, "路灯不亮", today=TODAY, expired=True)
        assert [one.id for one in found] == [old.id]
        assert found[0].as_json(TODAY)["expired"] is True
        last_day = find_answers(connection, "路灯不亮", today=dt.date(2026, 11, 21))
        assert [one.id for one in last_day] == [old.id]


def test_two_who_change_one_answer_do_not_overwrite_each_other(database: Database) -> None:
    departments = shipped_departments()
    with begin(database.engine, actor="test") as connection:
        kept = add_answer(connection, wording(), departments=departments, actor="test")
        more = wording(answer="报杆号。")
        changed = change_answer(connection, kept.id, more, version=1, departments=departments, actor="two")
        assert (changed.version, changed.wording.answer) == (2, "报杆号。")
        with pytest.raises(Stale):
            change_answer(connection, kept.id, wording(), version=1, departments=departments, actor="three")
        assert [one.wording.answer for one in listed(connection, department="ldc")] == ["报杆号。"]
        assert listed(connection, due_by=dt.date(2026, 11, 21)) == []
        remove_answer(connection, kept.id)
        for gone in (lambda: remove_answer(connection, kept.id), lambda: change_answer(
            connection, kept.id, wording(), version=2, departments=departments, actor="four"
        )):  # fmt: skip
            with pytest.raises(UnknownAnswer):
                gone()


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"department": "nobody"}, "department"),
        ({"dated": dt.date(2026, 2, 1), "valid_until": dt.date(2026, 1, 1)}, "valid_until"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(database: Database, other: dict[str, object], field: str) -> None:
    with begin(database.engine, actor="test") as connection:
        with pytest.raises(BadField) as refused:
            add_answer(connection, wording(**other), departments=shipped_departments(), actor="test")
        assert connection.scalar(sa.select(sa.func.count()).select_from(ANSWER)) == 0
    assert list(refused.value.problems) == [field]


@given(st.text(max_size=80))
def test_reading_a_kind_of_appeal_never_fails(text: str) -> None:
    assert appeal_of(text)[0] in ("consult", "help", "complaint", "report", "suggestion")
