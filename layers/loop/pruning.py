"""What has had its day is taken away, every night and so many rows at a time: sendings, old notices, ended sessions.

Cases, their steps, and what an exercise leaves behind are records of the city and stay: docs/operating.md has a term
for every table.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import procrastinate
import sqlalchemy as sa

from layers.loop.case_tables import STRANGER
from layers.loop.firing import SYSTEM
from layers.loop.inbox import SHOWN_DAYS
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.routing_tables import NOTICE
from layers.loop.strangers import KEPT as STRANGERS_KEPT
from layers.loop.webhook_tables import SENDING, WEBHOOK
from layers.people.attempts import Limits
from layers.people.outside import VISIT
from layers.people.tables import ATTEMPT, OIDC_VISIT, SESSION
from layers.store.engine import begin, engine_for, set_local
from layers.store.jobs import QUEUE

SENT_DAYS: Final = 90
FAILED_DAYS: Final = 180
NOTICE_DAYS: Final = 1_095
MOST_DAYS: Final = 3_650
JOB_DAYS: Final = 1
"""So long the queue keeps a job that succeeded."""
FAILED_JOB_DAYS: Final = 30
MOST_AT_ONCE: Final = 2_000
MOST_ROUNDS: Final = 1_000
_JOB: Final = "chengtu.prune"
_TOO_SHORT: Final = "CHENGTU_NOTICE_DAYS is at least as long as CHENGTU_SENT_DAYS and CHENGTU_FAILED_DAYS"
# Rows of the queue have no time of their own: their last event has.
_JOBS_OVER: Final = sa.text("""
    delete from jobs.procrastinate_jobs where id in (
      select j.id from jobs.procrastinate_jobs j
      where j.status in ('succeeded', 'failed', 'cancelled', 'aborted') and not exists (
        select from jobs.procrastinate_events e
        where e.job_id = j.id and e.at >= case when j.status = 'succeeded' then :done else :failed end
      )
      order by j.id limit :most for update skip locked
    )
""")
Portion = Callable[[sa.Connection], int]


@dataclass(frozen=True)
class Terms:
    """For how many days sendings that were taken, those that were given up, and notices are kept.

    ValueError for days out of bounds, and for notices that would go before what tells that they were sent.
    """

    sent_days: int = SENT_DAYS
    failed_days: int = FAILED_DAYS
    notice_days: int = NOTICE_DAYS

    def __post_init__(self) -> None:
        for name, least in (("sent_days", 1), ("failed_days", 1), ("notice_days", SHOWN_DAYS)):
            if not least <= getattr(self, name) <= MOST_DAYS:
                raise ValueError(f"CHENGTU_{name.upper()} lies between {least} and {MOST_DAYS:,}")
        if self.notice_days < max(self.sent_days, self.failed_days):
            raise ValueError(_TOO_SHORT)


def terms_from(environment: Mapping[str, str]) -> Terms:
    """The terms that `CHENGTU_SENT_DAYS`, `CHENGTU_FAILED_DAYS` and `CHENGTU_NOTICE_DAYS` tell of."""
    names = ("sent_days", "failed_days", "notice_days")
    told = {name: environment.get(f"CHENGTU_{name.upper()}") for name in names}
    return Terms(**{name: int(value) for name, value in told.items() if value})


def prune_all(
    engine: sa.Engine, terms: Terms, *, now: dt.datetime, most: int = MOST_AT_ONCE, rounds: int = MOST_ROUNDS
) -> dict[str, int]:
    """Take away whatever is over, at most `most` rows to a transaction; how many rows of which table.

    `engine` is the owner's: who writes notices may not take any away. What is left after so many rounds goes next time.
    """
    gone: dict[str, int] = {}
    for name, portion in _portions(terms, now=now, most=most):
        for _ in range(rounds):
            with begin(engine, actor=SYSTEM) as connection:
                some = portion(connection)
            gone[name] = gone.get(name, 0) + some
            if some < most:
                break
    return {name: rows for name, rows in gone.items() if rows}


def pruning(url: str, terms: Terms) -> Callable[[procrastinate.App], None]:
    """Adds the job to a queue: every night."""
    engine = engine_for(url, "owner", pool_size=0)

    def add(app: procrastinate.App) -> None:
        @app.periodic(cron="53 3 * * *")
        @app.task(queue=QUEUE, name=_JOB, queueing_lock=_JOB, lock=_JOB)
        async def prune(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            await asyncio.to_thread(prune_all, engine, terms, now=dt.datetime.now(dt.UTC))

    return add


def _portions(terms: Terms, *, now: dt.datetime, most: int) -> Iterator[tuple[str, Portion]]:
    for table, over in _over(terms, now):
        yield table.name, _rows(table, over, most)

    def jobs(connection: sa.Connection) -> int:
        set_local(connection, "search_path", "jobs, public")  # the queue's own triggers name its tables plainly
        values = {"done": _ago(now, JOB_DAYS), "failed": _ago(now, FAILED_JOB_DAYS), "most": most}
        return connection.execute(_JOBS_OVER, values).rowcount

    yield "procrastinate_jobs", jobs


def _over(terms: Terms, now: dt.datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """What of which table is over, in the order in which it goes: what tells of something before that itself.

    Of an exercise everything stays: it is its record.
    """
    sent, failed = _ago(now, terms.sent_days), _ago(now, terms.failed_days)
    for table in (SENDING, NOTICE_SENDING):
        yield table, sa.or_(table.c.sent_at < sent, table.c.dead_at < failed)
    for table, sending in ((WEBHOOK, SENDING.c.webhook), (CHANNEL, NOTICE_SENDING.c.channel)):
        yield table, sa.and_(table.c.ended_at < failed, ~sa.exists().where(sending == table.c.id))
    told = _ago(now, terms.notice_days)
    waits = sa.exists().where(NOTICE_SENDING.c.notice == NOTICE.c.id)
    yield NOTICE, sa.and_(NOTICE.c.at < told, NOTICE.c.scenario.is_(None), ~waits)
    # These go when somebody else signs in or reports, too; where nobody does, they would stay.
    yield SESSION, SESSION.c.ends_at <= now
    yield ATTEMPT, ATTEMPT.c.began <= now - Limits().window
    yield OIDC_VISIT, OIDC_VISIT.c.began <= now - VISIT
    yield STRANGER, STRANGER.c.hour < now - STRANGERS_KEPT


def _rows(table: sa.Table, over: sa.ColumnElement[bool], most: int) -> Portion:
    key = sa.tuple_(*table.primary_key.columns)
    chosen = sa.select(*table.primary_key.columns).where(over).order_by(*table.primary_key.columns).limit(most)
    statement: sa.Delete = sa.delete(table).where(key.in_(chosen.with_for_update(skip_locked=True, of=table)))

    def portion(connection: sa.Connection) -> int:
        found: sa.CursorResult[Any] = connection.execute(statement)
        return found.rowcount

    return portion


def _ago(now: dt.datetime, days: int) -> dt.datetime:
    return now - dt.timedelta(days=days)
