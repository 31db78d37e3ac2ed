"""From a caller's words to a case in one step: the matter, the place, who is responsible, what is known already."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from layers.ask.period import CITY_TIME
from layers.ask.reverse import reverse
from layers.codes.books import book
from layers.loop.answered import RateRules, rate_rules_in
from layers.loop.departments import Departments
from layers.loop.hotline.answers import Answer, find_answers
from layers.loop.hotline.areas import areas_named, strays
from layers.loop.hotline.classify import FILE, FOLDER, Classified, Model, model_in
from layers.loop.hotline.lines import Lines, lines_in
from layers.loop.hotline.places import Said, places_in
from layers.spec import Layer

MOST_CHARACTERS: Final = 2_000
MOST_PLACES: Final = 5
_LONGEST_TITLE: Final = 100
_ENQUIRY_FROM: Final = 0.5
# The first that fits counts; what fits none asks for help.
_APPEALS: Final = (
    ("suggestion", re.compile(r"建议|希望(?:能)?(?:增设|增加|设置)|提个意见")),
    ("report", re.compile(r"举报|偷排|偷倒|无证|违法|没有许可")),
    ("complaint", re.compile(r"投诉|不满意|态度(?:差|不好)|扰民|没人管|乱收费")),
    ("consult", re.compile(r"咨询|请问|想问|怎么办理|什么时候可以|要什么材料|政策")),
)


@dataclass(frozen=True)
class Place:
    """A place that words name, with the areas that it lies in."""

    said: Said
    grid_id: str | None
    admin_code: str | None
    county: str | None

    def as_json(self) -> dict[str, Any]:
        """The place as the draft tells it."""
        return {
            **asdict(self.said.place), "words": self.said.words, "grid_id": self.grid_id, "admin_code": self.admin_code
        }  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """What is suggested for a caller's words; `model` names who classified, None while there is no classifier."""

    title: str
    appeal: str
    appeal_words: str | None
    model: str | None
    classified: Classified
    places: tuple[Place, ...]
    answers: tuple[Answer, ...]

    @property
    def matter(self) -> str | None:
        """The likeliest matter; None where none is known."""
        return self.classified.guesses[0].matter if self.classified.guesses else None

    def as_json(self, *, today: dt.date) -> dict[str, Any]:
        """The draft as the desk reads it."""
        words = book("matter")
        return {
            "title": self.title, "appeal": {"code": self.appeal, "words": self.appeal_words}, "model": self.model,
            "matters": [
                {"matter": one.matter, "zh": words.word(one.matter), "en": words.word(one.matter, "en"),
                 "confidence": round(one.confidence, 3)}
                for one in self.classified.guesses
            ],
            "unsure": self.classified.unsure, "enquiry": round(self.classified.enquiry, 3),
            "places": [place.as_json() for place in self.places],
            "answers": [one.as_json(today) for one in self.answers],
        }  # fmt: skip


class Intake:
    """The desk's tools in one data folder: the lines, and the classifier, which is read again when it was replaced."""

    def __init__(self, data: Path, departments: Departments) -> None:
        self.data = data
        self._departments = departments
        self._held: tuple[tuple[int, int], Model | None] | None = None

    @cached_property
    def lines(self) -> Lines:
        """The lines, by their codes."""
        return lines_in(self.data, departments=self._departments)

    @cached_property
    def rates(self) -> RateRules:
        """What counts in the three rates."""
        return rate_rules_in(self.data)

    def model(self) -> Model | None:
        """The classifier as it is now; None before the first was trained."""
        try:
            stat = (self.data / FOLDER / FILE).stat()
        except FileNotFoundError:
            return None
        version = (stat.st_ino, stat.st_mtime_ns)
        if self._held is None or self._held[0] != version:
            self._held = (version, model_in(self.data / FOLDER))
        return self._held[1]

    def draft(self, connection: sa.Connection, text: str, *, layers: Sequence[Layer], now: dt.datetime) -> Draft:
        """What is suggested for these words; nothing is kept of them."""
        model = self.model()
        found = Classified((), 0.0, unsure=True) if model is None else model.classify(text)
        appeal, words = appeal_of(text)
        if found.enquiry >= _ENQUIRY_FROM:
            appeal = "consult"
        said = places_in(connection, text, layers=layers, limit=2 * MOST_PLACES)
        places = _where_said(connection, text, [_located(connection, one, layers) for one in said])[:MOST_PLACES]
        today = now.astimezone(CITY_TIME).date()
        return Draft(
            title=_title(text, found, places),
            appeal=appeal,
            appeal_words=words,
            model=None if model is None else model.version,
            classified=found,
            places=tuple(places),
            answers=tuple(find_answers(connection, text, today=today, limit=3)),
        )


def appeal_of(text: str) -> tuple[str, str | None]:
    """The kind of appeal (book appeal_kind) by the words that show it, and these; asking for help shows none."""
    for code, pattern in _APPEALS:
        if found := pattern.search(text):
            return code, found[0]
    return "help", None


def _located(connection: sa.Connection, said: Said, layers: Sequence[Layer]) -> Place:
    here = reverse(connection, said.place.lon, said.place.lat, layers=layers)
    town, county = (area.id if area else None for area in (here.town, here.county))
    return Place(said, here.grid.id if here.grid else None, town or county, county)


def _where_said(connection: sa.Connection, text: str, places: Sequence[Place]) -> list[Place]:
    """The places in their order, but those last that lie outside of the counties and towns that the words name."""
    named = areas_named(connection, text)
    return sorted(places, key=lambda place: strays(named, county_code=place.county, town_code=place.admin_code))


def _title(text: str, found: Classified, places: Sequence[Place]) -> str:
    """The place's words and the matter's name; where nothing is known, how the caller began."""
    if not found.guesses or (found.enquiry >= _ENQUIRY_FROM):
        return re.split(r"[。！？!?\n]", text.strip(), maxsplit=1)[0][:_LONGEST_TITLE]
    where = places[0].said.words if places else ""
    return f"{where}{book('matter').word(found.guesses[0].matter)}"[:_LONGEST_TITLE]
