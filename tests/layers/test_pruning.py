"""What has had its day goes, what is a record stays, and every table of the core has a term that is written down."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from api.settings import Settings
from layers.loop.case_tables import STRANGER
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.pruning import FAILED_DAYS, NOTICE_DAYS, SENT_DAYS, Terms, prune_all, terms_from
from layers.loop.routing_tables import NOTICE
from layers.loop.webhook_tables import SENDING, WEBHOOK
from layers.people.access import ADMIN
from layers.people.exercises import open_exercise
from layers.people.tables import ACCOUNT, ATTEMPT, OIDC_VISIT, SESSION
from layers.store.core import METADATA
from layers.store.engine import begin
from tests.conftest import ROOT, Database
from tests.layers.test_schema import import_every_room

NOW = dt.datetime(2026, 11, 22, 3, 53, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def ago(days: float) -> dt.datetime:
    return NOW - days * DAY


def put(database: Database, table: sa.Table, *rows: dict[str, Any]) -> list[Any]:
    """Rows in the order of their keys, those that a test has no need to know filled in."""
    with begin(database.owner, actor="test") as connection:
        key = next(iter(table.primary_key.columns))
        return [connection.execute(sa.insert(table).values(row).returning(key)).scalar_one() for row in rows]


def left(database: Database, table: sa.Table) -> list[Any]:
    key = next(iter(table.primary_key.columns))
    with database.owner.connect() as connection:
        return list(connection.scalars(sa.select(key).order_by(key)))


def prune(database: Database, terms: Terms | None = None, **more: Any) -> dict[str, int]:
    return prune_all(database.owner, terms or Terms(), now=NOW, **more)


def sending(**told: Any) -> dict[str, Any]:
    return {"webhook": 1, "incident": "20261122000001", "body": {}, **told}


def notice_sending(channel: int, notice: int | None = None, **told: Any) -> dict[str, Any]:
    return {"channel": channel, "notice": notice, "body": {}, **told}


def test_what_was_taken_goes_after_its_days_and_what_was_given_up_after_more(database: Database) -> None:
    rows = [
        {"sent_at": ago(SENT_DAYS + 1)},
        {"sent_at": ago(SENT_DAYS - 1)},
        {"dead_at": ago(FAILED_DAYS + 1)},
        {"dead_at": ago(FAILED_DAYS - 1)},
        {"at": ago(9_000), "next_at": ago(8_999)},  # it still waits: nobody looked after it for years
    ]
    of_webhook = put(database, SENDING, *(sending(step=n, **row) for n, row in enumerate(rows)))
    of_channel = put(database, NOTICE_SENDING, *(notice_sending(1, n, **row) for n, row in enumerate(rows)))
    assert prune(database) == {"webhook_sending": 2, "notice_sending": 2}
    assert left(database, SENDING) == [of_webhook[n] for n in (1, 3, 4)]
    assert left(database, NOTICE_SENDING) == [of_channel[n] for n in (1, 3, 4)]
    assert prune(database) == {}
    assert prune(database, Terms(sent_days=30, failed_days=40, notice_days=60)) == {
        "webhook_sending": 2, "notice_sending": 2,
    }  # fmt: skip


def test_very_many_rows_go_in_portions_and_what_is_left_goes_the_next_night(database: Database) -> None:
    put(database, SENDING, *(sending(step=n, sent_at=ago(200)) for n in range(23)))
    assert prune(database, most=5, rounds=2) == {"webhook_sending": 10}
    assert prune(database, most=5) == {"webhook_sending": 13}
    assert left(database, SENDING) == []


def test_a_sending_that_somebody_is_changing_is_left_for_the_next_night(database: Database) -> None:
    first, second = put(database, SENDING, *(sending(step=n, sent_at=ago(200)) for n in range(2)))
    with begin(database.owner, actor="test") as connection:
        connection.execute(sa.update(SENDING).where(SENDING.c.id == first).values(status=200))
        assert prune(database) == {"webhook_sending": 1}
    assert left(database, SENDING) == [first]
    assert second not in left(database, SENDING)


def test_notices_go_with_the_last_that_tells_of_them_and_those_of_an_exercise_stay(database: Database) -> None:
    about: dict[str, Any] = {"title": "演练", "note": None, "area": None, "roles": (), "actor": ADMIN}
    with begin(database.engine, actor="test") as connection:
        drill = open_exercise(connection, **about, day=NOW.date(), now=ago(2_000)).id
    told: dict[str, Any] = {"kind": "due", "audience": {}, "at": ago(NOTICE_DAYS + 1)}
    old, waiting, rehearsed, young = put(
        *(database, NOTICE, told, told, {**told, "scenario": drill}, {**told, "at": ago(NOTICE_DAYS - 1)})
    )
    put(
        database,
        NOTICE_SENDING,
        notice_sending(1, old, sent_at=ago(NOTICE_DAYS)),
        notice_sending(1, waiting, next_at=ago(NOTICE_DAYS)),
        notice_sending(1, rehearsed, recorded_at=ago(NOTICE_DAYS)),
    )
    assert prune(database) == {"notice_sending": 1, "notice": 1}
    assert left(database, NOTICE) == [waiting, rehearsed, young]


def test_what_ended_goes_with_its_address_once_nothing_tells_of_it(database: Database) -> None:
    hook = {"department": "cgj", "url": "https://a.example", "salt": "s", "actor": "test"}
    ended, told_of, going_on = put(
        *(database, WEBHOOK, {**hook, "ended_at": ago(200)}, {**hook, "ended_at": ago(200)}, hook)
    )
    put(database, SENDING, sending(step=1, dead_at=ago(10)) | {"webhook": told_of})
    channel = {"kind": "sms", "title": "值班", "address": "sealed", "actor": "test", "ended_at": ago(200)}
    gone, of_exercise = put(database, CHANNEL, channel, channel)
    put(database, NOTICE_SENDING, notice_sending(of_exercise, 1, recorded_at=ago(300)))
    assert prune(database) == {"webhook": 1, "channel": 1}
    assert (left(database, WEBHOOK), left(database, CHANNEL)) == ([told_of, going_on], [of_exercise])
    assert gone != of_exercise
    assert ended not in left(database, WEBHOOK)


def test_what_let_somebody_in_goes_even_where_nobody_signs_in_any_more(database: Database) -> None:
    put(database, ACCOUNT, {"login": "li.si", "name": "李四"})
    put(
        database,
        SESSION,
        {"digest": "over", "id": "1", "login": "li.si", "ends_at": NOW, "by": "code"},
        {"digest": "open", "id": "2", "login": "li.si", "ends_at": NOW + HOUR, "by": "code"},
    )
    put(database, ATTEMPT, {"key": "old", "began": NOW - HOUR, "n": 3}, {"key": "now", "began": NOW, "n": 3})
    visit = {"nonce": "n", "verifier": "v"}
    put(database, OIDC_VISIT, {"state": "old", "began": NOW - HOUR, **visit}, {"state": "now", "began": NOW, **visit})
    put(database, STRANGER, {"mark": "old", "hour": ago(2), "n": 1}, {"mark": "now", "hour": NOW - HOUR, "n": 1})
    assert prune(database) == {"session": 1, "attempt": 1, "oidc_visit": 1, "stranger": 1}
    assert [left(database, table) for table in (SESSION, ATTEMPT, OIDC_VISIT, STRANGER)] == [["open"], *[["now"]] * 3]


def test_jobs_that_were_done_leave_the_queue_and_failed_ones_can_be_looked_at(database: Database) -> None:
    filed = sa.text("""
        insert into jobs.procrastinate_jobs (queue_name, task_name, status)
        values ('upkeep', 'chengtu.any', cast(:status as jobs.procrastinate_job_status)) returning id
    """)
    ended = sa.text("insert into jobs.procrastinate_events (job_id, type, at) values (:id, 'started', :at)")
    jobs = {}
    with begin(database.owner, actor="test") as connection:
        connection.execute(sa.text("set local search_path = jobs, public"))
        for status in ("succeeded", "failed", "todo", "doing"):
            for days in (0.5, 2, 31):
                id = connection.execute(filed, {"status": status}).scalar_one()
                connection.execute(ended, {"at": ago(days), "id": id})
                jobs[id] = (status, days)
    assert prune(database) == {"procrastinate_jobs": 3}
    with database.owner.connect() as connection:
        stay = [jobs[id] for id in connection.scalars(sa.text("select id from jobs.procrastinate_jobs order by id"))]
    assert stay == [
        ("succeeded", 0.5), ("failed", 0.5), ("failed", 2),
        *((status, days) for status in ("todo", "doing") for days in (0.5, 2, 31)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"CHENGTU_SENT_DAYS": "0"}, "CHENGTU_SENT_DAYS"),
        ({"CHENGTU_FAILED_DAYS": "3651"}, "CHENGTU_FAILED_DAYS"),
        ({"CHENGTU_NOTICE_DAYS": "29"}, "CHENGTU_NOTICE_DAYS"),
        ({"CHENGTU_NOTICE_DAYS": "179"}, "CHENGTU_FAILED_DAYS"),
    ],
)
def test_terms_that_cannot_be_are_refused_by_worker_and_server(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], name: str
) -> None:
    with pytest.raises(ValueError, match=name):
        terms_from(told)
    for setting, days in told.items():
        monkeypatch.setenv(setting, days)
    with pytest.raises(ValidationError):
        Settings()


def test_terms_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terms_from({}) == Terms(90, 180, 1_095)
    told = {"CHENGTU_SENT_DAYS": "7", "CHENGTU_FAILED_DAYS": "14", "CHENGTU_NOTICE_DAYS": "60"}
    assert terms_from(told) == Terms(7, 14, 60)
    for name, days in told.items():
        monkeypatch.setenv(name, days)
    settings = Settings()
    assert (settings.sent_days, settings.failed_days, settings.notice_days) == (7, 14, 60)


def test_the_operators_page_has_a_term_for_every_table() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    _, _, section = page.partition("## What is kept, and for how long")
    import_every_room()
    told = set(re.findall(r"`([a-z_]+)`", section.partition("\n## ")[0]))
    assert {table.name for table in METADATA.sorted_tables} <= told
    for days in (SENT_DAYS, FAILED_DAYS, NOTICE_DAYS):
        assert f"{days:,}" in section
