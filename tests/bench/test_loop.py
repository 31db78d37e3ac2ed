"""What the benchmark of the loop reckons with: events that come in pieces, and what was lost, doubled or strange."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.news import event
from layers.people.access import EVERYWHERE, Scope
from tests.bench.audience import Screen
from tests.bench.loop import Heard, _missed

_HERE, _THERE = "320613002", "320681100"
PLACES = {"1": {"admin_code": _HERE}, "2": {"admin_code": _THERE}, "3": {"admin_code": _HERE}}
COUNTY = Scope(frozenset({"320613"}), None)


def heard(scope: Scope, *ids: str) -> Heard:
    return Heard(scope, [(id, 0.0, 0.1) for id in ids], messages=1)


def missed(*screens: Heard) -> Sequence[int]:
    return _missed(screens, PLACES)


def test_who_was_told_of_all_that_is_theirs_has_missed_nothing() -> None:
    assert missed(heard(EVERYWHERE, "1", "2", "3"), heard(COUNTY, "3", "1"), heard(Scope())) == (0, 0, 0)


def test_what_was_lost_doubled_or_not_theirs_is_counted() -> None:
    assert missed(heard(EVERYWHERE, "1", "2")) == (1, 0, 0)
    assert missed(heard(COUNTY, "1", "3", "3", "3")) == (0, 2, 0)
    assert missed(heard(COUNTY, "1", "2", "3"), heard(Scope(), "1")) == (0, 0, 2)


def test_cases_that_the_run_did_not_report_count_for_nothing() -> None:
    assert missed(heard(COUNTY, "1", "3", "another")) == (0, 0, 0)


def test_a_screen_reads_events_however_they_are_cut() -> None:
    def record(id: str) -> bytes:
        return event("record", {"layer": "incident", "op": "insert", "id": id, "at": "2026-11-20T10:00:00+08:00"})

    bodies = [
        event("hello", {}),
        event("tiles", {"layer": "incident", "all": True}) + record("1") + record("2"),
        record("3"),
    ]
    text = b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies)
    for size in (1, 7, 50, len(text)):
        loop = asyncio.new_event_loop()
        screen = Screen("key", loop.create_future())
        for start in range(0, len(text), size):
            screen.data_received(text[start : start + size])
        loop.close()
        assert [id for id, _, _ in screen.told] == ["1", "2", "3"]
        assert screen.messages == 3
