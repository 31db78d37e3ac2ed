"""The map on paper: what someone sees, drawn here with their rights on a sheet that says whose and of when it is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.concurrency import run_in_threadpool

from api.deps import HolderDep, ServiceDep, reading
from api.inside import fetched
from api.key_figures import key_figures
from api.presses import Presses
from api.routes.basemap import BasemapDep
from api.service import Service
from layers.ask.catalogue import Summary, summaries
from layers.people.holders import Holder
from layers.rasters import Stored
from layers.spec import Title
from layers.store.basemap import Basemap
from webmap.printing import paper
from webmap.printing.png import png
from webmap.printing.press import View
from webmap.printing.scale import LARGEST, SMALLEST, Frame, fitted, framed
from webmap.printing.style import Printable, printable

router = APIRouter(tags=["print"])
_CITY_TIME = ZoneInfo("Asia/Shanghai")
_INCH_MM = 25.4
_TYPES = {"pdf": "application/pdf", "png": "image/png"}

_Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
# What breaks lines or is no letter cannot be set in one line.
_OneLine = AfterValidator(lambda text: re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text))
_Line = Annotated[str, StringConstraints(max_length=200), _OneLine]
_Lon = Annotated[float, Field(ge=-180, le=180)]
_Lat = Annotated[float, Field(ge=-85, le=85)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class RowOrder(_Strict):
    """A row of the legend."""

    label: _Line
    colour: _Colour
    shape: paper.Shape


class RampOrder(_Strict):
    """Colours over values; with `steps` each stands for a class that begins at its tick."""

    colours: list[_Colour] = Field(min_length=2, max_length=20)
    ticks: list[_Line] = Field(max_length=20)
    steps: bool = False


class SectionOrder(_Strict):
    """A part of the legend."""

    title: _Line
    unit: _Line = ""
    rows: list[RowOrder] = Field([], max_length=200)
    ramp: RampOrder | None = None


class PrintOrder(_Strict):
    """What is printed: a style of our own tiles, where, how large, and the words around it.

    The map shows `bounds` (west, south, east, north) at a round scale, or 1:`scale` around `lon`, `lat`; `zoom` is that
    at which it was seen, which decides what is drawn. `indicators` are told of the whole city, as they are now.
    """

    style: dict[str, Any]
    title: _Line
    subtitle: Annotated[str, StringConstraints(max_length=500), _OneLine] = ""
    lang: Literal["zh", "en"] = "zh"
    orientation: Literal["portrait", "landscape"] = "landscape"
    dpi: int = Field(200, ge=50, le=300)
    zoom: float = Field(ge=0, le=24)
    bounds: tuple[_Lon, _Lat, _Lon, _Lat] | None = None
    lon: _Lon | None = None
    lat: _Lat | None = None
    scale: float | None = Field(None, ge=LARGEST, le=SMALLEST)
    legend: list[SectionOrder] = Field([], max_length=40)
    indicators: list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]] = Field([], max_length=12)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.bounds is not None and (self.bounds[0] > self.bounds[2] or self.bounds[1] > self.bounds[3]):
            raise ValueError("bounds are west, south, east, north")
        if self.bounds is None and None in (self.lon, self.lat, self.scale):
            raise ValueError("give either bounds, or lon, lat and scale")
        if self.scale is not None and None in (self.lon, self.lat):
            raise ValueError("a scale needs lon and lat")
        return self


@router.post(
    "/print",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}, "image/png": {}}, "description": "the sheet, A4"},
        400: {"description": "the style names something that is not drawn here"},
        501: {"description": "this machine lacks a library or a typeface; the text says which"},
        503: {"description": "too many maps are being drawn; Retry-After says when to ask again"},
    },
)
async def print_map(
    order: PrintOrder,
    request: Request,
    service: ServiceDep,
    holder: HolderDep,
    basemap: BasemapDep,
    format: Literal["png", "pdf"] = "pdf",
) -> Response:
    """A4 with title, map, legend, scale, north arrow, dates, source, approval number and, where it holds, the badge."""
    presses: Presses = request.app.state.presses
    face = await run_in_threadpool(lambda: presses.face)
    plan = await run_in_threadpool(printable, order.style, font=face.path)
    at = dt.datetime.now(_CITY_TIME)
    sheet = await _sheet(order, service, holder, plan, basemap, at)
    area = paper.map_area(sheet, face)
    frame = _frame(order, area)
    view = _view(frame, area, order.dpi)
    app = request.app.state.answering

    async def fetch(path: str) -> tuple[int, bytes]:
        return await fetched(app, path, request.scope)

    picture = await presses.draw(plan.style, view, fetch, receive=request.receive)
    drawn = list(paper.marks(sheet, area, frame.scale, face))
    if format == "pdf":
        from webmap.printing.pdf import pdf  # only who asks for paper pays for its library

        made = await run_in_threadpool(pdf, sheet, picture, area, drawn, face=face, at=at)
    else:
        made = await run_in_threadpool(png, sheet, picture, area, drawn, face=face, dpi=order.dpi)
    named = f'attachment; filename="chengtu-{at:%Y%m%d-%H%M}.{format}"'
    headers = {"Content-Disposition": named, "Cache-Control": "no-store"}
    return Response(made, media_type=_TYPES[format], headers=headers)


async def _sheet(
    order: PrintOrder, service: Service, holder: Holder, plan: Printable, basemap: Basemap | None, at: dt.datetime
) -> paper.Sheet:
    """What is on the paper; UnknownLayer, UnknownRaster and UnknownIndicator for what the actor may not know of."""
    actor = holder.actor
    layers = await run_in_threadpool(lambda: [service.registry.find(name, actor) for name in sorted(plan.layers)])
    rasters = [service.rasters.find(name, actor) for name in sorted(plan.rasters)]
    async with reading(service, actor) as connection:
        held = await run_in_threadpool(summaries, connection, layers)
        keyed = await run_in_threadpool(key_figures, connection, service, actor, order.indicators, lang=order.lang)
    base = basemap if plan.basemap else None
    invented = any(s.synthetic for s in held) or any(stored.raster.synthetic for stored in rasters)
    return paper.Sheet(
        title=order.title or _titled(service, order.lang),
        subtitle=order.subtitle,
        lang=order.lang,
        landscape=order.orientation == "landscape",
        legend=(*keyed.sections, *(_section(section) for section in order.legend)),
        notes=tuple(_notes(order.lang, service, held, rasters, base, at)),
        synthetic=invented or keyed.synthetic,
        exercise=None if holder.exercise is None else holder.exercise.title,
    )


def _titled(service: Service, lang: Literal["zh", "en"]) -> str:
    return service.city.title_zh if lang == "zh" else service.city.title_en


def _section(section: SectionOrder) -> paper.Section:
    rows = tuple(paper.Row(row.label, row.colour, row.shape) for row in section.rows)
    given = section.ramp
    ramp = None if given is None else paper.Ramp(tuple(given.colours), tuple(given.ticks), given.steps)
    return paper.Section(section.title, section.unit, rows, ramp)


def _notes(
    lang: Literal["zh", "en"],
    service: Service,
    held: list[Summary],
    rasters: list[Stored],
    base: Basemap | None,
    at: dt.datetime,
) -> Iterator[str]:
    """Whose map this is, under which number, and of when."""
    words, settings = paper.WORDS[lang], service.settings
    sources = [settings.attribution_zh if lang == "zh" else settings.attribution_en]
    sources += [_in(lang, stored.raster.attribution) for stored in rasters]
    sources += [] if base is None else [_in(lang, base.attribution)]
    yield words["source"].format(text=" · ".join(dict.fromkeys(filter(None, sources))))
    approvals = [settings.map_approval, None if base is None else base.approval]
    if told := [approval for approval in approvals if approval]:
        yield words["approval"].format(text=" · ".join(told))
    times = [words["printed"].format(at=f"{at:%Y-%m-%d %H:%M}")]
    if updated := [s.updated for s in held if s.updated is not None]:
        times.insert(0, words["updated"].format(at=f"{max(updated).astimezone(_CITY_TIME):%Y-%m-%d %H:%M}"))
    yield "  ".join(times)


def _in(lang: Literal["zh", "en"], title: Title) -> str:
    return title.zh if lang == "zh" else title.en


def _frame(order: PrintOrder, area: paper.Area) -> Frame:
    if order.scale is not None and order.lon is not None and order.lat is not None:
        return framed(order.lon, order.lat, scale=order.scale, seen_at=order.zoom)
    assert order.bounds is not None
    return fitted(order.bounds, width_mm=area[2], height_mm=area[3], seen_at=order.zoom)


def _view(frame: Frame, area: paper.Area, dpi: int) -> View:
    width, height = (max(1, round(side / frame.pixel_mm)) for side in area[2:])
    return View(frame.lon, frame.lat, frame.zoom, width, height, frame.pixel_mm * dpi / _INCH_MM)
