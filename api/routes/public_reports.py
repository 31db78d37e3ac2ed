"""What residents need to report without an account: whether the city takes it, and which matters words may mean."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.deps import ActorDep, ServiceDep
from api.routes.incidents import PRIVATE, require_public_reports
from layers.codes.books import book
from layers.loop.hotline.intake import MOST_CHARACTERS
from layers.people.access import ANYONE, require_right

router = APIRouter(tags=["incidents"])
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=MOST_CHARACTERS)]


class Words(BaseModel):
    """What somebody says of what they see."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: Text


@router.get("/public-reports")
def public_reports(service: ServiceDep) -> JSONResponse:
    """Whether residents may report without an account, and how often in an hour."""
    settings = service.settings
    told = {"open": settings.public_reports, "hourly": settings.public_reports_hourly}
    return JSONResponse(told, headers={"Cache-Control": "no-cache"})


@router.post("/public-reports/matters")
def matters(body: Words, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Up to three matters that these words may be about, the likeliest first; nothing is kept of the words."""
    if actor == ANYONE:
        require_public_reports(service)
    else:
        require_right(actor, "incident.report")
    model = service.intake.model()
    found = () if model is None else model.classify(body.text).guesses
    names = book("matter")
    told = [
        {"matter": one.matter, "zh": names.word(one.matter), "en": names.word(one.matter, "en")}
        for one in found
        if one.matter in names
    ]
    return JSONResponse({"matters": told}, headers=PRIVATE)
