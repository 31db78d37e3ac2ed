"""Channels: where notices go beside the screens, and what became of each; addresses and secrets are sealed.

E-mail, a signed webhook, the city's gateway for text messages, and robots of 政务微信 (企业微信) and 钉钉.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from layers.errors import BadField, Conflict, LayersError
from layers.loop import outbox
from layers.loop.carried import text_of
from layers.loop.channel_messages import BUNDLE, ROBOTS, Kind, Message, Waiting
from layers.loop.departments import Departments
from layers.loop.mail import is_address
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.notice_words import KINDS, TEST, Facts, brief, sentence
from layers.loop.webhook_address import Networks, check_url
from layers.people.privacy import Keyring, SealBroken, masked_phone, phone_digits

MOST_CHANNELS: Final = 200
MOST_LISTED: Final = 100
MOST_TITLE: Final = 60
_AREA_DIGITS: Final = (4, 6, 9)
_SHOWN: Final = tuple(
    CHANNEL.c[name] for name in (
        "id", "kind", "title", "department", "area", "kinds", "address", "actor", "at", "ended_at", "paused_at",
        "tried_at", "sent_at", "failing_since", "error",
    )
)  # fmt: skip
_TOLD: Final = ("id", "notice", "at", "tries", "next_at", "sent_at", "dead_at", "recorded_at", "status", "error")


class UnknownChannel(LayersError):
    """No channel has this number."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no channel {id}")
        self.id = id


@dataclass(frozen=True)
class Order:
    """A channel as somebody wants it: of a department, an area (4, 6 or 9 digits), or the city; `kinds` or all."""

    kind: Kind
    title: str
    address: str
    secret: str | None = None
    department: str | None = None
    area: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """How a channel is to be from now on; without another address or secret it keeps those that it has."""

    title: str
    department: str | None = None
    area: str | None = None
    kinds: tuple[str, ...] = ()
    address: str | None = None
    secret: str | None = None


@dataclass(frozen=True)
class Ground:
    """What a channel is checked against: the departments, the networks that may be called, which kinds are set up."""

    departments: Departments
    networks: Networks
    kinds: Collection[Kind]


def open_channel(
    connection: sa.Connection, keyring: Keyring, order: Order, *, ground: Ground, actor: str
) -> tuple[int, str | None]:
    """The number of a new channel, and the secret of a webhook, which can be told only now.

    BadField for what cannot be a channel, Conflict when there are 200.
    """
    address, title = _checked(order, ground), text_of("title", order.title, most=MOST_TITLE, lines=False)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("channel"))))
    living = sa.select(sa.func.count()).where(CHANNEL.c.ended_at.is_(None))
    if (connection.scalar(living) or 0) >= MOST_CHANNELS:
        raise Conflict(f"there are {MOST_CHANNELS} channels").because("channels_full", most=MOST_CHANNELS)
    made = secrets.token_hex(32) if order.kind == "webhook" else None
    secret = made or order.secret
    values = {
        "kind": order.kind, "title": title, "department": order.department, "area": order.area,
        "kinds": sorted(set(order.kinds)), "address": keyring.seal(address, about="channel.address"),
        "secret": None if secret is None else keyring.seal(secret, about="channel.secret"), "actor": actor,
    }  # fmt: skip
    id: int = connection.execute(sa.insert(CHANNEL).values(values).returning(CHANNEL.c.id)).scalar_one()
    return id, made


def change(connection: sa.Connection, keyring: Keyring, id: int, wanted: Change, *, ground: Ground) -> None:
    """Make a channel another one of the same kind. UnknownChannel, or BadField for what cannot be a channel."""
    kind: Kind = _living(connection, id)["kind"]
    order = Order(kind, wanted.title, "", wanted.secret, wanted.department, wanted.area, wanted.kinds)
    _check_reach(order, ground)
    values: dict[str, Any] = {
        "title": text_of("title", wanted.title, most=MOST_TITLE, lines=False), "department": wanted.department,
        "area": wanted.area, "kinds": sorted(set(wanted.kinds)),
    }  # fmt: skip
    if wanted.address is not None:
        checked = _address(kind, wanted.address, ground.networks)
        values["address"] = keyring.seal(checked, about="channel.address")
    if wanted.secret is not None:
        values["secret"] = keyring.seal(wanted.secret, about="channel.secret")
    if wanted.address is not None or wanted.secret is not None:
        values |= {"failing_since": None, "error": None}  # of the new one nothing is known yet
    connection.execute(sa.update(CHANNEL).where(CHANNEL.c.id == id).values(values))


