"""Who stands at the door: what a request presents, and who holds it, known for half a second so that tiles stay cheap.

A cookie opens only what its own pages ask for: whatever changes something must come from the same origin.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from api.errors import Forged, WrongToken
from layers.errors import Conflict, NotAllowed
from layers.people.access import ANYONE, Actor
from layers.people.holders import Holder, Presented, holders, versions
from layers.people.sessions import digest_of, touch
from layers.people.signin import Policy

KNOWN_S: Final = 0.5
"""So long may a session go on that was revoked by another process."""
_MOST_KNOWN: Final = 4_096
_MOST_COOKIE: Final = 4_096
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
EXERCISE_HEADER: Final = b"chengtu-exercise"
"""By it a page says in which exercise it believes to be."""
REALITY: Final = "none"
Scope = MutableMapping[str, Any]
NOBODY: Final = Holder(ANYONE)


@dataclass(frozen=True)
class Ways:
    """How the city is reached: its own origin where it is set, and the proxies in front."""

    public_url: str | None = None
    proxies: int = 0

    def secure(self, scope: Scope) -> bool:
        """Does the caller speak HTTPS?"""
        return scope.get("scheme") == "https" or (self.public_url or "").startswith("https:")

    def cookie(self, scope: Scope) -> str:
        """The name of the session's cookie; over HTTPS one that no other host and no plain page can set."""
        return "__Host-chengtu" if self.secure(scope) else "chengtu"

    def address(self, scope: Scope) -> str:
        """The address of the caller, as far as the city's own proxies tell it."""
        told = _header(scope, b"x-forwarded-for").split(",")
        if self.proxies and len(told) >= self.proxies and told[-self.proxies].strip():
            return str(told[-self.proxies].strip()[:64])
        client = scope.get("client")
        return str(client[0]) if client else "unknown"

    def refuse_forged(self, scope: Scope) -> None:
        """Forged unless the request is a page's of this very origin (or only reads)."""
        if scope["method"] in _SAFE:
            return
        site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
        if site == "same-origin" or (not site and origin and origin in self._origins(scope)):
            return
        raise Forged("what a cookie is to change must be asked for by a page of this host")

    def refuse_foreign(self, scope: Scope) -> None:
        """Forged when a page of another origin asks; programs, which name none, may."""
        site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
        if site or origin:
            self.refuse_forged(scope)

    def _origins(self, scope: Scope) -> tuple[str, ...]:
        own = f"{scope.get('scheme', 'http')}://{_header(scope, b'host')}"
        return (own,) if self.public_url is None else (own, self.public_url)


class Door:
    """Tells who asks; of many requests with the same cookie one asks the database."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        policy: Policy,
        ways: Ways,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._engine, self.policy, self.ways, self._clock, self.now = engine, policy, ways, clock, now
        self._known: OrderedDict[Presented, tuple[float, Holder]] = OrderedDict()
        self._lock = threading.Lock()

    def presented(self, scope: Scope) -> Presented | None:
        """What a request presents: a token before a cookie; None when it comes with nothing."""
        authorization = _header(scope, b"authorization")
        if authorization:
            kind, _, token = authorization.partition(" ")
            if kind.lower() != "bearer" or not token.strip():
                raise WrongToken("this token is not valid")
            return Presented("token", digest_of(token.strip()))
        secret = self.secret(scope)
        return None if secret is None else Presented("session", digest_of(secret))

    def secret(self, scope: Scope) -> str | None:
        """The secret of the session's cookie, if there is one."""
        wanted = self.ways.cookie(scope)
        for part in _header(scope, b"cookie")[:_MOST_COOKIE].split(";"):
            name, _, value = part.strip().partition("=")
            if name == wanted and value:
                return value
        return None

    def holder(self, scope: Scope) -> Holder:
        """Who asks; WrongToken for a token that was not given out, Forged for what another page asks with our cookie.

        A cookie that is over is that of anyone: a page is then shown as to a visitor.
        """
        presented = self.presented(scope)
        if presented is None:
            _require_meant(scope, NOBODY)
            return NOBODY
        if presented.kind == "session":
            self.ways.refuse_forged(scope)
        found = self.known(presented) or self._look(presented)
        if found is None and presented.kind == "token":
            raise WrongToken("this token is not valid")
        holder = found or NOBODY
        _require_meant(scope, holder)
        return holder

    def actor(self, scope: Scope) -> Actor:
        """As whom they act."""
        return self.holder(scope).actor

    def glance(self, scope: Scope) -> Actor | None:
        """The same for a request that only reads, if it is known without asking the database."""
        presented = self.presented(scope)
        holder = NOBODY if presented is None else self.known(presented)
        return None if holder is None or not _is_meant(scope, holder) else holder.actor

    def known(self, presented: Presented) -> Holder | None:
        """Who holds this, if that was looked up within half a second."""
        with self._lock:
            found = self._known.get(presented)
        return found[1] if found is not None and self._clock() - found[0] < KNOWN_S else None

    def look(self, presented: Collection[Presented]) -> Mapping[Presented, Holder]:
        """Who holds each of these now, by the database."""
        at = self._clock()
        with self._engine.connect() as connection:
            found = holders(connection, presented, now=self.now(), policy=self.policy)
        with self._lock:
            for one in presented:
                self._known.pop(one, None)
            self._known.update({one: (at, holder) for one, holder in found.items()})
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    def versions(self, presented: Collection[Presented]) -> Mapping[Presented, str]:
        """A text for each of these that still opens something; another one once its holder may differ."""
        with self._engine.connect() as connection:
            return versions(connection, presented, now=self.now(), policy=self.policy)

    def forget(self) -> None:
        """Look up everyone anew: something about sessions, accounts or roles was changed here."""
        with self._lock:
            self._known.clear()

    def _look(self, presented: Presented) -> Holder | None:
        found = self.look([presented]).get(presented)
        if found is not None and found.seen_at is not None:
            with self._engine.begin() as connection:
                touch(connection, presented.digest, seen_at=found.seen_at, now=self.now())
        return found


def _is_meant(scope: Scope, holder: Holder) -> bool:
    """Is the caller where the page believes to be? One that was opened outside never shows nor changes an exercise."""
    meant = _header(scope, EXERCISE_HEADER)
    return not meant or meant == (holder.actor.scenario or REALITY)


def _require_meant(scope: Scope, holder: Holder) -> None:
    if _is_meant(scope, holder):
        return
    if holder is NOBODY:  # the session is over, and its exercise with it
        raise NotAllowed("sign in, and join the exercise again", known=False).because("exercise_other")
    raise Conflict("this was asked for in another exercise, or in reality").because("exercise_other")


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
