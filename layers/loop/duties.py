"""The duty table: who answers for which matter in which area, alone, as lead or with others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, cast

import sqlalchemy as sa

from layers.codes.books import NATIONAL, Books, shipped_books
from layers.codes.tables import Line
from layers.errors import BadDeclaration, BadField, Conflict, LayersError, Stale
from layers.loop.departments import Departments
from layers.loop.reading import rows_in
from layers.loop.routing_tables import DUTY
from layers.people.access import is_area

Role = Literal["lead", "shared"]
ROLES: Final[tuple[Role, ...]] = ("lead", "shared")
ANY: Final = "*"
MOST_DUTIES: Final = 20_000
MOST_RANK: Final = 99
COLUMNS: Final = ("matter", "area", "department", "role", "rank", "valid_from", "valid_to", "source")
_MOST_SOURCE: Final = 200
_SETTLED: Final = tuple(column for column in DUTY.c if column.name in ("id", *COLUMNS, "version"))


class UnknownDuty(LayersError):
    """The duty table has no line of this number."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no duty {id}")
        self.id = id


@dataclass(frozen=True)
class Given:
    """A line as people write it: `matter` is a class, a major class or `*`, `area` the beginning of a code, or a grid.

    A department of the city stands for its counterparts in the counties, too. Smaller ranks come first.
    """

    matter: str
    area: str
    department: str
    role: Role
    rank: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""


@dataclass(frozen=True)
class Duty:
    """A line of the table; `version` grows with every change."""

    id: int
    given: Given
    version: int


def check(given: Given, departments: Departments, *, books: Books | None = None) -> None:
    """BadField for a matter, an area or a department that there is not, and for what is out of bounds."""
    known = books or shipped_books()
    problems: dict[str, str] = {}
    majors = (known.book(name, standard=NATIONAL) for name in ("matter", "matter_major"))
    if given.matter != ANY and not any(given.matter in book for book in majors):
        problems["matter"] = f"{given.matter!r} is no matter, no major class of them, and not '*'"
    if not is_area(given.area):
        problems["area"] = f"{given.area!r} is not 4, 6 or 9 digits of an administrative code, nor a grid"
    if given.department not in departments:
        problems["department"] = f"there is no department {given.department!r}"
    if given.role not in ROLES:
        problems["role"] = f"is none of: {', '.join(ROLES)}"
    if not 1 <= given.rank <= MOST_RANK:
        problems["rank"] = f"lies between 1 and {MOST_RANK}"
    if given.valid_from and given.valid_to and given.valid_to < given.valid_from:
        problems["valid_to"] = "lies before valid_from"
    if len(given.source) > _MOST_SOURCE or any(ord(letter) < 32 for letter in given.source):
        problems["source"] = f"has more than {_MOST_SOURCE} characters, or such as cannot be shown"
    if problems:
        raise BadField(problems).because("duty_unfit", names=", ".join(problems))


def duties(
    connection: sa.Connection, *, matter: str | None = None, department: str | None = None, after: int = 0, most: int
) -> list[Duty]:
    """Lines in the order of their numbers: those of a matter (its major class and any included), of a department."""
    statement = sa.select(*_SETTLED).where(DUTY.c.id > after).order_by(DUTY.c.id).limit(most)
    if matter is not None:
        statement = statement.where(DUTY.c.matter.in_([matter, matter[:2], ANY]))
    if department is not None:
        statement = statement.where(DUTY.c.department == department)
    return [duty_of(row) for row in connection.execute(statement).mappings()]


def duty(connection: sa.Connection, id: int) -> Duty:
    """The line of this number; UnknownDuty when there is none."""
    row = connection.execute(sa.select(*_SETTLED).where(DUTY.c.id == id)).mappings().first()
    if row is None:
        raise UnknownDuty(id)
    return duty_of(row)


def add_duty(connection: sa.Connection, given: Given, departments: Departments, *, actor: str) -> Duty:
    """A new line; Conflict when the table is full or holds the same line, BadField for one that cannot be."""
    check(given, departments)
    _alone(connection)
    if (connection.scalar(sa.select(sa.func.count()).select_from(DUTY)) or 0) >= MOST_DUTIES:
        raise Conflict(f"the duty table has {MOST_DUTIES:,} lines").because("duties_full", most=MOST_DUTIES)
    _refuse_twin(connection, given)
    values = {**vars(given), "actor": actor}
    return duty_of(connection.execute(sa.insert(DUTY).values(values).returning(*_SETTLED)).mappings().one())


