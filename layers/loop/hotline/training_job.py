"""The job that trains the classifier: every night, and as soon as somebody wants a suggestion while there is none."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import procrastinate

from layers.store.jobs import QUEUE, file_job

log = logging.getLogger("chengtu.jobs")
NAME: Final = "chengtu.train_classifier"
NIGHTLY: Final = "chengtu.train_classifier_nightly"
_LOCK: Final = "classifier"


def training(url: str, data: Path) -> Callable[[procrastinate.App], None]:
    """Adds the jobs to a queue; each trains in a process of its own, which takes its memory with it when it ends."""

    async def trained() -> None:
        environment = {**os.environ, "CHENGTU_DATABASE_URL": url, "CHENGTU_DATA_DIR": str(data)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "layers", "classifier", "train"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, refused = await process.communicate()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            log.warning("the classifier was not trained: %s", refused.decode(errors="replace").strip()[-300:])
        else:
            log.info("%s", said.decode().strip())

    def add(app: procrastinate.App) -> None:
        @app.task(queue=QUEUE, name=NAME, lock=_LOCK)
        async def train_classifier() -> None:
            await trained()

        @app.periodic(cron="23 2 * * *")
        @app.task(queue=QUEUE, name=NIGHTLY, queueing_lock=NIGHTLY, lock=_LOCK)
        async def train_nightly(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            await trained()

    return add


def ask_for_training(url: str) -> bool:
    """File the job; False when it waits in the queue already. NotFiled without the database."""
    return file_job(url, NAME, lock=_LOCK)
