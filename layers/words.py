"""The book behind a field: a code book, several editions side by side, or the register of counties."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from layers.codes.admin import counties
from layers.codes.books import Book, Entry, book


@cache
def book_of(name: str) -> Book:
    """The book that a field names; UnknownBook when there is none.

    Records of the legacy and of the national edition stand in one layer: their class codes differ in length and share
    one book; their major classes have the same digits, so the legacy ones are marked with an L.
    """
    if name in ("component", "matter"):
        return _side_by_side(name, book(name), book(f"{name}_legacy").entries)
    if name in ("component_major", "matter_major"):
        legacy = book(name.replace("_major", "_legacy_major")).entries
        marked = tuple(
            replace(e, code=f"L{e.code}", zh=f"{e.zh}（旧）", en=f"{e.en} (legacy)", also=()) for e in legacy
        )
        return _side_by_side(name, book(name), marked)
    if name == "county":
        return Book("county", tuple(Entry(unit.code, unit.name, unit.name_en) for unit in counties()))
    return book(name)


def standard_of(name: str, code: str) -> str | None:
    """The standard whose edition of a book holds the code; None where the book is of no standard, or lacks the code."""
    if name.removesuffix("_major") not in ("component", "matter"):
        return book_of(name).standard if code in book_of(name) else None
    stem, major, _ = name.partition("_major")
    if code in book(name):
        return book(name).standard
    legacy = book(f"{stem}_legacy{major}")
    return legacy.standard if (code.removeprefix("L") if major else code) in legacy else None


def _side_by_side(name: str, national: Book, more: tuple[Entry, ...]) -> Book:
    # National names win: where both editions have a word, a clerk who types it means today's class.
    return Book(name, (*more, *national.entries))
