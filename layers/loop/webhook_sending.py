"""The job that tells: every few seconds new steps are put into the outbox, and what is due is sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx
import procrastinate
import sqlalchemy as sa

from layers.loop.webhook_address import Networks, NotCalled, address_for, port_of
from layers.loop.webhooks import SIGNATURE, Outcome, Sending, claim, queue_steps, record, secret_of, signature
from layers.people.privacy import Keyring
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE

log = logging.getLogger("chengtu.jobs")
TIMEOUT_S: Final = 10.0
_MOST_ROUNDS: Final = 10
_JOB: Final = "chengtu.tell_webhooks"


def tell(sending: Sending, secret: str, networks: Networks, *, now: dt.datetime) -> Outcome:
    """Try one telling; no redirect is followed and no proxy of the environment is used."""
    parts = urlsplit(sending.url)
    body = json.dumps({"id": sending.id, **sending.body}, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        address = address_for(parts, networks)
        host = f"[{address}]" if address.version == 6 else str(address)
        url = parts._replace(netloc=f"{host}:{port_of(parts)}").geturl()
        headers = {
            "Host": parts.netloc, "Content-Type": "application/json; charset=utf-8", "User-Agent": "chengtu-webhook/1",
            SIGNATURE: signature(secret, body, now=now),
        }  # fmt: skip
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            # The certificate is that of the name, though the address is called.
            client.stream(
                "POST", url, content=body, headers=headers, extensions={"sni_hostname": parts.hostname}
            ) as got,
        ):
            return Outcome(got.status_code, None if got.is_success else f"answered {got.status_code}")
    except NotCalled as error:
        return Outcome(None, str(error))
    except httpx.HTTPError as error:
        return Outcome(None, type(error).__name__)


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
