"""Filters that were written to harm: each is refused with a reason, quickly, and the process lives."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from api.errors import refusal
from layers.ask.filter import BadFilter, condition, parse
from layers.catalog.component import LAYER as COMPONENT
from tests.conftest import ROOT
from tests.layers.filtering import PROBE

FOREIGN_FUNCTIONS = {
    "pg_sleep(3) IS NOT NULL": "pg_sleep",
    "query_to_xml('select 1', true, false, '') IS NOT NULL": "query_to_xml",
    "current_setting('is_superuser') = 'on'": "current_setting",
    "state = pg_read_file('/etc/passwd')": "pg_read_file",
    "casei(version()) LIKE 'p%'": "version",
    "set_config('role', 'none', false) = 'none'": "set_config",
    "lo_import('/etc/passwd') > 0": "lo_import",
    "st_buffer(geom, 1e9) IS NULL": "st_buffer",
    "t_sleep(changed_at, changed_at)": "t_sleep",
    "s_relate(geom, geom)": "s_relate",
    "repeat('x', 1000000000) = 'x'": "repeat",
}


@pytest.mark.parametrize(("text", "name"), FOREIGN_FUNCTIONS.items())
def test_a_function_that_is_not_offered_is_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(BadFilter, match=rf"function '{name}' is not offered") as refused:
        condition(COMPONENT, parse(text))
    assert refused.value.column == text.index(name) + 1


@pytest.mark.parametrize(
    "name", ["extra", "changed_by", "delivery", "cell", "geom3857", "place_method", "department_code"]
)
def test_columns_that_are_not_declared_for_filters_do_not_exist(name: str) -> None:
    with pytest.raises(BadFilter, match=f"has no property '{name}'"):
        condition(COMPONENT, parse(f"{name} IS NOT NULL"))


@pytest.mark.parametrize(
    "text",
    [
        '"a"" or 1=1" = 1',
        '"class_code" = \'x\' or "name"" --" = 1',
        '"" = 1',
        "class_code = 'x'; drop table city.component",
        "class_code = 'x' -- '",
        "class_code = 'x' /* */",
        "class_code = $1",
        "class_code = :id",
        "class_code = %(id)s",
        "class_code = E'x'",
        "class_code::text = 'x'",
        "class_code || 'x' = 'x'",
        "(select 1) = 1",
        "1 = 1 union select 1",
        "class_code = 'x",
        '"class_code = 1',
        "class_code = ''''''' or 1=1",
        "class_code = '\\' or ((state)) or state = '\\",
        "state != '1'",
        "a_contains(state, ('1', '2'))",
        "state = (1, 2)",
        "state in state",
        "state in ()",
        "state =",
        "",
        " ",
        "()",
        "near_m",
        "near_m()",
        "interval('2020-01-01', '..')",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        condition(COMPONENT, parse(text))


@pytest.mark.parametrize("text", ["state = '\x00'", "state = '\ud800'", "\x00", "\ud800 = 1"])
def test_what_postgresql_cannot_hold_as_text_is_refused(text: str) -> None:
    with pytest.raises(BadFilter, match="no character"):
        parse(text)
    with pytest.raises(BadFilter, match="no character"):
        parse(json.dumps({"op": "=", "args": [{"property": "state"}, text]}), "cql2-json")


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "9007199254740993", "1" + "0" * 400, "9" * 5000, "NaN", "Infinity", "-Infinity"]
)
def test_numbers_that_are_not_exact_or_not_finite_are_refused(number: str) -> None:
    for text, lang in ((f"intfield = {number}", "cql2-text"), (f'{{"op":"=","args":[1,{number}]}}', "cql2-json")):
        with pytest.raises(BadFilter):
            condition(PROBE, parse(text, lang))  # type: ignore[arg-type]


NESTED = {
    "parentheses": '"(" * 2000 + "state" + ")" * 2000',
    "a mistake within parentheses": '"(" * 2000 + "state 1" + ")" * 2000',
    "a mistake within few parentheses": '"(" * 30 + "state 1" + ")" * 30',
    "lists in lists": '"(" * 60 + "state" + ", 1)" * 60',
    "parentheses that look like a string": 'r"id = \'\\\' or " + "(" * 2000 + "a" + ")" * 2000 + r" or id = \'\\\'"',
    "unclosed": '"(" * 8000',
    "negations": '"not " * 2000 + "state"',
    "signs": '"state = " + "-" * 8000 + "1"',
    "plus signs": '"state = " + "+" * 8000 + "1"',
    "sums": '"1" + "+1" * 4000',
    "powers": '"1" + "^1" * 4000',
    "comparisons": '"1" + "=1" * 4000',
    "likes": '"state" + " like state" * 700',
    "conjunctions": '"1=1" + " and 1=1" * 900',
    "functions": '"casei(" * 1300 + "state" + ")" * 1300',
    "collections": '"geometrycollection(" * 400 + "point(1 1)" + ")" * 400',
    "coordinates": '"s_intersects(geom, point(" + "1 " * 4000 + "))"',
    "coordinates as sums": '"s_intersects(geom, point(1" + " -1" * 2000 + "))"',
    "too long": '"state = \'" + "x" * 9000 + "\'"',
    "commas": '"state in (" + "1," * 2000 + "1)"',
}
NESTED_JSON = {
    "lists": '"[" * 30000',
    "closed lists": '"[" * 30000 + "]" * 30000',
    "objects": '\'{"op":"not","args":[\' * 2000 + "true" + "]}" * 2000',
    "coordinates": '\'{"type":"Polygon","coordinates":\' + "[" * 20000 + "]" * 20000 + "}"',
    "many parts": '\'{"op":"and","args":[\' + ",".join(["true"] * 10000) + "]}"',
    "many values": '\'{"op":"in","args":["a",[\' + ",".join(["1"] * 1001) + "]]}"',
    "many vertices": '\'{"type":"LineString","coordinates":[\' + ",".join(["[1,2]"] * 10001) + "]}"',
    "too long": '" " * 70000',
}


@pytest.fixture(scope="module")
def survived() -> dict[str, str]:
    """What became of each nested filter, all read by one process on a thread with a small stack."""
    texts = {("cql2-text", name): text for name, text in NESTED.items()}
    texts |= {("cql2-json", name): text for name, text in NESTED_JSON.items()}
    # A thread of a server may have a stack of 512 kB where its C library is small.
    program = f"""
