"""Files that a clerk brings: taken in, examined and loaded by jobs of the worker, watched and cancelled."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.deps import ActorDep, ServiceDep
from api.service import Service
from layers.errors import BadUpload, Conflict, UnknownItem
from layers.people.access import Actor, require_deliver
from layers.store.choices import Choices
from layers.store.jobs import file_job
from layers.store.uploads import FOLDER, ID_PATTERN, Upload, Uploads, read_json

router = APIRouter(tags=["uploads"])

ALL_TOGETHER: Final = 4  # times the largest single file
_CHUNK: Final = 1 << 20
_FILE: Final = re.compile(rf"/uploads/{ID_PATTERN}/files/[^/]+")
_NO_STORE: Final = {"Cache-Control": "no-store"}
_BUSY: Final = ("queued", "running")
# A job that says nothing for so long is not at work any more: its worker died, or forgot it.
_SILENT_S: Final = 600.0
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def is_file(method: str, path: str) -> bool:
    """Is this request a file coming in, which may be larger than any other body?"""
    return method == "PUT" and _FILE.fullmatch(path) is not None


def _deliverer(actor: ActorDep) -> Actor:
    require_deliver(actor)
    return actor


DelivererDep = Annotated[Actor, Depends(_deliverer)]


def uploads_of(service: Service) -> Uploads:
    """The folder of uploads of this server."""
    return Uploads(service.settings.data_dir / FOLDER)


def _upload(
    id: Annotated[str, InPath(pattern=f"^{ID_PATTERN}$", description="id of an upload")],
    service: ServiceDep,
    _: DelivererDep,
) -> Upload:
    return uploads_of(service).find(id)


UploadDep = Annotated[Upload, Depends(_upload)]


class LoadOrder(BaseModel):
    """How an upload is to be loaded; `allow_retire` says that the person knows that many records will be retired."""

    model_config = ConfigDict(extra="forbid")

    allow_retire: bool = False


@router.post("/uploads", status_code=201)
def open_upload(service: ServiceDep, actor: DelivererDep) -> JSONResponse:
    """A new, empty upload."""
    return JSONResponse(_said(uploads_of(service).new(actor.name)), 201, _NO_STORE)


@router.get("/uploads")
def list_uploads(service: ServiceDep, _: DelivererDep) -> JSONResponse:
    """The uploads that wait or were loaded this week, the newest first."""
    told = [{key: said[key] for key in ("id", "at", "files", "work", "loaded")} | {"rows": _rows(said)}
            for said in map(_said, uploads_of(service).every())]  # fmt: skip
    return JSONResponse({"uploads": told, "most_mb": service.settings.upload_mb}, headers=_NO_STORE)


@router.put("/uploads/{id}/files/{name}")
async def bring_file(
    upload: UploadDep,
    name: Annotated[str, InPath(max_length=400)],
    request: Request,
    service: ServiceDep,
) -> JSONResponse:
    """Take a file in as the body of the request; of a Shapefile each part is one."""
    await run_in_threadpool(_idle, upload)
    await run_in_threadpool(_make_room, service, int(request.headers.get("content-length", 0)))
    scratch = upload.scratch()
    try:
        with scratch.open("wb") as file:
            await _received(request, file, service)
        kept, files = await run_in_threadpool(_keep, upload, scratch, name)
    finally:
        scratch.unlink(missing_ok=True)
    return JSONResponse({"name": kept, "files": files}, headers=_NO_STORE)


async def _received(request: Request, file: BinaryIO, service: Service) -> None:
    """Write a body to a file, a megabyte at a time, while others are answered."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) >= _CHUNK:
            await run_in_threadpool(_make_room, service, len(held))
            await run_in_threadpool(file.write, bytes(held))
            held.clear()
    await run_in_threadpool(file.write, bytes(held))


def _make_room(service: Service, coming: int) -> None:
    most = ALL_TOGETHER * service.settings.upload_mb * 2**20
    if uploads_of(service).held_bytes() + coming > most:
        told = "the uploads that wait take all the room there is: load or remove some first"
        raise Conflict(told).because("no_room", limit=ALL_TOGETHER * service.settings.upload_mb)


def _keep(upload: Upload, scratch: Path, name: str) -> tuple[str, dict[str, int]]:
    with upload.alone():
        _idle(upload)  # a job may have begun while the file came
        kept = upload.keep(scratch, name)
        return kept, upload.about["files"]


@router.get("/uploads/{id}")
def read_upload(upload: UploadDep) -> JSONResponse:
    """Everything that is known of an upload: files, choices, how its job goes, what was found, what it became."""
    return JSONResponse(_said(upload), headers=_NO_STORE)


@router.delete("/uploads/{id}", status_code=204)
def remove_upload(upload: UploadDep, service: ServiceDep) -> Response:
    """Forget an upload and its files; a delivery that it became stays."""
    with upload.alone():
        _idle(upload)
        uploads_of(service).remove(upload.id)
    return Response(status_code=204)


