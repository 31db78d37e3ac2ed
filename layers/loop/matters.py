"""What an incident is about: a class of matters, told by its code or by the component that is out of order."""

from __future__ import annotations

import datetime as dt
from typing import Final

from layers.codes.books import book, new_codes_for
from layers.codes.errors import BadId
from layers.codes.ids import ComponentId, MatterCode, clean_id
from layers.errors import BadField

_WHOLE: Final = 11


def matter_of(text: str, *, on: dt.date) -> str:
    """The 5-digit matter class of a code: one of the national book, with its county, or of the legacy book.

    A component's class stands for "something is wrong with it", which has the same digits. BadField for any other.
    """
    code = clean_id(text)
    if len(code) == _WHOLE:
        code = _class_of_whole(code)
    if len(code) == 4 and code in book("matter_legacy"):
        code = next(iter(new_codes_for(code, "matter")), code)
    if not book("matter").valid(code, on):
        raise BadField({"matter": "is no code of a matter in force"}).because("matter_unknown")
    return code


def component_of(text: str, *, on: dt.date) -> tuple[str, str]:
    """The id of a component as it is written, and the matter that it is out of order; BadField for what is none."""
    try:
        told = ComponentId.parse(text)
    except BadId as error:
        raise BadField({"component": str(error)}).because("component_unknown") from error
    national = told.class_code
    if len(national) == 4:
        national = next(iter(new_codes_for(national, "component")), national)
    return str(told), matter_of(national, on=on)


def _class_of_whole(code: str) -> str:
    try:
        return MatterCode.parse(code).class_code
    except BadId as error:
        raise BadField({"matter": str(error)}).because("matter_unknown") from error
