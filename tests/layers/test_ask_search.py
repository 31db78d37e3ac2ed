from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.ask.match import typos_inside
from layers.ask.search import Hit, search
from layers.errors import BadField
from layers.store.cluster import Cluster
from tests.conftest import Database
from tests.layers import small_city

ALL = small_city.LAYERS


@pytest.fixture(scope="module")
def connection(cluster: Cluster, template: str) -> Iterator[sa.Connection]:
    """A reader of the small city, which these tests never change."""
    with small_city.reader(cluster, template) as reader:
        yield reader


def ids(hits: list[Hit]) -> list[str | None]:
    return [hit.id for hit in hits]


def found(connection: sa.Connection, q: str, **options: Any) -> list[str | None]:
    return ids(search(connection, q, layers=ALL, **options))


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("人民医院", "p1"),  # the exact name before the longer one
        ("海门人民医院", "p2"),
        ("医院", "p1"),
        ("濠河", "p4"),
        ("风景名胜", "p4"),
        ("海门", "320614"),  # the county before the road and the hospital that begin with its name
        ("海门区", "320614"),
        ("崇川", "320613"),
        ("城东街道", "320613001"),
        ("南通市海门区三星镇", "320614100"),
        ("Chongchuan", "320613"),
        ("ｃｈｏｎｇｃｈｕａｎ", "320613"),
        ("haimen", "320614"),
        ("haohe", "p4"),
        ("hhfj", "p4"),
        ("rmyy", "p1"),
        ("renminyiyuan", "p1"),
        ("ren'min yi'yuan", "p1"),
        ("豪河风景", "p4"),  # another character of the same sound
        ("人名医院", "p1"),
        ("濠河封景名胜区", "p4"),
        ("濠河 名胜", "p4"),
        ("名胜 濠河", "p4"),
        ("崇川区人民医院", "p1"),
        ("海门区人民医院", "p2"),
        ("启秀中学(北校区)", "p7"),
        ("320613001001001", "320613001001001"),
        ("320684", "320614"),  # retired
        ("32061301037000001", "32061301037000001"),
        ("３２０６１３０１０３７００００01", "32061301037000001"),
        ("人民路120号", "32061301037000002"),
        ("城东社区", "320613001001001"),
        ("第一责任区", "d1"),
        ("公共厕所", "32061403001000009"),
        ("03001", "32061403001000009"),
        ("public toilet", "32061403001000009"),
        ("学校", "p5"),
        ("middle school", None),
    ],
)
def test_the_first_hit_is_what_a_person_means(connection: sa.Connection, q: str, first: str | None) -> None:
    assert found(connection, q)[:1] == ([first] if first else [])


@pytest.mark.parametrize(
    ("q", "best"),
    [
        ("hm", ["320614"]),  # exact without its 区: before the hospital and the road that begin so
        ("cc", ["320613"]),
        ("ccq", ["320613"]),
        ("cl", ["320614101"]),  # exact without its 镇: before the school that begins so
        ("cd", ["320613001"]),  # without its 街道: before its grids
        ("hpq", ["320613002"]),
        ("rmgy", ["p3", "p6"]),
        ("rm", ["p1", "p3", "p6"]),  # all begin so: places before roads, the shorter name first
        ("su", ["320613001", "320613002"]),  # a word of the Latin name starts so
        ("to", ["320614100", "320614101"]),
        ("sanx", ["320614100"]),
    ],
)
def test_initials_are_ranked_exact_first_then_by_layer(connection: sa.Connection, q: str, best: list[str]) -> None:
    assert found(connection, q)[: len(best)] == best


@pytest.mark.parametrize("q", ["gt", "et", "gto", "gs", "ub", "own"])
def test_few_latin_letters_are_not_found_across_words_nor_inside_them(connection: sa.Connection, q: str) -> None:
    latin = {"320613001", "320613002", "320614100", "320614101", "320613", "320614"}
    assert not latin & set(found(connection, q))


@pytest.mark.parametrize("q", ["chongc", "hongchuan", "xingtown", "Sanxing T", "T Sanxing", "town sanx"])
def test_more_latin_letters_or_the_beginnings_of_words_are_found(connection: sa.Connection, q: str) -> None:
    assert found(connection, q)[:1] == (["320613"] if "hong" in q else ["320614100"])


@pytest.mark.parametrize("q", ["hm", "cc", "rm", "su", "ren", "rmlu", "to"])
def test_scores_fall_along_the_list_for_latin_letters_too(connection: sa.Connection, q: str) -> None:
    scores = [hit.score for hit in search(connection, q, layers=ALL)]
    assert scores == sorted(scores, reverse=True)


def test_the_initials_of_a_county_find_it_among_thousands_that_begin_so(city: Database) -> None:
    with city.reader.connect() as reader:
        first = {q: search(reader, q, layers=ALL)[0].label for q in ("rg", "tz", "hm", "qd", "rd", "cc")}
    assert first == {
        "rg": "如皋市", "tz": "通州区", "hm": "海门区", "qd": "启东市", "rd": "如东县", "cc": "崇川区",
    }  # fmt: skip


