"""Deliveries: which there were, how well and how freshly each source delivers, what one changed, and taking it back."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.deps import ReadDep, ServiceDep
from api.routes.uploads import DelivererDep, uploads_of
from api.service import Service
from layers.ask import deliveries as ask
from layers.errors import Conflict
from layers.people.access import Actor
from layers.reasons import reject_reason
from layers.spec import Layer
from layers.store.jobs import file_job

router = APIRouter(prefix="/deliveries", tags=["deliveries"])
Number = Annotated[int, InPath(ge=1, lt=2**63, description="number of a delivery")]
_NO_STORE = {"Cache-Control": "no-store"}


@router.get("")
def list_deliveries(
    service: ServiceDep,
    actor: DelivererDep,
    connection: ReadDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    layer: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = None,
    source: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> JSONResponse:
    """Deliveries, the newest first; `before` goes on from a number."""
    rows = ask.latest(connection, _layers(service, actor), limit=limit, before=before, layer=layer, source=source)
    after = rows[-1]["id"] if len(rows) == limit else None
    return _json({"deliveries": [_told(row) for row in rows], "before": after})


@router.get("/sources")
def list_sources(service: ServiceDep, actor: DelivererDep, connection: ReadDep) -> JSONResponse:
    """Every source with its latest delivery, the usual interval between two, and how its age compares with that."""
    now = dt.datetime.now(dt.UTC)
    told = [
        {
            "layer": one.layer,
            "source": one.source,
            "deliveries": one.deliveries,
            "latest": _told(one.latest),
            "usual_s": None if one.usual is None else round(one.usual.total_seconds()),
            "age_s": max(0, round((now - one.latest["at"]).total_seconds())),
            "freshness": one.freshness,
        }
        for one in ask.sources(connection, _layers(service, actor), now=now)
    ]
    return _json({"at": now, "sources": told, "truncated": len(told) == ask.MOST_SOURCES})


@router.get("/{number}")
def read_delivery(number: Number, service: ServiceDep, actor: DelivererDep, connection: ReadDep) -> JSONResponse:
    """One delivery with what it could not use, by kind, and how taking it back goes if that was asked for."""
    layers = _layers(service, actor)
    row = ask.delivery(connection, number, layers)
    kinds = [_reject(kind, layers[row["layer"]]) for kind in ask.reject_kinds(connection, number)]
    return _json({**_told(row), "kinds": kinds, "undoing": uploads_of(service).undoing(number)})


@router.get("/{number}/rejects")
def list_rejects(
    number: Number,
    service: ServiceDep,
    actor: DelivererDep,
    connection: ReadDep,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    code: Annotated[str | None, Query(pattern=r"^[a-z_]{1,80}$")] = None,
) -> JSONResponse:
    """The rows and values that a delivery could not use, in the order of the file."""
    layers = _layers(service, actor)
    row = ask.delivery(connection, number, layers)
    found = ask.rejects(connection, number, offset=offset, limit=limit, code=code)
    return _json({"offset": offset, "rejects": [_reject(one, layers[row["layer"]]) for one in found]})


@router.get("/{number}/places")
def list_places(number: Number, service: ServiceDep, actor: DelivererDep, connection: ReadDep) -> JSONResponse:
    """A sample of what a delivery added, changed and retired, as GeoJSON; records changed again since are left out."""
    layers = _layers(service, actor)
    row = ask.delivery(connection, number, layers)
    drawn = ask.places(connection, layers[row["layer"]], number)
    return JSONResponse(drawn, headers=_NO_STORE, media_type="application/geo+json")


@router.post("/{number}/undo", status_code=202)
def undo(number: Number, service: ServiceDep, actor: DelivererDep, connection: ReadDep) -> JSONResponse:
    """File the job that puts every record back to what it was before a delivery."""
    row = ask.delivery(connection, number, _layers(service, actor))
    uploads = uploads_of(service)
    before = uploads.undoing(number)
    if row["undone_at"] is not None:
        raise Conflict(f"delivery {number} was taken back already").because("undone")
    if before is not None and before["state"] in ("queued", "running") and time.time() - before["at"] < _SILENT_S:
        raise Conflict(f"delivery {number} is being taken back").because("undoing")
    now = time.time()
    uploads.say_undoing(number, {"kind": "undo", "state": "queued", "steps": 1, "since": now, "at": now})
    filed = False
    try:
        file_job(service.url, "chengtu.undo", lock=f"undo {number}", delivery=number, actor=actor.name)
        filed = True
    finally:
        if not filed:
            uploads.say_undoing(number, before)
    return _json({**_told(row), "undoing": uploads.undoing(number)}, status=202)


# A job that says nothing for so long is not at work any more.
_SILENT_S = 600.0


def _layers(service: Service, actor: Actor) -> dict[str, Layer]:
    return {layer.name: layer for layer in service.registry.visible(actor)}


def _told(row: sa.RowMapping) -> dict[str, Any]:
    """A delivery as it is shown; `accepted` is the share of its rows that became records, null when it had none."""
    taken = row["inserted"] + row["updated"] + row["unchanged"]
    rows = taken + row["refused"]
    names = ("id", "layer", "source", "title", "actor", "at", "inserted", "updated", "unchanged", "retired")
    return {
        **{name: row[name] for name in names},
        "undone": row["undone_at"],
        "refused": row["refused"],
        "flagged": row["flagged"],
        "accepted": taken / rows if rows else None,
    }


def _reject(row: Mapping[Any, Any], layer: Layer) -> dict[str, Any]:
    appears = layer.field(row["field"] or "")
    reason = reject_reason(row["code"], row["reason"])._asdict()
    return {**dict(row), "reason": reason, "title": None if appears is None else appears.title._asdict()}


def _json(body: dict[str, Any], *, status: int = 200) -> JSONResponse:
    return JSONResponse(jsonable_encoder(body), status, _NO_STORE)
