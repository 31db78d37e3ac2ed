"""The classifier is trained by the job worker, in a process of its own, and asked for once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa

from layers.loop.hotline.classify import FILE, FOLDER, model_in
from layers.loop.hotline.corrections import correct
from layers.loop.hotline.training_job import NAME, NIGHTLY, ask_for_training, training
from layers.store.engine import begin
from layers.store.jobs import job_app
from tests.conftest import Database

PHRASES = """matter,train,test
01037,路灯不亮/路灯坏了/路灯灭了/路灯歪了/路灯闪,灯没亮
none,怎么办证/公积金提取/医保怎么办/社保咨询/户口怎么迁,怎么交社保
"""


def test_a_draft_without_a_classifier_files_one_training_and_the_worker_does_it(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "phrases.csv").write_text(PHRASES, encoding="utf-8")
    with begin(database.engine, actor="dispatcher") as connection:
        correct(connection, "灯杆子瞎了", "01037", guessed=None, model=None, actor="dispatcher")
    assert ask_for_training(database.url) is True
    assert ask_for_training(database.url) is False, "it waits in the queue already"
    app = job_app(database.url, list, more=[training(database.url, tmp_path)])
    assert {NAME, NIGHTLY} <= set(app.tasks)

    async def once() -> None:
        async with app.open_async():
            await app.run_worker_async(queues=["upkeep"], wait=False, install_signal_handlers=False)

    asyncio.run(once())
    with database.engine.connect() as connection:
        states = sa.text("select status::text from jobs.procrastinate_jobs where task_name = :name")
        assert list(connection.scalars(states, {"name": NAME})) == ["succeeded"]
    trained = model_in(tmp_path / FOLDER)
    assert trained is not None
    assert trained.corrections == 1
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [FILE]
    guessed = trained.classify("路灯不亮").guesses[0]
    assert guessed.matter == "01037"
