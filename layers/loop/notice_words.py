"""A notice in words, in one place for all screens and channels: what is the matter, which case, where, until when.

The words never hold what a person wrote or who told of a case: the matter is named by its book, and what leaves the
city names a place as far as its road.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from layers.ask.period import CITY_TIME
from layers.people.privacy import masked_home
from layers.spec import Title
from layers.words import book_of

KINDS: Final[Mapping[str, Title]] = {
    "warn": Title("即将超时", "Due soon"),
    "due": Title("已超时", "Overdue"),
    "escalate": Title("超时升级", "Overdue, gone up a level"),
    "dispatched": Title("新派遣", "Dispatched to you"),
    "assigned": Title("指派给您", "Given to you"),
    "urged": Title("催办", "Urged"),
    "supervised": Title("督办", "Supervised"),
    "sent_back": Title("部门回退", "Sent back"),
    "rework": Title("返工", "To be done again"),
    "lifted": Title("提级办理", "Gone up a level"),
    "defer_asked": Title("申请延期", "More time is asked for"),
    "deferred": Title("同意延期", "More time was granted"),
    "defer_refused": Title("不同意延期", "More time was refused"),
}
"""What a notice can be about."""
TEST: Final = "test"
MOST_BRIEF: Final = 70
"""So many characters has a text message in Chinese."""
_TEST_TITLE: Final = Title("测试通知", "Test notice")
_DRILL: Final = Title("【演练】", "[Exercise] ")
_HIDDEN, _HOUSE = "****", "0号"


@dataclass(frozen=True)
class Facts:
    """What the words tell: the kind, and of the case its number, its matter's code, its address and when it is due."""

    kind: str
    incident: str | None = None
    matter: str | None = None
    address: str | None = None
    due_at: dt.datetime | None = None
    scenario: str | None = None

    @property
    def title(self) -> Title:
        """What it is about, in a word or two; those of an exercise say so."""
        title = _TEST_TITLE if self.kind == TEST else KINDS[self.kind]
        if self.scenario is None:
            return title
        return Title(_DRILL.zh + title.zh, _DRILL.en + title.en)


def sentence(facts: Facts) -> Title:
    """The whole of it in a sentence."""
    if facts.kind == TEST:
        return Title("测试通知：这个渠道可以送达", "Test notice: this channel works")
    zh = [f"{facts.title.zh}：{facts.incident or ''}"]
    en = [f"{facts.title.en}: {facts.incident or ''}"]
    if facts.matter is not None:
        zh.append(_word(facts.matter).zh)
        en.append(_word(facts.matter).en)
    for parts in (zh, en):
        if facts.address:
            parts.append(facts.address)
    if facts.due_at is not None:
        zh.append(f"时限 {_time(facts.due_at)}")
        en.append(f"due {_time(facts.due_at)}")
    return Title("，".join(zh), ", ".join(en))


def brief(facts: Facts) -> str:
    """The same in Chinese for a text message: 70 characters at most, its address first shortened, then left out."""
    whole = sentence(facts).zh
    if len(whole) <= MOST_BRIEF or not facts.address:
        return whole[:MOST_BRIEF]
    room = len(facts.address) - (len(whole) - MOST_BRIEF) - 1
    shorter = f"{facts.address[:room]}…" if room >= 4 else None
    return sentence(Facts(facts.kind, facts.incident, facts.matter, shorter, facts.due_at, facts.scenario)).zh[
        :MOST_BRIEF
    ]


def outside(address: str | None) -> str | None:
    """An address as it leaves the city: as far as its road; None where no road is told."""
    if not address:
        return None
    # With a house, so that an address that is a road alone is told whole.
    shown = masked_home(f"{address}{_HOUSE}").removesuffix(_HIDDEN)
    return f"{shown}一带" if shown else None


def _word(matter: str) -> Title:
    book = book_of("matter")
    return Title(book.word(matter, "zh"), book.word(matter, "en")) if matter in book else Title(matter, matter)


def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(CITY_TIME):%m-%d %H:%M}"
