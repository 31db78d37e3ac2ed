"""A filter as a value: read from CQL2 text or JSON within bounds, checked for shape, brought to one canonical form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from layers.ask.filter import times
from layers.ask.filter.grammar import MOST_EXACT, Tree, place, read_text, unfit
from layers.errors import BadFilter

Language = Literal["cql2-text", "cql2-json"]

MOST_CHARACTERS: Final[dict[str, int]] = {"cql2-text": 8_192, "cql2-json": 65_536}
# SQLAlchemy compiles nested functions in up to 20 calls each, and Python has room for 1,000.
DEEPEST: Final = 32
MOST_NODES: Final = 500
MOST_LISTED: Final = 1_000
MOST_VERTICES: Final = 10_000

# NUL ends a text in PostgreSQL; a lone surrogate is no character and cannot be encoded.
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
# How deep the positions of a GeoJSON geometry lie in lists.
_LEVELS: Final = {
    "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """A filter in canonical form; equal filters are equal values, however they were written.

    `canonical` is compact CQL2 JSON, good as a cache key; `tree` is the same as nested objects; `source` is what the
    client wrote, to point into it.
    """

    canonical: str
    tree: Tree = field(compare=False, repr=False)
    source: str = field(compare=False, repr=False)


def parse(text: str, lang: Language = "cql2-text") -> Filter:
    """The filter that a text means; BadFilter, with line and column where possible, when it means none."""
    most = MOST_CHARACTERS.get(lang)
    if most is None:
        raise BadFilter(f"filter-lang must be one of {', '.join(MOST_CHARACTERS)}")
    if len(text) > most:
        raise BadFilter(f"the filter is longer than {most:,} characters")
    if wrong := _NO_TEXT.search(text):
        line, column = place(text, wrong.start())
        raise BadFilter("the filter holds something that is no character", line=line, column=column)
    read = read_text if lang == "cql2-text" else _read_json
    try:
        tree = _Check().expression(read(text), 0)
    except BadFilter as refused:
        raise placed(refused, text) from None
    return Filter(_compact(tree), tree, text)


def placed(refused: BadFilter, source: str) -> BadFilter:
    """The same refusal with the line and column of the word that it is about, where the filter holds it."""
    if refused.line is not None or refused.about is None:
        return refused
    word = re.search(rf"(?<![\w.]){re.escape(refused.about)}(?![\w.])", source, re.IGNORECASE)
    if word is None:
        return refused
    line, column = place(source, word.start())
    found = BadFilter(refused.reason, about=refused.about, line=line, column=column)
    return found if refused.cause is None else found.because(refused.cause, **refused.facts)


def _read_json(text: str) -> Tree:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFilter(f"not JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except ValueError:  # a whole number of thousands of digits
        raise BadFilter("a number is too large") from None
    except RecursionError:
        raise BadFilter(f"the filter is nested more than {DEEPEST} deep") from None


def _compact(tree: Tree) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _Check:
    """Tells CQL2 JSON from other JSON, counts its parts, and returns it in canonical form.

    Whole numbers are integers; AND and OR are flat; their parts and the values of IN are sorted and each there once.
    """

    def __init__(self) -> None:
        self._nodes = 0
        self._vertices = 0

    def expression(self, node: Tree, depth: int) -> Tree:
        if depth > DEEPEST:
            raise BadFilter(f"the filter is nested more than {DEEPEST} deep")
        self._count()
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, int | float):
            return _number(node)
        if isinstance(node, str):
            return _text(node)
        if isinstance(node, list):
            return [self.expression(part, depth + 1) for part in self._bounded(node)]
        if isinstance(node, dict):
            return self._object(node, depth)
        raise BadFilter("the filter is no CQL2 expression")

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadFilter(f"the filter has more than {MOST_NODES} parts")

    def _bounded(self, listed: list[Tree]) -> list[Tree]:
        if len(listed) > MOST_LISTED:
            raise BadFilter(f"a list has more than {MOST_LISTED:,} values")
        return listed

    def _object(self, node: dict[str, Any], depth: int) -> Tree:
        readers: dict[frozenset[str], Callable[[dict[str, Any], int], Tree]] = {
            frozenset({"op", "args"}): self._operation,
            frozenset({"property"}): _only_text,
            frozenset({"date"}): _moment,
            frozenset({"timestamp"}): _moment,
            frozenset({"interval"}): self._interval,
            frozenset({"bbox"}): self._bbox,
            frozenset({"type", "coordinates"}): self._geometry,
            frozenset({"type", "geometries"}): self._collection,
        }
        if (reader := readers.get(frozenset(node))) is None:
            raise BadFilter(f"an object with {_shown(sorted(node))} is no CQL2 expression")
        return reader(node, depth)

    def _operation(self, node: dict[str, Any], depth: int) -> Tree:
        op, args = node["op"], node["args"]
        if not isinstance(op, str) or not isinstance(args, list):
            raise BadFilter("'op' must be a text and 'args' a list")
        op = _text(op)
        if op == "in" and len(args) == 2 and isinstance(args[1], list):
            return {"op": op, "args": [self.expression(args[0], depth + 1), self._listed(args[1], depth)]}
        parts = [self.expression(part, depth + 1) for part in self._bounded(args)]
        return _junction(op, parts) if op in ("and", "or") else {"op": op, "args": parts}

    def _listed(self, values: list[Tree], depth: int) -> list[Tree]:
        """The values of IN: plain ones are bounded by their own number and not by that of all parts."""
        checked = [
            self.expression(value, depth + 2) if isinstance(value, dict | list) else _plain(value)
            for value in self._bounded(values)
        ]
        return _once(checked)

    def _interval(self, node: dict[str, Any], depth: int) -> Tree:
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise BadFilter("an interval has two ends", about="interval")
        return {"interval": [_end(end) if isinstance(end, str) else self.expression(end, depth + 1) for end in ends]}

    def _bbox(self, node: dict[str, Any], _: int) -> Tree:
        return {"bbox": _numbers(node["bbox"], (4, 6), "a bbox has four or six numbers")}

    def _geometry(self, node: dict[str, Any], _: int) -> Tree:
        kind = node["type"]
        level = _LEVELS.get(kind) if isinstance(kind, str) else None
        if level is None:
            raise BadFilter(f"{_shown(kind)} is no kind of geometry")
        return {"type": kind, "coordinates": self._positions(node["coordinates"], level)}

    def _collection(self, node: dict[str, Any], depth: int) -> Tree:
        members = node["geometries"]
        if node["type"] != "GeometryCollection" or not isinstance(members, list) or not members:
            raise BadFilter("a GeometryCollection has a list of geometries")
        checked = [self.expression(member, depth + 1) for member in self._bounded(members)]
        if not all(isinstance(member, dict) and "coordinates" in member for member in checked):
            raise BadFilter("a GeometryCollection holds geometries only, and no collection")
        return {"type": "GeometryCollection", "geometries": checked}

    def _positions(self, node: Tree, level: int) -> list[Tree]:
        if level == 0:
            self._vertices += 1
            if self._vertices > MOST_VERTICES:
                raise BadFilter(f"the geometries of the filter have more than {MOST_VERTICES:,} vertices")
            return _numbers(node, (2, 3, 4), "a position has two to four numbers")
        if not isinstance(node, list) or not node:
            raise BadFilter("the coordinates of a geometry are not nested as its kind demands")
        return [self._positions(part, level - 1) for part in node]


def _junction(op: str, parts: list[Tree]) -> Tree:
    if not parts:
        raise BadFilter(f"{op.upper()} joins nothing", about=op)
    flat = [
        inner
        for part in parts
        for inner in (part["args"] if isinstance(part, dict) and part.get("op") == op else [part])
    ]
    kept = _once(flat)
    return kept[0] if len(kept) == 1 else {"op": op, "args": kept}


def _once(trees: list[Tree]) -> list[Tree]:
    """The trees, each once, in the order of their canonical texts."""
    return [tree for _, tree in sorted({_compact(tree): tree for tree in trees}.items())]


def _plain(value: Tree) -> Tree:
    if isinstance(value, str):
        return _text(value)
    return _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _text(text: str) -> str:
    if _NO_TEXT.search(text):
        raise BadFilter("a text of the filter holds something that is no character")
    return text


def _number(number: int | float) -> int | float:
    """A number as an integer where that is the same."""
    if reason := unfit(number):
        raise BadFilter(reason)
    whole = int(number)
    return whole if whole == number and abs(whole) <= MOST_EXACT else number


def _numbers(node: Tree, lengths: tuple[int, ...], reason: str) -> list[int | float]:
    if not isinstance(node, list) or len(node) not in lengths:
        raise BadFilter(reason)
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in node):
        raise BadFilter(reason)
    return [_number(number) for number in node]


def _only_text(node: dict[str, Any], _: int) -> Tree:
    [(key, text)] = node.items()
    if not isinstance(text, str):
        raise BadFilter(f"{key!r} must be a text", about=key)
    return {key: _text(text)}


def _moment(node: dict[str, Any], depth: int) -> Tree:
    """A date or a timestamp, checked, and the same for all ways to write the same instant."""
    [(key, text)] = _only_text(node, depth).items()
    return {key: times.written(times.date(text) if key == "date" else times.timestamp(text))}


def _end(text: str) -> str:
    end = times.moment(_text(text))
    return ".." if end is None else times.written(end)


def _shown(found: Any) -> str:
    """What was found, short enough to be shown."""
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:59]}…"
