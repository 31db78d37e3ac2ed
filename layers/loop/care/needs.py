"""Needs of residents: taken down, arranged with somebody who serves them, done or withdrawn, and cleared afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.incident import TABLE as INCIDENT
from layers.errors import BadField, Conflict, LayersError, NotAllowed
from layers.loop.callers import Contact, checked_contact
from layers.loop.care.book import Kind
from layers.loop.care.seen import known_cases, lies_in, require_area, seen, spot_kept
from layers.loop.care.tables import NEED, NEED_STEP, PROVIDER
from layers.loop.carried import MOST_NOTE, text_of
from layers.loop.errors import Overtaken
from layers.loop.happened import Happened
from layers.loop.placing import Where
from layers.people.access import ANYONE, Actor, require_right
from layers.people.privacy import Keyring, masked_home, masked_name, masked_phone
from layers.people.reads import Person, checked_purpose, record_read
from layers.people.sealed import NEED as SEALED
from layers.spec import Title

TELL: Final = "need.report"
TAKE: Final = "need.take"
MOST: Final = 200
MOST_STEPS: Final = 200
_SOONEST: Final = dt.timedelta(days=8)
_LATEST: Final = dt.timedelta(days=366)
_LEFT: Final = dt.timedelta(days=365)
_CLEARED_AT_ONCE: Final = 5_000
_MASKS: Final = {"name": masked_name, "phone": masked_phone, "home": masked_home}


class UnknownNeed(LayersError):
    """No need of this number is seen by the actor."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no need {id}")
        self.id = id


@dataclass(frozen=True)
class Move:
    """A step of a need: from which states to which (None: it stays), what it carries, and whether its author may."""

    title: Title
    before: tuple[str, ...]
    after: str | None
    carries: str
    author: bool = False


_GOING_ON: Final = ("open", "arranged")
MOVES: Final[Mapping[str, Move]] = MappingProxyType({
    "arrange": Move(Title("对接服务", "Arrange"), _GOING_ON, "arranged", "provider"),
    "reopen": Move(Title("重新对接", "Arrange anew"), ("arranged",), "open", "note"),
    "done": Move(Title("办结", "Done"), _GOING_ON, "done", ""),
    "withdraw": Move(Title("撤回", "Withdraw"), _GOING_ON, "withdrawn", "note", author=True),
    "refer": Move(Title("转为案卷", "Make it a case"), _GOING_ON, "done", "incident", author=True),
    "note": Move(Title("备注", "Note"), _GOING_ON, None, "note", author=True),
})  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What is needed: its kind, the place, the words, when it is wished for, and how to reach who asked (sealed)."""

    kind: str
    where: Where
    words: str | None = None
    wish_at: dt.datetime | None = None
    contact: Contact = Contact()


@dataclass(frozen=True)
class Sought:
    """Which needs a list holds: by state, kind and area (the beginning of a code, or a grid), in which order."""

    states: tuple[str, ...]
    kind: str | None = None
    area: str | None = None
    newest: bool = False
    """The newest first, else the oldest."""


@dataclass(frozen=True)
class Brought:
    """What comes with a step of a need."""

    note: str | None = None
    provider: str | None = None
    incident: str | None = None


def take_down(
    connection: sa.Connection,
    keyring: Keyring,
    told: Told,
    kinds: Mapping[str, Kind],
    *,
    actor: Actor,
    now: dt.datetime,
    happened: Happened | None = None,
) -> dict[str, Any]:
    """Write a need down in the caller's transaction; its receipt: number, step and state. BadField, NotAllowed."""
    require_right(actor, TELL)
    if told.kind not in kinds:
        raise BadField({"kind": f"one of {', '.join(kinds)}"}).because("need_kind", kind=told.kind[:40])
    if told.wish_at is not None and not now - _SOONEST < told.wish_at <= now + _LATEST:
        raise BadField({"wish_at": "lies within a year from now"}).because("wish_wrong")
    words = text_of("words", told.words, most=MOST_NOTE) if told.words and told.words.strip() else None
    contact = checked_contact(told.contact)
    given = {name: getattr(contact, name) for name in SEALED.about}
    sealed = {name: keyring.seal(text, about=SEALED.about[name]) for name, text in given.items() if text}
    place = spot_kept(connection, told.where)
    require_area(actor, place)
    row = {
        **{"kind": told.kind, "state": "open", **place, "words": words, "wish_at": told.wish_at, **sealed},
        **{"told_at": now, "taken_by": actor.name, "changed_at": now, "scenario": actor.scenario},
    }
    id: int = connection.execute(sa.insert(NEED).values(row).returning(NEED.c.id)).scalar_one()
    step = _write(connection, id, "take_down", "open", Brought(), actor=actor, now=now, happened=happened)
    return {"need": id, "step": step, "state": "open"}


