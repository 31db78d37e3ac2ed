"""What a request to Open311 says: its key, which requests are wanted, what is reported; nothing else is taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from starlette.requests import Request

from layers.codes.admin import shipped_register
from layers.errors import BadParameter
from layers.loop.callers import Contact
from layers.loop.open311 import LINE, MOST_DAYS, MOST_IDS, Asked, Status, attributes_of
from layers.loop.placing import Where
from layers.loop.reports import Report

_MOST_FIELDS: Final = 40
_MOST_CHARACTERS: Final = 8_000
_READ: Final = frozenset({
    "jurisdiction_id", "api_key", "service_code", "lat", "long", "address_string", "description", "first_name",
    "last_name", "phone",
})  # fmt: skip
# Fields of the standard that are taken and not kept: we need no more of who reports, and fetch no addresses of others.
_LEFT: Final = frozenset({"email", "device_id", "account_id", "media_url"})
_ATTRIBUTES: Final = frozenset({"level", "component_id"})
_ASKED: Final = frozenset({
    "jurisdiction_id", "api_key", "service_request_id", "service_code", "start_date", "end_date", "status",
})  # fmt: skip


def check_jurisdiction(fields: Mapping[str, str]) -> None:
    """BadParameter unless the jurisdiction is this city, or none is named: the server has one."""
    city = next(unit.code for unit in shipped_register().units.values() if unit.level == "city")
    named = fields.get("jurisdiction_id")
    if named not in (None, "", city):
        raise BadParameter("jurisdiction_id", f"this is the interface of {city}")


def asked_of(fields: Mapping[str, str], *, now: datetime) -> Asked:
    """Which requests are wanted; the last ninety days where nothing else is said."""
    check_jurisdiction(fields)
    if unknown := sorted(fields.keys() - _ASKED):
        raise BadParameter(unknown[0], "is no parameter of this method")
    ids = _listed(fields, "service_request_id", most=MOST_IDS)
    statuses = _listed(fields, "status", most=2)
    if wrong := [status for status in statuses if status not in ("open", "closed")]:
        raise BadParameter("status", f"{wrong[0]!r} is neither open nor closed")
    begin, end = _period(fields, now)
    codes = _listed(fields, "service_code", most=MOST_IDS)
    return Asked(begin, end, ids, codes, cast("tuple[Status, ...]", statuses))


def _period(fields: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    longest = timedelta(days=MOST_DAYS)
    begin, end = (_moment(fields, name) for name in ("start_date", "end_date"))
    if end is None:
        end = now if begin is None else min(now, begin + longest)
    begin = end - longest if begin is None else begin
    if end < begin and fields.get("end_date"):
        raise BadParameter("end_date", "lies before start_date")
    if end - begin > longest:
        raise BadParameter("start_date", f"the period is longer than {MOST_DAYS} days")
    return begin, end


def _moment(fields: Mapping[str, str], name: str) -> datetime | None:
    text = fields.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadParameter(name, f"{text!r} is not like 2026-11-22T08:00:00Z") from None
    if moment.tzinfo is None:
        raise BadParameter(name, "says no time zone, like Z or +08:00")
    return moment


def _listed(fields: Mapping[str, str], name: str, *, most: int) -> tuple[str, ...]:
    parts = tuple(dict.fromkeys(part.strip() for part in fields.get(name, "").split(",") if part.strip()))
    if len(parts) > most:
        raise BadParameter(name, f"has more than {most} entries")
    return parts


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; BadParameter for files, for a field that comes twice, for too many or too long ones."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise BadParameter("body", "is to be a form (application/x-www-form-urlencoded)")
    fields: dict[str, str] = {}
    async with request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=4 * _MOST_CHARACTERS) as form:
        for name, value in form.multi_items():
            if not isinstance(value, str) or name in fields:
                raise BadParameter(name[:40], "is a file, or comes twice")
            if len(value) > _MOST_CHARACTERS:
                raise BadParameter(name[:40], f"is longer than {_MOST_CHARACTERS:,} characters")
            fields[name] = value
    return fields


def report_of(fields: Mapping[str, str]) -> Report:
    """What is reported; BadParameter names the field that is missing or cannot be taken."""
    check_jurisdiction(fields)
    attributes = attributes_of(fields)
    known = _READ | _LEFT | {f"attribute[{name}]" for name in attributes}
    if unknown := sorted(fields.keys() - known):
        raise BadParameter(unknown[0][:40], "is no field of a request (an address_id is not known here)")
    if strange := sorted(attributes.keys() - _ATTRIBUTES):
        raise BadParameter(f"attribute[{strange[0]}]", "is no attribute of this service")
    code = fields.get("service_code")
    if not code:
        raise BadParameter("service_code", "is missing")
    name = f"{fields.get('last_name', '')}{fields.get('first_name', '')}".strip()
    return Report(
        where=Where(_degrees(fields, "long"), _degrees(fields, "lat"), None, fields.get("address_string") or None),
        channel="public",
        matter=code,
        component=attributes.get("component_id") or None,
        text=fields.get("description") or None,
        level=attributes.get("level") or "general",
        line=LINE,
        contact=Contact(name or None, fields.get("phone") or None, None),
    )


def _degrees(fields: Mapping[str, str], name: str) -> float | None:
    text = fields.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise BadParameter(name, f"{text[:20]!r} is no number of degrees") from None
    if not -180 <= value <= 180:  # also false for what is no number
        raise BadParameter(name, "is no number of degrees")
    return value