def pause(connection: sa.Connection, id: int, *, now: dt.datetime) -> None:
    """Only record what waits and what comes, until it is resumed; tests go out all the same. UnknownChannel."""
    _living(connection, id)
    paused = sa.func.coalesce(CHANNEL.c.paused_at, now)
    connection.execute(sa.update(CHANNEL).where(CHANNEL.c.id == id).values(paused_at=paused))
    outbox.set_aside(connection, NOTICE_SENDING, NOTICE_SENDING.c.channel == id, now=now)


def resume(connection: sa.Connection, id: int) -> None:
    """Send again what comes from now on. UnknownChannel."""
    _living(connection, id)
    connection.execute(sa.update(CHANNEL).where(CHANNEL.c.id == id).values(paused_at=None))


def channels(connection: sa.Connection, keyring: Keyring) -> list[dict[str, Any]]:
    """Those that are not ended, how they stand and how much waits, their addresses masked."""
    waits = outbox.waiting(connection, NOTICE_SENDING, NOTICE_SENDING.c.channel)
    rows = connection.execute(sa.select(*_SHOWN).where(CHANNEL.c.ended_at.is_(None)).order_by(CHANNEL.c.id))
    return [{**_shown(row, keyring), "waiting": waits.get(row["id"], 0)} for row in rows.mappings()]


def channel(connection: sa.Connection, keyring: Keyring, id: int) -> dict[str, Any]:
    """One of them, its address masked; UnknownChannel when there is none, or no more."""
    return _shown(_living(connection, id), keyring)


def end(connection: sa.Connection, id: int, *, now: dt.datetime) -> None:
    """Send nothing more by it; what waits is given up, what was sent stays recorded. UnknownChannel."""
    living = sa.and_(CHANNEL.c.id == id, CHANNEL.c.ended_at.is_(None))
    if connection.execute(sa.update(CHANNEL).where(living).values(ended_at=now)).rowcount == 0:
        raise UnknownChannel(id)
    outbox.give_up(connection, NOTICE_SENDING, NOTICE_SENDING.c.channel == id, now=now)


def try_channel(connection: sa.Connection, id: int, *, now: dt.datetime) -> int:
    """The number of a test notice in the channel's outbox, which says that it is one."""
    facts = Facts(TEST)
    body = {
        "id": None, "kind": TEST, "incident": None, "stage": None, "scenario": None, "at": now.isoformat(),
        "matter": None, "due_at": None, "title": facts.title._asdict(), "text": sentence(facts)._asdict(),
        "brief": brief(facts),
    }  # fmt: skip
    values = {"channel": id, "notice": None, "body": body, "at": now, "next_at": now}
    number: int = connection.execute(
        sa.insert(NOTICE_SENDING).values(values).returning(NOTICE_SENDING.c.id)
    ).scalar_one()
    return number


def sendings(connection: sa.Connection, id: int, *, before: int | None = None) -> list[dict[str, Any]]:
    """The newest hundred sendings of a channel (before a number), with what became of each."""
    body = NOTICE_SENDING.c.body
    of_body = (body["text"].label("text"), *(body[name].astext.label(name) for name in ("incident", "scenario")))
    columns = (*(NOTICE_SENDING.c[name] for name in _TOLD), *of_body)
    query = sa.select(*columns).where(NOTICE_SENDING.c.channel == id)
    if before is not None:
        query = query.where(NOTICE_SENDING.c.id < before)
    newest = query.order_by(NOTICE_SENDING.c.id.desc()).limit(MOST_LISTED)
    return [dict(row) for row in connection.execute(newest).mappings()]