import json, threading
from layers.ask.filter import BadFilter, parse
found = {{}}
def read():
    for lang, name, made in {[(lang, name, made) for (lang, name), made in texts.items()]!r}:
        try:
            parse(eval(made), lang)
        except BadFilter as refused:
            found[lang + " " + name] = str(refused)
threading.stack_size(512 * 1024)
thread = threading.Thread(target=read)
thread.start()
thread.join()
print(json.dumps(found))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr[-500:]
    answers: dict[str, str] = json.loads(ran.stdout)
    return answers


@pytest.mark.parametrize("name", [*(f"cql2-text {n}" for n in NESTED), *(f"cql2-json {n}" for n in NESTED_JSON)])
def test_deep_and_long_filters_are_refused_and_the_process_lives(name: str, survived: dict[str, str]) -> None:
    assert survived[name]


def test_a_refused_filter_is_a_problem_that_tells_its_place() -> None:
    with pytest.raises(BadFilter) as refused:
        condition(COMPONENT, parse("state = '1'\n AND pg_sleep(3) = 1"))
    status, problem, _ = refusal(refused.value)
    assert (status, problem["code"], problem["line"], problem["column"]) == (400, "bad_filter", 2, 6)


DEEPEST = {
    "functions": "casei(" * 29 + "textfield" + ")" * 29 + " = ''",
    "negations": "not (intfield = 1 or " * 13 + "intfield = 2" + ")" * 13,
    "junctions": "1 = 1 and (2 = 2 or " * 13 + "intfield = 2" + ")" * 13,
    "truths": "true = (" * 22 + "true" + ")" * 22,
}


