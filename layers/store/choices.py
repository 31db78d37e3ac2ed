"""What a person chose about a file that was brought: the options of the command line, as they travel as JSON."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

MOST_CORRECTIONS: Final = 5_000
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Header = Annotated[str, Field(min_length=1, max_length=4_000)]
Words = Annotated[dict[Word, Word], Field(max_length=1_000)]
Headers = Annotated[dict[Word, Header], Field(max_length=1_000)]
Plain = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([:._-][A-Za-z0-9]+)*$", max_length=40)]


class Correction(BaseModel):
    """A cell as it should be: the row as the file counts it, the header, and the value, None for an empty cell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[int, Field(ge=1, le=2**53)]
    column: Header
    value: Annotated[str, Field(max_length=4_000)] | None


class Meanings(BaseModel):
    """The meaning of every column as a person settled it: field → header, role → header, field → word → code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: Headers = {}
    roles: Headers = {}
    values: Annotated[dict[Word, Words], Field(max_length=200)] = {}


class Choices(BaseModel):
    """What a person chose; None where the file, an earlier delivery or a guess decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: Name | None = None
    new_layer: Name | None = None
    title: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    public: bool = False
    source: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    table: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    encoding: Plain | None = None
    frame: Plain | None = None
    extent: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    swap: bool = False
    partial: bool = False
    meanings: Meanings | None = None
    constants: Words = {}
    corrections: Annotated[tuple[Correction, ...], Field(max_length=MOST_CORRECTIONS)] = ()

    @field_validator("extent")
    @classmethod
    def _no_file(cls, text: str | None) -> str | None:
        # On the command line an extent may be a file; nobody on the network names a file of this machine.
        if text is not None and text.count(",") != 3 and (PurePath(text).suffix or re.search(r"[/\\:]", text)):
            raise ValueError("four numbers (west,south,east,north) or the name of a place")
        return text
