"""Values of fields as text and back: what a person compares with, and what a cursor remembers."""

from __future__ import annotations

import datetime as dt
import re

from layers.ask.period import in_city_time
from layers.spec import FieldKind

Value = str | int | float | bool | dt.date | dt.datetime
_WORDS = {"true": True, "false": False}
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_MOST_CHARACTERS = 4_000


def text_of(value: Value) -> str:
    """A value as text from which `value_of` makes the very same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def value_of(kind: FieldKind, text: str) -> Value:
    """The value of a field of this kind that a text stands for; ValueError, saying what is wanted, for another."""
    if kind in ("text", "code"):
        return _text(text)
    try:
        if kind == "boolean":
            return _WORDS[text]
        if kind == "integer":
            return int(_whole(text))
        if kind == "number":
            return float(text)
        if kind == "date":
            return dt.date.fromisoformat(text)
        return in_city_time(dt.datetime.fromisoformat(text))
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no {_WANTED[kind]}") from None


_WANTED: dict[FieldKind, str] = {
    "boolean": "truth value (true or false)",
    "integer": "whole number",
    "number": "number",
    "date": "date (2024-05-01)",
    "time": "time (2024-05-01T08:00:00+08:00)",
}


def _text(text: str) -> str:
    # What PostgreSQL cannot hold: NUL, and halves of surrogate pairs.
    if "\0" in text or len(text) > _MOST_CHARACTERS or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError(f"must be text of at most {_MOST_CHARACTERS} characters")
    return text


def _whole(text: str) -> str:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return text