@pytest.mark.parametrize("text", DEEPEST.values(), ids=DEEPEST)
def test_filters_as_deep_as_allowed_are_compiled_with_room_left_on_the_stack(text: str) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(850)
    try:
        built = sa.select(PROBE.table.c.id).where(condition(PROBE, parse(text)))
        assert len(str(built.compile(dialect=postgresql.dialect()))) > 100  # type: ignore[no-untyped-call]
    finally:
        sys.setrecursionlimit(before)


def test_as_many_values_as_allowed_are_one_bound_value() -> None:
    values = ",".join(f"'{n}'" for n in range(1000))
    text = json.dumps({"op": "in", "args": [{"property": "state"}, [str(n) for n in range(1000)]]})
    built = condition(COMPONENT, parse(text, "cql2-json")).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    assert len(built.params) == 1
    assert len(f"state in ({values})") < 8192
    assert parse(f"state in ({values})") == parse(text, "cql2-json")


def test_nothing_that_a_client_writes_is_in_the_statement() -> None:
    text = "casei(name) LIKE 'zqx%' AND state IN ('zqx') AND s_intersects(geom, POINT(77.123 33.321)) AND id <> 'zqx'"
    statement = str(condition(COMPONENT, parse(text)).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert not any(part in statement for part in ("zqx", "77", "33.3"))


WORDS = st.sampled_from(
    (
        *(
            "and",
            "or",
            "not",
            "like",
            "between",
            "in",
            "is",
            "null",
            "true",
            "(",
            ")",
            ",",
            "=",
            "<>",
            "<",
            "<=",
            ">",
            ">=",
        ),
        *("+", "-", "*", "/", "%", "^", "div", "casei", "accenti", "date", "timestamp", "interval", "bbox", "point"),
        *(
            "polygon",
            "((0",
            "linestring",
            "z",
            "s_intersects",
            "t_after",
            "near_m",
            "geom",
            "state",
            "id",
            "first_date",
        ),
        *(
            "''",
            "'x'",
            "'2020-01-01'",
            "'..'",
            "'\\'",
            '"',
            '"id"',
            "1",
            "2.5",
            "1e9",
            "-3",
            ".",
            ":",
            ";",
            "中文",
            "é",
        ),
        *("\\", "\t", "\n"),
    )
)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_random_words_are_a_filter_or_refused(text: str) -> None:
    with contextlib.suppress(BadFilter):
        condition(COMPONENT, parse(text)).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


@given(st.text(max_size=100))
def test_random_characters_are_a_filter_or_refused(text: str) -> None:
    with contextlib.suppress(BadFilter):
        condition(COMPONENT, parse(text))


OPERATORS = (
    *("and", "or", "not", "=", "<", "like", "in", "isNull", "between", "+", "^", "s_within", "t_during", "near_m"),
    *("casei", "sleep"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["id", "state", "geom", "first_date", "2020-01-01", "..", "%", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(
            lambda op, args: {"op": op, "args": args},
            st.sampled_from(OPERATORS),
            st.lists(inner, max_size=3),
        )
        | st.builds(
            lambda key, value: {key: value},
            st.sampled_from(["property", "date", "timestamp", "interval", "bbox", "op", "x"]),
            inner,
        )
        | st.builds(
            lambda kind, value: {"type": kind, "coordinates": value},
            st.sampled_from(["Point", "Polygon", "x", 1]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_random_json_is_a_filter_or_refused(tree: Any) -> None:
    with contextlib.suppress(BadFilter):
        condition(COMPONENT, parse(json.dumps(tree), "cql2-json"))
