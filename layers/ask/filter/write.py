"""A filter's tree written as CQL2 text, which reads as the same tree again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from layers.ask.filter.grammar import Tree

_INFIX: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "like", "+", "-", "*", "/", "%", "^", "div"})
_OPERATORS: Final = _INFIX | {"and", "or", "not", "isNull", "between", "in"}
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    {"and", "or", "not", "like", "between", "in", "is", "div", "true", "false", "null", "date", "timestamp"}
)


def as_text(tree: Tree) -> str:
    """The canonical tree of a parsed filter as CQL2 text."""
    if isinstance(tree, dict) and "op" in tree:
        return _operation(tree["op"], tree["args"])
    return _value(tree)


def _operation(op: str, args: list[Tree]) -> str:
    if op in ("and", "or"):
        return f" {op.upper()} ".join(_within(arg) for arg in args)
    if op == "not":
        return f"NOT {_within(args[0])}"
    if op == "isNull":
        return f"{_within(args[0])} IS NULL"
    if op == "between":
        value, low, high = map(_within, args)
        return f"{value} BETWEEN {low} AND {high}"
    if op == "in":
        return f"{_within(args[0])} IN ({', '.join(map(as_text, args[1]))})"
    if op in _INFIX:
        return f"{_within(args[0])} {op.upper()} {_within(args[1])}"
    return f"{op.upper()}({', '.join(map(as_text, args))})"


def _within(tree: Tree) -> str:
    """A part of a larger expression: in parentheses where it is one itself; functions bring their own."""
    operator = isinstance(tree, dict) and tree.get("op") in _OPERATORS
    return f"({as_text(tree)})" if operator else as_text(tree)


def _value(tree: Tree) -> str:
    if tree is None or isinstance(tree, bool):
        return str(tree).upper() if tree is not None else "NULL"
    if isinstance(tree, int | float):
        return repr(tree)
    if isinstance(tree, str):
        return _quoted(tree)
    if isinstance(tree, list):
        return f"({', '.join(map(as_text, tree))})"
    writers: dict[str, Callable[[Any], str]] = {
        "property": _name,
        "date": lambda text: f"DATE({_quoted(text)})",
        "timestamp": lambda text: f"TIMESTAMP({_quoted(text)})",
        "interval": lambda ends: f"INTERVAL({', '.join(map(as_text, ends))})",
        "bbox": lambda numbers: f"BBOX({', '.join(map(repr, numbers))})",
    }
    for key, write in writers.items():
        if key in tree:
            return write(tree[key])
    return _geometry(tree)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _geometry(tree: dict[str, Any]) -> str:
    kind = tree["type"].upper()
    if kind == "GEOMETRYCOLLECTION":
        return f"{kind}({', '.join(map(_geometry, tree['geometries']))})"
    if kind == "POINT":
        return f"POINT({_position(tree['coordinates'])})"
    return f"{kind}{_positions(tree['coordinates'])}"


def _positions(node: list[Any]) -> str:
    if isinstance(node[0], int | float):
        return _position(node)
    return f"({', '.join(map(_positions, node))})"


def _position(numbers: list[Any]) -> str:
    return " ".join(repr(number) for number in numbers)
