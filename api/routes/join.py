"""Joining with a phone: the address of the grid worker's page, in words and as a QR code for the desk."""

from __future__ import annotations

import io
from ipaddress import ip_address

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.deps import ServiceDep
from api.service import Service

router = APIRouter(tags=["people"])
PHONE_PAGE = "/grid"
_FRESH = {"Cache-Control": "no-cache"}


@router.get("/join")
def joining(request: Request, service: ServiceDep) -> JSONResponse:
    """Where a phone goes; `secure` is false where its page would lack camera, position and offline work.

    `reachable` is false where the address means the machine that asks, so that no phone gets there.
    """
    address = _address(request, service)
    told = {"address": address, "secure": address.startswith("https:"), "reachable": not _is_loopback(address)}
    return JSONResponse(told, headers=_FRESH)


@router.get("/join.svg", response_class=Response)
def joining_code(request: Request, service: ServiceDep) -> Response:
    """The same as a QR code: black on white, in any palette, for cameras to read."""
    drawn = io.BytesIO()
    code = segno.make(_address(request, service), error="m", micro=False)
    code.save(drawn, kind="svg", scale=8, border=4, dark="#000", light="#fff", xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=_FRESH)


def _address(request: Request, service: Service) -> str:
    origin = service.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return origin + PHONE_PAGE


def _is_loopback(address: str) -> bool:
    host = address.split("//")[1].split("/")[0].rsplit(":", 1)[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
