"""The code books: every code with its names in two languages, its standard and the days it is valid."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

from layers.codes.errors import BadBook, UnknownBook, UnknownCode
from layers.codes.tables import DATA, Line, folded, read_table, within

Language = Literal["zh", "en"]
Kind = Literal["component", "matter"]

NATIONAL: Final = "GB/T 47678.5-2026"
LEGACY: Final = "GB/T 30428.2-2013"

_SUFFIX: Final = {NATIONAL: "", LEGACY: "_legacy"}
_DIGITS: Final = {NATIONAL: 5, LEGACY: 4}
_KINDS: Final[tuple[Kind, ...]] = ("component", "matter")

_EDITIONS: Final = tuple(_SUFFIX.values())
_CLASS_BOOKS: Final = tuple(f"{k}{edition}{part}" for k in _KINDS for edition in _EDITIONS for part in ("", "_major"))

BOOKS: Final = (
    *_CLASS_BOOKS,
    *("component_state", "data_source"),
    *("video_status", "video_industry", "video_type", "video_network", "ptz_type", "position_type"),
    *("pollution_kind", "pollution_status", "road_class", "building_kind", "place_kind", "grid_kind"),
    *("town_kind", "county_kind", "place_method", "place_precision"),
    *("hazard_kind", "hazard_level", "hazard_substance", "hazard_status"),
    *("shelter_stay", "shelter_site", "shelter_status", "supply_kind", "supply_level", "supply_status"),
    *("incident_state", "incident_level", "incident_light", "incident_channel", "appeal_kind"),
)
"""The books that every folder of codes must have; a folder may have more enumerations."""


@dataclass(frozen=True)
class Entry:
    """One code of a book; `major` is the code of its major class where the book has them."""

    code: str
    zh: str
    en: str
    major: str | None = None
    also: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Book:
    """A named list of codes; `standard` is None for the lists that are our own or come from no single standard."""

    name: str
    entries: tuple[Entry, ...]
    standard: str | None = None
    _by_code: Mapping[str, Entry] = field(init=False, repr=False, compare=False)
    _by_text: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _width: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_code = {entry.code: entry for entry in self.entries}
        # Codes last: where a name of one entry is the code of another, the code is meant.
        by_text = {folded(name): entry.code for entry in self.entries for name in (entry.zh, entry.en, *entry.also)}
        by_text |= {folded(code): code for code in by_code}
        widths = {len(code) if code.isdecimal() else 0 for code in by_code}
        object.__setattr__(self, "_by_code", by_code)
        object.__setattr__(self, "_by_text", by_text)
        object.__setattr__(self, "_width", widths.pop() if len(widths) == 1 else None)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes in the order of the book."""
        return tuple(self._by_code)

    def entry(self, code: str) -> Entry:
        """The entry of a code; UnknownCode when the book has none."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownCode(self.name, code) from None

    def word(self, code: str, lang: Language = "zh") -> str:
        """The name of a code in one language; UnknownCode when the book has none."""
        entry = self.entry(code)
        return entry.zh if lang == "zh" else entry.en

    def valid(self, code: str, on: date | None = None) -> bool:
        """True when the book has the code and it is valid on that day (None: on any day)."""
        entry = self._by_code.get(code)
        return entry is not None and within(on, entry.valid_from, entry.valid_to)

    def code_for(self, text: str) -> str | None:
        """The code that a person meant by a code, a Chinese or an English name; None when nothing fits."""
        key = folded(text)
        if key in self._by_text:
            return self._by_text[key]
        # Spreadsheets drop leading zeros and add ".0": 01001 arrives as 1001 or 1001.0.
        number = re.fullmatch(r"(\d+)(?:\.0)?", key)
        if number is None or not self._width:
            return None
        return self._by_text.get(number[1].zfill(self._width))

    def labels(self) -> dict[str, dict[str, str]]:
        """The book as JSON: code -> {"zh": …, "en": …}."""
        return {entry.code: {"zh": entry.zh, "en": entry.en} for entry in self.entries}


@dataclass(frozen=True)
class Books:
    """All books of one folder, and the way from legacy codes to national ones."""

    by_name: Mapping[str, Book]
    crosswalk: Mapping[tuple[str, str], tuple[str, ...]]

    def book(self, name: str, *, standard: str | None = None) -> Book:
        """The book of that name, in the edition of that standard if one is named; UnknownBook when there is none."""
        candidates = [name] if standard is None else [name, *_editions(name)]
        for candidate in candidates:
            found = self.by_name.get(candidate)
            if found is not None and standard in (None, found.standard):
                return found
        raise UnknownBook(name, tuple(self.by_name), standard=standard)

    def new_codes_for(self, old_code: str, kind: Kind) -> tuple[str, ...]:
        """The national codes that may replace a legacy one, best first; empty when it has no successor."""
        self.book(f"{kind}_legacy").entry(old_code)
        return self.crosswalk.get((kind, old_code), ())


def book(name: str, *, standard: str | None = None) -> Book:
    """The shipped book of that name, in the edition of that standard if one is named; UnknownBook otherwise."""
    return shipped_books().book(name, standard=standard)


def new_codes_for(old_code: str, kind: Kind) -> tuple[str, ...]:
    """The national codes that may replace a legacy one in the shipped books; UnknownCode when it is no legacy code."""
    return shipped_books().new_codes_for(old_code, kind)


@cache
def shipped_books() -> Books:
    """The books that come with the program, read once."""
    return load_books(DATA)


def load_books(folder: Path) -> Books:
    """All books of a folder, checked; BadBook names the file and the line that cannot be used."""
    classes = _class_books(folder / "component_matter.csv")
    by_name = classes | _enumerations(folder / "enumerations.csv")
    for name in BOOKS:
        if name not in by_name:
            raise BadBook(folder / "enumerations.csv", None, f"the book {name!r} has no line")
    return Books(by_name, _crosswalk(folder / "crosswalk.csv", classes))


def _editions(name: str) -> list[str]:
    stem, major, _ = name.partition("_major")
    return [f"{stem}{edition}{major}" for edition in _EDITIONS]


class _Draft:
    """A book while its lines are read: refuses what would make a code or a name ambiguous."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._codes: dict[str, int] = {}
        self._names: dict[str, tuple[str, int]] = {}

    def add(self, line: Line, entry: Entry) -> None:
        """Append one entry; BadBook for a code or a name that an earlier line has."""
        earlier = self._codes.setdefault(folded(entry.code), line.number)
        if earlier != line.number:
            raise line.error(f"code {entry.code} is already on line {earlier}")
        for name in (entry.zh, entry.en, *entry.also):
            code, earlier = self._names.setdefault(folded(name), (entry.code, line.number))
            if code != entry.code:
                raise line.error(f"the name {name!r} already belongs to code {code} on line {earlier}")
        self.entries.append(entry)


