"""Text messages by the city's own gateway: how it is asked is declared in `loop/sms.yaml` of the data folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

from layers.declared import Written, read_declaration
from layers.loop.calling import Answer
from layers.loop.outbox import Outcome
from layers.loop.reading import FOLDER

Form = Literal["json", "form"]
FORMS: Final[tuple[Form, ...]] = ("json", "form")
FILE: Final = "sms.yaml"
_PARTS: Final = frozenset({"{phone}", "{text}"})
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,60}")
_TYPES: Final[Mapping[Form, str]] = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
}


@dataclass(frozen=True)
class Gateway:
    """Where text messages are handed over: the fields of the body hold {phone} and {text}.

    With `success` the JSON that is answered must hold this value in this field; a status of 200 alone will not do then.
    """

    url: str
    form: Form
    headers: Mapping[str, str]
    body: Mapping[str, str]
    success: tuple[str, str] | None = None

    def request(self, *, phone: str, text: str) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of one message."""
        filled = {name: value.replace("{phone}", phone).replace("{text}", text) for name, value in self.body.items()}
        body = json.dumps(filled, ensure_ascii=False) if self.form == "json" else urlencode(filled)
        return body.encode(), {"Content-Type": _TYPES[self.form], **self.headers}

    def outcome(self, answer: Answer) -> Outcome:
        """What became of a message."""
        if answer.status is None:
            return Outcome(None, answer.error)
        if not 200 <= answer.status < 300:
            return Outcome(answer.status, f"answered {answer.status}")
        if self.success is None:
            return Outcome(answer.status)
        return judged(answer, *self.success)


def judged(answer: Answer, field: str, wanted: str) -> Outcome:
    """What became of a call whose JSON says in a field whether it was taken: with this value it was."""
    try:
        told = json.loads(answer.body)
        found = told.get(field) if isinstance(told, dict) else None
    except ValueError:
        found = None
    if str(found) == wanted:
        return Outcome(answer.status)
    return Outcome(answer.status, f"{field} {str(found)[:40]}", refused=True)


def gateway_in(data: Path | None) -> Gateway | None:
    """The gateway that a data folder declares; None where it declares none. BadDeclaration names the line."""
    path = None if data is None else data / FOLDER / FILE
    if path is None or not path.is_file():
        return None
    told = read_declaration(path).section(required=("url", "format", "body"), optional=("headers", "success"))
    success = told["success"].section(required=("field", "value")) if "success" in told else None
    return Gateway(
        url=_address(told["url"]),
        form=told["format"].one_of(FORMS, "format"),
        headers={name: value.text() for name, value in _headers(told.get("headers")).items()},
        body=_body(told["body"]),
        success=None if success is None else (success["field"].text(), success["value"].plain()),
    )


def _address(value: Written) -> str:
    if not value.text().startswith(("https://", "http://")):
        raise value.error("the address of a gateway begins with https://, or http:// within the city's own networks")
    return value.text()


def _headers(value: Written | None) -> dict[str, Written]:
    found = {} if value is None else {key.text(): each for key, each in value.pairs()}
    for name, each in found.items():
        if not _HEADER.fullmatch(name) or not each.text().isascii():
            raise each.error("a header has a plain name and a plain value")
    return found


def _body(value: Written) -> dict[str, str]:
    fields = {key.text(): each.plain() for key, each in value.pairs()}
    parts = {part for text in fields.values() for part in re.findall(r"{[^{}]*}", text)}
    if parts != _PARTS:
        raise value.error("the fields of the body hold {phone} and {text}, and nothing else in braces")
    return fields
