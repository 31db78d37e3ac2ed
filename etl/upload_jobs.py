"""What the job worker does with files that people bring: it examines and loads them, and takes deliveries back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import procrastinate
import psycopg
import sqlalchemy as sa

from etl.brought import delivery_of
from etl.clean.dates import ZONE
from etl.errors import EtlError, Refused
from etl.examination import REFUSALS, examine
from etl.load import Delivery, Order, digest_of, load_delivery
from etl.mapping import Mapping as Meaning
from etl.readers import Table
from layers.errors import UnknownUpload
from layers.refusals import cause_told, refusal_told
from layers.spec import Layer
from layers.store.core import DELIVERY
from layers.store.engine import begin, engine_for
from layers.store.jobs import QUEUE
from layers.store.uploads import Upload, Uploads
from layers.store.writer import Outcome, undo_delivery

log = logging.getLogger("chengtu.jobs")
# Reading, checking, placing, cells, search terms, records.
_STEPS: Final = 6
_LOOK_S: Final = 0.3
_TELL_S: Final = 0.4
# A file that takes the worker down with it (memory) is not tried for ever: nothing else would be done any more.
_MOST_ATTEMPTS: Final = 3
_AMOUNT: Final = re.compile(r"(.+) \(([\d,]+)\)")
Say = Callable[[Mapping[str, Any]], None]


class _Cancelled(Exception):
    """The person, or the end of the worker, stops the job."""


@dataclass
class _Told:
    """Puts down how a job goes, and ends it wherever it next tells something after `stop` is set.

    A job that is cancelled is put down as such at once and heard no more, wherever it is: it cannot change anything any
    longer, since before it keeps what it did it asks here (`settle`).
    """

    say: Say
    kind: str
    steps: int
    stop: threading.Event
    again: bool = False
    step: int = 0
    beginning: float = field(default_factory=time.time)
    _stage: dict[str, Any] = field(default_factory=dict)
    _heard_at: float = 0.0
    _over: bool = False
    _settled: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock)

    def stage(self, text: str) -> None:
        """A new stage begins."""
        self._go_on()
        found = _AMOUNT.fullmatch(text)
        self.step += 1
        amount = int(found[2].replace(",", "")) if found else None
        self._stage = {"stage": found[1] if found else text, "step": self.step, "done": None, "amount": amount}
        self.put("running", **self._stage)

    def amount(self, done: int, total: int | None) -> None:
        """So many rows of the stage are done; put down now and then only."""
        self._go_on()
        if time.monotonic() - self._heard_at >= _TELL_S:
            self._heard_at = time.monotonic()
            self.put("running", **{**self._stage, "done": done, "amount": total})

    def settle(self) -> None:
        """What was done is about to be kept: from now on it is too late to cancel."""
        with self._one:
            self._go_on()
            self._settled = True

    def cancel(self) -> None:
        """The person does not want it any more; nothing happens where it is being kept already."""
        with self._one:
            if self._settled or self._over:
                return
            self.stop.set()
            self._put("cancelled")
            self._over = True

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise _Cancelled

    def mapped(self, table: Table, mapping: Meaning, layer: Layer) -> None:
        """The meaning of every column is settled."""

    def put(self, state: str, **facts: Any) -> None:
        """Put down a state with its facts, unless it was cancelled meanwhile."""
        with self._one:
            if not self._over:
                self._put(state, **facts)

    def _put(self, state: str, **facts: Any) -> None:
        about = {"kind": self.kind, "state": state, "steps": self.steps, "since": self.beginning, "at": time.time()}
        self.say({**about, **facts})

    def stopped(self) -> None:
        """Put down that it was stopped; with `again` the queue still has it, and the next worker begins anew."""
        self.put("queued" if self.again else "cancelled")


def uploading(url: str, folder: Path) -> Callable[[procrastinate.App], None]:
    """Adds to a queue what is done with the uploads of a folder."""
    uploads = Uploads(folder)

    def upload_job(told: _Told, work: Callable[[sa.Engine, Upload, _Told], Any], id: str) -> None:
        with _ending(told), _stoppable(url, told.stop) as engine:
            work(engine, uploads.find(id), told)

    async def on_upload(
        context: procrastinate.JobContext, kind: str, work: Callable[[sa.Engine, Upload, _Told], Any], id: str
    ) -> None:
        try:
            upload = uploads.find(id)
        except UnknownUpload:
            return  # it was removed while it waited
        told = _Told(lambda said: upload.say("work", said), kind, _STEPS, threading.Event())
        if upload.about.get("cancel"):
            told.stopped()
            return
        if context.job.attempts >= _MOST_ATTEMPTS:
            told.put("failed", why=cause_told("deadly"))
            return
        await _watched(told, lambda: upload_job(told, work, id), lambda: bool(upload.about.get("cancel")))

    def add(app: procrastinate.App) -> None:
        @app.task(queue=QUEUE, name="chengtu.examine", pass_context=True)
        async def examine_upload(context: procrastinate.JobContext, upload: str) -> None:
            await on_upload(context, "examine", _examine, upload)

        @app.task(queue=QUEUE, name="chengtu.load", pass_context=True)
        async def load_upload(context: procrastinate.JobContext, upload: str) -> None:
            await on_upload(context, "load", _load, upload)

        @app.task(queue=QUEUE, name="chengtu.undo")
        async def undo(delivery: int, actor: str) -> None:
            told = _Told(lambda said: uploads.say_undoing(delivery, said), "undo", 1, threading.Event())
            await _watched(told, lambda: _undo(url, told, delivery, actor), lambda: False)

        @app.periodic(cron="23 3 * * *")
        @app.task(queue=QUEUE, name="chengtu.prune_uploads", queueing_lock="prune_uploads")
        async def prune_uploads(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given it
            await asyncio.to_thread(uploads.prune)

    return add


async def _watched(told: _Told, work: Callable[[], None], cancelled: Callable[[], bool]) -> None:
    """Do some work in a thread, which is told to stop when the person cancels it or the worker ends."""
    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=_LOOK_S)
            if cancelled():
                told.cancel()
    except asyncio.CancelledError:
        told.again = True
        raise
    finally:
        told.stop.set()
    await working


@contextmanager
def _ending(told: _Told) -> Iterator[None]:
    """Whatever ends the work is put down: a refusal with its reason, a stop, or that something went wrong here."""
    ended = False
    try:
        yield
        told.put("done")
        ended = True
    except _Cancelled:
        told.stopped()
        ended = True
    except REFUSALS as error:
        told.put("failed", why=refusal_told(error))
        ended = True
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        if told.stop.is_set():
            told.stopped()
        else:
            told.put("failed", why=cause_told("database"))
            log.warning("%s: %s", told.kind, error)
        ended = True
    finally:
        if not ended:
            told.put("failed", why=cause_told("broken"))


@contextmanager
def _stoppable(url: str, stop: threading.Event) -> Iterator[sa.Engine]:
    """An engine whose running statement is cancelled in the database when `stop` is set."""
    engine, over = engine_for(url, "writer", pool_size=0), threading.Event()
    opened: list[Any] = []
    sa.event.listen(engine, "connect", lambda connection, _: opened.append(connection))

    def watch() -> None:
        while not over.wait(_LOOK_S):
            if stop.is_set():
                for connection in opened:
                    with contextlib.suppress(psycopg.Error):
                        connection.cancel()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield engine
    finally:
        over.set()
        watcher.join()
        engine.dispose()


def _examine(engine: sa.Engine, upload: Upload, told: _Told) -> None:
    examine(engine, upload, told, today=datetime.now(ZoneInfo(ZONE)).date(), settle=told.settle)


def _load(engine: sa.Engine, upload: Upload, told: _Told) -> None:
    """Load an upload, unless this very load was done before its worker died."""
    about = upload.about
    with engine.connect() as connection:
        asked = bool(about.get("allow_retire"))
        brought = delivery_of(connection, upload, told, dry_run=False, allow_retire=asked)
        done = _done_before(connection, brought.delivery, since=float(about.get("filed", 0)))
    if done is None:
        _refuse_if_meant_otherwise(brought.delivery.order, upload.report or {})
        today = datetime.now(ZoneInfo(ZONE)).date()
        loaded = load_delivery(engine, brought.delivery, told, today=today, look=lambda *_: told.settle())
        if loaded.outcome is None:
            raise EtlError(loaded.refusal).because("nothing_left", rows=loaded.read)
        done = loaded.outcome
    upload.say("loaded", {"delivery": done.delivery, "at": time.time()})


def _refuse_if_meant_otherwise(order: Order, report: Mapping[str, Any]) -> None:
    """What was guessed is perhaps guessed differently by now: the source was delivered elsewhere, or a layer came."""
    seen = report.get("layer") or report.get("new_layer")
    if (order.layer or order.new_layer) != seen or order.source != report.get("source"):
        told = "what this file is meant for is guessed differently by now"
        raise Refused(told, hint="examine it again").because("guessed_differently")


def _done_before(connection: sa.Connection, delivery: Delivery, *, since: float) -> Outcome | None:
    """What came of this delivery if it was written after it was filed: the worker died before it could say so."""
    order = delivery.order
    wanted = (
        DELIVERY.c.layer == (order.layer or order.new_layer),
        DELIVERY.c.source == delivery.source,
        DELIVERY.c.digest == digest_of(order.path, order.corrections),
        DELIVERY.c.at >= datetime.fromtimestamp(since, ZoneInfo(ZONE)),
        DELIVERY.c.undone_at.is_(None),
    )
    row = connection.execute(sa.select(DELIVERY).where(*wanted).order_by(DELIVERY.c.id.desc()).limit(1)).first()
    return None if row is None else Outcome(row.inserted, row.updated, row.unchanged, row.retired, row.id)


def _undo(url: str, told: _Told, delivery: int, actor: str) -> None:
    with _ending(told), _stoppable(url, told.stop) as engine:
        told.stage("undo")
        with begin(engine, actor=actor) as connection:
            undo_delivery(connection, delivery)
            told.settle()
