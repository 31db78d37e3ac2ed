"""CQL2 text read into the tree of CQL2 JSON, in time linear to its length and with bounded recursion.

The parser of the package `cql2` serves as the judge in tests, not here: its time doubles with every pair of nested
parentheses that holds a mistake, and a chain of some thousand operators overflows its stack, which ends the process.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple

from layers.errors import BadFilter

Tree = Any
"""A number, a text, a boolean, None, a list of trees, or an object of CQL2 JSON."""

_DEEPEST: Final = 50
MOST_OPERATIONS: Final = 500
MOST_EXACT: Final = 2**53

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)
    |(?P<text>'[^']*(?:''[^']*)*')
    |(?P<quoted>"[^"]*(?:""[^"]*)*")
    |(?P<word>[^\W\d][\w.:]*)
    |(?P<mark><>|<=|>=|[-+*/%^=<>(),])""",
    re.VERBOSE,
)
_COMPARISON: Final = 4
_BINDING: Final[dict[str, int]] = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">=", "like", "between", "in", "is", "not"), _COMPARISON),
    **dict.fromkeys("+-", 5),
    **dict.fromkeys(("*", "/", "%", "div"), 6),
    "^": 7,
}
_NOT: Final = 3
_KEYWORDS: Final = frozenset({"and", "or", "not", "like", "between", "in", "is", "div"})
_CONSTANTS: Final[dict[str, Tree]] = {"true": True, "false": False, "null": None}
_CALLED: Final = frozenset({"date", "timestamp", "interval", "bbox", "casei", "accenti", "near_m", "in", "like"})
# How deep the positions of a geometry lie in lists; a bare position is in one pair of parentheses.
_GEOMETRIES: Final[dict[str, tuple[str, int]]] = {
    "point": ("Point", 1),
    "linestring": ("LineString", 1),
    "polygon": ("Polygon", 2),
    "multipoint": ("MultiPoint", 1),
    "multilinestring": ("MultiLineString", 2),
    "multipolygon": ("MultiPolygon", 3),
    "geometrycollection": ("GeometryCollection", 0),
}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """What the token means to the grammar: keywords in lower case; nothing that is quoted is a keyword."""
        return self.text.lower() if self.kind in ("word", "mark") else ""


def read_text(text: str) -> Tree:
    """The tree of a filter in CQL2 text; BadFilter with the place of what is wrong."""
    return _Reader(text).whole()


