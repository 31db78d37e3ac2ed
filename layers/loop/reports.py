"""What somebody tells of an incident, checked: its matter, its texts, and the channel that it came by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog import component
from layers.codes.books import book
from layers.errors import BadField, NotAllowed
from layers.loop.callers import Contact
from layers.loop.carried import MOST_ADDRESS, MOST_NOTE, MOST_TITLE, code_of, coded, text_of
from layers.loop.happened import Happened
from layers.loop.hotline.lines import Lines
from layers.loop.matters import component_of, matter_of
from layers.loop.placing import Where
from layers.people.access import ANYONE, Actor, has

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "public": ("incident.report",),
    "worker": ("incident.verify",),
    "hotline": ("hotline.take",),
    "sensor": ("incident.accept", "incident.feed"),
    "video": ("incident.accept", "incident.feed"),
    "warning": ("incident.accept", "incident.feed"),
    "proposal": ("incident.accept",),
    "media": ("incident.accept",),
    "order": ("incident.register",),
}
"""By which right one may report for a channel: some let a case skip a stage, so nobody picks his own."""


@dataclass(frozen=True)
class Report:
    """What somebody tells: about which matter or component, where, in which words, and who they are."""

    where: Where
    channel: str
    matter: str | None = None
    component: str | None = None
    title: str | None = None
    text: str | None = None
    level: str = "general"
    line: str | None = None
    appeal: str | None = None
    contact: Contact = Contact()
    scenario: str | None = None
    happened: Happened | None = None


def require_channel(actor: Actor, channel: str) -> None:
    """BadField for an unknown channel, NotAllowed for one that is not the actor's; residents have their own door."""
    if channel not in CHANNELS:
        raise BadField({"channel": f"one of {', '.join(CHANNELS)}"}).because("channel_unknown")
    if actor == ANYONE and channel == "public":
        return  # the route asks whether the city lets residents report without an account
    if not any(has(actor, right) for right in CHANNELS[channel]):
        told = f"reporting for the channel {channel!r} needs {' or '.join(CHANNELS[channel])}"
        raise NotAllowed(told, known=actor != ANYONE).because("channel_not_yours")


def values_of(connection: sa.Connection, told: Report, *, lines: Lines, on: dt.date) -> dict[str, Any]:
    """The columns of what was told, but its place; BadField names what cannot be taken."""
    component_id = None
    if told.component is not None:
        component_id, matter = component_of(told.component, on=on)
        _require_known(connection, component_id)
        if told.matter is not None and matter_of(told.matter, on=on) != matter:
            raise BadField({"matter": f"of this component the matter is {matter}"}).because("matter_other")
    elif told.matter is not None:
        matter = matter_of(told.matter, on=on)
    else:
        raise BadField({"matter": "a matter or a component is needed"}).because("matter_missing")
    address = told.where.address
    return {
        "channel": told.channel,
        "matter": matter,
        "component_id": component_id,
        "title": text_of("title", told.title or book("matter").word(matter), most=MOST_TITLE, lines=False),
        "description": None if not told.text else text_of("text", told.text, most=MOST_NOTE),
        "level": coded("level", told.level, "incident_level"),
        "appeal": None if told.appeal is None else coded("appeal", told.appeal, "appeal_kind"),
        "line": None if told.line is None else _line(told.line, lines),
        "address": None if not address else text_of("address", address, most=MOST_ADDRESS, lines=False),
    }


def _line(code: str, lines: Lines) -> str:
    if code_of("line", code) not in lines:
        raise BadField({"line": f"there is no line {code!r}"}).because("line_unknown", code=code)
    return code


def _require_known(connection: sa.Connection, id: str) -> None:
    if connection.scalar(sa.select(sa.exists().where(component.TABLE.c.id == id))) is not True:
        raise BadField({"component": "the city has no such component"}).because("component_unknown")
