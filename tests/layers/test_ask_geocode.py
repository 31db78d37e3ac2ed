from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from layers.ask.areas import Area, Areas
from layers.ask.geocode import KINDS, Placed, geocode, geocode_many
from layers.ask.streets import Address, read_address
from layers.errors import BadField
from layers.store.cluster import Cluster
from tests.layers import small_city

ALL = small_city.LAYERS
LOADER = ("grid", "component", "admin", "place", "address")


@pytest.fixture(scope="module")
def connection(cluster: Cluster, template: str) -> Iterator[sa.Connection]:
    """A reader of the small city, which these tests never change."""
    with small_city.reader(cluster, template) as reader:
        yield reader


def first(connection: sa.Connection, q: str) -> Placed:
    return geocode(connection, q, layers=ALL)[0]


@pytest.mark.parametrize(
    ("q", "method", "precision", "lon", "lat"),
    [
        ("120.82000,32.05000", "coordinate", "A", 120.82, 32.05),
        ("8a309d551487fff", "cell", "C", 120.8937, 31.9799),
        ("320614100001001", "grid", "grid", 121.025, 32.05),
        ("32061301037000002", "component", "A", 120.812, 32.05),
        ("32061301037999999", "component", "county", 120.9, 32.05),
        ("3206840118000001", "component", "county", 121.1, 32.05),  # 16 digits, of a retired county
        ("320613", "admin", "county", 120.9, 32.05),
        ("320684", "admin", "county", 121.1, 32.05),
        ("320614100", "admin", "town", 121.05, 32.05),
        ("320614100003", "admin", "town", 121.05, 32.05),
        ("三星镇", "admin", "town", 121.05, 32.05),
        ("海门三星", "admin", "town", 121.05, 32.05),
        ("江苏省南通市崇川区", "admin", "county", 120.9, 32.05),
        ("人民医院", "place", "C", 120.82, 32.06),
        ("濠河风景名胜区", "place", "grid", 120.95, 32.05),
        ("濠河风景", "place", "grid", 120.95, 32.05),
        ("海门人民医院北门", "place", "grid", 121.03, 32.07),
        ("海门区人民公园", "place", "C", 121.16, 32.06),
        ("人民路120号", "address", "C", 120.812, 32.05),
        ("人民路 120 号", "address", "C", 120.812, 32.05),
        ("崇川区人民路120号", "address", "C", 120.812, 32.05),
        ("崇川区城东街道人民路130号附近", "address", "C", 120.813, 32.05),
        ("人民路210号对面", "address", "grid", 120.82, 32.05),
        ("三星镇人民路8号", "address", "grid", 121.03, 32.05),
        ("工农路", "address", "town", 120.83, 32.05),
        ("人民路与工农路路口", "address", "C", 120.83, 32.05),
        ("工农路/人民路", "address", "C", 120.83, 32.05),
        ("海门路", "address", "grid", 120.93, 32.02),
    ],
)
def test_a_text_is_placed_by_the_surest_method(
    connection: sa.Connection, q: str, method: str, precision: str, lon: float, lat: float
) -> None:
    placed = first(connection, q)
    assert (placed.method, placed.precision) == (method, precision)
    assert (placed.lon, placed.lat) == (pytest.approx(lon, abs=2e-3), pytest.approx(lat, abs=2e-3))


def test_every_meaning_of_an_ambiguous_text_is_given(connection: sa.Connection) -> None:
    assert [placed.label for placed in geocode(connection, "人民公园", layers=ALL)] == [
        "崇川区城东街道人民公园",
        "海门区常乐镇人民公园",
    ]
    roads = geocode(connection, "人民路", layers=ALL, kinds=("address",))
    assert {placed.label for placed in roads} == {"崇川区城东街道人民路", "海门区三星镇人民路"}


def test_labels_are_written_in_the_language_asked_for(connection: sa.Connection) -> None:
    assert geocode(connection, "三星镇", layers=ALL, lang="en")[0].label == "Sanxing Town, Haimen"


@pytest.mark.parametrize("q", ["", "   ", "没有这个地方", "32061301099000001", "999999", "%", "\\", "'", "{", "100号"])
def test_other_texts_have_no_place(connection: sa.Connection, q: str) -> None:
    assert geocode(connection, q, layers=ALL) == []


