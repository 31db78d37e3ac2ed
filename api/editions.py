"""Editions: what came within a fifth of a second is one message, joined once for all streams that hear the same.

The first news after a quiet time go out at once; those that come soon after wait for the next beat and go together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from api.news import Ear, News, event, joined
from layers.loop.audiences import meant
from layers.loop.inbox import Fresh
from layers.people.access import Actor

PACE_S: Final = 0.2
"""No stream is sent more than one message in this time."""
BEAT_S: Final = 0.22
"""Editions come a little slower than that, so that a stream that was served late is in step again soon."""
MOST_A_SECOND: Final = 1_500
"""So many messages does a process send at most: the more screens it serves, the slower the beat."""
_MOST_KEPT: Final = 4  # editions whose words are kept for streams that are a little late


@dataclass(frozen=True)
class Edition:
    """The news between two beats, `number` being that of the first of them, and the notices that were written."""

    number: int
    news: Sequence[News]
    notices: Sequence[Fresh] = ()
    _said: dict[Ear, bytes] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """So many changes it holds."""
        return sum(len(said.batch.rows) for said in self.news)

    def heard(self, ear: Ear, *, start: int = 0, known: Sequence[str] = ()) -> bytes:
        """What of it is for an ear: of the news from number `start` on, but for what the snapshots `known` saw."""
        if start > self.number or known:
            own = self.news[max(0, start - self.number) :]
            if len(own) < len(self.news) or any(said.repeats(known) for said in own):
                return joined(own, ear, known=known)
        if ear not in self._said:
            self._said[ear] = joined(self.news, ear)
        return self._said[ear]

    def calls(self, actor: Actor) -> bytes:
        """The calls to those of its notices that are meant for somebody."""
        if not self.notices:
            return b""
        ours = (one for one in self.notices if meant(actor, one))
        return b"".join(event("notice", {"id": one.id, "kind": one.kind, "incident": one.incident}) for one in ours)

    def forget(self) -> None:
        """Keep no words any more; whoever still asks has them made again."""
        self._said.clear()


class Press:
    """Collects news and hands editions to `deliver`, for `screens`: at once after a quiet time, else with the beat."""

    def __init__(self, deliver: Callable[[Edition], None], *, screens: Callable[[], int]) -> None:
        self._deliver, self._screens = deliver, screens
        self._coming: list[News] = []
        self._notices: list[Fresh] = []
        self._last: deque[Edition] = deque()
        self._beaten_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self.count = 0
        """So many news came so far: the number of the next."""

    def add(self, said: News) -> None:
        """Take news, in a running loop."""
        self._coming.append(said)
        self.count += 1
        self._soon()

    def call(self, notices: Sequence[Fresh]) -> None:
        """Take notices that somebody is to be called to, in a running loop."""
        self._notices += notices
        self._soon()

    def _soon(self) -> None:
        if self._timer is None:
            loop, beat_s = asyncio.get_running_loop(), max(BEAT_S, self._screens() / MOST_A_SECOND)
            self._timer = loop.call_at(max(loop.time(), self._beaten_at + beat_s), self._print)

    def _print(self) -> None:
        self._timer, self._beaten_at = None, asyncio.get_running_loop().time()
        edition = Edition(self.count - len(self._coming), tuple(self._coming), tuple(self._notices))
        self._coming.clear()
        self._notices.clear()
        self._last.append(edition)
        if len(self._last) > _MOST_KEPT:
            self._last.popleft().forget()
        self._deliver(edition)
