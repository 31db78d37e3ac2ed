"""The queues of the desk and the phone: open cases, what is due first standing first, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from layers.ask.keyset import Key, Place, cursor_of, place_at
from layers.catalog import county, town
from layers.catalog.incident import TABLE
from layers.codes.books import book
from layers.errors import BadParameter
from layers.loop.cases import reported_by
from layers.loop.states import FINAL, STATES
from layers.loop.tables import STEP
from layers.people.access import Actor

Queue = Literal["mine", "department", "overdue", "area", "reported"]
QUEUES: Final[tuple[Queue, ...]] = get_args(Queue)
MOST: Final = 200
MOST_TEXT: Final = 50
_MOST_NOTED: Final = 120
_BRIEF: Final = (
    *("id", "title", "matter", "state", "level", "light", "channel", "line", "lead", "co", "address", "admin_code"),
    *("grid_id", "reported_at", "due_at", "stage_due_at", "suspended", "command", "returns", "reworks", "urges"),
    *("deferrals", "assignee", "merged_into", "scenario"),
)
_KEYS: Final = (Key("stage_due_at", TABLE.c.stage_due_at, "time"), Key("id", TABLE.c.id, "text"))


@dataclass(frozen=True)
class Asked:
    """Which queue, and what of it; without states all that is open, of what one reported all there is.

    `town` is how an administrative code begins.
    """

    queue: Queue
    states: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    lights: tuple[str, ...] = ()
    channel: str | None = None
    matter: str | None = None
    town: str | None = None
    lead: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Page:
    """Cases as lists tell them, and where the next page begins (None: this was the last)."""

    incidents: list[dict[str, Any]]
    following: str | None


def page_of(
    connection: sa.Connection,
    asked: Asked,
    actor: Actor,
    *,
    seen: sa.ColumnElement[bool],
    limit: int,
    cursor: str | None,
    now: dt.datetime,
) -> Page:
    """One page of a queue of what the actor sees (`seen`); BadParameter for what is no code, or a strange cursor."""
    question = repr((sorted(asdict(asked).items()), actor.name))
    # What staff write to each other is nothing for those who see their own reports alone.
    noted = [] if asked.queue == "reported" else [_handed_over()]
    statement = sa.select(*columns(), _area(), *noted).where(seen, *conditions(asked, actor, now=now))
    if cursor is not None:
        statement = statement.where(place_at(cursor, _KEYS, question=question).condition(_KEYS))
    ordered = statement.order_by(*(key.order(backward=False) for key in _KEYS)).limit(limit + 1)
    rows = [dict(row) for row in connection.execute(ordered).mappings()]
    more, rows = len(rows) > limit, rows[:limit]
    last = Place((rows[-1]["stage_due_at"], rows[-1]["id"])) if more else None
    return Page(rows, None if last is None else cursor_of(last, question=question))


def _area() -> sa.ColumnElement[Any]:
    """The name of the town, or else of the county, that a case lies in: all that is told where no address is known."""
    names = (
        sa.select(table.c.name).where(table.c.id == TABLE.c.admin_code).scalar_subquery()
        for table in (town.TABLE, county.TABLE)
    )
    return sa.func.coalesce(*names).label("area")


def _handed_over() -> sa.ColumnElement[Any]:
    """The beginning of the note that was left with a case, as long as nothing was done since."""
    words = sa.case((STEP.c.step == "note", sa.func.left(STEP.c.note, _MOST_NOTED)))
    last = sa.select(words).where(STEP.c.incident == TABLE.c.id).order_by(STEP.c.id.desc()).limit(1)
    return last.scalar_subquery().label("handed_over")


def columns() -> list[sa.ColumnElement[Any]]:
    """What lists tell of a case, with its lon and lat."""
    spot = (sa.func.st_x(TABLE.c.geom).label("lon"), sa.func.st_y(TABLE.c.geom).label("lat"))
    return [*(TABLE.c[name] for name in _BRIEF), *spot]


def conditions(asked: Asked, actor: Actor, *, now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    """What is asked, as conditions on the table; BadParameter for what is no code."""
    within = [_of_queue(asked.queue, actor, now)]
    if asked.states:
        within.append(_in("state", asked.states, STATES))
    elif asked.queue != "reported":
        within.append(TABLE.c.state.not_in(FINAL))
    for name, codes in (("level", asked.levels), ("light", asked.lights)):
        if codes:
            within.append(_in(name, codes, book(f"incident_{name}").codes))
    for name in ("channel", "matter", "lead"):
        if (value := getattr(asked, name)) is not None:
            within.append(TABLE.c[name] == value)
    if asked.town is not None:
        within.append(TABLE.c.admin_code.startswith(asked.town, autoescape=True))
    if asked.text is not None:
        if len(asked.text) > MOST_TEXT:
            raise BadParameter("text", f"longer than {MOST_TEXT} characters")
        names = ("title", "address", "id")
        within.append(sa.or_(*(TABLE.c[name].icontains(asked.text, autoescape=True) for name in names)))
    return within


def _of_queue(queue: Queue, actor: Actor, now: dt.datetime) -> sa.ColumnElement[bool]:
    if queue == "mine":
        return TABLE.c.assignee == actor.name
    if queue == "department":
        codes = sa.literal(sorted(actor.scope.departments or ()), sa.ARRAY(sa.Text))
        return sa.or_(TABLE.c.lead == sa.any_(codes), TABLE.c.co.op("&&", is_comparison=True)(codes))
    if queue == "reported":
        return reported_by(actor)
    if queue == "overdue":
        return sa.and_(TABLE.c.stage_due_at < now, sa.not_(TABLE.c.suspended))
    return sa.true()


def _in(name: str, codes: Sequence[str], known: Sequence[str]) -> sa.ColumnElement[bool]:
    if strange := [code for code in codes if code not in known]:
        raise BadParameter(name, f"there is no {strange[0][:40]!r}; there are {', '.join(known)}")
    return TABLE.c[name].in_(codes)
