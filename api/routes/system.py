"""Alive, ready, measured."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.deps import ActorDep, ReadDep, ServiceDep
from api.metrics import Metrics
from layers.ask.catalogue import summaries

router = APIRouter(tags=["system"])


@router.get("/healthz")
async def alive(request: Request, response: Response) -> dict[str, str]:
    """The process answers; `version` is another one after a release, so that pages that stay open know."""
    response.headers["Cache-Control"] = "no-store"
    return {"status": "ok", "version": request.app.state.release()}


@router.get("/readyz")
def ready(connection: ReadDep) -> dict[str, str]:
    """The database answers, too; 503 otherwise."""
    version = connection.scalar(sa.text("select postgis_lib_version()"))
    return {"status": "ok", "postgis": str(version)}


@router.get("/metrics", response_class=Response)
def metrics(request: Request, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> Response:
    """Figures for Prometheus, of this worker process; records only of layers that the caller may see."""
    meters: Metrics = request.app.state.metrics
    meters.records.clear()
    for summary in summaries(connection, service.registry.visible(actor)):
        meters.records.labels(summary.layer.name).set(summary.count)
    return Response(meters.page(), media_type=CONTENT_TYPE_LATEST)
