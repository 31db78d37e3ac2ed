"""Calling people back, the three rates of the hotline, and the figures of its weekly bulletin."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.deps import ActorDep, ServiceDep
from api.service import Service
from layers.ask.period import CITY_TIME
from layers.codes.admin import shipped_register
from layers.errors import BadParameter, UnknownItem
from layers.loop.answered import RateRules
from layers.loop.cases import held
from layers.loop.hotline.bulletin import bulletin
from layers.loop.hotline.contacts import MOST_DUE, MOST_TEXT, Contacted, Due, Kind, due_callbacks, write_contact
from layers.loop.hotline.rates import By, Counts, period_of, rates
from layers.people.access import Actor, require_right
from layers.people.scope import acting, slice_of
from layers.store.engine import begin

router = APIRouter(tags=["hotline"])
_PRIVATE = {"Cache-Control": "no-store"}
IncidentId = Annotated[str, Path(pattern=r"^[0-9]{14}$", description="number of a case")]
CallerId = Annotated[int, Path(ge=1, le=2**63 - 1, description="number of a caller")]


class Answered(BaseModel):
    """How a call to a caller went."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "callback"
    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    text: (
        Annotated[
            str,
            StringConstraints(
                strip_whitespace=True, min_length=1, max_length=MOST_TEXT, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
            ),
        ]
        | None
    ) = None


@router.post("/incidents/{id}/callers/{caller}/callback", status_code=201)
def call_back(id: IncidentId, caller: CallerId, body: Answered, service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """Write down how a call went: a contact while the case is at work, or what was answered after it was done."""
    right = "hotline.take" if body.kind == "callback" else "incident.dispose"
    require_right(actor, right)
    with begin(service.writer, actor=actor.name, scenario=actor.scenario) as connection:
        row, _ = held(connection, id)
        if not slice_of(actor).holds(row):
            raise UnknownItem("incident", id)
        told = Contacted(body.kind, body.reached, body.solved, body.satisfied, body.text)
        number = write_contact(connection, id, caller, told, actor=actor.name, now=datetime.now(UTC))
    return JSONResponse({"contact": number}, 201, headers=_PRIVATE)


@router.get("/hotline/callbacks")
def due(
    service: ServiceDep,
    actor: ActorDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DUE)] = 50,
) -> JSONResponse:
    """Callers of cases that are done who were not reached yet, who waits longest first; names and numbers masked."""
    require_right(actor, "hotline.take")
    behind = {} if cursor is None else {"after": _read(cursor)}
    with _seeing(service, actor) as connection:
        found = due_callbacks(
            connection, service.keyring, attempts=service.intake.rates.attempts, limit=limit, **behind
        )  # fmt: skip
    more = _cursor(found[-1]) if len(found) == limit else None
    return JSONResponse({"callbacks": [one.as_json() for one in found], "next": more}, headers=_PRIVATE)


@router.get("/hotline/rates")
def three_rates(
    service: ServiceDep,
    actor: ActorDep,
    from_: Annotated[date, Query(alias="from", description="first day")],
    to: Annotated[date, Query(description="last day")],
    by: By = "department",
) -> JSONResponse:
    """Response, solved and satisfied with numerator, denominator and exclusions; by line, department or town."""
    require_right(actor, "incident.view")
    period_of(from_, to)
    rules = service.intake.rates
    start, end = (datetime.combine(day, time(), CITY_TIME) for day in (from_, to + timedelta(days=1)))
    with _seeing(service, actor) as connection:
        groups = rates(connection, rules, by=by, begin=start, end=end)
    about = {"from": from_.isoformat(), "to": to.isoformat()}
    return JSONResponse({**about, **told_rates(service, by, groups)}, headers=_PRIVATE)


@router.get("/hotline/bulletin")
def weekly(
    service: ServiceDep,
    actor: ActorDep,
    week: Annotated[str, Query(pattern=r"^[0-9]{4}-W[0-9]{2}$", description="a week like 2026-W47")],
) -> JSONResponse:
    """The figures of the bulletin of a week."""
    require_right(actor, "incident.view")
    with _seeing(service, actor) as connection:
        told = bulletin(connection, service.intake.rates, service.rules.departments, week=week)
    return JSONResponse({**told, "exercise": actor.scenario}, headers=_PRIVATE)


@contextmanager
def _seeing(service: Service, actor: Actor) -> Iterator[sa.Connection]:
    """A connection that reads callers, and of incidents those that the actor may see; it changes nothing."""
    with service.writer.connect() as connection:
        seen = acting(connection, slice_of(actor))
        seen.execute(sa.text("set transaction read only"))
        yield seen


def told_rates(service: Service, by: By, groups: Mapping[str | None, Counts]) -> dict[str, Any]:
    """The three rates of each group and of all, and by which rules they were counted."""
    total = Counts()
    for counts in groups.values():
        total.add(counts)
    told = [
        {"key": key, "title": _title(service, by, key), **counts.as_json()}
        for key, counts in sorted(groups.items(), key=lambda item: (item[0] is None, item[0] or ""))
    ]
    return {"by": by, "rules": _laid_down(service.intake.rates), "groups": told, "total": total.as_json()}


def _title(service: Service, by: By, key: str | None) -> dict[str, str] | None:
    if key is None:
        return None
    if by == "line":
        line = service.intake.lines.get(key)
        return None if line is None else line.title._asdict()
    if by == "department":
        departments = service.rules.departments
        return departments.find(key).title._asdict() if key in departments else None
    unit = shipped_register().units.get(key)
    return None if unit is None else {"zh": unit.name, "en": unit.name_en}


def _laid_down(rules: RateRules) -> dict[str, Any]:
    return vars(rules)


def _cursor(last: Due) -> str:
    return base64.urlsafe_b64encode(f"{last.done_at.isoformat()} {last.caller}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, int]:
    try:
        at, caller = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").split(" ")
        moment = datetime.fromisoformat(at)
        number = int(caller)
    except (ValueError, binascii.Error):
        raise BadParameter("cursor", "is none that was given out") from None
    if moment.tzinfo is None or not 0 <= number < 2**63:
        raise BadParameter("cursor", "is none that was given out")
    return moment, number
