"""The lines that end in one intake: 12345, those merged into it, companies, counties; emergencies are referred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from layers.codes.tables import Line as Row
from layers.errors import BadDeclaration, LayersError
from layers.loop.departments import Departments, shipped_departments
from layers.loop.reading import path_of, rows_of
from layers.spec import Title

Kind = Literal["hub", "merged", "referred", "company", "local", "county", "written"]
KINDS: Final[tuple[Kind, ...]] = ("hub", "merged", "referred", "company", "local", "county", "written")
MOST_CODE: Final = 20
_FILE: Final = "lines.csv"
_COLUMNS: Final = ("code", "number", "zh", "en", "kind", "department", "demo")


class UnknownLine(LayersError):
    """No line has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"there is no line {code!r}")
        self.code = code


@dataclass(frozen=True)
class HotLine:
    """A channel: `number` is what people dial (none for those in writing and for invented ones).

    `referred` ones are not ours to take: who calls there is put through at once. `demo` ones are invented.
    """

    code: str
    number: str | None
    title: Title
    kind: Kind
    department: str | None
    demo: bool

    def as_json(self) -> dict[str, object]:
        """The line as the routes tell it."""
        return {
            "code": self.code, "number": self.number, "title": self.title._asdict(), "kind": self.kind,
            "department": self.department, "demo": self.demo,
        }  # fmt: skip


Lines = Mapping[str, HotLine]


def lines_in(data: Path | None = None, *, departments: Departments | None = None) -> Lines:
    """The lines of `lines.csv`, by their codes; BadDeclaration names the line of the file that cannot be used."""
    known = departments or shipped_departments()
    found: dict[str, HotLine] = {}

    def add(row: Row) -> None:
        code, department = row.required("code"), row["department"] or None
        if len(code) > MOST_CODE or not code.isascii():
            raise row.error(f"code {code!r} is not at most {MOST_CODE} letters and digits")
        if code in found:
            raise row.error(f"the code {code!r} is there already")
        if department is not None and department not in known:
            raise row.error(f"there is no department {department!r}")
        demo = row.one_of("demo", ("", "yes")) == "yes"
        if demo and row["number"]:
            raise row.error("an invented line has no number that somebody might dial")
        kind = cast(Kind, row.one_of("kind", KINDS))
        title = Title(row.required("zh"), row.required("en"))
        found[code] = HotLine(code, row["number"] or None, title, kind, department, demo)

    path = path_of(_FILE, data)
    rows_of(path, _COLUMNS, add)
    if not found:
        raise BadDeclaration(path, None, "there is no line")
    return found


@cache
def shipped_lines() -> Lines:
    """The lines that come with the program, read once."""
    return lines_in()


def line_of(lines: Lines, code: str) -> HotLine:
    """The line of a code; UnknownLine when there is none."""
    try:
        return lines[code]
    except KeyError:
        raise UnknownLine(code) from None