def take_need_step(
    connection: sa.Connection,
    id: int,
    step: str,
    *,
    brought: Brought,
    expected: int | None,
    actor: Actor,
    now: dt.datetime,
    happened: Happened | None = None,
) -> dict[str, Any]:
    """Take a need one step further; `expected` is the last step that the client knows of.

    UnknownNeed for one that the actor does not see, Overtaken, Conflict, NotAllowed and BadField with their causes.
    """
    row = _row(connection, actor, id, lock=True)
    steps = _steps(connection, [id])
    last = steps[-1]["id"]
    if expected is not None and expected != last:
        since = [one for one in map(told_step, steps) if one["id"] > expected]
        raise Overtaken(str(id), last=last, since=since).because("need_changed", id=id)
    if len(steps) >= MOST_STEPS:
        raise Conflict(f"need {id} has had {MOST_STEPS} steps").because("steps_full", most=MOST_STEPS)
    move = _move(step, row, actor)
    clean = _checked(connection, step, move, brought, actor)
    after = move.after or row["state"]
    changed: dict[str, Any] = {"state": after, "changed_at": now}
    changed |= {"ended_at": now} if after in ("done", "withdrawn") else {}
    changed |= {"provider": clean.provider} if step in ("arrange", "reopen") else {}
    changed |= {"incident": clean.incident} if step == "refer" else {}
    connection.execute(sa.update(NEED).where(NEED.c.id == id).values(changed))
    number = _write(connection, id, step, after, clean, actor=actor, now=now, happened=happened)
    return {"need": id, "step": number, "state": after}


def needs_seen(
    connection: sa.Connection, keyring: Keyring, actor: Actor, *, sought: Sought, after: int = 0, most: int
) -> list[dict[str, Any]]:
    """Needs that the actor sees, in the order of their numbers behind `after` (0: from the start), with their steps.

    People are masked.
    """
    wanted = sa.select(NEED).where(_seen(actor), NEED.c.state.in_(sought.states))
    if sought.kind is not None:
        wanted = wanted.where(NEED.c.kind == sought.kind)
    if sought.area is not None:
        wanted = wanted.where(lies_in(NEED, sought.area))
    if after:
        wanted = wanted.where(NEED.c.id < after if sought.newest else NEED.c.id > after)
    order = NEED.c.id.desc() if sought.newest else NEED.c.id
    rows = connection.execute(wanted.order_by(order).limit(most)).mappings()
    return _told(connection, keyring, actor, [dict(row) for row in rows])


def need_seen(connection: sa.Connection, keyring: Keyring, actor: Actor, id: int) -> dict[str, Any]:
    """One need with its steps; UnknownNeed when the actor does not see it."""
    return _told(connection, keyring, actor, [_row(connection, actor, id)])[0]


def unmask_need(
    connection: sa.Connection, keyring: Keyring, actor: Actor, id: int, *, purpose: str, address: str | None
) -> Person:
    """Who asked, in the clear, after a record of who reads it and what for; one transaction for both.

    UnknownNeed, BadField for a purpose that says nothing, NotAllowed for whom the need is not theirs to see to.
    """
    require_right(actor, TAKE)
    said = checked_purpose(purpose)
    row = _row(connection, actor, id)
    require_area(actor, row)
    read = [name for name in SEALED.about if row[name] is not None]
    told = {name: keyring.unseal(row[name], about=SEALED.about[name]) for name in read}
    about = {"thing": "need", "id": str(id), "fields": read, "purpose": said, "scenario": row["scenario"]}
    record_read(connection, actor=actor.name, address=address, **about)
    return Person(told.get("name"), told.get("phone"), told.get("home"))


def clear_needs(connection: sa.Connection, *, before: dt.datetime, now: dt.datetime) -> int:
    """Take people and words out of needs that ended before then, or that nobody touched for a year more; how many."""
    over = sa.func.coalesce(NEED.c.ended_at, NEED.c.changed_at + _LEFT)
    due = sa.select(NEED.c.id).where(NEED.c.cleared_at.is_(None), over < before).order_by(NEED.c.id)
    ids = connection.scalars(due.limit(_CLEARED_AT_ONCE).with_for_update(skip_locked=True)).all()
    gone = dict.fromkeys(("name", "phone", "home", "words", "wish_at"))
    connection.execute(sa.update(NEED).where(NEED.c.id.in_(ids)).values({**gone, "cleared_at": now}))
    connection.execute(sa.update(NEED_STEP).where(NEED_STEP.c.need.in_(ids)).values(note=None))
    return len(ids)


