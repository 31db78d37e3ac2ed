"""A filter that is written as CQL2 text reads as the same filter again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ask.filter import parse
from layers.ask.filter.write import as_text

FILTERS = [
    "state = 'broken'",
    "name = 'O''Hara''s' AND owner <> ''",
    "a = 1 OR b = 2 AND NOT (c = 3 OR d = 4)",
    "NOT a IN ('x', 'y') AND NOT b IS NULL AND c NOT BETWEEN 1 AND 2.5",
    "NOT (NOT a = 1)",
    "name LIKE '%路\\_灯' OR CASEI(name) = CASEI('Led') OR ACCENTI(name) LIKE 'e%'",
    "a + b * 2 - c / 4 > -1.5e-7 AND d % 3 = 1 AND e div 2 >= f ^ 2",
    "(a - b) - (c - d) = a - (b - c)",
    "(a = 1) = TRUE AND b = FALSE",
    "first_date < DATE('2015-01-01') AND changed_at >= TIMESTAMP('2026-05-01T08:00:00Z')",
    "T_DURING(INTERVAL(start, '..'), INTERVAL('2026-01-01', '2026-02-01')) AND T_AFTER(a, DATE('2026-01-01'))",
    "T_METBY(INTERVAL(a, b), INTERVAL('2026-01-01', '2026-02-01'))",
    "S_INTERSECTS(geom, POLYGON((120 31, 121 31, 121 32, 120 31), (120.1 31.1, 120.2 31.1, 120.2 31.2, 120.1 31.1)))",
    "S_WITHIN(geom, MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5))))",
    "S_CROSSES(geom, LINESTRING(0 0, 1 1)) OR S_EQUALS(geom, POINT(-1.5 2))",
    "S_DISJOINT(geom, GEOMETRYCOLLECTION(POINT(1 2), MULTILINESTRING((0 0, 1 1), (2 2, 3 3)), MULTIPOINT(1 1, 2 2)))",
    "S_INTERSECTS(geom, BBOX(120, 31, 121.5, 32)) AND NOT NEAR_M(geom, POINT(120.86 32.01), 150)",
    '"odd name" = 1 AND "and" = 2 AND "a""b" = 3',
]


@pytest.mark.parametrize("text", FILTERS)
def test_what_is_written_reads_as_the_same(text: str) -> None:
    filter = parse(text)
    assert parse(as_text(filter.tree)) == filter


_values = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6, allow_nan=False), st.text("a'_%\\\"路 ", max_size=6)
)
_names = st.sampled_from(["state", "name", "and", "date", "x y", 'q"q', "geom"]).map(lambda name: {"property": name})
_compared = st.builds(
    lambda op, name, value: {"op": op, "args": [name, value]}, st.sampled_from(["=", "<>", "<", ">="]), _names, _values
)
_simple = st.one_of(
    _compared,
    st.builds(lambda name: {"op": "isNull", "args": [name]}, _names),
    st.builds(lambda name, some: {"op": "in", "args": [name, some]}, _names, st.lists(_values, min_size=1, max_size=3)),
    st.builds(lambda name, a, b: {"op": "between", "args": [name, a, b]}, _names, _values, _values),
)
_filters = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.builds(lambda op, parts: {"op": op, "args": parts}, st.sampled_from(["and", "or"]),
                  st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"op": "not", "args": [part]}, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@given(_filters)
def test_any_filter_is_the_same_when_it_has_been_written(tree: dict[str, object]) -> None:
    filter = parse(json.dumps(tree), "cql2-json")
    assert parse(as_text(filter.tree)) == filter
