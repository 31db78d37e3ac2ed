"""The job queue: upkeep runs, and what a dead worker left is done again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import sqlalchemy as sa

from layers.store.jobs import STALLED_AFTER_S, job_app, requeue_stalled
from tests.conftest import ROOT, Database


def scalar(database: Database, sql: str) -> object:
    with database.owner.connect() as connection:
        return connection.scalar(sa.text(sql))


def test_a_filed_job_is_done(database: Database) -> None:
    with database.owner.begin() as connection:
        connection.execute(sa.text("insert into core.cell_count select 'x', 5, 1, 'a', 1 from generate_series(1, 3)"))

    async def once() -> None:
        app = job_app(database.url, list)
        async with app.open_async():
            await app.configure_task("chengtu.fold_cell_counts").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(once())
    assert scalar(database, "select array_agg(n) from core.cell_count") == [3]
    assert scalar(database, "select status::text from jobs.procrastinate_jobs") == "succeeded"


def test_a_job_whose_worker_was_killed_is_queued_again(database: Database) -> None:
    async def file_and_sweep() -> int:
        app = job_app(database.url, list)
        async with app.open_async():
            await app.configure_task("chengtu.refresh_gram_counts").defer_async(timestamp=0)
            worker = await app.job_manager.register_worker()
            await app.job_manager.fetch_job(queues=None, worker_id=worker)
            with database.owner.begin() as connection:
                connection.execute(
                    sa.text("update jobs.procrastinate_workers set last_heartbeat = now() - make_interval(secs => :s)"),
                    {"s": STALLED_AFTER_S + 1},
                )
            return await requeue_stalled(app)

    assert asyncio.run(file_and_sweep()) == 1
    assert scalar(database, "select status::text from jobs.procrastinate_jobs") == "todo"


def test_a_job_of_a_killed_worker_that_waits_again_already_does_not_stop_the_next_worker(database: Database) -> None:
    async def file_twice_and_sweep() -> int:
        app = job_app(database.url, list)
        async with app.open_async():
            job = app.configure_task("chengtu.refresh_gram_counts", queueing_lock="once")
            await job.defer_async(timestamp=0)
            worker = await app.job_manager.register_worker()
            await app.job_manager.fetch_job(queues=None, worker_id=worker)
            await job.defer_async(timestamp=2)
            with database.owner.begin() as connection:
                connection.execute(
                    sa.text("update jobs.procrastinate_workers set last_heartbeat = now() - make_interval(secs => :s)"),
                    {"s": STALLED_AFTER_S + 1},
                )
            return await requeue_stalled(app)

    assert asyncio.run(file_twice_and_sweep()) == 0
    assert scalar(database, "select array_agg(status::text) from jobs.procrastinate_jobs") == ["todo"]
    assert scalar(database, "select args->>'timestamp' from jobs.procrastinate_jobs") == "2"


def test_the_worker_stops_in_order_when_asked(database: Database) -> None:
    environment = {"CHENGTU_DATABASE_URL": database.url, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([sys.executable, "-m", "etl", "worker"], cwd=ROOT, env=environment) as worker:
        with database.owner.connect() as connection:
            registered = sa.text("select count(*) from jobs.procrastinate_workers")
            for _ in range(600):
                if connection.scalar(registered) or worker.poll() is not None:
                    break
                connection.execute(sa.text("select pg_sleep(0.05)"))
                connection.rollback()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
