"""The knowledge base: what callers are told, with the document where it stands and the day it is looked at again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from layers.errors import BadField, Conflict, LayersError, Stale
from layers.loop.departments import Departments
from layers.loop.hotline.tables import ANSWER
from layers.terms import fold

MOST_ANSWERS: Final = 5_000
MOST_LISTED: Final = 100
_CANDIDATES: Final = 200
_LEAST_SCORE: Final = 0.3
_UNKNOWN: Final = 0.05  # callers tell a story: words that no answer holds say little against those that fit
_OF_ANSWER: Final = 0.4  # a word that only the answer holds says less than one of the question
# What every question holds says nothing about which it is.
_FILLERS: Final = (
    *("请问一下", "想问一下", "我想问", "请问", "想问", "你好", "您好", "怎么样", "怎么办", "怎么", "如何", "什么"),
    *("哪里", "可以", "需要", "能不能", "吗", "呢", "的", "了", "我", "要", "是", "有"),
)


class UnknownAnswer(LayersError):
    """No answer has this number."""

    def __init__(self, id: int) -> None:
        super().__init__(f"there is no answer {id}")
        self.id = id


@dataclass(frozen=True)
class Wording:
    """What somebody writes: the answer, its source (title, number, date, link), whose it is, until when it holds."""

    question: str
    answer: str
    source: str
    department: str
    review_on: dt.date
    keywords: tuple[str, ...] = ()
    number: str | None = None
    dated: dt.date | None = None
    link: str | None = None
    valid_until: dt.date | None = None
    synthetic: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer of the knowledge base; `score` (0 to 1) says how well it fits where something was asked."""

    id: int
    wording: Wording
    version: int
    actor: str
    at: dt.datetime
    score: float | None = None

    def as_json(self, today: dt.date) -> dict[str, Any]:
        """The answer as the routes tell it; `expired` and `due` (for review) by that day."""
        told = asdict(self.wording)
        dates = {name: value.isoformat() for name, value in told.items() if isinstance(value, dt.date)}
        until, score = self.wording.valid_until, self.score
        return {
            "id": self.id, **told, **dates, "keywords": list(self.wording.keywords), "version": self.version,
            "at": self.at.isoformat(), "expired": until is not None and until < today,
            "due": self.wording.review_on <= today, "score": None if score is None else round(score, 3),
        }  # fmt: skip


def find_answers(
    connection: sa.Connection, q: str, *, today: dt.date, limit: int = 5, expired: bool = False
) -> list[Answer]:
    """The answers that fit a question best, by the pairs and triples of characters they share with it; valid ones only.

    `expired` lets those through whose time is over.
    """
    asked = _grams(_bare(q))
    if not asked:
        return []
    table = ANSWER
    # The GIN index finds those that share anything, their number of shared grams chooses the two hundred to look at.
    shared = sa.func.cardinality(
        sa.func.array(
            sa.select(sa.func.unnest(table.c.grams))
            .intersect(sa.select(sa.func.unnest(_texts(asked))))
            .scalar_subquery()
        )
    )
    query = sa.select(*table.c).where(table.c.grams.overlap(_texts(asked)))
    if not expired:
        query = query.where(sa.or_(table.c.valid_until.is_(None), table.c.valid_until >= today))
    rows = connection.execute(query.order_by(shared.desc(), table.c.id).limit(_CANDIDATES))
    texts = [(row, _Texts(_grams(" ".join((row.question, *row.keywords))), _grams(row.answer))) for row in rows]
    every = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    weights = _weights(asked, [text for _, text in texts], every)
    found = [_answer(row, score) for row, text in texts if (score := _score(weights, text)) >= _LEAST_SCORE]
    return sorted(found, key=lambda one: (-(one.score or 0), one.id))[:limit]


def listed(
    connection: sa.Connection, *, department: str | None = None, due_by: dt.date | None = None, after: int = 0
) -> list[Answer]:
    """Up to a hundred answers behind a number, of a department, or those to be looked at again by a day."""
    table = ANSWER
    query = sa.select(*table.c).where(table.c.id > after)
    if department is not None:
        query = query.where(table.c.department == department)
    if due_by is not None:
        query = query.where(table.c.review_on <= due_by)
    return [_answer(row) for row in connection.execute(query.order_by(table.c.id).limit(MOST_LISTED))]


