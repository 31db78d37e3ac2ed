"""Identifiers of the city's things, parsed, checked and written: grids, components, matters, cameras.

Every kind is described once, as the parts it is made of; the check of one text and the check of a million texts
both walk that description. The plain constructors check the shape only, `parse` also the codes inside.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from layers.codes.admin import Register, shipped_register
from layers.codes.books import LEGACY, NATIONAL, Books, shipped_books
from layers.codes.errors import BadId

Known = Mapping[str, frozenset[str]]
"""For each sort of code that an id contains, the codes that exist."""

_BLANK: Final = " \t\r\n\v\f\x85\u2028\u2029\ufeff\u200b"
# Up to 15 digits a spreadsheet's number is exact, so "320613005012007.0" is still the id.
_WHOLE_NUMBER: Final = r"^'?([0-9]{1,15})\.0+$"
_LOST_NUMBER: Final = r"^[0-9]([.,][0-9]+)?E\+?[0-9]+$|^[0-9]{16,}\.0+$"

_EMPTY: Final = "it is empty"
_LOST: Final = "a spreadsheet turned it into a number and lost its last digits; export the column as text"


@dataclass(frozen=True)
class Part:
    """A run of characters inside an id; `known` names the codes that it must be one of."""

    length: int
    known: str | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Shape:
    """One way an id may be made: its parts in order, of digits or also of capital letters."""

    parts: tuple[Part, ...]
    letters: bool = False

    @property
    def length(self) -> int:
        """The number of characters."""
        return sum(part.length for part in self.parts)

    @property
    def pattern(self) -> str:
        """A regular expression for the characters."""
        return "^[0-9A-Z]+$" if self.letters else "^[0-9]+$"

    @property
    def bad_characters(self) -> str:
        """Why a text with other characters is refused."""
        return "it has characters other than digits" + (" and capital letters" if self.letters else "")

    def spans(self) -> list[tuple[Part, int, int]]:
        """Each part with the positions where it begins and ends."""
        spans, start = [], 0
        for part in self.parts:
            spans.append((part, start, start + part.length))
            start += part.length
        return spans


_COUNTY: Final = Part(6, "county", "county {} is not in the register of administrative units")


@dataclass(frozen=True)
class _Id:
    KIND: ClassVar[str]
    SHAPES: ClassVar[tuple[Shape, ...]]

    def __post_init__(self) -> None:
        pieces = astuple(self)
        for shape in self.SHAPES:
            if [len(piece) for piece in pieces] == [part.length for part in shape.parts]:
                if not re.fullmatch(shape.pattern, str(self)):
                    raise BadId(self.KIND, str(self), shape.bad_characters)
                return
        raise BadId(self.KIND, str(self), "its pieces have not the lengths of the standard")

    def __str__(self) -> str:
        return "".join(astuple(self))

    @classmethod
    def parse(cls, text: str, *, known: Known | None = None) -> Self:
        """The id that a text is (full-width digits and surrounding space allowed); BadId with the reason otherwise."""
        clean = clean_id(text)
        reason = _reason(cls.SHAPES, clean, known or shipped_codes())
        if reason is not None:
            raise BadId(cls.KIND, text, reason)
        shape = next(shape for shape in cls.SHAPES if shape.length == len(clean))
        return cls(*(clean[start:end] for _, start, end in shape.spans()))


@dataclass(frozen=True)
class GridId(_Id):
    """A 15-character grid: a 12-digit village or community and a number in it; unit grids have the same shape."""

    KIND = "grid"
    SHAPES = (Shape((_COUNTY, Part(3), Part(3), Part(3)), letters=True),)

    county: str
    town_number: str
    village_number: str
    sequence: str

    @property
    def town(self) -> str:
        """The 9-character town-level code."""
        return self.county + self.town_number

    @property
    def village(self) -> str:
        """The 12-character village or community code."""
        return self.town + self.village_number


@dataclass(frozen=True)
class ComponentId(_Id):
    """A component: county, class and serial number; 17 digits in the national standard, 16 in the legacy one."""

    KIND = "component"
    SHAPES = (
        Shape((_COUNTY, Part(5, "component", f"class {{}} is not in the book of {NATIONAL}"), Part(6))),
        Shape((_COUNTY, Part(4, "component_legacy", f"class {{}} is not in the book of {LEGACY}"), Part(6))),
    )

    county: str
    class_code: str
    serial: str

    @property
    def standard(self) -> str:
        """The standard that the class code belongs to."""
        return NATIONAL if len(self.class_code) == 5 else LEGACY


@dataclass(frozen=True)
class MatterCode(_Id):
    """An 11-digit matter code: county and matter class; it names a class of events, not one event."""

    KIND = "matter"
    SHAPES = (Shape((_COUNTY, Part(5, "matter", f"class {{}} is not in the book of {NATIONAL}"))),)

    county: str
    class_code: str


@dataclass(frozen=True)
class CameraId(_Id):
    """A 20-digit device code of GB/T 28181, rule A; the region is a county or the city itself."""

    KIND = "camera"
    SHAPES = (
        Shape(
            (
                Part(6, "region", "region {} is not in the register of administrative units"),
                Part(2),
                Part(2, "video_industry", "industry {} is not in the book of video industries"),
                Part(3, "video_type", "type {} is not in the book of video device types"),
                Part(1, "video_network", "network {} is not in the book of video networks"),
                Part(6),
            )
        ),
    )

    region: str
    base_unit: str
    industry: str
    device_type: str
    network: str
    serial: str

    @property
    def centre(self) -> str:
        """The 8-digit centre code: region and base unit."""
        return self.region + self.base_unit


def known_codes(books: Books, register: Register) -> Known:
    """The codes that ids may contain according to these books and this register; pass it to `parse`."""
    counties = frozenset(code for code in register.units if register.is_county(code))
    names = ("component", "component_legacy", "matter", "video_industry", "video_type", "video_network")
    cities = frozenset(unit.code for unit in register.units.values() if unit.level == "city")
    return {"county": counties, "region": counties | cities} | {n: frozenset(books.book(n).codes) for n in names}


@cache
def shipped_codes() -> Known:
    """The codes that ids may contain according to the shipped books and register."""
    return known_codes(shipped_books(), shipped_register())


def clean_id(text: str) -> str:
    """The text as an id is written: half-width capitals, no surrounding space, no "'" or ".0" of a spreadsheet."""
    plain = unicodedata.normalize("NFKC", text).strip(_BLANK)
    plain = re.sub(_WHOLE_NUMBER, r"\1", plain).removeprefix("'")
    return plain.upper() if plain.isascii() else plain


def clean_ids(ids: "pd.Series[Any]") -> "pd.Series[str]":
    """`clean_id` of a whole column, in its index; absent ids become empty texts."""
    return pd.Series(_clean_array(ids).to_numpy(zero_copy_only=False), index=ids.index, dtype="str")


def valid_grid_ids(ids: "pd.Series[Any]", *, known: Known | None = None) -> "pd.Series[Any]":
    """For each text None if it is a grid id, otherwise the reason."""
    return _reasons(GridId.SHAPES, ids, known or shipped_codes())


def valid_component_ids(ids: "pd.Series[Any]", *, known: Known | None = None) -> "pd.Series[Any]":
    """For each text None if it is a component id of either standard, otherwise the reason."""
    return _reasons(ComponentId.SHAPES, ids, known or shipped_codes())


def valid_matter_codes(ids: "pd.Series[Any]", *, known: Known | None = None) -> "pd.Series[Any]":
    """For each text None if it is a matter code, otherwise the reason."""
    return _reasons(MatterCode.SHAPES, ids, known or shipped_codes())


def valid_camera_ids(ids: "pd.Series[Any]", *, known: Known | None = None) -> "pd.Series[Any]":
    """For each text None if it is a camera id, otherwise the reason."""
    return _reasons(CameraId.SHAPES, ids, known or shipped_codes())


def _wrong_length(shapes: tuple[Shape, ...]) -> str:
    return f"it has {{}} characters, not {' or '.join(str(shape.length) for shape in shapes)}"


def _reason(shapes: tuple[Shape, ...], clean: str, known: Known) -> str | None:
    if not clean:
        return _EMPTY
    if re.search(_LOST_NUMBER, clean):
        return _LOST
    shape = next((shape for shape in shapes if shape.length == len(clean)), None)
    if shape is None:
        return _wrong_length(shapes).format(len(clean))
    if not re.search(shape.pattern, clean):
        return shape.bad_characters
    for part, start, end in shape.spans():
        if part.known and clean[start:end] not in known[part.known]:
            return part.refusal.format(clean[start:end])
    return None


def _clean_array(ids: "pd.Series[Any]") -> Any:
    texts = pa.array(ids.astype("string"), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.fill_null(texts.cast(pa.string()), "")
    texts = pc.utf8_trim(pc.utf8_normalize(texts, form="NFKC"), characters=_BLANK)
    texts = pc.replace_substring_regex(texts, pattern=_WHOLE_NUMBER, replacement=r"\1")
    return pc.ascii_upper(pc.replace_substring_regex(texts, pattern="^'", replacement=""))


class _Verdicts:
    """The reasons found so far for a column; the first reason of a row stays."""

    def __init__(self, size: int) -> None:
        self.reasons = np.full(size, None, dtype=object)
        self.open = np.ones(size, dtype=bool)

    def refuse(self, rows: Any, refusal: str, values: Any = None) -> None:
        """Refuse the rows still open, filling the refusal with each row's value."""
        hit = np.asarray(rows, dtype=bool) & self.open
        self.open &= ~hit
        if values is None:
            self.reasons[hit] = refusal
        elif hit.any():
            distinct, which = np.unique(np.asarray(values)[hit], return_inverse=True)
            self.reasons[hit] = np.array([refusal.format(value) for value in distinct], dtype=object)[which]