_CLASS_COLUMNS: Final = (
    *("standard", "kind", "code", "name", "name_en"),
    *("major_code", "major_name", "major_name_en", "valid_from", "valid_to"),
)


def _class_books(path: Path) -> dict[str, Book]:
    drafts: dict[tuple[str, str], _Draft] = {(standard, kind): _Draft() for kind in _KINDS for standard in _SUFFIX}
    majors: dict[tuple[str, str], dict[str, Entry]] = {key: {} for key in drafts}
    for line in read_table(path, _CLASS_COLUMNS):
        key = (line.one_of("standard", tuple(_SUFFIX)), line.one_of("kind", _KINDS))
        entry = _class_entry(line)
        drafts[key].add(line, entry)
        _add_major(line, entry, majors[key])
    books = {}
    for (standard, kind), draft in drafts.items():
        name = f"{kind}{_SUFFIX[standard]}"
        if not draft.entries:
            raise BadBook(path, None, f"no {kind} of {standard}")
        books[name] = Book(name, tuple(draft.entries), standard)
        books[f"{name}_major"] = Book(f"{name}_major", tuple(majors[standard, kind].values()), standard)
    return books


def _class_entry(line: Line) -> Entry:
    code, digits = line.required("code"), _DIGITS[line["standard"]]
    if not re.fullmatch(rf"[0-9]{{{digits}}}", code):
        hint = "; a spreadsheet may have dropped a leading zero" if code.isdecimal() else ""
        raise line.error(f"code {code!r} has not the {digits} digits of {line['standard']}{hint}")
    if line["major_code"] != code[:2]:
        raise line.error(f"code {code} does not begin with its major code {line['major_code']!r}")
    start, end = line.period()
    return Entry(
        code,
        line.required("name"),
        line.required("name_en"),
        major=line["major_code"],
        valid_from=start,
        valid_to=end,
    )


def _add_major(line: Line, entry: Entry, majors: dict[str, Entry]) -> None:
    found = Entry(
        line["major_code"],
        line.required("major_name"),
        line.required("major_name_en"),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
    )
    first = majors.setdefault(found.code, found)
    if (first.zh, first.en) != (found.zh, found.en):
        raise line.error(f"major {found.code} is called {first.zh!r} / {first.en!r} on an earlier line")


def _enumerations(path: Path) -> dict[str, Book]:
    drafts: dict[str, _Draft] = {}
    for line in read_table(path, ("book", "code", "zh", "en", "also", "valid_from", "valid_to")):
        start, end = line.period()
        also = tuple(word.strip() for word in line["also"].split("/") if word.strip())
        entry = Entry(line.required("code"), line.required("zh"), line.required("en"), None, also, start, end)
        name = line.required("book")
        if name in _CLASS_BOOKS:
            raise line.error(f"the book {name!r} is made from component_matter.csv")
        drafts.setdefault(name, _Draft()).add(line, entry)
    return {name: Book(name, tuple(draft.entries)) for name, draft in drafts.items()}


def _crosswalk(path: Path, books: Mapping[str, Book]) -> dict[tuple[str, str], tuple[str, ...]]:
    walk: dict[tuple[str, str], tuple[str, ...]] = {}
    for line in read_table(path, ("kind", "old_standard", "old_code", "new_standard", "new_code", "basis")):
        kind = line.one_of("kind", _KINDS)
        line.one_of("old_standard", (LEGACY,))
        line.one_of("new_standard", (NATIONAL,))
        old, new = line.required("old_code"), line.required("new_code")
        for code, name in ((old, f"{kind}_legacy"), (new, kind)):
            if code not in books[name]:
                raise line.error(f"code {code!r} is not in the book {name!r}")
        if new in walk.get((kind, old), ()):
            raise line.error(f"{old} -> {new} is there twice")
        walk[kind, old] = (*walk.get((kind, old), ()), new)
    return walk
