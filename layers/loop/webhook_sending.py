"""The job that tells: every few seconds new steps are put into the outbox, and what is due is sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Final

import procrastinate
import sqlalchemy as sa

from layers.loop.calling import Answer, call
from layers.loop.outbox import Outcome
from layers.loop.webhook_address import Networks
from layers.loop.webhooks import SIGNATURE, Sending, claim, queue_steps, record, secret_of, signature
from layers.people.privacy import Keyring
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE

log = logging.getLogger("chengtu.jobs")
_MOST_ROUNDS: Final = 10
_JOB: Final = "chengtu.tell_webhooks"


def tell(sending: Sending, secret: str, networks: Networks, *, now: dt.datetime) -> Outcome:
    """Try one telling."""
    body = json.dumps({"id": sending.id, **sending.body}, ensure_ascii=False, separators=(",", ":")).encode()
    return told(call(sending.url, body, networks, headers=headers_of(secret, body, now=now)))


def headers_of(secret: str, body: bytes, *, now: dt.datetime) -> dict[str, str]:
    """What goes with a telling: who calls, and the signature."""
    kind = "application/json; charset=utf-8"
    return {"Content-Type": kind, "User-Agent": "chengtu-webhook/1", SIGNATURE: signature(secret, body, now=now)}


def told(answer: Answer) -> Outcome:
    """What became of a call: any status of success will do."""
    if answer.status is None:
        return Outcome(None, answer.error)
    outcome = Outcome(answer.status)
    return outcome if outcome.taken else Outcome(answer.status, f"answered {answer.status}")


def tell_all(engine: sa.Engine, keyring: Keyring, networks: Networks, *, now: Callable[[], dt.datetime]) -> int:
    """Queue what is new and send what is due, a bounded number at a time; returns how many were taken."""
    with begin(engine, actor="job") as connection:
        queue_steps(connection, now=now())
    taken = 0
    for _ in range(_MOST_ROUNDS):
        with begin(engine, actor="job") as connection:
            due = claim(connection, now=now())
        for sending in due:
            outcome = tell(sending, secret_of(keyring, sending.salt), networks, now=now())
            with begin(engine, actor="job") as connection:
                record(connection, sending, outcome, now=now())
            taken += outcome.taken
        if not due:
            break
    return taken


def telling(url: str, keyring: Keyring, networks: Networks) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every five seconds."""
    engine = engine_for(url, "writer", pool_size=0)

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="* * * * * */5")
        @app.task(queue=QUEUE, name=_JOB, queueing_lock=_JOB, lock=_JOB)
        async def tell_webhooks(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            await asyncio.to_thread(tell_all, engine, keyring, networks, now=lambda: dt.datetime.now(dt.UTC))

    return add