def told_step(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step in words."""
    title = MOVES[step["step"]].title if step["step"] in MOVES else Title("登记", "Taken down")
    names = ("id", "step", "after", "at", "happened_at", "actor", "provider", "incident", "note")
    return {**{name: step[name] for name in names}, "title": title._asdict()}


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    return seen(actor, NEED, TAKE, author="taken_by")


def _row(connection: sa.Connection, actor: Actor, id: int, *, lock: bool = False) -> dict[str, Any]:
    """A need that the actor sees, locked until the end of the transaction if that is asked for; UnknownNeed."""
    wanted = sa.select(NEED).where(NEED.c.id == id, _seen(actor))
    row = connection.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    if row is None:
        raise UnknownNeed(id)
    return dict(row)


def _move(step: str, row: dict[str, Any], actor: Actor) -> Move:
    move = MOVES.get(step)
    if move is None:
        raise BadField({"step": f"one of {', '.join(MOVES)}"}).because("step_unknown")
    if not _may(actor, move, row):
        raise NotAllowed(f"this needs the right {TAKE} in the area of the need", known=actor != ANYONE).because(
            "need_step_right", zh=move.title.zh, en=move.title.en
        )
    if row["state"] not in move.before:
        told = {"zh": move.title.zh, "en": move.title.en}
        raise Conflict(f"need {row['id']} is {row['state']}").because("need_step_state", **told)
    return move


def _may(actor: Actor, move: Move, row: Mapping[str, Any]) -> bool:
    try:
        require_right(actor, TAKE)
        require_area(actor, row)
    except NotAllowed:
        return move.author and row["taken_by"] == actor.name and actor.due is None
    return True


def _checked(connection: sa.Connection, step: str, move: Move, brought: Brought, actor: Actor) -> Brought:
    """What comes with the step, cleaned; BadField for what lacks, is strange, or is not there."""
    note = text_of("note", brought.note, most=MOST_NOTE) if brought.note and brought.note.strip() else None
    given = {"provider": brought.provider, "incident": brought.incident}
    if strange := [name for name, value in given.items() if value is not None and name != move.carries]:
        raise BadField({strange[0]: f"is nothing that {step} carries"}).because("step_strange", name=strange[0])
    arranged_otherwise = move.carries == "provider" and note is not None
    if move.carries and not arranged_otherwise and {**given, "note": note}[move.carries] is None:
        raise BadField({move.carries: f"{step} carries it"}).because(f"need_lacks_{move.carries}")
    if brought.provider is not None:
        known = sa.select(sa.exists().where(PROVIDER.c.id == brought.provider))
        if connection.scalar(known) is not True:
            raise BadField({"provider": "there is no such provider"}).because("provider_unknown")
    if brought.incident is not None:
        there = sa.exists().where(INCIDENT.c.id == brought.incident, known_cases(actor))
        if connection.scalar(sa.select(there)) is not True:
            raise BadField({"incident": "there is no such case"}).because("merge_unknown", id=brought.incident[:20])
    return Brought(note, brought.provider, brought.incident)


def _write(
    connection: sa.Connection,
    need: int,
    step: str,
    after: str,
    brought: Brought,
    *,
    actor: Actor,
    now: dt.datetime,
    happened: Happened | None,
) -> int:
    row = {
        **{"need": need, "step": step, "after": after, "at": now, "actor": actor.name, **vars(brought)},
        "happened_at": None if happened is None else happened.at,
    }
    number: int = connection.execute(sa.insert(NEED_STEP).values(row).returning(NEED_STEP.c.id)).scalar_one()
    return number


def _steps(connection: sa.Connection, needs: list[int]) -> list[dict[str, Any]]:
    wanted = sa.select(NEED_STEP).where(NEED_STEP.c.need.in_(needs)).order_by(NEED_STEP.c.id)
    return [dict(row) for row in connection.execute(wanted.limit(MOST * MOST_STEPS)).mappings()]


def _told(
    connection: sa.Connection, keyring: Keyring, actor: Actor, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    steps: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for step in _steps(connection, list(steps)):
        steps[step["need"]].append(told_step(step))
    names = _provider_names(connection, {step["provider"] for taken in steps.values() for step in taken} - {None})
    told = []
    for row in rows:
        taken = steps[row["id"]]
        named = {step["provider"]: names[step["provider"]] for step in taken if step["provider"] in names}
        told.append({**_told_one(keyring, actor, row, taken), "providers": named})
    return told


def _provider_names(connection: sa.Connection, ids: set[str]) -> dict[str, str]:
    """What those of them are called that still stand on the list."""
    known = sa.select(PROVIDER.c.id, PROVIDER.c.name).where(PROVIDER.c.id.in_(ids))
    return {row.id: row.name for row in connection.execute(known)} if ids else {}


def _told_one(keyring: Keyring, actor: Actor, row: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name not in SEALED.about}
    masked = {name: _masked(keyring, name, row[name]) for name in SEALED.about}
    offers = [
        {"step": name, "title": move.title._asdict(), "carries": move.carries}
        for name, move in MOVES.items()
        if row["state"] in move.before and _may(actor, move, row)
    ]
    return {**plain, **masked, "steps": steps, "offers": offers}


def _masked(keyring: Keyring, name: str, sealed: str | None) -> str | None:
    return None if sealed is None else _MASKS[name](keyring.unseal(sealed, about=SEALED.about[name]))