def test_a_road_is_one_hit_and_another_of_its_name_another(connection: sa.Connection) -> None:
    hits = [hit for hit in search(connection, "人民路", layers=ALL) if hit.layer == "road"]
    assert [(hit.bounds, hit.detail) for hit in hits] == [
        ((120.81, 32.05, 120.84, 32.05), "崇川区城东街道"),
        ((121.02, 32.05, 121.04, 32.05), "海门区三星镇"),
    ]
    assert hits[0].id == "r1"  # the piece in the middle
    assert 120.82 <= hits[0].lon <= 120.83


def test_hits_are_ranked_by_kind_then_layer_then_length_then_importance(connection: sa.Connection) -> None:
    hits = search(connection, "人民", layers=ALL)
    assert ids(hits)[:5] == ["p1", "p3", "p6", "r1", "r4"]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_of_equal_names_the_more_important_comes_first_and_with_near_the_nearer(connection: sa.Connection) -> None:
    assert found(connection, "人民公园") == ["p3", "p6"]
    assert found(connection, "人民公园", near=(121.2, 32.06)) == ["p6", "p3"]


def test_of_records_of_one_class_the_nearest_come_first(connection: sa.Connection) -> None:
    lamps = found(connection, "路灯", near=(120.8201, 32.05))
    assert lamps[:2] == ["32061301037000006", "32061301037000005"]
    assert len(lamps) == 6


def test_a_hit_tells_where_it_is_in_the_language_asked_for(connection: sa.Connection) -> None:
    hit = search(connection, "人民医院", layers=ALL)[0]
    assert (hit.label, hit.detail, hit.kind, hit.bounds) == ("人民医院", "医院 · 崇川区城东街道", "name", None)
    hit = search(connection, "城东街道", layers=ALL, lang="en")[0]
    assert (hit.label, hit.detail) == ("Chengdong Subdistrict", "Subdistrict · Chongchuan")
    hit = search(connection, "人民路120号", layers=ALL)[0]
    assert (hit.label, hit.detail, hit.kind) == ("路灯", "人民路120号 · 崇川区城东街道", "address")


def test_an_area_has_bounds_and_a_point_inside(connection: sa.Connection) -> None:
    hit = search(connection, "三星镇", layers=ALL)[0]
    assert hit.bounds == pytest.approx((121.0, 32.0, 121.1, 32.1))
    assert 121.0 < hit.lon < 121.1


@pytest.mark.parametrize("q", ["120.82,32.05", "32.05N 120.82E", "gcj 120.82430,32.04787", "577432.5 3547690.5"])
def test_coordinates_are_answered_as_the_place_they_are(connection: sa.Connection, q: str) -> None:
    (hit,) = search(connection, q, layers=ALL)
    assert (hit.layer, hit.id, hit.kind, hit.detail) == (None, None, "coordinate", "崇川区城东街道")
    assert (hit.lon, hit.lat) == (pytest.approx(120.82, abs=1e-3), pytest.approx(32.05, abs=1e-3))


def test_a_cell_is_answered_with_its_extent(connection: sa.Connection) -> None:
    hit = search(connection, "8a309d551487fff", layers=ALL)[0]
    assert hit.kind == "cell"
    assert hit.bounds is not None
    assert hit.bounds[0] < hit.lon < hit.bounds[2]


def test_ids_are_found_by_their_beginning(connection: sa.Connection) -> None:
    hits = search(connection, "32061301037", layers=ALL)
    assert [hit.kind for hit in hits] == ["id"] * 6
    assert found(connection, "320613")[:3] == ["320613", "320613001", "320613002"]


def test_a_house_between_known_ones_is_placed_between_them(connection: sa.Connection) -> None:
    hit = search(connection, "人民路130号", layers=ALL)[0]
    assert (hit.layer, hit.kind, hit.label) == (None, "address", "崇川区城东街道人民路130号")
    assert (hit.lon, hit.lat) == (pytest.approx(120.813), pytest.approx(32.05))


def test_only_the_given_layers_are_searched(connection: sa.Connection) -> None:
    layers = [layer for layer in ALL if layer.name in ("county", "road")]
    assert {hit.layer for q in ("人民", "320613", "rm", "海门", "路灯", "人民路130号") for hit in search(
        connection, q, layers=layers
    )} <= {"county", "road", None}  # fmt: skip
    assert search(connection, "路灯", layers=layers) == []
    assert search(connection, "人民医院", layers=[]) == []


def test_a_text_whose_records_are_gone_finds_nothing(connection: sa.Connection) -> None:
    stale = sa.text("select count(*) from core.term where layer = 'place' and text = '人民医院'")
    assert connection.scalar(stale) == 1
    others = [layer for layer in ALL if layer.name != "place"]
    assert "p1" not in ids(search(connection, "人民医院", layers=others))


