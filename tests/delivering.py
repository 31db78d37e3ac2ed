"""What the tests of bringing files share: an office's file, a clerk who talks to the server, a worker at hand."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from etl.upload_jobs import uploading
from layers.store.jobs import QUEUE, job_app
from tests.conftest import ROOT, Server

HEADER = "部件标识码,部件名称,部件状态,经度,纬度,初始日期,杆号"


def lamp(
    number: int, *, state: str = "完好", lon: object = None, lat: object = 32.01023, day: str = "2020-05-07"
) -> str:
    """One row of a spreadsheet of lamps, with the number as the serial of its id."""
    at = 120.86 + number / 10_000 if lon is None else lon
    return f"32061301037{900_000 + number},路灯,{state},{at},{lat},{day},A-{number}"


def sheet(*rows: str, header: str = HEADER) -> bytes:
    """A spreadsheet saved as text, as Chinese Windows does it."""
    return "\n".join((header, *rows, "")).encode("gb18030")


class Clerk:
    """Talks to the server as the page does; jobs are done at once, in this process."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, headers=server.admin, timeout=60)

    def bring(self, *files: tuple[str, bytes]) -> str:
        """An upload of files; its id."""
        id = str(self.http.post("/uploads").raise_for_status().json()["id"])
        for name, content in files:
            self.http.put(f"/uploads/{id}/files/{name}", content=content).raise_for_status()
        return id

    def examine(self, id: str, **choices: object) -> dict[str, Any]:
        """What an examination says."""
        held = self.http.get(f"/uploads/{id}").json()["choices"]
        self.http.post(f"/uploads/{id}/examine", json={**held, **choices}).raise_for_status()
        self.work()
        report: dict[str, Any] = self.upload(id)["report"]
        return report

    def load(self, id: str, **order: object) -> dict[str, Any]:
        """The delivery that an examined upload became."""
        self.http.post(f"/uploads/{id}/load", json=order).raise_for_status()
        self.work()
        upload = self.upload(id)
        assert upload["loaded"], upload["work"]
        return self.delivery(upload["loaded"]["delivery"])

    def delivered(self, name: str, content: bytes, **choices: object) -> dict[str, Any]:
        """Bring, examine and load one file."""
        id = self.bring((name, content))
        assert self.examine(id, **choices).get("refusal") is None
        return self.load(id)

    def upload(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/uploads/{id}").raise_for_status().json()
        return found

    def delivery(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/deliveries/{number}").raise_for_status().json()
        return found

    def undo(self, number: int) -> dict[str, Any]:
        """The delivery after the attempt to take it back."""
        self.http.post(f"/deliveries/{number}/undo").raise_for_status()
        self.work()
        return self.delivery(number)

    def work(self) -> None:
        """Do the jobs that wait."""
        url, folder = self.server.database.url, self.server.data / "uploads"

        async def once() -> None:
            app = job_app(url, list, more=[uploading(url, folder)])
            async with app.open_async():
                await app.run_worker_async(queues=[QUEUE], wait=False, install_signal_handlers=False)

        asyncio.run(once())


@contextmanager
def worker(server: Server) -> Iterator[None]:
    """The real worker process of a server."""
    environment = {
        **os.environ,
        "CHENGTU_DATABASE_URL": server.database.url,
        "CHENGTU_DATA_DIR": str(server.data),
    }
    registered = sa.text("select count(*) from jobs.procrastinate_workers")
    with subprocess.Popen([sys.executable, "-m", "etl", "worker"], cwd=ROOT, env=environment) as process:
        try:
            with server.database.owner.connect() as connection:
                while process.poll() is None and not connection.scalar(registered):
                    connection.execute(sa.text("select pg_sleep(0.05)"))
                    connection.rollback()
            yield
        finally:
            process.terminate()
            process.wait(20)


def folder_of(server: Server, id: str) -> Path:
    """Where an upload lies."""
    return server.data / "uploads" / id