@pytest.mark.parametrize("q", ["路" * 101, "a\x00b", "人民\r路"])
def test_texts_that_nobody_types_are_refused(connection: sa.Connection, q: str) -> None:
    with pytest.raises(BadField):
        geocode(connection, q, layers=ALL)


def test_only_the_given_layers_place_a_text(connection: sa.Connection) -> None:
    roads = [layer for layer in ALL if layer.name == "road"]
    assert geocode(connection, "人民医院", layers=roads) == []
    assert geocode(connection, "32061301037000002", layers=roads) == []
    (mid_road,) = geocode(connection, "工农路130号", layers=roads)
    assert mid_road.precision == "town"
    assert geocode(connection, "人民医院", layers=[]) == []


def test_many_texts_are_placed_only_where_they_are_unambiguous(connection: sa.Connection) -> None:
    texts = ["人民医院", "人民公园", "人民路120号", "", "320614100001001", "人民医院", "没有", "a\x00", "路" * 500]
    placed = geocode_many(connection, texts, kinds=LOADER)
    assert [place and place.method for place in placed] == [
        "place", None, "address", None, "grid", "place", None, None, None,
    ]  # fmt: skip


def test_only_the_named_methods_are_used_in_their_order(connection: sa.Connection) -> None:
    assert geocode_many(connection, ["人民医院", "320613"], kinds=("grid",)) == [None, None]
    assert geocode_many(connection, ["120.82,32.05"], kinds=LOADER) == [None]
    (cell,) = geocode_many(connection, ["120.82,32.05"], kinds=KINDS)
    assert cell is not None
    assert cell.method == "coordinate"
    assert geocode_many(connection, [], kinds=LOADER) == []


def test_one_by_one_and_together_agree(connection: sa.Connection) -> None:
    texts = ["人民医院", "三星镇", "人民路130号", "工农路", "人民路与工农路路口", "海门人民医院北门", "海门区人民公园"]
    together = geocode_many(connection, texts, kinds=LOADER)
    assert together == [geocode_many(connection, [text], kinds=LOADER)[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("人民中路128号附近", Address("人民中路", 128)),
        ("人民路128", Address("人民路", 128)),
        ("长江大道12-3号", Address("长江大道", 12)),
        ("g204国道12号", Address("g204国道", 12)),
        ("人民路与工农路路口东向", Address("人民路", crossing="工农路")),
        ("和平路与人民路交叉口", Address("和平路", crossing="人民路")),
        ("人民路", Address("人民路")),
        ("公园北门", None),
        ("12号", None),
        ("", None),
    ],
)
def test_an_address_is_read_as_road_and_number_or_crossing(text: str, address: Address | None) -> None:
    assert read_address(text) == address


AREAS = Areas(
    [
        Area("320613", "崇川区", "Chongchuan"),
        Area("320614", "海门区", "Haimen"),
        Area("320685", "海安市", "Hai'an"),
        Area("320685100", "海安镇", "Hai'an Town"),
        Area("320613001", "城东街道", None),
        Area("320614001", "新河镇", None),
        Area("320685102", "新河镇", None),
    ]
)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("崇川区人民路1号", [(None, "崇川区人民路1号"), ("320613", "人民路1号")]),
        ("江苏省南通市崇川区城东街道人民路", [(None, "江苏省南通市崇川区城东街道人民路"), ("320613001", "人民路")]),
        ("海安人民路", [(None, "海安人民路"), ("320685", "人民路")]),
        ("海门路", [(None, "海门路")]),
        ("新河镇人民路", [(None, "新河镇人民路")]),  # two towns of that name
        ("海门区新河镇人民路", [(None, "海门区新河镇人民路"), ("320614001", "人民路")]),
        ("崇川区", [(None, "崇川区")]),
    ],
)
def test_areas_are_taken_off_the_front_only_when_it_is_clear(text: str, readings: list[tuple[str | None, str]]) -> None:
    assert AREAS.split(text) == readings


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("海门", ["320614"]),
        ("海安", ["320685", "320685100"]),
        ("新河镇", ["320614001", "320685102"]),
        ("海安市新河镇", ["320685102"]),
        ("南通市崇川区", ["320613"]),
        ("Hai'an", ["320685"]),
        ("无锡", []),
        ("", []),
    ],
)
def test_an_area_is_known_by_its_usual_names(text: str, codes: list[str]) -> None:
    assert sorted(area.code for area in AREAS.named(text)) == codes
