"""Answers of Open311 GeoReport v2: the same facts as JSON or XML, and errors in its own form.

Element names are those of GeoReport v2 (wiki.open311.org/GeoReport_v2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from xml.etree import ElementTree

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.errors import refusal
from gis.errors import GisError
from layers.errors import BadField, BadParameter, LayersError

# What a list is called in XML, and each of its entries.
_ITEMS: Final = {
    "services": "service", "service_requests": "request", "attributes": "attribute", "values": "value",
    "errors": "error",
}  # fmt: skip
_MEDIA: Final = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
Facts = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def told(
    name: str, facts: Facts, form: str, *, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS
) -> Response:
    """The answer: in XML within an element of this name, in JSON as it is."""
    if form == "xml":
        root = ElementTree.Element(name)
        _fill(root, name, facts)
        text = ElementTree.tostring(root, encoding="unicode")
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
    else:
        body = json.dumps(facts, ensure_ascii=False)
    kept = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers}
    return Response(body.encode("utf-8", "replace"), status, kept, _MEDIA.get(form, _MEDIA["json"]))


def _fill(parent: ElementTree.Element, name: str, facts: Any) -> None:
    if isinstance(facts, Mapping):
        for key, value in facts.items():
            _fill(ElementTree.SubElement(parent, key), key, value)
    elif isinstance(facts, list | tuple):
        for one in facts:
            _fill(ElementTree.SubElement(parent, _ITEMS[name]), _ITEMS[name], one)
    elif facts is not None:
        parent.text = str(facts).lower() if isinstance(facts, bool) else _NOT_XML.sub("?", str(facts))


class GeoReportRoute(APIRoute):
    """A route whose refusals are told in the form of the standard: code and description."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its refusals."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            form = "xml" if request.url.path.endswith(".xml") else "json"
            try:
                return await handle(request)
            except (LayersError, GisError) as error:
                status, body, headers = refusal(error)
                # A missing or wrong key is 403 in the standard, what cannot be understood 400.
                status = 403 if status == 401 else 400 if isinstance(error, BadField | BadParameter) else status
                kept = {name: value for name, value in headers.items() if name != "WWW-Authenticate"}
                return failed(status, body["detail"], form, headers=kept)
            except RequestValidationError:
                return failed(404, "there is no such resource", form)
            except HTTPException as error:
                return failed(error.status_code, str(error.detail), form)

        return handled


def failed(status: int, description: str, form: str, *, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """An error: one code with its description, in a list."""
    return told("errors", [{"code": status, "description": description}], form, status=status, headers=headers)