@pytest.mark.parametrize(
    "q",
    [
        "%", "_", "\\", "%%", "__", "'", '"', "人民%", "_民路", "人民\\", "'; drop table city.place; --", "{}", "{a,b}",
        "\"人民\"", ":q", "%(q)s", "$1", "a" * 100, "路" * 100, "人民路 " * 25, "-", "--", "()", "𠀀", "👍", "·", "1",
        "0", "##place", "##", "NaN", "..", "a:b", "*", "?", "[a]", "(?:", "٣٤٥",
    ],
)  # fmt: skip
def test_hostile_texts_find_nothing_wrong(connection: sa.Connection, q: str) -> None:
    assert len(search(connection, q, layers=ALL)) <= 20


@pytest.mark.parametrize("q", ["%", "_", "人%医院", "人_医院", "\\", "##place", "r_yy", "ren%"])
def test_wildcards_are_ordinary_characters(connection: sa.Connection, q: str) -> None:
    assert [hit for hit in search(connection, q, layers=ALL) if hit.score > 0.35] == []


@pytest.mark.parametrize("q", ["a" * 101, "路" * 10_000, " " * 5000 + "a", "a\x00b", "人民\n路", "\x1b[0m", "\ud800"])
def test_too_long_texts_and_control_characters_are_refused(connection: sa.Connection, q: str) -> None:
    with pytest.raises(BadField):
        search(connection, q, layers=ALL)


@pytest.mark.parametrize("near", [(float("nan"), 32.0), (200.0, 32.0), (120.0, 90.0)])
def test_a_place_off_the_map_is_refused(connection: sa.Connection, near: tuple[float, float]) -> None:
    with pytest.raises(BadField):
        search(connection, "人民", layers=ALL, near=near)


def statements_of(connection: sa.Connection, q: str) -> list[str]:
    """What a search asks the database."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    search(connection, q, layers=ALL)
    sa.event.remove(connection, "before_cursor_execute", note)
    return asked


@pytest.mark.parametrize("q", ["路" * 100, "路" * 64, "向" * 8, "路路路", "a" * 100, "的路" * 50, "lu" * 40])
def test_a_sound_that_repeats_itself_is_not_compared_with_all_that_share_its_few_trigrams(
    connection: sa.Connection, q: str
) -> None:
    asked = statements_of(connection, q)
    assert asked
    assert not any("pinyin like" in statement for statement in asked)


@pytest.mark.parametrize("q", ["路路通", "南南", "nannan", "yangyang"])
def test_a_sound_that_is_doubled_is_looked_up(connection: sa.Connection, q: str) -> None:
    assert any("pinyin like" in statement for statement in statements_of(connection, q))


def test_nothing_is_found_for_nothing(connection: sa.Connection) -> None:
    assert search(connection, "  ", layers=ALL) == []
    assert search(connection, "人民", layers=ALL, limit=0) == []
    assert len(search(connection, "人民", layers=ALL, limit=3)) == 3


NAMES = {
    record["id"]: str(record["name"])
    for frame in (small_city.places(), small_city.videos(), *small_city.areas().values())
    for _, record in frame.iterrows()
}


@given(st.sampled_from(sorted(NAMES)), st.data())
@settings(max_examples=150)
def test_every_part_of_a_name_finds_it(connection: sa.Connection, id: str, data: st.DataObject) -> None:
    name = NAMES[id]
    start = data.draw(st.integers(0, len(name) - 2))
    part = name[start : data.draw(st.integers(start + 2, len(name)))].strip()
    bearing = [other for other, text in NAMES.items() if part in text]
    if len(part) < 2 or len(bearing) > 4:
        return
    assert id in found(connection, part)


@given(st.text(max_size=100))
@settings(max_examples=100)
def test_any_text_is_answered_or_refused(connection: sa.Connection, q: str) -> None:
    try:
        hits = search(connection, q, layers=ALL)
    except BadField:
        return
    assert len(hits) <= 20


def edits_inside(pattern: str, text: str) -> int:
    """The textbook table of edits, for comparison."""
    above = [0] * (len(text) + 1)
    for i, letter in enumerate(pattern, 1):
        row = [i]
        for j, other in enumerate(text, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
        above = row
    return min(above)


@given(st.text("abc", min_size=1, max_size=9), st.text("abcd", max_size=14))
def test_typos_are_counted_as_by_the_textbook(pattern: str, text: str) -> None:
    assert typos_inside(pattern, text) == edits_inside(pattern, text)


@pytest.mark.parametrize("q", ["人民", "路灯", "rm", "医院", "320613", "人民路1号", "zhongxue", "路", "崇川"])
def test_the_demo_city_is_searched_without_a_layer_that_disturbs(read_city: Database, q: str) -> None:
    with read_city.reader.connect() as reader:
        hits = search(reader, q, layers=ALL)
    assert 0 < len(hits) <= 20
    assert all(hit.label and 119 < hit.lon < 123 for hit in hits)