def change_duty(
    connection: sa.Connection, id: int, given: Given, departments: Departments, *, version: int, actor: str
) -> Duty:
    """The line changed; Stale when it is not that version any more, UnknownDuty when there is none."""
    check(given, departments)
    _alone(connection)
    held = duty(connection, id)
    if held.version != version:
        raise Stale(str(held.version))
    _refuse_twin(connection, given, but=id)
    values = {**vars(given), "actor": actor, "version": version + 1, "at": sa.func.clock_timestamp()}
    statement = sa.update(DUTY).where(DUTY.c.id == id).values(values).returning(*_SETTLED)
    return duty_of(connection.execute(statement).mappings().one())


def remove_duty(connection: sa.Connection, id: int, *, version: int) -> None:
    """Take a line out; Stale when it is not that version any more, UnknownDuty when there is none."""
    _alone(connection)
    held = duty(connection, id)
    if held.version != version:
        raise Stale(str(held.version))
    connection.execute(sa.delete(DUTY).where(DUTY.c.id == id))


def replace_duties(connection: sa.Connection, text: str, departments: Departments, *, actor: str) -> int:
    """The whole table as a CSV says; returns how many lines. BadField names the line that cannot be used."""
    _alone(connection)
    try:
        given = read_duties(text, departments)
    except BadDeclaration as error:
        refused = BadField({"csv": str(error)})
        raise refused.because("duty_line", line=error.line or 1, reason=error.reason) from error
    connection.execute(sa.delete(DUTY))
    if given:
        connection.execute(sa.insert(DUTY), [{**vars(one), "actor": actor} for one in given])
    return len(given)


def read_duties(text: str, departments: Departments, *, name: str = "duties.csv") -> list[Given]:
    """The lines of a CSV; BadDeclaration names the one that cannot be used."""
    seen: dict[tuple[object, ...], int] = {}

    def made(line: Line) -> Given:
        given = _given(line)
        try:
            check(given, departments)
        except BadField as error:
            raise line.error(str(error)) from error
        twin = seen.setdefault(_key(given), line.number)
        if twin != line.number:
            raise line.error(f"the same is on line {twin}")
        return given

    return rows_in(text, name, COLUMNS, made)


def written(every: Iterable[Duty]) -> str:
    """The lines as a CSV that `read_duties` reads."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in every:
        values: Mapping[str, Any] = vars(one.given)
        writer.writerow(["" if values[name] is None else values[name] for name in COLUMNS])
    return file.getvalue()


def _given(line: Line) -> Given:
    start, end = line.period()
    rank = line["rank"] or "1"
    if not rank.isdecimal():
        raise line.error(f"rank {rank!r} is not a whole number")
    return Given(
        matter=line.required("matter"),
        area=line.required("area"),
        department=line.required("department"),
        role=cast(Role, line.one_of("role", ROLES)),
        rank=int(rank),
        valid_from=start,
        valid_to=end,
        source=line["source"],
    )


def _key(given: Given) -> tuple[object, ...]:
    """What no two lines have in common."""
    return given.matter, given.area, given.department, given.role, given.valid_from, given.valid_to


def _alone(connection: sa.Connection) -> None:
    """Nobody else changes the table meanwhile; it is read as before."""
    connection.execute(sa.text("lock table core.duty in share row exclusive mode"))


def _refuse_twin(connection: sa.Connection, given: Given, *, but: int = 0) -> None:
    names = ("matter", "area", "department", "role", "valid_from", "valid_to")
    same = [
        DUTY.c[name].is_not_distinct_from(sa.bindparam(None, getattr(given, name), DUTY.c[name].type)) for name in names
    ]
    twin = connection.scalar(sa.select(DUTY.c.id).where(*same, DUTY.c.id != but).limit(1))
    if twin is not None:
        raise Conflict(f"duty {twin} says the same").because("duty_twin", duty=twin)


def duty_of(row: sa.RowMapping) -> Duty:
    """A row of the table."""
    return Duty(row["id"], Given(**{name: row[name] for name in COLUMNS}), row["version"])
