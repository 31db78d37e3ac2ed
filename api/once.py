"""Work that is done once for a key, however often it is asked for: its answer is kept with it, and given again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Header
from pydantic import AwareDatetime

from api.errors import KeyReused
from api.service import Service
from layers.people.access import ANYONE, Actor
from layers.store.core import IDEMPOTENCY
from layers.store.engine import begin

# No header holds it: what was done in an exercise is nobody's answer outside, whatever its key, and each stranger is
# somebody of their own.
_APART: Final = "\n"
_KEEP: Final = sa.insert(IDEMPOTENCY)
_KEPT: Final = sa.select(IDEMPOTENCY.c.digest, IDEMPOTENCY.c.answer).where(
    IDEMPOTENCY.c.actor == sa.bindparam("actor"), IDEMPOTENCY.c.key == sa.bindparam("key")
)
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=128)]
# The clock of a phone as it sends: no part of what is asked, so that the same again is the same.
NO_TIME: Final = {"happened_at"}
"""What may differ from one attempt to the next: a phone that tries again says when it was done, having sent it late."""
SentAt = Annotated[AwareDatetime | None, Header(alias="X-Sent-At")]


def once(
    service: Service,
    actor: Actor,
    key: str | None,
    *,
    asked: object,
    work: Callable[[sa.Connection], dict[str, Any]],
) -> tuple[dict[str, Any], bool]:
    """What the work tells, in one transaction in the actor's name; with a key only once, and then the same answer.

    Beside it, whether it was done now. KeyReused when the key was used for something else than `asked`.
    """
    # With a key that is not in the database: of a plain digest somebody's number would be found by trying all numbers.
    told = json.dumps(asked, sort_keys=True, default=str).encode()
    digest = hmac.new(service.keyring.keys.mark, told, hashlib.sha256).hexdigest()
    if key is not None and actor == ANYONE:  # strangers share a name: one's key must not stand in another's way
        key = f"{digest}{_APART}{key}"
    key = key if key is None or actor.scenario is None else f"{actor.scenario}{_APART}{key}"
    alone = None if key is None else _purpose(actor, key)
    with begin(service.writer, actor=actor.name, scenario=actor.scenario, alone=alone) as connection:
        if key is not None and (answered := _kept(connection, actor, key, digest)) is not None:
            return answered, False
        answer = work(connection)
        if key is not None:
            keep = {"actor": actor.name, "key": key, "digest": digest, "answer": answer}
            connection.execute(_KEEP, keep)
    return answer, True


def answer_kept(connection: sa.Connection, actor: Actor, key: str, digest: str) -> dict[str, Any] | None:
    """What this key was answered before; a second request with the same key waits for the first. KeyReused."""
    lock = sa.func.hashtextextended(_purpose(actor, key), 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    return _kept(connection, actor, key, digest)


def _purpose(actor: Actor, key: str) -> str:
    return f"{actor.name} {key}"


def _kept(connection: sa.Connection, actor: Actor, key: str, digest: str) -> dict[str, Any] | None:
    # A statement of its own: it is to see what the one before committed while this one waited.
    row = connection.execute(_KEPT, {"actor": actor.name, "key": key}).first()
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused("this Idempotency-Key was used for another request")
    answer: dict[str, Any] = row.answer
    return answer