def _reasons(shapes: tuple[Shape, ...], ids: "pd.Series[Any]", known: Known) -> "pd.Series[Any]":
    texts = _clean_array(ids)
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    verdicts = _Verdicts(len(texts))
    verdicts.refuse(lengths == 0, _EMPTY)
    verdicts.refuse(pc.match_substring_regex(texts, pattern=_LOST_NUMBER), _LOST)
    verdicts.refuse(~np.isin(lengths, [shape.length for shape in shapes]), _wrong_length(shapes), lengths)
    for shape in shapes:
        of_shape = lengths == shape.length
        if of_shape.any():
            _refuse_parts(verdicts, of_shape, shape, texts, known)
    return pd.Series(verdicts.reasons, index=ids.index, dtype=object)


def _refuse_parts(verdicts: _Verdicts, of_shape: Any, shape: Shape, texts: Any, known: Known) -> None:
    matches = pc.match_substring_regex(texts, pattern=shape.pattern).to_numpy(zero_copy_only=False)
    verdicts.refuse(of_shape & ~matches, shape.bad_characters)
    for part, start, end in shape.spans():
        if part.known:
            pieces = pc.utf8_slice_codeunits(texts, start, end)
            exists = pc.is_in(pieces, value_set=pa.array(sorted(known[part.known]), pa.string()))
            missing = of_shape & ~exists.to_numpy(zero_copy_only=False)
            if missing.any():
                verdicts.refuse(missing, part.refusal, pieces.to_numpy(zero_copy_only=False))
