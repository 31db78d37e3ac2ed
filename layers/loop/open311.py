"""Incidents as Open311 GeoReport v2 tells them to the public: no words of others, no exact places, no names.

A service is a class of matters, its group the major class. Public are the cases that came in public; of any other only
those see something who may see the case. Each lies at the middle of its H3 cell of resolution 10 (about 65 m off), its
address ends with the road.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from gis.cells import centre, parents
from layers.catalog.incident import TABLE
from layers.codes.books import book
from layers.errors import LayersError
from layers.loop.departments import Departments
from layers.people.privacy import masked_home

LINE: Final = "open311"
"""The line that what is sent by this interface comes in by."""
MOST: Final = 1_000
MOST_DAYS: Final = 90
MOST_IDS: Final = 100
_RES: Final = 10
_OVER: Final = ("closed", "rejected", "cancelled")
_COMPONENTS: Final = "06"  # matters below this major class are components out of order
_NUMBERS: Final = re.compile(r"\d[\d\- ]{5,}\d")
Status = Literal["open", "closed"]
Told = dict[str, Any]


class UnknownService(LayersError):
    """No service has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"there is no service {code!r}")
        self.code = code


class UnknownRequest(LayersError):
    """No request that is public has this number."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no service request {id!r}")
        self.id = id


@dataclass(frozen=True)
class Asked:
    """Which requests: those of these ids, else those that were filed from `begin` up to `end`, of these kinds."""

    begin: dt.datetime
    end: dt.datetime
    ids: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()


def services() -> list[Told]:
    """Every class of matters in force, as a service."""
    majors = book("matter_major")
    return [
        {
            "service_code": entry.code, "service_name": entry.zh, "description": entry.en, "metadata": True,
            "type": "realtime", "keywords": ",".join(dict.fromkeys([entry.zh, *entry.also])),
            "group": majors.word(entry.major) if entry.major else None,
        }
        for entry in book("matter").entries
    ]  # fmt: skip


def definition(code: str) -> Told:
    """What a request of a service may say beside the standard: how urgent it is, and which component is meant."""
    if code not in book("matter"):
        raise UnknownService(code)
    levels = [{"key": entry.code, "name": entry.zh} for entry in book("incident_level").entries]
    attributes = [
        _attribute("level", "singlevaluelist", 1, "紧急程度", "general 一般, urgent 紧急, critical 特急", levels)
    ]
    if code < _COMPONENTS:
        attributes.append(_attribute("component_id", "string", 2, "部件标识码", "部件上的标识码，没有可不填", []))
    return {"service_code": code, "attributes": attributes}


def _attribute(code: str, datatype: str, order: int, title: str, how: str, values: list[Told]) -> Told:
    return {
        "variable": True, "code": code, "datatype": datatype, "required": False, "datatype_description": how,
        "order": order, "description": title, "values": values,
    }  # fmt: skip


def requests(
    connection: sa.Connection, asked: Asked, departments: Departments, *, more: sa.ColumnElement[bool]
) -> list[Told]:
    """The newest thousand that are public or fit `more` (what the asker may see besides)."""
    c = TABLE.c
    query = sa.select(
        *(c.id, c.state, c.matter, c.description, c.lead, c.reported_at, c.changed_at, c.due_at, c.address),
        *(c.cell, c.line),
    ).where(c.scenario.is_(None), sa.or_(c.channel == "public", c.line == LINE, more))
    if asked.ids:
        query = query.where(c.id.in_(asked.ids))
    else:
        query = query.where(c.reported_at >= asked.begin, c.reported_at <= asked.end)
        if asked.services:
            query = query.where(c.matter.in_(asked.services))
        if len(set(asked.statuses)) == 1:
            over = c.state.in_(_OVER)
            query = query.where(over if asked.statuses[0] == "closed" else ~over)
    rows = connection.execute(query.order_by(c.reported_at.desc(), c.id).limit(MOST))
    return [_told(row, departments) for row in rows]


def request(connection: sa.Connection, id: str, departments: Departments, *, more: sa.ColumnElement[bool]) -> Told:
    """The one of this number; UnknownRequest when there is none that may be seen."""
    now = dt.datetime.now(dt.UTC)
    found = requests(connection, Asked(now, now, ids=(id,)), departments, more=more)
    if not found:
        raise UnknownRequest(id)
    return found[0]


def _told(row: Any, departments: Departments) -> Told:
    lon, lat = centre(int(parents([row.cell], _RES)[0]))
    return {
        "service_request_id": row.id,
        "status": "closed" if row.state in _OVER else "open",
        "status_notes": book("incident_state").word(row.state),
        "service_name": book("matter").word(row.matter) if row.matter in book("matter") else None,
        "service_code": row.matter,
        # What was sent by this interface was sent to be public; other callers' words are theirs.
        "description": None if row.line != LINE or row.description is None else _NUMBERS.sub("***", row.description),
        "agency_responsible": departments.find(row.lead).title.zh if row.lead in departments else None,
        "service_notice": None,
        "requested_datetime": _moment(row.reported_at),
        "updated_datetime": _moment(row.changed_at),
        "expected_datetime": _moment(row.due_at),
        "address": None if row.address is None else masked_home(row.address).rstrip("*") or None,
        "address_id": None,
        "zipcode": None,
        "lat": round(lat, 6),
        "long": round(lon, 6),
        "media_url": None,
    }


def _moment(at: dt.datetime | None) -> str | None:
    return None if at is None else at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def attributes_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a form: `attribute[level]=urgent` as `level: urgent`."""
    pattern = re.compile(r"attribute\[([a-z_]{1,40})\]")
    return {found[1]: text for name, text in fields.items() if (found := pattern.fullmatch(name))}
