"""Parts of a filter with their kinds: numbers and arithmetic, texts, and comparisons that PostgreSQL cannot refuse."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.ask.filter.grammar import Tree
from layers.errors import BadFilter

Kind = Literal["number", "text", "boolean", "date", "time", "interval", "geometry"]

LONGEST_PATTERN: Final = 256
MOST_POWER: Final = 16
# What doubles hold, in powers of ten, with some left over for sums.
_DECADES: Final = 300.0
# Values of a field enter arithmetic between 1e-15 and 1e15; a smaller one counts as 0, a larger one as unknown.
_FIELD_DECADES: Final = 15.0
# The least that two different doubles of the same size may differ by, relative to their size.
_CANCELLED: Final = 17.0

_ORDER: Final[dict[str, Callable[[Any, Any], sa.ColumnElement[bool]]]] = {
    "=": operator.eq, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
COMPARISONS: Final = frozenset(_ORDER)
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "^", "div"})


@dataclass(frozen=True)
class Value:
    """An expression with its kind; `name` is how to call it to people, `constant` what it is where it is known.

    `decades` bounds the result of arithmetic: its absolute value is 0 or between 10**-decades and 10**decades. A field
    has none, since anything may be stored in it.
    """

    kind: Kind
    sql: sa.ColumnElement[Any]
    name: str
    constant: Any = None
    decades: float | None = None


def literal(value: bool | int | float | str) -> Value:
    """A constant as a bound value of its own type."""
    if isinstance(value, bool):
        return Value("boolean", sa.literal(value, sa.Boolean), str(value).upper(), value)
    if isinstance(value, str):
        return Value("text", sa.literal(value, sa.Text), "a text", value)
    kind: sa.types.TypeEngine[Any] = sa.BigInteger() if isinstance(value, int) else sa.Double()
    decades = abs(math.log10(abs(value))) if value else 0.0
    return Value("number", sa.literal(value, kind), "a number", value, decades)


def compare(op: str, left: Value, right: Value) -> sa.ColumnElement[bool]:
    """A comparison of two values of one kind; for others a BadFilter that names them."""
    if left.kind != right.kind or left.kind in ("geometry", "interval"):
        hint = ": a text stands in single quotes" if {left.kind, right.kind} == {"text", "number"} else ""
        told = f"{_called(left)} and {_called(right)} cannot be compared by {op}{hint}"
        raise BadFilter(told, about=left.name).because("filter_kinds")
    first, second = left.sql, right.sql
    if left.kind == "text" and (op not in ("=", "<>") or (left.constant is None and right.constant is None)):
        # The columns have different collations; in one that is named, the order is that of the characters' numbers.
        first, second = first.collate("C"), second.collate("C")
    return _ORDER[op](first, second)


def _called(value: Value) -> str:
    return value.name if value.constant is not None else f"{value.name!r} (a {value.kind})"


def among(value: Value, listed: list[Value]) -> sa.ColumnElement[bool]:
    """Whether a value is one of those listed, which are of its kind."""
    if not listed:
        raise BadFilter("IN has no values to look for", about="in")
    constants = [other.constant for other in listed]
    if value.kind in ("text", "number") and all(other.kind == value.kind for other in listed) and None not in constants:
        return value.sql == sa.any_(_array(constants))
    return sa.or_(*(compare("=", value, other) for other in listed))


def _array(constants: list[Any]) -> sa.ColumnElement[Any]:
    """Texts, whole numbers or doubles as one bound array; the driver takes no list of both sorts of numbers."""
    if isinstance(constants[0], str):
        return sa.literal(constants, sa.ARRAY(sa.Text))
    if all(isinstance(number, int) for number in constants):
        return sa.literal(constants, sa.ARRAY(sa.BigInteger))
    return sa.literal([float(number) for number in constants], sa.ARRAY(sa.Double))


def like(value: Value, pattern: Value) -> sa.ColumnElement[bool]:
    """Whether a text fits a constant pattern with % and _, a backslash taking their meaning."""
    if value.kind != "text" or pattern.kind != "text":
        raise BadFilter(f"LIKE compares texts, not {_called(value)} with {_called(pattern)}", about=value.name)
    text = pattern.constant
    if text is None:
        raise BadFilter("the pattern of LIKE must be a text, not a property", about="like")
    if len(text) > LONGEST_PATTERN:
        raise BadFilter(f"the pattern of LIKE is longer than {LONGEST_PATTERN} characters", about="like")
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise BadFilter("the pattern of LIKE ends with a backslash that has nothing to escape", about="like")
    return value.sql.like(pattern.sql, escape="\\")


def without_case(value: Value) -> Value:
    """A text in small letters."""
    _demand_text("CASEI", value)
    # Identifiers are collated "C", where only ASCII has small letters.
    return Value("text", sa.func.lower(value.sql.collate("default")), value.name, value.constant)


def without_accents(value: Value) -> Value:
    """A text without the marks that Unicode combines with letters."""
    _demand_text("ACCENTI", value)
    apart = sa.func.pg_catalog.normalize(value.sql, "NFD")
    bare = sa.func.regexp_replace(apart, "[\u0300-\u036f]", "", "g")
    return Value("text", sa.func.pg_catalog.normalize(bare, "NFC", type_=sa.Text), value.name, value.constant)


def _demand_text(op: str, value: Value) -> None:
    if value.kind != "text":
        raise BadFilter(f"{op} takes a text, not {_called(value)}", about=value.name)


def arithmetic(op: str, args: list[Value]) -> Value:
    """The result of + - * / % ^ or div in doubles; unknown where a divisor is 0."""
    if len(args) != 2 or any(arg.kind != "number" for arg in args):
        raise BadFilter(
            f"{op} takes two numbers, not {' and '.join(_called(arg) for arg in args) or 'nothing'}", about=op
        )
    if op == "^":
        return _power(args[0], args[1].constant)
    (left, first), (right, second) = map(_operand, args)
    divisor = sa.func.nullif(right, sa.literal(0.0, sa.Double), type_=sa.Double)
    results: dict[str, Callable[[], sa.ColumnElement[Any]]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / divisor,
        "div": lambda: sa.func.trunc(left / divisor, type_=sa.Double),
        "%": lambda: sa.cast(sa.func.mod(sa.cast(left, sa.Numeric), sa.cast(divisor, sa.Numeric)), sa.Double),
    }
    decades = first + second if op in ("*", "/", "div") else max(first, second) + _CANCELLED
    return _bounded(op, results[op](), decades)


def _power(base: Value, exponent: Tree) -> Value:
    if not isinstance(exponent, int) or abs(exponent) > MOST_POWER:
        raise BadFilter(f"the exponent of ^ must be a whole number from -{MOST_POWER} to {MOST_POWER}", about="^")
    sql, decades = _operand(base)
    if exponent < 0:
        sql = sa.func.nullif(sql, sa.literal(0.0, sa.Double), type_=sa.Double)
    return _bounded(
        "^", sa.func.power(sql, sa.literal(float(exponent), sa.Double), type_=sa.Double), decades * abs(exponent)
    )


def _operand(value: Value) -> tuple[sa.ColumnElement[Any], float]:
    """A number as a double within bounds, so that no result leaves the range of doubles, and the bounds."""
    if value.decades is not None:
        return sa.cast(value.sql, sa.Double), value.decades
    number = sa.cast(value.sql, sa.Double)
    size = sa.func.abs(number, type_=sa.Double)
    least, most = (sa.literal(10.0**decades, sa.Double) for decades in (-_FIELD_DECADES, _FIELD_DECADES))
    return sa.case((size < least, sa.literal(0.0, sa.Double)), (size <= most, number)), _FIELD_DECADES


def _bounded(op: str, sql: sa.ColumnElement[Any], decades: float) -> Value:
    if decades > _DECADES:
        raise BadFilter("the arithmetic of the filter may leave the range of numbers", about=op)
    return Value("number", sql, "the result of arithmetic", decades=decades)
