"""Background work on a queue in the same database: `api` files a job by name, the worker does it.

A stop cancels a running job and a `kill -9` leaves it marked as running; the sweep puts both back into the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import procrastinate
import psycopg
import sqlalchemy as sa
from psycopg_pool import NullConnectionPool

from layers.errors import StoreError
from layers.spec import Layer
from layers.store.engine import begin, driver_url, engine_for, session_options
from layers.terms import prune_terms, refresh_grams

log = logging.getLogger("chengtu.jobs")
STALLED_AFTER_S = 60.0
STOP_S = 6.0
QUEUE = "upkeep"
AT_ONCE = 3  # a bake and a load may last; the small ones do not wait for them
_FILING_S = 5.0
More = Sequence[Callable[[procrastinate.App], None]]


class NotFiled(StoreError):
    """A job could not be put into the queue."""


def conninfo(url: str) -> dict[str, str]:
    """libpq arguments for the queue's own connections."""
    parsed = driver_url(url)
    options = session_options("writer").replace("search_path=public", "search_path=jobs,public")
    arguments = {
        "host": parsed.query.get("host", parsed.host),
        "port": str(parsed.port or parsed.query.get("port", 5432)),
        "user": parsed.username or parsed.query.get("user"),
        "password": parsed.password or parsed.query.get("password"),
        "dbname": parsed.database,
        "options": options,
        "application_name": "chengtu jobs",
    }
    return {key: str(value) for key, value in arguments.items() if value is not None}


def job_app(url: str, layers: Callable[[], list[Layer]], *, more: More = ()) -> procrastinate.App:
    """The queue with every job that there is; `more` adds those that rooms above this one do."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(kwargs=conninfo(url), min_size=1, max_size=4))
    engine = engine_for(url, "writer", pool_size=0)

    def job(cron: str, work: Callable[[sa.Connection], object]) -> None:
        async def run(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            def once() -> None:
                with begin(engine, actor="job") as connection:
                    work(connection)

            await asyncio.to_thread(once)

        run.__name__ = work.__name__
        app.periodic(cron=cron)(
            app.task(queue=QUEUE, name=f"chengtu.{work.__name__}", queueing_lock=work.__name__)(run)
        )

    def fold_cell_counts(connection: sa.Connection) -> None:
        connection.execute(sa.text("select core.fold_cell_counts()"))

    def refresh_gram_counts(connection: sa.Connection) -> None:
        refresh_grams(connection)

    def prune_search_terms(connection: sa.Connection) -> None:
        prune_terms(connection, layers())

    def forget_idempotency_keys(connection: sa.Connection) -> None:
        connection.execute(sa.text("delete from core.idempotency where at < now() - interval '24 hours'"))

    job("*/5 * * * *", fold_cell_counts)
    job("*/10 * * * *", refresh_gram_counts)
    job("17 3 * * *", prune_search_terms)
    job("41 * * * *", forget_idempotency_keys)

    @app.periodic(cron="* * * * *")
    @app.task(queue=QUEUE, name="chengtu.sweep", queueing_lock="sweep", pass_context=True)
    async def sweep(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
        await requeue_stalled(context.app)

    for add in more:
        add(app)
    return app


def file_job(url: str, name: str, *, lock: str, **arguments: str | int) -> bool:
    """File a job by its name; those of one lock are done one after the other. False when it waits in the queue already.

    The worker knows what the job does, the one who files it need not. Raises NotFiled without the database.
    """
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    # Not the connector's own pool: without a database that would wait for half a minute.
    pool = NullConnectionPool(kwargs=conninfo(url), max_size=1, timeout=_FILING_S, num_workers=1, open=False)
    try:
        with pool, app.open(pool):
            job = app.configure_task(name, queue=QUEUE, lock=lock, queueing_lock=f"{name} {lock}")
            job.defer(**arguments)
    except procrastinate.exceptions.AlreadyEnqueued:
        return False
    except (procrastinate.exceptions.ConnectorException, psycopg.OperationalError) as error:
        raise NotFiled("the job could not be put into the queue; try again shortly").because("not_filed") from error
    return True


async def requeue_stalled(app: procrastinate.App) -> int:
    """Put jobs whose worker died back into the queue; returns how many.

    One that waits in the queue again already, as periodic ones soon do, is only taken off the books.
    """
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S))
    again = 0
    for job in stalled:
        try:
            await app.job_manager.retry_job(job)
            again += 1
        except procrastinate.exceptions.UniqueViolation:
            await app.job_manager.finish_job(job, status=procrastinate.jobs.Status.ABORTED, delete_job=True)
    return again


async def work(
    url: str,
    layers: Callable[[], list[Layer]],
    *,
    more: More = (),
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Do jobs until SIGINT or SIGTERM; a running job gets two seconds and is queued again by the next sweep.

    What runs `beside` them goes on for as long; when a part of it ends by itself, so does all.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    working = asyncio.create_task(_work(job_app(url, layers, more=more)))
    others = {asyncio.create_task(one()) for one in beside}
    stop = asyncio.create_task(stopping.wait())
    ended, _ = await asyncio.wait({working, stop, *others}, return_when=asyncio.FIRST_COMPLETED)
    for other in others - ended:
        other.cancel()
    if not stopping.is_set():
        stop.cancel()
        await next(iter(ended))  # it failed: let the reason be seen
        return
    working.cancel()
    done, _ = await asyncio.wait({working}, timeout=STOP_S)
    if not done:
        # The database is gone, so nothing can be handed back to it any more: the sweep of the next start does that.
        log.warning("the job worker stops without the database")
        os._exit(1)


async def _work(app: procrastinate.App) -> None:
    async with app.open_async():
        await requeue_stalled(app)
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE], install_signal_handlers=False, concurrency=AT_ONCE, shutdown_graceful_timeout=2
            )
        )
        try:
            await asyncio.shield(worker)
        except asyncio.CancelledError:
            worker.cancel()
            # Awaiting the cancelled worker lets it record what it was doing before the pool closes.
            with contextlib.suppress(asyncio.CancelledError):
                await worker
            raise
