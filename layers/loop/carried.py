"""What comes with a report or a step, checked: texts, reasons, times, and whether a step carries what its rule asks."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, fields
from typing import Any, Final

from layers.ask.period import CITY_TIME
from layers.codes.books import book
from layers.errors import BadField
from layers.loop.matters import matter_of
from layers.loop.states import FINDINGS, NEEDS, Need, Rule

MOST_NOTE: Final = 2000
MOST_TITLE: Final = 100
MOST_ADDRESS: Final = 256
MOST_CO: Final = 8
MOST_PHOTOS: Final = 12
LONGEST: Final = dt.timedelta(days=366)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
# They make a text read otherwise than it is written: embeddings, overrides and isolates of direction.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Carried:
    """What a step brings along; what its rule does not know is refused. Times have a zone, places are lon, lat."""

    note: str | None = None
    photos: tuple[str, ...] = ()
    reason: str | None = None
    finding: str | None = None
    until: dt.datetime | None = None
    lead: str | None = None
    co: tuple[str, ...] | None = None
    assignee: str | None = None
    into: str | None = None
    place: tuple[float, float] | None = None
    matter: str | None = None
    level: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What is kept with the step, beside its note."""
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "note"}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        until = {"until": self.until.isoformat()} if self.until is not None else {}
        return {name: value for name, value in plain.items() if value not in (None, [])} | until


def text_of(name: str, text: str, *, most: int, lines: bool = True) -> str:
    """A text as it was given, without white space around it; BadField when it is empty, too long or not printable."""
    clean = text.strip() if len(text) <= 4 * most else text
    allowed = "\n\t" if lines else ""
    if not clean:
        raise BadField({name: "a value is needed"}).because("text_empty")
    if len(clean) > most:
        raise BadField({name: f"is longer than {most} characters"}).because("text_long", most=most)
    if any((unicodedata.category(c) in ("Cc", "Cs") and c not in allowed) or c in _TURNING for c in clean):
        raise BadField({name: "holds control characters"}).because("text_control")
    return clean


def code_of(name: str, text: str) -> str:
    """A code or a login name in plain letters; BadField otherwise."""
    if not _CODE.fullmatch(text):
        raise BadField({name: "is no code: 1 to 64 letters, digits, . _ @ -"}).because("no_code")
    return text


def checked(rule: Rule, carried: Carried, *, now: dt.datetime) -> Carried:
    """The same, cleaned, if it is what the rule asks; BadField names what lacks, what is wrong or not taken."""
    known = {*rule.needs, *rule.takes}
    _refuse_strange(rule, carried, known)
    clean = _cleaned(rule, carried, now=now)
    lacking = [need for need in rule.needs if not _has(clean, need)]
    if lacking:
        told = {str(need): f"{rule.step} carries {NEEDS[need].en}" for need in lacking}
        zh, en = ("、".join(NEEDS[need].zh for need in lacking), ", ".join(NEEDS[need].en for need in lacking))
        raise BadField(told).because("step_lacks", zh=zh, en=en)
    return clean


def _refuse_strange(rule: Rule, carried: Carried, known: set[Need]) -> None:
    given = {field.name for field in fields(carried) if getattr(carried, field.name) not in (None, ())}
    taken = set(known)
    names = {("photo" if name == "photos" else name): name for name in given}
    fine = {"note", "photo"} if "proof" in taken else set()
    strange = sorted(names[name] for name in names.keys() - taken - fine)
    if strange:
        told = dict.fromkeys(strange, f"is nothing that {rule.step} carries")
        raise BadField(told).because("step_strange", name=strange[0])


def _has(carried: Carried, need: Need) -> bool:
    if need == "proof":
        return carried.note is not None or bool(carried.photos)
    return bool(carried.photos) if need == "photo" else getattr(carried, need) is not None


def _cleaned(rule: Rule, carried: Carried, *, now: dt.datetime) -> Carried:
    if carried.reason is not None and carried.reason not in rule.reasons:
        raise BadField({"reason": f"one of {', '.join(rule.reasons)}"}).because("reason_unknown")
    if carried.finding is not None and carried.finding not in FINDINGS:
        raise BadField({"finding": f"one of {', '.join(FINDINGS)}"}).because("finding_unknown")
    until = carried.until
    if until is not None and (until.tzinfo is None or not now < until <= now + LONGEST):
        raise BadField({"until": "a time with its zone, ahead of now by a year at most"}).because("until_wrong")
    if len(carried.photos) > MOST_PHOTOS or len(set(carried.photos)) < len(carried.photos):
        raise BadField({"photos": f"at most {MOST_PHOTOS}, each once"}).because("photos_many", most=MOST_PHOTOS)
    co = None if carried.co is None else tuple(dict.fromkeys(code_of("co", code) for code in carried.co))
    if co is not None and len(co) > MOST_CO:
        raise BadField({"co": f"at most {MOST_CO}"}).because("co_many", most=MOST_CO)
    note = carried.note
    return Carried(
        note=None if note is None or not note.strip() else text_of("note", note, most=MOST_NOTE),
        photos=carried.photos,
        reason=carried.reason,
        finding=carried.finding,
        until=until,
        lead=None if carried.lead is None else code_of("lead", carried.lead),
        co=co,
        assignee=None if carried.assignee is None else code_of("assignee", carried.assignee),
        into=None if carried.into is None else code_of("into", carried.into),
        place=_place_of(carried.place),
        matter=None if carried.matter is None else matter_of(carried.matter, on=now.astimezone(CITY_TIME).date()),
        level=None if carried.level is None else coded("level", carried.level, "incident_level"),
    )


def coded(name: str, code: str, named: str) -> str:
    """A code of one of the loop's books; BadField otherwise."""
    if code not in book(named):
        raise BadField({name: f"one of {', '.join(book(named).codes)}"}).because("code_unknown", name=name)
    return code


def _place_of(place: tuple[float, float] | None) -> tuple[float, float] | None:
    if place is not None and not (abs(place[0]) <= 180 and abs(place[1]) <= 85):
        raise BadField({"place": "is no longitude and latitude"}).because("no_place")
    return place