@router.post("/uploads/{id}/examine", status_code=202)
def examine(upload: UploadDep, choices: Choices, service: ServiceDep) -> JSONResponse:
    """File the job that looks at an upload as these choices say; nothing is changed in the city."""
    with upload.alone():
        _idle(upload)
        upload.main()
        upload.choose(choices)
        _file(service, upload, "examine")
    return JSONResponse(_said(upload), 202, _NO_STORE)


@router.post("/uploads/{id}/load", status_code=202)
def load(upload: UploadDep, order: LoadOrder, service: ServiceDep) -> JSONResponse:
    """File the job that loads an upload as it was examined last."""
    with upload.alone():
        _idle(upload)
        _loadable(upload, order)
        _file(service, upload, "load", allow_retire=order.allow_retire)
    return JSONResponse(_said(upload), 202, _NO_STORE)


def _loadable(upload: Upload, order: LoadOrder) -> None:
    report = upload.report
    if upload.loaded is not None:
        raise Conflict("this upload was loaded already").because("loaded")
    if report is None or report["choices"] != upload.choices.model_dump(mode="json"):
        raise Conflict("the upload has to be examined as it is to be loaded").because("unexamined")
    if report.get("refusal") is not None:
        refused = BadUpload(str(report.get("file", "upload")), str(report["refusal"]["text"]["en"]))
        raise refused.because("refused")
    if report["many_retired"] and not order.allow_retire:
        told = "more than a fifth of the source would be retired: confirm that the file is complete"
        raise Conflict(told).because("many_retired", gone=report["outcome"]["retired"], held=report["held"])


@router.post("/uploads/{id}/cancel", status_code=202)
def cancel(upload: UploadDep) -> JSONResponse:
    """Stop the job of an upload; what it did is taken back."""
    with upload.alone():
        upload.amend(cancel=True)
        work = upload.work
        silent = work is not None and time.time() - work["at"] > _SILENT_S
        if work is not None and (work["state"] == "queued" or (work["state"] == "running" and silent)):
            upload.say("work", {**work, "state": "cancelled", "at": time.time()})
    return JSONResponse(_said(upload), 202, _NO_STORE)


@router.get("/uploads/{id}/rejects")
def rejects(
    upload: UploadDep,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    code: Annotated[str | None, Query(pattern=r"^[a-z_]{1,80}$")] = None,
    field: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = None,
) -> JSONResponse:
    """The rows and values that the latest examination refused, with the cells that they are about."""
    every = (read_json(upload.folder / "rejects.json") or {}).get("rejects", [])
    found = [one for one in every if (not code or one["code"] == code) and (not field or one["field"] == field)]
    page = {"total": len(found), "offset": offset, "rejects": found[offset : offset + limit]}
    return JSONResponse(page, headers=_NO_STORE)


@router.get("/uploads/{id}/refused.xlsx", response_class=FileResponse)
def refused(upload: UploadDep) -> FileResponse:
    """The rows that were refused as a workbook for those who sent them: reasons beside, faulty cells marked."""
    path = upload.folder / "refused.xlsx"
    if not path.is_file():
        raise UnknownItem("uploads", "refused.xlsx")
    stem = upload.main().stem
    return FileResponse(path, media_type=XLSX, filename=f"{stem}-退回.xlsx", headers=_NO_STORE)


@router.get("/uploads/{id}/preview")
def preview(upload: UploadDep) -> JSONResponse:
    """Sample places of what would be added, changed and retired, and of refused points, as GeoJSON."""
    drawn = read_json(upload.folder / "preview.json")
    return JSONResponse(
        drawn or {"type": "FeatureCollection", "features": [], "truncated": False},
        headers=_NO_STORE,
        media_type="application/geo+json",
    )


def _file(service: Service, upload: Upload, kind: str, *, allow_retire: bool = False) -> None:
    """Put the job into the queue; the worker knows what it is."""
    before = upload.work
    upload.amend(cancel=False, allow_retire=allow_retire, filed=time.time())
    now = time.time()
    upload.say("work", {"kind": kind, "state": "queued", "steps": 0, "since": now, "at": now})
    filed = False
    try:
        file_job(service.url, f"chengtu.{kind}", lock=f"upload {upload.id}", upload=upload.id)
        filed = True
    finally:
        if not filed:
            upload.say("work", before)


def _idle(upload: Upload) -> None:
    work = upload.work
    if work is not None and work["state"] in _BUSY:
        raise Conflict("a job is at work on this upload: wait for it, or cancel it").because("busy")


def _said(upload: Upload) -> dict[str, Any]:
    about = upload.about
    if not about:
        raise HTTPException(404, "the upload was removed")
    return {
        "id": upload.id,
        "at": about["at"],
        "files": about.get("files", {}),
        "choices": upload.choices.model_dump(mode="json"),
        "work": upload.work,
        "report": upload.report,
        "loaded": upload.loaded,
    }


def _rows(said: dict[str, Any]) -> int | None:
    return None if said["report"] is None else said["report"].get("rows")
