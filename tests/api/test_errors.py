"""Refusals that reach a page: each code has a word there in both languages, and says nothing in another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from string import Formatter

import httpx
import pytest

from api import errors
from gis.errors import GisError
from layers.errors import LayersError
from layers.refusals import CAUSES
from tests.conftest import ROOT, Server

WORDS = (ROOT / "webmap" / "src" / "words" / "why.ts").read_text(encoding="utf-8")
OURS = ("api.", "gis.", "layers.", "webmap.")


def kinds(root: type[Exception]) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_code_of_a_refusal_has_a_word_on_the_pages() -> None:
    import_module("api.app")  # whatever the server may raise is known then
    raised = (kind for root in (LayersError, GisError) for kind in kinds(root) if kind.__module__.startswith(OURS))
    codes = {errors._code(kind.__new__(kind)) for kind in raised}
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "api").glob("*.py")))
    codes |= set(re.findall(r'code="(\w+)"', source))
    assert {"bad_filter", "too_busy", "internal", "method", "outside_frame"} <= codes
    words = re.findall(r"^  why_(\w+):", WORDS, re.MULTILINE)
    assert sorted(codes - set(words)) == []


@pytest.mark.parametrize(
    ("filter", "cause", "about"),
    [
        ("state =", "filter_syntax", None),
        ("nothing = 1", "filter_property", "nothing"),
        ("state = 1", "filter_kinds", "state"),
        ("changed_at > TIMESTAMP('soon')", "filter_time", "soon"),
        ("pg_sleep(3) = 1", "filter_function", "pg_sleep"),
    ],
)
def test_what_is_wrong_with_a_filter_is_told_by_cause_and_place(
    server: Server, filter: str, cause: str, about: str | None
) -> None:
    answer = httpx.get(f"{server.url}/layers/component/facets", params={"filter": filter})
    told = answer.json()
    assert (answer.status_code, told["code"], told["cause"]) == (400, "bad_filter", cause)
    assert (told["line"], told.get("about")) == (1, about)
    assert f"why_{cause}:" in WORDS


def test_whoever_refuses_gives_all_that_the_words_of_the_refusal_ask_for() -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{call.lineno} {cause}: {', '.join(sorted(lacking))}"
        for room in ("layers", "etl", "api")
        for path in sorted((ROOT / room).rglob("*.py"))
        for call, cause, given in _refusals(path.read_text())
        if cause in CAUSES and (lacking := _asked(cause) - given)
    ]
    assert missing == []


def test_nobody_is_refused_a_step_or_a_report_without_a_reason_that_has_its_words() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ("layers/loop", "layers/people", "api/routes")
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
        if node.exc.func.id in ("BadField", "Conflict", "NotAllowed", "BadUpload")
    ]
    # An edit of a record tells which right is missing, in words of its own.
    assert [place for place in bare if not place.startswith("api/routes/items.py")] == []


def _refusals(code: str) -> Iterator[tuple[ast.Call, str, set[str]]]:
    """Each `.because("cause", fact=…)` of a module whose facts are all named there."""
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "because"):
            continue
        names = [keyword.arg for keyword in node.keywords]
        if node.args and isinstance(node.args[0], ast.Constant) and None not in names:
            yield node, str(node.args[0].value), {name for name in names if name is not None}


def _asked(cause: str) -> set[str]:
    said = CAUSES[cause]
    texts = [*said.what, *(said.then or ())]
    # These two are left empty where nobody can tell them.
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name} - {"frame", "ending"}
