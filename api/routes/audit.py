"""How the audit chain stands: its newest seal, what waits to be sealed, and the last root; checking it is a command."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from api.deps import ActorDep, ServiceDep
from api.routes.session import FRESH
from layers.store.audit import lag_s, last_seal
from layers.store.roots import FOLDER, roots_in

router = APIRouter(tags=["people"])
# Recomputing a chain of years takes minutes: somebody lets it run, and not every reader of a page.
_COMMAND: Final = "python -m layers audit verify"


@router.get("/audit")
def audit(service: ServiceDep, _: ActorDep) -> JSONResponse:
    """The newest seal, for how many seconds the oldest record has waited for one, and the newest root put down."""
    with service.tokens.connect() as connection:
        last = last_seal(connection)
        waiting_s = round(lag_s(connection, now=dt.datetime.now(dt.UTC)), 1)
    roots = roots_in(service.settings.data_dir / FOLDER)
    seal: dict[str, Any] | None = None
    if last is not None:
        seal = {"number": last.number, "at": last.at, "records": last.records, "digest": last.digest}
    newest = roots[-1].name.partition(".")[0] if roots else None
    told = {"seal": seal, "waitingS": waiting_s, "roots": len(roots), "newestRoot": newest, "verify": _COMMAND}
    return JSONResponse(jsonable_encoder(told), headers=FRESH)
