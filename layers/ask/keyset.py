"""An order of records that is total, and places in it: what lets a list be walked page by page by keys.

A page begins after the keys of the record before it, not after a number of records, so nothing is skipped or told twice
when records come and go meanwhile. Empty values stand last, whichever way the order runs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from layers.ask.filter import queryables
from layers.ask.values import Value, text_of, value_of
from layers.errors import BadParameter
from layers.spec import FieldKind, Layer

MOST_KEYS = 3
_DIGEST_BYTES = 9
_MOST_CHARACTERS = 30_000


@dataclass(frozen=True)
class Key:
    """One value by which records are ordered."""

    name: str
    column: sa.Column[Any]
    kind: FieldKind
    descending: bool = False

    def order(self, *, backward: bool) -> sa.UnaryExpression[Any]:
        """The term of ORDER BY, for the order itself or for the same order read backward."""
        falling = self.descending != backward
        directed = self.column.desc() if falling else self.column.asc()
        return directed.nulls_first() if backward else directed.nulls_last()

    def beyond(self, value: Value | None, *, backward: bool) -> sa.ColumnElement[bool]:
        """The condition that a record's value stands after this one, or before it."""
        column = self.column
        if value is None:
            return column.is_not(None) if backward else sa.false()
        strictly = column < value if self.descending != backward else column > value
        return strictly if backward or not column.nullable else sa.or_(strictly, column.is_(None))


@dataclass(frozen=True)
class Place:
    """A place in an order: right after the record with these values or, when walking backward, right before it."""

    values: tuple[Value | None, ...]
    backward: bool = False

    def condition(self, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
        """What a record fulfils that stands beyond this place."""
        (key, *others), (value, *rest) = keys, self.values
        beyond = key.beyond(value, backward=self.backward)
        if not others:
            return beyond
        level = key.column.is_(None) if value is None else key.column == value
        return sa.or_(beyond, sa.and_(level, Place(tuple(rest), self.backward).condition(others)))


def keys_of(layer: Layer, sortby: str = "") -> tuple[Key, ...]:
    """The keys that `+name,-changed_at` names, with the id last so that the order is total; BadParameter."""
    # A plus sign that was not escaped arrives as a space.
    keys = [_key(layer, term.strip()) for term in sortby.split(",")] if sortby else []
    if len(keys) > MOST_KEYS:
        raise BadParameter("sortby", f"at most {MOST_KEYS} properties")
    named = [key.name for key in keys]
    if len(set(named)) < len(named):
        raise BadParameter("sortby", "names a property twice")
    # Nothing that follows the id could matter.
    return tuple(keys[: named.index("id") + 1]) if "id" in named else (*keys, _key(layer, "id"))


def _key(layer: Layer, term: str) -> Key:
    name = term[1:] if term[:1] in ("+", "-") else term
    known = queryables(layer).get(name)
    if known is None or known.kind == "geometry":
        sortable = ", ".join(q.name for q in queryables(layer).values() if not q.geometry)
        raise BadParameter("sortby", f"there is no property {name[:60]!r} to sort by; there are {sortable}")
    return Key(name, known.column, known.kind, descending=term.startswith("-"))


def cursor_of(place: Place, *, question: str) -> str:
    """A place as an opaque token that is good for this question only."""
    values = [None if value is None else text_of(value) for value in place.values]
    body = json.dumps([place.backward, values], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(question, body) + body).decode().rstrip("=")


def place_at(cursor: str, keys: Sequence[Key], *, question: str) -> Place:
    """The place that a token stands for; BadParameter for one that was not given out for this very question.

    A token holds no secret and gives no right: it names values to begin after, as a filter could.
    """
    refused = BadParameter("cursor", "was not given out for this question; begin again without it")
    try:
        if len(cursor) > _MOST_CHARACTERS:
            raise ValueError(cursor)
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if digest != _digest(question, body):
            raise ValueError(cursor)
        return _place(json.loads(body), keys)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise refused from None


def _place(told: Any, keys: Sequence[Key]) -> Place:
    backward, texts = told
    if not isinstance(backward, bool) or not isinstance(texts, list) or len(texts) != len(keys):
        raise ValueError(told)
    if not isinstance(texts[-1], str) or not all(text is None or isinstance(text, str) for text in texts):
        raise ValueError(told)
    pairs = zip(keys, texts, strict=True)
    return Place(tuple(None if text is None else value_of(key.kind, text) for key, text in pairs), backward)


def _digest(question: str, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=hashlib.blake2b(question.encode()).digest(), digest_size=_DIGEST_BYTES).digest()
