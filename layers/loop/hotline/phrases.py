"""What the classifier learns from: how people speak of the commonest matters, and the names that the book gives all.

Everything here was written for Chengtu; no caller's words are in it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from layers.codes.books import book
from layers.codes.tables import Line
from layers.loop.reading import path_of, rows_of

ENQUIRY: Final = "none"
"""The label of words that ask for advice and report no matter."""
_FILE: Final = "phrases.csv"
_OPENINGS: Final = (
    *("你好，", "您好，我要反映一下，", "我想投诉", "麻烦派人来看看，", "喂，", "我们这里", "门口", "小区旁边"),
    *("路口", "学校门口", "昨天开始", "", "", ""),
)
_ENDINGS: Final = (
    *("，请处理", "，好几天了没人管", "，希望尽快解决", "，很危险", "，影响出行", "，什么时候能修", "，麻烦派人看看"),
    *("", "", ""),
)
_DEFECTS: Final = ("坏了", "破损", "缺失", "有问题", "没人管", "异常", "被撞坏", "倾斜了", "松动")
_COMPONENTS: Final = "06"  # matters below this major class are components out of order


@dataclass(frozen=True)
class Phrases:
    """How people speak of one matter: to learn from, and held out to try what was learnt."""

    matter: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A sentence with its label; `fold` says in which fifth of the phrases it lies."""

    text: str
    matter: str
    fold: int


def phrases_in(data: Path | None = None) -> list[Phrases]:
    """The phrases of `phrases.csv`; BadDeclaration names the line that cannot be used."""
    matters = book("matter")

    def made(line: Line) -> Phrases:
        matter = line.required("matter")
        if matter != ENQUIRY and matter not in matters:
            raise line.error(f"{matter!r} is not in the book of matters")
        train, test = (tuple(line.required(name).split("/")) for name in ("train", "test"))
        if twice := set(train) & set(test):
            raise line.error(f"{min(twice)!r} is both learnt and tried")
        return Phrases(matter, train, test)

    return rows_of(path_of(_FILE, data), ("matter", "train", "test"), made)


@cache
def shipped_phrases() -> tuple[Phrases, ...]:
    """The phrases that come with the program, read once."""
    return tuple(phrases_in())


def examples_of(phrases: list[Phrases] | tuple[Phrases, ...], *, seed: int = 12345) -> list[Example]:
    """The sentences to learn from: each phrase bare and in a setting, and every matter of the book by its name."""
    chance = random.Random(seed)
    found = []
    for one in phrases:
        for number, text in enumerate(one.train):
            framed = f"{chance.choice(_OPENINGS)}{text}{chance.choice(_ENDINGS)}"
            found += [Example(text, one.matter, number % 5), Example(framed, one.matter, number % 5)]
    for entry in book("matter").entries:
        stem = entry.zh.replace("异常", "")
        for number, defect in enumerate(_DEFECTS if entry.code < _COMPONENTS else ("", "没人管", "很严重")):
            text = f"{chance.choice(_OPENINGS)}{stem}{defect}{chance.choice(_ENDINGS)}"
            found.append(Example(text, entry.code, number % 5))
    return found