def answer(connection: sa.Connection, id: int) -> Answer:
    """The one of this number; UnknownAnswer when there is none."""
    row = connection.execute(sa.select(*ANSWER.c).where(ANSWER.c.id == id)).first()
    if row is None:
        raise UnknownAnswer(id)
    return _answer(row)


def add_answer(connection: sa.Connection, wording: Wording, *, departments: Departments, actor: str) -> Answer:
    """A new answer; BadField for a department that there is not, Conflict when there are five thousand."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("answer"))))
    if (connection.scalar(sa.select(sa.func.count()).select_from(ANSWER)) or 0) >= MOST_ANSWERS:
        raise Conflict(f"there are {MOST_ANSWERS:,} answers").because("answers_full", most=MOST_ANSWERS)
    values = {**_values(wording, departments), "actor": actor}
    return _answer(connection.execute(sa.insert(ANSWER).values(values).returning(*ANSWER.c)).one())


def change_answer(
    connection: sa.Connection, id: int, wording: Wording, *, version: int, departments: Departments, actor: str
) -> Answer:
    """Put other words in the place of version `version`; Stale when somebody else was quicker, UnknownAnswer."""
    held = connection.execute(sa.select(ANSWER.c.version).where(ANSWER.c.id == id).with_for_update()).scalar()
    if held is None:
        raise UnknownAnswer(id)
    if held != version:
        raise Stale(str(held))
    values = {
        **_values(wording, departments), "actor": actor, "version": version + 1, "at": sa.func.clock_timestamp()
    }  # fmt: skip
    changed = sa.update(ANSWER).where(ANSWER.c.id == id).values(values).returning(*ANSWER.c)
    return _answer(connection.execute(changed).one())


def remove_answer(connection: sa.Connection, id: int) -> None:
    """Take an answer away; UnknownAnswer when there is none."""
    if connection.execute(sa.delete(ANSWER).where(ANSWER.c.id == id)).rowcount == 0:
        raise UnknownAnswer(id)


def _values(wording: Wording, departments: Departments) -> dict[str, Any]:
    if wording.department not in departments:
        told = {"department": f"there is no department {wording.department!r}"}
        raise BadField(told).because("department_unknown", code=wording.department)
    if wording.valid_until is not None and wording.dated is not None and wording.valid_until < wording.dated:
        raise BadField({"valid_until": "lies before the date of the document"}).because("valid_before")
    grams = _grams(" ".join((wording.question, *wording.keywords, wording.answer)))
    return {**asdict(wording), "keywords": list(wording.keywords), "grams": sorted(grams)}


def _answer(row: sa.Row[Any], score: float | None = None) -> Answer:
    told = {name: row._mapping[name] for name in (one.name for one in fields(Wording))}
    wording = Wording(**{**told, "keywords": tuple(row.keywords)})
    return Answer(row.id, wording, row.version, row.actor, row.at, score)


class _Texts(NamedTuple):
    """The grams of an answer: of its question and keywords, and of what it tells."""

    own: Mapping[str, float]
    told: Mapping[str, float]


def _weights(asked: Mapping[str, float], texts: Sequence[_Texts], every: int) -> dict[str, float]:
    """What each gram that was asked says: the rarer among the answers the more, but little when none holds it."""
    weights = {}
    for gram, weight in asked.items():
        holding = sum(gram in text.own or gram in text.told for text in texts)
        rarity = math.log((every + 1) / max(holding, 1)) + 0.1
        weights[gram] = weight * rarity * (1 if holding else _UNKNOWN)
    return weights


def _score(weights: Mapping[str, float], text: _Texts) -> float:
    """Which share of what was asked an answer holds; a gram that only its text has counts for less."""
    found = sum(
        weight if gram in text.own else weight * _OF_ANSWER if gram in text.told else 0
        for gram, weight in weights.items()
    )
    return found / sum(weights.values())


def _bare(q: str) -> str:
    text = fold(q)
    for filler in _FILLERS:
        text = text.replace(filler, " ")
    return text


def _grams(text: str) -> dict[str, float]:
    """Pairs and triples of characters of the folded words of a text; a triple says twice as much."""
    words = [fold(word) for word in text.split()]
    pairs = {word[at : at + 2]: 1.0 for word in words for at in range(len(word) - 1)}
    return pairs | {word[at : at + 3]: 2.0 for word in words for at in range(len(word) - 2)}


def _texts(grams: Iterable[str]) -> sa.ColumnElement[Any]:
    return sa.cast(list(grams), sa.ARRAY(sa.Text))
