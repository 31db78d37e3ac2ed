"""A client of `/live` for tests: events as they come, and no waiting longer than it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    kind: str
    id: str | None
    data: dict[str, Any]


class Events:
    """The events of one open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next(self) -> Event:
        """The next event; comments are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                if "data" in fields:
                    return Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
                continue
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError("the server ended the stream")

    def until(self, kind: str, **wanted: Any) -> Event:
        """The next event of this kind with these values."""
        while True:
            event = self.next()
            if event.kind == kind and all(event.data.get(name) == value for name, value in wanted.items()):
                return event

    def rest(self) -> list[Event]:
        """Everything until the stream ends."""
        found = []
        try:
            while True:
                found.append(self.next())
        except EOFError:
            return found


@contextmanager
def listening(url: str, *, last: str | None = None, **headers: str) -> Iterator[Events]:
    """An open stream; `url` with its query."""
    sent = headers | ({"Last-Event-ID": last} if last else {})
    with httpx.Client(timeout=20) as client, client.stream("GET", url, headers=sent) as response:
        yield Events(response)
