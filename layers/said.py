"""A cause in words for people: what is wrong, and what to do next."""

from __future__ import annotations

from typing import NamedTuple

from layers.spec import Title


class Said(NamedTuple):
    """A cause in words: what is wrong, and what to do next, both with `{facts}` to fill in."""

    what: Title
    then: Title | None = None


def said(zh: str, en: str, then_zh: str = "", then_en: str = "") -> Said:
    """A cause in both languages; without a next step where there is none."""
    return Said(Title(zh, en), Title(then_zh, then_en) if then_zh else None)
