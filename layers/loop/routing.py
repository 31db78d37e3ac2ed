"""Who is responsible for a matter at a place, decided by the duty table and explained in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.codes.admin import Register, shipped_register
from layers.codes.books import shipped_books
from layers.loop.departments import Department, Departments, county_of, town_of
from layers.loop.duties import ANY, MOST_DUTIES, Duty, duty_of
from layers.loop.routing_tables import DUTY
from layers.spec import Title

MOST_CO: Final = 8


@dataclass(frozen=True)
class Decision:
    """Who leads (`lead`) and who helps (`co`), as codes of departments; `why` in words; `rule` are the duties' numbers.

    No duty (an empty `rule`) means that the command centre has to decide.
    """

    lead: str
    co: tuple[str, ...]
    why: tuple[Title, ...]
    rule: tuple[int, ...]


def decide(
    connection: sa.Connection,
    departments: Departments,
    *,
    matter: str,
    admin_code: str | None,
    grid_id: str | None,
    at: datetime,
    register: Register | None = None,
) -> Decision:
    """Who is responsible at a moment: the duties of the smallest area, of those the one of the narrowest matter.

    A department of the city that has a counterpart in the county of the place leaves the matter to it.
    """
    every = _matching(connection, matter, admin_code=admin_code, grid_id=grid_id, at=at)
    return decided(
        every, departments, matter=matter, area=grid_id or admin_code, register=register or shipped_register()
    )


def decided(
    every: Iterable[Duty], departments: Departments, *, matter: str, area: str | None, register: Register
) -> Decision:
    """The decision that follows from the duties that hold for a matter in an area."""
    known = [duty for duty in every if duty.given.department in departments]
    leads = sorted((duty for duty in known if duty.given.role == "lead"), key=_order)
    if not leads:
        return _undecided(departments, matter, area, register)
    lead = leads[0]
    first, why = _here(lead, departments, area, register)
    told = [_because(lead, matter, register, departments), *why]
    co: list[str] = []
    rules = [lead.id]
    for duty in sorted((duty for duty in known if duty.given.role == "shared"), key=_order):
        one, _ = _here(duty, departments, area, register)
        if one.code in (first.code, *co) or len(co) == MOST_CO:
            continue
        co.append(one.code)
        rules.append(duty.id)
        told.append(Title(f"职责清单第 {duty.id} 条：{one.title.zh}协办", f"Duty {duty.id}: {one.title.en} helps"))
    return Decision(first.code, tuple(co), tuple(told), tuple(rules))


def _matching(
    connection: sa.Connection, matter: str, *, admin_code: str | None, grid_id: str | None, at: datetime
) -> list[Duty]:
    areas = {code[:digits] for code in (admin_code, grid_id) if code for digits in (4, 6, 9) if len(code) >= digits}
    areas |= {grid_id} if grid_id else set()
    day = at.astimezone(CITY_TIME).date() if at.tzinfo else at.date()
    statement = (
        sa.select(DUTY)
        .where(DUTY.c.matter.in_({matter, matter[:2], ANY}), DUTY.c.area.in_(areas))
        .where(sa.func.coalesce(DUTY.c.valid_from, day) <= day, sa.func.coalesce(DUTY.c.valid_to, day) >= day)
        .order_by(DUTY.c.id)
        .limit(MOST_DUTIES)
    )
    return [duty_of(row) for row in connection.execute(statement).mappings()]


def _order(duty: Duty) -> tuple[int, int, int, int]:
    """The smallest area first, then the narrowest matter, then the rank."""
    given = duty.given
    return -len(given.area), 0 if given.matter == ANY else -len(given.matter), given.rank, duty.id


def _here(duty: Duty, departments: Departments, area: str | None, register: Register) -> tuple[Department, list[Title]]:
    """The department that does the duty in this area, and why it is not the one that the table names."""
    named = departments.find(duty.given.department)
    county = None if area is None else county_of(area, register)
    local = departments.counterpart(named.code, county) if named.level == "city" else None
    if local is None or county is None:
        return named, []
    unit = register.unit(county)
    zh = f"案卷位于{unit.name}，由对应的{local.title.zh}承办"
    return local, [Title(zh, f"It lies in {unit.name_en}, where the counterpart is {local.title.en}")]


def _because(duty: Duty, matter: str, register: Register, departments: Departments) -> Title:
    named, given = departments.find(duty.given.department), duty.given
    zh, en = _matter_words(matter)
    if given.matter != matter:
        zh, en = f"{zh}所属的{_matter_words(given.matter)[0]}", f"{_matter_words(given.matter)[1]} (that is {en})"
    where = _area_words(given.area, register)
    return Title(
        f"职责清单第 {duty.id} 条：{where.zh}的{zh}由{named.title.zh}负责",
        f"Duty {duty.id}: in {where.en}, {en} is for the {named.title.en}",
    )


def _undecided(departments: Departments, matter: str, area: str | None, register: Register) -> Decision:
    centre = departments.centre(area, register=register)
    zh, en = _matter_words(matter)
    why = Title(
        f"职责清单中没有适用于此地{zh}的条目，由{centre.title.zh}研判",
        f"The duty table has no line for {en} here: {centre.title.en} has to decide",
    )
    return Decision(centre.code, (), (why,), ())


def _matter_words(matter: str) -> tuple[str, str]:
    books = shipped_books()
    if matter == ANY:
        return "各类事项", "any matter"
    for name in ("matter", "matter_major"):
        if matter in books.book(name):
            entry = books.book(name).entry(matter)
            return f"“{entry.zh}”（{matter}）", f"“{entry.en}” ({matter})"
    return f"“{matter}”", f"“{matter}”"


def _area_words(area: str, register: Register) -> Title:
    if len(area) > 9:
        return Title(f"网格 {area} ", f"the grid {area}")
    code = town_of(area, register) if len(area) == 9 else county_of(area, register) if len(area) == 6 else None
    unit = register.units.get(code or f"{area:0<6}") or register.units.get(area)
    return Title(area, area) if unit is None else Title(unit.name, unit.name_en)
