"""The fixed list of searches: what people type, of every kind, taken from the demo city in an order of chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from layers.codes.books import book
from layers.terms import pinyin

# How many of 200 queries are of each kind.
_MIX = {
    "name": 24, "beginning": 16, "inside": 20, "typing error": 20, "pinyin": 16, "initials": 16, "id": 20,
    "beginning of an id": 12, "class": 12, "address": 16, "unknown number": 8, "area and name": 8, "coordinates": 8,
    "cell": 4,
}  # fmt: skip
_NAMED = ("place", "grid", "road", "town", "building", "video")
_IDENTIFIED = ("component", "grid", "video", "pollution")
_SPOKEN = ("place", "road", "town", "grid")

_TEXTS = sa.text(
    "select text from core.term where layer = :layer and field = :field order by md5(text) offset :n limit 1"
)
_WRONG = "帛"  # in no name of the city


def queries(connection: sa.Connection, total: int = 200) -> list[tuple[str, str]]:
    """Pairs of kind and query, `total` of them in the shares of the list of 200."""
    makers: dict[str, Callable[[sa.Connection, int], str]] = {
        "name": lambda c, n: _name(c, _NAMED, n),
        "beginning": lambda c, n: _name(c, _NAMED, n + 50)[: 2 + n % 2],
        "inside": lambda c, n: _middle(_name(c, _NAMED, n + 100), 2 + n % 2),
        "typing error": lambda c, n: _mistyped(_name(c, _SPOKEN, n + 150)),
        "pinyin": lambda c, n: pinyin(_name(c, _SPOKEN, n + 200))[0],
        "initials": lambda c, n: pinyin(_name(c, _SPOKEN, n + 250))[1],
        "id": lambda c, n: _id(c, n),
        "beginning of an id": lambda c, n: _id(c, n + 50)[: 8 + n % 5],
        "class": lambda _, n: _class(n),
        "address": lambda c, n: _text(c, ("building", "place", "component")[n % 3], "address", n),
        "unknown number": lambda c, n: f"{_text(c, 'road', 'name', n)}{3 + 7 * n}号",
        "area and name": lambda c, n: _text(c, "county", "name", n % 7) + _text(c, "place", "name", n + 300),
        "coordinates": lambda c, n: ("{:.5f},{:.5f}" if n % 2 else "{:.5f} {:.5f}").format(*_spot(c, n)),
        "cell": lambda c, n: _cell(c, n),
    }
    return [(kind, makers[kind](connection, n)) for kind, count in _shares(total) for n in range(count)]


def _shares(total: int) -> Iterator[tuple[str, int]]:
    whole = sum(_MIX.values())
    for kind, count in _MIX.items():
        yield kind, max(1, round(count * total / whole))


def _text(connection: sa.Connection, layer: str, field: str, n: int) -> str:
    found = connection.scalar(_TEXTS, {"layer": layer, "field": field, "n": n})
    # A small city has fewer names than the list asks for: begin again.
    return str(found) if found is not None else _text(connection, layer, field, n // 3)


def _name(connection: sa.Connection, layers: tuple[str, ...], n: int) -> str:
    return _text(connection, layers[n % len(layers)], "name", n)


def _middle(text: str, length: int) -> str:
    start = max(0, (len(text) - length) // 2)
    return text[start : start + length]


def _mistyped(text: str) -> str:
    at = len(text) // 2
    return text[:at] + _WRONG + text[at + 1 :]


def _id(connection: sa.Connection, n: int) -> str:
    layer = _IDENTIFIED[n % len(_IDENTIFIED)]
    table = f"city.{layer}"
    found = sa.text(f"select id from {table} order by md5(id) limit 1 offset :n % (select count(*) from {table})")
    return str(connection.scalar(found, {"n": n}))


def _class(n: int) -> str:
    entry = book("component").entries[7 * n]
    return (entry.zh, entry.code, entry.en)[n % 3]


def _spot(connection: sa.Connection, n: int) -> tuple[float, float]:
    found = sa.text("select st_x(geom), st_y(geom) from city.place order by md5(id) limit 1 offset :n")
    lon, lat = connection.execute(found, {"n": n}).one()
    return lon, lat


def _cell(connection: sa.Connection, n: int) -> str:
    found = sa.text("select to_hex(cell) from city.place order by md5(id) limit 1 offset :n")
    return str(connection.scalar(found, {"n": n}))
