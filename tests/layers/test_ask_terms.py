from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.catalog import built_in
from layers.store.engine import begin
from layers.terms import fold, grams, layer_gram, pinyin, prune_terms, refresh_grams, term_rows
from tests.conftest import Database
from tests.layers import small_city

HAN = st.text("人民路工农南通海安重庆市公园①２ａ bＢ12", max_size=30)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("人民路１２号", "人民路12号"),
        (" Jinsha  Subdistrict ", "jinshasubdistrict"),
        ("Ａｂ（北）", "ab(北)"),
        ("臺灣路", "臺灣路"),
        ("", ""),
    ],
)
def test_folding_makes_full_width_and_case_equal_and_keeps_traditional_characters(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "sound", "initials"),
    [
        ("人民路12号", "renminlu12hao", "rml12h"),
        ("重庆路", "chongqinglu", "cql"),
        ("南通市（A区）", "nantongshiaqu", "ntsaq"),
        ("abc", "", ""),
        ("吕四港镇", "lvsigangzhen", "lsgz"),
    ],
)
def test_the_sound_of_a_text_is_toneless_pinyin_with_its_initials(text: str, sound: str, initials: str) -> None:
    assert pinyin(text) == (sound, initials)


@given(HAN)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(HAN, st.data())
def test_the_grams_of_a_part_are_among_the_grams_of_the_whole(text: str, data: st.DataObject) -> None:
    whole = fold(text)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    assert set(grams(whole[start:end])) <= set(grams(whole))


def test_terms_are_distinct_marked_with_their_layer_and_never_empty_or_too_long() -> None:
    rows = list(term_rows("place", "name", ["人民公园", "", "  ", "人民公园", "路" * 700]))
    assert [row[:4] for row in rows] == [("place", "name", "人民公园", "人民公园")]
    assert layer_gram("place") in rows[0][4]


def test_a_quarter_of_a_million_camera_names_are_indexed_in_seconds() -> None:
    roads = [
        f"{a}{b}路" for a in "人民工农青年跃龙濠西通富世纪崇川钟秀园林江海" for b in "东西南北中一二三四五六七八九"
    ]
    names = [f"{a}与{b}路口 {d}向" for a in roads[:250] for b in roads[:240] for d in "东南西北"]
    start = time.perf_counter()
    assert sum(1 for _ in term_rows("video", "name", names)) == 240_000
    assert time.perf_counter() - start < 10  # about 1.6 s alone on one core


def test_gram_counts_follow_the_terms_and_pruned_terms_are_those_without_records(database: Database) -> None:
    small_city.fill(database.engine)
    place = built_in()["place"]
    with begin(database.engine, actor="tester") as connection:
        count = sa.text("select n from core.gram where gram = :gram")
        assert connection.scalar(count, {"gram": "濠河"}) == 1
        connection.execute(sa.delete(place.table).where(place.table.c.id == "p4"))
        assert prune_terms(connection, [place]) == 1
        assert prune_terms(connection, [place]) == 0
        refresh_grams(connection)
        assert connection.scalar(count, {"gram": "濠河"}) is None
        assert connection.scalar(count, {"gram": layer_gram("place")}) == 5