def place(text: str, at: int) -> tuple[int, int]:
    """Line and column, both from 1, of a position in a text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


class _Reader:
    """One pass over the tokens, by operator precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0
        self._operations = 0

    def whole(self) -> Tree:
        tree = self._expression(0, 0)
        if self._peek.kind != "end":
            raise self._unexpected("an operator or the end")
        return tree

    def _split(self) -> list[_Token]:
        tokens, at = [], 0
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise self._bad(f"{self._text[at]!r} opens nothing that is closed or is no part of CQL2", at)
            if found.lastgroup != "space":
                tokens.append(_Token(str(found.lastgroup), found[0], at))
            at = found.end()
        return [*tokens, _Token("end", "", at)]

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += token.kind != "end"
        return token

    def _skip(self, word: str) -> bool:
        """Take the token if it is this keyword or mark."""
        if self._peek.word != word:
            return False
        self._next += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._unexpected(f"{word.upper()!r}")

    def _bad(self, reason: str, at: int) -> BadFilter:
        line, column = place(self._text, at)
        return BadFilter(reason, line=line, column=column).because("filter_syntax")

    def _unexpected(self, wanted: str) -> BadFilter:
        found = repr(self._peek.text) if self._peek.kind != "end" else "the end"
        return self._bad(f"expected {wanted}, found {found}", self._peek.at)

    def _expression(self, power: int, depth: int) -> Tree:
        """An operand with all operators behind it that bind more tightly than `power`."""
        if depth > _DEEPEST:
            raise self._bad(f"the filter is nested more than {_DEEPEST} deep", self._peek.at)
        left, ceiling = self._operand(depth), 9
        while power < (binding := self._binding()) < ceiling:
            self._operations += 1
            if self._operations > MOST_OPERATIONS:
                raise self._bad(f"the filter has more than {MOST_OPERATIONS} operators", self._peek.at)
            left = self._operation(left, binding, depth)
            # 1 < a < 2 is no CQL2: a comparison is not compared again without parentheses.
            ceiling = binding if binding == _COMPARISON else binding + 1
        return left

    def _binding(self) -> int:
        if self._peek.word == "not" and self._tokens[self._next + 1].word not in ("like", "between", "in"):
            return 0
        return _BINDING.get(self._peek.word, 0)

    def _operation(self, left: Tree, binding: int, depth: int) -> Tree:
        word = self._take().word
        if word == "is":
            negated = self._skip("not")
            self._expect("null")
            found = {"op": "isNull", "args": [left]}
            return {"op": "not", "args": [found]} if negated else found
        if word == "not":
            return {"op": "not", "args": [self._operation(left, binding, depth)]}
        if word == "between":
            low = self._expression(_COMPARISON, depth + 1)
            self._expect("and")
            return {"op": "between", "args": [left, low, self._expression(_COMPARISON, depth + 1)]}
        if word == "in":
            self._expect("(")
            return {"op": "in", "args": [left, self._listed(depth)]}
        return {"op": word, "args": [left, self._expression(binding, depth + 1)]}

    def _listed(self, depth: int) -> list[Tree]:
        """Expressions up to the closing parenthesis, the opening one being taken."""
        found = [self._expression(0, depth + 1)]
        while self._skip(","):
            found.append(self._expression(0, depth + 1))
        self._expect(")")
        return found

    def _operand(self, depth: int) -> Tree:
        token = self._peek
        if token.kind == "number" or token.word in ("+", "-"):
            return self._signed(depth)
        if token.kind == "text":
            return self._string()
        if self._skip("("):
            found = self._listed(depth)
            return found[0] if len(found) == 1 else found
        if token.kind == "quoted":
            self._take()
            return {"property": token.text[1:-1].replace('""', '"')}
        if token.kind == "word":
            return self._named(depth)
        raise self._unexpected("a value")

    def _signed(self, depth: int) -> Tree:
        sign = self._take().word if self._peek.kind == "mark" else ""
        if self._peek.kind == "number":
            at, number = self._peek.at, _number(self._take().text)
            if reason := unfit(number):
                raise self._bad(reason, at)
            return -number if sign == "-" else number
        if sign != "-" or depth >= _DEEPEST:
            raise self._unexpected("a number")
        return {"op": "*", "args": [-1, self._operand(depth + 1)]}

    def _string(self) -> str:
        if self._peek.kind != "text":
            raise self._unexpected("a text in single quotes")
        return self._take().text[1:-1].replace("''", "'")

    def _named(self, depth: int) -> Tree:
        """What begins with a word: NOT, a constant, a geometry, a function, or a property."""
        token, behind = self._peek, self._tokens[self._next + 1]
        if token.word == "not":
            self._take()
            return {"op": "not", "args": [self._expression(_NOT - 1, depth + 1)]}
        if token.word in _GEOMETRIES and (behind.word in ("(", "z", "m", "zm")):
            return self._geometry(depth)
        if behind.word == "(":
            self._next += 2
            return self._call(_spelled(token.text), depth)
        if token.word in _KEYWORDS:
            raise self._unexpected("a value")
        self._take()
        return _CONSTANTS.get(token.word, {"property": token.text})

    def _call(self, name: str, depth: int) -> Tree:
        """A function or a literal that looks like one, its opening parenthesis being taken."""
        if name in ("date", "timestamp"):
            found: Tree = {name: self._string()}
            self._expect(")")
            return found
        args = [] if self._skip(")") else self._listed(depth)
        if name in ("interval", "bbox"):
            return {name: args}
        return {"op": name, "args": args}

    def _geometry(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise self._bad(f"the filter is nested more than {_DEEPEST} deep", self._peek.at)
        kind, level = _GEOMETRIES[self._take().word]
        if self._peek.word in ("z", "m", "zm"):
            self._take()
        if kind == "GeometryCollection":
            return {"type": kind, "geometries": self._members(depth)}
        if kind == "MultiPoint" and self._tokens[self._next + 1].word == "(":
            return {"type": kind, "coordinates": [position for (position, *_) in self._positions(2)]}
        found = self._positions(level)
        if kind == "Point":
            if len(found) != 1:
                raise self._unexpected("one position")
            return {"type": kind, "coordinates": found[0]}
        return {"type": kind, "coordinates": found}

    def _members(self, depth: int) -> list[Tree]:
        self._expect("(")
        found: list[Tree] = []
        while not found or self._skip(","):
            if self._peek.word not in _GEOMETRIES:
                raise self._unexpected("a geometry")
            found.append(self._geometry(depth + 1))
        self._expect(")")
        return found

    def _positions(self, level: int) -> list[Tree]:
        """Lists of positions in `level` pairs of parentheses."""
        if level == 0:
            return self._position()
        self._expect("(")
        found = [self._positions(level - 1)]
        while self._skip(","):
            found.append(self._positions(level - 1))
        self._expect(")")
        return found

    def _position(self) -> list[Tree]:
        numbers: list[Tree] = []
        while len(numbers) < 4 and (self._peek.kind == "number" or self._peek.word in ("+", "-")):
            numbers.append(self._signed(_DEEPEST))
        if len(numbers) < 2:
            raise self._unexpected("a coordinate")
        return numbers


def _spelled(name: str) -> str:
    """A function's name as CQL2 JSON spells it; text is free in the case of those that CQL2 and we define."""
    lower = name.lower()
    if re.fullmatch("[ast]_[a-z]+", lower):
        return re.sub("by$", "By", lower)
    return lower if lower in _CALLED else name


def _number(digits: str) -> int | float:
    # Python refuses to read thousands of digits; a whole number of 17 is refused by ourselves.
    return int(digits[:17]) if digits.isdigit() else float(digits)


def unfit(number: int | float) -> str | None:
    """Why a number cannot be compared exactly; None when it can."""
    if isinstance(number, int) and abs(number) > MOST_EXACT:
        return f"a whole number beyond {MOST_EXACT} is not exact; an identifier is a text: put it in quotes"
    if not math.isfinite(number):
        return "a number is too large"
    return None
