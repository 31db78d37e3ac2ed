"""Whether one value fits its field: the same rules for the loader's columns and for a person's edit."""

from __future__ import annotations

import datetime as dt
import sys
import unicodedata
from typing import Any

from layers.errors import BadField
from layers.spec import Field, Layer
from layers.words import book_of

EARLIEST = dt.date(1900, 1, 1)


def checked(layer: Layer, values: dict[str, Any], *, new: bool = False) -> dict[str, Any]:
    """The values as they are stored; BadField names every field that does not take its value.

    Only editable fields are taken, of a new record also those that are set once, and all that a record needs; a code
    may be given as its word in either language.
    """
    problems: dict[str, str] = {}
    stored: dict[str, Any] = {}
    if new:
        needed = [f.name for f in layer.fields if f.required and f.name in layer.written]
        values = {**dict.fromkeys(needed), **values}
    for name, value in values.items():
        declared = layer.field(name)
        if declared is None:
            problems[name.encode("utf-8", "replace").decode()] = "no such field"
        elif not (declared.edit or (new and name in layer.written)):
            problems[name] = "this field is not edited by hand"
        else:
            try:
                stored[name] = value_of(declared, value)
            except ValueError as error:
                problems[name] = str(error)
    if problems:
        raise BadField(problems)
    return stored


def value_of(field: Field, value: Any) -> Any:
    """One value as its field stores it; ValueError with a reason for people."""
    if value is None or (isinstance(value, str) and not value.strip()):
        if field.required:
            raise ValueError("a value is needed")
        return None
    return _KINDS[field.kind](field, value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    text = unicodedata.normalize("NFC", value).strip()
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise ValueError("holds control characters")
    if len(text) > field.max_length:
        raise ValueError(f"is longer than {field.max_length} characters")
    return text


def _code(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be a code or its name")
    text = _text(field, str(value))
    if field.book is None:
        return text
    code = book_of(field.book).code_for(text)
    if code is None:
        raise ValueError(f"{text!r} is not in the code book {field.book!r}")
    return code


def _number(field: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    # Whole numbers of any length come from JSON; a comparison takes them, a conversion would not.
    if not abs(value) <= sys.float_info.max:
        raise ValueError("must be a number")
    unit = field.unit or ""
    if field.minimum is not None and value < field.minimum:
        raise ValueError(f"is below {field.minimum:g} {unit}".rstrip())
    if field.maximum is not None and value > field.maximum:
        raise ValueError(f"is above {field.maximum:g} {unit}".rstrip())
    return float(value)


def _integer(field: Field, value: Any) -> int:
    number = _number(field, value)
    if number != int(number) or abs(number) > 2**53:
        raise ValueError("must be a whole number")
    return int(number)


def _date(_: Field, value: Any) -> dt.date:
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError("must be a date such as 2026-07-01")
    if not EARLIEST <= day <= dt.date.today() + dt.timedelta(days=1):
        raise ValueError("lies before 1900 or in the future")
    return day


def _time(_: Field, value: Any) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None:
        raise ValueError("must be a time such as 2026-07-01T08:00:00+08:00")
    return at if at.tzinfo else at.replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))


def _boolean(_: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


_KINDS = {
    "text": _text, "code": _code, "number": _number, "integer": _integer, "date": _date, "time": _time,
    "boolean": _boolean,
}  # fmt: skip
