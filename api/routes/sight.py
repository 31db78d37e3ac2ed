"""Cameras: which of them see a place, where their pictures are, and stand-ins where the city is made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from api.answers import Match, answered
from api.deps import ActorDep, Lon, ReadDep, ServiceDep
from api.errors import NoPicture
from api.service import Service
from layers.ask.catalogue import SYNTHETIC, summaries
from layers.ask.in_view import in_view
from layers.ask.seen import MOST_CAMERAS, Camera, seen
from layers.errors import UnknownLayer
from layers.people.access import ANYONE, Actor
from layers.spec import ID_PATTERN, Layer
from webmap.still import drawn

router = APIRouter(tags=["video"])
CAMERAS: Final = "video"
BUILDINGS: Final = "building"
NAMED: Final = ("place", "component")
STILL: Final = "/demo/pictures/{id}.svg"
Latitude = Annotated[float, Query(ge=-85, le=85, allow_inf_nan=False)]
CameraId = Annotated[str, Path(pattern=rf"^{ID_PATTERN}$", description="id of a video site")]


@router.get("/sight")
def sight(
    lon: Lon,
    lat: Latitude,
    service: ServiceDep,
    actor: ActorDep,
    connection: ReadDep,
    limit: Annotated[int, Query(ge=1, le=MOST_CAMERAS)] = 20,
    if_none_match: Match = None,
) -> Response:
    """The cameras whose sector holds a point, nearest first, and apart from them those that do not tell their sector.

    `blocked` says whether a building stands in between: by heights where they are recorded, else by its footprint
    (`obstacle.how`); null where nobody knows.
    """
    cameras = service.registry.find(CAMERAS, actor)
    buildings = _visible(service, actor, BUILDINGS)
    found = seen(connection, lon, lat, cameras=cameras, buildings=buildings, limit=limit)
    body = {
        "lon": lon,
        "lat": lat,
        "cameras": [asdict(each) for each in found.cameras],
        "unknown": [_unknown(each) for each in found.unknown],
        "truncated": found.truncated,
    }
    return answered(body, if_none_match)


def _unknown(camera: Camera) -> dict[str, Any]:
    """Nothing can stand between a place and a look of which nobody knows where it goes."""
    told = asdict(camera)
    del told["blocked"], told["obstacle"]
    return told


@router.get("/video")
def links(service: ServiceDep, actor: ActorDep, connection: ReadDep, if_none_match: Match = None) -> Response:
    """The templates under which a camera's picture and stream are found; null where none is configured.

    `synthetic` marks the pictures that this server draws itself where every camera is made up.
    """
    layer = service.registry.find(CAMERAS, actor)
    settings = service.settings
    picture: dict[str, Any] | None = None
    if settings.video_picture_url is not None:
        picture = {"template": settings.video_picture_url, "synthetic": False}
    # A picture is asked for by the browser, which sends no token: what is drawn is what anyone may see.
    elif summaries(connection, [layer])[0].synthetic and _visible(service, ANYONE, CAMERAS):
        picture = {"template": STILL, "synthetic": True}
    stream = settings.video_stream_url
    return answered(
        {"picture": picture, "stream": None if stream is None else {"template": stream, "synthetic": False}},
        if_none_match,
    )


@router.get(STILL, responses={200: {"content": {"image/svg+xml": {}}}})
def still(id: CameraId, service: ServiceDep, actor: ActorDep, connection: ReadDep) -> Response:
    """A drawing of what stands before a made-up camera, and which says so; 404 for a camera that there really is."""
    cameras = service.registry.find(CAMERAS, actor)
    named = [layer for name in NAMED if (layer := _visible(service, actor, name)) is not None]
    view = in_view(connection, id, cameras=cameras, buildings=_visible(service, actor, BUILDINGS), named=named)
    if view.source != SYNTHETIC:
        raise NoPicture("this camera is real: its picture is with the video platform")
    if view.status not in (None, "ON"):
        raise NoPicture(f"this camera gives no picture: its status is {view.status}")
    text = drawn(view, at=dt.datetime.now(dt.UTC))
    return Response(text.encode(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _visible(service: Service, actor: Actor, name: str) -> Layer | None:
    try:
        return service.registry.find(name, actor)
    except UnknownLayer:
        return None