def recorded(connection: sa.Connection, keyring: Keyring, notices: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """What would have gone out for these notices of an exercise: by which channel, where to, in which words."""
    columns = [CHANNEL.c.kind, CHANNEL.c.title, CHANNEL.c.address, NOTICE_SENDING.c.recorded_at]
    joined = NOTICE_SENDING.join(CHANNEL, CHANNEL.c.id == NOTICE_SENDING.c.channel)
    query = sa.select(NOTICE_SENDING.c.notice, *columns, NOTICE_SENDING.c.body["text"].label("text"))
    found = query.select_from(joined).where(NOTICE_SENDING.c.notice.in_(notices)).order_by(NOTICE_SENDING.c.id)
    told: dict[int, list[dict[str, Any]]] = {id: [] for id in notices}
    for row in connection.execute(found).mappings():
        shown = _shown(row, keyring)
        told[shown.pop("notice")].append(shown)
    return told


def claim(connection: sa.Connection, keyring: Keyring, *, now: dt.datetime, but: Collection[int]) -> Message | None:
    """The next message that is due by a channel not among `but`; None when there is none.

    What waits for one robot goes in one message.
    """
    others = NOTICE_SENDING.c.channel.not_in(sorted(but))
    first = connection.scalar(outbox.due(NOTICE_SENDING, now=now, most=1, where=others))
    if first is None:
        return None
    of_first = sa.select(NOTICE_SENDING.c.channel).where(NOTICE_SENDING.c.id == first).scalar_subquery()
    row = connection.execute(sa.select(CHANNEL).where(CHANNEL.c.id == of_first)).mappings().one()
    ids = [first]
    if row["kind"] in ROBOTS:
        same = NOTICE_SENDING.c.channel == row["id"]
        ids = list(connection.scalars(outbox.due(NOTICE_SENDING, now=now, most=BUNDLE, where=same)))
    claimed = sa.update(NOTICE_SENDING).where(NOTICE_SENDING.c.id.in_(ids))
    claimed = claimed.values(outbox.claimed(NOTICE_SENDING, now=now))
    rows = connection.execute(claimed.returning(NOTICE_SENDING.c.id, NOTICE_SENDING.c.tries, NOTICE_SENDING.c.body))
    waiting = tuple(sorted((Waiting(*one) for one in rows), key=lambda one: one.id))
    try:
        address = keyring.unseal(row["address"], about="channel.address")
        secret = None if row["secret"] is None else keyring.unseal(row["secret"], about="channel.secret")
    except SealBroken:
        return Message(row["id"], row["kind"], "", None, waiting, broken=True)
    return Message(row["id"], row["kind"], address, secret, waiting)


def record(connection: sa.Connection, message: Message, outcome: outbox.Outcome, *, now: dt.datetime) -> None:
    """Write down what became of a message, for each notice in it, and how its channel stands since."""
    for one in message.waiting:
        outbox.record(connection, NOTICE_SENDING, one.id, tries=one.tries, outcome=outcome, now=now)
    stands = outbox.standing(CHANNEL, outcome, now=now)
    connection.execute(sa.update(CHANNEL).where(CHANNEL.c.id == message.channel).values(stands))


def masked(kind: Kind, address: str) -> str:
    """An address as lists show it: the host of a URL (its path may hold a key), a number without its middle."""
    if kind == "sms":
        return masked_phone(address)
    if kind == "email":
        name, _, host = address.rpartition("@")
        return f"{name[:1]}***@{host}"
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/****"


def _shown(row: sa.RowMapping, keyring: Keyring) -> dict[str, Any]:
    """As lists show it; an address that does not open (its key is missing) is None, so that the others are seen."""
    try:
        address = masked(row["kind"], keyring.unseal(row["address"], about="channel.address"))
    except SealBroken:
        address = None
    return {**{str(name): value for name, value in row.items()}, "address": address}


def _living(connection: sa.Connection, id: int) -> sa.RowMapping:
    living = sa.and_(CHANNEL.c.id == id, CHANNEL.c.ended_at.is_(None))
    row = connection.execute(sa.select(*_SHOWN).where(living)).mappings().first()
    if row is None:
        raise UnknownChannel(id)
    return row


def _checked(order: Order, ground: Ground) -> str:
    """The address of an order as it is kept; BadField for whatever of the order cannot be."""
    if order.kind not in ground.kinds:
        raise BadField({"kind": f"{order.kind} is not set up here: see docs/notices.md"}).because("channel_not_set_up")
    _check_reach(order, ground)
    return _address(order.kind, order.address, ground.networks)


def _check_reach(order: Order, ground: Ground) -> None:
    """BadField for kinds of notices, a department, an area or a secret that cannot be."""
    if unknown := sorted(set(order.kinds) - KINDS.keys()):
        raise BadField({"kinds": f"there is no kind of notice {unknown[0]!r}"}).because("notice_kind_unknown")
    if order.department is not None and order.area is not None:
        raise BadField({"area": "a channel is of a department or of an area"}).because("channel_of_both")
    if order.department is not None and order.department not in ground.departments:
        told = {"department": "there is no such department"}
        raise BadField(told).because("department_unknown", code=order.department)
    area = order.area
    if area is not None and not (area.isascii() and area.isdigit() and len(area) in _AREA_DIGITS):
        raise BadField({"area": "is the first 4, 6 or 9 digits of a code"}).because("channel_area")
    if order.secret is not None and order.kind != "dingtalk":
        raise BadField({"secret": "only robots of 钉钉 bring one"}).because("channel_secret")


def _address(kind: Kind, address: str, networks: Networks) -> str:
    """An address as it is kept; BadField for what is none, or is not to be called."""
    if kind == "email":
        if not is_address(address):
            raise BadField({"address": "is no e-mail address"}).because("no_email")
        return address
    if kind == "sms":
        return phone_digits(address)
    check_url(address, networks)
    return address
