"""The planner's questions: asked, answered, paged through and exported."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, BinaryIO, Final
from urllib.parse import quote

import geopandas as gpd
import shapely
import sqlalchemy as sa
from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.deps import ActorDep, Lang, ReadDep, ServiceDep
from api.errors import TooBusy
from api.service import Service
from layers.ask.earlier import earlier
from layers.ask.kept import as_json
from layers.ask.question.asked import Question
from layers.ask.question.cql2 import as_cql2
from layers.ask.question.errors import GivenUp, UnknownResult
from layers.ask.question.records import outlines
from layers.ask.question.wanted import Find, FindResult
from layers.ask.results import ID_PATTERN, Kept
from layers.ask.summary import Summary, summary
from layers.errors import UnknownLayer
from layers.export.formats import FORMATS, Format
from layers.export.sheet import Sheet, of_exercise
from layers.export.values import rows, shapes
from layers.people.access import Actor
from layers.people.scope import slice_of
from layers.spec import Layer, Title
from layers.words import book_of

router = APIRouter(tags=["query"])
MOST_ON_A_PAGE: Final = 1_000
WAIT_S: Final = 5.0
CANCEL_AGAIN_S: Final = 0.2
CHUNK: Final = 256 * 1024


def _page(sheet: Sheet, path: Path, **how: Any) -> None:
    from webmap import page  # only who asks for a map of folium pays for it

    page.write(sheet, path, **how)


HTML: Final = Format("html", ".html", "text/html; charset=utf-8", _page)
EXPORTS: Final = MappingProxyType({**FORMATS, HTML.name: HTML})
ResultId = Annotated[str, InPath(pattern=f"^{ID_PATTERN}$", description="id of a result")]


async def turn(service: ServiceDep) -> AsyncIterator[None]:
    """A turn among the few questions that are worked on at once; TooBusy when it does not come soon."""
    try:
        async with asyncio.timeout(WAIT_S):
            await service.questions.acquire()
    except TimeoutError:
        raise TooBusy("too many questions are being worked on; try again shortly") from None
    try:
        yield
    finally:
        service.questions.release()


# Waited for before a connection is taken, since parameters are resolved in order; given back before the answer is sent.
Turn = Annotated[None, Depends(turn, scope="function")]


@router.post("/query")
async def ask(
    request: Request,
    question: Annotated[Question, Body()],
    service: ServiceDep,
    actor: ActorDep,
    _: Turn,
    connection: ReadDep,
) -> JSONResponse:
    """Answer a question; the result is kept for a day."""
    async with cancelled_without(request, connection) as between:
        kept = await run_in_threadpool(answered, service, actor, question, connection, between=between)
        return JSONResponse(
            await run_in_threadpool(page_of, kept, 0, MOST_ON_A_PAGE), headers={"Cache-Control": "no-store"}
        )


@router.post("/query/plan")
async def plan(
    request: Request,
    question: Annotated[Question, Body()],
    service: ServiceDep,
    actor: ActorDep,
    _: Turn,
    connection: ReadDep,
) -> JSONResponse:
    """What a question would ask: in words, as canonical JSON, as CQL2 where that can say it; nothing is run.

    `estimate` is about how many records it is about, by the database's statistics; `items` the same records for an OGC
    client, where a filter can name them.
    """
    async with cancelled_without(request, connection):
        body = await run_in_threadpool(_planned, service, actor, question, connection)
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _planned(service: Service, actor: Actor, question: Question, connection: sa.Connection) -> dict[str, Any]:
    ready, estimate = service.desk.plan(connection, question, *known_to(service, actor))
    records = ready.records
    said = None if records is None else as_cql2(records)
    items = None
    if records is not None and said is not None and question.ask == "select":
        wanted = f"?filter={quote(said[0], safe='')}" if said[0] else ""
        items = f"/ogc/collections/{records.layer.name}/items{wanted}"
    return {
        "title": ready.title._asdict(),
        "statement": ready.statement._asdict(),
        "asked": ready.asked,
        "layers": sorted({layer.name for layer in ready.layers}),
        "layer": None if records is None else records.layer.name,
        "cql2": None if said is None else {"text": said[0], "json": said[1]},
        "estimate": estimate,
        "items": items,
    }


@router.get("/query/results/{id}/summary")
def in_short(id: ResultId, service: ServiceDep, actor: ActorDep, _: Turn) -> JSONResponse:
    """A kept result in short: its rows by key, at most 5,000, with what is measured of each, and its classes."""
    kept = found_result(service, actor, id)
    return JSONResponse(as_json(shortened(service, actor, kept)), headers={"Cache-Control": "private, no-cache"})


@router.get("/query/results/{id}.{format}", response_class=StreamingResponse)
def export(
    id: ResultId,
    format: Annotated[str, InPath(pattern=f"^({'|'.join(EXPORTS)})$")],
    service: ServiceDep,
    actor: ActorDep,
    _: Turn,
    lang: Lang = "zh",
) -> StreamingResponse:
    """A kept result as a file; `lang` is the language of its name and of the page."""
    kept, wanted = found_result(service, actor, id), EXPORTS[format]
    write = partial(_page, context=_outlines(service, actor), lang=lang) if wanted is HTML else wanted.write
    file = written(partial(write, kept.sheet), service.results.scratch(wanted.name))
    title = f"{kept.sheet.title.zh if lang == 'zh' else kept.sheet.title.en} {kept.sheet.made_at:%Y-%m-%d}"
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": attached(f"{id}{wanted.suffix}", title + wanted.suffix),
    }
    return StreamingResponse(chunks(file), media_type=wanted.media_type, headers=headers)


def attached(plain: str, name: str) -> str:
    """The head that makes a file of an answer; `plain` is for programs that do not know RFC 5987, nor Chinese names."""
    return f"attachment; filename=\"{plain}\"; filename*=utf-8''{quote(name.translate(_IN_NAMES), safe='')}"


# What separates folders, drives or words in the names of files.
_IN_NAMES: Final = str.maketrans({"：": "-", ":": "-", "/": "-", "\\": "-", " ": "_"})


def written(write: Callable[[Path], None], path: Path) -> BinaryIO:
    """What is written to a path, as an open file that has no name any more: it goes when it is closed."""
    try:
        write(path)
        return path.open("rb")
    finally:
        path.unlink(missing_ok=True)


def _outlines(service: Service, actor: Actor) -> gpd.GeoDataFrame | None:
    """The counties, so that a map shows where it is without any base map; None to those who may not see them."""
    counties = next((layer for layer in service.registry.visible(actor) if layer.name == "county"), None)
    if counties is None:
        return None
    with service.lookups.connect() as connection:
        return outlines(connection, counties)


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file, which is then closed."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


@router.get("/query/results/{id}")
def read(
    id: ResultId,
    service: ServiceDep,
    actor: ActorDep,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = MOST_ON_A_PAGE,
) -> JSONResponse:
    """A page of a kept result."""
    kept = found_result(service, actor, id)
    return JSONResponse(page_of(kept, offset, limit), headers={"Cache-Control": "private, no-cache"})


def known_to(service: Service, actor: Actor) -> tuple[Find, FindResult]:
    """How questions of this actor find layers, and earlier results."""

    def find(name: str) -> Layer:
        return service.registry.find(name, actor)

    return find, lambda id: earlier(found_result(service, actor, id))


def shortened(service: Service, actor: Actor, kept: Kept) -> Summary:
    """A kept result in short, by the classes of the layer whose records it holds."""
    name = kept.asked.get("layer")
    return summary(kept, None if name is None else service.registry.find(name, actor))


def answered(
    service: Service, actor: Actor, question: Question, connection: sa.Connection, *, between: Callable[[], None]
) -> Kept:
    """The answer to a question, kept for a day; `between` is called between its long steps and may end it."""
    answer = service.desk.answer(connection, question, *known_to(service, actor), between=between)
    credit = Title(service.settings.attribution_zh, service.settings.attribution_en)
    scoped = any(service.registry.find(name, actor).scoped for name in answer.layers)
    owner = _owner(actor) if scoped else None
    sheet = of_exercise(replace(answer.sheet, attribution=credit), actor.scenario)
    return service.results.keep(replace(answer, sheet=sheet), owner=owner)


def found_result(service: Service, actor: Actor, id: str) -> Kept:
    """The kept result, as long as the actor may know of every layer that it tells of; UnknownResult otherwise.

    What tells of scoped layers belongs to who asked, as long as their scope is what it was.
    """
    kept = service.results.find(id)
    if kept.owner is not None and kept.owner != _owner(actor):
        raise UnknownResult(id)
    try:
        for name in kept.layers:
            service.registry.find(name, actor)
    except UnknownLayer:
        raise UnknownResult(id) from None
    return kept


def _owner(actor: Actor) -> str:
    return f"{actor.name} {slice_of(actor).digest}"


def page_of(kept: Kept, offset: int, limit: int) -> dict[str, Any]:
    """One page of a result as JSON."""
    sheet = kept.sheet
    frame = kept.page(offset, limit)
    names = [column.name for column in sheet.columns]
    records: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows(frame, sheet.columns)]
    end = offset + len(records)
    said = {
        "id": kept.id,
        "title": sheet.title._asdict(),
        "statement": sheet.statement._asdict(),
        "asked": kept.asked,
        "count": sheet.rows,
        "truncated": sheet.truncated,
        "synthetic": sheet.synthetic,
        "attribution": sheet.attribution and sheet.attribution._asdict(),
        "madeAt": sheet.made_at,
        "bounds": kept.bounds,
        "columns": _columns(kept, records),
        "exports": {name: f"/query/results/{kept.id}.{name}" for name in EXPORTS},
        "offset": offset,
        "next": f"/query/results/{kept.id}?offset={end}&limit={limit}" if end < sheet.rows and records else None,
    }
    encoded: dict[str, Any] = jsonable_encoder(said)
    if not sheet.spatial:
        return {**encoded, "rows": jsonable_encoder(records)}
    drawn = [None if shape is None else shapely.geometry.mapping(shape) for shape in shapes(frame)]
    features = [
        {"type": "Feature", **({"id": record["id"]} if record.get("id") else {}), "geometry": geometry,
         "properties": jsonable_encoder(record)}
        for record, geometry in zip(records, drawn, strict=True)
    ]  # fmt: skip
    return {**encoded, "features": {"type": "FeatureCollection", "features": features}}


def _columns(kept: Kept, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns, and of codes the words of those that the page holds."""
    told = []
    for column in kept.sheet.columns:
        said: dict[str, Any] = {
            "name": column.name, "title": column.title._asdict(), "kind": column.kind, "unit": column.unit,
        }  # fmt: skip
        if column.book is not None:
            labels = book_of(column.book).labels()
            here = {str(record[column.name]) for record in records if record[column.name] is not None}
            said["words"] = {code: labels[code] for code in sorted(here) if code in labels}
        told.append(said)
    return told


@asynccontextmanager
async def cancelled_without(request: Request, connection: sa.Connection) -> AsyncIterator[Callable[[], None]]:
    """While this runs, a client that leaves has its statement cancelled in the database.

    What is handed out is to be called between steps that the database does not do: GivenUp when the client has left.
    """
    left = threading.Event()

    def between() -> None:
        if left.is_set():
            raise GivenUp

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left.set()
        driver: Any = connection.connection.driver_connection
        while True:  # a question may have several statements
            await run_in_threadpool(driver.cancel)
            await asyncio.sleep(CANCEL_AGAIN_S)

    watching = asyncio.create_task(watch())
    try:
        yield between
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
