"""The job that sends: every few seconds what is due goes out by its channel, a bounded number of messages at a time."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import procrastinate
import sqlalchemy as sa

from layers.loop import channels, sms
from layers.loop.calling import call
from layers.loop.channel_messages import ROBOTS, Kind, Message, dingtalk_url, email, robot_body, webhook_body
from layers.loop.firing import SYSTEM, forget_jobs
from layers.loop.inbox import forget_marks
from layers.loop.mail import Mailbox, send
from layers.loop.outbox import Outcome
from layers.loop.sms import Gateway, judged
from layers.loop.webhook_address import Networks
from layers.loop.webhook_sending import headers_of, told
from layers.people.privacy import Keyring
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE

MOST_MESSAGES: Final = 100
"""So many messages go out in one run."""
LONGEST: Final = dt.timedelta(seconds=30)
_JOB: Final = "chengtu.send_notices"
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Ways:
    """How this city sends: its keys, the networks that may be called, its mail server and its gateway, if any."""

    keyring: Keyring
    networks: Networks
    mailbox: Mailbox | None = None
    gateway: Gateway | None = None


def kinds_of(mailbox: Mailbox | None, gateway: Gateway | None) -> Collection[Kind]:
    """The kinds of channels that a city has set up."""
    with_mail: tuple[Kind, ...] = () if mailbox is None else ("email",)
    with_sms: tuple[Kind, ...] = () if gateway is None else ("sms",)
    return ("webhook", "wecom", "dingtalk", *with_mail, *with_sms)


def deliver(message: Message, ways: Ways, *, now: dt.datetime) -> Outcome:
    """Try one message; no failure is raised."""
    if message.broken:
        return Outcome(None, "its address does not open: the key is missing")
    if message.kind == "email":
        if ways.mailbox is None:
            return Outcome(None, "no mail server is set")
        return send(ways.mailbox, email(message, sender=ways.mailbox.sender, now=now))
    if message.kind == "sms":
        return _text(message, ways)
    if message.kind == "webhook":
        body = webhook_body(message)
        headers = headers_of(message.secret or "", body, now=now)
        return told(call(message.address, body, ways.networks, headers=headers))
    url = dingtalk_url(message, now=now) if message.kind == "dingtalk" else message.address
    answer = call(url, robot_body(message), ways.networks, headers=_JSON, wants_body=True)
    outcome = told(answer)
    # Robots answer 200 to what they refuse, and say so in the body.
    return judged(answer, "errcode", "0") if outcome.taken else outcome


def send_all(engine: sa.Engine, ways: Ways, *, now: Callable[[], dt.datetime]) -> int:
    """Send what is due; returns how many messages were taken. A robot, or what fails, has one try in a run."""
    over, taken, begun = set[int](), 0, now()
    for _ in range(MOST_MESSAGES):
        if now() - begun > LONGEST:
            break
        with begin(engine, actor=SYSTEM) as connection:
            message = channels.claim(connection, ways.keyring, now=now(), but=over)
        if message is None:
            break
        outcome = deliver(message, ways, now=now())
        with begin(engine, actor=SYSTEM) as connection:
            channels.record(connection, message, outcome, now=now())
        taken += outcome.taken
        if not outcome.taken or message.kind in ROBOTS:
            over.add(message.channel)
    return taken


def sending(url: str, ways: Ways) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every five seconds."""
    engine = engine_for(url, "writer", pool_size=0)
    busy = threading.Lock()

    def work(timestamp: int) -> None:
        if not busy.acquire(blocking=False):
            return  # the last run is not over yet
        try:
            send_all(engine, ways, now=lambda: dt.datetime.now(dt.UTC))
            if timestamp % 3600 == 0:
                with begin(engine, actor=SYSTEM) as connection:
                    forget_marks(connection, now=dt.datetime.now(dt.UTC))
            if timestamp % 60 == 0:
                forget_jobs(engine, _JOB)
        finally:
            busy.release()

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * * */5")
        # No lock: the row of a worker that was killed would hold it until it counts as stalled.
        @app.task(queue=QUEUE, name=_JOB, queueing_lock=_JOB)
        async def send_notices(timestamp: int) -> None:
            await asyncio.to_thread(work, timestamp)

    return add


def _text(message: Message, ways: Ways) -> Outcome:
    gateway = ways.gateway
    if gateway is None:
        return Outcome(None, f"no {sms.FILE} is set")
    (one,) = message.waiting
    body, headers = gateway.request(phone=message.address, text=one.body["brief"])
    answer = call(gateway.url, body, ways.networks, headers=headers, wants_body=True)
    return gateway.outcome(answer)
